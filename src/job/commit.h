/* SPDX-License-Identifier: MIT */
/*
 * commit - the last steps of a job: what becomes visible when, and what is taken back where one of them
 * fails.
 *
 * 1. All that can fail for want of space or memory comes first, with nothing visible yet.
 * 2. A result that is a file or an object becomes visible, then its report. If the report cannot, the result
 * is taken back, as far as its store can do that.
 * 3. A result that is a stream (a pipe, a device, a caller's writer, blastmerge_next()) cannot be taken back.
 * So its last piece is held until the report is visible. If that last piece cannot be written, the report is
 * taken back.
 */
#ifndef BM_COMMIT_H
#define BM_COMMIT_H

#include "job/job.h"

/* The phase is BM_JOB_PHASE_END: writes what is left of the output, if there is a store, and makes all visible.
 * BLASTMERGE_OK or BLASTMERGE_SALVAGED; on failure nothing that can be taken back is left. */
enum blastmerge_status bm_job_commit(struct blastmerge_job *job) BM_CHECK_RESULT;

/* How many bytes of the output may go out. Before the end that is one less than there are if the result is
 * plain text, which has no trailer that makes it complete. */
size_t bm_job_commit_ready(const struct blastmerge_job *job);

/* They went out. */
void bm_job_commit_done(struct blastmerge_job *job, size_t n_bytes);

/* Brings the job's totals up to date. */
void bm_job_commit_count(struct blastmerge_job *job);

#endif
