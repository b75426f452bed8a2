/* SPDX-License-Identifier: MIT */
#include "mark/xml/xml.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define WALK_TARGET

/* The top bits of 64 flags (each 0x00 or 0xff) as one mask. */
static inline uint64_t bits_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t weight = vld1q_u8(weights);
    uint8x16_t first = vpaddq_u8(vandq_u8(a, weight), vandq_u8(b, weight));
    uint8x16_t second = vpaddq_u8(vandq_u8(c, weight), vandq_u8(d, weight));
    uint8x16_t sums = vpaddq_u8(first, second);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)), 0);
}

static inline uint8x16_t find_specials_of_16(uint8x16_t bytes) {
    uint8x16_t angle =
        vceqq_u8(vorrq_u8(bytes, vdupq_n_u8(2)), vdupq_n_u8('>')); /* '<' and '>' differ in that bit */
    uint8x16_t tab = vcltq_u8(vsubq_u8(bytes, vdupq_n_u8('\t')), vdupq_n_u8(2));
    uint8x16_t space = vorrq_u8(tab, vceqq_u8(bytes, vdupq_n_u8('\r')));
    uint8x16_t control = vbicq_u8(vcltq_u8(bytes, vdupq_n_u8(0x20)), space);
    return vorrq_u8(vorrq_u8(angle, control), vceqq_u8(bytes, vdupq_n_u8('&')));
}

static inline uint64_t find_specials(const uint8_t *p, uint64_t *high) {
    uint8x16x4_t bytes = {{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};
    uint8x16_t top = vdupq_n_u8(0x80);
    *high = bits_of(vcgeq_u8(bytes.val[0], top), vcgeq_u8(bytes.val[1], top), vcgeq_u8(bytes.val[2], top),
                    vcgeq_u8(bytes.val[3], top));
    return bits_of(find_specials_of_16(bytes.val[0]), find_specials_of_16(bytes.val[1]),
                   find_specials_of_16(bytes.val[2]), find_specials_of_16(bytes.val[3]));
}

static inline uint8x16_t find_name_of_16(uint8x16_t bytes) {
    uint8x16_t lower = vorrq_u8(bytes, vdupq_n_u8(0x20));
    uint8x16_t letter = vcltq_u8(vsubq_u8(lower, vdupq_n_u8('a')), vdupq_n_u8(26));
    uint8x16_t digit = vcltq_u8(vsubq_u8(bytes, vdupq_n_u8('0')), vdupq_n_u8(11));
    uint8x16_t dash = vcltq_u8(vsubq_u8(bytes, vdupq_n_u8('-')), vdupq_n_u8(2));
    return vorrq_u8(vorrq_u8(letter, digit), vorrq_u8(dash, vceqq_u8(bytes, vdupq_n_u8('_'))));
}

static inline size_t name_length(const uint8_t *p) {
    uint8x16_t none = vdupq_n_u8(0);
    uint64_t bits = bits_of(find_name_of_16(vld1q_u8(p)), find_name_of_16(vld1q_u8(p + 16)), none, none);
    return (size_t)__builtin_ctzll(~bits);
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    uint8x16_t none = vdupq_n_u8(0);
    uint64_t bits =
        bits_of(vceqq_u8(vld1q_u8(a), vld1q_u8(b)), vceqq_u8(vld1q_u8(a + 16), vld1q_u8(b + 16)), none, none);
    return (size_t)__builtin_ctzll(~bits) >= n;
}

#include "mark/xml/walk.h"

size_t bm_mark_xml_walk_neon(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_xml *)mark, text, n_text, used);
}
#endif
