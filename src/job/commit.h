/* SPDX-License-Identifier: MIT */
/*
 * commit - the last steps of a job: the order in which files become visible, and what is undone if a step fails.
 *
 * 1. Every step that can fail for lack of space or memory comes first, with nothing visible yet.
 * 2. A result that is a file or an object becomes visible, then its report. If the report cannot, the result is
 *    undone, as far as its store supports that.
 * 3. A result that is a stream (a pipe, a device, a caller's writer, blastmerge_next()) cannot be undone. So its
 *    last piece is held until the report is visible. If that last piece cannot be written, the report is undone.
 * 4. The files beside them (side.h) become visible before both, and are undone only if neither stays.
 * 5. The index comes last. If it cannot become visible, all else stays.
 */
#ifndef BM_COMMIT_H
#define BM_COMMIT_H

#include "job/job.h"

/* In BM_JOB_PHASE_END: writes the rest of the output, if there is a store, and makes everything visible. BLASTMERGE_OK or
 * BLASTMERGE_SALVAGED; on failure, everything that can be undone is undone. */
enum blastmerge_status bm_job_commit(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The number of bytes of the output that may be sent. Before the end, one byte is held if the result is plain text, which
 * has no trailer that makes it complete. */
size_t bm_job_commit_ready(const struct blastmerge_job *job);

/* To be called when they were sent. */
void bm_job_commit_done(struct blastmerge_job *job, size_t n_bytes);

/* Updates the job's totals. */
void bm_job_commit_count(struct blastmerge_job *job);

#endif
