/* SPDX-License-Identifier: MIT */
/*
 * Scans rows of tables: in blocks of 64 bytes, or byte by byte if something in them is odd. Finds out which
 * queries they are of. The essay is in table.c.
 */
#include "mark/table/rows.h"
#include "base/hash.h"
#include "mark/table/table.h"

#include <stdio.h>
#include <string.h>

/* Rows lie in registers then. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* --- which queries there are rows of --------------------------------------------------------------- */

/* Whether rows say which query they are of: in a table without comments, if its columns are BLAST's own. If
 * the caller gave the format, that is known of each child by its own first row, and holds for no other. */
bool bm_mark_table_names_queries(const struct bm_mark_table *table) {
    return !bm_mark_table_has_comments(table) &&
           (table->mark.kin.rows_are_plain || table->mark.rows.name_queries);
}

void bm_mark_table_tell_again(struct bm_mark_table *table) {
    if (table->mark.counts.n_again++ == 0) table->mark.counts.again = table->again;
}

/*
 * A search that was begun again writes behind what it had written, and >> appends a run to another: then
 * queries come once more, while BLAST writes all rows of a query together. A single one may be another query
 * of the same name, so two in a row count, or the last one. Of the names a fixed number is remembered: for
 * each hash the first one that had it, as a run may begin once more, and the latest one, as its end may come
 * once more.
 *
 * Called when another query's rows begin; its name is 0 if BLAST made it up.
 */
static void follow_run(struct bm_mark_table *table, uint64_t name, uint64_t at) {
    if (name == 0 || !bm_hash_was_seen(table->seen, BM_TABLE_SEEN, name)) {
        table->n_again = 0;
        return;
    }
    if (table->n_again == 0) table->again = at;
    if (++table->n_again == 2) bm_mark_table_tell_again(table);
}

/* The first row of a query has ended: only now does it count. Blocks take a row's name where it begins, but the row may
 * still turn out to be damaged. */
static void end_first_row(struct bm_mark_table *table) {
    if (!table->in_first_row) return;
    table->in_first_row = false;
    if (table->n_runs > 1) bm_mark_count_query(&table->mark, table->first_row.n_before);
    follow_run(table, table->first_row.name, table->first_row.at);
}

/* A row of the query is there, at the offset, behind so many rows, which have ended. */
static void take_query(struct bm_mark_table *table, const uint8_t *name, uint64_t n_name, uint64_t at,
                       uint64_t n_rows) {
    size_t n = n_name < BM_DIGEST_CONTENT ? (size_t)n_name : BM_DIGEST_CONTENT;
    table->naming = BM_NAMING_NOT;
    end_first_row(table);
    if (table->n_runs > 0 && n_name == table->n_last && memcmp(name, table->last, n) == 0) return;
    memcpy(table->last, name, n);
    table->n_last = n_name;
    table->n_runs++;
    table->in_first_row = true;
    table->first_row.n_before = n_rows;
    table->first_row.name = bm_mark_digest_add_name(&table->mark.digest, name, n_name);
    table->first_row.at = at;
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

/* A row may have one field alone. NULL: its name goes on behind the text. */
static const uint8_t *find_name_end(const uint8_t *name, size_t n_text, char separator) {
    for (const uint8_t *end = name; end < name + n_text; end++)
        if (*end == (uint8_t)separator || *end == '\n') return end;
    return NULL;
}

/* Those of the row that ends in the block, and of the rows that begin in it. False, and nothing is taken, if
 * the name of the last of these is not to be seen as a whole in the text. A line that begins behind the block need not be
 * a row: begin_line() decides. */
static bool take_queries(struct bm_mark_table *table, const uint8_t *block, size_t n_text, uint64_t newlines,
                         char separator) {
    size_t last = 64u - (size_t)__builtin_clzll(newlines);
    size_t n_left = n_text - last < BM_DIGEST_CONTENT ? n_text - last : BM_DIGEST_CONTENT;
    bool begins_row = last < BM_ROWS_BLOCK;
    const uint8_t *end = begins_row ? find_name_end(block + last, n_left, separator) : NULL;
    if (begins_row && end == NULL) return false;
    uint64_t n_rows = table->mark.counts.n_hsps;
    if (table->naming == BM_NAMING_KNOWN) take_query(table, table->row, table->n_row, table->line, n_rows);
    for (uint64_t ends = newlines; (ends & (ends - 1)) != 0; ends &= ends - 1) { /* rows that end here, too */
        const uint8_t *row = block + __builtin_ctzll(ends) + 1;
        const uint8_t *name_end =
            find_name_end(row, n_text - (size_t)(row - block), separator); /* in the block */
        take_query(table, row, (uint64_t)(name_end - row), table->mark.position + (uint64_t)(row - block),
                   ++n_rows);
    }
    if (begins_row)
        take_query(table, block + last, (uint64_t)(end - (block + last)), table->mark.position + last,
                   n_rows + 1);
    else
        end_first_row(table);
    return true;
}

/* --- rows ---------------------------------------------------------------------------------------- */

/* A line that must be a comment line is none. */
static bool fail_hits(struct bm_mark_table *table, uint64_t at) {
    if (table->in_query && table->has_hits) {
        return bm_mark_fail(&table->mark, at,
                            "there are more lines of hits than \"# %llu hits found\" states: a comment line "
                            "(\"# \") was expected here; the table is damaged, or parts of others are in it",
                            (unsigned long long)table->n_hits);
    }
    return bm_mark_fail(&table->mark, at, "%s was expected here, not a line of hits",
                        table->in_document ? "a comment line (\"# \")" : "\"# BLASTP VERSION\" or the like");
}

/* A document without comments begins with its first row, or PSI-BLAST's message: empty lines make none. */
void bm_mark_table_begin_bare(struct bm_mark_table *table, uint64_t at) {
    if (table->in_document) return;
    bm_mark_table_begin(table, at);
    bm_mark_add(&table->mark, BM_MARK_ITERATION, at);
}

bool bm_mark_table_begin_row(struct bm_mark_table *table, uint64_t at) {
    if (!bm_mark_table_has_comments(table)) bm_mark_table_begin_bare(table, at);
    if (bm_mark_table_has_comments(table) && table->n_left == 0) return fail_hits(table, at);
    table->state = BM_TABLE_ROW;
    table->line = at;
    table->n_fields = 0;
    bool is_at_begin = table->mark.position == at; /* else what was taken begins no name */
    table->n_name = is_at_begin ? 0 : BM_TABLE_OTHER;
    table->n_alike = is_at_begin && table->mark.kin.n_names > 0 && !bm_mark_table_has_comments(table)
                         ? 0
                         : BM_TABLE_DIFFERS;
    table->in_names =
        table->mark.rows.begin_with_names && table->n_first == 0 && !bm_mark_table_has_comments(table);
    table->naming = bm_mark_table_names_queries(table) ? BM_NAMING_COLLECTS : BM_NAMING_NOT;
    table->n_row = 0;
    return true;
}

/* A document's first row says how many columns there are, where no comment does. */
static void take_first_row(struct bm_mark_table *table) {
    char digits[24];
    table->n_first = table->n_fields;
    if (table->mark.kin.n_columns == 0) table->mark.kin.n_columns = table->n_fields;
    if (bm_format_of(table->mark.kin.format)->has_separators_in_fields) {
        table->n_least = table->in_names                  ? table->n_fields
                         : table->mark.kin.rows_are_plain ? BM_TABLE_COLUMNS
                                                          : 1;
        table->n_most = UINT64_MAX;
        table->due = BM_DUE_HEADER;
        if (table->in_names)
            bm_mark_table_tell_names(table);
        else
            bm_mark_table_take_due(table);
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
    bm_mark_table_skip(table, table->line, table->mark.position,
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
        "the line here has %llu field%s, but %s%llu were expected: it is damaged, or not of this table",
        (unsigned long long)table->n_fields, table->n_fields == 1 ? "" : "s",
        table->n_least < table->n_most ? "at least " : "", (unsigned long long)table->n_least);
}

void bm_mark_table_end_line(struct bm_mark_table *table) {
    table->mark.counts.line_ends |= table->after_return ? BM_MARK_CRLF : BM_MARK_LF;
    table->after_return = false;
}

/* At a row's end, which has been taken. */
bool bm_mark_table_end_row(struct bm_mark_table *table) {
    table->n_fields++;
    table->state = BM_TABLE_LINE;
    if (table->in_names) {
        end_names(table);
        return true;
    }
    if (table->n_alike != BM_TABLE_DIFFERS && table->n_alike == table->mark.kin.n_names) {
        bm_mark_table_skip(table, table->line, table->mark.position, 0);
        return true;
    }
    if (table->n_least == 0) take_first_row(table);
    if (!fits(table, table->n_fields)) return fail_row(table);
    if (table->naming == BM_NAMING_KNOWN)
        take_query(table, table->row, table->n_row, table->line, table->mark.counts.n_hsps);
    end_first_row(table);
    table->mark.counts.n_hsps++;
    if (bm_mark_table_has_comments(table)) table->n_left--;
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
bool bm_mark_table_is_in_name(const struct bm_mark_table *table) {
    return table->n_fields < 64 && (table->columns >> table->n_fields & 1) != 0 &&
           table->n_name != BM_TABLE_OTHER;
}

void bm_mark_table_follow_name(struct bm_mark_table *table, uint8_t byte, bool is_end) {
    if (!bm_mark_table_is_in_name(table)) return;
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
        table->n_alike = BM_TABLE_DIFFERS;
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
    bool is_end = byte == '\n' || byte == (uint8_t)bm_mark_table_separator(table);
    if (table->columns != 0) bm_mark_table_follow_name(table, byte, is_end || byte == '\r');
    if (table->n_alike != BM_TABLE_DIFFERS) follow_names(table, byte);
    if (table->naming == BM_NAMING_COLLECTS) collect_query(table, byte, is_end);
    table->mark.position++;
    if (byte == '\n') {
        bm_mark_table_end_line(table);
        return bm_mark_table_end_row(table);
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
    if (bm_mark_table_has_comments(table) && n_rows >= table->n_left)
        return false; /* what comes next is no row */
    if (rows->newlines != 0) {
        unsigned last = 63 - (unsigned)__builtin_clzll(rows->newlines);
        uint64_t behind_returns = rows->returns << 1 | (uint64_t)table->after_return;
        if (!are_even(table, rows)) return false;
        if (bm_mark_table_names_queries(table)) {
            if (are_of_last_query(table, block, n_text, rows->newlines, separator))
                end_first_row(table);
            else if (!take_queries(table, block, n_text, rows->newlines, separator))
                return false;
        }
        if ((rows->newlines & behind_returns) != 0) table->mark.counts.line_ends |= BM_MARK_CRLF;
        if ((rows->newlines & ~behind_returns) != 0) table->mark.counts.line_ends |= BM_MARK_LF;
        after = last == 63 ? 0 : ~(uint64_t)0 << (last + 1);
        table->line = table->mark.position + last + 1;
        table->n_fields = 0;
        table->n_name = BM_TABLE_OTHER;
        table->n_alike = BM_TABLE_DIFFERS;
        table->state = after == 0 ? BM_TABLE_LINE : BM_TABLE_ROW;
    }
    table->n_fields += bm_rows_count(rows->separators & after);
    table->after_return = rows->returns >> 63 != 0;
    return true;
}

static void pass_block(struct bm_mark_table *table, unsigned n_rows) {
    if (bm_mark_table_has_comments(table)) table->n_left -= n_rows;
    table->mark.counts.n_hsps += n_rows;
    table->mark.position += BM_ROWS_BLOCK;
}

/* As many blocks as it can, where no names are looked for. */
static size_t take_blocks(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t used = 0;
    char separator = bm_mark_table_separator(table);
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
        if (bm_mark_table_has_comments(table) && text[at] == '#') return false;
        if (text[at] != 'Q' || (n_text - at > 1 && text[at + 1] != 'u')) continue;
        size_t n = measure_name(text + at, n_text - at, bm_mark_table_separator(table));
        if (n == SIZE_MAX || !bm_mark_can_step(&table->mark)) return false;
        if (n > 0)
            bm_mark_add(&table->mark, BM_MARK_QUERY_ROW, table->mark.position + at)->end =
                table->mark.position + at + n;
    }
    return true;
}

/* Likewise, if names are searched in the first column. */
static size_t take_named_blocks(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t used = 0;
    char separator = bm_mark_table_separator(table);
    uint64_t all = bm_mark_table_has_comments(table) ? ~(uint64_t)0 : 0;
    uint64_t first = bm_mark_table_is_in_name(table); /* a row begins at the block's first byte */
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
    if (table->n_least == 0 || table->n_alike != BM_TABLE_DIFFERS || table->in_names || is_collecting)
        return 0;
    if (table->columns == 0) return take_blocks(table, text, n_text);
    bool is_seen = table->columns == 1 && (!bm_mark_table_is_in_name(table) || table->n_name == 0);
    return is_seen ? take_named_blocks(table, text, n_text) : 0;
}

/* Bytes of a row; after blocks, the odd one up to its end or the row's. */
void bm_mark_table_take_row(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t used = take_all_blocks(table, text, n_text);
    size_t end = n_text - used < BM_ROWS_BLOCK ? n_text : used + BM_ROWS_BLOCK;
    while (used < end && table->state == BM_TABLE_ROW && bm_mark_can_step(&table->mark) &&
           take_row_byte(table, text[used])) {
        used++;
    }
}
