/* SPDX-License-Identifier: MIT */
/*
 * splice/window.h - the last of the result's text, near edits: what new matches are looked for in. Places
 * in the result are counted from a beginning that only splice knows.
 */
#ifndef BM_SPLICE_WINDOW_H
#define BM_SPLICE_WINDOW_H

#include "flow/batch.h"

enum {
    BM_SPLICE_WINDOW_KEPT = 2 * BM_WINDOW, /* so many bytes at the least, once they were there */
    BM_SPLICE_WINDOW_SIZE = 4 * BM_WINDOW,
    BM_SPLICE_HASH_BITS = 14
};

struct bm_splice_window {
    uint64_t begin;   /* place of text[0] */
    size_t n_text;    /* bytes of it */
    uint64_t learnt;  /* places before this one were learnt, or will not be */
    uint64_t cleaned; /* where the table was last rid of old places */
    uint8_t text[BM_SPLICE_WINDOW_SIZE + 8];
    uint32_t places[1 << BM_SPLICE_HASH_BITS]; /* the last place with this hash, modulo 2^32 */
};

struct bm_splice_match {
    unsigned length; /* 0: none */
    unsigned distance;
};

/* Goes on at `place`, which must not lie before any earlier one: nothing before it can be found any more. */
void bm_splice_window_begin(struct bm_splice_window *window, uint64_t place);

/* Adds at most BM_WINDOW bytes. */
void bm_splice_window_add(struct bm_splice_window *window, const uint8_t *text, size_t n_bytes);

static inline uint64_t bm_splice_window_end(const struct bm_splice_window *window) {
    return window->begin + window->n_text;
}

/* The text at a place that is still there. */
static inline const uint8_t *bm_splice_window_at(const struct bm_splice_window *window, uint64_t place) {
    return window->text + (size_t)(place - window->begin);
}

/* Makes what stands from `from` up to `to` (or up to the last bytes, which are too few) known to
 * bm_splice_window_find(). Places are learnt in ascending order, once. */
void bm_splice_window_learn(struct bm_splice_window *window, uint64_t from, uint64_t to);

/* A match for the n_bytes at `place` or the first of them. */
struct bm_splice_match bm_splice_window_find(const struct bm_splice_window *window, uint64_t place,
                                             size_t n_bytes);

/* How many of the bytes from `place` on, at most max, are the same as those `distance` before them; and how
 * many of the bytes before `place`. */
unsigned bm_splice_window_agree(const struct bm_splice_window *window, uint64_t place, unsigned distance,
                                size_t max);
unsigned bm_splice_window_agree_before(const struct bm_splice_window *window, uint64_t place,
                                       unsigned distance, size_t max);

#endif
