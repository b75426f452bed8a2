/* SPDX-License-Identifier: MIT */
/*
 * splice/state.h - what splice's own files share: the struct, and the steps that each of them takes.
 */
#ifndef BM_SPLICE_STATE_H
#define BM_SPLICE_STATE_H

#include "splice/recode.h"
#include "splice/segments.h"
#include "splice/splice.h"
#include "splice/walk.h"
#include "splice/window.h"

#include "flow/script.h"

enum {
    /* Tokens decoded and not yet looked at. All that can be held back at a batch's end must fit. */
    BM_SPLICE_QUEUE = 12288,
    BM_SPLICE_DECODE = 1024, /* tokens decoded at once */
    BM_SPLICE_COPY = 8,      /* and copied */
    /* So far after an edit, no token can reach back over it. */
    BM_SPLICE_NEAR = BM_WINDOW + BM_MAX_MATCH,
    BM_SPLICE_RUN = 2048 /* bytes that are matched anew at once; twice as many at the most */
};

struct bm_splice {
    struct bm_splice_walk walk; /* what lies before it has been decoded, or copied as bits */
    bool is_batch_new;          /* the next step brings another batch */

    /* Tokens between `text` and the walk; they end before the walk does. A match that was cut may be shorter
     * than three bytes. */
    size_t queue_head, queue_match; /* the next token, and the next match in queue.matches */
    struct bm_splice_list queue;    /* points to the next two */
    uint32_t queue_tokens[BM_SPLICE_QUEUE + BM_SPLICE_COPY];
    uint16_t queue_matches[BM_SPLICE_QUEUE];
    uint64_t queue_block; /* number of the block that they belong to */

    /* The place in the child and in the result. */
    uint64_t text;  /* bytes of the child's text that were dealt with */
    uint64_t place; /* bytes of the result before it; counted through all fragments and children */
    bool is_in_fragment;
    bool is_kept;
    bool has_edit;       /* what becomes of the text from here on may have changed since the last segment */
    uint32_t n_inserted; /* bytes of the next edit that were inserted */
    uint64_t bits;       /* of the writer, between steps */
    unsigned n_bits;
    uint64_t summed; /* during a step: the place before which the result is in the CRC */
    uint32_t crc32;

    /* Near edits. */
    uint64_t near_end;      /* up to here in the text, tokens are looked at */
    uint64_t segment_begin; /* where text is kept: since where with this shift */
    uint64_t seen;          /* where text is kept: before it, text is in the window */
    bool is_run;            /* the bytes from run_begin on are to be matched anew */
    uint64_t run_begin;     /* in the result */
    uint64_t run_touched;   /* behind the last byte that has to be */
    struct bm_splice_segments segments;
    struct bm_splice_window window;
    struct bm_splice_recode recode;
};

/* The arguments of a step. */
struct bm_splice_task {
    const struct bm_batch *batch;
    struct bm_script *edits;
    uint64_t safe; /* not beyond the batch's end */
    bool is_last_of_batch;
    struct bm_output *output;
    struct bm_splice_writer writer;
    const struct bm_edit *edit; /* the next one, if it is known to be the next */
    uint64_t limit;             /* where the next edit is, or safe */
};

/* --- near.c: tokens near edits ------------------------------------------------------------------- */

void bm_splice_queue_clear(struct bm_splice *splice);

/* Deals with the queue's tokens up to the limit, or until a chunk is full. False if nothing could be done. */
bool bm_splice_near_process(struct bm_splice *splice, struct bm_splice_task *task);

/* Fills the queue, which is empty. False if nothing could be done. */
bool bm_splice_near_decode(struct bm_splice *splice, const struct bm_batch *batch);

/* Puts all that the batch still has into the queue. */
void bm_splice_near_hold(struct bm_splice *splice, const struct bm_batch *batch);

/* --- run.c: text that is seen, summed up, and matched anew ---------------------------------------- */

/* Brings the kept text before `text` into the window. */
void bm_splice_see(struct bm_splice *splice, const struct bm_batch *batch);

/* Brings everything up to the current place into the CRC, from the window or the child's text. */
void bm_splice_sum(struct bm_splice *splice, const struct bm_batch *batch);

/* The same, if it is so much that the window may forget it before all else. */
void bm_splice_sum_many(struct bm_splice *splice, const struct bm_batch *batch);

/* The bytes that come next are to be matched anew. */
void bm_splice_run_begin(struct bm_splice *splice, const struct bm_batch *batch);

/* So are those up to the current place. */
void bm_splice_run_touch(struct bm_splice *splice, const struct bm_batch *batch);

/* Turns the run into tokens. next (may be NULL) is the match that follows; it may come out longer, with the
 * run's end. */
void bm_splice_run_end(struct bm_splice *splice, const struct bm_batch *batch, uint32_t *next);

/* --- pass.c: text that needs no look ------------------------------------------------------------- */

/* Copies bits, or skips them, up to the limit at most. The queue is empty. False if nothing could be done. */
bool bm_splice_pass(struct bm_splice *splice, struct bm_splice_task *task);

/* --- splice.c ------------------------------------------------------------------------------------ */

/* Writes what is in the chunk, the run included. */
void bm_splice_flush(struct bm_splice *splice, struct bm_splice_task *task, enum bm_splice_reason reason);

#endif
