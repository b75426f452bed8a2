/* SPDX-License-Identifier: MIT */
/* Uploads of as many parts as a store takes, and of one more; and no waiting in vain. The parts are short and
 * libcurl is one of our own, which does at once what a store would: with real ones it would take 50 GB. */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "curl_stub.h"
#include "fetch/fetch.h"
#include "store/store.h"

#include "cloud/cloud.h"

#include <stdlib.h>
#include <string.h>

enum { PART = 256 };

/* --- a store that takes everything --------------------------------------------------------------- */

struct handle {
    struct transfer transfer;
    const char *method;
    const char *body;
    size_t n_body;
    char query[512];
    bool is_for_credential;
};

static struct { size_t n_parts, n_puts, n_commits, n_aborts, n_listed, n_part_bytes, n_waits; } seen;

static bool is_look_forbidden;
static const char *patience; /* what aborts and credentials' servers ask for, or NULL: there is no need */

static CURL *make_handle(void) {
    return calloc(1, sizeof(struct handle));
}

static void free_handle(CURL *easy) {
    free(easy);
}

static void reset_handle(CURL *easy) {
    memset(easy, 0, sizeof(struct handle));
}

static void keep_url(struct handle *handle, const char *url) {
    const char *query = strchr(url, '?');
    handle->is_for_credential = strstr(url, "://169.254.169.254/") != NULL;
    strncpy(handle->query, query == NULL ? "" : query + 1, sizeof handle->query - 1);
}

static CURLcode set_option(CURL *easy, CURLoption option, ...) {
    struct handle *handle = easy;
    va_list arguments;
    va_start(arguments, option);
    if (!stub_take_option(&handle->transfer, option, arguments) && option == CURLOPT_URL)
        keep_url(handle, va_arg(arguments, const char *));
    if (option == CURLOPT_CUSTOMREQUEST) handle->method = va_arg(arguments, const char *);
    if (option == CURLOPT_POSTFIELDS) handle->body = va_arg(arguments, const char *);
    if (option == CURLOPT_POSTFIELDSIZE_LARGE) handle->n_body = (size_t)va_arg(arguments, curl_off_t);
    va_end(arguments);
    return CURLE_OK;
}

static void say(struct transfer *transfer, const char *line) {
    char copy[64];
    strncpy(copy, line, sizeof copy - 1);
    assert_int_equal(transfer->on_header(copy, 1, strlen(line), transfer->header_context), strlen(line));
}

static size_t count(const char *text, size_t n_text, const char *word) {
    size_t n = 0;
    const char *end = text + n_text;
    while ((text = memmem(text, (size_t)(end - text), word, strlen(word))) != NULL) n++, text++;
    return n;
}

static const char *answer_to(const struct handle *handle) {
    bool is_list = strstr(handle->query, "comp=blocklist") != NULL;
    bool is_block = strstr(handle->query, "comp=block") != NULL && !is_list;
    if (strcmp(handle->method, "DELETE") == 0) {
        seen.n_aborts++;
    } else if (is_block || strstr(handle->query, "partNumber=") != NULL) {
        seen.n_parts++;
        seen.n_part_bytes += handle->n_body;
    } else if (strstr(handle->query, "uploads=") != NULL) {
        return "<UploadId>u</UploadId>";
    } else if (handle->query[0] == '\0') {
        seen.n_puts++;
    } else {
        seen.n_commits++;
        seen.n_listed =
            count(handle->body, handle->n_body, "<Part>") + count(handle->body, handle->n_body, "<Latest>");
        return "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    }
    return "";
}

static void answer(struct handle *handle) {
    char body[128];
    if (strcmp(handle->method, "HEAD") == 0) {
        say(&handle->transfer,
            is_look_forbidden ? "HTTP/1.1 403 Forbidden\r\n" : "HTTP/1.1 404 Not Found\r\n");
        return;
    }
    strncpy(body, answer_to(handle), sizeof body - 1);
    if (patience != NULL && (handle->is_for_credential || strcmp(handle->method, "DELETE") == 0)) {
        say(&handle->transfer, "HTTP/1.1 503 Slow Down\r\n");
        say(&handle->transfer, patience);
        return;
    }
    say(&handle->transfer, "HTTP/1.1 201 Created\r\n");
    say(&handle->transfer, "ETag: \"0123456789abcdef0123456789abcdef\"\r\n");
    if (body[0] != '\0')
        assert_int_equal(handle->transfer.on_body(body, 1, strlen(body), handle->transfer.body_context),
                         strlen(body));
}

static CURLMcode perform(CURLM *multi, int *n_left) {
    (void)multi;
    while (stub_n_running > 0) {
        struct transfer *transfer = stub_running[stub_n_running - 1];
        answer((struct handle *)transfer);
        stub_end(transfer, CURLE_OK);
    }
    *n_left = 0;
    return CURLM_OK;
}

static CURLMcode wait_for(CURLM *multi, struct curl_waitfd *extra, unsigned n_extra, int timeout_ms,
                          int *n_ready) {
    (void)multi;
    (void)extra;
    (void)n_extra;
    stub_clock_ms += timeout_ms;
    assert_true(++seen.n_waits < 1000);
    *n_ready = 0;
    return CURLM_OK;
}

static struct curl_slist *append(struct curl_slist *list, const char *string) {
    static struct curl_slist item;
    (void)list;
    (void)string;
    return &item;
}

static void free_list(struct curl_slist *list) {
    (void)list;
}

const struct bm_cloud_library *bm_cloud_library(struct blastmerge_error *error) {
    static const struct bm_cloud_library library = {
        .easy_init = make_handle,
        .easy_cleanup = free_handle,
        .easy_reset = reset_handle,
        .easy_setopt = set_option,
        .easy_getinfo = stub_get_information,
        .easy_strerror = stub_text_of,
        .multi_init = stub_make_multi,
        .multi_cleanup = stub_free_multi,
        .multi_setopt = stub_set_multi_option,
        .multi_add_handle = stub_add,
        .multi_remove_handle = stub_drop,
        .multi_perform = perform,
        .multi_poll = wait_for,
        .multi_info_read = stub_next_message,
        .slist_append = append,
        .slist_free_all = free_list,
    };
    (void)error;
    return &library;
}

void bm_cloud_sha256(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_SHA256]) {
    (void)data;
    memset(digest, (int)(n_bytes & 0xff), BM_CLOUD_SHA256);
}

void bm_cloud_md5(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_MD5]) {
    (void)data;
    memset(digest, (int)(n_bytes & 0xff), BM_CLOUD_MD5);
}

void bm_cloud_hmac(const void *key, size_t n_key, const void *data, size_t n_bytes,
                   uint8_t code[BM_CLOUD_SHA256]) {
    (void)key;
    (void)n_key;
    bm_cloud_sha256(data, n_bytes, code);
}

/* --- uploads ------------------------------------------------------------------------------------- */

static struct bm_memory memory;
static struct bm_cancel cancel;
static struct bm_cloud *cloud;
static struct bm_store store;
static struct blastmerge_error error;

static const struct provider {
    const char *location;
    size_t max_parts;
    size_t n_aborts; /* for an upload that is given up */
} providers[] = {{"s3://bucket/key", 10000, 1}, {"az://account/container/key", 50000, 0}};

static enum blastmerge_status open_store(const struct provider *provider, uint64_t n_expected) {
    struct bm_cloud_settings settings = {.memory = &memory, .cancel = &cancel};
    settings.plan = (struct bm_cloud_plan){
        .use = {.is_output_remote = true}, .window = PART, .part = PART, .report_part = PART, .n_parts = 3};
    memset(&seen, 0, sizeof seen);
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_cancel_open(&cancel, &error), BLASTMERGE_OK);
    assert_int_equal(bm_cloud_open(&cloud, &settings, &error), BLASTMERGE_OK);
    struct bm_store_remote remote = {cloud, provider->location, provider->location, n_expected};
    return bm_store_open_remote(&store, &remote, false, false, &error);
}

static void close_store(void) {
    bm_cloud_close(cloud);
    bm_cancel_close(&cancel);
    assert_int_equal(memory.n_bytes, 0);
}

/* Writes so many bytes in pieces that fit parts badly. */
static enum blastmerge_status write_bytes(size_t n_bytes) {
    static const uint8_t bytes[1000];
    enum blastmerge_status status = BLASTMERGE_OK;
    while (n_bytes > 0 && status == BLASTMERGE_OK) {
        size_t n = n_bytes < sizeof bytes ? n_bytes : sizeof bytes;
        status = bm_store_write(&store, bytes, n, &error);
        n_bytes -= n;
    }
    return status == BLASTMERGE_OK ? bm_store_prepare(&store, &error) : status;
}

static void takes_as_many_parts_as_there_may_be(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        size_t n_parts = providers[i].max_parts;
        assert_int_equal(open_store(&providers[i], n_parts * PART), BLASTMERGE_OK);
        assert_int_equal(write_bytes(n_parts * PART), BLASTMERGE_OK);
        assert_int_equal(seen.n_commits, 0);
        assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
        assert_int_equal(seen.n_parts, n_parts);
        assert_int_equal(seen.n_part_bytes, n_parts * PART);
        assert_int_equal(seen.n_listed, n_parts);
        assert_int_equal(seen.n_commits, 1);
        close_store();
    }
}

static void refuses_one_part_more(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        assert_int_equal(open_store(&providers[i], 0), BLASTMERGE_OK);
        assert_int_equal(write_bytes(providers[i].max_parts * PART + 1), BLASTMERGE_NO_MEMORY);
        assert_non_null(strstr(error.message, "--memory 29 "));
        bm_store_discard(&store);
        assert_int_equal(seen.n_parts, providers[i].max_parts);
        assert_int_equal(seen.n_commits, 0);
        assert_int_equal(seen.n_aborts, providers[i].n_aborts);
        close_store();
    }
}

/* Where the children's sizes tell, nothing is sent. */
static void refuses_before_anything_is_written(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        const uint64_t part = (uint64_t)100 << 20; /* takes 28 MiB and three parts */
        assert_int_equal(open_store(&providers[i], providers[i].max_parts * part), BLASTMERGE_NO_MEMORY);
        assert_non_null(
            strstr(error.message, "--memory 333 ")); /* and a little, as sizes are not quite known */
        close_store();
        assert_int_equal(open_store(&providers[i], providers[i].max_parts * (part << 6)),
                         BLASTMERGE_NO_SPACE);
        close_store();
        assert_int_equal(seen.n_parts + seen.n_puts + seen.n_commits, 0);
    }
}

/* Who waits for an answer that has just come, when nothing else is under way, waits for nothing. */
static void does_not_wait_for_what_is_there(void **state) {
    (void)state;
    assert_int_equal(open_store(&providers[0], 0), BLASTMERGE_OK);
    struct bm_source source = bm_source_remote("s3://bucket/absent", NULL);
    source.location = source.name;
    source.cloud = cloud;
    seen.n_waits = 0;
    assert_int_equal(bm_source_look(&source, &error), BLASTMERGE_NOT_FOUND);
    assert_int_equal(seen.n_waits, 0);
    bm_store_discard(&store);
    close_store();
}

/* A request is not due while a credential is waited for: nobody looks at it again and again. */
static void sleeps_while_a_credential_is_waited_for(void **state) {
    (void)state;
    assert_int_equal(open_store(&providers[1], 0), BLASTMERGE_OK);
    bm_store_discard(&store);
    struct bm_source sources[] = {bm_source_remote("s3://bucket/absent", NULL),
                                  bm_source_remote("s3://bucket/gone", NULL)};
    unsetenv("AWS_ACCESS_KEY_ID");
    patience = "Retry-After: 3\r\n";
    int64_t began_ms = stub_clock_ms;
    seen.n_waits = 0;
    for (size_t i = 0; i < 2; i++) {
        sources[i].location = sources[i].name;
        sources[i].cloud = cloud;
        bm_source_begin_look(&sources[i]);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(bm_source_look(&sources[i], &error), BLASTMERGE_NOT_FOUND);
    patience = NULL;
    setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    assert_true(stub_clock_ms - began_ms >= 3000);
    assert_true(seen.n_waits <= (size_t)(stub_clock_ms - began_ms) / 1000 + 1);
    close_store();
}

/* Who may write need not be allowed to look: that is no error, and leaves none. */
static void goes_on_where_it_may_not_look(void **state) {
    (void)state;
    is_look_forbidden = true;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        assert_int_equal(open_store(&providers[i], 0), BLASTMERGE_OK);
        assert_int_equal(error.status, BLASTMERGE_OK);
        assert_string_equal(error.message, "");
        assert_int_equal(write_bytes(PART), BLASTMERGE_OK);
        assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
        assert_int_equal(seen.n_puts, 1);
        close_store();
    }
    is_look_forbidden = false;
}

/* An upload is given up while somebody waits for the program to end: it waits as a server asks, but not long.
 */
static void gives_up_without_much_patience(void **state) {
    static const struct {
        const char *patience;
        size_t n_aborts;
        int64_t waited_ms;
    } cases[] = {
        {"Retry-After: 2\r\n", 3, 4000}, {"Retry-After: 11\r\n", 1, 0}, {"Retry-After: 300\r\n", 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(open_store(&providers[0], 0), BLASTMERGE_OK);
        assert_int_equal(write_bytes(3 * PART), BLASTMERGE_OK);
        int64_t began_ms = stub_clock_ms;
        patience = cases[i].patience;
        bm_store_discard(&store);
        patience = NULL;
        assert_int_equal(seen.n_aborts, cases[i].n_aborts);
        assert_int_equal(stub_clock_ms - began_ms, cases[i].waited_ms);
        assert_non_null(strstr(store.left_over, "could not be given up"));
        close_store();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_as_many_parts_as_there_may_be),
        cmocka_unit_test(refuses_one_part_more),
        cmocka_unit_test(refuses_before_anything_is_written),
        cmocka_unit_test(does_not_wait_for_what_is_there),
        cmocka_unit_test(sleeps_while_a_credential_is_waited_for),
        cmocka_unit_test(goes_on_where_it_may_not_look),
        cmocka_unit_test(gives_up_without_much_patience),
    };
    static const char *const variables[] = {"AWS_ENDPOINT_URL",
                                            "AWS_ENDPOINT_URL_S3",
                                            "AZURE_STORAGE_CONNECTION_STRING",
                                            "AZURE_STORAGE_ACCOUNT",
                                            "AZURE_STORAGE_SERVICE_ENDPOINT",
                                            "AWS_WEB_IDENTITY_TOKEN_FILE",
                                            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                            "AWS_SHARED_CREDENTIALS_FILE",
                                            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                            "AWS_EC2_METADATA_DISABLED",
                                            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                            "AWS_PROFILE",
                                            "HOME"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
    setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
    setenv("AZURE_STORAGE_KEY", "c2VjcmV0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
    return 0;
}
#endif
