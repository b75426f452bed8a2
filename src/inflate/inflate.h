/* SPDX-License-Identifier: MIT */
/*
 * inflate - compressed bytes -> text, checked, with a trace of which bit begins which text.
 *
 * Takes a child's bytes in any split and fills batches. A child that begins with 1f 8b is read as gzip
 * (RFC 1952; the first byte alone is gzip that is cut short): any number of members, with every header field,
 * and zero bytes between members and after the last. FHCRC, if present, and each member's CRC-32 and length
 * are checked. A child that begins as zstd, xz, bzip2 or lz4 does is read by the library for that
 * (decompress/decompress.h). Any other child is plain text and copied. A gzip stream is accepted exactly when zlib accepts
 * it, except that zero padding and several members are accepted as described, and other bytes after a member
 * are an error.
 *
 * Memory: one struct, of a fixed size, and a library's decoder, which is taken of a budget. Time: linear. A step is
 * resumable at every byte of input.
 * Threads: a decoder belongs to one thread at a time.
 */
#ifndef BM_INFLATE_H
#define BM_INFLATE_H

#include "base/budget.h"
#include "base/step.h"
#include "flow/batch.h"

struct bm_inflate;

enum blastmerge_status bm_inflate_open(struct bm_inflate **inflate, struct bm_memory *memory) BM_CHECK_RESULT;
void bm_inflate_close(struct bm_inflate *inflate, struct bm_memory *memory);

/* What libraries' decoders allocate is taken of this budget, which is borrowed. Without it, nothing is counted. */
void bm_inflate_set_budget(struct bm_inflate *inflate, struct bm_budget *budget);

/* Forgets everything: the next step begins another child. */
void bm_inflate_reset(struct bm_inflate *inflate);

/* The child has ended, at any point: gives back what a library's decoder has taken. No step comes before the next reset. */
void bm_inflate_release(struct bm_inflate *inflate);

/*
 * Decodes input into the batch, which was begun by bm_batch_begin() and is given again until it is
 * complete. *n_used is the number of the n_input bytes that were taken; give the others again.
 * is_last: no bytes follow this input (n_input may be 0). An input of no bytes at all ends as an empty text.
 *   BM_STEP_MORE    all input was taken, and the batch is not full yet
 *   BM_STEP_FULL    the batch is complete: pass it on, and begin the next
 *   BM_STEP_DONE    the batch is complete and the last one (it may be empty)
 *   BM_STEP_FAILED  see the error, with text_offset: BLASTMERGE_DATA; or that of a library (decompress.h); the batch
 *                   holds the text before it, as far as it is right. bm_inflate_lacks_memory()
 */
enum bm_step bm_inflate_step(struct bm_inflate *inflate, struct bm_batch *batch, const uint8_t *input,
                             size_t n_input, size_t *n_used, bool is_last,
                             struct blastmerge_error *error) BM_CHECK_RESULT;

/* After BM_STEP_FAILED: whether only the budget has refused. The same step, from n_used on, can be tried again when others
 * have given back what they have taken. */
bool bm_inflate_lacks_memory(const struct bm_inflate *inflate);

/* Where a decoder has failed. Offsets count from the child's beginning. */
struct bm_inflate_fault {
    uint64_t member_byte; /* compressed bytes before the member, or the bytes in its place */
    uint64_t member_text; /* text before it, of members whose CRC-32 and length are right */
    bool is_cut;          /* the input ended too early, and no other fault is known */
    bool is_checksum;     /* a member's text has another CRC-32 or length than its trailer says */
};
struct bm_inflate_fault bm_inflate_fault(const struct bm_inflate *inflate);

/* Whether the child's first member is a block of BGZF by its extra field; known as soon as there is text. */
bool bm_inflate_begins_with_block(const struct bm_inflate *inflate);

/* After BM_STEP_DONE: whether the child is BGZF (each of its members is a block by its extra field) but lacks
 * the empty block that ends such a file. It may have been cut between two blocks. */
bool bm_inflate_lacks_bgzf_end(const struct bm_inflate *inflate);

/* Whether the child is gzip; known as soon as a batch is complete. */
bool bm_inflate_is_gzip(const struct bm_inflate *inflate);

/* After BM_STEP_DONE: the name of the child's compression, if its data says that it has no checksum; else NULL. */
const char *bm_inflate_lacks_checksum(const struct bm_inflate *inflate);

#endif
