/* SPDX-License-Identifier: MIT */
/*
 * An Iteration is known by the first word of its Iteration_query-def or, where BLAST took the definition
 * lines apart (-parse_deflines), by its Iteration_query-ID. Both stand in its first lines: as soon as these
 * have been scanned, they are looked for in the text. What is not BLAST's way of writing (a comment there,
 * CDATA) is not understood, and then no name is found.
 */
#include "expect/expect.h"
#include "expect/queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOWHERE UINT64_MAX
enum {
    HEAD = 8192 /* bytes of an Iteration in which its names are looked for; less than a batch's history */
};

struct word {
    size_t n;
    char bytes[BM_EXPECT_WORD + 1];
};

struct bm_expect {
    struct bm_queries queries;
    bool has_query; /* the one at hand is still to come */
    bool has_begun;
    bool is_psi;
    uint64_t iteration; /* where the one begins whose names are wanted; NOWHERE: there is none */
    uint64_t n_iterations;
    struct word id; /* of the Iteration at hand */
    struct word title;
    struct word last_id; /* of the one before */
    struct word last_title;
    char path[512]; /* for messages */
};

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_expect_open(struct bm_expect **expect, struct bm_memory *memory, const char *path,
                                      struct blastmerge_error *error) {
    struct bm_expect *made = bm_allocate(memory, sizeof *made);
    *expect = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->iteration = NOWHERE;
    strncpy(made->path, path, sizeof made->path - 1);
    return bm_queries_open(&made->queries, path, error);
}

void bm_expect_close(struct bm_expect *expect, struct bm_memory *memory) {
    if (expect == NULL) return;
    bm_queries_close(&expect->queries);
    bm_release(memory, expect);
}

void bm_expect_field(struct bm_expect *expect, const struct bm_mark_field *field) {
    static const char *const names[] = {"psiblast", "deltablast", "blastpgp"};
    if (strcmp(field->name, "BlastOutput_program") != 0) return;
    expect->is_psi = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        expect->is_psi = expect->is_psi || strcmp(field->value, names[i]) == 0;
}

/* --- an Iteration's names -------------------------------------------------------------------------- */

/* The next character, and its length: a reference stands for another. */
static char take_character(const char *text, size_t n_text, size_t *n_used) {
    static const struct {
        const char *reference;
        char character;
    } references[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; *text == '&' && i < sizeof references / sizeof references[0]; i++) {
        *n_used = strlen(references[i].reference);
        if (*n_used <= n_text && memcmp(text, references[i].reference, *n_used) == 0)
            return references[i].character;
    }
    *n_used = 1;
    return *text;
}

static bool is_white(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first word behind the tag. */
static void find_word(struct word *word, const char *text, size_t n_text, const char *tag) {
    const char *end = text + n_text;
    const char *found = memmem(text, n_text, tag, strlen(tag));
    word->n = 0;
    if (found != NULL) found += strlen(tag);
    while (found != NULL && found < end && is_white(*found)) found++;
    while (found != NULL && found < end && *found != '<' && !is_white(*found) && word->n < BM_EXPECT_WORD) {
        size_t n_used = 1;
        word->bytes[word->n++] = take_character(found, (size_t)(end - found), &n_used);
        found += n_used;
    }
    word->bytes[word->n] = '\0';
}

/* What BLAST calls a query without a name. */
static bool is_nameless(const char *text, size_t n_text) {
    static const char *const titles[] = {"<Iteration_query-def>No definition line<",
                                         "<Iteration_query-def>unnamed protein product<",
                                         "<Iteration_query-def><", "<Iteration_query-def/>"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (memmem(text, n_text, titles[i], strlen(titles[i])) != NULL) return true;
    return false;
}

static void read_names(struct bm_expect *expect, const struct bm_batch *batch, uint64_t to) {
    const char *text = (const char *)batch->text + (int64_t)(expect->iteration - batch->text_offset);
    size_t n_text = (size_t)(to - expect->iteration);
    const char *hits = memmem(text, n_text, "<Iteration_hits", strlen("<Iteration_hits"));
    if (hits != NULL) n_text = (size_t)(hits - text);
    expect->last_id = expect->id;
    expect->last_title = expect->title;
    find_word(&expect->id, text, n_text, "<Iteration_query-ID>");
    find_word(&expect->title, text, n_text, "<Iteration_query-def>");
    if (is_nameless(text, n_text)) expect->title.n = 0;
    expect->title.bytes[expect->title.n] = '\0';
    expect->iteration = NOWHERE;
    expect->n_iterations++;
}

/* --- whether they fit ------------------------------------------------------------------------------ */

/* BLAST turns UTF-8 into ISO-8859-1 as far as it can: whether the word is the name's either way. */
static bool is_same(const char *name, size_t n_name, const struct word *word) {
    size_t n = 0;
    if (n_name == word->n && memcmp(name, word->bytes, n_name) == 0) return true;
    for (size_t i = 0; i < n_name; i++, n++) {
        unsigned byte = (unsigned char)name[i];
        if ((byte & 0xfe) == 0xc2 && i + 1 < n_name)
            byte = (byte & 3) << 6 | ((unsigned char)name[++i] & 0x3f);
        if (n == word->n || (unsigned char)word->bytes[n] != byte) return false;
    }
    return n == word->n;
}

/* Whether an id is one that BLAST makes of a name with bars: "sp|P12345|X" P12345, "gnl|db|x" db:x. */
static bool is_made_of(const struct word *id, const char *name) {
    size_t n_part = 0;
    if (id->n == 0) return false;
    if (strncmp(name, "gnl|", 4) == 0) {
        const char *bar = strchr(name + 4, '|');
        size_t n_database = bar == NULL ? 0 : (size_t)(bar - name) - 4;
        if (bar != NULL && id->n == n_database + strlen(bar) &&
            memcmp(id->bytes, name + 4, n_database) == 0 && id->bytes[n_database] == ':' &&
            strcmp(id->bytes + n_database + 1, bar + 1) == 0)
            return true;
    }
    for (const char *part = name; *part != '\0'; part += n_part + (part[n_part] == '|')) {
        n_part = strcspn(part, "|");
        if (part == name && part[n_part] == '\0') return false; /* there is no bar */
        size_t n_plain = n_part;                                /* without its version */
        while (n_plain > 0 && part[n_plain - 1] >= '0' && part[n_plain - 1] <= '9') n_plain--;
        bool has_version = n_plain > 1 && n_plain < n_part && part[n_plain - 1] == '.';
        bool is_plain = has_version && id->n == n_plain - 1;
        if ((id->n == n_part || is_plain) && memcmp(id->bytes, part, id->n) == 0) return true;
    }
    return false;
}

/* Whether the Iteration at hand is of the query at hand. */
static bool fits(const struct bm_expect *expect) {
    const struct bm_queries *queries = &expect->queries;
    if (queries->n_name == 0) return expect->title.n == 0;
    return is_same(queries->name, queries->n_name, &expect->title) ||
           is_same(queries->name, queries->n_name, &expect->id) || is_made_of(&expect->id, queries->name);
}

static bool is_equal(const struct word *one, const struct word *other) {
    return one->n == other->n && memcmp(one->bytes, other->bytes, one->n) == 0;
}

/* Another round of PSI-BLAST with the query before. */
static bool is_another_round(const struct bm_expect *expect) {
    return expect->is_psi && expect->n_iterations > 1 && is_equal(&expect->id, &expect->last_id) &&
           is_equal(&expect->title, &expect->last_title);
}

/* --- what to say if not ---------------------------------------------------------------------------- */

static enum blastmerge_status next_query(struct bm_expect *expect, struct blastmerge_error *error) {
    return bm_queries_next(&expect->queries, &expect->has_query, error);
}

static const char *shown(const char *name) {
    return name[0] == '\0' ? "(without a name)" : name;
}

/* None of the queries from the one at hand on fits: is there one before? */
static enum blastmerge_status fail(struct bm_expect *expect, const struct bm_expect_gap *expected,
                                   struct blastmerge_error *error) {
    const char *name = expect->title.n > 0 ? expect->title.bytes : expect->id.bytes;
    bool is_before = false;
    bm_queries_rewind(&expect->queries);
    do {
        enum blastmerge_status status = next_query(expect, error);
        if (status != BLASTMERGE_OK) return status;
        is_before = expect->has_query && fits(expect);
    } while (expect->has_query && !is_before);
    const char *why = is_before ? "it is that of number " : "there is no such query";
    char number[32] = "";
    if (is_before) snprintf(number, sizeof number, "%" PRIu64, expect->queries.number);
    if (expected->n == 0) {
        return bm_fail(error, BLASTMERGE_MISMATCH,
                       "an Iteration is of the query %.200s, behind the last one of %.200s: %s%s%s",
                       shown(name), expect->path, why, number,
                       is_before ? ", and doubled or out of order" : "");
    }
    return bm_fail(error, BLASTMERGE_MISMATCH,
                   "an Iteration is of the query %.150s, where number %" PRIu64
                   " of %.150s, %.150s, was expected: %s%s%s",
                   shown(name), expected->first, expect->path, shown(expected->name), why, number,
                   is_before ? ", and doubled or out of order" : "");
}

/* Goes on to the query that fits. */
static enum blastmerge_status find_query(struct bm_expect *expect, struct bm_expect_gap *gap,
                                         struct blastmerge_error *error) {
    gap->first = expect->queries.number;
    memcpy(gap->name, expect->queries.name, sizeof gap->name);
    while (expect->has_query && !fits(expect)) {
        gap->n++;
        memcpy(gap->last_name, expect->queries.name, sizeof gap->last_name);
        enum blastmerge_status status = next_query(expect, error);
        if (status != BLASTMERGE_OK) return status;
    }
    return expect->has_query ? BLASTMERGE_OK : fail(expect, gap, error);
}

static enum blastmerge_status take_names(struct bm_expect *expect, struct bm_expect_gap *gap,
                                         struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    if (is_another_round(expect)) return BLASTMERGE_OK;
    if (!expect->has_begun || expect->has_query) status = next_query(expect, error);
    expect->has_begun = true;
    return status == BLASTMERGE_OK ? find_query(expect, gap, error) : status;
}

bool bm_expect_take(struct bm_expect *expect, const struct bm_mark_list *marks, size_t *position,
                    const struct bm_batch *batch, uint64_t scanned, struct bm_expect_gap *gap,
                    enum blastmerge_status *status, struct blastmerge_error *error) {
    uint64_t to = NOWHERE;
    gap->n = 0;
    *status = BLASTMERGE_OK;
    while (to == NOWHERE && *position < marks->n_entries) {
        const struct bm_mark_entry *mark = &marks->entries[(*position)++];
        if (mark->kind == BM_MARK_ITERATION) expect->iteration = mark->offset;
        if (mark->kind == BM_MARK_ITERATION_END && expect->iteration != NOWHERE) to = mark->offset;
    }
    if (expect->iteration == NOWHERE) return false;
    if (to == NOWHERE && scanned - expect->iteration < HEAD) return false;
    if (to == NOWHERE || to - expect->iteration > HEAD) to = expect->iteration + HEAD;
    read_names(expect, batch, to);
    *status = take_names(expect, gap, error);
    return true;
}

enum blastmerge_status bm_expect_end(struct bm_expect *expect, struct bm_expect_gap *gap,
                                     struct blastmerge_error *error) {
    gap->n = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (!expect->has_begun || expect->has_query) status = next_query(expect, error);
    expect->has_begun = true;
    gap->first = expect->queries.number;
    memcpy(gap->name, expect->queries.name, sizeof gap->name);
    for (; status == BLASTMERGE_OK && expect->has_query; gap->n++) {
        memcpy(gap->last_name, expect->queries.name, sizeof gap->last_name);
        status = next_query(expect, error);
    }
    return status;
}
