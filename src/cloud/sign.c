/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/library.h"
#include "cloud/sign.h"
#include "cloud/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MAX_ITEMS = 48, CANONICAL = 24576 };

/* A header or a query's parameter, in place. */
struct item {
    const char *name;
    size_t n_name;
    const char *value;
    size_t n_value;
};

struct items {
    struct item items[MAX_ITEMS];
    size_t n;
    bool is_cut;
};

static void add_item(struct items *items, struct item item) {
    if (items->n == MAX_ITEMS) {
        items->is_cut = true;
    } else {
        items->items[items->n++] = item;
    }
}

/* By name, and that alone: "x-ms-range" comes before "x-ms-range-get", though ':' is above '-'. */
static int compare_items(const void *a, const void *b) {
    const struct item *one = a;
    const struct item *other = b;
    size_t n = one->n_name < other->n_name ? one->n_name : other->n_name;
    int order = strncasecmp(one->name, other->name, n);
    if (order != 0) return order;
    return one->n_name < other->n_name ? -1 : one->n_name > other->n_name;
}

static void sort(struct items *items) {
    qsort(items->items, items->n, sizeof *items->items, compare_items);
}

static void split_headers(struct items *items, const char *headers) {
    for (const char *line = headers; *line != '\0';) {
        size_t n_line = strcspn(line, "\n");
        size_t n_name = strcspn(line, ":");
        if (n_name + 2 <= n_line) {
            add_item(items, (struct item){line, n_name, line + n_name + 2, n_line - n_name - 2});
        }
        line += n_line + (line[n_line] == '\n');
    }
}

static void split_query(struct items *items, const char *query) {
    for (; *query != '\0'; query += *query == '&') {
        size_t n = strcspn(query, "&");
        size_t n_name = strcspn(query, "=&");
        bool has_value = n_name < n;
        add_item(items,
                 (struct item){query, n_name, query + n_name + has_value, n - n_name - (has_value ? 1 : 0)});
        query += n;
    }
}

static void add_lower(struct bm_cloud_text *text, const char *name, size_t n_name) {
    for (size_t i = 0; i < n_name; i++) {
        char c = bm_cloud_lower(name[i]);
        bm_cloud_text_add_bytes(text, &c, 1);
    }
}

/* --- SigV4, of AWS and of Google ----------------------------------------------------------------- */

/* method, path, query, headers, their names, payload: one below the other. */
static bool make_canonical(const struct bm_cloud_sign *sign, const char *headers, const char *payload,
                           struct bm_cloud_text *canonical, struct bm_cloud_text *names) {
    struct items parameters = {.n = 0};
    struct items lines = {.n = 0};
    split_query(&parameters, sign->query);
    split_headers(&lines, headers);
    add_item(&lines, (struct item){"host", 4, bm_cloud_location_host(sign->location->origin),
                                   strlen(bm_cloud_location_host(sign->location->origin))});
    sort(&parameters);
    sort(&lines);
    bm_cloud_text_format(canonical, "%s\n%s\n", sign->method, sign->path);
    for (size_t i = 0; i < parameters.n; i++) {
        const struct item *item = &parameters.items[i];
        bm_cloud_text_format(canonical, "%s%.*s=%.*s", i == 0 ? "" : "&", (int)item->n_name, item->name,
                             (int)item->n_value, item->value);
    }
    bm_cloud_text_add(canonical, "\n");
    for (size_t i = 0; i < lines.n; i++) {
        const struct item *item = &lines.items[i];
        add_lower(canonical, item->name, item->n_name);
        bm_cloud_text_format(canonical, ":%.*s\n", (int)item->n_value, item->value);
        bm_cloud_text_add(names, i == 0 ? "" : ";");
        add_lower(names, item->name, item->n_name);
    }
    bm_cloud_text_format(canonical, "\n%s\n%s", names->data, payload);
    return !canonical->is_cut && !names->is_cut && !parameters.is_cut && !lines.is_cut;
}

static void derive_key(const struct bm_cloud_provider_row *provider, const struct bm_cloud_sign *sign,
                       const char *day, const char *region, uint8_t key[BM_CLOUD_SHA256]) {
    char first[BM_CREDENTIAL_SECRET + 8];
    uint8_t step[BM_CLOUD_SHA256];
    struct bm_cloud_text text = bm_cloud_text_in(first, sizeof first);
    bm_cloud_text_format(&text, "%s%s", provider->v4.key_prefix, sign->credential->secret);
    bm_cloud_hmac(first, text.n, day, strlen(day), step);
    bm_cloud_hmac(step, sizeof step, region, strlen(region), key);
    bm_cloud_hmac(key, BM_CLOUD_SHA256, provider->v4.service, strlen(provider->v4.service), step);
    bm_cloud_hmac(step, sizeof step, provider->v4.request, strlen(provider->v4.request), key);
    explicit_bzero(first, sizeof first);
    explicit_bzero(step, sizeof step);
}

static void format_time(int64_t seconds, const char *format, char *string, size_t size) {
    time_t now = (time_t)seconds;
    struct tm fields;
    if (gmtime_r(&now, &fields) == NULL || strftime(string, size, format, &fields) == 0) string[0] = '\0';
}

static void hash_payload(const struct bm_cloud_sign *sign, char *payload, size_t size) {
    uint8_t digest[BM_CLOUD_SHA256];
    struct bm_cloud_text text = bm_cloud_text_in(payload, size);
    if (sign->body_sha256 != NULL) {
        memcpy(digest, sign->body_sha256, sizeof digest);
    } else {
        bm_cloud_sha256(sign->n_body == 0 ? (const uint8_t *)"" : sign->body, sign->n_body, digest);
    }
    bm_cloud_text_hex(&text, digest, sizeof digest);
}

static bool sign_v4(const struct bm_cloud_provider_row *provider, const struct bm_cloud_sign *sign,
                    struct bm_cloud_text *headers) {
    char payload[2 * BM_CLOUD_SHA256 + 1];
    char now[32];
    char names_data[1024];
    char scope_data[512];
    uint8_t digest[BM_CLOUD_SHA256];
    uint8_t key[BM_CLOUD_SHA256];
    char canonical_data[CANONICAL];
    struct bm_cloud_text canonical = bm_cloud_text_in(canonical_data, sizeof canonical_data);
    struct bm_cloud_text names = bm_cloud_text_in(names_data, sizeof names_data);
    struct bm_cloud_text scope = bm_cloud_text_in(scope_data, sizeof scope_data);
    const char *region = provider->v4.region != NULL ? provider->v4.region : sign->location->region;
    hash_payload(sign, payload, sizeof payload);
    format_time(sign->now, "%Y%m%dT%H%M%SZ", now, sizeof now);
    bm_cloud_text_format(headers, "%scontent-sha256: %s\n%sdate: %s\n", provider->v4.prefix, payload,
                         provider->v4.prefix, now);
    if (sign->credential->token[0] != '\0')
        bm_cloud_text_header(headers, provider->v4.token_header, "", sign->credential->token);
    if (headers->is_cut || !make_canonical(sign, headers->data, payload, &canonical, &names)) return false;
    bm_cloud_text_format(&scope, "%.8s/%s/%s/%s", now, region, provider->v4.service, provider->v4.request);
    bm_cloud_sha256(canonical.data, canonical.n, digest);
    canonical = bm_cloud_text_in(canonical_data, sizeof canonical_data);
    bm_cloud_text_format(&canonical, "%s\n%s\n%s\n", provider->v4.algorithm, now, scope.data);
    bm_cloud_text_hex(&canonical, digest, sizeof digest);
    char day[9];
    bm_cloud_copy_bytes(day, sizeof day, now, 8);
    derive_key(provider, sign, day, region, key);
    bm_cloud_hmac(key, sizeof key, canonical.data, canonical.n, digest);
    explicit_bzero(key, sizeof key);
    char signature_data[2048];
    struct bm_cloud_text signature = bm_cloud_text_in(signature_data, sizeof signature_data);
    bm_cloud_text_format(&signature,
                         "%s Credential=%s/%s,SignedHeaders=%s,Signature=", provider->v4.algorithm,
                         sign->credential->id, scope.data, names.data);
    bm_cloud_text_hex(&signature, digest, sizeof digest);
    bm_cloud_text_header(headers, "Authorization", "", signature.data);
    return !headers->is_cut && !scope.is_cut && !signature.is_cut;
}

/* --- Azure's Shared Key -------------------------------------------------------------------------- */

/* The headers that have a line of their own, in their order; "" stands for the length, and Date, which is
 * signed as x-ms-date, is empty. */
static void add_standard_headers(const struct bm_cloud_sign *sign, const char *headers,
                                 struct bm_cloud_text *text) {
    static const char *const names[] = {"Content-Encoding",
                                        "Content-Language",
                                        "",
                                        "Content-MD5",
                                        "Content-Type",
                                        "Date",
                                        "If-Modified-Since",
                                        "If-Match",
                                        "If-None-Match",
                                        "If-Unmodified-Since",
                                        "Range"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n_value = 0;
        const char *value = names[i][0] == '\0' ? NULL : bm_cloud_find_header(headers, names[i], &n_value);
        if (value != NULL) bm_cloud_text_add_bytes(text, value, n_value);
        if (names[i][0] == '\0' && sign->n_body > 0) bm_cloud_text_format(text, "%zu", sign->n_body);
        bm_cloud_text_add(text, "\n");
    }
}

static bool add_azure_headers(const char *headers, struct bm_cloud_text *text) {
    struct items all = {.n = 0};
    split_headers(&all, headers);
    sort(&all);
    for (size_t i = 0; i < all.n; i++) {
        const struct item *item = &all.items[i];
        if (item->n_name < 5 || strncasecmp(item->name, "x-ms-", 5) != 0) continue;
        add_lower(text, item->name, item->n_name);
        bm_cloud_text_format(text, ":%.*s\n", (int)item->n_value, item->value);
    }
    return !all.is_cut;
}

/* "/account/path", and a line for each parameter, decoded. With an emulator the path begins with the account,
 * so that it is there twice. */
static bool add_azure_resource(const struct bm_cloud_sign *sign, struct bm_cloud_text *text) {
    struct items parameters = {.n = 0};
    split_query(&parameters, sign->query);
    sort(&parameters);
    bm_cloud_text_format(text, "/%s%s", sign->location->account, sign->path);
    for (size_t i = 0; i < parameters.n; i++) {
        const struct item *item = &parameters.items[i];
        bm_cloud_text_add(text, "\n");
        add_lower(text, item->name, item->n_name);
        bm_cloud_text_add(text, ":");
        bm_cloud_text_decode(text, item->value, item->n_value);
    }
    return !parameters.is_cut;
}

static bool sign_azure(const struct bm_cloud_sign *sign, struct bm_cloud_text *headers) {
    char string_data[CANONICAL];
    uint8_t code[BM_CLOUD_SHA256];
    struct bm_cloud_text string = bm_cloud_text_in(string_data, sizeof string_data);
    bm_cloud_text_format(&string, "%s\n", sign->method);
    add_standard_headers(sign, headers->data, &string);
    if (!add_azure_headers(headers->data, &string) || !add_azure_resource(sign, &string) || string.is_cut)
        return false;
    bm_cloud_hmac(sign->credential->secret, sign->credential->n_secret, string.data, string.n, code);
    char value_data[BM_LOCATION_NAME + 64];
    struct bm_cloud_text value = bm_cloud_text_in(value_data, sizeof value_data);
    bm_cloud_text_format(&value, "%s:", sign->location->account);
    bm_cloud_text_base64(&value, code, sizeof code);
    bm_cloud_text_header(headers, "Authorization", "SharedKey ", value.data);
    return !headers->is_cut && !value.is_cut;
}

/* --- whichever it is ----------------------------------------------------------------------------- */

bool bm_cloud_sign(const struct bm_cloud_sign *sign, char headers[BM_SIGN_HEADERS]) {
    struct bm_cloud_text text = bm_cloud_text_in(headers, BM_SIGN_HEADERS);
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(sign->location->provider);
    bm_cloud_text_add(&text, sign->headers);
    if (provider->date_version != NULL) {
        char now[40];
        static const char days[] = "SunMonTueWedThuFriSat";
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t seconds = (time_t)sign->now;
        struct tm fields = {0};
        gmtime_r(&seconds, &fields); /* by hand, as strftime() speaks the caller's language */
        format_time(sign->now, "%Y %H:%M:%S", now, sizeof now);
        bm_cloud_text_format(&text, "x-ms-date: %.3s, %02d %.3s %s GMT\nx-ms-version: %s\n",
                             days + 3 * (size_t)fields.tm_wday, fields.tm_mday,
                             months + 3 * (size_t)fields.tm_mon, now, provider->date_version);
    }
    switch (sign->credential->kind) {
    case BM_CREDENTIAL_AZURE_KEY:
        return sign_azure(sign, &text);
    case BM_CREDENTIAL_AWS:
        return sign_v4(provider, sign, &text);
    case BM_CREDENTIAL_BEARER:
        bm_cloud_text_header(&text, "Authorization", "Bearer ", sign->credential->secret);
        break;
    case BM_CREDENTIAL_SAS:
    case BM_CREDENTIAL_NONE:
        break;
    }
    return !text.is_cut;
}

#endif
