/* SPDX-License-Identifier: MIT */
#include "job/side.h"

#include "job/job.h"

static bool has_missing(const struct blastmerge_job *job) {
    return job->side.missing.back_end != NULL;
}

enum blastmerge_status bm_job_side_open(struct blastmerge_job *job) {
    const char *missing = job->places.missing.location;
    if (missing == NULL) return BLASTMERGE_OK;
    if (job->options.expect_queries == NULL)
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "the missing queries are found by the queries that were searched, which are not given");
    return bm_store_open_location(&job->side.missing, missing, job->options.force != 0, true, &job->cancel,
                                  &job->error);
}

void bm_job_side_close(struct blastmerge_job *job) {
    bm_store_discard(&job->side.missing);
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

/* --- with the result ------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_side_prepare(struct blastmerge_job *job) {
    return has_missing(job) ? bm_store_prepare(&job->side.missing, &job->error) : BLASTMERGE_OK;
}

enum blastmerge_status bm_job_side_reveal(struct blastmerge_job *job) {
    return has_missing(job) ? bm_store_reveal(&job->side.missing, &job->error) : BLASTMERGE_OK;
}

/* A stream cannot be taken back. */
void bm_job_side_take_back(struct blastmerge_job *job) {
    if (job->cancel.has_forked_in || job->side.missing.revealed == NULL) return;
    if (!job->side.missing.is_stream) (void)!bm_store_take_back(&job->side.missing);
}

void bm_job_side_finish(struct blastmerge_job *job) {
    bm_store_finish(&job->side.missing);
}
