/* SPDX-License-Identifier: MIT */
/*
 * passages - shards' own compressed bits in the result.
 *
 * rank hands on text, which is compressed again. A passage is a long stretch of it that is one shard's own text, but for
 * a few digits: most hits of a query that only one shard has, or one long hit. Of a passage the result gets the
 * shard's bits (docs/splice.md).
 *
 * rank tells where its text comes from. Once so much has come from one shard on end, the shard's batches are copied, as
 * long as that goes on: the merged text is numbered and written later, when the shard may have gone on. What is
 * written is the script of the merged text, in which the shard takes the merged text's place while a passage lasts.
 *
 * A passage depends on the shards' text and on the memory for copies alone, not on the threads.
 */
#ifndef BM_PASSAGES_H
#define BM_PASSAGES_H

#include "job/job.h"
#include "rank/rank.h"

struct bm_job_passages;

/* For up to n_shards in a batch, whose lanes have batches of that size. */
enum blastmerge_status bm_job_passages_open(struct bm_job_passages **passages, struct blastmerge_job *job,
                                            size_t n_shards,
                                            const struct bm_batch_size *size) BM_CHECK_RESULT;
void bm_job_passages_close(struct bm_job_passages *passages); /* passages may be NULL */

/* Begins a batch of shards. Returns what rank must tell. */
struct bm_rank_watch *bm_job_passages_begin(struct bm_job_passages *passages);

/* Has the script of the job's current batch written, as bm_splice_step(). */
enum bm_step bm_job_passages_write(struct bm_job_passages *passages) BM_CHECK_RESULT;

#endif
