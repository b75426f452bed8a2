/* SPDX-License-Identifier: MIT */
/*
 * places - all the places of a job, compared by what they are and not by their names.
 *
 * A place is anything that a job reads or writes by a location: a child, the result, the report, the file of
 * queries, the missing ones, and what the caller itself reads or writes. A place that is written must not be any other place,
 * otherwise it would destroy that or be mixed with it. Files are the same if device and inode are, whatever
 * links lead there; files that do not exist yet, if their folder and their name are; objects in a store, if
 * account, bucket and key are.
 */
#ifndef BM_PLACES_H
#define BM_PLACES_H

#include "base/base.h"

struct blastmerge_job;
struct bm_job_kept;

/* A place that the job writes. */
struct bm_job_place {
    char *location; /* NULL: there is none */
    char *shown;    /* as it may be shown, if it is remote; else NULL */
};

/* Written only by places.c. */
struct bm_job_places {
    struct bm_job_place output;
    struct bm_job_place report;
    struct bm_job_place missing; /* queries that are to be searched again */
    struct bm_job_place page;
    bool has_writer; /* the writer is owed a commit or discard */
    struct blastmerge_writer writer;
    struct bm_job_kept *kept;   /* what the caller itself reads or writes */
    const char *standard_input; /* what it is read for, or NULL */
    const char *child;          /* the word for what the job reads; NULL: "a child" */
};

/* Sets where the result, the report, the missing queries or the page go (place: that of the job), or the caller's writer. */
enum blastmerge_status bm_job_places_set(struct blastmerge_job *job, struct bm_job_place *place,
                                         const char *location) BM_CHECK_RESULT;
void bm_job_places_set_writer(struct blastmerge_job *job, const struct blastmerge_writer *writer);

/* A store writes with the writer, and owes it the commit or discard from now on. */
void bm_job_places_give_writer(struct blastmerge_job *job);

/* Returns the path of the result, if that is a file (or will be one), for temporary files beside it; else NULL. */
const char *bm_job_places_beside(const struct blastmerge_job *job);

/* Returns whether the result has a place. */
bool bm_job_places_has_output(const struct blastmerge_job *job);

/* Adds a place that the caller itself reads or writes; strings are copied. */
enum blastmerge_status bm_job_places_keep(struct blastmerge_job *job, const char *what, const char *location,
                                          bool is_written) BM_CHECK_RESULT;

/* Frees all places. */
void bm_job_places_close(struct blastmerge_job *job);

/* BLASTMERGE_USAGE with both places, if one that the job or the caller writes is also
 * another place; or if standard input, which can be read only once, is read for two purposes. Writes nothing,
 * and sends no request. */
enum blastmerge_status bm_job_places_check(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Likewise for children from `first` on, which were added later. */
enum blastmerge_status bm_job_places_check_children(struct blastmerge_job *job, size_t first) BM_CHECK_RESULT;

/* Likewise for one more place that is written: role is the word for it in messages, such as "the manifest";
 * name is the location without secrets. */
enum blastmerge_status bm_job_places_check_one(struct blastmerge_job *job, const char *role,
                                               const char *location, const char *name) BM_CHECK_RESULT;

#endif
