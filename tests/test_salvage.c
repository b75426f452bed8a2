/* SPDX-License-Identifier: MIT */
/* Salvage through the library's face; what is certain of which damage is e2e/test_salvage.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

enum { N_ITERATIONS = 200 };

static struct blastmerge_job *create(struct blastmerge_options *options) {
    struct blastmerge_job *job = NULL;
    assert_int_equal(blastmerge_create(&job, options), BLASTMERGE_OK);
    return job;
}

static struct blastmerge_options salvaging(void) {
    struct blastmerge_options options;
    blastmerge_options_init(&options, sizeof options);
    options.salvage = 1;
    return options;
}

static size_t count(const char *text, const char *word) {
    size_t n = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) n++;
    return n;
}

/* --- ways out ------------------------------------------------------------------------------------ */

static void test_buffer_is_handed_out(void **state) {
    (void)state;
    struct blastmerge_options options = salvaging();
    struct bytes text = make_text("blastp", 1, N_ITERATIONS, "db");
    struct bytes zipped = make_gzip(text, 6);
    struct blastmerge_job *job = create(&options);
    void *data = NULL;
    size_t n = 0;
    assert_int_equal(blastmerge_add_memory(job, "whole", zipped.data, zipped.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "cut", zipped.data, zipped.n / 2), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_SALVAGED);
    const struct blastmerge_report *report = blastmerge_report(job);
    struct bytes merged = read_gzip(data, n);
    assert_non_null(merged.data);
    assert_int_equal(count((const char *)merged.data, "</Iteration>"), report->n_iterations);
    assert_true(report->n_iterations > N_ITERATIONS && report->n_iterations < 2 * N_ITERATIONS);
    assert_int_equal(report->n_damaged_children, 1);
    assert_int_equal(report->n_lost_stretches, 1);
    assert_int_equal(report->n_unchecked_iterations, report->n_iterations - N_ITERATIONS);
    assert_int_equal(blastmerge_error(job)->status, BLASTMERGE_SALVAGED);
    assert_non_null(strstr(blastmerge_error(job)->message, "1 of 2 children"));
    assert_string_equal(blastmerge_status_name(BLASTMERGE_SALVAGED), "salvaged");
    free(merged.data);
    blastmerge_free(job, data);
    blastmerge_destroy(job);
    free(text.data);
    free(zipped.data);
}

static void test_next_says_so_at_the_end(void **state) {
    (void)state;
    struct blastmerge_options options = salvaging();
    struct bytes text = make_text("blastp", 1, N_ITERATIONS, "db");
    struct blastmerge_job *job = create(&options);
    const void *data = NULL;
    size_t n = 1;
    size_t n_all = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    assert_int_equal(blastmerge_add_memory(job, "cut", text.data, text.n - 100), BLASTMERGE_OK);
    while (status == BLASTMERGE_OK && n > 0) {
        status = blastmerge_next(job, &data, &n);
        n_all += n;
    }
    assert_int_equal(status, BLASTMERGE_SALVAGED);
    assert_int_equal(blastmerge_report(job)->output_bytes, n_all);
    assert_int_equal(blastmerge_report(job)->n_iterations, N_ITERATIONS - 1);
    assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_SALVAGED);
    assert_int_equal(n, 0);
    blastmerge_destroy(job);
    free(text.data);
}

/* --- members ------------------------------------------------------------------------------------- */

/* The result's text of a child that ends its first member after n_first bytes of text. */
static struct bytes salvage_members(struct bytes text, size_t n_first) {
    struct blastmerge_options options = salvaging();
    struct bytes first = make_gzip((struct bytes){text.data, n_first}, 1);
    struct bytes rest = make_gzip((struct bytes){text.data + n_first, text.n - n_first}, 1);
    struct blastmerge_job *job = create(&options);
    void *data = NULL;
    size_t n = 0;
    first.data = realloc(first.data, first.n + rest.n);
    assert_non_null(first.data);
    memcpy(first.data + first.n, rest.data, rest.n);
    assert_int_equal(blastmerge_add_memory(job, "child", first.data, first.n + rest.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_SALVAGED);
    struct bytes merged = read_gzip(data, n);
    assert_non_null(merged.data);
    blastmerge_free(job, data);
    blastmerge_destroy(job);
    free(first.data);
    free(rest.data);
    return merged;
}

/* Where members end changes nothing: not even if what seemed to begin a document shows only behind such an end that it
 * does not, and the next document began before. */
static void test_members_end_anywhere(void **state) {
    static const char *const beginnings[] = {"<?xml version=\"1.0\"?># ",
                                             "<?xml version=\"1.0\"?><BlastOutput><a>",
                                             "<?xml version=\"1.0\"?><!DOCTYPE BlastOutput PUBLIC \"a"};
    (void)state;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        struct bytes text = make_text("blastp", 1, 2, "db");
        struct bytes other = make_text("blastp", 1, 2, "db");
        const char *end = strstr((const char *)text.data, "</Iteration>");
        assert_non_null(end);
        text.n = (size_t)(end - (const char *)text.data) + strlen("</Iteration>");
        const size_t n_whole = text.n;
        append_text(&text, "\n\x01\n");
        append_text(&text, beginnings[i]);
        append_text(&text, (const char *)other.data);
        struct bytes whole = salvage_members(text, 0);
        for (size_t n = n_whole; n < text.n; n++) {
            struct bytes merged = salvage_members(text, n);
            assert_int_equal(merged.n, whole.n);
            assert_memory_equal(merged.data, whole.data, whole.n);
            free(merged.data);
        }
        free(whole.data);
        free(text.data);
        free(other.data);
    }
}

/* --- a child that changes between the passes ----------------------------------------------------- */

struct change {
    struct bytes text;
    size_t at;
    char byte;
};

/* By then the first pass has read all of it. */
static int make_change(void *context, const struct blastmerge_progress *progress) {
    const struct change *change = context;
    if (progress->compressed_bytes > change->text.n) change->text.data[change->at] = (uint8_t)change->byte;
    return BLASTMERGE_CALLBACK_OK;
}

static void change_child(const char *place, size_t offset, char byte) {
    struct blastmerge_options options = salvaging();
    struct bytes text = make_text("blastp", 1, 4000, "db"); /* many batches */
    const char *found = strstr((const char *)text.data + text.n / 2, place);
    assert_non_null(found);
    struct change change = {text, (size_t)(found - (const char *)text.data) + offset, byte};
    options.callback_context = &change;
    options.on_progress = make_change;
    options.n_threads = 1;
    struct blastmerge_job *job = create(&options);
    void *data = NULL;
    size_t n = 0;
    assert_int_equal(blastmerge_add_memory(job, "child", text.data, text.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_CHANGED);
    assert_null(data);
    assert_non_null(strstr(blastmerge_error(job)->message, "changed between the first and the second pass"));
    blastmerge_destroy(job);
    free(text.data);
}

static void test_changed_child(void **state) {
    (void)state;
    change_child("<Hsp_score>", 11, '9'); /* a digit: well-formed as before */
    change_child("</Hit_hsps>", 2, '?');
    change_child("<Iteration>", 0, ' ');
}

/* --- what is refused ------------------------------------------------------------------------------- */

static int read_nothing(void *context, const void **data, size_t *n_bytes) {
    (void)context;
    *data = NULL;
    *n_bytes = 0;
    return BLASTMERGE_CALLBACK_OK;
}

static void test_refused(void **state) {
    (void)state;
    struct blastmerge_options options = salvaging();
    struct bytes text = make_text("blastp", 1, 3, "db");
    const struct blastmerge_reader reader = {.next = read_nothing};
    struct blastmerge_job *job = create(&options);
    void *data = NULL;
    size_t n = 0;
    assert_int_equal(blastmerge_add_reader(job, "reader", &reader), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_USAGE);
    assert_int_equal(blastmerge_error(job)->child, 0);
    blastmerge_destroy(job);

    job = create(&options);
    assert_int_equal(blastmerge_add_memory(job, "child", text.data, text.n), BLASTMERGE_OK);
    assert_int_equal(blastmerge_check(job), BLASTMERGE_USAGE);
    blastmerge_destroy(job);

    options.format = BLASTMERGE_FORMAT_JSON;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    options = salvaging();
    options.as_unsplit = 1;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    options = salvaging();
    job = create(&options);
    assert_int_equal(blastmerge_finalize(job, "{}", 2, NULL, (char **)&data), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    free(text.data);
}

/* --- memory that runs out -------------------------------------------------------------------------- */

struct limited {
    size_t n_left;
};

static void *allocate(void *context, size_t n_bytes) {
    struct limited *limited = context;
    if (limited->n_left == 0) return NULL;
    limited->n_left--;
    return malloc(n_bytes);
}

static void release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static void test_no_memory(void **state) {
    (void)state;
    struct bytes text = make_text("blastp", 1, 50, "db");
    struct bytes zipped = make_gzip(text, 6);
    enum blastmerge_status status = BLASTMERGE_NO_MEMORY;
    for (size_t n_calls = 0; status == BLASTMERGE_NO_MEMORY; n_calls++) {
        struct limited limited = {n_calls};
        struct blastmerge_options options = salvaging();
        options.allocator = (struct blastmerge_allocator){&limited, allocate, release};
        struct blastmerge_job *job = NULL;
        void *data = NULL;
        size_t n = 0;
        status = blastmerge_create(&job, &options);
        if (status == BLASTMERGE_OK)
            status = blastmerge_add_memory(job, "cut", zipped.data, zipped.n * 9 / 10);
        if (status == BLASTMERGE_OK) status = blastmerge_to_buffer(job, &data, &n);
        if (job != NULL) blastmerge_free(job, data);
        blastmerge_destroy(job);
        assert_true(n_calls < 100);
    }
    assert_int_equal(status, BLASTMERGE_SALVAGED);
    free(text.data);
    free(zipped.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer_is_handed_out),
        cmocka_unit_test(test_next_says_so_at_the_end),
        cmocka_unit_test(test_members_end_anywhere),
        cmocka_unit_test(test_changed_child),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
