/* SPDX-License-Identifier: MIT */
/*
 * check - a check goes on behind what is at fault, so that it says something of every child. The first fault
 * is what it ends with.
 */
#ifndef BM_CHECK_H
#define BM_CHECK_H

#include "job/job.h"

/* If the job is a check. */
enum blastmerge_status bm_job_check_open(struct blastmerge_job *job) BM_CHECK_RESULT;

/* A child begins. */
void bm_job_check_begin_child(struct blastmerge_job *job);

/* The job has an error. BLASTMERGE_OK: it is a fault that a check goes on after, which is kept and told, and the job
 * has no error any more. Else the error's status: it ends the job, as every error of a merge does. */
enum blastmerge_status bm_job_check_keep_fault(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Likewise if it is the current child's, whose rest is not read: what the rooms hold of it is forgotten, and
 * its row is due (BM_JOB_PHASE_ROW). */
enum blastmerge_status bm_job_check_leave_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Whether a fault was kept. */
bool bm_job_check_has_fault(const struct blastmerge_job *job);

/* What a check has come to, at its end. */
enum blastmerge_status bm_job_check_status(struct blastmerge_job *job) BM_CHECK_RESULT;

/* What was said of a child that is at fault; NULL if it is none, or one of too many. */
const char *bm_job_check_message(const struct blastmerge_job *job, uint64_t child);

void bm_job_check_close(struct blastmerge_job *job);

#endif
