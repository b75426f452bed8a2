/* SPDX-License-Identifier: MIT */
/*
 * An Iteration is identified by the first word of its Iteration_query-def, by its Iteration_query-ID if BLAST
 * parsed the definition lines (-parse_deflines), and by its Iteration_query-len. All are in its first lines: as
 * soon as these have been scanned, the fields are searched for in the text. Text that BLAST does not write there
 * (a comment, CDATA) is not parsed, and then nothing is found.
 */
#include "queries/queries.h"
#include "base/entity.h"
#include "base/utf8.h"
#include "queries/file.h"
#include "queries/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOWHERE UINT64_MAX
enum {
    HEAD = 8192, /* bytes of an Iteration in which its names are looked for; less than a batch's history */
    MOST_READS = 16, /* of the whole file, for queries of the same name */
    N_RANGES = 3
};

/* What is known of an Iteration. */
struct iteration {
    struct bm_queries_word id;
    struct bm_queries_word title;
    bool is_nameless; /* its title is BLAST's for a query without one */
    bool has_length;
    uint64_t length;
};

/* -query_loc: what BLAST calls a query's length is that of a part of it, the same of each query, or what is
 * left of it behind the same place. */
struct located {
    uint64_t longest_whole; /* of the queries whose length is all of them */
    uint64_t length;        /* of the first part; 0: none yet */
    uint64_t left_out[N_RANGES - 1];
};

struct bm_queries {
    struct bm_queries_file file;
    struct bm_queries_file others; /* looks for a query of the same name */
    struct bm_queries_names names; /* of the current query */
    struct bm_queries_names other_names;
    bool has_query;
    bool is_psi;
    bool is_begin;      /* of a document */
    bool is_first;      /* the current Iteration, of its document */
    bool is_blast_plus; /* so that lengths count as its reader of FASTA counts them */
    uint64_t iteration; /* where the one begins whose names are wanted; NOWHERE: there is none */
    bool is_open;       /* an Iteration whose names were taken has not come to its end ... */
    struct bm_queries_file_place before; /* ... and this is where its query is expected */
    bool has_left;                       /* bm_queries_leave() was called since the last Iteration */
    uint64_t n_iterations;
    uint64_t n_bytes_read; /* of the file, looking for a query of the same name */
    struct located located;
    struct iteration header; /* what the document's header says */
    struct iteration current;
    struct iteration last;
    char path[512]; /* for messages */
};

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_queries_open(struct bm_queries **queries, struct bm_memory *memory,
                                       const char *path, struct bm_cancel *cancel,
                                       struct blastmerge_error *error) {
    struct bm_queries *made = bm_allocate(memory, sizeof *made);
    *queries = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->iteration = NOWHERE;
    blastmerge_show_location(strcmp(path, "-") == 0 ? "standard input" : path, made->path, sizeof made->path);
    enum blastmerge_status status = bm_queries_file_open(&made->file, path, cancel, error);
    if (status == BLASTMERGE_OK) bm_queries_file_share(&made->others, &made->file);
    return status;
}

void bm_queries_close(struct bm_queries *queries, struct bm_memory *memory) {
    if (queries == NULL) return;
    bm_queries_file_close(&queries->file);
    bm_release(memory, queries);
}

/* --- what an Iteration says -------------------------------------------------------------------------- */

/* The text behind a tag, up to the next tag or the end. False: there is no such tag. */
static bool find_content(const char **content, size_t *n, const char *text, size_t n_text, const char *tag) {
    const char *found = memmem(text, n_text, tag, strlen(tag));
    if (found == NULL) return false;
    *content = found + strlen(tag);
    size_t n_rest = (size_t)(text + n_text - *content);
    const char *end = memchr(*content, '<', n_rest);
    *n = end == NULL ? n_rest : (size_t)(end - *content);
    return true;
}

/* The text with its references resolved, at most `capacity` bytes. */
static size_t unescape(char *to, size_t capacity, const char *text, size_t n_text) {
    size_t n = 0;
    while (n_text > 0 && n + 4 <= capacity) {
        size_t n_used = 1;
        uint32_t code = 0;
        const char *end = *text == '&' ? memchr(text, ';', n_text < 16 ? n_text : 16) : NULL;
        if (end != NULL) {
            size_t n_name = (size_t)(end - text) - 1;
            code = text[1] == '#' ? bm_entity_number(text + 1, n_name)
                                  : (uint8_t)bm_entity_find(text + 1, n_name);
            if (code != 0) n_used = n_name + 2;
        }
        if (code != 0)
            n += bm_utf8_write(to + n, code);
        else
            to[n++] = *text;
        text += n_used;
        n_text -= n_used;
    }
    return n;
}

static void read_title(struct iteration *iteration, const char *content, size_t n) {
    char title[BM_QUERIES_TITLE];
    size_t n_title = unescape(title, sizeof title, content, n);
    bm_queries_word_of_title(&iteration->title, title, n_title, n_title + 4 > sizeof title);
    iteration->is_nameless = bm_mark_is_unnamed(content, n);
}

static void read_id(struct iteration *iteration, const char *content, size_t n) {
    char id[BM_QUERIES_WORD];
    size_t n_id = unescape(id, sizeof id, content, n);
    size_t from = 0;
    while (from < n_id && ((unsigned char)id[from]) <= ' ') from++;
    size_t to = from;
    while (to < n_id && (unsigned char)id[to] > ' ') to++;
    iteration->id.n = to - from;
    memcpy(iteration->id.bytes, id + from, to - from);
    iteration->id.bytes[to - from] = '\0';
}

static void read_length(struct iteration *iteration, const char *content, size_t n) {
    uint64_t length = 0;
    size_t i = 0;
    for (; i < n && i < 18 && content[i] >= '0' && content[i] <= '9'; i++)
        length = length * 10 + (uint64_t)(content[i] - '0');
    iteration->has_length = i > 0 && i == n;
    iteration->length = length;
}

void bm_queries_field(struct bm_queries *queries, const struct bm_mark_field *field) {
    if (strcmp(field->name, "BlastOutput_version") == 0) {
        size_t n = strlen(field->value);
        queries->is_blast_plus = n > 0 && field->value[n - 1] == '+';
    }
    if (strcmp(field->name, "BlastOutput_query-ID") == 0)
        read_id(&queries->header, field->value, field->n_value);
    if (strcmp(field->name, "BlastOutput_query-def") == 0)
        read_title(&queries->header, field->value, field->n_value);
    if (strcmp(field->name, "BlastOutput_query-len") == 0)
        read_length(&queries->header, field->value, field->n_value);
    if (strcmp(field->name, "BlastOutput_program") != 0) return;
    memset(&queries->header, 0, sizeof queries->header);
    queries->is_begin = true;
    queries->is_psi = bm_mark_is_of_psi(field);
}

static void read_iteration(struct bm_queries *queries, const struct bm_batch *batch, uint64_t to) {
    const char *text = (const char *)bm_batch_at(batch, queries->iteration);
    size_t n_text = (size_t)(to - queries->iteration);
    const char *hits = memmem(text, n_text, "<Iteration_hits", strlen("<Iteration_hits"));
    if (hits != NULL) n_text = (size_t)(hits - text);
    const char *content;
    size_t n;
    queries->last = queries->current;
    queries->is_first = queries->is_begin;
    queries->is_begin = false;
    memset(&queries->current, 0, sizeof queries->current);
    /* Old BLAST XML names the query in the header alone. */
    bool is_in_header = memmem(text, n_text, "<Iteration_query-", strlen("<Iteration_query-")) == NULL;
    if (is_in_header && (queries->is_first || queries->is_psi)) queries->current = queries->header;
    if (find_content(&content, &n, text, n_text, "<Iteration_query-ID>"))
        read_id(&queries->current, content, n);
    if (find_content(&content, &n, text, n_text, "<Iteration_query-len>"))
        read_length(&queries->current, content, n);
    if (find_content(&content, &n, text, n_text, "<Iteration_query-def>"))
        read_title(&queries->current, content, n);
    else if (!is_in_header)
        queries->current.is_nameless = memmem(text, n_text, "<Iteration_query-def/>", 22) != NULL;
    queries->iteration = NOWHERE;
    queries->n_iterations++;
}

/* --- whether they fit ------------------------------------------------------------------------------ */

/* How an Iteration's names are a query's. */
enum way {
    BY_NOTHING,
    BY_TITLE, /* the title is the query's */
    BY_ID,    /* the id is made of the query's first word */
    BY_RANGE, /* BLAST made up an id, since the first word ends in a range; what follows is the title */
    BY_LENGTH /* neither has a name */
};

static enum way find_way(const struct bm_queries_names *names, const struct iteration *iteration,
                         bool is_blast_plus) {
    bool is_generated = bm_queries_word_is_generated(&iteration->id);
    bool has_title = names->title.n > 0;
    if (iteration->id.n > 0 && bm_queries_word_is_id_of(&iteration->id, &names->token)) return BY_ID;
    if (has_title && (is_generated || !is_blast_plus) && iteration->title.n > 0 &&
        (bm_queries_word_is_same(&names->title, &iteration->title) ||
         bm_queries_word_is_same(&names->plain, &iteration->title) ||
         bm_queries_word_is_same(&names->token, &iteration->title)))
        return BY_TITLE;
    if (!is_generated) return BY_NOTHING;
    if (names->has_range && names->rest.n > 0 && bm_queries_word_is_same(&names->rest, &iteration->title))
        return BY_RANGE;
    if (iteration->is_nameless && (!has_title || (names->has_range && names->rest.n == 0))) return BY_LENGTH;
    return BY_NOTHING;
}

static bool is_whole(const struct bm_queries_file *file, const struct iteration *iteration) {
    return iteration->length == file->n_residues || iteration->length == file->n_bases;
}

/* Whether the length can be that of a part, as it was of the Iterations before. */
static bool is_part(const struct located *located, const struct bm_queries_file *file, uint64_t length) {
    if (length >= file->n_residues || length < located->longest_whole) return false;
    if (located->length == 0 || length == located->length) return true;
    uint64_t left_out = file->n_residues - length;
    for (int i = 0; i < N_RANGES - 1; i++)
        if (located->left_out[i] == left_out) return true;
    return length < located->length && located->left_out[1] == 0;
}

/* The query's length fits, and what follows must go with it. */
static void note_length(struct bm_queries *queries) {
    struct located *located = &queries->located;
    const struct bm_queries_file *file = &queries->file;
    uint64_t length = queries->current.length;
    if (!file->has_length || !queries->current.has_length || !queries->is_blast_plus) return;
    if (is_whole(file, &queries->current)) {
        if (length > located->longest_whole) located->longest_whole = length;
    } else if (length < file->n_residues) {
        if (located->length == 0) {
            located->length = length;
            located->left_out[0] = file->n_residues - length;
        } else if (length < located->length) {
            located->left_out[1] = file->n_residues - length;
        }
    }
}

/* With -parse_deflines BLAST (but not PSI-BLAST) takes all queries of one id for the first of them: whether
 * there is another with that id, of the Iteration's length. Only so often as keeps work linear; then it is
 * believed. */
static enum blastmerge_status find_namesake(struct bm_queries *queries, bool *is_found,
                                            struct blastmerge_error *error) {
    struct bm_queries_file *others = &queries->others;
    bool has_query = true;
    *is_found = queries->n_bytes_read / MOST_READS > queries->file.n_bytes;
    bm_queries_file_rewind(others, true);
    while (has_query && !*is_found && others->number + 1 < queries->file.number) {
        enum blastmerge_status status = bm_queries_file_next(others, &has_query, error);
        if (status != BLASTMERGE_OK) return status;
        if (!has_query || !others->has_length || !is_whole(others, &queries->current)) continue;
        bm_queries_names_read(&queries->other_names, others->title, others->n_title, others->is_cut);
        *is_found = find_way(&queries->other_names, &queries->current, true) == BY_ID;
    }
    queries->n_bytes_read += bm_queries_file_place(others).offset;
    return BLASTMERGE_OK;
}

/* Whether the current Iteration is of the current query. */
static enum blastmerge_status look(struct bm_queries *queries, bool *fits, struct blastmerge_error *error) {
    const struct bm_queries_file *file = &queries->file;
    const struct iteration *iteration = &queries->current;
    enum way way = find_way(&queries->names, iteration, queries->is_blast_plus);
    *fits = way != BY_NOTHING;
    if (!*fits || !file->has_length || !iteration->has_length || !queries->is_blast_plus)
        return BLASTMERGE_OK;
    if (is_whole(file, iteration)) return BLASTMERGE_OK;
    *fits = way != BY_LENGTH && is_part(&queries->located, file, iteration->length);
    if (*fits || queries->is_psi || (way != BY_ID && !(way == BY_LENGTH && iteration->id.n > 0)))
        return BLASTMERGE_OK;
    return find_namesake(queries, fits, error);
}

static bool is_equal(const struct bm_queries_word *one, const struct bm_queries_word *other) {
    return one->n == other->n && memcmp(one->bytes, other->bytes, one->n) == 0;
}

/* Another round of PSI-BLAST with the query before. */
static bool is_another_round(const struct bm_queries *queries) {
    return queries->is_psi && !queries->is_first && is_equal(&queries->current.id, &queries->last.id) &&
           is_equal(&queries->current.title, &queries->last.title) &&
           queries->current.length == queries->last.length;
}

/* --- the next query -------------------------------------------------------------------------------- */

static enum blastmerge_status next_query(struct bm_queries *queries, struct blastmerge_error *error) {
    struct bm_queries_file *file = &queries->file;
    enum blastmerge_status status = bm_queries_file_next(file, &queries->has_query, error);
    if (status == BLASTMERGE_OK && queries->has_query)
        bm_queries_names_read(&queries->names, file->title, file->n_title, file->is_cut);
    return status;
}

/* Goes back to before the query that is expected. */
static void go_back(struct bm_queries *queries, const struct bm_queries_file_place *place) {
    bm_queries_file_go(&queries->file, place);
}

/* A file without a line that begins with '>' is a list of names; or it is residues and no more, which BLAST
 * reads as one query without a name. The first Iteration tells. */
static enum blastmerge_status try_bare(struct bm_queries *queries, struct blastmerge_error *error) {
    bool fits = false;
    if (queries->file.is_fasta || !queries->current.is_nameless || !queries->current.has_length)
        return BLASTMERGE_OK;
    bm_queries_file_rewind(&queries->file, true);
    enum blastmerge_status status = next_query(queries, error);
    if (status == BLASTMERGE_OK && queries->has_query) status = look(queries, &fits, error);
    bm_queries_file_rewind(&queries->file, fits);
    return status;
}

/* --- what to say if none fits ---------------------------------------------------------------------- */

enum { SHOWN = 140 }; /* bytes of a name as a message shows it */

/* Writes a query's name for a message, which has another one, too, or NULL. */
static const char *show(char shown[SHOWN], const char *name, const char *other) {
    if (name[0] == '\0') return "(without a name)";
    bm_show_difference(shown, SHOWN, name, other != NULL && other[0] != '\0' ? other : NULL);
    return shown;
}

/* How the Iteration's length is another than that of the query that was expected, if it is that alone. */
static void describe_length(const struct bm_queries *queries, char *text, size_t capacity) {
    const struct bm_queries_file *file = &queries->file;
    if (!queries->has_query ||
        find_way(&queries->names, &queries->current, queries->is_blast_plus) == BY_NOTHING)
        return;
    snprintf(text, capacity, "its length is %" PRIu64 ", and that of the query is %" PRIu64,
             queries->current.length, file->n_residues);
}

/* Whether there is a query that fits at all; the current one then. */
static enum blastmerge_status find_any(struct bm_queries *queries, bool *fits,
                                       struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    *fits = false;
    bm_queries_file_rewind(&queries->file, queries->file.is_fasta);
    do {
        status = next_query(queries, error);
        if (status == BLASTMERGE_OK && queries->has_query) status = look(queries, fits, error);
    } while (status == BLASTMERGE_OK && queries->has_query && !*fits);
    return status;
}

/* None of the queries from the expected one on fits: is there one before? */
static enum blastmerge_status fail(struct bm_queries *queries, const struct bm_queries_gap *expected,
                                   const char *length, struct blastmerge_error *error) {
    bool is_titled = bm_queries_word_is_generated(&queries->current.id) && !queries->current.is_nameless;
    const char *name = is_titled ? queries->current.title.bytes : queries->current.id.bytes;
    bool is_before = false;
    char why[200] = "there is no such query";
    char ours[SHOWN], theirs[SHOWN];
    enum blastmerge_status status = find_any(queries, &is_before, error);
    if (status != BLASTMERGE_OK) return status;
    if (is_before)
        snprintf(why, sizeof why, "it is number %" PRIu64 ", repeated or out of order", queries->file.number);
    else if (length[0] != '\0')
        snprintf(why, sizeof why, "%s", length);
    if (expected->n == 0) {
        return bm_fail(error, BLASTMERGE_MISMATCH,
                       "an Iteration belongs to the query %s, after the last one of %.150s: %s",
                       show(ours, name, NULL), queries->path, why);
    }
    return bm_fail(error, BLASTMERGE_MISMATCH,
                   "an Iteration belongs to the query %s, but number %" PRIu64
                   " of %.100s, %s, was expected: %s",
                   show(ours, name, expected->name), expected->first, queries->path,
                   show(theirs, expected->name, name), why);
}

/* Goes on to the query that fits. */
static enum blastmerge_status find_query(struct bm_queries *queries, struct bm_queries_gap *gap,
                                         struct blastmerge_error *error) {
    const struct bm_queries_file_place before = bm_queries_file_place(&queries->file);
    struct bm_queries_file_place here = before;
    char length[100] = "";
    bool fits = false;
    enum blastmerge_status status = next_query(queries, error);
    gap->first = queries->file.number;
    memcpy(gap->name, queries->names.token.bytes, sizeof gap->name);
    if (!queries->has_query) gap->name[0] = '\0';
    while (status == BLASTMERGE_OK && queries->has_query) {
        status = look(queries, &fits, error);
        if (status != BLASTMERGE_OK || fits) break;
        if (gap->n++ == 0) describe_length(queries, length, sizeof length);
        memcpy(gap->last_name, queries->names.token.bytes, sizeof gap->last_name);
        here = bm_queries_file_place(&queries->file);
        status = next_query(queries, error);
    }
    if (status != BLASTMERGE_OK) return status;
    if (fits) {
        note_length(queries);
        gap->is_unknown = queries->has_left;
        queries->has_left = false;
        queries->is_open = true;
        queries->before = here;
        return BLASTMERGE_OK;
    }
    status = fail(queries, gap, length, error);
    go_back(queries, &before);
    gap->n = 0;
    return status;
}

/* Whether it is another round of the query before. Queries of one id may stand one after the other. */
static enum blastmerge_status find_round(struct bm_queries *queries, bool *is_round,
                                         struct blastmerge_error *error) {
    const struct bm_queries_file_place before = bm_queries_file_place(&queries->file);
    bool fits = false;
    *is_round = is_another_round(queries);
    if (!*is_round || bm_queries_word_is_generated(&queries->current.id)) return BLASTMERGE_OK;
    enum blastmerge_status status = next_query(queries, error);
    if (status == BLASTMERGE_OK && queries->has_query) status = look(queries, &fits, error);
    go_back(queries, &before);
    *is_round = !fits;
    return status;
}

static enum blastmerge_status take_iteration(struct bm_queries *queries, struct bm_queries_gap *gap,
                                             struct blastmerge_error *error) {
    bool is_round = false;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (queries->n_iterations == 1) status = try_bare(queries, error);
    if (status == BLASTMERGE_OK) status = find_round(queries, &is_round, error);
    if (status != BLASTMERGE_OK || is_round) return status;
    return find_query(queries, gap, error);
}

bool bm_queries_take(struct bm_queries *queries, const struct bm_mark_list *marks, size_t *position,
                     const struct bm_batch *batch, uint64_t scanned, struct bm_queries_gap *gap,
                     enum blastmerge_status *status, struct blastmerge_error *error) {
    uint64_t to = NOWHERE;
    gap->n = 0;
    gap->is_unknown = false;
    *status = BLASTMERGE_OK;
    while (to == NOWHERE && *position < marks->n_entries) {
        const struct bm_mark_entry *mark = &marks->entries[(*position)++];
        if (mark->kind == BM_MARK_ITERATION) queries->iteration = mark->offset;
        if (mark->kind != BM_MARK_ITERATION_END) continue;
        queries->is_open = false;
        if (queries->iteration != NOWHERE) to = mark->offset;
    }
    if (queries->iteration == NOWHERE) return false;
    bool has_end = to != NOWHERE;
    if (to == NOWHERE && scanned - queries->iteration < HEAD) return false;
    if (to == NOWHERE || to - queries->iteration > HEAD) to = queries->iteration + HEAD;
    read_iteration(queries, batch, to);
    *status = take_iteration(queries, gap, error);
    if (has_end) queries->is_open = false;
    return true;
}

void bm_queries_leave(struct bm_queries *queries) {
    if (queries->is_open) go_back(queries, &queries->before);
    queries->is_open = false;
    queries->iteration = NOWHERE;
    queries->has_left = true;
}

enum blastmerge_status bm_queries_end(struct bm_queries *queries, struct bm_queries_gap *gap,
                                      struct blastmerge_error *error) {
    gap->n = 0;
    gap->is_unknown = queries->has_left;
    enum blastmerge_status status = next_query(queries, error);
    gap->first = queries->file.number;
    memcpy(gap->name, queries->names.token.bytes, sizeof gap->name);
    for (; status == BLASTMERGE_OK && queries->has_query; gap->n++) {
        memcpy(gap->last_name, queries->names.token.bytes, sizeof gap->last_name);
        status = next_query(queries, error);
    }
    return status;
}
