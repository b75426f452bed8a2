/* SPDX-License-Identifier: MIT */
/*
 * splice/segments.h - the shifts of the child's recent text: a list of stretches, each dropped or moved by one
 * shift (place in the result less place in the child). It gives whether the source of a match is still there, and
 * at which distance.
 *
 * The list is bounded: when it is full, the oldest stretches count as dropped, so matches that reach back that far
 * are made anew. For look-ups, the child's text is divided into cells of a few bytes, and the stretch at the
 * beginning of each cell is stored.
 */
#ifndef BM_SPLICE_SEGMENTS_H
#define BM_SPLICE_SEGMENTS_H

#include "base/base.h"

#define BM_SPLICE_DROPPED UINT64_MAX /* as a shift */

enum {
    BM_SPLICE_SEGMENTS = 4096, /* a power of 2 */
    BM_SPLICE_CELL_BITS = 4,   /* bytes in a cell: 16 */
    BM_SPLICE_CELLS = 4096     /* of the last 64 KiB; a power of 2 */
};

struct bm_splice_segment {
    uint64_t begin; /* in the child's text; it ends where the next one begins */
    uint64_t shift; /* modulo 2^64, or BM_SPLICE_DROPPED */
};

struct bm_splice_segments {
    uint64_t first, end; /* numbers of the segments: first, ..., end - 1 */
    uint64_t n_cells;    /* cells before this one are filled */
    struct bm_splice_segment ring[BM_SPLICE_SEGMENTS];
    uint16_t cells[BM_SPLICE_CELLS]; /* number of the segment in which the cell begins, modulo 2^16: there
                                        are fewer segments than bytes in the last 64 KiB */
};

/* A part of a look-up's answer: n_bytes from the place have this shift. */
struct bm_splice_stretch {
    uint64_t n_bytes;
    uint64_t shift;
};

/* Clears the list: everything before `begin` is dropped. */
void bm_splice_segments_clear(struct bm_splice_segments *segments, uint64_t begin);

/* Adds a segment: from begin on, text has this shift. begin must not be before the last one's. */
void bm_splice_segments_add(struct bm_splice_segments *segments, uint64_t begin, uint64_t shift);

/* The last segment, or NULL. */
const struct bm_splice_segment *bm_splice_segments_last(const struct bm_splice_segments *segments);

static inline const struct bm_splice_segment *bm_splice_segment_at(const struct bm_splice_segments *segments,
                                                                   uint64_t number) {
    return &segments->ring[number % BM_SPLICE_SEGMENTS];
}

/* The stretch from `place` on, which is before the last segment, by at most 32 KiB and a match. */
static inline struct bm_splice_stretch
bm_splice_segments_find_before(const struct bm_splice_segments *segments, uint64_t place) {
    uint16_t cell = segments->cells[(place >> BM_SPLICE_CELL_BITS) % BM_SPLICE_CELLS];
    uint64_t number = segments->end - (uint16_t)(segments->end - cell);
    if (bm_unlikely(number < segments->first)) number = segments->first;
    uint64_t begin = bm_splice_segment_at(segments, number)->begin;
    if (bm_unlikely(place < begin)) return (struct bm_splice_stretch){begin - place, BM_SPLICE_DROPPED};
    while (bm_splice_segment_at(segments, number + 1)->begin <= place) number++;
    return (struct bm_splice_stretch){bm_splice_segment_at(segments, number + 1)->begin - place,
                                      bm_splice_segment_at(segments, number)->shift};
}

/* The stretch from any place on. */
struct bm_splice_stretch bm_splice_segments_find(const struct bm_splice_segments *segments, uint64_t place);

#endif
