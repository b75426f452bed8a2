/* SPDX-License-Identifier: MIT */
/* The last steps of a job: nothing fails once complete bytes are out; what is visible is taken back if
 * something does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char result[128];
static char report[128];
static struct bytes zipped;

static int make_folder(void **state) {
    (void)state;
    struct bytes text = make_text("blastp", 1, 3, "db");
    zipped = make_gzip(text, 6);
    free(text.data);
    snprintf(folder, sizeof folder, "/tmp/blastmerge-commit-XXXXXX");
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(result, sizeof result, "%s/merged.xml.gz", folder);
    snprintf(report, sizeof report, "%s/report.json", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    free(zipped.data);
    (void)unlink(result);
    (void)unlink(report);
    return rmdir(folder); /* fails if anything is left */
}

static void put_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct blastmerge_job *create(bool is_plain, bool is_force) {
    struct blastmerge_job *job = NULL;
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.form = is_plain ? BLASTMERGE_FORM_PLAIN : BLASTMERGE_FORM_GZIP;
    options.force = is_force;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "child", zipped.data, zipped.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_report_location(job, report), BLASTMERGE_OK);
    return job;
}

static bool is_complete(const uint8_t *data, size_t n, bool is_plain) {
    if (is_plain) return n > 20 && memmem(data + n - 20, 20, "</BlastOutput>", 14) != NULL;
    struct bytes text = n > 0 ? read_gzip(data, n) : (struct bytes){NULL, 0};
    bool is_whole = text.data != NULL;
    free(text.data);
    return is_whole;
}

/* --- pulled piece by piece ----------------------------------------------------------------------- */

static void test_nothing_fails_after_the_last_piece(void **state) {
    (void)state;
    for (int is_plain = 0; is_plain <= 1; is_plain++) {
        struct blastmerge_job *job = create(is_plain != 0, true);
        struct bytes all = {NULL, 0};
        const void *data = NULL;
        size_t n = 0;
        while (!is_complete(all.data, all.n, is_plain != 0)) {
            assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
            assert_true(n > 0);
            all.data = realloc(all.data, all.n + n);
            assert_non_null(all.data);
            memcpy(all.data + all.n, data, n);
            all.n += n;
        }
        assert_int_equal(access(report, F_OK), 0);
        assert_int_equal(blastmerge_report(job)->output_bytes, all.n);
        assert_memory_equal(data, all.data + all.n - n, n); /* it is still there */
        blastmerge_cancel(job);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
            assert_int_equal(n, 0);
        }
        assert_int_equal(blastmerge_error(job)->status, BLASTMERGE_OK);
        blastmerge_destroy(job);
        assert_int_equal(access(report, F_OK), 0);
        free(all.data);
    }
}

/* A job that is given up behind its last piece is done, too. */
static void test_last_piece_and_no_more(void **state) {
    (void)state;
    struct blastmerge_job *job = create(false, false);
    const void *data = NULL;
    size_t n = 0;
    assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
    assert_true(is_complete(data, n, false));
    blastmerge_destroy(job);
    assert_int_equal(access(report, F_OK), 0);
}

static void test_report_that_comes_up_meanwhile(void **state) {
    (void)state;
    for (int is_plain = 0; is_plain <= 1; is_plain++) {
        struct blastmerge_job *job = NULL;
        struct blastmerge_options options;
        struct bytes text = make_text("blastp", 1, 30000, "db"); /* more than one piece */
        struct bytes large = make_gzip(text, 1);
        struct bytes all = {NULL, 0};
        const void *data = NULL;
        size_t n = 0;
        enum blastmerge_status status = BLASTMERGE_OK;
        blastmerge_options_init(&options, sizeof options);
        options.form = is_plain ? BLASTMERGE_FORM_PLAIN : BLASTMERGE_FORM_GZIP;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_memory(job, "child", large.data, large.n), BLASTMERGE_OK);
        assert_int_equal(blastmerge_set_report_location(job, report), BLASTMERGE_OK);
        while (status == BLASTMERGE_OK) {
            status = blastmerge_next(job, &data, &n);
            if (status != BLASTMERGE_OK) break;
            assert_true(n > 0);
            if (all.n == 0) put_file(report, "another's");
            all.data = realloc(all.data, all.n + n);
            assert_non_null(all.data);
            memcpy(all.data + all.n, data, n);
            all.n += n;
        }
        assert_true(all.n > 0);
        assert_int_equal(status, BLASTMERGE_EXISTS);
        assert_false(is_complete(all.data, all.n, is_plain != 0));
        blastmerge_destroy(job);
        assert_int_equal(unlink(report), 0);
        free(all.data);
        free(large.data);
        free(text.data);
    }
}

/* --- the caller's writer ------------------------------------------------------------------------- */

struct kept {
    unsigned n_writes, fail_at, n_commits, n_discards;
    bool does_commit_fail, had_report;
};

static int keep_write(void *context, const void *data, size_t n_bytes) {
    struct kept *kept = context;
    (void)data;
    (void)n_bytes;
    kept->had_report = access(report, F_OK) == 0;
    return ++kept->n_writes == kept->fail_at ? -ENOSPC : BLASTMERGE_CALLBACK_OK;
}

static int keep_commit(void *context) {
    struct kept *kept = context;
    kept->n_commits++;
    return kept->does_commit_fail ? -EIO : BLASTMERGE_CALLBACK_OK;
}

static void keep_discard(void *context) {
    ((struct kept *)context)->n_discards++;
}

static enum blastmerge_status run_writer(struct kept *kept, bool is_force) {
    struct blastmerge_job *job = create(false, is_force);
    const struct blastmerge_writer writer = {kept, keep_write, keep_commit, keep_discard};
    assert_int_equal(blastmerge_set_output_writer(job, &writer), BLASTMERGE_OK);
    enum blastmerge_status status = blastmerge_run(job);
    blastmerge_destroy(job);
    return status;
}

static void test_writer_commits_last(void **state) {
    (void)state;
    struct kept kept = {0};
    assert_int_equal(run_writer(&kept, false), BLASTMERGE_OK);
    assert_true(kept.had_report); /* when the last piece came */
    assert_int_equal(kept.n_commits, 1);
    assert_int_equal(kept.n_discards, 0);
    assert_int_equal(access(report, F_OK), 0);
}

static void assert_old_report(bool has_old) {
    char found[16] = "";
    FILE *file = fopen(report, "r");
    assert_true((file != NULL) == has_old);
    if (file == NULL) return;
    assert_int_equal(fread(found, 1, sizeof found - 1, file), 3);
    fclose(file);
    assert_string_equal(found, "old");
}

static void test_report_is_taken_back(void **state) {
    (void)state;
    for (int has_old = 0; has_old <= 1; has_old++) {
        if (has_old) put_file(report, "old");
        struct kept kept = {.fail_at = 1}; /* there is but one piece */
        assert_int_equal(run_writer(&kept, has_old != 0), BLASTMERGE_NO_SPACE);
        assert_true(kept.had_report);
        assert_int_equal(kept.n_commits, 0);
        assert_int_equal(kept.n_discards, 1);
        assert_old_report(has_old != 0);
        kept = (struct kept){.does_commit_fail = true};
        assert_int_equal(run_writer(&kept, has_old != 0), BLASTMERGE_IO);
        assert_int_equal(kept.n_commits, 1);
        assert_old_report(has_old != 0);
    }
}

/* --- an index ------------------------------------------------------------------------------------ */

/* What cannot be indexed is the result, whether it is read again for its index or not: no child is to blame. */
static void test_result_that_cannot_be_indexed(void **state) {
    (void)state;
    enum { LONG = (1 << 20) + 1000 }; /* more than an index holds of what stands before the Iterations */
    struct bytes text = make_text("blastp", 1, 3, "db");
    const char *body = memmem(text.data, text.n, "<BlastOutput_iterations>", 24);
    size_t n_head = (size_t)(body - (const char *)text.data);
    char *whole = malloc(text.n + LONG);
    assert_non_null(whole);
    memcpy(whole, text.data, n_head);
    memset(whole + n_head, ' ', LONG);
    memcpy(whole + n_head + LONG, body, text.n - n_head);
    for (int is_read_again = 0; is_read_again <= 1; is_read_again++) {
        struct blastmerge_job *job = NULL;
        struct blastmerge_options options;
        blastmerge_options_init(&options, sizeof options);
        if (is_read_again) options.header = BLASTMERGE_HEADER_KEEP;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_memory(job, "child", whole, text.n + LONG), BLASTMERGE_OK);
        assert_int_equal(blastmerge_set_output_location(job, result), BLASTMERGE_OK);
        enum blastmerge_status status = blastmerge_set_index(job, NULL);
        if (status == BLASTMERGE_OK) status = blastmerge_run(job);
        const struct blastmerge_error *error = blastmerge_error(job);
        if (strstr(error->message, "built without SQLite") == NULL) {
            assert_int_equal(status, BLASTMERGE_DATA);
            assert_non_null(strstr(error->message, result));
            assert_non_null(strstr(error->message, "cannot be indexed"));
            assert_int_equal(error->child, BLASTMERGE_NO_CHILD);
        }
        blastmerge_destroy(job);
        assert_int_equal(access(result, F_OK), -1);
    }
    free(whole);
    free(text.data);
}

/* --- places that the caller reads ---------------------------------------------------------------- */

static void test_protected_location(void **state) {
    (void)state;
    put_file(report, "old");
    struct blastmerge_job *job = create(false, true);
    assert_int_equal(blastmerge_protect_location(job, "the plan", report), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_output_location(job, result), BLASTMERGE_OK);
    assert_int_equal(blastmerge_run(job), BLASTMERGE_USAGE);
    assert_non_null(strstr(blastmerge_error(job)->message, "the report ("));
    assert_non_null(strstr(blastmerge_error(job)->message, "is the same place as the plan ("));
    blastmerge_destroy(job);
    assert_old_report(true);
    job = create(false, true);
    assert_int_equal(blastmerge_protect_location(job, "the plan", ""), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_nothing_fails_after_the_last_piece),
        IN_FOLDER(test_last_piece_and_no_more),
        IN_FOLDER(test_report_that_comes_up_meanwhile),
        IN_FOLDER(test_writer_commits_last),
        IN_FOLDER(test_report_is_taken_back),
        IN_FOLDER(test_result_that_cannot_be_indexed),
        IN_FOLDER(test_protected_location),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
