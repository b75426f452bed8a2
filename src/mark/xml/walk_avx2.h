/* SPDX-License-Identifier: MIT */
/* mark/xml/walk_avx2.h - what the walks with AVX2 and with AVX-512 share; see walk.h. */
#ifndef BM_MARK_XML_WALK_AVX2_H
#define BM_MARK_XML_WALK_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two tables, one for each half of a byte, classify bytes: a byte is in the set if both have a bit in common.
 * pshufb gives 0 for bytes beyond ASCII. */
#define BOTH_HALVES(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

WALK_TARGET static inline size_t name_length(const uint8_t *p) {
    /* 1: '-' '.'; 2: 0-9 ':' and p-z; 4: A-O, a-o; 8: P-Z '_' */
    const __m256i low = BOTH_HALVES(10, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 4, 4, 5, 5, 12);
    const __m256i high = BOTH_HALVES(0, 0, 1, 2, 4, 8, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    __m256i common = _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, upper));
    uint32_t others = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(common, _mm256_setzero_si256()));
    return _tzcnt_u32(others);
}

WALK_TARGET static inline bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    __m256i left = _mm256_loadu_si256((const __m256i *)(const void *)a);
    __m256i right = _mm256_loadu_si256((const __m256i *)(const void *)b);
    uint32_t others = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(left, right));
    return _tzcnt_u32(others) >= n;
}

#endif
