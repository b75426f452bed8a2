/* SPDX-License-Identifier: MIT */
#include "cloud/location.h"
#include "parts/parts.h"

#include <string.h>
#include <sys/stat.h>

#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"

#define DEFAULT_MEMORY ((uint64_t)64 << 20)

/* `shown` is filled, and must last as long as the source. */
static enum blastmerge_status connect(const struct bm_job_slice_view *view, const char *location,
                                      char shown[BM_LOCATION_SHOWN], struct bm_fetch_source *source,
                                      struct bm_cloud **cloud) {
    const struct bm_cloud_use use = {.n_lanes = 1};
    struct bm_cloud_settings settings = {
        .endpoint = view->options->endpoint, .memory = view->memory, .cancel = view->cancel};
    uint64_t limit = view->options->memory_limit == 0 ? DEFAULT_MEMORY : view->options->memory_limit;
    enum blastmerge_status status = bm_cloud_make_plan(limit, use, &settings.plan, view->error);
    if (status == BLASTMERGE_OK) status = bm_cloud_open(cloud, &settings, view->error);
    if (status != BLASTMERGE_OK) return status;
    bm_cloud_location_show(location, shown, BM_LOCATION_SHOWN);
    *source = bm_fetch_source_remote(shown, location);
    source->cloud = *cloud;
    return BLASTMERGE_OK;
}

static void disconnect(struct bm_cloud *cloud) {
    bm_cloud_close(cloud);
}

#else

static enum blastmerge_status connect(const struct bm_job_slice_view *view, const char *location,
                                      char shown[BM_LOCATION_SHOWN], struct bm_fetch_source *source,
                                      struct bm_cloud **cloud) {
    (void)location;
    (void)shown;
    (void)source;
    (void)cloud;
    return bm_fail(view->error, BLASTMERGE_USAGE, "this blastmerge was built without object storage");
}

static void disconnect(struct bm_cloud *cloud) {
    (void)cloud;
}

#endif

/* --- reading ------------------------------------------------------------------------------------- */

/* Reads on until the end; the memory doubles. */
static enum blastmerge_status fill(const struct bm_job_slice_view *view, struct bm_fetch *fetch,
                                   uint64_t n_most, bool is_cut, char **text, size_t *n_text) {
    size_t size = 65536;
    enum blastmerge_status status = BLASTMERGE_OK;
    *text = bm_allocate(view->memory, size);
    while (*text != NULL && status == BLASTMERGE_OK) {
        size_t n_read = 0;
        size_t n_wanted = size - *n_text - 1;
        if (is_cut && n_wanted > n_most - *n_text) n_wanted = (size_t)(n_most - *n_text);
        if (bm_cancel_is_set(view->cancel)) return bm_fail(view->error, BLASTMERGE_CANCELLED, "cancelled");
        status = bm_fetch_fill(fetch, (uint8_t *)*text + *n_text, n_wanted, &n_read, view->error);
        *n_text += n_read;
        if (status != BLASTMERGE_OK || n_read < n_wanted || (is_cut && *n_text == n_most)) break;
        if (*n_text > n_most)
            return bm_fail(view->error, BLASTMERGE_DATA, "is longer than %llu bytes",
                           (unsigned long long)n_most);
        char *grown = bm_reallocate(view->memory, *text, size * 2);
        if (grown == NULL) return bm_fail(view->error, BLASTMERGE_NO_MEMORY, "out of memory");
        *text = grown;
        size *= 2;
    }
    if (*text == NULL) return bm_fail(view->error, BLASTMERGE_NO_MEMORY, "out of memory");
    (*text)[*n_text] = '\0';
    return status;
}

enum blastmerge_status bm_parts_file_read_source(const struct bm_job_slice_view *view,
                                                 struct bm_fetch_source *source, uint64_t n_most, bool is_cut,
                                                 char **text, size_t *n_text) {
    struct bm_fetch fetch = {0};
    *text = NULL;
    *n_text = 0;
    enum blastmerge_status status = bm_fetch_source_look(source, view->error);
    if (status == BLASTMERGE_OK) status = bm_fetch_open(&fetch, source, view->cancel, view->error);
    if (status != BLASTMERGE_OK) return status;
    status = fill(view, &fetch, n_most, is_cut, text, n_text);
    bm_fetch_close(&fetch);
    if (status == BLASTMERGE_OK) return status;
    bm_release(view->memory, *text);
    *text = NULL;
    return status;
}

enum blastmerge_status bm_parts_file_read(struct blastmerge_job *job, const char *location, uint64_t n_most,
                                          bool is_cut, char **text, size_t *n_text) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    struct bm_cloud *cloud = NULL;
    char shown[BM_LOCATION_SHOWN];
    *text = NULL;
    *n_text = 0;
    enum blastmerge_status status = bm_cancel_begin(view.cancel, view.error);
    if (status != BLASTMERGE_OK) return status;
    bool is_remote = bm_cloud_location_is_remote(location);
    struct bm_fetch_source source = bm_fetch_source_path(location);
    if (is_remote) {
        status = connect(&view, location, shown, &source, &cloud);
        if (status != BLASTMERGE_OK) return status;
    }
    status = bm_parts_file_read_source(&view, &source, n_most, is_cut, text, n_text);
    bm_fetch_source_close(&source);
    if (is_remote) disconnect(cloud);
    return status;
}

/* --- the plan ------------------------------------------------------------------------------------ */

enum blastmerge_status bm_parts_file_read_plan(struct blastmerge_job *job, const char *location,
                                               struct bm_parts_plan_file *file, char **text,
                                               struct bm_pool *pool) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    size_t n_text = 0;
    *text = NULL;
    if (location == NULL || location[0] == '\0')
        return bm_fail(view.error, BLASTMERGE_USAGE, "no plan was given");
    enum blastmerge_status status = blastmerge_protect_location(job, "the plan", location);
    if (status != BLASTMERGE_OK) return status;
    status = bm_parts_file_read(job, location, BM_PARTS_MAX_FILE, false, text, &n_text);
    if (status == BLASTMERGE_OK)
        status = bm_parts_plan_read(file, *text, n_text, pool, view.memory, view.error);
    if (status != BLASTMERGE_OK && status != BLASTMERGE_CANCELLED && status != BLASTMERGE_NO_MEMORY)
        bm_job_slice_complete(job, location);
    return status;
}

/* --- the output ---------------------------------------------------------------------------------- */

void bm_parts_file_replace(struct blastmerge_job *job, const char *begin, size_t n_begin) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    struct stat information;
    char *text = NULL;
    size_t n_text = 0;
    if (view.output == NULL || view.options->force || strcmp(view.output, "-") == 0) return;
    if (!bm_cloud_location_is_remote(view.output) &&
        (stat(view.output, &information) != 0 || !S_ISREG(information.st_mode)))
        return;
    enum blastmerge_status status = bm_parts_file_read(job, view.output, n_begin, true, &text, &n_text);
    if (status == BLASTMERGE_OK && n_text == n_begin && memcmp(text, begin, n_begin) == 0)
        bm_job_slice_force(job);
    *view.error = (struct blastmerge_error){0}; /* what cannot be read is the store's to refuse */
    bm_release(view.memory, text);
}
