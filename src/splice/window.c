/* SPDX-License-Identifier: MIT */
#include "splice/window.h"

#include <string.h>

enum { HASH_BYTES = 4 };

static unsigned hash(const uint8_t *text) {
    return bm_load32(text) * 2654435761U >> (32 - BM_SPLICE_HASH_BITS);
}

/*
 * A place in the table that is 2^32 bytes old would look like a new one. So from time to time those that
 * are too old to be of use are made to look like others that are, too; what is found does not depend on
 * when that happens.
 */
static void clean(struct bm_splice_window *window, uint64_t place) {
    bool are_all_old = place - window->cleaned >= 1U << 31;
    if (place - window->cleaned < 1U << 30) return;
    for (size_t i = 0; i < 1U << BM_SPLICE_HASH_BITS; i++) {
        bool is_old = are_all_old || (uint32_t)place - window->places[i] > 4 * BM_WINDOW;
        if (is_old) window->places[i] = (uint32_t)place - (1U << 31);
    }
    window->cleaned = place;
}

void bm_splice_window_begin(struct bm_splice_window *window, uint64_t place) {
    window->begin = place;
    window->n_text = 0;
    window->learnt = place;
}

void bm_splice_window_add(struct bm_splice_window *window, const uint8_t *text, size_t n_bytes) {
    bm_require(n_bytes <= BM_WINDOW);
    clean(window, window->begin + window->n_text);
    if (window->n_text + n_bytes > BM_SPLICE_WINDOW_SIZE) {
        size_t n_gone = window->n_text - BM_SPLICE_WINDOW_KEPT;
        memmove(window->text, window->text + n_gone, BM_SPLICE_WINDOW_KEPT);
        window->begin += n_gone;
        window->n_text = BM_SPLICE_WINDOW_KEPT;
    }
    memcpy(window->text + window->n_text, text, n_bytes);
    window->n_text += n_bytes;
}

void bm_splice_window_learn(struct bm_splice_window *window, uint64_t from, uint64_t to) {
    uint64_t end = bm_splice_window_end(window);
    if (from < window->learnt) from = window->learnt;
    if (from < window->begin) from = window->begin;
    if (end < window->begin + HASH_BYTES) return;
    if (to > end - HASH_BYTES + 1) to = end - HASH_BYTES + 1;
    for (; from < to; from++) {
        window->places[hash(bm_splice_window_at(window, from))] = (uint32_t)from;
        window->learnt = from + 1;
    }
}

struct bm_splice_match bm_splice_window_find(const struct bm_splice_window *window, uint64_t place,
                                             size_t n_bytes) {
    struct bm_splice_match match = {0, 0};
    if (n_bytes < HASH_BYTES) return match;
    const uint8_t *text = bm_splice_window_at(window, place);
    uint32_t distance = (uint32_t)place - window->places[hash(text)];
    if (distance == 0 || distance > BM_WINDOW) return match;
    match.length = bm_splice_window_agree(window, place, distance, n_bytes);
    match.distance = distance;
    if (match.length < HASH_BYTES) match.length = 0;
    return match;
}

unsigned bm_splice_window_agree(const struct bm_splice_window *window, uint64_t place, unsigned distance,
                                size_t max) {
    unsigned n = 0;
    if (distance > place - window->begin) return 0;
    const uint8_t *text = bm_splice_window_at(window, place), *source = text - distance;
    if (max > 258) max = 258;
    while (n < max && text[n] == source[n]) n++;
    return n;
}

unsigned bm_splice_window_agree_before(const struct bm_splice_window *window, uint64_t place,
                                       unsigned distance, size_t max) {
    unsigned n = 0;
    uint64_t known = place - window->begin;
    if (distance > known) return 0;
    if (max > known - distance) max = (size_t)(known - distance);
    const uint8_t *text = bm_splice_window_at(window, place), *source = text - distance;
    while (n < max && text[-1 - (ptrdiff_t)n] == source[-1 - (ptrdiff_t)n]) n++;
    return n;
}
