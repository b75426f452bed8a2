/* SPDX-License-Identifier: MIT */
/*
 * Several children in one script: their texts are taken in turn, in stretches of any size, some from children without
 * a trace; some begin behind their first batches. What must hold is what splice_cases.h asks of one child, and that
 * packing comes to the same text.
 */
#ifndef BM_TESTS_SPLICE_MANY_H
#define BM_TESTS_SPLICE_MANY_H

#include "splice_cases.h"

#include "splice/walk.h"

enum { MOST_CHILDREN = 5, MOST_STEPS = 400 };

/* What the script says, entry by entry. */
struct many_entry {
    enum bm_script_kind kind;
    uint16_t child;
    uint64_t offset; /* TAKE, SKIP */
    uint32_t n_text; /* INSERT */
    size_t text;     /* where it lies in the script's text */
};

struct many_script {
    struct many_entry entries[3 * MOST_STEPS];
    size_t n;
    size_t n_fragments;
    struct bytes text;
};

struct many {
    size_t n_children;
    struct stream streams[MOST_CHILDREN];
    bool has_trace[MOST_CHILDREN];
    size_t n_passed[MOST_CHILDREN]; /* batches before the first one that is given ... */
    uint64_t begins[MOST_CHILDREN]; /* ... and the text before it */
    struct batch_limits limits;
    struct many_script script;
};

/* A child on its way through its batches. */
struct many_child {
    struct bm_batch batches[2];
    unsigned which;
    size_t position; /* in its stream */
    bool is_last;    /* the splice was told that the batch goes */
};

/* What writes, in one of its ways. */
struct many_runner {
    struct bm_memory memory;
    struct bm_workers workers;
    struct bm_splice_sink *sink;
    struct bm_splice_reader *readers[MOST_CHILDREN];
    struct many_child children[MOST_CHILDREN];
    struct bm_output output;
    struct bm_script *script;
};

static inline void many_open(struct many_runner *runner, int level) {
    const struct bm_splice_settings settings = {
        .form = BLASTMERGE_FORM_GZIP, .level = level, .workers = &runner->workers};
    memset(runner, 0, sizeof *runner);
    bm_memory_open(&runner->memory, NULL);
    must(bm_workers_open(&runner->workers, 0, &runner->memory) == BLASTMERGE_OK);
    must(bm_splice_sink_open(&runner->sink, &settings, &runner->memory) == BLASTMERGE_OK);
    for (int i = 0; i < MOST_CHILDREN; i++) {
        must(bm_splice_reader_open(&runner->readers[i], &runner->memory) == BLASTMERGE_OK);
        for (int k = 0; k < 2; k++)
            must(bm_batch_open(&runner->children[i].batches[k], &runner->memory) == BLASTMERGE_OK);
    }
    runner->output.size = BM_OUTPUT_LEAST; /* it is full often */
    runner->output.data = bm_allocate(&runner->memory, runner->output.size);
    runner->script = bm_allocate(&runner->memory, sizeof *runner->script);
    must(runner->output.data != NULL && runner->script != NULL);
}

static inline void many_close(struct many_runner *runner) {
    bm_splice_sink_close(runner->sink);
    for (int i = 0; i < MOST_CHILDREN; i++) {
        bm_splice_reader_close(runner->readers[i]);
        for (int k = 0; k < 2; k++) bm_batch_close(&runner->children[i].batches[k], &runner->memory);
    }
    bm_release(&runner->memory, runner->output.data);
    bm_release(&runner->memory, runner->script);
    bm_workers_close(&runner->workers, &runner->memory);
    must(runner->memory.n_bytes == 0);
}

/* Makes the child's next batch. */
static inline struct bm_batch *many_make_batch(struct many_child *child, const struct stream *stream,
                                               const struct batch_limits *limits, bool is_first) {
    struct bm_batch *before = &child->batches[child->which];
    struct bm_batch *batch = &child->batches[child->which ^= 1];
    bm_batch_begin(batch, is_first ? NULL : before);
    batch_fill(batch, stream, &child->position, limits);
    return batch;
}

/* --- cases --------------------------------------------------------------------------------------- */

static inline void many_add(struct many_script *script, enum bm_script_kind kind, uint16_t child,
                            uint64_t offset) {
    must(script->n < sizeof script->entries / sizeof script->entries[0]);
    script->entries[script->n++] = (struct many_entry){.kind = kind, .child = child, .offset = offset};
}

static inline void many_insert(struct dice *dice, struct many_script *script, uint16_t child) {
    const uint32_t most = splice_scale.max_insert < 5000 ? splice_scale.max_insert : 5000;
    uint32_t n = 1 + below(dice, chance(dice, 90) ? 12 : most);
    many_add(script, BM_SCRIPT_INSERT, child, 0);
    script->entries[script->n - 1].n_text = n;
    script->entries[script->n - 1].text = script->text.n;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)('0' + below(dice, 10));
        bytes_add(&script->text, &byte, 1);
    }
}

static inline void make_many_script(struct dice *dice, struct many *many) {
    static const uint32_t strides[] = {3, 40, 900, 20000, 200000};
    uint64_t places[MOST_CHILDREN];
    struct many_script *script = &many->script;
    memcpy(places, many->begins, sizeof places);
    const uint32_t stride = strides[below(dice, 5)];
    const size_t n_steps = 1 + below(dice, splice_scale.max_entries);
    bool is_in_fragment = false;
    for (size_t i = 0; i < n_steps; i++) {
        uint16_t child = (uint16_t)below(dice, (uint32_t)many->n_children);
        uint64_t *place = &places[child], end = many->streams[child].text.n;
        bool is_skip = !is_in_fragment || chance(dice, 25);
        uint64_t next = further(dice, *place, end, stride);
        if (next > *place) many_add(script, is_skip ? BM_SCRIPT_SKIP : BM_SCRIPT_TAKE, child, next);
        *place = next;
        if (is_in_fragment && chance(dice, 15)) many_insert(dice, script, child);
        if (chance(dice, is_in_fragment ? 2 : 60)) {
            many_add(script, is_in_fragment ? BM_SCRIPT_END : BM_SCRIPT_BEGIN, child, *place);
            script->n_fragments += is_in_fragment;
            is_in_fragment = !is_in_fragment;
        }
    }
    if (!is_in_fragment) return;
    many_add(script, BM_SCRIPT_END, 0, 0);
    script->n_fragments++;
}

/* Passes over some of the child's first batches, but not all. */
static inline void many_choose_begin(struct dice *dice, struct many *many, size_t number) {
    struct many_child child = {.position = 0};
    struct bm_memory memory;
    const size_t n_wanted = chance(dice, 50) ? 1 + below(dice, 6) : 0;
    bm_memory_open(&memory, NULL);
    for (int k = 0; k < 2; k++) must(bm_batch_open(&child.batches[k], &memory) == BLASTMERGE_OK);
    for (size_t n = 0; n < n_wanted; n++) {
        const struct bm_batch *batch = many_make_batch(&child, &many->streams[number], &many->limits, n == 0);
        if (child.position == many->streams[number].n_entries) break;
        many->n_passed[number] = n + 1;
        many->begins[number] = bm_batch_end(batch);
    }
    for (int k = 0; k < 2; k++) bm_batch_close(&child.batches[k], &memory);
}

static inline void make_many(struct dice *dice, struct many *many) {
    memset(many, 0, sizeof *many);
    many->n_children = 1 + below(dice, MOST_CHILDREN);
    for (size_t i = 0; i < many->n_children; i++) {
        make_stream(dice, &many->streams[i]);
        many->has_trace[i] = chance(dice, 80);
    }
    many->limits = make_drive(dice).limits;
    for (size_t i = 0; i < many->n_children; i++)
        if (many->has_trace[i]) many_choose_begin(dice, many, i);
    make_many_script(dice, many);
}

static inline void many_free(struct many *many) {
    for (size_t i = 0; i < many->n_children; i++) stream_free(&many->streams[i]);
    bytes_free(&many->script.text);
}

static inline void many_expect(struct expectation *expected, const struct many *many) {
    const struct many_script *script = &many->script;
    uint64_t places[MOST_CHILDREN];
    memcpy(places, many->begins, sizeof places);
    memset(expected, 0, sizeof *expected);
    expected->ends = calloc(script->n_fragments + 1, sizeof *expected->ends);
    must(expected->ends != NULL);
    for (size_t i = 0; i < script->n; i++) {
        const struct many_entry *entry = &script->entries[i];
        uint64_t *place = &places[entry->child];
        if (entry->kind == BM_SCRIPT_TAKE)
            bytes_add(&expected->text, many->streams[entry->child].text.data + *place,
                      entry->offset - *place);
        if (entry->kind == BM_SCRIPT_TAKE || entry->kind == BM_SCRIPT_SKIP) *place = entry->offset;
        if (entry->kind == BM_SCRIPT_INSERT)
            bytes_add(&expected->text, script->text.data + entry->text, entry->n_text);
        if (entry->kind == BM_SCRIPT_END) expected->ends[expected->n_ends++] = expected->text.n;
    }
}

/* --- runs ---------------------------------------------------------------------------------------- */

/* Gives the child's next batch. */
static inline void many_next_batch(struct many_runner *runner, const struct many *many, size_t number,
                                   bool is_first) {
    struct many_child *child = &runner->children[number];
    struct bm_batch *batch = many_make_batch(child, &many->streams[number], &many->limits, is_first);
    batch->has_trace = many->has_trace[number];
    child->is_last = false;
    bm_splice_give(runner->readers[number], batch, false);
}

static inline void many_begin(struct many_runner *runner, const struct many *many) {
    runner->output = (struct bm_output){.data = runner->output.data, .size = runner->output.size};
    bm_script_start(runner->script, 0);
    for (size_t i = 0; i < many->n_children; i++) {
        struct many_child *child = &runner->children[i];
        const size_t n_passed = many->n_passed[i];
        struct bm_splice_inside inside = {0};
        child->position = 0;
        for (size_t n = 0; n < n_passed; n++)
            bm_splice_follow(&inside, many_make_batch(child, &many->streams[i], &many->limits, n == 0));
        must((n_passed == 0 ? bm_splice_begin(runner->sink, runner->readers[i], many->has_trace[i])
                            : bm_splice_begin_inside(runner->sink, runner->readers[i], &inside,
                                                     many->begins[i])) == BLASTMERGE_OK);
        many_next_batch(runner, many, i, n_passed == 0);
    }
}

/* Adds an entry; of fragments other than `only` (SIZE_MAX: all are wanted) the text is skipped. */
static inline void many_say(struct bm_script *script, const struct many *many, uint64_t *places,
                            const struct many_entry *entry, bool is_wanted) {
    bm_script_turn(script, entry->child, places[entry->child]);
    if (entry->kind == BM_SCRIPT_TAKE && is_wanted) bm_script_take(script, entry->offset);
    if (entry->kind == BM_SCRIPT_SKIP || (entry->kind == BM_SCRIPT_TAKE && !is_wanted))
        bm_script_skip(script, entry->offset);
    if (entry->kind == BM_SCRIPT_TAKE || entry->kind == BM_SCRIPT_SKIP) places[entry->child] = entry->offset;
    if (!is_wanted) return;
    if (entry->kind == BM_SCRIPT_INSERT)
        bm_script_insert(script, (const char *)many->script.text.data + entry->text, entry->n_text);
    if (entry->kind == BM_SCRIPT_BEGIN) bm_script_begin(script);
    if (entry->kind == BM_SCRIPT_END) bm_script_end(script);
}

/* One step, and what it wants after it. False if that is more of the script, or nothing. */
static inline bool many_step(struct many_runner *runner, const struct many *many, bool is_emptied,
                             struct result *result) {
    struct bm_script *script = runner->script;
    enum bm_step step =
        bm_splice_step(runner->sink, runner->readers, many->n_children, script, &runner->output);
    must(step == BM_STEP_FULL || step == BM_STEP_DONE);
    if (step == BM_STEP_FULL || is_emptied) {
        bytes_add(&result->data, runner->output.data, runner->output.n_data);
        runner->output.n_data = 0;
    }
    if (step == BM_STEP_FULL) return true;
    if (script->position == script->n_entries) return false;
    const struct bm_script_entry *entry = &script->entries[script->position];
    struct many_child *child = &runner->children[entry->child];
    const struct bm_batch *batch = &child->batches[child->which];
    if (entry->offset <= bm_batch_end(batch)) { /* it is open, and goes no further as yet */
        must(script->position + 1 == script->n_entries);
        return false;
    }
    if (child->is_last) {
        many_next_batch(runner, many, entry->child, false);
    } else {
        child->is_last = true;
        bm_splice_give(runner->readers[entry->child], batch, true);
    }
    return true;
}

/* steps NULL: all is said as early as there is room for; else entry by entry, or a few at once. only: see above. */
static inline void many_run(struct many_runner *runner, const struct many *many, struct dice *steps,
                            size_t only, struct result *result) {
    const struct many_script *said = &many->script;
    struct bm_script *script = runner->script;
    uint64_t places[MOST_CHILDREN];
    size_t i = 0, fragment = 0;
    memcpy(places, many->begins, sizeof places);
    memset(result, 0, sizeof *result);
    result->ends = calloc(said->n_fragments + 1, sizeof *result->ends);
    must(result->ends != NULL);
    many_begin(runner, many);
    bool goes_on = true;
    while (i < said->n || goes_on) {
        size_t n = steps == NULL ? SIZE_MAX : below(steps, chance(steps, 80) ? 3 : 50);
        bool has_ended = false;
        bm_script_compact(script);
        for (; n > 0 && i < said->n && !has_ended && script->n_entries < BM_SCRIPT_ENTRIES; n--, i++) {
            bool is_end = said->entries[i].kind == BM_SCRIPT_END;
            many_say(script, many, places, &said->entries[i], only == SIZE_MAX || only == fragment);
            fragment += is_end;
            has_ended = is_end && steps != NULL;
        }
        do /* to the fragment's end, so that it is known where it lies */
            goes_on = many_step(runner, many, steps != NULL && chance(steps, 30), result);
        while (has_ended && goes_on);
        if (!has_ended) continue;
        bytes_add(&result->data, runner->output.data, runner->output.n_data);
        runner->output.n_data = 0;
        result->ends[result->n_ends++] = result->data.n;
    }
    bytes_add(&result->data, runner->output.data, runner->output.n_data);
    result->crc32 = runner->output.crc32;
    result->n_text = runner->output.n_text;
}

/* In one of the two runners' ways: the text is right, in any steps, and each fragment stands alone. */
static inline const char *check_many_way(struct many_runner *runner, const struct many *many,
                                         struct dice *dice, const struct expectation *expected) {
    struct result whole, stepped, alone;
    struct dice steps = {.state = 1 + roll(dice)};
    many_run(runner, many, &steps, SIZE_MAX, &stepped);
    const char *fault = check_result(&stepped, expected);
    if (!splice_scale.is_thorough) {
        result_free(&stepped);
        return fault;
    }
    many_run(runner, many, NULL, SIZE_MAX, &whole);
    if (fault == NULL && !same_bytes(whole.data.data, whole.data.n, stepped.data.data, stepped.data.n))
        fault = "other steps give other bytes";
    if (fault == NULL && (whole.crc32 != stepped.crc32 || whole.n_text != stepped.n_text))
        fault = "other steps give another CRC-32 or length";
    if (fault == NULL && stepped.n_ends > 1) {
        size_t only = below(dice, (uint32_t)stepped.n_ends);
        size_t from = only == 0 ? 0 : stepped.ends[only - 1];
        many_run(runner, many, NULL, only, &alone);
        if (!same_bytes(alone.data.data, alone.data.n, stepped.data.data + from, stepped.ends[only] - from))
            fault = "a fragment made alone has other bytes";
        result_free(&alone);
    }
    result_free(&whole);
    result_free(&stepped);
    return fault;
}

/* A case drawn from the dice, for a runner that splices and one that packs. NULL, or what is wrong. */
static inline const char *check_many(struct many_runner *splicer, struct many_runner *packer,
                                     struct dice *dice) {
    static struct many many;
    struct expectation expected;
    make_many(dice, &many);
    many_expect(&expected, &many);
    const bool is_packed = chance(dice, 30); /* the one way, if it is not both */
    const char *fault = NULL;
    if (splice_scale.is_thorough || !is_packed) fault = check_many_way(splicer, &many, dice, &expected);
    if (fault == NULL && (splice_scale.is_thorough || is_packed))
        fault = check_many_way(packer, &many, dice, &expected);
    expectation_free(&expected);
    many_free(&many);
    return fault;
}

#endif
