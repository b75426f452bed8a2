/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/copy.h"
#include "cloud/library.h"
#include "cloud/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    SAS_SECONDS = 900,
    SAS_TEXT = 2048,
    SOURCE = BM_LOCATION_ORIGIN + BM_LOCATION_PATH + BM_CREDENTIAL_SECRET
};

bool bm_cloud_copy_is_possible(const struct bm_cloud_location *source,
                               const struct bm_cloud_location *destination) {
    if (source->provider != destination->provider) return false;
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(source->provider);
    if (provider->copy_range == NULL || !provider->copies_within_account) return provider->copy_range != NULL;
    return strcmp(source->origin, destination->origin) == 0 &&
           strcmp(source->account, destination->account) == 0;
}

/* A SAS of the service: its fields are signed one below the other, those that are not used as empty lines. */
static void add_sas(const struct bm_cloud_copy *copy, const struct bm_cloud_credential *credential,
                    int64_t now, struct bm_cloud_text *url) {
    const struct bm_cloud_location *location = copy->location;
    bool is_https = bm_cloud_location_scheme(location->origin) == BM_SCHEME_HTTPS;
    const char *version = bm_cloud_provider_of(location->provider)->date_version;
    const char *protocol = is_https ? "https" : "https,http";
    time_t end = (time_t)(now + SAS_SECONDS);
    struct tm fields = {0};
    char expiry[32];
    char signed_text[SAS_TEXT];
    uint8_t code[BM_CLOUD_SHA256];
    char signature[2 * BM_CLOUD_SHA256];
    struct bm_cloud_text text = bm_cloud_text_in(signed_text, sizeof signed_text);
    struct bm_cloud_text encoded = bm_cloud_text_in(signature, sizeof signature);
    gmtime_r(&end, &fields);
    if (strftime(expiry, sizeof expiry, "%Y-%m-%dT%H:%M:%SZ", &fields) == 0) url->is_cut = true;
    bm_cloud_text_format(&text, "r\n\n%s\n/blob/%s/%s/%s\n\n\n%s\n%s\nb\n\n\n\n\n\n\n", expiry,
                         location->account, location->container, location->key, protocol, version);
    bm_cloud_hmac(credential->secret, credential->n_secret, text.data, text.n, code);
    bm_cloud_text_base64(&encoded, code, sizeof code);
    bm_cloud_text_format(url, "?sv=%s&sr=b&sp=r&se=", version);
    bm_cloud_text_encode(url, expiry, strlen(expiry), false);
    bm_cloud_text_add(url, "&spr=");
    bm_cloud_text_encode(url, protocol, strlen(protocol), false);
    bm_cloud_text_add(url, "&sig=");
    bm_cloud_text_encode(url, encoded.data, encoded.n, false);
    if (text.is_cut) url->is_cut = true;
}

void bm_cloud_copy_add_azure_source(const struct bm_cloud_copy *copy,
                                    const struct bm_cloud_credential *credential, int64_t now,
                                    struct bm_cloud_text *headers) {
    const struct bm_cloud_location *location = copy->location;
    char source[SOURCE];
    struct bm_cloud_text url = bm_cloud_text_in(source, sizeof source);
    bm_cloud_text_format(&url, "%s%s", location->origin, location->path);
    if (location->query[0] != '\0')
        bm_cloud_text_format(&url, "?%s", location->query);
    else if (credential->kind == BM_CREDENTIAL_SAS)
        bm_cloud_text_format(&url, "?%s", credential->secret);
    else if (credential->kind == BM_CREDENTIAL_AZURE_KEY)
        add_sas(copy, credential, now, &url);
    bm_cloud_text_header(headers, "x-ms-copy-source", "", url.data);
    if (credential->kind == BM_CREDENTIAL_BEARER)
        bm_cloud_text_header(headers, "x-ms-copy-source-authorization", "Bearer ", credential->secret);
    if (url.is_cut) headers->is_cut = true;
    explicit_bzero(source, sizeof source);
}

void bm_cloud_copy_add_s3_source(const struct bm_cloud_copy *copy,
                                 const struct bm_cloud_credential *credential, int64_t now,
                                 struct bm_cloud_text *headers) {
    const struct bm_cloud_location *location = copy->location;
    (void)credential;
    (void)now;
    char source[3 * BM_LOCATION_KEY + BM_LOCATION_NAME];
    struct bm_cloud_text name = bm_cloud_text_in(source, sizeof source);
    bm_cloud_text_format(&name, "/%s/", location->container);
    bm_cloud_text_encode(&name, location->key, strlen(location->key), true);
    bm_cloud_text_header(headers, "x-amz-copy-source", "", name.data);
    if (name.is_cut) headers->is_cut = true;
}

void bm_cloud_copy_add_headers(const struct bm_cloud_copy *copy, const struct bm_cloud_credential *credential,
                               int64_t now, struct bm_cloud_text *headers) {
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(copy->location->provider);
    char range[64];
    provider->add_copy_source(copy, credential, now, headers);
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, copy->first, copy->last);
    bm_cloud_text_header(headers, provider->copy_range, "", range);
    bm_cloud_text_header(headers, provider->copy_if_match, "", copy->etag);
}

#endif
