/* SPDX-License-Identifier: MIT */
/*
 * Bytes -> characters.
 *
 * UTF-8 is decoded by RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF. Decoding goes from
 * left to right. If a complete, valid sequence begins at a byte, it is a character. Otherwise that one byte
 * is not UTF-8, and decoding continues at the next byte. So the first two bytes of "e2 82 41" are not UTF-8
 * (the second begins nothing), and 41 is an A.
 */
#include "mark/xml/xml.h"

#include <string.h>

bool bm_mark_xml_may_hold_bad(const struct bm_mark_xml *xml) {
    switch (xml->state) {
    case BM_STATE_TEXT:
        return xml->phase == BM_PHASE_ROOT;
    case BM_STATE_ATTRIBUTE_VALUE:
    case BM_STATE_COMMENT:
    case BM_STATE_COMMENT_DASH:
    case BM_STATE_CDATA:
    case BM_STATE_CDATA_BRACKET:
    case BM_STATE_CDATA_CLOSE:
    case BM_STATE_PI:
    case BM_STATE_PI_CLOSE:
        return true;
    default:
        return false;
    }
}

/* A byte that is not UTF-8. */
static bool take_bad_byte(struct bm_mark_xml *xml, uint8_t byte, uint64_t at) {
    if (xml->mark.invalid_utf8 == BLASTMERGE_INVALID_UTF8_ERROR) {
        return bm_mark_fail(&xml->mark, at,
                            "the byte 0x%02x here is not UTF-8, the encoding of the document; --invalid-utf8 "
                            "latin1 converts it, --invalid-utf8 keep copies it",
                            byte);
    }
    if (!bm_mark_xml_may_hold_bad(xml)) {
        return bm_mark_fail(&xml->mark, at, "the byte 0x%02x, which is not UTF-8, is not allowed here", byte);
    }
    if (!bm_mark_xml_take_character(xml, BM_MARK_BAD_BYTE, at)) return false;
    xml->mark.counts.n_invalid_bytes++;
    return xml->mark.invalid_utf8 == BLASTMERGE_INVALID_UTF8_KEEP ||
           bm_mark_xml_add_character(xml, at, at + 1, byte);
}

/* The bytes of a sequence that does not become a character. */
static bool drop_sequence(struct bm_mark_xml *xml) {
    uint8_t n_pending = xml->utf8.n;
    uint64_t at = xml->mark.position - n_pending;
    xml->utf8.n = 0;
    for (uint8_t i = 0; i < n_pending; i++) {
        if (!take_bad_byte(xml, xml->utf8.bytes[i], at + i)) return false;
    }
    return true;
}

static bool take_utf8(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->utf8.n > 0) {
        if (bm_utf8_continue(&xml->utf8, byte)) {
            if (xml->utf8.n_missing > 0) return true;
            uint64_t at = xml->mark.position + 1 - xml->utf8.n;
            xml->utf8.n = 0;
            return bm_mark_xml_take_character(xml, xml->utf8.code_point, at);
        }
        if (!drop_sequence(xml)) return false;
    }
    if (byte < 0x80) return bm_mark_xml_take_character(xml, byte, xml->mark.position);
    return bm_utf8_begin(&xml->utf8, byte) || take_bad_byte(xml, byte, xml->mark.position);
}

static bool take_single_byte(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->phase == BM_PHASE_EPILOG && xml->state == BM_STATE_LESS) { /* the next document's root */
        bm_mark_xml_begin_document(xml, xml->less);
        return take_utf8(xml, byte);
    }
    uint32_t c = bm_mark_xml_decode((enum bm_mark_xml_encoding)xml->encoding, byte);
    if (c == 0) {
        return bm_mark_fail(
            &xml->mark, xml->mark.position,
            "the byte 0x%02x is not a character of %s, the encoding that the document declares", byte,
            bm_mark_xml_encoding_name((enum bm_mark_xml_encoding)xml->encoding));
    }
    return bm_mark_xml_take_character(xml, c, xml->mark.position) &&
           bm_mark_xml_add_character(xml, xml->mark.position, xml->mark.position + 1, c);
}

/* Before the first '<' bytes are looked at as such. After the root, in whatever encoding that document
 * was, a byte order mark begins the next one. */
static bool is_before_characters(const struct bm_mark_xml *xml, uint8_t byte) {
    return xml->state <= BM_STATE_SAMPLE ||
           (byte >= 0x80 && xml->state == BM_STATE_TEXT && xml->phase == BM_PHASE_EPILOG);
}

static bool take_byte(struct bm_mark_xml *xml, uint8_t byte) {
    bool is_taken;
    if (byte == '\n' || byte == '\r') xml->newline_seen = true;
    if (xml->is_watching && !bm_mark_xml_place_bytes(xml, byte)) return false;
    if (is_before_characters(xml, byte)) {
        is_taken = bm_mark_xml_in_start(xml, byte);
    } else if (xml->encoding == BM_ENCODING_UTF8) {
        is_taken = take_utf8(xml, byte);
    } else if (byte < 0x80) {
        is_taken = bm_mark_xml_take_character(xml, byte, xml->mark.position);
    } else {
        is_taken = take_single_byte(xml, byte);
    }
    if (is_taken) xml->mark.position++;
    return is_taken;
}

/* --- plain runs ------------------------------------------------------------------------------ */

/* Whether an ASCII byte that no such state looks for would change nothing but the position. White space
 * matters between Iterations, and before an Iteration's number. */
static bool is_in_plain(const struct bm_mark_xml *xml) {
    switch (xml->state) {
    case BM_STATE_TEXT:
    case BM_STATE_COMMENT:
    case BM_STATE_CDATA:
    case BM_STATE_ATTRIBUTE_VALUE:
    case BM_STATE_PI:
        return xml->in_iteration && xml->first_seen && !xml->names_are_due && !xml->extra_is_ending &&
               !xml->is_watching && xml->utf8.n == 0;
    default:
        return false;
    }
}

static size_t skip_plain(struct bm_mark_xml *xml, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && text[n] < 128 && (bm_mark_xml_class[text[n]] & BM_CLASS_PLAIN) != 0) n++;
    xml->mark.position += n;
    if (n > 0) xml->n_brackets = 0;
    return n;
}

/* ASCII characters of a name that has begun. */
static size_t take_name(struct bm_mark_xml *xml, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    size_t n_room = BM_MARK_MAX_NAME - (size_t)xml->n_name;
    while (n < n_text && n < n_room && text[n] < 128 && (bm_mark_xml_class[text[n]] & BM_CLASS_NAME) != 0)
        n++;
    memcpy(xml->name + xml->n_name, text, n);
    xml->n_name = (uint16_t)(xml->n_name + n);
    xml->mark.position += n;
    return n;
}

static bool is_in_name(const struct bm_mark_xml *xml) {
    bool is_name = xml->state == BM_STATE_START_NAME || xml->state == BM_STATE_END_NAME ||
                   xml->state == BM_STATE_ATTRIBUTE_NAME;
    return is_name && !xml->in_megablast && xml->utf8.n == 0;
}

/* The judge's own shortcut, beside the walk: runs of which each byte would do the same. */
static size_t take_run(struct bm_mark_xml *xml, const uint8_t *text, size_t n_text) {
    if (is_in_plain(xml)) return skip_plain(xml, text, n_text);
    return is_in_name(xml) ? take_name(xml, text, n_text) : 0;
}

size_t bm_mark_xml_take(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    struct bm_mark_xml *xml = (struct bm_mark_xml *)mark;
    size_t n = xml->window.walk == NULL ? 0 : take_run(xml, text, n_text);
    if (n > 0) return n;
    return take_byte(xml, *text) ? 1 : 0;
}
