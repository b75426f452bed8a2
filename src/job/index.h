/* SPDX-License-Identifier: MIT */
/*
 * job/index - a job's index: of its one child, while that is checked; or of a merge's result, while that is written. Where
 * that cannot be, the result is read once more when it is complete.
 */
#ifndef BM_JOB_INDEX_H
#define BM_JOB_INDEX_H

#include "base/base.h"

struct blastmerge_job;
struct bm_job_index;

/* What is behind a result's name in that of its index. */
#define BM_JOB_INDEX_SUFFIX ".bmi"

/* The place of a result's index, in the job's memory; NULL: no memory. */
char *bm_job_index_location(struct blastmerge_job *job, const char *result) BM_CHECK_RESULT;

/* The job writes an index of its child, or of its result, with these options. */
enum blastmerge_status bm_job_index_set(struct blastmerge_job *job,
                                        const struct blastmerge_index_options *options) BM_CHECK_RESULT;

/* Of a job that only writes an index: oddities of the text are no errors. */
void bm_job_index_be_lenient(struct blastmerge_job *job);

/* Writes the index of another file, with the job's settings, to an empty file that is open for reading and writing. */
struct bm_fetch_source;
enum blastmerge_status bm_job_index_make(struct blastmerge_job *job, const struct bm_fetch_source *source,
                                         int file) BM_CHECK_RESULT;

/* Opens the index, before the first child. For jobs without an index, these have no effect. */
enum blastmerge_status bm_job_index_open(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Of a child: takes the current batch, which is new; and its view's marks. */
enum blastmerge_status bm_job_index_batch(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_index_marks(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Of a result: another child's script begins; the current view's marks were made a script of; that has come to where it can
 * be written; and the epilogue is known, which is the result's last text. */
void bm_job_index_begin_child(struct blastmerge_job *job);
enum blastmerge_status bm_job_index_take(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_index_catch_up(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_index_end(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Completes the index; and gives it its name. */
enum blastmerge_status bm_job_index_prepare(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_index_reveal(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Discards an index that has no name yet. */
void bm_job_index_discard(struct blastmerge_job *job);

void bm_job_index_close(struct blastmerge_job *job);

#endif
