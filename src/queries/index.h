/* SPDX-License-Identifier: MIT */
/*
 * queries/index.h - finds queries by what an Iteration shows of them, in any order.
 *
 * A hash table in a temporary file without a name: it takes 16 bytes for each name that a query can have, and no memory
 * that grows. What it finds are candidates, which the caller compares.
 */
#ifndef BM_QUERIES_INDEX_H
#define BM_QUERIES_INDEX_H

#include "queries/file.h"
#include "queries/iteration.h"

struct bm_queries_index;

/* Reads all queries with the reader, which is then anywhere in the file. has_places: they are found, too, by the
 * names that BLAST makes up of their places, "Query_7". */
enum blastmerge_status bm_queries_index_open(struct bm_queries_index **index, struct bm_memory *memory,
                                             struct bm_queries_file *reader, bool has_places,
                                             struct bm_cancel *cancel,
                                             struct blastmerge_error *error) BM_CHECK_RESULT;
/* index may be NULL. */
void bm_queries_index_close(struct bm_queries_index *index, struct bm_memory *memory);

/* Begins to look for the Iteration's query. Then each call of next returns the place before a candidate; false: there
 * are no more, or the file cannot be read (*error). Those of one name come in the file's order. */
void bm_queries_index_find(struct bm_queries_index *index, const struct bm_queries_iteration *iteration);
bool bm_queries_index_next(struct bm_queries_index *index, struct bm_queries_file_place *place,
                           struct blastmerge_error *error);

#endif
