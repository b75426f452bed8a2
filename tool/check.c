/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <string.h>
#include <unistd.h>

/* Any path, each of its bytes shown as an escape; a longer name is cut. */
#define SHOWN_BYTES 16384

struct check {
    const struct tool_options *options;
    struct tool_job job;
    struct blastmerge_child total;
    bool has_table;
    bool has_heading;
};

/* Rows of a table and alignments of an archive are counted as Hsps; tables without comments do not separate their
 * queries. */
static void print_heading(struct check *check) {
    const struct tool_words *words = tool_job_words(blastmerge_report(check->job.job)->format);
    tool_print("documents %10s %10s %10s    compressed            text child\n", words->queries,
               words->has_hits ? "Hits" : "-", words->rows);
    check->has_heading = true;
}

/* The name comes last, as it may have any length. */
static void print_row(struct check *check, const struct blastmerge_child *child, bool is_whole) {
    const uint64_t numbers[] = {child->n_documents, child->n_iterations,     child->n_hits,
                                child->n_hsps,      child->compressed_bytes, child->text_bytes};
    static const int widths[] = {9, 10, 10, 10, 13, 15};
    if (!check->has_table) return;
    if (!check->has_heading) print_heading(check);
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (is_whole)
            tool_print("%*llu ", widths[i], (unsigned long long)numbers[i]);
        else
            tool_print("%*s ", widths[i], "-");
    }
    char shown[SHOWN_BYTES];
    blastmerge_show_location(child->name, shown, sizeof shown);
    tool_put(shown, strlen(shown));
    tool_put("\n", 1);
}

static void count_whole(struct check *check, const struct blastmerge_child *child) {
    check->total.n_documents += child->n_documents;
    check->total.n_iterations += child->n_iterations;
    check->total.n_hits += child->n_hits;
    check->total.n_hsps += child->n_hsps;
    check->total.compressed_bytes += child->compressed_bytes;
    check->total.text_bytes += child->text_bytes;
}

/* What is at fault has dashes, as its counts go no further than the fault. */
static void print_children(struct check *check) {
    struct blastmerge_child child;
    for (uint64_t i = 0; blastmerge_child(check->job.job, i, &child) == BLASTMERGE_OK; i++) {
        bool is_whole = child.status == BLASTMERGE_OK;
        if (is_whole) count_whole(check, &child);
        print_row(check, &child, is_whole);
    }
    if (check->has_heading) print_row(check, &check->total, true);
}

static enum blastmerge_status set_places(struct blastmerge_job *job, const struct tool_options *options) {
    enum blastmerge_status status = BLASTMERGE_OK;
    if (options->report != NULL) status = blastmerge_set_report_location(job, options->report);
    if (status == BLASTMERGE_OK && options->missing != NULL)
        status = blastmerge_set_missing_location(job, options->missing);
    if (status == BLASTMERGE_OK && options->html != NULL)
        status = blastmerge_set_page_location(job, options->html);
    return status == BLASTMERGE_OK ? status : tool_job_fail(job, status);
}

static enum blastmerge_status open_job(struct check *check) {
    const struct tool_options *options = check->options;
    enum blastmerge_status status = tool_job_open(&check->job, options);
    /* The table goes where no child lies, nor anything else of the job's. */
    if (status == BLASTMERGE_OK && check->has_table) {
        status = blastmerge_claim_location(check->job.job, "the table", "-");
        if (status != BLASTMERGE_OK) return tool_job_fail(check->job.job, status);
    }
    if (status == BLASTMERGE_OK) status = set_places(check->job.job, options);
    return status == BLASTMERGE_OK ? tool_children_add(check->job.job, options) : status;
}

/* Whether it came to its end, so that there is something to say of each child. */
static bool is_complete(const struct check *check, enum blastmerge_status status) {
    const struct blastmerge_error *error = blastmerge_error(check->job.job);
    if (status == BLASTMERGE_OK || tool_job_ended_with_fault(&check->job)) return true;
    /* the children are whole, and what is amiss is the queries that they are of */
    return check->options->expect_queries != NULL && status == BLASTMERGE_MISMATCH &&
           error->child == BLASTMERGE_NO_CHILD && blastmerge_report(check->job.job)->n_iterations > 0;
}

static bool is_standard_output(const char *location) {
    return location != NULL && tool_is_standard(location, STDOUT_FILENO);
}

enum blastmerge_status tool_check(const struct tool_options *options) {
    struct check check = {.options = options, .total = {.name = "total"}};
    check.has_table = !is_standard_output(options->report) && !is_standard_output(options->missing) &&
                      !is_standard_output(options->html);
    enum blastmerge_status status = open_job(&check);
    if (status == BLASTMERGE_OK) {
        status = tool_job_run(&check.job, blastmerge_check);
        if (!tool_signals_caught() && is_complete(&check, status)) print_children(&check);
        enum blastmerge_status flushed = tool_flush_output();
        if (status == BLASTMERGE_OK) status = flushed;
        if (status == BLASTMERGE_OK && options->verbose) tool_job_summary(&check.job);
    }
    tool_job_close(&check.job);
    return status;
}
