/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/credential.h"
#include "cloud/location.h"
#include "cloud/text.h"
#include "cloud/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* An account's name is the first label of a host. */
static bool is_account(struct part part) {
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    return is_name(part) && strspn(part.data, legal) >= part.n;
}

static void set_origin(struct bm_cloud_location *location, const struct bm_cloud_url *url) {
    bm_cloud_copy_text(location->origin, sizeof location->origin, url->origin);
    location->is_safe = bm_cloud_url_is_safe(url, BM_NEAR_LOOPBACK);
    location->is_loopback = bm_cloud_url_is_loopback(url);
}

/* An emulator's host is a number or localhost; it has the account in the path. */
static bool is_emulator(const struct bm_cloud_url *url) {
    return url->is_address || bm_cloud_url_is_loopback(url);
}

/* The path of the container is there; that of the object follows from the key. */
static enum blastmerge_status add_key(struct bm_cloud_location *location, const char *key,
                                      struct blastmerge_error *error) {
    struct bm_cloud_text path = bm_cloud_text_in(location->path, sizeof location->path);
    if (!bm_cloud_copy_text(location->key, sizeof location->key, key))
        return refuse(error, "the object's name is longer than 1024 bytes");
    if (key[0] == '\0')
        return refuse(error, "an object's name is missing after that of its bucket or container");
    bm_cloud_text_add(&path, location->container_path);
    bm_cloud_text_add(&path, "/");
    bm_cloud_text_encode(&path, key, strlen(key), true);
    return path.is_cut ? refuse(error, "the object's name is too long") : BLASTMERGE_OK;
}

/* Where the provider's service is: what is given, else its own. */
static enum blastmerge_status set_endpoint(struct bm_cloud_location *location, const char *endpoint,
                                           bool *has_account_in_path, struct blastmerge_error *error) {
    struct bm_cloud_url url;
    enum blastmerge_status status =
        bm_cloud_url_parse_safe(&url, endpoint, BM_NEAR_LOOPBACK, "its endpoint", error);
    if (status != BLASTMERGE_OK) return status;
    if (url.query[0] != '\0') return refuse(error, "its endpoint has a '?' in its URL");
    size_t n_path = strlen(url.path);
    while (n_path > 0 && url.path[n_path - 1] == '/') n_path--;
    set_origin(location, &url);
    if (!bm_cloud_copy_bytes(location->container_path, sizeof location->container_path, url.path, n_path))
        return refuse(error, "its endpoint is too long");
    *has_account_in_path = is_emulator(&url) && n_path == 0;
    return BLASTMERGE_OK;
}

static enum blastmerge_status add_to_container_path(struct bm_cloud_location *location, struct part part,
                                                    struct blastmerge_error *error) {
    struct bm_cloud_text path = {location->container_path, sizeof location->container_path,
                                 strlen(location->container_path), false};
    bm_cloud_text_add(&path, "/");
    bm_cloud_text_encode(&path, part.data, part.n, false);
    return path.is_cut ? refuse(error, "its endpoint is too long") : BLASTMERGE_OK;
}

/* az://account/container/blob. An endpoint is that of the account; one that is a number or localhost and has
 * no path is an emulator's, which has the account in the path. */
enum blastmerge_status bm_cloud_location_parse_azure(struct bm_cloud_location *location, const char *string,
                                                     const char *endpoint, struct blastmerge_error *error) {
    char given[BM_LOCATION_ORIGIN];
    const char *rest = string;
    struct part account = take_part(&rest);
    struct part container = take_part(&rest);
    bool has_account_in_path = false;
    if (!is_account(account) || !is_name(container))
        return refuse(error, "is not az://ACCOUNT/CONTAINER/BLOB");
    bm_cloud_copy_bytes(location->account, sizeof location->account, account.data, account.n);
    bm_cloud_copy_bytes(location->container, sizeof location->container, container.data, container.n);
    char own[BM_LOCATION_ORIGIN];
    struct bm_cloud_text text = bm_cloud_text_in(own, sizeof own);
    bm_cloud_text_format(&text, "https://%s.blob.core.windows.net", location->account);
    if (endpoint == NULL) endpoint = bm_cloud_azure_endpoint(given, sizeof given);
    enum blastmerge_status status =
        set_endpoint(location, endpoint != NULL ? endpoint : own, &has_account_in_path, error);
    if (status == BLASTMERGE_OK && has_account_in_path)
        status = add_to_container_path(location, account, error);
    if (status == BLASTMERGE_OK) status = add_to_container_path(location, container, error);
    return status == BLASTMERGE_OK ? add_key(location, rest, error) : status;
}

/* Whether a bucket's name can be a part of a host's under a certificate for *.host. */
static bool can_be_in_host(const char *bucket) {
    return strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(bucket);
}

/* Takes the bucket's name, and what comes behind it. */
static enum blastmerge_status take_bucket(struct bm_cloud_location *location, const char **string,
                                          struct blastmerge_error *error) {
    struct part bucket = take_part(string);
    if (!is_name(bucket))
        return bm_fail(error, BLASTMERGE_USAGE, "is not %sBUCKET/KEY",
                       bm_cloud_provider_of(location->provider)->prefix);
    bm_cloud_copy_bytes(location->container, sizeof location->container, bucket.data, bucket.n);
    return BLASTMERGE_OK;
}

/* is_host: the bucket's name is in the host, not in the path. */
static enum blastmerge_status add_object(struct bm_cloud_location *location, const char *endpoint,
                                         bool is_host, const char *key, struct blastmerge_error *error) {
    struct part bucket = {location->container, strlen(location->container)};
    bool has_account_in_path = false;
    enum blastmerge_status status = set_endpoint(location, endpoint, &has_account_in_path, error);
    if (status == BLASTMERGE_OK && !is_host) status = add_to_container_path(location, bucket, error);
    return status == BLASTMERGE_OK ? add_key(location, key, error) : status;
}

enum blastmerge_status bm_cloud_location_parse_s3(struct bm_cloud_location *location, const char *string,
                                                  const char *endpoint, struct blastmerge_error *error) {
    char own[BM_LOCATION_ORIGIN];
    struct bm_cloud_text text = bm_cloud_text_in(own, sizeof own);
    enum blastmerge_status status = take_bucket(location, &string, error);
    if (status != BLASTMERGE_OK) return status;
    if (endpoint == NULL) endpoint = bm_cloud_aws_endpoint();
    if (!bm_cloud_aws_region(location->region, sizeof location->region))
        return refuse(error,
                      "the region in AWS_REGION, AWS_DEFAULT_REGION or the profile is not a region's name");
    bool is_host = endpoint == NULL && can_be_in_host(location->container);
    bm_cloud_text_format(&text, "https://%s%ss3.%s.amazonaws.com", is_host ? location->container : "",
                         is_host ? "." : "", location->region);
    return add_object(location, endpoint != NULL ? endpoint : own, is_host, string, error);
}

enum blastmerge_status bm_cloud_location_parse_bucket(struct bm_cloud_location *location, const char *string,
                                                      const char *endpoint, struct blastmerge_error *error) {
    const char *address = bm_cloud_provider_of(location->provider)->address;
    enum blastmerge_status status = take_bucket(location, &string, error);
    if (status != BLASTMERGE_OK) return status;
    return add_object(location, endpoint != NULL ? endpoint : address, false, string, error);
}

/* By its name as a server reads it. */
static bool has_parameter(const char *query, const char *name) {
    while (*query != '\0') {
        char decoded[16];
        size_t n_name = strcspn(query, "=&");
        struct bm_cloud_text text = bm_cloud_text_in(decoded, sizeof decoded);
        bm_cloud_text_decode(&text, query, n_name);
        if (query[n_name] == '=' && bm_cloud_is_same_word(decoded, text.n, name)) return true;
        query += strcspn(query, "&");
        query += *query == '&';
    }
    return false;
}

static bool is_below_endpoint(const struct bm_cloud_url *url, const char *endpoint) {
    struct bm_cloud_url above;
    struct blastmerge_error ignored = {0};
    return endpoint != NULL && bm_cloud_url_parse(&above, endpoint, &ignored) == BLASTMERGE_OK &&
           bm_cloud_url_is_below(url, &above);
}

/* [/account]/container/blob, encoded. */
static enum blastmerge_status parse_azure_path(struct bm_cloud_location *location,
                                               const struct bm_cloud_url *url,
                                               struct blastmerge_error *error) {
    bool has_account = is_emulator(url);
    const char *rest = location->path + 1;
    struct part account = has_account ? take_part(&rest) : (struct part){url->host, strcspn(url->host, ".")};
    struct part container = take_part(&rest);
    char key[BM_LOCATION_PATH];
    struct bm_cloud_text text = bm_cloud_text_in(key, sizeof key);
    if (!is_account(account) || !is_name(container))
        return refuse(error,
                      "is not the URL of a blob: https://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB");
    location->provider = BM_PROVIDER_AZURE;
    bm_cloud_copy_bytes(location->account, sizeof location->account, account.data, account.n);
    bm_cloud_copy_bytes(location->container, sizeof location->container, container.data, container.n);
    bm_cloud_text_decode(&text, rest, strlen(rest));
    location->container_path[0] = '\0';
    enum blastmerge_status status =
        has_account ? add_to_container_path(location, account, error) : BLASTMERGE_OK;
    if (status == BLASTMERGE_OK) status = add_to_container_path(location, container, error);
    return status == BLASTMERGE_OK ? add_key(location, key, error) : status;
}

/* An URL is an Azure blob's by its host, its SAS, or the endpoint that is in use for Azure. With a SAS no
 * other credential is used, so that nothing goes to a host for its looks. */
static enum blastmerge_status parse_url(struct bm_cloud_location *location, const char *string,
                                        const char *azure_endpoint, struct blastmerge_error *error) {
    struct bm_cloud_url url;
    enum blastmerge_status status = bm_cloud_url_parse(&url, string, error);
    if (status != BLASTMERGE_OK) return status;
    set_origin(location, &url);
    bm_cloud_copy_text(location->path, sizeof location->path, url.path);
    bm_cloud_copy_text(location->query, sizeof location->query, url.query);
    bool is_signed = has_parameter(url.query, "sig");
    bool is_azure = bm_cloud_url_is_azure(&url) || is_below_endpoint(&url, azure_endpoint) ||
                    (is_signed && has_parameter(url.query, "sv"));
    location->has_sas = is_azure && is_signed;
    return is_azure ? parse_azure_path(location, &url, error) : BLASTMERGE_OK;
}

/* What belongs to URLs has no place in these: it would be a part of the name, and might be secret. */
static enum blastmerge_status check_name(const char *string, struct blastmerge_error *error) {
    const char *rest = bm_cloud_location_host(string);
    if (memchr(rest, '@', strcspn(rest, "/?#")) != NULL)
        return refuse(error,
                      "has a name or a password in it, which is not supported: credentials come from the "
                      "environment");
    if (strpbrk(rest, "?#") != NULL) {
        char prefixes[BM_PROVIDER_PREFIXES];
        return bm_fail(error, BLASTMERGE_USAGE,
                       "has a '?' or a '#', which %s do not accept: use an https:// URL for a SAS or for an "
                       "object with such a name",
                       bm_cloud_provider_prefixes("and", prefixes));
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status check_characters(const char *string, struct blastmerge_error *error) {
    for (; *string != '\0'; string++) {
        if (bm_cloud_is_control(*string)) return refuse(error, "has control characters in its location");
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_cloud_location_parse(struct bm_cloud_location *location, const char *string,
                                               const char *endpoint, struct blastmerge_error *error) {
    char azure[BM_LOCATION_ORIGIN];
    memset(location, 0, sizeof *location);
    enum blastmerge_status status = check_characters(string, error);
    if (status != BLASTMERGE_OK) return status;
    location->provider = bm_cloud_provider_find(string);
    if (location->provider != BM_PROVIDER_HTTP) {
        status = check_name(string, error);
        if (status != BLASTMERGE_OK) return status;
        return bm_cloud_provider_of(location->provider)
            ->parse(location, bm_cloud_location_host(string), endpoint, error);
    }
    return parse_url(location, string,
                     endpoint != NULL ? endpoint : bm_cloud_azure_endpoint(azure, sizeof azure), error);
}

#endif
