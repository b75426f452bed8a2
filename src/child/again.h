/* SPDX-License-Identifier: MIT */
/*
 * child/again - a child that was kept (keep.h) once more, on any thread, whatever others do with the child.
 *
 *     bm_child_again_begin(again, child);                 all of it was kept, and no batch of it has been taken
 *     do
 *         status = bm_child_again_next(again, &error);    its next batch, with gaps in its text, and with its bits
 *         do
 *             status = bm_child_again_scan(again, &view, &error);   its marks, as bm_child_scan() had them
 *         while (!view.is_end_of_batch);
 *     while (!bm_child_again_is_last(again));
 *     do                                                  the last marks
 *         status = bm_child_again_finish(again, &view);
 *     while (!bm_mark_is_finished(again->mark));
 *
 * The child stays open until the last call has returned.
 */
#ifndef BM_CHILD_AGAIN_H
#define BM_CHILD_AGAIN_H

#include "child/child.h"

struct bm_child_again {
    const struct bm_child_lane *lane;
    const struct bm_child_kept *kept;        /* the current batch; NULL: the first one comes next */
    const struct bm_child_kept_piece *piece; /* the next one */
    struct bm_mark *mark;                    /* a copy of the child's, at the end of its text */
    struct bm_batch batch;
    struct bm_mark_list marks;
};

enum blastmerge_status bm_child_again_open(struct bm_child_again *again,
                                           struct bm_memory *memory) BM_CHECK_RESULT;
/* `again` may be zeroed. */
void bm_child_again_close(struct bm_child_again *again, struct bm_memory *memory);

/* To be called on the job's thread, as child->is_kept is set. From here on the child's own batches are without bits. */
void bm_child_again_begin(struct bm_child_again *again, struct bm_child *child);

/* BLASTMERGE_CHANGED: the child's bytes are not the ones that were inflated. */
enum blastmerge_status bm_child_again_next(struct bm_child_again *again,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;
bool bm_child_again_is_last(const struct bm_child_again *again);
enum blastmerge_status bm_child_again_scan(struct bm_child_again *again, struct bm_view *view,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* The view of a piece that was kept; marks: where its marks are copied. */
enum blastmerge_status bm_child_again_look(const struct bm_child_keep *keep,
                                           const struct bm_child_kept_piece *piece,
                                           const struct bm_batch *batch, struct bm_mark_list *marks,
                                           struct bm_view *view,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* See bm_child_finish(), which reports the failure. */
enum blastmerge_status bm_child_again_finish(struct bm_child_again *again,
                                             struct bm_view *view) BM_CHECK_RESULT;

#endif
