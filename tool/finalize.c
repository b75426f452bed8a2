/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The library accepts no longer description; one byte more, so that it detects a longer one. */
#define JOB_BYTES ((16 << 20) + 1)

/* The word for it in messages. */
#define OUTCOME "the outcome"

static enum blastmerge_status read_job(const char *name, char **text, size_t *n_bytes) {
    ptrdiff_t n = 1;
    char shown[1024]; /* it may be a location with a secret, though that is no file */
    blastmerge_show_location(name, shown, sizeof shown);
    int file = tool_open_input(name);
    if (file < 0) return tool_fail_input(errno, name, shown);
    *text = malloc(JOB_BYTES);
    if (*text == NULL) {
        tool_close_input(file);
        return tool_fail(BLASTMERGE_NO_MEMORY, "out of memory");
    }
    for (*n_bytes = 0; n > 0 && *n_bytes < JOB_BYTES; *n_bytes += (size_t)n) {
        n = tool_read(file, *text + *n_bytes, JOB_BYTES - *n_bytes);
        if (n < 0) break;
    }
    int failure = n < 0 ? errno : 0;
    tool_close_input(file);
    if (failure == 0) return BLASTMERGE_OK;
    return tool_fail_input(failure, name, shown);
}

static enum blastmerge_status run(struct tool_job *job, const struct tool_options *options, const char *text,
                                  size_t n_bytes) {
    struct blastmerge_finalize_options library;
    char *outcome = NULL;
    blastmerge_finalize_options_init(&library, sizeof library);
    library.strict = options->strict != 0;
    tool_signals_open(job->job);
    enum blastmerge_status status = blastmerge_finalize(job->job, text, n_bytes, &library, &outcome);
    tool_signals_close();
    tool_progress_clear(&job->progress);
    /* Not into a file of the job's, which is the one thing that the library says of the outcome. */
    bool has_place = strstr(blastmerge_error(job->job)->message, OUTCOME " (") == NULL;
    if (outcome != NULL && has_place) {
        tool_put(outcome, strlen(outcome));
        tool_put("\n", 1);
    }
    blastmerge_free(job->job, outcome);
    enum blastmerge_status flushed = tool_flush_output();
    if (tool_signals_caught()) return status;
    return status == BLASTMERGE_OK ? flushed : tool_job_fail(job->job, status);
}

/* The job file and the outcome are no places of the parent's or its children's. */
static enum blastmerge_status keep_places(const struct tool_job *job, const struct tool_options *options) {
    enum blastmerge_status status =
        blastmerge_protect_location(job->job, "the job file", options->sources[0].name);
    if (status == BLASTMERGE_OK) status = blastmerge_claim_location(job->job, OUTCOME, "-");
    if (status == BLASTMERGE_OK && options->html != NULL)
        status = blastmerge_set_page_location(job->job, options->html);
    return status == BLASTMERGE_OK ? status : tool_job_fail(job->job, status);
}

enum blastmerge_status tool_finalize(const struct tool_options *options) {
    struct tool_job job = {0};
    char *text = NULL;
    size_t n_bytes = 0;
    enum blastmerge_status status = read_job(options->sources[0].name, &text, &n_bytes);
    if (status == BLASTMERGE_OK) {
        status = tool_job_open(&job, options);
        if (status == BLASTMERGE_OK) status = keep_places(&job, options);
        if (status == BLASTMERGE_OK) status = run(&job, options, text, n_bytes);
        if (status == BLASTMERGE_OK && options->verbose) tool_job_summary(&job);
        tool_job_close(&job);
    }
    free(text);
    return status;
}
