/* SPDX-License-Identifier: MIT */
/*
 * What a libcurl of our own needs in the place of the real one: transfers that are on their way or have
 * ended, and a clock. What servers answer is up to whoever includes this: a struct that begins with a struct
 * transfer, and a `multi_perform` that ends transfers.
 */
#ifndef BM_TESTS_CURL_STUB_H
#define BM_TESTS_CURL_STUB_H

#include "cloud/clock.h"
#include "cloud/library.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

enum { STUB_TRANSFERS = 64 };

typedef size_t stub_callback(char *data, size_t size, size_t n, void *context);

struct transfer {
    stub_callback *on_header;
    stub_callback *on_body;
    void *header_context;
    void *body_context;
    void *owner;
    CURLMsg done;
};

static struct transfer *stub_running[STUB_TRANSFERS];
static struct transfer *stub_ended[STUB_TRANSFERS];
static size_t stub_n_running;
static size_t stub_n_ended;

/* A clock that goes on only while somebody waits: multi_poll adds to it. */
static int64_t stub_clock_ms;

int64_t bm_clock_ms(void) {
    return stub_clock_ms;
}

int64_t bm_clock_seconds(void) {
    return 1700000000 + stub_clock_ms / 1000;
}

static inline void stub_require(bool holds) {
    if (!holds) abort();
}

/* Takes the option if it is one that each transfer has, and its value then. */
static inline bool stub_take_option(struct transfer *transfer, CURLoption option, va_list arguments) {
    switch ((int)option) {
    case CURLOPT_HEADERFUNCTION:
        transfer->on_header = va_arg(arguments, stub_callback *);
        return true;
    case CURLOPT_WRITEFUNCTION:
        transfer->on_body = va_arg(arguments, stub_callback *);
        return true;
    case CURLOPT_HEADERDATA:
        transfer->header_context = va_arg(arguments, void *);
        return true;
    case CURLOPT_WRITEDATA:
        transfer->body_context = va_arg(arguments, void *);
        return true;
    case CURLOPT_PRIVATE:
        transfer->owner = va_arg(arguments, void *);
        return true;
    default:
        return false;
    }
}

static inline CURLcode stub_get_information(CURL *easy, CURLINFO information, ...) {
    va_list arguments;
    stub_require((int)information == CURLINFO_PRIVATE);
    va_start(arguments, information);
    *va_arg(arguments, void **) = ((struct transfer *)easy)->owner;
    va_end(arguments);
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

static inline CURLMsg *stub_next_message(CURLM *multi, int *n_left) {
    (void)multi;
    *n_left = 0;
    return stub_n_ended == 0 ? NULL : &stub_ended[--stub_n_ended]->done;
}

#endif
