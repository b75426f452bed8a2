/* SPDX-License-Identifier: MIT */
/*
 * base/pool.h - many small pieces of memory that live as long as the job, mostly names of children. They are
 * stored one after another in large blocks, so a piece costs little more than its own bytes.
 */
#ifndef BM_POOL_H
#define BM_POOL_H

#include "base/base.h"

struct bm_pool_block;

struct bm_pool {
    struct bm_pool_block *blocks;
    size_t n_left; /* bytes of the last block */
    uint8_t *next;
};

/* Returns n_bytes zeroed bytes, or NULL. is_aligned: they are for a struct. */
void *bm_pool_allocate(struct bm_pool *pool, struct bm_memory *memory, size_t n_bytes,
                       bool is_aligned) BM_CHECK_RESULT;

/* A copy of a string, or NULL. */
char *bm_pool_copy(struct bm_pool *pool, struct bm_memory *memory, const char *string) BM_CHECK_RESULT;

/* Frees all pieces. */
void bm_pool_close(struct bm_pool *pool, struct bm_memory *memory);

#endif
