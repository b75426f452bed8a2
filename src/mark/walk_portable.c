/* SPDX-License-Identifier: MIT */
/*
 * The walk without instructions of any one machine: eight bytes in a word.
 */
#include "mark/internal.h"

#define WALK_TARGET

#define EACH(byte) ((uint64_t)(byte)*0x0101010101010101u)

/* 0x80 in each byte that is 0; exact, for no carry leaves a byte. */
static inline uint64_t find_zeros(uint64_t word) {
    return ~(((word & EACH(0x7f)) + EACH(0x7f)) | word | EACH(0x7f));
}

/* The top bits of a word's bytes as eight bits. */
static inline uint64_t gather(uint64_t tops) {
    return (tops >> 7) * 0x0102040810204080u >> 56;
}

static inline uint64_t find_specials_of_8(uint64_t word) {
    uint64_t angle = find_zeros((word | EACH(2)) ^ EACH('>')); /* '<' and '>' differ in that bit */
    uint64_t control = find_zeros(word & EACH(0xe0));
    uint64_t space =
        find_zeros(word ^ EACH('\t')) | find_zeros(word ^ EACH('\n')) | find_zeros(word ^ EACH('\r'));
    return angle | (control & ~space) | find_zeros(word ^ EACH('&'));
}

static inline uint64_t find_specials(const uint8_t *p, uint64_t *high) {
    uint64_t bits = 0;
    *high = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t word = bm_load64(p + i);
        *high |= gather(word & EACH(0x80)) << i;
        bits |= gather(find_specials_of_8(word)) << i;
    }
    return bits;
}

static inline size_t name_length(const uint8_t *p) {
    size_t length = 0;
    while (length < 32 && p[length] < 128 && (bm_mark_class[p[length]] & BM_CLASS_NAME) != 0) length++;
    return length;
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    for (; n >= 8; n -= 8, a += 8, b += 8) {
        if (bm_load64(a) != bm_load64(b)) return false;
    }
    return n == 0 || (bm_load64(a) ^ bm_load64(b)) << (64 - 8 * n) == 0;
}

#include "mark/walk.h"

size_t bm_mark_walk_portable(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text(mark, text, n_text, used);
}
