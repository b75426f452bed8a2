/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <stdlib.h>

/* The first operand is the file, the others are queries. */
static enum blastmerge_status set_get(struct blastmerge_job *job, const struct tool_options *options) {
    struct blastmerge_get_options get;
    const char **queries = calloc(options->n_sources, sizeof *queries);
    if (queries == NULL) return tool_fail(BLASTMERGE_NO_MEMORY, "out of memory");
    for (size_t i = 1; i < options->n_sources; i++) queries[i - 1] = options->sources[i].name;
    blastmerge_get_options_init(&get, sizeof get);
    get.queries = queries;
    get.n_queries = options->n_sources - 1;
    get.numbers = options->numbers;
    get.from = options->from;
    get.index_location = options->index_file;
    get.renumber = options->renumber != 0;
    enum blastmerge_status status = blastmerge_set_get(job, &get);
    free(queries);
    return status == BLASTMERGE_OK ? status : tool_job_fail(job, status);
}

enum blastmerge_status tool_get(const struct tool_options *options) {
    if (options->n_sources == 1 && options->numbers == NULL && options->from == NULL)
        return tool_fail(BLASTMERGE_USAGE,
                         "no query is given: name queries behind the file, as in 'blastmerge get "
                         "merged.xml.gz P12345', or give --numbers or --from");
    return tool_merge_with(options, set_get);
}
