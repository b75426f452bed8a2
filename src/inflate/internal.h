/* SPDX-License-Identifier: MIT */
/*
 * inflate/internal.h - what the files of this room share: the decoder's state.
 *
 *   inflate.c  steps, batches, the data around blocks
 *   gzip.c     a member's header and trailer
 *   tokens.c   the hot loop: tokens -> text
 */
#ifndef BM_INFLATE_INTERNAL_H
#define BM_INFLATE_INTERNAL_H

#include "decompress/decompress.h"
#include "deflate/codes.h"
#include "inflate/inflate.h"

enum bm_inflate_phase {
    BM_INFLATE_START, /* gzip, plain or other? */
    BM_INFLATE_PLAIN,
    BM_INFLATE_OTHER,         /* zstd and the like, see decompress.h */
    BM_INFLATE_MEMBER_HEADER, /* see gzip.c */
    BM_INFLATE_BLOCK_HEADER,
    BM_INFLATE_TOKENS,
    BM_INFLATE_STORED,
    BM_INFLATE_TRAILER,
    BM_INFLATE_BETWEEN /* after a member: zero bytes, another member, or the end */
};

/* How far a phase got. */
enum bm_inflate_outcome {
    BM_INFLATE_GO_ON,      /* continue, in another phase or the same */
    BM_INFLATE_NEEDS_BITS, /* the next item is not completely in the batch's bits */
    BM_INFLATE_BATCH_FULL,
    BM_INFLATE_INVALID /* `reason` gives the reason */
};

enum bm_inflate_header_part {
    BM_INFLATE_FIXED_PART,
    BM_INFLATE_EXTRA_LENGTH,
    BM_INFLATE_EXTRA,
    BM_INFLATE_NAME,
    BM_INFLATE_COMMENT,
    BM_INFLATE_HEADER_CRC
};

enum {
    BM_INFLATE_CARRY = 1024 /* more than a block's header and a token together */
};

struct bm_inflate {
    enum bm_inflate_phase phase;
    const char *reason;

    uint64_t bit;         /* the next bit, counted from the child's first compressed byte */
    uint64_t member_text; /* text before the current member */
    struct bm_inflate_fault fault;
    uint64_t crc_text; /* text that the CRC-32 covers, all members counted */
    uint32_t crc;
    uint64_t next_mark; /* text offset from which on a BM_TRACE_TOKEN entry is due */

    bool is_final;           /* the current block is its member's last */
    uint64_t block_text;     /* text before it */
    uint32_t n_short_blocks; /* dynamic blocks in a row that were short */
    uint32_t n_stored;       /* bytes of a stored block to come */
    size_t n_header_wait;    /* bytes that must have arrived before a block's header is tried again */
    const struct bm_deflate_codes *open_codes;

    enum bm_inflate_header_part part;
    uint8_t flags;
    uint32_t header_crc;
    uint8_t field[10]; /* a field of a header or trailer, as far as it has arrived */
    uint32_t n_field;
    uint32_t n_extra;    /* bytes of the extra field to come */
    uint8_t subfield[4]; /* the header of the current subfield there: two letters, and its length */
    uint32_t n_subfield; /* bytes of that header so far, then of its data */
    bool is_bgzf;        /* the member has a subfield "BC" of two bytes, as a block of BGZF */

    bool first_is_bgzf; /* the first member has */

    /* of the members that have ended */
    bool has_members;
    bool all_are_bgzf;
    bool last_is_empty; /* the last one has no text */

    /* other compressions */
    struct bm_decompress *other; /* NULL: none */
    bool lacks_checksum;
    uint64_t frame_byte;              /* where its last whole frame has ended */
    uint8_t look[BM_DECOMPRESS_LOOK]; /* the first bytes, by which it was known */
    size_t n_look;
    size_t look_position; /* bytes before it are decoded */

    size_t n_carry; /* bytes that were taken but belong to the next batch */
    uint8_t carry[BM_INFLATE_CARRY];

    /* What follows outlives a reset. */
    bool has_bmi2;            /* of the processor: see tokens.c */
    struct bm_budget *budget; /* for the decoders of other compressions; NULL: nothing is counted */
    struct bm_deflate_codes dynamic_codes;
};

/* The position of the next bit in the batch's bits. */
static inline uint64_t bm_inflate_offset(const struct bm_inflate *inflate, const struct bm_batch *batch) {
    return inflate->bit - (batch->first_bit & ~UINT64_C(7));
}

/* Continues to read a member's header; at its end the phase is BM_INFLATE_BLOCK_HEADER. */
enum bm_inflate_outcome bm_inflate_member_header(struct bm_inflate *inflate, struct bm_batch *batch);

/* Reads a member's trailer and compares it with the text. */
enum bm_inflate_outcome bm_inflate_trailer(struct bm_inflate *inflate, struct bm_batch *batch);

/* Prepares to read a member's header, of which the first n_known bytes (ID1, ID2) are known. */
void bm_inflate_begin_member(struct bm_inflate *inflate, uint32_t n_known);

/*
 * Decodes tokens of the open block until it ends, the batch is full, or its bits do not hold another.
 * more_to_come: the caller has more bits, so the last few need no special treatment.
 */
enum bm_inflate_outcome bm_inflate_tokens(struct bm_inflate *inflate, struct bm_batch *batch,
                                          bool more_to_come);

/* Adds the text since the last call to the CRC-32 of the member and of the batch. To be called at the end of
 * each member and of each batch. */
void bm_inflate_sum_text(struct bm_inflate *inflate, struct bm_batch *batch);

/* Adds an entry for the next bit and byte of text. There is space: before a block for three entries, and
 * inside a block always for its BM_TRACE_END. */
void bm_inflate_add_trace(struct bm_inflate *inflate, struct bm_batch *batch, enum bm_trace_kind kind,
                          uint32_t n_bits);

#endif
