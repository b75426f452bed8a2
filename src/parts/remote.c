/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "parts/parts.h"

#include <string.h>

/* A request's answer ends in a NUL. */
enum { ANSWER = BM_PARTS_TAIL + 1 };

struct end {
    struct bm_cloud_request request; /* open unless status is a failure, or nothing is to be read */
    struct bm_cloud_location location;
    struct bm_cloud_budget budget;
    struct blastmerge_error error;
    enum blastmerge_status status;
    size_t n;
    char answer[ANSWER];
};

struct bm_parts_remote {
    struct bm_memory *memory;
    struct end ends[BM_PARTS_AHEAD];
};

struct bm_parts_remote *bm_parts_remote_open(struct bm_memory *memory) {
    struct bm_parts_remote *remote = bm_allocate(memory, sizeof *remote);
    if (remote != NULL) remote->memory = memory;
    return remote;
}

void bm_parts_remote_close(struct bm_parts_remote *remote) {
    if (remote == NULL) return;
    for (size_t i = 0; i < BM_PARTS_AHEAD; i++) bm_cloud_request_stop(&remote->ends[i].request);
    bm_release(remote->memory, remote);
}

static enum blastmerge_status request_end(struct end *end, struct bm_fetch_source *source, size_t n_most) {
    struct bm_cloud_request *request = &end->request;
    enum blastmerge_status status = bm_fetch_source_look(source, &end->error);
    if (status == BLASTMERGE_OK && source->n_bytes == UINT64_MAX)
        return bm_fail(&end->error, BLASTMERGE_USAGE, "its server does not state its length: copy it first");
    if (status == BLASTMERGE_OK)
        status = bm_cloud_parse(source->cloud, &end->location, source->location, &end->error);
    if (status != BLASTMERGE_OK || source->n_bytes == 0) return status;
    end->n = source->n_bytes < n_most ? (size_t)source->n_bytes : n_most;
    end->budget = bm_cloud_budget(source->cloud);
    bm_cloud_request_open(request, source->cloud, "GET", &end->location, &end->budget);
    request->is_ranged = true;
    request->first = source->n_bytes - end->n;
    request->last = source->n_bytes - 1;
    request->answer = end->answer;
    request->answer_size = ANSWER;
    bm_cloud_request_read(request);
    bm_cloud_request_start(request, &end->error);
    return BLASTMERGE_OK;
}

void bm_parts_remote_begin(struct bm_parts_remote *remote, size_t i, struct bm_fetch_source *source,
                           size_t n_most) {
    struct end *end = &remote->ends[i % BM_PARTS_AHEAD];
    bm_require(n_most <= BM_PARTS_TAIL);
    end->error = (struct blastmerge_error){0};
    end->n = 0;
    end->status = request_end(end, source, n_most);
}

enum blastmerge_status bm_parts_remote_finish(struct bm_parts_remote *remote, size_t i,
                                              const struct bm_fetch_source *source,
                                              struct bm_parts_remote_end *found,
                                              struct blastmerge_error *error) {
    struct end *end = &remote->ends[i % BM_PARTS_AHEAD];
    *found = (struct bm_parts_remote_end){(const uint8_t *)end->answer, end->n, ""};
    if (end->status == BLASTMERGE_OK && end->n == 0) return BLASTMERGE_OK;
    if (end->status == BLASTMERGE_OK) end->status = bm_cloud_request_finish(&end->request);
    if (end->status != BLASTMERGE_OK) {
        *error = end->error;
        return end->status;
    }
    found->etag = end->request.etag;
    if (end->request.n_answer == end->n &&
        bm_fetch_source_is_version(source, end->request.etag, end->request.modified))
        return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED, "changed while it was joined: join again");
}

#endif
