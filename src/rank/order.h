/* SPDX-License-Identifier: MIT */
/*
 * rank/order - the database order of accessions, for databases whose subjects BLAST does not number
 * (BL_ORD_ID).
 *
 * An accession takes 16 bytes: a hash of 64 bits, and its place. In a list of 600 million accessions, the
 * chance that any two hashes are equal is about one in a hundred.
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

/* The hash of a subject's accession, whatever its form: AAA12345, AAA12345.1 and gb|AAA12345.1| have one
 * hash. BLAST and FASTA files use all of these. */
uint64_t bm_rank_subject_hash(const char *text, size_t n_bytes);

/* Adds the next name of the list, by its hash. Returns NO_MEMORY or OK. */
enum blastmerge_status bm_rank_order_add(struct bm_rank_order *order, struct bm_memory *memory,
                                         uint64_t hash) BM_CHECK_RESULT;

/* Called when all accessions have been added. is_descending: the list begins with the last sequence. */
void bm_rank_order_end(struct bm_rank_order *order, bool is_descending);

/* Returns the place of the accession with this hash; UINT64_MAX: it is not in the list. */
uint64_t bm_rank_order_find(const struct bm_rank_order *order, uint64_t hash);

void bm_rank_order_free(struct bm_rank_order *order, struct bm_memory *memory);

#endif
