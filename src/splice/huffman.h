/* SPDX-License-Identifier: MIT */
/*
 * splice/huffman.h - codes from counts, code words from lengths, and the header of a dynamic block.
 */
#ifndef BM_SPLICE_HUFFMAN_H
#define BM_SPLICE_HUFFMAN_H

#include "splice/bits.h"
#include "splice/token.h"

/* Both codes of a block, for writing. A length of 0: the symbol cannot be written. */
struct bm_splice_codes {
    uint8_t literal_lengths[BM_N_LITERAL_LENGTH];
    uint8_t distance_lengths[BM_N_DISTANCE];
    uint16_t literal_words[BM_N_LITERAL_LENGTH]; /* the first bit of a code lowest */
    uint16_t distance_words[BM_N_DISTANCE];
};

/*
 * Computes lengths, at most max_length (15 or 7), of a complete code for the symbols that have a count. If fewer
 * than two have one, symbols 0 and 1 complete it. There are 2 to BM_N_LITERAL_LENGTH symbols.
 */
void bm_splice_make_lengths(const uint32_t *counts, unsigned n_symbols, unsigned max_length,
                            uint8_t *lengths);

/* Fills the words from the lengths (RFC 1951, 3.2.2). */
void bm_splice_make_words(struct bm_splice_codes *codes);

/* Codes in a form in which a token is written without a branch. */
struct bm_splice_printer {
    uint64_t forms[BM_SPLICE_FORMS];   /* bits to write, including extra bits | number of bits << 32 */
    uint64_t distances[BM_N_DISTANCE]; /* code word | its bits << 16 | with extra bits << 24 | base << 32 */
};

/* Makes the printer from the codes' lengths and words. keeps_long_284: else matches of length BM_SPLICE_LONG_284 are written
 * as 285. */
void bm_splice_make_printer(struct bm_splice_printer *printer, const struct bm_splice_codes *codes,
                            bool keeps_long_284);

/* Writes a token that the codes can express. distance_symbol: its distance's. */
static inline void bm_splice_print_known(struct bm_splice_writer *writer,
                                         const struct bm_splice_printer *printer, uint32_t token,
                                         unsigned distance_symbol) {
    unsigned distance = bm_splice_token_distance(token);
    uint64_t form = printer->forms[bm_splice_token_form(token)];
    uint64_t entry = printer->distances[distance_symbol];
    uint64_t bits = (uint16_t)entry | (uint64_t)(distance - (uint32_t)(entry >> 32))
                                          << (uint8_t)(entry >> 16);
    unsigned n_form = (unsigned)(form >> 32);
    bm_splice_put(writer, bits << n_form | (uint32_t)form, n_form + (uint8_t)(entry >> 24));
}

static inline void bm_splice_print(struct bm_splice_writer *writer, const struct bm_splice_printer *printer,
                                   uint32_t token) {
    bm_splice_print_known(writer, printer, token,
                          bm_splice_token_distance_symbol(bm_splice_token_distance(token)));
}

/* A dynamic block's header, computed. */
struct bm_splice_header {
    unsigned n_items;                                    /* code lengths, run-length encoded: */
    uint16_t items[BM_N_LITERAL_LENGTH + BM_N_DISTANCE]; /* symbol | extra << 5 */
    unsigned n_literals, n_distances, n_lengths;         /* HLIT + 257, HDIST + 1, HCLEN + 4 */
    uint8_t lengths[19];
    uint32_t n_bits; /* of all of it, with BFINAL and BTYPE */
};

/* Computes the header for these codes' lengths. */
void bm_splice_make_header(struct bm_splice_header *header, const struct bm_splice_codes *codes);

/* Writes it, with BFINAL 0. */
void bm_splice_put_header(struct bm_splice_writer *writer, const struct bm_splice_header *header);

#endif
