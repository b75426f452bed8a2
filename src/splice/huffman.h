/* SPDX-License-Identifier: MIT */
/*
 * splice/huffman.h - codes from counts, code words from lengths, and the header of a dynamic block.
 */
#ifndef BM_SPLICE_HUFFMAN_H
#define BM_SPLICE_HUFFMAN_H

#include "splice/bits.h"
#include "splice/token.h"

/* Both codes of a block, ready to be written with. A length of 0: the symbol cannot be written. */
struct bm_splice_codes {
    uint8_t literal_lengths[BM_N_LITERAL_LENGTH];
    uint8_t distance_lengths[BM_N_DISTANCE];
    uint16_t literal_words[BM_N_LITERAL_LENGTH]; /* the first bit of a code lowest */
    uint16_t distance_words[BM_N_DISTANCE];
};

/*
 * Lengths, at most max_length (15 or 7), of a complete code for the symbols that have a count; where fewer
 * than two have one, symbols 0 and 1 fill it up. There are 2 to BM_N_LITERAL_LENGTH symbols.
 */
void bm_splice_make_lengths(const uint32_t *counts, unsigned n_symbols, unsigned max_length,
                            uint8_t *lengths);

/* Fills the words from the lengths (RFC 1951, 3.2.2). */
void bm_splice_make_words(struct bm_splice_codes *codes);

/* Codes, spread out so that a token is written without a question. */
struct bm_splice_printer {
    uint64_t forms[BM_SPLICE_FORMS];   /* what to write, extra bits included | bits of it << 32 */
    uint64_t distances[BM_N_DISTANCE]; /* code word | bits of it << 16 | with extra bits << 24 | base << 32 */
};

/* From the codes' lengths and words. */
void bm_splice_make_printer(struct bm_splice_printer *printer, const struct bm_splice_codes *codes);

/* The token must be one that the codes can say. */
static inline void bm_splice_print(struct bm_splice_writer *writer, const struct bm_splice_printer *printer,
                                   uint32_t token) {
    unsigned distance = bm_splice_token_distance(token);
    uint64_t form = printer->forms[bm_splice_token_form(token)];
    uint64_t entry = printer->distances[bm_splice_token_distance_symbol(distance)];
    uint64_t bits = (uint16_t)entry | (uint64_t)(distance - (uint32_t)(entry >> 32))
                                          << (uint8_t)(entry >> 16);
    unsigned n_form = (unsigned)(form >> 32);
    bm_splice_put(writer, bits << n_form | (uint32_t)form, n_form + (uint8_t)(entry >> 24));
}

/* A dynamic block's header, worked out. */
struct bm_splice_header {
    unsigned n_items;                                    /* code lengths, run-length encoded: */
    uint16_t items[BM_N_LITERAL_LENGTH + BM_N_DISTANCE]; /* symbol | extra << 5 */
    unsigned n_literals, n_distances, n_lengths;         /* HLIT + 257, HDIST + 1, HCLEN + 4 */
    uint8_t lengths[19];
    uint32_t n_bits; /* of all of it, with BFINAL and BTYPE */
};

/* Works out the header for these codes' lengths. */
void bm_splice_make_header(struct bm_splice_header *header, const struct bm_splice_codes *codes);

/* Writes it, with BFINAL 0. */
void bm_splice_put_header(struct bm_splice_writer *writer, const struct bm_splice_header *header);

#endif
