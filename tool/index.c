/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <unistd.h>

/* The options of the current file's index. */
static struct blastmerge_index_options index_options;

static enum blastmerge_status write_index(struct blastmerge_job *job) {
    return blastmerge_index(job, &index_options);
}

static enum blastmerge_status index_file(const struct tool_options *options, size_t i) {
    struct tool_job job;
    struct tool_options own = *options;
    own.sources = &options->sources[i];
    own.n_sources = 1;
    enum blastmerge_status status = tool_job_open(&job, options);
    if (status == BLASTMERGE_OK) status = tool_children_add(job.job, &own);
    if (status == BLASTMERGE_OK) status = tool_job_run(&job, write_index);
    if (status == BLASTMERGE_OK && options->verbose) tool_job_summary(&job);
    tool_job_close(&job);
    return status;
}

/* All files that can be indexed are, and the first failure is the outcome. */
enum blastmerge_status tool_index(const struct tool_options *options) {
    enum blastmerge_status first = BLASTMERGE_OK;
    if (options->index_file != NULL && options->n_sources > 1)
        return tool_fail(BLASTMERGE_USAGE, "--index-file is for one file, and %zu are given",
                         options->n_sources);
    blastmerge_index_options_init(&index_options, sizeof index_options);
    index_options.location = options->index_file;
    index_options.restart_distance = options->restart_distance;
    index_options.definitions = options->definitions != 0;
    for (size_t i = 0; i < options->n_sources && !tool_signals_caught(); i++) {
        enum blastmerge_status status = index_file(options, i);
        if (first == BLASTMERGE_OK) first = status;
        if (status == BLASTMERGE_USAGE) break;
    }
    return first;
}
