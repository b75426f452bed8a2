/* SPDX-License-Identifier: MIT */
/*
 * splice/token.h - a token of a deflate block in 32 bits: distance << 10 | form. A literal's form is its
 * byte, its distance 0; a match's form is 256 + its length. Length 259 is a match of 258 that is written as
 * symbol 284 with 31 in its extra bits, where 285 is usual. Both occur, and untouched tokens must be written as
 * they were.
 */
#ifndef BM_SPLICE_TOKEN_H
#define BM_SPLICE_TOKEN_H

#include "deflate/deflate.h"

enum {
    BM_SPLICE_FORM_BITS = 10,
    BM_SPLICE_FORM_MASK = (1 << BM_SPLICE_FORM_BITS) - 1,
    BM_SPLICE_FORM_MATCH = 256, /* of a match of length 0 */
    BM_SPLICE_LONG_284 = 259,
    BM_SPLICE_FORMS = BM_SPLICE_FORM_MATCH + BM_SPLICE_LONG_284 + 1
};

static inline uint32_t bm_splice_token_match(unsigned length, unsigned distance) {
    return distance << BM_SPLICE_FORM_BITS | (BM_SPLICE_FORM_MATCH + length);
}

static inline bool bm_splice_token_is_literal(uint32_t token) {
    return token < 1 << BM_SPLICE_FORM_BITS;
}

static inline unsigned bm_splice_token_distance(uint32_t token) {
    return token >> BM_SPLICE_FORM_BITS;
}

static inline unsigned bm_splice_token_form(uint32_t token) {
    return token & BM_SPLICE_FORM_MASK;
}

/* Of a match: its length or BM_SPLICE_LONG_284. */
static inline unsigned bm_splice_token_written_length(uint32_t token) {
    return bm_splice_token_form(token) - BM_SPLICE_FORM_MATCH;
}

/* The number of bytes of its text. */
static inline unsigned bm_splice_token_length(uint32_t token) {
    unsigned length = bm_splice_token_is_literal(token) ? 1 : bm_splice_token_written_length(token);
    return length - (length == BM_SPLICE_LONG_284);
}

/* Whether it is the rest of a match that was cut, too short to be one. */
static inline bool bm_splice_token_is_stump(uint32_t token) {
    return !bm_splice_token_is_literal(token) && bm_splice_token_written_length(token) < BM_MIN_MATCH;
}

/* A length's symbol less 257 (length BM_SPLICE_LONG_284: that of 284). */
extern const uint8_t bm_splice_length_symbols[BM_SPLICE_LONG_284 + 1];

static inline unsigned bm_splice_token_length_symbol(unsigned length) {
    return bm_splice_length_symbols[length];
}

/*
 * Where tokens are counted or written one after another, a test of each for a literal costs more than the work
 * itself: no processor can predict it. So lengths and literals are one alphabet, that of the forms, and a literal
 * has a distance symbol, too, which takes no bits.
 */
enum { BM_SPLICE_NO_DISTANCE = 31 };

/* Of distances 0 (none) to 256, then of each 128 on. */
extern const uint8_t bm_splice_distance_symbols[257 + 256];

static inline unsigned bm_splice_token_distance_symbol(unsigned distance) {
    uint32_t is_far = 0U - (uint32_t)(distance > 256); /* a mask, to avoid a jump */
    return bm_splice_distance_symbols[(distance & ~is_far) | ((257 + ((distance - 1) >> 7)) & is_far)];
}

#endif
