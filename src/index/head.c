/* SPDX-License-Identifier: MIT */
#include "index/head.h"
#include "base/entity.h"
#include "format/format.h"
#include "mark/mark.h"
#include "mark/query.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* A header that names the first query, in the same parts. */
static const struct bm_format_query xml_header = {.id = "<BlastOutput_query-ID>",
                                                  .title = "<BlastOutput_query-def>",
                                                  .length = "<BlastOutput_query-len>",
                                                  .end = '<'};

/* --- strings as they are written ------------------------------------------------------------------ */

/* A reference of XML at '&'. Returns its bytes; 0: it is none. */
static size_t read_reference(const char *text, size_t n_text, uint32_t *character) {
    enum { MOST = 12 };
    const char *end = memchr(text, ';', n_text < MOST ? n_text : MOST);
    if (end == NULL) return 0;
    size_t n_name = (size_t)(end - text) - 1;
    *character = n_name > 0 && text[1] == '#' ? bm_entity_number(text + 1, n_name)
                                              : (uint8_t)bm_entity_find(text + 1, n_name);
    return *character == 0 ? 0 : n_name + 2;
}

static bool read_hexadecimal(const char *text, uint32_t *value) {
    *value = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t c = (uint8_t)text[i];
        uint32_t letter = c | 0x20;
        if (c >= '0' && c <= '9')
            *value = *value * 16 + (c - '0');
        else if (letter >= 'a' && letter <= 'f')
            *value = *value * 16 + (letter - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* An escape of JSON at '\'. Returns its bytes; 0: it is none. */
static size_t read_escape(const char *text, size_t n_text, uint32_t *character) {
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t low = 0;
    if (n_text < 2) return 0;
    const char *letter = text[1] == '\0' ? NULL : strchr(letters, text[1]);
    if (letter != NULL) {
        *character = (uint8_t)meanings[letter - letters];
        return 2;
    }
    if (text[1] != 'u' || n_text < 6 || !read_hexadecimal(text + 2, character)) return 0;
    bool is_high = *character >= 0xd800 && *character < 0xdc00;
    if (!is_high || n_text < 12 || text[6] != '\\' || text[7] != 'u' || !read_hexadecimal(text + 8, &low) ||
        low < 0xdc00 || low > 0xdfff)
        return 6;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

/* The bytes before the next reference or escape, behind the first byte; at most n_most. */
static size_t measure_run(const char *text, size_t n_text, size_t n_most, char end) {
    size_t n_run = n_text < n_most ? n_text : n_most;
    if (end != '<' && end != '"') return n_run;
    const char *next = memchr(text + 1, end == '<' ? '&' : '\\', n_run - 1);
    return next == NULL ? n_run : (size_t)(next - text);
}

/* Resolves references or escapes; at most `size` bytes. */
static size_t resolve(char *to, size_t size, const char *text, size_t n_text, char end) {
    size_t n = 0;
    while (n_text > 0 && n + BM_UTF8_MOST <= size) {
        uint32_t character = 0;
        size_t n_used = 0;
        if (*text == '&' && end == '<') n_used = read_reference(text, n_text, &character);
        if (*text == '\\' && end == '"') n_used = read_escape(text, n_text, &character);
        if (n_used > 0) {
            n += bm_utf8_write(to + n, character);
        } else {
            n_used = measure_run(text, n_text, size - BM_UTF8_MOST + 1 - n, end);
            memcpy(to + n, text, n_used);
            n += n_used;
        }
        text += n_used;
        n_text -= n_used;
    }
    return n;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\001';
}

/* --- parts --------------------------------------------------------------------------------------- */

/* The end of a part that begins at `begin`; in JSON an escaped quote ends nothing. */
static const char *find_end(const char *begin, const char *limit, char end) {
    if (end != '"') return memchr(begin, end, (size_t)(limit - begin));
    for (const char *at = begin; at < limit; at++) {
        if (*at == '"') return at;
        if (*at == '\\') at++;
    }
    return NULL;
}

/* JSON: from behind a name to its value; to behind the quote of a string. */
static const char *skip_colon(const char *at, const char *limit) {
    while (at < limit && (is_blank(*at) || *at == ':')) at++;
    return at < limit && *at == '"' ? at + 1 : at;
}

/* As memmem(), which takes longer to prepare than such a search takes: what is wanted is short, and near. */
static const char *find(const char *text, size_t n_text, const char *wanted, size_t n_wanted) {
    const char *at = text;
    while (n_text >= n_wanted && at <= text + n_text - n_wanted) {
        at = memchr(at, wanted[0], (size_t)(text + n_text - n_wanted - at) + 1);
        if (at == NULL || memcmp(at, wanted, n_wanted) == 0) return at;
        at++;
    }
    return NULL;
}

/* The content behind `before`. One that goes beyond the text is taken as far as it goes. *at: where the part before this one
 * ended. BLAST writes them in one order, so the search begins there. */
static bool find_part(const char *text, size_t n_text, const char *before, char end, size_t *at,
                      struct bm_index_place *place) {
    *place = (struct bm_index_place){0, 0};
    if (before == NULL) return false;
    const size_t n_before = strlen(before);
    const char *found = find(text + *at, n_text - *at, before, n_before);
    if (found == NULL && *at > 0) found = find(text, *at, before, n_before);
    if (found == NULL) return false;
    const char *begin = found + n_before;
    if (end == '"') begin = skip_colon(begin, text + n_text);
    const char *limit = find_end(begin, text + n_text, end);
    if (limit == NULL || limit > text + n_text) limit = text + n_text;
    place->begin = (size_t)(begin - text);
    place->end = *at = (size_t)(limit - text);
    return true;
}

/* The bytes up to the next bar; *at: behind that. */
static size_t take_field(const char **at, const char *end, const char **field) {
    const char *bar = memchr(*at, '|', (size_t)(end - *at));
    *field = *at;
    *at = bar == NULL ? end : bar + 1;
    return (size_t)((bar == NULL ? end : bar) - *field);
}

static bool is_one_of(const char *text, size_t n_text, const char *const *words, size_t n_words) {
    for (size_t i = 0; i < n_words; i++)
        if (n_text == strlen(words[i]) && strncasecmp(text, words[i], n_text) == 0) return true;
    return false;
}

/* Several ids can stand in a row ("gi|7|sp|P12345|NAME"): the first that is an accession counts. docs/queries.md has what
 * BLAST makes of a name with -parse_deflines; this is the same. */
static void take_accession(struct bm_index_head *head) {
    static const char *const shorts[] = {"gi", "lcl", "bbs", "bbm",
                                         "gim"}; /* of one field; all others have two */
    static const char *const databases[] = {"sp",  "tr",  "ref", "gb",  "emb", "dbj",
                                            "tpg", "tpe", "tpd", "gpp", "nat"};
    const char *at = head->name;
    const char *end = head->name + head->n_name;
    head->n_accession = 0;
    while (head->n_accession == 0 && memchr(at, '|', (size_t)(end - at)) != NULL) {
        const char *type, *first, *second;
        size_t n_type = take_field(&at, end, &type);
        size_t n_first = take_field(&at, end, &first);
        if (is_one_of(type, n_type, shorts, sizeof shorts / sizeof shorts[0])) continue;
        size_t n_second = take_field(&at, end, &second);
        if (!is_one_of(type, n_type, databases, sizeof databases / sizeof databases[0])) continue;
        head->n_accession = n_first > 0 ? n_first : n_second;
        memcpy(head->accession, n_first > 0 ? first : second, head->n_accession);
    }
    bool is_id = head->n_accession == head->n_id && memcmp(head->accession, head->id, head->n_id) == 0;
    if (is_id) head->n_accession = 0; /* it is found as that */
}

static void take_definition(struct bm_index_head *head) {
    size_t from = 0;
    size_t to = 0;
    if (bm_mark_is_unnamed(head->definition, head->n_definition)) head->n_definition = 0;
    while (from < head->n_definition && is_blank(head->definition[from])) from++;
    while (from + to < head->n_definition && !is_blank(head->definition[from + to])) to++;
    head->n_name = to < BM_INDEX_NAME ? to : BM_INDEX_NAME;
    memcpy(head->name, head->definition + from, head->n_name);
    take_accession(head);
}

static void take_length(struct bm_index_head *head, const char *text, size_t n_text) {
    uint64_t length = 0;
    size_t n = 0;
    for (; n < n_text && n < 18 && text[n] >= '0' && text[n] <= '9'; n++)
        length = length * 10 + (uint64_t)(text[n] - '0');
    head->has_length = n > 0;
    head->length = length;
}

/* Takes those parts that are not there yet. */
static void take_parts(struct bm_index_head *head, const struct bm_format_query *form, const char *text,
                       size_t n_text, bool is_header) {
    struct bm_index_place place;
    size_t at = 0;
    if (!is_header) (void)find_part(text, n_text, form->number, form->end, &at, &head->number_as_written);
    if (head->n_id == 0 && find_part(text, n_text, form->id, form->end, &at, &place)) {
        size_t n_id =
            resolve(head->id, sizeof head->id, text + place.begin, place.end - place.begin, form->end);
        head->n_id = n_id < BM_INDEX_NAME ? n_id : BM_INDEX_NAME;
        if (!is_header) head->id_as_written = place;
    }
    if (head->n_definition == 0 && find_part(text, n_text, form->title, form->end, &at, &place)) {
        size_t n = place.end - place.begin;
        if (form->end == '\n' && n > 0 && text[place.end - 1] == '\r') n--;
        head->n_definition =
            resolve(head->definition, sizeof head->definition, text + place.begin, n, form->end);
        take_definition(head);
    }
    if (!head->has_length && find_part(text, n_text, form->length, form->end, &at, &place))
        take_length(head, text + place.begin, n_text - place.begin);
}

static void take_row(struct bm_index_head *head, char separator, const char *text, size_t n_text) {
    const char *line_end = memchr(text, '\n', n_text);
    size_t n = line_end == NULL ? n_text : (size_t)(line_end - text);
    const char *end = memchr(text, separator, n);
    if (end != NULL) n = (size_t)(end - text);
    if (n > 0 && text[n - 1] == '\r') n--;
    head->n_name = n < BM_INDEX_NAME ? n : BM_INDEX_NAME;
    memcpy(head->name, text, head->n_name);
    take_accession(head);
}

_Static_assert((int)BM_MARK_MAX_ID <= (int)BM_INDEX_NAME && (int)BM_MARK_MAX_TITLE <= (int)BM_INDEX_HEAD,
               "what a query says of itself is kept whole");

static void take_query(struct bm_index_head *head, const char *text, size_t n_text) {
    struct bm_mark_query query;
    bm_mark_query_read(&query, text, n_text);
    head->n_id = query.n_id;
    memcpy(head->id, query.id, query.n_id);
    head->n_definition = query.n_title;
    memcpy(head->definition, query.title, query.n_title);
    take_definition(head);
    head->has_length = query.has_length;
    head->length = query.length;
}

void bm_index_head_parse(struct bm_index_head *head, enum blastmerge_format format, const char *text,
                         size_t n_text) {
    head->n_id = head->n_name = head->n_accession = head->n_definition = 0;
    head->has_length = false;
    head->number_as_written = head->id_as_written = (struct bm_index_place){0, 0};
    if (bm_format_is_bare_table(format))
        take_row(head, bm_format_of(format)->separator, text, n_text);
    else if (bm_format_of(format)->has_archives)
        take_query(head, text, n_text);
    else
        take_parts(head, &bm_format_of(format)->query, text, n_text, false);
}

void bm_index_head_complete(struct bm_index_head *head, enum blastmerge_format format, const char *header,
                            size_t n_header) {
    bool is_named = head->n_id > 0 || head->n_definition > 0 || head->has_length;
    if (bm_format_of(format)->has_header && !is_named) take_parts(head, &xml_header, header, n_header, true);
}

uint64_t bm_index_head_number(const char *id, size_t n_id) {
    static const char stem[] = "Query_";
    const size_t n_stem = sizeof stem - 1;
    uint64_t number = 0;
    if (n_id <= n_stem || n_id > n_stem + 18 || memcmp(id, stem, n_stem) != 0 || id[n_stem] == '0') return 0;
    for (size_t i = n_stem; i < n_id; i++) {
        if (id[i] < '0' || id[i] > '9') return 0;
        number = number * 10 + (uint64_t)(id[i] - '0');
    }
    return number;
}

/* --- numbers ------------------------------------------------------------------------------------- */

enum { MOST_DIGITS = 18, MOST_EXPONENT = 5000 };

/* That of "e-42", or 0. */
static int read_exponent(const char *text, size_t n_text) {
    int exponent = 0;
    if (n_text < 2 || (text[0] | 0x20) != 'e') return 0;
    bool is_negative = text[1] == '-';
    for (size_t i = is_negative || text[1] == '+' ? 2 : 1; i < n_text && text[i] >= '0' && text[i] <= '9';
         i++)
        if (exponent < MOST_EXPONENT) exponent = exponent * 10 + (text[i] - '0');
    return is_negative ? -exponent : exponent;
}

bool bm_index_head_evalue(const char *text, size_t n_text, double *value) {
    uint64_t digits = 0;
    int n_digits = 0;
    int exponent = 0;
    size_t i = 0;
    bool has_point = false;
    bool has_digit = false;
    while (i < n_text && (text[i] == ' ' || text[i] == ':')) i++;
    for (; i < n_text && ((text[i] >= '0' && text[i] <= '9') || (text[i] == '.' && !has_point)); i++) {
        has_point = has_point || text[i] == '.';
        if (text[i] == '.') continue;
        has_digit = true;
        if (n_digits < MOST_DIGITS) {
            digits = digits * 10 + (uint64_t)(text[i] - '0');
            n_digits += digits > 0;
            exponent -= has_point;
        } else {
            exponent += !has_point;
        }
        if (exponent > MOST_EXPONENT || exponent < -MOST_EXPONENT) return false;
    }
    if (!has_digit && (i >= n_text || (text[i] | 0x20) != 'e')) return false;
    if (!has_digit) digits = 1; /* old BLAST writes e-100 for 1e-100 */
    exponent += read_exponent(text + i, n_text - i);
    *value = (double)((long double)digits * powl(10.0L, (long double)exponent));
    return isfinite(*value);
}
