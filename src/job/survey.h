/* SPDX-License-Identifier: MIT */
/*
 * survey - a job's part of salvage (docs/salvage.md): before the merge, each child is surveyed, in a separate
 * pass that plans which of its text is merged; after the merge of a child, its losses are reported.
 */
#ifndef BM_SURVEY_H
#define BM_SURVEY_H

#include "job/job.h"

/* Prepares the pass if options.salvage is set: each child must be readable twice. */
enum blastmerge_status bm_job_survey_open(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_survey_close(struct blastmerge_job *job);

/* Surveys a batch of the current child. After the last child, the merge follows. */
enum blastmerge_status bm_job_survey(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Reports the losses of the current child, before its row is written. */
void bm_job_survey_tell(struct blastmerge_job *job);

/* BLASTMERGE_SALVAGED, with the job's error, if something was lost; else BLASTMERGE_OK. */
enum blastmerge_status bm_job_survey_status(struct blastmerge_job *job) BM_CHECK_RESULT;

#endif
