/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/library.h"
#include "cloud/text.h"
#include "cloud/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static enum blastmerge_status refuse(struct blastmerge_error *error, const char *reason) {
    return bm_fail(error, BLASTMERGE_USAGE, "%s", reason);
}

/* --- parts --------------------------------------------------------------------------------------- */

/* Copies a part; without it the place is empty. False: it does not fit. */
static bool copy_part(const struct bm_cloud_library *library, CURLU *parts, CURLUPart which, unsigned flags,
                      char *place, size_t size) {
    char *part = NULL;
    place[0] = '\0';
    bool fits =
        library->url_get(parts, which, &part, flags) != CURLUE_OK || bm_cloud_copy_text(place, size, part);
    library->free(part);
    return fits;
}

static bool has_part(const struct bm_cloud_library *library, CURLU *parts, CURLUPart which) {
    char *part = NULL;
    bool has = library->url_get(parts, which, &part, 0) == CURLUE_OK;
    library->free(part);
    return has;
}

/* What is between the brackets, in the form that inet_ntop() gives it. */
static bool normalise_ipv6(char *host) {
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    size_t n = strlen(host);
    if (n < 3 || host[n - 1] != ']') return false;
    host[n - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &address) != 1 ||
        inet_ntop(AF_INET6, &address, text, sizeof text) == NULL)
        return false;
    struct bm_cloud_text place = bm_cloud_text_in(host, BM_URL_HOST);
    bm_cloud_text_format(&place, "[%s]", text);
    return !place.is_cut;
}

/* Whether the last label is a number, decimal or hexadecimal: then all of it must be an address, since some
 * resolver might take it for one. */
static bool ends_in_number(const char *host) {
    const char *dot = strrchr(host, '.');
    const char *label = dot == NULL ? host : dot + 1;
    if (label[0] == '0' && label[1] == 'x') return strspn(label + 2, "0123456789abcdef") == strlen(label + 2);
    return label[0] != '\0' && strspn(label, "0123456789") == strlen(label);
}

/* Lower case, no dot at the end, labels of letters, digits, dashes and underscores. */
static bool normalise_host(struct bm_cloud_url *url) {
    static const char legal[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    char *host = url->host;
    struct in_addr address;
    if (host[0] == '[') {
        url->is_address = true;
        return normalise_ipv6(host);
    }
    size_t n = strlen(host);
    if (n > 1 && host[n - 1] == '.') host[--n] = '\0';
    for (size_t i = 0; i < n; i++) host[i] = bm_cloud_lower(host[i]);
    if (n == 0 || host[0] == '.' || host[n - 1] == '.' || strstr(host, "..") != NULL ||
        strspn(host, legal) != n)
        return false;
    url->is_address = ends_in_number(host);
    return !url->is_address || inet_pton(AF_INET, host, &address) == 1;
}

static enum blastmerge_status take_parts(struct bm_cloud_url *url, const struct bm_cloud_library *library,
                                         CURLU *parts, struct blastmerge_error *error) {
    char scheme[16];
    char port[16];
    if (has_part(library, parts, CURLUPART_USER) || has_part(library, parts, CURLUPART_PASSWORD) ||
        has_part(library, parts, CURLUPART_OPTIONS))
        return refuse(error, "has a name or a password in its URL, which is not supported");
    if (has_part(library, parts, CURLUPART_ZONEID))
        return refuse(error, "has a zone in its URL's address, which is not supported");
    if (!copy_part(library, parts, CURLUPART_SCHEME, 0, scheme, sizeof scheme) ||
        !copy_part(library, parts, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT, port, sizeof port) ||
        !copy_part(library, parts, CURLUPART_HOST, 0, url->host, sizeof url->host) || !normalise_host(url))
        return refuse(error, "has no valid host in its URL: a name of ASCII letters, digits, '-' and '.' was "
                             "expected, or an address");
    if (!copy_part(library, parts, CURLUPART_PATH, 0, url->path, sizeof url->path) ||
        !copy_part(library, parts, CURLUPART_QUERY, 0, url->query, sizeof url->query))
        return refuse(error, "its URL is too long");
    url->is_https = bm_cloud_is_same_word(scheme, strlen(scheme), "https");
    url->has_fragment = has_part(library, parts, CURLUPART_FRAGMENT);
    struct bm_cloud_text origin = bm_cloud_text_in(url->origin, sizeof url->origin);
    bm_cloud_text_format(&origin, "%s://%s%s%s", url->is_https ? "https" : "http", url->host,
                         port[0] == '\0' ? "" : ":", port);
    if (url->path[0] == '\0') bm_cloud_copy_text(url->path, sizeof url->path, "/");
    return origin.is_cut ? refuse(error, "its URL is too long") : BLASTMERGE_OK;
}

/* Two slashes, no more, and nothing that parsers disagree about. */
static bool is_well_formed(const char *string) {
    enum bm_cloud_scheme scheme = bm_cloud_location_scheme(string);
    if (scheme != BM_SCHEME_HTTP && scheme != BM_SCHEME_HTTPS) return false;
    for (const char *c = string; *c != '\0'; c++) {
        if (bm_cloud_is_control(*c)) return false;
    }
    return strpbrk(string, " \"<>\\^`{|}") == NULL && strstr(string, "://")[3] != '/';
}

enum blastmerge_status bm_cloud_url_parse(struct bm_cloud_url *url, const char *string,
                                          struct blastmerge_error *error) {
    memset(url, 0, sizeof *url);
    if (!is_well_formed(string)) return refuse(error, "is not a valid URL");
    const struct bm_cloud_library *library = bm_cloud_library(error);
    if (library == NULL) return error->status;
    CURLU *parts = library->url();
    if (parts == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    enum blastmerge_status status = BLASTMERGE_OK;
    if (library->url_set(parts, CURLUPART_URL, string, CURLU_PATH_AS_IS) != CURLUE_OK) {
        status = refuse(error, "is not a valid URL");
    } else {
        status = take_parts(url, library, parts, error);
    }
    library->url_cleanup(parts);
    return status;
}

/* --- what follows from them ---------------------------------------------------------------------- */

bool bm_cloud_url_is_loopback(const struct bm_cloud_url *url) {
    if (url->is_address) return strncmp(url->host, "127.", 4) == 0 || strcmp(url->host, "[::1]") == 0;
    return strcmp(url->host, "localhost") == 0;
}

bool bm_cloud_url_is_safe(const struct bm_cloud_url *url, enum bm_cloud_url_near near) {
    static const char *const aws[] = {"169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]",
                                      "[fd00:ec2::23]"};
    if (url->is_https || bm_cloud_url_is_loopback(url)) return true;
    if (near == BM_NEAR_AZURE) return url->is_address && strncmp(url->host, "169.254.", 8) == 0;
    for (size_t i = 0; near == BM_NEAR_AWS && i < sizeof aws / sizeof *aws; i++) {
        if (strcmp(url->host, aws[i]) == 0) return true;
    }
    return false;
}

enum blastmerge_status bm_cloud_url_parse_safe(struct bm_cloud_url *url, const char *string,
                                               enum bm_cloud_url_near near, const char *what,
                                               struct blastmerge_error *error) {
    enum blastmerge_status status = bm_cloud_url_parse(url, string, error);
    if (status != BLASTMERGE_OK) return bm_fail_anew(error, status, "%s %.500s", what, error->message);
    if (url->has_fragment) return bm_fail(error, BLASTMERGE_USAGE, "%s has a '#' in its URL", what);
    if (bm_cloud_url_is_safe(url, near)) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_DENIED,
                   "%s is an http:// URL of another machine (%.200s), where anyone can read credentials: use "
                   "https://",
                   what, url->origin);
}

/* The host's labels after the first one. */
bool bm_cloud_url_is_azure(const struct bm_cloud_url *url) {
    static const char *const suffixes[] = {"blob.core.windows.net", "blob.core.chinacloudapi.cn",
                                           "blob.core.usgovcloudapi.net", "blob.core.cloudapi.de"};
    static const char zones[] = "blob.storage.azure.net";
    size_t n_account = strspn(url->host, "abcdefghijklmnopqrstuvwxyz0123456789-");
    const char *rest = url->host + n_account;
    if (n_account == 0 || *rest++ != '.') return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcmp(rest, suffixes[i]) == 0) return true;
    }
    /* ACCOUNT.z07.blob.storage.azure.net */
    size_t n_zone = strspn(rest + (rest[0] == 'z'), "0123456789");
    return rest[0] == 'z' && n_zone > 0 && n_zone <= 3 && rest[1 + n_zone] == '.' &&
           strcmp(rest + 2 + n_zone, zones) == 0;
}

bool bm_cloud_url_is_below(const struct bm_cloud_url *url, const struct bm_cloud_url *above) {
    size_t n = strlen(above->path);
    while (n > 0 && above->path[n - 1] == '/') n--;
    return strcmp(url->origin, above->origin) == 0 && strncmp(url->path, above->path, n) == 0 &&
           url->path[n] == '/';
}

#endif
