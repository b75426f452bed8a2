/* SPDX-License-Identifier: MIT */
#include "job/seats.h"

#include "job/job.h"
#include "job/writers.h"

/* --- their life ------------------------------------------------------------------------------------ */

static bool is_small(const struct bm_plan_item *item) {
    return item->source.can_read_ahead && item->text == NULL && item->source.n_bytes <= BM_CHILD_LANE_SMALL;
}

/* Whether small children hold most of the bytes. Where children come one by one, too few are known before their turn. */
static bool are_mostly_small(const struct blastmerge_job *job) {
    uint64_t n_small_bytes = 0, n_bytes = 0;
    if (!job->can_be_early || job->children.is_lazy) return false;
    for (size_t i = 0; i < job->plan.n_items; i++) {
        const struct bm_plan_item *item = &job->plan.items[i];
        if (!item->source.can_read_ahead) return false;
        n_bytes += item->source.n_bytes;
        if (is_small(item)) n_small_bytes += item->source.n_bytes;
    }
    return n_small_bytes > n_bytes / 2;
}

enum blastmerge_status bm_job_seats_open(struct blastmerge_job *job, const struct bm_child_settings *settings,
                                         size_t n, size_t most_small) {
    struct bm_job_seats *seats = &job->seats;
    struct bm_child_settings small = *settings;
    const size_t n_small = most_small < BM_JOB_SMALL_SEATS ? most_small : BM_JOB_SMALL_SEATS;
    enum blastmerge_status status = BLASTMERGE_OK;
    small.room = bm_child_lane_room_of_small();
    seats->n_small = n > 1 && n_small > 1 && are_mostly_small(job) ? n_small : 0;
    seats->n_large = seats->n_small > 0 ? n - 1 : n;
    seats->n = seats->n_large + seats->n_small;
    seats->all = bm_allocate(&job->memory, seats->n * sizeof *seats->all);
    seats->of = bm_allocate(&job->memory, seats->n * sizeof *seats->of);
    if (seats->all == NULL || seats->of == NULL) return BLASTMERGE_NO_MEMORY;
    for (size_t i = 0; i < seats->n && status == BLASTMERGE_OK; i++)
        status = bm_child_create(&seats->all[i], i < seats->n_large ? settings : &small, &job->workers,
                                 &job->memory);
    return status;
}

bool bm_job_seats_close(struct blastmerge_job *job) {
    struct bm_job_seats *seats = &job->seats;
    for (size_t i = 0; i < seats->n && seats->all != NULL; i++) {
        if (!bm_cancel_check_process(&job->cancel)) return false; /* a reader's function has forked */
        bm_child_destroy(&seats->all[i], &job->memory);
    }
    bm_release(&job->memory, seats->all);
    bm_release(&job->memory, seats->of);
    *seats = (struct bm_job_seats){0};
    return true;
}

/* --- giving them ----------------------------------------------------------------------------------- */

struct bm_child *bm_job_seats_at(const struct blastmerge_job *job, size_t child) {
    bm_require(child < job->n_opened);
    return job->seats.of[child % job->seats.n];
}

size_t bm_job_seats_number(const struct blastmerge_job *job, const struct bm_child *seat) {
    size_t number = (size_t)(seat - job->seats.all);
    return number < job->seats.n_large ? number : SIZE_MAX;
}

static struct bm_child *next_large(const struct bm_job_seats *seats) {
    return &seats->all[seats->n_large_given % seats->n_large];
}

static struct bm_child *next_small(const struct bm_job_seats *seats) {
    return &seats->all[seats->n_large + seats->n_small_given % seats->n_small];
}

bool bm_job_seats_have_room(const struct blastmerge_job *job) {
    const struct bm_job_seats *seats = &job->seats;
    return job->n_opened - bm_job_writers_first(job) < seats->n && !next_large(seats)->lane.is_open;
}

bool bm_job_seats_open_next(struct blastmerge_job *job) {
    struct bm_job_seats *seats = &job->seats;
    struct bm_plan_item *item = &job->plan.items[job->n_opened];
    if (job->n_opened - bm_job_writers_first(job) == seats->n) return false;
    const bool takes_small = seats->n_small > 0 && is_small(item);
    struct bm_child *seat = takes_small ? next_small(seats) : next_large(seats);
    if (seat->lane.is_open) return false;
    *(takes_small ? &seats->n_small_given : &seats->n_large_given) += 1;
    seats->of[job->n_opened++ % seats->n] = seat;
    bm_child_open_text(seat, &item->source, item->text, &job->cancel);
    return true;
}

void bm_job_seats_open_header(struct blastmerge_job *job, size_t child) {
    struct bm_job_seats *seats = &job->seats;
    seats->of[child % seats->n] = seats->all;
    bm_child_open_text(seats->all, &job->plan.header.source, &job->plan.header.text, &job->cancel);
}
