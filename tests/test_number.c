/* SPDX-License-Identifier: MIT */
/* number: header comparison, and edits from marks. What a merge makes of them is tested end to
 * end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "number/header.h"
#include "number/number.h"

#include <stdlib.h>
#include <string.h>

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
    struct bm_script *script = calloc(1, sizeof *script);
    struct bm_mark_list *marks = calloc(1, sizeof *marks);
    struct bm_batch batch;
    assert_non_null(number);
    assert_non_null(script);
    assert_non_null(marks);
    memset(&batch, 0, sizeof batch);
    bm_number_open(number, NULL, BLASTMERGE_QUERY_IDS_KEEP, false);
    number->now.format = bm_format_of(BLASTMERGE_FORMAT_XML);
    number->now.n_iterations = 1233;
    number->now.is_in_fragment = true;
    marks->entries[0] = (struct bm_mark_entry){.kind = BM_MARK_ITERATION, .offset = 100};
    marks->entries[1] = (struct bm_mark_entry){
        .kind = BM_MARK_NUMBER, .flags = BM_MARK_DIGITS, .offset = 130, .end = 133, .value = 129};
    marks->n_entries = 2;
    bm_script_start(script, 0);
    bm_script_begin(script);
    bm_number_take(number, marks, &batch, 0, script);
    assert_int_equal(script->n_entries, 4);
    assert_int_equal(script->entries[0].kind, BM_SCRIPT_BEGIN);
    assert_int_equal(script->entries[1].kind, BM_SCRIPT_TAKE);
    assert_int_equal(script->entries[1].offset, 132);
    assert_int_equal(script->entries[2].kind, BM_SCRIPT_INSERT);
    assert_int_equal(script->entries[2].n_text, 2);
    assert_memory_equal(script->entries[2].text, "34", 2);
    assert_int_equal(script->entries[3].kind, BM_SCRIPT_SKIP);
    assert_int_equal(script->entries[3].offset, 133);
    assert_true(script->is_taking);
    free(number);
    free(script);
    free(marks);
}

/* Entries that were taken are forgotten, with copies of their text; text that lies elsewhere stays there. */
static void test_script_compacts(void **state) {
    (void)state;
    static const char constant[] = "constant";
    struct bm_script *script = calloc(1, sizeof *script);
    assert_non_null(script);
    bm_script_start(script, 0);
    bm_script_insert_copy(script, "one", 3);
    bm_script_insert_copy(script, "two", 3);
    bm_script_insert(script, constant, sizeof constant - 1);
    bm_script_insert_copy(script, "three", 5);
    assert_int_equal(script->n_entries, 4);
    assert_int_equal(script->n_text, 11);
    script->position = 1;
    bm_script_compact(script);
    assert_int_equal(script->n_entries, 3);
    assert_int_equal(script->position, 0);
    assert_int_equal(script->n_text, 8);
    assert_memory_equal(script->entries[0].text, "two", 3);
    assert_ptr_equal(script->entries[1].text, constant);
    assert_memory_equal(script->entries[2].text, "three", 5);
    script->position = 3;
    bm_script_compact(script);
    assert_int_equal(script->n_entries, 0);
    assert_int_equal(script->n_text, 0);
    free(script);
}

static void assert_entry(const struct bm_script *script, size_t i, enum bm_script_kind kind, unsigned child,
                         uint64_t offset) {
    assert_true(i < script->n_entries);
    assert_int_equal(script->entries[i].kind, kind);
    assert_int_equal(script->entries[i].child, child);
    assert_int_equal(script->entries[i].offset, offset);
}

/* The last entry reaches further until another one follows, or it has been taken. */
static void test_script_goes_on(void **state) {
    (void)state;
    struct bm_script *script = calloc(1, sizeof *script);
    assert_non_null(script);
    bm_script_start(script, 3);
    bm_script_go(script, 10);
    bm_script_go(script, 20);
    bm_script_begin(script);
    bm_script_go(script, 30);
    bm_script_go(script, 40);
    bm_script_stop(script);
    bm_script_go(script, 50);
    bm_script_resume(script);
    bm_script_stop(script); /* another stretch, right behind */
    bm_script_go(script, 60);
    bm_script_resume(script);
    bm_script_catch_up(script, 55); /* it is beyond that */
    assert_int_equal(script->n_entries, 4);
    assert_entry(script, 0, BM_SCRIPT_SKIP, 3, 20);
    assert_entry(script, 1, BM_SCRIPT_BEGIN, 3, 20);
    assert_entry(script, 2, BM_SCRIPT_TAKE, 3, 40);
    assert_entry(script, 3, BM_SCRIPT_SKIP, 3, 60);
    bm_script_take(script, 70);
    script->position = 5;
    bm_script_take(script, 80);
    bm_script_turn(script, 4, 7);
    bm_script_take(script, 7);
    bm_script_take(script, 9);
    bm_script_end(script);
    bm_script_go(script, 11);
    assert_int_equal(script->n_entries, 9);
    assert_entry(script, 4, BM_SCRIPT_TAKE, 3, 70);
    assert_entry(script, 5, BM_SCRIPT_TAKE, 3, 80);
    assert_entry(script, 6, BM_SCRIPT_TAKE, 4, 9);
    assert_entry(script, 7, BM_SCRIPT_END, 4, 9);
    assert_entry(script, 8, BM_SCRIPT_SKIP, 4, 11);
    free(script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_header_takes_no_more_than_it_can),
        cmocka_unit_test(test_number_keeps_what_agrees),
        cmocka_unit_test(test_script_compacts),
        cmocka_unit_test(test_script_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
