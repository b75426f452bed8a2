/* SPDX-License-Identifier: MIT */
/*
 * splice/copy.h - a gzip child's members -> the output, byte for byte.
 *
 * The compressed bytes of the batch that was inflated and checked are copied, so the copied bytes are the checked ones.
 * Zero bytes after a member, which some gzip readers take for the end of everything, are left out: the trace of a
 * member's last block gives its end.
 */
#ifndef BM_SPLICE_COPY_H
#define BM_SPLICE_COPY_H

#include "flow/batch.h"
#include "flow/output.h"
#include "flow/script.h"

struct bm_splice_copy {
    uint64_t position;   /* the child's bytes before it were copied or left out */
    uint64_t member_end; /* of the current member, once that is known; else UINT64_MAX */
    bool is_final_block;
    bool has_insertion; /* after the text that was taken: no text may follow */
};

/* To be called before the first batch of another child. */
void bm_splice_copy_reset(struct bm_splice_copy *copy);

/* Takes all of the script. is_last: copies the whole batch, which has a trace, and sets *has_members. The
 * output must have BM_OUTPUT_ROOM; updates its CRC-32 and length of the text. False: the script changes the
 * child's text. It may only insert text after all of it, which makes a separate member: the end of a table's
 * last line. */
bool bm_splice_copy_step(struct bm_splice_copy *copy, const struct bm_batch *batch, bool is_last,
                         struct bm_script *script, struct bm_output *output,
                         bool *has_members) BM_CHECK_RESULT;

#endif
