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
    BM_OUTPUT_LEAST = 139264, /* of what a step is given: with less it would be full all the time */
    BM_OUTPUT_ROOM = 131072   /* a step emits nothing more once less than this is free, and returns "full" */
};

/* A place at which inflating can begin: the header of a deflate block. */
struct bm_output_start {
    uint64_t bit;          /* bits of the output's data before it; a part of that may have yet to come */
    uint64_t text;         /* bytes of the merged text before it */
    const uint8_t *window; /* the text before it that can be copied from there on; NULL: the last 32 KiB */
    size_t n_window;
};

/* Is told of such places, where they come about. */
struct bm_output_watch {
    uint64_t due; /* those of less text do not count */
    void (*add)(struct bm_output_watch *watch, const struct bm_output_start *start);
};

struct bm_output {
    uint8_t *data;
    size_t size;                   /* bytes of data */
    size_t n_data;                 /* bytes that are used */
    uint32_t crc32;                /* of the merged text so far */
    uint64_t n_text;               /* bytes of the merged text so far */
    uint64_t n_copied;             /* bits of all data so far that are children's own, as they were */
    struct bm_output_watch *watch; /* NULL: nothing is */
};

static inline void bm_output_add_start(const struct bm_output *output, struct bm_output_start start) {
    if (output->watch != NULL && start.text >= output->watch->due) output->watch->add(output->watch, &start);
}

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
