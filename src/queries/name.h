/* SPDX-License-Identifier: MIT */
/* queries/name.h - the names that BLAST makes of a title. */
#ifndef BM_EXPECT_NAME_H
#define BM_EXPECT_NAME_H

#include "queries/queries.h"

struct bm_word {
    size_t n;
    char bytes[BM_EXPECT_WORD + 1];
};

/* All that an Iteration can be known by. */
struct bm_names {
    struct bm_word token; /* the first word as it is: with -parse_deflines, ids */
    struct bm_word title; /* the first word of the title, as BLAST makes it; n 0: there is no title */
    struct bm_word plain; /* the same with references left as they are */
    struct bm_word rest;  /* the first word of what is behind the token, as BLAST makes it */
    bool has_range;       /* the token ends in a range, ":5-20": BLAST makes up an id */
};

/* The names of a title, of which is_cut tells that there is more. Linear. */
void bm_queries_names_read(struct bm_names *names, const char *title, size_t n_title, bool is_cut);

/* The first word of a title as BLAST makes it: without blanks where they count for nothing, signs at the end
 * that it drops, or prefixes that it drops. What BLAST has made stays as it is. */
void bm_queries_word_of_title(struct bm_word *word, const char *title, size_t n_title, bool is_cut);

/* Whether the one is the other; UTF-8 and the ISO-8859-1 that BLAST makes of it are the same. */
bool bm_queries_word_is_same(const struct bm_word *name, const struct bm_word *word);

/* Whether the id is what BLAST makes of the token with -parse_deflines. */
bool bm_queries_word_is_id_of(const struct bm_word *id, const struct bm_word *token);

/* Whether it is an id that BLAST makes up, "Query_7", or there is none. */
bool bm_queries_word_is_generated(const struct bm_word *id);

/* A character as UTF-8: the number of bytes. */
size_t bm_queries_put_character(char *to, uint32_t code);

/* The character that the reference of n bytes ("#65", "#x41", without '&' and ';') stands for; 0: none. */
uint32_t bm_queries_numeric_reference(const char *reference, size_t n);

#endif
