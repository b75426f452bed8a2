/* SPDX-License-Identifier: MIT */
/*
 * store - bytes -> the result's place: nothing is visible before commit, nothing is left after discard.
 *
 * A back end is a table of functions. Called on the job's own thread only.
 */
#ifndef BM_STORE_H
#define BM_STORE_H

#include "base/cancel.h"
#include "store/folder.h"

#include <sys/types.h>

struct bm_cloud;
struct bm_store;
struct bm_store_upload;

struct bm_store_back_end {
    enum blastmerge_status (*write)(struct bm_store *store, const uint8_t *data, size_t n_bytes,
                                    struct blastmerge_error *error);
    /* Makes the written bytes durable, so that only the last step can still fail. */
    enum blastmerge_status (*prepare)(struct bm_store *store, struct blastmerge_error *error);
    enum blastmerge_status (*reveal)(struct bm_store *store, struct blastmerge_error *error);
    bool (*take_back)(struct bm_store *store); /* NULL: a visible result stays visible */
    void (*finish)(struct bm_store *store);    /* NULL: nothing is left to do */
    void (*discard)(struct bm_store *store);
};

/* Paths longer than this are refused. */
enum { BM_STORE_PATH = 4096, BM_STORE_LEFT_OVER = 1024 };

struct bm_store_owner {
    mode_t mode;
    uid_t user;
    gid_t group;
};

struct bm_store {
    const struct bm_store_back_end *back_end; /* NULL: not open */
    const struct bm_store_back_end *revealed; /* the back end once the result is visible; else NULL */
    struct bm_cancel *cancel;
    struct blastmerge_writer writer; /* the caller's */
    int *ticket;                     /* of the writer's calls, or NULL */
    bool is_stream; /* written bytes are visible at once: pipes, devices, standard output, writers */
    int file;
    bool is_pipe; /* each write waits first, so that a cancel can end it */
    bool is_force;
    bool has_old;                        /* a file is replaced */
    struct bm_store_owner old;           /* its permissions */
    bool has_backup;                     /* once visible: `temporary` is the file that was replaced */
    struct bm_store_folder folder;       /* the target's; all names are relative to it */
    char target[BM_STORE_PATH];          /* the result's name; also as given, for messages */
    char temporary[BM_FOLDER_TEMPORARY]; /* the name it has until then; empty: it is written in place */
    struct bm_store_upload *upload;      /* remote ones */
    char left_over[BM_STORE_LEFT_OVER];  /* remote: after discard, what could not be undone; or "" */
};

/* A place in an object store. */
struct bm_store_remote {
    struct bm_cloud *cloud;
    const char *location; /* as given, including what must not be shown */
    const char *name;     /* for messages */
    const char *media_type;
    uint64_t n_expected; /* the expected number of bytes, or 0 */
};

/* The form for the name of an output; and the media type, for an object store, of a result in that form. */
enum blastmerge_form bm_store_form_of_name(const char *location);
const char *bm_store_media_type(const char *location, enum blastmerge_form form);

/* Whether the location is one of the names of standard output: "-", /dev/stdout and the like. */
bool bm_store_is_standard_output(const char *location);

/*
 * Opens a place for writing: a path, or "-" for standard output. A regular file is written under a temporary
 * name in the target's folder. BLASTMERGE_EXISTS: the target exists, and is_force is false. is_text: a terminal
 * is allowed.
 */
enum blastmerge_status bm_store_open_location(struct bm_store *store, const char *location, bool is_force,
                                              bool is_text, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* Opens an object for writing: nothing of it is visible before commit. is_small: it has little memory. */
enum blastmerge_status bm_store_open_remote(struct bm_store *store, const struct bm_store_remote *remote,
                                            bool is_force, bool is_small,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* The length of a remote result, as far as it is known while it is written: what does not fit is an error of the next
 * write. Has no effect on other places. */
void bm_store_expect(struct bm_store *store, uint64_t n_least, uint64_t n_likely);

/* The file that a result is written to under a temporary name, which may be read and written at any place instead of by
 * bm_store_write(); -1: there is no such file. */
int bm_store_descriptor(const struct bm_store *store);

/* Its path until it has its own name. False: there is no such file, or the path is too long. */
bool bm_store_path(const struct bm_store *store, char path[BM_STORE_PATH]) BM_CHECK_RESULT;

void bm_store_open_writer(struct bm_store *store, const struct blastmerge_writer *writer, int *ticket,
                          struct bm_cancel *cancel);

enum blastmerge_status bm_store_write(struct bm_store *store, const void *data, size_t n_bytes,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;
/* Has the system copy bytes of a file to the end of the result, which may share them with that file. Returns how many were
 * copied: perhaps none, if the result is no file, or the system cannot. The caller writes the others. */
uint64_t bm_store_share(struct bm_store *store, int file, uint64_t offset, uint64_t n_bytes) BM_CHECK_RESULT;

/* A stretch of a remote object, of one version. The strings are borrowed until the store has ended. */
struct bm_store_span {
    const char *location; /* as given */
    const char *name;     /* for messages */
    const char *etag;
    uint64_t offset;
    uint64_t n_bytes;
};

/* States how many spans will be offered at most, and their bytes: long ones are copied in pieces at the same time, if there will
 * not be too many. To be called before the first. */
void bm_store_expect_copies(struct bm_store *store, uint64_t n_spans, uint64_t n_bytes);

/* How many bytes at the beginning of the span the caller is to write before bm_store_copy() is called for the others: perhaps
 * all, if the result's store cannot copy the span, or if it is short. */
uint64_t bm_store_lead(const struct bm_store *store, const struct bm_store_span *span) BM_CHECK_RESULT;

/* Has the result's store append the span, which it reads itself. *is_done: false if it refuses to: then the caller writes the
 * bytes, and no span is copied any more. The store is told to copy no other version, but not every store respects that: the
 * caller compares versions once more after bm_store_finish_copies(). */
enum blastmerge_status bm_store_copy(struct bm_store *store, const struct bm_store_span *span, bool *is_done,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Waits until all spans are copied. */
enum blastmerge_status bm_store_finish_copies(struct bm_store *store,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

enum blastmerge_status bm_store_prepare(struct bm_store *store,
                                        struct blastmerge_error *error) BM_CHECK_RESULT;

/* Makes the result visible. On failure the store has ended, as if nothing had been written. */
enum blastmerge_status bm_store_reveal(struct bm_store *store,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* End a store whose result is visible. bm_store_finish() leaves the result. bm_store_take_back() removes it and
 * restores what it replaced; false: that is impossible, and the result stays. */
void bm_store_finish(struct bm_store *store);
bool bm_store_take_back(struct bm_store *store) BM_CHECK_RESULT;

/* Reveals and finishes. */
enum blastmerge_status bm_store_commit(struct bm_store *store,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* Ends the store without a result. Has no effect on one that is not open, is visible, or has ended. */
void bm_store_discard(struct bm_store *store);

#endif
