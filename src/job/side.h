/* SPDX-License-Identifier: MIT */
/*
 * side - the files that a job writes beside its result and report: the queries that are missing, and the page. They
 * become visible just before the result does; the missing queries also if the job fails because of them.
 */
#ifndef BM_JOB_SIDE_H
#define BM_JOB_SIDE_H

#include "queries/queries.h"
#include "report/page.h"
#include "store/store.h"

struct blastmerge_job;

/* Written only by side.c. */
struct bm_job_side {
    struct bm_store missing;
    struct bm_store page;
    struct bm_report_texts warnings;     /* for the page ... */
    struct bm_report_texts gaps;         /* ... rows of missing queries ... */
    struct bm_report_texts header;       /* ... the first header's fields, each a name and a value ... */
    size_t header_child;                 /* ... the child that it is of ... */
    uint64_t by_hits[BM_REPORT_CLASSES]; /* ... and queries, by the number of their hits */
};

enum blastmerge_status bm_job_side_open(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Ends all that is not visible. */
void bm_job_side_close(struct blastmerge_job *job);

/* Adds queries to those that are missing, if these are wanted. */
enum blastmerge_status bm_job_side_add_missing(struct blastmerge_job *job,
                                               const struct bm_queries_gap *gap) BM_CHECK_RESULT;

/* Keeps a row of missing queries for the page, if one is wanted. */
void bm_job_side_add_gap(struct blastmerge_job *job, const char *message);

/* Keeps a warning for the page, if one is wanted. */
void bm_job_side_add_warning(struct blastmerge_job *job, const char *message);

/* Keeps a field of the current child's header for the page, if it is the first header of all. */
void bm_job_side_add_field(struct blastmerge_job *job, const struct bm_mark_field *field);

/* Counts the queries of the current child by their hits, for the page. */
void bm_job_side_count(struct blastmerge_job *job);

/* Makes the missing queries visible, for a job that fails because of them. */
enum blastmerge_status bm_job_side_commit_missing(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The steps of a commit. prepare writes the page, in which the job ends with this error, unless its status is
 * BLASTMERGE_OK. After it, only reveal can fail. If the job fails after reveal, take_back undoes that, but not after
 * finish. */
enum blastmerge_status bm_job_side_prepare(struct blastmerge_job *job,
                                           const struct blastmerge_error *fault) BM_CHECK_RESULT;
enum blastmerge_status bm_job_side_reveal(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_side_take_back(struct blastmerge_job *job);
void bm_job_side_finish(struct blastmerge_job *job);

#endif
