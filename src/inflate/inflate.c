/* SPDX-License-Identifier: MIT */
#include "inflate/internal.h"

#include <pthread.h>
#include <string.h>

enum {
    /* Where two dynamic blocks in a row hold less text than this, the next one is expected to, too. */
    SHORT_BLOCK = 1024,
    /* Input is taken in pieces of this size: what a batch's end leaves over has been copied for nothing. */
    PIECE_BYTES = 8192
};

_Static_assert(BM_INFLATE_CARRY >= BM_MAX_HEADER_BYTES + 64, "what is taken but not used must fit");

/* The codes of all fixed blocks, which RFC 1951 gives: 19 KB once, not for each of a hundred children. */
static struct bm_deflate_codes fixed_codes;
static pthread_once_t fixed_codes_once = PTHREAD_ONCE_INIT;

static void make_fixed_codes(void) {
    static const uint8_t empty_fixed_block[] = {3, 0};
    struct bm_block_header fixed;
    const char *reason = NULL;
    (void)bm_deflate_read_header(empty_fixed_block, sizeof empty_fixed_block, 0, &fixed, &reason);
    bm_deflate_codes_make(&fixed_codes, &fixed, true);
}

/* --- a batch's bits ------------------------------------------------------------------------------- */

static size_t take_input(struct bm_batch *batch, const uint8_t *input, size_t n_input, size_t n_most) {
    size_t n_bytes = batch->size.bits - batch->n_bits_bytes;
    if (n_bytes > n_input) n_bytes = n_input;
    if (n_bytes > n_most) n_bytes = n_most;
    if (n_bytes != 0) memcpy(batch->bits + batch->n_bits_bytes, input, n_bytes);
    batch->n_bits_bytes += n_bytes;
    return n_bytes;
}

static void take_carry(struct bm_inflate *inflate, struct bm_batch *batch) {
    memcpy(batch->bits + batch->n_bits_bytes, inflate->carry, inflate->n_carry);
    batch->n_bits_bytes += inflate->n_carry;
    inflate->n_carry = 0;
}

/* Ends the batch at the next bit. Bytes beyond it go back to the input, of which n_used were taken, or, if
 * they came with an earlier step, wait for the next batch. Returns what is left of n_used. */
static size_t end_batch(struct bm_inflate *inflate, struct bm_batch *batch, size_t n_used) {
    size_t n_kept = (size_t)((bm_inflate_offset(inflate, batch) + 7) >> 3);
    size_t n_over = batch->n_bits_bytes - n_kept;
    size_t n_back = n_over < n_used ? n_over : n_used;
    inflate->n_carry = n_over - n_back;
    bm_require(inflate->n_carry <= sizeof inflate->carry);
    memcpy(inflate->carry, batch->bits + n_kept, inflate->n_carry);
    batch->n_bits_bytes = n_kept;
    batch->end_bit = inflate->bit;
    bm_inflate_sum_text(inflate, batch);
    return n_used - n_back;
}

/* Adds the text from an offset in the batch on to the member's CRC-32, and notes what each stretch adds. */
static void sum_stretches(struct bm_inflate *inflate, struct bm_batch *batch, size_t from) {
    while (from < batch->n_text) {
        size_t to = from - from % BM_BATCH_SUM + BM_BATCH_SUM;
        if (to > batch->n_text) to = batch->n_text;
        const uint32_t before = inflate->crc;
        inflate->crc = bm_crc32(before, batch->text + from, to - from);
        if (from % BM_BATCH_SUM == 0)
            batch->sums[from / BM_BATCH_SUM] =
                (struct bm_batch_sum){before, inflate->crc, (uint32_t)(to - from)};
        from = to;
    }
}

void bm_inflate_sum_text(struct bm_inflate *inflate, struct bm_batch *batch) {
    uint64_t text = bm_batch_end(batch);
    size_t n_bytes = (size_t)(text - inflate->crc_text);
    uint32_t before = inflate->crc;
    sum_stretches(inflate, batch, batch->n_text - n_bytes);
    inflate->crc_text = text;
    if (batch->n_text == n_bytes) batch->crc_before = batch->crc_after = before;
    batch->crc_after = bm_crc32_follow(batch->crc_after, before, inflate->crc, n_bytes);
}

/* The text of no gzip member: each batch has a CRC-32 of its own. */
static void sum_plain(struct bm_inflate *inflate, struct bm_batch *batch) {
    inflate->crc = 0;
    sum_stretches(inflate, batch, 0);
    batch->crc_after = inflate->crc;
}

void bm_inflate_add_trace(struct bm_inflate *inflate, struct bm_batch *batch, enum bm_trace_kind kind,
                          uint32_t n_bits) {
    bm_require(batch->n_trace < batch->size.trace);
    batch->trace[batch->n_trace++] =
        (struct bm_trace){inflate->bit, bm_batch_end(batch), (uint32_t)kind, n_bits};
}

/* --- phases ----------------------------------------------------------------------------------------- */

static enum bm_inflate_outcome read_block_header(struct bm_inflate *inflate, struct bm_batch *batch,
                                                 bool is_last) {
    struct bm_block_header header;
    const size_t n_bytes = batch->n_bits_bytes;
    const uint64_t offset = bm_inflate_offset(inflate, batch);
    const size_t n_left = n_bytes - (size_t)(offset >> 3);
    if (batch->n_trace > batch->size.trace - 3) return BM_INFLATE_BATCH_FULL;
    if (n_left < inflate->n_header_wait && n_bytes < batch->size.bits && !is_last)
        return BM_INFLATE_NEEDS_BITS;
    switch (bm_deflate_read_header(batch->bits, n_bytes, offset, &header, &inflate->reason)) {
    case BM_DEFLATE_HEADER_OK:
        break;
    case BM_DEFLATE_HEADER_MORE_INPUT:
        inflate->n_header_wait = n_left * 2;
        return BM_INFLATE_NEEDS_BITS;
    case BM_DEFLATE_HEADER_INVALID:
        return BM_INFLATE_INVALID;
    }
    inflate->n_header_wait = 0;
    bm_inflate_add_trace(inflate, batch, BM_TRACE_BLOCK, 0);
    inflate->bit += header.n_bits;
    bm_inflate_add_trace(inflate, batch, BM_TRACE_TOKEN, 0);
    inflate->next_mark = bm_batch_end(batch) + BM_TRACE_INTERVAL;
    inflate->is_final = header.is_final;
    inflate->block_text = bm_batch_end(batch);
    inflate->n_stored = header.stored_length;
    inflate->phase = header.type == BM_BLOCK_STORED ? BM_INFLATE_STORED : BM_INFLATE_TOKENS;
    if (header.type == BM_BLOCK_FIXED) inflate->open_codes = &fixed_codes;
    if (header.type == BM_BLOCK_DYNAMIC) {
        bm_deflate_codes_make(&inflate->dynamic_codes, &header, inflate->n_short_blocks < 2);
        inflate->open_codes = &inflate->dynamic_codes;
    }
    return BM_INFLATE_GO_ON;
}

static enum bm_inflate_outcome end_block(struct bm_inflate *inflate) {
    inflate->phase = BM_INFLATE_BLOCK_HEADER;
    if (inflate->is_final) {
        inflate->phase = BM_INFLATE_TRAILER;
        inflate->bit = (inflate->bit + 7) & ~UINT64_C(7);
        inflate->n_field = 0;
    }
    return BM_INFLATE_GO_ON;
}

static enum bm_inflate_outcome read_tokens(struct bm_inflate *inflate, struct bm_batch *batch,
                                           bool more_to_come) {
    enum bm_inflate_outcome outcome = bm_inflate_tokens(inflate, batch, more_to_come);
    if (outcome != BM_INFLATE_GO_ON) return outcome;
    if (inflate->open_codes == &inflate->dynamic_codes) {
        bool is_short = bm_batch_end(batch) - inflate->block_text < SHORT_BLOCK;
        inflate->n_short_blocks = is_short ? inflate->n_short_blocks + 1 : 0;
    }
    return end_block(inflate);
}

/* One piece of a stored block, up to where a trace entry is due. */
static enum bm_inflate_outcome read_stored(struct bm_inflate *inflate, struct bm_batch *batch) {
    const size_t offset = (size_t)(bm_inflate_offset(inflate, batch) >> 3);
    if (inflate->n_stored == 0) {
        bm_inflate_add_trace(inflate, batch, BM_TRACE_END, 0);
        return end_block(inflate);
    }
    if (batch->n_text == batch->size.text) return BM_INFLATE_BATCH_FULL;
    if (bm_batch_end(batch) == inflate->next_mark || batch->n_trace == 0) {
        if (batch->n_trace == batch->size.trace - 1) return BM_INFLATE_BATCH_FULL;
        bm_inflate_add_trace(inflate, batch, BM_TRACE_TOKEN, 0);
        inflate->next_mark = bm_batch_end(batch) + BM_TRACE_INTERVAL;
    }
    size_t n_bytes = (size_t)(inflate->next_mark - bm_batch_end(batch));
    if (n_bytes > inflate->n_stored) n_bytes = inflate->n_stored;
    if (n_bytes > batch->size.text - batch->n_text) n_bytes = batch->size.text - batch->n_text;
    if (n_bytes > batch->n_bits_bytes - offset) n_bytes = batch->n_bits_bytes - offset;
    if (n_bytes == 0) return BM_INFLATE_NEEDS_BITS;
    memcpy(batch->text + batch->n_text, batch->bits + offset, n_bytes);
    batch->n_text += n_bytes;
    inflate->bit += 8 * (uint64_t)n_bytes;
    inflate->n_stored -= (uint32_t)n_bytes;
    return BM_INFLATE_GO_ON;
}

/* After a member. A member's first byte is taken like padding, and awaits its second. */
static enum bm_inflate_outcome read_between(struct bm_inflate *inflate, struct bm_batch *batch) {
    size_t offset = (size_t)(bm_inflate_offset(inflate, batch) >> 3);
    const uint8_t *bytes = batch->bits + offset;
    const uint8_t *end = batch->bits + batch->n_bits_bytes;
    const uint8_t *p = bytes;
    if (inflate->n_field == 0) {
        while (p < end && *p == 0) p++;
    }
    while (p < end && inflate->n_field < 2 && *p == (inflate->n_field == 0 ? 0x1f : 0x8b)) {
        inflate->n_field++;
        p++;
    }
    inflate->bit += 8 * (uint64_t)(p - bytes);
    if (inflate->n_field == 2) {
        bm_inflate_begin_member(inflate, 2);
        return BM_INFLATE_GO_ON;
    }
    if (p == end) return BM_INFLATE_NEEDS_BITS;
    inflate->reason = "the bytes after a gzip member are not another gzip member";
    return BM_INFLATE_INVALID;
}

/* Leaves the bytes by which the compression is known to be decoded with the others. */
static void begin_other(struct bm_inflate *inflate, struct bm_batch *batch) {
    inflate->n_look = batch->n_bits_bytes;
    memcpy(inflate->look, batch->bits, inflate->n_look);
    inflate->lacks_checksum = bm_decompress_lacks_checksum(inflate->look, inflate->n_look);
    batch->n_bits_bytes = 0;
    batch->is_compressed = true;
    inflate->phase = BM_INFLATE_OTHER;
}

static enum bm_inflate_outcome read_start(struct bm_inflate *inflate, struct bm_batch *batch, bool is_last) {
    if (batch->n_bits_bytes < BM_DECOMPRESS_LOOK && !is_last) return BM_INFLATE_NEEDS_BITS;
    if (bm_decompress_look(batch->bits, batch->n_bits_bytes) != BM_DECOMPRESS_NONE) {
        begin_other(inflate, batch);
        return BM_INFLATE_GO_ON;
    }
    bool is_gzip = batch->n_bits_bytes >= 2 && batch->bits[0] == 0x1f && batch->bits[1] == 0x8b;
    bool is_cut_gzip = batch->n_bits_bytes == 1 && batch->bits[0] == 0x1f; /* no text is that byte alone */
    batch->has_trace = batch->is_compressed = is_gzip || is_cut_gzip;
    if (batch->has_trace) {
        bm_inflate_begin_member(inflate, 0);
        return BM_INFLATE_GO_ON;
    }
    memcpy(batch->text, batch->bits, batch->n_bits_bytes);
    batch->n_text = batch->n_bits_bytes;
    batch->n_bits_bytes = 0;
    inflate->phase = BM_INFLATE_PLAIN;
    return BM_INFLATE_GO_ON;
}

static enum bm_inflate_outcome advance(struct bm_inflate *inflate, struct bm_batch *batch, bool more_to_come,
                                       bool is_last) {
    switch (inflate->phase) {
    case BM_INFLATE_START:
        return read_start(inflate, batch, is_last);
    case BM_INFLATE_PLAIN:
    case BM_INFLATE_OTHER:
        break;
    case BM_INFLATE_MEMBER_HEADER:
        return bm_inflate_member_header(inflate, batch);
    case BM_INFLATE_BLOCK_HEADER:
        return read_block_header(inflate, batch, is_last);
    case BM_INFLATE_TOKENS:
        return read_tokens(inflate, batch, more_to_come);
    case BM_INFLATE_STORED:
        return read_stored(inflate, batch);
    case BM_INFLATE_TRAILER:
        return bm_inflate_trailer(inflate, batch);
    case BM_INFLATE_BETWEEN:
        return read_between(inflate, batch);
    }
    return BM_INFLATE_NEEDS_BITS;
}

/* --- steps ---------------------------------------------------------------------------------------- */

/* A batch that is full is handed on before anything is said about the input's end, here and below: so it is
 * the same for every split. */
static enum bm_step step_plain(struct bm_inflate *inflate, struct bm_batch *batch, const uint8_t *input,
                               size_t n_input, size_t *n_used, bool is_last) {
    size_t n_bytes = batch->size.text - batch->n_text;
    if (n_bytes > n_input - *n_used) n_bytes = n_input - *n_used;
    if (n_bytes != 0) memcpy(batch->text + batch->n_text, input + *n_used, n_bytes);
    batch->n_text += n_bytes;
    *n_used += n_bytes;
    bool is_full = batch->n_text == batch->size.text;
    if (is_full || is_last) sum_plain(inflate, batch);
    if (is_full) return BM_STEP_FULL;
    return is_last ? BM_STEP_DONE : BM_STEP_MORE;
}

/* Notes that a frame has ended: salvage keeps what is whole. */
static void trace_frame(struct bm_inflate *inflate, struct bm_batch *batch) {
    const struct bm_decompress_frame frame = bm_decompress_frame(inflate->other);
    if (frame.byte == inflate->frame_byte) return;
    inflate->frame_byte = frame.byte;
    batch->trace[batch->n_trace++] = (struct bm_trace){8 * frame.byte, frame.text, BM_TRACE_MEMBER, 0};
}

/* Decodes into the batch. The first bytes are decoded as input of their own. */
static enum bm_step decode_other(struct bm_inflate *inflate, struct bm_batch *batch, const uint8_t *input,
                                 size_t n_input, size_t *n_used, bool is_last,
                                 struct blastmerge_error *error) {
    for (;;) {
        const bool is_look = inflate->look_position < inflate->n_look;
        const uint8_t *in = is_look ? inflate->look + inflate->look_position : input + *n_used;
        const size_t n_in = is_look ? inflate->n_look - inflate->look_position : n_input - *n_used;
        struct bm_decompress_buffers buffers = {in, n_in, batch->text + batch->n_text,
                                                batch->size.text - batch->n_text};
        if (batch->n_trace == batch->size.trace) return BM_STEP_FULL;
        enum bm_step step = bm_decompress_step(inflate->other, &buffers, is_last && !is_look, error);
        batch->n_text = batch->size.text - buffers.n_out;
        if (!is_look) *n_used += n_in - buffers.n_in;
        if (is_look) inflate->look_position += n_in - buffers.n_in;
        trace_frame(inflate, batch);
        if (step != BM_STEP_MORE || (!is_look && buffers.n_in == 0)) return step;
    }
}

static enum bm_step fail_other(struct bm_inflate *inflate, const struct bm_batch *batch,
                               struct blastmerge_error *error) {
    if (inflate->other != NULL) {
        const struct bm_decompress_frame frame = bm_decompress_frame(inflate->other);
        inflate->fault = (struct bm_inflate_fault){.member_byte = frame.byte,
                                                   .member_text = frame.text,
                                                   .is_cut = bm_decompress_is_cut(inflate->other)};
    }
    error->text_offset = bm_batch_end(batch);
    return BM_STEP_FAILED;
}

static enum bm_step step_other(struct bm_inflate *inflate, struct bm_batch *batch, const uint8_t *input,
                               size_t n_input, size_t *n_used, bool is_last, struct blastmerge_error *error) {
    batch->is_compressed = true;
    if (inflate->other == NULL)
        inflate->other =
            bm_decompress_open(bm_decompress_look(inflate->look, inflate->n_look), inflate->budget, error);
    if (inflate->other == NULL) return fail_other(inflate, batch, error);
    enum bm_step step = decode_other(inflate, batch, input, n_input, n_used, is_last, error);
    if (step != BM_STEP_MORE) sum_plain(inflate, batch);
    return step == BM_STEP_FAILED ? fail_other(inflate, batch, error) : step;
}

/* Outside of a member's data all the text there is was checked. */
static void note_fault(struct bm_inflate *inflate, const struct bm_batch *batch, bool is_cut) {
    bool is_in_header = inflate->phase == BM_INFLATE_MEMBER_HEADER;
    bool is_between = inflate->phase == BM_INFLATE_BETWEEN;
    inflate->fault.is_cut = is_cut;
    inflate->fault.member_text = is_in_header || is_between ? bm_batch_end(batch) : inflate->member_text;
    if (is_between) inflate->fault.member_byte = (inflate->bit >> 3) - inflate->n_field;
}

static enum bm_step fail(struct bm_inflate *inflate, struct bm_batch *batch, struct blastmerge_error *error) {
    note_fault(inflate, batch, false);
    (void)end_batch(inflate, batch, SIZE_MAX);
    (void)bm_fail_at(error, BLASTMERGE_DATA, bm_batch_end(batch), "damaged gzip data: %s", inflate->reason);
    return BM_STEP_FAILED;
}

/* The input is at its end, and all of it is decoded that can be. */
static enum bm_step finish(struct bm_inflate *inflate, struct bm_batch *batch,
                           struct blastmerge_error *error) {
    (void)end_batch(inflate, batch, SIZE_MAX);
    if (inflate->phase == BM_INFLATE_BETWEEN && inflate->n_field == 0) return BM_STEP_DONE;
    note_fault(inflate, batch, true);
    (void)bm_fail_at(error, BLASTMERGE_DATA, bm_batch_end(batch),
                     "the gzip data is cut short: it ends inside a gzip member (was the file copied "
                     "completely, and did the job that wrote it succeed?)");
    return BM_STEP_FAILED;
}

enum bm_step bm_inflate_step(struct bm_inflate *inflate, struct bm_batch *batch, const uint8_t *input,
                             size_t n_input, size_t *n_used, bool is_last, struct blastmerge_error *error) {
    *n_used = 0;
    take_carry(inflate, batch);
    while (inflate->phase != BM_INFLATE_PLAIN && inflate->phase != BM_INFLATE_OTHER) {
        bool is_start = inflate->phase == BM_INFLATE_START;
        batch->has_trace = batch->is_compressed = !is_start;
        bool is_full = batch->n_bits_bytes == batch->size.bits, is_empty = *n_used == n_input;
        enum bm_inflate_outcome outcome = advance(inflate, batch, !is_full && !is_empty, is_empty && is_last);
        if (outcome == BM_INFLATE_GO_ON) continue;
        if (outcome == BM_INFLATE_INVALID) return fail(inflate, batch, error);
        if (outcome == BM_INFLATE_BATCH_FULL || is_full) {
            *n_used = end_batch(inflate, batch, *n_used);
            return BM_STEP_FULL;
        }
        if (is_empty) return is_last ? finish(inflate, batch, error) : BM_STEP_MORE;
        size_t n_most = is_start ? BM_DECOMPRESS_LOOK - batch->n_bits_bytes : PIECE_BYTES;
        *n_used += take_input(batch, input + *n_used, n_input - *n_used, n_most);
    }
    if (inflate->phase == BM_INFLATE_OTHER)
        return step_other(inflate, batch, input, n_input, n_used, is_last, error);
    return step_plain(inflate, batch, input, n_input, n_used, is_last);
}

/* --- life ----------------------------------------------------------------------------------------- */

enum blastmerge_status bm_inflate_open(struct bm_inflate **inflate, struct bm_memory *memory) {
    *inflate = bm_allocate(memory, sizeof **inflate);
    if (*inflate == NULL) return BLASTMERGE_NO_MEMORY;
    (void)pthread_once(&fixed_codes_once, make_fixed_codes);
#if defined(__x86_64__)
    (*inflate)->has_bmi2 = __builtin_cpu_supports("bmi2");
#endif
    bm_inflate_reset(*inflate);
    return BLASTMERGE_OK;
}

void bm_inflate_close(struct bm_inflate *inflate, struct bm_memory *memory) {
    if (inflate != NULL) bm_decompress_close(inflate->other);
    bm_release(memory, inflate);
}

void bm_inflate_set_budget(struct bm_inflate *inflate, struct bm_budget *budget) {
    inflate->budget = budget;
}

void bm_inflate_release(struct bm_inflate *inflate) {
    bm_decompress_close(inflate->other);
    inflate->other = NULL;
}

bool bm_inflate_lacks_memory(const struct bm_inflate *inflate) {
    return inflate->other != NULL && bm_decompress_lacks_memory(inflate->other);
}

void bm_inflate_reset(struct bm_inflate *inflate) {
    bm_decompress_close(inflate->other);
    memset(inflate, 0, offsetof(struct bm_inflate, carry));
    inflate->all_are_bgzf = true;
}

struct bm_inflate_fault bm_inflate_fault(const struct bm_inflate *inflate) {
    return inflate->fault;
}

bool bm_inflate_begins_with_block(const struct bm_inflate *inflate) {
    return inflate->first_is_bgzf;
}

bool bm_inflate_lacks_bgzf_end(const struct bm_inflate *inflate) {
    return bm_inflate_is_gzip(inflate) && inflate->has_members && inflate->all_are_bgzf &&
           !inflate->last_is_empty;
}

bool bm_inflate_is_gzip(const struct bm_inflate *inflate) {
    return inflate->phase != BM_INFLATE_START && inflate->phase != BM_INFLATE_PLAIN &&
           inflate->phase != BM_INFLATE_OTHER;
}

const char *bm_inflate_lacks_checksum(const struct bm_inflate *inflate) {
    bool is_lacking = inflate->phase == BM_INFLATE_OTHER && inflate->lacks_checksum;
    return is_lacking ? bm_decompress_name(bm_decompress_look(inflate->look, inflate->n_look)) : NULL;
}
