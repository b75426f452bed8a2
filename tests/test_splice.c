/* SPDX-License-Identifier: MIT */
/*
 * splice: for any gzip stream and any edits, the fragments inflate to the edited text; the bytes do not
 * depend on the steps; a fragment stands alone. Cases at random, by a seed; BLASTMERGE_TEST_CASES says how
 * many, BLASTMERGE_TEST_SEED which one comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "splice_cases.h"
#include "splice_many.h"

enum { DEFAULT_CASES = 3000 };

static struct runner runner;

static uint64_t number_from(const char *name, uint64_t otherwise) {
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

static void test_any_stream_and_edits(void **state) {
    (void)state;
    uint64_t first = number_from("BLASTMERGE_TEST_SEED", 1);
    uint64_t n_cases = number_from("BLASTMERGE_TEST_CASES", DEFAULT_CASES), n_faults = 0;
    for (uint64_t seed = first; seed < first + n_cases && n_faults < 10; seed++) {
        struct dice dice = {.state = seed * 1000003 + 17};
        const char *fault = check_case(&runner, &dice);
        if (fault == NULL) continue;
        print_error("seed %llu: %s\n", (unsigned long long)seed, fault);
        n_faults++;
    }
    assert_int_equal(n_faults, 0);
}

/* A match that took in all of the run before it, at a chunk's beginning: the chunk's place was that of the
 * text behind the run, so that literals in place of a match were others than they should be. One case in a
 * hundred thousand. */
static void test_seeds_that_failed(void **state) {
    (void)state;
    static const uint64_t seeds[] = {1037017};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        struct dice dice = {.state = seeds[i] * 1000003 + 17};
        assert_null(check_case(&runner, &dice));
    }
}

/* Several children in one script, a third as many cases. */
static void test_many_children(void **state) {
    (void)state;
    static struct many_runner splicer, packer;
    uint64_t first = number_from("BLASTMERGE_TEST_SEED", 1);
    uint64_t n_cases = number_from("BLASTMERGE_TEST_CASES", DEFAULT_CASES) / 3, n_faults = 0;
    many_open(&splicer, 0);
    many_open(&packer, 1);
    for (uint64_t seed = first; seed < first + n_cases && n_faults < 10; seed++) {
        struct dice dice = {.state = seed * 1000003 + 29};
        const char *fault = check_many(&splicer, &packer, &dice);
        if (fault == NULL) continue;
        print_error("seed %llu: %s\n", (unsigned long long)seed, fault);
        n_faults++;
    }
    many_close(&splicer);
    many_close(&packer);
    assert_int_equal(n_faults, 0);
}

/* A sink and its readers on a thread of their own. */
struct worker {
    pthread_t thread;
    const struct many *many;
    struct many_runner runner;
    struct result result;
};

static void *work(void *argument) {
    struct worker *worker = argument;
    many_open(&worker->runner, 0);
    many_run(&worker->runner, worker->many, NULL, SIZE_MAX, &worker->result);
    many_close(&worker->runner);
    return NULL;
}

/* The same script on several threads at once, with a sink each: all give the same. ThreadSanitizer runs this, too. */
static void test_sinks_on_threads(void **state) {
    (void)state;
    static struct worker workers[4];
    static struct many many;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dice dice = {.state = seed * 1000003 + 31};
        make_many(&dice, &many);
        for (int i = 0; i < 4; i++) {
            workers[i].many = &many;
            assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
        }
        for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        const struct result *first = &workers[0].result;
        for (int i = 1; i < 4; i++) {
            const struct result *other = &workers[i].result;
            assert_true(same_bytes(first->data.data, first->data.n, other->data.data, other->data.n));
            assert_int_equal(first->crc32, other->crc32);
        }
        for (int i = 0; i < 4; i++) result_free(&workers[i].result);
        many_free(&many);
    }
}

/* --- cases of their own -------------------------------------------------------------------------- */

static const struct drive plain_drive = {
    .limits = {BM_BATCH_TEXT, BM_BATCH_BITS, BM_BATCH_TRACE, BM_TRACE_INTERVAL}};

static void deflate_text(struct stream *stream, const struct bytes *text, int level, int memory) {
    z_stream z;
    memset(stream, 0, sizeof *stream);
    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, memory, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&z, text->n);
    z.next_in = text->data;
    z.avail_in = (unsigned)text->n;
    z.next_out = bytes_more(&stream->gzip, bound);
    z.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    stream->gzip.n = z.total_out;
    deflateEnd(&z);
    stream_decode(stream);
}

/* Splices, checks, and returns how many bytes it took. */
static size_t splice_and_check(const struct stream *stream, struct script *script, struct result *result) {
    struct expectation expected;
    struct result own;
    if (result == NULL) result = &own;
    script_finish(script);
    expect(&expected, script, stream->text.data, stream->text.n);
    run(&runner, stream, script, &plain_drive, false, result);
    const char *fault = check_result(result, &expected);
    if (fault != NULL) print_error("%s\n", fault);
    assert_null(fault);
    expectation_free(&expected);
    size_t n = result->data.n;
    if (result == &own) result_free(result);
    return n;
}

/* What no edit touches comes out bit for bit, but for BFINAL. */
static void test_untouched_bits(void **state) {
    (void)state;
    struct dice dice = {.state = 5};
    struct bytes text = {NULL, 0, 0};
    struct stream stream;
    struct script script = {NULL, 0, 0, {NULL, 0, 0}};
    struct result result;
    add_xml(&dice, &text, 400000);
    deflate_text(&stream, &text, 6, 8);
    script_add(&script, EDIT_BEGIN, 0, NULL, 0);
    script_add(&script, EDIT_END, text.n, NULL, 0);
    splice_and_check(&stream, &script, &result);
    size_t n_deflate = stream.gzip.n - 18, n_other = 0;
    for (size_t i = 0; i + 1 < n_deflate; i++) {
        uint8_t other = (uint8_t)(stream.gzip.data[10 + i] ^ result.data.data[i]);
        if (other == 0) continue;
        n_other++;
        assert_int_equal(other & (other - 1), 0); /* one bit */
    }
    assert_int_equal(n_other, 1);
    assert_in_range(result.data.n, n_deflate, n_deflate + 6);
    result_free(&result);
    script_free(&script);
    stream_free(&stream);
    bytes_free(&text);
}

static void add_number_edits(struct script *script, const struct bytes *text, unsigned number) {
    static const char tag[] = "<Iteration_iter-num>";
    char digits[16];
    const uint8_t *place = text->data;
    script_add(script, EDIT_BEGIN, 0, NULL, 0);
    while ((place = memmem(place, (size_t)(text->data + text->n - place), tag, strlen(tag))) != NULL) {
        place += strlen(tag);
        uint64_t offset = (uint64_t)(place - text->data), n = 0;
        while (place[n] != '<') n++;
        int n_digits = snprintf(digits, sizeof digits, "%u", number++);
        script_add(script, EDIT_DROP, offset, NULL, 0);
        script_add(script, EDIT_INSERT, offset, digits, (size_t)n_digits);
        script_add(script, EDIT_KEEP, offset + n, NULL, 0);
    }
    script_add(script, EDIT_END, text->n, NULL, 0);
}

/* A number in each few hundred bytes: the result is hardly longer than the child. */
static void test_size(void **state) {
    (void)state;
    static const int levels[] = {1, 6, 9};
    for (int i = 0; i < 3; i++) {
        struct dice dice = {.state = 9};
        struct bytes text = {NULL, 0, 0};
        struct stream stream;
        struct script script = {NULL, 0, 0, {NULL, 0, 0}};
        add_xml(&dice, &text, 2000000);
        deflate_text(&stream, &text, levels[i], 8 + (i & 1));
        add_number_edits(&script, &text, 654321);
        size_t n = splice_and_check(&stream, &script, NULL);
        assert_in_range(n, 0, stream.gzip.n + stream.gzip.n / 100);
        script_free(&script);
        stream_free(&stream);
        bytes_free(&text);
    }
}

/* More edits in 32 KiB than are remembered, then copies of text from before them. */
static void test_many_edits(void **state) {
    (void)state;
    struct dice dice = {.state = 11};
    struct bytes text = {NULL, 0, 0};
    struct stream stream;
    struct script script = {NULL, 0, 0, {NULL, 0, 0}};
    add_binary(&dice, &text, 4000);
    add_xml(&dice, &text, 24000);
    for (int i = 0; i < 4000; i++) bytes_add(&text, text.data + i, 1);
    deflate_text(&stream, &text, 9, 8);
    script_add(&script, EDIT_BEGIN, 0, NULL, 0);
    for (uint64_t offset = 4000; offset < 24000; offset += 3)
        script_add(&script, EDIT_INSERT, offset, "7", 1);
    script_add(&script, EDIT_END, text.n, NULL, 0);
    splice_and_check(&stream, &script, NULL);
    script_free(&script);
    stream_free(&stream);
    bytes_free(&text);
}

/* Blocks of next to nothing, with the longest of headers or with none; edits at every byte, or none. */
static void test_hostile_blocks(void **state) {
    (void)state;
    for (int is_dense = 0; is_dense < 2; is_dense++) {
        struct dice dice = {.state = 3};
        struct bytes text = {NULL, 0, 0};
        struct stream stream;
        struct script script = {NULL, 0, 0, {NULL, 0, 0}};
        memset(&stream, 0, sizeof stream);
        add_binary(&dice, &text, 5000);
        weird_small_blocks(&dice, &stream.gzip, text.data, text.n);
        stream_decode(&stream);
        assert_true(stream.gzip.n > 100 * text.n);
        script_add(&script, EDIT_BEGIN, 0, NULL, 0);
        for (uint64_t i = 1; i < text.n && is_dense; i++) script_add(&script, EDIT_INSERT, i, "ab", 2);
        script_add(&script, EDIT_END, text.n, NULL, 0);
        size_t n = splice_and_check(&stream, &script, NULL);
        assert_in_range(n, 0, is_dense ? 6 * text.n : stream.gzip.n);
        script_free(&script);
        stream_free(&stream);
        bytes_free(&text);
    }
}

static void test_memory(void **state) {
    (void)state;
    struct bm_memory memory;
    const struct bm_splice_settings settings = {.form = BLASTMERGE_FORM_GZIP};
    struct bm_splice_sink *sink = NULL;
    struct bm_splice_reader *reader = NULL;
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_splice_sink_open(&sink, &settings, &memory), BLASTMERGE_OK);
    assert_int_equal(bm_splice_reader_open(&reader, &memory), BLASTMERGE_OK);
    assert_in_range(memory.n_bytes, 1, 1024); /* nothing is to be spliced yet */
    assert_int_equal(bm_splice_begin(sink, reader, true), BLASTMERGE_OK);
    assert_in_range(memory.n_bytes, 1024, 640 * 1024);
    bm_splice_reader_close(reader);
    bm_splice_sink_close(sink);
    assert_int_equal(memory.n_bytes, 0);
}

/* Whether the lengths are those of a complete code, none longer than max. */
static void check_lengths(const uint32_t *counts, unsigned n, unsigned max, uint64_t most_bits) {
    uint8_t lengths[BM_N_LITERAL_LENGTH];
    uint64_t room = 0, n_bits = 0;
    bm_splice_make_lengths(counts, n, max, lengths);
    for (unsigned i = 0; i < n; i++) {
        assert_true(lengths[i] <= max);
        assert_true(counts[i] == 0 || lengths[i] > 0);
        if (lengths[i] > 0) room += (uint64_t)1 << (max - lengths[i]);
        n_bits += (uint64_t)counts[i] * lengths[i];
    }
    assert_int_equal(room, (uint64_t)1 << max);
    assert_in_range(n_bits, 0, most_bits);
}

static void test_codes(void **state) {
    (void)state;
    uint32_t counts[BM_N_LITERAL_LENGTH] = {0};
    struct dice dice = {.state = 1};
    check_lengths(counts, 30, 15, 0);
    counts[7] = 5;
    check_lengths(counts, 30, 15, 5);
    counts[0] = 1;
    check_lengths(counts, 30, 15, 6);
    counts[8] = counts[9] = 1; /* 1, 1, 1, 5: 3 + 3 + 2 + 1 bits */
    check_lengths(counts, 30, 15, 3 + 3 + 2 + 5);
    for (unsigned i = 0; i < 40; i++) counts[i] = i < 2 ? 1 : counts[i - 1] + counts[i - 2];
    check_lengths(counts, 40, 15, UINT64_MAX); /* Fibonacci: as deep as it can be */
    check_lengths(counts, 19, 7, UINT64_MAX);
    for (unsigned i = 0; i < BM_N_LITERAL_LENGTH; i++) counts[i] = 1;
    check_lengths(counts, 256, 15, 256 * 8);
    for (int round = 0; round < 300; round++) {
        for (unsigned i = 0; i < BM_N_LITERAL_LENGTH; i++)
            counts[i] = chance(&dice, 50) ? 0 : 1U << below(&dice, 24);
        check_lengths(counts, 2 + below(&dice, BM_N_LITERAL_LENGTH - 1), 15, UINT64_MAX);
        check_lengths(counts, 2 + below(&dice, 18), 7, UINT64_MAX);
    }
}

static void check_file(const char *name, uint64_t n_cases) {
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    struct bytes gzip = {NULL, 0, 0};
    for (size_t n = 1; n > 0;) {
        uint8_t *place = bytes_more(&gzip, 65536);
        n = fread(place, 1, 65536, file);
        gzip.n -= 65536 - n;
    }
    fclose(file);
    for (uint64_t seed = 1; seed <= n_cases; seed++) {
        struct dice dice = {.state = seed * 1000003 + 17};
        struct stream stream;
        struct script script;
        memset(&stream, 0, sizeof stream);
        bytes_add(&stream.gzip, gzip.data, gzip.n);
        stream_decode(&stream);
        make_script(&dice, &script, &stream);
        const char *fault = check_splice(&runner, &dice, &stream, &script);
        if (fault != NULL) print_error("%s, seed %llu: %s\n", name, (unsigned long long)seed, fault);
        assert_null(fault);
    }
    bytes_free(&gzip);
}

/* Real children, a few cases of each; or streams of other compressors, the gzip files whose names
 * BLASTMERGE_TEST_FILES lists, with blanks between. */
static void test_files(void **state) {
    (void)state;
    const char *names = getenv("BLASTMERGE_TEST_FILES");
    if (names == NULL) {
        check_file(TEST_DATA "/batch_1.xml.gz", 6);
        check_file(TEST_DATA "/batch_2.xml.gz", 6);
        check_file(TEST_DATA "/batch_3.xml.gz", 6);
        return;
    }
    char *list = strdup(names), *rest = NULL;
    for (char *name = strtok_r(list, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
        check_file(name, number_from("BLASTMERGE_TEST_CASES", 20));
    free(list);
}

static int open_runner(void **state) {
    (void)state;
    runner_open(&runner);
    return 0;
}

static int close_runner(void **state) {
    (void)state;
    runner_close(&runner);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_untouched_bits),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_many_edits),
        cmocka_unit_test(test_hostile_blocks),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_any_stream_and_edits),
        cmocka_unit_test(test_seeds_that_failed),
        cmocka_unit_test(test_many_children),
        cmocka_unit_test(test_sinks_on_threads),
    };
    return cmocka_run_group_tests(tests, open_runner, close_runner);
}
