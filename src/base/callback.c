/* SPDX-License-Identifier: MIT */
#include "base/callback.h"

#include <stdatomic.h>

/* Even, so that no ticket is what another one's success returns. Shared by all jobs: what a call in one job
 * has left must not be success in another. */
static atomic_uint last_ticket;

int bm_callback_begin(int *ticket) {
    if (ticket == NULL) return 0;
    unsigned issued = atomic_fetch_add_explicit(&last_ticket, 2, memory_order_relaxed) + 2;
    *ticket = (int)(issued & 0x3ffffffe);
    return *ticket;
}

bool bm_callback_is_ok(int issued, int result) {
    return result == BLASTMERGE_CALLBACK_OK + issued;
}

enum blastmerge_status bm_fail_callback(struct blastmerge_error *error, int result, const char *what) {
    if (result < 0 && result > -4096) return bm_fail_system(error, -result, "%s", what);
    if (result == 0) return bm_fail(error, BLASTMERGE_IO, "%s and gave no reason", what);
    return bm_fail(error, BLASTMERGE_IO,
                   "%s: it returned %d, where success is BLASTMERGE_CALLBACK_OK, and failure is 0 or a "
                   "negative errno value",
                   what, result);
}
