/* SPDX-License-Identifier: MIT */
/* mark/columns.h - rows of column names; the essay is in columns.c. */
#ifndef BM_COLUMNS_H
#define BM_COLUMNS_H

#include "base/base.h"

/* A line's fields, read as names of columns. */
struct bm_mark_columns {
    unsigned n_names;  /* 0: it is no row of names, because at least one field is no name */
    unsigned n_strong; /* of these, names that no sequence has */
};

struct bm_mark_columns bm_mark_columns_look(const char *line, size_t n_line, char separator);

/* Returns whether the first column's name is one for queries' names. */
bool bm_mark_columns_first_is_query(const char *line, size_t n_line, char separator);

/* Returns whether the next line shows, by its numbers, that a line which may be names of columns is one. */
bool bm_mark_columns_agree(const char *line, size_t n_line, const char *next, size_t n_next, char separator);

#endif
