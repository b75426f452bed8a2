/* SPDX-License-Identifier: MIT */
/*
 * finalize - a parent job around a merge (docs/finalize.md): the states of its children, what they left,
 * their reports, the merged result, the parent's report, the manifest.
 *
 *   description.c  the job as it is given (JSON), checked field by field
 *   states.c       what the children's states make of the parent
 *   file.c         where files lie: a folder or an object store
 *   artifacts.c    which files are there
 *   same.c         whether two of the names or files are one
 *   formats.c      what a report says of its result's format
 *   reports.c      the children's reports become the parent's
 *   commit.c       what is written, and in which order
 *   finalize.c     the steps, the outcome, blastmerge_finalize()
 *
 * It is a client of the library: the merge is blastmerge.h's, with job/client.h for what that does not offer.
 * All of it runs on the job's own thread.
 */
#ifndef BM_FINALIZE_H
#define BM_FINALIZE_H

#include "base/cancel.h"
#include "fetch/fetch.h"
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

/* Which file a name leads to; inode 0: that is not known. */
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
    uint64_t result_size; /* UINT64_MAX: not known */
    uint64_t report_size;
    struct bm_finalize_identity result_identity;
    struct bm_finalize_identity report_identity;
    bool has_queries; /* its report says how many */
    int64_t n_queries;
};

struct bm_finalize {
    struct blastmerge_job *job;
    struct bm_job_client client;    /* what of the job is used */
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
    bool had_manifest;      /* when it began; what it names was not all there */
    bool is_beaten;         /* another has committed meanwhile */

    json_t *rows; /* a row for each child, as the manifest has it */
    json_t *report;
    enum blastmerge_format format; /* of the results, as the reports say */
    bool is_narrow;                /* a table of one column */
    json_t *warnings;

    json_t *outcome;
    char text[BM_FINALIZE_TEXT]; /* of a failure: its text without the detail; or "" */
    char detail[sizeof((struct blastmerge_error *)0)->message];
};

/* Reads and checks the description. BLASTMERGE_USAGE: the message says which field is wrong. */
enum blastmerge_status bm_finalize_describe(struct bm_finalize *finalize, const void *text,
                                            size_t n_bytes) BM_CHECK_RESULT;

/* What the children's states come to: BLASTMERGE_OK: to be merged; else the outcome is set, or it is refused.
 */
enum blastmerge_status bm_finalize_states(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- one thing under two names: BLASTMERGE_MISMATCH, and the message names both -------------------- */

/* The children's ids, and the parent's. */
enum blastmerge_status bm_finalize_check_names(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* The children's files, once they were looked at, and the parent's: links, or names that the file system
 * takes for one. */
enum blastmerge_status bm_finalize_check_files(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- files --------------------------------------------------------------------------------------- */

/* A file of the job. Must stay where it is while its source is in use. */
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

/* Fills in the file of that name. cloud: the connection to a remote storage, through which it is looked at and read;
 * NULL: neither is wanted. */
void bm_finalize_locate(const struct bm_finalize *finalize, const struct bm_finalize_child *child,
                        const char *name, struct bm_cloud *cloud, struct bm_finalize_file *file);

/* Opens a file of the parent's for writing. is_small: it has little memory. */
enum blastmerge_status bm_finalize_open_store(struct bm_finalize *finalize, struct bm_store *store,
                                              const char *name, bool is_force, bool is_small) BM_CHECK_RESULT;

/* Whether the parent's files can be written where they are to lie: writing to a FIFO might never end. */
enum blastmerge_status bm_finalize_check_targets(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* Makes the parent's folder, if the storage is a folder. */
enum blastmerge_status bm_finalize_make_folder(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- artifacts ----------------------------------------------------------------------------------- */

/* Whether all of the parent's files are there. */
enum blastmerge_status bm_finalize_look_at_parent(struct bm_finalize *finalize,
                                                  bool *has_all) BM_CHECK_RESULT;

/* Whether there is a manifest, asked through this connection. */
enum blastmerge_status bm_finalize_look_at_manifest(struct bm_finalize *finalize, struct bm_cloud *cloud,
                                                    bool *has_manifest) BM_CHECK_RESULT;

/* Looks at the children's files and makes their rows; BLASTMERGE_NOT_READY where some are missing. */
enum blastmerge_status bm_finalize_verify(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- reports, results ---------------------------------------------------------------------------- */

enum blastmerge_status bm_finalize_take_reports(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* How results of a format are called and put together. */
struct bm_finalize_format {
    enum blastmerge_format format;
    const char *own_name; /* in blastmerge's reports */
    const char *name;     /* in those of searches, and in the parent's */
    int outfmt;           /* what the parent's report says */
    const char *supported_outfmt;
    const char *precision_level;
    const char *assembly; /* what the manifest says */
    const char *kind;     /* for messages */
};
const struct bm_finalize_format *bm_finalize_format(enum blastmerge_format format);
bool bm_finalize_is_table(enum blastmerge_format format);

/* The format of the result that the report is about; *name is what it is called, which lives as long as the
 * report. */
enum blastmerge_format bm_finalize_format_of(const json_t *report, const char **name);

/* Whether "outfmt" asks for a table of one column. */
bool bm_finalize_is_narrow(const json_t *report);

/* Whether it is blastmerge's own report. */
bool bm_finalize_is_own(const json_t *report);

/* Makes blastmerge's own report one as searches write them. False: out of memory. */
bool bm_finalize_translate(json_t **report);

/* Whether another has committed meanwhile (BLASTMERGE_EXISTS): asked before anything becomes visible, through
 * this connection. */
enum blastmerge_status bm_finalize_check_beaten(struct bm_finalize *finalize,
                                                struct bm_cloud *cloud) BM_CHECK_RESULT;

/* The merge has gone well, and nothing of it is visible yet: context is the finalize, cloud the merge's own
 * connection. */
enum blastmerge_status bm_finalize_before_commit(void *context, struct bm_cloud *cloud) BM_CHECK_RESULT;

/* Writes the merged result. The merge has a connection of its own. */
enum blastmerge_status bm_finalize_merge(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* Writes the report, then the manifest. */
enum blastmerge_status bm_finalize_commit(struct bm_finalize *finalize) BM_CHECK_RESULT;

/* --- outcomes ------------------------------------------------------------------------------------ */

/* The three paths of the parent's files. */
json_t *bm_finalize_outputs(const struct bm_finalize *finalize);

/* One line of JSON with sorted keys, which the caller frees; NULL: out of memory. */
char *bm_finalize_dump(const json_t *value);

/* Fails with a text of its own; detail, which may be NULL, says more. */
enum blastmerge_status bm_finalize_refuse(struct bm_finalize *finalize, enum blastmerge_status status,
                                          const char *detail, const char *format, ...) BM_FORMAT(4, 5);

/* The current error is a child's: it becomes the detail of this text, which ends with the child's id. */
enum blastmerge_status bm_finalize_fail_child(struct bm_finalize *finalize, const char *text);

enum blastmerge_status bm_finalize_fail_memory(struct bm_finalize *finalize);

/* The current error is about what lies there: puts its name before the message. */
enum blastmerge_status bm_finalize_fail_file(struct bm_finalize *finalize,
                                             const struct bm_finalize_file *file);

#endif
