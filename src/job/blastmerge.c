/* SPDX-License-Identifier: MIT */
/* The library's face: implements blastmerge.h with the conductor. It is long because that has many functions, of a few lines
 * each. */
#include "cloud/location.h"
#include "decompress/decompress.h"
#include "job/check.h"
#include "job/commit.h"
#include "job/job.h"
#include "job/options.h"
#include "job/places.h"
#include "job/remote.h"
#include "job/shards.h"
#include "job/survey.h"
#include "job/writers.h"

#include <assert.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

const char *blastmerge_version(void) {
    return BLASTMERGE_VERSION;
}

#ifdef BLASTMERGE_CLOUD
#define OBJECT_STORAGE "with libcurl"
#else
#define OBJECT_STORAGE "none"
#endif

#ifdef BLASTMERGE_SQLITE
#define INDEXES "with SQLite"
#else
#define INDEXES "none"
#endif

static char features[224];
static pthread_once_t features_once = PTHREAD_ONCE_INIT;

static void write_features(void) {
    snprintf(features, sizeof features,
             "zlib %s, libdeflate %s, jansson; other compressions: %s; object storage: %s; indexes: %s; XML "
             "scanner: %s",
             zlibVersion(), LIBDEFLATE_VERSION_STRING, bm_decompress_kinds(), OBJECT_STORAGE, INDEXES,
             bm_mark_implementation());
}

const char *blastmerge_features(void) {
    (void)pthread_once(&features_once, write_features);
    return features;
}

const char *blastmerge_status_name(enum blastmerge_status status) {
    switch (status) {
    case BLASTMERGE_OK:
        return "done";
    case BLASTMERGE_IO:
        return "input or output failed";
    case BLASTMERGE_USAGE:
        return "wrong usage";
    case BLASTMERGE_DATA:
        return "damaged";
    case BLASTMERGE_MISMATCH:
        return "mismatch";
    case BLASTMERGE_EXISTS:
        return "exists";
    case BLASTMERGE_CHANGED:
        return "changed";
    case BLASTMERGE_NOT_FOUND:
        return "not found";
    case BLASTMERGE_DENIED:
        return "denied";
    case BLASTMERGE_NO_SPACE:
        return "no space";
    case BLASTMERGE_NO_MEMORY:
        return "no memory";
    case BLASTMERGE_SALVAGED:
        return "salvaged";
    case BLASTMERGE_NOT_READY:
        return "not ready";
    case BLASTMERGE_CANCELLED:
        return "cancelled";
    case BLASTMERGE_INTERNAL:
        break;
    }
    return "internal fault";
}

const char *blastmerge_format_name(enum blastmerge_format format) {
    return bm_format_is_known(format) ? bm_format_of(format)->name : "unknown";
}

enum blastmerge_form blastmerge_form_of_name(const char *name) {
    return bm_store_form_of_name(name);
}

void blastmerge_show(const char *text, char *shown, size_t size) {
    bm_show(shown, size, text);
}

void blastmerge_show_location(const char *location, char *shown, size_t size) {
    char text[BM_LOCATION_SHOWN];
    if (bm_cloud_location_is_remote(location) || bm_cloud_location_is_strange(location)) {
        bm_cloud_location_show(location, text, sizeof text);
        location = text;
    }
    bm_show_name(shown, size, location);
}

/* --- creating and destroying --------------------------------------------------------------------- */

void blastmerge_options_init(struct blastmerge_options *options, size_t struct_size) {
    bm_init_struct(options, struct_size);
}

/* Up to the last field of the first version. */
enum { FIRST_OPTIONS = offsetof(struct blastmerge_options, progress_interval) + sizeof(unsigned) };

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *reason) {
    return bm_fail(&job->error, BLASTMERGE_USAGE, "%s", reason);
}

enum blastmerge_status blastmerge_create(struct blastmerge_job **job,
                                         const struct blastmerge_options *options) {
    struct blastmerge_options defaults;
    struct bm_memory memory;
    *job = NULL;
    blastmerge_options_init(&defaults, sizeof defaults);
    bool is_known = options == NULL || bm_copy_struct(&defaults, sizeof defaults, FIRST_OPTIONS, options);
    bm_memory_open(&memory, &defaults.allocator);
    struct blastmerge_job *made = bm_allocate(&memory, sizeof *made);
    if (made == NULL) return BLASTMERGE_NO_MEMORY;
    made->memory = memory;
    bm_plan_open(&made->plan, &made->memory);
    made->options = defaults;
    made->owner = getpid();
    bm_cancel_init(&made->cancel);
    enum blastmerge_status status =
        is_known ? bm_job_options_settle(made)
                 : refuse(made, "options.struct_size is not supported by this library: start from "
                                "blastmerge_options_init(&options, sizeof options)");
    if (status == BLASTMERGE_NO_MEMORY) {
        blastmerge_destroy(made);
        return status;
    }
    *job = made;
    return status;
}

/* A writer that was never used is told that it is over; in a copy that a fork left it is another's. */
static void end_writer(struct blastmerge_job *job) {
    if (job->places.has_writer && job->places.writer.discard != NULL && job->owner == getpid())
        job->places.writer.discard(job->places.writer.context);
}

void blastmerge_destroy(struct blastmerge_job *job) {
    if (job == NULL || job->is_inside) return;
    struct bm_memory memory;
    /* After a fork with the job under way, its threads are not here, a lock may be held for ever, and files
     * and connections are the other process's: the copy's memory is left as it is. */
    if (bm_cancel_is_foreign(&job->cancel)) return;
    job->is_inside = true;
    bm_job_end(job);
    end_writer(job);
    if (bm_cancel_is_foreign(&job->cancel)) return; /* one of the caller's functions has forked */
    bm_job_children_close(job);
    bm_plan_close(&job->plan);
    bm_job_options_close(job);
    bm_job_places_close(job);
    bm_job_check_close(job);
    bm_job_shards_close(job);
    bm_job_index_close(job);
    bm_job_get_close(job);
    bm_cancel_close(&job->cancel);
    memory = job->memory;
    bm_release(&memory, job);
}

/* --- children and places ------------------------------------------------------------------------- */

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* A job whose options were refused, or that has begun, takes nothing more. A call from within a callback of
 * the job is refused without a word in the job's error, so that it does no harm. */
enum blastmerge_status bm_job_check_new(struct blastmerge_job *job) {
    if (bm_cancel_is_foreign(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    if (job->is_inside) return BLASTMERGE_USAGE;
    if (job->error.status != BLASTMERGE_OK) return job->error.status;
    if (job->has_begun) return refuse(job, "the job has already begun");
    job->owner = getpid(); /* before a job begins, a fork makes two of it */
    return BLASTMERGE_OK;
}

/* A child can be added before the job begins, and while it asks for more. */
static enum blastmerge_status check_adding(struct blastmerge_job *job) {
    return job->children.is_adding ? job->error.status : bm_job_check_new(job);
}

void bm_job_move_sources(struct blastmerge_job *job) {
    for (size_t i = bm_job_writers_first(job); i < job->n_opened; i++)
        if (i >= job->child || bm_job_writers_have(job, i)) /* else its seat may be another's */
            bm_child_move(bm_job_seats_at(job, i), &job->plan.items[i].source);
}

enum blastmerge_status bm_job_add_child(struct blastmerge_job *job, struct bm_fetch_source source) {
    bool is_added = bm_plan_add(&job->plan, source);
    bm_job_move_sources(job);
    return is_added ? BLASTMERGE_OK : fail_memory(job);
}

enum blastmerge_status blastmerge_add_location(struct blastmerge_job *job, const char *location) {
    enum blastmerge_status status = check_adding(job);
    if (status != BLASTMERGE_OK) return status;
    if (location == NULL || location[0] == '\0') return refuse(job, "a child has an empty name");
    status = bm_cloud_location_refuse_strange(location, &job->error);
    if (status != BLASTMERGE_OK) return status;
    if (bm_cloud_location_is_remote(location)) return bm_job_remote_add(job, location);
    return bm_job_add_child(job, bm_fetch_source_path(location));
}

enum blastmerge_status blastmerge_add_memory(struct blastmerge_job *job, const char *name, const void *data,
                                             size_t n_bytes) {
    enum blastmerge_status status = check_adding(job);
    if (status != BLASTMERGE_OK) return status;
    if (name == NULL || (data == NULL && n_bytes > 0))
        return refuse(job, "a child in memory needs a name and data");
    return bm_job_add_child(job, bm_fetch_source_memory(name, data, n_bytes));
}

enum blastmerge_status blastmerge_add_reader(struct blastmerge_job *job, const char *name,
                                             const struct blastmerge_reader *reader) {
    enum blastmerge_status status = check_adding(job);
    if (status != BLASTMERGE_OK) return status;
    if (name == NULL || reader == NULL || reader->next == NULL)
        return refuse(job, "a reader needs a name and next");
    struct bm_fetch_reader *kept = bm_pool_allocate(&job->plan.pool, &job->memory, sizeof *kept, true);
    if (kept == NULL) return fail_memory(job);
    *kept = (struct bm_fetch_reader){.functions = *reader, .ticket = job->options.callback_ticket};
    return bm_job_add_child(job, bm_fetch_source_reader(name, kept));
}

enum blastmerge_status blastmerge_set_children(struct blastmerge_job *job,
                                               const struct blastmerge_children *children) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (children == NULL || children->next == NULL) return refuse(job, "more children need next");
    bm_job_children_set_source(job, children);
    return BLASTMERGE_OK;
}

void blastmerge_shards_options_init(struct blastmerge_shards_options *options, size_t struct_size) {
    bm_init_struct(options, struct_size);
}

enum blastmerge_status blastmerge_set_shards(struct blastmerge_job *job,
                                             const struct blastmerge_shards_options *options) {
    struct blastmerge_shards_options defaults;
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    blastmerge_shards_options_init(&defaults, sizeof defaults);
    if (options != NULL && !bm_copy_struct(&defaults, sizeof defaults, sizeof defaults, options))
        return refuse(job, "shards: struct_size is that of no options that this library knows: start from "
                           "blastmerge_shards_options_init(&options, sizeof options)");
    return bm_job_shards_set(job, &defaults);
}

/* --- indexes ------------------------------------------------------------------------------------- */

void blastmerge_index_options_init(struct blastmerge_index_options *options, size_t struct_size) {
    bm_init_struct(options, struct_size);
}

void blastmerge_get_options_init(struct blastmerge_get_options *options, size_t struct_size) {
    bm_init_struct(options, struct_size);
}

/* Copies the options for a get; NULL: the defaults. */
static enum blastmerge_status set_get(struct blastmerge_job *job,
                                      const struct blastmerge_get_options *options, bool can_be_all) {
    struct blastmerge_get_options defaults;
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    blastmerge_get_options_init(&defaults, sizeof defaults);
    if (options != NULL && !bm_copy_struct(&defaults, sizeof defaults, sizeof defaults, options))
        return refuse(job, "get: struct_size is that of no options that this library knows: start from "
                           "blastmerge_get_options_init(&options, sizeof options)");
    return bm_job_get_set(job, &defaults, can_be_all);
}

enum blastmerge_status blastmerge_set_get(struct blastmerge_job *job,
                                          const struct blastmerge_get_options *options) {
    return set_get(job, options, false);
}

static enum blastmerge_status set_location(struct blastmerge_job *job, struct bm_job_place *place,
                                           const char *location) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (location == NULL || location[0] == '\0') return refuse(job, "the output has an empty name");
    status = bm_cloud_location_refuse_strange(location, &job->error);
    return status == BLASTMERGE_OK ? bm_job_places_set(job, place, location) : status;
}

enum blastmerge_status blastmerge_set_output_location(struct blastmerge_job *job, const char *location) {
    return set_location(job, &job->places.output, location);
}

enum blastmerge_status blastmerge_set_missing_location(struct blastmerge_job *job, const char *location) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (location != NULL && bm_cloud_location_is_remote(location))
        return refuse(job, "the missing queries are written to a file or a stream, not to an object store");
    return set_location(job, &job->places.missing, location);
}

enum blastmerge_status blastmerge_set_page_location(struct blastmerge_job *job, const char *location) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (location != NULL && bm_cloud_location_is_remote(location))
        return refuse(job, "the page is written to a file or a stream, not to an object store");
    return set_location(job, &job->places.page, location);
}

enum blastmerge_status blastmerge_set_report_location(struct blastmerge_job *job, const char *location) {
    return set_location(job, &job->places.report, location);
}

static enum blastmerge_status keep_place(struct blastmerge_job *job, const char *what, const char *location,
                                         bool is_written) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (what == NULL || location == NULL || location[0] == '\0')
        return refuse(job, "a place that is the caller's own has an empty name");
    status = bm_cloud_location_refuse_strange(location, &job->error);
    return status == BLASTMERGE_OK ? bm_job_places_keep(job, what, location, is_written) : status;
}

enum blastmerge_status blastmerge_protect_location(struct blastmerge_job *job, const char *what,
                                                   const char *location) {
    return keep_place(job, what, location, false);
}

enum blastmerge_status blastmerge_claim_location(struct blastmerge_job *job, const char *what,
                                                 const char *location) {
    return keep_place(job, what, location, true);
}

enum blastmerge_status blastmerge_set_output_writer(struct blastmerge_job *job,
                                                    const struct blastmerge_writer *writer) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (writer == NULL || writer->write == NULL) return refuse(job, "a writer needs write");
    bm_job_places_set_writer(job, writer);
    return BLASTMERGE_OK;
}

/* --- running ------------------------------------------------------------------------------------- */

/* Whatever happened, the rooms are closed; what was not committed is discarded. */
enum blastmerge_status bm_job_finish(struct blastmerge_job *job, enum blastmerge_status status) {
    job->is_inside = true; /* for the caller's allocator */
    /* No error may be left behind by what went well in the end. */
    assert(status != BLASTMERGE_OK || job->error.status == BLASTMERGE_OK);
    if (job->cancel.has_forked_in)
        job->sentence = (struct bm_job_sentence){0}; /* that error took its place */
    bm_job_sentence_compose(&job->sentence, &job->error);
    if (job->phase != BM_JOB_PHASE_END) bm_job_commit_count(job);
    if (status != BLASTMERGE_OK && status != BLASTMERGE_SALVAGED) job->phase = BM_JOB_PHASE_FAILED;
    bm_job_end(job);
    if (job->callbacks.failed != NULL && (status == BLASTMERGE_OK || status == BLASTMERGE_SALVAGED)) {
        job->phase = BM_JOB_PHASE_FAILED;
        status = bm_fail_callback(&job->error, job->callbacks.result, job->callbacks.failed);
    }
    job->is_inside = false;
    if (!bm_cancel_check_process(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    return status;
}

static enum blastmerge_status begin(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    job->is_inside = true;
    status = bm_job_begin(job);
    return job->cancel.has_forked_in ? bm_cancel_fail_foreign(&job->error) : status;
}

/* Merges to the store that is open, if any. */
static enum blastmerge_status run(struct blastmerge_job *job) {
    enum blastmerge_status status = begin(job);
    while (status == BLASTMERGE_OK) {
        status = bm_job_conduct(job);
        if (status != BLASTMERGE_OK) break;
        if (job->phase == BM_JOB_PHASE_END) { /* the last piece goes out with the commit */
            status = bm_job_commit(job);
            break;
        }
        size_t n = bm_job_commit_ready(job);
        if (job->store.back_end != NULL)
            status = bm_store_write(&job->store, job->output.data, n, &job->error);
        bm_job_commit_done(job, n);
    }
    return bm_job_finish(job, status);
}

enum blastmerge_status blastmerge_run(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    if (!bm_job_places_has_output(job)) return refuse(job, "no output was set");
    return run(job);
}

enum blastmerge_status blastmerge_check(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    job->is_check = true;
    return run(job);
}

enum blastmerge_status blastmerge_set_index(struct blastmerge_job *job,
                                            const struct blastmerge_index_options *options) {
    struct blastmerge_index_options defaults;
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    blastmerge_index_options_init(&defaults, sizeof defaults);
    if (options != NULL && !bm_copy_struct(&defaults, sizeof defaults, sizeof defaults, options))
        return refuse(job, "index: struct_size is that of no options that this library knows: start from "
                           "blastmerge_index_options_init(&options, sizeof options)");
    return bm_job_index_set(job, &defaults);
}

enum blastmerge_status blastmerge_index(struct blastmerge_job *job,
                                        const struct blastmerge_index_options *options) {
    enum blastmerge_status status = blastmerge_set_index(job, options);
    if (status != BLASTMERGE_OK) return status;
    bm_job_index_be_lenient(job);
    return blastmerge_check(job);
}

/* What a job does before it opens its rooms, as far as a list needs it. */
static enum blastmerge_status begin_list(struct blastmerge_job *job) {
    job->has_begun = true;
    job->is_check = true;
    job->phase = BM_JOB_PHASE_FAILED; /* there is nothing to conduct */
    clock_gettime(CLOCK_MONOTONIC, &job->began);
    enum blastmerge_status status = bm_cancel_begin(&job->cancel, &job->error);
    if (status == BLASTMERGE_OK) status = bm_job_children_take_all(job);
    if (status == BLASTMERGE_OK) status = bm_job_places_check(job);
    if (status == BLASTMERGE_OK) status = bm_job_remote_begin(job);
    if (status == BLASTMERGE_OK) status = bm_job_children_check(job, 0);
    return status == BLASTMERGE_OK ? bm_job_get_begin_list(job) : status;
}

static enum blastmerge_status tell(struct blastmerge_job *job, const struct blastmerge_query *query,
                                   int (*on_query)(void *context, const struct blastmerge_query *query),
                                   void *context) {
    int issued = bm_callback_begin(job->options.callback_ticket);
    bm_job_note_callback(job, "on_query failed", issued, on_query(context, query));
    return bm_job_check_callbacks(job);
}

enum blastmerge_status
blastmerge_queries(struct blastmerge_job *job, const struct blastmerge_get_options *options,
                   int (*on_query)(void *context, const struct blastmerge_query *query), void *context) {
    const struct blastmerge_query *query = NULL;
    enum blastmerge_status status = set_get(job, options, true);
    if (status != BLASTMERGE_OK) return status;
    if (on_query == NULL) return refuse(job, "a list of queries needs on_query");
    job->is_inside = true;
    status = begin_list(job);
    do {
        if (status == BLASTMERGE_OK) status = bm_job_get_next(job, &query);
        if (status == BLASTMERGE_OK && query != NULL) status = tell(job, query, on_query, context);
    } while (status == BLASTMERGE_OK && query != NULL);
    return bm_job_finish(job, status);
}

enum blastmerge_status blastmerge_next_query(struct blastmerge_job *job,
                                             const struct blastmerge_get_options *options,
                                             const struct blastmerge_query **query) {
    *query = NULL;
    if (bm_cancel_is_foreign(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    if (job->is_inside) return BLASTMERGE_USAGE;
    bool is_first = !bm_job_get_has_list(job);
    enum blastmerge_status status = is_first ? set_get(job, options, true) : job->error.status;
    if (status != BLASTMERGE_OK) return status;
    job->is_inside = true;
    if (is_first) status = begin_list(job);
    if (status == BLASTMERGE_OK) status = bm_job_get_next(job, query);
    if (*query == NULL) return bm_job_finish(job, status);
    job->is_inside = false;
    return BLASTMERGE_OK;
}

/* Merges on until there is a piece to hand out; the last one only once everything is committed. */
static enum blastmerge_status next_piece(struct blastmerge_job *job, size_t *n_ready) {
    enum blastmerge_status status = BLASTMERGE_OK;
    do {
        status = bm_job_conduct(job);
        *n_ready = bm_job_commit_ready(job);
    } while (status == BLASTMERGE_OK && *n_ready == 0 && job->phase != BM_JOB_PHASE_END);
    if (status != BLASTMERGE_OK || job->phase != BM_JOB_PHASE_END) return status;
    status = bm_job_commit(job);
    job->is_committed = status == BLASTMERGE_OK || status == BLASTMERGE_SALVAGED;
    job->committed_status = status;
    return job->is_committed ? BLASTMERGE_OK : status;
}

enum blastmerge_status blastmerge_next(struct blastmerge_job *job, const void **data, size_t *n_bytes) {
    *data = NULL;
    *n_bytes = 0;
    if (bm_cancel_is_foreign(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    if (job->is_inside) return BLASTMERGE_USAGE;
    if (job->is_committed && job->output.data != NULL) return bm_job_finish(job, job->committed_status);
    enum blastmerge_status status = job->error.status;
    if (status != BLASTMERGE_OK) return status;
    if (!job->has_begun) {
        if (bm_job_places_has_output(job)) return refuse(job, "the job has an output: run it");
        status = begin(job);
        job->is_pulled = true;
    } else if (!job->is_pulled) {
        return refuse(job, "the job has already begun");
    } else if (job->output.data == NULL) {
        return BLASTMERGE_OK; /* the end was handed out before */
    } else {
        bm_job_commit_done(job, job->n_handed_out);
    }
    job->is_inside = true;
    if (status == BLASTMERGE_OK) status = next_piece(job, &job->n_handed_out);
    if (status != BLASTMERGE_OK) return bm_job_finish(job, status);
    if (job->n_handed_out == 0)
        return bm_job_finish(job, job->committed_status); /* a result without a byte */
    job->is_inside = false;
    *data = job->output.data;
    *n_bytes = job->n_handed_out;
    return BLASTMERGE_OK;
}

/* Doubles a buffer until it holds n_wanted bytes. */
static bool grow(struct bm_memory *memory, uint8_t **buffer, size_t *size, size_t n_used, size_t n_wanted) {
    if (n_wanted <= *size) return true;
    size_t n = *size * 2 > n_wanted ? *size * 2 : n_wanted;
    uint8_t *grown = bm_allocate(memory, n);
    if (grown == NULL) return false;
    if (n_used > 0) memcpy(grown, *buffer, n_used);
    bm_release(memory, *buffer);
    *buffer = grown;
    *size = n;
    return true;
}

enum blastmerge_status blastmerge_to_buffer(struct blastmerge_job *job, void **data, size_t *n_bytes) {
    uint8_t *buffer = NULL;
    size_t size = 0;
    size_t n_used = 0;
    *data = NULL;
    *n_bytes = 0;
    enum blastmerge_status status = bm_job_check_new(job);
    if (status != BLASTMERGE_OK) return status;
    for (;;) {
        const void *piece = NULL;
        size_t n_piece = 0;
        /* Room first: once the last piece is handed out nothing may fail. */
        job->is_inside = true; /* for the caller's allocator */
        bool has_room =
            job->is_committed || grow(&job->memory, &buffer, &size, n_used, n_used + BM_OUTPUT_SIZE);
        job->is_inside = false;
        if (!has_room) {
            status = bm_job_finish(job, fail_memory(job));
            break;
        }
        status = blastmerge_next(job, &piece, &n_piece);
        if (status != BLASTMERGE_OK || n_piece == 0) break;
        memcpy(buffer + n_used, piece, n_piece);
        n_used += n_piece;
    }
    if (status != BLASTMERGE_OK && status != BLASTMERGE_SALVAGED) {
        bm_release(&job->memory, buffer);
        return status;
    }
    *data = buffer;
    *n_bytes = n_used;
    return status;
}

void blastmerge_free(struct blastmerge_job *job, void *data) {
    if (data != NULL) bm_release(&job->memory, data);
}

void blastmerge_cancel(struct blastmerge_job *job) {
    bm_cancel_set(&job->cancel);
}

/* --- what came of it ----------------------------------------------------------------------------- */

const struct blastmerge_error *blastmerge_error(const struct blastmerge_job *job) {
    static const struct blastmerge_error no_memory = {.status = BLASTMERGE_NO_MEMORY,
                                                      .child = BLASTMERGE_NO_CHILD,
                                                      .text_offset = BLASTMERGE_NO_OFFSET,
                                                      .message = "out of memory"};
    return job == NULL ? &no_memory : &job->error;
}

const struct blastmerge_report *blastmerge_report(const struct blastmerge_job *job) {
    return &job->totals;
}

const struct blastmerge_shards_report *blastmerge_shards_report(const struct blastmerge_job *job) {
    return bm_job_shards_report(job);
}

enum blastmerge_status blastmerge_child(const struct blastmerge_job *job, uint64_t number,
                                        struct blastmerge_child *child) {
    memset(child, 0, sizeof *child);
    const struct bm_job_row none = {0};
    const struct bm_job_row *kept = number < job->children.n_rows ? &job->children.rows[number] : &none;
    const struct bm_fetch_source *source = NULL;
    if (number < job->plan.n_items) source = &job->plan.items[number].source;
    if (job->shards != NULL && job->has_begun && !bm_job_shards_find(job, number, &source, &kept))
        source = NULL;
    if (source == NULL) return BLASTMERGE_USAGE;
    const char *location = bm_fetch_source_has_location(source) ? source->location : NULL;
    bool is_stdin = location != NULL && strcmp(location, "-") == 0;
    *child = (struct blastmerge_child){
        .name = is_stdin ? source->shown : bm_fetch_source_name(source),
        .location = location,
        .n_documents = kept->n_documents,
        .n_iterations = kept->n_iterations,
        .n_hits = kept->n_hits,
        .n_hsps = kept->n_hsps,
        .n_invalid_bytes = kept->n_invalid_bytes,
        .compressed_bytes = kept->compressed_bytes,
        .text_bytes = kept->text_bytes,
        .n_forbidden_characters = kept->n_forbidden,
        .status = (enum blastmerge_status)kept->status,
        .error = bm_job_check_message(job, number),
        .was_read = kept->was_read,
    };
    return BLASTMERGE_OK;
}
