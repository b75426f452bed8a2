/* SPDX-License-Identifier: MIT */
/*
 * Children made of fuzzed bytes, for the targets that merge: parted by two NUL bytes, each with a byte first
 * that says how its text is compressed: 'P' not at all.
 */
#ifndef BM_FUZZ_CHILDREN_H
#define BM_FUZZ_CHILDREN_H

#include <expat.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_CHILDREN = 4 };

struct bytes {
    uint8_t *data;
    size_t n;
};

static inline void require(int condition) {
    if (!condition) abort();
}

static inline struct bytes copy_of(const uint8_t *data, size_t n) {
    struct bytes bytes = {malloc(n + 1), n};
    require(bytes.data != NULL);
    if (n > 0) memcpy(bytes.data, data, n);
    return bytes;
}

/* Memory for one compressor of zlib's, which asks for much of it, again and again. */
static _Alignas(64) uint8_t zlib_room[1 << 19];
static size_t n_zlib_room;

static inline void *take_room(void *context, unsigned n, unsigned size) {
    (void)context;
    uint8_t *taken = zlib_room + n_zlib_room;
    n_zlib_room += ((size_t)n * size + 63) / 64 * 64;
    require(n_zlib_room <= sizeof zlib_room);
    return taken;
}

static inline void leave_room(void *context, void *taken) {
    (void)context;
    (void)taken;
}

/* Adds the text as a gzip member; how: level, strategy and memory. */
static inline void add_member(struct bytes *bytes, const uint8_t *text, size_t n, uint8_t how) {
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    stream.zalloc = take_room;
    stream.zfree = leave_room;
    n_zlib_room = 0;
    require(deflateInit2(&stream, how % 10, Z_DEFLATED, 15 + 16, 1 + how % 9, strategies[how / 10 % 5]) ==
            Z_OK);
    size_t n_bound = deflateBound(&stream, (uLong)n) + 64;
    bytes->data = realloc(bytes->data, bytes->n + n_bound);
    require(bytes->data != NULL);
    stream.next_in = (uint8_t *)(uintptr_t)text;
    stream.avail_in = (uInt)n;
    stream.next_out = bytes->data + bytes->n;
    stream.avail_out = (uInt)n_bound;
    require(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    bytes->n += stream.total_out;
    deflateEnd(&stream);
}

/* The text as one gzip member or, where `how` is 200 or more, as three. */
static inline struct bytes compress_text(const uint8_t *text, size_t n, uint8_t how) {
    struct bytes bytes = {NULL, 0};
    size_t n_members = how < 200 ? 1 : 3;
    for (size_t i = 0; i < n_members; i++) {
        size_t from = n * i / n_members;
        size_t to = n * (i + 1) / n_members;
        add_member(&bytes, text + from, to - from, how);
    }
    return bytes;
}

/* Text of a gzip member that must be whole. */
static inline struct bytes inflate_text(struct bytes zipped, size_t n_text) {
    struct bytes text = {malloc(n_text + 1), n_text};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    require(text.data != NULL && inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = zipped.data;
    stream.avail_in = (uInt)zipped.n;
    stream.next_out = text.data;
    stream.avail_out = (uInt)n_text + 1;
    require(inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == n_text);
    inflateEnd(&stream);
    return text;
}

/* Whether expat takes it. Entities that are not declared it would skip, but blastmerge refuses them before.
 */
static inline int is_well_formed(struct bytes text) {
    static XML_Parser parser;
    if (parser == NULL) parser = XML_ParserCreate(NULL);
    require(parser != NULL && XML_ParserReset(parser, NULL));
    return XML_Parse(parser, (const char *)text.data, (int)text.n, 1) == XML_STATUS_OK;
}

/* Takes the input apart. texts: what each child holds, in the input. */
static inline size_t split_children(const uint8_t *data, size_t size, struct bytes *children,
                                    struct bytes *texts) {
    size_t n_children = 0;
    while (size > 0 && n_children < MAX_CHILDREN) {
        uint8_t how = *data;
        size_t n = 1;
        while (n < size && !(n + 1 < size && data[n] == 0 && data[n + 1] == 0)) n++;
        struct bytes *text = &texts[n_children];
        *text = (struct bytes){(uint8_t *)(uintptr_t)(data + 1), n - 1};
        children[n_children++] =
            how == 'P' ? copy_of(text->data, text->n) : compress_text(text->data, text->n, how);
        n = n + 2 < size ? n + 2 : size;
        data += n;
        size -= n;
    }
    return n_children;
}

#endif
