/* SPDX-License-Identifier: MIT */
/*
 * pack - text + edits -> deflate, compressed afresh: what splicing does not serve (plain children, a level
 * that was asked for); or BGZF; or the edited text itself.
 *
 * The text of a fragment is cut into blocks of a fixed size, which the workers compress side by side, each
 * with the 32 KiB before it as its dictionary; each ends at a byte border. So the bytes depend on the text
 * and the level alone.
 *
 * BGZF (the SAM specification, section 4.1) is a file of gzip members of at most 64 KiB each. Every member
 * says how long it is, so that a reader can begin at any of them; none needs the text before it. The result's
 * text, and not each fragment's, is cut into members of 65280 bytes, as bgzip does it. A task compresses two
 * of them.
 */
#ifndef BM_PACK_H
#define BM_PACK_H

#include "base/step.h"
#include "base/workers.h"
#include "flow/batch.h"
#include "flow/output.h"
#include "flow/script.h"

struct bm_pack;

/* level: 1 to 9; it does not matter for plain text. */
enum blastmerge_status bm_pack_open(struct bm_pack **pack, enum blastmerge_form form, int level,
                                    struct bm_workers *workers, struct bm_memory *memory) BM_CHECK_RESULT;

/* Waits for its blocks that are being compressed: call it before the workers are closed. NULL is fine. */
void bm_pack_close(struct bm_pack *pack, struct bm_memory *memory);

/* The next step begins another child. The one before must have ended its last fragment. */
void bm_pack_reset(struct bm_pack *pack);

/* As bm_splice_step(): takes the batch's text up to `safe` with its edits. The batch is not needed after the
 * call that returns BM_STEP_DONE for its end. At a fragment's end everything is written,
 * but for BGZF, whose members go on across fragments. BM_STEP_FAILED: zlib failed. */
enum bm_step bm_pack_step(struct bm_pack *pack, const struct bm_batch *batch, struct bm_script *edits,
                          uint64_t safe, struct bm_output *output) BM_CHECK_RESULT;

/* BGZF: after the last fragment, packs the result's last text, and writes everything and the end.
 * BM_STEP_FULL as above. */
enum bm_step bm_pack_end(struct bm_pack *pack, const char *text, size_t n_text,
                         struct bm_output *output) BM_CHECK_RESULT;

#endif
