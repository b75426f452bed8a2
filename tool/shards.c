/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads numbers with commas between. *numbers is to be freed. */
static enum blastmerge_status parse_sizes(const char *text, uint64_t **numbers, size_t *n_numbers) {
    size_t n = 1;
    for (const char *p = text; *p != '\0'; p++) n += *p == ',';
    *n_numbers = 0;
    *numbers = calloc(n, sizeof **numbers);
    if (*numbers == NULL) return tool_fail(BLASTMERGE_NO_MEMORY, "out of memory");
    for (const char *p = text; *n_numbers < n; p++) {
        char *end = NULL;
        errno = 0;
        unsigned long long number = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : 0;
        if (number == 0 || errno != 0 || (*end != ',' && *end != '\0'))
            return tool_fail(BLASTMERGE_USAGE,
                             "--sizes takes numbers from 1 on with commas between, not '%s'", text);
        (*numbers)[(*n_numbers)++] = number;
        p = end;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status parse_evalue(const char *text, double *evalue) {
    char *end = NULL;
    *evalue = strtod(text, &end); /* the program is in the locale "C" */
    if (end != text && *end == '\0' && *evalue > 0 && *evalue <= 1e6) return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_USAGE, "--evalue takes a number above 0, such as 10 or 1e-5, not '%s'", text);
}

static enum blastmerge_status set_shards(struct blastmerge_job *job, const struct tool_options *options) {
    struct blastmerge_shards_options shards;
    uint64_t *sizes = NULL;
    enum blastmerge_status status = BLASTMERGE_OK;
    blastmerge_shards_options_init(&shards, sizeof shards);
    shards.max_target_seqs = options->max_target_seqs;
    shards.window = options->window != 0;
    shards.round_robin = options->round_robin != 0;
    shards.n_shards = options->n_shards;
    shards.order = options->order;
    shards.order_descending = options->order_descending != 0;
    shards.columns = options->columns;
    shards.drop_columns = options->drop_columns;
    shards.recompute = options->recompute != 0;
    if (options->evalue != NULL) status = parse_evalue(options->evalue, &shards.evalue);
    if (status == BLASTMERGE_OK && options->sizes != NULL)
        status = parse_sizes(options->sizes, &sizes, &shards.n_sizes);
    shards.sizes = sizes;
    if (status == BLASTMERGE_OK) {
        status = blastmerge_set_shards(job, &shards);
        if (status != BLASTMERGE_OK) status = tool_job_fail(job, status);
    }
    free(sizes);
    return status;
}

enum blastmerge_status tool_shards(const struct tool_options *options) {
    if (options->alias_parts || options->alias > 0) return tool_alias(options);
    if (options->count) return tool_count_with(options, set_shards);
    if (options->plan != NULL) return tool_part_with(options, set_shards);
    return tool_merge_with(options, set_shards);
}
