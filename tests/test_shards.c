/* SPDX-License-Identifier: MIT */
/* Jobs of shards, through the library's face: a check that goes on behind a batch with a fault, the counts, and every
 * allocation that fails. */
#include "blastmerge.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER                                                                                               \
    "<?xml version=\"1.0\"?>\n<BlastOutput>\n  <BlastOutput_program>blastn</BlastOutput_program>\n"          \
    "  <BlastOutput_db>d</BlastOutput_db>\n<BlastOutput_iterations>\n"
#define FRONT(title)                                                                                         \
    "<Iteration>\n  <Iteration_iter-num>1</Iteration_iter-num>\n  "                                          \
    "<Iteration_query-ID>Query_1</Iteration_query-ID>\n"                                                     \
    "  <Iteration_query-def>" title                                                                          \
    "</Iteration_query-def>\n  <Iteration_query-len>100</Iteration_query-len>\n<Iteration_hits>\n"
#define HIT(name, evalue)                                                                                    \
    "<Hit>\n  <Hit_num>1</Hit_num>\n  <Hit_id>" name "</Hit_id>\n  <Hit_accession>" name                     \
    "</Hit_accession>\n  <Hit_len>300</Hit_len>\n    <Hsp>\n      <Hsp_num>1</Hsp_num>\n"                    \
    "      <Hsp_score>40</Hsp_score>\n      <Hsp_evalue>" evalue "</Hsp_evalue>\n    </Hsp>\n</Hit>\n"
#define TAIL                                                                                                 \
    "</Iteration_hits>\n  <Iteration_stat>\n      <Statistics_db-num>600</Statistics_db-num>\n"              \
    "      <Statistics_db-len>60000</Statistics_db-len>\n      "                                             \
    "<Statistics_hsp-len>10</Statistics_hsp-len>\n"                                                          \
    "      <Statistics_eff-space>9720000</Statistics_eff-space>\n      "                                     \
    "<Statistics_kappa>0.41</Statistics_kappa>\n"                                                            \
    "      <Statistics_lambda>0.625</Statistics_lambda>\n  </Iteration_stat>\n</Iteration>\n"
#define END "</BlastOutput_iterations>\n</BlastOutput>\n"

static const char one[] = HEADER FRONT("q") HIT("a", "1e-05") TAIL END;
static const char other[] = HEADER FRONT("q") HIT("b", "1e-06") TAIL END;
static const char damaged[] = HEADER FRONT("q") "<Hit><</Hit>" TAIL END;
static const char of_others[] = HEADER FRONT("p") HIT("b", "1e-06") TAIL END;

static const char of_others_too[] = HEADER FRONT("p") HIT("c", "1e-07") TAIL END;

struct caller {
    unsigned n_faults;
    uint64_t children[16]; /* of the faults */
    char messages[16][300];
    size_t n_calls, fail_at;
    long n_held;
};

static int on_fault(void *context, const struct blastmerge_error *error) {
    struct caller *caller = context;
    assert_true(caller->n_faults < 16);
    snprintf(caller->messages[caller->n_faults], sizeof caller->messages[0], "%.299s", error->message);
    caller->children[caller->n_faults++] = error->child;
    return BLASTMERGE_CALLBACK_OK;
}

static void *allocate(void *context, size_t n_bytes) {
    struct caller *caller = context;
    if (++caller->n_calls == caller->fail_at) return NULL;
    caller->n_held++;
    return malloc(n_bytes);
}

static void release(void *context, void *memory) {
    ((struct caller *)context)->n_held--;
    free(memory);
}

/* NULL: there was no memory. */
static struct blastmerge_job *create(struct caller *caller, uint64_t n_shards, uint64_t n_targets,
                                     unsigned n_threads, const char *const *texts, size_t n_texts) {
    struct blastmerge_options options;
    struct blastmerge_shards_options own;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    blastmerge_shards_options_init(&own, sizeof own);
    options.on_fault = on_fault;
    options.callback_context = caller;
    options.allocator = (struct blastmerge_allocator){caller, allocate, release};
    options.n_threads = n_threads;
    own.n_shards = n_shards;
    own.max_target_seqs = n_targets;
    if (blastmerge_create(&job, &options) != BLASTMERGE_OK) return NULL;
    enum blastmerge_status status = blastmerge_set_shards(job, &own);
    for (size_t i = 0; i < n_texts && status == BLASTMERGE_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "shard_%zu", i);
        status = blastmerge_add_memory(job, name, texts[i], strlen(texts[i]));
    }
    if (status == BLASTMERGE_OK) return job;
    assert_int_equal(status, BLASTMERGE_NO_MEMORY);
    blastmerge_destroy(job);
    return NULL;
}

static void assert_child(struct blastmerge_job *job, uint64_t number, enum blastmerge_status status) {
    struct blastmerge_child child;
    assert_int_equal(blastmerge_child(job, number, &child), BLASTMERGE_OK);
    assert_int_equal(child.status, status);
}

/* The totals are those of all batches' shards, whether they have a fault or not. */
static void assert_bytes(struct blastmerge_job *job) {
    const struct blastmerge_report *totals = blastmerge_report(job);
    uint64_t n_compressed = 0, n_text = 0;
    for (uint64_t i = 0; i < totals->n_children; i++) {
        struct blastmerge_child child;
        assert_int_equal(blastmerge_child(job, i, &child), BLASTMERGE_OK);
        n_compressed += child.compressed_bytes;
        n_text += child.text_bytes;
    }
    assert_true(n_text > 0);
    assert_int_equal(totals->compressed_bytes, n_compressed);
    assert_int_equal(totals->text_bytes, n_text);
}

/* Each batch's first fault is told, with its shard, and the next batch is checked. */
static void test_check(void **state) {
    static const char *const texts[] = {one, damaged, of_others, of_others_too, one, of_others};
    (void)state;
    for (unsigned n_threads = 1; n_threads < 4; n_threads += 2) {
        struct caller caller = {0};
        struct blastmerge_job *job = create(&caller, 2, 0, n_threads, texts, 6);
        assert_int_equal(blastmerge_check(job), BLASTMERGE_DATA);
        assert_int_equal(caller.n_faults, 2);
        assert_int_equal(caller.children[0], 1);
        assert_int_equal(caller.children[1], 5);
        assert_memory_equal(caller.messages[0], "shard_1: ", 9);
        assert_memory_equal(caller.messages[1], "shard_5: ", 9);
        assert_non_null(strstr(caller.messages[1], "did not search the same queries"));
        assert_child(job, 1, BLASTMERGE_DATA);
        assert_child(job, 2, BLASTMERGE_OK);
        assert_child(job, 3, BLASTMERGE_OK);
        assert_child(job, 5, BLASTMERGE_MISMATCH);
        assert_bytes(job);
        blastmerge_destroy(job);
        assert_int_equal(caller.n_held, 0);
    }
}

/* What the merge finds in the merged text is said of the batch. */
static void test_the_same_queries_twice(void **state) {
    static const char *const texts[] = {one, other, one, other};
    struct caller caller = {0};
    (void)state;
    struct blastmerge_job *job = create(&caller, 2, 0, 1, texts, 4);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_MISMATCH);
    assert_memory_equal(blastmerge_error(job)->message, "batch 2 of shards: it holds the queries of", 40);
    blastmerge_destroy(job);
}

static unsigned count_open(void) {
    unsigned n = 0;
    for (int file = 0; file < 256; file++) n += fcntl(file, F_GETFD) >= 0;
    return n;
}

/* A file of names that is refused is closed, whatever reads it. */
static void test_names_that_are_refused(void **state) {
    static const char *const texts[] = {one, other};
    char path[] = "/tmp/blastmerge-names-XXXXXX";
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "\xff\xfeq\0\n\0", 6), 6); /* UTF-16 */
    unsigned n_open = count_open();
    for (int is_order = 0; is_order <= 1; is_order++) {
        struct blastmerge_options options;
        struct blastmerge_shards_options own;
        struct blastmerge_job *job = NULL;
        blastmerge_options_init(&options, sizeof options);
        blastmerge_shards_options_init(&own, sizeof own);
        if (is_order)
            own.order = path;
        else
            options.expect_queries = path;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
        if (is_order) assert_int_equal(blastmerge_set_shards(job, &own), BLASTMERGE_OK);
        for (int i = 0; i < 2; i++)
            assert_int_equal(blastmerge_add_memory(job, "child", texts[i], strlen(texts[i])), BLASTMERGE_OK);
        assert_int_equal(blastmerge_check(job), BLASTMERGE_USAGE);
        assert_non_null(strstr(blastmerge_error(job)->message, "is UTF-16"));
        blastmerge_destroy(job);
        assert_int_equal(count_open(), n_open);
    }
    close(file);
    unlink(path);
}

static void test_counts(void **state) {
    static const char *const texts[] = {one, other};
    struct caller caller = {0};
    (void)state;
    struct blastmerge_job *job = create(&caller, 0, 1, 1, texts, 2);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_OK);
    assert_int_equal(blastmerge_shards_report(job)->n_cut_queries, 1);
    assert_int_equal(blastmerge_shards_report(job)->n_tied_cuts, 0);
    assert_int_equal(blastmerge_report(job)->n_children, 2);
    blastmerge_destroy(job);
    assert_int_equal(caller.n_held, 0);
}

static void test_memory_that_fails(void **state) {
    static const char *const texts[] = {one, other, of_others, of_others_too};
    (void)state;
    bool has_failed = true;
    for (size_t fail_at = 1; has_failed; fail_at++) {
        struct caller caller = {.fail_at = fail_at};
        struct blastmerge_job *job = create(&caller, 2, 0, 2, texts, 4);
        enum blastmerge_status status = job != NULL ? blastmerge_check(job) : BLASTMERGE_NO_MEMORY;
        has_failed = caller.n_calls >= fail_at;
        /* A head for which there is no memory goes to a temporary file. */
        assert_true(status == BLASTMERGE_OK || (has_failed && status == BLASTMERGE_NO_MEMORY));
        blastmerge_destroy(job);
        assert_int_equal(caller.n_held, 0);
    }
}

/* Every string that the options have is copied, or there is no memory for it, and nothing is released twice. */
static void test_memory_of_the_options_fails(void **state) {
    const uint64_t sizes[] = {1, 2, 3, 4};
    (void)state;
    for (int has_database = 0; has_database < 2; has_database++) {
        bool has_failed = true;
        for (size_t fail_at = 1; has_failed; fail_at++) {
            struct caller caller = {.fail_at = fail_at};
            struct blastmerge_options options;
            struct blastmerge_shards_options own;
            struct blastmerge_job *job = NULL;
            blastmerge_options_init(&options, sizeof options);
            blastmerge_shards_options_init(&own, sizeof own);
            options.allocator = (struct blastmerge_allocator){&caller, allocate, release};
            options.database = has_database ? "whole" : NULL;
            own.columns = "std score";
            own.order = "accessions.txt";
            own.sizes = sizes;
            own.n_sizes = 4;
            enum blastmerge_status status = blastmerge_create(&job, &options);
            if (status == BLASTMERGE_OK) status = blastmerge_set_shards(job, &own);
            has_failed = caller.n_calls >= fail_at;
            assert_int_equal(status, has_failed ? BLASTMERGE_NO_MEMORY : BLASTMERGE_OK);
            blastmerge_destroy(job);
            assert_int_equal(caller.n_held, 0);
        }
    }
}

/* What the first call has settled, such as empty shards, would be taken for the caller's wish. */
static void test_shards_are_set_once(void **state) {
    struct blastmerge_job *job = NULL;
    (void)state;
    assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_shards(job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_shards(job, NULL), BLASTMERGE_USAGE);
    assert_string_equal(blastmerge_error(job)->message, "the children have been made shards before");
    blastmerge_destroy(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_the_same_queries_twice),
        cmocka_unit_test(test_names_that_are_refused),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_memory_that_fails),
        cmocka_unit_test(test_memory_of_the_options_fails),
        cmocka_unit_test(test_shards_are_set_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
