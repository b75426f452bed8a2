/* SPDX-License-Identifier: MIT */
#include "mark/json/json.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WALK_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "mark/json/walk.h"

/* Two tables, one for each half of a byte, classify bytes: the bits that both have in common are the byte's
 * class. pshufb gives 0 for bytes beyond ASCII. */
#define BOTH_HALVES(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

WALK_TARGET static inline __m256i find_classes(__m256i bytes) {
    /* 1: comma; 2: colon; 4: brackets; 8: tab, newline, return; 16: blank; 32: quote; 64: backslash */
    const __m256i low = BOTH_HALVES(16, 0, 32, 0, 0, 0, 0, 0, 0, 8, 10, 4, 65, 12, 0, 0);
    const __m256i high = BOTH_HALVES(8, 0, 49, 2, 0, 68, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    return _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, upper));
}

WALK_TARGET static inline uint32_t bits_of(__m256i flags) {
    return (uint32_t)_mm256_movemask_epi8(flags);
}

WALK_TARGET static inline struct classes classify_32(const uint8_t *p) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i classes = find_classes(bytes);
    __m256i none = _mm256_cmpeq_epi8(classes, _mm256_setzero_si256());
    __m256i below_8 = _mm256_cmpgt_epi8(_mm256_set1_epi8(8), classes);
    uint32_t backslashes = bits_of(_mm256_slli_epi16(classes, 1));
    return (struct classes){
        .quotes = bits_of(_mm256_slli_epi16(classes, 2)),
        .backslashes = backslashes,
        .brackets = bits_of(_mm256_andnot_si256(none, below_8)),
        .others = bits_of(none) | backslashes,
        .controls = bits_of(_mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes)),
        .high = bits_of(bytes),
    };
}

WALK_TARGET static inline struct classes classify(const uint8_t *p) {
    struct classes first = classify_32(p);
    struct classes second = classify_32(p + 32);
    return (struct classes){
        .quotes = first.quotes | second.quotes << 32,
        .backslashes = first.backslashes | second.backslashes << 32,
        .brackets = first.brackets | second.brackets << 32,
        .others = first.others | second.others << 32,
        .controls = first.controls | second.controls << 32,
        .high = first.high | second.high << 32,
    };
}

WALK_TARGET static inline size_t count_digits(const uint8_t *p) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(0x80 - '0'))); /* '0' is the smallest now */
    __m128i digits = _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(0x80 + 10)));
    return _tzcnt_u32(~(uint32_t)_mm_movemask_epi8(digits));
}

size_t bm_mark_json_walk_avx2(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_json *)mark, text, n_text, used);
}
#endif
