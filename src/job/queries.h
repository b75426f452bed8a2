/* SPDX-License-Identifier: MIT */
/*
 * queries - what a job does about options.expect_queries (docs/queries.md): a merge ends where the Iterations are not
 * those of the queries, a check counts such places and goes on.
 */
#ifndef BM_JOB_QUERIES_H
#define BM_JOB_QUERIES_H

#include "queries/queries.h"

struct blastmerge_job;

/* Written by queries.c alone. */
struct bm_job_queries {
    struct bm_queries *file; /* NULL: any queries will do */
    uint64_t n_faults;       /* a check: places where the Iterations are not those of the queries ... */
    unsigned n_strangers;    /* ... of which so many are Iterations of none of them */
    char first_fault[512];   /* what was said of the first place */
};

/* If there is a file of queries. */
enum blastmerge_status bm_job_queries_open(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_queries_close(struct blastmerge_job *job);

bool bm_job_queries_are_given(const struct bm_job_queries *queries);

/* Compares the Iterations among the view's marks with the queries. */
enum blastmerge_status bm_job_queries_take(struct blastmerge_job *job) BM_CHECK_RESULT;

/* A check has left the current child: the queries behind its last Iteration may have been in it. */
void bm_job_queries_leave(struct bm_job_queries *queries);

/* All children were merged. */
enum blastmerge_status bm_job_queries_end(struct blastmerge_job *job) BM_CHECK_RESULT;

/* A check that has come to its end: whether the Iterations were those of the queries. */
enum blastmerge_status bm_job_queries_status(struct blastmerge_job *job) BM_CHECK_RESULT;

#endif
