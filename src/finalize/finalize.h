/* SPDX-License-Identifier: MIT */
/*
 * finalize - a parent job around a merge (docs/finalize.md): the states of its children, their files and
 * reports, the merged result, the parent's report, the manifest.
 *
 *   description.c  the job's description (JSON), checked field by field
 *   states.c       the parent's state from the children's states
 *   file.c         the locations of files: a folder or an object store
 *   artifacts.c    which files exist
 *   same.c         whether two of the names or files are one
 *   formats.c      the format of a result, by its report
 *   reports.c      the parent's report from the children's reports
 *   commit.c       the files that are written, in their order
 *   finalize.c     the steps, the outcome, blastmerge_finalize()
 *
 * It is a client of the library: the merge is blastmerge.h's, with job/client.h for the rest. All of it runs on
 * the job's own thread.
 */
#ifndef BM_FINALIZE_H
#define BM_FINALIZE_H

#include "base/cancel.h"
#include "fetch/fetch.h"
#include "format/format.h"
#include "job/client.h"
#include "store/store.h"

#include <jansson.h>

enum {
    BM_FINALIZE_MAX_JOB = 16 << 20,   /* bytes of a job's description */
    BM_FINALIZE_MAX_REPORT = 1 << 20, /* bytes of a child's report */
    BM_FINALIZE_MAX_ID = 255,
    BM_FINALIZE_MAX_PREFIX = 1023,
    BM_FINALIZE_MAX_STORAGE = 2047,
    BM_FINALIZE_RELATIVE = 1280, /* bytes of a prefix and a file's name */
    BM_FINALIZE_LOCATION = 4096,
    BM_FINALIZE_TEXT = 2048 /* bytes of an error's text, more than its 500 characters can have */
};

#define BM_FINALIZE_RESULT   "merged_results.out.gz"
#define BM_FINALIZE_REPORT   "merge-report.json"
#define BM_FINALIZE_MANIFEST "split-results-manifest.json"

/* The file that a name leads to; inode 0: unknown. */
struct bm_finalize_identity {
    uint64_t device;
    uint64_t inode;
};

struct bm_finalize_child {
    const char *job_id; /* NULL: it has none */
    json_t *group_id;
    const char *status;
    bool has_result;
    bool has_report;
    uint64_t result_size; /* UINT64_MAX: unknown */
    uint64_t report_size;
    struct bm_finalize_identity result_identity;
    struct bm_finalize_identity report_identity;
    bool has_queries; /* its report has their number */
    int64_t n_queries;
};

struct bm_finalize {
    struct blastmerge_job *job;
    struct bm_job_client client;    /* the used part of the job */
    struct blastmerge_error *error; /* the client's */
    bool is_strict;

    /* the description; strings and group_id belong to it */
    json_t *description;
    const char *storage;
    bool is_remote;
    const char *parent_id;
    const char *parent_status;
    char parent_prefix[BM_FINALIZE_MAX_PREFIX + 1];
    int64_t n_expected;
    int64_t limit;
    struct bm_finalize_child *children;
    size_t n_children;

    struct bm_cloud *cloud; /* while there is a connection */
    bool had_manifest;      /* at the beginning, when a file that it names was missing */
    bool is_beaten;         /* another process has committed first */

    json_t *rows; /* a row for each child, for the manifest */
    json_t *report;
    enum blastmerge_format format; /* of the results, by the reports */
    bool is_narrow;                /* a table of one column */
    json_t *warnings;

    json_t *outcome;
    char text[BM_FINALIZE_TEXT]; /* of a failure: its text without the detail; or "" */
    char detail[sizeof((struct blastmerge_error *)0)->message];
};

/* Reads and checks the description. BLASTMERGE_USAGE: the message names the wrong field. */
enum blastmerge_status bm_finalize_describe(struct bm_finalize *finalize, const void *text,
                                            size_t n_bytes) BM_CHECK_RESULT;

/* Evaluates the children's states. BLASTMERGE_OK: to be merged; otherwise the outcome is set, or it is refused. */
enum blastmerge_status bm_finalize_states(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- one thing under two names: BLASTMERGE_MISMATCH, and the message names both -------------------- */

/* The children's ids, and the parent's. */
enum blastmerge_status bm_finalize_check_names(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* The children's files, after they were looked up, and the parent's: links, or names that the file system treats as
 * one. */
enum blastmerge_status bm_finalize_check_files(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- files --------------------------------------------------------------------------------------- */

/* A file of the job. Must stay at its address while its source is in use. */
struct bm_finalize_file {
    char location[BM_FINALIZE_LOCATION];
    char shown[BM_FINALIZE_LOCATION]; /* for messages */
    struct bm_fetch_source source;
};

/* Opens a connection to the object store, if the storage is one. */
enum blastmerge_status bm_finalize_connect(struct bm_finalize *finalize) BM_CHECK_RESULT;
void bm_finalize_disconnect(struct bm_finalize *finalize);

/* The path relative to the storage: the prefix of the child (NULL: of the parent) and the file's name. */
void bm_finalize_relative(const struct bm_finalize *finalize, const struct bm_finalize_child *child,
                          const char *name, char relative[BM_FINALIZE_RELATIVE]);

/* Fills in the file of that name. cloud: the connection to a remote storage, for looking it up and reading it; NULL:
 * neither is needed. */
void bm_finalize_locate(const struct bm_finalize *finalize, const struct bm_finalize_child *child,
                        const char *name, struct bm_cloud *cloud, struct bm_finalize_file *file);

/* Opens a file of the parent's for writing. is_small: it has little memory. */
enum blastmerge_status bm_finalize_open_store(struct bm_finalize *finalize, struct bm_store *store,
                                              const char *name, bool is_force, bool is_small) BM_CHECK_RESULT;

/* Whether the parent's files can be written at their places: writing to a FIFO might never end. */
enum blastmerge_status bm_finalize_check_targets(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* Makes the parent's folder, if the storage is a folder. */
enum blastmerge_status bm_finalize_make_folder(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- artifacts ----------------------------------------------------------------------------------- */

/* Whether all of the parent's files exist. */
enum blastmerge_status bm_finalize_look_at_parent(struct bm_finalize *finalize,
                                                  bool *has_all) BM_CHECK_RESULT;

/* Whether there is a manifest, by this connection. */
enum blastmerge_status bm_finalize_look_at_manifest(struct bm_finalize *finalize, struct bm_cloud *cloud,
                                                    bool *has_manifest) BM_CHECK_RESULT;

/* Looks up the children's files and makes their rows; BLASTMERGE_NOT_READY if some are missing. */
enum blastmerge_status bm_finalize_verify(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- reports, results ---------------------------------------------------------------------------- */

enum blastmerge_status bm_finalize_take_reports(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* The format of the report's result; *name is its name, which lives as long as the report. */
enum blastmerge_format bm_finalize_format_of(const json_t *report, const char **name);

/* Whether "outfmt" is a table of one column. */
bool bm_finalize_is_narrow(const json_t *report);

/* Whether it is blastmerge's own report. */
bool bm_finalize_is_own(const json_t *report);

/* Translates blastmerge's own report into one of a search. False: out of memory. */
bool bm_finalize_translate(json_t **report);

/* Whether another process has committed first (BLASTMERGE_EXISTS). To be called before anything becomes visible; uses
 * this connection. */
enum blastmerge_status bm_finalize_check_beaten(struct bm_finalize *finalize,
                                                struct bm_cloud *cloud) BM_CHECK_RESULT;

/* Called when the merge has succeeded, and nothing of it is visible yet: context is the finalize, cloud the merge's own
 * connection. */
enum blastmerge_status bm_finalize_before_commit(void *context, struct bm_cloud *cloud) BM_CHECK_RESULT;

/* Writes the merged result. The merge has its own connection. */
enum blastmerge_status bm_finalize_merge(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* Writes the report, then the manifest. */
enum blastmerge_status bm_finalize_commit(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- outcomes ------------------------------------------------------------------------------------ */

/* The three paths of the parent's files. */
json_t *bm_finalize_outputs(const struct bm_finalize *finalize);

/* One line of JSON with sorted keys, which the caller frees; NULL: out of memory. */
char *bm_finalize_dump(const json_t *value);

/* Fails with its own text; detail, which may be NULL, has more. */
enum blastmerge_status bm_finalize_refuse(struct bm_finalize *finalize, enum blastmerge_status status,
                                          const char *detail, const char *format, ...) BM_FORMAT(4, 5);

/* Makes the current error, which is a child's, the detail of this text, which ends with the child's id. */
enum blastmerge_status bm_finalize_fail_child(struct bm_finalize *finalize, const char *text);

enum blastmerge_status bm_finalize_fail_memory(struct bm_finalize *finalize);

/* Adds the file's name before the message of the current error, which is about the file. */
enum blastmerge_status bm_finalize_fail_file(struct bm_finalize *finalize,
                                             const struct bm_finalize_file *file);

#endif
