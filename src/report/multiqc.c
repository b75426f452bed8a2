/* SPDX-License-Identifier: MIT */
/*
 * MultiQC makes names of samples of the names of the rows: it takes the last component, and cuts that at endings such as .gz.
 * Then children of several folders would have one name, and only the last of them would be shown. So a row's name begins with
 * the child's number. MultiQC takes texts as markup; so these have no character that begins any.
 */
#include "report/multiqc.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char ending[] = "_mqc.json";

enum { MOST_NAME = 256 };

static const char *last_component(const char *location) {
    const char *slash = strrchr(location, '/');
    return slash != NULL ? slash + 1 : location;
}

bool bm_report_is_for_multiqc(const char *location) {
    size_t n = location == NULL ? 0 : strlen(location);
    return n >= sizeof ending - 1 && strcmp(location + n - (sizeof ending - 1), ending) == 0;
}

/* A text from outside, without what might be markup. */
static void show(char *shown, size_t size, const char *text) {
    blastmerge_show(text, shown, size);
    for (char *at = shown; *at != '\0'; at++)
        if (strchr("<>&\"'", *at) != NULL) *at = '_';
}

static json_t *column(const char *title, const char *description) {
    return json_pack("{s:s, s:s, s:s, s:b}", "title", title, "description", description, "format", "{:,d}",
                     "scale", 0);
}

/* MultiQC colours the words. */
static json_t *status_column(void) {
    json_t *bad = json_array();
    for (int status = BLASTMERGE_IO; status <= BLASTMERGE_CANCELLED; status++)
        if (status != BLASTMERGE_SALVAGED)
            json_array_append_new(
                bad, json_pack("{s:s}", "s_eq", blastmerge_status_name((enum blastmerge_status)status)));
    return json_pack("{s:s, s:s, s:b, s:{s:[{s:s}], s:[{s:s}], s:o}}", "title", "Status", "description",
                     "How the child ended", "scale", 0, "cond_formatting_rules", "pass", "s_eq", "ok", "warn",
                     "s_eq", blastmerge_status_name(BLASTMERGE_SALVAGED), "fail", bad);
}

bm_report_json *bm_report_multiqc_head(const char *location) {
    char name[MOST_NAME], id[MOST_NAME + 16], title[MOST_NAME + 16];
    show(name, sizeof name, last_component(location));
    if (bm_report_is_for_multiqc(name)) name[strlen(name) - (sizeof ending - 1)] = '\0';
    snprintf(id, sizeof id, "blastmerge_%s", name);
    snprintf(title, sizeof title, "blastmerge: %s", name);
    for (char *at = id; *at != '\0'; at++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *at) == NULL)
            *at = '_';
    json_t *headers = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "status", status_column(), "documents",
        column("Documents", "BLAST reports in the child"), "iterations",
        column("Queries", "Results of one query each (Iterations); tables without comments count none"),
        "hits", column("Hits", "Hits of all queries; tables have none but their rows"), "hsps",
        column("HSPs", "Alignments, or rows of a table"), "compressed_bytes",
        column("Bytes", "Size of the child"), "text_bytes",
        column("Bytes of text", "Size of the child, decompressed"));
    return json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:o}", "id", id, "section_name", title,
                     "plot_type", "table", "pconfig", "id", id, "title", title, "namespace", "blastmerge",
                     "col1_header", "Child", "headers", headers);
}

bm_report_json *bm_report_multiqc_row(uint64_t number, const char *status,
                                      const struct blastmerge_child *child) {
    char name[MOST_NAME], shown[MOST_NAME + 24];
    show(name, sizeof name, child->name != NULL ? last_component(child->name) : "");
    snprintf(shown, sizeof shown, "%" PRIu64 " %s", number, name);
    return json_pack("{s:{s:s, s:I, s:I, s:I, s:I, s:I, s:I}}", shown, "status", status, "documents",
                     (json_int_t)child->n_documents, "iterations", (json_int_t)child->n_iterations, "hits",
                     (json_int_t)child->n_hits, "hsps", (json_int_t)child->n_hsps, "compressed_bytes",
                     (json_int_t)child->compressed_bytes, "text_bytes", (json_int_t)child->text_bytes);
}

bm_report_json *bm_report_multiqc_tail(const char *command, const struct blastmerge_report *totals,
                                       const struct blastmerge_error *fault) {
    char message[sizeof fault->message], text[sizeof message + 128];
    bool is_well = fault->status == BLASTMERGE_OK;
    show(message, sizeof message, is_well ? "every check passed" : fault->message);
    snprintf(text, sizeof text, "%s of %" PRIu64 " children by blastmerge %s: %s", command,
             totals->n_children, blastmerge_version(), message);
    return json_pack("{s:s}", "description", text);
}
