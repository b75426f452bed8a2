/* SPDX-License-Identifier: MIT */
/*
 * mark/scan/window.h - a step of the scanners of XML and JSON. The walk, the fast path, scans what it
 * accepts; the judge, the slow path, scans the rest.
 */
#ifndef BM_MARK_WINDOW_H
#define BM_MARK_WINDOW_H

#include "mark/scan/scan.h"

enum {
    BM_MARK_WINDOW = 4096, /* bytes; a walk lists the special ones among them */
    BM_MARK_SENTINELS = 8
};

/* Scans text from the position `used` on, without the judge, and returns the position that it reached. */
typedef size_t bm_mark_walk(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used);

/* Positions count from the beginning of the step's text. */
struct bm_mark_window {
    bm_mark_walk *walk; /* NULL: the judge scans all bytes */
    size_t walk_from;   /* the walk is not tried before this position */
    size_t begin;
    size_t size;
    uint16_t n_passed;  /* of `specials` */
    uint16_t *specials; /* valid during the step: 8 KB that no scanner keeps */
};

/* A step of a scanner that has a window. can_walk: returns whether the walk can continue, at a position that
 * is not before walk_from. take: the judge, which scans one byte or several and returns their number; 0 if it
 * failed. */
static inline __attribute__((always_inline)) size_t
bm_mark_step_by(struct bm_mark *mark, struct bm_mark_window *window, const uint8_t *text, size_t n_text,
                bool (*can_walk)(const struct bm_mark *mark),
                size_t (*take)(struct bm_mark *mark, const uint8_t *text, size_t n_text)) {
    uint16_t specials[BM_MARK_WINDOW + 8 + BM_MARK_SENTINELS];
    size_t used = 0;
    window->specials = specials;
    window->walk_from = 0;
    window->begin = window->size = 0;
    while (used < n_text && bm_mark_can_step(mark)) {
        if (window->walk != NULL && used >= window->walk_from && can_walk(mark))
            used = window->walk(mark, text, n_text, used);
        else
            used += take(mark, text + used, n_text - used);
    }
    window->specials = NULL;
    return used;
}

#endif
