/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

bool bm_utf8_begin(struct bm_utf8 *utf8, uint8_t byte) {
    if (byte < 0xc2 || byte > 0xf4) return false;
    utf8->n_missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    utf8->code_point = byte & (0x3fu >> utf8->n_missing);
    utf8->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;  /* below: overlong */
    utf8->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf; /* above: surrogates, beyond U+10FFFF */
    utf8->bytes[0] = byte;
    utf8->n = 1;
    return true;
}

bool bm_utf8_continue(struct bm_utf8 *utf8, uint8_t byte) {
    if (byte < utf8->low || byte > utf8->high) return false;
    utf8->code_point = utf8->code_point << 6 | (byte & 0x3fu);
    utf8->bytes[utf8->n++] = byte;
    utf8->n_missing--;
    utf8->low = 0x80;
    utf8->high = 0xbf;
    return true;
}

size_t bm_utf8_read(const char *text, size_t n_text, uint32_t *character) {
    struct bm_utf8 utf8;
    if (n_text == 0) return 0;
    *character = (uint8_t)text[0];
    if ((uint8_t)text[0] < 0x80) return 1;
    if (!bm_utf8_begin(&utf8, (uint8_t)text[0])) return 0;
    while (utf8.n_missing > 0)
        if (utf8.n == n_text || !bm_utf8_continue(&utf8, (uint8_t)text[utf8.n])) return 0;
    *character = utf8.code_point;
    return utf8.n;
}

size_t bm_utf8_write(char bytes[BM_UTF8_MOST], uint32_t character) {
    unsigned n_more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    bytes[0] = (char)(leads[n_more] | character >> 6 * n_more);
    for (unsigned i = 1; i <= n_more; i++) bytes[i] = (char)(0x80 | (character >> 6 * (n_more - i) & 0x3f));
    return n_more + 1;
}
