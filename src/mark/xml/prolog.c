/* SPDX-License-Identifier: MIT */
/*
 * The text outside the root: where documents begin and end, byte order marks, the XML declaration's borders,
 * DOCTYPE. Also describes a text that is not XML.
 */
#include "mark/xml/xml.h"

#include <string.h>

/* --- documents' borders ---------------------------------------------------------------------- */

/* A document begins; in the epilogue of another one, that one ends. */
void bm_mark_xml_begin_document(struct bm_mark_xml *xml, uint64_t at) {
    if (xml->phase == BM_PHASE_EPILOG) bm_mark_xml_end_document(xml, at);
    bm_mark_add(&xml->mark, BM_MARK_DOCUMENT, at);
    xml->mark.counts.n_documents++;
    bm_mark_begin_digest(&xml->mark);
    xml->phase = BM_PHASE_PROLOG;
    xml->encoding = BM_ENCODING_UTF8;
    xml->has_bom = false;
    xml->has_doctype = false;
    xml->iterations_seen = false;
    xml->database_seen = false;
    xml->declaration_is_open = true;
    xml->declaration_at = at;
}

void bm_mark_xml_end_document(struct bm_mark_xml *xml, uint64_t at) {
    bm_mark_add_document_end(&xml->mark, at);
}

void bm_mark_xml_no_declaration(struct bm_mark_xml *xml) {
    if (!xml->declaration_is_open) return;
    xml->declaration_is_open = false;
    bm_mark_add(&xml->mark, BM_MARK_NO_DECLARATION, xml->declaration_at);
}

/* --- what is not XML ------------------------------------------------------------------------- */

bool bm_mark_xml_fail_sample(struct bm_mark_xml *xml) {
    return xml->mark.look(&xml->mark, xml->less, xml->declaration, xml->n_declaration,
                          ": a '<' was expected here");
}

/* Bytes are collected so that the message does not depend on how they came. */
static bool begin_sample(struct bm_mark_xml *xml, uint8_t byte, uint64_t at) {
    xml->less = at;
    xml->declaration[0] = (char)byte;
    xml->n_declaration = 1;
    xml->state = BM_STATE_SAMPLE;
    return true;
}

static bool in_sample(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->n_declaration == BM_MARK_MAX_SAMPLE) return bm_mark_xml_fail_sample(xml);
    xml->declaration[xml->n_declaration++] = (char)byte;
    return true;
}

/* --- byte order marks ------------------------------------------------------------------------ */

/* A text's first byte, or one beyond ASCII after a root element. */
static bool in_first_byte(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->phase == BM_PHASE_PROLOG) bm_mark_xml_begin_document(xml, xml->mark.position);
    if (byte == 0xef) {
        xml->less = xml->mark.position;
        xml->tag_is_open = xml->phase == BM_PHASE_EPILOG;
        xml->state = BM_STATE_BOM_2;
        return true;
    }
    if (xml->phase == BM_PHASE_EPILOG) return bm_mark_xml_outside_text(xml, byte, xml->mark.position);
    if (byte != '<' && !bm_mark_is_space(byte)) return begin_sample(xml, byte, xml->mark.position);
    xml->state = BM_STATE_TEXT;
    return bm_mark_xml_take_character(xml, byte, xml->mark.position);
}

static bool in_byte_order_mark(struct bm_mark_xml *xml, uint8_t byte) {
    if (byte != (xml->state == BM_STATE_BOM_2 ? 0xbb : 0xbf)) {
        return bm_mark_fail(&xml->mark, xml->less,
                            "the bytes here are neither XML nor UTF-8's byte order mark");
    }
    if (xml->state == BM_STATE_BOM_2) {
        xml->state = BM_STATE_BOM_3;
        return true;
    }
    if (xml->phase == BM_PHASE_EPILOG) bm_mark_xml_begin_document(xml, xml->less);
    bm_mark_add(&xml->mark, BM_MARK_BOM, xml->less)->end = xml->mark.position + 1;
    xml->has_bom = true;
    xml->tag_is_open = false;
    xml->declaration_at = xml->mark.position + 1;
    xml->state = BM_STATE_TEXT;
    return true;
}

bool bm_mark_xml_in_start(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->state == BM_STATE_SAMPLE) return in_sample(xml, byte);
    if (xml->state == BM_STATE_BOM_2 || xml->state == BM_STATE_BOM_3) return in_byte_order_mark(xml, byte);
    return in_first_byte(xml, byte);
}

/* Anything but a '<' outside of the root. */
bool bm_mark_xml_outside_text(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) {
        bm_mark_xml_no_declaration(xml);
        return true;
    }
    if (xml->phase == BM_PHASE_EPILOG) {
        return bm_mark_fail(&xml->mark, at,
                            "the document's root element has ended; only white space, comments, processing "
                            "instructions or another document can follow");
    }
    if (c < 0x80 && !xml->has_doctype) return begin_sample(xml, (uint8_t)c, at);
    return bm_mark_fail(
        &xml->mark, at,
        "only white space, comments and processing instructions are allowed before the root element");
}

/* --- the XML declaration --------------------------------------------------------------------- */

static bool end_declaration(struct bm_mark_xml *xml, uint64_t after) {
    if (!bm_mark_xml_read_declaration(xml)) return false;
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_DECLARATION, xml->declaration_at);
    entry->end = after;
    if (xml->encoding != BM_ENCODING_UTF8) entry->flags = BM_MARK_CONVERTED;
    xml->declaration_is_open = false;
    xml->state = BM_STATE_TEXT;
    return true;
}

bool bm_mark_xml_in_declaration(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c >= 0x80) return bm_mark_fail(&xml->mark, at, "the XML declaration can only hold ASCII characters");
    if (c == '<')
        return bm_mark_fail(&xml->mark, at,
                            "the XML declaration is wrong: its end \"?>\" was expected before this '<'");
    if (xml->n_declaration == BM_MARK_MAX_DECLARATION) {
        return bm_mark_fail(&xml->mark, at, "the XML declaration is longer than %d bytes",
                            BM_MARK_MAX_DECLARATION);
    }
    xml->declaration[xml->n_declaration++] = (char)c;
    if (c != '>' || xml->declaration[xml->n_declaration - 2] != '?') return true;
    return end_declaration(xml, at + 1);
}

/* --- DOCTYPE, [28] without the internal subset, [75], [11], [12] ----------------------------- */

static bool fail_doctype(struct bm_mark_xml *xml, uint64_t at, const char *expected) {
    return bm_mark_fail(&xml->mark, at, "the DOCTYPE is wrong: %s was expected here", expected);
}

static bool begin_doctype(struct bm_mark_xml *xml) {
    if (xml->phase == BM_PHASE_EPILOG) bm_mark_xml_begin_document(xml, xml->less);
    bm_mark_xml_no_declaration(xml);
    if (xml->has_doctype) return bm_mark_fail(&xml->mark, xml->less, "the document has a second DOCTYPE");
    xml->has_doctype = true;
    xml->tag_is_open = false;
    xml->n_keyword = 1;
    xml->state = BM_STATE_DOCTYPE_OPEN;
    return true;
}

static bool in_keyword(struct bm_mark_xml *xml, uint32_t c, uint64_t at, const char *keyword,
                       enum bm_mark_xml_state after) {
    if (c != (uint32_t)keyword[xml->n_keyword]) return fail_doctype(xml, at, keyword);
    if (keyword[++xml->n_keyword] == '\0') xml->state = (uint8_t)after;
    return true;
}

static bool in_required_space(struct bm_mark_xml *xml, uint32_t c, uint64_t at,
                              enum bm_mark_xml_state after) {
    if (!bm_mark_is_space(c)) return fail_doctype(xml, at, "white space");
    xml->state = (uint8_t)after;
    return true;
}

static bool in_doctype_before_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (!bm_mark_xml_is_name_start(c)) return fail_doctype(xml, at, "a name");
    xml->state = BM_STATE_DOCTYPE_NAME;
    return bm_mark_xml_name_begin(xml, c, at);
}

static bool in_doctype_end(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (c == '[') {
        return bm_mark_fail(&xml->mark, at,
                            "the DOCTYPE has an internal subset, which is refused: nothing is ever expanded");
    }
    if (c != '>') return fail_doctype(xml, at, "'>'");
    xml->state = BM_STATE_TEXT;
    return true;
}

static bool in_doctype_after_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == 'S' || c == 'P') {
        xml->is_public = c == 'P';
        xml->n_keyword = 1;
        xml->state = BM_STATE_DOCTYPE_KEYWORD;
        return true;
    }
    return in_doctype_end(xml, c, at);
}

static bool in_doctype_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_xml_is_name(c)) return bm_mark_xml_name_add(xml, c, at);
    if (bm_mark_is_space(c)) {
        xml->state = BM_STATE_DOCTYPE_AFTER_NAME;
        return true;
    }
    return in_doctype_end(xml, c, at);
}

static bool in_doctype_before_id(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (c != '"' && c != '\'') return fail_doctype(xml, at, "an identifier in quotes");
    xml->quote = (uint8_t)c;
    xml->state = xml->is_public ? BM_STATE_DOCTYPE_PUBLIC : BM_STATE_DOCTYPE_SYSTEM;
    return true;
}

/* [13] */
static bool in_doctype_public(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == xml->quote) {
        xml->state = BM_STATE_DOCTYPE_PUBLIC_SPACE;
        xml->is_public = false; /* what follows is the system identifier */
        return true;
    }
    bool is_letter_or_digit = c < 128 && (bm_mark_xml_class[c] & BM_CLASS_NAME) != 0;
    if (c == ' ' || c == '\r' || c == '\n' || is_letter_or_digit) return true;
    if (c < 128 && c > 0 && strchr("'()+,/=?;!*#@$%", (int)c) != NULL) return true;
    return fail_doctype(xml, at, "a character of a public identifier");
}

static bool in_doctype_system(struct bm_mark_xml *xml, uint32_t c) {
    if (c == xml->quote) xml->state = BM_STATE_DOCTYPE_END;
    return true;
}

bool bm_mark_xml_in_doctype(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    switch (xml->state) {
    case BM_STATE_BANG:
        return begin_doctype(xml);
    case BM_STATE_DOCTYPE_OPEN:
        return in_keyword(xml, c, at, "DOCTYPE", BM_STATE_DOCTYPE_SPACE);
    case BM_STATE_DOCTYPE_SPACE:
        return in_required_space(xml, c, at, BM_STATE_DOCTYPE_BEFORE_NAME);
    case BM_STATE_DOCTYPE_BEFORE_NAME:
        return in_doctype_before_name(xml, c, at);
    case BM_STATE_DOCTYPE_NAME:
        return in_doctype_name(xml, c, at);
    case BM_STATE_DOCTYPE_AFTER_NAME:
        return in_doctype_after_name(xml, c, at);
    case BM_STATE_DOCTYPE_KEYWORD:
        return in_keyword(xml, c, at, xml->is_public ? "PUBLIC" : "SYSTEM", BM_STATE_DOCTYPE_KEYWORD_SPACE);
    case BM_STATE_DOCTYPE_KEYWORD_SPACE:
    case BM_STATE_DOCTYPE_PUBLIC_SPACE:
        return in_required_space(xml, c, at, BM_STATE_DOCTYPE_BEFORE_ID);
    case BM_STATE_DOCTYPE_BEFORE_ID:
        return in_doctype_before_id(xml, c, at);
    case BM_STATE_DOCTYPE_PUBLIC:
        return in_doctype_public(xml, c, at);
    case BM_STATE_DOCTYPE_SYSTEM:
        return in_doctype_system(xml, c);
    default:
        return in_doctype_end(xml, c, at);
    }
}
