/* SPDX-License-Identifier: MIT */
/*
 * A row counts when it ends, because only then a mark shows whether it is one of column names. Its name is kept until
 * then: a row may be longer than the text that a batch has before it.
 */
#include "queries/rows.h"

#include <string.h>

static void begin_row(struct bm_queries_rows *rows, uint64_t at) {
    rows->line = rows->at = at;
    rows->n_name = 0;
    rows->has_name = rows->is_told = false;
}

void bm_queries_rows_leave(struct bm_queries_rows *rows) {
    rows->is_open = rows->is_told = false;
}

/* Adds to the row's first field. */
static void add_name(struct bm_queries_rows *rows, const uint8_t *text, size_t n_text, char separator) {
    for (size_t i = 0; i < n_text && !rows->has_name; i++) {
        rows->has_name = text[i] == (uint8_t)separator || text[i] == '\r' || text[i] == '\n';
        if (rows->has_name) break;
        rows->has_name = rows->n_name == sizeof rows->name;
        if (!rows->has_name) rows->name[rows->n_name++] = (char)text[i];
    }
}

/* Whether a mark shows that the row, which ends at `end`, is none. Goes to the first mark after it. */
static bool is_skipped(const struct bm_queries_rows *rows, const struct bm_mark_list *marks, size_t *position,
                       uint64_t end) {
    bool is_skipped = false;
    while (*position < marks->n_entries && marks->entries[*position].offset < end) {
        const struct bm_mark_entry *mark = &marks->entries[*position];
        is_skipped =
            is_skipped || (mark->kind == BM_MARK_SKIP && mark->offset <= rows->line && mark->end >= end);
        ++*position;
    }
    return is_skipped;
}

/* What PSI-BLAST writes after its last round. */
static bool is_message(const struct bm_queries_rows *rows) {
    static const char message[] = "Search has CONVERGED!";
    return rows->n_name == sizeof message - 1 && memcmp(rows->name, message, rows->n_name) == 0;
}

/* Goes to the table that the marks say has begun, or has ended. True: that ends a row without a line end. */
static bool take_marks(struct bm_queries_rows *rows, const struct bm_mark_list *marks, size_t *position) {
    while (*position < marks->n_entries) {
        const struct bm_mark_entry *mark = &marks->entries[*position];
        bool is_ahead = rows->is_open && mark->kind == BM_MARK_SKIP && mark->end > rows->line;
        if (is_ahead) return false; /* the row that is it comes first */
        ++*position;
        if (mark->kind == BM_MARK_ITERATION) {
            rows->is_open = true;
            begin_row(rows, mark->offset);
        } else if (mark->kind == BM_MARK_ITERATIONS_END && rows->is_open) {
            rows->is_open = false;
            return rows->n_name > 0;
        }
    }
    return false;
}

bool bm_queries_rows_next(struct bm_queries_rows *rows, char separator, const struct bm_mark_list *marks,
                          size_t *position, const struct bm_batch *batch, uint64_t scanned) {
    if (rows->is_told) begin_row(rows, rows->at);
    rows->is_told = !rows->is_open && take_marks(rows, marks, position);
    while (rows->is_open && !rows->is_told && rows->at < scanned) {
        size_t n_text = (size_t)(scanned - rows->at);
        const uint8_t *text = bm_batch_at(batch, rows->at, n_text);
        const uint8_t *newline = memchr(text, '\n', n_text);
        size_t n = newline == NULL ? n_text : (size_t)(newline - text) + 1;
        if (!rows->has_name) add_name(rows, text, n, separator);
        rows->at += n;
        if (newline == NULL) break;
        bool is_row = !is_skipped(rows, marks, position, rows->at) && rows->n_name > 0 && !is_message(rows);
        if (!is_row) begin_row(rows, rows->at);
        rows->is_told = is_row;
    }
    if (rows->is_open && !rows->is_told) rows->is_told = take_marks(rows, marks, position);
    return rows->is_told;
}
