/* SPDX-License-Identifier: MIT */
/* What is known of a location by its looks alone; there without libcurl, too. */
#include "cloud/location.h"
#include "cloud/text.h"

#include <string.h>
#include <strings.h>

static const char *const schemes[] = {"http://", "https://", "az://", "s3://", "gs://"};

static bool begins_with(const char *string, const char *beginning) {
    return strncasecmp(string, beginning, strlen(beginning)) == 0;
}

bool bm_location_is_remote(const char *string) {
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (begins_with(string, schemes[i])) return true;
    }
    return false;
}

bool bm_location_has_wildcard(const char *string) {
    if (!bm_location_is_remote(string)) return false;
    size_t n = strcspn(string, "?");
    while (n > 0 && string[n - 1] != '/') {
        if (string[--n] == '*') return true;
    }
    return false;
}

const char *bm_location_host(const char *origin) {
    const char *slashes = strstr(origin, "://");
    return slashes == NULL ? origin : slashes + 3;
}

bool bm_location_is_loopback(const char *origin) {
    const char *host = bm_location_host(origin);
    size_t n_host = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    bool is_number = strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n_host;
    return is_number || bm_is_same_word(host, n_host, "localhost") || bm_is_same_word(host, n_host, "[::1]");
}

/* --- showing ------------------------------------------------------------------------------------- */

/* Whether a query's parameter looks like something that opens doors. */
static bool is_secret(const char *name, size_t n_name) {
    static const char *const parts[] = {"sig", "tok", "key", "secret", "pass", "cred", "auth", "code"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n_part = strlen(parts[i]);
        for (size_t at = 0; at + n_part <= n_name; at++) {
            if (strncasecmp(name + at, parts[i], n_part) == 0) return true;
        }
    }
    return false;
}

static void show_query(struct bm_text *text, const char *query) {
    while (*query != '\0') {
        size_t n_parameter = strcspn(query, "&");
        size_t n_name = strcspn(query, "=&");
        bm_text_add_bytes(text, query, n_name);
        if (n_name < n_parameter && is_secret(query, n_name)) {
            bm_text_add(text, "=...");
        } else {
            bm_text_add_bytes(text, query + n_name, n_parameter - n_name);
        }
        query += n_parameter;
        if (*query == '&') bm_text_add_bytes(text, query++, 1);
    }
}

/* A key from a list may hold anything; a message is one line, and does nothing to a terminal. */
static void hide_controls(char *shown) {
    for (; *shown != '\0'; shown++) {
        if (bm_is_control(*shown)) *shown = '?';
    }
}

void bm_location_show(const char *string, char *shown, size_t size) {
    struct bm_text text = bm_text_in(shown, size);
    bool is_url = begins_with(string, "http://") || begins_with(string, "https://");
    size_t n_path = is_url ? strcspn(string, "?") : strlen(string);
    const char *host = is_url ? bm_location_host(string) : string;
    size_t n_authority = strcspn(host, "/?");
    const char *at = is_url ? memrchr(host, '@', n_authority) : NULL;
    bm_text_add_bytes(&text, string, (size_t)(host - string));
    if (at != NULL) host = at + 1;
    bm_text_add_bytes(&text, host, (size_t)(string + n_path - host));
    if (string[n_path] == '?') {
        bm_text_add(&text, "?");
        show_query(&text, string + n_path + 1);
    }
    hide_controls(shown);
}
