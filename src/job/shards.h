/* SPDX-License-Identifier: MIT */
/*
 * shards - a job whose children are shards: each is the search of all queries against a part of the database.
 *
 * The room rank makes one text of a batch's shards. The ordinary merge then merges these batches like a split
 * of the queries, with the result of an unsplit run. So once the job begins, its own children are the
 * batches, and the shards' sources are here.
 */
#ifndef BM_SHARDS_H
#define BM_SHARDS_H

#include "job/job.h"

struct bm_job_passages;

/* Sets the options. */
enum blastmerge_status bm_job_shards_set(struct blastmerge_job *job,
                                         const struct blastmerge_shards_options *options) BM_CHECK_RESULT;

/* To be called when the job begins, and its children are checked: makes batches of shards of them. */
enum blastmerge_status bm_job_shards_gather(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The size of the lane of the merged text: the shards have the memory. */
struct bm_child_lane_room bm_job_shards_room(const struct blastmerge_job *job);

/* Bytes that a batch of so many shards takes beyond BM_JOB_LEAST_MEMORY. */
uint64_t bm_job_shards_more_memory(const struct blastmerge_job *job);

/* Shard `number`, in the order given, and its counts; false: there is none. */
bool bm_job_shards_find(const struct blastmerge_job *job, uint64_t number,
                        const struct bm_fetch_source **source, const struct bm_job_row **row) BM_CHECK_RESULT;

/* What writes the result where shards' bits may become the result's; NULL: they do not. */
struct bm_job_passages *bm_job_shards_passages(const struct blastmerge_job *job);

/* The shards of each batch; 0: the job has none. */
uint64_t bm_job_shards_of_batch(const struct blastmerge_job *job);

/* Before the job begins: the batches that its children make up; without shards, the children. */
size_t bm_job_shards_n_batches(const struct blastmerge_job *job);

/* The first shard of a batch, an item of the plan; without shards the item itself. */
size_t bm_job_shards_first(const struct blastmerge_job *job, size_t batch);

/* The result is a table without comments: the file of queries gives the order of its queries, and is compared with no
 * Iterations. */
void bm_job_shards_take_queries(struct blastmerge_job *job);

/* Adds to the job's error which shard it is of: error.child is its number in the batch until then. */
void bm_job_shards_blame(struct blastmerge_job *job);

/* How far the shards have been read. */
void bm_job_shards_progress(const struct blastmerge_job *job, struct blastmerge_progress *progress);

/* The batch of a shard; without shards the number itself. */
uint64_t bm_job_shards_batch_of(const struct blastmerge_job *job, uint64_t number);

/* The current batch has ended: the job's totals are of the shards' own bytes, not of the merged text. To be called once. */
void bm_job_shards_count(struct blastmerge_job *job);

const struct blastmerge_shards_report *bm_job_shards_report(const struct blastmerge_job *job);

/* Closes what is open, and the sources. */
void bm_job_shards_end(struct blastmerge_job *job);

void bm_job_shards_close(struct blastmerge_job *job);

#endif
