/* SPDX-License-Identifier: MIT */
/*
 * Salvage, in two passes. The first inflates and surveys each child; where a gzip member is at fault it looks
 * for the next one and goes on there. So it comes to know which bytes of the child are worth reading, and
 * which of their text is to be merged. The second pass is the merge as always: fetch leaves out the bytes,
 * and at each hole in the text the scanner leaves one document and enters another. It ends a child where the
 * last whole Iteration does, in front of whatever is wrong behind.
 */
#include "job/rescue.h"
#include "salvage/header.h"
#include "salvage/salvage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MEMBERS = 64 }; /* of a child at fault; what follows is lost */

struct bm_job_rescue {
    /* the first pass: the current child */
    struct bm_salvage_survey *survey;
    bool is_begun;
    bool is_careful;     /* an Iteration inside of another one is taken for damage */
    bool is_comparing;   /* its runs are compared */
    bool has_format;     /* a child has begun as BLAST XML does */
    bool has_searched;   /* it does not look like gzip, but is taken for damaged gzip */
    struct bm_span span; /* what of it is read in this attempt */
    uint64_t base;       /* text before it */
    size_t n_members;    /* at fault so far */
    size_t n_spans;
    struct bm_span spans[MEMBERS + 1];

    /* the second pass */
    const struct bm_salvage_plan *plan;
    size_t hole; /* the next */
    bool is_in_hole;
    uint64_t n_summed;
    uint32_t crc32;
    bool is_header;
    struct bm_salvage_plan header; /* the plan of a child that is read for that */
    struct bm_salvage_hole header_holes[2];

    /* the result's header, where no child's is whole: made of what is whole of this child's */
    struct bm_salvage_header *made; /* NULL: no child has needed one */
    struct bm_salvage_header *tried;
    size_t made_child;
    char made_reason[BM_SALVAGE_REASON];
    bool is_made;                       /* it is read, as if it were that child ... */
    struct bm_fetch_source made_source; /* ... whose source this is */
};

/* --- beginning ----------------------------------------------------------------------------------- */

static bool can_be_read_twice(const struct bm_fetch_source *source) {
    return source->can_read_ahead && !source->is_open_reader;
}

static enum blastmerge_status check(struct blastmerge_job *job) {
    if (job->is_check) return bm_fail(&job->error, BLASTMERGE_USAGE, "a check salvages nothing");
    for (size_t i = 0; i < job->n_children; i++) {
        const struct bm_fetch_source *source = &job->children[i].source;
        if (can_be_read_twice(source)) continue;
        bm_fail(&job->error, BLASTMERGE_USAGE,
                "%.400s: to salvage, each child is read twice, which a pipe, standard input or a reader does "
                "not allow: save it as a file first",
                bm_fetch_source_display_name(source));
        job->error.child = i;
        return job->error.status;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    job->phase = BM_JOB_PHASE_FAILED;
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

enum blastmerge_status bm_job_rescue_open(struct blastmerge_job *job) {
    if (!job->options.salvage) return BLASTMERGE_OK;
    enum blastmerge_status status = check(job);
    if (status != BLASTMERGE_OK) return status;
    job->rescue = bm_allocate(&job->memory, sizeof *job->rescue);
    if (job->rescue == NULL) return fail_memory(job);
    status = bm_salvage_survey_open(&job->rescue->survey, &job->memory, &job->options);
    return status == BLASTMERGE_OK ? status : fail_memory(job);
}

/* The child whose place the header that was made has taken. */
static void restore_source(struct blastmerge_job *job, struct bm_job_rescue *rescue) {
    if (rescue->is_made) job->children[rescue->made_child].source = rescue->made_source;
    rescue->is_made = false;
}

void bm_job_rescue_close(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    if (rescue == NULL) return;
    job->rescue = NULL;
    bm_salvage_survey_close(rescue->survey, &job->memory);
    restore_source(job, rescue);
    bm_release(&job->memory, rescue->made);
    bm_release(&job->memory, rescue->tried);
    bm_release(&job->memory, rescue);
    for (size_t i = 0; i < job->n_children; i++) {
        bm_release(&job->memory, job->children[i].plan);
        job->children[i].plan = NULL;
        job->children[i].source.spans = NULL;
    }
}

/* --- the first pass: attempts -------------------------------------------------------------------- */

static struct bm_fetch_source *source_at_hand(struct blastmerge_job *job) {
    return &job->children[job->child].source;
}

static void begin_survey(struct bm_job_rescue *rescue) {
    rescue->is_begun = true;
    rescue->span = (struct bm_span){0, UINT64_MAX};
    rescue->base = 0;
    rescue->n_members = 0;
    rescue->n_spans = 0;
    bm_salvage_survey_begin(rescue->survey, rescue->is_careful, rescue->is_comparing);
}

/* Reads the current child (again) from the span on. */
static void reopen(struct blastmerge_job *job) {
    struct bm_fetch_source *source = source_at_hand(job);
    struct bm_child *child = bm_job_child(job);
    source->spans = &job->rescue->span;
    source->n_spans = 1;
    bm_child_close(child);
    bm_child_open(child, source, &job->cancel);
}

static void add_span(struct bm_job_rescue *rescue, uint64_t to) {
    if (to > rescue->span.from) rescue->spans[rescue->n_spans++] = (struct bm_span){rescue->span.from, to};
}

/* Where in the bytes a gzip member's header may begin; n_bytes if nowhere (RFC 1952, 2.3.1). */
static size_t find_header(const uint8_t *bytes, size_t n_bytes) {
    size_t i = 0;
    while (i + 4 <= n_bytes) {
        const uint8_t *p = memchr(bytes + i, 0x1f, n_bytes - 3 - i);
        if (p == NULL) break;
        if (p[1] == 0x8b && p[2] == 8 && (p[3] & 0xe0) == 0) return (size_t)(p - bytes);
        i = (size_t)(p - bytes) + 1;
    }
    return n_bytes;
}

enum blastmerge_status bm_job_rescue_find_member(struct blastmerge_job *job, uint64_t from, uint64_t to,
                                                 uint64_t *found) {
    const struct bm_span span = {from, to};
    struct bm_fetch_source *source = source_at_hand(job);
    struct bm_fetch fetch;
    uint8_t *bytes = job->output.data + job->output.n_data;
    const size_t size = BM_OUTPUT_SIZE - job->output.n_data;
    size_t n_kept = 0, n_new = 0;
    *found = UINT64_MAX;
    source->spans = &span;
    source->n_spans = 1;
    enum blastmerge_status status = bm_fetch_open(&fetch, source, &job->cancel, &job->error);
    while (status == BLASTMERGE_OK) {
        status = bm_fetch_fill(&fetch, bytes + n_kept, size - n_kept, &n_new, &job->error);
        if (status != BLASTMERGE_OK || n_new == 0) break;
        size_t n_bytes = n_kept + n_new;
        size_t at = find_header(bytes, n_bytes);
        if (at < n_bytes) {
            *found = from + at;
            break;
        }
        n_kept = n_bytes < 3 ? n_bytes : 3;
        memmove(bytes, bytes + n_bytes - n_kept, n_kept);
        from += n_bytes - n_kept;
    }
    bm_fetch_close(&fetch);
    source->spans = NULL;
    return status;
}

/* --- the first pass: a child's end --------------------------------------------------------------- */

/* The spans and the plan become the child's, in one piece of memory. */
static void keep_plan(struct blastmerge_job *job, struct bm_salvage_plan *plan) {
    struct bm_item *child = &job->children[job->child];
    struct bm_child *open = bm_job_child(job);
    plan->n_bytes = child->source.n_bytes != UINT64_MAX ? child->source.n_bytes : open->lane.fetch.n_read;
    child->plan = plan;
    bool is_lost = plan->end == 0 && plan->n_holes > 0;
    child->source.spans = is_lost || plan->n_spans > 0 ? plan->spans : NULL;
    child->source.n_spans = is_lost ? 0 : (uint32_t)plan->n_spans;
    bm_child_close(open);
    job->n_surveyed_bytes += plan->n_bytes;
    job->rescue->is_begun = job->rescue->has_searched = false;
    job->rescue->is_careful = job->rescue->is_comparing = false;
    job->child++;
}

/* What cannot be read as gzip, nor begins as XML does, may be gzip whose begin is damaged. */
static enum blastmerge_status search_gzip(struct blastmerge_job *job, const struct bm_salvage_plan *plan,
                                          bool *is_found) {
    struct bm_job_rescue *rescue = job->rescue;
    struct bm_span lost = {0, 0};
    char reason[BM_SALVAGE_REASON] = "";
    *is_found = false;
    if (bm_inflate_is_gzip(bm_job_child(job)->lane.inflate)) return BLASTMERGE_OK;
    if (rescue->has_searched || plan->n_holes == 0 || plan->n_iterations > 0 || plan->prologue_to > 0)
        return BLASTMERGE_OK;
    memcpy(reason, plan->holes[0].reason, sizeof reason);
    rescue->has_searched = true;
    bm_child_close(bm_job_child(job));
    enum blastmerge_status status = bm_job_rescue_find_member(job, 0, UINT64_MAX, &lost.to);
    if (status != BLASTMERGE_OK) return bm_job_fail_child(job);
    if (lost.to == UINT64_MAX) return BLASTMERGE_OK;
    *is_found = true;
    begin_survey(rescue);
    bm_salvage_survey_lose_member(rescue->survey, 0, &lost, reason);
    rescue->n_members = 1;
    rescue->span.from = lost.to;
    reopen(job);
    return BLASTMERGE_OK;
}

/* A child is damaged if the merge's own reading of it finds a fault, and only then. Where it has one, and an
 * "<Iteration>" inside of another one was seen, text may be missing: then the child is surveyed once more,
 * and that is a fault, too. */
static bool begin_careful_survey(struct blastmerge_job *job, const struct bm_salvage_plan *plan) {
    struct bm_job_rescue *rescue = job->rescue;
    if (rescue->is_careful || plan->n_holes == 0 || !bm_salvage_survey_saw_nesting(rescue->survey))
        return false;
    rescue->is_careful = true;
    rescue->has_searched = false;
    begin_survey(rescue);
    reopen(job);
    return true;
}

/* The search in a damaged child was begun again: a third reading tells whether one run has what another one has. */
static bool begin_comparison(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    if (rescue->is_comparing || !bm_salvage_survey_wants_comparison(rescue->survey)) return false;
    rescue->is_comparing = true;
    rescue->has_searched = false;
    begin_survey(rescue);
    reopen(job);
    return true;
}

/* Keeps what can be made of the header of a child that lacks one, if more of it is whole than of those before. */
static enum blastmerge_status try_header(struct blastmerge_job *job, const struct bm_salvage_plan *plan) {
    struct bm_job_rescue *rescue = job->rescue;
    if (plan->prologue_to > 0 || plan->n_iterations == 0) return BLASTMERGE_OK;
    if (rescue->tried == NULL) rescue->tried = bm_allocate(&job->memory, sizeof *rescue->tried);
    if (rescue->tried == NULL) return fail_memory(job);
    bm_salvage_survey_make_header(rescue->survey, rescue->tried);
    if (rescue->made != NULL && rescue->made->n_fields >= rescue->tried->n_fields) return BLASTMERGE_OK;
    struct bm_salvage_header *before = rescue->made;
    rescue->made = rescue->tried;
    rescue->tried = before;
    rescue->made_child = job->child;
    memcpy(rescue->made_reason, plan->holes[0].reason, sizeof rescue->made_reason);
    return BLASTMERGE_OK;
}

static enum blastmerge_status end_child(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    bool goes_on = false;
    struct bm_salvage_plan *plan =
        bm_salvage_survey_plan(rescue->survey, rescue->spans, rescue->n_spans, &job->memory);
    if (plan == NULL) return fail_memory(job);
    enum blastmerge_status status = search_gzip(job, plan, &goes_on);
    if (status == BLASTMERGE_OK && !goes_on)
        goes_on = begin_careful_survey(job, plan) || begin_comparison(job);
    if (status == BLASTMERGE_OK && !goes_on) status = try_header(job, plan);
    if (status == BLASTMERGE_OK && !goes_on)
        keep_plan(job, plan);
    else
        bm_release(&job->memory, plan);
    return status;
}

/* The lane has failed: the job's error says why. */
static enum blastmerge_status take_fault(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    struct bm_child *child = bm_job_child(job);
    if (job->error.status != BLASTMERGE_DATA) return bm_job_fail_child(job);
    const struct bm_inflate_fault fault = bm_inflate_fault(child->lane.inflate);
    const struct blastmerge_error error = job->error;
    uint64_t text = rescue->base + fault.member_text;
    uint64_t byte = rescue->span.from + fault.member_byte;
    job->error = (struct blastmerge_error){0};
    if (fault.is_cut && bm_salvage_survey_cut(rescue->survey, text, error.message)) {
        add_span(rescue, UINT64_MAX);
        return end_child(job);
    }
    add_span(rescue, byte);
    bm_child_close(child);
    struct bm_span lost = {byte, UINT64_MAX};
    if (++rescue->n_members < MEMBERS &&
        bm_job_rescue_find_member(job, byte + 1, UINT64_MAX, &lost.to) != BLASTMERGE_OK)
        return bm_job_fail_child(job);
    bm_salvage_survey_lose_member(rescue->survey, text, &lost, error.message);
    if (lost.to == UINT64_MAX) return end_child(job);
    rescue->base = text;
    rescue->span.from = lost.to;
    reopen(job);
    return BLASTMERGE_OK;
}

/* --- the first pass: all children ---------------------------------------------------------------- */

/* Whether the first thing to be merged has no header before it. */
static bool lacks_header(const struct blastmerge_job *job) {
    size_t i = 0;
    while (i < job->n_children && job->children[i].plan->end == 0) i++;
    if (i == job->n_children) return false;
    const struct bm_salvage_plan *plan = job->children[i].plan;
    return plan->n_holes > 0 && plan->holes[0].from == 0 && plan->holes[0].place == BM_MARK_AT_ITERATION;
}

/* The header that was made takes the place of the child that it was made of. */
static void use_made_header(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    struct bm_fetch_source *source = &job->children[rescue->made_child].source;
    const char *name = bm_fetch_source_display_name(source);
    const struct bm_salvage_header *made = rescue->made;
    bm_job_warn(
        job, false,
        "no child's header is whole: the result has a plain one, made of the %zu field%s of that of %.300s "
        "that %s whole; what is wrong there: %s",
        made->n_fields, made->n_fields == 1 ? "" : "s", name, made->n_fields == 1 ? "is" : "are",
        rescue->made_reason);
    if (job->has_report) bm_report_made_header(&job->report, name, made->n_fields, rescue->made_reason);
    rescue->made_source = *source;
    rescue->is_made = true;
    *source = bm_fetch_source_memory(name, made->text, made->n_text);
    job->child = rescue->made_child;
}

/* Plans to read the first whole header there is before all else, or the one that was made. */
static void borrow_header(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    uint64_t from = 0, to = 0;
    while (job->child < job->n_children && job->children[job->child].plan->prologue_to == 0) job->child++;
    if (job->child == job->n_children) {
        assert(rescue->made != NULL); /* the first child that has an Iteration lacks a header */
        use_made_header(job);
        to = rescue->made->n_text;
    } else {
        from = job->children[job->child].plan->prologue_from;
        to = job->children[job->child].plan->prologue_to;
    }
    rescue->is_header = true;
    rescue->header_holes[0] = (struct bm_salvage_hole){.to = from, .place = BM_MARK_AT_DOCUMENT};
    rescue->header_holes[1] = (struct bm_salvage_hole){.from = to, .to = UINT64_MAX};
    rescue->header.end = to;
    rescue->header.n_holes = 2;
    rescue->header.holes = rescue->header_holes;
}

/* Counts what was lost. A result without an Iteration, where there should be some, is none. */
static enum blastmerge_status count_damage(struct blastmerge_job *job) {
    uint64_t n_iterations = 0;
    for (size_t i = 0; i < job->n_children; i++) {
        const struct bm_salvage_plan *plan = job->children[i].plan;
        job->totals.n_damaged_children += plan->n_holes > 0;
        for (size_t j = 0; j < plan->n_holes; j++) {
            job->totals.n_lost_stretches += plan->holes[j].is_lost;
            job->totals.n_superseded_runs += plan->holes[j].n_superseded;
        }
        job->totals.n_unchecked_iterations += plan->n_unchecked;
        n_iterations += plan->n_iterations;
    }
    if (n_iterations > 0 || job->totals.n_damaged_children == 0) return BLASTMERGE_OK;
    size_t i = 0;
    while (job->children[i].plan->n_holes == 0) i++;
    job->child = i;
    bm_fail(&job->error, BLASTMERGE_DATA,
            "%.300s; nothing could be salvaged, since no child has an Iteration that is whole for certain",
            job->children[i].plan->holes[0].reason);
    return bm_job_fail_child(job);
}

static enum blastmerge_status end_pass(struct blastmerge_job *job) {
    enum blastmerge_status status = count_damage(job);
    if (status != BLASTMERGE_OK) return status;
    job->child = job->n_opened = 0;
    if (lacks_header(job)) borrow_header(job);
    job->phase = BM_JOB_PHASE_CHILD;
    job->n_opened = job->child;
    return BLASTMERGE_OK;
}

/* Refuses the first child that holds something, if it is whole as far as its first bytes go, but of another
 * format. */
static enum blastmerge_status look_at_format(struct blastmerge_job *job) {
    struct blastmerge_error error;
    const struct bm_mark_kin any = {0};
    bm_child_admit(bm_job_child(job), &any, false);
    (void)!bm_child_scan(bm_job_child(job), SIZE_MAX, &job->view, &error);
    job->view = (struct bm_view){0};
    enum blastmerge_format format = bm_mark_format(bm_job_child(job)->mark);
    job->rescue->has_format = format != BLASTMERGE_FORMAT_AUTO;
    if (format == BLASTMERGE_FORMAT_AUTO || format == BLASTMERGE_FORMAT_XML) return BLASTMERGE_OK;
    bm_fail(&job->error, BLASTMERGE_USAGE,
            "it is %s, and only %s can be salvaged; if its beginning is damaged, say --format xml",
            bm_mark_format_title(format), bm_mark_format_title(BLASTMERGE_FORMAT_XML));
    return bm_job_fail_child(job);
}

enum blastmerge_status bm_job_rescue_survey(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    bool is_last = false;
    if (job->child == job->n_children) return end_pass(job);
    if (!rescue->is_begun) begin_survey(rescue);
    const struct bm_batch *batch = bm_job_take(job, &is_last);
    if (batch == NULL) return take_fault(job);
    if (job->options.format == BLASTMERGE_FORMAT_AUTO && !rescue->has_format && batch->text_offset == 0 &&
        batch->n_text > 0 && look_at_format(job) != BLASTMERGE_OK)
        return job->error.status;
    bool is_empty = is_last && batch->text_offset == 0 && batch->n_text == 0;
    bm_salvage_survey_text(rescue->survey, batch, rescue->base);
    bm_child_give(bm_job_child(job));
    if (!is_last) return BLASTMERGE_OK;
    if (rescue->n_members > 0) add_span(rescue, UINT64_MAX);
    if (is_empty && rescue->n_members == 0 && !job->options.allow_empty)
        bm_salvage_survey_lose_all(rescue->survey, "it holds nothing, which is what a failed search leaves");
    else
        bm_salvage_survey_end(rescue->survey);
    return end_child(job);
}

/* --- the second pass ----------------------------------------------------------------------------- */

void bm_job_rescue_begin_child(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    rescue->plan = rescue->is_header ? &rescue->header : job->children[job->child].plan;
    rescue->hole = 0;
    rescue->is_in_hole = false;
    rescue->n_summed = 0;
    rescue->crc32 = 0;
}

bool bm_job_rescue_is_lost(const struct blastmerge_job *job) {
    return job->rescue->plan->end == 0;
}

bool bm_job_rescue_is_header(const struct blastmerge_job *job) {
    return job->rescue->is_header;
}

bool bm_job_rescue_is_in_hole(const struct blastmerge_job *job) {
    return job->rescue->is_in_hole;
}

size_t bm_job_rescue_limit(const struct blastmerge_job *job) {
    const struct bm_job_rescue *rescue = job->rescue;
    if (rescue->is_in_hole) return job->view.end;
    if (rescue->hole == rescue->plan->n_holes) return job->batch->n_text;
    uint64_t n = rescue->plan->holes[rescue->hole].from - job->batch->text_offset;
    return n < job->batch->n_text ? (size_t)n : job->batch->n_text;
}

bool bm_job_rescue_cross(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    const struct bm_batch *batch = job->batch;
    if (rescue->hole == rescue->plan->n_holes) return false;
    const struct bm_salvage_hole *hole = &rescue->plan->holes[rescue->hole];
    if (!rescue->is_in_hole) {
        if (batch->text_offset + job->view.end < hole->from) return false;
        bm_child_leave(bm_job_child(job), &job->view);
        rescue->is_in_hole = true;
        return true;
    }
    if (hole->to > bm_batch_end(batch)) {
        bm_child_skip(bm_job_child(job), &job->view);
        if (hole->to == UINT64_MAX) job->is_last_batch = true;
        return false;
    }
    bm_child_enter(bm_job_child(job), hole->to, hole->place, hole->encoding, &job->view);
    rescue->is_in_hole = false;
    rescue->hole++;
    return true;
}

void bm_job_rescue_take(struct blastmerge_job *job) {
    struct bm_job_rescue *rescue = job->rescue;
    const struct bm_batch *batch = job->batch;
    if (batch->text_offset >= rescue->plan->end) return;
    uint64_t n = rescue->plan->end - batch->text_offset;
    if (n > batch->n_text) n = batch->n_text;
    rescue->crc32 = bm_crc32(rescue->crc32, batch->text, (size_t)n);
    rescue->n_summed += n;
}

static enum blastmerge_status end_header(struct blastmerge_job *job) {
    for (size_t i = 0; i < job->n_open; i++) bm_child_close(&job->open[i]);
    job->rescue->is_header = false;
    restore_source(job, job->rescue);
    job->child = job->n_opened = 0;
    job->phase = BM_JOB_PHASE_CHILD;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_rescue_end_child(struct blastmerge_job *job) {
    const struct bm_job_rescue *rescue = job->rescue;
    const struct bm_salvage_plan *plan = rescue->plan;
    struct bm_item *child = &job->children[job->child];
    if (rescue->is_header) return end_header(job);
    if (rescue->n_summed != plan->end || rescue->crc32 != plan->crc32) {
        bm_fail(&job->error, BLASTMERGE_CHANGED, "is not what it was when it was read first");
        return bm_job_fail_child(job);
    }
    child->status = plan->n_holes > 0 ? BLASTMERGE_SALVAGED : BLASTMERGE_OK;
    child->compressed_bytes = plan->n_bytes;
    child->text_bytes = plan->n_text;
    return BLASTMERGE_OK;
}

/* --- what is said of it -------------------------------------------------------------------------- */

/* Writes "from byte 1 to 2", or "from byte 1 on". */
static void show_span(char *shown, size_t size, uint64_t from, uint64_t to) {
    if (to == UINT64_MAX)
        snprintf(shown, size, "from byte %" PRIu64 " on", from);
    else
        snprintf(shown, size, "from byte %" PRIu64 " to %" PRIu64, from, to);
}

/* Writes " (of NAME)", if there is a name. */
static const char *show_query(char shown[BM_SALVAGE_NAME + 8], const char *name) {
    snprintf(shown, BM_SALVAGE_NAME + 8, name[0] == '\0' ? "%s" : " (of %s)", name);
    return shown;
}

/* Writes what stands on both sides of a hole. */
static void show_borders(char *shown, size_t size, const struct bm_salvage_hole *hole) {
    char before[BM_SALVAGE_NAME + 8], after[BM_SALVAGE_NAME + 8];
    show_query(before, hole->query_before);
    show_query(after, hole->query_after);
    if (hole->number_after > 0 && hole->number_before > 0)
        snprintf(shown, size, ", between its Iterations %" PRIu64 "%s and %" PRIu64 "%s", hole->number_before,
                 before, hole->number_after, after);
    else if (hole->number_after > 0)
        snprintf(shown, size, ", before its Iteration %" PRIu64 "%s", hole->number_after, after);
    else
        snprintf(shown, size, ", after %" PRIu64 " whole Iteration%s%s", hole->n_iterations,
                 hole->n_iterations == 1 ? "" : "s", before);
}

/* Writes whose Iterations are seen to be lost. */
static void show_lost_queries(char *shown, size_t size, const struct bm_salvage_hole *hole) {
    size_t n = 0;
    for (size_t i = 0; i < hole->n_queries && i < BM_SALVAGE_NAMES; i++)
        n += (size_t)snprintf(shown + n, size - n, "%s%s",
                              i > 0                 ? ", "
                              : hole->n_queries > 1 ? ", with those of "
                                                    : ", with that of ",
                              hole->queries[i]);
    if (hole->n_queries > BM_SALVAGE_NAMES)
        snprintf(shown + n, size - n, " and %" PRIu64 " more", hole->n_queries - BM_SALVAGE_NAMES);
}

/* What is to be said where the search seems to have been begun again, and yet nothing was left out. */
static const char *explain_sequel(const struct bm_salvage_hole *hole) {
    switch (hole->sequel) {
    case BM_SEQUEL_OTHER:
        return "; what follows is a document with another header, so that both count";
    case BM_SEQUEL_QUERIES:
        return "; the search was begun again there, but not with the queries that are before it, so that "
               "both count";
    case BM_SEQUEL_NAMELESS:
        return "; the search may have been begun again there, but its queries have no names to tell by, so "
               "that both "
               "count";
    case BM_SEQUEL_NONE:
    case BM_SEQUEL_AGAIN:
        break;
    }
    return "";
}

/* Writes " (of the file: from byte 1 to 2)" where bytes were left out. */
static void show_bytes(char shown[96], const struct bm_salvage_hole *hole) {
    char span[80];
    shown[0] = '\0';
    if (hole->bytes.from == hole->bytes.to) return;
    show_span(span, sizeof span, hole->bytes.from, hole->bytes.to);
    snprintf(shown, 96, " (of the file: %s)", span);
}

static void warn_of_superseded(struct blastmerge_job *job, const struct bm_salvage_hole *hole) {
    char text[80], bytes[96];
    show_span(text, sizeof text, hole->superseded_from, hole->to);
    show_bytes(bytes, hole);
    bm_job_warn(job, true,
                "%.300s: superseded: its text %s%s, with %" PRIu64
                " whole Iteration%s: the search was begun again %s, and all of it is in the run that begins "
                "at byte %" PRIu64,
                bm_fetch_source_display_name(&job->children[job->child].source), text, bytes,
                hole->n_superseded_iterations, hole->n_superseded_iterations == 1 ? "" : "s",
                hole->superseded_by >= hole->superseded_from ? "behind it" : "there", hole->superseded_by);
}

static void warn_of_hole(struct blastmerge_job *job, const struct bm_salvage_hole *hole) {
    char text[80], bytes[96], borders[256], queries[BM_SALVAGE_NAMES * (BM_SALVAGE_NAME + 16) + 32] = "";
    show_span(text, sizeof text, hole->from, hole->lost_to);
    show_bytes(bytes, hole);
    show_borders(borders, sizeof borders, hole);
    show_lost_queries(queries, sizeof queries, hole);
    bm_job_warn(job, true, "%.300s: lost: its text %s%s%s%s: %s%s",
                bm_fetch_source_display_name(&job->children[job->child].source), text, bytes, borders,
                queries, hole->reason, explain_sequel(hole));
}

void bm_job_rescue_tell(struct blastmerge_job *job) {
    const struct bm_salvage_plan *plan = job->children[job->child].plan;
    for (size_t i = 0; i < plan->n_holes; i++) {
        if (plan->holes[i].is_lost) warn_of_hole(job, &plan->holes[i]);
        if (plan->holes[i].n_superseded > 0) warn_of_superseded(job, &plan->holes[i]);
        if (job->has_report) bm_report_hole(&job->report, &plan->holes[i]);
    }
    if (job->has_report) bm_report_unchecked(&job->report, plan->n_unchecked);
    if (plan->n_unchecked == 0) return;
    bm_job_warn(job, true,
                "%.300s: its last %" PRIu64 " Iteration%s merged without proof: the checksum of what is cut "
                "short is not there",
                bm_fetch_source_display_name(&job->children[job->child].source), plan->n_unchecked,
                plan->n_unchecked == 1 ? " was" : "s were");
}

enum blastmerge_status bm_job_rescue_status(struct blastmerge_job *job) {
    const struct blastmerge_report *totals = &job->totals;
    if (totals->n_damaged_children == 0) return BLASTMERGE_OK;
    if (totals->n_lost_stretches == 0)
        return bm_fail(
            &job->error, BLASTMERGE_SALVAGED,
            "the search was begun again in %" PRIu64 " of %" PRIu64
            " children: of these the run that counts was merged, and what it supersedes was left out: the "
            "result has %" PRIu64 " Iterations",
            totals->n_damaged_children, totals->n_children, totals->n_iterations);
    return bm_fail(&job->error, BLASTMERGE_SALVAGED,
                   "something was lost of %" PRIu64 " of %" PRIu64 " children: the result has the %" PRIu64
                   " Iterations that are whole",
                   totals->n_damaged_children, totals->n_children, totals->n_iterations);
}
