/* SPDX-License-Identifier: MIT */
/*
 * job/get - a job that gets some queries' Iterations of its one child, by the child's index.
 *
 * The Iterations that are wanted are looked up first. Then they become a document of their own, which is merged in the
 * child's place: so the result is checked, written and committed like any other.
 */
#ifndef BM_JOB_GET_H
#define BM_JOB_GET_H

#include "base/base.h"

struct blastmerge_job;
struct bm_job_get;

/* can_be_all: options without any query mean all of them, and are not refused. */
enum blastmerge_status bm_job_get_set(struct blastmerge_job *job,
                                      const struct blastmerge_get_options *options,
                                      bool can_be_all) BM_CHECK_RESULT;

/* Calls on_query for each Iteration that is wanted; without any query in the options, for all. */
enum blastmerge_status bm_job_get_list(struct blastmerge_job *job,
                                       int (*on_query)(void *context, const struct blastmerge_query *query),
                                       void *context) BM_CHECK_RESULT;

/* Looks the queries up, and puts their document into the child's place. For other jobs, these have no effect. */
enum blastmerge_status bm_job_get_begin(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_get_end(struct blastmerge_job *job);

void bm_job_get_close(struct blastmerge_job *job);

#endif
