/* SPDX-License-Identifier: MIT */
/*
 * mark/table/rows.h - classifies 64 bytes of a table at once: where lines end, where fields end, and whether
 * anything is odd. It uses SSE2 or words of eight bytes; wider instructions would not pay, because a table's
 * cost is elsewhere.
 */
#ifndef BM_ROWS_H
#define BM_ROWS_H

#include "base/base.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { BM_ROWS_BLOCK = 64 };

/* Bit i stands for byte i. */
struct bm_rows {
    uint64_t newlines;
    uint64_t separators;
    uint64_t starts; /* bytes that are odd at the beginning of a row: '#', or 'Q' */
    uint64_t returns;
    uint64_t zeros;
};

#define BM_ROWS_ONES 0x0101010101010101u
#define BM_ROWS_TOPS 0x8080808080808080u

/* The top bit of each byte becomes a bit: 2^(8i) times 2^(56 - 7i) is 2^(56 + i), and no two products meet.
 */
static inline uint64_t bm_rows_gather(uint64_t tops) {
    return ((tops >> 7) * 0x0102040810204080u) >> 56;
}

static inline uint64_t bm_rows_equal(uint64_t word, char byte) {
    uint64_t other = word ^ BM_ROWS_ONES * (uint8_t)byte;
    return bm_rows_gather(~(((other & ~BM_ROWS_TOPS) + ~BM_ROWS_TOPS) | other) & BM_ROWS_TOPS);
}

static inline struct bm_rows bm_rows_find_words(const uint8_t *p, char separator, char start) {
    struct bm_rows rows = {0, 0, 0, 0, 0};
    for (unsigned i = 0; i < BM_ROWS_BLOCK; i += 8) {
        uint64_t word = bm_load64(p + i);
        rows.newlines |= bm_rows_equal(word, '\n') << i;
        rows.separators |= bm_rows_equal(word, separator) << i;
        rows.starts |= bm_rows_equal(word, start) << i;
        rows.returns |= bm_rows_equal(word, '\r') << i;
        rows.zeros |= bm_rows_equal(word, '\0') << i;
    }
    return rows;
}

#if defined(__SSE2__)

static inline uint64_t bm_rows_equal_sse2(__m128i bytes, char byte) {
    return (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte)));
}

static inline struct bm_rows bm_rows_find_sse2(const uint8_t *p, char separator, char start) {
    struct bm_rows rows = {0, 0, 0, 0, 0};
    for (unsigned i = 0; i < BM_ROWS_BLOCK; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        rows.newlines |= bm_rows_equal_sse2(bytes, '\n') << i;
        rows.separators |= bm_rows_equal_sse2(bytes, separator) << i;
        rows.starts |= bm_rows_equal_sse2(bytes, start) << i;
        rows.returns |= bm_rows_equal_sse2(bytes, '\r') << i;
        rows.zeros |= bm_rows_equal_sse2(bytes, '\0') << i;
    }
    return rows;
}

#endif

static inline struct bm_rows bm_rows_find(const uint8_t *p, char separator, char start) {
#if defined(__SSE2__)
    return bm_rows_find_sse2(p, separator, start);
#else
    return bm_rows_find_words(p, separator, start);
#endif
}

/* Counts bits without an instruction for it; if the machine has one, the compiler recognises this shape. */
static inline unsigned bm_rows_count(uint64_t bits) {
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)((bits * 0x0101010101010101u) >> 56);
}

#endif
