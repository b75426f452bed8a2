/* SPDX-License-Identifier: MIT */
/*
 * The format of a child's result by its report, and the consequences for the parent's. A report may be the search
 * service's, with "outfmt" and "format", or blastmerge's own, which is translated into the service's fields.
 */
#include "finalize/finalize.h"

#include <string.h>

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

/* The format that BLAST has this number for; AUTO: none. */
static enum blastmerge_format find_outfmt(int64_t outfmt) {
    int format = (int)bm_format_last();
    while (format > BLASTMERGE_FORMAT_AUTO && bm_formats[format].outfmt != outfmt) format--;
    return (enum blastmerge_format)format;
}

enum blastmerge_format bm_finalize_format_of(const json_t *report, const char **name) {
    bool is_alone = false;
    enum blastmerge_format numbered = find_outfmt(read_outfmt(report, &is_alone));
    bool is_xml = numbered == BLASTMERGE_FORMAT_XML && is_alone; /* whatever its name says */
    bool has_format = is_xml || (numbered != BLASTMERGE_FORMAT_AUTO && numbered != BLASTMERGE_FORMAT_XML);
    enum blastmerge_format format = bm_format_is_table(numbered) ? numbered : BLASTMERGE_FORMAT_TABULAR;
    *name = json_string_value(json_object_get(report, "format"));
    if (is_xml || *name == NULL || **name == '\0') {
        if (has_format) format = numbered;
        *name = bm_format_is_table(format) ? "blast_tabular" : bm_format_of(format)->service.name;
        return format;
    }
    for (int i = BLASTMERGE_FORMAT_AUTO + 1; i <= (int)bm_format_last(); i++) {
        if (strcmp(*name, bm_formats[i].name) != 0 && strcmp(*name, bm_formats[i].service.name) != 0)
            continue;
        *name = bm_formats[i].service.name;
        return i == BLASTMERGE_FORMAT_TABULAR ? format : (enum blastmerge_format)i;
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
    const char *name = json_string_value(json_object_get(own, "format"));
    const json_t *header = json_object_get(json_array_get(json_object_get(own, "children"), 0), "header");
    enum blastmerge_format format;
    if (name == NULL || !bm_format_find(name, &format)) return true;
    const struct bm_format *row = bm_format_of(format);
    const char *program =
        row->psiblast == NULL ? NULL : json_string_value(json_object_get(header, row->program));
    return !bm_format_is_bare_table(format) && (program == NULL || strcmp(program, row->psiblast) != 0);
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
