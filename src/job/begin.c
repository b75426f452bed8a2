/* SPDX-License-Identifier: MIT */
/*
 * Before and after the conductor: checks everything that can be checked without reading the children, opens the rooms,
 * and closes them at the end.
 */
#include "job/check.h"
#include "job/job.h"
#include "job/order.h"
#include "job/places.h"
#include "job/remote.h"
#include "job/shards.h"
#include "job/slices.h"
#include "job/survey.h"
#include "job/writers.h"
#include "plan/order.h"
#include "stitch/stitch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- the rooms ----------------------------------------------------------------------------------- */

/* Packing needs all text, and so does finding out what is damaged, or an index. Remote work has its own division of memory. */
static bool can_be_early(const struct blastmerge_job *job) {
    bool is_spliced = job->options.form == BLASTMERGE_FORM_GZIP && job->options.level == 0;
    return job->workers.n_threads > 0 && (is_spliced || job->is_check) && !job->is_copied &&
           !job->options.salvage && !job->options.order_by_queries && job->shards == NULL &&
           job->index == NULL && !bm_job_remote_has_children(job);
}

/* A child that is read early takes its own descriptor and, with what is kept of it and its writer's output, two of temporary files;
 * a small one its own alone. */
enum { OTHER_FILES = 16, FILES_OF_CHILD = 3 };

/* Descriptors that the process may have for children. */
static size_t count_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
    return limit.rlim_cur > OTHER_FILES ? (size_t)limit.rlim_cur - OTHER_FILES : 0;
}

/* How many children that are read early may be open, but one at least. */
static size_t most_by_descriptors(void) {
    const size_t n = count_descriptors() / FILES_OF_CHILD;
    return n > 1 ? n : 1;
}

/* Likewise of small ones, where n - 1 others may be. */
static size_t most_small_by_descriptors(size_t n) {
    const size_t n_all = count_descriptors(), n_others = (n - 1) * FILES_OF_CHILD;
    return n_all > n_others ? n_all - n_others : 0;
}

/* How many children can be open: of those that are read early, one for each thread, as far as memory and descriptors go. */
static size_t count_open(const struct blastmerge_job *job) {
    const uint64_t limit = job->options.memory_limit;
    const size_t n_threads = job->options.n_threads;
    bool is_remote = job->cloud != NULL || job->children.is_lazy; /* or may become so */
    size_t n = n_threads < BM_JOB_FEW_OPEN ? n_threads : BM_JOB_FEW_OPEN;
    if (job->shards != NULL) return 1;                           /* each is many files */
    if (bm_job_remote_has_children(job)) return BM_JOB_FEW_OPEN; /* waiting for servers needs no processor */
    if (job->can_be_early && !is_remote) n = n_threads;
    if (job->can_be_early && is_remote && n > BM_JOB_LEAST_OPEN) n = BM_JOB_LEAST_OPEN;
    if (limit > 0 && job->cloud == NULL && n > BM_JOB_LEAST_OPEN) {
        uint64_t n_affordable = BM_JOB_LEAST_OPEN + (limit - BM_JOB_LEAST_MEMORY) / BM_JOB_CHILD_MEMORY;
        if (n > n_affordable) n = (size_t)n_affordable;
    }
    const size_t n_by_descriptors = job->can_be_early ? most_by_descriptors() : n;
    if (n > n_by_descriptors) n = n_by_descriptors;
    return n > job->plan.n_items && !job->children.is_lazy ? job->plan.n_items : n;
}

static enum blastmerge_status check_memory(struct blastmerge_job *job) {
    const uint64_t limit = job->options.memory_limit;
    const uint64_t n_more = job->shards != NULL ? bm_job_shards_more_memory(job) : 0;
    const uint64_t n_least = (BM_JOB_LEAST_MEMORY + n_more + (1 << 20) - 1) >> 20;
    if (limit == 0 || limit >> 20 >= n_least || job->cloud != NULL) return BLASTMERGE_OK;
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY,
                   "%" PRIu64 " KiB of memory are too little: at least %" PRIu64
                   " MiB are needed%s (--memory)",
                   limit >> 10, n_least, n_more > 0 ? " for so many shards at a time" : "");
}

static enum blastmerge_status create_children(struct blastmerge_job *job) {
    struct bm_child_settings settings = {
        .invalid_utf8 = job->options.invalid_utf8,
        .forbidden_characters = job->options.forbidden_characters,
        .header = job->options.header,
        .supposed = job->supposed,
        .is_supposed_narrow = job->is_supposed_narrow,
        .tells_queries = job->options.query_ids != BLASTMERGE_QUERY_IDS_KEEP || job->options.order_by_queries,
        .is_without_result = job->is_check,
        .needs_rows = job->options.expect_queries != NULL,
        .budget = &job->decoders,
        .room = job->shards != NULL ? bm_job_shards_room(job) : bm_child_lane_room_of(&job->workers),
    };
    job->can_be_early = can_be_early(job);
    atomic_init(&job->temporary.n_left, job->options.temporary_limit);
    if (!job->can_be_early) settings.room.n_kept_bytes = 0;
    job->decoders.make_room = bm_job_make_room;
    job->decoders.context = job;
    job->kin.format = job->options.format;
    job->kin.is_inferred = job->options.format == BLASTMERGE_FORMAT_AUTO;
    if (job->options.salvage && job->kin.is_inferred)
        job->kin.format = BLASTMERGE_FORMAT_XML; /* unless the first pass finds another one */
    job->kin.is_given = job->kin.format != BLASTMERGE_FORMAT_AUTO;
    bm_job_slices_set_kin(job);
    if (job->can_be_early) settings.room.kept_file = &job->temporary;
    const size_t n_open = count_open(job);
    return bm_job_seats_open(job, &settings, n_open, most_small_by_descriptors(n_open));
}

/* What a local job does not need itself of the memory that it may take is left for libraries' decoders. Shards take five
 * eighths of a large limit later (shards.c); otherwise what comes later is small. Without a limit, and where the memory of
 * remote work is divided, decoders are counted, but have no bound. */
static void allow_decoders(struct blastmerge_job *job) {
    enum { REST = 5 << 20 }; /* the program's and the libraries' own pages, fingerprints, warnings */
    const uint64_t limit = job->options.memory_limit;
    job->decoders.n_most = UINT64_MAX;
    if (limit == 0 || job->cloud != NULL) return;
    uint64_t n_taken = job->memory.n_bytes + REST;
    if (job->shards != NULL)
        n_taken = limit / 4 * 3 > BM_JOB_LEAST_MEMORY ? limit / 4 * 3 : BM_JOB_LEAST_MEMORY;
    job->decoders.n_most = limit > n_taken ? limit - n_taken : 0;
}

void bm_job_open_number(const struct blastmerge_job *job, struct bm_number *number) {
    bm_number_open(number, job->options.database, job->options.query_ids, job->options.as_unsplit != 0);
    if (job->get != NULL) bm_number_keep(number);
}

static enum blastmerge_status open_rooms(struct blastmerge_job *job) {
    job->has_workers = true; /* even one that fails to open is closed */
    if (bm_workers_open(&job->workers, job->options.n_threads - 1, &job->memory) != BLASTMERGE_OK ||
        create_children(job) != BLASTMERGE_OK) {
        return BLASTMERGE_NO_MEMORY;
    }
    job->number = bm_allocate(&job->memory, sizeof *job->number);
    job->script = bm_allocate(&job->memory, sizeof *job->script);
    job->output.size = BM_OUTPUT_SIZE;
    job->output.data = bm_allocate(&job->memory, BM_OUTPUT_SIZE);
    if (job->number == NULL || bm_job_headers_open(&job->headers, &job->memory) != BLASTMERGE_OK ||
        job->script == NULL || job->output.data == NULL) {
        return BLASTMERGE_NO_MEMORY;
    }
    bm_job_open_number(job, job->number);
    bm_job_slices_begin_number(job);
    enum blastmerge_status status =
        job->can_be_early && !job->is_check ? bm_job_writers_open(job) : BLASTMERGE_OK;
    allow_decoders(job);
    return status;
}

enum blastmerge_status bm_job_open_output(struct blastmerge_job *job, bool is_json) {
    const struct bm_job_place *output = &job->places.output;
    bool is_text = is_json || job->options.form == BLASTMERGE_FORM_PLAIN;
    if (job->places.has_writer) {
        bm_store_open_writer(&job->store, &job->places.writer, job->options.callback_ticket, &job->cancel);
        bm_job_places_give_writer(job);
        return BLASTMERGE_OK;
    }
    if (output->location == NULL) return BLASTMERGE_OK;
    if (output->shown != NULL)
        return bm_job_remote_open_store(job, &job->store, output->location, output->shown, is_json);
    return bm_store_open_location(&job->store, output->location, job->options.force != 0, is_text,
                                  &job->cancel, &job->error);
}

static enum blastmerge_status write_report(void *context, const void *data, size_t n_bytes,
                                           struct blastmerge_error *error) {
    struct blastmerge_job *job = context;
    return bm_store_write(&job->report_store, data, n_bytes, error);
}

static enum blastmerge_status open_report(struct blastmerge_job *job) {
    if (job->places.report.location == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status =
        job->places.report.shown != NULL
            ? bm_job_remote_open_store(job, &job->report_store, job->places.report.location,
                                       job->places.report.shown, true)
            : bm_store_open_location(&job->report_store, job->places.report.location, job->options.force != 0,
                                     true, &job->cancel, &job->error);
    if (status != BLASTMERGE_OK) return status;
    job->has_report = true;
    const char *location =
        job->places.report.shown != NULL ? job->places.report.shown : job->places.report.location;
    return bm_report_open(&job->report, location, write_report, job, &job->options, job->is_check,
                          &job->error);
}

void bm_job_begin_result(struct blastmerge_job *job) {
    if (job->slice != NULL)
        bm_job_slices_begin_result(job);
    else if (!job->is_check)
        bm_stitch_begin(&job->output, job->options.form);
}

enum blastmerge_status bm_job_begin(struct blastmerge_job *job) {
    clock_gettime(CLOCK_MONOTONIC, &job->began);
    job->n_passes = 1;
    job->has_begun = true;
    job->phase = BM_JOB_PHASE_FAILED; /* unless all that follows succeeds */
    enum blastmerge_status status = bm_cancel_begin(&job->cancel, &job->error);
    if (status == BLASTMERGE_OK && (job->options.salvage || job->options.order_by_queries ||
                                    job->options.sort == BLASTMERGE_SORT_NATURAL || job->shards != NULL ||
                                    (job->index != NULL && job->is_check) || job->get != NULL))
        status = bm_job_children_take_all(job);
    if (status == BLASTMERGE_OK) status = bm_job_places_check(job);
    if (status == BLASTMERGE_OK) status = bm_job_remote_begin(job);
    if (status == BLASTMERGE_OK && bm_job_remote_has_children(job))
        status = bm_job_places_check(job); /* those that wildcards stand for */
    if (status != BLASTMERGE_OK) return status;
    job->temporary.beside = bm_job_places_beside(job);
    job->totals.n_children = job->plan.n_items;
    if (job->options.sort == BLASTMERGE_SORT_NATURAL) bm_plan_order_sort(&job->plan);
    status = bm_job_children_check(job, 0);
    if (status == BLASTMERGE_OK) status = bm_job_get_begin(job);
    if (status == BLASTMERGE_OK && job->shards != NULL) status = bm_job_children_check_twice(job);
    if (status == BLASTMERGE_OK && job->shards != NULL) status = bm_job_shards_gather(job);
    if (status == BLASTMERGE_OK) status = bm_job_children_make_rows(job);
    if (status == BLASTMERGE_OK) status = check_memory(job);
    if (status == BLASTMERGE_OK && open_rooms(job) != BLASTMERGE_OK) {
        status = bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    }
    if (status == BLASTMERGE_OK) status = bm_job_check_open(job);
    if (status == BLASTMERGE_OK) status = bm_job_survey_open(job);
    if (status == BLASTMERGE_OK) status = bm_job_queries_open(job);
    if (status == BLASTMERGE_OK) status = bm_job_order_open(job);
    if (status == BLASTMERGE_OK && !job->is_check) status = bm_job_open_output(job, false);
    if (status == BLASTMERGE_OK) status = bm_job_side_open(job);
    if (status == BLASTMERGE_OK) status = bm_job_index_open(job);
    if (status == BLASTMERGE_OK) status = open_report(job);
    if (status == BLASTMERGE_OK && !job->children.is_lazy) status = bm_job_children_check_twice(job);
    if (status == BLASTMERGE_OK && !job->is_order_given && !job->children.is_lazy && job->order == NULL)
        status = bm_job_children_check_order(job);
    if (status == BLASTMERGE_OK) status = bm_job_check_callbacks(job);
    if (status != BLASTMERGE_OK) return status;
    if (!job->is_copied) bm_job_begin_result(job);
    job->phase = job->survey != NULL ? BM_JOB_PHASE_SURVEY
                 : job->is_copied    ? BM_JOB_PHASE_LOOK
                                     : BM_JOB_PHASE_CHILD;
    return BLASTMERGE_OK;
}

/* What a store could not take back. */
static void warn_of_left_over(struct blastmerge_job *job, struct bm_store *store) {
    if (store->left_over[0] != '\0') bm_job_warn(job, false, "%s", store->left_over);
    store->left_over[0] = '\0';
}

void bm_job_end(struct blastmerge_job *job) {
    struct bm_memory *memory = &job->memory;
    if (bm_cancel_is_foreign(&job->cancel)) return; /* all of it is another process's, or not here at all */
    bm_store_discard(&job->store);
    bm_store_discard(&job->report_store);
    bm_job_side_close(job);
    bm_job_index_discard(job);
    bm_report_close(&job->report);
    job->has_report = false;
    warn_of_left_over(job, &job->store);
    warn_of_left_over(job, &job->report_store);
    if (!bm_cancel_check_process(&job->cancel)) return; /* a writer's or a warning's function has forked */
    bm_splice_sink_close(job->sink);
    bm_job_writers_close(job);
    if (!bm_job_seats_close(job)) return; /* a reader's has */
    bm_job_order_close(job);
    bm_job_shards_end(job);
    if (!bm_cancel_check_process(&job->cancel)) return;
    if (job->has_workers) bm_workers_close(&job->workers, memory);
    bm_splice_reader_close(job->reader);
    bm_job_survey_close(job);
    bm_job_queries_close(job);
    bm_release(memory, job->number);
    bm_job_headers_close(&job->headers, memory);
    bm_release(memory, job->script);
    bm_job_twins_close(&job->twins, memory);
    bm_job_repeats_close(&job->repeats, memory);
    bm_release(memory, job->output.data);
    job->sink = NULL;
    job->has_workers = false;
    job->reader = NULL;
    job->number = NULL;
    job->script = NULL;
    job->output.data = NULL;
    job->output.n_data = 0;
    for (size_t i = 0; i < job->plan.n_items && job->owner == getpid(); i++)
        bm_fetch_source_close(&job->plan.items[i].source);
    bm_job_get_end(job);
    if (bm_cancel_check_process(&job->cancel)) bm_job_remote_end(job);
}
