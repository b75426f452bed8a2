/* SPDX-License-Identifier: MIT */
/*
 * Makes the parent's report from the children's reports. Each is read, evaluated and freed, so only the content of the
 * parent's report is kept; a few are fetched at the same time.
 */
#include "finalize/finalize.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { READ_AHEAD = 4, SAMPLES = 10, MAX_ALL_REPORTS = 64 << 20, OWN_VERSION = 1 };

static const char *const totals[] = {"queries",
                                     "total_input_hits",
                                     "total_output_hits",
                                     "unsupported_rows",
                                     "unsupported_records",
                                     "malformed_xml_count",
                                     "total_input_hsps",
                                     "total_output_hsps",
                                     "tie_break_count",
                                     "tie_cutoff_overflow_count",
                                     "diversity_reserved_count",
                                     "num_shards"};
enum { N_TOTALS = sizeof totals / sizeof totals[0], DIVERSITY_RESERVED = 10 };

static const char different_targets[] = "child merge reports used different max_target_seqs values";

/* What is said once, however many reports it is true of. */
struct remark {
    size_t n;
    char first[512];
};

/* What was gathered so far. Strings in first-seen order are the keys of objects. */
struct gathered {
    int64_t sums[N_TOTALS];
    json_t *warnings;
    json_t *has_warning; /* object: text -> true */
    json_t *tie_cutoff_queries;
    json_t *diversity_queries;
    json_t *children;
    char *format;      /* of the first */
    char *precision;   /* of the first that has one */
    int64_t n_targets; /* 0: none yet */
    bool have_targets_differed;
    struct remark fractions;
    struct remark losses;
    size_t n_bytes; /* of all reports */
};

/* Keeps a remark; with --strict it is an error. */
static enum blastmerge_status add_remark(struct bm_finalize *finalize, struct remark *remark,
                                         const char *message) {
    if (finalize->is_strict) return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL, "%s", message);
    if (remark->n++ == 0) snprintf(remark->first, sizeof remark->first, "%s", message);
    return BLASTMERGE_OK;
}

/* --- numbers ------------------------------------------------------------------------------------- */

enum kind {
    NO_NUMBER,
    COUNT,
    FRACTION, /* which is cut off */
    NEGATIVE,
    TOO_LARGE /* for 64 bits */
};

/* A number, or true or false, as an integer. */
static enum kind read_number(const json_t *value, int64_t *number) {
    const double limit = 9223372036854775808.0; /* 2^63 */
    *number = 0;
    if (json_is_integer(value)) *number = json_integer_value(value);
    if (json_is_true(value)) *number = 1;
    if (json_is_real(value)) {
        double real = trunc(json_real_value(value));
        if (!(real < limit && real >= -limit)) return TOO_LARGE;
        *number = (int64_t)real;
        if (json_real_value(value) < 0) return NEGATIVE;
        if (real != json_real_value(value)) return FRACTION;
    }
    if (!json_is_number(value) && !json_is_boolean(value)) return NO_NUMBER;
    return *number < 0 ? NEGATIVE : COUNT;
}

static enum blastmerge_status refuse_number(struct bm_finalize *finalize,
                                            const struct bm_finalize_child *child, const char *name,
                                            const json_t *value, enum kind kind) {
    return bm_finalize_refuse(finalize, BLASTMERGE_DATA, NULL,
                              "split child %s: its merge report says %s: %g, which is %s", child->job_id,
                              name, json_number_value(value),
                              kind == NEGATIVE ? "below 0, and no count" : "too large for a count");
}

/* What is no whole number is added without its fraction, as it always was, and said. */
static enum blastmerge_status tell_fraction(struct bm_finalize *finalize, struct gathered *gathered,
                                            const struct bm_finalize_child *child, const char *name,
                                            const json_t *value) {
    char message[512];
    snprintf(message, sizeof message,
             "split child %s: its merge report says %s: %.17g, and a count is a whole number", child->job_id,
             name, json_number_value(value));
    return add_remark(finalize, &gathered->fractions, message);
}

static void warn(struct bm_finalize *finalize, const struct gathered *gathered) {
    const struct remark *fractions = &gathered->fractions;
    const struct remark *losses = &gathered->losses;
    if (fractions->n == 1)
        bm_job_client_warn(finalize->job, "%s; it is added without its fraction", fractions->first);
    if (fractions->n > 1)
        bm_job_client_warn(finalize->job, "%s; it is added without its fraction, as are %zu more",
                           fractions->first, fractions->n - 1);
    if (losses->n == 1) bm_job_client_warn(finalize->job, "%s", losses->first);
    if (losses->n > 1)
        bm_job_client_warn(finalize->job, "%s; likewise for %zu more children", losses->first, losses->n - 1);
}

static enum blastmerge_status add_count(struct bm_finalize *finalize, struct gathered *gathered,
                                        const struct bm_finalize_child *child, const json_t *report,
                                        size_t i) {
    int64_t n = 0;
    const json_t *value = json_object_get(report, totals[i]);
    enum kind kind = read_number(value, &n);
    if (kind == TOO_LARGE || kind == NEGATIVE) return refuse_number(finalize, child, totals[i], value, kind);
    if (kind == FRACTION) {
        enum blastmerge_status status = tell_fraction(finalize, gathered, child, totals[i], value);
        if (status != BLASTMERGE_OK) return status;
    }
    if (!__builtin_add_overflow(gathered->sums[i], n, &gathered->sums[i])) return BLASTMERGE_OK;
    return bm_finalize_refuse(finalize, BLASTMERGE_DATA, NULL,
                              "split child %s: with its merge report's %s the sum is too large for a count",
                              child->job_id, totals[i]);
}

/* --- one report ---------------------------------------------------------------------------------- */

/* Whether a value that all reports have to share is that of the first; keeps it, if this is the first. */
static enum blastmerge_status take_shared(struct bm_finalize *finalize, char **first, const char *value,
                                          const char *complaint) {
    if (*first == NULL) {
        *first = bm_copy_string(finalize->client.memory, value);
        return *first == NULL ? bm_finalize_fail_memory(finalize) : BLASTMERGE_OK;
    }
    if (strcmp(*first, value) == 0) return BLASTMERGE_OK;
    return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL, "%s", complaint);
}

static enum blastmerge_status take_precision(struct bm_finalize *finalize, struct gathered *gathered,
                                             const json_t *report) {
    const char *level = json_string_value(json_object_get(report, "precision_level"));
    if (level == NULL || level[0] == '\0') return BLASTMERGE_OK;
    return take_shared(finalize, &gathered->precision, level,
                       "split child merge reports used different precision levels");
}

static enum blastmerge_status take_targets(struct bm_finalize *finalize, struct gathered *gathered,
                                           const struct bm_finalize_child *child, const json_t *report) {
    static const char name[] = "max_target_seqs";
    int64_t n = 0;
    const json_t *value = json_object_get(report, name);
    if (read_number(value, &n) == TOO_LARGE) return refuse_number(finalize, child, name, value, TOO_LARGE);
    if (n <= 0) return BLASTMERGE_OK;
    if (gathered->n_targets == 0) gathered->n_targets = n;
    if (gathered->n_targets != n) gathered->have_targets_differed = true;
    return BLASTMERGE_OK;
}

/* Adds a warning that was not seen before. */
static bool add_warning(struct gathered *gathered, const char *text) {
    if (json_object_get(gathered->has_warning, text) != NULL) return true;
    return json_object_set_new(gathered->has_warning, text, json_true()) == 0 &&
           json_array_append_new(gathered->warnings, json_string(text)) == 0;
}

static bool take_warnings(struct gathered *gathered, const json_t *report) {
    size_t i;
    json_t *warning;
    json_array_foreach(json_object_get(report, "warnings"), i, warning) {
        if (json_is_string(warning) && !add_warning(gathered, json_string_value(warning))) return false;
    }
    return true;
}

/* The first few objects of all the reports' lists of that name. */
static bool take_samples(json_t *samples, const json_t *list) {
    size_t i;
    json_t *sample;
    json_array_foreach(list, i, sample) {
        if (json_array_size(samples) == SAMPLES) return true;
        if (json_is_object(sample) && json_array_append(samples, sample) != 0) return false;
    }
    return true;
}

static json_t *raw(const json_t *report, const char *name) {
    json_t *value = json_object_get(report, name);
    return value != NULL ? json_incref(value) : json_integer(0);
}

/* The parent's report shows what each child's said, whatever it is. */
static bool take_row(struct gathered *gathered, const struct bm_finalize_child *child, const json_t *report,
                     const char *format) {
    json_t *warnings = json_object_get(report, "warnings");
    json_t *row = json_pack("{s:s, s:o, s:s, s:o}", "child_job_id", child->job_id, "group_id",
                            child->group_id != NULL ? json_incref(child->group_id) : json_null(), "format",
                            format, "warnings", warnings != NULL ? json_incref(warnings) : json_array());
    for (size_t i = 0; i < N_TOTALS && row != NULL; i++) {
        if (i == DIVERSITY_RESERVED) continue;
        if (json_object_set_new(row, totals[i], raw(report, totals[i])) != 0) {
            json_decref(row);
            row = NULL;
        }
    }
    return json_array_append_new(gathered->children, row) == 0;
}

static enum blastmerge_status take_report(struct bm_finalize *finalize, struct gathered *gathered,
                                          struct bm_finalize_child *child, const json_t *report) {
    const char *format = NULL;
    enum blastmerge_format known = bm_finalize_format_of(report, &format);
    if (gathered->format == NULL) {
        finalize->format = known;
        finalize->is_narrow = bm_finalize_is_narrow(report);
    }
    enum blastmerge_status status = take_shared(finalize, &gathered->format, format,
                                                "split child merge reports used different output formats");
    if (status == BLASTMERGE_OK) status = take_precision(finalize, gathered, report);
    for (size_t i = 0; i < N_TOTALS && status == BLASTMERGE_OK; i++)
        status = add_count(finalize, gathered, child, report, i);
    if (status == BLASTMERGE_OK) status = take_targets(finalize, gathered, child, report);
    if (status != BLASTMERGE_OK) return status;
    child->has_queries = read_number(json_object_get(report, "queries"), &child->n_queries) != NO_NUMBER;
    bool is_kept =
        take_warnings(gathered, report) &&
        take_samples(gathered->tie_cutoff_queries, json_object_get(report, "tie_cutoff_queries")) &&
        take_samples(gathered->diversity_queries, json_object_get(report, "diversity_queries")) &&
        take_row(gathered, child, report, format);
    return is_kept ? BLASTMERGE_OK : bm_finalize_fail_memory(finalize);
}

/* --- reading ------------------------------------------------------------------------------------- */

struct reading {
    struct bm_finalize_file file;
    struct bm_fetch fetch;
    enum blastmerge_status status; /* why it could not be opened */
    struct blastmerge_error error;
};

static void begin_reading(struct bm_finalize *finalize, struct reading *reading, size_t number) {
    const struct bm_finalize_child *child = &finalize->children[number];
    bm_finalize_locate(finalize, child, BM_FINALIZE_REPORT, finalize->cloud, &reading->file);
    reading->file.source.n_bytes = child->report_size;
    reading->error = (struct blastmerge_error){0};
    reading->status =
        bm_fetch_open(&reading->fetch, &reading->file.source, finalize->client.cancel, &reading->error);
}

/* Reads all of it, and one byte more than it may have, if there is one. */
static enum blastmerge_status read_all(struct bm_finalize *finalize, struct reading *reading, char *buffer,
                                       size_t *n_bytes) {
    enum blastmerge_status status = reading->status;
    if (status == BLASTMERGE_OK)
        status = bm_fetch_fill(&reading->fetch, (uint8_t *)buffer, BM_FINALIZE_MAX_REPORT + 1, n_bytes,
                               &reading->error);
    bm_fetch_close(&reading->fetch);
    if (status == BLASTMERGE_OK) return status;
    *finalize->error = reading->error;
    return bm_finalize_fail_file(finalize, &reading->file);
}

static enum blastmerge_status parse(struct bm_finalize *finalize, const struct bm_finalize_child *child,
                                    const char *text, size_t n_bytes, json_t **report) {
    json_error_t error = {0};
    *report = NULL;
    if (n_bytes <= BM_FINALIZE_MAX_REPORT) *report = json_loadb(text, n_bytes, JSON_DECODE_ANY, &error);
    if (*report == NULL) {
        char reason[320];
        if (n_bytes > BM_FINALIZE_MAX_REPORT)
            snprintf(reason, sizeof reason, "it is longer than 1 MiB");
        else if (json_error_code(&error) == json_error_out_of_memory)
            return bm_finalize_fail_memory(finalize);
        else
            snprintf(reason, sizeof reason, "line %d, column %d: %.200s", error.line, error.column,
                     error.text);
        return bm_finalize_refuse(finalize, BLASTMERGE_DATA, reason, "invalid child merge report JSON: %s",
                                  child->job_id);
    }
    if (json_is_object(*report)) return BLASTMERGE_OK;
    return bm_finalize_refuse(finalize, BLASTMERGE_DATA, NULL, "child merge report must be an object: %s",
                              child->job_id);
}

/* blastmerge's own report is a merge's, or that of a check of the result. Only where it ended well are its
 * counts those of the whole result. */
static enum blastmerge_status check_own(struct bm_finalize *finalize, struct gathered *gathered,
                                        const struct bm_finalize_child *child, const json_t *own) {
    const json_t *version = json_object_get(own, "schema_version");
    const json_t *ended = json_object_get(own, "status");
    const char *word = json_string_value(ended);
    char message[512];
    if (!json_is_integer(version) || json_integer_value(version) != OWN_VERSION)
        return bm_finalize_refuse(finalize, BLASTMERGE_DATA, NULL,
                                  "split child %s: its merge report has not schema_version %d: another "
                                  "blastmerge has written it",
                                  child->job_id, OWN_VERSION);
    if (ended == NULL || (word != NULL && strcmp(word, "ok") == 0)) return BLASTMERGE_OK;
    if (word == NULL || strcmp(word, "salvaged") != 0)
        return bm_finalize_refuse(
            finalize, BLASTMERGE_DATA, json_string_value(json_object_get(own, "error")),
            "split child %s: its merge report is not of what ended well: status: %.100s", child->job_id,
            word != NULL ? word : "no string");
    snprintf(message, sizeof message,
             "split child %s: its merge report says that something was lost of its parts (status: salvaged)",
             child->job_id);
    return add_remark(finalize, &gathered->losses, message);
}

static enum blastmerge_status take_child(struct bm_finalize *finalize, struct gathered *gathered,
                                         struct reading *reading, size_t number, char *buffer) {
    struct bm_finalize_child *child = &finalize->children[number];
    size_t n_bytes = 0;
    json_t *report = NULL;
    enum blastmerge_status status = read_all(finalize, reading, buffer, &n_bytes);
    if (status == BLASTMERGE_OK) status = parse(finalize, child, buffer, n_bytes, &report);
    gathered->n_bytes += n_bytes;
    if (status == BLASTMERGE_OK && gathered->n_bytes > MAX_ALL_REPORTS)
        status = bm_fail(finalize->error, BLASTMERGE_NO_MEMORY,
                         "the children's reports are longer than 64 MiB together");
    if (status == BLASTMERGE_OK && bm_finalize_is_own(report)) {
        status = check_own(finalize, gathered, child, report);
        if (status == BLASTMERGE_OK && !bm_finalize_translate(&report))
            status = bm_finalize_fail_memory(finalize);
    }
    if (status == BLASTMERGE_OK) status = take_report(finalize, gathered, child, report);
    json_decref(report);
    return status;
}

static enum blastmerge_status take_children(struct bm_finalize *finalize, struct gathered *gathered) {
    struct bm_memory *memory = finalize->client.memory;
    struct reading *readings = bm_allocate(memory, READ_AHEAD * sizeof *readings);
    char *buffer = bm_allocate(memory, BM_FINALIZE_MAX_REPORT + 1);
    size_t n_begun = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    bool has_memory = readings != NULL && buffer != NULL;
    if (!has_memory) status = bm_finalize_fail_memory(finalize);
    for (size_t i = 0; has_memory && i < finalize->n_children && status == BLASTMERGE_OK; i++) {
        for (; n_begun < finalize->n_children && n_begun < i + READ_AHEAD; n_begun++)
            begin_reading(finalize, &readings[n_begun % READ_AHEAD], n_begun);
        status = take_child(finalize, gathered, &readings[i % READ_AHEAD], i, buffer);
    }
    for (size_t i = 0; i < READ_AHEAD && i < n_begun; i++) bm_fetch_close(&readings[i].fetch);
    bm_release(memory, readings);
    bm_release(memory, buffer);
    return status;
}

/* --- the parent's report ------------------------------------------------------------------------- */

static enum blastmerge_status make_report(struct bm_finalize *finalize, struct gathered *gathered) {
    const char *format = gathered->format != NULL ? gathered->format : "blast_tabular";
    bool is_kept = !gathered->have_targets_differed || add_warning(gathered, different_targets);
    const struct bm_format *how = bm_format_of(finalize->format);
    json_t *n_targets = gathered->n_targets == 0 || gathered->have_targets_differed
                            ? json_null()
                            : json_integer(gathered->n_targets);
    json_t *report =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:I, s:o, s:O, s:O, s:O, s:O}", "precision_level",
                  how->service.precision_level, "supported_outfmt", how->service.supported_outfmt, "outfmt",
                  how->service.outfmt, "format", format, "parent_job_id", finalize->parent_id, "child_count",
                  (json_int_t)finalize->n_children, "max_target_seqs", n_targets, "tie_cutoff_queries",
                  gathered->tie_cutoff_queries, "diversity_queries", gathered->diversity_queries, "warnings",
                  gathered->warnings, "children", gathered->children);
    for (size_t i = 0; i < N_TOTALS && report != NULL; i++)
        is_kept = json_object_set_new(report, totals[i], json_integer(gathered->sums[i])) == 0 && is_kept;
    finalize->report = report;
    return report != NULL && is_kept ? BLASTMERGE_OK : bm_finalize_fail_memory(finalize);
}

enum blastmerge_status bm_finalize_take_reports(struct bm_finalize *finalize) {
    struct gathered gathered = {.warnings = json_array(),
                                .has_warning = json_object(),
                                .tie_cutoff_queries = json_array(),
                                .diversity_queries = json_array(),
                                .children = json_array()};
    enum blastmerge_status status = take_children(finalize, &gathered);
    if (status == BLASTMERGE_OK) {
        warn(finalize, &gathered);
        status = make_report(finalize, &gathered);
    }
    json_decref(gathered.warnings);
    json_decref(gathered.has_warning);
    json_decref(gathered.tie_cutoff_queries);
    json_decref(gathered.diversity_queries);
    json_decref(gathered.children);
    bm_release(finalize->client.memory, gathered.format);
    bm_release(finalize->client.memory, gathered.precision);
    return status;
}
