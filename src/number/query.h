/* SPDX-License-Identifier: MIT */
/*
 * number/query.h - Query_N, the name that BLAST gives to a query without one: what becomes of it in a merge.
 *
 * Rules only (docs/identity.md): text in, text out. Knows neither marks nor edits, and of formats only how
 * they escape.
 */
#ifndef BM_QUERY_H
#define BM_QUERY_H

#include "base/base.h"

/* How a format writes a string. */
enum bm_number_query_form {
    BM_QUERY_XML,  /* &amp; and the like; bytes beyond ASCII are UTF-8, or UTF-8 that was turned to ISO-8859-1
                    */
    BM_QUERY_JSON, /* \" and the like; all other bytes stand for themselves */
    BM_QUERY_PLAIN /* nothing is escaped */
};

enum {
    BM_QUERY_MESSAGE = 512, /* bytes of a message that are worth looking at: its prefix is never longer */
    BM_QUERY_PREFIX = 576   /* bytes of a prefix that replaces another: two numbers may have grown */
};

/* N of text that is "Query_N", without leading zeros; 0: it is something else. What is beyond 64 bits is
 * UINT64_MAX: so it fits no counting, and no other number can be added to it. */
uint64_t bm_number_query_number(const char *text, size_t n_text);

/* --- ids ----------------------------------------------------------------------------------------- */

/* The ids of all queries of a merge, in their order. */
struct bm_number_query_ids {
    enum blastmerge_query_ids policy;
    uint64_t shift;   /* what is added to the numbers of the current document */
    uint64_t largest; /* of its generated numbers */
    uint64_t last;    /* the last one of them */
    uint64_t n_generated;
    uint64_t n_named; /* ids that are not Query_N */
    uint64_t n_odd;   /* ids that are Query_N, but do not fit in: kept */
    bool may_return;  /* the numbers of the document's Iterations went back since the last Query_N */

    /* Where a query without a name is known by that it has no title (-outfmt 7). */
    uint64_t n_before; /* queries of the documents before */
    uint64_t position; /* of the current query in its document, counted from 1; 0: it is not told */
    bool counts_all;   /* there was such a query: BLAST counts all of them, and a title is a user's */

    bool is_beyond; /* a sum went beyond 64 bits: no number given since then is right */
};

void bm_number_query_ids_open(struct bm_number_query_ids *ids, enum blastmerge_query_ids policy);

/* Another document begins: a run of BLAST, which counts from 1. */
void bm_number_query_ids_begin(struct bm_number_query_ids *ids);

/* The numbers of the document's Iterations go back, as if another run began inside of it: if the numbers of
 * ids do, too, they count on from there as in another document. */
void bm_number_query_ids_return(struct bm_number_query_ids *ids);

/* Takes the next query's id: *old is its number in its run, and *new in the merge. False if it stays as it
 * is. position: of the Iteration in its run, counted from 1; 0 where the format has no such number. */
bool bm_number_query_ids_take(struct bm_number_query_ids *ids, const char *id, size_t n_id, uint64_t position,
                              uint64_t *old_number, uint64_t *new_number);

/* The next query is the one of that number in its document. */
void bm_number_query_ids_count(struct bm_number_query_ids *ids, uint64_t position);

/* The same for one of which it is sure that it has no name. */
void bm_number_query_ids_take_unnamed(struct bm_number_query_ids *ids, uint64_t *old_number,
                                      uint64_t *new_number);

/* --- messages ------------------------------------------------------------------------------------ */

enum bm_number_query_prefix {
    BM_QUERY_ABSENT,   /* the message does not begin with a query's name */
    BM_QUERY_RESTORED, /* `text` is what an unsplit run writes instead of the first n_old bytes */
    BM_QUERY_LOST,     /* the same; but such a run would fail at that, and leave out the whole Iteration */
    BM_QUERY_ODD       /* it begins with Query_N, but not as BLAST writes it: it is kept */
};

struct bm_number_query_message {
    size_t n_old;
    size_t n_new;
    char text[BM_QUERY_PREFIX];
};

/* What the first bytes (BM_QUERY_MESSAGE, or all) of the message of the query with that number become, as
 * they stand in the document. new_number is not below old_number. */
enum bm_number_query_prefix bm_number_query_rename(const char *message, size_t n_message,
                                                   enum bm_number_query_form form, uint64_t old_number,
                                                   uint64_t new_number,
                                                   struct bm_number_query_message *renamed);

#endif
