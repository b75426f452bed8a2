/* SPDX-License-Identifier: MIT */
#include "job/client.h"
#include "job/job.h"
#include "job/places.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- begin and end ------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_client_begin(struct blastmerge_job *job, struct bm_job_client *client) {
    if (bm_cancel_is_foreign(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    if (job->is_inside) return BLASTMERGE_USAGE;
    if (job->error.status != BLASTMERGE_OK) return job->error.status;
    if (job->has_begun || job->plan.n_items > 0 || job->children.is_lazy ||
        job->places.output.location != NULL || job->places.has_writer ||
        job->places.report.location != NULL || job->places.missing.location != NULL || job->shards != NULL)
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "a job to finalize with is new: it has neither children nor shards nor places for a result");
    job->owner = getpid();
    enum blastmerge_status status = bm_cancel_begin(&job->cancel, &job->error);
    if (status != BLASTMERGE_OK) return status;
    *client = (struct bm_job_client){
        .memory = &job->memory, .cancel = &job->cancel, .error = &job->error, .options = &job->options};
    clock_gettime(CLOCK_MONOTONIC, &client->began);
    return BLASTMERGE_OK;
}

void bm_job_client_set_hooks(struct blastmerge_job *job, const struct bm_job_client_hooks *hooks) {
    job->hooks = *hooks;
}

void bm_job_client_end(struct blastmerge_job *job, const struct bm_job_client *client) {
    job->totals.peak_memory = job->memory.n_peak + job->decoders.n_peak;
    job->totals.seconds = bm_seconds_since(&client->began);
    job->hooks = (struct bm_job_client_hooks){0};
    job->has_begun = true;
}

enum blastmerge_status bm_job_client_keep_place(struct blastmerge_job *job, const char *what,
                                                const char *location) {
    enum blastmerge_status status = bm_job_places_check_one(job, what, location, location);
    return status == BLASTMERGE_OK ? bm_job_places_keep(job, what, location, false) : status;
}

/* --- the merge ----------------------------------------------------------------------------------- */

/* A run has ended, and its rooms are closed: the job is as it was before, with its children and places. */
static void forget_run(struct blastmerge_job *job) {
    const size_t rooms = offsetof(struct blastmerge_job, cloud);
    memset((char *)job + rooms, 0, sizeof *job - rooms);
    bm_job_children_forget(job);
    job->plan.header.is_due = false;
    job->totals = (struct blastmerge_report){.n_warnings = job->totals.n_warnings};
    job->error = (struct blastmerge_error){0};
    job->has_begun = false;
}

static bool can_run_again(const struct blastmerge_job *job) {
    return job->error.status == BLASTMERGE_INTERNAL && job->callbacks.failed == NULL &&
           !job->cancel.has_forked_in;
}

enum blastmerge_status bm_job_client_merge(struct blastmerge_job *job,
                                           const struct bm_job_client_terms *terms) {
    for (size_t i = 0; i < job->plan.n_items; i++)
        if (!bm_fetch_source_is_remote(&job->plan.items[i].source))
            job->plan.items[i].source.must_be_regular = terms->are_files_regular;
    job->options.force = 1;
    job->is_order_given = true;
    job->supposed = terms->table;
    job->is_supposed_narrow = terms->is_table_narrow;
    job->is_copied = terms->table != BLASTMERGE_FORMAT_AUTO;
    job->is_copy_refused = false;
    /* Checking tables takes one thread little time, and one child at a time little memory. */
    if (job->is_copied) job->options.n_threads = 1;
    enum blastmerge_status status = blastmerge_run(job);
    if (!job->is_copy_refused || !can_run_again(job)) return status;
    forget_run(job);
    job->is_copied = false;
    return blastmerge_run(job);
}

/* --- what came of it ----------------------------------------------------------------------------- */

/* In XML2 and JSON all Iterations of a query lie in one report. */
static bool is_psiblast(const struct blastmerge_job *job) {
    const struct bm_format *format = bm_format_of(job->totals.format);
    const struct bm_number_header *header = bm_job_headers_first(&job->headers);
    for (size_t i = 0; i < header->n_fields && format->psiblast != NULL; i++) {
        const struct bm_number_header_field *field = &header->fields[i];
        if (strcmp(field->name, format->program) == 0) return strcmp(field->value, format->psiblast) == 0;
    }
    return false;
}

bool bm_job_client_counts_queries(const struct blastmerge_job *job) {
    enum blastmerge_format format = job->totals.format;
    return format != BLASTMERGE_FORMAT_AUTO && !bm_format_is_bare_table(format) && !is_psiblast(job);
}

void bm_job_client_warn(struct blastmerge_job *job, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    bm_job_warn(job, false, "%s", message);
}
