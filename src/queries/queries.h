/* SPDX-License-Identifier: MIT */
/*
 * expect - the queries that were searched, against the Iterations that are merged (docs/queries.md).
 *
 * The file of queries is read beside the merge, a query for each Iteration, so that memory is fixed however
 * many there are. The file is searched only where one does not fit: for what to say of it.
 */
#ifndef BM_EXPECT_H
#define BM_EXPECT_H

#include "base/cancel.h"
#include "flow/batch.h"
#include "mark/mark.h"

enum { BM_EXPECT_WORD = 1000 /* bytes of a name that count */ };

struct bm_queries;

/* Opens a file, a pipe or "-" (standard input), gzip or not: FASTA if a line begins with '>', else a list of
 * names, one a line. */
enum blastmerge_status bm_queries_open(struct bm_queries **expect, struct bm_memory *memory, const char *path,
                                       struct bm_cancel *cancel,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* NULL is fine. */
void bm_queries_close(struct bm_queries *expect, struct bm_memory *memory);

/* Queries that are missing in a row. */
struct bm_queries_gap {
    uint64_t n;
    bool is_unknown;               /* bm_queries_leave() came before: they may be in what was not read */
    uint64_t first;                /* its number in the file, from 1 */
    char name[BM_EXPECT_WORD + 1]; /* of the first; "": it has none */
    char last_name[BM_EXPECT_WORD + 1];
};

/* A field of a document's header, which tells the program: PSI-BLAST writes several Iterations for one query.
 */
void bm_queries_field(struct bm_queries *expect, const struct bm_mark_field *field);

/* Takes the next Iteration from the marks (*position is moved on, 0 at first), whose text lies in the batch
 * up to the offset `scanned`. True if there was one, to be called again: then *gap tells what is missing
 * before it. *status: BLASTMERGE_MISMATCH if it is none of the queries that are still to come; the query that
 * was expected is expected still. */
bool bm_queries_take(struct bm_queries *expect, const struct bm_mark_list *marks, size_t *position,
                     const struct bm_batch *batch, uint64_t scanned, struct bm_queries_gap *gap,
                     enum blastmerge_status *status, struct blastmerge_error *error);

/* What follows is not read up to the next Iteration that is taken, which is another child's. If an Iteration
 * has begun, and not come to its end, its query is expected again. */
void bm_queries_leave(struct bm_queries *expect);

/* All Iterations were taken: what is missing behind the last. */
enum blastmerge_status bm_queries_end(struct bm_queries *expect, struct bm_queries_gap *gap,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
