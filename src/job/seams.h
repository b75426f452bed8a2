/* SPDX-License-Identifier: MIT */
/*
 * seams - checks that the rules of a child's text do not cover: how its lines end, characters that XML
 * forbids, and whether its gzip data is whole if the text does not show that.
 */
#ifndef BM_SEAMS_H
#define BM_SEAMS_H

#include "base/base.h"

struct blastmerge_job;

/* Written by seams.c alone. */
struct bm_job_seams {
    uint64_t n_line_ends[2];  /* tables: children that have lines that end in LF, in CR LF ... */
    size_t first_line_end[2]; /* ... and the first of these */
    size_t forbidden_child;   /* the first child that has a character that XML forbids, if any has ... */
    uint64_t forbidden;       /* ... and its offset */
};

/* To be called at the end of the current child: checks that its gzip data is whole. */
enum blastmerge_status bm_job_seams_check_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* To be called when a child that counts has ended. */
void bm_job_seams_count_child(struct blastmerge_job *job);

/* To be called when all children have been merged. They warn about characters that XML forbids, and about
 * line ends. */
void bm_job_seams_end_characters(struct blastmerge_job *job);
void bm_job_seams_end(struct blastmerge_job *job);

/* To be called when the job's error is about the current child's text. If the gzip data at that place is
 * damaged, too, returns an addition to the message, else "". May read on to the end of that gzip member, and
 * gives up the batch. behind: see bm_job_restart_explain(), which comes first. */
const char *bm_job_seams_explain(struct blastmerge_job *job, const struct blastmerge_error *behind);

#endif
