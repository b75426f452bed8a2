/* SPDX-License-Identifier: MIT */
/*
 * flow/script.h - the script: what the result's text is made of, in the result's order.
 *
 * Each entry names a child where it speaks of a child's text: take the text of child c up to x, skip it up to y.
 * Others insert text, and begin and end fragments. A child's text is dealt with from front to back, once; what lies
 * between fragments is skipped. With one child this is the list of its edits.
 *
 * A TAKE or SKIP that is the last entry is open: it may still be made to reach further. Once an entry follows, it
 * reaches to its offset and no further. So the splice need not cut a token where nothing may happen.
 */
#ifndef BM_SCRIPT_H
#define BM_SCRIPT_H

#include "base/base.h"

enum bm_script_kind {
    BM_SCRIPT_TAKE,   /* the child's text up to the offset comes next in the result; in a fragment only */
    BM_SCRIPT_SKIP,   /* the child's text up to the offset is left out */
    BM_SCRIPT_INSERT, /* text that is no child's comes next; in a fragment only */
    BM_SCRIPT_BEGIN,  /* a fragment begins; the child is the first that it takes from */
    BM_SCRIPT_END     /* the fragment ends */
};

struct bm_script_entry {
    uint64_t
        offset; /* bytes of the child's text before the place; of INSERT, BEGIN and END: where the child stands */
    const char *text; /* INSERT: borrowed until the entry has been taken */
    uint32_t n_text;
    uint16_t kind;  /* enum bm_script_kind */
    uint16_t child; /* a number below that of the readers that the script is for */
};

enum { BM_SCRIPT_ENTRIES = 2816, BM_SCRIPT_TEXT = 98304 };

/* A script on its way: number writes it, splice takes entries from `position` on. */
struct bm_script {
    struct bm_script_entry entries[BM_SCRIPT_ENTRIES];
    size_t n_entries;
    size_t position;           /* entries before it have been taken */
    char text[BM_SCRIPT_TEXT]; /* where copies of inserted text lie */
    size_t n_text;
    /* where it is being written */
    uint16_t child;  /* the child that entries are about ... */
    uint64_t offset; /* ... and up to where its text has been dealt with */
    bool is_taking;  /* the text from there on is taken, else it is skipped: for bm_script_go() */
};

/* Forgets all entries, and begins with this child: its text is skipped until a fragment begins. */
void bm_script_start(struct bm_script *script, uint16_t child);

/* Forgets the entries that were taken, and their text. */
void bm_script_compact(struct bm_script *script);

/* The entries from here on are about this child, whose text before the offset has been dealt with. */
void bm_script_turn(struct bm_script *script, uint16_t child, uint64_t offset);

/* The child's text up to the offset is taken, or skipped. Adds nothing where it has been dealt with. */
void bm_script_take(struct bm_script *script, uint64_t offset);
void bm_script_skip(struct bm_script *script, uint64_t offset);

/* Both in one, for text that is taken from the fragment's beginning to its end, but for what lies between a stop and
 * the next resume. A stop is an entry already, so that nothing before it can reach further. */
void bm_script_go(struct bm_script *script, uint64_t offset);
void bm_script_catch_up(struct bm_script *script,
                        uint64_t offset); /* the same where it may have gone further */
void bm_script_stop(struct bm_script *script);
void bm_script_resume(struct bm_script *script);

/* Inserts text that stays where it is until the entry has been taken; or text of the moment, which is copied. */
void bm_script_insert(struct bm_script *script, const char *text, size_t n_text);
void bm_script_insert_copy(struct bm_script *script, const char *text, size_t n_text);

/* Begins and ends a fragment, where the child stands. */
void bm_script_begin(struct bm_script *script);
void bm_script_end(struct bm_script *script);

#endif
