/* SPDX-License-Identifier: MIT */
/*
 * index/result - a merge's script and marks -> the index of its result, while that is written.
 *
 * The script says what the result's text is made of, and in which order; marks say where in a child's text an Iteration begins
 * and ends. So the rows come from these two, with places in the result. Restart points come from what writes the result: it
 * reports where it has put a block's header (flow/output.h). It does so some time after the text has been here, so the last
 * megabyte of the text is kept, as far as a restart point is due.
 *
 *     bm_index_result_open(&result, build, &n_before, memory, error);      output.watch = bm_index_result_watch(result)
 *     for each child:               bm_index_result_begin_child(result);
 *         for each view of it:      bm_index_result_take(result, script, batch, marks, error);    the script is that of the marks
 *         before it is written:     bm_index_result_catch_up(result, script, batch, error);
 *     bm_index_result_end(result, text, n_text, error);                    the result's last text
 *
 * The script must be compacted only between these calls. All text that it takes lies in the batch, and in no gap.
 */
#ifndef BM_INDEX_RESULT_H
#define BM_INDEX_RESULT_H

#include "flow/output.h"
#include "flow/script.h"
#include "index/build.h"

struct bm_index_result;

/* The build is borrowed, and so is n_before: how many bytes of the result came before the output's data. */
enum blastmerge_status bm_index_result_open(struct bm_index_result **result, struct bm_index_build *build,
                                            const uint64_t *n_before, struct bm_memory *memory,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_result_close(struct bm_index_result *result);

struct bm_output_watch *bm_index_result_watch(struct bm_index_result *result);

void bm_index_result_begin_child(struct bm_index_result *result);
enum blastmerge_status bm_index_result_take(struct bm_index_result *result, const struct bm_script *script,
                                            const struct bm_batch *batch, const struct bm_mark_list *marks,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_index_result_catch_up(struct bm_index_result *result,
                                                const struct bm_script *script, const struct bm_batch *batch,
                                                struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_index_result_end(struct bm_index_result *result, const char *text, size_t n_text,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* All bytes of the result were written. crc32, n_text: of its text. Then bm_index_build_end() completes the index. */
enum blastmerge_status bm_index_result_finish(struct bm_index_result *result, enum blastmerge_format format,
                                              uint32_t crc32, uint64_t n_text,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
