/* SPDX-License-Identifier: MIT */
#include "flow/batch.h"

#include <string.h>

enum { BITS_SLACK = 64 };

static size_t trace_bytes(const struct bm_batch_size *size) {
    return size->trace * sizeof(struct bm_trace);
}

static size_t text_bytes(const struct bm_batch_size *size) {
    return BM_WINDOW + (size_t)size->text + BM_BATCH_SLACK;
}

size_t bm_batch_bytes(const struct bm_batch_size *size) {
    return trace_bytes(size) + text_bytes(size) + size->bits + BITS_SLACK;
}

enum blastmerge_status bm_batch_open(struct bm_batch *batch, struct bm_memory *memory) {
    const struct bm_batch_size largest = {BM_BATCH_TEXT, BM_BATCH_BITS, BM_BATCH_TRACE};
    return bm_batch_open_sized(batch, &largest, memory);
}

enum blastmerge_status bm_batch_open_sized(struct bm_batch *batch, const struct bm_batch_size *size,
                                           struct bm_memory *memory) {
    const size_t n_trace_bytes = trace_bytes(size);
    const size_t n_text_bytes = text_bytes(size);
    bm_require(size->text >= BM_BATCH_LEAST_TEXT && size->text <= BM_BATCH_TEXT);
    bm_require(size->bits >= BM_BATCH_LEAST_BITS && size->bits <= BM_BATCH_BITS);
    bm_require(size->trace >= BM_BATCH_LEAST_TRACE && size->trace <= BM_BATCH_TRACE);
    memset(batch, 0, sizeof *batch);
    batch->size = *size;
    batch->buffer = bm_allocate(memory, bm_batch_bytes(size));
    if (batch->buffer == NULL) return BLASTMERGE_NO_MEMORY;
    batch->trace = (struct bm_trace *)(void *)batch->buffer;
    batch->text = batch->buffer + n_trace_bytes + BM_WINDOW;
    batch->bits = batch->buffer + n_trace_bytes + n_text_bytes;
    return BLASTMERGE_OK;
}

void bm_batch_close(struct bm_batch *batch, struct bm_memory *memory) {
    bm_release(memory, batch->buffer);
    memset(batch, 0, sizeof *batch);
}

void bm_batch_begin(struct bm_batch *batch, const struct bm_batch *before) {
    struct bm_batch next = {.size = batch->size,
                            .text = batch->text,
                            .bits = batch->bits,
                            .trace = batch->trace,
                            .buffer = batch->buffer};
    if (before != NULL) {
        size_t n_known = before->n_history + before->n_text;
        if (before->n_gaps > 0) /* what is in them is not known */
            n_known = (size_t)(bm_batch_end(before) - before->gaps[before->n_gaps - 1].to);
        next.n_history = n_known < BM_WINDOW ? n_known : BM_WINDOW;
        memmove(batch->text - next.n_history, before->text + before->n_text - next.n_history, next.n_history);
        next.text_offset = before->text_offset + before->n_text;
        next.first_bit = before->end_bit;
        next.end_bit = before->end_bit;
        if ((before->end_bit & 7) != 0) { /* the byte that both batches share */
            batch->bits[0] = before->bits[(before->end_bit >> 3) - (before->first_bit >> 3)];
            next.n_bits_bytes = 1;
        }
    }
    *batch = next;
}

uint32_t bm_batch_crc32(const struct bm_batch *batch, uint32_t crc, uint64_t from, uint64_t to) {
    bm_require(from >= batch->text_offset && from <= to && to <= bm_batch_end(batch));
    const size_t end = (size_t)(to - batch->text_offset);
    for (size_t at = (size_t)(from - batch->text_offset), next; at < end; at = next) {
        const struct bm_batch_sum *sum = &batch->sums[at / BM_BATCH_SUM];
        next = at - at % BM_BATCH_SUM + BM_BATCH_SUM;
        if (next > batch->n_text) next = batch->n_text;
        if (next <= end && sum->n_bytes == next - at && at % BM_BATCH_SUM == 0) {
            crc = bm_crc32_follow(crc, sum->before, sum->after, sum->n_bytes);
        } else {
            if (next > end) next = end;
            crc = bm_crc32(crc, batch->text + at, next - at);
        }
    }
    return crc;
}

/* Adds text that lies in no gap. */
static uint32_t add_text(const struct bm_batch *batch, uint32_t crc, uint64_t from, uint64_t to) {
    uint64_t begin = batch->text_offset;
    if (from < begin) {
        uint64_t end = to < begin ? to : begin;
        crc = bm_crc32(crc, bm_batch_at(batch, from, end - from), (size_t)(end - from));
        from = end;
    }
    return from < to ? bm_batch_crc32(batch, crc, from, to) : crc;
}

uint64_t bm_batch_sum(const struct bm_batch *batch, uint32_t *crc, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < batch->n_gaps && from < to; i++) {
        const struct bm_batch_gap *gap = &batch->gaps[i];
        if (gap->to <= from) continue;
        bm_require(gap->from >= from);
        if (gap->from >= to) break;
        *crc = add_text(batch, *crc, from, gap->from);
        from = gap->from;
        if (gap->to > to) return from;
        *crc = bm_crc32_follow(*crc, gap->crc_before, gap->crc_after, gap->to - gap->from);
        from = gap->to;
    }
    if (from < to) *crc = add_text(batch, *crc, from, to);
    return to;
}
