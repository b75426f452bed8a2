/* SPDX-License-Identifier: MIT */
#include "splice/reader.h"

#include <assert.h>
#include <string.h>

enum blastmerge_status bm_splice_reader_open(struct bm_splice_reader **reader, struct bm_memory *memory) {
    *reader = bm_allocate(memory, sizeof **reader);
    if (*reader == NULL) return BLASTMERGE_NO_MEMORY;
    (*reader)->memory = memory;
    return BLASTMERGE_OK;
}

void bm_splice_reader_close(struct bm_splice_reader *reader) {
    if (reader == NULL) return;
    bm_release(reader->memory, reader->bits);
    bm_release(reader->memory, reader);
}

enum blastmerge_status bm_splice_reader_begin(struct bm_splice_reader *reader, bool has_bits) {
    reader->batch = NULL;
    reader->is_last = false;
    reader->text = reader->packed = 0;
    bm_splice_copy_reset(&reader->copy);
    reader->has_bits = has_bits;
    if (!has_bits) return BLASTMERGE_OK;
    if (reader->bits == NULL) reader->bits = bm_allocate(reader->memory, sizeof *reader->bits);
    if (reader->bits == NULL) return BLASTMERGE_NO_MEMORY;
    bm_splice_walk_reset(&reader->bits->walk);
    bm_splice_queue_clear(reader->bits);
    reader->bits->fragment = 0;
    return BLASTMERGE_OK;
}

void bm_splice_give(struct bm_splice_reader *reader, const struct bm_batch *batch, bool is_last) {
    bool is_new = reader->batch == NULL;
    bm_require(is_new || reader->batch == batch);
    reader->batch = batch;
    reader->is_last = is_last;
    if (is_new && reader->has_bits) bm_splice_walk_begin(&reader->bits->walk, batch);
}

/* --- the queue ----------------------------------------------------------------------------------- */

void bm_splice_queue_clear(struct bm_splice_bits *bits) {
    bits->queue_head = bits->queue_match = 0;
    bits->queue = (struct bm_splice_list){bits->queue_tokens, bits->queue_matches, 0, 0};
}

bool bm_splice_reader_decode(struct bm_splice_reader *reader) {
    struct bm_splice_bits *bits = reader->bits;
    struct bm_splice_walk *walk = &bits->walk;
    if (!bm_splice_walk_open_block(walk, reader->batch)) return false;
    bits->queue_block = walk->block.number;
    bm_splice_queue_clear(bits);
    size_t n = bm_splice_walk_tokens(walk, reader->batch, bits->near_end, &bits->queue, BM_SPLICE_DECODE);
    if (n > 0 || !walk->is_in_block) return true;
    if (walk->text == bm_batch_end(reader->batch)) return false;
    bits->near_end = reader->text; /* the next token reaches over the end: what follows passes */
    return true;
}

void bm_splice_reader_decode_one(struct bm_splice_reader *reader) {
    struct bm_splice_bits *bits = reader->bits;
    bits->queue_block = bits->walk.block.number;
    bm_splice_walk_tokens(&bits->walk, reader->batch, UINT64_MAX, &bits->queue, 1);
}

uint32_t bm_splice_reader_cut(struct bm_splice_reader *reader, uint64_t limit) {
    uint32_t *token = &reader->bits->queue.tokens[reader->bits->queue_head], whole = *token;
    unsigned rest = bm_splice_token_length(whole) - (unsigned)(limit - reader->text);
    *token = bm_splice_token_match(rest, bm_splice_token_distance(whole));
    return whole;
}

/* Drops what has been dealt with. */
static void compact(struct bm_splice_bits *bits) {
    const struct bm_splice_list old = bits->queue;
    const size_t head = bits->queue_head, match = bits->queue_match;
    bm_splice_queue_clear(bits);
    bits->queue.n_tokens = old.n_tokens - head;
    bits->queue.n_matches = old.n_matches - match;
    memmove(bits->queue_tokens, bits->queue_tokens + head, bits->queue.n_tokens * sizeof *old.tokens);
    for (size_t i = 0; i < bits->queue.n_matches; i++)
        bits->queue_matches[i] = (uint16_t)(bits->queue_matches[match + i] - head);
}

void bm_splice_reader_hold(struct bm_splice_reader *reader) {
    struct bm_splice_bits *bits = reader->bits;
    struct bm_splice_walk *walk = &bits->walk;
    compact(bits);
    while (bm_splice_walk_open_block(walk, reader->batch)) {
        if (bits->queue.n_tokens == 0) bits->queue_block = walk->block.number;
        size_t n = bm_splice_walk_tokens(walk, reader->batch, UINT64_MAX, &bits->queue, BM_SPLICE_QUEUE);
        if (n == 0 && walk->is_in_block) break;
    }
    bm_require(walk->text == bm_batch_end(reader->batch)); /* else more was left than can be held */
}

/* --- going on without a look at tokens ----------------------------------------------------------- */

/* Goes to the last token that ends at the limit or before. The queue, which is empty, takes the tokens for a
 * moment. */
static void walk_to_limit(struct bm_splice_reader *reader, uint64_t limit) {
    struct bm_splice_bits *bits = reader->bits;
    size_t n = 1;
    while (bits->walk.is_in_block && n > 0) {
        n = bm_splice_walk_tokens(&bits->walk, reader->batch, limit, &bits->queue, BM_SPLICE_DECODE);
        bm_splice_queue_clear(bits);
    }
}

bool bm_splice_reader_move(struct bm_splice_reader *reader, uint64_t limit, bool is_hard) {
    struct bm_splice_walk *walk = &reader->bits->walk;
    uint64_t bit = walk->bit;
    bm_splice_queue_clear(reader->bits);
    if (!bm_splice_walk_jump(walk, reader->batch, limit) && (is_hard || reader->is_last))
        walk_to_limit(reader, limit);
    return walk->bit != bit;
}

/* --- text that is left out ----------------------------------------------------------------------- */

/* As far as the queue goes. False if a token in it reaches over the limit. */
static bool skip_queue(struct bm_splice_reader *reader, uint64_t limit, bool is_hard) {
    struct bm_splice_bits *bits = reader->bits;
    while (bm_splice_has_queue(bits) && reader->text < limit) {
        uint32_t token = bits->queue.tokens[bits->queue_head];
        unsigned length = bm_splice_token_length(token);
        if (reader->text + length > limit) {
            if (!is_hard) return false;
            bm_splice_reader_cut(reader, limit);
            reader->text = limit;
            return true;
        }
        reader->text += length;
        bits->queue_head++;
        bits->queue_match += !bm_splice_token_is_literal(token);
    }
    return true;
}

/* In a block, with nothing in the queue. False if no place that can be gone to lies before the limit. */
static bool skip_in_block(struct bm_splice_reader *reader, uint64_t limit, bool is_hard) {
    struct bm_splice_walk *walk = &reader->bits->walk;
    assert(walk->text == reader->text);
    if (walk->block.type == BM_BLOCK_STORED) {
        uint64_t end = limit < walk->block.stored_end ? limit : walk->block.stored_end;
        bm_splice_walk_stored(walk, reader->batch, (size_t)(end - reader->text));
    } else if (!bm_splice_reader_move(reader, limit, is_hard)) {
        if (is_hard) bm_splice_reader_decode_one(reader);
        return is_hard;
    }
    reader->text = walk->text;
    return true;
}

void bm_splice_reader_skip(struct bm_splice_reader *reader, uint64_t limit, bool is_hard) {
    struct bm_splice_bits *bits = reader->bits;
    if (!reader->has_bits) {
        reader->text = limit;
        return;
    }
    bool goes_on = true;
    while (goes_on && reader->text < limit) {
        if (bm_splice_has_queue(bits))
            goes_on = skip_queue(reader, limit, is_hard);
        else
            goes_on = bm_splice_walk_open_block(&bits->walk, reader->batch) &&
                      skip_in_block(reader, limit, is_hard);
    }
}
