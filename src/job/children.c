/* SPDX-License-Identifier: MIT */
#include "job/children.h"

#include "job/check.h"
#include "job/job.h"
#include "job/places.h"
#include "job/remote.h"
#include "job/shards.h"
#include "plan/order.h"

#include <inttypes.h>

/* --- what can be known beforehand ---------------------------------------------------------------- */

static enum blastmerge_status look_at_child(struct blastmerge_job *job, size_t number,
                                            struct blastmerge_error *error) {
    struct bm_fetch_source *source = &job->plan.items[number].source;
    if (!bm_fetch_source_is_remote(source)) return bm_fetch_source_look(source, error);
    if (job->shards == NULL) return bm_job_remote_check_location(job, source, error);
    bm_job_remote_look_ahead(job, number); /* all shards of a batch are opened at once */
    return bm_fetch_source_look(source, error);
}

/* Looks at the children from `first` on, so that one that is not there is known before hours of work. Of remote ones
 * only the location is checked: a request for each costs as much as reading a small child, and their first requests
 * are made ahead of their turn (bm_job_remote_read_ahead()). */
static enum blastmerge_status look_at_children(struct blastmerge_job *job, size_t first) {
    for (size_t i = first; i < job->plan.n_items; i++) {
        const struct bm_fetch_source *source = &job->plan.items[i].source;
        struct blastmerge_error error;
        enum blastmerge_status status = look_at_child(job, i, &error);
        /* A check says so when its turn comes. */
        if (status != BLASTMERGE_OK && (!job->is_check || status == BLASTMERGE_CANCELLED)) {
            job->error = error;
            job->error.child = i;
            job->sentence.subject = source->shown;
            return status;
        }
        if (source->n_bytes == UINT64_MAX && !bm_fetch_source_is_remote(source))
            job->children.has_no_total = true;
    }
    if (job->children.is_lazy) job->children.has_no_total = true;
    bm_job_children_add_lengths(job);
    return BLASTMERGE_OK;
}

/* In the children's order. Of one whose length its server has not said, what was read of it counts. */
void bm_job_children_add_lengths(struct blastmerge_job *job) {
    struct bm_job_children *children = &job->children;
    for (; children->n_in_total < job->plan.n_items && !children->has_no_total; children->n_in_total++) {
        const struct bm_fetch_source *source = &job->plan.items[children->n_in_total].source;
        uint64_t n_bytes = source->n_bytes;
        bool is_known = n_bytes != UINT64_MAX;
        if (!is_known && bm_fetch_source_is_remote(source) && children->n_in_total >= job->child) return;
        if (!is_known && bm_fetch_source_is_remote(source))
            n_bytes = children->rows[children->n_in_total].compressed_bytes;
        if (n_bytes >= UINT64_MAX / 4 - children->compressed_total) { /* servers say what they like */
            children->has_no_total = true;
            return;
        }
        children->compressed_total += n_bytes;
    }
}

enum blastmerge_status bm_job_children_check_count(struct blastmerge_job *job) {
    uint64_t n_expected = job->options.expect_children;
    if (job->plan.n_items == 0) return bm_fail(&job->error, BLASTMERGE_USAGE, "no children were given");
    if (n_expected == 0 || n_expected == job->plan.n_items) return BLASTMERGE_OK;
    return bm_fail(&job->error, BLASTMERGE_MISMATCH, "%zu %s given, but %" PRIu64 " were expected",
                   job->plan.n_items, job->plan.n_items == 1 ? "child was" : "children were", n_expected);
}

bool bm_job_is_order_strict(const struct blastmerge_job *job) {
    return job->options.as_unsplit && job->options.sort != BLASTMERGE_SORT_NONE;
}

/* Looks for children whose names say that their order is not the searches', or that one is missing. */
enum blastmerge_status bm_job_children_check_order(struct blastmerge_job *job) {
    const struct bm_plan_order order = bm_plan_order_look(&job->plan);
    char names[2][BM_JOB_SHOWN_NAME];
    if (order.n_backward > 0) { /* gaps say nothing then */
        if (job->options.sort == BLASTMERGE_SORT_NONE) return BLASTMERGE_OK;
        bm_job_show_names(job, order.first_backward, order.first_backward - 1, names);
        if (bm_job_is_order_strict(job)) {
            bm_fail(&job->error, BLASTMERGE_MISMATCH,
                    "the children are not in natural order: %s comes after %s; --sort natural sorts them, "
                    "and --sort none confirms the order",
                    names[0], names[1]);
            return bm_job_check_keep_fault(job);
        }
        bm_job_warn(job, false,
                    "the children are not in natural order: %s comes after %s; --sort natural sorts them",
                    names[0], names[1]);
    } else if (order.n_gaps > 0) {
        bm_job_show_names(job, order.first_gap - 1, order.first_gap, names);
        if (bm_job_is_order_strict(job) && job->options.expect_children == 0) {
            bm_fail(&job->error, BLASTMERGE_MISMATCH,
                    "the children's numbers have %zu gap%s, the first between %s and %s: --expect-children N "
                    "confirms that none is missing",
                    order.n_gaps, order.n_gaps == 1 ? "" : "s", names[0], names[1]);
            return bm_job_check_keep_fault(job);
        }
        bm_job_warn(job, false,
                    "the children's numbers have %zu gap%s, the first between %s and %s: is any missing?",
                    order.n_gaps, order.n_gaps == 1 ? "" : "s", names[0], names[1]);
    }
    return BLASTMERGE_OK;
}

/* Tells of files that are given twice: of the first ones, and how many more there are. */
static enum blastmerge_status tell_twins(struct blastmerge_job *job, const uint32_t *numbers, size_t n) {
    enum { MOST = 16 };
    size_t n_twins = 0;
    for (size_t i = 1; i < n; i++) {
        const struct bm_fetch_source *source = &job->plan.items[numbers[i]].source;
        if (!bm_plan_is_same_file(&job->plan, numbers[i - 1], numbers[i])) continue;
        int n_shown = bm_show_length(source->shown, 400);
        if (job->shards != NULL)
            return bm_fail(&job->error, BLASTMERGE_MISMATCH,
                           "%.*s is given twice: each shard's hits would be in the result twice", n_shown,
                           source->shown);
        if (++n_twins > MOST) continue;
        if (bm_job_is_order_strict(job)) {
            bm_fail(
                &job->error, BLASTMERGE_MISMATCH,
                "%.*s is given twice: its Iterations would be in the result twice; --sort none confirms it",
                n_shown, source->shown);
            if (bm_job_check_keep_fault(job) != BLASTMERGE_OK) return job->error.status;
        } else {
            bm_job_warn(job, false, "%.*s is given twice: its Iterations will be in the result twice",
                        n_shown, source->shown);
        }
    }
    if (n_twins > MOST)
        bm_job_warn(job, false, "%zu more children are files that are given twice", n_twins - MOST);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_children_check_twice(struct blastmerge_job *job) {
    size_t n = 0;
    uint32_t *numbers = bm_plan_order_files(&job->plan, &n);
    if (numbers == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    enum blastmerge_status status = tell_twins(job, numbers, n);
    bm_release(&job->memory, numbers);
    return status;
}

enum blastmerge_status bm_job_children_check(struct blastmerge_job *job, size_t first) {
    enum blastmerge_status status = job->children.is_lazy ? BLASTMERGE_OK : bm_job_children_check_count(job);
    if (status == BLASTMERGE_OK) status = look_at_children(job, first);
    return status;
}

/* --- children that come while others are merged -------------------------------------------------- */

void bm_job_children_set_source(struct blastmerge_job *job, const struct blastmerge_children *source) {
    job->children.source = *source;
    job->children.is_lazy = true;
}

static enum blastmerge_status ask_for_children(struct blastmerge_job *job) {
    const struct blastmerge_children source = job->children.source;
    size_t n_before = job->plan.n_items;
    job->children.is_adding = true;
    int issued = bm_callback_begin(job->options.callback_ticket);
    int result = source.next(source.context, job);
    job->children.is_adding = false;
    if (!bm_cancel_check_process(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    bool is_ok = bm_callback_is_ok(issued, result);
    if (!is_ok || job->plan.n_items == n_before) job->children.source.next = NULL;
    if (job->error.status != BLASTMERGE_OK || is_ok) return job->error.status;
    return bm_fail_callback(&job->error, result, "the source of children failed");
}

enum blastmerge_status bm_job_children_take(struct blastmerge_job *job) {
    size_t first = job->plan.n_items;
    if (job->children.source.next == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status = ask_for_children(job);
    if (status == BLASTMERGE_OK) status = bm_job_remote_admit(job, first);
    if (status == BLASTMERGE_OK) status = bm_job_children_make_rows(job);
    if (status == BLASTMERGE_OK) status = bm_job_places_check_children(job, first);
    job->totals.n_children = job->plan.n_items;
    return status == BLASTMERGE_OK ? bm_job_children_check(job, first) : status;
}

/* For what needs all of them at the start. */
enum blastmerge_status bm_job_children_take_all(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    while (job->children.source.next != NULL && status == BLASTMERGE_OK) status = ask_for_children(job);
    job->children.is_lazy = false;
    return status;
}

enum blastmerge_status bm_job_children_check_all(struct blastmerge_job *job) {
    if (!job->children.is_lazy) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_job_children_check_count(job);
    if (status == BLASTMERGE_OK) status = bm_job_children_check_twice(job);
    if (status == BLASTMERGE_OK && !job->is_order_given) status = bm_job_children_check_order(job);
    return status == BLASTMERGE_OK ? bm_job_check_callbacks(job) : status;
}

/* --- rows ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_children_make_rows(struct blastmerge_job *job) {
    size_t n = job->plan.n_items;
    if (n > job->children.n_rows_allocated) {
        size_t n_wanted = job->children.n_rows_allocated + job->children.n_rows_allocated / 8 + 16;
        if (n_wanted < n) n_wanted = n;
        struct bm_job_row *rows = bm_reallocate(&job->memory, job->children.rows, n_wanted * sizeof *rows);
        if (rows == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
        job->children.rows = rows;
        job->children.n_rows_allocated = n_wanted;
    }
    while (job->children.n_rows < n) job->children.rows[job->children.n_rows++] = (struct bm_job_row){0};
    return BLASTMERGE_OK;
}

void bm_job_children_forget(struct blastmerge_job *job) {
    job->children.n_rows = 0;
    job->children.compressed_total = 0;
    job->children.n_in_total = 0;
    job->children.has_no_total = false;
}

void bm_job_children_close(struct blastmerge_job *job) {
    bm_release(&job->memory, job->children.rows);
    job->children.rows = NULL;
    job->children.n_rows = 0;
}
