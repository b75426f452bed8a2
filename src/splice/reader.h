/* SPDX-License-Identifier: MIT */
/*
 * splice/reader.h - a child's side of splicing: a place in its text and bits, the tokens that are decoded and wait,
 * and the shifts of its recent text. State that depends on the result is in the stream (stream.h).
 */
#ifndef BM_SPLICE_READER_H
#define BM_SPLICE_READER_H

#include "splice/copy.h"
#include "splice/segments.h"
#include "splice/splice.h"
#include "splice/walk.h"

enum {
    /* Tokens that are decoded and not yet processed. All that can be held back at a batch's end must fit. */
    BM_SPLICE_QUEUE = 12288,
    BM_SPLICE_DECODE = 1024, /* tokens decoded at once */
    BM_SPLICE_COPY = 8       /* and copied */
};

/* For a child whose bits count: everything before the walk has been decoded, or was passed as bits. */
struct bm_splice_bits {
    struct bm_splice_walk walk;

    /* Tokens between the reader's text and the walk; they end before the walk does. A match that was cut may be
     * shorter than three bytes. */
    size_t queue_head, queue_match; /* the next token, and the next match in queue.matches */
    struct bm_splice_list queue;    /* points to the next two */
    uint32_t queue_tokens[BM_SPLICE_QUEUE + BM_SPLICE_COPY];
    uint16_t queue_matches[BM_SPLICE_QUEUE];
    uint64_t queue_block; /* number of their block */

    /* The shifts of the child's text in the current fragment. */
    uint64_t fragment;      /* its number in the stream; for another one these values are invalid */
    uint64_t near_end;      /* up to here in the text, tokens are examined */
    uint64_t segment_begin; /* where the text that is taken with the current shift begins */
    struct bm_splice_segments segments;
};

struct bm_splice_reader {
    struct bm_memory *memory;
    const struct bm_batch *batch; /* NULL: the next one is needed */
    bool is_last;                 /* the batch will not be given again */
    uint64_t text;                /* bytes of the child's text that were processed */
    uint64_t packed;              /* that were given to pack; no more than that if they are fewer */
    struct bm_splice_copy copy;
    bool has_bits;               /* the bits count */
    struct bm_splice_bits *bits; /* NULL while no child's bits have counted */
};

/* Begins another child. */
enum blastmerge_status bm_splice_reader_begin(struct bm_splice_reader *reader, bool has_bits) BM_CHECK_RESULT;

static inline bool bm_splice_has_queue(const struct bm_splice_bits *bits) {
    return bits->queue_head < bits->queue.n_tokens;
}

void bm_splice_queue_clear(struct bm_splice_bits *bits);

/* All of these need a reader with a batch; all but skipping need one whose bits count. */

/* Fills the queue, which is empty, with tokens up to near_end. False if that was not possible. */
bool bm_splice_reader_decode(struct bm_splice_reader *reader);

/* In a Huffman block, with an empty queue: moves the walk up to the text offset `limit` at most, without
 * decoding tokens if possible. is_hard: text from there on is treated differently, so it moves as near as
 * tokens allow. False if it is already there. */
bool bm_splice_reader_move(struct bm_splice_reader *reader, uint64_t limit, bool is_hard);

/* Puts the next token, which reaches over a hard limit, into the queue. */
void bm_splice_reader_decode_one(struct bm_splice_reader *reader);

/* Leaves text out: to the limit if it is hard, otherwise as near as is known without cutting a token. */
void bm_splice_reader_skip(struct bm_splice_reader *reader, uint64_t limit, bool is_hard);

/* Cuts the next token, which reaches over the limit: the bytes before count as processed. Returns the whole
 * token. */
uint32_t bm_splice_reader_cut(struct bm_splice_reader *reader, uint64_t limit);

/* Puts the rest of the batch into the queue. */
void bm_splice_reader_hold(struct bm_splice_reader *reader);

#endif
