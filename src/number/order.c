/* SPDX-License-Identifier: MIT */
#include "number/order.h"

#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* A run of digits: its value without leading zeros, as digits. */
struct run {
    const char *digits;
    size_t n_digits;
};

static struct run take_run(const char **text) {
    while (**text == '0') (*text)++;
    struct run run = {*text, 0};
    while (is_digit((*text)[0])) (*text)++;
    run.n_digits = (size_t)(*text - run.digits);
    return run;
}

static int compare_runs(struct run a, struct run b) {
    if (a.n_digits != b.n_digits) return a.n_digits < b.n_digits ? -1 : 1;
    return memcmp(a.digits, b.digits, a.n_digits);
}

int bm_number_order_compare(const char *a, const char *b) {
    const char *whole_a = a;
    const char *whole_b = b;
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            int order = compare_runs(take_run(&a), take_run(&b));
            if (order != 0) return order;
        } else {
            if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            a++;
            b++;
        }
    }
    if (*a != *b) return *a == '\0' ? -1 : 1;
    return strcmp(whole_a, whole_b);
}

/* The value of a run of up to 18 digits, else 0. */
static uint64_t value_of(struct run run) {
    uint64_t value = 0;
    if (run.n_digits > 18) return 0;
    for (size_t i = 0; i < run.n_digits; i++) value = value * 10 + (uint64_t)(run.digits[i] - '0');
    return value;
}

enum bm_number_order_step bm_number_order_step(const char *a, const char *b) {
    bool is_backward = bm_number_order_compare(a, b) > 0;
    size_t n_differences = 0;
    uint64_t leap = 0;
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            struct run run_a = take_run(&a);
            struct run run_b = take_run(&b);
            if (compare_runs(run_a, run_b) != 0) {
                n_differences++;
                leap = value_of(run_b) - value_of(run_a);
            }
        } else {
            if (*a != *b) return BM_ORDER_FINE;
            a++;
            b++;
        }
    }
    if (*a != *b || n_differences == 0) return BM_ORDER_FINE;
    if (is_backward) return BM_ORDER_BACKWARD;
    return n_differences == 1 && leap > 1 ? BM_ORDER_GAP : BM_ORDER_FINE;
}
