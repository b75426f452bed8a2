/* SPDX-License-Identifier: MIT */
#include "index/write.h"
#ifdef BLASTMERGE_SQLITE
#include "index/head.h"
#include "index/schema.h"

#include <string.h>

static const char insert_iteration[] =
    "INSERT INTO iteration VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
static const char select_names[] = "SELECT id, name FROM iteration WHERE number = ?1";
static const char update_iteration[] =
    "UPDATE iteration SET hsps = ?2, offset = ?3, size = ?4, crc32 = ?5, checksum = ?6 WHERE number = ?1";
static const char insert_restart[] = "INSERT INTO restart VALUES (?1, ?2, ?3)";
static const char insert_frame[] = "INSERT INTO frame VALUES (?1, ?2, ?3, ?4)";
static const char insert_file[] =
    "INSERT INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/* --- values -------------------------------------------------------------------------------------- */

/* What binding returns is an error of the next step, too: a parameter keeps the value that it had, and there are none but
 * those of the statement. Only lack of memory is another reason. */
static int bind_number(const struct bm_index_write *write, sqlite3_stmt *statement, int at, uint64_t value) {
    return write->database.library->bind_int64(statement, at, (sqlite3_int64)value);
}

static int bind_number_if(const struct bm_index_write *write, sqlite3_stmt *statement, int at, bool is_known,
                          uint64_t value) {
    return is_known ? bind_number(write, statement, at, value)
                    : write->database.library->bind_null(statement, at);
}

static int bind_text(const struct bm_index_write *write, sqlite3_stmt *statement, int at,
                     struct bm_index_text text) {
    if (text.text == NULL || text.n_text > INT32_MAX)
        return write->database.library->bind_null(statement, at);
    return write->database.library->bind_text(statement, at, text.text, (int)text.n_text, SQLITE_STATIC);
}

static int bind_blob(const struct bm_index_write *write, sqlite3_stmt *statement, int at, const void *blob,
                     size_t n_blob) {
    if (blob == NULL || n_blob > INT32_MAX) return write->database.library->bind_null(statement, at);
    return write->database.library->bind_blob(statement, at, blob, (int)n_blob, SQLITE_STATIC);
}

static struct bm_index_text text_of(const char *string) {
    return (struct bm_index_text){string, string == NULL ? 0 : strlen(string)};
}

static enum blastmerge_status finish(struct bm_index_write *write, sqlite3_stmt *statement, int code,
                                     struct blastmerge_error *error) {
    if (code != SQLITE_OK) return bm_index_database_fail(&write->database, code, error);
    return bm_index_database_do(&write->database, statement, error);
}

/* --- rows ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_write_open(struct bm_index_write *write, int file, const char *beside,
                                           struct bm_cancel *cancel, struct blastmerge_error *error) {
    *write = (struct bm_index_write){0};
    struct bm_index_database *database = &write->database;
    enum blastmerge_status status = bm_index_database_create(database, file, beside, cancel, error);
    if (status == BLASTMERGE_OK) status = bm_index_database_run(database, BM_INDEX_BEGIN, error);
    if (status == BLASTMERGE_OK)
        status = bm_index_database_prepare(database, insert_iteration, &write->iteration, error);
    if (status == BLASTMERGE_OK)
        status = bm_index_database_prepare(database, select_names, &write->names, error);
    if (status == BLASTMERGE_OK)
        status = bm_index_database_prepare(database, update_iteration, &write->archive, error);
    if (status == BLASTMERGE_OK)
        status = bm_index_database_prepare(database, insert_restart, &write->restart, error);
    return status;
}

uint32_t bm_index_checksum(uint64_t number, uint64_t offset, uint64_t size, uint32_t crc32, const char *id,
                           size_t n_id, const char *name, size_t n_name) {
    uint8_t numbers[6 * sizeof(uint64_t)];
    const uint64_t values[] = {number, offset, size, crc32, n_id, n_name};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        bm_store64(numbers + i * sizeof(uint64_t), values[i]);
    uint32_t sum = bm_crc32(0, numbers, sizeof numbers);
    if (n_id > 0) sum = bm_crc32(sum, id, n_id);
    return n_name > 0 ? bm_crc32(sum, name, n_name) : sum;
}

enum blastmerge_status bm_index_write_row(struct bm_index_write *write, const struct bm_index_row *row,
                                          struct blastmerge_error *error) {
    sqlite3_stmt *statement = write->iteration;
    struct bm_index_text id = row->id;
    /* BLAST's own id, with the Iteration's number: nearly all of them are so. */
    if (id.n_text > 0 && bm_index_head_number(id.text, id.n_text) == row->number)
        id = (struct bm_index_text){NULL, 0};
    int code = bind_number(write, statement, 1, row->number);
    code |= bind_text(write, statement, 2, id);
    code |= bind_text(write, statement, 3, row->name);
    code |= bind_text(write, statement, 4, row->accession);
    code |= bind_number_if(write, statement, 5, row->has_length, row->length);
    code |= bind_number_if(write, statement, 6, row->has_hits, row->n_hits);
    code |= bind_number(write, statement, 7, row->n_hsps);
    code |= row->has_evalue ? write->database.library->bind_double(statement, 8, row->evalue)
                            : write->database.library->bind_null(statement, 8);
    code |= bind_number(write, statement, 9, row->offset);
    code |= bind_number(write, statement, 10, row->size);
    code |= bind_number(write, statement, 11, row->crc32);
    code |= bind_number(write, statement, 12,
                        bm_index_checksum(row->number, row->offset, row->size, row->crc32, id.text, id.n_text,
                                          row->name.text, row->name.n_text));
    code |= bind_text(write, statement, 13, row->definition);
    return finish(write, statement, code, error);
}

/* The checksum of a row that was written, with another text. */
static enum blastmerge_status sum_row(struct bm_index_write *write, uint64_t number,
                                      const struct bm_index_row *text, uint32_t *sum,
                                      struct blastmerge_error *error) {
    const struct bm_index_library *library = write->database.library;
    sqlite3_stmt *statement = write->names;
    bool has_row = false;
    int code = bind_number(write, statement, 1, number);
    if (code != SQLITE_OK) return bm_index_database_fail(&write->database, code, error);
    enum blastmerge_status status = bm_index_database_step(&write->database, statement, &has_row, error);
    if (status != BLASTMERGE_OK) return status;
    bm_require(has_row);
    const char *id = (const char *)library->column_text(statement, 0);
    size_t n_id = (size_t)library->column_bytes(statement, 0);
    const char *name = (const char *)library->column_text(statement, 1);
    size_t n_name = (size_t)library->column_bytes(statement, 1);
    *sum = bm_index_checksum(number, text->offset, text->size, text->crc32, id, n_id, name, n_name);
    (void)library->reset(statement);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_index_write_archive(struct bm_index_write *write, uint64_t first, uint64_t last,
                                              const struct bm_index_row *archive,
                                              struct blastmerge_error *error) {
    sqlite3_stmt *statement = write->archive;
    for (uint64_t number = first; number <= last; number++) {
        uint32_t sum = 0;
        enum blastmerge_status status = sum_row(write, number, archive, &sum, error);
        if (status != BLASTMERGE_OK) return status;
        int code = bind_number(write, statement, 1, number);
        code |= bind_number(write, statement, 2, archive->n_hsps);
        code |= bind_number(write, statement, 3, archive->offset);
        code |= bind_number(write, statement, 4, archive->size);
        code |= bind_number(write, statement, 5, archive->crc32);
        code |= bind_number(write, statement, 6, sum);
        status = finish(write, statement, code, error);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_index_write_restart(struct bm_index_write *write,
                                              const struct bm_index_restart *restart,
                                              struct blastmerge_error *error) {
    int code = bind_number(write, write->restart, 1, restart->text);
    code |= bind_number(write, write->restart, 2, restart->bit);
    code |= bind_blob(write, write->restart, 3, restart->window, restart->n_window);
    return finish(write, write->restart, code, error);
}

/* --- the end ------------------------------------------------------------------------------------- */

static enum blastmerge_status write_frame(struct bm_index_write *write, const struct bm_index_frame *frame,
                                          struct blastmerge_error *error) {
    const struct bm_index_text *parts[] = {&frame->header, &frame->joint, &frame->footer};
    sqlite3_stmt *statement = NULL;
    uint32_t crc = 0;
    int code = SQLITE_OK;
    enum blastmerge_status status =
        bm_index_database_prepare(&write->database, insert_frame, &statement, error);
    if (status != BLASTMERGE_OK) return status;
    for (int i = 0; i < 3; i++) {
        if (parts[i]->n_text > 0) crc = bm_crc32(crc, parts[i]->text, parts[i]->n_text);
        code |= bind_blob(write, statement, 1 + i, parts[i]->text, parts[i]->n_text);
    }
    code |= bind_number(write, statement, 4, crc);
    status = finish(write, statement, code, error);
    (void)write->database.library->finalize(statement);
    return status;
}

static enum blastmerge_status write_about(struct bm_index_write *write, const struct bm_index_about *about,
                                          struct blastmerge_error *error) {
    sqlite3_stmt *statement = NULL;
    enum blastmerge_status status =
        bm_index_database_prepare(&write->database, insert_file, &statement, error);
    if (status != BLASTMERGE_OK) return status;
    int code = bind_number(write, statement, 1, about->size);
    code |= bind_blob(write, statement, 2, about->tail, about->n_tail);
    code |= bind_number(write, statement, 3, about->text_size);
    code |= bind_number(write, statement, 4, about->crc32);
    code |= bind_text(write, statement, 5, text_of(blastmerge_format_name(about->format)));
    code |= bind_text(write, statement, 6, text_of(about->program));
    code |= bind_text(write, statement, 7, text_of(about->version));
    code |= bind_number(write, statement, 8, about->n_documents);
    code |= bind_number(write, statement, 9, about->n_iterations);
    code |= bind_number(write, statement, 10, about->n_hits);
    code |= bind_number(write, statement, 11, about->n_hsps);
    code |= bind_text(write, statement, 12, text_of("blastmerge " BLASTMERGE_VERSION));
    status = finish(write, statement, code, error);
    (void)write->database.library->finalize(statement);
    return status;
}

enum blastmerge_status bm_index_write_end(struct bm_index_write *write, const struct bm_index_frame *frame,
                                          const struct bm_index_about *about,
                                          struct blastmerge_error *error) {
    enum blastmerge_status status = write_frame(write, frame, error);
    if (status == BLASTMERGE_OK) status = write_about(write, about, error);
    return status == BLASTMERGE_OK ? bm_index_database_run(&write->database, BM_INDEX_END, error) : status;
}

void bm_index_write_close(struct bm_index_write *write) {
    const struct bm_index_library *library = write->database.library;
    if (library == NULL) return;
    (void)library->finalize(write->iteration);
    (void)library->finalize(write->names);
    (void)library->finalize(write->archive);
    (void)library->finalize(write->restart);
    write->iteration = write->names = write->archive = write->restart = NULL;
    bm_index_database_close(&write->database);
}

#endif
