/* SPDX-License-Identifier: MIT */
/*
 * mark/scan/digest.h - a document's queries, as 64 bits: a hash over the title and the length of each
 * Iteration's query, and over the number of Iterations. Two documents with equal digests hold the same
 * queries (docs/merge.md says what a merge does then).
 *
 * A query's name is its title. If it has none, its name is its id, unless BLAST made the id up. If an
 * Iteration names no query at all, as in old BLAST XML, the document's header names it.
 */
#ifndef BM_DIGEST_H
#define BM_DIGEST_H

#include "base/base.h"

enum {
    BM_DIGEST_CONTENT = 512 /* bytes of a title, an id or a length that count, besides their number */
};

/* The part of an Iteration that describes its query. */
enum bm_mark_digest_part {
    BM_DIGEST_NOTHING,
    BM_DIGEST_ID,
    BM_DIGEST_TITLE,
    BM_DIGEST_LENGTH,
    BM_DIGEST_MESSAGE /* does not count */
};

struct bm_mark_digest_query {
    uint64_t title; /* these are hashes; 0: there is none */
    uint64_t id;
    uint64_t length;
};

struct bm_mark_digest {
    uint64_t hash; /* of the queries whose Iterations have ended */
    uint64_t n_named;
    uint64_t n_iterations;              /* the scanner's count when the document began ... */
    uint64_t n_hits;                    /* ... and its count of rows, in a table */
    bool is_partial;                    /* the document's beginning was left out */
    bool has_header;                    /* the document's header names a query */
    bool is_wanted;                     /* the current Iteration's query is not complete */
    struct bm_mark_digest_query query;  /* the current Iteration's */
    struct bm_mark_digest_query header; /* the document's */

    /* A part that is collected byte by byte. */
    uint8_t part; /* enum bm_mark_digest_part */
    uint64_t n_content;
    uint8_t content[BM_DIGEST_CONTENT];
};

/* Adds one part of the current Iteration's query, or of the header's. If n_bytes is more than
 * BM_DIGEST_CONTENT, `bytes` has only the first ones. An id does not matter if there is a title. */
void bm_mark_digest_take(struct bm_mark_digest_query *query, enum bm_mark_digest_part part, const void *bytes,
                         uint64_t n_bytes);

/* Begin, add and end do the same byte by byte. */
void bm_mark_digest_begin_part(struct bm_mark_digest *digest, enum bm_mark_digest_part part);
static inline void bm_mark_digest_add(struct bm_mark_digest *digest, uint8_t byte) {
    if (digest->n_content < BM_DIGEST_CONTENT) digest->content[digest->n_content] = byte;
    digest->n_content++;
}
/* Returns whether the content of further bytes counts, and not only their number. */
static inline bool bm_mark_digest_is_collecting(const struct bm_mark_digest *digest) {
    return digest->part != BM_DIGEST_NOTHING && digest->n_content < BM_DIGEST_CONTENT;
}
void bm_mark_digest_end_part(struct bm_mark_digest *digest);

/* Called when the current Iteration has ended. Returns a hash of its query's name and length; 0 if it has not both. */
uint64_t bm_mark_digest_end_query(struct bm_mark_digest *digest);

/* Adds a query of which only the name is known. Returns the name's hash; 0 if BLAST made the name up. */
uint64_t bm_mark_digest_add_name(struct bm_mark_digest *digest, const void *name, uint64_t n_name);

/* Returns the digest of a document that has ended. */
uint64_t bm_mark_digest_sum(const struct bm_mark_digest *digest, uint64_t n_iterations);

#endif
