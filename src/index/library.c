/* SPDX-License-Identifier: MIT */
#include "index/library.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_SQLITE
#include "base/dlopen.h"

#include <pthread.h>
#include <stdio.h>

static struct bm_index_library library;
static bool is_loaded;
static char reason[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define FUNCTIONS(EACH)                                                                                      \
    EACH(initialize)                                                                                         \
    EACH(vfs_register)                                                                                       \
    EACH(vfs_unregister)                                                                                     \
    EACH(open_v2)                                                                                            \
    EACH(close)                                                                                              \
    EACH(db_config)                                                                                          \
    EACH(exec)                                                                                               \
    EACH(prepare_v2)                                                                                         \
    EACH(step)                                                                                               \
    EACH(reset)                                                                                              \
    EACH(finalize)                                                                                           \
    EACH(bind_null)                                                                                          \
    EACH(bind_int64)                                                                                         \
    EACH(bind_double)                                                                                        \
    EACH(bind_text)                                                                                          \
    EACH(bind_blob)                                                                                          \
    EACH(column_type)                                                                                        \
    EACH(column_int64)                                                                                       \
    EACH(column_double)                                                                                      \
    EACH(column_text)                                                                                        \
    EACH(column_blob)                                                                                        \
    EACH(column_bytes)                                                                                       \
    EACH(progress_handler)

static void initialise(void) {
    is_loaded = library.initialize() == SQLITE_OK;
    if (!is_loaded) snprintf(reason, sizeof reason, "cannot initialise SQLite");
}

#ifdef BLASTMERGE_SQLITE_LINKED

#define POINTER(name) library.name = sqlite3_##name;

static void load_all(void) {
    FUNCTIONS(POINTER)
    initialise();
}

#else

#define SYMBOL(name) {"sqlite3_" #name, &library.name},

static const struct bm_dlopen_symbol symbols[] = {FUNCTIONS(SYMBOL){NULL, NULL}};

#if defined(__APPLE__)
#define SQLITE_NAME "/usr/lib/libsqlite3.dylib"
#else
#define SQLITE_NAME "libsqlite3.so.0"

BM_DLOPEN_NOTE("[{\"feature\":\"index\",\"description\":\"Indexes of results\","
               "\"priority\":\"recommended\",\"soname\":[\"" SQLITE_NAME "\"]}]");
#endif

static void load_all(void) {
    static const char *const names[] = {SQLITE_NAME, NULL};
    if (bm_dlopen(names, symbols, reason, sizeof reason)) initialise();
}

#endif

const struct bm_index_library *bm_index_library(struct blastmerge_error *error) {
    (void)pthread_once(&once, load_all);
    if (is_loaded) return &library;
    bm_fail(error, BLASTMERGE_IO, "cannot load SQLite 3, which indexes need: %s", reason);
    return NULL;
}

#endif
