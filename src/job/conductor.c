/* SPDX-License-Identifier: MIT */
/*
 * The conductor drives the rooms, which begin.c has opened: it passes batches, marks and script along, and stops at
 * the first error.
 *
 * It is a small machine whose state is `phase`. So it can stop whenever the output is worth emptying, and continue at
 * the next call: run, next and check all drive it. It takes the batches of each child in order; from each batch it
 * scans as much as fits a script, and writes that. Later children are fetched and inflated ahead. At the end come the
 * epilogue and the gzip trailer, which make the result complete: if anything fails before that, the stream has no end.
 *
 * The file is long because the machine is read as a whole: each phase is one step of the same loop.
 */
#include "job/check.h"
#include "job/job.h"
#include "job/order.h"
#include "job/passages.h"
#include "job/remote.h"
#include "job/restart.h"
#include "job/seams.h"
#include "job/shards.h"
#include "job/slices.h"
#include "job/survey.h"
#include "job/writers.h"
#include "stitch/stitch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- failing ------------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_fail(struct blastmerge_job *job) {
    job->phase = BM_JOB_PHASE_FAILED;
    return job->error.status;
}

/* The job's error is the current child's. A plan has left out what is damaged. */
enum blastmerge_status bm_job_fail_child(struct blastmerge_job *job) {
    struct blastmerge_error *error = &job->error;
    if (job->shards != NULL) {
        bm_job_shards_blame(job);
        return bm_job_fail(job);
    }
    bm_job_writers_stop_child(job);
    /* Between the two passes of an order, and behind the second one, no item is the current one. */
    const struct bm_plan_item *item = job->child < job->plan.n_items ? &job->plan.items[job->child] : NULL;
    const char *shown = item != NULL ? item->source.shown : NULL;
    size_t child = job->child;
    bool is_planned = item != NULL && item->text != NULL && job->phase > BM_JOB_PHASE_SURVEY;
    if (bm_job_order_is_planned(job)) {
        child = bm_job_order_child(job, &shown);
        is_planned = true;
    }
    if (is_planned && error->status == BLASTMERGE_DATA)
        bm_fail(error, BLASTMERGE_CHANGED, "changed between the first and the second pass");
    struct blastmerge_error behind = {0};
    bm_job_restart_explain(job, &behind);
    job->sentence.addition = bm_job_seams_explain(job, &behind);
    job->sentence.subject = shown;
    error->child = child;
    error->n_iterations = job->view.counts.n_iterations;
    return bm_job_fail(job);
}

/* --- the current child and those after it -------------------------------------------------------- */

struct bm_child *bm_job_child(struct blastmerge_job *job) {
    return bm_job_seats_at(job, job->child);
}

/* Opens the current child, and those after it that can be read ahead of their turn, as far as there is room.
 */
static void open_children(struct blastmerge_job *job) {
    if (job->is_at_header) return;
    while (job->n_opened < job->plan.n_items) {
        const struct bm_fetch_source *source = &job->plan.items[job->n_opened].source;
        if (job->n_opened > job->child && !source->can_read_ahead) break;
        if (!bm_job_seats_open_next(job)) break;
    }
}

/* The children that are read ahead give way to the current one. */
bool bm_job_make_room(void *context) {
    struct blastmerge_job *job = context;
    const uint64_t n_before = job->decoders.n_used;
    for (size_t i = job->child + 1; i < job->n_opened; i++) bm_child_give_way(bm_job_seats_at(job, i));
    return job->decoders.n_used < n_before;
}

/* Reads what there is room for; a pipe only when it is its turn and its bytes are needed. */
static void fill_children(struct blastmerge_job *job) {
    if (job->workers.n_threads == 0) return;
    for (size_t i = job->child; i < job->n_opened; i++)
        if (job->plan.items[i].source.can_read_ahead) bm_child_fill(bm_job_seats_at(job, i));
}

/* Lets workers read children whose turn is to come, once it is likely what these must agree with. */
static void read_early(struct blastmerge_job *job) {
    struct bm_mark_kin kin;
    if (!job->can_be_early || job->n_opened <= job->child + 1 ||
        bm_job_seats_at(job, job->n_opened - 1)->is_early)
        return;
    if (!bm_child_kin(bm_job_child(job), &kin)) {
        if (job->totals.n_documents == 0) return;
        kin = job->kin;
    }
    for (size_t i = job->child + 1; i < job->n_opened; i++)
        bm_child_read_early(bm_job_seats_at(job, i), &kin);
}

void bm_job_show_names(const struct blastmerge_job *job, size_t child, size_t other,
                       char shown[2][BM_JOB_SHOWN_NAME]) {
    const char *one = job->plan.items[child].source.shown;
    const char *two = job->plan.items[other].source.shown;
    bool differ = strcmp(one, two) != 0;
    bm_show_difference(shown[0], BM_JOB_SHOWN_NAME, one, differ ? two : NULL);
    bm_show_difference(shown[1], BM_JOB_SHOWN_NAME, two, differ ? one : NULL);
}

static void begin_item(struct blastmerge_job *job) {
    bm_script_start(job->script, 0);
    bm_job_index_begin_child(job);
    job->view = (struct bm_view){0};
    job->document = 0;
    bm_job_twins_begin_child(job);
    bm_job_check_begin_child(job);
    job->phase = BM_JOB_PHASE_BATCH;
}

static enum blastmerge_status begin_header(struct blastmerge_job *job) {
    job->child = job->plan.header.item;
    job->n_opened = job->child + 1;
    job->is_at_header = true;
    bm_job_seats_open_header(job, job->child);
    begin_item(job);
    return BLASTMERGE_OK;
}

static enum blastmerge_status end_header(struct blastmerge_job *job) {
    bm_child_close(bm_job_child(job));
    job->plan.header.is_due = job->is_at_header = false;
    job->child = job->n_opened = 0;
    job->phase = BM_JOB_PHASE_CHILD;
    return BLASTMERGE_OK;
}

/* Once all of the child was kept, or no other work is left to be done meanwhile. */
static enum blastmerge_status begin_turn(struct blastmerge_job *job) {
    bm_child_turn(bm_job_child(job), &job->kin);
    return bm_job_writers_start(job);
}

static enum blastmerge_status begin_child(struct blastmerge_job *job, bool *is_full) {
    bool must_join = false;
    do { /* until the child has a seat */
        must_join = job->n_opened == job->child && !bm_job_seats_have_room(job);
        enum bm_step joined = bm_job_writers_join(job, must_join ? bm_job_writers_first(job) + 1 : 0);
        if (joined == BM_STEP_FAILED) return job->error.status;
        *is_full = joined == BM_STEP_FULL;
        if (joined != BM_STEP_DONE) return BLASTMERGE_OK;
    } while (must_join);
    if (job->child == job->plan.n_items && bm_job_children_take(job) != BLASTMERGE_OK)
        return bm_job_fail(job);
    if (job->child == job->plan.n_items) {
        job->phase = BM_JOB_PHASE_EPILOGUE;
        return BLASTMERGE_OK;
    }
    if (job->n_opened > job->child && bm_child_help_early(bm_job_child(job))) {
        bm_job_report_progress(job);
        return BLASTMERGE_OK;
    }
    begin_item(job);
    return job->n_opened > job->child ? begin_turn(job) : BLASTMERGE_OK;
}

/* --- batches ------------------------------------------------------------------------------------- */

/* Most text of shards is compressed again, which takes longer than all else: without a level the fastest is chosen. */
static int text_level_of(const struct blastmerge_job *job) {
    enum { SHARDS_LEVEL = 1 };
    return job->shards != NULL && job->options.form == BLASTMERGE_FORM_GZIP ? SHARDS_LEVEL : 0;
}

/* Opens what writes the result, when that is needed first. */
static enum blastmerge_status open_sink(struct blastmerge_job *job) {
    const struct bm_splice_settings settings = {.form = job->options.form,
                                                .level = job->options.level,
                                                .text_level = text_level_of(job),
                                                .copies = job->is_copied,
                                                .workers = &job->workers};
    if (job->sink != NULL) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_splice_sink_open(&job->sink, &settings, &job->memory);
    return status == BLASTMERGE_OK ? bm_splice_reader_open(&job->reader, &job->memory) : status;
}

bool bm_job_writes_text(const struct blastmerge_job *job) {
    return !job->is_check && !bm_job_slices_is_counting(job) && !bm_job_order_is_first_pass(job);
}

static enum blastmerge_status begin_writing(struct blastmerge_job *job) {
    if (!bm_job_writes_text(job) || bm_job_writers_have_child(job)) return BLASTMERGE_OK;
    if (job->supposed != BLASTMERGE_FORMAT_AUTO && !job->batch->has_trace) {
        bm_fail(&job->error, BLASTMERGE_DATA, "is not compressed with gzip");
        return bm_job_fail_child(job);
    }
    enum blastmerge_status status = open_sink(job);
    if (status == BLASTMERGE_OK) status = bm_splice_begin(job->sink, job->reader, job->batch->has_trace);
    if (status == BLASTMERGE_OK) return BLASTMERGE_OK;
    bm_fail(&job->error, status, "out of memory");
    return bm_job_fail(job);
}

/* Has the script written, unless it is certain that there will be no result. */
static enum bm_step write_script(struct blastmerge_job *job) {
    if (!bm_job_writes_text(job) || job->queries.n_faults > 0 || bm_job_writers_have_child(job)) {
        job->script->position = job->script->n_entries;
        return BM_STEP_DONE;
    }
    enum bm_step joined = bm_job_writers_join(job, job->child);
    if (joined != BM_STEP_DONE) return joined;
    if (bm_job_shards_passages(job) != NULL) return bm_job_passages_write(bm_job_shards_passages(job));
    bm_splice_give(job->reader, job->batch, job->view.is_end_of_batch);
    return bm_splice_step(job->sink, &job->reader, 1, job->script, &job->output);
}

static enum blastmerge_status fail_writing(struct blastmerge_job *job) {
    if (job->phase == BM_JOB_PHASE_FAILED) return job->error.status; /* a writer has */
    bm_require(bm_splice_is_refused(job->sink));
    job->is_copy_refused = true;
    bm_fail(&job->error, BLASTMERGE_INTERNAL, "this table cannot be copied");
    return bm_job_fail(job);
}

static enum blastmerge_status end_child(struct blastmerge_job *job);

struct bm_child_buffer bm_job_free_output(const struct blastmerge_job *job) {
    return (struct bm_child_buffer){job->output.data + BM_OUTPUT_SIZE - BM_OUTPUT_ROOM, BM_OUTPUT_ROOM};
}

const struct bm_batch *bm_job_take(struct blastmerge_job *job, bool *is_last) {
    open_children(job);
    bm_job_remote_read_ahead(job);
    fill_children(job);
    read_early(job);
    const struct bm_batch *batch = bm_child_take(bm_job_child(job), is_last, &job->error);
    if (!bm_job_order_is_second_pass(job)) bm_job_children_add_lengths(job);
    if (batch != NULL) bm_job_report_progress(job);
    if (!job->cancel.has_forked_in) return batch;
    bm_cancel_fail_foreign(&job->error);
    return NULL;
}

/* A child without a byte of text. A gzip member without text is what a table without hits makes; no bytes at
 * all, or no text where there should be some, are what a failed search leaves. */
static enum blastmerge_status take_empty_child(struct blastmerge_job *job, bool is_first) {
    const struct bm_plan_text *text = job->plan.items[job->child].text;
    bool is_left_out = text != NULL && text->end == 0;
    bool is_empty_table = job->supposed != BLASTMERGE_FORMAT_AUTO && job->batch->has_trace;
    if (!job->options.allow_empty && !is_empty_table && !is_left_out) {
        const char *advice = job->is_check && job->index != NULL
                                 ? ""
                                 : "; --allow-empty accepts it as a search without queries";
        bm_fail(&job->error, BLASTMERGE_DATA, "holds nothing, as a failed search leaves%s", advice);
        return bm_job_fail_child(job);
    }
    if (is_empty_table && job->is_copied) {
        enum blastmerge_status status = is_first ? begin_writing(job) : BLASTMERGE_OK;
        if (status != BLASTMERGE_OK) return status;
        job->view.is_end_of_batch = true;
        if (write_script(job) != BM_STEP_DONE) return fail_writing(job);
    }
    bm_child_give(bm_job_child(job));
    return end_child(job);
}

/* Whether there is room to read another child ahead of its turn, and the last one does not wait for its own. */
static bool wants_children(const struct blastmerge_job *job) {
    const struct bm_fetch_source *last = &job->plan.items[job->plan.n_items - 1].source;
    size_t n_ahead = bm_fetch_source_is_remote(last) ? bm_job_remote_n_ahead(job) : 0;
    return job->children.source.next != NULL && last->can_read_ahead &&
           job->plan.n_items < job->child + job->seats.n_large + n_ahead;
}

static enum blastmerge_status take_children_ahead(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && wants_children(job)) status = bm_job_children_take(job);
    return status;
}

static enum blastmerge_status take_batch(struct blastmerge_job *job) {
    if (take_children_ahead(job) != BLASTMERGE_OK) return bm_job_fail(job);
    job->batch = bm_job_take(job, &job->is_last_batch);
    if (job->batch == NULL) return bm_job_fail_child(job);
    job->view.end = 0;
    job->phase = BM_JOB_PHASE_SCAN;
    if (bm_job_index_batch(job) != BLASTMERGE_OK) return job->error.status;
    bool is_first = bm_child_is_at_first_batch(bm_job_child(job));
    if (job->is_last_batch && bm_batch_end(job->batch) == 0) return take_empty_child(job, is_first);
    if (is_first) bm_child_admit(bm_job_child(job), &job->kin, true);
    return is_first ? begin_writing(job) : BLASTMERGE_OK;
}

/* --- which tables -------------------------------------------------------------------------------- */

enum { LOOK = 4096 }; /* more than the bytes by which a table is known */

static enum blastmerge_status end_look(struct blastmerge_job *job, bool is_copied) {
    for (size_t i = job->child; i < job->n_opened; i++) bm_child_close(bm_job_seats_at(job, i));
    job->child = job->n_opened = 0;
    job->error = (struct blastmerge_error){0};
    job->view = (struct bm_view){0};
    job->is_copied = is_copied;
    if (!is_copied) bm_job_begin_result(job);
    job->phase = BM_JOB_PHASE_CHILD;
    return BLASTMERGE_OK;
}

/* Looks at the first child that has any text, before anything is written: tables that a merge does not change
 * are copied. It changes those with comments, and those with rows of column names. What is wrong with a
 * child's data is reported when its turn comes. */
static enum blastmerge_status look(struct blastmerge_job *job) {
    struct blastmerge_error ignored;
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_last = false;
    if (job->child == job->plan.n_items) return end_look(job, true);
    const struct bm_batch *batch = bm_job_take(job, &is_last);
    struct bm_child *child = bm_job_child(job);
    if (batch == NULL && job->error.status != BLASTMERGE_DATA) return bm_job_fail_child(job);
    if (batch == NULL) return end_look(job, true);
    uint64_t n_seen = bm_batch_end(batch);
    if (bm_child_is_at_first_batch(child)) bm_child_admit(child, &job->kin, false);
    job->view.is_end_of_batch = batch->n_text == 0;
    while (status == BLASTMERGE_OK && !job->view.is_end_of_batch)
        status = bm_child_scan(child, SIZE_MAX, &job->view, &ignored);
    while (status == BLASTMERGE_OK && is_last && n_seen > 0 && !bm_mark_is_finished(child->mark))
        status = bm_child_finish(child, &job->view, &ignored);
    const struct bm_mark_kin kin = bm_mark_kin(child->mark);
    bm_child_give(child);
    if (status != BLASTMERGE_OK || n_seen >= LOOK || (is_last && n_seen > 0))
        return end_look(job, !bm_format_of(kin.format)->has_comments && kin.n_names == 0);
    if (is_last) {
        bm_child_close(child);
        job->child++;
    }
    return BLASTMERGE_OK;
}

/* --- marks --------------------------------------------------------------------------------------- */

/* The format is known. */
static enum blastmerge_status take_format(struct blastmerge_job *job, enum blastmerge_format format) {
    job->totals.format = format;
    if (job->supposed != BLASTMERGE_FORMAT_AUTO && !bm_format_is_table(format)) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH, "it is %s, but its report states a table",
                bm_format_of(format)->title);
        return bm_job_fail_child(job);
    }
    if (job->is_copied && bm_format_of(format)->has_comments) { /* which it was not when it was looked at */
        bm_fail(&job->error, BLASTMERGE_CHANGED, "changed between the first and the second pass");
        return bm_job_fail_child(job);
    }
    if (job->shards != NULL && bm_format_is_bare_table(format)) bm_job_shards_take_queries(job);
    bm_job_queries_set_format(&job->queries, format);
    return bm_job_headers_check_database(job);
}

/* Looks at the marks that tell of headers. */
static enum blastmerge_status take_header_marks(struct blastmerge_job *job) {
    const struct bm_mark_list *marks = job->view.marks;
    const struct bm_mark_field *field = job->view.field;
    for (size_t i = 0; i < marks->n_entries; i++) {
        enum blastmerge_status status = BLASTMERGE_OK;
        switch (marks->entries[i].kind) {
        case BM_MARK_DOCUMENT:
            job->document = marks->entries[i].offset;
            bm_job_headers_begin(&job->headers);
            bm_job_twins_begin_document(job, &marks->entries[i]);
            break;
        case BM_MARK_ITERATION_END:
            status = bm_job_repeats_take(job, &marks->entries[i]);
            break;
        case BM_MARK_DOCUMENT_END:
            status = bm_job_twins_end_document(job, &marks->entries[i]);
            break;
        case BM_MARK_FIELD:
            bm_job_headers_add(&job->headers, field);
            if (field->is_scope || job->is_at_header || bm_job_order_is_second_pass(job)) break;
            if (job->has_report) bm_report_field(&job->report, field);
            bm_job_side_add_field(job, field);
            break;
        case BM_MARK_ARCHIVE:
            job->document = marks->entries[i].offset;
            bm_job_headers_begin(&job->headers);
            break;
        case BM_MARK_ITERATIONS:
            status = take_format(job, (enum blastmerge_format)marks->entries[i].value);
            if (status == BLASTMERGE_OK && bm_format_of(job->totals.format)->has_header)
                status = bm_job_headers_compare(job);
            break;
        case BM_MARK_HEADER:
            status = bm_job_headers_compare(job);
            break;
        default:
            break;
        }
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

/* --- scanning and writing ------------------------------------------------------------------------ */

/* A document's header alone names its query, at such a length that it was not kept whole. */
static enum blastmerge_status lose_name(struct blastmerge_job *job) {
    static const char reason[] = "its query's name is only in its header, and is longer than 1024 bytes, so "
                                 "its Iteration in the result lacks it";
    if (!job->options.as_unsplit) {
        bm_job_gather_add(job, BM_GATHER_NAMES, NULL, "%s", reason);
        return BLASTMERGE_OK;
    }
    bm_fail(&job->error, BLASTMERGE_MISMATCH, "%s", reason);
    return bm_job_fail_child(job);
}

/* Takes the view's marks: headers are compared, edits made. */
static enum blastmerge_status take_marks(struct blastmerge_job *job) {
    const struct bm_mark_list *marks = job->view.marks;
    if (marks->n_entries > 0) {
        enum blastmerge_status status = take_header_marks(job);
        if (status != BLASTMERGE_OK) return status;
    }
    if (bm_job_index_marks(job) != BLASTMERGE_OK) return job->error.status;
    if (bm_job_queries_take(job) != BLASTMERGE_OK) return job->error.status;
    if (job->cancel.has_forked_in) return bm_cancel_fail_foreign(&job->error); /* a warning's function has */
    uint64_t n_lost_names = job->number->now.n_lost_names;
    bm_number_take(job->number, marks, job->batch, job->view.safe, job->script);
    if (job->view.field != NULL) bm_number_take_field(job->number, job->view.field);
    bool is_name_lost = job->number->now.n_lost_names > n_lost_names;
    if (bm_job_index_take(job) != BLASTMERGE_OK) return job->error.status;
    if (job->number->now.excess.what == NULL) return is_name_lost ? lose_name(job) : BLASTMERGE_OK;
    bm_fail_at(&job->error, BLASTMERGE_MISMATCH, job->number->now.excess.offset,
               "%s and those of the documents before are too large to be added: the result would have wrong "
               "numbers; check the numbers in this child and the ones before it",
               job->number->now.excess.what);
    return bm_job_fail_child(job);
}

/* What was scanned: its marks and, if it has a fault, that, which is behind them in the text. So the first fault in the
 * text counts; and a check goes on with the header that stands before it, and with the queries. */
static enum blastmerge_status take_scanned(struct blastmerge_job *job, enum blastmerge_status scanned,
                                           const struct blastmerge_error *fault) {
    enum blastmerge_status status = take_marks(job);
    if (status != BLASTMERGE_OK || scanned == BLASTMERGE_OK) return status;
    job->error = *fault;
    return bm_job_fail_child(job);
}

/* Marks and numbers a piece of the batch. */
static enum blastmerge_status scan_piece(struct blastmerge_job *job) {
    struct blastmerge_error error;
    enum blastmerge_status status = bm_child_scan(bm_job_child(job), SIZE_MAX, &job->view, &error);
    return take_scanned(job, status, &error);
}

/* All of the child was scanned: all edits are known. */
static enum blastmerge_status finish_child(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    struct bm_child *child = bm_job_child(job);
    struct blastmerge_error error;
    do {
        status = bm_child_finish(child, &job->view, &error);
        status = take_scanned(job, status, &error);
    } while (status == BLASTMERGE_OK && !bm_mark_is_finished(child->mark));
    job->kin = bm_mark_kin(child->mark);
    return status;
}

/* Marks and numbers more of the batch, until there are entries to be written or it is at its end. */
static enum blastmerge_status scan(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    bm_script_compact(job->script);
    const size_t n_before = job->script->n_entries;
    do status = scan_piece(job);
    while (status == BLASTMERGE_OK && !job->view.is_end_of_batch && job->script->n_entries == n_before);
    if (status != BLASTMERGE_OK) return status;
    job->is_last_batch = job->is_last_batch || bm_child_is_over(bm_job_child(job));
    uint64_t safe =
        bm_number_safe(job->number, job->view.safe, job->script); /* the script can go up to there */
    if (job->is_last_batch && job->view.is_end_of_batch && !bm_child_is_in_hole(bm_job_child(job))) {
        status = finish_child(job);
        safe = UINT64_MAX;
    }
    if (status != BLASTMERGE_OK) return status;
    const uint64_t end = bm_batch_end(job->batch);
    bm_script_catch_up(job->script, safe < end ? safe : end);
    job->phase = BM_JOB_PHASE_WRITE;
    return bm_job_index_catch_up(job);
}

static enum blastmerge_status write_batch(struct blastmerge_job *job, bool *is_full) {
    enum bm_step written = write_script(job);
    *is_full = written == BM_STEP_FULL;
    if (written == BM_STEP_FAILED) return fail_writing(job);
    if (written != BM_STEP_DONE) return BLASTMERGE_OK;
    if (!job->view.is_end_of_batch) {
        job->phase = BM_JOB_PHASE_SCAN;
        return BLASTMERGE_OK;
    }
    bm_require(!job->is_last_batch || job->script->position == job->script->n_entries);
    job->children.rows[job->child].text_bytes = bm_batch_end(job->batch);
    bm_job_twins_end_batch(job);
    bm_job_slices_end_batch(job);
    bm_child_give(bm_job_child(job));
    job->phase = BM_JOB_PHASE_BATCH;
    return job->is_last_batch ? end_child(job) : BLASTMERGE_OK;
}

/* --- the end of a child, and of all -------------------------------------------------------------- */

void bm_job_add_to_totals(struct blastmerge_job *job, const struct bm_job_row *child) {
    struct blastmerge_report *totals = &job->totals;
    totals->n_documents += child->n_documents;
    totals->n_iterations += child->n_iterations;
    totals->n_hits += child->n_hits;
    totals->n_hsps += child->n_hsps;
    totals->n_invalid_bytes += child->n_invalid_bytes;
    totals->n_forbidden_characters += child->n_forbidden;
    totals->compressed_bytes += child->compressed_bytes;
    totals->text_bytes += child->text_bytes;
}

void bm_job_count_child(struct blastmerge_job *job) {
    struct bm_job_row *child = &job->children.rows[job->child];
    const struct bm_mark_counts *counts = &job->view.counts;
    child->n_documents = counts->n_documents;
    child->n_iterations = counts->n_iterations;
    child->n_hits = counts->n_hits;
    child->n_hsps = counts->n_hsps;
    child->n_invalid_bytes = counts->n_invalid_bytes;
    child->n_forbidden = counts->n_forbidden & BM_JOB_MOST_FORBIDDEN;
    child->compressed_bytes = bm_job_child(job)->lane.fetch.n_read;
}

enum blastmerge_status bm_job_check_reader(struct blastmerge_job *job) {
    const struct bm_fetch_reader *reader = bm_fetch_source_close_failure(&job->plan.items[job->child].source);
    if (reader == NULL) return BLASTMERGE_OK;
    bm_fail_callback(&job->error, reader->close_result, "its reader failed to close");
    return bm_job_fail_child(job);
}

static enum blastmerge_status end_child(struct blastmerge_job *job) {
    struct bm_job_row *child = &job->children.rows[job->child];
    const struct bm_plan_text *text = job->plan.items[job->child].text;
    struct bm_child *open = bm_job_child(job);
    if (job->is_at_header) return end_header(job);
    bm_job_count_child(job);
    job->phase = BM_JOB_PHASE_ROW;
    if (bm_child_prove(open, &job->error) != BLASTMERGE_OK) return bm_job_fail_child(job);
    if (bm_job_order_is_second_pass(job)) { /* it was counted and checked in the first */
        bm_job_unsplit_end_child(job);
        bm_child_close(open);
        return bm_job_check_callbacks(job);
    }
    if (bm_job_order_is_first_pass(job)) bm_job_order_end_child(job);
    if (text != NULL) { /* what is left out is the child's, too */
        child->status = text->n_holes > 0 ? BLASTMERGE_SALVAGED : BLASTMERGE_OK;
        child->compressed_bytes = text->n_bytes;
        child->text_bytes = text->n_text;
    }
    if (bm_job_seams_check_child(job) != BLASTMERGE_OK) return job->error.status;
    if (bm_job_twins_end_child(job) != BLASTMERGE_OK) return job->error.status;
    bm_job_seams_count_child(job);
    bm_job_add_to_totals(job, child);
    bm_job_side_count(job);
    bm_job_unsplit_end_child(job);
    if (child->n_documents > 1)
        bm_job_gather_add(job, BM_GATHER_DOCUMENTS, NULL, "it holds %" PRIu64 " documents one after another",
                          child->n_documents);
    if (bm_job_slices_end_child(job) != BLASTMERGE_OK) return bm_job_fail_child(job);
    if (!bm_job_writers_have_child(job)) bm_child_close(open);
    if (bm_job_check_callbacks(job) != BLASTMERGE_OK) return job->error.status;
    return bm_job_check_reader(job);
}

/* Writes the report's row for the child that has ended, and goes on to the next. */
static enum blastmerge_status write_row(struct blastmerge_job *job) {
    struct blastmerge_child row;
    if (bm_job_order_is_second_pass(job)) {
        job->child++;
        job->phase = BM_JOB_PHASE_CHILD;
        return BLASTMERGE_OK;
    }
    bm_job_survey_tell(job);
    job->children.rows[job->child].was_read = true;
    size_t end = bm_job_shards_first(job, job->child + 1);
    bm_job_shards_count(job);
    for (size_t i = bm_job_shards_first(job, job->child); i < end && job->has_report; i++) {
        if (blastmerge_child(job, i, &row) != BLASTMERGE_OK ||
            bm_report_child(&job->report, &row, &job->error) != BLASTMERGE_OK) {
            return bm_job_fail(job);
        }
    }
    job->child++;
    job->phase = BM_JOB_PHASE_CHILD;
    return BLASTMERGE_OK;
}

/* Searches without a hit leave tables without a byte: what becomes of these is such a table. */
enum blastmerge_status bm_job_begin_empty_table(struct blastmerge_job *job) {
    enum blastmerge_format format =
        job->supposed != BLASTMERGE_FORMAT_AUTO ? job->supposed : job->options.format;
    if (!bm_format_is_table(format)) {
        bm_fail(
            &job->error, BLASTMERGE_DATA, "all children are empty: there is no document for a result%s",
            job->kin.format == BLASTMERGE_FORMAT_AUTO
                ? " (if they are tables without hits, --format tabular, csv or commented makes an empty one)"
                : "");
        return bm_job_fail(job);
    }
    job->totals.format = format;
    job->number->now.format = bm_format_of(format);
    if (job->is_copied) bm_job_begin_result(job);
    return BLASTMERGE_OK;
}

/* The result's last text, and its end. What is still being packed may not fit at once. */
static enum blastmerge_status write_last(struct blastmerge_job *job, bool *is_full) {
    if (open_sink(job) != BLASTMERGE_OK) { /* there may have been no child with any text */
        bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
        return bm_job_fail(job);
    }
    enum bm_step written = bm_splice_end(job->sink, job->epilogue, job->n_epilogue, &job->output);
    if (written == BM_STEP_FAILED) return fail_writing(job);
    *is_full = written == BM_STEP_FULL || bm_output_is_full(&job->output);
    if (*is_full) return BLASTMERGE_OK;
    if (job->slice != NULL)
        bm_job_slices_end_result(job);
    else
        bm_stitch_end(&job->output, job->options.form, job->epilogue, job->n_epilogue);
    job->phase = BM_JOB_PHASE_END;
    return BLASTMERGE_OK;
}

/* No child is whole and has a document. */
static enum blastmerge_status end_empty_check(struct blastmerge_job *job) {
    if (!bm_job_check_has_fault(job) && bm_job_begin_empty_table(job) != BLASTMERGE_OK &&
        bm_job_check_keep_fault(job) != BLASTMERGE_OK)
        return bm_job_fail(job);
    bm_job_gather_end(job);
    job->phase = BM_JOB_PHASE_END;
    return BLASTMERGE_OK;
}

static enum blastmerge_status write_epilogue(struct blastmerge_job *job, bool *is_full) {
    bool dropped_megablast = false;
    enum bm_step joined = bm_job_writers_join(job, job->child);
    if (joined == BM_STEP_FAILED) return job->error.status;
    *is_full = joined == BM_STEP_FULL || bm_output_is_full(&job->output);
    if (*is_full || joined == BM_STEP_MORE) return BLASTMERGE_OK;
    if (bm_job_order_is_second_pass(job)) {
        if (bm_job_order_finish(job) != BLASTMERGE_OK) return job->error.status;
    } else {
        if (bm_job_children_check_all(job) != BLASTMERGE_OK) return bm_job_fail(job);
        if (bm_job_queries_end(job) != BLASTMERGE_OK) return job->error.status;
        if (bm_job_order_is_first_pass(job) && !job->is_check) {
            bm_job_gather_end(job);
            return bm_job_order_turn(job);
        }
    }
    if (job->is_check && job->totals.n_documents == 0) return end_empty_check(job);
    bool is_copied = job->is_copied && job->sink != NULL && bm_splice_has_members(job->sink);
    if (job->number->now.n_documents == 0 && !is_copied && job->slice == NULL &&
        bm_job_begin_empty_table(job) != BLASTMERGE_OK)
        return job->error.status;
    job->phase = BM_JOB_PHASE_END;
    if (is_copied) { /* each child has its own */
        bm_job_unsplit_end(job);
        bm_job_gather_end(job);
        bm_job_twins_end(job);
        bm_job_seams_end(job);
        return BLASTMERGE_OK;
    }
    bm_job_seams_end_characters(job);
    if (job->slice != NULL) {
        bm_job_slices_take_epilogue(job, &dropped_megablast);
    } else {
        const struct bm_tally total = bm_number_tally(job->number);
        job->epilogue = bm_number_epilogue(job->number, &total, &job->n_epilogue, &dropped_megablast);
    }
    if (dropped_megablast) {
        bm_job_warn(
            job, false,
            "BlastOutput_mbstat of the first document was dropped: it belongs to one of several runs");
    }
    bm_job_gather_end(job);
    bm_job_twins_end(job);
    bm_job_unsplit_end(job);
    bm_job_seams_end(job);
    if (!bm_job_writes_text(job)) return BLASTMERGE_OK;
    job->phase = BM_JOB_PHASE_LAST;
    return bm_job_index_end(job);
}

/* --- the machine --------------------------------------------------------------------------------- */

static enum blastmerge_status step(struct blastmerge_job *job, bool *is_full) {
    *is_full = false;
    switch (job->phase) {
    case BM_JOB_PHASE_SURVEY:
        return bm_job_survey(job);
    case BM_JOB_PHASE_LOOK:
        return look(job);
    case BM_JOB_PHASE_HEADER:
        return begin_header(job);
    case BM_JOB_PHASE_CHILD:
        return begin_child(job, is_full);
    case BM_JOB_PHASE_BATCH:
        return take_batch(job);
    case BM_JOB_PHASE_SCAN:
        return scan(job);
    case BM_JOB_PHASE_WRITE:
        return write_batch(job, is_full);
    case BM_JOB_PHASE_ROW:
        return write_row(job);
    case BM_JOB_PHASE_EPILOGUE:
        return write_epilogue(job, is_full);
    case BM_JOB_PHASE_LAST:
        return write_last(job, is_full);
    case BM_JOB_PHASE_START:
    case BM_JOB_PHASE_END:
    case BM_JOB_PHASE_FAILED:
        break;
    }
    return job->error.status;
}

enum blastmerge_status bm_job_conduct(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_full = false;
    assert(job->phase != BM_JOB_PHASE_START);
    while (status == BLASTMERGE_OK && !is_full && job->phase != BM_JOB_PHASE_END &&
           !bm_output_is_full(&job->output)) {
        if (bm_cancel_is_set(&job->cancel)) {
            bm_fail(&job->error, BLASTMERGE_CANCELLED, "cancelled");
            return bm_job_fail(job);
        }
        status = step(job, &is_full);
        if (status != BLASTMERGE_OK) status = bm_job_writers_settle(job);
        if (status != BLASTMERGE_OK) status = bm_job_check_leave_child(job);
        if (status == BLASTMERGE_OK) status = bm_job_check_callbacks(job);
        if (job->cancel.has_forked_in) { /* a function of the caller's has returned in a copy, too */
            bm_cancel_fail_foreign(&job->error);
            return bm_job_fail(job);
        }
    }
    return status;
}
