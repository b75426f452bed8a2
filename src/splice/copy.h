/* SPDX-License-Identifier: MIT */
/*
 * copy - a gzip child's members -> the output, byte for byte as they are.
 *
 * The third way to write a child, beside splice and pack: what is copied are the compressed bytes of the
 * batch that was inflated and checked, so what was checked is what is copied. Zero bytes after a member,
 * which some gzip readers take for the end of everything, are left out: the trace of a member's last block
 * says where it ends.
 */
#ifndef BM_COPY_H
#define BM_COPY_H

#include "flow/batch.h"
#include "flow/output.h"

struct bm_splice_copy {
    bool has_members;
    /* the current child */
    uint64_t position;   /* its bytes before it were copied or left out */
    uint64_t member_end; /* of the current member, once that is known; else UINT64_MAX */
    bool is_final_block;
};

/* The next batch is the first of another child. */
void bm_splice_copy_reset(struct bm_splice_copy *copy);

/* Copies a whole batch, which has a trace; the output must have BM_OUTPUT_ROOM. Updates the output's CRC-32
 * and length of the text. */
void bm_splice_copy_step(struct bm_splice_copy *copy, const struct bm_batch *batch, struct bm_output *output);

/* Adds a gzip member that holds a few bytes of text, behind a child's last batch. */
void bm_splice_copy_add(struct bm_output *output, const char *text, size_t n_text);

#endif
