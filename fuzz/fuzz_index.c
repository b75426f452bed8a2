/* SPDX-License-Identifier: MIT */
/*
 * A damaged index: of a result that is whole, queries are got by it. What comes is the query's own document, byte for
 * byte, or an error.
 *
 * The input: a byte that says which Iteration is wanted, and whether by name or number; a byte that says whether the rest
 * replaces the index, or are edits of the right one: three bytes that say where, and one that is put there.
 */
#include "children.h"
#include "keep.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_ITERATIONS = 24, MAX_TEXT = 1 << 20, MAX_INDEX = 1 << 20, EDIT = 4, TITLE = 64 };

static const char head[] =
    "<?xml version=\"1.0\"?>\n<BlastOutput>\n<BlastOutput_program>blastp</BlastOutput_program>\n"
    "<BlastOutput_iterations>\n";
static const char foot[] = "\n</BlastOutput_iterations>\n</BlastOutput>\n\n";

static char text[MAX_TEXT];
static size_t n_text;
static struct {
    size_t begin;
    size_t end;
    char name[TITLE];
} iterations[N_ITERATIONS];
static struct bytes result;
static uint8_t right[MAX_INDEX];
static size_t n_right;
static int file = -1;
static char path[64];

static void add(const char *piece) {
    size_t n = strlen(piece);
    require(n_text + n < MAX_TEXT);
    memcpy(text + n_text, piece, n);
    n_text += n;
}

/* Iterations of some KB, which do not compress to nothing. */
static void make_text(void) {
    char piece[512];
    uint32_t dice = 7;
    add(head);
    for (int i = 0; i < N_ITERATIONS; i++) {
        if (i > 0) add("\n");
        iterations[i].begin = n_text;
        snprintf(iterations[i].name, TITLE, "name_%c%d", 'a' + i % 7, i);
        snprintf(piece, sizeof piece,
                 "<Iteration>\n<Iteration_iter-num>%d</Iteration_iter-num>\n<Iteration_query-ID>Query_%d"
                 "</Iteration_query-ID>\n<Iteration_query-def>%s title</Iteration_query-def>\n",
                 i + 1, i % 5 == 0 ? i + 100 : i + 1, iterations[i].name);
        add(piece);
        for (int j = 0; j < 200; j++) {
            dice = dice * 1664525u + 1013904223u;
            snprintf(piece, sizeof piece,
                     "<Hit><Hit_hsps><Hsp><Hsp_evalue>%u</Hsp_evalue></Hsp></Hit_hsps></Hit>", dice);
            add(piece);
        }
        add("</Iteration>");
        iterations[i].end = n_text;
    }
    add(foot);
}

static void write_index(const uint8_t *data, size_t n) {
    require(ftruncate(file, 0) == 0);
    require(pwrite(file, data, n, 0) == (ssize_t)n);
}

static struct blastmerge_job *open_job(void) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = 1;
    options.form = BLASTMERGE_FORM_PLAIN;
    options.force = 1;
    require(blastmerge_create(&job, &options) == BLASTMERGE_OK);
    require(blastmerge_add_memory(job, "result", result.data, result.n) == BLASTMERGE_OK);
    return job;
}

static void make_index(void) {
    struct blastmerge_index_options options;
    char name[] = "/tmp/fuzz_index_XXXXXX";
    int made = mkstemp(name); /* the store renames what it writes */
    require(made >= 0);
    blastmerge_index_options_init(&options, sizeof options);
    options.location = name;
    options.restart_distance = 65536;
    struct blastmerge_job *job = open_job();
    require(blastmerge_index(job, &options) == BLASTMERGE_OK);
    blastmerge_destroy(job);
    close(made);
    made = open(name, O_RDONLY);
    ssize_t n = pread(made, right, sizeof right, 0);
    require(n > 0 && n < MAX_INDEX);
    n_right = (size_t)n;
    close(made);
    unlink(name);
}

static void check(const char *data, size_t n, int wanted) {
    size_t n_head = sizeof head - 1;
    size_t n_body = iterations[wanted].end - iterations[wanted].begin;
    require(n == n_head + n_body + sizeof foot - 1);
    require(memcmp(data, head, n_head) == 0);
    require(memcmp(data + n_head, text + iterations[wanted].begin, n_body) == 0);
    require(memcmp(data + n_head + n_body, foot, sizeof foot - 1) == 0);
}

static void get(int wanted, int is_by_name, int must_succeed) {
    struct blastmerge_get_options options;
    const char *query = iterations[wanted].name;
    char number[16];
    void *data = NULL;
    size_t n = 0;
    blastmerge_get_options_init(&options, sizeof options);
    snprintf(number, sizeof number, "%d", wanted + 1);
    options.index_location = path;
    options.queries = is_by_name ? &query : NULL;
    options.n_queries = is_by_name ? 1 : 0;
    options.numbers = is_by_name ? NULL : number;
    struct blastmerge_job *job = open_job();
    require(blastmerge_set_get(job, &options) == BLASTMERGE_OK);
    enum blastmerge_status status = blastmerge_to_buffer(job, &data, &n);
    require(status == BLASTMERGE_OK || !must_succeed);
    require(status != BLASTMERGE_INTERNAL);
    if (status == BLASTMERGE_OK) check(data, n, wanted);
    blastmerge_free(job, data);
    blastmerge_destroy(job);
}

static void prepare(void) {
    make_text();
    result = (struct bytes){NULL, 0};
    add_member(&result, (const uint8_t *)text, n_text / 3, 6);
    add_member(&result, (const uint8_t *)text + n_text / 3, n_text - n_text / 3, 1);
    make_index();
    file = memfd_create("index", MFD_CLOEXEC);
    require(file >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    write_index(right, n_right);
    for (int i = 0; i < N_ITERATIONS; i++) get(i, i % 2, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static uint8_t edited[MAX_INDEX];
    if (file < 0) prepare();
    if (n < 2) return 0;
    int wanted = data[0] % N_ITERATIONS;
    int is_by_name = data[0] >= 128;
    if (data[1] % 4 == 0) {
        write_index(data + 2, n - 2);
    } else {
        memcpy(edited, right, n_right);
        for (size_t i = 2; i + EDIT <= n; i += EDIT) {
            size_t at = (size_t)data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
            edited[at % n_right] = data[i + 3];
        }
        write_index(edited, n_right);
    }
    size_t n_live = keep_n_live();
    get(wanted, is_by_name, 0);
    require(keep_n_live() == n_live);
    return 0;
}
