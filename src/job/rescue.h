/* SPDX-License-Identifier: MIT */
/*
 * rescue - what a job does about salvage (docs/salvage.md): each child is surveyed, in a pass of its own;
 * then the merge leaves out what the surveys' plans say.
 */
#ifndef BM_RESCUE_H
#define BM_RESCUE_H

#include "job/job.h"

/* Makes ready where options.salvage asks for it: each child must be one that can be read twice. */
enum blastmerge_status bm_job_rescue_open(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_rescue_close(struct blastmerge_job *job);

/* --- the first pass -------------------------------------------------------------------------------- */

/* Surveys a batch of the current child. After the last child's the phase is BM_JOB_PHASE_CHILD. */
enum blastmerge_status bm_job_rescue_survey(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Looks for a gzip member's header in the current child's bytes [from, to); *found is UINT64_MAX if there is none.
 * Uses what of the output's memory is free. */
enum blastmerge_status bm_job_rescue_find_member(struct blastmerge_job *job, uint64_t from, uint64_t to,
                                                 uint64_t *found) BM_CHECK_RESULT;

/* --- the second pass: all of these are for jobs that have a rescue -------------------------------- */

void bm_job_rescue_begin_child(struct blastmerge_job *job);

/* Whether nothing of the current child is merged. */
bool bm_job_rescue_is_lost(const struct blastmerge_job *job);

/* Whether the current child is read for its header alone, which a child before it lacks. */
bool bm_job_rescue_is_header(const struct blastmerge_job *job);

/* Bytes of the current batch that may be scanned before bm_job_rescue_cross() is due. */
size_t bm_job_rescue_limit(const struct blastmerge_job *job);

/* Leaves the text in front of a hole, or enters it behind one: true if there may be marks to be taken. False:
 * scanning goes on, or the batch has been used up. */
bool bm_job_rescue_cross(struct blastmerge_job *job);

/* Whether the current text is left out, so that all edits up to the batch's end are known. */
bool bm_job_rescue_is_in_hole(const struct blastmerge_job *job);

/* The current batch was written. */
void bm_job_rescue_take(struct blastmerge_job *job);

/* The current child has ended: BLASTMERGE_CHANGED if it is not what it was in the first pass. */
enum blastmerge_status bm_job_rescue_end_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Tells what of the child was lost, before its row is written. */
void bm_job_rescue_tell(struct blastmerge_job *job);

/* BLASTMERGE_SALVAGED, with the job's error saying so, if something was lost; else BLASTMERGE_OK. */
enum blastmerge_status bm_job_rescue_status(struct blastmerge_job *job) BM_CHECK_RESULT;

#endif
