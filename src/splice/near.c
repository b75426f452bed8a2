/* SPDX-License-Identifier: MIT */
#include "splice/state.h"

#include <assert.h>
#include <string.h>

/*
 * Near an edit every token is looked at. Most are what they were: a literal, or a match whose source moved
 * as far as the match itself did. The others are cut into pieces, each with a source that moved by one
 * shift: a piece of three bytes or more is a match again, with another distance; what remains, and what
 * was inserted, becomes a run (run.c).
 */

enum { JOIN = 4 }; /* so many literals after the last touched byte still belong to the run */

static void advance(struct bm_splice *splice, size_t n_bytes) {
    splice->text += n_bytes;
    splice->place += n_bytes;
}

static void put_literal(struct bm_splice *splice, const struct bm_batch *batch, uint32_t token) {
    if (splice->is_run) {
        if (splice->place - splice->run_touched < JOIN) {
            advance(splice, 1);
            return;
        }
        bm_splice_run_end(splice, batch, NULL);
    }
    bm_splice_recode_add(&splice->recode, token, splice->place);
    advance(splice, 1);
}

/* A match of at least three bytes whose source is there. It may come to begin in the run before it. */
static void put_match(struct bm_splice *splice, const struct bm_batch *batch, uint32_t token) {
    unsigned n_bytes = bm_splice_token_length(token);
    bm_splice_run_end(splice, batch, &token);
    advance(splice, n_bytes);
    bm_splice_recode_add(&splice->recode, token, splice->place - bm_splice_token_length(token));
}

static void put_run(struct bm_splice *splice, const struct bm_batch *batch, unsigned n_bytes) {
    bm_splice_run_begin(splice, batch);
    advance(splice, n_bytes);
    bm_splice_run_touch(splice, batch);
}

/* Makes the last token longer instead of adding one, where a match was cut and nothing came between. */
static bool join(struct bm_splice *splice, unsigned length, unsigned distance) {
    struct bm_splice_recode *recode = &splice->recode;
    if (splice->is_run || recode->n_tokens == 0) return false;
    uint32_t *last = &recode->tokens[recode->n_tokens - 1];
    if (bm_splice_token_is_literal(*last) || bm_splice_token_distance(*last) != distance) return false;
    if (bm_splice_token_length(*last) + length > BM_MAX_MATCH) return false;
    *last += length;
    advance(splice, length);
    return true;
}

static void put_pieces(struct bm_splice *splice, const struct bm_batch *batch, unsigned length,
                       unsigned distance) {
    while (length > 0) {
        struct bm_splice_stretch stretch =
            bm_splice_segments_find(&splice->segments, splice->text - distance);
        unsigned n = stretch.n_bytes < length ? (unsigned)stretch.n_bytes : length;
        uint64_t source = splice->text - distance + stretch.shift;
        uint64_t new_distance = splice->place - source;
        bool is_there = stretch.shift != BM_SPLICE_DROPPED && new_distance <= BM_WINDOW;
        length -= n;
        if (is_there && join(splice, n, (unsigned)new_distance)) continue;
        if (is_there && n >= BM_MIN_MATCH)
            put_match(splice, batch, bm_splice_token_match(n, (unsigned)new_distance));
        else
            put_run(splice, batch, n);
    }
}

/* The first n_bytes of a token, or all of it. */
static void put(struct bm_splice *splice, const struct bm_batch *batch, uint32_t token, unsigned n_bytes) {
    if (!splice->is_kept) {
        splice->text += n_bytes;
    } else if (bm_splice_token_is_literal(token)) {
        put_literal(splice, batch, token);
    } else {
        put_pieces(splice, batch, n_bytes, bm_splice_token_distance(token));
    }
}

/* The token that a match whose source lies before the last segment becomes, if it stays one match; else 0. */
static inline uint32_t move_match(const struct bm_splice *splice, uint64_t text, uint32_t token) {
    unsigned distance = bm_splice_token_distance(token);
    struct bm_splice_stretch stretch = bm_splice_segments_find_before(&splice->segments, text - distance);
    uint64_t moved = distance + (splice->place - splice->text) - stretch.shift;
    if (stretch.n_bytes < bm_splice_token_length(token) || stretch.shift == BM_SPLICE_DROPPED) return 0;
    if (moved > BM_WINDOW) return 0;
    return bm_splice_token_match(bm_splice_token_written_length(token), (unsigned)moved);
}

/* Writes up to BM_SPLICE_COPY - 1 too many. */
static inline void copy_tokens(uint32_t *to, const uint32_t *from, size_t n) {
    size_t i = 0;
    do {
        memcpy(to + i, from + i, BM_SPLICE_COPY * sizeof *to);
        i += BM_SPLICE_COPY;
    } while (bm_unlikely(i < n));
}

/* Tokens that need not be cut, where no run is open: the fast way, from match to match. Returns how many it
 * took. */
static size_t put_whole(struct bm_splice *splice, uint64_t limit) {
    struct bm_splice_recode *recode = &splice->recode;
    const struct bm_splice_list *queue = &splice->queue;
    const uint16_t *match = queue->matches + splice->queue_match, *end = queue->matches + queue->n_matches;
    const uint32_t *token = queue->tokens + splice->queue_head;
    uint32_t *out = recode->tokens + recode->n_tokens;
    uint64_t text = splice->text;
    if (bm_splice_token_is_stump(*token)) return 0; /* only the first can be */
    if (recode->n_tokens == 0) recode->place = splice->place;
    for (;;) {
        size_t n = (size_t)(queue->tokens + (match < end ? *match : queue->n_tokens) - token);
        size_t room = (size_t)(recode->tokens + BM_SPLICE_CHUNK - out);
        if (room > limit - text) room = (size_t)(limit - text);
        bool is_last = match == end || n >= room;
        if (n > room) n = room;
        copy_tokens(out, token, n);
        out += n;
        token += n;
        text += n;
        if (is_last) break;
        uint32_t next = *token;
        unsigned length = bm_splice_token_length(next), distance = bm_splice_token_distance(next);
        if (text + length > limit) break;
        if (text - splice->segment_begin < distance) {
            next = move_match(splice, text, next);
            if (next == 0) break;
        }
        *out++ = next;
        token++;
        match++;
        text += length;
    }
    size_t n = (size_t)(token - queue->tokens) - splice->queue_head;
    splice->queue_head += n;
    splice->queue_match = (size_t)(match - queue->matches);
    recode->n_tokens += n;
    advance(splice, (size_t)(text - splice->text));
    return n;
}

/* From here on, tokens belong to the block that the queue's do. Tokens that were held may be of one that is
 * not known any more: they go to whatever block there is. */
static void change_block(struct bm_splice *splice, struct bm_splice_task *task) {
    struct bm_splice_recode *recode = &splice->recode;
    if (!splice->is_kept || splice->queue_block == recode->block.number) return;
    if (splice->queue_block != splice->walk.block.number) return;
    if (recode->block.number != 0) bm_splice_flush(splice, task, BM_SPLICE_BLOCK_ENDS);
    bm_splice_recode_begin(recode, &splice->walk.block);
}

/* The next token reaches over the edit at the limit: deals with the bytes before. */
static void cut(struct bm_splice *splice, struct bm_splice_task *task) {
    uint32_t *token = &splice->queue.tokens[splice->queue_head];
    unsigned n = (unsigned)(task->limit - splice->text);
    unsigned rest = bm_splice_token_length(*token) - n;
    put(splice, task->batch, *token, n);
    *token = bm_splice_token_match(rest, bm_splice_token_distance(*token));
}

bool bm_splice_near_process(struct bm_splice *splice, struct bm_splice_task *task) {
    uint64_t text = splice->text;
    change_block(splice, task);
    while (splice->queue_head < splice->queue.n_tokens && splice->recode.n_tokens < BM_SPLICE_CHUNK) {
        if (splice->is_kept && !splice->is_run && put_whole(splice, task->limit) > 0) continue;
        uint32_t token = splice->queue.tokens[splice->queue_head];
        unsigned length = bm_splice_token_length(token);
        if (splice->text + length > task->limit) {
            if (task->edit != NULL && splice->text < task->limit) cut(splice, task);
            break;
        }
        put(splice, task->batch, token, length);
        splice->queue_head++;
        splice->queue_match += !bm_splice_token_is_literal(token);
    }
    return splice->text != text;
}

void bm_splice_queue_clear(struct bm_splice *splice) {
    splice->queue_head = splice->queue_match = 0;
    splice->queue = (struct bm_splice_list){splice->queue_tokens, splice->queue_matches, 0, 0};
}

bool bm_splice_near_decode(struct bm_splice *splice, const struct bm_batch *batch) {
    struct bm_splice_walk *walk = &splice->walk;
    bm_splice_see(splice, batch);
    if (!bm_splice_walk_open_block(walk, batch)) return false;
    splice->queue_block = walk->block.number;
    bm_splice_queue_clear(splice);
    size_t n = bm_splice_walk_tokens(walk, batch, splice->near_end, &splice->queue, BM_SPLICE_DECODE);
    if (n > 0 || !walk->is_in_block) return true;
    if (walk->text == bm_batch_end(batch)) return false;
    splice->near_end = splice->text; /* the next token reaches over the end: what follows passes */
    return true;
}

/* Drops what has been dealt with. */
static void compact(struct bm_splice *splice) {
    const struct bm_splice_list old = splice->queue;
    const size_t head = splice->queue_head, match = splice->queue_match;
    bm_splice_queue_clear(splice);
    splice->queue.n_tokens = old.n_tokens - head;
    splice->queue.n_matches = old.n_matches - match;
    memmove(splice->queue_tokens, splice->queue_tokens + head, splice->queue.n_tokens * sizeof *old.tokens);
    for (size_t i = 0; i < splice->queue.n_matches; i++)
        splice->queue_matches[i] = (uint16_t)(splice->queue_matches[match + i] - head);
}

void bm_splice_near_hold(struct bm_splice *splice, const struct bm_batch *batch) {
    struct bm_splice_walk *walk = &splice->walk;
    compact(splice);
    while (bm_splice_walk_open_block(walk, batch)) {
        if (splice->queue.n_tokens == 0) splice->queue_block = walk->block.number;
        size_t n = bm_splice_walk_tokens(walk, batch, UINT64_MAX, &splice->queue, BM_SPLICE_QUEUE);
        if (n == 0 && walk->is_in_block) break;
    }
    if (splice->queue.n_tokens > 0) bm_splice_see(splice, batch);
    assert(walk->text == bm_batch_end(batch));
}
