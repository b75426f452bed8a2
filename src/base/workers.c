/* SPDX-License-Identifier: MIT */
#include "base/workers.h"

#include <signal.h>
#include <string.h>
#include <time.h>

/*
 * A waiting thread polls, with naps in between, and blocks only after many naps. The reason: waking a thread
 * costs the waker more than a nap costs. On a virtual machine that is 50 µs, while a batch takes 70 µs, and the
 * waker is the thread that all others wait for. A nap takes about 70 µs with Linux's overhead, so all naps
 * together take about 1.5 ms.
 */
enum { NAP_NANOSECONDS = 20000, N_NAPS = 20 };

/* With the lock held, which is released during the nap. */
static void nap(struct bm_workers *workers) {
    const struct timespec time = {.tv_sec = 0, .tv_nsec = NAP_NANOSECONDS};
    bm_workers_unlock(workers);
    (void)nanosleep(&time, NULL);
    bm_workers_lock(workers);
}

static bool is_due(const struct bm_workers *workers) {
    return workers->first != NULL || workers->stopping;
}

/* Waits for the next task; NULL if the workers are to stop. With the lock held. */
static struct bm_task *next_task(struct bm_workers *workers) {
    for (unsigned n_naps = 0; !is_due(workers) && n_naps < N_NAPS; n_naps++) nap(workers);
    while (!is_due(workers)) {
        workers->n_idle++;
        pthread_cond_wait(&workers->work_came, &workers->lock);
        workers->n_idle--;
    }
    if (workers->stopping) return NULL;
    struct bm_task *task = workers->first;
    return bm_workers_take(workers, task) ? task : NULL;
}

static void *work(void *argument) {
    struct bm_workers *workers = argument;
    for (;;) {
        bm_workers_lock(workers);
        struct bm_task *task = next_task(workers);
        bm_workers_unlock(workers);
        if (task == NULL) break;
        task->run(task->argument);
        bm_workers_lock(workers);
        bm_workers_ended(workers, task);
        bm_workers_unlock(workers);
    }
    return NULL;
}

/* Small stacks: a worker calls nothing deep, and what is not touched is not resident anyway. */
enum { STACK_BYTES = 256 * 1024 };

static void start_threads(struct bm_workers *workers, unsigned n_threads) {
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers->n_threads < n_threads &&
           pthread_create(&workers->threads[workers->n_threads], &attributes, work, workers) == 0) {
        workers->n_threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

enum blastmerge_status bm_workers_open(struct bm_workers *workers, unsigned n_threads,
                                       struct bm_memory *memory) {
    memset(workers, 0, sizeof *workers);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->work_came, NULL);
    pthread_cond_init(&workers->news, NULL);
    if (n_threads == 0) return BLASTMERGE_OK;
    workers->threads = bm_allocate(memory, n_threads * sizeof *workers->threads);
    if (workers->threads == NULL) return BLASTMERGE_NO_MEMORY;
    start_threads(workers, n_threads);
    return BLASTMERGE_OK;
}

void bm_workers_close(struct bm_workers *workers, struct bm_memory *memory) {
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->work_came);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->n_threads; i++) pthread_join(workers->threads[i], NULL);
    bm_release(memory, workers->threads);
    pthread_cond_destroy(&workers->news);
    pthread_cond_destroy(&workers->work_came);
    pthread_mutex_destroy(&workers->lock);
}

void bm_workers_submit(struct bm_workers *workers, struct bm_task *task) {
    if (task->state != BM_TASK_IDLE) return;
    task->state = BM_TASK_QUEUED;
    task->next = NULL;
    if (workers->first == NULL) {
        workers->first = task;
    } else {
        workers->last->next = task;
    }
    workers->last = task;
    if (workers->n_idle > 0) pthread_cond_signal(&workers->work_came);
}

bool bm_workers_take(struct bm_workers *workers, struct bm_task *task) {
    if (task->state != BM_TASK_QUEUED) return false;
    struct bm_task *before = NULL;
    for (struct bm_task *other = workers->first; other != task; other = other->next) before = other;
    if (before == NULL) {
        workers->first = task->next;
    } else {
        before->next = task->next;
    }
    if (workers->last == task) workers->last = before;
    task->next = NULL;
    task->state = BM_TASK_RUNNING;
    return true;
}

bool bm_workers_begin(struct bm_workers *workers, struct bm_task *task) {
    if (task->state != BM_TASK_IDLE) return bm_workers_take(workers, task);
    task->state = BM_TASK_RUNNING;
    return true;
}

bool bm_workers_help(struct bm_workers *workers) {
    struct bm_task *task = workers->first;
    while (task != NULL && task->help == NULL) task = task->next;
    if (task == NULL || !bm_workers_take(workers, task)) return false;
    bm_workers_unlock(workers);
    bool has_more = task->help(task->argument);
    bm_workers_lock(workers);
    task->state = BM_TASK_IDLE;
    if (has_more) bm_workers_submit(workers, task);
    return true;
}

void bm_workers_wait(struct bm_workers *workers) {
    uint64_t n_news = workers->n_news;
    for (unsigned n_naps = 0; n_naps < N_NAPS; n_naps++) {
        nap(workers);
        if (workers->n_news != n_news) return;
    }
    workers->is_job_waiting = true;
    pthread_cond_wait(&workers->news, &workers->lock);
    workers->is_job_waiting = false;
}

void bm_workers_ended(struct bm_workers *workers, struct bm_task *task) {
    task->state = BM_TASK_IDLE;
    bm_workers_tell(workers);
}
