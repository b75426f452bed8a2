/* SPDX-License-Identifier: MIT */
/*
 * client - the functions of a job that a client inside the library needs beyond blastmerge.h. finalize is the
 * only client: it is a parent job around a merge, and the merge is the job's.
 *
 *     bm_job_client_begin(job, &client);                the job is new, and the client's from now on
 *     bm_job_client_set_hooks(job, &hooks);
 *     blastmerge_add_location(job, ...);                blastmerge.h is used as by any caller
 *     blastmerge_set_output_location(job, ...);
 *     bm_job_client_merge(job, &terms);
 *     bm_job_client_end(job, &client);
 *
 * This header shows nothing of the job's inside: it includes only base, which scripts/check-rooms checks.
 */
#ifndef BM_JOB_CLIENT_H
#define BM_JOB_CLIENT_H

#include "base/base.h"

#include <time.h>

struct bm_cancel;
struct bm_cloud;

/* Functions of the client, called on the job's thread. NULL: not called. */
struct bm_job_client_hooks {
    void *context;
    /* A warning, before the caller's own function gets it. */
    void (*note_warning)(void *context, const char *message);
    /* Called when everything was written and checked, and nothing is visible yet. Any status but
     * BLASTMERGE_OK ends the merge; the job's error must have it, too. cloud: the merge's connection; NULL if
     * nothing is remote. */
    enum blastmerge_status (*before_commit)(void *context, struct bm_cloud *cloud);
};

/* The job's own, for the client's use until the job is destroyed. */
struct bm_job_client {
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct blastmerge_error *error;
    const struct blastmerge_options *options;
    struct timespec began;
};

/* Begins with a job to which nothing was added, and fills in the client. Otherwise BLASTMERGE_USAGE: the job
 * has begun, belongs to another process, or is inside one of its own calls; then the client must not be
 * used. */
enum blastmerge_status bm_job_client_begin(struct blastmerge_job *job,
                                           struct bm_job_client *client) BM_CHECK_RESULT;

/* Sets the hooks until the client ends; they are copied. */
void bm_job_client_set_hooks(struct blastmerge_job *job, const struct bm_job_client_hooks *hooks);

/* Ends the client: the report has its memory and time, the hooks are not called any more, and the job accepts
 * no further calls. */
void bm_job_client_end(struct blastmerge_job *job, const struct bm_job_client *client);

/* Adds a place that the client will write itself after the merge: it must not be any other place of the job
 * (BLASTMERGE_USAGE). what is the word for it in messages. Strings are copied. */
enum blastmerge_status bm_job_client_keep_place(struct blastmerge_job *job, const char *what,
                                                const char *location) BM_CHECK_RESULT;

/* How the client's merge differs from blastmerge_run()'s. */
struct bm_job_client_terms {
    bool
        are_files_regular; /* anything else in the place of a child's file is an error, and is not waited for */
    /*
     * Not AUTO: the children are tables, and have this format unless they show another one. They are merged
     * by one thread. If a merge changes nothing of them, the result is their gzip members unchanged, without
     * zero bytes after a member; a last line without an end gets a member with that end.
     */
    enum blastmerge_format table;
    bool is_table_narrow; /* it may have one field a row */
};

/*
 * Merges the children, in the order in which they were added, to the output that was set; an existing one is
 * replaced. It may appear late that the children's gzip members cannot be copied unchanged. Then nothing is
 * visible, and all of them are read once more and merged.
 */
enum blastmerge_status bm_job_client_merge(struct blastmerge_job *job,
                                           const struct bm_job_client_terms *terms) BM_CHECK_RESULT;

/* In before_commit: whether the number of the children's Iterations is that of their queries. Tables without
 * comments do not show queries without hits, and PSI-BLAST writes several Iterations for one query. */
bool bm_job_client_counts_queries(const struct blastmerge_job *job);

/* Warns: the hook and the caller's function get the message, and it counts in the report. */
void bm_job_client_warn(struct blastmerge_job *job, const char *format, ...) BM_FORMAT(2, 3);

#endif
