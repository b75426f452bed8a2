/* SPDX-License-Identifier: MIT */
#include "mark/json/json.h"

#if defined(__x86_64__)
#include <emmintrin.h>

#define WALK_TARGET

#include "mark/json/walk.h"

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

static inline uint64_t bits_of(__m128i flags, unsigned shift) {
    return (uint64_t)(uint32_t)_mm_movemask_epi8(flags) << shift;
}

static inline struct classes classify(const uint8_t *p) {
    struct classes classes = {0};
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i bytes = load(p + i);
        __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* "[]" become "{}" */
        __m128i braces = _mm_or_si128(is_byte(folded, '{'), is_byte(folded, '}'));
        __m128i signs = _mm_or_si128(is_byte(bytes, ','), is_byte(bytes, ':'));
        __m128i brackets = _mm_or_si128(braces, signs);
        __m128i line = _mm_or_si128(is_between(bytes, '\t', 2), is_byte(bytes, '\r'));
        __m128i space = _mm_or_si128(is_byte(bytes, ' '), line);
        __m128i quotes = is_byte(bytes, '"');
        classes.quotes |= bits_of(quotes, i);
        classes.backslashes |= bits_of(is_byte(bytes, '\\'), i);
        classes.brackets |= bits_of(brackets, i);
        classes.others |= bits_of(_mm_or_si128(_mm_or_si128(quotes, brackets), space), i);
        classes.controls |= bits_of(is_between(bytes, 0, 0x20), i);
        classes.high |= bits_of(bytes, i);
    }
    classes.others = ~classes.others;
    return classes;
}

static inline size_t count_digits(const uint8_t *p) {
    uint64_t others = ~bits_of(is_between(load(p), '0', 10), 0);
    return (size_t)__builtin_ctzll(others);
}

size_t bm_mark_json_walk_sse2(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_json *)mark, text, n_text, used);
}
#endif
