/* SPDX-License-Identifier: MIT */
/* queries/name.h - the names that BLAST makes of a title. */
#ifndef BM_QUERIES_NAME_H
#define BM_QUERIES_NAME_H

#include "queries/queries.h"

struct bm_queries_word {
    size_t n;
    char bytes[BM_QUERIES_WORD + 1];
};

/* All names by which an Iteration can be identified. */
struct bm_queries_names {
    struct bm_queries_word token; /* the first word unchanged: with -parse_deflines, ids */
    struct bm_queries_word title; /* the first word of the title, as BLAST makes it; n 0: there is no title */
    struct bm_queries_word plain; /* the title's first word with references unchanged */
    struct bm_queries_word rest;  /* the first word after the token, as BLAST makes it */
    struct bm_queries_word plain_rest; /* likewise, with references unchanged, as in tables */
    bool has_range;                    /* the token ends in a range, ":5-20": BLAST assigns an id */
};

/* The names of a title; is_cut: there is more of it. Linear. */
void bm_queries_names_read(struct bm_queries_names *names, const char *title, size_t n_title, bool is_cut);

/* The first word of a title as BLAST makes it: without blanks that do not count, and without the signs at the
 * end and the prefixes that BLAST drops. A word that BLAST has made stays unchanged. */
void bm_queries_word_of_title(struct bm_queries_word *word, const char *title, size_t n_title, bool is_cut);

/* Whether two words are the same; UTF-8 equals the ISO-8859-1 that BLAST makes of it. */
bool bm_queries_word_is_same(const struct bm_queries_word *name, const struct bm_queries_word *word);

/* Whether the id is what BLAST makes of the token with -parse_deflines. */
bool bm_queries_word_is_id_of(const struct bm_queries_word *id, const struct bm_queries_word *token);

/* Whether it is an id that BLAST assigned, "Query_7", or empty. */
bool bm_queries_word_is_generated(const struct bm_queries_word *id);

#endif
