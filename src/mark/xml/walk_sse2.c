/* SPDX-License-Identifier: MIT */
#include "mark/xml/xml.h"

#if defined(__x86_64__)
#include <emmintrin.h>

#define WALK_TARGET

static inline __m128i load(const uint8_t *p) {
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Bytes from first to first + n - 1; n <= 128. */
static inline __m128i is_between(__m128i bytes, uint8_t first, uint8_t n) {
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(0x80 - first))); /* first is the smallest now */
    return _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(0x80 + n)));
}

static inline __m128i is_byte(__m128i bytes, char byte) {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte));
}

static inline uint32_t bits_of(__m128i flags) {
    return (uint32_t)_mm_movemask_epi8(flags);
}

static inline uint32_t find_specials_of_16(__m128i bytes) {
    __m128i angle = is_byte(_mm_or_si128(bytes, _mm_set1_epi8(2)), '>'); /* '<' and '>' differ in that bit */
    __m128i space = _mm_or_si128(is_between(bytes, '\t', 2), is_byte(bytes, '\r'));
    __m128i control = _mm_andnot_si128(space, is_between(bytes, 0, 0x20));
    return bits_of(_mm_or_si128(_mm_or_si128(angle, control), is_byte(bytes, '&')));
}

static inline uint64_t find_specials(const uint8_t *p, uint64_t *high) {
    uint64_t bits = 0;
    *high = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i bytes = load(p + i);
        *high |= (uint64_t)bits_of(bytes) << i;
        bits |= (uint64_t)find_specials_of_16(bytes) << i;
    }
    return bits;
}

static inline uint32_t find_name_of_16(const uint8_t *p) {
    __m128i bytes = load(p);
    __m128i letter = is_between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digit = _mm_or_si128(is_between(bytes, '0', 11), is_between(bytes, '-', 2));
    return bits_of(_mm_or_si128(_mm_or_si128(letter, digit), is_byte(bytes, '_')));
}

static inline size_t name_length(const uint8_t *p) {
    uint64_t bits = find_name_of_16(p) | (uint64_t)find_name_of_16(p + 16) << 16;
    return (size_t)__builtin_ctzll(~bits);
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    uint64_t bits = bits_of(_mm_cmpeq_epi8(load(a), load(b)));
    bits |= (uint64_t)bits_of(_mm_cmpeq_epi8(load(a + 16), load(b + 16))) << 16;
    return (size_t)__builtin_ctzll(~bits) >= n;
}

#include "mark/xml/walk.h"

size_t bm_mark_xml_walk_sse2(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_xml *)mark, text, n_text, used);
}
#endif
