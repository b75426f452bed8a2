/* SPDX-License-Identifier: MIT */
/*
 * index/document.h - the Iterations that are wanted of an index, as one document: a child's source, which a job merges like
 * any other. The header and the footer are those of the file.
 *
 * No byte of an Iteration is handed on before the CRC-32 of all of it is known to be that of the index, and before its
 * own text has been found to name the query that the index names. So an index that is damaged, or that somebody has
 * changed, costs an error and never gives a wrong Iteration. An Iteration of more than BM_INDEX_HELD bytes is read twice
 * for that.
 */
#ifndef BM_INDEX_DOCUMENT_H
#define BM_INDEX_DOCUMENT_H

#include "index/read.h"

struct bm_index_document;

enum { BM_INDEX_HELD = 2097152 };

/* The bytes of the result and the index are borrowed. renumber: numbers of Iterations and ids Query_N are counted from 1. One
 * that failed to open must be closed, too. */
enum blastmerge_status bm_index_document_open(struct bm_index_document **document, struct bm_memory *memory,
                                              struct bm_index_bytes *result, struct bm_index_read *read,
                                              bool renumber, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_document_close(struct bm_index_document *document);

/* A source of its text, to be read once. name: what messages call it. Both are borrowed. */
struct bm_fetch_source bm_index_document_source(struct bm_index_document *document, const char *name);

#endif
