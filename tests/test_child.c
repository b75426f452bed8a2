/* SPDX-License-Identifier: MIT */
/* child: many children open at once, read in lockstep, Iteration by Iteration, in bounded memory; and the
 * text and marks of a child do not depend on how much it may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child/child.h"
#include "children.h"

enum { MOST = 100, MIB = 1 << 20 };

/* A child that is read Iteration by Iteration. */
struct reader {
    struct bm_child child;
    struct bm_fetch_source source;
    bool is_begun;
    bool is_last;
    bool has_batch;
    struct bm_view view;
    size_t position; /* in the view's marks */
    uint32_t crc;    /* of the text so far */
    uint64_t last_number;
};

static struct bm_memory memory;
static struct bm_workers workers;
static struct bm_cancel cancel;

static void open_reader(struct reader *reader, const char *name, struct bytes zipped, size_t n_bytes) {
    const struct bm_child_settings settings = {.room = bm_child_lane_room_within(n_bytes)};
    const struct bm_mark_kin any = {0};
    memset(reader, 0, sizeof *reader);
    assert_int_equal(bm_child_create(&reader->child, &settings, &workers, &memory), BLASTMERGE_OK);
    reader->source = bm_fetch_source_memory(name, zipped.data, zipped.n);
    bm_child_open(&reader->child, &reader->source, &cancel);
    bm_child_admit(&reader->child, &any, true);
}

/* Takes the next batch; false: there is none. */
static bool take_batch(struct reader *reader) {
    struct blastmerge_error error;
    if (reader->has_batch) bm_child_give(&reader->child);
    reader->has_batch = false;
    if (reader->is_last) return false;
    const struct bm_batch *batch = bm_child_take(&reader->child, &reader->is_last, &error);
    assert_non_null(batch);
    reader->has_batch = true;
    reader->crc = bm_crc32(reader->crc, batch->text, batch->n_text);
    return true;
}

static bool next_view(struct reader *reader) {
    struct blastmerge_error error;
    reader->position = 0;
    if (!reader->has_batch || reader->view.is_end_of_batch) {
        if (reader->has_batch && reader->is_last) {
            do assert_int_equal(bm_child_finish(&reader->child, &reader->view, &error), BLASTMERGE_OK);
            while (!bm_mark_is_finished(reader->child.mark));
            return false;
        }
        if (!take_batch(reader)) return false;
    }
    assert_int_equal(bm_child_scan(&reader->child, SIZE_MAX, &reader->view, &error), BLASTMERGE_OK);
    return true;
}

/* Goes on to the end of the next Iteration; false: there is no other. */
static bool next_iteration(struct reader *reader) {
    for (;;) {
        while (reader->is_begun && reader->position < reader->view.marks->n_entries) {
            const struct bm_mark_entry *mark = &reader->view.marks->entries[reader->position++];
            if (mark->kind == BM_MARK_NUMBER) reader->last_number = mark->value;
            if (mark->kind == BM_MARK_ITERATION_END) return true;
        }
        reader->is_begun = true;
        if (!next_view(reader)) return false;
    }
}

static void read_in_lockstep(unsigned n_children, unsigned n_threads, unsigned n_iterations, size_t n_bytes) {
    static struct reader readers[MOST];
    struct bytes texts[MOST], zipped[MOST];
    struct blastmerge_error error;
    assert_true(n_children <= MOST);
    bm_memory_open(&memory, NULL);
    bm_cancel_init(&cancel);
    assert_int_equal(bm_cancel_begin(&cancel, &error), BLASTMERGE_OK);
    assert_int_equal(bm_workers_open(&workers, n_threads, &memory), BLASTMERGE_OK);
    for (unsigned i = 0; i < n_children; i++) {
        texts[i] = make_text("blastp", 1, n_iterations, i % 2 == 0 ? "even" : "odd");
        zipped[i] = make_gzip(texts[i], 1 + (int)(i % 9));
        open_reader(&readers[i], "child", zipped[i], n_bytes / n_children);
    }
    for (unsigned number = 1; number <= n_iterations; number++) {
        for (unsigned i = 0; i < n_children; i++) {
            assert_true(next_iteration(&readers[i]));
            assert_int_equal(readers[i].last_number, number);
        }
    }
    for (unsigned i = 0; i < n_children; i++) {
        assert_false(next_iteration(&readers[i]));
        assert_int_equal(readers[i].crc, bm_crc32(0, texts[i].data, texts[i].n));
        assert_int_equal(readers[i].view.counts.n_iterations, n_iterations);
    }
    assert_true(memory.n_peak <= 16 * MIB - MIB); /* a MiB for the program itself */
    for (unsigned i = 0; i < n_children; i++) {
        bm_child_close(&readers[i].child);
        bm_child_destroy(&readers[i].child, &memory);
        free(texts[i].data);
        free(zipped[i].data);
    }
    bm_workers_close(&workers, &memory);
    bm_cancel_close(&cancel);
    assert_int_equal(memory.n_bytes, 0);
}

static void test_eight(void **state) {
    (void)state;
    read_in_lockstep(8, 0, 3000, 8 * MIB);
    read_in_lockstep(8, 1, 3000, 8 * MIB);
}

static void test_hundred(void **state) {
    (void)state;
    read_in_lockstep(100, 0, 300, 6 * MIB);
    read_in_lockstep(100, 1, 300, 0);
}

/* A room of any size, from the least on. */
static void test_rooms(void **state) {
    (void)state;
    for (unsigned n_bytes = 0; n_bytes < 4 * MIB; n_bytes += 50000)
        read_in_lockstep(1, n_bytes / 50000 % 3, 400, n_bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_eight), cmocka_unit_test(test_hundred),
                                       cmocka_unit_test(test_rooms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
