/* SPDX-License-Identifier: MIT */
/*
 * base/utf8.h - UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing beyond U+10FFFF.
 */
#ifndef BM_UTF8_H
#define BM_UTF8_H

#include "base/base.h"

enum { BM_UTF8_MOST = 4 }; /* bytes of a character */

/* A character whose bytes come one by one. All zero: none has begun. */
struct bm_utf8 {
    uint8_t bytes[BM_UTF8_MOST]; /* the bytes so far: n of them */
    uint8_t n;
    uint8_t n_missing; /* bytes that are still to come */
    uint8_t low;       /* the range of the next one */
    uint8_t high;
    uint32_t code_point; /* of the bytes so far */
};

/* Begins a character of several bytes. False, and nothing has changed, if this byte begins none. */
bool bm_utf8_begin(struct bm_utf8 *utf8, uint8_t byte);

/* Adds the next byte of a character that has begun; it is complete if n_missing is 0 then. False, and nothing has
 * changed, if this byte does not go on with it. */
bool bm_utf8_continue(struct bm_utf8 *utf8, uint8_t byte);

/* The bytes of the character that begins here, of n_text bytes; 0 if none does. A NUL behind its first byte ends the
 * text, too. */
size_t bm_utf8_read(const char *text, size_t n_text, uint32_t *character);

/* Writes a character, U+10FFFF at the most, and returns how many bytes that were. */
size_t bm_utf8_write(char bytes[BM_UTF8_MOST], uint32_t character);

#endif
