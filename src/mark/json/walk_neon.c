/* SPDX-License-Identifier: MIT */
#include "mark/json/json.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define WALK_TARGET

#include "mark/json/walk.h"

/* The top bits of 64 flags (each 0x00 or 0xff) as one mask. */
static inline uint64_t bits_of(uint8x16x4_t flags) {
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t weight = vld1q_u8(weights);
    uint8x16_t first = vpaddq_u8(vandq_u8(flags.val[0], weight), vandq_u8(flags.val[1], weight));
    uint8x16_t second = vpaddq_u8(vandq_u8(flags.val[2], weight), vandq_u8(flags.val[3], weight));
    uint8x16_t sums = vpaddq_u8(first, second);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)), 0);
}

/* A byte's class is what the entries of its two halves have in common. */
static inline uint8x16_t find_classes(uint8x16_t bytes) {
    /* 1: comma, colon; 4: brackets; 8: tab, newline, return; 16: blank; 32: quote; 64: backslash; 2: colon */
    static const uint8_t low[16] = {16, 0, 32, 0, 0, 0, 0, 0, 0, 8, 10, 4, 65, 12, 0, 0};
    static const uint8_t high[16] = {8, 0, 49, 2, 0, 68, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0};
    uint8x16_t lower = vqtbl1q_u8(vld1q_u8(low), vandq_u8(bytes, vdupq_n_u8(15)));
    return vandq_u8(lower, vqtbl1q_u8(vld1q_u8(high), vshrq_n_u8(bytes, 4)));
}

static inline struct classes classify(const uint8_t *p) {
    uint8x16x4_t quotes, backslashes, brackets, others, controls, high;
    for (unsigned i = 0; i < 4; i++) {
        uint8x16_t bytes = vld1q_u8(p + 16 * i);
        uint8x16_t classes = find_classes(bytes);
        quotes.val[i] = vceqq_u8(classes, vdupq_n_u8(32));
        backslashes.val[i] = vceqq_u8(classes, vdupq_n_u8(64));
        brackets.val[i] = vtstq_u8(classes, vdupq_n_u8(7));
        others.val[i] = vorrq_u8(vceqq_u8(classes, vdupq_n_u8(0)), backslashes.val[i]);
        controls.val[i] = vcltq_u8(bytes, vdupq_n_u8(0x20));
        high.val[i] = vcgeq_u8(bytes, vdupq_n_u8(0x80));
    }
    return (struct classes){
        .quotes = bits_of(quotes),
        .backslashes = bits_of(backslashes),
        .brackets = bits_of(brackets),
        .others = bits_of(others),
        .controls = bits_of(controls),
        .high = bits_of(high),
    };
}

static inline size_t count_digits(const uint8_t *p) {
    uint8x16_t others = vcgeq_u8(vsubq_u8(vld1q_u8(p), vdupq_n_u8('0')), vdupq_n_u8(10));
    /* four bits for each byte */
    uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(others), 4)), 0);
    return bits == 0 ? MAX_DIGITS : (size_t)__builtin_ctzll(bits) / 4;
}

size_t bm_mark_json_walk_neon(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    return walk_text((struct bm_mark_json *)mark, text, n_text, used);
}
#endif
