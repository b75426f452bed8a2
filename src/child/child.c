/* SPDX-License-Identifier: MIT */
#include "child/child.h"

#include "child/again.h"

#include <string.h>

/* --- a child's life ------------------------------------------------------------------------------ */

enum blastmerge_status bm_child_create(struct bm_child *child, const struct bm_child_settings *settings,
                                       struct bm_workers *workers, struct bm_memory *memory) {
    size_t n_ahead = workers->n_threads > 0 ? settings->room.n_ahead : 0;
    enum bm_child_ahead_way way = n_ahead > 1 && settings->is_without_marks ? BM_CHILD_AHEAD_COUNTS
                                  : n_ahead > BM_CHILD_LANE_STRIDE          ? BM_CHILD_AHEAD_MARKS
                                                                            : BM_CHILD_AHEAD_NEVER;
    memset(child, 0, sizeof *child);
    enum blastmerge_status status = bm_child_lane_create(&child->lane, &settings->room, workers, memory);
    if (status != BLASTMERGE_OK) return status;
    bm_child_lane_set_budget(&child->lane, settings->budget);
    status = bm_mark_open(&child->mark, memory, settings->invalid_utf8);
    if (status == BLASTMERGE_OK)
        status = bm_child_ahead_open(&child->ahead, workers, child->mark, way, settings->piece, memory);
    if (status != BLASTMERGE_OK) return status;
    bm_mark_forbid(child->mark, settings->forbidden_characters);
    bm_mark_set_header(child->mark, settings->header);
    bm_mark_suppose(child->mark, settings->supposed, settings->is_supposed_narrow);
    if (settings->tells_queries) bm_mark_tell_queries(child->mark);
    child->lane.is_without_bits = settings->is_without_result;
    child->lane.keep.needs_rows = settings->needs_rows;
    child->n_least_early = settings->room.n_least_early;
    return BLASTMERGE_OK;
}

void bm_child_destroy(struct bm_child *child, struct bm_memory *memory) {
    bm_child_lane_destroy(&child->lane, memory);
    bm_child_ahead_close(&child->ahead, memory);
    if (child->mark != NULL) bm_mark_close(child->mark, memory);
    child->mark = NULL;
}

void bm_child_open(struct bm_child *child, struct bm_fetch_source *source, struct bm_cancel *cancel) {
    bm_child_open_text(child, source, NULL, cancel);
}

void bm_child_open_text(struct bm_child *child, struct bm_fetch_source *source,
                        const struct bm_plan_text *text, struct bm_cancel *cancel) {
    child->batch = NULL;
    child->n_scanned = 0;
    child->text = text;
    child->hole = 0;
    child->is_in_hole = false;
    child->n_summed = 0;
    child->crc32 = 0;
    child->is_early = child->is_kept = false;
    child->piece = NULL;
    bm_child_lane_open(&child->lane, source, cancel);
    if (text != NULL) bm_fetch_limit(&child->lane.fetch, text->spans, text->n_spans);
}

void bm_child_move(struct bm_child *child, struct bm_fetch_source *source) {
    if (child->lane.is_open) child->lane.fetch.source = source;
}

void bm_child_fill(struct bm_child *child) {
    struct bm_child_lane *lane = &child->lane;
    if (bm_child_lane_is_keeping(lane)) return; /* a worker reads it */
    while (bm_fetch_is_ready(&lane->fetch, lane->n_page_bytes) && bm_child_lane_fill(lane)) {
    }
}

static void begin_marking(struct bm_child *child, const struct bm_mark_kin *kin) {
    bm_mark_follow(child->mark, kin);
    bm_mark_reset(child->mark);
    bm_child_ahead_begin(&child->ahead);
}

void bm_child_read_early(struct bm_child *child, const struct bm_mark_kin *kin) {
    if (child->is_early || child->text != NULL || child->lane.keep.memory == NULL ||
        !bm_fetch_can_read_again(&child->lane.fetch) ||
        child->lane.fetch.source->n_bytes < child->n_least_early)
        return;
    child->is_early = true;
    child->early_kin = *kin;
    begin_marking(child, kin);
    bm_child_lane_let_keep(&child->lane, child->mark);
}

bool bm_child_help_early(struct bm_child *child) {
    return child->is_early && bm_child_lane_help_keeping(&child->lane);
}

/* From its first byte on. */
static void begin_anew(struct bm_child *child) {
    struct bm_fetch_source *source = child->lane.fetch.source;
    struct bm_cancel *cancel = child->lane.fetch.cancel;
    const struct bm_plan_text *text = child->text;
    bm_child_close(child);
    bm_child_open_text(child, source, text, cancel);
}

void bm_child_turn(struct bm_child *child, const struct bm_mark_kin *kin) {
    if (!child->is_early) return;
    bm_child_lane_stop_keeping(&child->lane);
    if (bm_mark_is_same_kin(kin, &child->early_kin)) {
        child->ahead.n_done = child->lane.n_batches_kept;
        child->is_kept = bm_child_lane_is_kept(&child->lane);
        return;
    }
    begin_anew(child);
}

void bm_child_give_way(struct bm_child *child) {
    if (child->batch != NULL || !child->lane.fetch.source->can_read_ahead) return;
    bm_child_lane_stop_keeping(&child->lane);
    begin_anew(child);
}

bool bm_child_kin(struct bm_child *child, struct bm_mark_kin *kin) {
    struct bm_workers *workers = child->lane.workers;
    bm_workers_lock(workers);
    bool is_known = !child->ahead.is_busy && child->batch != NULL &&
                    bm_mark_counts(child->mark)->n_documents > 0 &&
                    bm_mark_format(child->mark) != BLASTMERGE_FORMAT_AUTO;
    if (is_known) *kin = bm_mark_kin(child->mark);
    bm_workers_unlock(workers);
    return is_known;
}

void bm_child_admit(struct bm_child *child, const struct bm_mark_kin *kin, bool can_be_ahead) {
    if (!child->is_early) begin_marking(child, kin);
    bool has_holes = child->text != NULL && child->text->n_holes > 0;
    if (can_be_ahead && !has_holes) bm_child_lane_let_mark(&child->lane, &child->ahead);
}

void bm_child_close(struct bm_child *child) {
    bm_child_lane_close(&child->lane);
    child->batch = NULL;
    child->text = NULL; /* borrowed until now */
    child->is_in_hole = false;
}

/* --- batches ------------------------------------------------------------------------------------- */

/* Adds the batch to the checksum of the text that the plan was made for. */
static void sum_up(struct bm_child *child) {
    const struct bm_batch *batch = child->batch;
    if (child->text == NULL || batch->text_offset >= child->text->end) return;
    uint64_t n = child->text->end - batch->text_offset;
    if (n > batch->n_text) n = batch->n_text;
    child->crc32 = bm_crc32(child->crc32, batch->text, (size_t)n);
    child->n_summed += n;
}

enum blastmerge_status bm_child_prove(const struct bm_child *child, struct blastmerge_error *error) {
    const struct bm_plan_text *text = child->text;
    if (text == NULL || !text->is_proven) return BLASTMERGE_OK;
    if (child->n_summed == text->end && child->crc32 == text->crc32) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED, "changed between the first and the second pass");
}

const struct bm_batch *bm_child_take(struct bm_child *child, bool *is_last, struct blastmerge_error *error) {
    child->batch = bm_child_lane_take(&child->lane, is_last, error);
    child->n_scanned = 0;
    child->piece = child->lane.kept != NULL ? child->lane.kept->pieces : NULL;
    if (child->batch != NULL) sum_up(child);
    return child->batch;
}

bool bm_child_is_at_first_batch(const struct bm_child *child) {
    return child->lane.n_batches_taken == 1;
}

void bm_child_give(struct bm_child *child) {
    bm_child_lane_give(&child->lane);
}

/* --- holes -------------------------------------------------------------------------------------- */

static const struct bm_plan_hole *next_hole(const struct bm_child *child) {
    bool has_hole = child->text != NULL && child->hole < child->text->n_holes;
    return has_hole ? &child->text->holes[child->hole] : NULL;
}

/* Whether the last batch's text was scanned up to where a hole begins, or passed by up to where it ends. */
static bool is_at_border(const struct bm_child *child) {
    const struct bm_plan_hole *hole = next_hole(child);
    if (hole == NULL) return false;
    if (child->is_in_hole) return hole->to <= bm_batch_end(child->batch);
    return hole->from <= child->batch->text_offset + child->n_scanned;
}

bool bm_child_is_in_hole(const struct bm_child *child) {
    return child->is_in_hole;
}

bool bm_child_is_over(const struct bm_child *child) {
    return child->is_in_hole && child->text->holes[child->hole].to == UINT64_MAX;
}

/* --- marks --------------------------------------------------------------------------------------- */

static void look(const struct bm_child *child, const struct bm_mark_list *marks, struct bm_view *view) {
    size_t n = marks->n_entries;
    bool has_field = n > 0 && marks->entries[n - 1].kind == BM_MARK_FIELD;
    view->batch = child->batch;
    view->end = child->n_scanned;
    view->marks = marks;
    view->field = has_field ? bm_mark_field(child->mark) : NULL;
    view->is_end_of_batch = child->n_scanned == child->batch->n_text && !is_at_border(child);
}

/* The view of marks that no text was scanned for. */
static void look_at_own(struct bm_child *child, struct bm_view *view) {
    look(child, &child->ahead.own->marks, view);
    view->safe = bm_mark_safe(child->mark);
    view->counts = *bm_mark_counts(child->mark);
}

/* Leaves the text in front of a hole, or enters it behind. */
static void cross_border(struct bm_child *child, struct bm_view *view) {
    const struct bm_plan_hole *hole = next_hole(child);
    struct bm_mark_list *marks = &child->ahead.own->marks;
    if (!child->is_in_hole) {
        bm_mark_leave(child->mark, marks);
        child->is_in_hole = true;
    } else {
        bm_require(hole->to >= child->batch->text_offset);
        bm_mark_enter(child->mark, marks, hole->to, hole->place, hole->encoding);
        child->n_scanned = (size_t)(hole->to - child->batch->text_offset);
        child->is_in_hole = false;
        child->hole++;
    }
    look_at_own(child, view);
    if (child->is_in_hole) view->safe = hole->to;
}

/* Passes by the rest of the batch, which is left out. */
static void pass_by(struct bm_child *child, struct bm_view *view) {
    child->n_scanned = child->batch->n_text;
    look_at_own(child, view);
    view->safe = next_hole(child)->to;
}

/* Where the text that is merged ends in the batch at the latest. */
static size_t limit(const struct bm_child *child, size_t end) {
    const struct bm_plan_hole *hole = next_hole(child);
    const struct bm_batch *batch = child->batch;
    if (end > batch->n_text) end = batch->n_text;
    if (hole == NULL || hole->from >= batch->text_offset + end) return end;
    return (size_t)(hole->from - batch->text_offset);
}

/* The marks of more of the last batch, which was kept. */
static enum blastmerge_status look_at_kept(struct bm_child *child, struct bm_view *view,
                                           struct blastmerge_error *error) {
    const struct bm_child_kept_piece *piece = child->piece;
    child->piece = piece->next;
    child->n_scanned = piece->end;
    return bm_child_again_look(&child->lane.keep, piece, child->batch, &child->ahead.own->marks, view, error);
}

enum blastmerge_status bm_child_scan(struct bm_child *child, size_t end, struct bm_view *view,
                                     struct blastmerge_error *error) {
    child->ahead.own->marks.n_entries = 0;
    if (child->piece != NULL) return look_at_kept(child, view, error);
    if (is_at_border(child) || child->is_in_hole) {
        if (is_at_border(child))
            cross_border(child, view);
        else
            pass_by(child, view);
        return BLASTMERGE_OK;
    }
    const struct bm_piece *piece = bm_child_ahead_next(&child->ahead, child->lane.n_batches_taken - 1,
                                                       child->batch, child->n_scanned, limit(child, end));
    child->n_scanned = piece->end;
    look(child, &piece->marks, view);
    view->safe = piece->safe;
    view->counts = piece->counts;
    if (piece->status != BLASTMERGE_OK) *error = piece->error;
    return piece->status;
}

enum blastmerge_status bm_child_finish(struct bm_child *child, struct bm_view *view,
                                       struct blastmerge_error *error) {
    child->ahead.own->marks.n_entries = 0;
    enum blastmerge_status status = bm_mark_finish(child->mark, &child->ahead.own->marks, error);
    look_at_own(child, view);
    return status;
}
