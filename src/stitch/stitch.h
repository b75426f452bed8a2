/* SPDX-License-Identifier: MIT */
/*
 * stitch - the result in the making: gzip's header, fragments in the result's order, the epilogue, the trailer.
 *
 * A fragment is a stretch of deflate blocks that begins and ends at a byte border, copies from nothing before
 * it, and has no final block: so fragments are joined by concatenation, wherever they were made. The output's count
 * and CRC-32 of the text go on from fragment to fragment, or are added up.
 */
#ifndef BM_STITCH_H
#define BM_STITCH_H

#include "flow/output.h"

/* Writes gzip's header, at the output's beginning. */
void bm_stitch_begin(struct bm_output *output);

/* Counts the text of a fragment that was written elsewhere. */
void bm_stitch_add(struct bm_output *output, uint32_t crc32, uint64_t n_text);

/* Writes the last text as it is (is_plain), or as the member's final block, and the trailer: n_text is less
 * than 65536, and the output has BM_OUTPUT_ROOM. */
void bm_stitch_end(struct bm_output *output, const char *text, size_t n_text, bool is_plain);

#endif
