/* SPDX-License-Identifier: MIT */
/*
 * The file of --expect-queries: its names must be those that a simple reader of the whole finds, from the
 * begin and again after going back. Then children are held against it: one of fuzzed text, which must merge
 * to the same as without the file, or not at all; and one that is made of the names, one of them perhaps left
 * out, doubled or in another place, which must be refused exactly then.
 *
 * The input: a byte that says whether the file is repeated until it is longer than the reader's buffer; the
 * file; after two NUL bytes, children (children.h).
 */
#include "children.h"
#include "expect/queries.h"
#include "keep.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LONG = 70000, MAX_ITERATIONS = 40, MAX_WORD = 1000 };

/* --- the file ------------------------------------------------------------------------------------ */

static int file = -1;
static char path[64];

static void write_file(const uint8_t *data, size_t n) {
    if (file < 0) {
        file = memfd_create("queries", MFD_CLOEXEC);
        require(file >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, 0) == 0);
    require(pwrite(file, data, n, 0) == (ssize_t)n);
}

/* --- a simple reader ----------------------------------------------------------------------------- */

struct reader {
    const uint8_t *data;
    size_t n, position;
    int is_fasta;
    const uint8_t *name;
    size_t n_name;
};

static int is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

static struct reader make_reader(const uint8_t *data, size_t n) {
    size_t i = 0;
    while (i < n && (is_blank(data[i]) || data[i] == '\n')) i++;
    return (struct reader){data, n, 0, i < n && data[i] == '>', NULL, 0};
}

static void take_word(struct reader *reader, const uint8_t *from, const uint8_t *end) {
    while (from < end && is_blank(*from)) from++;
    reader->name = from;
    while (from < end && !is_blank(*from) && from - reader->name < MAX_WORD) from++;
    reader->n_name = (size_t)(from - reader->name);
}

static int read_name(struct reader *reader) {
    while (reader->position < reader->n) {
        const uint8_t *line = reader->data + reader->position;
        const uint8_t *end = memchr(line, '\n', reader->n - reader->position);
        if (end == NULL) end = reader->data + reader->n;
        reader->position = (size_t)(end - reader->data) + 1;
        int is_title = reader->is_fasta && line < end && *line == '>';
        if (reader->is_fasta && !is_title) continue;
        take_word(reader, line + is_title, end);
        if (reader->is_fasta || reader->n_name > 0) return 1;
    }
    return 0;
}

/* The names in the file, from its begin, and after going back. */
static void compare(const uint8_t *data, size_t n) {
    struct bm_queries *queries = calloc(1, sizeof *queries);
    struct blastmerge_error error;
    int is_compressed = n >= 2 && data[0] == 0x1f && data[1] == 0x8b;
    require(queries != NULL);
    enum blastmerge_status status = bm_queries_open(queries, path, &error);
    require(status == (is_compressed ? BLASTMERGE_USAGE : BLASTMERGE_OK));
    for (int i = 0; i < 2 && !is_compressed; i++) {
        struct reader reader = make_reader(data, n);
        uint64_t number = 0;
        bool has_name = true;
        bm_queries_rewind(queries);
        while (has_name) {
            require(bm_queries_next(queries, &has_name, &error) == BLASTMERGE_OK);
            require(has_name == read_name(&reader) && queries->number == number + has_name);
            number += has_name;
            if (!has_name) break;
            require(queries->n_name == reader.n_name && queries->name[reader.n_name] == '\0');
            require(reader.n_name == 0 || memcmp(queries->name, reader.name, reader.n_name) == 0);
        }
    }
    bm_queries_close(queries);
    free(queries);
}

/* --- Iterations ---------------------------------------------------------------------------------- */

static enum blastmerge_status merge(const struct bytes *children, size_t n_children, int has_file,
                                    struct bytes *text) {
    struct blastmerge_options options;
    set_options(&options, 0, plain_way);
    options.expect_queries = has_file ? path : NULL;
    struct blastmerge_job *job = make_job(&options, children, n_children);
    enum blastmerge_status status = run_job(job, plain_way.plain, text);
    require(status == BLASTMERGE_OK || status == BLASTMERGE_DATA || status == BLASTMERGE_MISMATCH ||
            (status == BLASTMERGE_USAGE && has_file));
    blastmerge_destroy(job);
    return status;
}

static void merge_fuzzed(const uint8_t *data, size_t size) {
    struct bytes children[MAX_CHILDREN];
    struct bytes texts[MAX_CHILDREN];
    struct bytes held;
    struct bytes free_text;
    size_t n_children = split_children(data, size, children, texts);
    if (n_children == 0) return;
    if (merge(children, n_children, 1, &held) == BLASTMERGE_OK) {
        require(merge(children, n_children, 0, &free_text) == BLASTMERGE_OK);
        require(held.n == free_text.n && memcmp(held.data, free_text.data, held.n) == 0);
        free(free_text.data);
    }
    free(held.data);
    for (size_t i = 0; i < n_children; i++) free(children[i].data);
}

/* Names that stand for one query each, whatever BLAST makes of them. */
static size_t take_simple_names(const uint8_t *data, size_t n, struct bytes names[MAX_ITERATIONS]) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    struct reader reader = make_reader(data, n);
    size_t n_names = 0;
    while (read_name(&reader)) {
        if (n_names == MAX_ITERATIONS || reader.n_name == 0 || reader.n_name >= MAX_WORD) return 0;
        for (size_t i = 0; i < reader.n_name; i++)
            if (memchr(plain, reader.name[i], sizeof plain - 1) == NULL) return 0;
        for (size_t i = 0; i < n_names; i++)
            if (names[i].n == reader.n_name && memcmp(names[i].data, reader.name, reader.n_name) == 0)
                return 0;
        names[n_names++] = (struct bytes){(uint8_t *)(uintptr_t)reader.name, reader.n_name};
    }
    return n_names;
}

/* One name is left out, comes twice, or changes places with the next. Returns whether that is a change. */
static int change(struct bytes *names, size_t *n_names, uint32_t sum) {
    size_t which = (sum >> 8) % *n_names;
    size_t n_behind = *n_names - which - 1;
    struct bytes name = names[which];
    switch (sum & 3) {
    case 0:
        return 0;
    case 1:
        memmove(names + which, names + which + 1, n_behind * sizeof *names);
        (*n_names)--;
        return 1;
    case 2:
        memmove(names + which + 1, names + which, (n_behind + 1) * sizeof *names);
        (*n_names)++;
        return 1;
    default:
        if (n_behind == 0) return 0;
        names[which] = names[which + 1];
        names[which + 1] = name;
        return 1;
    }
}

static void merge_made(const uint8_t *data, size_t n, uint32_t sum) {
    static uint8_t text[MAX_ITERATIONS * (MAX_WORD + 200)];
    struct bytes names[MAX_ITERATIONS + 1];
    struct bytes merged;
    size_t n_names = take_simple_names(data, n, names);
    if (n_names == 0) return;
    int is_changed = change(names, &n_names, sum);
    size_t n_text = (size_t)sprintf((char *)text, "<BlastOutput>\n<BlastOutput_iterations>\n");
    for (size_t i = 0; i < n_names; i++) {
        n_text +=
            (size_t)sprintf((char *)text + n_text,
                            "<Iteration>\n<Iteration_query-def>%.*s x</Iteration_query-def>\n</Iteration>\n",
                            (int)names[i].n, (const char *)names[i].data);
    }
    n_text += (size_t)sprintf((char *)text + n_text, "</BlastOutput_iterations>\n</BlastOutput>\n");
    struct bytes child = {text, n_text};
    enum blastmerge_status status = merge(&child, 1, 1, &merged);
    require(status == (is_changed ? BLASTMERGE_MISMATCH : BLASTMERGE_OK));
    free(merged.data);
}

/* --- the target ---------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    static uint8_t whole[LONG + 4096];
    if (size < 2 || size > 4096) return 0;
    const uint8_t *text = data + 1;
    const uint8_t *parts = memmem(text, size - 1, "\0\0", 2);
    size_t n_text = parts == NULL ? size - 1 : (size_t)(parts - text);
    size_t n_times = data[0] == 0 && n_text > 0 ? 1 + LONG / n_text : 1;
    for (size_t i = 0; i < n_times; i++) memcpy(whole + i * n_text, text, n_text);
    write_file(whole, n_times * n_text);
    compare(whole, n_times * n_text);
    if (parts != NULL) merge_fuzzed(parts + 2, size - (size_t)(parts + 2 - data));
    if (parts == NULL && (data[0] & 8) != 0)
        merge_made(whole, n_times * n_text, (uint32_t)crc32(0, data, (uInt)size));
    require(keep_n_live() == 0);
    return 0;
}
