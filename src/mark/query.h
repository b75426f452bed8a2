/* SPDX-License-Identifier: MIT */
/* mark/query.h - what a BLAST archive (-outfmt 11) says of a query. */
#ifndef BM_MARK_QUERY_H
#define BM_MARK_QUERY_H

#include "base/base.h"

enum {
    BM_MARK_MAX_ID = 1000,   /* bytes of an id that count */
    BM_MARK_MAX_TITLE = 4096 /* likewise of a title */
};

struct bm_mark_query {
    size_t n_id; /* 0: it is neither a local id nor an accession */
    char id[BM_MARK_MAX_ID + 1];
    size_t n_title;
    char title[BM_MARK_MAX_TITLE];
    bool has_line; /* the title is the definition line as the user wrote it */
    bool is_cut;   /* the title is longer */
    bool has_length;
    uint64_t length;
};

/* Reads a query's text, or its beginning: from the block's '{' on, or, of a query that is only named, from its first
 * word on. */
void bm_mark_query_read(struct bm_mark_query *query, const char *text, size_t n_text);

#endif
