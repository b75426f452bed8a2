/* SPDX-License-Identifier: MIT */
#include "splice/walk.h"

#include "splice/bits.h"

#include <assert.h>
#include <string.h>

/*
 * Entries of the tables. The low six bits say how many bits are taken, extra bits included; from CODE_SHIFT
 * on, how many of these are the code. Above VALUE_SHIFT: a literal's byte, or the base value of a length or a
 * distance. 0: the code is longer than the table knows, or no code at all.
 */
enum {
    ALL_BITS = 63, /* mask */
    CODE_SHIFT = 8,
    CODE_BITS = 15, /* mask */
    IS_LITERAL = 1 << 12,
    IS_END = 1 << 13,
    VALUE_SHIFT = 16
};

void bm_splice_walk_reset(struct bm_splice_walk *walk) {
    walk->bit = 0;
    walk->text = 0;
    walk->n_trace = 0;
    walk->is_in_block = false;
    walk->has_tables = false;
    walk->block.number = 0;
}

void bm_splice_walk_begin(struct bm_splice_walk *walk, const struct bm_batch *batch) {
    assert(walk->text == batch->text_offset);
    walk->n_trace = 0;
    walk->bit = batch->first_bit;
}

/* The batch's bits are counted from its first byte on. */
static uint64_t origin(const struct bm_batch *batch) {
    return batch->first_bit & ~(uint64_t)7;
}

/* --- codes --------------------------------------------------------------------------------------- */

static uint32_t make_entry(unsigned value, unsigned n_code, unsigned n_extra, unsigned flags) {
    return value << VALUE_SHIFT | flags | n_code << CODE_SHIFT | (n_code + n_extra);
}

static uint32_t literal_entry(unsigned symbol, unsigned n_code) {
    if (symbol < BM_END_OF_BLOCK) return make_entry(symbol, n_code, 0, IS_LITERAL);
    if (symbol == BM_END_OF_BLOCK || symbol > 285) return make_entry(0, n_code, 0, IS_END);
    return make_entry(bm_length_base[symbol - 257], n_code, bm_length_extra_bits[symbol - 257], 0);
}

static uint32_t distance_entry(unsigned symbol, unsigned n_code) {
    if (symbol >= 30) symbol = 29; /* never used: inflate refuses them */
    return make_entry(bm_distance_base[symbol], n_code, bm_distance_extra_bits[symbol], 0);
}

static void sort_symbols(struct bm_splice_decoder *decoder, const uint8_t *lengths, unsigned n_symbols) {
    uint16_t place[BM_MAX_CODE_LENGTH + 2] = {0};
    memset(decoder->counts, 0, sizeof decoder->counts);
    for (unsigned i = 0; i < n_symbols; i++) decoder->counts[lengths[i]]++;
    decoder->counts[0] = 0;
    for (unsigned i = 1; i <= BM_MAX_CODE_LENGTH; i++)
        place[i + 1] = (uint16_t)(place[i] + decoder->counts[i]);
    for (unsigned i = 0; i < n_symbols; i++) {
        if (lengths[i] != 0) decoder->symbols[place[lengths[i]]++] = (uint16_t)i;
    }
}

/* The next code of the same length, where the first bit of a code is the lowest. */
static unsigned next_reversed(unsigned code, unsigned n_bits) {
    unsigned bit = 1U << (n_bits - 1);
    while (code & bit) bit >>= 1;
    return bit == 0 ? 0 : (code & (bit - 1)) | bit;
}

static void fill_table(const struct bm_splice_decoder *decoder, uint32_t *table, unsigned table_bits,
                       uint32_t (*entry_of)(unsigned symbol, unsigned n_code)) {
    const uint16_t *symbol = decoder->symbols;
    unsigned code = 0, filled = 1; /* entries that are known; doubled with each length */
    table[0] = 0;
    for (unsigned n_bits = 1; n_bits <= table_bits; n_bits++) {
        memcpy(table + filled, table, filled * sizeof *table);
        filled *= 2;
        for (unsigned i = decoder->counts[n_bits]; i > 0; i--) {
            table[code] = entry_of(*symbol++, n_bits);
            code = next_reversed(code, n_bits);
        }
    }
}

void bm_splice_read_lengths(struct bm_splice_block *block) {
    const char *reason = NULL;
    if (block->is_read || block->type == BM_BLOCK_STORED) return;
    enum bm_header_result result =
        bm_deflate_read_header(block->header, sizeof block->header, 0, &block->lengths, &reason);
    assert(result == BM_HEADER_OK && block->lengths.n_bits == block->n_header_bits);
    (void)result;
    block->is_read = true;
}

static void make_tables(struct bm_splice_walk *walk) {
    if (walk->has_tables) return;
    bm_splice_read_lengths(&walk->block);
    const struct bm_block_header *lengths = &walk->block.lengths;
    sort_symbols(&walk->literals, lengths->literal_lengths, BM_N_LITERAL_LENGTH);
    sort_symbols(&walk->distances, lengths->distance_lengths, BM_N_DISTANCE);
    fill_table(&walk->literals, walk->literal_table, BM_SPLICE_LITERAL_BITS, literal_entry);
    fill_table(&walk->distances, walk->distance_table, BM_SPLICE_DISTANCE_BITS, distance_entry);
    walk->has_tables = true;
}

/* The entry of a code of any length. In a stream that inflate has passed there always is one. */
static uint32_t find_code(const struct bm_splice_decoder *decoder, uint64_t bits,
                          uint32_t (*entry_of)(unsigned symbol, unsigned n_code)) {
    unsigned code = 0, first = 0, index = 0;
    for (unsigned n_bits = 1; n_bits <= BM_MAX_CODE_LENGTH; n_bits++) {
        unsigned count = decoder->counts[n_bits];
        code |= (unsigned)(bits & 1);
        bits >>= 1;
        if (code < first + count) return entry_of(decoder->symbols[index + code - first], n_bits);
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return make_entry(0, BM_MAX_CODE_LENGTH, 0, IS_END);
}

/* --- the trace ----------------------------------------------------------------------------------- */

/* Keeps the header's bits, and what was made of the last one if that was the same: blocks with fixed codes
 * may be as short as a few bits. */
static void save_header(struct bm_splice_walk *walk, const uint8_t *bits, uint64_t bit, uint64_t n_bits) {
    uint8_t copy[BM_MAX_HEADER_BYTES + 16];
    struct bm_splice_writer writer = {copy, 0, 0};
    struct bm_splice_block *block = &walk->block;
    assert(n_bits >> 3 <= BM_MAX_HEADER_BYTES);
    bm_splice_copy_bits(&writer, bits, bit, n_bits);
    bm_splice_put(&writer, 0, 56);
    copy[0] &= 0xfe;
    if (bm_splice_has_header(block, copy, (uint32_t)n_bits)) return;
    memcpy(block->header, copy, sizeof block->header);
    block->n_header_bits = (uint32_t)n_bits;
    block->is_read = false;
    walk->has_tables = false;
}

/* A block's header reaches to the next entry, which tells of its first token or of its end. */
static void take_header(struct bm_splice_walk *walk, const struct bm_batch *batch,
                        const struct bm_trace *entry) {
    struct bm_splice_block *block = &walk->block;
    bool is_last = entry + 1 == batch->trace + batch->n_trace;
    uint64_t end = is_last ? batch->end_bit : entry[1].bit;
    uint64_t bit = entry->bit - origin(batch), n_bits = end - entry->bit;
    block->number++;
    block->type = (uint8_t)(bm_load64(batch->bits + (bit >> 3)) >> ((bit & 7) + 1) & 3);
    if (block->type == BM_BLOCK_STORED) {
        const uint8_t *length = batch->bits + ((bit + n_bits) >> 3) - 4;
        block->stored_end = entry->text + (length[0] | (uint32_t)length[1] << 8);
    } else {
        save_header(walk, batch->bits, bit, n_bits);
    }
    walk->is_in_block = true;
    walk->bit = end;
}

/* Whether the block that begins at the trace's entry `i` holds nothing, as far as this batch tells. */
static bool is_empty(const struct bm_batch *batch, size_t i) {
    uint64_t text = batch->trace[i++].text;
    while (i < batch->n_trace && batch->trace[i].kind == BM_TRACE_TOKEN && batch->trace[i].text == text) i++;
    return i < batch->n_trace && batch->trace[i].kind == BM_TRACE_END && batch->trace[i].text == text;
}

static void take_end(struct bm_splice_walk *walk, const struct bm_trace *entry) {
    walk->bit = entry->bit + entry->n_bits;
    walk->is_in_block = false;
}

/* Puts the trace's entries behind up to the end of the block at hand, if it is there. */
static bool find_end(struct bm_splice_walk *walk, const struct bm_batch *batch) {
    while (walk->n_trace < batch->n_trace) {
        const struct bm_trace *entry = &batch->trace[walk->n_trace++];
        if (entry->kind == BM_TRACE_END) {
            take_end(walk, entry);
            return true;
        }
    }
    return false;
}

bool bm_splice_walk_open_block(struct bm_splice_walk *walk, const struct bm_batch *batch) {
    if (walk->is_in_block && walk->block.type == BM_BLOCK_STORED && walk->text == walk->block.stored_end)
        find_end(walk, batch);
    while (!walk->is_in_block && walk->n_trace < batch->n_trace) {
        const struct bm_trace *entry = &batch->trace[walk->n_trace];
        if (entry->kind == BM_TRACE_BLOCK && !is_empty(batch, walk->n_trace)) take_header(walk, batch, entry);
        walk->n_trace++;
    }
    return walk->is_in_block;
}

bool bm_splice_walk_jump(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit) {
    uint64_t bit = walk->bit;
    size_t i = walk->n_trace;
    for (; i < batch->n_trace && batch->trace[i].text <= limit; i++) {
        const struct bm_trace *entry = &batch->trace[i];
        if (entry->kind == BM_TRACE_END) {
            walk->text = entry->text;
            walk->n_trace = i + 1;
            take_end(walk, entry);
            return true;
        }
        if (entry->bit > walk->bit) { /* a token; it may lie behind, where tokens were walked */
            walk->bit = entry->bit;
            walk->text = entry->text;
        }
    }
    walk->n_trace = i;
    if (i == batch->n_trace && bm_splice_text_end(batch) <= limit) {
        walk->bit = batch->end_bit;
        walk->text = bm_splice_text_end(batch);
    }
    return walk->bit != bit;
}

void bm_splice_walk_stored(struct bm_splice_walk *walk, const struct bm_batch *batch, size_t n_bytes) {
    walk->text += n_bytes;
    walk->bit += 8 * (uint64_t)n_bytes;
    if (walk->text == walk->block.stored_end) find_end(walk, batch);
}

/* --- tokens -------------------------------------------------------------------------------------- */

static size_t walk_stored(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                          uint32_t *tokens, size_t max) {
    const uint8_t *text = bm_splice_text(batch, walk->text);
    uint64_t end = bm_splice_text_end(batch);
    if (end > limit) end = limit;
    if (end > walk->block.stored_end) end = walk->block.stored_end;
    size_t n = end > walk->text ? (size_t)(end - walk->text) : 0;
    if (n > max) n = max;
    for (size_t i = 0; i < n; i++) tokens[i] = text[i];
    bm_splice_walk_stored(walk, batch, n);
    return n;
}

/* The value of an entry at which `bits` begin. */
static inline unsigned entry_value(uint32_t entry, uint64_t bits) {
    uint64_t all = bits & (((uint64_t)1 << (entry & ALL_BITS)) - 1);
    return (entry >> VALUE_SHIFT) + (unsigned)(all >> (entry >> CODE_SHIFT & CODE_BITS));
}

/* The match whose length has `entry`, at which `bits` begin. Adds to *bit what all of it takes. */
static inline uint32_t read_match(const struct bm_splice_walk *walk, uint64_t bits, uint32_t entry,
                                  uint64_t *bit) {
    unsigned length = entry_value(entry, bits);
    if (bm_unlikely(length == BM_MAX_MATCH) && (entry >> VALUE_SHIFT) != BM_MAX_MATCH)
        length = BM_SPLICE_LONG_284;
    bits >>= entry & ALL_BITS;
    *bit += entry & ALL_BITS;
    entry = walk->distance_table[bits & ((1U << BM_SPLICE_DISTANCE_BITS) - 1)];
    if (bm_unlikely(entry == 0)) entry = find_code(&walk->distances, bits, distance_entry);
    *bit += entry & ALL_BITS;
    return bm_splice_token_match(length, entry_value(entry, bits));
}

struct position {
    uint64_t bit; /* from the beginning of the batch's bits */
    uint64_t text;
    uint32_t *token; /* where the next one goes */
};

static inline uint64_t load(const uint8_t *data, uint64_t bit) {
    return bm_load64(data + (bit >> 3)) >> (bit & 7);
}

static inline uint32_t look_up(const struct bm_splice_walk *walk, uint64_t bits) {
    return walk->literal_table[bits & ((1U << BM_SPLICE_LITERAL_BITS) - 1)];
}

/*
 * Eight bytes loaded at a bit give 57 bits at the least: a literal that the table knows and a match (44
 * bits with that), or three literals. Stops at a code that the table does not know, at the block's end,
 * and where a round may reach too far; there the careful loop takes a token.
 */
static inline __attribute__((always_inline)) void walk_fast(const struct bm_splice_walk *walk,
                                                            const uint8_t *data, struct position *position,
                                                            uint64_t end, uint64_t limit,
                                                            const uint32_t *tokens_end) {
    enum { ROUND_TOKENS = 3, ROUND_BITS = 96, ROUND_TEXT = BM_MAX_MATCH + 2 };
    uint64_t bit = position->bit, text = position->text;
    uint32_t *token = position->token;
    while (bit + ROUND_BITS <= end && text + ROUND_TEXT <= limit && tokens_end - token >= ROUND_TOKENS) {
        uint64_t bits = load(data, bit);
        uint32_t entry = look_up(walk, bits);
        for (int i = 0; i < 2 && (entry & IS_LITERAL) != 0; i++) {
            *token++ = entry >> VALUE_SHIFT;
            text++;
            bit += entry & ALL_BITS;
            bits = i == 0 ? bits >> (entry & ALL_BITS) : load(data, bit);
            entry = look_up(walk, bits);
        }
        if (entry & IS_LITERAL) {
            *token++ = entry >> VALUE_SHIFT;
            text++;
            bit += entry & ALL_BITS;
            continue;
        }
        if (bm_unlikely(entry == 0 || (entry & IS_END) != 0)) break;
        *token = read_match(walk, bits, entry, &bit);
        text += bm_splice_token_length(*token++);
    }
    *position = (struct position){bit, text, token};
}

#if defined(__x86_64__)
__attribute__((target("bmi,bmi2"))) static void walk_fast_bmi2(const struct bm_splice_walk *walk,
                                                               const uint8_t *data, struct position *position,
                                                               uint64_t end, uint64_t limit,
                                                               const uint32_t *tokens_end) {
    walk_fast(walk, data, position, end, limit, tokens_end);
}
#endif

static void walk_fast_any(const struct bm_splice_walk *walk, const uint8_t *data, struct position *position,
                          uint64_t end, uint64_t limit, const uint32_t *tokens_end) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) {
        walk_fast_bmi2(walk, data, position, end, limit, tokens_end);
        return;
    }
#endif
    walk_fast(walk, data, position, end, limit, tokens_end);
}

/* Takes one token, whatever it is. False if there is none to take. */
static bool walk_carefully(struct bm_splice_walk *walk, const struct bm_batch *batch,
                           struct position *position, uint64_t end, uint64_t limit) {
    if (position->bit >= end) return false;
    uint64_t bits = load(batch->bits, position->bit), bit = position->bit;
    uint32_t entry = look_up(walk, bits), token = 0;
    if (entry == 0) entry = find_code(&walk->literals, bits, literal_entry);
    if (entry & IS_END) {
        find_end(walk, batch);
        position->bit = walk->bit - origin(batch);
        return false;
    }
    if (entry & IS_LITERAL) {
        token = entry >> VALUE_SHIFT;
        bit += entry & ALL_BITS;
    } else {
        token = read_match(walk, bits, entry, &bit);
    }
    if (position->text + bm_splice_token_length(token) > limit) return false;
    *position->token++ = token;
    position->text += bm_splice_token_length(token);
    position->bit = bit;
    return true;
}

static size_t walk_huffman(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                           uint32_t *tokens, size_t max) {
    struct position position = {walk->bit - origin(batch), walk->text, tokens};
    uint64_t end = batch->end_bit - origin(batch);
    bool goes_on = true;
    if (limit > bm_splice_text_end(batch)) limit = bm_splice_text_end(batch);
    while (goes_on && position.token < tokens + max) {
        walk_fast_any(walk, batch->bits, &position, end, limit, tokens + max);
        goes_on = position.token < tokens + max && walk_carefully(walk, batch, &position, end, limit);
    }
    walk->bit = position.bit + origin(batch);
    walk->text = position.text;
    return (size_t)(position.token - tokens);
}

size_t bm_splice_walk_tokens(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                             uint32_t *tokens, size_t max) {
    assert(walk->is_in_block);
    if (walk->block.type == BM_BLOCK_STORED) return walk_stored(walk, batch, limit, tokens, max);
    make_tables(walk);
    return walk_huffman(walk, batch, limit, tokens, max);
}
