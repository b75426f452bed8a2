/* SPDX-License-Identifier: MIT */
#include "splice/recode.h"

#include <assert.h>
#include <string.h>

/*
 * The ways to write a chunk
 *
 * Own: with the codes of the child's block. Nearly always best where edits are rare: most tokens are
 * what they were, the others differ in a few bits, and no header is needed. Not every token can be said
 * in them, though. A match of 258 has two symbols; a match whose length has none can be said as two; a match
 * whose distance has none as literals. What still cannot be said goes into a fixed block in between, after
 * which the block's header is repeated. Where to change over is found by looking for the cheapest path
 * through all tokens with two states, own and fixed (Viterbi).
 *
 * New: a dynamic block with codes made for the chunk. Best where edits are dense: one such chunk follows
 * the other, and the child's headers are not written at all.
 *
 * Fixed, stored: for a few tokens, and for text that does not compress.
 */

enum { OWN = 1, OWN_FROM_FIXED = 2, FIXED_FROM_OWN = 4 }; /* recode->states */
enum {
    FIXED_HEADER_BITS = 3,
    FIXED_END_BITS = 7,
    STORED_COST = 3 + 7 + 32, /* with the most that it takes to reach a byte border */
    NEW_AT_LEAST = 160,       /* hardly a dynamic block takes less: not worth trying */
    LENGTHS_AT_LEAST = 60,    /* what comes before the lengths in its header */
    FEW = 8,                  /* tokens: no new codes for them */
    MAX_STORED = 65535
};
static const uint32_t impossible = 1U << 30; /* more than any price */

/* What a chunk is made of. 258 in its longer form is counted apart. */
struct counts {
    uint32_t literals[BM_N_LITERAL_LENGTH];
    uint32_t distances[BM_N_DISTANCE];
    uint32_t n_long_284;
    uint64_t n_text;
};

/* A dynamic block of its own. */
struct new_block {
    struct bm_splice_codes codes;
    struct bm_splice_header header;
};

/* How a token is said in the block's codes: as one match or two, or as literals. */
struct saying {
    uint32_t cost;
    bool is_literals;
    uint32_t first, second; /* second 0: none */
};

/* --- a block's codes ----------------------------------------------------------------------------- */

static void make_fixed(struct bm_splice_codes *codes) {
    memset(codes->literal_lengths, 8, 144);
    memset(codes->literal_lengths + 144, 9, 112);
    memset(codes->literal_lengths + 256, 7, 24);
    memset(codes->literal_lengths + 280, 8, 8);
    memset(codes->distance_lengths, 5, BM_N_DISTANCE);
    bm_splice_make_words(codes);
}

void bm_splice_recode_reset(struct bm_splice_recode *recode) {
    make_fixed(&recode->fixed);
    bm_splice_make_printer(&recode->fixed_printer, &recode->fixed, true);
    recode->block.number = 0;
    recode->is_open = false;
    recode->n_tokens = 0;
}

void bm_splice_recode_begin(struct bm_splice_recode *recode, const struct bm_splice_block *block) {
    assert(!recode->is_open);
    if (!bm_splice_has_header(&recode->block, block->header, block->n_header_bits)) recode->has_codes = false;
    recode->block = *block;
}

/* Whether there are codes at all: stored blocks have none, nor has text that was inserted between blocks. */
static bool has_own(const struct bm_splice_recode *recode) {
    return recode->block.number != 0 && recode->block.type != BM_BLOCK_STORED;
}

static void prepare(struct bm_splice_recode *recode) {
    if (!has_own(recode) || recode->has_codes) return;
    bm_splice_read_lengths(&recode->block);
    const struct bm_block_header *lengths = &recode->block.lengths;
    memcpy(recode->codes.literal_lengths, lengths->literal_lengths, BM_N_LITERAL_LENGTH);
    memcpy(recode->codes.distance_lengths, lengths->distance_lengths, BM_N_DISTANCE);
    bm_splice_make_words(&recode->codes);
    bm_splice_make_printer(&recode->printer, &recode->codes, true);
    memset(recode->splits, 0, sizeof recode->splits);
    recode->has_codes = true;
}

/* --- writing tokens ------------------------------------------------------------------------------ */

static void put_symbol(struct bm_splice_writer *writer, const struct bm_splice_codes *codes,
                       unsigned symbol) {
    bm_splice_put(writer, codes->literal_words[symbol], codes->literal_lengths[symbol]);
}

void bm_splice_put_stored(struct bm_splice_writer *writer, const uint8_t *text, size_t n_bytes) {
    bm_require(n_bytes <= MAX_STORED);
    bm_splice_put(writer, BM_BLOCK_STORED, 3);
    bm_splice_align(writer);
    bm_splice_put(writer, n_bytes | (uint64_t)(n_bytes ^ 0xffff) << 16, 32);
    bm_splice_copy_bytes(writer, text, n_bytes);
}

/* --- what a token costs -------------------------------------------------------------------------- */

static unsigned match_cost(const struct bm_splice_codes *codes, uint32_t token) {
    unsigned l = bm_splice_token_length_symbol(bm_splice_token_written_length(token));
    unsigned d = bm_splice_token_distance_symbol(bm_splice_token_distance(token));
    unsigned l_bits = codes->literal_lengths[257 + l], d_bits = codes->distance_lengths[d];
    if (l_bits == 0 || d_bits == 0) return impossible;
    return l_bits + bm_deflate_length_extra_bits[l] + d_bits + bm_deflate_distance_extra_bits[d];
}

static unsigned length_cost(const struct bm_splice_codes *codes, unsigned length) {
    unsigned l = bm_splice_token_length_symbol(length);
    unsigned n_bits = codes->literal_lengths[257 + l];
    return n_bits == 0 ? impossible : n_bits + bm_deflate_length_extra_bits[l];
}

/* The first of the two lengths as which `length` is said best, or 1. */
static unsigned find_split(struct bm_splice_recode *recode, unsigned length) {
    if (recode->splits[length] != 0) return recode->splits[length];
    unsigned best = 1, best_cost = impossible;
    for (unsigned first = BM_MIN_MATCH; first + BM_MIN_MATCH <= length && first < 256; first++) {
        unsigned cost = length_cost(&recode->codes, first) + length_cost(&recode->codes, length - first);
        if (cost >= best_cost) continue;
        best = first;
        best_cost = cost;
    }
    recode->splits[length] = (uint8_t)best;
    return best;
}

static unsigned literals_cost(const struct bm_splice_codes *codes, const uint8_t *text, unsigned n_bytes) {
    unsigned cost = 0;
    for (unsigned i = 0; i < n_bytes; i++) {
        unsigned n_bits = codes->literal_lengths[text[i]];
        if (n_bits == 0) return impossible;
        cost += n_bits;
    }
    return cost;
}

static void try_matches(struct saying *saying, const struct bm_splice_codes *codes, uint32_t first,
                        uint32_t second) {
    uint32_t cost = match_cost(codes, first) + (second != 0 ? match_cost(codes, second) : 0);
    if (cost >= saying->cost) return;
    *saying = (struct saying){.cost = cost, .first = first, .second = second};
}

/* The best saying of a token that stands for the text at `place`; cost `impossible` if there is none. */
static struct saying say(struct bm_splice_recode *recode, const struct bm_splice_window *window,
                         uint32_t token, uint64_t place) {
    const struct bm_splice_codes *codes = &recode->codes;
    struct saying saying = {.cost = impossible, .first = token};
    if (bm_splice_token_is_literal(token)) {
        if (codes->literal_lengths[token] != 0) saying.cost = codes->literal_lengths[token];
        return saying;
    }
    try_matches(&saying, codes, token, 0);
    if (saying.cost < impossible) return saying;
    unsigned length = bm_splice_token_length(token), distance = bm_splice_token_distance(token);
    if (length == BM_MAX_MATCH) {
        try_matches(&saying, codes, bm_splice_token_match(BM_MAX_MATCH, distance), 0);
        try_matches(&saying, codes, bm_splice_token_match(BM_SPLICE_LONG_284, distance), 0);
    }
    unsigned split = find_split(recode, length);
    if (split > 1) {
        try_matches(&saying, codes, bm_splice_token_match(split, distance),
                    bm_splice_token_match(length - split, distance));
    }
    if (place >= window->begin && place + length <= bm_splice_window_end(window)) {
        unsigned cost = literals_cost(codes, bm_splice_window_at(window, place), length);
        if (cost < saying.cost) saying = (struct saying){.cost = cost, .is_literals = true, .first = token};
    }
    return saying;
}

static uint32_t fixed_cost(const struct bm_splice_codes *fixed, uint32_t token) {
    return bm_splice_token_is_literal(token) ? fixed->literal_lengths[token] : match_cost(fixed, token);
}

/* --- the price of each way ----------------------------------------------------------------------- */

/* Leaves the distances' symbols in recode->symbols. */
static void count(struct bm_splice_recode *recode, struct counts *counts) {
    uint32_t forms[BM_SPLICE_FORMS] = {0};
    uint32_t distances[4][BM_N_DISTANCE] = {{0}}; /* four, as one and the same cannot be counted so quickly */
    memset(counts, 0, sizeof *counts);
    const size_t n = recode->n_tokens;
    for (size_t i = 0; i < n; i++) {
        uint32_t token = recode->tokens[i];
        unsigned symbol = bm_splice_token_distance_symbol(bm_splice_token_distance(token));
        recode->symbols[i] = (uint8_t)symbol;
        forms[bm_splice_token_form(token)]++;
        distances[i & 3][symbol]++;
    }
    for (unsigned i = 0; i < BM_N_DISTANCE; i++)
        counts->distances[i] = distances[0][i] + distances[1][i] + distances[2][i] + distances[3][i];
    counts->distances[BM_SPLICE_NO_DISTANCE] = 0;
    for (unsigned i = 0; i < 256; i++) {
        counts->literals[i] = forms[i];
        counts->n_text += forms[i];
    }
    for (unsigned length = BM_MIN_MATCH; length <= BM_MAX_MATCH; length++) {
        counts->literals[257 + bm_splice_token_length_symbol(length)] += forms[BM_SPLICE_FORM_MATCH + length];
        counts->n_text += (uint64_t)length * forms[BM_SPLICE_FORM_MATCH + length];
    }
    counts->n_long_284 = forms[BM_SPLICE_FORM_MATCH + BM_SPLICE_LONG_284];
    counts->n_text += (uint64_t)BM_MAX_MATCH * counts->n_long_284;
}

/* The bits of the chunk's tokens in these codes, without the end. *is_possible: all symbols have one; those
 * that have none take no bits. */
static uint64_t price(const struct counts *counts, const struct bm_splice_codes *codes, bool *is_possible) {
    uint64_t bits = 0;
    *is_possible = counts->n_long_284 == 0 || codes->literal_lengths[284] != 0;
    for (unsigned i = 0; i < 286; i++) {
        unsigned n_extra = i > 256 ? bm_deflate_length_extra_bits[i - 257] : 0;
        if (counts->literals[i] != 0 && codes->literal_lengths[i] == 0) *is_possible = false;
        bits += (uint64_t)counts->literals[i] * (codes->literal_lengths[i] + n_extra);
    }
    for (unsigned i = 0; i < 30; i++) {
        if (counts->distances[i] != 0 && codes->distance_lengths[i] == 0) *is_possible = false;
        bits +=
            (uint64_t)counts->distances[i] * (codes->distance_lengths[i] + bm_deflate_distance_extra_bits[i]);
    }
    bits += (uint64_t)counts->n_long_284 * (codes->literal_lengths[284] + 5U);
    return bits;
}

/* What a way that leaves the block's codes costs besides its own bits: their end, and their return. */
static uint64_t leaving_cost(const struct bm_splice_recode *recode, enum bm_splice_reason reason) {
    uint64_t bits = 0;
    if (recode->is_open) bits += recode->codes.literal_lengths[BM_END_OF_BLOCK];
    if (reason == BM_SPLICE_BITS_FOLLOW && has_own(recode)) bits += recode->block.n_header_bits;
    return bits;
}

/* The cheapest path through the tokens with the block's codes and fixed ones. Leaves the way in
 * recode->states: OWN for each token that is said in own codes. Returns what it costs. */
static uint64_t find_path(struct bm_splice_recode *recode, const struct bm_splice_window *window,
                          enum bm_splice_reason reason) {
    const uint64_t to_fixed = recode->codes.literal_lengths[BM_END_OF_BLOCK] + FIXED_HEADER_BITS;
    const uint64_t to_own = FIXED_END_BITS + recode->block.n_header_bits;
    uint64_t own = recode->is_open ? 0 : recode->block.n_header_bits;
    uint64_t in_fixed = recode->is_open ? to_fixed : FIXED_HEADER_BITS;
    uint64_t place = recode->place;
    for (size_t i = 0; i < recode->n_tokens; i++) {
        uint32_t token = recode->tokens[i];
        uint64_t own_before = own, fixed_before = in_fixed;
        recode->states[i] = 0;
        if (fixed_before + to_own < own) {
            own = fixed_before + to_own;
            recode->states[i] |= OWN_FROM_FIXED;
        }
        if (own_before + to_fixed < in_fixed) {
            in_fixed = own_before + to_fixed;
            recode->states[i] |= FIXED_FROM_OWN;
        }
        own += say(recode, window, token, place).cost;
        in_fixed += fixed_cost(&recode->fixed, token);
        place += bm_splice_token_length(token);
    }
    uint64_t own_end = reason == BM_SPLICE_BLOCK_ENDS ? recode->codes.literal_lengths[BM_END_OF_BLOCK] : 0;
    uint64_t fixed_end = reason == BM_SPLICE_BITS_FOLLOW ? to_own : FIXED_END_BITS;
    bool is_own = own + own_end <= in_fixed + fixed_end;
    uint64_t cost = is_own ? own + own_end : in_fixed + fixed_end;
    for (size_t i = recode->n_tokens; i-- > 0;) {
        bool was_own =
            is_own ? !(recode->states[i] & OWN_FROM_FIXED) : (recode->states[i] & FIXED_FROM_OWN) != 0;
        recode->states[i] = is_own ? OWN : 0;
        is_own = was_own;
    }
    return cost;
}

/* --- the ways ------------------------------------------------------------------------------------ */

static void end_block(struct bm_splice_recode *recode, struct bm_splice_writer *writer) {
    if (recode->is_open) put_symbol(writer, &recode->codes, BM_END_OF_BLOCK);
    recode->is_open = false;
}

static void begin_fixed(const struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                        uint64_t place) {
    bm_splice_recode_watch(recode, writer, place);
    bm_splice_put(writer, (uint64_t)BM_BLOCK_FIXED << 1, FIXED_HEADER_BITS);
}

static void put_fixed_end(struct bm_splice_writer *writer) {
    bm_splice_put(writer, 0, FIXED_END_BITS);
}

BM_CODES_INLINE void print_inline(const struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                                  const struct bm_splice_printer *printer) {
    struct bm_splice_writer local = *writer; /* what is written might change these, for all gcc knows */
    const size_t n = recode->n_tokens;
    for (size_t i = 0; i < n; i++)
        bm_splice_print_known(&local, printer, recode->tokens[i], recode->symbols[i]);
    *writer = local;
}

#if defined(__x86_64__)
__attribute__((target("bmi2"))) static void print_bmi2(const struct bm_splice_recode *recode,
                                                       struct bm_splice_writer *writer,
                                                       const struct bm_splice_printer *printer) {
    print_inline(recode, writer, printer);
}
#endif

/* Tokens that were counted. */
static void print_tokens(const struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                         const struct bm_splice_printer *printer) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) {
        print_bmi2(recode, writer, printer);
        return;
    }
#endif
    print_inline(recode, writer, printer);
}

static void write_own(struct bm_splice_recode *recode, struct bm_splice_writer *writer) {
    bm_splice_recode_open(recode, writer, recode->place);
    print_tokens(recode, writer, &recode->printer);
}

static void put_saying(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                       const struct bm_splice_window *window, uint32_t token, uint64_t place) {
    struct saying saying = say(recode, window, token, place);
    if (saying.is_literals) {
        const uint8_t *text = bm_splice_window_at(window, place);
        for (unsigned i = 0; i < bm_splice_token_length(token); i++)
            put_symbol(writer, &recode->codes, text[i]);
        return;
    }
    bm_splice_print(writer, &recode->printer, saying.first);
    if (saying.second != 0) bm_splice_print(writer, &recode->printer, saying.second);
}

/* Along the path that find_path() left. */
static void write_mixed(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                        const struct bm_splice_window *window) {
    uint64_t place = recode->place;
    bool is_in_fixed = false;
    for (size_t i = 0; i < recode->n_tokens; i++) {
        bool is_own = (recode->states[i] & OWN) != 0;
        if (is_own && is_in_fixed) put_fixed_end(writer);
        if (is_own) {
            bm_splice_recode_open(recode, writer, place);
            put_saying(recode, writer, window, recode->tokens[i], place);
        } else {
            end_block(recode, writer);
            if (!is_in_fixed) begin_fixed(recode, writer, place);
            bm_splice_print(writer, &recode->fixed_printer, recode->tokens[i]);
        }
        is_in_fixed = !is_own;
        place += bm_splice_token_length(recode->tokens[i]);
    }
    if (is_in_fixed) put_fixed_end(writer);
}

static void write_fixed(struct bm_splice_recode *recode, struct bm_splice_writer *writer) {
    end_block(recode, writer);
    begin_fixed(recode, writer, recode->place);
    print_tokens(recode, writer, &recode->fixed_printer);
    put_fixed_end(writer);
}

static void write_new(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                      struct new_block *block) {
    struct bm_splice_printer printer;
    end_block(recode, writer);
    bm_splice_recode_watch(recode, writer, recode->place);
    bm_splice_put_header(writer, &block->header);
    bm_splice_make_words(&block->codes);
    bm_splice_make_printer(&printer, &block->codes, false);
    print_tokens(recode, writer, &printer);
    put_symbol(writer, &block->codes, BM_END_OF_BLOCK);
}

static void write_stored(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                         const struct bm_splice_window *window, uint64_t n_text) {
    end_block(recode, writer);
    bm_splice_recode_watch(recode, writer, recode->place);
    bm_splice_put_stored(writer, bm_splice_window_at(window, recode->place), (size_t)n_text);
}

/* --- the choice ---------------------------------------------------------------------------------- */

struct prices {
    uint64_t own, mixed, fixed, made, stored; /* in bits */
};

/* Whether there are literals without a code. They are what leads out of own codes for certain. */
static bool lacks_literals(const struct counts *counts, const struct bm_splice_codes *codes) {
    for (unsigned i = 0; i < 256; i++) {
        if (counts->literals[i] != 0 && codes->literal_lengths[i] == 0) return true;
    }
    return false;
}

/* Own codes; where they cannot say it all, about the least that own and fixed codes together take, which
 * tells whether to find that out is worth the time. */
static uint64_t price_own(const struct bm_splice_recode *recode, const struct counts *counts,
                          enum bm_splice_reason reason, bool *is_possible) {
    uint64_t bits = price(counts, &recode->codes, is_possible);
    if (!recode->is_open) bits += recode->block.n_header_bits;
    if (reason == BM_SPLICE_BLOCK_ENDS) bits += recode->codes.literal_lengths[BM_END_OF_BLOCK];
    if (!*is_possible && lacks_literals(counts, &recode->codes)) bits += recode->block.n_header_bits;
    return bits;
}

static uint64_t price_fixed(const struct bm_splice_recode *recode, const struct counts *counts) {
    bool is_possible = true;
    return FIXED_HEADER_BITS + price(counts, &recode->fixed, &is_possible) + FIXED_END_BITS;
}

/* log2(x), times 65536, at most LOGARITHM_ERROR too much or too little: between powers of two a parabola. */
enum { LOGARITHM_ERROR = 525 };

static uint64_t binary_logarithm(uint32_t x) {
    unsigned n = 31 - (unsigned)__builtin_clz(x);
    uint64_t part = ((uint64_t)x << 16 >> n) - 65536;
    return ((uint64_t)n << 16) + part + ((22544 * part >> 16) * (65536 - part) >> 16);
}

/* No code takes fewer bits for so many of each symbol: their entropy, less what the logarithms may err; and
 * in the header, each symbol hardly takes less than two. */
static uint64_t least_code(const uint32_t *counts, unsigned n_symbols) {
    uint64_t bits = 0, n_header_bits = 0;
    uint32_t n = 0;
    for (unsigned i = 0; i < n_symbols; i++) {
        if (counts[i] == 0) continue;
        n_header_bits += 2;
        bits += counts[i] * (binary_logarithm(counts[i]) + (uint64_t)2 * LOGARITHM_ERROR);
        n += counts[i];
    }
    if (n == 0) return 0;
    uint64_t all = n * binary_logarithm(n);
    return n_header_bits + (all > bits ? (all - bits) >> 16 : 0);
}

/* About the least that new codes take. Finding that out takes a tenth of the time that making them does, and
 * where edits are rare they nearly never pay. */
static uint64_t least_new(const struct counts *counts) {
    uint64_t bits = LENGTHS_AT_LEAST + least_code(counts->literals, BM_END_OF_BLOCK + 30) +
                    least_code(counts->distances, 30);
    for (unsigned i = 0; i < 29; i++)
        bits += (uint64_t)counts->literals[257 + i] * bm_deflate_length_extra_bits[i];
    for (unsigned i = 0; i < 30; i++)
        bits += (uint64_t)counts->distances[i] * bm_deflate_distance_extra_bits[i];
    return bits;
}

static uint64_t price_new(struct counts *counts, struct new_block *block) {
    bool is_possible = true;
    counts->literals[285] += counts->n_long_284;
    counts->literals[BM_END_OF_BLOCK] = 1;
    counts->n_long_284 = 0;
    bm_splice_make_lengths(counts->literals, BM_N_LITERAL_LENGTH, BM_MAX_CODE_LENGTH,
                           block->codes.literal_lengths);
    bm_splice_make_lengths(counts->distances, BM_N_DISTANCE, BM_MAX_CODE_LENGTH,
                           block->codes.distance_lengths);
    bm_splice_make_header(&block->header, &block->codes);
    return block->header.n_bits + price(counts, &block->codes, &is_possible);
}

static uint64_t price_stored(const struct bm_splice_recode *recode, const struct bm_splice_window *window,
                             const struct counts *counts) {
    if (recode->place < window->begin || counts->n_text > BM_WINDOW) return impossible;
    if (recode->place + counts->n_text > bm_splice_window_end(window)) return impossible;
    return 8 * counts->n_text + STORED_COST;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Fills in the prices, `impossible` where there is no need to know. Returns the least. */
static uint64_t find_best(struct bm_splice_recode *recode, const struct bm_splice_window *window,
                          enum bm_splice_reason reason, struct counts *counts, struct prices *prices,
                          struct new_block *block) {
    const uint64_t leaving = leaving_cost(recode, reason);
    bool can_say = false;
    uint64_t own = has_own(recode) ? price_own(recode, counts, reason, &can_say) : impossible;
    *prices = (struct prices){impossible, impossible, impossible, impossible, impossible};
    if (can_say) prices->own = own;
    prices->fixed = leaving + price_fixed(recode, counts);
    prices->stored = leaving + price_stored(recode, window, counts);
    uint64_t best = least(prices->own, least(prices->fixed, prices->stored));
    if (best > leaving + NEW_AT_LEAST && best > leaving + least_new(counts))
        prices->made = leaving + price_new(counts, block);
    best = least(best, prices->made);
    if (!can_say && own < best) prices->mixed = find_path(recode, window, reason);
    return least(best, prices->mixed);
}

static void write_best(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                       const struct bm_splice_window *window, enum bm_splice_reason reason) {
    struct counts counts;
    struct new_block block = {.header.n_bits = 0};
    struct prices prices;
    prepare(recode);
    count(recode, &counts);
    uint64_t best = find_best(recode, window, reason, &counts, &prices, &block);
    if (best == prices.own)
        write_own(recode, writer);
    else if (best == prices.mixed)
        write_mixed(recode, writer, window);
    else if (best == prices.made)
        write_new(recode, writer, &block);
    else if (best == prices.fixed)
        write_fixed(recode, writer);
    else
        write_stored(recode, writer, window, counts.n_text);
}

/* A child may have blocks of a token or two: what is done for each must not take long. */
static void write_few(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                      const struct bm_splice_window *window, enum bm_splice_reason reason) {
    prepare(recode);
    find_path(recode, window, reason);
    write_mixed(recode, writer, window);
}

void bm_splice_recode_write(struct bm_splice_recode *recode, struct bm_splice_writer *writer,
                            const struct bm_splice_window *window, enum bm_splice_reason reason) {
    if (recode->n_tokens > FEW || (recode->n_tokens > 0 && !has_own(recode)))
        write_best(recode, writer, window, reason);
    else if (recode->n_tokens > 0)
        write_few(recode, writer, window, reason);
    recode->n_tokens = 0;
    if (reason == BM_SPLICE_BLOCK_ENDS) bm_splice_recode_close(recode, writer);
}

void bm_splice_recode_open(struct bm_splice_recode *recode, struct bm_splice_writer *writer, uint64_t place) {
    if (recode->is_open) return;
    bm_splice_recode_watch(recode, writer, place);
    bm_splice_copy_bits(writer, recode->block.header, 0, recode->block.n_header_bits);
    recode->is_open = true;
}

void bm_splice_recode_close(struct bm_splice_recode *recode, struct bm_splice_writer *writer) {
    if (recode->is_open) prepare(recode);
    end_block(recode, writer);
    recode->block.number = 0;
}
