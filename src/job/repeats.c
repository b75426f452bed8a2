/* SPDX-License-Identifier: MIT */
#include "job/repeats.h"

#include "base/hash.h"
#include "job/job.h"

#include <inttypes.h>

enum { N_SEEN = 32768 };

enum blastmerge_status bm_job_repeats_take(struct blastmerge_job *job, const struct bm_mark_entry *mark) {
    struct bm_job_repeats *repeats = &job->repeats;
    bool is_wanted = mark->value != 0 && !repeats->is_off && !bm_job_queries_are_given(&job->queries);
    if (!is_wanted || mark->value == repeats->last) return BLASTMERGE_OK;
    if (repeats->seen == NULL) repeats->seen = bm_allocate(&job->memory, N_SEEN * sizeof *repeats->seen);
    if (repeats->seen == NULL) {
        bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
        return bm_job_fail(job);
    }
    repeats->last = mark->value;
    repeats->n_run = bm_hash_was_seen(repeats->seen, N_SEEN, mark->value) ? repeats->n_run + 1 : 0;
    if (repeats->n_run < 2) return BLASTMERGE_OK;
    repeats->n += repeats->n_run == 2 ? 2 : 1;
    return BLASTMERGE_OK;
}

void bm_job_repeats_end_document(struct blastmerge_job *job, bool is_told) {
    struct bm_job_repeats *repeats = &job->repeats;
    uint64_t n = repeats->n;
    repeats->n = repeats->n_run = 0;
    if (n == 0 || is_told || job->plan.items[job->child].text != NULL) return;
    bm_job_gather_add(job, BM_GATHER_AGAIN, NULL,
                      "it holds %" PRIu64
                      " queries that came before, by name and length, as if a search had been begun again "
                      "or appended to another: each is in the result twice; keep one of them (a comparison "
                      "with the queries "
                      "that were searched shows which these are)",
                      n);
}

void bm_job_repeats_leave_child(struct blastmerge_job *job) {
    job->repeats.is_off = true;
}

void bm_job_repeats_close(struct bm_job_repeats *repeats, struct bm_memory *memory) {
    bm_release(memory, repeats->seen);
    *repeats = (struct bm_job_repeats){0};
}
