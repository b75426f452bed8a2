/* SPDX-License-Identifier: MIT */
#include "mark/xml/xml.h"

#if defined(__x86_64__)

#define WALK_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt")))

#include "mark/xml/walk_avx2.h"

/* The tables of walk_avx2.c, for 64 bytes at once. */
WALK_TARGET static inline uint64_t find_specials(const uint8_t *p, uint64_t *high_bits) {
    const __m512i low =
        _mm512_broadcast_i32x4(_mm_setr_epi8(3, 3, 3, 3, 3, 3, 7, 3, 3, 2, 2, 3, 11, 2, 11, 3));
    const __m512i high =
        _mm512_broadcast_i32x4(_mm_setr_epi8(1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    __m512i bytes = _mm512_loadu_si512(p);
    __m512i upper = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(15));
    *high_bits = _mm512_movepi8_mask(bytes);
    return _mm512_test_epi8_mask(_mm512_shuffle_epi8(low, bytes), _mm512_shuffle_epi8(high, upper));
}

static const uint8_t numbers[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                    48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* As write_positions(), without a loop; writes 32 positions at least. */
#define WRITE_POSITIONS compress_positions

WALK_TARGET static inline uint16_t *compress_positions(uint16_t *out, uint64_t bits, size_t begin) {
    const __m512i first = _mm512_set1_epi16((short)begin);
    const int n = __builtin_popcountll(bits);
    __m512i packed = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(numbers));
    _mm512_storeu_si512(out, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed)), first));
    if (bm_unlikely(n > 32)) {
        __m256i rest = _mm512_extracti64x4_epi64(packed, 1);
        _mm512_storeu_si512(out + 32, _mm512_add_epi16(_mm512_cvtepu8_epi16(rest), first));
    }
    return out + n;
}

#include "mark/xml/walk.h"

size_t bm_mark_xml_walk_avx512(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_xml *)mark, text, n_text, used);
}
#endif
