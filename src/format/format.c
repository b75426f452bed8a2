/* SPDX-License-Identifier: MIT */
/*
 * One row for each format has all that the rooms ask about it. A field that does not apply is left out: then it is NULL,
 * empty, false or 0.
 */
#include "format/format.h"

#include <string.h>

/* clang-format off */
const struct bm_format bm_formats[] = {
    [BLASTMERGE_FORMAT_AUTO] = {
        .name = "auto",
        .title = "output of BLAST that can be merged",
    },
    [BLASTMERGE_FORMAT_XML] = {
        .name = "xml",                      /* of --format, in reports and indexes */
        .title = "BLAST XML (-outfmt 5)",   /* as a sentence needs it */
        .expected = ": a '<' was expected here", /* of a text that begins otherwise */
        .ending = "xml",                    /* a result's name with this ending stands for plain text ... */
        .media_type = "application/xml",    /* ... of this type */
        .outfmt = 5,                        /* BLAST's own number */

        .syntax = BM_SYNTAX_XML,            /* how it writes strings */
        .separator = '\0',                  /* between a table's columns; 0: it is no table */
        .separators = NULL,                 /* what a message calls these */
        .has_separators_in_fields = false,  /* names may hold them, unquoted: only other columns tell */
        .has_comments = false,              /* a table in which a comment begins each query */
        .has_hits = true,                   /* its marks count Hits, not rows alone */
        .has_header = true,                 /* in front of the Iterations stand the database and the first query */
        .has_archives = false,              /* several Iterations can lie in one stretch of text, which is taken as a whole */
        .can_be_salvaged = true,

        .joint = "",                        /* between two documents' bodies ... */
        .joint_open = "\n",                 /* ... if no newline is between an Iteration and the next document's first */
        .joint_ordered = "\n",              /* between Iterations that are put in another order */
        .joint_indexed = "\n",              /* between those that an index finds, if its result has one alone */
        .end_tag = "</BlastOutput_iterations>", /* closes the element of the Iterations if it had no content and no end tag */
        .epilogue = "</BlastOutput_iterations>\n</BlastOutput>\n\n", /* as BLAST writes it, for one that is too long to keep */
        .has_count = false,                 /* the epilogue is BLAST's line that counts the queries */

        .query = {                          /* what stands before each part of a query, if the format has that part */
            .number = "<Iteration_iter-num>",
            .id = "<Iteration_query-ID>",   /* in JSON, a colon follows it */
            .title = "<Iteration_query-def>",
            .length = "<Iteration_query-len>",
            .end = '<',                     /* of a part */
            .before_hits = "<Iteration_hits", /* all parts come before this */
            .no_title = "<Iteration_query-def/>"}, /* an empty title, as only a program other than BLAST writes it */
        .hits = NULL,                       /* is in the Iteration of each query that was searched; NULL: in all others, too */
        .evalue = "<Hsp_evalue>",           /* stands before an E-value; NULL: E-values are in rows, or not to be found */
        .program = "BlastOutput_program",   /* the field of a header that tells of PSI-BLAST, whose rounds are Iterations ... */
        .psiblast = "psiblast",             /* ... by this value; NULL: a query has one Iteration */

        .service = {                        /* finalize: words of the search service's files */
            .name = "blast_xml",            /* in the reports of searches, and in the parent's */
            .outfmt = 5,                    /* in the parent's report */
            .supported_outfmt = "5",
            .precision_level = "split_query_child_finalizer_xml_concat",
            .assembly = "xml_iteration_concatenation", /* in the manifest */
            .kind = "XML"},                 /* in messages */
    },
    [BLASTMERGE_FORMAT_XML2] = {
        .name = "xml2",
        .title = "BLAST XML2 (-outfmt 16)",
        .expected = ": a '<' was expected here",
        .outfmt = 16,
        .syntax = BM_SYNTAX_XML,
        .has_hits = true,
        .joint = "\n",
        .joint_open = "\n\n",
        .joint_ordered = "\n\n",
        .joint_indexed = "\n\n",
        .end_tag = "</BlastXML2>",
        .epilogue = "</BlastXML2>\n",
        .query = {.id = "<query-id>", .title = "<query-title>", .length = "<query-len>", .end = '<', .before_hits = "<hits"},
        .hits = "<hits>",
        .evalue = "<evalue>",
        .service = {"blast_xml2", 16, "16", "split_query_child_finalizer_xml2_concat", "xml2_report_concatenation", "XML"},
    },
    [BLASTMERGE_FORMAT_JSON] = {
        .name = "json",
        .title = "BLAST JSON (-outfmt 15)",
        .ending = "json",
        .media_type = "application/json",
        .outfmt = 15,
        .syntax = BM_SYNTAX_JSON,
        .has_hits = true,
        .joint = ",\n",
        .joint_open = ",\n",
        .joint_ordered = "\n,\n",
        .joint_indexed = ",\n",
        .epilogue = "]\n}\n",
        .query = {.id = "\"query_id\"", .title = "\"query_title\"", .length = "\"query_len\"", .end = '"',
                  .before_hits = "\"hits\":"},
        .hits = "\"hits\":",
        .evalue = "\"evalue\"",
        .service = {"blast_json", 15, "15", "split_query_child_finalizer_json_concat", "json_report_concatenation", "JSON"},
    },
    [BLASTMERGE_FORMAT_COMMENTED] = {
        .name = "commented",
        .title = "a BLAST table with comments (-outfmt 7)",
        .expected = ": \"# BLASTP VERSION\" or the like was expected here",
        .ending = "txt",
        .media_type = "text/plain",
        .outfmt = 7,
        .separator = '\t',
        .has_comments = true,
        .has_count = true,
        .query = {.title = "# Query: ", .end = '\n'},
        .hits = " hits found",
        .program = "program",
        .psiblast = "PSIBLAST",
        .service = {"blast_commented", 6, "6 std", "split_query_child_finalizer_concat", "gzip_member_concatenation", "tabular"},
    },
    [BLASTMERGE_FORMAT_TABULAR] = {
        .name = "tabular",
        .title = "a BLAST table (-outfmt 6)",
        .ending = "tsv",
        .media_type = "text/tab-separated-values",
        .outfmt = 6,
        .separator = '\t',
        .separators = "tabs",
        .service = {"blast_tabular", 6, "6 std", "split_query_child_finalizer_concat", "gzip_member_concatenation", "tabular"},
    },
    [BLASTMERGE_FORMAT_CSV] = {
        .name = "csv",
        .title = "a BLAST table with commas (-outfmt 10)",
        .ending = "csv",
        .media_type = "text/csv",
        .outfmt = 10,
        .separator = ',',
        .separators = "commas",
        .has_separators_in_fields = true,
        .service = {"blast_csv", 6, "6 std", "split_query_child_finalizer_concat", "gzip_member_concatenation", "tabular"},
    },
    [BLASTMERGE_FORMAT_ARCHIVE] = {
        .name = "archive",
        .title = "a BLAST archive (-outfmt 11)",
        .ending = "asn",
        .media_type = "text/plain",
        .outfmt = 11,
        .has_archives = true,
        .can_be_salvaged = true,
        .joint_indexed = "\n",
        .program = "service",
        .psiblast = "psi",
        .service = {"blast_archive", 11, "11", "split_query_child_finalizer_archive_concat", "archive_concatenation", "archive"},
    },
};
/* clang-format on */

enum { N_FORMATS = sizeof bm_formats / sizeof bm_formats[0] };

bool bm_format_is_known(enum blastmerge_format format) {
    return (unsigned)format < N_FORMATS;
}

enum blastmerge_format bm_format_last(void) {
    return (enum blastmerge_format)(N_FORMATS - 1);
}

enum blastmerge_format bm_format_next_bare_table(enum blastmerge_format format) {
    for (int i = (int)format + 1; i < N_FORMATS; i++)
        if (bm_format_is_bare_table((enum blastmerge_format)i)) return (enum blastmerge_format)i;
    return BLASTMERGE_FORMAT_AUTO;
}

bool bm_format_find(const char *name, enum blastmerge_format *format) {
    for (int i = BLASTMERGE_FORMAT_AUTO; i < N_FORMATS; i++) {
        *format = (enum blastmerge_format)i;
        if (strcmp(bm_formats[i].name, name) == 0) return true;
    }
    *format = BLASTMERGE_FORMAT_AUTO;
    return false;
}
