/* SPDX-License-Identifier: MIT */
#include "job/unsplit.h"

#include "job/job.h"

#include <inttypes.h>

static uint64_t *count_of(struct blastmerge_job *job, enum bm_doubt doubt) {
    struct blastmerge_report *totals = &job->totals;
    switch (doubt) {
    case BM_DOUBT_GAP:
        return &totals->n_number_gaps;
    case BM_DOUBT_RETURN:
        return &totals->n_number_returns;
    case BM_DOUBT_UNNUMBERED:
        return &totals->n_unnumbered_iterations;
    case BM_DOUBT_ID:
        return &totals->n_unsure_ids;
    case BM_DOUBT_MESSAGE:
        return &totals->n_kept_messages;
    case BM_DOUBT_EXCESS:
        return &totals->n_excess_iterations;
    case BM_DOUBT_BARE:
        return &totals->n_bare_iterations;
    case BM_DOUBT_EMPTY:
    case BM_N_DOUBTS:
        break;
    }
    return &totals->n_empty_children;
}

/* The count of all children so far. If it rises above 0, the current child is the first one. */
static void set_count(struct blastmerge_job *job, enum bm_doubt doubt, uint64_t count) {
    uint64_t *kept = count_of(job, doubt);
    if (*kept == 0) job->doubts.first[doubt] = job->child;
    *kept = count;
}

/* A table without comments has nothing for queries without hits in an unsplit run, too. */
static bool is_empty(const struct blastmerge_job *job, const struct bm_job_row *child) {
    return !bm_format_is_bare_table(job->totals.format) && child->n_iterations == 0;
}

void bm_job_unsplit_end_child(struct blastmerge_job *job) {
    const struct bm_number *number = job->number;
    uint64_t n_empty = job->totals.n_empty_children + is_empty(job, &job->children.rows[job->child]);
    /* Where other queries have names, those that are called Query_N may have that from a user. */
    bool is_mixed = job->options.query_ids == BLASTMERGE_QUERY_IDS_AUTO && number->now.ids.n_named > 0;
    uint64_t n_unsure = number->now.ids.n_odd + (is_mixed ? number->now.n_guessed_ids : 0);
    job->totals.n_renumbered_ids = number->now.n_changed_ids;
    set_count(job, BM_DOUBT_GAP, number->now.n_gaps);
    set_count(job, BM_DOUBT_RETURN, number->now.n_returns);
    set_count(job, BM_DOUBT_UNNUMBERED, number->now.n_unnumbered);
    set_count(job, BM_DOUBT_ID, n_unsure);
    set_count(job, BM_DOUBT_MESSAGE, number->now.n_odd_messages);
    set_count(job, BM_DOUBT_EXCESS, number->now.n_excess_iterations);
    set_count(job, BM_DOUBT_EMPTY, n_empty);
    set_count(job, BM_DOUBT_BARE, number->now.n_bare_iterations);
}

static void warn(struct blastmerge_job *job, enum bm_doubt doubt, const char *one, const char *several,
                 const char *meaning) {
    uint64_t n = *count_of(job, doubt);
    if (n == 0) return;
    const char *first = job->plan.items[job->doubts.first[doubt]].source.shown;
    bm_job_warn(job, false, "%" PRIu64 " %s, %s%.*s: %s", n, n == 1 ? one : several,
                n == 1 ? "in " : "the first in ", bm_show_length(first, 300), first, meaning);
}

void bm_job_unsplit_end(struct blastmerge_job *job) {
    if (bm_format_is_bare_table(job->totals.format)) {
        job->totals.n_empty_children = 0; /* the first ones, when the format was not known yet */
        /* In a single child each has a name of its own. */
        if (job->plan.n_items > 1 || job->options.as_unsplit)
            warn(job, BM_DOUBT_ID, "query is called Query_N, as BLAST calls those without a name",
                 "queries are called Query_N, as BLAST calls those without a name",
                 "these names stay, and queries of different children can have the same one, because a table "
                 "without comments does not show how many queries came before; give each query a name, or "
                 "search with -outfmt 7, where N continues");
    } else {
        warn(job, BM_DOUBT_ID, "query id Query_N may be BLAST's or a user's",
             "query ids Query_N may be BLAST's or a user's",
             "what does not fit BLAST's counting was kept, the rest was renumbered (--query-ids)");
        warn(job, BM_DOUBT_MESSAGE,
             "message begins with a query id that was renumbered, but not as BLAST writes it",
             "messages begin with a query id that was renumbered, but not as BLAST writes it",
             "kept as it was");
    }
    if (!job->options.as_unsplit) return;
    warn(job, BM_DOUBT_GAP, "gap in the numbers of Iterations", "gaps in the numbers of Iterations",
         "BLAST left out queries there, and so does the result; but if it also left out the last ones of a "
         "child, which cannot be detected, all that follows is numbered too low");
    warn(job, BM_DOUBT_RETURN, "place where the numbers of a document's Iterations decrease",
         "places where the numbers of a document's Iterations decrease",
         "no query is missing there: the program that wrote them (such as old blastall) numbers several runs "
         "in one document; in the result the numbers continue, so no number occurs twice");
    warn(job, BM_DOUBT_UNNUMBERED, "Iteration without a number of its own",
         "Iterations without a number of their own",
         "Iteration_iter-num is missing there, or is not a whole number from 0 to 18446744073709551615; "
         "BLAST writes one for each Iteration, so another program has changed them; in the result the "
         "numbers continue from the one before");
    warn(job, BM_DOUBT_EXCESS, "Iteration that an unsplit run would have left out",
         "Iterations that an unsplit run would have left out",
         "BLAST cannot write a title that is cut in the middle of a character");
    warn(job, BM_DOUBT_EMPTY, "child without an Iteration", "children without an Iteration",
         "if there were queries, an unsplit run has Iterations for them, and all that follows is numbered "
         "too low");
    warn(job, BM_DOUBT_BARE, "query that could not be searched, and nor could any other in its batch",
         "queries that could not be searched, and nor could any other in their batches",
         "an unsplit run, with other queries in the batch, states that it has no hits");
}
