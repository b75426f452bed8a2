/* SPDX-License-Identifier: MIT */
/*
 * deflate/codes.h - the codes of a deflate block as tables, and bits to look them up with. Shared by inflate,
 * which turns tokens into text, and splice, which needs the tokens themselves. The first comment of
 * inflate/tokens.c gives the reasons for the design.
 */
#ifndef BM_CODES_H
#define BM_CODES_H

#include "deflate/deflate.h"

#include <string.h>

/* --- tables -------------------------------------------------------------------------------------- */

/*
 * A table is indexed with the next ROOT_BITS bits of the stream. A longer code leads to a subtable, indexed
 * with the bits after these. The sizes are the largest that any 286 or 30 code lengths of up to 15 bits can
 * need (found by an exhaustive search).
 */
enum {
    BM_CODES_LITERAL_ROOT_BITS = 12,
    BM_CODES_LITERAL_ENTRIES = 4380,
    BM_CODES_DISTANCE_ROOT_BITS = 8,
    BM_CODES_DISTANCE_ENTRIES = 400
};

/*
 * An entry of the literal/length table holds everything that its index determines, up to two symbols: a
 * literal, two literals, a literal and a length, or a length.
 *
 *   bits 0-5    the bits of the literals' codes
 *   bits 6-7    the number of literals: 0, 1, 2
 *   bits 8-13   the bits of all codes, and the length's extra bits
 *   bit 14      there is no length
 *   bit 15      an exception (bit 14 is set, too): neither literal nor length
 *   bits 16-23  the first literal
 *   bits 24-31  the second literal, or the length's base - 3
 *
 * Exceptions are the ends of blocks (bit 30), codes without meaning, and links to subtables (bit 29; bits
 * 8-11: the subtable's bits; bits 16-28: where it begins).
 */
#define BM_CODES_LITERALS(n)  ((uint32_t)(n) << 6)
#define BM_CODES_NO_LENGTH    (UINT32_C(1) << 14)
#define BM_CODES_IS_EXCEPTION (UINT32_C(1) << 15)
#define BM_CODES_EXCEPTION    (BM_CODES_NO_LENGTH | BM_CODES_IS_EXCEPTION)
#define BM_CODES_LINK         (UINT32_C(1) << 29)
#define BM_CODES_END_OF_BLOCK (UINT32_C(1) << 30)
#define BM_CODES_LINK_START   0x1fffU

/*
 * Entries of the distance table:
 *
 *   bits 0-7    the code's bits and the extra bits after it
 *   bits 8-13   the code's bits; of a link: the subtable's bits
 *   bit 15      a link
 *   bits 16-31  the distance's base, or 0 if the code has no meaning; of a link: where the subtable begins
 */
#define BM_CODES_DISTANCE_LINK (UINT32_C(1) << 15)

struct bm_deflate_codes {
    uint32_t literal[BM_CODES_LITERAL_ENTRIES];
    uint32_t distance[BM_CODES_DISTANCE_ENTRIES];
    uint8_t literal_bits[BM_END_OF_BLOCK]; /* each literal's code's bits */
};

/* The extra bits of a length, by its base - 3. */
extern const uint8_t bm_deflate_codes_length_extra[256];

/* Makes the tables of a block's codes, which bm_deflate_read_header() accepted. is_long: the block is
 * expected to be long enough for entries of two symbols to pay. */
void bm_deflate_codes_make(struct bm_deflate_codes *codes, const struct bm_block_header *header,
                           bool is_long);

/* --- entries ------------------------------------------------------------------------------------- */

#define BM_CODES_INLINE static inline __attribute__((always_inline))

/* Counts of bits are read from entries as whole bytes, so compilers need no mask. */

BM_CODES_INLINE uint64_t bm_deflate_codes_low_bits(uint64_t bits, uint8_t n_bits) {
    return bits & ((UINT64_C(1) << n_bits) - 1);
}

/* Returns the value, in a way that hides it from the compiler. A result that is needed now and again later is
 * computed twice from it. Otherwise gcc may keep the first result on the stack for the second use, and read it
 * back for the first use, too, in the chain of look-ups (which cost a tenth of all speed). */
BM_CODES_INLINE uint32_t bm_deflate_codes_apart(uint32_t value) {
    __asm__("" : "+r"(value));
    return value;
}

BM_CODES_INLINE unsigned bm_deflate_codes_n_literals(uint32_t entry) {
    return entry >> 6 & 3;
}

/* The number of bits of a length's code, of the literal's code before it, and of the length's extra bits. */
BM_CODES_INLINE uint8_t bm_deflate_codes_length_bits(uint32_t entry) {
    return (uint8_t)(entry >> 8);
}

/* `bits`, here and below: the bits that the entry was looked up with. */
BM_CODES_INLINE uint32_t bm_deflate_codes_length(uint32_t entry, uint64_t bits) {
    const unsigned base = entry >> 24;
    const uint8_t n_bits = bm_deflate_codes_length_bits(entry),
                  n_codes = (uint8_t)(n_bits - bm_deflate_codes_length_extra[base]);
    return BM_MIN_MATCH + base + (uint32_t)(bm_deflate_codes_low_bits(bits, n_bits) >> n_codes);
}

/* The number of bits of an exception. */
BM_CODES_INLINE uint8_t bm_deflate_codes_exception_bits(uint32_t entry) {
    return (uint8_t)(entry >> 8) & 63;
}

BM_CODES_INLINE uint8_t bm_deflate_codes_distance_bits(uint32_t entry) {
    return (uint8_t)entry;
}

BM_CODES_INLINE uint32_t bm_deflate_codes_distance(uint32_t entry, uint64_t bits) {
    return (entry >> 16) +
           (uint32_t)(bm_deflate_codes_low_bits(bits, bm_deflate_codes_distance_bits(entry)) >>
                      (uint8_t)(entry >> 8));
}

BM_CODES_INLINE uint32_t bm_deflate_codes_follow_literal(const struct bm_deflate_codes *codes, uint32_t entry,
                                                         uint64_t bits) {
    size_t start = entry >> 16 & BM_CODES_LINK_START;
    return codes
        ->literal[start + bm_deflate_codes_low_bits(bits >> BM_CODES_LITERAL_ROOT_BITS, entry >> 8 & 0xf)];
}

BM_CODES_INLINE uint32_t bm_deflate_codes_follow_distance(const struct bm_deflate_codes *codes,
                                                          uint32_t entry, uint64_t bits) {
    return codes->distance[(entry >> 16) +
                           bm_deflate_codes_low_bits(bits >> BM_CODES_DISTANCE_ROOT_BITS, entry >> 8 & 0xf)];
}

/* --- bits ---------------------------------------------------------------------------------------- */

/*
 * `bits` holds the next bits of the stream, above BM_CODES_PAST bits that are already used. n_bits counts both
 * (only its low six bits count); `in` points to the byte after them. Higher bits may hold the bits that
 * follow, or zeros.
 */
struct bm_deflate_codes_reader {
    uint64_t bits;
    uint32_t n_bits;
    const uint8_t *in;
};

enum { BM_CODES_PAST = 2 };

/* Afterwards `bits` holds at least 54 new bits, and the used ones. Reads eight bytes. */
BM_CODES_INLINE void bm_deflate_codes_refill(struct bm_deflate_codes_reader *reader) {
    reader->bits |= bm_load64(reader->in) << (reader->n_bits & 63);
    reader->in += ~reader->n_bits >> 3 & 7;
    reader->n_bits |= 56;
}

/* A reader at a bit of data. Reads up to 15 bytes from there. */
BM_CODES_INLINE struct bm_deflate_codes_reader bm_deflate_codes_read_at(const uint8_t *data, uint64_t bit) {
    const unsigned n_gone = (unsigned)(bit & 7);
    const uint8_t *in = data + (bit >> 3);
    struct bm_deflate_codes_reader reader = {bm_load64(in) >> n_gone << BM_CODES_PAST,
                                             56 + BM_CODES_PAST - n_gone, in + 7};
    bm_deflate_codes_refill(&reader);
    return reader;
}

/* The position of the next bit in data. */
BM_CODES_INLINE uint64_t bm_deflate_codes_read_bit(const struct bm_deflate_codes_reader *reader,
                                                   const uint8_t *data) {
    return (uint64_t)(reader->in - data) * 8 + BM_CODES_PAST - (reader->n_bits & 63);
}

/* Looks up the next n_bits bits in the table at `offset` bytes in codes. */
BM_CODES_INLINE uint32_t bm_deflate_codes_look_up(const struct bm_deflate_codes *codes, size_t offset,
                                                  uint64_t bits, unsigned n_bits) {
    const uint64_t mask = ((UINT64_C(1) << n_bits) - 1) << BM_CODES_PAST;
    uint32_t entry;
    memcpy(&entry, (const uint8_t *)codes + (bits & mask) + offset, sizeof entry);
    return entry;
}

BM_CODES_INLINE uint32_t bm_deflate_codes_look_up_literal(const struct bm_deflate_codes *codes,
                                                          uint64_t bits) {
    return bm_deflate_codes_look_up(codes, offsetof(struct bm_deflate_codes, literal), bits,
                                    BM_CODES_LITERAL_ROOT_BITS);
}

BM_CODES_INLINE uint32_t bm_deflate_codes_look_up_distance(const struct bm_deflate_codes *codes,
                                                           uint64_t bits) {
    return bm_deflate_codes_look_up(codes, offsetof(struct bm_deflate_codes, distance), bits,
                                    BM_CODES_DISTANCE_ROOT_BITS);
}

#endif
