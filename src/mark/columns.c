/* SPDX-License-Identifier: MIT */
/*
 * Decides whether a table's first row is a row of column names.
 *
 * MMseqs2 (--format-mode 4), DIAMOND (--header simple) and scripts write such rows. If a row has two names
 * that no sequence has, such as qseqid, it is a row of names, whatever its other fields are: pandas leaves
 * the first field empty, and editors a last one. Otherwise each field of a row of names must be a name: no
 * number, no "N/A", nothing empty. If a table's columns are only names and titles, a row of hits can look
 * like that, too. So one of these must hold in addition:
 *
 *   - a column has a name that no sequence has, such as qseqid or "query acc.ver";
 *   - the next row has a number where this one has a weaker name, such as score;
 *   - the next row has numbers in two columns or more.
 *
 * If this mistakes a row of hits for names, nothing is lost unless all children begin with the same row. If a
 * child begins with another row, or with none, that is an error, and its message says what the row was taken
 * for. --header keep turns all of this off.
 *
 * Names are compared by their letters and digits: "E-value", "e_value" and "evalue" are equal.
 */
#include "mark/columns.h"
#include "mark/door.h"

#include <string.h>

enum { MOST_NAME = 128, MOST_COMPARED = 40 };

/* Of BLAST, DIAMOND, MMseqs2 and the web's tables, and the long forms in which scripts write them. */
/* clang-format off */
static const char strong[] =
    " qseqid qgi qacc qaccver qlen sseqid sallseqid sgi sallgi sacc saccver sallacc slen qstart qend "
    "sstart send qseq sseq evalue bitscore pident nident ppos qframe sframe btop mismatch mismatches "
    "gapopen gapopens gapopenings staxid ssciname scomname sblastname sskingdom staxids sscinames "
    "scomnames sblastnames sskingdoms skingdoms sphylums slineages stitle salltitles sstrand qstrand "
    "qcovs qcovhsp qcovus scovhsp scovs qtitle qqual qqualtrimmed fullqseq fullsseq fullqqual "
    "fullqseqmate qseqtranslated approxpident correctedbitscore negevalue hspnum rawscore fident alnlen "
    "qcov tcov qheader theader qaln taln tseq qset qsetid tset tsetid tstart tend tlen taxname taxlineage "
    "queryid subjectid queryaccver subjectaccver queryacc subjectacc queryaccession subjectaccession "
    "querylength subjectlength alignmentlength querystart queryend subjectstart subjectend targetstart "
    "targetend percentidentity percidentity pctidentity peridentity identityperc "
    "percentageofidenticalmatches numberofmismatches numberofgapopenings startofalignmentinquery "
    "endofalignmentinquery startofalignmentinsubject endofalignmentinsubject expectedvalue expectvalue "
    "maxscore totalscore querycover querycoverage subjectcoverage percentpositives ";
/* clang-format on */

/* Which a sequence may have, too. */
/* clang-format off */
static const char weak[] =
    " query target subject hit reference identity identities ident perident length score bits bitscores "
    "gaps gap positive positives frame frames title description accession organism species taxid start "
    "end strand coverage cover cigar raw evalues e expect pvalue similarity matches matchlength alignlen "
    "alnlength ";
/* clang-format on */

/* A field without the quotes around it and, in a row's first one, the '#' in front of it. */
struct field {
    const char *text;
    size_t n;
};

/* Takes the field at *at, which becomes NULL behind the last one. */
static struct field next_field(const char **at, const char *end, char separator, bool is_first) {
    const char *stop = memchr(*at, separator, (size_t)(end - *at));
    struct field field = {*at, (size_t)((stop == NULL ? end : stop) - *at)};
    *at = stop == NULL ? NULL : stop + 1;
    if (is_first && field.n > 0 && field.text[0] == '#') {
        do {
            field.text++;
            field.n--;
        } while (field.n > 0 && field.text[0] == ' ');
    }
    if (field.n >= 2 && field.text[0] == '"' && field.text[field.n - 1] == '"') {
        field.text++;
        field.n -= 2;
    }
    while (field.n > 0 && field.text[field.n - 1] == ' ') field.n--;
    return field;
}

/* Also those beyond ASCII, in whatever encoding. */
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (uint8_t)c >= 0x80;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool bm_mark_is_number(const char *field, size_t n_field) {
    bool has_digit = false;
    for (size_t i = 0; i < n_field; i++) {
        if (is_digit(field[i])) {
            has_digit = true;
        } else if (field[i] == '\0' || strchr("+-.eE ", field[i]) == NULL) {
            return false;
        }
    }
    return has_digit;
}

/* The field's letters and digits, as they lie in the lists above: between blanks. Empty if there are too
 * many. */
static void compare_by(struct field field, char name[MOST_COMPARED + 3]) {
    size_t n = 1;
    name[0] = ' ';
    for (size_t i = 0; i < field.n && n <= MOST_COMPARED; i++) {
        char c = field.text[i];
        if ((is_letter(c) && (uint8_t)c < 0x80) || is_digit(c))
            name[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (n == 1 || n > MOST_COMPARED) n = 0;
    if (n > 0) name[n++] = ' ';
    name[n] = '\0';
}

/* Whether the field can be the name of a column: it begins with a letter, perhaps behind '%', and is neither
 * one of the words that stand for a missing value nor a query's name by BLAST. */
static bool may_be_name(struct field field) {
    static const char missing[] = " na nan none null nil inf infinity unknown unclassified ";
    char name[MOST_COMPARED + 3];
    size_t first = field.n > 0 && field.text[0] == '%' ? 1 : 0;
    while (first > 0 && first < field.n && field.text[first] == ' ') first++;
    if (first >= field.n || field.n > MOST_NAME || !is_letter(field.text[first])) return false;
    for (size_t i = 0; i < field.n; i++)
        if ((uint8_t)field.text[i] < ' ' || field.text[i] == 0x7f) return false;
    if (field.n > 6 && memcmp(field.text, "Query_", 6) == 0 && is_digit(field.text[6])) return false;
    compare_by(field, name);
    return name[0] == '\0' || strstr(missing, name) == NULL;
}

static bool is_in(const char *list, struct field field) {
    char name[MOST_COMPARED + 3];
    compare_by(field, name);
    return name[0] != '\0' && strstr(list, name) != NULL;
}

struct bm_mark_columns bm_mark_columns_look(const char *line, size_t n_line, char separator) {
    struct bm_mark_columns columns = {0, 0};
    const char *end = line + n_line;
    bool has_others = false;
    for (const char *at = line; at != NULL;) {
        struct field field = next_field(&at, end, separator, at == line);
        has_others = has_others || !may_be_name(field);
        columns.n_names++;
        columns.n_strong += is_in(strong, field);
    }
    return has_others && columns.n_strong < 2 ? (struct bm_mark_columns){0, 0} : columns;
}

bool bm_mark_columns_first_is_query(const char *line, size_t n_line, char separator) {
    static const char names[] =
        " qseqid qacc qaccver qgi query queryid queryacc queryaccver queryaccession queryname ";
    return is_in(names, next_field(&line, line + n_line, separator, true));
}

bool bm_mark_columns_agree(const char *line, size_t n_line, const char *next, size_t n_next, char separator) {
    const char *end = line + n_line;
    const char *next_end = next + n_next;
    unsigned n_numbers = 0;
    while (line != NULL && next != NULL) {
        struct field name = next_field(&line, end, separator, false);
        struct field value = next_field(&next, next_end, separator, false);
        if (!bm_mark_is_number(value.text, value.n)) continue;
        if (++n_numbers == 2 || is_in(weak, name)) return true;
    }
    return false;
}
