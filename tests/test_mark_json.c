/* SPDX-License-Identifier: MIT */
/*
 * The JSON scanner: each rule with the place of its error, marks, fields, ceilings; all of it in every split,
 * by every way.
 */
#include "test_mark_json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- the same in every split, by every way --------------------------------------------------- */

static void check_split_of_json(const struct bytes *text, struct split split,
                                enum blastmerge_invalid_utf8 mode, const struct trace *expected) {
    check_split_as(BLASTMERGE_FORMAT_JSON, text, split, mode, expected);
}

static void check_splits(const struct bytes *text, enum blastmerge_invalid_utf8 mode) {
    struct trace expected = scan_json(text, whole, "bytes", mode);
    for (size_t size = 1; size <= 9; size++)
        check_split_of_json(text, (struct split){0, size, {0}}, mode, &expected);
    for (size_t first = 1; first < text->n_data; first++)
        check_split_of_json(text, (struct split){first, SIZE_MAX, {0}}, mode, &expected);
    check_split_of_json(text, whole, mode, &expected);
    free_trace(&expected);
}

/* --- rules ----------------------------------------------------------------------------------- */

/* '@' marks the place of the error, and is no part of the text. Without a message it is fine. */
struct rule {
    const char *text;
    size_t n_text;
    const char *message;
};
#define RULE(text, message)                                                                                  \
    { text, sizeof(text) - 1, message }
#define FINE(text)                                                                                           \
    { text, sizeof(text) - 1, NULL }

/* Values. */
static const struct rule values[] = {
    FINE("0"),
    FINE("-0"),
    FINE("10"),
    FINE("-12.50"),
    FINE("0e0"),
    FINE("0.0E-00"),
    FINE("1e+5"),
    FINE("1E400"),
    FINE("123456789012345"),
    FINE("1234567890123456"),
    FINE("12345678901234567"),
    FINE("1.1234567890123456"),
    FINE("true"),
    FINE("false"),
    FINE("null"),
    FINE("\"\""),
    FINE("[]"),
    FINE("{}"),
    FINE("[ ]"),
    FINE("{\n}"),
    FINE("[1,\"\",[],{},null]"),
    FINE("{\"\":1,\"a\":{\"b\":[]}}"),
    FINE("{\"a\":1,\"a\":2}"),
    RULE("@,", "a value was expected here, not ','"),
    RULE("@]", "a value"),
    RULE("@+1", "a value was expected here, not '+'"),
    RULE("@.5", "a value"),
    RULE("@'a'", "a value"),
    RULE("@NaN", "a value was expected here, not 'N'"),
    RULE("@Infinity", "a value"),
    RULE("@\xef\xbb\xbf", "not the byte 0xef"),
    RULE("@\x0b", "not the byte 0x0b"),
    RULE("@\0", "not the byte 0x00"),
    RULE("@/* */1", "a value"),
    RULE("@\\n", "a value was expected here, not '\\'"),
    RULE("0@1", "leading zero"),
    RULE("-0@0", "leading zero"),
    RULE("0@0.5", "leading zero"),
    RULE("-@a", "a number's digit"),
    RULE("-@.5", "a number's digit"),
    RULE("-@-1", "a number's digit"),
    RULE("1.@e5", "a number's digit"),
    RULE("1.@ ", "a number's digit was expected here, not a blank"),
    RULE("1e@ ", "a number's digit"),
    RULE("1e+@\n", "not a line's end"),
    RULE("1e+@-1", "a number's digit"),
    RULE("1.5@.5", "',' or '}' after a value was expected here, not '.'"),
    RULE("1e5@.5", "',' or '}'"),
    RULE("1@x", "',' or '}'"),
    RULE("1@\"\"", "',' or '}' after a value was expected here, not '\"'"),
    RULE("1 @2", "',' or '}'"),
    RULE("1@-", "',' or '}'"),
    RULE("1@\\", "',' or '}'"),
    RULE("1@\xc3\xa4", "not the byte 0xc3"),
    RULE("1@\0", "not the byte 0x00"),
    RULE("0@x1", "',' or '}'"),
    RULE("1@:", "',' or '}'"),
    RULE("@tru", "this is not \"true\""),
    RULE("@truE", "this is not \"true\""),
    RULE("@trues", "this is not \"true\""),
    RULE("@true1", "this is not \"true\""),
    RULE("@fals]", "this is not \"false\""),
    RULE("@nul\"\"", "this is not \"null\""),
    RULE("@none", "this is not \"null\""),
    RULE("@True", "a value"),
    RULE("true@\"\"", "',' or '}'"),
    RULE("true@{", "',' or '}'"),
    RULE("[1@}", "does not match the open '['"),
    RULE("{\"a\":1@]", "does not match the open '{'"),
    RULE("[1,@]", "a value was expected here, not ']'"),
    RULE("[@,1]", "a value or ']'"),
    RULE("[1@:2]", "',' or ']' after a value was expected here, not ':'"),
    RULE("[1 @1]", "',' or ']'"),
    RULE("[\"a\"@\"b\"]", "',' or ']'"),
    RULE("[@}", "a value or ']'"),
    RULE("{@]", "a member's name in quotes, or '}', was expected here, not ']'"),
    RULE("{@,}", "a member's name"),
    RULE("{\"a\":1,@}", "a member's name in quotes was expected here, not '}'"),
    RULE("{\"a\":1,@,}", "a member's name in quotes"),
    RULE("{@a:1}", "a member's name"),
    RULE("{@1:1}", "a member's name"),
    RULE("{\"a\"@}", "':' after a member's name"),
    RULE("{\"a\"@,1}", "':' after a member's name"),
    RULE("{\"a\" @1}", "':' after a member's name"),
    RULE("{\"a\"@\"b\"}", "':' after a member's name"),
    RULE("{\"a\":@}", "a value was expected here, not '}'"),
    RULE("{\"a\":@:1}", "a value"),
    RULE("{\"a\":1@:1}", "',' or '}'"),
    RULE("{}@{}", "',' or '}'"),
    /* strings */
    FINE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uABcd\""),
    FINE("\"\\\\\""),
    FINE("\"\\\\\\\"\""),
    FINE("\"\x7f /,:{}[]'\""),
    FINE("\"\\u0000\\ud7ff\\ue000\\uffff\\ud800\\udc00\\uDBFF\\uDFFF\""),
    FINE("{\"\\u0041\":\"\\ud83e\\uddec\"}"),
    RULE("\"a@\n\"", "a control character, 0x0a, is in a string; it must be written \\u000a"),
    RULE("\"@\t\"", "0x09"),
    RULE("\"@\0\"", "0x00"),
    RULE("\"\\n@\x1f\"", "0x1f"),
    RULE("{\"a@\x01\":1}", "0x01"),
    RULE("\"@\\x\"", "does not begin an escape"),
    RULE("\"@\\'\"", "does not begin an escape"),
    RULE("\"@\\U0041\"", "does not begin an escape"),
    RULE("\"@\\\n\"", "does not begin an escape"),
    RULE("\"@\\\0\"", "does not begin an escape"),
    RULE("\"\\\\@\\a\"", "does not begin an escape"),
    RULE("\"@\\\xc3\xa4\"", "does not begin an escape"),
    RULE("{\"@\\a\":1}", "does not begin an escape"),
    RULE("\"@\\u004\"", "four hexadecimal digits"),
    RULE("\"@\\u\"", "four hexadecimal digits"),
    RULE("\"@\\u00g0\"", "four hexadecimal digits"),
    RULE("\"@\\u+041\"", "four hexadecimal digits"),
    RULE("\"@\\u00\xc3\xa4\"", "four hexadecimal digits"),
    RULE("\"@\\ud800\"", "half of a surrogate pair"),
    RULE("\"@\\uDFFF\"", "half of a surrogate pair"),
    RULE("\"@\\udc00\\ud800\"", "half of a surrogate pair"),
    RULE("\"@\\ud800x\"", "half of a surrogate pair"),
    RULE("\"@\\ud800\\n\"", "half of a surrogate pair"),
    RULE("\"@\\ud800\\\\udc00\"", "half of a surrogate pair"),
    RULE("\"@\\ud800\\u0041\"", "half of a surrogate pair"),
    RULE("\"@\\ud800\\ud800\\udc00\"", "half of a surrogate pair"),
    RULE("\"@\\udbff\\ue000\"", "half of a surrogate pair"),
    RULE("\"\\ud800\\udc00@\\udc00\"", "half of a surrogate pair"),
    RULE("\"@\\ud800\\udc0\"", "four hexadecimal digits"),
    /* UTF-8 */
    FINE("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf\xf0\x90"
         "\x80\x80\xf4\x8f\xbf\xbf\xef\xbb\xbf\""),
    FINE("\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 \xe2\x82\xac\xe2\x82\xac\\n\xc3\xa4\""),
    FINE("{\"\xc3\xa4\":1}"),
    RULE("\"@\x80\"", "the byte 0x80 here is not UTF-8"),
    RULE("\"@\xc0\x80\"", "0xc0 here is not UTF-8"),
    RULE("\"@\xc1\xbf\"", "not UTF-8"),
    RULE("\"@\xc3\"", "0xc3 here is not UTF-8"),
    RULE("\"@\xc3(\"", "not UTF-8"),
    RULE("\"@\xc3\\n\"", "not UTF-8"),
    RULE("\"@\xc3\n\"", "not UTF-8"),
    RULE("\"@\xe0\x9f\xbf\"", "not UTF-8"),
    RULE("\"@\xed\xa0\x80\"", "not UTF-8"),
    RULE("\"@\xe2\x82 \"", "not UTF-8"),
    RULE("\"@\xf0\x8f\xbf\xbf\"", "not UTF-8"),
    RULE("\"@\xf0\x9f\xa7\"", "not UTF-8"),
    RULE("\"@\xf4\x90\x80\x80\"", "not UTF-8"),
    RULE("\"@\xf5\x80\x80\x80\"", "not UTF-8"),
    RULE("\"@\xff\"", "not UTF-8"),
    RULE("\"\xc3\xa4\xc3\xa4\xc3\xa4@\xc3\xc3\xa4\"", "0xc3 here is not UTF-8"),
    RULE("{\"@\xe4\":1}", "0xe4 here is not UTF-8"),
};

#define REPORT "{\"report\":{\"results\":{}}}"
#define EMPTY  "{\"BlastOutput2\":[]}"

/* Documents. */
static const struct rule documents[] = {
    FINE(""),
    FINE(EMPTY),
    FINE(" \t\r\n" EMPTY "\n"),
    FINE("\xef\xbb\xbf" EMPTY),
    FINE("\xef\xbb\xbf \n" EMPTY " "),
    FINE("{\"BlastOutput2\":[" REPORT "," REPORT "]}"),
    FINE("{\"a\":1,\"BlastOutput2\":[],\"b\":[{}]}"),
    FINE(EMPTY EMPTY),
    FINE(EMPTY "\n" EMPTY "\n"),
    FINE(EMPTY "\xef\xbb\xbf" EMPTY),
    FINE("\n\xef\xbb\xbf" EMPTY),
    RULE("@[]", "a JSON object, '{', was expected here, not '['"),
    RULE("@1", "a JSON object"),
    RULE("@\"a\"", "a JSON object"),
    RULE("@<?xml", "a JSON object"),
    RULE(" @null", "a JSON object"),
    RULE("@\xef\xbb", "cut short"),
    RULE("@\xef\xbb{", "a JSON object, '{', was expected here, not the byte 0xef"),
    RULE("@\xef{", "a JSON object"),
    RULE("\xef\xbb\xbf@\xef\xbb\xbf{", "a JSON object"),
    RULE(" @", "the text ends before a document's '{': it is cut short"),
    RULE("\xef\xbb\xbf@", "the text ends before a document's '{'"),
    RULE(EMPTY "\xef\xbb\xbf@", "the text ends before a document's '{'"),
    RULE(EMPTY "@,", "the end, or another document's '{', was expected here, not ','"),
    RULE(EMPTY "@]", "the end"),
    RULE(EMPTY " @x", "the end"),
    RULE(EMPTY "@\0", "the end"),
    RULE(EMPTY "@[]", "the end"),
    RULE(EMPTY EMPTY "@1", "the end"),
    RULE("{@", "the text ends in an object or array: it is cut short"),
    RULE("{\"Bla@", "the text ends in a string: it is cut short"),
    RULE("{\"a\"@", "the text ends in an object or array"),
    RULE("{\"a\":@", "the text ends in an object or array"),
    RULE("{\"a\":1@", "the text ends in a number or word: it is cut short"),
    RULE("{\"a\":tru@", "the text ends in a number or word"),
    RULE("{\"a\":\"\\@", "the text ends in a string's escape"),
    RULE("{\"a\":\"\\u12@", "the text ends in a string's escape"),
    RULE("{\"a\":\"\xc3@", "the text ends in a string"),
    RULE("{\"BlastOutput2\":[" REPORT "@", "the text ends in an object or array"),
    RULE("{\"BlastOutput2\":[" REPORT ",@", "the text ends in an object or array"),
    RULE("{\"BlastOutput2\":[" REPORT "]@", "the text ends in an object or array"),
    RULE("{\"BlastOutput2\":[{\"report\":{\"results\":{\"x\":\"aaaaaaaaaaaaa@", "in a string"),
    RULE("{@}", "the document ends without \"BlastOutput2\": this is not BLAST's JSON"),
    RULE("{\"BlastOutput\":[]@}", "without \"BlastOutput2\""),
    RULE("{\"a\":{\"BlastOutput2\":[]}@}", "without \"BlastOutput2\""),
    RULE("{\"\\u0042lastOutput2\":[]@}", "without \"BlastOutput2\""),
    RULE(EMPTY "{@}", "without \"BlastOutput2\""),
    RULE("{\"BlastOutput2\":@1}", "\"BlastOutput2\" is not an array"),
    RULE("{\"BlastOutput2\":@\"\"}", "\"BlastOutput2\" is not an array"),
    RULE("{\"BlastOutput2\":@{\"report\":{}}}", "one query's report of -outfmt 13"),
    RULE("{\n\t\"BlastJSON\": @[", "the master file of -outfmt 13"),
    RULE("{\"BlastOutput2\":[],\"BlastOutput2\":@[]}", "a second \"BlastOutput2\""),
    RULE("{\"BlastOutput2\":[@1]}", "holds a value that is not an object, but a report was expected"),
    RULE("{\"BlastOutput2\":[@\"\"]}", "holds a value that is not an object"),
    RULE("{\"BlastOutput2\":[@[]]}", "holds a value that is not an object"),
    RULE("{\"BlastOutput2\":[" REPORT ",@null]}", "holds a value that is not an object"),
    RULE("{\"BlastOutput2\":[" REPORT ",@[]]}", "holds a value that is not an object"),
    RULE("{\"BlastOutput2\":[{@}]}", "ends without a \"report\""),
    RULE("{\"BlastOutput2\":[" REPORT ",{\"a\":1@}]}", "ends without a \"report\""),
    RULE("{\"BlastOutput2\":[{\"report\":[]@}]}", "ends without a \"report\""),
    RULE("{\"BlastOutput2\":[{\"report\":{@}}]}", "a report ends without \"results\""),
    RULE("{\"BlastOutput2\":[{\"report\":{\"program\":1@}}]}", "a report ends without \"results\""),
    RULE("{\"BlastOutput2\":[" REPORT ",{\"report\":{\"results\":[]@}}]}",
         "a report ends without \"results\""),
    RULE("{\"BlastOutput2\":[{\"report\":{\"results\":{}},\"report\":@{", "a second \"report\""),
    RULE("{\"BlastOutput2\":[{\"report\":{\"results\":{},\"results\":@{", "a second \"results\""),
    RULE("{\"BlastOutput2\":[" REPORT ",{\"report\":{\"results\":{},\"results\":@{", "a second \"results\""),
    RULE("{\"BlastOutput2\":[" REPORT ",@]}", "a value was expected here, not ']'"),
    RULE("{\"BlastOutput2\":[" REPORT "@" REPORT "]}", "',' or ']'"),
    RULE("{\"BlastOutput2\":[" REPORT "@}", "does not match the open '['"),
};

/* The rule's text between two others; *place is where its error is. */
static struct bytes surround(const char *before, size_t n_blanks, const struct rule *rule, const char *after,
                             size_t *place) {
    struct bytes text = {0};
    add_text(&text, before);
    add_repeated(&text, " ", n_blanks);
    const char *at = rule->message == NULL ? NULL : memchr(rule->text, '@', rule->n_text);
    assert_true(rule->message == NULL || at != NULL);
    size_t n_before = at == NULL ? rule->n_text : (size_t)(at - rule->text);
    *place = text.n_data + n_before;
    add_bytes(&text, rule->text, n_before);
    if (at != NULL) add_bytes(&text, at + 1, rule->n_text - n_before - 1);
    add_text(&text, after);
    return text;
}

static void check_rule(const struct bytes *text, const struct rule *rule, size_t place) {
    struct trace trace = scan_json(text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    if (rule->message == NULL) {
        if (trace.status != BLASTMERGE_OK)
            fail_msg("%s: %s at %d", rule->text, trace.error.message, (int)trace.error.text_offset);
        assert_int_equal(trace.n_used, text->n_data);
    } else {
        assert_int_equal(trace.status, BLASTMERGE_DATA);
        if (strstr(trace.error.message, rule->message) == NULL || trace.error.text_offset != place)
            fail_msg("%s: %s at %d", rule->text, trace.error.message, (int)trace.error.text_offset);
    }
    free_trace(&trace);
}

static void test_documents(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        size_t place;
        bool is_bom_alone = strcmp(documents[i].text, "@\xef\xbb") == 0;
        struct bytes text = surround("", 0, &documents[i], "", &place);
        if (is_bom_alone) place += 2;
        check_rule(&text, &documents[i], place);
        check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
        free_bytes(&text);
    }
}

#define IN_HEADER  "{\"BlastOutput2\":[{\"report\":{\"x\":"
#define IN_RESULTS "{\"BlastOutput2\":[{\"report\":{\"results\":{\"x\":"

static void test_values(void **state) {
    static const char blanks[] =
        "                                                                                "
        "                                                                                ";
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t place;
        struct bytes text = surround(IN_HEADER, 0, &values[i], ",\"results\":{}}}]}", &place);
        check_rule(&text, &values[i], place);
        check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
        free_bytes(&text);
        text = surround(IN_RESULTS, 0, &values[i], "}}}]}", &place);
        add_text(&text, blanks);
        check_rule(&text, &values[i], place);
        check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
        check_splits(&text, BLASTMERGE_INVALID_UTF8_LATIN1);
        check_splits(&text, BLASTMERGE_INVALID_UTF8_KEEP);
        free_bytes(&text);
    }
}

/* At each place of a block and of a window. */
static void test_values_in_windows(void **state) {
    static const size_t begins[] = {0, 4096 - 100};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (size_t j = 0; j < 2; j++) {
            for (size_t n = begins[j]; n < begins[j] + 110; n++) {
                size_t place;
                struct bytes text = surround(IN_RESULTS, n, &values[i], "}}}]}", &place);
                add_repeated(&text, " ", 200);
                struct trace expected = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
                check_rule(&text, &values[i], place);
                check_split_of_json(&text, whole, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
                free_trace(&expected);
                free_bytes(&text);
            }
        }
    }
}

/* --- marks ----------------------------------------------------------------------------------- */

static const char *kind_name(uint32_t kind) {
    switch (kind) {
    case BM_MARK_DOCUMENT:
        return "document";
    case BM_MARK_FIELD:
        return "field";
    case BM_MARK_ITERATIONS:
        return "iterations";
    case BM_MARK_HEADER:
        return "header";
    case BM_MARK_BODY:
        return "body";
    case BM_MARK_ITERATION:
        return "iteration";
    case BM_MARK_QUERY_ID:
        return "id";
    case BM_MARK_MESSAGE:
        return "message";
    case BM_MARK_ITERATION_END:
        return "end";
    case BM_MARK_ITERATIONS_END:
        return "iterations-end";
    case BM_MARK_CHARACTER:
        return "character";
    case BM_MARK_DOCUMENT_END:
        return "document-end";
    default:
        return "?";
    }
}

/* The text with its marks in angle brackets, where they are; those with an end stand at both. */
static struct bytes show_json(const struct bytes *text, const struct trace *trace) {
    struct bytes shown = {0};
    size_t at = 0;
    for (size_t i = 0; i < n_marks(trace); i++) {
        const struct bm_mark_entry *mark = mark_at(trace, i);
        add_bytes(&shown, text->data + at, (size_t)mark->offset - at);
        at = (size_t)mark->offset;
        add_text(&shown, "<");
        add_text(&shown, kind_name(mark->kind));
        if ((mark->flags & BM_MARK_CUT) != 0) add_text(&shown, "-cut");
        add_text(&shown, ">");
        if (mark->kind != BM_MARK_QUERY_ID && mark->kind != BM_MARK_MESSAGE) continue;
        add_bytes(&shown, text->data + at, (size_t)mark->end - at);
        at = (size_t)mark->end;
        add_text(&shown, "</>");
    }
    add_bytes(&shown, text->data + at, text->n_data - at);
    return shown;
}

struct golden {
    const char *shown;
    struct bm_mark_counts counts;
};

static const struct golden goldens[] = {
    {"\n<document>{\"BlastOutput2\":[<iterations>\n<iterations-end>]}\n<document-end>", {.n_documents = 1}},
    {"<document>{\"BlastOutput2\":[<iterations><iterations-end>]} \n<document-end><document>"
     "{\"BlastOutput2\":[<iterations>\n<body><iteration>{\"report\":{\"results\":{<header>}}}<end>\n"
     "<iterations-end>]}<document-end>",
     {.n_documents = 2, .n_iterations = 1, .by_hits = {1}}},
    {"<document>{\n\"BlastOutput2\": [<iterations>\n<body><iteration>{\n    \"report\": {\n      "
     "\"program\": "
     "\"blastp\"<field>,\n      \"version\": \"2\\n\"<field>, \"reference\": {\"x\": 1},\n "
     "\"search_target\": {\n"
     "  \"db\": \"nr\"<field>\n },\n \"params\": {\n  \"matrix\": \"B\"<field>,\n  \"expect\": 10<field>,\n"
     "  \"cbs\": true<field> },\n \"results\": {<header>\n \"search\": {\n \"query_id\": "
     "\"<id>Query_1</>\",\n"
     " \"hits\": [\n {\n \"num\": 1,\n \"hsps\": [\n { \"num\": 1 },\n { \"num\": 2 } ]\n }, {}, 1 ],\n"
     " \"stat\": {\"message\": \"m\", \"query_id\": \"i\"},\n \"message\": \"<message>T \\\"x\\\" </>\"\n } "
     "} }\n  "
     "}<end>\n,\n<iteration>{\"report\": {\"program\": \"x\", \"params\": {\"a\": 1}, \"results\": "
     "{\"iterations\": "
     "[{\"iter_num\": 1, \"search\": {\"query_id\": \"<id></>\", \"hits\": []}}, {\"search\": {\"query_id\": "
     "\"<id>q</>\", \"hits\": [{\"hsps\": [{}]}]}}]}}}<end>, <iteration>{\"report\": {\"results\": "
     "{\"bl2seq\": ["
     "{\"query_id\": \"<id>a</>\", \"message\": 1, \"hits\": [{}]}, {\"query_id\": \"<id>b</>\"}], "
     "\"query_id\": "
     "\"c\", \"hits\": [{}]}}}<end>\n<iterations-end>]\n}\n<document-end>",
     {.n_documents = 1,
      .n_iterations = 3,
      .n_hits = 4,
      .n_hsps = 3,
      .by_hits = {0, 2, 1},
      .n_hits_of_these = 4}},
};

/* The text without what stands in angle brackets. */
static struct bytes hide_json(const char *shown) {
    struct bytes text = {0};
    for (const char *p = shown; *p != '\0'; p++) {
        if (*p == '<') {
            p = strchr(p, '>');
        } else {
            add_bytes(&text, p, 1);
        }
    }
    return text;
}

static void test_marks(void **state) {
    (void)state;
    tells_queries = true;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        struct bytes text = hide_json(goldens[i].shown);
        struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
        struct bytes shown = show_json(&text, &trace);
        add_bytes(&shown, "", 1);
        assert_string_equal((const char *)shown.data, goldens[i].shown);
        assert_memory_equal(&trace.counts, &goldens[i].counts, sizeof trace.counts);
        free_bytes(&shown);
        free_trace(&trace);
        check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
        add_repeated(&text, " ", 200); /* so that the walk sees it all */
        check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
        free_bytes(&text);
    }
    tells_queries = false;
}

/* Contents of n bytes that are told, with something odd behind them. */
static void check_content(size_t n, const char *odd, size_t n_told, bool is_cut) {
    struct bytes text = {0};
    add_text(&text, "{\"BlastOutput2\":[{\"report\":{\"results\":{\"search\":{\"message\":\"");
    size_t begin = text.n_data;
    add_repeated(&text, "m", n);
    add_text(&text, odd);
    add_text(&text, "\"}}}}]}");
    add_repeated(&text, " ", 200);
    struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_LATIN1);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    const struct bm_mark_entry *mark = mark_at(&trace, 5);
    assert_int_equal(mark->kind, BM_MARK_MESSAGE);
    assert_int_equal(mark->offset, begin);
    assert_int_equal(mark->end, begin + n_told);
    assert_int_equal(mark->flags, is_cut ? BM_MARK_CUT : 0);
    check_splits(&text, BLASTMERGE_INVALID_UTF8_LATIN1);
    free_trace(&trace);
    free_bytes(&text);
}

static void test_contents(void **state) {
    (void)state;
    tells_queries = true;
    check_content(0, "", 0, false);
    check_content(511, "", 511, false);
    check_content(512, "", 512, false);
    check_content(513, "", 512, true);
    check_content(600, "", 512, true);
    check_content(10, "\\\"x\xc3\xa4", 15, false);
    check_content(511, "\xc3\xa4", 511, true);
    check_content(511, "\\\"", 512, true);
    check_content(10, "\xe4x", 10, true);
    check_content(511, "\xe4x", 511, true);
    check_content(512, "\xe4x", 512, true);
    tells_queries = false;
}

static void test_characters(void **state) {
    static const char shown[] =
        "<document>{\"BlastOutput2\":[<iterations><body><iteration>{\"report\":{\"x\":\""
        "<character>\xe4\"<field>,\"results\":{<header>\"<character>\xe4\":\"<character>\xc3"
        "<character>\xe9\xc3\xa4<character>\xe2<character>\x82x\"}}}<end><iterations-end>]}"
        "<document-end>";
    (void)state;
    struct bytes text = hide_json(shown);
    struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_LATIN1);
    struct bytes seen = show_json(&text, &trace);
    add_bytes(&seen, "", 1);
    assert_string_equal((const char *)seen.data, shown);
    assert_int_equal(trace.counts.n_invalid_bytes, 6);
    assert_int_equal(mark_at(&trace, 4)->value, 0xe4);
    free_trace(&trace);
    trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_KEEP);
    assert_int_equal(trace.counts.n_invalid_bytes, 6);
    assert_int_equal(n_marks(&trace), 9);
    free_trace(&trace);
    check_splits(&text, BLASTMERGE_INVALID_UTF8_LATIN1);
    check_splits(&text, BLASTMERGE_INVALID_UTF8_KEEP);
    free_bytes(&seen);
    free_bytes(&text);
}

/* --- fields ---------------------------------------------------------------------------------- */

static const struct bm_mark_field *field_at(const struct trace *trace, size_t i) {
    assert_true((i + 1) * sizeof(struct bm_mark_field) <= trace->fields.n_data);
    return (const struct bm_mark_field *)(const void *)trace->fields.data + i;
}

static void check_field(const struct trace *trace, size_t i, const char *name, const char *value,
                        bool is_parameter) {
    assert_string_equal(field_at(trace, i)->name, name);
    assert_string_equal(field_at(trace, i)->value, value);
    assert_int_equal(field_at(trace, i)->is_parameter, is_parameter);
    assert_false(field_at(trace, i)->is_cut);
}

static void test_fields(void **state) {
    struct bytes text = {0};
    (void)state;
    add_text(&text,
             "{\"BlastOutput2\":[{\"report\":{\"program\":\"bl\\\"astp\",\"a\":-1.5e1 ,\"search_target\":"
             "{\"db\":\"n\xc3\xa4r\",\"x\":{\"y\":1}},\"params\":{\"expect\":10,\"f\":null},\"n");
    add_repeated(&text, "n", BM_JSON_MAX_NAME - 1);
    add_text(&text, "\":1,\"n");
    add_repeated(&text, "n", BM_JSON_MAX_NAME);
    add_text(
        &text,
        "\":1,\"results\":{\"z\":1},\"version\":\"late\"}},{\"report\":{\"program\":1,\"results\":{}}}]}");
    struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    assert_int_equal(trace.fields.n_data, 6 * sizeof(struct bm_mark_field));
    check_field(&trace, 0, "program", "bl\\\"astp", false);
    check_field(&trace, 1, "a", "-1.5e1", false);
    check_field(&trace, 2, "db", "n\xc3\xa4r", false);
    check_field(&trace, 3, "expect", "10", true);
    check_field(&trace, 4, "f", "null", true);
    assert_int_equal(strlen(field_at(&trace, 5)->name), BM_JSON_MAX_NAME);
    check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
    free_trace(&trace);
    free_bytes(&text);
}

/* --- ceilings -------------------------------------------------------------------------------- */

static void check_depth(size_t n, const char *open, const char *inner, const char *close) {
    struct bytes text = {0};
    add_text(&text, IN_RESULTS); /* which is five deep */
    add_repeated(&text, open, n);
    size_t end = text.n_data;
    add_text(&text, inner);
    add_repeated(&text, close, n);
    add_text(&text, "}}}]}");
    add_repeated(&text, " ", 200);
    struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    if (5 + n <= BM_JSON_MAX_DEPTH) {
        assert_int_equal(trace.status, BLASTMERGE_OK);
    } else {
        assert_int_equal(trace.status, BLASTMERGE_DATA);
        assert_non_null(strstr(trace.error.message, "nested deeper than 64"));
        assert_int_equal(trace.error.text_offset, end - 1);
    }
    check_splits(&text, BLASTMERGE_INVALID_UTF8_ERROR);
    free_trace(&trace);
    free_bytes(&text);
}

static void test_depth(void **state) {
    (void)state;
    check_depth(BM_JSON_MAX_DEPTH - 5, "[", "", "]");
    check_depth(BM_JSON_MAX_DEPTH - 4, "[", "", "]");
    check_depth(BM_JSON_MAX_DEPTH - 5, "{\"a\":", "1", "}");
}

/* Long strings, names, numbers and white space need no memory. */
static void test_long(void **state) {
    static const char *const parts[][3] = {
        {"\"", "MKVLAAGIVGLK", "\""},
        {"{\"", "n", "\":1}"},
        {"1", "0", ""},
        {"0.", "5", "e1"},
        {"[", " \n", "]"},
        {"\"", "\\\\", "\""},
        {"\"", "\\u00e4\xc3\xa4", "\""},
        {"[1", ",1", "]"},
        {"{\"a\":1", ",\"a\":1", "}"},
        {"1e", "0", "1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct bytes text = {0};
        add_text(&text, IN_RESULTS);
        add_text(&text, parts[i][0]);
        add_repeated(&text, parts[i][1], 20000);
        add_text(&text, parts[i][2]);
        add_text(&text, "}}}]}\n");
        struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
        assert_int_equal(trace.status, BLASTMERGE_OK);
        check_split_of_json(&text, whole, BLASTMERGE_INVALID_UTF8_ERROR, &trace);
        check_split_of_json(&text, (struct split){0, 4096, {0}}, BLASTMERGE_INVALID_UTF8_ERROR, &trace);
        check_split_of_json(&text, (struct split){0, 0, {i}}, BLASTMERGE_INVALID_UTF8_ERROR, &trace);
        free_trace(&trace);
        free_bytes(&text);
    }
}

/* More marks than a list holds. */
static void test_full_lists(void **state) {
    struct bytes text = {0};
    (void)state;
    add_text(&text, "{\"BlastOutput2\":[");
    for (size_t i = 0; i < 3000; i++) add_text(&text, i == 0 ? REPORT : "," REPORT);
    add_text(&text, "]}");
    add_repeated(&text, " ", 200);
    struct trace trace = scan_json(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    assert_int_equal(trace.counts.n_iterations, 3000);
    assert_int_equal(n_marks(&trace), 6006);
    check_split_of_json(&text, whole, BLASTMERGE_INVALID_UTF8_ERROR, &trace);
    free_trace(&trace);
    free_bytes(&text);
}

/* --- chance ---------------------------------------------------------------------------------- */

static void damage(struct bytes *text, struct chance *chance) {
    static const char bytes[] = "\"\\{}[],:0-.eE+tfn u\n\t\xc3\xa4\xe4\x80\x01";
    size_t at = below(chance, text->n_data);
    switch (below(chance, 4)) {
    case 0:
        text->n_data = at;
        break;
    case 1:
        memmove(text->data + at, text->data + at + 1, text->n_data - at - 1);
        text->n_data--;
        break;
    default:
        text->data[at] = (uint8_t)bytes[below(chance, sizeof bytes - 1)];
        break;
    }
}

static void check_by_chance(const struct bytes *text, uint64_t seed, bool is_fine) {
    enum blastmerge_invalid_utf8 mode = (enum blastmerge_invalid_utf8)(seed % 3);
    struct trace expected = scan_json(text, whole, "bytes", mode);
    if (is_fine && expected.status != BLASTMERGE_OK)
        fail_msg("seed %d: %s at %d", (int)seed, expected.error.message, (int)expected.error.text_offset);
    check_split_of_json(text, whole, mode, &expected);
    check_split_of_json(text, (struct split){0, 0, {seed}}, mode, &expected);
    free_trace(&expected);
}

static void test_chance(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 1500; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        tells_queries = seed % 2 == 0;
        make_json(&text, &chance, below(&chance, 8) == 0 ? 60 : below(&chance, 5));
        if (below(&chance, 8) == 0) make_json(&text, &chance, 2);
        check_by_chance(&text, seed, true);
        for (size_t n = 0; n < 3 && text.n_data > 0; n++) {
            damage(&text, &chance);
            if (text.n_data > 0) check_by_chance(&text, seed, false);
        }
        free_bytes(&text);
    }
    tells_queries = false;
}

/* --- the door -------------------------------------------------------------------------------- */

/* Without being told the format: by the first byte; and after XML it is a mismatch. */
static void test_format(void **state) {
    static const uint8_t text[] = EMPTY;
    static const uint8_t xml[] = "<BlastOutput><BlastOutput_iterations/></BlastOutput>";
    struct bm_memory memory;
    struct bm_mark *mark = NULL;
    struct bm_mark_list list = {.n_entries = 0};
    struct blastmerge_error error;
    size_t n_used;
    (void)state;
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_ERROR), BLASTMERGE_OK);
    assert_int_equal(bm_mark_step(mark, text, sizeof text - 1, &n_used, &list, &error), BLASTMERGE_OK);
    assert_int_equal(bm_mark_format(mark), BLASTMERGE_FORMAT_JSON);
    bm_mark_reset(mark);
    list.n_entries = 0;
    assert_int_equal(bm_mark_step(mark, xml, sizeof xml - 1, &n_used, &list, &error), BLASTMERGE_MISMATCH);
    bm_mark_close(mark, &memory);
    assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_ERROR), BLASTMERGE_OK);
    list.n_entries = 0;
    assert_int_equal(bm_mark_step(mark, xml, sizeof xml - 1, &n_used, &list, &error), BLASTMERGE_OK);
    bm_mark_reset(mark);
    list.n_entries = 0;
    assert_int_equal(bm_mark_step(mark, text, sizeof text - 1, &n_used, &list, &error), BLASTMERGE_MISMATCH);
    assert_int_equal(error.text_offset, 0);
    bm_mark_close(mark, &memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_in_windows),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_full_lists),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
