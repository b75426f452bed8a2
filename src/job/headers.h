/* SPDX-License-Identifier: MIT */
/*
 * headers - each document's header against the first one's: program, version, database, parameters, namespaces.
 */
#ifndef BM_JOB_HEADERS_H
#define BM_JOB_HEADERS_H

#include "number/header.h"

struct blastmerge_job;

/* Written by headers.c alone. */
struct bm_job_headers {
    struct bm_number_header
        *first; /* of the first document that had one; also of a child that a check has left */
    struct bm_number_header *current; /* of the current document, as far as it has come */
    size_t first_child;               /* whose the first one is ... */
    bool has_first;                   /* ... if there is one */
};

enum blastmerge_status bm_job_headers_open(struct bm_job_headers *headers,
                                           struct bm_memory *memory) BM_CHECK_RESULT;
void bm_job_headers_close(struct bm_job_headers *headers, struct bm_memory *memory);

/* A document begins; it has a field. */
void bm_job_headers_begin(struct bm_job_headers *headers);
void bm_job_headers_add(struct bm_job_headers *headers, const struct bm_mark_field *field);

/* The current document's header is complete. A difference is a warning or the child's error, as options.mismatch
 * and options.as_unsplit say. */
enum blastmerge_status bm_job_headers_compare(struct blastmerge_job *job) BM_CHECK_RESULT;

/* The header that the others are compared with: the first one, or the current one while there is none. */
const struct bm_number_header *bm_job_headers_first(const struct bm_job_headers *headers);

#endif
