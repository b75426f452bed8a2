/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing inflate against zlib and the tests' slow decoder, with libFuzzer: scripts/fuzz 60 inflate.
 *
 * The first four bytes choose how the input is split, the others are a gzip stream. Blind changes
 * hardly ever get past a CRC or a code that is not complete; so half of the changes are made here: the
 * trailers are put right, or the stream is replaced by one that zlib makes from the bytes as text.
 */
#include "decompress/decompress.h"
#include "inflate_check.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t n_data, size_t n_room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n_data, size_t n_room, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

enum { SPLIT_BYTES = 4, LARGEST_TEXT = 300000 };

static struct checker checker;

/* Whether the first member alone holds more text than is worth the time. */
static bool is_too_long(const uint8_t *data, size_t n_data) {
    static uint8_t text[LARGEST_TEXT];
    z_stream *stream = &checker.stream;
    CHECK(inflateReset(stream) == Z_OK);
    stream->next_in = data;
    stream->avail_in = (uInt)n_data;
    stream->next_out = text;
    stream->avail_out = sizeof text;
    (void)inflate(stream, Z_NO_FLUSH);
    return stream->avail_out == 0;
}

static void close_checker(void) {
    checker_close(&checker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    if (checker.inflate == NULL) {
        checker_open(&checker);
        CHECK(atexit(close_checker) == 0);
    }
    if (n_data < SPLIT_BYTES + 2) return 0;
    const uint8_t *stream = data + SPLIT_BYTES;
    n_data -= SPLIT_BYTES;
    const struct split splits[2] = {
        {1 + (size_t)data[0], 0, (data[1] & 1) != 0, true},
        {0, (uint64_t)data[1] << 16 | (uint64_t)data[2] << 8 | data[3], false, false}};
    if (stream[0] == 0x1f && stream[1] == 0x8b) {
        if (is_too_long(stream, n_data)) return 0;
        (void)check_gzip(&checker, stream, n_data, splits, 2);
        return 0;
    }
    if (bm_decompress_look(stream, n_data) != BM_DECOMPRESS_NONE) return 0; /* see fuzz_decompress.c */
    const struct outcome *own = &checker.own;
    own_decode(&checker, stream, n_data, splits[data[1] & 1], &checker.own, NULL);
    CHECK(own->verdict == SLOW_WHOLE && own->n_text == n_data);
    CHECK(memcmp(own->text, stream, n_data) == 0);
    return 0;
}

/* Puts the trailer right of the member that is wrong, if its deflate data ends. */
static size_t mend(uint8_t *data, size_t n_data, size_t n_room) {
    static struct slow slow;
    if (n_data < 18 || data[0] != 0x1f || data[1] != 0x8b || is_too_long(data, n_data)) return n_data;
    slow_decode(&slow, data, n_data);
    const size_t n_text = slow.n_text - slow.member_text;
    if (slow.verdict == SLOW_WHOLE || slow.n_events == 0) return n_data;
    const struct bm_trace *last = &slow.events[slow.n_events - 1];
    const size_t end = (size_t)((last->bit + last->n_bits + 7) >> 3) + 8;
    if (last->kind != BM_TRACE_END || end > n_room) return n_data;
    bm_store32(data + end - 8, slow_crc(slow.text + slow.member_text, n_text));
    bm_store32(data + end - 4, (uint32_t)n_text);
    return n_data < end || n_data <= end + 64 ? end : n_data;
}

/* Makes a stream of the bytes, with settings drawn from seed. */
static size_t make_stream(uint8_t *data, size_t n_data, size_t n_room, unsigned seed) {
    static uint8_t buffer[1 << 16];
    z_stream stream = {0};
    int level = (int)(seed % 10), window_bits = 9 + (int)(seed / 10 % 7),
        memory_level = 1 + (int)(seed / 70 % 9);
    if (n_room > sizeof buffer) n_room = sizeof buffer;
    if (deflateInit2(&stream, level, Z_DEFLATED, 16 + window_bits, memory_level, (int)(seed / 630 % 5)) !=
        Z_OK) {
        return n_data;
    }
    stream.next_in = data;
    stream.avail_in = (uInt)(n_data / 2);
    stream.next_out = buffer;
    stream.avail_out = (uInt)n_room;
    int result = deflate(&stream, (int)(seed / 3150 % 4));
    stream.avail_in += (uInt)(n_data - n_data / 2);
    if (result == Z_OK) result = deflate(&stream, Z_FINISH);
    size_t n_made = stream.total_out;
    deflateEnd(&stream);
    if (result != Z_STREAM_END) return n_data;
    memcpy(data, buffer, n_made);
    return n_made;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n_data, size_t n_room, unsigned seed) {
    unsigned choice = seed >> 8 & 15;
    if (n_data > SPLIT_BYTES && n_room > SPLIT_BYTES + 64 && choice == 0) {
        return SPLIT_BYTES +
               make_stream(data + SPLIT_BYTES, n_data - SPLIT_BYTES, n_room - SPLIT_BYTES, seed >> 12);
    }
    n_data = LLVMFuzzerMutate(data, n_data, n_room);
    if (choice < 8 && n_data > SPLIT_BYTES) {
        return SPLIT_BYTES + mend(data + SPLIT_BYTES, n_data - SPLIT_BYTES, n_room - SPLIT_BYTES);
    }
    return n_data;
}
