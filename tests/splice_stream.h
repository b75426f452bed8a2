/* SPDX-License-Identifier: MIT */
/*
 * Deflate streams to splice, for the tests, the fuzzer and the benchmark: a plain inflate that notes where
 * every token, block and member lies (and checks nothing), batches made from that, and a writer of streams
 * that no compressor would write. Independent of the inflate room.
 */
#ifndef BM_TESTS_SPLICE_STREAM_H
#define BM_TESTS_SPLICE_STREAM_H

#include "deflate/deflate.h"
#include "flow/batch.h"
#include "splice/huffman.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests hold in release builds, too. */
#define must(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* How large a case is, and how much is done with it. The fuzzer makes most of its cases small. */
static struct splice_scale {
    uint32_t max_text, max_insert; /* bytes, about */
    uint32_t max_small_blocks;     /* in a member: the blocks after them take all they can */
    uint32_t max_entries;          /* of the script of several children, about */
    bool is_thorough;              /* other steps, other ways and fragments alone must give the same bytes */
} splice_scale = {150000, 32768, UINT32_MAX, 200, true};

/* --- numbers at random, the same for a seed everywhere ------------------------------------------- */

struct dice {
    uint64_t state;
    const uint8_t *feed; /* the first throws are read from here (the fuzzer's bytes) */
    size_t n_feed;
};

static inline uint32_t roll(struct dice *dice) {
    if (dice->n_feed >= 2) { /* the high bits count most */
        uint32_t value = (uint32_t)dice->feed[0] << 24 | (uint32_t)dice->feed[1] << 16;
        dice->feed += 2;
        dice->n_feed -= 2;
        return value;
    }
    dice->state = dice->state * 6364136223846793005U + 1442695040888963407U;
    uint64_t x = dice->state >> 33 ^ dice->state >> 18;
    return (uint32_t)(x * 0x9E3779B97F4A7C15U >> 32);
}

/* 0 to n - 1 */
static inline uint32_t below(struct dice *dice, uint32_t n) {
    return n == 0 ? 0 : (uint32_t)((uint64_t)roll(dice) * n >> 32);
}

static inline bool chance(struct dice *dice, uint32_t percent) {
    return below(dice, 100) < percent;
}

/* --- bytes that grow ----------------------------------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t n, room;
};

static inline uint8_t *bytes_more(struct bytes *bytes, size_t n) {
    must(n < SIZE_MAX / 8);
    if (bytes->n + n + 64 > bytes->room) {
        bytes->room = 2 * (bytes->n + n + 64);
        bytes->data = realloc(bytes->data, bytes->room);
        must(bytes->data != NULL);
    }
    bytes->n += n;
    return bytes->data + bytes->n - n;
}

static inline void bytes_add(struct bytes *bytes, const void *data, size_t n) {
    uint8_t *place = bytes_more(bytes, n);
    if (n > 0) memcpy(place, data, n);
}

static inline void bytes_free(struct bytes *bytes) {
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

/* --- inflate, plainly ---------------------------------------------------------------------------- */

/* Every token is an entry, and every member, block and end. */
struct stream {
    struct bytes gzip; /* what it is made from */
    struct bytes text;
    struct bm_trace *entries;
    size_t n_entries, room;
};

static inline void stream_free(struct stream *stream) {
    bytes_free(&stream->gzip);
    bytes_free(&stream->text);
    free(stream->entries);
    memset(stream, 0, sizeof *stream);
}

static inline void stream_note(struct stream *stream, enum bm_trace_kind kind, uint64_t bit,
                               uint32_t n_bits) {
    if (stream->n_entries == stream->room) {
        stream->room = 2 * stream->room + 1024;
        stream->entries = realloc(stream->entries, stream->room * sizeof *stream->entries);
        must(stream->entries != NULL);
    }
    stream->entries[stream->n_entries++] =
        (struct bm_trace){.bit = bit, .text = stream->text.n, .kind = kind, .n_bits = n_bits};
}

static inline unsigned bits_at(const uint8_t *data, uint64_t bit, unsigned n_bits) {
    return (unsigned)(bm_load64(data + (bit >> 3)) >> (bit & 7)) & ((1U << n_bits) - 1);
}

struct plain_code {
    uint16_t counts[16];
    uint16_t symbols[BM_N_LITERAL_LENGTH];
};

static inline void plain_code_make(struct plain_code *code, const uint8_t *lengths, unsigned n) {
    unsigned place[17] = {0};
    memset(code->counts, 0, sizeof code->counts);
    for (unsigned i = 0; i < n; i++) code->counts[lengths[i]]++;
    code->counts[0] = 0;
    for (unsigned i = 1; i < 16; i++) place[i + 1] = place[i] + code->counts[i];
    for (unsigned i = 0; i < n; i++) {
        if (lengths[i] != 0) code->symbols[place[lengths[i]]++] = (uint16_t)i;
    }
}

static inline unsigned plain_decode(const struct plain_code *code, const uint8_t *data, uint64_t *bit) {
    unsigned value = 0, first = 0, index = 0;
    uint64_t bits = bm_load64(data + (*bit >> 3)) >> (*bit & 7);
    for (unsigned n = 1; n < 16; n++) {
        value |= (unsigned)(bits & 1);
        bits >>= 1;
        if (value < first + code->counts[n]) {
            *bit += n;
            return code->symbols[index + value - first];
        }
        index += code->counts[n];
        first = (first + code->counts[n]) << 1;
        value <<= 1;
    }
    must(false);
    return 0;
}

static inline void plain_match(struct stream *stream, const struct plain_code *distances, unsigned symbol,
                               uint64_t *bit) {
    const uint8_t *data = stream->gzip.data;
    unsigned n_extra = bm_deflate_length_extra_bits[symbol - 257];
    unsigned length = bm_deflate_length_base[symbol - 257] + bits_at(data, *bit, n_extra);
    *bit += n_extra;
    symbol = plain_decode(distances, data, bit);
    n_extra = bm_deflate_distance_extra_bits[symbol];
    size_t distance = bm_deflate_distance_base[symbol] + bits_at(data, *bit, n_extra);
    *bit += n_extra;
    uint8_t *to = bytes_more(&stream->text, length);
    must(distance <= (size_t)(to - stream->text.data));
    for (unsigned i = 0; i < length; i++) to[i] = to[(ptrdiff_t)i - (ptrdiff_t)distance];
}

static inline uint64_t plain_tokens(struct stream *stream, const struct bm_block_header *header,
                                    uint64_t bit) {
    struct plain_code literals, distances;
    plain_code_make(&literals, header->literal_lengths, BM_N_LITERAL_LENGTH);
    plain_code_make(&distances, header->distance_lengths, BM_N_DISTANCE);
    for (;;) {
        uint64_t begin = bit;
        unsigned symbol = plain_decode(&literals, stream->gzip.data, &bit);
        if (symbol == BM_END_OF_BLOCK) {
            stream_note(stream, BM_TRACE_END, begin, (uint32_t)(bit - begin));
            return bit;
        }
        stream_note(stream, BM_TRACE_TOKEN, begin, 0);
        if (symbol < 256) {
            uint8_t byte = (uint8_t)symbol;
            bytes_add(&stream->text, &byte, 1);
        } else {
            plain_match(stream, &distances, symbol, &bit);
        }
    }
}

/* One member's deflate data, from bit on. Returns where it ends. */
static inline uint64_t plain_member(struct stream *stream, uint64_t bit) {
    struct bm_block_header header;
    const char *reason = NULL;
    stream_note(stream, BM_TRACE_MEMBER, bit, 0);
    do {
        enum bm_deflate_header_result result =
            bm_deflate_read_header(stream->gzip.data, stream->gzip.n, bit, &header, &reason);
        must(result == BM_DEFLATE_HEADER_OK);
        (void)result;
        stream_note(stream, BM_TRACE_BLOCK, bit, 0);
        bit += header.n_bits;
        if (header.type != BM_BLOCK_STORED) {
            bit = plain_tokens(stream, &header, bit);
            continue;
        }
        for (unsigned i = 0; i < header.stored_length; i++) {
            stream_note(stream, BM_TRACE_TOKEN, bit, 0);
            bytes_add(&stream->text, stream->gzip.data + (bit >> 3), 1);
            bit += 8;
        }
        stream_note(stream, BM_TRACE_END, bit, 0);
    } while (!header.is_final);
    return bit;
}

/* Decodes stream->gzip: members without optional fields but a name. */
static inline void stream_decode(struct stream *stream) {
    size_t place = 0;
    memset(bytes_more(&stream->gzip, 16), 0, 16);
    stream->gzip.n -= 16;
    bytes_more(&stream->text, 0); /* no null pointer, even if there is no text */
    while (place < stream->gzip.n) {
        const uint8_t *head = stream->gzip.data + place;
        must(head[0] == 0x1f && head[1] == 0x8b);
        place += 10;
        if (head[3] & 4) place += 2U + stream->gzip.data[place] + 256U * stream->gzip.data[place + 1];
        if (head[3] & 8) place += strlen((const char *)stream->gzip.data + place) + 1;
        uint64_t end = plain_member(stream, 8 * (uint64_t)place);
        place = (size_t)((end + 7) / 8 + 8);
    }
}

/* --- batches ------------------------------------------------------------------------------------- */

struct batch_limits {
    size_t max_text, max_bits, max_trace; /* text bytes, compressed bytes, entries */
    size_t interval;                      /* text bytes between tokens that are noted */
};

/* The sums of its stretches, of which some are not known. */
static inline void batch_sum(struct bm_batch *batch) {
    for (size_t from = 0; from < batch->n_text; from += BM_BATCH_SUM) {
        size_t n = batch->n_text - from < BM_BATCH_SUM ? batch->n_text - from : BM_BATCH_SUM;
        uint32_t before = (uint32_t)(batch->text_offset + from) * 2654435761U; /* any would do */
        if (before >> 30 == 0) n /= 2;
        batch->sums[from / BM_BATCH_SUM] =
            (struct bm_batch_sum){before, bm_crc32(before, batch->text + from, n), (uint32_t)n};
    }
}

/* Takes entries from *position on into the batch that was begun. Like inflate, it ends between two tokens
 * or two blocks, when it is full. */
static inline void batch_fill(struct bm_batch *batch, const struct stream *stream, size_t *position,
                              const struct batch_limits *limits) {
    uint64_t noted = 0;
    bool must_note = true;
    const struct bm_trace *entries = stream->entries;
    batch->has_trace = true;
    size_t i = *position;
    for (; i < stream->n_entries; i++) {
        const struct bm_trace *entry = &entries[i];
        bool is_last = i + 1 == stream->n_entries;
        uint64_t text = is_last ? stream->text.n : entries[i + 1].text;
        uint64_t bit = entry->kind == BM_TRACE_END ? entry->bit + entry->n_bits
                       : is_last                   ? entry->bit
                                                   : entries[i + 1].bit;
        bool is_progress = i > *position;
        if (is_progress &&
            (text - batch->text_offset > limits->max_text ||
             bit / 8 + 1 - batch->first_bit / 8 > limits->max_bits || batch->n_trace == limits->max_trace))
            break;
        if (entry->kind != BM_TRACE_TOKEN || must_note || entry->text - noted >= limits->interval) {
            must(batch->n_trace < BM_BATCH_TRACE);
            batch->trace[batch->n_trace++] = *entry;
            noted = entry->text;
        }
        must_note = entry->kind == BM_TRACE_BLOCK;
        batch->n_text = (size_t)(text - batch->text_offset);
        batch->end_bit = bit;
    }
    *position = i;
    must(batch->n_text <= BM_BATCH_TEXT);
    if (batch->n_text > 0) memcpy(batch->text, stream->text.data + batch->text_offset, batch->n_text);
    batch_sum(batch);
    batch->n_bits_bytes = (size_t)((batch->end_bit + 7) / 8 - batch->first_bit / 8);
    must(batch->n_bits_bytes <= BM_BATCH_BITS);
    memcpy(batch->bits, stream->gzip.data + batch->first_bit / 8, batch->n_bits_bytes);
}

#endif
