/* SPDX-License-Identifier: MIT */
/*
 * splice/token.h - a token of a deflate block in 32 bits: a literal is its byte, a match is
 * distance << 9 | length. Length 259 stands for a match of 258 that is written as symbol 284 with 31 in
 * its extra bits, where 285 is usual: both occur, and what is untouched must come out as it was.
 */
#ifndef BM_SPLICE_TOKEN_H
#define BM_SPLICE_TOKEN_H

#include "base/deflate.h"

enum { BM_SPLICE_LENGTH_BITS = 9, BM_SPLICE_LENGTH_MASK = 511, BM_SPLICE_LONG_284 = 259 };

static inline uint32_t bm_splice_token_match(unsigned length, unsigned distance) {
    return distance << BM_SPLICE_LENGTH_BITS | length;
}

static inline bool bm_splice_token_is_literal(uint32_t token) {
    return token < 1 << BM_SPLICE_LENGTH_BITS;
}

static inline unsigned bm_splice_token_distance(uint32_t token) {
    return token >> BM_SPLICE_LENGTH_BITS;
}

/* How many bytes of text it stands for. */
static inline unsigned bm_splice_token_length(uint32_t token) {
    unsigned length = token & BM_SPLICE_LENGTH_MASK;
    if (bm_splice_token_is_literal(token)) return 1;
    return length == BM_SPLICE_LONG_284 ? BM_MAX_MATCH : length;
}

/* A length's symbol less 257 (length BM_SPLICE_LONG_284: that of 284), and a distance's symbol. */
extern const uint8_t bm_splice_length_symbols[BM_SPLICE_LONG_284 + 1];

static inline unsigned bm_splice_token_length_symbol(unsigned length) {
    return bm_splice_length_symbols[length];
}

static inline unsigned bm_splice_token_distance_symbol(unsigned distance) {
    if (distance <= 2) return distance - 1;
    unsigned top = 31U - (unsigned)__builtin_clz(distance - 1); /* at least 1 */
    return 2 * top + ((distance - 1) >> (top - 1) & 1);
}

#endif
