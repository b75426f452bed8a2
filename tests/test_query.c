/* SPDX-License-Identifier: MIT */
/* number/query: what becomes of Query_N, against a model of how BLAST writes its messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "number/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_number(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t number;
    } cases[] = {
        {"Query_1", 1},
        {"Query_10", 10},
        {"Query_999999999999999999", 999999999999999999},
        {"Query_1000000000000000000", 1000000000000000000},
        {"Query_18446744073709551614", UINT64_MAX - 1},
        {"Query_18446744073709551615", UINT64_MAX}, /* and whatever is more */
        {"Query_18446744073709551616", UINT64_MAX},
        {"Query_18446744073709551617", UINT64_MAX},
        {"Query_99999999999999999999", UINT64_MAX},
        {"Query_184467440737095516150", UINT64_MAX},
        {"Query_9999999999999999999999999999999999999999999", UINT64_MAX},
        {"Query_9999999999999999999999999999999999999999999x", 0},
        {"Query_0", 0},
        {"Query_01", 0},
        {"Query_", 0},
        {"Query", 0},
        {"", 0},
        {"query_1", 0},
        {"Query_1 ", 0},
        {" Query_1", 0},
        {"Query_1a", 0},
        {"Query_-1", 0},
        {"Query_+1", 0},
        {"lcl|Query_1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(bm_number_query_number(cases[i].text, strlen(cases[i].text)), cases[i].number);
    }
    assert_int_equal(bm_number_query_number("Query_123", 7), 1); /* the text ends where its length says */
}

/* --- ids ----------------------------------------------------------------------------------------- */

/* Ids one behind another, "/" between documents, "@n" for a position, "<n" for one to which the Iterations'
 * numbers go back; and what they become. */
static void check_ids(enum blastmerge_query_ids policy, const char *given, const char *expected) {
    struct bm_number_query_ids ids;
    char result[512] = "";
    char copy[512];
    uint64_t position = 0;
    bm_number_query_ids_open(&ids, policy);
    bm_number_query_ids_begin(&ids);
    snprintf(copy, sizeof copy, "%s", given);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        size_t n = strlen(result);
        uint64_t old_number = 0;
        uint64_t new_number = 0;
        if (strcmp(word, "/") == 0) {
            bm_number_query_ids_begin(&ids);
            position = 0;
            snprintf(result + n, sizeof result - n, " /");
        } else if (*word == '@' || *word == '<') {
            position = strtoull(word + 1, NULL, 10) - 1;
            if (*word == '<') bm_number_query_ids_return(&ids);
        } else if (bm_number_query_ids_take(&ids, word, strlen(word), ++position, &old_number, &new_number)) {
            assert_int_equal(old_number, strtoull(word + 6, NULL, 10));
            snprintf(result + n, sizeof result - n, " Query_%" PRIu64, new_number);
        } else {
            snprintf(result + n, sizeof result - n, " %s", word);
        }
    }
    assert_string_equal(result + 1, expected);
}

static void test_ids(void **state) {
    (void)state;
    /* plain runs; -mt_mode 1 and several children are the same */
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "Query_1 Query_2 / Query_1 / Query_1 Query_2",
              "Query_1 Query_2 / Query_3 / Query_4 Query_5");
    /* PSI-BLAST: several Iterations a query */
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "Query_1 Query_1 Query_2 Query_2 Query_2 / Query_1 Query_1 Query_2",
              "Query_1 Query_1 Query_2 Query_2 Query_2 / Query_3 Query_3 Query_4");
    /* a query that BLAST left out: the gap stays */
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "Query_1 @3 Query_3 / @2 Query_2 Query_3 / Query_1",
              "Query_1 Query_3 / Query_5 Query_6 / Query_7");
    /* -parse_deflines: only those without a name are counted */
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "P1 Query_1 P2 P3 Query_2 / P4 / P5 Query_1",
              "P1 Query_1 P2 P3 Query_2 / P4 / P5 Query_3");
    /* names that a user gave, and that do not fit in */
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "P1 Query_7 P2 Query_1 / P3 Query_7 Query_01 Query_1 query_1",
              "P1 Query_7 P2 Query_1 / P3 Query_7 Query_01 Query_2 query_1");
    /* several runs in one document */
    check_ids(BLASTMERGE_QUERY_IDS_AUTO,
              "Query_1 Query_2 <1 Query_1 Query_2 / Query_1 <1 P1 Query_1 <3 Query_3",
              "Query_1 Query_2 Query_3 Query_4 / Query_5 P1 Query_6 Query_8");
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "Query_1 <1 Query_2 <1 Query_3 / P1 Query_1 <2 P2 <2 Query_1",
              "Query_1 Query_2 Query_3 / P1 Query_4 P2 Query_5");
    check_ids(BLASTMERGE_QUERY_IDS_AUTO, "Query_1 Query_2 Query_3 <1 Query_2 Query_3",
              "Query_1 Query_2 Query_3 Query_2 Query_3");
    check_ids(BLASTMERGE_QUERY_IDS_RENUMBER, "P1 Query_7 P2 Query_1 / P3 Query_7 Query_2",
              "P1 Query_7 P2 Query_1 / P3 Query_14 Query_9");
}

/* Tables with comments: titles, of which none means that there is no name. */
static void test_titles(void **state) {
    (void)state;
    struct bm_number_query_ids ids;
    uint64_t old_number;
    uint64_t new_number;
    bm_number_query_ids_open(&ids, BLASTMERGE_QUERY_IDS_AUTO);
    for (uint64_t i = 0; i < 3; i++) {
        bm_number_query_ids_begin(&ids);
        bm_number_query_ids_count(&ids, 1);
        assert_false(bm_number_query_ids_take(&ids, "a title", 7, 0, &old_number, &new_number));
        bm_number_query_ids_count(&ids, 2);
        bm_number_query_ids_take_unnamed(&ids, &old_number, &new_number);
        assert_int_equal(old_number, 2);
        assert_int_equal(new_number, 4 * i + 2);
        bm_number_query_ids_count(&ids, 3); /* now it is known that titles are users' */
        assert_false(bm_number_query_ids_take(&ids, "Query_1", 7, 0, &old_number, &new_number));
        bm_number_query_ids_count(&ids, 4);
    }
    assert_int_equal(ids.n_generated, 3);
    assert_int_equal(ids.n_odd, 0);
    assert_int_equal(ids.n_named, 6);
}

static void test_id_counts(void **state) {
    (void)state;
    struct bm_number_query_ids ids;
    uint64_t old_number;
    uint64_t new_number;
    bm_number_query_ids_open(&ids, BLASTMERGE_QUERY_IDS_AUTO);
    bm_number_query_ids_begin(&ids);
    assert_true(bm_number_query_ids_take(&ids, "Query_1", 7, 0, &old_number, &new_number));
    assert_true(bm_number_query_ids_take(&ids, "Query_2", 7, 0, &old_number, &new_number));
    assert_false(bm_number_query_ids_take(&ids, "Query_4", 7, 0, &old_number, &new_number));
    assert_false(bm_number_query_ids_take(&ids, "P12345", 6, 0, &old_number, &new_number));
    assert_int_equal(ids.n_generated, 2);
    assert_int_equal(ids.n_odd, 1);
    assert_int_equal(ids.n_named, 1);
}

/* It is said when a sum is too large for 64 bits. */
static void test_id_overflow(void **state) {
    (void)state;
    struct bm_number_query_ids ids;
    uint64_t old_number;
    uint64_t new_number;
    const char *most = "Query_999999999999999999";
    bm_number_query_ids_open(&ids, BLASTMERGE_QUERY_IDS_RENUMBER);
    for (int i = 0; i < 18; i++) {
        bm_number_query_ids_begin(&ids);
        assert_true(bm_number_query_ids_take(&ids, most, strlen(most), 0, &old_number, &new_number));
        assert_int_equal(new_number, (uint64_t)(i + 1) * old_number);
        assert_false(ids.is_beyond);
    }
    bm_number_query_ids_begin(&ids);
    assert_false(ids.is_beyond);
    assert_true(bm_number_query_ids_take(&ids, most, strlen(most), 0, &old_number, &new_number));
    assert_true(ids.is_beyond);
}

/* --- messages ------------------------------------------------------------------------------------ */

/* What BLAST writes, in its own bytes: the title twice, and a message. */
static size_t blast_message(char *message, const char *prefix, uint64_t number, const char *title) {
    char whole[256];
    size_t n = (size_t)snprintf(whole, sizeof whole, "%sQuery_%" PRIu64 "%s%s", prefix, number,
                                *title == '\0' ? "" : " ", title);
    if (n > 35) memcpy(whole + 25, ".. ", 4);
    return (size_t)sprintf(message, "%s:  %s: Sequence contains no data  No hits found", whole, whole);
}

/* The same as a format has it. is_latin1: UTF-8 of two bytes becomes one. */
static size_t write_string(char *written, const char *text, enum bm_format_syntax form, bool is_latin1) {
    size_t n = 0;
    for (const uint8_t *p = (const uint8_t *)text; *p != '\0'; p++) {
        const char *xml = *p == '&'   ? "&amp;"
                          : *p == '<' ? "&lt;"
                          : *p == '>' ? "&gt;"
                          : *p == '"' ? "&quot;"
                                      : NULL;
        const char *json = *p == '"' ? "\\\"" : *p == '\\' ? "\\\\" : *p == '\t' ? "\\u0009" : NULL;
        const char *escaped = form == BM_SYNTAX_XML ? xml : form == BM_SYNTAX_JSON ? json : NULL;
        if (form == BM_SYNTAX_XML && *p == '\'') escaped = "&apos;";
        if (form == BM_SYNTAX_XML && *p == '\t') escaped = "&#x9;";
        if (escaped != NULL) {
            n += (size_t)sprintf(written + n, "%s", escaped);
        } else if (is_latin1 && *p >= 0x80) {
            written[n++] = (char)((*p & 3) << 6 | (p[1] & 0x3f));
            p++;
        } else {
            written[n++] = (char)*p;
        }
    }
    written[n] = '\0';
    return n;
}

static enum bm_number_query_prefix rename_text(const char *message, enum bm_format_syntax form,
                                               uint64_t old_number, uint64_t new_number, char *result) {
    struct bm_number_query_message renamed;
    enum bm_number_query_prefix prefix =
        bm_number_query_rename(message, strlen(message), form, old_number, new_number, &renamed);
    strcpy(result, message);
    if (prefix != BM_QUERY_RESTORED && prefix != BM_QUERY_LOST) return prefix;
    assert_true(renamed.n_new <= sizeof renamed.text && renamed.n_old <= strlen(message));
    memcpy(result, renamed.text, renamed.n_new);
    strcpy(result + renamed.n_new, message + renamed.n_old);
    return prefix;
}

/* What a title's message becomes must be what BLAST would have written with the other number. */
static void check_title(const char *prefix, const char *title, enum bm_format_syntax form, bool is_latin1) {
    static const uint64_t numbers[] = {
        1, 2, 9, 10, 11, 99, 100, 999, 1000, 99999, 1000000, 9999999999, 12345678901, 999999999999999999};
    /* "lcl|" and a number of 18 digits are cut themselves: such a name is not understood */
    const size_t n_numbers = sizeof numbers / sizeof numbers[0] - (*prefix != '\0');
    for (size_t i = 0; i < n_numbers; i++) {
        for (size_t j = i; j < n_numbers; j++) {
            char message[1024];
            char old[2048];
            char new[2048];
            char result[4096];
            blast_message(message, prefix, numbers[i], title);
            write_string(old, message, form, is_latin1);
            blast_message(message, prefix, numbers[j], title);
            write_string(new, message, form, is_latin1);
            if (rename_text(old, form, numbers[i], numbers[j], result) != BM_QUERY_RESTORED ||
                strcmp(result, new) != 0) {
                fail_msg("%s\nbecame   %s\nexpected %s", old, result, new);
            }
        }
    }
}

static void test_messages(void **state) {
    (void)state;
    static const char *const titles[] = {"",
                                         "a",
                                         "sp|A7TBS3|A7TBS3_VANPO and more of it",
                                         "x<&>\"'y all O with <angle> & \"quote\"",
                                         "two  blanks  and   three, as  FASTA has them",
                                         "&#65; entity &amp; text &#65; entity",
                                         "back\\slash \\u0041 and \ttab and more of it",
                                         "ends with a colon:",
                                         ":  Query_1:  : ",
                                         "Query_7 is what a user said",
                                         "x: x:  x: x:  x: x:  x:",
                                         "dots... and more dots..... and ....",
                                         "....................................."};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        for (size_t length = 0; length <= strlen(titles[i]); length++) {
            char title[64];
            snprintf(title, sizeof title, "%.*s", (int)length, titles[i]);
            if (length > 0 && title[length - 1] == ' ') continue; /* BLAST drops blanks at the end */
            for (int form = BM_SYNTAX_PLAIN; form <= BM_SYNTAX_JSON; form++) {
                check_title("", title, (enum bm_format_syntax)form, false);
                check_title("lcl|", title, (enum bm_format_syntax)form, false);
            }
        }
    }
}

/* BLAST counts UTF-8, and 2.12 writes ISO-8859-1. */
static void test_latin1(void **state) {
    (void)state;
    check_title("", "caf\xc3\xa9", BM_SYNTAX_XML, true);
    check_title("", "caf\xc3\xa9 au lait", BM_SYNTAX_XML, false);
    check_title("", "caf\xc3\xa9 au lait", BM_SYNTAX_XML, true);
    check_title("", "\xc3\xa9 is the only one in a title that is cut", BM_SYNTAX_JSON, false);
    char result[1024];
    /* 7 + 1 + 27 bytes are 35, of which the document has 34; with a number of two digits it is cut */
    assert_int_equal(rename_text("Query_9 \xe9"
                                 "bcdefghijklmnopqrstuvwxyz:  Query_9 \xe9"
                                 "bcdefghijklmnopqrstuvwxyz: text",
                                 BM_SYNTAX_XML, 9, 10, result),
                     BM_QUERY_RESTORED);
    assert_string_equal(result, "Query_10 \xe9"
                                "bcdefghijklmno.. :  Query_10 \xe9"
                                "bcdefghijklmno.. : text");
    /* 17 bytes of the title, then 16, which end in the middle of a character: BLAST fails there */
    assert_int_equal(rename_text("Query_1 x\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9.. :  Query_1 "
                                 "x\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9.. : text",
                                 BM_SYNTAX_XML, 1, 10, result),
                     BM_QUERY_LOST);
    assert_string_equal(result, "Query_10 x\xe9\xe9\xe9\xe9\xe9\xe9\xe9.. :  Query_10 "
                                "x\xe9\xe9\xe9\xe9\xe9\xe9\xe9.. : text");
    /* what is ISO-8859-1 and might be UTF-8 by chance: only the former has 25 bytes */
    assert_int_equal(rename_text("Query_1 \xc3\xa9 345678901234.. :  Query_1 \xc3\xa9 345678901234.. : text",
                                 BM_SYNTAX_XML, 1, 10, result),
                     BM_QUERY_RESTORED);
    assert_string_equal(result, "Query_10 \xc3\xa9 34567890123.. :  Query_10 \xc3\xa9 34567890123.. : text");
    /* JSON has bytes, be it half of a character */
    assert_int_equal(
        rename_text("Query_1 x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9.. :  "
                    "Query_1 x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9.. : text",
                    BM_SYNTAX_JSON, 1, 10, result),
        BM_QUERY_RESTORED);
    assert_string_equal(result,
                        "Query_10 x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3.. :  "
                        "Query_10 x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3.. : text");
}

static void test_other_messages(void **state) {
    (void)state;
    static const struct {
        const char *message;
        enum bm_number_query_prefix prefix;
    } cases[] = {
        {"", BM_QUERY_ABSENT},
        {"No hits found", BM_QUERY_ABSENT},
        {"Query", BM_QUERY_ABSENT},
        {"Query_", BM_QUERY_ABSENT},
        {"Query_x:  Query_x: text", BM_QUERY_ABSENT},
        {"P12345 title:  P12345 title: text", BM_QUERY_ABSENT},
        {"lcl|P12345:  lcl|P12345: text", BM_QUERY_ABSENT},
        {"Query_1", BM_QUERY_ODD},
        {"Query_1:", BM_QUERY_ODD},
        {"Query_1:  Query_1:", BM_QUERY_ODD},      /* a blank is missing */
        {"Query_1: Query_1: text", BM_QUERY_ODD},  /* another form */
        {"Query_1: text", BM_QUERY_ODD},           /* once only */
        {"Query_2:  Query_2: text", BM_QUERY_ODD}, /* another query's */
        {"Query_01:  Query_01: text", BM_QUERY_ODD},
        {"Query_1a:  Query_1a: text", BM_QUERY_ODD},
        {"Query_1 a:  Query_1 b: text", BM_QUERY_ODD},
        {"Query_1 longer than what BLAST shows:  Query_1 longer than what BLAST shows: text", BM_QUERY_ODD},
        {"Query_1 cut too early.. :  Query_1 cut too early.. : text", BM_QUERY_ODD},
        {"Query_1 \xff.. :  Query_1 \xff.. : text", BM_QUERY_ODD},
        {"Query_1 &:  Query_1 &: text", BM_QUERY_ODD}, /* nothing that XML is */
        {"Query_.. :  Query_.. : text", BM_QUERY_ABSENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char result[256];
        assert_int_equal(rename_text(cases[i].message, BM_SYNTAX_XML, 1, 10, result), cases[i].prefix);
        assert_string_equal(result, cases[i].message);
    }
}

/* References that are as long as can be, numbers that grow as much as can be: all fits in. */
static void test_longest(void **state) {
    (void)state;
    char title[512] = "Query_1 ";
    char message[2048];
    char result[4096];
    for (int i = 0; i < 20; i++) strcat(title, "&#x0000041;");
    snprintf(message, sizeof message, "%s:  %s: text", title, title);
    assert_int_equal(rename_text(message, BM_SYNTAX_XML, 1, 1234567, result), BM_QUERY_RESTORED);
    assert_int_equal(strlen(result), strlen(message) + 12);
    assert_int_equal(rename_text(message, BM_SYNTAX_XML, 1, UINT64_MAX, result), BM_QUERY_RESTORED);
    assert_string_equal(result, "Query_1844674407370955161.. :  Query_1844674407370955161.. : text");
}

/* Any bytes: nothing is read beyond the message, which lies at the end of its memory. */
static void test_noise(void **state) {
    (void)state;
    static const char *const pieces[] = {"Query_1", "Query_", " ",    ":  ",      ": ", ".. ",
                                         "a",       "&amp;",  "&",    "&#x41;",   "&#", "\\",
                                         "\\u",     "lcl|",   "\xe9", "\xc3\xa9", "1",  ";"};
    const size_t n_pieces = sizeof pieces / sizeof pieces[0];
    unsigned seed = 1;
    for (int round = 0; round < 200000; round++) {
        char text[1024];
        size_t n = 0;
        for (int i = 0; i < 14; i++) {
            seed = seed * 1103515245 + 12345;
            n += (size_t)sprintf(text + n, "%s", pieces[i == 0 ? 0 : (seed >> 16) % n_pieces]);
        }
        if (round % 2 == 0) { /* twice */
            memcpy(text + n, ":  ", 3);
            memcpy(text + n + 3, text, n);
            memcpy(text + n + 3 + n, ": ", 2);
            n += 3 + n + 2;
        }
        char *message = malloc(n);
        struct bm_number_query_message renamed;
        assert_non_null(message);
        memcpy(message, text, n);
        for (int form = BM_SYNTAX_PLAIN; form <= BM_SYNTAX_JSON; form++) {
            enum bm_number_query_prefix prefix =
                bm_number_query_rename(message, n, (enum bm_format_syntax)form, 1, 1 + seed % 100, &renamed);
            if (prefix == BM_QUERY_RESTORED) assert_true(renamed.n_old <= n && renamed.n_new <= n + 4);
        }
        free(message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),      cmocka_unit_test(test_ids),
        cmocka_unit_test(test_titles),      cmocka_unit_test(test_id_counts),
        cmocka_unit_test(test_id_overflow), cmocka_unit_test(test_messages),
        cmocka_unit_test(test_latin1),      cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_longest),     cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
