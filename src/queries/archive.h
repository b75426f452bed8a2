/* SPDX-License-Identifier: MIT */
/* queries/archive.h - what a BLAST archive (-outfmt 11) says of a query. */
#ifndef BM_QUERIES_ARCHIVE_H
#define BM_QUERIES_ARCHIVE_H

#include "queries/file.h"
#include "queries/name.h"

struct bm_queries_archive {
    struct bm_queries_word id; /* a local one, or an accession; n 0: none of these */
    size_t n_title;
    char title[BM_QUERIES_TITLE];
    bool has_line; /* the title is the definition line as the user wrote it */
    bool is_cut;   /* the title is longer */
    bool has_length;
    uint64_t length;
};

/* Reads a query's text, or its beginning: from the block's '{' on, or, of a query that is only named, from its first
 * word on. */
void bm_queries_archive_read(struct bm_queries_archive *archive, const char *text, size_t n_text);

#endif
