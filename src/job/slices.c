/* SPDX-License-Identifier: MIT */
#include "job/slices.h"

#include "job/shards.h"
#include "job/spans.h"
#include "stitch/stitch.h"

bool bm_job_slices_is_counting(const struct blastmerge_job *job) {
    return job->slice != NULL && job->slice->before == NULL;
}

static bool is_splicing(const struct blastmerge_job *job) {
    return job->slice != NULL && job->slice->before != NULL;
}

enum blastmerge_status bm_job_slices_refuse_header(struct blastmerge_job *job) {
    if (job->slice == NULL) return BLASTMERGE_OK;
    bm_fail(&job->error, BLASTMERGE_DATA,
            "its first header is damaged, and a child that is counted on its own cannot get another one's: "
            "salvage it in one merge with the others, or leave it out");
    return bm_job_fail_child(job);
}

bool bm_job_slices_has_reported_losses(const struct blastmerge_job *job) {
    return is_splicing(job);
}

/* --- the beginning ------------------------------------------------------------------------------- */

void bm_job_slices_set_kin(struct blastmerge_job *job) {
    const struct bm_mark_kin own = job->kin;
    if (!is_splicing(job)) return;
    job->kin = *job->slice->kin;
    job->kin.is_given = own.is_given;
    job->kin.is_inferred = own.is_inferred;
    if (job->kin.format == BLASTMERGE_FORMAT_AUTO) job->kin.format = own.format;
}

void bm_job_slices_begin_number(struct blastmerge_job *job) {
    if (is_splicing(job))
        bm_number_begin(job->number, job->slice->before);
    else if (job->slice != NULL)
        bm_number_count(job->number);
}

void bm_job_slices_begin_result(struct blastmerge_job *job) {
    if (!is_splicing(job)) return;
    job->slice->begin(job->slice->context, &job->output);
    job->n_before_slice = job->output.n_data;
}

/* --- the child ----------------------------------------------------------------------------------- */

void bm_job_slices_end_batch(struct blastmerge_job *job) {
    const struct bm_batch *batch = job->batch;
    if (job->slice == NULL) return;
    job->text_crc32 = bm_crc32_follow(job->text_crc32, batch->crc_before, batch->crc_after, batch->n_text);
}

/* What an unsplit run might have written otherwise, as far as it does not depend on the children before. */
static struct bm_job_slice_doubts doubts_of(const struct bm_number_state *now) {
    return (struct bm_job_slice_doubts){.n_gaps = now->n_gaps,
                                        .n_returns = now->n_returns,
                                        .n_unnumbered = now->n_unnumbered,
                                        .n_odd_ids = now->ids.n_odd,
                                        .n_odd_messages = now->n_odd_messages,
                                        .n_excess = now->n_excess_iterations,
                                        .n_bare = now->n_bare_iterations};
}

/* The child's; of a batch of shards, the first one's. */
static const char *location_of(const struct blastmerge_job *job) {
    const struct bm_fetch_source *source = &job->plan.items[job->child].source;
    const struct bm_job_row *row = NULL;
    if (job->shards != NULL)
        bm_require(bm_job_shards_find(job, bm_job_shards_first(job, job->child), &source, &row));
    return source->location;
}

static enum blastmerge_status hand_over(struct blastmerge_job *job, struct bm_job_document *documents,
                                        const struct bm_job_span *queries) {
    const struct bm_job_row *row = &job->children.rows[job->child];
    const struct bm_tally tally = bm_number_tally(job->number);
    if (job->number->now.excess.what != NULL)
        return bm_fail(&job->error, BLASTMERGE_MISMATCH, "%s are too large to be added",
                       job->number->now.excess.what);
    const struct bm_job_counted counted = {
        .location = location_of(job),
        .n_shards = bm_job_shards_of_batch(job),
        .n_bytes = row->compressed_bytes,
        .n_text = row->text_bytes,
        .crc32 = job->text_crc32,
        .tally = &tally,
        .kin = &job->kin,
        .counts = &job->view.counts,
        .header = job->headers.has_first ? job->headers.first : NULL,
        .doubts = doubts_of(&job->number->now),
        .losses = {job->totals.n_damaged_children, job->totals.n_lost_stretches,
                   job->totals.n_superseded_runs, job->totals.n_unchecked_iterations},
        .documents = documents,
        .n_documents = job->twins.n,
        .queries = queries,
        .n_warnings = job->totals.n_warnings,
    };
    for (size_t i = 0; i < job->twins.n; i++) (void)bm_job_twins_get(&job->twins, i, &documents[i]);
    return job->slice->child(job->slice->context, &counted, &job->error);
}

enum blastmerge_status bm_job_slices_end_child(struct blastmerge_job *job) {
    if (job->slice == NULL) return BLASTMERGE_OK;
    struct bm_job_document *documents = bm_allocate(&job->memory, (job->twins.n + 1) * sizeof *documents);
    if (documents == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    struct bm_job_span *queries = NULL;
    enum blastmerge_status status = bm_job_spans_sum(job, &queries);
    if (status == BLASTMERGE_OK) status = hand_over(job, documents, queries);
    bm_release(&job->memory, queries);
    bm_release(&job->memory, documents);
    return status;
}

/* --- the end ------------------------------------------------------------------------------------- */

void bm_job_slices_take_epilogue(struct blastmerge_job *job, bool *dropped_megablast) {
    bool has_first = is_splicing(job) && job->slice->before->n_documents == 0;
    if (!has_first || job->number->now.n_documents == 0) return;
    job->epilogue = bm_number_epilogue(job->number, job->slice->total, &job->n_epilogue, dropped_megablast);
}

void bm_job_slices_end_result(struct blastmerge_job *job) {
    const struct bm_job_fragment fragment = {
        .n_bytes = job->totals.output_bytes + job->output.n_data - job->n_before_slice,
        .n_text = job->output.n_text,
        .crc32 = job->output.crc32,
        .epilogue = job->epilogue,
        .n_epilogue = job->n_epilogue,
    };
    bm_stitch_end(&job->output, BLASTMERGE_FORM_GZIP, "", 0);
    job->slice->end(job->slice->context, &fragment, &job->output);
}
