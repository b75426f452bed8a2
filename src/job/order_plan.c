/* SPDX-License-Identifier: MIT */
/* Between the passes: from the records to the plan of the second pass, and back. */
#include "base/descriptor.h"
#include "job/order_internal.h"
#include "job/queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    return bm_job_fail(job);
}

/* Whether all of the child's Iterations follow one another in the result. */
static bool is_whole(const struct bm_job_order_item *child) {
    return child->is_in_order && child->n_runs == 1;
}

/* --- the runs -------------------------------------------------------------------------------------- */

typedef bool take_run(struct bm_job_order *order, const struct bm_job_order_record *record, uint64_t number);

/* Calls the function for the first query of each run of queries that are in one child. */
static enum blastmerge_status walk(struct bm_job_order *order, take_run *take) {
    uint32_t child = UINT32_MAX;
    for (uint64_t number = 1; number <= order->n_queries; number++) {
        const struct bm_job_order_record *record =
            bm_job_order_record_at(&order->records, number, &order->job->error);
        if (record == NULL) return bm_job_fail(order->job);
        if (!record->is_taken) continue; /* a table without comments has no row of it */
        if (record->child == child) continue;
        child = record->child;
        if (!take(order, record, number)) return fail_memory(order->job);
    }
    return BLASTMERGE_OK;
}

static bool count_run(struct bm_job_order *order, const struct bm_job_order_record *record, uint64_t number) {
    (void)number;
    order->children[record->child].n_runs++;
    return true;
}

/* A child that would have to be read again, because too many others are read at the same time, or because it goes
 * back and forth, is unpacked first. What the streams will hold is foreseen here. */
static bool foresee(struct bm_job_order *order, const struct bm_job_order_record *record, uint64_t number) {
    struct bm_job_order_item *child = &order->children[record->child];
    struct bm_job_order_stream *oldest = &order->streams[0];
    (void)number;
    if (is_whole(child) || child->is_spooled) return true;
    child->is_spooled = !child->is_in_order;
    if (child->is_spooled) return true;
    for (size_t i = 0; i < BM_JOB_ORDER_STREAMS; i++) {
        struct bm_job_order_stream *stream = &order->streams[i];
        if (stream->is_open && stream->child == record->child) {
            stream->used = ++order->clock;
            return true;
        }
        if (stream->used < oldest->used) oldest = stream;
    }
    child->is_spooled = child->is_begun;
    if (child->is_spooled) return true;
    child->is_begun = true;
    *oldest = (struct bm_job_order_stream){.is_open = true, .child = record->child, .used = ++order->clock};
    return true;
}

static size_t count_pieces(const struct bm_job_order *order) {
    size_t n = 1;
    for (size_t i = 0; i < order->plan.n_items; i++) n += is_whole(&order->children[i]);
    return n;
}

/* --- the plan -------------------------------------------------------------------------------------- */

/* Ends the piece that is open, if there is one: its last query comes before this number. */
static void end_piece(struct bm_job_order *order, uint64_t number) {
    if (order->n_pieces > 0 && order->pieces[order->n_pieces - 1].to == 0)
        order->pieces[order->n_pieces - 1].to = number - 1;
}

static bool add_run(struct bm_job_order *order, const struct bm_job_order_record *record, uint64_t number) {
    struct blastmerge_job *job = order->job;
    const struct bm_job_order_item *child = &order->children[record->child];
    bool is_piece_open = order->n_pieces > 0 && order->pieces[order->n_pieces - 1].to == 0;
    if (!is_whole(child)) {
        if (is_piece_open) return true;
        struct bm_job_order_piece *piece = &order->pieces[order->n_pieces++];
        *piece = (struct bm_job_order_piece){.order = order, .from = number};
        const struct bm_fetch_source source = bm_job_order_source(piece);
        return bm_plan_keep(&job->plan, &source);
    }
    end_piece(order, number);
    if (!bm_plan_keep(&job->plan, &order->plan.items[record->child].source)) return false;
    struct bm_plan_text *text = &order->texts[record->child];
    *text = (struct bm_plan_text){
        .n_text = child->n_text, .end = child->n_text, .crc32 = child->crc32, .is_proven = true};
    job->plan.items[job->plan.n_items - 1].text = text;
    return true;
}

/* The job gets a plan of its own, and what was its plan is kept. */
static enum blastmerge_status exchange(struct bm_job_order *order) {
    struct blastmerge_job *job = order->job;
    order->plan = job->plan;
    order->rows = job->children.rows;
    order->n_rows = job->children.n_rows;
    order->is_exchanged = true;
    bm_plan_open(&job->plan, &job->memory);
    job->children.rows = NULL;
    job->children.n_rows = job->children.n_rows_allocated = 0;
    size_t n_pieces = count_pieces(order);
    order->pieces = bm_allocate(&job->memory, n_pieces * sizeof *order->pieces);
    order->texts = bm_allocate(&job->memory, (order->plan.n_items + 1) * sizeof *order->texts);
    return order->pieces == NULL || order->texts == NULL ? fail_memory(job) : BLASTMERGE_OK;
}

static void exchange_back(struct bm_job_order *order) {
    struct blastmerge_job *job = order->job;
    if (!order->is_exchanged) return;
    order->is_exchanged = false;
    bm_release(&job->memory, job->children.rows);
    bm_plan_close(&job->plan);
    job->plan = order->plan;
    job->children.rows = order->rows;
    job->children.n_rows = job->children.n_rows_allocated = order->n_rows;
    job->child = job->n_opened = 0;
}

/* --- the turn -------------------------------------------------------------------------------------- */

/* Queries that nothing tells apart. */
static enum blastmerge_status tell_alike(struct bm_job_order *order) {
    static const char why[] =
        "by all that it shows could be of several queries, which have the same name and length or none";
    struct blastmerge_job *job = order->job;
    if (order->n_alike == 0) return BLASTMERGE_OK;
    if (job->options.as_unsplit) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH,
                "%" PRIu64
                " Iteration%s (the first is of %s) %s: they cannot be ordered; give each query a name, or "
                "merge the children in the order of their queries",
                order->n_alike, order->n_alike == 1 ? "" : "s", order->first_alike, why);
        return bm_job_fail(job);
    }
    bm_job_warn(job, false,
                "%" PRIu64 " Iteration%s (the first is of %s) %s: these are in the order in which they came",
                order->n_alike, order->n_alike == 1 ? "" : "s", order->first_alike, why);
    return BLASTMERGE_OK;
}

/* Puts another text between two tags of the header. False: there is no room. */
static bool replace_field(struct bm_job_order_frame *frame, const char *start_tag, const char *text) {
    char *found = memmem(frame->text, frame->n, start_tag, strlen(start_tag));
    if (found == NULL) return true;
    found += strlen(start_tag);
    char *end = memchr(found, '<', (size_t)(frame->text + frame->n - found));
    if (end == NULL) return true;
    size_t n_new = strlen(text), n_old = (size_t)(end - found),
           n_rest = (size_t)(frame->text + frame->n - end);
    if (frame->n - n_old + n_new > sizeof frame->text) return false;
    memmove(found + n_new, end, n_rest);
    memcpy(found, text, n_new);
    frame->n = frame->n - n_old + n_new;
    return true;
}

/* The header that pieces begin with. */
static enum blastmerge_status make_header(struct bm_job_order *order) {
    struct blastmerge_job *job = order->job;
    bool is_table = bm_format_is_bare_table(job->totals.format);
    bool has_room = true;
    if (is_table && job->kin.n_names > 0 && job->options.header == BLASTMERGE_HEADER_ONCE) {
        memcpy(order->header.text, job->kin.names, job->kin.n_names);
        order->header.text[job->kin.n_names] = '\n';
        order->header.n = job->kin.n_names + 1u;
    }
    if (order->is_named_anew)
        has_room = replace_field(&order->header, "<BlastOutput_query-ID>", order->fields[0]) &&
                   replace_field(&order->header, "<BlastOutput_query-def>", order->fields[1]) &&
                   replace_field(&order->header, "<BlastOutput_query-len>", order->fields[2]);
    if (has_room) return BLASTMERGE_OK;
    bm_fail(&job->error, BLASTMERGE_MISMATCH,
            "the header is longer than 64 KiB, so it cannot name the first query");
    return bm_job_fail(job);
}

static enum blastmerge_status spool(struct bm_job_order *order) {
    struct blastmerge_job *job = order->job;
    for (size_t i = 0; i < order->plan.n_items; i++) {
        if (!order->children[i].is_spooled) continue;
        order->child = i;
        if (bm_job_order_spool(order, i, &job->error) != BLASTMERGE_OK) return bm_job_fail_child(job);
    }
    return BLASTMERGE_OK;
}

/* Whether BLAST made up the id of the result's Iteration with this number, from 1. */
static bool is_own(void *context, uint64_t number) {
    struct bm_job_order *order = context;
    struct blastmerge_error ignored;
    const struct bm_job_order_record *record = bm_job_order_record_at(&order->seen, number, &ignored);
    return record != NULL && record->is_own != 0;
}

/* All rooms begin anew, as for other children. */
static enum blastmerge_status begin_second(struct bm_job_order *order) {
    struct blastmerge_job *job = order->job;
    struct blastmerge_options *options = &job->options;
    if (!bm_job_order_records_flush(&order->records, &job->error)) return bm_job_fail(job);
    order->is_second = true;
    job->kin = order->kin;
    job->headers.has_first = false; /* its child was one of the first pass */
    bm_number_open(job->number, options->database, options->query_ids, options->as_unsplit != 0);
    options->mismatch = BLASTMERGE_MISMATCH_IGNORE; /* it was compared */
    memset(job->gathered, 0, sizeof job->gathered);
    memset(&job->doubts, 0, sizeof job->doubts);
    job->child = job->n_opened = 0;
    job->phase = BM_JOB_PHASE_CHILD;
    bm_number_set_order(job->number, order->n_own == order->n_taken, is_own, order);
    return bm_job_children_make_rows(job) == BLASTMERGE_OK ? BLASTMERGE_OK : bm_job_fail(job);
}

enum blastmerge_status bm_job_order_turn(struct blastmerge_job *job) {
    struct bm_job_order *order = job->order;
    enum blastmerge_status status = tell_alike(order);
    if (status == BLASTMERGE_OK) status = walk(order, count_run);
    if (status == BLASTMERGE_OK) status = make_header(order);
    if (status == BLASTMERGE_OK) status = exchange(order);
    if (status == BLASTMERGE_OK) status = walk(order, foresee);
    memset(order->streams, 0, sizeof order->streams);
    if (status == BLASTMERGE_OK) status = bm_job_order_streams_open(order);
    if (status == BLASTMERGE_OK) status = spool(order);
    if (status == BLASTMERGE_OK) status = walk(order, add_run);
    end_piece(order, order->n_queries + 1);
    return status == BLASTMERGE_OK ? begin_second(order) : status;
}

enum blastmerge_status bm_job_order_finish(struct blastmerge_job *job) {
    struct bm_job_order *order = job->order;
    enum blastmerge_status status = bm_job_order_streams_prove(order, &job->error);
    if (status != BLASTMERGE_OK) return bm_job_fail_child(job);
    for (size_t i = 0; i < job->plan.n_items; i++) bm_fetch_source_close(&job->plan.items[i].source);
    exchange_back(order);
    return BLASTMERGE_OK;
}

bool bm_job_order_is_planned(const struct blastmerge_job *job) {
    return job->order != NULL && job->order->is_exchanged;
}

size_t bm_job_order_child(const struct blastmerge_job *job, const char **shown) {
    const struct bm_job_order *order = job->order;
    const struct bm_plan_text *text =
        job->child < job->plan.n_items ? job->plan.items[job->child].text : NULL;
    size_t child = text != NULL ? (size_t)(text - order->texts) : order->child;
    *shown = order->plan.items[child].source.shown;
    return child;
}

void bm_job_order_close(struct blastmerge_job *job) {
    struct bm_job_order *order = job->order;
    if (order == NULL) return;
    bm_job_order_streams_close(order);
    exchange_back(order);
    if (order->records.file >= 0) close(order->records.file);
    if (order->spool >= 0) close(order->spool);
    bm_release(&job->memory, order->children);
    bm_release(&job->memory, order->pieces);
    bm_release(&job->memory, order->texts);
    bm_release(&job->memory, order);
    job->order = NULL;
}
