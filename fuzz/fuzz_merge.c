/* SPDX-License-Identifier: MIT */
/*
 * The whole merge: up to four children of fuzzed text, plain or compressed in whatever way, merged spliced,
 * packed and plain, with one thread and with three. All ways must come to the same status and the same
 * text; what is merged as XML must be well-formed for expat; and merging it again must change nothing.
 *
 * The input: a byte of options; then children, parted by two NUL bytes, each with a byte first that says how
 * it is compressed.
 */
#include "blastmerge.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_CHILDREN = 4 };

struct bytes {
    uint8_t *data;
    size_t n;
};

static void require(int condition) {
    if (!condition) abort();
}

static struct bytes copy_of(const uint8_t *data, size_t n) {
    struct bytes bytes = {malloc(n + 1), n};
    require(bytes.data != NULL);
    if (n > 0) memcpy(bytes.data, data, n);
    return bytes;
}

/* The text as a gzip member; how: bits for level, strategy and memory. */
static struct bytes compress_text(const uint8_t *text, size_t n, uint8_t how) {
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    require(deflateInit2(&stream, how % 10, Z_DEFLATED, 15 + 16, 1 + how % 9, strategies[how / 10 % 5]) ==
            Z_OK);
    struct bytes bytes = {NULL, deflateBound(&stream, (uLong)n) + 64};
    bytes.data = malloc(bytes.n);
    require(bytes.data != NULL);
    stream.next_in = (uint8_t *)(uintptr_t)text;
    stream.avail_in = (uInt)n;
    stream.next_out = bytes.data;
    stream.avail_out = (uInt)bytes.n;
    require(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    bytes.n = stream.total_out;
    deflateEnd(&stream);
    return bytes;
}

/* Text of a gzip member that must be whole. */
static struct bytes inflate_text(struct bytes zipped, size_t n_text) {
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

struct way {
    int level;
    int plain;
    unsigned n_threads;
};

/* Which does not go with a conversion. */
static int is_as_unsplit(uint8_t flags) {
    return (flags & 0xc0) == 0xc0 && (flags >> 4 & 3) % 3 != BLASTMERGE_INVALID_UTF8_LATIN1;
}

/* One merge; its text, and its status in *status. *is_xml: so it is. */
static struct bytes merge(const struct bytes *children, size_t n_children, uint8_t flags, struct way way,
                          enum blastmerge_status *status, int *is_xml) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    struct bytes text = {NULL, 0};
    void *data = NULL;
    size_t n = 0;
    blastmerge_options_init(&options, sizeof options);
    options.level = way.level;
    options.plain = way.plain;
    options.n_threads = way.n_threads;
    options.keep_database = flags & 1;
    options.allow_empty = flags >> 1 & 1;
    options.mismatch = (enum blastmerge_mismatch)(flags >> 2 & 3);
    options.invalid_utf8 = (enum blastmerge_invalid_utf8)((flags >> 4 & 3) % 3);
    if (is_as_unsplit(flags)) {
        options.as_unsplit = 1;
    } else {
        options.query_ids = (enum blastmerge_query_ids)((flags >> 6) % 3);
    }
    require(blastmerge_create(&job, &options) == BLASTMERGE_OK);
    for (size_t i = 0; i < n_children; i++) {
        require(blastmerge_add_memory(job, "child", children[i].data, children[i].n) == BLASTMERGE_OK);
    }
    *status = blastmerge_to_buffer(job, &data, &n);
    *is_xml = blastmerge_report(job)->format <= BLASTMERGE_FORMAT_XML2;
    require(*status == BLASTMERGE_OK || *status == BLASTMERGE_DATA || *status == BLASTMERGE_MISMATCH);
    if (*status == BLASTMERGE_OK) {
        struct bytes output = {data, n};
        require(n == blastmerge_report(job)->output_bytes);
        text = way.plain ? copy_of(data, n) : inflate_text(output, blastmerge_report(job)->output_text_bytes);
        require(crc32(0, text.data, (uInt)text.n) == blastmerge_report(job)->output_crc32);
        blastmerge_free(job, data);
    }
    blastmerge_destroy(job);
    return text;
}

/* Whether expat takes it. Entities that are not declared it would skip, but blastmerge refuses them before.
 */
static int is_well_formed(struct bytes text) {
    XML_Parser parser = XML_ParserCreate(NULL);
    require(parser != NULL);
    int result = XML_Parse(parser, (const char *)text.data, (int)text.n, 1) == XML_STATUS_OK;
    XML_ParserFree(parser);
    return result;
}

static size_t split(const uint8_t *data, size_t size, struct bytes *children) {
    size_t n_children = 0;
    while (size > 0 && n_children < MAX_CHILDREN) {
        uint8_t how = *data;
        size_t n = 1;
        while (n < size && !(n + 1 < size && data[n] == 0 && data[n + 1] == 0)) n++;
        children[n_children++] = how == 'P' ? copy_of(data + 1, n - 1) : compress_text(data + 1, n - 1, how);
        n = n + 2 < size ? n + 2 : size;
        data += n;
        size -= n;
    }
    return n_children;
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    static const struct way ways[] = {{0, 1, 1}, {0, 0, 1}, {0, 0, 3}, {1, 0, 2}};
    struct bytes children[MAX_CHILDREN];
    struct bytes texts[4];
    enum blastmerge_status statuses[4];
    int is_xml = 0;
    if (size < 2) return 0;
    uint8_t flags = data[0];
    size_t n_children = split(data + 1, size - 1, children);
    size_t n_ways = flags >> 6 == 0 ? 4 : 2; /* threads cost more than all else */
    for (size_t i = 0; i < n_ways; i++) {
        texts[i] = merge(children, n_children, flags, ways[i], &statuses[i], &is_xml);
        require(statuses[i] == statuses[0] && texts[i].n == texts[0].n);
        require(texts[i].n == 0 || memcmp(texts[i].data, texts[0].data, texts[0].n) == 0);
    }
    if (statuses[0] == BLASTMERGE_OK) {
        int keeps_invalid = (flags >> 4 & 3) % 3 == BLASTMERGE_INVALID_UTF8_KEEP || is_as_unsplit(flags);
        require(!is_xml || keeps_invalid || is_well_formed(texts[0]));
        enum blastmerge_status status = BLASTMERGE_OK;
        struct bytes again = merge(texts, 1, flags, ways[0], &status, &is_xml);
        require(status == BLASTMERGE_OK && again.n == texts[0].n && again.n > 0 && texts[0].data != NULL);
        require(memcmp(again.data, texts[0].data, again.n) == 0);
        free(again.data);
    }
    for (size_t i = 0; i < n_ways; i++) free(texts[i].data);
    for (size_t i = 0; i < n_children; i++) free(children[i].data);
    return 0;
}
