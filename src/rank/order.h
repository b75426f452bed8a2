/* SPDX-License-Identifier: MIT */
/*
 * rank/order - the database order of accessions, for databases whose subjects BLAST does not number
 * (BL_ORD_ID), and the order of queries of tables.
 *
 * A name takes 16 bytes: a hash of 64 bits, and its place. In a list of 600 million accessions, the chance that any two
 * hashes are equal is about one in a hundred. Up to BM_RANK_ORDER_HELD names are in memory. A longer list is a temporary
 * file without a name, sorted by hash in runs that are merged; names are looked up in it by interpolation, since hashes
 * are spread evenly. So a list of any length takes 512 KiB while it is sorted, and one block afterwards.
 *
 * Threads: one thread calls.
 */
#ifndef BM_RANK_ORDER_H
#define BM_RANK_ORDER_H

#include "base/base.h"

enum {
    BM_RANK_ORDER_HELD = 16384, /* entries */
    BM_RANK_ORDER_BLOCK = 256   /* entries that are read at once */
};

struct bm_rank_order_entry {
    uint64_t hash;
    uint64_t ordinal;
};

struct bm_rank_order {
    struct bm_rank_order_entry
        *entries; /* in memory: the last run while names are added; all of a short list, by hash; one
                                            block of a long list */
    size_t n_held;
    uint64_t n_entries;
    bool is_descending;
    int file;           /* of a long list; else -1, or 0 in a zeroed struct without entries */
    uint64_t block;     /* of the file, that is in memory; UINT64_MAX: none */
    int system_error;   /* errno of the file's failure; 0: memory failed */
    const char *beside; /* as for bm_open_temporary(); borrowed, set before names are added */
};

uint64_t bm_rank_hash(const char *text, size_t n_bytes);

/* The hash of a subject's accession, whatever its form: AAA12345, AAA12345.1 and gb|AAA12345.1| have one
 * hash. BLAST and FASTA files use all of these. */
uint64_t bm_rank_subject_hash(const char *text, size_t n_bytes);

/* Adds the next name of the list, by its hash. `order` may be zeroed, except for `beside`. Returns false if memory or the
 * temporary file failed: order->system_error. */
bool bm_rank_order_add(struct bm_rank_order *order, struct bm_memory *memory, uint64_t hash) BM_CHECK_RESULT;

/* Called when all names have been added. is_descending: the list begins with the last one. Returns false as above. */
bool bm_rank_order_end(struct bm_rank_order *order, struct bm_memory *memory,
                       bool is_descending) BM_CHECK_RESULT;

/* Finds the place of the name with this hash; of a name that is there twice, the first place. UINT64_MAX: it is not in the
 * list. Returns false if the file cannot be read. */
bool bm_rank_order_find(struct bm_rank_order *order, uint64_t hash, uint64_t *ordinal) BM_CHECK_RESULT;

void bm_rank_order_free(struct bm_rank_order *order, struct bm_memory *memory);

#endif
