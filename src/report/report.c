/* SPDX-License-Identifier: MIT */
#include "report/report.h"
#include "base/descriptor.h"
#include "base/entity.h"
#include "report/multiqc.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SCHEMA_VERSION = 1, MOST_ROWS = 64 /* of warnings */ };

/* --- text of whatever kind as JSON strings ------------------------------------------------------- */

/* The character that an entity reference stands for, and its length; 0 if it is none of the predefined five.
 */
static char predefined_entity(const char *text, size_t *n_bytes) {
    size_t n = strnlen(text, sizeof "&quot;" - 1);
    const char *end = memchr(text, ';', n);
    *n_bytes = end == NULL ? 0 : (size_t)(end - text) + 1;
    if (end != NULL) return bm_entity_find(text + 1, *n_bytes - 2);
    return '\0';
}

size_t bm_report_resolve(char *resolved, size_t size, const char *text) {
    size_t n = 0;
    while (*text != '\0' && n < size) {
        size_t n_bytes = 1;
        char character = '\0';
        if (*text == '&') character = predefined_entity(text, &n_bytes);
        if (character == '\0') {
            character = *text;
            n_bytes = 1;
        }
        resolved[n++] = character;
        text += n_bytes;
    }
    return n;
}

/* A JSON string of bytes that are not UTF-8: each is taken as ISO-8859-1. Whole, however long it is. */
static json_t *string_of_latin1(const char *text, size_t n_text) {
    char *utf8 = malloc(2 * n_text + 1);
    size_t n = 0;
    if (utf8 == NULL) return NULL;
    for (size_t i = 0; i < n_text; i++) {
        unsigned byte = (unsigned char)text[i];
        if (byte >= 0x80) {
            utf8[n++] = (char)(0xc0 | byte >> 6);
            utf8[n++] = (char)(0x80 | (byte & 0x3f));
        } else {
            utf8[n++] = text[i];
        }
    }
    json_t *string = json_stringn(utf8, n);
    free(utf8);
    return string;
}

/* A JSON string of text that may not be UTF-8, may be cut inside a character, and may have XML's references.
 */
static json_t *string_of(const char *text, bool is_xml) {
    char resolved[BM_MARK_MAX_VALUE];
    size_t n = is_xml ? bm_report_resolve(resolved, sizeof resolved, text) : strlen(text);
    const char *whole = is_xml ? resolved : text;
    for (size_t n_cut = 0; n_cut < 4 && n_cut <= n; n_cut++) {
        json_t *string = json_stringn(whole, n - n_cut);
        if (string != NULL) return string;
    }
    return string_of_latin1(whole, n);
}

/* A JSON string of a name, with nothing left out. */
static json_t *string_of_name(const char *name) {
    json_t *string = json_string(name);
    return string != NULL ? string : string_of_latin1(name, strlen(name));
}

/* Hexadecimal digits of a name that is not UTF-8, which alone tell it from one that looks the same as
 * ISO-8859-1; JSON has no way to write such a name itself. */
static json_t *digits_of(const char *name) {
    static const char digits[] = "0123456789abcdef";
    size_t n_name = strlen(name);
    char *text = malloc(2 * n_name + 1);
    if (text == NULL) return NULL;
    for (size_t i = 0; i < n_name; i++) {
        text[2 * i] = digits[(unsigned char)name[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)name[i] & 15];
    }
    json_t *string = json_stringn(text, 2 * n_name);
    free(text);
    return string;
}

/* Sets "location", and "location_hex" where it is not UTF-8. */
static void set_location(struct bm_report *report, json_t *object, const char *location) {
    json_t *utf8 = json_string(location);
    bool is_utf8 = utf8 != NULL;
    json_decref(utf8);
    if (json_object_set_new(object, "location", string_of_name(location)) != 0 ||
        (!is_utf8 && json_object_set_new(object, "location_hex", digits_of(location)) != 0)) {
        report->has_failed = true;
    }
}

/* null: more than JSON's numbers hold in this library; only a child's text can say so much. */
static json_t *number_of(uint64_t value) {
    return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

/* --- writing ------------------------------------------------------------------------------------- */

/* Writes a value and drops it; members of an object without its braces where is_members. All of it at once:
 * jansson hands out a string's quotes one by one, and each write is a system call. */
static enum blastmerge_status write_value(struct bm_report *report, json_t *value, bool is_members,
                                          struct blastmerge_error *error) {
    char *text = NULL;
    if (value != NULL && !report->has_failed) {
        size_t flags = JSON_COMPACT | (is_members ? JSON_EMBED : 0);
        text = json_dumps(value, flags);
        if (text != NULL && !bm_is_shown_as_it_is(text)) { /* the same values, in ASCII */
            free(text);
            text = json_dumps(value, flags | JSON_ENSURE_ASCII);
        }
    }
    json_decref(value);
    if (text == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory for the report");
    enum blastmerge_status status = report->write(report->context, text, strlen(text), error);
    free(text);
    return status;
}

static enum blastmerge_status write_text(struct bm_report *report, const char *text,
                                         struct blastmerge_error *error) {
    return report->write(report->context, text, strlen(text), error);
}

/* --- the parts ----------------------------------------------------------------------------------- */

static json_t *options_of(const struct blastmerge_options *options) {
    static const char *const mismatch[] = {"default", "error", "warn", "ignore"};
    static const char *const invalid_utf8[] = {"error", "latin1", "keep"};
    static const char *const forbidden[] = {"error", "replace", "keep"};
    static const char *const header[] = {"once", "keep", "none"};
    static const char *const sort[] = {"default", "natural", "none"};
    static const char *const query_ids[] = {"auto", "keep", "renumber"};
    static const char *const form[] = {"gzip", "plain", "bgzf"};
    json_t *database = options->database == NULL ? json_null() : string_of(options->database, false);
    json_t *queries = options->expect_queries == NULL ? json_null() : string_of_name(options->expect_queries);
    return json_pack(
        "{s:o, s:s, s:b, s:b, s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:s, s:b, s:b, s:s, s:b, s:b, s:b, "
        "s:o}",
        "database", database, "header", header[options->header], "keep_database", options->keep_database,
        "allow_empty", options->allow_empty, "format", blastmerge_format_name(options->format), "mismatch",
        mismatch[options->mismatch], "invalid_utf8", invalid_utf8[options->invalid_utf8],
        "forbidden_characters", forbidden[options->forbidden_characters], "sort", sort[options->sort],
        "expect_children", number_of(options->expect_children), "threads", (int)options->n_threads, "level",
        options->level, "form", form[options->form], "plain", options->form == BLASTMERGE_FORM_PLAIN, "force",
        options->force, "query_ids", query_ids[options->query_ids], "as_unsplit", options->as_unsplit,
        "salvage", options->salvage, "order_by_queries", options->order_by_queries, "expect_queries",
        queries);
}

static void begin_child(struct bm_report *report) {
    report->header = json_object();
    report->child_warnings = json_array();
    if (report->header == NULL || report->child_warnings == NULL) report->has_failed = true;
}

/* The beginning, up to the rows. */
static enum blastmerge_status write_head(struct bm_report *report, json_t *head, const char *rows,
                                         struct blastmerge_error *error) {
    enum blastmerge_status status = write_text(report, "{", error);
    if (status == BLASTMERGE_OK)
        status = write_value(report, head, true, error);
    else
        json_decref(head);
    return status == BLASTMERGE_OK ? write_text(report, rows, error) : status;
}

enum blastmerge_status bm_report_open(struct bm_report *report, const char *location,
                                      enum blastmerge_status (*write)(void *context, const void *data,
                                                                      size_t n_bytes,
                                                                      struct blastmerge_error *error),
                                      void *context, const struct blastmerge_options *options, bool is_check,
                                      struct blastmerge_error *error) {
    memset(report, 0, sizeof *report);
    report->write = write;
    report->context = context;
    report->warnings = json_array();
    bool is_comparing = options->expect_queries != NULL; /* null: nothing says that none is missing */
    report->missing = is_comparing ? json_array() : json_null();
    report->unknown = is_comparing ? json_array() : json_null();
    begin_child(report);
    report->command = is_check ? "check" : "merge";
    report->is_for_multiqc = bm_report_is_for_multiqc(location);
    if (report->is_for_multiqc)
        return write_head(report, bm_report_multiqc_head(location), ",\n\"data\": {", error);
    json_t *head = json_pack("{s:s, s:i, s:s, s:s, s:o}", "schema", "blastmerge-report", "schema_version",
                             SCHEMA_VERSION, "version", blastmerge_version(), "command", report->command,
                             "options", options_of(options));
    return write_head(report, head, ",\n\"children\": [", error);
}

void bm_report_field(struct bm_report *report, const struct bm_mark_field *field) {
    /* A child's further documents, and headers out of all proportion, are left out. */
    if (report->header == NULL || json_object_size(report->header) >= 64) return;
    if (json_object_get(report->header, field->name) != NULL) return;
    if (json_object_set_new(report->header, field->name, string_of(field->value, true)) != 0) {
        report->has_failed = true;
    }
}

void bm_report_warning(struct bm_report *report, bool is_of_child, const char *message) {
    json_t *warnings = is_of_child ? report->child_warnings : report->warnings;
    if (warnings == NULL || json_array_size(warnings) >= MOST_ROWS) return;
    if (json_array_append_new(warnings, string_of(message, false)) != 0) report->has_failed = true;
}

/* The end of a stretch: null where that is the end of all. */
static json_t *end_of(uint64_t offset) {
    return offset == UINT64_MAX ? json_null() : number_of(offset);
}

/* A query's name, or null. */
static json_t *query_of(const char *name) {
    return name[0] == '\0' ? json_null() : string_of(name, true);
}

/* Adds to an entry of what was lost whose it was, as far as that is known. */
static bool add_queries(json_t *entry, const struct bm_salvage_hole *hole) {
    json_t *queries = json_array();
    for (size_t i = 0; i < hole->n_queries && i < BM_SALVAGE_NAMES; i++)
        if (json_array_append_new(queries, query_of(hole->queries[i])) != 0) break;
    return json_object_set_new(entry, "query_before", query_of(hole->query_before)) == 0 &&
           json_object_set_new(entry, "query_after", query_of(hole->query_after)) == 0 &&
           json_object_set_new(entry, "queries", queries) == 0 &&
           json_object_set_new(entry, "n_queries", number_of(hole->n_queries)) == 0;
}

/* The bytes of the file that were left out, or null. */
static json_t *bytes_of(const struct bm_salvage_hole *hole) {
    if (hole->bytes.from == hole->bytes.to) return json_null();
    return json_pack("[o, o]", number_of(hole->bytes.from), end_of(hole->bytes.to));
}

static bool add_lost_hole(struct bm_report *report, const struct bm_salvage_hole *hole) {
    json_t *entry =
        json_pack("{s:[o, o], s:o, s:o, s:o, s:o, s:o}", "text", number_of(hole->from), end_of(hole->lost_to),
                  "bytes", bytes_of(hole), "iterations_before", number_of(hole->n_iterations),
                  "number_before", number_of(hole->number_before), "number_after",
                  hole->number_after == 0 ? json_null() : number_of(hole->number_after), "reason",
                  string_of(hole->reason, false));
    bool is_whole = add_queries(entry, hole);
    return json_array_append_new(report->lost, entry) == 0 && is_whole;
}

void bm_report_hole(struct bm_report *report, const struct bm_salvage_hole *hole) {
    if (report->lost == NULL) report->lost = json_array();
    if (report->superseded == NULL) report->superseded = json_array();
    if (hole->is_lost && !add_lost_hole(report, hole)) report->has_failed = true;
    if (hole->n_superseded == 0) return;
    json_t *entry = json_pack("{s:[o, o], s:o, s:o, s:o, s:o}", "text", number_of(hole->superseded_from),
                              end_of(hole->to), "bytes", bytes_of(hole), "runs",
                              number_of(hole->n_superseded), "iterations",
                              number_of(hole->n_superseded_iterations), "by", number_of(hole->superseded_by));
    if (json_array_append_new(report->superseded, entry) != 0) report->has_failed = true;
}

void bm_report_made_header(struct bm_report *report, const char *child, size_t n_fields, const char *reason) {
    report->made_header = json_pack("{s:o, s:o, s:o}", "child", string_of_name(child), "fields",
                                    number_of(n_fields), "reason", string_of(reason, false));
    if (report->made_header == NULL) report->has_failed = true;
}

void bm_report_unchecked(struct bm_report *report, uint64_t n_iterations) {
    report->n_unchecked = n_iterations;
}

/* What salvaging adds to a row. */
static void add_lost(struct bm_report *report, json_t *row) {
    if (report->lost == NULL) return;
    if (json_object_set_new(row, "unchecked_iterations", number_of(report->n_unchecked)) != 0 ||
        json_object_set_new(row, "lost", report->lost) != 0 ||
        json_object_set_new(row, "superseded", report->superseded) != 0) {
        report->has_failed = true;
    }
    report->lost = report->superseded = NULL;
}

void bm_report_missing(struct bm_report *report, const struct bm_queries_gap *gap) {
    json_t *rows = gap->is_unknown ? report->unknown : report->missing;
    if (json_array_size(rows) >= BM_REPORT_MOST_MISSING) return;
    json_t *row = json_pack("{s:o, s:o, s:o, s:o}", "first", number_of(gap->first), "last",
                            number_of(gap->first + gap->n - 1), "first_query", string_of(gap->name, false),
                            "last_query", string_of(gap->last_name, false));
    if (json_array_append_new(rows, row) != 0) report->has_failed = true;
}

/* A word for how a child, or all of it, ended. */
static const char *word_of(enum blastmerge_status status) {
    return status == BLASTMERGE_OK ? "ok" : blastmerge_status_name(status);
}

/* The current child's row, which takes what was kept for it. */
static json_t *row_of(struct bm_report *report, const struct blastmerge_child *child) {
    json_t *row = json_pack(
        "{s:n, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "location", "status",
        word_of(child->status), "error", child->error != NULL ? string_of(child->error, false) : json_null(),
        "compressed_bytes", number_of(child->compressed_bytes), "text_bytes", number_of(child->text_bytes),
        "documents", number_of(child->n_documents), "iterations", number_of(child->n_iterations), "hits",
        number_of(child->n_hits), "hsps", number_of(child->n_hsps), "invalid_bytes",
        number_of(child->n_invalid_bytes), "forbidden_characters", number_of(child->n_forbidden_characters),
        "header", report->header, "warnings", report->child_warnings);
    report->header = report->child_warnings = NULL;
    set_location(report, row, child->name);
    add_lost(report, row);
    return row;
}

static void drop_child(struct bm_report *report) {
    json_decref(report->header);
    json_decref(report->child_warnings);
    json_decref(report->lost);
    json_decref(report->superseded);
    report->header = report->child_warnings = report->lost = report->superseded = NULL;
}

enum blastmerge_status bm_report_child(struct bm_report *report, const struct blastmerge_child *child,
                                       struct blastmerge_error *error) {
    enum blastmerge_status status = write_text(report, report->n_children++ == 0 ? "\n" : ",\n", error);
    if (status != BLASTMERGE_OK) return status;
    if (report->is_for_multiqc)
        status = write_value(report, bm_report_multiqc_row(report->n_children, word_of(child->status), child),
                             true, error);
    else
        status = write_value(report, row_of(report, child), false, error);
    drop_child(report);
    begin_child(report);
    return status;
}

/* Bytes that the process had in memory at most. Linux's own count first: what getrusage() says there
 * survives exec, and so has the peak of whoever started the program. */
static uint64_t peak_resident(void) {
    struct rusage usage;
    unsigned long kilobytes = 0;
    char line[128];
    FILE *status = bm_open_stream("/proc/self/status");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) kilobytes = strtoul(line + 6, NULL, 10);
    }
    if (status != NULL) (void)fclose(status);
    if (kilobytes > 0) return (uint64_t)kilobytes * 1024;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#if defined(__APPLE__)
    return (uint64_t)usage.ru_maxrss;
#else
    return (uint64_t)usage.ru_maxrss * 1024;
#endif
}

/* What an unsplit run might have written otherwise. */
static json_t *unsplit_of(const struct blastmerge_report *totals) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "renumbered_ids",
                     number_of(totals->n_renumbered_ids), "unsure_ids", number_of(totals->n_unsure_ids),
                     "kept_messages", number_of(totals->n_kept_messages), "excess_iterations",
                     number_of(totals->n_excess_iterations), "bare_iterations",
                     number_of(totals->n_bare_iterations), "number_gaps", number_of(totals->n_number_gaps),
                     "number_returns", number_of(totals->n_number_returns), "unnumbered_iterations",
                     number_of(totals->n_unnumbered_iterations), "empty_children",
                     number_of(totals->n_empty_children));
}

void bm_report_shards(struct bm_report *report, const struct blastmerge_shards_report *counts) {
    json_decref(report->shards);
    report->shards = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cut_queries", number_of(counts->n_cut_queries),
        "tied_cuts", number_of(counts->n_tied_cuts), "undecided_places",
        number_of(counts->n_undecided_places), "undecided_strands", number_of(counts->n_undecided_strands),
        "undecided_queries", number_of(counts->n_undecided_queries), "overlapping_hits",
        number_of(counts->n_overlapping_hits), "unlisted_hits", number_of(counts->n_unlisted_hits),
        "unrebuilt_hits", number_of(counts->n_unrebuilt_hits), "hsps_over_threshold",
        number_of(counts->n_hsps_over_threshold));
}

static json_t *tail_of(struct bm_report *report, const struct blastmerge_report *totals, const char *output,
                       const struct blastmerge_error *fault) {
    char crc[9];
    snprintf(crc, sizeof crc, "%08" PRIx32, totals->output_crc32);
    json_t *sums = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "children", number_of(totals->n_children),
        "documents", number_of(totals->n_documents), "iterations", number_of(totals->n_iterations), "hits",
        number_of(totals->n_hits), "hsps", number_of(totals->n_hsps), "invalid_bytes",
        number_of(totals->n_invalid_bytes), "forbidden_characters", number_of(totals->n_forbidden_characters),
        "compressed_bytes", number_of(totals->compressed_bytes), "text_bytes", number_of(totals->text_bytes));
    json_t *result = json_pack(
        "{s:n, s:o, s:o, s:o, s:s}", "location", "bytes", number_of(totals->output_bytes), "copied_bytes",
        number_of(totals->copied_bytes), "text_bytes", number_of(totals->output_text_bytes), "crc32", crc);
    if (output != NULL) set_location(report, result, output);
    json_t *tail = json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "status", word_of(fault->status),
        "error", fault->status != BLASTMERGE_OK ? string_of(fault->message, false) : json_null(), "format",
        blastmerge_format_name(totals->format), "totals", sums, "unsplit", unsplit_of(totals), "output",
        result, "missing_queries", report->missing, "unknown_queries", report->unknown, "made_header",
        report->made_header != NULL ? report->made_header : json_null(), "warnings", report->warnings,
        "peak_memory", number_of(totals->peak_memory), "peak_resident", number_of(peak_resident()), "seconds",
        totals->seconds);
    report->warnings = report->missing = report->unknown = report->made_header = NULL;
    if (report->shards != NULL) json_object_set(tail, "shards", report->shards);
    return tail;
}

enum blastmerge_status bm_report_end(struct bm_report *report, const struct blastmerge_report *totals,
                                     const char *output, const struct blastmerge_error *fault,
                                     struct blastmerge_error *error) {
    enum blastmerge_status status = write_text(report, report->is_for_multiqc ? "\n},\n" : "\n],\n", error);
    if (status != BLASTMERGE_OK) return status;
    json_t *tail = report->is_for_multiqc ? bm_report_multiqc_tail(report->command, totals, fault)
                                          : tail_of(report, totals, output, fault);
    status = write_value(report, tail, true, error);
    return status == BLASTMERGE_OK ? write_text(report, "}\n", error) : status;
}

void bm_report_close(struct bm_report *report) {
    drop_child(report);
    json_decref(report->warnings);
    json_decref(report->made_header);
    json_decref(report->missing);
    json_decref(report->unknown);
    json_decref(report->shards);
    memset(report, 0, sizeof *report);
}
