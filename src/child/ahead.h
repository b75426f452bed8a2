/* SPDX-License-Identifier: MIT */
/*
 * child/ahead - a child's marks, made by any thread that has time.
 *
 * The job's thread requests the marks of its batch, a piece at a time. A worker that has nothing left to
 * inflate, because the ring of batches is full, marks batches that the job's thread has not reached. So if the
 * job's thread is the slower of the two, its batches are already marked; otherwise it marks them itself. There
 * is one scanner, and its pieces come in order, so the marks do not depend on the thread.
 */
#ifndef BM_CHILD_AHEAD_H
#define BM_CHILD_AHEAD_H

#include "base/workers.h"
#include "flow/batch.h"
#include "mark/mark.h"

enum {
    BM_CHILD_AHEAD_BATCHES = 8, /* at least as many as a lane's ring has */
    BM_CHILD_AHEAD_PIECES = 4   /* of a batch that are marked ahead */
};

/* The result of one step of the scanner. */
struct bm_piece {
    size_t end; /* bytes of the batch's text that were scanned so far */
    struct bm_mark_list marks;
    uint64_t safe; /* bm_mark_safe() and bm_mark_counts() at this place */
    struct bm_mark_counts counts;
    enum blastmerge_status status;
    struct blastmerge_error error; /* if status is not OK, which ends the child */
};

/* What is kept of a batch that was scanned ahead for its counts alone: up to its end, or up to a fault. */
struct bm_child_ahead_counts {
    size_t number; /* of the batch; SIZE_MAX: none */
    size_t end;
    struct bm_mark_counts counts; /* at that place */
};

/* Pieces of a batch that were marked ahead. */
struct bm_child_ahead_batch {
    size_t number; /* of the batch: a child's batches are counted from 0 */
    size_t n_pieces;
    size_t n_taken;
    struct bm_piece pieces[BM_CHILD_AHEAD_PIECES];
};

struct bm_child_ahead {
    struct bm_workers *workers;
    struct bm_mark *mark;
    struct bm_piece *own; /* marked by the job's thread itself */
    bool is_own_borrowed;

    /* under the workers' lock */
    size_t n_done; /* batches that were scanned to their ends: the scanner is at this one */
    bool is_busy;  /* a worker uses the scanner */
    bool is_left;  /* a worker stopped, for the job's thread to continue */
    struct bm_child_ahead_batch *batches; /* BM_CHILD_AHEAD_BATCHES; NULL: no marks are made ahead */
    struct bm_child_ahead_counts *counts; /* likewise; NULL: no counts are */
};

enum bm_child_ahead_way {
    BM_CHILD_AHEAD_NEVER, /* takes the least memory */
    BM_CHILD_AHEAD_MARKS,
    BM_CHILD_AHEAD_COUNTS /* views have counts, and no marks of what was scanned ahead */
};

/* own: where the job's thread marks; borrowed; NULL: one is allocated. */
enum blastmerge_status bm_child_ahead_open(struct bm_child_ahead *ahead, struct bm_workers *workers,
                                           struct bm_mark *mark, enum bm_child_ahead_way way,
                                           struct bm_piece *own, struct bm_memory *memory) BM_CHECK_RESULT;
void bm_child_ahead_close(struct bm_child_ahead *ahead, struct bm_memory *memory);

/* One step of the scanner through a batch, from `from` to `end` at most. */
void bm_child_ahead_scan(struct bm_mark *mark, struct bm_piece *piece, const struct bm_batch *batch,
                         size_t from, size_t end);

/* Begins a child. No worker may be running. */
void bm_child_ahead_begin(struct bm_child_ahead *ahead);

/*
 * The marks of more of the batch `number`, which was scanned up to `from`: to `end` at most. If the last mark is
 * BM_MARK_FIELD, its field is bm_mark_field()'s. Valid until the next call. Called by the job's thread, without
 * the lock, until the whole batch is scanned, and for each batch in order.
 */
const struct bm_piece *bm_child_ahead_next(struct bm_child_ahead *ahead, size_t number,
                                           const struct bm_batch *batch, size_t from, size_t end);

/* Whether a worker may mark the batch ahead->n_done; `number` is that of the current batch of the job's thread,
 * or of its next one. With the lock held. */
bool bm_child_ahead_can_go(const struct bm_child_ahead *ahead, size_t number);

/* Marks the batch. With the lock held, which is released during the work. */
void bm_child_ahead_go(struct bm_child_ahead *ahead, const struct bm_batch *batch);

#endif
