/* SPDX-License-Identifier: MIT */
/* The line about an error: its parts in their order, each once, and the end is there however long the parts are. */
#include "job/sentence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct blastmerge_error error_at(uint64_t child, uint64_t offset, uint64_t n_iterations,
                                        const char *reason) {
    struct blastmerge_error error = {0};
    (void)bm_fail_at(&error, BLASTMERGE_DATA, offset, "%s", reason);
    error.child = child;
    error.n_iterations = n_iterations;
    return error;
}

static void assert_line(const char *subject, const char *addition, struct blastmerge_error error,
                        const char *line) {
    struct bm_job_sentence sentence = {subject, addition};
    for (int i = 0; i < 2; i++) { /* it is composed once */
        bm_job_sentence_compose(&sentence, &error);
        assert_string_equal(error.message, line);
    }
}

static void test_parts(void **state) {
    (void)state;
    const uint64_t none = BLASTMERGE_NO_CHILD;
    assert_line("a.gz", NULL, error_at(0, 7, 1, "is cut"),
                "a.gz: is cut (at byte 7 of its text, after 1 whole Iteration)");
    assert_line("a.gz", "; too", error_at(0, 7, 2, "is cut"),
                "a.gz: is cut (at byte 7 of its text, after 2 whole Iterations); too");
    assert_line("a.gz", "", error_at(3, 0, 0, "is cut"), "a.gz: is cut");
    assert_line("a.gz", NULL, error_at(3, BLASTMERGE_NO_OFFSET, 0, "is cut"), "a.gz: is cut");
    assert_line("a*", NULL, error_at(none, BLASTMERGE_NO_OFFSET, 0, "no such object"), "a*: no such object");
    assert_line(NULL, "; but", error_at(none, BLASTMERGE_NO_OFFSET, 0, "no space"), "no space; but");
    assert_line(NULL, NULL, error_at(0, 7, 1, "a place is given twice"), "a place is given twice");
    assert_line("a.gz", NULL, error_at(none, BLASTMERGE_NO_OFFSET, 0, "cannot open: Permission denied"),
                "cannot open a.gz: Permission denied");
    assert_line("a.gz", "; too", error_at(0, 7, 1, "cannot read"),
                "cannot read a.gz (at byte 7 of its text, after 1 whole Iteration); too");
    assert_line("a.gz", NULL, error_at(none, BLASTMERGE_NO_OFFSET, 0, "cannot write b.gz: No space"),
                "a.gz: cannot write b.gz: No space");
    assert_line(NULL, "; but", error_at(none, BLASTMERGE_NO_OFFSET, 0, "cannot open: x"),
                "cannot open: x; but");
    assert_line("\x1b[1m", NULL, error_at(none, BLASTMERGE_NO_OFFSET, 0, "x"), "?[1m: x");
}

static void test_long_parts(void **state) {
    (void)state;
    char subject[2001], reason[1001];
    memset(subject, 's', sizeof subject - 1);
    memset(reason, 'r', sizeof reason - 1);
    subject[sizeof subject - 1] = reason[sizeof reason - 1] = '\0';
    for (size_t n = 1; n < sizeof subject; n += 37) {
        struct blastmerge_error error = error_at(0, UINT64_MAX - 1, UINT64_MAX, reason);
        struct bm_job_sentence sentence = {subject + sizeof subject - 1 - n, "; the end"};
        bm_job_sentence_compose(&sentence, &error);
        size_t n_message = strlen(error.message);
        assert_true(n_message < sizeof error.message);
        assert_string_equal(error.message + n_message - strlen("; the end"), "; the end");
        assert_non_null(strstr(error.message, ": rrrrrrrrrr"));
        assert_non_null(strstr(error.message, " (at byte 18446744073709551614 of its text, after "));
    }
    memcpy(reason, "cannot open: ", strlen("cannot open: "));
    for (size_t n = 1; n < sizeof subject; n += 37) {
        struct blastmerge_error error = error_at(0, UINT64_MAX - 1, UINT64_MAX, reason);
        struct bm_job_sentence sentence = {subject + sizeof subject - 1 - n, "; the end"};
        bm_job_sentence_compose(&sentence, &error);
        size_t n_message = strlen(error.message);
        assert_true(n_message < sizeof error.message);
        assert_string_equal(error.message + n_message - strlen("; the end"), "; the end");
        assert_memory_equal(error.message, "cannot open s", strlen("cannot open s"));
        assert_non_null(strstr(error.message, "s: rrrrrrrrrr"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_long_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
