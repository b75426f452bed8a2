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

/* Sets reader, limit and is_hard for an entry that is a TAKE or a SKIP. False if the reader is at the limit.
 * */
bool bm_splice_task_reach(struct bm_splice_task *task);

/* Leaves out the text of an entry that is a SKIP. False if the reader waits before its end. */
bool bm_splice_task_skip(struct bm_splice_task *task);

#endif
