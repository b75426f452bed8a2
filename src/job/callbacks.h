/* SPDX-License-Identifier: MIT */
/*
 * callbacks - calls the functions of the options that report warnings and progress. If one fails, it ends the
 * job at the next point where the job can stop.
 */
#ifndef BM_JOB_CALLBACKS_H
#define BM_JOB_CALLBACKS_H

#include "base/callback.h"

#include <time.h>

struct blastmerge_job;

/* Written only by callbacks.c. */
struct bm_job_callbacks {
    const char *failed;       /* names the first one that failed; NULL: none has */
    int result;               /* of that one */
    struct timespec reported; /* the last progress */
};

/* Processes the result of a callback of the options. */
void bm_job_note_callback(struct blastmerge_job *job, const char *what, int issued, int result);

/* Ends the job if a callback has failed. */
enum blastmerge_status bm_job_check_callbacks(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Warns about the current child, or about the whole merge: the warning is counted, and goes to the report and
 * to on_warning. */
void bm_job_warn(struct blastmerge_job *job, bool is_of_child, const char *format, ...) BM_FORMAT(3, 4);

/* Adds a warning about the whole merge only to the report. */
void bm_job_note(struct blastmerge_job *job, const char *format, ...) BM_FORMAT(2, 3);

/* Calls on_progress, if that is due. */
void bm_job_report_progress(struct blastmerge_job *job);

#endif
