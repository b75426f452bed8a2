/* SPDX-License-Identifier: MIT */
#include "child/member.h"

#include <string.h>

/* Where in the bytes a gzip member's header may begin; n_bytes if nowhere (RFC 1952, 2.3.1). */
static size_t find_header(const uint8_t *bytes, size_t n_bytes) {
    size_t i = 0;
    while (i + 4 <= n_bytes) {
        const uint8_t *p = memchr(bytes + i, 0x1f, n_bytes - 3 - i);
        if (p == NULL) break;
        if (p[1] == 0x8b && p[2] == 8 && (p[3] & 0xe0) == 0) return (size_t)(p - bytes);
        i = (size_t)(p - bytes) + 1;
    }
    return n_bytes;
}

enum blastmerge_status bm_child_find_member(struct bm_fetch_source *source, const struct bm_span *span,
                                            struct bm_cancel *cancel, struct bm_child_buffer buffer,
                                            uint64_t *found, struct blastmerge_error *error) {
    struct bm_fetch fetch;
    uint8_t *bytes = buffer.bytes;
    uint64_t from = span->from;
    size_t n_kept = 0, n_new = 0;
    *found = UINT64_MAX;
    enum blastmerge_status status = bm_fetch_open(&fetch, source, cancel, error);
    bm_fetch_limit(&fetch, span, 1);
    while (status == BLASTMERGE_OK) {
        status = bm_fetch_fill(&fetch, bytes + n_kept, buffer.size - n_kept, &n_new, error);
        if (status != BLASTMERGE_OK || n_new == 0) break;
        size_t n_bytes = n_kept + n_new;
        size_t at = find_header(bytes, n_bytes);
        if (at < n_bytes) {
            *found = from + at;
            break;
        }
        n_kept = n_bytes < 3 ? n_bytes : 3;
        memmove(bytes, bytes + n_bytes - n_kept, n_kept);
        from += n_bytes - n_kept;
    }
    bm_fetch_close(&fetch);
    return status;
}
