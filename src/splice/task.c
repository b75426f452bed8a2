/* SPDX-License-Identifier: MIT */
#include "splice/task.h"

bool bm_splice_task_reach(struct bm_splice_task *task) {
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

bool bm_splice_task_skip(struct bm_splice_task *task) {
    const struct bm_script *script = task->script;
    if (bm_splice_task_reach(task)) bm_splice_reader_skip(task->reader, task->limit, task->is_hard);
    return task->reader->text >= script->entries[script->position].offset;
}
