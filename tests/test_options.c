/* SPDX-License-Identifier: MIT */
/* Structs that callers fill: of other sizes than this library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Options as a program has them that was made with another header: n bytes, with defaults. */
static struct blastmerge_options *make_options(size_t n) {
    struct blastmerge_options known;
    uint8_t *made = calloc(1, n < sizeof known ? sizeof known : n);
    assert_non_null(made);
    blastmerge_options_init((struct blastmerge_options *)(void *)made, n);
    return (struct blastmerge_options *)(void *)made;
}

static enum blastmerge_status status_of(const struct blastmerge_options *options) {
    struct blastmerge_job *job = NULL;
    enum blastmerge_status status = blastmerge_create(&job, options);
    assert_non_null(job);
    assert_int_equal(blastmerge_error(job)->status, status);
    if (status != BLASTMERGE_OK) {
        assert_int_equal(status, BLASTMERGE_USAGE);
        assert_non_null(strstr(blastmerge_error(job)->message, "struct_size"));
        assert_int_equal(blastmerge_add_location(job, "child"), BLASTMERGE_USAGE);
    }
    blastmerge_destroy(job);
    return status;
}

enum { FIRST = offsetof(struct blastmerge_options, progress_interval) + sizeof(unsigned) };

static void test_sizes(void **state) {
    static const struct {
        size_t size;
        bool is_fine;
    } cases[] = {{0, false},
                 {1, false},
                 {7, false},
                 {8, false},
                 {FIRST - 1, false},
                 {FIRST, true},
                 {sizeof(struct blastmerge_options), true},
                 {sizeof(struct blastmerge_options) + 1, true},
                 {sizeof(struct blastmerge_options) + 64, true},
                 {4096, true},
                 {4097, false},
                 {SIZE_MAX / 2, false},
                 {SIZE_MAX, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blastmerge_options *options = make_options(4096);
        options->struct_size = cases[i].size;
        assert_int_equal(status_of(options), cases[i].is_fine ? BLASTMERGE_OK : BLASTMERGE_USAGE);
        free(options);
    }
}

/* What a later header has beyond ours must be at its default. */
static void test_what_is_not_known(void **state) {
    (void)state;
    size_t size = sizeof(struct blastmerge_options) + 16;
    struct blastmerge_options *options = make_options(size);
    for (size_t i = sizeof *options; i < size; i++) {
        ((uint8_t *)options)[i] = 1;
        assert_int_equal(status_of(options), BLASTMERGE_USAGE);
        ((uint8_t *)options)[i] = 0;
        assert_int_equal(status_of(options), BLASTMERGE_OK);
    }
    ((uint8_t *)options)[size - 1] = 1;
    options->struct_size = size - 1; /* that is behind it */
    assert_int_equal(status_of(options), BLASTMERGE_OK);
    free(options);
}

/* Not a byte behind what there is, or said to be. */
static void test_init(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 8, 16, FIRST, sizeof(struct blastmerge_options)};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        union {
            struct blastmerge_options options;
            uint8_t bytes[1024];
        } room;
        memset(&room, 0xaa, sizeof room);
        blastmerge_options_init(&room.options, sizes[i]);
        size_t n_written = sizes[i] < sizeof(size_t) ? 0 : sizes[i];
        for (size_t k = n_written; k < sizeof room; k++) assert_int_equal(room.bytes[k], 0xaa);
        if (n_written == 0) continue;
        assert_int_equal(room.options.struct_size, sizes[i]);
        for (size_t k = sizeof(size_t); k < n_written; k++) assert_int_equal(room.bytes[k], 0);
    }
    struct blastmerge_options options;
    memset(&options, 0, sizeof options);
    blastmerge_options_init(&options, SIZE_MAX); /* as it should be sizeof options */
    assert_int_equal(status_of(&options), BLASTMERGE_USAGE);
}

static void test_finalize(void **state) {
    static const struct {
        size_t size;
        bool is_fine;
    } cases[] = {{0, false},
                 {1, false},
                 {8, false},
                 {offsetof(struct blastmerge_finalize_options, strict) + sizeof(int) - 1, false},
                 {offsetof(struct blastmerge_finalize_options, strict) + sizeof(int), true},
                 {sizeof(struct blastmerge_finalize_options), true},
                 {200, true},
                 {SIZE_MAX, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union {
            struct blastmerge_finalize_options options;
            uint8_t bytes[256];
        } room;
        struct blastmerge_job *job = NULL;
        char *outcome = NULL;
        memset(&room, 0, sizeof room);
        room.options.struct_size = cases[i].size;
        assert_int_equal(blastmerge_create(&job, NULL), BLASTMERGE_OK);
        assert_int_equal(blastmerge_finalize(job, "{}", 2, &room.options, &outcome), BLASTMERGE_USAGE);
        bool is_about_size = strstr(blastmerge_error(job)->message, "struct_size") != NULL;
        assert_int_equal(is_about_size, !cases[i].is_fine);
        blastmerge_destroy(job);
    }
    struct blastmerge_finalize_options options;
    blastmerge_finalize_options_init(&options, sizeof options);
    assert_int_equal(options.struct_size, sizeof options);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_what_is_not_known),
                                       cmocka_unit_test(test_init), cmocka_unit_test(test_finalize)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
