/* SPDX-License-Identifier: MIT */
/*
 * cloud/credential.h - credentials, and where they are found.
 *
 * A credential belongs to a provider and, for Azure, an account. It is never used for anything else, and
 * http:// locations that are not on this machine get none. A credential that expires is renewed before that.
 */
#ifndef BM_CLOUD_CREDENTIAL_H
#define BM_CLOUD_CREDENTIAL_H

#include "cloud/location.h"
#include "cloud/url.h"

struct bm_cloud;

enum bm_cloud_credential_kind {
    BM_CREDENTIAL_NONE,      /* nothing was found: anonymous */
    BM_CREDENTIAL_AZURE_KEY, /* secret: the account's key, decoded, n_secret bytes */
    BM_CREDENTIAL_SAS,       /* secret: a query's parameters */
    BM_CREDENTIAL_BEARER,    /* secret: a token */
    BM_CREDENTIAL_AWS        /* id, secret and perhaps token */
};

enum { BM_CREDENTIAL_ID = 256, BM_CREDENTIAL_SECRET = 4096 };

struct bm_cloud_credential {
    enum bm_cloud_credential_kind kind;
    bool is_known; /* the search for it is done */
    enum bm_cloud_provider provider;
    char account[BM_LOCATION_NAME];
    char id[BM_CREDENTIAL_ID];
    char secret[BM_CREDENTIAL_SECRET];
    size_t n_secret;
    char token[BM_CREDENTIAL_SECRET];
    int64_t expires;  /* seconds since 1970, 0: never */
    const char *from; /* its source, for messages; NULL: a server */
};

/* Finds the credential for a location, or uses the one found before. is_renewed: that one was refused as
 * expired. On success *credential belongs to the cloud, and is of any kind. */
enum blastmerge_status bm_cloud_credential_find(struct bm_cloud *cloud,
                                                const struct bm_cloud_location *location, bool is_renewed,
                                                const struct bm_cloud_credential **credential,
                                                struct blastmerge_error *error) BM_CHECK_RESULT;

/* Tries one provider's sources, one after another; kind NONE if none has a credential. */
enum blastmerge_status bm_cloud_credential_find_azure(struct bm_cloud *cloud,
                                                      const struct bm_cloud_location *location,
                                                      struct bm_cloud_credential *credential,
                                                      struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_cloud_credential_find_aws(struct bm_cloud *cloud,
                                                    const struct bm_cloud_location *location,
                                                    struct bm_cloud_credential *credential,
                                                    struct blastmerge_error *error) BM_CHECK_RESULT;
/* Of any provider whose row names variables of the environment. */
enum blastmerge_status bm_cloud_credential_find_variables(struct bm_cloud *cloud,
                                                          const struct bm_cloud_location *location,
                                                          struct bm_cloud_credential *credential,
                                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* Requests a small answer of a credentials' server, once or twice, without any credential. On success the
 * text, with a NUL at its end, is in `answer`. error->http_status is the server's status. The URL must be a
 * safe one (bm_cloud_url_is_safe()). */
struct bm_cloud_ask {
    const char *method;
    const char *url;
    const char *setting; /* the source of the URL, for messages */
    enum bm_cloud_url_near near;
    const char *header; /* the only one */
    const char *value;
    const char *value_from; /* the source of the value, for messages */
    const char *body;       /* or "" */
    char *answer;
    size_t size;
    bool is_impatient; /* a link-local server: one second shows whether it exists */
};
enum blastmerge_status bm_cloud_credential_ask(struct bm_cloud *cloud, const struct bm_cloud_ask *ask,
                                               struct blastmerge_error *error) BM_CHECK_RESULT;

/* Refuses (BLASTMERGE_DENIED) a secret with a control character or a character that is not ASCII. The text
 * after a line feed would be another header, and no key or token has such characters. `from` names the source
 * in messages. */
enum blastmerge_status bm_cloud_check_secret(const char *secret, const char *from,
                                             struct blastmerge_error *error) BM_CHECK_RESULT;

/* A variable of the environment, or NULL if it is not set or empty. */
const char *bm_cloud_environment(const char *name);

/* The small file's text without white space at its end; false if it is not there or too large. */
bool bm_cloud_read_small_file(const char *path, char *text, size_t size);

/* A string member of a JSON object. */
bool bm_cloud_json_string(const char *json, const char *name, char *value, size_t size);

/* Regions and endpoints from the environment and the profile. */
bool bm_cloud_aws_region(char *region, size_t size); /* false: it is not a region's name */
const char *bm_cloud_aws_endpoint(void);
const char *bm_cloud_azure_endpoint(char *endpoint, size_t size);

#endif
