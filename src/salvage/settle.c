/* SPDX-License-Identifier: MIT */
/*
 * Decides which runs of a search count, if a child holds several: the search was begun again, and appended to its
 * earlier output.
 *
 * One run certainly counts: the last complete one. If none is complete, it is the longest, and among equals the last.
 * Another run is superseded if its Iterations are the first ones of that run, compared one by one. Then it holds nothing
 * that the other lacks, and all of its text is left out, so no query occurs twice. Otherwise both count, because whole
 * text is not given up on a guess. (In a child without damage nothing is left out, because nothing was lost.)
 */
#include "salvage/survey.h"

#include <string.h>

static size_t n_holes_before_next(const struct bm_salvage_survey_state *now, size_t run) {
    return run + 1 < now->n_runs ? now->runs[run + 1].n_holes : now->n_holes;
}

static bool is_complete(const struct bm_salvage_survey_state *now, size_t run) {
    return now->runs[run].n_holes == n_holes_before_next(now, run);
}

/* --- before the comparison --------------------------------------------------------------------------- */

static size_t choose(const struct bm_salvage_survey_state *now) {
    size_t longest = 0;
    while (longest < now->n_runs && !now->runs[longest].is.has_header) longest++;
    bool has_header = longest < now->n_runs;
    if (!has_header) longest = 0;
    for (size_t i = now->n_runs; i-- > 0;)
        if (is_complete(now, i) && now->runs[i].is.n > 0 && now->runs[i].is.has_header) return i;
    for (size_t i = longest + 1; i < now->n_runs; i++)
        if (now->runs[i].is.n >= now->runs[longest].is.n && now->runs[i].is.has_header == has_header)
            longest = i;
    return longest;
}

bool bm_salvage_survey_wants_comparison(struct bm_salvage_survey *survey) {
    const struct bm_salvage_survey_state *now = &survey->now;
    bool is_wanted = false;
    if (survey->is_comparing || now->n_holes == 0) return false;
    survey->counting = choose(now);
    survey->n_lengths = BM_SALVAGE_RUNS + now->n_holes;
    memset(survey->hashes, 0, sizeof survey->hashes);
    memset(survey->taken, 0, sizeof survey->taken);
    memset(survey->names, 0, sizeof survey->names);
    for (size_t i = 0; i < BM_SALVAGE_RUNS + BM_SALVAGE_HOLES; i++)
        survey->others[i] = (struct bm_salvage_run){.has_header = true, .n = UINT64_MAX};
    for (size_t i = 0; i < now->n_runs; i++) {
        survey->others[i] = now->runs[i].is;
        is_wanted = is_wanted || i != survey->counting;
    }
    for (size_t i = 0; i < now->n_holes; i++) {
        if (!now->holes[i].unproven.has_header) continue;
        survey->others[BM_SALVAGE_RUNS + i] = now->holes[i].unproven;
        is_wanted = true;
    }
    return is_wanted;
}

/* --- after it ------------------------------------------------------------------------------------------ */

/* Whether the run's Iterations are the first ones of the run that counts, or, if it has no header, some of that, one
 * behind the other. What was compared is at the index. */
static bool is_beginning(const struct bm_salvage_survey *survey, const struct bm_salvage_run *run,
                         size_t index) {
    const struct bm_salvage_run *counting = &survey->now.runs[survey->counting].is;
    if (run->has_header ? run->header != counting->header : run->n == 0) return false;
    if (run->n > counting->n) return false;
    return run->n == 0 || (survey->taken[index] >= run->n && survey->hashes[index] == run->hash);
}

/* Whether the Iteration in which the run was broken off is there, too, as far as it can be told; or is lost there as
 * well, which is told of that place. */
static bool has_next(const struct bm_salvage_survey *survey, size_t run) {
    const struct bm_salvage_survey_state *now = &survey->now;
    size_t first = now->runs[run].n_holes;
    if (!now->runs[run].is.has_header) first++; /* that is the one before it */
    if (first >= n_holes_before_next(now, run)) return true;
    const struct bm_salvage_hole *hole = &now->holes[first];
    bool is_known = hole->n_queries > 0 && survey->names[run][0] != '\0';
    if (hole->n_queries > 0 && survey->taken[run] == now->runs[run].is.n) /* none comes next there */
        return !is_complete(now, survey->counting);
    return !is_known || strcmp(hole->queries[0], survey->names[run]) == 0;
}

/* What is to be done with a run. */
static enum bm_salvage_sequel judge(const struct bm_salvage_survey *survey, size_t index) {
    const struct bm_salvage_run *run = &survey->now.runs[index].is;
    if (index == survey->counting) return BM_SEQUEL_NONE;
    if (!run->is_named || run->is_unsure) return BM_SEQUEL_NAMELESS;
    if (is_beginning(survey, run, index) && has_next(survey, index)) return BM_SEQUEL_AGAIN;
    if (index > 0 && !run->has_header) return BM_SEQUEL_NONE; /* it begins nothing */
    return survey->now.runs[survey->counting].is.is_unsure ? BM_SEQUEL_NAMELESS : BM_SEQUEL_QUERIES;
}

/* A hole of what was not proven: if that has come again it is no loss. */
static void settle_hole(const struct bm_salvage_survey *survey, struct bm_salvage_hole *hole, size_t index) {
    const struct bm_salvage_run *run = &hole->unproven;
    if (!hole->is_lost || !run->is_named || run->is_unsure ||
        !is_beginning(survey, run, BM_SALVAGE_RUNS + index))
        return;
    if (survey->now.runs[survey->counting].begin < hole->to) return; /* it does not lie behind it */
    hole->is_lost = false;
    hole->lost_to = hole->superseded_from = hole->from;
    hole->n_superseded = 1;
    hole->superseded_by = survey->now.runs[survey->counting].begin;
}

/* The Iterations of a run that are among the last ones, which are not proven. */
static uint64_t count_unchecked(const struct bm_salvage_survey *survey,
                                const struct bm_salvage_survey_run *run, uint64_t n_all) {
    uint64_t first = n_all - survey->n_unchecked;
    uint64_t end = run->n_before + run->is.n_iterations;
    uint64_t begin = run->n_before > first ? run->n_before : first;
    return end > begin ? end - begin : 0;
}

/* What settling has come to. */
struct settling {
    struct bm_salvage_hole *holes;
    size_t n_holes;                     /* that stay */
    uint64_t n_dropped;                 /* Iterations */
    uint64_t n_unchecked;               /* of these */
    bool follows_dropped;               /* the last run was left out ... */
    char query_before[BM_SALVAGE_NAME]; /* ... and this is the last one before it that was not */
    uint32_t crc32; /* of the text before the last hole, if that is a run that is left out */
};

/* Leaves a run out, in one hole with what is left out before it. */
static void drop_run(struct bm_salvage_survey *survey, struct settling *settling, size_t number) {
    const struct bm_salvage_survey_state *now = &survey->now;
    const struct bm_salvage_survey_run *run = &now->runs[number];
    const struct bm_salvage_survey_run *next = number + 1 < now->n_runs ? run + 1 : NULL;
    struct bm_salvage_hole *hole = settling->n_holes > 0 ? &settling->holes[settling->n_holes - 1] : NULL;
    if (hole == NULL || hole->to != run->begin) {
        hole = &settling->holes[settling->n_holes++];
        memset(hole, 0, sizeof *hole);
        hole->from = hole->lost_to = run->from;
        hole->n_iterations = run->n_before - settling->n_dropped;
        memcpy(hole->query_before, settling->follows_dropped ? settling->query_before : run->query_before,
               BM_SALVAGE_NAME);
    }
    if (hole->n_superseded == 0) {
        hole->superseded_from = run->begin;
        settling->crc32 = run->crc32;
    }
    hole->to = next != NULL ? next->begin : UINT64_MAX;
    hole->place = survey->has_archives ? BM_MARK_AT_ARCHIVE : BM_MARK_AT_DOCUMENT;
    hole->number_after = 0;
    memset(hole->query_after, 0, BM_SALVAGE_NAME);
    if (next != NULL) memcpy(hole->query_after, next->first_query, BM_SALVAGE_NAME);
    for (size_t i = run->n_holes; i < n_holes_before_next(now, number); i++) {
        const struct bm_span *bytes = &now->holes[i].bytes;
        if (bytes->from == bytes->to) continue;
        if (hole->bytes.from == hole->bytes.to) hole->bytes.from = bytes->from;
        hole->bytes.to = bytes->to;
    }
    hole->n_superseded++;
    hole->n_superseded_iterations += run->is.n_iterations;
    hole->superseded_by = now->runs[survey->counting].begin;
    if (!settling->follows_dropped) memcpy(settling->query_before, run->query_before, BM_SALVAGE_NAME);
    settling->follows_dropped = true;
}

/* Keeps a run's holes, or those before the first run. */
static void keep_holes(const struct bm_salvage_survey *survey, struct settling *settling, size_t from,
                       size_t to, uint64_t n_before) {
    for (size_t i = from; i < to; i++) {
        struct bm_salvage_hole hole = survey->now.holes[i];
        if (settling->follows_dropped && hole.n_iterations == n_before)
            memcpy(hole.query_before, settling->query_before, BM_SALVAGE_NAME);
        hole.n_iterations -= settling->n_dropped;
        settle_hole(survey, &hole, i);
        settling->holes[settling->n_holes++] = hole;
    }
    settling->follows_dropped = false;
}

/* Whether each run that is left out may have a hole of its own. */
static bool has_room(const struct bm_salvage_survey_state *now, const enum bm_salvage_sequel *sequels) {
    size_t n = now->n_holes;
    for (size_t i = 0; i < now->n_runs; i++) n += sequels[i] == BM_SEQUEL_AGAIN;
    return n <= BM_SALVAGE_HOLES;
}

void bm_salvage_survey_settle(struct bm_salvage_survey *survey, uint64_t *end, uint32_t *crc32) {
    struct bm_salvage_survey_state *now = &survey->now;
    struct settling settling = {.holes = survey->kept.holes}; /* the survey has ended: it is free */
    enum bm_salvage_sequel sequels[BM_SALVAGE_RUNS];
    if (survey->counting >= now->n_runs) return;
    for (size_t i = now->n_runs; i-- > 0;) {
        bool is_last = i + 1 == now->n_runs;
        sequels[i] = judge(survey, i);
        /* What is left out ends where a document begins. */
        if (sequels[i] == BM_SEQUEL_AGAIN && !is_last && !now->runs[i + 1].is.has_header &&
            sequels[i + 1] != BM_SEQUEL_AGAIN)
            sequels[i] = BM_SEQUEL_NONE;
    }
    if (!has_room(now, sequels)) return;
    keep_holes(survey, &settling, 0, now->runs[0].n_holes, 0);
    for (size_t i = 0; i < now->n_runs; i++) {
        const struct bm_salvage_survey_run *run = &now->runs[i];
        size_t next = n_holes_before_next(now, i);
        if (sequels[i] != BM_SEQUEL_AGAIN) {
            if (!is_complete(now, i) && sequels[i] != BM_SEQUEL_NONE)
                now->holes[next - 1].sequel = sequels[i];
            keep_holes(survey, &settling, run->n_holes, next, run->n_before);
            continue;
        }
        drop_run(survey, &settling, i);
        settling.n_unchecked += count_unchecked(survey, run, now->n_iterations);
        settling.n_dropped += run->is.n_iterations;
        const struct bm_salvage_hole *hole = &settling.holes[settling.n_holes - 1];
        if (hole->to != UINT64_MAX) continue;
        *end = hole->from;
        *crc32 = settling.crc32;
    }
    memcpy(now->holes, settling.holes, settling.n_holes * sizeof now->holes[0]);
    now->n_holes = settling.n_holes;
    now->n_iterations -= settling.n_dropped;
    survey->n_unchecked -= settling.n_unchecked;
}
