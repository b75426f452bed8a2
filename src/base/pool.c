/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <string.h>

/* What is left at a block's end is lost: little even where names are thousands of bytes long. A block's
 * pages are resident only once they are used. */
enum { BLOCK_BYTES = 256 * 1024, ALIGNMENT = 16 };

struct bm_pool_block {
    struct bm_pool_block *before;
};

static bool add_block(struct bm_pool *pool, struct bm_memory *memory, size_t n_bytes) {
    size_t n_data = n_bytes > BLOCK_BYTES ? n_bytes : BLOCK_BYTES;
    if (n_data > SIZE_MAX - ALIGNMENT) return false;
    struct bm_pool_block *block = bm_allocate(memory, ALIGNMENT + n_data);
    if (block == NULL) return false;
    block->before = pool->blocks;
    pool->blocks = block;
    pool->next = (uint8_t *)block + ALIGNMENT;
    pool->n_left = n_data;
    return true;
}

void *bm_pool_allocate(struct bm_pool *pool, struct bm_memory *memory, size_t n_bytes, bool is_aligned) {
    size_t n_skipped = is_aligned ? -(uintptr_t)pool->next & (ALIGNMENT - 1) : 0;
    if (n_skipped > pool->n_left || n_bytes > pool->n_left - n_skipped) {
        if (!add_block(pool, memory, n_bytes)) return NULL;
        n_skipped = 0;
    }
    void *piece = pool->next + n_skipped;
    pool->next += n_skipped + n_bytes;
    pool->n_left -= n_skipped + n_bytes;
    return piece;
}

char *bm_pool_copy(struct bm_pool *pool, struct bm_memory *memory, const char *string) {
    size_t n_bytes = strlen(string) + 1;
    char *copy = bm_pool_allocate(pool, memory, n_bytes, false);
    if (copy != NULL) memcpy(copy, string, n_bytes);
    return copy;
}

void bm_pool_close(struct bm_pool *pool, struct bm_memory *memory) {
    while (pool->blocks != NULL) {
        struct bm_pool_block *block = pool->blocks;
        pool->blocks = block->before;
        bm_release(memory, block);
    }
    pool->n_left = 0;
    pool->next = NULL;
}
