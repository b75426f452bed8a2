/* SPDX-License-Identifier: MIT */
/*
 * The fields are searched for in the first bytes of an Iteration, as BLAST writes them. Text that BLAST does not
 * write there (a comment, CDATA, an escaped name in JSON) is not parsed, and then nothing is found.
 */
#include "queries/iteration.h"

#include "base/entity.h"
#include "base/utf8.h"
#include "format/format.h"
#include "mark/query.h"
#include "queries/file.h"

#include <string.h>

/* --- contents ------------------------------------------------------------------------------------- */

/* The text behind a tag, up to the next tag or the end. False: there is no such tag. */
static bool find_content(const char **content, size_t *n, const char *text, size_t n_text, const char *tag,
                         char end_byte) {
    const char *found = memmem(text, n_text, tag, strlen(tag));
    if (found == NULL) return false;
    *content = found + strlen(tag);
    size_t n_rest = (size_t)(text + n_text - *content);
    const char *end = memchr(*content, end_byte, n_rest);
    *n = end == NULL ? n_rest : (size_t)(end - *content);
    return true;
}

static size_t skip_blanks(const char *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && (text[n] == ' ' || text[n] == '\n' || text[n] == '\r' || text[n] == '\t')) n++;
    return n;
}

/* The value of a member of a JSON object: what stands between quotes, or a number's digits. */
static bool find_value(const char **value, size_t *n, const char *text, size_t n_text, const char *name) {
    size_t n_name = strlen(name);
    const char *end = text + n_text, *found = memmem(text, n_text, name, n_name);
    while (found != NULL && (found + n_name == end || found[n_name] != ':'))
        found = memmem(found + 1, (size_t)(end - found) - 1, name, n_name);
    if (found == NULL) return false;
    *value = found + n_name + 1;
    size_t n_rest = (size_t)(text + n_text - *value);
    size_t n_blanks = skip_blanks(*value, n_rest);
    *value += n_blanks;
    n_rest -= n_blanks;
    *n = 0;
    if (n_rest > 0 && **value != '"') {
        while (*n < n_rest && (*value)[*n] >= '0' && (*value)[*n] <= '9') ++*n;
        return true;
    }
    if (n_rest == 0) return true;
    ++*value;
    n_rest--;
    while (*n < n_rest && (*value)[*n] != '"') *n += (*value)[*n] == '\\' && *n + 1 < n_rest ? 2 : 1;
    return true;
}

/* A reference at `text`; 0: there is none. */
static uint32_t read_reference(const char *text, size_t n_text, size_t *n_used) {
    const char *end = *text == '&' ? memchr(text, ';', n_text < 16 ? n_text : 16) : NULL;
    if (end == NULL) return 0;
    size_t n_name = (size_t)(end - text) - 1;
    uint32_t code =
        text[1] == '#' ? bm_entity_number(text + 1, n_name) : (uint8_t)bm_entity_find(text + 1, n_name);
    if (code != 0) *n_used = n_name + 2;
    return code;
}

static uint32_t read_digits(const char *digits) {
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        char c = (char)(digits[i] | 0x20);
        bool is_digit = digits[i] >= '0' && digits[i] <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return 0;
        code = code << 4 | (uint32_t)(is_digit ? digits[i] - '0' : c - 'a' + 10);
    }
    return code;
}

/* An escape of JSON at `text`; 0: there is none. Of a character beyond U+FFFF each half is one: BLAST cannot
 * write such characters. */
static uint32_t read_escape(const char *text, size_t n_text, size_t *n_used) {
    static const char letters[] = "bfnrt\"\\/";
    static const char characters[] = "\b\f\n\r\t\"\\/";
    if (*text != '\\' || n_text < 2) return 0;
    const char *letter = text[1] == '\0' ? NULL : strchr(letters, text[1]);
    if (letter != NULL) {
        *n_used = 2;
        return (uint8_t)characters[letter - letters];
    }
    uint32_t code = text[1] == 'u' && n_text >= 6 ? read_digits(text + 2) : 0;
    bool is_half = code >= 0xd800 && code < 0xe000;
    if (code == 0 || is_half) return 0;
    *n_used = 6;
    return code;
}

/* The text with its references resolved, or JSON's escapes; at most `capacity` bytes. */
static size_t unescape(char *to, size_t capacity, const char *text, size_t n_text, bool is_json) {
    size_t n = 0;
    while (n_text > 0 && n + 4 <= capacity) {
        size_t n_used = 1;
        uint32_t code = is_json ? read_escape(text, n_text, &n_used) : read_reference(text, n_text, &n_used);
        bool is_control = code > 0 && code < ' ' && (code < '\t' || code > '\r');
        if (is_json && is_control) code = '#'; /* as BLAST writes it in XML */
        if (code != 0)
            n += bm_utf8_write(to + n, code);
        else
            to[n++] = *text;
        text += n_used;
        n_text -= n_used;
    }
    return n;
}

/* --- fields ---------------------------------------------------------------------------------------- */

static void take_title(struct bm_queries_iteration *iteration, const char *content, size_t n, bool is_json) {
    char title[BM_QUERIES_TITLE];
    size_t n_title = unescape(title, sizeof title, content, n, is_json);
    bm_queries_word_of_title(&iteration->title, title, n_title, n_title + 4 > sizeof title);
    iteration->is_nameless = bm_mark_is_unnamed(content, n);
}

static void take_id(struct bm_queries_iteration *iteration, const char *content, size_t n, bool is_json) {
    char id[BM_QUERIES_WORD];
    size_t n_id = unescape(id, sizeof id, content, n, is_json);
    size_t from = 0;
    while (from < n_id && ((unsigned char)id[from]) <= ' ') from++;
    size_t to = from;
    while (to < n_id && (unsigned char)id[to] > ' ') to++;
    iteration->id.n = to - from;
    memcpy(iteration->id.bytes, id + from, to - from);
    iteration->id.bytes[to - from] = '\0';
}

void bm_queries_iteration_read_id(struct bm_queries_iteration *iteration, const char *content, size_t n) {
    take_id(iteration, content, n, false);
}

void bm_queries_iteration_read_title(struct bm_queries_iteration *iteration, const char *content, size_t n) {
    take_title(iteration, content, n, false);
}

void bm_queries_iteration_read_length(struct bm_queries_iteration *iteration, const char *content, size_t n) {
    uint64_t length = 0;
    size_t i = 0;
    for (; i < n && i < 18 && content[i] >= '0' && content[i] <= '9'; i++)
        length = length * 10 + (uint64_t)(content[i] - '0');
    iteration->has_length = i > 0 && i == n;
    iteration->length = length;
}

/* --- Iterations ------------------------------------------------------------------------------------ */

static bool read_xml(struct bm_queries_iteration *iteration, const struct bm_format_query *form,
                     const char *text, size_t n_text) {
    const char *content;
    size_t n;
    bool has_id = find_content(&content, &n, text, n_text, form->id, form->end);
    if (has_id) take_id(iteration, content, n, false);
    bool has_length = find_content(&content, &n, text, n_text, form->length, form->end);
    if (has_length) bm_queries_iteration_read_length(iteration, content, n);
    bool has_title = find_content(&content, &n, text, n_text, form->title, form->end);
    if (has_title) take_title(iteration, content, n, false);
    return has_id || has_length || has_title;
}

static bool read_json(struct bm_queries_iteration *iteration, const struct bm_format_query *form,
                      const char *text, size_t n_text) {
    const char *value;
    size_t n;
    bool has_id = find_value(&value, &n, text, n_text, form->id);
    if (has_id) take_id(iteration, value, n, true);
    bool has_length = find_value(&value, &n, text, n_text, form->length);
    if (has_length) bm_queries_iteration_read_length(iteration, value, n);
    bool has_title = find_value(&value, &n, text, n_text, form->title);
    if (has_title) take_title(iteration, value, n, true);
    return has_id || has_length || has_title;
}

/* "# Query: title", which has the id as its first word with -parse_deflines. */
static bool read_comments(struct bm_queries_iteration *iteration, const char *text, size_t n_text) {
    static const char query[] = "\n# Query: ";
    const char *found = memmem(text, n_text, query, sizeof query - 1);
    if (found == NULL) return false;
    const char *title = found + sizeof query - 1;
    size_t n_rest = (size_t)(text + n_text - title);
    const char *end = memchr(title, '\n', n_rest);
    size_t n = end == NULL ? n_rest : (size_t)(end - title);
    if (n > 0 && title[n - 1] == '\r') n--;
    bm_queries_word_of_title(&iteration->title, title, n, end == NULL);
    iteration->id = iteration->title;
    bool is_generated = bm_queries_word_is_generated(&iteration->id);
    if (is_generated)
        bm_queries_word_of_title(&iteration->rest, title + iteration->id.n, n - iteration->id.n, end == NULL);
    iteration->is_nameless = is_generated && iteration->rest.n == 0;
    return true;
}

/* The definition line as the user wrote it has all that counts; an id that BLAST made of it does not, then. */
static bool read_archive(struct bm_queries_iteration *iteration, const char *text, size_t n_text) {
    struct bm_mark_query query;
    struct bm_queries_names names;
    bm_mark_query_read(&query, text, n_text);
    struct bm_queries_word id = {.n = query.n_id};
    memcpy(id.bytes, query.id, query.n_id + 1);
    bm_queries_names_read(&names, query.title, query.n_title, query.is_cut);
    iteration->title = query.has_line ? names.title : names.plain;
    iteration->is_nameless =
        query.has_line ? names.title.n == 0 : bm_mark_is_unnamed(query.title, query.n_title);
    if (!query.has_line || bm_queries_word_is_generated(&id)) iteration->id = id;
    iteration->has_length = query.has_length;
    iteration->length = query.length;
    return true;
}

bool bm_queries_iteration_read(struct bm_queries_iteration *iteration, enum blastmerge_format format,
                               const char *text, size_t n_text) {
    if (bm_format_of(format)->has_comments) return read_comments(iteration, text, n_text);
    if (bm_format_of(format)->has_archives) return read_archive(iteration, text, n_text);
    const struct bm_format_query *form = &bm_format_of(format)->query;
    const char *hits = memmem(text, n_text, form->before_hits, strlen(form->before_hits));
    if (hits != NULL) n_text = (size_t)(hits - text);
    /* An empty title makes no name, which another program may write so. */
    iteration->is_nameless =
        form->no_title == NULL || memmem(text, n_text, form->no_title, strlen(form->no_title)) != NULL;
    return bm_format_of(format)->syntax == BM_SYNTAX_JSON ? read_json(iteration, form, text, n_text)
                                                          : read_xml(iteration, form, text, n_text);
}

void bm_queries_iteration_read_row(struct bm_queries_iteration *iteration, const char *name, size_t n_name,
                                   char separator) {
    memset(iteration, 0, sizeof *iteration);
    iteration->is_row = true;
    iteration->separator = separator;
    while (iteration->id.n < n_name && name[iteration->id.n] != ' ') iteration->id.n++;
    memcpy(iteration->id.bytes, name, iteration->id.n);
    iteration->title = iteration->id;
    iteration->is_nameless = bm_queries_word_is_generated(&iteration->id);
}
