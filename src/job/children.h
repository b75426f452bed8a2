/* SPDX-License-Identifier: MIT */
/*
 * children - the children of a job, besides their items of the plan: the contents of each, the source of
 * further children, and checks that need not read them.
 */
#ifndef BM_JOB_CHILDREN_H
#define BM_JOB_CHILDREN_H

#include "plan/plan.h"

struct blastmerge_job;

enum { BM_JOB_FORBIDDEN_BITS = 55 };
#define BM_JOB_MOST_FORBIDDEN ((UINT64_C(1) << BM_JOB_FORBIDDEN_BITS) - 1)

/* The contents of an item of the plan, a child: its row of the report. */
struct bm_job_row {
    uint64_t n_documents;
    uint64_t n_iterations;
    uint64_t n_hits;
    uint64_t n_hsps;
    uint64_t n_invalid_bytes;
    uint64_t compressed_bytes;
    uint64_t text_bytes;
    uint64_t n_forbidden : BM_JOB_FORBIDDEN_BITS;
    uint64_t was_read : 1; /* it has ended */
    uint64_t status : 8;   /* enum blastmerge_status: how it ended */
};

/* A child that is not open takes memory only for its item and its row, an eighth more for the arrays, and its
 * name (docs/merge.md, Memory). */
enum { BM_JOB_CHILD_BYTES = 192 }; /* the promise of docs/merge.md */
_Static_assert((sizeof(struct bm_plan_item) + sizeof(struct bm_job_row)) * 9 / 8 <= BM_JOB_CHILD_BYTES,
               "more than is promised for each child");

/* Written only by children.c, except a row, which is written while its child is the current one. */
struct bm_job_children {
    struct bm_job_row *rows; /* one for each item of the plan, once the job has begun */
    size_t n_rows;
    size_t n_rows_allocated;
    struct blastmerge_children source; /* of more children; its next is NULL once there are no more */
    bool is_lazy;                      /* children come while others are merged */
    bool is_adding;                    /* source.next is at work */
    uint64_t compressed_total;         /* of the first n_in_total children */
    size_t n_in_total;
    bool has_no_total; /* the length of a child cannot be known before it is read */
};

void bm_job_children_set_source(struct blastmerge_job *job, const struct blastmerge_children *source);

/* Gets more children from the source, if there may be more, and checks those that came. */
enum blastmerge_status bm_job_children_take(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Gets all children from the source, for jobs that need all of them at the start. */
enum blastmerge_status bm_job_children_take_all(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Checks that the children from `first` on exist; if no more can come, also that there are as many as
 * expected. */
enum blastmerge_status bm_job_children_check(struct blastmerge_job *job, size_t first) BM_CHECK_RESULT;

/* Checks that there are as many as expected. */
enum blastmerge_status bm_job_children_check_count(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Adds the lengths that have become known to the total. */
void bm_job_children_add_lengths(struct blastmerge_job *job);

/* Checks for files that are given twice; for names that show that the order is not that of the searches, or
 * that a child is missing. */
enum blastmerge_status bm_job_children_check_twice(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_children_check_order(struct blastmerge_job *job) BM_CHECK_RESULT;

/* If children come while others are merged: makes the checks that need all of them. */
enum blastmerge_status bm_job_children_check_all(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Returns whether a likely mistake in the order is an error: the result must be that of one run, and the
 * order was not given on purpose. */
bool bm_job_is_order_strict(const struct blastmerge_job *job);

/* Makes a row for each item of the plan that has none. */
enum blastmerge_status bm_job_children_make_rows(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Clears the rows, before the children are read again. */
void bm_job_children_forget(struct blastmerge_job *job);

void bm_job_children_close(struct blastmerge_job *job);

#endif
