/* SPDX-License-Identifier: MIT */
/*
 * decompress/internal.h - what the files of this room share.
 *
 *   decompress.c  the door: kinds, steps, messages
 *   zstd.c, xz.c, bzip2.c, lz4.c   one for each
 *   library.h     what these have in common: a library that is loaded or linked
 */
#ifndef BM_DECOMPRESS_INTERNAL_H
#define BM_DECOMPRESS_INTERNAL_H

#include "decompress/decompress.h"

enum bm_decompress_outcome {
    BM_DECOMPRESS_GO_ON,     /* it has taken what it can */
    BM_DECOMPRESS_FRAME_END, /* likewise, and is at a frame's end */
    BM_DECOMPRESS_ALL_END,   /* xz: at the end of all data, of which it was told */
    BM_DECOMPRESS_NEEDS,     /* xz: it needs more memory than it may take, see need_now */
    BM_DECOMPRESS_INVALID    /* the record has the error */
};

/* The most bytes at a frame's beginning by which it is known how much memory it takes: zstd's (RFC 8878, 3.1.1.1). */
enum { BM_DECOMPRESS_HEAD = 18 };

/* More bytes of the frame are needed. */
#define BM_DECOMPRESS_UNKNOWN UINT64_MAX

/* One library, for data of one kind. */
struct bm_decompress_way {
    enum bm_decompress_kind kind;
    const char *command; /* that decompresses it */
    bool tells_end;      /* the library itself finds the end of all data */
    bool (*load)(char *reason, size_t size);
    void *(*open)(void);        /* a decoder; NULL: out of memory */
    void (*close)(void *coder); /* coder is not NULL */
    /* The most bytes that the decoder of a frame that begins so allocates, or BM_DECOMPRESS_UNKNOWN; 0: it is no frame, or
     * takes nothing. NULL: the library says it while it decodes, */
    uint64_t (*need)(const uint8_t *head, size_t n_bytes);
    /* ... by BM_DECOMPRESS_NEEDS and this, */
    uint64_t (*need_now)(void *coder);
    /* ... and goes on when it may take so much. */
    void (*allow)(void *coder, uint64_t n_bytes);
    enum bm_decompress_outcome (*step)(void *coder, struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error);
};

/* NULL: not built. */
extern const struct bm_decompress_way *const bm_decompress_zstd,
    *const bm_decompress_xz, *const bm_decompress_bzip2, *const bm_decompress_lz4;

/* Fails with "damaged NAME data: REASON". */
enum bm_decompress_outcome bm_decompress_damaged(const struct bm_decompress_way *way, const char *reason,
                                                 struct blastmerge_error *error);

#endif
