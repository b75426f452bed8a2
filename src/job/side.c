/* SPDX-License-Identifier: MIT */
#include "job/side.h"

#include "job/job.h"

enum { N_SIDES = 2 };

static struct bm_store *store_at(struct blastmerge_job *job, size_t i) {
    return i == 0 ? &job->side.missing : &job->side.page;
}

static bool has_missing(const struct blastmerge_job *job) {
    return job->side.missing.back_end != NULL;
}

static enum blastmerge_status open_store(struct blastmerge_job *job, struct bm_store *store,
                                         const char *location) {
    if (location == NULL) return BLASTMERGE_OK;
    return bm_store_open_location(store, location, job->options.force != 0, true, &job->cancel, &job->error);
}

enum blastmerge_status bm_job_side_open(struct blastmerge_job *job) {
    const char *missing = job->places.missing.location;
    enum blastmerge_status status = open_store(job, &job->side.page, job->places.page.location);
    if (missing == NULL || status != BLASTMERGE_OK) return status;
    if (job->options.expect_queries == NULL)
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "the missing queries are found by the queries that were searched, which are not given: give "
            "--expect-queries");
    return open_store(job, &job->side.missing, missing);
}

void bm_job_side_close(struct blastmerge_job *job) {
    for (size_t i = 0; i < N_SIDES; i++) bm_store_discard(store_at(job, i));
    bm_report_texts_close(&job->side.warnings, &job->memory);
    bm_report_texts_close(&job->side.gaps, &job->memory);
    bm_report_texts_close(&job->side.header, &job->memory);
}

/* --- the missing queries --------------------------------------------------------------------------- */

static enum blastmerge_status write_missing(void *context, const void *data, size_t n_bytes,
                                            struct blastmerge_error *error) {
    struct blastmerge_job *job = context;
    return bm_store_write(&job->side.missing, data, n_bytes, error);
}

enum blastmerge_status bm_job_side_add_missing(struct blastmerge_job *job, const struct bm_queries_gap *gap) {
    if (!has_missing(job)) return BLASTMERGE_OK;
    return bm_queries_copy(job->queries.file, gap, write_missing, job, &job->error);
}

enum blastmerge_status bm_job_side_commit_missing(struct blastmerge_job *job) {
    if (!has_missing(job)) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_store_prepare(&job->side.missing, &job->error);
    return status == BLASTMERGE_OK ? bm_store_commit(&job->side.missing, &job->error) : status;
}

/* --- the page -------------------------------------------------------------------------------------- */

void bm_job_side_add_warning(struct blastmerge_job *job, const char *message) {
    if (job->places.page.location != NULL) bm_report_texts_add(&job->side.warnings, &job->memory, message);
}

void bm_job_side_add_gap(struct blastmerge_job *job, const char *message) {
    if (job->places.page.location != NULL) bm_report_texts_add(&job->side.gaps, &job->memory, message);
}

void bm_job_side_add_field(struct blastmerge_job *job, const struct bm_mark_field *field) {
    struct bm_report_texts *header = &job->side.header;
    if (job->places.page.location == NULL || job->view.counts.n_documents > 1) return;
    if (header->n == 0) job->side.header_child = job->child;
    if (job->side.header_child != job->child) return;
    const size_t n_before = header->n_bytes;
    bm_report_texts_add(header, &job->memory, field->name);
    const size_t n_named = header->n_bytes;
    if (n_named > n_before) bm_report_texts_add(header, &job->memory, field->value);
    if (header->n_bytes == n_named) header->n_bytes = n_before; /* both fit, or neither is kept */
}

void bm_job_side_count(struct blastmerge_job *job) {
    _Static_assert((int)BM_REPORT_CLASSES == (int)BM_MARK_CLASSES, "they are the same classes");
    for (size_t i = 0; i < BM_REPORT_CLASSES; i++) job->side.by_hits[i] += job->view.counts.by_hits[i];
}

static enum blastmerge_status write_to_page(void *context, const void *data, size_t n_bytes,
                                            struct blastmerge_error *error) {
    struct blastmerge_job *job = context;
    return bm_store_write(&job->side.page, data, n_bytes, error);
}

static bool find_child(void *context, uint64_t number, struct blastmerge_child *child) {
    const struct blastmerge_job *job = context;
    return blastmerge_child(job, number, child) == BLASTMERGE_OK;
}

static enum blastmerge_status write_page(struct blastmerge_job *job, const struct blastmerge_error *fault) {
    const struct bm_job_place *output = &job->places.output;
    const struct bm_report_page page = {
        .command = job->is_check         ? "check"
                   : job->shards != NULL ? "shards"
                                         : "merge",
        .totals = &job->totals,
        .fault = fault,
        .output = job->is_check           ? NULL
                  : output->shown != NULL ? output->shown
                                          : output->location,
        .warnings = &job->side.warnings,
        .has_queries = job->options.expect_queries != NULL,
        .missing = &job->side.gaps,
        .header = &job->side.header,
        .by_hits = job->side.by_hits,
        .n_children = job->totals.n_children,
        .context = job,
        .child = find_child,
        .write = write_to_page,
    };
    return bm_report_page_write(&page, &job->memory, &job->error);
}

/* --- with the result ------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_side_prepare(struct blastmerge_job *job, const struct blastmerge_error *fault) {
    enum blastmerge_status status = BLASTMERGE_OK;
    if (job->side.page.back_end != NULL) status = write_page(job, fault);
    for (size_t i = 0; i < N_SIDES && status == BLASTMERGE_OK; i++)
        if (store_at(job, i)->back_end != NULL) status = bm_store_prepare(store_at(job, i), &job->error);
    return status;
}

enum blastmerge_status bm_job_side_reveal(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = 0; i < N_SIDES && status == BLASTMERGE_OK; i++)
        if (store_at(job, i)->back_end != NULL) status = bm_store_reveal(store_at(job, i), &job->error);
    return status;
}

/* A stream cannot be taken back. */
void bm_job_side_take_back(struct blastmerge_job *job) {
    if (job->cancel.has_forked_in) return;
    for (size_t i = 0; i < N_SIDES; i++) {
        struct bm_store *store = store_at(job, i);
        if (store->revealed != NULL && !store->is_stream) (void)!bm_store_take_back(store);
    }
}

void bm_job_side_finish(struct blastmerge_job *job) {
    for (size_t i = 0; i < N_SIDES; i++) bm_store_finish(store_at(job, i));
}
