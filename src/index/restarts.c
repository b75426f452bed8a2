/* SPDX-License-Identifier: MIT */
/*
 * Restart points. Inflating can begin at a block's header, if the text is known that the block's matches may copy: up to
 * 32 KiB before it. Where a member begins there is none. That text is kept compressed, as a raw deflate stream.
 */
#include "index/internal.h"
#ifdef BLASTMERGE_SQLITE

enum { LEVEL = 6 };

enum blastmerge_status bm_index_restarts_open(struct bm_index_build *build, struct blastmerge_error *error) {
    build->compressor = libdeflate_alloc_compressor(LEVEL);
    if (build->compressor == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    build->window_size = libdeflate_deflate_compress_bound(build->compressor, BM_WINDOW);
    build->window = bm_allocate(build->memory, build->window_size);
    return build->window == NULL ? bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory") : BLASTMERGE_OK;
}

void bm_index_restarts_close(struct bm_index_build *build) {
    if (build->compressor != NULL) libdeflate_free_compressor(build->compressor);
    bm_release(build->memory, build->window);
    build->compressor = NULL;
    build->window = NULL;
}

bool bm_index_restart_is_due(const struct bm_index_build *build, uint64_t text) {
    return !build->has_restart || text - build->last_restart >= build->settings.distance;
}

enum blastmerge_status bm_index_restart_add(struct bm_index_build *build, uint64_t text, uint64_t bit,
                                            const void *window, size_t n_window,
                                            struct blastmerge_error *error) {
    struct bm_index_restart restart = {.text = text, .bit = bit};
    if (n_window > 0) {
        restart.n_window = libdeflate_deflate_compress(build->compressor, window, n_window, build->window,
                                                       build->window_size);
        restart.window = build->window;
        bm_require(restart.n_window > 0);
    }
    build->has_restart = true;
    build->last_restart = text;
    return bm_index_write_restart(&build->write, &restart, error);
}

enum blastmerge_status bm_index_restarts_take(struct bm_index_build *build, const struct bm_batch *batch,
                                              struct blastmerge_error *error) {
    for (size_t i = 0; batch->has_trace && i < batch->n_trace; i++) {
        const struct bm_trace *trace = &batch->trace[i];
        if (trace->kind == BM_TRACE_MEMBER) build->member_text = trace->text;
        if (trace->kind != BM_TRACE_BLOCK) continue;
        if (!bm_index_restart_is_due(build, trace->text)) continue;
        uint64_t n_before = trace->text - build->member_text;
        if (n_before > BM_WINDOW) n_before = BM_WINDOW;
        const uint8_t *before = bm_batch_at(batch, trace->text - n_before, n_before);
        enum blastmerge_status status =
            bm_index_restart_add(build, trace->text, trace->bit, before, (size_t)n_before, error);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

#endif
