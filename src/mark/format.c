/* SPDX-License-Identifier: MIT */
/*
 * Finds a text's format, and chooses its scanner.
 *
 * The caller may set the format. Otherwise the first child's first bytes decide, and the other children must
 * have the same format. The format of each child is found anew, so that a message can name the format of one
 * that differs.
 *
 * XML begins with '<'; the root's name shows whether it is -outfmt 5 or 16. JSON begins with '{' or '[', an
 * archive with "Blast4-archive", and a table with comments with "# BLASTP ..." and the like. Rows without
 * comments show no format, and any text could be rows. They are recognised by BLAST's own twelve columns, ten of
 * which hold numbers; by a row of column names; or by the format of the earlier children. Everything else needs
 * --format. A byte order mark and white space before any of these make no difference.
 *
 * Until the format is clear, the text's first bytes are held here, at most 4 KiB. If the text cannot be
 * merged, all 4 KiB are held, so that the message can say what it is (look.c).
 */
#include "mark/archive/archive.h"
#include "mark/columns.h"
#include "mark/door.h"
#include "mark/json/json.h"
#include "mark/table/table.h"
#include "mark/xml/xml.h"

#include <string.h>

/* Any scanner. */
union any {
    struct bm_mark mark;
    struct bm_mark_xml xml;
    struct bm_mark_json json;
    struct bm_mark_table table;
    struct bm_mark_archive archive;
};

const size_t bm_mark_size = sizeof(union any);

static const struct bm_mark_scanner *scanner_of(enum blastmerge_format format) {
    static const struct bm_mark_scanner *const scanners[] = {[BLASTMERGE_FORMAT_XML] = &bm_mark_xml,
                                                             [BLASTMERGE_FORMAT_XML2] = &bm_mark_xml,
                                                             [BLASTMERGE_FORMAT_JSON] = &bm_mark_json,
                                                             [BLASTMERGE_FORMAT_ARCHIVE] = &bm_mark_archive};
    if (bm_format_is_table(format)) return &bm_mark_table;
    return (size_t)format < sizeof scanners / sizeof scanners[0] ? scanners[format] : NULL;
}

bool bm_mark_begins_document(enum blastmerge_format format, const uint8_t *text, size_t n_text,
                             bool is_begin_of_line, bool is_fault) {
    if (format == BLASTMERGE_FORMAT_AUTO) format = BLASTMERGE_FORMAT_XML; /* whose root has not begun */
    return !bm_format_is_bare_table(format) &&
           scanner_of(format)->begins(text, n_text, is_begin_of_line, is_fault);
}

bool bm_mark_is_of_psi(const struct bm_mark_field *field) {
    static const char *const programs[] = {"blastpgp", "psiblast", "deltablast"};
    if (strcmp(field->name, "BlastOutput_program") != 0) return false;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (strcmp(field->value, programs[i]) == 0) return true;
    return false;
}

/* --- rows ---------------------------------------------------------------------------------------- */

static bool has_plain_columns(const char *line, size_t n_line, const struct bm_format *format) {
    size_t column = 0;
    bool has_name = false;
    for (size_t at = 0; at <= n_line && column < BM_TABLE_COLUMNS; column++) {
        const char *end = memchr(line + at, format->separator, n_line - at);
        size_t n_field = end == NULL ? n_line - at : (size_t)(end - line) - at;
        bool is_number = bm_mark_is_number(line + at, n_field);
        if (n_field == 0 || (column >= 2 && !is_number)) return false;
        has_name = has_name || !is_number;
        at += n_field + 1;
    }
    if (column < BM_TABLE_COLUMNS) return false;
    /* Lists of numbers have commas everywhere, and so have other kinds of tables inside their columns. */
    return !format->has_separators_in_fields || (has_name && memchr(line, '\t', n_line) == NULL);
}

enum blastmerge_format bm_mark_find_plain_table(const char *line, size_t n_line) {
    enum blastmerge_format format = bm_format_next_bare_table(BLASTMERGE_FORMAT_AUTO);
    while (format != BLASTMERGE_FORMAT_AUTO && !has_plain_columns(line, n_line, bm_format_of(format)))
        format = bm_format_next_bare_table(format);
    return format;
}

enum blastmerge_format bm_mark_find_separated(const char *line, size_t n_line) {
    enum blastmerge_format format = bm_format_next_bare_table(BLASTMERGE_FORMAT_AUTO);
    while (format != BLASTMERGE_FORMAT_AUTO && memchr(line, bm_format_of(format)->separator, n_line) == NULL)
        format = bm_format_next_bare_table(format);
    return format;
}

/* --- what it is ---------------------------------------------------------------------------------- */

/* The first character that is seen; 0 if there is none. */
static char find_visible(const struct bm_mark *mark) {
    size_t at = bm_mark_begins_with_bom(mark) ? BM_BOM : 0;
    while (at < mark->n_sample && bm_mark_is_space((uint8_t)mark->sample[at])) at++;
    return at < mark->n_sample ? mark->sample[at] : '\0';
}

/* The text's beginning: behind empty lines, the first line and the next one, as far as they are there. */
struct beginning {
    const char *line;
    size_t n_line; /* without its end */
    bool is_line_whole;
    const char *next;
    size_t n_next;
    bool is_next_whole;
};

static size_t measure_line(const char *text, size_t n_text, bool *is_whole) {
    const char *end = memchr(text, '\n', n_text);
    *is_whole = end != NULL;
    size_t n = end == NULL ? n_text : (size_t)(end - text);
    return n - (n > 0 && text[n - 1] == '\r');
}

static size_t measure_empty_lines(const char *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && (text[n] == '\n' || (text[n] == '\r' && n + 1 < n_text && text[n + 1] == '\n')))
        n += text[n] == '\n' ? 1 : 2;
    return n;
}

static struct beginning find_beginning(const struct bm_mark *mark, bool is_all) {
    static const char message[] = "Search has CONVERGED!";
    struct beginning found = {0};
    size_t at = bm_mark_begins_with_bom(mark) ? BM_BOM : 0;
    const char *end = mark->sample + mark->n_sample;
    at += measure_empty_lines(mark->sample + at, mark->n_sample - at);
    for (;;) {
        found.line = mark->sample + at;
        found.n_line = measure_line(found.line, mark->n_sample - at, &found.is_line_whole);
        bool is_message = at > 0 && found.is_line_whole && found.n_line == strlen(message) &&
                          memcmp(found.line, message, found.n_line) == 0;
        if (!is_message) break; /* it is not PSI-BLAST's */
        at += (size_t)((const char *)memchr(found.line, '\n', mark->n_sample - at) - found.line) + 1;
        at += measure_empty_lines(mark->sample + at, mark->n_sample - at);
    }
    if (!found.is_line_whole) {
        found.is_line_whole = is_all; /* for want of anything behind it */
        return found;
    }
    found.next = (const char *)memchr(found.line, '\n', (size_t)(end - found.line)) + 1;
    found.next += measure_empty_lines(found.next, (size_t)(end - found.next));
    found.n_next = measure_line(found.next, (size_t)(end - found.next), &found.is_next_whole);
    return found;
}

static void use(struct bm_mark *mark, enum blastmerge_format format) {
    if (bm_mark_settle(mark, format, 0)) bm_mark_take_scanner(mark, scanner_of(format));
}

static const char *hint_for(const struct bm_mark *mark, const struct beginning *begin) {
    enum blastmerge_format format = mark->kin.format;
    bool has_comment = begin->n_line >= 2 && begin->line[0] == '#' && begin->line[1] == ' ';
    if (format == BLASTMERGE_FORMAT_AUTO && has_comment) format = BLASTMERGE_FORMAT_COMMENTED;
    if (format != BLASTMERGE_FORMAT_AUTO) return bm_format_of(format)->expected;
    if (bm_mark_find_separated(begin->line, begin->n_line) == BLASTMERGE_FORMAT_AUTO) return "";
    return "; if it is a table of other columns than BLAST's own twelve, --format tabular or --format csv "
           "accepts it";
}

static void refuse(struct bm_mark *mark, const char *hint) {
    (void)bm_mark_look_fail(mark, 0, mark->sample, mark->n_sample, hint);
}

#define LONE_RETURNS                                                                                         \
    ": its lines end in lone carriage returns (CR), as old Macintosh programs write them; convert it first " \
    "(tr '\\r' '\\n')"

/* Whether what looks like the first line is many. A single one inside of a line that ends might be a
 * title's. */
static bool has_lone_returns(const struct beginning *begin, bool is_full) {
    size_t n = 0;
    for (size_t i = 0; i + 1 < begin->n_line; i++) n += begin->line[i] == '\r';
    return (is_full || begin->is_line_whole) && n >= (begin->next == NULL ? 1 : 2);
}

/* --- a row of names ------------------------------------------------------------------------------- */

enum names { NO_NAMES, NAMES, NAMES_IF_THE_NEXT_LINE_SAYS_SO };

static enum names judge_names(const struct bm_mark *mark, const struct beginning *begin, char separator,
                              bool is_full) {
    if (!begin->is_line_whole || begin->n_line > BM_MARK_MAX_NAMES) return NO_NAMES;
    struct bm_mark_columns columns = bm_mark_columns_look(begin->line, begin->n_line, separator);
    if (columns.n_names == 0) return NO_NAMES;
    if (columns.n_strong > 0) return NAMES;
    if (mark->kin.n_names > 0 && begin->n_line == mark->kin.n_names &&
        memcmp(begin->line, mark->kin.names, mark->kin.n_names) == 0)
        return NAMES;
    if (begin->is_next_whole || is_full)
        return begin->n_next > 0 && bm_mark_columns_agree(begin->line, begin->n_line, begin->next,
                                                          begin->n_next, separator)
                   ? NAMES
                   : NO_NAMES;
    return NAMES_IF_THE_NEXT_LINE_SAYS_SO;
}

/* Whether another row of names follows the first one. */
static bool has_other_names(const struct beginning *begin, char separator) {
    if (!begin->is_next_whole) return false;
    if (begin->n_next == begin->n_line && memcmp(begin->next, begin->line, begin->n_line) == 0) return false;
    return bm_mark_columns_look(begin->next, begin->n_next, separator).n_strong > 1;
}

/* The table's format is known: whether its first row is one of names. False: not yet. */
static bool begin_rows(struct bm_mark *mark, enum blastmerge_format format, const struct beginning *begin,
                       bool is_full) {
    enum names names = mark->header == BLASTMERGE_HEADER_KEEP
                           ? NO_NAMES
                           : judge_names(mark, begin, bm_format_of(format)->separator, is_full);
    if (names == NAMES_IF_THE_NEXT_LINE_SAYS_SO) return false;
    if (names == NAMES && !begin->is_next_whole && !is_full) return false;
    if (names == NAMES && has_other_names(begin, bm_format_of(format)->separator)) {
        (void)bm_mark_fail(
            mark, 0,
            "its first two lines are rows of column names, and not the same: take one of them out, or "
            "each child's second one would be among the hits");
        return true;
    }
    mark->rows.begin_with_names = names == NAMES;
    if (names == NAMES &&
        bm_mark_columns_first_is_query(begin->line, begin->n_line, bm_format_of(format)->separator))
        mark->rows.name_queries = true;
    use(mark, format);
    return true;
}

/* --- which table --------------------------------------------------------------------------------- */

/* A first line that names columns, in a file of which nothing is known: two of these that no sequence has,
 * or, before rows of BLAST's own columns, any. */
static enum blastmerge_format find_by_names(const struct beginning *begin) {
    enum blastmerge_format format = bm_format_next_bare_table(BLASTMERGE_FORMAT_AUTO);
    for (; format != BLASTMERGE_FORMAT_AUTO; format = bm_format_next_bare_table(format)) {
        const struct bm_format *row = bm_format_of(format);
        struct bm_mark_columns columns = bm_mark_columns_look(begin->line, begin->n_line, row->separator);
        if (columns.n_names > 1 &&
            (columns.n_strong > 1 ||
             (begin->n_next > 0 && has_plain_columns(begin->next, begin->n_next, row))))
            break;
    }
    return format;
}

/* The other bare table whose rows these are, if they are: then each would pass for one field of the format. AUTO: they are not.
 * Commas inside of columns that tabs part make no csv. */
static enum blastmerge_format find_other_table(enum blastmerge_format format, const struct beginning *begin) {
    const struct bm_format *row = bm_format_of(format);
    enum blastmerge_format plain = bm_mark_find_plain_table(begin->line, begin->n_line);
    if (plain != BLASTMERGE_FORMAT_AUTO && plain != format) return plain;
    if (!row->has_separators_in_fields) return BLASTMERGE_FORMAT_AUTO;
    const char *end = memchr(begin->line, row->separator, begin->n_line);
    size_t n_first = end == NULL ? begin->n_line : (size_t)(end - begin->line);
    return memchr(begin->line, '\t', n_first) != NULL ? BLASTMERGE_FORMAT_TABULAR : BLASTMERGE_FORMAT_AUTO;
}

/* The table format to take this line for, if the caller says that the children are tables. AUTO: it is no row
 * of a table, or the caller does not say so. */
static enum blastmerge_format suppose(const struct bm_mark *mark, const struct beginning *begin) {
    if (mark->supposed == BLASTMERGE_FORMAT_AUTO || bm_mark_look_is_known(mark->sample, mark->n_sample))
        return BLASTMERGE_FORMAT_AUTO;
    enum blastmerge_format supposed =
        bm_format_is_bare_table(mark->supposed) ? mark->supposed : BLASTMERGE_FORMAT_TABULAR;
    if (memchr(begin->line, bm_format_of(supposed)->separator, begin->n_line) != NULL &&
        find_other_table(supposed, begin) == BLASTMERGE_FORMAT_AUTO)
        return supposed;
    if (memchr(begin->line, '\t', begin->n_line) != NULL) return BLASTMERGE_FORMAT_TABULAR;
    return mark->is_narrow ? supposed : BLASTMERGE_FORMAT_AUTO;
}

/* The bare table to take a first child for, by names of columns, or because the caller says so. AUTO: none, or one that would be
 * refused if it were a later child. */
static enum blastmerge_format find_bare_table(const struct bm_mark *mark, const struct beginning *begin) {
    enum blastmerge_format format = find_by_names(begin);
    if (format == BLASTMERGE_FORMAT_AUTO) format = suppose(mark, begin);
    if (format == BLASTMERGE_FORMAT_AUTO || find_other_table(format, begin) != BLASTMERGE_FORMAT_AUTO ||
        bm_mark_look_is_foreign(mark->sample, mark->n_sample, bm_format_of(format)->separator))
        return BLASTMERGE_FORMAT_AUTO;
    return format;
}

/* By the first lines of rows. False: not yet. */
static bool use_rows(struct bm_mark *mark, const struct beginning *begin, bool is_full) {
    enum blastmerge_format format = mark->kin.format;
    if (bm_mark_look_is_compressed(mark->sample, mark->n_sample)) return false;
    enum blastmerge_format plain = bm_mark_find_plain_table(begin->line, begin->n_line);
    mark->rows.name_queries = plain != BLASTMERGE_FORMAT_AUTO;
    if (plain != BLASTMERGE_FORMAT_AUTO && !(mark->kin.is_given && bm_format_is_bare_table(format))) {
        mark->kin.rows_are_plain = mark->kin.rows_are_plain || format == BLASTMERGE_FORMAT_AUTO;
        use(mark, plain);
        return true;
    }
    if (bm_format_is_bare_table(format)) {
        if (bm_mark_look_is_foreign(mark->sample, mark->n_sample, bm_format_of(format)->separator))
            return false;
        enum blastmerge_format other = find_other_table(format, begin);
        if (other == BLASTMERGE_FORMAT_AUTO) return begin_rows(mark, format, begin, is_full);
        (void)bm_mark_fail(
            mark, 0, "this is not %s: %s separate its columns%s%s%s", bm_format_of(format)->title,
            bm_format_of(other)->separators, mark->kin.is_given ? "; --format " : "",
            mark->kin.is_given ? bm_format_of(other)->name : "", mark->kin.is_given ? " accepts it" : "");
        return true;
    }
    if (format != BLASTMERGE_FORMAT_AUTO) return false;
    format = find_bare_table(mark, begin);
    return format != BLASTMERGE_FORMAT_AUTO && begin_rows(mark, format, begin, is_full);
}

/* By a first line that begins with "# ". False: not yet, or not at all. */
static bool use_comment(struct bm_mark *mark, const struct beginning *begin) {
    if (bm_mark_table_find_form(begin->line + 1, begin->n_line - 1) == BM_FORM_NONE) return false;
    use(mark, BLASTMERGE_FORMAT_COMMENTED);
    return true;
}

/* Whether what is seen first begins an archive, as text. */
static bool begins_archive(const struct bm_mark *mark) {
    static const char name[] = "Blast4-archive";
    size_t at = 0;
    while (at < mark->n_sample && bm_mark_is_space((uint8_t)mark->sample[at])) at++;
    return mark->n_sample - at >= sizeof name - 1 && memcmp(mark->sample + at, name, sizeof name - 1) == 0;
}

/* Whether no format but XML's judge, which refuses it, has to do with a text or line that begins so. */
static bool is_control(char first) {
    uint8_t byte = (uint8_t)first;
    return (byte < ' ' || byte == 0x7f) && !bm_mark_is_space(byte);
}

/* Decides by what is held, where a line has ended; not yet, if that does not do and more can come. */
static void look_at_sample(struct bm_mark *mark, bool is_all) {
    struct beginning begin = find_beginning(mark, is_all);
    bool is_full = is_all || mark->n_sample == BM_MARK_SAMPLE;
    bool must_be_table = mark->kin.is_given && bm_format_is_table(mark->kin.format);
    char visible = find_visible(mark);
    if ((begin.n_line == 0 || visible == '\0') && !is_full) return;
    if (begin.n_line == 0 && mark->n_sample == BM_BOM && bm_mark_begins_with_bom(mark) &&
        bm_format_is_table(mark->kin.format)) {
        refuse(mark, ": it holds only a byte order mark, as a failed search leaves");
    } else if (begin.n_line == 0 && bm_format_is_bare_table(mark->kin.format)) {
        bm_mark_take_scanner(mark, &bm_mark_table);
    } else if (begin.n_line == 0 && mark->kin.format == BLASTMERGE_FORMAT_COMMENTED) {
        refuse(mark, hint_for(mark, &begin)); /* such a table has a comment at least */
    } else if (begin.n_line == 0 || (!must_be_table && (visible == '\0' || visible == '<')) ||
               (!mark->kin.is_given && is_control(begin.line[0]))) {
        bm_mark_take_scanner(mark, &bm_mark_xml); /* which may begin with white space */
    } else if (!must_be_table && visible == '{') {
        if (mark->n_sample > 1 && mark->sample[1] == '\0')
            refuse(mark, ""); /* it is UTF-16 */
        else
            use(mark, BLASTMERGE_FORMAT_JSON);
    } else if (!must_be_table && begins_archive(mark)) {
        use(mark, BLASTMERGE_FORMAT_ARCHIVE);
    } else if (has_lone_returns(&begin, is_full)) {
        refuse(mark, LONE_RETURNS);
    } else if (begin.is_line_whole || is_full) {
        bool has_comment = begin.n_line >= 2 && begin.line[0] == '#' && begin.line[1] == ' ';
        if (has_comment && use_comment(mark, &begin)) return;
        if (!use_rows(mark, &begin, is_full) && is_full) refuse(mark, hint_for(mark, &begin));
    }
}

/* By the first byte alone: true where that does. */
static bool use_first_byte(struct bm_mark *mark, uint8_t first) {
    if (mark->kin.is_given) {
        if (!bm_format_is_table(mark->kin.format)) bm_mark_take_scanner(mark, scanner_of(mark->kin.format));
    } else if (first == '<' || is_control((char)first)) {
        bm_mark_take_scanner(mark, &bm_mark_xml);
    }
    return mark->scanner != NULL || mark->has_failed;
}

size_t bm_mark_choose(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    if (mark->n_sample == 0 && use_first_byte(mark, text[0])) return 0;
    while (n < n_text && mark->scanner == NULL && !mark->has_failed) {
        mark->sample[mark->n_sample++] = (char)text[n++];
        bool is_json = mark->n_sample == 4 && mark->sample[0] == '{';
        if (text[n - 1] == '\n' || is_json || mark->n_sample == BM_MARK_SAMPLE) look_at_sample(mark, false);
    }
    return n;
}

void bm_mark_choose_at_end(struct bm_mark *mark) {
    if (mark->n_sample > 0) look_at_sample(mark, true);
}
