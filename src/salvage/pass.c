/* SPDX-License-Identifier: MIT */
#include "salvage/pass.h"
#include "format/format.h"

#include <string.h>

enum { MEMBERS = 64 }; /* of a child at fault; what follows is lost */

struct bm_salvage_pass {
    const struct blastmerge_options *options;
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct bm_child_buffer buffer;
    struct bm_salvage_survey *survey;
    enum blastmerge_format format; /* as given, or as a child has begun; AUTO: not known yet */
    bool has_begun;                /* a child was surveyed while it was not known */

    /* the current child */
    bool is_begun;
    bool is_careful;   /* an Iteration inside of another one is taken for damage */
    bool is_comparing; /* its runs are compared */
    bool has_searched; /* it does not look like gzip, but is taken for damaged gzip */
    struct bm_fetch_source *source;
    struct bm_child *child;
    struct bm_span span;      /* what of it is read in this attempt */
    struct bm_plan_text text; /* which says so */
    uint64_t base;            /* text before it */
    size_t n_members;         /* at fault so far */
    size_t n_spans;
    struct bm_span spans[MEMBERS + 1];

    /* the header that is made of what is whole of a child's */
    struct bm_salvage_header *made; /* NULL: no child has needed one */
    struct bm_salvage_header *tried;
    size_t made_child;
    char made_reason[BM_SALVAGE_REASON];

    size_t n_children;
    struct bm_salvage_findings **findings; /* of each child; NULL: not yet */
};

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_salvage_pass_open(struct bm_salvage_pass **opened,
                                            const struct bm_salvage_pass_settings *settings) {
    struct bm_memory *memory = settings->memory;
    struct bm_salvage_pass *pass = *opened = bm_allocate(memory, sizeof *pass);
    if (pass == NULL) return BLASTMERGE_NO_MEMORY;
    pass->options = settings->options;
    pass->format = settings->options->format;
    pass->memory = memory;
    pass->cancel = settings->cancel;
    pass->buffer = settings->buffer;
    pass->n_children = settings->n_children;
    pass->findings = bm_allocate(memory, pass->n_children * sizeof(struct bm_salvage_findings *));
    if (pass->findings == NULL) return BLASTMERGE_NO_MEMORY;
    return bm_salvage_survey_open(&pass->survey, memory, pass->options);
}

void bm_salvage_pass_close(struct bm_salvage_pass *pass) {
    if (pass == NULL) return;
    struct bm_memory *memory = pass->memory;
    bm_salvage_survey_close(pass->survey, memory);
    bm_release(memory, pass->made);
    bm_release(memory, pass->tried);
    for (size_t i = 0; i < pass->n_children && pass->findings != NULL; i++)
        bm_release(memory, pass->findings[i]);
    bm_release(memory, pass->findings);
    bm_release(memory, pass);
}

static enum blastmerge_status fail_memory(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- attempts ------------------------------------------------------------------------------------ */

static void begin_survey(struct bm_salvage_pass *pass) {
    pass->is_begun = true;
    pass->span = (struct bm_span){0, UINT64_MAX};
    pass->text = (struct bm_plan_text){.n_spans = 1, .spans = &pass->span};
    pass->base = 0;
    pass->n_members = 0;
    pass->n_spans = 0;
    bm_salvage_survey_begin(pass->survey, pass->is_careful, pass->is_comparing);
}

/* Reads the current child (again) from the span on. */
static void reopen(struct bm_salvage_pass *pass) {
    bm_child_close(pass->child);
    bm_child_open_text(pass->child, pass->source, &pass->text, pass->cancel);
}

static void add_span(struct bm_salvage_pass *pass, uint64_t to) {
    if (to > pass->span.from) pass->spans[pass->n_spans++] = (struct bm_span){pass->span.from, to};
}

static enum blastmerge_status find_member(struct bm_salvage_pass *pass, uint64_t from, uint64_t *found,
                                          struct blastmerge_error *error) {
    const struct bm_span span = {from, UINT64_MAX};
    return bm_child_find_member(pass->source, &span, pass->cancel, pass->buffer, found, error);
}

/* --- a child's end ------------------------------------------------------------------------------- */

static void keep_findings(struct bm_salvage_pass *pass, size_t number, struct bm_salvage_findings *findings) {
    const struct bm_fetch_source *source = pass->source;
    findings->text.n_bytes = source->n_bytes != UINT64_MAX ? source->n_bytes : pass->child->lane.fetch.n_read;
    pass->findings[number] = findings;
    bool has_content = findings->text.n_text > 0 || pass->n_members > 0;
    pass->has_begun = pass->has_begun || (has_content && pass->format == BLASTMERGE_FORMAT_AUTO);
    bm_child_close(pass->child);
    pass->is_begun = pass->has_searched = false;
    pass->is_careful = pass->is_comparing = false;
}

/* What cannot be read as gzip, nor begins as XML does, may be gzip whose begin is damaged. */
static enum blastmerge_status search_gzip(struct bm_salvage_pass *pass,
                                          const struct bm_salvage_findings *findings, bool *is_found,
                                          struct blastmerge_error *error) {
    struct bm_span lost = {0, 0};
    char reason[BM_SALVAGE_REASON] = "";
    *is_found = false;
    if (bm_inflate_is_gzip(pass->child->lane.inflate)) return BLASTMERGE_OK;
    if (pass->has_searched || findings->text.n_holes == 0 || findings->n_iterations > 0 ||
        findings->prologue_to > 0)
        return BLASTMERGE_OK;
    memcpy(reason, findings->holes[0].reason, sizeof reason);
    pass->has_searched = true;
    bm_child_close(pass->child);
    enum blastmerge_status status = find_member(pass, 0, &lost.to, error);
    if (status != BLASTMERGE_OK || lost.to == UINT64_MAX) return status;
    *is_found = true;
    begin_survey(pass);
    bm_salvage_survey_lose_member(pass->survey, 0, &lost, reason);
    pass->n_members = 1;
    pass->span.from = lost.to;
    reopen(pass);
    return BLASTMERGE_OK;
}

/* A child is damaged if the merge's own reading of it finds a fault, and only then. Where it has one, and an
 * "<Iteration>" inside of another one was seen, text may be missing: then the child is surveyed once more,
 * and that is a fault, too. */
static bool begin_careful_survey(struct bm_salvage_pass *pass, const struct bm_salvage_findings *findings) {
    if (pass->is_careful || findings->text.n_holes == 0 || !bm_salvage_survey_saw_nesting(pass->survey))
        return false;
    pass->is_careful = true;
    pass->has_searched = false;
    begin_survey(pass);
    reopen(pass);
    return true;
}

/* The search in a damaged child was begun again: a third reading tells whether one run has what another one has. */
static bool begin_comparison(struct bm_salvage_pass *pass) {
    if (pass->is_comparing || !bm_salvage_survey_wants_comparison(pass->survey)) return false;
    pass->is_comparing = true;
    pass->has_searched = false;
    begin_survey(pass);
    reopen(pass);
    return true;
}

/* Keeps what can be made of the header of a child that lacks one, if more of it is whole than of those before. */
static enum blastmerge_status try_header(struct bm_salvage_pass *pass, size_t number,
                                         const struct bm_salvage_findings *findings,
                                         struct blastmerge_error *error) {
    bool has_header = findings->prologue_to > 0 || bm_format_of(pass->format)->has_archives;
    if (has_header || findings->n_iterations == 0) return BLASTMERGE_OK;
    if (pass->tried == NULL) pass->tried = bm_allocate(pass->memory, sizeof *pass->tried);
    if (pass->tried == NULL) return fail_memory(error);
    bm_salvage_survey_make_header(pass->survey, pass->tried);
    if (pass->made != NULL && pass->made->n_fields >= pass->tried->n_fields) return BLASTMERGE_OK;
    struct bm_salvage_header *before = pass->made;
    pass->made = pass->tried;
    pass->tried = before;
    pass->made_child = number;
    memcpy(pass->made_reason, findings->holes[0].reason, sizeof pass->made_reason);
    return BLASTMERGE_OK;
}

static enum blastmerge_status end_child(struct bm_salvage_pass *pass, size_t number, bool *is_done,
                                        struct blastmerge_error *error) {
    bool goes_on = false;
    struct bm_salvage_findings *findings =
        bm_salvage_survey_find(pass->survey, pass->spans, pass->n_spans, pass->memory);
    if (findings == NULL) return fail_memory(error);
    enum blastmerge_status status = search_gzip(pass, findings, &goes_on, error);
    if (status == BLASTMERGE_OK && !goes_on)
        goes_on = begin_careful_survey(pass, findings) || begin_comparison(pass);
    if (status == BLASTMERGE_OK && !goes_on) status = try_header(pass, number, findings, error);
    *is_done = status == BLASTMERGE_OK && !goes_on;
    if (*is_done)
        keep_findings(pass, number, findings);
    else
        bm_release(pass->memory, findings);
    return status;
}

/* --- a child's text ------------------------------------------------------------------------------ */

/* The child has failed, and the error says why. */
static enum blastmerge_status take_fault(struct bm_salvage_pass *pass, size_t number, bool *is_done,
                                         struct blastmerge_error *error) {
    if (error->status != BLASTMERGE_DATA) return error->status;
    const struct bm_inflate_fault fault = bm_inflate_fault(pass->child->lane.inflate);
    const struct blastmerge_error reason = *error;
    uint64_t text = pass->base + fault.member_text;
    uint64_t byte = pass->span.from + fault.member_byte;
    *error = (struct blastmerge_error){0};
    if (fault.is_cut && bm_salvage_survey_cut(pass->survey, text, reason.message)) {
        add_span(pass, UINT64_MAX);
        return end_child(pass, number, is_done, error);
    }
    add_span(pass, byte);
    bm_child_close(pass->child);
    struct bm_span lost = {byte, UINT64_MAX};
    if (++pass->n_members < MEMBERS) {
        enum blastmerge_status status = find_member(pass, byte + 1, &lost.to, error);
        if (status != BLASTMERGE_OK) return status;
    }
    bm_salvage_survey_lose_member(pass->survey, text, &lost, reason.message);
    if (lost.to == UINT64_MAX) return end_child(pass, number, is_done, error);
    pass->base = text;
    pass->span.from = lost.to;
    reopen(pass);
    return BLASTMERGE_OK;
}

/* The first child whose first bytes show a format decides it. */
static enum blastmerge_status look_at_format(struct bm_salvage_pass *pass, struct blastmerge_error *error) {
    struct bm_view view;
    struct blastmerge_error ignored;
    const struct bm_mark_kin any = {0};
    bm_child_admit(pass->child, &any, false);
    (void)!bm_child_scan(pass->child, SIZE_MAX, &view, &ignored);
    enum blastmerge_format format = bm_mark_format(pass->child->mark);
    pass->format = format;
    if (format == BLASTMERGE_FORMAT_AUTO || format == BLASTMERGE_FORMAT_XML) return BLASTMERGE_OK;
    if (!bm_format_of(format)->can_be_salvaged)
        return bm_fail(error, BLASTMERGE_USAGE,
                       "it is %s, and only BLAST XML (-outfmt 5) and BLAST archives (-outfmt 11) can be "
                       "salvaged; if its beginning is damaged, give --format xml or --format archive",
                       bm_format_of(format)->title);
    if (pass->has_begun)
        return bm_fail(
            error, BLASTMERGE_USAGE,
            "it is %s, but the damaged children before it do not show their format: give --format archive",
            bm_format_of(format)->title);
    bm_salvage_survey_expect(pass->survey, format, true);
    begin_survey(pass);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_salvage_pass_take(struct bm_salvage_pass *pass, size_t number,
                                            struct bm_fetch_source *source, struct bm_child *child,
                                            const struct bm_batch *batch, bool is_last, bool *is_done,
                                            struct blastmerge_error *error) {
    *is_done = false;
    pass->source = source;
    pass->child = child;
    if (!pass->is_begun) begin_survey(pass);
    if (batch == NULL) return take_fault(pass, number, is_done, error);
    bool is_first = batch->text_offset == 0;
    if (pass->format == BLASTMERGE_FORMAT_AUTO && is_first && batch->n_text > 0 &&
        look_at_format(pass, error) != BLASTMERGE_OK)
        return error->status;
    bool is_empty = is_last && is_first && batch->n_text == 0;
    bm_salvage_survey_text(pass->survey, batch, pass->base);
    bm_child_give(child);
    if (!is_last) return BLASTMERGE_OK;
    if (pass->n_members > 0) add_span(pass, UINT64_MAX);
    if (is_empty && pass->n_members == 0 && !pass->options->allow_empty)
        bm_salvage_survey_lose_all(pass->survey, "it holds nothing, as a failed search leaves");
    else
        bm_salvage_survey_end(pass->survey);
    return end_child(pass, number, is_done, error);
}

/* --- all children -------------------------------------------------------------------------------- */

enum blastmerge_format bm_salvage_pass_format(const struct bm_salvage_pass *pass) {
    return pass->format;
}

const struct bm_salvage_findings *bm_salvage_pass_findings(const struct bm_salvage_pass *pass,
                                                           size_t number) {
    return pass->findings[number];
}

bool bm_salvage_pass_lacks_header(const struct bm_salvage_pass *pass) {
    size_t i = 0;
    while (i < pass->n_children && pass->findings[i]->text.end == 0) i++;
    if (i == pass->n_children) return false;
    const struct bm_plan_text *text = &pass->findings[i]->text;
    return text->n_holes > 0 && text->holes[0].from == 0 && text->holes[0].place == BM_MARK_AT_ITERATION;
}

size_t bm_salvage_pass_find_header(const struct bm_salvage_pass *pass) {
    size_t i = 0;
    while (i < pass->n_children && pass->findings[i]->prologue_to == 0) i++;
    return i;
}

struct bm_salvage_made bm_salvage_pass_made(const struct bm_salvage_pass *pass) {
    bm_require(pass->made != NULL); /* the first child that has an Iteration lacks a header */
    return (struct bm_salvage_made){pass->made, pass->made_child, pass->made_reason};
}
