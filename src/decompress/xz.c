/* SPDX-License-Identifier: MIT */
#include "decompress/internal.h"

#ifndef BLASTMERGE_LIBLZMA
const struct bm_decompress_way *const bm_decompress_xz = NULL;
#else

#include <lzma.h>
#include <stdlib.h>

#define FUNCTIONS(EACH)                                                                                      \
    EACH(lzma_stream_decoder)                                                                                \
    EACH(lzma_code)                                                                                          \
    EACH(lzma_memusage)                                                                                      \
    EACH(lzma_memlimit_set)                                                                                  \
    EACH(lzma_end)

#if defined(__APPLE__)
#define NAMES "liblzma.5.dylib"
#else
#define NAMES "liblzma.so.5"
#define NOTE                                                                                                 \
    "[{\"feature\":\"xz\",\"description\":\"children that xz has compressed\","                              \
    "\"priority\":\"suggested\",\"soname\":[\"liblzma.so.5\"]}]"
#endif
#include "decompress/library.h"

static const struct bm_decompress_way way;

static void *open_decoder(void) {
    lzma_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    enum { NOTHING_YET = 1 }; /* byte; what it needs is allowed when it says so */
    lzma_ret result =
        library.lzma_stream_decoder(stream, NOTHING_YET, LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK);
    if (result == LZMA_OK) return stream;
    free(stream);
    return NULL;
}

static void close_decoder(void *stream) {
    library.lzma_end(stream);
    free(stream);
}

static enum bm_decompress_outcome fail(lzma_ret result, struct blastmerge_error *error) {
    switch (result) {
    case LZMA_MEM_ERROR:
        (void)bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        return BM_DECOMPRESS_INVALID;
    case LZMA_UNSUPPORTED_CHECK:
        (void)bm_fail(error, BLASTMERGE_USAGE,
                      "its xz data has a checksum of a kind that this liblzma cannot check; decompress it "
                      "first (xz -d)");
        return BM_DECOMPRESS_INVALID;
    case LZMA_OPTIONS_ERROR:
        return bm_decompress_damaged(&way, "its headers ask for what xz does not have", error);
    case LZMA_FORMAT_ERROR:
        return bm_decompress_damaged(&way, "what follows a stream of xz is not another one", error);
    default:
        return bm_decompress_damaged(&way, "it cannot be decoded, or a checksum fails", error);
    }
}

static uint64_t need_now(void *stream) {
    return library.lzma_memusage(stream);
}

static void allow(void *stream, uint64_t n_bytes) {
    bm_require(library.lzma_memlimit_set(stream, n_bytes) == LZMA_OK);
}

/* Only when it is told that no more input comes does liblzma say whether a stream was the last one. It says
 * LZMA_BUF_ERROR where it could do nothing, which is no error. */
static enum bm_decompress_outcome step(void *decoder, struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error) {
    lzma_stream *stream = decoder;
    stream->next_in = buffers->in;
    stream->avail_in = buffers->n_in;
    stream->next_out = buffers->out;
    stream->avail_out = buffers->n_out;
    lzma_ret result = library.lzma_code(stream, is_last ? LZMA_FINISH : LZMA_RUN);
    buffers->in = stream->next_in;
    buffers->n_in = stream->avail_in;
    buffers->out = stream->next_out;
    buffers->n_out = stream->avail_out;
    if (result == LZMA_STREAM_END) return BM_DECOMPRESS_ALL_END;
    if (result == LZMA_MEMLIMIT_ERROR) return BM_DECOMPRESS_NEEDS;
    return result == LZMA_OK || result == LZMA_BUF_ERROR ? BM_DECOMPRESS_GO_ON : fail(result, error);
}

static const struct bm_decompress_way way = {.kind = BM_DECOMPRESS_XZ,
                                             .command = "xz -d",
                                             .tells_end = true,
                                             .load = load,
                                             .open = open_decoder,
                                             .close = close_decoder,
                                             .need_now = need_now,
                                             .allow = allow,
                                             .step = step};
const struct bm_decompress_way *const bm_decompress_xz = &way;

#endif
