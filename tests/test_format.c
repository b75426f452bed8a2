/* SPDX-License-Identifier: MIT */
/* The rows of the formats: what each must have, and what must not be in two of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "format/format.h"

#include <string.h>

static void test_rows(void **state) {
    (void)state;
    for (int i = BLASTMERGE_FORMAT_XML; i <= (int)bm_format_last(); i++) {
        const struct bm_format *row = bm_format_of((enum blastmerge_format)i);
        enum blastmerge_format found;
        assert_non_null(row->name);
        assert_non_null(row->title);
        assert_true(bm_format_find(row->name, &found) && (int)found == i);
        assert_string_equal(blastmerge_format_name(found), row->name);
        assert_int_equal(row->ending != NULL, row->media_type != NULL);
        assert_int_equal(row->program != NULL, row->psiblast != NULL);
        assert_true(row->outfmt > 0);
        assert_non_null(row->service.name);
        assert_non_null(row->service.supported_outfmt);
        assert_non_null(row->service.precision_level);
        assert_non_null(row->service.assembly);
        assert_non_null(row->service.kind);
        /* The first column, an archive, or named parts say which query it is; a count comes from the result itself. */
        bool has_names = row->separator != '\0' || row->has_archives;
        assert_true(has_names || (row->query.id != NULL && row->query.before_hits != NULL));
        assert_true(row->query.title == NULL || row->query.end != '\0');
        assert_true(!row->has_comments || row->separator != '\0');
        for (int other = BLASTMERGE_FORMAT_XML; other < i; other++) {
            const struct bm_format *before = bm_format_of((enum blastmerge_format)other);
            assert_int_not_equal(before->outfmt, row->outfmt);
            assert_string_not_equal(before->service.name, row->service.name);
            if (row->ending != NULL && before->ending != NULL)
                assert_string_not_equal(before->ending, row->ending);
        }
    }
}

static void test_kinds(void **state) {
    static const struct {
        enum blastmerge_format format;
        bool is_table, is_bare;
    } cases[] = {
        {BLASTMERGE_FORMAT_AUTO, false, false},     {BLASTMERGE_FORMAT_XML, false, false},
        {BLASTMERGE_FORMAT_XML2, false, false},     {BLASTMERGE_FORMAT_JSON, false, false},
        {BLASTMERGE_FORMAT_COMMENTED, true, false}, {BLASTMERGE_FORMAT_TABULAR, true, true},
        {BLASTMERGE_FORMAT_CSV, true, true},        {BLASTMERGE_FORMAT_ARCHIVE, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(bm_format_is_table(cases[i].format), cases[i].is_table);
        assert_int_equal(bm_format_is_bare_table(cases[i].format), cases[i].is_bare);
    }
}

static void test_others(void **state) {
    enum blastmerge_format format = BLASTMERGE_FORMAT_XML;
    (void)state;
    assert_true(bm_format_is_known(bm_format_last()));
    assert_false(bm_format_is_known((enum blastmerge_format)(bm_format_last() + 1)));
    assert_false(bm_format_is_known((enum blastmerge_format) - 1));
    assert_false(bm_format_find("blast_xml", &format));
    assert_int_equal(format, BLASTMERGE_FORMAT_AUTO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
