/* SPDX-License-Identifier: MIT */
/*
 * Text as messages show it. Names of files, keys from lists, answers of servers and children's data get into
 * messages, and messages into terminals and logs. Only this file decides which characters are shown unchanged.
 */
#include "base/base.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* The character that the bytes begin with, and its length; 0 if they are not UTF-8. A NUL byte ends them. */
static size_t read_character(const char *text, uint32_t *character) {
    return bm_utf8_read(text, BM_UTF8_MOST, character);
}

/* Whether a character above U+007F acts instead of being seen: C1 controls, marks that turn the direction of
 * text, line and paragraph separators, the byte order mark. */
static bool is_hidden(uint32_t character) {
    static const struct {
        uint32_t first, last;
    } hidden[] = {{0x80, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f}, {0x2028, 0x202e},
                  {0x2066, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (character >= hidden[i].first && character <= hidden[i].last) return true;
    }
    return false;
}

/* Writes the shown form of the first character of `text`; returns the number of bytes of that character. */
static size_t show_character(char piece[12], const char *text) {
    uint32_t character = 0;
    size_t n = read_character(text, &character);
    if (n == 0) {
        snprintf(piece, 12, "\\x%02x", (unsigned char)*text);
        return 1;
    }
    if (character < 0x20 || character == 0x7f) {
        memcpy(piece, "?", 2);
    } else if (character >= 0x80 && is_hidden(character)) {
        snprintf(piece, 12, character > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)character);
    } else {
        memcpy(piece, text, n);
        piece[n] = '\0';
    }
    return n;
}

/* Whether it is most characters: ASCII that is shown unchanged. */
static bool is_plain(char character) {
    return character >= 0x20 && character < 0x7f;
}

void bm_show(char *shown, size_t size, const char *text) {
    size_t n = 0;
    size_t n_short = 0; /* of what is kept before "..." if the rest does not fit */
    while (*text != '\0') {
        char piece[12];
        size_t n_piece = 1;
        if (is_plain(*text)) {
            piece[0] = *text++;
        } else {
            text += show_character(piece, text);
            n_piece = strlen(piece);
        }
        if (n + n_piece >= size) {
            memcpy(shown + n_short, "...", 4);
            return;
        }
        memcpy(shown + n, piece, n_piece);
        n += n_piece;
        if (n + 3 < size) n_short = n;
    }
    shown[n] = '\0';
}

int bm_show_length(const char *text, size_t n_most) {
    size_t n = strnlen(text, n_most);
    uint32_t character = 0;
    for (size_t back = 1; back < BM_UTF8_MOST && back <= n; back++) {
        size_t n_character = read_character(text + n - back, &character);
        if (n_character > back) return (int)(n - back);
        if (n_character > 0) break;
    }
    return (int)n;
}

/* Controls are shown as '?', which would pass for that. */
static bool is_blank(uint32_t character) {
    return character <= ' ' || character == 0xa0 || character == 0x1680 ||
           (character >= 0x2000 && character <= 0x200b) || character == 0x202f || character == 0x205f ||
           character == 0x3000;
}

bool bm_needs_quotes(const char *name) {
    uint32_t first = 0;
    uint32_t last = 0;
    if (*name == '\0') return true;
    bool is_first_text = read_character(name, &first) > 0;
    const char *end = name + strlen(name) - 1;
    while (end > name && ((unsigned char)*end & 0xc0) == 0x80) end--;
    bool is_last_text = read_character(end, &last) > 0;
    return (is_first_text && is_blank(first)) || (is_last_text && is_blank(last));
}

void bm_show_name(char *shown, size_t size, const char *name) {
    if (!bm_needs_quotes(name)) {
        bm_show(shown, size, name);
        return;
    }
    shown[0] = '\'';
    bm_show(shown + 1, size - 2, name);
    memcpy(shown + strlen(shown), "'", 2);
}

bool bm_is_shown_as_it_is(const char *text) {
    while (*text != '\0') {
        char piece[12];
        size_t n = show_character(piece, text);
        if (memcmp(piece, text, n) != 0) return false;
        text += n;
    }
    return true;
}

void bm_show_list(char *shown, size_t size, const char *format, va_list arguments) {
    char text[sizeof((struct blastmerge_error *)0)->message];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0) text[0] = '\0';
    if (length >= (int)sizeof text) {
        char *end = text + sizeof text - 4;
        while (((unsigned char)*end & 0xc0) == 0x80 && end > text + sizeof text - 8) end--;
        memcpy(end, "...", 4);
    }
    bm_show(shown, size, text);
}
