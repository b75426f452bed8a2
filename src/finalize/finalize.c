/* SPDX-License-Identifier: MIT */
/* The steps of a finalize, and its outcome. */
#include "finalize/finalize.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

enum blastmerge_status bm_finalize_fail_file(struct bm_finalize *finalize,
                                             const struct bm_finalize_file *file) {
    struct blastmerge_error *error = finalize->error;
    return bm_fail_anew(error, error->status, "%.400s: %.500s", file->shown, error->message);
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
    char *text = dumped == NULL ? NULL : bm_copy_string(finalize->client.memory, dumped);
    free(dumped);
    return text;
}

/* Warnings go to the outcome, too. */
static void keep_warning(void *context, const char *message) {
    struct bm_finalize *finalize = context;
    if (json_array_size(finalize->warnings) < MAX_WARNINGS)
        (void)json_array_append_new(finalize->warnings, string_of(message));
}

/* --- the public function ------------------------------------------------------------------------- */

static enum blastmerge_status check_options(struct bm_finalize *finalize) {
    const struct blastmerge_options *options = finalize->client.options;
    if (options->salvage)
        return bm_fail(finalize->error, BLASTMERGE_USAGE,
                       "finalize salvages nothing: its result is that of the whole search");
    if (options->expect_queries != NULL)
        return bm_fail(finalize->error, BLASTMERGE_USAGE, "finalize accepts no file of queries");
    if (options->form != BLASTMERGE_FORM_GZIP || options->expect_children > 0 ||
        options->sort != BLASTMERGE_SORT_DEFAULT)
        return bm_fail(
            finalize->error, BLASTMERGE_USAGE,
            "--plain, --bgzf, --expect-children and --sort are not options of finalize: the result is one "
            "gzip member, and the description lists the children in their order");
    return BLASTMERGE_OK;
}

/* Takes the steps, and says how they ended. */
static enum blastmerge_status run(struct bm_finalize *finalize, char **outcome) {
    enum blastmerge_status status = take_steps(finalize);
    if (!bm_cancel_is_foreign(finalize->client.cancel)) bm_finalize_disconnect(finalize);
    if (status != BLASTMERGE_OK && (finalize->outcome == NULL || finalize->text[0] != '\0'))
        tell_failure(finalize, status);
    *outcome = text_of(finalize);
    return status == BLASTMERGE_OK && *outcome == NULL ? bm_finalize_fail_memory(finalize) : status;
}

void blastmerge_finalize_options_init(struct blastmerge_finalize_options *options, size_t struct_size) {
    bm_init_struct(options, struct_size);
}

/* Whatever comes of it, the job is not to be used again. */
static enum blastmerge_status finalize_job(struct bm_finalize *finalize, const void *description,
                                           size_t n_bytes, const struct blastmerge_finalize_options *options,
                                           char **outcome) {
    struct blastmerge_finalize_options known = {0};
    enum blastmerge_status status = check_options(finalize);
    if (status != BLASTMERGE_OK) return status;
    if (options != NULL && !bm_copy_struct(&known, sizeof known, FIRST_OPTIONS, options))
        return bm_fail(finalize->error, BLASTMERGE_USAGE,
                       "the struct_size of finalize's options is not supported by this library: start from "
                       "blastmerge_finalize_options_init(&options, sizeof options)");
    finalize->is_strict = known.strict != 0;
    finalize->warnings = json_array();
    if (finalize->warnings == NULL) return bm_finalize_fail_memory(finalize);
    status = bm_finalize_describe(finalize, description, n_bytes);
    return status == BLASTMERGE_OK ? run(finalize, outcome) : status;
}

static void release(struct bm_finalize *finalize) {
    struct bm_memory *memory = finalize->client.memory;
    json_decref(finalize->warnings);
    json_decref(finalize->outcome);
    json_decref(finalize->report);
    json_decref(finalize->rows);
    json_decref(finalize->description);
    bm_release(memory, finalize->children);
    bm_release(memory, finalize);
}

enum blastmerge_status blastmerge_finalize(struct blastmerge_job *job, const void *description,
                                           size_t n_bytes, const struct blastmerge_finalize_options *options,
                                           char **outcome) {
    struct bm_job_client client;
    *outcome = NULL;
    enum blastmerge_status status = bm_job_client_begin(job, &client);
    if (status != BLASTMERGE_OK) return status;
    struct bm_finalize *finalize = bm_allocate(client.memory, sizeof *finalize);
    if (finalize == NULL) return bm_fail(client.error, BLASTMERGE_NO_MEMORY, "out of memory");
    finalize->job = job;
    finalize->client = client;
    finalize->error = client.error;
    const struct bm_job_client_hooks hooks = {finalize, keep_warning, bm_finalize_before_commit};
    bm_job_client_set_hooks(job, &hooks);
    status = finalize_job(finalize, description, n_bytes, options, outcome);
    bm_job_client_end(job, &client);
    release(finalize);
    return status;
}
