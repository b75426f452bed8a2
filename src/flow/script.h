/* SPDX-License-Identifier: MIT */
/*
 * flow/script.h - the edit script: all that changes the text between a child and the result.
 *
 * Edits lie in ascending order of their text offset; several at one offset apply in their order. A child
 * begins outside of any fragment. A fragment is one document's part of the result; text between fragments
 * is dropped. Inside a fragment text is kept until a DROP and again from a KEEP on.
 */
#ifndef BM_EDIT_H
#define BM_EDIT_H

#include "base/base.h"

enum bm_edit_kind {
    BM_EDIT_BEGIN, /* a fragment begins; text from here on is kept */
    BM_EDIT_END,   /* the fragment ends; text from here on is dropped */
    BM_EDIT_DROP,  /* text from here on is dropped */
    BM_EDIT_KEEP,  /* text from here on is kept */
    BM_EDIT_INSERT /* bytes are inserted here (before the text at this offset; inside a dropped range, too) */
};

struct bm_edit {
    uint64_t offset; /* bytes of the child's text before the place */
    uint32_t kind;   /* enum bm_edit_kind */
    uint32_t n_insert;
    const char *insert; /* borrowed until the step that was given the edit has taken it */
};

enum { BM_SCRIPT_EDITS = 2304, BM_SCRIPT_TEXT = 98304, BM_EDIT_INSERT_LIMIT = 32768 };

/* Edits on their way: number fills it, splice or pack take from `position` on. */
struct bm_script {
    struct bm_edit edits[BM_SCRIPT_EDITS];
    size_t n_edits;
    size_t position;           /* edits before it have been taken */
    char text[BM_SCRIPT_TEXT]; /* where inserted text lies */
    size_t n_text;
};

/* Forgets the edits that were taken, and their text. */
void bm_script_compact(struct bm_script *edits);

#endif
