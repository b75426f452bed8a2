/* SPDX-License-Identifier: MIT */
#include "splice/join.h"

#include "splice/bits.h"
#include "splice/recode.h"

struct place {
    uint64_t bit;  /* of the stream */
    uint64_t text; /* bytes of text before it */
};

struct job {
    struct bm_splice_join *join;
    const uint8_t *data;
    const uint8_t *end; /* of data */
    const uint8_t *text;
    uint64_t n_left_out;
    struct bm_splice_writer writer;
};

/* --- tokens -------------------------------------------------------------------------------------- */

enum { TURN_TEXT = 2 + BM_MAX_MATCH };

/* The end of the block is at its end-of-block symbol, whose bits are returned; 0: the next token may reach beyond the
 * text offset `limit`. One refill is enough for each turn: a literal and a match take up to 48 bits. */
BM_CODES_INLINE unsigned walk_inline(const struct job *job, struct place *place, uint64_t limit) {
    const struct bm_deflate_codes *codes = &job->join->codes;
    struct bm_deflate_codes_reader reader = bm_deflate_codes_read_at(job->data, place->bit);
    uint64_t text = place->text;
    unsigned n_end_bits = 0;
    while (text + TURN_TEXT <= limit) {
        bm_require(reader.in <= job->end + BM_SPLICE_JOIN_SLACK - 8);
        bm_deflate_codes_refill(&reader);
        uint32_t entry = bm_deflate_codes_look_up_literal(codes, reader.bits);
        if (bm_unlikely((entry & BM_CODES_IS_EXCEPTION) != 0)) {
            if ((entry & BM_CODES_LINK) != 0)
                entry = bm_deflate_codes_follow_literal(codes, entry, reader.bits >> BM_CODES_PAST);
            if ((entry & BM_CODES_IS_EXCEPTION) != 0) {
                bm_require((entry & BM_CODES_END_OF_BLOCK) != 0);
                n_end_bits = bm_deflate_codes_exception_bits(entry);
                break;
            }
        }
        text += bm_deflate_codes_n_literals(entry);
        if ((entry & BM_CODES_NO_LENGTH) != 0) {
            reader.bits >>= entry & 63;
            reader.n_bits -= entry;
            continue;
        }
        text += bm_deflate_codes_length(entry, reader.bits >> BM_CODES_PAST);
        reader.bits >>= bm_deflate_codes_length_bits(entry);
        reader.n_bits -= entry >> 8;
        uint32_t second = bm_deflate_codes_look_up_distance(codes, reader.bits);
        if (bm_unlikely((second & BM_CODES_DISTANCE_LINK) != 0))
            second = bm_deflate_codes_follow_distance(codes, second, reader.bits >> BM_CODES_PAST);
        reader.bits >>= bm_deflate_codes_distance_bits(second);
        reader.n_bits -= second;
    }
    *place = (struct place){bm_deflate_codes_read_bit(&reader, job->data), text};
    return n_end_bits;
}

#if defined(__x86_64__)
__attribute__((target("bmi2"))) static unsigned walk_bmi2(const struct job *job, struct place *place,
                                                          uint64_t limit) {
    return walk_inline(job, place, limit);
}
#endif

/* Moves over tokens that end at `limit` or before, but for the last few. */
static unsigned walk(const struct job *job, struct place *place, uint64_t limit) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) return walk_bmi2(job, place, limit);
#endif
    return walk_inline(job, place, limit);
}

/* Moves to the first place between two tokens that is at the text offset `limit` or after it. Returns the bits of the
 * end-of-block symbol if it is before that. */
static unsigned walk_to(const struct job *job, struct place *place, uint64_t limit) {
    unsigned n_end_bits = walk(job, place, limit);
    while (n_end_bits == 0 && place->text < limit) {
        uint32_t token = 0;
        unsigned n_bits = 0;
        uint64_t bits = bm_load64(job->data + (place->bit >> 3)) >> (place->bit & 7);
        if (!bm_splice_read_token(&job->join->codes, bits, &token, &n_bits))
            return job->join->header.literal_lengths[BM_END_OF_BLOCK];
        place->text += bm_splice_token_length(token);
        place->bit += n_bits;
    }
    return n_end_bits;
}

/* --- blocks -------------------------------------------------------------------------------------- */

/* The text of the stream from one offset to another. */
static void put_text(struct job *job, uint64_t from, uint64_t to) {
    if (from < job->n_left_out) from = job->n_left_out;
    if (from < to) bm_splice_put_stored(&job->writer, job->text + from, (size_t)(to - from));
}

/* Moves over the block at the place, and writes what is not left out of it. */
static void take_huffman(struct job *job, struct place *place) {
    const uint64_t header_bit = place->bit;
    const uint32_t n_header_bits = job->join->header.n_bits;
    bm_deflate_codes_make(&job->join->codes, &job->join->header, true);
    place->bit += n_header_bits;
    unsigned n_end_bits = 0;
    if (place->text < job->n_left_out) {
        n_end_bits = walk_to(job, place, job->n_left_out);
        put_text(job, job->n_left_out, place->text); /* the rest of a match across the border */
    }
    if (n_end_bits == 0) {
        const uint64_t from_bit = place->bit;
        n_end_bits = walk(job, place, UINT64_MAX);
        bm_splice_put(&job->writer, 0, 1); /* BFINAL */
        bm_splice_copy_bits(&job->writer, job->data, header_bit + 1, n_header_bits - 1);
        bm_splice_copy_bits(&job->writer, job->data, from_bit, place->bit + n_end_bits - from_bit);
    }
    place->bit += n_end_bits;
}

static void take_stored(struct job *job, struct place *place) {
    const uint32_t n_bytes = job->join->header.stored_length;
    put_text(job, place->text, place->text + n_bytes);
    place->text += n_bytes;
    place->bit += job->join->header.n_bits + 8 * (uint64_t)n_bytes;
}

/* --- the stream ---------------------------------------------------------------------------------- */

size_t bm_splice_join(struct bm_splice_join *join, const uint8_t *data, size_t n_data, const uint8_t *text,
                      size_t n_text, size_t n_left_out, uint8_t *out) {
    struct job job = {join, data, data + n_data, text, n_left_out, {out, 0, 0}};
    struct place place = {0, 0};
    const char *reason = NULL;
    bm_require(n_left_out <= n_text);
    do {
        bm_require(bm_deflate_read_header(data, n_data, place.bit, &join->header, &reason) ==
                   BM_DEFLATE_HEADER_OK);
        if (join->header.type == BM_BLOCK_STORED)
            take_stored(&job, &place);
        else
            take_huffman(&job, &place);
        bm_require(place.text <= n_text && place.bit <= 8 * (uint64_t)n_data);
    } while (!join->header.is_final);
    bm_require(place.text == n_text);
    bm_splice_put_stored(&job.writer, NULL, 0);
    return (size_t)(job.writer.next - out);
}

size_t bm_splice_join_stored(const uint8_t *text, size_t n_text, uint8_t *out) {
    enum { MAX_STORED = 65535 };
    struct bm_splice_writer writer = {out, 0, 0};
    for (size_t at = 0; at < n_text; at += MAX_STORED)
        bm_splice_put_stored(&writer, text + at, n_text - at < MAX_STORED ? n_text - at : MAX_STORED);
    bm_splice_put_stored(&writer, NULL, 0);
    return (size_t)(writer.next - out);
}
