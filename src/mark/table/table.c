/* SPDX-License-Identifier: MIT */
/*
 * The scanner of tables: -outfmt 6 (tabs), 10 (commas), and 7 (tabs, with comment lines).
 *
 * A table does not describe itself, so only its shape can be checked:
 *
 *   - There are no zero bytes. BLAST cannot write them; files that lost data have them. Other control
 *     characters are copied, because titles have them.
 *   - Each row of -outfmt 6 has as many fields as the first one.
 *   - Each row of -outfmt 7 has as many fields as "# Fields:" names. A block has no more rows than
 *     "# N hits found" states, and there are as many blocks as "# BLAST processed N queries" states.
 *   - Fields of -outfmt 10 are not quoted, so a comma in a name is one more field. Its rows have at least
 *     BLAST's own twelve columns, if the format was recognised by these, or as many as the row of column
 *     names.
 *
 * PSI-BLAST's "\nSearch has CONVERGED!\n" can stand between rows. Bytes beyond ASCII are copied unchecked:
 * BLAST writes Latin-1, and nothing in a table states the encoding.
 *
 * Whole lines that do not belong in the result are marked as SKIP: empty ones, and rows of column names other
 * than the first child's (columns.c). The sample shows, before a document is scanned, whether it begins with
 * such a row (format.c). A later row of the same bytes comes from another file that was joined to this one.
 *
 * A last line without a line feed counts if everything else shows that it is whole: it has as many fields as
 * the first row, or as the first child's rows, and the last field is neither empty nor a number that breaks
 * off (2e-). If a number such as 27.3 lost its last digits, that cannot be detected.
 *
 * If queries are to be marked, the scanner searches for Query_N, the names that BLAST gives to queries
 * without one. In -outfmt 7 it searches the rows of a query whose title shows that it may be one of these, in
 * the columns of queries' names. In the other formats, which show nothing, it searches each row's first
 * field.
 *
 * A document of -outfmt 6 and 10 is a text from its beginning to its end, and one body without an epilogue.
 * Its queries are not separated: it has the marks of one Iteration, and counts none. In -outfmt 7, an
 * Iteration reaches from "# BLASTP ..." to the next such line, and "# BLAST processed N queries" is the
 * epilogue (comments.c).
 *
 * Rows are scanned in blocks of 64 bytes (rows.h) as long as nothing in them is odd. Odd bytes are scanned
 * one by one, by functions that can report an error. So a row can have any length, and only its last bytes
 * are kept.
 */
#include "mark/table/table.h"

#include <string.h>

static const char converged[] = "Search has CONVERGED!";

/* --- documents ----------------------------------------------------------------------------------- */

void bm_mark_table_begin(struct bm_mark_table *table, uint64_t at) {
    bm_mark_add(&table->mark, BM_MARK_DOCUMENT, at)->flags = BM_MARK_BARE;
    bm_mark_add(&table->mark, BM_MARK_ITERATIONS, at)->value = table->mark.kin.format;
    bm_mark_add(&table->mark, BM_MARK_BODY, at);
    table->mark.counts.n_documents++;
    bm_mark_begin_digest(&table->mark);
    table->n_runs = table->n_again = 0;
    table->in_first_row = false;
    memset(table->seen, 0, sizeof table->seen);
    table->in_document = true;
    table->n_blocks = 0;
    table->is_first = !table->mark.kin.has_table;
    table->mark.kin.has_table = true;
    table->n_queries = 0;
    table->columns = table->mark.tells_queries && !bm_mark_table_has_comments(table);
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
void bm_mark_table_tell_names(struct bm_mark_table *table) {
    bm_mark_table_field(table, "header row", table->mark.sample + table->names_at, table->n_names);
}

/* What the last step had no room for. */
void bm_mark_table_take_due(struct bm_mark_table *table) {
    enum bm_table_due due = (enum bm_table_due)table->due;
    table->due = due == BM_DUE_NAMES ? BM_DUE_HEADER : BM_DUE_NOTHING;
    if (due == BM_DUE_VERSION) bm_mark_table_version(table);
    if (due == BM_DUE_NAMES) bm_mark_table_tell_names(table);
    if (due == BM_DUE_HEADER) bm_mark_table_header(table, table->mark.position);
}

/* These lines do not belong in the result. */
void bm_mark_table_skip(struct bm_mark_table *table, uint64_t from, uint64_t to, unsigned flags) {
    table->is_open = false;
    if (!table->in_document) return;
    struct bm_mark_entry *entry = bm_mark_add(&table->mark, BM_MARK_SKIP, from);
    entry->end = to;
    entry->flags = flags;
}

/* --- empty lines --------------------------------------------------------------------------------- */

/* An empty line that begins nothing lies before the current line. In a table of one column it might be a row.
 * In tables with comments BLAST writes none; the web's has one behind each query's rows. */
static bool end_blank(struct bm_mark_table *table, bool is_at_end) {
    bool can_stand = is_at_end || table->n_most != 1;
    if (bm_mark_table_has_comments(table)) {
        bool is_behind_rows = table->form == BM_FORM_LEGACY || table->n_left == 0;
        can_stand = !table->in_document ||
                    (table->form != BM_FORM_PLUS && is_behind_rows && (table->has_hits || !table->in_query));
    }
    if (!can_stand) {
        return bm_mark_fail(&table->mark, table->blank,
                            "the line here is empty, and \"Search has CONVERGED!\" does not follow it");
    }
    if (bm_mark_table_has_comments(table)) table->n_left = 0;
    table->state = BM_TABLE_LINE;
    bm_mark_table_skip(table, table->blank, table->line, 0);
    return true;
}

/* The current line began as PSI-BLAST's message does, and is a row. */
static void begin_row_behind_blank(struct bm_mark_table *table) {
    uint16_t n = table->n_kept;
    if (!end_blank(table, false) || !bm_mark_table_begin_row(table, table->line)) return;
    memcpy(table->row, converged, n);
    table->n_row = n;
    bool is_alike = table->mark.kin.n_names >= n && memcmp(table->mark.kin.names, converged, n) == 0;
    if (is_alike && !bm_mark_table_has_comments(table)) table->n_alike = n;
}

/* Behind an empty line: "Search has CONVERGED!", or something else. */
static void take_blank(struct bm_mark_table *table, uint8_t byte) {
    const uint16_t n_message = sizeof converged - 1;
    bool is_message = !bm_mark_table_has_comments(table) || table->in_document;
    if (is_message && table->n_kept == n_message && byte == '\r' && !table->after_return) {
        table->after_return = true;
    } else if (is_message && table->n_kept == n_message && byte == '\n') {
        if (!bm_mark_table_has_comments(table)) bm_mark_table_begin_bare(table, table->blank);
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
    if (bm_mark_table_begin_row(table, table->line)) table->after_return = true;
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
    } else if (byte == '#' && bm_mark_table_has_comments(table)) {
        table->state = BM_TABLE_COMMENT;
    } else {
        (void)bm_mark_table_begin_row(table, table->mark.position);
        return;
    }
    table->mark.position++;
}

/* In a comment line, or behind the '#' that may begin one: a row's first field may begin so, too, but with no
 * space behind it. */
static void take_comment(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    if (table->n_kept == 0 && text[0] != ' ') {
        (void)bm_mark_table_begin_row(table, table->line);
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
        bm_mark_table_take_row(table, text, n_text);
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
    while (begin > 0 && table->tail[begin - 1] != '\n' &&
           table->tail[begin - 1] != bm_mark_table_separator(table)) {
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
    if (bm_mark_table_has_comments(table)) return table->n_least;
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
        if (!bm_mark_table_has_comments(table)) bm_mark_table_begin_bare(table, table->blank);
        table->is_open = true;
        table->state = BM_TABLE_LINE;
        return true;
    case BM_TABLE_COMMENT:
        if (bm_mark_table_end_comment(table)) return true;
        return table->mark.has_failed ? false : fail_cut(table);
    case BM_TABLE_ROW:
        if (table->n_fields + 1 != find_width(table) || !is_last_field_whole(table)) return fail_cut(table);
        if (table->columns != 0 && !table->after_return) bm_mark_table_follow_name(table, '\n', true);
        table->is_open = true;
        return bm_mark_table_end_row(table);
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
    bm_mark_table_take_due(table);
    while (used < n_text && bm_mark_can_step(&table->mark)) {
        take(table, text + used, n_text - used);
        used = (size_t)(table->mark.position - begin);
    }
    keep_tail(table, text, used);
    return used;
}

static bool finish(struct bm_mark *mark) {
    struct bm_mark_table *table = (struct bm_mark_table *)mark;
    bm_mark_table_take_due(table);
    if (!table->mark.field_is_ready && !table->is_ended) {
        table->is_ended = true;
        if (!end_last_line(table)) return false;
    }
    if (table->mark.field_is_ready) return true; /* to be called again */
    if (bm_mark_table_has_comments(table)) {
        if (table->in_document && !bm_mark_table_end(table)) return false;
    } else if (table->n_first > 0) { /* else there is nothing to be compared */
        bm_mark_table_header(table, table->mark.position);
    }
    if (table->in_document) {
        if (table->n_again == 1) bm_mark_table_tell_again(table);
        if (table->n_runs > 0) bm_mark_count_query(&table->mark, table->mark.counts.n_hsps);
        end_document(table);
    }
    if (!table->in_document && !table->has_ended) return true;
    struct bm_mark_entry *entry = bm_mark_add_document_end(&table->mark, table->mark.position);
    if (!bm_mark_table_has_comments(table) && !bm_mark_table_names_queries(table))
        entry->flags |= BM_MARK_UNKNOWN;
    if (bm_mark_table_names_queries(table) && table->n_runs < 2) entry->flags |= BM_MARK_WEAK;
    return true;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    const struct bm_mark_table *table = (const struct bm_mark_table *)mark;
    if (table->state == BM_TABLE_COMMENT && table->comment == BM_COMMENT_NONE) return table->line;
    if (table->state == BM_TABLE_RETURN) return table->line;
    if (table->state == BM_TABLE_BLANK) return table->blank;
    if (table->state != BM_TABLE_ROW) return table->mark.position;
    if (table->in_names || table->n_alike != BM_TABLE_DIFFERS) return table->line;
    return bm_mark_table_is_in_name(table) ? table->mark.position - table->n_name : table->mark.position;
}

/* A comment of -outfmt 7 that begins inside of a row. */
static bool begins(const uint8_t *text, size_t n_text, bool is_begin_of_line, bool is_fault) {
    (void)is_fault;
    static const char *const programs[] = {"BLAST",    "TBLAST",    "PSIBLAST",
                                           "RPSBLAST", "RPSTBLAST", "DELTABLAST"};
    if (is_begin_of_line || !bm_mark_begins_with(text, n_text, "# ")) return false;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (bm_mark_begins_with(text + 2, n_text - 2, programs[i])) return true;
    return false;
}

const struct bm_mark_scanner bm_mark_table = {.step = step,
                                              .finish = finish,
                                              .safe = safe_offset,
                                              .begins = begins,
                                              .n_cleared = sizeof(struct bm_mark_table),
                                              .has_rows = true};
