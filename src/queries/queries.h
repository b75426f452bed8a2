/* SPDX-License-Identifier: MIT */
/*
 * queries - compares the queries that were searched with the Iterations that are merged (docs/queries.md).
 *
 * The file of queries is read alongside the merge, a query for each Iteration, so memory is fixed for any
 * number of them. The file is searched only if one does not fit, for the text of the error.
 */
#ifndef BM_QUERIES_H
#define BM_QUERIES_H

#include "base/cancel.h"
#include "flow/batch.h"
#include "mark/mark.h"

enum { BM_QUERIES_WORD = 1000 /* bytes of a name that count */ };

struct bm_queries;

/* Opens a file, a pipe or "-" (standard input), gzip or not: FASTA if a line begins with '>', else a list of
 * names, one a line. beside: where temporary files may be, as for bm_open_temporary(); borrowed until the close. */
enum blastmerge_status bm_queries_open(struct bm_queries **queries, struct bm_memory *memory,
                                       const char *path, const char *beside, struct bm_cancel *cancel,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* `queries` may be NULL. */
void bm_queries_close(struct bm_queries *queries, struct bm_memory *memory);

struct bm_queries_file;
/* Makes *file another reader of the same queries, at the first one; it is not to be closed. */
void bm_queries_share(const struct bm_queries *queries, struct bm_queries_file *file);

/* Queries that are missing in a row. */
struct bm_queries_gap {
    uint64_t n;
    bool is_unknown;  /* bm_queries_leave() came before: they may be in a part that was not read */
    bool has_no_rows; /* it is a table without comments: they may have no hits */
    bool is_bare;     /* FASTA: the first one has no title line */
    uint64_t from;    /* their bytes in the file */
    uint64_t to;
    uint64_t first;                 /* its number in the file, from 1 */
    char name[BM_QUERIES_WORD + 1]; /* of the first; "": it has none */
    char last_name[BM_QUERIES_WORD + 1];
};

/* From now on Iterations may come in any order: each is looked up. is_taken: whether the query with this number, from 1, has an
 * Iteration already; a negative value is a failure, whose error is set. Takes 16 to 200 bytes for each query in a temporary
 * file. To be called before the first Iteration. */
typedef int bm_queries_is_taken(void *context, uint64_t number, struct blastmerge_error *error);
enum blastmerge_status bm_queries_allow_any_order(struct bm_queries *queries, struct bm_memory *memory,
                                                  bm_queries_is_taken *is_taken, void *context,
                                                  struct bm_cancel *cancel,
                                                  struct blastmerge_error *error) BM_CHECK_RESULT;

/* In any order: the Iteration that was taken last. */
struct bm_queries_taken {
    uint64_t number;     /* its query's, from 1 */
    uint64_t offset;     /* of its text */
    bool is_own;         /* BLAST made its id up */
    bool is_one_of_many; /* there are other queries that it could be of, by all that it shows */
};
const struct bm_queries_taken *bm_queries_last_taken(const struct bm_queries *queries);

/* In any order: whether the document's Iterations are those of PSI-BLAST, with several for one query. */
bool bm_queries_is_of_psi(const struct bm_queries *queries);

/* In any order, when all Iterations were taken: the next queries in a row that have none; gap->n 0: there are no more. */
enum blastmerge_status bm_queries_next_gap(struct bm_queries *queries, struct bm_queries_gap *gap,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* Sets the format of the Iterations, once it is known. */
void bm_queries_set_format(struct bm_queries *queries, enum blastmerge_format format);

/* Reads a field of a document's header. It names the program: PSI-BLAST writes several Iterations for one
 * query. */
void bm_queries_field(struct bm_queries *queries, const struct bm_mark_field *field);

/* Takes the next Iteration from the marks (*position advances, 0 at first); its text is in the batch up to the
 * offset `scanned`. True if there was one; call again. Then *gap holds the queries that are missing before it.
 * *status: BLASTMERGE_MISMATCH if it belongs to none of the remaining queries; the expected query stays the
 * same. */
bool bm_queries_take(struct bm_queries *queries, const struct bm_mark_list *marks, size_t *position,
                     const struct bm_batch *batch, uint64_t scanned, struct bm_queries_gap *gap,
                     enum blastmerge_status *status, struct blastmerge_error *error);

/* The text up to the next Iteration that is taken, which is another child's, is not read. If an Iteration has
 * begun and not ended, its query is expected again. */
void bm_queries_leave(struct bm_queries *queries);

/* To be called when all Iterations were taken: *gap holds the queries that are missing after the last. */
enum blastmerge_status bm_queries_end(struct bm_queries *queries, struct bm_queries_gap *gap,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

/* Writes the queries of a gap as they are in the file: FASTA, or lines of a list. */
typedef enum blastmerge_status bm_queries_write(void *context, const void *data, size_t n_bytes,
                                                struct blastmerge_error *error);
enum blastmerge_status bm_queries_copy(const struct bm_queries *queries, const struct bm_queries_gap *gap,
                                       bm_queries_write *write, void *context,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
