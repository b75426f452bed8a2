/* SPDX-License-Identifier: MIT */
/*
 * stitch - the result's frame: gzip's header, fragments in the result's order, the epilogue, the trailer.
 *
 * A fragment is a stretch of deflate blocks that begins and ends at a byte border, copies from nothing before it,
 * and has no final block. So fragments are joined by concatenation, wherever they were made. The output's count and
 * CRC-32 of the text continue from fragment to fragment, or are added up.
 */
#ifndef BM_STITCH_H
#define BM_STITCH_H

#include "flow/output.h"

/* Writes the beginning of a result of this form: gzip's header, or nothing. */
void bm_stitch_begin(struct bm_output *output, enum blastmerge_form form);

/* Counts the text of a fragment that was written elsewhere. */
void bm_stitch_add(struct bm_output *output, uint32_t crc32, uint64_t n_text);

/* Writes the end of a result of this form. gzip: the last text as the member's final block, and the trailer.
 * Plain text: that text. BGZF, of which all text is packed: the member that ends it. n_text is less than
 * 65536, and the output has BM_OUTPUT_ROOM. */
void bm_stitch_end(struct bm_output *output, enum blastmerge_form form, const char *text, size_t n_text);

#endif
