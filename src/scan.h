/* SPDX-License-Identifier: MIT */
/*
 * scan - marks the batches of the child at hand, on whatever thread has time.
 *
 * The job's thread asks for the marks of its batch, a piece at a time. A worker that has nothing left to
 * inflate, since the ring of batches is full, marks those that the job's thread has not come to; so the job's
 * thread finds them marked where it is the slower of the two, and marks them itself where it isn't. The
 * scanner stands in one place, and its pieces come in order, whoever makes them: the marks are the same.
 */
#ifndef BM_SCAN_H
#define BM_SCAN_H

#include "base/batch.h"
#include "base/workers.h"
#include "mark/mark.h"

enum {
    BM_SCAN_BATCHES = 8, /* as many as can be ahead, at least */
    BM_SCAN_PIECES = 4   /* of a batch that are marked ahead */
};

/* What one step of the scanner came to. */
struct bm_scan {
    size_t end; /* bytes of the batch's text that were scanned up to then */
    struct bm_mark_list marks;
    uint64_t safe; /* as bm_mark_safe() and bm_mark_counts() have it */
    struct bm_mark_counts counts;
    enum blastmerge_status status;
    struct blastmerge_error error; /* if status is not OK, which ends the child */
};

/* Pieces of a batch that were marked ahead. */
struct bm_scan_batch {
    size_t number; /* of the batch: the child's are counted from 0 */
    size_t n_pieces;
    size_t n_taken;
    struct bm_scan pieces[BM_SCAN_PIECES];
};

struct bm_scanner {
    struct bm_workers *workers;
    struct bm_mark *mark;
    struct bm_scan own; /* what the job's thread marked itself */

    /* under the workers' lock */
    size_t n_done; /* batches that were scanned to their ends; whoever scans is at this one */
    bool is_busy;  /* a worker is at it */
    bool is_left;  /* a worker left it, for the job's thread to go on */
    struct bm_scan_batch batches[BM_SCAN_BATCHES];
};

enum blastmerge_status bm_scanner_open(struct bm_scanner **scanner, struct bm_workers *workers,
                                       struct bm_mark *mark, struct bm_memory *memory) BM_CHECK_RESULT;

/* A child begins. No worker may be at work. */
void bm_scanner_begin(struct bm_scanner *scanner);

/*
 * The marks of more of the batch `number`, which was scanned up to `from`: to `end` at most. The field that a
 * last mark BM_MARK_FIELD tells of is bm_mark_field()'s. Valid until the next call. Called by the job's
 * thread, without the lock, until all of the batch is scanned, and for each batch in order.
 */
const struct bm_scan *bm_scanner_next(struct bm_scanner *scanner, size_t number, const struct bm_batch *batch,
                                      size_t from, size_t end);

/* Whether a worker may mark the batch scanner->n_done ahead; `number` is that of the batch that the job's
 * thread is at, or comes to next. With the lock held. */
bool bm_scanner_can_go(const struct bm_scanner *scanner, size_t number);

/* Does so. With the lock held, which it gives up meanwhile. */
void bm_scanner_go(struct bm_scanner *scanner, const struct bm_batch *batch);

#endif
