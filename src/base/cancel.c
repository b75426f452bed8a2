/* SPDX-License-Identifier: MIT */
#include "base/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum blastmerge_status bm_cancel_open(struct bm_cancel *cancel, struct blastmerge_error *error) {
    atomic_init(&cancel->is_set, false);
    cancel->pipe[0] = cancel->pipe[1] = -1;
    if (pipe(cancel->pipe) != 0) return bm_fail_system(error, errno, "cannot make a pipe");
    for (int i = 0; i < 2; i++) {
        (void)fcntl(cancel->pipe[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(cancel->pipe[i], F_SETFL, O_NONBLOCK);
    }
    return BLASTMERGE_OK;
}

void bm_cancel_close(struct bm_cancel *cancel) {
    if (cancel->pipe[0] >= 0) close(cancel->pipe[0]);
    if (cancel->pipe[1] >= 0) close(cancel->pipe[1]);
    cancel->pipe[0] = cancel->pipe[1] = -1;
}

void bm_cancel_set(struct bm_cancel *cancel) {
    int before = errno;
    atomic_store_explicit(&cancel->is_set, true, memory_order_relaxed);
    ssize_t n_written = write(cancel->pipe[1], "", 1); /* a full pipe is readable, too */
    (void)n_written;
    errno = before;
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
