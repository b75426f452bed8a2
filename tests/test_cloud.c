/* SPDX-License-Identifier: MIT */
/* The cloud room without a server: locations, what is shown of them, codings, XML, signatures by the
 * providers' own examples, the pauses between tries. What goes over the wire is tested in tests/cloud. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cloud/location.h"
#include "cloud/text.h"

#include <stdlib.h>
#include <string.h>

static void shows_no_secret(void **state) {
    static const struct {
        const char *location, *shown;
    } cases[] = {
        {"s3://bucket/key?sig=no", "s3://bucket/key?sig=no"}, /* a key like any other */
        {"https://a.blob.core.windows.net/c/b?sv=1&sig=abc%3D&se=2",
         "https://a.blob.core.windows.net/c/b?sv=1&sig=...&se=2"},
        {"https://h/p?X-Amz-Signature=abc&X-Amz-Credential=AK&x=1",
         "https://h/p?X-Amz-Signature=...&X-Amz-Credential=...&x=1"},
        {"https://user:password@host/x", "https://host/x"},
        {"http://host/a@b?token=1&y", "http://host/a@b?token=...&y"},
        {"https://host?sig=1", "https://host?sig=..."},
        {"s3://bucket/a\r\nb\x1b[2J\x7f", "s3://bucket/a??b?[2J?"}, /* nothing for a terminal */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[256];
        bm_location_show(cases[i].location, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
    }
    char small[16];
    bm_location_show("https://host/a/long/path?sig=1", small, sizeof small);
    assert_null(strstr(small, "sig=1"));
}

static void knows_remote_locations(void **state) {
    (void)state;
    assert_true(bm_location_is_remote("S3://bucket/key"));
    assert_false(bm_location_is_remote("./s3://bucket/key"));
    assert_false(bm_location_is_remote("ftp://host/x"));
    assert_true(bm_location_has_wildcard("s3://b/x/*.gz"));
    assert_false(bm_location_has_wildcard("s3://b/*/x.gz"));
    assert_false(bm_location_has_wildcard("*.gz"));
    assert_true(bm_location_is_loopback("http://127.0.0.1:80"));
    assert_true(bm_location_is_loopback("http://localhost"));
    assert_true(bm_location_is_loopback("http://[::1]:80"));
    assert_false(bm_location_is_loopback("http://127.0.0.1.example.org"));
    assert_false(bm_location_is_loopback("http://localhost.example.org"));
}

static void codes(void **state) {
    char place[64];
    uint8_t bytes[8];
    size_t n = 0;
    uint64_t value = 0;
    (void)state;
    struct bm_text text = bm_text_in(place, sizeof place);
    bm_text_encode(&text, "a b/\xc3\xa4~", 7, true);
    assert_string_equal(place, "a%20b/%C3%A4~");
    text = bm_text_in(place, sizeof place);
    bm_text_decode(&text, "a%20b%4", 7);
    assert_string_equal(place, "a b%4");
    text = bm_text_in(place, 5);
    bm_text_add(&text, "abc");
    bm_text_add(&text, "de");
    assert_true(text.is_cut);
    assert_string_equal(place, "abc");
    text = bm_text_in(place, sizeof place);
    bm_text_base64(&text, (const uint8_t *)"foobar!", 7);
    assert_string_equal(place, "Zm9vYmFyIQ==");
    assert_true(bm_base64_decode(place, bytes, sizeof bytes, &n));
    assert_int_equal(n, 7);
    assert_memory_equal(bytes, "foobar!", 7);
    assert_false(bm_base64_decode("Zm9vYmFyIQ==", bytes, 6, &n));
    assert_false(bm_base64_decode("Zm 9", bytes, sizeof bytes, &n));
    assert_int_equal(bm_parse_time("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    assert_int_equal(bm_parse_time("1994-11-06T08:49:37Z"), 784111777);
    assert_int_equal(bm_parse_time("yesterday"), -1);
    assert_true(bm_parse_count("123", 3, &value));
    assert_false(bm_parse_count("12a", 3, &value));
    assert_false(bm_parse_count("1234567890123456789", 19, &value));
    assert_false(bm_parse_count("", 0, &value));
}

static void finds_headers(void **state) {
    size_t n = 0;
    (void)state;
    const char *value = bm_find_header("A: 1\nAB: 22\n", "ab", &n);
    assert_int_equal(n, 2);
    assert_memory_equal(value, "22", 2);
    assert_null(bm_find_header("A: 1\nAB: 22\n", "B", &n));
}

#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "cloud/library.h"
#include "cloud/retry.h"
#include "cloud/sign.h"
#include "cloud/xml.h"

static struct bm_location parse(const char *string, const char *endpoint) {
    struct bm_location location;
    struct blastmerge_error error;
    assert_int_equal(bm_location_parse(&location, string, endpoint, &error), BLASTMERGE_OK);
    return location;
}

static void refuses(const char *string) {
    struct bm_location location;
    struct blastmerge_error error;
    assert_int_equal(bm_location_parse(&location, string, NULL, &error), BLASTMERGE_USAGE);
}

static void parses_locations(void **state) {
    (void)state;
    struct bm_location l = parse("s3://bucket/a b/\xc3\xa4.gz", NULL);
    assert_string_equal(l.origin, "https://bucket.s3.eu-test-1.amazonaws.com");
    assert_string_equal(l.path, "/a%20b/%C3%A4.gz");
    l = parse("s3://dotted.bucket/k", NULL);
    assert_string_equal(l.origin, "https://s3.eu-test-1.amazonaws.com");
    assert_string_equal(l.path, "/dotted.bucket/k");
    l = parse("s3://bucket/k", "http://127.0.0.1:7480/");
    assert_string_equal(l.origin, "http://127.0.0.1:7480");
    assert_string_equal(l.path, "/bucket/k");
    l = parse("az://account/container/a/b", NULL);
    assert_string_equal(l.origin, "https://account.blob.core.windows.net");
    assert_string_equal(l.path, "/container/a/b");
    l = parse("az://account/container/a", "http://127.0.0.1:10000");
    assert_string_equal(l.path, "/account/container/a");
    l = parse("https://account.blob.core.windows.net/container/a%20b?sv=1&sig=x", NULL);
    assert_int_equal(l.provider, BM_PROVIDER_AZURE);
    assert_string_equal(l.account, "account");
    assert_string_equal(l.key, "a b");
    assert_string_equal(l.query, "sv=1&sig=x");
    l = parse("gs://bucket/k", NULL);
    assert_string_equal(l.origin, "https://storage.googleapis.com");
    l = parse("https://host:8443/x?y=1#z", NULL);
    assert_string_equal(l.origin, "https://host:8443");
    assert_string_equal(l.query, "y=1");
    assert_int_equal(l.provider, BM_PROVIDER_HTTP);
}

static void refuses_locations(void **state) {
    static const char *const strings[] = {
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3://bu cket/k",
        "s3://bucket@evil/k",
        "az://account/container",
        "az://a:b/c/d",
        "http://",
        "http:///x",
        "http://u:p@h/x",
        "https://h/a b",
        "s3://bucket/a\nb",
        "az:///c/d",
        "gs://bucket#evil/k",
    };
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) refuses(strings[i]);
    char *name = calloc(1, 9000);
    assert_non_null(name);
    memcpy(name, "s3://bucket/", 12);
    memset(name + 12, 'x', 8000);
    refuses(name);
    memcpy(name, "http://host/", 12);
    refuses(name);
    free(name);
}

static void reads_xml(void **state) {
    static const char text[] =
        "<?xml version='1.0'?><!-- <Code>no</Code> --><s:A xmlns:s='x'><Empty/><Code>a&amp;b&#x20AC;&unknown;"
        "</Code><Code>second</Code></s:A>";
    char value[64];
    (void)state;
    assert_true(bm_xml_find(text, sizeof text - 1, "Code", value, sizeof value));
    assert_string_equal(value, "a&b\xe2\x82\xac&unknown;");
    assert_true(bm_xml_find(text, sizeof text - 1, "Empty", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(bm_xml_find(text, sizeof text - 1, "B", value, sizeof value));
    for (size_t n = 0; n < sizeof text; n++) { /* cut anywhere, in memory of just that size */
        char *cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, text, n);
        struct bm_xml xml = bm_xml_open(cut, n);
        size_t n_tokens = 0;
        while (bm_xml_next(&xml) != BM_XML_NOTHING) assert_true(++n_tokens < 100);
        free(cut);
    }
}

/* Both from the examples in "Signature Calculations for the Authorization Header", of the S3 API reference.
 */
static void signs_as_aws_says(void **state) {
    struct blastmerge_error error;
    struct bm_location location = {.provider = BM_PROVIDER_S3,
                                   .origin = "https://examplebucket.s3.amazonaws.com",
                                   .path = "/test.txt",
                                   .region = "us-east-1"};
    struct bm_credential credential = {.kind = BM_CREDENTIAL_AWS,
                                       .id = "AKIAIOSFODNN7EXAMPLE",
                                       .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
    struct bm_sign sign = {.method = "GET",
                           .location = &location,
                           .path = "/test.txt",
                           .query = "",
                           .headers = "Range: bytes=0-9\n",
                           .credential = &credential,
                           .now = 1369353600};
    char headers[BM_SIGN_HEADERS];
    (void)state;
    assert_non_null(bm_cloud_library(&error));
    assert_true(bm_sign(&sign, headers));
    assert_non_null(
        strstr(headers, "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\n"));
    sign.path = "/";
    sign.query = "max-keys=2&prefix=J";
    sign.headers = "";
    assert_true(bm_sign(&sign, headers));
    assert_non_null(
        strstr(headers, "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\n"));
}

static void pauses_grow_and_end(void **state) {
    (void)state;
    assert_int_equal(bm_retry_delay(1, 500, 500), 500);
    assert_int_equal(bm_retry_delay(1, 500, 501), 0);
    assert_int_equal(bm_retry_delay(4, 500, 4000), 4000);
    assert_true(bm_retry_delay(1000, 500, UINT64_MAX) <= 60000);
    assert_int_equal(bm_retry_delay(3, 0, 12345), 0);
}

static enum bm_verdict judge(struct bm_cloud *cloud, CURLcode curl, long http_status, const char *code,
                             int64_t skew) {
    struct blastmerge_error error = {0};
    struct bm_request *request = calloc(1, sizeof *request);
    assert_non_null(request);
    request->cloud = cloud;
    request->error = &error;
    request->http_status = http_status;
    request->date = bm_cloud_now(cloud) + skew;
    assert_true(bm_copy_text(request->code, sizeof request->code, code));
    enum bm_verdict verdict = bm_retry_judge(request, curl);
    free(request);
    return verdict;
}

static void judges_what_passes(void **state) {
    static const CURLcode passing[] = {5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92};
    static const CURLcode final[] = {CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION, CURLE_OUT_OF_MEMORY,
                                     CURLE_TOO_MANY_REDIRECTS};
    static const struct {
        long http_status;
        const char *code;
        enum bm_verdict verdict;
    } cases[] = {
        {200, "", BM_VERDICT_DONE},
        {408, "", BM_VERDICT_AGAIN},
        {429, "", BM_VERDICT_AGAIN},
        {500, "", BM_VERDICT_AGAIN},
        {502, "", BM_VERDICT_AGAIN},
        {503, "", BM_VERDICT_AGAIN},
        {504, "", BM_VERDICT_AGAIN},
        {400, "SlowDown", BM_VERDICT_AGAIN},
        {400, "InternalError", BM_VERDICT_AGAIN},
        {400, "RequestTimeout", BM_VERDICT_AGAIN},
        {400, "ServerBusy", BM_VERDICT_AGAIN},
        {400, "OperationTimedOut", BM_VERDICT_AGAIN},
        {400, "BadDigest", BM_VERDICT_AGAIN},
        {400, "Md5Mismatch", BM_VERDICT_AGAIN},
        {400, "XAmzContentSHA256Mismatch", BM_VERDICT_AGAIN},
        {400, "", BM_VERDICT_FINAL},
        {401, "InvalidAccessKeyId", BM_VERDICT_FINAL},
        {401, "", BM_VERDICT_EXPIRED},
        {400, "ExpiredToken", BM_VERDICT_EXPIRED},
        {403, "", BM_VERDICT_FINAL},
        {403, "AuthenticationFailed", BM_VERDICT_FINAL},
        {403, "RequestTimeTooSkewed", BM_VERDICT_SKEWED},
        {404, "", BM_VERDICT_FINAL},
        {409, "", BM_VERDICT_FINAL},
        {412, "", BM_VERDICT_FINAL},
        {416, "", BM_VERDICT_FINAL},
        {501, "", BM_VERDICT_FINAL},
    };
    struct bm_memory memory;
    struct bm_cancel cancel;
    struct bm_cloud *cloud = NULL;
    struct blastmerge_error error;
    struct bm_cloud_settings settings = {.memory = &memory, .cancel = &cancel};
    (void)state;
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_cancel_open(&cancel, &error), BLASTMERGE_OK);
    assert_int_equal(bm_cloud_open(&cloud, &settings, &error), BLASTMERGE_OK);
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        assert_int_equal(judge(cloud, passing[i], 0, "", 0), BM_VERDICT_AGAIN);
    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        assert_int_equal(judge(cloud, final[i], 0, "", 0), BM_VERDICT_FINAL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(judge(cloud, CURLE_OK, cases[i].http_status, cases[i].code, 0), cases[i].verdict);
    assert_int_equal(judge(cloud, CURLE_OK, 403, "AuthenticationFailed", 1000), BM_VERDICT_SKEWED);
    assert_int_equal(judge(cloud, CURLE_OK, 403, "AuthenticationFailed", -1000), BM_VERDICT_SKEWED);
    bm_cloud_close(cloud);
    bm_cancel_close(&cancel);
}

static void plans_within_the_limit(void **state) {
    (void)state;
    for (uint64_t mib = 1; mib < 2000; mib++) {
        for (unsigned which = 1; which < 16; which++) {
            struct bm_cloud_use use = {which & 1 ? 4 : 0, (which & 2) != 0, (which & 4) != 0,
                                       (which & 8) != 0};
            struct bm_cloud_plan plan;
            struct blastmerge_error error;
            if (bm_cloud_make_plan(mib << 20, use, &plan, &error) != BLASTMERGE_OK) {
                assert_int_equal(error.status, BLASTMERGE_NO_MEMORY);
                assert_true(mib < 55);
                continue;
            }
            size_t n_bytes = (size_t)28 << 20;
            n_bytes += use.n_lanes * BM_CLOUD_WINDOWS * plan.window;
            if (use.is_output_remote) n_bytes += plan.n_parts * plan.part;
            if (use.is_report_remote) n_bytes += BM_CLOUD_REPORT_PARTS * plan.report_part;
            n_bytes += plan.list;
            assert_true(use.has_lists ? plan.list >= 1 << 20 : plan.list == 0);
            assert_true(n_bytes <= mib << 20);
        }
    }
}

static void plans_parts_as_long_as_they_must_be(void **state) {
    struct bm_cloud_plan plan = {.use = {.is_output_remote = true}};
    struct blastmerge_error error;
    (void)state;
    for (unsigned which = 0; which < 8; which++) {
        struct bm_cloud_use use = {which & 1 ? 4 : 0, true, (which & 2) != 0, (which & 4) != 0};
        plan.use = use;
        for (uint64_t part = 1000; bm_cloud_limit_for(&plan, part) != 0; part += part / 7) {
            uint64_t limit = bm_cloud_limit_for(&plan, part);
            if (limit < 60) continue; /* the least that it takes */
            assert_int_equal(bm_cloud_make_plan(limit << 20, use, &plan, &error), BLASTMERGE_OK);
            assert_true(plan.part >= part);
            assert_true(part < 50000000 || plan.part - part < part / 10);
        }
        assert_int_equal(bm_cloud_limit_for(&plan, UINT64_MAX), 0);
        for (uint64_t list = 1 << 20; use.has_lists && list < (uint64_t)1 << 40; list += list / 7) {
            uint64_t limit = bm_cloud_limit_for_list(&plan, list);
            assert_int_equal(bm_cloud_make_plan(limit << 20, use, &plan, &error), BLASTMERGE_OK);
            assert_true(plan.list >= list);
        }
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_no_secret),
        cmocka_unit_test(knows_remote_locations),
        cmocka_unit_test(codes),
        cmocka_unit_test(finds_headers),
#ifdef BLASTMERGE_CLOUD
        cmocka_unit_test(parses_locations),
        cmocka_unit_test(refuses_locations),
        cmocka_unit_test(reads_xml),
        cmocka_unit_test(signs_as_aws_says),
        cmocka_unit_test(pauses_grow_and_end),
        cmocka_unit_test(judges_what_passes),
        cmocka_unit_test(plans_within_the_limit),
        cmocka_unit_test(plans_parts_as_long_as_they_must_be),
#endif
    };
    static const char *const variables[] = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
                                            "AZURE_STORAGE_CONNECTION_STRING",
                                            "AZURE_STORAGE_SERVICE_ENDPOINT"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
    setenv("AWS_REGION", "eu-test-1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
