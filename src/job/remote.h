/* SPDX-License-Identifier: MIT */
/*
 * remote - a job's part of remote locations: names without secrets, the room cloud and its memory, wildcards.
 */
#ifndef BM_REMOTE_H
#define BM_REMOTE_H

#include "job/job.h"

/* Adds a remote child. */
enum blastmerge_status bm_job_remote_add(struct blastmerge_job *job, const char *location) BM_CHECK_RESULT;

/* The location without secrets, in the job's memory, if it is remote; else *name is NULL. */
enum blastmerge_status bm_job_remote_name(struct blastmerge_job *job, const char *location,
                                          char **name) BM_CHECK_RESULT;

/* Opens the room cloud if anything is remote, and replaces children with wildcards by the objects that
 * match. */
enum blastmerge_status bm_job_remote_begin(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Likewise for new children, from `first` on: remote ones get the room cloud, which is opened if needed, and
 * wildcards are replaced. */
enum blastmerge_status bm_job_remote_admit(struct blastmerge_job *job, size_t first) BM_CHECK_RESULT;

/* A source of a remote file that is no child; the strings are borrowed. The job has remote children, so its room cloud is
 * open. */
enum blastmerge_status bm_job_remote_make_source(struct blastmerge_job *job, const char *shown,
                                                 const char *location,
                                                 struct bm_fetch_source *source) BM_CHECK_RESULT;

bool bm_job_remote_has_children(const struct blastmerge_job *job);

/* Whether the location of a remote child can be requested at all. */
enum blastmerge_status bm_job_remote_check_location(struct blastmerge_job *job,
                                                    const struct bm_fetch_source *source,
                                                    struct blastmerge_error *error) BM_CHECK_RESULT;

/* Begins look-ups of the children after this one. */
void bm_job_remote_look_ahead(struct blastmerge_job *job, size_t child);

/* Returns how many children after the open ones can be requested. */
size_t bm_job_remote_n_ahead(const struct blastmerge_job *job);

/* Opens the place of the result or of the report, if that is remote. */
enum blastmerge_status bm_job_remote_open_store(struct blastmerge_job *job, struct bm_store *store,
                                                const char *location, const char *name,
                                                bool is_report) BM_CHECK_RESULT;

/* Requests the first bytes of the children after the open ones, as many as the memory allows, and continues
 * the requests in progress. Lengths that become known are added to the job's total, and the store gets the
 * sum. */
void bm_job_remote_read_ahead(struct blastmerge_job *job);

void bm_job_remote_end(struct blastmerge_job *job);

#endif
