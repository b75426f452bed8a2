/* SPDX-License-Identifier: MIT */
/*
 * The scanner of tables: -outfmt 6 (tabs), 10 (commas), and 7 (tabs, with comment lines).
 *
 * A table says nothing of itself, so its shape is all that can be checked: there are no zero bytes, which
 * BLAST cannot write and files that lost something have (other control characters are copied: titles have
 * them); each row of -outfmt 6 has as many fields as the first one, and each of -outfmt 7 as many as
 * "# Fields:" names. A part of -outfmt 7 has no more rows than "# N hits found" says, and there are as many
 * parts as "# BLAST processed N queries" says. Fields of -outfmt 10 are not quoted, so that a
 * comma in a name is one more field: there, rows have at least BLAST's own twelve columns, if these were what
 * the format was known by, or as many as the row of column names. PSI-BLAST's "\nSearch has CONVERGED!\n" can
 * stand between rows. Bytes beyond ASCII are copied unseen: BLAST writes Latin-1, and nothing in a table says
 * so.
 *
 * Whole lines that do not belong in the result are told as SKIP: empty ones, and rows of column names other
 * than the first child's (columns.c). Whether a document begins with such a row is known before it is
 * scanned, from the sample (format.c); a later row of the same bytes is another file's, joined to this one.
 *
 * A last line without a line feed counts if it is whole by what else is known: it has as many fields as the
 * first row, or as the first child's rows, and the last field is neither empty nor a number that breaks off
 * (2e-). That a number such as 27.3 lost its last digits cannot be seen.
 *
 * Where queries are told, the names that BLAST gives to queries without one, Query_N, are looked for: in
 * -outfmt 7 in the rows of a query whose title says that it may be one of these, and there in the columns of
 * queries' names; in the others, which say nothing, in each row's first field.
 *
 * A document of -outfmt 6 and 10 is a text from its beginning to its end, and one body without an epilogue.
 * What there is for one query is not told apart: their marks have one Iteration and count none. In -outfmt 7
 * an Iteration goes from "# BLASTP ..." to the next of these, and "# BLAST processed N queries" is the
 * epilogue (comments.c).
 *
 * Rows are taken in blocks of 64 bytes (rows.h) as long as nothing in them is odd; what is odd is taken byte
 * by byte, by functions that know what to say about it. So a row can have any length, and nothing of it is
 * kept but its last bytes.
 */
#include "mark/table/table.h"
#include "mark/table/rows.h"

#include <stdio.h>
#include <string.h>

/* Rows lie in registers then. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

static const char converged[] = "Search has CONVERGED!";

enum { DIFFERS = UINT16_MAX }; /* of n_alike */

static bool has_comments(const struct bm_mark_table *table) {
    return table->mark.kin.format == BLASTMERGE_FORMAT_COMMENTED;
}

static char separator_of(const struct bm_mark_table *table) {
    return table->mark.kin.format == BLASTMERGE_FORMAT_CSV ? ',' : '\t';
}

/* --- documents ----------------------------------------------------------------------------------- */

void bm_mark_table_begin(struct bm_mark_table *table, uint64_t at) {
    bm_mark_add(&table->mark, BM_MARK_DOCUMENT, at)->flags = BM_MARK_BARE;
    bm_mark_add(&table->mark, BM_MARK_ITERATIONS, at)->value = table->mark.kin.format;
    bm_mark_add(&table->mark, BM_MARK_BODY, at);
    table->mark.counts.n_documents++;
    bm_mark_begin_digest(&table->mark);
    table->n_runs = table->n_again = 0;
    memset(table->seen, 0, sizeof table->seen);
    table->in_document = true;
    table->n_blocks = 0;
    table->is_first = !table->mark.kin.has_table;
    table->mark.kin.has_table = true;
    table->n_queries = 0;
    table->columns = table->mark.tells_queries && !has_comments(table);
    table->has_ended = table->has_program = table->has_database = table->has_header = false;
}

void bm_mark_table_header(struct bm_mark_table *table, uint64_t at) {
    if (!table->has_header) bm_mark_add(&table->mark, BM_MARK_HEADER, at);
    table->has_header = true;
}

void bm_mark_table_field(struct bm_mark_table *table, const char *name, const char *value, size_t n_value) {
    bm_mark_field_begin(&table->mark, name, strlen(name));
    bm_mark_field_add(&table->mark, value, n_value);
    bm_mark_field_end(&table->mark, table->mark.position);
}

/* The document's row of column names, which lies in the sample. */
static void tell_names(struct bm_mark_table *table) {
    bm_mark_table_field(table, "header row", table->mark.sample + table->names_at, table->n_names);
}

/* What the last step had no room for. */
static void take_due(struct bm_mark_table *table) {
    enum bm_table_due due = (enum bm_table_due)table->due;
    table->due = due == BM_DUE_NAMES ? BM_DUE_HEADER : BM_DUE_NOTHING;
    if (due == BM_DUE_VERSION) bm_mark_table_version(table);
    if (due == BM_DUE_NAMES) tell_names(table);
    if (due == BM_DUE_HEADER) bm_mark_table_header(table, table->mark.position);
}

/* These lines do not belong in the result. */
static void skip_lines(struct bm_mark_table *table, uint64_t from, uint64_t to, unsigned flags) {
    table->is_open = false;
    if (!table->in_document) return;
    struct bm_mark_entry *entry = bm_mark_add(&table->mark, BM_MARK_SKIP, from);
    entry->end = to;
    entry->flags = flags;
}

/* --- which queries there are rows of --------------------------------------------------------------- */

/* Whether rows say which query they are of: in a table without comments, if its columns are BLAST's own. If the
 * caller gave the format, that is known of each child by its own first row, and holds for no other. */
static bool names_queries(const struct bm_mark_table *table) {
    return !has_comments(table) && (table->mark.kin.rows_are_plain || table->mark.rows.name_queries);
}

/*
 * A search that was begun again writes behind what it had written, and >> appends a run to another: then queries
 * come once more, while BLAST writes all rows of a query together. A single one may be another query of the same
 * name, so two in a row count, or the last one. Of the names a fixed number is remembered: for each hash the first
 * one that had it, as a run may begin once more, and the latest one, as its end may come once more.
 */
static bool has_seen(struct bm_mark_table *table, uint64_t name) {
    uint32_t *seen = table->seen[name % BM_TABLE_SEEN];
    uint32_t tag = (uint32_t)(name >> 32) | 1;
    bool is_seen = seen[0] == tag || seen[1] == tag;
    if (seen[0] == 0) seen[0] = tag;
    seen[1] = tag;
    return is_seen;
}

static void tell_again(struct bm_mark_table *table) {
    if (table->mark.counts.n_again++ == 0) table->mark.counts.again = table->again;
}

/* Another query's rows begin; its name is 0 if BLAST made it up. */
static void follow_run(struct bm_mark_table *table, uint64_t name, uint64_t at) {
    if (name == 0 || !has_seen(table, name)) {
        table->n_again = 0;
        return;
    }
    if (table->n_again == 0) table->again = at;
    if (++table->n_again == 2) tell_again(table);
}

/* A row of the query is there, at the offset. */
static void take_query(struct bm_mark_table *table, const uint8_t *name, uint64_t n_name, uint64_t at) {
    size_t n = n_name < BM_DIGEST_CONTENT ? (size_t)n_name : BM_DIGEST_CONTENT;
    table->naming = BM_NAMING_NOT;
    if (table->n_runs > 0 && n_name == table->n_last && memcmp(name, table->last, n) == 0) return;
    memcpy(table->last, name, n);
    table->n_last = n_name;
    table->n_runs++;
    follow_run(table, bm_mark_digest_add_name(&table->mark.digest, name, n_name), at);
}

static void collect_query(struct bm_mark_table *table, uint8_t byte, bool is_end) {
    if (is_end) {
        table->naming = BM_NAMING_KNOWN;
        return;
    }
    if (table->n_row < BM_DIGEST_CONTENT) table->row[table->n_row] = byte;
    table->n_row++;
}

/* Names are short: a call costs more than the comparison. */
ALWAYS_INLINE bool is_same(const uint8_t *one, const uint8_t *other, size_t n) {
    enum { WORD = sizeof(uint64_t) };
    if (n < WORD) return memcmp(one, other, n) == 0;
    uint64_t difference =
        (bm_load64(one) ^ bm_load64(other)) | (bm_load64(one + n - WORD) ^ bm_load64(other + n - WORD));
    for (size_t i = WORD; i + WORD < n; i += WORD) difference |= bm_load64(one + i) ^ bm_load64(other + i);
    return difference == 0;
}

ALWAYS_INLINE bool is_field(const uint8_t *text, size_t n_text, const uint8_t *name, size_t n_name,
                            char separator) {
    return n_name < n_text && text[n_name] == (uint8_t)separator && is_same(text, name, n_name);
}

/* Whether the rows that begin in the block are all of the query of the row before. */
ALWAYS_INLINE bool are_of_last_query(const struct bm_mark_table *table, const uint8_t *block, size_t n_text,
                                     uint64_t newlines, char separator) {
    if (table->naming != BM_NAMING_NOT || table->n_last > BM_DIGEST_CONTENT) return false;
    for (uint64_t ends = newlines << 1; ends != 0; ends &= ends - 1) {
        size_t at = (size_t)__builtin_ctzll(ends);
        if (!is_field(block + at, n_text - at, table->last, (size_t)table->n_last, separator)) return false;
    }
    return true;
}

/* Those of the row that ends in the block, and of the rows that begin in it. False, and nothing is taken, if
 * the name of the last of these is not to be seen as a whole in the text. */
static bool take_queries(struct bm_mark_table *table, const uint8_t *block, size_t n_text, uint64_t newlines,
                         char separator) {
    size_t last = 64u - (size_t)__builtin_clzll(newlines);
    size_t n_left = n_text - last < BM_DIGEST_CONTENT ? n_text - last : BM_DIGEST_CONTENT;
    const uint8_t *end = n_left == 0 ? NULL : memchr(block + last, separator, n_left);
    if (end == NULL) return false;
    if (table->naming == BM_NAMING_KNOWN) take_query(table, table->row, table->n_row, table->line);
    for (uint64_t ends = newlines; (ends & (ends - 1)) != 0; ends &= ends - 1) { /* rows that end here, too */
        const uint8_t *row = block + __builtin_ctzll(ends) + 1;
        const uint8_t *row_end = block + __builtin_ctzll(ends & (ends - 1));
        const uint8_t *name_end = memchr(row, separator, (size_t)(row_end - row));
        take_query(table, row, (uint64_t)((name_end == NULL ? row_end : name_end) - row),
                   table->mark.position + (uint64_t)(row - block));
    }
    take_query(table, block + last, (uint64_t)(end - (block + last)), table->mark.position + last);
    return true;
}

/* --- rows ---------------------------------------------------------------------------------------- */

/* A line that must be a comment line is none. */
static bool fail_hits(struct bm_mark_table *table, uint64_t at) {
    if (table->in_query && table->has_hits) {
        return bm_mark_fail(&table->mark, at,
                            "there are more lines of hits than \"# %llu hits found\" says: a comment line "
                            "(\"# \") was expected here; the table is damaged, or parts of others are in it",
                            (unsigned long long)table->n_hits);
    }
    return bm_mark_fail(&table->mark, at, "%s was expected here, not a line of hits",
                        table->in_document ? "a comment line (\"# \")" : "\"# BLASTP VERSION\" or the like");
}

/* A document without comments begins with its first row, or PSI-BLAST's message: empty lines make none. */
static void begin_bare(struct bm_mark_table *table, uint64_t at) {
    if (table->in_document) return;
    bm_mark_table_begin(table, at);
    bm_mark_add(&table->mark, BM_MARK_ITERATION, at);
}

static bool begin_row(struct bm_mark_table *table, uint64_t at) {
    if (!has_comments(table)) begin_bare(table, at);
    if (has_comments(table) && table->n_left == 0) return fail_hits(table, at);
    table->state = BM_TABLE_ROW;
    table->line = at;
    table->n_fields = 0;
    bool is_at_begin = table->mark.position == at; /* else what was taken begins no name */
    table->n_name = is_at_begin ? 0 : BM_TABLE_OTHER;
    table->n_alike = is_at_begin && table->mark.kin.n_names > 0 && !has_comments(table) ? 0 : DIFFERS;
    table->in_names = table->mark.rows.begin_with_names && table->n_first == 0 && !has_comments(table);
    table->naming = names_queries(table) ? BM_NAMING_COLLECTS : BM_NAMING_NOT;
    table->n_row = 0;
    return true;
}

/* A document's first row says how many columns there are, where no comment does. */
static void take_first_row(struct bm_mark_table *table) {
    char digits[24];
    table->n_first = table->n_fields;
    if (table->mark.kin.n_columns == 0) table->mark.kin.n_columns = table->n_fields;
    if (table->mark.kin.format == BLASTMERGE_FORMAT_CSV) {
        table->n_least = table->in_names                  ? table->n_fields
                         : table->mark.kin.rows_are_plain ? BM_TABLE_COLUMNS
                                                          : 1;
        table->n_most = UINT64_MAX;
        table->due = BM_DUE_HEADER;
        if (table->in_names)
            tell_names(table);
        else
            take_due(table);
        return;
    }
    table->n_least = table->n_most = table->n_fields;
    int n_digits = snprintf(digits, sizeof digits, "%llu", (unsigned long long)table->n_fields);
    bm_mark_table_field(table, "columns", digits, (size_t)n_digits);
    table->due = table->in_names ? BM_DUE_NAMES : BM_DUE_HEADER;
}

/* The row of column names that the document begins with. */
static void end_names(struct bm_mark_table *table) {
    const char *names = table->mark.sample + table->line;
    size_t n_names = (size_t)(table->mark.position - table->line);
    while (n_names > 0 && (names[n_names - 1] == '\n' || names[n_names - 1] == '\r')) n_names--;
    bm_require(table->mark.position <= table->mark.n_sample && n_names <= BM_MARK_MAX_NAMES);
    skip_lines(table, table->line, table->mark.position,
               table->mark.header == BLASTMERGE_HEADER_NONE ? 0 : BM_MARK_NAMES);
    if (table->is_first) {
        memcpy(table->mark.kin.names, names, n_names);
        table->mark.kin.n_names = (uint16_t)n_names;
    }
    table->names_at = (uint16_t)table->line;
    table->n_names = (uint16_t)n_names;
    take_first_row(table);
    table->in_names = false;
}

static bool fits(const struct bm_mark_table *table, uint64_t n_fields) {
    return n_fields >= table->n_least && n_fields <= table->n_most;
}

static bool fail_row(struct bm_mark_table *table) {
    return bm_mark_fail(
        &table->mark, table->line,
        "the line here has %llu field%s, where %s%llu were expected: it is damaged, or not of "
        "this table",
        (unsigned long long)table->n_fields, table->n_fields == 1 ? "" : "s",
        table->n_least < table->n_most ? "at least " : "", (unsigned long long)table->n_least);
}

void bm_mark_table_end_line(struct bm_mark_table *table) {
    table->mark.counts.line_ends |= table->after_return ? BM_MARK_CRLF : BM_MARK_LF;
    table->after_return = false;
}

/* At a row's end, which has been taken. */
static bool end_row(struct bm_mark_table *table) {
    table->n_fields++;
    table->state = BM_TABLE_LINE;
    if (table->in_names) {
        end_names(table);
        return true;
    }
    if (table->n_alike != DIFFERS && table->n_alike == table->mark.kin.n_names) {
        skip_lines(table, table->line, table->mark.position, 0);
        return true;
    }
    if (table->n_least == 0) take_first_row(table);
    if (!fits(table, table->n_fields)) return fail_row(table);
    if (table->naming == BM_NAMING_KNOWN) take_query(table, table->row, table->n_row, table->line);
    table->mark.counts.n_hsps++;
    if (has_comments(table)) table->n_left--;
    return true;
}

/* --- names of queries ---------------------------------------------------------------------------- */

uint8_t bm_mark_table_follow(uint8_t n_name, uint8_t byte) {
    static const char stem[] = "Query_";
    bool is_next;
    if (n_name < BM_TABLE_STEM)
        is_next = byte == (uint8_t)stem[n_name];
    else
        is_next = n_name < BM_TABLE_NAME && byte >= (n_name == BM_TABLE_STEM ? '1' : '0') && byte <= '9';
    return is_next ? (uint8_t)(n_name + 1) : BM_TABLE_OTHER;
}

/* Whether the current field may be such a name, so far. */
static bool is_in_name(const struct bm_mark_table *table) {
    return table->n_fields < 64 && (table->columns >> table->n_fields & 1) != 0 &&
           table->n_name != BM_TABLE_OTHER;
}

static void follow_name(struct bm_mark_table *table, uint8_t byte, bool is_end) {
    if (!is_in_name(table)) return;
    if (!is_end) {
        table->n_name = bm_mark_table_follow(table->n_name, byte);
        return;
    }
    if (table->n_name > BM_TABLE_STEM)
        bm_mark_add(&table->mark, BM_MARK_QUERY_ROW, table->mark.position - table->n_name)->end =
            table->mark.position;
    table->n_name = BM_TABLE_OTHER;
}

/* --- rows of column names that come again --------------------------------------------------------- */

static void follow_names(struct bm_mark_table *table, uint8_t byte) {
    const struct bm_mark_kin *kin = &table->mark.kin;
    if (byte == '\n') return;
    bool is_end = byte == '\r' && table->n_alike == kin->n_names && !table->after_return;
    bool is_next = table->n_alike < kin->n_names && (uint8_t)kin->names[table->n_alike] == byte;
    if (is_next)
        table->n_alike++;
    else if (!is_end)
        table->n_alike = DIFFERS;
}

/* Whether any row that begins in the block may be that, as far as its first bytes go. */
static bool may_hold_names(const struct bm_mark_table *table, const struct bm_rows *rows, const uint8_t *text,
                           size_t n_text) {
    const uint8_t *names = (const uint8_t *)table->mark.kin.names; /* zeros follow those that there are */
    const uint64_t compared =
        table->mark.kin.n_names < 8 ? ((uint64_t)1 << 8 * table->mark.kin.n_names) - 1 : UINT64_MAX;
    for (uint64_t ends = rows->newlines; ends != 0; ends &= ends - 1) {
        size_t at = (size_t)__builtin_ctzll(ends) + 1;
        if (n_text - at < 8 || ((bm_load64(text + at) ^ bm_load64(names)) & compared) == 0) return true;
    }
    return false;
}

/* --- rows, byte by byte -------------------------------------------------------------------------- */

bool bm_mark_table_fail_zero(struct bm_mark_table *table) {
    return bm_mark_fail(
        &table->mark, table->mark.position,
        "there is a zero byte (NUL) here, which no table has: this is another kind of file, or "
        "part of it was never written, or was lost");
}

static bool take_row_byte(struct bm_mark_table *table, uint8_t byte) {
    if (byte == 0) return bm_mark_table_fail_zero(table);
    bool is_end = byte == '\n' || byte == (uint8_t)separator_of(table);
    if (table->columns != 0) follow_name(table, byte, is_end || byte == '\r');
    if (table->n_alike != DIFFERS) follow_names(table, byte);
    if (table->naming == BM_NAMING_COLLECTS) collect_query(table, byte, is_end);
    table->mark.position++;
    if (byte == '\n') {
        bm_mark_table_end_line(table);
        return end_row(table);
    }
    table->after_return = byte == '\r';
    if (!is_end) return true;
    table->n_fields++;
    table->n_name = 0;
    return true;
}

/* --- rows, many at once -------------------------------------------------------------------------- */

/* Whether all the rows that end in the block have as many fields as they should. */
static bool are_even(const struct bm_mark_table *table, const struct bm_rows *rows) {
    uint64_t n_fields = table->n_fields + 1;
    uint64_t before = 0;
    for (uint64_t ends = rows->newlines; ends != 0; ends &= ends - 1) {
        uint64_t upto = ends ^ (ends - 1);
        if (!fits(table, n_fields + bm_rows_count(rows->separators & upto & ~before))) return false;
        before = upto;
        n_fields = 1;
    }
    return true;
}

/* Takes a block if nothing in it is odd: neither a row, nor a line that is none. */
ALWAYS_INLINE bool take_block(struct bm_mark_table *table, const struct bm_rows *rows, unsigned n_rows,
                              const uint8_t *block, size_t n_text, char separator) {
    uint64_t after = ~(uint64_t)0; /* bytes behind the last row that ends here */
    uint64_t odd = rows->newlines | rows->returns | rows->starts; /* where a line begins */
    if (rows->zeros != 0 || (rows->newlines << 1 & odd) != 0) return false;
    if (has_comments(table) && n_rows >= table->n_left) return false; /* what comes next is no row */
    if (rows->newlines != 0) {
        unsigned last = 63 - (unsigned)__builtin_clzll(rows->newlines);
        uint64_t behind_returns = rows->returns << 1 | (uint64_t)table->after_return;
        if (!are_even(table, rows)) return false;
        if (names_queries(table) && !are_of_last_query(table, block, n_text, rows->newlines, separator) &&
            !take_queries(table, block, n_text, rows->newlines, separator))
            return false;
        if ((rows->newlines & behind_returns) != 0) table->mark.counts.line_ends |= BM_MARK_CRLF;
        if ((rows->newlines & ~behind_returns) != 0) table->mark.counts.line_ends |= BM_MARK_LF;
        after = last == 63 ? 0 : ~(uint64_t)0 << (last + 1);
        table->line = table->mark.position + last + 1;
        table->n_fields = 0;
        table->n_name = BM_TABLE_OTHER;
        table->n_alike = DIFFERS;
        table->state = after == 0 ? BM_TABLE_LINE : BM_TABLE_ROW;
    }
    table->n_fields += bm_rows_count(rows->separators & after);
    table->after_return = rows->returns >> 63 != 0;
    return true;
}

static void pass_block(struct bm_mark_table *table, unsigned n_rows) {
    if (has_comments(table)) table->n_left -= n_rows;
    table->mark.counts.n_hsps += n_rows;
    table->mark.position += BM_ROWS_BLOCK;
}

/* As many blocks as it can, where no names are looked for. */
static size_t take_blocks(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t used = 0;
    char separator = separator_of(table);
    while (table->state == BM_TABLE_ROW && n_text - used >= BM_ROWS_BLOCK) {
        struct bm_rows rows = bm_rows_find(text + used, separator, '#');
        unsigned n_rows = bm_rows_count(rows.newlines);
        if (table->mark.kin.n_names > 0 && may_hold_names(table, &rows, text + used, n_text - used)) break;
        if (!take_block(table, &rows, n_rows, text + used, n_text - used, separator)) break;
        pass_block(table, n_rows);
        used += BM_ROWS_BLOCK;
    }
    return used;
}

/* How many bytes of the field that begins here are a name that BLAST gave, 0 if it is another one, and
 * SIZE_MAX if its end is not to be seen. */
static size_t measure_name(const uint8_t *text, size_t n_text, char separator) {
    uint8_t n_name = 0;
    size_t n = 0;
    for (; n < n_text; n++) {
        uint8_t n_longer = bm_mark_table_follow(n_name, text[n]);
        if (n_longer == BM_TABLE_OTHER) break;
        n_name = n_longer;
    }
    if (n == n_text) return SIZE_MAX;
    bool is_end = text[n] == (uint8_t)separator || text[n] == '\n' || text[n] == '\r';
    return is_end && n_name > BM_TABLE_STEM ? n : 0;
}

/* Adds the marks of the names with which rows begin at these places. False if something is odd: perhaps a
 * comment, or a name whose end does not lie in the text. */
static bool take_names(struct bm_mark_table *table, const uint8_t *text, size_t n_text, uint64_t begins) {
    for (; begins != 0; begins &= begins - 1) {
        unsigned at = (unsigned)__builtin_ctzll(begins);
        if (has_comments(table) && text[at] == '#') return false;
        if (text[at] != 'Q' || (n_text - at > 1 && text[at + 1] != 'u')) continue;
        size_t n = measure_name(text + at, n_text - at, separator_of(table));
        if (n == SIZE_MAX || !bm_mark_can_step(&table->mark)) return false;
        if (n > 0)
            bm_mark_add(&table->mark, BM_MARK_QUERY_ROW, table->mark.position + at)->end =
                table->mark.position + at + n;
    }
    return true;
}

/* The same where names are looked for in the first column. */
static size_t take_named_blocks(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t used = 0;
    char separator = separator_of(table);
    uint64_t all = has_comments(table) ? ~(uint64_t)0 : 0;
    uint64_t first = is_in_name(table); /* a row begins at the block's first byte */
    while (table->state == BM_TABLE_ROW && n_text - used >= BM_ROWS_BLOCK) {
        struct bm_rows rows = bm_rows_find(text + used, separator, 'Q');
        unsigned n_rows = bm_rows_count(rows.newlines);
        size_t n_entries = table->mark.list->n_entries;
        if (table->mark.kin.n_names > 0 && may_hold_names(table, &rows, text + used, n_text - used)) break;
        uint64_t begins = (rows.newlines << 1 | first) & (rows.starts | all);
        rows.starts = 0;
        if ((begins != 0 && !take_names(table, text + used, n_text - used, begins)) ||
            !take_block(table, &rows, n_rows, text + used, n_text - used, separator)) {
            table->mark.list->n_entries = n_entries;
            break;
        }
        table->n_name = BM_TABLE_OTHER;
        pass_block(table, n_rows);
        used += BM_ROWS_BLOCK;
        first = 0;
    }
    return used;
}

/* As many blocks as it can: where it is known how many fields a row has, and no name is looked for but in a
 * first column, whose beginning is here or before. */
static size_t take_all_blocks(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    bool is_collecting = table->naming == BM_NAMING_COLLECTS;
    if (table->n_least == 0 || table->n_alike != DIFFERS || table->in_names || is_collecting) return 0;
    if (table->columns == 0) return take_blocks(table, text, n_text);
    bool is_seen = table->columns == 1 && (!is_in_name(table) || table->n_name == 0);
    return is_seen ? take_named_blocks(table, text, n_text) : 0;
}

/* Bytes of a row; after blocks, the odd one up to its end or the row's. */
static void take_row(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t used = take_all_blocks(table, text, n_text);
    size_t end = n_text - used < BM_ROWS_BLOCK ? n_text : used + BM_ROWS_BLOCK;
    while (used < end && table->state == BM_TABLE_ROW && bm_mark_can_step(&table->mark) &&
           take_row_byte(table, text[used])) {
        used++;
    }
}

/* --- empty lines --------------------------------------------------------------------------------- */

/* An empty line that begins nothing lies before the current line. In a table of one column it might be a row.
 * In tables with comments BLAST writes none; the web's has one behind each query's rows. */
static bool end_blank(struct bm_mark_table *table, bool is_at_end) {
    bool can_stand = is_at_end || table->n_most != 1;
    if (has_comments(table)) {
        bool is_behind_rows = table->form == BM_FORM_LEGACY || table->n_left == 0;
        can_stand = !table->in_document ||
                    (table->form != BM_FORM_PLUS && is_behind_rows && (table->has_hits || !table->in_query));
    }
    if (!can_stand) {
        return bm_mark_fail(&table->mark, table->blank,
                            "the line here is empty, and \"Search has CONVERGED!\" does not follow it");
    }
    if (has_comments(table)) table->n_left = 0;
    table->state = BM_TABLE_LINE;
    skip_lines(table, table->blank, table->line, 0);
    return true;
}

/* The current line began as PSI-BLAST's message does, and is a row. */
static void begin_row_behind_blank(struct bm_mark_table *table) {
    uint16_t n = table->n_kept;
    if (!end_blank(table, false) || !begin_row(table, table->line)) return;
    memcpy(table->row, converged, n);
    table->n_row = n;
    bool is_alike = table->mark.kin.n_names >= n && memcmp(table->mark.kin.names, converged, n) == 0;
    if (is_alike && !has_comments(table)) table->n_alike = n;
}

/* Behind an empty line: "Search has CONVERGED!", or something else. */
static void take_blank(struct bm_mark_table *table, uint8_t byte) {
    const uint16_t n_message = sizeof converged - 1;
    bool is_message = !has_comments(table) || table->in_document;
    if (is_message && table->n_kept == n_message && byte == '\r' && !table->after_return) {
        table->after_return = true;
    } else if (is_message && table->n_kept == n_message && byte == '\n') {
        if (!has_comments(table)) begin_bare(table, table->blank);
        table->state = BM_TABLE_LINE;
    } else if (is_message && table->n_kept < n_message && byte == (uint8_t)converged[table->n_kept]) {
        table->n_kept++;
    } else {
        if (table->n_kept == 0)
            (void)end_blank(table, false);
        else
            begin_row_behind_blank(table);
        return;
    }
    table->mark.position++;
}

static void begin_blank(struct bm_mark_table *table) {
    table->mark.position++;
    table->blank = table->line;
    table->line = table->mark.position;
    table->state = BM_TABLE_BLANK;
}

/* Behind a carriage return that begins a line. */
static void take_return(struct bm_mark_table *table, uint8_t byte) {
    if (byte == '\n') {
        begin_blank(table);
        return;
    }
    if (begin_row(table, table->line)) table->after_return = true;
}

/* --- lines --------------------------------------------------------------------------------------- */

static void begin_line(struct bm_mark_table *table, const uint8_t *text) {
    if (table->mark.position == 0 &&
        bm_mark_begins_with_bom(&table->mark)) { /* not copied: no document has begun */
        table->mark.position = BM_BOM;
        return;
    }
    uint8_t byte = text[0];
    table->line = table->mark.position;
    table->n_kept = 0;
    table->after_return = false;
    table->comment = BM_COMMENT_NONE;
    if (byte == '\n') {
        begin_blank(table);
        return;
    }
    if (byte == '\r') {
        table->state = BM_TABLE_RETURN;
    } else if (byte == '#' && has_comments(table)) {
        table->state = BM_TABLE_COMMENT;
    } else {
        (void)begin_row(table, table->mark.position);
        return;
    }
    table->mark.position++;
}

/* In a comment line, or behind the '#' that may begin one: a row's first field may begin so, too, but with no
 * space behind it. */
static void take_comment(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    if (table->n_kept == 0 && text[0] != ' ') {
        (void)begin_row(table, table->line);
    } else {
        bm_mark_table_comment(table, text, n_text);
    }
}

static void take(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    switch ((enum bm_table_state)table->state) {
    case BM_TABLE_LINE:
        begin_line(table, text);
        break;
    case BM_TABLE_ROW:
        take_row(table, text, n_text);
        break;
    case BM_TABLE_RETURN:
        take_return(table, text[0]);
        break;
    case BM_TABLE_BLANK:
        take_blank(table, text[0]);
        break;
    case BM_TABLE_COMMENT:
        take_comment(table, text, n_text);
        break;
    }
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Keeps the last bytes that were taken. */
static void keep_tail(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t n_new = n_text < BM_TABLE_TAIL ? n_text : BM_TABLE_TAIL;
    size_t n_old = table->n_tail < BM_TABLE_TAIL - n_new ? table->n_tail : BM_TABLE_TAIL - n_new;
    memmove(table->tail, table->tail + table->n_tail - n_old, n_old);
    memcpy(table->tail + n_old, text + n_text - n_new, n_new);
    table->n_tail = (uint8_t)(n_old + n_new);
}

/* Whether the text's last field is neither empty nor a number that breaks off, as "27.", "2e-" and "-" do. */
static bool is_last_field_whole(const struct bm_mark_table *table) {
    size_t end = table->n_tail;
    if (end > 0 && table->tail[end - 1] == '\r') end--;
    size_t begin = end;
    bool has_digit = false;
    while (begin > 0 && table->tail[begin - 1] != '\n' && table->tail[begin - 1] != separator_of(table)) {
        char c = table->tail[--begin];
        has_digit = has_digit || (c >= '0' && c <= '9');
        if (strchr("0123456789+-.eE ", c) == NULL) return true; /* no number */
    }
    while (begin < end && table->tail[begin] == ' ') begin++;
    if (begin == end) return false;
    bool begins_as_number = has_digit || strchr("+-.", table->tail[begin]) != NULL;
    return !begins_as_number || (table->tail[end - 1] >= '0' && table->tail[end - 1] <= '9');
}

/* How many fields the last row must have to be whole though it does not end; 0: nothing says so. */
static uint64_t find_width(const struct bm_mark_table *table) {
    if (has_comments(table)) return table->n_least;
    if (table->n_first > 0) return table->n_first;
    if (table->mark.kin.n_columns > 0) return table->mark.kin.n_columns;
    return table->mark.kin.rows_are_plain ? BM_TABLE_COLUMNS : 0;
}

static bool fail_cut(struct bm_mark_table *table) {
    return bm_mark_fail(&table->mark, table->mark.position, "the table ends inside a line: it is cut short");
}

/* The last line does not end. Takes it if it is whole. */
static bool end_last_line(struct bm_mark_table *table) {
    switch ((enum bm_table_state)table->state) {
    case BM_TABLE_LINE:
        return true;
    case BM_TABLE_BLANK:
        if (table->n_kept == 0) return end_blank(table, true);
        if (table->n_kept < sizeof converged - 1) return fail_cut(table);
        if (!has_comments(table)) begin_bare(table, table->blank);
        table->is_open = true;
        table->state = BM_TABLE_LINE;
        return true;
    case BM_TABLE_COMMENT:
        if (bm_mark_table_end_comment(table)) return true;
        return table->mark.has_failed ? false : fail_cut(table);
    case BM_TABLE_ROW:
        if (table->n_fields + 1 != find_width(table) || !is_last_field_whole(table)) return fail_cut(table);
        if (table->columns != 0 && !table->after_return) follow_name(table, '\n', true);
        table->is_open = true;
        return end_row(table);
    case BM_TABLE_RETURN:
        break;
    }
    return fail_cut(table);
}

/* Ends the document where it has no last line of its own. */
static void end_document(struct bm_mark_table *table) {
    struct bm_mark_entry *entry = bm_mark_add(&table->mark, BM_MARK_ITERATIONS_END, table->mark.position);
    entry->end = table->mark.position;
    if (!table->is_open) return;
    /* Behind a carriage return there is one already. */
    bool needs_return = table->mark.counts.line_ends == BM_MARK_CRLF && !table->after_return;
    entry->flags = BM_MARK_OPEN | (needs_return ? BM_MARK_RETURN : 0);
}

/* --- the scanner --------------------------------------------------------------------------------- */

static size_t step(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    struct bm_mark_table *table = (struct bm_mark_table *)mark;
    uint64_t begin = table->mark.position;
    size_t used = 0;
    take_due(table);
    while (used < n_text && bm_mark_can_step(&table->mark)) {
        take(table, text + used, n_text - used);
        used = (size_t)(table->mark.position - begin);
    }
    keep_tail(table, text, used);
    return used;
}

static bool finish(struct bm_mark *mark) {
    struct bm_mark_table *table = (struct bm_mark_table *)mark;
    take_due(table);
    if (!table->mark.field_is_ready && !table->is_ended) {
        table->is_ended = true;
        if (!end_last_line(table)) return false;
    }
    if (table->mark.field_is_ready) return true; /* to be called again */
    if (has_comments(table)) {
        if (table->in_document && !bm_mark_table_end(table)) return false;
    } else if (table->n_first > 0) { /* else there is nothing to be compared */
        bm_mark_table_header(table, table->mark.position);
    }
    if (table->in_document) {
        if (table->n_again == 1) tell_again(table);
        end_document(table);
    }
    if (!table->in_document && !table->has_ended) return true;
    struct bm_mark_entry *entry = bm_mark_add_document_end(&table->mark, table->mark.position);
    if (!has_comments(table) && !names_queries(table)) entry->flags |= BM_MARK_UNKNOWN;
    if (names_queries(table) && table->n_runs < 2) entry->flags |= BM_MARK_WEAK;
    return true;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    const struct bm_mark_table *table = (const struct bm_mark_table *)mark;
    if (table->state == BM_TABLE_COMMENT && table->comment == BM_COMMENT_NONE) return table->line;
    if (table->state == BM_TABLE_RETURN) return table->line;
    if (table->state == BM_TABLE_BLANK) return table->blank;
    if (table->state != BM_TABLE_ROW) return table->mark.position;
    if (table->in_names || table->n_alike != DIFFERS) return table->line;
    return is_in_name(table) ? table->mark.position - table->n_name : table->mark.position;
}

const struct bm_mark_scanner bm_mark_table = {
    .step = step, .finish = finish, .safe = safe_offset, .has_rows = true};
