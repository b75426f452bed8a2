/* SPDX-License-Identifier: MIT */
/*
 * seams - what shows of a child beside its own text's rules: how its lines end, whether its gzip is whole where nothing
 * in the text says so.
 */
#ifndef BM_SEAMS_H
#define BM_SEAMS_H

#include "job/job.h"

/* The current child has come to its end. */
enum blastmerge_status bm_job_seams_end_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* All children have. */
void bm_job_seams_end(struct blastmerge_job *job);

/* The job's error is about the current child's text. If the gzip data that holds the place is damaged, too,
 * returns what to add to the message, else "". May read on to the end of that member, and gives up the batch.
 * behind: see bm_job_restart_explain(), which comes first. */
const char *bm_job_seams_explain(struct blastmerge_job *job, const struct blastmerge_error *behind);

#endif
