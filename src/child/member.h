/* SPDX-License-Identifier: MIT */
/* child/member - where a gzip member begins, in bytes of which not all can be inflated. */
#ifndef BM_CHILD_MEMBER_H
#define BM_CHILD_MEMBER_H

#include "fetch/fetch.h"

/* Memory for bytes that are looked through: some 100 KiB are best. */
struct bm_child_buffer {
    uint8_t *bytes;
    size_t size;
};

/* Looks for what may be a gzip member's header in the source's bytes `span`; *found is UINT64_MAX if there is none. */
enum blastmerge_status bm_child_find_member(struct bm_fetch_source *source, const struct bm_span *span,
                                            struct bm_cancel *cancel, struct bm_child_buffer buffer,
                                            uint64_t *found, struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
