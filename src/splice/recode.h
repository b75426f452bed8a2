/* SPDX-License-Identifier: MIT */
/*
 * splice/recode.h - tokens to bits, in the way that takes the fewest bits: with the codes of the child's block,
 * with fixed codes, with new ones, or as a stored block.
 *
 * Tokens near edits are collected in a chunk. When it is written, all ways are priced to the bit.
 */
#ifndef BM_SPLICE_RECODE_H
#define BM_SPLICE_RECODE_H

#include "flow/output.h"
#include "splice/huffman.h"
#include "splice/walk.h"
#include "splice/window.h"

enum {
    BM_SPLICE_CHUNK = 24576,     /* tokens with which a chunk is written */
    BM_SPLICE_CHUNK_MORE = 4608, /* tokens that may be added before that */
    BM_SPLICE_TOKENS = BM_SPLICE_CHUNK + BM_SPLICE_CHUNK_MORE
};

enum bm_splice_reason {
    BM_SPLICE_CHUNK_FULL,  /* more tokens of the block follow in another chunk */
    BM_SPLICE_BITS_FOLLOW, /* bits of the block follow unchanged */
    BM_SPLICE_BLOCK_ENDS
};

struct bm_splice_recode {
    struct bm_splice_block block; /* of the child, with the chunk's tokens; number 0: none */
    bool is_open;                 /* its header is written, its end is not */
    bool has_codes;               /* the next three are valid for its header */
    struct bm_splice_codes codes;
    struct bm_splice_printer printer;
    uint8_t splits[BM_MAX_MATCH + 1]; /* by length of a match: 0 not known yet, 1 no way, else the first of
                                         the two lengths that say the same */
    struct bm_splice_codes fixed;     /* fixed codes */
    struct bm_splice_printer fixed_printer;
    const struct bm_output *output; /* during a step */
    uint64_t shift;                 /* the result's text before a place, less the place: during a step */
    uint64_t place;                 /* of the first token in the result */
    size_t n_tokens;
    uint32_t tokens[BM_SPLICE_TOKENS];
    uint8_t
        symbols[BM_SPLICE_TOKENS];    /* the distances', while the chunk is written: found once, used twice */
    uint8_t states[BM_SPLICE_TOKENS]; /* where the block's own codes do not suffice: see recode.c */
};

/* Removes the block and all tokens. */
void bm_splice_recode_reset(struct bm_splice_recode *recode);

/* Begins a block, for the tokens from here on. The one before must have ended. */
void bm_splice_recode_begin(struct bm_splice_recode *recode, const struct bm_splice_block *block);

/* Adds a token for the text at `place`, after the others. */
static inline void bm_splice_recode_add(struct bm_splice_recode *recode, uint32_t token, uint64_t place) {
    bm_require(recode->n_tokens < BM_SPLICE_TOKENS);
    if (recode->n_tokens == 0) recode->place = place;
    recode->tokens[recode->n_tokens++] = token;
}

/* The end of the chunk's text in the result, if there are tokens: for assertions. */
static inline uint64_t bm_splice_recode_end(const struct bm_splice_recode *recode) {
    uint64_t place = recode->place;
    for (size_t i = 0; i < recode->n_tokens; i++) place += bm_splice_token_length(recode->tokens[i]);
    return place;
}

/* A block's header is written next, for the text from `place` on. */
static inline void bm_splice_recode_watch(const struct bm_splice_recode *recode,
                                          const struct bm_splice_writer *writer, uint64_t place) {
    const struct bm_output *output = recode->output;
    if (bm_likely(output->watch == NULL)) return;
    uint64_t n_bits = ((uint64_t)(writer->next - output->data) << 3) + writer->n_bits;
    bm_output_add_start(output, (struct bm_output_start){.bit = n_bits, .text = place + recode->shift});
}

/* Writes the chunk (n_tokens may be 0): less than BM_OUTPUT_ROOM bytes. It may read text from the window.
 * With BM_SPLICE_BLOCK_ENDS, no block is open afterwards. */
void bm_splice_recode_write(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                            const struct bm_splice_window *window, enum bm_splice_reason reason);

/* Ensures that the block's header is the last that was written, so its bits can follow, which stand for the text from `place`
 * on. The chunk must be empty. */
void bm_splice_recode_open(struct bm_splice_recode *recode, struct bm_splice_writer *writer, uint64_t place);

/* Writes the end-of-block symbol, if the block is open; afterwards there is no block. The chunk must be
 * empty. */
void bm_splice_recode_close(struct bm_splice_recode *recode, struct bm_splice_writer *writer);

/* Writes a stored block, at most 65535 bytes; none may be open. */
void bm_splice_put_stored(struct bm_splice_writer *writer, const uint8_t *text, size_t n_bytes);

#endif
