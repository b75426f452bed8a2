/* SPDX-License-Identifier: MIT */
#include "job/gather.h"

#include "job/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The end of the warning if one more child is of the kind, and if several are. */
static const struct {
    const char *one;
    const char *several;
} meanings[BM_N_GATHERED] = {
    [BM_GATHER_PROGRAM] = {"has another program or other columns", "have another program or other columns"},
    [BM_GATHER_VERSION] = {"has another version", "have another version"},
    [BM_GATHER_DATABASE] = {"has another database name", "have another database name"},
    [BM_GATHER_PARAMETERS] = {"has other parameters", "have other parameters"},
    [BM_GATHER_SCOPE] = {"differs in this way", "differ in this way"},
    [BM_GATHER_BGZF] = {"is like that", "are like that"},
    [BM_GATHER_CHECKSUM] = {"is like that", "are like that"},
    [BM_GATHER_NAMES] = {"is like that", "are like that"},
    [BM_GATHER_TWICE] = {"is a copy like that", "are copies like that"},
    [BM_GATHER_SHARDS] = {"is like that", "are like that"},
    [BM_GATHER_AGAIN] = {"is like that", "are like that"},
    [BM_GATHER_DOCUMENTS] = {"holds several", "hold several"},
};

/* Each such warning begins with the child's name. */
static size_t begin_with_name(const struct blastmerge_job *job, const char *name,
                              char message[BM_GATHER_MESSAGE]) {
    char cut[BM_JOB_SHOWN_NAME];
    char shown[BM_GATHER_MESSAGE / 2]; /* the text is worth more than all of a name */
    size_t n_most = name != NULL ? BM_JOB_SHOWN_NAME - 1 : 300;
    if (name == NULL) name = job->plan.items[job->child].source.shown;
    snprintf(cut, sizeof cut, "%.*s", bm_show_length(name, n_most), name);
    bm_show(shown, sizeof shown, cut);
    return (size_t)snprintf(message, BM_GATHER_MESSAGE, "%s: ", shown);
}

void bm_job_gather_add(struct blastmerge_job *job, enum bm_job_gather_kind kind, const char *name,
                       const char *format, ...) {
    struct bm_gathered *gathered = &job->gathered[kind];
    char message[BM_GATHER_MESSAGE];
    size_t n = begin_with_name(job, name, message);
    va_list arguments;
    va_start(arguments, format);
    bm_show_list(message + n, sizeof message - n, format, arguments);
    va_end(arguments);
    if (job->has_report) bm_report_warning(&job->report, true, message);
    if (gathered->n > 0 && gathered->last == job->child) return;
    if (gathered->n++ == 0) memcpy(gathered->message, message, sizeof message);
    gathered->last = job->child;
}

void bm_job_gather_end(struct blastmerge_job *job) {
    for (int kind = 0; kind < BM_N_GATHERED; kind++) {
        const struct bm_gathered *gathered = &job->gathered[kind];
        uint64_t n_others = gathered->n > 0 ? gathered->n - 1 : 0;
        char others[100] = "";
        if (gathered->n == 0) continue;
        if (n_others > 0)
            snprintf(others, sizeof others, "; %" PRIu64 " more %s %s", n_others,
                     n_others == 1 ? "child" : "children",
                     n_others == 1 ? meanings[kind].one : meanings[kind].several);
        if (kind == BM_GATHER_DOCUMENTS)
            bm_job_note(job, "%s%s", gathered->message, others);
        else
            bm_job_warn(job, false, "%s%s", gathered->message, others);
    }
}
