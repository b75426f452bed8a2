/* SPDX-License-Identifier: MIT */
#include "job/restart.h"
#include "child/member.h"
#include "decompress/decompress.h"

#include <inttypes.h>
#include <string.h>

enum {
    BEFORE = 64,    /* bytes before the fault, as a quoted text may swallow a document's begin ... */
    BEHIND = 48,    /* ... and behind it, as a reference that is cut is found at its begin */
    PROLOG = 1024,  /* bytes of XML in which its root begins */
    MEMBERS = 4,    /* places that may be a gzip member's begin */
    BYTES = 2097152 /* in which they are looked for, up to where the child was read */
};

#define AGAIN                                                                                                \
    "probably the search was begun again, and appended to its earlier output; search this part again"
#define SALVAGE ", or --salvage merges the last whole run"

/* --- documents' begins ------------------------------------------------------------------------------- */

/* Whether XML that begins here is the one format that can be salvaged, as far as its prolog is there. */
static bool is_of_xml(const uint8_t *text, size_t n_text) {
    static const char other[] = "<BlastXML2";
    return memmem(text, n_text < PROLOG ? n_text : PROLOG, other, sizeof other - 1) == NULL;
}

/* Rows do not show that a document begins: this is for what begins a gzip member. */
static bool begins_rows(enum blastmerge_format format, const uint8_t *text, size_t n_text) {
    if (!bm_format_is_bare_table(format)) return false;
    const uint8_t *end = memchr(text, '\n', n_text);
    return end != NULL && memchr(text, bm_format_of(format)->separator, (size_t)(end - text)) != NULL;
}

/* --- in a text --------------------------------------------------------------------------------------- */

/* Where the current document begins. */
static uint64_t find_current(const struct blastmerge_job *job) {
    uint64_t document = job->document;
    const struct bm_mark_list *marks = job->view.marks;
    for (size_t i = 0; marks != NULL && i < marks->n_entries; i++)
        if (marks->entries[i].kind == BM_MARK_DOCUMENT || marks->entries[i].kind == BM_MARK_ARCHIVE)
            document = marks->entries[i].offset;
    return document;
}

/* White space and a byte order mark may stand before a document, and are not another one. */
static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == 0xef || byte == 0xbb ||
           byte == 0xbf;
}

/* Whether a document begins near the fault, as far as the batch has the text there; *begin: where. current: where the
 * current document begins. */
static bool find_document(struct blastmerge_job *job, enum blastmerge_format format, uint64_t fault,
                          uint64_t current, uint64_t *begin) {
    const struct bm_batch *batch = job->batch;
    uint64_t first = batch->text_offset - batch->n_history, end = bm_batch_end(batch);
    uint64_t from = fault > BEFORE ? fault - BEFORE : 0, to = fault + BEHIND < end ? fault + BEHIND : end;
    bool is_in_prolog = bm_mark_is_in_prolog(bm_job_child(job)->mark); /* its own root is still to come */
    if (from < first) from = first;
    while (current >= first && current < end && is_blank(*bm_batch_at(batch, current, 1))) current++;
    /* A comment, as web services leave it, stands in front of the only document. */
    if (is_in_prolog && current >= first && current < end && end - current >= 4 &&
        memcmp(bm_batch_at(batch, current, 4), "<!--", 4) == 0)
        return false;
    /* Compressed data that this build does not read can have a document's beginning in it, as text. */
    if (is_in_prolog && current >= first && end > current + BM_DECOMPRESS_LOOK &&
        bm_decompress_look_name(bm_batch_at(batch, current, BM_DECOMPRESS_LOOK), BM_DECOMPRESS_LOOK) != NULL)
        return false;
    if (from <= current) from = current + 1;
    if (from < end && bm_batch_has_gap(batch, from, end - from)) return false; /* it is far from all marks */
    for (uint64_t at = from; at < to; at++) {
        const uint8_t *text = bm_batch_at(batch, at, end - at);
        bool is_begin_of_line = at == first || text[-1] == '\n';
        if (!bm_mark_begins_document(format, text, (size_t)(end - at), is_begin_of_line,
                                     at == fault && !is_in_prolog))
            continue;
        *begin = at;
        return true;
    }
    return false;
}

/* Takes the next batch, whose history is the end of this one, where the text that matters goes on there. A caller's
 * reader is not called any more once its child is at fault. */
static bool read_on(struct blastmerge_job *job, uint64_t to, struct blastmerge_error *behind) {
    struct bm_child *child = bm_job_child(job);
    if (to <= bm_batch_end(job->batch) || job->is_last_batch) return false;
    if (job->plan.items[job->child].source.is_open_reader) return false;
    bm_child_lane_stop_marking(&child->lane);
    bm_child_give(child);
    job->batch = bm_child_take(child, &job->is_last_batch, behind);
    return job->batch != NULL;
}

static void explain_text(struct blastmerge_job *job, struct blastmerge_error *behind) {
    uint64_t begin = 0, fault = job->error.text_offset, current = find_current(job);
    enum blastmerge_format format = bm_mark_format(bm_job_child(job)->mark);
    if (job->view.counts.n_documents == 0) return; /* it is a message in front of the first, say */
    if (bm_mark_has_ended(bm_job_child(job)->mark)) return;
    bool is_found = find_document(job, format, fault, current, &begin);
    if (!is_found && read_on(job, fault + BEHIND, behind))
        is_found = find_document(job, format, fault, current, &begin);
    if (!is_found) return;
    size_t n_text = (size_t)(bm_batch_end(job->batch) - begin);
    const uint8_t *text = bm_batch_at(job->batch, begin, n_text);
    bool is_salvageable =
        format == BLASTMERGE_FORMAT_AUTO ? is_of_xml(text, n_text) : bm_format_of(format)->can_be_salvaged;
    bm_fail_at(&job->error, BLASTMERGE_DATA, begin,
               "a second document begins here, before the first has ended: " AGAIN "%s",
               is_salvageable ? SALVAGE : "");
}

/* --- in gzip ------------------------------------------------------------------------------------------ */

/* What failed of the child's gzip data. */
struct failed {
    enum blastmerge_format format; /* as far as it is known */
    bool is_bgzf;
};

/* Whether a gzip member that begins at the byte holds a document's beginning. */
static bool holds_document(struct blastmerge_job *job, const struct failed *failed, uint64_t byte,
                           bool *is_salvageable) {
    struct bm_child *child = bm_job_child(job);
    const struct bm_span span = {byte, UINT64_MAX};
    const struct bm_plan_text text = {.n_spans = 1, .spans = &span};
    struct blastmerge_error error;
    bool is_last = false, is_found = false, is_of_table = false;
    bm_child_close(child);
    bm_child_open_text(child, &job->plan.items[job->child].source, &text, &job->cancel);
    const struct bm_batch *batch = bm_child_take(child, &is_last, &error);
    if (batch != NULL && batch->has_trace) {
        is_of_table = begins_rows(failed->format, batch->text, batch->n_text);
        for (int i = BLASTMERGE_FORMAT_AUTO + 1; i <= (int)bm_format_last(); i++) {
            enum blastmerge_format other = (enum blastmerge_format)i;
            bool is_xml = bm_format_of(other)->syntax == BM_SYNTAX_XML;
            if (!bm_mark_begins_document(other, batch->text, batch->n_text, false, true)) continue;
            is_of_table = is_of_table || bm_format_is_table(other);
            is_found = is_found || !bm_format_is_table(other);
            if (bm_format_of(other)->can_be_salvaged && (!is_xml || is_of_xml(batch->text, batch->n_text)))
                *is_salvageable = true;
        }
    }
    bm_child_close(child);
    /* The next block of the same table begins with whatever stands there: rows, or the comments of another query. */
    bool is_next_block = failed->is_bgzf && bm_inflate_begins_with_block(child->lane.inflate);
    return is_found || (is_of_table && !is_next_block);
}

bool bm_job_restart_explain_gzip(struct blastmerge_job *job) {
    const struct blastmerge_error error = job->error;
    struct bm_child *child = bm_job_child(job);
    const struct bm_fetch_source *source = &job->plan.items[job->child].source;
    if (source->cloud != NULL || !source->can_read_ahead || source->is_open_reader ||
        !bm_inflate_is_gzip(child->lane.inflate))
        return false;
    uint64_t to = child->lane.fetch.n_read;
    uint64_t from = bm_inflate_fault(child->lane.inflate).member_byte + 1;
    const struct failed failed = {bm_mark_format(child->mark),
                                  bm_inflate_begins_with_block(child->lane.inflate)};
    bool is_salvageable = false;
    bm_child_close(child);
    if (to > BYTES && from < to - BYTES) from = to - BYTES;
    for (size_t i = 0; i < MEMBERS; i++) {
        uint64_t found = UINT64_MAX;
        const struct bm_span span = {from, to};
        struct blastmerge_error ignored;
        bool is_read = bm_child_find_member(&job->plan.items[job->child].source, &span, &job->cancel,
                                            bm_job_free_output(job), &found, &ignored) == BLASTMERGE_OK;
        if (!is_read || found == UINT64_MAX) break;
        from = found + 1;
        if (!holds_document(job, &failed, found, &is_salvageable)) continue;
        child->lane.fetch.n_read = to;
        bm_fail(
            &job->error, BLASTMERGE_DATA,
            "its gzip data breaks off, and another gzip member with another document begins at byte %" PRIu64
            " of the file: " AGAIN "%s",
            found, is_salvageable ? SALVAGE : "");
        return true;
    }
    child->lane.fetch.n_read = to;
    job->error = error;
    return false;
}

void bm_job_restart_explain(struct blastmerge_job *job, struct blastmerge_error *behind) {
    if (job->error.status != BLASTMERGE_DATA || bm_cancel_is_set(&job->cancel)) return;
    if (job->phase == BM_JOB_PHASE_SCAN && job->error.text_offset != BLASTMERGE_NO_OFFSET &&
        job->batch != NULL)
        explain_text(job, behind);
    else if (job->phase == BM_JOB_PHASE_BATCH && job->batch == NULL)
        (void)bm_job_restart_explain_gzip(job);
}
