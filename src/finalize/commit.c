/* SPDX-License-Identifier: MIT */
/*
 * The files that are written, in this order: the merged result, the report, the manifest. The first two replace
 * existing files: without a manifest, these are left from a run that did not finish. The manifest is written
 * only if it does not exist yet. So one of several processes commits, and the others find that the work is
 * done. Before each of the first two files, finalize checks again for a manifest, so a later process replaces no
 * file that a manifest names.
 */
#include "finalize/finalize.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum blastmerge_status bm_finalize_check_beaten(struct bm_finalize *finalize, struct bm_cloud *cloud) {
    bool has_manifest = false;
    if (finalize->had_manifest) return BLASTMERGE_OK; /* it is to be replaced */
    enum blastmerge_status status = bm_finalize_look_at_manifest(finalize, cloud, &has_manifest);
    if (status != BLASTMERGE_OK || !has_manifest) return status;
    finalize->is_beaten = true;
    return bm_fail(finalize->error, BLASTMERGE_EXISTS, "another process has committed a result first");
}

/* --- the merged result --------------------------------------------------------------------------- */

static enum blastmerge_status check_child(struct bm_finalize *finalize, size_t number) {
    const struct bm_finalize_child *child = &finalize->children[number];
    struct blastmerge_child found;
    char message[512];
    enum blastmerge_status status = blastmerge_child(finalize->job, number, &found);
    if (status != BLASTMERGE_OK || !child->has_queries ||
        (child->n_queries >= 0 && (uint64_t)child->n_queries == found.n_iterations))
        return status;
    snprintf(message, sizeof message,
             "split child %s: its merge report counts %" PRId64 " queries, and its result holds %" PRIu64
             " Iterations",
             child->job_id, child->n_queries, found.n_iterations);
    if (finalize->is_strict) return bm_finalize_refuse(finalize, BLASTMERGE_MISMATCH, NULL, "%s", message);
    bm_job_client_warn(finalize->job, "%s", message);
    return BLASTMERGE_OK;
}

/* What the results are shows in them. A report that says "tabular" may be about any table. */
static void warn_of_format(struct bm_finalize *finalize) {
    enum blastmerge_format found = blastmerge_report(finalize->job)->format;
    enum blastmerge_format said = finalize->format;
    if (found == said || found == BLASTMERGE_FORMAT_AUTO || said == BLASTMERGE_FORMAT_TABULAR) return;
    if (said == BLASTMERGE_FORMAT_COMMENTED && found == BLASTMERGE_FORMAT_TABULAR) return;
    bm_job_client_warn(finalize->job,
                       "the children's merge reports say that each result is %s, but each is %s",
                       bm_format_of(said)->title, bm_format_of(found)->title);
}

enum blastmerge_status bm_finalize_before_commit(void *context, struct bm_cloud *cloud) {
    struct bm_finalize *finalize = context;
    enum blastmerge_status status = BLASTMERGE_OK;
    bool counts = bm_job_client_counts_queries(finalize->job);
    warn_of_format(finalize);
    for (size_t i = 0; i < finalize->n_children && counts && status == BLASTMERGE_OK; i++)
        status = check_child(finalize, i);
    return status == BLASTMERGE_OK ? bm_finalize_check_beaten(finalize, cloud) : status;
}

static enum blastmerge_status set_places(struct bm_finalize *finalize) {
    struct bm_finalize_file file;
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = 0; i < finalize->n_children && status == BLASTMERGE_OK; i++) {
        bm_finalize_locate(finalize, &finalize->children[i], BM_FINALIZE_RESULT, NULL, &file);
        status = blastmerge_add_location(finalize->job, file.location);
    }
    if (status != BLASTMERGE_OK) return status;
    bm_finalize_locate(finalize, NULL, BM_FINALIZE_RESULT, NULL, &file);
    status = blastmerge_set_output_location(finalize->job, file.location);
    if (status != BLASTMERGE_OK) return status;
    bm_finalize_locate(finalize, NULL, BM_FINALIZE_REPORT, NULL, &file);
    status = bm_job_client_keep_place(finalize->job, "the parent's report", file.location);
    if (status != BLASTMERGE_OK) return status;
    bm_finalize_locate(finalize, NULL, BM_FINALIZE_MANIFEST, NULL, &file);
    return bm_job_client_keep_place(finalize->job, "the parent's manifest", file.location);
}

enum blastmerge_status bm_finalize_merge(struct bm_finalize *finalize) {
    const struct bm_job_client_terms terms = {
        .are_files_regular = true,
        .table = bm_format_is_table(finalize->format) ? finalize->format : BLASTMERGE_FORMAT_AUTO,
        .is_table_narrow = finalize->is_narrow,
    };
    enum blastmerge_status status = set_places(finalize);
    char text[64];
    if (status == BLASTMERGE_OK) status = bm_job_client_merge(finalize->job, &terms);
    if (status != BLASTMERGE_DATA || finalize->error->child == BLASTMERGE_NO_CHILD) return status;
    snprintf(text, sizeof text, "invalid child %s result", bm_format_of(finalize->format)->service.kind);
    return bm_finalize_fail_child(finalize, text);
}

/* --- report and manifest ------------------------------------------------------------------------- */

/* One line with sorted keys. */
static enum blastmerge_status write_json(struct bm_finalize *finalize, const char *name, const json_t *value,
                                         bool is_force) {
    struct bm_store store = {0};
    char *text = bm_finalize_dump(value);
    if (text == NULL) return bm_finalize_fail_memory(finalize);
    enum blastmerge_status status = bm_finalize_open_store(finalize, &store, name, is_force, true);
    if (status == BLASTMERGE_OK) status = bm_store_write(&store, text, strlen(text), finalize->error);
    if (status == BLASTMERGE_OK) status = bm_store_write(&store, "\n", 1, finalize->error);
    if (status == BLASTMERGE_OK) status = bm_store_prepare(&store, finalize->error);
    if (status == BLASTMERGE_OK) status = bm_store_commit(&store, finalize->error);
    bm_store_discard(&store);
    free(text);
    return status;
}

json_t *bm_finalize_outputs(const struct bm_finalize *finalize) {
    char result[BM_FINALIZE_RELATIVE];
    char report[BM_FINALIZE_RELATIVE];
    char manifest[BM_FINALIZE_RELATIVE];
    bm_finalize_relative(finalize, NULL, BM_FINALIZE_RESULT, result);
    bm_finalize_relative(finalize, NULL, BM_FINALIZE_REPORT, report);
    bm_finalize_relative(finalize, NULL, BM_FINALIZE_MANIFEST, manifest);
    return json_pack("{s:s, s:s, s:s}", "merged_result_path", result, "merge_report_path", report,
                     "manifest_path", manifest);
}

/* 2026-11-22T10:20:30.123456+00:00 */
static void write_time(char text[64]) {
    struct timespec now = {0};
    struct tm parts = {0};
    char seconds[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, 64, "%s.%06ld+00:00", seconds, now.tv_nsec / 1000);
}

static json_t *make_manifest(const struct bm_finalize *finalize) {
    char created_at[64];
    write_time(created_at);
    return json_pack("{s:s, s:s, s:s, s:O, s:o}", "parent_job_id", finalize->parent_id, "created_at",
                     created_at, "assembly", bm_format_of(finalize->format)->service.assembly, "children",
                     finalize->rows, "outputs", bm_finalize_outputs(finalize));
}

enum blastmerge_status bm_finalize_commit(struct bm_finalize *finalize) {
    enum blastmerge_status status = bm_finalize_check_beaten(finalize, finalize->cloud);
    if (status == BLASTMERGE_OK) status = write_json(finalize, BM_FINALIZE_REPORT, finalize->report, true);
    if (status != BLASTMERGE_OK) return status;
    json_t *manifest = make_manifest(finalize);
    status = write_json(finalize, BM_FINALIZE_MANIFEST, manifest, finalize->had_manifest);
    json_decref(manifest);
    if (status == BLASTMERGE_EXISTS) finalize->is_beaten = true;
    return status;
}
