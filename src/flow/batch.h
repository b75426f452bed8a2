/* SPDX-License-Identifier: MIT */
/*
 * flow/batch.h - a batch, which inflate hands on: a stretch of a child's text, the compressed bytes that
 * it came from, and a trace that gives the bit where each stretch of text begins.
 *
 * Batches of a child follow one another without a gap, in text and in bits. Where one ends depends on
 * the compressed stream alone (its text, its bits or its trace is full), never on how the bytes arrived.
 * A batch begins and ends between two tokens or between two blocks, never inside a token or a block's
 * header. Each batch is preceded in memory by up to 32 KiB of earlier text, the
 * farthest that a match can reach.
 */
#ifndef BM_BATCH_H
#define BM_BATCH_H

#include "base/base.h"

enum {
    BM_WINDOW = 32768,      /* a match's largest distance (RFC 1951, 3.2.5) */
    BM_BATCH_TEXT = 131072, /* text bytes in a batch at most */
    BM_BATCH_SLACK = 320,   /* bytes after the text that may be overwritten by copies in large steps */
    BM_BATCH_BITS = 65536,  /* compressed bytes in a batch at most */
    BM_BATCH_TRACE = 1024,  /* trace entries in a batch at most */
    BM_BATCH_SUM = 16384,   /* text bytes in a stretch that is summed up on its own */
    BM_BATCH_SUMS = BM_BATCH_TEXT / BM_BATCH_SUM,
    BM_BATCH_LEAST_TEXT = 8192,
    BM_BATCH_LEAST_BITS = 2048,
    BM_BATCH_LEAST_TRACE = 32,
    BM_TRACE_INTERVAL = 4096, /* text bytes between two BM_TRACE_TOKEN entries, about */
    /* Bytes of text around a mark, and before the place up to which marks are known, that lie in no gap. */
    BM_BATCH_BEFORE = 1024,
    BM_BATCH_BEHIND = BM_WINDOW + 1024
};

enum bm_trace_kind {
    BM_TRACE_MEMBER, /* a gzip member's deflate data begins at `bit`; no match reaches back beyond `text` */
    BM_TRACE_BLOCK,  /* a deflate block's header begins at `bit` with BFINAL */
    BM_TRACE_TOKEN,  /* in the open block: the token of the text from `text` on begins at `bit`.
                        There is one right after each header, one where a batch begins inside a block,
                        and one each BM_TRACE_INTERVAL bytes of text or so. In a stored block `bit` is
                        the first bit of the byte at `text` */
    BM_TRACE_END     /* the open block's tokens end at `bit`, where its end-of-block symbol of `n_bits`
                        bits begins (stored blocks: the end of its bytes, n_bits 0) */
};

struct bm_trace {
    uint64_t bit;  /* bits of the child's compressed bytes before this place */
    uint64_t text; /* bytes of the child's text before this place */
    uint32_t kind; /* enum bm_trace_kind */
    uint32_t n_bits;
};

/* A stretch of text that a batch stands for without holding it: its bytes must not be read. The CRC-32 of some text
 * before it becomes crc_after where it was crc_before. */
struct bm_batch_gap {
    uint64_t from;
    uint64_t to;
    uint32_t crc_before;
    uint32_t crc_after;
};

/* How much a batch holds at most. The text and bits that inflate produces do not depend on it. */
struct bm_batch_size {
    uint32_t text;  /* bytes, from BM_BATCH_LEAST_TEXT to BM_BATCH_TEXT */
    uint32_t bits;  /* compressed bytes, from BM_BATCH_LEAST_BITS to BM_BATCH_BITS */
    uint32_t trace; /* entries, from BM_BATCH_LEAST_TRACE to BM_BATCH_TRACE */
};

/* A stretch of a batch's text turns the CRC-32 `before` into `after`: see bm_crc32_follow(). */
struct bm_batch_sum {
    uint32_t before;
    uint32_t after;
    uint32_t n_bytes; /* from the stretch's beginning on; fewer than its own if a gzip member ends in it */
};

struct bm_batch {
    struct bm_batch_size size;
    uint64_t text_offset; /* bytes of the child's text before this batch */
    uint8_t *text;        /* n_text bytes; before them n_history bytes of earlier text; after them slack */
    size_t n_text;
    size_t n_history;    /* min(text_offset, BM_WINDOW), or less where the batch before has a gap in there */
    uint32_t crc_before; /* of some text right before the batch's ... */
    uint32_t
        crc_after; /* ... and of that and the batch's, once the batch is complete; see bm_crc32_follow() */

    struct bm_batch_sum sums[BM_BATCH_SUMS]; /* of the stretches from each BM_BATCH_SUM bytes of text on */
    bool is_compressed;                      /* the child is, by gzip or otherwise */
    bool has_trace;     /* it is gzip. Only the text of other children counts; the trace of other compressions
                           has a BM_TRACE_MEMBER where a frame has ended, and no more */
    uint64_t first_bit; /* where the batch begins in the child's compressed bytes ... */
    uint64_t end_bit;   /* ... and where it ends */
    uint8_t
        *bits; /* n_bits_bytes bytes, the first of which holds first_bit; 8 readable bytes of slack after */
    size_t n_bits_bytes;
    struct bm_trace *trace;
    size_t n_trace;

    const struct bm_batch_gap
        *gaps; /* n_gaps, in ascending order; borrowed. Most batches have none (child/keep.h) */
    size_t n_gaps;

    uint8_t *buffer; /* the memory of all of it */
};

/* Allocates an empty batch of the largest size, or of another one. BLASTMERGE_NO_MEMORY or BLASTMERGE_OK. */
enum blastmerge_status bm_batch_open(struct bm_batch *batch, struct bm_memory *memory) BM_CHECK_RESULT;
enum blastmerge_status bm_batch_open_sized(struct bm_batch *batch, const struct bm_batch_size *size,
                                           struct bm_memory *memory) BM_CHECK_RESULT;
/* The memory that one of this size takes. */
size_t bm_batch_bytes(const struct bm_batch_size *size);
void bm_batch_close(struct bm_batch *batch, struct bm_memory *memory);

/* Makes `batch` the empty one that follows `before` (NULL: the first of a child; or the batch itself), with
 * its history. */
void bm_batch_begin(struct bm_batch *batch, const struct bm_batch *before);

/* The CRC-32 of a text that the batch's from one offset in the child's text to another follows; crc: that of the text. It
 * reads only the text whose sums are not known. */
uint32_t bm_batch_crc32(const struct bm_batch *batch, uint32_t crc, uint64_t from, uint64_t to);

/* The offset of the batch's end in the child's text. */
static inline uint64_t bm_batch_end(const struct bm_batch *batch) {
    return batch->text_offset + batch->n_text;
}

/* Whether some of the n_bytes of text from the offset on are in a gap. */
static inline bool bm_batch_has_gap(const struct bm_batch *batch, uint64_t offset, uint64_t n_bytes) {
    for (size_t i = 0; i < batch->n_gaps; i++)
        if (batch->gaps[i].from < offset + n_bytes && batch->gaps[i].to > offset) return true;
    return false;
}

/* n_bytes of the child's text from the offset on. They must be in the batch or in the history before it, and in no gap: who
 * reads more of a child's text than what is near its marks has to see to it that there are none (child/keep.h). */
static inline const uint8_t *bm_batch_at(const struct bm_batch *batch, uint64_t offset, uint64_t n_bytes) {
    bm_require(offset + batch->n_history >= batch->text_offset && offset <= bm_batch_end(batch) &&
               n_bytes <= bm_batch_end(batch) - offset && !bm_batch_has_gap(batch, offset, n_bytes));
    return batch->text + (int64_t)(offset - batch->text_offset);
}

/* Adds the text [from, to), which lies in the batch or the history before it, to the CRC-32. Stops where a gap begins
 * that goes on behind `to`. Returns the offset up to which the text was added. */
uint64_t bm_batch_sum(const struct bm_batch *batch, uint32_t *crc, uint64_t from, uint64_t to);

#endif
