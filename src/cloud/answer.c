/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/answer.h"
#include "cloud/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_RETRY_AFTER_MS = 300000 };

void bm_answer_forget(struct bm_request *request) {
    request->http_status = 0;
    request->is_answer_good = false;
    request->etag[0] = request->modified[0] = request->code[0] = '\0';
    request->upload[0] = request->region[0] = '\0';
    request->has_length = request->has_range = request->has_total = false;
    request->retry_after_ms = request->date = -1;
    request->n_refusal = 0;
    request->n_of_try = 0;
    request->fault[0] = '\0';
}

/* "bytes 0-99/1000", or with a star for what is not known. */
static void take_content_range(struct bm_request *request, const char *value, size_t n_value) {
    uint64_t last = 0;
    if (n_value < 6 || strncasecmp(value, "bytes ", 6) != 0) return;
    const char *slash = memchr(value, '/', n_value);
    const char *dash = memchr(value, '-', n_value);
    if (slash == NULL) return;
    size_t n_total = n_value - (size_t)(slash + 1 - value);
    request->has_total = bm_parse_count(slash + 1, n_total, &request->total);
    if (dash == NULL || dash > slash) return;
    request->has_range = bm_parse_count(value + 6, (size_t)(dash - value) - 6, &request->range_first) &&
                         bm_parse_count(dash + 1, (size_t)(slash - dash) - 1, &last) &&
                         last >= request->range_first;
}

static void take_retry_after(struct bm_request *request, const char *value) {
    uint64_t seconds = 0;
    if (!bm_parse_count(value, strlen(value), &seconds)) {
        int64_t when = bm_parse_time(value);
        int64_t now = bm_cloud_now(request->cloud);
        if (when < 0) return;
        seconds = when > now ? (uint64_t)(when - now) : 0;
    }
    request->retry_after_ms =
        seconds > MAX_RETRY_AFTER_MS / 1000 ? MAX_RETRY_AFTER_MS : (int64_t)seconds * 1000;
}

static void take_header(struct bm_request *request, const char *name, size_t n_name, const char *value,
                        size_t n_value) {
    char copy[64];
    bm_copy_bytes(copy, sizeof copy, value, n_value);
    if (bm_is_same_word(name, n_name, "ETag")) {
        bm_copy_bytes(request->etag, sizeof request->etag, value, n_value);
    } else if (bm_is_same_word(name, n_name, "Last-Modified")) {
        bm_copy_text(request->modified, sizeof request->modified, copy);
    } else if (bm_is_same_word(name, n_name, "Content-Length")) {
        request->has_length = bm_parse_count(value, n_value, &request->length);
    } else if (bm_is_same_word(name, n_name, "Content-Range")) {
        take_content_range(request, value, n_value);
    } else if (bm_is_same_word(name, n_name, "Retry-After")) {
        take_retry_after(request, copy);
    } else if (bm_is_same_word(name, n_name, "Date")) {
        request->date = bm_parse_time(copy);
    } else if (bm_is_same_word(name, n_name, "x-ms-error-code")) {
        bm_copy_text(request->code, sizeof request->code, copy);
    } else if (bm_is_same_word(name, n_name, "x-amz-bucket-region")) {
        bm_copy_text(request->region, sizeof request->region, copy);
    } else if (bm_is_same_word(name, n_name, "x-ms-meta-blastmerge_upload") ||
               bm_is_same_word(name, n_name, "x-amz-meta-blastmerge-upload") ||
               bm_is_same_word(name, n_name, "x-goog-meta-blastmerge-upload")) {
        bm_copy_text(request->upload, sizeof request->upload, copy);
    }
}

size_t bm_answer_header(char *data, size_t size, size_t n, void *context) {
    struct bm_request *request = context;
    size_t n_line = size * n;
    if (n_line >= 5 && strncmp(data, "HTTP/", 5) == 0) {
        bm_answer_forget(request); /* of a redirection, or "100 Continue" */
        const char *blank = memchr(data, ' ', n_line);
        uint64_t status = 0; /* three digits: the line does not end in NUL */
        if (blank != NULL && data + n_line - blank > 3 && bm_parse_count(blank + 1, 3, &status))
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

static bool set_fault(struct bm_request *request, bool is_changed, const char *fault) {
    snprintf(request->fault, sizeof request->fault, "%s", fault);
    request->is_changed = request->is_changed || is_changed;
    return false;
}

bool bm_answer_check(struct bm_request *request) {
    uint64_t first = request->first + request->n_taken;
    if (request->expected_http != 0 && request->http_status != request->expected_http)
        return set_fault(request, false, "a status of success that does not fit the request");
    if (request->tag != NULL && request->etag[0] != '\0' && strcmp(request->etag, request->tag) != 0)
        return set_fault(request, true, "its ETag is another one");
    if (!request->is_ranged) {
        request->n_skip = request->n_taken; /* a whole one again: what is there already is passed over */
        return true;
    }
    if (request->http_status != 206) {
        if (request->can_be_whole && request->n_taken == 0) return true;
        return set_fault(request, false, "all of it where a range was asked for");
    }
    if (!request->has_range || request->range_first != first)
        return set_fault(request, false, "another range than was asked for");
    return true;
}

/* Bytes of a good answer. */
static bool take_bytes(struct bm_request *request, const uint8_t *data, size_t n_bytes) {
    if (request->take != NULL) return request->take(request, data, n_bytes);
    size_t n_room = request->answer_size - request->n_answer;
    if (request->answer == NULL) return true;
    if (n_bytes >= n_room) {
        set_fault(request, false, "a longer answer than makes sense");
        return true;
    }
    memcpy(request->answer + request->n_answer, data, n_bytes);
    request->n_answer += n_bytes;
    request->answer[request->n_answer] = '\0';
    return true;
}

static void take_refusal(struct bm_request *request, const char *data, size_t n) {
    size_t n_room = sizeof request->refusal - 1 - request->n_refusal;
    if (n > n_room) n = n_room;
    memcpy(request->refusal + request->n_refusal, data, n);
    request->n_refusal += n;
    request->refusal[request->n_refusal] = '\0';
}

size_t bm_answer_body(char *data, size_t size, size_t n, void *context) {
    struct bm_request *request = context;
    size_t n_bytes = size * n;
    size_t n_old = 0;
    bm_cloud_tell(request->cloud);
    if (request->http_status < 200 || request->http_status >= 300) {
        take_refusal(request, data, n_bytes);
        return n_bytes;
    }
    if (!request->is_answer_good && !bm_answer_check(request)) return 0;
    request->is_answer_good = true;
    if (request->n_of_try < request->n_skip) {
        uint64_t n_left = request->n_skip - request->n_of_try;
        n_old = n_left < n_bytes ? (size_t)n_left : n_bytes;
    }
    if (n_old < n_bytes) {
        if (!take_bytes(request, (const uint8_t *)data + n_old, n_bytes - n_old)) {
            request->is_paused = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        request->n_taken += n_bytes - n_old;
    }
    request->n_of_try += n_bytes;
    return request->fault[0] == '\0' ? n_bytes : 0;
}

#endif
