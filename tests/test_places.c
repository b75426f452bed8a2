/* SPDX-License-Identifier: MIT */
/* Places that callers of the library write themselves, standard input, and children that come later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static char folder[64];
static char child[128];
static char other[128];

static void put_file(const char *name, struct bytes data) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data.data, 1, data.n, file), data.n);
    fclose(file);
}

static int make_folder(void **state) {
    (void)state;
    struct bytes text = make_text("blastp", 1, 2, "db");
    snprintf(folder, sizeof folder, "/tmp/blastmerge-places-XXXXXX");
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(child, sizeof child, "%s/child", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    put_file(child, text);
    put_file(other, text);
    free(text.data);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(child);
    unlink(other);
    return rmdir(folder);
}

/* --- children that come later -------------------------------------------------------------------- */

struct source {
    const char *names[4];
    size_t n_given;
};

static int next_child(void *context, struct blastmerge_job *job) {
    struct source *source = context;
    const char *name = source->names[source->n_given];
    if (name == NULL) return BLASTMERGE_CALLBACK_OK;
    source->n_given++;
    return blastmerge_add_location(job, name) == BLASTMERGE_OK ? BLASTMERGE_CALLBACK_OK : 0;
}

static struct blastmerge_job *make_job(const char *queries) {
    struct blastmerge_job *job = NULL;
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.expect_queries = queries;
    options.n_threads = 1;
    options.allow_empty = 1;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    return job;
}

static void assert_refused(struct blastmerge_job *job, const char *words) {
    assert_int_equal(blastmerge_check(job), BLASTMERGE_USAGE);
    if (strstr(blastmerge_error(job)->message, words) == NULL) fail_msg("%s", blastmerge_error(job)->message);
    blastmerge_destroy(job);
}

static void test_standard_input_is_read_once(void **state) {
    static const char *const names[] = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            struct blastmerge_job *job = make_job(NULL);
            assert_int_equal(blastmerge_add_location(job, names[i]), BLASTMERGE_OK);
            assert_int_equal(blastmerge_add_location(job, names[k]), BLASTMERGE_OK);
            assert_refused(job, "standard input is given twice for a child");
            job = make_job(names[i]);
            assert_int_equal(blastmerge_add_location(job, names[k]), BLASTMERGE_OK);
            assert_refused(job, "standard input is given for the queries and for a child");
            job = make_job(names[i]);
            assert_int_equal(blastmerge_protect_location(job, "the list", names[k]), BLASTMERGE_OK);
            assert_int_equal(blastmerge_add_location(job, child), BLASTMERGE_OK);
            assert_refused(job, "standard input is given for the list and for the queries");
        }
    }
}

static void test_standard_input_that_comes_later(void **state) {
    (void)state;
    int null = open("/dev/null", O_RDONLY);
    int before = dup(STDIN_FILENO);
    assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
    for (int i = 0; i < 2; i++) {
        struct source source = {{child, "-", i == 0 ? NULL : "/dev/stdin", NULL}, 0};
        struct blastmerge_job *job = make_job(i == 0 ? "-" : NULL);
        const struct blastmerge_children children = {.context = &source, .next = next_child};
        assert_int_equal(blastmerge_set_children(job, &children), BLASTMERGE_OK);
        assert_refused(job, i == 0 ? "standard input is given for the queries and for a child"
                                   : "standard input is given twice for a child");
    }
    assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
    close(before);
    close(null);
}

/* --- what the caller writes ---------------------------------------------------------------------- */

static void test_what_the_caller_writes(void **state) {
    (void)state;
    char descriptor[32];
    int file = open(child, O_WRONLY | O_APPEND);
    snprintf(descriptor, sizeof descriptor, "/dev/fd/%d", file);
    const char *const names[] = {child, descriptor};
    for (size_t i = 0; i < 2; i++) {
        struct blastmerge_job *job = make_job(NULL);
        assert_int_equal(blastmerge_claim_location(job, "the log", names[i]), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_location(job, child), BLASTMERGE_OK);
        assert_refused(job, "the log (");
        job = make_job(NULL);
        assert_int_equal(blastmerge_claim_location(job, "the log", names[i]), BLASTMERGE_OK);
        struct source source = {{other, child, NULL}, 0};
        const struct blastmerge_children children = {.context = &source, .next = next_child};
        assert_int_equal(blastmerge_set_children(job, &children), BLASTMERGE_OK);
        assert_refused(job, "is the same place as a child (");
        job = make_job(child);
        assert_int_equal(blastmerge_claim_location(job, "the log", names[i]), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_location(job, other), BLASTMERGE_OK);
        assert_refused(job, "is the same place as the file of queries (");
        job = make_job(NULL);
        assert_int_equal(blastmerge_claim_location(job, "the log", names[i]), BLASTMERGE_OK);
        assert_int_equal(blastmerge_protect_location(job, "the list", child), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_location(job, other), BLASTMERGE_OK);
        assert_refused(job, "is the same place as the list (");
        job = make_job(NULL);
        assert_int_equal(blastmerge_claim_location(job, "the log", names[i]), BLASTMERGE_OK);
        assert_int_equal(blastmerge_set_report_location(job, child), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_location(job, other), BLASTMERGE_OK);
        assert_refused(job, "is the same place as the report (");
        job = make_job(NULL);
        assert_int_equal(blastmerge_claim_location(job, "the log", names[i]), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_location(job, other), BLASTMERGE_OK);
        assert_int_equal(blastmerge_check(job), BLASTMERGE_OK);
        assert_int_equal(blastmerge_claim_location(job, "the log", child),
                         BLASTMERGE_USAGE); /* it has begun */
        blastmerge_destroy(job);
    }
    close(file);
    struct blastmerge_job *job = make_job(NULL);
    assert_int_equal(blastmerge_claim_location(job, NULL, child), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
}

/* --- names --------------------------------------------------------------------------------------- */

static void test_names(void **state) {
    static const struct {
        const char *location;
        const char *shown;
    } cases[] = {
        {"a", "a"},
        {" a", "' a'"},
        {"a ", "'a '"},
        {" ", "' '"},
        {"", "''"},
        {"a b", "a b"},
        {"\xc2\xa0"
         "a",
         "'\xc2\xa0"
         "a'"},
        {"a\xe3\x80\x80", "'a\xe3\x80\x80'"},
        {"\ta", "'?a'"},
        {"' a'", "' a'"},
        {"\xff", "\\xff"},
        {"ftp://u:p@h/x?y", "ftp://h/x?\xe2\x80\xa6"},
        {"https:/u:p@h/x", "https:/h/x"},
        {" s3://k:p@b/x", "' s3://b/x'"},
        {"a/ftp://x", "a/ftp://x"},
        {"C:/x", "C:/x"},
        {"1ftp://u:p@h", "1ftp://u:p@h"}, /* no scheme begins so */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char shown[64];
        char again[64];
        blastmerge_show_location(cases[i].location, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
        blastmerge_show_location(shown, again, sizeof again);
        assert_string_equal(again, shown);
    }
    char small[8];
    blastmerge_show_location(" a long name", small, sizeof small);
    assert_string_equal(small, "' a...'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard_input_is_read_once),
        cmocka_unit_test(test_standard_input_that_comes_later),
        cmocka_unit_test(test_what_the_caller_writes),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
