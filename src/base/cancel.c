/* SPDX-License-Identifier: MIT */
#include "base/cancel.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

void bm_cancel_init(struct bm_cancel *cancel) {
    atomic_init(&cancel->is_set, false);
    atomic_init(&cancel->has_pipe, false);
    cancel->pipe[0] = cancel->pipe[1] = -1;
    cancel->process = 0;
    cancel->has_forked_in = false;
}

enum blastmerge_status bm_cancel_begin(struct bm_cancel *cancel, struct blastmerge_error *error) {
    if (atomic_load(&cancel->has_pipe)) return BLASTMERGE_OK;
    if (bm_open_pipe(cancel->pipe) != 0) {
        int failure = errno;
        cancel->pipe[0] = cancel->pipe[1] = -1;
        return bm_fail_system(error, failure, "cannot create a pipe");
    }
    for (int i = 0; i < 2; i++) (void)fcntl(cancel->pipe[i], F_SETFL, O_NONBLOCK);
    cancel->process = getpid();
    /* A cancel at this moment either finds the pipe, or has set is_set before it is checked. */
    atomic_store(&cancel->has_pipe, true);
    atomic_thread_fence(memory_order_seq_cst);
    return BLASTMERGE_OK;
}

void bm_cancel_close(struct bm_cancel *cancel) {
    atomic_store(&cancel->has_pipe, false);
    if (cancel->pipe[0] >= 0) close(cancel->pipe[0]);
    if (cancel->pipe[1] >= 0) close(cancel->pipe[1]);
    cancel->pipe[0] = cancel->pipe[1] = -1;
}

void bm_cancel_set(struct bm_cancel *cancel) {
    int before = errno;
    atomic_store(&cancel->is_set, true);
    /* The pipe is the other process's, too. */
    if (atomic_load(&cancel->has_pipe) && !bm_cancel_is_foreign(cancel)) {
        ssize_t n_written = write(cancel->pipe[1], "", 1); /* a full pipe is readable, too */
        (void)n_written;
    }
    errno = before;
}

bool bm_cancel_is_foreign(const struct bm_cancel *cancel) {
    return cancel->process != 0 && cancel->process != getpid();
}

bool bm_cancel_check_process(struct bm_cancel *cancel) {
    if (bm_cancel_is_foreign(cancel)) cancel->has_forked_in = true;
    return !cancel->has_forked_in;
}

enum blastmerge_status bm_cancel_fail_foreign(struct blastmerge_error *error) {
    return bm_fail(
        error, BLASTMERGE_USAGE,
        "the job belongs to the process that began it, from which this one was forked: make a new job here");
}

int bm_cancel_wait(struct bm_cancel *cancel, int file, short events) {
    struct pollfd waited[2] = {{.fd = file, .events = events}, {.fd = cancel->pipe[0], .events = POLLIN}};
    for (;;) {
        if (bm_cancel_is_set(cancel)) return ECANCELED;
        int n_ready = poll(waited, 2, -1);
        if (n_ready < 0 && errno != EINTR) return errno;
        if (n_ready > 0 && waited[0].revents != 0) return bm_cancel_is_set(cancel) ? ECANCELED : 0;
    }
}

int bm_cancel_nap(struct bm_cancel *cancel, int milliseconds) {
    struct pollfd waited = {.fd = cancel->pipe[0], .events = POLLIN};
    if (!bm_cancel_is_set(cancel)) (void)poll(&waited, 1, milliseconds);
    return bm_cancel_is_set(cancel) ? ECANCELED : 0;
}
