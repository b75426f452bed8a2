/* SPDX-License-Identifier: MIT */
/*
 * remote - what a job does about remote locations: names without secrets, the cloud room and its memory,
 * wildcards.
 */
#ifndef BM_REMOTE_H
#define BM_REMOTE_H

#include "job/job.h"

/* A remote child. */
enum blastmerge_status bm_job_remote_add(struct blastmerge_job *job, const char *location) BM_CHECK_RESULT;

/* The location as it may be shown, in the job's memory, if it is remote; else *name is NULL. */
enum blastmerge_status bm_job_remote_name(struct blastmerge_job *job, const char *location,
                                          char **name) BM_CHECK_RESULT;

/* Opens the cloud room if anything is remote, and puts what they stand for in the place of children with
 * wildcards. */
enum blastmerge_status bm_job_remote_begin(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Children from `first` on are new: those that are remote get the cloud room, which is opened if need be, and
 * wildcards give way to what they stand for. */
enum blastmerge_status bm_job_remote_admit(struct blastmerge_job *job, size_t first) BM_CHECK_RESULT;

bool bm_job_remote_has_children(const struct blastmerge_job *job);

/* Looks ahead at the children after this one. */
void bm_job_remote_look_ahead(struct blastmerge_job *job, size_t child);

/* Opens the place of the result or of the report, if that is remote. */
enum blastmerge_status bm_job_remote_open_store(struct blastmerge_job *job, struct bm_store *store,
                                                const char *location, const char *name,
                                                bool is_report) BM_CHECK_RESULT;

/* Gets on with what is under way. */
void bm_job_remote_drive(struct blastmerge_job *job);

void bm_job_remote_end(struct blastmerge_job *job);

#endif
