/* SPDX-License-Identifier: MIT */
#include "base/deflate.h"

#include <string.h>

const uint16_t bm_length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                     31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
const uint8_t bm_length_extra_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                          2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
const uint16_t bm_distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                       33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                       1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
const uint8_t bm_distance_extra_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
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

static void count_lengths(const uint8_t *lengths, unsigned n_lengths,
                          unsigned counts[BM_MAX_CODE_LENGTH + 1]) {
    memset(counts, 0, (BM_MAX_CODE_LENGTH + 1) * sizeof counts[0]);
    for (unsigned i = 0; i < n_lengths; i++) counts[lengths[i]]++;
    counts[0] = 0;
}

static enum completeness judge_code(const uint8_t *lengths, unsigned n_lengths) {
    unsigned counts[BM_MAX_CODE_LENGTH + 1];
    unsigned used = 0, longest = 0;
    count_lengths(lengths, n_lengths, counts);
    for (unsigned length = 1; length <= BM_MAX_CODE_LENGTH; length++) {
        used += counts[length] << (BM_MAX_CODE_LENGTH - length);
        if (counts[length] != 0) longest = length;
    }
    if (used > 1U << BM_MAX_CODE_LENGTH) return CODE_OVERSUBSCRIBED;
    if (used == 1U << BM_MAX_CODE_LENGTH) return CODE_COMPLETE;
    if (longest == 0) return CODE_EMPTY;
    return longest == 1 ? CODE_SINGLE_BIT : CODE_INCOMPLETE;
}

/* An entry of the table for code lengths: the symbol, and 32 times its number of bits. */
static void fill_code_length_table(const uint8_t lengths[N_CODE_LENGTH], uint8_t table[1 << PEEK_BITS]) {
    unsigned code = 0; /* the next code, first bit highest; in the stream the first bit lies lowest */
    for (unsigned length = 1; length <= PEEK_BITS; length++) {
        for (unsigned symbol = 0; symbol < N_CODE_LENGTH; symbol++) {
            if (lengths[symbol] != length) continue;
            unsigned reversed = 0;
            for (unsigned i = 0; i < length; i++) reversed |= (code >> (length - 1 - i) & 1) << i;
            for (unsigned i = reversed; i < 1U << PEEK_BITS; i += 1U << length) {
                table[i] = (uint8_t)(symbol | length << 5);
            }
            code++;
        }
        code <<= 1;
    }
}

static const char *read_code_length_code(struct reader *reader, unsigned n_codes,
                                         uint8_t table[1 << PEEK_BITS]) {
    static const uint8_t order[N_CODE_LENGTH] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                 11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[N_CODE_LENGTH] = {0};
    for (unsigned i = 0; i < n_codes; i++) lengths[order[i]] = (uint8_t)take(reader, 3);
    if (judge_code(lengths, N_CODE_LENGTH) != CODE_COMPLETE)
        return "the code of the code lengths is not complete";
    fill_code_length_table(lengths, table);
    return NULL;
}

/* The lengths of both codes, which lie in the stream as one run: a repeat may cross the border. */
static const char *read_lengths(struct reader *reader, const uint8_t table[1 << PEEK_BITS], uint8_t *lengths,
                                unsigned n_lengths) {
    static const uint8_t extra_bits[3] = {2, 3, 7};
    static const uint8_t least[3] = {3, 3, 11};
    unsigned n = 0;
    while (n < n_lengths) {
        uint64_t bits = peek(reader);
        unsigned entry = table[bits & ((1U << PEEK_BITS) - 1)];
        unsigned symbol = entry & 31, n_bits = entry >> 5;
        if (symbol < 16) {
            lengths[n++] = (uint8_t)symbol;
            reader->bit += n_bits;
            continue;
        }
        unsigned n_extra = extra_bits[symbol - 16];
        unsigned n_repeats = least[symbol - 16] + ((unsigned)(bits >> n_bits) & ((1U << n_extra) - 1));
        reader->bit += n_bits + n_extra;
        if (symbol == 16 && n == 0) return "a code length repeats one that is not there";
        if (n_repeats > n_lengths - n) return "the code lengths run over their end";
        memset(lengths + n, symbol == 16 ? lengths[n - 1] : 0, n_repeats);
        n += n_repeats;
    }
    return NULL;
}

static const char *judge_codes(const struct bm_block_header *header) {
    if (header->literal_lengths[BM_END_OF_BLOCK] == 0) return "a block has no code for its end";
    switch (judge_code(header->literal_lengths, BM_N_LITERAL_LENGTH)) {
    case CODE_COMPLETE:
    case CODE_SINGLE_BIT:
        break;
    default:
        return "a block's literal/length code is not a complete code";
    }
    switch (judge_code(header->distance_lengths, BM_N_DISTANCE)) {
    case CODE_COMPLETE:
    case CODE_SINGLE_BIT:
    case CODE_EMPTY:
        return NULL;
    default:
        return "a block's distance code is not a complete code";
    }
}

static const char *read_dynamic(struct reader *reader, struct bm_block_header *header) {
    uint8_t table[1 << PEEK_BITS];
    uint8_t lengths[MAX_LITERAL_LENGTH_CODES + MAX_DISTANCE_CODES];
    unsigned n_literal = 257 + take(reader, 5);
    unsigned n_distance = 1 + take(reader, 5);
    unsigned n_codes = 4 + take(reader, 4);
    if (n_literal > MAX_LITERAL_LENGTH_CODES) return "a block has too many literal/length codes";
    if (n_distance > MAX_DISTANCE_CODES) return "a block has too many distance codes";
    const char *reason = read_code_length_code(reader, n_codes, table);
    if (reason == NULL) reason = read_lengths(reader, table, lengths, n_literal + n_distance);
    if (reason != NULL) return reason;
    memcpy(header->literal_lengths, lengths, n_literal);
    memcpy(header->distance_lengths, lengths + n_literal, n_distance);
    return judge_codes(header);
}

static void set_fixed(struct bm_block_header *header) {
    memset(header->literal_lengths, 8, 144);
    memset(header->literal_lengths + 144, 9, 112);
    memset(header->literal_lengths + 256, 7, 24);
    memset(header->literal_lengths + 280, 8, 8);
    memset(header->distance_lengths, 5, BM_N_DISTANCE);
}

static const char *read_stored(struct reader *reader, struct bm_block_header *header) {
    reader->bit = (reader->bit + 7) & ~(size_t)7;
    unsigned length = take(reader, 16);
    unsigned complement = take(reader, 16);
    header->stored_length = (uint16_t)length;
    return (length ^ complement) == 0xffff ? NULL : "a stored block's length is damaged";
}

/* n_bits of the header tells how many bits led to the verdict. */
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

enum bm_header_result bm_deflate_read_header(const uint8_t *data, size_t n_bytes, uint64_t bit,
                                             struct bm_block_header *header, const char **reason) {
    uint8_t copy[BM_MAX_HEADER_BYTES + SLACK];
    if (bit >> 3 >= n_bytes) return BM_HEADER_MORE_INPUT;
    size_t n_left = n_bytes - (size_t)(bit >> 3);
    data += bit >> 3;
    if (n_left < sizeof copy) {
        memcpy(copy, data, n_left);
        memset(copy + n_left, 0, sizeof copy - n_left);
        data = copy;
    }
    *reason = read_header(data, (unsigned)(bit & 7), header);
    if ((bit & 7) + header->n_bits > (uint64_t)n_left * 8) return BM_HEADER_MORE_INPUT;
    return *reason == NULL ? BM_HEADER_OK : BM_HEADER_INVALID;
}
