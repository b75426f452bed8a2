/* SPDX-License-Identifier: MIT */
#include "base/batch.h"

#include <string.h>

enum { BITS_SLACK = 64 };

enum blastmerge_status bm_batch_open(struct bm_batch *batch, struct bm_memory *memory) {
    const size_t n_trace_bytes = BM_BATCH_TRACE * sizeof(struct bm_trace);
    const size_t n_text_bytes = BM_WINDOW + BM_BATCH_TEXT + BM_BATCH_SLACK;
    memset(batch, 0, sizeof *batch);
    batch->buffer = bm_allocate(memory, n_trace_bytes + n_text_bytes + BM_BATCH_BITS + BITS_SLACK);
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
    batch->n_text = 0;
    batch->n_bits_bytes = 0;
    batch->n_trace = 0;
    batch->has_trace = false;
    if (before == NULL) {
        batch->text_offset = 0;
        batch->n_history = 0;
        batch->first_bit = 0;
        batch->end_bit = 0;
        return;
    }
    size_t n_known = before->n_history + before->n_text;
    batch->n_history = n_known < BM_WINDOW ? n_known : BM_WINDOW;
    memcpy(batch->text - batch->n_history, before->text + before->n_text - batch->n_history,
           batch->n_history);
    batch->text_offset = before->text_offset + before->n_text;
    batch->first_bit = before->end_bit;
    batch->end_bit = before->end_bit;
    if ((before->end_bit & 7) != 0) { /* the byte that both batches share */
        batch->bits[0] = before->bits[(before->end_bit >> 3) - (before->first_bit >> 3)];
        batch->n_bits_bytes = 1;
    }
}
