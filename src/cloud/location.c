/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/credential.h"
#include "cloud/location.h"
#include "cloud/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool begins_with(const char *string, const char *beginning) {
    return strncasecmp(string, beginning, strlen(beginning)) == 0;
}

/* --- parsing ------------------------------------------------------------------------------------- */

/* Parts of a string that lie in it. */
struct part {
    const char *data;
    size_t n;
};

/* Takes what comes before the next slash, and the slash. */
static struct part take_part(const char **string) {
    struct part part = {*string, strcspn(*string, "/")};
    *string += part.n + ((*string)[part.n] == '/');
    return part;
}

static enum blastmerge_status refuse(struct blastmerge_error *error, const char *reason) {
    return bm_fail(error, BLASTMERGE_USAGE, "%s", reason);
}

/* Names become parts of hosts and of paths: nothing but letters, digits, dots, dashes and underscores; "$"
 * for Azure's $root and $web. */
static bool is_name(struct part part) {
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_$";
    return part.n > 0 && part.n < BM_LOCATION_NAME && strspn(part.data, legal) >= part.n;
}

/* Splits an URL of a service: its origin and what follows, without slashes at the end. */
static bool split_endpoint(const char *url, char *origin, size_t n_origin, char *path, size_t n_path) {
    if (!begins_with(url, "http://") && !begins_with(url, "https://")) return false;
    const char *host = bm_location_host(url);
    size_t n_host = strcspn(host, "/?#");
    size_t n_rest = strcspn(host + n_host, "?#");
    while (n_rest > 0 && host[n_host + n_rest - 1] == '/') n_rest--;
    return n_host > 0 && memchr(host, '@', n_host) == NULL &&
           bm_copy_bytes(origin, n_origin, url, (size_t)(host - url) + n_host) &&
           bm_copy_bytes(path, n_path, host + n_host, n_rest);
}

/* The path of the container is there; that of the object follows from the key. */
static enum blastmerge_status add_key(struct bm_location *location, const char *key,
                                      struct blastmerge_error *error) {
    struct bm_text path = bm_text_in(location->path, sizeof location->path);
    if (!bm_copy_text(location->key, sizeof location->key, key))
        return refuse(error, "the object's name is longer than 1024 bytes");
    if (key[0] == '\0')
        return refuse(error, "an object's name is missing after that of its bucket or container");
    bm_text_add(&path, location->container_path);
    bm_text_add(&path, "/");
    bm_text_encode(&path, key, strlen(key), true);
    return path.is_cut ? refuse(error, "the object's name is too long") : BLASTMERGE_OK;
}

static enum blastmerge_status set_endpoint(struct bm_location *location, const char *endpoint,
                                           struct blastmerge_error *error) {
    if (split_endpoint(endpoint, location->origin, sizeof location->origin, location->container_path,
                       sizeof location->container_path))
        return BLASTMERGE_OK;
    return refuse(error, "its endpoint is no URL like https://host:port");
}

static enum blastmerge_status add_to_container_path(struct bm_location *location, struct part part,
                                                    struct blastmerge_error *error) {
    struct bm_text path = {location->container_path, sizeof location->container_path,
                           strlen(location->container_path), false};
    bm_text_add(&path, "/");
    bm_text_encode(&path, part.data, part.n, false);
    return path.is_cut ? refuse(error, "its endpoint is too long") : BLASTMERGE_OK;
}

/* az://account/container/blob. An endpoint is that of the account; one that is a number or localhost and has
 * no path is an emulator's, which has the account in the path. */
static enum blastmerge_status parse_azure(struct bm_location *location, const char *string,
                                          const char *endpoint, struct blastmerge_error *error) {
    const char *rest = string;
    struct part account = take_part(&rest);
    struct part container = take_part(&rest);
    if (!is_name(account) || !is_name(container)) return refuse(error, "is no az://ACCOUNT/CONTAINER/BLOB");
    bm_copy_bytes(location->account, sizeof location->account, account.data, account.n);
    bm_copy_bytes(location->container, sizeof location->container, container.data, container.n);
    char own[BM_LOCATION_ORIGIN];
    struct bm_text text = bm_text_in(own, sizeof own);
    bm_text_format(&text, "https://%s.blob.core.windows.net", location->account);
    enum blastmerge_status status = set_endpoint(location, endpoint != NULL ? endpoint : own, error);
    const char *host = bm_location_host(location->origin);
    bool is_emulator =
        strspn(host, "0123456789.:") == strlen(host) || bm_location_is_loopback(location->origin);
    if (status == BLASTMERGE_OK && is_emulator && location->container_path[0] == '\0')
        status = add_to_container_path(location, account, error);
    if (status == BLASTMERGE_OK) status = add_to_container_path(location, container, error);
    return status == BLASTMERGE_OK ? add_key(location, rest, error) : status;
}

/* Whether a bucket's name can be a part of a host's under a certificate for *.host. */
static bool can_be_in_host(const char *bucket) {
    return strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(bucket);
}

static enum blastmerge_status parse_bucket(struct bm_location *location, const char *string,
                                           const char *endpoint, struct blastmerge_error *error) {
    const char *rest = string;
    struct part bucket = take_part(&rest);
    bool is_google = location->provider == BM_PROVIDER_GS;
    if (!is_name(bucket)) return refuse(error, is_google ? "is no gs://BUCKET/KEY" : "is no s3://BUCKET/KEY");
    bm_copy_bytes(location->container, sizeof location->container, bucket.data, bucket.n);
    bm_aws_region(location->region, sizeof location->region);
    char own[BM_LOCATION_ORIGIN];
    struct bm_text text = bm_text_in(own, sizeof own);
    bool is_host = endpoint == NULL && !is_google && can_be_in_host(location->container);
    if (is_google) {
        bm_text_add(&text, "https://storage.googleapis.com");
    } else {
        bm_text_format(&text, "https://%s%ss3.%s.amazonaws.com", is_host ? location->container : "",
                       is_host ? "." : "", location->region);
    }
    enum blastmerge_status status = set_endpoint(location, endpoint != NULL ? endpoint : own, error);
    if (status == BLASTMERGE_OK && !is_host) status = add_to_container_path(location, bucket, error);
    return status == BLASTMERGE_OK ? add_key(location, rest, error) : status;
}

static bool has_parameter(const char *query, const char *name) {
    size_t n_name = strlen(name);
    for (; *query != '\0'; query += query[0] == '&') {
        if (strncmp(query, name, n_name) == 0 && query[n_name] == '=') return true;
        query += strcspn(query, "&");
    }
    return false;
}

/* Whether an URL is an Azure blob's: by its host, its SAS, or the endpoint that is in use for Azure. */
static bool is_azure_url(const struct bm_location *location, const char *url, const char *endpoint) {
    const char *host = bm_location_host(location->origin);
    const char *dot = strchr(host, '.');
    if (dot != NULL && strncasecmp(dot, ".blob.core.", 11) == 0) return true;
    if (has_parameter(location->query, "sv") && has_parameter(location->query, "sig")) return true;
    size_t n = endpoint == NULL ? 0 : strlen(endpoint);
    while (n > 0 && endpoint[n - 1] == '/') n--;
    return n > 0 && strncasecmp(url, endpoint, n) == 0 && url[n] == '/';
}

/* [/account]/container/blob, encoded. */
static enum blastmerge_status parse_azure_path(struct bm_location *location, struct blastmerge_error *error) {
    const char *host = bm_location_host(location->origin);
    const char *rest = location->path + 1;
    bool is_emulator =
        strspn(host, "0123456789.:") == strlen(host) || bm_location_is_loopback(location->origin);
    struct part account = is_emulator ? take_part(&rest) : (struct part){host, strcspn(host, ".")};
    struct part container = take_part(&rest);
    char key[BM_LOCATION_PATH];
    struct bm_text text = bm_text_in(key, sizeof key);
    if (!is_name(account) || !is_name(container))
        return refuse(error, "is no URL of a blob: https://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB");
    location->provider = BM_PROVIDER_AZURE;
    bm_copy_bytes(location->account, sizeof location->account, account.data, account.n);
    bm_copy_bytes(location->container, sizeof location->container, container.data, container.n);
    bm_text_decode(&text, rest, strlen(rest));
    location->container_path[0] = '\0';
    enum blastmerge_status status =
        is_emulator ? add_to_container_path(location, account, error) : BLASTMERGE_OK;
    if (status == BLASTMERGE_OK) status = add_to_container_path(location, container, error);
    return status == BLASTMERGE_OK ? add_key(location, key, error) : status;
}

static enum blastmerge_status parse_url(struct bm_location *location, const char *string,
                                        const char *azure_endpoint, struct blastmerge_error *error) {
    const char *host = bm_location_host(string);
    size_t n_host = strcspn(host, "/?#");
    const char *path = host + n_host;
    size_t n_path = strcspn(path, "?#");
    const char *query = path[n_path] == '?' ? path + n_path + 1 : "";
    if (memchr(host, '@', n_host) != NULL)
        return refuse(error, "has a name or a password in its URL, which is not supported");
    if (n_host == 0 || strpbrk(string, " \"<>\\^`{|}") != NULL) return refuse(error, "is no valid URL");
    if (!bm_copy_bytes(location->origin, sizeof location->origin, string, (size_t)(path - string)) ||
        !bm_copy_bytes(location->path, sizeof location->path, n_path == 0 ? "/" : path,
                       n_path == 0 ? 1 : n_path) ||
        !bm_copy_bytes(location->query, sizeof location->query, query, strcspn(query, "#")))
        return refuse(error, "its URL is too long");
    return is_azure_url(location, string, azure_endpoint) ? parse_azure_path(location, error) : BLASTMERGE_OK;
}

static enum blastmerge_status check_characters(const char *string, struct blastmerge_error *error) {
    for (; *string != '\0'; string++) {
        if (bm_is_control(*string)) return refuse(error, "has control characters in its location");
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_location_parse(struct bm_location *location, const char *string,
                                         const char *endpoint, struct blastmerge_error *error) {
    char azure[BM_LOCATION_ORIGIN];
    memset(location, 0, sizeof *location);
    enum blastmerge_status status = check_characters(string, error);
    if (status != BLASTMERGE_OK) return status;
    const char *azure_endpoint = endpoint != NULL ? endpoint : bm_azure_endpoint(azure, sizeof azure);
    if (begins_with(string, "az://")) {
        location->provider = BM_PROVIDER_AZURE;
        return parse_azure(location, string + 5, azure_endpoint, error);
    }
    if (begins_with(string, "s3://")) {
        location->provider = BM_PROVIDER_S3;
        return parse_bucket(location, string + 5, endpoint != NULL ? endpoint : bm_aws_endpoint(), error);
    }
    if (begins_with(string, "gs://")) {
        location->provider = BM_PROVIDER_GS;
        return parse_bucket(location, string + 5, endpoint, error);
    }
    location->provider = BM_PROVIDER_HTTP;
    return parse_url(location, string, azure_endpoint, error);
}

#endif
