/* SPDX-License-Identifier: MIT */
#include "child/lane.h"

#include <assert.h>
#include <string.h>

_Static_assert((int)BM_CHILD_AHEAD_BATCHES >= (int)BM_CHILD_LANE_BATCHES,
               "pieces of each batch that may be marked ahead");

/* --- inflating, on whatever thread --------------------------------------------------------------- */

static struct bm_batch *batch_at(struct bm_child_lane *lane, size_t count) {
    return &lane->batches[count % lane->n_batches];
}

/* Inflates as much of a page as fits into the current batch. True if the batch is complete; *is_last if it is
 * the last. *is_stalled: it needs memory that others have. */
static bool inflate_page(struct bm_child_lane *lane, struct bm_page *page, size_t n_filled, bool *is_last,
                         bool *is_stalled) {
    struct bm_batch *batch = batch_at(lane, n_filled);
    size_t n_used = 0;
    if (!lane->is_batch_begun) bm_batch_begin(batch, n_filled == 0 ? NULL : batch_at(lane, n_filled - 1));
    lane->is_batch_begun = true;
    enum bm_step result =
        bm_inflate_step(lane->inflate, batch, page->data + page->position, page->n_bytes - page->position,
                        &n_used, page->is_last, &lane->inflate_error);
    assert(result != BM_STEP_MORE || !page->is_last);
    page->position += n_used;
    *is_stalled = result == BM_STEP_FAILED && !lane->is_pressed && bm_inflate_lacks_memory(lane->inflate);
    if (*is_stalled) return false;
    if (result == BM_STEP_FAILED) lane->inflate_status = lane->inflate_error.status;
    *is_last = result == BM_STEP_DONE || result == BM_STEP_FAILED;
    if (result != BM_STEP_MORE) lane->is_batch_begun = false;
    return result != BM_STEP_MORE;
}

/* Batches in the ring: they are filled, not given back, and not kept elsewhere. */
static size_t n_ready(const struct bm_child_lane *lane) {
    size_t n_kept = lane->n_batches_kept, n_done = lane->n_batches_done;
    return lane->n_batches_filled - (n_done > n_kept ? n_done : n_kept);
}

/* Whether there is a page and room for what it gives. With the lock held. */
static bool can_work(const struct bm_child_lane *lane) {
    return !lane->has_ended && !lane->is_stalled && lane->n_pages_done < lane->n_pages_filled &&
           n_ready(lane) < lane->n_ahead;
}

/* Whether the child is so small that a thread would take longer to wake than to inflate all of it. */
static bool is_small(const struct bm_child_lane *lane) {
    return lane->n_pages_filled == 1 && lane->pages[0].is_last &&
           lane->pages[0].n_bytes <= BM_CHILD_LANE_SMALL;
}

/* Whether there is a batch to be kept. With the lock held. */
static bool can_keep(const struct bm_child_lane *lane) {
    return lane->is_keeping && lane->n_batches_kept < lane->n_batches_filled;
}

/* Has a worker go on, if it is worth its while. With the lock held. */
static void wake_worker(struct bm_child_lane *lane) {
    size_t n_least = lane->n_ahead == 2 ? 1 : BM_CHILD_LANE_STRIDE;
    if (can_work(lane) && lane->n_ahead - n_ready(lane) >= n_least && !is_small(lane))
        bm_workers_submit(lane->workers, &lane->task);
}

/* Inflates a batch, or as much as there is of it; true if it is complete. Called with the lock held, which it
 * gives up meanwhile. */
static bool inflate_batch(struct bm_child_lane *lane) {
    struct bm_page *page = &lane->pages[lane->n_pages_done % lane->n_pages];
    size_t n_filled = lane->n_batches_filled;
    bool is_last = false, is_stalled = false;
    bm_workers_unlock(lane->workers);
    bool is_complete = inflate_page(lane, page, n_filled, &is_last, &is_stalled);
    bm_workers_lock(lane->workers);
    if (is_complete) lane->n_batches_filled++;
    if (page->position == page->n_bytes && !page->is_last && !is_stalled) lane->n_pages_done++;
    lane->has_ended = is_last;
    lane->is_stalled = is_stalled;
    if (n_ready(lane) >= BM_CHILD_LANE_STRIDE || is_stalled) bm_workers_tell(lane->workers);
    return is_complete;
}

/* Whether there is a batch to be marked, and no room to inflate more; or, if only counts are wanted, nothing to inflate.
 * With the lock held. */
static bool can_scan(const struct bm_child_lane *lane) {
    size_t current =
        lane->n_batches_taken > lane->n_batches_done ? lane->n_batches_taken - 1 : lane->n_batches_done;
    return lane->ahead != NULL && (lane->ahead->counts != NULL || n_ready(lane) == lane->n_ahead) &&
           lane->ahead->n_done < lane->n_batches_filled && bm_child_ahead_can_go(lane->ahead, current);
}

/* Fills a page, for which there is space. True if it could be filled. */
static bool fill_page(struct bm_child_lane *lane, struct bm_page *page) {
    page->position = 0;
    lane->fetch_status =
        bm_fetch_fill(&lane->fetch, page->data, lane->n_page_bytes, &page->n_bytes, &lane->fetch_error);
    const bool is_filled = lane->fetch_status == BLASTMERGE_OK;
    page->is_last = is_filled && page->n_bytes < lane->n_page_bytes;
    lane->is_fetched = page->is_last || !is_filled;
    return is_filled;
}

/* --- keeping, on whatever thread ------------------------------------------------------------------- */

/* Whether a page is to be filled for a batch that is to be kept. With the lock held. */
static bool can_read(const struct bm_child_lane *lane) {
    return lane->is_keeping && lane->n_pages_filled == lane->n_pages_done && !lane->is_fetched;
}

/* Fills a page. With the lock held, which is released during the work. */
static void read_page(struct bm_child_lane *lane) {
    struct bm_page *page = &lane->pages[lane->n_pages_filled % lane->n_pages];
    lane->is_keeping_now = true;
    bm_workers_unlock(lane->workers);
    bool is_filled = fill_page(lane, page);
    bm_workers_lock(lane->workers);
    lane->is_keeping_now = false;
    lane->n_pages_filled++;
    lane->n_fetched = lane->fetch.n_read;
    lane->is_keeping = lane->is_keeping && is_filled;
    bm_workers_tell(lane->workers);
}

/* Marks and keeps a batch. With the lock held, which is released during the work. */
static void keep_batch(struct bm_child_lane *lane) {
    const struct bm_batch *batch = batch_at(lane, lane->n_batches_kept);
    lane->is_keeping_now = true;
    bm_workers_unlock(lane->workers);
    bool is_kept = bm_child_keep_batch(&lane->keep, lane->keep_mark, batch);
    bm_workers_lock(lane->workers);
    lane->is_keeping_now = false;
    lane->n_batches_kept += is_kept;
    lane->is_keeping = lane->is_keeping && is_kept;
    bm_workers_tell(lane->workers);
}

static bool has_kept_all(const struct bm_child_lane *lane) {
    return lane->has_ended && lane->inflate_status == BLASTMERGE_OK &&
           lane->n_batches_kept == lane->n_batches_filled;
}

bool bm_child_lane_is_kept(struct bm_child_lane *lane) {
    bm_workers_lock(lane->workers);
    bool all = has_kept_all(lane);
    bm_workers_unlock(lane->workers);
    return all;
}

/* --- the task ---------------------------------------------------------------------------------------- */

/* A batch is kept, a page filled or inflated: whichever is next. False: none can be. With the lock held, which is released
 * during the work. */
static bool go_on(struct bm_child_lane *lane) {
    if (lane->is_stopping) return false;
    if (can_keep(lane))
        keep_batch(lane);
    else if (can_work(lane))
        (void)inflate_batch(lane);
    else if (can_read(lane))
        read_page(lane);
    else
        return false;
    return true;
}

/* A piece of the task's work: up to a batch. True if there is more. */
static bool help(void *argument) {
    struct bm_child_lane *lane = argument;
    bm_workers_lock(lane->workers);
    const size_t n_kept = lane->n_batches_kept, n_filled = lane->n_batches_filled;
    bool has_more = true;
    while (has_more && lane->n_batches_kept == n_kept &&
           (lane->is_keeping || lane->n_batches_filled == n_filled))
        has_more = go_on(lane);
    bm_workers_unlock(lane->workers);
    return has_more;
}

/* A worker's task: keeps, inflates and reads as long as it can, or marks what waits then. */
static void work_ahead(void *argument) {
    struct bm_child_lane *lane = argument;
    bm_workers_lock(lane->workers);
    for (;;) {
        if (go_on(lane)) continue;
        if (lane->is_stopping || !can_scan(lane)) break;
        bm_child_ahead_go(lane->ahead, batch_at(lane, lane->ahead->n_done));
    }
    bm_workers_unlock(lane->workers);
}

/* --- a lane's life ------------------------------------------------------------------------------- */

struct bm_child_lane_room bm_child_lane_room_of(const struct bm_workers *workers) {
    bool is_alone = workers->n_threads == 0;
    return (struct bm_child_lane_room){.n_page_bytes = BM_CHILD_LANE_PAGE,
                                       .n_pages = BM_CHILD_LANE_PAGES,
                                       .n_batches = is_alone ? 2 : BM_CHILD_LANE_BATCHES,
                                       .n_ahead = is_alone ? 1 : BM_CHILD_LANE_BATCHES,
                                       .batch = {BM_BATCH_TEXT, BM_BATCH_BITS, BM_BATCH_TRACE},
                                       .n_least_early = BM_CHILD_LANE_SMALL + 1,
                                       .n_kept_bytes = is_alone ? 0 : BM_CHILD_LANE_KEPT,
                                       .files_dense = workers->n_threads > 1};
}

struct bm_child_lane_room bm_child_lane_room_of_small(void) {
    return (struct bm_child_lane_room){.n_page_bytes = BM_CHILD_LANE_PAGE,
                                       .n_pages = 2,
                                       .n_batches = 1,
                                       .n_ahead = 1,
                                       .batch = {BM_BATCH_TEXT / 2, BM_BATCH_BITS / 2, BM_BATCH_TRACE / 2},
                                       .n_kept_bytes = BM_CHILD_LANE_SMALL_KEPT};
}

static size_t bytes_of(const struct bm_child_lane_room *room) {
    return room->n_pages * room->n_page_bytes + room->n_batches * bm_batch_bytes(&room->batch);
}

struct bm_child_lane_room bm_child_lane_room_within(size_t n_bytes) {
    /* Text is seldom compressed to more than a quarter, and then batches are shorter. */
    struct bm_child_lane_room room = {.n_page_bytes = BM_CHILD_LANE_PAGE,
                                      .n_pages = 2,
                                      .n_batches = 3,
                                      .n_ahead = 3,
                                      .batch = {BM_BATCH_TEXT, BM_BATCH_TEXT / 4, BM_BATCH_TRACE / 4}};
    while (bytes_of(&room) > n_bytes && room.batch.text > BM_BATCH_LEAST_TEXT) {
        room.batch.text /= 2;
        if (room.batch.bits > BM_BATCH_LEAST_BITS) room.batch.bits /= 2;
        if (room.batch.trace > BM_BATCH_LEAST_TRACE) room.batch.trace /= 2;
        room.n_page_bytes /= 2;
    }
    while (bytes_of(&room) > n_bytes && room.n_batches > 1) room.n_ahead = --room.n_batches;
    while (room.n_batches > 1 && room.n_batches < BM_CHILD_LANE_BATCHES &&
           bytes_of(&room) + bm_batch_bytes(&room.batch) <= n_bytes)
        room.n_ahead = ++room.n_batches;
    return room;
}

enum blastmerge_status bm_child_lane_create(struct bm_child_lane *lane, const struct bm_child_lane_room *room,
                                            struct bm_workers *workers, struct bm_memory *memory) {
    bm_require(room->n_page_bytes <= BM_CHILD_LANE_PAGE && room->n_pages >= 2 &&
               room->n_pages <= BM_CHILD_LANE_PAGES);
    bm_require(room->n_batches >= 1 && room->n_ahead >= 1 && room->n_batches <= BM_CHILD_LANE_BATCHES &&
               room->n_ahead <= room->n_batches);
    memset(lane, 0, sizeof *lane);
    lane->workers = workers;
    lane->task = (struct bm_task){.run = work_ahead, .argument = lane, .help = help};
    lane->n_page_bytes = room->n_page_bytes;
    lane->n_pages = room->n_pages;
    lane->n_batches = room->n_batches;
    lane->n_ahead = room->n_ahead;
    lane->page_data = bm_allocate(memory, room->n_pages * room->n_page_bytes);
    if (lane->page_data == NULL) return BLASTMERGE_NO_MEMORY;
    for (size_t i = 0; i < lane->n_pages; i++) lane->pages[i].data = lane->page_data + i * lane->n_page_bytes;
    for (size_t i = 0; i < lane->n_batches; i++) {
        if (bm_batch_open_sized(&lane->batches[i], &room->batch, memory) != BLASTMERGE_OK)
            return BLASTMERGE_NO_MEMORY;
    }
    if (room->n_kept_bytes > 0) {
        if (bm_batch_open_sized(&lane->kept_batch, &room->batch, memory) != BLASTMERGE_OK ||
            bm_child_keep_open(&lane->keep, room->n_kept_bytes, room->kept_file, memory) != BLASTMERGE_OK)
            return BLASTMERGE_NO_MEMORY;
        lane->keep.files_dense = room->files_dense;
    }
    return bm_inflate_open(&lane->inflate, memory);
}

void bm_child_lane_destroy(struct bm_child_lane *lane, struct bm_memory *memory) {
    if (lane->workers == NULL) return;
    bm_child_lane_close(lane);
    bm_inflate_close(lane->inflate, memory);
    for (size_t i = 0; i < lane->n_batches; i++) bm_batch_close(&lane->batches[i], memory);
    bm_batch_close(&lane->kept_batch, memory);
    bm_child_keep_close(&lane->keep, memory);
    bm_release(memory, lane->page_data);
    lane->workers = NULL;
}

void bm_child_lane_set_budget(struct bm_child_lane *lane, struct bm_budget *budget) {
    lane->budget = budget;
    bm_inflate_set_budget(lane->inflate, budget);
}

void bm_child_lane_open(struct bm_child_lane *lane, struct bm_fetch_source *source,
                        struct bm_cancel *cancel) {
    assert(!lane->is_open);
    lane->is_open = true;
    lane->is_fetched = false;
    lane->n_batches_taken = 0;
    lane->n_pages_filled = lane->n_pages_done = 0;
    lane->n_fetched = 0;
    lane->n_batches_filled = lane->n_batches_done = 0;
    lane->has_ended = lane->is_stopping = lane->is_batch_begun = false;
    lane->is_stalled = lane->is_pressed = false;
    lane->ahead = NULL;
    lane->n_batches_kept = 0;
    lane->is_keeping = false;
    lane->is_without_bits_now = false;
    lane->kept = NULL;
    lane->inflate_status = BLASTMERGE_OK;
    bm_inflate_reset(lane->inflate);
    lane->fetch_status = bm_fetch_open(&lane->fetch, source, cancel, &lane->fetch_error);
    if (lane->fetch_status != BLASTMERGE_OK) lane->is_fetched = true;
}

void bm_child_lane_let_mark(struct bm_child_lane *lane, struct bm_child_ahead *ahead) {
    bm_workers_lock(lane->workers);
    lane->ahead = ahead;
    bm_workers_unlock(lane->workers);
}

void bm_child_lane_let_keep(struct bm_child_lane *lane, struct bm_mark *mark) {
    bm_require(lane->n_batches_taken == 0 && lane->keep.memory != NULL);
    bm_child_keep_begin(&lane->keep, lane->fetch.source->n_bytes);
    bm_workers_lock(lane->workers);
    lane->keep_mark = mark;
    lane->is_keeping = true;
    bm_workers_submit(lane->workers, &lane->task);
    bm_workers_unlock(lane->workers);
}

bool bm_child_lane_help_keeping(struct bm_child_lane *lane) {
    bm_workers_lock(lane->workers);
    bool has_helped = lane->is_keeping && !has_kept_all(lane) && bm_workers_help(lane->workers);
    bm_workers_unlock(lane->workers);
    return has_helped;
}

uint64_t bm_child_lane_n_fetched(struct bm_child_lane *lane) {
    bm_workers_lock(lane->workers);
    uint64_t n_fetched = lane->n_fetched;
    bm_workers_unlock(lane->workers);
    return n_fetched;
}

bool bm_child_lane_is_keeping(struct bm_child_lane *lane) {
    bm_workers_lock(lane->workers);
    bool is_keeping = lane->is_keeping;
    bm_workers_unlock(lane->workers);
    return is_keeping;
}

void bm_child_lane_stop_keeping(struct bm_child_lane *lane) {
    bm_workers_lock(lane->workers);
    lane->is_keeping = false;
    while (lane->is_keeping_now) bm_workers_wait(lane->workers);
    bm_workers_unlock(lane->workers);
}

void bm_child_lane_close(struct bm_child_lane *lane) {
    if (!lane->is_open) return;
    bm_workers_lock(lane->workers);
    lane->is_stopping = true;
    if (bm_workers_take(lane->workers, &lane->task)) bm_workers_ended(lane->workers, &lane->task);
    while (lane->task.state != BM_TASK_IDLE) bm_workers_wait(lane->workers);
    bm_workers_unlock(lane->workers);
    bm_fetch_close(&lane->fetch);
    bm_inflate_release(lane->inflate);
    lane->is_open = false;
}

bool bm_child_lane_fill(struct bm_child_lane *lane) {
    if (!lane->is_open) return false;
    bm_workers_lock(lane->workers);
    bool is_full = lane->n_pages_filled - lane->n_pages_done == lane->n_pages;
    bool is_other = lane->is_keeping; /* the thread that runs the task fills pages */
    struct bm_page *page = &lane->pages[lane->n_pages_filled % lane->n_pages];
    bm_workers_unlock(lane->workers);
    if (is_full || is_other || lane->is_fetched) return false;
    if (!fill_page(lane, page) && lane->fetch.cancel->has_forked_in)
        return true; /* the lock may be held for ever */
    bm_workers_lock(lane->workers);
    lane->n_pages_filled++;
    lane->n_fetched = lane->fetch.n_read;
    wake_worker(lane);
    bm_workers_unlock(lane->workers);
    return true;
}

/* --- taking batches ------------------------------------------------------------------------------ */

/* Sees to it that the lane gets on: by this thread if no other does. Returns with the lock held, having
 * waited or worked. */
static void work_or_wait(struct bm_child_lane *lane) {
    struct bm_workers *workers = lane->workers;
    if (bm_workers_begin(workers, &lane->task)) {
        while (can_work(lane) && !inflate_batch(lane)) {
        }
        bm_workers_ended(workers, &lane->task);
    } else if (!bm_workers_help(workers)) {
        bm_workers_wait(workers);
    }
}

/* Frees memory that others hold and the decoder lacks. With the lock held, which is released meanwhile. */
static void press(struct bm_child_lane *lane) {
    const struct bm_budget *budget = lane->budget;
    bm_workers_unlock(lane->workers);
    bool has_room = budget->make_room != NULL && budget->make_room(budget->context);
    bm_workers_lock(lane->workers);
    lane->is_pressed = !has_room;
    lane->is_stalled = false;
}

/* The next batch, which was kept. */
static const struct bm_batch *take_kept(struct bm_child_lane *lane, bool is_first,
                                        struct blastmerge_error *error) {
    lane->kept = is_first ? lane->keep.first : lane->kept->next;
    enum blastmerge_status status = bm_child_keep_restore(
        &lane->keep, lane->kept, is_first, !lane->is_without_bits && !lane->is_without_bits_now, &lane->fetch,
        &lane->kept_batch, error);
    return status == BLASTMERGE_OK ? &lane->kept_batch : NULL;
}

const struct bm_batch *bm_child_lane_take(struct bm_child_lane *lane, bool *is_last,
                                          struct blastmerge_error *error) {
    struct bm_workers *workers = lane->workers;
    bm_require(lane->n_batches_taken - lane->n_batches_done < lane->n_ahead);
    bm_workers_lock(workers);
    while (lane->n_batches_filled == lane->n_batches_taken && !lane->has_ended) {
        if (lane->is_stalled) {
            press(lane);
        } else if (lane->task.state == BM_TASK_IDLE && !can_work(lane)) { /* it needs a page */
            bm_workers_unlock(workers);
            bool has_read = bm_child_lane_fill(lane);
            if (!has_read || lane->fetch_status != BLASTMERGE_OK) {
                *error = lane->fetch_error;
                return NULL;
            }
            bm_workers_lock(workers);
        } else {
            work_or_wait(lane);
        }
    }
    bool has_batch = lane->n_batches_filled > lane->n_batches_taken;
    *is_last = lane->has_ended && lane->inflate_status == BLASTMERGE_OK &&
               lane->n_batches_taken + 1 == lane->n_batches_filled;
    const size_t n_taken = lane->n_batches_taken;
    const bool is_kept = n_taken < lane->n_batches_kept;
    bm_require(!lane->is_keeping);
    lane->n_batches_taken += has_batch;
    bm_workers_unlock(workers);
    if (is_kept) return take_kept(lane, n_taken == 0, error);
    lane->kept = NULL;
    if (has_batch) return batch_at(lane, n_taken);
    *error = lane->inflate_error;
    return NULL;
}

void bm_child_lane_give(struct bm_child_lane *lane) {
    bm_require(lane->n_batches_done < lane->n_batches_taken);
    bm_workers_lock(lane->workers);
    lane->n_batches_done++;
    wake_worker(lane);
    bm_workers_unlock(lane->workers);
}

bool bm_child_lane_lacks_bgzf_end(const struct bm_child_lane *lane) {
    return bm_inflate_lacks_bgzf_end(lane->inflate);
}

const char *bm_child_lane_lacks_checksum(const struct bm_child_lane *lane) {
    return bm_inflate_lacks_checksum(lane->inflate);
}

void bm_child_lane_stop_marking(struct bm_child_lane *lane) {
    bm_workers_lock(lane->workers);
    while (lane->ahead != NULL && lane->ahead->is_busy) bm_workers_wait(lane->workers);
    lane->ahead = NULL;
    bm_workers_unlock(lane->workers);
}
