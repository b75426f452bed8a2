/* SPDX-License-Identifier: MIT */
/*
 * Reads the text between tags that a merge needs: header fields, the Iteration's number, a query's id and
 * message, the parts that identify the query, indentation, and characters that are converted. place.c calls
 * this file when each begins and ends.
 */
#include "mark/xml/xml.h"

#include <string.h>

/* --- fields ---------------------------------------------------------------------------------- */

void bm_mark_xml_begin_field(struct bm_mark_xml *xml) {
    const struct bm_mark_xml_name *name = &xml->open_elements[xml->depth - 1];
    bm_mark_field_begin(&xml->mark, name->bytes, name->n_bytes);
    xml->mark.field.is_parameter = xml->in_parameters && xml->depth > BM_DEPTH_HEADER;
    xml->field_is_open = true;
}

static void add_to_field(struct bm_mark_xml *xml, uint8_t byte) {
    const char c = (char)byte;
    bm_mark_field_add(&xml->mark, &c, 1);
    xml->field_to = xml->mark.position + 1;
}

/* The header of BLAST XML has the first query's. */
static void take_query_field(struct bm_mark_xml *xml) {
    const struct bm_mark_field *field = &xml->mark.field;
    static const struct {
        const char *name;
        enum bm_mark_digest_part part;
    } parts[] = {{"BlastOutput_query-ID", BM_DIGEST_ID},
                 {"BlastOutput_query-def", BM_DIGEST_TITLE},
                 {"BlastOutput_query-len", BM_DIGEST_LENGTH}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(field->name, parts[i].name) == 0) {
            bm_mark_digest_take(&xml->mark.digest.header, parts[i].part, field->value, field->n_value);
            xml->mark.digest.has_header = true;
        }
}

void bm_mark_xml_end_field(struct bm_mark_xml *xml, uint64_t after) {
    xml->field_is_open = false;
    take_query_field(xml);
    bm_mark_field_end(&xml->mark, after);
}

/* --- the Iteration's number ------------------------------------------------------------------ */

void bm_mark_xml_begin_number(struct bm_mark_xml *xml, uint64_t after) {
    xml->in_number = true;
    xml->number_is_held = true;
    xml->number_is_digits = true;
    xml->number = after;
    xml->number_value = 0;
    xml->n_number = 0;
}

/* Its content is too long, or more than text. */
void bm_mark_xml_begin_long_number(struct bm_mark_xml *xml) {
    if (!xml->number_is_held) return;
    xml->number_is_held = false;
    bm_mark_add(&xml->mark, BM_MARK_NUMBER_LONG, xml->number);
}

static void add_to_number(struct bm_mark_xml *xml, uint8_t byte) {
    if (!xml->number_is_held) return;
    uint64_t digit = (uint64_t)byte - '0';
    if (byte < '0' || byte > '9' || xml->number_value > (UINT64_MAX - digit) / 10) {
        xml->number_is_digits = false;
    } else {
        xml->number_value = xml->number_value * 10 + digit;
    }
    if (++xml->n_number > BM_MARK_MAX_NUMBER) bm_mark_xml_begin_long_number(xml);
}

/* At the '<' of its end tag. */
void bm_mark_xml_end_number(struct bm_mark_xml *xml) {
    if (!xml->number_is_held) {
        bm_mark_add(&xml->mark, BM_MARK_NUMBER_LONG_END, xml->less);
        return;
    }
    xml->number_is_held = false;
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_NUMBER, xml->number);
    entry->end = xml->less;
    if (xml->number_is_digits && xml->n_number > 0) {
        entry->flags = BM_MARK_DIGITS;
        entry->value = xml->number_value;
    }
}

/* --- a query's id and message ---------------------------------------------------------------- */

/* Whether bytes of content matter. */
void bm_mark_xml_watch(struct bm_mark_xml *xml) {
    xml->is_watching = xml->field_is_open || xml->number_is_held || xml->content.is_held ||
                       bm_mark_digest_is_collecting(&xml->mark.digest) || xml->in_megablast;
}

void bm_mark_xml_begin_content(struct bm_mark_xml *xml, enum bm_mark_kind kind, uint64_t after) {
    xml->content.is_held = true;
    xml->content.kind = (uint8_t)kind;
    xml->content.at = after;
}

void bm_mark_xml_end_content(struct bm_mark_xml *xml, uint64_t end, enum bm_mark_flag flags) {
    if (!xml->content.is_held) return;
    xml->content.is_held = false;
    struct bm_mark_entry *entry =
        bm_mark_add(&xml->mark, (enum bm_mark_kind)xml->content.kind, xml->content.at);
    entry->end = end;
    entry->flags = flags;
    bm_mark_xml_watch(xml);
}

void bm_mark_xml_cut_content(struct bm_mark_xml *xml, uint64_t end) {
    bm_mark_xml_end_content(xml, end, BM_MARK_CUT);
}

/* --- parts of a query by which it is known ----------------------------------------------------- */

/* Bytes behind those that count were perhaps not looked at: it ends at `less`, if a tag ends it. */
void bm_mark_xml_cut_part(struct bm_mark_xml *xml) {
    struct bm_mark_digest *digest = &xml->mark.digest;
    if (!bm_mark_digest_is_collecting(digest) && xml->less > xml->part)
        digest->n_content = xml->less - xml->part;
    bm_mark_digest_end_part(digest);
}

void bm_mark_xml_end_part(struct bm_mark_xml *xml) {
    bool is_last = xml->mark.digest.part == BM_DIGEST_LENGTH; /* what else there may be is of no query's */
    bm_mark_xml_cut_part(xml);
    if (is_last) xml->mark.digest.is_wanted = false;
}

void bm_mark_xml_begin_part(struct bm_mark_xml *xml, enum bm_mark_digest_part part, uint64_t after) {
    xml->part = after;
    if (xml->mark.digest.is_wanted) bm_mark_digest_begin_part(&xml->mark.digest, part);
}

/* --- content --------------------------------------------------------------------------------- */

void bm_mark_xml_inner_markup(struct bm_mark_xml *xml) {
    bm_mark_xml_begin_long_number(xml);
    bm_mark_xml_cut_content(xml, xml->less);
    bm_mark_xml_cut_part(xml);
    xml->tag_is_open = false;
    xml->blank = BM_MARK_NOWHERE;
}

/* The rest of the line of BlastOutput_iterations' start tag is not the body's where it is blank. */
static void find_body(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    bool is_in_reach = at - xml->body < BM_MARK_MAX_INDENTATION;
    bool is_blank = c == ' ' || c == '\t' || c == '\r';
    if (is_in_reach && is_blank && at + 1 - xml->body < BM_MARK_MAX_INDENTATION) return;
    xml->body_is_open = false;
    if (is_in_reach && c == '\n') {
        bm_mark_add(&xml->mark, BM_MARK_BODY, at + 1);
        xml->newline_seen = false;
    } else {
        bm_mark_add(&xml->mark, BM_MARK_BODY, xml->body);
    }
}

void bm_mark_xml_follow_blanks(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '\n' || c == '\r') {
        xml->blank = at + 1;
        xml->blank_on_new_line = true;
    } else if (c == ' ' || c == '\t') {
        if (xml->blank != BM_MARK_NOWHERE) return;
        xml->blank = at;
        xml->blank_on_new_line = false;
    } else if (c != '<') {
        xml->blank = BM_MARK_NOWHERE;
    }
}

void bm_mark_xml_place_text(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (xml->extra_is_ending && !bm_mark_is_space(c)) {
        xml->extra_is_ending = false;
        bm_mark_add(&xml->mark, BM_MARK_NUMBER_EXTRA_END, at);
    }
    if (xml->body_is_open) find_body(xml, c, at);
    bm_mark_xml_follow_blanks(xml, c, at);
}

bool bm_mark_xml_place_bytes(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->in_megablast && xml->mark.position - xml->megablast >= BM_MARK_MAX_HOLD) {
        return bm_mark_fail(&xml->mark, xml->mark.position, "a BlastOutput_mbstat is longer than %d bytes",
                            BM_MARK_MAX_HOLD);
    }
    if (xml->scope_is_open) {
        bm_mark_xml_scope_add(xml, byte);
        return true;
    }
    bool is_markup = xml->state == BM_STATE_LESS || (xml->state == BM_STATE_TEXT && byte == '<');
    if (xml->mark.position - xml->content.at == BM_MARK_MAX_CONTENT && !is_markup)
        bm_mark_xml_cut_content(xml, xml->mark.position - xml->utf8.n);
    switch (xml->state) {
    case BM_STATE_START_NAME:
    case BM_STATE_END_FIRST:
    case BM_STATE_END_NAME:
    case BM_STATE_END_SPACE:
        return true;
    case BM_STATE_TEXT:
        if (byte == '<') return true;
        break;
    case BM_STATE_LESS:
        if (byte != '!' && byte != '?') return true;
        if (xml->field_is_open) add_to_field(xml, '<');
        break;
    default:
        break;
    }
    if (xml->field_is_open) add_to_field(xml, byte);
    if (bm_mark_digest_is_collecting(&xml->mark.digest)) {
        bm_mark_digest_add(&xml->mark.digest, byte);
        if (!bm_mark_digest_is_collecting(&xml->mark.digest)) bm_mark_xml_watch(xml);
    }
    add_to_number(xml, byte);
    return true;
}

/* In a field's value, too, the text from `at` to `end` becomes the character. */
static void convert_field(struct bm_mark_xml *xml, uint64_t at, uint64_t end, uint32_t value) {
    struct bm_mark_field *field = &xml->mark.field;
    char utf8[4];
    size_t n_utf8 = bm_utf8_write(utf8, value);
    size_t n_old = (size_t)(end - at);
    uint64_t n_back = xml->field_to - at;
    bool is_there = !field->is_cut && n_back <= field->n_value && n_old <= n_back;
    if (!is_there || field->n_value - n_old + n_utf8 > BM_MARK_MAX_VALUE) {
        field->is_cut = true;
        return;
    }
    char *from = field->value + field->n_value - (size_t)n_back;
    memmove(from + n_utf8, from + n_old, (size_t)n_back - n_old);
    memcpy(from, utf8, n_utf8);
    field->n_value = field->n_value - n_old + n_utf8;
}

bool bm_mark_xml_add_character(struct bm_mark_xml *xml, uint64_t at, uint64_t end, uint32_t value) {
    if (xml->in_megablast) {
        return bm_mark_fail(&xml->mark, at,
                            "a BlastOutput_mbstat holds a character that would have to be converted");
    }
    if (xml->state == BM_STATE_START_NAME && xml->tag_is_open) bm_mark_xml_decide_early(xml);
    bm_mark_xml_begin_long_number(xml);
    bm_mark_xml_cut_content(xml, at);
    if (xml->field_is_open) convert_field(xml, at, end, value);
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_CHARACTER, at);
    entry->end = end;
    entry->value = value;
    return true;
}
