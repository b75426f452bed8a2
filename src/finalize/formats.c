/* SPDX-License-Identifier: MIT */
/*
 * The format of a child's result by its report, and the consequences for the parent's. A report may be the search
 * service's, with "outfmt" and "format", or blastmerge's own, which is translated into the service's fields.
 */
#include "finalize/finalize.h"

#include <string.h>

static const struct bm_finalize_format formats[] = {
    {BLASTMERGE_FORMAT_XML, "xml", "blast_xml", 5, "5", "split_query_child_finalizer_xml_concat",
     "xml_iteration_concatenation", "XML"},
    {BLASTMERGE_FORMAT_XML2, "xml2", "blast_xml2", 16, "16", "split_query_child_finalizer_xml2_concat",
     "xml2_report_concatenation", "XML"},
    {BLASTMERGE_FORMAT_JSON, "json", "blast_json", 15, "15", "split_query_child_finalizer_json_concat",
     "json_report_concatenation", "JSON"},
    {BLASTMERGE_FORMAT_ARCHIVE, "archive", "blast_archive", 11, "11",
     "split_query_child_finalizer_archive_concat", "archive_concatenation", "archive"},
    {BLASTMERGE_FORMAT_TABULAR, "tabular", "blast_tabular", 6, "6 std", "split_query_child_finalizer_concat",
     "gzip_member_concatenation", "tabular"},
    {BLASTMERGE_FORMAT_COMMENTED, "commented", "blast_commented", 6, "6 std",
     "split_query_child_finalizer_concat", "gzip_member_concatenation", "tabular"},
    {BLASTMERGE_FORMAT_CSV, "csv", "blast_csv", 6, "6 std", "split_query_child_finalizer_concat",
     "gzip_member_concatenation", "tabular"},
};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

const struct bm_finalize_format *bm_finalize_format(enum blastmerge_format format) {
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (formats[i].format == format) return &formats[i];
    }
    return bm_finalize_format(BLASTMERGE_FORMAT_TABULAR);
}

bool bm_finalize_is_table(enum blastmerge_format format) {
    return format == BLASTMERGE_FORMAT_TABULAR || format == BLASTMERGE_FORMAT_COMMENTED ||
           format == BLASTMERGE_FORMAT_CSV;
}

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The number that -outfmt begins with, as a number or in a string; -1 if there is none. *is_alone: nothing
 * else follows. */
static int64_t read_outfmt(const json_t *report, bool *is_alone) {
    const json_t *value = json_object_get(report, "outfmt");
    const char *text = json_string_value(value);
    int64_t number = -1;
    *is_alone = true;
    if (json_is_integer(value)) return json_integer_value(value);
    if (text == NULL) return -1;
    while (is_blank(*text)) text++;
    for (int i = 0; i < 3 && *text >= '0' && *text <= '9'; i++)
        number = (number < 0 ? 0 : 10 * number) + *text++ - '0';
    if (*text != '\0' && !is_blank(*text)) return -1;
    while (is_blank(*text)) text++;
    *is_alone = *text == '\0';
    return number;
}

/* Where nothing but -outfmt says which table it is. */
static enum blastmerge_format table_of(int64_t outfmt) {
    if (outfmt == 10) return BLASTMERGE_FORMAT_CSV;
    return outfmt == 7 ? BLASTMERGE_FORMAT_COMMENTED : BLASTMERGE_FORMAT_TABULAR;
}

enum blastmerge_format bm_finalize_format_of(const json_t *report, const char **name) {
    bool is_alone = false;
    int64_t outfmt = read_outfmt(report, &is_alone);
    enum blastmerge_format format = table_of(outfmt);
    *name = json_string_value(json_object_get(report, "format"));
    if (outfmt == 5 && is_alone) {
        format = BLASTMERGE_FORMAT_XML;
        *name = NULL;
    }
    if (*name == NULL || **name == '\0') {
        if (outfmt == 15) format = BLASTMERGE_FORMAT_JSON;
        if (outfmt == 16) format = BLASTMERGE_FORMAT_XML2;
        if (outfmt == 11) format = BLASTMERGE_FORMAT_ARCHIVE;
        *name = bm_finalize_is_table(format) ? "blast_tabular" : bm_finalize_format(format)->name;
        return format;
    }
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(*name, formats[i].own_name) != 0 && strcmp(*name, formats[i].name) != 0) continue;
        *name = formats[i].name;
        return formats[i].format == BLASTMERGE_FORMAT_TABULAR ? format : formats[i].format;
    }
    return format;
}

bool bm_finalize_is_narrow(const json_t *report) {
    const char *text = json_string_value(json_object_get(report, "outfmt"));
    const char *columns[2] = {NULL, NULL};
    bool is_alone = false;
    if (text == NULL || read_outfmt(report, &is_alone) < 6 || is_alone) return false;
    while (is_blank(*text)) text++;
    for (size_t i = 0; i < 2; i++) { /* behind the number, and behind the first name */
        while (*text != '\0' && !is_blank(*text)) text++;
        while (is_blank(*text)) text++;
        columns[i] = text;
    }
    return *columns[1] == '\0' && strncmp(columns[0], "std", 3) != 0 && strncmp(columns[0], "delim=", 6) != 0;
}

/* --- blastmerge's own report --------------------------------------------------------------------- */

static bool copy_count(json_t *to, const char *to_name, const json_t *from, const char *from_name) {
    json_t *value = json_object_get(from, from_name);
    return value == NULL || json_object_set(to, to_name, value) == 0;
}

/* The warnings of the whole merge, and those of its children. */
static json_t *warnings_of(const json_t *own) {
    json_t *warnings = json_array();
    size_t i;
    json_t *child;
    json_t *of_all = json_object_get(own, "warnings");
    bool is_whole = !json_is_array(of_all) || json_array_extend(warnings, of_all) == 0;
    json_array_foreach(json_object_get(own, "children"), i, child) {
        json_t *of_child = json_object_get(child, "warnings");
        if (json_is_array(of_child)) is_whole = json_array_extend(warnings, of_child) == 0 && is_whole;
    }
    if (is_whole) return warnings;
    json_decref(warnings);
    return NULL;
}

bool bm_finalize_is_own(const json_t *report) {
    const char *schema = json_string_value(json_object_get(report, "schema"));
    return schema != NULL && strcmp(schema, "blastmerge-report") == 0;
}

/* Whether each query has one Iteration, so that the one count is the other. A table without comments does not
 * say how many queries there were, and PSI-BLAST writes several Iterations a query. */
static bool counts_queries(const json_t *own) {
    const char *format = json_string_value(json_object_get(own, "format"));
    const json_t *header = json_object_get(json_array_get(json_object_get(own, "children"), 0), "header");
    const char *xml_program = json_string_value(json_object_get(header, "BlastOutput_program"));
    const char *table_program = json_string_value(json_object_get(header, "program"));
    const char *service = json_string_value(json_object_get(header, "service"));
    if (format == NULL) return true;
    if (strcmp(format, "tabular") == 0 || strcmp(format, "csv") == 0) return false;
    if (strcmp(format, "archive") == 0) return service == NULL || strcmp(service, "psi") != 0;
    if (strcmp(format, "xml") == 0) return xml_program == NULL || strcmp(xml_program, "psiblast") != 0;
    return strcmp(format, "commented") != 0 || table_program == NULL ||
           strcmp(table_program, "PSIBLAST") != 0;
}

bool bm_finalize_translate(json_t **report) {
    const json_t *own = *report;
    const json_t *totals = json_object_get(own, "totals");
    json_t *made = json_object();
    bool is_whole = copy_count(made, "format", own, "format") &&
                    copy_count(made, "total_input_hits", totals, "hits") &&
                    copy_count(made, "total_output_hits", totals, "hits") &&
                    copy_count(made, "total_input_hsps", totals, "hsps") &&
                    copy_count(made, "total_output_hsps", totals, "hsps") &&
                    (!counts_queries(own) || copy_count(made, "queries", totals, "iterations")) &&
                    json_object_set_new(made, "warnings", warnings_of(own)) == 0;
    if (!is_whole) {
        json_decref(made);
        return false;
    }
    json_decref(*report);
    *report = made;
    return true;
}
