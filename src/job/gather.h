/* SPDX-License-Identifier: MIT */
/*
 * gather - warnings that many children can have in common. Each is in its child's row of the report; at the
 * end of the merge there is one warning of each kind, with the first child's text and the number of the
 * others.
 */
#ifndef BM_GATHER_H
#define BM_GATHER_H

#include "base/base.h"

enum bm_job_gather_kind {
    BM_GATHER_PROGRAM, /* or an equal difference: columns, fields */
    BM_GATHER_VERSION,
    BM_GATHER_DATABASE,
    BM_GATHER_PARAMETERS,
    BM_GATHER_SCOPE,
    BM_GATHER_BGZF,
    BM_GATHER_CHECKSUM,
    BM_GATHER_NAMES,
    BM_GATHER_TWICE,
    BM_GATHER_SHARDS,
    BM_GATHER_AGAIN,
    BM_GATHER_DOCUMENTS, /* only in the report: BLAST itself writes such files */
    BM_N_GATHERED
};

enum { BM_GATHER_MESSAGE = 1024 };

struct bm_gathered {
    uint64_t n; /* children */
    size_t last;
    char message[BM_GATHER_MESSAGE]; /* of the first one, as shown */
};

struct blastmerge_job;

/* Counts the current child, once for each kind, and adds the warning to its row. name: the child's, if it
 * must differ from another name in the text; NULL: its usual name. The text continues after it. */
void bm_job_gather_add(struct blastmerge_job *job, enum bm_job_gather_kind kind, const char *name,
                       const char *format, ...) BM_FORMAT(4, 5);

/* To be called when all children have been merged. */
void bm_job_gather_end(struct blastmerge_job *job);

#endif
