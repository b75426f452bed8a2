/* SPDX-License-Identifier: MIT */
/*
 * An Iteration is identified by the first word of its query's title, by its query's id if BLAST parsed the
 * definition lines (-parse_deflines), and by its query's length. All are in its first lines (iteration.c): as soon
 * as these have been scanned, they are read. Tables have no lengths; without comments, a row has one name, which may
 * be either (rows.c).
 *
 * The file is long because all ways in which an Iteration can be a query's, and what a message says if none fits, stand
 * together.
 */
#include "queries/queries.h"
#include "format/format.h"
#include "queries/file.h"
#include "queries/index.h"
#include "queries/iteration.h"
#include "queries/name.h"
#include "queries/rows.h"
#include "queries/way.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOWHERE UINT64_MAX
enum {
    HEAD = 8192, /* bytes of an Iteration in which its names are looked for; less than a batch's history */
    MOST_READS = 16, /* of the whole file, for queries of the same name */
    N_RANGES = 3
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
    bool counts_bases;  /* the program's queries are nucleotides */
    bool is_begin;      /* of a document */
    bool is_first;      /* the current Iteration, of its document */
    bool is_request;    /* archives: the first query of a request is to come ... */
    bool is_round;      /* ... or came, and is that of the request before: a later round of PSI-BLAST */
    bool is_blast_plus; /* so that lengths count as its reader of FASTA counts them */
    enum blastmerge_format format;
    struct bm_queries_rows rows; /* tables without comments ... */
    bool is_in_rows;             /* ... the current Iteration may have more rows */
    uint64_t iteration;          /* where the one begins whose names are wanted; NOWHERE: there is none */
    bool is_open;                /* an Iteration whose names were taken has not come to its end ... */
    struct bm_queries_file_place before; /* ... and this is where its query is expected */
    bool has_left;                       /* bm_queries_leave() was called since the last Iteration */
    uint64_t n_iterations;
    uint64_t n_bytes_read; /* of the file, looking for a query of the same name */
    struct located located;
    struct bm_queries_iteration header; /* what the document's header says */
    struct bm_queries_iteration current;
    struct bm_queries_iteration last;
    struct bm_queries_iteration row; /* tables without comments: the one that may be the next */
    char path[512];                  /* for messages */

    /* in any order */
    struct bm_queries_index *index; /* NULL: in their own */
    bm_queries_is_taken *is_taken;
    void *context; /* of is_taken */
    struct bm_queries_taken taken;
    bool has_looked; /* the file is anywhere */
};

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_queries_open(struct bm_queries **queries, struct bm_memory *memory,
                                       const char *path, const char *beside, struct bm_cancel *cancel,
                                       struct blastmerge_error *error) {
    struct bm_queries *made = bm_allocate(memory, sizeof *made);
    *queries = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->iteration = NOWHERE;
    made->file.beside = beside;
    blastmerge_show_location(strcmp(path, "-") == 0 ? "standard input" : path, made->path, sizeof made->path);
    enum blastmerge_status status =
        bm_queries_file_open(&made->file, "the file of queries", path, cancel, error);
    if (status == BLASTMERGE_OK) bm_queries_file_share(&made->others, &made->file);
    return status;
}

void bm_queries_close(struct bm_queries *queries, struct bm_memory *memory) {
    if (queries == NULL) return;
    bm_queries_index_close(queries->index, memory);
    bm_queries_file_close(&queries->file);
    bm_release(memory, queries);
}

void bm_queries_share(const struct bm_queries *queries, struct bm_queries_file *file) {
    bm_queries_file_share(file, &queries->file);
}

/* --- what an Iteration says -------------------------------------------------------------------------- */

void bm_queries_set_format(struct bm_queries *queries, enum blastmerge_format format) {
    queries->format = format;
}

static void begin_document(struct bm_queries *queries, const struct bm_mark_field *field) {
    memset(&queries->header, 0, sizeof queries->header);
    queries->is_begin = true;
    static const char *const of_bases[] = {"blastn", "blastx", "tblastx", "megablast"};
    queries->counts_bases = false;
    for (size_t i = 0; i < sizeof of_bases / sizeof of_bases[0]; i++)
        queries->counts_bases = queries->counts_bases || strcmp(field->value, of_bases[i]) == 0;
    queries->is_psi = bm_mark_is_of_psi(field) || strcmp(field->value, "PSIBLAST") == 0;
}

/* Tables have no lengths, and their programs' versions do not matter. */
static bool is_version(const struct bm_queries *queries, const char *name) {
    return strcmp(name, "BlastOutput_version") == 0 ||
           (!bm_format_is_table(queries->format) && strcmp(name, "version") == 0);
}

void bm_queries_field(struct bm_queries *queries, const struct bm_mark_field *field) {
    if (is_version(queries, field->name)) {
        size_t n = strlen(field->value);
        queries->is_blast_plus = n > 0 && field->value[n - 1] == '+';
    }
    if (strcmp(field->name, "BlastOutput_query-ID") == 0)
        bm_queries_iteration_read_id(&queries->header, field->value, field->n_value);
    if (strcmp(field->name, "BlastOutput_query-def") == 0)
        bm_queries_iteration_read_title(&queries->header, field->value, field->n_value);
    if (strcmp(field->name, "BlastOutput_query-len") == 0)
        bm_queries_iteration_read_length(&queries->header, field->value, field->n_value);
    if (strcmp(field->name, "BlastOutput_program") == 0 || strcmp(field->name, "program") == 0)
        begin_document(queries, field);
    if (bm_format_of(queries->format)->has_archives && strcmp(field->name, "service") == 0)
        queries->is_psi = strcmp(field->value, "psi") == 0;
}

static void begin_iteration(struct bm_queries *queries) {
    queries->last = queries->current;
    queries->is_first = queries->is_begin;
    queries->is_begin = false;
    queries->n_iterations++;
    memset(&queries->current, 0, sizeof queries->current);
}

static void read_iteration(struct bm_queries *queries, const struct bm_batch *batch, uint64_t to) {
    size_t n_text = (size_t)(to - queries->iteration);
    const char *text = (const char *)bm_batch_at(batch, queries->iteration, n_text);
    begin_iteration(queries);
    queries->taken.offset = queries->iteration;
    queries->iteration = NOWHERE;
    if (bm_queries_iteration_read(&queries->current, queries->format, text, n_text)) return;
    /* Old BLAST XML names the query in the header alone. */
    bool is_in_header = bm_format_of(queries->format)->has_header && (queries->is_first || queries->is_psi);
    if (is_in_header) queries->current = queries->header;
}

/* --- whether they fit ------------------------------------------------------------------------------ */

static bool is_whole(const struct bm_queries_file *file, const struct bm_queries_iteration *iteration) {
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
        *is_found = bm_queries_find_way(&queries->other_names, &queries->current, true) == BM_QUERIES_BY_ID;
    }
    queries->n_bytes_read += bm_queries_file_place(others).offset;
    return BLASTMERGE_OK;
}

/* Whether the current Iteration is of the current query. */
static enum blastmerge_status look(struct bm_queries *queries, bool *fits, struct blastmerge_error *error) {
    const struct bm_queries_file *file = &queries->file;
    const struct bm_queries_iteration *iteration = &queries->current;
    enum bm_queries_way way = bm_queries_find_way(&queries->names, iteration, queries->is_blast_plus);
    *fits = way != BM_QUERIES_BY_NOTHING;
    if (!*fits || !file->has_length || !iteration->has_length || !queries->is_blast_plus)
        return BLASTMERGE_OK;
    if (is_whole(file, iteration)) return BLASTMERGE_OK;
    *fits = way != BM_QUERIES_BY_LENGTH && is_part(&queries->located, file, iteration->length);
    if (*fits || queries->is_psi ||
        (way != BM_QUERIES_BY_ID && !(way == BM_QUERIES_BY_LENGTH && iteration->id.n > 0)))
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
    if (!queries->has_query || bm_queries_find_way(&queries->names, &queries->current,
                                                   queries->is_blast_plus) == BM_QUERIES_BY_NOTHING)
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

/* Why an Iteration's query is not found. expected: a name of the file, or NULL. Accessions alone are names elsewhere (get). */
static const char *explain_none(const char *name, const char *expected) {
    bool may_be_accessions = strchr(name, '|') != NULL && (expected == NULL || strchr(expected, '|') == NULL);
    return may_be_accessions ? "there is no such query (a name is the whole first word of a definition line)"
                             : "there is no such query";
}

/* None of the queries from the expected one on fits: is there one before? */
static enum blastmerge_status fail(struct bm_queries *queries, const struct bm_queries_gap *expected,
                                   const char *length, struct blastmerge_error *error) {
    bool is_titled = bm_queries_word_is_generated(&queries->current.id) && !queries->current.is_nameless;
    const char *name = is_titled ? queries->current.title.bytes : queries->current.id.bytes;
    bool is_before = false;
    char why[200];
    char ours[SHOWN], theirs[SHOWN];
    enum blastmerge_status status = find_any(queries, &is_before, error);
    if (status != BLASTMERGE_OK) return status;
    if (is_before)
        snprintf(why, sizeof why, "it is number %" PRIu64 ", repeated or out of order", queries->file.number);
    else
        snprintf(why, sizeof why, "%s",
                 length[0] != '\0' ? length : explain_none(name, expected->n > 0 ? expected->name : NULL));
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

/* Where the next query begins in the file. */
static uint64_t begin_of(const struct bm_queries_file_place *place) {
    return place->offset - place->is_at_title;
}

/* The current query, or the end, is the first one that may be missing. */
static void begin_gap(const struct bm_queries *queries, const struct bm_queries_file_place *before,
                      struct bm_queries_gap *gap) {
    gap->first = queries->file.number;
    gap->from = begin_of(before);
    gap->is_bare = queries->file.is_fasta && queries->file.is_bare;
    memcpy(gap->name, queries->names.token.bytes, sizeof gap->name);
    if (!queries->has_query) gap->name[0] = '\0';
}

/* Goes on to the query that fits. */
static enum blastmerge_status find_query(struct bm_queries *queries, struct bm_queries_gap *gap,
                                         struct blastmerge_error *error) {
    const struct bm_queries_file_place before = bm_queries_file_place(&queries->file);
    struct bm_queries_file_place here = before;
    char length[100] = "";
    bool fits = false;
    enum blastmerge_status status = next_query(queries, error);
    begin_gap(queries, &before, gap);
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
        gap->to = begin_of(&here);
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
    bool is_archive = bm_format_of(queries->format)->has_archives;
    *is_round = is_archive ? queries->is_round : is_another_round(queries);
    if (!*is_round || is_archive || bm_queries_word_is_generated(&queries->current.id)) return BLASTMERGE_OK;
    enum blastmerge_status status = next_query(queries, error);
    if (status == BLASTMERGE_OK && queries->has_query) status = look(queries, &fits, error);
    go_back(queries, &before);
    *is_round = !fits;
    return status;
}

/* --- in any order ---------------------------------------------------------------------------------- */

enum blastmerge_status bm_queries_allow_any_order(struct bm_queries *queries, struct bm_memory *memory,
                                                  bm_queries_is_taken *is_taken, void *context,
                                                  struct bm_cancel *cancel, struct blastmerge_error *error) {
    queries->is_taken = is_taken;
    queries->context = context;
    return bm_queries_index_open(&queries->index, memory, &queries->others, false, cancel, error);
}

const struct bm_queries_taken *bm_queries_last_taken(const struct bm_queries *queries) {
    return &queries->taken;
}

bool bm_queries_is_of_psi(const struct bm_queries *queries) {
    return queries->is_psi;
}

/* Looks at one query. It is taken if it fits, and is the first that does; *n_fits counts the others, too. */
static enum blastmerge_status try_query(struct bm_queries *queries, const struct bm_queries_file_place *place,
                                        unsigned *n_fits, uint64_t *repeated,
                                        struct blastmerge_error *error) {
    bool fits = false;
    if (*n_fits > 0 && place->number + 1 == queries->taken.number) return BLASTMERGE_OK; /* by another name */
    go_back(queries, place);
    enum blastmerge_status status = next_query(queries, error);
    if (status == BLASTMERGE_OK && queries->has_query) status = look(queries, &fits, error);
    if (status != BLASTMERGE_OK || !fits) return status;
    enum bm_queries_way way = bm_queries_find_way(&queries->names, &queries->current, queries->is_blast_plus);
    uint64_t length = queries->counts_bases ? queries->file.n_bases : queries->file.n_residues;
    bool is_other = way == BM_QUERIES_BY_LENGTH && queries->current.has_length && queries->file.has_length &&
                    queries->current.length != length;
    if (is_other) return BLASTMERGE_OK;
    int is_taken = queries->is_taken(queries->context, queries->file.number, error);
    if (is_taken < 0) return error->status;
    if (is_taken > 0) {
        *repeated = queries->file.number;
        return BLASTMERGE_OK;
    }
    if (++*n_fits > 1) return BLASTMERGE_OK;
    queries->taken.number = queries->file.number;
    queries->taken.is_own = way != BM_QUERIES_BY_ID && bm_queries_word_is_generated(&queries->current.id);
    note_length(queries);
    return BLASTMERGE_OK;
}

static enum blastmerge_status fail_lookup(const struct bm_queries *queries, uint64_t repeated,
                                          struct blastmerge_error *error) {
    char shown[SHOWN];
    char why[96];
    bool is_titled = bm_queries_word_is_generated(&queries->current.id) && !queries->current.is_nameless;
    const char *name = is_titled ? queries->current.title.bytes : queries->current.id.bytes;
    if (repeated > 0)
        snprintf(why, sizeof why, "it is number %" PRIu64 ", which has one already", repeated);
    else
        snprintf(why, sizeof why, "%s", explain_none(name, NULL));
    return bm_fail(error, BLASTMERGE_MISMATCH, "an Iteration belongs to the query %s of %.150s: %s",
                   show(shown, name, NULL), queries->path, why);
}

static enum blastmerge_status find_in_any_order(struct bm_queries *queries, struct blastmerge_error *error) {
    struct bm_queries_file_place place;
    struct bm_queries_index *index = queries->index;
    unsigned n_fits = 0;
    uint64_t repeated = 0;
    *error = (struct blastmerge_error){0};
    bm_queries_index_find(index, &queries->current);
    while (n_fits < 2 && bm_queries_index_next(index, &place, error))
        if (try_query(queries, &place, &n_fits, &repeated, error) != BLASTMERGE_OK) return error->status;
    if (error->status != BLASTMERGE_OK) return error->status;
    queries->taken.is_one_of_many = n_fits > 1 || (repeated > 0 && n_fits > 0);
    queries->has_looked = true;
    return n_fits > 0 ? BLASTMERGE_OK : fail_lookup(queries, repeated, error);
}

enum blastmerge_status bm_queries_next_gap(struct bm_queries *queries, struct bm_queries_gap *gap,
                                           struct blastmerge_error *error) {
    gap->n = 0;
    gap->is_unknown = queries->has_left;
    gap->has_no_rows = bm_format_is_bare_table(queries->format);
    if (queries->has_looked) bm_queries_file_rewind(&queries->file, queries->file.is_fasta);
    queries->has_looked = false;
    for (;;) {
        const struct bm_queries_file_place before = bm_queries_file_place(&queries->file);
        enum blastmerge_status status = next_query(queries, error);
        if (status != BLASTMERGE_OK || !queries->has_query) return status;
        int is_taken = queries->is_taken(queries->context, queries->file.number, error);
        if (is_taken < 0) return error->status;
        if (is_taken > 0 && gap->n > 0) return BLASTMERGE_OK;
        if (is_taken > 0) continue;
        if (gap->n++ == 0) begin_gap(queries, &before, gap);
        memcpy(gap->last_name, queries->names.token.bytes, sizeof gap->last_name);
        const struct bm_queries_file_place after = bm_queries_file_place(&queries->file);
        gap->to = begin_of(&after);
    }
}

static enum blastmerge_status take_iteration(struct bm_queries *queries, struct bm_queries_gap *gap,
                                             struct blastmerge_error *error) {
    bool is_round = false;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (queries->index != NULL) return find_in_any_order(queries, error);
    if (queries->n_iterations == 1) status = try_bare(queries, error);
    if (status == BLASTMERGE_OK) status = find_round(queries, &is_round, error);
    if (status != BLASTMERGE_OK || is_round) return status;
    return find_query(queries, gap, error);
}

/* Tables without comments: the next row of another query than the one before. */
static bool take_row(struct bm_queries *queries, const struct bm_mark_list *marks, size_t *position,
                     const struct bm_batch *batch, uint64_t scanned) {
    struct bm_queries_rows *rows = &queries->rows;
    char separator = bm_format_of(queries->format)->separator;
    while (bm_queries_rows_next(rows, separator, marks, position, batch, scanned)) {
        struct bm_queries_iteration *row = &queries->row;
        bm_queries_iteration_read_row(row, rows->name, rows->n_name, separator);
        bool is_same = queries->is_in_rows && is_equal(&row->id, &queries->current.id);
        queries->is_in_rows = rows->is_open;
        if (is_same) continue;
        begin_iteration(queries);
        queries->taken.offset = rows->line;
        queries->current = *row;
        return true;
    }
    queries->is_open = queries->is_open && rows->is_open;
    queries->is_in_rows = queries->is_in_rows && rows->is_open;
    return false;
}

/* The next Iteration whose first lines were scanned. */
static bool take_head(struct bm_queries *queries, const struct bm_mark_list *marks, size_t *position,
                      const struct bm_batch *batch, uint64_t scanned, bool *has_end) {
    uint64_t to = NOWHERE;
    while (to == NOWHERE && *position < marks->n_entries) {
        const struct bm_mark_entry *mark = &marks->entries[(*position)++];
        if (mark->kind == BM_MARK_ARCHIVE) queries->is_request = true;
        if (mark->kind == BM_MARK_ITERATION) {
            queries->iteration = mark->offset;
            queries->is_round = queries->is_request && (mark->flags & BM_MARK_RUN) == 0;
            queries->is_request = false;
        }
        if (mark->kind != BM_MARK_ITERATION_END) continue;
        queries->is_open = false;
        if (queries->iteration != NOWHERE) to = mark->offset;
    }
    if (queries->iteration == NOWHERE) return false;
    *has_end = to != NOWHERE;
    if (to == NOWHERE && scanned - queries->iteration < HEAD) return false;
    if (to == NOWHERE || to - queries->iteration > HEAD) to = queries->iteration + HEAD;
    read_iteration(queries, batch, to);
    return true;
}

bool bm_queries_take(struct bm_queries *queries, const struct bm_mark_list *marks, size_t *position,
                     const struct bm_batch *batch, uint64_t scanned, struct bm_queries_gap *gap,
                     enum blastmerge_status *status, struct blastmerge_error *error) {
    bool has_end = false;
    gap->n = 0;
    gap->is_unknown = false;
    gap->has_no_rows = bm_format_is_bare_table(queries->format);
    *status = BLASTMERGE_OK;
    bool is_taken = gap->has_no_rows ? take_row(queries, marks, position, batch, scanned)
                                     : take_head(queries, marks, position, batch, scanned, &has_end);
    if (!is_taken) return false;
    *status = take_iteration(queries, gap, error);
    if (has_end) queries->is_open = false;
    return true;
}

void bm_queries_leave(struct bm_queries *queries) {
    if (queries->is_open) go_back(queries, &queries->before);
    queries->is_open = false;
    queries->iteration = NOWHERE;
    bm_queries_rows_leave(&queries->rows);
    queries->is_in_rows = false;
    queries->has_left = true;
}

enum blastmerge_status bm_queries_end(struct bm_queries *queries, struct bm_queries_gap *gap,
                                      struct blastmerge_error *error) {
    const struct bm_queries_file_place before = bm_queries_file_place(&queries->file);
    gap->n = 0;
    gap->is_unknown = queries->has_left;
    gap->has_no_rows = bm_format_is_bare_table(queries->format);
    enum blastmerge_status status = next_query(queries, error);
    begin_gap(queries, &before, gap);
    for (; status == BLASTMERGE_OK && queries->has_query; gap->n++) {
        memcpy(gap->last_name, queries->names.token.bytes, sizeof gap->last_name);
        status = next_query(queries, error);
    }
    gap->to = queries->file.n_bytes;
    return status;
}

/* --- what is missing ------------------------------------------------------------------------------- */

static enum blastmerge_status write_bytes(const struct bm_queries *queries, const struct bm_queries_gap *gap,
                                          bm_queries_write *write, void *context, bool *is_open,
                                          struct blastmerge_error *error) {
    char buffer[16384];
    enum blastmerge_status status = BLASTMERGE_OK;
    for (uint64_t at = gap->from; at < gap->to && status == BLASTMERGE_OK;) {
        size_t n_wanted = gap->to - at < sizeof buffer ? (size_t)(gap->to - at) : sizeof buffer;
        ssize_t n = pread(queries->file.file, buffer, n_wanted, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return n < 0 ? bm_fail_system(error, errno, "cannot read %.400s", queries->path)
                         : bm_fail(error, BLASTMERGE_CHANGED, "%.400s changed while it was read",
                                   queries->path);
        status = write(context, buffer, (size_t)n, error);
        *is_open = buffer[n - 1] != '\n' && buffer[n - 1] != '\r';
        at += (uint64_t)n;
    }
    return status;
}

enum blastmerge_status bm_queries_copy(const struct bm_queries *queries, const struct bm_queries_gap *gap,
                                       bm_queries_write *write, void *context,
                                       struct blastmerge_error *error) {
    bool is_open = false;
    enum blastmerge_status status = gap->is_bare ? write(context, ">\n", 2, error) : BLASTMERGE_OK;
    if (status == BLASTMERGE_OK) status = write_bytes(queries, gap, write, context, &is_open, error);
    return status == BLASTMERGE_OK && is_open ? write(context, "\n", 1, error) : status;
}
