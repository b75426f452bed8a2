/* SPDX-License-Identifier: MIT */
#include "decompress/internal.h"

#ifndef BLASTMERGE_LIBLZ4
const struct bm_decompress_way *const bm_decompress_lz4 = NULL;
#else

#include <lz4frame.h>
#include <stdio.h>
#include <string.h>

#define FUNCTIONS(EACH)                                                                                      \
    EACH(LZ4F_createDecompressionContext)                                                                    \
    EACH(LZ4F_freeDecompressionContext)                                                                      \
    EACH(LZ4F_decompress)                                                                                    \
    EACH(LZ4F_isError)                                                                                       \
    EACH(LZ4F_getErrorName)

#if defined(__APPLE__)
#define NAMES "liblz4.1.dylib"
#else
#define NAMES "liblz4.so.1"
#define NOTE                                                                                                 \
    "[{\"feature\":\"lz4\",\"description\":\"children that lz4 has compressed\","                            \
    "\"priority\":\"suggested\",\"soname\":[\"liblz4.so.1\"]}]"
#endif
#include "decompress/library.h"

static const struct bm_decompress_way way;

static void *open_decoder(void) {
    LZ4F_dctx *decoder = NULL;
    LZ4F_errorCode_t result = library.LZ4F_createDecompressionContext(&decoder, LZ4F_VERSION);
    return library.LZ4F_isError(result) ? NULL : decoder;
}

static void close_decoder(void *decoder) {
    (void)library.LZ4F_freeDecompressionContext(decoder);
}

/* By the frame's descriptor: blocks of 64 KiB to 4 MiB, one as it comes in and one, with its history, as text. */
static uint64_t need(const uint8_t *head, size_t n_bytes) {
    enum { MAGIC = 4, HISTORY = 128 << 10, REST = 64 << 10 };
    if (n_bytes < MAGIC) return BM_DECOMPRESS_UNKNOWN;
    if (memcmp(head, "\x04\x22\x4d\x18", MAGIC) != 0) return 0;
    if (n_bytes < MAGIC + 2) return BM_DECOMPRESS_UNKNOWN;
    const unsigned size = head[MAGIC + 1] >> 4 & 7;
    return size < 4 ? 0 : 2 * (UINT64_C(1) << (8 + 2 * size)) + HISTORY + REST;
}

/* Names are such as "ERROR_contentChecksum_invalid". */
static enum bm_decompress_outcome fail(size_t result, struct blastmerge_error *error) {
    char reason[96];
    if (strcmp(library.LZ4F_getErrorName(result), "ERROR_frameType_unknown") == 0) {
        (void)bm_fail(
            error, BLASTMERGE_DATA,
            "its lz4 data is in lz4's old format, or something else follows a frame; decompress it first "
            "(lz4 -d)");
        return BM_DECOMPRESS_INVALID;
    }
    snprintf(reason, sizeof reason, "liblz4 says %s", library.LZ4F_getErrorName(result));
    return bm_decompress_damaged(&way, reason, error);
}

static enum bm_decompress_outcome step(void *decoder, struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error) {
    (void)is_last;
    size_t n_in = buffers->n_in, n_out = buffers->n_out;
    size_t result = library.LZ4F_decompress(decoder, buffers->out, &n_out, buffers->in, &n_in, NULL);
    if (library.LZ4F_isError(result)) return fail(result, error);
    buffers->in += n_in;
    buffers->n_in -= n_in;
    buffers->out += n_out;
    buffers->n_out -= n_out;
    return result == 0 ? BM_DECOMPRESS_FRAME_END : BM_DECOMPRESS_GO_ON;
}

static const struct bm_decompress_way way = {.kind = BM_DECOMPRESS_LZ4,
                                             .command = "lz4 -d",
                                             .load = load,
                                             .open = open_decoder,
                                             .close = close_decoder,
                                             .need = need,
                                             .step = step};
const struct bm_decompress_way *const bm_decompress_lz4 = &way;

#endif
