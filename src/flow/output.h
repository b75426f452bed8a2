/* SPDX-License-Identifier: MIT */
/*
 * flow/output.h - where splice and pack put the bytes of the result, and the counts that they keep.
 */
#ifndef BM_OUTPUT_H
#define BM_OUTPUT_H

#include "base/base.h"

enum {
    BM_OUTPUT_SIZE = 262144,
    BM_OUTPUT_ROOM = 131072 /* a step emits nothing more once less than this is free, and returns "full" */
};

struct bm_output {
    uint8_t *data; /* BM_OUTPUT_SIZE bytes */
    size_t n_data;
    uint32_t crc32;  /* of the merged text so far */
    uint64_t n_text; /* bytes of the merged text so far */
};

#endif
