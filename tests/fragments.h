/* SPDX-License-Identifier: MIT */
/*
 * A merge by fragments: each child is counted on its own, in any order; the tallies are added up; each child is
 * numbered and written on its own, in any order, from the tally before it; and the fragments are joined. The
 * result must be the plain merge's, byte for byte. Shared by a test and a fuzz target.
 */
#ifndef TEST_FRAGMENTS_H
#define TEST_FRAGMENTS_H

#include "child/child.h"
#include "number/number.h"
#include "splice/splice.h"
#include "stitch/stitch.h"

#include <stdlib.h>
#include <string.h>

struct fragment_options {
    enum blastmerge_query_ids query_ids;
    enum blastmerge_invalid_utf8 invalid_utf8;
    enum blastmerge_forbidden_characters forbidden_characters;
    int keeps_numbers;    /* as --as-unsplit */
    const char *database; /* NULL: kept */
    int level;            /* 0: children are spliced if they are gzip */
};

struct fragment_child {
    const void *data;
    size_t n;
};

/* What one child came to. */
struct fragment {
    struct bm_tally tally; /* its own */
    uint8_t *data;
    size_t n;
    uint32_t crc32;
    uint64_t n_text;
};

/* What it takes to read one child after the other. */
struct fragment_maker {
    const struct fragment_options *options;
    struct bm_memory memory;
    struct bm_workers workers;
    struct bm_cancel cancel;
    struct bm_child child;
    struct bm_script *script;
    struct bm_output output;
    struct bm_splice_sink *sink;
    struct bm_splice_reader *reader;
    struct bm_mark_kin kin;
};

static inline void fragment_need(int condition) {
    if (!condition) abort();
}

static inline void fragment_open(struct fragment_maker *maker, const struct fragment_options *options) {
    struct blastmerge_error error;
    memset(maker, 0, sizeof *maker);
    maker->options = options;
    bm_memory_open(&maker->memory, NULL);
    bm_cancel_init(&maker->cancel);
    fragment_need(bm_cancel_begin(&maker->cancel, &error) == BLASTMERGE_OK);
    fragment_need(bm_workers_open(&maker->workers, 0, &maker->memory) == BLASTMERGE_OK);
    const struct bm_child_settings settings = {
        .invalid_utf8 = options->invalid_utf8,
        .forbidden_characters = options->forbidden_characters,
        .tells_queries = options->query_ids != BLASTMERGE_QUERY_IDS_KEEP,
        .room = bm_child_lane_room_of(&maker->workers),
    };
    const struct bm_splice_settings splice_settings = {
        .form = BLASTMERGE_FORM_GZIP, .level = options->level, .workers = &maker->workers};
    fragment_need(bm_child_create(&maker->child, &settings, &maker->workers, &maker->memory) ==
                  BLASTMERGE_OK);
    fragment_need(bm_splice_sink_open(&maker->sink, &splice_settings, &maker->memory) == BLASTMERGE_OK);
    fragment_need(bm_splice_reader_open(&maker->reader, &maker->memory) == BLASTMERGE_OK);
    maker->script = bm_allocate(&maker->memory, sizeof *maker->script);
    maker->output.size = BM_OUTPUT_SIZE;
    maker->output.data = bm_allocate(&maker->memory, BM_OUTPUT_SIZE);
    fragment_need(maker->script != NULL && maker->output.data != NULL);
}

static inline void fragment_close(struct fragment_maker *maker) {
    bm_splice_sink_close(maker->sink);
    bm_child_destroy(&maker->child, &maker->memory);
    bm_workers_close(&maker->workers, &maker->memory);
    bm_splice_reader_close(maker->reader);
    bm_release(&maker->memory, maker->script);
    bm_release(&maker->memory, maker->output.data);
    bm_cancel_close(&maker->cancel);
    fragment_need(maker->memory.n_bytes == 0);
}

/* Moves what was written to the fragment. */
static inline void fragment_empty(struct bm_output *output, struct fragment *fragment) {
    if (output->n_data == 0) return;
    fragment->data = realloc(fragment->data, fragment->n + output->n_data);
    fragment_need(fragment->data != NULL);
    memcpy(fragment->data + fragment->n, output->data, output->n_data);
    fragment->n += output->n_data;
    output->n_data = 0;
}

static inline void fragment_write(struct fragment_maker *maker, const struct bm_view *view,
                                  struct fragment *fragment) {
    enum bm_step step = BM_STEP_FULL;
    while (step == BM_STEP_FULL) {
        bm_splice_give(maker->reader, view->batch, view->is_end_of_batch);
        step = bm_splice_step(maker->sink, &maker->reader, 1, maker->script, &maker->output);
        fragment_need(step != BM_STEP_FAILED);
        fragment_empty(&maker->output, fragment);
    }
}

/* Reads all of a child; writes it, too, if there is a fragment. */
static inline enum blastmerge_status fragment_read(struct fragment_maker *maker, struct bm_number *number,
                                                   const struct fragment_child *data,
                                                   struct fragment *fragment) {
    struct bm_fetch_source source = bm_fetch_source_memory("child", data->data, data->n);
    struct blastmerge_error error = {0};
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_last = false, has_begun = false;
    bm_child_open(&maker->child, &source, &maker->cancel);
    bm_child_admit(&maker->child, &maker->kin, false);
    bm_script_start(maker->script, 0);
    maker->output.n_data = maker->output.crc32 = 0;
    maker->output.n_text = 0;
    while (status == BLASTMERGE_OK && !is_last) {
        struct bm_view view = {0};
        const struct bm_batch *batch = bm_child_take(&maker->child, &is_last, &error);
        if (batch == NULL) {
            status = error.status;
            break;
        }
        if (is_last && batch->text_offset == 0 && batch->n_text == 0) break; /* there is no text */
        if (!has_begun)
            fragment_need(bm_splice_begin(maker->sink, maker->reader, batch->has_trace) == BLASTMERGE_OK);
        has_begun = true;
        while (status == BLASTMERGE_OK && !view.is_end_of_batch) {
            uint64_t safe = 0, end = bm_batch_end(batch);
            bm_script_compact(maker->script);
            status = bm_child_scan(&maker->child, SIZE_MAX, &view, &error);
            if (status != BLASTMERGE_OK) break;
            bm_number_take(number, view.marks, batch, view.safe, maker->script);
            if (view.field != NULL) bm_number_take_field(number, view.field);
            safe = bm_number_safe(number, view.safe, maker->script);
            if (is_last && view.is_end_of_batch) {
                while (status == BLASTMERGE_OK && !bm_mark_is_finished(maker->child.mark)) {
                    status = bm_child_finish(&maker->child, &view, &error);
                    if (status != BLASTMERGE_OK) break;
                    bm_number_take(number, view.marks, batch, view.safe, maker->script);
                }
                safe = UINT64_MAX;
            }
            if (number->now.excess.what != NULL) status = BLASTMERGE_MISMATCH;
            bm_script_catch_up(maker->script, safe < end ? safe : end);
            if (fragment != NULL && status == BLASTMERGE_OK) fragment_write(maker, &view, fragment);
            if (fragment == NULL) maker->script->position = maker->script->n_entries;
        }
        bm_child_give(&maker->child);
    }
    if (fragment != NULL) {
        fragment->crc32 = maker->output.crc32;
        fragment->n_text = maker->output.n_text;
    }
    if (status == BLASTMERGE_OK && maker->kin.format == BLASTMERGE_FORMAT_AUTO)
        maker->kin = bm_mark_kin(maker->child.mark);
    bm_child_close(&maker->child);
    return status;
}

/* before NULL: it is counted. */
static inline void fragment_begin_number(struct bm_number *number, const struct fragment_options *options,
                                         const struct bm_tally *before) {
    bm_number_open(number, options->database, options->query_ids, options->keeps_numbers != 0);
    if (before == NULL)
        bm_number_count(number);
    else
        bm_number_begin(number, before);
}

/* By members: a compiler need not copy what lies between them. Before the first Iteration the line does not count. */
static inline int fragment_is_same(const struct bm_tally *a, const struct bm_tally *b) {
    return a->n_documents == b->n_documents && a->n_iterations == b->n_iterations &&
           a->last_numbers == b->last_numbers && a->generated_ids == b->generated_ids &&
           a->positions == b->positions && a->n_counted == b->n_counted && a->n_queries == b->n_queries &&
           a->has_unnamed == b->has_unnamed && (a->n_iterations == 0 || a->line == b->line);
}

/* All of one merge by fragments. */
struct fragment_merge {
    const struct fragment_options *options;
    const struct fragment_child *children;
    size_t n_children;
    const size_t *order;
    struct fragment_maker maker;
    struct fragment *fragments;
    struct bm_tally *before; /* each child's */
    struct bm_tally total;
    struct bm_number *number;
    struct bm_number *first; /* the one that had the result's first document */
};

/* Counts each child on its own, and adds up. The first child that holds something is counted first, for what
 * it is the others must be. */
static inline enum blastmerge_status fragments_count(struct fragment_merge *merge) {
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = 0; i < merge->n_children && status == BLASTMERGE_OK &&
                       merge->maker.kin.format == BLASTMERGE_FORMAT_AUTO;
         i++) {
        fragment_begin_number(merge->number, merge->options, NULL);
        status = fragment_read(&merge->maker, merge->number, &merge->children[i], NULL);
    }
    for (size_t i = 0; i < merge->n_children && status == BLASTMERGE_OK; i++) {
        size_t child = merge->order[i];
        fragment_begin_number(merge->number, merge->options, NULL);
        status = fragment_read(&merge->maker, merge->number, &merge->children[child], NULL);
        merge->fragments[child].tally = bm_number_tally(merge->number);
    }
    for (size_t i = 0; i < merge->n_children && status == BLASTMERGE_OK; i++) {
        merge->before[i] = merge->total;
        if (!bm_tally_add(&merge->total, &merge->fragments[i].tally)) status = BLASTMERGE_MISMATCH;
    }
    if (status == BLASTMERGE_OK && merge->total.n_documents == 0) status = BLASTMERGE_DATA;
    return status;
}

/* Writes each child on its own, from the tally before it. */
static inline enum blastmerge_status fragments_write(struct fragment_merge *merge) {
    for (size_t i = 0; i < merge->n_children; i++) {
        size_t child = merge->order[merge->n_children - 1 - i];
        struct bm_tally after = merge->before[child];
        fragment_begin_number(merge->number, merge->options, &after);
        enum blastmerge_status status =
            fragment_read(&merge->maker, merge->number, &merge->children[child], &merge->fragments[child]);
        if (status != BLASTMERGE_OK) return status;
        const struct bm_tally seen = bm_number_tally(merge->number);
        fragment_need(bm_tally_add(&after, &merge->fragments[child].tally));
        fragment_need(fragment_is_same(&after, &seen));
        if (merge->before[child].n_documents == 0 && after.n_documents > 0) *merge->first = *merge->number;
    }
    return BLASTMERGE_OK;
}

/* Joins the fragments. */
static inline void fragments_join(struct fragment_merge *merge, struct fragment *result) {
    struct bm_output *output = &merge->maker.output;
    bool dropped = false;
    size_t n_epilogue = 0;
    *output = (struct bm_output){.data = output->data, .size = output->size};
    bm_stitch_begin(output, BLASTMERGE_FORM_GZIP);
    fragment_empty(output, result);
    for (size_t i = 0; i < merge->n_children; i++) {
        const struct fragment *fragment = &merge->fragments[i];
        if (fragment->n > 0) {
            result->data = realloc(result->data, result->n + fragment->n);
            fragment_need(result->data != NULL);
            memcpy(result->data + result->n, fragment->data, fragment->n);
            result->n += fragment->n;
        }
        bm_stitch_add(output, fragment->crc32, fragment->n_text);
    }
    const char *epilogue = bm_number_epilogue(merge->first, &merge->total, &n_epilogue, &dropped);
    bm_stitch_end(output, BLASTMERGE_FORM_GZIP, epilogue, n_epilogue);
    fragment_empty(output, result);
}

/* Merges by fragments: the result, to be freed, or NULL with a status. `order` says in which order children
 * are counted, and backwards written: it has each number below n_children once. */
static inline uint8_t *merge_by_fragments(const struct fragment_options *options,
                                          const struct fragment_child *children, size_t n_children,
                                          const size_t *order, size_t *n_result,
                                          enum blastmerge_status *status) {
    struct fragment result = {0};
    struct fragment_merge merge = {.options = options,
                                   .children = children,
                                   .n_children = n_children,
                                   .order = order,
                                   .fragments = calloc(n_children, sizeof *merge.fragments),
                                   .before = calloc(n_children, sizeof *merge.before),
                                   .number = malloc(sizeof *merge.number),
                                   .first = malloc(sizeof *merge.first)};
    fragment_need(merge.fragments != NULL && merge.before != NULL && merge.number != NULL &&
                  merge.first != NULL);
    fragment_open(&merge.maker, options);
    *status = fragments_count(&merge);
    if (*status == BLASTMERGE_OK) *status = fragments_write(&merge);
    if (*status == BLASTMERGE_OK) fragments_join(&merge, &result);
    fragment_close(&merge.maker);
    for (size_t i = 0; i < n_children; i++) free(merge.fragments[i].data);
    free(merge.fragments);
    free(merge.before);
    free(merge.number);
    free(merge.first);
    *n_result = result.n;
    return result.data;
}

#endif
