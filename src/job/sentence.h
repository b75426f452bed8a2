/* SPDX-License-Identifier: MIT */
/*
 * sentence - the line that a caller gets about an error.
 *
 * An error is a record: status, reason, child and place. What comes by it adds what it is about (the subject) and what
 * follows from it, and leaves the reason as it is. The line is composed once, where the record leaves the job: at the
 * job's end, and for a fault that a check goes on after.
 */
#ifndef BM_JOB_SENTENCE_H
#define BM_JOB_SENTENCE_H

#include "base/base.h"

/* Strings belong to the job, or are literals. */
struct bm_job_sentence {
    const char *subject;  /* before the reason, with a colon: a child's name. NULL: nothing */
    const char *addition; /* behind the reason and the place. NULL: nothing */
};

/* Makes the error's message of its reason, its place and the sentence, "SUBJECT: reason (at byte 7 of its text, after 2
 * whole Iterations)ADDITION", and empties the sentence. A subject or a reason that is too long is cut. */
void bm_job_sentence_compose(struct bm_job_sentence *sentence, struct blastmerge_error *error);

#endif
