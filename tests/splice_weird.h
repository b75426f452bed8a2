/* SPDX-License-Identifier: MIT */
/*
 * Gzip streams that are right and that no compressor would write: tokens, blocks and codes at random.
 */
#ifndef BM_TESTS_SPLICE_WEIRD_H
#define BM_TESTS_SPLICE_WEIRD_H

#include "splice_stream.h"

#include "base/base.h"
#include "splice/huffman.h"

struct weird {
    struct dice *dice;
    struct bytes *out;
    struct bm_splice_writer writer; /* into `out`, made anew for each block */
    const uint8_t *text;
    size_t n_text;
    uint32_t last_seen[4096]; /* a place after one with these three bytes */
    uint32_t percent_matches, percent_codes, max_tokens;
};

enum { WEIRD_TOKENS = 4096 };

static inline unsigned weird_hash(const uint8_t *text) {
    return (text[0] * 2654435761U ^ text[1] * 40503U ^ text[2] * 97U) >> 7 & 4095;
}

/* A token at random for the text at `place`, of which at most `max` bytes may be taken. */
static inline uint32_t weird_token(struct weird *weird, size_t place, size_t max) {
    struct dice *dice = weird->dice;
    unsigned distance = 0, length = 0;
    if (max >= 3 && chance(dice, weird->percent_matches)) {
        size_t seen = weird->last_seen[weird_hash(weird->text + place)];
        if (chance(dice, 20)) seen = place - below(dice, 300);
        if (seen > 0 && seen <= place && place - seen + 1 <= BM_WINDOW)
            distance = (unsigned)(place - seen + 1);
    }
    if (distance != 0) {
        if (max > BM_MAX_MATCH) max = BM_MAX_MATCH;
        while (length < max && weird->text[place + length] == weird->text[place + length - distance])
            length++;
    }
    if (length < 3) return weird->text[place];
    if (length > 3 && chance(dice, 15)) length = 3 + below(dice, length - 2);
    if (length == BM_MAX_MATCH && chance(dice, 30)) length = BM_SPLICE_LONG_284;
    return bm_splice_token_match(length, distance);
}

static inline void weird_learn(struct weird *weird, size_t place, size_t n) {
    for (size_t i = place; i < place + n; i++) {
        if (i + 3 <= weird->n_text && chance(weird->dice, 90))
            weird->last_seen[weird_hash(weird->text + i)] = (uint32_t)i + 1;
    }
}

static inline void weird_count(const uint32_t *tokens, size_t n, uint32_t *literals, uint32_t *distances) {
    for (size_t i = 0; i < n; i++) {
        if (bm_splice_token_is_literal(tokens[i])) {
            literals[tokens[i]]++;
            continue;
        }
        literals[257 + bm_splice_token_length_symbol(bm_splice_token_written_length(tokens[i]))]++;
        distances[bm_splice_token_distance_symbol(bm_splice_token_distance(tokens[i]))]++;
    }
}

/* Codes that say all that is counted, in lengths that have little to do with the counts. */
static inline void weird_codes(struct weird *weird, uint32_t *literals, uint32_t *distances,
                               struct bm_splice_codes *codes) {
    struct dice *dice = weird->dice;
    bool is_steep = chance(dice, 20);
    literals[BM_END_OF_BLOCK] = 1;
    for (unsigned i = 0; i < 286; i++) {
        if (chance(dice, 100 - weird->percent_codes)) continue;
        if (literals[i] != 0 || chance(dice, 20))
            literals[i] = is_steep ? 1U << below(dice, 20) : 1 + below(dice, 1000);
    }
    for (unsigned i = 0; i < 30; i++) {
        if (chance(dice, 100 - weird->percent_codes)) continue;
        if (distances[i] != 0 || chance(dice, 30))
            distances[i] = is_steep ? 1U << below(dice, 20) : 1 + below(dice, 1000);
    }
    memset(codes, 0, sizeof *codes);
    bm_splice_make_lengths(literals, 286, 15, codes->literal_lengths);
    bm_splice_make_lengths(distances, 30, 15, codes->distance_lengths);
    unsigned n_distances = 0, only = 0;
    for (unsigned i = 0; i < 30; i++) {
        if (distances[i] == 0) continue;
        n_distances++;
        only = i;
    }
    if (n_distances < 2 && chance(dice, 60)) { /* incomplete codes that zlib takes */
        memset(codes->distance_lengths, 0, sizeof codes->distance_lengths);
        if (n_distances == 1) codes->distance_lengths[only] = 1;
    }
    bm_splice_make_words(codes);
}

static inline void weird_put(struct bm_splice_writer *writer, const struct bm_splice_codes *codes,
                             uint32_t token) {
    if (bm_splice_token_is_literal(token)) {
        bm_splice_put(writer, codes->literal_words[token], codes->literal_lengths[token]);
        return;
    }
    unsigned length = bm_splice_token_written_length(token), distance = bm_splice_token_distance(token);
    unsigned l = bm_splice_token_length_symbol(length), d = bm_splice_token_distance_symbol(distance);
    unsigned extra = length == BM_SPLICE_LONG_284 ? 31U : length - bm_deflate_length_base[l];
    must(codes->literal_lengths[257 + l] != 0 && codes->distance_lengths[d] != 0);
    bm_splice_put(writer, codes->literal_words[257 + l], codes->literal_lengths[257 + l]);
    bm_splice_put(writer, extra, bm_deflate_length_extra_bits[l]);
    bm_splice_put(writer, codes->distance_words[d], codes->distance_lengths[d]);
    bm_splice_put(writer, distance - bm_deflate_distance_base[d], bm_deflate_distance_extra_bits[d]);
}

static inline void weird_fixed(struct bm_splice_codes *codes) {
    for (unsigned i = 0; i < 288; i++)
        codes->literal_lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(codes->distance_lengths, 5, 32);
    bm_splice_make_words(codes);
}

/* One block, of whatever type, with some of the text from place on. Returns how much. */
static inline size_t weird_block(struct weird *weird, size_t place) {
    static uint32_t tokens[WEIRD_TOKENS];
    struct dice *dice = weird->dice;
    struct bm_splice_writer *writer = &weird->writer;
    struct bm_splice_codes codes;
    uint32_t literals[288] = {0}, distances[32] = {0};
    size_t n_left = weird->n_text - place, n_done = 0, n_tokens = 0;
    size_t max = chance(dice, 15) ? 0 : 1 + below(dice, weird->max_tokens);
    unsigned type = below(dice, 4);
    if (type == 0) {
        size_t n = max < n_left ? max : n_left;
        bm_splice_put(writer, BM_BLOCK_STORED, 3);
        bm_splice_align(writer);
        bm_splice_put(writer, n | (n ^ 0xffff) << 16, 32);
        for (size_t i = 0; i < n; i++) bm_splice_put(writer, weird->text[place + i], 8);
        weird_learn(weird, place, n);
        return n;
    }
    while (n_tokens < max && n_done < n_left) {
        tokens[n_tokens] = weird_token(weird, place + n_done, n_left - n_done);
        size_t n = bm_splice_token_length(tokens[n_tokens++]);
        weird_learn(weird, place + n_done, n);
        n_done += n;
    }
    if (type == 1) {
        weird_fixed(&codes);
        bm_splice_put(writer, BM_BLOCK_FIXED << 1, 3);
    } else {
        struct bm_splice_header header;
        weird_count(tokens, n_tokens, literals, distances);
        weird_codes(weird, literals, distances, &codes);
        bm_splice_make_header(&header, &codes);
        bm_splice_put_header(writer, &header);
    }
    for (size_t i = 0; i < n_tokens; i++) weird_put(writer, &codes, tokens[i]);
    bm_splice_put(writer, codes.literal_words[256], codes.literal_lengths[256]);
    return n_done;
}

static const uint8_t weird_head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

/* The last block, of nothing, and the trailer. */
static inline void weird_finish(struct bytes *out, uint64_t bits, unsigned n_bits, const uint8_t *text,
                                size_t n_text) {
    uint8_t tail[8];
    bytes_more(out, 64);
    struct bm_splice_writer writer = {out->data + out->n - 64, bits, n_bits};
    bm_splice_put(&writer, 3, 10);
    bm_splice_align(&writer);
    out->n = (size_t)(writer.next - out->data);
    bm_store32(tail, bm_crc32(0, text, n_text));
    bm_store32(tail + 4, (uint32_t)n_text);
    bytes_add(out, tail, sizeof tail);
}

/* A gzip member of the text in blocks of one literal each, with long headers, and empty blocks between. */
static inline void weird_small_blocks(struct dice *dice, struct bytes *out, const uint8_t *text,
                                      size_t n_text) {
    uint64_t bits = 0;
    unsigned n_bits = 0;
    bytes_add(out, weird_head, sizeof weird_head);
    for (size_t i = 0; i < n_text; i++) {
        uint32_t literals[BM_N_LITERAL_LENGTH] = {0}, distances[BM_N_DISTANCE] = {0};
        struct bm_splice_codes codes;
        struct bm_splice_header header;
        for (unsigned k = 0; k < 286; k++) literals[k] = 1U << below(dice, 12);
        for (unsigned k = 0; k < 30; k++) distances[k] = 1U << below(dice, 12);
        memset(&codes, 0, sizeof codes);
        bm_splice_make_lengths(literals, BM_N_LITERAL_LENGTH, 15, codes.literal_lengths);
        bm_splice_make_lengths(distances, BM_N_DISTANCE, 15, codes.distance_lengths);
        bm_splice_make_words(&codes);
        bm_splice_make_header(&header, &codes);
        bytes_more(out, 2000);
        struct bm_splice_writer writer = {out->data + out->n - 2000, bits, n_bits};
        bm_splice_put_header(&writer, &header);
        weird_put(&writer, &codes, text[i]);
        bm_splice_put(&writer, codes.literal_words[256], codes.literal_lengths[256]);
        for (uint32_t k = below(dice, 20); k > 0; k--) bm_splice_put(&writer, BM_BLOCK_FIXED << 1, 10);
        bits = writer.bits;
        n_bits = writer.n_bits;
        out->n = (size_t)(writer.next - out->data);
    }
    weird_finish(out, bits, n_bits, text, n_text);
}

/* A gzip member of the text. */
static inline void weird_member(struct dice *dice, struct bytes *out, const uint8_t *text, size_t n_text) {
    static struct weird weird;
    size_t place = 0;
    uint32_t n_blocks = 0;
    memset(&weird, 0, sizeof weird);
    weird.dice = dice;
    weird.text = text;
    weird.n_text = n_text;
    weird.percent_matches = chance(dice, 20) ? 0 : 50 + below(dice, 51);
    weird.percent_codes = below(dice, 101);
    weird.max_tokens = chance(dice, 20) ? 3 : 1 + below(dice, WEIRD_TOKENS);
    bytes_add(out, weird_head, sizeof weird_head);
    unsigned n_bits = 0;
    uint64_t bits = 0;
    do { /* the last block that holds text need not be the final one */
        size_t begin = out->n;
        if (n_blocks++ == splice_scale.max_small_blocks) weird.max_tokens = WEIRD_TOKENS;
        bytes_more(out, 4096 + 8 * (n_text - place < WEIRD_TOKENS ? n_text - place : WEIRD_TOKENS));
        weird.writer = (struct bm_splice_writer){out->data + begin, bits, n_bits};
        place += weird_block(&weird, place);
        bits = weird.writer.bits;
        n_bits = weird.writer.n_bits;
        out->n = (size_t)(weird.writer.next - out->data);
    } while (place < n_text);
    weird_finish(out, bits, n_bits, text, n_text);
}

#endif
