/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "parts/parts.h"

#include <string.h>

/* A request's answer ends in a NUL. */
enum { ANSWER = BM_PARTS_TAIL + 1 };

static enum blastmerge_status request_end(const struct bm_cloud_location *location, struct bm_cloud *cloud,
                                          uint64_t offset, size_t n, char answer[ANSWER],
                                          struct blastmerge_error *error) {
    struct bm_cloud_budget budget = bm_cloud_budget(cloud);
    struct bm_cloud_request *request = bm_allocate(bm_cloud_memory(cloud), sizeof *request);
    if (request == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    bm_cloud_request_open(request, cloud, "GET", location, &budget);
    request->is_ranged = true;
    request->first = offset;
    request->last = offset + n - 1;
    request->follows = location->provider == BM_PROVIDER_HTTP;
    request->answer = answer;
    request->answer_size = ANSWER;
    if (location->provider == BM_PROVIDER_GS) bm_cloud_request_header(request, "Accept-Encoding", "gzip");
    enum blastmerge_status status = bm_cloud_request_run(request, error);
    if (status == BLASTMERGE_OK && request->n_answer != n)
        status = bm_fail(error, BLASTMERGE_CHANGED, "changed while it was joined: join again");
    bm_release(bm_cloud_memory(cloud), request);
    return status;
}

enum blastmerge_status bm_parts_remote_read(struct bm_fetch_source *source, uint8_t *bytes, size_t n,
                                            uint64_t offset, struct blastmerge_error *error) {
    struct bm_cloud_location location;
    char answer[ANSWER];
    bm_require(n <= BM_PARTS_TAIL);
    enum blastmerge_status status = bm_cloud_parse(source->cloud, &location, source->location, error);
    if (status == BLASTMERGE_OK) status = request_end(&location, source->cloud, offset, n, answer, error);
    if (status == BLASTMERGE_OK) memcpy(bytes, answer, n);
    return status;
}

#endif
