/* SPDX-License-Identifier: MIT */
/*
 * restart - a search that was begun again and wrote behind what it had written: a child's fault is then that a
 * second document begins before the first has ended, whatever the scanner or gzip stumbles over there.
 */
#ifndef BM_RESTART_H
#define BM_RESTART_H

#include "job/job.h"

/* The job's error is about the current child's bytes: if a document begins there, it says so instead. May read a little
 * on, and gives up the batch then. If that fails, the job has no batch any more, and *behind says why; else it stays. */
void bm_job_restart_explain(struct blastmerge_job *job, struct blastmerge_error *behind);

/* The same where the child's gzip data has failed behind a fault in its text. True: the error says so. */
bool bm_job_restart_explain_gzip(struct blastmerge_job *job);

#endif
