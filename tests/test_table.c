/* SPDX-License-Identifier: MIT */
/* The scanner of -outfmt 6, 7 and 10, and how a text's format is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mark/table/rows.h"
#include "test_mark.h"

#define AUTO      BLASTMERGE_FORMAT_AUTO
#define COMMENTED BLASTMERGE_FORMAT_COMMENTED
#define TABULAR   BLASTMERGE_FORMAT_TABULAR
#define CSV       BLASTMERGE_FORMAT_CSV

#define ROW       "q\ts\t43.333\t30\t17\t0\t24\t53\t759\t788\t2e-05\t 27.3\n"
#define COMMA_ROW "q,s,43.333,30,17,0,24,53,759,788,2e-05,27.3\n"
#define TABLE     "{DOC b}{ITERS=5}{BODY}{ITER}"
#define COMMAS    "{DOC b}{ITERS=6}{BODY}{ITER}"
#define END       "{ITERSEND}{/}{DOCEND}"
#define OPEN_END  "{ITERSEND o}{/}{DOCEND}"
#define DONE      "\nSearch has CONVERGED!\n"
#define PROGRAM   "# BLASTP 2.12.0+\n"
#define FIELDS    "# Fields: query id, subject id, evalue\n"

static struct trace scan_table(enum blastmerge_format format, const struct bytes *text, struct split split) {
    return scan_as(format, text, split, bm_mark_implementation(), BLASTMERGE_INVALID_UTF8_ERROR);
}

/* --- marks ----------------------------------------------------------------------------------- */

struct golden {
    const char *name;
    enum blastmerge_format format;
    const char *shown; /* without its marks it is the text */
    uint64_t n_iterations;
    uint64_t n_rows;
};

/* clang-format off */
static const struct golden goldens[] = {
    {"one row", AUTO, TABLE ROW "{FIELD}{HEADER}" END, 0, 1},
    {"rows", AUTO, TABLE ROW "{FIELD}{HEADER}" ROW ROW END, 0, 3},
    {"one row of commas", AUTO, COMMAS COMMA_ROW "{HEADER}" END, 0, 1},
    {"commas in names", AUTO, COMMAS COMMA_ROW "{HEADER}a,b," COMMA_ROW COMMA_ROW END, 0, 3},
    {"more columns", AUTO, TABLE "#q\ts\t1\t-1\t1\t1\t1\t1\t1\t1\t1\t1\ta, title\t\n{FIELD}{HEADER}#q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\t\t\xe9\r\n" END, 0, 2},
    {"other columns", TABULAR, TABLE "q\ttitle\n{FIELD}{HEADER}\t\n" END, 0, 2},
    {"one column", TABULAR, TABLE "# q\n{FIELD}{HEADER}Search has CONVERGED!\n[1]\n<a>\n" END, 0, 4},
    {"other columns of commas", CSV, COMMAS "q\n{HEADER}a,b,c\n,\n" END, 0, 3},
    {"PSI-BLAST", AUTO, TABLE ROW "{FIELD}{HEADER}" DONE ROW DONE END, 0, 2},
    {"PSI-BLAST without hits at first", AUTO, TABLE DONE DONE ROW "{FIELD}{HEADER}" DONE END, 0, 1},
    {"PSI-BLAST without hits", TABULAR, TABLE DONE DONE END, 0, 0},
    {"PSI-BLAST, commas", AUTO, COMMAS DONE COMMA_ROW "{HEADER}" DONE END, 0, 1},
    {"with comments", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}" PROGRAM "{FIELD}{FIELD}# Query: a\n# Database: nr\n{FIELD}" FIELDS "{FIELD}{HEADER}# 2 hits found\na\tb\t1\na\t\xe9\t2\n"
     "{ITEREND}{ITER}" PROGRAM "# Query: b\n# Database: nr\n# 0 hits found\n"
     "{ITEREND}{ITERSEND D=2}{/}# BLAST processed 2 queries\n{DOCEND}", 2, 2},
    {"no hits at all, and no line that says so", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# TBLASTN 2.2.30+\n{FIELD}{FIELD}# Query: a\n# Database: nr\n{FIELD}"
     "{ITEREND}{ITER}# TBLASTN 2.2.30+\n# Query: # BLAST\n# RID: X\n# Database: nr\n"
     "{HEADER}{ITEREND}{ITERSEND D=2}{/}# BLAST processed 2 queries\n{DOCEND}", 2, 0},
    {"no query", AUTO, "{DOC b}{ITERS=4}{BODY}{ITERSEND D=0}# BLAST processed 0 queries\n{DOCEND}", 0, 0},
    {"several documents", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}" PROGRAM "{FIELD}{FIELD}{HEADER}{ITEREND}{ITERSEND D=1}{/}# BLAST processed 1 queries\n"
     "{DOCEND}{DOC b}{ITERS=4}{BODY}{ITER}" PROGRAM "{FIELD}{FIELD}" FIELDS "{FIELD}{HEADER}# 1 hits found\n#\t\t\n"
     "{ITEREND}{ITERSEND D=1}{/}# BLAST processed 1 queries\n{DOCEND}", 2, 1},
    {"PSI-BLAST with comments, and fewer hits than it says", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# PSIBLAST 2.12.0+\n{FIELD}{FIELD}# Iteration: 1\n# Query: a\n" FIELDS "{FIELD}{HEADER}# 3 hits found\n#a\t\t\n" DONE
     "{ITEREND}{ITER}# PSIBLAST 2.12.0+\n# Iteration: 2\n# 0 hits found\n" DONE "{ITEREND}{ITERSEND D=2}{/}# BLAST processed 2 queries\n{DOCEND}", 2, 1},
    {"empty lines", AUTO, "\n" TABLE ROW "{FIELD}{HEADER}{SKIP}\n{/}{SKIP}\r\n{/}" ROW "{SKIP}\n{/}" "Sear\ts\t43.333\t30\t17\t0\t24\t53\t759\t788\t2e-05\t 27.3\n"
     "{SKIP}\n{/}" DONE "{SKIP}\r\n{/}" END, 0, 3},
    {"empty lines, commas", AUTO, COMMAS COMMA_ROW "{HEADER}{SKIP}\n{/}" COMMA_ROW "{SKIP}\n{/}{SKIP}\n{/}" END, 0, 2},
    {"empty lines alone", TABULAR, "\n\r\n", 0, 0},
    {"empty lines of one column", TABULAR, TABLE "a\n{FIELD}{HEADER}b\n{SKIP}\n{/}" END, 0, 2},
    {"empty lines behind a last line", AUTO, "{DOC b}{ITERS=4}{BODY}{ITERSEND D=0}# BLAST processed 0 queries\n\n\r\n{DOCEND}", 0, 0},
    {"PSI-BLAST, CR LF", AUTO, TABLE ROW "{FIELD}{HEADER}\r\nSearch has CONVERGED!\r\n" END, 0, 1},
    {"returns that begin rows", TABULAR, TABLE "a\tb\n{FIELD}{HEADER}\rc\td\n\r\te\n" END, 0, 3},
    {"no last line feed", AUTO, TABLE ROW "{FIELD}{HEADER}q\ts\t43.333\t30\t17\t0\t24\t53\t759\t788\t2e-05\t 27.3" OPEN_END, 0, 2},
    {"no last line feed, one row", AUTO, TABLE "q\ts\t43.333\t30\t17\t0\t24\t53\t759\t788\t2e-05\t 27.3{FIELD}{HEADER}" OPEN_END, 0, 1},
    {"no last line feed, a title", TABULAR, TABLE "a\tb\n{FIELD}{HEADER}a\tan e.g. of a title that is longer than what is kept of a row's end, and has no tab" OPEN_END, 0, 2},
    {"no last line feed, CR LF", TABULAR, TABLE "a\tb\r\n{FIELD}{HEADER}c\td{ITERSEND or}{/}{DOCEND}", 0, 2},
    {"no last line feed behind a return", TABULAR, TABLE "a\tb\r\n{FIELD}{HEADER}c\td\r" OPEN_END, 0, 2},
    {"no last line feed, commas", AUTO, COMMAS COMMA_ROW "{HEADER}q,s,43.333,30,17,0,24,53,759,788,2e-05,27" OPEN_END, 0, 2},
    {"no last line feed, PSI-BLAST", AUTO, TABLE ROW "{FIELD}{HEADER}\nSearch has CONVERGED!" OPEN_END, 0, 1},
    {"no last line feed, comments", AUTO, "{DOC b}{ITERS=4}{BODY}{ITER}" PROGRAM "{FIELD}{FIELD}{HEADER}{ITEREND}{ITERSEND D=1}{/}# BLAST processed 1 queries{DOCEND}", 1, 0},
    {"a row of names", AUTO, TABLE "{SKIP k}qseqid\tsseqid\tevalue\n{/}{FIELD}{FIELD}{HEADER}a\tb\t1\n" END, 0, 1},
    {"a row of names alone", AUTO, TABLE "{SKIP k}qseqid\tsseqid\tevalue\r\n{/}{FIELD}{FIELD}{HEADER}" END, 0, 0},
    {"a row of names again", TABULAR, TABLE "{SKIP k}qseqid\tevalue\n{/}{FIELD}{FIELD}{HEADER}a\t1\n{SKIP}qseqid\tevalue\n{/}b\t1\n{SKIP}\n{/}{SKIP}qseqid\tevalue\r\n{/}"
     "qseqid\tevalue\rx\nqseqid\tevalu\nqseqid\tevalue2\n{SKIP}qseqid\tevalue{/}" END, 0, 5},
    {"a row of other names", TABULAR, TABLE "{SKIP k}gene\tprotein\tscore\n{/}{FIELD}{FIELD}{HEADER}a\tb\t1\n" END, 0, 1},
    {"a row of any names", TABULAR, TABLE "{SKIP k}gene\tprotein\tx\ty\n{/}{FIELD}{FIELD}{HEADER}a\tb\t1\t2\n" END, 0, 1},
    {"a row of any names, BLAST's columns", AUTO, TABLE "{SKIP k}a\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\n{/}{FIELD}{FIELD}{HEADER}" ROW END, 0, 1},
    {"quoted names, commas", AUTO, COMMAS "{SKIP k}\"qseqid\",\"sseqid\",\"E-value\"\n{/}{FIELD}{HEADER}a,b,1\na,\"b,c\",1\n" END, 0, 2},
    {"names behind a sign", AUTO, TABLE "{SKIP k}# qseqid\tsseqid\t% identity\n{/}{FIELD}{FIELD}{HEADER}a\tb\t1\n" END, 0, 1},
    {"no names: a number", TABULAR, TABLE "qseqid\tscore\t1\n{FIELD}{HEADER}a\t1\t2\n" END, 0, 2},
    {"names beside a number", TABULAR, TABLE "{SKIP k}qseqid\tevalue\t1\n{/}{FIELD}{FIELD}{HEADER}a\t1\t2\n" END, 0, 1},
    {"names behind an empty field", TABULAR, TABLE "{SKIP k}\tqseqid\tevalue\n{/}{FIELD}{FIELD}{HEADER}0\ta\t1\n" END, 0, 1},
    {"a byte order mark before rows", AUTO, "\xef\xbb\xbf" TABLE ROW "{FIELD}{HEADER}" END, 0, 1},
    {"a byte order mark before names", TABULAR, "\xef\xbb\xbf" TABLE "{SKIP k}qseqid\tevalue\n{/}{FIELD}{FIELD}{HEADER}a\t1\n" END, 0, 1},
    {"no names: a missing value", TABULAR, TABLE "a\tb\tN/A\tN/A\n{FIELD}{HEADER}a\tb\t9606\t1\n" END, 0, 2},
    {"no names: nothing says so", TABULAR, TABLE "a\tb\n{FIELD}{HEADER}c\td\n" END, 0, 2},
    {"no names: one number may be a query's", TABULAR, TABLE "a\tb\n{FIELD}{HEADER}1\td\n" END, 0, 2},
    {"no names: BLAST's name for a query", TABULAR, TABLE "Query_1\tevalue\n{FIELD}{HEADER}Query_1\t1\n" END, 0, 2},
    {"blastall -m 9", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# BLASTP 2.2.26 [Sep-21-2011]\n{FIELD}{FIELD}# Query: a\n# Database: nr\n{FIELD}" FIELDS "{FIELD}{HEADER}a\tb\t1\na\tb\t2\n"
     "{ITEREND}{ITER}# BLASTP 2.2.26 [Sep-21-2011]\n# Query: b\n# Database: nr\n" FIELDS "{SKIP}\n{/}{ITEREND}" END, 2, 2},
    {"blastall -m 9, no last line feed", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# RPS-BLAST 2.2.26 [Sep-21-2011]\n{FIELD}{FIELD}" FIELDS "{FIELD}{HEADER}a\tb\t1{ITEREND}" OPEN_END, 1, 1},
    {"the web's", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# blastp\n{FIELD}# Iteration: 0\n# Query: a\n# RID: X\n# Database: nr\n{FIELD}" FIELDS "{FIELD}{HEADER}# 1 hits found\na\tb\t1\n"
     "{SKIP}\n{/}{ITEREND}{ITER}# blastp\n# Query: b\n# Database: nr\n# 0 hits found{ITEREND}" OPEN_END, 2, 1},
    {"the web's, with a last line", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# blastn\n{FIELD}# Query: a\n# Database: nr\n{FIELD}# 0 hits found\n{SKIP}\n{/}"
     "{HEADER}{ITEREND}{ITERSEND D=1}{/}# BLAST processed 1 queries\n\n{DOCEND}", 1, 0},
    {"returns", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# BLASTP 2.12.0+\r\n{FIELD}{FIELD}" FIELDS "{FIELD}{HEADER}# 1 hits found\r\na\tb\t1\r\n"
     "{ITEREND}{ITERSEND D=1}{/}# BLAST processed 1 queries\r\n{DOCEND}", 1, 1},
};

/* Where queries are told. */
#define TOLD "{DOC b}{ITERS=4}{BODY}{ITER}" PROGRAM "{FIELD}{FIELD}# Query: "
#define TOLD_END   "{ITEREND}{ITERSEND D=1}{/}# BLAST processed 1 queries\n{DOCEND}"
#define TOLD_END_3 "{ITEREND}{ITERSEND D=3}{/}# BLAST processed 3 queries\n{DOCEND}"

static const struct golden told[] = {
    {"named", AUTO, TOLD "{ID=1}Query{/}\n" FIELDS "{FIELD}{HEADER}# 1 hits found\nQuery_1\tb\t1\n" TOLD_END, 1, 1},
    {"without a name", AUTO, TOLD "{ID b=1}{/}\n" FIELDS "{FIELD}{HEADER}# 3 hits found\n{ROW}Query_1{/}\tQuery_1\t1\n#Query_1\tb\t1\nQuery_\tb\t1\n" TOLD_END, 1, 3},
    {"BLAST's own name", AUTO, TOLD "{ID=1}Query_12{/}\r\n# Fields: subject id, query acc., query acc.ver, query gi, query id\n{FIELD}{HEADER}# 1 hits found\n"
     "Query_12\t{ROW}Query_12{/}\t{ROW}Query_123{/}\tQuery_1\t{ROW}Query_999999999999999999{/}\n" TOLD_END, 1, 1},
    {"names that are another's", AUTO, TOLD "{ID b=1}{/}\r\n" FIELDS "{FIELD}{HEADER}# 7 hits found\nQuery_01\tb\t1\nquery_1\tb\t1\nQuery_1a\tb\t1\n"
     "Query_1000000000000000000\tb\t1\n Query_1\tb\t1\nQuery_1 \tb\t1\n\tQuery_1\t1\n" TOLD_END, 1, 7},
    {"titles that are another's", AUTO, TOLD "{ID=1}Query_7 of a user{/}\n" FIELDS "{FIELD}{HEADER}# 1 hits found\nQuery_7\tb\t1\n" TOLD_END, 1, 1},
    {"a long title", AUTO, TOLD "{ID -=1}Query_1 012345678901234567890123456789012345678901234567{/}8901234567890\n{HEADER}" TOLD_END, 1, 0},
    {"several queries", AUTO, TOLD "{ID b=1}{/}\n# 0 hits found\n{ITEREND}{ITER}" PROGRAM "# Query: {ID=2}a{/}\n" FIELDS "{FIELD}{HEADER}# 1 hits found\nQuery_1\tb\t1\n"
     "{ITEREND}{ITER}" PROGRAM "# Query: {ID=3}Query_1{/}\n# Query: {ID=3}b{/}\n" TOLD_END_3, 3, 1},
    {"PSI-BLAST's rounds", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# PSIBLAST 2.12.0+\n{FIELD}{FIELD}# Iteration: 1\n# Query: {ID b=1}{/}\n" FIELDS "{FIELD}{HEADER}# 1 hits found\n{ROW}Query_1{/}\t\t\n"
     "{ITEREND}{ITER}# PSIBLAST 2.12.0+\n# Iteration: 2\n# Query: {ID b=1}{/}\n# 0 hits found\n"
     "{ITEREND}{ITER}# PSIBLAST 2.12.0+\n# Iteration: 1\n# Query: {ID b=2}{/}\n# 0 hits found\n" TOLD_END_3, 3, 1},
    {"a first round that is not the first", AUTO,
     "{DOC b}{ITERS=4}{BODY}{ITER}# PSIBLAST 2.12.0+\n{FIELD}{FIELD}# Iteration: 2\n# Query: {ID b=1}{/}\n{HEADER}" TOLD_END, 1, 0},
    {"without comments", AUTO, TABLE "{ROW}Query_7{/}" "\ts\t43.333\t30\t17\t0\t24\t53\t759\t788\t2e-05\t 27.3\n{FIELD}{HEADER}" ROW ROW
     "{ROW}Query_8{/}" "\tQuery_1\t1\t30\t17\t0\t24\t53\t759\t788\t2e-05\t 27.3\n" END, 0, 4},
    {"commas", AUTO, COMMAS "{ROW}Query_1{/},s,1,2,3,4,5,6,7,8,9,10\n{HEADER}" COMMA_ROW "{ROW}Query_1{/},s,1,2,3,4,5,6,7,8,9,10\n" END, 0, 3},
    {"one column", TABULAR, TABLE "{ROW}Query_1{/}\n{FIELD}{HEADER}Q9\n{ROW}Query_2{/}\nQuery_2 \nQ\nQuery_\n" END, 0, 6},
};
/* clang-format on */

static void check_all_splits(enum blastmerge_format format, const struct bytes *text) {
    static const size_t sizes[] = {1, 2, 3, 5, 7, 61, 63, 64, 65, 127};
    struct trace expected = scan_table(format, text, whole);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct trace trace = scan_table(format, text, (struct split){0, sizes[i], {0}});
        assert_true(same_traces(&trace, &expected));
        free_trace(&trace);
    }
    for (size_t first = 1; first < text->n_data; first++) {
        struct trace trace = scan_table(format, text, (struct split){first, SIZE_MAX, {0}});
        if (!same_traces(&trace, &expected)) {
            fail_msg("split at %zu: %s\n%s", first, trace.error.message,
                     (const char *)show_marks(text, &trace).data);
        }
        free_trace(&trace);
    }
    free_trace(&expected);
}

static void check_marks(const struct golden *golden) {
    struct bytes text = hide_marks(golden->shown);
    struct trace trace = scan_table(golden->format, &text, whole);
    struct bytes shown = show_marks(&text, &trace);
    if (trace.status != BLASTMERGE_OK || strcmp((const char *)shown.data, golden->shown) != 0) {
        fail_msg("%s: %s\nexpected %s\nbut got  %s", golden->name, trace.error.message, golden->shown,
                 (const char *)shown.data);
    }
    assert_int_equal(trace.counts.n_iterations, golden->n_iterations);
    assert_int_equal(trace.counts.n_hsps, golden->n_rows);
    check_all_splits(golden->format, &text);
    free_bytes(&shown);
    free_trace(&trace);
    free_bytes(&text);
}

static void test_marks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) check_marks(&goldens[i]);
}

static void test_queries_are_told(void **state) {
    (void)state;
    tells_queries = true;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) check_marks(&told[i]);
    tells_queries = false;
}

/* A query's name ends with its field, or with the row where that is the only one. */
static void test_queries_of_rows_with_one_field(void **state) {
    (void)state;
    struct bytes text = {0};
    add_bytes(&text, COMMA_ROW, sizeof COMMA_ROW - 1); /* BLAST's own columns */
    for (unsigned i = 0; i < 40; i++) {
        char row[64];
        int n = snprintf(row, sizeof row, i % 3 == 2 ? "lone%.*s\n" : "q%.*s,s\n", (int)(i % 13),
                         "abcdefghijklm");
        add_bytes(&text, row, (size_t)n);
    }
    check_all_splits(CSV, &text);
    free_bytes(&text);
}

/* --- what is refused ------------------------------------------------------------------------- */

struct rule {
    enum blastmerge_format format;
    const char *text; /* '@' stands where the error is, and is not part of it */
    const char *message;
};

#define QUERY PROGRAM "# Query: a\n"
#define OLD   "# BLASTP 2.2.26 [Sep-21-2011]\n# Query: a\n# Database: nr\n"
#define WEB   "# blastp\n# Iteration: 0\n# Query: a\n# RID: X\n# Database: nr\n" FIELDS

static const struct rule rules[] = {
    {AUTO, ROW "@q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\n", "has 11 fields, but 12 were"},
    {AUTO, ROW "@q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\n", "has 13 fields"},
    {AUTO, ROW ROW "@x\n" ROW, "has 1 field,"},
    {AUTO, ROW ROW "q\t@", "ends inside a line: it is cut short"},
    {AUTO, ROW "\n@Search has converged!\n", "has 1 field, but 12 were"},
    {AUTO, ROW "\nSearch has@", "ends inside a line"},
    {TABULAR, "a\n@\nb\n", "\"Search has CONVERGED!\" does not follow"},
    /* a last line that does not end, and is not whole */
    {AUTO, "q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1@", "ends inside a line: it is cut short"},
    {AUTO, ROW "q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1@", "ends inside a line: it is cut short"},
    {AUTO, ROW "q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t@", "ends inside a line: it is cut short"},
    {AUTO, ROW "q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t27.@", "ends inside a line: it is cut short"},
    {AUTO, ROW "q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t 2e-@", "ends inside a line: it is cut short"},
    {AUTO, ROW "q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t-\r@", "ends inside a line: it is cut short"},
    {AUTO, COMMA_ROW "q,s,1,2,3,4,5,6,7,8,9@", "ends inside a line: it is cut short"},
    {AUTO, COMMA_ROW "a,q,s,1,2,3,4,5,6,7,8,9,10@",
     "ends inside a line: it is cut short"}, /* a comma in a name, or in a title */
    {TABULAR, "a\tb@", "ends inside a line: it is cut short"},
    {TABULAR, "qseqid\tsseqid@", "ends inside a line: it is cut short"},
    {AUTO, ROW "\r@", "ends inside a line: it is cut short"},
    {AUTO, COMMA_ROW COMMA_ROW "@a,b,1,2,3,4,5,6,7,8,9\n" COMMA_ROW COMMA_ROW, "at least 12 were"},
    {TABULAR, "a\tb\n@a\n", "has 1 field, but 2 were"},
    {TABULAR, "a\tb\n@a\tb\tc\n", "has 3 fields, but 2 were"},
    /* -outfmt 7 */
    {COMMENTED, "@\n", "\"# BLASTP VERSION\" or the like was expected here"},
    {COMMENTED, "@\r\n\r\n\n", "\"# BLASTP VERSION\" or the like was expected here"},
    {COMMENTED, "@\nSearch has CONVERGED!\n", "\"# BLASTP VERSION\" or the like was expected here"},
    {AUTO, QUERY "# 0 hits found\n@", "without its last line, \"# BLAST processed N queries\""},
    {AUTO, QUERY FIELDS "# 1 hits found\na\tb\tc\n@", "without its last line"},
    {AUTO, QUERY FIELDS "# 1 hits found\na\tb\tc\n@a\tb\tc\n",
     "more lines of hits than \"# 1 hits found\" states"},
    {AUTO, QUERY "# 0 hits found\n@a\tb\tc\n", "more lines of hits than \"# 0 hits found\" states"},
    {AUTO, QUERY FIELDS "@a\tb\tc\n", "a comment line (\"# \") was expected"},
    {AUTO, QUERY "# 0 hits found\n@#a\n", "a comment line (\"# \") was expected"},
    {AUTO, QUERY FIELDS "# 2 hits found\na\tb\tc\n@a\tb\n", "has 2 fields, but 3 were"},
    {AUTO, QUERY "@# 1 hits found\n", "no \"# Fields:\" line before"},
    {AUTO, QUERY "# 0 hits found\n@# Query: b\n", "\"# BLASTP VERSION\" or the like was expected"},
    {AUTO, "@# Query: b\n", "\"# BLASTP VERSION\" or the like was expected"},
    {AUTO, "# blastp\n@", "ends inside a query's part: it is cut short"},
    {AUTO, WEB "# 2 hits found\na\tb\tc\n@", "ends inside a query's part: it is cut short"},
    {AUTO, WEB "# 2 hits found\na\tb\tc\n@\n", "the line here is empty"},
    {AUTO, WEB "@\n# 2 hits found\n", "the line here is empty"},
    {AUTO, WEB "# 1 hits found\na\tb\tc\n\n@a\tb\tc\n", "a comment line (\"# \") was expected"},
    {AUTO, WEB "# 0 hits found\n@" PROGRAM, "its form is BLAST+'s (-outfmt 7), but the hit table of NCBI's"},
    {AUTO, OLD "@", "ends inside a query's part: it is cut short"},
    {AUTO, OLD FIELDS "a\tb\tc\n\n@a\tb\tc\n", "a comment line (\"# \") was expected"},
    {AUTO, OLD FIELDS "@a\tb\n", "has 2 fields, but 3 were"},
    {AUTO, OLD FIELDS "a\tb\tc\na\tb@", "ends inside a line: it is cut short"},
    {AUTO, OLD FIELDS "a\tb\tc\n@" QUERY, "its form is BLAST+'s (-outfmt 7), but blastall's"},
    {AUTO, "# BLASTP 2@", "ends inside a line"},
    {AUTO, QUERY "@# BLAST processed 1 query\n", "\"# BLAST processed N queries\" was expected"},
    {AUTO, QUERY "@# BLAST processed  queries\n", "\"# BLAST processed N queries\" was expected"},
    {AUTO, QUERY "@# BLAST processed 1 queries and more than fits into sixty-four bytes of it\n",
     "was expected"},
    {AUTO, QUERY "@# BLAST processed 1000000000000000000 queries\n", "was expected"},
    {AUTO, QUERY "# BLAST processed 1 queries\n@# BLAST processed 1 queries\n", "\"# BLASTP VERSION\""},
    {AUTO, QUERY "# BLAST processed 1 queries\n@a\tb\tc\n", "\"# BLASTP VERSION\" or the like was"},
    {AUTO, QUERY QUERY "@# BLAST processed 3 queries\n",
     "\"# BLAST processed 3 queries\" is the last line, but the table has 2 parts that begin with"},
    {AUTO, QUERY "@# BLAST processed 250 queries\n", "but the table has 1 part that begins with"},
    {AUTO, QUERY QUERY "@# BLAST processed 1 queries\n", "it was cut short and continued"},
    {AUTO, "@# BLAST processed 1 queries\n", "but the table has 0 parts that"},
    {AUTO, QUERY "@# BLAST processed 0 queries\n", "but the table has 1 part that"},
    {AUTO, QUERY "# BLAST processed 1 queries\n" QUERY QUERY "@# BLAST processed 3 queries\n", "has 2 parts"},
    {AUTO, QUERY "# BLAST processed 1 queries\n@# BLAST processed 0 queries\n", "\"# BLASTP VERSION\""},
    {AUTO, QUERY "@\n# 0 hits found\n", "the line here is empty"},
    {AUTO, QUERY "# BLAST processed 1 queries\n\n@Search has CONVERGED!\n",
     "\"# BLASTP VERSION\" or the like was"},
    {AUTO, QUERY "# BLAST processed 1 querie@", "ends inside a line: it is cut short"},
    {AUTO, QUERY "# Query: \x07@", "ends inside a line"},
    {COMMENTED, "@" ROW,
     "it is a BLAST table (-outfmt 6), but a BLAST table with comments (-outfmt 7) was expected"},
    {COMMENTED, "@a\tb\n", "\"# BLASTP VERSION\" or the like was expected here; it begins with \"a\\tb\""},
    {COMMENTED, "@<BlastOutput>", "it looks like BLAST XML (-outfmt 5)"},
    /* what it is */
    {AUTO, "@q\ts\t1\n", "--format tabular or --format csv accepts it"},
    /* rows, but for their first bytes */
    {AUTO, "@Q*M\x18q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\n", "it looks like Zstandard data"},
    {AUTO, "@BZh91AY&SYq\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\n", "it looks like bzip2 data"},
    {AUTO,
     "@\xfd"
     "7zXZ\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\n",
     "it looks like xz data"},
    /* names with commas behind a tab: a second child of them would be refused */
    {AUTO, "@a\tb: query id, subject id, evalue\nq,s,1\n", "--format tabular or --format csv accepts it"},
    {AUTO, "@a,b,c,d,e,f,g,h,i,j,k,l\n", "not output of BLAST that can be merged"},
    {AUTO, "@q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\tx\n", "not output of BLAST"},
    {AUTO, "@q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t.\n", "not output of BLAST"},
    {AUTO, "@q\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t\n", "not output of BLAST"},
    {AUTO, "@Error: no such database\n", "not output of BLAST"},
    {AUTO, "@#!/bin/sh\n", "not output of BLAST"},
    {AUTO, "@\x0fqseqid\tsseqid\tsstart\n", "not output of BLAST"},
    {AUTO, "\n@\x0fqseqid\tsseqid\tsstart\n",
     "U+00000F is not legal"}, /* empty lines in front change nothing */
    {AUTO, "@#", "not output of BLAST"},
    {AUTO,
     "@"
     "@HD\t",
     "SAM (-outfmt 17), which samtools merges"},
    {AUTO, "@BLASTP 2.12.0+\n\n\n", "a plain BLAST report (-outfmt 0 to 4)"},
    {AUTO, "@Blast4-request ::= {\n", "search with -outfmt 11, or 5"},
    {TABULAR, "@Blast4-archive ::= {\n", "which --format archive accepts"},
};

/* The text of a rule and where its '@' stood. */
static struct bytes take_rule(const struct rule *rule, size_t *place) {
    struct bytes text = {0};
    const char *at = strchr(rule->text, '@');
    *place = at == NULL ? SIZE_MAX : (size_t)(at - rule->text);
    if (at != NULL) add_bytes(&text, rule->text, *place);
    add_text(&text, at == NULL ? rule->text : at + 1);
    return text;
}

static void test_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t place;
        struct bytes text = take_rule(&rules[i], &place);
        struct trace trace = scan_table(rules[i].format, &text, whole);
        bool is_right = trace.status != BLASTMERGE_OK &&
                        (place == SIZE_MAX || trace.error.text_offset == place) &&
                        strstr(trace.error.message, rules[i].message) != NULL;
        if (!is_right) {
            fail_msg("%s: status %d at %d, not %d: %s", rules[i].text, (int)trace.status,
                     (int)trace.error.text_offset, (int)place, trace.error.message);
        }
        check_all_splits(rules[i].format, &text);
        free_trace(&trace);
        free_bytes(&text);
    }
}

/* --- long tables ----------------------------------------------------------------------------- */

/* A table of three columns, some rows of which are long; in one of them something may be wrong, and then it
 * is returned where that row begins, else SIZE_MAX. */
static size_t make_table(struct bytes *text, struct chance *chance, bool has_comments, bool is_wrong) {
    static const char *const values[] = {"", "1", "2e-05", "sp|P12345|X_Y", "#", "a, b", "\xe9t\xe9", "\r"};
    static const char *const names[] = {"b", "b", "b", "Query_7", "Query_", "Q9XYZ1"};
    size_t n_rows = 1 + below(chance, 80);
    size_t wrong = is_wrong ? 1 + below(chance, n_rows) : SIZE_MAX;
    size_t place = SIZE_MAX;
    char line[64];
    if (has_comments) {
        snprintf(line, sizeof line, "# %zu hits found\n", n_rows + 1);
        add_text(text, QUERY FIELDS);
        add_text(text, line);
    }
    for (size_t i = 0; i <= n_rows; i++) {
        size_t n_fields = i == wrong ? 2 + 2 * below(chance, 2) : 3;
        if (i == wrong) place = text->n_data;
        add_text(text, i == 0 ? "a" : PICK(chance, names));
        for (size_t j = 1; j < n_fields; j++) {
            add_text(text, "\t");
            add_text(text, PICK(chance, values));
            if (below(chance, 40) == 0) add_repeated(text, "MKV", below(chance, 400));
        }
        add_text(text, "\n");
    }
    if (has_comments) add_text(text, "# BLAST processed 1 queries\n");
    return place;
}

static void test_long_tables(void **state) {
    (void)state;
    struct chance chance = {7};
    for (int i = 0; i < 600; i++) {
        struct bytes text = {0};
        bool has_comments = i % 2 == 0;
        tells_queries = i % 5 < 2;
        size_t place = make_table(&text, &chance, has_comments, i % 3 == 0);
        enum blastmerge_format format = has_comments ? COMMENTED : TABULAR;
        struct trace expected = scan_table(format, &text, (struct split){0, 1, {0}}); /* no block is taken */
        assert_int_equal(expected.status, place == SIZE_MAX ? BLASTMERGE_OK : BLASTMERGE_DATA);
        if (place != SIZE_MAX) assert_int_equal(expected.error.text_offset, place);
        for (unsigned j = 0; j < 4; j++) {
            struct trace trace = scan_table(format, &text, j == 0 ? whole : (struct split){0, 0, {j}});
            assert_true(same_traces(&trace, &expected));
            free_trace(&trace);
        }
        free_trace(&expected);
        free_bytes(&text);
    }
    tells_queries = false;
}

/* A bare table of a few queries, whose lines end at any place of a block. An empty line may stand behind a row, and begins
 * no query. A row may be damaged. Returns how many queries must be counted: the last one of a damaged table has no end. */
static size_t make_queries(struct bytes *text, struct chance *chance, bool is_damaged) {
    char name[2] = "a";
    size_t n_rows = 2 + below(chance, 20), n_begun = 0;
    size_t damaged = is_damaged ? 1 + below(chance, n_rows - 1) : SIZE_MAX;
    for (size_t i = 0; i < n_rows; i++) {
        bool is_next = i == 0 || below(chance, 3) == 0;
        if (is_next) name[0] = (char)('a' + (name[0] - 'a' + 1) % 26);
        add_repeated(text, name, 1); /* no name comes twice: there are at most 21 */
        add_text(text, "\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10");
        add_repeated(text, "0", below(chance, 70));
        if (i == damaged) {
            add_text(text, below(chance, 2) == 0 ? "\n" : "\t\t\n");
            return n_begun - 1;
        }
        add_text(text, "\t11\n");
        n_begun += is_next;
        if (below(chance, 4) == 0) add_text(text, "\n");
    }
    return n_begun;
}

static void test_counted_queries(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        struct chance chance = {i};
        struct bytes text = {0};
        size_t n_expected = make_queries(&text, &chance, i % 2 == 0);
        struct trace expected = scan_table(TABULAR, &text, (struct split){0, 1, {0}});
        size_t n_counted = 0;
        for (size_t class = 0; class < BM_MARK_CLASSES; class ++) n_counted += expected.counts.by_hits[class];
        assert_int_equal(expected.status, i % 2 == 0 ? BLASTMERGE_DATA : BLASTMERGE_OK);
        assert_int_equal(n_counted, n_expected);
        assert_int_equal(expected.counts.n_again, 0);
        for (unsigned j = 0; j < 4; j++) {
            struct trace trace = scan_table(TABULAR, &text, j == 0 ? whole : (struct split){0, 0, {j}});
            assert_true(same_traces(&trace, &expected));
            free_trace(&trace);
        }
        free_trace(&expected);
        free_bytes(&text);
    }
}

/* A line has no ceiling, and is not kept. */
static void test_long_lines(void **state) {
    (void)state;
    struct bytes text = {0};
    add_text(&text, "# BLASTP 2.12.0+\n# Query: ");
    add_repeated(&text, "0123456789", 100000);
    add_text(&text, "\n" FIELDS "# 2 hits found\n");
    for (int i = 0; i < 2; i++) {
        add_repeated(&text, "0123456789", 100000);
        add_text(&text, "\tb\tc\n");
    }
    add_text(&text, "# BLAST processed 1 queries\n");
    struct trace trace = scan_table(AUTO, &text, whole);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    assert_int_equal(trace.counts.n_hsps, 2);
    free_trace(&trace);
    free_bytes(&text);
}

static struct bytes make_fields(size_t n_fields) {
    struct bytes text = {0};
    add_text(&text, QUERY "# Fields: ");
    add_repeated(&text, "a, ", (n_fields - 1) / 3);
    add_repeated(&text, "b", n_fields - 1 - (n_fields - 1) / 3 * 3);
    add_text(&text, "a\n# BLAST processed 1 queries\n");
    return text;
}

static void test_long_fields(void **state) {
    (void)state;
    const size_t n_name = strlen(" Fields: ");
    struct bytes fits = make_fields(BM_TABLE_KEPT - 1 - n_name);
    struct bytes is_long = make_fields(BM_TABLE_KEPT - n_name);
    struct trace fine = scan_table(AUTO, &fits, whole);
    struct trace refused = scan_table(AUTO, &is_long, whole);
    assert_int_equal(fine.status, BLASTMERGE_OK);
    assert_int_equal(refused.status, BLASTMERGE_DATA);
    assert_non_null(strstr(refused.error.message, "longer than 4096 bytes"));
    free_trace(&fine);
    free_trace(&refused);
    free_bytes(&fits);
    free_bytes(&is_long);
}

/* --- formats of later children --------------------------------------------------------------- */

/* A whole child; the first error's status. */
static enum blastmerge_status scan_child(struct bm_mark *mark, const char *text, char *message) {
    struct bm_mark_list list;
    struct blastmerge_error error = {0};
    enum blastmerge_status status = BLASTMERGE_OK;
    bm_mark_reset(mark);
    for (size_t at = 0, n_used = 0; status == BLASTMERGE_OK && at < strlen(text); at += n_used) {
        list.n_entries = 0;
        status = bm_mark_step(mark, (const uint8_t *)text + at, strlen(text) - at, &n_used, &list, &error);
    }
    while (status == BLASTMERGE_OK && !bm_mark_is_finished(mark)) {
        list.n_entries = 0;
        status = bm_mark_finish(mark, &list, &error);
    }
    strcpy(message, error.message);
    return status;
}

static void test_later_children(void **state) {
    (void)state;
    static const struct {
        const char *first;
        const char *next;
        enum blastmerge_status status;
        const char *message;
    } pairs[] = {
        {ROW, ROW, BLASTMERGE_OK, ""},
        {ROW, "q\ts\n", BLASTMERGE_OK, ""}, /* another number of columns: the headers say so */
        {ROW, DONE, BLASTMERGE_OK, ""},
        {COMMA_ROW, "a,b," COMMA_ROW, BLASTMERGE_OK, ""},
        {COMMA_ROW, "a,b,c\n", BLASTMERGE_DATA, "at least 12"},
        {ROW, COMMA_ROW, BLASTMERGE_MISMATCH,
         "it is a BLAST table with commas (-outfmt 10), but a BLAST table (-outfmt 6) came before"},
        {ROW, PROGRAM, BLASTMERGE_MISMATCH, "with comments (-outfmt 7), but a BLAST table (-outfmt 6)"},
        {PROGRAM "# BLAST processed 1 queries\n", ROW, BLASTMERGE_MISMATCH,
         "a BLAST table (-outfmt 6), but a BLAST table with"},
        {ROW, "<BlastOutput>", BLASTMERGE_MISMATCH, "BLAST XML (-outfmt 5), but a BLAST table (-outfmt 6)"},
        {ROW, "<BlastXML2>", BLASTMERGE_MISMATCH, "BLAST XML2 (-outfmt 16), but a BLAST table"},
        {ROW, "{}", BLASTMERGE_MISMATCH, "BLAST JSON (-outfmt 15), but a BLAST table"},
        {"<BlastXML2/>", "<BlastOutput/>", BLASTMERGE_MISMATCH,
         "BLAST XML (-outfmt 5), but BLAST XML2 (-outfmt 16)"},
        {"<BlastXML2/>", ROW, BLASTMERGE_MISMATCH, "a BLAST table (-outfmt 6), but BLAST XML2"},
        {"<BlastXML2/>", "a table", BLASTMERGE_DATA, "this is not BLAST XML2 (-outfmt 16)"},
        {ROW, "no such file\n", BLASTMERGE_OK, ""}, /* a row of one column: the headers say so */
        {ROW, "Error: no such file\n", BLASTMERGE_DATA, "it looks like a program's message"},
        {ROW, "\n\r\n", BLASTMERGE_OK, ""},
        {ROW, "# DIAMOND v2.1.3.\n", BLASTMERGE_DATA, "it looks like DIAMOND's table with comments"},
        {ROW, "a\ts\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1", BLASTMERGE_OK, ""},
        {"qseqid\tsseqid\tevalue\n", "a\tb\t1", BLASTMERGE_OK, ""}, /* as many as the first child's */
        {"qseqid\tsseqid\tevalue\n", "a\tb", BLASTMERGE_DATA, "inside a line"},
        {OLD FIELDS, WEB "# 0 hits found\n", BLASTMERGE_MISMATCH,
         "its form is the hit table of NCBI's web pages"},
        {QUERY "# BLAST processed 1 queries\n", OLD FIELDS, BLASTMERGE_MISMATCH,
         "its form is blastall's (-m 9), but BLAST+'s (-outfmt 7) came before"},
        {ROW, "BLASTP 2.12.0+\n", BLASTMERGE_DATA, "it looks like a plain BLAST report"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct bm_memory memory;
        struct bm_mark *mark = NULL;
        char message[1024];
        bm_memory_open(&memory, NULL);
        assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_ERROR), BLASTMERGE_OK);
        assert_int_equal(bm_mark_format(mark), AUTO);
        assert_int_equal(scan_child(mark, pairs[i].first, message), BLASTMERGE_OK);
        enum blastmerge_format format = bm_mark_format(mark);
        enum blastmerge_status status = scan_child(mark, pairs[i].next, message);
        if (status != pairs[i].status || strstr(message, pairs[i].message) == NULL) {
            fail_msg("%s: status %d: %s", pairs[i].next, (int)status, message);
        }
        assert_int_equal(bm_mark_format(mark), format);
        bm_mark_close(mark, &memory);
    }
}

/* --- blocks ---------------------------------------------------------------------------------- */

static struct bm_rows find_slowly(const uint8_t *p, char separator) {
    struct bm_rows rows = {0, 0, 0, 0, 0};
    for (unsigned i = 0; i < BM_ROWS_BLOCK; i++) {
        rows.newlines |= (uint64_t)(p[i] == '\n') << i;
        rows.separators |= (uint64_t)(p[i] == (uint8_t)separator) << i;
        rows.starts |= (uint64_t)(p[i] == '#') << i;
        rows.returns |= (uint64_t)(p[i] == '\r') << i;
        rows.zeros |= (uint64_t)(p[i] == 0) << i;
    }
    return rows;
}

static void check_rows(const struct bm_rows *rows, const struct bm_rows *expected) {
    assert_memory_equal(rows, expected, sizeof *rows);
}

/* Each byte at each place of a word, beside bytes that carry and borrow. */
static void test_blocks(void **state) {
    (void)state;
    uint8_t bytes[BM_ROWS_BLOCK];
    static const uint8_t around[] = {0, 1, '\n', 0x7f, 0x80, 0xff, 'a'};
    for (unsigned i = 0; i < 256 * 8 * sizeof around; i++) {
        memset(bytes, around[i / 2048], sizeof bytes);
        bytes[i / 256 % 8] = bytes[32 + i / 256 % 8] = (uint8_t)i;
        struct bm_rows expected = find_slowly(bytes, ',');
        struct bm_rows words = bm_rows_find_words(bytes, ',', '#');
        struct bm_rows best = bm_rows_find(bytes, ',', '#');
        check_rows(&words, &expected);
        check_rows(&best, &expected);
        assert_int_equal(bm_rows_count(expected.zeros), (unsigned)__builtin_popcountll(expected.zeros));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_long_tables),
        cmocka_unit_test(test_counted_queries),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_later_children),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_queries_are_told),
        cmocka_unit_test(test_queries_of_rows_with_one_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
