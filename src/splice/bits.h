/* SPDX-License-Identifier: MIT */
/*
 * splice/bits.h - bits to bytes, the first bit lowest, as RFC 1951 (3.1.1) packs them.
 */
#ifndef BM_SPLICE_BITS_H
#define BM_SPLICE_BITS_H

#include "base/base.h"

struct bm_splice_writer {
    uint8_t *next;   /* the place of the next whole byte; 8 bytes from there may be overwritten */
    uint64_t bits;   /* bits that do not fill a byte yet */
    unsigned n_bits; /* 0 to 7 */
};

/* Writes n_bits of value (the others are 0), at most 56. */
static inline void bm_splice_put(struct bm_splice_writer *writer, uint64_t value, unsigned n_bits) {
    uint64_t bits = writer->bits | value << writer->n_bits;
    unsigned n = writer->n_bits + n_bits;
    bm_store64(writer->next, bits);
    writer->next += n >> 3;
    writer->bits = bits >> (n & 56);
    writer->n_bits = n & 7;
}

/* Fills the last byte with zeroes. */
static inline void bm_splice_align(struct bm_splice_writer *writer) {
    bm_splice_put(writer, 0, (8 - writer->n_bits) & 7);
}

/* Copies n_bits from `bit` bits after data; 8 bytes after the last may be read. */
void bm_splice_copy_bits(struct bm_splice_writer *writer, const uint8_t *data, uint64_t bit, uint64_t n_bits);

/* Copies whole bytes; the writer must be at a byte border. */
void bm_splice_copy_bytes(struct bm_splice_writer *writer, const uint8_t *data, size_t n_bytes);

#endif
