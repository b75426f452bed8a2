/* SPDX-License-Identifier: MIT */
#include "splice/stream.h"

#include <string.h>

/*
 * Near an edit every token is looked at. Most are what they were: a literal, or a match whose source moved
 * as far as the match itself did. The others are cut into pieces, each with a source that moved by one
 * shift: a piece of three bytes or more is a match again, with another distance; what remains, and what
 * was inserted, becomes a run (run.c).
 */

enum { JOIN = 4 }; /* so many literals after the last touched byte still belong to the run */

static void advance(struct bm_splice_stream *stream, struct bm_splice_reader *reader, size_t n_bytes) {
    reader->text += n_bytes;
    stream->place += n_bytes;
}

static void put_literal(struct bm_splice_stream *stream, struct bm_splice_reader *reader, uint32_t token) {
    if (stream->is_run) {
        if (stream->place - stream->run_touched < JOIN) {
            advance(stream, reader, 1);
            return;
        }
        bm_splice_run_end(stream, NULL);
    }
    bm_splice_recode_add(&stream->recode, token, stream->place);
    advance(stream, reader, 1);
}

/* A match of at least three bytes whose source is there. It may come to begin in the run before it. */
static void put_match(struct bm_splice_stream *stream, struct bm_splice_reader *reader, uint32_t token) {
    unsigned n_bytes = bm_splice_token_length(token);
    bm_splice_run_end(stream, &token);
    advance(stream, reader, n_bytes);
    bm_splice_recode_add(&stream->recode, token, stream->place - bm_splice_token_length(token));
}

static void put_run(struct bm_splice_stream *stream, struct bm_splice_reader *reader, unsigned n_bytes) {
    bm_splice_run_begin(stream);
    advance(stream, reader, n_bytes);
    bm_splice_run_touch(stream);
}

/* Makes the last token longer instead of adding one, where a match was cut and nothing came between. */
static bool join(struct bm_splice_stream *stream, struct bm_splice_reader *reader, unsigned length,
                 unsigned distance) {
    struct bm_splice_recode *recode = &stream->recode;
    if (stream->is_run || recode->n_tokens == 0) return false;
    uint32_t *last = &recode->tokens[recode->n_tokens - 1];
    if (bm_splice_token_is_literal(*last) || bm_splice_token_distance(*last) != distance) return false;
    if (bm_splice_token_length(*last) + length > BM_MAX_MATCH) return false;
    *last += length;
    advance(stream, reader, length);
    return true;
}

static void put_pieces(struct bm_splice_stream *stream, struct bm_splice_reader *reader, unsigned length,
                       unsigned distance) {
    while (length > 0) {
        struct bm_splice_stretch stretch =
            bm_splice_segments_find(&reader->bits->segments, reader->text - distance);
        unsigned n = stretch.n_bytes < length ? (unsigned)stretch.n_bytes : length;
        uint64_t source = reader->text - distance + stretch.shift;
        uint64_t new_distance = stream->place - source;
        bool is_there = stretch.shift != BM_SPLICE_DROPPED && new_distance <= BM_WINDOW;
        length -= n;
        if (is_there && join(stream, reader, n, (unsigned)new_distance)) continue;
        if (is_there && n >= BM_MIN_MATCH)
            put_match(stream, reader, bm_splice_token_match(n, (unsigned)new_distance));
        else
            put_run(stream, reader, n);
    }
}

/* The first n_bytes of a token, or all of it. */
static void put(struct bm_splice_stream *stream, struct bm_splice_reader *reader, uint32_t token,
                unsigned n_bytes) {
    if (bm_splice_token_is_literal(token))
        put_literal(stream, reader, token);
    else
        put_pieces(stream, reader, n_bytes, bm_splice_token_distance(token));
}

/* The token that a match whose source lies before the last segment becomes, if it stays one match; else 0. */
static inline uint32_t move_match(const struct bm_splice_stream *stream,
                                  const struct bm_splice_reader *reader, uint64_t text, uint32_t token) {
    unsigned distance = bm_splice_token_distance(token);
    struct bm_splice_stretch stretch =
        bm_splice_segments_find_before(&reader->bits->segments, text - distance);
    uint64_t moved = distance + (stream->place - reader->text) - stretch.shift;
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
static size_t put_whole(struct bm_splice_stream *stream, struct bm_splice_reader *reader, uint64_t limit) {
    struct bm_splice_recode *recode = &stream->recode;
    struct bm_splice_bits *bits = reader->bits;
    const struct bm_splice_list *queue = &bits->queue;
    const uint16_t *match = queue->matches + bits->queue_match, *end = queue->matches + queue->n_matches;
    const uint32_t *token = queue->tokens + bits->queue_head;
    uint32_t *out = recode->tokens + recode->n_tokens;
    uint64_t text = reader->text;
    if (bm_splice_token_is_stump(*token)) return 0; /* only the first can be */
    if (recode->n_tokens == 0) recode->place = stream->place;
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
        if (text - bits->segment_begin < distance) {
            next = move_match(stream, reader, text, next);
            if (next == 0) break;
        }
        *out++ = next;
        token++;
        match++;
        text += length;
    }
    size_t n = (size_t)(token - queue->tokens) - bits->queue_head;
    bits->queue_head += n;
    bits->queue_match = (size_t)(match - queue->matches);
    recode->n_tokens += n;
    advance(stream, reader, (size_t)(text - reader->text));
    return n;
}

/* From here on, tokens belong to the block that the queue's do. Tokens that were held may be of one that is
 * not known any more: they go to whatever block there is. */
static void change_block(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_recode *recode = &stream->recode;
    const struct bm_splice_bits *bits = task->reader->bits;
    if (bits->queue_block == recode->block.number || bits->queue_block != bits->walk.block.number) return;
    if (recode->block.number != 0) bm_splice_flush(stream, task, BM_SPLICE_BLOCK_ENDS);
    bm_splice_recode_begin(recode, &bits->walk.block);
}

bool bm_splice_near(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    struct bm_splice_bits *bits = reader->bits;
    const uint64_t text = reader->text, limit = task->limit;
    change_block(stream, task);
    while (bm_splice_has_queue(bits) && stream->recode.n_tokens < BM_SPLICE_CHUNK) {
        if (!stream->is_run && put_whole(stream, reader, limit) > 0) continue;
        uint32_t token = bits->queue.tokens[bits->queue_head];
        unsigned length = bm_splice_token_length(token);
        if (reader->text + length > limit) {
            if (task->is_hard && reader->text < limit) {
                token = bm_splice_reader_cut(reader, limit);
                put(stream, reader, token, (unsigned)(limit - reader->text));
            }
            break;
        }
        put(stream, reader, token, length);
        bits->queue_head++;
        bits->queue_match += !bm_splice_token_is_literal(token);
    }
    return reader->text != text;
}
