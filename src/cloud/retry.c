/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/retry.h"
#include "cloud/text.h"
#include "cloud/xml.h"

#include <stdio.h>
#include <string.h>

enum { MAX_DELAY_MS = 60000 };

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0) return true;
    }
    return false;
}

/* Faults of the way there and back, which may be better next time. */
static bool is_passing(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
        return true;
    default:
        return false;
    }
}

static bool is_busy(const struct bm_cloud_request *request) {
    static const char *const codes[] = {"SlowDown",
                                        "InternalError",
                                        "RequestTimeout",
                                        "ServerBusy",
                                        "OperationTimedOut",
                                        "ServiceUnavailable",
                                        "OperationAborted",
                                        "ConditionalRequestConflict",
                                        NULL};
    /* What was sent is not what came: a bit of it was turned on the way. */
    static const char *const damaged[] = {"BadDigest", "XAmzContentSHA256Mismatch", "Md5Mismatch", NULL};
    switch (request->http_status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return is_one_of(request->code, codes) || is_one_of(request->code, damaged);
    }
}

static bool is_expired(const struct bm_cloud_request *request) {
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
                                        "InvalidAuthenticationInfo", NULL};
    return is_one_of(request->code, codes) || (request->http_status == 401 && request->code[0] == '\0');
}

/* Azure answers AuthenticationFailed for a wrong key and for a wrong clock; the dates distinguish them. */
static bool is_skewed(const struct bm_cloud_request *request, int64_t now) {
    int64_t skew = request->date < 0 ? 0 : request->date - now;
    bool is_far = skew > 300 || skew < -300;
    return strcmp(request->code, "RequestTimeTooSkewed") == 0 ||
           (is_far && strcmp(request->code, "AuthenticationFailed") == 0);
}

/* Whether the element is there to its end: a length that is a lie cuts off what is behind. */
static bool has_element(const struct bm_cloud_request *request) {
    struct bm_cloud_xml xml = bm_cloud_xml_open(request->answer, request->n_answer);
    while (bm_cloud_xml_next(&xml) != BM_XML_NOTHING) {
        if (bm_cloud_xml_is(&xml, BM_XML_END, request->element)) return true;
    }
    return false;
}

static enum bm_cloud_verdict fail_passing(struct bm_cloud_request *request, const char *what) {
    bm_cloud_request_fault(request, BM_FAULT_PASSING, "%s", what);
    return BM_VERDICT_AGAIN;
}

/* Whether all of a range is there. A child may end within it. */
static bool is_range_whole(const struct bm_cloud_request *request) {
    uint64_t n_asked = request->last - request->first + 1;
    return request->n_kept == n_asked ||
           (request->has_total && request->first + request->n_kept == request->total);
}

/* What an answer with 2xx is worth. S3 says 200 before it has done all, and may say in its body that it
 * failed. */
static enum bm_cloud_verdict judge_success(struct bm_cloud_request *request) {
    if (request->element != NULL && !has_element(request)) {
        bm_cloud_xml_find(request->answer, request->n_answer, "Code", request->code, sizeof request->code);
        bool is_final = request->code[0] != '\0' && !is_busy(request);
        return is_final ? BM_VERDICT_FINAL : fail_passing(request, "sent an error with a success status");
    }
    if (request->is_ranged && request->http_status == 206 && !is_range_whole(request))
        return fail_passing(request, "sent fewer bytes than its range has");
    if (request->n_of_try < request->n_skip) {
        bm_cloud_request_fault(request, BM_FAULT_CHANGED, "it became shorter");
        return BM_VERDICT_FINAL;
    }
    return BM_VERDICT_DONE;
}

enum bm_cloud_verdict bm_cloud_retry_judge(struct bm_cloud_request *request, CURLcode code) {
    bool is_success = request->http_status >= 200 && request->http_status < 300;
    /* A range of which nothing is missing is not asked for again, however its connection ended. */
    bool is_whole = request->is_ranged && request->http_status == 206 && request->is_answer_good &&
                    is_range_whole(request);
    if (request->fault != BM_FAULT_NONE)
        return request->fault == BM_FAULT_PASSING ? BM_VERDICT_AGAIN : BM_VERDICT_FINAL;
    if (is_success && (code == CURLE_OK || is_whole)) return judge_success(request);
    if (code != CURLE_OK) return is_passing(code) ? BM_VERDICT_AGAIN : BM_VERDICT_FINAL;
    if (request->code[0] == '\0')
        bm_cloud_xml_find(request->refusal, request->n_refusal, "Code", request->code, sizeof request->code);
    if (is_skewed(request, bm_cloud_now(request->cloud))) return BM_VERDICT_SKEWED;
    if (is_busy(request)) return BM_VERDICT_AGAIN;
    if (is_expired(request)) return BM_VERDICT_EXPIRED;
    return BM_VERDICT_FINAL;
}

int64_t bm_cloud_retry_delay(unsigned n_failed, int64_t base_ms, uint64_t random) {
    int64_t most = base_ms;
    for (unsigned i = 1; i < n_failed && most < MAX_DELAY_MS; i++) most *= 2;
    if (most > MAX_DELAY_MS) most = MAX_DELAY_MS;
    return most <= 0 ? 0 : (int64_t)(random % (uint64_t)(most + 1));
}

/* --- in plain words ------------------------------------------------------------------------------ */

/* Whether the request was conditional. */
static bool is_conditional(const struct bm_cloud_request *request) {
    return request->copy != NULL || strstr(request->headers, "If-") != NULL ||
           strstr(request->headers, "-if-") != NULL;
}

/* Only where something is written can a store be full. */
static bool is_writing(const struct bm_cloud_request *request) {
    return strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;
}

static enum blastmerge_status status_of_http(const struct bm_cloud_request *request) {
    static const char *const full[] = {"InsufficientStorage", "QuotaExceeded", "EntityTooLarge",
                                       "BlockCountExceedsLimit", NULL};
    static const char *const denied[] = {"ExpiredToken",
                                         "InvalidAccessKeyId",
                                         "InvalidToken",
                                         "InvalidAuthenticationInfo",
                                         "AuthorizationHeaderMalformed",
                                         NULL};
    if (is_one_of(request->code, denied)) return BLASTMERGE_DENIED;
    if (is_one_of(request->code, full) && is_writing(request)) return BLASTMERGE_NO_SPACE;
    switch (request->http_status) {
    case 401:
    case 403:
    case 407:
        return BLASTMERGE_DENIED;
    case 404:
    case 410:
        return BLASTMERGE_NOT_FOUND;
    case 412:
        return is_conditional(request) ? BLASTMERGE_CHANGED : BLASTMERGE_IO;
    case 507:
        return is_writing(request) ? BLASTMERGE_NO_SPACE : BLASTMERGE_IO;
    default:
        return BLASTMERGE_IO;
    }
}

static const char *meaning_of(enum blastmerge_status status) {
    switch (status) {
    case BLASTMERGE_DENIED:
        return "access was denied";
    case BLASTMERGE_NOT_FOUND:
        return "does not exist";
    case BLASTMERGE_CHANGED:
        return "changed while it was read";
    case BLASTMERGE_NO_SPACE:
        return "there is no space left";
    default:
        return "the server failed or refused";
    }
}

/* What a server answers is no fault of the caller's: with an answer there is no BLASTMERGE_USAGE. A protocol
 * that libcurl does not have is one that a redirection named, or HTTP/0.9: locations have http and https
 * alone. */
static enum blastmerge_status status_of_curl(const struct bm_cloud_request *request, CURLcode code) {
    if (code == CURLE_OUT_OF_MEMORY) return BLASTMERGE_NO_MEMORY;
    return code == CURLE_URL_MALFORMAT && request->http_status == 0 ? BLASTMERGE_USAGE : BLASTMERGE_IO;
}

static const char *redirected(const struct bm_cloud_request *request, CURLcode code) {
    bool is_bad = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT;
    bool is_redirected = request->http_status >= 300 && request->http_status < 400;
    return is_bad && is_redirected ? "the server redirects to a location that cannot be read: " : "";
}

void bm_cloud_retry_explain(struct bm_cloud_request *request, CURLcode code, const char *curl_text) {
    struct blastmerge_error *error = request->error;
    char tries[48] = "";
    if (request->n_failed > 1) snprintf(tries, sizeof tries, " (tried %u times)", request->n_failed);
    if (request->fault == BM_FAULT_CHANGED) {
        bm_fail(error, BLASTMERGE_CHANGED, "changed while it was read: %s", request->fault_text);
    } else if (request->fault != BM_FAULT_NONE) {
        bm_fail(error, BLASTMERGE_IO, "the server %s%s", request->fault_text, tries);
    } else if (code != CURLE_OK) {
        bm_fail(error, status_of_curl(request, code), "%s%s%s", redirected(request, code),
                request->curl_error[0] != '\0' ? request->curl_error : curl_text, tries);
    } else {
        enum blastmerge_status status = status_of_http(request);
        bool is_elsewhere = request->http_status == 301 || request->http_status == 400;
        const char *region = is_elsewhere ? request->region : "";
        bm_fail(error, status, "%s: HTTP %ld%s%s%s%s%s%s", meaning_of(status), request->http_status,
                request->code[0] != '\0' ? " " : "", request->code, tries,
                region[0] != '\0' ? "; the bucket is in the region " : "", region,
                region[0] != '\0' ? ": set AWS_REGION" : "");
    }
    bm_fail_by_server(error, (int)request->http_status, request->code);
    request->status = error->status;
}

#endif
