/* SPDX-License-Identifier: MIT */
#include "plan/order.h"

#include <stdlib.h>
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

int bm_plan_order_compare(const char *a, const char *b) {
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

enum bm_plan_order_step bm_plan_order_step(const char *a, const char *b) {
    bool is_backward = bm_plan_order_compare(a, b) > 0;
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
            if (*a != *b) return BM_PLAN_ORDER_FINE;
            a++;
            b++;
        }
    }
    if (*a != *b || n_differences == 0) return BM_PLAN_ORDER_FINE;
    if (is_backward) return BM_PLAN_ORDER_BACKWARD;
    return n_differences == 1 && leap > 1 ? BM_PLAN_ORDER_GAP : BM_PLAN_ORDER_FINE;
}

/* --- of a plan's items --------------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b) {
    const struct bm_plan_item *item_a = a;
    const struct bm_plan_item *item_b = b;
    return bm_plan_order_compare(bm_fetch_source_name(&item_a->source),
                                 bm_fetch_source_name(&item_b->source));
}

void bm_plan_order_sort(struct bm_plan *plan) {
    if (plan->n_items > 1) qsort(plan->items, plan->n_items, sizeof *plan->items, compare_items);
}

/* How an item's name follows the name before it. Names of descriptors, as a shell's <(command) has them, say
 * nothing about the order. */
static enum bm_plan_order_step step_to(const struct bm_fetch_source *before,
                                       const struct bm_fetch_source *source) {
    static const char descriptors[] = "/dev/fd/";
    const char *name = bm_fetch_source_name(source);
    if (strncmp(name, descriptors, sizeof descriptors - 1) == 0) return BM_PLAN_ORDER_FINE;
    return bm_plan_order_step(bm_fetch_source_name(before), name);
}

struct bm_plan_order bm_plan_order_look(const struct bm_plan *plan) {
    struct bm_plan_order order = {0};
    for (size_t i = 1; i < plan->n_items; i++) {
        enum bm_plan_order_step step = step_to(&plan->items[i - 1].source, &plan->items[i].source);
        if (step == BM_PLAN_ORDER_BACKWARD && order.n_backward++ == 0) order.first_backward = i;
        if (step == BM_PLAN_ORDER_GAP && order.n_gaps++ == 0) order.first_gap = i;
    }
    return order;
}

/* --- files --------------------------------------------------------------------------------------- */

bool bm_plan_is_same_file(const struct bm_plan *plan, size_t a, size_t b) {
    const struct bm_fetch_source *one = &plan->items[a].source;
    const struct bm_fetch_source *other = &plan->items[b].source;
    return one->has_identity && other->has_identity && one->device == other->device &&
           one->inode == other->inode;
}

/* One file's names come side by side, in the items' order. */
static int compare_files(const struct bm_plan *plan, uint32_t a, uint32_t b) {
    const struct bm_fetch_source *one = &plan->items[a].source;
    const struct bm_fetch_source *other = &plan->items[b].source;
    if (one->device != other->device) return one->device < other->device ? -1 : 1;
    if (one->inode != other->inode) return one->inode < other->inode ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Lets an element sink to its place in the heap, whose root is the greatest. */
static void sink(const struct bm_plan *plan, uint32_t *heap, size_t n, size_t at) {
    for (size_t below = 2 * at + 1; below < n; below = 2 * at + 1) {
        if (below + 1 < n && compare_files(plan, heap[below], heap[below + 1]) < 0) below++;
        if (compare_files(plan, heap[at], heap[below]) >= 0) return;
        uint32_t sunk = heap[at];
        heap[at] = heap[below];
        heap[below] = sunk;
        at = below;
    }
}

/* In place: qsort() of the C library takes as much memory again. */
static void sort_files(const struct bm_plan *plan, uint32_t *numbers, size_t n) {
    for (size_t i = n / 2; i-- > 0;) sink(plan, numbers, n, i);
    for (size_t i = n; i-- > 1;) {
        uint32_t greatest = numbers[0];
        numbers[0] = numbers[i];
        numbers[i] = greatest;
        sink(plan, numbers, i, 0);
    }
}

uint32_t *bm_plan_order_files(const struct bm_plan *plan, size_t *n_files) {
    uint32_t *numbers = bm_allocate(plan->memory, plan->n_items * sizeof *numbers);
    *n_files = 0;
    if (numbers == NULL) return NULL;
    for (size_t i = 0; i < plan->n_items && i <= UINT32_MAX; i++) {
        if (plan->items[i].source.has_identity) numbers[(*n_files)++] = (uint32_t)i;
    }
    sort_files(plan, numbers, *n_files);
    return numbers;
}
