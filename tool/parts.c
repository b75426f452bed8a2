/* SPDX-License-Identifier: MIT */
/* The commands count, plan, part and join. A part's number may come from the array task that runs it. */
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the number of a part ------------------------------------------------------------------------ */

/* The variables of engines that hold a task's number, from 0 or from 1. */
static const struct {
    const char *name;
    bool is_from_0;
    bool is_at_end; /* the number is the value's last digits */
} variables[] = {
    {"SLURM_ARRAY_TASK_ID", false, false}, {"SGE_TASK_ID", false, false},
    {"JOB_COMPLETION_INDEX", true, false}, {"AWS_BATCH_JOB_ARRAY_INDEX", true, false},
    {"AZ_BATCH_TASK_ID", false, true},
};
enum { N_VARIABLES = sizeof variables / sizeof variables[0] };

/* The number that a value has, if it has one: outside of an array Grid Engine has "undefined". */
static bool parse(const char *value, bool is_at_end, uint64_t *number) {
    const char *digits = value;
    *number = 0;
    if (is_at_end) {
        digits += strlen(value);
        while (digits > value && digits[-1] >= '0' && digits[-1] <= '9') digits--;
    }
    if (*digits == '\0' || strlen(digits) > 18) return false;
    for (; *digits >= '0' && *digits <= '9'; digits++) *number = *number * 10 + (uint64_t)(*digits - '0');
    return *digits == '\0';
}

/* Two that disagree are an error, since one of them is another job's. */
static enum blastmerge_status find_number(const struct tool_options *options, uint64_t *number) {
    const char *found = NULL;
    *number = options->number;
    if (*number > 0) return BLASTMERGE_OK;
    for (size_t i = 0; i < N_VARIABLES; i++) {
        const char *value = getenv(variables[i].name);
        uint64_t own = 0;
        if (value == NULL || !parse(value, variables[i].is_at_end, &own)) continue;
        own += variables[i].is_from_0;
        if (own == 0)
            return tool_fail(
                BLASTMERGE_USAGE,
                "%s is %s, and parts count from 1: begin the array's tasks with 1, or give --number N",
                variables[i].name, value);
        if (found != NULL && own != *number)
            return tool_fail(BLASTMERGE_USAGE,
                             "%s and %s are numbers of two parts, %" PRIu64 " and %" PRIu64
                             ": give --number N",
                             found, variables[i].name, *number, own);
        found = variables[i].name;
        *number = own;
    }
    if (found == NULL)
        return tool_fail(BLASTMERGE_USAGE, "part needs the number of the part: give --number N, from 1");
    if (options->verbose) tool_say("part %" PRIu64 ", by %s", *number, found);
    return BLASTMERGE_OK;
}

/* --- the commands -------------------------------------------------------------------------------- */

/* What part and join do beside what they are given the job for. */
static struct {
    const char *plan;
    uint64_t number;
} work;

static enum blastmerge_status part(struct blastmerge_job *job) {
    return blastmerge_part(job, work.plan, work.number);
}

static enum blastmerge_status join(struct blastmerge_job *job) {
    return blastmerge_join(job, work.plan);
}

/* A join knows nothing of what its parts hold. */
static void tell(const struct tool_job *job, bool is_join) {
    const struct blastmerge_report *report = blastmerge_report(job->job);
    if (!is_join) {
        tool_job_summary(job);
        return;
    }
    tool_say("%" PRIu64 " parts; %s %s (%s of text); %.2f seconds", report->n_children,
             report->output_bytes > 0 ? "wrote" : "the result was there already, wrote",
             tool_size((double)report->output_bytes).text, tool_size((double)report->output_text_bytes).text,
             report->seconds);
}

/* Without options of merging that the plan has. set: sets more of the job; NULL: there is no more. */
static enum blastmerge_status run(const struct tool_options *options,
                                  enum blastmerge_status (*command)(struct blastmerge_job *job),
                                  tool_set *set) {
    struct tool_options plain = *options;
    struct tool_job job;
    plain.form = 1 + BLASTMERGE_FORM_GZIP; /* whatever the output's name is */
    enum blastmerge_status status = tool_job_open(&job, &plain);
    if (status == BLASTMERGE_OK && set != NULL) status = set(job.job, options);
    if (status == BLASTMERGE_OK) status = tool_job_set_output(job.job, options);
    if (status == BLASTMERGE_OK) status = tool_children_add(job.job, options);
    if (status == BLASTMERGE_OK) status = tool_job_run(&job, command);
    if (status == BLASTMERGE_OK && options->verbose) tell(&job, command == join);
    tool_job_close(&job);
    return status;
}

enum blastmerge_status tool_count_with(const struct tool_options *options, tool_set *set) {
    return run(options, blastmerge_count, set);
}

enum blastmerge_status tool_part_with(const struct tool_options *options, tool_set *set) {
    work.plan = options->plan;
    enum blastmerge_status status = find_number(options, &work.number);
    return status == BLASTMERGE_OK ? run(options, part, set) : status;
}

enum blastmerge_status tool_count(const struct tool_options *options) {
    return tool_count_with(options, NULL);
}

enum blastmerge_status tool_plan(const struct tool_options *options) {
    return run(options, blastmerge_plan, NULL);
}

enum blastmerge_status tool_part(const struct tool_options *options) {
    return tool_part_with(options, NULL);
}

enum blastmerge_status tool_join(const struct tool_options *options) {
    work.plan = options->plan;
    return run(options, join, NULL);
}
