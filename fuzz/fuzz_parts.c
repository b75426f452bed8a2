/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what the steps of a merge in parts read: tallies, plans, the ends of parts.
 *
 * The first byte says which. 't': the rest is a tally's line; one that is accepted is written and read again, and comes to the
 * same line. 'p': the rest is a plan's file as it lies. 'P': the rest is a plan's lines, to which an index with the right
 * checksums is made, so that what is in the lines is fuzzed. 'h', 'e': the rest is a part's head or tail. 'H', 'E': likewise,
 * with the right checksum.
 */
#include "keep.h"
#include "parts/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PLACES = 200, INDEX = 26 };

static void require(int holds) {
    if (!holds) abort();
}

static struct bm_memory memory;
static struct bm_pool pool;

/* --- tallies ------------------------------------------------------------------------------------- */

static char *rewrite(const char *line, size_t n) {
    static struct bm_parts_tally tally;
    struct blastmerge_options options = {0};
    struct blastmerge_error error = {0};
    char *again = NULL;
    enum blastmerge_status status = bm_parts_line_read(&tally, line, n, &pool, &memory, &error);
    require(status == error.status);
    if (status == BLASTMERGE_OK) {
        require(bm_parts_options_read(tally.options, &options));
        again = bm_parts_line_write(&memory, &tally.counted, &options);
        require(again != NULL);
    }
    bm_parts_line_close(&tally, &memory);
    return again;
}

static void fuzz_tally(const char *text, size_t n) {
    char *once = rewrite(text, n);
    if (once == NULL) return;
    char *twice = rewrite(once, strlen(once));
    bool is_shown_in_part =
        strstr(once, "\"partial\":true") != NULL; /* the next one takes it for the location */
    require(twice != NULL && (is_shown_in_part || strcmp(once, twice) == 0));
    free(once);
    free(twice);
}

/* --- plans --------------------------------------------------------------------------------------- */

static void read_plan(const char *text, size_t n) {
    static struct bm_parts_plan_file file;
    struct blastmerge_error error = {0};
    if (bm_parts_plan_read(&file, text, n, n, &pool, &memory, &error) != BLASTMERGE_OK) {
        require(error.status != BLASTMERGE_OK);
        return;
    }
    (void)bm_parts_plan_is_whole(&file);
    for (uint64_t i = 0; i < file.plan.n_children && i < MOST_PLACES; i++) {
        struct bm_parts_place place;
        enum blastmerge_status status = bm_parts_plan_read_place(&file, i, &place, &pool, &memory, &error);
        require(status == error.status || status == BLASTMERGE_OK);
        (void)bm_parts_plan_kin(&file.plan, i);
    }
}

static size_t line_length(const char *text, size_t n) {
    const char *end = memchr(text, '\n', n);
    return end == NULL ? n : (size_t)(end - text) + 1;
}

static void fuzz_plan(const char *text, size_t n) {
    size_t n_lines = 1;
    for (size_t i = 0; i < n; i++) n_lines += text[i] == '\n';
    char *file = malloc(n + (n_lines + 1) * INDEX + 1);
    require(file != NULL);
    size_t n_common = line_length(text, n), n_file = n_common;
    memcpy(file, text, n_common);
    n_file += (size_t)sprintf(file + n_file, "%016x %08" PRIx32 "\n", 0, bm_crc32(0, text, n_common));
    for (size_t at = n_common; at < n;) {
        size_t n_line = line_length(text + at, n - at);
        n_file += (size_t)sprintf(file + n_file, "%016zx %08" PRIx32 "\n", at - n_common,
                                  bm_crc32(0, text + at, n_line));
        at += n_line;
    }
    memcpy(file + n_file, text + n_common, n - n_common);
    read_plan(file, n_file + n - n_common);
    free(file);
}

/* --- ends ---------------------------------------------------------------------------------------- */

static void fuzz_head(const uint8_t *data, size_t n, int is_fixed) {
    uint8_t bytes[BM_PARTS_HEAD] = {0}, again[BM_PARTS_HEAD] = {0};
    struct bm_parts_head head;
    if (n > sizeof bytes) n = sizeof bytes;
    memcpy(bytes, data, n);
    if (is_fixed) {
        n = sizeof bytes;
        bm_store32(bytes + n - 4, bm_crc32(0, bytes + 16, n - 16 - 4));
    }
    if (bm_parts_head_read(&head, bytes, n) != NULL) return;
    struct bm_output output = {.data = again, .size = sizeof again};
    bm_parts_head_write(&head, &output);
    require(output.n_data == n && memcmp(again, bytes, n) == 0);
}

static void fuzz_tail(const uint8_t *data, size_t n, int is_fixed) {
    static uint8_t bytes[BM_PARTS_TAIL], again[BM_PARTS_TAIL];
    static struct bm_parts_tail tail;
    size_t n_tail = 0;
    if (n > sizeof bytes) n = sizeof bytes;
    memcpy(bytes, data, n);
    if (is_fixed && n >= 131) bm_store32(&bytes[n - 14], bm_crc32(0, bytes + 16, n - 16 - 14));
    if (bm_parts_tail_read(&tail, &n_tail, bytes, n) != NULL) return;
    struct bm_output output = {.data = again, .size = sizeof again};
    bm_parts_tail_write(&tail, &output);
    require(output.n_data == n_tail && memcmp(again, bytes + n - n_tail, n_tail) == 0);
}

/* ------------------------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) return 0;
    const char *text = (const char *)data + 1;
    bm_memory_open(&memory, NULL);
    pool = (struct bm_pool){0};
    switch (data[0]) {
    case 't':
        fuzz_tally(text, n - 1);
        break;
    case 'p':
        read_plan(text, n - 1);
        break;
    case 'P':
        fuzz_plan(text, n - 1);
        break;
    case 'h':
    case 'H':
        fuzz_head(data + 1, n - 1, data[0] == 'H');
        break;
    case 'e':
    case 'E':
        fuzz_tail(data + 1, n - 1, data[0] == 'E');
        break;
    default:
        break;
    }
    bm_pool_close(&pool, &memory);
    require(memory.n_bytes == 0);
    return 0;
}
