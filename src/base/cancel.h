/* SPDX-License-Identifier: MIT */
/*
 * base/cancel.h - a wish to stop that any thread or signal handler may make, and every wait can see.
 */
#ifndef BM_CANCEL_H
#define BM_CANCEL_H

#include "base/base.h"

#include <stdatomic.h>

struct bm_cancel {
    atomic_bool is_set;
    int pipe[2]; /* readable once is_set */
};

/* BLASTMERGE_OK, or the failure to make a pipe. */
enum blastmerge_status bm_cancel_open(struct bm_cancel *cancel,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_cancel_close(struct bm_cancel *cancel);

/* Safe in signal handlers. */
void bm_cancel_set(struct bm_cancel *cancel);

static inline bool bm_cancel_is_set(const struct bm_cancel *cancel) {
    return atomic_load_explicit(&cancel->is_set, memory_order_relaxed);
}

/* Waits until `file` can be read (events POLLIN) or written (POLLOUT). 0; ECANCELED; or errno of poll. */
int bm_cancel_wait(struct bm_cancel *cancel, int file, short events) BM_CHECK_RESULT;

#endif
