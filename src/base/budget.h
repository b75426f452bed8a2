/* SPDX-License-Identifier: MIT */
/*
 * base/budget.h - memory that libraries allocate themselves, on any thread: it is counted, and has a bound.
 *
 * What takes some of it says beforehand how much that will be, and gives it back afterwards.
 */
#ifndef BM_BUDGET_H
#define BM_BUDGET_H

#include "base/base.h"

#include <stdatomic.h>

struct bm_budget {
    uint64_t n_most;         /* bytes at most; UINT64_MAX: there is no bound */
    _Atomic uint64_t n_used; /* bytes at present ... */
    _Atomic uint64_t n_peak; /* ... and the most so far */
    /* Frees memory of this budget that is not needed at present, on the job's thread. False: none was freed. NULL: none
     * can be. */
    bool (*make_room)(void *context);
    void *context;
};

/* False: so much is not left. */
bool bm_budget_take(struct bm_budget *budget, uint64_t n_bytes) BM_CHECK_RESULT;
void bm_budget_give(struct bm_budget *budget, uint64_t n_bytes);

#endif
