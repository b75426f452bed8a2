/* SPDX-License-Identifier: MIT */
/*
 * places - all the places of a job, compared by what they are and not by their names.
 *
 * A place is anything that a job reads or writes by a location: a child, the result, the report, the file of queries,
 * and what the caller itself reads or writes. A place that is written must not be any other place, otherwise it would
 * destroy that or be mixed with it. Files are the same if device and inode are, whatever links lead there; files that
 * do not exist yet, if their folder and their name are; objects in a store, if account, bucket and key are.
 */
#ifndef BM_PLACES_H
#define BM_PLACES_H

#include "job/job.h"

/* Adds a place that the caller itself reads or writes; strings are copied. */
enum blastmerge_status bm_job_places_keep(struct blastmerge_job *job, const char *what, const char *location,
                                          bool is_written) BM_CHECK_RESULT;
void bm_job_places_forget(struct blastmerge_job *job);

/* BLASTMERGE_USAGE with both places, if the result, the report or a place that the caller writes is also another place;
 * or if standard input, which can be read only once, is read for two purposes. Writes nothing, and sends no request. */
enum blastmerge_status bm_job_places_check(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Likewise for children from `first` on, which were added later. */
enum blastmerge_status bm_job_places_check_children(struct blastmerge_job *job, size_t first) BM_CHECK_RESULT;

/* Likewise for one more place that is written: role is the word for it in messages, such as "the manifest"; name is the
 * location without secrets. */
enum blastmerge_status bm_job_places_check_one(struct blastmerge_job *job, const char *role,
                                               const char *location, const char *name) BM_CHECK_RESULT;

#endif
