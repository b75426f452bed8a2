/* SPDX-License-Identifier: MIT */
/*
 * The comment lines of -outfmt 7. For each query BLAST writes
 *
 *     # BLASTP 2.12.0+
 *     # Iteration: 1                    PSI-BLAST's only
 *     # Query: its title
 *     # Database: proteins
 *     # Fields: query acc.ver, subject acc.ver, ...      where there are hits
 *     # 2 hits found                                     but not where no query could be searched
 *
 * and two lines of hits; at the end "# BLAST processed N queries". A line's first 64 bytes show its kind, and
 * are held back for that. N is the number of such blocks: each of PSI-BLAST's rounds counts, and with
 * -subject a query has one block, too. PSI-BLAST may write fewer hits than it states.
 *
 * blastall -m 9 writes "# BLASTP 2.2.26 [Sep-21-2011]". For each query it writes "# Fields:" but no count of
 * hits, and it writes no last line. The hit table of NCBI's web pages has "# blastp" without a version, "#
 * RID: ..." besides the others, an empty line after each query's rows, and no last line. The first line shows
 * which of the three forms a table has; all children must have the same. So if a table of blastall's was cut
 * between two lines, that cannot be detected; in one of the web's, only if rows of the last query are
 * missing.
 *
 * A query without a name has no title here, and its rows have the name Query_N, where N counts all queries.
 * With -parse_deflines, both have "Query_N", and N counts the queries without a name.
 */
#include "mark/table/table.h"

#include <assert.h>
#include <string.h>

/* Lines are kept from behind their '#' on. */
static const char processed[] = " BLAST processed ";
static const char title[] = " Query: ";
static const char iteration[] = " Iteration: ";

static bool begins(const struct bm_mark_table *table, const char *prefix) {
    size_t n = strlen(prefix);
    return table->n_kept >= n && memcmp(table->kept, prefix, n) == 0;
}

/* The number at `at`, with what must follow it up to the line's end. */
static bool read_count(const struct bm_mark_table *table, size_t at, const char *rest, uint64_t *count) {
    enum { MAX_DIGITS = 18 };
    size_t n = table->n_kept;
    size_t n_rest = strlen(rest);
    size_t i = at;
    if (n > 0 && table->kept[n - 1] == '\r') n--;
    *count = 0;
    for (; i < n && i < at + MAX_DIGITS && table->kept[i] >= '0' && table->kept[i] <= '9'; i++) {
        *count = *count * 10 + (uint64_t)(table->kept[i] - '0');
    }
    return i > at && n - i == n_rest && memcmp(table->kept + i, rest, n_rest) == 0;
}

static bool is_letter(char c, bool is_capital) {
    return is_capital ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z';
}

/* A program's name: letters of one case, and hyphens, with "blast" in it. Its length, or 0. */
static size_t measure_name(const char *text, size_t n_text, bool is_capital) {
    const char *word = is_capital ? "BLAST" : "blast";
    size_t n = 0;
    while (n < n_text && (is_letter(text[n], is_capital) || text[n] == '-')) n++;
    bool is_other = n > 7 && (memcmp(text, "IGBLAST", 7) == 0 || memcmp(text, "MAGICBL", 7) == 0);
    return !is_other && memmem(text, n, word, strlen(word)) != NULL ? n : 0;
}

/* " BLASTP 2.12.0+" or the like, from behind the '#' on; *n_name is the length of the program's name. */
static enum bm_table_form find_program(const char *comment, size_t n_comment, size_t *n_name) {
    size_t n = n_comment;
    *n_name = 0;
    while (n > 0 && (comment[n - 1] == '\r' || comment[n - 1] == ' ')) n--;
    if (n < 2 || comment[0] != ' ') return BM_FORM_NONE;
    *n_name = measure_name(comment + 1, n - 1, true);
    size_t at = 1 + *n_name;
    bool has_version = at + 1 < n && comment[at] == ' ' && comment[at + 1] >= '0' && comment[at + 1] <= '9';
    if (*n_name > 0 && has_version) {
        const char *date = memmem(comment + at, n - at, " [", 2);
        bool is_legacy = date != NULL && date[-1] != '+' && comment[n - 1] == ']';
        return is_legacy ? BM_FORM_LEGACY : BM_FORM_PLUS; /* SeqAn's programs write "2.2.26+ [SeqAn]" */
    }
    *n_name = measure_name(comment + 1, n - 1, false);
    return *n_name > 0 && *n_name == n - 1 ? BM_FORM_WEB : BM_FORM_NONE;
}

enum bm_table_form bm_mark_table_find_form(const char *comment, size_t n_comment) {
    const size_t n_processed = sizeof processed - 1;
    if (n_comment >= n_processed && memcmp(comment, processed, n_processed) == 0) return BM_FORM_PLUS;
    return find_program(comment, n_comment < BM_TABLE_HELD ? n_comment : BM_TABLE_HELD, &(size_t){0});
}

/* What the line is; *form: which program's, if it is the first line of a query's part. */
static enum bm_table_comment find_comment(const struct bm_mark_table *table, enum bm_table_form *form) {
    uint64_t count;
    *form = BM_FORM_NONE;
    if (begins(table, title)) return BM_COMMENT_QUERY;
    if (begins(table, " Database: ")) return BM_COMMENT_DATABASE;
    if (begins(table, " Fields: ")) return BM_COMMENT_FIELDS;
    if (begins(table, iteration)) return BM_COMMENT_ITERATION;
    if (begins(table, processed)) return BM_COMMENT_PROCESSED;
    if (read_count(table, 1, " hits found", &count)) return BM_COMMENT_HITS;
    *form = find_program(table->kept, table->n_kept, &(size_t){0});
    return *form == BM_FORM_NONE ? BM_COMMENT_OTHER : BM_COMMENT_PROGRAM;
}

/* --- what fails ---------------------------------------------------------------------------------- */

bool bm_mark_table_fail_end(struct bm_mark_table *table) {
    return bm_mark_fail(
        &table->mark, table->mark.position,
        "the table ends without its last line, \"# BLAST processed N queries\": it is cut short");
}

/* --- a line's beginning: what it is -------------------------------------------------------------- */

static void end_query(struct bm_mark_table *table, uint64_t at) {
    if (!table->in_query) return;
    table->in_query = false;
    bm_mark_add_iteration_end(&table->mark, at, false);
}

static const char *const forms[] = {
    [BM_FORM_NONE] = "",
    [BM_FORM_PLUS] = "BLAST+'s (-outfmt 7)",
    [BM_FORM_LEGACY] = "blastall's (-m 9)",
    [BM_FORM_WEB] = "the hit table of NCBI's web pages",
};

/* The tables of all children, and the parts of each, are of one form. */
static bool settle_form(struct bm_mark_table *table, enum bm_table_form form) {
    if (!table->in_document) table->form = (uint8_t)form;
    if (table->mark.kin.form == BM_FORM_NONE) table->mark.kin.form = (uint8_t)form;
    if (form == table->mark.kin.form) return true;
    (void)bm_mark_fail(&table->mark, table->line,
                       "its form is %s, but %s came before: they cannot be merged with each other",
                       forms[form], forms[table->mark.kin.form]);
    table->mark.failure.status = BLASTMERGE_MISMATCH;
    return false;
}

static void begin_query(struct bm_mark_table *table, uint64_t at) {
    end_query(table, at);
    if (table->has_ended) bm_mark_add_document_end(&table->mark, at);
    if (!table->in_document) bm_mark_table_begin(table, at);
    bm_mark_add(&table->mark, BM_MARK_ITERATION, at);
    table->n_blocks++;
    table->in_query = true;
    table->has_hits = table->is_counted = table->may_be_own = false;
    table->columns = 0;
    table->n_least = table->n_most = table->n_hits = table->n_left = 0;
}

static bool is_in_place(struct bm_mark_table *table) {
    if (table->comment == BM_COMMENT_PROGRAM || (table->in_query && !table->has_hits)) return true;
    if (table->comment == BM_COMMENT_PROCESSED && !table->has_ended) return true;
    return bm_mark_fail(&table->mark, table->line, "\"# BLASTP VERSION\" or the like was expected here%s",
                        table->in_query ? ", or \"# BLAST processed N queries\"" : "");
}

/* The title, which may be longer than what is held. */
static void begin_title(struct bm_mark_table *table) {
    const size_t n_before = strlen(title);
    size_t n_title = table->n_kept - n_before;
    bool is_cut = table->n_kept == BM_TABLE_HELD;
    uint8_t n_name = 0;
    table->n_queries += !table->is_counted;
    table->is_counted = true;
    if (!table->mark.tells_queries) return;
    if (n_title > 0 && table->kept[table->n_kept - 1] == '\r') n_title--;
    for (size_t i = 0; i < n_title; i++) {
        n_name = bm_mark_table_follow(n_name, (uint8_t)table->kept[n_before + i]);
    }
    struct bm_mark_entry *entry = bm_mark_add(&table->mark, BM_MARK_QUERY_ID, table->line + 1 + n_before);
    entry->end = entry->offset + n_title;
    entry->value = table->n_queries;
    entry->flags = n_title == 0 ? BM_MARK_BARE : is_cut ? BM_MARK_CUT : 0;
    table->may_be_own = n_title == 0 || (n_name > BM_TABLE_STEM && n_name != BM_TABLE_OTHER);
}

static bool begin_comment(struct bm_mark_table *table) {
    enum bm_table_form form;
    table->comment = (uint8_t)find_comment(table, &form);
    if (!is_in_place(table)) return false;
    if (table->comment == BM_COMMENT_PROCESSED &&
        !read_count(table, strlen(processed), " queries", &(uint64_t){0})) {
        return bm_mark_fail(&table->mark, table->line, "\"# BLAST processed N queries\" was expected here");
    }
    if (table->comment == BM_COMMENT_PROGRAM) {
        if (!settle_form(table, form)) return false;
        begin_query(table, table->line);
    }
    if (table->comment == BM_COMMENT_QUERY) begin_title(table);
    return true;
}

/* --- a line's end: what it says ------------------------------------------------------------------ */

void bm_mark_table_version(struct bm_mark_table *table) {
    bm_mark_table_field(table, "version", table->kept + 1, table->n_kept - 1u);
}

static void end_program(struct bm_mark_table *table) {
    size_t n_name;
    if (table->has_program) return;
    table->has_program = true;
    (void)find_program(table->kept, table->n_kept, &n_name);
    bm_mark_table_field(table, "program", table->kept + 1, n_name);
    if (table->form != BM_FORM_WEB) table->due = BM_DUE_VERSION; /* the web's has none */
}

static void end_title(struct bm_mark_table *table) {
    const size_t n_before = strlen(title);
    bm_mark_digest_take(&table->mark.digest.query, BM_DIGEST_TITLE, table->kept + n_before,
                        table->n_kept - n_before);
}

static void end_database(struct bm_mark_table *table) {
    const size_t n_name = strlen(" Database: ");
    if (table->has_database) return;
    table->has_database = true;
    bm_mark_table_field(table, "db", table->kept + n_name, table->n_kept - n_name);
}

/* PSI-BLAST has a part for each round of a query. */
static void end_iteration(struct bm_mark_table *table) {
    uint64_t round;
    bool is_later = read_count(table, strlen(iteration), "", &round) && round > 1;
    if (is_later && table->n_queries > 0) table->is_counted = true;
}

/* The columns that hold the names of queries, of the first 64. */
static uint64_t find_columns(const struct bm_mark_table *table) {
    static const char *const names[] = {"query id", "query acc.", "query acc.ver"};
    const char *at = table->kept + strlen(" Fields: ");
    const char *end = table->kept + table->n_kept;
    uint64_t columns = 0;
    for (unsigned column = 0; column < 64 && at < end; column++) {
        const char *next = memmem(at, (size_t)(end - at), ", ", 2);
        size_t n_name = (size_t)((next == NULL ? end : next) - at);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            bool is_same = n_name == strlen(names[i]) && memcmp(at, names[i], n_name) == 0;
            columns |= (uint64_t)is_same << column;
        }
        at += n_name + strlen(", ");
    }
    return columns;
}

static bool end_fields(struct bm_mark_table *table) {
    const size_t n_name = strlen(" Fields: ");
    if (table->n_kept == BM_TABLE_KEPT) {
        return bm_mark_fail(&table->mark, table->line, "\"# Fields:\" is longer than %d bytes",
                            BM_TABLE_KEPT);
    }
    table->n_least = 1;
    for (size_t i = n_name; i + 1 < table->n_kept; i++) {
        table->n_least += table->kept[i] == ',' && table->kept[i + 1] == ' ';
    }
    table->n_most = table->n_least;
    if (table->form == BM_FORM_LEGACY) { /* hits follow at once, any number of them */
        table->has_hits = true;
        table->n_left = UINT64_MAX;
    }
    if (table->may_be_own) table->columns = find_columns(table);
    if (table->has_header) return true;
    bm_mark_table_field(table, "fields", table->kept + n_name, table->n_kept - n_name);
    table->due = BM_DUE_HEADER;
    return true;
}

static bool end_hits(struct bm_mark_table *table) {
    table->has_hits = true;
    bool is_count = read_count(table, 1, " hits found", &table->n_hits);
    assert(is_count); /* it was read before, find_comment() */
    (void)is_count;
    table->n_left = table->n_hits;
    if (table->n_left == 0 || table->n_least > 0) return true;
    return bm_mark_fail(&table->mark, table->line,
                        "there are hits here, but no \"# Fields:\" line before them");
}

static bool fail_processed(struct bm_mark_table *table, uint64_t count, uint64_t n_blocks) {
    return bm_mark_fail(
        &table->mark, table->line,
        "\"# BLAST processed %llu queries\" is the last line, but the table has %llu part%s that "
        "begin%s with \"# BLASTP VERSION\" or the like: %s",
        (unsigned long long)count, (unsigned long long)n_blocks, n_blocks == 1 ? "" : "s",
        n_blocks == 1 ? "s" : "",
        n_blocks < count ? "some are lost" : "it was cut short and continued, or parts of others are in it");
}

static bool end_processed(struct bm_mark_table *table) {
    uint64_t count;
    bool is_count = read_count(table, strlen(processed), " queries", &count);
    uint64_t n_blocks = table->in_document ? table->n_blocks : 0;
    assert(is_count); /* it was read before, begin_comment() */
    (void)is_count;
    if (!table->in_document) bm_mark_table_begin(table, table->line); /* with no query in it */
    if (table->has_program) bm_mark_table_header(table, table->line);
    end_query(table, table->line);
    if (count != n_blocks) return fail_processed(table, count, n_blocks);
    struct bm_mark_entry *entry = bm_mark_add(&table->mark, BM_MARK_ITERATIONS_END, table->line);
    entry->end = table->line;
    entry->value = count;
    entry->flags = BM_MARK_DIGITS;
    table->in_document = false;
    table->has_ended = true;
    return true;
}

bool bm_mark_table_end(struct bm_mark_table *table) {
    if (table->form == BM_FORM_PLUS) return bm_mark_table_fail_end(table);
    bool has_rows = table->has_hits && (table->form == BM_FORM_LEGACY || table->n_left == 0);
    if (table->in_query && !has_rows)
        return bm_mark_fail(&table->mark, table->mark.position,
                            "the table ends inside a query's part: it is cut short");
    if (table->has_program) bm_mark_table_header(table, table->mark.position);
    end_query(table, table->mark.position);
    return true;
}

static bool end_comment(struct bm_mark_table *table) {
    switch ((enum bm_table_comment)table->comment) {
    case BM_COMMENT_PROGRAM:
        end_program(table);
        return true;
    case BM_COMMENT_ITERATION:
        end_iteration(table);
        return true;
    case BM_COMMENT_DATABASE:
        end_database(table);
        return true;
    case BM_COMMENT_FIELDS:
        return end_fields(table);
    case BM_COMMENT_HITS:
        return end_hits(table);
    case BM_COMMENT_PROCESSED:
        return end_processed(table);
    case BM_COMMENT_QUERY:
        end_title(table);
        return true;
    case BM_COMMENT_NONE:
    case BM_COMMENT_OTHER:
        break;
    }
    return true;
}

/* --- a line's bytes ------------------------------------------------------------------------------ */

/* How many bytes come before the line's end, or one that cannot stand in it. */
static size_t measure(const uint8_t *text, size_t n_text) {
    const uint8_t *end = memchr(text, '\n', n_text);
    size_t n = end == NULL ? n_text : (size_t)(end - text);
    const uint8_t *zero = memchr(text, 0, n);
    return zero == NULL ? n : (size_t)(zero - text);
}

/* Keeps bytes, as far as there is room. */
static void keep(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    size_t n_room = BM_TABLE_KEPT - (size_t)table->n_kept;
    size_t n = n_text < n_room ? n_text : n_room;
    memcpy(table->kept + table->n_kept, text, n);
    table->n_kept = (uint16_t)(table->n_kept + n);
    table->mark.position += n_text;
}

void bm_mark_table_comment(struct bm_mark_table *table, const uint8_t *text, size_t n_text) {
    bool is_held = table->comment == BM_COMMENT_NONE;
    size_t n_held = BM_TABLE_HELD - (size_t)table->n_kept;
    if (is_held && n_text > n_held) n_text = n_held;
    size_t n = measure(text, n_text);
    bool is_at_end = n < n_text && text[n] == '\n';
    keep(table, text, n);
    if (n > 0) table->after_return = text[n - 1] == '\r';
    if (n < n_text && !is_at_end) {
        (void)bm_mark_table_fail_zero(table);
        return;
    }
    if (is_held && (is_at_end || table->n_kept == BM_TABLE_HELD) && !begin_comment(table)) return;
    if (!is_at_end) return;
    /* What the line says is the same with and without a carriage return. */
    if (table->after_return && table->n_kept > 0 && table->n_kept < BM_TABLE_KEPT) table->n_kept--;
    bm_mark_table_end_line(table);
    table->mark.position++;
    table->state = BM_TABLE_LINE;
    (void)end_comment(table);
}

bool bm_mark_table_end_comment(struct bm_mark_table *table) {
    if (table->comment != BM_COMMENT_NONE) return false; /* it is longer than these */
    enum bm_table_form form;
    enum bm_table_comment comment = find_comment(table, &form);
    bool is_whole =
        comment == BM_COMMENT_HITS ||
        (comment == BM_COMMENT_PROCESSED && read_count(table, strlen(processed), " queries", &(uint64_t){0}));
    if (!is_whole || !begin_comment(table)) return false;
    table->state = BM_TABLE_LINE;
    table->is_open = true;
    return end_comment(table);
}
