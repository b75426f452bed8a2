/* SPDX-License-Identifier: MIT */
#include "splice/segments.h"

#include <assert.h>
#include <string.h>

void bm_splice_segments_clear(struct bm_splice_segments *segments, uint64_t begin) {
    segments->first = segments->end = 0;
    segments->n_cells = begin >> BM_SPLICE_CELL_BITS;
    /* Of the cell in which `begin` lies, and of earlier ones, nothing is known but that all is dropped. */
    memset(segments->cells, 0, sizeof segments->cells);
}

const struct bm_splice_segment *bm_splice_segments_last(const struct bm_splice_segments *segments) {
    return segments->end == segments->first ? NULL : bm_splice_segment_at(segments, segments->end - 1);
}

/* The cells that begin before `begin`, up to which the last segment reaches. */
static void fill_cells(struct bm_splice_segments *segments, uint64_t begin) {
    uint64_t end = (begin + (1U << BM_SPLICE_CELL_BITS) - 1) >> BM_SPLICE_CELL_BITS;
    uint64_t cell = segments->n_cells;
    if (cell + BM_SPLICE_CELLS < end) cell = end - BM_SPLICE_CELLS;
    const uint16_t number = (uint16_t)(segments->end - 1);
    while (cell < end) { /* up to the ring's end at once, so that compilers can make vectors of it */
        size_t from = (size_t)(cell % BM_SPLICE_CELLS), n = (size_t)(end - cell);
        if (n > BM_SPLICE_CELLS - from) n = BM_SPLICE_CELLS - from;
        for (size_t i = 0; i < n; i++) segments->cells[from + i] = number;
        cell += n;
    }
    segments->n_cells = end;
}

void bm_splice_segments_add(struct bm_splice_segments *segments, uint64_t begin, uint64_t shift) {
    if (segments->end > segments->first) fill_cells(segments, begin);
    if (segments->end - segments->first == BM_SPLICE_SEGMENTS) segments->first++;
    segments->ring[segments->end % BM_SPLICE_SEGMENTS] = (struct bm_splice_segment){begin, shift};
    segments->end++;
}

struct bm_splice_stretch bm_splice_segments_find(const struct bm_splice_segments *segments, uint64_t place) {
    const struct bm_splice_segment *last = bm_splice_segments_last(segments);
    if (place >= last->begin) return (struct bm_splice_stretch){UINT64_MAX, last->shift};
    return bm_splice_segments_find_before(segments, place);
}
