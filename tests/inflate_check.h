/* SPDX-License-Identifier: MIT */
/*
 * Holds the decoder against zlib and against the slow decoder: verdict, text, error and trace, and all
 * batches for several ways to split the input. For tests and the fuzzer: what is wrong is printed, and ends
 * the program.
 */
#ifndef INFLATE_CHECK_H
#define INFLATE_CHECK_H

#include "deflate/deflate.h"
#include "inflate/internal.h"
#include "inflate_slow.h"

#include <stdio.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

/* What a decoder made of some data. */
struct outcome {
    enum slow_verdict verdict;
    uint8_t *text;
    size_t n_text, text_room;
    uint32_t hash; /* own decoder: all that the batches and the error said */
};

struct checker {
    struct bm_memory memory;
    struct bm_inflate *inflate;
    struct bm_batch batches[2];
    uint64_t n_batches;
    struct slow slow;
    z_stream stream;
    struct outcome zlib, own, other; /* own: whole; other: split */
};

static void checker_open(struct checker *checker) {
    memset(checker, 0, sizeof *checker);
    bm_memory_open(&checker->memory, NULL);
    CHECK(bm_inflate_open(&checker->inflate, &checker->memory) == BLASTMERGE_OK);
    CHECK(bm_batch_open(&checker->batches[0], &checker->memory) == BLASTMERGE_OK);
    CHECK(bm_batch_open(&checker->batches[1], &checker->memory) == BLASTMERGE_OK);
    CHECK(inflateInit2(&checker->stream, 31) == Z_OK);
}

static void checker_close(struct checker *checker) {
    bm_inflate_close(checker->inflate, &checker->memory);
    bm_batch_close(&checker->batches[0], &checker->memory);
    bm_batch_close(&checker->batches[1], &checker->memory);
    CHECK(checker->memory.n_bytes == 0);
    inflateEnd(&checker->stream);
    slow_close(&checker->slow);
    free(checker->zlib.text);
    free(checker->own.text);
    free(checker->other.text);
}

/* --- zlib's opinion -------------------------------------------------------------------------------- */

static bool zlib_member(z_stream *stream, struct outcome *outcome) {
    int result;
    do {
        outcome->text = slow_grow(outcome->text, &outcome->text_room, outcome->n_text, 1);
        size_t n_free = outcome->text_room - outcome->n_text;
        stream->next_out = outcome->text + outcome->n_text;
        stream->avail_out = (uInt)n_free;
        CHECK(stream->avail_out == n_free);
        result = inflate(stream, Z_NO_FLUSH);
        outcome->n_text += n_free - stream->avail_out;
        CHECK(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR || result == Z_DATA_ERROR);
    } while (result == Z_OK);
    if (result == Z_BUF_ERROR) outcome->verdict = SLOW_CUT;
    if (result == Z_DATA_ERROR) outcome->verdict = SLOW_DAMAGED;
    return result == Z_STREAM_END;
}

/* As gzip reads: members and zero bytes, and nothing else. */
static void zlib_decode(struct checker *checker, const uint8_t *data, size_t n_data) {
    z_stream *stream = &checker->stream;
    checker->zlib.verdict = SLOW_WHOLE;
    checker->zlib.n_text = 0;
    CHECK(inflateReset(stream) == Z_OK);
    stream->next_in = data;
    stream->avail_in = (uInt)n_data;
    while (stream->avail_in > 0 && zlib_member(stream, &checker->zlib)) {
        CHECK(inflateReset(stream) == Z_OK);
        while (stream->avail_in > 0 && *stream->next_in == 0) stream->next_in++, stream->avail_in--;
    }
}

/* --- our own, fed in pieces ------------------------------------------------------------------------- */

/* How the input is split: a size that repeats, or, where it is 0, sizes of 1 to 4096 and sometimes 0 drawn
 * from `seed`. late_end: the last step gets no bytes. */
struct split {
    size_t n_piece;
    uint64_t seed;
    bool late_end;
    bool is_portable;
};

static size_t next_piece(struct split *split) {
    if (split->n_piece != 0) return split->n_piece;
    split->seed = split->seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    unsigned random = (unsigned)(split->seed >> 40);
    return random >> 12 & 1 ? random & 15 : random & 4095;
}

static void add_hash(uint32_t *hash, const void *data, size_t n_bytes) {
    *hash = (uint32_t)crc32_z(*hash, data, n_bytes);
}

static void check_token_gap(const struct bm_batch *batch) {
    bool is_open = false;
    for (size_t i = 0; i < batch->n_trace; i++) {
        const struct bm_trace *entry = &batch->trace[i];
        if (is_open) CHECK(entry->text - entry[-1].text <= BM_TRACE_INTERVAL + 256 + BM_MAX_MATCH);
        is_open = entry->kind == BM_TRACE_TOKEN;
        if (entry->kind == BM_TRACE_BLOCK) CHECK(i + 1 < batch->n_trace && entry[1].kind == BM_TRACE_TOKEN);
    }
    if (is_open) {
        uint64_t end = batch->text_offset + batch->n_text;
        CHECK(end - batch->trace[batch->n_trace - 1].text <= BM_TRACE_INTERVAL + 256 + BM_MAX_MATCH);
    }
}

/* What batch.h promises of a batch by itself, and of its place behind the one before it. */
static void check_batch(const struct bm_batch *batch, const struct outcome *outcome, uint64_t end_before,
                        const uint8_t *data, size_t n_data) {
    CHECK(batch->text_offset == outcome->n_text && batch->n_text <= BM_BATCH_TEXT);
    CHECK(bm_crc32_follow(0, batch->crc_before, batch->crc_after, batch->n_text) ==
          bm_crc32(0, batch->text, batch->n_text));
    CHECK(batch->n_history == (outcome->n_text < BM_WINDOW ? outcome->n_text : BM_WINDOW));
    if (batch->n_history != 0) {
        CHECK(memcmp(batch->text - batch->n_history, outcome->text + outcome->n_text - batch->n_history,
                     batch->n_history) == 0);
    }
    if (!batch->has_trace) return;
    size_t first_byte = (size_t)(batch->first_bit >> 3);
    CHECK(batch->first_bit == end_before && batch->end_bit >= batch->first_bit);
    CHECK(batch->n_bits_bytes == ((batch->end_bit + 7) >> 3) - first_byte &&
          batch->n_bits_bytes <= BM_BATCH_BITS);
    CHECK(first_byte + batch->n_bits_bytes <= n_data);
    CHECK(memcmp(batch->bits, data + first_byte, batch->n_bits_bytes) == 0);
    CHECK(batch->n_trace <= BM_BATCH_TRACE);
    check_token_gap(batch);
}

/* Every entry names a place that the slow decoder went through, in order, and none but tokens are left out.
 */
struct tracer {
    const struct slow *slow;
    size_t n_events;
    bool is_open;
};

static void check_trace(struct tracer *tracer, const struct bm_batch *batch) {
    if (tracer->is_open) {
        CHECK(batch->n_trace > 0 && batch->trace[0].kind == BM_TRACE_TOKEN);
        CHECK(batch->trace[0].bit == batch->first_bit && batch->trace[0].text == batch->text_offset);
    }
    for (size_t i = 0; i < batch->n_trace; i++) {
        const struct bm_trace *entry = &batch->trace[i];
        for (;; tracer->n_events++) {
            CHECK(tracer->n_events < tracer->slow->n_events);
            const struct bm_trace *event = &tracer->slow->events[tracer->n_events];
            if (event->kind == entry->kind && event->bit == entry->bit && event->text == entry->text) {
                CHECK(event->n_bits == entry->n_bits);
                break;
            }
            CHECK(event->kind == BM_TRACE_TOKEN);
        }
        if (entry->kind != BM_TRACE_TOKEN) tracer->n_events++;
        if (entry->kind == BM_TRACE_BLOCK) tracer->is_open = true;
        if (entry->kind == BM_TRACE_END) tracer->is_open = false;
    }
}

static void hash_batch(uint32_t *hash, const struct bm_batch *batch) {
    const uint64_t numbers[] = {batch->text_offset, batch->n_text,  batch->has_trace,
                                batch->first_bit,   batch->end_bit, batch->n_trace};
    add_hash(hash, numbers, sizeof numbers);
    add_hash(hash, batch->text, batch->n_text);
    if (batch->has_trace) add_hash(hash, batch->trace, batch->n_trace * sizeof *batch->trace);
}

static void take_batch(struct outcome *outcome, const struct bm_batch *batch) {
    hash_batch(&outcome->hash, batch);
    outcome->text =
        slow_grow(outcome->text, &outcome->text_room, outcome->n_text + BM_BATCH_TEXT, sizeof *outcome->text);
    memcpy(outcome->text + outcome->n_text, batch->text, batch->n_text);
    outcome->n_text += batch->n_text;
}

static void take_error(struct outcome *outcome, const struct blastmerge_error *error) {
    CHECK(error->status == BLASTMERGE_DATA && error->text_offset == outcome->n_text);
    outcome->verdict = strstr(error->message, "cut short") != NULL ? SLOW_CUT : SLOW_DAMAGED;
    add_hash(&outcome->hash, error->message, strlen(error->message));
}

/* What lies behind a piece must not be looked at: in a copy the sanitizer sees to it. */
static enum bm_step step(struct checker *checker, struct bm_batch *batch, const uint8_t *data, size_t n_data,
                         size_t *n_used, bool is_last, struct blastmerge_error *error) {
    uint8_t *piece = malloc(n_data == 0 ? 1 : n_data);
    CHECK(piece != NULL);
    memcpy(piece, data, n_data);
    enum bm_step result = bm_inflate_step(checker->inflate, batch, piece, n_data, n_used, is_last, error);
    free(piece);
    CHECK(*n_used <= n_data && (result != BM_STEP_MORE || (!is_last && *n_used == n_data)));
    return result;
}

static void own_decode(struct checker *checker, const uint8_t *data, size_t n_data, struct split split,
                       struct outcome *outcome, struct tracer *tracer) {
    const bool has_bmi2 = checker->inflate->has_bmi2;
    struct blastmerge_error error;
    enum bm_step result = BM_STEP_MORE;
    struct bm_batch *batch = &checker->batches[0];
    uint64_t end_before = 0;
    outcome->verdict = SLOW_WHOLE;
    outcome->n_text = outcome->hash = 0;
    bm_inflate_reset(checker->inflate);
    if (split.is_portable) checker->inflate->has_bmi2 = false;
    bm_batch_begin(batch, NULL);
    for (size_t position = 0, n_used; result != BM_STEP_DONE && result != BM_STEP_FAILED;
         position += n_used) {
        size_t n_piece = next_piece(&split);
        if (n_piece > n_data - position) n_piece = n_data - position;
        bool is_last = position + n_piece == n_data && (!split.late_end || n_piece == 0);
        result = step(checker, batch, data + position, n_piece, &n_used, is_last, &error);
        if (result == BM_STEP_MORE) continue;
        checker->n_batches++;
        check_batch(batch, outcome, end_before, data, n_data);
        if (tracer != NULL) check_trace(tracer, batch);
        take_batch(outcome, batch);
        end_before = batch->end_bit;
        if (result != BM_STEP_FULL) continue;
        const struct bm_batch *before = batch;
        batch = &checker->batches[batch == checker->batches ? 1 : 0];
        bm_batch_begin(batch, before);
    }
    if (result == BM_STEP_FAILED) take_error(outcome, &error);
    if (tracer != NULL && result == BM_STEP_DONE) CHECK(end_before == n_data * 8);
    checker->inflate->has_bmi2 = has_bmi2;
}

/* --- all of them --------------------------------------------------------------------------------------- */

static void check_same_text(const uint8_t *text, size_t n_text, const struct outcome *outcome) {
    CHECK(outcome->n_text == n_text);
    if (n_text != 0) CHECK(memcmp(outcome->text, text, n_text) == 0);
}

/* Of what was whole nothing but single tokens may be left out of the trace. */
static void check_trace_end(const struct tracer *tracer) {
    for (size_t i = tracer->n_events; i < tracer->slow->n_events; i++) {
        CHECK(tracer->slow->events[i].kind == BM_TRACE_TOKEN);
    }
}

/*
 * Decodes gzip data (it begins with 1f 8b) with all three decoders, and in our own whole and in each of
 * n_splits ways. Returns the verdict.
 */
static enum slow_verdict check_gzip(struct checker *checker, const uint8_t *data, size_t n_data,
                                    const struct split *splits, size_t n_splits) {
    const struct slow *slow = &checker->slow;
    const struct outcome *own = &checker->own, *other = &checker->other;
    const struct split whole = {n_data == 0 ? 1 : n_data, 0, false, false};
    struct tracer tracer = {slow, 0, false};
    zlib_decode(checker, data, n_data);
    slow_decode(&checker->slow, data, n_data);
    own_decode(checker, data, n_data, whole, &checker->own, &tracer);
    CHECK(own->verdict == slow->verdict);
    CHECK((own->verdict == SLOW_WHOLE) == (checker->zlib.verdict == SLOW_WHOLE));
    check_same_text(slow->text, slow->n_text, own);
    check_same_text(checker->zlib.text, checker->zlib.n_text, own);
    if (own->verdict == SLOW_WHOLE) check_trace_end(&tracer);
    for (size_t i = 0; i < n_splits; i++) {
        own_decode(checker, data, n_data, splits[i], &checker->other, NULL);
        CHECK(other->verdict == own->verdict && other->hash == own->hash);
        check_same_text(own->text, own->n_text, other);
    }
    return own->verdict;
}

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
