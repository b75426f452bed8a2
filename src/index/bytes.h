/* SPDX-License-Identifier: MIT */
/*
 * index/bytes.h - bytes that are read from any place: of a result, of its index. They are in a regular file, in memory, or in
 * an object store or on a web server, from which they are read in ranges. Of remote ones, what was read last is kept, so
 * that reading on takes few requests.
 */
#ifndef BM_INDEX_BYTES_H
#define BM_INDEX_BYTES_H

#include "base/cancel.h"
#include "fetch/fetch.h"

struct bm_fetch_ranges;

enum {
    BM_INDEX_BLOCK = 65536,  /* bytes of an index that one request brings */
    BM_INDEX_BLOCKS = 16,    /* of these that are kept */
    BM_INDEX_AHEAD = 1048576 /* bytes of a result that one request brings at most */
};

/* Bytes that are kept of a remote file. */
struct bm_index_block {
    uint64_t offset;
    size_t n_bytes; /* 0: none */
    uint64_t used;  /* when it was used last */
    uint8_t *data;
};

struct bm_index_bytes {
    bool is_open;
    uint64_t n_bytes; /* all of them */
    int file;         /* -1: they are not in a file */
    const uint8_t *memory;
    const char *shown; /* the name in messages; borrowed */

    /* remote */
    struct bm_memory *allocator;
    struct bm_fetch_ranges *remote; /* NULL: they are not */
    uint64_t limit;                 /* what is behind it is probably not needed; 0: not known */
    size_t block_size;
    size_t n_blocks;
    uint64_t n_uses;
    struct bm_index_block blocks[BM_INDEX_BLOCKS];
};

/* Opens a child's bytes, or those of another file, which is_index says. BLASTMERGE_USAGE: they are a pipe or the like, which
 * can be read only from its beginning to its end. Bytes that failed to open need not be closed. */
enum blastmerge_status bm_index_bytes_open(struct bm_index_bytes *bytes, const struct bm_fetch_source *source,
                                           bool is_index, struct bm_memory *memory,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* The bytes of a file that is open, which will be closed with them. */
enum blastmerge_status bm_index_bytes_of_file(struct bm_index_bytes *bytes, int file, const char *shown,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* Has no effect on bytes that are not open. */
void bm_index_bytes_close(struct bm_index_bytes *bytes);

/* Reads n_bytes from the offset on; fewer only at the end. */
enum blastmerge_status bm_index_bytes_read(struct bm_index_bytes *bytes, uint64_t offset, void *data,
                                           size_t n_bytes, size_t *n_read,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* What a file ends with, by which it is known again: a gzip member's CRC-32 and length, and for BGZF, whose last block
 * is always the same, those of the block before. */
enum { BM_INDEX_TAIL = 64 };
enum blastmerge_status bm_index_bytes_tail(struct bm_index_bytes *bytes, uint8_t tail[BM_INDEX_TAIL],
                                           size_t *n_tail, struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
