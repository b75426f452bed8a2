/* SPDX-License-Identifier: MIT */
/*
 * base/dlopen_note.h - tells packagers' tools what is loaded at run time: an ELF note, as systemd's ELF_DLOPEN_METADATA
 * specification has it. Only for files that are compiled where there is ELF: not on macOS.
 */
#ifndef BM_DLOPEN_NOTE_H
#define BM_DLOPEN_NOTE_H

#include <stdint.h>

/* text: a list of JSON, a string literal. Once in a file. */
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
