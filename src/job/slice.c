/* SPDX-License-Identifier: MIT */
#include "job/slice.h"

#include "job/check.h"
#include "job/commit.h"
#include "job/job.h"
#include "job/options.h"
#include "job/places.h"
#include "job/remote.h"
#include "job/shards.h"
#include "job/survey.h"

#include <string.h>
#include <sys/stat.h>

/* --- what the client uses ------------------------------------------------------------------------ */

struct bm_job_slice_view bm_job_slice_view(struct blastmerge_job *job) {
    const struct bm_job_place *output = &job->places.output;
    return (struct bm_job_slice_view){
        .memory = &job->memory,
        .cancel = &job->cancel,
        .error = &job->error,
        .options = &job->options,
        .totals = &job->totals,
        .output = output->location,
        .shown_output = output->shown != NULL ? output->shown : output->location,
        .is_database_given = job->is_database_given,
        .has_shards = job->shards != NULL,
        .n_children = bm_job_shards_n_batches(job),
    };
}

enum blastmerge_status bm_job_slice_check(struct blastmerge_job *job, bool may_have_shards) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (job->index != NULL || job->get != NULL)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "a merge in parts neither makes an index nor gets queries: do so with its result");
    if (job->shards != NULL && !may_have_shards)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "a plan takes tallies, and a join takes parts: neither takes shards");
    if (!bm_job_places_has_output(job)) return bm_fail(&job->error, BLASTMERGE_USAGE, "no output was set");
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_slice_check_places(struct blastmerge_job *job) {
    const struct bm_job_places *places = &job->places;
    if (places->report.location == NULL && places->page.location == NULL && places->missing.location == NULL)
        return BLASTMERGE_OK;
    return bm_fail(
        &job->error, BLASTMERGE_USAGE,
        "a plan and a join read no children: they write no report, no page and no missing queries");
}

void bm_job_slice_complete(struct blastmerge_job *job, const char *location) {
    char shown[512];
    struct bm_job_sentence sentence = {.subject = shown};
    blastmerge_show_location(location, shown, sizeof shown);
    bm_job_sentence_compose(&sentence, &job->error);
}

enum blastmerge_status bm_job_slice_adopt(struct blastmerge_job *job,
                                          const struct blastmerge_options *options) {
    struct blastmerge_options *own = &job->options;
    own->format = options->format;
    own->allow_empty = options->allow_empty;
    own->salvage = options->salvage;
    own->mismatch = options->mismatch;
    own->invalid_utf8 = options->invalid_utf8;
    own->forbidden_characters = options->forbidden_characters;
    own->as_unsplit = options->as_unsplit;
    own->query_ids = options->query_ids;
    own->header = options->header;
    return bm_job_options_replace_database(job, options->database, options->keep_database != 0);
}

static bool can_read_again(const struct bm_fetch_source *source) {
    struct stat information;
    if (bm_fetch_source_is_remote(source)) return true;
    if (!bm_fetch_source_has_location(source) || strcmp(source->location, "-") == 0) return false;
    /* One that is not there is found when it is opened. */
    return stat(source->location, &information) != 0 || S_ISREG(information.st_mode);
}

bool bm_job_slice_can_read_again(const struct blastmerge_job *job) {
    for (size_t i = 0; i < job->plan.n_items; i++)
        if (!can_read_again(&job->plan.items[i].source)) return false;
    return true;
}

void bm_job_slice_force(struct blastmerge_job *job) {
    job->options.force = 1;
}

enum blastmerge_status bm_job_slice_run(struct blastmerge_job *job, const struct bm_job_slice *slice) {
    if (slice->before == NULL) job->options.form = BLASTMERGE_FORM_PLAIN; /* its output is text */
    if (job->shards == NULL) job->options.expect_children = 0;            /* that of the plan */
    for (size_t i = 0; i < job->plan.n_items; i++)
        if (!bm_fetch_source_is_remote(&job->plan.items[i].source))
            job->plan.items[i].source.must_be_regular = true;
    job->slice = slice;
    enum blastmerge_status status = blastmerge_run(job);
    job->slice = NULL;
    return status;
}

/* --- work on other files ------------------------------------------------------------------------- */

static enum blastmerge_status open_rooms(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_cancel_begin(&job->cancel, &job->error);
    if (status == BLASTMERGE_OK) status = bm_job_children_take_all(job);
    if (status == BLASTMERGE_OK) status = bm_job_places_check(job);
    if (status == BLASTMERGE_OK) status = bm_job_remote_begin(job);
    if (status == BLASTMERGE_OK && bm_job_remote_has_children(job))
        status = bm_job_places_check(job); /* those that wildcards stand for */
    if (status != BLASTMERGE_OK) return status;
    job->output.size = BM_OUTPUT_SIZE;
    job->output.data = bm_allocate(&job->memory, BM_OUTPUT_SIZE);
    if (job->output.data == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    return bm_job_children_make_rows(job);
}

enum blastmerge_status bm_job_slice_begin(struct blastmerge_job *job, const char *what) {
    job->places.child = what;
    clock_gettime(CLOCK_MONOTONIC, &job->began);
    job->n_passes = 1;
    job->has_begun = true;
    job->is_inside = true;
    job->phase = BM_JOB_PHASE_FAILED; /* until it is committed */
    enum blastmerge_status status = open_rooms(job);
    job->totals.n_children = job->plan.n_items;
    return status;
}

size_t bm_job_slice_n_sources(const struct blastmerge_job *job) {
    return job->plan.n_items;
}

struct bm_fetch_source *bm_job_slice_source(struct blastmerge_job *job, size_t i) {
    return &job->plan.items[i].source;
}

enum blastmerge_status bm_job_slice_fail(struct blastmerge_job *job, size_t i) {
    job->error.child = i;
    job->sentence.subject = job->plan.items[i].source.shown;
    return job->error.status;
}

struct bm_cloud *bm_job_slice_cloud(struct blastmerge_job *job) {
    return job->cloud;
}

void bm_job_slice_look_ahead(struct blastmerge_job *job, size_t i) {
    bm_job_remote_look_ahead(job, i);
}

void bm_job_slice_forgive(struct blastmerge_job *job) {
    job->error = (struct blastmerge_error){0};
    job->sentence = (struct bm_job_sentence){0};
}

void bm_job_slice_set_losses(struct blastmerge_job *job, const struct bm_job_losses *losses,
                             uint64_t n_children, uint64_t n_iterations) {
    job->totals.n_damaged_children = losses->n_children;
    job->totals.n_lost_stretches = losses->n_stretches;
    job->totals.n_superseded_runs = losses->n_superseded;
    job->totals.n_unchecked_iterations = losses->n_unchecked;
    job->totals.n_children = n_children;
    job->totals.n_iterations = n_iterations;
}

enum blastmerge_status bm_job_slice_settle(struct blastmerge_job *job, const struct bm_output *sums) {
    job->output.crc32 = sums->crc32;
    job->output.n_text = sums->n_text;
    bm_job_commit_count(job);
    job->phase = BM_JOB_PHASE_END;
    return bm_job_survey_status(job);
}

enum blastmerge_status bm_job_slice_open_output(struct blastmerge_job *job, bool is_json) {
    return bm_job_open_output(job, is_json);
}

enum blastmerge_status bm_job_slice_write(struct blastmerge_job *job, const void *data, size_t n_bytes) {
    job->totals.output_bytes += n_bytes;
    return bm_store_write(&job->store, data, n_bytes, &job->error);
}

struct bm_store *bm_job_slice_store(struct blastmerge_job *job) {
    return &job->store;
}

struct bm_output *bm_job_slice_output(struct blastmerge_job *job) {
    return &job->output;
}

enum blastmerge_status bm_job_slice_flush(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_job_slice_write(job, job->output.data, job->output.n_data);
    job->output.n_data = 0;
    return status;
}

void bm_job_slice_count_output(struct blastmerge_job *job, uint64_t n_bytes) {
    job->totals.output_bytes += n_bytes;
}

enum blastmerge_status bm_job_slice_commit(struct blastmerge_job *job) {
    job->phase = BM_JOB_PHASE_END;
    return bm_job_commit(job);
}

enum blastmerge_status bm_job_slice_end(struct blastmerge_job *job, enum blastmerge_status status) {
    return bm_job_finish(job, status);
}
