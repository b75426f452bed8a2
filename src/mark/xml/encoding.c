/* SPDX-License-Identifier: MIT */
#include "mark/xml/xml.h"

#include <string.h>

struct alias {
    const char *name; /* in lower case */
    enum bm_mark_xml_encoding encoding;
};

/* IANA's names and aliases of the supported encodings, and a few names that are only in common use. */
static const struct alias aliases[] = {
    {"utf-8", BM_ENCODING_UTF8},           {"utf8", BM_ENCODING_UTF8},
    {"csutf8", BM_ENCODING_UTF8},          {"us-ascii", BM_ENCODING_ASCII},
    {"ascii", BM_ENCODING_ASCII},          {"us", BM_ENCODING_ASCII},
    {"ansi_x3.4-1968", BM_ENCODING_ASCII}, {"ansi_x3.4-1986", BM_ENCODING_ASCII},
    {"iso646-us", BM_ENCODING_ASCII},      {"iso-ir-6", BM_ENCODING_ASCII},
    {"ibm367", BM_ENCODING_ASCII},         {"cp367", BM_ENCODING_ASCII},
    {"csascii", BM_ENCODING_ASCII},        {"iso-8859-1", BM_ENCODING_LATIN1},
    {"iso8859-1", BM_ENCODING_LATIN1},     {"iso_8859-1", BM_ENCODING_LATIN1},
    {"iso-ir-100", BM_ENCODING_LATIN1},    {"latin1", BM_ENCODING_LATIN1},
    {"latin-1", BM_ENCODING_LATIN1},       {"l1", BM_ENCODING_LATIN1},
    {"ibm819", BM_ENCODING_LATIN1},        {"cp819", BM_ENCODING_LATIN1},
    {"csisolatin1", BM_ENCODING_LATIN1},   {"iso-8859-15", BM_ENCODING_LATIN9},
    {"iso8859-15", BM_ENCODING_LATIN9},    {"iso_8859-15", BM_ENCODING_LATIN9},
    {"latin-9", BM_ENCODING_LATIN9},       {"latin9", BM_ENCODING_LATIN9},
    {"csiso885915", BM_ENCODING_LATIN9},   {"windows-1252", BM_ENCODING_CP1252},
    {"cp1252", BM_ENCODING_CP1252},        {"cswindows1252", BM_ENCODING_CP1252},
};

static bool is_alias(const char *name, size_t n_name, const char *alias) {
    if (strlen(alias) != n_name) return false;
    for (size_t i = 0; i < n_name; i++) {
        char c = name[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c != alias[i]) return false;
    }
    return true;
}

enum bm_mark_xml_encoding bm_mark_xml_find_encoding(const char *name, size_t n_name) {
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (is_alias(name, n_name, aliases[i].name)) return aliases[i].encoding;
    }
    return BM_ENCODING_OTHER;
}

/* Where windows-1252 is not ISO-8859-1: 0x80 to 0x9f. 0: not defined. */
static const uint16_t cp1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static uint32_t decode_latin9(uint8_t byte) {
    switch (byte) {
    case 0xa4:
        return 0x20ac;
    case 0xa6:
        return 0x0160;
    case 0xa8:
        return 0x0161;
    case 0xb4:
        return 0x017d;
    case 0xb8:
        return 0x017e;
    case 0xbc:
        return 0x0152;
    case 0xbd:
        return 0x0153;
    case 0xbe:
        return 0x0178;
    default:
        return byte;
    }
}

uint32_t bm_mark_xml_decode(enum bm_mark_xml_encoding encoding, uint8_t byte) {
    if (encoding == BM_ENCODING_ASCII) return 0;
    if (encoding == BM_ENCODING_LATIN9) return decode_latin9(byte);
    if (encoding == BM_ENCODING_CP1252 && byte < 0xa0) return cp1252[byte - 0x80];
    return byte;
}

const char *bm_mark_xml_encoding_name(enum bm_mark_xml_encoding encoding) {
    static const char *const names[] = {"UTF-8",       "US-ASCII",     "ISO-8859-1",
                                        "ISO-8859-15", "windows-1252", "another encoding"};
    return names[encoding];
}
