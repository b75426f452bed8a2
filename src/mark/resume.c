/* SPDX-License-Identifier: MIT */
/*
 * Text with holes. If a stretch of a child is lost, the current document ends before it, and the text after
 * it is treated as a separate document. So the code that reads marks need not handle holes. A flag shows that
 * it is still the same document, whose numbers continue.
 */
#include "mark/archive/archive.h"
#include "mark/door.h"
#include "mark/xml/xml.h"

#include <string.h>

/* The scanner, if the text is XML. */
static const struct bm_mark_xml *find_xml(const struct bm_mark *mark) {
    return mark->scanner == &bm_mark_xml ? (const struct bm_mark_xml *)mark : NULL;
}

/* Whether a document has begun, and not ended. */
static bool is_in_document(const struct bm_mark *mark) {
    const struct bm_mark_xml *xml = find_xml(mark);
    if (xml != NULL) return xml->state != BM_STATE_START;
    return mark->scanner == &bm_mark_archive && ((const struct bm_mark_archive *)mark)->document_is_open;
}

/* Forgets all but what is counted, and whether the document's header names a query. */
static void go_to(struct bm_mark *mark, const struct bm_mark_scanner *scanner, uint64_t offset) {
    struct bm_mark_counts counts = mark->counts;
    bool has_header = mark->digest.has_header;
    /* Hits of an Iteration that was left are not those of the next one. */
    if (mark->scanner != NULL) counts.n_hits_of_these = bm_mark_n_hits(mark);
    bm_mark_reset(mark);
    mark->counts = counts;
    mark->digest.has_header = has_header;
    mark->position = offset;
    bm_mark_take_scanner(mark, scanner);
}

void bm_mark_leave(struct bm_mark *mark, struct bm_mark_list *list) {
    if (is_in_document(mark)) {
        mark->list = list;
        struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_ITERATIONS_END, mark->position);
        entry->end = mark->position;
        entry->flags = BM_MARK_LEFT;
        bm_mark_add(mark, BM_MARK_DOCUMENT_END, mark->position)->flags = BM_MARK_LEFT;
        mark->list = NULL;
    }
    go_to(mark, mark->scanner != NULL ? mark->scanner : &bm_mark_xml, mark->position);
}

/* The digest says that text is left out after it was begun. */
static void enter_archive(struct bm_mark *mark, struct bm_mark_list *list) {
    uint32_t flags = BM_MARK_CUT | (mark->counts.n_documents > 0 ? BM_MARK_LEFT : 0u);
    mark->list = list;
    (void)bm_mark_archive_begin_document((struct bm_mark_archive *)mark, flags);
    mark->list = NULL;
    mark->digest.is_partial = true;
}

static void open_named(struct bm_mark_xml *xml, const char *name) {
    struct bm_mark_xml_name *open = &xml->open_elements[xml->depth++];
    open->n_bytes = (uint16_t)strlen(name);
    memcpy(open->bytes, name, open->n_bytes);
}

void bm_mark_enter(struct bm_mark *mark, struct bm_mark_list *list, uint64_t offset, enum bm_mark_place place,
                   unsigned encoding) {
    go_to(mark, place == BM_MARK_AT_ARCHIVE ? &bm_mark_archive : &bm_mark_xml, offset);
    if (place == BM_MARK_AT_ARCHIVE) {
        enter_archive(mark, list);
        return;
    }
    if (place != BM_MARK_AT_SAME) mark->digest.has_header = false;
    if (place == BM_MARK_AT_DOCUMENT) return;
    mark->digest.is_partial = true;
    struct bm_mark_xml *xml = (struct bm_mark_xml *)mark;
    xml->encoding = (uint8_t)encoding;
    xml->state = BM_STATE_TEXT;
    xml->phase = BM_PHASE_ROOT;
    xml->iterations_seen = xml->in_iterations = true;
    open_named(xml, "BlastOutput");
    open_named(xml, "BlastOutput_iterations");
    mark->list = list;
    bm_mark_add(mark, BM_MARK_DOCUMENT, offset)->flags = place == BM_MARK_AT_SAME ? BM_MARK_LEFT : 0;
    bm_mark_add(mark, BM_MARK_BODY, offset);
    mark->list = NULL;
}

bool bm_mark_has_ended(const struct bm_mark *mark) {
    const struct bm_mark_xml *xml = find_xml(mark);
    return xml != NULL && xml->phase == BM_PHASE_EPILOG;
}

bool bm_mark_is_in_prolog(const struct bm_mark *mark) {
    const struct bm_mark_xml *xml = find_xml(mark);
    return xml == NULL || xml->phase == BM_PHASE_PROLOG;
}

unsigned bm_mark_body_encoding(const struct bm_mark *mark) {
    const struct bm_mark_xml *xml = find_xml(mark);
    bool is_in_body = xml != NULL && xml->phase == BM_PHASE_ROOT && xml->iterations_seen;
    return is_in_body ? xml->encoding : BM_ENCODING_UTF8;
}
