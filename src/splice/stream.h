/* SPDX-License-Identifier: MIT */
/*
 * splice/stream.h - the result's side of splicing: one deflate stream, made from readers. Its files:
 *
 *   stream.c  entries of the script, one after another
 *   near.c    tokens near edits
 *   run.c     text that goes into the window and the CRC, and is matched anew
 *   pass.c    text that is copied without decoding
 *   recode.c  tokens to bits
 */
#ifndef BM_SPLICE_STREAM_H
#define BM_SPLICE_STREAM_H

#include "splice/recode.h"
#include "splice/task.h"
#include "splice/window.h"

enum {
    /* The distance after an edit at which no token can reach back over it. */
    BM_SPLICE_NEAR = BM_WINDOW + BM_MAX_MATCH,
    BM_SPLICE_RUN = 2048, /* bytes that are matched anew at once; at most twice as many */
    /* Bytes before a place at which text no longer passes as bits that are read: the window begins there. */
    BM_SPLICE_BEFORE = 512
};

_Static_assert((int)BM_SPLICE_NEAR + BM_MAX_MATCH <= (int)BM_BATCH_BEHIND &&
                   BM_SPLICE_BEFORE + BM_MAX_MATCH <= BM_BATCH_BEFORE,
               "text that is read lies in no gap");

struct bm_splice_stream {
    uint64_t place;    /* bytes of the result before it; counted through all fragments */
    uint64_t fragment; /* number of the current one */
    struct bm_splice_reader
        *reader;         /* whose text was taken last in the fragment, or NULL: the part of the result
                                        that is not in the window yet is the text before this reader's place */
    bool is_new;         /* the script's next entry has not been begun */
    uint32_t n_inserted; /* bytes of it that were inserted */
    uint64_t bits;       /* of the writer, between steps */
    unsigned n_bits;
    uint64_t passed; /* the place up to which text has passed as bits */
    uint64_t summed; /* the place up to which the result is in the CRC */
    uint32_t crc32;  /* during a step */

    bool is_run;          /* the bytes from run_begin on are to be matched anew */
    uint64_t run_begin;   /* in the result */
    uint64_t run_touched; /* after the last byte that must be */
    struct bm_splice_window window;
    struct bm_splice_recode recode;
};

/* --- stream.c ------------------------------------------------------------------------------------ */

enum blastmerge_status bm_splice_stream_open(struct bm_splice_stream **stream,
                                             struct bm_memory *memory) BM_CHECK_RESULT;
void bm_splice_stream_begin(struct bm_splice_stream *stream);

/* Takes entries up to the fragment's end; after it, sets *has_ended. BM_STEP_DONE or BM_STEP_FULL. */
enum bm_step bm_splice_stream_step(struct bm_splice_stream *stream, struct bm_splice_task *task,
                                   bool *has_ended);

/* To be called before the reader's batch goes; its rest is in the queue. is_only: it is the only reader. */
void bm_splice_stream_hold(struct bm_splice_stream *stream, struct bm_splice_reader *reader, bool is_only);

/* Writes the chunk, including the run. */
void bm_splice_flush(struct bm_splice_stream *stream, struct bm_splice_task *task,
                     enum bm_splice_reason reason);

/* --- near.c -------------------------------------------------------------------------------------- */

/* Takes the tokens of the reader's queue up to the limit, or until a chunk is full. False if that was not
 * possible. */
bool bm_splice_near(struct bm_splice_stream *stream, struct bm_splice_task *task);

/* --- run.c --------------------------------------------------------------------------------------- */

/* Copies the result up to the current place into the window. */
void bm_splice_see(struct bm_splice_stream *stream);

/* Adds the result up to the current place to the CRC, from the window or the reader's text. In a gap of the reader's
 * batch it gets only to where that begins. */
void bm_splice_sum(struct bm_splice_stream *stream);

/* Likewise, but only if it is so much that the window may lose it soon. */
void bm_splice_sum_many(struct bm_splice_stream *stream);

/* Begins a run: the next bytes are to be matched anew. */
void bm_splice_run_begin(struct bm_splice_stream *stream);

/* Extends the run to the current place. */
void bm_splice_run_touch(struct bm_splice_stream *stream);

/* Turns the run into tokens. next (may be NULL) is the match that follows; it may become longer, by the end
 * of the run. */
void bm_splice_run_end(struct bm_splice_stream *stream, uint32_t *next);

/* --- pass.c -------------------------------------------------------------------------------------- */

/* Copies the reader's bits up to the limit at most. The queue is empty. False if that was not possible. */
bool bm_splice_pass(struct bm_splice_stream *stream, struct bm_splice_task *task);

#endif
