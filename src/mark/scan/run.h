/* SPDX-License-Identifier: MIT */
/*
 * mark/scan/run.h - functions that the walks of XML and JSON share: listing a mask's bits, and skipping runs
 * of bytes beyond ASCII. They are compiled for the instruction set of the file that includes this one.
 */
#ifndef BM_MARK_RUN_H
#define BM_MARK_RUN_H

#include "mark/scan/window.h"

#define INLINE static inline __attribute__((always_inline)) WALK_TARGET

/* Rare cases stay out of the loops, which need the registers. */
#define OUTLINE static __attribute__((noinline)) WALK_TARGET

/* Writes the positions of a mask's bits, counted from `begin`; returns the place for the next ones. */
INLINE uint16_t *write_positions(uint16_t *out, uint64_t bits, size_t begin) {
    enum { AT_ONCE = 8 };
    uint16_t *end = out + __builtin_popcountll(bits);
    for (; bits != 0; out += AT_ONCE) {
        for (size_t i = 0; i < AT_ONCE; i++) { /* what is written beyond `end` does not count */
            out[i] = (uint16_t)(begin + (size_t)__builtin_ctzll(bits | 1ull << 63));
            bits &= bits - 1;
        }
    }
    return end;
}

/* Returns the bytes of the character at `text`, with its lead byte; 0 if it is invalid. RFC 3629, without
 * U+FFFE and U+FFFF. */
static inline size_t measure_character(const uint8_t *text) {
    uint8_t lead = text[0];
    uint8_t second = text[1];
    if (lead < 0xc2 || lead > 0xf4 || (second & 0xc0) != 0x80) return 0;
    if (lead < 0xe0) return 2;
    if ((text[2] & 0xc0) != 0x80) return 0;
    if (lead < 0xf0) {
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
        return lead == 0xef && second == 0xbf && text[2] >= 0xbe ? 0 : 3;
    }
    if ((text[3] & 0xc0) != 0x80) return 0;
    return (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) ? 0 : 4;
}

/* Returns whether these are four characters of two bytes each. A lead byte of c0 or c1 would be overlong. */
static inline bool is_four_pairs(uint64_t word) {
    return (word & 0xc0e0c0e0c0e0c0e0u) == 0x80c080c080c080c0u &&
           (((word & 0x001e001e001e001eu) + 0x007f007f007f007fu) & 0x0080008000800080u) ==
               0x0080008000800080u;
}

/* Returns whether this is a character of three bytes whose lead byte needs no further check, as e0, ed and ef
 * do. */
static inline bool is_plain_triple(uint64_t word) {
    return (word & 0xc0c0f0u) == 0x8080e0u && (0xa001u >> (word & 15) & 1) == 0;
}

/* Returns the end of a run of bytes beyond ASCII from the position on, or the first place that is not
 * UTF-8. */
static inline size_t bm_run_end(const uint8_t *text, size_t position, size_t size) {
    while (position < size && text[position] >= 0x80) {
        uint64_t word = bm_load64(text + position);
        size_t length = is_four_pairs(word)     ? 8
                        : is_plain_triple(word) ? 3
                                                : measure_character(text + position);
        if (length == 0) break;
        position += length;
    }
    return position;
}

#endif
