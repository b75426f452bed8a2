/* SPDX-License-Identifier: MIT */
/* The library through its public face: every way in and out, every misuse, and the n-th failure of each kind.
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
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_CHILDREN = 3, N_ITERATIONS = 40 };

static struct bytes texts[N_CHILDREN];
static struct bytes zipped[N_CHILDREN];
static struct bytes expected; /* the merge's text */
static char folder[] = "/tmp/blastmerge-test-XXXXXX";

static int make_children(void **state) {
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) {
        texts[i] = make_text("blastp", 1, N_ITERATIONS, "db");
        zipped[i] = make_gzip(texts[i], 6);
    }
    expected = make_text("blastp", 1, N_CHILDREN * N_ITERATIONS, "merged split-query child results");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int free_children(void **state) {
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) {
        free(texts[i].data);
        free(zipped[i].data);
    }
    free(expected.data);
    return rmdir(folder);
}

static size_t count_files(void) {
    size_t n = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(entries);
    return n;
}

static const char *in_folder(const char *name) {
    static char path[4][256];
    static unsigned next;
    char *made = path[next++ % 4];
    snprintf(made, sizeof path[0], "%s/%s", folder, name);
    return made;
}

static void assert_result(const uint8_t *data, size_t n) {
    struct bytes text = read_gzip(data, n);
    assert_non_null(text.data);
    assert_int_equal(text.n, expected.n);
    assert_memory_equal(text.data, expected.data, expected.n);
    free(text.data);
}

static struct blastmerge_job *create(const struct blastmerge_options *options) {
    struct blastmerge_job *job = NULL;
    assert_int_equal(blastmerge_create(&job, options), BLASTMERGE_OK);
    assert_non_null(job);
    return job;
}

static void add_all(struct blastmerge_job *job) {
    for (int i = 0; i < N_CHILDREN; i++) {
        assert_int_equal(blastmerge_add_memory(job, "child", zipped[i].data, zipped[i].n), BLASTMERGE_OK);
    }
}

/* --- ways out ------------------------------------------------------------------------------------ */

static void test_buffer(void **state) {
    (void)state;
    for (unsigned n_threads = 1; n_threads <= 8; n_threads *= 2) {
        struct blastmerge_options options;
        void *data = NULL;
        size_t n = 0;
        blastmerge_options_init(&options, sizeof options);
        options.n_threads = n_threads;
        struct blastmerge_job *job = create(&options);
        add_all(job);
        assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_OK);
        assert_result(data, n);
        const struct blastmerge_report *report = blastmerge_report(job);
        assert_int_equal(report->n_iterations, N_CHILDREN * N_ITERATIONS);
        assert_int_equal(report->n_hits, N_CHILDREN * N_ITERATIONS);
        assert_int_equal(report->n_hsps, N_CHILDREN * N_ITERATIONS);
        assert_int_equal(report->n_documents, N_CHILDREN);
        assert_int_equal(report->output_bytes, n);
        assert_int_equal(report->output_text_bytes, expected.n);
        assert_int_equal(report->output_crc32, crc32(0, expected.data, (uInt)expected.n));
        assert_int_equal(report->text_bytes, 3 * texts[0].n);
        assert_int_equal(report->compressed_bytes, 3 * zipped[0].n);
        blastmerge_free(job, data);
        blastmerge_destroy(job);
    }
}

static void test_next_hands_out_all_and_then_nothing(void **state) {
    (void)state;
    struct blastmerge_job *job = create(NULL);
    struct bytes all = {NULL, 0};
    const void *data = NULL;
    size_t n = 0;
    add_all(job);
    do {
        assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
        all.data = realloc(all.data, all.n + n + 1);
        assert_non_null(all.data);
        if (n > 0) memcpy(all.data + all.n, data, n);
        all.n += n;
    } while (n > 0);
    assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
    assert_int_equal(n, 0);
    assert_result(all.data, all.n);
    free(all.data);
    blastmerge_destroy(job);
}

static void test_file_and_report(void **state) {
    (void)state;
    struct blastmerge_job *job = create(NULL);
    const char *path = in_folder("merged.xml.gz");
    const char *report = in_folder("report.json");
    add_all(job);
    assert_int_equal(blastmerge_set_output_location(job, path), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_report_location(job, report), BLASTMERGE_OK);
    assert_int_equal(blastmerge_run(job), BLASTMERGE_OK);
    blastmerge_destroy(job);
    assert_int_equal(count_files(), 2);
    uint8_t data[65536];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_result(data, fread(data, 1, sizeof data, file));
    fclose(file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(report), 0);
}

struct kept {
    struct bytes bytes;
    unsigned n_writes, n_commits, n_discards;
    unsigned fail_at; /* this write fails; 0: none */
    int commit_failure;
};

static int keep_write(void *context, const void *data, size_t n_bytes) {
    struct kept *kept = context;
    if (++kept->n_writes == kept->fail_at) return -ENOSPC;
    kept->bytes.data = realloc(kept->bytes.data, kept->bytes.n + n_bytes);
    memcpy(kept->bytes.data + kept->bytes.n, data, n_bytes);
    kept->bytes.n += n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

static int keep_commit(void *context) {
    struct kept *kept = context;
    kept->n_commits++;
    return kept->commit_failure == 0 ? BLASTMERGE_CALLBACK_OK : -kept->commit_failure;
}

static void keep_discard(void *context) {
    ((struct kept *)context)->n_discards++;
}

static void test_writer(void **state) {
    (void)state;
    struct kept kept = {{NULL, 0}, 0, 0, 0, 0, 0};
    const struct blastmerge_writer writer = {&kept, keep_write, keep_commit, keep_discard};
    struct blastmerge_job *job = create(NULL);
    add_all(job);
    assert_int_equal(blastmerge_set_output_writer(job, &writer), BLASTMERGE_OK);
    assert_int_equal(blastmerge_run(job), BLASTMERGE_OK);
    blastmerge_destroy(job);
    assert_result(kept.bytes.data, kept.bytes.n);
    assert_int_equal(kept.n_commits, 1);
    assert_int_equal(kept.n_discards, 0);
    free(kept.bytes.data);
}

static void test_writer_is_discarded_once(void **state) {
    (void)state;
    static const uint8_t nonsense[] = "nonsense";
    for (int what = 0; what < 4; what++) { /* a write fails; a child is damaged; commit fails; never run */
        struct kept kept = {{NULL, 0}, 0, 0, 0, what == 0, what == 2 ? EIO : 0};
        const struct blastmerge_writer writer = {&kept, keep_write, keep_commit, keep_discard};
        struct blastmerge_job *job = create(NULL);
        add_all(job);
        if (what == 1) {
            assert_int_equal(blastmerge_add_memory(job, "bad", nonsense, sizeof nonsense), BLASTMERGE_OK);
        }
        assert_int_equal(blastmerge_set_output_writer(job, &writer), BLASTMERGE_OK);
        if (what < 3) {
            static const enum blastmerge_status wanted[] = {BLASTMERGE_NO_SPACE, BLASTMERGE_DATA,
                                                            BLASTMERGE_IO};
            assert_int_equal(blastmerge_run(job), wanted[what]);
            assert_int_equal(blastmerge_error(job)->status, wanted[what]);
        }
        blastmerge_destroy(job);
        assert_int_equal(kept.n_commits, what == 2);
        assert_int_equal(kept.n_discards, what != 2);
        struct bytes text = read_gzip(kept.bytes.data, kept.bytes.n);
        if (what != 2) assert_null(text.data); /* what came out is no whole stream */
        free(text.data);
        free(kept.bytes.data);
    }
}

/* --- ways in ------------------------------------------------------------------------------------- */

struct chunks {
    struct bytes all;
    size_t position, n_chunk;
    unsigned n_calls, fail_at, n_closed;
};

static int next_chunk(void *context, const void **data, size_t *n_bytes) {
    struct chunks *chunks = context;
    if (++chunks->n_calls == chunks->fail_at) return -EIO;
    size_t n_left = chunks->all.n - chunks->position;
    *n_bytes = n_left < chunks->n_chunk ? n_left : chunks->n_chunk;
    *data = chunks->all.data + chunks->position;
    chunks->position += *n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

static int close_chunks(void *context) {
    ((struct chunks *)context)->n_closed++;
    return BLASTMERGE_CALLBACK_OK;
}

static void test_readers_of_any_chunks(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 7, 61, 4093, 1 << 20};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct chunks chunks[N_CHILDREN];
        struct blastmerge_job *job = create(NULL);
        void *data = NULL;
        size_t n = 0;
        for (int i = 0; i < N_CHILDREN; i++) {
            chunks[i] = (struct chunks){.all = i == 1 ? texts[i] : zipped[i], .n_chunk = sizes[s]};
            const struct blastmerge_reader reader = {&chunks[i], next_chunk, close_chunks};
            assert_int_equal(blastmerge_add_reader(job, "reader", &reader), BLASTMERGE_OK);
        }
        assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_OK);
        assert_result(data, n);
        blastmerge_free(job, data);
        blastmerge_destroy(job);
        for (int i = 0; i < N_CHILDREN; i++) assert_int_equal(chunks[i].n_closed, 1);
    }
}

static void test_reader_fails_at_each_call(void **state) {
    (void)state;
    for (unsigned fail_at = 1;; fail_at++) {
        struct chunks chunks = {.all = zipped[1], .n_chunk = 100, .fail_at = fail_at};
        const struct blastmerge_reader reader = {&chunks, next_chunk, close_chunks};
        struct blastmerge_job *job = create(NULL);
        void *data = NULL;
        size_t n = 0;
        assert_int_equal(blastmerge_add_memory(job, "memory", zipped[0].data, zipped[0].n), BLASTMERGE_OK);
        assert_int_equal(blastmerge_add_reader(job, "reader", &reader), BLASTMERGE_OK);
        enum blastmerge_status status = blastmerge_to_buffer(job, &data, &n);
        if (status == BLASTMERGE_OK) {
            assert_true(fail_at > chunks.n_calls && fail_at > 2);
            blastmerge_free(job, data);
            blastmerge_destroy(job);
            assert_int_equal(chunks.n_closed, 1);
            break;
        }
        assert_int_equal(status, BLASTMERGE_IO);
        assert_int_equal(blastmerge_error(job)->child, 1);
        assert_int_equal(blastmerge_error(job)->system_error, EIO);
        assert_ptr_equal(strstr(blastmerge_error(job)->message, "reader: "), blastmerge_error(job)->message);
        assert_null(data);
        blastmerge_destroy(job);
        assert_int_equal(chunks.n_closed, 1);
    }
}

static void test_reader_is_closed_though_never_run(void **state) {
    (void)state;
    struct chunks chunks = {.all = zipped[0], .n_chunk = 1};
    const struct blastmerge_reader reader = {&chunks, next_chunk, close_chunks};
    struct blastmerge_job *job = create(NULL);
    assert_int_equal(blastmerge_add_reader(job, "reader", &reader), BLASTMERGE_OK);
    blastmerge_destroy(job);
    assert_int_equal(chunks.n_closed, 1);
}

/* --- memory that fails --------------------------------------------------------------------------- */

struct failing {
    size_t n_calls, fail_at;
    long n_held;
};

static void *allocate_failing(void *context, size_t n_bytes) {
    struct failing *failing = context;
    if (++failing->n_calls == failing->fail_at) return NULL;
    failing->n_held++;
    return malloc(n_bytes);
}

static void release_failing(void *context, void *memory) {
    ((struct failing *)context)->n_held--;
    free(memory);
}

/* What the n-th allocation may fail in. */
enum way { SPLICED, PACKED, CHECKED, PULLED, REPLACING, N_WAYS };

static const char *child_file(int number) {
    char name[] = "child_0";
    name[6] = (char)('0' + number);
    return in_folder(name);
}

/* One job of files, with a report or an old destination where the way has them. */
static enum blastmerge_status do_all(struct blastmerge_job *job, enum way way) {
    enum blastmerge_status status = BLASTMERGE_OK;
    for (int i = 0; i < N_CHILDREN && status == BLASTMERGE_OK; i++) {
        status = blastmerge_add_location(job, child_file(i));
    }
    if (status == BLASTMERGE_OK && way != PULLED)
        status = blastmerge_set_report_location(job, in_folder("report.json"));
    if (way == CHECKED) return status == BLASTMERGE_OK ? blastmerge_check(job) : status;
    if (way != PULLED) {
        if (status == BLASTMERGE_OK) status = blastmerge_set_output_location(job, in_folder("merged.xml.gz"));
        return status == BLASTMERGE_OK ? blastmerge_run(job) : status;
    }
    const void *data = NULL;
    for (size_t n = 1; status == BLASTMERGE_OK && n > 0;) status = blastmerge_next(job, &data, &n);
    return status;
}

static void write_file(const char *path, const void *data, size_t n) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static const char old[] = "the old destination";

/* Nothing is there but the children and, where it was, the old destination. */
static void assert_untouched(enum way way) {
    char data[64] = "";
    assert_int_equal(count_files(), N_CHILDREN + (way == REPLACING));
    if (way != REPLACING) return;
    FILE *file = fopen(in_folder("merged.xml.gz"), "rb");
    assert_non_null(file);
    assert_int_equal(fread(data, 1, sizeof data, file), sizeof old);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(data, old);
}

static size_t fail_each_allocation(enum way way) {
    for (size_t fail_at = 1;; fail_at++) {
        struct failing failing = {0, fail_at, 0};
        struct blastmerge_options options;
        struct blastmerge_job *job = NULL;
        blastmerge_options_init(&options, sizeof options);
        options.allocator = (struct blastmerge_allocator){&failing, allocate_failing, release_failing};
        options.n_threads = 3;
        options.level = way == PACKED;
        options.force = way == REPLACING;
        if (way == REPLACING) write_file(in_folder("merged.xml.gz"), old, sizeof old);
        enum blastmerge_status status = blastmerge_create(&job, &options);
        if (status == BLASTMERGE_OK) status = do_all(job, way);
        if (status != BLASTMERGE_OK) assert_int_equal(blastmerge_error(job)->status, status);
        blastmerge_destroy(job);
        assert_int_equal(failing.n_held, 0);
        if (status == BLASTMERGE_OK) {
            assert_true(fail_at > failing.n_calls);
            return failing.n_calls;
        }
        assert_int_equal(status, BLASTMERGE_NO_MEMORY);
        assert_untouched(way);
    }
}

static void test_each_allocation_fails(void **state) {
    (void)state;
    for (int i = 0; i < N_CHILDREN; i++) {
        write_file(child_file(i), zipped[i].data, zipped[i].n);
    }
    for (enum way way = SPLICED; way < N_WAYS; way++) {
        assert_true(fail_each_allocation(way) > 10);
        (void)unlink(in_folder("merged.xml.gz"));
        (void)unlink(in_folder("report.json"));
    }
    for (int i = 0; i < N_CHILDREN; i++) {
        assert_int_equal(unlink(child_file(i)), 0);
    }
}

/* --- cancelling ---------------------------------------------------------------------------------- */

static int cancel_on_progress(void *context, const struct blastmerge_progress *progress) {
    assert_int_equal(progress->n_children, N_CHILDREN);
    blastmerge_cancel(*(struct blastmerge_job **)context);
    return BLASTMERGE_CALLBACK_OK;
}

static void test_cancel_while_running(void **state) {
    (void)state;
    struct blastmerge_job *job = NULL;
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.callback_context = &job;
    options.on_progress = cancel_on_progress;
    job = create(&options);
    add_all(job);
    assert_int_equal(blastmerge_set_output_location(job, in_folder("merged.xml.gz")), BLASTMERGE_OK);
    assert_int_equal(blastmerge_run(job), BLASTMERGE_CANCELLED);
    assert_int_equal(count_files(), 0);
    blastmerge_destroy(job);
}

static void *cancel_soon(void *job) {
    usleep(50000);
    blastmerge_cancel(job);
    return NULL;
}

/* A pipe that nobody writes to keeps the job waiting until another thread cancels it. */
static void test_cancel_wakes_a_waiting_read(void **state) {
    (void)state;
    const char *fifo = in_folder("fifo");
    pthread_t thread;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int keeper = open(fifo, O_RDWR);
    assert_true(keeper >= 0);
    struct blastmerge_job *job = create(NULL);
    assert_int_equal(blastmerge_add_location(job, fifo), BLASTMERGE_OK);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, job), 0);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_CANCELLED);
    pthread_join(thread, NULL);
    blastmerge_destroy(job);
    close(keeper);
    unlink(fifo);
}

/* --- misuse -------------------------------------------------------------------------------------- */

static void assert_refused(struct blastmerge_options options) {
    struct blastmerge_job *job = NULL;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_USAGE);
    assert_non_null(job);
    assert_int_equal(blastmerge_error(job)->status, BLASTMERGE_USAGE);
    assert_true(strlen(blastmerge_error(job)->message) > 10);
    assert_int_equal(blastmerge_add_location(job, "x"), BLASTMERGE_USAGE);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
}

static void test_options_that_make_no_sense(void **state) {
    (void)state;
    struct blastmerge_options fine;
    blastmerge_options_init(&fine, sizeof fine);
    struct blastmerge_options options = fine;
    options.level = 10;
    assert_refused(options);
    options = fine;
    options.n_threads = 65;
    assert_refused(options);
    options = fine;
    options.mismatch = (enum blastmerge_mismatch)9;
    assert_refused(options);
    options = fine;
    options.invalid_utf8 = (enum blastmerge_invalid_utf8)9;
    assert_refused(options);
    options = fine;
    options.sort = (enum blastmerge_sort)9;
    assert_refused(options);
    options = fine;
    options.query_ids = (enum blastmerge_query_ids)9;
    assert_refused(options);
    options = fine;
    options.as_unsplit = 1;
    options.query_ids = BLASTMERGE_QUERY_IDS_KEEP;
    assert_refused(options);
    options = fine;
    options.as_unsplit = 1;
    options.salvage = 1;
    assert_refused(options);
    options = fine;
    options.as_unsplit = 1;
    options.invalid_utf8 = BLASTMERGE_INVALID_UTF8_LATIN1;
    assert_refused(options);
    options = fine;
    options.database = "x";
    options.keep_database = 1;
    assert_refused(options);
    char *long_name = malloc(5000);
    assert_non_null(long_name);
    memset(long_name, 'x', 4999);
    long_name[4999] = '\0';
    options = fine;
    options.database = long_name;
    assert_refused(options);
    free(long_name);
    options = fine;
    options.database = ""; /* a result with a name that is lost: nobody means it */
    assert_refused(options);
}

static void test_calls_that_make_no_sense(void **state) {
    (void)state;
    struct blastmerge_job *job = create(NULL);
    const void *data = NULL;
    size_t n = 0;
    assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_USAGE); /* no children */
    blastmerge_destroy(job);
    job = create(NULL);
    assert_int_equal(blastmerge_add_location(job, ""), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    job = create(NULL);
    add_all(job);
    assert_int_equal(blastmerge_run(job), BLASTMERGE_USAGE); /* no output */
    blastmerge_destroy(job);
    job = create(NULL);
    add_all(job);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_location(job, "x"), BLASTMERGE_USAGE); /* too late */
    blastmerge_destroy(job);
    blastmerge_destroy(NULL);
    blastmerge_free(NULL, NULL);
    assert_int_equal(blastmerge_error(NULL)->status, BLASTMERGE_NO_MEMORY);
}

/* Each way to get a result is the only one; none hands out what is left of another. */
static void test_a_result_is_taken_in_one_way(void **state) {
    (void)state;
    const void *piece = NULL;
    void *data = NULL;
    size_t n = 0;
    struct blastmerge_job *job = create(NULL);
    add_all(job);
    assert_int_equal(blastmerge_next(job, &piece, &n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_USAGE);
    assert_null(data);
    blastmerge_destroy(job);
    job = create(NULL);
    add_all(job);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_OK);
    assert_int_equal(blastmerge_next(job, &piece, &n), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    job = create(NULL);
    add_all(job);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_OK);
    blastmerge_free(job, data);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
}

static void test_parts_have_no_index(void **state) {
    (void)state;
    struct blastmerge_job *job = create(NULL);
    assert_int_equal(blastmerge_add_location(job, "child"), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_output_location(job, in_folder("tally")), BLASTMERGE_OK);
    assert_int_equal(blastmerge_set_index(job, NULL), BLASTMERGE_OK);
    assert_int_equal(blastmerge_count(job), BLASTMERGE_USAGE);
    assert_non_null(strstr(blastmerge_error(job)->message, "neither makes an index nor gets queries"));
    blastmerge_destroy(job);
}

static void *allocate_plainly(void *context, size_t n_bytes) {
    (void)context;
    return malloc(n_bytes);
}

static void ask_for_a_child(void *context, void *memory) {
    struct blastmerge_child child;
    struct blastmerge_job *job = *(struct blastmerge_job **)context;
    if (job != NULL && blastmerge_child(job, 0, &child) == BLASTMERGE_OK) assert_non_null(child.name);
    free(memory);
}

static void test_allocators(void **state) {
    (void)state;
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    for (int i = 0; i < 2; i++) { /* half of one */
        options.allocator.allocate = i == 0 ? allocate_plainly : NULL;
        options.allocator.release = i == 0 ? NULL : ask_for_a_child;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_USAGE);
        assert_string_equal(blastmerge_error(job)->message, "an allocator needs both allocate and release");
        blastmerge_destroy(job);
        job = NULL;
    }
    options.allocator = (struct blastmerge_allocator){&job, allocate_plainly, ask_for_a_child};
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    add_all(job);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_OK);
    struct blastmerge_job *over = job;
    blastmerge_destroy(over);
}

static void test_child_reports(void **state) {
    (void)state;
    struct blastmerge_job *job = create(NULL);
    struct blastmerge_child child;
    add_all(job);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_OK);
    for (uint64_t i = 0; i < N_CHILDREN; i++) {
        assert_int_equal(blastmerge_child(job, i, &child), BLASTMERGE_OK);
        assert_string_equal(child.name, "child");
        assert_int_equal(child.n_iterations, N_ITERATIONS);
        assert_int_equal(child.n_documents, 1);
        assert_int_equal(child.compressed_bytes, zipped[i].n);
        assert_int_equal(child.text_bytes, texts[i].n);
    }
    assert_int_equal(blastmerge_child(job, N_CHILDREN, &child), BLASTMERGE_USAGE);
    assert_int_equal(blastmerge_report(job)->output_bytes, 0);
    blastmerge_destroy(job);
}

static void test_error_says_where(void **state) {
    (void)state;
    struct bytes bad = make_text("blastp", 1, 5, "db");
    char *place = strstr((char *)bad.data, "<Iteration_iter-num>4<");
    place[1] = '&';
    struct blastmerge_job *job = create(NULL);
    assert_int_equal(blastmerge_add_memory(job, "good", zipped[0].data, zipped[0].n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "bad.xml", bad.data, bad.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_DATA);
    const struct blastmerge_error *error = blastmerge_error(job);
    assert_int_equal(error->child, 1);
    assert_int_equal(error->n_iterations, 3);
    assert_int_equal(error->text_offset, (uint8_t *)place + 1 - bad.data);
    assert_non_null(strstr(error->message, "bad.xml: "));
    assert_non_null(strstr(error->message, "after 3 whole Iterations"));
    blastmerge_destroy(job);
    free(bad.data);
}

/* --- a check goes on ------------------------------------------------------------------------------ */

struct faults {
    size_t n;
    size_t fail_at;
    uint64_t children[8];
    enum blastmerge_status statuses[8];
};

static int on_fault(void *context, const struct blastmerge_error *error) {
    struct faults *faults = context;
    if (faults->n == faults->fail_at) return -EPIPE;
    assert_true(faults->n < 8);
    faults->children[faults->n] = error->child;
    faults->statuses[faults->n++] = error->status;
    return BLASTMERGE_CALLBACK_OK;
}

static int fail_to_read(void *context, const void **data, size_t *n_bytes) {
    (void)context;
    *data = NULL;
    *n_bytes = 0;
    return -EIO;
}

/* Children 1 and 3 of five are at fault; with a reader, which is child 4, the caller's function fails. */
static struct blastmerge_job *create_faulty(struct faults *faults, struct bytes bad, bool has_reader,
                                            unsigned n_threads) {
    static const struct blastmerge_reader reader = {.next = fail_to_read};
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.on_fault = on_fault;
    options.callback_context = faults;
    options.n_threads = n_threads;
    struct blastmerge_job *job = create(&options);
    assert_int_equal(blastmerge_add_memory(job, "a", zipped[0].data, zipped[0].n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "b", bad.data, bad.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "c", texts[1].data, texts[1].n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_location(job, "/nowhere/at/all"), BLASTMERGE_OK);
    if (has_reader) assert_int_equal(blastmerge_add_reader(job, "r", &reader), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "d", zipped[2].data, zipped[2].n), BLASTMERGE_OK);
    return job;
}

static void test_check_goes_on(void **state) {
    (void)state;
    struct bytes bad = make_text("blastp", 1, 5, "db");
    strstr((char *)bad.data, "<Iteration_iter-num>4<")[1] = '&';
    for (unsigned n_threads = 1; n_threads < 4; n_threads++) {
        struct faults faults = {.fail_at = 8};
        struct blastmerge_child child;
        struct blastmerge_job *job = create_faulty(&faults, bad, false, n_threads);
        assert_int_equal(blastmerge_check(job), BLASTMERGE_DATA);
        assert_int_equal(blastmerge_error(job)->child, 1);
        assert_non_null(strstr(blastmerge_error(job)->message, "b: "));
        assert_int_equal(faults.n, 2);
        assert_int_equal(faults.children[0], 1);
        assert_int_equal(faults.statuses[0], BLASTMERGE_DATA);
        assert_int_equal(faults.children[1], 3);
        assert_int_equal(faults.statuses[1], BLASTMERGE_NOT_FOUND);
        assert_int_equal(blastmerge_report(job)->n_iterations, 3 * N_ITERATIONS);
        for (uint64_t i = 0; i < 5; i++) {
            bool is_bad = i == 1 || i == 3;
            assert_int_equal(blastmerge_child(job, i, &child), BLASTMERGE_OK);
            assert_int_equal(child.status, i == 1   ? BLASTMERGE_DATA
                                           : i == 3 ? BLASTMERGE_NOT_FOUND
                                                    : BLASTMERGE_OK);
            assert_int_equal(child.n_iterations, i == 1 ? 3 : is_bad ? 0 : N_ITERATIONS);
            assert_int_equal(child.error != NULL, is_bad);
            if (is_bad) assert_non_null(strstr(child.error, child.name));
        }
        blastmerge_destroy(job);
    }
    free(bad.data);
}

/* The caller's own functions are obeyed at once. */
static void test_check_ends(void **state) {
    (void)state;
    struct bytes bad = make_text("blastp", 1, 5, "db");
    struct faults faults = {.fail_at = 0};
    struct blastmerge_child child;
    strstr((char *)bad.data, "<Iteration_iter-num>4<")[1] = '&';
    struct blastmerge_job *job = create_faulty(&faults, bad, false, 1);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_IO);
    assert_non_null(strstr(blastmerge_error(job)->message, "on_fault failed"));
    assert_int_equal(blastmerge_child(job, 4, &child), BLASTMERGE_OK);
    assert_int_equal(child.n_iterations, 0);
    blastmerge_destroy(job);

    faults = (struct faults){.fail_at = 8};
    job = create_faulty(&faults, bad, true, 1);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_IO);
    assert_int_equal(blastmerge_error(job)->child, 4);
    assert_int_equal(faults.n, 2);
    blastmerge_destroy(job);
    free(bad.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_goes_on),
        cmocka_unit_test(test_check_ends),
        cmocka_unit_test(test_a_result_is_taken_in_one_way),
        cmocka_unit_test(test_parts_have_no_index),
        cmocka_unit_test(test_allocators),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_next_hands_out_all_and_then_nothing),
        cmocka_unit_test(test_file_and_report),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writer_is_discarded_once),
        cmocka_unit_test(test_readers_of_any_chunks),
        cmocka_unit_test(test_reader_fails_at_each_call),
        cmocka_unit_test(test_reader_is_closed_though_never_run),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_cancel_while_running),
        cmocka_unit_test(test_cancel_wakes_a_waiting_read),
        cmocka_unit_test(test_options_that_make_no_sense),
        cmocka_unit_test(test_calls_that_make_no_sense),
        cmocka_unit_test(test_child_reports),
        cmocka_unit_test(test_error_says_where),
    };
    return cmocka_run_group_tests(tests, make_children, free_children);
}
