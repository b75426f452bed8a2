/* SPDX-License-Identifier: MIT */
/*
 * seams - what the rules of a child's text do not cover: how its lines end, characters that XML forbids, and whether
 * its gzip data is whole where the text does not show it.
 */
#ifndef BM_SEAMS_H
#define BM_SEAMS_H

#include "base/base.h"

struct blastmerge_job;

/* Written by seams.c alone. */
struct bm_job_seams {
    uint64_t n_line_ends[2];  /* tables: children that have lines that end in LF, in CR LF ... */
    size_t first_line_end[2]; /* ... and the first of these */
    size_t forbidden_child;   /* the first one that has a character which XML forbids, if any has ... */
    uint64_t forbidden;       /* ... and where */
};

/* The current child has come to its end: whether its gzip is whole. */
enum blastmerge_status bm_job_seams_check_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The current child has ended, and counts. */
void bm_job_seams_count_child(struct blastmerge_job *job);

/* All children have: warns of characters that XML forbids; of lines' ends. */
void bm_job_seams_end_characters(struct blastmerge_job *job);
void bm_job_seams_end(struct blastmerge_job *job);

/* The job's error is about the current child's text. If the gzip data that holds the place is damaged, too,
 * returns what to add to the message, else "". May read on to the end of that member, and gives up the batch.
 * behind: see bm_job_restart_explain(), which comes first. */
const char *bm_job_seams_explain(struct blastmerge_job *job, const struct blastmerge_error *behind);

#endif
