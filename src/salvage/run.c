/* SPDX-License-Identifier: MIT */
/*
 * Runs of a search, as a survey finds them: where one begins, how many Iterations it has, and whose these are. Which of several
 * runs counts is settled in settle.c.
 */
#include "salvage/survey.h"

#include <string.h>

static struct bm_salvage_survey_run *current_run(struct bm_salvage_survey_state *now) {
    return &now->runs[now->n_runs - 1];
}

static const struct bm_salvage_survey_run *last_with_header(const struct bm_salvage_survey_state *now) {
    size_t i = now->n_runs - 1;
    while (i > 0 && !now->runs[i].is.has_header) i--;
    return &now->runs[i];
}

uint64_t bm_salvage_mix(uint64_t hash, uint64_t value) {
    return (hash ^ value) * 0x9e3779b97f4a7c15u ^ hash >> 29;
}

/* A field of a document's header. */
void bm_salvage_run_take_field(struct bm_salvage_survey *survey) {
    static const char query[] = "BlastOutput_query-";
    struct bm_salvage_survey_document *document = &survey->now.is;
    const struct bm_mark_field *field = bm_mark_field(survey->mark);
    document->header = bm_salvage_mix(document->header, field->hash);
    document->is_psi = document->is_psi || bm_mark_is_of_psi(field);
    if (strncmp(field->name, query, sizeof query - 1) != 0) return;
    document->query = bm_salvage_mix(document->query, field->hash);
    if (bm_salvage_field_name(field, document->query_name)) document->is_named = true;
}

/* Whether a child's text up to the document is what stands where that begins: its header was begun, perhaps several
 * times, and cut off. `end`: of the header. Of a header beyond what is kept it is not known. */
static bool is_cut_header(const struct bm_salvage_survey *survey, uint64_t document, uint64_t end) {
    const size_t n_cut = (size_t)document;
    const size_t n_header = (size_t)(end - document);
    size_t reach = 0;
    if (survey->now.beginning_is_over || document > survey->now.n_beginning ||
        document + survey->batch->n_history < survey->text_offset)
        return false;
    const char *cut = survey->beginning;
    const char *header = (const char *)bm_salvage_survey_at(survey, document);
    for (size_t at = 0; at < n_cut && at <= reach; at++) {
        size_t n = 0;
        while (at + n < n_cut && n < n_header && cut[at + n] == header[n]) n++;
        if (reach < at + n) reach = at + n;
    }
    return reach == n_cut;
}

/* A document's header, which ends at the offset, is whole: another run begins if it is that of the current run. The hole
 * before it, if there is one, has been closed. */
void bm_salvage_run_begin(struct bm_salvage_survey *survey, bool follows_hole, uint64_t end) {
    struct bm_salvage_survey_state *now = &survey->now;
    struct bm_salvage_survey_run *run = current_run(now);
    struct bm_salvage_hole *hole = follows_hole ? &now->holes[now->n_holes - 1] : NULL;
    const struct bm_salvage_run is = {
        .has_header = true, .header = now->is.header, .is_named = now->is.is_named};
    if (!run->is.has_header && run->is.n == 0) {
        run->is = is;
        run->begin = now->document;
        run->n_holes = now->n_holes;
        if (hole != NULL && is_cut_header(survey, now->document, end)) { /* nothing else was cut off */
            hole->is_lost = false;
            hole->lost_to = hole->superseded_from = hole->from;
            hole->n_superseded = 1;
            hole->superseded_by = now->document;
        }
        return;
    }
    const struct bm_salvage_run *before = &last_with_header(now)->is;
    bool is_same = before->has_header && before->header == is.header;
    bool is_other = before->has_header && before->header != is.header;
    if (hole != NULL) hole->sequel = is_same ? BM_SEQUEL_AGAIN : is_other ? BM_SEQUEL_OTHER : BM_SEQUEL_NONE;
    if (is_other || now->n_runs == BM_SALVAGE_RUNS) return;
    now->runs[now->n_runs++] = (struct bm_salvage_survey_run){
        .is = is,
        .begin = now->document,
        .from = now->last,
        .crc32 = now->crc32_last,
        .n_before = now->n_iterations,
        .n_holes = now->n_holes,
    };
    memcpy(current_run(now)->query_before, now->last_query, BM_SALVAGE_NAME);
}

/* An Iteration behind a hole in which a document ends, or a header is lost: a run without a header, to which the hole
 * belongs. */
void bm_salvage_run_begin_bare(struct bm_salvage_survey_state *now) {
    const struct bm_salvage_run *run = &current_run(now)->is;
    if (now->n_runs == BM_SALVAGE_RUNS || (!run->has_header && run->n == 0)) return;
    now->runs[now->n_runs++] = (struct bm_salvage_survey_run){
        .begin = now->begin,
        .from = now->last,
        .crc32 = now->crc32_last,
        .n_before = now->n_iterations,
        .n_holes = now->n_holes - 1,
    };
    memcpy(current_run(now)->query_before, now->last_query, BM_SALVAGE_NAME);
}

/* The header of the current archive, which includes its first query. */
static uint64_t header_of_archive(const struct bm_salvage_survey_state *now) {
    return bm_salvage_mix(now->is.header, now->archive.first);
}

bool bm_salvage_run_is_begun_again(const struct bm_salvage_survey_state *now) {
    const struct bm_salvage_run *run = &now->runs[now->n_runs - 1].is;
    return !now->archive.is_round && run->has_header && run->header == header_of_archive(now);
}

void bm_salvage_run_begin_archive(struct bm_salvage_survey *survey, bool follows_hole, uint64_t end) {
    struct bm_salvage_survey_state *now = &survey->now;
    bool is_again = bm_salvage_run_is_begun_again(now);
    if (is_again) now->n_seen = 0;
    if (!is_again && current_run(now)->is.has_header) return;
    now->is.header = header_of_archive(now);
    now->is.is_named = now->archive.is_named;
    bm_salvage_run_begin(survey, follows_hole, end);
}

/* An Iteration, or an archive, of the run that counts, for each other run that may hold the same. name: of its query,
 * or its first one. */
static void compare(struct bm_salvage_survey *survey, const struct bm_salvage_run *run, uint64_t hash,
                    const char *name) {
    if (!survey->is_comparing || survey->now.n_runs - 1 != survey->counting) return;
    for (size_t i = 0; i < survey->n_lengths; i++) {
        const struct bm_salvage_run *other = &survey->others[i];
        bool may_begin = hash == other->first && (run->n == 0 || !other->has_header);
        if (survey->taken[i] > other->n) continue;
        if (survey->taken[i] == other->n) {
            memcpy(survey->names[i], name, BM_SALVAGE_NAME);
        } else if (survey->taken[i] > 0 || may_begin) {
            survey->hashes[i] = bm_salvage_mix(survey->hashes[i], hash);
        } else {
            continue;
        }
        survey->taken[i]++;
    }
}

/* Adds one that is whole to the current run. */
static void add(struct bm_salvage_survey *survey, uint64_t hash, bool is_named, const char *name) {
    struct bm_salvage_run *run = &current_run(&survey->now)->is;
    compare(survey, run, hash, name);
    if (run->n++ == 0) {
        memcpy(current_run(&survey->now)->first_query, name, BM_SALVAGE_NAME);
        run->first = hash;
    }
    run->hash = bm_salvage_mix(run->hash, hash);
    run->is_named = run->is_named || is_named;
}

/* A whole Iteration, whose head is still there; its query is the last one. What an Iteration does not say of its query
 * is the header's. */
void bm_salvage_run_count(struct bm_salvage_survey *survey) {
    const struct bm_salvage_survey_state *now = &survey->now;
    struct bm_salvage_run *run = &current_run(&survey->now)->is;
    bool is_named = false;
    uint64_t hash = bm_salvage_head_hash(&now->head, &is_named);
    if (!bm_salvage_head_has_query(&now->head)) {
        hash = bm_salvage_mix(hash, now->is.query);
        is_named = now->is.is_named;
        run->is_unsure = run->is_unsure || !bm_salvage_survey_is_of_header(now) || now->is.query == 0;
    }
    add(survey, hash, is_named, now->last_query);
    run->n_iterations++;
}

void bm_salvage_run_count_archive(struct bm_salvage_survey *survey) {
    const struct bm_salvage_survey_archive *archive = &survey->now.archive;
    add(survey, archive->hash, archive->is_named, archive->names[0]);
    current_run(&survey->now)->is.n_iterations += archive->n;
}
