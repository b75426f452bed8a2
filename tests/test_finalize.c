/* SPDX-License-Identifier: MIT */
/* finalize's function as callers in C see it, and what cannot be seen from outside. The cases are in
 * finalize/. */
#include "finalize/finalize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] =
    "<?xml version=\"1.0\"?>\n<BlastOutput>\n  <BlastOutput_program>blastp</BlastOutput_program>\n"
    "<BlastOutput_iterations>\n<Iteration>\n  <Iteration_iter-num>1</Iteration_iter-num>\n</Iteration>\n"
    "</BlastOutput_iterations>\n</BlastOutput>\n";

static char folder[64];

static void write_file(const char *child, const char *name, const char *data) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, child);
    assert_true(mkdir(path, 0777) == 0 || access(path, F_OK) == 0);
    snprintf(path, sizeof path, "%s/%s/%s", folder, child, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(data, file) >= 0 && fclose(file) == 0, 1);
}

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_finalize.XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_file("a", "merged_results.out.gz", text);
    write_file("a", "merge-report.json", "{\"outfmt\": 5, \"queries\": 1}");
    write_file("b", "merged_results.out.gz", text);
    write_file("b", "merge-report.json", "{\"outfmt\": 5, \"queries\": 1}");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); // NOLINT(cert-env33-c): our own words
}

static char *describe(const char *status) {
    static char description[512];
    snprintf(
        description, sizeof description,
        "{\"schema\": \"blastmerge-finalize-job\", \"schema_version\": 1, \"storage_prefix\": \"%s\", "
        "\"parent\": {\"job_id\": \"p\"}, \"expected_child_count\": 2, \"children\": [{\"job_id\": \"a\", "
        "\"status\": \"completed\"}, {\"job_id\": \"b\", \"status\": \"%s\"}]}",
        folder, status);
    return description;
}

static enum blastmerge_status finalize(struct blastmerge_options *options, const char *status,
                                       char outcome[4096]) {
    struct blastmerge_job *job = NULL;
    char *told = NULL;
    const char *description = describe(status);
    enum blastmerge_status result = blastmerge_create(&job, options);
    outcome[0] = '\0';
    if (result == BLASTMERGE_OK)
        result = blastmerge_finalize(job, description, strlen(description), NULL, &told);
    if (job != NULL) assert_int_equal(blastmerge_error(job)->status, result);
    if (told != NULL) snprintf(outcome, 4096, "%s", told);
    if (job != NULL) blastmerge_free(job, told);
    blastmerge_destroy(job);
    return result;
}

static void test_once_and_again(void **state) {
    (void)state;
    char outcome[4096];
    assert_int_equal(finalize(NULL, "queued", outcome), BLASTMERGE_NOT_READY);
    assert_non_null(strstr(outcome, "split_children_aggregating"));
    assert_int_equal(finalize(NULL, "failed", outcome), BLASTMERGE_DATA);
    assert_non_null(strstr(outcome, "split_children_failed"));
    assert_int_equal(finalize(NULL, "completed", outcome), BLASTMERGE_OK);
    assert_non_null(strstr(outcome, "\"already_merged\": false"));
    assert_int_equal(finalize(NULL, "completed", outcome), BLASTMERGE_OK);
    assert_non_null(strstr(outcome, "\"already_merged\": true"));
}

/* A job is good for one call, and for none once anything was added to it. */
static void test_jobs_that_will_not_do(void **state) {
    (void)state;
    struct blastmerge_job *job = NULL;
    struct blastmerge_options options;
    char *outcome = NULL;
    const char *description = describe("queued");
    size_t n = strlen(description);
    assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_location(job, "x"), BLASTMERGE_OK);
    assert_int_equal(blastmerge_finalize(job, description, n, NULL, &outcome), BLASTMERGE_USAGE);
    assert_null(outcome);
    blastmerge_destroy(job);
    assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_shards(job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_finalize(job, description, n, NULL, &outcome), BLASTMERGE_USAGE);
    assert_non_null(strstr(blastmerge_error(job)->message, "shards"));
    blastmerge_destroy(job);
    blastmerge_options_init(&options, sizeof options);
    options.form = BLASTMERGE_FORM_PLAIN;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    assert_int_equal(blastmerge_finalize(job, description, n, NULL, &outcome), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_finalize(job, "{}", 2, NULL, &outcome), BLASTMERGE_USAGE);
    assert_null(outcome);
    assert_int_equal(blastmerge_finalize(job, description, n, NULL, &outcome), BLASTMERGE_USAGE);
    assert_int_equal(blastmerge_add_location(job, "x"), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
}

static void test_cancelled(void **state) {
    (void)state;
    struct blastmerge_job *job = NULL;
    char *outcome = NULL;
    const char *description = describe("completed");
    assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
    blastmerge_cancel(job);
    assert_int_equal(blastmerge_finalize(job, description, strlen(description), NULL, &outcome),
                     BLASTMERGE_CANCELLED);
    assert_non_null(strstr(outcome, "split_results_merge_unavailable"));
    blastmerge_free(job, outcome);
    blastmerge_destroy(job);
}

/* --- memory runs out ----------------------------------------------------------------------------- */

struct allowance {
    unsigned n_left;
    size_t n_held;
};

static void *allocate(void *context, size_t n_bytes) {
    struct allowance *allowance = context;
    if (allowance->n_left == 0) return NULL;
    allowance->n_left--;
    allowance->n_held++;
    return malloc(n_bytes);
}

static void release(void *context, void *memory) {
    struct allowance *allowance = context;
    if (memory == NULL) return;
    allowance->n_held--;
    free(memory);
}

static void fail_each_allocation(void) {
    char outcome[4096];
    enum blastmerge_status status = BLASTMERGE_NO_MEMORY;
    unsigned n = 0;
    for (; status != BLASTMERGE_OK; n++) {
        struct allowance allowance = {.n_left = n};
        struct blastmerge_options options;
        blastmerge_options_init(&options, sizeof options);
        options.allocator = (struct blastmerge_allocator){&allowance, allocate, release};
        options.n_threads = 1;
        status = finalize(&options, "completed", outcome);
        assert_int_equal(allowance.n_held, 0);
        assert_true(status == BLASTMERGE_OK || status == BLASTMERGE_NO_MEMORY);
    }
    assert_true(n > 20);
    assert_int_equal(finalize(NULL, "completed", outcome), BLASTMERGE_OK);
    assert_non_null(strstr(outcome, "\"already_merged\": true"));
}

/* --- what cannot happen from outside: the states were looked at before ---------------------------- */

static void test_verify_looks_at_the_states(void **state) {
    (void)state;
    struct blastmerge_job *job = NULL;
    struct bm_finalize *made = calloc(1, sizeof *made);
    struct bm_finalize_child child = {.job_id = "a", .status = "running"};
    assert_non_null(made);
    assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
    assert_int_equal(bm_job_client_begin(job, &made->client), BLASTMERGE_OK);
    made->job = job;
    made->error = made->client.error;
    made->children = &child;
    made->n_children = 1;
    assert_int_equal(bm_finalize_verify(made), BLASTMERGE_MISMATCH);
    assert_string_equal(made->text, "split child a is not completed: running");
    blastmerge_destroy(job);
    free(made);
}

static void test_each_allocation_fails(void **state) {
    (void)state;
    fail_each_allocation();
}

/* An empty line behind the last row: the tables are read and merged once more. */
static void test_each_allocation_fails_where_a_copy_is_given_up(void **state) {
    (void)state;
    static const uint8_t row[] = {0x1f, 0x8b, 8,   0, 0,   0,    0,    0, 0, 255, 1, 7, 0, 0xf8, 0xff,
                                  'q',  9,    's', 9, '1', '\n', '\n', 0, 0, 0,   0, 7, 0, 0,    0};
    uint8_t member[sizeof row];
    memcpy(member, row, sizeof row);
    bm_store32(member + sizeof row - 8, bm_crc32(0, row + 15, 7));
    for (int i = 0; i < 2; i++) {
        char path[256];
        const char *child = i == 0 ? "a" : "b";
        write_file(child, "merge-report.json", "{\"outfmt\": 6}");
        snprintf(path, sizeof path, "%s/%s/merged_results.out.gz", folder, child);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(member, 1, sizeof member, file), sizeof member);
        assert_int_equal(fclose(file), 0);
    }
    fail_each_allocation();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_jobs_that_will_not_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_allocation_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_allocation_fails_where_a_copy_is_given_up, set_up,
                                        tear_down),
        cmocka_unit_test(test_verify_looks_at_the_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
