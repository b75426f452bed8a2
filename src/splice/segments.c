/* SPDX-License-Identifier: MIT */
#include "splice/segments.h"

#include <assert.h>
#include <string.h>

static const struct bm_splice_segment *segment_at(const struct bm_splice_segments *segments,
                                                  uint64_t number) {
    return &segments->ring[number % BM_SPLICE_SEGMENTS];
}

void bm_splice_segments_clear(struct bm_splice_segments *segments, uint64_t begin) {
    segments->first = segments->end = 0;
    segments->n_cells = begin >> BM_SPLICE_CELL_BITS;
    /* Of the cell in which `begin` lies, and of earlier ones, nothing is known but that all is dropped. */
    memset(segments->cells, 0, sizeof segments->cells);
}

const struct bm_splice_segment *bm_splice_segments_last(const struct bm_splice_segments *segments) {
    return segments->end == segments->first ? NULL : segment_at(segments, segments->end - 1);
}

/* The cells that begin before `begin`, up to which the last segment reaches. */
static void fill_cells(struct bm_splice_segments *segments, uint64_t begin) {
    uint64_t end = (begin + (1U << BM_SPLICE_CELL_BITS) - 1) >> BM_SPLICE_CELL_BITS;
    uint64_t cell = segments->n_cells;
    if (cell + BM_SPLICE_CELLS < end) cell = end - BM_SPLICE_CELLS;
    for (; cell < end; cell++) segments->cells[cell % BM_SPLICE_CELLS] = segments->end - 1;
    segments->n_cells = end;
}

void bm_splice_segments_add(struct bm_splice_segments *segments, uint64_t begin, uint64_t shift) {
    if (segments->end > segments->first) fill_cells(segments, begin);
    if (segments->end - segments->first == BM_SPLICE_SEGMENTS) segments->first++;
    segments->ring[segments->end % BM_SPLICE_SEGMENTS] = (struct bm_splice_segment){begin, shift};
    segments->end++;
}

struct bm_splice_stretch bm_splice_segments_find(const struct bm_splice_segments *segments, uint64_t place) {
    uint64_t cell = place >> BM_SPLICE_CELL_BITS;
    const struct bm_splice_segment *last = bm_splice_segments_last(segments);
    if (place >= last->begin) return (struct bm_splice_stretch){UINT64_MAX, last->shift};
    uint64_t number = segments->cells[cell % BM_SPLICE_CELLS];
    if (number < segments->first) number = segments->first;
    uint64_t begin = segment_at(segments, number)->begin;
    if (place < begin) return (struct bm_splice_stretch){begin - place, BM_SPLICE_DROPPED};
    while (segment_at(segments, number + 1)->begin <= place) number++;
    return (struct bm_splice_stretch){segment_at(segments, number + 1)->begin - place,
                                      segment_at(segments, number)->shift};
}
