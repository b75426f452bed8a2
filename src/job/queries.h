/* SPDX-License-Identifier: MIT */
/*
 * queries - a job's part of options.expect_queries (docs/queries.md). Where queries are missing, a job counts
 * such places and continues, so that all of them are reported; but a merge writes nothing more. An Iteration of no
 * query ends a merge at once, unless queries are missing before it; a check counts it, too.
 */
#ifndef BM_JOB_QUERIES_H
#define BM_JOB_QUERIES_H

#include "queries/queries.h"

struct blastmerge_job;

/* Written only by queries.c. */
struct bm_job_queries {
    struct bm_queries *file; /* NULL: any queries are accepted */
    uint64_t n_faults;       /* places where the Iterations are not those of the queries ... */
    unsigned n_strangers;    /* ... and how many of them are Iterations of none of the queries */
    uint64_t n_without_rows; /* tables without comments: queries without a row ... */
    char first_without[400]; /* ... and the first one of them */
    char first_fault[512];   /* the message about the first place */
};

/* Does nothing if there is no file of queries. */
enum blastmerge_status bm_job_queries_open(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_queries_close(struct blastmerge_job *job);

/* Sets the format of the Iterations, once it is known. */
void bm_job_queries_set_format(struct bm_job_queries *queries, enum blastmerge_format format);

bool bm_job_queries_are_given(const struct bm_job_queries *queries);

/* Compares the Iterations among the view's marks with the queries. */
enum blastmerge_status bm_job_queries_take(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Processes an Iteration that is of none of the queries: the reason is why. */
enum blastmerge_status bm_job_queries_take_stranger(struct blastmerge_job *job,
                                                    const struct blastmerge_error *reason) BM_CHECK_RESULT;

/* To be called when a check has left the current child: the queries after its last Iteration may have been in
 * it. */
void bm_job_queries_leave(struct bm_job_queries *queries);

/* To be called when all children were merged. */
enum blastmerge_status bm_job_queries_end(struct blastmerge_job *job) BM_CHECK_RESULT;

/* At the end: whether the Iterations were those of the queries. */
enum blastmerge_status bm_job_queries_status(struct blastmerge_job *job) BM_CHECK_RESULT;

#endif
