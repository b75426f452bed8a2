/* SPDX-License-Identifier: MIT */
/*
 * The scanner: what it tells of headers and encodings, how much of each thing it takes, and its life from
 * open to close.
 */
#include "test_mark.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- fields ---------------------------------------------------------------------------------- */

static uint64_t hash_field(const char *name, const char *value) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i <= strlen(name); i++) hash = (hash ^ (uint8_t)name[i]) * 1099511628211u;
    for (size_t i = 0; i < strlen(value); i++) hash = (hash ^ (uint8_t)value[i]) * 1099511628211u;
    return hash;
}

static const struct bm_mark_field *field_at(const struct trace *trace, size_t i) {
    assert_true((i + 1) * sizeof(struct bm_mark_field) <= trace->fields.n_data);
    return (const struct bm_mark_field *)(const void *)trace->fields.data + i;
}

static void check_field(const struct trace *trace, size_t i, const char *name, const char *value,
                        bool is_parameter) {
    const struct bm_mark_field *field = field_at(trace, i);
    assert_string_equal(field->name, name);
    assert_string_equal(field->value, value);
    assert_int_equal(field->n_value, strlen(value));
    assert_int_equal(field->is_parameter, is_parameter);
    assert_false(field->is_cut);
    assert_true(field->hash == hash_field(name, value));
}

static void test_fields(void **state) {
    struct bytes text = {0};
    (void)state;
    add_text(&text,
             "<BlastOutput><p>1</p> <q/><BlastOutput_param> <e>&lt;<!-- x --><![CDATA[<]]><?y?> \303\244</e>"
             "<P><f>2</f>3</P><BlastOutput_param/></BlastOutput_param><g>\n</g><BlastOutput_param></"
             "BlastOutput_param>"
             "<BlastOutput_iterations/><later>4</later></BlastOutput>");
    struct trace trace = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    check_field(&trace, 0, "p", "1", false);
    check_field(&trace, 1, "q", "", false);
    check_field(&trace, 2, "e", "&lt;<!-- x --><![CDATA[<]]><?y?> \303\244", true);
    check_field(&trace, 3, "f", "2", true);
    check_field(&trace, 4, "BlastOutput_param", "", true);
    check_field(&trace, 5, "g", "\n", false);
    check_field(&trace, 6, "BlastOutput_param", "", false);
    assert_int_equal(trace.fields.n_data, 7 * sizeof(struct bm_mark_field));
    free_trace(&trace);
    free_bytes(&text);
}

static struct trace scan_field_of(size_t n_value) {
    struct bytes text = {0};
    add_text(&text, "<BlastOutput><a>");
    add_repeated(&text, "x", n_value);
    add_text(&text, "</a><BlastOutput_iterations/></BlastOutput>");
    struct trace trace = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    free_bytes(&text);
    return trace;
}

static void test_long_fields(void **state) {
    (void)state;
    struct trace fits = scan_field_of(BM_MARK_MAX_VALUE);
    struct trace cut = scan_field_of(BM_MARK_MAX_VALUE + 1);
    struct trace longer = scan_field_of(BM_MARK_MAX_VALUE + 2);
    assert_false(field_at(&fits, 0)->is_cut);
    assert_true(field_at(&cut, 0)->is_cut && field_at(&longer, 0)->is_cut);
    assert_int_equal(field_at(&fits, 0)->n_value, BM_MARK_MAX_VALUE);
    assert_string_equal(field_at(&fits, 0)->value, field_at(&cut, 0)->value);
    assert_string_equal(field_at(&cut, 0)->value, field_at(&longer, 0)->value);
    assert_true(field_at(&fits, 0)->hash != field_at(&cut, 0)->hash);
    assert_true(field_at(&cut, 0)->hash != field_at(&longer, 0)->hash);
    free_trace(&fits);
    free_trace(&cut);
    free_trace(&longer);
}

/* --- encodings ------------------------------------------------------------------------------- */

/* The character that the byte 0xa4 is in an encoding; 0: none, or the encoding is not read. */
static uint64_t decode_with(const char *encoding, const char *byte) {
    struct bytes text = {0};
    uint64_t value = 0;
    add_text(&text, "<?xml version='1.0' encoding='");
    add_text(&text, encoding);
    add_text(&text, "'?><BlastOutput><BlastOutput_iterations/>");
    add_text(&text, byte);
    add_text(&text, "</BlastOutput>");
    struct trace trace = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    for (size_t i = 0; trace.status == BLASTMERGE_OK && i < n_marks(&trace); i++) {
        if (mark_at(&trace, i)->kind == BM_MARK_CHARACTER) value = mark_at(&trace, i)->value;
    }
    free_trace(&trace);
    free_bytes(&text);
    return value;
}

static void test_encodings(void **state) {
    static const char *const latin1[] = {"ISO-8859-1", "iso-8859-1", "ISO_8859-1", "latin1",
                                         "Latin-1",    "L1",         "IBM819",     "CP819",
                                         "iso-ir-100", "ISO8859-1",  "csISOLatin1"};
    static const char *const latin9[] = {"ISO-8859-15", "ISO_8859-15", "Latin-9", "LATIN9", "csISO885915"};
    static const char *const cp1252[] = {"windows-1252", "Windows-1252", "CP1252", "csWindows1252"};
    static const char *const ascii[] = {"US-ASCII",  "ASCII",  "us",   "ANSI_X3.4-1968",
                                        "ISO646-US", "IBM367", "cp367"};
    static const char *const others[] = {"UTF-16", "UTF-7",        "ISO-8859-2", "KOI8-R",
                                         "x",      "ISO-8859-150", "UTF-8x"};
    (void)state;
    for (size_t i = 0; i < sizeof latin1 / sizeof latin1[0]; i++)
        assert_int_equal(decode_with(latin1[i], "\x80"), 0x80);
    for (size_t i = 0; i < sizeof latin9 / sizeof latin9[0]; i++)
        assert_int_equal(decode_with(latin9[i], "\xa4"), 0x20ac);
    for (size_t i = 0; i < sizeof cp1252 / sizeof cp1252[0]; i++)
        assert_int_equal(decode_with(cp1252[i], "\x80"), 0x20ac);
    for (size_t i = 0; i < sizeof ascii / sizeof ascii[0]; i++) {
        assert_int_equal(bm_mark_xml_find_encoding(ascii[i], strlen(ascii[i])), BM_ENCODING_ASCII);
        assert_int_equal(decode_with(ascii[i], "\x80"), 0);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(bm_mark_xml_find_encoding(others[i], strlen(others[i])), BM_ENCODING_OTHER);
    }
    for (unsigned byte = 0x80; byte < 0xa0; byte++) {
        bool is_undefined = byte == 0x81 || byte == 0x8d || byte == 0x8f || byte == 0x90 || byte == 0x9d;
        assert_int_equal(bm_mark_xml_decode(BM_ENCODING_CP1252, (uint8_t)byte) == 0, is_undefined);
    }
}

/* --- ceilings -------------------------------------------------------------------------------- */

/* The status of a document that has something n times, and what it says. */
static enum blastmerge_status scan_repeated(const char *before, const char *repeated, size_t n,
                                            const char *after, char message[1024]) {
    struct bytes text = {0};
    add_text(&text, before);
    add_repeated(&text, repeated, n);
    add_text(&text, after);
    struct trace expected = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    check_split(&text, whole, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
    check_split(&text, (struct split){0, 1, {0}}, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
    enum blastmerge_status status = expected.status;
    strcpy(message, status == BLASTMERGE_OK ? "" : expected.error.message);
    free_trace(&expected);
    free_bytes(&text);
    return status;
}

static void check_ceiling(const char *before, const char *repeated, size_t limit, const char *after,
                          const char *expected) {
    char message[1024];
    if (scan_repeated(before, repeated, limit, after, message) != BLASTMERGE_OK)
        fail_msg("%s: %s", expected, message);
    assert_int_equal(scan_repeated(before, repeated, limit + 1, after, message), BLASTMERGE_DATA);
    if (strstr(message, expected) == NULL) fail_msg("%s: %s", expected, message);
}

static void test_ceilings(void **state) {
    (void)state;
    check_ceiling(HEAD "<", "n", BM_MARK_MAX_NAME, "/>" TAIL, "longer than 256 bytes");
    check_ceiling(HEAD "<a ", "n", BM_MARK_MAX_NAME, "='1'/>" TAIL, "longer than 256 bytes");
    check_ceiling(HEAD "<?", "n", BM_MARK_MAX_NAME, "?>" TAIL, "longer than 256 bytes");
    check_ceiling("<!DOCTYPE ", "n", BM_MARK_MAX_NAME, ">" NO_HITS, "longer than 256 bytes");
    check_ceiling(HEAD "<", "\303\244", BM_MARK_MAX_NAME / 2, "/>" TAIL, "longer than 256 bytes");
    check_ceiling("<?xml version='1.0'", " ", BM_MARK_MAX_DECLARATION - 21, "?>" NO_HITS,
                  "longer than 1024 bytes");
    check_ceiling("<BlastOutput><BlastOutput_iterations/><BlastOutput_mbstat>", "m", BM_MARK_MAX_HOLD - 41,
                  "</BlastOutput_mbstat></BlastOutput>", "longer than 8192 bytes");
}

static void test_depth(void **state) {
    char message[1024];
    struct bytes deep = {0};
    (void)state;
    for (unsigned beyond = 0; beyond < 2; beyond++) {
        size_t n = BM_MARK_MAX_DEPTH - 4 + beyond; /* in a Hit, the fourth */
        deep.n_data = 0;
        add_repeated(&deep, "<d>", n);
        add_repeated(&deep, "</d>", n);
        add_text(&deep, TAIL);
        add_bytes(&deep, "", 1);
        enum blastmerge_status status = scan_repeated(HEAD, "\n", 500, (const char *)deep.data, message);
        assert_int_equal(status, beyond == 0 ? BLASTMERGE_OK : BLASTMERGE_DATA);
        if (beyond > 0) assert_non_null(strstr(message, "nested deeper than 64"));
    }
    free_bytes(&deep);
}

static enum blastmerge_status scan_attributes(unsigned n, unsigned n_name, char message[1024]) {
    struct bytes tag = {0};
    add_text(&tag, "<a");
    for (unsigned i = 0; i < n; i++) {
        char attribute[BM_MARK_MAX_NAME + 8];
        snprintf(attribute, sizeof attribute, " a%0*u=''", (int)n_name - 1, i);
        add_text(&tag, attribute);
    }
    add_text(&tag, "/>" TAIL);
    add_bytes(&tag, "", 1);
    enum blastmerge_status status = scan_repeated(HEAD, "\n", 500, (const char *)tag.data, message);
    free_bytes(&tag);
    return status;
}

static void test_attribute_ceilings(void **state) {
    char message[1024];
    (void)state;
    assert_int_equal(scan_attributes(BM_MARK_MAX_ATTRIBUTES, 5, message), BLASTMERGE_OK);
    assert_int_equal(scan_attributes(BM_MARK_MAX_ATTRIBUTES + 1, 5, message), BLASTMERGE_DATA);
    assert_non_null(strstr(message, "more than 64 attributes"));
    assert_int_equal(scan_attributes(16, 256, message), BLASTMERGE_OK);
    assert_int_equal(scan_attributes(17, 256, message), BLASTMERGE_DATA);
    assert_non_null(strstr(message, "4096 bytes"));
}

/* Where the body begins, and where the last tag's indentation does, behind and before n blanks. */
static void check_indentation(size_t n, size_t body, size_t indentation) {
    static const char head[] = "<BlastOutput><BlastOutput_iterations>";
    struct bytes text = {0};
    struct trace trace;
    add_text(&text, head);
    add_repeated(&text, "\t", n - 1);
    add_text(&text, "\nx");
    add_repeated(&text, " ", n);
    add_text(&text, "</BlastOutput_iterations></BlastOutput>");
    trace = scan(&text, (struct split){0, 1, {0}}, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    assert_int_equal(mark_at(&trace, 3)->kind, BM_MARK_BODY);
    assert_int_equal(mark_at(&trace, 3)->offset, sizeof head - 1 + body);
    assert_int_equal(mark_at(&trace, 4)->kind, BM_MARK_ITERATIONS_END);
    assert_int_equal(mark_at(&trace, 4)->end, sizeof head - 1 + 2 * n + 1);
    assert_int_equal(mark_at(&trace, 4)->offset, sizeof head - 1 + 2 * n + 1 - indentation);
    free_trace(&trace);
    free_bytes(&text);
}

static void test_indentation(void **state) {
    (void)state;
    check_indentation(2, 2, 2);
    check_indentation(BM_MARK_MAX_INDENTATION, BM_MARK_MAX_INDENTATION, BM_MARK_MAX_INDENTATION);
    check_indentation(BM_MARK_MAX_INDENTATION + 1, 0, 0);
    check_indentation(20000, 0, 0);
}

/* --- a scanner's life ------------------------------------------------------------------------ */

/* After an error every step says the same again; after a reset nothing is left. */
static void test_reset(void **state) {
    static const char bad[] = HEAD "<a></b>";
    static const char good[] = NO_HITS;
    struct bm_memory memory;
    struct bm_mark *mark = NULL;
    struct bm_mark_list list = {.n_entries = 0};
    struct blastmerge_error error;
    size_t n_used = 0;
    (void)state;
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_ERROR), BLASTMERGE_OK);
    for (int i = 0; i < 3; i++) {
        memset(&error, 0, sizeof error);
        assert_int_equal(bm_mark_step(mark, (const uint8_t *)bad, sizeof bad - 1, &n_used, &list, &error),
                         BLASTMERGE_DATA);
        assert_int_equal(error.text_offset, sizeof bad - 1 - 4);
        assert_int_equal(n_used, i == 0 ? sizeof bad - 2 : 0);
    }
    assert_int_equal(bm_mark_finish(mark, &list, &error), BLASTMERGE_DATA);
    bm_mark_reset(mark);
    assert_int_equal(bm_mark_counts(mark)->n_documents, 0);
    assert_int_equal(bm_mark_safe(mark), 0);
    list.n_entries = 0;
    assert_int_equal(bm_mark_step(mark, (const uint8_t *)good, sizeof good - 1, &n_used, &list, &error),
                     BLASTMERGE_OK);
    assert_int_equal(bm_mark_finish(mark, &list, &error), BLASTMERGE_OK);
    assert_int_equal(bm_mark_counts(mark)->n_documents, 1);
    bm_mark_close(mark, &memory);
    bm_mark_close(NULL, &memory);
    assert_int_equal(memory.n_bytes, 0);
}

static void *allocate_nothing(void *context, size_t n_bytes) {
    (void)context;
    (void)n_bytes;
    return NULL;
}

static void release_nothing(void *context, void *memory) {
    (void)context;
    assert_null(memory);
}

static void test_no_memory(void **state) {
    struct bm_memory memory;
    struct bm_mark *mark = NULL;
    (void)state;
    bm_memory_open(&memory, &(struct blastmerge_allocator){NULL, allocate_nothing, release_nothing});
    assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_ERROR), BLASTMERGE_NO_MEMORY);
    assert_null(mark);
    bm_mark_close(mark, &memory);
}

static void test_memory_and_ways(void **state) {
    struct bm_memory memory;
    struct bm_mark *mark = NULL;
    (void)state;
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_ERROR), BLASTMERGE_OK);
    assert_true(memory.n_bytes < 52 * 1024);
    bm_mark_close(mark, &memory);
    assert_true(way_exists(bm_mark_implementation()) && way_exists("portable") && way_exists("bytes"));
    assert_false(way_exists("no way"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),      cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_encodings),   cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_depth),       cmocka_unit_test(test_attribute_ceilings),
        cmocka_unit_test(test_indentation), cmocka_unit_test(test_reset),
        cmocka_unit_test(test_no_memory),   cmocka_unit_test(test_memory_and_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
