/* SPDX-License-Identifier: MIT */
/*
 * Which files exist. Only their existence is checked; their content is checked when they are read. Look-ups in an
 * object store take time, so many run at the same time.
 */
#include "finalize/finalize.h"

#include <string.h>
#include <sys/stat.h>

enum { LOOKS_AHEAD = 16 };

static enum blastmerge_status look(struct bm_finalize *finalize, struct bm_finalize_file *file,
                                   bool *is_there) {
    enum blastmerge_status status = bm_fetch_source_look(&file->source, finalize->error);
    *is_there = status == BLASTMERGE_OK;
    if (status == BLASTMERGE_NOT_FOUND) {
        *finalize->error = (struct blastmerge_error){0};
        status = BLASTMERGE_OK;
    }
    if (status != BLASTMERGE_OK) status = bm_finalize_fail_file(finalize, file);
    bm_fetch_source_close(&file->source);
    return status;
}

/* --- the parent ---------------------------------------------------------------------------------- */

static enum blastmerge_status look_at_parents(struct bm_finalize *finalize, struct bm_cloud *cloud,
                                              const char *name, bool *is_there) {
    struct bm_finalize_file file;
    bm_finalize_locate(finalize, NULL, name, cloud, &file);
    return look(finalize, &file, is_there);
}

enum blastmerge_status bm_finalize_look_at_manifest(struct bm_finalize *finalize, struct bm_cloud *cloud,
                                                    bool *has_manifest) {
    return look_at_parents(finalize, cloud, BM_FINALIZE_MANIFEST, has_manifest);
}

/* A folder that is not there would look like one where nothing is yet. */
static enum blastmerge_status check_storage(struct bm_finalize *finalize) {
    struct stat information;
    if (finalize->is_remote) return BLASTMERGE_OK;
    if (stat(finalize->storage, &information) == 0 && S_ISDIR(information.st_mode)) return BLASTMERGE_OK;
    return bm_fail(finalize->error, BLASTMERGE_NOT_FOUND,
                   "%.500s: this folder, which the job's field storage_prefix names, does not exist",
                   finalize->storage);
}

/* The manifest is looked at first: what it names is there before it is. */
enum blastmerge_status bm_finalize_look_at_parent(struct bm_finalize *finalize, bool *has_all) {
    static const char *const names[] = {BM_FINALIZE_MANIFEST, BM_FINALIZE_RESULT, BM_FINALIZE_REPORT};
    enum blastmerge_status status = check_storage(finalize);
    *has_all = true;
    for (size_t i = 0; i < 3 && status == BLASTMERGE_OK && *has_all; i++) {
        status = look_at_parents(finalize, finalize->cloud, names[i], has_all);
        if (i == 0) finalize->had_manifest = *has_all;
    }
    return status;
}

/* --- the children -------------------------------------------------------------------------------- */

/* File number 2n is the n-th child's result, 2n + 1 its report. */
static void begin_look(const struct bm_finalize *finalize, struct bm_finalize_file *file, size_t number) {
    bm_finalize_locate(finalize, &finalize->children[number / 2],
                       number % 2 == 0 ? BM_FINALIZE_RESULT : BM_FINALIZE_REPORT, finalize->cloud, file);
    bm_fetch_source_begin_look(&file->source);
}

/* The error has the file's name: adds the child's. */
static enum blastmerge_status fail_look(struct bm_finalize *finalize, const struct bm_finalize_child *child) {
    char reason[sizeof finalize->error->message];
    memcpy(reason, finalize->error->message, sizeof reason);
    return bm_fail_anew(finalize->error, finalize->error->status, "split child %.255s: %.700s", child->job_id,
                        reason);
}

static enum blastmerge_status end_look(struct bm_finalize *finalize, struct bm_finalize_file *file,
                                       size_t number) {
    struct bm_finalize_child *child = &finalize->children[number / 2];
    bool is_there = false;
    enum blastmerge_status status = look(finalize, file, &is_there);
    const struct bm_fetch_source *source = &file->source;
    struct bm_finalize_identity identity = {0};
    if (is_there && source->has_identity)
        identity = (struct bm_finalize_identity){source->device, source->inode};
    if (number % 2 == 0) {
        child->has_result = is_there;
        child->result_size = source->n_bytes;
        child->result_identity = identity;
    } else {
        child->has_report = is_there;
        child->report_size = source->n_bytes;
        child->report_identity = identity;
    }
    return status == BLASTMERGE_OK ? BLASTMERGE_OK : fail_look(finalize, child);
}

static enum blastmerge_status look_at_children(struct bm_finalize *finalize) {
    size_t n = 2 * finalize->n_children;
    size_t n_begun = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    struct bm_finalize_file *files = bm_allocate(finalize->client.memory, LOOKS_AHEAD * sizeof *files);
    if (files == NULL) return bm_finalize_fail_memory(finalize);
    for (size_t i = 0; i < n && status == BLASTMERGE_OK; i++) {
        for (; n_begun < n && n_begun < i + LOOKS_AHEAD; n_begun++)
            begin_look(finalize, &files[n_begun % LOOKS_AHEAD], n_begun);
        if (bm_cancel_is_set(finalize->client.cancel))
            status = bm_fail(finalize->error, BLASTMERGE_CANCELLED, "cancelled");
        else
            status = end_look(finalize, &files[i % LOOKS_AHEAD], i);
    }
    for (size_t i = 0; i < LOOKS_AHEAD && i < n_begun; i++) bm_fetch_source_close(&files[i].source);
    bm_release(finalize->client.memory, files);
    return status;
}

static json_t *size_of(bool is_there, uint64_t size) {
    return is_there && size <= INT64_MAX ? json_integer((json_int_t)size) : json_null();
}

static json_t *group_of(const struct bm_finalize_child *child) {
    return child->group_id == NULL ? json_null() : json_incref(child->group_id);
}

static json_t *make_row(const struct bm_finalize *finalize, const struct bm_finalize_child *child) {
    char result[BM_FINALIZE_RELATIVE];
    char report[BM_FINALIZE_RELATIVE];
    bm_finalize_relative(finalize, child, BM_FINALIZE_RESULT, result);
    bm_finalize_relative(finalize, child, BM_FINALIZE_REPORT, report);
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:b, s:o, s:o}", "parent_job_id", finalize->parent_id,
                     "child_job_id", child->job_id, "group_id", group_of(child), "merged_result_path", result,
                     "merge_report_path", report, "has_merged_result", child->has_result, "has_merge_report",
                     child->has_report, "merged_result_size", size_of(child->has_result, child->result_size),
                     "merge_report_size", size_of(child->has_report, child->report_size));
}

static json_t *make_missing(const struct bm_finalize_child *child) {
    json_t *names = json_array();
    if (!child->has_result) (void)json_array_append_new(names, json_string(BM_FINALIZE_RESULT));
    if (!child->has_report) (void)json_array_append_new(names, json_string(BM_FINALIZE_REPORT));
    return json_pack("{s:s, s:o, s:o}", "child_job_id", child->job_id, "group_id", group_of(child), "missing",
                     names);
}

static enum blastmerge_status tell_missing(struct bm_finalize *finalize, json_t *missing, size_t n_missing) {
    finalize->outcome =
        json_pack("{s:s, s:s, s:s, s:b, s:O, s:O}", "parent_job_id", finalize->parent_id, "status", "running",
                  "phase", "split_results_waiting_for_artifacts", "all_artifacts_present", 0,
                  "missing_artifacts", missing, "children", finalize->rows);
    if (finalize->outcome == NULL) return bm_finalize_fail_memory(finalize);
    return bm_fail(finalize->error, BLASTMERGE_NOT_READY,
                   "not ready: files of %zu of %zu children are missing: try again later", n_missing,
                   finalize->n_children);
}

static enum blastmerge_status make_rows(struct bm_finalize *finalize) {
    json_t *missing = json_array();
    size_t n_missing = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    finalize->rows = json_array();
    for (size_t i = 0; i < finalize->n_children && status == BLASTMERGE_OK; i++) {
        const struct bm_finalize_child *child = &finalize->children[i];
        bool is_whole = child->has_result && child->has_report;
        if (json_array_append_new(finalize->rows, make_row(finalize, child)) != 0 ||
            (!is_whole && json_array_append_new(missing, make_missing(child)) != 0))
            status = bm_finalize_fail_memory(finalize);
        if (!is_whole) n_missing++;
    }
    if (status == BLASTMERGE_OK && n_missing > 0) status = tell_missing(finalize, missing, n_missing);
    json_decref(missing);
    return status;
}

static enum blastmerge_status check_children(struct bm_finalize *finalize) {
    for (size_t i = 0; i < finalize->n_children; i++) {
        const struct bm_finalize_child *child = &finalize->children[i];
        if (child->job_id == NULL)
            return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                      "split child state is missing job_id");
        if (strcmp(child->status, "completed") != 0)
            return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL,
                                      "split child %s is not completed: %s", child->job_id, child->status);
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_finalize_verify(struct bm_finalize *finalize) {
    enum blastmerge_status status = check_children(finalize);
    if (status == BLASTMERGE_OK) status = look_at_children(finalize);
    if (status == BLASTMERGE_OK) status = bm_finalize_check_files(finalize);
    return status == BLASTMERGE_OK ? make_rows(finalize) : status;
}
