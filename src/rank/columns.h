/* SPDX-License-Identifier: MIT */
/* rank/columns - finds the columns of a table that decide a hit's rank. */
#ifndef BM_RANK_COLUMNS_H
#define BM_RANK_COLUMNS_H

#include "base/base.h"

enum bm_rank_column {
    BM_RANK_COLUMN_QUERY,
    BM_RANK_COLUMN_SUBJECT,
    BM_RANK_COLUMN_EVALUE,
    BM_RANK_COLUMN_BITS,
    BM_RANK_COLUMN_SCORE,
    BM_RANK_COLUMN_LENGTH, /* of the subject */
    BM_RANK_COLUMN_START,  /* in the subject: behind its end on the other strand */
    BM_RANK_COLUMN_END,
    BM_RANK_N_COLUMNS
};

struct bm_rank_columns {
    char delimiter;
    size_t n;                     /* in a row */
    bool has_words;               /* a title or names are among them, in which the delimiter can stand */
    size_t at[BM_RANK_N_COLUMNS]; /* the column's index, from 0; SIZE_MAX: none */
};

/* Parses the columns as -outfmt has them, such as "std score"; "" is std. Returns NULL, or what is wrong. */
const char *bm_rank_columns_of_spec(struct bm_rank_columns *columns, const char *spec);

/* Parses the text of a "# Fields: " line. Returns NULL, or what is wrong with it. */
const char *bm_rank_columns_of_fields(struct bm_rank_columns *columns, const char *text, size_t n_bytes);

/* Finds a row's fields: where each begins, and its length. The row comes without its line feed. Returns how
 * many fields it has, at most one more than there are columns; as many as columns if what is more can be text. */
struct bm_rank_field {
    const char *text;
    size_t n_bytes;
};
size_t bm_rank_columns_split(const struct bm_rank_columns *columns, const char *row, size_t n_bytes,
                             struct bm_rank_field fields[BM_RANK_N_COLUMNS]) BM_CHECK_RESULT;

/* Returns the length of a row, or of a list of fields, without its last n columns. */
size_t bm_rank_columns_drop(const char *row, size_t n_bytes, char delimiter, uint64_t n);

#endif
