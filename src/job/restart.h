/* SPDX-License-Identifier: MIT */
/*
 * restart - a search that was begun again and appended to its earlier output: the child's fault is then that
 * a second document begins before the first has ended, whatever fault the scanner or gzip reports there.
 */
#ifndef BM_RESTART_H
#define BM_RESTART_H

#include "job/job.h"

/* Explains the job's error, which is about the current child's bytes: if a document begins there, the error
 * states that instead. May read further, and then gives up the batch. If reading fails, the job has no batch
 * any more, and *behind has the reason; otherwise *behind is unchanged. */
void bm_job_restart_explain(struct blastmerge_job *job, struct blastmerge_error *behind);

/* Likewise if the child's gzip data has failed after a fault in its text. True: the error states it. */
bool bm_job_restart_explain_gzip(struct blastmerge_job *job);

#endif
