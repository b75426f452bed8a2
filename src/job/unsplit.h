/* SPDX-License-Identifier: MIT */
/*
 * unsplit - counts, child by child, what a merge could not find out or restore, and reports it at the end. In
 * these cases an unsplit run might have written something else (docs/identity.md).
 */
#ifndef BM_JOB_UNSPLIT_H
#define BM_JOB_UNSPLIT_H

#include <stddef.h>

struct blastmerge_job;

enum bm_doubt {
    BM_DOUBT_GAP,
    BM_DOUBT_RETURN,
    BM_DOUBT_UNNUMBERED,
    BM_DOUBT_ID,
    BM_DOUBT_MESSAGE,
    BM_DOUBT_EXCESS,
    BM_DOUBT_EMPTY,
    BM_DOUBT_BARE,
    BM_N_DOUBTS
};

/* Written only by unsplit.c, as are their counts in the job's totals. */
struct bm_job_doubts {
    size_t first[BM_N_DOUBTS]; /* for each doubt the first child that has it, if there is one */
};

/* To be called when a child that counts has ended. */
void bm_job_unsplit_end_child(struct blastmerge_job *job);

/* To be called when all children have been merged: warns. */
void bm_job_unsplit_end(struct blastmerge_job *job);

#endif
