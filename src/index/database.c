/* SPDX-License-Identifier: MIT */
#include "index/database.h"
#ifdef BLASTMERGE_SQLITE
#include "base/descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SECTOR = 4096,
    MOST_NAME = 64,
    STEPS = 4096 /* of SQLite's machine between two looks whether the job was cancelled */
};

/* --- files --------------------------------------------------------------------------------------- */

/* A file as SQLite has it: the database, or a temporary one. */
struct opened {
    sqlite3_file base;
    struct bm_index_database *database;
    int file; /* -1: the database's bytes are read */
    bool is_temporary;
};

static int fail_system(struct bm_index_database *database, int code, int failure, const char *what) {
    if (failure == ENOSPC || failure == EDQUOT || failure == EFBIG) code = SQLITE_FULL;
    bm_fail_system(&database->failure, failure, "%s", what);
    return code;
}

static int close_opened(sqlite3_file *base) {
    struct opened *opened = (struct opened *)base;
    if (opened->is_temporary) close(opened->file);
    return SQLITE_OK;
}

static int read_opened(sqlite3_file *base, void *data, int n_bytes, sqlite3_int64 offset) {
    struct opened *opened = (struct opened *)base;
    size_t n_read = 0;
    if (opened->file >= 0) {
        ssize_t n = bm_read_at(opened->file, data, (size_t)n_bytes, (uint64_t)offset);
        if (n < 0) return fail_system(opened->database, SQLITE_IOERR_READ, errno, "cannot read the index");
        n_read = (size_t)n;
    } else if (bm_index_bytes_read(opened->database->bytes, (uint64_t)offset, data, (size_t)n_bytes, &n_read,
                                   &opened->database->failure) != BLASTMERGE_OK) {
        return SQLITE_IOERR_READ;
    }
    if (n_read == (size_t)n_bytes) return SQLITE_OK;
    memset((char *)data + n_read, 0, (size_t)n_bytes - n_read);
    return SQLITE_IOERR_SHORT_READ;
}

static int write_opened(sqlite3_file *base, const void *data, int n_bytes, sqlite3_int64 offset) {
    struct opened *opened = (struct opened *)base;
    if (opened->file < 0) return SQLITE_READONLY;
    if (bm_write_at(opened->file, data, (size_t)n_bytes, (uint64_t)offset)) return SQLITE_OK;
    return fail_system(opened->database, SQLITE_IOERR_WRITE, errno,
                       opened->is_temporary ? "cannot write a temporary file" : "cannot write the index");
}

static int truncate_opened(sqlite3_file *base, sqlite3_int64 n_bytes) {
    struct opened *opened = (struct opened *)base;
    if (opened->file < 0) return SQLITE_READONLY;
    if (ftruncate(opened->file, (off_t)n_bytes) == 0) return SQLITE_OK;
    return fail_system(opened->database, SQLITE_IOERR_TRUNCATE, errno, "cannot write the index");
}

/* The store syncs the index before it gets its name. */
static int sync_opened(sqlite3_file *base, int flags) {
    (void)base;
    (void)flags;
    return SQLITE_OK;
}

static int measure_opened(sqlite3_file *base, sqlite3_int64 *n_bytes) {
    struct opened *opened = (struct opened *)base;
    if (opened->file < 0) {
        *n_bytes = (sqlite3_int64)opened->database->bytes->n_bytes;
        return SQLITE_OK;
    }
    off_t end = lseek(opened->file, 0, SEEK_END);
    if (end < 0) return fail_system(opened->database, SQLITE_IOERR_FSTAT, errno, "cannot read the index");
    *n_bytes = end;
    return SQLITE_OK;
}

/* Nobody else has the file. */
static int lock_opened(sqlite3_file *base, int level) {
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int look_at_lock(sqlite3_file *base, int *is_reserved) {
    (void)base;
    *is_reserved = 0;
    return SQLITE_OK;
}

static int control_opened(sqlite3_file *base, int operation, void *argument) {
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int tell_sector(sqlite3_file *base) {
    (void)base;
    return SECTOR;
}

static int tell_characteristics(sqlite3_file *base) {
    struct opened *opened = (struct opened *)base;
    return opened->file < 0 ? SQLITE_IOCAP_IMMUTABLE : 0;
}

static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = close_opened,
                                           .xRead = read_opened,
                                           .xWrite = write_opened,
                                           .xTruncate = truncate_opened,
                                           .xSync = sync_opened,
                                           .xFileSize = measure_opened,
                                           .xLock = lock_opened,
                                           .xUnlock = lock_opened,
                                           .xCheckReservedLock = look_at_lock,
                                           .xFileControl = control_opened,
                                           .xSectorSize = tell_sector,
                                           .xDeviceCharacteristics = tell_characteristics};

/* --- the file system ----------------------------------------------------------------------------- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *flags_out) {
    struct bm_index_database *database = vfs->pAppData;
    struct opened *opened = (struct opened *)base;
    (void)name;
    *opened = (struct opened){.database = database, .file = database->file};
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) {
        opened->is_temporary = true;
        opened->file = bm_open_temporary(database->beside);
        if (opened->file < 0)
            return fail_system(database, SQLITE_CANTOPEN, errno, "cannot make a temporary file");
    }
    opened->base.pMethods = &methods;
    if (flags_out != NULL) *flags_out = flags;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int syncs) {
    (void)vfs;
    (void)name;
    (void)syncs;
    return SQLITE_OK;
}

/* There is no journal. */
static int look_at_file(sqlite3_vfs *vfs, const char *name, int what, int *is_there) {
    (void)vfs;
    (void)name;
    (void)what;
    *is_there = 0;
    return SQLITE_OK;
}

static int complete_name(sqlite3_vfs *vfs, const char *name, int size, char *path) {
    (void)vfs;
    return snprintf(path, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* For names of temporary files, which have none here. */
static int make_random(sqlite3_vfs *vfs, int n_bytes, char *bytes) {
    (void)vfs;
    memset(bytes, 0, (size_t)n_bytes);
    return n_bytes;
}

static int nap(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    (void)microseconds;
    return 0;
}

static int tell_time(sqlite3_vfs *vfs, double *days) {
    static const double epoch = 2440587.5; /* of Unix, in days of the Julian period */
    (void)vfs;
    *days = epoch + (double)time(NULL) / 86400.0;
    return SQLITE_OK;
}

static int tell_error(sqlite3_vfs *vfs, int size, char *text) {
    (void)vfs;
    if (size > 0) text[0] = '\0';
    return 0;
}

/* --- the database -------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_database_fail(struct bm_index_database *database, int code,
                                              struct blastmerge_error *error) {
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    case SQLITE_INTERRUPT:
        return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
        if (database->failure.status == BLASTMERGE_OK) break;
        *error = database->failure;
        return error->status;
    default:
        break;
    }
    if (database->file >= 0)
        return bm_fail(error, BLASTMERGE_INTERNAL, "SQLite failed to write the index (code %d)", code);
    return bm_fail(error, BLASTMERGE_DATA,
                   "its index is damaged, or is none (SQLite's code %d): make it anew", code);
}

static int look_at_cancel(void *context) {
    const struct bm_index_database *database = context;
    return database->cancel != NULL && bm_cancel_is_set(database->cancel);
}

static enum blastmerge_status open_database(struct bm_index_database *database, int flags,
                                            struct blastmerge_error *error) {
    database->library = bm_index_library(error);
    if (database->library == NULL) return error->status;
    snprintf(database->name, sizeof database->name, "blastmerge-%p", (void *)database);
    database->vfs = (sqlite3_vfs){.iVersion = 1,
                                  .szOsFile = (int)sizeof(struct opened),
                                  .mxPathname = MOST_NAME,
                                  .zName = database->name,
                                  .pAppData = database,
                                  .xOpen = open_file,
                                  .xDelete = delete_file,
                                  .xAccess = look_at_file,
                                  .xFullPathname = complete_name,
                                  .xRandomness = make_random,
                                  .xSleep = nap,
                                  .xCurrentTime = tell_time,
                                  .xGetLastError = tell_error};
    int code = database->library->vfs_register(&database->vfs, 0);
    if (code != SQLITE_OK) {
        database->name[0] = '\0';
        return bm_index_database_fail(database, code, error);
    }
    code =
        database->library->open_v2("index", &database->database, flags | SQLITE_OPEN_NOMUTEX, database->name);
    if (code == SQLITE_OK) {
        database->library->progress_handler(database->database, STEPS, look_at_cancel, database);
        return BLASTMERGE_OK;
    }
    enum blastmerge_status status = bm_index_database_fail(database, code, error);
    bm_index_database_close(database);
    return status;
}

enum blastmerge_status bm_index_database_create(struct bm_index_database *database, int file,
                                                const char *beside, struct bm_cancel *cancel,
                                                struct blastmerge_error *error) {
    *database = (struct bm_index_database){.file = file, .beside = beside, .cancel = cancel};
    return open_database(database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
}

enum blastmerge_status bm_index_database_read(struct bm_index_database *database,
                                              struct bm_index_bytes *bytes, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) {
    *database = (struct bm_index_database){.file = -1, .bytes = bytes, .cancel = cancel};
    enum blastmerge_status status = open_database(database, SQLITE_OPEN_READONLY, error);
    if (status != BLASTMERGE_OK) return status;
    const struct bm_index_library *library = database->library;
    (void)library->db_config(database->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)library->db_config(database->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)library->db_config(database->database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)library->db_config(database->database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    status =
        bm_index_database_run(database, "PRAGMA cell_size_check = ON; PRAGMA cache_size = -1024;", error);
    if (status != BLASTMERGE_OK) bm_index_database_close(database);
    return status;
}

void bm_index_database_close(struct bm_index_database *database) {
    if (database->library == NULL) return;
    if (database->database != NULL) {
        int code = database->library->close(database->database);
        bm_require(code == SQLITE_OK); /* a statement that was not ended would be used after its database */
    }
    if (database->name[0] != '\0') (void)database->library->vfs_unregister(&database->vfs);
    database->database = NULL;
    database->library = NULL;
}

enum blastmerge_status bm_index_database_run(struct bm_index_database *database, const char *sql,
                                             struct blastmerge_error *error) {
    int code = database->library->exec(database->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? BLASTMERGE_OK : bm_index_database_fail(database, code, error);
}

enum blastmerge_status bm_index_database_prepare(struct bm_index_database *database, const char *sql,
                                                 sqlite3_stmt **statement, struct blastmerge_error *error) {
    int code = database->library->prepare_v2(database->database, sql, -1, statement, NULL);
    return code == SQLITE_OK ? BLASTMERGE_OK : bm_index_database_fail(database, code, error);
}

enum blastmerge_status bm_index_database_step(struct bm_index_database *database, sqlite3_stmt *statement,
                                              bool *has_row, struct blastmerge_error *error) {
    int code = database->library->step(statement);
    *has_row = code == SQLITE_ROW;
    if (*has_row) return BLASTMERGE_OK;
    int reset = database->library->reset(statement);
    if (code == SQLITE_DONE && reset == SQLITE_OK) return BLASTMERGE_OK;
    return bm_index_database_fail(database, reset != SQLITE_OK ? reset : code, error);
}

enum blastmerge_status bm_index_database_do(struct bm_index_database *database, sqlite3_stmt *statement,
                                            struct blastmerge_error *error) {
    bool has_row = true;
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && has_row)
        status = bm_index_database_step(database, statement, &has_row, error);
    return status;
}

#endif
