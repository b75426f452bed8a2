/* SPDX-License-Identifier: MIT */
/* The cloud room without a server: locations, what is shown of them, codings, XML, signatures by the
 * providers' own examples, the pauses between tries. What goes over the wire is tested in tests/cloud. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cloud/credential.h"
#include "cloud/location.h"
#include "cloud/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void shows_no_secret(void **state) {
    static const struct {
        const char *location, *shown;
    } cases[] = {
        {"s3://bucket/key", "s3://bucket/key"},
        {"S3://Bucket/a b/c", "S3://Bucket/a b/c"},
        {"s3://bucket/key?sig=no", "s3://bucket/key?…"},
        {"az://a/c/b?sv=1&sig=abc", "az://a/c/b?…"},
        {"gs://bucket/key#sig=no", "gs://bucket/key?…"},
        {"s3://KEY:SECRET@bucket/key", "s3://bucket/key"},
        {"s3://KEY:SEC/RET@bucket/key", "s3://…"},
        {"s3://KEY:SECRET", "s3://…"},
        {"gs://:@/@", "gs://…"},
        {"http:///u:SECRET@h/", "http://…"},
        {"https:///x?y", "https://…"},
        {"s3:///KEY:SECRET@bucket/key", "s3://…"},
        {"az:///", "az://…"},
        {"gs://", "gs://…"},
        {"https://user:word@/x", "https://…"},
        {"ftp://u:p@host/x", "ftp://host/x"},
        {"ftp:///u:p@host/x", "ftp://…"},
        {"https://a.blob.core.windows.net/c/b?sv=1&sig=abc%3D&se=2", "https://a.blob.core.windows.net/c/b?…"},
        {"https://h/p?X-Amz-Signature=abc&X-Amz-Credential=AK&x=1", "https://h/p?…"},
        {"HTTPS://h/p?access_token=abc", "HTTPS://h/p?…"},
        {"https://h/p?pwd=abc", "https://h/p?…"},
        {"https://h/p?jwt=abc", "https://h/p?…"},
        {"https://h/p?%73ig=abc", "https://h/p?…"},
        {"https://h/p#sig=abc", "https://h/p?…"},
        {"https://h/p?x=1#sig=abc", "https://h/p?…"},
        {"https://user:password@host/x", "https://host/x"},
        {"https://user:pass@word@host:80/x", "https://host:80/x"},
        {"https://user:pass/word@host/x", "https://…"},
        {"https://user@host?x@y", "https://host?…"},
        {"http://127.0.0.1:x@host/y", "http://host/y"},
        {"http://127.0.0.1:x", "http://…"},
        {"http://[::1]:8080/x", "http://[::1]:8080/x"},
        {"http://[::1]:x@h/x", "http://h/x"},
        {"http://[zz", "http://…"},
        {"http://host/a@b?token=1&y", "http://host/a@b?…"},
        {"https://host?sig=1", "https://host?…"},
        {"https://host", "https://host"},
        {"s3://bucket/a\r\nb\x1b[2J\x7f", "s3://bucket/a??b?[2J?"}, /* nothing for a terminal */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[256];
        bm_cloud_location_show(cases[i].location, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
    }
    char small[16];
    bm_cloud_location_show("https://host/a/long/path?sig=1", small, sizeof small);
    assert_null(strstr(small, "sig=1"));
    char cut[32];
    bm_cloud_location_show("https://host/a/very/long/path/that/goes/on", cut, sizeof cut);
    assert_string_equal(cut, "https://host/a/very/long…");
    bm_cloud_location_show("https://host/a/very/long/path/that/goes/on?sig=1", cut, sizeof cut);
    assert_string_equal(cut, "https://host/a/very/long…?…");
    bm_cloud_location_show("https://host/a/very/lööng", cut, sizeof cut);
    assert_string_equal(cut, "https://host/a/very/lö…");
}

/* What messages show of names and of children's data. */
static void shows_text(void **state) {
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"plain 'name' \\x9b.gz", "plain 'name' \\x9b.gz"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\xac\xe4\xb8\xad\xd7\x90",
         "\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\xac\xe4\xb8\xad\xd7\x90"},
        {"a\nb\x1b[2J\x7f", "a?b?[2J?"},
        {"\x9b"
         "31m",
         "\\x9b31m"}, /* CSI, raw */
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* and as UTF-8 */
        {"\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0"},
        {"\xe2\x80\xae"
         "gz.exe",
         "\\u202egz.exe"}, /* right to left */
        {"\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9", "\\u202a\\u2066\\u2069"},
        {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
        {"\xef\xbb\xbf"
         "a",
         "\\ufeff"
         "a"},
        {"\xf3\xa0\x80\x81", "\\U000e0001"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc0\xaf", "\\xc0\\xaf"},          /* too long a form */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"a\xe2\x82", "a\\xe2\\x82"}, /* cut */
        {"\xe2\x82"
         "b",
         "\\xe2\\x82"
         "b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char once[128];
        char twice[128];
        bm_show(once, sizeof once, cases[i].text);
        assert_string_equal(once, cases[i].shown);
        bm_show(twice, sizeof twice, once);
        assert_string_equal(twice, once);
        for (size_t size = 4; size <= strlen(once); size++) { /* cut between characters */
            char *cut = malloc(size);
            char again[128];
            assert_non_null(cut);
            bm_show(cut, size, cases[i].text);
            assert_int_equal(strcmp(cut + strlen(cut) - 3, "..."), 0);
            bm_show(again, sizeof again, cut);
            assert_string_equal(again, cut);
            free(cut);
        }
    }
}

/* A message is fit for a terminal whoever made it, and a long one is cut between characters. */
static void shows_messages(void **state) {
    struct blastmerge_error error = {0};
    char name[3000];
    (void)state;
    assert_int_equal(bm_fail(&error, BLASTMERGE_DATA, "%s: bad", "x\xc2\x9by\x9b\xe2\x80\xae"),
                     BLASTMERGE_DATA);
    assert_string_equal(error.message, "x\\u009by\\x9b\\u202e: bad");
    bm_fail_anew(&error, BLASTMERGE_DATA, "again: %s", error.message);
    assert_string_equal(error.message, "again: x\\u009by\\x9b\\u202e: bad");
    bm_fail_by_server(&error, 400,
                      "Slow\x9b"
                      "Down");
    assert_string_equal(error.provider_code, "Slow\\x9b"
                                             "Down");
    for (size_t shift = 0; shift < 4; shift++) {
        memset(name, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof name; i += 3) memcpy(name + i, "\xe2\x82\xac", 3);
        name[sizeof name - 3] = '\0';
        bm_fail(&error, BLASTMERGE_DATA, "%s", name);
        assert_null(strchr(error.message, '\\'));
        assert_true(strlen(error.message) > sizeof error.message - 8);
        assert_string_equal(error.message + strlen(error.message) - 3, "...");
    }
}

static void knows_remote_locations(void **state) {
    (void)state;
    assert_true(bm_cloud_location_is_remote("S3://bucket/key"));
    assert_false(bm_cloud_location_is_remote("./s3://bucket/key"));
    assert_false(bm_cloud_location_is_remote("ftp://host/x"));
    assert_true(bm_cloud_location_has_wildcard("s3://b/x/*.gz"));
    assert_false(bm_cloud_location_has_wildcard("s3://b/*/x.gz"));
    assert_false(bm_cloud_location_has_wildcard("*.gz"));
    assert_int_equal(bm_cloud_location_scheme("HTTP://host/x"), BM_SCHEME_HTTP);
    assert_int_equal(bm_cloud_location_scheme("hTTps://host/x"), BM_SCHEME_HTTPS);
    assert_int_equal(bm_cloud_location_scheme("Az://a/c/b"), BM_SCHEME_STORE);
    assert_int_equal(bm_cloud_location_scheme("GS://b/k"), BM_SCHEME_STORE);
    assert_int_equal(bm_cloud_location_scheme("https:/host"), BM_SCHEME_NONE);
}

static void has_whole_rows_of_providers(void **state) {
    char prefixes[BM_PROVIDER_PREFIXES];
    (void)state;
    assert_true(bm_cloud_providers[BM_PROVIDER_HTTP].is_web);
    for (size_t i = BM_PROVIDER_HTTP + 1; i < BM_PROVIDER_N; i++) {
        const struct bm_cloud_provider_row *row = &bm_cloud_providers[i];
        const char *const words[] = {row->prefix,
                                     row->metadata,
                                     row->if_absent,
                                     row->absent,
                                     row->list->root,
                                     row->list->entry,
                                     row->list->name,
                                     row->list->length,
                                     row->list->etag,
                                     row->list->next,
                                     row->list->folder,
                                     row->list->parameters[0].name,
                                     row->v4.algorithm != NULL ? row->v4.request : row->date_version};
        bool has_prefix = false, has_marker = false;
        char place[64];
        struct bm_cloud_location location;
        struct blastmerge_error error;
        snprintf(place, sizeof place, "%saccount/container/key", row->prefix);
        assert_int_equal(bm_cloud_location_parse(&location, place, NULL, &error), BLASTMERGE_OK);
        assert_true(row->v4.algorithm == NULL || row->v4.region != NULL || location.region[0] != '\0');
        for (size_t word = 0; word < sizeof words / sizeof *words; word++) assert_non_null(words[word]);
        for (const struct bm_cloud_parameter *at = row->list->parameters; at->name != NULL; at++) {
            has_prefix = has_prefix || at->kind == BM_CLOUD_PREFIX;
            has_marker = has_marker || at->kind == BM_CLOUD_MARKER;
            assert_int_equal(at->value != NULL, at->kind == BM_CLOUD_FIXED);
            assert_true(at[1].name == NULL || strcmp(at->name, at[1].name) < 0);
        }
        assert_true(has_prefix && has_marker && row->n_names > 0 && !row->is_web);
        assert_true(row->parse != NULL && row->find_credential != NULL);
        assert_int_equal(row->copy_range != NULL, row->add_copy_source != NULL);
        assert_int_equal(row->copy_range != NULL, row->copy_if_match != NULL);
        assert_int_equal(bm_cloud_provider_find(row->prefix), i);
        assert_int_equal(i == BM_PROVIDER_AZURE, row->v4.algorithm == NULL); /* which upload.c knows it by */
        bool has_variables = row->find_credential == bm_cloud_credential_find_variables;
        assert_true(row->parse != bm_cloud_location_parse_bucket || row->address != NULL);
        assert_true(!has_variables || (row->variables.id != NULL && row->variables.secret != NULL &&
                                       row->variables.keys != NULL));
    }
    assert_string_equal(bm_cloud_provider_prefixes("or", prefixes), "az://, s3:// or gs://");
}

static void knows_folders(void **state) {
    static const struct {
        const char *string;
        bool is_folder;
    } cases[] = {
        {"s3://bucket", true},
        {"s3://bucket/", true},
        {"S3://bucket/a/b/", true},
        {"gs://bucket/a", true},
        {"az://acct/container", true},
        {"az://acct/container/", true},
        {"AZ://acct/container/a/b", true},
        {"s3://", false},
        {"gs://", false},
        {"az://", false},
        {"s3:///", false},
        {"s3:///x", false},
        {"s3:////", false},
        {"az://acct", false},
        {"az://acct/", false},
        {"az://acct//", false},
        {"az:///container/x", false},
        {"az://acct//x", false},
        {"s3://./x", false},
        {"s3://../x", false},
        {"s3://bucket/..", false},
        {"s3://bucket/../other", false},
        {"s3://bucket/a/./b", false},
        {"s3://bucket//a", false},
        {"az://acct/..", false},
        {"az://acct/c/../d", false},
        {"s3://bucket/*", false},
        {"s3://bucket?x", false},
        {"s3://bucket#x", false},
        {"s3://bucket/%2e%2e", false},
        {"s3://b\\c", false},
        {"s3://KEY:SECRET@b", false},
        {"s3://b@c/d", false},
        {"s3://b/a\nb", false},
        {"http://host/x", false},
        {"HTTPS://host/x", false},
        {"/folder", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (bm_cloud_location_is_folder(cases[i].string) != cases[i].is_folder)
            fail_msg("%s", cases[i].string);
    }
}

static void codes(void **state) {
    char place[64];
    uint8_t bytes[8];
    size_t n = 0;
    uint64_t value = 0;
    (void)state;
    struct bm_cloud_text text = bm_cloud_text_in(place, sizeof place);
    bm_cloud_text_encode(&text, "a b/\xc3\xa4~", 7, true);
    assert_string_equal(place, "a%20b/%C3%A4~");
    text = bm_cloud_text_in(place, sizeof place);
    bm_cloud_text_decode(&text, "a%20b%4", 7);
    assert_string_equal(place, "a b%4");
    text = bm_cloud_text_in(place, 5);
    bm_cloud_text_add(&text, "abc");
    bm_cloud_text_add(&text, "de");
    assert_true(text.is_cut);
    assert_string_equal(place, "abc");
    text = bm_cloud_text_in(place, sizeof place);
    bm_cloud_text_base64(&text, (const uint8_t *)"foobar!", 7);
    assert_string_equal(place, "Zm9vYmFyIQ==");
    assert_true(bm_cloud_base64_decode(place, bytes, sizeof bytes, &n));
    assert_int_equal(n, 7);
    assert_memory_equal(bytes, "foobar!", 7);
    assert_false(bm_cloud_base64_decode("Zm9vYmFyIQ==", bytes, 6, &n));
    assert_false(bm_cloud_base64_decode("Zm 9", bytes, sizeof bytes, &n));
    assert_int_equal(bm_cloud_parse_time("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    assert_int_equal(bm_cloud_parse_time("1994-11-06T08:49:37Z"), 784111777);
    assert_int_equal(bm_cloud_parse_time("yesterday"), -1);
    assert_true(bm_cloud_parse_count("123", 3, &value));
    assert_false(bm_cloud_parse_count("12a", 3, &value));
    assert_false(bm_cloud_parse_count("1234567890123456789", 19, &value));
    assert_false(bm_cloud_parse_count("", 0, &value));
}

static void finds_headers(void **state) {
    size_t n = 0;
    (void)state;
    const char *value = bm_cloud_find_header("A: 1\nAB: 22\n", "ab", &n);
    assert_int_equal(n, 2);
    assert_memory_equal(value, "22", 2);
    assert_null(bm_cloud_find_header("A: 1\nAB: 22\n", "B", &n));
}

#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "cloud/library.h"
#include "cloud/retry.h"
#include "cloud/sign.h"
#include "cloud/url.h"
#include "cloud/xml.h"

static struct bm_cloud_location parse(const char *string, const char *endpoint) {
    struct bm_cloud_location location;
    struct blastmerge_error error;
    assert_int_equal(bm_cloud_location_parse(&location, string, endpoint, &error), BLASTMERGE_OK);
    return location;
}

static void refuses(const char *string) {
    struct bm_cloud_location location;
    struct blastmerge_error error;
    assert_int_equal(bm_cloud_location_parse(&location, string, NULL, &error), BLASTMERGE_USAGE);
}

static void parses_locations(void **state) {
    (void)state;
    struct bm_cloud_location l = parse("s3://bucket/a b/\xc3\xa4.gz", NULL);
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
        "s3://KEY:SECRET@bucket/key",
        "s3://@bucket/key",
        "s3://bucket/key?sig=x",
        "S3://bucket/key?",
        "s3://bucket/key#x",
        "az://account/container/blob?sv=1&sig=x",
        "az://account/container/blob#sig=x",
        "az://u:p@account/container/blob",
        "az://evil.example/container/blob",
        "gs://bucket/key?x",
        "http://127.0.0.1:x@h/x",
        "HTTPS://u@h/x",
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

static void takes_urls_apart(void **state) {
    static const struct {
        const char *url, *origin;
        bool is_loopback;
    } cases[] = {
        {"http://127.0.0.1:80/x", "http://127.0.0.1", true},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080", true},
        {"http://127.255.255.254/", "http://127.255.255.254", true},
        {"HTTP://LocalHost/x", "http://localhost", true},
        {"http://localhost./x", "http://localhost", true},
        {"http://[::1]:81/", "http://[::1]:81", true},
        {"http://[0:0:0:0:0:0:0:1]/", "http://[::1]", true},
        {"http://0x7f.1/", "http://127.0.0.1", true}, /* whatever it is called, that is where it goes */
        {"http://2130706433/", "http://127.0.0.1", true},
        {"http://0177.0.0.1/", "http://127.0.0.1", true},
        {"http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]", false},
        {"http://127.0.0.1.example.org/", "http://127.0.0.1.example.org", false},
        {"http://localhost.example.org/", "http://localhost.example.org", false},
        {"http://localhostx/", "http://localhostx", false},
        {"http://128.0.0.1/", "http://128.0.0.1", false},
        {"http://127.example.org/", "http://127.example.org", false},
        {"https://Host.Example.ORG.:443/a?b", "https://host.example.org", false},
        {"https://host:8443/", "https://host:8443", false},
        {"http://evil.example/127.0.0.1", "http://evil.example", false},
        {"http://evil.example?@127.0.0.1/", "http://evil.example", false},
        {"http://evil.example#@127.0.0.1/", "http://evil.example", false},
        /* refused */
        {"http://127.0.0.1:x@evil.example/", NULL, false},
        {"http://127.0.0.1@evil.example/", NULL, false},
        {"http://evil.example@127.0.0.1/", NULL, false},
        {"http://:@host/", NULL, false},
        {"http://127.0.0.1\\@evil.example/", NULL, false},
        {"http://evil.example\\.127.0.0.1/", NULL, false},
        {"http:///127.0.0.1/", NULL, false},
        {"http://host:99999/", NULL, false},
        {"http://host:x/", NULL, false},
        {"http://[::1/", NULL, false},
        {"http://[::1]evil.example/", NULL, false},
        {"http://[fe80::1%25eth0]/", NULL, false},
        {"http://1.2.3/4", "http://1.2.0.3", false},
        {"http://1.2.3.4.5/", NULL, false},
        {"http://256.0.0.1/", NULL, false},
        {"http://host.0x7f/", NULL, false},
        {"http://..host/", NULL, false},
        {"http://ho st/", NULL, false},
        {"http://h\xc3\xb6st/", NULL, false},
        {"http://127.0.0.1\xe3\x80\x82"
         "evil/",
         NULL, false},
        {"http://host/a\nb", NULL, false},
        {"http://host/a\tb", NULL, false},
        {"http://", NULL, false},
        {"https:/host/", NULL, false},
        {"ftp://host/", NULL, false},
        {"//host/", NULL, false},
        {"host", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bm_cloud_url url;
        struct blastmerge_error error = {0};
        enum blastmerge_status status = bm_cloud_url_parse(&url, cases[i].url, &error);
        if ((status == BLASTMERGE_OK) != (cases[i].origin != NULL))
            fail_msg("%s: %s", cases[i].url, status == BLASTMERGE_OK ? url.origin : error.message);
        if (status != BLASTMERGE_OK) {
            assert_int_equal(status, BLASTMERGE_USAGE);
            continue;
        }
        assert_string_equal(url.origin, cases[i].origin);
        if (bm_cloud_url_is_loopback(&url) != cases[i].is_loopback) fail_msg("%s", cases[i].url);
    }
}

static void knows_where_secrets_may_go(void **state) {
    static const struct {
        const char *url;
        bool loopback, aws, azure;
    } cases[] = {
        {"https://anywhere.example/", true, true, true},
        {"http://127.0.0.1:1/", true, true, true},
        {"http://[::1]:1/", true, true, true},
        {"http://169.254.169.254/", false, true, true},
        {"http://169.254.170.2/x", false, true, true},
        {"http://169.254.170.23/x", false, true, true},
        {"http://[FD00:EC2::254]/", false, true, false},
        {"http://[fd00:ec2:0::23]/", false, true, false},
        {"http://169.254.129.2:8081/msi/token", false, false, true},
        {"http://2852039166/", false, true, true}, /* 169.254.169.254 */
        {"http://169.254.169.254.example.org/", false, false, false},
        {"http://169.254.example.org/", false, false, false},
        {"http://10.0.0.1/", false, false, false},
        {"http://172.16.0.1/", false, false, false},
        {"http://example.org/", false, false, false},
        {"http://example.org/127.0.0.1", false, false, false},
        {"http://127.0.0.1@example.org/", false, false, false},
        {"http://169.254.169.254#@example.org/", false, false, false}, /* not as a setting */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bool expected[] = {cases[i].loopback, cases[i].aws, cases[i].azure};
        for (unsigned near = 0; near < 3; near++) {
            struct bm_cloud_url url;
            struct blastmerge_error error = {0};
            enum blastmerge_status status =
                bm_cloud_url_parse_safe(&url, cases[i].url, (enum bm_cloud_url_near)near, "SETTING", &error);
            if ((status == BLASTMERGE_OK) != expected[near]) fail_msg("%s %u", cases[i].url, near);
            if (status != BLASTMERGE_OK) assert_int_equal(strncmp(error.message, "SETTING ", 8), 0);
        }
    }
}

static void knows_azure_by_labels(void **state) {
    static const struct {
        const char *url;
        bool is_azure;
    } cases[] = {
        {"https://acct.blob.core.windows.net/c/b", true},
        {"https://ACCT.Blob.Core.Windows.NET/c/b", true},
        {"https://acct.blob.core.windows.net./c/b", true},
        {"https://acct.blob.core.windows.net:8443/c/b", true},
        {"https://%61cct.blob.core.windows.net/c/b", true},
        {"https://acct.blob.core.chinacloudapi.cn/c/b", true},
        {"https://acct.blob.core.usgovcloudapi.net/c/b", true},
        {"https://acct.z12.blob.storage.azure.net/c/b", true},
        {"https://acct-secondary.blob.core.windows.net/c/b", true},
        {"https://acct.blob.core.evil.example/c/b", false},
        {"https://acct.blob.core.windows.net.evil.example/c/b", false},
        {"https://acct.blob.core.windows.netx/c/b", false},
        {"https://acct.blob.core.windows.evil/c/b", false},
        {"https://acctblob.core.windows.net/c/b", false},
        {"https://blob.core.windows.net/c/b", false},
        {"https://a.b.blob.core.windows.net/c/b", false},
        {"https://acct.blob.core.windows/c/b", false},
        {"https://acct.xblob.core.windows.net/c/b", false},
        {"https://acct.z.blob.storage.azure.net/c/b", false},
        {"https://acct.zz.blob.storage.azure.net/c/b", false},
        {"https://evil.example/acct.blob.core.windows.net/c/b", false},
        {"https://evil.example?acct.blob.core.windows.net/c/b", false},
        {"https://evil.example#.blob.core.windows.net/c/b", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bm_cloud_location location = parse(cases[i].url, NULL);
        if ((location.provider == BM_PROVIDER_AZURE) != cases[i].is_azure) fail_msg("%s", cases[i].url);
        if (cases[i].is_azure) assert_int_equal(strncmp(location.account, "acct", 4), 0);
    }
    /* an endpoint is that origin, and its path up to a slash */
    const char *endpoint = "https://store.example/base/";
    assert_int_equal(parse("https://STORE.example:443/base/c/b", endpoint).provider, BM_PROVIDER_AZURE);
    assert_int_equal(parse("https://store.example/basex/c/b", endpoint).provider, BM_PROVIDER_HTTP);
    assert_int_equal(parse("http://store.example/base/c/b", endpoint).provider, BM_PROVIDER_HTTP);
    assert_int_equal(parse("https://store.example.evil/base/c/b", endpoint).provider, BM_PROVIDER_HTTP);
    /* a signature is one however it is spelled */
    assert_true(parse("https://acct.blob.core.windows.net/c/b?sv=1&%73ig=x", NULL).has_sas);
    assert_true(parse("https://custom.example/c/b?SV=1&Sig=x", NULL).has_sas);
    assert_false(parse("https://acct.blob.core.windows.net/c/b?sv=1&xsig=x", NULL).has_sas);
}

static void refuses_endpoints(void **state) {
    static const char *const endpoints[] = {
        "http://198.51.100.1",
        "http://127.0.0.1:x@198.51.100.1",
        "http://localhost.example.org",
        "http://0xc6336401/",
        "https://u:p@host",
        "https://host/?x=1",
        "https://host/#x",
        "ftp://host",
        "host",
    };
    static const char *const locations[] = {"s3://bucket/key", "gs://bucket/key", "az://acct/container/key"};
    (void)state;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        for (size_t j = 0; j < sizeof locations / sizeof *locations; j++) {
            struct bm_cloud_location location;
            struct blastmerge_error error = {0};
            enum blastmerge_status status =
                bm_cloud_location_parse(&location, locations[j], endpoints[i], &error);
            if (status == BLASTMERGE_OK) fail_msg("%s", endpoints[i]);
            assert_int_equal(strncmp(error.message, "its endpoint ", 13), 0);
        }
    }
}

static void refuses_odd_headers(void **state) {
    static const char *const values[] = {"a\nX-Evil: 1", "a\rb", "a\tb", "\x01", "\x7f", "\n"};
    char data[64];
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct bm_cloud_text text = bm_cloud_text_in(data, sizeof data);
        struct blastmerge_error error = {0};
        bm_cloud_text_header(&text, "If-Match", "", values[i]);
        assert_true(text.is_cut);
        assert_string_equal(data, "");
        assert_int_equal(bm_cloud_check_secret(values[i], "THE_TOKEN", &error), BLASTMERGE_DENIED);
        assert_non_null(strstr(error.message, "THE_TOKEN"));
    }
    struct bm_cloud_text text = bm_cloud_text_in(data, sizeof data);
    bm_cloud_text_header(&text, "Authorization", "Bearer ", "abc def");
    assert_false(text.is_cut);
    assert_string_equal(data, "Authorization: Bearer abc def\n");
}

static void reads_xml(void **state) {
    static const char text[] =
        "<?xml version='1.0'?><!-- <Code>no</Code> --><s:A xmlns:s='x'><Empty/><Code>a&amp;b&#x20AC;&unknown;"
        "</Code><Code>second</Code></s:A>";
    char value[64];
    (void)state;
    assert_true(bm_cloud_xml_find(text, sizeof text - 1, "Code", value, sizeof value));
    assert_string_equal(value, "a&b\xe2\x82\xac&unknown;");
    assert_true(bm_cloud_xml_find(text, sizeof text - 1, "Empty", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(bm_cloud_xml_find(text, sizeof text - 1, "B", value, sizeof value));
    for (size_t n = 0; n < sizeof text; n++) { /* cut anywhere, in memory of just that size */
        char *cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, text, n);
        struct bm_cloud_xml xml = bm_cloud_xml_open(cut, n);
        size_t n_tokens = 0;
        while (bm_cloud_xml_next(&xml) != BM_XML_NOTHING) assert_true(++n_tokens < 100);
        free(cut);
    }
}

/* Both from the examples in "Signature Calculations for the Authorization Header", of the S3 API reference.
 */
static void signs_as_aws_says(void **state) {
    struct blastmerge_error error;
    struct bm_cloud_location location = {.provider = BM_PROVIDER_S3,
                                         .origin = "https://examplebucket.s3.amazonaws.com",
                                         .path = "/test.txt",
                                         .region = "us-east-1"};
    struct bm_cloud_credential credential = {.kind = BM_CREDENTIAL_AWS,
                                             .id = "AKIAIOSFODNN7EXAMPLE",
                                             .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
    struct bm_cloud_sign sign = {.method = "GET",
                                 .location = &location,
                                 .path = "/test.txt",
                                 .query = "",
                                 .headers = "Range: bytes=0-9\n",
                                 .credential = &credential,
                                 .now = 1369353600};
    char headers[BM_SIGN_HEADERS];
    (void)state;
    assert_non_null(bm_cloud_library(&error));
    assert_true(bm_cloud_sign(&sign, headers));
    assert_non_null(
        strstr(headers, "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\n"));
    sign.path = "/";
    sign.query = "max-keys=2&prefix=J";
    sign.headers = "";
    assert_true(bm_cloud_sign(&sign, headers));
    assert_non_null(
        strstr(headers, "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\n"));
}

static void pauses_grow_and_end(void **state) {
    (void)state;
    assert_int_equal(bm_cloud_retry_delay(1, 500, 500), 500);
    assert_int_equal(bm_cloud_retry_delay(1, 500, 501), 0);
    assert_int_equal(bm_cloud_retry_delay(4, 500, 4000), 4000);
    assert_true(bm_cloud_retry_delay(1000, 500, UINT64_MAX) <= 60000);
    assert_int_equal(bm_cloud_retry_delay(3, 0, 12345), 0);
}

static enum bm_cloud_verdict judge(struct bm_cloud *cloud, CURLcode curl, long http_status, const char *code,
                                   int64_t skew) {
    struct blastmerge_error error = {0};
    struct bm_cloud_request *request = calloc(1, sizeof *request);
    assert_non_null(request);
    request->cloud = cloud;
    request->error = &error;
    request->http_status = http_status;
    request->date = bm_cloud_now(cloud) + skew;
    assert_true(bm_cloud_copy_text(request->code, sizeof request->code, code));
    enum bm_cloud_verdict verdict = bm_cloud_retry_judge(request, curl);
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
        enum bm_cloud_verdict verdict;
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
    bm_cancel_init(&cancel);
    assert_int_equal(bm_cancel_begin(&cancel, &error), BLASTMERGE_OK);
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
            n_bytes += plan.n_first * (plan.first + BM_CLOUD_CONNECTION);
            assert_true(plan.n_first <= BM_CLOUD_MOST_FIRST);
            assert_true(use.n_lanes > 0 || plan.n_first == 0);
            assert_true(plan.window >= 65536 && plan.first >= 65536);
            if (use.n_lanes > 0 && mib >= 64) assert_true(plan.n_first >= 16);
            if (use.is_output_remote) n_bytes += plan.n_parts * plan.part;
            if (use.is_report_remote) n_bytes += BM_CLOUD_REPORT_PARTS * plan.report_part;
            n_bytes += plan.list;
            assert_true(use.has_lists ? plan.list >= 1 << 20 : plan.list == 0);
            assert_true(n_bytes <= mib << 20);
        }
    }
}

static void plans_without_a_limit(void **state) {
    struct bm_cloud_use use = {4, true, true, true};
    struct bm_cloud_plan plan;
    struct bm_cloud_plan same;
    struct blastmerge_error error;
    (void)state;
    memset(&plan, 0, sizeof plan);
    memset(&same, 0, sizeof same);
    assert_int_equal(bm_cloud_make_plan(0, use, &plan, &error), BLASTMERGE_OK);
    assert_int_equal(bm_cloud_make_plan((uint64_t)64 << 20, use, &same, &error), BLASTMERGE_OK);
    assert_true(plan.window == same.window && plan.n_first == same.n_first && plan.part == same.part);
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
        cmocka_unit_test(has_whole_rows_of_providers),
        cmocka_unit_test(has_whole_rows_of_providers),
        cmocka_unit_test(knows_folders),
        cmocka_unit_test(shows_text),
        cmocka_unit_test(shows_messages),
        cmocka_unit_test(codes),
        cmocka_unit_test(finds_headers),
#ifdef BLASTMERGE_CLOUD
        cmocka_unit_test(parses_locations),
        cmocka_unit_test(refuses_locations),
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(knows_where_secrets_may_go),
        cmocka_unit_test(knows_azure_by_labels),
        cmocka_unit_test(refuses_endpoints),
        cmocka_unit_test(refuses_odd_headers),
        cmocka_unit_test(reads_xml),
        cmocka_unit_test(signs_as_aws_says),
        cmocka_unit_test(pauses_grow_and_end),
        cmocka_unit_test(judges_what_passes),
        cmocka_unit_test(plans_within_the_limit),
        cmocka_unit_test(plans_without_a_limit),
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
