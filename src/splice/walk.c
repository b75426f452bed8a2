/* SPDX-License-Identifier: MIT */
#include "splice/walk.h"

#include "splice/bits.h"

#include <assert.h>
#include <string.h>

/*
 * Entries of the tables. Of a literal: its bits, IS_LITERAL, and the byte above VALUE_SHIFT. Of a length or
 * a distance: the bits of its code, the number of extra bits above EXTRA_SHIFT, the base value above
 * VALUE_SHIFT. Of the end of the block: its bits and IS_END. 0: the code is longer than the table knows
 * (or no code at all).
 */
enum {
    CODE_BITS = 15, /* mask */
    EXTRA_SHIFT = 4,
    EXTRA_BITS = 15, /* mask */
    IS_LITERAL = 1 << 8,
    IS_END = 1 << 9,
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

static uint32_t literal_entry(unsigned symbol) {
    if (symbol < BM_END_OF_BLOCK) return IS_LITERAL | symbol << VALUE_SHIFT;
    if (symbol == BM_END_OF_BLOCK || symbol > 285) return IS_END;
    return (uint32_t)bm_length_extra_bits[symbol - 257] << EXTRA_SHIFT |
           (uint32_t)bm_length_base[symbol - 257] << VALUE_SHIFT;
}

static uint32_t distance_entry(unsigned symbol) {
    if (symbol >= 30) symbol = 29; /* never used: inflate refuses them */
    return (uint32_t)bm_distance_extra_bits[symbol] << EXTRA_SHIFT | (uint32_t)bm_distance_base[symbol]
                                                                         << VALUE_SHIFT;
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
                       uint32_t (*entry_of)(unsigned symbol)) {
    const uint16_t *symbol = decoder->symbols;
    unsigned code = 0, filled = 1; /* entries that are known; doubled with each length */
    table[0] = 0;
    for (unsigned n_bits = 1; n_bits <= table_bits; n_bits++) {
        memcpy(table + filled, table, filled * sizeof *table);
        filled *= 2;
        for (unsigned i = decoder->counts[n_bits]; i > 0; i--) {
            table[code] = entry_of(*symbol++) | n_bits;
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
                          uint32_t (*entry_of)(unsigned symbol)) {
    unsigned code = 0, first = 0, index = 0;
    for (unsigned n_bits = 1; n_bits <= BM_MAX_CODE_LENGTH; n_bits++) {
        unsigned count = decoder->counts[n_bits];
        code |= (unsigned)(bits & 1);
        bits >>= 1;
        if (code < first + count) return entry_of(decoder->symbols[index + code - first]) | n_bits;
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return IS_END | BM_MAX_CODE_LENGTH;
}

/* --- the trace ----------------------------------------------------------------------------------- */

static void save_header(struct bm_splice_block *block, const uint8_t *bits, uint64_t bit, uint64_t n_bits) {
    uint8_t copy[BM_MAX_HEADER_BYTES + 16];
    struct bm_splice_writer writer = {copy, 0, 0};
    assert(n_bits <= 8 * BM_MAX_HEADER_BYTES);
    bm_splice_copy_bits(&writer, bits, bit, n_bits);
    bm_splice_put(&writer, 0, 56);
    copy[0] &= 0xfe;
    memcpy(block->header, copy, sizeof block->header);
}

/* A block's header reaches to the next entry, which tells of its first token or of its end. */
static void take_header(struct bm_splice_walk *walk, const struct bm_batch *batch,
                        const struct bm_trace *entry) {
    struct bm_splice_block *block = &walk->block;
    bool is_last = entry + 1 == batch->trace + batch->n_trace;
    uint64_t end = is_last ? batch->end_bit : entry[1].bit;
    uint64_t bit = entry->bit - origin(batch), n_bits = end - entry->bit;
    block->number++;
    block->is_read = false;
    block->type = (uint8_t)(bm_load64(batch->bits + (bit >> 3)) >> ((bit & 7) + 1) & 3);
    if (block->type == BM_BLOCK_STORED) {
        const uint8_t *length = batch->bits + ((bit + n_bits) >> 3) - 4;
        block->stored_end = entry->text + length[0] + 256U * length[1];
    } else {
        block->n_header_bits = (uint32_t)n_bits;
        save_header(block, batch->bits, bit, n_bits);
    }
    walk->is_in_block = true;
    walk->has_tables = false;
    walk->bit = end;
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
        const struct bm_trace *entry = &batch->trace[walk->n_trace++];
        if (entry->kind == BM_TRACE_BLOCK) take_header(walk, batch, entry);
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

/* The match whose length has `entry`; `bits` begin with the length's code. *n_bits is set to what all of it
 * takes. */
static inline uint32_t read_match(const struct bm_splice_walk *walk, uint64_t bits, uint32_t entry,
                                  unsigned *n_bits) {
    unsigned n_code = entry & CODE_BITS, n_extra = entry >> EXTRA_SHIFT & EXTRA_BITS;
    unsigned length = entry >> VALUE_SHIFT;
    unsigned extra = (unsigned)(bits >> n_code) & ((1U << n_extra) - 1);
    if (bm_unlikely(extra == 31 && length == 227)) extra++; /* BM_SPLICE_LONG_284 */
    length += extra;
    unsigned used = n_code + n_extra;
    bits >>= used;
    entry = walk->distance_table[bits & ((1U << BM_SPLICE_DISTANCE_BITS) - 1)];
    if (bm_unlikely(entry == 0)) entry = find_code(&walk->distances, bits, distance_entry);
    n_code = entry & CODE_BITS;
    n_extra = entry >> EXTRA_SHIFT & EXTRA_BITS;
    unsigned distance = (entry >> VALUE_SHIFT) + ((unsigned)(bits >> n_code) & ((1U << n_extra) - 1));
    *n_bits = used + n_code + n_extra;
    return bm_splice_token_match(length, distance);
}

static inline uint32_t look_up(const struct bm_splice_walk *walk, uint64_t bits) {
    uint32_t entry = walk->literal_table[bits & ((1U << BM_SPLICE_LITERAL_BITS) - 1)];
    if (bm_unlikely(entry == 0)) entry = find_code(&walk->literals, bits, literal_entry);
    return entry;
}

/*
 * Eight bytes loaded at a bit give 57 bits at the least: a match (48 at the most) or a literal and what
 * is left. So in each round one literal may go before a match, if its code is short enough to leave that.
 */
static size_t walk_huffman(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                           uint32_t *tokens, size_t max) {
    const uint8_t *data = batch->bits;
    uint64_t bit = walk->bit - origin(batch), end = batch->end_bit - origin(batch);
    uint64_t text = walk->text;
    size_t n = 0;
    if (limit > bm_splice_text_end(batch)) limit = bm_splice_text_end(batch);
    while (n < max && bit < end) {
        uint64_t bits = bm_load64(data + (bit >> 3)) >> (bit & 7);
        uint32_t entry = look_up(walk, bits);
        if (entry & IS_LITERAL) {
            if (text >= limit) break;
            tokens[n++] = entry >> VALUE_SHIFT;
            text++;
            bit += entry & CODE_BITS;
            continue;
        }
        if (bm_unlikely(entry & IS_END)) {
            find_end(walk, batch);
            bit = walk->bit - origin(batch);
            break;
        }
        unsigned n_bits = 0;
        uint32_t token = read_match(walk, bits, entry, &n_bits);
        if (bm_unlikely(text + bm_splice_token_length(token) > limit)) break;
        tokens[n++] = token;
        text += bm_splice_token_length(token);
        bit += n_bits;
    }
    walk->bit = bit + origin(batch);
    walk->text = text;
    return n;
}

size_t bm_splice_walk_tokens(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                             uint32_t *tokens, size_t max) {
    assert(walk->is_in_block);
    if (walk->block.type == BM_BLOCK_STORED) return walk_stored(walk, batch, limit, tokens, max);
    make_tables(walk);
    return walk_huffman(walk, batch, limit, tokens, max);
}
