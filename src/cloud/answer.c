/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/answer.h"
#include "cloud/ceilings.h"
#include "cloud/text.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_RETRY_AFTER_MS = 300000 };

void bm_cloud_answer_forget(struct bm_cloud_request *request) {
    request->http_status = 0;
    request->is_answer_good = false;
    request->etag[0] = request->modified[0] = request->code[0] = '\0';
    request->upload[0] = request->region[0] = '\0';
    request->has_length = request->has_range = request->has_total = false;
    request->retry_after_ms = request->date = -1;
    request->n_refusal = 0;
    request->n_of_try = 0;
    request->is_head_whole = request->is_enough = false;
    request->oddity = NULL;
    request->fault = BM_FAULT_NONE;
}

void bm_cloud_request_fault(struct bm_cloud_request *request, enum bm_cloud_fault fault, const char *format,
                            ...) {
    va_list arguments;
    if (request->fault != BM_FAULT_NONE) return;
    request->fault = fault;
    va_start(arguments, format);
    vsnprintf(request->fault_text, sizeof request->fault_text, format, arguments);
    va_end(arguments);
}

/* "bytes 0-99/1000", or with a star for what is not known. False if it is none of these, or if what it says
 * cannot be. */
static bool parse_content_range(struct bm_cloud_request *request, const char *value, size_t n_value) {
    request->has_range = request->has_total = false;
    if (n_value < 6 || strncasecmp(value, "bytes ", 6) != 0) return false;
    const char *span = value + 6;
    const char *end = value + n_value;
    const char *slash = memchr(span, '/', (size_t)(end - span));
    if (slash == NULL) return false;
    size_t n_span = (size_t)(slash - span);
    size_t n_total = (size_t)(end - slash) - 1;
    bool has_total = bm_cloud_parse_count(slash + 1, n_total, &request->total);
    if (!has_total && !bm_cloud_is_same_word(slash + 1, n_total, "*")) return false;
    request->has_total = has_total;
    if (bm_cloud_is_same_word(span, n_span, "*")) return has_total; /* that comes with a 416 */
    const char *dash = memchr(span, '-', n_span);
    if (dash == NULL) return false;
    request->has_range = bm_cloud_parse_count(span, (size_t)(dash - span), &request->range_first) &&
                         bm_cloud_parse_count(dash + 1, (size_t)(slash - dash) - 1, &request->range_last) &&
                         request->range_first <= request->range_last &&
                         (!has_total || request->range_last < request->total);
    return request->has_range;
}

/* A header that occurs twice must have the same value twice. */
static void parse_length(struct bm_cloud_request *request, const char *value, size_t n_value) {
    bool had_length = request->has_length;
    uint64_t before = request->length;
    request->has_length = bm_cloud_parse_count(value, n_value, &request->length);
    if (!request->has_length || (had_length && before != request->length))
        request->oddity = "an invalid Content-Length";
}

static void keep_once(struct bm_cloud_request *request, char *place, size_t size, const char *value,
                      size_t n_value, const char *oddity) {
    bool is_same = strlen(place) == n_value && memcmp(place, value, n_value) == 0;
    for (size_t i = 0; i < n_value; i++) {
        if (bm_cloud_is_control(value[i])) request->oddity = oddity; /* it would have to be sent back */
    }
    if ((place[0] != '\0' && !is_same) || !bm_cloud_copy_bytes(place, size, value, n_value))
        request->oddity = oddity;
}

static void take_retry_after(struct bm_cloud_request *request, const char *value) {
    uint64_t seconds = 0;
    if (!bm_cloud_parse_count(value, strlen(value), &seconds)) {
        int64_t when = bm_cloud_parse_time(value);
        int64_t now = bm_cloud_now(request->cloud);
        if (when < 0) return;
        seconds = when > now ? (uint64_t)(when - now) : 0;
    }
    request->retry_after_ms =
        seconds > MAX_RETRY_AFTER_MS / 1000 ? MAX_RETRY_AFTER_MS : (int64_t)seconds * 1000;
}

/* Whether a provider's uploads leave their mark in this header. */
static bool is_metadata(const char *name, size_t n_name) {
    for (size_t i = BM_PROVIDER_HTTP + 1; i < BM_PROVIDER_N; i++)
        if (bm_cloud_is_same_word(name, n_name, bm_cloud_providers[i].metadata)) return true;
    return false;
}

static void take_header(struct bm_cloud_request *request, const char *name, size_t n_name, const char *value,
                        size_t n_value) {
    char copy[64];
    bm_cloud_copy_bytes(copy, sizeof copy, value, n_value);
    if (bm_cloud_is_same_word(name, n_name, "ETag")) {
        keep_once(request, request->etag, sizeof request->etag, value, n_value,
                  "an ETag that is too long, has control characters, or occurs twice");
    } else if (bm_cloud_is_same_word(name, n_name, "Last-Modified")) {
        keep_once(request, request->modified, sizeof request->modified, value, n_value,
                  "a Last-Modified that is too long, has control characters, or occurs twice");
    } else if (bm_cloud_is_same_word(name, n_name, "Content-Length")) {
        parse_length(request, value, n_value);
    } else if (bm_cloud_is_same_word(name, n_name, "Content-Range")) {
        if (request->has_range || !parse_content_range(request, value, n_value))
            request->oddity = "an invalid Content-Range";
    } else if (bm_cloud_is_same_word(name, n_name, "Retry-After")) {
        take_retry_after(request, copy);
    } else if (bm_cloud_is_same_word(name, n_name, "Date")) {
        request->date = bm_cloud_parse_time(copy);
    } else if (bm_cloud_is_same_word(name, n_name, "x-ms-error-code")) {
        bm_cloud_copy_text(request->code, sizeof request->code, copy);
    } else if (bm_cloud_is_same_word(name, n_name, "x-amz-bucket-region")) {
        bm_cloud_copy_text(request->region, sizeof request->region, copy);
    } else if (is_metadata(name, n_name)) {
        bm_cloud_copy_text(request->upload, sizeof request->upload, copy);
    }
}

/* Whether the answer's own headers have ended, so that what comes is trailers, which say nothing. Behind "100
 * Continue" and a redirection there is another answer. */
static bool is_settled(const struct bm_cloud_request *request) {
    bool is_redirected = request->follows && request->http_status >= 300 && request->http_status < 400;
    return request->is_head_whole && request->http_status >= 200 && !is_redirected;
}

size_t bm_cloud_answer_header(char *data, size_t size, size_t n, void *context) {
    struct bm_cloud_request *request = context;
    size_t n_line = size * n;
    request->n_of_headers += n_line;
    if (request->n_of_headers > BM_CEILING_HEADERS) {
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent more than %d KiB of headers",
                               BM_CEILING_HEADERS >> 10);
        return 0;
    }
    if (is_settled(request)) return n_line;
    if (n_line > 0 && (data[0] == '\r' || data[0] == '\n')) {
        request->is_head_whole = true;
        return n_line;
    }
    if (n_line >= 5 && strncmp(data, "HTTP/", 5) == 0) {
        bm_cloud_answer_forget(request); /* of a redirection, or "100 Continue" */
        const char *blank = memchr(data, ' ', n_line);
        uint64_t status = 0; /* three digits: the line does not end in NUL */
        if (blank != NULL && data + n_line - blank > 3 && bm_cloud_parse_count(blank + 1, 3, &status))
            request->http_status = (long)status;
        return n_line;
    }
    const char *colon = memchr(data, ':', n_line);
    if (colon == NULL) return n_line;
    const char *value = colon + 1;
    const char *end = data + n_line;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (unsigned char)end[-1] <= ' ') end--;
    take_header(request, data, (size_t)(colon - data), value, (size_t)(end - value));
    return n_line;
}

/* Whether a status of success is one that fits the request. */
static bool fits(const struct bm_cloud_request *request) {
    long status = request->http_status;
    if (request->expected_http != 0) return status == request->expected_http;
    if (request->is_ranged) return status == 206 || (status == 200 && request->can_be_whole);
    if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) return status == 200;
    return strcmp(request->method, "DELETE") == 0 || status == 200 || status == 201;
}

static void check_status(struct bm_cloud_request *request) {
    if (request->is_ranged && request->http_status == 200 && (!request->can_be_whole || request->n_kept > 0))
        bm_cloud_request_fault(request, request->is_whole_final ? BM_FAULT_FINAL : BM_FAULT_PASSING,
                               "sent the whole object instead of the requested range: copy it here, or to a "
                               "server that supports ranges");
    else if (!fits(request))
        bm_cloud_request_fault(request, request->expected_http != 0 ? BM_FAULT_PASSING : BM_FAULT_FINAL,
                               "answered HTTP %ld, a success that does not fit the request",
                               request->http_status);
}

static void check_tag(struct bm_cloud_request *request) {
    if (request->tag != NULL && strcmp(request->etag, request->tag) != 0)
        bm_cloud_request_fault(request, BM_FAULT_CHANGED, "its ETag is %s",
                               request->etag[0] == '\0' ? "gone" : "another one");
    else if (request->needs_tag && request->etag[0] == '\0')
        bm_cloud_request_fault(request, BM_FAULT_PASSING, "answered without an ETag");
}

/* That the bytes which are said to come are those that were asked for, or the first of them. */
static void check_range(struct bm_cloud_request *request) {
    uint64_t first = request->first + request->n_kept;
    if (!request->has_range || request->range_first != first)
        bm_cloud_request_fault(request, BM_FAULT_PASSING, "sent another range than the requested one");
    else if (request->range_last > request->last)
        bm_cloud_request_fault(request, BM_FAULT_FINAL,
                               "sent bytes %" PRIu64 " to %" PRIu64 " instead of %" PRIu64 " to %" PRIu64
                               ": it ignores the end of a range",
                               request->range_first, request->range_last, first, request->last);
    else if (request->has_length && request->length > request->range_last - first + 1)
        bm_cloud_request_fault(request, BM_FAULT_FINAL,
                               "sent %" PRIu64 " bytes for a range of %" PRIu64 ": more than requested",
                               request->length, request->range_last - first + 1);
}

bool bm_cloud_answer_check(struct bm_cloud_request *request) {
    check_status(request);
    check_tag(request);
    if (request->oddity != NULL)
        bm_cloud_request_fault(request, BM_FAULT_PASSING, "sent %s", request->oddity);
    if (request->is_ranged && request->http_status == 206) check_range(request);
    /* A whole one again: what is there already is passed over. */
    if (!request->is_ranged) request->n_skip = request->n_kept;
    if (request->fault == BM_FAULT_NONE && request->look != NULL) request->look(request);
    return request->is_answer_good = request->fault == BM_FAULT_NONE;
}

static enum bm_cloud_keep keep_answer(struct bm_cloud_request *request, const uint8_t *data, size_t n_bytes) {
    if (request->answer == NULL && request->n_kept <= BM_CEILING_BODY)
        return BM_KEPT; /* it is of no interest */
    if (request->answer == NULL || request->n_answer >= request->answer_size ||
        n_bytes >= request->answer_size - request->n_answer) {
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent an answer that is too long");
        return BM_KEEP_NEVER;
    }
    memcpy(request->answer + request->n_answer, data, n_bytes);
    request->n_answer += n_bytes;
    request->answer[request->n_answer] = '\0';
    return BM_KEPT;
}

/* Whether n more bytes are within the range that was requested, and within the one that the server said it sends, which
 * ends where the object does. */
static bool is_within_range(const struct bm_cloud_request *request, size_t n_bytes) {
    uint64_t last =
        request->has_range && request->range_last < request->last ? request->range_last : request->last;
    uint64_t n_asked = last - request->first + 1; /* of which some may have come in a try before */
    return !request->is_ranged || request->http_status != 206 ||
           (request->n_kept <= n_asked && n_bytes <= n_asked - request->n_kept);
}

/* Bytes of a good answer that are new. */
static enum bm_cloud_keep keep_bytes(struct bm_cloud_request *request, const uint8_t *data, size_t n_bytes) {
    if (!is_within_range(request, n_bytes)) {
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent more bytes than the requested range has");
        return BM_KEEP_NEVER;
    }
    return request->keep != NULL ? request->keep(request, data, n_bytes)
                                 : keep_answer(request, data, n_bytes);
}

static void take_refusal(struct bm_cloud_request *request, const char *data, size_t n) {
    size_t n_room = sizeof request->refusal - 1 - request->n_refusal;
    if (n > n_room) n = n_room;
    memcpy(request->refusal + request->n_refusal, data, n);
    request->n_refusal += n;
    request->refusal[request->n_refusal] = '\0';
}

/* How many of n_bytes were kept in an earlier try. */
static size_t n_known(const struct bm_cloud_request *request, size_t n_bytes) {
    if (request->n_of_try >= request->n_skip) return 0;
    uint64_t n_left = request->n_skip - request->n_of_try;
    return n_left < n_bytes ? (size_t)n_left : n_bytes;
}

size_t bm_cloud_answer_body(char *data, size_t size, size_t n, void *context) {
    struct bm_cloud_request *request = context;
    size_t n_bytes = size * n;
    bm_cloud_tell(request->cloud);
    if (request->http_status < 200 || request->http_status >= 300) {
        take_refusal(request, data, n_bytes);
        request->n_of_try += n_bytes;
        request->is_enough = request->n_of_try > BM_CEILING_BODY;
        return request->is_enough ? 0 : n_bytes;
    }
    if (request->fault != BM_FAULT_NONE) return 0;
    if (!request->is_answer_good && !bm_cloud_answer_check(request)) return 0;
    size_t n_old = n_known(request, n_bytes);
    if (n_old < n_bytes) {
        enum bm_cloud_keep kept = keep_bytes(request, (const uint8_t *)data + n_old, n_bytes - n_old);
        request->is_paused = kept == BM_KEEP_LATER;
        if (kept == BM_KEEP_LATER) return CURL_WRITEFUNC_PAUSE;
        if (kept != BM_KEPT) return 0;
        request->n_kept += n_bytes - n_old;
    }
    request->n_of_try += n_bytes;
    return n_bytes;
}

#endif
