/* SPDX-License-Identifier: MIT */
/*
 * queries - a job's part of options.expect_queries (docs/queries.md): a merge ends if the Iterations are not
 * those of the queries; a check counts such places and continues.
 */
#ifndef BM_JOB_QUERIES_H
#define BM_JOB_QUERIES_H

#include "queries/queries.h"

struct blastmerge_job;

/* Written only by queries.c. */
struct bm_job_queries {
    struct bm_queries *file; /* NULL: any queries are accepted */
    uint64_t n_faults;       /* a check: places where the Iterations are not those of the queries ... */
    unsigned n_strangers;    /* ... and how many of them are Iterations of none of the queries */
    char first_fault[512];   /* the message about the first place */
};

/* Does nothing if there is no file of queries. */
enum blastmerge_status bm_job_queries_open(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_queries_close(struct blastmerge_job *job);

bool bm_job_queries_are_given(const struct bm_job_queries *queries);

/* Compares the Iterations among the view's marks with the queries. */
enum blastmerge_status bm_job_queries_take(struct blastmerge_job *job) BM_CHECK_RESULT;

/* To be called when a check has left the current child: the queries after its last Iteration may have been in
 * it. */
void bm_job_queries_leave(struct bm_job_queries *queries);

/* To be called when all children were merged. */
enum blastmerge_status bm_job_queries_end(struct blastmerge_job *job) BM_CHECK_RESULT;

/* At the end of a check: whether the Iterations were those of the queries. */
enum blastmerge_status bm_job_queries_status(struct blastmerge_job *job) BM_CHECK_RESULT;

#endif
