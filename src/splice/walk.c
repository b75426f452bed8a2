/* SPDX-License-Identifier: MIT */
#include "splice/walk.h"

#include "splice/bits.h"

#include <assert.h>
#include <string.h>

void bm_splice_walk_reset(struct bm_splice_walk *walk) {
    walk->bit = 0;
    walk->text = 0;
    walk->n_trace = 0;
    walk->is_in_block = false;
    walk->has_tables = false;
    walk->block.number = 0;
}

void bm_splice_walk_enter(struct bm_splice_walk *walk, const struct bm_splice_inside *inside, uint64_t text) {
    bm_splice_walk_reset(walk);
    walk->text = text;
    walk->is_in_block = inside->is_in_block;
    walk->block = inside->block;
}

void bm_splice_walk_begin(struct bm_splice_walk *walk, const struct bm_batch *batch) {
    bm_require(walk->text == batch->text_offset);
    walk->n_trace = 0;
    walk->bit = batch->first_bit;
}

/* The batch's bits are counted from its first byte on. */
static uint64_t origin(const struct bm_batch *batch) {
    return batch->first_bit & ~(uint64_t)7;
}

/* --- codes --------------------------------------------------------------------------------------- */

void bm_splice_read_lengths(struct bm_splice_block *block) {
    const char *reason = NULL;
    if (block->is_read || block->type == BM_BLOCK_STORED) return;
    enum bm_deflate_header_result result =
        bm_deflate_read_header(block->header, sizeof block->header, 0, &block->lengths, &reason);
    assert(result == BM_DEFLATE_HEADER_OK && block->lengths.n_bits == block->n_header_bits);
    (void)result;
    block->is_read = true;
}

/* Where the current block is longer than this, entries of two symbols are worth their making. */
enum { LONG_BITS = 8192 };

/* Whether it is, as far as this batch tells; the trace's entries from n_trace on are those of the block. */
static bool is_long(const struct bm_splice_walk *walk, const struct bm_batch *batch) {
    size_t i = walk->n_trace;
    if (walk->block.type == BM_BLOCK_FIXED) return true; /* the tables may serve for others, too */
    while (i < batch->n_trace && batch->trace[i].kind == BM_TRACE_TOKEN) i++;
    uint64_t end = i < batch->n_trace ? batch->trace[i].bit : batch->end_bit;
    return end - walk->bit > LONG_BITS;
}

static void make_tables(struct bm_splice_walk *walk, const struct bm_batch *batch) {
    if (walk->has_tables) return;
    bm_splice_read_lengths(&walk->block);
    bm_deflate_codes_make(&walk->codes, &walk->block.lengths, is_long(walk, batch));
    walk->has_tables = true;
}

/* --- the trace ----------------------------------------------------------------------------------- */

/* Keeps the header's bits, and what was made of the last one if that was the same: blocks with fixed codes
 * may be as short as a few bits. Returns whether they are others. */
static bool save_header(struct bm_splice_block *block, const uint8_t *bits, uint64_t bit, uint64_t n_bits) {
    uint8_t copy[BM_MAX_HEADER_BYTES + 16];
    struct bm_splice_writer writer = {copy, 0, 0};
    bm_require(n_bits >> 3 <= BM_MAX_HEADER_BYTES);
    bm_splice_copy_bits(&writer, bits, bit, n_bits);
    bm_splice_put(&writer, 0, 56);
    copy[0] &= 0xfe;
    if (bm_splice_has_header(block, copy, (uint32_t)n_bits)) return false;
    memcpy(block->header, copy, sizeof block->header);
    block->n_header_bits = (uint32_t)n_bits;
    block->is_read = false;
    return true;
}

/* A block's header reaches to the next entry, which tells of its first token or of its end. */
static uint64_t header_end(const struct bm_batch *batch, const struct bm_trace *entry) {
    bool is_last = entry + 1 == batch->trace + batch->n_trace;
    return is_last ? batch->end_bit : entry[1].bit;
}

/* Returns whether the block has another header than the one before. */
static bool begin_block(struct bm_splice_block *block, const struct bm_batch *batch,
                        const struct bm_trace *entry) {
    uint64_t bit = entry->bit - origin(batch), n_bits = header_end(batch, entry) - entry->bit;
    block->number++;
    block->type = (uint8_t)(bm_load64(batch->bits + (bit >> 3)) >> ((bit & 7) + 1) & 3);
    if (block->type == BM_BLOCK_STORED) {
        const uint8_t *length = batch->bits + ((bit + n_bits) >> 3) - 4;
        block->stored_end = entry->text + (length[0] | (uint32_t)length[1] << 8);
        return false;
    }
    return save_header(block, batch->bits, bit, n_bits);
}

static void take_header(struct bm_splice_walk *walk, const struct bm_batch *batch,
                        const struct bm_trace *entry) {
    if (begin_block(&walk->block, batch, entry)) walk->has_tables = false;
    walk->is_in_block = true;
    walk->bit = header_end(batch, entry);
}

void bm_splice_follow(struct bm_splice_inside *inside, const struct bm_batch *batch) {
    size_t i = batch->n_trace;
    if (batch->first_bit == 0) inside->is_in_block = false;
    while (i > 0 && batch->trace[i - 1].kind == BM_TRACE_TOKEN) i--;
    if (i == 0) return; /* all of it is of the block that was open before */
    inside->is_in_block = batch->trace[i - 1].kind == BM_TRACE_BLOCK;
    if (inside->is_in_block) (void)begin_block(&inside->block, batch, &batch->trace[i - 1]);
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

/* Puts the trace's entries behind up to the end of the current block, if it is there. */
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
    if (i == batch->n_trace && bm_batch_end(batch) <= limit) {
        walk->bit = batch->end_bit;
        walk->text = bm_batch_end(batch);
    }
    return walk->bit != bit;
}

void bm_splice_walk_stored(struct bm_splice_walk *walk, const struct bm_batch *batch, size_t n_bytes) {
    walk->text += n_bytes;
    walk->bit += 8 * (uint64_t)n_bytes;
    if (walk->text == walk->block.stored_end) find_end(walk, batch);
}

/* --- tokens -------------------------------------------------------------------------------------- */

static void walk_stored(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                        struct bm_splice_list *list, size_t n_max) {
    uint64_t end = bm_batch_end(batch);
    if (end > limit) end = limit;
    if (end > walk->block.stored_end) end = walk->block.stored_end;
    size_t n = end > walk->text ? (size_t)(end - walk->text) : 0;
    if (n > n_max - list->n_tokens) n = n_max - list->n_tokens;
    const uint8_t *text = bm_batch_at(batch, walk->text, n);
    for (size_t i = 0; i < n; i++) list->tokens[list->n_tokens++] = text[i];
    bm_splice_walk_stored(walk, batch, n);
}

/* A match of 258 whose entry is not that of symbol 285 is one in the other form. No question is asked: there
 * may be many of either. */
BM_CODES_INLINE uint32_t form_of_length(uint32_t length, uint32_t entry) {
    return length + ((length == BM_MAX_MATCH) & (entry >> 24 != BM_MAX_MATCH - BM_MIN_MATCH));
}

struct position {
    uint64_t bit; /* from the beginning of the batch's bits */
    uint64_t text;
    uint32_t *token; /* where the next one goes */
    uint16_t *match; /* where its number goes, if it is one */
};

struct limits {
    const uint8_t *bits;   /* the batch's */
    const uint8_t *in;     /* their end */
    uint64_t text;         /* no token reaches beyond this */
    const uint32_t *first; /* the list's tokens */
    const uint32_t *token; /* there is no room from here on */
};

/* Where the fast loop is. */
struct cursor {
    struct bm_deflate_codes_reader reader;
    uint64_t text;
    uint32_t *token;
    uint16_t *match;
};

/* Takes an entry's literals, if it has any; writes two tokens. */
BM_CODES_INLINE void put_literals(struct cursor *at, uint32_t entry) {
    at->token[0] = entry >> 16 & 0xff;
    at->token[1] = entry >> 24;
    at->token += bm_deflate_codes_n_literals(entry);
    at->text += bm_deflate_codes_n_literals(entry);
}

BM_CODES_INLINE void take_literals(struct cursor *at, uint32_t entry) {
    put_literals(at, entry);
    at->reader.bits >>= entry & 63;
    at->reader.n_bits -= entry;
}

/* Takes what *entry stands for: a length, perhaps a literal before it, and the distance; and looks up the
 * next entry. */
BM_CODES_INLINE void take_match(struct cursor *at, const struct bm_deflate_codes *codes, uint32_t *entry,
                                const uint32_t *first_token) {
    const uint32_t first = *entry;
    const uint32_t length =
        bm_deflate_codes_length(bm_deflate_codes_apart(first), at->reader.bits >> BM_CODES_PAST);
    at->reader.bits >>= bm_deflate_codes_length_bits(first);
    at->reader.n_bits -= first >> 8;
    uint32_t second = bm_deflate_codes_look_up_distance(codes, at->reader.bits);
    bm_deflate_codes_refill(&at->reader);
    put_literals(at, first);
    if (bm_unlikely((second & BM_CODES_DISTANCE_LINK) != 0))
        second = bm_deflate_codes_follow_distance(codes, second, at->reader.bits >> BM_CODES_PAST);
    const uint64_t bits = at->reader.bits >> BM_CODES_PAST;
    at->reader.bits >>= bm_deflate_codes_distance_bits(second);
    at->reader.n_bits -= second;
    *entry = bm_deflate_codes_look_up_literal(codes, at->reader.bits);
    bm_deflate_codes_refill(&at->reader);
    *at->match++ = (uint16_t)(at->token - first_token);
    *at->token++ =
        bm_splice_token_match(form_of_length(length, first), bm_deflate_codes_distance(second, bits));
    at->text += length;
}

/* What one turn of the fast loop may take, and write. */
enum { TURN_INPUT = 16, TURN_TEXT = 4 + BM_MAX_MATCH, TURN_TOKENS = 6 };

BM_CODES_INLINE bool is_near(const struct limits *limits, const uint8_t *in, uint64_t text,
                             const uint32_t *token) {
    return limits->in - in < TURN_INPUT || text + TURN_TEXT > limits->text ||
           limits->token - token < TURN_TOKENS;
}

/*
 * The loop of inflate/tokens.c, whose first comment says why it is as it is, without the text. Stops where a
 * limit is near, and at what is neither a literal nor a length; there bm_splice_read_token() takes a token.
 */
BM_CODES_INLINE void walk_inline(const struct bm_deflate_codes *codes, struct position *position,
                                 const struct limits *limits) {
    struct cursor at = {bm_deflate_codes_read_at(limits->bits, position->bit), position->text,
                        position->token, position->match};
    uint32_t entry = bm_deflate_codes_look_up_literal(codes, at.reader.bits);
    while (bm_likely(!is_near(limits, at.reader.in, at.text, at.token))) {
        take_literals(&at, entry);
        entry = bm_deflate_codes_look_up_literal(codes, at.reader.bits);
        if (bm_unlikely((entry & BM_CODES_IS_EXCEPTION) != 0)) {
            if ((entry & BM_CODES_LINK) != 0)
                entry = bm_deflate_codes_follow_literal(codes, entry, at.reader.bits >> BM_CODES_PAST);
            if ((entry & BM_CODES_IS_EXCEPTION) != 0) break;
        }
        if ((entry & BM_CODES_NO_LENGTH) != 0) {
            take_literals(&at, entry);
            entry = bm_deflate_codes_look_up_literal(codes, at.reader.bits);
            bm_deflate_codes_refill(&at.reader);
        } else {
            take_match(&at, codes, &entry, limits->first);
        }
    }
    *position =
        (struct position){bm_deflate_codes_read_bit(&at.reader, limits->bits), at.text, at.token, at.match};
}

#if defined(__x86_64__)
__attribute__((target("bmi2"))) static void
walk_bmi2(const struct bm_deflate_codes *codes, struct position *position, const struct limits *limits) {
    walk_inline(codes, position, limits);
}
#endif

static void walk_fast(const struct bm_deflate_codes *codes, struct position *position,
                      const struct limits *limits) {
    if (is_near(limits, limits->bits + (position->bit >> 3), position->text, position->token)) return;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) {
        walk_bmi2(codes, position, limits);
        return;
    }
#endif
    walk_inline(codes, position, limits);
}

bool bm_splice_read_token(const struct bm_deflate_codes *codes, uint64_t bits, uint32_t *token,
                          unsigned *n_bits) {
    uint32_t entry = codes->literal[bits & ((1U << BM_CODES_LITERAL_ROOT_BITS) - 1)];
    if ((entry & BM_CODES_LINK) != 0 && (entry & BM_CODES_IS_EXCEPTION) != 0)
        entry = bm_deflate_codes_follow_literal(codes, entry, bits);
    if ((entry & BM_CODES_IS_EXCEPTION) != 0) return false;
    if (bm_deflate_codes_n_literals(entry) != 0) { /* a second symbol is left for the next time */
        *token = entry >> 16 & 0xff;
        *n_bits = codes->literal_bits[*token];
        return true;
    }
    uint32_t length = form_of_length(bm_deflate_codes_length(entry, bits), entry);
    *n_bits = bm_deflate_codes_length_bits(entry);
    bits >>= *n_bits;
    entry = codes->distance[bits & ((1U << BM_CODES_DISTANCE_ROOT_BITS) - 1)];
    if ((entry & BM_CODES_DISTANCE_LINK) != 0) entry = bm_deflate_codes_follow_distance(codes, entry, bits);
    *token = bm_splice_token_match(length, bm_deflate_codes_distance(entry, bits));
    *n_bits += bm_deflate_codes_distance_bits(entry);
    return true;
}

/* Takes one token, whatever it is. False if there is none to take. */
static bool walk_carefully(struct bm_splice_walk *walk, const struct bm_batch *batch,
                           struct position *position, const struct limits *limits) {
    uint32_t token = 0;
    unsigned n_bits = 0;
    if (position->bit + origin(batch) >= batch->end_bit) return false;
    uint64_t bits = bm_load64(batch->bits + (position->bit >> 3)) >> (position->bit & 7);
    if (!bm_splice_read_token(&walk->codes, bits, &token, &n_bits)) {
        find_end(walk, batch);
        position->bit = walk->bit - origin(batch);
        return false;
    }
    if (position->text + bm_splice_token_length(token) > limits->text) return false;
    if (!bm_splice_token_is_literal(token)) *position->match++ = (uint16_t)(position->token - limits->first);
    *position->token++ = token;
    position->text += bm_splice_token_length(token);
    position->bit += n_bits;
    return true;
}

static void walk_huffman(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                         struct bm_splice_list *list, size_t n_max) {
    struct position position = {walk->bit - origin(batch), walk->text, list->tokens + list->n_tokens,
                                list->matches + list->n_matches};
    if (limit > bm_batch_end(batch)) limit = bm_batch_end(batch);
    const struct limits limits = {batch->bits, batch->bits + batch->n_bits_bytes, limit, list->tokens,
                                  list->tokens + n_max};
    bool goes_on = true;
    while (goes_on && position.token < limits.token) {
        walk_fast(&walk->codes, &position, &limits);
        goes_on = position.token < limits.token && walk_carefully(walk, batch, &position, &limits);
    }
    walk->bit = position.bit + origin(batch);
    walk->text = position.text;
    list->n_tokens = (size_t)(position.token - list->tokens);
    list->n_matches = (size_t)(position.match - list->matches);
}

size_t bm_splice_walk_tokens(struct bm_splice_walk *walk, const struct bm_batch *batch, uint64_t limit,
                             struct bm_splice_list *list, size_t n_max) {
    const size_t n_before = list->n_tokens;
    assert(walk->is_in_block);
    if (walk->block.type == BM_BLOCK_STORED) {
        walk_stored(walk, batch, limit, list, n_max);
    } else {
        make_tables(walk, batch);
        walk_huffman(walk, batch, limit, list, n_max);
    }
    return list->n_tokens - n_before;
}
