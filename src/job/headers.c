/* SPDX-License-Identifier: MIT */
#include "job/headers.h"

#include "job/job.h"

#include <stdio.h>
#include <string.h>

enum blastmerge_status bm_job_headers_open(struct bm_job_headers *headers, struct bm_memory *memory) {
    headers->first = bm_allocate(memory, sizeof *headers->first);
    headers->current = bm_allocate(memory, sizeof *headers->current);
    return headers->first == NULL || headers->current == NULL ? BLASTMERGE_NO_MEMORY : BLASTMERGE_OK;
}

void bm_job_headers_close(struct bm_job_headers *headers, struct bm_memory *memory) {
    bm_release(memory, headers->first);
    bm_release(memory, headers->current);
    headers->first = headers->current = NULL;
}

void bm_job_headers_begin(struct bm_job_headers *headers) {
    bm_number_header_begin(headers->current);
}

void bm_job_headers_add(struct bm_job_headers *headers, const struct bm_mark_field *field) {
    bm_number_header_take(headers->current, field);
}

const struct bm_number_header *bm_job_headers_first(const struct bm_job_headers *headers) {
    return headers->has_first ? headers->first : headers->current;
}

enum blastmerge_status bm_job_headers_check_database(struct blastmerge_job *job) {
    if (bm_format_of(job->totals.format)->has_header || !job->is_database_given) return BLASTMERGE_OK;
    bm_fail(&job->error, BLASTMERGE_USAGE,
            "--db is only for BLAST XML (-outfmt 5), and this is %s, whose database names stay",
            bm_format_of(job->totals.format)->title);
    return bm_job_fail_child(job);
}

/* --- namespaces ---------------------------------------------------------------------------------- */

/* Writes a declaration, or states that it is absent. The other header declares something else. */
static void show(char *shown, size_t size, const char *name, const char *value, const char *other) {
    char shown_value[160];
    if (value == NULL) {
        snprintf(shown, size, "no %.80s", name);
        return;
    }
    bm_show_difference(shown_value, sizeof shown_value, value, other);
    snprintf(shown, size, shown_value[0] == '"' ? "%.80s=%s" : "%.80s=\"%s\"", name, shown_value);
}

static enum blastmerge_status compare_scopes(struct blastmerge_job *job) {
    const struct bm_job_headers *headers = &job->headers;
    struct bm_number_scope_difference difference;
    char ours[256], theirs[256], names[2][BM_JOB_SHOWN_NAME];
    const struct bm_number_scope *scope = &headers->current->scope;
    enum blastmerge_mismatch policy = job->options.mismatch;
    if (scope->is_beyond) {
        bm_fail(&job->error, BLASTMERGE_MISMATCH,
                "its root and BlastOutput_iterations declare more than %d namespaces, which are too many to "
                "compare",
                BM_SCOPE_MOST);
        return bm_job_fail_child(job);
    }
    if (!bm_number_scope_differ(&headers->first->scope, scope, &difference)) return BLASTMERGE_OK;
    if (policy == BLASTMERGE_MISMATCH_IGNORE) return BLASTMERGE_OK;
    show(ours, sizeof ours, difference.name, difference.value, difference.first_value);
    show(theirs, sizeof theirs, difference.name, difference.first_value, difference.value);
    bm_job_show_names(job, job->child, headers->first_child, names);
    if (policy == BLASTMERGE_MISMATCH_WARN) {
        bm_job_gather_add(job, BM_GATHER_SCOPE, names[0],
                          "around its Iterations is %s, but in %s there is %s", ours, names[1], theirs);
        return BLASTMERGE_OK;
    }
    bm_fail(&job->error, BLASTMERGE_MISMATCH,
            "around its Iterations is %s, but in %s there is %s: they would mean something else in the "
            "result, which has the first child's root; declare the same in each root",
            ours, names[1], theirs);
    return bm_job_fail_child(job);
}

/* --- fields --------------------------------------------------------------------------------------- */

/* What the policy makes of a difference. A database's name that is given is in the result for all of them. */
static bool is_mismatch_error(const struct blastmerge_job *job,
                              const struct bm_number_header_difference *difference) {
    if (job->options.as_unsplit && difference->is_database && !job->is_database_given) return true;
    return job->options.mismatch == BLASTMERGE_MISMATCH_ERROR ||
           (job->options.mismatch == BLASTMERGE_MISMATCH_DEFAULT && difference->is_program);
}

static enum bm_job_gather_kind kind_of(const struct bm_number_header_difference *difference) {
    return difference->is_program    ? BM_GATHER_PROGRAM
           : difference->is_database ? BM_GATHER_DATABASE
           : difference->is_version  ? BM_GATHER_VERSION
                                     : BM_GATHER_PARAMETERS;
}

enum blastmerge_status bm_job_headers_compare(struct blastmerge_job *job) {
    struct bm_job_headers *headers = &job->headers;
    struct bm_number_header_difference difference;
    size_t position = 0;
    if (!headers->has_first) {
        headers->has_first = true;
        headers->first_child = job->child;
        *headers->first = *headers->current;
        return compare_scopes(job);
    }
    char names[2][BM_JOB_SHOWN_NAME];
    bm_job_show_names(job, job->child, headers->first_child, names);
    while (bm_number_header_compare(headers->first, headers->current, &position, &difference)) {
        char ours[BM_NUMBER_HEADER_SHOWN], theirs[BM_NUMBER_HEADER_SHOWN];
        bm_number_header_show(difference.value, difference.first_value, ours);
        bm_number_header_show(difference.first_value, difference.value, theirs);
        const char *is = difference.is_plural ? "are" : "is", *that = difference.is_plural ? "those" : "that";
        if (is_mismatch_error(job, &difference)) {
            bool can_be_given = job->options.as_unsplit && difference.is_database &&
                                !job->is_database_given && bm_format_of(job->totals.format)->has_header;
            bm_fail(&job->error, BLASTMERGE_MISMATCH,
                    "its %s %s %s, but %s of %s %s %s: they are not parts of one search%s", difference.name,
                    is, ours, that, names[1], is, theirs,
                    can_be_given ? ", but perhaps searches of database shards (blastmerge shards merges "
                                   "these); if it is one database in "
                                   "several places, --db NAME gives its name in the result"
                    : difference.may_be_row ? "; --header keep treats such a row as a row of hits"
                                            : "");
            return bm_job_fail_child(job);
        }
        if (job->options.mismatch == BLASTMERGE_MISMATCH_IGNORE) continue;
        bm_job_gather_add(job, kind_of(&difference), names[0], "its %s %s %s, but %s of %s %s %s",
                          difference.name, is, ours, that, names[1], is, theirs);
    }
    bm_number_header_complete(headers->first, headers->current);
    return compare_scopes(job);
}
