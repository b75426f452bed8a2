/* SPDX-License-Identifier: MIT */
/*
 * Children made of fuzzed bytes, for the targets that merge: parted by two NUL bytes, each with a byte first
 * that says how its text is compressed: 'P' not at all.
 */
#ifndef BM_FUZZ_CHILDREN_H
#define BM_FUZZ_CHILDREN_H

#include "blastmerge.h"
#include "number/number.h"
#include "zlib_room.h"

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

/* A child can need a dictionary, or more memory than there may be, to be decompressed. */
static inline int must_be_decompressed_first(const struct blastmerge_job *job) {
    return strstr(blastmerge_error(job)->message, "decompress it first") != NULL;
}

/* A zero byte follows. */
static inline struct bytes copy_of(const uint8_t *data, size_t n) {
    struct bytes bytes = {malloc(n + 1), n};
    require(bytes.data != NULL);
    if (n > 0) memcpy(bytes.data, data, n);
    bytes.data[n] = 0;
    return bytes;
}

/* Adds the text as a gzip member; how: level, strategy and memory. */
static inline void add_member(struct bytes *bytes, const uint8_t *text, size_t n, uint8_t how) {
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    zlib_room_enter(&stream);
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

/* Text of a gzip member that must be whole; a zero byte follows. */
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
    text.data[n_text] = 0;
    return text;
}

/* The text of BGZF, whose members all say how long they are and hold 65280 bytes each, the last but one
 * perhaps fewer, and the last one none. */
static inline struct bytes inflate_bgzf(struct bytes data, uint64_t n_text) {
    struct bytes text = {malloc(n_text + 1), 0};
    size_t n_last = 65280;
    require(text.data != NULL);
    while (data.n > 0) {
        require(data.n >= 28 && memcmp(data.data, "\x1f\x8b\x08\4\0\0\0\0\0\xff\6\0BC\2\0", 16) == 0);
        size_t n_member = (data.data[16] | (size_t)data.data[17] << 8) + 1;
        require(n_member <= data.n);
        const uint8_t *end = data.data + n_member;
        size_t n_part = end[-4] | (size_t)end[-3] << 8;
        require(n_part <= n_text - text.n && (n_last == 65280 || n_part == 0));
        struct bytes part = inflate_text((struct bytes){data.data, n_member}, n_part);
        memcpy(text.data + text.n, part.data, n_part);
        free(part.data);
        text.n += n_part;
        n_last = n_part;
        data.data += n_member;
        data.n -= n_member;
    }
    require(n_last == 0);
    text.data[text.n] = 0;
    return text;
}

/* --- merges -------------------------------------------------------------------------------------- */

/* How a result is written, which its text does not depend on. */
struct way {
    int level;
    enum blastmerge_form form;
    unsigned n_threads;
};

static const struct way plain_way = {0, BLASTMERGE_FORM_PLAIN, 1};

/* Options by a way and the lower six bits of a byte. */
static inline void set_options(struct blastmerge_options *options, uint8_t flags, struct way way) {
    blastmerge_options_init(options, sizeof *options);
    options->level = way.level;
    options->form = way.form;
    options->n_threads = way.n_threads;
    options->keep_database = flags & 1;
    options->allow_empty = flags >> 1 & 1;
    options->mismatch = (enum blastmerge_mismatch)(flags >> 2 & 3);
    options->invalid_utf8 = (enum blastmerge_invalid_utf8)((flags >> 4 & 3) % 3);
    options->forbidden_characters = (flags >> 4 & 3) == 0   ? BLASTMERGE_FORBIDDEN_ERROR
                                    : (flags >> 4 & 3) == 2 ? BLASTMERGE_FORBIDDEN_KEEP
                                                            : BLASTMERGE_FORBIDDEN_REPLACE;
}

static inline struct blastmerge_job *make_job(const struct blastmerge_options *options,
                                              const struct bytes *children, size_t n_children) {
    struct blastmerge_job *job = NULL;
    require(blastmerge_create(&job, options) == BLASTMERGE_OK);
    for (size_t i = 0; i < n_children; i++)
        require(blastmerge_add_memory(job, "child", children[i].data, children[i].n) == BLASTMERGE_OK);
    return job;
}

/* The merged text, which is what the report says of it, with a zero byte behind it; none unless there is a
 * result. */
static inline enum blastmerge_status run_job(struct blastmerge_job *job, enum blastmerge_form form,
                                             struct bytes *text) {
    void *data = NULL;
    size_t n = 0;
    enum blastmerge_status status = blastmerge_to_buffer(job, &data, &n);
    const struct blastmerge_report *report = blastmerge_report(job);
    *text = (struct bytes){NULL, 0};
    if (status != BLASTMERGE_OK && status != BLASTMERGE_SALVAGED) return status;
    require(n == report->output_bytes);
    if (form == BLASTMERGE_FORM_PLAIN) *text = copy_of(data, n);
    if (form == BLASTMERGE_FORM_GZIP)
        *text = inflate_text((struct bytes){data, n}, report->output_text_bytes);
    if (form == BLASTMERGE_FORM_BGZF)
        *text = inflate_bgzf((struct bytes){data, n}, report->output_text_bytes);
    require(text->n == report->output_text_bytes);
    require(crc32(0, text->data, (uInt)text->n) == report->output_crc32);
    blastmerge_free(job, data);
    return status;
}

static inline int expat_takes(struct bytes text) {
    static XML_Parser parser;
    if (parser == NULL) parser = XML_ParserCreate(NULL);
    require(parser != NULL && XML_ParserReset(parser, NULL));
    return XML_Parse(parser, (const char *)text.data, (int)text.n, 1) == XML_STATUS_OK;
}

/* The text with two letters in the place of each byte that is not ASCII. */
static inline struct bytes spell_out(struct bytes text) {
    struct bytes spelled = {malloc(2 * text.n + 1), 0};
    require(spelled.data != NULL);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x80) spelled.data[spelled.n++] = (uint8_t)('A' + (byte >> 4 & 7));
        spelled.data[spelled.n++] = byte < 0x80 ? byte : (uint8_t)('a' + (byte & 15));
    }
    return spelled;
}

/* Whether expat takes it. Entities that are not declared it would skip, but blastmerge refuses them before.
 * Names it takes as XML's fourth edition has them, blastmerge as the fifth has, with nearly all characters
 * that are not ASCII: where it refuses, they must be characters, and it must take letters in their place. */
static inline int is_well_formed(struct bytes text) {
    if (expat_takes(text)) return 1;
    struct bytes spelled = spell_out(text);
    int is_taken = bm_number_is_text((const char *)text.data) && expat_takes(spelled);
    free(spelled.data);
    return is_taken;
}

/* Takes the input apart. texts: what each child holds, in the input, behind the byte that says how. */
static inline size_t split_texts(const uint8_t *data, size_t size, struct bytes *texts) {
    size_t n_texts = 0;
    while (size > 0 && n_texts < MAX_CHILDREN) {
        size_t n = 1;
        while (n < size && !(n + 1 < size && data[n] == 0 && data[n + 1] == 0)) n++;
        texts[n_texts++] = (struct bytes){(uint8_t *)(uintptr_t)(data + 1), n - 1};
        n = n + 2 < size ? n + 2 : size;
        data += n;
        size -= n;
    }
    return n_texts;
}

static inline struct bytes make_child(struct bytes text, uint8_t how) {
    return how == 'P' ? copy_of(text.data, text.n) : compress_text(text.data, text.n, how);
}

static inline size_t split_children(const uint8_t *data, size_t size, struct bytes *children,
                                    struct bytes *texts) {
    size_t n_children = split_texts(data, size, texts);
    for (size_t i = 0; i < n_children; i++) children[i] = make_child(texts[i], texts[i].data[-1]);
    return n_children;
}

#endif
