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
