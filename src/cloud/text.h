/* SPDX-License-Identifier: MIT */
/*
 * cloud/text.h - strings that are built in a buffer of a given size, and the encodings of the web.
 */
#ifndef BM_CLOUD_TEXT_H
#define BM_CLOUD_TEXT_H

#include "base/base.h"

/* A string that grows in its owner's memory; always ends in NUL. */
struct bm_cloud_text {
    char *data;
    size_t size; /* of the memory */
    size_t n;    /* bytes so far, without the NUL */
    bool is_cut; /* something did not fit */
};

struct bm_cloud_text bm_cloud_text_in(char *data, size_t size);
void bm_cloud_text_add(struct bm_cloud_text *text, const char *string);
void bm_cloud_text_add_bytes(struct bm_cloud_text *text, const char *bytes, size_t n_bytes);
void bm_cloud_text_format(struct bm_cloud_text *text, const char *format, ...) BM_FORMAT(2, 3);

/* Adds a header's line: "Name: kind value\n". Every header is made here. If the value has a control character,
 * such as a line feed that would begin another header, nothing is added and the text counts as cut. */
void bm_cloud_text_header(struct bm_cloud_text *text, const char *name, const char *kind, const char *value);

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ and, if keeps_slash, the slash (RFC 3986, 2.3). */
void bm_cloud_text_encode(struct bm_cloud_text *text, const char *bytes, size_t n_bytes, bool keeps_slash);
void bm_cloud_text_decode(struct bm_cloud_text *text, const char *bytes, size_t n_bytes);

void bm_cloud_text_base64(struct bm_cloud_text *text, const uint8_t *bytes, size_t n_bytes);
void bm_cloud_text_hex(struct bm_cloud_text *text, const uint8_t *bytes, size_t n_bytes);

/* Decodes base64 to at most `size` bytes; false if it is invalid, or longer. */
bool bm_cloud_base64_decode(const char *string, uint8_t *bytes, size_t size, size_t *n_bytes);

/* Copies a string if it fits with its NUL; otherwise `place` becomes empty and the result is false. */
bool bm_cloud_copy_text(char *place, size_t size, const char *string);
bool bm_cloud_copy_bytes(char *place, size_t size, const char *bytes, size_t n_bytes);

/* The lower case of an ASCII letter; any other character unchanged. */
char bm_cloud_lower(char c);

/* Whether it is a control character of ASCII, in any locale. */
bool bm_cloud_is_control(char c);

/* Whether they are equal, without regard to the case of ASCII letters. */
bool bm_cloud_is_same_word(const char *a, size_t n_a, const char *b);

/* The value of a header in lines of "Name: value\n", or NULL; *n_value its length. */
const char *bm_cloud_find_header(const char *headers, const char *name, size_t *n_value);

/* Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT" or "1994-11-06T08:49:37Z"; -1 if it is neither. */
int64_t bm_cloud_parse_time(const char *string);

/* Parses digits and nothing else, up to n_bytes; false if there are none, or too many. */
bool bm_cloud_parse_count(const char *string, size_t n_bytes, uint64_t *value);

#endif
