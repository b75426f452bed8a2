/* SPDX-License-Identifier: MIT */
#include "job/remote.h"
#include "cloud/location.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHOWN = 1200,    /* bytes of a location in a message; a longer one is cut */
    LOOKS_AHEAD = 16 /* children that are looked at at a time */
};

#define DEFAULT_MEMORY ((uint64_t)64 << 20)

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
    char shown[SHOWN];
    bm_cloud_location_show(location, shown, sizeof shown);
    return bm_job_add_child(job, bm_fetch_source_remote(shown, location));
}

static bool is_remote(const struct bm_fetch_source *source) {
    return source->back_end == &bm_fetch_remote;
}

bool bm_job_remote_has_children(const struct blastmerge_job *job) {
    for (size_t i = 0; i < job->n_children; i++) {
        if (is_remote(&job->children[i].source)) return true;
    }
    return false;
}

/* --- wildcards ----------------------------------------------------------------------------------- */

static enum blastmerge_status add_found(void *context, const char *location, struct blastmerge_error *error) {
    struct blastmerge_job *job = context;
    (void)error; /* the job's own */
    enum blastmerge_status status = bm_job_remote_add(job, location);
    if (status == BLASTMERGE_OK) job->children[job->n_children - 1].source.cloud = job->cloud;
    return status;
}

/* Names are what is shown of locations, and may be cut or have something left out: other objects may share
 * one. */
static int compare_found(const void *a, const void *b) {
    int order = bm_job_compare_names(a, b);
    const struct bm_item *item_a = a;
    const struct bm_item *item_b = b;
    return order != 0 ? order : strcmp(item_a->source.location, item_b->source.location);
}

static enum blastmerge_status expand(struct blastmerge_job *job, const struct bm_fetch_source *source) {
    size_t first = job->n_children;
    enum blastmerge_status status = bm_cloud_list(job->cloud, source->location, add_found, job, &job->error);
    if (status == BLASTMERGE_OK && job->n_children == first)
        status = bm_fail(&job->error, BLASTMERGE_NOT_FOUND, "there is no such object");
    if (status != BLASTMERGE_OK) {
        job->sentence.subject = source->shown;
        return status;
    }
    qsort(job->children + first, job->n_children - first, sizeof *job->children, compare_found);
    for (size_t i = first + 1; i < job->n_children; i++) { /* no store has two objects of one name */
        const struct bm_fetch_source *found = &job->children[i].source;
        if (strcmp(job->children[i - 1].source.location, found->location) == 0) {
            job->sentence.subject = source->shown;
            return bm_fail(&job->error, BLASTMERGE_IO, "the server lists %.500s twice", found->shown);
        }
    }
    return BLASTMERGE_OK;
}

/* Whatever happens, each child that there was is among the job's children or has been given back. */
static enum blastmerge_status expand_all(struct blastmerge_job *job, size_t first) {
    size_t n_before = job->n_children - first;
    struct bm_item *before = bm_allocate(&job->memory, n_before * sizeof *before);
    enum blastmerge_status status = BLASTMERGE_OK;
    if (before == NULL) return fail_memory(job);
    memcpy(before, job->children + first, n_before * sizeof *before);
    job->n_children = first;
    for (size_t i = 0; i < n_before; i++) {
        struct bm_fetch_source *source = &before[i].source;
        bool is_wild = is_remote(source) && bm_cloud_location_has_wildcard(source->location);
        if (is_wild && status == BLASTMERGE_OK) status = expand(job, source);
        if (!is_wild && status == BLASTMERGE_OK) {
            status = bm_job_keep_child(job, source);
            if (status == BLASTMERGE_OK) continue;
        }
        bm_fetch_source_close(source);
    }
    bm_release(&job->memory, before);
    return status;
}

/* --- the room ------------------------------------------------------------------------------------ */

static bool is_remote_place(const char *location) {
    return location != NULL && bm_cloud_location_is_remote(location);
}

static bool has_wildcards(const struct blastmerge_job *job) {
    for (size_t i = 0; i < job->n_children; i++) {
        const struct bm_fetch_source *source = &job->children[i].source;
        if (is_remote(source) && bm_cloud_location_has_wildcard(source->location)) return true;
    }
    return false;
}

static enum blastmerge_status open_cloud(struct blastmerge_job *job, bool has_children) {
    struct bm_cloud_use use = {.n_lanes = has_children ? BM_JOB_MAX_OPEN : 0,
                               .is_output_remote = !job->is_check && is_remote_place(job->output_location),
                               .is_report_remote = is_remote_place(job->report_location),
                               .has_lists = job->is_lazy || has_wildcards(job)};
    struct bm_cloud_settings settings = {
        .endpoint = job->endpoint, .memory = &job->memory, .cancel = &job->cancel};
    uint64_t limit = job->options.memory_limit == 0 ? DEFAULT_MEMORY : job->options.memory_limit;
    if (!has_children && !use.is_output_remote && !use.is_report_remote) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_cloud_make_plan(limit, use, &settings.plan, &job->error);
    return status == BLASTMERGE_OK ? bm_cloud_open(&job->cloud, &settings, &job->error) : status;
}

enum blastmerge_status bm_job_remote_admit(struct blastmerge_job *job, size_t first) {
    bool is_wild = false;
    for (size_t i = first; i < job->n_children; i++) {
        struct bm_fetch_source *source = &job->children[i].source;
        if (!is_remote(source)) continue;
        enum blastmerge_status status = job->cloud == NULL ? open_cloud(job, true) : BLASTMERGE_OK;
        if (status != BLASTMERGE_OK) return status;
        source->cloud = job->cloud;
        is_wild = is_wild || bm_cloud_location_has_wildcard(source->location);
    }
    return is_wild ? expand_all(job, first) : BLASTMERGE_OK;
}

enum blastmerge_status bm_job_remote_begin(struct blastmerge_job *job) {
    bool is_needed = bm_job_remote_has_children(job) || is_remote_place(job->report_location) ||
                     (!job->is_check && is_remote_place(job->output_location));
    /* Where more children come, some of these may be remote. */
    bool has_children = job->is_lazy || bm_job_remote_has_children(job);
    enum blastmerge_status status = is_needed ? open_cloud(job, has_children) : BLASTMERGE_OK;
    return status == BLASTMERGE_OK ? bm_job_remote_admit(job, 0) : status;
}

void bm_job_remote_look_ahead(struct blastmerge_job *job, size_t child) {
    if (job->cloud == NULL) return;
    for (size_t i = child; i < job->n_children && i < child + LOOKS_AHEAD; i++) {
        struct bm_fetch_source *source = &job->children[i].source;
        if (is_remote(source) && source->look == NULL) bm_fetch_source_begin_look(source);
    }
    bm_cloud_drive(job->cloud);
}

enum blastmerge_status bm_job_remote_open_store(struct blastmerge_job *job, struct bm_store *store,
                                                const char *location, const char *name, bool is_report) {
    /* What is spliced is about as long as what is read. */
    bool is_spliced = job->options.level == 0 && !is_report;
    const char *media_type =
        is_report ? "application/json" : bm_store_media_type(location, job->options.form);
    struct bm_store_remote remote = {.cloud = job->cloud,
                                     .location = location,
                                     .name = name,
                                     .media_type = media_type,
                                     .n_expected = is_spliced ? job->compressed_total : 0};
    return bm_store_open_remote(store, &remote, job->options.force != 0, is_report, &job->error);
}

void bm_job_remote_drive(struct blastmerge_job *job) {
    if (job->cloud != NULL) bm_cloud_drive(job->cloud);
}

void bm_job_remote_end(struct blastmerge_job *job) {
    bm_cloud_close(job->cloud);
    job->cloud = NULL;
}

#else

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *location) {
    char shown[SHOWN];
    bm_cloud_location_show(location, shown, sizeof shown);
    return bm_fail(&job->error, BLASTMERGE_USAGE, "%.500s: this blastmerge was built without object storage",
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

void bm_job_remote_drive(struct blastmerge_job *job) {
    (void)job;
}

void bm_job_remote_end(struct blastmerge_job *job) {
    (void)job;
}

#endif
