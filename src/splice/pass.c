/* SPDX-License-Identifier: MIT */
#include "splice/stream.h"

#include <assert.h>

/*
 * Far from any edit text passes as bits, from one place that the trace knows to another; no token is looked
 * at. Where an edit is coming, the last stretch up to its token is walked token by token. What is skipped
 * passes in the same way (reader.c), and nothing is written.
 *
 * Stored blocks change their padding when they move, so they are made anew, in pieces that end where the
 * block does, or an edit is, or the batch ends: never where only a step does.
 */

enum { STORED_PIECE = 65535 };

/* The walk has gone from `bit` on to where it is. */
static void write_bits(struct bm_splice_stream *stream, struct bm_splice_task *task, uint64_t bit) {
    struct bm_splice_recode *recode = &stream->recode;
    const struct bm_splice_reader *reader = task->reader;
    const struct bm_splice_walk *walk = &reader->bits->walk;
    bool is_same = recode->block.number == walk->block.number;
    if (walk->text == reader->text && !(is_same && recode->is_open)) return; /* an empty block */
    if (!is_same) {
        bm_splice_recode_close(recode, &task->writer);
        bm_splice_recode_begin(recode, &walk->block);
    }
    bm_splice_recode_open(recode, &task->writer, stream->place);
    bm_splice_copy_bits(&task->writer, reader->batch->bits, bit - (reader->batch->first_bit & ~(uint64_t)7),
                        walk->bit - bit);
    task->output->n_copied += walk->bit - bit;
    if (walk->is_in_block) return;
    recode->is_open = false; /* its end was among the bits */
    recode->block.number = 0;
}

static void arrive(struct bm_splice_stream *stream, struct bm_splice_reader *reader) {
    stream->place += reader->bits->walk.text - reader->text;
    reader->text = reader->bits->walk.text;
    stream->passed = stream->place;
}

static bool pass_huffman(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    uint64_t bit = reader->bits->walk.bit;
    if (bm_splice_reader_move(reader, task->limit, task->is_hard)) {
        write_bits(stream, task, bit);
        arrive(stream, reader);
        return true;
    }
    if (task->is_hard) bm_splice_reader_decode_one(reader);
    return task->is_hard;
}

static bool pass_stored(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    struct bm_splice_walk *walk = &reader->bits->walk;
    uint64_t end = reader->text + STORED_PIECE;
    if (end > walk->block.stored_end) end = walk->block.stored_end;
    if (end > task->limit) {
        if (!task->is_hard && !reader->is_last) return false;
        end = task->limit;
    }
    size_t n_bytes = (size_t)(end - reader->text);
    bm_splice_recode_close(&stream->recode, &task->writer);
    bm_splice_recode_watch(&stream->recode, &task->writer, stream->place);
    bm_splice_put_stored(&task->writer, bm_batch_at(reader->batch, reader->text, n_bytes), n_bytes);
    task->output->n_copied += (uint64_t)n_bytes << 3;
    bm_splice_walk_stored(walk, reader->batch, n_bytes);
    arrive(stream, reader);
    return true;
}

bool bm_splice_pass(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    struct bm_splice_walk *walk = &reader->bits->walk;
    assert(walk->text == reader->text);
    if (!bm_splice_walk_open_block(walk, reader->batch)) return false;
    if (stream->is_run || stream->recode.n_tokens > 0) {
        bool is_same = walk->block.number == stream->recode.block.number;
        bm_splice_flush(stream, task, is_same ? BM_SPLICE_BITS_FOLLOW : BM_SPLICE_BLOCK_ENDS);
        return true;
    }
    if (walk->block.type == BM_BLOCK_STORED) return pass_stored(stream, task);
    return pass_huffman(stream, task);
}
