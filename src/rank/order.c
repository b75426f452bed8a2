/* SPDX-License-Identifier: MIT */
#include "rank/order.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* The last mix spreads names that differ only in their last digits. */
uint64_t bm_rank_hash(const char *text, size_t n_bytes) {
    uint64_t hash = bm_fnv1a(BM_FNV1A, text, n_bytes);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 28;
}

/* The part of "gb|AAA12345.1|" and the like that has the accession: behind the name of its source. */
static void find_accession(const char **text, size_t *n_bytes) {
    const char *end = *text + *n_bytes;
    if (*n_bytes > 3 && memcmp(*text, "gi|", 3) == 0) {
        const char *bar = memchr(*text + 3, '|', *n_bytes - 3);
        if (bar != NULL && bar + 1 < end) *text = bar + 1;
    }
    const char *bar = memchr(*text, '|', (size_t)(end - *text));
    bool is_general = bar == *text + 3 && memcmp(*text, "gnl", 3) == 0; /* gnl|database|accession */
    for (int i = 0; i < 1 + is_general && bar != NULL && bar + 1 < end; i++) {
        *text = bar + 1;
        bar = memchr(*text, '|', (size_t)(end - *text));
    }
    if (bar == *text && bar + 1 < end) { /* pir||A12345 */
        *text = bar + 1;
        bar = memchr(*text, '|', (size_t)(end - *text));
    }
    *n_bytes = (size_t)((bar != NULL ? bar : end) - *text);
}

/* The length of an accession without its version: letters, perhaps "_", five digits or more, ".", digits. Names of another
 * form, such as contig.12, have no version. */
static size_t without_version(const char *text, size_t n_bytes) {
    size_t n = 0;
    while (n < n_bytes && text[n] >= 'A' && text[n] <= 'Z') n++;
    size_t n_letters = n;
    if (n < n_bytes && text[n] == '_') n++;
    size_t first = n;
    while (n < n_bytes && text[n] >= '0' && text[n] <= '9') n++;
    size_t end = n;
    if (n_letters == 0 || end - first < 5 || end == n_bytes || text[end] != '.') return n_bytes;
    for (n++; n < n_bytes; n++)
        if (text[n] < '0' || text[n] > '9') return n_bytes;
    return end;
}

uint64_t bm_rank_subject_hash(const char *text, size_t n_bytes) {
    bool is_structure = n_bytes > 4 && memcmp(text, "pdb|", 4) == 0; /* pdb|1ABC|A has the accession 1ABC_A */
    const char *bar = is_structure ? memchr(text + 4, '|', n_bytes - 4) : NULL;
    char joined[64];
    if (bar != NULL && n_bytes - 4 < sizeof joined) {
        memcpy(joined, text + 4, n_bytes - 4);
        joined[bar - text - 4] = '_';
        return bm_rank_hash(joined, n_bytes - 4);
    }
    find_accession(&text, &n_bytes);
    return bm_rank_hash(text, without_version(text, n_bytes));
}

enum blastmerge_status bm_rank_order_add(struct bm_rank_order *order, struct bm_memory *memory,
                                         uint64_t hash) {
    if (order->n_entries == order->n_allocated) {
        size_t n_wanted = order->n_allocated + order->n_allocated / 2 + 1024;
        struct bm_rank_order_entry *entries =
            bm_reallocate(memory, order->entries, n_wanted * sizeof *entries);
        if (entries == NULL) return BLASTMERGE_NO_MEMORY;
        order->entries = entries;
        order->n_allocated = n_wanted;
    }
    order->entries[order->n_entries] = (struct bm_rank_order_entry){hash, order->n_entries};
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
