/* SPDX-License-Identifier: MIT */
/* One row for each provider. What is NULL, false or 0 does not apply, and is left out. */
#include "cloud/provider.h"
#ifdef BLASTMERGE_CLOUD
#include "cloud/copy.h"
#include "cloud/credential.h"
#include "cloud/location.h"
#endif

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PAGE_NAMES "500"

static const struct bm_cloud_list_words azure_list = {
    .parameters = {{"comp", "list", BM_CLOUD_FIXED},
                   {"delimiter", "/", BM_CLOUD_FIXED},
                   {"marker", NULL, BM_CLOUD_MARKER},
                   {"maxresults", PAGE_NAMES, BM_CLOUD_FIXED},
                   {"prefix", NULL, BM_CLOUD_PREFIX},
                   {"restype", "container", BM_CLOUD_FIXED}},
    .root = "EnumerationResults",
    .entry = "Blob",
    .name = "Name",
    .length = "Content-Length",
    .etag = "Etag",
    .folder = "BlobPrefix",
    .next = "NextMarker"};

/* Google's lists have the words of S3's. */
static const struct bm_cloud_list_words s3_list = {
    .parameters = {{"continuation-token", NULL, BM_CLOUD_MARKER},
                   {"delimiter", "/", BM_CLOUD_FIXED},
                   {"list-type", "2", BM_CLOUD_FIXED},
                   {"max-keys", PAGE_NAMES, BM_CLOUD_FIXED},
                   {"prefix", NULL, BM_CLOUD_PREFIX}},
    .root = "ListBucketResult",
    .entry = "Contents",
    .name = "Key",
    .length = "Size",
    .etag = "ETag",
    .folder = "CommonPrefixes",
    .next = "NextContinuationToken"};

const struct bm_cloud_provider_row bm_cloud_providers[BM_PROVIDER_N] = {
    [BM_PROVIDER_HTTP] = {.is_web = true},
    [BM_PROVIDER_AZURE] =
        {
            .prefix = "az://",
            .n_names = 2,
            .has_secret_query = true, /* a SAS */
            .metadata = "x-ms-meta-blastmerge_upload",
            .if_absent = "If-None-Match",
            .absent = "*",
            .has_conditional_end = true,
            .list = &azure_list,
            .copy_range = "x-ms-source-range",
            .copy_if_match = "x-ms-source-if-match",
            .copies_within_account = true,
            .date_version = "2021-12-02",
#ifdef BLASTMERGE_CLOUD
            .parse = bm_cloud_location_parse_azure,
            .find_credential = bm_cloud_credential_find_azure,
            .add_copy_source = bm_cloud_copy_add_azure_source,
#endif
        },
    [BM_PROVIDER_S3] =
        {
            .prefix = "s3://",
            .n_names = 1,
            .metadata = "x-amz-meta-blastmerge-upload",
            .if_absent = "If-None-Match",
            .absent = "*",
            .has_conditional_end = true,
            .list = &s3_list,
            .copy_range = "x-amz-copy-source-range",
            .copy_if_match = "x-amz-copy-source-if-match",
            .v4 = {"AWS4-HMAC-SHA256", "AWS4", "x-amz-", "x-amz-security-token", NULL, "s3", "aws4_request"},
#ifdef BLASTMERGE_CLOUD
            .parse = bm_cloud_location_parse_s3,
            .find_credential = bm_cloud_credential_find_aws,
            .add_copy_source = bm_cloud_copy_add_s3_source,
#endif
        },
    [BM_PROVIDER_GS] =
        {
            .prefix = "gs://",
            .n_names = 1,
            .accept_encoding = "gzip", /* otherwise its servers decompress what is marked as gzip */
            .metadata = "x-goog-meta-blastmerge-upload",
            .if_absent = "x-goog-if-generation-match",
            .absent = "0",
            .list = &s3_list,
            .v4 = {"GOOG4-HMAC-SHA256", "GOOG4", "x-goog-", "x-goog-security-token", "auto", "storage",
                   "goog4_request"},
            .address = "https://storage.googleapis.com",
            .variables = {"GS_ACCESS_KEY_ID", "GS_SECRET_ACCESS_KEY",
                          "GS_ACCESS_KEY_ID or GS_SECRET_ACCESS_KEY", "CLOUDSDK_AUTH_ACCESS_TOKEN"},
#ifdef BLASTMERGE_CLOUD
            .parse = bm_cloud_location_parse_bucket,
            .find_credential = bm_cloud_credential_find_variables,
#endif
        },
};

enum bm_cloud_provider bm_cloud_provider_find(const char *location) {
    int i = BM_PROVIDER_N - 1;
    for (; i > BM_PROVIDER_HTTP; i--) {
        const char *prefix = bm_cloud_providers[i].prefix;
        if (strncasecmp(location, prefix, strlen(prefix)) == 0) break;
    }
    return (enum bm_cloud_provider)i;
}

const char *bm_cloud_provider_prefixes(const char *word, char text[BM_PROVIDER_PREFIXES]) {
    size_t n = 0;
    for (int i = BM_PROVIDER_HTTP + 1; i < BM_PROVIDER_N && n < BM_PROVIDER_PREFIXES; i++) {
        const char *before = i == BM_PROVIDER_HTTP + 1 ? "" : i == BM_PROVIDER_N - 1 ? " " : ", ";
        bool is_last = i == BM_PROVIDER_N - 1;
        n += (size_t)snprintf(text + n, BM_PROVIDER_PREFIXES - n, "%s%s%s%s", before, is_last ? word : "",
                              is_last ? " " : "", bm_cloud_providers[i].prefix);
    }
    return text;
}
