/* SPDX-License-Identifier: MIT */
/* Where small children are read: they get seats of their own if most is in them, and there are threads, memory and descriptors. */
#include "children.h"

#include "blastmerge.h"
#include "job/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { N_CHILDREN = 30 };

static struct bytes small, large; /* children; the large one has more bytes than all small ones together */

static int open_children(void **state) {
    (void)state;
    struct bytes text = make_text("blastp", 1, 2, "db");
    small = make_gzip(text, 6);
    free(text.data);
    text = make_text("blastp", 1, 4000, "db");
    large = make_gzip(text, 0);
    free(text.data);
    return small.n < BM_CHILD_LANE_SMALL && large.n > N_CHILDREN * small.n ? 0 : -1;
}

static int close_children(void **state) {
    (void)state;
    free(small.data);
    free(large.data);
    return 0;
}

/* Merges, and returns how many seats there were; *n_small: for small children. */
static size_t count_seats(unsigned n_threads, int has_large, size_t *n_small, struct bytes *result) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    const void *data = NULL;
    size_t n_bytes = 0, n = 0;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = n_threads;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    for (int i = 0; i < N_CHILDREN; i++)
        assert_int_equal(blastmerge_add_memory(job, "small", small.data, small.n), BLASTMERGE_OK);
    if (has_large) assert_int_equal(blastmerge_add_memory(job, "large", large.data, large.n), BLASTMERGE_OK);
    do {
        assert_int_equal(blastmerge_next(job, &data, &n_bytes), BLASTMERGE_OK);
        if (n == 0) {
            n = job->seats.n;
            *n_small = job->seats.n_small;
        }
        result->data = realloc(result->data, result->n + n_bytes + 1);
        assert_non_null(result->data);
        if (n_bytes > 0) memcpy(result->data + result->n, data, n_bytes);
        result->n += n_bytes;
    } while (n_bytes > 0);
    blastmerge_destroy(job);
    return n;
}

static void test_seats(void **state) {
    static const struct {
        unsigned n_threads;
        int has_large;
        size_t n_seats, n_small;
    } cases[] = {{1, 0, 1, 0}, {1, 1, 1, 0}, {2, 0, 9, 8}, {2, 1, 2, 0}, {3, 0, 10, 8}, {3, 1, 3, 0}};
    struct bytes expected[2] = {{NULL, 0}, {NULL, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes result = {NULL, 0};
        size_t n_small = 0;
        assert_int_equal(count_seats(cases[i].n_threads, cases[i].has_large, &n_small, &result),
                         cases[i].n_seats);
        assert_int_equal(n_small, cases[i].n_small);
        struct bytes *first = &expected[cases[i].has_large];
        if (first->data == NULL) {
            *first = result;
            continue;
        }
        assert_int_equal(result.n, first->n);
        assert_memory_equal(result.data, first->data, first->n);
        free(result.data);
    }
    for (int i = 0; i < 2; i++) free(expected[i].data);
}

/* A seat for any child takes three, one for small children a single one. */
static void test_descriptors(void **state) {
    static const struct {
        rlim_t limit;
        size_t n_small;
    } cases[] = {{16 + 3, 0}, {16 + 3 * 2, 3}, {16 + 3 * 2 + 4, 4}, {16 + 3 * 4, 3}, {1024, 8}};
    struct rlimit before;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rlimit limit = {.rlim_cur = cases[i].limit, .rlim_max = before.rlim_max};
        struct bytes result = {NULL, 0};
        size_t n_small = 0;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        size_t n = count_seats(8, 0, &n_small, &result);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(n_small, cases[i].n_small);
        assert_true(3 * (n - n_small) + n_small + 16 <= cases[i].limit);
        free(result.data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seats), cmocka_unit_test(test_descriptors)};
    return cmocka_run_group_tests(tests, open_children, close_children);
}
