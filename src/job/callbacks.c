/* SPDX-License-Identifier: MIT */
#include "job/callbacks.h"

#include "job/job.h"
#include "job/order.h"
#include "job/shards.h"

/* --- what they return ---------------------------------------------------------------------------- */

void bm_job_note_callback(struct blastmerge_job *job, const char *what, int issued, int result) {
    if (!bm_cancel_check_process(&job->cancel)) return; /* it has forked, and returned in the copy, too */
    if (bm_callback_is_ok(issued, result) || job->callbacks.failed != NULL) return;
    job->callbacks.failed = what;
    job->callbacks.result = result;
}

enum blastmerge_status bm_job_check_callbacks(struct blastmerge_job *job) {
    if (!bm_cancel_check_process(&job->cancel)) { /* after a reader's close function, too */
        bm_cancel_fail_foreign(&job->error);
        return bm_job_fail(job);
    }
    if (job->callbacks.failed == NULL || job->error.status != BLASTMERGE_OK) return job->error.status;
    bm_fail_callback(&job->error, job->callbacks.result, job->callbacks.failed);
    return bm_job_fail(job);
}

/* --- warnings ------------------------------------------------------------------------------------ */

enum { WARNING = 1024 }; /* bytes of a warning's text */

/* Composes a warning, counts it, and adds it to the report. */
static void add_warning(struct blastmerge_job *job, bool is_of_child, char message[WARNING],
                        const char *format, va_list arguments) {
    bm_show_list(message, WARNING, format, arguments);
    job->totals.n_warnings++;
    if (job->has_report) bm_report_warning(&job->report, is_of_child, message);
    bm_job_side_add_warning(job, message);
}

void bm_job_note(struct blastmerge_job *job, const char *format, ...) {
    char message[WARNING];
    va_list arguments;
    va_start(arguments, format);
    add_warning(job, false, message, format, arguments);
    va_end(arguments);
}

void bm_job_warn(struct blastmerge_job *job, bool is_of_child, const char *format, ...) {
    char message[WARNING];
    va_list arguments;
    va_start(arguments, format);
    add_warning(job, is_of_child, message, format, arguments);
    va_end(arguments);
    if (job->hooks.note_warning != NULL) job->hooks.note_warning(job->hooks.context, message);
    if (job->options.on_warning == NULL) return;
    bool was_inside = job->is_inside;
    job->is_inside = true; /* a client warns before and after its merge, too */
    int issued = bm_callback_begin(job->options.callback_ticket);
    bm_job_note_callback(job, "on_warning failed", issued,
                         job->options.on_warning(job->options.callback_context, message));
    job->is_inside = was_inside;
}

/* --- progress ------------------------------------------------------------------------------------ */

static bool is_progress_due(struct blastmerge_job *job) {
    struct timespec *reported = &job->callbacks.reported;
    if (job->options.progress_interval == 0) return true;
    if (bm_seconds_since(reported) * 1000 < job->options.progress_interval) return false;
    clock_gettime(CLOCK_MONOTONIC, reported);
    return true;
}

static const char *name_phase(const struct blastmerge_job *job) {
    if (job->phase == BM_JOB_PHASE_SURVEY) return "survey";
    if (bm_job_order_is_first_pass(job)) return "order";
    if (job->is_check) return "check";
    return job->child == job->plan.n_items ? "write" : "merge";
}

void bm_job_report_progress(struct blastmerge_job *job) {
    if (job->options.on_progress == NULL || !is_progress_due(job)) return;
    bool has_total = !job->children.has_no_total;
    /* Else the last view is that of a child that has been added to the totals. */
    bool is_in_child = job->phase >= BM_JOB_PHASE_BATCH && job->phase <= BM_JOB_PHASE_WRITE;
    bool is_second = bm_job_order_is_second_pass(job); /* its children are not the job's own */
    uint64_t n_read = is_second ? job->totals.compressed_bytes * (job->child + 1) / (job->plan.n_items + 1)
                      : job->child < job->n_opened ? bm_child_lane_n_fetched(&bm_job_child(job)->lane)
                                                   : 0;
    /* When all were read, what was written of the last ones may still be waited for. */
    const size_t n_items = job->plan.n_items, child = job->child < n_items ? job->child : n_items - 1;
    struct blastmerge_progress progress = {
        .compressed_bytes = job->totals.compressed_bytes + job->n_surveyed_bytes + n_read,
        .compressed_total = has_total ? job->n_passes * job->children.compressed_total : 0,
        .n_children_in_total = has_total ? job->children.n_in_total : 0,
        .child = is_second ? job->totals.n_children - 1 : child,
        .n_children = is_second ? job->totals.n_children : job->plan.n_items,
        .n_iterations = job->totals.n_iterations + (is_in_child ? job->view.counts.n_iterations : 0),
        .output_bytes = job->totals.output_bytes,
        .phase = name_phase(job),
    };
    if (job->shards != NULL) bm_job_shards_progress(job, &progress);
    int issued = bm_callback_begin(job->options.callback_ticket);
    bm_job_note_callback(job, "on_progress failed", issued,
                         job->options.on_progress(job->options.callback_context, &progress));
}
