/* SPDX-License-Identifier: MIT */
/*
 * The scanners' door: what is common to all formats. Which scanner stands behind it shows at a text's first
 * bytes (format.c); from then on it takes all that comes.
 */
#include "mark/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum blastmerge_status bm_mark_open(struct bm_mark **mark, struct bm_memory *memory,
                                    enum blastmerge_invalid_utf8 invalid_utf8) {
    *mark = bm_allocate(memory, sizeof **mark);
    if (*mark == NULL) return BLASTMERGE_NO_MEMORY;
    (*mark)->invalid_utf8 = invalid_utf8;
    bool is_there = bm_mark_use(*mark, bm_mark_implementation());
    assert(is_there);
    (void)is_there;
    bm_mark_reset(*mark);
    return BLASTMERGE_OK;
}

void bm_mark_close(struct bm_mark *mark, struct bm_memory *memory) {
    bm_release(memory, mark);
}

void bm_mark_expect(struct bm_mark *mark, enum blastmerge_format format) {
    const struct bm_mark_kin kin = {.format = format, .is_given = format != BLASTMERGE_FORMAT_AUTO};
    bm_mark_follow(mark, &kin);
}

struct bm_mark_kin bm_mark_kin(const struct bm_mark *mark) {
    return mark->kin;
}

void bm_mark_follow(struct bm_mark *mark, const struct bm_mark_kin *kin) {
    mark->kin = *kin;
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
    enum blastmerge_invalid_utf8 invalid_utf8 = mark->invalid_utf8;
    enum blastmerge_forbidden_characters forbidden = mark->forbidden;
    struct bm_mark_kin kin = mark->kin;
    enum blastmerge_format supposed = mark->supposed;
    bool is_narrow = mark->is_narrow;
    bool tells_queries = mark->tells_queries;
    enum blastmerge_header header = mark->header;
    bm_mark_walk *walk = mark->walk;
    bm_mark_walk *json_walk = mark->json_walk;
    memset(mark, 0, sizeof *mark);
    mark->invalid_utf8 = invalid_utf8;
    mark->forbidden = forbidden;
    mark->kin = kin;
    mark->supposed = supposed;
    mark->is_narrow = is_narrow;
    mark->tells_queries = tells_queries;
    mark->header = header;
    mark->walk = walk;
    mark->json_walk = json_walk;
    mark->blank = BM_MARK_NOWHERE;
}

/* --- what the scanners call ---------------------------------------------------------------------- */

struct bm_mark_entry *bm_mark_add(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t offset) {
    struct bm_mark_list *list = mark->list;
    bm_require(list->n_entries < BM_MARK_LIST);
    struct bm_mark_entry *entry = &list->entries[list->n_entries++];
    memset(entry, 0, sizeof *entry);
    entry->kind = kind;
    entry->offset = offset;
    return entry;
}

/* Rows count as hits where there is nothing else. */
static uint64_t count_hits(const struct bm_mark *mark) {
    return mark->counts.n_hits + (mark->scanner == &bm_mark_table ? mark->counts.n_hsps : 0);
}

void bm_mark_begin_digest(struct bm_mark *mark) {
    mark->digest =
        (struct bm_mark_digest){.n_iterations = mark->counts.n_iterations, .n_hits = count_hits(mark)};
}

struct bm_mark_entry *bm_mark_add_document_end(struct bm_mark *mark, uint64_t offset) {
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_DOCUMENT_END, offset);
    const struct bm_mark_digest *digest = &mark->digest;
    if (digest->is_partial) return entry;
    entry->value = bm_mark_digest_sum(digest, mark->counts.n_iterations - digest->n_iterations);
    entry->flags = BM_MARK_DIGEST;
    if (count_hits(mark) > digest->n_hits) entry->flags |= BM_MARK_HITS;
    if (digest->n_named > 0) entry->flags |= BM_MARK_NAMED;
    return entry;
}

bool bm_mark_fail(struct bm_mark *mark, uint64_t at, const char *format, ...) {
    char message[sizeof mark->failure.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    mark->state = BM_STATE_FAILED;
    (void)bm_fail_at(&mark->failure, BLASTMERGE_DATA, at, "%s", message);
    return false;
}

static bool has_room(const struct bm_mark *mark) {
    return mark->list->n_entries + BM_MARK_ROOM <= BM_MARK_LIST;
}

bool bm_mark_can_step(const struct bm_mark *mark) {
    return mark->state != BM_STATE_FAILED && has_room(mark) && !mark->field_is_ready;
}

/* --- fields -------------------------------------------------------------------------------------- */

static void add_to_hash(struct bm_mark_field *field, const char *bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++) field->hash = (field->hash ^ (uint8_t)bytes[i]) * 1099511628211u;
}

void bm_mark_field_begin(struct bm_mark *mark, const char *name, size_t n_name) {
    struct bm_mark_field *field = &mark->field;
    bm_require(n_name <= BM_MARK_MAX_NAME);
    memcpy(field->name, name, n_name);
    field->name[n_name] = '\0';
    field->n_value = 0;
    field->is_cut = false;
    field->is_parameter = false;
    field->is_scope = false;
    field->hash = 14695981039346656037u;
    add_to_hash(field, field->name, n_name + 1); /* with its NUL, which parts it from the value */
}

void bm_mark_field_add(struct bm_mark *mark, const char *value, size_t n_value) {
    struct bm_mark_field *field = &mark->field;
    size_t n_room = BM_MARK_MAX_VALUE - field->n_value;
    size_t n = n_value < n_room ? n_value : n_room;
    add_to_hash(field, value, n_value);
    memcpy(field->value + field->n_value, value, n);
    field->n_value += n;
    if (n < n_value) field->is_cut = true;
}

void bm_mark_field_end(struct bm_mark *mark, uint64_t after) {
    mark->field.value[mark->field.n_value] = '\0';
    bm_mark_add(mark, BM_MARK_FIELD, after)->end = after;
    mark->field_is_ready = true;
}

/* --- the door ------------------------------------------------------------------------------------ */

static enum blastmerge_status end_step(struct bm_mark *mark, struct blastmerge_error *error) {
    mark->list = NULL;
    if (mark->state != BM_STATE_FAILED) return BLASTMERGE_OK;
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
    if (mark->scanner == NULL && n_text > 0 && mark->state != BM_STATE_FAILED)
        *n_used = bm_mark_choose(mark, text, n_text);
    if (replay(mark) && bm_mark_can_step(mark))
        *n_used += mark->scanner->step(mark, text + *n_used, n_text - *n_used);
    return end_step(mark, error);
}

enum blastmerge_status bm_mark_finish(struct bm_mark *mark, struct bm_mark_list *list,
                                      struct blastmerge_error *error) {
    mark->list = list;
    mark->field_is_ready = false;
    if (mark->scanner == NULL && mark->state != BM_STATE_FAILED) bm_mark_choose_at_end(mark);
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
