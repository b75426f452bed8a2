/* SPDX-License-Identifier: MIT */
/*
 * Tokens -> text.
 */
#include "inflate/internal.h"

#include <string.h>

enum {
    /* A batch's text is full where another match might not fit. */
    TEXT_LIMIT = BM_BATCH_TEXT - BM_MAX_MATCH,
    /* A trace entry that is due waits for the end of a match, but no longer than for so many bytes. */
    MARK_SLACK = 256,
    /* What one turn of the fast loop may read, and write. */
    FAST_INPUT = 16,
    FAST_OUTPUT = 3 + BM_MAX_MATCH
};

static uint32_t low_bits(uint64_t bits, unsigned n_bits) {
    return (uint32_t)(bits & ((UINT64_C(1) << n_bits) - 1));
}

static uint32_t find_literal(const struct bm_inflate_codes *codes, uint64_t bits) {
    uint32_t entry = codes->literal[low_bits(bits, BM_INFLATE_LITERAL_ROOT_BITS)];
    if ((entry & BM_INFLATE_LINK) == 0) return entry;
    return codes
        ->literal[(entry >> 12 & 0xfff) + low_bits(bits >> BM_INFLATE_LITERAL_ROOT_BITS, entry >> 8 & 0xf)];
}

static uint32_t find_distance(const struct bm_inflate_codes *codes, uint64_t bits) {
    uint32_t entry = codes->distance[low_bits(bits, BM_INFLATE_DISTANCE_ROOT_BITS)];
    if ((entry & BM_INFLATE_DISTANCE_LINK) == 0) return entry;
    return codes->distance[(entry >> 16) + low_bits(bits >> BM_INFLATE_DISTANCE_ROOT_BITS, entry >> 8 & 0xf)];
}

/* --- one token, with an eye on every limit ----------------------------------------------------- */

enum token { TOKEN_LITERAL, TOKEN_MATCH, TOKEN_END, TOKEN_NEEDS_BITS, TOKEN_INVALID };

static enum token refuse(struct bm_inflate *inflate, const char *reason) {
    inflate->reason = reason;
    return TOKEN_INVALID;
}

static enum token read_match(struct bm_inflate *inflate, struct bm_batch *batch, uint32_t entry,
                             uint64_t bits, uint64_t n_left) {
    unsigned n_length = entry >> 8 & 0xff, n_code = entry >> 24 & 0xf;
    uint32_t length = BM_MIN_MATCH + (entry >> 16 & 0xff) + (low_bits(bits, n_length) >> n_code);
    bits >>= n_length;
    entry = find_distance(inflate->open_codes, bits);
    unsigned n_distance = entry & 0xff;
    if (n_length + n_distance > n_left) return TOKEN_NEEDS_BITS;
    if ((entry & BM_INFLATE_DISTANCE_EXCEPTION) != 0) {
        return refuse(inflate, "a match has a distance code that does not exist");
    }
    uint32_t distance = (entry >> 16) + (low_bits(bits, n_distance) >> (entry >> 8 & 0xf));
    if (distance > bm_inflate_text(batch) - inflate->member_text) {
        return refuse(inflate, "a match reaches back to before the text's beginning");
    }
    uint8_t *out = batch->text + batch->n_text;
    for (uint32_t i = 0; i < length; i++) out[i] = out[(ptrdiff_t)i - (ptrdiff_t)distance];
    batch->n_text += length;
    inflate->bit += n_length + n_distance;
    return TOKEN_MATCH;
}

/* A token takes 48 bits at the most. Bits beyond the batch's end lie in its slack, and are noise: nothing is
 * concluded before it is known that the bits that said so were all there. */
static enum token read_token(struct bm_inflate *inflate, struct bm_batch *batch) {
    uint64_t offset = bm_inflate_offset(inflate, batch);
    uint64_t n_left = (uint64_t)batch->n_bits_bytes * 8 - offset;
    uint64_t bits = bm_load64(batch->bits + (offset >> 3)) >> (offset & 7);
    uint32_t entry = find_literal(inflate->open_codes, bits);
    if ((entry >> 24 & 0xf) > n_left) return TOKEN_NEEDS_BITS;
    if ((entry & BM_INFLATE_LITERAL) != 0) {
        batch->text[batch->n_text++] = (uint8_t)(entry >> 16);
        inflate->bit += entry & 0xff;
        return TOKEN_LITERAL;
    }
    if ((entry & BM_INFLATE_EXCEPTION) == 0) return read_match(inflate, batch, entry, bits, n_left);
    if ((entry & BM_INFLATE_END_OF_BLOCK) == 0) {
        return refuse(inflate, "a block has a literal/length code that does not exist");
    }
    bm_inflate_add_trace(inflate, batch, BM_TRACE_END, entry >> 24 & 0xf);
    inflate->bit += entry >> 24 & 0xf;
    return TOKEN_END;
}

/* --- many tokens ------------------------------------------------------------------------------- */

static inline void copy16(uint8_t *to, const uint8_t *from) {
    uint8_t piece[16];
    memcpy(piece, from, 16);
    memcpy(to, piece, 16);
}

/* Copies a match; may write up to 64 bytes beyond its end. */
static inline __attribute__((always_inline)) void copy_match(uint8_t *out, uint32_t distance,
                                                             uint32_t length) {
    const uint8_t *from = out - distance;
    uint8_t *end = out + length;
    if (bm_likely(distance >= 16)) {
        do {
            copy16(out, from);
            copy16(out + 16, from + 16);
            copy16(out + 32, from + 32);
            copy16(out + 48, from + 48);
            out += 64;
            from += 64;
        } while (out < end);
        return;
    }
    if (distance == 1) {
        memset(out, *from, BM_MAX_MATCH);
        return;
    }
    do {
        *out++ = *from++;
    } while (out < end);
}

/*
 * Decodes tokens as long as no limit is near. Says whether it stopped right behind a match.
 */
static inline __attribute__((always_inline)) bool run_inline(struct bm_inflate *inflate,
                                                             struct bm_batch *batch, size_t mark) {
    const uint32_t *literal_table = inflate->open_codes->literal;
    const uint32_t *distance_table = inflate->open_codes->distance;
    const uint32_t literal_mask = (1U << BM_INFLATE_LITERAL_ROOT_BITS) - 1;
    const uint32_t distance_mask = (1U << BM_INFLATE_DISTANCE_ROOT_BITS) - 1;
    uint64_t offset = bm_inflate_offset(inflate, batch);
    const uint8_t *in = batch->bits + (offset >> 3);
    const uint8_t *in_limit = batch->bits + batch->n_bits_bytes - FAST_INPUT;
    uint8_t *out = batch->text + batch->n_text;
    /* where a member, or what is left of the text before it, begins */
    uint64_t n_back = bm_inflate_text(batch) - inflate->member_text;
    const uint8_t *floor =
        out - (n_back < batch->n_text + batch->n_history ? n_back : batch->n_text + batch->n_history);
    uint8_t *out_limit =
        batch->text +
        (mark + MARK_SLACK - 3 < TEXT_LIMIT - FAST_OUTPUT ? mark + MARK_SLACK - 3 : TEXT_LIMIT - FAST_OUTPUT);
    uint8_t *match_limit = batch->text + (mark < TEXT_LIMIT - FAST_OUTPUT ? mark : TEXT_LIMIT - FAST_OUTPUT);
    bool behind_match = false;

    if (in > in_limit || out >= match_limit) return false;
    uint64_t bits = bm_load64(in) >> (offset & 7);
    unsigned n_bits = 56 - (unsigned)(offset & 7);
    in += 7;

#define REFILL()                                                                                             \
    do {                                                                                                     \
        bits |= bm_load64(in) << (n_bits & 63);                                                              \
        in += (63 - (n_bits & 63)) >> 3;                                                                     \
        n_bits |= 56;                                                                                        \
    } while (0)

    for (;;) {
        n_bits &= 0xff;
        REFILL();
        uint32_t entry = literal_table[bits & literal_mask];
        *out = (uint8_t)(entry >> 16);
        out += entry >> 31;
        bits >>= entry & 63;
        n_bits -= entry & 0xff;
        entry = literal_table[bits & literal_mask];
        *out = (uint8_t)(entry >> 16);
        out += entry >> 31;
        bits >>= entry & 63;
        n_bits -= entry & 0xff;
        entry = literal_table[bits & literal_mask];
        if ((entry & BM_INFLATE_EXCEPTION) != 0) {
            if ((entry & BM_INFLATE_LINK) == 0) break;
            entry = literal_table[(entry >> 12 & 0xfff) +
                                  (bits >> BM_INFLATE_LITERAL_ROOT_BITS & ((1U << (entry >> 8 & 0xf)) - 1))];
            if ((entry & BM_INFLATE_EXCEPTION) != 0) break;
        }
        if ((entry & BM_INFLATE_LITERAL) != 0) {
            *out++ = (uint8_t)(entry >> 16);
            bits >>= entry & 63;
            n_bits -= entry & 0xff;
            if (in > in_limit || out >= out_limit) break;
            continue;
        }
        unsigned n_length = entry >> 8 & 0xff;
        uint32_t length =
            BM_MIN_MATCH + (entry >> 16 & 0xff) + (low_bits(bits, n_length) >> (entry >> 24 & 0xf));
        bits >>= n_length;
        n_bits -= n_length;
        REFILL();
        entry = distance_table[bits & distance_mask];
        if ((entry & BM_INFLATE_DISTANCE_EXCEPTION) != 0) {
            if ((entry & BM_INFLATE_DISTANCE_LINK) != 0) {
                entry = distance_table[(entry >> 16) + (bits >> BM_INFLATE_DISTANCE_ROOT_BITS &
                                                        ((1U << (entry >> 8 & 0xf)) - 1))];
            }
            if ((entry & BM_INFLATE_DISTANCE_EXCEPTION) != 0) {
                n_bits += n_length;
                break;
            }
        }
        unsigned n_distance = entry & 0xff;
        uint32_t distance = (entry >> 16) + (low_bits(bits, n_distance) >> (entry >> 8 & 0xf));
        if (distance > (size_t)(out - floor)) {
            n_bits += n_length;
            break;
        }
        bits >>= n_distance;
        n_bits -= n_distance;
        copy_match(out, distance, length);
        out += length;
        if (in > in_limit || out >= match_limit) {
            behind_match = true;
            break;
        }
    }
#undef REFILL
    batch->n_text = (size_t)(out - batch->text);
    inflate->bit = (batch->first_bit & ~UINT64_C(7)) + (uint64_t)(in - batch->bits) * 8 - n_bits;
    return behind_match;
}

#if defined(__x86_64__)
__attribute__((target("bmi,bmi2"))) static bool run_bmi2(struct bm_inflate *inflate, struct bm_batch *batch,
                                                         size_t mark) {
    return run_inline(inflate, batch, mark);
}
#endif

static bool run(struct bm_inflate *inflate, struct bm_batch *batch, size_t mark) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) return run_bmi2(inflate, batch, mark);
#endif
    return run_inline(inflate, batch, mark);
}

static void add_token_entry(struct bm_inflate *inflate, struct bm_batch *batch) {
    bm_inflate_add_trace(inflate, batch, BM_TRACE_TOKEN, 0);
    inflate->next_mark = bm_inflate_text(batch) + BM_TRACE_INTERVAL;
    bm_inflate_sum_text(inflate, batch);
}

/* A stretch of tokens, up to where a trace entry is due. */
static enum token read_stretch(struct bm_inflate *inflate, struct bm_batch *batch, bool more_to_come) {
    const size_t mark = (size_t)(inflate->next_mark - batch->text_offset);
    while (batch->n_text <= TEXT_LIMIT) {
        if (batch->n_bits_bytes >= FAST_INPUT && run(inflate, batch, mark) && batch->n_text >= mark) {
            return TOKEN_MATCH;
        }
        uint64_t n_left = (uint64_t)batch->n_bits_bytes * 8 - bm_inflate_offset(inflate, batch);
        if (more_to_come && n_left < 2 * FAST_INPUT * 8) return TOKEN_NEEDS_BITS;
        enum token token = read_token(inflate, batch);
        if (token != TOKEN_LITERAL && token != TOKEN_MATCH) return token;
        if (batch->n_text >= mark + (token == TOKEN_MATCH ? 0 : MARK_SLACK)) return token;
    }
    return TOKEN_LITERAL;
}

enum bm_inflate_outcome bm_inflate_tokens(struct bm_inflate *inflate, struct bm_batch *batch,
                                          bool more_to_come) {
    if (batch->n_trace == 0) add_token_entry(inflate, batch);
    for (;;) {
        if (batch->n_text > TEXT_LIMIT) return BM_INFLATE_BATCH_FULL;
        enum token token = read_stretch(inflate, batch, more_to_come);
        if (token == TOKEN_NEEDS_BITS) return BM_INFLATE_NEEDS_BITS;
        if (token == TOKEN_INVALID) return BM_INFLATE_INVALID;
        if (token == TOKEN_END) break;
        if (batch->n_text > TEXT_LIMIT) return BM_INFLATE_BATCH_FULL;
        if (batch->n_trace == BM_BATCH_TRACE - 1) return BM_INFLATE_BATCH_FULL;
        add_token_entry(inflate, batch);
    }
    return BM_INFLATE_GO_ON;
}
