/* SPDX-License-Identifier: MIT */
/*
 * shards - a job whose children are shards: each searched all queries against a part of the database.
 *
 * The room rank makes one text of a batch's shards. That text is the batch's, and the batches are what the
 * ordinary merge merges: as a split of the queries, with what an unsplit run writes. So the job's own children are
 * the batches from when it begins, and the shards' sources lie here.
 */
#ifndef BM_SHARDS_H
#define BM_SHARDS_H

#include "job/job.h"

/* Takes the options. */
enum blastmerge_status bm_job_shards_set(struct blastmerge_job *job,
                                         const struct blastmerge_shards_options *options) BM_CHECK_RESULT;

/* The job begins, and its children are checked: they become batches of shards. */
enum blastmerge_status bm_job_shards_gather(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Shard `number`, in the order given, and what it held; false: there is none. */
bool bm_job_shards_find(const struct blastmerge_job *job, uint64_t number,
                        const struct bm_fetch_source **source, const struct bm_job_row **row) BM_CHECK_RESULT;

/* The first shard of a batch, an item of the plan; without shards the item itself. */
size_t bm_job_shards_first(const struct blastmerge_job *job, size_t batch);

/* Closes what is open, and the sources. */
void bm_job_shards_end(struct blastmerge_job *job);

void bm_job_shards_close(struct blastmerge_job *job);

#endif
