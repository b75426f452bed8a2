/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what finalize reads: the job's description, the children's reports, tabular results.
 *
 * The first byte says which. 'j': the rest is a description, and is read, with what its states come to (no
 * further: it may name any place). 'r': the rest is up to three reports with zero bytes between them, of
 * children whose results are whole. 't': the rest is the result of a child whose report says that it is
 * tabular, as it lies; what comes of it must be the same text by zlib, which skips no padding itself. 'p':
 * the rest is what is inside a gzip member of two such children, so that what a table is is fuzzed without a
 * CRC in the way; what comes of it is that member twice, each with a member behind it that ends the last
 * line if that does not end. Tables with comments or empty lines, and those with rows of column names that do
 * not stay, are not copied but merged: of these the result must only be whole (fuzz_merge judges merges).
 */
#include "finalize/finalize.h"
#include "keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { MAX_CHILDREN = 3, MAX_TEXT = 1 << 24 };

static void require(int holds) {
    if (!holds) abort();
}

static char folder[64];

static void path_of(char path[128], const char *job_id, const char *name) {
    snprintf(path, 128, "%s/%s/%s", folder, job_id, name);
}

static void write_file(const char *job_id, const char *name, const void *data, size_t n_bytes) {
    char path[128];
    path_of(path, job_id, name);
    FILE *file = fopen(path, "w");
    require(file != NULL && fwrite(data, 1, n_bytes, file) == n_bytes);
    require(fclose(file) == 0);
}

static void remove_folder(void) {
    static const char *const ids[] = {"0", "1", "2", "p"};
    static const char *const names[] = {BM_FINALIZE_RESULT, BM_FINALIZE_REPORT, BM_FINALIZE_MANIFEST, ""};
    char path[128];
    for (size_t i = 0; i < 16; i++) {
        path_of(path, ids[i / 4], names[i % 4]);
        (void)remove(path);
    }
    (void)rmdir(folder);
}

static void make_folder(void) {
    char path[128];
    if (folder[0] != '\0') return;
    snprintf(folder, sizeof folder, "%s/fuzz_finalize.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    require(mkdtemp(folder) != NULL);
    for (int i = 0; i < MAX_CHILDREN; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        require(mkdir(path, 0777) == 0);
    }
    (void)atexit(remove_folder);
}

/* --- descriptions -------------------------------------------------------------------------------- */

static void read_description(const uint8_t *data, size_t size) {
    struct blastmerge_job *job = NULL;
    struct bm_finalize *finalize = calloc(1, sizeof *finalize);
    require(finalize != NULL && blastmerge_create(&job, NULL) == BLASTMERGE_OK);
    require(bm_job_client_begin(job, &finalize->client) == BLASTMERGE_OK);
    finalize->job = job;
    finalize->error = finalize->client.error;
    enum blastmerge_status status = bm_finalize_describe(finalize, data, size);
    require(status == BLASTMERGE_OK || status == BLASTMERGE_USAGE);
    if (status == BLASTMERGE_OK) {
        status = bm_finalize_states(finalize);
        require((status == BLASTMERGE_MISMATCH) == (finalize->text[0] != '\0'));
        require(status == BLASTMERGE_OK || finalize->outcome != NULL || status == BLASTMERGE_MISMATCH);
        char relative[BM_FINALIZE_RELATIVE];
        bm_finalize_relative(finalize, NULL, BM_FINALIZE_MANIFEST, relative);
        require(relative[0] != '/' && strncmp(relative, "../", 3) != 0 && strstr(relative, "/../") == NULL);
    }
    json_decref(finalize->outcome);
    json_decref(finalize->description);
    bm_release(finalize->client.memory, finalize->children);
    free(finalize);
    blastmerge_destroy(job);
}

/* --- reports and results ------------------------------------------------------------------------- */

/* With KEEP all tables without comments are copied as they are. */
static enum blastmerge_header header_mode;

static enum blastmerge_status run(size_t n_children) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    char description[1024];
    char *outcome = NULL;
    int n =
        snprintf(description, sizeof description,
                 "{\"schema\": \"blastmerge-finalize-job\", \"schema_version\": 1, \"storage_prefix\": "
                 "\"%s\", \"parent\": {\"job_id\": \"p\"}, \"expected_child_count\": %zu, \"children\": [",
                 folder, n_children);
    for (size_t i = 0; i < n_children; i++)
        n += snprintf(description + n, sizeof description - (size_t)n,
                      "%s{\"job_id\": \"%zu\", \"status\": \"completed\"}", i == 0 ? "" : ", ", i);
    n += snprintf(description + n, sizeof description - (size_t)n, "]}");
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = 1;
    options.header = header_mode;
    require(blastmerge_create(&job, &options) == BLASTMERGE_OK);
    enum blastmerge_status status = blastmerge_finalize(job, description, (size_t)n, NULL, &outcome);
    const char *message = blastmerge_error(job)->message;
    bool is_left =
        strstr(message, "decompress it first") != NULL; /* it takes a dictionary, or too much memory */
    require(status == BLASTMERGE_OK || status == BLASTMERGE_DATA || status == BLASTMERGE_MISMATCH || is_left);
    if (status != BLASTMERGE_OK) require(message[0] != '\0');
    json_t *told = json_loads(outcome, 0, NULL);
    require(json_is_object(told) && (json_object_get(told, "error") == NULL) == (status == BLASTMERGE_OK));
    require(strchr(outcome, '\n') == NULL);
    json_decref(told);
    blastmerge_free(job, outcome);
    blastmerge_destroy(job);
    return status;
}

/* Removes what there is of the parent's; all of it or nothing. */
static void clear(enum blastmerge_status status) {
    static const char *const names[] = {BM_FINALIZE_MANIFEST, BM_FINALIZE_REPORT, BM_FINALIZE_RESULT, ""};
    char path[128];
    for (size_t i = 0; i < 4; i++) {
        path_of(path, "p", names[i]);
        bool was_there = remove(path) == 0;
        require(i == 3 || was_there == (status == BLASTMERGE_OK));
    }
}

static void take_reports(const uint8_t *data, size_t size) {
    static const char document[] =
        "<?xml version=\"1.0\"?>\n<BlastOutput>\n<BlastOutput_iterations>\n<Iteration>\n"
        "</Iteration>\n</BlastOutput_iterations>\n</BlastOutput>\n";
    size_t n_children = 0;
    const uint8_t *end = data + size;
    while (n_children < MAX_CHILDREN && data <= end) {
        const uint8_t *zero = data == end ? NULL : memchr(data, 0, (size_t)(end - data));
        const uint8_t *next = zero == NULL ? end : zero;
        char job_id[2] = {(char)('0' + n_children++), '\0'};
        write_file(job_id, BM_FINALIZE_REPORT, data, (size_t)(next - data));
        write_file(job_id, BM_FINALIZE_RESULT, document, sizeof document - 1);
        data = next + 1;
    }
    clear(run(n_children));
}

static uint8_t text[MAX_TEXT], made[MAX_TEXT], made_text[MAX_TEXT];

/* The length of the text of members one after the other, by zlib; zero bytes between them are allowed where
 * is_padded. */
static size_t inflate_all(const uint8_t *data, size_t size, int is_padded, uint8_t to[MAX_TEXT]) {
    size_t n_text = 0;
    while (size > 0) {
        z_stream stream;
        memset(&stream, 0, sizeof stream);
        require(inflateInit2(&stream, 15 + 16) == Z_OK);
        stream.next_in = (uint8_t *)(uintptr_t)data;
        stream.avail_in = (uInt)size;
        stream.next_out = to + n_text;
        stream.avail_out = (uInt)(MAX_TEXT - n_text);
        int result = inflate(&stream, Z_FINISH);
        require(result == Z_STREAM_END);
        n_text += stream.total_out;
        data += stream.total_in;
        size -= stream.total_in;
        inflateEnd(&stream);
        for (; is_padded && size > 0 && *data == 0; size--) data++;
    }
    return n_text;
}

static int has(const uint8_t *data, size_t size, const char *needle) {
    return memmem(data, size, needle, strlen(needle)) != NULL;
}

/* Whether a merge may change it: there may be comment lines in it, or empty ones, or a byte order mark. */
static int may_be_changed(const uint8_t *data, size_t size) {
    return size > 0 && (data[0] == 0xef || data[0] == '#' || data[0] == '\n' || data[0] == '\r' ||
                        has(data, size, "\n# ") || has(data, size, "\n\n") || has(data, size, "\n\r"));
}

/* The parent's result, as it lies. */
static size_t read_result(uint8_t to[MAX_TEXT]) {
    char path[128];
    path_of(path, "p", BM_FINALIZE_RESULT);
    FILE *file = fopen(path, "r");
    require(file != NULL);
    size_t n_result = fread(to, 1, MAX_TEXT, file);
    int after = fgetc(file);
    require(fclose(file) == 0 && after == EOF);
    return n_result;
}

/* The bytes of the end that a last line without one gets; it lies behind the text in the result. */
static size_t measure_end(const uint8_t *data, size_t size, const uint8_t *behind) {
    if (size == 0 || data[size - 1] == '\n') return 0;
    return behind[0] == '\r' ? 2 : 1;
}

static void take_tabular(const uint8_t *data, size_t size) {
    static const char report[] = "{\"outfmt\": 6}";
    if (size > 16000) return; /* its text fits then, whatever it is */
    write_file("0", BM_FINALIZE_REPORT, report, sizeof report - 1);
    write_file("0", BM_FINALIZE_RESULT, data, size);
    enum blastmerge_status status = run(1);
    if (status == BLASTMERGE_OK) {
        size_t n_text = inflate_all(data, size, 1, text);
        size_t n_made = inflate_all(made, read_result(made), 0, made_text);
        if (header_mode == BLASTMERGE_HEADER_KEEP && !may_be_changed(text, n_text))
            require(n_made == n_text + measure_end(text, n_text, made_text + n_text) &&
                    memcmp(text, made_text, n_text) == 0);
        require(n_made == 0 || made_text[n_made - 1] == '\n');
    }
    clear(status);
}

/* One stored block around the text. */
static size_t wrap(const uint8_t *data, size_t size, uint8_t *member) {
    static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    const uint8_t block[5] = {1, (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)~size, (uint8_t)(~size >> 8)};
    memcpy(member, header, sizeof header);
    memcpy(member + 10, block, sizeof block);
    if (size > 0) memcpy(member + 15, data, size);
    bm_store32(member + 15 + size, (uint32_t)crc32(0, data, (uInt)size));
    bm_store32(member + 19 + size, (uint32_t)size);
    return size + 23;
}

static void take_plain(const uint8_t *data, size_t size) {
    static const char report[] = "{\"format\": \"tabular\"}";
    if (size > 16000) return;
    uint8_t *member = malloc(size + 23);
    require(member != NULL);
    size_t n_member = wrap(data, size, member);
    for (int i = 0; i < 2; i++) {
        const char job_id[2] = {(char)('0' + i), '\0'};
        write_file(job_id, BM_FINALIZE_REPORT, report, sizeof report - 1);
        write_file(job_id, BM_FINALIZE_RESULT, member, n_member);
    }
    enum blastmerge_status status = run(2);
    if (status == BLASTMERGE_OK) {
        size_t n_result = read_result(made);
        if (header_mode != BLASTMERGE_HEADER_KEEP || may_be_changed(data, size)) {
            (void)inflate_all(made, n_result, 0, made_text);
        } else {
            uint8_t end[32];
            size_t n_text = inflate_all(made, n_result / 2, 0, made_text);
            size_t n_end = measure_end(data, size, made_text + size);
            size_t n_end_member = n_end == 0 ? 0 : wrap(made_text + size, n_end, end);
            size_t n_both = n_member + n_end_member;
            require(n_text == size + n_end && n_result == 2 * n_both);
            for (size_t i = 0; i < n_result; i += n_both) {
                require(memcmp(made + i, member, n_member) == 0);
                require(memcmp(made + i + n_member, end, n_end_member) == 0);
            }
        }
        require(size == 0 || (data[0] != '<' && data[0] != '{'));
    }
    free(member);
    clear(status);
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    make_folder();
    header_mode = size % 2 == 0 ? BLASTMERGE_HEADER_KEEP : BLASTMERGE_HEADER_ONCE;
    if (data[0] == 'j') read_description(data + 1, size - 1);
    if (data[0] == 'r') take_reports(data + 1, size - 1);
    if (data[0] == 't') take_tabular(data + 1, size - 1);
    if (data[0] == 'p') take_plain(data + 1, size - 1);
    require(keep_n_live() == 0);
    return 0;
}
