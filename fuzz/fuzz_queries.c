/* SPDX-License-Identifier: MIT */
/*
 * The file of --expect-queries: its titles and lengths must be those that a simple reader of the whole finds,
 * from the begin, after going back, and after going back to any of them. Then children are held against it:
 * one of fuzzed text, which must merge to the same as without the file, or not at all; and one that is made
 * of the names, one of them perhaps left out, doubled or in another place, which must be refused exactly
 * then.
 *
 * The input: a byte that says whether the file is repeated until it is longer than the reader's buffer; the
 * file; after two NUL bytes, children (children.h).
 */
#include "children.h"
#include "keep.h"
#include "queries/file.h"

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

/* Lines as BLAST takes them: it reads a line up to what ended lines so far, and where that holds the other
 * character puts the rest back, without the end. */
struct reader {
    uint8_t *data;
    size_t n, position;
    enum { UNKNOWN, LF, CRLF, CR, MIXED } style;
    const uint8_t *line;
    size_t n_line;
    int is_fasta, is_ahead, has_length, is_bare;
    const uint8_t *title;
    size_t n_title;
    uint64_t n_residues, n_bases;
};

static uint8_t copy[LONG + 8192];

static const uint8_t *find(const struct reader *reader, const char *ends) {
    for (size_t i = reader->position; i < reader->n; i++)
        if (reader->data[i] != 0 && strchr(ends, reader->data[i]) != NULL) return reader->data + i;
    return NULL;
}

static void take_either(struct reader *reader) {
    const uint8_t *end = find(reader, "\r\n");
    const uint8_t *all = reader->data + reader->n;
    reader->line = reader->data + reader->position;
    reader->n_line = (size_t)((end == NULL ? all : end) - reader->line);
    if (end != NULL && *end == '\r' && end + 1 < all && end[1] == '\n') end++;
    reader->position = end == NULL ? reader->n : (size_t)(end - reader->data) + 1;
    if (reader->style == UNKNOWN && end != NULL) reader->style = *end == '\n' ? CRLF : CR;
}

/* Returns whether the rest was put back. */
static int take_until(struct reader *reader, char end_character, char other, int *has_other) {
    const char ends[2] = {end_character, '\0'};
    const uint8_t *end = find(reader, ends);
    size_t from = reader->position;
    size_t to = end == NULL ? reader->n : (size_t)(end - reader->data);
    const uint8_t *found = memchr(reader->data + from, other, to - from);
    *has_other = found != NULL;
    reader->line = reader->data + from;
    reader->n_line = (found == NULL ? to : (size_t)(found - reader->data)) - from;
    if (found != NULL && !(end_character == '\n' && (size_t)(found - reader->data) + 1 == to)) {
        if (end != NULL) memmove(reader->data + to, reader->data + to + 1, reader->n - to - 1);
        reader->n -= end != NULL;
        reader->position = (size_t)(found - reader->data) + 1;
        return 1;
    }
    reader->position = to + (end != NULL);
    if (end != NULL && end_character == '\r' && reader->position < reader->n &&
        reader->data[reader->position] == '\n')
        reader->position++;
    return 0;
}

static int take_line(struct reader *reader) {
    int has_other;
    if (reader->position >= reader->n) return 0;
    switch (reader->style) {
    case LF:
        if (take_until(reader, '\n', '\r', &has_other)) reader->style = MIXED;
        break;
    case CRLF:
        if (take_until(reader, '\n', '\r', &has_other))
            reader->style = CR;
        else if (!has_other)
            reader->style = LF;
        break;
    case CR:
        if (take_until(reader, '\r', '\n', &has_other)) reader->style = MIXED;
        break;
    default:
        take_either(reader);
    }
    return 1;
}

static int is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\v' || byte == '\f';
}

static struct reader begin_reader(const uint8_t *data, size_t n) {
    size_t n_mark = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    memcpy(copy, data + n_mark, n - n_mark);
    return (struct reader){.data = copy, .n = n - n_mark, .title = copy};
}

static struct reader make_reader(const uint8_t *data, size_t n) {
    struct reader reader = begin_reader(data, n);
    int is_fasta = 0;
    while (!is_fasta && take_line(&reader)) is_fasta = reader.n_line > 0 && *reader.line == '>';
    reader = begin_reader(data, n);
    reader.is_fasta = is_fasta;
    return reader;
}

static void count_residues(struct reader *reader, size_t i) {
    for (; i < reader->n_line && reader->line[i] != ';'; i++) {
        if (reader->line[i] == 0) continue;
        reader->n_residues +=
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*", reader->line[i]) != NULL;
        reader->n_bases += strchr("ABCDGHKMNRSTUVWYabcdghkmnrstuvwy", reader->line[i]) != NULL;
    }
}

static int read_fasta(struct reader *reader) {
    int has_begun = 0;
    reader->n_title = 0;
    reader->n_residues = reader->n_bases = 0;
    reader->is_bare = 0;
    reader->has_length = 1;
    while (reader->is_ahead || take_line(reader)) {
        size_t i = 0;
        int is_gap = reader->n_line > 1 && reader->line[0] == '>' && reader->line[1] == '?';
        if (reader->n_line > 0 && reader->line[0] == '>' && !is_gap) {
            reader->is_ahead = has_begun;
            if (has_begun) return 1;
            reader->title = reader->line + 1;
            reader->n_title = reader->n_line - 1;
            has_begun = 1;
            continue;
        }
        while (i < reader->n_line && is_blank(reader->line[i])) i++;
        if (i == reader->n_line || memchr("!#;", reader->line[i], 3) != NULL) continue;
        if (!has_begun) reader->is_bare = 1;
        has_begun = 1;
        if (is_gap)
            reader->has_length = 0;
        else
            count_residues(reader, i);
    }
    return has_begun;
}

static int read_query(struct reader *reader) {
    if (reader->is_fasta) return read_fasta(reader);
    while (take_line(reader)) {
        size_t i = 0;
        while (i < reader->n_line && is_blank(reader->line[i])) i++;
        reader->title = reader->line + i;
        reader->n_title = reader->n_line - i;
        if (reader->n_title > 0) return 1;
    }
    return 0;
}

/* The first word of the title. */
static struct bytes name_of(const struct reader *reader) {
    size_t from = 0;
    while (from < reader->n_title && is_blank(reader->title[from])) from++;
    size_t to = from;
    while (to < reader->n_title && reader->title[to] > ' ') to++;
    return (struct bytes){(uint8_t *)(uintptr_t)(reader->title + from), to - from};
}

static void require_same(const struct bm_queries_file *queries, const struct reader *reader) {
    size_t n = reader->n_title < BM_QUERIES_TITLE ? reader->n_title : BM_QUERIES_TITLE;
    require(queries->n_title == n && queries->title[n] == '\0' && queries->is_cut == (reader->n_title > n));
    require(n == 0 || memcmp(queries->title, reader->title, n) == 0);
    if (!reader->is_fasta) return;
    require(queries->has_length == reader->has_length && queries->is_bare == reader->is_bare);
    if (!reader->has_length) return;
    require(queries->n_residues == reader->n_residues && queries->n_bases == reader->n_bases);
}

static int is_told(const uint8_t *data, size_t n) {
    return n >= 2 && (memcmp(data, "\x1f\x8b", 2) == 0 || memcmp(data, "\xff\xfe", 2) == 0 ||
                      memcmp(data, "\xfe\xff", 2) == 0);
}

/* The queries in the file, three times: from its begin, again, and each twice. */
static void compare(const uint8_t *data, size_t n) {
    struct bm_queries_file *queries = calloc(1, sizeof *queries);
    struct bm_cancel cancel;
    struct blastmerge_error error;
    bm_cancel_init(&cancel);
    require(queries != NULL && bm_cancel_begin(&cancel, &error) == BLASTMERGE_OK);
    enum blastmerge_status status = bm_queries_file_open(queries, "the file", path, &cancel, &error);
    require(status == BLASTMERGE_OK || status == BLASTMERGE_USAGE ||
            (is_told(data, n) && status == BLASTMERGE_DATA));
    for (int i = 0; i < 3 && status == BLASTMERGE_OK && !is_told(data, n); i++) {
        struct reader reader = make_reader(data, n);
        uint64_t number = 0;
        bool has_query = true;
        require(queries->is_fasta == (reader.is_fasta != 0));
        bm_queries_file_rewind(queries, queries->is_fasta);
        while (has_query) {
            struct bm_queries_file_place place = bm_queries_file_place(queries);
            require(bm_queries_file_next(queries, &has_query, &error) == BLASTMERGE_OK);
            if (i == 2) {
                bm_queries_file_go(queries, &place);
                require(bm_queries_file_next(queries, &has_query, &error) == BLASTMERGE_OK);
            }
            require(has_query == read_query(&reader) && queries->number == number + has_query);
            number += has_query;
            if (has_query) require_same(queries, &reader);
        }
    }
    bm_queries_file_close(queries);
    bm_cancel_close(&cancel);
    free(queries);
}

/* --- Iterations ---------------------------------------------------------------------------------- */

static enum blastmerge_status merge(const struct bytes *children, size_t n_children, int has_file,
                                    struct bytes *text) {
    struct blastmerge_options options;
    set_options(&options, 0, plain_way);
    options.expect_queries = has_file ? path : NULL;
    struct blastmerge_job *job = make_job(&options, children, n_children);
    enum blastmerge_status status = run_job(job, plain_way.form, text);
    require(status == BLASTMERGE_OK || status == BLASTMERGE_DATA || status == BLASTMERGE_MISMATCH ||
            (status == BLASTMERGE_USAGE && has_file) || must_be_decompressed_first(job));
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
    static uint8_t words[MAX_ITERATIONS][MAX_WORD];
    while (read_query(&reader)) {
        struct bytes name = name_of(&reader);
        if (n_names == MAX_ITERATIONS || name.n == 0 || name.n >= MAX_WORD) return 0;
        for (size_t i = 0; i < name.n; i++)
            if (memchr(plain, name.data[i], sizeof plain - 1) == NULL) return 0;
        for (size_t i = 0; i < n_names; i++)
            if (names[i].n == name.n && memcmp(names[i].data, name.data, name.n) == 0) return 0;
        memcpy(words[n_names], name.data, name.n);
        names[n_names] = (struct bytes){words[n_names], name.n};
        n_names++;
    }
    return is_told(data, n) ? 0 : n_names;
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
