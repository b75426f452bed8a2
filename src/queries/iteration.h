/* SPDX-License-Identifier: MIT */
/* queries/iteration.h - what an Iteration says of its query, in each format. */
#ifndef BM_QUERIES_ITERATION_H
#define BM_QUERIES_ITERATION_H

#include "queries/name.h"

/* What is known of an Iteration. */
struct bm_queries_iteration {
    struct bm_queries_word id;
    struct bm_queries_word title;
    struct bm_queries_word rest; /* a table's comment: the title's word behind an id that BLAST made up */
    bool is_row;                 /* which has an id or a title's word, and nothing else ... */
    char separator;              /* ... and of that only what is before one of these */
    bool is_nameless;            /* its title is BLAST's for a query without one */
    bool has_length;
    uint64_t length;
};

/* Fields of a document's header, as the text has them. */
void bm_queries_iteration_read_id(struct bm_queries_iteration *iteration, const char *content, size_t n);
void bm_queries_iteration_read_title(struct bm_queries_iteration *iteration, const char *content, size_t n);
void bm_queries_iteration_read_length(struct bm_queries_iteration *iteration, const char *content, size_t n);

/* Reads the beginning of an Iteration's text, which is zeroed before. False: it names no query. `format` is none
 * of the tables without comments. */
bool bm_queries_iteration_read(struct bm_queries_iteration *iteration, enum blastmerge_format format,
                               const char *text, size_t n_text);

/* Makes one of the name that a table's rows have, at most BM_QUERIES_WORD bytes: BLAST writes the first word unchanged,
 * with the signs at its end that a title loses. */
void bm_queries_iteration_read_row(struct bm_queries_iteration *iteration, const char *name, size_t n_name,
                                   char separator);

#endif
