/* SPDX-License-Identifier: MIT */
/* What a server's answer to one try is held against, and what of it counts: at the edges of ranges and of
 * types. */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cloud/answer.h"
#include "cloud/ceilings.h"
#include "cloud/cloud.h"
#include "cloud/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bm_memory memory;
static struct bm_cancel cancel;
static struct bm_cloud *cloud;
static struct blastmerge_error error;

static int open_cloud(void **state) {
    struct bm_cloud_settings settings = {.memory = &memory, .cancel = &cancel};
    (void)state;
    bm_memory_open(&memory, NULL);
    bm_cancel_init(&cancel);
    assert_int_equal(bm_cancel_begin(&cancel, &error), BLASTMERGE_OK);
    assert_int_equal(bm_cloud_open(&cloud, &settings, &error), BLASTMERGE_OK);
    return 0;
}

static int close_cloud(void **state) {
    (void)state;
    bm_cloud_close(cloud);
    bm_cancel_close(&cancel);
    assert_int_equal(memory.n_bytes, 0);
    return 0;
}

static struct bm_cloud_request request;
static size_t n_in_sink; /* bytes that the sink has room for, and has */
static size_t sink_size;

static enum bm_cloud_keep keep_in_sink(struct bm_cloud_request *asked, const uint8_t *data, size_t n_bytes) {
    (void)asked;
    (void)data;
    if (n_bytes > sink_size - n_in_sink) return BM_KEEP_LATER;
    n_in_sink += n_bytes;
    return BM_KEPT;
}

/* A GET of a range, whose sink has room for just that; of which n_kept bytes came in an earlier try. */
static void ask_for(uint64_t first, uint64_t last, uint64_t n_kept) {
    bm_cloud_request_open(&request, cloud, "GET", NULL, NULL);
    bm_cloud_answer_forget(&request);
    request.error = &error;
    request.is_ranged = true;
    request.first = first;
    request.last = last;
    request.n_kept = n_kept;
    request.keep = keep_in_sink;
    n_in_sink = (size_t)n_kept;
    sink_size = (size_t)(last - first + 1);
}

static void hear(const char *lines) {
    while (*lines != '\0') {
        char line[256];
        size_t n_line = strcspn(lines, "\n") + 1;
        memcpy(line, lines, n_line);
        assert_int_equal(bm_cloud_answer_header(line, 1, n_line, &request), n_line);
        lines += n_line;
    }
}

/* Bytes of a body; how many libcurl is told were taken. */
static size_t hear_body(size_t n_bytes) {
    char *body = calloc(1, n_bytes);
    assert_non_null(body);
    size_t n_taken = bm_cloud_answer_body(body, 1, n_bytes, &request);
    free(body);
    assert_int_equal(request.n_kept, n_in_sink); /* whatever happens, what counts is what the sink has */
    return n_taken;
}

static void holds_ranges_against_what_was_asked(void **state) {
    static const struct {
        const char *lines;
        enum bm_cloud_fault fault;
        const char *text;
    } cases[] = {
        {"206\nContent-Range: bytes 100-199/1000\nContent-Length: 100\n", BM_FAULT_NONE, ""},
        {"206\nContent-Range: bytes 100-199/200\n", BM_FAULT_NONE, ""},
        {"206\nContent-Range: bytes 100-199/*\n", BM_FAULT_NONE, ""},
        {"206\nContent-Range: bytes 100-149/1000\nContent-Length: 50\n", BM_FAULT_NONE, ""},
        {"206\nContent-Range: bytes 100-199/1000\nContent-Length: 20\n", BM_FAULT_NONE, ""}, /* it was cut */
        {"206\n", BM_FAULT_PASSING, "another range"},
        {"206\nContent-Range: bytes 99-199/1000\n", BM_FAULT_PASSING, "another range"},
        {"206\nContent-Range: bytes 0-0/1\n", BM_FAULT_PASSING, "another range"},
        {"206\nContent-Range: bytes 100-200/1000\n", BM_FAULT_FINAL,
         "bytes 100 to 200 instead of 100 to 199"},
        {"206\nContent-Range: bytes 100-999999999999999998/999999999999999999\n", BM_FAULT_FINAL,
         "bytes 100 to"},
        {"206\nContent-Range: bytes 100-18446744073709551615/*\n", BM_FAULT_PASSING,
         "an invalid Content-Range"},
        {"206\nContent-Range: bytes 100-199/18446744073709551616\n", BM_FAULT_PASSING,
         "an invalid Content-Range"},
        {"206\nContent-Range: bytes 199-100/1000\n", BM_FAULT_PASSING, "an invalid Content-Range"},
        {"206\nContent-Range: bytes 100-199/199\n", BM_FAULT_PASSING, "an invalid Content-Range"},
        {"206\nContent-Range: bytes 100-199/0\n", BM_FAULT_PASSING, "an invalid Content-Range"},
        {"206\nContent-Range: bytes 100-199\n", BM_FAULT_PASSING, "an invalid Content-Range"},
        {"206\nContent-Range: bytes -199/1000\n", BM_FAULT_PASSING, "an invalid Content-Range"},
        {"206\nContent-Range: bytes */1000\n", BM_FAULT_PASSING, "another range"},
        {"206\nContent-Range: lines 100-199/1000\n", BM_FAULT_PASSING, "an invalid Content-Range"},
        {"206\nContent-Range: bytes 100-199/1000\nContent-Range: bytes 100-199/1000\n", BM_FAULT_PASSING,
         "an invalid Content-Range"},
        {"206\nContent-Range: bytes 100-199/1000\nContent-Length: 101\n", BM_FAULT_FINAL,
         "101 bytes for a range of 100"},
        {"206\nContent-Range: bytes 100-149/1000\nContent-Length: 51\n", BM_FAULT_FINAL,
         "51 bytes for a range of 50"},
        {"206\nContent-Range: bytes 100-199/1000\nContent-Length: 18446744073709551615\n", BM_FAULT_PASSING,
         "an invalid Content-Length"},
        {"206\nContent-Range: bytes 100-199/1000\nContent-Length: -1\n", BM_FAULT_PASSING,
         "an invalid Content-Length"},
        {"206\nContent-Range: bytes 100-199/1000\nContent-Length: 100\nContent-Length: 99\n",
         BM_FAULT_PASSING, "an invalid Content-Length"},
        {"206\nETag: \"a\"\nETag: \"b\"\nContent-Range: bytes 100-199/1000\n", BM_FAULT_PASSING, "an ETag"},
        {"200\nContent-Length: 1000\n", BM_FAULT_PASSING, "the whole object"},
        {"201\n", BM_FAULT_FINAL, "HTTP 201"},
        {"204\n", BM_FAULT_FINAL, "HTTP 204"},
        {"205\n", BM_FAULT_FINAL, "HTTP 205"},
        {"299\n", BM_FAULT_FINAL, "HTTP 299"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_for(100, 199, 0);
        char lines[300] = "HTTP/1.1 ";
        strncat(lines, cases[i].lines, sizeof lines - 10);
        hear(lines);
        bool is_good = cases[i].fault == BM_FAULT_NONE;
        assert_int_equal(hear_body(10), is_good ? 10 : 0);
        assert_int_equal(request.n_kept, is_good ? 10 : 0);
        assert_int_equal(request.fault, cases[i].fault);
        if (!is_good) assert_non_null(strstr(request.fault_text, cases[i].text));
        if (!is_good) assert_int_equal(hear_body(10), 0); /* and nothing of what comes then */
    }
}

static void keeps_no_more_than_was_asked_for(void **state) {
    (void)state;
    for (size_t n_kept = 0; n_kept < 100; n_kept += 33) { /* in an earlier try */
        for (size_t n_before = 0; n_before <= 100 - n_kept; n_before++) {
            char lines[128];
            ask_for(100, 199, n_kept);
            snprintf(lines, sizeof lines, "HTTP/1.1 206\nContent-Range: bytes %zu-199/1000\n", 100 + n_kept);
            hear(lines);
            if (n_before > 0) assert_int_equal(hear_body(n_before), n_before);
            size_t n_left = 100 - n_kept - n_before;
            assert_int_equal(hear_body(n_left + 1), 0);
            assert_int_equal(hear_body(1), 0); /* there was a fault: it is over */
            assert_int_equal(request.n_kept, n_kept + n_before);
            assert_int_equal(request.fault, BM_FAULT_FINAL);
            assert_int_equal(bm_cloud_retry_judge(&request, CURLE_WRITE_ERROR), BM_VERDICT_FINAL);
        }
    }
    ask_for(UINT64_MAX - 9, UINT64_MAX, 0); /* at the end of what can be counted */
    assert_true(bm_cloud_answer_check(&request) || request.fault != BM_FAULT_NONE);
    request.fault = BM_FAULT_NONE;
    request.is_answer_good = true;
    request.http_status = 206;
    assert_int_equal(hear_body(10), 10);
    assert_int_equal(hear_body(1), 0);
    assert_int_equal(request.fault, BM_FAULT_FINAL);
}

/* A pause counts nothing, and the same bytes come again. */
static void counts_what_was_kept_alone(void **state) {
    (void)state;
    ask_for(0, 99, 0);
    sink_size = 60;
    hear("HTTP/1.1 206\nContent-Range: bytes 0-99/100\n");
    assert_int_equal(hear_body(50), 50);
    assert_int_equal(hear_body(50), CURL_WRITEFUNC_PAUSE);
    assert_true(request.is_paused);
    assert_int_equal(request.n_of_try, 50);
    sink_size = 100;
    assert_int_equal(hear_body(50), 50);
    assert_false(request.is_paused);
    assert_int_equal(bm_cloud_retry_judge(&request, CURLE_OK), BM_VERDICT_DONE);
}

/* A range of which nothing is missing is done, so that no range is asked for whose end is before its
 * beginning.
 */
static void asks_for_nothing_twice(void **state) {
    (void)state;
    for (size_t n_bytes = 1; n_bytes <= 100; n_bytes++) {
        ask_for(0, 99, 0);
        hear("HTTP/1.1 206\nContent-Range: bytes 0-99/1000\n");
        assert_int_equal(hear_body(n_bytes), n_bytes);
        bool is_whole = n_bytes == 100;
        assert_int_equal(bm_cloud_retry_judge(&request, CURLE_PARTIAL_FILE),
                         is_whole ? BM_VERDICT_DONE : BM_VERDICT_AGAIN);
        assert_int_equal(bm_cloud_retry_judge(&request, CURLE_OK),
                         is_whole ? BM_VERDICT_DONE : BM_VERDICT_AGAIN);
    }
    ask_for(0, 99, 0); /* it ends before */
    hear("HTTP/1.1 206\nContent-Range: bytes 0-49/50\n");
    assert_int_equal(hear_body(50), 50);
    assert_int_equal(bm_cloud_retry_judge(&request, CURLE_OK), BM_VERDICT_DONE);
}

/* What is there already is passed over, if there is at least as much again. */
static void passes_over_what_it_has(void **state) {
    (void)state;
    for (size_t n_again = 0; n_again < 80; n_again++) {
        ask_for(0, 99, 50);
        request.is_ranged = false;
        hear("HTTP/1.1 200\nETag: W/\"1\"\n");
        if (n_again > 0) assert_int_equal(hear_body(n_again), n_again);
        if (n_again == 0) assert_true(bm_cloud_answer_check(&request));
        assert_int_equal(request.n_kept, n_again <= 50 ? 50 : n_again);
        assert_int_equal(bm_cloud_retry_judge(&request, CURLE_OK),
                         n_again < 50 ? BM_VERDICT_FINAL : BM_VERDICT_DONE);
        assert_int_equal(request.fault, n_again < 50 ? BM_FAULT_CHANGED : BM_FAULT_NONE);
    }
}

static void takes_the_tag_it_knows_alone(void **state) {
    static const struct {
        const char *line;
        enum bm_cloud_fault fault;
    } cases[] = {{"ETag: \"1\"\n", BM_FAULT_NONE},
                 {"ETag: \"2\"\n", BM_FAULT_CHANGED},
                 {"ETag: W/\"1\"\n", BM_FAULT_CHANGED},
                 {"ETag:\n", BM_FAULT_CHANGED},
                 {"X: y\n", BM_FAULT_CHANGED}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_for(0, 99, 0);
        request.tag = "\"1\"";
        hear("HTTP/1.1 206\nContent-Range: bytes 0-99/1000\n");
        hear(cases[i].line);
        assert_int_equal(hear_body(10), cases[i].fault == BM_FAULT_NONE ? 10 : 0);
        assert_int_equal(request.fault, cases[i].fault);
    }
    ask_for(0, 99, 0);
    request.needs_tag = true;
    hear("HTTP/1.1 206\nContent-Range: bytes 0-99/1000\n");
    assert_int_equal(hear_body(10), 0); /* before a byte is kept */
    assert_int_equal(request.fault, BM_FAULT_PASSING);
}

/* A line of headers again and again, until libcurl is told to stop. */
static size_t hear_again(const char *line) {
    char copy[64];
    size_t n_line = strlen(line);
    size_t n_heard = 0;
    memcpy(copy, line, n_line);
    while (bm_cloud_answer_header(copy, 1, n_line, &request) == n_line && n_heard < 1 << 20)
        n_heard += n_line;
    return n_heard;
}

static void listens_to_no_headers_without_end(void **state) {
    static const char *const lines[] = {"X: y\r\n", "HTTP/1.1 100 Continue\r\n", "\r\n", "ETag: \"x\"\r\n",
                                        "x"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        ask_for(0, 99, 0);
        hear("HTTP/1.1 200\n");
        size_t n_heard = hear_again(lines[i]);
        assert_true(n_heard <= BM_CEILING_HEADERS && n_heard > BM_CEILING_HEADERS - 100);
        assert_int_equal(request.fault, BM_FAULT_FINAL);
        assert_non_null(strstr(request.fault_text, "more than 128 KiB of headers"));
    }
}

/* Of a refusal's body there is enough at the ceiling, and its status counts. */
static void listens_to_no_refusal_without_end(void **state) {
    (void)state;
    ask_for(0, 99, 0);
    n_in_sink = 0;
    hear("HTTP/1.1 404\n\n");
    size_t n_heard = 0;
    while (hear_body(1000) == 1000) n_heard += 1000;
    assert_true(n_heard <= BM_CEILING_BODY && n_heard > BM_CEILING_BODY - 1000);
    assert_true(request.is_enough);
    assert_int_equal(request.fault, BM_FAULT_NONE);
    assert_int_equal(bm_cloud_retry_judge(&request, CURLE_OK), BM_VERDICT_FINAL);
    bm_cloud_retry_explain(&request, CURLE_OK, "");
    assert_int_equal(error.status, BLASTMERGE_NOT_FOUND);
}

/* An answer that nobody keeps has a ceiling, too. */
static void listens_to_no_success_without_end(void **state) {
    char body[1000] = {0};
    (void)state;
    bm_cloud_request_open(&request, cloud, "PUT", NULL, NULL);
    bm_cloud_answer_forget(&request);
    hear("HTTP/1.1 200\n\n");
    size_t n_heard = 0;
    while (bm_cloud_answer_body(body, 1, sizeof body, &request) == sizeof body) n_heard += sizeof body;
    assert_true(n_heard <= BM_CEILING_BODY + sizeof body);
    assert_int_equal(request.fault, BM_FAULT_FINAL);
}

static void takes_trailers_for_nothing_else(void **state) {
    (void)state;
    ask_for(0, 99, 0);
    hear("HTTP/1.1 100 Continue\n\nHTTP/1.1 206\nETag: \"a\"\nContent-Range: bytes 0-99/100\n\n");
    assert_int_equal(hear_body(50), 50);
    hear("HTTP/1.1 200\nETag: \"b\"\nContent-Range: bytes 5-6/7\n");
    assert_int_equal(request.http_status, 206);
    assert_string_equal(request.etag, "\"a\"");
    assert_int_equal(hear_body(50), 50);
    assert_int_equal(request.n_of_try, 100);
    assert_int_equal(bm_cloud_retry_judge(&request, CURLE_OK), BM_VERDICT_DONE);
    ask_for(0, 99, 0); /* behind a redirection there is another answer */
    request.follows = true;
    hear("HTTP/1.1 302\nETag: \"a\"\n\nHTTP/1.1 206\nETag: \"b\"\n\n");
    assert_int_equal(request.http_status, 206);
    assert_string_equal(request.etag, "\"b\"");
}

/* No status of a server's blames the caller, or his memory. */
static void blames_nobody_for_what_a_server_says(void **state) {
    static const CURLcode codes[] = {CURLE_OK,
                                     CURLE_UNSUPPORTED_PROTOCOL,
                                     CURLE_URL_MALFORMAT,
                                     CURLE_TOO_MANY_REDIRECTS,
                                     CURLE_WEIRD_SERVER_REPLY,
                                     CURLE_BAD_CONTENT_ENCODING};
    (void)state;
    for (long status = 100; status < 1000; status++) {
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            ask_for(0, 99, 0);
            request.http_status = status;
            if (status >= 200 && status < 300 && codes[i] == CURLE_OK && bm_cloud_answer_check(&request))
                continue;
            bm_cloud_retry_explain(&request, codes[i], "");
            assert_true(error.status == BLASTMERGE_IO || error.status == BLASTMERGE_DENIED ||
                        error.status == BLASTMERGE_NOT_FOUND || error.status == BLASTMERGE_NO_SPACE);
        }
    }
    ask_for(0, 99, 0);
    bm_cloud_retry_explain(&request, CURLE_URL_MALFORMAT, ""); /* nobody but the caller said anything */
    assert_int_equal(error.status, BLASTMERGE_USAGE);
    ask_for(0, 99, 0);
    request.http_status = 412;
    bm_cloud_request_header(&request, "If-Match", "\"x\"");
    bm_cloud_retry_explain(&request, CURLE_OK, "");
    assert_int_equal(error.status, BLASTMERGE_CHANGED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holds_ranges_against_what_was_asked, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(keeps_no_more_than_was_asked_for, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(counts_what_was_kept_alone, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(asks_for_nothing_twice, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(passes_over_what_it_has, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(takes_the_tag_it_knows_alone, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(listens_to_no_headers_without_end, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(listens_to_no_refusal_without_end, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(listens_to_no_success_without_end, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(takes_trailers_for_nothing_else, open_cloud, close_cloud),
        cmocka_unit_test_setup_teardown(blames_nobody_for_what_a_server_says, open_cloud, close_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
    return 0;
}
#endif
