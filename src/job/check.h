/* SPDX-License-Identifier: MIT */
/*
 * check - a check continues after a fault, so that it reports on every child. It ends with the first fault.
 */
#ifndef BM_CHECK_H
#define BM_CHECK_H

#include "job/job.h"

/* Does nothing unless the job is a check. */
enum blastmerge_status bm_job_check_open(struct blastmerge_job *job) BM_CHECK_RESULT;

/* To be called when a child begins. */
void bm_job_check_begin_child(struct blastmerge_job *job);

/* To be called when the job has an error. BLASTMERGE_OK: it is a fault after which a check continues; it was
 * kept and reported, and the job has no error any more. Otherwise the error's status: it ends the job, as
 * every error of a merge does. */
enum blastmerge_status bm_job_check_keep_fault(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Likewise for the current child, whose rest is not read: the rooms drop their state of it, and its row is
 * next (BM_JOB_PHASE_ROW). */
enum blastmerge_status bm_job_check_leave_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Whether a fault was kept. */
bool bm_job_check_has_fault(const struct blastmerge_job *job);

/* The status of a check, at its end. */
enum blastmerge_status bm_job_check_status(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The message about a child with a fault; NULL if it has none, or too many children before it have faults. */
const char *bm_job_check_message(const struct blastmerge_job *job, uint64_t child);

void bm_job_check_close(struct blastmerge_job *job);

#endif
