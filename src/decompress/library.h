/* SPDX-License-Identifier: MIT */
/*
 * decompress/library.h - where a decompressor's library comes from: loaded when it is needed first, or linked.
 *
 * A file includes it once, and defines before that
 *
 *   FUNCTIONS(EACH)  EACH(function) for each function that it calls
 *   NAMES            the library's file names, of which the first that is there is loaded
 *   NOTE             the text of its note for packagers (base/dlopen.h); not on macOS
 *
 * It calls `load` before anything else, and then the functions as members of `library`.
 */
#include "base/dlopen.h"

static struct {
#define POINTER(function) __typeof__(function) *function;
    FUNCTIONS(POINTER)
} library;

#ifdef BLASTMERGE_DECOMPRESS_LINKED

static bool load(char *reason, size_t size) {
    (void)reason;
    (void)size;
#define LINKED(function) library.function = function;
    FUNCTIONS(LINKED)
    return true;
}

#else

#ifdef NOTE
BM_DLOPEN_NOTE(NOTE);
#endif

static bool load(char *reason, size_t size) {
    static const char *const names[] = {NAMES, NULL};
#define SYMBOL(function) {#function, &library.function},
    static const struct bm_dlopen_symbol symbols[] = {FUNCTIONS(SYMBOL){NULL, NULL}};
    return bm_dlopen(names, symbols, reason, size);
}

#endif
