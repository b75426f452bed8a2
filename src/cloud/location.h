/* SPDX-License-Identifier: MIT */
/*
 * cloud/location.h - what a remote location's string says: which provider, where requests go, which object.
 *
 *     http://host/path, https://host/path      read only, unless it is an Azure blob's URL
 *     az://account/container/blob              Azure Blob Storage
 *     https://account.blob.core.windows.net/container/blob[?SAS]
 *     s3://bucket/key                          AWS S3 and whatever speaks its protocol
 *     gs://bucket/key                          Google Cloud Storage, through its XML API
 */
#ifndef BM_CLOUD_LOCATION_H
#define BM_CLOUD_LOCATION_H

#include "base/base.h"

enum bm_provider { BM_PROVIDER_HTTP, BM_PROVIDER_AZURE, BM_PROVIDER_S3, BM_PROVIDER_GS };

enum {
    BM_LOCATION_ORIGIN = 512,
    BM_LOCATION_NAME = 256,
    BM_LOCATION_KEY = 1025,
    BM_LOCATION_PATH = 4096,
    BM_LOCATION_QUERY = 2048,
    BM_LOCATION_SHOWN = 1024 /* bytes that a location has in a message */
};

struct bm_cloud_location {
    enum bm_provider provider;
    char origin[BM_LOCATION_ORIGIN];         /* "https://host:port" */
    char container_path[BM_LOCATION_ORIGIN]; /* encoded path of the bucket or container: "/bucket" or "" */
    char path[BM_LOCATION_PATH];             /* encoded path of the object, with the container's */
    char query[BM_LOCATION_QUERY];           /* as given, without "?": a SAS, or whatever an URL has */
    char account[BM_LOCATION_NAME];          /* Azure's */
    char container[BM_LOCATION_NAME];        /* or bucket */
    char key[BM_LOCATION_KEY];               /* the object's name, decoded */
    char region[BM_LOCATION_NAME];           /* S3's */
    bool is_safe;                            /* secrets may go there: https, or this machine */
    bool is_loopback;                        /* it is this machine */
    bool has_sas; /* the query has a signature of Azure's: no other credential is used */
};

/* What a location begins with, in whatever case. NONE: it is a path. The only function that looks at it. */
enum bm_scheme {
    BM_SCHEME_NONE,
    BM_SCHEME_HTTP,
    BM_SCHEME_HTTPS,
    BM_SCHEME_AZURE,
    BM_SCHEME_S3,
    BM_SCHEME_GS
};
enum bm_scheme bm_cloud_location_scheme(const char *string);

/* Whether the string is a remote location's, and not a path. */
bool bm_cloud_location_is_remote(const char *string);

/* Whether a string that is no remote location looks like one: of another scheme ("ftp://"), with a slash too few
 * ("s3:/bucket"), or behind blanks. As a path it would be shown whole, with what is secret in it. */
bool bm_cloud_location_is_strange(const char *string);

/* BLASTMERGE_USAGE for such a string. */
enum blastmerge_status bm_cloud_location_refuse_strange(const char *string,
                                                        struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether its last part has a star. */
bool bm_cloud_location_has_wildcard(const char *string);

/* endpoint: where the provider's service is, or NULL for what the environment says or the provider's own. */
enum blastmerge_status bm_cloud_location_parse(struct bm_cloud_location *location, const char *string,
                                               const char *endpoint,
                                               struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether two remote locations are one object, however they are written: by account, bucket and key, or by
 * the URL that requests go to. Locations that make no sense are the same as nothing. */
bool bm_cloud_location_is_same(const char *one, const char *other, const char *endpoint);

/* Whether a folder of az://, s3:// or gs:// names a container or bucket by itself, so that whatever is added
 * to it is below that: nothing of a name for an object, a query, a wildcard, "." or "..". */
bool bm_cloud_location_is_folder(const char *string);

/* The location as messages and reports have it. Only what is no secret is shown: scheme, host, port, path; a
 * "?…" stands for a query and a fragment; a user, a password and what is no host are left out. With a
 * '?' for each control character. Fits anything whose length is that of the string or 32 bytes. */
void bm_cloud_location_show(const char *string, char *shown, size_t size);

/* "host:port" of an origin. */
const char *bm_cloud_location_host(const char *origin);

#endif
