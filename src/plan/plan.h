/* SPDX-License-Identifier: MIT */
/*
 * plan - what is to be merged, as plain data.
 *
 * Of most children all is merged, and there is nothing to say. Of others a plan says which bytes are worth
 * reading, and which of their text is left out. Whoever knows writes it; the merge only executes it: fetch
 * leaves out the bytes, and a child leaves one document in front of a hole and enters another behind it.
 */
#ifndef BM_PLAN_H
#define BM_PLAN_H

#include "fetch/fetch.h"
#include "mark/mark.h"

/* Text that is not merged. */
struct bm_plan_hole {
    uint64_t from; /* text offset: right behind BlastOutput_iterations' start tag or an Iteration, or 0 */
    uint64_t to;   /* where merging goes on; UINT64_MAX: nowhere */
    enum bm_mark_place place; /* what stands there */
    unsigned encoding;        /* for bm_mark_enter() */
};

/* Which text of a child is merged. Text offsets count the text of the bytes that are read. */
struct bm_plan_text {
    uint64_t n_bytes;                 /* the child's, all of them */
    uint64_t n_text;                  /* that there is; what is known of a child that was read before */
    uint64_t end;                     /* text offset behind which nothing is merged; 0: nothing is */
    uint32_t crc32;                   /* of the text up to there, holes and all */
    bool is_proven;                   /* `end` and `crc32` are what the text must have */
    size_t n_holes;                   /* the last one is without an end if `end` is not the text's */
    const struct bm_plan_hole *holes; /* ascending */
    size_t n_spans;
    const struct bm_span *spans; /* the bytes that are read, ascending; NULL: all */
};

/* A header that is merged before all children, because the first of them has none. Nothing else of it is, and
 * it is no child: it has no row in the report. */
struct bm_plan_header {
    bool is_due;
    size_t child; /* whose it is: of which errors speak */
    struct bm_fetch_source source;
    struct bm_plan_text text;
    struct bm_plan_hole holes[2]; /* of the text: before the header and behind it */
};

/* Plans to read the header at [from, to) of the text of a source, up to behind BlastOutput_iterations' start tag. The
 * text's bytes are those of `text`; NULL: all of the source's. */
void bm_plan_header_set(struct bm_plan_header *header, size_t child, const struct bm_fetch_source *source,
                        const struct bm_plan_text *text, uint64_t from, uint64_t to);

#endif
