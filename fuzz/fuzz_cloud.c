/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what servers say: HTTP's headers and bodies, lists of object stores, errors, the JSON and XML of
 * credentials' servers, and AWS's profile files. All of it goes through the public API, with a libcurl of our
 * own in the place of the real one that hands out the fuzzer's bytes.
 *
 * The first byte says what is done: 'h' a child of a web server, 'a' children of Azure with a managed
 * identity, 's' of S3 with a container's credentials, 'w' of S3 with a web identity, 'm' of S3 with a
 * machine's credentials, 'o' and 'z' a result for S3 and for Azure; 'p': the rest is a profile's file; 'r'
 * and 'R': one child of a web server and of S3, whose bytes a judge knows (see below). Else the second byte
 * is the size of the pieces in which bodies come. Then come answers, one for each request in turn, with a
 * newline between two zero bytes between them: a status line, headers, a blank line, a body. Where there are
 * none any more nothing can be connected to.
 */
#include "claims.h"
#include "cloud/cloud.h"
#include "fetch/fetch.h"
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

static bool is_judged;

static void stub_go_on(struct transfer *transfer) {
    n_waits = n_idle_waits = 0;
    if (is_judged) {
        answer_by_claim(transfer, 0);
    } else {
        go_on_as_told(transfer);
    }
}

/* Waiting again and again without a request that goes on: a server asked for patience. Then it is cancelled.
 * Nobody turns in circles meanwhile. */
static void stub_waited(int timeout_ms) {
    stub_require(timeout_ms > 0 || ++n_idle_waits < 10);
    if (timeout_ms > 0 && ++n_waits > 3 && job != NULL) blastmerge_cancel(job);
    stub_require(n_waits < 1000);
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

/* --- one child, judged --------------------------------------------------------------------------- */

/*
 * The input: 'r' or 'R', what the server is like, the window's size, the object's (two bytes), how much
 * longer the other object is, how much is read at a time, how many retries and what comes before the
 * child is opened (nothing, a look, its first request); then claims (claims.h).
 *
 * What is handed out is, byte for byte, of one version that an answer claimed to be of, whether it ends well
 * or not; and if it ends well, it is as long as an answer for that version said, and as the look said.
 */
enum { JUDGED_HEAD = 8, MAX_READ = 65536, SLACK = 262144 };

static uint64_t judged_size;
static uint64_t judged_other_size;

static uint64_t object_size(unsigned number, bool is_other) {
    (void)number;
    return is_other ? judged_other_size : judged_size;
}

static uint8_t byte_of(unsigned version, uint64_t offset) {
    uint64_t bits = (offset + 1) * 0x9e3779b97f4a7c15U + version * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ bits >> 29) * 0x94d049bb133111ebU;
    return (uint8_t)(bits >> 56);
}

static uint8_t object_byte(unsigned number, const struct claim *claim, uint64_t offset) {
    (void)number;
    return byte_of(claim_version(claim), offset);
}

static bool is_of(unsigned version, const uint8_t *data, size_t n) {
    size_t i = 0;
    while (i < n && data[i] == byte_of(version, i)) i++;
    return i == n;
}

/* Whether the answer said that its version is so long. */
static bool says_length(const struct claim *claim, size_t n) {
    if (claim->status == 416) return claim->has_total && claim->total == n;
    if (claim->status == 206) return claim->has_total && claim->total == n;
    return claim->status == 200 && (claim->has_length ? claim->length : claim->n_body) == n;
}

static void judge(const uint8_t *data, size_t n, bool is_whole) {
    bool is_one = n == 0;
    bool has_length = !is_whole;
    for (size_t i = 0; i < n_claims; i++) {
        if (n > 0 && !is_of(claim_version(&claims[i]), data, n)) continue;
        is_one = true;
        has_length = has_length || says_length(&claims[i], n);
    }
    stub_require(is_one && has_length);
}

enum before { BEFORE_NOTHING, BEFORE_LOOK, BEFORE_BEGIN };

static void read_judged(struct bm_cloud *cloud, struct bm_cancel *cancel, size_t capacity, bool is_store,
                        enum before before) {
    static uint8_t data[MAX_READ];
    struct blastmerge_error error = {0};
    struct bm_fetch fetch = {0};
    size_t n = 0;
    size_t n_read = capacity;
    const char *location = is_store ? "s3://bucket/key" : "https://host/child";
    struct bm_fetch_source source = bm_fetch_source_remote(location, location);
    source.cloud = cloud;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (before == BEFORE_LOOK) status = bm_fetch_source_look(&source, &error);
    for (unsigned i = 0; i < 3 && before == BEFORE_BEGIN; i++) {
        stub_require(bm_fetch_source_begin(&source));
        bm_cloud_drive(cloud);
    }
    if (status == BLASTMERGE_OK) status = bm_fetch_open(&fetch, &source, cancel, &error);
    while (status == BLASTMERGE_OK && n_read == capacity && n + capacity <= sizeof data) {
        (void)bm_fetch_is_ready(&fetch, capacity);
        status = bm_fetch_fill(&fetch, data + n, capacity, &n_read, &error);
        if (status == BLASTMERGE_OK) n += n_read;
    }
    bool has_ended = status == BLASTMERGE_OK && n_read < capacity;
    judge(data, n, has_ended);
    stub_require(!has_ended || source.n_bytes == UINT64_MAX || source.n_bytes == n);
    stub_require(status == error.status && status != BLASTMERGE_INTERNAL && status != BLASTMERGE_USAGE);
    bm_fetch_close(&fetch);
    bm_fetch_source_close(&source);
}

static void run_judged(const uint8_t *data, size_t size) {
    struct bm_memory memory;
    struct bm_cancel cancel;
    struct bm_cloud *cloud = NULL;
    struct blastmerge_error error = {0};
    struct bm_cloud_settings settings = {.memory = &memory, .cancel = &cancel};
    size_t window = (size_t)64 << data[2] % 5;
    char retries[8];
    settings.plan =
        (struct bm_cloud_plan){.use = {.n_lanes = 1}, .window = window, .first = window, .n_first = 1};
    judged_size = data[3] + 16 * (uint64_t)data[4];
    judged_other_size = judged_size + data[5];
    snprintf(retries, sizeof retries, "%d", data[7] % 4);
    (void)setenv("BLASTMERGE_RETRIES", retries, 1);
    begin_claims(data + JUDGED_HEAD, size - JUDGED_HEAD, data[1], window);
    bm_memory_open(&memory, NULL);
    bm_cancel_init(&cancel);
    stub_require(bm_cancel_begin(&cancel, &error) == BLASTMERGE_OK);
    stub_require(bm_cloud_open(&cloud, &settings, &error) == BLASTMERGE_OK);
    read_judged(cloud, &cancel, 1 + (size_t)data[6] * 16, data[0] == 'R', data[7] / 4 % 3);
    stub_require(memory.n_peak <= (BM_CLOUD_WINDOWS + 1) * window + SLACK);
    bm_cloud_close(cloud);
    bm_cancel_close(&cancel);
    stub_require(memory.n_bytes == 0);
    stub_n_ended = 0;
    stub_clock_ms = 0;
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    if (size < 2 || strchr("haswmozprR", data[0]) == NULL || data[0] == '\0') return 0;
    int what = data[0];
    is_judged = what == 'r' || what == 'R';
    if (is_judged && size < JUDGED_HEAD) return 0;
    n_piece = 1 + data[1] % MAX_PIECE;
    answers = data + 2;
    n_answers = what == 'p' ? 0 : size - 2;
    if (what == 'p') write_small_file(data + 2, size - 2);
    if (what == 'w') write_small_file((const uint8_t *)"token", 5);
    set_environment(is_judged ? 'o' : what);
    if (is_judged) {
        run_judged(data, size);
    } else {
        run(what);
    }
    stub_require(keep_n_live() == 0);
    return 0;
}
