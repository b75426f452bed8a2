/* SPDX-License-Identifier: MIT */
#include "rank/order.h"
#include "base/descriptor.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    ENTRY = sizeof(struct bm_rank_order_entry),
    HELD = BM_RANK_ORDER_HELD,
    BLOCK = BM_RANK_ORDER_BLOCK,
    FAN_IN = 64,           /* runs that are merged at once ... */
    BUFFER = HELD / FAN_IN /* ... and entries of each that are in memory */
};

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

/* --- the temporary file -------------------------------------------------------------------------- */

static bool fail_file(struct bm_rank_order *order, int failure) {
    order->system_error = failure;
    return false;
}

static bool write_entries(struct bm_rank_order *order, int file, uint64_t at,
                          const struct bm_rank_order_entry *entries, size_t n) {
    return bm_write_at(file, entries, n * ENTRY, at * ENTRY) || fail_file(order, errno);
}

static bool read_entries(struct bm_rank_order *order, uint64_t at, struct bm_rank_order_entry *entries,
                         size_t n) {
    ssize_t n_read = bm_read_at(order->file, entries, n * ENTRY, at * ENTRY);
    return n_read == (ssize_t)(n * ENTRY) || fail_file(order, n_read < 0 ? errno : EIO);
}

/* --- sorting ------------------------------------------------------------------------------------- */

/* Of equal names the first one in the list comes first. */
static bool is_before(const struct bm_rank_order_entry *one, const struct bm_rank_order_entry *other) {
    return one->hash != other->hash ? one->hash < other->hash : one->ordinal < other->ordinal;
}

static void sink(struct bm_rank_order_entry *heap, size_t n, size_t at) {
    for (size_t below = 2 * at + 1; below < n; below = 2 * at + 1) {
        if (below + 1 < n && is_before(&heap[below], &heap[below + 1])) below++;
        if (!is_before(&heap[at], &heap[below])) return;
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

/* A run of the file that is being merged, from entry `next` to `end`; `held` of its entries are in memory. */
struct run {
    uint64_t next, end;
    struct bm_rank_order_entry *entries;
    size_t n_held, at;
};

static bool fill_run(struct bm_rank_order *order, struct run *run) {
    uint64_t n_left = run->end - run->next;
    run->n_held = n_left < BUFFER ? (size_t)n_left : BUFFER;
    run->at = 0;
    if (!read_entries(order, run->next, run->entries, run->n_held)) return false;
    run->next += run->n_held;
    return true;
}

static bool is_run_before(const struct run *one, const struct run *other) {
    return is_before(&one->entries[one->at], &other->entries[other->at]);
}

/* A heap whose top is the run with the least entry. */
static void sink_run(struct run *heap, size_t n, size_t at) {
    for (size_t below = 2 * at + 1; below < n; below = 2 * at + 1) {
        if (below + 1 < n && is_run_before(&heap[below + 1], &heap[below])) below++;
        if (!is_run_before(&heap[below], &heap[at])) return;
        struct run sunk = heap[at];
        heap[at] = heap[below];
        heap[below] = sunk;
        at = below;
    }
}

/* Merges the runs of n_run entries from entry `from` to `to` of the file into one run of the other file. */
static bool merge_runs(struct bm_rank_order *order, int file, struct bm_rank_order_entry *out, uint64_t from,
                       uint64_t to, uint64_t n_run) {
    struct run runs[FAN_IN];
    size_t n = 0;
    size_t n_out = 0;
    for (uint64_t at = from; at < to; at += n_run, n++) {
        runs[n] = (struct run){.next = at, .end = to - at < n_run ? to : at + n_run};
        runs[n].entries = order->entries + n * BUFFER;
        if (!fill_run(order, &runs[n])) return false;
    }
    for (size_t i = n / 2; i-- > 0;) sink_run(runs, n, i);
    while (n > 0) {
        struct run *least = &runs[0];
        out[n_out++] = least->entries[least->at++];
        if (n_out == HELD || n_out == to - from) {
            if (!write_entries(order, file, from, out, n_out)) return false;
            from += n_out;
            n_out = 0;
        }
        if (least->at == least->n_held && !fill_run(order, least)) return false;
        if (least->n_held == 0) *least = runs[--n];
        sink_run(runs, n, 0);
    }
    return true;
}

/* Merges runs until there is one. */
static bool merge_all(struct bm_rank_order *order, struct bm_rank_order_entry *out) {
    for (uint64_t n_run = HELD; n_run < order->n_entries; n_run *= FAN_IN) {
        int file = bm_open_temporary(order->beside);
        if (file < 0) return fail_file(order, errno);
        bool is_fine = true;
        for (uint64_t at = 0; at < order->n_entries && is_fine; at += n_run * FAN_IN) {
            uint64_t n_left = order->n_entries - at;
            is_fine = merge_runs(order, file, out, at,
                                 n_left < n_run * FAN_IN ? order->n_entries : at + n_run * FAN_IN, n_run);
        }
        (void)close(is_fine ? order->file : file);
        if (!is_fine) return false;
        order->file = file;
    }
    return true;
}

/* --- a list -------------------------------------------------------------------------------------- */

/* Writes the full run. */
static bool spill(struct bm_rank_order *order) {
    if (order->file < 0) order->file = bm_open_temporary(order->beside);
    if (order->file < 0) return fail_file(order, errno);
    sort(order->entries, order->n_held);
    if (!write_entries(order, order->file, order->n_entries - order->n_held, order->entries, order->n_held))
        return false;
    order->n_held = 0;
    return true;
}

bool bm_rank_order_add(struct bm_rank_order *order, struct bm_memory *memory, uint64_t hash) {
    if (order->entries == NULL) {
        *order = (struct bm_rank_order){.file = -1, .block = UINT64_MAX, .beside = order->beside};
        order->entries = bm_allocate(memory, HELD * sizeof *order->entries);
        if (order->entries == NULL) return false;
    }
    if (order->n_held == HELD && !spill(order)) return false;
    order->entries[order->n_held++] = (struct bm_rank_order_entry){hash, order->n_entries++};
    return true;
}

bool bm_rank_order_end(struct bm_rank_order *order, struct bm_memory *memory, bool is_descending) {
    order->is_descending = is_descending;
    if (order->entries == NULL) return true;
    if (order->file < 0) {
        sort(order->entries, order->n_held);
        return true;
    }
    struct bm_rank_order_entry *out = bm_allocate(memory, HELD * sizeof *out);
    bool is_fine = out != NULL && spill(order) && merge_all(order, out);
    bm_release(memory, out);
    struct bm_rank_order_entry *block = bm_reallocate(memory, order->entries, BLOCK * sizeof *block);
    if (block != NULL) order->entries = block;
    return is_fine;
}

/* Reads entry `at` of the sorted list. */
static bool get(struct bm_rank_order *order, uint64_t at, struct bm_rank_order_entry *entry) {
    if (order->file < 0) {
        *entry = order->entries[at];
        return true;
    }
    if (order->block != at / BLOCK) {
        uint64_t first = at / BLOCK * BLOCK;
        uint64_t n_left = order->n_entries - first;
        order->block = UINT64_MAX;
        if (!read_entries(order, first, order->entries, n_left < BLOCK ? (size_t)n_left : BLOCK))
            return false;
        order->block = at / BLOCK;
    }
    *entry = order->entries[at % BLOCK];
    return true;
}

/* Where between two places a hash is to be expected. */
static uint64_t expect(uint64_t from, uint64_t to, uint64_t least, uint64_t most, uint64_t hash) {
    double share = most > least ? (double)(hash - least) / (double)(most - least) : 0.5;
    uint64_t n = (uint64_t)(share * (double)(to - from));
    return n < to - from ? from + n : to - 1;
}

/* Finds the first entry whose hash is not below this one. Hashes are spread evenly, so few steps do; but a list may be
 * made so that they are not, and then every other step halves what is left. */
static bool find_first(struct bm_rank_order *order, uint64_t hash, uint64_t *place) {
    uint64_t from = 0;
    uint64_t to = order->n_entries;
    uint64_t least = 0;
    uint64_t most = UINT64_MAX;
    for (unsigned i = 0; from < to; i++) {
        uint64_t middle = i % 4 < 3 ? expect(from, to, least, most, hash) : from + (to - from) / 2;
        struct bm_rank_order_entry entry;
        if (!get(order, middle, &entry)) return false;
        if (entry.hash < hash) {
            from = middle + 1;
            least = entry.hash;
        } else {
            to = middle;
            most = entry.hash;
        }
    }
    *place = from;
    return true;
}

bool bm_rank_order_find(struct bm_rank_order *order, uint64_t hash, uint64_t *ordinal) {
    struct bm_rank_order_entry entry;
    uint64_t place = order->n_entries;
    *ordinal = UINT64_MAX;
    if (order->entries == NULL) return true;
    /* Of a name that is there twice, the last one in a descending list is the first one in the database. */
    if (!order->is_descending || hash < UINT64_MAX) {
        if (!find_first(order, order->is_descending ? hash + 1 : hash, &place)) return false;
    }
    if (order->is_descending && place-- == 0) return true;
    if (place == order->n_entries) return true;
    if (!get(order, place, &entry)) return false;
    if (entry.hash != hash) return true;
    *ordinal = order->is_descending ? order->n_entries - 1 - entry.ordinal : entry.ordinal;
    return true;
}

void bm_rank_order_free(struct bm_rank_order *order, struct bm_memory *memory) {
    if (order->entries != NULL && order->file >= 0) (void)close(order->file);
    bm_release(memory, order->entries);
    *order = (struct bm_rank_order){0};
}
