/* SPDX-License-Identifier: MIT */
/* number: natural order, header comparison, and edits from marks. What a merge makes of them is tested end to
 * end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "number/header.h"
#include "number/number.h"
#include "number/order.h"

#include <stdlib.h>
#include <string.h>

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
            int order = bm_number_order_compare(ordered[i], ordered[j]);
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
    assert_int_equal(bm_number_order_step("batch_1.xml.gz", "batch_2.xml.gz"), BM_ORDER_FINE);
    assert_int_equal(bm_number_order_step("batch_9.xml.gz", "batch_10.xml.gz"), BM_ORDER_FINE);
    assert_int_equal(bm_number_order_step("batch_09.xml.gz", "batch_10.xml.gz"), BM_ORDER_FINE);
    assert_int_equal(bm_number_order_step("batch_10.xml.gz", "batch_2.xml.gz"), BM_ORDER_BACKWARD);
    assert_int_equal(bm_number_order_step("batch_1.xml.gz", "batch_3.xml.gz"), BM_ORDER_GAP);
    assert_int_equal(bm_number_order_step("batch_1.xml.gz", "batch_1.xml.gz"), BM_ORDER_FINE);
    assert_int_equal(bm_number_order_step("zebra.xml.gz", "ant.xml.gz"), BM_ORDER_FINE);
    assert_int_equal(bm_number_order_step("run1/batch_9", "run2/batch_1"),
                     BM_ORDER_FINE); /* two numbers: no gap */
    assert_int_equal(bm_number_order_step("run2/batch_1", "run1/batch_9"), BM_ORDER_BACKWARD);
    assert_int_equal(bm_number_order_step("a1", "b7"), BM_ORDER_FINE);
}

static void take(struct bm_number_header *header, const char *name, const char *value, bool is_parameter) {
    struct bm_mark_field *field = calloc(1, sizeof *field);
    assert_non_null(field);
    memcpy(field->name, name, strlen(name) + 1);
    memcpy(field->value, value, strlen(value) + 1);
    field->is_parameter = is_parameter;
    for (const char *p = value; *p != '\0'; p++) field->hash = field->hash * 31 + (unsigned char)*p;
    bm_number_header_take(header, field);
    free(field);
}

static void test_headers(void **state) {
    (void)state;
    struct bm_number_header first;
    struct bm_number_header other;
    struct bm_number_header_difference difference;
    size_t position = 0;
    bm_number_header_begin(&first);
    bm_number_header_begin(&other);
    take(&first, "BlastOutput_program", "blastp", false);
    take(&first, "BlastOutput_query-def", "one", false);
    take(&first, "Parameters_expect", "10", true);
    take(&first, "Parameters_matrix", "BLOSUM62", true);
    take(&other, "BlastOutput_program", "blastn", false);
    take(&other, "BlastOutput_query-def", "two", false); /* is not compared */
    take(&other, "Parameters_expect", "10", true);
    take(&other, "Parameters_sc-match", "1", true);
    assert_true(bm_number_header_compare(&first, &other, &position, &difference));
    assert_string_equal(difference.name, "BlastOutput_program");
    assert_true(difference.is_program);
    assert_string_equal(difference.value, "blastn");
    assert_string_equal(difference.first_value, "blastp");
    assert_true(bm_number_header_compare(&first, &other, &position, &difference));
    assert_string_equal(difference.name, "Parameters_matrix");
    assert_null(difference.value);
    assert_true(bm_number_header_compare(&first, &other, &position, &difference));
    assert_string_equal(difference.name, "Parameters_sc-match");
    assert_null(difference.first_value);
    assert_false(bm_number_header_compare(&first, &other, &position, &difference));
    position = 0;
    assert_false(bm_number_header_compare(&first, &first, &position, &difference));
}

static void test_header_takes_no_more_than_it_can(void **state) {
    (void)state;
    struct bm_number_header header;
    char name[BM_MARK_MAX_NAME + 1];
    char value[BM_MARK_MAX_VALUE + 1];
    bm_number_header_begin(&header);
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        name[0] = (char)('0' + i % 10);
        name[1] = (char)('0' + i / 10);
        take(&header, name, value, true);
    }
    assert_int_equal(header.n_fields, BM_NUMBER_HEADER_FIELDS);
    assert_int_equal(strlen(header.fields[0].name), BM_NUMBER_HEADER_NAME - 1);
    assert_int_equal(strlen(header.fields[0].value), BM_NUMBER_HEADER_VALUE - 1);
}

/* A later document's Iteration: digits that agree from the left stay. */
static void test_number_keeps_what_agrees(void **state) {
    (void)state;
    struct bm_number *number = calloc(1, sizeof *number);
    struct bm_script *edits = calloc(1, sizeof *edits);
    struct bm_mark_list *marks = calloc(1, sizeof *marks);
    struct bm_batch batch;
    assert_non_null(number);
    assert_non_null(edits);
    assert_non_null(marks);
    memset(&batch, 0, sizeof batch);
    bm_number_open(number, NULL, BLASTMERGE_QUERY_IDS_KEEP, false);
    number->now.style = bm_number_style_of(BLASTMERGE_FORMAT_XML);
    number->now.n_iterations = 1233;
    number->now.is_in_fragment = true;
    marks->entries[0] = (struct bm_mark_entry){.kind = BM_MARK_ITERATION, .offset = 100};
    marks->entries[1] = (struct bm_mark_entry){
        .kind = BM_MARK_NUMBER, .flags = BM_MARK_DIGITS, .offset = 130, .end = 133, .value = 129};
    marks->n_entries = 2;
    bm_number_take(number, marks, &batch, 0, edits);
    assert_int_equal(edits->n_edits, 3);
    assert_int_equal(edits->edits[0].kind, BM_EDIT_INSERT);
    assert_int_equal(edits->edits[0].offset, 132);
    assert_int_equal(edits->edits[0].n_insert, 2);
    assert_memory_equal(edits->edits[0].insert, "34", 2);
    assert_int_equal(edits->edits[1].kind, BM_EDIT_DROP);
    assert_int_equal(edits->edits[1].offset, 132);
    assert_int_equal(edits->edits[2].kind, BM_EDIT_KEEP);
    assert_int_equal(edits->edits[2].offset, 133);
    free(number);
    free(edits);
    free(marks);
}

static void test_edit_list_compacts(void **state) {
    (void)state;
    static const char constant[] = "constant";
    struct bm_script *edits = calloc(1, sizeof *edits);
    assert_non_null(edits);
    memcpy(edits->text, "onetwothree", 11);
    edits->n_text = 11;
    edits->n_edits = 4;
    edits->edits[0] =
        (struct bm_edit){.offset = 1, .kind = BM_EDIT_INSERT, .n_insert = 3, .insert = edits->text};
    edits->edits[1] =
        (struct bm_edit){.offset = 2, .kind = BM_EDIT_INSERT, .n_insert = 3, .insert = edits->text + 3};
    edits->edits[2] =
        (struct bm_edit){.offset = 3, .kind = BM_EDIT_INSERT, .n_insert = 8, .insert = constant};
    edits->edits[3] =
        (struct bm_edit){.offset = 4, .kind = BM_EDIT_INSERT, .n_insert = 5, .insert = edits->text + 6};
    edits->position = 1;
    bm_script_compact(edits);
    assert_int_equal(edits->n_edits, 3);
    assert_int_equal(edits->position, 0);
    assert_int_equal(edits->n_text, 8);
    assert_memory_equal(edits->edits[0].insert, "two", 3);
    assert_ptr_equal(edits->edits[1].insert, constant);
    assert_memory_equal(edits->edits[2].insert, "three", 5);
    edits->position = 3;
    bm_script_compact(edits);
    assert_int_equal(edits->n_edits, 0);
    assert_int_equal(edits->n_text, 0);
    free(edits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural_order),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_header_takes_no_more_than_it_can),
        cmocka_unit_test(test_number_keeps_what_agrees),
        cmocka_unit_test(test_edit_list_compacts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
