/* SPDX-License-Identifier: MIT */
/*
 * survey - salvage (docs/salvage.md), as the job has it: before the merge each child is surveyed, in a pass of
 * its own that writes what of it is merged; behind it there is something to be said.
 */
#ifndef BM_SURVEY_H
#define BM_SURVEY_H

#include "job/job.h"

/* Makes ready where options.salvage asks for it: each child must be one that can be read twice. */
enum blastmerge_status bm_job_survey_open(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_survey_close(struct blastmerge_job *job);

/* Surveys a batch of the current child. After the last child's the merge is due. */
enum blastmerge_status bm_job_survey(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Tells what of the current child was lost, before its row is written. */
void bm_job_survey_tell(struct blastmerge_job *job);

/* BLASTMERGE_SALVAGED, with the job's error saying so, if something was lost; else BLASTMERGE_OK. */
enum blastmerge_status bm_job_survey_status(struct blastmerge_job *job) BM_CHECK_RESULT;

#endif
