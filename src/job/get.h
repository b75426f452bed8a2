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

/* Begin a list of the Iterations that are wanted, or of all, without any query in the options; and get the next one. *query
 * is NULL at the end; its strings are valid until the next call. */
bool bm_job_get_has_list(const struct blastmerge_job *job); /* one was begun */
enum blastmerge_status bm_job_get_begin_list(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_get_next(struct blastmerge_job *job,
                                       const struct blastmerge_query **query) BM_CHECK_RESULT;

/* Looks the queries up, and puts their document into the child's place. For other jobs, these have no effect. */
enum blastmerge_status bm_job_get_begin(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_get_end(struct blastmerge_job *job);

void bm_job_get_close(struct blastmerge_job *job);

#endif
