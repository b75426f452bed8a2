/* SPDX-License-Identifier: MIT */
#include "splice/stream.h"

#include <assert.h>

/*
 * How a stream is edited without compressing it again
 *
 * A deflate block is a header, which holds its codes, and a run of tokens: literals, and matches that
 * copy earlier text. An edit changes few of them: those that stand for text that goes, and those that copy
 * from over it. So a child's text is dealt with in one of three ways, from front to back:
 *
 *   pass  (pass.c)    Where the last 32 KiB of text were taken and no edit fell into them, no token can reach
 *                     over one: bits are copied from one place that the trace knows to another, whole blocks at
 *                     a time.
 *   near  (near.c)    From an edit until 32 KiB later tokens are decoded, matches get the distance that their
 *                     source has now, and what has no source any more, or is new, is matched anew (run.c). The
 *                     tokens are collected and written in the shortest way (recode.c).
 *   skip  (reader.c)  Text that is left out is walked over by the trace.
 *
 * Who has what. A reader has what hangs on the child's bits: the walk, the queue, and the segments, which say
 * where the child's recent text has gone. The stream has what hangs on the result: the place in it, the last of its
 * text, the tokens that are collected, the CRC. Where another reader's text comes next, the block that is open ends;
 * where the first one goes on later, its text has another shift, as after an insertion.
 *
 * Two places move through the child: the walk (what has been decoded or copied, in bits and text) and `text`
 * (what has been dealt with). Between them lies the queue, tokens that were decoded and wait. It matters at a
 * batch's end: the script may not yet say what becomes of the last few KiB, and the batch, bits and all, will
 * not come again. Then the rest is decoded into the queue; its text is in the next batch's history.
 *
 * Same bytes. What is written must depend on the children and the script alone, not on when a step ends. So no
 * choice may hang on how far the script goes as yet: a token is dealt with when all of its text is in an entry, and
 * it is cut only where another entry follows; a change of what becomes of text (note_segment) counts only with the
 * first byte behind it, since the entry may have been left empty; bits pass as far as the entry goes, but the bits of
 * an untouched stretch are the same however it is cut. (That tokens are held at a batch's end does change things, by
 * a few bits; but where batches end, and how far the scanner is then, depends on the child alone.) Places in the
 * result are counted on and on, and nothing from before a fragment can be found in it, so that a fragment comes out
 * the same whether or not others were made before it.
 *
 * Bounded. Everything is in one struct. One piece of work writes less than BM_OUTPUT_ROOM: a batch's bits, or
 * a chunk of so many tokens in at most the 31 bits that fixed codes take for each. Work is linear: a look-up
 * of where text went scans at most one cell of 16 bytes, a hash has one place, a block costs no more than
 * its header does, and empty blocks are passed over.
 */

enum { FIRST_PLACE = 1 << 20 }; /* so far from 0 that nothing that was never learnt seems to be near */

enum blastmerge_status bm_splice_stream_open(struct bm_splice_stream **stream, struct bm_memory *memory) {
    *stream = bm_allocate(memory, sizeof **stream);
    if (*stream == NULL) return BLASTMERGE_NO_MEMORY;
    (*stream)->place = FIRST_PLACE;
    bm_splice_recode_reset(&(*stream)->recode);
    return BLASTMERGE_OK;
}

void bm_splice_stream_begin(struct bm_splice_stream *stream) {
    assert(stream->n_bits == 0 && stream->reader == NULL);
    stream->fragment++;
    stream->summed = stream->place;
    bm_splice_window_begin(&stream->window, stream->place);
    stream->is_new = true;
}

void bm_splice_flush(struct bm_splice_stream *stream, struct bm_splice_task *task,
                     enum bm_splice_reason reason) {
    bm_splice_see(stream);
    bm_splice_run_end(stream, NULL);
    assert(stream->recode.n_tokens == 0 || bm_splice_recode_end(&stream->recode) == stream->place);
    bm_splice_recode_write(&stream->recode, &task->writer, &stream->window, reason);
}

void bm_splice_stream_hold(struct bm_splice_stream *stream, struct bm_splice_reader *reader, bool is_only) {
    if (stream->reader != reader) return;
    bm_require(stream->summed == stream->place);
    /* The next batch's history reaches back far enough, unless tokens wait, or another reader comes first. */
    if (!is_only || bm_splice_has_queue(reader->bits)) bm_splice_see(stream);
}

/* --- entries that are not text of a child --------------------------------------------------------- */

/* Adds new text, which makes a run: at most BM_SPLICE_RUN bytes. */
static void add_text(struct bm_splice_stream *stream, const uint8_t *text, size_t n_bytes) {
    bm_splice_see(stream);
    bm_splice_run_begin(stream);
    bm_splice_sum_many(stream);
    bm_splice_window_add(&stream->window, text, n_bytes);
    stream->place += n_bytes;
    bm_splice_run_touch(stream);
}

/* As much of the text as makes a run. True if that was all. */
static bool insert(struct bm_splice_stream *stream, const struct bm_script_entry *entry) {
    const uint8_t *text = (const uint8_t *)entry->text + stream->n_inserted;
    uint32_t n = entry->n_text - stream->n_inserted;
    if (n > BM_SPLICE_RUN) n = BM_SPLICE_RUN;
    if (n > 0) add_text(stream, text, n);
    stream->n_inserted += n;
    if (stream->n_inserted < entry->n_text) return false;
    stream->n_inserted = 0;
    return true;
}

static void end_fragment(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    bm_splice_flush(stream, task, BM_SPLICE_BLOCK_ENDS);
    bm_splice_recode_watch(&stream->recode, &task->writer, stream->place);
    bm_splice_put_stored(&task->writer, NULL, 0);
    bm_splice_sum(stream); /* the next fragment's window begins anew */
    bm_require(stream->summed == stream->place);
    stream->reader = NULL;
}

static void advance(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    task->script->position++;
    stream->is_new = true;
}

/* --- text of a child ------------------------------------------------------------------------------ */

/* Notes where the reader's text goes from here on, if that has changed. */
static void note_segment(const struct bm_splice_stream *stream, const struct bm_splice_reader *reader,
                         bool is_taken) {
    struct bm_splice_bits *bits = reader->bits;
    if (bits->fragment != stream->fragment) bm_splice_segments_clear(&bits->segments, reader->text);
    bits->fragment = stream->fragment;
    const struct bm_splice_segment *last = bm_splice_segments_last(&bits->segments);
    uint64_t shift = is_taken ? stream->place - reader->text : BM_SPLICE_DROPPED;
    if (last != NULL && last->shift == shift) return;
    bm_splice_segments_add(&bits->segments, reader->text, shift);
    bits->segment_begin = reader->text;
    bits->near_end = reader->text + BM_SPLICE_NEAR;
}

/* A child's text is to come that has no bits. However it is cut, its runs end at the same places. */
static bool take_text(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    bm_splice_run_begin(stream);
    uint64_t n = stream->run_begin + BM_SPLICE_RUN - stream->place;
    if (n > task->limit - reader->text) n = task->limit - reader->text;
    add_text(stream, bm_batch_at(reader->batch, reader->text, n), (size_t)n);
    reader->text += n;
    return true;
}

static bool take(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    if (stream->reader != reader && stream->reader != NULL) {
        bm_splice_flush(stream, task, BM_SPLICE_BLOCK_ENDS);
        stream->reader = NULL;
        return true;
    }
    stream->reader = reader;
    if (!reader->has_bits) return take_text(stream, task);
    if (stream->is_new) note_segment(stream, reader, true);
    stream->is_new = false;
    if (bm_splice_has_queue(reader->bits)) return bm_splice_near(stream, task);
    if (reader->text >= reader->bits->near_end) return bm_splice_pass(stream, task);
    bm_splice_see(stream);
    return bm_splice_reader_decode(reader);
}

static void skip(struct bm_splice_stream *stream, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    if (stream->reader == reader) bm_splice_see(stream); /* what is not seen lies before its place */
    if (reader->has_bits && stream->is_new) note_segment(stream, reader, false);
    stream->is_new = false;
    bm_splice_reader_skip(reader, task->limit, task->is_hard);
}

/* --- the step ------------------------------------------------------------------------------------ */

/* One piece of work, which writes less than BM_OUTPUT_ROOM. False if there is none left. */
static bool work(struct bm_splice_stream *stream, struct bm_splice_task *task, bool *has_ended) {
    const struct bm_script *script = task->script;
    if (stream->recode.n_tokens >= BM_SPLICE_CHUNK) {
        bm_splice_see(stream);
        bm_splice_recode_write(&stream->recode, &task->writer, &stream->window, BM_SPLICE_CHUNK_FULL);
        return true;
    }
    if (script->position == script->n_entries) return false;
    const struct bm_script_entry *entry = &script->entries[script->position];
    switch (entry->kind) {
    case BM_SCRIPT_TAKE:
        if (bm_splice_task_reach(task)) return take(stream, task);
        if (task->reader->text < entry->offset) return false;
        break;
    case BM_SCRIPT_SKIP:
        if (bm_splice_task_reach(task)) skip(stream, task);
        if (task->reader->text < entry->offset) return false;
        break;
    case BM_SCRIPT_INSERT:
        if (!insert(stream, entry)) return true;
        break;
    case BM_SCRIPT_END:
        end_fragment(stream, task);
        *has_ended = true;
        break;
    default: /* a fragment begins in none */
        bm_require(entry->kind != BM_SCRIPT_BEGIN);
    }
    advance(stream, task);
    return true;
}

enum bm_step bm_splice_stream_step(struct bm_splice_stream *stream, struct bm_splice_task *task,
                                   bool *has_ended) {
    struct bm_output *output = task->output;
    bool has_room = true, has_worked = true;
    const uint8_t *const end = output->data + output->size;
    const uint64_t place = stream->place;
    task->writer = (struct bm_splice_writer){output->data + output->n_data, stream->bits, stream->n_bits};
    stream->crc32 = output->crc32;
    stream->recode.output = output;
    stream->recode.shift = output->n_text - place;
    while (has_room && has_worked && !*has_ended) {
        has_room = end - task->writer.next >= BM_OUTPUT_ROOM;
        if (has_room) has_worked = work(stream, task, has_ended);
    }
    bm_splice_sum(stream);
    output->crc32 = stream->crc32;
    output->n_text += stream->place - place;
    stream->bits = task->writer.bits;
    stream->n_bits = task->writer.n_bits;
    output->n_data = (size_t)(task->writer.next - output->data);
    return has_room ? BM_STEP_DONE : BM_STEP_FULL;
}
