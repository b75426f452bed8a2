/* SPDX-License-Identifier: MIT */
/*
 * number/style.h - the text of a format's result between documents, and at its end.
 */
#ifndef BM_STYLE_H
#define BM_STYLE_H

#include "number/query.h"

struct bm_number_style {
    const char *joint;      /* between two documents' bodies ... */
    const char *joint_open; /* ... if no newline is between an Iteration and the next document's first */
    const char *end_tag;    /* closes the element of the Iterations, if it had no content and no end tag */
    const char *epilogue;   /* as BLAST writes it, to replace one that is too long to keep */
    enum bm_number_query_form form;
    const char *hits; /* occurs in the Iteration of each query that was searched; NULL: in all others, too */
    bool has_references; /* a query's id stands again elsewhere, among those of the others */
    bool has_count;      /* the epilogue is BLAST's line that counts the queries */
};

enum { BM_STYLE_BARE = 16384 }; /* bytes of an Iteration to search; a longer one has hits */

/* Whether the Iteration's query could not be searched, by its text. */
bool bm_number_style_is_bare(const struct bm_number_style *style, const void *text, size_t n_text);

/* Never NULL. */
const struct bm_number_style *bm_number_style_of(enum blastmerge_format format);

#endif
