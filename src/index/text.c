/* SPDX-License-Identifier: MIT */
#include "index/text.h"

#ifdef BLASTMERGE_SQLITE
#include "flow/batch.h"

#include <string.h>
#include <zlib.h>

enum {
    INPUT = 32768,
    PASSED = 32768,   /* bytes of text that are passed over at once */
    RAW = -15,        /* zlib's windowBits for deflate data without a frame ... */
    GZIP = 15 + 16,   /* ... and for gzip members */
    TRAILER_BYTES = 8 /* of a gzip member */
};

struct bm_index_text_reader {
    struct bm_memory *memory;
    struct bm_index_bytes *bytes;
    struct bm_index_read *read;
    struct bm_cancel *cancel;
    z_stream stream;
    bool has_stream;
    bool is_known; /* whether it is plain */
    bool is_plain;
    bool is_raw;       /* the current member was entered inside, so its trailer is ours */
    bool is_at_border; /* between two members */
    bool is_placed;    /* `text` is where the stream is */
    uint64_t text;     /* bytes of text before the stream's next one */
    uint64_t position; /* bytes before the next ones to be read */
    uint8_t input[INPUT];
    uint8_t passed[PASSED];
    uint8_t window[BM_WINDOW];
};

/* --- life ---------------------------------------------------------------------------------------- */

static voidpf allocate(voidpf memory, uInt n, uInt size) {
    return bm_allocate(memory, (size_t)n * size);
}

static void release(voidpf memory, voidpf pointer) {
    bm_release(memory, pointer);
}

static enum blastmerge_status fail_stream(const struct bm_index_text_reader *reader, int code,
                                          struct blastmerge_error *error) {
    if (code == Z_MEM_ERROR) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    return bm_fail_at(error, BLASTMERGE_DATA, reader->text,
                      "what its index says is there is no gzip data: the file or its index is damaged");
}

enum blastmerge_status bm_index_text_open(struct bm_index_text_reader **reader, struct bm_memory *memory,
                                          struct bm_index_bytes *bytes, struct bm_index_read *read,
                                          struct bm_cancel *cancel, struct blastmerge_error *error) {
    struct bm_index_text_reader *made = bm_allocate(memory, sizeof *made);
    *reader = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->memory = memory;
    made->bytes = bytes;
    made->read = read;
    made->cancel = cancel;
    made->stream.zalloc = allocate;
    made->stream.zfree = release;
    made->stream.opaque = memory;
    int code = inflateInit2(&made->stream, RAW);
    made->has_stream = code == Z_OK;
    return made->has_stream ? BLASTMERGE_OK : fail_stream(made, code, error);
}

void bm_index_text_close(struct bm_index_text_reader *reader) {
    if (reader == NULL) return;
    if (reader->has_stream) (void)inflateEnd(&reader->stream);
    bm_release(reader->memory, reader);
}

/* --- bytes --------------------------------------------------------------------------------------- */

/* Provides at least one byte of input, unless the file is at its end. */
static enum blastmerge_status fill(struct bm_index_text_reader *reader, struct blastmerge_error *error) {
    size_t n_read = 0;
    size_t n_wanted = INPUT;
    uint64_t limit = reader->bytes->limit;
    if (reader->stream.avail_in > 0) return BLASTMERGE_OK;
    if (limit > reader->position && limit - reader->position < INPUT)
        n_wanted = (size_t)(limit - reader->position);
    if (bm_cancel_is_set(reader->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    enum blastmerge_status status =
        bm_index_bytes_read(reader->bytes, reader->position, reader->input, n_wanted, &n_read, error);
    reader->position += n_read;
    reader->stream.next_in = reader->input;
    reader->stream.avail_in = (uInt)n_read;
    return status;
}

/* Takes a byte of input. *byte -1: there is none. */
static enum blastmerge_status take_byte(struct bm_index_text_reader *reader, int *byte,
                                        struct blastmerge_error *error) {
    enum blastmerge_status status = fill(reader, error);
    *byte = -1;
    if (status != BLASTMERGE_OK || reader->stream.avail_in == 0) return status;
    *byte = *reader->stream.next_in++;
    reader->stream.avail_in--;
    return BLASTMERGE_OK;
}

/* --- places -------------------------------------------------------------------------------------- */

/* The text before a restart point. */
static enum blastmerge_status set_window(struct bm_index_text_reader *reader,
                                         const struct bm_index_start *start, struct blastmerge_error *error) {
    z_stream *stream = &reader->stream;
    if (start->n_window == 0) return BLASTMERGE_OK;
    stream->next_in = (Bytef *)(uintptr_t)start->window;
    stream->avail_in = (uInt)start->n_window;
    stream->next_out = reader->window;
    stream->avail_out = BM_WINDOW;
    int code = inflate(stream, Z_FINISH);
    size_t n_window = BM_WINDOW - stream->avail_out;
    stream->avail_in = 0;
    if (code != Z_STREAM_END) return fail_stream(reader, Z_DATA_ERROR, error);
    code = inflateReset2(stream, RAW);
    if (code == Z_OK) code = inflateSetDictionary(stream, reader->window, (uInt)n_window);
    return code == Z_OK ? BLASTMERGE_OK : fail_stream(reader, code, error);
}

/* Goes to a restart point. */
static enum blastmerge_status enter(struct bm_index_text_reader *reader, const struct bm_index_start *start,
                                    struct blastmerge_error *error) {
    const int n_bits = (int)(start->bit & 7);
    int byte = 0;
    reader->is_placed = false;
    int code = inflateReset2(&reader->stream, RAW);
    if (code != Z_OK) return fail_stream(reader, code, error);
    enum blastmerge_status status = set_window(reader, start, error);
    if (status != BLASTMERGE_OK) return status;
    reader->stream.avail_in = 0;
    reader->position = start->bit >> 3;
    reader->text = start->text;
    if (n_bits > 0) {
        status = take_byte(reader, &byte, error);
        if (status != BLASTMERGE_OK) return status;
        code = byte < 0 ? Z_DATA_ERROR : inflatePrime(&reader->stream, 8 - n_bits, byte >> n_bits);
        if (code != Z_OK) return fail_stream(reader, code, error);
    }
    reader->is_raw = true;
    reader->is_at_border = false;
    reader->is_placed = true;
    return BLASTMERGE_OK;
}

/* The best place to come to the offset from: the one that the stream is at, or a restart point. */
static enum blastmerge_status approach(struct bm_index_text_reader *reader, uint64_t offset, uint64_t end,
                                       struct blastmerge_error *error) {
    struct bm_index_start start;
    bool has_start = false;
    if (reader->is_placed && reader->text == offset) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_index_read_start(reader->read, offset, &start, &has_start, error);
    if (status != BLASTMERGE_OK) return status;
    if (!has_start) return fail_stream(reader, Z_DATA_ERROR, error);
    status = bm_index_read_bound(reader->read, end, &reader->bytes->limit, error);
    if (status != BLASTMERGE_OK) return status;
    bool is_on_the_way = reader->is_placed && reader->text <= offset && reader->text >= start.text;
    return is_on_the_way ? BLASTMERGE_OK : enter(reader, &start, error);
}

/* --- text ---------------------------------------------------------------------------------------- */

/* Behind a member: its trailer, if that has not been read, and zero bytes. Then another member, or the end. */
static enum blastmerge_status begin_member(struct bm_index_text_reader *reader,
                                           struct blastmerge_error *error) {
    int byte = 0;
    for (int i = 0; reader->is_raw && i < TRAILER_BYTES; i++) {
        enum blastmerge_status status = take_byte(reader, &byte, error);
        if (status != BLASTMERGE_OK) return status;
    }
    reader->is_raw = false;
    do {
        enum blastmerge_status status = take_byte(reader, &byte, error);
        if (status != BLASTMERGE_OK) return status;
    } while (byte == 0);
    if (byte < 0)
        return fail_stream(reader, Z_DATA_ERROR, error); /* text was wanted that the file does not have */
    reader->stream.next_in--;
    reader->stream.avail_in++;
    reader->is_at_border = false;
    int code = inflateReset2(&reader->stream, GZIP);
    return code == Z_OK ? BLASTMERGE_OK : fail_stream(reader, code, error);
}

static enum blastmerge_status inflate_text(struct bm_index_text_reader *reader, uint8_t *text, size_t n_bytes,
                                           struct blastmerge_error *error) {
    z_stream *stream = &reader->stream;
    stream->next_out = text;
    stream->avail_out = (uInt)n_bytes;
    while (stream->avail_out > 0) {
        enum blastmerge_status status = reader->is_at_border ? begin_member(reader, error) : BLASTMERGE_OK;
        if (status == BLASTMERGE_OK) status = fill(reader, error);
        if (status != BLASTMERGE_OK) return status;
        bool is_at_end = stream->avail_in == 0;
        size_t n_before = stream->avail_out;
        int code = inflate(stream, Z_NO_FLUSH);
        reader->text += n_before - stream->avail_out;
        reader->is_at_border = code == Z_STREAM_END;
        bool can_go_on = code == Z_OK || code == Z_STREAM_END || (code == Z_BUF_ERROR && !is_at_end);
        if (!can_go_on || (is_at_end && code != Z_STREAM_END && n_before == stream->avail_out))
            return fail_stream(reader, code == Z_MEM_ERROR ? code : Z_DATA_ERROR, error);
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status read_plain(struct bm_index_text_reader *reader, uint64_t offset, void *text,
                                         size_t n_bytes, struct blastmerge_error *error) {
    size_t n_read = 0;
    if (bm_cancel_is_set(reader->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    enum blastmerge_status status = bm_index_bytes_read(reader->bytes, offset, text, n_bytes, &n_read, error);
    if (status != BLASTMERGE_OK || n_read == n_bytes) return status;
    return bm_fail_at(error, BLASTMERGE_DATA, offset,
                      "its index says that there is text behind its end: the file or its index is damaged");
}

/* At most that much at once, as zlib counts in 32 bits. */
static enum blastmerge_status read_gzip(struct bm_index_text_reader *reader, uint64_t offset, uint8_t *text,
                                        size_t n_bytes, struct blastmerge_error *error) {
    const size_t most = (size_t)1 << 30;
    enum blastmerge_status status = approach(reader, offset, offset + n_bytes, error);
    while (status == BLASTMERGE_OK && reader->text < offset) {
        uint64_t n = offset - reader->text;
        status = inflate_text(reader, reader->passed, n < PASSED ? (size_t)n : PASSED, error);
    }
    while (status == BLASTMERGE_OK && n_bytes > 0) {
        size_t n = n_bytes < most ? n_bytes : most;
        status = inflate_text(reader, text, n, error);
        text += n;
        n_bytes -= n;
    }
    if (status != BLASTMERGE_OK) reader->is_placed = false;
    return status;
}

enum blastmerge_status bm_index_text_read(struct bm_index_text_reader *reader, uint64_t offset, void *text,
                                          size_t n_bytes, struct blastmerge_error *error) {
    if (n_bytes == 0) return BLASTMERGE_OK;
    if (!reader->is_known) { /* gzip data has restart points, the first where its first block begins */
        struct bm_index_start start;
        bool has_start = false;
        enum blastmerge_status status = bm_index_read_start(reader->read, offset, &start, &has_start, error);
        if (status != BLASTMERGE_OK) return status;
        reader->is_plain = !has_start;
        reader->is_known = true;
    }
    return reader->is_plain ? read_plain(reader, offset, text, n_bytes, error)
                            : read_gzip(reader, offset, text, n_bytes, error);
}

#endif
