/* SPDX-License-Identifier: MIT */
/*
 * base/pool.h - many small pieces of memory that live as long as the job: names of children, mostly. They
 * lie one behind the other in large blocks, so that a piece costs its own bytes and little more.
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

/* n_bytes bytes, for structs too where is_aligned, or NULL. Zeroed. */
void *bm_pool_allocate(struct bm_pool *pool, struct bm_memory *memory, size_t n_bytes,
                       bool is_aligned) BM_CHECK_RESULT;

/* A copy of a string, or NULL. */
char *bm_pool_copy(struct bm_pool *pool, struct bm_memory *memory, const char *string) BM_CHECK_RESULT;

/* Gives back all. */
void bm_pool_close(struct bm_pool *pool, struct bm_memory *memory);

#endif
