/* SPDX-License-Identifier: MIT */
#include "job/queries.h"

#include "job/job.h"
#include "job/order.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOST_STRANGERS = 100 /* Iterations of no query that a check goes on after */ };

enum blastmerge_status bm_job_queries_open(struct blastmerge_job *job) {
    if (job->options.expect_queries == NULL) return BLASTMERGE_OK;
    return bm_queries_open(&job->queries.file, &job->memory, job->options.expect_queries,
                           job->temporary.beside, &job->cancel, &job->error);
}

void bm_job_queries_close(struct blastmerge_job *job) {
    bm_queries_close(job->queries.file, &job->memory);
    job->queries.file = NULL;
}

bool bm_job_queries_are_given(const struct bm_job_queries *queries) {
    return queries->file != NULL;
}

void bm_job_queries_set_format(struct bm_job_queries *queries, enum blastmerge_format format) {
    if (queries->file != NULL) bm_queries_set_format(queries->file, format);
}

void bm_job_queries_leave(struct bm_job_queries *queries) {
    if (queries->file != NULL) bm_queries_leave(queries->file);
}

/* --- what is said -------------------------------------------------------------------------------- */

static const char *or_nameless(const char *name) {
    return name[0] == '\0' ? "(without a name)" : name;
}

/* The job goes on where the Iterations are not those of the queries, so that it finds all such places. */
static void note_query_fault(struct blastmerge_job *job, const char *message) {
    if (job->queries.n_faults++ == 0)
        snprintf(job->queries.first_fault, sizeof job->queries.first_fault, "%.*s",
                 bm_show_length(message, 500), message);
    if (job->queries.n_faults <= BM_REPORT_MOST_MISSING) bm_job_warn(job, false, "%s", message);
}

static void describe_gap(const struct bm_queries_gap *gap, char *message, size_t size) {
    char until[400] = "";
    const char *name = or_nameless(gap->name), *last_name = or_nameless(gap->last_name);
    if (gap->n > 1)
        snprintf(until, sizeof until, " to number %" PRIu64 ", %.*s", gap->first + gap->n - 1,
                 bm_show_length(last_name, 300), last_name);
    snprintf(message, size, "%" PRIu64 " %s %s: number %" PRIu64 ", %.*s%s", gap->n,
             gap->n == 1 ? "query" : "queries in a row",
             gap->is_unknown ? "may be in a part that could not be read"
             : gap->n == 1   ? "has no Iteration"
                             : "have no Iteration",
             gap->first, bm_show_length(name, 300), name, until);
}

/* Queries without a row may have no hits, which is ordinary. */
static void count_without_rows(struct blastmerge_job *job, const struct bm_queries_gap *gap) {
    struct bm_job_queries *queries = &job->queries;
    const char *name = or_nameless(gap->name);
    if (queries->n_without_rows == 0)
        snprintf(queries->first_without, sizeof queries->first_without, "number %" PRIu64 ", %.*s",
                 gap->first, bm_show_length(name, 300), name);
    queries->n_without_rows += gap->n;
}

/* Queries that have no Iteration: where something was lost that is to be told, else it is an error. It is the
 * error of no child: the one that follows the gap is as good as any. */
static enum blastmerge_status take_gap(struct blastmerge_job *job, const struct bm_queries_gap *gap) {
    char message[800];
    if (gap->n == 0) return BLASTMERGE_OK;
    if (bm_job_side_add_missing(job, gap) != BLASTMERGE_OK) return bm_job_fail(job);
    if (gap->has_no_rows && !gap->is_unknown) {
        count_without_rows(job, gap);
        return BLASTMERGE_OK;
    }
    if (gap->is_unknown)
        job->totals.n_unknown_queries += gap->n;
    else
        job->totals.n_missing_queries += gap->n;
    if (job->has_report) bm_report_missing(&job->report, gap);
    describe_gap(gap, message, sizeof message);
    bm_job_side_add_gap(job, message);
    if (gap->is_unknown || job->totals.n_damaged_children > 0)
        bm_job_warn(job, false, "%s", message);
    else
        note_query_fault(job, message);
    return BLASTMERGE_OK;
}

/* An Iteration that is of none of the queries that are to come. */
enum blastmerge_status bm_job_queries_take_stranger(struct blastmerge_job *job,
                                                    const struct blastmerge_error *reason) {
    char message[sizeof reason->message + 320];
    const char *shown = job->plan.items[job->child].source.shown;
    bool is_last = job->queries.n_strangers + 1 == MOST_STRANGERS;
    bool is_first = !job->is_check && job->queries.n_faults == 0;
    if (is_first || reason->status != BLASTMERGE_MISMATCH) {
        job->error = *reason;
        return reason->status == BLASTMERGE_MISMATCH ? bm_job_fail_child(job) : bm_job_fail(job);
    }
    job->queries.n_strangers++;
    snprintf(message, sizeof message, "%.*s: %.*s%s", bm_show_length(shown, 300), shown,
             bm_show_length(reason->message, 900), reason->message,
             is_last ? "; the rest is not compared" : "");
    note_query_fault(job, message);
    return BLASTMERGE_OK;
}

/* Where very many Iterations are of none of the queries, these are another search's. */
static bool is_comparing(const struct blastmerge_job *job) {
    return job->queries.file != NULL && job->queries.n_strangers < MOST_STRANGERS;
}

/* Looks whether the Iterations are those of the queries that were expected. */
static enum blastmerge_status compare(struct blastmerge_job *job) {
    struct bm_queries_gap gap;
    struct blastmerge_error reason;
    enum blastmerge_status status = BLASTMERGE_OK;
    enum blastmerge_status taken = BLASTMERGE_OK;
    size_t position = 0;
    if (job->order != NULL && is_comparing(job)) return bm_job_order_take(job);
    while (status == BLASTMERGE_OK && is_comparing(job) &&
           bm_queries_take(job->queries.file, job->view.marks, &position, job->batch,
                           job->batch->text_offset + job->view.end, &gap, &taken, &reason)) {
        status = taken == BLASTMERGE_OK ? take_gap(job, &gap) : bm_job_queries_take_stranger(job, &reason);
    }
    return status;
}

enum blastmerge_status bm_job_queries_take(struct blastmerge_job *job) {
    const struct bm_mark_field *field = job->view.field; /* of the next Iteration's document */
    if (job->queries.file == NULL || bm_job_order_is_second_pass(job)) return BLASTMERGE_OK;
    if (compare(job) != BLASTMERGE_OK) return job->error.status;
    if (field != NULL && !field->is_scope) bm_queries_field(job->queries.file, field);
    return BLASTMERGE_OK;
}

/* What a table without comments cannot show. */
static void tell_without_rows(struct blastmerge_job *job) {
    const struct bm_job_queries *queries = &job->queries;
    if (queries->n_without_rows == 0) return;
    bm_job_note(
        job,
        "%" PRIu64 " quer%s no row, the first is %s: either it has no hits, or it was not searched, which "
        "tables without comments do not show",
        queries->n_without_rows, queries->n_without_rows == 1 ? "y has" : "ies have", queries->first_without);
}

/* Queries are missing: a merge fails, with those that are to be searched again in their place. */
static enum blastmerge_status end_with_faults(struct blastmerge_job *job) {
    if (job->is_check || job->queries.n_faults == 0) return BLASTMERGE_OK;
    if (bm_job_side_commit_missing(job) == BLASTMERGE_OK) (void)!bm_job_queries_status(job);
    return bm_job_fail(job);
}

enum blastmerge_status bm_job_queries_end(struct blastmerge_job *job) {
    struct bm_queries_gap gap;
    if (!is_comparing(job)) return end_with_faults(job);
    if (job->totals.format == BLASTMERGE_FORMAT_AUTO) /* all children are empty */
        bm_queries_set_format(job->queries.file, job->options.format);
    do { /* in any order there may be several */
        enum blastmerge_status status = job->order != NULL
                                            ? bm_queries_next_gap(job->queries.file, &gap, &job->error)
                                            : bm_queries_end(job->queries.file, &gap, &job->error);
        if (status != BLASTMERGE_OK) return bm_job_fail(job);
        if (take_gap(job, &gap) != BLASTMERGE_OK) return job->error.status;
    } while (job->order != NULL && gap.n > 0);
    tell_without_rows(job);
    return end_with_faults(job);
}

/* Where the missing queries are, or how to get them. */
static void advise(const struct blastmerge_job *job, char *advice, size_t size) {
    const struct bm_job_place *place = &job->places.missing;
    const char *shown =
        place->location != NULL && strcmp(place->location, "-") == 0 ? "standard output" : place->location;
    advice[0] = '\0';
    if (job->totals.n_missing_queries == 0 || job->shards != NULL) return;
    if (shown == NULL)
        snprintf(advice, size, "; --missing FILE writes what is to be searched again");
    else
        snprintf(advice, size, "; %.*s has the missing queries", bm_show_length(shown, 200), shown);
}

enum blastmerge_status bm_job_queries_status(struct blastmerge_job *job) {
    uint64_t n_faults = job->queries.n_faults;
    uint64_t n_missing = job->totals.n_missing_queries;
    char advice[256];
    advise(job, advice, sizeof advice);
    if (n_faults == 0) return BLASTMERGE_OK;
    if (n_faults == 1)
        return bm_fail(&job->error, BLASTMERGE_MISMATCH, "%s%s", job->queries.first_fault, advice);
    if (job->queries.n_strangers > 0 && job->order == NULL && job->shards == NULL)
        return bm_fail(&job->error, BLASTMERGE_MISMATCH,
                       "%s; and %" PRIu64
                       " more fault%s, each reported in a warning (if the children are only in "
                       "another order, --order-by-queries merges them)",
                       job->queries.first_fault, n_faults - 1, n_faults == 2 ? "" : "s");
    return bm_fail(&job->error, BLASTMERGE_MISMATCH,
                   "%s; and %" PRIu64 " more such place%s, each reported in a warning: in all %" PRIu64
                   " quer%s no Iteration%s",
                   job->queries.first_fault, n_faults - 1, n_faults == 2 ? "" : "s", n_missing,
                   n_missing == 1 ? "y has" : "ies have", advice);
}
