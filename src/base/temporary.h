/* SPDX-License-Identifier: MIT */
/*
 * base/temporary.h - temporary files without names, for what waits for its turn. All of them together have a limit.
 *
 * A file never shrinks, so what it holds of the limit is its largest length so far. A file that cannot be opened or
 * written counts as full: the caller does without.
 *
 * Threads: one at a time uses a file; bm_temporary_read() may be called on several. All threads share the limit.
 */
#ifndef BM_TEMPORARY_H
#define BM_TEMPORARY_H

#include "base/base.h"

#include <stdatomic.h>

struct bm_temporary_limit {
    _Atomic uint64_t n_left; /* bytes that no file holds */
    const char *beside;      /* the path of the result, where files may be opened; borrowed, may be NULL */
};

struct bm_temporary {
    struct bm_temporary_limit *limit; /* borrowed; NULL: the file has no room */
    bool is_open;
    bool is_broken; /* it cannot be opened or written */
    int file;
    uint64_t n_held; /* bytes of the limit */
};

void bm_temporary_init(struct bm_temporary *temporary, struct bm_temporary_limit *limit);
void bm_temporary_close(struct bm_temporary *temporary); /* it may be zeroed */

/* Opens the file, if that was not done. To be called on the job's thread before the first write. */
void bm_temporary_open(struct bm_temporary *temporary);

/* Writes bytes at the offset. False: there is no room for them, or the file cannot be written. */
bool bm_temporary_write(struct bm_temporary *temporary, const void *data, size_t n_bytes,
                        uint64_t offset) BM_CHECK_RESULT;

/* Reads bytes that were written. */
enum blastmerge_status bm_temporary_read(const struct bm_temporary *temporary, void *data, size_t n_bytes,
                                         uint64_t offset, struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
