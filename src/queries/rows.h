/* SPDX-License-Identifier: MIT */
/* queries/rows.h - which queries the rows of a table without comments are of, row by row. */
#ifndef BM_QUERIES_ROWS_H
#define BM_QUERIES_ROWS_H

#include "flow/batch.h"
#include "mark/mark.h"
#include "queries/name.h"

struct bm_queries_rows {
    bool is_open;  /* a table has begun, and not ended */
    bool is_told;  /* the current row was returned */
    uint64_t line; /* where the current row begins ... */
    uint64_t at;   /* ... and up to where it was read */
    bool has_name; /* its first field has ended, or is longer than what counts */
    size_t n_name;
    char name[BM_QUERIES_WORD]; /* its first field */
};

/* The text up to the next table is not read. */
void bm_queries_rows_leave(struct bm_queries_rows *rows);

/* Goes to the end of the next row; its name is rows->name then. False: its end is not scanned yet. The marks are
 * those of the text that was scanned; *position advances in them. */
bool bm_queries_rows_next(struct bm_queries_rows *rows, char separator, const struct bm_mark_list *marks,
                          size_t *position, const struct bm_batch *batch, uint64_t scanned);

#endif
