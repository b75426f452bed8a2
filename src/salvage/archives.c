/* SPDX-License-Identifier: MIT */
/*
 * How archives are surveyed
 *
 * An archive says by its own end whether it is whole, and has all that its queries need. So what is certain is whole
 * archives: a fault loses the archive that it is in, with all of its queries. The name "Blast4-archive" begins the next one.
 * An archive that is broken off cannot contain others, as an Iteration can: in its strings they would end at the next quote.
 *
 * An archive has no number. So that nothing is merged twice, one behind a fault counts only if none of its run had the same
 * queries, or if it is the first one of the run again: then the search was begun again. A later round of PSI-BLAST belongs to the rounds before it, and does not count if these may be lost.
 */
#include "salvage/survey.h"

#include <string.h>

static void end_query(struct bm_salvage_survey *survey, uint64_t end) {
    struct bm_salvage_survey_archive *archive = &survey->now.archive;
    bool is_named = false;
    bm_salvage_survey_fill_head(survey, end);
    uint64_t hash = bm_salvage_head_hash(&survey->now.head, &is_named);
    bm_salvage_head_name(&survey->now.head, archive->last_name);
    survey->now.head.is_open = false;
    archive->is_named = archive->is_named || is_named;
    if (archive->n < BM_SALVAGE_NAMES)
        memcpy(archive->names[archive->n], archive->last_name, BM_SALVAGE_NAME);
    if (archive->n++ == 0) archive->first = hash;
    archive->hash = bm_salvage_mix(archive->hash, hash);
}

void bm_salvage_archive_take_mark(struct bm_salvage_survey *survey, const struct bm_mark_entry *mark) {
    struct bm_salvage_survey_state *now = &survey->now;
    switch (mark->kind) {
    case BM_MARK_ARCHIVE:
        now->document = mark->offset;
        now->is = (struct bm_salvage_survey_document){.is_known = false};
        now->archive = (struct bm_salvage_survey_archive){.n = 0};
        break;
    case BM_MARK_FIELD:
        bm_salvage_run_take_field(survey);
        break;
    case BM_MARK_ITERATION:
        if (now->archive.n == 0) now->archive.is_round = (mark->flags & BM_MARK_RUN) == 0;
        bm_salvage_head_begin(&now->head, mark->offset, true);
        break;
    case BM_MARK_ITERATION_END:
        end_query(survey, mark->offset);
        break;
    default:
        break;
    }
}

bool bm_salvage_archive_is_new(const struct bm_salvage_survey *survey) {
    const struct bm_salvage_survey_state *now = &survey->now;
    if (bm_salvage_run_is_begun_again(now)) return true;
    if (now->archive.is_round || now->n_seen == BM_SURVEY_SEEN) return false;
    for (size_t i = 0; i < now->n_seen; i++)
        if (survey->seen[i] == now->archive.hash) return false;
    return true;
}

void bm_salvage_archive_count(struct bm_salvage_survey *survey, bool follows_hole, uint64_t end) {
    struct bm_salvage_survey_state *now = &survey->now;
    const struct bm_salvage_survey_archive *archive = &now->archive;
    bm_salvage_run_begin_archive(survey, follows_hole, end);
    bm_salvage_run_count_archive(survey);
    if (!archive->is_round && now->n_seen < BM_SURVEY_SEEN) survey->seen[now->n_seen++] = archive->hash;
    if (now->wants_query_after)
        memcpy(now->holes[now->n_holes - 1].query_after, archive->names[0], BM_SALVAGE_NAME);
    now->wants_query_after = false;
    memcpy(now->last_query, archive->last_name, BM_SALVAGE_NAME);
    now->n_iterations += archive->n;
    now->archive = (struct bm_salvage_survey_archive){.n = 0};
}
