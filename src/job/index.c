/* SPDX-License-Identifier: MIT */
#include "job/index.h"
#include "base/descriptor.h"
#include "cloud/location.h"
#include "index/build.h"
#include "index/result.h"
#include "index/schema.h"
#include "job/job.h"
#include "job/places.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct bm_job_index {
    struct bm_index_settings settings;
    char *location; /* NULL: beside the child */
    int file;       /* -1: that of the store */
    struct bm_store store;
    struct bm_index_build *build;
    struct bm_index_result *result; /* NULL: the index is a child's, or the result is read again for it */
};

/* --- settings ------------------------------------------------------------------------------------ */

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

char *bm_job_index_location(struct blastmerge_job *job, const char *result) {
    const size_t n_suffix = sizeof BM_JOB_INDEX_SUFFIX - 1;
    size_t n_all = strlen(result);
    /* A URL may have a query, which belongs behind the suffix. */
    size_t n = bm_cloud_location_is_remote(result) ? strcspn(result, "?") : n_all;
    char *location = bm_allocate(&job->memory, n_all + n_suffix + 1);
    if (location == NULL) return NULL;
    memcpy(location, result, n);
    memcpy(location + n, BM_JOB_INDEX_SUFFIX, n_suffix);
    memcpy(location + n + n_suffix, result + n, n_all - n + 1);
    return location;
}

static enum blastmerge_status make(struct blastmerge_job *job) {
    bm_job_index_close(job);
    job->index = bm_allocate(&job->memory, sizeof *job->index);
    if (job->index == NULL) return fail_memory(job);
    job->index->file = -1;
    job->index->settings.distance = BM_INDEX_DISTANCE;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_index_set(struct blastmerge_job *job,
                                        const struct blastmerge_index_options *options) {
    if (options->location != NULL && options->location[0] == '\0')
        return bm_fail(&job->error, BLASTMERGE_USAGE, "the index has an empty name");
    if (options->restart_distance > 0 && options->restart_distance < BM_INDEX_LEAST_DISTANCE)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "between two restart points there must be at least %d bytes of text",
                       BM_INDEX_LEAST_DISTANCE);
    enum blastmerge_status status = make(job);
    if (status != BLASTMERGE_OK) return status;
    struct bm_job_index *index = job->index;
    index->settings.definitions = options->definitions != 0;
    if (options->restart_distance > 0) index->settings.distance = options->restart_distance;
    if (options->location == NULL) return BLASTMERGE_OK;
    index->location = bm_copy_string(&job->memory, options->location);
    return index->location == NULL ? fail_memory(job) : BLASTMERGE_OK;
}

/* A job within another writes to a file that is open for reading and writing, with the other's settings. */
static enum blastmerge_status set_file(struct blastmerge_job *inner, const struct blastmerge_job *job,
                                       int file) {
    enum blastmerge_status status = make(inner);
    if (status != BLASTMERGE_OK) return status;
    inner->index->file = file;
    if (job->index != NULL) inner->index->settings = job->index->settings;
    return BLASTMERGE_OK;
}

/* An index says where things are, and judges none of them. */
void bm_job_index_be_lenient(struct blastmerge_job *job) {
    job->options.invalid_utf8 = BLASTMERGE_INVALID_UTF8_KEEP;
    job->options.forbidden_characters = BLASTMERGE_FORBIDDEN_KEEP;
    job->is_order_given = true;
}

/* --- a job within the job ------------------------------------------------------------------------- */

/* Called while the file is indexed, by a job within the job: a cancel of the job ends it. */
static int look_at_cancel(void *context, const struct blastmerge_progress *progress) {
    struct blastmerge_job *job = context;
    (void)progress;
    return bm_cancel_is_set(&job->cancel) ? -ECANCELED : BLASTMERGE_CALLBACK_OK;
}

enum blastmerge_status bm_job_index_make(struct blastmerge_job *job, const struct bm_fetch_source *source,
                                         int file) {
    struct blastmerge_job *inner = NULL;
    struct blastmerge_options options = job->options;
    options.struct_size = sizeof options;
    options.callback_context = job;
    options.callback_ticket = NULL;
    options.expect_children = 0;
    options.expect_queries = NULL;
    options.salvage = options.as_unsplit = options.order_by_queries = 0;
    options.database = NULL;
    options.keep_database = 1;
    options.header = BLASTMERGE_HEADER_ONCE;
    /* A result without any document, an empty table, does not show its format. */
    if (job->totals.n_documents > 0) options.format = BLASTMERGE_FORMAT_AUTO;
    options.on_warning = NULL;
    options.on_fault = NULL;
    options.on_progress = look_at_cancel;
    enum blastmerge_status status = blastmerge_create(&inner, &options);
    if (inner == NULL) return fail_memory(job);
    if (status == BLASTMERGE_OK) status = bm_job_add_child(inner, *source);
    if (status == BLASTMERGE_OK) status = set_file(inner, job, file);
    if (status == BLASTMERGE_OK) {
        bm_job_index_be_lenient(inner);
        status = blastmerge_check(inner);
    }
    if (status != BLASTMERGE_OK) job->error = *blastmerge_error(inner);
    if (status != BLASTMERGE_OK && bm_cancel_is_set(&job->cancel))
        bm_fail(&job->error, BLASTMERGE_CANCELLED, "cancelled");
    blastmerge_destroy(inner);
    return job->error.status;
}

/* --- opening ------------------------------------------------------------------------------------- */

/* Whether an index is there, which may be replaced: anybody can make it again. */
static bool is_index(const char *location) {
    static const char magic[] = "SQLite format 3";
    enum { HEADER = 100, APPLICATION = 68 };
    static const uint8_t application[] = {'B', 'M', 'I', '1'};
    uint8_t header[HEADER];
    int file = bm_open(location, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) return false;
    ssize_t n = pread(file, header, sizeof header, 0);
    close(file);
    return n == HEADER && memcmp(header, magic, sizeof magic) == 0 &&
           memcmp(header + APPLICATION, application, sizeof application) == 0;
}

/* What the index is of: a check's child, or a merge's result. */
static const char *find_indexed(const struct blastmerge_job *job) {
    if (!job->is_check) return job->places.output.location;
    const struct bm_fetch_source *source = &job->plan.items[0].source;
    return bm_fetch_source_has_location(source) ? source->location : NULL;
}

static enum blastmerge_status find_location(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    if (index->location == NULL) {
        const char *indexed = find_indexed(job);
        if (indexed == NULL)
            return bm_fail(&job->error, BLASTMERGE_USAGE, "the index of what is no file needs a location");
        if (bm_standard_of_name(indexed) >= 0) /* beside such a name no file belongs */
            return bm_fail(
                &job->error, BLASTMERGE_USAGE,
                "%s is a standard stream, and an index is written beside a file: give the file's own name%s",
                indexed, job->is_check ? ", or name the index (--index-file)" : "");
        index->location = bm_job_index_location(job, indexed);
        if (index->location == NULL) return fail_memory(job);
    }
    if (bm_cloud_location_is_remote(index->location))
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "an index is written to a local file, which is to be given for a remote result "
                       "(--index-file); copy it beside the result then");
    return bm_job_places_check_one(job, "the index", index->location, index->location);
}

static enum blastmerge_status open_store(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    enum blastmerge_status status = find_location(job);
    if (status != BLASTMERGE_OK) return status;
    bool is_force = job->options.force != 0 || is_index(index->location);
    status =
        bm_store_open_location(&index->store, index->location, is_force, true, &job->cancel, &job->error);
    if (status != BLASTMERGE_OK) return status;
    index->file = bm_store_descriptor(&index->store);
    if (index->file >= 0) return BLASTMERGE_OK;
    return bm_fail(&job->error, BLASTMERGE_USAGE, "an index is written to a regular file, and %.400s is none",
                   index->location);
}

/* Whether the child can be indexed, which is found out before it is read. */
static enum blastmerge_status check_child(struct blastmerge_job *job) {
    struct bm_index_bytes bytes;
    if (job->plan.n_items != 1)
        return bm_fail(&job->error, BLASTMERGE_USAGE, "an index is that of one file, and %zu are given",
                       job->plan.n_items);
    struct bm_fetch_source *source = &job->plan.items[0].source;
    enum blastmerge_status status = bm_index_bytes_open(&bytes, source, false, &job->memory, &job->error);
    if (status != BLASTMERGE_OK) {
        job->sentence.subject = source->shown;
        job->error.child = 0;
        return status;
    }
    bm_index_bytes_close(&bytes);
    return BLASTMERGE_OK;
}

/* Whether the index can be made of the script. Where children are copied there is none; counts of hits include what a plan
 * leaves out; and rows of column names that are kept count as queries in the merge, but not in the index. */
static bool can_follow(const struct blastmerge_job *job) {
    bool keeps_names = job->options.header == BLASTMERGE_HEADER_KEEP;
    return !job->is_copied && job->survey == NULL && job->order == NULL && !keeps_names;
}

static enum blastmerge_status follow(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    enum blastmerge_status status = bm_index_result_open(
        &index->result, index->build, &job->totals.output_bytes, &job->memory, &job->error);
    if (status == BLASTMERGE_OK) job->output.watch = bm_index_result_watch(index->result);
    return status;
}

static enum blastmerge_status open_of_result(struct blastmerge_job *job) {
    if (bm_store_descriptor(&job->store) < 0)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "only a result in a regular file is indexed: give it a name (-o), or index it later");
    enum blastmerge_status status = open_store(job);
    if (status != BLASTMERGE_OK) return status;
    struct bm_job_index *index = job->index;
    index->settings.beside = index->location;
    status = bm_index_build_open(&index->build, &index->settings, &job->memory, index->file, &job->cancel,
                                 &job->error);
    if (status == BLASTMERGE_OK && can_follow(job)) return follow(job);
    bm_index_build_close(index->build); /* now it is known that there can be one */
    index->build = NULL;
    return status == BLASTMERGE_OK && ftruncate(index->file, 0) != 0
               ? bm_fail_system(&job->error, errno, "cannot write the index")
               : status;
}

enum blastmerge_status bm_job_index_open(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    if (index == NULL) return BLASTMERGE_OK;
    if (!job->is_check) return open_of_result(job);
    enum blastmerge_status status = check_child(job);
    if (status == BLASTMERGE_OK && index->file < 0) status = open_store(job);
    if (status != BLASTMERGE_OK) return status;
    index->settings.format = job->options.format;
    if (index->location != NULL) index->settings.beside = index->location;
    return bm_index_build_open(&index->build, &index->settings, &job->memory, index->file, &job->cancel,
                               &job->error);
}

/* --- a child's text ------------------------------------------------------------------------------ */

/* What is wrong with the text is the child's; all else is the index's. */
static enum blastmerge_status fail(struct blastmerge_job *job) {
    bool is_childs = job->error.status == BLASTMERGE_DATA || job->error.status == BLASTMERGE_MISMATCH ||
                     job->error.status == BLASTMERGE_USAGE;
    return is_childs ? bm_job_fail_child(job) : bm_job_fail(job);
}

static bool is_of_child(const struct blastmerge_job *job) {
    return job->index != NULL && job->index->build != NULL && job->index->result == NULL;
}

enum blastmerge_status bm_job_index_batch(struct blastmerge_job *job) {
    if (!is_of_child(job)) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_index_build_batch(job->index->build, job->batch, &job->error);
    return status == BLASTMERGE_OK ? status : fail(job);
}

enum blastmerge_status bm_job_index_marks(struct blastmerge_job *job) {
    const struct bm_view *view = &job->view;
    if (!is_of_child(job)) return BLASTMERGE_OK;
    uint64_t scanned = job->batch->text_offset + view->end;
    uint64_t safe = view->safe < scanned ? view->safe : scanned;
    enum blastmerge_status status =
        bm_index_build_marks(job->index->build, job->batch, view->marks, safe, &job->error);
    if (status != BLASTMERGE_OK) return fail(job);
    if (view->field != NULL) bm_index_build_field(job->index->build, view->field);
    return BLASTMERGE_OK;
}

/* --- a result's text ------------------------------------------------------------------------------ */

/* What is wrong with the result's text is the result's. */
static enum blastmerge_status fail_result(struct blastmerge_job *job) {
    if (job->error.status == BLASTMERGE_DATA || job->error.status == BLASTMERGE_USAGE)
        job->sentence.subject = job->places.output.location;
    return bm_job_fail(job);
}

static struct bm_index_result *result_of(const struct blastmerge_job *job) {
    return job->index == NULL ? NULL : job->index->result;
}

void bm_job_index_begin_child(struct blastmerge_job *job) {
    if (result_of(job) != NULL) bm_index_result_begin_child(result_of(job));
}

enum blastmerge_status bm_job_index_take(struct blastmerge_job *job) {
    struct bm_index_result *result = result_of(job);
    if (result == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status =
        bm_index_result_take(result, job->script, job->batch, job->view.marks, &job->error);
    if (status != BLASTMERGE_OK) return fail_result(job);
    bool is_own = job->view.field != NULL && job->number->now.is_first;
    if (is_own) bm_index_build_field(job->index->build, job->view.field);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_index_catch_up(struct blastmerge_job *job) {
    struct bm_index_result *result = result_of(job);
    if (result == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_index_result_catch_up(result, job->script, job->batch, &job->error);
    return status == BLASTMERGE_OK ? status : fail_result(job);
}

enum blastmerge_status bm_job_index_end(struct blastmerge_job *job) {
    struct bm_index_result *result = result_of(job);
    if (result == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_index_result_end(result, job->epilogue, job->n_epilogue, &job->error);
    return status == BLASTMERGE_OK ? status : fail_result(job);
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Completes the index of a file, which has this many bytes unless it has changed. */
static enum blastmerge_status end_build(struct blastmerge_job *job, const struct bm_fetch_source *source,
                                        uint64_t n_bytes) {
    struct bm_job_index *index = job->index;
    struct bm_index_bytes bytes;
    enum blastmerge_status status = bm_index_bytes_open(&bytes, source, false, &job->memory, &job->error);
    if (status != BLASTMERGE_OK) return status;
    if (bytes.n_bytes != n_bytes)
        status = bm_fail(&job->error, BLASTMERGE_CHANGED, "%.400s: changed while it was read", source->shown);
    if (status == BLASTMERGE_OK) status = bm_index_build_end(index->build, &bytes, &job->error);
    bm_index_bytes_close(&bytes);
    bm_index_build_close(index->build);
    index->build = NULL;
    return status;
}

static enum blastmerge_status end_of_child(struct blastmerge_job *job) {
    const struct bm_fetch_source *source = &job->plan.items[0].source;
    enum blastmerge_status status = end_build(job, source, job->children.rows[0].compressed_bytes);
    if (status == BLASTMERGE_USAGE ||
        status == BLASTMERGE_DATA) { /* what the child is, not where the index goes */
        job->sentence.subject = source->shown;
        job->error.child = 0;
    }
    return status;
}

/* The result is complete, in its temporary file: where the script was not followed, it is read once more. */
static enum blastmerge_status end_of_result(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    char path[BM_STORE_PATH];
    if (!bm_store_path(&job->store, path))
        return bm_fail(&job->error, BLASTMERGE_USAGE, "the path of the result is too long for an index");
    struct bm_fetch_source source = bm_fetch_source_path(path);
    if (job->places.output.location != NULL)
        source.shown = job->places.output.location; /* not its temporary name */
    if (index->result == NULL) {
        enum blastmerge_status status = bm_job_index_make(job, &source, index->file);
        job->error.child =
            BLASTMERGE_NO_CHILD; /* it is the result that the job within the job was given as a child */
        return status;
    }
    enum blastmerge_status status = bm_index_result_finish(
        index->result, job->totals.format, job->output.crc32, job->output.n_text, &job->error);
    return status == BLASTMERGE_OK ? end_build(job, &source, job->totals.output_bytes) : status;
}

enum blastmerge_status bm_job_index_prepare(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    if (index == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status = job->is_check ? end_of_child(job) : end_of_result(job);
    if (status != BLASTMERGE_OK || index->store.back_end == NULL) return status;
    return bm_store_prepare(&index->store, &job->error);
}

enum blastmerge_status bm_job_index_reveal(struct blastmerge_job *job) {
    struct bm_job_index *index = job->index;
    if (index == NULL || index->store.back_end == NULL) return BLASTMERGE_OK;
    return bm_store_commit(&index->store, &job->error);
}

void bm_job_index_discard(struct blastmerge_job *job) {
    if (job->index == NULL) return;
    bm_index_result_close(job->index->result);
    bm_index_build_close(job->index->build);
    job->index->result = NULL;
    job->index->build = NULL;
    job->output.watch = NULL;
    bm_store_discard(&job->index->store);
}

void bm_job_index_close(struct blastmerge_job *job) {
    if (job->index == NULL) return;
    bm_job_index_discard(job);
    bm_release(&job->memory, job->index->location);
    bm_release(&job->memory, job->index);
    job->index = NULL;
}
