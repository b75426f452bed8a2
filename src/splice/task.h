/* SPDX-License-Identifier: MIT */
/*
 * splice/task.h - a step's arguments, and its current entry of the script: shared by all ways to write.
 */
#ifndef BM_SPLICE_TASK_H
#define BM_SPLICE_TASK_H

#include "splice/bits.h"
#include "splice/reader.h"

struct bm_splice_task {
    struct bm_splice_reader *const *readers;
    size_t n_readers;
    struct bm_script *script;
    struct bm_output *output;
    struct bm_splice_writer writer; /* of the stream */

    struct bm_splice_reader *reader; /* the reader of the entry */
    uint64_t limit;                  /* the end of the entry, or of the reader's batch if that is earlier */
    bool is_hard;                    /* the entry ends there: text from the limit on is treated differently */
};

/* Sets reader, limit and is_hard for an entry that is a TAKE or a SKIP. False if the reader is at the limit. */
static inline bool bm_splice_task_reach(struct bm_splice_task *task) {
    const struct bm_script *script = task->script;
    const struct bm_script_entry *entry = &script->entries[script->position];
    bm_require(entry->child < task->n_readers);
    struct bm_splice_reader *reader = task->readers[entry->child];
    uint64_t end = reader->batch != NULL ? bm_batch_end(reader->batch) : reader->text;
    task->reader = reader;
    task->limit = entry->offset < end ? entry->offset : end;
    task->is_hard = script->position + 1 < script->n_entries && entry->offset <= end;
    return reader->text < task->limit;
}

/* Leaves out the text of an entry that is a SKIP. False if the reader waits before its end. */
static inline bool bm_splice_task_skip(struct bm_splice_task *task) {
    const struct bm_script *script = task->script;
    if (bm_splice_task_reach(task)) bm_splice_reader_skip(task->reader, task->limit, task->is_hard);
    return task->reader->text >= script->entries[script->position].offset;
}

#endif
