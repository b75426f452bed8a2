/* SPDX-License-Identifier: MIT */
/*
 * The library's check ends at the first child that is at fault. Whoever checks the children of a large
 * search wants to know of all of these: so the children after it are given to another job, and so on.
 */
#include "tool.h"

#include <string.h>

/* Where so many children are at fault, it is something else that is at fault. */
#define MAX_FAULTS 100

/* Any path, each of its bytes shown as an escape; a longer name is cut. */
#define SHOWN_BYTES 16384

struct check {
    struct tool_options options; /* those of the job at hand */
    struct tool_job jobs[2];     /* the one at hand and the next, in turn */
    struct tool_job *job;
    struct blastmerge_child total;
    unsigned n_faults;
    bool has_table;
    bool has_heading;
};

/* Rows of a table are counted as Hsps; tables without comments do not part their queries. */
static void print_heading(struct check *check) {
    enum blastmerge_format format = blastmerge_report(check->job->job)->format;
    bool is_table = format >= BLASTMERGE_FORMAT_COMMENTED;
    tool_print("documents %10s %10s %10s    compressed            text child\n",
               is_table ? "queries" : "Iterations", is_table ? "-" : "Hits", is_table ? "rows" : "Hsps");
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
    blastmerge_show(child->name, shown, sizeof shown);
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

/* Tells of the job's children as far as it came, which is all of them or up to the one at fault. */
static void print_children(struct check *check, uint64_t fault) {
    struct blastmerge_child child;
    for (uint64_t i = 0; i <= fault && blastmerge_child(check->job->job, i, &child) == BLASTMERGE_OK; i++) {
        if (i < fault) count_whole(check, &child);
        print_row(check, &child, i < fault);
    }
}

/* Whether it is a child that failed, so that those after it are worth a look. */
static bool is_fault_of_child(const struct blastmerge_error *error) {
    switch (error->status) {
    case BLASTMERGE_IO:
    case BLASTMERGE_DATA:
    case BLASTMERGE_MISMATCH:
    case BLASTMERGE_CHANGED:
    case BLASTMERGE_NOT_FOUND:
    case BLASTMERGE_DENIED:
        return error->child != BLASTMERGE_NO_CHILD;
    default:
        return false;
    }
}

/* Whether all children are whole, and what is amiss is the queries that they are of. */
static bool is_of_queries(const struct check *check, const struct blastmerge_error *error) {
    return check->options.expect_queries != NULL && error->status == BLASTMERGE_MISMATCH &&
           error->child == BLASTMERGE_NO_CHILD && blastmerge_report(check->job->job)->n_iterations > 0;
}

static enum blastmerge_status open_first(struct check *check) {
    check->job = &check->jobs[0];
    enum blastmerge_status status = tool_job_open(check->job, &check->options);
    if (status == BLASTMERGE_OK && check->options.report != NULL) {
        status = blastmerge_set_report_location(check->job->job, check->options.report);
        if (status != BLASTMERGE_OK) return tool_job_fail(check->job->job, status);
    }
    return status == BLASTMERGE_OK ? tool_children_add(check->job->job, &check->options) : status;
}

/* Goes on behind the child at fault. What is about the children as a whole was said by the first job. */
static enum blastmerge_status open_rest(struct check *check, uint64_t fault) {
    struct tool_job *old = check->job;
    check->job = old == &check->jobs[0] ? &check->jobs[1] : &check->jobs[0];
    check->options.expect_children = 0;
    check->options.expect_queries = NULL; /* they are the first job's */
    check->options.sort = BLASTMERGE_SORT_NONE;
    enum blastmerge_status status = tool_job_open(check->job, &check->options);
    struct blastmerge_child child;
    for (uint64_t i = fault + 1; status == BLASTMERGE_OK; i++) {
        if (blastmerge_child(old->job, i, &child) != BLASTMERGE_OK) break;
        status = blastmerge_add_location(check->job->job, child.location);
        if (status != BLASTMERGE_OK) (void)tool_job_fail(check->job->job, status);
    }
    tool_job_close(old);
    return status;
}

/* The status is that of the first child at fault. */
static enum blastmerge_status check_all(struct check *check) {
    enum blastmerge_status first = BLASTMERGE_OK;
    for (;;) {
        enum blastmerge_status status = tool_job_run(check->job, blastmerge_check);
        if (first == BLASTMERGE_OK) first = status;
        const struct blastmerge_error error = *blastmerge_error(check->job->job);
        bool is_fault = status != BLASTMERGE_OK && is_fault_of_child(&error);
        if (tool_signals_caught()) return first;
        if (status != BLASTMERGE_OK && !is_fault && !is_of_queries(check, &error)) return first;
        print_children(check, is_fault ? error.child : UINT64_MAX);
        struct blastmerge_child next;
        if (!is_fault || blastmerge_child(check->job->job, error.child + 1, &next) != BLASTMERGE_OK)
            return first;
        if (++check->n_faults >= MAX_FAULTS)
            return tool_fail(first, "%d children are at fault: the rest are not looked at", MAX_FAULTS);
        status = open_rest(check, error.child);
        if (status != BLASTMERGE_OK) return status;
    }
}

enum blastmerge_status tool_check(const struct tool_options *options) {
    struct check check = {.options = *options, .total = {.name = "total"}};
    check.has_table = options->report == NULL || strcmp(options->report, "-") != 0;
    enum blastmerge_status status = open_first(&check);
    if (status == BLASTMERGE_OK) {
        status = check_all(&check);
        if (check.has_heading) print_row(&check, &check.total, true);
        enum blastmerge_status flushed = tool_flush_output();
        if (status == BLASTMERGE_OK) status = flushed;
        if (status == BLASTMERGE_OK && options->verbose) tool_job_summary(check.job);
    }
    tool_job_close(check.job);
    return status;
}
