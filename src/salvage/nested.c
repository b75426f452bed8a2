/* SPDX-License-Identifier: MIT */
/* What begins inside of an Iteration, where text is missing: survey.c has the essay. */
#include "salvage/survey.h"

#include <string.h>

static const char iteration_tag[] = "<Iteration>";
static const char document_tag[] = "<BlastOutput>";

/* Whether the scanner has taken the "<Iteration>" at the offset for one. */
static bool is_marked(const struct bm_salvage_survey *survey, uint64_t offset) {
    for (size_t i = 0; i < survey->marks.n_entries; i++) {
        const struct bm_mark_entry *mark = &survey->marks.entries[i];
        if (mark->kind == BM_MARK_ITERATION && mark->offset == offset) return true;
    }
    return false;
}

/* Whether the offset, in text that was scanned and whose marks are still to be taken, lies in an Iteration. */
static bool is_in_iteration(const struct bm_salvage_survey *survey, uint64_t offset) {
    bool is_inside = survey->now.head.is_open;
    for (size_t i = 0; i < survey->marks.n_entries && survey->marks.entries[i].offset <= offset; i++) {
        uint32_t kind = survey->marks.entries[i].kind;
        if (kind == BM_MARK_ITERATION) is_inside = true;
        if (kind == BM_MARK_ITERATION_END) is_inside = false;
    }
    return is_inside;
}

/* Where in text up to `end`, which was scanned from the position on, the tag first is where it should not be. */
static uint64_t find_tag(const struct bm_salvage_survey *survey, uint64_t end, const char *tag,
                         size_t n_tag) {
    uint64_t from = survey->now.position;
    uint64_t first = survey->text_offset - survey->batch->n_history;
    from = from - first < n_tag - 1 ? first : from - (n_tag - 1);
    while (end - from >= n_tag) {
        const uint8_t *text = bm_salvage_survey_at(survey, from);
        const uint8_t *found = memmem(text, (size_t)(end - from), tag, n_tag);
        if (found == NULL) break;
        from += (uint64_t)(found - text);
        if (tag == document_tag ? is_in_iteration(survey, from) : !is_marked(survey, from)) return from;
        from++;
    }
    return BM_SURVEY_NOWHERE;
}

uint64_t bm_salvage_nested_find(const struct bm_salvage_survey *survey, uint64_t end) {
    if (survey->has_archives) return BM_SURVEY_NOWHERE;                       /* archives.c */
    if (survey->saw_nesting && !survey->is_careful) return BM_SURVEY_NOWHERE; /* once will do */
    uint64_t nested = find_tag(survey, end, iteration_tag, (sizeof iteration_tag - 1));
    uint64_t document = find_tag(survey, end < nested ? end : nested, document_tag, sizeof document_tag - 1);
    return document < nested ? document : nested;
}
