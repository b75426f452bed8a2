/* SPDX-License-Identifier: MIT */
#include "job/spans.h"

#include "base/hash.h"
#include "queries/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct bm_job_spans {
    struct bm_queries_file file; /* where the next child's queries begin */
    bool is_astray;              /* those of a child were not found */
};

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- a row of queries ---------------------------------------------------------------------------- */

static void copy_name(char name[BM_JOB_SPAN_NAME], const struct bm_queries_file *file) {
    size_t n = strcspn(file->title, " \t");
    int n_cut = bm_show_length(file->title, BM_JOB_SPAN_NAME - 1);
    snprintf(name, BM_JOB_SPAN_NAME, "%.*s", (int)n < n_cut ? (int)n : n_cut, file->title);
}

/* The current query. */
static void add(struct bm_job_span *span, const struct bm_queries_file *file) {
    const uint64_t numbers[] = {file->n_title, file->has_length, file->n_residues};
    if (span->n == 0) copy_name(span->first, file);
    copy_name(span->last, file);
    span->hash = bm_fnv1a(span->n == 0 ? BM_FNV1A : span->hash, file->title, file->n_title);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        span->hash = bm_hash_add(span->hash, numbers[i]);
    span->n++;
}

/* The next n queries of a file, or as many as there are. */
static enum blastmerge_status read_row(struct blastmerge_job *job, struct bm_queries_file *file, uint64_t n,
                                       struct bm_job_span *span) {
    bool has_query = true;
    *span = (struct bm_job_span){0};
    while (span->n < n) {
        if (bm_cancel_is_set(&job->cancel)) return bm_fail(&job->error, BLASTMERGE_CANCELLED, "cancelled");
        enum blastmerge_status status = bm_queries_file_next(file, &has_query, &job->error);
        if (status != BLASTMERGE_OK || !has_query) return status;
        add(span, file);
    }
    return BLASTMERGE_OK;
}

static bool is_same(const struct bm_job_span *one, const struct bm_job_span *other) {
    return one->n == other->n && one->hash == other->hash;
}

enum blastmerge_status bm_job_spans_sum(struct blastmerge_job *job, struct bm_job_span **span) {
    *span = NULL;
    if (job->queries.file == NULL) return BLASTMERGE_OK;
    struct bm_queries_file *file = bm_allocate(&job->memory, sizeof *file);
    *span = bm_allocate(&job->memory, sizeof **span);
    enum blastmerge_status status = BLASTMERGE_OK;
    if (file == NULL || *span == NULL) {
        status = fail_memory(job);
    } else {
        bm_queries_share(job->queries.file, file);
        status = read_row(job, file, UINT64_MAX, *span);
    }
    bm_release(&job->memory, file);
    return status;
}

/* --- the plan ------------------------------------------------------------------------------------ */

enum blastmerge_status bm_job_spans_open(struct blastmerge_job *job, struct bm_job_spans **spans) {
    *spans = NULL;
    if (job->options.expect_queries == NULL) return BLASTMERGE_OK;
    *spans = bm_allocate(&job->memory, sizeof **spans);
    if (*spans == NULL) return fail_memory(job);
    (*spans)->file.beside = job->temporary.beside;
    enum blastmerge_status status = bm_queries_file_open(
        &(*spans)->file, "the file of queries", job->options.expect_queries, &job->cancel, &job->error);
    if (status == BLASTMERGE_OK) return status;
    bm_release(&job->memory, *spans);
    *spans = NULL;
    return status;
}

void bm_job_spans_close(struct bm_job_spans *spans, struct bm_memory *memory) {
    if (spans == NULL) return;
    bm_queries_file_close(&spans->file);
    bm_release(memory, spans);
}

static const char *or_nameless(const char *name) {
    return name[0] == '\0' ? "(without a name)" : name;
}

/* "3 queries in a row are of no child: number 5, a, to number 7, c". number: of the first. */
static void describe(const struct bm_job_span *missing, uint64_t number, char *text, size_t size) {
    char until[BM_JOB_SPAN_NAME + 64] = "";
    if (missing->n > 1)
        snprintf(until, sizeof until, ", to number %" PRIu64 ", %s", number + missing->n - 1,
                 or_nameless(missing->last));
    snprintf(text, size, "%" PRIu64 " %s of no child: number %" PRIu64 ", %s%s", missing->n,
             missing->n == 1 ? "query is" : "queries in a row are", number, or_nameless(missing->first),
             until);
}

/* Goes on to where the child's queries begin. missing: those that are passed. */
static enum blastmerge_status find(struct blastmerge_job *job, struct bm_queries_file *file,
                                   const struct bm_job_span *span, struct bm_job_span *missing,
                                   bool *is_found) {
    struct bm_job_span row = {.n = 1};
    *missing = (struct bm_job_span){0};
    *is_found = span->n == 0;
    while (row.n > 0 && !*is_found) {
        const struct bm_queries_file_place here = bm_queries_file_place(file);
        enum blastmerge_status status = read_row(job, file, 1, &row);
        if (status != BLASTMERGE_OK) return status;
        bool may_begin = strcmp(row.first, span->first) == 0;
        if (may_begin) {
            bm_queries_file_go(file, &here);
            status = read_row(job, file, span->n, &row);
            *is_found = is_same(&row, span);
            if (status != BLASTMERGE_OK || *is_found) return status;
            bm_queries_file_go(file, &here);
            status = read_row(job, file, 1, &row);
        }
        if (status != BLASTMERGE_OK) return status;
        if (row.n > 0) add(missing, file);
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_spans_compare(struct blastmerge_job *job, struct bm_job_spans *spans,
                                            const struct bm_job_span *span) {
    char text[2 * BM_JOB_SPAN_NAME + 200];
    struct bm_job_span missing;
    bool is_found = false;
    if (spans == NULL) return BLASTMERGE_OK;
    if (span == NULL) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH,
                "was not compared with queries: count it with --expect-queries and the queries that its "
                "search had");
        return bm_job_fail_child(job);
    }
    struct bm_queries_file *file = &spans->file;
    const struct bm_queries_file_place before = bm_queries_file_place(file);
    enum blastmerge_status status = find(job, file, span, &missing, &is_found);
    if (status != BLASTMERGE_OK) return bm_job_fail(job);
    if (is_found && missing.n == 0) return BLASTMERGE_OK;
    describe(&missing, before.number + 1, text, sizeof text);
    if (is_found) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH,
                "comes too early: %s; search these, count the result, and plan with its tally", text);
        return bm_job_fail_child(job);
    }
    bm_queries_file_go(file, &before);
    spans->is_astray = true;
    bm_fail(&job->error, BLASTMERGE_MISMATCH,
            "was counted with %" PRIu64 " %s, the first is %s, and these do not follow one another in the "
            "file of queries from number %" PRIu64
            " on (is one of the files FASTA, and the other one a list?)",
            span->n, span->n == 1 ? "query" : "queries", or_nameless(span->first), before.number + 1);
    return bm_job_fail_child(job);
}

void bm_job_spans_pass(struct blastmerge_job *job, struct bm_job_spans *spans,
                       const struct bm_job_span *span) {
    struct bm_job_span missing;
    bool is_found = false;
    if (spans == NULL || span == NULL) return;
    const struct blastmerge_error error = job->error;
    const struct bm_queries_file_place before = bm_queries_file_place(&spans->file);
    if (find(job, &spans->file, span, &missing, &is_found) != BLASTMERGE_OK || !is_found) {
        bm_queries_file_go(&spans->file, &before);
        spans->is_astray = true;
    }
    job->error = error;
}

enum blastmerge_status bm_job_spans_end(struct blastmerge_job *job, struct bm_job_spans *spans) {
    char text[2 * BM_JOB_SPAN_NAME + 200];
    struct bm_job_span left;
    if (spans == NULL) return BLASTMERGE_OK;
    uint64_t number = bm_queries_file_place(&spans->file).number + 1;
    enum blastmerge_status status = read_row(job, &spans->file, UINT64_MAX, &left);
    if (status != BLASTMERGE_OK || left.n == 0) return status;
    describe(&left, number, text, sizeof text);
    return bm_fail(&job->error, BLASTMERGE_MISMATCH, "%s%s", text,
                   spans->is_astray ? "" : ": search these, count the result, and plan with its tally");
}
