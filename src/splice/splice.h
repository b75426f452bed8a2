/* SPDX-License-Identifier: MIT */
/*
 * splice - deflate blocks + edits -> one deflate stream, without compressing again (docs/splice.md).
 *
 * Takes a gzip child's batches with their traces and the edits of their text, and writes fragments: the bits
 * of the child itself, changed only where an edit touches them. A fragment begins at a byte border,
 * copies from nothing before it, and ends with an empty stored block, so that fragments can be joined
 * by concatenation. None of its blocks is final.
 *
 * The bytes written depend on the child's bytes and the edits alone, not on how often or with how much a
 * step is called. Memory: one struct, of a fixed size. Time: linear.
 */
#ifndef BM_SPLICE_H
#define BM_SPLICE_H

#include "base/step.h"
#include "flow/batch.h"
#include "flow/output.h"
#include "flow/script.h"

struct bm_splice;

enum blastmerge_status bm_splice_open(struct bm_splice **splice, struct bm_memory *memory) BM_CHECK_RESULT;
void bm_splice_close(struct bm_splice *splice, struct bm_memory *memory);

/* The next step begins another child. The one before must have ended its last fragment. */
void bm_splice_reset(struct bm_splice *splice);

/*
 * Writes what `batch` holds up to the text offset `safe`, all edits up to which are in `edits`; takes
 * these (edits->position moves on). Edits at `safe` itself may still come; `safe` may lie before text
 * that was already given, but never falls. is_last_of_batch: the batch will not be given again; what of it
 * lies beyond `safe` (at most BM_MARK_MAX_HOLD bytes) is kept inside as text, to be written with the next.
 * BM_STEP_DONE: everything up to `safe` is written, or kept inside. BM_STEP_FULL: the output has less than
 * BM_OUTPUT_ROOM left.
 * Updates the output's bytes, CRC-32 and length of the text. After the child's last batch the fragment has
 * been ended by its BM_EDIT_END.
 */
enum bm_step bm_splice_step(struct bm_splice *splice, const struct bm_batch *batch, struct bm_script *edits,
                            uint64_t safe, bool is_last_of_batch, struct bm_output *output);

#endif
