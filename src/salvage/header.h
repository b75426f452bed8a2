/* SPDX-License-Identifier: MIT */
/* salvage/header.h - a faulty header's text -> a plain one of the fields that are whole. */
#ifndef BM_SALVAGE_HEADER_H
#define BM_SALVAGE_HEADER_H

#include "mark/mark.h"

enum {
    BM_SALVAGE_BEGINNING = 16384, /* bytes of a child's text in which its header's fields are searched for */
    BM_SALVAGE_FIELDS = 48,       /* the most fields */
    BM_SALVAGE_HEADER = BM_SALVAGE_BEGINNING + 4096
};

/* The header that is made, up to the end of BlastOutput_iterations' start tag. */
struct bm_salvage_header {
    size_t n_fields;
    size_t n_text;
    char text[BM_SALVAGE_HEADER];
};

/* Makes it from a child's beginning. mark, which is reset, decides whether a field is whole: whether it would accept
 * the field in a document's header. */
void bm_salvage_make_header(struct bm_salvage_header *header, const char *beginning, size_t n_beginning,
                            struct bm_mark *mark);

#endif
