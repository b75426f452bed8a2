/* SPDX-License-Identifier: MIT */
/*
 * base/workers.h - threads that run tasks in the order they were submitted.
 *
 * The job's own thread submits tasks and collects them. If it has to wait for a task that no worker has begun,
 * it runs the task itself. So the work is the same even without workers.
 * One lock guards the queue and all data that tasks share with the job's thread.
 */
#ifndef BM_WORKERS_H
#define BM_WORKERS_H

#include "base/base.h"

#include <pthread.h>

enum bm_task_state { BM_TASK_IDLE, BM_TASK_QUEUED, BM_TASK_RUNNING };

struct bm_task {
    void (*run)(void *argument); /* called without the lock */
    void *argument;
    bool (*help)(
        void *argument); /* does a piece of its work, likewise; true: there is more. NULL: it has no pieces */
    enum bm_task_state state; /* under the lock */
    struct bm_task *next;     /* under the lock */
};

struct bm_workers {
    pthread_mutex_t lock;
    pthread_cond_t work_came; /* the queue is not empty, or stopping */
    pthread_cond_t news;      /* a task ended, or called bm_workers_tell() */
    struct bm_task *first;    /* under the lock */
    struct bm_task *last;     /* under the lock */
    bool stopping;            /* under the lock */
    uint64_t n_news;          /* that came so far; under the lock */
    unsigned n_idle;          /* workers that are to be woken for work; under the lock */
    bool is_job_waiting;      /* to be woken for news; under the lock */
    bool is_job_due;          /* it waited, and is to be woken; under the lock */
    unsigned n_threads;
    pthread_t *threads;
};

/* Makes n_threads workers (0 is allowed), with all signals blocked. Fewer than requested is not an error, if
 * the system cannot provide more. */
enum blastmerge_status bm_workers_open(struct bm_workers *workers, unsigned n_threads,
                                       struct bm_memory *memory) BM_CHECK_RESULT;

/* Waits for running tasks, drops queued ones, and joins the threads. */
void bm_workers_close(struct bm_workers *workers, struct bm_memory *memory);

static inline void bm_workers_lock(struct bm_workers *workers) {
    pthread_mutex_lock(&workers->lock);
}

/* Wakes the job's thread only now: if it were woken while the lock is held, it would next wait for the lock. */
static inline void bm_workers_unlock(struct bm_workers *workers) {
    bool is_job_due = workers->is_job_due;
    workers->is_job_due = false;
    pthread_mutex_unlock(&workers->lock);
    if (is_job_due) pthread_cond_signal(&workers->news);
}

/* Queues an idle task; nothing happens if it is queued or running. Call with the lock held. */
void bm_workers_submit(struct bm_workers *workers, struct bm_task *task);

/* Removes a queued task from the queue, so the caller can run it: true if it was queued. The task is then
 * BM_TASK_RUNNING until the caller calls bm_workers_ended(). With the lock held. */
bool bm_workers_take(struct bm_workers *workers, struct bm_task *task);

/* Like bm_workers_take(), for a task that is idle or queued. */
bool bm_workers_begin(struct bm_workers *workers, struct bm_task *task);
void bm_workers_ended(struct bm_workers *workers, struct bm_task *task);

/* Wakes the job's thread, if it waits, when the lock is released. With the lock held. */
static inline void bm_workers_tell(struct bm_workers *workers) {
    workers->n_news++;
    if (workers->is_job_waiting) workers->is_job_due = true;
    workers->is_job_waiting = false;
}

/* Does a piece of a queued task's work, instead of waiting. False: there was none. With the lock held, which is
 * released during the work. */
bool bm_workers_help(struct bm_workers *workers);

/* Waits for the next news. With the lock held. */
void bm_workers_wait(struct bm_workers *workers);

#endif
