/* SPDX-License-Identifier: MIT */
/*
 * queries/lookup.h - finds the query of a table's rows by the name that they have, in any order.
 *
 * Takes 32 to 200 bytes for each query in a temporary file, and no memory that grows.
 */
#ifndef BM_QUERIES_LOOKUP_H
#define BM_QUERIES_LOOKUP_H

#include "queries/queries.h"

struct bm_queries_lookup;

/* Reads all of the queries, whose file is borrowed. */
enum blastmerge_status bm_queries_lookup_open(struct bm_queries_lookup **lookup, struct bm_memory *memory,
                                              const struct bm_queries *queries, const char *beside,
                                              struct bm_cancel *cancel,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;
/* lookup may be NULL. */
void bm_queries_lookup_close(struct bm_queries_lookup *lookup, struct bm_memory *memory);

struct bm_queries_found {
    uint64_t number;     /* the query's, from 1; 0: there is none of that name */
    bool is_one_of_many; /* there are others that have it */
    /* BLAST has made the name up of the place, as the query has none: its place among all queries or, with
     * -parse_deflines, among those without a name. The row does not tell which. */
    bool is_by_place;
    uint64_t other_number; /* by the other way to count, if that leads to a later query; else 0 */
};

/* Finds the query of a row's name, by the rules of docs/queries.md; in a row, a separator ends it. */
enum blastmerge_status bm_queries_lookup_find(struct bm_queries_lookup *lookup, const char *name,
                                              size_t n_name, char separator, struct bm_queries_found *found,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
