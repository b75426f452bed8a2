/* SPDX-License-Identifier: MIT */
/*
 * seats - where the children that are open are read: the current one and those after it.
 *
 * A seat is a struct bm_child with its buffers. Usually there is one for each thread. Where most of what is to be
 * merged lies in small children (BM_CHILD_LANE_SMALL), several seats for such children take the place, and the memory, of one
 * of those: so workers inflate and mark them while the job's thread writes, and neither waits for the other.
 *
 * Threads: the job's thread only.
 */
#ifndef BM_SEATS_H
#define BM_SEATS_H

#include "child/child.h"

struct blastmerge_job;

struct bm_job_seats {
    struct bm_child *all; /* n: n_large for any child, then n_small */
    struct bm_child **of; /* n: of[i % n] is the one of child i, which is open */
    size_t n, n_large, n_small;
    size_t n_large_given,
        n_small_given; /* so far: seats of a kind become free in the order in which they were given */
};

/* n seats, or what takes their place, with most_small for small children. */
enum blastmerge_status bm_job_seats_open(struct blastmerge_job *job, const struct bm_child_settings *settings,
                                         size_t n, size_t most_small) BM_CHECK_RESULT;
/* Ends all children, one after another, unless one of the caller's functions forks: false. */
bool bm_job_seats_close(struct blastmerge_job *job);

/* The seat of a child that is open; of one that has ended, where it was, which may be another child's now. */
struct bm_child *bm_job_seats_at(const struct blastmerge_job *job, size_t child);

/* Which of the seats for any child it is; SIZE_MAX: one for small children. */
size_t bm_job_seats_number(const struct blastmerge_job *job, const struct bm_child *seat);

/* Whether there is a seat for the current child, which is not open, and whose size may not be known yet. */
bool bm_job_seats_have_room(const struct blastmerge_job *job);

/* Opens the child job->n_opened. False: there is no free seat. */
bool bm_job_seats_open_next(struct blastmerge_job *job);

/* Opens the plan's header in the place of the child; no child is open. */
void bm_job_seats_open_header(struct blastmerge_job *job, size_t child);

#endif
