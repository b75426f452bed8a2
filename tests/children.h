/* SPDX-License-Identifier: MIT */
/* Small children for tests in C. */
#ifndef TEST_CHILDREN_H
#define TEST_CHILDREN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct bytes {
    uint8_t *data;
    size_t n;
};

/* Appends text, and '\0' behind it, where there is room. */
static inline void copy_text(struct bytes *bytes, const char *text) {
    size_t n = strlen(text);
    memcpy(bytes->data + bytes->n, text, n + 1);
    bytes->n += n;
}

static inline void append_text(struct bytes *bytes, const char *text) {
    uint8_t *grown = realloc(bytes->data, bytes->n + strlen(text) + 1);
    if (grown == NULL) abort();
    bytes->data = grown;
    copy_text(bytes, text);
}

/* The text of a child: n_iterations Iterations whose numbers begin at first_number, each with a hit of some
 * length. */
static inline struct bytes make_text(const char *program, unsigned first_number, unsigned n_iterations,
                                     const char *database) {
    char line[512];
    /* Allocated once: under AddressSanitizer each realloc() copies all there is. */
    struct bytes bytes = {malloc((n_iterations + (size_t)3) * sizeof line), 0};
    if (bytes.data == NULL) abort();
    copy_text(&bytes,
              "<?xml version=\"1.0\"?>\n<!DOCTYPE BlastOutput PUBLIC \"-//NCBI//NCBI BlastOutput/EN\" "
              "\"http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd\">\n<BlastOutput>\n");
    snprintf(line, sizeof line,
             "  <BlastOutput_program>%s</BlastOutput_program>\n  "
             "<BlastOutput_version>2.12.0+</BlastOutput_version>\n"
             "  <BlastOutput_db>%s</BlastOutput_db>\n<BlastOutput_iterations>\n",
             program, database);
    copy_text(&bytes, line);
    for (unsigned i = 0; i < n_iterations; i++) {
        snprintf(line, sizeof line,
                 "<Iteration>\n  <Iteration_iter-num>%u</Iteration_iter-num>\n"
                 "  <Iteration_query-ID>Query_%u</Iteration_query-ID>\n<Iteration_hits>\n<Hit>\n  "
                 "<Hit_num>1</Hit_num>\n"
                 "  <Hit_hsps>\n    <Hsp>\n      <Hsp_num>1</Hsp_num>\n      <Hsp_score>%u</Hsp_score>\n    "
                 "</Hsp>\n"
                 "  </Hit_hsps>\n</Hit>\n</Iteration_hits>\n</Iteration>\n",
                 first_number + i, i + 1, i % 40 * 7919 % 1000);
        copy_text(&bytes, line);
    }
    copy_text(&bytes, "</BlastOutput_iterations>\n</BlastOutput>\n\n");
    bytes.data = realloc(bytes.data, bytes.n + 1);
    if (bytes.data == NULL) abort();
    return bytes;
}

/* As one gzip member. */
static inline struct bytes make_gzip(struct bytes text, int level) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    struct bytes bytes = {NULL, deflateBound(&stream, (uLong)text.n) + 64};
    bytes.data = malloc(bytes.n);
    if (bytes.data == NULL) abort();
    stream.next_in = text.data;
    stream.avail_in = (uInt)text.n;
    stream.next_out = bytes.data;
    stream.avail_out = (uInt)bytes.n;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
    bytes.n = stream.total_out;
    deflateEnd(&stream);
    return bytes;
}

/* The text of a whole gzip file, which must be exactly one member; data NULL if it is not. */
static inline struct bytes read_gzip(const uint8_t *data, size_t n) {
    z_stream stream;
    struct bytes bytes = {NULL, 0};
    size_t size = 1 << 16;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, 15 + 16) != Z_OK) abort();
    stream.next_in = (uint8_t *)(uintptr_t)data;
    stream.avail_in = (uInt)n;
    int result = Z_OK;
    do {
        size *= 2;
        bytes.data = realloc(bytes.data, size);
        if (bytes.data == NULL) abort();
        stream.next_out = bytes.data + stream.total_out;
        stream.avail_out = (uInt)(size - 1 - stream.total_out);
        result = inflate(&stream, Z_NO_FLUSH);
    } while (result == Z_OK && stream.avail_out == 0);
    bytes.n = stream.total_out;
    bytes.data[bytes.n] = '\0';
    if (result != Z_STREAM_END || stream.avail_in != 0) {
        free(bytes.data);
        bytes = (struct bytes){NULL, 0};
    }
    inflateEnd(&stream);
    return bytes;
}

#endif
