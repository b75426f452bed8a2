/* SPDX-License-Identifier: MIT */
/*
 * Children that were counted elsewhere are compared as a merge compares them, with its messages: each takes its turn as
 * the job's current child, and brings what a scan of it has found. Nothing of a child is read.
 */
#include "base/hash.h"
#include "job/check.h"
#include "job/children.h"
#include "job/job.h"
#include "job/remote.h"
#include "job/slice.h"
#include "job/spans.h"

#include <string.h>

/* The job's own children, while others are in their place. */
struct bm_job_compare {
    struct bm_plan plan;
    struct bm_job_children children;
    struct bm_job_spans *spans;
};

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- begin and end ------------------------------------------------------------------------------- */

/* Two children are one file if their locations are equal. */
static bool add_child(struct blastmerge_job *job, const char *location) {
    char *shown = NULL;
    struct bm_fetch_source source = bm_fetch_source_path(location);
    if (bm_job_remote_name(job, location, &shown) != BLASTMERGE_OK) return false;
    if (shown != NULL) source.shown = shown;
    source.has_identity = true;
    source.inode = bm_fnv1a(BM_FNV1A, location, strlen(location));
    bool is_added = bm_plan_add(&job->plan, source);
    bm_release(&job->memory, shown);
    return is_added;
}

static enum blastmerge_status open_rooms(struct blastmerge_job *job) {
    job->number = bm_allocate(&job->memory, sizeof *job->number);
    if (job->number == NULL || bm_job_headers_open(&job->headers, &job->memory) != BLASTMERGE_OK)
        return fail_memory(job);
    bm_number_open(job->number, job->options.database, job->options.query_ids, job->options.as_unsplit != 0);
    job->kin = (struct bm_mark_kin){.format = job->options.format,
                                    .is_given = job->options.format != BLASTMERGE_FORMAT_AUTO};
    enum blastmerge_status status = bm_job_children_make_rows(job);
    return status == BLASTMERGE_OK ? bm_job_check_open(job) : status;
}

enum blastmerge_status bm_job_slice_compare_begin(struct blastmerge_job *job, const char *const *locations,
                                                  size_t n) {
    job->compare = bm_allocate(&job->memory, sizeof *job->compare);
    if (job->compare == NULL) return fail_memory(job);
    *job->compare = (struct bm_job_compare){job->plan, job->children, NULL};
    job->children = (struct bm_job_children){0};
    job->temporary.beside = bm_job_places_beside(job); /* a check has no result */
    job->is_check = true;
    job->totals.n_children = n;
    bm_plan_open(&job->plan, &job->memory);
    for (size_t i = 0; i < n; i++)
        if (!add_child(job, locations[i])) return fail_memory(job);
    enum blastmerge_status status = open_rooms(job);
    if (status == BLASTMERGE_OK) status = bm_job_spans_open(job, &job->compare->spans);
    if (status == BLASTMERGE_OK && bm_job_children_check_count(job) != BLASTMERGE_OK)
        status = bm_job_check_keep_fault(job);
    if (status == BLASTMERGE_OK) status = bm_job_children_check_twice(job);
    if (status == BLASTMERGE_OK) status = bm_job_children_check_order(job);
    return status == BLASTMERGE_OK ? bm_job_check_callbacks(job) : status;
}

/* The epilogue of a result without a document. */
static enum blastmerge_status end_empty(struct blastmerge_job *job, const struct bm_tally *total,
                                        const char **epilogue, size_t *n_epilogue) {
    bool has_dropped = false;
    if (bm_job_begin_empty_table(job) != BLASTMERGE_OK) return job->error.status;
    *epilogue = bm_number_epilogue(job->number, total, n_epilogue, &has_dropped);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_slice_compare_end(struct blastmerge_job *job, const struct bm_tally *total,
                                                const char **epilogue, size_t *n_epilogue) {
    *epilogue = NULL;
    *n_epilogue = 0;
    if (bm_job_spans_end(job, job->compare->spans) != BLASTMERGE_OK &&
        bm_job_check_keep_fault(job) != BLASTMERGE_OK)
        return job->error.status;
    enum blastmerge_status status = bm_job_check_has_fault(job) ? bm_job_check_status(job) : BLASTMERGE_OK;
    if (status == BLASTMERGE_OK && total->n_documents == 0)
        status = end_empty(job, total, epilogue, n_epilogue);
    bm_job_seams_end_characters(job);
    bm_job_gather_end(job);
    bm_job_twins_end(job);
    bm_job_unsplit_end(job);
    bm_job_seams_end(job);
    return status == BLASTMERGE_OK ? bm_job_check_callbacks(job) : status;
}

void bm_job_slice_compare_close(struct blastmerge_job *job) {
    if (job->compare == NULL) return;
    bm_job_spans_close(job->compare->spans, &job->memory);
    bm_job_sentence_compose(&job->sentence, &job->error); /* it may name a child that goes now */
    bm_plan_close(&job->plan);
    bm_job_children_close(job);
    job->plan = job->compare->plan;
    job->children = job->compare->children;
    bm_release(&job->memory, job->compare);
    job->compare = NULL;
    job->is_check = false;
}

/* --- a child --------------------------------------------------------------------------------------- */

/* What the first child that has it settles for those after it, as the scanners do (mark/scan/scan.c and the tables'). */
static enum blastmerge_status settle(struct blastmerge_job *job, const struct bm_mark_kin *own) {
    struct bm_mark_kin *kin = &job->kin;
    if (own->format == BLASTMERGE_FORMAT_AUTO) return BLASTMERGE_OK;
    if (kin->format == BLASTMERGE_FORMAT_AUTO) {
        kin->format = own->format;
        kin->rows_are_plain = own->rows_are_plain;
    }
    if (kin->format != own->format) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH, "it is %s, but %s %s", bm_format_of(own->format)->title,
                bm_format_of(kin->format)->title,
                kin->is_given ? "was expected" : "came before: all children must have one format");
        return bm_job_fail_child(job);
    }
    if (kin->form == 0) kin->form = own->form;
    if (own->form != 0 && kin->form != own->form) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH,
                "its tables have comments of another program's form than those before: they cannot be merged "
                "with each other");
        return bm_job_fail_child(job);
    }
    if (kin->n_columns == 0) kin->n_columns = own->n_columns;
    if (!kin->has_table && own->has_table) {
        kin->n_names = own->n_names;
        memcpy(kin->names, own->names, sizeof kin->names);
        kin->has_table = true;
    }
    job->totals.format = kin->format;
    return bm_job_headers_check_database(job);
}

static void add_doubts(struct bm_number_state *now, const struct bm_job_slice_doubts *doubts) {
    now->n_gaps += doubts->n_gaps;
    now->n_returns += doubts->n_returns;
    now->n_unnumbered += doubts->n_unnumbered;
    now->ids.n_odd += doubts->n_odd_ids;
    now->n_odd_messages += doubts->n_odd_messages;
    now->n_excess_iterations += doubts->n_excess;
    now->n_bare_iterations += doubts->n_bare;
}

static void fill_row(struct bm_job_row *row, const struct bm_job_counted *counted) {
    row->n_documents = counted->counts->n_documents;
    row->n_iterations = counted->counts->n_iterations;
    row->n_hits = counted->counts->n_hits;
    row->n_hsps = counted->counts->n_hsps;
    row->n_invalid_bytes = counted->counts->n_invalid_bytes;
    row->n_forbidden = counted->counts->n_forbidden & BM_JOB_MOST_FORBIDDEN;
    row->compressed_bytes = counted->n_bytes;
    row->text_bytes = counted->n_text;
    row->was_read = true;
}

static enum blastmerge_status compare(struct blastmerge_job *job, const struct bm_job_counted *counted) {
    enum blastmerge_status status = settle(job, counted->kin);
    if (status == BLASTMERGE_OK && counted->header != NULL) {
        *job->headers.current = *counted->header;
        status = bm_job_headers_compare(job);
    }
    for (size_t i = 0; i < counted->n_documents && status == BLASTMERGE_OK; i++)
        status = bm_job_twins_compare(job, &counted->documents[i]);
    if (status == BLASTMERGE_OK) return bm_job_spans_compare(job, job->compare->spans, counted->queries);
    bm_job_spans_pass(job, job->compare->spans, counted->queries);
    return status;
}

enum blastmerge_status bm_job_slice_compare(struct blastmerge_job *job, size_t i,
                                            const struct bm_job_counted *counted) {
    job->child = i;
    job->phase = BM_JOB_PHASE_ROW;
    job->view = (struct bm_view){.counts = *counted->counts};
    bm_job_twins_begin_child(job);
    job->twins.n_of_child = 1;
    if (compare(job, counted) != BLASTMERGE_OK) return bm_job_check_keep_fault(job);
    fill_row(&job->children.rows[i], counted);
    add_doubts(&job->number->now, &counted->doubts);
    bm_job_seams_count_child(job);
    bm_job_add_to_totals(job, &job->children.rows[i]);
    bm_job_unsplit_end_child(job);
    if (counted->counts->n_documents > 1)
        bm_job_gather_add(job, BM_GATHER_DOCUMENTS, NULL, "it holds several documents one after another");
    return bm_job_check_callbacks(job);
}

const struct bm_mark_kin *bm_job_slice_kin(const struct blastmerge_job *job) {
    return &job->kin;
}
