/* SPDX-License-Identifier: MIT */
/*
 * number/style.h - what a format's result looks like where documents are joined, and at its end.
 */
#ifndef BM_STYLE_H
#define BM_STYLE_H

#include "number/query.h"

struct bm_number_style {
    const char *joint; /* goes between two documents' bodies ... */
    const char
        *joint_open;      /* ... where no newline stands between an Iteration and the next document's first */
    const char *end_tag;  /* closes what holds the Iterations, if it had no content and no end tag */
    const char *epilogue; /* as BLAST writes it, for one that is too long to be kept */
    enum bm_number_query_form form;
    const char *hits; /* is in the Iteration of each query that was searched; NULL: in any other, too */
    bool has_count;   /* the epilogue is BLAST's line that counts the queries */
};

enum { BM_STYLE_BARE = 16384 }; /* bytes of an Iteration that is looked through; a longer one has hits */

/* Whether the Iteration says that its query could not be searched. */
bool bm_number_style_is_bare(const struct bm_number_style *style, const void *text, size_t n_text);

/* Never NULL. */
const struct bm_number_style *bm_number_style_of(enum blastmerge_format format);

#endif
