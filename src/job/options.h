/* SPDX-License-Identifier: MIT */
/* options - refuses options that make no sense, fills in defaults, and copies the options' strings into the
 * job. */
#ifndef BM_JOB_OPTIONS_H
#define BM_JOB_OPTIONS_H

#include "job/job.h"

/* Checks the job's options, which are as the caller set them, fills in defaults and what as_unsplit implies,
 * and copies their strings. BLASTMERGE_USAGE: the error says which option makes no sense. */
enum blastmerge_status bm_job_options_settle(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Replaces the database's name; NULL: none is given. The string is copied. */
enum blastmerge_status bm_job_options_replace_database(struct blastmerge_job *job, const char *database,
                                                       bool is_kept) BM_CHECK_RESULT;

void bm_job_options_close(struct blastmerge_job *job);

#endif
