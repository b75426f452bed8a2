/* SPDX-License-Identifier: MIT */
/* Jobs side by side on several threads, merged, failed, cancelled and given up at random moments; and every
 * number of threads gives the same bytes. Meant for ThreadSanitizer, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum { N_CHILDREN = 6, N_CALLERS = 4 };

static struct bytes zipped[N_CHILDREN]; /* of very different sizes */
static struct bytes damaged;
static struct bytes expected; /* the merge of all, spliced */
static struct bytes packed;   /* compressed afresh */

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
    static const unsigned sizes[N_CHILDREN] = {3000, 1, 40, 9000, 0, 7000};
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
    for (int level = 0; level <= 1; level++) {
        struct bytes *merged = level == 0 ? &expected : &packed;
        struct blastmerge_job *job = make_job(1, level, 0);
        if (blastmerge_to_buffer(job, &data, &n) != BLASTMERGE_OK) return -1;
        *merged = (struct bytes){malloc(n), n};
        memcpy(merged->data, data, n);
        blastmerge_free(job, data);
        blastmerge_destroy(job);
    }
    return 0;
}

static int free_children(void **state) {
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) free(zipped[i].data);
    free(damaged.data);
    free(expected.data);
    free(packed.data);
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
    unsigned n_ended[BLASTMERGE_CANCELLED + 1]; /* jobs, by status */
    unsigned n_given_up;
    const char *failure;
    void (*round)(struct caller *caller);
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
    caller->n_ended[status]++;
    caller->n_given_up += status == BLASTMERGE_OK && n_pieces <= 4;
    if (is_cancelled) pthread_join(canceller, NULL);
    blastmerge_destroy(job);
}

static void *call(void *argument) {
    struct caller *caller = argument;
    for (unsigned i = 0; i < caller->n_rounds && caller->failure == NULL; i++) caller->round(caller);
    return NULL;
}

static void tell(const struct caller *callers) {
    unsigned n_ended[BLASTMERGE_CANCELLED + 1] = {0};
    unsigned n_given_up = 0;
    for (unsigned i = 0; i < N_CALLERS; i++) {
        for (unsigned status = 0; status <= BLASTMERGE_CANCELLED; status++)
            n_ended[status] += callers[i].n_ended[status];
        n_given_up += callers[i].n_given_up;
    }
    for (unsigned status = 0; status <= BLASTMERGE_CANCELLED; status++) {
        if (n_ended[status] > 0)
            print_message("%u %s, ", n_ended[status], blastmerge_status_name((enum blastmerge_status)status));
    }
    print_message("%u of them given up\n", n_given_up);
}

static void call_side_by_side(void (*round)(struct caller *caller)) {
    struct caller callers[N_CALLERS];
    const char *rounds = getenv("BLASTMERGE_TEST_ROUNDS");
    for (unsigned i = 0; i < N_CALLERS; i++) {
        unsigned n_rounds = rounds == NULL ? 15 : (unsigned)strtoul(rounds, NULL, 10);
        callers[i] = (struct caller){.seed = 88172645U + i, .n_rounds = n_rounds, .round = round};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (unsigned i = 0; i < N_CALLERS; i++) pthread_join(callers[i].thread, NULL);
    tell(callers);
    for (unsigned i = 0; i < N_CALLERS; i++) {
        if (callers[i].failure != NULL) fail_msg("caller %u: %s", i, callers[i].failure);
    }
}

static void test_jobs_side_by_side(void **state) {
    (void)state;
    call_side_by_side(one_round);
}

/* --- whatever the caller gave fails, at any moment ------------------------------------------------ */

enum fault { NO_FAULT, FAULTY_READER, FAULTY_WRITER, FAULTY_ALLOCATOR, CANCELLED, CANCELLED_TWICE, N_FAULTS };

/* What a job was given, and when it fails: at which call of the kind that is to. */
struct given {
    enum fault fault;
    unsigned fail_at;
    unsigned n_calls;
    size_t n_read;
    struct bytes written;
    unsigned n_ends; /* calls of commit and discard */
    unsigned n_closed;
    long n_held;
};

static int fails(struct given *given, enum fault fault) {
    return given->fault == fault && ++given->n_calls == given->fail_at;
}

static int read_given(void *context, const void **data, size_t *n_bytes) {
    struct given *given = context;
    size_t n_left = zipped[0].n - given->n_read;
    if (fails(given, FAULTY_READER)) return -EIO;
    *n_bytes = n_left < 700 ? n_left : 700;
    *data = zipped[0].data + given->n_read;
    given->n_read += *n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

static int close_given(void *context) {
    ((struct given *)context)->n_closed++;
    return BLASTMERGE_CALLBACK_OK;
}

static int write_given(void *context, const void *data, size_t n_bytes) {
    struct given *given = context;
    if (fails(given, FAULTY_WRITER)) return -ENOSPC;
    given->written.data = realloc(given->written.data, given->written.n + n_bytes);
    if (given->written.data == NULL) abort();
    memcpy(given->written.data + given->written.n, data, n_bytes);
    given->written.n += n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

static int commit_given(void *context) {
    ((struct given *)context)->n_ends++;
    return BLASTMERGE_CALLBACK_OK;
}

static void discard_given(void *context) {
    ((struct given *)context)->n_ends++;
}

static void *allocate_given(void *context, size_t n_bytes) {
    struct given *given = context;
    if (fails(given, FAULTY_ALLOCATOR)) return NULL;
    given->n_held++;
    return malloc(n_bytes);
}

static void release_given(void *context, void *memory) {
    ((struct given *)context)->n_held--;
    free(memory);
}

/* All the children, the first from the reader, to the writer; cancelled by other threads meanwhile or not. */
static enum blastmerge_status run_given(struct given *given, unsigned n_threads, int level) {
    const struct blastmerge_reader reader = {given, read_given, close_given};
    const struct blastmerge_writer writer = {given, write_given, commit_given, discard_given};
    pthread_t cancellers[2];
    int n_cancellers = given->fault < CANCELLED ? 0 : given->fault == CANCELLED ? 1 : 2;
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = n_threads;
    options.level = level;
    options.allocator = (struct blastmerge_allocator){given, allocate_given, release_given};
    enum blastmerge_status status = blastmerge_create(&job, &options);
    if (status == BLASTMERGE_OK) status = blastmerge_add_reader(job, "reader", &reader);
    for (int i = 1; i < N_CHILDREN && status == BLASTMERGE_OK; i++)
        status = blastmerge_add_memory(job, "child", zipped[i].data, zipped[i].n);
    if (status == BLASTMERGE_OK) status = blastmerge_set_output_writer(job, &writer);
    if (status == BLASTMERGE_OK) {
        for (int i = 0; i < n_cancellers; i++) {
            if (pthread_create(&cancellers[i], NULL, cancel_after, job) != 0) abort();
        }
        status = blastmerge_run(job);
        for (int i = 0; i < n_cancellers; i++) pthread_join(cancellers[i], NULL);
    }
    blastmerge_destroy(job);
    return status;
}

static void one_faulty_round(struct caller *caller) {
    static const enum blastmerge_status statuses[N_FAULTS] = {
        BLASTMERGE_OK,        BLASTMERGE_IO,        BLASTMERGE_NO_SPACE,
        BLASTMERGE_NO_MEMORY, BLASTMERGE_CANCELLED, BLASTMERGE_CANCELLED,
    };
    uint32_t random = next_random(&caller->seed);
    struct given given = {.fault = random % N_FAULTS, .fail_at = 1 + (random >> 8) % 40};
    int level = (int)(random >> 16 & 1);
    const struct bytes *wanted = level == 0 ? &expected : &packed;
    enum blastmerge_status status = run_given(&given, 1 + (random >> 20) % 5, level);
    if (status == BLASTMERGE_OK) {
        int is_same =
            given.written.n == wanted->n && memcmp(given.written.data, wanted->data, wanted->n) == 0;
        if (!is_same) caller->failure = "other bytes";
    } else if (status != statuses[given.fault]) {
        caller->failure = "another status";
    }
    caller->n_ended[status]++;
    if (given.n_held != 0) caller->failure = "memory was kept";
    if (given.n_closed > 1 || given.n_ends > 1) caller->failure = "ended twice";
    if (status == BLASTMERGE_OK && (given.n_closed != 1 || given.n_ends != 1))
        caller->failure = "never ended";
    free(given.written.data);
}

static void test_faults_side_by_side(void **state) {
    (void)state;
    call_side_by_side(one_faulty_round);
}

/* --- a child changes after it was inflated, and before it is written ------------------------------- */

enum { N_LARGE = 4, CHANGED = 2 };

struct changing {
    struct bytes zipped;
    unsigned n_calls;
};

/* Gives the workers time to inflate all children, and then changes one. */
static int change(void *context, const struct blastmerge_progress *progress) {
    struct changing *changing = context;
    if (progress->child != 0 || ++changing->n_calls != 3) return BLASTMERGE_CALLBACK_OK;
    usleep(300000);
    changing->zipped.data[changing->zipped.n / 2] ^= 1;
    return BLASTMERGE_CALLBACK_OK;
}

/* In time or not: the error is that child's. */
static void test_child_changes(void **state) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    struct bytes text = make_text("blastp", 1, 20000, "db"), whole = make_gzip(text, 6);
    struct changing changing = {.zipped = make_gzip(text, 6)};
    void *data = NULL;
    size_t n = 0;
    (void)state;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = N_LARGE;
    options.on_progress = change;
    options.progress_interval = 0;
    options.callback_context = &changing;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    for (int i = 0; i < N_LARGE; i++) {
        const struct bytes *child = i == CHANGED ? &changing.zipped : &whole;
        assert_int_equal(blastmerge_add_memory(job, "child", child->data, child->n), BLASTMERGE_OK);
    }
    enum blastmerge_status status = blastmerge_to_buffer(job, &data, &n);
    assert_true(changing.n_calls >= 3);
    assert_true(status == BLASTMERGE_CHANGED || status == BLASTMERGE_DATA);
    assert_int_equal(blastmerge_error(job)->child, CHANGED);
    print_message("%s\n", blastmerge_error(job)->message);
    blastmerge_destroy(job);
    free(changing.zipped.data);
    free(whole.data);
    free(text.data);
}

/* --- progress ---------------------------------------------------------------------------------------- */

struct watched {
    struct blastmerge_progress last;
    unsigned n_calls;
    int has_fallen;
};

static int watch(void *context, const struct blastmerge_progress *progress) {
    struct watched *watched = context;
    const struct blastmerge_progress *last = &watched->last;
    watched->has_fallen |= progress->compressed_bytes < last->compressed_bytes ||
                           progress->compressed_bytes > progress->compressed_total ||
                           progress->child < last->child || progress->n_iterations < last->n_iterations ||
                           progress->output_bytes < last->output_bytes;
    watched->last = *progress;
    watched->n_calls++;
    return BLASTMERGE_CALLBACK_OK;
}

static void test_progress_never_falls(void **state) {
    enum { N = 6, N_ITERATIONS = 12000 };
    struct bytes text = make_text("blastp", 1, N_ITERATIONS, "db"), child = make_gzip(text, 6);
    (void)state;
    for (unsigned n_threads = 1; n_threads <= 4; n_threads++) {
        struct blastmerge_options options;
        struct blastmerge_job *job = NULL;
        struct watched watched = {.n_calls = 0};
        void *data = NULL;
        size_t n = 0;
        blastmerge_options_init(&options, sizeof options);
        options.n_threads = n_threads;
        options.on_progress = watch;
        options.callback_context = &watched;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
        for (int i = 0; i < N; i++)
            assert_int_equal(blastmerge_add_memory(job, "child", child.data, child.n), BLASTMERGE_OK);
        assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_OK);
        assert_true(watched.n_calls >= N && !watched.has_fallen);
        assert_int_equal(watched.last.child, N - 1);
        assert_true(watched.last.n_iterations > (N - 1) * N_ITERATIONS);
        blastmerge_free(job, data);
        blastmerge_destroy(job);
    }
    free(child.data);
    free(text.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_threads), cmocka_unit_test(test_jobs_side_by_side),
        cmocka_unit_test(test_faults_side_by_side),   cmocka_unit_test(test_child_changes),
        cmocka_unit_test(test_progress_never_falls),
    };
    return cmocka_run_group_tests(tests, make_children, free_children);
}
