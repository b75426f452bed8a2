/* SPDX-License-Identifier: MIT */
#include "index/result.h"
#include "index/internal.h"

#ifdef BLASTMERGE_SQLITE
#include <string.h>

enum { KEPT = 1 << 20 /* bytes of the result's text */ };

struct bm_index_result {
    struct bm_output_watch watch; /* the first field: its function gets only that */
    struct bm_memory *memory;
    struct bm_index_build *build;
    const uint64_t *n_before;
    struct blastmerge_error failure; /* of the watch; status OK: none */
    bool has_document;               /* the result's one document has begun */

    /* the place in the script, and in the current child */
    uint64_t next;          /* the entry, counted since the child began */
    uint64_t offset;        /* bytes of the child's text before it */
    uint64_t n_consecutive; /* bytes of the child's text before it that were taken without a break */

    /* the text kept[i % KEPT] of the result, for i from kept_from to kept_to */
    uint64_t kept_from;
    uint64_t kept_to;
    uint8_t *kept;
    uint8_t window[BM_WINDOW];
};

/* --- restart points ------------------------------------------------------------------------------ */

/* Keeps text of the result that begins at the build's place, if a restart point can need it. */
static void keep(struct bm_index_result *result, const char *text, size_t n_text) {
    uint64_t at = result->build->at;
    if (at + n_text + BM_WINDOW < result->watch.due) return;
    if (result->kept_to != at) result->kept_from = at;
    result->kept_to = at + n_text;
    while (n_text > 0) {
        size_t n = KEPT - (size_t)(at % KEPT);
        if (n > n_text) n = n_text;
        memcpy(result->kept + at % KEPT, text, n);
        at += n;
        text += n;
        n_text -= n;
    }
    if (result->kept_to - result->kept_from > KEPT) result->kept_from = result->kept_to - KEPT;
}

/* The text before a place; false: it is not kept any more. */
static bool find_window(struct bm_index_result *result, uint64_t text, size_t *n_window) {
    *n_window = text < BM_WINDOW ? (size_t)text : BM_WINDOW;
    if (*n_window == 0) return true;
    if (text - *n_window < result->kept_from || text > result->kept_to) return false;
    size_t from = (size_t)((text - *n_window) % KEPT);
    size_t n_first = KEPT - from < *n_window ? KEPT - from : *n_window;
    memcpy(result->window, result->kept + from, n_first);
    memcpy(result->window + n_first, result->kept, *n_window - n_first);
    return true;
}

/* A block of the result begins there. */
static void add_start(struct bm_output_watch *watch, const struct bm_output_start *start) {
    struct bm_index_result *result = (struct bm_index_result *)watch;
    const uint8_t *window = start->window;
    size_t n_window = start->n_window;
    if (result->failure.status != BLASTMERGE_OK) return;
    if (window == NULL) {
        if (!find_window(result, start->text, &n_window)) return; /* the next one is as good */
        window = result->window;
    }
    enum blastmerge_status status = bm_index_restart_add(
        result->build, start->text, *result->n_before * 8 + start->bit, window, n_window, &result->failure);
    if (status == BLASTMERGE_OK) watch->due = start->text + result->build->settings.distance;
}

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_result_open(struct bm_index_result **result, struct bm_index_build *build,
                                            const uint64_t *n_before, struct bm_memory *memory,
                                            struct blastmerge_error *error) {
    struct bm_index_result *made = bm_allocate(memory, sizeof *made);
    *result = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->watch.add = add_start;
    made->memory = memory;
    made->build = build;
    made->n_before = n_before;
    made->kept = bm_allocate(memory, KEPT);
    return made->kept == NULL ? bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory") : BLASTMERGE_OK;
}

void bm_index_result_close(struct bm_index_result *result) {
    if (result == NULL) return;
    bm_release(result->memory, result->kept);
    bm_release(result->memory, result);
}

struct bm_output_watch *bm_index_result_watch(struct bm_index_result *result) {
    return &result->watch;
}

void bm_index_result_begin_child(struct bm_index_result *result) {
    result->next = result->offset = result->n_consecutive = 0;
    result->build->n_hits_before = result->build->n_hits;
    result->build->n_hsps_before = result->build->n_hsps;
}

/* --- the script ---------------------------------------------------------------------------------- */

static enum blastmerge_status take_text(struct bm_index_result *result, const struct bm_index_piece *piece,
                                        struct blastmerge_error *error) {
    keep(result, piece->text, piece->n_text);
    return bm_index_take_text(result->build, piece, error);
}

static enum blastmerge_status take_other_text(struct bm_index_result *result, const char *text, size_t n_text,
                                              struct blastmerge_error *error) {
    const struct bm_index_piece piece = {.text = text, .n_text = n_text};
    return n_text > 0 ? take_text(result, &piece, error) : BLASTMERGE_OK;
}

/* The child's text up to the offset is in the result, or not. */
static enum blastmerge_status pass(struct bm_index_result *result, const struct bm_batch *batch,
                                   uint64_t offset, bool is_taken, struct blastmerge_error *error) {
    if (offset <= result->offset) return BLASTMERGE_OK;
    struct bm_index_piece piece = {.n_text = (size_t)(offset - result->offset),
                                   .n_before = (size_t)result->n_consecutive,
                                   .batch = batch,
                                   .from = result->offset};
    result->offset = offset;
    result->n_consecutive = is_taken ? result->n_consecutive + piece.n_text : 0;
    if (!is_taken) return BLASTMERGE_OK;
    piece.text = (const char *)bm_batch_at(batch, piece.from, piece.n_text);
    return take_text(result, &piece, error);
}

/* What an entry has up to the offset, at which the entry may go on. */
static enum blastmerge_status take_entry(struct bm_index_result *result, const struct bm_batch *batch,
                                         const struct bm_script_entry *entry, uint64_t offset,
                                         struct blastmerge_error *error) {
    uint64_t end = entry->offset < offset ? entry->offset : offset;
    switch (entry->kind) {
    case BM_SCRIPT_TAKE:
        return pass(result, batch, end, true, error);
    case BM_SCRIPT_INSERT:
        result->n_consecutive = 0;
        return take_other_text(result, entry->text, entry->n_text, error);
    default: /* between fragments nothing is taken */
        return pass(result, batch, end, false, error);
    }
}

/* Goes on in the script to the offset in the child's text. What is inserted there belongs to what is before it, or not. */
static enum blastmerge_status go(struct bm_index_result *result, const struct bm_script *script,
                                 const struct bm_batch *batch, uint64_t offset, bool with_insertions,
                                 struct blastmerge_error *error) {
    const uint64_t n_entries = script->n_removed + script->n_entries;
    if (result->next < script->n_removed) result->next = script->n_removed; /* the last one did not grow */
    while (result->next < n_entries) {
        const struct bm_script_entry *entry = &script->entries[result->next - script->n_removed];
        bool is_text = entry->kind == BM_SCRIPT_TAKE || entry->kind == BM_SCRIPT_SKIP;
        bool is_behind = entry->offset > offset || (entry->offset == offset && !with_insertions);
        if (!is_text && is_behind) return BLASTMERGE_OK;
        enum blastmerge_status status = take_entry(result, batch, entry, offset, error);
        if (status != BLASTMERGE_OK) return status;
        bool can_grow = result->next + 1 == n_entries;
        if (is_text && (entry->offset > offset || can_grow)) break;
        result->next++;
    }
    /* What the script does not have yet: text that is not taken may yet be, from the beginning of a body on. */
    return script->is_taking && offset != UINT64_MAX ? pass(result, batch, offset, true, error)
                                                     : BLASTMERGE_OK;
}

/* The first document's beginning is the result's; the end is the result's own. */
static bool counts(const struct bm_index_result *result, const struct bm_mark_entry *mark) {
    switch (mark->kind) {
    case BM_MARK_DOCUMENT:
        return !result->has_document;
    case BM_MARK_ITERATIONS:
    case BM_MARK_ITERATION:
    case BM_MARK_ITERATION_END:
    case BM_MARK_ARCHIVE:
    case BM_MARK_ARCHIVE_END:
        return true;
    default:
        return bm_index_is_skip(result->build, mark);
    }
}

enum blastmerge_status bm_index_result_take(struct bm_index_result *result, const struct bm_script *script,
                                            const struct bm_batch *batch, const struct bm_mark_list *marks,
                                            struct blastmerge_error *error) {
    for (size_t i = 0; i < marks->n_entries; i++) {
        const struct bm_mark_entry *mark = &marks->entries[i];
        enum blastmerge_status status = BLASTMERGE_OK;
        if (!counts(result, mark)) continue;
        result->has_document = true;
        bool is_skip = mark->kind == BM_MARK_SKIP;
        bool is_begin = mark->kind == BM_MARK_ITERATION || mark->kind == BM_MARK_ARCHIVE;
        bool is_end = mark->kind == BM_MARK_ITERATION_END || mark->kind == BM_MARK_ARCHIVE_END;
        bm_index_expect(result->build, mark);
        if (is_begin || is_end || is_skip) status = go(result, script, batch, mark->offset, is_begin, error);
        if (status == BLASTMERGE_OK) status = bm_index_take_mark(result->build, mark, error);
        if (status == BLASTMERGE_OK && is_skip) status = go(result, script, batch, mark->end, false, error);
        if (status != BLASTMERGE_OK) return status;
        if (is_skip) bm_index_end_skip(result->build);
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_index_result_catch_up(struct bm_index_result *result,
                                                const struct bm_script *script, const struct bm_batch *batch,
                                                struct blastmerge_error *error) {
    enum blastmerge_status status = go(result, script, batch, UINT64_MAX, true, error);
    if (status != BLASTMERGE_OK || result->failure.status == BLASTMERGE_OK) return status;
    *error = result->failure;
    return error->status;
}

enum blastmerge_status bm_index_result_end(struct bm_index_result *result, const char *text, size_t n_text,
                                           struct blastmerge_error *error) {
    const struct bm_mark_entry end = {.kind = BM_MARK_DOCUMENT_END};
    enum blastmerge_status status = take_other_text(result, text, n_text, error);
    return status == BLASTMERGE_OK ? bm_index_take_mark(result->build, &end, error) : status;
}

enum blastmerge_status bm_index_result_finish(struct bm_index_result *result, enum blastmerge_format format,
                                              uint32_t crc32, uint64_t n_text,
                                              struct blastmerge_error *error) {
    struct bm_index_build *build = result->build;
    bm_require(build->at == n_text);
    build->format = format;
    build->n_text = n_text;
    build->crc32 = crc32;
    if (result->failure.status == BLASTMERGE_OK) return BLASTMERGE_OK;
    *error = result->failure;
    return error->status;
}

#endif
