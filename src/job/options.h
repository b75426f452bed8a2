/* SPDX-License-Identifier: MIT */
/* options - which options make no sense, what they stand for, and the job's own copies of their strings. */
#ifndef BM_JOB_OPTIONS_H
#define BM_JOB_OPTIONS_H

#include "job/job.h"

/* The job's options are as the caller gave them: checks them, fills in what they stand for, and copies their strings.
 * BLASTMERGE_USAGE says which makes no sense. */
enum blastmerge_status bm_job_options_settle(struct blastmerge_job *job) BM_CHECK_RESULT;

void bm_job_options_close(struct blastmerge_job *job);

#endif
