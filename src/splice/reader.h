/* SPDX-License-Identifier: MIT */
/*
 * splice/reader.h - a child's side of splicing: a place in its text and bits, what lies decoded and waits, and where
 * its recent text went. What depends on the result is the stream's (stream.h).
 */
#ifndef BM_SPLICE_READER_H
#define BM_SPLICE_READER_H

#include "splice/copy.h"
#include "splice/segments.h"
#include "splice/splice.h"
#include "splice/walk.h"

enum {
    /* Tokens decoded and not yet looked at. All that can be held back at a batch's end must fit. */
    BM_SPLICE_QUEUE = 12288,
    BM_SPLICE_DECODE = 1024, /* tokens decoded at once */
    BM_SPLICE_COPY = 8       /* and copied */
};

/* Of a child whose bits count: what lies before the walk has been decoded, or was passed over as bits. */
struct bm_splice_bits {
    struct bm_splice_walk walk;

    /* Tokens between the reader's text and the walk; they end before the walk does. A match that was cut may be
     * shorter than three bytes. */
    size_t queue_head, queue_match; /* the next token, and the next match in queue.matches */
    struct bm_splice_list queue;    /* points to the next two */
    uint32_t queue_tokens[BM_SPLICE_QUEUE + BM_SPLICE_COPY];
    uint16_t queue_matches[BM_SPLICE_QUEUE];
    uint64_t queue_block; /* number of the block that they belong to */

    /* Where the child's text has gone in the current fragment. */
    uint64_t fragment;      /* its number in the stream; of another one nothing here is right */
    uint64_t near_end;      /* up to here in the text, tokens are looked at */
    uint64_t segment_begin; /* where text is taken: since where with this shift */
    struct bm_splice_segments segments;
};

struct bm_splice_reader {
    struct bm_memory *memory;
    const struct bm_batch *batch; /* NULL: the next one is wanted */
    bool is_last;                 /* the batch will not be given again */
    uint64_t text;                /* bytes of the child's text that were dealt with */
    uint64_t packed;              /* that were given to pack; no more than that if they are fewer */
    struct bm_splice_copy copy;
    bool has_bits;               /* they count */
    struct bm_splice_bits *bits; /* NULL as long as none have counted */
};

/* Another child. */
enum blastmerge_status bm_splice_reader_begin(struct bm_splice_reader *reader, bool has_bits) BM_CHECK_RESULT;

static inline bool bm_splice_has_queue(const struct bm_splice_bits *bits) {
    return bits->queue_head < bits->queue.n_tokens;
}

void bm_splice_queue_clear(struct bm_splice_bits *bits);

/* All of these are for readers that have a batch; all but skipping, for those whose bits count. */

/* Fills the queue, which is empty, with tokens up to near_end. False if nothing could be done. */
bool bm_splice_reader_decode(struct bm_splice_reader *reader);

/* In a Huffman block, with nothing in the queue: moves the walk up to the text offset `limit` at most, without looking
 * at tokens where that is possible. is_hard: text from there on has another fate, so go as near as tokens allow. False
 * if it is there. */
bool bm_splice_reader_move(struct bm_splice_reader *reader, uint64_t limit, bool is_hard);

/* Puts the next token, which reaches over a hard limit, into the queue. */
void bm_splice_reader_decode_one(struct bm_splice_reader *reader);

/* Leaves text out: to the limit if that is hard, else as near as is known without cutting a token. */
void bm_splice_reader_skip(struct bm_splice_reader *reader, uint64_t limit, bool is_hard);

/* The next token reaches over the limit: the bytes before are dealt with. Returns what it was. */
uint32_t bm_splice_reader_cut(struct bm_splice_reader *reader, uint64_t limit);

/* Puts all that the batch still has into the queue. */
void bm_splice_reader_hold(struct bm_splice_reader *reader);

#endif
