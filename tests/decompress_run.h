/* SPDX-License-Identifier: MIT */
/* Text of a child, by inflate's steps: for test_decompress and fuzz_decompress. */
#ifndef DECOMPRESS_RUN_H
#define DECOMPRESS_RUN_H

#include "inflate/inflate.h"

#include <stdlib.h>
#include <string.h>

struct decompress_run {
    struct bm_memory memory;
    struct bm_inflate *inflate;
    struct bm_batch batch;
    bool is_whole; /* else it has failed */
    bool is_compressed;
    struct blastmerge_error error;
    uint64_t n_all; /* bytes of text, and their CRC-32 */
    uint32_t crc32;
    size_t n_text; /* more than that is cut off: */
    uint8_t text[1 << 20];
};

static inline void decompress_must(bool is_so) {
    if (!is_so) abort();
}

static inline struct decompress_run *decompress_open(void) {
    struct decompress_run *run = calloc(1, sizeof *run);
    decompress_must(run != NULL);
    bm_memory_open(&run->memory, NULL);
    decompress_must(bm_inflate_open(&run->inflate, &run->memory) == BLASTMERGE_OK);
    decompress_must(bm_batch_open(&run->batch, &run->memory) == BLASTMERGE_OK);
    return run;
}

static inline void decompress_close(struct decompress_run *run) {
    bm_inflate_close(run->inflate, &run->memory);
    bm_batch_close(&run->batch, &run->memory);
    decompress_must(run->memory.n_bytes == 0);
    free(run);
}

static inline void decompress_add(struct decompress_run *run) {
    const struct bm_batch *batch = &run->batch;
    decompress_must(!batch->has_trace && (batch->is_compressed || batch->n_trace == 0));
    for (size_t i = 0; i < batch->n_trace; i++)
        decompress_must(batch->trace[i].kind == BM_TRACE_MEMBER &&
                        batch->trace[i].text >= batch->text_offset &&
                        batch->trace[i].text <= bm_batch_end(batch));
    decompress_must(bm_crc32_follow(0, batch->crc_before, batch->crc_after, batch->n_text) ==
                    bm_crc32(0, batch->text, batch->n_text));
    run->is_compressed = batch->is_compressed;
    run->n_all += batch->n_text;
    run->crc32 = bm_crc32_follow(run->crc32, batch->crc_before, batch->crc_after, batch->n_text);
    size_t n = sizeof run->text - run->n_text;
    if (n > batch->n_text) n = batch->n_text;
    memcpy(run->text + run->n_text, batch->text, n);
    run->n_text += n;
}

/* Decodes the data, which comes in pieces of n_piece bytes, up to n_batches batches. late_end: the last step gets no
 * bytes. */
static inline void decompress_run(struct decompress_run *run, const uint8_t *data, size_t n_data,
                                  size_t n_piece, bool late_end, size_t n_batches) {
    size_t at = 0;
    enum bm_step step = BM_STEP_MORE;
    bm_inflate_reset(run->inflate);
    bm_batch_begin(&run->batch, NULL);
    run->n_text = 0;
    run->n_all = 0;
    run->crc32 = 0;
    run->error = (struct blastmerge_error){0};
    while (n_batches > 0) {
        size_t n = n_data - at < n_piece ? n_data - at : n_piece, n_used = 0;
        bool is_last = at + n == n_data && (n == 0 || !late_end);
        step = bm_inflate_step(run->inflate, &run->batch, data + at, n, &n_used, is_last, &run->error);
        at += n_used;
        if (step == BM_STEP_MORE) {
            decompress_must(n_used == n && !is_last);
            continue;
        }
        decompress_add(run);
        if (step != BM_STEP_FULL) break;
        decompress_must(run->batch.n_text == BM_BATCH_TEXT || run->batch.n_trace == BM_BATCH_TRACE);
        bm_batch_begin(&run->batch, &run->batch);
        n_batches--;
    }
    run->is_whole = step == BM_STEP_DONE;
    decompress_must((step == BM_STEP_FAILED) == (run->error.status != BLASTMERGE_OK));
    decompress_must(step != BM_STEP_FAILED || run->error.message[0] != '\0');
}

#endif
