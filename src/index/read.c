/* SPDX-License-Identifier: MIT */
#include "index/read.h"

#ifdef BLASTMERGE_SQLITE
#include "format/format.h"
#include "index/database.h"
#include "index/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { N_PARTS = 3, MOST_PART = 1 << 20, N_STATEMENTS = 12 };

#define COLUMNS "number, id, name, accession, length, hits, hsps, evalue, offset, size, crc32, checksum"

/* The first value of a column before another one, and the first behind it. */
#define NEIGHBOURS(column)                                                                                   \
    "SELECT * FROM (SELECT " column " FROM iteration WHERE " column " IS NOT NULL AND " column " < ?1"       \
    " ORDER BY " column " DESC LIMIT 1)"                                                                     \
    " UNION ALL SELECT * FROM (SELECT " column " FROM iteration WHERE " column " IS NOT NULL AND " column    \
    " > ?1 ORDER BY " column " LIMIT 1)"

/* The statements, in the order of their fields below. */
static const char *const statements[N_STATEMENTS] = {
    "SELECT " COLUMNS " FROM iteration WHERE name = ?1 OR id = ?1",
    "SELECT " COLUMNS " FROM iteration WHERE accession = ?1",
    "INSERT OR IGNORE INTO wanted VALUES (?1)",
    "INSERT OR IGNORE INTO wanted SELECT number FROM iteration WHERE number BETWEEN ?1 AND ?2",
    "SELECT count(*) FROM wanted",
    "SELECT count(*) FROM iteration WHERE number BETWEEN ?1 AND ?2",
    "SELECT count(*) FROM iteration WHERE number = ?1 AND id IS NULL",
    "SELECT " COLUMNS " FROM wanted CROSS JOIN iteration USING (number) ORDER BY number",
    "SELECT " COLUMNS " FROM iteration ORDER BY number",
    "SELECT text, bit, window FROM restart WHERE text <= ?1 ORDER BY text DESC LIMIT 1",
    "SELECT bit FROM restart WHERE text >= ?1 ORDER BY text LIMIT 1",
    NEIGHBOURS("name") " UNION ALL " NEIGHBOURS("id") " UNION ALL " NEIGHBOURS("accession"),
};

struct bm_index_read {
    struct bm_memory *memory;
    struct bm_index_database database;
    enum blastmerge_format format;
    bool has_ids; /* an id that is not in the index is Query_ and the number */
    uint64_t n_iterations;
    bool wants_all;
    uint64_t n_read; /* of those that are wanted */
    char *texts[N_PARTS];
    struct bm_index_parts parts;
    struct bm_index_found found; /* a row that a look-up has found */
    struct {
        sqlite3_stmt *find;
        sqlite3_stmt *find_accession;
        sqlite3_stmt *want;
        sqlite3_stmt *want_numbers;
        sqlite3_stmt *count_wanted;
        sqlite3_stmt *count_numbers;
        sqlite3_stmt *count_own;
        sqlite3_stmt *next;
        sqlite3_stmt *next_of_all;
        sqlite3_stmt *start;
        sqlite3_stmt *bound;
        sqlite3_stmt *nearest;
    } statement;
};

static sqlite3_stmt **statement_at(struct bm_index_read *read, size_t i) {
    sqlite3_stmt **const all[N_STATEMENTS] = {
        &read->statement.find,         &read->statement.find_accession, &read->statement.want,
        &read->statement.want_numbers, &read->statement.count_wanted,   &read->statement.count_numbers,
        &read->statement.count_own,    &read->statement.next,           &read->statement.next_of_all,
        &read->statement.start,        &read->statement.bound,          &read->statement.nearest};
    return all[i];
}

static enum blastmerge_status fail_damaged(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_DATA, "its index is damaged: make it anew");
}

/* --- values -------------------------------------------------------------------------------------- */

/* A number from 0 on; anything else is damage. */
static bool read_number(const struct bm_index_read *read, sqlite3_stmt *statement, int column,
                        uint64_t *value) {
    if (read->database.library->column_type(statement, column) != SQLITE_INTEGER) return false;
    sqlite3_int64 number = read->database.library->column_int64(statement, column);
    *value = (uint64_t)number;
    return number >= 0;
}

/* Likewise, or NULL: *is_known. */
static bool read_number_if(const struct bm_index_read *read, sqlite3_stmt *statement, int column,
                           bool *is_known, uint64_t *value) {
    *value = 0;
    *is_known = read->database.library->column_type(statement, column) != SQLITE_NULL;
    return !*is_known || read_number(read, statement, column, value);
}

static bool read_name(const struct bm_index_read *read, sqlite3_stmt *statement, int column,
                      char name[BM_INDEX_NAME + 1], size_t *n_name) {
    const struct bm_index_library *library = read->database.library;
    int type = library->column_type(statement, column);
    *n_name = 0;
    name[0] = '\0';
    if (type == SQLITE_NULL) return true;
    const unsigned char *text = type == SQLITE_TEXT ? library->column_text(statement, column) : NULL;
    int n = library->column_bytes(statement, column);
    if (text == NULL || n < 0 || n > BM_INDEX_NAME) return false;
    memcpy(name, text, (size_t)n);
    name[n] = '\0';
    *n_name = (size_t)n;
    return true;
}

/* A row of COLUMNS. False: it is damaged. */
static bool read_row(const struct bm_index_read *read, sqlite3_stmt *statement,
                     struct bm_index_found *found) {
    const struct bm_index_library *library = read->database.library;
    bool has_hsps = false;
    uint64_t crc = 0;
    uint64_t checksum = 0;
    bool is_right = read_number(read, statement, 0, &found->number) &&
                    read_name(read, statement, 1, found->id, &found->n_id) &&
                    read_name(read, statement, 2, found->name, &found->n_name) &&
                    read_name(read, statement, 3, found->accession, &found->n_accession) &&
                    read_number_if(read, statement, 4, &found->has_length, &found->length) &&
                    read_number_if(read, statement, 5, &found->has_hits, &found->n_hits) &&
                    read_number_if(read, statement, 6, &has_hsps, &found->n_hsps) &&
                    read_number(read, statement, 8, &found->offset) &&
                    read_number(read, statement, 9, &found->size) && read_number(read, statement, 10, &crc) &&
                    crc <= UINT32_MAX && found->size <= INT64_MAX - found->offset &&
                    read_number(read, statement, 11, &checksum) &&
                    checksum == bm_index_checksum(found->number, found->offset, found->size, (uint32_t)crc,
                                                  found->id, found->n_id, found->name, found->n_name);
    if (!is_right) return false;
    found->crc32 = (uint32_t)crc;
    found->has_evalue = library->column_type(statement, 7) != SQLITE_NULL;
    found->evalue = library->column_double(statement, 7);
    if (read->has_ids && library->column_type(statement, 1) == SQLITE_NULL)
        found->n_id = (size_t)snprintf(found->id, sizeof found->id, "Query_%" PRIu64, found->number);
    return true;
}

/* --- opening ------------------------------------------------------------------------------------- */

static enum blastmerge_status read_pragma(struct bm_index_read *read, const char *sql, uint64_t *value,
                                          struct blastmerge_error *error) {
    sqlite3_stmt *statement = NULL;
    bool has_row = false;
    enum blastmerge_status status = bm_index_database_prepare(&read->database, sql, &statement, error);
    if (status == BLASTMERGE_OK) status = bm_index_database_step(&read->database, statement, &has_row, error);
    if (status == BLASTMERGE_OK && (!has_row || !read_number(read, statement, 0, value)))
        status = fail_damaged(error);
    (void)read->database.library->finalize(statement);
    return status;
}

static enum blastmerge_status check_version(struct bm_index_read *read, struct blastmerge_error *error) {
    uint64_t application = 0;
    uint64_t version = 0;
    enum blastmerge_status status = read_pragma(read, "PRAGMA application_id", &application, error);
    if (status == BLASTMERGE_OK) status = read_pragma(read, "PRAGMA user_version", &version, error);
    if (status != BLASTMERGE_OK) return status;
    if (application != BM_INDEX_APPLICATION)
        return bm_fail(error, BLASTMERGE_DATA, "what is in its index's place is no index");
    if (version == BM_INDEX_VERSION) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_DATA,
                   "its index has version %" PRIu64
                   " of the schema, and this blastmerge reads version %d: make it anew, "
                   "or use a newer blastmerge",
                   version, BM_INDEX_VERSION);
}

static enum blastmerge_status check_file(struct bm_index_read *read, sqlite3_stmt *statement,
                                         struct bm_index_bytes *result, struct blastmerge_error *error) {
    const struct bm_index_library *library = read->database.library;
    char format[BM_INDEX_NAME + 1];
    size_t n_format;
    uint64_t size = 0;
    uint8_t tail[BM_INDEX_TAIL];
    size_t n_tail = 0;
    if (!read_number(read, statement, 0, &size) || !read_name(read, statement, 2, format, &n_format) ||
        !read_number(read, statement, 3, &read->n_iterations) || !bm_format_find(format, &read->format) ||
        read->format == BLASTMERGE_FORMAT_AUTO || library->column_type(statement, 1) != SQLITE_BLOB)
        return fail_damaged(error);
    enum blastmerge_status status = bm_index_bytes_tail(result, tail, &n_tail, error);
    if (status != BLASTMERGE_OK) return status;
    const void *kept = library->column_blob(statement, 1);
    bool is_same = size == result->n_bytes && (size_t)library->column_bytes(statement, 1) == n_tail &&
                   (n_tail == 0 || memcmp(kept, tail, n_tail) == 0);
    if (is_same) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED,
                   "its index is that of another file, or of what this file was before: make it anew");
}

static enum blastmerge_status keep_parts(struct bm_index_read *read, sqlite3_stmt *statement,
                                         struct blastmerge_error *error) {
    const struct bm_index_library *library = read->database.library;
    struct bm_index_part *const parts[N_PARTS] = {&read->parts.header, &read->parts.joint,
                                                  &read->parts.footer};
    uint64_t kept = 0;
    uint32_t crc = 0;
    for (int i = 0; i < N_PARTS; i++) {
        const void *text = library->column_blob(statement, i);
        size_t n = (size_t)library->column_bytes(statement, i);
        if (n > MOST_PART) return fail_damaged(error);
        if (n == 0) continue;
        read->texts[i] = bm_allocate(read->memory, n);
        if (read->texts[i] == NULL || text == NULL)
            return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        memcpy(read->texts[i], text, n);
        *parts[i] = (struct bm_index_part){read->texts[i], n};
        crc = bm_crc32(crc, text, n);
    }
    if (!read_number(read, statement, N_PARTS, &kept) || kept != crc) return fail_damaged(error);
    return BLASTMERGE_OK;
}

/* Runs a statement that has one row, and gives it to a function. */
static enum blastmerge_status read_one(struct bm_index_read *read, const char *sql, sqlite3_stmt **statement,
                                       struct blastmerge_error *error) {
    bool has_row = false;
    enum blastmerge_status status = bm_index_database_prepare(&read->database, sql, statement, error);
    if (status == BLASTMERGE_OK)
        status = bm_index_database_step(&read->database, *statement, &has_row, error);
    return status == BLASTMERGE_OK && !has_row ? fail_damaged(error) : status;
}

static enum blastmerge_status read_about(struct bm_index_read *read, struct bm_index_bytes *result,
                                         struct blastmerge_error *error) {
    sqlite3_stmt *statement = NULL;
    enum blastmerge_status status =
        read_one(read, "SELECT size, tail, format, iterations FROM file", &statement, error);
    if (status == BLASTMERGE_OK) status = check_file(read, statement, result, error);
    (void)read->database.library->finalize(statement);
    statement = NULL;
    if (status == BLASTMERGE_OK)
        status = read_one(read, "SELECT header, joint, footer, crc32 FROM frame", &statement, error);
    if (status == BLASTMERGE_OK) status = keep_parts(read, statement, error);
    (void)read->database.library->finalize(statement);
    read->has_ids = !bm_format_is_table(read->format);
    return status;
}

enum blastmerge_status bm_index_read_open(struct bm_index_read **read, struct bm_memory *memory,
                                          struct bm_index_bytes *index, struct bm_index_bytes *result,
                                          struct bm_cancel *cancel, struct blastmerge_error *error) {
    struct bm_index_read *made = bm_allocate(memory, sizeof *made);
    *read = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->memory = memory;
    enum blastmerge_status status = bm_index_database_read(&made->database, index, cancel, error);
    if (status == BLASTMERGE_OK) status = check_version(made, error);
    if (status == BLASTMERGE_OK) status = read_about(made, result, error);
    if (status == BLASTMERGE_OK)
        status = bm_index_database_run(&made->database,
                                       "CREATE TEMP TABLE wanted (number INTEGER PRIMARY KEY)", error);
    for (size_t i = 0; i < N_STATEMENTS && status == BLASTMERGE_OK; i++)
        status = bm_index_database_prepare(&made->database, statements[i], statement_at(made, i), error);
    return status;
}

void bm_index_read_close(struct bm_index_read *read) {
    if (read == NULL) return;
    for (size_t i = 0; i < N_STATEMENTS && read->database.library != NULL; i++)
        (void)read->database.library->finalize(*statement_at(read, i));
    bm_index_database_close(&read->database);
    for (size_t i = 0; i < N_PARTS; i++) bm_release(read->memory, read->texts[i]);
    bm_release(read->memory, read);
}

enum blastmerge_format bm_index_read_format(const struct bm_index_read *read) {
    return read->format;
}

uint64_t bm_index_read_n_iterations(const struct bm_index_read *read) {
    return read->n_iterations;
}

const struct bm_index_parts *bm_index_read_parts(const struct bm_index_read *read) {
    return &read->parts;
}

/* --- what is wanted ------------------------------------------------------------------------------ */

/* The number that a statement returns. */
static enum blastmerge_status count(struct bm_index_read *read, sqlite3_stmt *statement, uint64_t *n,
                                    struct blastmerge_error *error) {
    bool has_row = false;
    enum blastmerge_status status = bm_index_database_step(&read->database, statement, &has_row, error);
    if (status != BLASTMERGE_OK) return status;
    if (!has_row || !read_number(read, statement, 0, n)) status = fail_damaged(error);
    (void)read->database.library->reset(statement);
    return status;
}

/* Whether the row that the index has for a query is its. */
static bool is_called(const struct bm_index_found *found, const char *query, size_t n_query) {
    return (n_query == found->n_name && memcmp(query, found->name, n_query) == 0) ||
           (n_query == found->n_id && memcmp(query, found->id, n_query) == 0) ||
           (n_query == found->n_accession && memcmp(query, found->accession, n_query) == 0);
}

static enum blastmerge_status want_name(struct bm_index_read *read, sqlite3_stmt *find, const char *query,
                                        size_t n_query, uint64_t *n_found, struct blastmerge_error *error) {
    const struct bm_index_library *library = read->database.library;
    sqlite3_stmt *want = read->statement.want;
    struct bm_index_found *found = &read->found;
    (void)library->bind_text(find, 1, query, (int)n_query, SQLITE_STATIC);
    for (*n_found = 0;; ++*n_found) {
        bool has_row = false;
        enum blastmerge_status status = bm_index_database_step(&read->database, find, &has_row, error);
        if (status != BLASTMERGE_OK || !has_row) return status;
        if (read_row(read, find, found) && is_called(found, query, n_query)) {
            (void)library->bind_int64(want, 1, (sqlite3_int64)found->number);
            status = bm_index_database_do(&read->database, want, error);
        } else {
            status = fail_damaged(error);
        }
        if (status == BLASTMERGE_OK) continue;
        (void)library->reset(find);
        return status;
    }
}

/* The Iteration whose id is Query_ and its number. */
static enum blastmerge_status want_own(struct bm_index_read *read, uint64_t number, uint64_t *n_found,
                                       struct blastmerge_error *error) {
    const struct bm_index_library *library = read->database.library;
    uint64_t n = 0;
    (void)library->bind_int64(read->statement.count_own, 1, (sqlite3_int64)number);
    enum blastmerge_status status = count(read, read->statement.count_own, &n, error);
    if (status != BLASTMERGE_OK || n == 0) return status;
    *n_found += n;
    return bm_index_read_want_numbers(read, number, number, error);
}

enum blastmerge_status bm_index_read_want(struct bm_index_read *read, const char *query, uint64_t *n_found,
                                          struct blastmerge_error *error) {
    size_t n_query = strnlen(query, BM_INDEX_NAME); /* no more was kept */
    uint64_t number = read->has_ids ? bm_index_head_number(query, n_query) : 0;
    enum blastmerge_status status = want_name(read, read->statement.find, query, n_query, n_found, error);
    if (status == BLASTMERGE_OK && number > 0) status = want_own(read, number, n_found, error);
    if (status != BLASTMERGE_OK || *n_found > 0) return status;
    return want_name(read, read->statement.find_accession, query, n_query, n_found, error);
}

static void bind_range(const struct bm_index_read *read, sqlite3_stmt *statement, uint64_t first,
                       uint64_t last) {
    const uint64_t most = INT64_MAX;
    (void)read->database.library->bind_int64(statement, 1, (sqlite3_int64)(first < most ? first : most));
    (void)read->database.library->bind_int64(statement, 2, (sqlite3_int64)(last < most ? last : most));
}

enum blastmerge_status bm_index_read_want_numbers(struct bm_index_read *read, uint64_t first, uint64_t last,
                                                  struct blastmerge_error *error) {
    uint64_t n = 0;
    if (last > read->n_iterations) last = read->n_iterations;
    uint64_t n_expected = first <= last ? last - first + 1 : 0;
    bind_range(read, read->statement.count_numbers, first, last);
    enum blastmerge_status status = count(read, read->statement.count_numbers, &n, error);
    if (status != BLASTMERGE_OK) return status;
    if (n != n_expected) return fail_damaged(error);
    bind_range(read, read->statement.want_numbers, first, last);
    return bm_index_database_do(&read->database, read->statement.want_numbers, error);
}

/* Bytes that two names have in common at their beginning. */
static size_t measure_common(const char *one, const char *other) {
    size_t n = 0;
    while (one[n] != '\0' && one[n] == other[n]) n++;
    return n;
}

enum blastmerge_status bm_index_read_nearest(struct bm_index_read *read, const char *query,
                                             char nearest[BM_INDEX_NAME + 1],
                                             struct blastmerge_error *error) {
    sqlite3_stmt *statement = read->statement.nearest;
    char name[BM_INDEX_NAME + 1];
    size_t n_query = strnlen(query, BM_INDEX_NAME);
    /* A name that has less in common is no hint: many names begin with the same few letters. */
    size_t n_best = n_query / 2;
    nearest[0] = '\0';
    (void)read->database.library->bind_text(statement, 1, query, (int)n_query, SQLITE_STATIC);
    for (;;) {
        bool has_row = false;
        size_t n_name = 0;
        enum blastmerge_status status = bm_index_database_step(&read->database, statement, &has_row, error);
        if (status != BLASTMERGE_OK || !has_row) return status;
        if (!read_name(read, statement, 0, name, &n_name)) {
            (void)read->database.library->reset(statement);
            return fail_damaged(error);
        }
        size_t n = measure_common(name, query);
        if (n <= n_best) continue;
        n_best = n;
        memcpy(nearest, name, n_name + 1);
    }
}

void bm_index_read_want_all(struct bm_index_read *read) {
    read->wants_all = true;
}

/* All that are wanted were read: they were in the index a moment ago. */
static enum blastmerge_status check_end(struct bm_index_read *read, struct blastmerge_error *error) {
    uint64_t n = read->n_iterations;
    enum blastmerge_status status =
        read->wants_all ? BLASTMERGE_OK : count(read, read->statement.count_wanted, &n, error);
    return status == BLASTMERGE_OK && n != read->n_read ? fail_damaged(error) : status;
}

enum blastmerge_status bm_index_read_next(struct bm_index_read *read, struct bm_index_found *found,
                                          bool *is_end, struct blastmerge_error *error) {
    sqlite3_stmt *statement = read->wants_all ? read->statement.next_of_all : read->statement.next;
    bool has_row = false;
    enum blastmerge_status status = bm_index_database_step(&read->database, statement, &has_row, error);
    *is_end = !has_row;
    if (status != BLASTMERGE_OK) return status;
    if (!has_row) return check_end(read, error);
    read->n_read++;
    if (read_row(read, statement, found) && (!read->wants_all || found->number == read->n_read))
        return BLASTMERGE_OK;
    (void)read->database.library->reset(statement);
    return fail_damaged(error);
}

/* --- restart points ------------------------------------------------------------------------------ */

enum blastmerge_status bm_index_read_bound(struct bm_index_read *read, uint64_t offset, uint64_t *n_bytes,
                                           struct blastmerge_error *error) {
    sqlite3_stmt *statement = read->statement.bound;
    const struct bm_index_library *library = read->database.library;
    bool has_row = false;
    uint64_t bit = 0;
    *n_bytes = UINT64_MAX;
    (void)library->bind_int64(statement, 1, (sqlite3_int64)(offset < INT64_MAX ? offset : INT64_MAX));
    enum blastmerge_status status = bm_index_database_step(&read->database, statement, &has_row, error);
    if (status != BLASTMERGE_OK || !has_row) return status;
    bool is_right = read_number(read, statement, 0, &bit);
    (void)library->reset(statement);
    *n_bytes = (bit >> 3) + 1;
    return is_right ? BLASTMERGE_OK : fail_damaged(error);
}

enum blastmerge_status bm_index_read_start(struct bm_index_read *read, uint64_t offset,
                                           struct bm_index_start *start, bool *has_start,
                                           struct blastmerge_error *error) {
    sqlite3_stmt *statement = read->statement.start;
    const struct bm_index_library *library = read->database.library;
    (void)library->reset(statement);
    (void)library->bind_int64(statement, 1, (sqlite3_int64)(offset < INT64_MAX ? offset : INT64_MAX));
    enum blastmerge_status status = bm_index_database_step(&read->database, statement, has_start, error);
    if (status != BLASTMERGE_OK || !*has_start) return status;
    *start = (struct bm_index_start){0};
    if (!read_number(read, statement, 0, &start->text) || !read_number(read, statement, 1, &start->bit) ||
        start->text > offset)
        return fail_damaged(error);
    if (library->column_type(statement, 2) == SQLITE_NULL) return BLASTMERGE_OK;
    start->window = library->column_blob(statement, 2);
    start->n_window = (size_t)library->column_bytes(statement, 2);
    return start->window == NULL ? fail_damaged(error) : BLASTMERGE_OK;
}

#endif
