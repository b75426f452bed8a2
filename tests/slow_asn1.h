/* SPDX-License-Identifier: MIT */
/*
 * A slow reader of archives, which shares no code with the scanner. It reads the whole text, by recursion, as X.680 has
 * it, and knows nothing of BLAST but the archive's name.
 */
#ifndef SLOW_ASN1_H
#define SLOW_ASN1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SLOW_ASN1_DEPTH = 64 }; /* blocks that may be open at once: docs/limits.md */

struct slow_asn1 {
    const uint8_t *at;
    const uint8_t *end;
    bool is_wrong;
};

static inline bool is_one_of(int c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

static const char small_letters[] = "abcdefghijklmnopqrstuvwxyz";
static const char letters_and_digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static inline int peek(struct slow_asn1 *reader) {
    return reader->at < reader->end ? *reader->at : -1;
}

static inline int peek_token(struct slow_asn1 *reader) {
    while (reader->at < reader->end && is_one_of(*reader->at, " \t\r\n")) reader->at++;
    return peek(reader);
}

static inline bool skip_word(struct slow_asn1 *reader, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(reader->end - reader->at) < n || memcmp(reader->at, word, n) != 0) return false;
    reader->at += n;
    return true;
}

static inline void expect(struct slow_asn1 *reader, bool is_right) {
    if (!is_right) reader->is_wrong = true;
}

static inline void read_identifier(struct slow_asn1 *reader) {
    bool after_hyphen = false;
    while (peek(reader) == '-' || (peek(reader) > 0 && is_one_of(peek(reader), letters_and_digits))) {
        expect(reader, !(after_hyphen && peek(reader) == '-'));
        after_hyphen = *reader->at++ == '-';
    }
    expect(reader, !after_hyphen);
}

static inline void read_capitals(struct slow_asn1 *reader) {
    static const char *const words[] = {"TRUE",          "FALSE",          "NULL",
                                        "PLUS-INFINITY", "MINUS-INFINITY", "NOT-A-NUMBER"};
    bool is_known = false;
    for (size_t i = 0; i < 6 && !is_known; i++) is_known = skip_word(reader, words[i]);
    expect(reader, is_known && peek(reader) != '-' &&
                       !(peek(reader) > 0 && is_one_of(peek(reader), letters_and_digits)));
}

static inline void read_number(struct slow_asn1 *reader) {
    if (peek(reader) == '-') reader->at++;
    const uint8_t *begin = reader->at;
    while (peek(reader) >= '0' && peek(reader) <= '9') reader->at++;
    expect(reader, reader->at > begin && (*begin != '0' || reader->at == begin + 1));
    expect(reader, peek(reader) < 0 || is_one_of(peek(reader), " \t\r\n,}"));
}

static inline void read_string(struct slow_asn1 *reader) {
    reader->at++;
    for (;;) {
        int c = peek(reader);
        if (c < 0) break;
        reader->at++;
        if (c == '"' && peek(reader) != '"') return;
        if (c == '"') reader->at++;
        if (c < 0x20 && !is_one_of(c, "\t\r\n")) break;
    }
    reader->is_wrong = true;
}

static inline void read_bits(struct slow_asn1 *reader) {
    bool is_binary = true;
    reader->at++;
    while (peek(reader) >= 0 && is_one_of(peek(reader), "0123456789ABCDEF\r\n"))
        is_binary = !is_one_of(*reader->at++, "23456789ABCDEF") && is_binary;
    expect(reader,
           skip_word(reader, "'") && (skip_word(reader, "H") || (is_binary && skip_word(reader, "B"))));
}

static inline void read_block(struct slow_asn1 *reader, unsigned depth);

static inline void read_element(struct slow_asn1 *reader, unsigned depth) {
    bool has_word = false;
    while (!reader->is_wrong && peek_token(reader) > 0 && is_one_of(peek(reader), small_letters)) {
        read_identifier(reader);
        has_word = true;
    }
    int c = peek_token(reader);
    if (c == '{')
        read_block(reader, depth);
    else if (c == '"')
        read_string(reader);
    else if (c == '\'')
        read_bits(reader);
    else if (c == '-' || (c >= '0' && c <= '9'))
        read_number(reader);
    else if (c >= 'A' && c <= 'Z')
        read_capitals(reader);
    else
        expect(reader, has_word);
}

static inline void read_block(struct slow_asn1 *reader, unsigned depth) {
    reader->at++;
    expect(reader, depth < SLOW_ASN1_DEPTH);
    if (peek_token(reader) == '}') {
        reader->at++;
        return;
    }
    while (!reader->is_wrong) {
        read_element(reader, depth + 1);
        int c = peek_token(reader);
        expect(reader, c == ',' || c == '}');
        if (reader->is_wrong) return;
        reader->at++;
        if (c == '}') return;
    }
}

/* One archive. False: there is none. */
static inline bool slow_asn1_archive(struct slow_asn1 *reader) {
    expect(reader, skip_word(reader, "Blast4-archive"));
    (void)peek_token(reader);
    expect(reader, skip_word(reader, "::="));
    expect(reader, peek_token(reader) == '{');
    if (!reader->is_wrong) read_block(reader, 0);
    return !reader->is_wrong;
}

/* Whether the text is archives, as far as ASN.1 goes. */
static inline bool slow_asn1_is_archives(const uint8_t *text, size_t n_text) {
    struct slow_asn1 reader = {text, text + n_text, false};
    size_t n = 0;
    while (peek_token(&reader) >= 0 && slow_asn1_archive(&reader)) n++;
    return n > 0 && !reader.is_wrong;
}

#endif
