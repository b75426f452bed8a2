/* SPDX-License-Identifier: MIT */
#include "base/temporary.h"

#include "base/descriptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void bm_temporary_init(struct bm_temporary *temporary, struct bm_temporary_limit *limit) {
    memset(temporary, 0, sizeof *temporary);
    temporary->limit = limit;
}

void bm_temporary_close(struct bm_temporary *temporary) {
    if (temporary->is_open) (void)close(temporary->file);
    temporary->is_open = false;
}

void bm_temporary_open(struct bm_temporary *temporary) {
    if (temporary->limit == NULL || temporary->is_open || temporary->is_broken) return;
    temporary->file = bm_open_temporary(temporary->limit->beside);
    temporary->is_open = temporary->file >= 0;
    temporary->is_broken = !temporary->is_open;
}

static bool take_room(struct bm_temporary *temporary, uint64_t end) {
    if (end <= temporary->n_held) return true;
    const uint64_t n = end - temporary->n_held;
    uint64_t n_left = atomic_load(&temporary->limit->n_left);
    do
        if (n > n_left) return false;
    while (!atomic_compare_exchange_weak(&temporary->limit->n_left, &n_left, n_left - n));
    temporary->n_held = end;
    return true;
}

bool bm_temporary_write(struct bm_temporary *temporary, const void *data, size_t n_bytes, uint64_t offset) {
    if (!temporary->is_open || temporary->is_broken || !take_room(temporary, offset + n_bytes)) return false;
    temporary->is_broken = !bm_write_at(temporary->file, data, n_bytes, offset);
    return !temporary->is_broken;
}

enum blastmerge_status bm_temporary_read(const struct bm_temporary *temporary, void *data, size_t n_bytes,
                                         uint64_t offset, struct blastmerge_error *error) {
    ssize_t n_read = bm_read_at(temporary->file, data, n_bytes, offset);
    if (n_read == (ssize_t)n_bytes) return BLASTMERGE_OK;
    return bm_fail_system(error, n_read < 0 ? errno : EIO, "cannot read a temporary file");
}
