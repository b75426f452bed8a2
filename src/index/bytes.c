/* SPDX-License-Identifier: MIT */
#include "index/bytes.h"
#include "base/descriptor.h"
#include "fetch/ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum blastmerge_status refuse_stream(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_USAGE,
                   "is no regular file, and only such a file can be indexed and read at any place: write it "
                   "to a file first");
}

/* --- remote ones --------------------------------------------------------------------------------- */

#ifdef BLASTMERGE_CLOUD

static enum blastmerge_status fill_block(struct bm_index_bytes *bytes, struct bm_index_block *block,
                                         uint64_t offset, size_t n_bytes, struct blastmerge_error *error) {
    uint64_t total = 0;
    block->n_bytes = 0;
    if (block->data == NULL) block->data = bm_allocate(bytes->allocator, bytes->block_size);
    if (block->data == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    enum blastmerge_status status =
        bm_fetch_ranges_read(bytes->remote, offset, block->data, n_bytes, &block->n_bytes, &total, error);
    block->offset = offset;
    if (status != BLASTMERGE_OK) return status;
    if (bytes->n_bytes == UINT64_MAX) bytes->n_bytes = total;
    if (total == bytes->n_bytes) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED, "changed while it was read: its length differs");
}

/* The block that holds the byte, or else the one that was not used for the longest time. */
static struct bm_index_block *find_block(struct bm_index_bytes *bytes, uint64_t offset) {
    struct bm_index_block *oldest = &bytes->blocks[0];
    for (size_t i = 0; i < bytes->n_blocks; i++) {
        struct bm_index_block *block = &bytes->blocks[i];
        if (offset >= block->offset && offset - block->offset < block->n_bytes) return block;
        if (block->used < oldest->used) oldest = block;
    }
    return oldest;
}

/* How many bytes to request for the offset: of a result, up to where what is needed probably ends. */
static size_t plan_block(const struct bm_index_bytes *bytes, uint64_t offset, size_t n_bytes) {
    uint64_t n = bytes->block_size;
    if (bytes->n_blocks > 1) return (size_t)n;
    if (bytes->limit > offset && bytes->limit - offset < n) n = bytes->limit - offset;
    if (n < n_bytes) n = n_bytes < bytes->block_size ? n_bytes : bytes->block_size;
    return (size_t)n;
}

static enum blastmerge_status read_remote(struct bm_index_bytes *bytes, uint64_t offset, void *data,
                                          size_t n_bytes, size_t *n_read, struct blastmerge_error *error) {
    while (*n_read < n_bytes) {
        uint64_t at = offset + *n_read;
        struct bm_index_block *block = find_block(bytes, at);
        bool is_there = at >= block->offset && at - block->offset < block->n_bytes;
        uint64_t begin = bytes->n_blocks > 1 ? at - at % bytes->block_size : at;
        if (!is_there) {
            enum blastmerge_status status =
                fill_block(bytes, block, begin, plan_block(bytes, begin, n_bytes - *n_read), error);
            if (status != BLASTMERGE_OK) return status;
            if (at - begin >= block->n_bytes) return BLASTMERGE_OK; /* the end */
        }
        size_t n = block->n_bytes - (size_t)(at - block->offset);
        if (n > n_bytes - *n_read) n = n_bytes - *n_read;
        memcpy((uint8_t *)data + *n_read, block->data + (at - block->offset), n);
        *n_read += n;
        block->used = ++bytes->n_uses;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_remote(struct bm_index_bytes *bytes, const struct bm_fetch_source *source,
                                          bool is_index, struct blastmerge_error *error) {
    bytes->n_blocks = is_index ? BM_INDEX_BLOCKS : 1;
    bytes->block_size = is_index ? BM_INDEX_BLOCK : BM_INDEX_AHEAD;
    bytes->n_bytes = source->n_bytes;
    enum blastmerge_status status =
        bm_fetch_ranges_open(&bytes->remote, source->cloud, source->location, error);
    if (status == BLASTMERGE_OK && bytes->n_bytes == UINT64_MAX)
        status = fill_block(bytes, &bytes->blocks[0], 0, is_index ? BM_INDEX_BLOCK : BM_INDEX_TAIL, error);
    return status;
}

static void close_remote(struct bm_index_bytes *bytes) {
    bm_fetch_ranges_close(bytes->remote);
    for (size_t i = 0; i < bytes->n_blocks; i++) bm_release(bytes->allocator, bytes->blocks[i].data);
}

#else

static enum blastmerge_status read_remote(struct bm_index_bytes *bytes, uint64_t offset, void *data,
                                          size_t n_bytes, size_t *n_read, struct blastmerge_error *error) {
    (void)bytes;
    (void)offset;
    (void)data;
    (void)n_bytes;
    (void)n_read;
    return refuse_stream(error);
}

static enum blastmerge_status open_remote(struct bm_index_bytes *bytes, const struct bm_fetch_source *source,
                                          bool is_index, struct blastmerge_error *error) {
    (void)bytes;
    (void)source;
    (void)is_index;
    return refuse_stream(error);
}

static void close_remote(struct bm_index_bytes *bytes) {
    (void)bytes;
}

#endif

/* --- opening ------------------------------------------------------------------------------------- */

static enum blastmerge_status open_file(struct bm_index_bytes *bytes, const char *path,
                                        struct blastmerge_error *error) {
    struct stat information;
    if (strcmp(path, "-") == 0) return refuse_stream(error);
    int file = bm_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) return bm_fail_system(error, errno, "cannot open");
    if (fstat(file, &information) != 0 || !S_ISREG(information.st_mode)) {
        close(file);
        return refuse_stream(error);
    }
    bytes->file = file;
    bytes->n_bytes = (uint64_t)information.st_size;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_index_bytes_open(struct bm_index_bytes *bytes, const struct bm_fetch_source *source,
                                           bool is_index, struct bm_memory *memory,
                                           struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    *bytes =
        (struct bm_index_bytes){.is_open = true, .file = -1, .shown = source->shown, .allocator = memory};
    if (bm_fetch_source_is_remote(source)) {
        status = open_remote(bytes, source, is_index, error);
    } else if (bm_fetch_source_has_location(source)) {
        status = open_file(bytes, source->location, error);
    } else if (source->n_bytes == UINT64_MAX) {
        status = refuse_stream(error); /* the caller's reader */
    } else {
        bytes->memory = source->from.memory;
        bytes->n_bytes = source->n_bytes;
    }
    if (status != BLASTMERGE_OK) bm_index_bytes_close(bytes);
    return status;
}

enum blastmerge_status bm_index_bytes_of_file(struct bm_index_bytes *bytes, int file, const char *shown,
                                              struct blastmerge_error *error) {
    struct stat information;
    if (fstat(file, &information) != 0) return bm_fail_system(error, errno, "cannot read");
    *bytes = (struct bm_index_bytes){
        .is_open = true, .file = file, .shown = shown, .n_bytes = (uint64_t)information.st_size};
    return BLASTMERGE_OK;
}

void bm_index_bytes_close(struct bm_index_bytes *bytes) {
    if (!bytes->is_open) return;
    if (bytes->file >= 0) close(bytes->file);
    if (bytes->n_blocks > 0) close_remote(bytes);
    *bytes = (struct bm_index_bytes){.file = -1};
}

/* --- reading ------------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_bytes_read(struct bm_index_bytes *bytes, uint64_t offset, void *data,
                                           size_t n_bytes, size_t *n_read, struct blastmerge_error *error) {
    *n_read = 0;
    if (offset >= bytes->n_bytes) return BLASTMERGE_OK;
    if (n_bytes > bytes->n_bytes - offset) n_bytes = (size_t)(bytes->n_bytes - offset);
    if (bytes->n_blocks > 0) return read_remote(bytes, offset, data, n_bytes, n_read, error);
    if (bytes->file < 0) {
        memcpy(data, bytes->memory + offset, n_bytes);
        *n_read = n_bytes;
        return BLASTMERGE_OK;
    }
    ssize_t n = bm_read_at(bytes->file, data, n_bytes, offset);
    if (n < 0) return bm_fail_system(error, errno, "cannot read");
    *n_read = (size_t)n;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_index_bytes_tail(struct bm_index_bytes *bytes, uint8_t tail[BM_INDEX_TAIL],
                                           size_t *n_tail, struct blastmerge_error *error) {
    size_t n = bytes->n_bytes < BM_INDEX_TAIL ? (size_t)bytes->n_bytes : BM_INDEX_TAIL;
    bytes->limit = bytes->n_bytes;
    enum blastmerge_status status = bm_index_bytes_read(bytes, bytes->n_bytes - n, tail, n, n_tail, error);
    bytes->limit = 0;
    if (status != BLASTMERGE_OK || *n_tail == n) return status;
    return bm_fail(error, BLASTMERGE_CHANGED, "changed while it was read");
}
