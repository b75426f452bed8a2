/* SPDX-License-Identifier: MIT */
#include "mark/xml/xml.h"

#include <string.h>

#define S BM_CLASS_SPACE
#define P BM_CLASS_PLAIN
#define N BM_CLASS_NAME
#define A (BM_CLASS_NAME_START | BM_CLASS_NAME | BM_CLASS_PLAIN)
#define D (BM_CLASS_NAME | BM_CLASS_PLAIN)
#define Q (A | BM_CLASS_QUERY)
const uint8_t bm_mark_xml_class[128] = {
    ['\t'] = S | P, ['\n'] = S | P, ['\r'] = S | P, [' '] = S | P, ['!'] = P, ['#'] = P, ['$'] = P,
    ['%'] = P,      ['('] = P,      [')'] = P,      ['*'] = P,     ['+'] = P, [','] = P, ['-'] = N,
    ['.'] = N | P,  ['/'] = P,      ['0'] = D,      ['1'] = D,     ['2'] = D, ['3'] = D, ['4'] = D,
    ['5'] = D,      ['6'] = D,      ['7'] = D,      ['8'] = D,     ['9'] = D, [':'] = A, [';'] = P,
    ['='] = P,      ['@'] = P,      ['A'] = A,      ['B'] = A,     ['C'] = A, ['D'] = A, ['E'] = A,
    ['F'] = A,      ['G'] = A,      ['H'] = A,      ['I'] = Q,     ['J'] = A, ['K'] = A, ['L'] = A,
    ['M'] = A,      ['N'] = A,      ['O'] = A,      ['P'] = A,     ['Q'] = A, ['R'] = A, ['S'] = A,
    ['T'] = A,      ['U'] = A,      ['V'] = A,      ['W'] = A,     ['X'] = A, ['Y'] = A, ['Z'] = A,
    ['['] = P,      ['\\'] = P,     ['^'] = P,      ['_'] = A,     ['`'] = P, ['a'] = A, ['b'] = A,
    ['c'] = A,      ['d'] = A,      ['e'] = A,      ['f'] = A,     ['g'] = A, ['h'] = A, ['i'] = A,
    ['j'] = A,      ['k'] = A,      ['l'] = A,      ['m'] = Q,     ['n'] = A, ['o'] = A, ['p'] = A,
    ['q'] = Q,      ['r'] = A,      ['s'] = A,      ['t'] = A,     ['u'] = A, ['v'] = A, ['w'] = A,
    ['x'] = A,      ['y'] = A,      ['z'] = A,      ['{'] = P,     ['|'] = P, ['}'] = P, ['~'] = P,
    [0x7f] = P,
};
#undef S
#undef P
#undef N
#undef A
#undef D
#undef Q

struct range {
    uint32_t first;
    uint32_t last;
};

/* XML 1.0, fifth edition, productions [4] and [4a], beyond ASCII. */
static const struct range name_start[] = {
    {0xc0, 0xd6},     {0xd8, 0xf6},     {0xf8, 0x2ff},    {0x370, 0x37d},
    {0x37f, 0x1fff},  {0x200c, 0x200d}, {0x2070, 0x218f}, {0x2c00, 0x2fef},
    {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd}, {0x10000, 0xeffff},
};
static const struct range name_more[] = {{0xb7, 0xb7}, {0x300, 0x36f}, {0x203f, 0x2040}};

static bool is_in(uint32_t c, const struct range *ranges, size_t n_ranges) {
    for (size_t i = 0; i < n_ranges; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    }
    return false;
}

bool bm_mark_xml_is_name_start_beyond_ascii(uint32_t c) {
    return is_in(c, name_start, sizeof name_start / sizeof name_start[0]);
}

bool bm_mark_xml_is_name_beyond_ascii(uint32_t c) {
    return bm_mark_xml_is_name_start_beyond_ascii(c) ||
           is_in(c, name_more, sizeof name_more / sizeof name_more[0]);
}

const char *bm_mark_xml_show(const char *name, size_t n_name, char shown[BM_MARK_SHOWN_NAME]) {
    size_t n_shown = n_name;
    bool is_cut = n_name > BM_MARK_SHOWN_NAME - 4;
    if (is_cut) {
        n_shown = BM_MARK_SHOWN_NAME - 4;
        while (n_shown > 0 && ((uint8_t)name[n_shown] & 0xc0) == 0x80) n_shown--; /* not inside a character */
    }
    memcpy(shown, name, n_shown);
    memcpy(shown + n_shown, is_cut ? "..." : "", is_cut ? 4 : 1);
    return shown;
}

bool bm_mark_xml_name_is(const struct bm_mark_xml *xml, const char *name) {
    return strlen(name) == xml->n_name && memcmp(name, xml->name, xml->n_name) == 0;
}
