/* SPDX-License-Identifier: MIT */
/*
 * index/text.h - a result's text from any place on, by the restart points of its index.
 *
 * What is inflated is not trusted: a restart point may be anything. zlib refuses what is no deflate data, and the text
 * that it returns counts only once its CRC-32 is that of the index.
 */
#ifndef BM_INDEX_TEXT_READER_H
#define BM_INDEX_TEXT_READER_H

#include "index/read.h"

struct bm_index_text_reader;

/* The bytes and the index are borrowed. One that failed to open must be closed, too. */
enum blastmerge_status bm_index_text_open(struct bm_index_text_reader **reader, struct bm_memory *memory,
                                          struct bm_index_bytes *bytes, struct bm_index_read *read,
                                          struct bm_cancel *cancel,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_text_close(struct bm_index_text_reader *reader);

/* Reads n_bytes of text from the offset on. BLASTMERGE_DATA: there are not so many, or they cannot be had. Going on where the
 * last call ended costs least. */
enum blastmerge_status bm_index_text_read(struct bm_index_text_reader *reader, uint64_t offset, void *text,
                                          size_t n_bytes, struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
