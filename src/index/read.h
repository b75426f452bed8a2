/* SPDX-License-Identifier: MIT */
/*
 * index/read.h - an index's file -> what it says. Nothing of it is trusted: what a row leads to is compared with the row.
 */
#ifndef BM_INDEX_READ_H
#define BM_INDEX_READ_H

#include "index/bytes.h"
#include "index/head.h"

struct bm_index_read;

/* Opens the index of a file: both are borrowed. BLASTMERGE_DATA: it is none, is damaged, or was made by a later version;
 * BLASTMERGE_CHANGED: it is that of another file. One that failed to open must be closed, too. */
enum blastmerge_status bm_index_read_open(struct bm_index_read **read, struct bm_memory *memory,
                                          struct bm_index_bytes *index, struct bm_index_bytes *result,
                                          struct bm_cancel *cancel,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_read_close(struct bm_index_read *read);

enum blastmerge_format bm_index_read_format(const struct bm_index_read *read);
uint64_t bm_index_read_n_iterations(const struct bm_index_read *read);

/* The text before, between and behind Iterations; valid until the index is closed. */
struct bm_index_part {
    const char *text;
    size_t n_text;
};
struct bm_index_parts {
    struct bm_index_part header;
    struct bm_index_part joint;
    struct bm_index_part footer;
};
const struct bm_index_parts *bm_index_read_parts(const struct bm_index_read *read);

/* --- what is wanted -------------------------------------------------------------------------------- */

/* Adds the Iterations of a query to those that are wanted: those with that id, or with a definition whose first word it is; if
 * there is none, those with it as accession. *n_found: how many there are. */
enum blastmerge_status bm_index_read_want(struct bm_index_read *read, const char *query, uint64_t *n_found,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* Adds the Iterations with these numbers, from 1, as far as there are any. */
enum blastmerge_status bm_index_read_want_numbers(struct bm_index_read *read, uint64_t first, uint64_t last,
                                                  struct blastmerge_error *error) BM_CHECK_RESULT;

/* All are wanted: nothing is to be looked up. */
void bm_index_read_want_all(struct bm_index_read *read);

/*
 * Writes the name or id in the index that has the longest beginning in common with the query; "": none has more
 * than half of the query in common with it.
 */
enum blastmerge_status bm_index_read_nearest(struct bm_index_read *read, const char *query,
                                             char nearest[BM_INDEX_NAME + 1],
                                             struct blastmerge_error *error) BM_CHECK_RESULT;

/* An Iteration that is wanted. */
struct bm_index_found {
    uint64_t number;
    uint64_t offset;
    uint64_t size;
    uint32_t crc32;
    size_t n_id; /* 0: there is none */
    size_t n_name;
    size_t n_accession;
    bool has_length;
    bool has_hits;
    bool has_evalue;
    uint64_t length;
    uint64_t n_hits;
    uint64_t n_hsps;
    double evalue;
    char id[BM_INDEX_NAME + 1];
    char name[BM_INDEX_NAME + 1];
    char accession[BM_INDEX_NAME + 1];
};

/* The next Iteration that is wanted, in the order of the file. *is_end: there is none. */
enum blastmerge_status bm_index_read_next(struct bm_index_read *read, struct bm_index_found *found,
                                          bool *is_end, struct blastmerge_error *error) BM_CHECK_RESULT;

/* --- restart points ------------------------------------------------------------------------------- */

struct bm_index_start {
    uint64_t text;
    uint64_t bit;
    const void *window; /* compressed; valid until the next call of this room */
    size_t n_window;    /* 0: none is needed */
};

/* Bytes of the file before the first restart point that is not before the offset; all of them: UINT64_MAX. */
enum blastmerge_status bm_index_read_bound(struct bm_index_read *read, uint64_t offset, uint64_t *n_bytes,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

/* The last restart point that is not behind the offset. *has_start false: there is none, the file is plain. */
enum blastmerge_status bm_index_read_start(struct bm_index_read *read, uint64_t offset,
                                           struct bm_index_start *start, bool *has_start,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
