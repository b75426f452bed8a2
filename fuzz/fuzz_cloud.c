/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what servers say: HTTP's headers and bodies, lists of object stores, errors, the JSON and XML of
 * credentials' servers, and AWS's profile files. All of it goes through the public API, with a libcurl of our
 * own in the place of the real one that hands out the fuzzer's bytes.
 *
 * The first byte says what is done: 'h' a child of a web server, 'a' children of Azure with a managed
 * identity, 's' of S3 with a container's credentials, 'w' of S3 with a web identity, 'm' of S3 with a
 * machine's credentials, 'o' and 'z' a result for S3 and for Azure; 'p': the rest is a profile's file. The
 * second byte is the size of the pieces in which bodies come. Then come answers, one for each request in
 * turn, with a newline between two zero bytes between them: a status line, headers, a blank line, a body.
 * Where there are none any more nothing can be connected to.
 */
#include "curl_stub.h"
#include "keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_PIECE = 256 };

/* --- answers ------------------------------------------------------------------------------------- */

static const uint8_t *answers; /* what is left of them */
static size_t n_answers;
static size_t n_piece;
static struct blastmerge_job *job;

struct answer {
    const char *data;
    size_t n;
};

static const uint8_t separator[] = {0, '\n', 0};

static int next_answer(struct answer *answer) {
    if (n_answers == 0) return 0;
    const uint8_t *end = memmem(answers, n_answers, separator, sizeof separator);
    size_t n = end == NULL ? n_answers : (size_t)(end - answers);
    *answer = (struct answer){(const char *)answers, n};
    if (end != NULL) n += sizeof separator;
    answers += n;
    n_answers -= n;
    return 1;
}

/* --- a libcurl that asks nobody ------------------------------------------------------------------- */

static unsigned n_waits;
static unsigned n_idle_waits; /* that took no time, since a request went on */

/* The body's length as the headers have it; SIZE_MAX where they have none. */
static size_t length_of(const char *line, size_t n_line) {
    static const char name[] = "Content-Length: ";
    if (n_line < sizeof name || strncasecmp(line, name, sizeof name - 1) != 0) return SIZE_MAX;
    size_t length = 0;
    for (const char *digit = line + sizeof name - 1; digit < line + n_line && *digit >= '0' && *digit <= '9';
         digit++)
        length = length > (SIZE_MAX - 9) / 10 ? SIZE_MAX : length * 10 + (size_t)(*digit - '0');
    return length;
}

/* Hands out the status line and the headers; what is left is the body. CURLE_PARTIAL_FILE: it is too short.
 */
static CURLcode hand_out_headers(struct transfer *transfer, struct answer answer) {
    size_t length = SIZE_MAX;
    if (answer.n < 12 || strncmp(answer.data, "HTTP/1.1 ", 9) != 0) return CURLE_WEIRD_SERVER_REPLY;
    while (answer.n > 0) {
        const char *end = memchr(answer.data, '\n', answer.n);
        size_t n_line = end == NULL ? answer.n : (size_t)(end - answer.data) + 1;
        size_t its_length = length_of(answer.data, n_line);
        if (its_length != SIZE_MAX) length = its_length;
        stub_say(transfer, answer.data, n_line);
        bool is_blank = n_line == 1 || (n_line == 2 && answer.data[0] == '\r');
        answer = (struct answer){answer.data + n_line, answer.n - n_line};
        if (is_blank) break;
    }
    transfer->body = answer.data;
    transfer->n_body = transfer->has_no_body ? 0 : answer.n < length ? answer.n : length;
    return CURLE_OK;
}

static void go_on_as_told(struct transfer *transfer) {
    CURLcode code = CURLE_OK;
    struct answer answer = {NULL, 0};
    if (!transfer->is_begun)
        code = next_answer(&answer) ? hand_out_headers(transfer, answer) : CURLE_COULDNT_CONNECT;
    transfer->is_begun = true;
    while (code == CURLE_OK && transfer->n_body > 0) {
        size_t n = transfer->n_body < n_piece ? transfer->n_body : n_piece;
        if (!stub_hand_out(transfer, transfer->body, n)) return;
        transfer->body += n;
        transfer->n_body -= n;
    }
    stub_end(transfer, code);
}

static void stub_go_on(struct transfer *transfer) {
    n_waits = n_idle_waits = 0;
    go_on_as_told(transfer);
}

/* Waiting again and again without a request that goes on: a server asked for patience. Then it is cancelled.
 * Nobody turns in circles meanwhile. */
static void stub_waited(int timeout_ms) {
    stub_require(timeout_ms > 0 || ++n_idle_waits < 10);
    if (timeout_ms > 0 && ++n_waits > 3) blastmerge_cancel(job);
}

/* --- jobs ---------------------------------------------------------------------------------------- */

static char small_file[64];

static void remove_small_file(void) {
    (void)remove(small_file);
}

/* A token, or a profile. */
static void write_small_file(const uint8_t *data, size_t n) {
    if (small_file[0] == '\0') {
        snprintf(small_file, sizeof small_file, "%s/fuzz_cloud.%ld",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
        (void)atexit(remove_small_file);
    }
    FILE *file = fopen(small_file, "w");
    stub_require(file != NULL && fwrite(data, 1, n, file) == n);
    stub_require(fclose(file) == 0);
}

static void set_environment(int what) {
    static const char *const unwanted[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                           "AWS_WEB_IDENTITY_TOKEN_FILE",
                                           "AWS_SHARED_CREDENTIALS_FILE",
                                           "AWS_CONFIG_FILE",
                                           "AWS_ACCESS_KEY_ID",
                                           "AWS_PROFILE",
                                           "HOME"};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) (void)unsetenv(unwanted[i]);
    (void)setenv("BLASTMERGE_RETRIES", "2", 1);
    (void)setenv("BLASTMERGE_RETRY_DELAY_MS", "0", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    (void)setenv("AWS_ROLE_ARN", "role", 1);
    if (what == 'o') (void)setenv("AWS_ACCESS_KEY_ID", "id", 1);
    if (what == 's') (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", 1);
    if (what == 'w') (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", small_file, 1);
    if (what == 'p') (void)setenv("AWS_SHARED_CREDENTIALS_FILE", small_file, 1);
    if (what == 'p') (void)setenv("AWS_PROFILE", "p", 1);
}

static const char child[] = "<BlastOutput>\n<BlastOutput_iterations>\n<Iteration>\n</Iteration>\n"
                            "</BlastOutput_iterations>\n</BlastOutput>\n";

static enum blastmerge_status add_locations(int what) {
    static const char *const outputs[] = {"s3://bucket/out", "az://account/container/out"};
    if (what == 'o' || what == 'z') {
        enum blastmerge_status status = blastmerge_add_memory(job, "child", child, sizeof child - 1);
        return status == BLASTMERGE_OK ? blastmerge_set_output_location(job, outputs[what == 'z']) : status;
    }
    if (what == 'h') {
        enum blastmerge_status status = blastmerge_add_location(job, "https://host/one.gz");
        return status == BLASTMERGE_OK ? blastmerge_add_location(job, "https://host/two.gz") : status;
    }
    return blastmerge_add_location(job, what == 'a' ? "az://account/container/b*x" : "s3://bucket/k*.gz");
}

static void run(int what) {
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = 1;
    options.memory_limit = 44 << 20;
    stub_require(blastmerge_create(&job, &options) == BLASTMERGE_OK);
    enum blastmerge_status status = add_locations(what);
    if (status == BLASTMERGE_OK)
        status = what == 'o' || what == 'z' ? blastmerge_run(job) : blastmerge_check(job);
    const struct blastmerge_error *error = blastmerge_error(job);
    stub_require(status == error->status && status != BLASTMERGE_INTERNAL);
    stub_require((status == BLASTMERGE_OK) == (error->message[0] == '\0') &&
                 strchr(error->message, '\n') == NULL);
    stub_require(strlen(error->message) < sizeof error->message);
    blastmerge_destroy(job);
    job = NULL;
    stub_n_ended = 0;
    stub_clock_ms = 0;
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    if (size < 2 || strchr("haswmozp", data[0]) == NULL || data[0] == '\0') return 0;
    int what = data[0];
    n_piece = 1 + data[1] % MAX_PIECE;
    answers = data + 2;
    n_answers = what == 'p' ? 0 : size - 2;
    if (what == 'p') write_small_file(data + 2, size - 2);
    if (what == 'w') write_small_file((const uint8_t *)"token", 5);
    set_environment(what);
    run(what);
    stub_require(keep_n_live() == 0);
    return 0;
}
