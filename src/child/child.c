/* SPDX-License-Identifier: MIT */
#include "child/child.h"

#include <string.h>

/* --- a child's life ------------------------------------------------------------------------------ */

enum blastmerge_status bm_child_create(struct bm_child *child, const struct bm_child_settings *settings,
                                       struct bm_workers *workers, struct bm_memory *memory) {
    bool is_never_ahead = workers->n_threads == 0 || settings->room.n_ahead <= BM_CHILD_LANE_STRIDE;
    memset(child, 0, sizeof *child);
    enum blastmerge_status status = bm_child_lane_create(&child->lane, &settings->room, workers, memory);
    if (status == BLASTMERGE_OK) status = bm_mark_open(&child->mark, memory, settings->invalid_utf8);
    if (status == BLASTMERGE_OK)
        status = bm_child_ahead_open(&child->ahead, workers, child->mark, is_never_ahead, memory);
    if (status != BLASTMERGE_OK) return status;
    bm_mark_forbid(child->mark, settings->forbidden_characters);
    bm_mark_set_header(child->mark, settings->header);
    bm_mark_suppose(child->mark, settings->supposed, settings->is_supposed_narrow);
    if (settings->tells_queries) bm_mark_tell_queries(child->mark);
    return BLASTMERGE_OK;
}

void bm_child_destroy(struct bm_child *child, struct bm_memory *memory) {
    bm_child_lane_destroy(&child->lane, memory);
    bm_child_ahead_close(&child->ahead, memory);
    if (child->mark != NULL) bm_mark_close(child->mark, memory);
    child->mark = NULL;
}

void bm_child_open(struct bm_child *child, struct bm_fetch_source *source, struct bm_cancel *cancel) {
    child->batch = NULL;
    child->n_scanned = 0;
    bm_child_lane_open(&child->lane, source, cancel);
}

void bm_child_move(struct bm_child *child, struct bm_fetch_source *source) {
    if (child->lane.is_open) child->lane.fetch.source = source;
}

void bm_child_fill(struct bm_child *child) {
    struct bm_child_lane *lane = &child->lane;
    while (bm_fetch_is_ready(&lane->fetch, lane->n_page_bytes) && bm_child_lane_fill(lane)) {
    }
}

void bm_child_admit(struct bm_child *child, const struct bm_mark_kin *kin, bool can_be_ahead) {
    bm_mark_follow(child->mark, kin);
    bm_mark_reset(child->mark);
    bm_child_ahead_begin(&child->ahead);
    if (can_be_ahead) bm_child_lane_let_mark(&child->lane, &child->ahead);
}

void bm_child_close(struct bm_child *child) {
    bm_child_lane_close(&child->lane);
    child->batch = NULL;
}

/* --- batches ------------------------------------------------------------------------------------- */

const struct bm_batch *bm_child_take(struct bm_child *child, bool *is_last, struct blastmerge_error *error) {
    child->batch = bm_child_lane_take(&child->lane, is_last, error);
    child->n_scanned = 0;
    return child->batch;
}

bool bm_child_is_at_first_batch(const struct bm_child *child) {
    return child->lane.n_batches_taken == 1;
}

bool bm_child_has_room(const struct bm_child *child) {
    return child->lane.n_batches_taken - child->lane.n_batches_done < child->lane.n_ahead;
}

void bm_child_give(struct bm_child *child) {
    bm_child_lane_give(&child->lane);
}

/* --- marks --------------------------------------------------------------------------------------- */

static void look(const struct bm_child *child, const struct bm_mark_list *marks, struct bm_view *view) {
    size_t n = marks->n_entries;
    bool has_field = n > 0 && marks->entries[n - 1].kind == BM_MARK_FIELD;
    view->batch = child->batch;
    view->end = child->n_scanned;
    view->marks = marks;
    view->field = has_field ? bm_mark_field(child->mark) : NULL;
    view->is_end_of_batch = child->n_scanned == child->batch->n_text;
}

enum blastmerge_status bm_child_scan(struct bm_child *child, size_t end, struct bm_view *view,
                                     struct blastmerge_error *error) {
    const struct bm_batch *batch = child->batch;
    const struct bm_piece *piece =
        bm_child_ahead_next(&child->ahead, child->lane.n_batches_taken - 1, batch, child->n_scanned,
                            end < batch->n_text ? end : batch->n_text);
    child->n_scanned = piece->end;
    look(child, &piece->marks, view);
    view->safe = piece->safe;
    view->counts = piece->counts;
    if (piece->status != BLASTMERGE_OK) *error = piece->error;
    return piece->status;
}

/* The view of marks that no text was scanned for. */
static void look_at_own(struct bm_child *child, struct bm_view *view) {
    look(child, &child->ahead.own.marks, view);
    view->safe = bm_mark_safe(child->mark);
    view->counts = *bm_mark_counts(child->mark);
}

enum blastmerge_status bm_child_finish(struct bm_child *child, struct bm_view *view,
                                       struct blastmerge_error *error) {
    child->ahead.own.marks.n_entries = 0;
    enum blastmerge_status status = bm_mark_finish(child->mark, &child->ahead.own.marks, error);
    look_at_own(child, view);
    return status;
}

void bm_child_leave(struct bm_child *child, struct bm_view *view) {
    child->ahead.own.marks.n_entries = 0;
    bm_mark_leave(child->mark, &child->ahead.own.marks);
    look_at_own(child, view);
}

void bm_child_enter(struct bm_child *child, uint64_t offset, enum bm_mark_place place, unsigned encoding,
                    struct bm_view *view) {
    bm_require(offset >= child->batch->text_offset && offset <= bm_batch_end(child->batch));
    child->ahead.own.marks.n_entries = 0;
    bm_mark_enter(child->mark, &child->ahead.own.marks, offset, place, encoding);
    child->n_scanned = (size_t)(offset - child->batch->text_offset);
    look_at_own(child, view);
}

void bm_child_skip(struct bm_child *child, struct bm_view *view) {
    child->ahead.own.marks.n_entries = 0;
    child->n_scanned = child->batch->n_text;
    look_at_own(child, view);
}
