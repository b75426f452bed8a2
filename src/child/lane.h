/* SPDX-License-Identifier: MIT */
/*
 * child/lane - turns a child's bytes into text: fetched, inflated by any free worker, and marked by it if there is
 * nothing to inflate, in bounded buffers.
 *
 * The job's thread fills pages of compressed bytes, or a worker does while batches are kept (bm_child_lane_let_keep());
 * a worker, or the job's thread if there are no workers, turns them into batches; the job's thread takes these in order
 * and gives them back in order. Pages and batches are rings. A thread that finds one full waits, which bounds the memory.
 */
#ifndef BM_CHILD_LANE_H
#define BM_CHILD_LANE_H

#include "base/workers.h"
#include "child/ahead.h"
#include "child/keep.h"
#include "fetch/fetch.h"
#include "inflate/inflate.h"

enum {
    BM_CHILD_LANE_PAGE = 32768, /* compressed bytes that are read at once */
    BM_CHILD_LANE_PAGES = 8,
    BM_CHILD_LANE_BATCHES = 6, /* one being merged, one being filled, four in between while a thread naps */
    /* A thread is not woken for fewer batches that are ready to be merged, or free to be filled. */
    BM_CHILD_LANE_STRIDE = 2,
    BM_CHILD_LANE_KEPT = 2359296,     /* bytes for what is kept of a child */
    BM_CHILD_LANE_SMALL = 16384,      /* compressed bytes of a small child at most */
    BM_CHILD_LANE_SMALL_KEPT = 131072 /* bytes for what is kept of such a child */
};

/* How much a lane holds. The borders of batches depend on it, but no byte of a result. */
struct bm_child_lane_room {
    size_t n_page_bytes; /* at most BM_CHILD_LANE_PAGE */
    size_t n_pages;      /* from 2 to BM_CHILD_LANE_PAGES */
    size_t n_batches;    /* in the ring, from 1 to BM_CHILD_LANE_BATCHES */
    size_t n_ahead;      /* that may be filled and not given back, at most n_batches */
    struct bm_batch_size batch;
    uint64_t n_least_early;               /* compressed bytes of a child that is worth keeping */
    size_t n_kept_bytes;                  /* for batches that are kept (keep.h); 0: none is ... */
    struct bm_temporary_limit *kept_file; /* ... and a temporary file; NULL: there is none */
    bool files_dense;                     /* the file takes batches, too, of which most text is near marks */
};

/* The best size for merging one child after another. Without threads, one batch at a time is best for the
 * cache; a batch needs the one before it for its history. */
struct bm_child_lane_room bm_child_lane_room_of(const struct bm_workers *workers);

/* For a small child, which workers read early (child.h). */
struct bm_child_lane_room bm_child_lane_room_of_small(void);

/* For many children at once: the largest size that takes at most n_bytes, but at least the smallest possible. Three smaller
 * batches, of which one can be filled ahead, are preferred to two. */
struct bm_child_lane_room bm_child_lane_room_within(size_t n_bytes);

struct bm_page {
    size_t n_bytes;
    size_t position; /* bytes before it were inflated; used only by the thread that runs the task */
    bool is_last;
    uint8_t *data;
};

struct bm_child_lane {
    struct bm_workers *workers;
    struct bm_task task;
    size_t n_page_bytes;
    size_t n_pages;
    size_t n_batches; /* in the ring */
    size_t n_ahead;   /* the most that may be filled and not given back */

    /* the job's thread only */
    bool is_open;
    size_t n_batches_taken;
    bool is_without_bits_now; /* no bits of this child's kept batches are needed */

    /* the thread that fills pages: while batches are kept, the one that runs the task, else the job's */
    struct bm_fetch fetch;
    bool is_fetched;                     /* the last page has been filled */
    enum blastmerge_status fetch_status; /* the reason, if it could not be filled */
    struct blastmerge_error fetch_error;

    /* under the workers' lock; counts run on, the rings' indices are their remainders */
    size_t n_pages_filled;
    size_t n_pages_done;
    uint64_t n_fetched; /* bytes of the source in all pages so far */
    size_t n_batches_filled;
    size_t n_batches_done;
    bool has_ended;   /* the last batch has been filled */
    bool is_stopping; /* no more batches are needed */
    bool is_stalled;  /* its decoder lacks memory, which others may give back when it is waited for */
    bool is_pressed;  /* nothing more will be given back */
    struct bm_child_ahead *ahead; /* NULL: nothing is to be marked ahead */
    size_t n_batches_kept;        /* the first ones, which are not in the ring */
    bool is_keeping;              /* batches are to be kept */
    bool is_keeping_now;          /* one is being marked and kept, or a page is filled for one */

    /* the thread that runs the task; the job's thread once has_ended */
    enum blastmerge_status inflate_status;
    struct blastmerge_error inflate_error;
    bool is_batch_begun;
    struct bm_inflate *inflate;
    struct bm_budget *budget;

    struct bm_child_keep keep;
    struct bm_mark *keep_mark;        /* marks what is kept; NULL: nothing is kept */
    const struct bm_child_kept *kept; /* the batch that was taken last, if it was kept; else NULL */
    bool is_without_bits;             /* no bits of kept batches are needed */
    struct bm_batch kept_batch;       /* holds that batch */

    uint8_t *page_data;
    struct bm_page pages[BM_CHILD_LANE_PAGES];
    struct bm_batch batches[BM_CHILD_LANE_BATCHES];
};

enum blastmerge_status bm_child_lane_create(struct bm_child_lane *lane, const struct bm_child_lane_room *room,
                                            struct bm_workers *workers,
                                            struct bm_memory *memory) BM_CHECK_RESULT;
void bm_child_lane_destroy(struct bm_child_lane *lane, struct bm_memory *memory);

/* What libraries' decoders allocate is taken of this budget: borrowed; NULL: nothing is counted. A lane that lacks memory
 * goes on when a batch is taken, which frees what others hold; if that is not enough, it fails. */
void bm_child_lane_set_budget(struct bm_child_lane *lane, struct bm_budget *budget);

/* Begins a child. A failure to open it is reported when its bytes are needed: see bm_child_lane_take(). */
void bm_child_lane_open(struct bm_child_lane *lane, struct bm_fetch_source *source, struct bm_cancel *cancel);

/* Allows the child's batches to be marked ahead. */
void bm_child_lane_let_mark(struct bm_child_lane *lane, struct bm_child_ahead *ahead);

/*
 * From now on workers read the child, mark its batches and keep what is needed of them, until bm_child_lane_stop_keeping()
 * or until one cannot be kept. No batch has been taken. Reading does not block. Afterwards n_batches_kept does not change
 * any more.
 */
void bm_child_lane_let_keep(struct bm_child_lane *lane, struct bm_mark *mark);

void bm_child_lane_stop_keeping(struct bm_child_lane *lane);

/* While the child's batches are being kept, does a piece of a queued task. False: they are not, or there is no such task. */
bool bm_child_lane_help_keeping(struct bm_child_lane *lane);

/* Whether batches are being kept, so that a worker reads the child. */
bool bm_child_lane_is_keeping(struct bm_child_lane *lane);

/* Bytes of the source that were read so far. */
uint64_t bm_child_lane_n_fetched(struct bm_child_lane *lane);

/* Whether all of the child's batches were kept. */
bool bm_child_lane_is_kept(struct bm_child_lane *lane);

/* Ends the child, at any point. */
void bm_child_lane_close(struct bm_child_lane *lane);

/* Reads a page if there is space for one. True if it did. */
bool bm_child_lane_fill(struct bm_child_lane *lane);

/*
 * Returns the next batch; waits and works for it if needed. It stays valid until bm_child_lane_give(), which
 * gives the oldest one back. *is_last: it is the child's last, and must not be followed by another call. NULL:
 * the child failed, and *error has the reason. The text before a failure comes first, in a batch that is not the
 * last.
 */
const struct bm_batch *bm_child_lane_take(struct bm_child_lane *lane, bool *is_last,
                                          struct blastmerge_error *error);
void bm_child_lane_give(struct bm_child_lane *lane);

/* After the last batch: see bm_inflate_lacks_bgzf_end(). */
bool bm_child_lane_lacks_bgzf_end(const struct bm_child_lane *lane);
/* Likewise: see bm_inflate_lacks_checksum(). */
const char *bm_child_lane_lacks_checksum(const struct bm_child_lane *lane);

/* Stops marking ahead; afterwards no batch is being marked. */
void bm_child_lane_stop_marking(struct bm_child_lane *lane);

#endif
