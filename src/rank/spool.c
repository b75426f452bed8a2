/* SPDX-License-Identifier: MIT */
#include "rank/spool.h"
#include "base/descriptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void bm_rank_spool_open(struct bm_rank_spool *spool, struct bm_memory *memory, size_t n_bytes,
                        const char *beside) {
    *spool = (struct bm_rank_spool){.budget = {memory, n_bytes}, .file = -1, .beside = beside};
}

void bm_rank_spool_close(struct bm_rank_spool *spool) {
    if (spool->budget.memory == NULL) return;
    if (spool->file >= 0) (void)close(spool->file);
    bm_release(spool->budget.memory, spool->next);
    *spool = (struct bm_rank_spool){.file = -1};
}

/* --- blocks -------------------------------------------------------------------------------------- */

static uint64_t place_of(uint32_t block) {
    return (uint64_t)(block - 1) * BM_RANK_BLOCK;
}

static bool grow(struct bm_rank_spool *spool) {
    if (spool->n_blocks < spool->n_allocated) return true;
    size_t n_wanted = 2 * spool->n_allocated + 256;
    if (n_wanted > UINT32_MAX) return false;
    uint32_t *next = bm_reallocate(spool->budget.memory, spool->next, n_wanted * sizeof *next);
    if (next == NULL) return false;
    spool->next = next;
    spool->n_allocated = n_wanted;
    return true;
}

/* Returns a block that no text has; 0: the file or memory failed. */
static uint32_t take_block(struct bm_rank_spool *spool) {
    spool->failure = 0;
    if (spool->file < 0) {
        spool->file = bm_open_temporary(spool->beside);
        if (spool->file < 0) {
            spool->failure = errno;
            return 0;
        }
    }
    uint32_t block = spool->free;
    if (block != 0) {
        spool->free = spool->next[block - 1];
    } else {
        if (!grow(spool)) return 0;
        block = (uint32_t)++spool->n_blocks;
    }
    spool->next[block - 1] = 0;
    return block;
}

static bool write_at(struct bm_rank_spool *spool, uint64_t place, const uint8_t *data, size_t n_bytes) {
    bool is_written = bm_write_at(spool->file, data, n_bytes, place);
    if (!is_written) spool->failure = errno;
    return is_written;
}

static bool read_at(struct bm_rank_spool *spool, uint64_t place, uint8_t *data, size_t n_bytes) {
    ssize_t n_read = bm_read_at(spool->file, data, n_bytes, place);
    if (n_read == (ssize_t)n_bytes) return true;
    spool->failure = n_read < 0 ? errno : EIO; /* what was written is there */
    return false;
}

/* --- texts --------------------------------------------------------------------------------------- */

static bool append_to_file(struct bm_rank_long *text, struct bm_rank_spool *spool, const uint8_t *data,
                           size_t n_bytes) {
    while (n_bytes > 0) {
        size_t n_used = (size_t)((text->n_bytes - text->held.n_bytes) % BM_RANK_BLOCK);
        if (n_used == 0) {
            uint32_t block = take_block(spool);
            if (block == 0) return false;
            if (text->last != 0)
                spool->next[text->last - 1] = block;
            else
                text->first = block;
            text->last = block;
        }
        size_t n = BM_RANK_BLOCK - n_used < n_bytes ? BM_RANK_BLOCK - n_used : n_bytes;
        if (!write_at(spool, place_of(text->last) + n_used, data, n)) return false;
        text->n_bytes += n;
        data += n;
        n_bytes -= n;
    }
    return true;
}

bool bm_rank_long_add(struct bm_rank_long *text, struct bm_rank_spool *spool, size_t n_most, const void *data,
                      size_t n_bytes) {
    const uint8_t *bytes = data;
    struct bm_rank_text *held = &text->held;
    if (text->first == 0 && held->n_bytes < n_most) {
        size_t n = n_most - held->n_bytes < n_bytes ? n_most - held->n_bytes : n_bytes;
        if (bm_rank_text_add(held, &spool->budget, bytes, n)) {
            text->n_bytes += n;
            bytes += n;
            n_bytes -= n;
        }
    }
    return append_to_file(text, spool, bytes, n_bytes);
}

/* Makes `read` the block that holds the offset, which counts from the end of what is in memory. */
static void seek(struct bm_rank_long *text, const struct bm_rank_spool *spool, uint64_t offset) {
    if (text->read == 0 || offset < text->n_read_before) {
        text->read = text->first;
        text->n_read_before = 0;
    }
    while (offset - text->n_read_before >= BM_RANK_BLOCK) {
        text->read = spool->next[text->read - 1];
        text->n_read_before += BM_RANK_BLOCK;
    }
}

bool bm_rank_long_read(struct bm_rank_long *text, struct bm_rank_spool *spool, uint64_t from, void *data,
                       size_t n_bytes) {
    uint8_t *bytes = data;
    bm_require(from <= text->n_bytes && n_bytes <= text->n_bytes - from);
    while (n_bytes > 0) {
        size_t n = n_bytes;
        if (from < text->held.n_bytes) {
            if (n > text->held.n_bytes - from) n = (size_t)(text->held.n_bytes - from);
            memcpy(bytes, text->held.data + from, n);
        } else {
            uint64_t offset = from - text->held.n_bytes;
            seek(text, spool, offset);
            size_t at = (size_t)(offset - text->n_read_before);
            if (n > BM_RANK_BLOCK - at) n = BM_RANK_BLOCK - at;
            if (!read_at(spool, place_of(text->read) + at, bytes, n)) return false;
        }
        bytes += n;
        from += n;
        n_bytes -= n;
    }
    return true;
}

void bm_rank_long_clear(struct bm_rank_long *text, struct bm_rank_spool *spool) {
    if (text->last != 0) {
        spool->next[text->last - 1] = spool->free;
        spool->free = text->first;
    }
    struct bm_rank_text held = text->held;
    held.n_bytes = 0;
    *text = (struct bm_rank_long){.held = held};
}

void bm_rank_long_free(struct bm_rank_long *text, struct bm_rank_spool *spool) {
    bm_rank_long_clear(text, spool);
    bm_rank_text_free(&text->held, &spool->budget);
}
