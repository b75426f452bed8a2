/* SPDX-License-Identifier: MIT */
#include "job/survey.h"

#include "job/slices.h"
#include "salvage/pass.h"
#include "salvage/tell.h"

#include <inttypes.h>

/* --- beginning ----------------------------------------------------------------------------------- */

static bool can_be_read_twice(const struct bm_fetch_source *source) {
    return source->can_read_ahead && !source->is_open_reader;
}

static enum blastmerge_status check(struct blastmerge_job *job) {
    if (job->is_check) return bm_fail(&job->error, BLASTMERGE_USAGE, "a check salvages nothing");
    for (size_t i = 0; i < job->plan.n_items; i++) {
        const struct bm_fetch_source *source = &job->plan.items[i].source;
        if (can_be_read_twice(source)) continue;
        bm_fail(&job->error, BLASTMERGE_USAGE,
                "%.400s: to salvage, each child is read twice, which a pipe, standard input or a reader does "
                "not allow: save it as a file first",
                source->shown);
        job->error.child = i;
        return job->error.status;
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_survey_open(struct blastmerge_job *job) {
    if (!job->options.salvage) return BLASTMERGE_OK;
    enum blastmerge_status status = check(job);
    if (status != BLASTMERGE_OK) return status;
    const struct bm_salvage_pass_settings settings = {
        .options = &job->options,
        .memory = &job->memory,
        .cancel = &job->cancel,
        .buffer = bm_job_free_output(job),
        .n_children = job->plan.n_items,
    };
    status = bm_salvage_pass_open(&job->survey, &settings);
    job->n_passes = 2;
    return status == BLASTMERGE_OK ? status : bm_fail(&job->error, status, "out of memory");
}

void bm_job_survey_close(struct blastmerge_job *job) {
    for (size_t i = 0; i < job->plan.n_items && job->survey != NULL; i++) job->plan.items[i].text = NULL;
    bm_salvage_pass_close(job->survey);
    job->survey = NULL;
}

/* --- the end of the pass --------------------------------------------------------------------------- */

/* Counts what was lost. A result without an Iteration, where there should be some, is none. */
static enum blastmerge_status count_damage(struct blastmerge_job *job) {
    uint64_t n_iterations = 0;
    size_t first_damaged = 0;
    for (size_t i = 0; i < job->plan.n_items; i++) {
        const struct bm_salvage_findings *findings = bm_salvage_pass_findings(job->survey, i);
        bool is_damaged = findings->text.n_holes > 0;
        if (is_damaged && job->totals.n_damaged_children++ == 0) first_damaged = i;
        for (size_t j = 0; j < findings->text.n_holes; j++) {
            job->totals.n_lost_stretches += findings->holes[j].is_lost;
            job->totals.n_superseded_runs += findings->holes[j].n_superseded;
        }
        job->totals.n_unchecked_iterations += findings->n_unchecked;
        n_iterations += findings->n_iterations;
    }
    if (n_iterations > 0 || job->totals.n_damaged_children == 0) return BLASTMERGE_OK;
    job->child = first_damaged;
    bm_fail(&job->error, BLASTMERGE_DATA,
            "%.300s; nothing could be salvaged, because no child has an Iteration that is certainly whole",
            bm_salvage_pass_findings(job->survey, first_damaged)->holes[0].reason);
    return bm_job_fail_child(job);
}

/* The header that was made takes the place of the one of the child that it was made of. */
static void use_made_header(struct blastmerge_job *job) {
    const struct bm_salvage_made made = bm_salvage_pass_made(job->survey);
    const size_t n_fields = made.header->n_fields;
    const char *name = job->plan.items[made.child].source.shown;
    bm_job_warn(job, false,
                "no child's header is whole: the result has a plain one, made of the %zu field%s of that of "
                "%.300s that %s whole; the fault there: %s",
                n_fields, n_fields == 1 ? "" : "s", name, n_fields == 1 ? "is" : "are", made.reason);
    if (job->has_report) bm_report_made_header(&job->report, name, n_fields, made.reason);
    const struct bm_fetch_source source =
        bm_fetch_source_memory(name, made.header->text, made.header->n_text);
    bm_plan_set_header(&job->plan, made.child, &source, NULL, 0, made.header->n_text);
}

/* Plans to read the first whole header there is before all else, or the one that was made. */
static void borrow_header(struct blastmerge_job *job) {
    size_t child = bm_salvage_pass_find_header(job->survey);
    if (child == job->plan.n_items) {
        use_made_header(job);
        return;
    }
    const struct bm_salvage_findings *findings = bm_salvage_pass_findings(job->survey, child);
    bm_plan_set_header(&job->plan, child, &job->plan.items[child].source, &findings->text,
                       findings->prologue_from, findings->prologue_to);
}

static enum blastmerge_status end_pass(struct blastmerge_job *job) {
    enum blastmerge_status status = count_damage(job);
    if (status != BLASTMERGE_OK) return status;
    job->child = job->n_opened = 0;
    if (bm_salvage_pass_format(job->survey) != BLASTMERGE_FORMAT_AUTO)
        job->kin.format = bm_salvage_pass_format(job->survey);
    if (bm_salvage_pass_lacks_header(job->survey)) {
        status = bm_job_slices_refuse_header(job);
        if (status != BLASTMERGE_OK) return status;
        borrow_header(job);
    }
    job->phase = job->plan.header.is_due ? BM_JOB_PHASE_HEADER : BM_JOB_PHASE_CHILD;
    return BLASTMERGE_OK;
}

/* --- the pass ------------------------------------------------------------------------------------ */

enum blastmerge_status bm_job_survey(struct blastmerge_job *job) {
    bool is_last = false, is_done = false;
    if (job->child == job->plan.n_items) return end_pass(job);
    struct bm_plan_item *item = &job->plan.items[job->child];
    const struct bm_batch *batch = bm_job_take(job, &is_last);
    if (bm_salvage_pass_take(job->survey, job->child, &item->source, bm_job_child(job), batch, is_last,
                             &is_done, &job->error) != BLASTMERGE_OK)
        return bm_job_fail_child(job);
    if (!is_done) return BLASTMERGE_OK;
    item->text = &bm_salvage_pass_findings(job->survey, job->child)->text;
    job->n_surveyed_bytes += item->text->n_bytes;
    job->child++;
    return BLASTMERGE_OK;
}

/* --- what is said of it -------------------------------------------------------------------------- */

void bm_job_survey_tell(struct blastmerge_job *job) {
    char message[BM_SALVAGE_TOLD];
    if (job->survey == NULL) return;
    const struct bm_salvage_findings *findings = bm_salvage_pass_findings(job->survey, job->child);
    const char *name = job->plan.items[job->child].source.shown;
    for (size_t i = 0; i < findings->text.n_holes; i++) {
        const struct bm_salvage_hole *hole = &findings->holes[i];
        if (hole->is_lost) {
            bm_salvage_tell_lost(message, name, hole);
            bm_job_warn(job, true, "%s", message);
        }
        if (hole->n_superseded > 0) {
            bm_salvage_tell_superseded(message, name, hole);
            bm_job_warn(job, true, "%s", message);
        }
        if (job->has_report) bm_report_hole(&job->report, hole);
    }
    if (job->has_report) bm_report_unchecked(&job->report, findings->n_unchecked);
    if (findings->n_unchecked == 0) return;
    bm_job_warn(job, true,
                "%.300s: its last %" PRIu64
                " Iteration%s merged without proof: the data is cut short, without its checksum",
                name, findings->n_unchecked, findings->n_unchecked == 1 ? " was" : "s were");
}

enum blastmerge_status bm_job_survey_status(struct blastmerge_job *job) {
    const struct blastmerge_report *totals = &job->totals;
    if (totals->n_damaged_children == 0 || bm_job_slices_has_reported_losses(job)) return BLASTMERGE_OK;
    if (totals->n_lost_stretches == 0)
        return bm_fail(
            &job->error, BLASTMERGE_SALVAGED,
            "the search was begun again in %" PRIu64 " of %" PRIu64
            " children: of these the run that counts was merged, and what it supersedes was left out: the "
            "result has %" PRIu64 " Iterations",
            totals->n_damaged_children, totals->n_children, totals->n_iterations);
    return bm_fail(&job->error, BLASTMERGE_SALVAGED,
                   "something was lost of %" PRIu64 " of %" PRIu64 " children: the result has the %" PRIu64
                   " Iterations that are whole",
                   totals->n_damaged_children, totals->n_children, totals->n_iterations);
}
