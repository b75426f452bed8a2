/* SPDX-License-Identifier: MIT */
#include "job/remote.h"
#include "cloud/location.h"
#include "plan/wildcards.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHOWN = 1200,    /* bytes of a location in a message; a longer one is cut */
    LOOKS_AHEAD = 16 /* children that are looked at at a time */
};

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

enum blastmerge_status bm_job_remote_name(struct blastmerge_job *job, const char *location, char **name) {
    char shown[SHOWN];
    *name = NULL;
    if (!bm_cloud_location_is_remote(location)) return BLASTMERGE_OK;
    bm_cloud_location_show(location, shown, sizeof shown);
    *name = bm_copy_string(&job->memory, shown);
    return *name == NULL ? fail_memory(job) : BLASTMERGE_OK;
}

#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"

enum blastmerge_status bm_job_remote_add(struct blastmerge_job *job, const char *location) {
    bool is_added = bm_plan_add_remote(&job->plan, location);
    bm_job_move_sources(job);
    return is_added ? BLASTMERGE_OK : fail_memory(job);
}

bool bm_job_remote_has_children(const struct blastmerge_job *job) {
    for (size_t i = 0; i < job->plan.n_items; i++) {
        if (bm_fetch_source_is_remote(&job->plan.items[i].source)) return true;
    }
    return false;
}

/* --- the room ------------------------------------------------------------------------------------ */

static bool is_remote_place(const char *location) {
    return location != NULL && bm_cloud_location_is_remote(location);
}

static enum blastmerge_status open_cloud(struct blastmerge_job *job, bool has_children) {
    struct bm_cloud_use use = {.n_lanes = has_children ? BM_JOB_FEW_OPEN : 0,
                               .is_output_remote =
                                   !job->is_check && is_remote_place(job->places.output.location),
                               .is_report_remote = is_remote_place(job->places.report.location),
                               .has_lists = job->children.is_lazy || bm_plan_has_wildcards(&job->plan, 0)};
    struct bm_cloud_settings settings = {
        .endpoint = job->options.endpoint, .memory = &job->memory, .cancel = &job->cancel};
    if (!has_children && !use.is_output_remote && !use.is_report_remote) return BLASTMERGE_OK;
    enum blastmerge_status status =
        bm_cloud_make_plan(job->options.memory_limit, use, &settings.plan, &job->error);
    return status == BLASTMERGE_OK ? bm_cloud_open(&job->cloud, &settings, &job->error) : status;
}

enum blastmerge_status bm_job_remote_admit(struct blastmerge_job *job, size_t first) {
    for (size_t i = first; i < job->plan.n_items; i++) {
        struct bm_fetch_source *source = &job->plan.items[i].source;
        if (!bm_fetch_source_is_remote(source)) continue;
        enum blastmerge_status status = job->cloud == NULL ? open_cloud(job, true) : BLASTMERGE_OK;
        if (status != BLASTMERGE_OK) return status;
        source->cloud = job->cloud;
    }
    if (!bm_plan_has_wildcards(&job->plan, first)) return BLASTMERGE_OK;
    enum blastmerge_status status =
        bm_plan_expand(&job->plan, first, job->cloud, &job->sentence.subject, &job->error);
    bm_job_move_sources(job);
    return status;
}

enum blastmerge_status bm_job_remote_begin(struct blastmerge_job *job) {
    bool is_needed = bm_job_remote_has_children(job) || is_remote_place(job->places.report.location) ||
                     (!job->is_check && is_remote_place(job->places.output.location));
    /* Where more children come, some of these may be remote. */
    bool has_children = job->children.is_lazy || bm_job_remote_has_children(job);
    enum blastmerge_status status = is_needed ? open_cloud(job, has_children) : BLASTMERGE_OK;
    return status == BLASTMERGE_OK ? bm_job_remote_admit(job, 0) : status;
}

enum blastmerge_status bm_job_remote_make_source(struct blastmerge_job *job, const char *shown,
                                                 const char *location, struct bm_fetch_source *source) {
    if (job->cloud == NULL)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "%.500s: an index in an object store is that of a result there", shown);
    *source = bm_fetch_source_remote(shown, location);
    source->cloud = job->cloud;
    return BLASTMERGE_OK;
}

void bm_job_remote_look_ahead(struct blastmerge_job *job, size_t child) {
    if (job->cloud == NULL) return;
    for (size_t i = child; i < job->plan.n_items && i < child + LOOKS_AHEAD; i++) {
        struct bm_fetch_source *source = &job->plan.items[i].source;
        if (bm_fetch_source_is_remote(source) && source->look == NULL) bm_fetch_source_begin_look(source);
    }
    bm_cloud_drive(job->cloud);
}

enum blastmerge_status bm_job_remote_check_location(struct blastmerge_job *job,
                                                    const struct bm_fetch_source *source,
                                                    struct blastmerge_error *error) {
    struct bm_cloud_location location;
    return bm_cloud_parse(job->cloud, &location, source->location, error);
}

size_t bm_job_remote_n_ahead(const struct blastmerge_job *job) {
    return job->cloud == NULL ? 0 : bm_cloud_plan(job->cloud)->n_first;
}

/* Whether the children's lengths say how long the result is: what is spliced is about as long as what is read. */
static bool is_length_known(const struct blastmerge_job *job) {
    return job->options.level == 0 && !job->children.has_no_total;
}

/* The store fails early if the result cannot fit. Children whose lengths are not known yet are probably as long as the
 * others. */
static void expect_length(struct blastmerge_job *job) {
    double likely =
        (double)job->children.compressed_total / (double)job->children.n_in_total * (double)job->plan.n_items;
    if (likely > (double)(UINT64_MAX / 4)) likely = (double)(UINT64_MAX / 4);
    bm_store_expect(&job->store, job->children.compressed_total, (uint64_t)likely);
}

void bm_job_remote_read_ahead(struct blastmerge_job *job) {
    if (job->cloud == NULL) return;
    size_t n_before = job->children.n_in_total;
    size_t end = job->n_opened + bm_job_remote_n_ahead(job);
    for (size_t i = job->n_opened; i < end && i < job->plan.n_items && !job->is_at_header; i++) {
        struct bm_fetch_source *source = &job->plan.items[i].source;
        if (bm_fetch_source_is_remote(source) && !bm_fetch_source_begin(source)) break;
    }
    bm_cloud_drive(job->cloud);
    bm_job_children_add_lengths(job);
    if (job->children.n_in_total > n_before && is_length_known(job)) expect_length(job);
}

enum blastmerge_status bm_job_remote_open_store(struct blastmerge_job *job, struct bm_store *store,
                                                const char *location, const char *name, bool is_report) {
    bool is_known = is_length_known(job) && job->children.n_in_total == job->plan.n_items && !is_report;
    const char *media_type =
        is_report ? "application/json" : bm_store_media_type(location, job->options.form);
    struct bm_store_remote remote = {.cloud = job->cloud,
                                     .location = location,
                                     .name = name,
                                     .media_type = media_type,
                                     .n_expected = is_known ? job->children.compressed_total : 0};
    return bm_store_open_remote(store, &remote, job->options.force != 0, is_report, &job->error);
}

void bm_job_remote_end(struct blastmerge_job *job) {
    bm_cloud_close(job->cloud);
    job->cloud = NULL;
}

#else

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *location) {
    char shown[SHOWN];
    bm_cloud_location_show(location, shown, sizeof shown);
    return bm_fail(&job->error, BLASTMERGE_USAGE,
                   "%.500s: this blastmerge was built without object storage and web servers; a release "
                   "whose name ends in -cloud has them, and so has a build with libcurl and OpenSSL",
                   shown);
}

enum blastmerge_status bm_job_remote_add(struct blastmerge_job *job, const char *location) {
    return refuse(job, location);
}

enum blastmerge_status bm_job_remote_begin(struct blastmerge_job *job) {
    (void)job;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_remote_admit(struct blastmerge_job *job, size_t first) {
    (void)job;
    (void)first;
    return BLASTMERGE_OK;
}

bool bm_job_remote_has_children(const struct blastmerge_job *job) {
    (void)job;
    return false;
}

enum blastmerge_status bm_job_remote_make_source(struct blastmerge_job *job, const char *shown,
                                                 const char *location, struct bm_fetch_source *source) {
    (void)shown;
    (void)source;
    return refuse(job, location);
}

void bm_job_remote_look_ahead(struct blastmerge_job *job, size_t child) {
    (void)job;
    (void)child;
}

enum blastmerge_status bm_job_remote_open_store(struct blastmerge_job *job, struct bm_store *store,
                                                const char *location, const char *name, bool is_report) {
    (void)store;
    (void)name;
    (void)is_report;
    return refuse(job, location);
}

enum blastmerge_status bm_job_remote_check_location(struct blastmerge_job *job,
                                                    const struct bm_fetch_source *source,
                                                    struct blastmerge_error *error) {
    (void)job;
    (void)source;
    (void)error;
    return BLASTMERGE_OK;
}

size_t bm_job_remote_n_ahead(const struct blastmerge_job *job) {
    (void)job;
    return 0;
}

void bm_job_remote_read_ahead(struct blastmerge_job *job) {
    (void)job;
}

void bm_job_remote_end(struct blastmerge_job *job) {
    (void)job;
}

#endif
