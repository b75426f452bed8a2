/* SPDX-License-Identifier: MIT */
#include "base/budget.h"

static void note_peak(struct bm_budget *budget, uint64_t n_used) {
    uint64_t n_peak = atomic_load(&budget->n_peak);
    while (n_peak < n_used && !atomic_compare_exchange_weak(&budget->n_peak, &n_peak, n_used)) {
    }
}

bool bm_budget_take(struct bm_budget *budget, uint64_t n_bytes) {
    uint64_t n_used = atomic_load(&budget->n_used);
    do
        if (n_used > budget->n_most || n_bytes > budget->n_most - n_used) return false;
    while (!atomic_compare_exchange_weak(&budget->n_used, &n_used, n_used + n_bytes));
    note_peak(budget, n_used + n_bytes);
    return true;
}

void bm_budget_give(struct bm_budget *budget, uint64_t n_bytes) {
    bm_require(atomic_fetch_sub(&budget->n_used, n_bytes) >= n_bytes);
}
