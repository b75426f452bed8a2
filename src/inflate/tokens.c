/* SPDX-License-Identifier: MIT */
/*
 * Tokens -> text: where most of the program's time goes.
 *
 * The speed of a deflate decoder is limited by two things. The first is latency: the place of a token is known
 * only when the token before it has been looked up. That takes about five cycles for a load from the first
 * cache, and one or two to shift the bits. The only remedies are fewer look-ups, and nothing else in that
 * chain. The second is branches: the processor predicts badly whether a literal or a match comes next, and a
 * misprediction costs as much as three look-ups. So:
 *
 * - An entry holds two symbols if the bits that index it hold two (see deflate/codes.h): two literals, or a
 *   literal and a length.
 *
 * - A turn of the loop takes an entry's literals without a test for them: it writes two bytes, advances by
 *   their number, 0 to 2, and drops their bits, 0 if there is none. Then it looks up again, and only now it
 *   branches. If the first entry had no literal, the second is the same one. That is a useless look-up for four
 *   matches in ten, but most turns end in a match, as the processor predicts.
 *
 * - The table is an array of four-byte entries, and an address that has to be multiplied by four costs a cycle
 *   more. So the bits are kept two places higher than usual, with the last two used bits below them. Then the
 *   next twelve bits under a mask are an offset in bytes.
 *
 * - More bits are fetched while a look-up is in progress. They are added above the present ones: a load of
 *   eight bytes, of which as many are counted as fit completely; the same bits may be added twice.
 *
 * - The next look-up is made before the match is copied, so a mispredicted length of the copy does not delay
 *   it. Copies are 64 bytes long, because most matches are no longer, with steps of 64 bytes beyond. Excess
 *   bytes are after the text's end, where the batch has slack, or are overwritten.
 *
 * - Distances are checked once, for being too far and for being so small that such steps would overlap.
 *
 * The fast loop runs while there is enough of everything: 16 bytes of input, so that all the bits that a turn
 * may use are there, and space for the longest match. It handles no errors: what it cannot handle, it leaves to
 * read_token(), which takes one token at a time, slowly and with all checks. So there is one place for each
 * verdict. The fast loop only has to be right about what it accepts; the slow path handles the rest.
 *
 * Both must place trace entries in the same way, otherwise the trace would depend on how the input was split.
 * An entry is due BM_TRACE_INTERVAL bytes after the last, but waits for the end of a match, where the fast loop
 * has to check its limits anyway. Only if no match ends within MARK_SLACK bytes, the entry is placed at a
 * literal, and the fast loop ends before that.
 */
#include "inflate/internal.h"

#include <string.h>

enum {
    MARK_SLACK = 256,
    /* What one turn of the fast loop may take, and write as literals; a match may follow these. */
    TURN_INPUT = 16,
    TURN_LITERALS = 4,
    LITERAL_MASK = (1 << BM_CODES_LITERAL_ROOT_BITS) - 1,
    DISTANCE_MASK = (1 << BM_CODES_DISTANCE_ROOT_BITS) - 1
};

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* A batch's text is full where another match might not fit. */
static size_t text_limit(const struct bm_batch *batch) {
    return batch->size.text - BM_MAX_MATCH;
}

/* --- one token ---------------------------------------------------------------------------------------- */

enum token { TOKEN_LITERAL, TOKEN_MATCH, TOKEN_END, TOKEN_NEEDS_BITS, TOKEN_INVALID };

static enum token refuse(struct bm_inflate *inflate, const char *reason) {
    inflate->reason = reason;
    return TOKEN_INVALID;
}

static enum token read_match(struct bm_inflate *inflate, struct bm_batch *batch, uint32_t entry,
                             uint64_t bits, uint64_t n_left) {
    const struct bm_deflate_codes *codes = inflate->open_codes;
    const uint32_t length = bm_deflate_codes_length(entry, bits);
    const unsigned n_length = bm_deflate_codes_length_bits(entry);
    bits >>= n_length;
    entry = codes->distance[bits & DISTANCE_MASK];
    if ((entry & BM_CODES_DISTANCE_LINK) != 0) entry = bm_deflate_codes_follow_distance(codes, entry, bits);
    if (n_length + bm_deflate_codes_distance_bits(entry) > n_left) return TOKEN_NEEDS_BITS;
    if (entry >> 16 == 0) {
        return refuse(inflate, "a match has a distance code that does not exist");
    }
    const uint32_t distance = bm_deflate_codes_distance(entry, bits);
    if (distance > bm_batch_end(batch) - inflate->member_text) {
        return refuse(inflate, "a match reaches back to before the text's beginning");
    }
    uint8_t *out = batch->text + batch->n_text;
    for (uint32_t i = 0; i < length; i++) out[i] = out[(ptrdiff_t)i - (ptrdiff_t)distance];
    batch->n_text += length;
    inflate->bit += n_length + bm_deflate_codes_distance_bits(entry);
    return TOKEN_MATCH;
}

static enum token read_exception(struct bm_inflate *inflate, struct bm_batch *batch, uint32_t entry,
                                 uint64_t n_left) {
    const uint8_t n_bits = bm_deflate_codes_exception_bits(entry);
    if (n_bits > n_left) return TOKEN_NEEDS_BITS;
    if ((entry & BM_CODES_END_OF_BLOCK) == 0) {
        return refuse(inflate, "a block has a literal/length code that does not exist");
    }
    bm_inflate_add_trace(inflate, batch, BM_TRACE_END, n_bits);
    inflate->bit += n_bits;
    return TOKEN_END;
}

/*
 * Reads one token, of 48 bits at the most. Bits beyond the batch's end lie in its slack, and are noise:
 * nothing is concluded before it is known that the bits that said so were all there.
 */
static enum token read_token(struct bm_inflate *inflate, struct bm_batch *batch) {
    const struct bm_deflate_codes *codes = inflate->open_codes;
    const uint64_t offset = bm_inflate_offset(inflate, batch);
    const uint64_t n_left = (uint64_t)batch->n_bits_bytes * 8 - offset;
    const uint64_t bits = bm_load64(batch->bits + (offset >> 3)) >> (offset & 7);
    uint32_t entry = codes->literal[bits & LITERAL_MASK];
    if ((entry & BM_CODES_IS_EXCEPTION) != 0) {
        if ((entry & BM_CODES_LINK) != 0) entry = bm_deflate_codes_follow_literal(codes, entry, bits);
        if ((entry & BM_CODES_IS_EXCEPTION) != 0) return read_exception(inflate, batch, entry, n_left);
    }
    if ((entry & BM_CODES_LITERALS(3)) == 0) return read_match(inflate, batch, entry, bits, n_left);
    const uint8_t literal = (uint8_t)(entry >> 16); /* a second symbol is left for the next time */
    if (codes->literal_bits[literal] > n_left) return TOKEN_NEEDS_BITS;
    batch->text[batch->n_text++] = literal;
    inflate->bit += codes->literal_bits[literal];
    return TOKEN_LITERAL;
}

/* --- copies -------------------------------------------------------------------------------------------- */

/* The steps in which copies are made: a match of a smaller distance would overlap itself in one. */
#define STEP ((size_t)16)

/* The compiler's own copies, here and in put_literals(): libc's, with their bounds looked at
 * (_FORTIFY_SOURCE=3), cost 1.6 % of a merge. How far a copy may go is looked at once for many. */
ALWAYS_INLINE void copy(uint8_t *to, const uint8_t *from, size_t n_bytes) {
    uint8_t piece[STEP];
    __builtin_memcpy(piece, from, n_bytes);
    __builtin_memcpy(to, piece, n_bytes);
}

/* Writes up to 63 bytes too many. */
ALWAYS_INLINE void copy_far(uint8_t *to, size_t distance, size_t n_bytes) {
    const uint8_t *from = to - distance, *end = to + n_bytes;
    do {
        copy(to, from, STEP);
        copy(to + STEP, from + STEP, STEP);
        copy(to + 2 * STEP, from + 2 * STEP, STEP);
        copy(to + 3 * STEP, from + 3 * STEP, STEP);
        to += 4 * STEP;
        from += 4 * STEP;
    } while (bm_unlikely(to < end));
}

/* Distances below STEP; writes up to 7 bytes too many. The shortest ones are written as a pattern, in steps
 * that are a multiple of the distance. */
static void copy_near(uint8_t *to, size_t distance, size_t n_bytes) {
    static const uint64_t repeat[8] = {0,
                                       UINT64_C(0x0101010101010101),
                                       UINT64_C(0x0001000100010001),
                                       UINT64_C(0x0001000001000001),
                                       UINT64_C(0x0000000100000001),
                                       UINT64_C(0x0000010000000001),
                                       UINT64_C(0x0001000000000001),
                                       UINT64_C(0x0100000000000001)};
    static const uint8_t steps[8] = {0, 8, 8, 6, 8, 5, 6, 7};
    const uint8_t *from = to - distance, *end = to + n_bytes;
    if (distance >= 8) {
        for (; to < end; to += 8, from += 8) copy(to, from, 8);
        return;
    }
    const uint64_t pattern =
        bm_deflate_codes_low_bits(bm_load64(from), (uint8_t)(distance * 8)) * repeat[distance];
    for (; to < end; to += steps[distance]) bm_store64(to, pattern);
}

/* --- many tokens -----------------------------------------------------------------------------------------
 */

/* Where the fast loop is. */
struct cursor {
    struct bm_deflate_codes_reader reader;
    uint8_t *out;
};

struct limits {
    const uint8_t *in;
    uint8_t *match;   /* behind a match */
    uint8_t *literal; /* behind a literal */
};

ALWAYS_INLINE void put_literals(struct cursor *at, uint32_t entry) {
    const uint16_t literals = (uint16_t)(entry >> 16);
    __builtin_memcpy(at->out, &literals, sizeof literals);
    at->out += bm_deflate_codes_n_literals(entry);
}

/* Takes an entry's literals, if it has any. */
ALWAYS_INLINE void take_literals(struct cursor *at, uint32_t entry) {
    put_literals(at, entry);
    at->reader.bits >>= entry & 63;
    at->reader.n_bits -= entry;
}

/*
 * Takes what *entry stands for: a length, perhaps a literal before it, and the distance that comes next; and
 * looks up the next entry. 34 bits are there. No distance may be more than STEP beyond at->out - floor.
 * False: nothing was taken, this is for read_token().
 */
ALWAYS_INLINE bool take_match(struct cursor *at, const struct bm_deflate_codes *codes, uint32_t *entry,
                              const uint8_t *floor) {
    const uint32_t first = *entry;
    const uint32_t length =
        bm_deflate_codes_length(bm_deflate_codes_apart(first), at->reader.bits >> BM_CODES_PAST);
    at->reader.bits >>= bm_deflate_codes_length_bits(first);
    at->reader.n_bits -= first >> 8;
    uint32_t second = bm_deflate_codes_look_up_distance(codes, at->reader.bits);
    bm_deflate_codes_refill(&at->reader);
    put_literals(at, first);
    if (bm_unlikely((second & BM_CODES_DISTANCE_LINK) != 0)) {
        second = bm_deflate_codes_follow_distance(codes, second, at->reader.bits >> BM_CODES_PAST);
    }
    const uint64_t bits = at->reader.bits >> BM_CODES_PAST;
    at->reader.bits >>= bm_deflate_codes_distance_bits(second);
    at->reader.n_bits -= second;
    const size_t distance = bm_deflate_codes_distance(second, bits);
    const bool is_odd = distance - STEP > (size_t)(at->out - floor);
    if (bm_unlikely(is_odd)) {
        if (distance >= STEP || distance == 0) {
            const unsigned n_bits =
                ((at->reader.n_bits + bm_deflate_codes_apart(second)) & 63) +
                bm_deflate_codes_length_bits(bm_deflate_codes_apart(first)); /* up to 83 */
            at->reader.in -= n_bits >> 3;
            at->reader.n_bits = n_bits & 7;
            at->out -= bm_deflate_codes_n_literals(first);
            return false;
        }
        copy_near(at->out, distance, length);
    }
    *entry = bm_deflate_codes_look_up_literal(codes, at->reader.bits);
    bm_deflate_codes_refill(&at->reader);
    if (bm_likely(!is_odd)) copy_far(at->out, distance, length);
    at->out += length;
    return true;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* A turn that begins further before text_limit() than its literals reach can end the batch only by its match. So batches
 * end where those of read_token() do. */
static struct limits set_limits(const struct bm_inflate *inflate, const struct bm_batch *batch) {
    const size_t mark = (size_t)(inflate->next_mark - batch->text_offset);
    return (struct limits){batch->bits + batch->n_bits_bytes - TURN_INPUT,
                           batch->text + least(mark, text_limit(batch) - TURN_LITERALS),
                           batch->text + least(mark + MARK_SLACK, text_limit(batch)) - TURN_LITERALS};
}

static struct cursor begin_run(const struct bm_inflate *inflate, const struct bm_batch *batch) {
    return (struct cursor){bm_deflate_codes_read_at(batch->bits, bm_inflate_offset(inflate, batch)),
                           batch->text + batch->n_text};
}

static void end_run(struct bm_inflate *inflate, struct bm_batch *batch, struct cursor at) {
    batch->n_text = (size_t)(at.out - batch->text);
    inflate->bit = (batch->first_bit & ~UINT64_C(7)) + bm_deflate_codes_read_bit(&at.reader, batch->bits);
}

/* Inside a block there is always room for one entry more, for the block's end. */
static bool is_trace_full(const struct bm_batch *batch) {
    return batch->n_trace == batch->size.trace - 1;
}

/*
 * With threads, the batch's memory was last read by another processor. To write to a line of it takes that
 * processor's leave, which takes longer than to fill the line with text; asked for some KiB ahead it costs
 * nothing (without this, a second thread makes decoding slower by a quarter). Where x86-64 does not know the
 * instruction it does nothing.
 */
enum { OWN_AHEAD = 2 * BM_TRACE_INTERVAL, CACHE_LINE = 64 };

static void own_text_ahead(const uint8_t *from, const uint8_t *to) {
    for (; from < to; from += CACHE_LINE) {
#if defined(__x86_64__)
        __asm__ volatile("prefetchw %0" : : "m"(*from)); /* compilers may take the builtin for nothing */
#else
        __builtin_prefetch(from, 1);
#endif
    }
}

static void add_token(struct bm_inflate *inflate, struct bm_batch *batch) {
    const uint8_t *text = batch->text + batch->n_text;
    own_text_ahead(batch->n_trace == 0 ? text : text + BM_TRACE_INTERVAL, text + OWN_AHEAD + MARK_SLACK);
    bm_inflate_add_trace(inflate, batch, BM_TRACE_TOKEN, 0);
    inflate->next_mark = bm_batch_end(batch) + BM_TRACE_INTERVAL;
}

/* Where a limit is reached behind a match: says whether to go on, with new limits. */
static bool pass_limit(struct bm_inflate *inflate, struct bm_batch *batch, struct cursor at,
                       struct limits *limits) {
    end_run(inflate, batch, at);
    if (bm_batch_end(batch) < inflate->next_mark || batch->n_text > text_limit(batch)) return false;
    add_token(inflate, batch);
    *limits = set_limits(inflate, batch);
    return at.reader.in <= limits->in && at.out < limits->match && !is_trace_full(batch);
}

ALWAYS_INLINE void run_inline(struct bm_inflate *inflate, struct bm_batch *batch) {
    const struct bm_deflate_codes *codes = inflate->open_codes;
    const size_t n_back = least(bm_batch_end(batch) - inflate->member_text, batch->n_text + batch->n_history);
    struct limits limits = set_limits(inflate, batch);
    struct cursor at = begin_run(inflate, batch);
    const uint8_t *floor = at.out - n_back + STEP;
    if (n_back < STEP || at.reader.in > limits.in || at.out >= limits.match) return;
    uint32_t entry = bm_deflate_codes_look_up_literal(codes, at.reader.bits);
    for (;;) {
        take_literals(&at, entry);
        entry = bm_deflate_codes_look_up_literal(codes, at.reader.bits);
        if (bm_unlikely((entry & BM_CODES_IS_EXCEPTION) != 0)) {
            if ((entry & BM_CODES_LINK) != 0)
                entry = bm_deflate_codes_follow_literal(codes, entry, at.reader.bits >> BM_CODES_PAST);
            if ((entry & BM_CODES_IS_EXCEPTION) != 0) break;
        }
        if ((entry & BM_CODES_NO_LENGTH) != 0) {
            take_literals(&at, entry);
            if (at.reader.in > limits.in || at.out >= limits.literal) break;
            entry = bm_deflate_codes_look_up_literal(codes, at.reader.bits);
            bm_deflate_codes_refill(&at.reader);
            continue;
        }
        if (!take_match(&at, codes, &entry, floor)) break;
        if (bm_unlikely(at.reader.in > limits.in || at.out >= limits.match)) {
            if (!pass_limit(inflate, batch, at, &limits)) return;
        }
    }
    end_run(inflate, batch, at);
}

#if defined(__x86_64__)
/* Instructions that shift by any register, and cut out low bits, help a little. */
__attribute__((target("bmi2"))) static void run_bmi2(struct bm_inflate *inflate, struct bm_batch *batch) {
    run_inline(inflate, batch);
}
#else
static void run_bmi2(struct bm_inflate *inflate, struct bm_batch *batch) {
    run_inline(inflate, batch);
}
#endif

static void run_portable(struct bm_inflate *inflate, struct bm_batch *batch) {
    run_inline(inflate, batch);
}

static void run(struct bm_inflate *inflate, struct bm_batch *batch) {
    const size_t n_gone = (size_t)(bm_inflate_offset(inflate, batch) >> 3);
    if (batch->n_bits_bytes - n_gone < TURN_INPUT || is_trace_full(batch)) return;
    if (inflate->has_bmi2) {
        run_bmi2(inflate, batch);
    } else {
        run_portable(inflate, batch);
    }
}

enum bm_inflate_outcome bm_inflate_tokens(struct bm_inflate *inflate, struct bm_batch *batch,
                                          bool more_to_come) {
    if (batch->n_trace == 0) add_token(inflate, batch);
    for (;;) {
        run(inflate, batch);
        const uint64_t n_left = (uint64_t)batch->n_bits_bytes * 8 - bm_inflate_offset(inflate, batch);
        if (batch->n_text > text_limit(batch)) return BM_INFLATE_BATCH_FULL;
        if (more_to_come && n_left < (uint64_t)2 * TURN_INPUT * 8) return BM_INFLATE_NEEDS_BITS;
        const enum token token = read_token(inflate, batch);
        if (token == TOKEN_NEEDS_BITS) return BM_INFLATE_NEEDS_BITS;
        if (token == TOKEN_INVALID) return BM_INFLATE_INVALID;
        if (token == TOKEN_END) return BM_INFLATE_GO_ON;
        const uint64_t due = inflate->next_mark + (token == TOKEN_MATCH ? 0 : MARK_SLACK);
        if (bm_batch_end(batch) < due) continue;
        if (batch->n_text > text_limit(batch) || is_trace_full(batch)) return BM_INFLATE_BATCH_FULL;
        add_token(inflate, batch);
    }
}
