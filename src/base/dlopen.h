/* SPDX-License-Identifier: MIT */
/*
 * base/dlopen.h - libraries that are loaded when they are needed first.
 */
#ifndef BM_DLOPEN_H
#define BM_DLOPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A function of a library, and where its address goes. */
struct bm_dlopen_symbol {
    const char *name;
    void *pointer; /* to a pointer to a function */
};

/* Loads the first library of a list of names, which a NULL ends, and looks the symbols up, whose list a NULL ends, too.
 * False: *reason says why not. */
bool bm_dlopen(const char *const *names, const struct bm_dlopen_symbol *symbols, char *reason, size_t size);

/* Tells packagers' tools what is loaded at run time: an ELF note, as systemd's ELF_DLOPEN_METADATA specification has
 * it. Only where there is ELF: not on macOS. json: a list, as a string literal. Once in a file. */
#define BM_DLOPEN_NOTE(json)                                                                                 \
    static const struct {                                                                                    \
        uint32_t n_owner;                                                                                    \
        uint32_t n_text;                                                                                     \
        uint32_t type;                                                                                       \
        char owner[4];                                                                                       \
        _Alignas(4) char text[sizeof json];                                                                  \
    } dlopen_note __attribute__((used, section(".note.dlopen"), aligned(4))) = {sizeof "FDO", sizeof json,   \
                                                                                0x407c0c0a, "FDO", json}

#endif
