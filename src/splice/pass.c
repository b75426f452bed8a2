/* SPDX-License-Identifier: MIT */
#include "splice/state.h"

#include <assert.h>

/*
 * Far from any edit text passes as bits, from one place that the trace knows to another; no token is looked
 * at. Where an edit is coming, the last stretch up to its token is walked token by token. What is dropped
 * passes in the same way, and nothing is written.
 *
 * Stored blocks change their padding when they move, so they are made anew, in pieces that end where the
 * block does, or an edit is, or the batch ends: never where only a step does.
 */

enum { STORED_PIECE = 65535 };

static bool is_pending(const struct bm_splice *splice) {
    return splice->is_run || splice->recode.n_tokens > 0;
}

/* The walk has gone from `bit` on to where it is. */
static void write_bits(struct bm_splice *splice, struct bm_splice_task *task, uint64_t bit) {
    struct bm_splice_recode *recode = &splice->recode;
    const struct bm_splice_walk *walk = &splice->walk;
    bool is_same = recode->block.number == walk->block.number;
    if (walk->text == splice->text && !(is_same && recode->is_open)) return; /* an empty block */
    if (!is_same) {
        bm_splice_recode_close(recode, &task->writer);
        bm_splice_recode_begin(recode, &walk->block);
    }
    bm_splice_recode_open(recode, &task->writer);
    bm_splice_copy_bits(&task->writer, task->batch->bits, bit - (task->batch->first_bit & ~(uint64_t)7),
                        walk->bit - bit);
    if (walk->is_in_block) return;
    recode->is_open = false; /* its end was among the bits */
    recode->block.number = 0;
}

static void arrive(struct bm_splice *splice) {
    if (splice->is_kept) splice->place += splice->walk.text - splice->text;
    splice->text = splice->walk.text;
}

/* Goes to the last token that ends at the limit or before. The queue, which is empty, takes the tokens for a
 * moment. */
static void walk_to_limit(struct bm_splice *splice, struct bm_splice_task *task) {
    struct bm_splice_walk *walk = &splice->walk;
    size_t n = 1;
    while (walk->is_in_block && n > 0) {
        n = bm_splice_walk_tokens(walk, task->batch, task->limit, &splice->queue, BM_SPLICE_DECODE);
        bm_splice_queue_clear(splice);
    }
}

static bool pass_huffman(struct bm_splice *splice, struct bm_splice_task *task) {
    struct bm_splice_walk *walk = &splice->walk;
    uint64_t bit = walk->bit;
    bm_splice_queue_clear(splice);
    if (!bm_splice_walk_jump(walk, task->batch, task->limit) &&
        (task->edit != NULL || task->is_last_of_batch))
        walk_to_limit(splice, task);
    if (walk->bit != bit) {
        if (splice->is_kept) write_bits(splice, task, bit);
        arrive(splice);
        return true;
    }
    if (task->edit == NULL) return false;
    splice->queue_block = walk->block.number;
    bm_splice_walk_tokens(walk, task->batch, UINT64_MAX, &splice->queue, 1);
    return true;
}

static bool pass_stored(struct bm_splice *splice, struct bm_splice_task *task) {
    struct bm_splice_walk *walk = &splice->walk;
    uint64_t end = splice->text + STORED_PIECE;
    if (end > walk->block.stored_end) end = walk->block.stored_end;
    if (end > task->limit) {
        if (splice->is_kept && task->edit == NULL && !task->is_last_of_batch) return false;
        end = task->limit;
    }
    size_t n_bytes = (size_t)(end - splice->text);
    if (splice->is_kept) {
        bm_splice_recode_close(&splice->recode, &task->writer);
        bm_splice_put_stored(&task->writer, bm_batch_at(task->batch, splice->text), n_bytes);
    }
    bm_splice_walk_stored(walk, task->batch, n_bytes);
    arrive(splice);
    return true;
}

bool bm_splice_pass(struct bm_splice *splice, struct bm_splice_task *task) {
    struct bm_splice_walk *walk = &splice->walk;
    assert(walk->text == splice->text);
    if (!bm_splice_walk_open_block(walk, task->batch)) return false;
    if (splice->is_kept && is_pending(splice)) {
        bool is_same = walk->block.number == splice->recode.block.number;
        bm_splice_flush(splice, task, is_same ? BM_SPLICE_BITS_FOLLOW : BM_SPLICE_BLOCK_ENDS);
        return true;
    }
    if (walk->block.type == BM_BLOCK_STORED) return pass_stored(splice, task);
    return pass_huffman(splice, task);
}
