/* SPDX-License-Identifier: MIT */
/*
 * A query of an archive has an id, a title and a length. Its title is the definition line as BLAST changed it. Beside
 * that stands the line as the user wrote it, as a value of the name "DefLine":
 *
 *     user { type str "CFastaReader", data { { label str "DefLine", data str ">q1 it\'s ""1""" } } }
 *
 * There, characters beyond ASCII, quotes and backslashes are written as C writes them. This line decides, if it is
 * there: it has all that was in the file. A later round of PSI-BLAST has none, and a query that is only named has
 * neither title nor line.
 */
#include "mark/query.h"

#include <string.h>

/* The text that is left. */
struct text {
    const char *at;
    const char *end;
};

/* A word, a number or a string. */
struct token {
    const char *text;
    size_t n;
    bool is_string; /* the text is between the quotes, as it is written */
    bool is_cut;    /* a string that goes on behind the text */
};

static bool is_of_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* False: there is none, or it is a word that may go on. */
static bool next_token(struct text *text, struct token *token) {
    while (text->at < text->end && *text->at != '"' && !is_of_word(*text->at)) text->at++;
    if (text->at == text->end) return false;
    token->is_string = *text->at == '"';
    if (token->is_string) text->at++;
    token->text = text->at;
    for (; text->at < text->end; text->at++) {
        bool is_pair = token->is_string && *text->at == '"' && text->end - text->at > 1 && text->at[1] == '"';
        if (is_pair)
            text->at++;
        else if (token->is_string ? *text->at == '"' : !is_of_word(*text->at))
            break;
    }
    token->n = (size_t)(text->at - token->text);
    token->is_cut = text->at == text->end;
    if (token->is_cut) return token->is_string;
    text->at += token->is_string;
    return true;
}

static bool is_word(const struct token *token, const char *word) {
    return token->n == strlen(word) && memcmp(token->text, word, token->n) == 0;
}

/* --- strings ------------------------------------------------------------------------------------- */

/* The string without line breaks, and each doubled quote as one. */
static size_t read_string(char *to, size_t capacity, const struct token *token, bool *is_cut) {
    size_t n = 0;
    *is_cut = token->is_cut;
    for (size_t i = 0; i < token->n; i++) {
        char c = token->text[i];
        if (c == '\n' || c == '\r') continue;
        if (n == capacity) {
            *is_cut = true;
            break;
        }
        to[n++] = c;
        i += c == '"';
    }
    return n;
}

static bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/* What C's escapes stand for, in place; returns the bytes. */
static size_t unescape(char *text, size_t n_text) {
    static const char letters[] = "abfnrtv";
    static const char meanings[] = "\a\b\f\n\r\t\v";
    size_t n = 0;
    for (size_t i = 0; i < n_text;) {
        char c = text[i++];
        if (c != '\\' || i == n_text) {
            text[n++] = c;
            continue;
        }
        unsigned code = 0;
        size_t n_digits = 0;
        while (n_digits < 3 && i < n_text && is_octal(text[i])) {
            code = code * 8 + (unsigned)(text[i++] - '0');
            n_digits++;
        }
        const char *letter = n_digits > 0 ? NULL : strchr(letters, text[i]);
        if (n_digits > 0)
            text[n++] = (char)code;
        else
            text[n++] = letter != NULL && text[i] != '\0' ? meanings[letter - letters] : text[i];
        i += n_digits == 0;
    }
    return n;
}

/* --- a query ------------------------------------------------------------------------------------- */

static void read_id(struct bm_mark_query *query, const struct token *token) {
    bool is_cut = false;
    if (query->n_id > 0 || token->is_cut) return;
    query->n_id = read_string(query->id, BM_MARK_MAX_ID, token, &is_cut);
    query->id[query->n_id] = '\0';
}

static void read_title(struct bm_mark_query *query, const struct token *token) {
    if (query->has_line) return;
    query->n_title = read_string(query->title, sizeof query->title, token, &query->is_cut);
}

static void read_line(struct bm_mark_query *query, const struct token *token) {
    size_t n = unescape(query->title, read_string(query->title, sizeof query->title, token, &query->is_cut));
    query->has_line = n > 0 && query->title[0] == '>';
    query->n_title = query->has_line ? n - 1 : n;
    if (query->has_line) memmove(query->title, query->title + 1, query->n_title);
}

static uint64_t read_number(const struct token *token) {
    uint64_t number = 0;
    for (size_t i = 0; i < token->n && i < 18 && token->text[i] >= '0' && token->text[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(token->text[i] - '0');
    return number;
}

void bm_mark_query_read(struct bm_mark_query *query, const char *text, size_t n_text) {
    struct text rest = {text, text + n_text};
    struct token before = {"", 0, false, false}, token;
    bool is_named = n_text > 0 && text[0] != '{'; /* and its sequence is not there */
    bool is_line = false;
    uint64_t from = 0;
    memset(query, 0, sizeof *query);
    while (next_token(&rest, &token)) {
        if (token.is_string) {
            if (is_word(&before, "title"))
                read_title(query, &token);
            else if (is_line)
                read_line(query, &token);
            else if (is_word(&before, "accession") || (is_word(&before, "str") && query->n_id == 0))
                read_id(query, &token);
            is_line = is_word(&token, "DefLine");
        } else if (is_word(&before, "length") || (is_named && is_word(&before, "to"))) {
            query->length = read_number(&token) + (is_named ? 1 - from : 0);
            query->has_length = true;
        } else if (is_named && is_word(&before, "from")) {
            from = read_number(&token);
        }
        if (is_word(&token, "seq-data")) break;
        before = token;
    }
}
