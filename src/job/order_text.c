/* SPDX-License-Identifier: MIT */
/*
 * The text of a piece: the header of the first query's document, the Iterations of several children in the order of
 * the queries, and the end of that document. It is not compressed.
 */
#include "base/descriptor.h"
#include "job/order_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- children that are read from front to back ----------------------------------------------------- */

enum blastmerge_status bm_job_order_streams_open(struct bm_job_order *order) {
    struct blastmerge_job *job = order->job;
    const struct bm_child_settings settings = {.invalid_utf8 = BLASTMERGE_INVALID_UTF8_KEEP,
                                               .budget = &job->decoders,
                                               .room = bm_child_lane_room_within(BM_JOB_ORDER_ROOM)};
    bool is_needed[BM_JOB_ORDER_STREAMS] = {false};
    size_t n_needed = 0;
    for (size_t i = 0; i < order->plan.n_items && n_needed < BM_JOB_ORDER_STREAMS; i++)
        if (order->children[i].is_begun || order->children[i].is_spooled) is_needed[n_needed++] = true;
    for (size_t i = 0; i < BM_JOB_ORDER_STREAMS; i++) {
        if (!is_needed[i]) continue;
        order->streams[i].is_created = true;
        if (bm_child_create(&order->streams[i].open, &settings, &job->workers, &job->memory) == BLASTMERGE_OK)
            continue;
        bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
        return bm_job_fail(job);
    }
    return BLASTMERGE_OK;
}

static void begin_stream(struct bm_job_order *order, struct bm_job_order_stream *stream, size_t child) {
    stream->is_open = true;
    stream->is_last = false;
    stream->child = child;
    stream->n_text = 0;
    stream->crc32 = 0;
    stream->batch = NULL;
    bm_child_open(&stream->open, &order->plan.items[child].source, &order->job->cancel);
}

/* Gets the next batch, or none at the end. */
static enum blastmerge_status advance(struct bm_job_order *order, struct bm_job_order_stream *stream,
                                      struct blastmerge_error *error) {
    order->child = stream->child;
    if (bm_cancel_is_set(&order->job->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    if (stream->batch != NULL) bm_child_give(&stream->open);
    stream->batch = NULL;
    if (stream->is_last) return BLASTMERGE_OK;
    stream->batch = bm_child_take(&stream->open, &stream->is_last, error);
    if (stream->batch == NULL) return error->status;
    stream->crc32 = bm_crc32(stream->crc32, stream->batch->text, stream->batch->n_text);
    stream->n_text = bm_batch_end(stream->batch);
    return BLASTMERGE_OK;
}

static enum blastmerge_status fail_changed(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_CHANGED, "changed between the first and the second pass");
}

/* Reads the rest of the child, and closes it. */
static enum blastmerge_status end_stream(struct bm_job_order *order, struct bm_job_order_stream *stream,
                                         struct blastmerge_error *error) {
    const struct bm_job_order_item *child = &order->children[stream->child];
    enum blastmerge_status status = BLASTMERGE_OK;
    if (!stream->is_open) return BLASTMERGE_OK;
    do status = advance(order, stream, error);
    while (status == BLASTMERGE_OK && stream->batch != NULL);
    bm_child_close(&stream->open);
    stream->is_open = false;
    if (status != BLASTMERGE_OK) return status;
    bool is_same = stream->n_text == child->n_text && stream->crc32 == child->crc32;
    return is_same ? BLASTMERGE_OK : fail_changed(error);
}

/* The stream that reads the child; the one that was used longest ago ends for it. */
static enum blastmerge_status find_stream(struct bm_job_order *order, size_t child,
                                          struct bm_job_order_stream **found,
                                          struct blastmerge_error *error) {
    struct bm_job_order_stream *oldest = NULL;
    for (size_t i = 0; i < BM_JOB_ORDER_STREAMS; i++) {
        struct bm_job_order_stream *stream = &order->streams[i];
        if (!stream->is_created) continue;
        if (oldest == NULL || stream->used < oldest->used) oldest = stream;
        *found = stream;
        if (stream->is_open && stream->child == child) break;
        *found = NULL;
    }
    if (*found == NULL) {
        *found = oldest;
        if (end_stream(order, oldest, error) != BLASTMERGE_OK) return error->status;
        begin_stream(order, oldest, child);
    }
    (*found)->used = ++order->clock;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_order_streams_prove(struct bm_job_order *order,
                                                  struct blastmerge_error *error) {
    for (size_t i = 0; i < BM_JOB_ORDER_STREAMS; i++)
        if (end_stream(order, &order->streams[i], error) != BLASTMERGE_OK) return error->status;
    return BLASTMERGE_OK;
}

void bm_job_order_streams_close(struct bm_job_order *order) {
    for (size_t i = 0; i < BM_JOB_ORDER_STREAMS; i++) {
        if (!order->streams[i].is_created) continue;
        if (order->streams[i].is_open) bm_child_close(&order->streams[i].open);
        bm_child_destroy(&order->streams[i].open, &order->job->memory);
        order->streams[i] = (struct bm_job_order_stream){0};
    }
}

/* --- children that are unpacked first --------------------------------------------------------------- */

enum blastmerge_status bm_job_order_spool(struct bm_job_order *order, size_t child,
                                          struct blastmerge_error *error) {
    struct bm_job_order_stream *stream = NULL;
    if (order->spool < 0) order->spool = bm_open_temporary(order->job->temporary.beside);
    if (order->spool < 0) return bm_fail_system(error, errno, "cannot be unpacked to a temporary file");
    off_t begin = lseek(order->spool, 0, SEEK_CUR);
    order->children[child].spool = (uint64_t)begin;
    enum blastmerge_status status = find_stream(order, child, &stream, error);
    while (status == BLASTMERGE_OK) {
        status = advance(order, stream, error);
        if (status != BLASTMERGE_OK || stream->batch == NULL) break;
        if (!bm_write_all(order->spool, stream->batch->text, stream->batch->n_text))
            status = bm_fail_system(error, errno, "cannot be unpacked to a temporary file");
    }
    return status == BLASTMERGE_OK ? end_stream(order, stream, error) : status;
}

/* --- pieces ---------------------------------------------------------------------------------------- */

/* What a piece that is read is at. */
struct reader {
    struct bm_job_order_piece *piece;
    uint64_t number; /* the next query */
    uint64_t n_done; /* Iterations so far */
    const char *literal;
    size_t n_literal;
    struct bm_job_order_record range; /* the rest of the current Iteration */
    uint8_t last;                     /* byte that was read */
    bool is_in_footer;
    char count[64]; /* a table's last line */
};

static void set_literal(struct reader *reader, const char *text, size_t n) {
    reader->literal = text;
    reader->n_literal = n;
}

/* Goes on after a text that has ended. False: all is read. */
static bool next_text(struct reader *reader, struct blastmerge_error *error) {
    struct bm_job_order *order = reader->piece->order;
    enum blastmerge_format format = order->job->totals.format;
    if (bm_format_is_table(format) && reader->n_done > 0 && reader->last != '\n') {
        set_literal(reader, "\n", 1);
        return true;
    }
    while (reader->number <= reader->piece->to) {
        const struct bm_job_order_record *record =
            bm_job_order_record_at(&order->records, reader->number, error);
        if (record == NULL) return false;
        reader->number++;
        if (!record->is_taken) continue;
        reader->range = *record;
        const char *joint = reader->n_done++ > 0 ? bm_format_of(format)->joint_ordered : "";
        set_literal(reader, joint, strlen(joint));
        return true;
    }
    if (reader->is_in_footer) return false;
    if (!bm_format_is_table(format) && reader->last != '\n') {
        set_literal(reader, "\n", 1);
        return true;
    }
    reader->is_in_footer = true;
    if (order->has_count) {
        int n = snprintf(reader->count, sizeof reader->count, "# BLAST processed %" PRIu64 " queries\n",
                         reader->n_done);
        set_literal(reader, reader->count, (size_t)n);
    } else {
        set_literal(reader, order->footer.text, order->footer.n);
    }
    return true;
}

static size_t copy_literal(struct reader *reader, uint8_t *data, size_t capacity) {
    size_t n = reader->n_literal < capacity ? reader->n_literal : capacity;
    memcpy(data, reader->literal, n);
    reader->literal += n;
    reader->n_literal -= n;
    return n;
}

static enum blastmerge_status copy_spooled(struct bm_job_order *order,
                                           const struct bm_job_order_record *range, uint8_t *data, size_t *n,
                                           struct blastmerge_error *error) {
    uint64_t at = order->children[range->child].spool + range->begin;
    ssize_t n_read = -1;
    do n_read = pread(order->spool, data, *n, (off_t)at);
    while (n_read < 0 && errno == EINTR);
    if (n_read <= 0)
        return bm_fail_system(error, n_read < 0 ? errno : EIO, "cannot read the temporary file of the order");
    *n = (size_t)n_read;
    return BLASTMERGE_OK;
}

static enum blastmerge_status copy_streamed(struct bm_job_order *order,
                                            const struct bm_job_order_record *range, uint8_t *data, size_t *n,
                                            struct blastmerge_error *error) {
    struct bm_job_order_stream *stream = NULL;
    enum blastmerge_status status = find_stream(order, range->child, &stream, error);
    while (status == BLASTMERGE_OK && stream->n_text <= range->begin) {
        status = advance(order, stream, error);
        if (status == BLASTMERGE_OK && stream->batch == NULL) return fail_changed(error);
    }
    if (status != BLASTMERGE_OK) return status;
    uint64_t left = stream->n_text - range->begin;
    if (left < *n) *n = (size_t)left;
    memcpy(data, bm_batch_at(stream->batch, range->begin, *n), *n);
    return BLASTMERGE_OK;
}

static enum blastmerge_status copy_range(struct reader *reader, uint8_t *data, size_t capacity, size_t *n,
                                         struct blastmerge_error *error) {
    struct bm_job_order *order = reader->piece->order;
    struct bm_job_order_record *range = &reader->range;
    *n = range->end - range->begin < capacity ? (size_t)(range->end - range->begin) : capacity;
    enum blastmerge_status status = order->children[range->child].is_spooled
                                        ? copy_spooled(order, range, data, n, error)
                                        : copy_streamed(order, range, data, n, error);
    range->begin += *n;
    return status;
}

/* --- the source ------------------------------------------------------------------------------------ */

static enum blastmerge_status look(struct bm_fetch_source *source, struct blastmerge_error *error) {
    (void)error;
    source->can_read_ahead = false;
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_piece(struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct bm_job_order_piece *piece = fetch->source->from.other;
    struct bm_job_order *order = piece->order;
    struct reader *reader = bm_allocate(&order->job->memory, sizeof *reader);
    if (reader == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    piece->reader = reader;
    reader->piece = piece;
    reader->number = piece->from;
    set_literal(reader, order->header.text, order->header.n);
    return BLASTMERGE_OK;
}

static enum blastmerge_status read_piece(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                         size_t *n_read, struct blastmerge_error *error) {
    struct bm_job_order_piece *piece = fetch->source->from.other;
    struct reader *reader = piece->reader;
    *n_read = 0;
    *error = (struct blastmerge_error){0};
    while (*n_read == 0) {
        if (reader->n_literal > 0) {
            *n_read = copy_literal(reader, data, capacity);
        } else if (reader->range.begin < reader->range.end) {
            if (copy_range(reader, data, capacity, n_read, error) != BLASTMERGE_OK) return error->status;
        } else if (!next_text(reader, error)) {
            return error->status;
        }
    }
    reader->last = data[*n_read - 1];
    return BLASTMERGE_OK;
}

static void close_piece(struct bm_fetch *fetch) {
    struct bm_job_order_piece *piece = fetch->source->from.other;
    bm_release(&piece->order->job->memory, piece->reader);
    piece->reader = NULL;
}

static const struct bm_fetch_back_end piece_back_end = {
    .look = look, .open = open_piece, .read = read_piece, .close = close_piece};

struct bm_fetch_source bm_job_order_source(struct bm_job_order_piece *piece) {
    static const char name[] = "the Iterations in the order of the queries";
    return (struct bm_fetch_source){.back_end = &piece_back_end,
                                    .location = name,
                                    .shown = name,
                                    .from.other = piece,
                                    .n_bytes = UINT64_MAX};
}
