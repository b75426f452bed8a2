/* SPDX-License-Identifier: MIT */
/*
 * plan - what is to be merged, in the result's order, as plain data.
 *
 * An item holds a child's location and, if not all of it is merged, the bytes that are worth reading and the text
 * that is left out. The command line writes the items; salvage's pass adds the text that is left out, and a borrowed
 * header. The merge only executes the plan: fetch leaves out the bytes, and a child leaves one document before a hole
 * and enters another after it.
 */
#ifndef BM_PLAN_H
#define BM_PLAN_H

#include "base/pool.h"
#include "fetch/fetch.h"
#include "mark/mark.h"

/* Text that is not merged. */
struct bm_plan_hole {
    uint64_t from; /* text offset: directly after BlastOutput_iterations' start tag or an Iteration, or 0 */
    uint64_t to;   /* where merging continues; UINT64_MAX: nowhere */
    enum bm_mark_place place; /* the kind of text there */
    unsigned encoding;        /* for bm_mark_enter() */
};

/* Which text of a child is merged. Text offsets count the text of the bytes that are read. */
struct bm_plan_text {
    uint64_t n_bytes;                 /* of the child, all of them ... */
    uint64_t n_text;                  /* ... and of its text, as far as it was read when the plan was made */
    uint64_t end;                     /* text offset after which nothing is merged; 0: nothing is merged */
    uint32_t crc32;                   /* of the text up to there, holes included */
    bool is_proven;                   /* the text must have this `end` and `crc32` */
    size_t n_holes;                   /* if `end` is not the text's, the last hole has no end */
    const struct bm_plan_hole *holes; /* ascending */
    size_t n_spans;
    const struct bm_span *spans; /* the bytes that are read, ascending; NULL: all */
};

struct bm_plan_item {
    struct bm_fetch_source source;
    const struct bm_plan_text *text; /* NULL: all is merged. Borrowed */
};

/* A header that is merged before all items, because the first of them has none. Nothing else of its child is merged here,
 * and it has no row in the report. */
struct bm_plan_header {
    bool is_due;
    size_t item; /* its item, which errors name */
    struct bm_fetch_source source;
    struct bm_plan_text text;
    struct bm_plan_hole holes[2]; /* of the text: before the header and after it */
};

struct bm_plan {
    struct bm_memory *memory;
    struct bm_pool pool; /* the items' strings and readers */
    struct bm_plan_item *items;
    size_t n_items;
    size_t n_allocated;
    struct bm_plan_header header;
};

/* The memory is borrowed. */
void bm_plan_open(struct bm_plan *plan, struct bm_memory *memory);
/* The sources must have been closed. */
void bm_plan_close(struct bm_plan *plan);

/* Adds a child, whose strings are copied. A name that would not be visible is quoted in messages. False: no memory is
 * left. Items move. */
bool bm_plan_add(struct bm_plan *plan, struct bm_fetch_source source) BM_CHECK_RESULT;

/* Adds a child whose strings are in the pool. */
bool bm_plan_keep(struct bm_plan *plan, const struct bm_fetch_source *source) BM_CHECK_RESULT;

/* Plans to read the header at [from, to) of the text of a source, up to the end of BlastOutput_iterations' start tag. text:
 * the bytes of it that are read; NULL: all. */
void bm_plan_set_header(struct bm_plan *plan, size_t item, const struct bm_fetch_source *source,
                        const struct bm_plan_text *text, uint64_t from, uint64_t to);

#endif
