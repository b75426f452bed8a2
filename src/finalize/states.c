/* SPDX-License-Identifier: MIT */
#include "finalize/finalize.h"

#include <inttypes.h>
#include <string.h>

enum state { QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED, DELETED, N_STATES };
static const char *const names[N_STATES] = {"queued", "running",   "completed",
                                            "failed", "cancelled", "deleted"};

/* How many children there are in each state. */
static enum blastmerge_status count(struct bm_finalize *finalize, size_t counts[N_STATES]) {
    for (size_t i = 0; i < finalize->n_children; i++) {
        const struct bm_finalize_child *child = &finalize->children[i];
        size_t state = 0;
        while (state < N_STATES && strcmp(names[state], child->status) != 0) state++;
        if (state == N_STATES)
            return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                      "split child %s has unknown status: %s",
                                      child->job_id != NULL ? child->job_id : "None", child->status);
        counts[state]++;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status check_counts(struct bm_finalize *finalize) {
    int64_t n = (int64_t)finalize->n_children;
    if (finalize->n_expected < 0)
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                  "expected_child_count must be non-negative");
    if (finalize->limit <= 0)
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL, "child_limit must be positive");
    if (n >= finalize->limit)
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                  "split child query may be truncated by child_limit");
    if (n == 0)
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL, "split parent has no child jobs: %s",
                                  finalize->parent_id);
    if (n > finalize->n_expected)
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                  "split parent has more child jobs than expected");
    return BLASTMERGE_OK;
}

/* What the parent's row would say. */
static enum blastmerge_status tell(struct bm_finalize *finalize, const size_t counts[N_STATES],
                                   const char *status, const char *phase) {
    json_t *states = json_object();
    for (size_t i = 0; i < N_STATES; i++)
        (void)json_object_set_new(states, names[i], json_integer((json_int_t)counts[i]));
    finalize->outcome = json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:o}", "parent_job_id", finalize->parent_id,
                                  "status", status, "phase", phase, "ready_for_merge", 0, "child_count",
                                  (json_int_t)finalize->n_children, "expected_child_count",
                                  (json_int_t)finalize->n_expected, "child_states", states);
    return finalize->outcome == NULL ? bm_finalize_fail_memory(finalize) : BLASTMERGE_OK;
}

static enum blastmerge_status end_without_result(struct bm_finalize *finalize, const size_t counts[N_STATES],
                                                 const char *status, const char *phase) {
    if (tell(finalize, counts, status, phase) != BLASTMERGE_OK) return finalize->error->status;
    return bm_fail(finalize->error, BLASTMERGE_DATA,
                   "there will be no result: of %zu children %zu failed, %zu were cancelled, %zu deleted",
                   finalize->n_children, counts[FAILED], counts[CANCELLED], counts[DELETED]);
}

enum blastmerge_status bm_finalize_states(struct bm_finalize *finalize) {
    size_t counts[N_STATES] = {0};
    enum blastmerge_status status = check_counts(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_check_names(finalize);
    if (status == BLASTMERGE_OK) status = count(finalize, counts);
    if (status != BLASTMERGE_OK) return status;
    if (counts[FAILED] > 0) return end_without_result(finalize, counts, "failed", "split_children_failed");
    if (counts[CANCELLED] + counts[DELETED] > 0)
        return end_without_result(finalize, counts, "cancelled", "split_children_cancelled");
    if ((int64_t)counts[COMPLETED] == finalize->n_expected) return BLASTMERGE_OK;
    if (tell(finalize, counts, "running", "split_children_aggregating") != BLASTMERGE_OK)
        return finalize->error->status;
    return bm_fail(finalize->error, BLASTMERGE_NOT_READY,
                   "not ready: %zu of %" PRId64 " children are completed: try again later", counts[COMPLETED],
                   finalize->n_expected);
}
