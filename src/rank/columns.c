/* SPDX-License-Identifier: MIT */
#include "rank/columns.h"

#include <string.h>

static const char standard[] =
    "qaccver saccver pident length mismatch gapopen qstart qend sstart send evalue bitscore";

/* A column's name in -outfmt and in "# Fields: ". If a row has several of a kind, the first one counts. */
static const struct {
    enum bm_rank_column column;
    const char *name;
    const char *field;
} names[] = {
    {BM_RANK_COLUMN_QUERY, "qseqid", "query id"},
    {BM_RANK_COLUMN_QUERY, "qaccver", "query acc.ver"},
    {BM_RANK_COLUMN_QUERY, "qacc", "query acc."},
    {BM_RANK_COLUMN_QUERY, "qgi", "query gi"},
    {BM_RANK_COLUMN_SUBJECT, "sseqid", "subject id"},
    {BM_RANK_COLUMN_SUBJECT, "sallseqid", "subject ids"},
    {BM_RANK_COLUMN_SUBJECT, "saccver", "subject acc.ver"},
    {BM_RANK_COLUMN_SUBJECT, "sacc", "subject acc."},
    {BM_RANK_COLUMN_SUBJECT, "sallacc", "subject accs."},
    {BM_RANK_COLUMN_SUBJECT, "sgi", "subject gi"},
    {BM_RANK_COLUMN_SUBJECT, "sallgi", "subject gis"},
    {BM_RANK_COLUMN_EVALUE, "evalue", "evalue"},
    {BM_RANK_COLUMN_BITS, "bitscore", "bit score"},
    {BM_RANK_COLUMN_SCORE, "score", "score"},
    {BM_RANK_COLUMN_LENGTH, "slen", "subject length"},
    {BM_RANK_COLUMN_START, "sstart", "s. start"},
    {BM_RANK_COLUMN_END, "send", "s. end"},
};

static bool is_word(const char *text, size_t n_text, const char *word, size_t n_bytes) {
    return n_text == n_bytes && memcmp(text, word, n_bytes) == 0;
}

static void begin(struct bm_rank_columns *columns) {
    columns->n = 0;
    columns->has_words = false;
    for (size_t i = 0; i < BM_RANK_N_COLUMNS; i++) columns->at[i] = SIZE_MAX;
}

static void add(struct bm_rank_columns *columns, const char *word, size_t n_bytes, bool is_field) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *name = is_field ? names[i].field : names[i].name;
        if (is_word(name, strlen(name), word, n_bytes) && columns->at[names[i].column] == SIZE_MAX)
            columns->at[names[i].column] = columns->n;
    }
    /* stitle, salltitles, sscinames, sblastnames, ... */
    columns->has_words = columns->has_words || memmem(word, n_bytes, "title", 5) != NULL ||
                         memmem(word, n_bytes, "name", 4) != NULL;
    columns->n++;
}

static const char *check(const struct bm_rank_columns *columns, bool needs_query) {
    if (columns->at[BM_RANK_COLUMN_EVALUE] == SIZE_MAX)
        return "has no column evalue, by which hits are ranked";
    if (columns->at[BM_RANK_COLUMN_SUBJECT] == SIZE_MAX)
        return "has no column with the subject, such as saccver or sseqid";
    if (needs_query && columns->at[BM_RANK_COLUMN_QUERY] == SIZE_MAX)
        return "has no column with the query, such as qaccver or qseqid";
    return NULL;
}

/* Whether the words of the columns up to `end` have this one, or "std" stands there and has it. */
static bool has_word(const char *words, const char *end, const char *word, size_t n_bytes) {
    while (words < end) {
        size_t n = strcspn(words, " ");
        if (is_word(words, n, word, n_bytes)) return true;
        bool is_standard = is_word(words, n, "std", 3);
        if (is_standard && has_word(standard, standard + sizeof standard - 1, word, n_bytes)) return true;
        words += n;
        words += strspn(words, " ");
    }
    return false;
}

/* Adds what "std" means, behind the columns from `spec` up to `end`. */
static void add_standard(struct bm_rank_columns *columns, const char *spec, const char *end) {
    for (const char *word = standard; *word != '\0';) {
        size_t n = strcspn(word, " ");
        if (!has_word(spec, end, word, n)) add(columns, word, n, false);
        word += n;
        word += strspn(word, " ");
    }
}

/* Of a column that comes twice, BLAST prints the first. */
static void add_words(struct bm_rank_columns *columns, const char *spec) {
    for (const char *word = spec; *word != '\0';) {
        size_t n = strcspn(word, " ");
        bool is_number = n > 0 && strspn(word, "0123456789") == n;
        bool is_delimiter = n == 7 && memcmp(word, "delim=", 6) == 0;
        if (is_delimiter) columns->delimiter = word[6];
        if (is_word(word, n, "std", 3))
            add_standard(columns, spec, word);
        else if (n > 0 && !is_number && !is_delimiter && !has_word(spec, word, word, n))
            add(columns, word, n, false);
        word += n;
        word += strspn(word, " ");
    }
}

const char *bm_rank_columns_of_spec(struct bm_rank_columns *columns, const char *spec) {
    begin(columns);
    add_words(columns, spec);
    if (columns->n == 0) add_standard(columns, spec, spec);
    return check(columns, true);
}

const char *bm_rank_columns_of_fields(struct bm_rank_columns *columns, const char *text, size_t n_bytes) {
    begin(columns);
    while (n_bytes > 0) {
        size_t n = 0;
        while (n < n_bytes && !(text[n] == ',' && n + 1 < n_bytes && text[n + 1] == ' ')) n++;
        add(columns, text, n, true);
        size_t n_used = n < n_bytes ? n + 2 : n;
        text += n_used;
        n_bytes -= n_used;
    }
    return check(columns, false);
}

size_t bm_rank_columns_split(const struct bm_rank_columns *columns, const char *row, size_t n_bytes,
                             struct bm_rank_field fields[BM_RANK_N_COLUMNS]) {
    const char *end = row + n_bytes;
    const char *text = row;
    for (size_t i = 0; i < BM_RANK_N_COLUMNS; i++) fields[i] = (struct bm_rank_field){NULL, 0};
    for (size_t at = 0; at < columns->n; at++) {
        if (text == NULL) return at;
        const char *next = memchr(text, columns->delimiter, (size_t)(end - text));
        size_t n = next != NULL ? (size_t)(next - text) : (size_t)(end - text);
        for (size_t i = 0; i < BM_RANK_N_COLUMNS; i++)
            if (columns->at[i] == at) fields[i] = (struct bm_rank_field){text, n};
        text = next != NULL ? next + 1 : NULL;
    }
    return columns->n + (text != NULL && !columns->has_words);
}

size_t bm_rank_columns_drop(const char *row, size_t n_bytes, char delimiter, uint64_t n) {
    for (; n > 0; n--) {
        while (n_bytes > 0 && row[n_bytes - 1] != delimiter) n_bytes--;
        if (n_bytes > 0) n_bytes--;
    }
    return n_bytes;
}
