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

enum { PART = 256, LEAST = 100 };

/* --- a store that takes everything --------------------------------------------------------------- */

static struct {
    size_t n_parts, n_puts, n_commits, n_aborts, n_listed, n_part_bytes, n_waits, n_copies;
    uint64_t copy_end;   /* where the next copy must begin */
    uint64_t n_least;    /* bytes of the shortest copy ... */
    uint64_t n_most;     /* ... and of the longest */
    char source[4096];   /* the last one's */
    char authority[128]; /* and what lets the store read it */
} seen;

static bool is_look_forbidden;
static const char *patience; /* what aborts and credentials' servers ask for, or NULL: there is no need */

static const char *token; /* what a credentials' server answers, or NULL */

static void say(struct transfer *transfer, const char *line) {
    stub_say(transfer, line, strlen(line));
}

static size_t count(const char *text, size_t n_text, const char *word) {
    size_t n = 0;
    const char *end = text + n_text;
    while ((text = memmem(text, (size_t)(end - text), word, strlen(word))) != NULL) n++, text++;
    return n;
}

static const char *refusal; /* what copies are answered, or NULL: they succeed */

/* The first of two headers, one of which is there; or "". */
static const char *header_of(const struct transfer *transfer, const char *name, const char *other) {
    const char *value = stub_header(transfer, name);
    if (value == NULL) value = stub_header(transfer, other);
    return value == NULL ? "" : value;
}

static const char *answer_to_copy(const struct transfer *transfer) {
    unsigned long long first = 0;
    unsigned long long last = 0;
    const char *range = header_of(transfer, "x-ms-source-range: ", "x-amz-copy-source-range: ");
    const char *condition = header_of(transfer, "x-ms-source-if-match: ", "x-amz-copy-source-if-match: ");
    assert_int_equal(sscanf(range, "bytes=%llu-%llu", &first, &last),
                     2); /* NOLINT(cert-err34-c): our own text */
    assert_string_equal(condition, "\"tag\"");
    assert_int_equal(transfer->n_sent, 0);
    assert_true(first == seen.copy_end && last >= first);
    uint64_t n = last - first + 1;
    seen.copy_end = last + 1;
    seen.n_least = seen.n_copies == 0 || n < seen.n_least ? n : seen.n_least;
    seen.n_most = n > seen.n_most ? n : seen.n_most;
    seen.n_copies++;
    snprintf(seen.source, sizeof seen.source, "%s",
             header_of(transfer, "x-ms-copy-source: ", "x-amz-copy-source: "));
    snprintf(seen.authority, sizeof seen.authority, "%s",
             header_of(transfer, "x-ms-copy-source-authorization: ", "none"));
    return "<CopyPartResult><ETag>&quot;e&quot;</ETag></CopyPartResult>";
}

static const char *answer_to(const struct transfer *transfer) {
    const char *query = stub_query(transfer);
    if (header_of(transfer, "x-ms-copy-source: ", "x-amz-copy-source: ")[0] != '\0')
        return answer_to_copy(transfer);
    bool is_list = strstr(query, "comp=blocklist") != NULL;
    bool is_block = strstr(query, "comp=block") != NULL && !is_list;
    if (strcmp(transfer->method, "DELETE") == 0) {
        seen.n_aborts++;
    } else if (is_block || strstr(query, "partNumber=") != NULL) {
        seen.n_parts++;
        seen.n_part_bytes += transfer->n_sent;
    } else if (strstr(query, "uploads=") != NULL) {
        return "<UploadId>u</UploadId>";
    } else if (query[0] == '\0') {
        seen.n_puts++;
    } else {
        seen.n_commits++;
        seen.n_listed = count(transfer->sent, transfer->n_sent, "<Part>") +
                        count(transfer->sent, transfer->n_sent, "<Latest>");
        return "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    }
    return "";
}

static void answer(struct transfer *transfer) {
    bool is_for_credential = strstr(transfer->url, "://169.254.169.254/") != NULL;
    if (strcmp(transfer->method, "HEAD") == 0) {
        say(transfer, is_look_forbidden ? "HTTP/1.1 403 Forbidden\r\n" : "HTTP/1.1 404 Not Found\r\n");
        return;
    }
    if (strcmp(transfer->method, "GET") == 0 && token != NULL) {
        say(transfer, "HTTP/1.1 200 OK\r\n");
        say(transfer, "\r\n");
        assert_true(stub_hand_out(transfer, token, strlen(token)));
        return;
    }
    size_t n_copies = seen.n_copies;
    const char *body = answer_to(transfer);
    if (refusal != NULL && seen.n_copies > n_copies) {
        say(transfer, refusal);
        return;
    }
    if (patience != NULL && (is_for_credential || strcmp(transfer->method, "DELETE") == 0)) {
        say(transfer, "HTTP/1.1 503 Slow Down\r\n");
        say(transfer, patience);
        return;
    }
    say(transfer, "HTTP/1.1 201 Created\r\n");
    say(transfer, "ETag: \"0123456789abcdef0123456789abcdef\"\r\n");
    say(transfer, "\r\n");
    if (body[0] != '\0') assert_true(stub_hand_out(transfer, body, strlen(body)));
}

static void stub_go_on(struct transfer *transfer) {
    answer(transfer);
    stub_end(transfer, CURLE_OK);
}

static void stub_waited(int timeout_ms) {
    (void)timeout_ms;
    assert_true(++seen.n_waits < 1000);
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
    settings.plan = (struct bm_cloud_plan){.use = {.is_output_remote = true},
                                           .window = PART,
                                           .part = PART,
                                           .report_part = PART,
                                           .n_parts = 3,
                                           .least_copy = LEAST};
    memset(&seen, 0, sizeof seen);
    bm_memory_open(&memory, NULL);
    bm_cancel_init(&cancel);
    assert_int_equal(bm_cancel_begin(&cancel, &error), BLASTMERGE_OK);
    assert_int_equal(bm_cloud_open(&cloud, &settings, &error), BLASTMERGE_OK);
    struct bm_store_remote remote = {cloud, provider->location, provider->location, "application/gzip",
                                     n_expected};
    return bm_store_open_remote(&store, &remote, false, false, &error);
}

static void close_store(void) {
    bm_cloud_close(cloud);
    bm_cancel_close(&cancel);
    assert_int_equal(memory.n_bytes, 0);
}

static void close_unfinished(void) {
    bm_store_discard(&store);
    close_store();
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

/* The children's lengths become known while the result is written: what cannot fit ends it before the next byte. */
static void refuses_as_soon_as_lengths_are_known(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        const uint64_t most = providers[i].max_parts * PART;
        assert_int_equal(open_store(&providers[i], 0), BLASTMERGE_OK);
        bm_store_expect(&store, most, 2 * most); /* what is likely does not count yet */
        assert_int_equal(write_bytes(1), BLASTMERGE_OK);
        close_unfinished();
        assert_int_equal(open_store(&providers[i], 0), BLASTMERGE_OK);
        bm_store_expect(&store, most + 1, providers[i].max_parts * ((uint64_t)100 << 20));
        assert_int_equal(write_bytes(1), BLASTMERGE_NO_MEMORY);
        assert_non_null(strstr(error.message, "--memory 333 "));
        close_unfinished();
        assert_int_equal(seen.n_parts + seen.n_puts + seen.n_commits, 0);
    }
}

/* Who waits for an answer that has just come, when nothing else is under way, waits for nothing. */
static void does_not_wait_for_what_is_there(void **state) {
    (void)state;
    assert_int_equal(open_store(&providers[0], 0), BLASTMERGE_OK);
    struct bm_fetch_source source = bm_fetch_source_remote("s3://bucket/absent", "s3://bucket/absent");
    source.cloud = cloud;
    seen.n_waits = 0;
    assert_int_equal(bm_fetch_source_look(&source, &error), BLASTMERGE_NOT_FOUND);
    assert_int_equal(seen.n_waits, 0);
    bm_store_discard(&store);
    close_store();
}

/* A request is not due while a credential is waited for: nobody looks at it again and again. */
static void sleeps_while_a_credential_is_waited_for(void **state) {
    (void)state;
    assert_int_equal(open_store(&providers[1], 0), BLASTMERGE_OK);
    bm_store_discard(&store);
    struct bm_fetch_source sources[] = {bm_fetch_source_remote("s3://bucket/absent", "s3://bucket/absent"),
                                        bm_fetch_source_remote("s3://bucket/gone", "s3://bucket/gone")};
    unsetenv("AWS_ACCESS_KEY_ID");
    patience = "Retry-After: 3\r\n";
    int64_t began_ms = stub_clock_ms;
    seen.n_waits = 0;
    for (size_t i = 0; i < 2; i++) {
        sources[i].cloud = cloud;
        bm_fetch_source_begin_look(&sources[i]);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(bm_fetch_source_look(&sources[i], &error), BLASTMERGE_NOT_FOUND);
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
    for (size_t i = 0; i < 2 * (sizeof providers / sizeof *providers); i++) {
        bool is_staged = i % 2 != 0;
        assert_int_equal(open_store(&providers[i / 2], 0), BLASTMERGE_OK);
        assert_int_equal(error.status, BLASTMERGE_OK);
        assert_string_equal(error.message, "");
        assert_int_equal(write_bytes(is_staged ? 3 * PART : PART), BLASTMERGE_OK);
        assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
        assert_int_equal(error.status, BLASTMERGE_OK);
        assert_string_equal(error.message, "");
        assert_int_equal(is_staged ? seen.n_commits : seen.n_puts, 1);
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
        assert_non_null(strstr(store.left_over, "could not abort the upload"));
        close_store();
    }
}

/* --- parts that the store copies ----------------------------------------------------------------- */

static const char *const sources[] = {"s3://other/a part", "az://account/other/a part"};

static struct bm_store_span span_of(const char *location, uint64_t n_bytes) {
    return (struct bm_store_span){
        .location = location, .name = location, .etag = "\"tag\"", .offset = 96, .n_bytes = n_bytes};
}

/* Of a span of any length no byte is left out or copied twice, and each piece has a length that the stores take. */
static void copies_spans_of_any_length(void **state) {
    static const uint64_t lengths[] = {LEAST, 256 << 20, (256 << 20) + 1, (uint64_t)3 << 30,
                                       (uint64_t)40 << 40};
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof lengths / sizeof *lengths); i++) {
        struct bm_store_span span = span_of(sources[i % 2], lengths[i / 2]);
        bool is_done = false;
        assert_int_equal(open_store(&providers[i % 2], 0), BLASTMERGE_OK);
        bm_store_expect_copies(&store, 1, span.n_bytes);
        assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
        seen.copy_end = span.offset;
        assert_int_equal(bm_store_copy(&store, &span, &is_done, &error), BLASTMERGE_OK);
        assert_true(is_done);
        assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
        assert_int_equal(bm_store_prepare(&store, &error), BLASTMERGE_OK);
        assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
        assert_int_equal(seen.copy_end, span.offset + span.n_bytes);
        assert_true(seen.n_most <= (i % 2 == 0 ? (uint64_t)5 << 30 : (uint64_t)4000 << 20));
        assert_true(seen.n_copies == 1 || seen.n_least >= 128 << 20);
        assert_int_equal(seen.n_parts, 2);
        assert_int_equal(seen.n_listed, seen.n_copies + 2);
        assert_true(seen.n_listed <= providers[i % 2].max_parts);
        close_store();
    }
}

/* S3 takes no short part that is not the last; Azure does. */
static void writes_what_is_too_short(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(open_store(&providers[i], 0), BLASTMERGE_OK);
        struct bm_store_span span = span_of(sources[i], 1000);
        assert_int_equal(bm_store_lead(&store, &span), 1000); /* an upload begins with bytes of its own */
        assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
        assert_int_equal(bm_store_lead(&store, &span), i == 0 ? LEAST - 10 : 0);
        span.n_bytes = LEAST - 1;
        assert_int_equal(bm_store_lead(&store, &span), LEAST - 1);
        span.n_bytes = LEAST;
        assert_int_equal(bm_store_lead(&store, &span), i == 0 ? LEAST : 0);
        span.n_bytes = 2 * LEAST - 10;
        assert_int_equal(bm_store_lead(&store, &span), i == 0 ? LEAST - 10 : 0);
        close_unfinished();
    }
}

/* What another host would have to be given a secret for, or what no store copies, is read and written. */
static void does_not_copy_from_elsewhere(void **state) {
    static const struct {
        const char *source;
        const struct provider destination;
    } cases[] = {
        {"az://another/container/part", {"az://account/container/key", 0, 0}},
        {"https://blobs.example.org/container/part?sv=1&sig=secret", {"az://account/container/key", 0, 0}},
        {"https://example.org/part", {"az://account/container/key", 0, 0}},
        {"s3://bucket/part", {"az://account/container/key", 0, 0}},
        {"az://account/container/part", {"s3://bucket/key", 0, 0}},
        {"gs://bucket/part", {"gs://bucket/key", 0, 0}},
        {"gs://bucket/part", {"s3://bucket/key", 0, 0}}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bm_store_span span = span_of(cases[i].source, 1000);
        bool is_done = true;
        assert_int_equal(open_store(&cases[i].destination, 0), BLASTMERGE_OK);
        assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
        assert_int_equal(bm_store_lead(&store, &span), 1000);
        assert_int_equal(bm_store_copy(&store, &span, &is_done, &error), BLASTMERGE_OK);
        assert_false(is_done);
        close_unfinished();
        assert_int_equal(seen.n_copies, 0);
    }
    struct bm_store_span span = span_of(sources[0], 1000);
    span.etag = "W/\"tag\"";
    assert_int_equal(open_store(&providers[0], 0), BLASTMERGE_OK);
    assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
    assert_int_equal(bm_store_lead(&store, &span), 1000);
    close_unfinished();
}

/* Copies a span behind ten bytes; the source's header is in `seen`. */
static void copy_once(const struct provider *provider, const char *location) {
    struct bm_store_span span = span_of(location, 1000);
    bool is_done = false;
    assert_int_equal(open_store(provider, 0), BLASTMERGE_OK);
    assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
    seen.copy_end = span.offset;
    assert_int_equal(bm_store_copy(&store, &span, &is_done, &error), BLASTMERGE_OK);
    assert_true(is_done);
    close_unfinished();
}

/* By whatever the store is to read the source. */
static void lets_the_store_read(void **state) {
    (void)state;
    copy_once(&providers[0], "s3://other/a part");
    assert_string_equal(seen.source, "/other/a%20part");
    assert_string_equal(seen.authority, "");
    copy_once(&providers[1], "az://account/other/a part");
    assert_ptr_equal(strstr(seen.source,
                            "https://account.blob.core.windows.net/other/a%20part?sv=2021-12-02&sr=b&sp=r&"
                            "se=2023-11-14T22%3A28%3A20Z&spr=https&sig="),
                     seen.source); /* a quarter of an hour after the clock's beginning */
    copy_once(&providers[1], "https://account.blob.core.windows.net/other/part?sv=1&sig=own");
    assert_string_equal(seen.source, "https://account.blob.core.windows.net/other/part?sv=1&sig=own");
    unsetenv("AZURE_STORAGE_KEY");
    setenv("AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=given", 1);
    copy_once(&providers[1], "az://account/other/part");
    assert_string_equal(seen.source, "https://account.blob.core.windows.net/other/part?sv=1&sig=given");
    assert_string_equal(seen.authority, "");
    unsetenv("AZURE_STORAGE_SAS_TOKEN");
    token = "{\"access_token\": \"a.token\", \"expires_in\": \"3600\"}";
    copy_once(&providers[1], "az://account/other/part");
    token = NULL;
    assert_string_equal(seen.source, "https://account.blob.core.windows.net/other/part");
    assert_string_equal(seen.authority, "Bearer a.token");
    setenv("AZURE_STORAGE_KEY", "c2VjcmV0", 1);
}

/* The first copy shows whether the store can do it. */
static void writes_if_the_store_refuses(void **state) {
    static const struct {
        const char *refusal;
        enum blastmerge_status status;
    } cases[] = {{"HTTP/1.1 501 Not Implemented\r\n", BLASTMERGE_OK},
                 {"HTTP/1.1 403 Forbidden\r\n", BLASTMERGE_OK},
                 {"HTTP/1.1 412 Precondition Failed\r\n", BLASTMERGE_CHANGED},
                 {"HTTP/1.1 507 Insufficient Storage\r\n", BLASTMERGE_NO_SPACE}};
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        struct bm_store_span span = span_of(sources[i % 2], 1000);
        bool is_done = true;
        assert_int_equal(open_store(&providers[i % 2], 0), BLASTMERGE_OK);
        assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
        seen.copy_end = span.offset;
        refusal = cases[i / 2].refusal;
        assert_int_equal(bm_store_copy(&store, &span, &is_done, &error), cases[i / 2].status);
        refusal = NULL;
        if (cases[i / 2].status != BLASTMERGE_OK) {
            assert_non_null(strstr(error.message, sources[i % 2]));
            close_unfinished();
            continue;
        }
        assert_false(is_done);
        assert_int_equal(error.status, BLASTMERGE_OK);
        assert_int_equal(bm_store_lead(&store, &span), 1000);
        assert_int_equal(write_bytes(1000), BLASTMERGE_OK);
        assert_int_equal(bm_store_commit(&store, &error), BLASTMERGE_OK);
        assert_int_equal(seen.n_part_bytes, 1010);
        assert_int_equal(seen.n_listed, seen.n_parts);
        close_store();
    }
}

static void refuses_one_copy_more(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bm_store_span span = span_of(sources[i], LEAST);
        bool is_done = true;
        assert_int_equal(open_store(&providers[i], 0), BLASTMERGE_OK);
        assert_int_equal(bm_store_write(&store, "0123456789", 10, &error), BLASTMERGE_OK);
        for (size_t n = 1; n < providers[i].max_parts; n++) {
            seen.copy_end = span.offset;
            assert_int_equal(bm_store_copy(&store, &span, &is_done, &error), BLASTMERGE_OK);
        }
        assert_int_equal(bm_store_copy(&store, &span, &is_done, &error), BLASTMERGE_NO_SPACE);
        assert_non_null(strstr(error.message, "parts that this store accepts"));
        assert_int_equal(seen.n_copies, providers[i].max_parts - 1);
        close_unfinished();
        assert_int_equal(seen.n_aborts, providers[i].n_aborts);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_spans_of_any_length),
        cmocka_unit_test(writes_what_is_too_short),
        cmocka_unit_test(does_not_copy_from_elsewhere),
        cmocka_unit_test(lets_the_store_read),
        cmocka_unit_test(writes_if_the_store_refuses),
        cmocka_unit_test(refuses_one_copy_more),
        cmocka_unit_test(takes_as_many_parts_as_there_may_be),
        cmocka_unit_test(refuses_one_part_more),
        cmocka_unit_test(refuses_before_anything_is_written),
        cmocka_unit_test(refuses_as_soon_as_lengths_are_known),
        cmocka_unit_test(does_not_wait_for_what_is_there),
        cmocka_unit_test(sleeps_while_a_credential_is_waited_for),
        cmocka_unit_test(goes_on_where_it_may_not_look),
        cmocka_unit_test(gives_up_without_much_patience),
    };
    static const char *const variables[] = {"AZURE_STORAGE_SAS_TOKEN",
                                            "AZURE_FEDERATED_TOKEN_FILE",
                                            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                                            "IDENTITY_ENDPOINT",
                                            "AWS_ENDPOINT_URL",
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
