/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <unistd.h>

#if defined(__APPLE__)

/* It has no copy_file_range(2). */
uint64_t bm_store_share(struct bm_store *store, int file, uint64_t offset, uint64_t n_bytes) {
    (void)store;
    (void)file;
    (void)offset;
    (void)n_bytes;
    return 0;
}

#else

enum { STEP = 16 << 20 /* bytes that are copied before a cancel is looked for */ };

uint64_t bm_store_share(struct bm_store *store, int file, uint64_t offset, uint64_t n_bytes) {
    off_t at = (off_t)offset;
    uint64_t n_done = 0;
    bool is_file = store->upload == NULL && !store->is_stream && store->temporary[0] != '\0';
    while (is_file && n_done < n_bytes && !bm_cancel_is_set(store->cancel)) {
        size_t n_try = n_bytes - n_done < STEP ? (size_t)(n_bytes - n_done) : STEP;
        ssize_t n = copy_file_range(file, &at, store->file, NULL, n_try, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        n_done += (uint64_t)n;
    }
    return n_done;
}

#endif
