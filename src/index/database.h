/* SPDX-License-Identifier: MIT */
/*
 * index/database.h - an SQLite database in a file that is open already, or in bytes that can be read at any place.
 *
 * SQLite reads and writes through a virtual file system of ours (database.c), which opens nothing by a name. So an index is
 * written into the store's temporary file, and there is no journal beside it: until the file has its name, nothing of it is
 * visible, and what fails is removed. An index in an object store is read by the same functions.
 */
#ifndef BM_INDEX_DATABASE_H
#define BM_INDEX_DATABASE_H

#include "index/bytes.h"
#include "index/library.h"

#ifdef BLASTMERGE_SQLITE

struct bm_index_database {
    const struct bm_index_library *library;
    sqlite3 *database;
    sqlite3_vfs vfs;
    char name[40];                /* of the virtual file system */
    int file;                     /* written; -1: it is read */
    const char *beside;           /* where temporary files of what is written may be; NULL: anywhere */
    struct bm_index_bytes *bytes; /* read */
    struct bm_cancel *cancel;
    struct blastmerge_error failure; /* of the last read or write that failed; status OK: none has */
};

/* Opens an empty database that is written to the file, which is borrowed. beside: as for bm_open_temporary(); borrowed. */
enum blastmerge_status bm_index_database_create(struct bm_index_database *database, int file,
                                                const char *beside, struct bm_cancel *cancel,
                                                struct blastmerge_error *error) BM_CHECK_RESULT;

/* Opens a database for reading; the bytes are borrowed. Nothing of what is in it is trusted: it has no views and no
 * triggers. */
enum blastmerge_status bm_index_database_read(struct bm_index_database *database,
                                              struct bm_index_bytes *bytes, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* Has no effect on one that is not open. All statements must have ended. */
void bm_index_database_close(struct bm_index_database *database);

/* Runs statements that return no rows. */
enum blastmerge_status bm_index_database_run(struct bm_index_database *database, const char *sql,
                                             struct blastmerge_error *error) BM_CHECK_RESULT;

/* Prepares a statement; the caller ends it with library->finalize(). */
enum blastmerge_status bm_index_database_prepare(struct bm_index_database *database, const char *sql,
                                                 sqlite3_stmt **statement,
                                                 struct blastmerge_error *error) BM_CHECK_RESULT;

/* Runs a statement to its next row. *has_row false: there is none. Then, and after a failure, it is reset. */
enum blastmerge_status bm_index_database_step(struct bm_index_database *database, sqlite3_stmt *statement,
                                              bool *has_row, struct blastmerge_error *error) BM_CHECK_RESULT;

/* Likewise, of a statement that returns no row. */
enum blastmerge_status bm_index_database_do(struct bm_index_database *database, sqlite3_stmt *statement,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* The failure of a call that returned this code. */
enum blastmerge_status bm_index_database_fail(struct bm_index_database *database, int code,
                                              struct blastmerge_error *error);

#endif

#endif
