/* SPDX-License-Identifier: MIT */
/*
 * index/head.h - what an Iteration's beginning says about its query: id, definition, length. The text has been scanned, so
 * it is well-formed; what BLAST does not write there (a comment, CDATA) is not parsed, and then nothing is found.
 */
#ifndef BM_INDEX_HEAD_H
#define BM_INDEX_HEAD_H

#include "base/base.h"
#include "base/utf8.h"

enum {
    BM_INDEX_HEAD = 8192, /* bytes of an Iteration in which its query is looked for */
    BM_INDEX_NAME = 1000  /* bytes of an id or of a definition's first word that count */
};

/* A stretch of the head; both 0: there is none. */
struct bm_index_place {
    size_t begin;
    size_t end;
};

struct bm_index_head {
    size_t n_id; /* 0: there is none */
    size_t n_name;
    size_t n_accession;
    size_t n_definition;
    bool has_length;
    uint64_t length;
    char id[BM_INDEX_NAME +
            BM_UTF8_MOST];         /* references and escapes are resolved, here and below; n_id bytes count */
    char name[BM_INDEX_NAME];      /* the definition's first word */
    char accession[BM_INDEX_NAME]; /* in the name, P12345 of "sp|P12345|NAME"; not if it is the id */
    char definition[BM_INDEX_HEAD];          /* none if BLAST wrote it for a query without one */
    struct bm_index_place number_as_written; /* Iteration_iter-num's content */
    struct bm_index_place id_as_written;
};

/* Parses the head of an Iteration: all of it, or its first BM_INDEX_HEAD bytes. In tables without comments the text
 * begins with the query's first row. */
void bm_index_head_parse(struct bm_index_head *head, enum blastmerge_format format, const char *text,
                         size_t n_text);

/* Fills in what the head lacks from the document's header, which alone names the query in old BLAST XML. */
void bm_index_head_complete(struct bm_index_head *head, enum blastmerge_format format, const char *header,
                            size_t n_header);

/* N of an id "Query_N"; 0 for any other id. */
uint64_t bm_index_head_number(const char *id, size_t n_id);

/* The E-value that begins at `text`. False: there is no number. Does not depend on the locale. */
bool bm_index_head_evalue(const char *text, size_t n_text, double *value);

#endif
