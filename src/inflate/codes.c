/* SPDX-License-Identifier: MIT */
/*
 * Code lengths -> decoding tables.
 *
 * A code's bits lie in the stream with the first one lowest, so that a table is looked up by codes
 * turned round, and a short code's entry repeats at a distance of a power of two. So the table grows by
 * doubling: entries for the codes of up to n bits fill 2^n places; copied behind themselves they fill
 * 2^(n+1), save for the codes of n+1 bits, which are then put in. Blocks are often small (gzip 1.12 ends one
 * after 4096 tokens), so that this counts.
 */
#include "inflate/internal.h"

#include <string.h>

enum { N_SYMBOLS = BM_N_LITERAL_LENGTH };

/* What a symbol's entry is before its code's length is known; the length, times a unit, is added. */
#define LITERAL_UNIT          UINT32_C(0x01000101)
#define LENGTH_UNIT           UINT32_C(0x01000100)
#define DISTANCE_UNIT         UINT32_C(0x00000101)
#define BAD_LITERAL           BM_INFLATE_EXCEPTION
#define BAD_DISTANCE          BM_INFLATE_DISTANCE_EXCEPTION
#define DISTANCE(base, extra) ((UINT32_C(base) << 16) | (extra))
#define LENGTH(base, extra)   (((UINT32_C(base) - 3) << 16) | (extra) << 8)

static const uint32_t distance_entries[BM_N_DISTANCE] = {
    DISTANCE(1, 0),     DISTANCE(2, 0),     DISTANCE(3, 0),      DISTANCE(4, 0),      DISTANCE(5, 1),
    DISTANCE(7, 1),     DISTANCE(9, 2),     DISTANCE(13, 2),     DISTANCE(17, 3),     DISTANCE(25, 3),
    DISTANCE(33, 4),    DISTANCE(49, 4),    DISTANCE(65, 5),     DISTANCE(97, 5),     DISTANCE(129, 6),
    DISTANCE(193, 6),   DISTANCE(257, 7),   DISTANCE(385, 7),    DISTANCE(513, 8),    DISTANCE(769, 8),
    DISTANCE(1025, 9),  DISTANCE(1537, 9),  DISTANCE(2049, 10),  DISTANCE(3073, 10),  DISTANCE(4097, 11),
    DISTANCE(6145, 11), DISTANCE(8193, 12), DISTANCE(12289, 12), DISTANCE(16385, 13), DISTANCE(24577, 13),
    BAD_DISTANCE,       BAD_DISTANCE};

/* Symbols from 256 on; a literal's entry is its number times 2^16. */
static const uint32_t length_entries[N_SYMBOLS - BM_END_OF_BLOCK] = {BM_INFLATE_EXCEPTION |
                                                                         BM_INFLATE_END_OF_BLOCK,
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

static uint32_t literal_length_entry(unsigned symbol, unsigned n_bits) {
    if (symbol < BM_END_OF_BLOCK) return (BM_INFLATE_LITERAL | symbol << 16) + n_bits * LITERAL_UNIT;
    return length_entries[symbol - BM_END_OF_BLOCK] + n_bits * LENGTH_UNIT;
}

static uint32_t distance_entry(unsigned symbol, unsigned n_bits) {
    return distance_entries[symbol] + n_bits * DISTANCE_UNIT;
}

static uint32_t literal_link(unsigned start, unsigned n_bits) {
    return BM_INFLATE_EXCEPTION | BM_INFLATE_LINK | start << 12 | n_bits << 8;
}

static uint32_t distance_link(unsigned start, unsigned n_bits) {
    return BM_INFLATE_DISTANCE_EXCEPTION | BM_INFLATE_DISTANCE_LINK | start << 16 | n_bits << 8;
}

/* The symbols that have a code, in the order of their codes. */
struct order {
    uint16_t counts[BM_MAX_CODE_LENGTH + 1];
    uint16_t symbols[N_SYMBOLS];
};

/* Says how many there are. */
static unsigned sort_symbols(struct order *order, const uint8_t *lengths, unsigned n_symbols) {
    uint16_t next[BM_MAX_CODE_LENGTH + 1];
    memset(order->counts, 0, sizeof order->counts);
    for (unsigned i = 0; i < n_symbols; i++) order->counts[lengths[i]]++;
    order->counts[0] = 0;
    next[1] = 0;
    for (unsigned i = 1; i < BM_MAX_CODE_LENGTH; i++) next[i + 1] = (uint16_t)(next[i] + order->counts[i]);
    for (unsigned i = 0; i < n_symbols; i++) {
        if (lengths[i] != 0) order->symbols[next[lengths[i]]++] = (uint16_t)i;
    }
    return next[BM_MAX_CODE_LENGTH];
}

/* The next code of n_bits bits, both turned round: one is added at the far end. 0 after the last. */
static unsigned next_code(unsigned code, unsigned n_bits) {
    unsigned bit = 1U << (n_bits - 1);
    while ((code & bit) != 0) bit >>= 1;
    return bit == 0 ? 0 : (code & (bit - 1)) | bit;
}

/* One table being made; is_literal is a constant wherever this is inlined. */
struct maker {
    uint32_t *table;
    bool is_literal;
    unsigned root_bits;
};

static inline uint32_t make_entry(const struct maker *maker, unsigned symbol, unsigned n_bits) {
    return maker->is_literal ? literal_length_entry(symbol, n_bits) : distance_entry(symbol, n_bits);
}

/*
 * The codes longer than the root's bits. Codes with the same first root_bits bits lie one behind the other: a
 * subtable is as large as these need. `code` is the first code, turned round, of n_bits bits.
 */
static inline void make_subtables(const struct maker *maker, const struct order *order, unsigned n_done,
                                  unsigned code, unsigned n_bits) {
    const unsigned root_bits = maker->root_bits, root_mask = (1U << root_bits) - 1;
    unsigned prefix = UINT32_MAX, start = 0, sub_bits = 0, end = 1U << root_bits;
    unsigned n_left = order->counts[n_bits];
    for (;;) {
        while (n_left == 0) {
            if (++n_bits > BM_MAX_CODE_LENGTH) return;
            n_left = order->counts[n_bits];
        }
        if ((code & root_mask) != prefix) {
            prefix = code & root_mask;
            start = end;
            sub_bits = n_bits - root_bits;
            unsigned space = n_left;
            while (space < 1U << sub_bits) {
                sub_bits++;
                space = (space << 1) + order->counts[root_bits + sub_bits];
            }
            end = start + (1U << sub_bits);
            maker->table[prefix] =
                maker->is_literal ? literal_link(start, sub_bits) : distance_link(start, sub_bits);
        }
        uint32_t entry = make_entry(maker, order->symbols[n_done++], n_bits);
        for (unsigned i = start + (code >> root_bits); i < end; i += 1U << (n_bits - root_bits)) {
            maker->table[i] = entry;
        }
        code = next_code(code, n_bits);
        n_left--;
    }
}

/* No code at all, or a single one of one bit: whatever else comes means nothing. */
static inline void make_sparse(const struct maker *maker, const struct order *order) {
    uint32_t bad = maker->is_literal ? BAD_LITERAL + LENGTH_UNIT : BAD_DISTANCE + DISTANCE_UNIT;
    uint32_t entry = order->counts[1] != 0 ? make_entry(maker, order->symbols[0], 1) : bad;
    for (unsigned i = 0; i < 1U << maker->root_bits; i++) maker->table[i] = (i & 1) == 0 ? entry : bad;
}

static inline __attribute__((always_inline)) void make_table(const struct maker *maker,
                                                             const uint8_t *lengths, unsigned n_symbols) {
    struct order order;
    unsigned n_bits = 1, n_done = 0, code = 0;
    if (sort_symbols(&order, lengths, n_symbols) <= 1) {
        make_sparse(maker, &order);
        return;
    }
    while (order.counts[n_bits] == 0 && n_bits < maker->root_bits) n_bits++;
    for (size_t n_filled = 0; n_bits <= maker->root_bits; n_filled = (size_t)1 << n_bits++) {
        memcpy(maker->table + n_filled, maker->table, n_filled * sizeof *maker->table);
        for (unsigned i = order.counts[n_bits]; i > 0; i--) {
            maker->table[code] = make_entry(maker, order.symbols[n_done++], n_bits);
            code = next_code(code, n_bits);
        }
    }
    if (code != 0) make_subtables(maker, &order, n_done, code, n_bits);
}

void bm_inflate_make_codes(struct bm_inflate_codes *codes, const struct bm_block_header *header) {
    const struct maker literal = {codes->literal, true, BM_INFLATE_LITERAL_ROOT_BITS};
    const struct maker distance = {codes->distance, false, BM_INFLATE_DISTANCE_ROOT_BITS};
    make_table(&literal, header->literal_lengths, BM_N_LITERAL_LENGTH);
    make_table(&distance, header->distance_lengths, BM_N_DISTANCE);
}
