/* SPDX-License-Identifier: MIT */
/*
 * cloud/provider.h - what differs between the providers of remote locations. provider.c has a row for each.
 */
#ifndef BM_CLOUD_PROVIDER_H
#define BM_CLOUD_PROVIDER_H

#include "base/base.h"

enum bm_cloud_provider { BM_PROVIDER_HTTP, BM_PROVIDER_AZURE, BM_PROVIDER_S3, BM_PROVIDER_GS };
enum { BM_PROVIDER_N = BM_PROVIDER_GS + 1 };

struct bm_cloud;
struct bm_cloud_copy;
struct bm_cloud_credential;
struct bm_cloud_location;
struct bm_cloud_text;

/* A parameter of a request for a page of a list. */
struct bm_cloud_parameter {
    const char *name;
    const char *value;
    enum {
        BM_CLOUD_FIXED,
        BM_CLOUD_PREFIX,
        BM_CLOUD_MARKER
    } kind; /* MARKER: only if the page before named one */
};

/* A list's page: its parameters, in the alphabet's order, and the names of its elements. */
struct bm_cloud_list_words {
    struct bm_cloud_parameter parameters[7]; /* the last one has no name */
    const char *root, *entry, *name, *length, *etag, *folder, *next;
};

struct bm_cloud_provider_row {
    const char *prefix; /* of its locations; NULL: they begin with http:// or https:// */
    unsigned n_names;   /* that come before an object's: an account's, a container's or bucket's */
    bool is_web;        /* it is only read, follows redirections, lists nothing, and gets no credential */
    bool has_secret_query;
    const char *accept_encoding; /* of requests that read an object; NULL: none */

    /* An upload's objects: the header of their metadata, and the condition that none exists yet, which may have to be
     * left out when several parts become one. */
    const char *metadata;
    const char *if_absent, *absent;
    bool has_conditional_end;

    const struct bm_cloud_list_words *list; /* NULL: it lists nothing */

    /* Parts that the store copies itself; NULL: it copies none. */
    const char *copy_range, *copy_if_match;
    bool
        copies_within_account; /* and at one address alone, so that no secret goes to another host than before */

    /* Signatures of AWS's fourth version, or like it; empty: it has another one. */
    struct {
        const char *algorithm;
        const char *key_prefix; /* before the key */
        const char *prefix;     /* of headers */
        const char *token_header;
        const char *region; /* NULL: the location's */
        const char *service;
        const char *request;
    } v4;
    /* For bm_cloud_location_parse_bucket() and bm_cloud_credential_find_variables(): where its service is, and the variables of the
     * environment that have its keys, or a token (NULL: none has one). keys: "ID or SECRET", as a message names them. */
    const char *address;
    struct {
        const char *id, *secret, *keys, *token;
    } variables;
    const char *date_version; /* Azure's x-ms-version, which goes with x-ms-date; NULL: neither */

#ifdef BLASTMERGE_CLOUD
    /* Parses a location behind its prefix. endpoint: the caller's, or NULL for that of the environment or the
     * provider's own. NULL: such a location has no prefix. */
    enum blastmerge_status (*parse)(struct bm_cloud_location *location, const char *string,
                                    const char *endpoint, struct blastmerge_error *error);
    /* Tries the provider's sources of credentials, one after another; kind NONE if none has one. NULL: it has none. */
    enum blastmerge_status (*find_credential)(struct bm_cloud *cloud,
                                              const struct bm_cloud_location *location,
                                              struct bm_cloud_credential *credential,
                                              struct blastmerge_error *error);
    /* Adds the headers that name what is copied. */
    void (*add_copy_source)(const struct bm_cloud_copy *copy, const struct bm_cloud_credential *credential,
                            int64_t now, struct bm_cloud_text *headers);
#endif
};

extern const struct bm_cloud_provider_row bm_cloud_providers[BM_PROVIDER_N];

static inline const struct bm_cloud_provider_row *bm_cloud_provider_of(enum bm_cloud_provider provider) {
    return &bm_cloud_providers[provider];
}

/* The provider that the location's prefix, in any case, is of; HTTP: it has none of these. */
enum bm_cloud_provider bm_cloud_provider_find(const char *location);

/* "az://, s3:// or gs://", with that word before the last one. Returns the text. */
enum { BM_PROVIDER_PREFIXES = 64 };
const char *bm_cloud_provider_prefixes(const char *word, char text[BM_PROVIDER_PREFIXES]);

#endif
