/* SPDX-License-Identifier: MIT */
#include "deflate/deflate.h"

#include <string.h>

const uint16_t bm_deflate_length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                             31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
const uint8_t bm_deflate_length_extra_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
const uint16_t bm_deflate_distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                               33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                               1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
const uint8_t bm_deflate_distance_extra_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                    6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

/*
 * A header is parsed from memory that is long enough for any header, with bits counted as they are
 * taken. A verdict stands only if all bits that led to it were there: the caller compares the count. So
 * nothing in between needs to ask how many bytes are left.
 */
enum {
    N_CODE_LENGTH = 19,
    MAX_LITERAL_LENGTH_CODES = 286,
    MAX_DISTANCE_CODES = 30,
    PEEK_BITS = 7, /* the longest code of a code length */
    SLACK = 8
};

struct reader {
    const uint8_t *data;
    size_t bit;
};

static uint64_t peek(const struct reader *reader) {
    return bm_load64(reader->data + (reader->bit >> 3)) >> (reader->bit & 7);
}

static unsigned take(struct reader *reader, unsigned n_bits) {
    unsigned value = (unsigned)(peek(reader) & ((1U << n_bits) - 1));
    reader->bit += n_bits;
    return value;
}

enum completeness { CODE_COMPLETE, CODE_INCOMPLETE, CODE_SINGLE_BIT, CODE_EMPTY, CODE_OVERSUBSCRIBED };

/* counts[n] codes of n bits. */
static enum completeness judge_code(const uint16_t counts[BM_MAX_CODE_LENGTH + 1]) {
    unsigned used = 0, n_codes = 0;
    for (unsigned length = 1; length <= BM_MAX_CODE_LENGTH; length++) {
        used += (unsigned)counts[length] << (BM_MAX_CODE_LENGTH - length);
        n_codes += counts[length];
    }
    if (used > 1U << BM_MAX_CODE_LENGTH) return CODE_OVERSUBSCRIBED;
    if (used == 1U << BM_MAX_CODE_LENGTH) return CODE_COMPLETE;
    if (n_codes == 0) return CODE_EMPTY;
    return n_codes == 1 && counts[1] == 1 ? CODE_SINGLE_BIT : CODE_INCOMPLETE;
}

/*
 * The table for code lengths. An entry:
 *
 *   bits 0-7    the code's bits and the extra bits after it
 *   bits 8-15   the code's bits
 *   bits 16-23  the length, or PREVIOUS
 *   bits 24-31  how many times, when the extra bits are 0
 */
enum { PREVIOUS = 16 };

#define CODE_LENGTH_ENTRY(length, n_times, n_extra)                                                          \
    ((uint32_t)(n_times) << 24 | (uint32_t)(length) << 16 | (uint32_t)(n_extra))

static uint32_t code_length_entry(unsigned symbol, unsigned n_bits) {
    static const uint32_t repeats[3] = {CODE_LENGTH_ENTRY(PREVIOUS, 3, 2), CODE_LENGTH_ENTRY(0, 3, 3),
                                        CODE_LENGTH_ENTRY(0, 11, 7)};
    return (symbol < 16 ? CODE_LENGTH_ENTRY(symbol, 1, 0) : repeats[symbol - 16]) + n_bits * 0x101;
}

/* Codes lie in the stream with their first bit lowest. */
static unsigned turn_round(unsigned code, unsigned n_bits) {
    unsigned turned = 0;
    for (unsigned i = 0; i < PEEK_BITS; i++) turned = turned << 1 | (code >> i & 1);
    return turned >> (PEEK_BITS - n_bits);
}

static void fill_code_length_table(const uint8_t lengths[N_CODE_LENGTH], const uint16_t *counts,
                                   uint32_t table[1 << PEEK_BITS]) {
    unsigned next[PEEK_BITS + 1];
    next[1] = 0;
    for (unsigned i = 1; i < PEEK_BITS; i++) next[i + 1] = (next[i] + counts[i]) << 1;
    for (unsigned symbol = 0; symbol < N_CODE_LENGTH; symbol++) {
        unsigned n_bits = lengths[symbol];
        if (n_bits == 0) continue;
        uint32_t entry = code_length_entry(symbol, n_bits);
        for (unsigned i = turn_round(next[n_bits]++, n_bits); i < 1U << PEEK_BITS; i += 1U << n_bits) {
            table[i] = entry;
        }
    }
}

static const char *read_code_length_code(struct reader *reader, unsigned n_codes,
                                         uint32_t table[1 << PEEK_BITS]) {
    static const uint8_t order[N_CODE_LENGTH] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                 11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[N_CODE_LENGTH] = {0};
    uint16_t counts[BM_MAX_CODE_LENGTH + 1] = {0};
    uint64_t bits = peek(reader);
    for (unsigned i = 0; i < n_codes; i++) { /* needs 57 bits, and so many are loaded */
        unsigned length = (unsigned)(bits >> 3 * i) & 7;
        lengths[order[i]] = (uint8_t)length;
        counts[length]++;
    }
    counts[0] = 0;
    reader->bit += (size_t)3 * n_codes;
    if (judge_code(counts) != CODE_COMPLETE) return "the code of the code lengths is not complete";
    fill_code_length_table(lengths, counts, table);
    return NULL;
}

/* The lengths of both codes, which lie in the stream as one run: a repeat may cross the border. `lengths` has
 * FILL bytes more than are asked for. */
enum { FILL = 16 };

static const char *read_lengths(struct reader *reader, const uint32_t table[1 << PEEK_BITS], uint8_t *lengths,
                                unsigned n_lengths, uint16_t counts[BM_MAX_CODE_LENGTH + 1]) {
    unsigned n = 0, previous = PREVIOUS;
    while (n < n_lengths) {
        uint64_t bits = peek(reader);
        for (unsigned i = 0; i < 4 && n < n_lengths; i++) { /* 4 times 14 bits */
            uint32_t entry = table[bits & ((1U << PEEK_BITS) - 1)];
            unsigned n_bits = entry & 0xff, length = entry >> 16 & 0xff;
            unsigned n_times =
                (entry >> 24) + ((unsigned)(bits & ((1U << n_bits) - 1)) >> (entry >> 8 & 0xff));
            bits >>= n_bits;
            reader->bit += n_bits;
            length = (length & 15) | (previous & (0U - (length >> 4)));
            if (bm_unlikely(length == PREVIOUS)) return "a code length repeats one that is not there";
            if (bm_unlikely(n_times > n_lengths - n)) return "the code lengths run over their end";
            memset(lengths + n, (int)length, FILL);
            if (bm_unlikely(n_times > FILL)) memset(lengths + n, (int)length, n_times);
            counts[length] = (uint16_t)(counts[length] + n_times);
            previous = length;
            n += n_times;
        }
    }
    return NULL;
}

static const char *judge_codes(const struct bm_block_header *header) {
    if (header->literal_lengths[BM_END_OF_BLOCK] == 0) return "a block has no code for its end";
    switch (judge_code(header->literal_counts)) {
    case CODE_COMPLETE:
    case CODE_SINGLE_BIT:
        break;
    default:
        return "a block's literal/length code is not a complete code";
    }
    switch (judge_code(header->distance_counts)) {
    case CODE_COMPLETE:
    case CODE_SINGLE_BIT:
    case CODE_EMPTY:
        return NULL;
    default:
        return "a block's distance code is not a complete code";
    }
}

static const char *read_dynamic(struct reader *reader, struct bm_block_header *header) {
    uint32_t table[1 << PEEK_BITS];
    uint8_t lengths[MAX_LITERAL_LENGTH_CODES + MAX_DISTANCE_CODES + FILL];
    unsigned n_literal = 257 + take(reader, 5);
    unsigned n_distance = 1 + take(reader, 5);
    unsigned n_codes = 4 + take(reader, 4);
    if (n_literal > MAX_LITERAL_LENGTH_CODES) return "a block has too many literal/length codes";
    if (n_distance > MAX_DISTANCE_CODES) return "a block has too many distance codes";
    const char *reason = read_code_length_code(reader, n_codes, table);
    if (reason == NULL) {
        reason = read_lengths(reader, table, lengths, n_literal + n_distance, header->literal_counts);
    }
    if (reason != NULL) return reason;
    memcpy(header->literal_lengths, lengths, n_literal);
    memcpy(header->distance_lengths, lengths + n_literal, n_distance);
    for (unsigned i = 0; i < n_distance; i++) {
        header->distance_counts[lengths[n_literal + i]]++;
        header->literal_counts[lengths[n_literal + i]]--;
    }
    header->literal_counts[0] = header->distance_counts[0] = 0;
    return judge_codes(header);
}

static void set_fixed(struct bm_block_header *header) {
    memset(header->literal_lengths, 8, 144);
    memset(header->literal_lengths + 144, 9, 112);
    memset(header->literal_lengths + 256, 7, 24);
    memset(header->literal_lengths + 280, 8, 8);
    memset(header->distance_lengths, 5, BM_N_DISTANCE);
    header->literal_counts[7] = 24;
    header->literal_counts[8] = 152;
    header->literal_counts[9] = 112;
    header->distance_counts[5] = BM_N_DISTANCE;
}

static const char *read_stored(struct reader *reader, struct bm_block_header *header) {
    reader->bit = (reader->bit + 7) & ~(size_t)7;
    unsigned length = take(reader, 16);
    unsigned complement = take(reader, 16);
    header->stored_length = (uint16_t)length;
    return (length ^ complement) == 0xffff ? NULL : "a stored block's length is damaged";
}

/* n_bits of the header is the number of bits that led to the verdict. */
static const char *read_header(const uint8_t *data, unsigned bit, struct bm_block_header *header) {
    struct reader reader = {data, bit};
    const char *reason = NULL;
    memset(header, 0, sizeof *header);
    header->is_final = take(&reader, 1) != 0;
    header->type = (uint8_t)take(&reader, 2);
    switch (header->type) {
    case BM_BLOCK_STORED:
        reason = read_stored(&reader, header);
        break;
    case BM_BLOCK_FIXED:
        set_fixed(header);
        break;
    case BM_BLOCK_DYNAMIC:
        reason = read_dynamic(&reader, header);
        break;
    default:
        reason = "a block of a type that does not exist";
    }
    header->n_bits = (uint32_t)(reader.bit - bit);
    return reason;
}

enum bm_deflate_header_result bm_deflate_read_header(const uint8_t *data, size_t n_bytes, uint64_t bit,
                                                     struct bm_block_header *header, const char **reason) {
    uint8_t copy[BM_MAX_HEADER_BYTES + SLACK];
    if (bit >> 3 >= n_bytes) return BM_DEFLATE_HEADER_MORE_INPUT;
    size_t n_left = n_bytes - (size_t)(bit >> 3);
    data += bit >> 3;
    if (n_left < sizeof copy) {
        memcpy(copy, data, n_left);
        memset(copy + n_left, 0, sizeof copy - n_left);
        data = copy;
    }
    *reason = read_header(data, (unsigned)(bit & 7), header);
    if ((bit & 7) + header->n_bits > (uint64_t)n_left * 8) return BM_DEFLATE_HEADER_MORE_INPUT;
    return *reason == NULL ? BM_DEFLATE_HEADER_OK : BM_DEFLATE_HEADER_INVALID;
}
