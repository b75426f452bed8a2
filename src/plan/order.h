/* SPDX-License-Identifier: MIT */
/*
 * plan/order.h - the order of a plan's items by their names and files. In the natural order, digits count by their value,
 * so batch_2 comes before batch_10.
 */
#ifndef BM_PLAN_ORDER_H
#define BM_PLAN_ORDER_H

#include "plan/plan.h"

/* Below, at or above 0 as a comes before, with or after b. Digits of equal value but different length (2, 02)
 * are compared last, so only equal names compare equal. */
int bm_plan_order_compare(const char *a, const char *b);

enum bm_plan_order_step {
    BM_PLAN_ORDER_FINE,     /* b may follow a: their numbers continue, or they are not numbered alike */
    BM_PLAN_ORDER_BACKWARD, /* the names differ only in numbers, and b comes before a */
    BM_PLAN_ORDER_GAP       /* the names differ only in one number, by more than one */
};

/* Compares the names of two neighbours. */
enum bm_plan_order_step bm_plan_order_step(const char *a, const char *b);

/* Sorts the items into the natural order of their names. */
void bm_plan_order_sort(struct bm_plan *plan);

/* Irregularities in the order of the items, by their names. */
struct bm_plan_order {
    size_t n_backward; /* items that come before their predecessor, by their names ... */
    size_t first_backward;
    size_t n_gaps; /* ... and those before which a number is missing */
    size_t first_gap;
};
struct bm_plan_order bm_plan_order_look(const struct bm_plan *plan);

/* Returns the numbers of those items that are files, ordered so that one file's are side by side and ascend; NULL: no memory is
 * left. To be freed with the plan's memory. */
uint32_t *bm_plan_order_files(const struct bm_plan *plan, size_t *n_files) BM_CHECK_RESULT;

/* Whether two items are one file. */
bool bm_plan_is_same_file(const struct bm_plan *plan, size_t a, size_t b);

#endif
