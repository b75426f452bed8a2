/* SPDX-License-Identifier: MIT */
/*
 * unsplit - what a merge could not find out or restore, so that an unsplit run might have written something else
 * (docs/identity.md): counted child by child, and reported at the end.
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

/* Written by unsplit.c alone, as are the counts of these in the job's totals. */
struct bm_job_doubts {
    size_t first[BM_N_DOUBTS]; /* the child with the first of each, if there is any */
};

/* A child has ended, and counts. */
void bm_job_unsplit_end_child(struct blastmerge_job *job);

/* All children have: warns. */
void bm_job_unsplit_end(struct blastmerge_job *job);

#endif
