/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int on_warning(void *context, const char *message) {
    struct tool_job *job = context;
    tool_progress_clear(&job->progress);
    tool_warn(message);
    return BLASTMERGE_CALLBACK_OK;
}

static int on_progress(void *context, const struct blastmerge_progress *state) {
    struct tool_job *job = context;
    tool_progress_show(&job->progress, state);
    return BLASTMERGE_CALLBACK_OK;
}

enum blastmerge_form tool_form(const struct tool_options *options) {
    if (options->form > 0) return (enum blastmerge_form)(options->form - 1);
    if (options->output == NULL && options->run == tool_get)
        return BLASTMERGE_FORM_PLAIN; /* to be looked at */
    return options->output == NULL ? BLASTMERGE_FORM_GZIP : blastmerge_form_of_name(options->output);
}

/* With the line of the list that names the child, if it is about one. */
static enum blastmerge_status say(const struct blastmerge_job *job, const struct blastmerge_error *error,
                                  enum blastmerge_status status) {
    const char *message = error->message;
    struct blastmerge_child child;
    char origin[600] = "";
    if (error->child != BLASTMERGE_NO_CHILD && blastmerge_child(job, error->child, &child) == BLASTMERGE_OK &&
        child.location != NULL)
        tool_children_tell_origin(child.location, origin, sizeof origin);
    return tool_fail(status, "%s%s", origin, message[0] != '\0' ? message : blastmerge_status_name(status));
}

/* Said at once, even where warnings are not wanted. */
static int on_fault(void *context, const struct blastmerge_error *error) {
    struct tool_job *job = context;
    tool_progress_clear(&job->progress);
    (void)say(job->job, error, error->status);
    if (job->n_faults++ == 0) job->first_fault = *error;
    return BLASTMERGE_CALLBACK_OK;
}

static struct blastmerge_options library_options(const struct tool_options *options) {
    struct blastmerge_options library;
    blastmerge_options_init(&library, sizeof library);
    library.database = options->database;
    library.keep_database = options->keep_database != 0;
    library.allow_empty = options->allow_empty != 0;
    library.format = (enum blastmerge_format)options->format;
    library.header = (enum blastmerge_header)options->header;
    library.mismatch = (enum blastmerge_mismatch)options->mismatch;
    library.invalid_utf8 =
        (enum blastmerge_invalid_utf8)(options->invalid_utf8 - (options->invalid_utf8 > 0));
    library.forbidden_characters = (enum blastmerge_forbidden_characters)(
        options->forbidden_characters - (options->forbidden_characters > 0));
    library.query_ids = (enum blastmerge_query_ids)options->query_ids;
    library.as_unsplit = options->as_unsplit != 0;
    library.sort = (enum blastmerge_sort)options->sort;
    library.expect_children = options->expect_children;
    library.n_threads = (unsigned)options->n_threads;
    library.level = (int)options->level;
    library.form = tool_form(options);
    library.force = options->force != 0;
    library.salvage = options->salvage != 0;
    library.expect_queries = options->expect_queries;
    library.order_by_queries = options->order_by_queries != 0;
    library.memory_limit = options->memory;
    library.temporary_limit = options->temp_limit;
    library.endpoint = options->endpoint;
    library.on_warning = options->quiet ? NULL : on_warning;
    library.on_fault = on_fault;
    return library;
}

enum blastmerge_status tool_job_fail(const struct blastmerge_job *job, enum blastmerge_status status) {
    return job != NULL ? say(job, blastmerge_error(job), status)
                       : tool_fail(status, "%s", blastmerge_status_name(status));
}

enum blastmerge_status tool_job_open(struct tool_job *job, const struct tool_options *options) {
    *job = (struct tool_job){0};
    tool_progress_open(&job->progress, options);
    struct blastmerge_options library = library_options(options);
    library.callback_context = job;
    library.on_progress = job->progress.enabled ? on_progress : NULL;
    enum blastmerge_status status = blastmerge_create(&job->job, &library);
    return status == BLASTMERGE_OK ? status : tool_job_fail(job->job, status);
}

void tool_job_close(struct tool_job *job) {
    blastmerge_destroy(job->job);
    job->job = NULL;
}

bool tool_job_ended_with_fault(const struct tool_job *job) {
    const struct blastmerge_error *error = blastmerge_error(job->job);
    return job->n_faults > 0 && error->child == job->first_fault.child &&
           strcmp(error->message, job->first_fault.message) == 0;
}

enum blastmerge_status tool_job_run(struct tool_job *job,
                                    enum blastmerge_status (*work)(struct blastmerge_job *job)) {
    tool_signals_open(job->job);
    enum blastmerge_status status = work(job->job);
    tool_signals_close();
    tool_progress_clear(&job->progress);
    if (status == BLASTMERGE_OK) return status;
    if (status == BLASTMERGE_IO && blastmerge_error(job->job)->system_error == EPIPE &&
        tool_signals_note_pipe())
        return status;
    if (tool_signals_caught()) return status;
    return tool_job_ended_with_fault(job) ? status : tool_job_fail(job->job, status);
}

/* "1 Hit", "2 Hits". */
struct counted {
    char text[48];
};
static struct counted counted(uint64_t n, const char *one, const char *many) {
    struct counted counted;
    (void)snprintf(counted.text, sizeof counted.text, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
    return counted;
}

const struct tool_words *tool_job_words(enum blastmerge_format format) {
    static const struct tool_words reports = {true, "Iteration", "Iterations", "Hsp", "Hsps", true};
    static const struct tool_words rows = {true, "query", "queries", "row", "rows", false};
    static const struct tool_words bare_rows = {false, "query", "queries", "row", "rows", false};
    static const struct tool_words alignments = {true, "query", "queries", "alignment", "alignments", false};
    switch (format) {
    case BLASTMERGE_FORMAT_AUTO:
    case BLASTMERGE_FORMAT_XML:
    case BLASTMERGE_FORMAT_XML2:
    case BLASTMERGE_FORMAT_JSON:
        break;
    case BLASTMERGE_FORMAT_COMMENTED:
        return &rows;
    case BLASTMERGE_FORMAT_TABULAR:
    case BLASTMERGE_FORMAT_CSV:
        return &bare_rows;
    case BLASTMERGE_FORMAT_ARCHIVE:
        return &alignments;
    }
    return &reports;
}

void tool_job_summary(const struct tool_job *job) {
    const struct blastmerge_report *report = blastmerge_report(job->job);
    const struct tool_words *words = tool_job_words(report->format);
    char holds[192] = "";
    if (words->has_queries)
        (void)snprintf(holds, sizeof holds, "%s, ",
                       counted(report->n_iterations, words->query, words->queries).text);
    size_t n = strlen(holds);
    if (words->has_hits)
        (void)snprintf(holds + n, sizeof holds - n, "%s, ", counted(report->n_hits, "Hit", "Hits").text);
    n = strlen(holds);
    (void)snprintf(holds + n, sizeof holds - n, "%s", counted(report->n_hsps, words->row, words->rows).text);
    tool_say("%s, %s; read %s (%s of text), wrote %s; %.2f seconds, %s of memory at most",
             counted(report->n_children, "child", "children").text, holds,
             tool_size((double)report->compressed_bytes).text, tool_size((double)report->text_bytes).text,
             tool_size((double)report->output_bytes).text, report->seconds,
             tool_size((double)report->peak_memory).text);
}
