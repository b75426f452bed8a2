/* SPDX-License-Identifier: MIT */
/* expect/queries.h - the names in a file of queries, one after the other. */
#ifndef BM_EXPECT_QUERIES_H
#define BM_EXPECT_QUERIES_H

#include "expect/expect.h"

struct bm_queries {
    int file;
    bool is_fasta;
    bool is_in_line; /* what is next is the rest of a line that says nothing more */
    uint64_t offset; /* bytes of the file before the buffer's end */
    size_t position; /* in the buffer */
    size_t n_buffer;
    uint64_t number;               /* of the name at hand, from 1 */
    size_t n_name;                 /* 0: a query without a name */
    char name[BM_EXPECT_WORD + 1]; /* its first word */
    uint8_t buffer[65536];
};

/* *queries is zeroed before. */
enum blastmerge_status bm_queries_open(struct bm_queries *queries, const char *path,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_queries_close(struct bm_queries *queries);

/* Goes back to the begin. */
void bm_queries_rewind(struct bm_queries *queries);

/* The next name; *has_name is false at the end. */
enum blastmerge_status bm_queries_next(struct bm_queries *queries, bool *has_name,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
