/* SPDX-License-Identifier: MIT */
/*
 * index/library.h - SQLite, loaded when the first index is written or read.
 *
 * A merge without an index must not need SQLite, nor pay for it. So its functions are looked up with dlopen(3) once,
 * and the library stays loaded, as libcurl does (cloud/library.h). A build with BLASTMERGE_SQLITE_LINKED links to it
 * instead, as an ordinary program does; a build without BLASTMERGE_SQLITE has no indexes.
 */
#ifndef BM_INDEX_LIBRARY_H
#define BM_INDEX_LIBRARY_H

#include "base/base.h"

#ifdef BLASTMERGE_SQLITE
#include <sqlite3.h>

/* The functions by their own names, less the library's prefix. */
struct bm_index_library {
    int (*initialize)(void);
    int (*vfs_register)(sqlite3_vfs *vfs, int is_default);
    int (*vfs_unregister)(sqlite3_vfs *vfs);
    int (*open_v2)(const char *name, sqlite3 **database, int flags, const char *vfs);
    int (*close)(sqlite3 *database);
    int (*db_config)(sqlite3 *database, int option, ...);
    int (*exec)(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **), void *context,
                char **message);
    int (*prepare_v2)(sqlite3 *database, const char *sql, int n_bytes, sqlite3_stmt **statement,
                      const char **rest);
    int (*step)(sqlite3_stmt *statement);
    int (*reset)(sqlite3_stmt *statement);
    int (*finalize)(sqlite3_stmt *statement);
    int (*bind_null)(sqlite3_stmt *statement, int parameter);
    int (*bind_int64)(sqlite3_stmt *statement, int parameter, sqlite3_int64 value);
    int (*bind_double)(sqlite3_stmt *statement, int parameter, double value);
    int (*bind_text)(sqlite3_stmt *statement, int parameter, const char *text, int n_bytes,
                     void (*release)(void *));
    int (*bind_blob)(sqlite3_stmt *statement, int parameter, const void *blob, int n_bytes,
                     void (*release)(void *));
    int (*column_type)(sqlite3_stmt *statement, int column);
    sqlite3_int64 (*column_int64)(sqlite3_stmt *statement, int column);
    double (*column_double)(sqlite3_stmt *statement, int column);
    const unsigned char *(*column_text)(sqlite3_stmt *statement, int column);
    const void *(*column_blob)(sqlite3_stmt *statement, int column);
    int (*column_bytes)(sqlite3_stmt *statement, int column);
    void (*progress_handler)(sqlite3 *database, int n_steps, int (*handler)(void *), void *context);
};

/* Loads the library, once for the process. NULL: it is missing, and the record holds the error. */
const struct bm_index_library *bm_index_library(struct blastmerge_error *error);
#endif

#endif
