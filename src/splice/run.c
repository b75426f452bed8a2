/* SPDX-License-Identifier: MIT */
#include "splice/stream.h"

#include <assert.h>

/*
 * A run is a stretch of the result for which no token is left over: inserted text, and what remains of
 * matches whose source is gone. The match before it often goes on into it (numbers that count up
 * begin with the same digits), and the match behind it often begins in it: both only become longer. What is
 * left in the middle is looked up.
 */

enum { LITERALS_BEFORE = 3 };

/* The place from which on, up to the current one, the result is text of the reader's batch without an edit. */
static uint64_t find_untouched(const struct bm_splice_stream *stream) {
    const struct bm_splice_reader *reader = stream->reader;
    if (reader == NULL || reader->batch == NULL || !reader->has_bits) return stream->place;
    const struct bm_splice_segment *last = bm_splice_segments_last(&reader->bits->segments);
    if (reader->bits->fragment != stream->fragment || last == NULL) return stream->place;
    if (last->shift != stream->place - reader->text)
        return stream->place; /* text was inserted, or left out */
    uint64_t begin = last->begin > reader->batch->text_offset ? last->begin : reader->batch->text_offset;
    return begin < reader->text ? stream->place - (reader->text - begin) : stream->place;
}

/*
 * Text near edits comes in small pieces, but stands in the window in one: from there it goes into the CRC, a
 * lot at once. What has not been seen is summed up where it stands in the child: before the reader's place. Most text of
 * a stretch without edits need not be read, because inflate has summed it up.
 */
void bm_splice_sum(struct bm_splice_stream *stream) {
    const struct bm_splice_reader *reader = stream->reader;
    if (stream->summed == stream->place) return;
    const uint64_t untouched = find_untouched(stream), window_end = bm_splice_window_end(&stream->window);
    const uint64_t seen = window_end < untouched ? window_end : untouched;
    if (stream->summed < seen) {
        stream->crc32 = bm_crc32(stream->crc32, bm_splice_window_at(&stream->window, stream->summed),
                                 (size_t)(seen - stream->summed));
        stream->summed = seen;
    }
    if (stream->summed < untouched) {
        const uint64_t n = untouched - stream->summed;
        const uint8_t *text = bm_batch_at(reader->batch, reader->text - (stream->place - stream->summed), n);
        stream->crc32 = bm_crc32(stream->crc32, text, (size_t)n);
        stream->summed = untouched;
    }
    if (stream->summed < stream->place) {
        uint64_t from = reader->text - (stream->place - stream->summed);
        stream->summed += bm_batch_sum(reader->batch, &stream->crc32, from, reader->text) - from;
    }
}

void bm_splice_sum_many(struct bm_splice_stream *stream) {
    if (stream->place - stream->summed > BM_WINDOW) bm_splice_sum(stream);
}

/* Of text that has passed as bits the window gets only the end, as its batches may not hold more (child/keep.h). */
void bm_splice_see(struct bm_splice_stream *stream) {
    const struct bm_splice_reader *reader = stream->reader;
    uint64_t seen = bm_splice_window_end(&stream->window), n_bytes = stream->place - seen, most = BM_WINDOW;
    if (n_bytes == 0) return;
    if (stream->passed > seen && stream->place - stream->passed < BM_WINDOW - BM_SPLICE_BEFORE)
        most = stream->place - stream->passed + BM_SPLICE_BEFORE;
    if (n_bytes > most) {
        bm_splice_sum(stream);
        n_bytes = most;
        bm_splice_window_begin(&stream->window, stream->place - n_bytes);
    }
    bm_splice_sum_many(stream);
    bm_splice_window_add(&stream->window, bm_batch_at(reader->batch, reader->text - n_bytes, n_bytes),
                         (size_t)n_bytes);
    assert(bm_splice_window_end(&stream->window) == stream->place);
}

void bm_splice_run_begin(struct bm_splice_stream *stream) {
    struct bm_splice_recode *recode = &stream->recode;
    if (stream->is_run) return;
    bm_splice_see(stream);
    stream->is_run = true;
    stream->run_begin = stream->place;
    for (int i = 0; i < LITERALS_BEFORE && recode->n_tokens > 0; i++) { /* they may be part of a match now */
        if (!bm_splice_token_is_literal(recode->tokens[recode->n_tokens - 1])) break;
        recode->n_tokens--;
        stream->run_begin--;
    }
}

void bm_splice_run_touch(struct bm_splice_stream *stream) {
    stream->run_touched = stream->place;
    if (stream->place - stream->run_begin >= BM_SPLICE_RUN) bm_splice_run_end(stream, NULL);
}

/* Lets the match before the run go on into it. Returns where the rest begins. */
static uint64_t extend_last(struct bm_splice_stream *stream, uint64_t begin, uint64_t end) {
    struct bm_splice_recode *recode = &stream->recode;
    if (recode->n_tokens == 0) return begin;
    uint32_t *last = &recode->tokens[recode->n_tokens - 1];
    if (bm_splice_token_is_literal(*last)) return begin;
    size_t room = BM_MAX_MATCH - bm_splice_token_length(*last);
    unsigned n = bm_splice_window_agree(&stream->window, begin, bm_splice_token_distance(*last),
                                        room < end - begin ? room : (size_t)(end - begin));
    *last += n;
    return begin + n;
}

/* Lets the match behind the run begin in it. Returns where the rest ends. */
static uint64_t extend_next(struct bm_splice_stream *stream, uint64_t begin, uint64_t end, uint32_t *next) {
    if (next == NULL) return end;
    size_t room = BM_MAX_MATCH - bm_splice_token_length(*next);
    unsigned n = bm_splice_window_agree_before(&stream->window, end, bm_splice_token_distance(*next),
                                               room < end - begin ? room : (size_t)(end - begin));
    *next += n;
    return end - n;
}

void bm_splice_run_end(struct bm_splice_stream *stream, uint32_t *next) {
    struct bm_splice_window *window = &stream->window;
    uint64_t begin = stream->run_begin, end = stream->place;
    if (!stream->is_run) return;
    stream->is_run = false;
    bm_splice_see(stream);
    begin = extend_last(stream, begin, end);
    end = extend_next(stream, begin, end, next);
    bm_splice_window_learn(window, stream->run_begin, begin);
    while (begin < end) {
        struct bm_splice_match match = bm_splice_window_find(window, begin, (size_t)(end - begin));
        unsigned length = match.length != 0 ? match.length : 1;
        uint32_t token = match.length != 0 ? bm_splice_token_match(match.length, match.distance)
                                           : *bm_splice_window_at(window, begin);
        bm_splice_recode_add(&stream->recode, token, begin);
        bm_splice_window_learn(window, begin, begin + length);
        begin += length;
    }
    bm_splice_window_learn(window, end, stream->place);
}
