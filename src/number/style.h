/* SPDX-License-Identifier: MIT */
/*
 * number/style.h - what a format's result looks like where documents are joined, and at its end.
 */
#ifndef BM_STYLE_H
#define BM_STYLE_H

#include "number/query.h"

struct bm_style {
    const char *joint; /* goes between two documents' bodies ... */
    const char
        *joint_open;      /* ... where no newline stands between an Iteration and the next document's first */
    const char *end_tag;  /* closes what holds the Iterations, if it had no content and no end tag */
    const char *epilogue; /* as BLAST writes it, for one that is too long to be kept */
    enum bm_query_form form;
    bool has_count; /* the epilogue is BLAST's line that counts the queries */
};

/* Never NULL. */
const struct bm_style *bm_style_of(enum blastmerge_format format);

#endif
