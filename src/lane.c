/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include <assert.h>
#include <string.h>

_Static_assert((int)BM_SCAN_BATCHES >= (int)BM_LANE_BATCHES, "pieces of each batch that may be marked ahead");

/* --- inflating, on whatever thread --------------------------------------------------------------- */

static struct bm_batch *batch_at(struct bm_lane *lane, size_t count) {
    return &lane->batches[count % lane->n_batches];
}

/* Inflates as much of a page as fits into the batch at hand. True if the batch is complete; *is_last if it is
 * the last. */
static bool inflate_page(struct bm_lane *lane, struct bm_page *page, size_t n_filled, bool *is_last) {
    struct bm_batch *batch = batch_at(lane, n_filled);
    size_t n_used = 0;
    if (!lane->is_batch_begun) bm_batch_begin(batch, n_filled == 0 ? NULL : batch_at(lane, n_filled - 1));
    lane->is_batch_begun = true;
    enum bm_inflate_result result =
        bm_inflate_step(lane->inflate, batch, page->data + page->position, page->n_bytes - page->position,
                        &n_used, page->is_last, &lane->inflate_error);
    assert(result != BM_INFLATE_MORE_INPUT || !page->is_last);
    page->position += n_used;
    if (result == BM_INFLATE_FAILED) lane->inflate_status = lane->inflate_error.status;
    *is_last = result == BM_INFLATE_END || result == BM_INFLATE_FAILED;
    if (result != BM_INFLATE_MORE_INPUT) lane->is_batch_begun = false;
    return result != BM_INFLATE_MORE_INPUT;
}

static size_t n_ready(const struct bm_lane *lane) {
    return lane->n_batches_filled - lane->n_batches_done;
}

/* Whether there is a page and room for what it gives. With the lock held. */
static bool can_work(const struct bm_lane *lane) {
    return !lane->has_ended && lane->n_pages_done < lane->n_pages_filled && n_ready(lane) < lane->n_ahead;
}

/* Has a worker go on, if it is worth its while. With the lock held. */
static void wake_worker(struct bm_lane *lane) {
    if (can_work(lane) && lane->n_ahead - n_ready(lane) >= BM_LANE_STRIDE)
        bm_workers_submit(lane->workers, &lane->task);
}

/* Inflates a batch, or as much as there is of it; true if it is complete. Called with the lock held, which it
 * gives up meanwhile. */
static bool inflate_batch(struct bm_lane *lane) {
    struct bm_page *page = &lane->pages[lane->n_pages_done % BM_LANE_PAGES];
    size_t n_filled = lane->n_batches_filled;
    bool is_last = false;
    bm_workers_unlock(lane->workers);
    bool is_complete = inflate_page(lane, page, n_filled, &is_last);
    bm_workers_lock(lane->workers);
    if (is_complete) lane->n_batches_filled++;
    if (page->position == page->n_bytes && !page->is_last) lane->n_pages_done++;
    lane->has_ended = is_last;
    if (n_ready(lane) >= BM_LANE_STRIDE) bm_workers_tell(lane->workers);
    return is_complete;
}

/* Whether there is no room to inflate more, but a batch to be marked. With the lock held. */
static bool can_scan(const struct bm_lane *lane) {
    return lane->scanner != NULL && n_ready(lane) == lane->n_ahead &&
           lane->scanner->n_done < lane->n_batches_filled &&
           bm_scanner_can_go(lane->scanner, lane->n_batches_done);
}

/* A worker's task: turns pages into batches while there are both, and marks what then waits. */
static void work_ahead(void *argument) {
    struct bm_lane *lane = argument;
    bm_workers_lock(lane->workers);
    while (!lane->is_stopping) {
        if (can_work(lane))
            (void)inflate_batch(lane);
        else if (can_scan(lane))
            bm_scanner_go(lane->scanner, batch_at(lane, lane->scanner->n_done));
        else
            break;
    }
    bm_workers_unlock(lane->workers);
}

/* --- a lane's life ------------------------------------------------------------------------------- */

enum blastmerge_status bm_lane_create(struct bm_lane *lane, struct bm_workers *workers,
                                      struct bm_memory *memory) {
    memset(lane, 0, sizeof *lane);
    lane->workers = workers;
    lane->task = (struct bm_task){.run = work_ahead, .argument = lane};
    lane->pages = bm_allocate(memory, BM_LANE_PAGES * sizeof *lane->pages);
    if (lane->pages == NULL) return BLASTMERGE_NO_MEMORY;
    /* Alone, one batch after another is best for the cache; a batch needs the one before it for its history.
     */
    lane->n_batches = workers->n_threads == 0 ? 2 : BM_LANE_BATCHES;
    lane->n_ahead = workers->n_threads == 0 ? 1 : BM_LANE_BATCHES;
    for (size_t i = 0; i < lane->n_batches; i++) {
        if (bm_batch_open(&lane->batches[i], memory) != BLASTMERGE_OK) return BLASTMERGE_NO_MEMORY;
    }
    return bm_inflate_open(&lane->inflate, memory);
}

void bm_lane_destroy(struct bm_lane *lane, struct bm_memory *memory) {
    if (lane->workers == NULL) return;
    bm_lane_close(lane);
    bm_inflate_close(lane->inflate, memory);
    for (size_t i = 0; i < lane->n_batches; i++) bm_batch_close(&lane->batches[i], memory);
    bm_release(memory, lane->pages);
    lane->workers = NULL;
}

void bm_lane_open(struct bm_lane *lane, struct bm_source *source, struct bm_cancel *cancel) {
    assert(!lane->is_open);
    lane->is_open = true;
    lane->is_fetched = false;
    lane->is_batch_taken = false;
    lane->n_pages_filled = lane->n_pages_done = 0;
    lane->n_batches_filled = lane->n_batches_done = 0;
    lane->has_ended = lane->is_stopping = lane->is_batch_begun = false;
    lane->scanner = NULL;
    lane->inflate_status = BLASTMERGE_OK;
    bm_inflate_reset(lane->inflate);
    lane->fetch_status = bm_fetch_open(&lane->fetch, source, cancel, &lane->fetch_error);
    if (lane->fetch_status != BLASTMERGE_OK) lane->is_fetched = true;
}

void bm_lane_let_scan(struct bm_lane *lane, struct bm_scanner *scanner) {
    bm_workers_lock(lane->workers);
    lane->scanner = scanner;
    bm_workers_unlock(lane->workers);
}

void bm_lane_close(struct bm_lane *lane) {
    if (!lane->is_open) return;
    bm_workers_lock(lane->workers);
    lane->is_stopping = true;
    if (bm_workers_take(lane->workers, &lane->task)) bm_workers_ended(lane->workers, &lane->task);
    while (lane->task.state != BM_TASK_IDLE) bm_workers_wait(lane->workers);
    bm_workers_unlock(lane->workers);
    bm_fetch_close(&lane->fetch);
    lane->is_open = false;
}

bool bm_lane_fill(struct bm_lane *lane) {
    if (!lane->is_open || lane->is_fetched) return false;
    bm_workers_lock(lane->workers);
    bool is_full = lane->n_pages_filled - lane->n_pages_done == BM_LANE_PAGES;
    struct bm_page *page = &lane->pages[lane->n_pages_filled % BM_LANE_PAGES];
    bm_workers_unlock(lane->workers);
    if (is_full) return false;
    page->position = 0;
    lane->fetch_status =
        bm_fetch_fill(&lane->fetch, page->data, sizeof page->data, &page->n_bytes, &lane->fetch_error);
    if (lane->fetch_status != BLASTMERGE_OK &&
        lane->fetch.cancel->has_forked_in) { /* the lock may be held for ever */
        lane->is_fetched = true;
        return true;
    }
    page->is_last = page->n_bytes < sizeof page->data;
    if (lane->fetch_status != BLASTMERGE_OK) page->is_last = false;
    lane->is_fetched = page->is_last || lane->fetch_status != BLASTMERGE_OK;
    bm_workers_lock(lane->workers);
    lane->n_pages_filled++;
    wake_worker(lane);
    bm_workers_unlock(lane->workers);
    return true;
}

/* --- taking batches ------------------------------------------------------------------------------ */

/* Sees to it that the lane gets on: by this thread if no other does. Returns with the lock held, having
 * waited or worked. */
static void work_or_wait(struct bm_lane *lane) {
    struct bm_workers *workers = lane->workers;
    if (bm_workers_take(workers, &lane->task)) {
        while (can_work(lane) && !inflate_batch(lane)) {
        }
        bm_workers_ended(workers, &lane->task);
    } else {
        bm_workers_wait(workers);
    }
}

const struct bm_batch *bm_lane_take(struct bm_lane *lane, bool *is_last, enum blastmerge_status *status,
                                    struct blastmerge_error *error) {
    struct bm_workers *workers = lane->workers;
    assert(!lane->is_batch_taken);
    *status = BLASTMERGE_OK;
    bm_workers_lock(workers);
    while (n_ready(lane) == 0 && !lane->has_ended) {
        if (lane->task.state == BM_TASK_IDLE && !can_work(lane)) { /* it needs a page */
            bm_workers_unlock(workers);
            bool has_read = bm_lane_fill(lane);
            if (!has_read || lane->fetch_status != BLASTMERGE_OK) {
                *status = lane->fetch_status;
                *error = lane->fetch_error;
                return NULL;
            }
            bm_workers_lock(workers);
        } else {
            if (can_work(lane)) bm_workers_submit(workers, &lane->task);
            work_or_wait(lane);
        }
    }
    bool has_batch = n_ready(lane) > 0;
    *is_last = lane->has_ended && lane->inflate_status == BLASTMERGE_OK &&
               lane->n_batches_done + 1 == lane->n_batches_filled;
    bm_workers_unlock(workers);
    if (has_batch) {
        lane->is_batch_taken = true;
        return batch_at(lane, lane->n_batches_done);
    }
    *status = lane->inflate_status;
    *error = lane->inflate_error;
    return NULL;
}

void bm_lane_give(struct bm_lane *lane) {
    assert(lane->is_batch_taken);
    lane->is_batch_taken = false;
    bm_workers_lock(lane->workers);
    lane->n_batches_done++;
    wake_worker(lane);
    bm_workers_unlock(lane->workers);
}

bool bm_lane_lacks_bgzf_end(const struct bm_lane *lane) {
    return bm_inflate_lacks_bgzf_end(lane->inflate);
}

void bm_lane_stop_scan(struct bm_lane *lane) {
    bm_workers_lock(lane->workers);
    while (lane->scanner != NULL && lane->scanner->is_busy) bm_workers_wait(lane->workers);
    lane->scanner = NULL;
    bm_workers_unlock(lane->workers);
}
