/* SPDX-License-Identifier: MIT */
/*
 * splice/recode.h - tokens to bits, in the way that takes the fewest: with the codes of the child's block
 * that they come from, with fixed codes, with new ones, or as a stored block.
 *
 * Tokens near edits are collected in a chunk. When it is written, all ways are priced to the bit.
 */
#ifndef BM_SPLICE_RECODE_H
#define BM_SPLICE_RECODE_H

#include "splice/huffman.h"
#include "splice/walk.h"
#include "splice/window.h"

enum {
    BM_SPLICE_CHUNK = 24576,     /* a chunk with so many tokens is written */
    BM_SPLICE_CHUNK_MORE = 4608, /* so many may be added before it is */
    BM_SPLICE_TOKENS = BM_SPLICE_CHUNK + BM_SPLICE_CHUNK_MORE
};

enum bm_splice_reason {
    BM_SPLICE_CHUNK_FULL,  /* more tokens of the same block follow in a chunk */
    BM_SPLICE_BITS_FOLLOW, /* bits of the same block follow as they are */
    BM_SPLICE_BLOCK_ENDS
};

struct bm_splice_recode {
    struct bm_splice_block block; /* of the child, to which the chunk's tokens belong; number 0: none */
    bool is_open;                 /* its header is written, its end is not */
    bool has_codes;               /* the next three are right for its header */
    struct bm_splice_codes codes;
    struct bm_splice_printer printer;
    uint8_t splits[BM_MAX_MATCH + 1]; /* by length of a match: 0 not known yet, 1 no way, else the first of
                                         the two lengths that say the same */
    struct bm_splice_codes fixed;     /* fixed codes */
    struct bm_splice_printer fixed_printer;
    uint64_t place; /* of the first token in the result */
    size_t n_tokens;
    uint32_t tokens[BM_SPLICE_TOKENS];
    uint8_t states[BM_SPLICE_TOKENS]; /* where the block's own codes do not do: see recode.c */
};

/* There is no block, nor a token. */
void bm_splice_recode_reset(struct bm_splice_recode *recode);

/* The tokens from here on belong to this block. The one before must have ended. */
void bm_splice_recode_begin(struct bm_splice_recode *recode, const struct bm_splice_block *block);

/* Adds a token that stands for the text at `place`, behind the others. */
static inline void bm_splice_recode_add(struct bm_splice_recode *recode, uint32_t token, uint64_t place) {
    bm_require(recode->n_tokens < BM_SPLICE_TOKENS);
    if (recode->n_tokens == 0) recode->place = place;
    recode->tokens[recode->n_tokens++] = token;
}

/* Where the chunk's text ends in the result, if there are tokens: for assertions. */
static inline uint64_t bm_splice_recode_end(const struct bm_splice_recode *recode) {
    uint64_t place = recode->place;
    for (size_t i = 0; i < recode->n_tokens; i++) place += bm_splice_token_length(recode->tokens[i]);
    return place;
}

/* Writes the chunk (n_tokens may be 0): less than BM_OUTPUT_ROOM bytes. The window may be asked for text.
 * With BM_SPLICE_BLOCK_ENDS, no block is open after it. */
void bm_splice_recode_write(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                            const struct bm_splice_window *window, enum bm_splice_reason reason);

/* Sees to it that the block's header is the last that was written, so that its bits can follow. The chunk
 * must be empty. */
void bm_splice_recode_open(struct bm_splice_recode *recode, struct bm_splice_writer *writer);

/* Writes the end-of-block symbol, if the block is open; there is no block then. The chunk must be empty. */
void bm_splice_recode_close(struct bm_splice_recode *recode, struct bm_splice_writer *writer);

/* Writes a stored block, at most 65535 bytes; none may be open. */
void bm_splice_put_stored(struct bm_splice_writer *writer, const uint8_t *text, size_t n_bytes);

#endif
