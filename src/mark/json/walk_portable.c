/* SPDX-License-Identifier: MIT */
/*
 * The walk without instructions of any one machine: eight bytes in a word.
 */
#include "mark/json/json.h"

#define WALK_TARGET

#include "mark/json/walk.h"

#define EACH(byte) ((uint64_t)(byte)*0x0101010101010101u)

/*
 * Comparisons leave their answer in the top bit of each byte; bytes beyond ASCII must have lost theirs
 * before, so that no sum carries into the next byte.
 */
#define AT_LEAST(bytes, first) ((bytes) + EACH(0x80 - (first)))
#define IS_NOT(bytes, byte)    AT_LEAST((bytes) ^ EACH(byte), 1)

/* The top bits of a word's bytes as eight bits. */
static inline uint64_t gather(uint64_t tops) {
    return ((tops & EACH(0x80)) >> 7) * 0x0102040810204080u >> 56;
}

static inline void classify_8(uint64_t word, unsigned shift, struct classes *classes) {
    uint64_t bytes = word & EACH(0x7f);
    uint64_t folded = bytes | EACH(0x20); /* "[]" become "{}" */
    uint64_t not_bracket =
        IS_NOT(folded, '{') & IS_NOT(folded, '}') & IS_NOT(bytes, ',') & IS_NOT(bytes, ':');
    uint64_t not_quote = IS_NOT(bytes, '"') | word;
    uint64_t not_line = IS_NOT(bytes, '\n') & IS_NOT(bytes, '\t') & IS_NOT(bytes, '\r');
    uint64_t not_space = IS_NOT(bytes, ' ') & not_line;
    classes->quotes |= gather(~not_quote) << shift;
    classes->backslashes |= gather(~(IS_NOT(bytes, '\\') | word)) << shift;
    classes->brackets |= gather(~(not_bracket | word)) << shift;
    classes->others |= gather((not_bracket & not_quote & not_space) | word) << shift;
    classes->controls |= gather(~(AT_LEAST(bytes, 0x20) | word)) << shift;
}

static inline struct classes classify(const uint8_t *p) {
    struct classes classes = {0};
    uint64_t all = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t word = bm_load64(p + i);
        all |= word;
        classify_8(word, i, &classes);
    }
    if (bm_likely((all & EACH(0x80)) == 0)) return classes;
    for (unsigned i = 0; i < 64; i += 8) classes.high |= gather(bm_load64(p + i)) << i;
    return classes;
}

static inline size_t count_digits(const uint8_t *p) {
    for (size_t i = 0; i < MAX_DIGITS; i += 8) {
        uint64_t word = bm_load64(p + i);
        uint64_t bytes = word & EACH(0x7f);
        uint64_t others = (~AT_LEAST(bytes, '0') | AT_LEAST(bytes, '9' + 1) | word) & EACH(0x80);
        if (others != 0) return i + (size_t)__builtin_ctzll(others) / 8;
    }
    return MAX_DIGITS;
}

size_t bm_mark_json_walk_portable(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_json *)mark, text, n_text, used);
}
