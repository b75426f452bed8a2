/* SPDX-License-Identifier: MIT */
#include "splice/state.h"

#include <assert.h>

enum { FIRST_PLACE = 1 << 20 }; /* so far from 0 that nothing that was never learnt seems to be near */

enum blastmerge_status bm_splice_open(struct bm_splice **splice, struct bm_memory *memory) {
    *splice = bm_allocate(memory, sizeof **splice);
    if (*splice == NULL) return BLASTMERGE_NO_MEMORY;
    (*splice)->place = FIRST_PLACE;
    bm_splice_reset(*splice);
    return BLASTMERGE_OK;
}

void bm_splice_close(struct bm_splice *splice, struct bm_memory *memory) {
    bm_release(memory, splice);
}

void bm_splice_reset(struct bm_splice *splice) {
    bm_splice_walk_reset(&splice->walk);
    bm_splice_recode_reset(&splice->recode);
    splice->is_batch_new = true;
    splice->queue_head = splice->queue_end = 0;
    splice->text = 0;
    splice->is_in_fragment = splice->is_kept = splice->has_edit = splice->is_run = false;
    splice->n_inserted = 0;
    splice->bits = 0;
    splice->n_bits = 0;
}

/* Kept text goes into the CRC when an edit comes or the step ends. */
static void sum_up(struct bm_splice *splice, struct bm_splice_task *task) {
    struct bm_output *output = task->output;
    if (!splice->is_kept) return;
    size_t n_bytes = (size_t)(splice->text - splice->summed);
    output->crc32 = bm_crc32(output->crc32, bm_splice_text(task->batch, splice->summed), n_bytes);
    output->n_text += n_bytes;
    splice->summed = splice->text;
}

void bm_splice_flush(struct bm_splice *splice, struct bm_splice_task *task, enum bm_splice_reason reason) {
    bm_splice_see(splice, task->batch);
    bm_splice_run_end(splice, task->batch, NULL);
    bm_splice_recode_write(&splice->recode, &task->writer, &splice->window, reason);
}

/* --- edits --------------------------------------------------------------------------------------- */

static void keep(struct bm_splice *splice) {
    splice->is_kept = true;
    splice->seen = splice->text;
    splice->summed = splice->text;
}

static void begin_fragment(struct bm_splice *splice) {
    assert(!splice->is_in_fragment);
    splice->is_in_fragment = true;
    bm_splice_segments_clear(&splice->segments, splice->text);
    bm_splice_window_begin(&splice->window, splice->place);
    keep(splice);
}

static void end_fragment(struct bm_splice *splice, struct bm_splice_task *task) {
    assert(splice->is_in_fragment);
    bm_splice_flush(splice, task, BM_SPLICE_BLOCK_ENDS);
    bm_splice_put_stored(&task->writer, NULL, 0);
    splice->is_in_fragment = false;
    splice->is_kept = false;
}

/* As much of the text as makes a run. True if that was all. */
static bool insert(struct bm_splice *splice, struct bm_splice_task *task, const struct bm_edit *edit) {
    const uint8_t *text = (const uint8_t *)edit->insert + splice->n_inserted;
    uint32_t n = edit->n_insert - splice->n_inserted;
    assert(splice->is_in_fragment);
    if (n > BM_SPLICE_RUN) n = BM_SPLICE_RUN;
    if (n > 0) {
        bm_splice_run_begin(splice, task->batch);
        bm_splice_window_add(&splice->window, text, n);
        task->output->crc32 = bm_crc32(task->output->crc32, text, n);
        task->output->n_text += n;
        splice->place += n;
        splice->n_inserted += n;
        bm_splice_run_touch(splice, task->batch);
    }
    if (splice->n_inserted < edit->n_insert) return false;
    splice->n_inserted = 0;
    return true;
}

static void take_edit(struct bm_splice *splice, struct bm_splice_task *task) {
    const struct bm_edit *edit = task->edit;
    sum_up(splice, task);
    bm_splice_see(splice, task->batch);
    splice->has_edit = true;
    switch (edit->kind) {
    case BM_EDIT_BEGIN:
        begin_fragment(splice);
        break;
    case BM_EDIT_END:
        end_fragment(splice, task);
        break;
    case BM_EDIT_DROP:
        splice->is_kept = false;
        break;
    case BM_EDIT_KEEP:
        if (!splice->is_kept) keep(splice);
        break;
    default:
        if (!insert(splice, task, edit)) return;
    }
    task->edits->position++;
}

/* Text at hand will be dealt with: notes where it goes, if that has changed. */
static void note_segment(struct bm_splice *splice) {
    const struct bm_splice_segment *last = bm_splice_segments_last(&splice->segments);
    uint64_t shift = splice->is_kept ? splice->place - splice->text : BM_SPLICE_DROPPED;
    splice->has_edit = false;
    if (!splice->is_in_fragment || (last != NULL && last->shift == shift)) return;
    bm_splice_segments_add(&splice->segments, splice->text, shift);
    splice->segment_begin = splice->text;
    splice->near_end = splice->text + BM_SPLICE_NEAR;
}

/* --- the step ------------------------------------------------------------------------------------ */

static void find_edit(struct bm_splice_task *task) {
    const struct bm_edit_list *edits = task->edits;
    task->edit = NULL;
    task->limit = task->safe;
    if (edits->position == edits->n_edits || edits->edits[edits->position].offset > task->safe) return;
    task->edit = &edits->edits[edits->position];
    task->limit = task->edit->offset;
}

/* One piece of work, which writes less than BM_OUTPUT_ROOM. False if there is none left. */
static bool work(struct bm_splice *splice, struct bm_splice_task *task) {
    if (splice->recode.n_tokens >= BM_SPLICE_CHUNK) {
        bm_splice_see(splice, task->batch);
        bm_splice_recode_write(&splice->recode, &task->writer, &splice->window, BM_SPLICE_CHUNK_FULL);
        return true;
    }
    find_edit(task);
    if (task->edit != NULL && task->limit <= splice->text) {
        assert(task->limit == splice->text);
        take_edit(splice, task);
        return true;
    }
    if (splice->text >= task->safe) return false;
    if (splice->has_edit) note_segment(splice);
    if (splice->queue_head < splice->queue_end) return bm_splice_near_process(splice, task);
    if (splice->is_kept && splice->text < splice->near_end) return bm_splice_near_decode(splice, task->batch);
    return bm_splice_pass(splice, task);
}

enum bm_splice_result bm_splice_step(struct bm_splice *splice, const struct bm_batch *batch,
                                     struct bm_edit_list *edits, uint64_t safe, bool is_last_of_batch,
                                     struct bm_output *output) {
    struct bm_splice_task task = {
        .batch = batch,
        .edits = edits,
        .safe = safe < bm_splice_text_end(batch) ? safe : bm_splice_text_end(batch),
        .is_last_of_batch = is_last_of_batch,
        .output = output,
        .writer = {output->data + output->n_data, splice->bits, splice->n_bits},
    };
    bool has_room = true, has_worked = true;
    if (splice->is_batch_new) bm_splice_walk_begin(&splice->walk, batch);
    splice->is_batch_new = false;
    while (has_room && has_worked) {
        has_room = task.writer.next - output->data <= BM_OUTPUT_SIZE - BM_OUTPUT_ROOM;
        if (has_room) has_worked = work(splice, &task);
    }
    sum_up(splice, &task);
    splice->bits = task.writer.bits;
    splice->n_bits = task.writer.n_bits;
    output->n_data = (size_t)(task.writer.next - output->data);
    if (!has_room) return BM_SPLICE_FULL;
    if (is_last_of_batch) {
        bm_splice_near_hold(splice, batch);
        splice->is_batch_new = true;
    }
    return BM_SPLICE_DONE;
}
