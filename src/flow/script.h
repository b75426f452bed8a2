/* SPDX-License-Identifier: MIT */
/*
 * flow/script.h - the script: the sources of the result's text, in the result's order.
 *
 * An entry about a child's text names the child: take the text of child c up to x, skip it up to y. Others insert
 * text, and begin and end fragments. A child's text is processed from front to back, once; text between fragments is
 * skipped. With one child, the script is the list of its edits.
 *
 * A TAKE or SKIP that is the last entry is open: it may still be extended. Once an entry follows, it ends at its
 * offset. So the splice does not need to cut a token where no edit may follow.
 */
#ifndef BM_SCRIPT_H
#define BM_SCRIPT_H

#include "base/base.h"

enum bm_script_kind {
    BM_SCRIPT_TAKE,   /* the child's text up to the offset comes next in the result; in a fragment only */
    BM_SCRIPT_SKIP,   /* the child's text up to the offset is left out */
    BM_SCRIPT_INSERT, /* text of no child comes next; in a fragment only */
    BM_SCRIPT_BEGIN,  /* a fragment begins; the child is the first that it takes from */
    BM_SCRIPT_END     /* the fragment ends */
};

struct bm_script_entry {
    uint64_t
        offset; /* bytes of the child's text before the place; for INSERT, BEGIN and END: the child's position */
    const char *text; /* INSERT: borrowed until the entry has been taken */
    uint32_t n_text;
    uint16_t kind;  /* enum bm_script_kind */
    uint16_t child; /* the number of a reader of the script */
};

enum { BM_SCRIPT_ENTRIES = 2816, BM_SCRIPT_TEXT = 98304 };

/* A script in progress: number writes it, splice takes entries from `position` on. */
struct bm_script {
    struct bm_script_entry entries[BM_SCRIPT_ENTRIES];
    size_t n_entries;
    size_t position;           /* entries before it have been taken */
    uint64_t n_removed;        /* entries that there were before these, since the script was started */
    char text[BM_SCRIPT_TEXT]; /* copies of inserted text */
    size_t n_text;
    /* the state of its writer */
    uint16_t child;  /* the current child ... */
    uint64_t offset; /* ... and the offset up to which its text has been processed */
    bool is_taking;  /* the text from there on is taken, otherwise skipped: for bm_script_go() */
};

/* Removes all entries, and begins with this child: its text is skipped until a fragment begins. */
void bm_script_start(struct bm_script *script, uint16_t child);

/* Removes the entries that were taken, and their text. */
void bm_script_compact(struct bm_script *script);

/* Changes to this child, for the entries from here on; its text before the offset has been processed. */
void bm_script_turn(struct bm_script *script, uint16_t child, uint64_t offset);

/* Takes or skips the child's text up to the offset. Adds nothing if that has been processed. */
void bm_script_take(struct bm_script *script, uint64_t offset);
void bm_script_skip(struct bm_script *script, uint64_t offset);

/* Take and skip in one, for text that is taken from the fragment's beginning to its end, except between a
 * stop and the next resume. A stop is an entry itself, so nothing before it can be extended. */
void bm_script_go(struct bm_script *script, uint64_t offset);
void bm_script_catch_up(struct bm_script *script,
                        uint64_t offset); /* for an offset that may be passed already */
void bm_script_stop(struct bm_script *script);
void bm_script_resume(struct bm_script *script);

/* Inserts text that is borrowed until the entry has been taken; or temporary text, which is copied. */
void bm_script_insert(struct bm_script *script, const char *text, size_t n_text);
void bm_script_insert_copy(struct bm_script *script, const char *text, size_t n_text);

/* Begins and ends a fragment, at the child's position. */
void bm_script_begin(struct bm_script *script);
void bm_script_end(struct bm_script *script);

#endif
