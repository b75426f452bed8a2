/* SPDX-License-Identifier: MIT */
/*
 * rank/order - accessions in the order that their sequences have in the database, where BLAST's own count
 * (BL_ORD_ID) does not tell it.
 *
 * Of each accession a hash of 64 bits is kept, 16 bytes with its place; two of them are equal by chance in a
 * list of 600 million once in a hundred.
 */
#ifndef BM_RANK_ORDER_H
#define BM_RANK_ORDER_H

#include "base/base.h"

struct bm_rank_order_entry {
    uint64_t hash;
    uint64_t ordinal;
};

struct bm_rank_order {
    struct bm_rank_order_entry *entries; /* by hash */
    size_t n_entries;
    size_t n_allocated;
};

uint64_t bm_rank_hash(const char *text, size_t n_bytes);

/* Adds the next accession of the list. NO_MEMORY, or OK. */
enum blastmerge_status bm_rank_order_add(struct bm_rank_order *order, struct bm_memory *memory,
                                         const char *accession, size_t n_bytes) BM_CHECK_RESULT;

/* All were added. is_descending: the list begins with the last sequence, as ranks do. */
void bm_rank_order_end(struct bm_rank_order *order, bool is_descending);

/* UINT64_MAX: it is not in the list. */
uint64_t bm_rank_order_find(const struct bm_rank_order *order, uint64_t hash);

void bm_rank_order_free(struct bm_rank_order *order, struct bm_memory *memory);

#endif
