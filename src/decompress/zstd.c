/* SPDX-License-Identifier: MIT */
#include "decompress/internal.h"

#ifndef BLASTMERGE_LIBZSTD
const struct bm_decompress_way *const bm_decompress_zstd = NULL;
#else

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define FUNCTIONS(EACH)                                                                                      \
    EACH(ZSTD_createDCtx)                                                                                    \
    EACH(ZSTD_freeDCtx)                                                                                      \
    EACH(ZSTD_DCtx_setParameter)                                                                             \
    EACH(ZSTD_decompressStream)                                                                              \
    EACH(ZSTD_getFrameContentSize)                                                                           \
    EACH(ZSTD_isError)                                                                                       \
    EACH(ZSTD_getErrorCode)                                                                                  \
    EACH(ZSTD_getErrorName)

#if defined(__APPLE__)
#define NAMES "libzstd.1.dylib"
#else
#define NAMES "libzstd.so.1"
#define NOTE                                                                                                 \
    "[{\"feature\":\"zstd\",\"description\":\"children that zstd has compressed\","                          \
    "\"priority\":\"suggested\",\"soname\":[\"libzstd.so.1\"]}]"
#endif
#include "decompress/library.h"

static const struct bm_decompress_way way;

enum { WINDOW_LOG = 27, LONGEST_HEADER = BM_DECOMPRESS_HEAD };
_Static_assert(1 << WINDOW_LOG == (int)BM_DECOMPRESS_MOST_WINDOW, "the same limit");

/* libzstd does not compare a frame's length with what its header says, if the frame comes in pieces. */
struct decoder {
    ZSTD_DCtx *context;
    uint64_t n_text; /* of the current frame */
    size_t n_header; /* bytes of that frame that were kept: */
    uint8_t header[LONGEST_HEADER];
};

static void *open_decoder(void) {
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL) return NULL;
    decoder->context = library.ZSTD_createDCtx();
    if (decoder->context == NULL) {
        free(decoder);
        return NULL;
    }
    size_t result = library.ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax, WINDOW_LOG);
    bm_require(!library.ZSTD_isError(result));
    return decoder;
}

static void close_decoder(void *opened) {
    struct decoder *decoder = opened;
    (void)library.ZSTD_freeDCtx(decoder->context);
    free(decoder);
}

/* By the frame's header: RFC 8878, 3.1.1.1. A window that is larger than the least one is kept, with a block of output, in
 * a ring; the decoder itself and its blocks take less than REST. */
static uint64_t need(const uint8_t *head, size_t n_bytes) {
    enum { MAGIC = 4, LEAST_WINDOW = 1 << 10, REST = 640 << 10, SINGLE_SEGMENT = 1 << 5 };
    static const uint8_t n_of_id[] = {0, 1, 2, 4}, n_of_size[] = {0, 2, 4, 8};
    if (n_bytes < MAGIC) return BM_DECOMPRESS_UNKNOWN;
    if (memcmp(head, "\x28\xb5\x2f\xfd", MAGIC) != 0) return 0;
    if (n_bytes == MAGIC) return BM_DECOMPRESS_UNKNOWN;
    const uint8_t descriptor = head[MAGIC];
    bool is_single = (descriptor & SINGLE_SEGMENT) != 0;
    size_t n_size = is_single && descriptor >> 6 == 0 ? 1 : n_of_size[descriptor >> 6];
    size_t size_at = MAGIC + 1 + (size_t)(is_single ? 0 : 1) + n_of_id[descriptor & 3];
    if (n_bytes < size_at + n_size) return BM_DECOMPRESS_UNKNOWN;
    uint64_t window = 0;
    if (is_single)
        for (size_t i = n_size; i > 0; i--) window = window << 8 | head[size_at + i - 1];
    else
        window = (UINT64_C(1) << (10 + (head[MAGIC + 1] >> 3))) / 8 * (8 + (head[MAGIC + 1] & 7));
    if (is_single && n_size == 2) window += 256;
    if (window < LEAST_WINDOW) window = LEAST_WINDOW;
    return window > UINT64_MAX - REST - 1 ? UINT64_MAX - 1 : window + REST;
}

static enum bm_decompress_outcome fail(size_t result, struct blastmerge_error *error) {
    switch (library.ZSTD_getErrorCode(result)) {
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

/* Counts what was taken and made of the current frame. */
static void count(struct decoder *decoder, const uint8_t *taken, size_t n_taken, size_t n_text) {
    size_t n = LONGEST_HEADER - decoder->n_header;
    if (n > n_taken) n = n_taken;
    if (n > 0) memcpy(decoder->header + decoder->n_header, taken, n);
    decoder->n_header += n;
    decoder->n_text += n_text;
}

static enum bm_decompress_outcome end_frame(struct decoder *decoder, struct blastmerge_error *error) {
    unsigned long long size = library.ZSTD_getFrameContentSize(decoder->header, decoder->n_header);
    bool is_known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
    if (is_known && size != decoder->n_text)
        return bm_decompress_damaged(&way, "a frame's text is not as long as its header says", error);
    decoder->n_header = 0;
    decoder->n_text = 0;
    return BM_DECOMPRESS_FRAME_END;
}

static enum bm_decompress_outcome step(void *opened, struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error) {
    (void)is_last;
    struct decoder *decoder = opened;
    ZSTD_inBuffer in = {buffers->in, buffers->n_in, 0};
    ZSTD_outBuffer out = {buffers->out, buffers->n_out, 0};
    size_t result = library.ZSTD_decompressStream(decoder->context, &out, &in);
    count(decoder, buffers->in, in.pos, out.pos);
    buffers->in += in.pos;
    buffers->n_in -= in.pos;
    buffers->out += out.pos;
    buffers->n_out -= out.pos;
    if (library.ZSTD_isError(result)) return fail(result, error);
    return result == 0 ? end_frame(decoder, error) : BM_DECOMPRESS_GO_ON;
}

static const struct bm_decompress_way way = {.kind = BM_DECOMPRESS_ZSTD,
                                             .command = "zstd -d",
                                             .load = load,
                                             .open = open_decoder,
                                             .close = close_decoder,
                                             .need = need,
                                             .step = step};
const struct bm_decompress_way *const bm_decompress_zstd = &way;

#endif
