/* SPDX-License-Identifier: MIT */
/*
 * The scanner of archives: each rule with the place of its error, marks, fields, ceilings; all of it in every
 * split; and against a slow reader.
 */
#include "test_mark_archive.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_split_of_archive(const struct bytes *text, struct split split,
                                   const struct trace *expected) {
    check_split_as(BLASTMERGE_FORMAT_ARCHIVE, text, split, BLASTMERGE_INVALID_UTF8_ERROR, expected);
}

static void check_splits(const struct bytes *text) {
    struct trace expected = scan_archive(text, whole, "bytes");
    for (size_t size = 1; size <= 9; size++)
        check_split_of_archive(text, (struct split){0, size, {0}}, &expected);
    for (size_t first = 1; first < text->n_data; first++)
        check_split_of_archive(text, (struct split){first, SIZE_MAX, {0}}, &expected);
    free_trace(&expected);
}

/* --- rules --------------------------------------------------------------------------------------- */

/* '@' marks the place of the error, and is no part of the text. Without a message it is fine. */
struct rule {
    const char *text;
    const char *message;
};

#define QUERY   "seq { id { local str \"Query_1\" }, inst { repr raw, mol aa, length 3 } }"
#define QUERIES "queries bioseq-set { seq-set { " QUERY " } }"
#define SEARCH  "program \"blastp\", service \"plain\", " QUERIES ", subject database \"nr\""
#define REQUEST "request { ident \"2.12.0+\", body queue-search { " SEARCH " } }"
#define RESULTS "results { alignments { } }"
#define ARCHIVE "Blast4-archive ::= { " REQUEST ", " RESULTS " }\n"

/* Elements among a result's statistics. */
static const struct rule elements[] = {
    {"\"\"", NULL},
    {"\"a \"\"b\"\" c\"", NULL},
    {"\"\"\"\"", NULL},
    {"\"broken\nin \r\n two\"", NULL},
    {"\"\xc3\xa9\xff\t\x7f\"", NULL},
    {"0", NULL},
    {"-0", NULL},
    {"-12", NULL},
    {"123456789012345678901234567890", NULL},
    {"TRUE", NULL},
    {"a FALSE", NULL},
    {"NULL", NULL},
    {"x-Y9 PLUS-INFINITY", NULL},
    {"MINUS-INFINITY", NULL},
    {"NOT-A-NUMBER", NULL},
    {"''H", NULL},
    {"'01'B", NULL},
    {"''B", NULL},
    {"'0AF\n9'H", NULL},
    {"a b c", NULL},
    {"a", NULL},
    {"a { }", NULL},
    {"{ }", NULL},
    {"{ { 1, 2 }, \"\" }", NULL},
    {"a b { c 1 , d { e } }", NULL},
    {"a-b1-c \"\"", NULL},
    {"@", "an element was expected here, not '}'"},
    {"1,@", "an element was expected here, not '}'"},
    {"@,", "an element was expected here, not ','"},
    {"1,@,2", "an element was expected here, not ','"},
    {"1 @2", "',' or '}' after a value was expected here, not '2'"},
    {"1@a", "',' or '}' after a value was expected here, not 'a'"},
    {"1@\"\"", "',' or '}' after a value"},
    {"1@'0'H", "',' or '}' after a value"},
    {"1@{}", "',' or '}' after a value"},
    {"1@-2", "',' or '}' after a value"},
    {"1@.5", "',' or '}' after a value was expected here, not '.'"},
    {"0@1", "leading zero"},
    {"-0@1", "leading zero"},
    {"-@a", "a number's digit was expected here, not 'a'"},
    {"-@-1", "a number's digit"},
    {"-@ 1", "a number's digit was expected here, not"},
    {"\"a\" @\"b\"", "',' or '}' after a value was expected here, not '\"'"},
    {"\"a\"@b", "',' or '}'"},
    {"\"a@\x01\"", "a string's text or its '\"' was expected here, not the byte 0x01"},
    {"'@g'H", "a hexadecimal digit or \"'\" was expected here, not 'g'"},
    {"'@a'H", "a hexadecimal digit"},
    {"'0@ 1'H", "a hexadecimal digit or \"'\" was expected here, not a blank"},
    {"'02'@B", "H after hexadecimal digits was expected here, not 'B'"},
    {"'01'@X", "H or B after bits was expected here, not 'X'"},
    {"'01'@ H", "H or B after bits"},
    {"a-@-b", "a letter or digit after a word's hyphen was expected here, not '-'"},
    {"a-@ b", "a letter or digit after a word's hyphen"},
    {"a @_", "a value, or ',' or '}' after an element, was expected here, not '_'"},
    {"a@:", "a value, or"},
    {"@:", "an element was expected here, not ':'"},
    {"-@-", "a number's digit"},
    {"@[", "an element"},
    {"@\xc3\xa9", "not the byte 0xc3"},
    {"@True", "\"True\" here begins with a capital, but is none of ASN.1's values"},
    {"@TRUE1", "\"TRUE1\" here begins with a capital"},
    {"@TRUE-", "\"TRUE-\" here begins with a capital"},
    {"@T", "\"T\" here begins with a capital"},
    {"@MINUS-INFINITY-AND-MORE", "\"MINUS-INFINITY-A\" here begins with a capital"},
    {"a @Local str", "\"Local\" here begins with a capital"},
    {"TRUE @FALSE", "',' or '}' after a value was expected here, not 'F'"},
    {"{ } @{ }", "',' or '}' after a value was expected here, not '{'"},
    {"{ } @a", "',' or '}' after a value"},
};

/* Whole texts. */
static const struct rule texts[] = {
    {ARCHIVE, NULL},
    {ARCHIVE ARCHIVE, NULL},
    {"\n  " ARCHIVE "\n\n", NULL},
    {"Blast4-archive ::= { " REQUEST ", " RESULTS " } " ARCHIVE, NULL},
    {"Blast4-archive ::= { " REQUEST ", " RESULTS ", messages { } }", NULL},
    {"Blast4-archive\n::=\n{ " REQUEST ", " RESULTS " }", NULL},
    {"@<", "a BLAST archive, \"Blast4-archive ::= {\", was expected here, not '<'"},
    {"@\xef\xbb\xbf" ARCHIVE, "not the byte 0xef"},
    {"@Blast4-request ::= {", "\"Blast4-archive ::= {\" was expected here"},
    {"@BLAST", "\"Blast4-archive ::= {\" was expected here"},
    {"@Blast4-archive :=", "\"Blast4-archive ::= {\" was expected here"},
    {"Blast4-archive ::= @\"", "an archive's '{' was expected here, not '\"'"},
    {ARCHIVE "@x", "the end, or another archive's \"Blast4-archive ::= {\", was expected here, not 'x'"},
    {"Blast4-archive ::= { results @{", "\"request {\" was expected before here"},
    {"Blast4-archive ::= { " REQUEST ", request @{", "\"results {\" was expected before here"},
    {"Blast4-archive ::= { " REQUEST ", messages @{", "\"results {\" was expected before here"},
    {"Blast4-archive ::= { " REQUEST ", " RESULTS ", more @{",
     "\"messages {\" or the archive's '}' was expected"},
    {"Blast4-archive ::= { " REQUEST ", " RESULTS ", messages { }, messages @{",
     "the archive's '}' was expected"},
    {"Blast4-archive ::= { request @\"x\"", "\"request {\" was expected before here"},
    {"Blast4-archive ::= { request@, ", "\"request {\" was expected before here"},
    {"Blast4-archive ::= { @}", "the archive ends without a \"request\""},
    {"Blast4-archive ::= { " REQUEST " @}", "the archive ends without \"results\""},
    {"Blast4-archive ::= { request { @}", "the request ends without \"body queue-search\""},
    {"Blast4-archive ::= { request { body get-search-results @{",
     "the request is \"body get-search-results\", but \"body queue-search\" was expected"},
    {"Blast4-archive ::= { request { aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggggggggh "
     "iiii @{",
     "the request is \"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg\""},
    {"Blast4-archive ::= { request { body queue-search { " QUERIES " @}",
     "the request ends without a \"program\""},
    {"Blast4-archive ::= { request { body queue-search { program \"x\" @}",
     "the request ends without \"queries\""},
    {"Blast4-archive ::= { request { body queue-search { " QUERIES ", queries bioseq-set @{",
     "there is a second \"queries bioseq-set\""},
    {"Blast4-archive ::= { request { body queue-search { " QUERIES ", queries pssm @{",
     "there is a second \"queries pssm\""},
    {"Blast4-archive ::= { request { body queue-search { " SEARCH " }, body queue-search @{",
     "there is a second \"body queue-search\""},
    {"Blast4-archive ::= { request { body queue-search { queries bioseq-set { seq-set { seq { @}",
     "a query ends without an \"id\""},
    {"Blast4-archive ::= { request { body queue-search { queries bioseq-set { seq-set { seq { id { } @}",
     "a query ends without an \"inst\""},
    {"Blast4-archive ::= { " REQUEST ", results { alignments { }, alignments @{",
     "there is a second \"alignments\""},
    {"Blast4-archive ::= { " REQUEST ", " RESULTS " @", "the text ends in an archive: it is cut short"},
    {"Blast4-archive ::= { request { ident \"2@", "the text ends in a string: it is cut short"},
    {"Blast4-archive ::= { request { ident \"2\"@", "the text ends in a string: it is cut short"},
    {"Blast4-archive ::= { request { ident '0@", "the text ends in a string of bits: it is cut short"},
    {"Blast4-arch@", "the text ends in an archive's first line: it is cut short"},
    {ARCHIVE "Blast4-archive ::=@", "the text ends in an archive's first line: it is cut short"},
    {"  @", "the text ends before an archive: it is cut short"},
};

static void check_text(const char *before, const struct rule *rule, const char *behind) {
    struct bytes text = {0};
    const char *place = strchr(rule->text, '@');
    size_t n = place == NULL ? strlen(rule->text) : (size_t)(place - rule->text);
    add_text(&text, before);
    add_bytes(&text, rule->text, n);
    uint64_t at = text.n_data;
    if (place != NULL) add_text(&text, place + 1);
    add_text(&text, behind);
    struct trace trace = scan_archive(&text, whole, "bytes");
    if (rule->message == NULL) {
        if (trace.status != BLASTMERGE_OK) fail_msg("%s: %s", rule->text, trace.error.message);
        assert_true(is_asn1(&text));
    } else {
        if (trace.status != BLASTMERGE_DATA || trace.error.text_offset != at ||
            strstr(trace.error.message, rule->message) == NULL)
            fail_msg("%s: %d at %d, not %d: %s", rule->text, (int)trace.status, (int)trace.error.text_offset,
                     (int)at, trace.error.message);
        assert_true(is_about_archives(trace.error.message) || !is_asn1(&text));
    }
    free_trace(&trace);
    check_splits(&text);
    free_bytes(&text);
}

static void test_elements(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
        check_text("Blast4-archive ::= { " REQUEST ", results { search-stats { 7, ", &elements[i], "} } }\n");
}

static void test_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) check_text("", &texts[i], "");
}

/* --- marks --------------------------------------------------------------------------------------- */

/* One line for each mark: its kind, flags and value, and the text from it on, up to its end if it has one. */
static struct bytes list_marks(const struct bytes *text, const struct trace *trace) {
    struct bytes out = {0};
    for (size_t i = 0; i < n_marks(trace); i++) {
        const struct bm_mark_entry *entry = mark_at(trace, i);
        uint64_t n =
            entry->end > entry->offset && entry->kind != BM_MARK_FIELD ? entry->end - entry->offset : 5;
        if (entry->offset + n > text->n_data) n = text->n_data - entry->offset;
        if (entry->kind == BM_MARK_FIELD) n = 0;
        show_mark(&out, entry);
        add_bytes(&out, text->data + entry->offset, (size_t)n);
        add_text(&out, "\n");
    }
    add_bytes(&out, "", 1);
    return out;
}

static void check_marks(const char *text, const char *expected) {
    struct bytes bytes = {0};
    add_text(&bytes, text);
    struct trace trace = scan_archive(&bytes, whole, "bytes");
    if (trace.status != BLASTMERGE_OK) fail_msg("%s", trace.error.message);
    struct bytes list = list_marks(&bytes, &trace);
    assert_string_equal((const char *)list.data, expected);
    free_bytes(&list);
    free_trace(&trace);
    check_splits(&bytes);
    free_bytes(&bytes);
}

#define BEGIN    "{DOC b}Blast\n{ITERS=7}Blast\n{BODY}Blast\n{ARCHIVE}Blast\n"
#define FIELDS_4 "{FIELD}\n{FIELD}\n{FIELD}\n"
#define SEQ(id, more)                                                                                        \
    "seq { id { " id " }, descr { title \"t\" }, inst { repr raw, mol aa, length 3 }" more " }"
#define SEARCHED(queries)                                                                                    \
    "Blast4-archive ::= { request { ident \"2\", body queue-search { program \"p\", service \"s\", "         \
    "queries " queries ", subject database \"d\""
#define WITH(results) " } }, results { " results " } }\n"

static void test_marks(void **state) {
    (void)state;
    tells_queries = true;
    check_marks(SEARCHED("bioseq-set { seq-set { " SEQ("local str \"Query_1\"", "") ", " SEQ(
                    "gi 7", "") " } }") WITH("alignments { }"),
                BEGIN FIELDS_4
                "{ITER R}{ id \n{ID}Query_1\n{ITEREND}, seq\n{ITER}{ id \n{ID -}7 }, \n{ITEREND} } },\n"
                "{FIELD}\n{HEADER}, res\n{ARCEND}\n\n{ITERSEND n}\n{DOCEND}\n");
    /* alignments: of each the first id; masks; a subject of such a name */
    check_marks(
        SEARCHED("bioseq-set { seq-set { " SEQ(
            "local str \"Query_1\", local str \"Query_2\"",
            "") " } }") ", "
                        "program-options { { name \"LCaseMask\", value query-mask { locations { packed-int { "
                        "{ from 1, to 2, id "
                        "local str \"Query_1\" } } }, frame plus1 } } }" WITH(
                            "alignments { { type partial, score { }, segs denseg { ids { local str "
                            "\"Query_5\", local str "
                            "\"Query_6\" } } }, { segs std { { ids { local str \"Query_7\", local str \"x\" "
                            "}, loc { int { id local "
                            "str \"Query_8\" }, int { id local str \"Query_9\" } }, scores { } }, { loc { "
                            "empty local str "
                            "\"Query_10\", whole local str \"Query_11\" } } } }, { segs disc { { segs denseg "
                            "{ ids { local str "
                            "\"Query_12\" } } } } } }, masks { { locations { mix { int { id local str "
                            "\"Query_13\" } } } } }, pssm { "
                            "pssm { query seq { id { local str \"Query_14\" } } } }, other { id local str "
                            "\"Query_15\" }"),
        BEGIN FIELDS_4
        "{ITER R}{ id \n{ID}Query_1\n{ITEREND} } },\n{FIELD}\n{ROW}Query_1\n{HEADER}, res\n{ROW}Query_5\n"
        "{ROW}Query_7\n{ROW}Query_8\n{ROW}Query_10\n{ROW}Query_12\n{ROW}Query_13\n{ROW}Query_14\n"
        "{ARCEND=2}\n\n{ITERSEND n}\n{DOCEND}\n");
    /* a later round; ids that are no Query_N, are broken, or too long */
    check_marks(
        SEARCHED("pssm { pssm { query " SEQ("local str \"Query_1\"", "") " } }") WITH(
            "alignments { { segs denseg { ids { local str \"Query_x\" } } }, { segs denseg { ids { local "
            "str \"Que\nry_1\" } } }, { segs denseg { ids { local str \"lcl|Query_1\" } } } }"),
        BEGIN FIELDS_4
        "{ITER R}{ id \n{ID}Query_1\n{ITEREND} } },\n{FIELD}\n{ARCEND}\n\n{ITERSEND n}\n{DOCEND}\n");
    check_marks(SEARCHED("pssm { pssm { query " SEQ("local str \"a\"", "") " } }") WITH("")
                    SEARCHED("pssm { pssm { query " SEQ("local str \"a\"", "") " } }") WITH(""),
                BEGIN FIELDS_4
                "{ITER R}{ id \n{ID}a\n{ITEREND} } },\n{FIELD}\n{ARCEND}\nBlas\n{ARCHIVE}Blast\n" FIELDS_4
                "{ITER}{ id \n{ID}a\n{ITEREND} } },\n{FIELD}\n{ARCEND}\n\n{ITERSEND n}\n{DOCEND}\n");
    check_marks(SEARCHED("seq-loc-list { int { from 0, to 1, id local str \"a\" }, whole gi 7 }")
                    WITH("alignments { }"),
                BEGIN FIELDS_4 "{ITER R}int {\n{ID}a\n{ITEREND}, who\n{ITER}whole\n{ID -}7 }, \n{ITEREND} }, "
                               "s\n{FIELD}\n{HEADER}, res\n"
                               "{ARCEND}\n\n{ITERSEND n}\n{DOCEND}\n");
    tells_queries = false;
    check_marks(
        "\n" SEARCHED("pssm { }") ", algorithm-options { { name \"A\", value cutoff e-value { 1, 10, 1 } } }"
                                  " } }, results { } }",
        "{DOC b}\nBlas\n{ITERS=7}\nBlas\n{BODY}\nBlas\n{ARCHIVE}Blast\n" FIELDS_4
        "{FIELD}\n{FIELD}\n{ARCEND}\n{ITERSEND o}\n{DOCEND}\n");
}

/* An id of MAX_CONTENT bytes is reported whole, a longer one as cut. */
static void test_long_ids(void **state) {
    (void)state;
    tells_queries = true;
    for (size_t n = BM_MARK_MAX_CONTENT - 2; n <= BM_MARK_MAX_CONTENT + 2; n++) {
        struct bytes text = {0};
        add_text(&text,
                 "Blast4-archive ::= { request { body queue-search { queries bioseq-set { seq-set { seq { id "
                 "{ local str \"");
        uint64_t at = text.n_data;
        add_repeated(&text, "x", n);
        add_text(&text, "\" }");
        struct trace trace = scan_archive(&text, whole, "bytes");
        const struct bm_mark_entry *id = mark_at(&trace, n_marks(&trace) - 1);
        assert_int_equal(id->kind, BM_MARK_QUERY_ID);
        assert_int_equal(id->offset, at);
        assert_int_equal(id->end, at + (n < BM_MARK_MAX_CONTENT ? n : BM_MARK_MAX_CONTENT));
        assert_int_equal(id->flags, n <= BM_MARK_MAX_CONTENT ? 0 : BM_MARK_CUT);
        free_trace(&trace);
        check_splits(&text);
        free_bytes(&text);
    }
    tells_queries = false;
}

/* --- fields -------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *value;
} fields[] = {
    {"version", "2"},
    {"program", "p"},
    {"service", "s"},
    {"db", "a \"b\" c"},
    {"EvalueThreshold", "{ 1, 10, -3 }"},
    {"Boolean", "TRUE"},
    {"Strand", "strand-type both-strands"},
    {"List", "{ gi 7, local str x { y z, 1 } }"},
};

static void test_fields(void **state) {
    (void)state;
    struct bytes text = {0};
    add_text(
        &text,
        "Blast4-archive ::= { request { ident \"2\", body queue-search { program \"p\", service \"s\", "
        "queries "
        "pssm { }, subject database \"a \"\"b\"\"\n c\", algorithm-options { { name \"EvalueThreshold\", "
        "value cutoff e-value { 1, 10, -3 } }, { name \"EffectiveSearchSpace\", value big-integer 5 } }, "
        "program-options { { name \"Boolean\", value boolean TRUE }, { name \"Strand\", value strand-type "
        "both-strands }, { value integer 5 }, { name \"List\", value seq-id-list { gi 7, local str "
        "\"x\" { y z, 1 } } } }, format-options { { name \"Web_StepNumber\", value integer 1 } } } }, "
        "results { } }");
    /* a value behind a string is no element: so without the quotes */
    char *odd = memmem(text.data, text.n_data, "\"x\" {", 5);
    memcpy(odd, " x  {", 5);
    struct trace trace = scan_archive(&text, whole, "bytes");
    if (trace.status != BLASTMERGE_OK) fail_msg("%s", trace.error.message);
    const struct bm_mark_field *found = (const void *)trace.fields.data;
    assert_int_equal(trace.fields.n_data / sizeof *found, sizeof fields / sizeof fields[0]);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        assert_string_equal(found[i].name, fields[i].name);
        assert_string_equal(found[i].value, fields[i].value);
        assert_int_equal(found[i].is_parameter, i >= 4 || i == 2);
    }
    free_trace(&trace);
    check_splits(&text);
    free_bytes(&text);
}

/* --- ceilings ------------------------------------------------------------------------------------ */

static void check_depth(unsigned n, const char *message) {
    struct bytes text = {0};
    add_text(&text, "Blast4-archive ::= { " REQUEST ", results { x ");
    add_repeated(&text, "{ ", n);
    add_repeated(&text, "} ", n);
    add_text(&text, "} }");
    struct trace trace = scan_archive(&text, whole, "bytes");
    assert_int_equal(trace.status, message == NULL ? BLASTMERGE_OK : BLASTMERGE_DATA);
    if (message != NULL) assert_non_null(strstr(trace.error.message, message));
    assert_int_equal(is_asn1(&text), message == NULL);
    free_trace(&trace);
    check_splits(&text);
    free_bytes(&text);
}

static void test_ceilings(void **state) {
    (void)state;
    check_depth(BM_ARCHIVE_MAX_DEPTH - 2, NULL);
    check_depth(BM_ARCHIVE_MAX_DEPTH - 1, "blocks are nested deeper than 64");
    /* words of any length */
    struct bytes text = {0};
    add_text(&text, "Blast4-archive ::= { " REQUEST ", results { search-stats { ");
    for (size_t n = 60; n < 70; n++) {
        add_repeated(&text, "a", n);
        add_text(&text, n % 2 == 0 ? "-b c 1, " : " -1, ");
    }
    add_text(&text, "1 } } }");
    struct trace trace = scan_archive(&text, whole, "bytes");
    assert_int_equal(trace.status, BLASTMERGE_OK);
    free_trace(&trace);
    check_splits(&text);
    free_bytes(&text);
}

/* --- chance -------------------------------------------------------------------------------------- */

/* Odd archives, whole and damaged: each split tells the same, and the slow reader agrees. */
static void test_chance(void **state) {
    (void)state;
    const char *cases = getenv("BLASTMERGE_TEST_CASES");
    size_t n_cases = cases == NULL ? 300 : strtoul(cases, NULL, 10);
    for (size_t seed = 0; seed < n_cases; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        tells_queries = seed % 3 > 0;
        for (size_t n = 1 + below(&chance, 3); n > 0; n--) make_archive(&text, &chance);
        for (size_t damage = 0; damage < 20; damage++) {
            struct trace trace = scan_archive(&text, whole, "bytes");
            if (damage == 0 && trace.status != BLASTMERGE_OK)
                fail_msg("seed %zu: %s", seed, trace.error.message);
            if (trace.status == BLASTMERGE_OK)
                assert_true(is_asn1(&text));
            else
                assert_true(is_about_archives(trace.error.message) || !is_asn1(&text));
            for (uint64_t split = 0; split < 3; split++)
                check_split_of_archive(&text, (struct split){0, 0, {seed * 100 + split}}, &trace);
            free_trace(&trace);
            size_t at = below(&chance, text.n_data);
            if (below(&chance, 2) == 0)
                text.data[at] ^= (uint8_t)(1u << below(&chance, 8));
            else
                memmove(text.data + at, text.data + at + 1, --text.n_data - at);
        }
        free_bytes(&text);
    }
    tells_queries = false;
}

/* The scanner and the slow reader agree. */
static void judge(const struct bytes *text) {
    struct trace trace = scan_archive(text, whole, "bytes");
    if (trace.status == BLASTMERGE_OK)
        assert_true(is_asn1(text));
    else
        assert_true(is_about_archives(trace.error.message) || !is_asn1(text));
    free_trace(&trace);
}

/* Each single-bit flip of a small archive, and each place where it is cut short. */
static void test_each_flip(void **state) {
    (void)state;
    struct bytes text = {0};
    add_text(&text, ARCHIVE
             "Blast4-archive ::= { " REQUEST ", results { alignments { { segs denseg { ids { local str "
             "\"Query_1\", general { db \"BL_ORD_ID\", tag id 8 } }, starts { 0, -1 } }, x 'A0'H, real "
             "{ 1, 10, -3 }, y TRUE } } } }\n");
    for (size_t bit = 0; bit < 8 * text.n_data; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        judge(&text);
        text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    const size_t n_text = text.n_data;
    size_t n_whole = 0;
    for (text.n_data = 1; text.n_data <= n_text; text.n_data++) {
        struct trace trace = scan_archive(&text, whole, "bytes");
        n_whole += trace.status == BLASTMERGE_OK;
        free_trace(&trace);
        judge(&text);
    }
    assert_int_equal(n_whole, 4); /* at the end of each archive, and behind its line */
    free_bytes(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements), cmocka_unit_test(test_texts),     cmocka_unit_test(test_marks),
        cmocka_unit_test(test_long_ids), cmocka_unit_test(test_fields),    cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_chance),   cmocka_unit_test(test_each_flip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
