/* SPDX-License-Identifier: MIT */
/*
 * The header and trailer around a member's deflate data (RFC 1952). Their fields are read byte by byte as they
 * arrive, whatever their length. The faults are those that zlib reports.
 */
#include "inflate/internal.h"

#include <string.h>

enum { FIXED_PART_BYTES = 10, TRAILER_BYTES = 8, CM_DEFLATE = 8 };
enum { FLG_HCRC = 2, FLG_EXTRA = 4, FLG_NAME = 8, FLG_COMMENT = 16, FLG_RESERVED = 0xe0 };

void bm_inflate_begin_member(struct bm_inflate *inflate, uint32_t n_known) {
    inflate->phase = BM_INFLATE_MEMBER_HEADER;
    inflate->fault.member_byte = (inflate->bit >> 3) - n_known;
    inflate->part = BM_INFLATE_FIXED_PART;
    inflate->header_crc = 0;
    inflate->field[0] = 0x1f;
    inflate->field[1] = 0x8b;
    inflate->n_field = n_known;
}

/* The current bytes, from the next one on: framing always lies on byte borders. */
static size_t bytes_at_hand(const struct bm_inflate *inflate, const struct bm_batch *batch,
                            const uint8_t **bytes) {
    size_t offset = (size_t)(bm_inflate_offset(inflate, batch) >> 3);
    *bytes = batch->bits + offset;
    return batch->n_bits_bytes - offset;
}

/* Takes bytes until the field has n_wanted of them; says whether it has. */
static bool gather(struct bm_inflate *inflate, const struct bm_batch *batch, uint32_t n_wanted) {
    const uint8_t *bytes;
    size_t n_bytes = bytes_at_hand(inflate, batch, &bytes);
    if (n_bytes > n_wanted - inflate->n_field) n_bytes = n_wanted - inflate->n_field;
    memcpy(inflate->field + inflate->n_field, bytes, n_bytes);
    inflate->n_field += (uint32_t)n_bytes;
    inflate->bit += 8 * n_bytes;
    return inflate->n_field == n_wanted;
}

/* A part's bytes are done with: on to the next. */
static void next_part(struct bm_inflate *inflate, enum bm_inflate_header_part part) {
    inflate->part = part;
    inflate->n_field = 0;
}

static enum bm_inflate_outcome refuse(struct bm_inflate *inflate, const char *reason) {
    inflate->reason = reason;
    return BM_INFLATE_INVALID;
}

static enum bm_inflate_outcome read_fixed_part(struct bm_inflate *inflate, const struct bm_batch *batch) {
    if (!gather(inflate, batch, FIXED_PART_BYTES)) return BM_INFLATE_NEEDS_BITS;
    inflate->flags = inflate->field[3];
    if (inflate->field[2] != CM_DEFLATE)
        return refuse(inflate, "a gzip member uses an unknown compression method");
    if ((inflate->flags & FLG_RESERVED) != 0)
        return refuse(inflate, "a gzip member's header has reserved flags set");
    inflate->header_crc = bm_crc32(0, inflate->field, FIXED_PART_BYTES);
    next_part(inflate, BM_INFLATE_EXTRA_LENGTH);
    return BM_INFLATE_GO_ON;
}

static enum bm_inflate_outcome read_extra_length(struct bm_inflate *inflate, const struct bm_batch *batch) {
    inflate->n_extra = 0;
    if ((inflate->flags & FLG_EXTRA) != 0) {
        if (!gather(inflate, batch, 2)) return BM_INFLATE_NEEDS_BITS;
        inflate->n_extra = (uint32_t)inflate->field[0] | (uint32_t)inflate->field[1] << 8;
        inflate->header_crc = bm_crc32(inflate->header_crc, inflate->field, 2);
    }
    inflate->n_subfield = 0;
    inflate->is_bgzf = false;
    next_part(inflate, BM_INFLATE_EXTRA);
    return BM_INFLATE_GO_ON;
}

static void skip(struct bm_inflate *inflate, const uint8_t *bytes, size_t n_bytes) {
    inflate->header_crc = bm_crc32(inflate->header_crc, bytes, n_bytes);
    inflate->bit += 8 * n_bytes;
}

/* Goes over subfields (RFC 1952, 2.3.1.1). BGZF has one with the block's length (SAM specification, 4.1). */
static void follow_subfields(struct bm_inflate *inflate, const uint8_t *bytes, size_t n_bytes) {
    const uint32_t n_header = sizeof inflate->subfield;
    for (size_t i = 0; i < n_bytes; i++) {
        if (inflate->n_subfield < n_header) inflate->subfield[inflate->n_subfield] = bytes[i];
        inflate->n_subfield++;
        if (inflate->n_subfield < n_header) continue;
        const uint8_t *header = inflate->subfield;
        uint32_t n_data = (uint32_t)header[2] | (uint32_t)header[3] << 8;
        if (inflate->n_subfield < n_header + n_data) continue;
        if (header[0] == 'B' && header[1] == 'C' && n_data == 2) inflate->is_bgzf = true;
        inflate->n_subfield = 0;
    }
}

static enum bm_inflate_outcome read_extra(struct bm_inflate *inflate, const struct bm_batch *batch) {
    const uint8_t *bytes;
    size_t n_bytes = bytes_at_hand(inflate, batch, &bytes);
    if (n_bytes > inflate->n_extra) n_bytes = inflate->n_extra;
    follow_subfields(inflate, bytes, n_bytes);
    skip(inflate, bytes, n_bytes);
    inflate->n_extra -= (uint32_t)n_bytes;
    if (inflate->n_extra != 0) return BM_INFLATE_NEEDS_BITS;
    next_part(inflate, BM_INFLATE_NAME);
    return BM_INFLATE_GO_ON;
}

/* The name or the comment: up to a zero byte, where the flag says that there is one. */
static enum bm_inflate_outcome read_string(struct bm_inflate *inflate, const struct bm_batch *batch,
                                           uint8_t flag, enum bm_inflate_header_part part_after) {
    if ((inflate->flags & flag) != 0) {
        const uint8_t *bytes;
        size_t n_bytes = bytes_at_hand(inflate, batch, &bytes);
        const uint8_t *zero = memchr(bytes, 0, n_bytes);
        skip(inflate, bytes, zero == NULL ? n_bytes : (size_t)(zero - bytes) + 1);
        if (zero == NULL) return BM_INFLATE_NEEDS_BITS;
    }
    next_part(inflate, part_after);
    return BM_INFLATE_GO_ON;
}

static enum bm_inflate_outcome read_header_crc(struct bm_inflate *inflate, const struct bm_batch *batch) {
    if ((inflate->flags & FLG_HCRC) != 0) {
        if (!gather(inflate, batch, 2)) return BM_INFLATE_NEEDS_BITS;
        uint32_t stored = (uint32_t)inflate->field[0] | (uint32_t)inflate->field[1] << 8;
        if (stored != (inflate->header_crc & 0xffff)) {
            return refuse(inflate, "a gzip member's header does not match its own CRC");
        }
    }
    inflate->phase = BM_INFLATE_BLOCK_HEADER;
    return BM_INFLATE_GO_ON;
}

enum bm_inflate_outcome bm_inflate_member_header(struct bm_inflate *inflate, struct bm_batch *batch) {
    switch (inflate->part) {
    case BM_INFLATE_FIXED_PART:
        return read_fixed_part(inflate, batch);
    case BM_INFLATE_EXTRA_LENGTH:
        return read_extra_length(inflate, batch);
    case BM_INFLATE_EXTRA:
        return read_extra(inflate, batch);
    case BM_INFLATE_NAME:
        return read_string(inflate, batch, FLG_NAME, BM_INFLATE_COMMENT);
    case BM_INFLATE_COMMENT:
        return read_string(inflate, batch, FLG_COMMENT, BM_INFLATE_HEADER_CRC);
    case BM_INFLATE_HEADER_CRC:
        break;
    }
    if (batch->n_trace == batch->size.trace) return BM_INFLATE_BATCH_FULL;
    enum bm_inflate_outcome outcome = read_header_crc(inflate, batch);
    if (inflate->phase != BM_INFLATE_BLOCK_HEADER) return outcome;
    if (inflate->fault.member_byte == 0) inflate->first_is_bgzf = inflate->is_bgzf;
    inflate->member_text = inflate->crc_text = bm_batch_end(batch);
    inflate->crc = 0;
    inflate->n_header_wait = 0;
    bm_inflate_add_trace(inflate, batch, BM_TRACE_MEMBER, 0);
    return BM_INFLATE_GO_ON;
}

enum bm_inflate_outcome bm_inflate_trailer(struct bm_inflate *inflate, struct bm_batch *batch) {
    if (!gather(inflate, batch, TRAILER_BYTES)) return BM_INFLATE_NEEDS_BITS;
    bm_inflate_sum_text(inflate, batch);
    inflate->fault.is_checksum = true; /* unless both are right */
    if (bm_load32(inflate->field) != inflate->crc) {
        return refuse(inflate, "a gzip member's text does not match its CRC-32");
    }
    if (bm_load32(inflate->field + 4) != (uint32_t)(bm_batch_end(batch) - inflate->member_text)) {
        return refuse(inflate, "a gzip member's text does not have the length in the member's trailer");
    }
    inflate->fault.is_checksum = false;
    inflate->has_members = true;
    inflate->all_are_bgzf = inflate->all_are_bgzf && inflate->is_bgzf;
    inflate->last_is_empty = bm_batch_end(batch) == inflate->member_text;
    inflate->n_field = 0;
    inflate->phase = BM_INFLATE_BETWEEN;
    return BM_INFLATE_GO_ON;
}
