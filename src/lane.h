/* SPDX-License-Identifier: MIT */
/*
 * lane - one child on its way: fetched on the job's thread, inflated by whichever worker is free, and marked
 * by it if there is nothing to inflate, in bounded buffers.
 *
 * The job's thread fills pages of compressed bytes; a worker (or, where there is none, the job's thread
 * itself) turns them into batches; the job's thread takes these in order and gives them back. Pages and
 * batches are rings: one that is full means wait, and that is the bounded memory.
 */
#ifndef BM_LANE_H
#define BM_LANE_H

#include "base/workers.h"
#include "fetch/fetch.h"
#include "inflate/inflate.h"
#include "scan.h"

enum {
    BM_LANE_PAGE = 32768, /* compressed bytes that are read at once */
    BM_LANE_PAGES = 8,
    BM_LANE_BATCHES = 6, /* one being merged, one being filled, four on their way while somebody naps */
    /* Nobody is called for less: batches that are ready to be merged, or free to be filled. */
    BM_LANE_STRIDE = 2
};

struct bm_page {
    size_t n_bytes;
    size_t position; /* bytes before it were inflated; only whoever runs the task touches it */
    bool is_last;
    uint8_t data[BM_LANE_PAGE];
};

struct bm_lane {
    struct bm_workers *workers;
    struct bm_task task;
    size_t n_batches; /* in the ring */
    size_t n_ahead;   /* how many may be filled and not given back */

    /* the job's thread only */
    bool is_open;
    struct bm_fetch fetch;
    bool is_fetched;                     /* the last page has been filled */
    enum blastmerge_status fetch_status; /* why it could not be, if it could not */
    struct blastmerge_error fetch_error;
    bool is_batch_taken;

    /* under the workers' lock; counts run on, the rings' indices are their remainders */
    size_t n_pages_filled;
    size_t n_pages_done;
    size_t n_batches_filled;
    size_t n_batches_done;
    bool has_ended;             /* the last batch has been filled */
    bool is_stopping;           /* nobody wants more of it */
    struct bm_scanner *scanner; /* NULL: the child is not at hand */

    /* whoever runs the task; the job's thread once has_ended */
    enum blastmerge_status inflate_status;
    struct blastmerge_error inflate_error;
    bool is_batch_begun;
    struct bm_inflate *inflate;

    struct bm_page *pages; /* BM_LANE_PAGES */
    struct bm_batch batches[BM_LANE_BATCHES];
};

enum blastmerge_status bm_lane_create(struct bm_lane *lane, struct bm_workers *workers,
                                      struct bm_memory *memory) BM_CHECK_RESULT;
void bm_lane_destroy(struct bm_lane *lane, struct bm_memory *memory);

/* Begins with a child. A failure to open it shows when its bytes are wanted: see bm_lane_take(). */
void bm_lane_open(struct bm_lane *lane, struct bm_source *source, struct bm_cancel *cancel);

/* The child is at hand: its batches may be marked ahead. */
void bm_lane_let_scan(struct bm_lane *lane, struct bm_scanner *scanner);

/* Ends with the child, wherever it was. */
void bm_lane_close(struct bm_lane *lane);

/* Reads a page if there is room for one. True if it did. */
bool bm_lane_fill(struct bm_lane *lane);

/*
 * The next batch, waiting and working for it as need be; it stays valid until bm_lane_give(). *is_last: it is
 * the child's last, and must not be followed by another call. NULL: the child failed: *status and *error say
 * why. The text before a failure comes first, in a batch that is not the last.
 */
const struct bm_batch *bm_lane_take(struct bm_lane *lane, bool *is_last, enum blastmerge_status *status,
                                    struct blastmerge_error *error);
void bm_lane_give(struct bm_lane *lane);

/* After the last batch: see bm_inflate_lacks_bgzf_end(). */
bool bm_lane_lacks_bgzf_end(const struct bm_lane *lane);

/* No batch is marked ahead any more, nor is one being marked. */
void bm_lane_stop_scan(struct bm_lane *lane);

#endif
