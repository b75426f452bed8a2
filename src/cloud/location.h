/* SPDX-License-Identifier: MIT */
/*
 * cloud/location.h - parses a remote location's string: the provider, the address of requests, the object.
 *
 *     http://host/path, https://host/path      read only, unless it is an Azure blob's URL
 *     az://account/container/blob              Azure Blob Storage
 *     https://account.blob.core.windows.net/container/blob[?SAS]
 *     s3://bucket/key                          AWS S3 and services with its protocol
 *     gs://bucket/key                          Google Cloud Storage, through its XML API
 */
#ifndef BM_CLOUD_LOCATION_H
#define BM_CLOUD_LOCATION_H

#include "cloud/provider.h"

enum {
    BM_LOCATION_ORIGIN = 512,
    BM_LOCATION_NAME = 256,
    BM_LOCATION_KEY = 1025,
    BM_LOCATION_PATH = 4096,
    BM_LOCATION_QUERY = 2048,
    BM_LOCATION_SHOWN = 1024 /* bytes that a location has in a message */
};

struct bm_cloud_location {
    enum bm_cloud_provider provider;
    char origin[BM_LOCATION_ORIGIN];         /* "https://host:port" */
    char container_path[BM_LOCATION_ORIGIN]; /* encoded path of the bucket or container: "/bucket" or "" */
    char path[BM_LOCATION_PATH];             /* encoded path of the object, with the container's */
    char query[BM_LOCATION_QUERY];           /* as given, without "?": a SAS, or a URL's query */
    char account[BM_LOCATION_NAME];          /* Azure's */
    char container[BM_LOCATION_NAME];        /* or bucket */
    char key[BM_LOCATION_KEY];               /* the object's name, decoded */
    char region[BM_LOCATION_NAME];           /* S3's */
    bool is_safe;                            /* secrets may go there: https, or this machine */
    bool is_loopback;                        /* it is this machine */
    bool has_sas; /* the query has a signature of Azure's: no other credential is used */
};

/* The scheme that a location begins with, in any case. NONE: it is a path; STORE: a provider's own (provider.h). No other
 * function examines it. */
enum bm_cloud_scheme { BM_SCHEME_NONE, BM_SCHEME_HTTP, BM_SCHEME_HTTPS, BM_SCHEME_STORE };
enum bm_cloud_scheme bm_cloud_location_scheme(const char *string);

/* Whether the string is a remote location's, and not a path. */
bool bm_cloud_location_is_remote(const char *string);

/* Whether a string that is not a remote location resembles one: another scheme ("ftp://"), a missing slash
 * ("s3:/bucket"), or blanks before it. As a path it would be shown whole, with any secret in it. */
bool bm_cloud_location_is_strange(const char *string);

/* BLASTMERGE_USAGE for such a string. */
enum blastmerge_status bm_cloud_location_refuse_strange(const char *string,
                                                        struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether its last part has a star. */
bool bm_cloud_location_has_wildcard(const char *string);

/* endpoint: the address of the provider's service, or NULL for that of the environment or the provider's own.
 * */
enum blastmerge_status bm_cloud_location_parse(struct bm_cloud_location *location, const char *string,
                                               const char *endpoint,
                                               struct blastmerge_error *error) BM_CHECK_RESULT;

#ifdef BLASTMERGE_CLOUD
/* Each parses one provider's locations: provider.h. */
enum blastmerge_status bm_cloud_location_parse_azure(struct bm_cloud_location *location, const char *string,
                                                     const char *endpoint,
                                                     struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_cloud_location_parse_s3(struct bm_cloud_location *location, const char *string,
                                                  const char *endpoint,
                                                  struct blastmerge_error *error) BM_CHECK_RESULT;
/* Of any provider whose row has an address: bucket/object, below that address or the endpoint. */
enum blastmerge_status bm_cloud_location_parse_bucket(struct bm_cloud_location *location, const char *string,
                                                      const char *endpoint,
                                                      struct blastmerge_error *error) BM_CHECK_RESULT;
#endif

/* Whether two remote locations are one object, in any spelling: by account, bucket and key, or by the URL
 * that requests go to. An invalid location is the same as no other. */
bool bm_cloud_location_is_same(const char *one, const char *other, const char *endpoint);

/* Whether a folder of az://, s3:// or gs:// names a container or bucket by itself, so that any name added to
 * it is below that: no name of an object, no query, no wildcard, no "." or "..". */
bool bm_cloud_location_is_folder(const char *string);

/* The location as messages and reports show it. Only what is not secret is shown: scheme, host, port, path. A
 * "?…" stands for a query and a fragment. A user, a password and an authority that is not a host are left
 * out. Each control character becomes a '?'. The result fits a buffer as long as the string, or of 32 bytes.
 * */
void bm_cloud_location_show(const char *string, char *shown, size_t size);

/* "host:port" of an origin. */
const char *bm_cloud_location_host(const char *origin);

#endif
