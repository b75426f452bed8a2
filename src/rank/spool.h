/* SPDX-License-Identifier: MIT */
/*
 * rank/spool - texts of any length, in fixed memory.
 *
 * A hit is ranked by its head, which a definition line of megabytes can precede, and a hundred shards each hold one. So
 * the beginning of such a text is in memory, and the rest in a temporary file without a name, which all texts share. The
 * file consists of blocks of BM_RANK_BLOCK bytes. A text's blocks form a list; a text that is cleared gives them back.
 *
 * Threads: one thread calls.
 */
#ifndef BM_RANK_SPOOL_H
#define BM_RANK_SPOOL_H

#include "rank/text.h"

enum { BM_RANK_BLOCK = 65536 };

struct bm_rank_spool {
    struct bm_rank_budget budget; /* of what texts hold in memory, and of the list of blocks */
    int file;                     /* -1: nothing was too long yet */
    int failure;                  /* errno of the file; 0: memory was the reason */
    uint32_t *next;               /* for each block the one after it in its list, counted from 1; 0: none */
    size_t n_blocks, n_allocated;
    uint32_t free;      /* the first block of the list of those that are free; 0: none is */
    const char *beside; /* as for bm_open_temporary(); borrowed */
};

struct bm_rank_long {
    struct bm_rank_text held; /* the beginning */
    uint64_t n_bytes;         /* of all of it */
    uint32_t first, last;     /* blocks of the rest; 0: there are none */
    /* Where bm_rank_long_read() was last: block `read` holds what lies n_read_before bytes behind the beginning. */
    uint32_t read;
    uint64_t n_read_before;
};

void bm_rank_spool_open(struct bm_rank_spool *spool, struct bm_memory *memory, size_t n_bytes,
                        const char *beside);
void bm_rank_spool_close(struct bm_rank_spool *spool);

/* Appends bytes. n_most: bytes that this text may hold in memory. Returns false if the file fails, or there is no memory
 * for its list of blocks: spool->failure. */
bool bm_rank_long_add(struct bm_rank_long *text, struct bm_rank_spool *spool, size_t n_most, const void *data,
                      size_t n_bytes) BM_CHECK_RESULT;

/* Copies n_bytes from offset `from` on, which must be there. Reading onwards takes the same time everywhere. Returns
 * false if the file fails. */
bool bm_rank_long_read(struct bm_rank_long *text, struct bm_rank_spool *spool, uint64_t from, void *data,
                       size_t n_bytes) BM_CHECK_RESULT;

/* Makes it empty; the memory of its beginning stays. bm_rank_long_free() frees that as well. */
void bm_rank_long_clear(struct bm_rank_long *text, struct bm_rank_spool *spool);
void bm_rank_long_free(struct bm_rank_long *text, struct bm_rank_spool *spool);

#endif
