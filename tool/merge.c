/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <stdio.h>
#include <unistd.h>

static bool is_stdout(const char *name) {
    return name != NULL && tool_is_standard(name, STDOUT_FILENO);
}

enum blastmerge_status tool_job_set_output(struct blastmerge_job *job, const struct tool_options *options) {
    const char *output = options->output != NULL ? options->output : "-";
    if (is_stdout(output) && is_stdout(options->report))
        return tool_fail(BLASTMERGE_USAGE, "the result and the report cannot both go to standard output: "
                                           "give -o FILE or --report FILE");
    enum blastmerge_status status = blastmerge_set_output_location(job, output);
    if (status == BLASTMERGE_OK && options->report != NULL)
        status = blastmerge_set_report_location(job, options->report);
    if (status == BLASTMERGE_OK && options->missing != NULL)
        status = blastmerge_set_missing_location(job, options->missing);
    if (status == BLASTMERGE_OK && options->html != NULL)
        status = blastmerge_set_page_location(job, options->html);
    return status == BLASTMERGE_OK ? status : tool_job_fail(job, status);
}

/* A level that counts for nothing because of the name, or because what is got is to be looked at. */
static void warn_of_level(const struct tool_options *options) {
    char shown[512] = "standard output";
    char message[1024];
    const bool has_name = options->output != NULL;
    if (options->form > 0 || options->level == 0 || options->quiet) return;
    if (tool_form(options) != BLASTMERGE_FORM_PLAIN) return;
    if (has_name) blastmerge_show_location(options->output, shown, sizeof shown);
    (void)snprintf(message, sizeof message,
                   "%s: is written uncompressed%s, and --level has no effect; --gzip compresses it", shown,
                   has_name ? " because of its name" : "");
    tool_warn(message);
}

static enum blastmerge_status set_index(struct blastmerge_job *job) {
    enum blastmerge_status status = blastmerge_set_index(job, NULL);
    return status == BLASTMERGE_OK ? status : tool_job_fail(job, status);
}

enum blastmerge_status tool_merge_with(const struct tool_options *options, tool_set *set) {
    struct tool_job job;
    warn_of_level(options);
    enum blastmerge_status status = tool_job_open(&job, options);
    if (status == BLASTMERGE_OK && set != NULL) status = set(job.job, options);
    if (status == BLASTMERGE_OK && options->index) status = set_index(job.job);
    if (status == BLASTMERGE_OK) status = tool_job_set_output(job.job, options);
    if (status == BLASTMERGE_OK) status = tool_children_add(job.job, options);
    if (status == BLASTMERGE_OK) status = tool_job_run(&job, blastmerge_run);
    if (status == BLASTMERGE_OK && options->verbose) tool_job_summary(&job);
    tool_job_close(&job);
    return status;
}

enum blastmerge_status tool_merge(const struct tool_options *options) {
    return tool_merge_with(options, NULL);
}
