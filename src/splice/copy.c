/* SPDX-License-Identifier: MIT */
#include "splice/copy.h"

#include <assert.h>
#include <string.h>

enum { GZIP_TRAILER = 8 };

_Static_assert((int)BM_BATCH_BITS + GZIP_TRAILER <= (int)BM_OUTPUT_ROOM, "a batch always fits");

void bm_copy_reset(struct bm_copy *copy) {
    copy->position = 0;
    copy->member_end = UINT64_MAX;
    copy->is_final_block = false;
}

/* Copies the batch's bytes up to `end`, an offset in the child. */
static void copy_to(struct bm_copy *copy, const struct bm_batch *batch, uint64_t end,
                    struct bm_output *output) {
    bm_require(copy->position >= batch->first_bit / 8);
    uint64_t from = copy->position - batch->first_bit / 8;
    size_t n_bytes = (size_t)(end - copy->position);
    bm_require(n_bytes <= BM_OUTPUT_SIZE - output->n_data);
    memcpy(output->data + output->n_data, batch->bits + from, n_bytes);
    output->n_data += n_bytes;
    copy->position = end;
    copy->has_members = true;
}

/* Copies up to `end`; of what lies behind a member's end zero bytes are left out. */
static void copy_members(struct bm_copy *copy, const struct bm_batch *batch, uint64_t end,
                         struct bm_output *output) {
    while (copy->position < end) {
        if (copy->position < copy->member_end)
            copy_to(copy, batch, copy->member_end < end ? copy->member_end : end, output);
        else if (batch->bits[copy->position - batch->first_bit / 8] == 0)
            copy->position++;
        else
            copy->member_end = UINT64_MAX; /* another member begins */
    }
}

void bm_copy_step(struct bm_copy *copy, const struct bm_batch *batch, struct bm_output *output) {
    uint64_t first = batch->first_bit / 8;
    assert(batch->has_trace);
    for (size_t i = 0; i < batch->n_trace; i++) {
        const struct bm_trace *trace = &batch->trace[i];
        if (trace->kind == BM_TRACE_BLOCK)
            copy->is_final_block = batch->bits[trace->bit / 8 - first] >> trace->bit % 8 & 1;
        if (trace->kind != BM_TRACE_END || !copy->is_final_block) continue;
        /* A member before this one, and the padding after it, are done with before this one's end is noted.
         */
        copy_members(copy, batch, (trace->bit + 7) / 8, output);
        copy->member_end = (trace->bit + trace->n_bits + 7) / 8 + GZIP_TRAILER;
    }
    copy_members(copy, batch, (batch->end_bit + 7) / 8, output);
    output->crc32 = bm_crc32(output->crc32, batch->text, batch->n_text);
    output->n_text += batch->n_text;
}
