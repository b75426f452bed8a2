/* SPDX-License-Identifier: MIT */
/* queries/way.h - how an Iteration's names are those of a query: docs/queries.md. */
#ifndef BM_QUERIES_WAY_H
#define BM_QUERIES_WAY_H

#include "queries/iteration.h"

enum bm_queries_way {
    BM_QUERIES_BY_NOTHING,
    BM_QUERIES_BY_TITLE, /* the title is the query's */
    BM_QUERIES_BY_ID,    /* the id is made of the query's first word */
    BM_QUERIES_BY_RANGE, /* BLAST made up an id, since the first word ends in a range; what follows is the title */
    BM_QUERIES_BY_LENGTH /* neither has a name */
};

/* is_blast_plus: the Iteration is of BLAST+; else its title identifies a query whatever the id is. */
enum bm_queries_way bm_queries_find_way(const struct bm_queries_names *names,
                                        const struct bm_queries_iteration *iteration, bool is_blast_plus);

#endif
