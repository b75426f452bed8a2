/* SPDX-License-Identifier: MIT */
#include "job/commit.h"
#include "job/check.h"
#include "job/survey.h"

#include <string.h>

void bm_job_commit_count(struct blastmerge_job *job) {
    job->totals.output_crc32 = job->output.crc32;
    job->totals.output_text_bytes = job->output.n_text;
    job->totals.copied_bytes = job->output.n_copied >> 3;
    job->totals.peak_memory = job->memory.n_peak + job->decoders.n_peak;
    job->totals.seconds = bm_seconds_since(&job->began);
}

size_t bm_job_commit_ready(const struct blastmerge_job *job) {
    size_t n = job->output.n_data;
    bool is_plain = job->options.form == BLASTMERGE_FORM_PLAIN;
    return is_plain && job->phase != BM_JOB_PHASE_END && n > 0 ? n - 1 : n;
}

void bm_job_commit_done(struct blastmerge_job *job, size_t n_bytes) {
    struct bm_output *output = &job->output;
    job->totals.output_bytes += n_bytes;
    output->n_data -= n_bytes;
    memmove(output->data, output->data + n_bytes, output->n_data);
}

/* --- the steps ----------------------------------------------------------------------------------- */

static enum blastmerge_status write_last(struct blastmerge_job *job) {
    return bm_store_write(&job->store, job->output.data, job->output.n_data, &job->error);
}

/* Not that anything failed: what there is to say of the children. */
static enum blastmerge_status final_status(struct blastmerge_job *job) {
    return job->is_check ? bm_job_check_status(job) : bm_job_survey_status(job);
}

/* What the job will end with, once all of it is visible. */
static struct blastmerge_error foresee_fault(struct blastmerge_job *job) {
    const struct blastmerge_error before = job->error;
    (void)!final_status(job);
    const struct blastmerge_error fault = job->error;
    job->error = before;
    return fault;
}

static enum blastmerge_status prepare_side(struct blastmerge_job *job) {
    const struct blastmerge_error fault = foresee_fault(job);
    return bm_job_side_prepare(job, &fault);
}

static enum blastmerge_status end_report(struct blastmerge_job *job) {
    const char *name =
        job->places.output.shown != NULL ? job->places.output.shown : job->places.output.location;
    const struct blastmerge_error fault = foresee_fault(job);
    enum blastmerge_status status =
        bm_report_end(&job->report, &job->totals, job->is_check ? NULL : name, &fault, &job->error);
    return status == BLASTMERGE_OK ? bm_store_prepare(&job->report_store, &job->error) : status;
}

static enum blastmerge_status reveal_report(struct blastmerge_job *job) {
    return job->has_report ? bm_store_reveal(&job->report_store, &job->error) : BLASTMERGE_OK;
}

/* The result, which is visible, has no report. If it stays, so do the files beside it; likewise below. */
static enum blastmerge_status take_back_result(struct blastmerge_job *job) {
    if (job->cancel.has_forked_in || bm_store_take_back(&job->store)) return job->error.status;
    bm_job_side_finish(job);
    job->sentence.subject = "the result is complete and in its place, but not its report";
    return job->error.status;
}

/* The report, which is visible, has no result. */
static enum blastmerge_status take_back_report(struct blastmerge_job *job) {
    if (job->cancel.has_forked_in)
        return job->error.status; /* a copy that a fork left: the report is not its own */
    bool is_stream = job->report_store.is_stream;
    if (!job->has_report || (!is_stream && bm_store_take_back(&job->report_store))) return job->error.status;
    bm_job_side_finish(job);
    if (!is_stream) job->sentence.addition = "; the report is in its place nevertheless";
    return job->error.status;
}

/* A report that is a stream is complete once its end is written: that comes last. */
static enum blastmerge_status reveal_file(struct blastmerge_job *job) {
    bool is_report_due = job->has_report && job->report_store.is_stream;
    enum blastmerge_status status = bm_store_reveal(&job->store, &job->error);
    if (status != BLASTMERGE_OK) return status;
    if (is_report_due) status = end_report(job);
    if (status == BLASTMERGE_OK) status = reveal_report(job);
    return status == BLASTMERGE_OK ? status : take_back_result(job);
}

static enum blastmerge_status reveal_stream(struct blastmerge_job *job) {
    bool has_store = job->store.back_end != NULL;
    enum blastmerge_status status = reveal_report(job);
    if (status != BLASTMERGE_OK || !has_store) return status;
    status = write_last(job);
    if (status == BLASTMERGE_OK) status = bm_store_reveal(&job->store, &job->error);
    return status == BLASTMERGE_OK ? status : take_back_report(job);
}

/* All else is visible. */
static enum blastmerge_status reveal_index(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_job_index_reveal(job);
    if (status != BLASTMERGE_OK && !job->is_check)
        job->sentence.subject = "the result is complete and in its place, but not its index";
    return status;
}

enum blastmerge_status bm_job_commit(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_file = job->store.back_end != NULL && !job->store.is_stream;
    bool is_report_last = is_file && job->report_store.is_stream;
    job->totals.output_bytes += job->output.n_data;
    bm_job_commit_count(job);
    if (is_file) status = write_last(job);
    if (is_file && status == BLASTMERGE_OK) status = bm_store_prepare(&job->store, &job->error);
    bool is_indexed = !bm_job_check_has_fault(job);
    if (status == BLASTMERGE_OK && is_indexed) status = bm_job_index_prepare(job);
    if (status == BLASTMERGE_OK) status = prepare_side(job);
    if (status == BLASTMERGE_OK && job->has_report && !is_report_last) status = end_report(job);
    if (status == BLASTMERGE_OK && bm_cancel_is_set(&job->cancel))
        status = bm_fail(&job->error, BLASTMERGE_CANCELLED, "cancelled");
    if (status == BLASTMERGE_OK && job->hooks.before_commit != NULL)
        status = job->hooks.before_commit(job->hooks.context, job->cloud);
    if (status == BLASTMERGE_OK) status = bm_job_check_callbacks(job);
    if (status == BLASTMERGE_OK) status = bm_job_side_reveal(job);
    if (status == BLASTMERGE_OK) status = is_file ? reveal_file(job) : reveal_stream(job);
    if (status != BLASTMERGE_OK) {
        bm_job_side_take_back(job);
        return status;
    }
    bm_store_finish(&job->store);
    bm_store_finish(&job->report_store);
    bm_job_side_finish(job);
    if (is_indexed) status = reveal_index(job);
    return status == BLASTMERGE_OK ? final_status(job) : status;
}
