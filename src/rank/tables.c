/* SPDX-License-Identifier: MIT */
/*
 * Merges tables: -outfmt 7, and 6 and 10, which have only rows.
 *
 * Consecutive rows of one subject are a hit, which is ranked by its first row. An E-value has only two or
 * three digits in a table. So the raw score, or without it the bit score, decides more often
 * (docs/shards.md).
 *
 * A table with comments names each query, and states its number of rows before them. So if hits of a query
 * may have to be cut, the query is held until all its rows have been read. Rows alone do not show queries
 * without hits. If several shards are at different queries, the query comes first that no other shard has yet
 * to reach. That takes a first pass over all shards, or the list of queries.
 *
 * The file is long because both kinds of table take the same steps from a row to a hit.
 */
#include "rank/columns.h"
#include "rank/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 65536,      /* bytes that are passed on in one step, or little more */
    HELD_ROWS = 262144 /* bytes of held rows in memory; the rest is in a temporary file */
};

/* A query, by a hash of its name, and in how many shards it is still to come or just there. There may be very many. */
struct query {
    uint64_t hash;
    uint64_t n_left : 47;
    uint64_t n_at : 17; /* shards that wait at it, of 65536 at most */
};

struct bm_rank_tables {
    struct bm_rank_columns columns;
    bool has_comments;
    bool counts_cut_hits;       /* "# N hits found" counts what the cut leaves out, too, as PSI-BLAST does */
    struct bm_rank_text fields; /* the line "# Fields: " of the current query; empty: there is none yet */
    struct bm_rank_long rows;   /* of a query whose rows are counted before they are written ... */
    uint64_t n_rows_written;    /* ... and how many bytes of them are */
    bool is_held;
    uint64_t n_rows;       /* written for the current query */
    struct query *queries; /* by hash */
    size_t n_queries, n_allocated;
    uint64_t n_done;           /* of the list of queries, those up to the current one */
    bool is_begun;             /* rows alone: the first ones were read */
    bool has_other_bits;       /* blastn: lambda and K are not those of its default scores */
    uint64_t n_strands_before; /* rank->counts.n_strands when the current query began */
};

static bool starts_with(const char *line, size_t n_bytes, const char *start) {
    return n_bytes >= strlen(start) && memcmp(line, start, strlen(start)) == 0;
}

static void note_columns(struct bm_rank *rank) {
    const size_t *at = rank->tables->columns.at;
    rank->lacks_scores = at[BM_RANK_COLUMN_SCORE] == SIZE_MAX;
    rank->lacks_columns = at[BM_RANK_COLUMN_SCORE] == SIZE_MAX || at[BM_RANK_COLUMN_LENGTH] == SIZE_MAX;
}

/* --- rows ----------------------------------------------------------------------------------------- */

/* Of blastn's hits; 0: the row does not tell it. */
static int8_t strand_of(const struct bm_rank *rank, const struct bm_rank_field fields[BM_RANK_N_COLUMNS]) {
    const struct bm_rank_field *start = &fields[BM_RANK_COLUMN_START], *end = &fields[BM_RANK_COLUMN_END];
    uint64_t from = 0, to = 0;
    if (!bm_rank_is_program(rank, "blastn") || start->text == NULL || end->text == NULL ||
        !bm_rank_parse_number(start->text, start->n_bytes, &from) ||
        !bm_rank_parse_number(end->text, end->n_bytes, &to))
        return 0;
    return from <= to ? 1 : -1;
}

/* What a row is ranked by. */
static enum blastmerge_status parse_row(struct bm_rank *rank, struct bm_rank_shard *shard, const char *row,
                                        size_t n_bytes) {
    const struct bm_rank_columns *columns = &rank->tables->columns;
    struct bm_rank_field fields[BM_RANK_N_COLUMNS];
    struct bm_rank_head *head = &shard->head;
    if (n_bytes > 0 && row[n_bytes - 1] == '\n') n_bytes--;
    const size_t n_fields = bm_rank_columns_split(columns, row, n_bytes, fields);
    if (n_fields < columns->n && rank->tables->has_comments && n_bytes > 0 && row[0] == '#')
        return bm_rank_fail_layout(rank, shard, "a query has fewer rows than it says");
    if (n_fields != columns->n)
        return bm_rank_fail(
            rank, shard, BLASTMERGE_MISMATCH, "a row has %s columns than the %zu that %s%s",
            n_fields < columns->n ? "fewer" : "more", columns->n,
            rank->options.columns != NULL ? "--columns says" : "BLAST writes: --columns says which",
            n_fields < columns->n || columns->delimiter == '\t' ? "" : ", or a name has the delimiter in it");
    const struct bm_rank_field *score = &fields[BM_RANK_COLUMN_SCORE];
    const struct bm_rank_field *bits = &fields[BM_RANK_COLUMN_BITS];
    const struct bm_rank_field *length = &fields[BM_RANK_COLUMN_LENGTH];
    const struct bm_rank_field *evalue = &fields[BM_RANK_COLUMN_EVALUE];
    const char *bits_text = bits->text;
    size_t n_bits = bits->n_bytes;
    for (; n_bits > 0 && *bits_text == ' '; n_bits--) bits_text++; /* BLAST pads short ones */
    bool is_fine =
        bm_rank_parse_evalue(evalue->text, evalue->n_bytes, &head->printed) &&
        (bits->text == NULL || bm_rank_parse_evalue(bits_text, n_bits, &head->bits)) &&
        (score->text == NULL || bm_rank_parse_number(score->text, score->n_bytes, &head->score)) &&
        (length->text == NULL || bm_rank_parse_number(length->text, length->n_bytes, &head->length));
    if (!is_fine)
        return bm_rank_fail(
            rank, shard, BLASTMERGE_DATA,
            "a row's E-value, score or length is no number: --columns says which columns the table "
            "has");
    head->strand = strand_of(rank, fields);
    if (bits->text == NULL || !bm_rank_are_default_bits(head->bits)) rank->tables->has_other_bits = true;
    if (head->printed < BM_RANK_LEAST_EVALUE) head->printed = 0;
    if (score->text != NULL) head->bits = 0;
    const struct bm_rank_field *subject = &fields[BM_RANK_COLUMN_SUBJECT];
    head->id = bm_rank_hash(subject->text, subject->n_bytes);
    const struct bm_rank_field *query = &fields[BM_RANK_COLUMN_QUERY];
    head->query = query->text != NULL ? bm_rank_hash(query->text, query->n_bytes) : 0;
    head->query_at = query->text != NULL ? (size_t)(query->text - row) : 0;
    head->n_query = query->n_bytes;
    return bm_rank_find_place(rank, shard, rank->options.order,
                              bm_rank_subject_hash(subject->text, subject->n_bytes), &head->ordinal);
}

static enum blastmerge_status check_drop(struct bm_rank *rank) {
    const size_t n_columns = rank->tables->columns.n;
    if (rank->options.n_drop_columns < n_columns) return BLASTMERGE_OK;
    return bm_fail(rank->error, BLASTMERGE_USAGE,
                   "--drop-columns %" PRIu64 " leaves nothing of the table's %zu columns",
                   rank->options.n_drop_columns, n_columns);
}

/* Reads the current line, a row, into the shard's head. */
static enum blastmerge_status read_row(struct bm_rank *rank, struct bm_rank_shard *shard) {
    const char *row = NULL;
    size_t n_bytes = 0;
    struct bm_rank_text text = shard->head.row;
    text.n_bytes = 0;
    shard->head = (struct bm_rank_head){.row = text, .ordinal = UINT64_MAX};
    enum blastmerge_status status = bm_rank_whole_line(rank, shard, &row, &n_bytes);
    if (status != BLASTMERGE_OK || n_bytes == 0) return status;
    if (!bm_rank_text_add(&shard->head.row, &rank->budget, row, n_bytes))
        return bm_rank_fail_room(rank, shard, "a row");
    status = parse_row(rank, shard, row, n_bytes);
    shard->head.is_there = status == BLASTMERGE_OK;
    return status;
}

/* Whether the current line is a comment behind rows that are fewer than the table says. */
static bool is_end_of_rows(const struct bm_rank *rank, const struct bm_rank_shard *shard) {
    const struct bm_rank_line *line = &shard->lines.line;
    return rank->tables->counts_cut_hits && line->is_start && line->n_bytes > 0 && line->text[0] == '#';
}

/* Goes on to the shard's next row: of the next query, too, if there are no comments. */
static enum blastmerge_status next_row(struct bm_rank *rank, struct bm_rank_shard *shard) {
    enum blastmerge_status status = BLASTMERGE_OK;
    shard->head.is_there = false;
    if (rank->tables->has_comments && shard->n_rows_left == 0) return BLASTMERGE_OK;
    if (!shard->is_begun) status = bm_rank_next(rank, shard);
    shard->is_begun = status == BLASTMERGE_OK && is_end_of_rows(rank, shard);
    if (shard->is_begun) {
        shard->n_rows_left = 0;
        return BLASTMERGE_OK;
    }
    if (status == BLASTMERGE_OK) status = read_row(rank, shard);
    if (status != BLASTMERGE_OK || !rank->tables->has_comments) return status;
    if (!shard->head.is_there) return bm_rank_fail_layout(rank, shard, "it ends before a query's last row");
    shard->n_rows_left--;
    return BLASTMERGE_OK;
}

/* The places that were counted since there were so few are not undecided. */
static void drop_strands(struct bm_rank *rank, uint64_t n_strands) {
    rank->counts.n_undecided -= rank->counts.n_strands - n_strands;
    rank->counts.n_strands = n_strands;
}

/*
 * Whether equal hits of one strand rank before those of the other (strands.c), and which, depends on the query, and a table
 * does not say it. If the strand changes twice among equal hits of one list, none does: no place of the query was undecided.
 */
static void look_at_strands(struct bm_rank *rank, struct bm_rank_shard *shard) {
    const struct bm_rank_head *head = &shard->head;
    struct bm_rank_equals *equals = &shard->equals;
    bool are_equal = shard->n_hits > 1 && head->printed == shard->last_printed &&
                     head->bits == equals->bits && head->score == equals->score;
    bool changes = are_equal && head->strand * equals->strand == -1;
    if (changes && equals->has_changed && !rank->are_strands_mixed) {
        rank->are_strands_mixed = true;
        drop_strands(rank, rank->tables->n_strands_before);
    }
    *equals = (struct bm_rank_equals){.bits = head->bits,
                                      .score = head->score,
                                      .strand = head->strand,
                                      .has_changed = changes || (are_equal && equals->has_changed)};
}

/* What holds for the hits of one list; the head is the first row of the next one. */
static enum blastmerge_status check_list(struct bm_rank *rank, struct bm_rank_shard *shard) {
    const struct bm_rank_head *head = &shard->head;
    bm_rank_count_hit(shard);
    if (shard->n_hits > 1 && head->printed < shard->last_printed)
        return bm_rank_fail(rank, shard, BLASTMERGE_DATA,
                            "its rows are not in the order in which BLAST ranks: the E-value of a hit is "
                            "less than that of the hit "
                            "before" BM_RANK_QCOV);
    look_at_strands(rank, shard);
    shard->last_printed = head->printed;
    if (shard->n_hits <= rank->options.n_targets) return BLASTMERGE_OK;
    return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                        "it holds more than %" PRIu64
                        " subjects for one query: --max-target-seqs N takes the number "
                        "that the searches had (500 where they had none)",
                        rank->options.n_targets);
}

static enum blastmerge_status put_row(struct bm_rank *rank, const char *row, size_t n_bytes) {
    struct bm_rank_tables *tables = rank->tables;
    if (!tables->is_held) return bm_rank_put(rank, row, n_bytes);
    if (bm_rank_long_add(&tables->rows, &rank->spool, HELD_ROWS, row, n_bytes)) return BLASTMERGE_OK;
    return bm_rank_fail_spool(rank, &rank->shards[rank->last_shard]);
}

static enum blastmerge_status write_row(struct bm_rank *rank, const struct bm_rank_head *head) {
    struct bm_rank_tables *tables = rank->tables;
    const char *row = head->row.data;
    size_t n_bytes = head->row.n_bytes;
    bool has_feed = n_bytes > 0 && row[n_bytes - 1] == '\n';
    if (has_feed) n_bytes--;
    if (rank->options.n_drop_columns > 0)
        n_bytes = bm_rank_columns_drop(row, n_bytes, tables->columns.delimiter, rank->options.n_drop_columns);
    tables->n_rows++;
    enum blastmerge_status status = put_row(rank, row, n_bytes);
    return status == BLASTMERGE_OK ? put_row(rank, "\n", 1) : status;
}

static int compare_queries(const void *a, const void *b) {
    const struct query *one = a;
    const struct query *other = b;
    return one->hash < other->hash ? -1 : one->hash > other->hash;
}

static struct query *find_query(const struct bm_rank_tables *tables, uint64_t hash) {
    const struct query key = {.hash = hash};
    if (tables->n_queries == 0) return NULL;
    return bsearch(&key, tables->queries, tables->n_queries, sizeof key, compare_queries);
}

/* The shard's head is the first row of another query, whose turn may not have come. */
static void begin_waiting(struct bm_rank *rank, struct bm_rank_shard *shard) {
    struct query *entry = find_query(rank->tables, shard->head.query);
    shard->is_waiting = true;
    shard->head.is_there = false;
    if (entry != NULL) entry->n_at++;
}

/* The shard's head is the first row behind a hit. */
static enum blastmerge_status end_hit(struct bm_rank *rank, struct bm_rank_shard *shard, uint64_t query) {
    if (!shard->head.is_there) return BLASTMERGE_OK;
    if (shard->head.query == query) return check_list(rank, shard);
    begin_waiting(rank, shard);
    return BLASTMERGE_OK;
}

static bool is_of_hit(const struct bm_rank_shard *shard, uint64_t id, uint64_t query) {
    return shard->head.is_there && shard->head.id == id && shard->head.query == query;
}

/* Passes on rows of the hit written last, which may be many; behind them comes the first of the next one. */
static enum blastmerge_status write_rows(struct bm_rank *rank) {
    struct bm_rank_shard *shard = &rank->shards[rank->last_shard];
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_more = true;
    while (status == BLASTMERGE_OK && is_more && rank->out.n_bytes < STEP) {
        status = write_row(rank, &shard->head);
        if (status == BLASTMERGE_OK) status = next_row(rank, shard);
        is_more = is_of_hit(shard, rank->last.id, rank->last.query);
    }
    if (status != BLASTMERGE_OK || is_more) return status;
    rank->phase = BM_RANK_PHASE_HITS;
    return end_hit(rank, shard, rank->last.query);
}

static enum blastmerge_status pass_over_hit(struct bm_rank *rank, struct bm_rank_shard *shard) {
    uint64_t id = shard->head.id;
    uint64_t query = shard->head.query;
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && is_of_hit(shard, id, query)) status = next_row(rank, shard);
    return status == BLASTMERGE_OK ? end_hit(rank, shard, query) : status;
}

/* --- a query's rows -------------------------------------------------------------------------------- */

static enum blastmerge_status cut_hits(struct bm_rank *rank, size_t best) {
    bm_rank_count_cut(rank, best);
    for (size_t i = 0; i < rank->n_shards; i++) {
        while (rank->shards[i].head.is_there) {
            enum blastmerge_status status = pass_over_hit(rank, &rank->shards[i]);
            if (status != BLASTMERGE_OK) return status;
        }
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status write_hit(struct bm_rank *rank) {
    size_t best = bm_rank_best(rank);
    if (best == rank->n_shards) {
        rank->phase = BM_RANK_PHASE_TAIL;
        return BLASTMERGE_OK;
    }
    if (rank->n_written == rank->options.n_targets) return cut_hits(rank, best);
    const struct bm_rank_head *head = &rank->shards[best].head;
    bm_rank_count_order(rank, best);
    if (rank->options.order != NULL && head->ordinal == UINT64_MAX) rank->counts.n_unordered++;
    bm_rank_count_written(rank);
    rank->phase = BM_RANK_PHASE_BODY;
    return BLASTMERGE_OK;
}

/* --- -outfmt 7: comments ---------------------------------------------------------------------------- */

/* "# 12 hits found" */
static bool parse_found(const char *line, size_t n_bytes, uint64_t *n) {
    static const char end[] = " hits found";
    if (n_bytes > 0 && line[n_bytes - 1] == '\n') n_bytes--;
    const size_t n_end = sizeof end - 1;
    if (n_bytes < 2 + n_end || memcmp(line, "# ", 2) != 0 || memcmp(line + n_bytes - n_end, end, n_end) != 0)
        return false;
    return bm_rank_parse_number(line + 2, n_bytes - 2 - n_end, n);
}

/* The list of columns, which must be the same wherever it is. */
static enum blastmerge_status take_fields(struct bm_rank *rank, struct bm_rank_shard *shard, const char *line,
                                          size_t n_bytes) {
    static const char start[] = "# Fields: ";
    struct bm_rank_tables *tables = rank->tables;
    if (tables->fields.n_bytes > 0) {
        if (tables->fields.n_bytes == n_bytes && memcmp(tables->fields.data, line, n_bytes) == 0)
            return BLASTMERGE_OK;
        return bm_rank_fail(
            rank, shard, BLASTMERGE_MISMATCH,
            "its columns are others than those of the shards before: these are not shards of one "
            "search");
    }
    if (!bm_rank_text_add(&tables->fields, &rank->budget, line, n_bytes))
        return bm_rank_fail_room(rank, shard, "the list of columns");
    size_t n = n_bytes - (n_bytes > 0 && line[n_bytes - 1] == '\n');
    const char *fault =
        bm_rank_columns_of_fields(&tables->columns, line + sizeof start - 1, n - (sizeof start - 1));
    note_columns(rank);
    if (fault == NULL) return check_drop(rank);
    return bm_rank_fail(rank, shard, BLASTMERGE_USAGE, "its table %s: search the shards with it", fault);
}

/* A line of the first shard's comments. */
static enum blastmerge_status take_comment(struct bm_rank *rank, const char *line, size_t n_bytes) {
    static const char database[] = "# Database: ";
    const char *name = rank->options.database;
    struct bm_rank_budget *budget = &rank->budget;
    bool is_named = name != NULL && starts_with(line, n_bytes, database);
    if (bm_rank_text_add(&rank->first_front, budget, line, n_bytes) &&
        (is_named ? bm_rank_text_add(&rank->front, budget, database, sizeof database - 1) &&
                        bm_rank_text_add(&rank->front, budget, name, strlen(name)) &&
                        bm_rank_text_add(&rank->front, budget, "\n", 1)
                  : bm_rank_text_add(&rank->front, budget, line, n_bytes)))
        return BLASTMERGE_OK;
    return bm_rank_fail_room(rank, &rank->shards[0], "what stands before its hits");
}

static enum blastmerge_status check_comment(struct bm_rank *rank, struct bm_rank_shard *shard,
                                            const char *line, size_t n_bytes) {
    static const char round[] = "# Iteration: ";
    if (n_bytes > 0 && line[0] != '#')
        return bm_rank_fail_layout(rank, shard, "a row has no comments before it");
    if (starts_with(line, n_bytes, round) && !starts_with(line, n_bytes, "# Iteration: 1\n"))
        return bm_rank_fail(
            rank, shard, BLASTMERGE_MISMATCH,
            "is of PSI-BLAST with several rounds: each shard has made a profile of its own, so that no "
            "merge is what a search of the whole database finds; merge searches with "
            "-num_iterations 1");
    if (shard == rank->shards && starts_with(line, n_bytes, "# BLASTN "))
        rank->program = (struct bm_rank_word){"blastn", 6};
    if (shard == rank->shards && starts_with(line, n_bytes, "# BLASTP "))
        rank->program = (struct bm_rank_word){"blastp", 6};
    if (shard == rank->shards && starts_with(line, n_bytes, "# TBLASTX "))
        rank->program = (struct bm_rank_word){"tblastx", 7};
    if (starts_with(line, n_bytes, "# PSIBLAST ") || starts_with(line, n_bytes, "# DELTABLAST "))
        rank->tables->counts_cut_hits = true;
    return BLASTMERGE_OK;
}

/* Reads a shard up to a query's rows, or to its end. */
static enum blastmerge_status read_comments(struct bm_rank *rank, struct bm_rank_shard *shard) {
    enum blastmerge_status status = BLASTMERGE_OK;
    rank->n_compared = 0;
    shard->opening = BM_RANK_OTHER;
    for (;;) {
        const char *line = NULL;
        size_t n_bytes = 0;
        status = bm_rank_read_line(rank, shard, &line, &n_bytes);
        if (status != BLASTMERGE_OK || n_bytes == 0) break;
        if (parse_found(line, n_bytes, &shard->n_rows_left)) {
            shard->opening = BM_RANK_HITS;
            break;
        }
        status = check_comment(rank, shard, line, n_bytes);
        if (status == BLASTMERGE_OK)
            status = starts_with(line, n_bytes, "# Fields: ") ? take_fields(rank, shard, line, n_bytes)
                     : shard == rank->shards                  ? take_comment(rank, line, n_bytes)
                                             : bm_rank_front_compare(rank, shard, line, n_bytes);
        if (status != BLASTMERGE_OK) break;
    }
    return status == BLASTMERGE_OK ? bm_rank_front_end(rank, shard) : status;
}

/* Writes the comments of a query, of which n rows follow. */
static enum blastmerge_status write_comments(struct bm_rank *rank, uint64_t n) {
    const struct bm_rank_text *fields = &rank->tables->fields;
    enum blastmerge_status status = bm_rank_put(rank, rank->front.data, rank->front.n_bytes);
    if (status == BLASTMERGE_OK && fields->n_bytes > 0) {
        size_t n_bytes = fields->n_bytes - 1;
        if (rank->options.n_drop_columns > 0)
            n_bytes = bm_rank_columns_drop(fields->data, n_bytes, ',', rank->options.n_drop_columns);
        status = bm_rank_put(rank, fields->data, n_bytes);
        if (status == BLASTMERGE_OK) status = bm_rank_put(rank, "\n", 1);
    }
    if (status == BLASTMERGE_OK) status = bm_rank_put(rank, "# ", 2);
    if (status == BLASTMERGE_OK) status = bm_rank_put_number(rank, n);
    return status == BLASTMERGE_OK ? bm_rank_put(rank, " hits found\n", 12) : status;
}

/* PSI-BLAST keeps so many subjects of a query (and as many rows at least) before it counts and cuts them. */
static bool may_be_more_than_kept(const struct bm_rank *rank, uint64_t n_rows) {
    uint64_t n =
        rank->options.n_targets > BM_RANK_DEFAULT_TARGETS ? rank->options.n_targets : BM_RANK_DEFAULT_TARGETS;
    return rank->tables->counts_cut_hits && n_rows > 50 && (n_rows - 49) / 2 > n; /* more than 2 n + 50 */
}

static enum blastmerge_status begin_commented(struct bm_rank *rank) {
    struct bm_rank_tables *tables = rank->tables;
    uint64_t n_rows = 0;
    rank->first_front.n_bytes = rank->front.n_bytes = tables->fields.n_bytes = 0;
    bm_rank_long_clear(&tables->rows, &rank->spool);
    tables->n_rows_written = 0;
    for (size_t i = 0; i < rank->n_shards; i++) {
        enum blastmerge_status status = read_comments(rank, &rank->shards[i]);
        if (status != BLASTMERGE_OK) return status;
        if (!bm_add(&n_rows, rank->shards[i].n_rows_left)) n_rows = UINT64_MAX;
    }
    if (rank->shards[0].opening == BM_RANK_OTHER) {
        rank->phase = BM_RANK_PHASE_DONE;
        return bm_rank_put(rank, rank->front.data, rank->front.n_bytes);
    }
    tables->is_held = n_rows > rank->options.n_targets && !tables->counts_cut_hits;
    rank->phase = BM_RANK_PHASE_HITS;
    if (may_be_more_than_kept(rank, n_rows)) rank->counts.n_found++;
    return tables->is_held ? BLASTMERGE_OK : write_comments(rank, n_rows);
}

/* --- -outfmt 6 and 10: which query comes next -------------------------------------------------------- */

/* Of each query one entry is left, with the number of times that it came. */
static void join_queries(struct bm_rank_tables *tables) {
    size_t n = 0;
    if (tables->n_queries > 0)
        qsort(tables->queries, tables->n_queries, sizeof *tables->queries, compare_queries);
    for (size_t i = 0; i < tables->n_queries; i++) {
        if (n > 0 && tables->queries[n - 1].hash == tables->queries[i].hash)
            tables->queries[n - 1].n_left += tables->queries[i].n_left;
        else
            tables->queries[n++] = tables->queries[i];
    }
    tables->n_queries = n;
}

/* Makes room for another query: joins those that there are, unless that would have to be done again soon. */
static enum blastmerge_status grow_queries(struct bm_rank *rank, struct bm_rank_shard *shard) {
    struct bm_rank_tables *tables = rank->tables;
    join_queries(tables);
    if (tables->n_queries < tables->n_allocated / 2) return BLASTMERGE_OK;
    size_t n_wanted = 2 * tables->n_allocated + 256;
    struct query *queries = NULL;
    if (n_wanted * sizeof *queries <= rank->options.n_list_bytes)
        queries = bm_reallocate(rank->memory, tables->queries, n_wanted * sizeof *queries);
    if (queries == NULL) return bm_rank_fail_room(rank, shard, "the list of the tables' queries");
    tables->queries = queries;
    tables->n_allocated = n_wanted;
    return BLASTMERGE_OK;
}

static enum blastmerge_status add_query(struct bm_rank *rank, struct bm_rank_shard *shard, uint64_t hash) {
    struct bm_rank_tables *tables = rank->tables;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (tables->n_queries == tables->n_allocated) status = grow_queries(rank, shard);
    if (status == BLASTMERGE_OK)
        tables->queries[tables->n_queries++] = (struct query){.hash = hash, .n_left = 1};
    return status;
}

enum blastmerge_status bm_rank_survey_table(struct bm_rank *rank, struct bm_rank_shard *shard) {
    enum blastmerge_status status = BLASTMERGE_OK;
    bool has_query = false;
    uint64_t query = 0;
    if (rank->tables == NULL) status = bm_rank_open_tables(rank);
    if (bm_format_of(rank->format)->has_comments || rank->options.find_query != NULL || rank->n_shards == 1)
        return status;
    shard->is_begun = true;
    while (status == BLASTMERGE_OK) {
        status = next_row(rank, shard);
        if (status != BLASTMERGE_OK || !shard->head.is_there) break;
        if (!has_query || shard->head.query != query) status = add_query(rank, shard, shard->head.query);
        query = shard->head.query;
        has_query = true;
    }
    shard->is_begun = false;
    return status;
}

enum blastmerge_status bm_rank_end_survey_tables(struct bm_rank *rank) {
    struct bm_rank_tables *tables = rank->tables;
    if (rank->options.find_query != NULL || tables->has_comments || rank->n_shards == 1) return BLASTMERGE_OK;
    for (size_t i = 0; i < rank->n_shards; i++)
        if (!rank->shards[i].source.can_read_ahead)
            return bm_rank_fail(
                rank, &rank->shards[i], BLASTMERGE_USAGE,
                "can be read only once, and rows alone do not tell which query comes first: give "
                "files, or the queries with --expect-queries, or search with -outfmt 7");
    join_queries(tables);
    return BLASTMERGE_OK;
}

static bool is_at(const struct bm_rank_shard *shard, uint64_t query) {
    return shard->is_waiting && shard->head.query == query;
}

/* Whether no shard has the query still before it that is not at it. */
static bool is_due(struct bm_rank *rank, uint64_t query) {
    const struct query *entry = find_query(rank->tables, query);
    return entry != NULL && entry->n_left == entry->n_at;
}

/* The query that the shard is at has no place in the list of queries, or it is one of those that are done with. */
static enum blastmerge_status fail_query(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                         const struct bm_rank_query *query) {
    enum { SHOWN = 140 };
    const struct bm_rank_head *head = &shard->head;
    char name[SHOWN], shown[SHOWN];
    snprintf(name, sizeof name, "%.*s", (int)(head->n_query < SHOWN ? head->n_query : SHOWN),
             head->row.data + head->query_at);
    bm_show(shown, sizeof shown, name);
    if (query->number == 0)
        return bm_rank_fail(
            rank, shard, BLASTMERGE_MISMATCH,
            "a row is of the query %s, which is not among those of --expect-queries: give the file "
            "that was searched, with all queries of all shards",
            shown);
    if (query->is_one_of_many)
        return bm_rank_fail(
            rank, shard, BLASTMERGE_MISMATCH,
            "a row is of the query %s, and several of --expect-queries can have that name: only "
            "-outfmt 7 can tell them apart",
            shown);
    if (query->is_by_place && rank->options.has_batches_before)
        return bm_rank_fail(
            rank, shard, BLASTMERGE_MISMATCH,
            "a row is of the query %s, which has no name, and BLAST has counted the queries of each "
            "batch from 1: merge each batch by itself, with its own --expect-queries, or search "
            "with -outfmt 7",
            shown);
    return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                        "a row is of the query %s, number %" PRIu64
                        " of --expect-queries, after rows of number %" PRIu64
                        ": its rows are in another order than the file that was searched has",
                        shown, query->number, rank->tables->n_done);
}

/* Looks up the query that the shard is at, once. */
static enum blastmerge_status find_number(struct bm_rank *rank, struct bm_rank_shard *shard) {
    const struct bm_rank_options *options = &rank->options;
    struct bm_rank_head *head = &shard->head;
    struct bm_rank_query query = {0};
    if (head->query_number > 0) return BLASTMERGE_OK;
    enum blastmerge_status status =
        options->find_query(options->find_context, head->row.data + head->query_at, head->n_query,
                            rank->tables->columns.delimiter, &query, rank->error);
    if (status != BLASTMERGE_OK) return status;
    bool is_placed = !query.is_one_of_many && !(query.is_by_place && options->has_batches_before);
    if (query.number <= rank->tables->n_done && query.other_number > 0) {
        query.number = query.other_number;
        query.other_number = 0;
    }
    if (!is_placed || query.number <= rank->tables->n_done) return fail_query(rank, shard, &query);
    head->query_number = query.number;
    head->other_number = query.other_number;
    return BLASTMERGE_OK;
}

/* If the place of the chosen shard's query is one of two, no other shard's may lie between them. */
static enum blastmerge_status check_place(struct bm_rank *rank, const struct bm_rank_shard *chosen) {
    for (size_t i = 0; i < rank->n_shards; i++) {
        const struct bm_rank_shard *shard = &rank->shards[i];
        bool is_other = shard->is_waiting && shard->head.query != chosen->head.query;
        if (is_other && shard->head.query_number <= chosen->head.other_number)
            return fail_query(rank, chosen, &(struct bm_rank_query){.number = 1, .is_one_of_many = true});
    }
    return BLASTMERGE_OK;
}

/* The shard whose query comes first, by the list of queries; n_shards: none. */
static enum blastmerge_status choose_by_list(struct bm_rank *rank, size_t *chosen) {
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < rank->n_shards; i++) {
        struct bm_rank_shard *shard = &rank->shards[i];
        if (!shard->is_waiting) continue;
        enum blastmerge_status status = find_number(rank, shard);
        if (status != BLASTMERGE_OK) return status;
        if (shard->head.query_number >= least) continue;
        least = shard->head.query_number;
        *chosen = i;
    }
    if (*chosen == rank->n_shards) return BLASTMERGE_OK;
    rank->tables->n_done = least;
    return check_place(rank, &rank->shards[*chosen]);
}

/* By what comes later in the shards. */
static enum blastmerge_status choose_by_index(struct bm_rank *rank, size_t *chosen) {
    const struct bm_rank_shard *waiting = NULL;
    bool is_open = false;
    for (size_t i = 0; i < rank->n_shards; i++) {
        const struct bm_rank_shard *shard = &rank->shards[i];
        if (!shard->is_waiting) continue;
        waiting = shard;
        if (rank->n_shards > 1 && !is_due(rank, shard->head.query)) continue;
        if (*chosen == rank->n_shards)
            *chosen = i;
        else if (shard->head.query != rank->shards[*chosen].head.query)
            is_open = true;
    }
    rank->counts.n_query_orders += is_open;
    if (*chosen < rank->n_shards || waiting == NULL) return BLASTMERGE_OK;
    return bm_rank_fail(
        rank, waiting, BLASTMERGE_MISMATCH,
        "its queries are in another order than another shard's, or several have one name: these "
        "shards did not search the same queries, or only -outfmt 7 can tell");
}

/* All shards that are at the query that comes next begin with its rows. */
static enum blastmerge_status begin_bare(struct bm_rank *rank) {
    size_t chosen = rank->n_shards;
    enum blastmerge_status status =
        rank->options.find_query != NULL ? choose_by_list(rank, &chosen) : choose_by_index(rank, &chosen);
    if (status != BLASTMERGE_OK) return status;
    if (chosen == rank->n_shards) {
        rank->phase = BM_RANK_PHASE_DONE;
        return BLASTMERGE_OK;
    }
    uint64_t query = rank->shards[chosen].head.query;
    struct query *entry = find_query(rank->tables, query);
    for (size_t i = 0; i < rank->n_shards; i++) {
        struct bm_rank_shard *shard = &rank->shards[i];
        if (!is_at(shard, query)) continue;
        shard->is_waiting = false;
        shard->head.is_there = true;
        if (entry == NULL) continue;
        entry->n_left--;
        entry->n_at--;
    }
    rank->phase = BM_RANK_PHASE_HITS;
    return BLASTMERGE_OK;
}

/* --- a table ----------------------------------------------------------------------------------------- */

enum blastmerge_status bm_rank_open_tables(struct bm_rank *rank) {
    struct bm_rank_tables *tables = bm_allocate(rank->memory, sizeof *tables);
    if (tables == NULL) return bm_fail(rank->error, BLASTMERGE_NO_MEMORY, "out of memory");
    rank->tables = tables;
    tables->has_comments = bm_format_of(rank->format)->has_comments;
    tables->columns.delimiter = bm_format_of(rank->format)->separator;
    if (tables->has_comments) return BLASTMERGE_OK;
    const char *spec = rank->options.columns != NULL ? rank->options.columns : "";
    const char *fault = bm_rank_columns_of_spec(&tables->columns, spec);
    note_columns(rank);
    if (fault == NULL && check_drop(rank) != BLASTMERGE_OK) return rank->error->status;
    if (fault == NULL) return BLASTMERGE_OK;
    return bm_fail(rank->error, BLASTMERGE_USAGE, "--columns '%.200s' %s", spec, fault);
}

void bm_rank_close_tables(struct bm_rank *rank) {
    struct bm_rank_tables *tables = rank->tables;
    if (tables == NULL) return;
    bm_rank_text_free(&tables->fields, &rank->budget);
    bm_rank_long_free(&tables->rows, &rank->spool);
    bm_release(rank->memory, tables->queries);
    bm_release(rank->memory, tables);
    rank->tables = NULL;
}

/* The first row of each shard, where rows are all there is. */
static enum blastmerge_status begin_rows(struct bm_rank *rank) {
    for (size_t i = 0; i < rank->n_shards; i++) {
        struct bm_rank_shard *shard = &rank->shards[i];
        enum blastmerge_status status = next_row(rank, shard);
        if (status != BLASTMERGE_OK) return status;
        if (shard->head.is_there) begin_waiting(rank, shard);
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status begin_query(struct bm_rank *rank) {
    struct bm_rank_tables *tables = rank->tables;
    enum blastmerge_status status = BLASTMERGE_OK;
    rank->n_written = 0;
    rank->are_strands_mixed = false;
    rank->tables->n_strands_before = rank->counts.n_strands;
    rank->has_tree = false;
    tables->n_rows = 0;
    if (!tables->has_comments && !tables->is_begun) status = begin_rows(rank);
    tables->is_begun = true;
    if (status == BLASTMERGE_OK) status = tables->has_comments ? begin_commented(rank) : begin_bare(rank);
    if (status != BLASTMERGE_OK || rank->phase == BM_RANK_PHASE_DONE) return status;
    rank->counts.n_queries++;
    for (size_t i = 0; i < rank->n_shards; i++) {
        struct bm_rank_shard *shard = &rank->shards[i];
        shard->n_hits = 0;
        if (tables->has_comments) status = next_row(rank, shard);
        if (status == BLASTMERGE_OK && shard->head.is_there) status = check_list(rank, shard);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status end_query(struct bm_rank *rank) {
    struct bm_rank_tables *tables = rank->tables;
    enum blastmerge_status status = BLASTMERGE_OK;
    rank->phase = BM_RANK_PHASE_FRONT;
    if (!tables->is_held) return BLASTMERGE_OK;
    status = write_comments(rank, tables->n_rows);
    rank->phase = BM_RANK_PHASE_ROWS;
    tables->is_held = false;
    return status;
}

static enum blastmerge_status write_held_rows(struct bm_rank *rank) {
    struct bm_rank_tables *tables = rank->tables;
    uint64_t n = tables->rows.n_bytes - tables->n_rows_written;
    if (n > STEP) n = STEP;
    enum blastmerge_status status = bm_rank_put_long(rank, &rank->shards[rank->last_shard], &tables->rows,
                                                     tables->n_rows_written, (size_t)n);
    tables->n_rows_written += n;
    if (tables->n_rows_written == tables->rows.n_bytes) rank->phase = BM_RANK_PHASE_FRONT;
    return status;
}

enum blastmerge_status bm_rank_step_table(struct bm_rank *rank) {
    switch (rank->phase) {
    case BM_RANK_PHASE_FRONT:
        return begin_query(rank);
    case BM_RANK_PHASE_HITS:
        return write_hit(rank);
    case BM_RANK_PHASE_TAIL:
        return end_query(rank);
    case BM_RANK_PHASE_BODY:
        return write_rows(rank);
    case BM_RANK_PHASE_ROWS:
        return write_held_rows(rank);
    case BM_RANK_PHASE_HEAD: /* of reports */
    case BM_RANK_PHASE_DONE:
        break;
    }
    return BLASTMERGE_OK;
}

void bm_rank_tables_settle(struct bm_rank *rank) {
    if (rank->form == NULL && rank->tables != NULL && !rank->tables->has_other_bits) drop_strands(rank, 0);
}
