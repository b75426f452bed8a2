/* SPDX-License-Identifier: MIT */
/*
 * A libcurl of our own in the place of the real one: transfers that are running or have ended, and a clock.
 * The including file says what servers answer, in two functions:
 *
 *     static void stub_go_on(struct transfer *transfer);  a step of one that runs; stub_end() ends it
 *     static void stub_waited(int timeout_ms);            after each wait, which takes no time
 */
#ifndef BM_TESTS_CURL_STUB_H
#define BM_TESTS_CURL_STUB_H

#include "cloud/clock.h"
#include "cloud/library.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STUB_TRANSFERS = 64, STUB_URL = 2048 };

typedef size_t stub_callback(char *data, size_t size, size_t n, void *context);

struct transfer {
    stub_callback *on_header;
    stub_callback *on_body;
    void *header_context;
    void *body_context;
    void *owner;
    CURLMsg done;
    char url[STUB_URL];
    const char *method;
    const char *sent; /* the request's body */
    size_t n_sent;
    const struct curl_slist *headers; /* the last comes first */
    bool has_no_body;                 /* of an answer: HEAD */
    bool is_paused;
    bool is_begun; /* for the including file, as is the rest */
    const char *body;
    size_t n_body;
    size_t place;
};

static struct transfer *stub_running[STUB_TRANSFERS];
static struct transfer *stub_ended[STUB_TRANSFERS];
static size_t stub_n_running;
static size_t stub_n_ended;

static void stub_go_on(struct transfer *transfer);
static void stub_waited(int timeout_ms);

/* A clock that goes on only while somebody waits. */
static int64_t stub_clock_ms;

int64_t bm_cloud_clock_ms(void) {
    return stub_clock_ms;
}

int64_t bm_cloud_clock_seconds(void) {
    return 1700000000 + stub_clock_ms / 1000;
}

static inline void stub_require(bool holds) {
    if (!holds) abort();
}

/* --- what the including file uses ---------------------------------------------------------------- */

static inline void stub_end(struct transfer *transfer, CURLcode code);

/* The value of a header that was sent, or NULL. The name ends in ": ". */
static inline const char *stub_header(const struct transfer *transfer, const char *name) {
    for (const struct curl_slist *item = transfer->headers; item != NULL; item = item->next) {
        if (strncmp(item->data, name, strlen(name)) == 0) return item->data + strlen(name);
    }
    return NULL;
}

/* Whether a range was asked for. Its end may lie before its beginning. */
static inline bool stub_range(const struct transfer *transfer, uint64_t *first, uint64_t *last) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    const char *range = stub_header(transfer, "Range: ");
    if (range == NULL) return false;
    stub_require(sscanf(range, "bytes=%llu-%llu", &from, &to) == 2); /* NOLINT(cert-err34-c): our own text */
    *first = from;
    *last = to;
    return true;
}

/* What follows the '?', or "". */
static inline const char *stub_query(const struct transfer *transfer) {
    const char *query = strchr(transfer->url, '?');
    return query == NULL ? "" : query + 1;
}

/* Hands out a line of the head; a copy, so that a look behind its end is found out. */
static inline void stub_say(struct transfer *transfer, const char *line, size_t n_line) {
    char *copy = malloc(n_line + (n_line == 0));
    stub_require(copy != NULL);
    memcpy(copy, line, n_line);
    stub_require(transfer->on_header(copy, 1, n_line, transfer->header_context) == n_line);
    free(copy);
}

/* Hands out bytes of the body, likewise. False: they were not taken, and it is paused or has ended. */
static inline bool stub_hand_out(struct transfer *transfer, const void *data, size_t n) {
    char *copy = malloc(n + (n == 0));
    stub_require(copy != NULL);
    memcpy(copy, data, n);
    size_t n_taken = transfer->on_body(copy, 1, n, transfer->body_context);
    free(copy);
    if (n_taken == n) return true;
    transfer->is_paused = n_taken == CURL_WRITEFUNC_PAUSE;
    if (!transfer->is_paused) stub_end(transfer, CURLE_WRITE_ERROR);
    return false;
}

/* --- the library --------------------------------------------------------------------------------- */

static inline CURL *stub_make_handle(void) {
    struct transfer *transfer = calloc(1, sizeof *transfer);
    stub_require(transfer != NULL);
    return transfer;
}

static inline void stub_free_handle(CURL *easy) {
    free(easy);
}

static inline void stub_reset_handle(CURL *easy) {
    memset(easy, 0, sizeof(struct transfer));
}

static inline CURLcode stub_set_option(CURL *easy, CURLoption option, ...) {
    struct transfer *transfer = easy;
    va_list arguments;
    va_start(arguments, option);
    switch ((int)option) {
    case CURLOPT_HEADERFUNCTION:
        transfer->on_header = va_arg(arguments, stub_callback *);
        break;
    case CURLOPT_WRITEFUNCTION:
        transfer->on_body = va_arg(arguments, stub_callback *);
        break;
    case CURLOPT_HEADERDATA:
        transfer->header_context = va_arg(arguments, void *);
        break;
    case CURLOPT_WRITEDATA:
        transfer->body_context = va_arg(arguments, void *);
        break;
    case CURLOPT_PRIVATE:
        transfer->owner = va_arg(arguments, void *);
        break;
    case CURLOPT_URL:
        strncpy(transfer->url, va_arg(arguments, const char *), sizeof transfer->url - 1);
        break;
    case CURLOPT_CUSTOMREQUEST:
        transfer->method = va_arg(arguments, const char *);
        break;
    case CURLOPT_HTTPHEADER:
        transfer->headers = va_arg(arguments, const struct curl_slist *);
        break;
    case CURLOPT_POSTFIELDS:
        transfer->sent = va_arg(arguments, const char *);
        break;
    case CURLOPT_POSTFIELDSIZE_LARGE:
        transfer->n_sent = (size_t)va_arg(arguments, curl_off_t);
        break;
    case CURLOPT_NOBODY:
        transfer->has_no_body = true;
        break;
    default:
        break;
    }
    va_end(arguments);
    return CURLE_OK;
}

/* URLs are taken apart by the real libcurl. */
static inline void stub_find(const char *name, void *function, size_t size) {
    static void *curl;
    if (curl == NULL) curl = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (curl == NULL) curl = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    stub_require(curl != NULL);
    void *address = dlsym(curl, name);
    stub_require(address != NULL);
    memcpy(function, &address, size);
}

static inline CURLU *stub_url(void) {
    CURLU *(*function)(void);
    stub_find("curl_url", &function, sizeof function);
    return function();
}

static inline void stub_url_cleanup(CURLU *url) {
    void (*function)(CURLU * url);
    stub_find("curl_url_cleanup", &function, sizeof function);
    function(url);
}

static inline CURLUcode stub_url_set(CURLU *url, CURLUPart part, const char *string, unsigned flags) {
    CURLUcode (*function)(CURLU * url, CURLUPart part, const char *string, unsigned flags);
    stub_find("curl_url_set", &function, sizeof function);
    return function(url, part, string, flags);
}

static inline CURLUcode stub_url_get(CURLU *url, CURLUPart part, char **string, unsigned flags) {
    CURLUcode (*function)(CURLU * url, CURLUPart part, char **string, unsigned flags);
    stub_find("curl_url_get", &function, sizeof function);
    return function(url, part, string, flags);
}

static inline void stub_free(void *string) {
    void (*function)(void *string);
    stub_find("curl_free", &function, sizeof function);
    function(string);
}

static inline CURLcode stub_get_information(CURL *easy, CURLINFO information, ...) {
    va_list arguments;
    stub_require((int)information == CURLINFO_PRIVATE);
    va_start(arguments, information);
    *va_arg(arguments, void **) = ((struct transfer *)easy)->owner;
    va_end(arguments);
    return CURLE_OK;
}

static inline CURLcode stub_unpause(CURL *easy, int bits) {
    (void)bits;
    ((struct transfer *)easy)->is_paused = false;
    return CURLE_OK;
}

static inline const char *stub_text_of(CURLcode code) {
    return code == CURLE_OK ? "no fault" : "a fault";
}

static inline CURLM *stub_make_multi(void) {
    return malloc(1);
}

static inline CURLMcode stub_free_multi(CURLM *multi) {
    stub_require(stub_n_running == 0);
    free(multi);
    return CURLM_OK;
}

static inline CURLMcode stub_set_multi_option(CURLM *multi, CURLMoption option, ...) {
    (void)multi;
    (void)option;
    return CURLM_OK;
}

static inline CURLMcode stub_add(CURLM *multi, CURL *easy) {
    (void)multi;
    stub_require(stub_n_running < STUB_TRANSFERS);
    stub_running[stub_n_running++] = easy;
    return CURLM_OK;
}

static inline size_t stub_without(struct transfer **transfers, size_t n, const void *transfer) {
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (transfers[i] != transfer) transfers[n_kept++] = transfers[i];
    }
    return n_kept;
}

static inline CURLMcode stub_drop(CURLM *multi, CURL *easy) {
    (void)multi;
    stub_n_running = stub_without(stub_running, stub_n_running, easy);
    stub_n_ended = stub_without(stub_ended, stub_n_ended, easy);
    return CURLM_OK;
}

static inline void stub_end(struct transfer *transfer, CURLcode code) {
    transfer->done = (CURLMsg){CURLMSG_DONE, transfer, {.result = code}};
    stub_n_running = stub_without(stub_running, stub_n_running, transfer);
    stub_ended[stub_n_ended++] = transfer;
}

static inline CURLMcode stub_perform(CURLM *multi, int *n_left) {
    (void)multi;
    for (size_t i = 0; i < stub_n_running;) {
        struct transfer *transfer = stub_running[i];
        if (!transfer->is_paused) stub_go_on(transfer);
        if (i < stub_n_running && stub_running[i] == transfer) i++;
    }
    *n_left = (int)stub_n_running;
    return CURLM_OK;
}

static inline CURLMcode stub_wait(CURLM *multi, struct curl_waitfd *extra, unsigned n_extra, int timeout_ms,
                                  int *n_ready) {
    (void)multi;
    (void)extra;
    (void)n_extra;
    *n_ready = 0;
    stub_clock_ms += timeout_ms;
    stub_waited(timeout_ms);
    return CURLM_OK;
}

static inline CURLMsg *stub_next_message(CURLM *multi, int *n_left) {
    (void)multi;
    *n_left = 0;
    return stub_n_ended == 0 ? NULL : &stub_ended[--stub_n_ended]->done;
}

/* The last item is the first of the list: nothing needs their order. */
static inline struct curl_slist *stub_append(struct curl_slist *list, const char *string) {
    struct curl_slist *item = malloc(sizeof *item);
    stub_require(item != NULL && strpbrk(string, "\r\n") == NULL);
    *item = (struct curl_slist){strdup(string), list};
    return item;
}

static inline void stub_free_list(struct curl_slist *list) {
    while (list != NULL) {
        struct curl_slist *next = list->next;
        free(list->data);
        free(list);
        list = next;
    }
}

const struct bm_cloud_library *bm_cloud_library(struct blastmerge_error *error) {
    static const struct bm_cloud_library library = {
        .easy_init = stub_make_handle,
        .easy_cleanup = stub_free_handle,
        .easy_reset = stub_reset_handle,
        .easy_setopt = stub_set_option,
        .easy_getinfo = stub_get_information,
        .easy_pause = stub_unpause,
        .easy_strerror = stub_text_of,
        .multi_init = stub_make_multi,
        .multi_cleanup = stub_free_multi,
        .multi_setopt = stub_set_multi_option,
        .multi_add_handle = stub_add,
        .multi_remove_handle = stub_drop,
        .multi_perform = stub_perform,
        .multi_poll = stub_wait,
        .multi_info_read = stub_next_message,
        .slist_append = stub_append,
        .slist_free_all = stub_free_list,
        .url = stub_url,
        .url_cleanup = stub_url_cleanup,
        .url_set = stub_url_set,
        .url_get = stub_url_get,
        .free = stub_free,
    };
    (void)error;
    return &library;
}

/* No digests: they tell bytes apart, and that will do. */
void bm_cloud_sha256(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_SHA256]) {
    memset(digest, (uint8_t)bm_crc32(0, data, n_bytes), BM_CLOUD_SHA256);
}

void bm_cloud_md5(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_MD5]) {
    memset(digest, (uint8_t)bm_crc32(0, data, n_bytes), BM_CLOUD_MD5);
}

void bm_cloud_hmac(const void *key, size_t n_key, const void *data, size_t n_bytes,
                   uint8_t code[BM_CLOUD_SHA256]) {
    (void)key;
    (void)n_key;
    bm_cloud_sha256(data, n_bytes, code);
}

#endif
