/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the JSON scanner: any split and any way tell the same, and jansson accepts what the scanner
 * accepts, and the other way round where the scanner's error is one of JSON's.
 *
 * The first byte chooses: what happens to bytes that are not UTF-8 (bits 0 and 1), whether the input
 * stands inside of a report's results, where the fast paths take it (bit 2), and whether queries are told
 * (bit 3). The second one is the split's seed.
 */
#include "../tests/test_mark_json.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

static void add_input(struct bytes *text, bool is_inside, const uint8_t *data, size_t n_data) {
    if (is_inside) add_text(text, "{\"BlastOutput2\":[{\"report\":{\"results\":{\"search\":{");
    add_bytes(text, data, n_data);
    if (is_inside) add_text(text, "}}}}]}");
    add_repeated(text, " ", is_inside ? 200 : 0); /* the last bytes of a text are always the judge's */
}

static void compare_ways(const struct bytes *text, enum blastmerge_invalid_utf8 mode, uint64_t seed,
                         const struct trace *expected) {
    for (const char *const *way = bm_mark_ways; *way != NULL; way++) {
        if (!way_exists(*way)) continue;
        struct trace once = scan_json(text, whole, *way, mode);
        struct trace pieces = scan_json(text, (struct split){0, 0, {seed}}, *way, mode);
        DEMAND(same_traces(&once, expected) && same_traces(&pieces, expected));
        free_trace(&once);
        free_trace(&pieces);
    }
}

/* What the scanner refuses although JSON has nothing against it; docs/json.md. */
static bool is_about_blast(const char *message) {
    static const char *const words[] = {"BlastOutput2\"", "\"results\"",   "\"report\"",
                                        "-outfmt 13",     "nested deeper", "a JSON object"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(message, words[i]) != NULL) return true;
    }
    return false;
}

/* Several documents are no document for jansson, nor does it take a byte order mark; a NUL byte it passes
 * over behind a number, but no JSON text has one (RFC 8259, sections 2 and 7). */
static void compare_with_jansson(const struct bytes *text, const struct trace *trace) {
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    json_error_t error;
    if (trace->counts.n_documents > 1 || text->n_data == 0) return;
    if (memmem(text->data, text->n_data, "\xef\xbb\xbf", 3) != NULL) return;
    if (memchr(text->data, 0, text->n_data) != NULL) {
        DEMAND(trace->status != BLASTMERGE_OK);
        return;
    }
    json_t *root = json_loadb((const char *)text->data, text->n_data, flags, &error);
    if (trace->status == BLASTMERGE_OK) {
        DEMAND(root != NULL || strstr(error.text, "overflow") != NULL ||
               strstr(error.text, "NUL byte") != NULL);
    } else {
        DEMAND(root == NULL || is_about_blast(trace->error.message));
    }
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    static const enum blastmerge_invalid_utf8 modes[] = {
        BLASTMERGE_INVALID_UTF8_ERROR, BLASTMERGE_INVALID_UTF8_LATIN1, BLASTMERGE_INVALID_UTF8_KEEP,
        BLASTMERGE_INVALID_UTF8_ERROR};
    struct bytes text = {0};
    if (n_data < 2) return 0;
    enum blastmerge_invalid_utf8 mode = modes[data[0] & 3];
    tells_queries = (data[0] & 8) != 0;
    add_input(&text, (data[0] & 4) != 0, data + 2, n_data - 2);
    struct trace trace = scan_json(&text, whole, "bytes", mode);
    compare_ways(&text, mode, data[1], &trace);
    if (mode == BLASTMERGE_INVALID_UTF8_ERROR) compare_with_jansson(&text, &trace);
    free_trace(&trace);
    free_bytes(&text);
    return 0;
}
