/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <signal.h>
#include <stdatomic.h>

/* The library's threads block every signal, so that the handler runs on the thread that called
 * tool_signals_open(), and has returned when that thread goes on. */
static struct blastmerge_job *_Atomic watched_job;
static volatile sig_atomic_t caught_signal;

static const int cancelling[] = {SIGINT, SIGTERM, SIGHUP};
static const int ignored[] = {SIGPIPE, SIGXFSZ};
#define N_CANCELLING (sizeof cancelling / sizeof cancelling[0])
#define N_IGNORED    (sizeof ignored / sizeof ignored[0])

/* As it was before open. */
static struct sigaction old_cancelling[N_CANCELLING];
static struct sigaction old_ignored[N_IGNORED];

static void handle(int number) {
    if (caught_signal == 0) caught_signal = number;
    struct blastmerge_job *job = atomic_load(&watched_job);
    if (job != NULL) blastmerge_cancel(job);
}

void tool_signals_open(struct blastmerge_job *job) {
    atomic_store(&watched_job, job);
    struct sigaction action = {.sa_handler = handle};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < N_CANCELLING; i++) {
        sigaction(cancelling[i], NULL, &old_cancelling[i]);
        if (old_cancelling[i].sa_handler != SIG_IGN) sigaction(cancelling[i], &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < N_IGNORED; i++) sigaction(ignored[i], &action, &old_ignored[i]);
}

void tool_signals_close(void) {
    for (size_t i = 0; i < N_CANCELLING; i++) sigaction(cancelling[i], &old_cancelling[i], NULL);
    for (size_t i = 0; i < N_IGNORED; i++) sigaction(ignored[i], &old_ignored[i], NULL);
    atomic_store(&watched_job, NULL);
}

bool tool_signals_note_pipe(void) {
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler == SIG_IGN) return false;
    if (caught_signal == 0) caught_signal = SIGPIPE;
    return true;
}

bool tool_signals_caught(void) {
    return caught_signal != 0;
}

void tool_signals_raise(void) {
    int number = caught_signal;
    if (number == 0) return;
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}
