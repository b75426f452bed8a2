/* SPDX-License-Identifier: MIT */
/*
 * sentence - composes the line that a caller gets about an error.
 *
 * An error is a record: status, reason, child and place. Code that passes it on adds the subject and a
 * consequence, and leaves the reason unchanged. The line is composed once, when the record leaves the job: at
 * the job's end, and for a fault after which a check continues.
 */
#ifndef BM_JOB_SENTENCE_H
#define BM_JOB_SENTENCE_H

#include "base/base.h"

/* Strings belong to the job, or are literals. */
struct bm_job_sentence {
    const char *subject;  /* before the reason, with a colon: a child's name. NULL: nothing */
    const char *addition; /* after the reason and the place. NULL: nothing */
};

/* Composes the error's message from its reason, its place and the sentence, "SUBJECT: reason (at byte 7 of
 * its text, after 2 whole Iterations)ADDITION", and clears the sentence. For a reason "cannot VERB: why",
 * that is "cannot VERB SUBJECT: why ...". A subject or a reason that is too long is cut. */
void bm_job_sentence_compose(struct bm_job_sentence *sentence, struct blastmerge_error *error);

#endif
