/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <errno.h>
#include <libdeflate.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void bm_broken(const char *function, const char *condition) {
    fprintf(stderr, "blastmerge: internal fault: in %s(), this should hold: %s\n", function, condition);
    abort();
}

/* Writes the message; what is too long ends in "...". */
static void write_message(struct blastmerge_error *error, const char *format, va_list arguments) {
    bm_show_list(error->message, sizeof error->message, format, arguments);
}

static void clear(struct blastmerge_error *error, enum blastmerge_status status) {
    error->status = status;
    error->system_error = 0;
    error->http_status = 0;
    error->child = BLASTMERGE_NO_CHILD;
    error->text_offset = BLASTMERGE_NO_OFFSET;
    error->n_iterations = 0;
    error->provider_code[0] = '\0';
}

enum blastmerge_status bm_fail(struct blastmerge_error *error, enum blastmerge_status status,
                               const char *format, ...) {
    va_list arguments;
    clear(error, status);
    va_start(arguments, format);
    write_message(error, format, arguments);
    va_end(arguments);
    return status;
}

enum blastmerge_status bm_fail_at(struct blastmerge_error *error, enum blastmerge_status status,
                                  uint64_t text_offset, const char *format, ...) {
    va_list arguments;
    clear(error, status);
    error->text_offset = text_offset;
    va_start(arguments, format);
    write_message(error, format, arguments);
    va_end(arguments);
    return status;
}

enum blastmerge_status bm_fail_system(struct blastmerge_error *error, int system_error, const char *format,
                                      ...) {
    va_list arguments;
    char reason[128];
    clear(error, bm_status_of_errno(system_error));
    error->system_error = system_error;
    va_start(arguments, format);
    write_message(error, format, arguments);
    va_end(arguments);
    /* strerror_r comes in two kinds, one of which may return another string than its buffer. */
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    const char *text = strerror_r(system_error, reason, sizeof reason);
#else
    const char *text = strerror_r(system_error, reason, sizeof reason) == 0 ? reason : "unknown error";
#endif
    size_t used = strlen(error->message);
    snprintf(error->message + used, sizeof error->message - used, ": %s", text);
    return error->status;
}

enum blastmerge_status bm_fail_anew(struct blastmerge_error *error, enum blastmerge_status status,
                                    const char *format, ...) {
    struct blastmerge_error after = *error; /* a copy, as the message so far may be among the arguments */
    va_list arguments;
    va_start(arguments, format);
    write_message(&after, format, arguments);
    va_end(arguments);
    after.status = status;
    *error = after;
    return status;
}

void bm_fail_by_server(struct blastmerge_error *error, int http_status, const char *provider_code) {
    error->http_status = http_status;
    bm_show(error->provider_code, sizeof error->provider_code, provider_code);
}

enum blastmerge_status bm_status_of_errno(int system_error) {
    switch (system_error) {
    case ENOENT:
    case ENOTDIR:
        return BLASTMERGE_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return BLASTMERGE_DENIED;
    case EEXIST:
        return BLASTMERGE_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return BLASTMERGE_NO_SPACE;
    case ENOMEM:
        return BLASTMERGE_NO_MEMORY;
    case ECANCELED:
        return BLASTMERGE_CANCELLED;
    default:
        return BLASTMERGE_IO;
    }
}

bool bm_copy_struct(void *known, size_t n_known, size_t n_first, const void *given) {
    size_t n_given = 0;
    memcpy(&n_given, given, sizeof n_given);
    if (n_given < n_first || n_given > BM_STRUCT_MOST) return false;
    for (size_t i = n_known; i < n_given; i++) {
        if (((const uint8_t *)given)[i] != 0) return false;
    }
    memcpy(known, given, n_given < n_known ? n_given : n_known);
    return true;
}

void bm_init_struct(void *given, size_t n_given) {
    if (n_given < sizeof n_given) return;
    if (n_given <= BM_STRUCT_MOST) memset(given, 0, n_given);
    memcpy(given, &n_given, sizeof n_given);
}

/* Before each piece of memory stands its size, so that releases can be counted. */
enum { PREFIX = 64 };

void bm_memory_open(struct bm_memory *memory, const struct blastmerge_allocator *allocator) {
    memset(memory, 0, sizeof *memory);
    bool is_whole = allocator != NULL && allocator->allocate != NULL && allocator->release != NULL;
    if (is_whole) memory->allocator = *allocator;
}

void *bm_allocate(struct bm_memory *memory, size_t n_bytes) {
    if (n_bytes > SIZE_MAX - PREFIX) return NULL;
    const struct blastmerge_allocator *allocator = &memory->allocator;
    size_t n_all = n_bytes + PREFIX;
    uint8_t *start = NULL;
    if (allocator->allocate == NULL) {
        start = calloc(1, n_all); /* fresh pages need no clearing, and are not touched before they are used */
    } else {
        start = allocator->allocate(allocator->context, n_all);
        if (start != NULL) memset(start, 0, n_all);
    }
    if (start == NULL) return NULL;
    memcpy(start, &n_all, sizeof n_all);
    memory->n_bytes += n_all;
    if (memory->n_bytes > memory->n_peak) memory->n_peak = memory->n_bytes;
    return start + PREFIX;
}

/* The caller's allocator cannot make a piece larger. */
static void *move(struct bm_memory *memory, void *pointer, size_t n_before, size_t n_bytes) {
    void *grown = bm_allocate(memory, n_bytes);
    if (grown == NULL) return NULL;
    memcpy(grown, pointer, n_before);
    bm_release(memory, pointer);
    return grown;
}

void *bm_reallocate(struct bm_memory *memory, void *pointer, size_t n_bytes) {
    if (pointer == NULL) return bm_allocate(memory, n_bytes);
    uint8_t *start = (uint8_t *)pointer - PREFIX;
    size_t n_before = 0;
    memcpy(&n_before, start, sizeof n_before);
    if (n_bytes > SIZE_MAX - PREFIX) return NULL;
    size_t n_all = n_bytes + PREFIX;
    if (memory->allocator.allocate != NULL) return move(memory, pointer, n_before - PREFIX, n_bytes);
    uint8_t *grown = realloc(start, n_all);
    if (grown == NULL) return NULL;
    memcpy(grown, &n_all, sizeof n_all);
    memory->n_bytes += n_all - n_before;
    if (memory->n_bytes > memory->n_peak) memory->n_peak = memory->n_bytes;
    return grown + PREFIX;
}

char *bm_copy_string(struct bm_memory *memory, const char *string) {
    size_t n_bytes = strlen(string) + 1;
    char *copy = bm_allocate(memory, n_bytes);
    if (copy != NULL) memcpy(copy, string, n_bytes);
    return copy;
}

void bm_release(struct bm_memory *memory, void *pointer) {
    if (pointer == NULL) return;
    uint8_t *start = (uint8_t *)pointer - PREFIX;
    size_t n_all = 0;
    memcpy(&n_all, start, sizeof n_all);
    memory->n_bytes -= n_all;
    if (memory->allocator.allocate == NULL) {
        free(start);
    } else {
        memory->allocator.release(memory->allocator.context, start);
    }
}

uint32_t bm_crc32(uint32_t crc, const void *data, size_t n_bytes) {
    return libdeflate_crc32(crc, data, n_bytes);
}

/* The product of two polynomials modulo the CRC's. The top bit stands for x^0, the lowest one for x^31. */
static uint32_t multiply(uint32_t a, uint32_t b) {
    const uint32_t polynomial = 0xedb88320;
    uint32_t product = 0;
    for (; a != 0; a <<= 1) {
        product ^= b & (0 - (a >> 31));
        b = b >> 1 ^ (polynomial & (0 - (b & 1)));
    }
    return product;
}

/* x^(8 * 2^i): x^8 and its squares. The 32nd square is x^8 again. */
static const uint32_t powers[32] = {
    0x00800000, 0x00008000, 0xedb88320, 0xb1e6b092, 0xa06a2517, 0xed627dae, 0x88d14467, 0xd7bbfe6a,
    0xec447f11, 0x8e7ea170, 0x6427800e, 0x4d47bae0, 0x09fe548f, 0x83852d0f, 0x30362f1a, 0x7b5a9cc3,
    0x31fec169, 0x9fec022a, 0x6c8dedc4, 0x15d6874d, 0x5fde7a4e, 0xbad90e37, 0x2e4e5eef, 0x4eaba214,
    0xa8a472c0, 0x429a969e, 0x148d302a, 0xc40ba6d0, 0xc4e22c3c, 0x40000000, 0x20000000, 0x08000000,
};

/* What becomes of a CRC when n_bytes zero bytes are shifted through: it is multiplied by x^(8 n). */
static uint32_t shift(uint32_t crc, uint64_t n_bytes) {
    if (crc == 0) return 0;
    for (unsigned i = 0; n_bytes != 0; i++, n_bytes >>= 1)
        if ((n_bytes & 1) != 0) crc = multiply(powers[i % 32], crc);
    return crc;
}

uint32_t bm_crc32_follow(uint32_t crc, uint32_t before, uint32_t after, uint64_t n_bytes) {
    return shift(crc ^ before, n_bytes) ^ after;
}

uint32_t bm_crc32_undo(uint32_t crc, const void *data, size_t n_bytes) {
    const uint64_t order = UINT32_MAX; /* x^(8 * order) is 1, so to shift by the rest of it shifts back */
    return shift(crc ^ bm_crc32(0, data, n_bytes), order - n_bytes % order);
}

double bm_seconds_since(const struct timespec *began) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

size_t bm_measure_bom(const void *text, size_t n_bytes) {
    return n_bytes >= BM_BOM && memcmp(text, "\xef\xbb\xbf", BM_BOM) == 0 ? BM_BOM : 0;
}

size_t bm_print_number(char text[BM_PRINTED_NUMBER], double number) {
    const char *point = localeconv()->decimal_point;
    int n = snprintf(text, BM_PRINTED_NUMBER, "%.6g", number);
    char *found = strstr(text, point);
    if (found == NULL) return (size_t)n;
    const size_t n_point = strlen(point);
    *found = '.';
    memmove(found + 1, found + n_point, strlen(found + n_point) + 1);
    return strlen(text);
}
