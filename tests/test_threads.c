/* SPDX-License-Identifier: MIT */
/* Jobs side by side on several threads, merged, failed, cancelled and given up at random moments; and every
 * number of threads gives the same bytes. Meant for ThreadSanitizer, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <pthread.h>
#include <unistd.h>

enum { N_CHILDREN = 6, N_CALLERS = 4 };

static struct bytes zipped[N_CHILDREN]; /* of very different sizes */
static struct bytes damaged;
static struct bytes expected; /* the merge of all, spliced */

static struct blastmerge_job *make_job(unsigned n_threads, int level, int is_damaged) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = n_threads;
    options.level = level;
    if (blastmerge_create(&job, &options) != BLASTMERGE_OK) abort();
    for (int i = 0; i < N_CHILDREN; i++) {
        const struct bytes *child = is_damaged && i == N_CHILDREN / 2 ? &damaged : &zipped[i];
        if (blastmerge_add_memory(job, "child", child->data, child->n) != BLASTMERGE_OK) abort();
    }
    return job;
}

static int make_children(void **state) {
    static const unsigned sizes[N_CHILDREN] = {3000, 1, 40, 2000, 0, 700};
    void *data = NULL;
    size_t n = 0;
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) {
        struct bytes text = make_text("blastp", 1, sizes[i], "db");
        zipped[i] = make_gzip(text, 1 + i);
        free(text.data);
    }
    damaged = (struct bytes){malloc(zipped[0].n), zipped[0].n};
    memcpy(damaged.data, zipped[0].data, zipped[0].n);
    damaged.data[damaged.n / 2] ^= 0x10;
    struct blastmerge_job *job = make_job(1, 0, 0);
    if (blastmerge_to_buffer(job, &data, &n) != BLASTMERGE_OK) return -1;
    expected = (struct bytes){malloc(n), n};
    memcpy(expected.data, data, n);
    blastmerge_free(job, data);
    blastmerge_destroy(job);
    return 0;
}

static int free_children(void **state) {
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) free(zipped[i].data);
    free(damaged.data);
    free(expected.data);
    return 0;
}

static void test_any_number_of_threads(void **state) {
    (void)state;
    for (int level = 0; level <= 1; level++) {
        struct bytes first = {NULL, 0};
        for (unsigned n_threads = 1; n_threads <= 16; n_threads++) {
            void *data = NULL;
            size_t n = 0;
            struct blastmerge_job *job = make_job(n_threads, level, 0);
            assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_OK);
            if (first.data == NULL) {
                first = (struct bytes){malloc(n), n};
                memcpy(first.data, data, n);
            }
            assert_int_equal(n, first.n);
            assert_memory_equal(data, first.data, n);
            blastmerge_free(job, data);
            blastmerge_destroy(job);
        }
        struct bytes text = read_gzip(first.data, first.n);
        assert_non_null(text.data);
        free(text.data);
        free(first.data);
    }
}

/* What a caller found wrong: asserts belong to the main thread. */
struct caller {
    pthread_t thread;
    uint32_t seed;
    unsigned n_rounds;
    const char *failure;
};

static uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void *cancel_after(void *argument) {
    struct blastmerge_job *job = argument;
    usleep((useconds_t)((uintptr_t)job >> 4 & 0xfff)); /* any moment will do */
    blastmerge_cancel(job);
    return NULL;
}

/* Pulls up to n_pieces pieces, and compares them with what is expected. */
static enum blastmerge_status pull(struct blastmerge_job *job, unsigned n_pieces, const char **failure) {
    size_t position = 0;
    for (unsigned i = 0; i < n_pieces; i++) {
        const void *data = NULL;
        size_t n = 0;
        enum blastmerge_status status = blastmerge_next(job, &data, &n);
        if (status != BLASTMERGE_OK) return status;
        if (n == 0) {
            if (position != expected.n) *failure = "the end came too early";
            return BLASTMERGE_OK;
        }
        if (n > expected.n - position) {
            *failure = "the result is too long";
            return BLASTMERGE_OK;
        }
        if (memcmp(expected.data + position, data, n) != 0) *failure = "other bytes";
        position += n;
    }
    return BLASTMERGE_OK;
}

static void one_round(struct caller *caller) {
    uint32_t random = next_random(&caller->seed);
    int is_damaged = random % 4 == 0;
    int is_cancelled = random % 4 == 1;
    unsigned n_pieces = random % 4 == 2 ? random >> 8 & 3 : 1000; /* or given up early */
    struct blastmerge_job *job = make_job(1 + (random >> 16) % 5, 0, is_damaged);
    pthread_t canceller;
    if (is_cancelled && pthread_create(&canceller, NULL, cancel_after, job) != 0) is_cancelled = 0;
    enum blastmerge_status status = pull(job, n_pieces, &caller->failure);
    if (is_damaged && status == BLASTMERGE_DATA) {
        if (blastmerge_error(job)->child != N_CHILDREN / 2) caller->failure = "another child's error";
    } else if (status != BLASTMERGE_OK && !(is_cancelled && status == BLASTMERGE_CANCELLED)) {
        caller->failure = "another status";
    } else if (is_damaged && n_pieces > 4) {
        caller->failure = "the damage was not seen";
    }
    if (is_cancelled) pthread_join(canceller, NULL);
    blastmerge_destroy(job);
}

static void *call(void *argument) {
    struct caller *caller = argument;
    for (unsigned i = 0; i < caller->n_rounds && caller->failure == NULL; i++) one_round(caller);
    return NULL;
}

static void test_jobs_side_by_side(void **state) {
    struct caller callers[N_CALLERS];
    const char *rounds = getenv("BLASTMERGE_TEST_ROUNDS");
    (void)state;
    for (unsigned i = 0; i < N_CALLERS; i++) {
        unsigned n_rounds = rounds == NULL ? 15 : (unsigned)strtoul(rounds, NULL, 10);
        callers[i] = (struct caller){.seed = 88172645U + i, .n_rounds = n_rounds};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (unsigned i = 0; i < N_CALLERS; i++) pthread_join(callers[i].thread, NULL);
    for (unsigned i = 0; i < N_CALLERS; i++) {
        if (callers[i].failure != NULL) fail_msg("caller %u: %s", i, callers[i].failure);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_jobs_side_by_side),
    };
    return cmocka_run_group_tests(tests, make_children, free_children);
}
