/* SPDX-License-Identifier: MIT */
/*
 * flow/output.h - where splice and pack put the bytes of the result, and the counts that they keep.
 */
#ifndef BM_OUTPUT_H
#define BM_OUTPUT_H

#include "base/base.h"

#include <string.h>

enum {
    BM_OUTPUT_SIZE = 262144,  /* of a job's */
    BM_OUTPUT_LEAST = 139264, /* so much it must have */
    BM_OUTPUT_ROOM = 131072   /* a step emits nothing more once less than this is free, and returns "full" */
};

struct bm_output {
    uint8_t *data;
    size_t size;     /* bytes of data */
    size_t n_data;   /* bytes that are used */
    uint32_t crc32;  /* of the merged text so far */
    uint64_t n_text; /* bytes of the merged text so far */
};

static inline size_t bm_output_room(const struct bm_output *output) {
    return output->size - output->n_data;
}

/* Whether a step would emit nothing more. */
static inline bool bm_output_is_full(const struct bm_output *output) {
    return bm_output_room(output) < BM_OUTPUT_ROOM;
}

/* Adds bytes, for which there must be room; counts no text. */
static inline void bm_output_put(struct bm_output *output, const void *data, size_t n_bytes) {
    bm_require(n_bytes <= bm_output_room(output));
    if (n_bytes > 0) memcpy(output->data + output->n_data, data, n_bytes);
    output->n_data += n_bytes;
}

#endif
