/* SPDX-License-Identifier: MIT */
/*
 * base - what every room uses: status and error record, counted memory, byte order.
 */
#ifndef BM_BASE_H
#define BM_BASE_H

#include "blastmerge.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define BM_CHECK_RESULT            __attribute__((warn_unused_result))
#define BM_FORMAT(position, first) __attribute__((format(printf, position, first)))

#if defined(__GNUC__) || defined(__clang__)
#define bm_likely(condition)   __builtin_expect(!!(condition), 1)
#define bm_unlikely(condition) __builtin_expect(!!(condition), 0)
#else
#define bm_likely(condition)   (condition)
#define bm_unlikely(condition) (condition)
#endif

/* A check that guards memory, or whose failure would make a wrong result. It is in release builds, too, and
 * ends the process. assert() is for checks that only tests need. */
#define bm_require(condition) (bm_likely(condition) ? (void)0 : bm_broken(__func__, #condition))
_Noreturn void bm_broken(const char *function, const char *condition);

/* --- errors -------------------------------------------------------------------------------------- */

/* Fills the record (child, text_offset and n_iterations: none) and returns status, so that a failing
 * function ends with `return bm_fail(error, ...)`. Never allocates. A message that is too long is cut. */
enum blastmerge_status bm_fail(struct blastmerge_error *error, enum blastmerge_status status,
                               const char *format, ...) BM_FORMAT(3, 4);

/* Like bm_fail(), at a place in the child's text. */
enum blastmerge_status bm_fail_at(struct blastmerge_error *error, enum blastmerge_status status,
                                  uint64_t text_offset, const char *format, ...) BM_FORMAT(4, 5);

/* Like bm_fail(), for a failed system call: the status is chosen from system_error (an errno value), whose
 * text is added to the message after a colon. */
enum blastmerge_status bm_fail_system(struct blastmerge_error *error, int system_error, const char *format,
                                      ...) BM_FORMAT(3, 4);

/* Replaces the message, and perhaps the status, of the failure in the record; the rest stays. The current
 * message may be among the arguments. */
enum blastmerge_status bm_fail_anew(struct blastmerge_error *error, enum blastmerge_status status,
                                    const char *format, ...) BM_FORMAT(3, 4);

/* Adds a server's answer to the record. */
void bm_fail_by_server(struct blastmerge_error *error, int http_status, const char *provider_code);

/* The status for an errno value: ENOENT is BLASTMERGE_NOT_FOUND and so on. */
enum blastmerge_status bm_status_of_errno(int system_error);

/* --- what is shown ------------------------------------------------------------------------------- */

/* Writes text as messages show it: a '?' for each control character of ASCII, an escape for other characters
 * that act instead of being visible (\u009b, \u202e) and for bytes that are not UTF-8 (\x9b). The rest stays
 * unchanged, so showing text twice changes nothing. Text that is too long ends in "...". size is at least 4. */
void bm_show(char *shown, size_t size, const char *text);

/* How many bytes of a text fit into n_most without a character that is cut: for "%.*s". */
int bm_show_length(const char *text, size_t n_most);

/* Like bm_show(), for the name of a file or the like: in quotes if it is empty, or begins or ends with a
 * blank, which would not be visible. size is at least 8. */
void bm_show_name(char *shown, size_t size, const char *name);

/* Whether bm_show_name() would put the name in quotes. */
bool bm_needs_quotes(const char *name) BM_CHECK_RESULT;

/* Whether bm_show() would leave the text, which is UTF-8 without ASCII's control characters, unchanged. */
bool bm_is_shown_as_it_is(const char *text) BM_CHECK_RESULT;

/* Shows a formatted text of a message's length. */
void bm_show_list(char *shown, size_t size, const char *format, va_list arguments) BM_FORMAT(3, 0);

/* --- structs that callers fill ------------------------------------------------------------------- */

/*
 * Copies a struct that begins with its own size (a size_t) from the caller, over the library's defaults for
 * it, as copy_struct_from_user() of Linux does. A shorter struct, of an older header, leaves the rest at the
 * defaults. In a longer one, of a later header, all fields beyond this library's must be zero. False: they
 * are not, or no header has had this size: it is below n_first, the size of the first version, or above
 * BM_STRUCT_MOST.
 */
enum { BM_STRUCT_MOST = 4096 };
bool bm_copy_struct(void *known, size_t n_known, size_t n_first, const void *given) BM_CHECK_RESULT;

/* Zeroes a caller's struct and sets its size. A struct too short to hold its size stays unchanged. One that
 * is longer than any header's gets only the size, so the copy is refused. */
void bm_init_struct(void *given, size_t n_given);

/* Writes a text that differs from another one, so that the difference is visible: from near the difference,
 * in quotes if blanks matter, with escapes for characters that are invisible or look like others. size: at
 * least 96. If other is NULL, the text is only cut, with "...", if it is too long. */
void bm_show_difference(char *shown, size_t size, const char *text, const char *other);

/* --- memory -------------------------------------------------------------------------------------- */

/* All memory of a job is allocated here, on the job's own thread, so its peak is known. */
struct bm_memory {
    struct blastmerge_allocator allocator;
    size_t n_bytes; /* held now */
    size_t n_peak;  /* held at most */
};

void bm_memory_open(struct bm_memory *memory, const struct blastmerge_allocator *allocator);

/* n_bytes zeroed bytes, aligned for anything, or NULL. */
void *bm_allocate(struct bm_memory *memory, size_t n_bytes) BM_CHECK_RESULT;

/* Enlarges a piece of memory, perhaps moving it; added bytes are not zeroed. NULL: nothing has changed.
 * Without an allocator of the caller's, a large piece is moved without a second copy, if the system supports
 * that. `pointer` may be NULL. */
void *bm_reallocate(struct bm_memory *memory, void *pointer, size_t n_bytes) BM_CHECK_RESULT;

/* A copy of a string, or NULL. */
char *bm_copy_string(struct bm_memory *memory, const char *string) BM_CHECK_RESULT;

/* `pointer` may be NULL. */
void bm_release(struct bm_memory *memory, void *pointer);

/* --- sums of numbers that come from outside ------------------------------------------------------- */

/* Adds to the sum. False if the result is beyond 64 bits; the sum then stays. */
static inline bool BM_CHECK_RESULT bm_add(uint64_t *sum, uint64_t value) {
    uint64_t total = 0;
    if (__builtin_add_overflow(*sum, value, &total)) return false;
    *sum = total;
    return true;
}

/* --- text ---------------------------------------------------------------------------------------- */

/* The bytes of UTF-8's byte order mark at the beginning of a text: BM_BOM, or 0. */
enum { BM_BOM = 3 };
size_t bm_measure_bom(const void *text, size_t n_bytes);

/* Writes the number as "%.6g" does in C's own locale, whatever the caller's is. Returns the number of bytes. */
enum { BM_PRINTED_NUMBER = 32 };
size_t bm_print_number(char text[BM_PRINTED_NUMBER], double number);

/* --- time ---------------------------------------------------------------------------------------- */

/* Seconds since a time of CLOCK_MONOTONIC. */
double bm_seconds_since(const struct timespec *began);

/* --- stretches of bytes -------------------------------------------------------------------------- */

/* [from, to) */
struct bm_span {
    uint64_t from;
    uint64_t to; /* UINT64_MAX: up to the end */
};

/* --- CRC-32 of RFC 1952, section 8 --------------------------------------------------------------- */

uint32_t bm_crc32(uint32_t crc, const void *data, size_t n_bytes);

/* The CRC-32 of a text of CRC-32 `crc` and n_bytes behind it, which turn the CRC-32 `before` into `after`. */
uint32_t bm_crc32_follow(uint32_t crc, uint32_t before, uint32_t after, uint64_t n_bytes);

/* The CRC-32 of a text without its last n_bytes bytes, which are at `data`; crc: of all of it. */
uint32_t bm_crc32_undo(uint32_t crc, const void *data, size_t n_bytes);

/* --- bytes in any alignment, little end first ---------------------------------------------------- */

static inline uint64_t bm_load64(const uint8_t *p) {
    uint64_t value;
    __builtin_memcpy(&value, p, sizeof value);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static inline void bm_store64(uint8_t *p, uint64_t value) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    __builtin_memcpy(p, &value, sizeof value);
}

static inline uint32_t bm_load32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void bm_store32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

#endif
