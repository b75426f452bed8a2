/* SPDX-License-Identifier: MIT */
#include "fetch/fetch.h"

#include <string.h>

/* --- children in memory -------------------------------------------------------------------------- */

static enum blastmerge_status look_nowhere(struct bm_fetch_source *source, struct blastmerge_error *error) {
    (void)source;
    (void)error;
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_memory(struct bm_fetch *fetch, struct blastmerge_error *error) {
    (void)error;
    fetch->memory = fetch->chunk = fetch->source->from.memory;
    fetch->n_memory = fetch->source->n_bytes;
    fetch->n_chunk = (size_t)fetch->n_memory;
    return BLASTMERGE_OK;
}

/* Takes bytes from the current chunk. */
static size_t take_chunk(struct bm_fetch *fetch, uint8_t *data, size_t capacity) {
    size_t n_taken = fetch->n_chunk < capacity ? fetch->n_chunk : capacity;
    if (n_taken == 0) return 0;
    memcpy(data, fetch->chunk, n_taken);
    fetch->chunk += n_taken;
    fetch->n_chunk -= n_taken;
    return n_taken;
}

static enum blastmerge_status read_memory(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                          size_t *n_read, struct blastmerge_error *error) {
    (void)error;
    *n_read = take_chunk(fetch, data, capacity);
    return BLASTMERGE_OK;
}

static enum blastmerge_status read_memory_again(const struct bm_fetch *fetch, uint64_t offset, uint8_t *data,
                                                size_t n_bytes, struct blastmerge_error *error) {
    (void)error;
    bm_require(offset <= fetch->n_memory && n_bytes <= fetch->n_memory - offset);
    memcpy(data, fetch->memory + offset, n_bytes);
    return BLASTMERGE_OK;
}

static void close_nothing(struct bm_fetch *fetch) {
    (void)fetch;
}

static const struct bm_fetch_back_end memory_back_end = {.look = look_nowhere,
                                                         .open = open_memory,
                                                         .read = read_memory,
                                                         .close = close_nothing,
                                                         .read_again = read_memory_again};

/* --- children from the caller's reader ----------------------------------------------------------- */

static enum blastmerge_status open_reader(struct bm_fetch *fetch, struct blastmerge_error *error) {
    if (fetch->source->is_open_reader) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_USAGE, "its reader was already read");
}

static enum blastmerge_status read_reader(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                          size_t *n_read, struct blastmerge_error *error) {
    if (fetch->n_chunk == 0) {
        const void *chunk = NULL;
        const struct blastmerge_reader *reader = &fetch->source->from.reader->functions;
        int issued = bm_callback_begin(fetch->source->from.reader->ticket);
        int result = reader->next(reader->context, &chunk, &fetch->n_chunk);
        if (!bm_cancel_check_process(fetch->cancel)) { /* it has forked, and returned in the copy, too */
            fetch->n_chunk = 0;
            return bm_cancel_fail_foreign(error);
        }
        if (!bm_callback_is_ok(issued, result)) {
            fetch->n_chunk = 0;
            fetch->source->from.reader->has_failed = true;
            return bm_fail_callback(error, result, "its reader failed");
        }
        if (chunk == NULL && fetch->n_chunk > 0) {
            fetch->n_chunk = 0;
            return bm_fail(error, BLASTMERGE_USAGE, "its reader returned a length without data");
        }
        fetch->chunk = chunk;
    }
    *n_read = take_chunk(fetch, data, capacity);
    return BLASTMERGE_OK;
}

static void close_reader(struct bm_fetch *fetch) {
    bm_fetch_source_close(fetch->source);
}

static const struct bm_fetch_back_end reader_back_end = {
    .look = look_nowhere, .open = open_reader, .read = read_reader, .close = close_reader};

/* --- sources ------------------------------------------------------------------------------------- */

struct bm_fetch_source bm_fetch_source_path(const char *path) {
    return (struct bm_fetch_source){.back_end = &bm_fetch_file,
                                    .location = path,
                                    .shown = strcmp(path, "-") == 0 ? "standard input" : path,
                                    .n_bytes = UINT64_MAX};
}

#ifdef BLASTMERGE_CLOUD
struct bm_fetch_source bm_fetch_source_remote(const char *shown, const char *location) {
    return (struct bm_fetch_source){.back_end = &bm_fetch_remote,
                                    .location = location,
                                    .shown = shown,
                                    .n_bytes = UINT64_MAX,
                                    .can_read_ahead = true};
}
#endif

struct bm_fetch_source bm_fetch_source_memory(const char *name, const void *data, size_t n_bytes) {
    return (struct bm_fetch_source){.back_end = &memory_back_end,
                                    .location = name,
                                    .shown = name,
                                    .from.memory = data,
                                    .n_bytes = n_bytes,
                                    .can_read_ahead = true};
}

struct bm_fetch_source bm_fetch_source_reader(const char *name, struct bm_fetch_reader *reader) {
    return (struct bm_fetch_source){.back_end = &reader_back_end,
                                    .location = name,
                                    .shown = name,
                                    .from.reader = reader,
                                    .n_bytes = UINT64_MAX,
                                    .is_open_reader = true};
}

void bm_fetch_source_close(struct bm_fetch_source *source) {
#ifdef BLASTMERGE_CLOUD
    if (source->look != NULL) bm_fetch_remote_forget(source);
    if (source->ahead != NULL) bm_fetch_remote_give_up(source);
#endif
    if (!source->is_open_reader) return;
    source->is_open_reader = false;
    struct bm_fetch_reader *reader = source->from.reader;
    if (reader->functions.close == NULL) return;
    int issued = bm_callback_begin(reader->ticket);
    reader->close_result = reader->functions.close(reader->functions.context);
    reader->has_close_failed = !bm_callback_is_ok(issued, reader->close_result);
}

const struct bm_fetch_reader *bm_fetch_source_close_failure(const struct bm_fetch_source *source) {
    if (source->back_end != &reader_back_end || !source->from.reader->has_close_failed) return NULL;
    return source->from.reader;
}

bool bm_fetch_source_has_failed(const struct bm_fetch_source *source) {
    if (source->back_end != &reader_back_end) return false;
    return source->from.reader->has_failed || source->from.reader->has_close_failed;
}

bool bm_fetch_source_is_remote(const struct bm_fetch_source *source) {
#ifdef BLASTMERGE_CLOUD
    return source->back_end == &bm_fetch_remote;
#else
    (void)source;
    return false;
#endif
}

bool bm_fetch_source_has_location(const struct bm_fetch_source *source) {
    return source->back_end == &bm_fetch_file || bm_fetch_source_is_remote(source);
}

const char *bm_fetch_source_name(const struct bm_fetch_source *source) {
    return bm_fetch_source_is_remote(source) ? source->shown : source->location;
}

/* --- the fetch ----------------------------------------------------------------------------------- */

bool bm_fetch_source_begin(struct bm_fetch_source *source) {
    return source->back_end->begin == NULL || source->back_end->begin(source);
}

void bm_fetch_source_begin_look(struct bm_fetch_source *source) {
    if (source->back_end->begin_look != NULL) source->back_end->begin_look(source);
}

enum blastmerge_status bm_fetch_source_look(struct bm_fetch_source *source, struct blastmerge_error *error) {
    return source->back_end->look(source, error);
}

enum blastmerge_status bm_fetch_open(struct bm_fetch *fetch, struct bm_fetch_source *source,
                                     struct bm_cancel *cancel, struct blastmerge_error *error) {
    memset(fetch, 0, sizeof *fetch);
    fetch->source = source;
    fetch->back_end = source->back_end;
    fetch->cancel = cancel;
    enum blastmerge_status status = source->back_end->open(fetch, error);
    fetch->is_open = status == BLASTMERGE_OK;
    return status;
}

void bm_fetch_limit(struct bm_fetch *fetch, const struct bm_span *spans, size_t n_spans) {
    fetch->spans = spans;
    fetch->n_spans = n_spans;
}

/* How many of n_bytes can be read at once. *is_left_out: they are to be forgotten. 0: no span is left. */
static size_t plan_read(struct bm_fetch *fetch, size_t n_bytes, bool *is_left_out) {
    *is_left_out = false;
    if (fetch->spans == NULL) return n_bytes;
    while (fetch->span < fetch->n_spans && fetch->n_read >= fetch->spans[fetch->span].to) fetch->span++;
    if (fetch->span == fetch->n_spans) return 0;
    const struct bm_span *span = &fetch->spans[fetch->span];
    *is_left_out = fetch->n_read < span->from;
    uint64_t n = (*is_left_out ? span->from : span->to) - fetch->n_read;
    return n < n_bytes ? (size_t)n : n_bytes;
}

enum blastmerge_status bm_fetch_fill(struct bm_fetch *fetch, uint8_t *data, size_t capacity, size_t *n_read,
                                     struct blastmerge_error *error) {
    *n_read = 0;
    while (*n_read < capacity && !fetch->has_ended) {
        size_t n_new = 0;
        bool is_left_out = false;
        if (bm_cancel_is_set(fetch->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        size_t n_wanted = plan_read(fetch, capacity - *n_read, &is_left_out);
        enum blastmerge_status status = BLASTMERGE_OK;
        if (n_wanted > 0) status = fetch->back_end->read(fetch, data + *n_read, n_wanted, &n_new, error);
        if (status != BLASTMERGE_OK) return status;
        fetch->has_ended = n_new == 0;
        if (!is_left_out) *n_read += n_new;
        fetch->n_read += n_new;
    }
    return BLASTMERGE_OK;
}

bool bm_fetch_can_read_again(const struct bm_fetch *fetch) {
    if (!fetch->is_open || fetch->spans != NULL || fetch->back_end->read_again == NULL) return false;
    return fetch->is_regular || fetch->back_end == &memory_back_end;
}

enum blastmerge_status bm_fetch_read_again(const struct bm_fetch *fetch, uint64_t offset, uint8_t *data,
                                           size_t n_bytes, struct blastmerge_error *error) {
    bm_require(bm_fetch_can_read_again(fetch));
    return fetch->back_end->read_again(fetch, offset, data, n_bytes, error);
}

bool bm_fetch_is_ready(struct bm_fetch *fetch, size_t n_bytes) {
    if (!fetch->is_open || fetch->has_ended || fetch->source->back_end->is_ready == NULL) return true;
    return fetch->source->back_end->is_ready(fetch, n_bytes);
}

void bm_fetch_close(struct bm_fetch *fetch) {
    if (!fetch->is_open) return;
    fetch->is_open = false;
    fetch->source->back_end->close(fetch);
}
