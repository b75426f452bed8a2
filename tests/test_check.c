/* SPDX-License-Identifier: MIT */
/*
 * What ends a check: all that is no fault of a child. Whatever is found before that, the caller hears of the end, and of
 * children that were not read nothing is said.
 */
#include "blastmerge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEADER    "<BlastOutput><BlastOutput_program>blastp</BlastOutput_program>\n<BlastOutput_iterations>\n"
#define ITERATION "<Iteration><Iteration_iter-num>1</Iteration_iter-num></Iteration>\n"
#define END       "</BlastOutput_iterations>\n</BlastOutput>\n"

static const char good[] = HEADER ITERATION END;
static const char bad[] = HEADER ITERATION "<Iteration><</Iteration>" END;

/* --- the caller's functions ----------------------------------------------------------------------- */

struct caller {
    unsigned n_faults;
    uint64_t children[16]; /* of the faults */
    size_t n_calls, fail_at;
    long n_held;
};

static int on_fault(void *context, const struct blastmerge_error *error) {
    struct caller *caller = context;
    assert_true(caller->n_faults < 16);
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

struct reader {
    const char *text; /* what is left of it */
    int close_result;
    unsigned n_closed;
};

static int next_piece(void *context, const void **data, size_t *n_bytes) {
    struct reader *reader = context;
    *data = reader->text;
    *n_bytes = strnlen(reader->text, 50);
    reader->text += *n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

static int close_reader(void *context) {
    struct reader *reader = context;
    reader->n_closed++;
    return reader->close_result;
}

/* --- jobs ----------------------------------------------------------------------------------------- */

static struct blastmerge_options options_of(struct caller *caller) {
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.on_fault = on_fault;
    options.callback_context = caller;
    options.allocator = (struct blastmerge_allocator){caller, allocate, release};
    options.sort = BLASTMERGE_SORT_NONE;
    return options;
}

static struct blastmerge_job *create(const struct blastmerge_options *options) {
    struct blastmerge_job *job = NULL;
    assert_int_equal(blastmerge_create(&job, options), BLASTMERGE_OK);
    return job;
}

static enum blastmerge_status add(struct blastmerge_job *job, const char *name, const char *text) {
    return blastmerge_add_memory(job, name, text, strlen(text));
}

static void assert_child(struct blastmerge_job *job, uint64_t number, enum blastmerge_status status,
                         bool was_read) {
    struct blastmerge_child child;
    assert_int_equal(blastmerge_child(job, number, &child), BLASTMERGE_OK);
    assert_int_equal(child.status, status);
    assert_int_equal(child.was_read, was_read);
}

/* --- readers -------------------------------------------------------------------------------------- */

/* A function of the caller's has failed, though it be behind a fault, or behind the end of all bytes. */
static void test_reader_that_fails_to_close(void **state) {
    (void)state;
    static const char cut[] = HEADER ITERATION;
    static const char *const texts[] = {good, bad, cut, ""};
    for (unsigned n_threads = 1; n_threads < 4; n_threads += 2) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            struct caller caller = {0};
            struct reader failing = {texts[i], -ENOSPC, 0};
            struct blastmerge_options options = options_of(&caller);
            options.n_threads = n_threads;
            struct blastmerge_job *job = create(&options);
            const struct blastmerge_reader reader = {&failing, next_piece, close_reader};
            assert_int_equal(add(job, "a", good), BLASTMERGE_OK);
            assert_int_equal(blastmerge_add_reader(job, "b", &reader), BLASTMERGE_OK);
            assert_int_equal(add(job, "c", good), BLASTMERGE_OK);
            assert_int_equal(blastmerge_check(job), BLASTMERGE_NO_SPACE);
            const struct blastmerge_error *error = blastmerge_error(job);
            assert_int_equal(error->child, 1);
            assert_non_null(strstr(error->message, "b: its reader failed to close"));
            assert_child(job, 0, BLASTMERGE_OK, true);
            assert_child(job, 2, BLASTMERGE_OK, false);
            assert_int_equal(failing.n_closed, 1);
            blastmerge_destroy(job);
            assert_int_equal(caller.n_held, 0);
        }
    }
}

/* --- children that come later --------------------------------------------------------------------- */

struct later {
    const char *const *texts;
    size_t n, position;
};

static int next_child(void *context, struct blastmerge_job *job) {
    struct later *later = context;
    char name[32];
    if (later->position == later->n) return BLASTMERGE_CALLBACK_OK;
    snprintf(name, sizeof name, "batch_%zu", later->n - later->position);
    return add(job, name, later->texts[later->position++]) == BLASTMERGE_OK ? BLASTMERGE_CALLBACK_OK
                                                                            : -ENOMEM;
}

/* Their number is wrong: the check ends. Their order is: that is a fault like others, and comes last. */
static void test_children_that_come_later(void **state) {
    (void)state;
    static const char *const texts[] = {good, bad, good};
    for (int is_count = 0; is_count < 2; is_count++) {
        struct caller caller = {0};
        struct later later = {texts, 3, 0};
        struct blastmerge_options options = options_of(&caller);
        options.expect_children = is_count ? 4 : 0;
        options.as_unsplit = 1;
        options.sort = BLASTMERGE_SORT_DEFAULT;
        struct blastmerge_job *job = create(&options);
        const struct blastmerge_children children = {&later, next_child};
        assert_int_equal(blastmerge_set_children(job, &children), BLASTMERGE_OK);
        enum blastmerge_status status = blastmerge_check(job);
        assert_int_equal(caller.children[0], 1);
        if (is_count) {
            assert_int_equal(status, BLASTMERGE_MISMATCH);
            assert_non_null(strstr(blastmerge_error(job)->message, "but 4 were expected"));
            assert_int_equal(caller.n_faults, 1);
        } else {
            assert_int_equal(status, BLASTMERGE_DATA); /* the first one is what it ends with */
            assert_int_equal(caller.n_faults, 2);
            assert_true(caller.children[1] == BLASTMERGE_NO_CHILD);
        }
        blastmerge_destroy(job);
    }
}

static int count_query(void *context, const struct blastmerge_query *query) {
    (void)query;
    ++*(unsigned *)context;
    return BLASTMERGE_CALLBACK_OK;
}

/* One that takes its child from a source, of which queries are listed. */
static struct blastmerge_job *create_list(struct caller *caller, const struct blastmerge_children *children) {
    struct blastmerge_options options = options_of(caller);
    struct blastmerge_job *job = create(&options);
    assert_int_equal(blastmerge_set_children(job, children), BLASTMERGE_OK);
    return job;
}

/* A list of queries needs all children, of which there must be one, before it begins. */
static void test_list_of_children_that_come_later(void **state) {
    (void)state;
    static const char *const texts[] = {good, good};
    for (size_t n = 1; n <= 2; n++) {
        struct caller caller = {0};
        struct later later = {texts, n, 0};
        const struct blastmerge_children children = {&later, next_child};
        const struct blastmerge_query *query = NULL;
        unsigned n_told = 0;
        struct blastmerge_job *job = create_list(&caller, &children);
        enum blastmerge_status status = blastmerge_queries(job, NULL, count_query, &n_told);
        const char *message = blastmerge_error(job)->message;
        bool has_indexes = strstr(message, "built without SQLite") == NULL;
        assert_int_equal(later.position, n);
        if (has_indexes) {
            assert_int_equal(status, n == 1 ? BLASTMERGE_OK : BLASTMERGE_USAGE);
            assert_int_equal(n_told, n == 1 ? 1 : 0);
            assert_true((strstr(message, "queries are got from one file, and 2 are given") != NULL) ==
                        (n == 2));
        }
        blastmerge_destroy(job);
        later.position = 0;
        job = create_list(&caller, &children);
        assert_int_equal(blastmerge_next_query(job, NULL, &query), status);
        assert_int_equal(later.position, n);
        assert_true((query != NULL) == (status == BLASTMERGE_OK));
        blastmerge_destroy(job);
        assert_int_equal(caller.n_held, 0);
    }
}

/* --- memory --------------------------------------------------------------------------------------- */

/* With several faults to be kept. */
static void test_each_allocation_fails(void **state) {
    (void)state;
    static const char *const texts[] = {bad, good, bad, bad, good};
    for (size_t fail_at = 1;; fail_at++) {
        struct caller caller = {.fail_at = fail_at};
        struct later later = {texts, 5, 0};
        struct blastmerge_options options = options_of(&caller);
        options.as_unsplit = 1;
        options.sort = BLASTMERGE_SORT_DEFAULT;
        const struct blastmerge_children children = {&later, next_child};
        struct blastmerge_job *job = NULL;
        enum blastmerge_status status = blastmerge_create(&job, &options);
        if (status == BLASTMERGE_OK) status = blastmerge_set_children(job, &children);
        if (status == BLASTMERGE_OK) status = blastmerge_check(job);
        assert_int_equal(blastmerge_error(job)->status, status);
        blastmerge_destroy(job);
        assert_int_equal(caller.n_held, 0);
        if (fail_at > caller.n_calls) {
            assert_int_equal(status, BLASTMERGE_DATA);
            assert_true(fail_at > 20);
            break;
        }
        assert_int_equal(status, BLASTMERGE_NO_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_that_fails_to_close),
        cmocka_unit_test(test_children_that_come_later),
        cmocka_unit_test(test_list_of_children_that_come_later),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
