/* SPDX-License-Identifier: MIT */
/*
 * slices - the steps of a job that counts or splices one child of a merge (job/slice.h). Each does nothing unless the job
 * is such a one.
 */
#ifndef BM_JOB_SLICES_H
#define BM_JOB_SLICES_H

#include "job/job.h"
#include "job/slice.h"

bool bm_job_slices_is_counting(const struct blastmerge_job *job);

/* The child has Iterations to salvage, but its first header is not whole: an error, of the child. */
enum blastmerge_status bm_job_slices_refuse_header(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Whether what was lost of the child was reported when it was counted, so that it does not change the part's status. */
bool bm_job_slices_has_reported_losses(const struct blastmerge_job *job);

/* When the rooms are opened: what the children before have settled, and what they had. */
void bm_job_slices_set_kin(struct blastmerge_job *job);
void bm_job_slices_begin_number(struct blastmerge_job *job);

void bm_job_slices_begin_result(struct blastmerge_job *job);
void bm_job_slices_end_batch(struct blastmerge_job *job);

/* The child has ended: hands over what it came to. The error is the child's. */
enum blastmerge_status bm_job_slices_end_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The result's last text, if the child has the result's first document. */
void bm_job_slices_take_epilogue(struct blastmerge_job *job, bool *dropped_megablast);

/* Ends the fragment's gzip member, and writes what comes after it. */
void bm_job_slices_end_result(struct blastmerge_job *job);

#endif
