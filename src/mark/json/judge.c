/* SPDX-License-Identifier: MIT */
/*
 * The judge of JSON checks, byte by byte, that the text is well-formed. A table has one function for each
 * state; the function reads one byte and sets the next state. The rules are RFC 8259, and docs/json.md where
 * that goes beyond it.
 */
#include "mark/json/json.h"

#include <string.h>

static bool fail_expected(struct bm_mark_json *json, uint8_t byte, uint64_t at, const char *expected) {
    char shown[BM_MARK_SHOWN_BYTE];
    return bm_mark_fail(&json->mark, at, "%s was expected here, not %s", expected,
                        bm_mark_show_byte(byte, shown));
}

static bool go(struct bm_mark_json *json, enum bm_mark_json_state state) {
    json->state = (uint8_t)state;
    return true;
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

const bool bm_mark_json_ends_word[256] = {
    ['\t'] = true, ['\n'] = true, ['\r'] = true, [' '] = true, ['"'] = true, [','] = true,
    [':'] = true,  ['['] = true,  [']'] = true,  ['{'] = true, ['}'] = true,
};

/* --- documents ------------------------------------------------------------------------------- */

static bool begin_bom(struct bm_mark_json *json, uint64_t at) {
    bm_mark_json_end_document(json, at);
    json->bom_at = at;
    return go(json, BM_JSON_BOM_2);
}

/* OUTSIDE, and ROOT behind a byte order mark. */
static bool in_outside(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (bm_mark_is_space(byte)) return true;
    if (byte == '{') return bm_mark_json_open(json, NULL, 0, false, at);
    if (byte == 0xef && json->state == BM_JSON_OUTSIDE) return begin_bom(json, at);
    if (json->mark.counts.n_documents == 0) return fail_expected(json, byte, at, "a JSON object, '{',");
    return fail_expected(json, byte, at, "the end, or another document's '{',");
}

static bool in_bom(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    (void)at;
    if (json->state == BM_JSON_BOM_2 && byte == 0xbb) return go(json, BM_JSON_BOM_3);
    if (json->state == BM_JSON_BOM_3 && byte == 0xbf) return go(json, BM_JSON_ROOT);
    return fail_expected(json, 0xef, json->bom_at, "a JSON object, '{',");
}

/* --- between tokens -------------------------------------------------------------------------- */

static bool begin_string(struct bm_mark_json *json, bool is_name) {
    json->in_name = is_name;
    return go(json, BM_JSON_STRING);
}

static bool in_name_place(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    bool is_first = json->state == BM_JSON_FIRST_NAME;
    if (bm_mark_is_space(byte)) return true;
    if (byte == '"') {
        bm_mark_json_name_begin(json);
        return begin_string(json, true);
    }
    if (byte == '}' && is_first) return bm_mark_json_close(json, false, at);
    return fail_expected(json, byte, at,
                         is_first ? "a member's name in quotes, or '}'," : "a member's name in quotes");
}

static bool in_colon(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (byte == ':') return go(json, BM_JSON_VALUE);
    return bm_mark_is_space(byte) || fail_expected(json, byte, at, "':' after a member's name");
}

static bool begin_word(struct bm_mark_json *json, const char *word, uint64_t at) {
    json->word = word;
    json->n_word = 1;
    json->word_at = at;
    return go(json, BM_JSON_WORD);
}

static bool begin_number_or_word(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    switch (byte) {
    case '-':
        return go(json, BM_JSON_MINUS);
    case '0':
        return go(json, BM_JSON_ZERO);
    case 't':
        return begin_word(json, "true", at);
    case 'f':
        return begin_word(json, "false", at);
    case 'n':
        return begin_word(json, "null", at);
    default:
        if (is_digit(byte)) return go(json, BM_JSON_INTEGER);
        return fail_expected(json, byte, at, json->state == BM_JSON_VALUE ? "a value" : "a value or ']'");
    }
}

static bool begin_scalar(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    const char c = (char)byte;
    if (byte == '"') return bm_mark_json_begin_scalar(json, byte, at) && begin_string(json, false);
    if (!begin_number_or_word(json, byte, at) || !bm_mark_json_begin_scalar(json, byte, at)) return false;
    if (json->field_is_open) bm_mark_field_add(&json->mark, &c, 1);
    if (json->mark.digest.part != BM_DIGEST_NOTHING) bm_mark_digest_add(&json->mark.digest, byte);
    return true;
}

static bool in_value_place(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (bm_mark_is_space(byte)) return true;
    if (byte == ']' && json->state == BM_JSON_FIRST_VALUE) return bm_mark_json_close(json, true, at);
    if (byte != '{' && byte != '[') return begin_scalar(json, byte, at);
    return bm_mark_json_open(json, (const uint8_t *)json->name, json->n_name, byte == '[', at);
}

static bool in_next(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    bool is_array = bm_mark_json_is_array((enum bm_mark_json_place)json->places[json->depth - 1]);
    if (bm_mark_is_space(byte)) return true;
    if (byte == ',') return go(json, is_array ? BM_JSON_VALUE : BM_JSON_NAME);
    if (byte == '}' || byte == ']') return bm_mark_json_close(json, byte == ']', at);
    return fail_expected(json, byte, at, is_array ? "',' or ']' after a value" : "',' or '}' after a value");
}

/* --- strings --------------------------------------------------------------------------------- */

static bool take_bad_byte(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (json->mark.invalid_utf8 == BLASTMERGE_INVALID_UTF8_ERROR) {
        return bm_mark_fail(&json->mark, at,
                            "the byte 0x%02x here is not UTF-8, the encoding of JSON; --invalid-utf8 latin1 "
                            "converts it, --invalid-utf8 keep copies it",
                            byte);
    }
    json->mark.counts.n_invalid_bytes++;
    if (json->mark.invalid_utf8 == BLASTMERGE_INVALID_UTF8_KEEP) return true;
    bm_mark_json_cut_content(json, at);
    struct bm_mark_entry *entry = bm_mark_add(&json->mark, BM_MARK_CHARACTER, at);
    entry->end = at + 1;
    entry->value = byte;
    return true;
}

/* The bytes of a sequence that does not become a character: each by itself is not UTF-8. */
static bool drop_sequence(struct bm_mark_json *json) {
    uint8_t n_pending = json->utf8.n;
    uint64_t at = json->mark.position - n_pending;
    json->utf8.n = 0;
    for (uint8_t i = 0; i < n_pending; i++) {
        if (!take_bad_byte(json, json->utf8.bytes[i], at + i)) return false;
    }
    return true;
}

static bool end_string(struct bm_mark_json *json, uint64_t at) {
    if (json->in_name) return go(json, BM_JSON_COLON);
    bm_mark_json_end_scalar(json, at + 1);
    return true;
}

static bool begin_escape(struct bm_mark_json *json, uint64_t at) {
    json->escape_at = at;
    json->is_low = false;
    return go(json, BM_JSON_ESCAPE);
}

static bool in_string(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (json->utf8.n > 0) {
        if (bm_utf8_continue(&json->utf8, byte)) {
            if (json->utf8.n_missing == 0) json->utf8.n = 0;
            return true;
        }
        if (!drop_sequence(json)) return false;
    }
    if (byte == '"') return end_string(json, at);
    if (byte == '\\') return begin_escape(json, at);
    if (byte < 0x20) {
        return bm_mark_fail(&json->mark, at,
                            "a control character, 0x%02x, is in a string; it must be written \\u%04x", byte,
                            byte);
    }
    return byte < 0x80 || bm_utf8_begin(&json->utf8, byte) || take_bad_byte(json, byte, at);
}

static bool in_escape(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    (void)at;
    if (byte == 'u') {
        json->n_hex = 0;
        json->code_unit = 0;
        return go(json, BM_JSON_HEX);
    }
    if (byte != 0 && strchr("\"\\/bfnrt", byte) != NULL) return go(json, BM_JSON_STRING);
    return bm_mark_fail(&json->mark, json->escape_at,
                        "the '\\' here does not begin an escape; a literal '\\' is written \\\\");
}

static bool fail_surrogate(struct bm_mark_json *json) {
    return bm_mark_fail(&json->mark, json->escape_at,
                        "the escape here is half of a surrogate pair, which is not a character");
}

static bool end_hex(struct bm_mark_json *json) {
    bool is_low = (json->code_unit & 0xfc00) == 0xdc00;
    bool is_high = (json->code_unit & 0xfc00) == 0xd800;
    if (is_low != json->is_low) return fail_surrogate(json);
    return go(json, is_high ? BM_JSON_LOW_ESCAPE : BM_JSON_STRING);
}

static bool in_hex(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    uint8_t lower = byte | 0x20;
    (void)at;
    if (!is_digit(byte) && (lower < 'a' || lower > 'f')) {
        return bm_mark_fail(&json->mark, json->escape_at,
                            "the escape here is not \\u and four hexadecimal digits");
    }
    json->code_unit = json->code_unit << 4 | ((uint32_t)(is_digit(byte) ? byte - '0' : lower - 'a' + 10));
    return ++json->n_hex < 4 || end_hex(json);
}

/* LOW_ESCAPE and LOW_U: behind a high surrogate must come a low one. An error is the high one's. */
static bool in_low(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    (void)at;
    if (json->state == BM_JSON_LOW_ESCAPE && byte == '\\') return go(json, BM_JSON_LOW_U);
    if (json->state == BM_JSON_LOW_U && byte == 'u') {
        json->is_low = true;
        json->n_hex = 0;
        json->code_unit = 0;
        return go(json, BM_JSON_HEX);
    }
    return fail_surrogate(json);
}

/* --- words and numbers ----------------------------------------------------------------------- */

/* What follows a number or a word is looked at again, as what it is by itself. */
static bool end_word(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    bm_mark_json_end_scalar(json, at);
    return in_next(json, byte, at);
}

static bool fail_word(struct bm_mark_json *json) {
    return bm_mark_fail(&json->mark, json->word_at, "a value was expected here, and this is not \"%s\"",
                        json->word);
}

static bool in_word(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    uint8_t expected = (uint8_t)json->word[json->n_word];
    if (expected != 0) {
        json->n_word++;
        return byte == expected || fail_word(json);
    }
    return bm_mark_json_ends_word[byte] ? end_word(json, byte, at) : fail_word(json);
}

static bool fail_digit(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    return fail_expected(json, byte, at, "a number's digit");
}

static bool in_minus(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (!is_digit(byte)) return fail_digit(json, byte, at);
    return go(json, byte == '0' ? BM_JSON_ZERO : BM_JSON_INTEGER);
}

/* ZERO and INTEGER: behind an integer part's digit. */
static bool in_integer(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (is_digit(byte)) {
        return json->state == BM_JSON_INTEGER ||
               bm_mark_fail(&json->mark, at, "a number has a leading zero, which JSON does not allow");
    }
    if (byte == '.') return go(json, BM_JSON_POINT);
    if (byte == 'e' || byte == 'E') return go(json, BM_JSON_E);
    return end_word(json, byte, at);
}

static bool in_point(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    return is_digit(byte) ? go(json, BM_JSON_FRACTION) : fail_digit(json, byte, at);
}

static bool in_fraction(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if (is_digit(byte)) return true;
    return byte == 'e' || byte == 'E' ? go(json, BM_JSON_E) : end_word(json, byte, at);
}

/* E and SIGN */
static bool in_e(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    if ((byte == '+' || byte == '-') && json->state == BM_JSON_E) return go(json, BM_JSON_SIGN);
    return is_digit(byte) ? go(json, BM_JSON_EXPONENT) : fail_digit(json, byte, at);
}

static bool in_exponent(struct bm_mark_json *json, uint8_t byte, uint64_t at) {
    return is_digit(byte) || end_word(json, byte, at);
}

/* --- all states ------------------------------------------------------------------------------ */

static bool (*const states[BM_JSON_N_STATES])(struct bm_mark_json *json, uint8_t byte, uint64_t at) = {
    [BM_JSON_OUTSIDE] = in_outside,
    [BM_JSON_BOM_2] = in_bom,
    [BM_JSON_BOM_3] = in_bom,
    [BM_JSON_ROOT] = in_outside,
    [BM_JSON_FIRST_NAME] = in_name_place,
    [BM_JSON_NAME] = in_name_place,
    [BM_JSON_COLON] = in_colon,
    [BM_JSON_FIRST_VALUE] = in_value_place,
    [BM_JSON_VALUE] = in_value_place,
    [BM_JSON_NEXT] = in_next,
    [BM_JSON_STRING] = in_string,
    [BM_JSON_ESCAPE] = in_escape,
    [BM_JSON_HEX] = in_hex,
    [BM_JSON_LOW_ESCAPE] = in_low,
    [BM_JSON_LOW_U] = in_low,
    [BM_JSON_WORD] = in_word,
    [BM_JSON_MINUS] = in_minus,
    [BM_JSON_ZERO] = in_integer,
    [BM_JSON_INTEGER] = in_integer,
    [BM_JSON_POINT] = in_point,
    [BM_JSON_FRACTION] = in_fraction,
    [BM_JSON_E] = in_e,
    [BM_JSON_SIGN] = in_e,
    [BM_JSON_EXPONENT] = in_exponent,
};

bool bm_mark_json_fail_end(struct bm_mark_json *json) {
    const char *where = json->depth == 0                ? "before a document's '{'"
                        : json->state == BM_JSON_STRING ? "in a string"
                        : json->state < BM_JSON_STRING  ? "in an object or array"
                        : json->state <= BM_JSON_LOW_U  ? "in a string's escape"
                                                        : "in a number or word";
    return bm_mark_fail(&json->mark, json->mark.position, "the text ends %s: it is cut short", where);
}

static bool is_in_string(const struct bm_mark_json *json) {
    return json->state >= BM_JSON_STRING && json->state <= BM_JSON_LOW_U;
}

/* Plain bytes of a string, which nobody collects. */
static size_t take_plain(const struct bm_mark_json *json, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    if (json->state != BM_JSON_STRING || json->in_name || json->field_is_open || json->content.is_held ||
        json->mark.digest.part != BM_DIGEST_NOTHING || json->utf8.n > 0) {
        return 0;
    }
    while (n < n_text && text[n] >= 0x20 && text[n] < 0x80 && text[n] != '"' && text[n] != '\\') n++;
    return n;
}

/* What is told of a string is cut where it gets too long. */
static void limit_content(struct bm_mark_json *json, uint8_t byte) {
    bool is_end = byte == '"' && json->state == BM_JSON_STRING;
    if (json->content.is_held && json->mark.position - json->content.at == BM_MARK_MAX_CONTENT && !is_end)
        bm_mark_json_cut_content(json, json->mark.position - json->utf8.n);
}

size_t bm_mark_json_take(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    struct bm_mark_json *json = (struct bm_mark_json *)mark;
    size_t n = take_plain(json, text, n_text);
    json->mark.position += n;
    if (n > 0) return n;
    limit_content(json, *text);
    bool was_in_name = json->in_name && is_in_string(json);
    bool was_in_field = json->field_is_open;
    bool was_in_part = json->mark.digest.part != BM_DIGEST_NOTHING;
    if (!states[json->state](json, *text, json->mark.position)) return 0;
    if (was_in_name && is_in_string(json)) bm_mark_json_name_add(json, text, 1);
    if (was_in_field && json->field_is_open) bm_mark_field_add(&json->mark, (const char *)text, 1);
    if (was_in_part && json->mark.digest.part != BM_DIGEST_NOTHING)
        bm_mark_digest_add(&json->mark.digest, *text);
    json->mark.position++;
    return 1;
}
