/* SPDX-License-Identifier: MIT */
/* A process that forks while a job is under way, or while one of the caller's functions is called; and one
 * whose standard streams are closed. What is forked neither waits for ever nor does anything to its parent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_CHILDREN = 4 };

static struct bytes zipped[N_CHILDREN];
static struct bytes expected;
static char folder[] = "/tmp/blastmerge-fork-XXXXXX";
static char result[64];

static int make_all(void **state) {
    static const unsigned sizes[N_CHILDREN] = {2000, 30, 1500, 400};
    struct blastmerge_job *job = NULL;
    void *data = NULL;
    size_t n = 0;
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) {
        struct bytes text = make_text("blastp", 1, sizes[i], i == 1 ? "another db" : "db"); /* a warning */
        zipped[i] = make_gzip(text, 6);
        free(text.data);
    }
    if (blastmerge_create(&job, NULL) != BLASTMERGE_OK) return -1;
    for (int i = 0; i < N_CHILDREN; i++) {
        if (blastmerge_add_memory(job, "child", zipped[i].data, zipped[i].n) != BLASTMERGE_OK) return -1;
    }
    if (blastmerge_to_buffer(job, &data, &n) != BLASTMERGE_OK) return -1;
    expected = (struct bytes){malloc(n), n};
    memcpy(expected.data, data, n);
    blastmerge_free(job, data);
    blastmerge_destroy(job);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(result, sizeof result, "%s/merged", folder);
    return 0;
}

static int free_all(void **state) {
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) free(zipped[i].data);
    free(expected.data);
    (void)unlink(result);
    return rmdir(folder);
}

/* --- a caller whose functions fork ---------------------------------------------------------------- */

enum place {
    NOWHERE,
    IN_READER,
    IN_READER_CLOSE,
    IN_WRITER,
    IN_COMMIT,
    IN_WARNING,
    IN_PROGRESS,
    IN_CHILDREN
};

static struct {
    enum place place;
    int is_forked;     /* this is the copy */
    int has_forked;    /* once is enough */
    int is_failing;    /* in the copy, the function fails */
    int n_added;       /* children that next_child() added */
    int n_files;       /* in the folder, once the copy has ended */
    int copy_status;   /* as waitpid() has it */
    size_t n_handed;   /* of the reader's child */
    size_t n_written;  /* by the writer */
    unsigned n_closed; /* readers, in the parent */
    int ends[2];       /* a pipe that the copy's parent reads the end of */
} caller;

static int count_files(void) {
    int n = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL) return -1;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(entries);
    return n;
}

/* Forks once, where it is the place for it. The parent waits until the copy has ended. */
static int fork_at(enum place place) {
    if (caller.place != place || caller.has_forked) return BLASTMERGE_CALLBACK_OK;
    caller.has_forked = 1;
    pid_t copy = fork();
    if (copy == 0) {
        caller.is_forked = 1;
        (void)alarm(20);
        return caller.is_failing ? -EIO : BLASTMERGE_CALLBACK_OK;
    }
    (void)waitpid(copy, &caller.copy_status, 0);
    caller.n_files = count_files();
    return BLASTMERGE_CALLBACK_OK;
}

static int read_next(void *context, const void **data, size_t *n_bytes) {
    (void)context;
    int failure = fork_at(IN_READER);
    size_t n = zipped[0].n - caller.n_handed;
    if (n > 10000) n = 10000;
    *data = (const char *)zipped[0].data + caller.n_handed;
    *n_bytes = n;
    caller.n_handed += n;
    return failure;
}

static int close_reader(void *context) {
    (void)context;
    caller.n_closed++;
    return fork_at(IN_READER_CLOSE);
}

static int write_piece(void *context, const void *data, size_t n_bytes) {
    (void)context;
    int failure = fork_at(IN_WRITER);
    if (caller.n_written + n_bytes > expected.n ||
        memcmp((char *)expected.data + caller.n_written, data, n_bytes) != 0)
        return EINVAL;
    caller.n_written += n_bytes;
    return failure;
}

static int commit(void *context) {
    (void)context;
    return fork_at(IN_COMMIT);
}

static int on_warning(void *context, const char *message) {
    (void)context;
    (void)message;
    return fork_at(IN_WARNING);
}

static int on_progress(void *context, const struct blastmerge_progress *progress) {
    (void)context;
    (void)progress;
    return fork_at(IN_PROGRESS);
}

/* The other children, one after the other. */
static int next_child(void *context, struct blastmerge_job *job) {
    (void)context;
    int result_of_fork = fork_at(IN_CHILDREN);
    int i = ++caller.n_added;
    if (i < N_CHILDREN && blastmerge_add_memory(job, "child", zipped[i].data, zipped[i].n) != BLASTMERGE_OK &&
        !caller.is_forked)
        return -EIO;
    return result_of_fork;
}

static struct blastmerge_job *make_job(unsigned n_threads, enum place place, int is_failing) {
    const struct blastmerge_reader reader = {NULL, read_next, close_reader};
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    memset(&caller, 0, sizeof caller);
    caller.place = place;
    caller.is_failing = is_failing;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = n_threads;
    options.force = 1;
    /* No other function is called that could notice the fork, too. With progress, each batch is followed by one. */
    options.on_warning = place == IN_WARNING || is_failing ? on_warning : NULL;
    options.on_progress = place == IN_PROGRESS || is_failing ? on_progress : NULL;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_reader(job, "child", &reader), BLASTMERGE_OK);
    if (place == IN_CHILDREN) {
        const struct blastmerge_children children = {NULL, next_child};
        assert_int_equal(blastmerge_set_children(job, &children), BLASTMERGE_OK);
        return job;
    }
    for (int i = 1; i < N_CHILDREN; i++)
        assert_int_equal(blastmerge_add_memory(job, "child", zipped[i].data, zipped[i].n), BLASTMERGE_OK);
    return job;
}

/* --- forks while a job is under way ---------------------------------------------------------------- */

/* What a copy may do; 0 if each call says what it should. */
static int use_copy(struct blastmerge_job *job) {
    const void *data = NULL;
    size_t n = 0;
    char *outcome = NULL;
    (void)alarm(20);
    blastmerge_cancel(job);
    if (blastmerge_next(job, &data, &n) != BLASTMERGE_USAGE || data != NULL || n != 0) return 1;
    if (strstr(blastmerge_error(job)->message, "belongs to the process that began it") == NULL) return 2;
    if (blastmerge_run(job) != BLASTMERGE_USAGE || blastmerge_check(job) != BLASTMERGE_USAGE) return 3;
    if (blastmerge_add_location(job, "a") != BLASTMERGE_USAGE) return 4;
    if (blastmerge_add_memory(job, "a", "", 0) != BLASTMERGE_USAGE) return 5;
    if (blastmerge_set_output_location(job, "a") != BLASTMERGE_USAGE) return 6;
    if (blastmerge_finalize(job, "{}", 2, NULL, &outcome) != BLASTMERGE_USAGE) return 7;
    blastmerge_destroy(job);
    return 0;
}

static void test_a_copy_of_a_job_under_way(void **state) {
    (void)state;
    for (unsigned n_threads = 1; n_threads <= 8; n_threads++) {
        struct blastmerge_job *job = make_job(n_threads, NOWHERE, 0);
        const void *data = NULL;
        size_t n = 0, position = 0;
        int status = 0;
        do {
            assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
            assert_true(n <= expected.n - position);
            assert_memory_equal((char *)expected.data + position, data, n);
            position += n;
            pid_t copy = fork();
            if (copy == 0) _exit(use_copy(job));
            assert_int_equal(waitpid(copy, &status, 0), copy);
            assert_int_equal(status, 0);
        } while (n > 0);
        assert_int_equal(position, expected.n);
        blastmerge_destroy(job);
        assert_int_equal(caller.n_closed, 1);
    }
}

/* Before it begins, it may go on in either process, or in both. */
static void test_a_copy_of_a_job_that_has_not_begun(void **state) {
    struct blastmerge_job *job = make_job(3, NOWHERE, 0);
    (void)state;
    for (int is_run = 0; is_run <= 1; is_run++) {
        int status = 0;
        pid_t copy = fork();
        if (copy == 0) {
            void *merged = NULL;
            size_t n = 0;
            (void)alarm(20);
            if (is_run && blastmerge_to_buffer(job, &merged, &n) != BLASTMERGE_OK) _exit(1);
            if (is_run && (n != expected.n || memcmp(merged, expected.data, n) != 0)) _exit(2);
            blastmerge_free(job, merged);
            blastmerge_destroy(job);
            _exit(caller.n_closed == (unsigned)is_run
                      ? 0
                      : 3); /* a reader that is not its own it does not close */
        }
        assert_int_equal(waitpid(copy, &status, 0), copy);
        assert_int_equal(status, 0);
    }
    assert_int_equal(blastmerge_set_output_location(job, result), BLASTMERGE_OK);
    assert_int_equal(blastmerge_run(job), BLASTMERGE_OK);
    blastmerge_destroy(job);
    assert_int_equal(caller.n_closed, 1);
}

/* A cancel from a signal handler may come before the job begins. */
static void test_a_cancel_before_it_begins(void **state) {
    struct blastmerge_job *job = make_job(2, NOWHERE, 0);
    const void *data = NULL;
    size_t n = 0;
    (void)state;
    blastmerge_cancel(job);
    assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_CANCELLED);
    blastmerge_destroy(job);
}

static enum blastmerge_status run_to(struct blastmerge_job *job, int is_writer) {
    const struct blastmerge_writer writer = {NULL, write_piece, commit, NULL};
    enum blastmerge_status status =
        is_writer ? blastmerge_set_output_writer(job, &writer) : blastmerge_set_output_location(job, result);
    return status == BLASTMERGE_OK ? blastmerge_run(job) : status;
}

/* The function returns twice. In the copy that is the end of the job, and nothing is removed: the temporary
 * file is still there when the copy has ended. */
static void test_functions_that_fork(void **state) {
    static const enum place places[] = {IN_READER,  IN_READER_CLOSE, IN_WRITER,  IN_COMMIT,
                                        IN_WARNING, IN_PROGRESS,     IN_CHILDREN};
    (void)state;
    for (size_t i = 0; i < 4 * sizeof places / sizeof *places; i++) {
        const enum place place = places[i / 4];
        const int is_writer = place == IN_WRITER || place == IN_COMMIT;
        struct blastmerge_job *job = make_job(i % 2 == 0 ? 1 : 4, place, i % 4 > 1);
        (void)unlink(result);
        enum blastmerge_status status = run_to(job, is_writer);
        if (caller.is_forked) {
            int is_right =
                status == BLASTMERGE_USAGE &&
                strstr(blastmerge_error(job)->message, "belongs to the process that began it") != NULL;
            if (!is_right)
                fprintf(stderr, "%d %d: %d %s\n", (int)place, caller.is_failing, (int)status,
                        blastmerge_error(job)->message);
            blastmerge_destroy(job);
            _exit(is_right ? 0 : 1);
        }
        assert_int_equal(status, BLASTMERGE_OK);
        blastmerge_destroy(job);
        assert_true(caller.has_forked);
        assert_int_equal(caller.copy_status, 0);
        assert_int_equal(caller.n_closed, 1);
        assert_int_equal(caller.n_files, is_writer ? 0 : 1);
        assert_int_equal(count_files(), is_writer ? 0 : 1);
        if (is_writer) assert_int_equal(caller.n_written, expected.n);
    }
}

/* --- standard streams that are closed -------------------------------------------------------------- */

/* None of the descriptors that were closed is open. */
static int is_closed_still(int closed) {
    for (int file = 0; file <= 2; file++) {
        if ((closed & 1 << file) != 0 && fcntl(file, F_GETFD) >= 0) return 0;
    }
    return 1;
}

static int closed_streams;
static int is_taken;

static int look_and_write(void *context, const void *data, size_t n_bytes) {
    (void)context;
    (void)data;
    (void)n_bytes;
    is_taken = is_taken || !is_closed_still(closed_streams);
    return BLASTMERGE_CALLBACK_OK;
}

static int look_at_streams(void *context, const struct blastmerge_progress *progress) {
    (void)context;
    (void)progress;
    is_taken = is_taken || !is_closed_still(closed_streams);
    return BLASTMERGE_CALLBACK_OK;
}

static int merge_with_closed(const char *child, const char *output, const char *report) {
    const struct blastmerge_writer writer = {NULL, look_and_write, NULL, NULL};
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = 2;
    options.force = 1;
    options.on_progress = look_at_streams;
    enum blastmerge_status status = blastmerge_create(&job, &options);
    if (status == BLASTMERGE_OK) status = blastmerge_add_location(job, child);
    if (status == BLASTMERGE_OK)
        status = output == NULL ? blastmerge_set_output_writer(job, &writer)
                                : blastmerge_set_output_location(job, output);
    if (status == BLASTMERGE_OK && report != NULL) status = blastmerge_set_report_location(job, report);
    if (status == BLASTMERGE_OK) status = blastmerge_run(job);
    if (status != BLASTMERGE_OK && blastmerge_error(job)->system_error != EBADF) status = BLASTMERGE_INTERNAL;
    blastmerge_destroy(job);
    return (int)status;
}

static int use_closed(int closed) {
    char child[80];
    char report[80];
    snprintf(child, sizeof child, "%s/child", folder);
    snprintf(report, sizeof report, "%s/report", folder);
    (void)alarm(20);
    for (int file = 0; file <= 2; file++) {
        if ((closed & 1 << file) != 0) (void)close(file);
    }
    closed_streams = closed;
    if (merge_with_closed(child, result, report) != BLASTMERGE_OK) return 1;
    if (merge_with_closed(child, NULL, NULL) != BLASTMERGE_OK) return 2;
    if (is_taken) return 3;
    if ((closed & 1) != 0 && merge_with_closed("-", result, NULL) != BLASTMERGE_IO) return 4;
    if ((closed & 2) != 0 && merge_with_closed(child, "-", NULL) != BLASTMERGE_IO) return 5;
    if ((closed & 2) != 0 && merge_with_closed(child, NULL, "-") != BLASTMERGE_IO) return 6;
    return is_closed_still(closed) ? 0 : 7;
}

static void test_closed_streams(void **state) {
    char path[80];
    (void)state;
    snprintf(path, sizeof path, "%s/child", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(zipped[0].data, 1, zipped[0].n, file), zipped[0].n);
    assert_int_equal(fclose(file), 0);
    for (int closed = 1; closed < 8; closed++) {
        int status = 0;
        pid_t copy = fork();
        if (copy == 0) _exit(use_closed(closed));
        assert_int_equal(waitpid(copy, &status, 0), copy);
        assert_int_equal(status, 0);
    }
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/report", folder);
    (void)unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_of_a_job_under_way),
        cmocka_unit_test(test_a_copy_of_a_job_that_has_not_begun),
        cmocka_unit_test(test_a_cancel_before_it_begins),
        cmocka_unit_test(test_functions_that_fork),
        cmocka_unit_test(test_closed_streams),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
