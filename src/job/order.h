/* SPDX-License-Identifier: MIT */
/*
 * order - options.order_by_queries: children in any order, with Iterations in any order, are merged in the order of
 * the queries that were searched (docs/queries.md).
 *
 * A job reads its children twice. The first pass checks them as every merge does, and writes nothing. It records where
 * each query's Iteration lies, in a temporary file with one record a query. Then the plan changes: a child whose
 * Iterations follow one another in the queries' order, with none of another child between them, stays an item of its
 * own, and is spliced. What lies between two such children becomes one item, whose text is put together from the
 * children as it is read (order_text.c). The second pass merges that.
 */
#ifndef BM_JOB_ORDER_H
#define BM_JOB_ORDER_H

#include "base/base.h"

#include <stddef.h>

struct blastmerge_job;
struct bm_job_order;

/* Does nothing without the option. */
enum blastmerge_status bm_job_order_open(struct blastmerge_job *job) BM_CHECK_RESULT;
/* The job has its own plan again. */
void bm_job_order_close(struct blastmerge_job *job);

bool bm_job_order_is_first_pass(const struct blastmerge_job *job);
bool bm_job_order_is_second_pass(const struct blastmerge_job *job);

/* The first pass: takes the Iterations among the view's marks. */
enum blastmerge_status bm_job_order_take(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The first pass: a child has ended, or a check has left it. */
void bm_job_order_end_child(struct blastmerge_job *job);

/* The first pass has ended, and no query is missing: begins the second. */
enum blastmerge_status bm_job_order_turn(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The second pass has ended: the children are still what they were, and the job has its own plan again. */
enum blastmerge_status bm_job_order_finish(struct blastmerge_job *job) BM_CHECK_RESULT;

/* From the first pass' end to the second's: the job's plan is that of the second pass. */
bool bm_job_order_is_planned(const struct blastmerge_job *job);

/* While it is: the child of the job's own plan that is read, and its name. */
size_t bm_job_order_child(const struct blastmerge_job *job, const char **shown);

#endif
