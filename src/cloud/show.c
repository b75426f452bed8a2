/* SPDX-License-Identifier: MIT */
/* What can be determined from a location's text alone; also available without libcurl. */
#include "cloud/location.h"
#include "cloud/text.h"

#include <string.h>
#include <strings.h>

enum bm_cloud_scheme bm_cloud_location_scheme(const char *string) {
    static const struct {
        const char *beginning;
        enum bm_cloud_scheme scheme;
    } schemes[] = {{"http://", BM_SCHEME_HTTP}, {"https://", BM_SCHEME_HTTPS}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const char *beginning = schemes[i].beginning;
        if (strncasecmp(string, beginning, strlen(beginning)) == 0) return schemes[i].scheme;
    }
    return bm_cloud_provider_find(string) != BM_PROVIDER_HTTP ? BM_SCHEME_STORE : BM_SCHEME_NONE;
}

bool bm_cloud_location_is_remote(const char *string) {
    return bm_cloud_location_scheme(string) != BM_SCHEME_NONE;
}

/* The scheme that a string begins with, without its ':'; 0 bytes: it begins with none (RFC 3986, 3.1). */
static size_t count_scheme(const char *string) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t n = strspn(string, letters) == 0 ? 0 : strspn(string, others);
    return string[n] == ':' ? n : 0;
}

static bool is_known_scheme(const char *string, size_t n) {
    static const char *const known[] = {"http", "https", "ftp", "ftps", "sftp", "file"};
    for (size_t i = BM_PROVIDER_HTTP + 1; i < BM_PROVIDER_N; i++) {
        const char *prefix = bm_cloud_providers[i].prefix;
        if (strcspn(prefix, ":") == n && strncasecmp(string, prefix, n) == 0) return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i]) == n && strncasecmp(string, known[i], n) == 0) return true;
    }
    return false;
}

bool bm_cloud_location_is_strange(const char *string) {
    const char *start = string + strspn(string, " \t\r\n\v\f");
    size_t n = count_scheme(start);
    if (n == 0 || start[n + 1] != '/') return false;
    if (start[n + 2] != '/') return is_known_scheme(start, n);
    return start != string || bm_cloud_location_scheme(start) == BM_SCHEME_NONE;
}

enum blastmerge_status bm_cloud_location_refuse_strange(const char *string, struct blastmerge_error *error) {
    char shown[BM_LOCATION_SHOWN], prefixes[BM_PROVIDER_PREFIXES];
    if (!bm_cloud_location_is_strange(string)) return BLASTMERGE_OK;
    bm_cloud_location_show(string, shown + 1, sizeof shown - 2);
    shown[0] = '\'';
    memcpy(shown + strlen(shown), "'", 2);
    return bm_fail(error, BLASTMERGE_USAGE,
                   "%.600s is not a location: locations begin with http://, https://, %s "
                   "(write ./ before a path of such a name)",
                   shown, bm_cloud_provider_prefixes("or", prefixes));
}

bool bm_cloud_location_has_wildcard(const char *string) {
    if (!bm_cloud_location_is_remote(string)) return false;
    size_t n = strcspn(string, "?#");
    while (n > 0 && string[n - 1] != '/') {
        if (string[--n] == '*') return true;
    }
    return false;
}

const char *bm_cloud_location_host(const char *origin) {
    const char *slashes = strstr(origin, "://");
    return slashes == NULL ? origin : slashes + 3;
}

/* --- folders ------------------------------------------------------------------------------------- */

/* Whether n bytes can be the name of a bucket, a container or an account. */
static bool is_name(const char *name, size_t n) {
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_$";
    return n > 0 && n < BM_LOCATION_NAME && strspn(name, legal) >= n && strspn(name, ".") < n;
}

bool bm_cloud_location_is_folder(const char *string) {
    enum bm_cloud_provider provider = bm_cloud_provider_find(string);
    const char *rest = bm_cloud_location_host(string);
    if (provider == BM_PROVIDER_HTTP) return false;
    if (strpbrk(rest, "*?#%\\") != NULL) return false;
    for (const char *c = rest; *c != '\0'; c++) {
        if (bm_cloud_is_control(*c)) return false;
    }
    for (unsigned n_names = bm_cloud_provider_of(provider)->n_names; n_names > 0; n_names--) {
        size_t n = strcspn(rest, "/");
        if (!is_name(rest, n)) return false;
        rest += n + (rest[n] == '/');
    }
    while (*rest != '\0') { /* folders, each with a name */
        size_t n = strcspn(rest, "/");
        if (n == 0 || (n <= 2 && strspn(rest, ".") >= n)) return false;
        rest += n + (rest[n] == '/');
    }
    return true;
}

/* --- showing ------------------------------------------------------------------------------------- */

/* How much of the authority is a host with perhaps a port, or a bucket's name; 0: it is something else, such
 * as a key and the first half of a secret. Brackets: an IPv6 address. */
static size_t count_host(const char *authority, size_t n, bool is_url) {
    size_t n_host = 0;
    if (is_url && authority[0] == '[') {
        n_host = strspn(authority, "[0123456789abcdefABCDEF:.");
        if (n_host >= n || authority[n_host++] != ']') return 0;
    } else {
        while (n_host < n && strchr(":@\\\"<>", authority[n_host]) == NULL) n_host++;
    }
    if (is_url && n_host < n && authority[n_host] == ':')
        n_host += 1 + strspn(authority + n_host + 1, "0123456789");
    return n_host == n ? n : 0;
}

/* A key from a list may hold anything; a name is one line. */
static void hide_controls(char *shown) {
    for (; *shown != '\0'; shown++) {
        if (bm_cloud_is_control(*shown)) *shown = '?';
    }
}

/* What is too long ends in "…", and is cut before a character. */
static void add_path(struct bm_cloud_text *text, const char *path, size_t n) {
    enum { MOST_BEHIND = sizeof "…?…" };
    size_t n_room = text->size - text->n;
    bool is_cut = n + MOST_BEHIND > n_room;
    if (is_cut) n = n_room > MOST_BEHIND ? n_room - MOST_BEHIND : 0;
    while (is_cut && n > 0 && ((unsigned char)path[n] & 0xc0) == 0x80) n--;
    bm_cloud_text_add_bytes(text, path, n);
    if (is_cut) bm_cloud_text_add(text, "…");
}

/* Behind one slash where there are no two. */
static const char *find_host(const char *string) {
    const char *host = bm_cloud_location_host(string);
    const char *slash = strstr(string, ":/");
    return host == string && slash != NULL ? slash + 2 : host;
}

void bm_cloud_location_show(const char *string, char *shown, size_t size) {
    struct bm_cloud_text text = bm_cloud_text_in(shown, size);
    enum bm_cloud_scheme scheme = bm_cloud_location_scheme(string);
    bool is_url = scheme == BM_SCHEME_HTTP || scheme == BM_SCHEME_HTTPS;
    const char *host = find_host(string);
    size_t n_authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', n_authority);
    bm_cloud_text_add_bytes(&text, string, (size_t)(host - string));
    if (at != NULL) {
        n_authority -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    size_t n_host = count_host(host, n_authority, is_url);
    size_t n_path = n_host == n_authority ? strcspn(host + n_host, "?#") : 0;
    /* Without a host it is no location, and what looks like a path may be a user and a password. */
    if (n_host < n_authority || n_authority == 0) {
        bm_cloud_text_add(&text, "…");
    } else {
        add_path(&text, host, n_host + n_path);
        if (host[n_host + n_path] != '\0') bm_cloud_text_add(&text, "?…");
    }
    hide_controls(shown);
}
