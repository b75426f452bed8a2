/* SPDX-License-Identifier: MIT */
/*
 * Parses the XML declaration, productions [23] to [26], [32], [80], [81]. It has been collected whole, up to
 * its "?>".
 */
#include "mark/xml/xml.h"

#include <string.h>

struct reader {
    struct bm_mark_xml *xml;
    size_t position;
};

static bool fail_here(struct reader *reader, const char *expected) {
    return bm_mark_fail(&reader->xml->mark, reader->xml->declaration_at + reader->position,
                        "the XML declaration is wrong: %s was expected here", expected);
}

/* The character at the position; the declaration always ends in "?>", so there is one. */
static char peek(const struct reader *reader) {
    return reader->xml->declaration[reader->position];
}

static bool skip_space(struct reader *reader) {
    size_t before = reader->position;
    while (bm_mark_is_space((uint8_t)peek(reader))) reader->position++;
    return reader->position > before;
}

/* name, '=', and a value in quotes; the value's range. */
static bool read_pair(struct reader *reader, const char *name, const char **value, size_t *n_value) {
    const struct bm_mark_xml *xml = reader->xml;
    size_t n_name = strlen(name);
    const char *end = xml->declaration + xml->n_declaration;
    if (reader->position + n_name >= xml->n_declaration ||
        memcmp(xml->declaration + reader->position, name, n_name) != 0) {
        return fail_here(reader, name);
    }
    reader->position += n_name;
    skip_space(reader);
    if (peek(reader) != '=') return fail_here(reader, "'='");
    reader->position++;
    skip_space(reader);
    char quote = peek(reader);
    if (quote != '"' && quote != '\'') return fail_here(reader, "a value in quotes");
    *value = xml->declaration + ++reader->position;
    const char *close = memchr(*value, quote, (size_t)(end - *value));
    if (close == NULL) return fail_here(reader, "a value that ends in the quote it began with");
    *n_value = (size_t)(close - *value);
    return true;
}

static void end_pair(struct reader *reader, size_t n_value) {
    reader->position += n_value + 1;
}

/* [26]; 1.1 and the like are read as 1.0, as the fifth edition wants it. */
static bool read_version(struct reader *reader) {
    const char *value = NULL;
    size_t n_value = 0;
    if (!read_pair(reader, "version", &value, &n_value)) return false;
    bool is_right = n_value >= 3 && memcmp(value, "1.", 2) == 0;
    for (size_t i = 2; is_right && i < n_value; i++) is_right = value[i] >= '0' && value[i] <= '9';
    if (!is_right) return fail_here(reader, "a version such as 1.0");
    end_pair(reader, n_value);
    return true;
}

/* [81] */
static bool is_encoding_name(const char *value, size_t n_value) {
    if (n_value == 0 || (bm_mark_xml_class[(uint8_t)value[0]] & BM_CLASS_NAME_START) == 0) return false;
    if (value[0] == '_' || value[0] == ':') return false;
    for (size_t i = 1; i < n_value; i++) {
        if ((bm_mark_xml_class[(uint8_t)value[i]] & BM_CLASS_NAME) == 0 || value[i] == ':') return false;
    }
    return true;
}

static bool read_encoding(struct reader *reader) {
    struct bm_mark_xml *xml = reader->xml;
    char shown[BM_MARK_SHOWN_NAME];
    const char *value = NULL;
    size_t n_value = 0;
    if (!read_pair(reader, "encoding", &value, &n_value)) return false;
    if (!is_encoding_name(value, n_value)) return fail_here(reader, "an encoding's name such as UTF-8");
    enum bm_mark_xml_encoding encoding = bm_mark_xml_find_encoding(value, n_value);
    uint64_t at = xml->declaration_at + reader->position;
    if (encoding == BM_ENCODING_OTHER) {
        return bm_mark_fail(
            &xml->mark, at,
            "the document declares the encoding %s, which is not supported; convert it to UTF-8 first",
            bm_mark_xml_show(value, n_value, shown));
    }
    if (encoding != BM_ENCODING_UTF8 && xml->has_bom) {
        return bm_mark_fail(&xml->mark, at,
                            "the document declares the encoding %s but begins with UTF-8's byte order mark",
                            bm_mark_xml_show(value, n_value, shown));
    }
    xml->encoding = (uint8_t)encoding;
    end_pair(reader, n_value);
    return true;
}

static bool read_standalone(struct reader *reader) {
    const char *value = NULL;
    size_t n_value = 0;
    if (!read_pair(reader, "standalone", &value, &n_value)) return false;
    bool is_right =
        (n_value == 3 && memcmp(value, "yes", 3) == 0) || (n_value == 2 && memcmp(value, "no", 2) == 0);
    if (!is_right) return fail_here(reader, "yes or no");
    end_pair(reader, n_value);
    return true;
}

bool bm_mark_xml_read_declaration(struct bm_mark_xml *xml) {
    struct reader reader = {xml, 5}; /* behind "<?xml" */
    if (!skip_space(&reader)) return fail_here(&reader, "white space");
    if (!read_version(&reader)) return false;
    bool has_space = skip_space(&reader);
    if (has_space && peek(&reader) == 'e') {
        if (!read_encoding(&reader)) return false;
        has_space = skip_space(&reader);
    }
    if (has_space && peek(&reader) == 's') {
        if (!read_standalone(&reader)) return false;
        skip_space(&reader);
    }
    if (reader.position + 2 != xml->n_declaration) {
        return fail_here(
            &reader, "encoding, standalone or the end \"?>\", in this order and with white space between,");
    }
    return true;
}
