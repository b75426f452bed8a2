/* SPDX-License-Identifier: MIT */
/*
 * child/keep - what is kept of batches that are inflated and marked before their child's turn.
 *
 * A merge changes little of a child's text. So a worker can inflate and mark a child whose turn is far away, and keep
 * only what writing its result needs: the marks, the trace, the text near marks, and of all other text the CRC-32. When
 * the child's turn comes, the batches come again, as they were, but with gaps in their text (flow/batch.h), and with
 * bits that are read from the source once more. So nothing is inflated or marked twice, and the bytes of the result do
 * not depend on what was kept.
 *
 * Memory is of a fixed size. Beyond half of it, marks, text and trace go to a temporary file without a name
 * (base/temporary.h). If neither suffices for a batch, or the file cannot be written, that batch and those after it are
 * not kept.
 *
 * Threads: one thread at a time keeps; any threads take what has been kept.
 */
#ifndef BM_CHILD_KEEP_H
#define BM_CHILD_KEEP_H

#include "base/temporary.h"
#include "child/ahead.h"
#include "fetch/fetch.h"
#include "flow/batch.h"

/* Bytes that are kept. */
struct bm_child_kept_bytes {
    const uint8_t *data; /* NULL: they are in the file ... */
    uint64_t at;         /* ... from here on */
};

/* The result of one step of the scanner, see struct bm_piece. */
struct bm_child_kept_piece {
    struct bm_child_kept_piece *next;
    size_t end;
    uint64_t safe;
    struct bm_mark_counts counts;
    const struct bm_mark_field *field; /* of the last mark, if that is BM_MARK_FIELD; else NULL */
    size_t n_marks;
    struct bm_child_kept_bytes marks;
};

/* A batch without its bits, and without the text in its gaps. */
struct bm_child_kept {
    struct bm_child_kept *next;
    size_t n_text;
    uint32_t crc_before, crc_after;
    uint64_t first_bit, end_bit;
    size_t n_bits_bytes;
    uint32_t bits_crc; /* of these bytes */
    size_t n_trace;
    size_t n_gaps;
    const struct bm_batch_gap *gaps;
    struct bm_child_kept_bytes body; /* the trace, and the text that lies outside of the gaps */
    struct bm_child_kept_piece *pieces;
};

struct bm_child_keep {
    uint8_t *memory;
    size_t n_memory;
    size_t n_used;
    struct bm_temporary file;
    uint64_t n_file;          /* bytes of it */
    struct bm_mark *before;   /* a copy of the scanner, to go back to */
    struct bm_piece *scratch; /* what is being marked */
    uint64_t near_end;        /* text before it is near a mark */
    bool is_dense;            /* most text of the last batch was near a mark ... */
    bool files_dense;         /* ... which the file takes, too; false in the beginning */
    bool needs_rows;          /* tables without comments have no gaps, because each of their rows is read */
    bool has_stored;          /* the last block that began is a stored one */
    struct bm_child_kept *last;
    struct bm_child_kept *first; /* not taken yet */
};

/* n_memory bytes for what is kept, besides some 50 KiB, and a file within the limit; NULL: none. */
enum blastmerge_status bm_child_keep_open(struct bm_child_keep *keep, size_t n_memory,
                                          struct bm_temporary_limit *limit,
                                          struct bm_memory *memory) BM_CHECK_RESULT;
/* `keep` may be zeroed. */
void bm_child_keep_close(struct bm_child_keep *keep, struct bm_memory *memory);

/* Begins a child of so many bytes: nothing is kept. Called on the job's thread, and opens the file if it may be needed. */
void bm_child_keep_begin(struct bm_child_keep *keep, uint64_t n_bytes);

/* Marks a batch and keeps what is needed of it. Batches come in order. False: nothing is kept of this batch, whose text
 * has a fault, or has no trace, or needs more memory than there is. The scanner is then where it was. */
bool bm_child_keep_batch(struct bm_child_keep *keep, struct bm_mark *mark, const struct bm_batch *batch);

/* The marks of a piece. */
enum blastmerge_status bm_child_keep_restore_marks(const struct bm_child_keep *keep,
                                                   const struct bm_child_kept_piece *piece,
                                                   struct bm_mark_list *marks,
                                                   struct blastmerge_error *error) BM_CHECK_RESULT;

/*
 * The batch `kept` once more, in `batch`, which holds the one before it, unless it is the first. has_bits: its bits are
 * needed. BLASTMERGE_CHANGED: the source's bytes are not the ones that were inflated.
 */
enum blastmerge_status bm_child_keep_restore(const struct bm_child_keep *keep,
                                             const struct bm_child_kept *kept, bool is_first, bool has_bits,
                                             const struct bm_fetch *fetch, struct bm_batch *batch,
                                             struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
