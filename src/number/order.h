/* SPDX-License-Identifier: MIT */
/*
 * number/order.h - the natural order of names: runs of digits count by their value, so that batch_2 comes
 * before batch_10.
 */
#ifndef BM_ORDER_H
#define BM_ORDER_H

#include "base/base.h"

/* Below, at or above 0 as a comes before, with or after b. Digits of equal value but other length (2, 02) are
 * told apart last, so that only equal names compare equal. */
int bm_number_order_compare(const char *a, const char *b);

enum bm_number_order_step {
    BM_ORDER_FINE,     /* b may follow a: their numbers run on, or they are not numbered alike */
    BM_ORDER_BACKWARD, /* names that are alike but for numbers, and b comes before a */
    BM_ORDER_GAP       /* names that are alike but for one number, which leaps by more than one */
};

/* What the names of two neighbours say. */
enum bm_number_order_step bm_number_order_step(const char *a, const char *b);

#endif
