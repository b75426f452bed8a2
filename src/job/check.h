/* SPDX-License-Identifier: MIT */
/*
 * check - a check goes on behind what is at fault, so that it says something of every child. The first fault
 * is what it ends with.
 */
#ifndef BM_CHECK_H
#define BM_CHECK_H

#include "job/job.h"

/* The job's error is a fault that a check goes on after: it is kept and told, and the job has no error any
 * more. False: it ends the job. */
bool bm_job_check_keep_fault(struct blastmerge_job *job);

/* Likewise if it is the current child's, whose rest is not read: what the rooms hold of it is forgotten, and
 * its row is due (BM_PHASE_ROW). */
bool bm_job_check_leave_child(struct blastmerge_job *job);

/* What a check has come to, at its end. */
enum blastmerge_status bm_job_check_status(struct blastmerge_job *job) BM_CHECK_RESULT;

/* What was said of a child that is at fault; NULL if it is none, or one of too many. */
const char *bm_job_check_message(const struct blastmerge_job *job, uint64_t child);

void bm_job_check_close(struct blastmerge_job *job);

#endif
