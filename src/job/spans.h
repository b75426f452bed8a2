/* SPDX-License-Identifier: MIT */
/*
 * spans - the expected queries of a merge in parts (docs/distributed.md). Each child is compared with the queries of its own
 * search when it is counted (queries.h). What is left for the plan: whether these are, one child after the other, the queries
 * of all searches.
 */
#ifndef BM_JOB_SPANS_H
#define BM_JOB_SPANS_H

#include "job/job.h"
#include "job/slice.h"

/* Sums up the queries that the counted child was compared with. *span is released by the caller; NULL: there are none. */
enum blastmerge_status bm_job_spans_sum(struct blastmerge_job *job,
                                        struct bm_job_span **span) BM_CHECK_RESULT;

/* Opens options.expect_queries for a plan. *spans stays NULL if no queries are expected. */
struct bm_job_spans;
enum blastmerge_status bm_job_spans_open(struct blastmerge_job *job,
                                         struct bm_job_spans **spans) BM_CHECK_RESULT;
/* spans may be NULL in all that follows. */
void bm_job_spans_close(struct bm_job_spans *spans, struct bm_memory *memory);

/* The queries of the next child, the job's current one, follow those of the child before. */
enum blastmerge_status bm_job_spans_compare(struct blastmerge_job *job, struct bm_job_spans *spans,
                                            const struct bm_job_span *span) BM_CHECK_RESULT;

/* The current child has another fault, which was reported: its queries are passed, if they are there. */
void bm_job_spans_pass(struct blastmerge_job *job, struct bm_job_spans *spans,
                       const struct bm_job_span *span);

/* All children were compared: no query is left. */
enum blastmerge_status bm_job_spans_end(struct blastmerge_job *job,
                                        struct bm_job_spans *spans) BM_CHECK_RESULT;

#endif
