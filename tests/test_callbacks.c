/* SPDX-License-Identifier: MIT */
/* The caller's functions: what counts as success, and what they may call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum call { NEXT, CLOSE, WRITE, COMMIT, WARNING, PROGRESS, N_CALLS };

/* What the caller's functions share. The one of a kind that is called for the fail_at-th time returns
 * `failure`. */
struct caller {
    struct blastmerge_job *job;
    enum call faulty;
    unsigned fail_at;
    int failure;
    int ticket;
    bool uses_ticket;
    unsigned n_calls[N_CALLS];
    unsigned n_discards;
    unsigned n_refused; /* functions of the job that were called from within */
    bool tries;
    struct bytes child;
    size_t position;
    struct bytes written;
};

static int success(const struct caller *caller) {
    return BLASTMERGE_CALLBACK_OK + (caller->uses_ticket ? caller->ticket : 0);
}

/* Everything that is refused there. */
static void try_all(struct caller *caller) {
    struct blastmerge_job *job = caller->job;
    const struct blastmerge_reader reader = {.context = NULL};
    const struct blastmerge_writer writer = {.context = NULL};
    const void *data = NULL;
    void *buffer = NULL;
    char *outcome = NULL;
    size_t n = 0;
    struct blastmerge_child child;
    caller->n_refused += blastmerge_next(job, &data, &n) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_to_buffer(job, &buffer, &n) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_run(job) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_check(job) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_finalize(job, "{}", 2, NULL, &outcome) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_add_location(job, "x") == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_add_memory(job, "x", "x", 1) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_add_reader(job, "x", &reader) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_set_output_location(job, "x") == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_set_output_writer(job, &writer) == BLASTMERGE_USAGE;
    caller->n_refused += blastmerge_set_report_location(job, "x") == BLASTMERGE_USAGE;
    blastmerge_destroy(job);
    assert_int_equal(blastmerge_error(job)->status, BLASTMERGE_OK);
    assert_int_equal(blastmerge_child(job, 0, &child), BLASTMERGE_OK);
    assert_null(data);
    assert_null(buffer);
    assert_null(outcome);
}

static int end_call(struct caller *caller, enum call call) {
    int result = success(caller);
    if (caller->tries) try_all(caller);
    if (++caller->n_calls[call] == caller->fail_at && call == caller->faulty) return caller->failure;
    return result;
}

static int next_chunk(void *context, const void **data, size_t *n_bytes) {
    struct caller *caller = context;
    size_t n_left = caller->child.n - caller->position;
    *n_bytes = n_left < 3000 ? n_left : 3000;
    *data = caller->child.data + caller->position;
    caller->position += *n_bytes;
    return end_call(caller, NEXT);
}

static int close_chunks(void *context) {
    return end_call(context, CLOSE);
}

static int write_piece(void *context, const void *data, size_t n_bytes) {
    struct caller *caller = context;
    caller->written.data = realloc(caller->written.data, caller->written.n + n_bytes);
    memcpy(caller->written.data + caller->written.n, data, n_bytes);
    caller->written.n += n_bytes;
    return end_call(caller, WRITE);
}

static int commit(void *context) {
    return end_call(context, COMMIT);
}

static void discard(void *context) {
    struct caller *caller = context;
    caller->n_discards++;
}

static int on_warning(void *context, const char *message) {
    assert_non_null(message);
    return end_call(context, WARNING);
}

static int on_progress(void *context, const struct blastmerge_progress *progress) {
    assert_non_null(progress);
    return end_call(context, PROGRESS);
}

/* Merges a child from the reader, and one with another database, of which there is a warning. */
static enum blastmerge_status merge(struct caller *caller, struct blastmerge_error *error) {
    struct blastmerge_options options;
    const struct blastmerge_reader reader = {caller, next_chunk, close_chunks};
    const struct blastmerge_writer writer = {caller, write_piece, commit, discard};
    struct bytes text = make_text("blastp", 1, 20, "db");
    struct bytes other = make_text("blastp", 1, 20, "another");
    caller->child = make_gzip(text, 6);
    blastmerge_options_init(&options, sizeof options);
    options.callback_context = caller;
    options.on_warning = on_warning;
    options.on_progress = on_progress;
    options.n_threads = 2;
    options.callback_ticket = caller->uses_ticket ? &caller->ticket : NULL;
    assert_int_equal(blastmerge_create(&caller->job, &options), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_reader(caller->job, "reader", &reader), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(caller->job, "memory", other.data, other.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_output_writer(caller->job, &writer), BLASTMERGE_OK);
    enum blastmerge_status status = blastmerge_run(caller->job);
    *error = *blastmerge_error(caller->job);
    caller->tries = false;
    blastmerge_destroy(caller->job);
    assert_int_equal(caller->n_calls[CLOSE], 1);
    assert_int_equal(caller->n_calls[COMMIT] + caller->n_discards, 1);
    free(caller->child.data);
    free(text.data);
    free(other.data);
    return status;
}

/* Each call of each kind, with each result that is no success, fails the job; and what came out is not whole.
 */
static void test_only_one_result_is_success(void **state) {
    (void)state;
    static const struct {
        int result;
        enum blastmerge_status status;
        const char *words;
    } failures[] = {
        {0, BLASTMERGE_IO, "gave no reason"},
        {2, BLASTMERGE_IO, "it returned 2, where success is BLASTMERGE_CALLBACK_OK"},
        {ENOSPC, BLASTMERGE_IO, "it returned 28"},
        {-ENOSPC, BLASTMERGE_NO_SPACE, "No space left"},
        {-ECANCELED, BLASTMERGE_CANCELLED, "anceled"},
        {INT_MIN, BLASTMERGE_IO, "it returned -2147483648"},
    };
    for (enum call call = NEXT; call < N_CALLS; call++) {
        for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
            for (unsigned fail_at = 1;; fail_at++) {
                struct caller caller = {.faulty = call, .fail_at = fail_at, .failure = failures[i].result};
                struct blastmerge_error error;
                enum blastmerge_status status = merge(&caller, &error);
                struct bytes text = read_gzip(caller.written.data, caller.written.n);
                bool has_failed = caller.n_calls[call] >= fail_at;
                free(text.data);
                free(caller.written.data);
                if (!has_failed) {
                    assert_int_equal(status, BLASTMERGE_OK);
                    assert_true(fail_at > 1);
                    break;
                }
                assert_int_equal(status, failures[i].status);
                assert_non_null(strstr(error.message, failures[i].words));
                if (call != COMMIT) assert_int_equal(caller.n_discards, 1);
                if (call != COMMIT && call != WRITE) assert_null(text.data);
            }
        }
    }
}

/* With a ticket neither the plain success nor that of an earlier call will do. */
static void test_tickets(void **state) {
    (void)state;
    struct blastmerge_error error;
    struct caller caller = {.uses_ticket = true};
    assert_int_equal(merge(&caller, &error), BLASTMERGE_OK);
    free(caller.written.data);
    int stale = success(&caller);
    for (enum call call = NEXT; call < N_CALLS; call++) {
        for (int is_stale = 0; is_stale < 2; is_stale++) {
            caller = (struct caller){.uses_ticket = true,
                                     .faulty = call,
                                     .fail_at = 1,
                                     .failure = is_stale ? stale : BLASTMERGE_CALLBACK_OK};
            assert_int_equal(merge(&caller, &error), BLASTMERGE_IO);
            free(caller.written.data);
        }
    }
}

/* A function of the job that is called from within is refused, and the merge goes on as if it had not been.
 */
static void test_calls_from_within(void **state) {
    (void)state;
    struct blastmerge_error error;
    struct caller caller = {.job = NULL};
    struct caller trying = {.tries = true};
    assert_int_equal(merge(&caller, &error), BLASTMERGE_OK);
    assert_int_equal(merge(&trying, &error), BLASTMERGE_OK);
    unsigned n_calls = 0;
    for (enum call call = NEXT; call < N_CALLS; call++) n_calls += trying.n_calls[call];
    assert_int_equal(trying.n_refused, 11 * n_calls);
    assert_int_equal(trying.written.n, caller.written.n);
    assert_memory_equal(trying.written.data, caller.written.data, caller.written.n);
    free(caller.written.data);
    free(trying.written.data);
}

/* An allocator that calls the job, which gives back its memory at the end. */
struct user {
    struct blastmerge_job *job;
    bool is_in_call;
    unsigned n_tried, n_refused;
};

static void try_next(struct user *user) {
    const void *data = NULL;
    size_t n = 0;
    if (user->job == NULL || user->is_in_call) return;
    user->is_in_call = true;
    user->n_tried++;
    user->n_refused += blastmerge_next(user->job, &data, &n) == BLASTMERGE_USAGE;
    user->is_in_call = false;
}

static void *allocate(void *context, size_t n_bytes) {
    try_next(context);
    return malloc(n_bytes);
}

static void release(void *context, void *memory) {
    try_next(context);
    free(memory);
}

static void test_allocator_from_within(void **state) {
    (void)state;
    struct bytes text = make_text("blastp", 1, 20, "db");
    for (int is_buffer = 0; is_buffer <= 1; is_buffer++) {
        struct user user = {.job = NULL};
        struct blastmerge_job *job = NULL;
        struct blastmerge_options options;
        void *buffer = NULL;
        const void *data = NULL;
        size_t n = 1;
        blastmerge_options_init(&options, sizeof options);
        options.allocator = (struct blastmerge_allocator){&user, allocate, release};
        options.form = BLASTMERGE_FORM_PLAIN;
        options.n_threads = 1;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_memory(job, "child", text.data, text.n), BLASTMERGE_OK);
        user.job = job;
        if (is_buffer) {
            assert_int_equal(blastmerge_to_buffer(job, &buffer, &n), BLASTMERGE_OK);
            assert_true(n > 0);
        }
        while (!is_buffer && n > 0) assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
        user.job = NULL;
        assert_true(user.n_tried > 0);
        assert_int_equal(user.n_refused, user.n_tried);
        blastmerge_free(job, buffer);
        blastmerge_destroy(job);
    }
    free(text.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_one_result_is_success), cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_calls_from_within), cmocka_unit_test(test_allocator_from_within)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
