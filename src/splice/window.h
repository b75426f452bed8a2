/* SPDX-License-Identifier: MIT */
/*
 * splice/window.h - the last part of the result's text, near edits, in which new matches are searched. Places in
 * the result are counted from a beginning that only splice uses.
 */
#ifndef BM_SPLICE_WINDOW_H
#define BM_SPLICE_WINDOW_H

#include "flow/batch.h"

enum {
    BM_SPLICE_WINDOW_KEPT = 2 * BM_WINDOW, /* least number of bytes, once they were added */
    BM_SPLICE_WINDOW_SIZE = 4 * BM_WINDOW,
    BM_SPLICE_HASH_BITS = 14
};

struct bm_splice_window {
    uint64_t begin;   /* place of text[0] */
    size_t n_text;    /* bytes of it */
    uint64_t learnt;  /* places before this one were added to the table, or will not be */
    uint64_t cleaned; /* the place of the last removal of old places from the table */
    uint8_t text[BM_SPLICE_WINDOW_SIZE + 8];
    uint32_t places[1 << BM_SPLICE_HASH_BITS]; /* the last place with this hash, modulo 2^32 */
};

struct bm_splice_match {
    unsigned length; /* 0: none */
    unsigned distance;
};

/* Continues at `place`, which must not be before any earlier one; nothing before it can be found afterwards.
 * */
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

/* Adds the text from `from` up to `to` (or up to the last bytes, which are too few) to the table for
 * bm_splice_window_find(). Places are added in ascending order, once. */
void bm_splice_window_learn(struct bm_splice_window *window, uint64_t from, uint64_t to);

/* A match for the n_bytes at `place`, or for the first of them. */
struct bm_splice_match bm_splice_window_find(const struct bm_splice_window *window, uint64_t place,
                                             size_t n_bytes);

/* The number of bytes from `place` on, at most max, that equal those `distance` before them; and the number
 * of such bytes before `place`. */
unsigned bm_splice_window_agree(const struct bm_splice_window *window, uint64_t place, unsigned distance,
                                size_t max);
unsigned bm_splice_window_agree_before(const struct bm_splice_window *window, uint64_t place,
                                       unsigned distance, size_t max);

#endif
