/* SPDX-License-Identifier: MIT */
/*
 * base/cancel.h - a wish to stop that any thread or signal handler may make, and every wait can see; and the
 * process that the work belongs to.
 *
 * A fork copies a job's memory, but not its threads, and shares its descriptors and files. So once it has
 * begun, a job belongs to the process that began it. In any other one nothing is waited for, closed, removed
 * or written.
 */
#ifndef BM_CANCEL_H
#define BM_CANCEL_H

#include "base/base.h"

#include <stdatomic.h>
#include <sys/types.h>

struct bm_cancel {
    atomic_bool is_set;
    atomic_bool has_pipe;
    int pipe[2];        /* readable once is_set */
    pid_t process;      /* that began the work; 0: it has not begun */
    bool has_forked_in; /* a callback returned in another process: bm_cancel_check_process() */
};

/* Before the work begins: nothing is opened that a fork would share. A cancel is kept. */
void bm_cancel_init(struct bm_cancel *cancel);

/* The work begins, in this process. BLASTMERGE_OK, or the failure to make a pipe. */
enum blastmerge_status bm_cancel_begin(struct bm_cancel *cancel,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* Both. */
enum blastmerge_status bm_cancel_open(struct bm_cancel *cancel,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_cancel_close(struct bm_cancel *cancel);

/* Safe in signal handlers. In a process that the work does not belong to it does nothing. */
void bm_cancel_set(struct bm_cancel *cancel);

static inline bool bm_cancel_is_set(const struct bm_cancel *cancel) {
    return atomic_load_explicit(&cancel->is_set, memory_order_relaxed);
}

/* Whether the work was begun by another process, of which this one is a copy. */
bool bm_cancel_is_foreign(const struct bm_cancel *cancel);

/* To be called when a function of the caller's has returned, which may have forked: false in the copy. That
 * is remembered in has_forked_in, so that whatever comes next can see it without a system call. */
bool bm_cancel_check_process(struct bm_cancel *cancel);

/* The error of a call in another process than the work's. */
enum blastmerge_status bm_cancel_fail_foreign(struct blastmerge_error *error);

/* Waits until `file` can be read (events POLLIN) or written (POLLOUT). 0; ECANCELED; or errno of poll. */
int bm_cancel_wait(struct bm_cancel *cancel, int file, short events) BM_CHECK_RESULT;

/* Waits so many milliseconds, or until a cancel. 0, or ECANCELED. */
int bm_cancel_nap(struct bm_cancel *cancel, int milliseconds) BM_CHECK_RESULT;

#endif
