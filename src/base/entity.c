/* SPDX-License-Identifier: MIT */
#include "base/entity.h"

#include <string.h>

char bm_entity_find(const char *name, size_t n_name) {
    static const struct {
        const char *name;
        char character;
    } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (strlen(entities[i].name) == n_name && memcmp(entities[i].name, name, n_name) == 0)
            return entities[i].character;
    return '\0';
}

const char *bm_entity_of(char character) {
    return character == '&' ? "&amp;" : character == '<' ? "&lt;" : character == '>' ? "&gt;" : NULL;
}

uint32_t bm_entity_number(const char *text, size_t n_text) {
    bool is_hexadecimal = n_text > 1 && (text[1] == 'x' || text[1] == 'X');
    uint32_t code = 0;
    if (n_text < 2 || text[0] != '#') return 0;
    for (size_t i = is_hexadecimal ? 2 : 1; i < n_text; i++) {
        uint32_t c = (unsigned char)text[i];
        uint32_t letter = c | 0x20;
        if (c >= '0' && c <= '9')
            code = code * (is_hexadecimal ? 16 : 10) + (c - '0');
        else if (is_hexadecimal && letter >= 'a' && letter <= 'f')
            code = code * 16 + (letter - 'a' + 10);
        else
            return 0;
        if (code > 0x10ffff) return 0;
    }
    return code;
}
