/* SPDX-License-Identifier: MIT */
#include "cloud/location.h"

#include <string.h>

#ifdef BLASTMERGE_CLOUD
#include "cloud/text.h"

#include <stdlib.h>
#include <strings.h>

/* Without the port that the scheme stands for. */
static size_t origin_length(const char *origin) {
    size_t n = strlen(origin);
    bool is_secure = strncasecmp(origin, "https:", 6) == 0;
    const char *port = is_secure ? ":443" : ":80";
    size_t n_port = strlen(port);
    return n > n_port && strcmp(origin + n - n_port, port) == 0 ? n - n_port : n;
}

static bool is_same_origin(const char *one, const char *other) {
    size_t n = origin_length(one);
    return n == origin_length(other) && strncasecmp(one, other, n) == 0;
}

static bool is_same_path(const char *one, const char *other) {
    char decoded[2][BM_LOCATION_PATH];
    struct bm_cloud_text texts[2] = {bm_cloud_text_in(decoded[0], BM_LOCATION_PATH),
                                     bm_cloud_text_in(decoded[1], BM_LOCATION_PATH)};
    bm_cloud_text_decode(&texts[0], one, strlen(one));
    bm_cloud_text_decode(&texts[1], other, strlen(other));
    return strcmp(decoded[0], decoded[1]) == 0;
}

static bool is_same(const struct bm_cloud_location *one, const struct bm_cloud_location *other) {
    bool is_store = !bm_cloud_provider_of(one->provider)->is_web;
    if (is_store && one->provider == other->provider && strcasecmp(one->account, other->account) == 0 &&
        strcmp(one->container, other->container) == 0 && strcmp(one->key, other->key) == 0)
        return true;
    return is_same_origin(one->origin, other->origin) && is_same_path(one->path, other->path);
}

bool bm_cloud_location_is_same(const char *one, const char *other, const char *endpoint) {
    struct blastmerge_error error;
    struct bm_cloud_location locations[2];
    if (strcmp(one, other) == 0) return true;
    return bm_cloud_location_parse(&locations[0], one, endpoint, &error) == BLASTMERGE_OK &&
           bm_cloud_location_parse(&locations[1], other, endpoint, &error) == BLASTMERGE_OK &&
           is_same(&locations[0], &locations[1]);
}

#else

bool bm_cloud_location_is_same(const char *one, const char *other, const char *endpoint) {
    (void)endpoint;
    return strcmp(one, other) == 0;
}

#endif
