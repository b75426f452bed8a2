/* SPDX-License-Identifier: MIT */
/*
 * decompress - data of zstd, xz, bzip2 and lz4 -> text, by the libraries that these come from.
 *
 * Each library is optional when blastmerge is built, and loaded with dlopen(3) when data of its kind is met. A
 * build with BLASTMERGE_DECOMPRESS_LINKED links to all of them instead. A decoder takes any number of frames (xz
 * and bzip2: streams), one after another, and zstd's and lz4's skippable ones. Checksums must hold. What follows
 * the last frame and is none is an error (but xz's own padding).
 *
 * Memory: the libraries' own, from malloc(); at most BM_DECOMPRESS_MOST_WINDOW and 1 MiB for a decoder. Data that needs more
 * is refused. At their usual levels zstd takes 2 to 8 MiB, xz 9, bzip2 4, lz4 up to 8. A frame's header says how much,
 * which is taken of a budget before the library allocates it, and given back when the decoder is closed.
 * Time: linear in the data and the text. A step is resumable at every byte.
 * Threads: a decoder belongs to one thread at a time; libraries are loaded once, on any thread.
 */
#ifndef BM_DECOMPRESS_H
#define BM_DECOMPRESS_H

#include "base/base.h"
#include "base/budget.h"
#include "base/step.h"

enum bm_decompress_kind {
    BM_DECOMPRESS_NONE,
    BM_DECOMPRESS_ZSTD,
    BM_DECOMPRESS_XZ,
    BM_DECOMPRESS_BZIP2,
    BM_DECOMPRESS_LZ4
};

enum {
    BM_DECOMPRESS_LOOK = 8,               /* bytes by which a kind is known, and whether it has a checksum */
    BM_DECOMPRESS_MOST_WINDOW = 128 << 20 /* bytes; zstd's own limit, and twice what xz -9 needs */
};

/* The kind of data that begins with these bytes, if blastmerge was built to read it. */
enum bm_decompress_kind bm_decompress_look(const uint8_t *data, size_t n_bytes) BM_CHECK_RESULT;

/* The name of the kind of data that begins so, whether blastmerge was built to read it or not; NULL: none. */
const char *bm_decompress_look_name(const uint8_t *data, size_t n_bytes) BM_CHECK_RESULT;

/* Whether data that begins so says that it has no checksum. */
bool bm_decompress_lacks_checksum(const uint8_t *data, size_t n_bytes) BM_CHECK_RESULT;

/* The name of a kind, for messages. */
const char *bm_decompress_name(enum bm_decompress_kind kind);

/* The kinds that blastmerge was built to read, such as "zstd, xz"; "none". */
const char *bm_decompress_kinds(void);

struct bm_decompress;

/* Loads the library, and allocates a decoder. The budget is borrowed; NULL: nothing is counted. NULL: the record has the
 * error (BLASTMERGE_IO: there is no such library). */
struct bm_decompress *bm_decompress_open(enum bm_decompress_kind kind, struct bm_budget *budget,
                                         struct blastmerge_error *error);

/* decompress may be NULL. */
void bm_decompress_close(struct bm_decompress *decompress);

struct bm_decompress_buffers {
    const uint8_t *in; /* advances */
    size_t n_in;       /* bytes that are left */
    uint8_t *out;      /* advances */
    size_t n_out;      /* bytes that are left */
};

/*
 * Decodes as much as there is input and room for. is_last: no bytes follow this input.
 *   BM_STEP_MORE    all input was taken, and there is room left; or input is left, and a frame has ended before it
 *   BM_STEP_FULL    there is no room left
 *   BM_STEP_DONE    the data is whole; only where is_last
 *   BM_STEP_FAILED  see the error, whose message is a reason without place; bm_decompress_is_cut(),
 *                   bm_decompress_lacks_memory()
 */
enum bm_step bm_decompress_step(struct bm_decompress *decompress, struct bm_decompress_buffers *buffers,
                                bool is_last, struct blastmerge_error *error) BM_CHECK_RESULT;

/* After BM_STEP_FAILED: whether the input ended too early, and no other fault is known. */
bool bm_decompress_is_cut(const struct bm_decompress *decompress);

/* After BM_STEP_FAILED: whether only the budget has refused. The same step can be tried again when others have given back
 * what they have taken. */
bool bm_decompress_lacks_memory(const struct bm_decompress *decompress);

/* Where the last frame that is whole has ended: what comes before that is right. xz counts as one frame. */
struct bm_decompress_frame {
    uint64_t byte; /* of the data */
    uint64_t text; /* bytes of text */
};
struct bm_decompress_frame bm_decompress_frame(const struct bm_decompress *decompress);

#endif
