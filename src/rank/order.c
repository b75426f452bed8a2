/* SPDX-License-Identifier: MIT */
#include "rank/order.h"
#include "base/hash.h"

#include <stdlib.h>

/* The last mix spreads names that differ only in their last digits. */
uint64_t bm_rank_hash(const char *text, size_t n_bytes) {
    uint64_t hash = bm_fnv1a(BM_FNV1A, text, n_bytes);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 28;
}

enum blastmerge_status bm_rank_order_add(struct bm_rank_order *order, struct bm_memory *memory,
                                         const char *accession, size_t n_bytes) {
    if (order->n_entries == order->n_allocated) {
        size_t n_wanted = order->n_allocated + order->n_allocated / 2 + 1024;
        struct bm_rank_order_entry *entries =
            bm_reallocate(memory, order->entries, n_wanted * sizeof *entries);
        if (entries == NULL) return BLASTMERGE_NO_MEMORY;
        order->entries = entries;
        order->n_allocated = n_wanted;
    }
    order->entries[order->n_entries] =
        (struct bm_rank_order_entry){bm_rank_hash(accession, n_bytes), order->n_entries};
    order->n_entries++;
    return BLASTMERGE_OK;
}

/* Of equal accessions the first one in the database comes first. */
static int compare(const void *a, const void *b) {
    const struct bm_rank_order_entry *one = a;
    const struct bm_rank_order_entry *other = b;
    if (one->hash != other->hash) return one->hash < other->hash ? -1 : 1;
    return one->ordinal < other->ordinal ? -1 : one->ordinal > other->ordinal;
}

static void sink(struct bm_rank_order_entry *heap, size_t n, size_t at) {
    for (size_t below = 2 * at + 1; below < n; below = 2 * at + 1) {
        if (below + 1 < n && compare(&heap[below], &heap[below + 1]) < 0) below++;
        if (compare(&heap[at], &heap[below]) >= 0) return;
        struct bm_rank_order_entry sunk = heap[at];
        heap[at] = heap[below];
        heap[below] = sunk;
        at = below;
    }
}

/* In place: qsort() of the C library takes as much memory again. */
static void sort(struct bm_rank_order_entry *entries, size_t n) {
    for (size_t i = n / 2; i-- > 0;) sink(entries, n, i);
    for (size_t i = n; i-- > 1;) {
        struct bm_rank_order_entry greatest = entries[0];
        entries[0] = entries[i];
        entries[i] = greatest;
        sink(entries, i, 0);
    }
}

void bm_rank_order_end(struct bm_rank_order *order, bool is_descending) {
    for (size_t i = 0; i < order->n_entries && is_descending; i++)
        order->entries[i].ordinal = order->n_entries - 1 - order->entries[i].ordinal;
    sort(order->entries, order->n_entries);
}

uint64_t bm_rank_order_find(const struct bm_rank_order *order, uint64_t hash) {
    size_t from = 0;
    size_t to = order->n_entries;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (order->entries[middle].hash < hash)
            from = middle + 1;
        else
            to = middle;
    }
    bool is_there = from < order->n_entries && order->entries[from].hash == hash;
    return is_there ? order->entries[from].ordinal : UINT64_MAX;
}

void bm_rank_order_free(struct bm_rank_order *order, struct bm_memory *memory) {
    bm_release(memory, order->entries);
    *order = (struct bm_rank_order){0};
}
