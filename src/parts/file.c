/* SPDX-License-Identifier: MIT */
#include "cloud/location.h"
#include "parts/parts.h"

#include <string.h>
#include <sys/stat.h>

#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "fetch/ranges.h"

/* `shown` is filled, and must last as long as the source. */
static enum blastmerge_status connect(const struct bm_job_slice_view *view, const char *location,
                                      char shown[BM_LOCATION_SHOWN], struct bm_fetch_source *source,
                                      struct bm_cloud **cloud) {
    const struct bm_cloud_use use = {.n_lanes = 1};
    struct bm_cloud_settings settings = {
        .endpoint = view->options->endpoint, .memory = view->memory, .cancel = view->cancel};
    enum blastmerge_status status =
        bm_cloud_make_plan(view->options->memory_limit, use, &settings.plan, view->error);
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

static enum blastmerge_status fail_length(const struct bm_job_slice_view *view, uint64_t n_most) {
    return bm_fail(view->error, BLASTMERGE_DATA, "is longer than the %llu bytes that such a file has at most",
                   (unsigned long long)n_most);
}

/* Reads on until the end; the memory doubles. */
static enum blastmerge_status fill(const struct bm_job_slice_view *view, struct bm_fetch *fetch,
                                   uint64_t n_most, bool is_cut, char **text, size_t *n_text) {
    size_t size = 65536;
    enum blastmerge_status status = BLASTMERGE_OK;
    *text = bm_allocate(view->memory, size);
    while (*text != NULL && status == BLASTMERGE_OK) {
        size_t n_read = 0;
        size_t n_wanted = size - *n_text - 1;
        uint64_t n_left = n_most - *n_text + !is_cut; /* a byte more shows that it is too long */
        if (n_wanted > n_left) n_wanted = (size_t)n_left;
        if (bm_cancel_is_set(view->cancel)) return bm_fail(view->error, BLASTMERGE_CANCELLED, "cancelled");
        status = bm_fetch_fill(fetch, (uint8_t *)*text + *n_text, n_wanted, &n_read, view->error);
        *n_text += n_read;
        if (status == BLASTMERGE_OK && *n_text > n_most) return fail_length(view, n_most);
        if (status != BLASTMERGE_OK || n_read < n_wanted || (is_cut && *n_text == n_most)) break;
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
    if (status == BLASTMERGE_OK && !is_cut && source->n_bytes != UINT64_MAX && source->n_bytes > n_most)
        status = fail_length(view, n_most);
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

/* A plan is not written where it lies. */
static enum blastmerge_status protect_plan(struct blastmerge_job *job, const char *location) {
    if (location == NULL || location[0] == '\0')
        return bm_fail(bm_job_slice_view(job).error, BLASTMERGE_USAGE, "no plan was given");
    return blastmerge_protect_location(job, "the plan", location);
}

static enum blastmerge_status complete(struct blastmerge_job *job, const char *location,
                                       enum blastmerge_status status) {
    if (status != BLASTMERGE_OK && status != BLASTMERGE_CANCELLED && status != BLASTMERGE_NO_MEMORY)
        bm_job_slice_complete(job, location);
    return status;
}

static enum blastmerge_status read_whole(struct blastmerge_job *job, const char *location,
                                         struct bm_parts_plan_file *file, char **text, struct bm_pool *pool) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    size_t n_text = 0;
    enum blastmerge_status status =
        bm_parts_file_read(job, location, BM_PARTS_MAX_FILE, false, text, &n_text);
    return status == BLASTMERGE_OK
               ? bm_parts_plan_read(file, *text, n_text, n_text, pool, view.memory, view.error)
               : status;
}

enum blastmerge_status bm_parts_file_read_plan(struct blastmerge_job *job, const char *location,
                                               struct bm_parts_plan_file *file, char **text,
                                               struct bm_pool *pool) {
    *text = NULL;
    enum blastmerge_status status = protect_plan(job, location);
    if (status != BLASTMERGE_OK) return status;
    return complete(job, location, read_whole(job, location, file, text, pool));
}

/* --- a part's share of the plan ------------------------------------------------------------------ */

static enum blastmerge_status check_number(const struct bm_job_slice_view *view,
                                           const struct bm_parts_plan_file *file, uint64_t number) {
    if (number <= file->plan.n_children) return BLASTMERGE_OK;
    return bm_fail(view->error, BLASTMERGE_USAGE, "there is no part %llu: the plan has %llu children",
                   (unsigned long long)number, (unsigned long long)file->plan.n_children);
}

#ifdef BLASTMERGE_CLOUD

enum { BEGIN = 65536 /* bytes of a plan that are requested first */ };

static enum blastmerge_status fail_memory(const struct bm_job_slice_view *view) {
    return bm_fail(view->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* Reads on until the common line is there. */
static enum blastmerge_status read_begin(const struct bm_job_slice_view *view, struct bm_fetch_ranges *ranges,
                                         char **text, size_t *n_text, uint64_t *n_bytes) {
    size_t size = BEGIN;
    *text = bm_allocate(view->memory, size);
    for (;;) {
        size_t n = 0;
        if (*text == NULL) return fail_memory(view);
        enum blastmerge_status status =
            bm_fetch_ranges_read(ranges, *n_text, *text + *n_text, size - *n_text, &n, n_bytes, view->error);
        *n_text += n;
        if (status != BLASTMERGE_OK || *n_text == *n_bytes || bm_parts_plan_has_begin(*text, *n_text) ||
            size > BM_PARTS_MAX_LINE)
            return status;
        size *= 2;
        char *grown = bm_reallocate(view->memory, *text, size);
        if (grown == NULL) return fail_memory(view);
        *text = grown;
    }
}

static enum blastmerge_status read_exactly(const struct bm_job_slice_view *view,
                                           struct bm_fetch_ranges *ranges, uint64_t offset, char *data,
                                           size_t n_bytes) {
    uint64_t total = 0;
    size_t n = 0;
    enum blastmerge_status status =
        bm_fetch_ranges_read(ranges, offset, data, n_bytes, &n, &total, view->error);
    return status != BLASTMERGE_OK || n == n_bytes
               ? status
               : bm_fail(view->error, BLASTMERGE_DATA, "is a damaged plan (it is cut short): make it again");
}

static enum blastmerge_status read_place(const struct bm_job_slice_view *view, struct bm_fetch_ranges *ranges,
                                         const struct bm_parts_plan_file *file, uint64_t i,
                                         struct bm_parts_place *place, struct bm_pool *pool) {
    char entries[2 * BM_PARTS_INDEX];
    size_t n_entries = i + 1 == file->plan.n_children ? BM_PARTS_INDEX : sizeof entries;
    uint64_t offset = 0;
    size_t n_line = 0;
    enum blastmerge_status status =
        read_exactly(view, ranges, bm_parts_plan_entry(file, i), entries, n_entries);
    if (status == BLASTMERGE_OK) status = bm_parts_plan_find(file, i, entries, &offset, &n_line, view->error);
    if (status != BLASTMERGE_OK) return status;
    char *line = bm_allocate(view->memory, n_line);
    if (line == NULL) return fail_memory(view);
    status = read_exactly(view, ranges, offset, line, n_line);
    if (status == BLASTMERGE_OK)
        status = bm_parts_plan_read_line(i, entries, line, n_line, place, pool, view->memory, view->error);
    bm_release(view->memory, line);
    return status;
}

static enum blastmerge_status read_ranges(const struct bm_job_slice_view *view,
                                          struct bm_fetch_ranges *ranges, uint64_t number,
                                          struct bm_parts_plan_file *file, struct bm_parts_place *place,
                                          struct bm_pool *pool) {
    char *text = NULL;
    size_t n_text = 0;
    uint64_t n_bytes = 0;
    enum blastmerge_status status = read_begin(view, ranges, &text, &n_text, &n_bytes);
    if (status == BLASTMERGE_OK)
        status = bm_parts_plan_read(file, text, n_text, n_bytes, pool, view->memory, view->error);
    if (status == BLASTMERGE_OK) status = check_number(view, file, number);
    if (status == BLASTMERGE_OK && n_text == n_bytes)
        status = bm_parts_plan_read_place(file, number - 1, place, pool, view->memory, view->error);
    else if (status == BLASTMERGE_OK)
        status = read_place(view, ranges, file, number - 1, place, pool);
    bm_release(view->memory, text);
    return status;
}

/* *is_read: false if the server has no ranges, and sends all of the plan. */
static enum blastmerge_status read_remote_place(struct blastmerge_job *job, const char *location,
                                                uint64_t number, struct bm_parts_plan_file *file,
                                                struct bm_parts_place *place, struct bm_pool *pool,
                                                bool *is_read) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    char shown[BM_LOCATION_SHOWN];
    struct bm_fetch_source source;
    struct bm_fetch_ranges *ranges = NULL;
    struct bm_cloud *cloud = NULL;
    enum blastmerge_status status = bm_cancel_begin(view.cancel, view.error);
    if (status == BLASTMERGE_OK) status = connect(&view, location, shown, &source, &cloud);
    if (status != BLASTMERGE_OK) return status;
    status = bm_fetch_ranges_open(&ranges, cloud, location, view.error);
    if (status == BLASTMERGE_OK) status = read_ranges(&view, ranges, number, file, place, pool);
    bm_fetch_ranges_close(ranges);
    disconnect(cloud);
    *is_read = status != BLASTMERGE_IO || view.error->http_status != 200;
    if (!*is_read) *view.error = (struct blastmerge_error){0};
    return *is_read ? status : BLASTMERGE_OK;
}

#else

static enum blastmerge_status read_remote_place(struct blastmerge_job *job, const char *location,
                                                uint64_t number, struct bm_parts_plan_file *file,
                                                struct bm_parts_place *place, struct bm_pool *pool,
                                                bool *is_read) {
    (void)job;
    (void)location;
    (void)number;
    (void)file;
    (void)place;
    (void)pool;
    *is_read = false;
    return BLASTMERGE_OK;
}

#endif

static enum blastmerge_status read_whole_place(struct blastmerge_job *job, const char *location,
                                               uint64_t number, struct bm_parts_plan_file *file,
                                               struct bm_parts_place *place, struct bm_pool *pool) {
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    char *text = NULL;
    enum blastmerge_status status = read_whole(job, location, file, &text, pool);
    if (status == BLASTMERGE_OK) status = check_number(&view, file, number);
    if (status == BLASTMERGE_OK)
        status = bm_parts_plan_read_place(file, number - 1, place, pool, view.memory, view.error);
    bm_release(view.memory, text);
    return status;
}

enum blastmerge_status bm_parts_file_read_place(struct blastmerge_job *job, const char *location,
                                                uint64_t number, struct bm_parts_plan_file *file,
                                                struct bm_parts_place *place, struct bm_pool *pool) {
    bool is_read = false;
    enum blastmerge_status status = protect_plan(job, location);
    if (status != BLASTMERGE_OK) return status;
    if (bm_cloud_location_is_remote(location))
        status = read_remote_place(job, location, number, file, place, pool, &is_read);
    if (status == BLASTMERGE_OK && !is_read)
        status = read_whole_place(job, location, number, file, place, pool);
    file->text = NULL;
    return complete(job, location, status);
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
