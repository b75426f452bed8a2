/* SPDX-License-Identifier: MIT */
#include "decompress/internal.h"

#ifndef BLASTMERGE_BZIP2
const struct bm_decompress_way *const bm_decompress_bzip2 = NULL;
#else

#include <bzlib.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(EACH)                                                                                      \
    EACH(BZ2_bzDecompressInit)                                                                               \
    EACH(BZ2_bzDecompress)                                                                                   \
    EACH(BZ2_bzDecompressEnd)

#if defined(__APPLE__)
#define NAMES "libbz2.1.0.dylib", "libbz2.dylib"
#else
#define NAMES "libbz2.so.1.0", "libbz2.so.1"
#define NOTE                                                                                                 \
    "[{\"feature\":\"bzip2\",\"description\":\"children that bzip2 has compressed\","                        \
    "\"priority\":\"suggested\",\"soname\":[\"libbz2.so.1.0\",\"libbz2.so.1\"]}]"
#endif
#include "decompress/library.h"

static const struct bm_decompress_way way;

/* libbzip2 decodes one stream. So a decoder is opened for each. */
struct decoder {
    bz_stream stream;
    bool is_open;
};

static void *open_decoder(void) {
    return calloc(1, sizeof(struct decoder));
}

static void end_stream(struct decoder *decoder) {
    if (decoder->is_open) (void)library.BZ2_bzDecompressEnd(&decoder->stream);
    decoder->is_open = false;
}

static void close_decoder(void *decoder) {
    end_stream(decoder);
    free(decoder);
}

/* The level is the fourth byte: four bytes for each one of a block of as many hundred thousand. */
static uint64_t need(const uint8_t *head, size_t n_bytes) {
    enum { LEVEL = 3, OF_LEVEL = 400000, REST = 128 << 10 };
    if (n_bytes <= LEVEL) return BM_DECOMPRESS_UNKNOWN;
    bool is_level = head[LEVEL] >= '1' && head[LEVEL] <= '9';
    return is_level ? (uint64_t)(head[LEVEL] - '0') * OF_LEVEL + REST : 0;
}

static enum bm_decompress_outcome fail(int result, struct blastmerge_error *error) {
    if (result == BZ_MEM_ERROR) {
        (void)bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        return BM_DECOMPRESS_INVALID;
    }
    return bm_decompress_damaged(&way,
                                 result == BZ_DATA_ERROR_MAGIC
                                     ? "what follows a stream of bzip2 is not another one"
                                     : "it cannot be decoded, or a checksum fails",
                                 error);
}

static enum bm_decompress_outcome step(void *opened, struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error) {
    (void)is_last;
    enum { MOST = 1 << 30 }; /* counts are unsigned int */
    struct decoder *decoder = opened;
    bz_stream *stream = &decoder->stream;
    if (!decoder->is_open) {
        memset(stream, 0, sizeof *stream);
        int result = library.BZ2_bzDecompressInit(stream, 0, 0);
        if (result != BZ_OK) return fail(result, error);
        decoder->is_open = true;
    }
    const unsigned n_in = buffers->n_in < MOST ? (unsigned)buffers->n_in : MOST;
    const unsigned n_out = buffers->n_out < MOST ? (unsigned)buffers->n_out : MOST;
    stream->next_in = (char *)(uintptr_t)buffers->in; /* which it does not write to */
    stream->avail_in = n_in;
    stream->next_out = (char *)buffers->out;
    stream->avail_out = n_out;
    int result = library.BZ2_bzDecompress(stream);
    buffers->in += n_in - stream->avail_in;
    buffers->n_in -= n_in - stream->avail_in;
    buffers->out += n_out - stream->avail_out;
    buffers->n_out -= n_out - stream->avail_out;
    if (result == BZ_OK) return BM_DECOMPRESS_GO_ON;
    if (result != BZ_STREAM_END) return fail(result, error);
    end_stream(decoder);
    return BM_DECOMPRESS_FRAME_END;
}

static const struct bm_decompress_way way = {.kind = BM_DECOMPRESS_BZIP2,
                                             .command = "bunzip2",
                                             .load = load,
                                             .open = open_decoder,
                                             .close = close_decoder,
                                             .need = need,
                                             .step = step};
const struct bm_decompress_way *const bm_decompress_bzip2 = &way;

#endif
