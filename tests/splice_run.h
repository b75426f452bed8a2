/* SPDX-License-Identifier: MIT */
/*
 * Runs a splice over a stream in steps of any kind, and checks what comes out with zlib.
 */
#ifndef BM_TESTS_SPLICE_RUN_H
#define BM_TESTS_SPLICE_RUN_H

#include "splice_stream.h"

#include "flow/output.h"
#include "inflate/inflate.h"
#include "splice/splice.h"

#include <zlib.h>

/* An edit of a child's text: several at one offset apply in their order. */
enum edit_kind {
    EDIT_BEGIN, /* a fragment begins; text from here on is kept */
    EDIT_END,   /* the fragment ends; text from here on is dropped */
    EDIT_DROP,  /* text from here on is dropped */
    EDIT_KEEP,  /* text from here on is kept */
    EDIT_INSERT /* text is inserted, in a dropped stretch, too */
};

struct edit {
    uint64_t offset;
    enum edit_kind kind;
    uint32_t n_insert;
    const char *insert;
};

/* Edits of a whole child, with their own text. */
struct script {
    struct edit *edits;
    size_t n, room;
    struct bytes text; /* of all insertions, in order */
};

static inline void script_add(struct script *script, enum edit_kind kind, uint64_t offset, const void *text,
                              size_t n_text) {
    if (script->n == script->room) {
        script->room = 2 * script->room + 64;
        script->edits = realloc(script->edits, script->room * sizeof *script->edits);
        must(script->edits != NULL);
    }
    script->edits[script->n++] = (struct edit){.offset = offset, .kind = kind, .n_insert = (uint32_t)n_text};
    bytes_add(&script->text, text, n_text);
}

/* Call it when all edits are there. */
static inline void script_finish(struct script *script) {
    size_t place = 0;
    for (size_t i = 0; i < script->n; i++) {
        if (script->edits[i].kind == EDIT_INSERT)
            script->edits[i].insert = (const char *)script->text.data + place;
        place += script->edits[i].n_insert;
    }
}

static inline void script_free(struct script *script) {
    free(script->edits);
    bytes_free(&script->text);
    memset(script, 0, sizeof *script);
}

/* What the result should be: the edited text, and how long it is at each fragment's end. */
struct expectation {
    struct bytes text;
    size_t *ends;
    size_t n_ends;
};

static inline void expect(struct expectation *expected, const struct script *script, const uint8_t *text,
                          size_t n_text) {
    bool is_kept = false;
    uint64_t place = 0;
    memset(expected, 0, sizeof *expected);
    expected->ends = calloc(script->n + 1, sizeof *expected->ends);
    for (size_t i = 0; i <= script->n; i++) {
        uint64_t offset = i < script->n ? script->edits[i].offset : n_text;
        if (is_kept) bytes_add(&expected->text, text + place, (size_t)(offset - place));
        place = offset;
        if (i == script->n) break;
        const struct edit *edit = &script->edits[i];
        if (edit->kind == EDIT_INSERT) bytes_add(&expected->text, edit->insert, edit->n_insert);
        if (edit->kind == EDIT_BEGIN || edit->kind == EDIT_KEEP) is_kept = true;
        if (edit->kind == EDIT_DROP || edit->kind == EDIT_END) is_kept = false;
        if (edit->kind == EDIT_END) expected->ends[expected->n_ends++] = expected->text.n;
    }
}

static inline void expectation_free(struct expectation *expected) {
    bytes_free(&expected->text);
    free(expected->ends);
}

/* How a splice is driven. */
struct drive {
    bool is_inflated; /* batches come from inflate, as in a merge; else they are made within these limits */
    struct batch_limits limits;
    uint64_t hold_seed; /* 0: nothing is held back at a batch's end; else how much is drawn from this */
    uint64_t step_seed; /* 0: a step for each batch; else steps of any size */
    bool is_bytewise;   /* steps of a byte */
    size_t room;        /* the output is emptied when so little is left; 0: when it must be */
};

struct result {
    struct bytes data;
    size_t *ends; /* where fragments end in it, if steps stopped there */
    size_t n_ends;
    uint32_t crc32;
    uint64_t n_text;
};

static inline void result_free(struct result *result) {
    bytes_free(&result->data);
    free(result->ends);
}

struct runner {
    struct bm_memory memory;
    struct bm_splice_sink *sink;
    struct bm_splice_reader *reader;
    struct bm_inflate *inflate;
    struct bm_batch batches[2];
    struct bm_output output;
    struct bm_script *script;
};

static inline void runner_open(struct runner *runner) {
    const struct bm_splice_settings settings = {.form = BLASTMERGE_FORM_GZIP};
    bm_memory_open(&runner->memory, NULL);
    enum blastmerge_status status = bm_splice_sink_open(&runner->sink, &settings, &runner->memory);
    if (status == BLASTMERGE_OK) status = bm_splice_reader_open(&runner->reader, &runner->memory);
    if (status == BLASTMERGE_OK) status = bm_inflate_open(&runner->inflate, &runner->memory);
    for (int i = 0; i < 2 && status == BLASTMERGE_OK; i++)
        status = bm_batch_open(&runner->batches[i], &runner->memory);
    runner->output.size = BM_OUTPUT_SIZE;
    runner->output.data = bm_allocate(&runner->memory, BM_OUTPUT_SIZE);
    runner->script = bm_allocate(&runner->memory, sizeof *runner->script);
    must(status == BLASTMERGE_OK && runner->output.data != NULL && runner->script != NULL);
}

static inline void runner_close(struct runner *runner) {
    bm_splice_sink_close(runner->sink);
    bm_splice_reader_close(runner->reader);
    bm_inflate_close(runner->inflate, &runner->memory);
    for (int i = 0; i < 2; i++) bm_batch_close(&runner->batches[i], &runner->memory);
    bm_release(&runner->memory, runner->output.data);
    bm_release(&runner->memory, runner->script);
    must(runner->memory.n_bytes == 0);
}

static inline void empty_output(struct runner *runner, struct result *result) {
    bytes_add(&result->data, runner->output.data, runner->output.n_data);
    runner->output.n_data = 0;
}

static inline void add_to_script(struct bm_script *script, const struct edit *edit) {
    bm_script_go(script, edit->offset);
    switch (edit->kind) {
    case EDIT_BEGIN:
        bm_script_begin(script);
        break;
    case EDIT_END:
        bm_script_end(script);
        break;
    case EDIT_DROP:
        bm_script_stop(script);
        break;
    case EDIT_KEEP:
        bm_script_resume(script);
        break;
    case EDIT_INSERT:
        bm_script_insert(script, edit->insert, edit->n_insert);
    }
}

/* Steps until everything up to safe is done, with the script's edits before n_known. */
static inline void step_to(struct runner *runner, const struct bm_batch *batch, const struct script *script,
                           size_t *n_given, size_t n_known, uint64_t safe, bool is_last, size_t room,
                           struct result *result) {
    struct bm_script *entries = runner->script;
    for (;;) {
        bm_script_compact(entries);
        while (*n_given < n_known && entries->n_entries + 4 < BM_SCRIPT_ENTRIES)
            add_to_script(entries, &script->edits[(*n_given)++]);
        bool is_all = *n_given == n_known;
        if (is_all) bm_script_go(entries, safe);
        bm_splice_give(runner->reader, batch, is_all && is_last);
        enum bm_step step = bm_splice_step(runner->sink, &runner->reader, 1, entries, &runner->output);
        must(step == BM_STEP_FULL || (step == BM_STEP_DONE && entries->position + 1 >= entries->n_entries));
        if (step == BM_STEP_FULL || bm_output_room(&runner->output) < room) empty_output(runner, result);
        if (is_all && step == BM_STEP_DONE) break;
    }
}

/* The steps of one batch up to `end`. */
static inline void run_batch(struct runner *runner, const struct bm_batch *batch, const struct script *script,
                             const struct drive *drive, struct dice *dice, size_t *n_given, uint64_t *safe,
                             uint64_t end, bool is_final, struct result *result) {
    for (bool is_last = false; !is_last;) {
        size_t n_known = *n_given;
        uint64_t next = end;
        if (drive->is_bytewise) next = *safe + 1 < end ? *safe + 1 : end;
        if (drive->step_seed != 0 && chance(dice, 97))
            next = *safe + below(dice, (uint32_t)(end - *safe) / (1 + below(dice, 30)) + 1);
        while (n_known < script->n && script->edits[n_known].offset < next) n_known++;
        while (n_known < script->n && script->edits[n_known].offset == next) {
            if (drive->step_seed != 0 && chance(dice, 30)) break; /* it comes later */
            n_known++;
        }
        bool is_known = n_known == script->n || script->edits[n_known].offset > end;
        is_last = next == end && (is_known || (!is_final && chance(dice, 10)));
        for (size_t i = *n_given; i < n_known && result->ends != NULL; i++) { /* stop where a fragment ends */
            if (script->edits[i].kind != EDIT_END) continue;
            step_to(runner, batch, script, n_given, i + 1, script->edits[i].offset, false, drive->room,
                    result);
            empty_output(runner, result);
            result->ends[result->n_ends++] = result->data.n;
        }
        step_to(runner, batch, script, n_given, n_known, next, is_last, drive->room, result);
        *safe = next;
    }
}

/* The next batch, by inflate or by the test's own means. False if it is the last. *position says how far the
 * stream has been read. */
static inline bool next_batch(struct runner *runner, const struct stream *stream, const struct drive *drive,
                              struct bm_batch *batch, size_t *position) {
    struct blastmerge_error error;
    size_t n_used = 0;
    if (!drive->is_inflated) {
        batch_fill(batch, stream, position, &drive->limits);
        return *position < stream->n_entries;
    }
    enum bm_step result = bm_inflate_step(runner->inflate, batch, stream->gzip.data + *position,
                                          stream->gzip.n - *position, &n_used, true, &error);
    must(result == BM_STEP_FULL || result == BM_STEP_DONE);
    *position += n_used;
    return result == BM_STEP_FULL;
}

/* Splices a child. With wants_ends, steps stop at the ends of fragments. */
static inline void run(struct runner *runner, const struct stream *stream, const struct script *script,
                       const struct drive *drive, bool wants_ends, struct result *result) {
    struct dice holds = {.state = drive->hold_seed}, steps = {.state = drive->step_seed};
    struct bm_batch *before = NULL;
    size_t position = 0, n_given = 0;
    uint64_t safe = 0;
    memset(result, 0, sizeof *result);
    if (wants_ends) result->ends = calloc(script->n + 1, sizeof *result->ends);
    runner->output.n_data = 0;
    runner->output.crc32 = 0;
    runner->output.n_text = 0;
    bm_script_start(runner->script, 0);
    must(bm_splice_begin(runner->sink, runner->reader, true) == BLASTMERGE_OK);
    bm_inflate_reset(runner->inflate);
    bool goes_on = true;
    for (int i = 0; goes_on; i++) {
        struct bm_batch *batch = &runner->batches[i & 1];
        bm_batch_begin(batch, before);
        goes_on = next_batch(runner, stream, drive, batch, &position);
        uint64_t end = batch->text_offset + batch->n_text;
        if (goes_on && drive->hold_seed != 0 && chance(&holds, 60)) {
            uint64_t hold = below(&holds, chance(&holds, 50) ? 8192 : 64);
            end = end - safe > hold ? end - hold : safe;
        }
        run_batch(runner, batch, script, drive, &steps, &n_given, &safe, end, !goes_on, result);
        before = batch;
    }
    must(runner->script->position == runner->script->n_entries);
    empty_output(runner, result);
    result->crc32 = runner->output.crc32;
    result->n_text = runner->output.n_text;
}

/* --- checks; each returns NULL or what is wrong --------------------------------------------------- */

/* Whether the data, with an empty final block after it, inflates to this text. */
static inline const char *check_inflate(const uint8_t *data, size_t n_data, const uint8_t *text,
                                        size_t n_text) {
    static const uint8_t final_block[2] = {3, 0};
    static uint8_t byte;
    const char *fault = NULL;
    uint8_t *out = malloc(n_text + 1);
    z_stream z;
    memset(&z, 0, sizeof z);
    if (out == NULL || inflateInit2(&z, -15) != Z_OK) return "no memory";
    z.next_in = n_data > 0 ? (uint8_t *)(uintptr_t)data : &byte;
    z.avail_in = (unsigned)n_data;
    z.next_out = out;
    z.avail_out = (unsigned)n_text + 1;
    int status = inflate(&z, Z_SYNC_FLUSH);
    if (status != Z_OK && status != Z_BUF_ERROR) fault = z.msg != NULL ? z.msg : "inflate failed";
    if (fault == NULL && z.avail_in != 0) fault = "more text than there should be";
    z.next_in = (uint8_t *)(uintptr_t)final_block;
    z.avail_in = 2;
    if (fault == NULL && inflate(&z, Z_FINISH) != Z_STREAM_END) fault = "the end is not at a byte border";
    if (fault == NULL && z.avail_in != 0) fault = "the end is not at a byte border";
    if (fault == NULL && z.total_out != n_text) fault = "the text has another length";
    if (fault == NULL && memcmp(out, text, n_text) != 0) fault = "the text is another one";
    inflateEnd(&z);
    free(out);
    return fault;
}

static inline const char *check_result(const struct result *result, const struct expectation *expected) {
    const struct bytes *text = &expected->text;
    const uint8_t none = 0, *data = text->n > 0 ? text->data : &none;
    const char *fault = check_inflate(result->data.data, result->data.n, data, text->n);
    if (fault != NULL) return fault;
    if (result->n_text != text->n) return "the length is wrong";
    if (result->crc32 != bm_crc32(0, data, text->n)) return "the CRC-32 is wrong";
    if (result->ends == NULL) return NULL;
    if (result->n_ends != expected->n_ends) return "the fragments are not as many as they should be";
    for (size_t i = 0, from = 0, text_from = 0; i < result->n_ends && fault == NULL; i++) {
        fault = check_inflate(result->data.data + from, result->ends[i] - from, data + text_from,
                              expected->ends[i] - text_from);
        from = result->ends[i];
        text_from = expected->ends[i];
    }
    return fault != NULL ? "a fragment does not stand alone" : NULL;
}

#endif
