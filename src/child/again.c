/* SPDX-License-Identifier: MIT */
#include "child/again.h"

#include <string.h>

enum blastmerge_status bm_child_again_open(struct bm_child_again *again, struct bm_memory *memory) {
    memset(again, 0, sizeof *again);
    return bm_batch_open(&again->batch, memory);
}

void bm_child_again_close(struct bm_child_again *again, struct bm_memory *memory) {
    bm_batch_close(&again->batch, memory);
}

void bm_child_again_begin(struct bm_child_again *again, struct bm_child *child) {
    bm_require(child->is_kept && child->lane.n_batches_taken == 0);
    again->lane = &child->lane;
    again->kept = NULL;
    again->piece = NULL;
    again->mark = child->lane.keep.before; /* which is needed only while batches are kept */
    bm_mark_copy(again->mark, child->mark);
    child->lane.is_without_bits_now = true;
}

enum blastmerge_status bm_child_again_next(struct bm_child_again *again, struct blastmerge_error *error) {
    const struct bm_child_keep *keep = &again->lane->keep;
    bool is_first = again->kept == NULL;
    again->kept = is_first ? keep->first : again->kept->next;
    again->piece = again->kept->pieces;
    return bm_child_keep_restore(keep, again->kept, is_first, true, &again->lane->fetch, &again->batch,
                                 error);
}

bool bm_child_again_is_last(const struct bm_child_again *again) {
    return again->kept->next == NULL;
}

enum blastmerge_status bm_child_again_look(const struct bm_child_keep *keep,
                                           const struct bm_child_kept_piece *piece,
                                           const struct bm_batch *batch, struct bm_mark_list *marks,
                                           struct bm_view *view, struct blastmerge_error *error) {
    *view = (struct bm_view){.batch = batch,
                             .end = piece->end,
                             .marks = marks,
                             .field = piece->field,
                             .safe = piece->safe,
                             .counts = piece->counts,
                             .is_end_of_batch = piece->end == batch->n_text};
    return bm_child_keep_restore_marks(keep, piece, marks, error);
}

enum blastmerge_status bm_child_again_scan(struct bm_child_again *again, struct bm_view *view,
                                           struct blastmerge_error *error) {
    const struct bm_child_kept_piece *piece = again->piece;
    again->piece = piece->next;
    return bm_child_again_look(&again->lane->keep, piece, &again->batch, &again->marks, view, error);
}

enum blastmerge_status bm_child_again_finish(struct bm_child_again *again, struct bm_view *view) {
    struct blastmerge_error ignored;
    again->marks.n_entries = 0;
    enum blastmerge_status status = bm_mark_finish(again->mark, &again->marks, &ignored);
    const size_t n = again->marks.n_entries;
    bool has_field = n > 0 && again->marks.entries[n - 1].kind == BM_MARK_FIELD;
    *view = (struct bm_view){.batch = &again->batch,
                             .end = again->batch.n_text,
                             .marks = &again->marks,
                             .field = has_field ? bm_mark_field(again->mark) : NULL,
                             .safe = bm_mark_safe(again->mark),
                             .counts = *bm_mark_counts(again->mark),
                             .is_end_of_batch = true};
    return status;
}
