/* SPDX-License-Identifier: MIT */
/*
 * repeats - queries that come once more, in part of a document: a search that was begun again and appended, or a rerun
 * of some queries beside what it was to replace. twins.h finds whole documents.
 *
 * A fixed number of queries is remembered: for each hash the first one that had it, and the latest one. A single query
 * may be another one of the same name and length, so two in a row count. It only leads to a warning.
 */
#ifndef BM_JOB_REPEATS_H
#define BM_JOB_REPEATS_H

#include "mark/mark.h"

struct blastmerge_job;

/* Written only by repeats.c. */
struct bm_job_repeats {
    uint32_t (*seen)[2]; /* NULL: no query has come */
    bool is_off;         /* what was seen is not in the result */
    uint64_t last;       /* the query before; PSI-BLAST has several Iterations of one */
    uint64_t n_run;      /* queries in a row that came before ... */
    uint64_t n;          /* ... in the current document, where two or more follow one another */
};

/* To be called for each end of an Iteration among the marks. */
enum blastmerge_status bm_job_repeats_take(struct blastmerge_job *job,
                                           const struct bm_mark_entry *mark) BM_CHECK_RESULT;

/* To be called when a document has ended. is_told: a warning has said already that it holds another's queries. */
void bm_job_repeats_end_document(struct blastmerge_job *job, bool is_told);

/* To be called when a check has left the current child. */
void bm_job_repeats_leave_child(struct blastmerge_job *job);

void bm_job_repeats_close(struct bm_job_repeats *repeats, struct bm_memory *memory);

#endif
