/* SPDX-License-Identifier: MIT */
#include "job/seams.h"

#include "job/job.h"
#include "job/restart.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Most text that is read to find a gzip member's end, in bytes: a second's work. */
#define MOST_TEXT (UINT64_C(1) << 30)

static const char *name_of(const struct blastmerge_job *job, size_t child) {
    return job->plan.items[child].source.shown;
}

/* --- a child's end ------------------------------------------------------------------------------- */

/* A file of BGZF that was cut between two blocks is whole gzip. All formats but bare tables have an end that
 * shows whether the text is whole. */
enum blastmerge_status bm_job_seams_check_child(struct blastmerge_job *job) {
    const struct bm_plan_text *text = job->plan.items[job->child].text;
    bool is_partial = text != NULL && (text->spans != NULL || text->n_holes > 0);
    if (is_partial) return BLASTMERGE_OK; /* its lane may not have come to the end */
    const char *unchecked = bm_child_lane_lacks_checksum(&bm_job_child(job)->lane);
    if (unchecked != NULL)
        bm_job_gather_add(job, BM_GATHER_CHECKSUM, NULL,
                          "its %s data has no checksum, so damage to it may go unnoticed", unchecked);
    if (!bm_child_lane_lacks_bgzf_end(&bm_job_child(job)->lane)) return BLASTMERGE_OK;
    if (!bm_format_is_bare_table(job->totals.format)) {
        bm_job_gather_add(job, BM_GATHER_BGZF, NULL,
                          "it is BGZF, but its last block, the empty one, is missing; its text is whole "
                          "nevertheless, as its own end shows");
        return BLASTMERGE_OK;
    }
    bm_fail_at(
        &job->error, BLASTMERGE_DATA, job->children.rows[job->child].text_bytes,
        "it is cut short between two blocks: it is BGZF, but its last block, the empty one, is missing; "
        "copy it or make it again (if it is known to be whole, decompress it first)");
    return bm_job_fail_child(job);
}

/* --- what it holds ------------------------------------------------------------------------------- */

static void count_line_ends(struct blastmerge_job *job, unsigned which, size_t i) {
    struct bm_job_seams *seams = &job->seams;
    if ((job->view.counts.line_ends & which) == 0) return;
    if (seams->n_line_ends[i]++ == 0) seams->first_line_end[i] = job->child;
}

void bm_job_seams_count_child(struct blastmerge_job *job) {
    const struct bm_mark_counts *counts = &job->view.counts;
    count_line_ends(job, BM_MARK_LF, 0);
    count_line_ends(job, BM_MARK_CRLF, 1);
    if (counts->n_forbidden == 0 || job->totals.n_forbidden_characters > 0) return;
    job->seams.forbidden_child = job->child;
    job->seams.forbidden = counts->first_forbidden;
}

void bm_job_seams_end(struct blastmerge_job *job) {
    const uint64_t *n = job->seams.n_line_ends;
    char names[2][BM_JOB_SHOWN_NAME];
    if (n[0] == 0 || n[1] == 0) return;
    bm_job_show_names(job, job->seams.first_line_end[1], job->seams.first_line_end[0], names);
    bm_job_warn(job, false,
                "lines end in CR LF in %" PRIu64 " %s (first in %s) and in LF alone in %" PRIu64
                " (first in %s), and so they do in the result: many programs take the CR for a part of the "
                "last column",
                n[1], n[1] == 1 ? "child" : "children", names[0], n[0], names[1]);
}

void bm_job_seams_end_characters(struct blastmerge_job *job) {
    uint64_t n = job->totals.n_forbidden_characters;
    bool is_replaced = job->options.forbidden_characters == BLASTMERGE_FORBIDDEN_REPLACE;
    if (n == 0) return;
    const char *name = name_of(job, job->seams.forbidden_child);
    bm_job_warn(job, false,
                "%" PRIu64 " character%s that XML forbids %s, the first in %.*s at byte %" PRIu64
                " of its text%s",
                n, n == 1 ? "" : "s",
                job->is_check ? n == 1 ? "is there" : "are there"
                : is_replaced ? n == 1 ? "was replaced by U+FFFD" : "were replaced by U+FFFD"
                : n == 1      ? "was copied"
                              : "were copied",
                bm_show_length(name, 300), name, job->seams.forbidden,
                is_replaced ? "" : ": programs that read XML refuse the result");
}

/* --- a fault in a text whose gzip may be damaged, too ---------------------------------------------- */

/* Whether a member begins behind the offset, so that the one before, which was checked, holds that. */
static bool begins_member_behind(const struct bm_batch *batch, uint64_t offset) {
    for (size_t i = 0; i < batch->n_trace; i++)
        if (batch->trace[i].kind == BM_TRACE_MEMBER && batch->trace[i].text > offset) return true;
    return false;
}

/* Reads on. True if the compressed data fails before a gzip member ends behind the offset. */
static bool is_data_damaged(struct blastmerge_job *job, uint64_t offset, struct blastmerge_error *error) {
    struct bm_child *child = bm_job_child(job);
    bool is_last = job->is_last_batch;
    const struct bm_batch *batch = job->batch;
    bm_child_lane_stop_marking(&child->lane);
    while (batch != NULL && !is_last && !begins_member_behind(batch, offset)) {
        if (bm_batch_end(batch) > offset + MOST_TEXT || bm_cancel_is_set(&job->cancel)) return false;
        bm_child_give(child);
        batch = bm_child_take(child, &is_last, error);
    }
    return batch == NULL && error->status == BLASTMERGE_DATA;
}

const char *bm_job_seams_explain(struct blastmerge_job *job, const struct blastmerge_error *behind) {
    struct blastmerge_error error = *behind;
    const struct bm_fetch_source *source = &job->plan.items[job->child].source;
    if (job->phase != BM_JOB_PHASE_SCAN || job->error.status != BLASTMERGE_DATA) return "";
    if (error.status == BLASTMERGE_OK) {
        if (!job->batch->is_compressed || !source->can_read_ahead || source->is_open_reader) return "";
        uint64_t offset = job->error.text_offset;
        if (offset == BLASTMERGE_NO_OFFSET) offset = job->batch->text_offset + job->view.end;
        if (!is_data_damaged(job, offset, &error)) return "";
    } else if (error.status != BLASTMERGE_DATA) {
        return "";
    }
    if (!bm_inflate_is_gzip(bm_job_child(job)->lane.inflate))
        return "; its compressed data is damaged, too, which explains it";
    /* Read first: what explains it opens the child anew. */
    const struct bm_inflate_fault fault = bm_inflate_fault(bm_job_child(job)->lane.inflate);
    if (bm_job_restart_explain_gzip(job)) return "";
    if (fault.is_cut) return "; the gzip data is cut short, too: the file is damaged";
    if (fault.is_checksum) return "; the gzip checksum fails, too: the file is damaged";
    return "; the gzip data cannot be decoded, either: the file is damaged";
}
