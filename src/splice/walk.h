/* SPDX-License-Identifier: MIT */
/*
 * splice/walk.h - a place in a child's deflate stream, moved by the trace or token by token.
 *
 * inflate has decoded and checked the stream. The walk relies on that, but accesses no memory outside the
 * batch, whatever the bits are.
 */
#ifndef BM_SPLICE_WALK_H
#define BM_SPLICE_WALK_H

#include "deflate/codes.h"
#include "flow/batch.h"
#include "splice/token.h"

#include <string.h>

/* A block of the child. */
struct bm_splice_block {
    uint64_t number;     /* counts the child's blocks from 1; 0: no block */
    uint8_t type;        /* enum bm_block_type */
    bool is_read;        /* lengths are those of the header */
    uint64_t stored_end; /* stored blocks: their end in the text; the fields below are then unchanged */
    uint32_t n_header_bits;
    struct bm_block_header lengths;
    uint8_t header[BM_MAX_HEADER_BYTES + 8]; /* the header's bits with BFINAL 0 */
};

/* Where a batch begins: the block that is open there. */
struct bm_splice_inside {
    bool is_in_block;
    struct bm_splice_block block;
};

static inline bool bm_splice_has_header(const struct bm_splice_block *block, const uint8_t *header,
                                        uint32_t n_bits) {
    return block->n_header_bits == n_bits && memcmp(block->header, header, (n_bits + 7) >> 3) == 0;
}

struct bm_splice_walk {
    uint64_t bit;   /* the place: bits of the child before it ... */
    uint64_t text;  /* ... and bytes of text */
    size_t n_trace; /* entries of the batch's trace that are already used */
    bool is_in_block;
    bool has_tables;              /* the rest is valid for the current header */
    struct bm_splice_block block; /* the current block, or the last one */
    struct bm_deflate_codes codes;
};

/* Tokens, one after another. Between two matches there are only literals, so a loop from match to match needs
 * no test for each token. */
struct bm_splice_list {
    uint32_t *tokens;
    uint16_t *matches; /* the positions of matches in `tokens`: room for as many as tokens */
    size_t n_tokens, n_matches;
};

/* Begins a child. */
void bm_splice_walk_reset(struct bm_splice_walk *walk);

/* Begins in the middle of a child, at an offset in its text where a batch begins. */
void bm_splice_walk_enter(struct bm_splice_walk *walk, const struct bm_splice_inside *inside, uint64_t text);

/* Begins the next batch. */
void bm_splice_walk_begin(struct bm_splice_walk *walk, const struct bm_batch *batch);

/*
 * Outside a block: moves to the beginning of the next that begins in this batch, past empty ones. False if there
 * is none. In a stored block whose bytes have all been passed: leaves it first.
 */
bool bm_splice_walk_open_block(struct bm_splice_walk *walk, const struct bm_batch *batch);

/*
 * In a block: adds tokens to the list that end at the text offset `limit` or before, until it has n_max, and
 * leaves the block at its end. Returns how many it added. Stops at the batch's end.
 */
size_t bm_splice_walk_tokens(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                             struct bm_splice_list *list, size_t n_max);

/*
 * In a Huffman block: moves, without decoding tokens, to the last place in the trace up to the text offset `limit`:
 * a token's beginning, the block's end, or the batch's end. False if it is already there.
 */
bool bm_splice_walk_jump(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit);

/* In a stored block: moves by n_bytes, and leaves the block at its end. */
void bm_splice_walk_stored(struct bm_splice_walk *walk, const struct bm_batch *batch, size_t n_bytes);

/* Fills block->lengths. */
void bm_splice_read_lengths(struct bm_splice_block *block);

/* The token at these bits (at least 48), whatever it is, and in *n_bits how many it takes. False: it is the block's
 * end. */
bool bm_splice_read_token(const struct bm_deflate_codes *codes, uint64_t bits, uint32_t *token,
                          unsigned *n_bits) BM_CHECK_RESULT;

#endif
