/* SPDX-License-Identifier: MIT */
#include "mark/xml/xml.h"

#if defined(__x86_64__)
#define WALK_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "mark/xml/walk_avx2.h"

WALK_TARGET static inline uint32_t find_specials_of_32(__m256i bytes) {
    /* 1: 00-1f but tab, newline, return; 2: 10-1f; 4: '&'; 8: '<' and '>' */
    const __m256i low = BOTH_HALVES(3, 3, 3, 3, 3, 3, 7, 3, 3, 2, 2, 3, 11, 2, 11, 3);
    const __m256i high = BOTH_HALVES(1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    __m256i common = _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, upper));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(common, _mm256_setzero_si256()));
}

WALK_TARGET static inline uint64_t find_specials(const uint8_t *p, uint64_t *high) {
    __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    *high = (uint32_t)_mm256_movemask_epi8(first) | (uint64_t)(uint32_t)_mm256_movemask_epi8(second) << 32;
    return find_specials_of_32(first) | (uint64_t)find_specials_of_32(second) << 32;
}

#include "mark/xml/walk.h"

size_t bm_mark_xml_walk_avx2(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_xml *)mark, text, n_text, used);
}
#endif
