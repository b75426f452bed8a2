/* SPDX-License-Identifier: MIT */
/*
 * callbacks - the functions of the options, which report what happens meanwhile: warnings and progress. One that fails
 * ends the job where that can next stop.
 */
#ifndef BM_JOB_CALLBACKS_H
#define BM_JOB_CALLBACKS_H

#include "base/callback.h"

#include <time.h>

struct blastmerge_job;

/* Written by callbacks.c alone. */
struct bm_job_callbacks {
    const char *failed; /* what is said of the first one that failed, and what it returned; NULL: none has */
    int result;
    struct timespec reported; /* the last progress */
};

/* Takes what a callback of the options has returned. */
void bm_job_note_callback(struct blastmerge_job *job, const char *what, int issued, int result);

/* Ends the job if a callback has failed. */
enum blastmerge_status bm_job_check_callbacks(struct blastmerge_job *job) BM_CHECK_RESULT;

/* A warning of the current child, or of the whole merge: it counts, and the report and on_warning get it. */
void bm_job_warn(struct blastmerge_job *job, bool is_of_child, const char *format, ...) BM_FORMAT(3, 4);

/* A warning of the whole merge that is in the report alone. */
void bm_job_note(struct blastmerge_job *job, const char *format, ...) BM_FORMAT(2, 3);

/* Calls on_progress, if that is due. */
void bm_job_report_progress(struct blastmerge_job *job);

#endif
