/* SPDX-License-Identifier: MIT */
/*
 * splice/walk.h - a place in a child's deflate stream, moved on by the trace or token by token.
 *
 * The stream has been decoded and checked by inflate; the walk relies on that, but touches no memory
 * outside of the batch whatever the bits are.
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
    uint64_t stored_end; /* stored blocks: where in the text they end; they leave the rest as it was */
    uint32_t n_header_bits;
    struct bm_block_header lengths;
    uint8_t header[BM_MAX_HEADER_BYTES + 8]; /* the header's bits with BFINAL 0 */
};

static inline bool bm_splice_has_header(const struct bm_splice_block *block, const uint8_t *header,
                                        uint32_t n_bits) {
    return block->n_header_bits == n_bits && memcmp(block->header, header, (n_bits + 7) >> 3) == 0;
}

struct bm_splice_walk {
    uint64_t bit;   /* the place: bits of the child before it ... */
    uint64_t text;  /* ... and bytes of text */
    size_t n_trace; /* entries of the batch's trace that lie behind; what they say is known */
    bool is_in_block;
    bool has_tables;              /* the rest is right for the current header */
    struct bm_splice_block block; /* the current block, or the last one */
    struct bm_deflate_codes codes;
};

/* Tokens, one behind the other. As between two matches there are only literals, whoever goes from match to
 * match need not ask each token what it is. */
struct bm_splice_list {
    uint32_t *tokens;
    uint16_t *matches; /* where in `tokens` those are that are matches: as many as there may be tokens */
    size_t n_tokens, n_matches;
};

/* Begins a child. */
void bm_splice_walk_reset(struct bm_splice_walk *walk);

/* The next batch is at hand. */
void bm_splice_walk_begin(struct bm_splice_walk *walk, const struct bm_batch *batch);

/*
 * Outside of a block: goes to the beginning of the next that begins in this batch, past those that hold
 * nothing. False if there is none. In a stored block whose bytes are all behind: leaves it first.
 */
bool bm_splice_walk_open_block(struct bm_splice_walk *walk, const struct bm_batch *batch);

/*
 * In a block: adds to the list tokens that end at the text offset `limit` or before, until it has n_max, and
 * leaves the block if its end comes. Returns how many it added. Stops at the batch's end.
 */
size_t bm_splice_walk_tokens(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                             struct bm_splice_list *list, size_t n_max);

/*
 * In a Huffman block: goes, without looking at tokens, to the last place up to the text offset `limit` that
 * the trace knows: a token's beginning, the block's end, or the batch's end. False if that is where it is.
 */
bool bm_splice_walk_jump(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit);

/* In a stored block: goes on by n_bytes, and leaves the block if that is its end. */
void bm_splice_walk_stored(struct bm_splice_walk *walk, const struct bm_batch *batch, size_t n_bytes);

/* Fills block->lengths. */
void bm_splice_read_lengths(struct bm_splice_block *block);

#endif
