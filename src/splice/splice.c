/* SPDX-License-Identifier: MIT */
#include "splice/state.h"

#include <assert.h>

/*
 * How a stream is edited without compressing it again
 *
 * A deflate block is a header, which holds its codes, and a run of tokens: literals, and matches that
 * copy earlier text. An edit changes few of them: those that stand for text that goes, and those that copy
 * from over it. So a child's text is dealt with in one of three ways, from front to back:
 *
 *   pass  (pass.c)  Where the last 32 KiB of text were kept and no edit fell into them, no token can reach
 * over one: bits are copied from one place that the trace knows to another, whole blocks at a time. near
 * (near.c)  From an edit until 32 KiB later tokens are decoded, matches get the distance that their source
 * has now, and what has no source any more, or is new, is matched anew (run.c). The tokens are collected and
 * written in the shortest way (recode.c). skip            Text that is dropped is walked over by the trace.
 *
 * Three places move through the child: the walk (what has been decoded or copied, in bits and text), `text`
 * (what has been dealt with; between it and the walk lies the queue, tokens that were decoded and wait) and
 * `safe`. The queue matters at a batch's end: the scanner may not be ready to say what becomes of the last
 * few KiB, and the batch, bits and all, will not come again. Then the rest is decoded into the queue; its
 * text is in the next batch's history.
 *
 * Same bytes. What is written must depend on the child and its edits alone, not on when a step ends. So no
 * choice may hang on `safe`: a token is dealt with when all of its text is safe; a change of what becomes of
 * text (note_segment) counts only when the first byte after it is safe, since until then another edit may
 * come at the same offset and undo it; bits pass as far as is safe, but the bits of an untouched stretch are
 * the same however it is cut. (That tokens are held at a batch's end does change things, by a few bits; but
 * where batches end, and how far the scanner is then, depends on the child alone.) Places in the result are
 * counted on and on, and nothing from before a fragment can be found in it, so that a fragment comes out
 * the same whether or not others were made before it.
 *
 * Bounded. Everything is in one struct. One piece of work writes less than BM_OUTPUT_ROOM: a batch's bits, or
 * a chunk of so many tokens in at most the 31 bits that fixed codes take for each. Work is linear: a look-up
 * of where text went scans at most one cell of 16 bytes, a hash has one place, a block costs no more than
 * its header does, and empty blocks are passed over.
 */

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
    bm_splice_queue_clear(splice);
    splice->text = 0;
    splice->is_in_fragment = splice->is_kept = splice->has_edit = splice->is_run = false;
    splice->n_inserted = 0;
    splice->bits = 0;
    splice->n_bits = 0;
}

void bm_splice_flush(struct bm_splice *splice, struct bm_splice_task *task, enum bm_splice_reason reason) {
    bm_splice_see(splice, task->batch);
    bm_splice_run_end(splice, task->batch, NULL);
    assert(splice->recode.n_tokens == 0 || bm_splice_recode_end(&splice->recode) == splice->place);
    bm_splice_recode_write(&splice->recode, &task->writer, &splice->window, reason);
}

/* --- edits --------------------------------------------------------------------------------------- */

static void keep(struct bm_splice *splice) {
    splice->is_kept = true;
    splice->seen = splice->text;
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
    bm_splice_sum(splice, task->batch); /* the next fragment's window begins anew */
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
        bm_splice_sum_many(splice, task->batch);
        bm_splice_window_add(&splice->window, text, n);
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
    const struct bm_script *edits = task->edits;
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
    if (splice->queue_head < splice->queue.n_tokens) return bm_splice_near_process(splice, task);
    if (splice->is_kept && splice->text < splice->near_end) return bm_splice_near_decode(splice, task->batch);
    return bm_splice_pass(splice, task);
}

enum bm_step bm_splice_step(struct bm_splice *splice, const struct bm_batch *batch, struct bm_script *edits,
                            uint64_t safe, bool is_last_of_batch, struct bm_output *output) {
    struct bm_splice_task task = {
        .batch = batch,
        .edits = edits,
        .safe = safe < bm_batch_end(batch) ? safe : bm_batch_end(batch),
        .is_last_of_batch = is_last_of_batch,
        .output = output,
        .writer = {output->data + output->n_data, splice->bits, splice->n_bits},
    };
    bool has_room = true, has_worked = true;
    const uint64_t place = splice->place;
    splice->summed = place;
    splice->crc32 = output->crc32;
    if (splice->is_batch_new) bm_splice_walk_begin(&splice->walk, batch);
    splice->is_batch_new = false;
    while (has_room && has_worked) {
        has_room = task.writer.next - output->data <= BM_OUTPUT_SIZE - BM_OUTPUT_ROOM;
        if (has_room) has_worked = work(splice, &task);
    }
    bm_splice_sum(splice, batch);
    output->crc32 = splice->crc32;
    output->n_text += splice->place - place;
    splice->bits = task.writer.bits;
    splice->n_bits = task.writer.n_bits;
    output->n_data = (size_t)(task.writer.next - output->data);
    if (!has_room) return BM_STEP_FULL;
    if (is_last_of_batch) {
        bm_splice_near_hold(splice, batch);
        splice->is_batch_new = true;
    }
    return BM_STEP_DONE;
}
