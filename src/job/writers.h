/* SPDX-License-Identifier: MIT */
/*
 * writers - children that are written on workers.
 *
 * Each open child has a writer: numbering, a script, a splice and an output of its own. If all of a child was kept before
 * its turn (child/keep.h), the job's thread only takes its marks, as those of any child: it compares headers, checks, warns
 * and counts, and so knows where numbering stands behind it. It writes nothing. The child's writer, on a worker, numbers
 * the same marks from where numbering stood in front of it, and splices. So the job's thread is soon at the next child,
 * and many children are written at once. A child's fragments copy from nothing before them, so the bytes are those of one
 * thread.
 *
 * The job's thread joins what the writers have written, in the children's order, and before it writes anything itself.
 * What waits for that is in memory, and in a temporary file without a name once it is more than an output holds. If the
 * file cannot be opened or written, or is full, the writer waits until its output is joined, and goes on. So does the
 * writer of the first child that is open: its bytes need no file.
 *
 * An error of a writer becomes visible where the job's thread would have found it: before those of later children.
 */
#ifndef BM_JOB_WRITERS_H
#define BM_JOB_WRITERS_H

#include "base/base.h"
#include "base/step.h"

struct blastmerge_job;
struct bm_job_writer;

/* Makes as many writers as children can be open. */
enum blastmerge_status bm_job_writers_open(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Stops them. To be called before the children are closed. */
void bm_job_writers_close(struct blastmerge_job *job);

/* The current child's turn has come: starts its writer, if it can have one. The status is the job's. */
enum blastmerge_status bm_job_writers_start(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Whether a child that is or was open has a writer which has not been joined. */
bool bm_job_writers_have(const struct blastmerge_job *job, size_t child);

/* Whether the current child has a writer, so that the job's thread must not write it. */
bool bm_job_writers_have_child(const struct blastmerge_job *job);

/* The first child that is still open. */
size_t bm_job_writers_first(const struct blastmerge_job *job);

/*
 * Joins the children before `until` to the job's output, and those that follow and are complete.
 *   BM_STEP_DONE    they are closed
 *   BM_STEP_MORE    it has waited or worked for one that is not complete: call again
 *   BM_STEP_FULL    empty the output, and call again
 *   BM_STEP_FAILED  the job has ended with a writer's error
 */
enum bm_step bm_job_writers_join(struct blastmerge_job *job, size_t until) BM_CHECK_RESULT;

/* The job's error is the current child's: waits for its writer. If that has failed before the place of the error, the
 * writer's error becomes the job's. */
void bm_job_writers_stop_child(struct blastmerge_job *job);

/* The job ends with an error. If a writer of a child before the current one has failed, or does so, its error becomes the
 * job's. Returns the job's status. */
enum blastmerge_status bm_job_writers_settle(struct blastmerge_job *job);

#endif
