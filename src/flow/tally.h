/* SPDX-License-Identifier: MIT */
/*
 * flow/tally - the sums over a stretch of a result's children.
 *
 * Numbering begins from the tally of everything before, and ends with the tally that includes its own stretch.
 * Tallies can be added, and the grouping of the sum does not matter. So children can be counted in any order,
 * each from zero, summed up, and then be numbered in any order, each from the sum before it.
 */
#ifndef BM_TALLY_H
#define BM_TALLY_H

#include "base/base.h"

/* The text after the last Iteration. */
enum bm_tally_line {
    BM_TALLY_NO_LINE, /* no Iteration's end since the stretch began */
    BM_TALLY_LINE_OPEN,
    BM_TALLY_LINE_ENDED /* a newline */
};

struct bm_tally {
    uint64_t n_documents;
    uint64_t n_iterations; /* merged ones */
    /* The sum, over the documents, of the last number of an Iteration: more than the Iterations if BLAST left
     * some out, fewer if several are of one query (PSI-BLAST). 0 if numbers are not kept. */
    uint64_t last_numbers;
    uint64_t generated_ids; /* the sum, over the documents, of the largest generated Query_N */
    uint64_t positions;     /* the sum, over the documents, of the last query's position, if that is known */
    uint64_t n_counted;     /* documents that give their number of queries */
    uint64_t n_queries;     /* the sum of these numbers */
    bool has_unnamed;       /* a query without a title: BLAST counts all queries, and a title is a user's */
    enum bm_tally_line line;
};

/* Adds a stretch that follows. False if a sum is too large; nothing of the tally is right then. */
bool bm_tally_add(struct bm_tally *tally, const struct bm_tally *next) BM_CHECK_RESULT;

/* All but the line. */
static inline bool bm_tally_has_equal_sums(const struct bm_tally *one, const struct bm_tally *other) {
    return one->n_documents == other->n_documents && one->n_iterations == other->n_iterations &&
           one->last_numbers == other->last_numbers && one->generated_ids == other->generated_ids &&
           one->positions == other->positions && one->n_counted == other->n_counted &&
           one->n_queries == other->n_queries && one->has_unnamed == other->has_unnamed;
}

#endif
