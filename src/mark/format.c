/* SPDX-License-Identifier: MIT */
/*
 * Which format a text is of, and which scanner takes it.
 *
 * The caller may say what the children are. Else the first child's first bytes do, and the others must be of
 * the same format: each child is looked at anew, so that one of another format is called what it is.
 *
 * A '<' begins XML, and whether that is of -outfmt 5 or of 16 shows at the root's name; a '{' or '[' begins
 * JSON, "# " a table with comments. Rows without comments say nothing of themselves, and any text could be
 * some: they are known by BLAST's own twelve columns, ten of which hold numbers, or by what the children
 * before were. All else needs
 * --format. Until that is clear the text's first bytes are held here, at most 2 KiB.
 */
#include "mark/internal.h"

#include <string.h>

static const struct {
    const char *title;
    const struct bm_mark_scanner *scanner;
} formats[] = {
    [BLASTMERGE_FORMAT_AUTO] = {"output of BLAST that can be merged", NULL},
    [BLASTMERGE_FORMAT_XML] = {"BLAST XML (-outfmt 5)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_XML2] = {"BLAST XML2 (-outfmt 16)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_JSON] = {"BLAST JSON (-outfmt 15)", &bm_mark_json},
    [BLASTMERGE_FORMAT_COMMENTED] = {"BLAST table with comments (-outfmt 7)", &bm_mark_table},
    [BLASTMERGE_FORMAT_TABULAR] = {"BLAST table (-outfmt 6)", &bm_mark_table},
    [BLASTMERGE_FORMAT_CSV] = {"BLAST table with commas (-outfmt 10)", &bm_mark_table},
};

const char *bm_mark_format_title(enum blastmerge_format format) {
    return formats[format].title;
}

bool bm_mark_is_bare_table(enum blastmerge_format format) {
    return format == BLASTMERGE_FORMAT_TABULAR || format == BLASTMERGE_FORMAT_CSV;
}

/* --- what is expected ---------------------------------------------------------------------------- */

bool bm_mark_settle(struct bm_mark *mark, enum blastmerge_format format, uint64_t at) {
    if (mark->kin.format == BLASTMERGE_FORMAT_AUTO) mark->kin.format = format;
    if (mark->kin.format == format) return true;
    bm_mark_fail(
        mark, at, "its format is %s, where %s %s", formats[format].title, formats[mark->kin.format].title,
        mark->kin.is_given ? "was said to come" : "came before: children are merged with their like");
    if (!mark->kin.is_given) mark->failure.status = BLASTMERGE_MISMATCH;
    return false;
}

/* --- what cannot be merged ----------------------------------------------------------------------- */

struct look {
    const char *magic;
    uint8_t n_magic;
    const char *what;
};

static const struct look looks[] = {
    {"\xff\xfe\0\0", 4, "UTF-32, little end first, which is not read; convert it to UTF-8"},
    {"\xff\xfe", 2, "UTF-16, little end first, which is not read; convert it to UTF-8"},
    {"\xfe\xff", 2, "UTF-16, big end first, which is not read; convert it to UTF-8"},
    {"\0\0\xfe\xff", 4, "UTF-32, big end first, which is not read; convert it to UTF-8"},
    {"\0\0\0<", 4, "UTF-32, big end first, which is not read; convert it to UTF-8"},
    {"\0<", 2, "UTF-16, big end first, which is not read; convert it to UTF-8"},
    {"\0", 1, "zero bytes (NUL): space that was set aside but never written, or that the disk has lost"},
    {"\x4c\x6f\xa7\x94", 4, "EBCDIC, which is not read; convert it to UTF-8"},
    {"{", 1, "JSON"},
    {"[", 1, "JSON"},
    {"BLAST", 5, "a plain BLAST report (-outfmt 0 to 4), which is not merged"},
    {"TBLAST", 6, "a plain BLAST report (-outfmt 0 to 4), which is not merged"},
    {"PSIBLAST", 8, "a plain BLAST report (-outfmt 0 to 4), which is not merged"},
    {"RPSBLAST", 8, "a plain BLAST report (-outfmt 0 to 4), which is not merged"},
    {"# ", 2, "a BLAST table with comments (-outfmt 7)"},
    {"Blast4-", 7,
     "a BLAST archive (-outfmt 11): blast_formatter makes -outfmt 5 of each, which can be merged"},
    {"Seq-annot", 9, "BLAST's ASN.1 (-outfmt 8 or 9), which is not merged"},
    {"0\x80", 2, "BLAST's ASN.1 (-outfmt 8 or 9), which is not merged"},
    {">", 1, "FASTA"},
    {"@HD\t", 4, "SAM (-outfmt 17), which samtools merges"},
    {"@SQ\t", 4, "SAM (-outfmt 17), which samtools merges"},
    {"@PG\t", 4, "SAM (-outfmt 17), which samtools merges"},
    {"PK\x03\x04", 4, "a ZIP archive"},
    {"\x1f\x8b", 2, "gzip data inside of gzip data"},
    {"BZh", 3, "bzip2 data"},
    {"\xfd"
     "7zXZ",
     5, "xz data"},
    {"\x28\xb5\x2f\xfd", 4, "Zstandard data"},
    {"%PDF", 4, "PDF"},
};

bool bm_mark_fail_look(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                       const char *hint) {
    const char *title = formats[mark->kin.format].title;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        const struct look *look = &looks[i];
        if (n_sample < look->n_magic || memcmp(sample, look->magic, look->n_magic) != 0) continue;
        return bm_mark_fail(mark, at, "this is no %s; it looks like %s", title, look->what);
    }
    return bm_mark_fail(mark, at, "this is no %s%s", title, hint);
}

static const char *hint_for(enum blastmerge_format format) {
    if (format == BLASTMERGE_FORMAT_XML || format == BLASTMERGE_FORMAT_XML2)
        return ": a '<' was expected here";
    if (format != BLASTMERGE_FORMAT_AUTO) return "";
    return "; if it is a table of other columns than BLAST's own twelve, --format tabular or --format csv "
           "takes it";
}

/* By a magic of at least so many bytes. */
static bool looks_like_something(const struct bm_mark *mark, size_t n_least) {
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        if (mark->n_sample >= looks[i].n_magic && looks[i].n_magic >= n_least &&
            memcmp(mark->sample, looks[i].magic, looks[i].n_magic) == 0) {
            return true;
        }
    }
    return false;
}

/* --- rows ---------------------------------------------------------------------------------------- */

static bool is_number(const char *field, size_t n_field) {
    bool has_digit = false;
    for (size_t i = 0; i < n_field; i++) {
        if (field[i] >= '0' && field[i] <= '9') {
            has_digit = true;
        } else if (field[i] == '\0' || strchr("+-.eE ", field[i]) == NULL) {
            return false;
        }
    }
    return has_digit;
}

/* Whether the line of n bytes begins with two names and ten numbers. */
static bool has_plain_columns(const char *line, size_t n_line, char separator) {
    size_t column = 0;
    for (size_t at = 0; at <= n_line && column < BM_TABLE_COLUMNS; column++) {
        const char *end = memchr(line + at, separator, n_line - at);
        size_t n_field = end == NULL ? n_line - at : (size_t)(end - line) - at;
        if (n_field == 0 || (column >= 2 && !is_number(line + at, n_field))) return false;
        at += n_field + 1;
    }
    return column == BM_TABLE_COLUMNS;
}

/* What the line may be, as the children are said to be tables; AUTO: it is none, or they are not. */
static enum blastmerge_format suppose(const struct bm_mark *mark, size_t at, size_t n_line) {
    const char *line = mark->sample + at;
    if (mark->kin.format != BLASTMERGE_FORMAT_AUTO || mark->supposed == BLASTMERGE_FORMAT_AUTO ||
        looks_like_something(mark, 1))
        return BLASTMERGE_FORMAT_AUTO;
    if (mark->supposed == BLASTMERGE_FORMAT_CSV && memchr(line, ',', n_line) != NULL) return mark->supposed;
    if (memchr(line, '\t', n_line) != NULL) return BLASTMERGE_FORMAT_TABULAR;
    if (!mark->is_narrow) return BLASTMERGE_FORMAT_AUTO;
    return mark->supposed == BLASTMERGE_FORMAT_CSV ? BLASTMERGE_FORMAT_CSV : BLASTMERGE_FORMAT_TABULAR;
}

/* --- what it is ---------------------------------------------------------------------------------- */

static void use(struct bm_mark *mark, enum blastmerge_format format) {
    if (bm_mark_settle(mark, format, 0)) mark->scanner = formats[format].scanner;
}

/* By the first line of rows, which lies from `at` on. */
static void use_row(struct bm_mark *mark, size_t at, size_t n_line) {
    bool has_tabs = has_plain_columns(mark->sample + at, n_line, '\t');
    bool has_commas = !has_tabs && has_plain_columns(mark->sample + at, n_line, ',');
    if (has_tabs || has_commas) {
        mark->kin.rows_are_plain = mark->kin.rows_are_plain || mark->kin.format == BLASTMERGE_FORMAT_AUTO;
        use(mark, has_tabs ? BLASTMERGE_FORMAT_TABULAR : BLASTMERGE_FORMAT_CSV);
    } else if (bm_mark_is_bare_table(mark->kin.format) && !looks_like_something(mark, 3)) {
        use(mark, mark->kin.format);
    } else if (suppose(mark, at, n_line) != BLASTMERGE_FORMAT_AUTO) {
        use(mark, suppose(mark, at, n_line));
    } else {
        (void)bm_mark_fail_look(mark, 0, mark->sample, mark->n_sample, hint_for(mark->kin.format));
    }
}

/* The number of bytes of empty lines with PSI-BLAST's message behind them, as far as they are there;
 * SIZE_MAX if an empty line is none of these. */
static size_t measure_messages(const struct bm_mark *mark) {
    static const char message[] = "\nSearch has CONVERGED!\n";
    size_t at = 0;
    while (at < mark->n_sample && mark->sample[at] == '\n') {
        size_t n_left = mark->n_sample - at;
        size_t n = n_left < strlen(message) ? n_left : strlen(message);
        if (memcmp(mark->sample + at, message, n) != 0) return SIZE_MAX;
        at += n;
    }
    return at;
}

/* Decides by what is held; not yet, if that does not do and more can come. */
static void look_at_sample(struct bm_mark *mark, bool is_all) {
    size_t at = measure_messages(mark);
    if (at == SIZE_MAX || (is_all && at == mark->n_sample)) {
        mark->scanner = &bm_mark_xml; /* which may begin with white space */
        return;
    }
    const char *line = mark->sample + at;
    size_t n_line = mark->n_sample - at;
    if (n_line >= 2 && line[0] == '#' && line[1] == ' ') {
        use(mark, BLASTMERGE_FORMAT_COMMENTED);
    } else if (n_line > 0 && line[n_line - 1] == '\n') {
        use_row(mark, at, n_line - (n_line > 1 && line[n_line - 2] == '\r' ? 2 : 1));
    } else if (is_all || mark->n_sample == BM_TABLE_SAMPLE) {
        use_row(mark, at, n_line);
    }
}

/* By the first byte alone: true where that does. */
static bool use_first_byte(struct bm_mark *mark, uint8_t first) {
    bool is_visible = first > ' ' && first < 0x7f;
    if (mark->kin.is_given || (first == '\n' && bm_mark_is_bare_table(mark->kin.format))) {
        mark->scanner = formats[mark->kin.format].scanner;
    } else if (first == '{' || first == '[') {
        use(mark, BLASTMERGE_FORMAT_JSON);
    } else if (first == '<' || (first != '\n' && !is_visible)) {
        mark->scanner = &bm_mark_xml;
    } else {
        return false;
    }
    return true;
}

size_t bm_mark_choose(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    if (mark->n_sample == 0 && use_first_byte(mark, text[0])) return 0;
    while (n < n_text && mark->scanner == NULL && mark->state != BM_STATE_FAILED) {
        mark->sample[mark->n_sample++] = (char)text[n++];
        look_at_sample(mark, false);
    }
    return n;
}

void bm_mark_choose_at_end(struct bm_mark *mark) {
    if (mark->n_sample > 0) look_at_sample(mark, true);
}
