/* SPDX-License-Identifier: MIT */
/*
 * The judge of archives checks that the text is a value of ASN.1 as BLAST writes it (X.680, value notation):
 *
 *   - A word is an identifier: it begins with a small letter, and has letters, digits and single hyphens.
 *     Capitals are values: TRUE, FALSE, NULL, and those of real numbers.
 *   - A number is digits, with a '-' before them or not, without leading zeros.
 *   - A string stands between quotes, and a quote in it is doubled. BLAST breaks long strings into lines, and
 *     the line breaks are no part of them.
 *   - Bits stand between apostrophes, with H for hexadecimal digits or B for binary ones after them; they are
 *     broken into lines, too.
 *
 * Comments of ASN.1 are refused: BLAST writes none, and two hyphens are rather damage.
 */
#include "mark/archive/archive.h"

#include <string.h>

static const char name[] = "Blast4-archive";
static const char assign[] = "::=";

/* --- bytes --------------------------------------------------------------------------------------- */

static inline bool is_lower(uint8_t byte) {
    return byte >= 'a' && byte <= 'z';
}

static inline bool is_upper(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z';
}

static inline bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static inline bool is_of_word(uint8_t byte) {
    return is_lower(byte) || is_upper(byte) || is_digit(byte);
}

/* In a string. A tab is none that BLAST writes, and does no harm. Other control characters are damage. */
static inline bool is_plain(uint8_t byte) {
    return (byte >= 0x20 && byte != '"') || byte == '\t';
}

static size_t fail_expected(struct bm_mark_archive *archive, uint8_t byte, const char *expected) {
    char shown[BM_MARK_SHOWN_BYTE];
    (void)bm_mark_fail(&archive->mark, archive->mark.position, "%s was expected here, not %s", expected,
                       bm_mark_show_byte(byte, shown));
    return 0;
}

/* --- tokens -------------------------------------------------------------------------------------- */

static void go(struct bm_mark_archive *archive, enum bm_mark_archive_state state) {
    archive->state = (uint8_t)state;
}

static size_t begin_value(struct bm_mark_archive *archive, uint8_t byte, enum bm_mark_archive_state state) {
    if (!bm_mark_archive_begin_value(archive, byte, archive->mark.position)) return 0;
    archive->token_at = archive->mark.position;
    archive->n_value = 0;
    go(archive, state);
    return 1;
}

/* A number or a word that is a value: its first byte is content. */
static size_t begin_content(struct bm_mark_archive *archive, uint8_t byte, enum bm_mark_archive_state state) {
    size_t n = begin_value(archive, byte, state);
    if (n > 0) bm_mark_archive_add(archive, &byte, 1);
    return n;
}

/* What is longer is cut, so that the bytes kept do not depend on the pieces. */
static void add_to_words(struct bm_mark_archive *archive, const void *bytes, size_t n_bytes) {
    if (archive->n_words > BM_ARCHIVE_MAX_WORDS) return;
    size_t n_room = BM_ARCHIVE_MAX_WORDS - archive->n_words;
    size_t n = n_bytes < n_room ? n_bytes : n_room;
    memcpy(archive->words + archive->n_words, bytes, n);
    archive->n_words = (uint8_t)(archive->n_words + n + (n < n_bytes));
}

static void begin_word(struct bm_mark_archive *archive) {
    if (archive->n_words > 0) add_to_words(archive, " ", 1);
    go(archive, BM_ARCHIVE_WORD);
}

static size_t close_block(struct bm_mark_archive *archive) {
    return bm_mark_archive_close(archive, archive->mark.position) ? 1 : 0;
}

static size_t begin_next(struct bm_mark_archive *archive) {
    bm_mark_archive_separate(archive);
    go(archive, BM_ARCHIVE_ELEMENT);
    return 1;
}

/* WORDS: what may come after them, besides a value. */
static size_t end_words(struct bm_mark_archive *archive, uint8_t byte) {
    if (!bm_mark_archive_end_words(archive, archive->mark.position)) return 0;
    go(archive, BM_ARCHIVE_NEXT);
    return byte == ',' ? begin_next(archive) : close_block(archive);
}

/* FIRST, ELEMENT and WORDS. */
static size_t take_element(struct bm_mark_archive *archive, uint8_t byte) {
    bool is_begin = archive->state != BM_ARCHIVE_WORDS;
    if (!is_begin && (byte == ',' || byte == '}')) return end_words(archive, byte);
    if (archive->state == BM_ARCHIVE_FIRST && byte == '}') return close_block(archive);
    bool begins_value = byte == '{' || byte == '"' || byte == '\'' || byte == '-' || is_digit(byte);
    if (!begins_value && !is_lower(byte) && !is_upper(byte))
        return fail_expected(archive, byte,
                             is_begin ? "an element" : "a value, or ',' or '}' after an element,");
    if (is_begin) bm_mark_archive_begin_element(archive, archive->mark.position);
    if (is_lower(byte)) {
        begin_word(archive);
        return 0;
    }
    switch (byte) {
    case '{':
        return bm_mark_archive_open(archive, archive->mark.position) ? 1 : 0;
    case '"':
        return begin_value(archive, byte, BM_ARCHIVE_STRING);
    case '\'':
        return begin_value(archive, byte, BM_ARCHIVE_BITS);
    case '-':
        return begin_content(archive, byte, BM_ARCHIVE_MINUS);
    case '0':
        return begin_content(archive, byte, BM_ARCHIVE_ZERO);
    default:
        if (is_digit(byte)) return begin_content(archive, byte, BM_ARCHIVE_NUMBER);
        if (!bm_mark_archive_begin_value(archive, byte, archive->mark.position)) return 0;
        archive->token_at = archive->mark.position;
        archive->n_value = 0;
        go(archive, BM_ARCHIVE_VALUE);
        return 0;
    }
}

static size_t take_next(struct bm_mark_archive *archive, uint8_t byte) {
    if (byte == ',') return begin_next(archive);
    if (byte == '}') return close_block(archive);
    return fail_expected(archive, byte, "',' or '}' after a value");
}

static size_t end_value(struct bm_mark_archive *archive, size_t n_last) {
    go(archive, BM_ARCHIVE_NEXT);
    bm_mark_archive_end_value(archive, archive->mark.position + n_last);
    return n_last;
}

/* --- words --------------------------------------------------------------------------------------- */

static size_t take_word(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && is_of_word(text[n])) n++;
    add_to_words(archive, text, n);
    if (n == n_text) return n;
    go(archive, text[n] == '-' ? BM_ARCHIVE_HYPHEN : BM_ARCHIVE_WORDS);
    if (archive->state != BM_ARCHIVE_HYPHEN) return n;
    add_to_words(archive, "-", 1);
    return n + 1;
}

static size_t take_hyphen(struct bm_mark_archive *archive, uint8_t byte) {
    if (!is_of_word(byte)) return fail_expected(archive, byte, "a letter or digit after a word's hyphen");
    go(archive, BM_ARCHIVE_WORD);
    return 0;
}

static bool is_value(const char *word, size_t n_word) {
    static const char *const values[] = {"TRUE",          "FALSE",          "NULL",
                                         "PLUS-INFINITY", "MINUS-INFINITY", "NOT-A-NUMBER"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strlen(values[i]) == n_word && memcmp(values[i], word, n_word) == 0) return true;
    return false;
}

static size_t take_value(struct bm_mark_archive *archive, uint8_t byte) {
    bool is_of_value = is_of_word(byte) || byte == '-';
    if (is_of_value && archive->n_value < BM_ARCHIVE_MAX_VALUE) {
        archive->value[archive->n_value++] = (char)byte;
        return 1;
    }
    if (is_of_value || !is_value(archive->value, archive->n_value)) {
        (void)bm_mark_fail(&archive->mark, archive->token_at,
                           "\"%.*s\" here begins with a capital, but is none of ASN.1's values",
                           (int)archive->n_value, archive->value);
        return 0;
    }
    bm_mark_archive_add(archive, (const uint8_t *)archive->value, archive->n_value);
    return end_value(archive, 0);
}

/* --- numbers ------------------------------------------------------------------------------------- */

static size_t take_minus(struct bm_mark_archive *archive, uint8_t byte) {
    if (!is_digit(byte)) return fail_expected(archive, byte, "a number's digit");
    bm_mark_archive_add(archive, &byte, 1);
    go(archive, byte == '0' ? BM_ARCHIVE_ZERO : BM_ARCHIVE_NUMBER);
    return 1;
}

/* ZERO and NUMBER. */
static size_t take_number(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    if (archive->state == BM_ARCHIVE_ZERO && is_digit(text[0])) {
        (void)bm_mark_fail(&archive->mark, archive->mark.position,
                           "a number has a leading zero, which ASN.1 does not allow");
        return 0;
    }
    while (n < n_text && is_digit(text[n])) n++;
    if (n > 0) bm_mark_archive_add(archive, text, n);
    if (n == n_text) return n;
    bool is_end = bm_mark_is_space(text[n]) || text[n] == ',' || text[n] == '}';
    if (is_end) return end_value(archive, n);
    return n > 0 ? n : fail_expected(archive, text[n], "',' or '}' after a value");
}

/* --- strings and bits ---------------------------------------------------------------------------- */

/* How much of a string can be taken before the content that a mark will report is too long. */
static size_t limit_content(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    if (!archive->content.is_held) return n_text;
    uint64_t n_held = archive->mark.position - archive->content.at;
    if (n_held > BM_MARK_MAX_CONTENT || (n_held == BM_MARK_MAX_CONTENT && text[0] != '"')) {
        bm_mark_archive_cut_content(archive, archive->mark.position);
        return n_text;
    }
    return n_text < BM_MARK_MAX_CONTENT - n_held || n_held == BM_MARK_MAX_CONTENT
               ? n_text
               : (size_t)(BM_MARK_MAX_CONTENT - n_held);
}

static size_t take_string(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    n_text = limit_content(archive, text, n_text);
    while (n < n_text && is_plain(text[n])) n++;
    if (n > 0) {
        bm_mark_archive_add(archive, text, n);
        return n;
    }
    if (text[0] == '"') {
        go(archive, BM_ARCHIVE_QUOTE);
        return 1;
    }
    if (text[0] == '\n' || text[0] == '\r') {
        archive->is_cut = true;
        return 1;
    }
    return fail_expected(archive, text[0], "a string's text or its '\"'");
}

static size_t take_quote(struct bm_mark_archive *archive, uint8_t byte) {
    if (byte != '"') return end_value(archive, 0);
    archive->is_cut = true;
    bm_mark_archive_add(archive, &byte, 1);
    go(archive, BM_ARCHIVE_STRING);
    return 1;
}

static bool is_hexadecimal(uint8_t byte) {
    return is_digit(byte) || (byte >= 'A' && byte <= 'F');
}

static size_t take_bits(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && is_hexadecimal(text[n])) {
        if (text[n] > '1') archive->n_value = 1; /* these are not binary */
        n++;
    }
    if (n > 0) {
        bm_mark_archive_add(archive, text, n);
        return n;
    }
    if (text[0] == '\n' || text[0] == '\r') return 1;
    if (text[0] != '\'') return fail_expected(archive, text[0], "a hexadecimal digit or \"'\"");
    go(archive, BM_ARCHIVE_BITS_END);
    return 1;
}

static size_t take_bits_end(struct bm_mark_archive *archive, uint8_t byte) {
    bool is_binary = archive->n_value == 0;
    if (byte == 'H' || (byte == 'B' && is_binary)) return end_value(archive, 1);
    return fail_expected(archive, byte, is_binary ? "H or B after bits" : "H after hexadecimal digits");
}

/* --- archives ------------------------------------------------------------------------------------ */

/* Between archives. */
static size_t take_outside(struct bm_mark_archive *archive, uint8_t byte) {
    bool is_first = archive->n_matched == 0;
    if (byte != (uint8_t)name[0])
        return fail_expected(archive, byte,
                             is_first ? "a BLAST archive, \"Blast4-archive ::= {\","
                                      : "the end, or another archive's \"Blast4-archive ::= {\",");
    bm_mark_archive_begin(archive, archive->mark.position);
    archive->token_at = archive->mark.position;
    archive->n_matched = 1;
    go(archive, BM_ARCHIVE_NAME);
    return 1;
}

/* NAME and ASSIGN. */
static size_t match(struct bm_mark_archive *archive, uint8_t byte, const char *word,
                    enum bm_mark_archive_state after) {
    if (byte != (uint8_t)word[archive->n_matched]) {
        (void)bm_mark_fail(&archive->mark, archive->token_at, "\"%s ::= {\" was expected here", name);
        return 0;
    }
    archive->n_matched++;
    if (word[archive->n_matched] == '\0') go(archive, after);
    return 1;
}

/* NAMED and ROOT. */
static size_t take_head(struct bm_mark_archive *archive, uint8_t byte) {
    if (archive->state == BM_ARCHIVE_NAMED) {
        archive->n_matched = 0;
        go(archive, BM_ARCHIVE_ASSIGN);
        return 0;
    }
    if (byte != '{') return fail_expected(archive, byte, "an archive's '{'");
    return bm_mark_archive_open(archive, archive->mark.position) ? 1 : 0;
}

/* --- all states ---------------------------------------------------------------------------------- */

static bool is_between_tokens(const struct bm_mark_archive *archive) {
    return archive->state <= BM_ARCHIVE_NEXT && archive->state != BM_ARCHIVE_NAME &&
           archive->state != BM_ARCHIVE_ASSIGN;
}

static size_t skip_blanks(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && bm_mark_is_space(text[n])) n++;
    if (archive->state == BM_ARCHIVE_OUTSIDE && memchr(text, '\n', n) != NULL) archive->line_is_open = false;
    return n;
}

size_t bm_mark_archive_take(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text) {
    if (is_between_tokens(archive)) {
        size_t n = skip_blanks(archive, text, n_text);
        if (n > 0) return n;
    }
    switch ((enum bm_mark_archive_state)archive->state) {
    case BM_ARCHIVE_OUTSIDE:
        return take_outside(archive, text[0]);
    case BM_ARCHIVE_NAME:
        return match(archive, text[0], name, BM_ARCHIVE_NAMED);
    case BM_ARCHIVE_ASSIGN:
        return match(archive, text[0], assign, BM_ARCHIVE_ROOT);
    case BM_ARCHIVE_NAMED:
    case BM_ARCHIVE_ROOT:
        return take_head(archive, text[0]);
    case BM_ARCHIVE_FIRST:
    case BM_ARCHIVE_ELEMENT:
    case BM_ARCHIVE_WORDS:
        return take_element(archive, text[0]);
    case BM_ARCHIVE_NEXT:
        return take_next(archive, text[0]);
    case BM_ARCHIVE_WORD:
        return take_word(archive, text, n_text);
    case BM_ARCHIVE_HYPHEN:
        return take_hyphen(archive, text[0]);
    case BM_ARCHIVE_VALUE:
        return take_value(archive, text[0]);
    case BM_ARCHIVE_MINUS:
        return take_minus(archive, text[0]);
    case BM_ARCHIVE_ZERO:
    case BM_ARCHIVE_NUMBER:
        return take_number(archive, text, n_text);
    case BM_ARCHIVE_STRING:
        return take_string(archive, text, n_text);
    case BM_ARCHIVE_QUOTE:
        return take_quote(archive, text[0]);
    case BM_ARCHIVE_BITS:
        return take_bits(archive, text, n_text);
    case BM_ARCHIVE_BITS_END:
        return take_bits_end(archive, text[0]);
    }
    return 0;
}

bool bm_mark_archive_fail_end(struct bm_mark_archive *archive) {
    const char *where = archive->state == BM_ARCHIVE_OUTSIDE ? "before an archive"
                        : archive->state == BM_ARCHIVE_STRING || archive->state == BM_ARCHIVE_QUOTE
                            ? "in a string"
                        : archive->state >= BM_ARCHIVE_BITS ? "in a string of bits"
                        : archive->depth > 0                ? "in an archive"
                                                            : "in an archive's first line";
    return bm_mark_fail(&archive->mark, archive->mark.position, "the text ends %s: it is cut short", where);
}
