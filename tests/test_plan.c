/* SPDX-License-Identifier: MIT */
/* plan: its items, their order and files; and what a child makes of text that is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child/child.h"
#include "children.h"
#include "plan/order.h"

static struct bm_memory memory;

/* --- items --------------------------------------------------------------------------------------- */

static void test_items(void **state) {
    (void)state;
    enum { N = 1000 };
    struct bm_plan plan;
    char name[32];
    bm_memory_open(&memory, NULL);
    bm_plan_open(&plan, &memory);
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "batch_%u", (i * 7919 + 5) % N);
        assert_true(bm_plan_add(&plan, bm_fetch_source_path(name)));
    }
    assert_int_equal(plan.n_items, N);
    bm_plan_order_sort(&plan);
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "batch_%u", i);
        assert_string_equal(plan.items[i].source.location, name);
        assert_ptr_equal(plan.items[i].source.location, plan.items[i].source.shown); /* one string does */
        assert_null(plan.items[i].text);
    }
    assert_true(bm_plan_add(&plan, bm_fetch_source_path("a blank ")));
    assert_string_equal(plan.items[N].source.location, "a blank ");
    assert_string_equal(plan.items[N].source.shown, "'a blank '");
    bm_plan_close(&plan);
    assert_int_equal(memory.n_bytes, 0);
}

static void *allocate(void *context, size_t n_bytes) {
    size_t *n_left = context;
    if (*n_left == 0) return NULL;
    (*n_left)--;
    return malloc(n_bytes);
}

static void release(void *context, void *pointer) {
    (void)context;
    free(pointer);
}

static void test_no_memory(void **state) {
    (void)state;
    bool is_added = false;
    size_t n_calls = 0;
    for (; !is_added; n_calls++) {
        struct bm_plan plan;
        size_t n_left = n_calls;
        const struct blastmerge_allocator allocator = {&n_left, allocate, release};
        bm_memory_open(&memory, &allocator);
        bm_plan_open(&plan, &memory);
        is_added = bm_plan_add(&plan, bm_fetch_source_path(" a"));
        assert_int_equal(plan.n_items, is_added);
        bm_plan_close(&plan);
        assert_int_equal(memory.n_bytes, 0);
    }
    assert_true(n_calls > 2 && n_calls < 10); /* the strings, the items */
}

/* --- order --------------------------------------------------------------------------------------- */

static void test_natural_order(void **state) {
    (void)state;
    static const char *const ordered[] = {"",
                                          "a",
                                          "a1",
                                          "a1b",
                                          "a2",
                                          "a02",
                                          "a10",
                                          "a10b1",
                                          "a10b10",
                                          "a18446744073709551616",
                                          "a18446744073709551617",
                                          "b",
                                          "batch_2.xml",
                                          "batch_10.xml"};
    const size_t n = sizeof ordered / sizeof ordered[0];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            int order = bm_plan_order_compare(ordered[i], ordered[j]);
            if (strcmp(ordered[i], "a2") == 0 && strcmp(ordered[j], "a02") == 0) {
                assert_true(order > 0); /* equal values: told apart by their bytes */
            } else if (strcmp(ordered[i], "a02") == 0 && strcmp(ordered[j], "a2") == 0) {
                assert_true(order < 0);
            } else {
                assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            }
        }
    }
}

static void test_steps(void **state) {
    (void)state;
    assert_int_equal(bm_plan_order_step("batch_1.xml.gz", "batch_2.xml.gz"), BM_PLAN_ORDER_FINE);
    assert_int_equal(bm_plan_order_step("batch_9.xml.gz", "batch_10.xml.gz"), BM_PLAN_ORDER_FINE);
    assert_int_equal(bm_plan_order_step("batch_09.xml.gz", "batch_10.xml.gz"), BM_PLAN_ORDER_FINE);
    assert_int_equal(bm_plan_order_step("batch_10.xml.gz", "batch_2.xml.gz"), BM_PLAN_ORDER_BACKWARD);
    assert_int_equal(bm_plan_order_step("batch_1.xml.gz", "batch_3.xml.gz"), BM_PLAN_ORDER_GAP);
    assert_int_equal(bm_plan_order_step("batch_1.xml.gz", "batch_1.xml.gz"), BM_PLAN_ORDER_FINE);
    assert_int_equal(bm_plan_order_step("zebra.xml.gz", "ant.xml.gz"), BM_PLAN_ORDER_FINE);
    assert_int_equal(bm_plan_order_step("run1/batch_9", "run2/batch_1"),
                     BM_PLAN_ORDER_FINE); /* two numbers: no gap */
    assert_int_equal(bm_plan_order_step("run2/batch_1", "run1/batch_9"), BM_PLAN_ORDER_BACKWARD);
    assert_int_equal(bm_plan_order_step("a1", "b7"), BM_PLAN_ORDER_FINE);
}

static struct bm_plan_order order_of(const char *const *names, size_t n) {
    struct bm_plan plan;
    bm_plan_open(&plan, &memory);
    for (size_t i = 0; i < n; i++) assert_true(bm_plan_add(&plan, bm_fetch_source_path(names[i])));
    struct bm_plan_order order = bm_plan_order_look(&plan);
    bm_plan_close(&plan);
    return order;
}

static void test_order_of_items(void **state) {
    (void)state;
    static const char *const backward[] = {"a1", "a2", "a10", "a3", "a2", "/dev/fd/9", "/dev/fd/8"};
    static const char *const gaps[] = {"a1", "a2", "a4", "a5", "a9"};
    bm_memory_open(&memory, NULL);
    struct bm_plan_order order = order_of(backward, sizeof backward / sizeof backward[0]);
    assert_int_equal(order.n_backward, 2);
    assert_int_equal(order.first_backward, 3);
    order = order_of(gaps, sizeof gaps / sizeof gaps[0]);
    assert_int_equal(order.n_backward, 0);
    assert_int_equal(order.n_gaps, 2);
    assert_int_equal(order.first_gap, 2);
    order = order_of(gaps, 2);
    assert_int_equal(order.n_gaps + order.n_backward, 0);
    assert_int_equal(order_of(gaps, 0).n_gaps, 0);
}

static void test_files(void **state) {
    (void)state;
    enum { N = 200 };
    struct bm_plan plan;
    size_t n_files = 0;
    bm_memory_open(&memory, NULL);
    bm_plan_open(&plan, &memory);
    for (unsigned i = 0; i < N; i++) {
        assert_true(bm_plan_add(&plan, bm_fetch_source_path("f")));
        struct bm_fetch_source *source = &plan.items[i].source;
        source->has_identity = i % 5 != 0;
        source->device = i % 2;
        source->inode = i % 7;
    }
    uint32_t *numbers = bm_plan_order_files(&plan, &n_files);
    assert_non_null(numbers);
    assert_int_equal(n_files, N - N / 5);
    size_t n_borders = 0;
    for (size_t i = 1; i < n_files; i++) {
        bool is_same = bm_plan_is_same_file(&plan, numbers[i - 1], numbers[i]);
        assert_int_equal(is_same, numbers[i - 1] % 14 == numbers[i] % 14);
        if (is_same) assert_true(numbers[i - 1] < numbers[i]);
        n_borders += !is_same;
    }
    assert_int_equal(n_borders, 13);                  /* all of one file are side by side */
    assert_false(bm_plan_is_same_file(&plan, 0, 70)); /* of these the identity is not known */
    bm_release(&memory, numbers);
    bm_plan_close(&plan);
}

/* --- text that is left out ----------------------------------------------------------------------- */

enum { ITERATIONS = 3000 };

/* Where an Iteration begins, and where it has ended. */
static uint64_t begin_of(struct bytes text, unsigned number) {
    char tag[96];
    snprintf(tag, sizeof tag, "<Iteration>\n  <Iteration_iter-num>%u<", number);
    const char *found = strstr((const char *)text.data, tag);
    assert_non_null(found);
    return (uint64_t)(found - (const char *)text.data);
}

static uint64_t end_of(struct bytes text, unsigned number) {
    const char *iteration = (const char *)text.data + begin_of(text, number);
    const char *found = strstr(iteration, "</Iteration>");
    return (uint64_t)(found - (const char *)text.data) + strlen("</Iteration>");
}

/* What a child gives of a text. */
struct reading {
    unsigned n;
    uint64_t numbers[ITERATIONS];
    bool has_end; /* of the last document */
    enum blastmerge_status status;
};

static void take_marks(struct reading *reading, const struct bm_view *view) {
    uint64_t before = 0;
    for (size_t i = 0; i < view->marks->n_entries; i++) {
        const struct bm_mark_entry *mark = &view->marks->entries[i];
        if (mark->kind == BM_MARK_NUMBER) reading->numbers[reading->n++] = mark->value;
        if (mark->kind == BM_MARK_DOCUMENT_END) reading->has_end = true;
        if (mark->kind == BM_MARK_DOCUMENT) reading->has_end = false;
        if (mark->kind == BM_MARK_ITERATION) assert_true(mark->offset >= before);
        before = mark->offset;
    }
}

static void read_batch(struct reading *reading, struct bm_child *child) {
    struct bm_view view;
    struct blastmerge_error error;
    uint64_t safe = 0;
    do {
        assert_int_equal(bm_child_scan(child, SIZE_MAX, &view, &error), BLASTMERGE_OK);
        for (size_t i = 0; i < view.marks->n_entries; i++)
            assert_true(view.marks->entries[i].offset >= safe ||
                        view.marks->entries[i].kind == BM_MARK_ITERATIONS_END ||
                        view.marks->entries[i].kind == BM_MARK_DOCUMENT_END);
        safe = view.safe;
        take_marks(reading, &view);
    } while (!view.is_end_of_batch);
}

static struct reading read_text(struct bytes bytes, const struct bm_plan_text *text, unsigned n_threads,
                                size_t room) {
    static struct bm_workers workers;
    static struct bm_cancel cancel;
    const struct bm_child_settings settings = {.room = bm_child_lane_room_within(room)};
    const struct bm_mark_kin any = {0};
    struct bm_child child;
    struct bm_view view;
    struct blastmerge_error error;
    static struct reading reading;
    struct bm_fetch_source source = bm_fetch_source_memory("child", bytes.data, bytes.n);
    bool is_last = false;
    reading = (struct reading){0};
    bm_memory_open(&memory, NULL);
    bm_cancel_init(&cancel);
    assert_int_equal(bm_cancel_begin(&cancel, &error), BLASTMERGE_OK);
    assert_int_equal(bm_workers_open(&workers, n_threads, &memory), BLASTMERGE_OK);
    assert_int_equal(bm_child_create(&child, &settings, &workers, &memory), BLASTMERGE_OK);
    bm_child_open_text(&child, &source, text, &cancel);
    bm_child_admit(&child, &any, true);
    while (!is_last) {
        assert_non_null(bm_child_take(&child, &is_last, &error));
        read_batch(&reading, &child);
        is_last = is_last || bm_child_is_over(&child);
        if (!is_last) bm_child_give(&child);
    }
    while (!bm_child_is_in_hole(&child) && !bm_mark_is_finished(child.mark)) {
        assert_int_equal(bm_child_finish(&child, &view, &error), BLASTMERGE_OK);
        take_marks(&reading, &view);
    }
    reading.status = bm_child_prove(&child, &error);
    bm_child_close(&child);
    bm_child_destroy(&child, &memory);
    bm_workers_close(&workers, &memory);
    bm_cancel_close(&cancel);
    assert_int_equal(memory.n_bytes, 0);
    return reading;
}

static void check_numbers(const struct reading *reading, const unsigned (*left_out)[2], size_t n_left_out) {
    unsigned n = 0;
    for (unsigned number = 1; number <= ITERATIONS; number++) {
        bool is_left_out = false;
        for (size_t i = 0; i < n_left_out; i++)
            is_left_out = is_left_out || (number >= left_out[i][0] && number <= left_out[i][1]);
        if (is_left_out) continue;
        assert_true(n < reading->n);
        assert_int_equal(reading->numbers[n++], number);
    }
    assert_int_equal(reading->n, n);
    assert_true(reading->has_end);
}

static void test_holes(void **state) {
    (void)state;
    static const unsigned left_out[][2] = {{2, 2},     {5, 300},     {302, 302},
                                           {303, 303}, {1000, 2400}, {2998, ITERATIONS}};
    enum { N = sizeof left_out / sizeof left_out[0] };
    struct bytes text = make_text("blastp", 1, ITERATIONS, "db");
    struct bytes zipped = make_gzip(text, 6);
    struct bm_plan_hole holes[N] = {{0}};
    for (size_t i = 0; i < N; i++) {
        unsigned first = left_out[i][0], last = left_out[i][1];
        holes[i] = (struct bm_plan_hole){.from = end_of(text, first - 1),
                                         .to = last < ITERATIONS ? begin_of(text, last + 1) : UINT64_MAX,
                                         .place = BM_MARK_AT_SAME};
    }
    struct bm_plan_text plan = {.end = holes[N - 1].from, .is_proven = true, .n_holes = N, .holes = holes};
    plan.crc32 = bm_crc32(0, text.data, (size_t)plan.end);
    for (unsigned i = 0; i < 12; i++) {
        struct reading reading = read_text(i % 2 == 0 ? zipped : text, &plan, i % 3, (size_t)i * 200000);
        check_numbers(&reading, left_out, N);
        assert_int_equal(reading.status, BLASTMERGE_OK);
    }
    plan.n_holes = 0;
    plan.end = text.n;
    plan.crc32 = bm_crc32(0, text.data, text.n);
    struct reading whole = read_text(zipped, &plan, 1, 0);
    check_numbers(&whole, NULL, 0);
    assert_int_equal(whole.status, BLASTMERGE_OK);
    plan.crc32 ^= 1;
    assert_int_equal(read_text(zipped, &plan, 1, 0).status, BLASTMERGE_CHANGED);
    plan.crc32 ^= 1;
    plan.end++;
    assert_int_equal(read_text(zipped, &plan, 1, 0).status, BLASTMERGE_CHANGED);
    plan.is_proven = false;
    assert_int_equal(read_text(zipped, &plan, 1, 0).status, BLASTMERGE_OK);
    free(text.data);
    free(zipped.data);
}

/* A header alone, of a document that is not the first. */
static void test_header(void **state) {
    (void)state;
    struct bm_plan plan;
    struct bytes first = make_text("blastp", 1, 1000, "first"),
                 second = make_text("blastp", 1, 1000, "second");
    struct bytes text = {NULL, 0};
    append_text(&text, (const char *)first.data);
    append_text(&text, (const char *)second.data);
    uint64_t to = first.n + begin_of(second, 1) - 1; /* in front of the line's end */
    bm_memory_open(&memory, NULL);
    bm_plan_open(&plan, &memory);
    const struct bm_fetch_source source = bm_fetch_source_memory("child", text.data, text.n);
    bm_plan_set_header(&plan, 3, &source, NULL, first.n, to);
    assert_true(plan.header.is_due);
    assert_int_equal(plan.header.item, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct reading reading = read_text(text, &plan.header.text, i, i * 100000);
        assert_int_equal(reading.n, 0);
        assert_true(reading.has_end);
        assert_int_equal(reading.status, BLASTMERGE_OK);
    }
    bm_plan_close(&plan);
    free(first.data);
    free(second.data);
    free(text.data);
}

/* Of three gzip members the second is left out, which cannot be read. */
static void test_bytes(void **state) {
    (void)state;
    struct bytes text = make_text("blastp", 1, ITERATIONS, "db");
    struct bytes front = {text.data, (size_t)end_of(text, 900)};
    struct bytes back = {text.data + front.n, text.n - front.n};
    struct bytes one = make_gzip(front, 6), two = make_gzip(back, 1);
    const size_t n_broken = 777;
    struct bytes all = {calloc(1, one.n + n_broken + two.n), one.n + n_broken + two.n};
    assert_non_null(all.data);
    memcpy(all.data, one.data, one.n);
    memcpy(all.data + one.n, "\x1f\x8b\x08\x00garbage", 11);
    memcpy(all.data + one.n + n_broken, two.data, two.n);
    const struct bm_span spans[] = {{0, one.n}, {one.n + n_broken, UINT64_MAX}};
    struct bm_plan_text plan = {.end = text.n, .is_proven = true, .n_spans = 2, .spans = spans};
    plan.crc32 = bm_crc32(0, text.data, text.n);
    for (unsigned i = 0; i < 3; i++) {
        struct reading reading = read_text(all, &plan, i, i * 300000);
        check_numbers(&reading, NULL, 0);
        assert_int_equal(reading.status, BLASTMERGE_OK);
    }
    free(text.data);
    free(one.data);
    free(two.data);
    free(all.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),          cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_natural_order),  cmocka_unit_test(test_steps),
        cmocka_unit_test(test_order_of_items), cmocka_unit_test(test_files),
        cmocka_unit_test(test_holes),          cmocka_unit_test(test_header),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
