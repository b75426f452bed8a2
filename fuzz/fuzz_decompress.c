/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing what reads zstd, xz, bzip2 and lz4, with libFuzzer: scripts/fuzz 60 decompress.
 *
 * The first byte chooses the split, the others are the child. In any other split the verdict and the text are the same; the
 * library is asked nothing more.
 */
#include "decompress/decompress.h"
#include "decompress_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

enum { MOST_BATCHES = 8 };

static struct decompress_run *whole, *split;

static void close_runs(void) {
    decompress_close(whole);
    decompress_close(split);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    if (whole == NULL) {
        whole = decompress_open();
        split = decompress_open();
        decompress_must(atexit(close_runs) == 0);
    }
    if (n_data < 1 || bm_decompress_look(data + 1, n_data - 1) == BM_DECOMPRESS_NONE) return 0;
    decompress_run(whole, data + 1, n_data - 1, SIZE_MAX, false, MOST_BATCHES);
    decompress_run(split, data + 1, n_data - 1, 1 + (size_t)(data[0] >> 1), (data[0] & 1) != 0, MOST_BATCHES);
    decompress_must(whole->is_whole == split->is_whole);
    decompress_must(!whole->is_whole || whole->n_text == split->n_text);
    size_t n = whole->n_text < split->n_text ? whole->n_text : split->n_text;
    decompress_must(memcmp(whole->text, split->text, n) == 0);
    return 0;
}
