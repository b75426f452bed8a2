/* SPDX-License-Identifier: MIT */
/*
 * The walk without instructions of any one machine: eight bytes in a word.
 */
#include "mark/xml/xml.h"

#define WALK_TARGET

#define EACH(byte) ((uint64_t)(byte)*0x0101010101010101u)

/*
 * Comparisons leave their answer in the top bit of each byte; bytes beyond ASCII must have lost theirs
 * before, so that no sum carries into the next byte.
 */
#define AT_LEAST(bytes, first) ((bytes) + EACH(0x80 - (first)))

/* The top bits of a word's bytes as eight bits. */
static inline uint64_t gather(uint64_t tops) {
    return ((tops & EACH(0x80)) >> 7) * 0x0102040810204080u >> 56;
}

/* Tab and return are listed, too, which costs less than to tell them from other control characters. */
static inline uint64_t find_specials_of_8(uint64_t word) {
    uint64_t bytes = word & EACH(0x7f);
    uint64_t not_angle = AT_LEAST((bytes | EACH(2)) ^ EACH('>'), 1); /* '<' and '>' differ in that bit */
    uint64_t not_and = AT_LEAST(bytes ^ EACH('&'), 1);
    uint64_t without_newline =
        bytes ^ EACH('\n'); /* the control characters stay among themselves; it becomes 0 */
    uint64_t control = AT_LEAST(without_newline, 1) & ~AT_LEAST(without_newline, 0x20);
    return (~(not_angle & not_and) | control) & ~word;
}

static inline uint64_t find_specials(const uint8_t *p, uint64_t *high) {
    uint64_t bits = 0;
    uint64_t all = 0;
    *high = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t word = bm_load64(p + i);
        all |= word;
        bits |= gather(find_specials_of_8(word)) << i;
    }
    if (bm_likely((all & EACH(0x80)) == 0)) return bits;
    for (unsigned i = 0; i < 64; i += 8) *high |= gather(bm_load64(p + i)) << i;
    return bits;
}

static inline uint64_t find_others_of_8(uint64_t word) {
    uint64_t bytes = word & EACH(0x7f);
    uint64_t lower = bytes | EACH(0x20);
    uint64_t letter = AT_LEAST(lower, 'a') & ~AT_LEAST(lower, 'z' + 1);
    uint64_t digit = AT_LEAST(bytes, '0') & ~AT_LEAST(bytes, ':' + 1);
    uint64_t dash = AT_LEAST(bytes, '-') & ~AT_LEAST(bytes, '.' + 1);
    uint64_t not_line = AT_LEAST(bytes ^ EACH('_'), 1);
    return (~(letter | digit | dash) & not_line) | word;
}

static inline size_t name_length(const uint8_t *p) {
    for (size_t i = 0; i < 32; i += 8) {
        uint64_t others = find_others_of_8(bm_load64(p + i)) & EACH(0x80);
        if (others != 0) return i + (size_t)__builtin_ctzll(others) / 8;
    }
    return 32;
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    for (; n >= 8; n -= 8, a += 8, b += 8) {
        if (bm_load64(a) != bm_load64(b)) return false;
    }
    return n == 0 || (bm_load64(a) ^ bm_load64(b)) << (64 - 8 * n) == 0;
}

#include "mark/xml/walk.h"

size_t bm_mark_xml_walk_portable(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_xml *)mark, text, n_text, used);
}
