/* SPDX-License-Identifier: MIT */
/* Counting: a child, or a batch of shards, is read and checked as a merge of it alone, and its tally is written. */
#include "parts/parts.h"

#include <stdlib.h>
#include <string.h>

static const char tally_begin[] = "{\"blastmerge_tally\":";

struct counting {
    struct blastmerge_job *job;
    size_t n_written;
};

enum blastmerge_status bm_parts_check_options(struct blastmerge_job *job, bool is_before_plan) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    const struct blastmerge_options *options = view.options;
    if (options->level != 0 || options->form != BLASTMERGE_FORM_GZIP)
        return bm_fail(
            view.error, BLASTMERGE_USAGE,
            "a merge in parts writes gzip, and compresses nothing again: neither a level nor another "
            "form of the result can be chosen");
    if (options->salvage && !is_before_plan)
        return bm_fail(view.error, BLASTMERGE_USAGE,
                       "whether damaged children are salvaged was decided when they were counted");
    if (options->order_by_queries)
        return bm_fail(view.error, BLASTMERGE_USAGE,
                       "a merge in parts has the order of the plan, and not that of the queries");
    if (options->expect_queries != NULL && !is_before_plan && !view.has_shards) /* whose order it tells */
        return bm_fail(view.error, BLASTMERGE_USAGE,
                       "children are compared with their queries when they are counted, and with all queries "
                       "when they are planned");
    return BLASTMERGE_OK;
}

/* The child has ended, and was checked. */
static enum blastmerge_status write_line(void *context, const struct bm_job_counted *counted,
                                         struct blastmerge_error *error) {
    struct counting *counting = context;
    const struct bm_job_slice_view view = bm_job_slice_view(counting->job);
    if (counting->n_written++ > 0)
        return bm_fail(error, BLASTMERGE_USAGE, "is a second child: each is counted on its own");
    char *line = bm_parts_line_write(view.memory, counted, view.options);
    if (line == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    enum blastmerge_status status = bm_job_slice_write(counting->job, line, strlen(line));
    free(line);
    return status == BLASTMERGE_OK ? bm_job_slice_write(counting->job, "\n", 1) : status;
}

enum blastmerge_status blastmerge_count(struct blastmerge_job *job) {
    struct counting counting = {.job = job};
    const struct bm_job_slice slice = {.context = &counting, .child = write_line};
    enum blastmerge_status status = bm_job_slice_check(job, true);
    if (status != BLASTMERGE_OK) return status;
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    if (view.n_children != 1)
        return bm_fail(view.error, BLASTMERGE_USAGE, "a count takes one %s, and %zu were given",
                       view.has_shards ? "batch of shards" : "child", view.n_children);
    status = bm_parts_check_options(job, true);
    if (status == BLASTMERGE_OK && !bm_job_slice_can_read_again(job))
        return bm_fail(
            view.error, BLASTMERGE_USAGE,
            "a child that is counted is read once more for its part: it must be a file or a remote "
            "object, not a pipe, a reader or memory");
    if (status != BLASTMERGE_OK) return status;
    bm_parts_file_replace(job, tally_begin, sizeof tally_begin - 1);
    return bm_job_slice_run(job, &slice);
}
