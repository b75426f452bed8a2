/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <assert.h>
#include <stdint.h>

enum blastmerge_status bm_scanner_open(struct bm_scanner **scanner, struct bm_workers *workers,
                                       struct bm_mark *mark, struct bm_memory *memory) {
    *scanner = bm_allocate(memory, sizeof **scanner);
    if (*scanner == NULL) return BLASTMERGE_NO_MEMORY;
    (*scanner)->workers = workers;
    (*scanner)->mark = mark;
    bm_scanner_begin(*scanner);
    return BLASTMERGE_OK;
}

void bm_scanner_begin(struct bm_scanner *scanner) {
    assert(!scanner->is_busy);
    scanner->n_done = 0;
    scanner->is_left = false;
    for (size_t i = 0; i < BM_SCAN_BATCHES; i++) scanner->batches[i].number = SIZE_MAX;
}

static void scan_piece(struct bm_scanner *scanner, struct bm_scan *piece, const struct bm_batch *batch,
                       size_t from, size_t end) {
    size_t n_used = 0;
    piece->marks.n_entries = 0;
    piece->status =
        bm_mark_step(scanner->mark, batch->text + from, end - from, &n_used, &piece->marks, &piece->error);
    piece->end = from + n_used;
    piece->safe = bm_mark_safe(scanner->mark);
    piece->counts = *bm_mark_counts(scanner->mark);
}

/* --- ahead --------------------------------------------------------------------------------------- */

bool bm_scanner_can_go(const struct bm_scanner *scanner, size_t number) {
    return !scanner->is_busy && !scanner->is_left && scanner->n_done > number;
}

/* Whether the scanner must not go on before the job's thread has seen to the piece. */
static bool is_stop(const struct bm_scan *piece) {
    size_t n = piece->marks.n_entries;
    return piece->status != BLASTMERGE_OK || (n > 0 && piece->marks.entries[n - 1].kind == BM_MARK_FIELD);
}

void bm_scanner_go(struct bm_scanner *scanner, const struct bm_batch *batch) {
    struct bm_scan_batch *ahead = &scanner->batches[scanner->n_done % BM_SCAN_BATCHES];
    struct bm_scan *piece = NULL;
    size_t n_pieces = 0, n_scanned = 0;
    scanner->is_busy = true;
    bm_workers_unlock(scanner->workers);
    do {
        piece = &ahead->pieces[n_pieces++];
        scan_piece(scanner, piece, batch, n_scanned, batch->n_text);
        n_scanned = piece->end;
    } while (n_scanned < batch->n_text && n_pieces < BM_SCAN_PIECES && !is_stop(piece));
    bm_workers_lock(scanner->workers);
    ahead->number = scanner->n_done;
    ahead->n_pieces = n_pieces;
    ahead->n_taken = 0;
    scanner->is_busy = false;
    scanner->is_left = n_scanned < batch->n_text || is_stop(piece);
    if (!scanner->is_left) scanner->n_done++;
    bm_workers_tell(scanner->workers);
}

/* --- the job's thread ---------------------------------------------------------------------------- */

/* Nothing of the batches before n_done is to be seen to. With the lock held. */
static void release(struct bm_scanner *scanner, size_t n_done) {
    scanner->n_done = n_done;
    scanner->is_left = false;
}

/* The next piece of the batch that was marked ahead, or NULL. Waits for the worker that is at it. With the
 * lock held. */
static const struct bm_scan *take_piece(struct bm_scanner *scanner, size_t number) {
    struct bm_scan_batch *ahead = &scanner->batches[number % BM_SCAN_BATCHES];
    while (scanner->is_busy && scanner->n_done == number) bm_workers_wait(scanner->workers);
    if (ahead->number != number || ahead->n_taken == ahead->n_pieces) return NULL;
    return &ahead->pieces[ahead->n_taken++];
}

const struct bm_scan *bm_scanner_next(struct bm_scanner *scanner, size_t number, const struct bm_batch *batch,
                                      size_t from, size_t end) {
    bm_workers_lock(scanner->workers);
    if (scanner->n_done < number) release(scanner, number);
    const struct bm_scan *piece = take_piece(scanner, number);
    bm_workers_unlock(scanner->workers);
    if (piece == NULL) {
        assert(scanner->n_done == number);
        piece = &scanner->own;
        scan_piece(scanner, &scanner->own, batch, from, end);
    }
    bm_workers_lock(scanner->workers);
    if (scanner->n_done == number && piece->end == batch->n_text && !is_stop(piece))
        release(scanner, number + 1);
    bm_workers_unlock(scanner->workers);
    return piece;
}
