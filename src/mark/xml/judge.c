/* SPDX-License-Identifier: MIT */
/*
 * The judge checks, character by character, that the text is well-formed. A table has one function for each
 * state; the function reads one character and sets the next state. The rules are XML 1.0, fifth edition;
 * numbers in brackets are its productions. All states inside the root are in this file, 600 lines, because
 * they lead to each other.
 */
#include "base/entity.h"
#include "mark/xml/xml.h"

#include <string.h>

/* --- characters in messages ------------------------------------------------------------------ */

enum { SHOWN_CHARACTER = 16 };

static const char *show_character(uint32_t c, char shown[SHOWN_CHARACTER]) {
    static const char digits[] = "0123456789ABCDEF";
    if (c > 0x20 && c < 0x7f) {
        memcpy(shown, "'?'", 4);
        shown[1] = (char)c;
    } else if (c == ' ') {
        memcpy(shown, "a blank", 8);
    } else if (c == '\n' || c == '\r') {
        memcpy(shown, "a line's end", 13);
    } else {
        memcpy(shown, "U+000000", 9);
        for (int i = 0; i < 6; i++) shown[7 - i] = digits[c >> (4 * i) & 15];
    }
    return shown;
}

static bool fail_expected(struct bm_mark_xml *xml, uint32_t c, uint64_t at, const char *expected) {
    char shown[SHOWN_CHARACTER];
    return bm_mark_fail(&xml->mark, at, "%s was expected here, not %s", expected, show_character(c, shown));
}

/* What helps where a character is the only fault. */
#define REMEDY "; --forbidden-characters replace writes U+FFFD in its place (and keep copies it)"

/* [2], for what the decoder lets through. */
static bool is_legal(uint32_t c) {
    return c >= 0x20 ? c != 0xfffe && c != 0xffff && (c < 0xd800 || c > 0xdfff) : bm_mark_is_space(c);
}

/* A character that XML forbids, which may be let through: as what is no character, no blank, no name. */
static bool take_forbidden(struct bm_mark_xml *xml, uint64_t at, uint64_t end) {
    if (xml->mark.counts.n_forbidden++ == 0) xml->mark.counts.first_forbidden = at;
    return xml->mark.forbidden == BLASTMERGE_FORBIDDEN_KEEP ||
           bm_mark_xml_add_character(xml, at, end, 0xfffd);
}

static bool go(struct bm_mark_xml *xml, enum bm_mark_xml_state state) {
    xml->state = (uint8_t)state;
    return true;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Adds a character to the current name, in UTF-8, whatever the document is in. */
bool bm_mark_xml_name_add(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    char bytes[4];
    uint8_t n_bytes = 0;
    if (c < 0x80) {
        bytes[n_bytes++] = (char)c;
    } else {
        if (c < 0x800) {
            bytes[n_bytes++] = (char)(0xc0 | c >> 6);
        } else if (c < 0x10000) {
            bytes[n_bytes++] = (char)(0xe0 | c >> 12);
            bytes[n_bytes++] = (char)(0x80 | (c >> 6 & 0x3f));
        } else {
            bytes[n_bytes++] = (char)(0xf0 | c >> 18);
            bytes[n_bytes++] = (char)(0x80 | (c >> 12 & 0x3f));
            bytes[n_bytes++] = (char)(0x80 | (c >> 6 & 0x3f));
        }
        bytes[n_bytes++] = (char)(0x80 | (c & 0x3f));
    }
    if (xml->n_name + n_bytes > BM_MARK_MAX_NAME) {
        return bm_mark_fail(&xml->mark, at, "a name here is longer than %d bytes", BM_MARK_MAX_NAME);
    }
    memcpy(xml->name + xml->n_name, bytes, n_bytes);
    xml->n_name = (uint16_t)(xml->n_name + n_bytes);
    return true;
}

bool bm_mark_xml_name_begin(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    xml->n_name = 0;
    return bm_mark_xml_name_add(xml, c, at);
}

/* --- text and references --------------------------------------------------------------------- */

static bool begin_reference(struct bm_mark_xml *xml, uint64_t at, enum bm_mark_xml_state after) {
    xml->reference_at = at;
    xml->reference_return = (uint8_t)after;
    return go(xml, BM_STATE_REFERENCE);
}

static bool begin_markup(struct bm_mark_xml *xml, uint64_t at) {
    xml->less = at;
    xml->tag_is_open = xml->depth < BM_DEPTH_NUMBER || (xml->in_number && xml->depth == BM_DEPTH_NUMBER);
    xml->newline_before = xml->newline_seen;
    return go(xml, BM_STATE_LESS);
}

/* [14]: text in the root. */
static bool in_text(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (xml->phase != BM_PHASE_ROOT && c != '<') return bm_mark_xml_outside_text(xml, c, at);
    uint8_t n_brackets = xml->n_brackets;
    xml->n_brackets = 0;
    if (xml->depth < BM_DEPTH_NUMBER) bm_mark_xml_place_text(xml, c, at);
    if (c == '<') return begin_markup(xml, at);
    if (c == '&') return begin_reference(xml, at, BM_STATE_TEXT);
    if (c == ']') xml->n_brackets = n_brackets < 2 ? (uint8_t)(n_brackets + 1) : 2;
    if (c == '>' && n_brackets == 2) {
        return bm_mark_fail(&xml->mark, at, "\"]]>\" is not allowed in text; it is written \"]]&gt;\"");
    }
    return true;
}

static bool in_reference(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '#') return go(xml, BM_STATE_REFERENCE_NUMBER);
    if (bm_mark_xml_is_name_start(c)) {
        xml->state = BM_STATE_REFERENCE_NAME;
        return bm_mark_xml_name_begin(xml, c, at);
    }
    return bm_mark_fail(&xml->mark, xml->reference_at,
                        "the '&' here does not begin a reference; a literal '&' is written &amp;");
}

static bool end_reference_name(struct bm_mark_xml *xml) {
    char shown[BM_MARK_SHOWN_NAME];
    if (bm_entity_find(xml->name, xml->n_name) != '\0') return go(xml, xml->reference_return);
    return bm_mark_fail(
        &xml->mark, xml->reference_at,
        "the entity reference &%s; is not declared: only &lt; &gt; &amp; &apos; and &quot; are",
        bm_mark_xml_show(xml->name, xml->n_name, shown));
}

static bool in_reference_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    char shown[BM_MARK_SHOWN_NAME];
    if (c == ';') return end_reference_name(xml);
    if (bm_mark_xml_is_name(c) && xml->n_name < BM_MARK_MAX_REFERENCE)
        return bm_mark_xml_name_add(xml, c, at);
    return bm_mark_fail(&xml->mark, xml->reference_at,
                        "the reference &%s is not ended by ';'; a literal '&' is written &amp;",
                        bm_mark_xml_show(xml->name, xml->n_name, shown));
}

static bool fail_reference_number(struct bm_mark_xml *xml) {
    return bm_mark_fail(&xml->mark, xml->reference_at,
                        "the character reference here is not &#digits; or &#xdigits;");
}

static bool in_reference_number(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    if (c == 'x') return go(xml, BM_STATE_REFERENCE_HEX_FIRST);
    if (c < '0' || c > '9') return fail_reference_number(xml);
    xml->reference = c - '0';
    return go(xml, BM_STATE_REFERENCE_DECIMAL);
}

/* At its ';'. */
static bool end_reference_number(struct bm_mark_xml *xml, uint64_t at) {
    bool is_legal_one = xml->reference < BM_MARK_BAD_BYTE && is_legal(xml->reference);
    xml->state = xml->reference_return;
    if (is_legal_one) return true;
    if (xml->mark.forbidden == BLASTMERGE_FORBIDDEN_ERROR)
        return bm_mark_fail(&xml->mark, xml->reference_at,
                            "the character reference here is not a legal character" REMEDY);
    if (at - xml->reference_at >= BM_MARK_MAX_FORBIDDEN)
        return bm_mark_fail(
            &xml->mark, xml->reference_at,
            "the character reference here is not a legal character, and is longer than %d bytes",
            BM_MARK_MAX_FORBIDDEN);
    return take_forbidden(xml, xml->reference_at, at + 1);
}

/* Values beyond all characters stay there, so that nothing overflows. */
static bool add_reference_digit(struct bm_mark_xml *xml, uint32_t base, uint32_t digit) {
    xml->reference = xml->reference * base + digit;
    if (xml->reference > BM_MARK_BAD_BYTE) xml->reference = BM_MARK_BAD_BYTE;
    return true;
}

static bool in_reference_decimal(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == ';') return end_reference_number(xml, at);
    if (c >= '0' && c <= '9') return add_reference_digit(xml, 10, c - '0');
    return fail_reference_number(xml);
}

static bool in_reference_hex(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == ';' && xml->state == BM_STATE_REFERENCE_HEX) return end_reference_number(xml, at);
    if (xml->state == BM_STATE_REFERENCE_HEX_FIRST) xml->reference = 0;
    xml->state = BM_STATE_REFERENCE_HEX;
    if (c >= '0' && c <= '9') return add_reference_digit(xml, 16, c - '0');
    if (c >= 'a' && c <= 'f') return add_reference_digit(xml, 16, c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return add_reference_digit(xml, 16, c - 'A' + 10);
    return fail_reference_number(xml);
}

/* --- tags ------------------------------------------------------------------------------------ */

static bool begin_start_tag(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (xml->phase == BM_PHASE_EPILOG) bm_mark_xml_begin_document(xml, xml->less);
    bm_mark_xml_no_declaration(xml);
    xml->n_attributes = 0;
    xml->n_attribute_bytes = 0;
    xml->state = BM_STATE_START_NAME;
    return bm_mark_xml_name_begin(xml, c, at);
}

static bool begin_instruction(struct bm_mark_xml *xml) {
    if (xml->phase == BM_PHASE_ROOT) bm_mark_xml_inner_markup(xml);
    return go(xml, BM_STATE_PI_FIRST);
}

static bool in_less(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '/' && xml->depth > 0) {
        bm_mark_xml_end_begun(xml);
        return go(xml, BM_STATE_END_FIRST);
    }
    if (c == '!') return go(xml, BM_STATE_BANG);
    if (c == '?') return begin_instruction(xml);
    if (bm_mark_xml_is_name_start(c)) return begin_start_tag(xml, c, at);
    if (c == '/') return bm_mark_fail(&xml->mark, xml->less, "there is no open element for an end tag here");
    return fail_expected(xml, c, at, "a name, '/', '!' or '?' after the '<' (a '<' in text is written &lt;)");
}

static bool end_start_tag(struct bm_mark_xml *xml, uint64_t at, bool is_empty) {
    xml->state = BM_STATE_TEXT;
    return bm_mark_xml_start_done(xml, at + 1, is_empty);
}

static bool in_start_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_xml_is_name(c)) return bm_mark_xml_name_add(xml, c, at);
    if (c != '>' && c != '/' && !bm_mark_is_space(c))
        return fail_expected(xml, c, at, "the tag's name, white space or '>'");
    if (!bm_mark_xml_start_named(xml)) return false;
    if (c == '>') return end_start_tag(xml, at, false);
    return go(xml, c == '/' ? BM_STATE_TAG_EMPTY : BM_STATE_TAG_SPACE);
}

static bool in_tag_next(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '>') return end_start_tag(xml, at, false);
    if (c == '/') return go(xml, BM_STATE_TAG_EMPTY);
    if (bm_mark_is_space(c)) return go(xml, BM_STATE_TAG_SPACE);
    return fail_expected(xml, c, at, "white space, '/' or '>' after an attribute");
}

static bool in_tag_space(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '>') return end_start_tag(xml, at, false);
    if (c == '/') return go(xml, BM_STATE_TAG_EMPTY);
    if (bm_mark_is_space(c)) return true;
    if (!bm_mark_xml_is_name_start(c)) return fail_expected(xml, c, at, "an attribute, '/' or '>'");
    xml->attribute_at = at;
    xml->state = BM_STATE_ATTRIBUTE_NAME;
    return bm_mark_xml_name_begin(xml, c, at);
}

static bool in_tag_empty(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '>') return end_start_tag(xml, at, true);
    return fail_expected(xml, c, at, "'>' after the '/'");
}

static uint32_t hash_name(const struct bm_mark_xml *xml) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < xml->n_name; i++) hash = (hash ^ (uint8_t)xml->name[i]) * 16777619u;
    return hash;
}

static bool is_attribute(const struct bm_mark_xml *xml, size_t i) {
    uint16_t begin = i == 0 ? 0 : xml->attribute_ends[i - 1];
    uint16_t length = (uint16_t)(xml->attribute_ends[i] - begin);
    return length == xml->n_name && memcmp(xml->attribute_bytes + begin, xml->name, length) == 0;
}

/* The constraint "Unique Att Spec": the current name joins the tag's attributes. */
static bool add_attribute(struct bm_mark_xml *xml) {
    char shown[BM_MARK_SHOWN_NAME];
    uint32_t hash = hash_name(xml);
    for (size_t i = 0; i < xml->n_attributes; i++) {
        if (xml->attribute_hashes[i] != hash || !is_attribute(xml, i)) continue;
        return bm_mark_fail(&xml->mark, xml->attribute_at, "the tag has the attribute %s twice",
                            bm_mark_xml_show(xml->name, xml->n_name, shown));
    }
    if (xml->n_attributes == BM_MARK_MAX_ATTRIBUTES ||
        xml->n_attribute_bytes + xml->n_name > BM_MARK_MAX_ATTRIBUTE_BYTES) {
        return bm_mark_fail(&xml->mark, xml->attribute_at,
                            "the tag has more than %d attributes, or their names have more than %d bytes",
                            BM_MARK_MAX_ATTRIBUTES, BM_MARK_MAX_ATTRIBUTE_BYTES);
    }
    memcpy(xml->attribute_bytes + xml->n_attribute_bytes, xml->name, xml->n_name);
    xml->n_attribute_bytes = (uint16_t)(xml->n_attribute_bytes + xml->n_name);
    xml->attribute_hashes[xml->n_attributes] = hash;
    xml->attribute_ends[xml->n_attributes++] = xml->n_attribute_bytes;
    return true;
}

static bool in_attribute_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_xml_is_name(c)) return bm_mark_xml_name_add(xml, c, at);
    if (c == '=') {
        xml->state = BM_STATE_ATTRIBUTE_QUOTE;
        return add_attribute(xml);
    }
    if (bm_mark_is_space(c)) {
        xml->state = BM_STATE_ATTRIBUTE_EQUALS;
        return add_attribute(xml);
    }
    return fail_expected(xml, c, at, "'=' after the attribute's name");
}

static bool in_attribute_equals(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '=') return go(xml, BM_STATE_ATTRIBUTE_QUOTE);
    return bm_mark_is_space(c) || fail_expected(xml, c, at, "'=' after the attribute's name");
}

static bool in_attribute_quote(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_is_space(c)) return true;
    if (c != '"' && c != '\'') return fail_expected(xml, c, at, "an attribute's value in quotes");
    xml->quote = (uint8_t)c;
    if (!xml->in_iterations) bm_mark_xml_scope_begin(xml);
    return go(xml, BM_STATE_ATTRIBUTE_VALUE);
}

/* [10] */
static bool in_attribute_value(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == xml->quote) {
        bm_mark_xml_scope_end(xml, at + 1);
        return go(xml, BM_STATE_TAG_NEXT);
    }
    if (c == '&') return begin_reference(xml, at, BM_STATE_ATTRIBUTE_VALUE);
    return c != '<' ||
           bm_mark_fail(&xml->mark, at, "a '<' is not allowed in an attribute's value; it is written &lt;");
}

static bool end_end_tag(struct bm_mark_xml *xml, uint64_t at) {
    xml->state = BM_STATE_TEXT;
    return bm_mark_xml_end_done(xml, at + 1);
}

static bool check_end_name(struct bm_mark_xml *xml) {
    char shown[BM_MARK_SHOWN_NAME];
    char shown_open[BM_MARK_SHOWN_NAME];
    const struct bm_mark_xml_name *open = &xml->open_elements[xml->depth - 1];
    if (open->n_bytes == xml->n_name && memcmp(open->bytes, xml->name, xml->n_name) == 0) return true;
    return bm_mark_fail(&xml->mark, xml->less, "the end tag </%s> does not match the open element <%s>",
                        bm_mark_xml_show(xml->name, xml->n_name, shown),
                        bm_mark_xml_show(open->bytes, open->n_bytes, shown_open));
}

static bool in_end_first(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (!bm_mark_xml_is_name_start(c)) return fail_expected(xml, c, at, "the end tag's name");
    xml->state = BM_STATE_END_NAME;
    return bm_mark_xml_name_begin(xml, c, at);
}

static bool in_end_name(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_xml_is_name(c)) return bm_mark_xml_name_add(xml, c, at);
    if (c != '>' && !bm_mark_is_space(c)) return fail_expected(xml, c, at, "'>' after the end tag's name");
    if (!check_end_name(xml)) return false;
    return c == '>' ? end_end_tag(xml, at) : go(xml, BM_STATE_END_SPACE);
}

static bool in_end_space(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '>') return end_end_tag(xml, at);
    return bm_mark_is_space(c) || fail_expected(xml, c, at, "'>' after the end tag's name");
}

/* --- comments, CDATA, instructions ----------------------------------------------------------- */

static bool in_bang(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '-' || (c == '[' && xml->phase == BM_PHASE_ROOT)) {
        bm_mark_xml_no_declaration(xml);
        if (xml->phase == BM_PHASE_ROOT) bm_mark_xml_inner_markup(xml);
        xml->tag_is_open = false;
        xml->n_keyword = 0;
        return go(xml, c == '-' ? BM_STATE_COMMENT_OPEN : BM_STATE_CDATA_OPEN);
    }
    if (c == '[')
        return bm_mark_fail(&xml->mark, xml->less, "a CDATA section is only allowed inside the root element");
    if (c == 'D' && xml->phase != BM_PHASE_ROOT) return bm_mark_xml_in_doctype(xml, c, at);
    if (c == 'D')
        return bm_mark_fail(&xml->mark, xml->less, "a DOCTYPE is only allowed before the root element");
    if (c == 'd' && xml->phase == BM_PHASE_PROLOG) {
        return bm_mark_fail(&xml->mark, at, "<!DOCTYPE was expected, in capitals; this looks like HTML");
    }
    return fail_expected(xml, c, at, "a comment, CDATA section or DOCTYPE after the \"<!\"");
}

static bool in_comment_open(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    return c == '-' ? go(xml, BM_STATE_COMMENT) : fail_expected(xml, c, at, "\"<!--\"");
}

static bool in_comment(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    return c != '-' || go(xml, BM_STATE_COMMENT_DASH);
}

static bool in_comment_dash(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    return go(xml, c == '-' ? BM_STATE_COMMENT_CLOSE : BM_STATE_COMMENT);
}

static bool in_comment_close(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '>') return go(xml, BM_STATE_TEXT);
    return fail_expected(xml, c, at, "'>' after the \"--\" (which can only end a comment)");
}

static bool in_cdata_open(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    static const char keyword[] = "CDATA[";
    if (c != (uint32_t)keyword[xml->n_keyword]) return fail_expected(xml, c, at, "\"<![CDATA[\"");
    xml->n_keyword++;
    return keyword[xml->n_keyword] != '\0' || go(xml, BM_STATE_CDATA);
}

static bool in_cdata(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    return c != ']' || go(xml, BM_STATE_CDATA_BRACKET);
}

static bool in_cdata_bracket(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    return go(xml, c == ']' ? BM_STATE_CDATA_CLOSE : BM_STATE_CDATA);
}

static bool in_cdata_close(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    if (c == ']') return true;
    return go(xml, c == '>' ? BM_STATE_TEXT : BM_STATE_CDATA);
}

/* Whether the current instruction may yet be an XML declaration. */
static bool may_be_declaration(const struct bm_mark_xml *xml) {
    if (xml->phase == BM_PHASE_PROLOG) return xml->declaration_is_open && xml->declaration_at == xml->less;
    return xml->phase == BM_PHASE_EPILOG && xml->tag_is_open;
}

/* Once the target cannot be "xml" any more, this is a plain instruction. */
static void look_at_target(struct bm_mark_xml *xml) {
    if (xml->phase == BM_PHASE_ROOT) return;
    if (xml->n_name <= 3 && memcmp(xml->name, "xml", xml->n_name) == 0) return;
    bm_mark_xml_no_declaration(xml);
    xml->tag_is_open = false;
}

static bool in_pi_first(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (!bm_mark_xml_is_name_start(c))
        return fail_expected(xml, c, at, "an instruction's name after the \"<?\"");
    if (!bm_mark_xml_name_begin(xml, c, at)) return false;
    look_at_target(xml);
    return go(xml, BM_STATE_PI_TARGET);
}

/* [17] and [22]: "xml" is the XML declaration's, in any case. */
static bool end_target(struct bm_mark_xml *xml, uint32_t c) {
    bool is_xml = xml->n_name == 3 && (xml->name[0] | 0x20) == 'x' && (xml->name[1] | 0x20) == 'm' &&
                  (xml->name[2] | 0x20) == 'l';
    if (!is_xml) {
        bm_mark_xml_no_declaration(xml);
        xml->tag_is_open = false;
        return go(xml, c == '?' ? BM_STATE_PI_TARGET_END : BM_STATE_PI);
    }
    if (memcmp(xml->name, "xml", 3) != 0) {
        return bm_mark_fail(&xml->mark, xml->less, "an instruction must not be called xml, in any case");
    }
    if (!may_be_declaration(xml)) {
        return bm_mark_fail(&xml->mark, xml->less,
                            "an XML declaration is only allowed at the very beginning of a document: remove "
                            "the text before it");
    }
    if (xml->phase == BM_PHASE_EPILOG) bm_mark_xml_begin_document(xml, xml->less);
    xml->tag_is_open = false;
    memcpy(xml->declaration, "<?xml", 5);
    xml->n_declaration = 5;
    return go(xml, BM_STATE_DECLARATION);
}

static bool in_pi_target(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (bm_mark_xml_is_name(c)) {
        if (!bm_mark_xml_name_add(xml, c, at)) return false;
        look_at_target(xml);
        return true;
    }
    if (c != '?' && !bm_mark_is_space(c))
        return fail_expected(xml, c, at, "white space or \"?>\" after the instruction's name");
    if (!end_target(xml, c)) return false;
    return xml->state != BM_STATE_DECLARATION || bm_mark_xml_in_declaration(xml, c, at);
}

static bool in_pi_target_end(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    return c == '>' ? go(xml, BM_STATE_TEXT)
                    : fail_expected(xml, c, at, "\"?>\" or white space after the instruction's name");
}

static bool in_pi(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    return c != '?' || go(xml, BM_STATE_PI_CLOSE);
}

static bool in_pi_close(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    (void)at;
    if (c == '>') return go(xml, BM_STATE_TEXT);
    return c == '?' || go(xml, BM_STATE_PI);
}

/* --- the table ------------------------------------------------------------------------------- */

static bool (*const states[BM_N_STATES])(struct bm_mark_xml *xml, uint32_t c, uint64_t at) = {
    [BM_STATE_TEXT] = in_text,
    [BM_STATE_LESS] = in_less,
    [BM_STATE_START_NAME] = in_start_name,
    [BM_STATE_TAG_NEXT] = in_tag_next,
    [BM_STATE_TAG_SPACE] = in_tag_space,
    [BM_STATE_TAG_EMPTY] = in_tag_empty,
    [BM_STATE_ATTRIBUTE_NAME] = in_attribute_name,
    [BM_STATE_ATTRIBUTE_EQUALS] = in_attribute_equals,
    [BM_STATE_ATTRIBUTE_QUOTE] = in_attribute_quote,
    [BM_STATE_ATTRIBUTE_VALUE] = in_attribute_value,
    [BM_STATE_END_FIRST] = in_end_first,
    [BM_STATE_END_NAME] = in_end_name,
    [BM_STATE_END_SPACE] = in_end_space,
    [BM_STATE_REFERENCE] = in_reference,
    [BM_STATE_REFERENCE_NAME] = in_reference_name,
    [BM_STATE_REFERENCE_NUMBER] = in_reference_number,
    [BM_STATE_REFERENCE_DECIMAL] = in_reference_decimal,
    [BM_STATE_REFERENCE_HEX] = in_reference_hex,
    [BM_STATE_REFERENCE_HEX_FIRST] = in_reference_hex,
    [BM_STATE_BANG] = in_bang,
    [BM_STATE_COMMENT_OPEN] = in_comment_open,
    [BM_STATE_COMMENT] = in_comment,
    [BM_STATE_COMMENT_DASH] = in_comment_dash,
    [BM_STATE_COMMENT_CLOSE] = in_comment_close,
    [BM_STATE_CDATA_OPEN] = in_cdata_open,
    [BM_STATE_CDATA] = in_cdata,
    [BM_STATE_CDATA_BRACKET] = in_cdata_bracket,
    [BM_STATE_CDATA_CLOSE] = in_cdata_close,
    [BM_STATE_PI_FIRST] = in_pi_first,
    [BM_STATE_PI_TARGET] = in_pi_target,
    [BM_STATE_PI_TARGET_END] = in_pi_target_end,
    [BM_STATE_PI] = in_pi,
    [BM_STATE_PI_CLOSE] = in_pi_close,
    [BM_STATE_DECLARATION] = bm_mark_xml_in_declaration,
    [BM_STATE_DOCTYPE_OPEN] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_SPACE] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_BEFORE_NAME] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_NAME] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_AFTER_NAME] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_KEYWORD] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_KEYWORD_SPACE] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_BEFORE_ID] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_PUBLIC] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_PUBLIC_SPACE] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_SYSTEM] = bm_mark_xml_in_doctype,
    [BM_STATE_DOCTYPE_END] = bm_mark_xml_in_doctype,
};

/* It ends at the position's byte. A NUL is no mistake of the program that wrote the text. */
static bool take_illegal(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    char shown[SHOWN_CHARACTER];
    bool may_stand = bm_mark_xml_may_hold_bad(xml);
    if (c != 0 && may_stand && xml->mark.forbidden != BLASTMERGE_FORBIDDEN_ERROR) {
        if (!states[xml->state](xml, BM_MARK_BAD_BYTE, at)) return false;
        return take_forbidden(xml, at, xml->mark.position + 1);
    }
    return bm_mark_fail(&xml->mark, at, "the character %s is not legal in XML%s", show_character(c, shown),
                        c == 0      ? ": part of the file was never written, or was lost"
                        : may_stand ? REMEDY
                                    : "");
}

bool bm_mark_xml_take_character(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == 0 && xml->state == BM_STATE_LESS && xml->phase == BM_PHASE_PROLOG) {
        return bm_mark_fail(&xml->mark, xml->less,
                            "the document is in UTF-16 or UTF-32 (little end first), which is not supported; "
                            "convert it to UTF-8 first");
    }
    return is_legal(c) ? states[xml->state](xml, c, at) : take_illegal(xml, c, at);
}

/* --- the text's end -------------------------------------------------------------------------- */

bool bm_mark_xml_fail_end(struct bm_mark_xml *xml) {
    if (xml->phase == BM_PHASE_PROLOG && xml->state <= BM_STATE_TEXT) {
        return bm_mark_fail(&xml->mark, xml->mark.position,
                            "the document ends before its root element: it is empty or cut short");
    }
    if (xml->depth > 0) {
        char shown[BM_MARK_SHOWN_NAME];
        const struct bm_mark_xml_name *open = &xml->open_elements[xml->depth - 1];
        return bm_mark_fail(&xml->mark, xml->mark.position, "the document ends inside <%s>: it is cut short",
                            bm_mark_xml_show(open->bytes, open->n_bytes, shown));
    }
    return bm_mark_fail(&xml->mark, xml->mark.position, "the document ends inside markup: it is cut short");
}
