/* SPDX-License-Identifier: MIT */
/*
 * The scanners' door: what is common to all formats. The text's first bytes decide which scanner is behind
 * the door (format.c); from then on, that scanner reads the whole text.
 */
#include "mark/door.h"

#include <assert.h>
#include <string.h>

enum blastmerge_status bm_mark_open(struct bm_mark **mark, struct bm_memory *memory,
                                    enum blastmerge_invalid_utf8 invalid_utf8) {
    *mark = bm_allocate(memory, bm_mark_size);
    if (*mark == NULL) return BLASTMERGE_NO_MEMORY;
    (*mark)->invalid_utf8 = invalid_utf8;
    (*mark)->look = bm_mark_look_fail;
    bool is_there = bm_mark_use(*mark, bm_mark_implementation());
    assert(is_there);
    (void)is_there;
    bm_mark_reset(*mark);
    return BLASTMERGE_OK;
}

void bm_mark_close(struct bm_mark *mark, struct bm_memory *memory) {
    bm_release(memory, mark);
}

struct bm_mark_kin bm_mark_kin(const struct bm_mark *mark) {
    return mark->kin;
}

void bm_mark_follow(struct bm_mark *mark, const struct bm_mark_kin *kin) {
    mark->kin = *kin;
}

bool bm_mark_is_same_kin(const struct bm_mark_kin *one, const struct bm_mark_kin *other) {
    return one->format == other->format && one->is_given == other->is_given &&
           one->is_inferred == other->is_inferred && one->rows_are_plain == other->rows_are_plain &&
           one->has_table == other->has_table && one->form == other->form &&
           one->n_columns == other->n_columns && one->n_names == other->n_names &&
           memcmp(one->names, other->names, one->n_names) == 0;
}

void bm_mark_suppose(struct bm_mark *mark, enum blastmerge_format format, bool is_narrow) {
    mark->supposed = format;
    mark->is_narrow = is_narrow;
}

void bm_mark_forbid(struct bm_mark *mark, enum blastmerge_forbidden_characters forbidden) {
    mark->forbidden = forbidden;
}

void bm_mark_set_header(struct bm_mark *mark, enum blastmerge_header header) {
    mark->header = header;
}

void bm_mark_tell_queries(struct bm_mark *mark) {
    mark->tells_queries = true;
}

void bm_mark_reset(struct bm_mark *mark) {
    const size_t n_kept = offsetof(struct bm_mark, scanner);
    memset((uint8_t *)mark + n_kept, 0, sizeof *mark - n_kept);
}

void bm_mark_take_scanner(struct bm_mark *mark, const struct bm_mark_scanner *scanner) {
    mark->scanner = scanner;
    if (scanner == NULL) return;
    bm_require(scanner->n_cleared >= sizeof *mark);
    memset((uint8_t *)mark + sizeof *mark, 0, scanner->n_cleared - sizeof *mark);
    if (scanner->begin != NULL) scanner->begin(mark);
}

void bm_mark_copy(struct bm_mark *to, const struct bm_mark *from) {
    memcpy(to, from, bm_mark_size);
}

bool bm_mark_use(struct bm_mark *mark, const char *way) {
    mark->way = way;
    return bm_mark_has_way(way);
}

const char *bm_mark_implementation(void) {
    const char *const *way = bm_mark_ways;
    while (!bm_mark_has_way(*way)) way++; /* "portable" is everywhere */
    return *way;
}

/* --- the door ------------------------------------------------------------------------------------ */

static enum blastmerge_status end_step(struct bm_mark *mark, struct blastmerge_error *error) {
    mark->list = NULL;
    if (!mark->has_failed) return BLASTMERGE_OK;
    *error = mark->failure;
    return error->status;
}

/* Gives the scanner the text's beginning, if that was held. True where it has all of it. */
static bool replay(struct bm_mark *mark) {
    if (mark->scanner == NULL) return false;
    while (mark->n_replayed < mark->n_sample && bm_mark_can_step(mark)) {
        const uint8_t *sample = (const uint8_t *)mark->sample + mark->n_replayed;
        size_t n = mark->scanner->step(mark, sample, (size_t)(mark->n_sample - mark->n_replayed));
        mark->n_replayed = (uint16_t)(mark->n_replayed + n);
    }
    return mark->n_replayed == mark->n_sample;
}

enum blastmerge_status bm_mark_step(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t *n_used,
                                    struct bm_mark_list *list, struct blastmerge_error *error) {
    mark->list = list;
    mark->field_is_ready = false;
    *n_used = 0;
    if (mark->scanner == NULL && n_text > 0 && !mark->has_failed)
        *n_used = bm_mark_choose(mark, text, n_text);
    if (replay(mark) && bm_mark_can_step(mark))
        *n_used += mark->scanner->step(mark, text + *n_used, n_text - *n_used);
    return end_step(mark, error);
}

enum blastmerge_status bm_mark_finish(struct bm_mark *mark, struct bm_mark_list *list,
                                      struct blastmerge_error *error) {
    mark->list = list;
    mark->field_is_ready = false;
    if (mark->scanner == NULL && !mark->has_failed) bm_mark_choose_at_end(mark);
    /* Where there is nothing at all the caller knows whether that is right. */
    if (replay(mark) && bm_mark_can_step(mark))
        mark->is_finished = mark->scanner->finish(mark) && !mark->field_is_ready;
    if (mark->scanner == NULL) mark->is_finished = true;
    return end_step(mark, error);
}

bool bm_mark_is_finished(const struct bm_mark *mark) {
    return mark->is_finished;
}

uint64_t bm_mark_safe(const struct bm_mark *mark) {
    return mark->scanner == NULL ? 0 : mark->scanner->safe(mark);
}

enum blastmerge_format bm_mark_format(const struct bm_mark *mark) {
    return mark->kin.format;
}

const struct bm_mark_counts *bm_mark_counts(const struct bm_mark *mark) {
    return &mark->counts;
}

const struct bm_mark_field *bm_mark_field(const struct bm_mark *mark) {
    return &mark->field;
}
