/* SPDX-License-Identifier: MIT */
#include "child/ahead.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum blastmerge_status bm_child_ahead_open(struct bm_child_ahead *ahead, struct bm_workers *workers,
                                           struct bm_mark *mark, enum bm_child_ahead_way way,
                                           struct bm_piece *own, struct bm_memory *memory) {
    memset(ahead, 0, sizeof *ahead);
    ahead->workers = workers;
    ahead->mark = mark;
    ahead->is_own_borrowed = own != NULL;
    ahead->own = own != NULL ? own : bm_allocate(memory, sizeof *own);
    if (ahead->own == NULL) return BLASTMERGE_NO_MEMORY;
    if (way == BM_CHILD_AHEAD_MARKS) {
        ahead->batches = bm_allocate(memory, BM_CHILD_AHEAD_BATCHES * sizeof *ahead->batches);
        if (ahead->batches == NULL) return BLASTMERGE_NO_MEMORY;
    }
    if (way == BM_CHILD_AHEAD_COUNTS) {
        ahead->counts = bm_allocate(memory, BM_CHILD_AHEAD_BATCHES * sizeof *ahead->counts);
        if (ahead->counts == NULL) return BLASTMERGE_NO_MEMORY;
    }
    bm_child_ahead_begin(ahead);
    return BLASTMERGE_OK;
}

void bm_child_ahead_close(struct bm_child_ahead *ahead, struct bm_memory *memory) {
    bm_release(memory, ahead->batches);
    bm_release(memory, ahead->counts);
    if (!ahead->is_own_borrowed) bm_release(memory, ahead->own);
    ahead->batches = NULL;
    ahead->counts = NULL;
    ahead->own = NULL;
}

void bm_child_ahead_begin(struct bm_child_ahead *ahead) {
    assert(!ahead->is_busy);
    ahead->n_done = 0;
    ahead->is_left = false;
    for (size_t i = 0; i < BM_CHILD_AHEAD_BATCHES && ahead->batches != NULL; i++)
        ahead->batches[i].number = SIZE_MAX;
    for (size_t i = 0; i < BM_CHILD_AHEAD_BATCHES && ahead->counts != NULL; i++)
        ahead->counts[i].number = SIZE_MAX;
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
    return (ahead->batches != NULL || ahead->counts != NULL) && !ahead->is_busy && !ahead->is_left &&
           ahead->n_done > number;
}

/* Whether the scanner must not go on before the job's thread has handled the piece. */
static bool is_stop(const struct bm_piece *piece) {
    size_t n = piece->marks.n_entries;
    return piece->status != BLASTMERGE_OK || (n > 0 && piece->marks.entries[n - 1].kind == BM_MARK_FIELD);
}

/* Returns whether the batch was marked to its end. */
static bool mark_batch(struct bm_child_ahead *ahead, const struct bm_batch *batch) {
    struct bm_child_ahead_batch *marked = &ahead->batches[ahead->n_done % BM_CHILD_AHEAD_BATCHES];
    struct bm_piece *piece = NULL;
    size_t n_scanned = 0;
    marked->number = ahead->n_done;
    marked->n_pieces = marked->n_taken = 0;
    do {
        piece = &marked->pieces[marked->n_pieces++];
        bm_child_ahead_scan(ahead->mark, piece, batch, n_scanned, batch->n_text);
        n_scanned = piece->end;
    } while (n_scanned < batch->n_text && marked->n_pieces < BM_CHILD_AHEAD_PIECES && !is_stop(piece));
    return n_scanned == batch->n_text && !is_stop(piece);
}

/* Likewise. A fault is left to the job's thread: the scanner reports it once more. */
static bool count_batch(struct bm_child_ahead *ahead, const struct bm_batch *batch) {
    struct bm_child_ahead_counts *counted = &ahead->counts[ahead->n_done % BM_CHILD_AHEAD_BATCHES];
    struct bm_piece piece = {.end = 0};
    do bm_child_ahead_scan(ahead->mark, &piece, batch, piece.end, batch->n_text);
    while (piece.end < batch->n_text && piece.status == BLASTMERGE_OK);
    *counted = (struct bm_child_ahead_counts){ahead->n_done, piece.end, piece.counts};
    return piece.status == BLASTMERGE_OK;
}

void bm_child_ahead_go(struct bm_child_ahead *ahead, const struct bm_batch *batch) {
    ahead->is_busy = true;
    bm_workers_unlock(ahead->workers);
    bool is_done = ahead->counts != NULL ? count_batch(ahead, batch) : mark_batch(ahead, batch);
    bm_workers_lock(ahead->workers);
    ahead->is_busy = false;
    ahead->is_left = !is_done;
    if (is_done) ahead->n_done++;
    bm_workers_tell(ahead->workers);
}

/* --- the job's thread ---------------------------------------------------------------------------- */

/* The batches before n_done are done. With the lock held. */
static void release(struct bm_child_ahead *ahead, size_t n_done) {
    ahead->n_done = n_done;
    ahead->is_left = false;
}

/* The counts of the batch that was scanned ahead, as a piece without marks; or NULL. */
static const struct bm_piece *take_counts(struct bm_child_ahead *ahead, size_t number) {
    struct bm_child_ahead_counts *counted = &ahead->counts[number % BM_CHILD_AHEAD_BATCHES];
    struct bm_piece *piece = ahead->own;
    if (counted->number != number || counted->end == 0) return NULL;
    counted->number = SIZE_MAX;
    piece->end = counted->end;
    piece->marks.n_entries = 0;
    piece->safe = 0;
    piece->counts = counted->counts;
    piece->status = BLASTMERGE_OK;
    return piece;
}

/* The next piece of the batch that was marked ahead, or NULL. Waits for a worker that is marking it. With the
 * lock held. */
static const struct bm_piece *take_piece(struct bm_child_ahead *ahead, size_t number) {
    while (ahead->is_busy && ahead->n_done == number) bm_workers_wait(ahead->workers);
    if (ahead->counts != NULL) return take_counts(ahead, number);
    if (ahead->batches == NULL) return NULL;
    struct bm_child_ahead_batch *marked = &ahead->batches[number % BM_CHILD_AHEAD_BATCHES];
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
