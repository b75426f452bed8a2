/* SPDX-License-Identifier: MIT */
/*
 * base/cancel.h - cancelling: any thread or signal handler can request it, and every wait ends. Also the
 * process that the work belongs to.
 *
 * A fork copies a job's memory, but not its threads, and shares its descriptors and files. So once it has
 * begun, a job belongs to the process that began it. Any other process waits for nothing, and closes, removes
 * and writes nothing.
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

/* To be called before the work begins. Opens nothing that a fork would share. A cancel is kept. */
void bm_cancel_init(struct bm_cancel *cancel);

/* Begins the work, in this process. BLASTMERGE_OK, or the failure to make a pipe. */
enum blastmerge_status bm_cancel_begin(struct bm_cancel *cancel,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

void bm_cancel_close(struct bm_cancel *cancel);

/* Safe in signal handlers. Has no effect in a process that the work does not belong to. */
void bm_cancel_set(struct bm_cancel *cancel);

static inline bool bm_cancel_is_set(const struct bm_cancel *cancel) {
    return atomic_load_explicit(&cancel->is_set, memory_order_relaxed);
}

/* Whether another process, of which this one is a copy, began the work. */
bool bm_cancel_is_foreign(const struct bm_cancel *cancel);

/* To be called when a function of the caller's has returned, because it may have forked: false in the copy.
 * The result is kept in has_forked_in, so later code needs no system call. */
bool bm_cancel_check_process(struct bm_cancel *cancel);

/* The error of a call in another process than the work's. */
enum blastmerge_status bm_cancel_fail_foreign(struct blastmerge_error *error);

/* Waits until `file` can be read (events POLLIN) or written (POLLOUT). 0; ECANCELED; or errno of poll. */
int bm_cancel_wait(struct bm_cancel *cancel, int file, short events) BM_CHECK_RESULT;

/* Waits so many milliseconds, or until a cancel. 0, or ECANCELED. */
int bm_cancel_nap(struct bm_cancel *cancel, int milliseconds) BM_CHECK_RESULT;

#endif
