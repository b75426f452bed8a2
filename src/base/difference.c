/* SPDX-License-Identifier: MIT */
/*
 * Two texts that differ, as a message shows them. They may differ after the place where a message cuts them, or
 * in invisible characters; then they would look the same. So each is shown from near the difference.
 */
#include "base/base.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

enum {
    ROOM = 40,   /* bytes of quotes, dots, words and an escape that are not the text's own */
    BEHIND = 28, /* bytes that are shown from the difference on, at least */
    BEFORE = 16, /* and before it, if what comes before that is left out */
    LONGEST_ESCAPE = 10
};

static size_t find_difference(const char *one, const char *other) {
    size_t n = 0;
    while (one[n] != '\0' && one[n] == other[n]) n++;
    while (n > 0 && ((uint8_t)one[n] & 0xc0) == 0x80) n--; /* a character's begin */
    return n;
}

/* The character of UTF-8 that begins here and its length; 1 and the byte where none does. */
static size_t read_character(const char *text, uint32_t *character) {
    size_t n = bm_utf8_read(text, BM_UTF8_MOST, character);
    if (n == 0) *character = (uint8_t)*text;
    return n == 0 ? 1 : n;
}

static size_t print_character(char *shown, const char *text, size_t n_text, bool escapes_all) {
    uint32_t character;
    (void)read_character(text, &character);
    bool is_alone = n_text == 1;
    if (is_alone && (uint8_t)*text >= ' ' && (uint8_t)*text < 0x7f) {
        *shown = *text;
        return 1;
    }
    if (is_alone) return (size_t)snprintf(shown, LONGEST_ESCAPE + 1, "\\x%02x", (uint8_t)*text);
    if (escapes_all) return (size_t)snprintf(shown, LONGEST_ESCAPE + 1, "\\u{%04x}", (unsigned)character);
    memcpy(shown, text, n_text);
    return n_text;
}

/* Whether a reader could take the value for the other one, or not see all of it, without quotes. */
static bool needs_quotes(const char *value) {
    size_t n = strlen(value);
    if (n == 0 || value[0] == ' ' || value[n - 1] == ' ' || strstr(value, "  ") != NULL) return true;
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)value[i] < ' ' || (uint8_t)value[i] == 0x7f) return true;
    return false;
}

void bm_show_difference(char *shown, size_t size, const char *text, const char *other) {
    const size_t most = size - ROOM;
    size_t at = other != NULL ? find_difference(text, other) : 0;
    bool is_alike = other != NULL && text[at] == '\0' && other[at] == '\0'; /* as far as they were kept */
    bool escapes_all = other != NULL && ((uint8_t)text[at] >= 0x80 || (uint8_t)other[at] >= 0x80);
    bool has_quotes = needs_quotes(text) || (other != NULL && needs_quotes(other)) || escapes_all;
    size_t from = at <= most - BEHIND ? 0 : at - BEFORE;
    while (from > 0 && ((uint8_t)text[from] & 0xc0) == 0x80) from--;
    size_t n = (size_t)snprintf(shown, size, "%s%s", has_quotes ? "\"" : "", from > 0 ? "..." : "");
    while (text[from] != '\0' && n < most) {
        uint32_t character;
        size_t n_text = read_character(text + from, &character);
        n += print_character(shown + n, text + from, n_text, escapes_all);
        from += n_text;
    }
    snprintf(shown + n, size - n, "%s%s%s", text[from] != '\0' ? "..." : "", has_quotes ? "\"" : "",
             is_alike ? " (and differs further on)" : "");
}
