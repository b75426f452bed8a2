/* SPDX-License-Identifier: MIT */
/* The steps of a finalize, and what is said of how it ended. */
#include "finalize/finalize.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CHARACTERS = 500,
    MAX_WARNINGS = 64,
    /* Up to the last field of the first version. */
    FIRST_OPTIONS = offsetof(struct blastmerge_finalize_options, strict) + sizeof(int)
};

/* --- failing ------------------------------------------------------------------------------------- */

enum blastmerge_status bm_finalize_refuse(struct bm_finalize *finalize, enum blastmerge_status status,
                                          const char *detail, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finalize->text, sizeof finalize->text, format, arguments);
    va_end(arguments);
    snprintf(finalize->detail, sizeof finalize->detail, "%s", detail == NULL ? "" : detail);
    return bm_fail(finalize->error, status, "%s%s%s", finalize->text, detail == NULL ? "" : ": ",
                   finalize->detail);
}

enum blastmerge_status bm_finalize_fail_child(struct bm_finalize *finalize, const char *text) {
    struct blastmerge_error before = *finalize->error;
    (void)bm_finalize_refuse(finalize, before.status, before.message, "%s: %s", text,
                             finalize->children[before.child].job_id);
    memcpy(before.message, finalize->error->message, sizeof before.message);
    *finalize->error = before;
    return before.status;
}

enum blastmerge_status bm_finalize_fail_memory(struct bm_finalize *finalize) {
    return bm_fail(finalize->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

enum blastmerge_status bm_finalize_fail_place(struct bm_finalize *finalize,
                                              const struct bm_finalize_place *place) {
    struct blastmerge_error *error = finalize->error;
    return bm_fail_anew(error, error->status, "%.400s: %.500s", place->shown, error->message);
}

/* --- the steps ----------------------------------------------------------------------------------- */

static enum blastmerge_status write_parent(struct bm_finalize *finalize) {
    enum blastmerge_status status = bm_finalize_take_reports(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_make_folder(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_check_targets(finalize);
    if (status != BLASTMERGE_OK) return status;
    bm_finalize_disconnect(finalize);
    status = bm_finalize_merge(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_connect(finalize);
    return status == BLASTMERGE_OK ? bm_finalize_commit(finalize) : status;
}

static enum blastmerge_status tell_already_merged(struct bm_finalize *finalize) {
    *finalize->error = (struct blastmerge_error){0};
    finalize->outcome =
        json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "parent_job_id", finalize->parent_id, "status",
                  "completed", "phase", "split_results_already_merged", "already_merged", 1, "outputs",
                  bm_finalize_outputs(finalize), "warnings", json_incref(finalize->warnings));
    return finalize->outcome == NULL ? bm_finalize_fail_memory(finalize) : BLASTMERGE_OK;
}

static enum blastmerge_status tell_merged(struct bm_finalize *finalize) {
    finalize->outcome =
        json_pack("{s:s, s:s, s:s, s:b, s:I, s:o, s:O, s:O}", "parent_job_id", finalize->parent_id, "status",
                  "completed", "phase", "split_results_merged", "already_merged", 0, "child_count",
                  (json_int_t)finalize->n_children, "outputs", bm_finalize_outputs(finalize), "report",
                  finalize->report, "warnings", finalize->warnings);
    return finalize->outcome == NULL ? bm_finalize_fail_memory(finalize) : BLASTMERGE_OK;
}

static enum blastmerge_status take_steps(struct bm_finalize *finalize) {
    bool has_all = false;
    enum blastmerge_status status = bm_finalize_connect(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_look_at_parent(finalize, &has_all);
    if (status != BLASTMERGE_OK) return status;
    if (has_all) return tell_already_merged(finalize);
    if (finalize->parent_status != NULL && strcmp(finalize->parent_status, "completed") == 0)
        return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                  "split parent is completed but parent result artifacts are incomplete");
    status = bm_finalize_states(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_verify(finalize);
    if (status == BLASTMERGE_OK) status = write_parent(finalize);
    if (finalize->is_beaten) return tell_already_merged(finalize);
    return status == BLASTMERGE_OK ? tell_merged(finalize) : status;
}

/* --- what is said of it -------------------------------------------------------------------------- */

/* Cuts text that has more characters than are kept; it may be cut inside its last one already. */
static void cut(char *text) {
    size_t n_characters = 0;
    char *keep = text;
    for (char *byte = text; *byte != '\0'; byte++) {
        if ((*byte & 0xc0) == 0x80) continue;
        if (n_characters == MAX_CHARACTERS - 3) keep = byte;
        if (++n_characters <= MAX_CHARACTERS) continue;
        memcpy(keep, "...", 4);
        return;
    }
}

/* Names of files need not be UTF-8, JSON must. */
static json_t *string_of(const char *text) {
    json_t *string = json_string(text);
    if (string != NULL) return string;
    char ascii[BM_FINALIZE_TEXT];
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof ascii; n++) {
        ascii[n] = text[n];
        if ((text[n] & 0x80) != 0) ascii[n] = '?';
    }
    ascii[n] = '\0';
    return json_string(ascii);
}

static void tell_failure(struct bm_finalize *finalize, enum blastmerge_status status) {
    bool is_invalid =
        status == BLASTMERGE_USAGE || status == BLASTMERGE_DATA || status == BLASTMERGE_MISMATCH;
    if (finalize->text[0] == '\0')
        snprintf(finalize->text, sizeof finalize->text, "%s", finalize->error->message);
    cut(finalize->text);
    json_decref(finalize->outcome);
    finalize->outcome =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:O}", "parent_job_id", finalize->parent_id, "status", "failed",
                  "phase", is_invalid ? "split_results_merge_invalid" : "split_results_merge_unavailable",
                  "error", string_of(finalize->text), "detail",
                  finalize->detail[0] == '\0' ? json_null() : string_of(finalize->detail), "warnings",
                  finalize->warnings);
}

/* As Python's json writes it, which is what the documents are compared with. */
static void make_small(char *text) {
    for (; *text != '\0'; text++) {
        if (*text != '\\') continue;
        text++;
        for (int i = 1; *text == 'u' && i <= 4; i++) text[i] = (char)tolower((unsigned char)text[i]);
    }
}

char *bm_finalize_dump(const json_t *value) {
    const size_t flags = JSON_SORT_KEYS | JSON_ENSURE_ASCII;
    /* 17 digits are always enough, but make 2.8999999999999999 of what was 2.9. */
    for (size_t n_digits = 15; n_digits <= 17; n_digits++) {
        char *text = value == NULL ? NULL : json_dumps(value, flags | JSON_REAL_PRECISION(n_digits));
        if (text == NULL) return NULL;
        json_t *read = json_loads(text, 0, NULL);
        bool is_same = n_digits == 17 || json_equal(read, value);
        json_decref(read);
        if (is_same) {
            make_small(text);
            return text;
        }
        free(text);
    }
    return NULL;
}

/* The outcome as text in the job's memory; NULL where there is no memory for it. */
static char *text_of(struct bm_finalize *finalize) {
    if (finalize->outcome == NULL) return NULL;
    char *dumped = bm_finalize_dump(finalize->outcome);
    char *text = dumped == NULL ? NULL : bm_copy_string(&finalize->job->memory, dumped);
    free(dumped);
    return text;
}

/* Warnings go to the outcome, too. */
struct listener {
    json_t *warnings;
    void *context;
    int *ticket;
    int (*on_warning)(void *context, const char *message);
    int (*on_progress)(void *context, const struct blastmerge_progress *progress);
};

/* What the caller's function returned, without its ticket. */
static int pass_result(int issued, int result) {
    if (bm_callback_is_ok(issued, result)) return BLASTMERGE_CALLBACK_OK;
    return result == BLASTMERGE_CALLBACK_OK ? 0 : result;
}

static int keep_warning(void *context, const char *message) {
    struct listener *listener = context;
    if (json_array_size(listener->warnings) < MAX_WARNINGS)
        (void)json_array_append_new(listener->warnings, string_of(message));
    if (listener->on_warning == NULL) return BLASTMERGE_CALLBACK_OK;
    int issued = bm_callback_begin(listener->ticket);
    return pass_result(issued, listener->on_warning(listener->context, message));
}

static int pass_progress(void *context, const struct blastmerge_progress *progress) {
    const struct listener *listener = context;
    int issued = bm_callback_begin(listener->ticket);
    return pass_result(issued, listener->on_progress(listener->context, progress));
}

static struct listener listen(struct blastmerge_job *job, json_t *warnings) {
    struct blastmerge_options *options = &job->options;
    struct listener listener = {warnings, options->callback_context, options->callback_ticket,
                                options->on_warning, options->on_progress};
    options->callback_ticket = NULL;
    options->on_warning = keep_warning;
    if (options->on_progress != NULL) options->on_progress = pass_progress;
    return listener;
}

/* --- the public function ------------------------------------------------------------------------- */

static enum blastmerge_status check_job(struct blastmerge_job *job) {
    if (bm_cancel_is_foreign(&job->cancel)) return bm_cancel_fail_foreign(&job->error);
    if (job->is_inside) return BLASTMERGE_USAGE;
    if (job->error.status != BLASTMERGE_OK) return job->error.status;
    if (job->has_begun || job->n_children > 0 || job->is_lazy || job->output_location != NULL ||
        job->has_writer || job->report_location != NULL)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "a job to finalize with is new: it has neither children nor places for a result");
    if (job->options.salvage)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "finalize salvages nothing: what it writes stands for the whole search");
    if (job->options.expect_queries != NULL)
        return bm_fail(&job->error, BLASTMERGE_USAGE, "finalize takes no file of queries");
    if (job->options.form != BLASTMERGE_FORM_GZIP || job->options.expect_children > 0 ||
        job->options.sort != BLASTMERGE_SORT_DEFAULT)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "plain, bgzf, expect_children and sort make no sense with finalize: the result is one "
                       "gzip member, "
                       "and the description says which children there are, in which order");
    job->owner = getpid();
    return bm_cancel_begin(&job->cancel, &job->error);
}

static double seconds_since(const struct timespec *began) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/* Whatever happens, the job is not to be used again. */
static enum blastmerge_status run(struct bm_finalize *finalize, char **outcome) {
    struct blastmerge_job *job = finalize->job;
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    finalize->warnings = json_array();
    struct listener listener = listen(job, finalize->warnings);
    job->options.callback_context = &listener;
    enum blastmerge_status status =
        finalize->warnings == NULL ? bm_finalize_fail_memory(finalize) : take_steps(finalize);
    if (!bm_cancel_is_foreign(&job->cancel)) bm_finalize_disconnect(finalize);
    job->totals.peak_memory = job->memory.n_peak;
    job->totals.seconds = seconds_since(&began);
    job->options.callback_context = listener.context;
    job->options.callback_ticket = listener.ticket;
    job->options.on_warning = listener.on_warning;
    job->options.on_progress = listener.on_progress;
    if (status != BLASTMERGE_OK && (finalize->outcome == NULL || finalize->text[0] != '\0'))
        tell_failure(finalize, status);
    *outcome = text_of(finalize);
    if (status == BLASTMERGE_OK && *outcome == NULL) status = bm_finalize_fail_memory(finalize);
    return status;
}

void blastmerge_finalize_options_init(struct blastmerge_finalize_options *options, size_t struct_size) {
    bm_init_struct(options, struct_size);
}

enum blastmerge_status blastmerge_finalize(struct blastmerge_job *job, const void *description,
                                           size_t n_bytes, const struct blastmerge_finalize_options *options,
                                           char **outcome) {
    struct blastmerge_finalize_options known = {0};
    *outcome = NULL;
    enum blastmerge_status status = check_job(job);
    if (status != BLASTMERGE_OK) return status;
    if (options != NULL && !bm_copy_struct(&known, sizeof known, FIRST_OPTIONS, options))
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "the struct_size of finalize's options is that of none that this library knows: start from "
            "blastmerge_finalize_options_init(&options, sizeof options)");
    struct bm_finalize *finalize = bm_allocate(&job->memory, sizeof *finalize);
    if (finalize == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    finalize->job = job;
    finalize->error = &job->error;
    finalize->is_strict = known.strict != 0;
    status = bm_finalize_describe(finalize, description, n_bytes);
    if (status == BLASTMERGE_OK) status = run(finalize, outcome);
    job->has_begun = true;
    json_decref(finalize->warnings);
    json_decref(finalize->outcome);
    json_decref(finalize->report);
    json_decref(finalize->rows);
    json_decref(finalize->description);
    bm_release(&job->memory, finalize->children);
    bm_release(&job->memory, finalize);
    return status;
}
