/* SPDX-License-Identifier: MIT */
#include "splice/bits.h"

#include <assert.h>
#include <string.h>

/* n_words words of 8 bytes, moved up by the bits that are waiting in the writer (1 to 7). Each word is made
 * from two that are read, not from one that is carried along, so that compilers can make vectors of it. */
static void copy_shifted(struct bm_splice_writer *writer, const uint8_t *data, size_t n_words) {
    uint8_t *next = writer->next;
    unsigned up = writer->n_bits, down = 64 - up;
    bm_store64(next, writer->bits | bm_load64(data) << up);
    for (size_t i = 1; i < n_words; i++) {
        uint64_t low = bm_load64(data + 8 * (i - 1)), high = bm_load64(data + 8 * i);
        bm_store64(next + 8 * i, high << up | low >> down);
    }
    writer->next = next + 8 * n_words;
    writer->bits = bm_load64(data + 8 * (n_words - 1)) >> down;
}

void bm_splice_copy_bits(struct bm_splice_writer *writer, const uint8_t *data, uint64_t bit,
                         uint64_t n_bits) {
    data += bit >> 3;
    unsigned skip = (unsigned)(bit & 7);
    if (skip != 0) { /* first to a byte border of the source */
        unsigned n = n_bits < 8 - skip ? (unsigned)n_bits : 8 - skip;
        bm_splice_put(writer, (uint64_t)(*data++ >> skip) & ((1U << n) - 1), n);
        n_bits -= n;
    }
    size_t n_words = (size_t)(n_bits >> 6);
    if (n_words > 0) {
        if (writer->n_bits == 0) {
            memcpy(writer->next, data, 8 * n_words);
            writer->next += 8 * n_words;
        } else {
            copy_shifted(writer, data, n_words);
        }
        data += 8 * n_words;
        n_bits &= 63;
    }
    for (; n_bits >= 8; n_bits -= 8) bm_splice_put(writer, *data++, 8);
    if (n_bits > 0) bm_splice_put(writer, *data & ((1U << n_bits) - 1), (unsigned)n_bits);
}

void bm_splice_copy_bytes(struct bm_splice_writer *writer, const uint8_t *data, size_t n_bytes) {
    assert(writer->n_bits == 0);
    if (n_bytes > 0) memcpy(writer->next, data, n_bytes);
    writer->next += n_bytes;
}
