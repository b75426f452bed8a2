/* SPDX-License-Identifier: MIT */
/*
 * number/order.h - the natural order of names: digits count by their value, so batch_2 comes before batch_10.
 */
#ifndef BM_ORDER_H
#define BM_ORDER_H

#include "base/base.h"

/* Below, at or above 0 as a comes before, with or after b. Digits of equal value but different length (2, 02)
 * are compared last, so only equal names compare equal. */
int bm_number_order_compare(const char *a, const char *b);

enum bm_number_order_step {
    BM_ORDER_FINE,     /* b may follow a: their numbers continue, or they are not numbered alike */
    BM_ORDER_BACKWARD, /* the names differ only in numbers, and b comes before a */
    BM_ORDER_GAP       /* the names differ only in one number, by more than one */
};

/* Compares the names of two neighbours. */
enum bm_number_order_step bm_number_order_step(const char *a, const char *b);

#endif
