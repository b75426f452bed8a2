/* SPDX-License-Identifier: MIT */
/*
 * number/query.h - Query_N, the name that BLAST assigns to a query without one, and its change in a merge.
 *
 * Only rules (docs/identity.md): text in, text out. It uses neither marks nor edits, and of a format only its
 * escapes.
 */
#ifndef BM_QUERY_H
#define BM_QUERY_H

#include "format/format.h"

enum {
    BM_QUERY_MESSAGE = 512, /* bytes of a message to read: its prefix is never longer */
    BM_QUERY_PREFIX = 576   /* bytes of a new prefix: two numbers may have grown */
};

/* N of a text "Query_N", without leading zeros; 0 for any other text. A number beyond 64 bits is UINT64_MAX, so
 * it fits no counting, and no other number can be added to it. */
uint64_t bm_number_query_number(const char *text, size_t n_text);

/* --- ids ----------------------------------------------------------------------------------------- */

/* The ids of all queries of a merge, in their order. */
struct bm_number_query_ids {
    enum blastmerge_query_ids policy;
    uint64_t shift;   /* is added to the numbers of the current document */
    uint64_t largest; /* of its generated numbers */
    uint64_t last;    /* the last one of them */
    uint64_t n_generated;
    uint64_t n_named; /* ids that are not Query_N */
    uint64_t n_odd;   /* ids that are Query_N, but do not fit the counting: kept */
    bool may_return;  /* the numbers of the document's Iterations decreased since the last Query_N */
    bool may_skip;    /* queries are left out since the last Query_N */

    /* For a format in which a query without a name has no title (-outfmt 7). */
    uint64_t n_before; /* queries of the documents before */
    uint64_t position; /* of the current query in its document, counted from 1; 0: unknown */
    bool counts_all;   /* there was such a query: BLAST counts all of them, and a title is a user's */

    bool is_beyond; /* a sum exceeded 64 bits: no number since then is right */
};

void bm_number_query_ids_open(struct bm_number_query_ids *ids, enum blastmerge_query_ids policy);

/* Begins another document: a run of BLAST, which counts from 1. */
void bm_number_query_ids_begin(struct bm_number_query_ids *ids);

/* To be called when the numbers of the document's Iterations decrease, as if another run began inside it. If the
 * numbers of ids also do, they continue from there as in another document. */
void bm_number_query_ids_return(struct bm_number_query_ids *ids);

/* To be called where queries are left out, in a format without numbers of Iterations: the next id may be larger than the
 * next number. */
void bm_number_query_ids_skip(struct bm_number_query_ids *ids);

/* Processes the next query's id: *old_number is its number in its run, and *new_number in the merge. False if it
 * stays unchanged. position: of the Iteration in its run, counted from 1; 0 if the format has no such number. */
bool bm_number_query_ids_take(struct bm_number_query_ids *ids, const char *id, size_t n_id, uint64_t position,
                              uint64_t *old_number, uint64_t *new_number);

/* Sets the position of the next query in its document. */
void bm_number_query_ids_count(struct bm_number_query_ids *ids, uint64_t position);

/* Like bm_number_query_ids_take(), for a query that certainly has no name. */
void bm_number_query_ids_take_unnamed(struct bm_number_query_ids *ids, uint64_t *old_number,
                                      uint64_t *new_number);

/* --- messages ------------------------------------------------------------------------------------ */

enum bm_number_query_prefix {
    BM_QUERY_ABSENT,   /* the message does not begin with a query's name */
    BM_QUERY_RESTORED, /* `text` is what an unsplit run writes instead of the first n_old bytes */
    BM_QUERY_LOST,     /* likewise, but such a run would fail there, and leave out the whole Iteration */
    BM_QUERY_ODD       /* it begins with Query_N, but not as BLAST writes it: kept */
};

struct bm_number_query_message {
    size_t n_old;
    size_t n_new;
    char text[BM_QUERY_PREFIX];
};

/* Renames the query in the first bytes (BM_QUERY_MESSAGE, or all) of its message, in the document's escapes.
 * BM_QUERY_ODD, too, if the new name is shorter, and the message has only the beginning of a title. */
enum bm_number_query_prefix bm_number_query_rename(const char *message, size_t n_message,
                                                   enum bm_format_syntax syntax, uint64_t old_number,
                                                   uint64_t new_number,
                                                   struct bm_number_query_message *renamed);

#endif
