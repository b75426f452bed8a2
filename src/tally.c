/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include "job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is said of one more child of the kind, and of several. */
static const struct {
    const char *one;
    const char *several;
} meanings[BM_N_TALLIES] = {
    [BM_TALLY_PROGRAM] = {"has another program or other columns", "have another program or other columns"},
    [BM_TALLY_VERSION] = {"has another version", "have another version"},
    [BM_TALLY_DATABASE] = {"has another database name", "have another database name"},
    [BM_TALLY_PARAMETERS] = {"has other parameters", "have other parameters"},
    [BM_TALLY_SCOPE] = {"differs in this way", "differ in this way"},
    [BM_TALLY_BGZF] = {"is like that", "are like that"},
    [BM_TALLY_DOCUMENTS] = {"holds several", "hold several"},
};

void bm_tally_add(struct blastmerge_job *job, enum bm_tally_kind kind, const char *format, ...) {
    struct bm_tally *tally = &job->tallies[kind];
    char message[BM_TALLY_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    bm_show_list(message, sizeof message, format, arguments);
    va_end(arguments);
    if (job->has_report) bm_report_warning(&job->report, true, message);
    if (tally->n > 0 && tally->last == job->child) return;
    if (tally->n++ == 0) memcpy(tally->message, message, sizeof message);
    tally->last = job->child;
}

void bm_tally_end(struct blastmerge_job *job) {
    for (int kind = 0; kind < BM_N_TALLIES; kind++) {
        const struct bm_tally *tally = &job->tallies[kind];
        uint64_t n_others = tally->n > 0 ? tally->n - 1 : 0;
        char others[100] = "";
        if (tally->n == 0) continue;
        if (n_others > 0)
            snprintf(others, sizeof others, "; %" PRIu64 " more %s %s", n_others,
                     n_others == 1 ? "child" : "children",
                     n_others == 1 ? meanings[kind].one : meanings[kind].several);
        if (kind == BM_TALLY_DOCUMENTS)
            bm_job_note(job, "%s%s", tally->message, others);
        else
            bm_job_warn(job, false, "%s%s", tally->message, others);
    }
}
