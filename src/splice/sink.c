/* SPDX-License-Identifier: MIT */
/*
 * The sink: for each fragment it chooses a way to write it, which takes the script up to the fragment's end. Between
 * fragments there is only text to skip.
 */
#include "splice/copy.h"
#include "splice/pack.h"
#include "splice/stream.h"

enum { DEFAULT_LEVEL = 6 };

struct bm_splice_sink {
    struct bm_splice_settings settings;
    struct bm_memory *memory;
    bool is_in_fragment;
    bool is_packed;                  /* the current fragment is, else it is spliced */
    struct bm_splice_stream *stream; /* NULL as long as nothing is spliced */
    struct bm_splice_pack *pack;     /* NULL as long as nothing is packed */
    bool has_members;                /* one was copied */
    bool is_refused;                 /* what was to be copied has changes */
};

/* Whether bits are of use. */
static bool can_splice(const struct bm_splice_sink *sink) {
    return sink->settings.level == 0 && sink->settings.form == BLASTMERGE_FORM_GZIP;
}

/* Makes ready for children whose bits count, or whose text does. */
static enum blastmerge_status open_way(struct bm_splice_sink *sink, bool has_bits) {
    const struct bm_splice_settings *settings = &sink->settings;
    if (settings->copies || (has_bits ? sink->stream != NULL : sink->pack != NULL)) return BLASTMERGE_OK;
    if (has_bits) return bm_splice_stream_open(&sink->stream, sink->memory);
    int level = settings->level > 0 ? settings->level : settings->text_level;
    return bm_splice_pack_open(&sink->pack, settings->form, level > 0 ? level : DEFAULT_LEVEL,
                               settings->workers, sink->memory);
}

enum blastmerge_status bm_splice_sink_open(struct bm_splice_sink **sink,
                                           const struct bm_splice_settings *settings,
                                           struct bm_memory *memory) {
    *sink = bm_allocate(memory, sizeof **sink);
    if (*sink == NULL) return BLASTMERGE_NO_MEMORY;
    (*sink)->settings = *settings;
    (*sink)->memory = memory;
    return can_splice(*sink) ? BLASTMERGE_OK : open_way(*sink, false);
}

void bm_splice_sink_close(struct bm_splice_sink *sink) {
    if (sink == NULL) return;
    bm_splice_pack_close(sink->pack, sink->memory);
    bm_release(sink->memory, sink->stream);
    bm_release(sink->memory, sink);
}

enum blastmerge_status bm_splice_begin(struct bm_splice_sink *sink, struct bm_splice_reader *reader,
                                       bool has_trace) {
    bool has_bits = has_trace && can_splice(sink) && !sink->settings.copies;
    enum blastmerge_status status = bm_splice_reader_begin(reader, has_bits);
    return status == BLASTMERGE_OK ? open_way(sink, has_bits) : status;
}

enum blastmerge_status bm_splice_begin_inside(struct bm_splice_sink *sink, struct bm_splice_reader *reader,
                                              const struct bm_splice_inside *inside, uint64_t text) {
    enum blastmerge_status status = bm_splice_begin(sink, reader, true);
    if (status != BLASTMERGE_OK) return status;
    reader->text = text;
    if (reader->has_bits) bm_splice_walk_enter(&reader->bits->walk, inside, text);
    return BLASTMERGE_OK;
}

/* --- the step ------------------------------------------------------------------------------------ */

/* Bits are copied where the first child has some; another child's text may go in between. */
static void begin_fragment(struct bm_splice_sink *sink, const struct bm_splice_task *task, uint16_t child) {
    bm_require(child < task->n_readers);
    sink->is_in_fragment = true;
    sink->is_packed = !task->readers[child]->has_bits;
    if (sink->is_packed)
        bm_splice_pack_begin(sink->pack);
    else
        bm_splice_stream_begin(sink->stream);
}

static enum bm_step write_fragment(struct bm_splice_sink *sink, struct bm_splice_task *task) {
    bool has_ended = false;
    enum bm_step step = sink->is_packed ? bm_splice_pack_step(sink->pack, task, &has_ended)
                                        : bm_splice_stream_step(sink->stream, task, &has_ended);
    sink->is_in_fragment = !has_ended;
    return step;
}

/* Takes entries up to where the next fragment begins, if it does. */
static void go_between(struct bm_splice_sink *sink, struct bm_splice_task *task) {
    struct bm_script *script = task->script;
    for (; script->position < script->n_entries && !sink->is_in_fragment; script->position++) {
        const struct bm_script_entry *entry = &script->entries[script->position];
        if (entry->kind == BM_SCRIPT_BEGIN) {
            begin_fragment(sink, task, entry->child);
        } else {
            bm_require(entry->kind == BM_SCRIPT_SKIP);
            if (!bm_splice_task_skip(task)) return;
        }
    }
}

/* The batches that will not be given again are done with. */
static void hold(struct bm_splice_sink *sink, const struct bm_splice_task *task) {
    for (size_t i = 0; i < task->n_readers; i++) {
        struct bm_splice_reader *reader = task->readers[i];
        if (!reader->is_last || reader->batch == NULL) continue;
        if (reader->has_bits) {
            bm_splice_reader_hold(reader);
            bm_splice_stream_hold(sink->stream, reader, task->n_readers == 1);
        }
        reader->batch = NULL;
    }
}

static enum bm_step copy(struct bm_splice_sink *sink, const struct bm_splice_task *task) {
    bm_require(task->n_readers == 1);
    struct bm_splice_reader *reader = task->readers[0];
    if (bm_output_is_full(task->output)) return BM_STEP_FULL;
    sink->is_refused = !bm_splice_copy_step(&reader->copy, reader->batch, reader->is_last, task->script,
                                            task->output, &sink->has_members);
    if (sink->is_refused) return BM_STEP_FAILED;
    if (reader->is_last) reader->batch = NULL;
    return BM_STEP_DONE;
}

enum bm_step bm_splice_step(struct bm_splice_sink *sink, struct bm_splice_reader *const *readers,
                            size_t n_readers, struct bm_script *script, struct bm_output *output) {
    struct bm_splice_task task = {
        .readers = readers, .n_readers = n_readers, .script = script, .output = output};
    bm_require(output->size >= BM_OUTPUT_LEAST);
    if (sink->settings.copies) return copy(sink, &task);
    bool goes_on = true;
    while (goes_on) {
        if (!sink->is_in_fragment) go_between(sink, &task);
        if (!sink->is_in_fragment) break;
        enum bm_step step = write_fragment(sink, &task);
        if (step != BM_STEP_DONE) return step;
        goes_on = !sink->is_in_fragment; /* it has come to its end */
    }
    hold(sink, &task);
    return BM_STEP_DONE;
}

enum bm_step bm_splice_end(struct bm_splice_sink *sink, const char *text, size_t n_text,
                           struct bm_output *output) {
    if (sink->settings.form != BLASTMERGE_FORM_BGZF || sink->settings.copies) return BM_STEP_DONE;
    return bm_splice_pack_end(sink->pack, text, n_text, output);
}

bool bm_splice_has_members(const struct bm_splice_sink *sink) {
    return sink->has_members;
}

bool bm_splice_is_refused(const struct bm_splice_sink *sink) {
    return sink->is_refused;
}
