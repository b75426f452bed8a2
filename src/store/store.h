/* SPDX-License-Identifier: MIT */
/*
 * store - bytes -> where the result goes: nothing is visible before commit, nothing is left after discard.
 *
 * A back end is a table of functions. Called on the job's own thread only.
 */
#ifndef BM_STORE_H
#define BM_STORE_H

#include "base/cancel.h"

struct bm_cloud;
struct bm_store;
struct bm_upload;

struct bm_store_back_end {
    enum blastmerge_status (*write)(struct bm_store *store, const uint8_t *data, size_t n_bytes,
                                    struct blastmerge_error *error);
    /* Makes what was written durable, so that only commit's last step can still fail. */
    enum blastmerge_status (*prepare)(struct bm_store *store, struct blastmerge_error *error);
    enum blastmerge_status (*commit)(struct bm_store *store, struct blastmerge_error *error);
    void (*discard)(struct bm_store *store);
};

/* Paths longer than this are refused. */
enum { BM_STORE_PATH = 4096, BM_STORE_LEFT_OVER = 1024 };

struct bm_store {
    const struct bm_store_back_end *back_end; /* NULL: not open */
    struct bm_cancel *cancel;
    struct blastmerge_writer writer; /* the caller's */
    int *ticket;                     /* of the writer's calls, or NULL */
    int file;
    bool is_pipe; /* each write waits so that a cancel is seen */
    bool is_force;
    char target[BM_STORE_PATH];         /* the name that the result gets; as given, for messages, too */
    char temporary[BM_STORE_PATH];      /* the name it has until then; empty: it is written in place */
    struct bm_upload *upload;           /* remote ones */
    char left_over[BM_STORE_LEFT_OVER]; /* remote: after discard, what could not be taken back; or "" */
};

/* A place in an object store. */
struct bm_store_remote {
    struct bm_cloud *cloud;
    const char *location; /* as given, with whatever must not be shown */
    const char *name;     /* for messages */
    uint64_t n_expected;  /* bytes that there will be, or 0 */
};

/*
 * Opens a place for writing: a path, or "-" for standard output. A regular file is written under a temporary
 * name in the target's folder. BLASTMERGE_EXISTS: there is one, and not is_force. is_text: a terminal will
 * do.
 */
enum blastmerge_status bm_store_open_location(struct bm_store *store, const char *location, bool is_force,
                                              bool is_text, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* The same for an object: nothing of it is visible before commit. is_report: it is JSON, and has little
 * memory. */
enum blastmerge_status bm_store_open_remote(struct bm_store *store, const struct bm_store_remote *remote,
                                            bool is_force, bool is_report,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

void bm_store_open_writer(struct bm_store *store, const struct blastmerge_writer *writer, int *ticket,
                          struct bm_cancel *cancel);

enum blastmerge_status bm_store_write(struct bm_store *store, const void *data, size_t n_bytes,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_store_prepare(struct bm_store *store,
                                        struct blastmerge_error *error) BM_CHECK_RESULT;

/* Ends the store: the result is there, or (on failure) as if nothing had been written. */
enum blastmerge_status bm_store_commit(struct bm_store *store,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* Ends the store without a result. Fine on one that is not open or has ended. */
void bm_store_discard(struct bm_store *store);

#endif
