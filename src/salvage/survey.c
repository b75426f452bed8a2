/* SPDX-License-Identifier: MIT */
/*
 * How a child is surveyed
 *
 * `last` is the place up to which everything is certain: directly after a document's BlastOutput_iterations, or an
 * Iteration in it. A fault opens a hole from there. Then the text is searched for the beginning of an Iteration or of
 * a document, as BLAST writes it, and scanned from there. The hole ends at that beginning once a whole header was
 * scanned, or a whole Iteration whose number is higher than that of the last one before the hole, so nothing is merged
 * twice. Otherwise the search continues after the new fault.
 *
 * Two facts appear only later. Whether a gzip member is whole appears at its end. So the whole state is kept at each
 * member's beginning, to return to. And if text is missing, a broken Iteration absorbs all that follow it, as if they
 * were inside it, up to a fault that may be very far. So an "<Iteration>" or "<BlastOutput>" inside an Iteration is a
 * sign of that. In a child without damage it may be there, too (in a comment, or because a program wrote it on
 * purpose). So at first it is only recorded: a child without another fault is whole, and is merged as without salvage.
 * A damaged one is surveyed again, carefully, and then it is a fault immediately.
 *
 * A search that was begun again, and appended to its earlier output, leaves runs: each begins with a document of the
 * same header. One of the runs with the same queries counts (settle.c decides which). They have the same queries if the
 * hashes over their Iterations are equal, and for a shorter run if it equals the other's hash up to that length. So a
 * child with several runs is surveyed once more when the lengths are known.
 */
#include "salvage/survey.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_BEGINNING = 13 }; /* bytes of "<BlastOutput>" */

static const char iteration_tag[] = "<Iteration>";
#define N_ITERATION_TAG (sizeof iteration_tag - 1)

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_salvage_survey_open(struct bm_salvage_survey **survey, struct bm_memory *memory,
                                              const struct blastmerge_options *options) {
    *survey = bm_allocate(memory, sizeof **survey);
    if (*survey == NULL || bm_mark_open(&(*survey)->mark, memory, options->invalid_utf8) != BLASTMERGE_OK ||
        bm_mark_open(&(*survey)->kept_mark, memory, options->invalid_utf8) != BLASTMERGE_OK)
        return BLASTMERGE_NO_MEMORY;
    bool is_inferred = options->format == BLASTMERGE_FORMAT_AUTO;
    bm_salvage_survey_expect(*survey, is_inferred ? BLASTMERGE_FORMAT_XML : options->format, is_inferred);
    bm_mark_forbid((*survey)->mark, options->forbidden_characters);
    return BLASTMERGE_OK;
}

void bm_salvage_survey_expect(struct bm_salvage_survey *survey, enum blastmerge_format format,
                              bool is_inferred) {
    const struct bm_mark_kin kin = {.format = format, .is_given = true, .is_inferred = is_inferred};
    survey->has_archives = bm_format_of(format)->has_archives;
    bm_mark_follow(survey->mark, &kin);
}

void bm_salvage_survey_close(struct bm_salvage_survey *survey, struct bm_memory *memory) {
    if (survey == NULL) return;
    if (survey->mark != NULL) bm_mark_close(survey->mark, memory);
    if (survey->kept_mark != NULL) bm_mark_close(survey->kept_mark, memory);
    bm_release(memory, survey);
}

/* Without the holes that there are not: gzip members may be many and small. */
static void copy_state(struct bm_salvage_survey_state *to, const struct bm_salvage_survey_state *from) {
    memcpy(to, from, offsetof(struct bm_salvage_survey_state, holes) + from->n_holes * sizeof from->holes[0]);
}

static void keep_state(struct bm_salvage_survey *survey) {
    copy_state(&survey->kept, &survey->now);
    bm_mark_copy(survey->kept_mark, survey->mark);
}

void bm_salvage_survey_begin(struct bm_salvage_survey *survey, bool is_careful, bool is_comparing) {
    survey->is_careful = is_careful;
    survey->saw_nesting = false;
    survey->n_unchecked = 0;
    survey->is_comparing = is_comparing;
    memset(&survey->now, 0, sizeof survey->now);
    survey->now.body_end = BM_SURVEY_NOWHERE;
    survey->now.n_runs = 1;
    bm_mark_reset(survey->mark);
    keep_state(survey);
}

/* --- text ---------------------------------------------------------------------------------------- */

static void sum_up(struct bm_salvage_survey *survey, uint64_t to) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (to <= now->summed) return;
    now->crc32 = bm_crc32(now->crc32, bm_salvage_survey_at(survey, now->summed), (size_t)(to - now->summed));
    now->summed = to;
}

static void set_last(struct bm_salvage_survey *survey, uint64_t to) {
    bm_require(to >= survey->now.summed);
    sum_up(survey, to);
    survey->now.last = to;
    survey->now.crc32_last = survey->now.crc32;
}

/* --- queries ------------------------------------------------------------------------------------- */

void bm_salvage_survey_fill_head(struct bm_salvage_survey *survey, uint64_t to) {
    uint64_t from;
    size_t n = bm_salvage_head_wants(&survey->now.head, to, &from);
    if (n > 0) bm_salvage_head_take(&survey->now.head, bm_salvage_survey_at(survey, from), n);
}

/* The name of the current Iteration's query, which may not have come to its end. */
static void show_query(const struct bm_salvage_survey_state *now, bool is_whole, char name[BM_SALVAGE_NAME]) {
    const struct bm_salvage_head *head = &now->head;
    bm_salvage_head_name(head, name);
    if (!head->is_open || bm_salvage_head_has_query(head) || !bm_salvage_survey_is_of_header(now)) return;
    if (is_whole || bm_salvage_head_has_hits(head)) memcpy(name, now->is.query_name, BM_SALVAGE_NAME);
}

/* The current Iteration is whole: it is the last before what follows, and the first behind the last hole. */
static void take_query(struct bm_salvage_survey_state *now) {
    show_query(now, true, now->last_query);
    now->head.is_open = false;
    if (!now->wants_query_after) return;
    memcpy(now->holes[now->n_holes - 1].query_after, now->last_query, BM_SALVAGE_NAME);
    now->wants_query_after = false;
}

static void lose_name(struct bm_salvage_hole *hole, const char name[BM_SALVAGE_NAME]) {
    if (name[0] == '\0') return;
    if (hole->n_queries < BM_SALVAGE_NAMES) memcpy(hole->queries[hole->n_queries], name, BM_SALVAGE_NAME);
    hole->n_queries++;
}

/* The current Iteration, if there is one, is lost in the last hole; and the queries of the current archive. */
static void lose_query(struct bm_salvage_survey_state *now) {
    char name[BM_SALVAGE_NAME];
    struct bm_salvage_hole *hole = &now->holes[now->n_holes - 1];
    const uint64_t n = now->archive.n < BM_SALVAGE_NAMES ? now->archive.n : BM_SALVAGE_NAMES;
    for (uint64_t i = 0; i < n; i++) lose_name(hole, now->archive.names[i]);
    hole->n_queries += now->archive.n - n;
    now->archive = (struct bm_salvage_survey_archive){.n = 0};
    show_query(now, false, name);
    now->head.is_open = false;
    lose_name(hole, name);
}

/* --- holes --------------------------------------------------------------------------------------- */

static void open_hole(struct bm_salvage_survey *survey, const char *reason) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (now->is_in_hole) {
        lose_query(now);
        return;
    }
    struct bm_salvage_hole *hole = &now->holes[now->n_holes++];
    bool has_room = now->n_holes < BM_SALVAGE_HOLES;
    memset(hole, 0, sizeof *hole);
    hole->from = now->last;
    hole->to = hole->lost_to = UINT64_MAX;
    hole->n_iterations = now->n_iterations;
    hole->number_before = now->last_number;
    memcpy(hole->query_before, now->last_query, sizeof hole->query_before);
    snprintf(hole->reason, sizeof hole->reason, "%s%.190s",
             has_room ? "" : "there is too much damage; here: ", reason);
    hole->is_lost = true;
    now->is_in_hole = true;
    now->wants_query_after = false;
    lose_query(now);
    if (!has_room) now->is_over = true;
}

static void close_hole(struct bm_salvage_survey_state *now, uint64_t number_after) {
    if (!now->is_in_hole) return;
    struct bm_salvage_hole *hole = &now->holes[now->n_holes - 1];
    hole->to = hole->lost_to = now->begin;
    bool goes_on = now->place == BM_MARK_AT_ITERATION && now->last_number > 0;
    hole->place = goes_on ? BM_MARK_AT_SAME : now->place;
    hole->encoding = now->encoding;
    hole->number_after = number_after;
    now->is_in_hole = false;
    now->wants_query_after = true;
}

/* Text behind the offset may have been summed up, if a fault lies before what was scanned: at the end of a member or of
 * a batch. */
static void search_from(struct bm_salvage_survey *survey, uint64_t offset) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (offset < now->summed) {
        const uint8_t *text = bm_salvage_survey_at(survey, offset);
        now->crc32 = bm_crc32_undo(now->crc32, text, (size_t)(now->summed - offset));
        now->summed = offset;
    }
    now->is_searching = true;
    now->search = offset;
    now->position = offset;
}

/* A text's beginning is held until it shows what it is, perhaps beyond what was summed up; then what lies in it is
 * searched. */
static void sum_anew(struct bm_salvage_survey *survey) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (now->last > 0 || survey->batch->n_history < survey->text_offset) return;
    now->summed = 0;
    now->crc32 = 0;
}

/* Where to search from. A DOCTYPE or an archive's string that is broken off swallows the beginning of what follows up
 * to its next quote. */
static uint64_t find_start(const struct bm_salvage_survey *survey, uint64_t offset) {
    enum { LONGEST_SWALLOWED = 64 };
    const struct bm_salvage_survey_state *now = &survey->now;
    uint64_t least = survey->has_archives ? now->last : now->summed;
    if (!survey->has_archives && !bm_mark_is_in_prolog(survey->mark)) return offset;
    if (least <= now->document) least = now->document + 1;
    if (now->is_in_hole && least <= now->begin) least = now->begin + 1;
    if (least > offset) return offset;
    return offset - least > LONGEST_SWALLOWED ? offset - LONGEST_SWALLOWED : least;
}

/* What was scanned is at fault at the offset. Returns where that leaves off. */
static uint64_t take_fault(struct bm_salvage_survey *survey, uint64_t offset, const char *reason) {
    struct bm_salvage_survey_state *now = &survey->now;
    now->n_faults++;
    bm_salvage_survey_fill_head(survey, offset < now->position ? offset : now->position);
    bm_salvage_head_cut(&now->head, offset);
    if (now->is_in_hole) {
        if (offset <= now->begin) offset = now->begin + 1;
        if (++now->n_failed == BM_SALVAGE_ATTEMPTS) now->is_over = true;
    }
    open_hole(survey, reason);
    now->encoding = bm_mark_body_encoding(survey->mark);
    if (offset >= now->body_end) now->last_number = 0;
    if (offset < now->summed) sum_anew(survey);
    return offset;
}

/* Likewise; behind it something to go on with is searched for. */
static void fail(struct bm_salvage_survey *survey, uint64_t offset, const char *reason) {
    offset = take_fault(survey, offset, reason);
    search_from(survey, find_start(survey, offset));
}

/* --- searching ----------------------------------------------------------------------------------- */

static const char archive_name[] = "Blast4-archive";

static bool is_white(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool begins_with(const uint8_t *text, size_t n_text, const char *beginning) {
    size_t n = strlen(beginning);
    return n_text >= n && memcmp(text, beginning, n) == 0;
}

/* Whether something to go on with begins at the '<', or an archive's name there. */
static bool is_beginning(struct bm_salvage_survey *survey, const uint8_t *text, size_t n_text) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (survey->has_archives) {
        now->place = BM_MARK_AT_ARCHIVE;
        return true;
    }
    if (begins_with(text, n_text, iteration_tag)) {
        now->place = BM_MARK_AT_ITERATION;
        if (n_text == N_ITERATION_TAG || now->wants_document) return false;
        return text[N_ITERATION_TAG] == '<' || is_white(text[N_ITERATION_TAG]);
    }
    now->place = BM_MARK_AT_DOCUMENT;
    return begins_with(text, n_text, "<?xml ") || begins_with(text, n_text, "<BlastOutput>");
}

static void begin_attempt(struct bm_salvage_survey *survey, uint64_t offset) {
    struct bm_salvage_survey_state *now = &survey->now;
    now->is_searching = false;
    if (now->place == BM_MARK_AT_ITERATION) {
        now->is.is_known = now->is.is_known && now->last_number > 0;
        now->is.n_iterations++; /* it is not sure to be the first */
    }
    now->begin = now->position = offset;
    now->body_end = BM_SURVEY_NOWHERE;
    survey->marks.n_entries = 0;
    bm_mark_enter(survey->mark, &survey->marks, offset, now->place, now->encoding);
    now->number = 0;
}

/* What may be the beginning of a beginning at the end is looked at again with what follows. */
static void search(struct bm_salvage_survey *survey, uint64_t to) {
    struct bm_salvage_survey_state *now = &survey->now;
    const char *sign = survey->has_archives ? archive_name : "<";
    const size_t n_sign = strlen(sign);
    const uint8_t *text = bm_salvage_survey_at(survey, now->search);
    const uint8_t *end = text + (to - now->search);
    const uint8_t *p = text;
    while ((p = memmem(p, (size_t)(end - p), sign, n_sign)) != NULL) {
        if (is_beginning(survey, p, (size_t)(end - p))) {
            begin_attempt(survey, now->search + (uint64_t)(p - text));
            return;
        }
        if (end - p < LONGEST_BEGINNING) break;
        p++;
    }
    if (p != NULL)
        now->search += (uint64_t)(p - text);
    else if (to - now->search >= n_sign)
        now->search = to - (n_sign - 1);
    now->position = to;
}

/* --- marks --------------------------------------------------------------------------------------- */

static void take_iterations(struct bm_salvage_survey *survey, const struct bm_mark_entry *mark) {
    struct bm_salvage_survey_state *now = &survey->now;
    bool is_empty = (mark->flags & BM_MARK_EMPTY_TAG) != 0;
    bool follows_hole = now->is_in_hole;
    close_hole(now, 0);
    now->is.is_known = true;
    bm_salvage_run_begin(survey, follows_hole, mark->offset);
    set_last(survey, is_empty ? mark->end : mark->offset);
    if (is_empty) now->body_end = mark->end;
    if (now->prologue_to > 0) return;
    now->prologue_from = now->document;
    now->prologue_to = now->last;
}

/* A whole archive. False: it cannot be told whether it came before. */
static bool take_archive_end(struct bm_salvage_survey *survey, const struct bm_mark_entry *mark) {
    struct bm_salvage_survey_state *now = &survey->now;
    bool follows_hole = now->is_in_hole;
    if (follows_hole && !bm_salvage_archive_is_new(survey)) {
        now->archive = (struct bm_salvage_survey_archive){.n = 0}; /* it may have been merged */
        fail(survey, mark->offset, "");
        return false;
    }
    close_hole(now, 0);
    bm_salvage_archive_count(survey, follows_hole, mark->offset);
    set_last(survey, mark->offset);
    return true;
}

/* A whole Iteration. False: it cannot be told whether it came before, or whose it is. */
static bool take_iteration_end(struct bm_salvage_survey *survey, const struct bm_mark_entry *mark) {
    struct bm_salvage_survey_state *now = &survey->now;
    bm_salvage_survey_fill_head(survey, mark->offset);
    if (now->is_in_hole && now->number <= now->last_number) {
        now->wants_document = true;
        now->head.is_open = false; /* it may have been merged */
        fail(survey, mark->offset, "");
        return false;
    }
    if (!now->is.is_known && !bm_salvage_head_has_query(&now->head)) {
        now->head.is_open = false;
        fail(survey, mark->offset,
             "only its document's header, which is lost, names the query of this Iteration");
        return false;
    }
    bool is_bare = now->is_in_hole && now->last_number == 0;
    close_hole(now, now->number);
    if (is_bare) bm_salvage_run_begin_bare(now);
    take_query(now);
    bm_salvage_run_count(survey);
    if (now->number > 0) now->last_number = now->number;
    now->n_iterations++;
    set_last(survey, mark->offset);
    return true;
}

static bool take_mark(struct bm_salvage_survey *survey, const struct bm_mark_entry *mark) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (mark->kind == BM_MARK_ARCHIVE_END) return take_archive_end(survey, mark);
    if (survey->has_archives) {
        bm_salvage_archive_take_mark(survey, mark);
        return true;
    }
    switch (mark->kind) {
    case BM_MARK_FIELD:
        bm_salvage_run_take_field(survey);
        break;
    case BM_MARK_DOCUMENT:
        now->document = mark->offset;
        now->is = (struct bm_salvage_survey_document){.is_known = false};
        now->last_number = 0;
        now->body_end = BM_SURVEY_NOWHERE;
        now->wants_document = false;
        break;
    case BM_MARK_ITERATIONS:
        take_iterations(survey, mark);
        break;
    case BM_MARK_ITERATION:
        now->number = 0;
        now->is.n_iterations++;
        bm_salvage_head_begin(&now->head, mark->offset, false);
        break;
    case BM_MARK_NUMBER:
        now->number = mark->value;
        break;
    case BM_MARK_ITERATION_END:
        return take_iteration_end(survey, mark);
    case BM_MARK_ITERATIONS_END:
        now->body_end = mark->end + strlen("</BlastOutput_iterations>");
        break;
    default:
        break;
    }
    return true;
}

/* --- scanning ------------------------------------------------------------------------------------ */

/* Scans some text and takes its marks, which may be a fault, too. */
static void scan(struct bm_salvage_survey *survey, uint64_t to) {
    struct bm_salvage_survey_state *now = &survey->now;
    struct blastmerge_error error;
    size_t n_used = 0;
    survey->marks.n_entries = 0;
    enum blastmerge_status status =
        bm_mark_step(survey->mark, bm_salvage_survey_at(survey, now->position), (size_t)(to - now->position),
                     &n_used, &survey->marks, &error);
    uint64_t end = now->position + n_used;
    uint64_t nested = bm_salvage_nested_find(survey, end);
    survey->saw_nesting = survey->saw_nesting || nested != BM_SURVEY_NOWHERE;
    if (!survey->is_careful) nested = BM_SURVEY_NOWHERE;
    now->position = end;
    for (size_t i = 0; i < survey->marks.n_entries; i++) {
        const struct bm_mark_entry *mark = &survey->marks.entries[i];
        if (mark->offset > nested) break;
        if (!take_mark(survey, mark)) return;
    }
    if (nested == BM_SURVEY_NOWHERE && status == BLASTMERGE_OK) bm_salvage_survey_fill_head(survey, end);
    if (nested != BM_SURVEY_NOWHERE) {
        bool is_document = *bm_salvage_survey_at(survey, nested + 1) == 'B';
        fail(survey, nested,
             is_document ? "a document begins inside of an Iteration"
                         : "an Iteration begins inside another one");
    } else if (status != BLASTMERGE_OK) {
        fail(survey, error.text_offset, error.message);
    }
}

static void keep_beginning(struct bm_salvage_survey *survey, uint64_t to) {
    struct bm_salvage_survey_state *now = &survey->now;
    if (to > BM_SALVAGE_BEGINNING) to = BM_SALVAGE_BEGINNING;
    if (now->beginning_is_over || to <= now->n_beginning) return;
    memcpy(survey->beginning + now->n_beginning, bm_salvage_survey_at(survey, now->n_beginning),
           (size_t)to - now->n_beginning);
    now->n_beginning = (size_t)to;
}

static void look_at(struct bm_salvage_survey *survey, uint64_t to) {
    struct bm_salvage_survey_state *now = &survey->now;
    keep_beginning(survey, to);
    while (now->position < to && !now->is_over) {
        if (now->is_searching)
            search(survey, to);
        else
            scan(survey, to);
    }
    now->position = to;
    sum_up(survey, to);
}

void bm_salvage_survey_text(struct bm_salvage_survey *survey, const struct bm_batch *batch, uint64_t base) {
    survey->batch = batch;
    survey->text_offset = base + batch->text_offset;
    for (size_t i = 0; i < batch->n_trace; i++) {
        const struct bm_trace *entry = &batch->trace[i];
        if (entry->kind != BM_TRACE_MEMBER) continue;
        look_at(survey, base + entry->text);
        if (survey->kept.position < survey->now.position) keep_state(survey);
    }
    look_at(survey, survey->text_offset + batch->n_text);
}

/* --- faults of members, and the end -------------------------------------------------------------- */

void bm_salvage_survey_lose_member(struct bm_salvage_survey *survey, uint64_t text,
                                   const struct bm_span *bytes, const char *reason) {
    struct bm_salvage_survey_state *now = &survey->now;
    struct bm_salvage_run unproven = {.has_header = false};
    bool has_text = now->position > text;
    bool is_first = !now->is_in_hole;
    if (has_text) {
        assert(survey->kept.position == text);
        if (now->n_runs <= survey->kept.n_runs + 1) unproven = now->runs[now->n_runs - 1].is;
        is_first = !survey->kept.is_in_hole;
        copy_state(now, &survey->kept);
        bm_mark_copy(survey->mark, survey->kept_mark);
    }
    (void)take_fault(survey, text, reason);
    search_from(survey, text); /* from the seam on: it parts two texts */
    struct bm_salvage_hole *hole = &now->holes[now->n_holes - 1];
    if (hole->bytes.from == hole->bytes.to) hole->bytes.from = bytes->from;
    hole->bytes.to = bytes->to;
    if (has_text) hole->unproven = is_first ? unproven : (struct bm_salvage_run){.has_header = false};
    now->beginning_is_over = true;
    keep_state(survey);
}

bool bm_salvage_survey_cut(struct bm_salvage_survey *survey, uint64_t text, const char *reason) {
    if (survey->now.position > text) {
        if (survey->now.n_faults > survey->kept.n_faults) return false;
        survey->n_unchecked = survey->now.n_iterations - survey->kept.n_iterations;
    }
    open_hole(survey, reason);
    return true;
}

void bm_salvage_survey_end(struct bm_salvage_survey *survey) {
    struct blastmerge_error error;
    if (survey->now.is_in_hole) {
        lose_query(&survey->now);
        return;
    }
    survey->marks.n_entries = 0;
    if (bm_mark_finish(survey->mark, &survey->marks, &error) != BLASTMERGE_OK)
        open_hole(survey, error.message);
}

void bm_salvage_survey_lose_all(struct bm_salvage_survey *survey, const char *reason) {
    open_hole(survey, reason);
}

bool bm_salvage_survey_saw_nesting(const struct bm_salvage_survey *survey) {
    return survey->saw_nesting;
}

/* --- the plan ------------------------------------------------------------------------------------ */

void bm_salvage_survey_make_header(struct bm_salvage_survey *survey, struct bm_salvage_header *header) {
    bm_salvage_make_header(header, survey->beginning, survey->now.n_beginning, survey->mark);
}

struct bm_salvage_findings *bm_salvage_survey_find(struct bm_salvage_survey *survey,
                                                   const struct bm_span *spans, size_t n_spans,
                                                   struct bm_memory *memory) {
    const struct bm_salvage_survey_state *now = &survey->now;
    uint64_t end = now->is_in_hole ? now->last : now->position;
    uint32_t crc32 = now->is_in_hole ? now->crc32_last : now->crc32;
    if (survey->is_comparing) bm_salvage_survey_settle(survey, &end, &crc32);
    const size_t n_holes = now->n_holes;
    struct bm_salvage_findings *findings;
    struct bm_salvage_hole *holes;
    struct bm_plan_hole *text_holes;
    struct bm_span *kept_spans;
    size_t n_bytes =
        sizeof *findings + n_holes * (sizeof *holes + sizeof *text_holes) + n_spans * sizeof *spans;
    findings = bm_allocate(memory, n_bytes);
    if (findings == NULL) return NULL;
    holes = (struct bm_salvage_hole *)(void *)(findings + 1);
    text_holes = (struct bm_plan_hole *)(void *)(holes + n_holes);
    kept_spans = (struct bm_span *)(void *)(text_holes + n_holes);
    for (size_t i = 0; i < n_holes; i++) {
        const struct bm_salvage_hole *hole = &now->holes[i];
        holes[i] = *hole;
        text_holes[i] = (struct bm_plan_hole){hole->from, hole->to, hole->place, hole->encoding};
    }
    for (size_t i = 0; i < n_spans; i++) kept_spans[i] = spans[i];
    bool is_lost = end == 0 && n_holes > 0;
    findings->text = (struct bm_plan_text){.n_text = now->position,
                                           .end = end,
                                           .crc32 = crc32,
                                           .is_proven = true,
                                           .n_holes = n_holes,
                                           .holes = text_holes,
                                           .n_spans = is_lost ? 0 : n_spans,
                                           .spans = is_lost || n_spans > 0 ? kept_spans : NULL};
    findings->n_iterations = now->n_iterations;
    findings->n_unchecked = survey->n_unchecked;
    findings->prologue_from = now->prologue_from;
    findings->prologue_to = now->prologue_to;
    findings->holes = holes;
    return findings;
}
