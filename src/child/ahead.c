/* SPDX-License-Identifier: MIT */
#include "child/ahead.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum blastmerge_status bm_child_ahead_open(struct bm_child_ahead *ahead, struct bm_workers *workers,
                                           struct bm_mark *mark, bool without_threads, struct bm_piece *own,
                                           struct bm_memory *memory) {
    memset(ahead, 0, sizeof *ahead);
    ahead->workers = workers;
    ahead->mark = mark;
    ahead->is_own_borrowed = own != NULL;
    ahead->own = own != NULL ? own : bm_allocate(memory, sizeof *own);
    if (ahead->own == NULL) return BLASTMERGE_NO_MEMORY;
    if (!without_threads) {
        ahead->batches = bm_allocate(memory, BM_CHILD_AHEAD_BATCHES * sizeof *ahead->batches);
        if (ahead->batches == NULL) return BLASTMERGE_NO_MEMORY;
    }
    bm_child_ahead_begin(ahead);
    return BLASTMERGE_OK;
}

void bm_child_ahead_close(struct bm_child_ahead *ahead, struct bm_memory *memory) {
    bm_release(memory, ahead->batches);
    if (!ahead->is_own_borrowed) bm_release(memory, ahead->own);
    ahead->batches = NULL;
    ahead->own = NULL;
}

void bm_child_ahead_begin(struct bm_child_ahead *ahead) {
    assert(!ahead->is_busy);
    ahead->n_done = 0;
    ahead->is_left = false;
    for (size_t i = 0; i < BM_CHILD_AHEAD_BATCHES && ahead->batches != NULL; i++)
        ahead->batches[i].number = SIZE_MAX;
}

void bm_child_ahead_scan(struct bm_mark *mark, struct bm_piece *piece, const struct bm_batch *batch,
                         size_t from, size_t end) {
    size_t n_used = 0;
    piece->marks.n_entries = 0;
    piece->status = bm_mark_step(mark, batch->text + from, end - from, &n_used, &piece->marks, &piece->error);
    piece->end = from + n_used;
    piece->safe = bm_mark_safe(mark);
    piece->counts = *bm_mark_counts(mark);
}

/* --- ahead --------------------------------------------------------------------------------------- */

bool bm_child_ahead_can_go(const struct bm_child_ahead *ahead, size_t number) {
    return ahead->batches != NULL && !ahead->is_busy && !ahead->is_left && ahead->n_done > number;
}

/* Whether the scanner must not go on before the job's thread has handled the piece. */
static bool is_stop(const struct bm_piece *piece) {
    size_t n = piece->marks.n_entries;
    return piece->status != BLASTMERGE_OK || (n > 0 && piece->marks.entries[n - 1].kind == BM_MARK_FIELD);
}

void bm_child_ahead_go(struct bm_child_ahead *ahead, const struct bm_batch *batch) {
    struct bm_child_ahead_batch *marked = &ahead->batches[ahead->n_done % BM_CHILD_AHEAD_BATCHES];
    struct bm_piece *piece = NULL;
    size_t n_pieces = 0, n_scanned = 0;
    ahead->is_busy = true;
    bm_workers_unlock(ahead->workers);
    do {
        piece = &marked->pieces[n_pieces++];
        bm_child_ahead_scan(ahead->mark, piece, batch, n_scanned, batch->n_text);
        n_scanned = piece->end;
    } while (n_scanned < batch->n_text && n_pieces < BM_CHILD_AHEAD_PIECES && !is_stop(piece));
    bm_workers_lock(ahead->workers);
    marked->number = ahead->n_done;
    marked->n_pieces = n_pieces;
    marked->n_taken = 0;
    ahead->is_busy = false;
    ahead->is_left = n_scanned < batch->n_text || is_stop(piece);
    if (!ahead->is_left) ahead->n_done++;
    bm_workers_tell(ahead->workers);
}

/* --- the job's thread ---------------------------------------------------------------------------- */

/* The batches before n_done are done. With the lock held. */
static void release(struct bm_child_ahead *ahead, size_t n_done) {
    ahead->n_done = n_done;
    ahead->is_left = false;
}

/* The next piece of the batch that was marked ahead, or NULL. Waits for a worker that is marking it. With the
 * lock held. */
static const struct bm_piece *take_piece(struct bm_child_ahead *ahead, size_t number) {
    if (ahead->batches == NULL) return NULL;
    struct bm_child_ahead_batch *marked = &ahead->batches[number % BM_CHILD_AHEAD_BATCHES];
    while (ahead->is_busy && ahead->n_done == number) bm_workers_wait(ahead->workers);
    if (marked->number != number || marked->n_taken == marked->n_pieces) return NULL;
    return &marked->pieces[marked->n_taken++];
}

const struct bm_piece *bm_child_ahead_next(struct bm_child_ahead *ahead, size_t number,
                                           const struct bm_batch *batch, size_t from, size_t end) {
    bm_workers_lock(ahead->workers);
    if (ahead->n_done < number) release(ahead, number);
    const struct bm_piece *piece = take_piece(ahead, number);
    bm_workers_unlock(ahead->workers);
    if (piece == NULL) {
        bm_require(ahead->n_done == number);
        piece = ahead->own;
        bm_child_ahead_scan(ahead->mark, ahead->own, batch, from, end);
    }
    bm_workers_lock(ahead->workers);
    if (ahead->n_done == number && piece->end == batch->n_text && !is_stop(piece)) release(ahead, number + 1);
    bm_workers_unlock(ahead->workers);
    return piece;
}
