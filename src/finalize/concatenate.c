/* SPDX-License-Identifier: MIT */
/*
 * Tabular children: their gzip members one after the other, as they are. Each is decompressed, too, so that
 * nothing is copied that does not hold what it says. Zero bytes after a member, which some gzip readers take
 * for the end of all, are left out: where a member ends is told by the trace of its last block.
 */
#include "finalize/finalize.h"

#include <string.h>

enum { GZIP_TRAILER = 8 };

struct copy {
    struct bm_finalize *finalize;
    struct bm_store store;
    struct bm_workers workers;
    struct bm_lane lane;
    bool has_store_failed;
    bool has_members;

    /* the child at hand */
    uint64_t position;   /* its bytes before it were copied or left out */
    uint64_t member_end; /* of the member at hand, once that is known; else UINT64_MAX */
    bool is_final_block;
    bool ends_line; /* its text so far, if it has any */
};

/* Copies the batch's bytes up to `end`, an offset in the child. */
static enum blastmerge_status copy_to(struct copy *copy, const struct bm_batch *batch, uint64_t end) {
    uint64_t first = batch->first_bit / 8;
    uint64_t from = copy->position;
    copy->position = end;
    copy->has_members = true;
    enum blastmerge_status status = bm_store_write(&copy->store, batch->bits + (from - first),
                                                   (size_t)(end - from), copy->finalize->error);
    copy->has_store_failed = status != BLASTMERGE_OK;
    copy->finalize->job->totals.output_bytes += end - from;
    return status;
}

/* Copies up to `end`; what lies behind a member's end is left out as far as it is zero bytes. */
static enum blastmerge_status copy_members(struct copy *copy, const struct bm_batch *batch, uint64_t end) {
    uint64_t first = batch->first_bit / 8;
    enum blastmerge_status status = BLASTMERGE_OK;
    while (copy->position < end && status == BLASTMERGE_OK) {
        if (copy->position < copy->member_end)
            status = copy_to(copy, batch, copy->member_end < end ? copy->member_end : end);
        else if (batch->bits[copy->position - first] == 0)
            copy->position++;
        else
            copy->member_end = UINT64_MAX; /* another member begins */
    }
    return status;
}

/* The text so far is whole lines, or will be. XML would have no business here. */
static enum blastmerge_status take_text(struct copy *copy, const struct bm_batch *batch) {
    static const char *const beginnings[] = {"<?xml", "<BlastOutput"};
    copy->finalize->job->totals.text_bytes += batch->n_text;
    if (batch->n_text > 0) copy->ends_line = batch->text[batch->n_text - 1] == '\n';
    for (size_t i = 0; i < 2 && batch->text_offset == 0; i++) {
        size_t n = strlen(beginnings[i]);
        if (batch->n_text >= n && memcmp(batch->text, beginnings[i], n) == 0)
            return bm_fail_at(copy->finalize->error, BLASTMERGE_DATA, 0,
                              "holds XML, where its report says that it is tabular");
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status take_batch(struct copy *copy, const struct bm_batch *batch) {
    uint64_t first = batch->first_bit / 8;
    uint64_t end = (batch->end_bit + 7) / 8;
    enum blastmerge_status status = take_text(copy, batch);
    if (!batch->has_trace && status == BLASTMERGE_OK)
        return bm_fail(copy->finalize->error, BLASTMERGE_DATA, "is not compressed with gzip");
    for (size_t i = 0; i < batch->n_trace && status == BLASTMERGE_OK; i++) {
        const struct bm_trace *trace = &batch->trace[i];
        if (trace->kind == BM_TRACE_BLOCK)
            copy->is_final_block = batch->bits[trace->bit / 8 - first] >> trace->bit % 8 & 1;
        if (trace->kind != BM_TRACE_END || !copy->is_final_block) continue;
        /* A member before, and the padding after it, are done with before this one's end is noted. */
        status = copy_members(copy, batch, (trace->bit + 7) / 8);
        copy->member_end = (trace->bit + trace->n_bits + 7) / 8 + GZIP_TRAILER;
    }
    return status == BLASTMERGE_OK ? copy_members(copy, batch, end) : status;
}

static enum blastmerge_status copy_batches(struct copy *copy) {
    struct bm_finalize *finalize = copy->finalize;
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_last = false;
    while (!is_last && status == BLASTMERGE_OK) {
        const struct bm_batch *batch = bm_lane_take(&copy->lane, &is_last, &status, finalize->error);
        if (batch == NULL) return status;
        if (batch->text_offset == 0 && batch->n_text == 0 && !batch->has_trace && is_last) {
            bm_lane_give(&copy->lane);
            if (finalize->job->options.allow_empty) return BLASTMERGE_OK;
            return bm_fail(finalize->error, BLASTMERGE_DATA,
                           "holds nothing, which is what a failed search leaves; --allow-empty takes it for "
                           "a search without queries");
        }
        status = take_batch(copy, batch);
        bm_lane_give(&copy->lane);
    }
    if (status == BLASTMERGE_OK && !copy->ends_line)
        return bm_fail(finalize->error, BLASTMERGE_DATA,
                       "its text does not end with a line's end: is it whole?");
    return status;
}

static enum blastmerge_status copy_child(struct copy *copy, size_t number) {
    struct bm_finalize *finalize = copy->finalize;
    const struct bm_finalize_child *child = &finalize->children[number];
    struct bm_finalize_place place;
    char relative[BM_FINALIZE_RELATIVE];
    bm_finalize_relative(finalize, child, BM_FINALIZE_RESULT, relative);
    bm_finalize_set_place(finalize, &place, finalize->cloud, relative);
    place.source.n_bytes = child->result_size;
    copy->position = 0;
    copy->member_end = UINT64_MAX;
    copy->ends_line = true;
    bm_lane_open(&copy->lane, &place.source, &finalize->job->cancel);
    enum blastmerge_status status = copy_batches(copy);
    finalize->job->totals.compressed_bytes += copy->lane.fetch.n_read;
    finalize->job->totals.n_children++;
    bm_lane_close(&copy->lane);
    if (status == BLASTMERGE_OK) return status;
    if (copy->has_store_failed) return status;
    finalize->error->child = number;
    (void)bm_finalize_fail_place(finalize, &place);
    return status == BLASTMERGE_DATA ? bm_finalize_fail_child(finalize, "invalid child tabular result")
                                     : status;
}

static enum blastmerge_status copy_children(struct copy *copy) {
    struct bm_finalize *finalize = copy->finalize;
    struct bm_memory *memory = &finalize->job->memory;
    if (bm_workers_open(&copy->workers, 0, memory) != BLASTMERGE_OK ||
        bm_lane_create(&copy->lane, &copy->workers, memory) != BLASTMERGE_OK)
        return bm_finalize_fail_memory(finalize);
    enum blastmerge_status status =
        bm_finalize_open_store(finalize, &copy->store, BM_FINALIZE_RESULT, true, false);
    for (size_t i = 0; i < finalize->n_children && status == BLASTMERGE_OK; i++) status = copy_child(copy, i);
    if (status == BLASTMERGE_OK && !copy->has_members)
        status = bm_fail(finalize->error, BLASTMERGE_DATA,
                         "all children are empty: there is nothing to make a result of");
    if (status == BLASTMERGE_OK) status = bm_store_prepare(&copy->store, finalize->error);
    if (status == BLASTMERGE_OK) status = bm_finalize_check_beaten(finalize, finalize->cloud);
    if (status == BLASTMERGE_OK) status = bm_store_commit(&copy->store, finalize->error);
    return status;
}

enum blastmerge_status bm_finalize_concatenate(struct bm_finalize *finalize) {
    struct bm_memory *memory = &finalize->job->memory;
    struct copy *copy = bm_allocate(memory, sizeof *copy);
    if (copy == NULL) return bm_finalize_fail_memory(finalize);
    copy->finalize = finalize;
    enum blastmerge_status status = copy_children(copy);
    bm_store_discard(&copy->store);
    bm_lane_destroy(&copy->lane, memory);
    bm_workers_close(&copy->workers, memory);
    bm_release(memory, copy);
    return status;
}
