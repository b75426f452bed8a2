/* SPDX-License-Identifier: MIT */
/*
 * index/build - marks and batches of a text -> its index, in one pass and bounded memory.
 *
 *     bm_index_build_open(&build, &settings, memory, file, cancel, error);
 *     for each batch:           bm_index_build_batch(build, batch, error);
 *         for each view of it:  bm_index_build_marks(build, batch, marks, safe, error);
 *                               bm_index_build_field(build, field);                      of its last mark, if it has one
 *     bm_index_build_end(build, bytes, error);
 *     bm_index_build_close(build);
 *
 * An Iteration's row comes from its text between two marks. The deflate blocks of the batches' traces become restart points:
 * one at the first block's header behind each stretch of text of the given length, with the text that its matches can reach.
 */
#ifndef BM_INDEX_BUILD_H
#define BM_INDEX_BUILD_H

#include "flow/batch.h"
#include "index/bytes.h"
#include "mark/mark.h"

struct bm_index_build;

enum { BM_INDEX_DISTANCE = 4194304, BM_INDEX_LEAST_DISTANCE = 65536 };

struct bm_index_settings {
    uint64_t distance;             /* bytes of text between two restart points, at least */
    bool definitions;              /* whole definitions are kept, too */
    enum blastmerge_format format; /* of a text that shows none: an empty table */
    const char *beside;            /* where temporary files may be, as for bm_open_temporary(); borrowed */
};

/* The index is written to the file, which is empty, open for reading and writing, and borrowed. A build that failed to open
 * must be closed, too. */
enum blastmerge_status bm_index_build_open(struct bm_index_build **build,
                                           const struct bm_index_settings *settings, struct bm_memory *memory,
                                           int file, struct bm_cancel *cancel,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_build_close(struct bm_index_build *build);

enum blastmerge_status bm_index_build_batch(struct bm_index_build *build, const struct bm_batch *batch,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* safe: no later mark has an offset below it; the text up to there is in the batch or the history before it. */
enum blastmerge_status bm_index_build_marks(struct bm_index_build *build, const struct bm_batch *batch,
                                            const struct bm_mark_list *marks, uint64_t safe,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_build_field(struct bm_index_build *build, const struct bm_mark_field *field);

/* All marks have been taken: completes the index of these bytes. */
enum blastmerge_status bm_index_build_end(struct bm_index_build *build, struct bm_index_bytes *bytes,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
