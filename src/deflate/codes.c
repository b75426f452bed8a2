/* SPDX-License-Identifier: MIT */
/*
 * Code lengths -> decoding tables.
 *
 * A code's bits are in the stream with the first one lowest. So a table is indexed by reversed codes, and a
 * short code's entry repeats at a distance of a power of two. A table grows by doubling: the codes of up to n
 * bits fill 2^n entries; copied after themselves they fill 2^(n+1), except the codes of n+1 bits, which are
 * then written.
 *
 * The literal/length table goes one step further. A literal whose code has n bits has 2^(root - n) entries,
 * one for each value of the bits after it. If these bits also hold a whole code, the entry holds both symbols.
 * The addition to the literal's entry for that is in a second table, of root - n bits, which grows in the same
 * way, with zeros for the codes that are still too long. So at each of its sizes it serves the literals of one
 * length.
 *
 * Blocks are often small (gzip 1.12 may end one after 4096 tokens), so all this must be fast. Unpredictable
 * branches cost more than anything else here. For blocks of a few dozen tokens the second table never pays; it
 * is left out if such blocks are expected.
 */
#include "deflate/codes.h"

#include <string.h>

enum { N_SYMBOLS = BM_N_LITERAL_LENGTH, LITERAL_ROOT = BM_CODES_LITERAL_ROOT_BITS };

/* --- entries --------------------------------------------------------------------------------------- */

/* What is added for each bit of a symbol's code. */
#define LITERAL_UNIT          UINT32_C(0x101)
#define LENGTH_UNIT           UINT32_C(0x100)
#define DISTANCE_UNIT         UINT32_C(0x101)

#define BAD_LITERAL           BM_CODES_EXCEPTION
#define BAD_DISTANCE          UINT32_C(0)
#define DISTANCE(base, extra) ((UINT32_C(base) << 16) | (extra))
#define LENGTH(base, extra)   (((UINT32_C(base) - 3) << 24) | (extra) << 8)

const uint8_t bm_deflate_codes_length_extra[256] = {
    [11 - 3] = 1, [13 - 3] = 1,  [15 - 3] = 1,  [17 - 3] = 1,  [19 - 3] = 2,  [23 - 3] = 2, [27 - 3] = 2,
    [31 - 3] = 2, [35 - 3] = 3,  [43 - 3] = 3,  [51 - 3] = 3,  [59 - 3] = 3,  [67 - 3] = 4, [83 - 3] = 4,
    [99 - 3] = 4, [115 - 3] = 4, [131 - 3] = 5, [163 - 3] = 5, [195 - 3] = 5, [227 - 3] = 5};

static const uint32_t distance_entries[BM_N_DISTANCE] = {
    DISTANCE(1, 0),     DISTANCE(2, 0),     DISTANCE(3, 0),      DISTANCE(4, 0),      DISTANCE(5, 1),
    DISTANCE(7, 1),     DISTANCE(9, 2),     DISTANCE(13, 2),     DISTANCE(17, 3),     DISTANCE(25, 3),
    DISTANCE(33, 4),    DISTANCE(49, 4),    DISTANCE(65, 5),     DISTANCE(97, 5),     DISTANCE(129, 6),
    DISTANCE(193, 6),   DISTANCE(257, 7),   DISTANCE(385, 7),    DISTANCE(513, 8),    DISTANCE(769, 8),
    DISTANCE(1025, 9),  DISTANCE(1537, 9),  DISTANCE(2049, 10),  DISTANCE(3073, 10),  DISTANCE(4097, 11),
    DISTANCE(6145, 11), DISTANCE(8193, 12), DISTANCE(12289, 12), DISTANCE(16385, 13), DISTANCE(24577, 13),
    BAD_DISTANCE,       BAD_DISTANCE};

/* Symbols from 256 on. */
static const uint32_t length_entries[N_SYMBOLS - BM_END_OF_BLOCK] = {BM_CODES_EXCEPTION |
                                                                         BM_CODES_END_OF_BLOCK,
                                                                     LENGTH(3, 0),
                                                                     LENGTH(4, 0),
                                                                     LENGTH(5, 0),
                                                                     LENGTH(6, 0),
                                                                     LENGTH(7, 0),
                                                                     LENGTH(8, 0),
                                                                     LENGTH(9, 0),
                                                                     LENGTH(10, 0),
                                                                     LENGTH(11, 1),
                                                                     LENGTH(13, 1),
                                                                     LENGTH(15, 1),
                                                                     LENGTH(17, 1),
                                                                     LENGTH(19, 2),
                                                                     LENGTH(23, 2),
                                                                     LENGTH(27, 2),
                                                                     LENGTH(31, 2),
                                                                     LENGTH(35, 3),
                                                                     LENGTH(43, 3),
                                                                     LENGTH(51, 3),
                                                                     LENGTH(59, 3),
                                                                     LENGTH(67, 4),
                                                                     LENGTH(83, 4),
                                                                     LENGTH(99, 4),
                                                                     LENGTH(115, 4),
                                                                     LENGTH(131, 5),
                                                                     LENGTH(163, 5),
                                                                     LENGTH(195, 5),
                                                                     LENGTH(227, 5),
                                                                     LENGTH(258, 0),
                                                                     BAD_LITERAL,
                                                                     BAD_LITERAL};

static uint32_t literal_entry(unsigned symbol, unsigned n_bits) {
    return (symbol << 16 | BM_CODES_LITERALS(1) | BM_CODES_NO_LENGTH) + n_bits * LITERAL_UNIT;
}

static uint32_t literal_length_entry(unsigned symbol, unsigned n_bits) {
    if (symbol < BM_END_OF_BLOCK) return literal_entry(symbol, n_bits);
    return length_entries[symbol - BM_END_OF_BLOCK] + n_bits * LENGTH_UNIT;
}

/* What a literal's entry gains by the symbol behind it. */
static uint32_t gain(unsigned symbol, unsigned n_bits) {
    if (symbol < BM_END_OF_BLOCK) return (symbol << 24 | BM_CODES_LITERALS(1)) + n_bits * LITERAL_UNIT;
    uint32_t entry = length_entries[symbol - BM_END_OF_BLOCK];
    if ((entry & BM_CODES_EXCEPTION) != 0) return 0;
    return entry - BM_CODES_NO_LENGTH + n_bits * LENGTH_UNIT;
}

static uint32_t distance_entry(unsigned symbol, unsigned n_bits) {
    return distance_entries[symbol] + n_bits * DISTANCE_UNIT;
}

static uint32_t literal_link(unsigned start, unsigned n_bits) {
    return BM_CODES_EXCEPTION | BM_CODES_LINK | start << 16 | n_bits << 8;
}

static uint32_t distance_link(unsigned start, unsigned n_bits) {
    return BM_CODES_DISTANCE_LINK | start << 16 | n_bits << 8;
}

/* --- codes ----------------------------------------------------------------------------------------- */

/* The symbols that have a code, in the order of their codes. */
struct order {
    const uint16_t *counts; /* of codes of each length */
    unsigned n_symbols;
    unsigned least; /* the shortest code's bits */
    uint16_t symbols[N_SYMBOLS];
    uint16_t codes[N_SYMBOLS]; /* turned round: the first bit is the lowest */
};

static void sort_symbols(struct order *order, const uint8_t *lengths, unsigned n_lengths) {
    uint16_t next[BM_MAX_CODE_LENGTH + 1];
    next[1] = 0;
    for (unsigned i = 1; i < BM_MAX_CODE_LENGTH; i++) next[i + 1] = (uint16_t)(next[i] + order->counts[i]);
    for (unsigned i = 0; i < n_lengths; i += 8) {
        if (bm_load64(lengths + i) == 0) continue;
        for (unsigned k = i; k < i + 8; k++) {
            if (lengths[k] != 0) order->symbols[next[lengths[k]]++] = (uint16_t)k;
        }
    }
    order->n_symbols = next[BM_MAX_CODE_LENGTH];
}

/* First with their first bit highest, where the next code is the next number; then turned round. */
static void number_codes(struct order *order) {
    unsigned n = 0, code = 0;
    order->least = 1;
    while (order->counts[order->least] == 0) order->least++;
    for (unsigned n_bits = order->least; n < order->n_symbols; n_bits++) {
        for (unsigned i = order->counts[n_bits]; i > 0; i--) {
            order->codes[n++] = (uint16_t)code;
            code += 1U << (16 - n_bits);
        }
    }
    for (unsigned i = 0; i < order->n_symbols; i++) {
        uint16_t bits = order->codes[i];
        bits = (uint16_t)((bits & 0x5555) << 1 | (bits >> 1 & 0x5555));
        bits = (uint16_t)((bits & 0x3333) << 2 | (bits >> 2 & 0x3333));
        bits = (uint16_t)((bits & 0x0f0f) << 4 | (bits >> 4 & 0x0f0f));
        order->codes[i] = (uint16_t)(bits << 8 | bits >> 8);
    }
}

/* --- tables ---------------------------------------------------------------------------------------- */

/* Copies n entries behind themselves, in pieces of DOUBLE_PIECE: where n is less it writes more than n, which
 * is written anew before it counts. */
enum { DOUBLE_PIECE = 16 };

static inline void double_table(uint32_t *table, size_t n) {
    for (size_t i = 0; i < n; i += DOUBLE_PIECE) {
        uint32_t piece[DOUBLE_PIECE];
        memcpy(piece, table + i, sizeof piece);
        memcpy(table + n + i, piece, sizeof piece);
    }
}

/* A table being made; constants wherever this is inlined. */
struct maker {
    uint32_t *table;
    bool is_literal;
    unsigned root_bits;
};

static inline uint32_t make_entry(const struct maker *maker, unsigned symbol, unsigned n_bits) {
    return maker->is_literal ? literal_length_entry(symbol, n_bits) : distance_entry(symbol, n_bits);
}

/*
 * The codes that are longer than the root's bits; n is the first. Codes with the same first root_bits bits
 * lie one behind the other: a subtable is as large as these need.
 */
static void make_subtables(const struct maker *maker, const struct order *order, unsigned n) {
    const unsigned root_bits = maker->root_bits, root_mask = (1U << root_bits) - 1;
    unsigned prefix = UINT32_MAX, start = 0, end = 1U << root_bits, n_bits = root_bits, n_left = 0;
    for (; n < order->n_symbols; n++, n_left--) {
        while (n_left == 0) n_left = order->counts[++n_bits];
        if ((order->codes[n] & root_mask) != prefix) {
            unsigned sub_bits = n_bits - root_bits, space = n_left;
            while (space < 1U << sub_bits) {
                sub_bits++;
                space = (space << 1) + order->counts[root_bits + sub_bits];
            }
            prefix = order->codes[n] & root_mask;
            start = end;
            end = start + (1U << sub_bits);
            maker->table[prefix] =
                maker->is_literal ? literal_link(start, sub_bits) : distance_link(start, sub_bits);
        }
        uint32_t entry = make_entry(maker, order->symbols[n], n_bits);
        for (unsigned i = start + (order->codes[n] >> root_bits); i < end; i += 1U << (n_bits - root_bits)) {
            maker->table[i] = entry;
        }
    }
}

/* No code at all, or a single one of one bit: whatever else comes means nothing. */
static void make_sparse(const struct maker *maker, const struct order *order) {
    uint32_t bad = maker->is_literal ? BAD_LITERAL + LENGTH_UNIT : BAD_DISTANCE + DISTANCE_UNIT;
    uint32_t entry = order->n_symbols != 0 ? make_entry(maker, order->symbols[0], 1) : bad;
    for (unsigned i = 0; i < 1U << maker->root_bits; i++) maker->table[i] = (i & 1) == 0 ? entry : bad;
}

static inline void make_root(const struct maker *maker, const struct order *order) {
    unsigned n = 0;
    for (unsigned n_bits = order->least; n_bits <= maker->root_bits; n_bits++) {
        if (n_bits != order->least) double_table(maker->table, (size_t)1 << (n_bits - 1));
        for (unsigned i = order->counts[n_bits]; i > 0; i--, n++) {
            maker->table[order->codes[n]] = make_entry(maker, order->symbols[n], n_bits);
        }
    }
    if (n < order->n_symbols) make_subtables(maker, order, n);
}

/* The entries of literals of n_bits bits, of which order->symbols[n] is the first. There are four gains or
 * more. */
static void join(uint32_t *table, const struct order *order, unsigned n, unsigned n_bits,
                 const uint32_t *gains) {
    const size_t step = (size_t)1 << n_bits;
    for (unsigned i = order->counts[n_bits]; i > 0 && order->symbols[n] < BM_END_OF_BLOCK; i--, n++) {
        const uint32_t entry = literal_entry(order->symbols[n], n_bits);
        uint32_t *place = table + order->codes[n];
        const uint32_t *end = gains + (1 << (LITERAL_ROOT - n_bits));
        for (const uint32_t *p = gains; p < end; p += 4, place += 4 * step) {
            place[0] = entry + p[0];
            place[step] = entry + p[1];
            place[2 * step] = entry + p[2];
            place[3 * step] = entry + p[3];
        }
    }
}

static void join_symbols(uint32_t *table, const struct order *order) {
    uint32_t gains[(1 << LITERAL_ROOT) / 2 + DOUBLE_PIECE];
    unsigned first[LITERAL_ROOT + 1]; /* of the symbols whose codes have so many bits */
    unsigned n = 0;
    if (order->least > LITERAL_ROOT / 2) return;
    first[order->least] = 0;
    for (unsigned n_bits = order->least; n_bits < LITERAL_ROOT; n_bits++) {
        first[n_bits + 1] = first[n_bits] + order->counts[n_bits];
    }
    memset(gains, 0, sizeof gains[0] << order->least);
    for (unsigned n_bits = order->least; n_bits <= LITERAL_ROOT - order->least; n_bits++) {
        if (n_bits != order->least) double_table(gains, (size_t)1 << (n_bits - 1));
        for (unsigned i = order->counts[n_bits]; i > 0; i--, n++) {
            gains[order->codes[n]] = gain(order->symbols[n], n_bits);
        }
        if (n_bits >= 2) join(table, order, first[LITERAL_ROOT - n_bits], LITERAL_ROOT - n_bits, gains);
    }
}

static inline void make_table(const struct maker *maker, const uint8_t *lengths, const uint16_t *counts,
                              unsigned n_lengths, bool is_joined) {
    struct order order;
    order.counts = counts;
    sort_symbols(&order, lengths, n_lengths);
    if (order.n_symbols <= 1) {
        make_sparse(maker, &order);
        return;
    }
    number_codes(&order);
    make_root(maker, &order);
    if (is_joined) join_symbols(maker->table, &order);
}

void bm_deflate_codes_make(struct bm_deflate_codes *codes, const struct bm_block_header *header,
                           bool is_long) {
    const struct maker literal = {codes->literal, true, BM_CODES_LITERAL_ROOT_BITS};
    const struct maker distance = {codes->distance, false, BM_CODES_DISTANCE_ROOT_BITS};
    make_table(&literal, header->literal_lengths, header->literal_counts, BM_N_LITERAL_LENGTH, is_long);
    make_table(&distance, header->distance_lengths, header->distance_counts, BM_N_DISTANCE, false);
    memcpy(codes->literal_bits, header->literal_lengths, sizeof codes->literal_bits);
}
