/* SPDX-License-Identifier: MIT */
#include "base/descriptor.h"
#include "job/order_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- records --------------------------------------------------------------------------------------- */

static struct bm_job_order_record *fail_records(struct blastmerge_error *error) {
    bm_fail_system(error, errno, "the temporary file of the order fails");
    return NULL;
}

static bool write_block(struct bm_job_order_records *records) {
    const size_t n_bytes = sizeof records->records;
    if (records->is_changed &&
        !bm_write_at(records->file, records->records, n_bytes, records->block * n_bytes))
        return false;
    records->is_changed = false;
    return true;
}

bool bm_job_order_records_flush(struct bm_job_order_records *records, struct blastmerge_error *error) {
    return write_block(records) || fail_records(error) != NULL;
}

/* What was never written reads as zeros. */
static bool load_block(struct bm_job_order_records *records, uint64_t block) {
    const size_t n_bytes = sizeof records->records;
    if (!write_block(records)) return false;
    records->block = UINT64_MAX;
    ssize_t n_read = bm_read_at(records->file, records->records, n_bytes, block * n_bytes);
    if (n_read < 0) return false;
    memset((char *)records->records + n_read, 0, n_bytes - (size_t)n_read);
    records->block = block;
    return true;
}

struct bm_job_order_record *bm_job_order_record_at(struct bm_job_order_records *records, uint64_t number,
                                                   struct blastmerge_error *error) {
    const size_t n = sizeof records->records / sizeof records->records[0];
    uint64_t block = (number - 1) / n;
    if (block != records->block && !load_block(records, block)) return fail_records(error);
    return &records->records[(number - 1) % n];
}

static int is_taken(void *context, uint64_t number, struct blastmerge_error *error) {
    struct bm_job_order *order = context;
    const struct bm_job_order_record *record = bm_job_order_record_at(&order->records, number, error);
    if (record == NULL) return -1;
    /* Heads whose end has not come have no record yet. */
    for (size_t i = 0; i < order->open.n_heads; i++)
        if (order->open.heads[i].number == number) return 1;
    return record->is_taken;
}

/* --- life ------------------------------------------------------------------------------------------ */

static bool can_be_read_twice(const struct bm_fetch_source *source) {
    return source->can_read_ahead && !source->is_open_reader && !bm_fetch_source_is_remote(source);
}

static enum blastmerge_status check(struct blastmerge_job *job) {
    if (job->options.expect_queries == NULL)
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "to order children by their queries, the queries that were searched must be given, with "
            "--expect-queries");
    if (job->options.salvage)
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "what was salvaged can be ordered by its queries, but not in one step: salvage first, then "
            "order the result and what was searched again");
    if (job->shards != NULL)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "shards hold all queries in their order: they cannot be ordered");
    for (size_t i = 0; i < job->plan.n_items; i++) {
        const struct bm_fetch_source *source = &job->plan.items[i].source;
        if (can_be_read_twice(source)) continue;
        bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "%.400s: to order children by their queries, each is read twice, as a file: save it as one first",
            source->shown);
        job->error.child = i;
        return job->error.status;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

enum blastmerge_status bm_job_order_open(struct blastmerge_job *job) {
    if (!job->options.order_by_queries) return BLASTMERGE_OK;
    enum blastmerge_status status = check(job);
    if (status != BLASTMERGE_OK) return status;
    struct bm_job_order *order = bm_allocate(&job->memory, sizeof *order);
    job->order = order;
    if (order == NULL) return fail_memory(job);
    order->job = job;
    order->kin = job->kin;
    order->records.block = order->seen.block = UINT64_MAX;
    order->spool = -1;
    order->records.file = order->seen.file = bm_open_temporary(job->temporary.beside);
    if (order->records.file < 0)
        return bm_fail_system(&job->error, errno, "cannot create a temporary file for the order");
    order->children = bm_allocate(&job->memory, (job->plan.n_items + 1) * sizeof *order->children);
    if (order->children == NULL) return fail_memory(job);
    for (size_t i = 0; i < job->plan.n_items; i++) order->children[i].is_in_order = true;
    job->n_passes = 2;
    return bm_queries_allow_any_order(job->queries.file, &job->memory, is_taken, order, &job->cancel,
                                      &job->error);
}

bool bm_job_order_is_first_pass(const struct blastmerge_job *job) {
    return job->order != NULL && !job->order->is_second;
}

bool bm_job_order_is_second_pass(const struct blastmerge_job *job) {
    return job->order != NULL && job->order->is_second;
}

/* --- documents ------------------------------------------------------------------------------------- */

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *why) {
    bm_fail(&job->error, BLASTMERGE_MISMATCH, "%s, so it cannot be ordered by its queries", why);
    return bm_job_fail_child(job);
}

/* Keeps text up to the offset; false: it is too long. */
static bool keep(struct bm_job_order *order, struct bm_job_order_frame *frame, uint64_t to) {
    if (to <= order->kept_to) return true;
    size_t n = (size_t)(to - order->kept_to);
    if (n > sizeof frame->text - frame->n) return false;
    memcpy(frame->text + frame->n, bm_batch_at(order->job->batch, order->kept_to, n), n);
    frame->n += n;
    order->kept_to = to;
    return true;
}

static bool keep_frame(struct bm_job_order *order, uint64_t to) {
    if (order->is_in_header) return keep(order, &order->current, to);
    return !order->is_in_footer || keep(order, &order->footer, to);
}

static void begin_document(struct bm_job_order *order, const struct bm_mark_entry *mark) {
    order->is_in_header = true;
    order->is_in_footer = order->is_of_first = order->has_iteration = false;
    order->kept_to = mark->offset;
    order->current.n = 0;
}

static void begin_footer(struct bm_job_order *order, const struct bm_mark_entry *mark) {
    if (!order->is_of_first) return;
    order->is_in_footer = true;
    order->kept_to = mark->offset;
    order->footer.n = 0;
    order->has_count = (mark->flags & BM_MARK_DIGITS) != 0;
}

/* --- Iterations ------------------------------------------------------------------------------------ */

/* The raw text of an element of the first query's Iteration. */
static bool copy_field(char field[BM_JOB_ORDER_FIELD], const char *text, size_t n_text, const char *tag) {
    const char *found = memmem(text, n_text, tag, strlen(tag));
    if (found == NULL) return true;
    found += strlen(tag);
    const char *end = memchr(found, '<', (size_t)(text + n_text - found));
    if (end == NULL || end - found >= BM_JOB_ORDER_FIELD) return false;
    memcpy(field, found, (size_t)(end - found));
    return true;
}

/* The header of the result is that of the first query's document, and must name that query. */
static enum blastmerge_status take_first(struct bm_job_order *order, const struct bm_queries_taken *taken) {
    struct blastmerge_job *job = order->job;
    uint64_t scanned = job->batch->text_offset + job->view.end;
    size_t n_text = scanned - taken->offset < 8192 ? (size_t)(scanned - taken->offset) : 8192;
    const char *text = (const char *)bm_batch_at(job->batch, taken->offset, n_text);
    order->is_of_first = true;
    order->header = order->current;
    order->is_named_anew = order->has_iteration && bm_format_of(job->totals.format)->has_header;
    if (!order->is_named_anew) return BLASTMERGE_OK;
    if (copy_field(order->fields[0], text, n_text, "<Iteration_query-ID>") &&
        copy_field(order->fields[1], text, n_text, "<Iteration_query-def>") &&
        copy_field(order->fields[2], text, n_text, "<Iteration_query-len>")) {
        if (taken->is_own) memcpy(order->fields[0], "Query_1", sizeof "Query_1");
        return BLASTMERGE_OK;
    }
    return refuse(job, "the first query's name is longer than 1024 bytes");
}

static void open_head(struct bm_job_order *order, const struct bm_queries_taken *taken) {
    bm_require(order->open.n_heads < sizeof order->open.heads / sizeof order->open.heads[0]);
    order->has_iteration = true;
    order->open.heads[order->open.n_heads++] = *taken;
}

static enum blastmerge_status take_head(struct blastmerge_job *job) {
    struct bm_job_order *order = job->order;
    const struct bm_queries_taken *taken = bm_queries_last_taken(job->queries.file);
    if (bm_queries_is_of_psi(job->queries.file))
        return refuse(job, "PSI-BLAST writes several Iterations for a query");
    order->n_own += taken->is_own;
    if (taken->is_one_of_many && order->n_alike++ == 0)
        snprintf(order->first_alike, sizeof order->first_alike, "number %" PRIu64 " in %.300s", taken->number,
                 job->plan.items[job->child].source.shown);
    if (taken->number == 1 && take_first(order, taken) != BLASTMERGE_OK) return job->error.status;
    open_head(order, taken);
    return BLASTMERGE_OK;
}

/* The oldest Iteration that is open ends. */
static enum blastmerge_status end_iteration(struct bm_job_order *order, uint64_t end) {
    struct blastmerge_job *job = order->job;
    struct bm_job_order_item *child = &order->children[job->child];
    if (order->open.n_heads == 0) return BLASTMERGE_OK; /* a table without a row */
    const struct bm_queries_taken taken = order->open.heads[0];
    order->open.n_heads--;
    memmove(order->open.heads, order->open.heads + 1, order->open.n_heads * sizeof order->open.heads[0]);
    if (taken.number == 0) return BLASTMERGE_OK;
    struct bm_job_order_record *record = bm_job_order_record_at(&order->records, taken.number, &job->error);
    if (record == NULL) return bm_job_fail(job);
    *record = (struct bm_job_order_record){.begin = taken.offset,
                                           .end = end,
                                           .child = (uint32_t)job->child,
                                           .is_taken = 1,
                                           .is_own = taken.is_own};
    order->records.is_changed = true;
    child->is_in_order = child->is_in_order && taken.number > child->last;
    child->last = taken.number;
    order->n_taken++;
    if (taken.number > order->n_queries) order->n_queries = taken.number;
    return BLASTMERGE_OK;
}

static enum blastmerge_status take_mark(struct bm_job_order *order, const struct bm_mark_entry *mark) {
    struct blastmerge_job *job = order->job;
    bool is_bare = bm_format_is_bare_table(job->totals.format);
    switch (mark->kind) {
    case BM_MARK_DOCUMENT:
        begin_document(order, mark);
        break;
    case BM_MARK_DECLARATION:
        if ((mark->flags & BM_MARK_CONVERTED) != 0) return refuse(job, "its encoding is not UTF-8");
        break;
    case BM_MARK_ARCHIVE:
        return refuse(job, "a BLAST archive has the alignments of all its queries in one block");
    case BM_MARK_ITERATION:
        if (!keep_frame(order, mark->offset)) return refuse(job, "its header is longer than 64 KiB");
        order->is_in_header = false;
        break;
    case BM_MARK_QUERY_MISSING:
        return refuse(job, "an Iteration does not name its query, as in old BLAST XML");
    case BM_MARK_ITERATION_END:
        if (!is_bare) return end_iteration(order, mark->offset);
        break;
    case BM_MARK_ITERATIONS_END:
        if (is_bare && end_iteration(order, mark->offset) != BLASTMERGE_OK) return job->error.status;
        begin_footer(order, mark);
        break;
    case BM_MARK_DOCUMENT_END:
        if (!keep_frame(order, mark->offset))
            return refuse(job, "its text after the Iterations is longer than 64 KiB");
        order->is_in_header = order->is_in_footer = false;
        break;
    default:
        break;
    }
    return BLASTMERGE_OK;
}

/* Takes the marks from *position on, as far as they come before the text of the Iteration at the offset, or begin it. */
static enum blastmerge_status take_marks(struct bm_job_order *order, size_t *position, uint64_t offset) {
    const struct bm_mark_list *marks = order->job->view.marks;
    for (; *position < marks->n_entries && marks->entries[*position].offset <= offset; ++*position)
        if (take_mark(order, &marks->entries[*position]) != BLASTMERGE_OK) return order->job->error.status;
    return BLASTMERGE_OK;
}

static void sum_text(struct bm_job_order *order) {
    const struct bm_batch *batch = order->job->batch;
    if (bm_batch_end(batch) <= order->n_text) return;
    order->crc32 = bm_crc32(order->crc32, batch->text, batch->n_text);
    order->n_text = bm_batch_end(batch);
}

/* Tables without comments: the rows of the query before end where those of the next one begin. */
static enum blastmerge_status end_bare_head(struct bm_job_order *order) {
    uint64_t offset = bm_queries_last_taken(order->job->queries.file)->offset;
    return order->open.n_heads > 0 ? end_iteration(order, offset) : BLASTMERGE_OK;
}

/* The Iteration that the marks before have begun; its query is known, or it has none, which `reason` says. */
static enum blastmerge_status take_iteration(struct bm_job_order *order, enum blastmerge_status taken,
                                             const struct blastmerge_error *reason) {
    struct blastmerge_job *job = order->job;
    struct bm_queries_taken nothing = *bm_queries_last_taken(job->queries.file);
    if (taken != BLASTMERGE_OK && bm_job_queries_take_stranger(job, reason) != BLASTMERGE_OK)
        return job->error.status;
    if (bm_format_is_bare_table(job->totals.format) && end_bare_head(order) != BLASTMERGE_OK)
        return job->error.status;
    if (taken == BLASTMERGE_OK) return take_head(job);
    nothing.number = 0;
    open_head(order, &nothing);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_order_take(struct blastmerge_job *job) {
    struct bm_job_order *order = job->order;
    struct bm_queries_gap gap;
    struct blastmerge_error reason;
    enum blastmerge_status taken = BLASTMERGE_OK;
    size_t position = 0, passed = 0;
    uint64_t scanned = job->batch->text_offset + job->view.end;
    sum_text(order);
    while (bm_queries_take(job->queries.file, job->view.marks, &position, job->batch, scanned, &gap, &taken,
                           &reason)) {
        uint64_t offset = bm_queries_last_taken(job->queries.file)->offset;
        if (take_marks(order, &passed, offset) != BLASTMERGE_OK ||
            take_iteration(order, taken, &reason) != BLASTMERGE_OK)
            return job->error.status;
    }
    if (take_marks(order, &passed, UINT64_MAX) != BLASTMERGE_OK) return job->error.status;
    uint64_t to = job->view.safe < scanned ? job->view.safe : scanned;
    return keep_frame(order, to) ? BLASTMERGE_OK
                                 : refuse(job, "its text around the Iterations is longer than 64 KiB");
}

void bm_job_order_end_child(struct blastmerge_job *job) {
    struct bm_job_order *order = job->order;
    struct bm_job_order_item *child = &order->children[job->child];
    child->n_text = order->n_text;
    child->crc32 = order->crc32;
    order->n_text = 0;
    order->crc32 = 0;
    order->open.n_heads = 0;
    order->is_in_header = order->is_in_footer = order->is_of_first = false;
}
