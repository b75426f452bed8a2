/* SPDX-License-Identifier: MIT */
/*
 * BLAST changes the title that it has read into the one that it writes, and with -parse_deflines it makes an id
 * of the first word. These rules were found by experiment: docs/queries.md.
 */
#include "queries/name.h"
#include "base/entity.h"
#include "base/utf8.h"
#include "mark/mark.h"

#include <string.h>
#include <strings.h>

/* --- characters ---------------------------------------------------------------------------------- */

static bool is_white(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_control(char c) {
    return (unsigned char)c < ' ';
}

/* What BLAST drops at a title's end. */
static bool is_dropped(char c) {
    return c == ' ' || c == ',' || c == '.' || c == ';' || c == '~';
}

/* Whether a blank between the two counts for nothing. */
static bool is_idle(char before, char after) {
    return before == ',' || before == '(' || after == ',' || after == ';' || after == ')' || after == ' ';
}

/* The character that a reference in a title stands for; 0: none. Of the named ones BLAST can write only those
 * of ISO-8859-1. */
static uint32_t resolve(const char *reference, size_t n) {
    static const char names[] =
        "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 "
        "sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc "
        "Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve "
        "Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute "
        "acirc "
        "atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve "
        "oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml ";
    if (n > 0 && reference[0] == '#') return bm_entity_number(reference, n);
    if (n == 0 || n > 6) return 0;
    char entity = bm_entity_find(reference, n);
    if (entity != '\0') return (uint8_t)entity;
    uint32_t code = 160;
    for (const char *name = names; *name != '\0'; name += strcspn(name, " ") + 1, code++)
        if (strcspn(name, " ") == n && memcmp(name, reference, n) == 0) return code;
    return 0;
}

/* --- titles -------------------------------------------------------------------------------------- */

/* Marks that BLAST takes off a title's begin: "TPA: ", "TPA_inf: ", "TSA: ", "MAG: ", "UNVERIFIED: ". */
static size_t find_mark(const char *text, size_t n) {
    static const char *const marks[] = {"TPA", "TSA", "TLS", "MAG", "MAG TPA", "UNVERIFIED"};
    const char *colon = memchr(text, ':', n < 24 ? n : 24);
    size_t n_mark = colon == NULL ? 0 : (size_t)(colon - text);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t n_known = strlen(marks[i]);
        if (n_mark < n_known || strncasecmp(text, marks[i], n_known) != 0) continue;
        if (n_mark == n_known || text[n_known] == '_') return n_mark + 1;
    }
    return 0;
}

struct text {
    const char *from;
    const char *end;
};

/* What BLAST keeps of a title, but for blanks inside. */
static struct text trim(const char *title, size_t n_title, bool is_cut) {
    struct text text = {title, title + n_title};
    while (text.from < text.end && is_white(*text.from)) text.from++;
    const char *control = text.from;
    while (control < text.end && (control == text.from || !is_control(*control))) control++;
    if (control < text.end) is_cut = false;
    text.end = control;
    while (!is_cut && text.end > text.from && is_dropped(text.end[-1])) text.end--;
    if (text.end == text.from && control > text.from) text.end++; /* there is nothing else: one is kept */
    size_t n_mark = find_mark(text.from, (size_t)(text.end - text.from));
    text.from += n_mark;
    while (n_mark > 0 && text.from < text.end && is_white(*text.from)) text.from++;
    return text;
}

/* Copies the text without blanks that count for nothing, at most `capacity` bytes, up to the first blank that
 * counts if only a word is wanted. */
static size_t tidy(char *to, size_t capacity, struct text text, bool is_word) {
    size_t n = 0;
    for (const char *from = text.from; from < text.end && n < capacity; from++) {
        char last = n == 0 ? '\0' : to[n - 1];
        if (*from == ' ' && (from + 1 == text.end || is_idle(last, from[1]))) continue;
        if (*from == ',' && last == ',') continue;
        if (*from == ' ' && is_word) break;
        to[n++] = from == text.from && is_control(*from) ? '#' : *from;
    }
    return n;
}

void bm_queries_word_of_title(struct bm_queries_word *word, const char *title, size_t n_title, bool is_cut) {
    word->n = tidy(word->bytes, BM_QUERIES_WORD, trim(title, n_title, is_cut), true);
    word->bytes[word->n] = '\0';
}

/* Likewise for a title whose references BLAST resolves. A character is never longer than its reference. */
static void resolve_title(struct bm_queries_word *word, const char *title, size_t n_title, bool is_cut) {
    char text[2 * BM_QUERIES_WORD];
    size_t n = tidy(text, sizeof text, trim(title, n_title, is_cut), false);
    size_t n_resolved = 0;
    for (size_t i = 0; i < n;) {
        size_t n_rest = n - i < 32 ? n - i : 32;
        const char *end = text[i] == '&' ? memchr(text + i, ';', n_rest) : NULL;
        uint32_t code = end == NULL ? 0 : resolve(text + i + 1, (size_t)(end - text) - i - 1);
        if (code == 0) {
            text[n_resolved++] = text[i++];
        } else {
            if (code < ' ' && !is_white((char)code)) code = '#'; /* as BLAST writes it */
            i = (size_t)(end - text) + 1;
            n_resolved += bm_utf8_write(text + n_resolved, code);
        }
    }
    bm_queries_word_of_title(word, text, n_resolved, is_cut || n == sizeof text);
}

/* "chr1:100-200", "chr1:c200-100" */
static bool ends_in_range(const struct bm_queries_word *token) {
    const char *at = token->bytes + token->n;
    const char *end = at;
    while (at > token->bytes && is_digit(at[-1])) at--;
    if (at == end || at == token->bytes || *--at != '-') return false;
    end = at;
    while (at > token->bytes && is_digit(at[-1])) at--;
    if (at == end || at == token->bytes) return false;
    if (at[-1] == 'c') at--;
    return at - 1 > token->bytes && at[-1] == ':';
}

void bm_queries_names_read(struct bm_queries_names *names, const char *title, size_t n_title, bool is_cut) {
    size_t from = 0;
    while (from < n_title && is_white(title[from])) from++;
    size_t to = from;
    while (to < n_title && !is_white(title[to]) && (to == from || !is_control(title[to]))) to++;
    names->token.n = to - from < BM_QUERIES_WORD ? to - from : BM_QUERIES_WORD;
    memcpy(names->token.bytes, title + from, names->token.n);
    names->token.bytes[names->token.n] = '\0';
    names->has_range = ends_in_range(&names->token);
    bm_queries_word_of_title(&names->plain, title, n_title, is_cut);
    resolve_title(&names->title, title, n_title, is_cut);
    resolve_title(&names->rest, title + to, n_title - to, is_cut);
    bm_queries_word_of_title(&names->plain_rest, title + to, n_title - to, is_cut);
}

/* --- words --------------------------------------------------------------------------------------- */

bool bm_queries_word_is_same(const struct bm_queries_word *name, const struct bm_queries_word *word) {
    size_t n = 0;
    if (name->n == word->n && memcmp(name->bytes, word->bytes, name->n) == 0) return true;
    for (size_t i = 0; i < name->n; i++, n++) {
        unsigned byte = (unsigned char)name->bytes[i];
        if ((byte & 0xfe) == 0xc2 && i + 1 < name->n)
            byte = (byte & 3) << 6 | ((unsigned char)name->bytes[++i] & 0x3f);
        if (n == word->n || (unsigned char)word->bytes[n] != byte) return false;
    }
    return n == word->n;
}

bool bm_queries_word_is_generated(const struct bm_queries_word *id) {
    return id->n == 0 || bm_mark_is_generated(id->bytes, id->n);
}

/* --- ids ----------------------------------------------------------------------------------------- */

struct part {
    const char *text;
    size_t n;
};

static struct part take_part(const char **text) {
    struct part part = {*text, strcspn(*text, "|")};
    *text += part.n + ((*text)[part.n] == '|');
    return part;
}

static bool is_part(struct part part, const char *type) {
    return part.n == strlen(type) && strncasecmp(part.text, type, part.n) == 0;
}

/* Takes the part from *id, if it begins with it. */
static bool take(const char **id, struct part part) {
    if (part.n == 0 || strncmp(*id, part.text, part.n) != 0) return false;
    *id += part.n;
    return true;
}

/* Whether the id is one part, a sign, and another. */
static bool is_pair(const char *id, struct part one, char sign, struct part other) {
    return take(&id, one) && *id++ == sign && take(&id, other) && *id == '\0';
}

/* Whether the id is the accession, perhaps without its version. */
static bool is_accession(const char *id, struct part part) {
    const char *rest = id;
    if (take(&rest, part) && *rest == '\0') return true;
    size_t n_plain = part.n;
    while (n_plain > 0 && is_digit(part.text[n_plain - 1])) n_plain--;
    if (n_plain < 2 || n_plain == part.n || part.text[n_plain - 1] != '.') return false;
    part.n = n_plain - 1;
    rest = id;
    return take(&rest, part) && *rest == '\0';
}

/* Patents: "pat|US|5912119|1" is US5912119_1. */
static bool is_patent(const char *id, struct part country, struct part number, struct part sequence) {
    return take(&id, country) && take(&id, number) && *id++ == '_' && take(&id, sequence) && *id == '\0';
}

/* Whether the id is that of the next of the ids in the text, of which there is one for two or three bars. */
static bool is_next_id(const char *id, const char **text) {
    static const char *const numbers[] = {"lcl", "gi", "bbs", "bbm", "gim"};
    const char *begin = *text;
    struct part type = take_part(text);
    struct part first = take_part(text);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (is_part(type, numbers[i])) return is_accession(id, first) || is_pair(id, type, '|', first);
    struct part second = take_part(text);
    if (is_part(type, "gnl")) return is_pair(id, first, ':', second);
    if (is_part(type, "pdb"))
        return is_pair(id, first, '_', second) || (second.n == 0 && is_accession(id, first));
    if (is_part(type, "pat") || is_part(type, "pgp")) return is_patent(id, first, second, take_part(text));
    bool is_unchanged = is_part(type, "pir") || is_part(type, "prf"); /* but in a row */
    size_t n_whole = (size_t)(second.text + second.n - begin);
    if (is_unchanged && strncmp(id, begin, n_whole) == 0 && id[n_whole] == '\0') return true;
    return is_accession(id, first) || (first.n == 0 && is_accession(id, second));
}

/* A token without a bar: commas become underscores. */
static bool is_with_underscores(const struct bm_queries_word *id, const struct bm_queries_word *token) {
    if (id->n != token->n) return false;
    for (size_t i = 0; i < id->n; i++)
        if (id->bytes[i] != (token->bytes[i] == ',' ? '_' : token->bytes[i])) return false;
    return true;
}

bool bm_queries_word_is_id_of(const struct bm_queries_word *id, const struct bm_queries_word *token) {
    const char *text = token->bytes;
    if (id->n == 0 || token->n == 0) return false;
    if (bm_queries_word_is_same(token, id)) return true;
    if (memchr(text, '|', token->n) == NULL) return is_with_underscores(id, token);
    while (*text != '\0')
        if (is_next_id(id->bytes, &text)) return true;
    text = token->bytes;
    struct part database = take_part(&text);
    struct part rest = {text, strlen(text)};
    return is_pair(id->bytes, database, ':', rest); /* "db|x" is db:x */
}
