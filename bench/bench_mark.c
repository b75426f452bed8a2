/* SPDX-License-Identifier: MIT */
/*
 * bench_mark - how fast is the scanner, each way that it has, beside expat or jansson and memchr in the same
 * run?
 *
 *     bench_mark [-r ROUNDS] [-c CHUNK] [-q 1] FILE...     (gzip or plain; -q 1: tell queries)
 *
 * The files are of any format; tests/corpus_formats.py makes them of XML. Each round measures all of them in
 * turn, so
 * that a noisy machine is noisy for all; the best round counts. Time is this thread's processor time, one
 * core; GB are 10^9 bytes of text.
 */
#include "mark/door.h"

#include <expat.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { MAX_WAYS = 16 };

struct text {
    uint8_t *bytes;
    size_t n_bytes;
};

static void die(const char *what) {
    fprintf(stderr, "bench_mark: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct text load(const char *path) {
    struct text text = {NULL, 0};
    size_t room = 0;
    int n_read = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL) die(path);
    do {
        if (text.n_bytes == room) {
            room = room * 2 + (1u << 20);
            text.bytes = realloc(text.bytes, room);
            if (text.bytes == NULL) die("out of memory");
        }
        size_t left = room - text.n_bytes;
        n_read = gzread(file, text.bytes + text.n_bytes, left > 1u << 30 ? 1u << 30 : (unsigned)left);
        if (n_read < 0) die(path);
        text.n_bytes += (size_t)n_read;
    } while (n_read > 0);
    gzclose(file);
    return text;
}

static void scan_chunk(struct bm_mark *mark, const uint8_t *bytes, size_t n_bytes) {
    static struct bm_mark_list list;
    struct blastmerge_error error;
    for (size_t used = 0; n_bytes > 0; bytes += used, n_bytes -= used) {
        list.n_entries = 0;
        if (bm_mark_step(mark, bytes, n_bytes, &used, &list, &error) != BLASTMERGE_OK) die(error.message);
    }
}

static bool tells_queries;

static double time_mark(const struct text *text, const char *way, size_t chunk) {
    struct bm_memory memory;
    struct bm_mark *mark = NULL;
    bm_memory_open(&memory, NULL);
    if (bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_KEEP) != BLASTMERGE_OK) die("out of memory");
    if (!bm_mark_use(mark, way)) {
        bm_mark_close(mark, &memory);
        return 0;
    }
    if (tells_queries) bm_mark_tell_queries(mark);
    double start = now();
    for (size_t at = 0; at < text->n_bytes; at += chunk) {
        scan_chunk(mark, text->bytes + at, text->n_bytes - at < chunk ? text->n_bytes - at : chunk);
    }
    double seconds = now() - start;
    bm_mark_close(mark, &memory);
    return seconds;
}

static void XMLCALL on_element(void *user, const XML_Char *name, const XML_Char **attributes) {
    (void)name;
    (void)attributes;
    ++*(size_t *)user;
}

/* With a handler for start tags only, which is the least that a merge by expat would need. */
static double time_expat(const struct text *text, size_t chunk) {
    size_t n_elements = 0;
    XML_Parser parser = XML_ParserCreate(NULL);
    if (parser == NULL) die("out of memory");
    XML_SetUserData(parser, &n_elements);
    XML_SetStartElementHandler(parser, on_element);
    double start = now();
    for (size_t at = 0; at < text->n_bytes; at += chunk) {
        size_t n_bytes = text->n_bytes - at < chunk ? text->n_bytes - at : chunk;
        if (XML_Parse(parser, (const char *)text->bytes + at, (int)n_bytes, 0) != XML_STATUS_OK) {
            XML_ParserFree(parser);
            return 0; /* several documents, or bytes that are not UTF-8 */
        }
    }
    double seconds = now() - start;
    XML_ParserFree(parser);
    return seconds;
}

/* The whole text at once, to a tree. */
static double time_jansson(const struct text *text) {
    json_error_t error;
    double start = now();
    json_t *root = json_loadb((const char *)text->bytes, text->n_bytes, 0, &error);
    double seconds = now() - start;
    if (root == NULL) return 0; /* several documents, or bytes that are not UTF-8 */
    json_decref(root);
    return seconds;
}

/* From '<' to '<', or quote to quote: what the memory and the C library give. */
static double time_memchr(const struct text *text, int byte) {
    static volatile size_t n_found;
    const uint8_t *p = text->bytes;
    const uint8_t *end = p + text->n_bytes;
    double start = now();
    for (; (p = memchr(p, byte, (size_t)(end - p))) != NULL; p++) n_found++;
    return now() - start;
}

static void keep_best(double *best, double seconds) {
    if (*best == 0 || seconds < *best) *best = seconds;
}

static void bench(const char *path, int n_rounds, size_t chunk) {
    struct text text = load(path);
    bool is_json = text.n_bytes > 0 && text.bytes[0] == '{';
    double best[MAX_WAYS] = {0};
    double best_other = 0;
    double best_memchr = 0;
    for (int round = 0; round < n_rounds; round++) {
        for (size_t i = 0; bm_mark_ways[i] != NULL; i++)
            keep_best(&best[i], time_mark(&text, bm_mark_ways[i], chunk));
        keep_best(&best_other, is_json ? time_jansson(&text) : time_expat(&text, chunk));
        keep_best(&best_memchr, time_memchr(&text, is_json ? '"' : '<'));
    }
    double n_gigabytes = (double)text.n_bytes * 1e-9;
    printf("%s: %.1f MB\n", path, n_gigabytes * 1000);
    for (size_t i = 0; bm_mark_ways[i] != NULL; i++) {
        if (best[i] > 0) printf("  %-10s %6.2f GB/s\n", bm_mark_ways[i], n_gigabytes / best[i]);
    }
    if (best_other > 0)
        printf("  %-10s %6.2f GB/s\n", is_json ? "jansson" : "expat", n_gigabytes / best_other);
    printf("  %-10s %6.2f GB/s\n", "memchr", n_gigabytes / best_memchr);
    free(text.bytes);
}

int main(int argc, char **argv) {
    int n_rounds = 5;
    size_t chunk = 131072;
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "-r") == 0) n_rounds = atoi(argv[i + 1]);
        if (strcmp(argv[i], "-c") == 0) chunk = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "-q") == 0) tells_queries = strcmp(argv[i + 1], "0") != 0;
    }
    if (i == argc || n_rounds < 1 || chunk < 1 || chunk > 1u << 30)
        die("bench_mark [-r ROUNDS] [-c CHUNK] [-q 1] FILE...");
    for (; i < argc; i++) bench(argv[i], n_rounds, chunk);
    return 0;
}
