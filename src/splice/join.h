/* SPDX-License-Identifier: MIT */
/*
 * splice/join.h - a text that was compressed at once, as blocks between those of the texts before and after it.
 *
 * libdeflate compresses a text as a whole: its last block is final, and nothing can be given that its matches may copy
 * from. So pack gives it the text together with the 32 KiB before it, and what is written of these is removed here:
 * tokens are decoded up to the border and left out, the others keep their bits.
 */
#ifndef BM_SPLICE_JOIN_H
#define BM_SPLICE_JOIN_H

#include "splice/walk.h"

enum {
    BM_SPLICE_JOIN_SLACK =
        32, /* bytes after the deflate stream that are read, and after the blocks that are written */
    BM_SPLICE_JOIN_MORE = 4096 /* bytes that the blocks may be longer than the stream */
};

/* Works in these tables, which need no content. */
struct bm_splice_join {
    struct bm_block_header header;
    struct bm_deflate_codes codes;
};

/*
 * Writes the blocks of a deflate stream (n_data bytes, which libdeflate has made) to `out`, without the first n_left_out
 * bytes of its text. n_left_out is at most n_text, the length of the text. No block is final, and an empty stored block
 * follows, so they begin and end at a byte border. Returns the number of bytes written. The stream is trusted:
 * what does not fit is our own bug or libdeflate's.
 */
size_t bm_splice_join(struct bm_splice_join *join, const uint8_t *data, size_t n_data, const uint8_t *text,
                      size_t n_text, size_t n_left_out, uint8_t *out);

/* Likewise for a text that is not compressed. */
size_t bm_splice_join_stored(const uint8_t *text, size_t n_text, uint8_t *out);

#endif
