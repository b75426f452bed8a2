/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include "child/lane.h"
#include "flow/output.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp):
 * the linker's names */
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t n_bytes);
void __real_free(void *memory);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t n_bytes);
void __wrap_free(void *memory);
/* NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp) */

enum { SMALLEST = 16384, LARGE = 1 << 20, CLEARED = 4096, GUARD = 128, MAX_PIECES = 256 };

/* The prefix that bm_allocate() puts before a piece (base.c), and the largest of a pool's blocks' own (pool.c). */
enum { PREFIX = 64, POOL = 256 * 1024 + 16 };

static const size_t place_size = (size_t)1 << 28;

static struct piece {
    uint8_t *data;
    size_t n_bytes;
    int is_live;
} pieces[MAX_PIECES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *place;
static size_t n_used;
static size_t n_pieces;
static size_t n_live;

size_t keep_n_live(void) {
    return n_live;
}

static struct piece *find_free(size_t n_bytes) {
    for (size_t i = 0; i < n_pieces; i++) {
        if (!pieces[i].is_live && pieces[i].n_bytes == n_bytes) return &pieces[i];
    }
    return NULL;
}

static struct piece *make(size_t n_bytes) {
    size_t n_all = (n_bytes + 2 * GUARD - 1) / GUARD * GUARD; /* a guard follows */
    if (place == NULL) {
        void *made = mmap(NULL, place_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (made == MAP_FAILED) abort();
        place = made;
        n_used = GUARD;
        ASAN_POISON_MEMORY_REGION(place, place_size);
    }
    if (n_pieces == MAX_PIECES || n_all > place_size - n_used) return NULL;
    struct piece *piece = &pieces[n_pieces++];
    *piece = (struct piece){place + n_used, n_bytes, 0};
    n_used += n_all;
    return piece;
}

/* Whether it is a buffer for bytes to come. */
static int is_buffer(size_t n_bytes) {
    static const struct bm_batch_size batch = {BM_BATCH_TEXT, BM_BATCH_BITS, BM_BATCH_TRACE};
    return n_bytes >= LARGE || n_bytes == PREFIX + POOL || n_bytes == PREFIX + BM_OUTPUT_SIZE ||
           n_bytes == PREFIX + (size_t)BM_CHILD_LANE_PAGES * BM_CHILD_LANE_PAGE ||
           n_bytes == PREFIX + bm_batch_bytes(&batch);
}

void *__wrap_calloc(size_t n, size_t size) {
    size_t n_bytes = 0;
    struct piece *piece = NULL;
    if (__builtin_mul_overflow(n, size, &n_bytes)) return NULL;
    if (n_bytes < SMALLEST || n_bytes > place_size) return __real_calloc(n, size);
    pthread_mutex_lock(&lock);
    piece = find_free(n_bytes);
    if (piece == NULL) piece = make(n_bytes);
    if (piece != NULL) {
        piece->is_live = 1;
        n_live++;
    }
    pthread_mutex_unlock(&lock);
    if (piece == NULL) return __real_calloc(n, size);
    ASAN_UNPOISON_MEMORY_REGION(piece->data, n_bytes);
    memset(piece->data, 0, is_buffer(n_bytes) ? CLEARED : n_bytes);
    return piece->data;
}

static int is_here(const void *memory) {
    const uint8_t *data = memory;
    return place != NULL && data >= place && data < place + place_size;
}

static struct piece *find_live(const void *memory) {
    size_t i = 0;
    while (i < n_pieces && pieces[i].data != memory) i++;
    if (i == n_pieces || !pieces[i].is_live) abort(); /* released twice, or it is no piece's begin */
    return &pieces[i];
}

void __wrap_free(void *memory) {
    if (!is_here(memory)) {
        __real_free(memory);
        return;
    }
    pthread_mutex_lock(&lock);
    struct piece *piece = find_live(memory);
    piece->is_live = 0;
    n_live--;
    ASAN_POISON_MEMORY_REGION(piece->data, piece->n_bytes);
    pthread_mutex_unlock(&lock);
}

void *__wrap_realloc(void *memory, size_t n_bytes) {
    if (!is_here(memory)) return __real_realloc(memory, n_bytes);
    pthread_mutex_lock(&lock);
    size_t n_before = find_live(memory)->n_bytes;
    pthread_mutex_unlock(&lock);
    void *moved = __wrap_calloc(1, n_bytes);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, n_before < n_bytes ? n_before : n_bytes);
    __wrap_free(memory);
    return moved;
}
