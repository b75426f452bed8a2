/* SPDX-License-Identifier: MIT */
/*
 * headers - compares each document's header with the first one's: program, version, database, parameters,
 * namespaces.
 */
#ifndef BM_JOB_HEADERS_H
#define BM_JOB_HEADERS_H

#include "number/header.h"

struct blastmerge_job;

/* Written only by headers.c. */
struct bm_job_headers {
    struct bm_number_header
        *first; /* of the first document that had one; also of a child that a check has left */
    struct bm_number_header *current; /* of the current document, so far */
    size_t first_child;               /* the child of the first one ... */
    bool has_first;                   /* ... if there is one */
};

enum blastmerge_status bm_job_headers_open(struct bm_job_headers *headers,
                                           struct bm_memory *memory) BM_CHECK_RESULT;
void bm_job_headers_close(struct bm_job_headers *headers, struct bm_memory *memory);

/* To be called when a document begins; and for each field of its header. */
void bm_job_headers_begin(struct bm_job_headers *headers);
void bm_job_headers_add(struct bm_job_headers *headers, const struct bm_mark_field *field);

/* To be called when the current document's header is complete. A difference is a warning or the child's
 * error, by options.mismatch and options.as_unsplit. */
enum blastmerge_status bm_job_headers_compare(struct blastmerge_job *job) BM_CHECK_RESULT;

/* --db is for XML: to be called when the format is known. An error is the current child's. */
enum blastmerge_status bm_job_headers_check_database(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The header that the others are compared with: the first one, or the current one while there is none. */
const struct bm_number_header *bm_job_headers_first(const struct bm_job_headers *headers);

#endif
