/* SPDX-License-Identifier: MIT */
/*
 * What stands outside of the root: where documents begin and end, byte order marks, the XML declaration's
 * borders, DOCTYPE; and what something that is not XML looks like.
 */
#include "mark/internal.h"

#include <string.h>

/* --- documents' borders ---------------------------------------------------------------------- */

/* A document begins; in the epilogue of another one, that one ends. */
void bm_mark_begin_document(struct bm_mark *mark, uint64_t at) {
    if (mark->phase == BM_PHASE_EPILOG) bm_mark_end_document(mark, at);
    bm_mark_add(mark, BM_MARK_DOCUMENT, at);
    mark->counts.n_documents++;
    bm_mark_begin_digest(mark);
    mark->phase = BM_PHASE_PROLOG;
    mark->encoding = BM_ENCODING_UTF8;
    mark->has_bom = false;
    mark->has_doctype = false;
    mark->iterations_seen = false;
    mark->database_seen = false;
    mark->declaration_is_open = true;
    mark->declaration_at = at;
}

void bm_mark_end_document(struct bm_mark *mark, uint64_t at) {
    bm_mark_add_document_end(mark, at);
}

void bm_mark_no_declaration(struct bm_mark *mark) {
    if (!mark->declaration_is_open) return;
    mark->declaration_is_open = false;
    bm_mark_add(mark, BM_MARK_NO_DECLARATION, mark->declaration_at);
}

/* --- what is not XML ------------------------------------------------------------------------- */

bool bm_mark_fail_sample(struct bm_mark *mark) {
    return bm_mark_look_fail(mark, mark->less, mark->declaration, mark->n_declaration,
                             ": a '<' was expected here");
}

/* Bytes are collected so that the message does not depend on how they came. */
static bool begin_sample(struct bm_mark *mark, uint8_t byte, uint64_t at) {
    mark->less = at;
    mark->declaration[0] = (char)byte;
    mark->n_declaration = 1;
    mark->state = BM_STATE_SAMPLE;
    return true;
}

static bool in_sample(struct bm_mark *mark, uint8_t byte) {
    if (mark->n_declaration == BM_MARK_MAX_SAMPLE) return bm_mark_fail_sample(mark);
    mark->declaration[mark->n_declaration++] = (char)byte;
    return true;
}

/* --- byte order marks ------------------------------------------------------------------------ */

/* A text's first byte, or one beyond ASCII after a root element. */
static bool in_first_byte(struct bm_mark *mark, uint8_t byte) {
    if (mark->phase == BM_PHASE_PROLOG) bm_mark_begin_document(mark, mark->position);
    if (byte == 0xef) {
        mark->less = mark->position;
        mark->tag_is_open = mark->phase == BM_PHASE_EPILOG;
        mark->state = BM_STATE_BOM_2;
        return true;
    }
    if (mark->phase == BM_PHASE_EPILOG) return bm_mark_outside_text(mark, byte, mark->position);
    if (byte != '<' && !bm_mark_is_space(byte)) return begin_sample(mark, byte, mark->position);
    mark->state = BM_STATE_TEXT;
    return bm_mark_take_character(mark, byte, mark->position);
}

static bool in_byte_order_mark(struct bm_mark *mark, uint8_t byte) {
    if (byte != (mark->state == BM_STATE_BOM_2 ? 0xbb : 0xbf)) {
        return bm_mark_fail(mark, mark->less, "the bytes here are neither XML nor UTF-8's byte order mark");
    }
    if (mark->state == BM_STATE_BOM_2) {
        mark->state = BM_STATE_BOM_3;
        return true;
    }
    if (mark->phase == BM_PHASE_EPILOG) bm_mark_begin_document(mark, mark->less);
    bm_mark_add(mark, BM_MARK_BOM, mark->less)->end = mark->position + 1;
    mark->has_bom = true;
    mark->tag_is_open = false;
    mark->declaration_at = mark->position + 1;
    mark->state = BM_STATE_TEXT;
    return true;
}

bool bm_mark_in_start(struct bm_mark *mark, uint8_t byte) {
    if (mark->state == BM_STATE_SAMPLE) return in_sample(mark, byte);
    if (mark->state == BM_STATE_BOM_2 || mark->state == BM_STATE_BOM_3) return in_byte_order_mark(mark, byte);
    return in_first_byte(mark, byte);
}

/* Anything but a '<' outside of the root. */
bool bm_mark_outside_text(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) {
        bm_mark_no_declaration(mark);
        return true;
    }
    if (mark->phase == BM_PHASE_EPILOG) {
        return bm_mark_fail(mark, at,
                            "the document's root element has ended; only white space, comments, processing "
                            "instructions or another document can follow");
    }
    if (c < 0x80 && !mark->has_doctype) return begin_sample(mark, (uint8_t)c, at);
    return bm_mark_fail(
        mark, at, "only white space, comments and processing instructions can stand before the root element");
}

/* --- the XML declaration --------------------------------------------------------------------- */

static bool end_declaration(struct bm_mark *mark, uint64_t after) {
    if (!bm_mark_read_declaration(mark)) return false;
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_DECLARATION, mark->declaration_at);
    entry->end = after;
    if (mark->encoding != BM_ENCODING_UTF8) entry->flags = BM_MARK_CONVERTED;
    mark->declaration_is_open = false;
    mark->state = BM_STATE_TEXT;
    return true;
}

bool bm_mark_in_declaration(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (c >= 0x80) return bm_mark_fail(mark, at, "the XML declaration can only hold ASCII characters");
    if (c == '<')
        return bm_mark_fail(mark, at,
                            "the XML declaration is wrong: its end \"?>\" was expected before this '<'");
    if (mark->n_declaration == BM_MARK_MAX_DECLARATION) {
        return bm_mark_fail(mark, at, "the XML declaration is longer than %d bytes", BM_MARK_MAX_DECLARATION);
    }
    mark->declaration[mark->n_declaration++] = (char)c;
    if (c != '>' || mark->declaration[mark->n_declaration - 2] != '?') return true;
    return end_declaration(mark, at + 1);
}

/* --- DOCTYPE, [28] without the internal subset, [75], [11], [12] ----------------------------- */

static bool fail_doctype(struct bm_mark *mark, uint64_t at, const char *expected) {
    return bm_mark_fail(mark, at, "the DOCTYPE is wrong: %s was expected here", expected);
}

static bool begin_doctype(struct bm_mark *mark) {
    if (mark->phase == BM_PHASE_EPILOG) bm_mark_begin_document(mark, mark->less);
    bm_mark_no_declaration(mark);
    if (mark->has_doctype) return bm_mark_fail(mark, mark->less, "the document has a second DOCTYPE");
    mark->has_doctype = true;
    mark->tag_is_open = false;
    mark->n_keyword = 1;
    mark->state = BM_STATE_DOCTYPE_OPEN;
    return true;
}

static bool in_keyword(struct bm_mark *mark, uint32_t c, uint64_t at, const char *keyword,
                       enum bm_mark_state after) {
    if (c != (uint32_t)keyword[mark->n_keyword]) return fail_doctype(mark, at, keyword);
    if (keyword[++mark->n_keyword] == '\0') mark->state = (uint8_t)after;
    return true;
}

static bool in_required_space(struct bm_mark *mark, uint32_t c, uint64_t at, enum bm_mark_state after) {
    if (!bm_mark_is_space(c)) return fail_doctype(mark, at, "white space");
    mark->state = (uint8_t)after;
    return true;
}

static bool in_doctype_before_name(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (!bm_mark_is_name_start(c)) return fail_doctype(mark, at, "a name");
    mark->state = BM_STATE_DOCTYPE_NAME;
    return bm_mark_name_begin(mark, c, at);
}

static bool in_doctype_end(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (c == '[') {
        return bm_mark_fail(mark, at,
                            "the DOCTYPE has an internal subset, which is refused: nothing is ever expanded");
    }
    if (c != '>') return fail_doctype(mark, at, "'>'");
    mark->state = BM_STATE_TEXT;
    return true;
}

static bool in_doctype_after_name(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (c == 'S' || c == 'P') {
        mark->is_public = c == 'P';
        mark->n_keyword = 1;
        mark->state = BM_STATE_DOCTYPE_KEYWORD;
        return true;
    }
    return in_doctype_end(mark, c, at);
}

static bool in_doctype_name(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (bm_mark_is_name(c)) return bm_mark_name_add(mark, c, at);
    if (bm_mark_is_space(c)) {
        mark->state = BM_STATE_DOCTYPE_AFTER_NAME;
        return true;
    }
    return in_doctype_end(mark, c, at);
}

static bool in_doctype_before_id(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (c != '"' && c != '\'') return fail_doctype(mark, at, "an identifier in quotes");
    mark->quote = (uint8_t)c;
    mark->state = mark->is_public ? BM_STATE_DOCTYPE_PUBLIC : BM_STATE_DOCTYPE_SYSTEM;
    return true;
}

/* [13] */
static bool in_doctype_public(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (c == mark->quote) {
        mark->state = BM_STATE_DOCTYPE_PUBLIC_SPACE;
        mark->is_public = false; /* what follows is the system identifier */
        return true;
    }
    bool is_letter_or_digit = c < 128 && (bm_mark_class[c] & BM_CLASS_NAME) != 0;
    if (c == ' ' || c == '\r' || c == '\n' || is_letter_or_digit) return true;
    if (c < 128 && c > 0 && strchr("'()+,/=?;!*#@$%", (int)c) != NULL) return true;
    return fail_doctype(mark, at, "a character of a public identifier");
}

static bool in_doctype_system(struct bm_mark *mark, uint32_t c) {
    if (c == mark->quote) mark->state = BM_STATE_DOCTYPE_END;
    return true;
}

bool bm_mark_in_doctype(struct bm_mark *mark, uint32_t c, uint64_t at) {
    switch (mark->state) {
    case BM_STATE_BANG:
        return begin_doctype(mark);
    case BM_STATE_DOCTYPE_OPEN:
        return in_keyword(mark, c, at, "DOCTYPE", BM_STATE_DOCTYPE_SPACE);
    case BM_STATE_DOCTYPE_SPACE:
        return in_required_space(mark, c, at, BM_STATE_DOCTYPE_BEFORE_NAME);
    case BM_STATE_DOCTYPE_BEFORE_NAME:
        return in_doctype_before_name(mark, c, at);
    case BM_STATE_DOCTYPE_NAME:
        return in_doctype_name(mark, c, at);
    case BM_STATE_DOCTYPE_AFTER_NAME:
        return in_doctype_after_name(mark, c, at);
    case BM_STATE_DOCTYPE_KEYWORD:
        return in_keyword(mark, c, at, mark->is_public ? "PUBLIC" : "SYSTEM", BM_STATE_DOCTYPE_KEYWORD_SPACE);
    case BM_STATE_DOCTYPE_KEYWORD_SPACE:
    case BM_STATE_DOCTYPE_PUBLIC_SPACE:
        return in_required_space(mark, c, at, BM_STATE_DOCTYPE_BEFORE_ID);
    case BM_STATE_DOCTYPE_BEFORE_ID:
        return in_doctype_before_id(mark, c, at);
    case BM_STATE_DOCTYPE_PUBLIC:
        return in_doctype_public(mark, c, at);
    case BM_STATE_DOCTYPE_SYSTEM:
        return in_doctype_system(mark, c);
    default:
        return in_doctype_end(mark, c, at);
    }
}
