/* SPDX-License-Identifier: MIT */
#include "decompress/internal.h"

#ifndef BLASTMERGE_ZSTD
const struct bm_decompress_way *const bm_decompress_zstd = NULL;
#else

#include "base/dlopen.h"

#include <stdio.h>
#include <zstd.h>
#include <zstd_errors.h>

#define FUNCTIONS(EACH)                                                                                      \
    EACH(ZSTD_createDCtx)                                                                                    \
    EACH(ZSTD_freeDCtx)                                                                                      \
    EACH(ZSTD_DCtx_setParameter)                                                                             \
    EACH(ZSTD_decompressStream)                                                                              \
    EACH(ZSTD_isError)                                                                                       \
    EACH(ZSTD_getErrorCode)                                                                                  \
    EACH(ZSTD_getErrorName)
#define POINTER(function) __typeof__(function) *function;
#define SYMBOL(function)  {#function, &library.function},

#if defined(__APPLE__)
static const char *const names[] = {"libzstd.1.dylib", NULL};
#else
static const char *const names[] = {"libzstd.so.1", NULL};
BM_DLOPEN_NOTE("[{\"feature\":\"zstd\",\"description\":\"children that zstd has compressed\","
               "\"priority\":\"suggested\",\"soname\":[\"libzstd.so.1\"]}]");
#endif

static struct { FUNCTIONS(POINTER) } library;

static const struct bm_dlopen_symbol symbols[] = {FUNCTIONS(SYMBOL){NULL, NULL}};

static const struct bm_decompress_way way;

static bool load(char *reason, size_t size) {
    return bm_dlopen(names, symbols, reason, size);
}

enum { WINDOW_LOG = 27 };
_Static_assert(1 << WINDOW_LOG == (int)BM_DECOMPRESS_MOST_WINDOW, "the same limit");

static void *open_decoder(void) {
    ZSTD_DCtx *decoder = library.ZSTD_createDCtx();
    if (decoder == NULL) return NULL;
    size_t result = library.ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, WINDOW_LOG);
    bm_require(!library.ZSTD_isError(result));
    return decoder;
}

static void close_decoder(void *decoder) {
    (void)library.ZSTD_freeDCtx(decoder);
}

static enum bm_decompress_outcome fail(size_t result, struct blastmerge_error *error) {
    switch (library.ZSTD_getErrorCode(result)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return bm_decompress_too_large(&way, error);
    case ZSTD_error_memory_allocation:
        (void)bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        return BM_DECOMPRESS_INVALID;
    case ZSTD_error_dictionary_wrong:
        (void)bm_fail(error, BLASTMERGE_USAGE,
                      "its zstd data needs the dictionary that it was compressed with; decompress it first "
                      "(zstd -d -D)");
        return BM_DECOMPRESS_INVALID;
    default:
        return bm_decompress_damaged(&way, library.ZSTD_getErrorName(result), error);
    }
}

static enum bm_decompress_outcome step(void *decoder, struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error) {
    (void)is_last;
    ZSTD_inBuffer in = {buffers->in, buffers->n_in, 0};
    ZSTD_outBuffer out = {buffers->out, buffers->n_out, 0};
    size_t result = library.ZSTD_decompressStream(decoder, &out, &in);
    buffers->in += in.pos;
    buffers->n_in -= in.pos;
    buffers->out += out.pos;
    buffers->n_out -= out.pos;
    if (library.ZSTD_isError(result)) return fail(result, error);
    return result == 0 ? BM_DECOMPRESS_FRAME_END : BM_DECOMPRESS_GO_ON;
}

static const struct bm_decompress_way way = {.name = "zstd",
                                             .command = "zstd -d",
                                             .load = load,
                                             .open = open_decoder,
                                             .close = close_decoder,
                                             .step = step};
const struct bm_decompress_way *const bm_decompress_zstd = &way;

#endif
