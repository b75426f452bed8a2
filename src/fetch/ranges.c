/* SPDX-License-Identifier: MIT */
#include "fetch/ranges.h"
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"

#include <string.h>

struct bm_fetch_ranges {
    struct bm_cloud *cloud;
    struct bm_cloud_location location;
    struct bm_cloud_budget budget;
    struct bm_cloud_request request;
    bool has_version; /* the first answer came, and with it what follows */
    uint64_t total;
    char etag[BM_REQUEST_TAG];
    char modified[BM_REQUEST_TIME];
    uint8_t *data; /* of the current read */
    size_t n_wanted;
};

enum blastmerge_status bm_fetch_ranges_open(struct bm_fetch_ranges **ranges, struct bm_cloud *cloud,
                                            const char *location, struct blastmerge_error *error) {
    struct bm_memory *memory = bm_cloud_memory(cloud);
    struct bm_fetch_ranges *made = bm_allocate(memory, sizeof *made);
    *ranges = NULL;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->cloud = cloud;
    made->budget = bm_cloud_budget(cloud);
    enum blastmerge_status status = bm_cloud_parse(cloud, &made->location, location, error);
    if (status == BLASTMERGE_OK)
        *ranges = made;
    else
        bm_release(memory, made);
    return status;
}

void bm_fetch_ranges_close(struct bm_fetch_ranges *ranges) {
    if (ranges == NULL) return;
    bm_cloud_request_stop(&ranges->request);
    bm_release(bm_cloud_memory(ranges->cloud), ranges);
}

/* --- versions ------------------------------------------------------------------------------------ */

static bool is_strong(const char *etag) {
    size_t n = strlen(etag);
    return n >= 2 && etag[0] == '"' && etag[n - 1] == '"'; /* RFC 9110, 8.8.3 */
}

static void set_changed(struct bm_cloud_request *request, const char *how) {
    bm_cloud_request_fault(request, BM_FAULT_CHANGED, "%s", how);
}

/* Looks at an answer's head: the first one defines the version, all others must be of it. */
static void look_at_answer(struct bm_cloud_request *request) {
    struct bm_fetch_ranges *ranges = request->owner;
    if (!request->has_total) {
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "does not say how long the file is");
        return;
    }
    if (!ranges->has_version) {
        ranges->has_version = true;
        ranges->total = request->total;
        memcpy(ranges->etag, request->etag, sizeof ranges->etag);
        memcpy(ranges->modified, request->modified, sizeof ranges->modified);
        return;
    }
    if (request->total != ranges->total) set_changed(request, "its length differs");
    if (strcmp(request->etag, ranges->etag) != 0) set_changed(request, "its ETag differs");
    if (!is_strong(ranges->etag) && strcmp(request->modified, ranges->modified) != 0)
        set_changed(request, "the time of its last change differs");
}

static void ask_for_version(struct bm_fetch_ranges *ranges) {
    struct bm_cloud_request *request = &ranges->request;
    if (!ranges->has_version) return;
    if (is_strong(ranges->etag)) {
        request->tag = ranges->etag;
        bm_cloud_request_header(request, "If-Match", ranges->etag);
    } else if (ranges->modified[0] != '\0') {
        bm_cloud_request_header(request, "If-Unmodified-Since", ranges->modified);
    }
}

/* --- reading ------------------------------------------------------------------------------------- */

static enum bm_cloud_keep keep(struct bm_cloud_request *request, const uint8_t *data, size_t n_bytes) {
    struct bm_fetch_ranges *ranges = request->owner;
    if (request->n_kept > ranges->n_wanted || n_bytes > ranges->n_wanted - (size_t)request->n_kept) {
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent more bytes than requested");
        return BM_KEEP_NEVER;
    }
    memcpy(ranges->data + request->n_kept, data, n_bytes);
    return BM_KEPT;
}

static enum blastmerge_status request_range(struct bm_fetch_ranges *ranges, uint64_t offset,
                                            struct blastmerge_error *error) {
    struct bm_cloud_request *request = &ranges->request;
    bm_cloud_request_open(request, ranges->cloud, "GET", &ranges->location, &ranges->budget);
    request->look = look_at_answer;
    request->keep = keep;
    request->owner = ranges;
    request->is_child = true;
    request->is_ranged = true;
    /* A web server that does not know ranges sends everything each time; an object store knows them. */
    request->is_whole_final = ranges->location.provider == BM_PROVIDER_HTTP && !ranges->has_version;
    request->first = offset;
    request->last = offset + ranges->n_wanted - 1;
    request->needs_tag = !bm_cloud_provider_of(ranges->location.provider)->is_web;
    bm_cloud_request_read(request);
    ask_for_version(ranges);
    enum blastmerge_status status = bm_cloud_request_run(request, error);
    bm_cloud_request_stop(request);
    return status;
}

enum blastmerge_status bm_fetch_ranges_read(struct bm_fetch_ranges *ranges, uint64_t offset, void *data,
                                            size_t n_bytes, size_t *n_read, uint64_t *total,
                                            struct blastmerge_error *error) {
    *n_read = 0;
    *total = ranges->total;
    if (ranges->has_version && offset >= ranges->total) return BLASTMERGE_OK;
    if (ranges->has_version && n_bytes > ranges->total - offset) n_bytes = (size_t)(ranges->total - offset);
    if (n_bytes == 0) return BLASTMERGE_OK;
    ranges->data = data;
    ranges->n_wanted = n_bytes;
    enum blastmerge_status status = request_range(ranges, offset, error);
    *total = ranges->total;
    *n_read = (size_t)ranges->request.n_kept;
    return status;
}

#endif
