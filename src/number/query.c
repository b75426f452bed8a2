/* SPDX-License-Identifier: MIT */
/*
 * A message that BLAST has about a query begins with the query's title, twice:
 *
 *     Query_7 some title:  Query_7 some title: Sequence contains no data
 *
 * The title T is "Query_7 some title". If it is longer than 35 bytes, it is cut to its first 25, followed by
 * ".. ". So a longer number can cut a title that was whole, or show less of one that was cut. Numbers only grow,
 * so the old T holds all that the new one shows. (Iteration_query-def cannot be used: BLAST resolves references
 * there and makes one blank of several.)
 *
 * The bytes that BLAST counts are not those of the document. An escaped character counts as its own bytes. And
 * BLAST 2.12 turns the UTF-8 of titles into ISO-8859-1 when it writes XML, after it has counted: a byte beyond
 * ASCII that is not UTF-8 was two. If the cut goes through such a character, that run fails to write the
 * Iteration, and leaves it out.
 */
#include "number/query.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LONGEST_TITLE = 35,
    CUT_TITLE = 25,    /* what a longer one is cut to ... */
    LONGEST_UNIT = 12, /* bytes of an escaped character */
    MOST_NAME = 32     /* bytes of "lcl|Query_N" with its NUL */
};

static const char dots[] = ".. "; /* ... and what follows it */
static const char between[] = ":  ";
static const char behind[] = ": ";
static const char stem[] = "Query_";
static const char local[] = "lcl|"; /* which old BLAST+ writes before the name in messages */

#define LENGTH(literal) (sizeof(literal) - 1)

static bool begins_with(const char *text, size_t n_text, const char *start, size_t n_start) {
    return n_text >= n_start && memcmp(text, start, n_start) == 0;
}

/* Decimal digits at the beginning. */
static size_t count_digits(const char *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && text[n] >= '0' && text[n] <= '9') n++;
    return n;
}

uint64_t bm_number_query_number(const char *text, size_t n_text) {
    uint64_t number = 0;
    if (!begins_with(text, n_text, stem, LENGTH(stem))) return 0;
    const char *digits = text + LENGTH(stem);
    size_t n_digits = n_text - LENGTH(stem);
    if (n_digits == 0 || digits[0] == '0') return 0;
    if (count_digits(digits, n_digits) != n_digits) return 0;
    for (size_t i = 0; i < n_digits; i++) {
        if (__builtin_mul_overflow(number, 10, &number) || !bm_add(&number, (uint64_t)(digits[i] - '0')))
            return UINT64_MAX;
    }
    return number;
}

/* --- ids ----------------------------------------------------------------------------------------- */

void bm_number_query_ids_open(struct bm_number_query_ids *ids, enum blastmerge_query_ids policy) {
    memset(ids, 0, sizeof *ids);
    ids->policy = policy;
}

/* The sum, or what is before it where that would be beyond. */
static uint64_t add(struct bm_number_query_ids *ids, uint64_t before, uint64_t number) {
    uint64_t sum = before;
    if (bm_add(&sum, number)) return sum;
    ids->is_beyond = true;
    return before;
}

void bm_number_query_ids_begin(struct bm_number_query_ids *ids) {
    ids->shift = add(ids, ids->shift, ids->largest);
    ids->largest = 0;
    ids->last = 0;
    ids->n_before = add(ids, ids->n_before, ids->position);
    ids->position = 0;
    ids->may_return = false;
}

void bm_number_query_ids_return(struct bm_number_query_ids *ids) {
    ids->may_return = true;
}

void bm_number_query_ids_skip(struct bm_number_query_ids *ids) {
    ids->may_skip = true;
}

void bm_number_query_ids_count(struct bm_number_query_ids *ids, uint64_t position) {
    ids->position = position;
}

/* BLAST counts either all queries (an Iteration's number, but for PSI-BLAST), or those without a name;
 * PSI-BLAST has several Iterations in a row for one. */
static bool is_generated(const struct bm_number_query_ids *ids, uint64_t number, uint64_t position) {
    if (ids->policy == BLASTMERGE_QUERY_IDS_RENUMBER) return true;
    return number == position || number == ids->last || number == ids->last + 1;
}

bool bm_number_query_ids_take(struct bm_number_query_ids *ids, const char *id, size_t n_id, uint64_t position,
                              uint64_t *old_number, uint64_t *new_number) {
    uint64_t number = bm_number_query_number(id, n_id);
    assert(ids->policy != BLASTMERGE_QUERY_IDS_KEEP);
    if (number == 0 || ids->counts_all) {
        ids->n_named++;
        return false;
    }
    if (ids->may_return && number <= ids->largest && (number == position || number == 1))
        bm_number_query_ids_begin(ids);
    if (ids->may_skip && number > ids->last) ids->last = number - 1;
    ids->may_return = ids->may_skip = false;
    if (!is_generated(ids, number, position)) {
        ids->n_odd++;
        return false;
    }
    ids->n_generated++;
    ids->last = number;
    if (number > ids->largest) ids->largest = number;
    *old_number = number;
    *new_number = add(ids, number, ids->shift);
    return true;
}

void bm_number_query_ids_take_unnamed(struct bm_number_query_ids *ids, uint64_t *old_number,
                                      uint64_t *new_number) {
    ids->counts_all = true;
    ids->n_generated++;
    *old_number = ids->position;
    *new_number = add(ids, ids->position, ids->n_before);
}

/* --- what BLAST counted -------------------------------------------------------------------------- */

/* A character of a string as the document has it, and as BLAST had it before. */
struct unit {
    size_t n_written; /* bytes; 0: there is none */
    size_t n_counted;
};

/* How the bytes beyond ASCII of a string are to be understood. */
enum beyond {
    BEYOND_BYTES,  /* each is one */
    BEYOND_UTF8,   /* sequences of UTF-8 are characters */
    BEYOND_LATIN1, /* each was two */
};

static size_t utf8_length(uint32_t character) {
    return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

/* Hexadecimal or decimal digits up to `end`, as far as they are; a number beyond all characters at the most.
 */
static uint32_t read_digits(const char *digits, const char *end, uint32_t base) {
    uint32_t value = 0;
    for (; digits < end && value < 0x110000; digits++) {
        uint32_t c = (uint8_t)*digits;
        value = value * base + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* At a '&'. */
static struct unit take_reference(const char *text, size_t n_text) {
    const char *end = memchr(text, ';', n_text < LONGEST_UNIT ? n_text : LONGEST_UNIT);
    struct unit unit = {0, 1};
    if (end == NULL) return unit;
    unit.n_written = (size_t)(end - text) + 1;
    if (text[1] != '#') return unit;
    bool is_hexadecimal = text[2] == 'x';
    unit.n_counted = utf8_length(read_digits(text + 2 + is_hexadecimal, end, is_hexadecimal ? 16 : 10));
    return unit;
}

/* At a '\'. */
static struct unit take_escape(const char *text, size_t n_text) {
    struct unit unit = {0, 1};
    if (n_text < 2) return unit;
    if (text[1] != 'u') {
        unit.n_written = 2;
    } else if (n_text >= 6) {
        unit.n_written = 6;
        unit.n_counted = utf8_length(read_digits(text + 2, text + 6, 16));
    }
    return unit;
}

/* The bytes of the UTF-8 sequence that begins here; 0: none does. Overlong forms and the like are no concern.
 */
static size_t sequence_length(const char *text, size_t n_text) {
    uint8_t lead = (uint8_t)text[0];
    size_t n = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (n > n_text) return 0;
    for (size_t i = 1; i < n; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80) return 0;
    }
    return n;
}

static struct unit take_unit(const char *text, size_t n_text, enum bm_format_syntax form,
                             enum beyond beyond) {
    if (n_text == 0) return (struct unit){0, 0};
    if (*text == '&' && form == BM_SYNTAX_XML) return take_reference(text, n_text);
    if (*text == '\\' && form == BM_SYNTAX_JSON) return take_escape(text, n_text);
    if ((uint8_t)*text < 0x80 || beyond == BEYOND_BYTES) return (struct unit){1, 1};
    if (beyond == BEYOND_LATIN1) return (struct unit){1, 2};
    size_t n = sequence_length(text, n_text);
    return (struct unit){n, n};
}

/* What BLAST counted for a string; SIZE_MAX if that cannot be told. */
static size_t count(const char *text, size_t n_text, enum bm_format_syntax form, enum beyond beyond) {
    size_t n = 0;
    for (size_t at = 0; at < n_text;) {
        struct unit unit = take_unit(text + at, n_text - at, form, beyond);
        if (unit.n_written == 0) return SIZE_MAX;
        at += unit.n_written;
        n += unit.n_counted;
    }
    return n;
}

/* --- titles -------------------------------------------------------------------------------------- */

/* T as it stands in a message. */
struct title {
    const char *text;
    size_t n_name; /* "Query_7" or "lcl|Query_7" */
    size_t n_text; /* without the dots */
    bool is_cut;
    enum bm_format_syntax form;
    enum beyond beyond;
};

/* Looks how the title was counted, if it was so; false: not so. */
static bool fits(struct title *title, size_t n_all, enum beyond beyond) {
    bool has_dots =
        n_all > LENGTH(dots) && memcmp(title->text + n_all - LENGTH(dots), dots, LENGTH(dots)) == 0;
    size_t n_text = n_all - (has_dots ? LENGTH(dots) : 0);
    size_t n_counted = count(title->text, n_text, title->form, beyond);
    if (n_text < title->n_name || n_counted == SIZE_MAX) return false;
    title->beyond = beyond;
    title->n_text = n_text;
    title->is_cut = has_dots;
    return has_dots ? n_counted == CUT_TITLE : n_counted <= LONGEST_TITLE;
}

static bool understand(struct title *title, size_t n_all) {
    if (title->form != BM_SYNTAX_XML) return fits(title, n_all, BEYOND_BYTES);
    return fits(title, n_all, BEYOND_UTF8) || fits(title, n_all, BEYOND_LATIN1);
}

/* The title with another name: a string of at most `size` bytes. False if the cut goes through a character.
 */
static bool write_title(const struct title *title, const char *name, char *text, size_t *n_text) {
    const char *rest = title->text + title->n_name;
    size_t n_rest = title->n_text - title->n_name;
    size_t n_name = strlen(name);
    bool is_cut = title->is_cut || n_name + count(rest, n_rest, title->form, title->beyond) > LONGEST_TITLE;
    size_t n_left = !is_cut ? SIZE_MAX : n_name < CUT_TITLE ? CUT_TITLE - n_name : 0;
    size_t n = is_cut && n_name > CUT_TITLE ? CUT_TITLE : n_name;
    memcpy(text, name, n);
    while (n_left > 0 && n_rest > 0) {
        struct unit unit = take_unit(rest, n_rest, title->form, title->beyond);
        if (unit.n_counted > n_left) break;
        memcpy(text + n, rest, unit.n_written);
        n += unit.n_written;
        rest += unit.n_written;
        n_rest -= unit.n_written;
        n_left -= unit.n_counted;
    }
    if (is_cut) {
        memcpy(text + n, dots, LENGTH(dots));
        n += LENGTH(dots);
    }
    *n_text = n;
    return !is_cut || n_left == 0;
}

/* --- messages ------------------------------------------------------------------------------------ */

/* The length of the longest string with which the message begins twice, as in "T:  T: "; 0: there is none. */
static size_t find_twice(const char *message, size_t n_message, size_t n_least) {
    const size_t n_frame = LENGTH(between) + LENGTH(behind);
    size_t n_most = n_message < n_frame ? 0 : (n_message - n_frame) / 2;
    for (size_t n = n_most; n >= n_least && n > 0; n--) {
        const char *second = message + n + LENGTH(between);
        if (memcmp(message + n, between, LENGTH(between)) == 0 && memcmp(message, second, n) == 0 &&
            memcmp(second + n, behind, LENGTH(behind)) == 0) {
            return n;
        }
    }
    return 0;
}

/* The length of the name with which a message begins; 0: with none. */
static size_t measure_name(const char *message, size_t n_message) {
    size_t n_local = begins_with(message, n_message, local, LENGTH(local)) ? LENGTH(local) : 0;
    size_t n_stem = n_local + LENGTH(stem);
    if (!begins_with(message + n_local, n_message - n_local, stem, LENGTH(stem))) return 0;
    size_t n_digits = count_digits(message + n_stem, n_message - n_stem);
    return n_digits == 0 ? 0 : n_stem + n_digits;
}

/* "Query_7", with "lcl|" where the message has it. */
static size_t print_name(char name[MOST_NAME], const char *message, uint64_t number) {
    return (size_t)snprintf(name, MOST_NAME, "%s%s%" PRIu64, message[0] == local[0] ? local : "", stem,
                            number);
}

enum bm_number_query_prefix bm_number_query_rename(const char *message, size_t n_message,
                                                   enum bm_format_syntax form, uint64_t old_number,
                                                   uint64_t new_number,
                                                   struct bm_number_query_message *renamed) {
    char name[MOST_NAME];
    struct title title = {.text = message, .form = form};
    if (n_message > BM_QUERY_MESSAGE) n_message = BM_QUERY_MESSAGE;
    title.n_name = measure_name(message, n_message);
    if (title.n_name == 0) return BM_QUERY_ABSENT;
    size_t n_name = print_name(name, message, old_number);
    size_t n_title = find_twice(message, n_message, title.n_name);
    if (n_name != title.n_name || memcmp(name, message, n_name) != 0) return BM_QUERY_ODD;
    if (n_title == 0 || (n_title > n_name && message[n_name] != ' ')) return BM_QUERY_ODD;
    if (!understand(&title, n_title)) return BM_QUERY_ODD;
    if (new_number < old_number && title.is_cut)
        return BM_QUERY_ODD; /* it may show more, which is not here */

    print_name(name, message, new_number);
    size_t n_new;
    bool is_whole = write_title(&title, name, renamed->text, &n_new);
    memcpy(renamed->text + n_new, between, LENGTH(between));
    memcpy(renamed->text + n_new + LENGTH(between), renamed->text, n_new);
    renamed->n_new = 2 * n_new + LENGTH(between);
    renamed->n_old = 2 * n_title + LENGTH(between);
    return is_whole ? BM_QUERY_RESTORED : BM_QUERY_LOST;
}
