/* SPDX-License-Identifier: MIT */
/*
 * tally - warnings that many children can give alike. Each is in its child's row of the report; at the end of
 * the merge there is one warning of each kind, with the first child's text and the number of the others.
 */
#ifndef BM_TALLY_H
#define BM_TALLY_H

#include "base/base.h"

enum bm_tally_kind {
    BM_TALLY_PROGRAM, /* or what makes two children as different: columns, fields */
    BM_TALLY_VERSION,
    BM_TALLY_DATABASE,
    BM_TALLY_PARAMETERS,
    BM_TALLY_SCOPE,
    BM_TALLY_BGZF,
    BM_TALLY_DOCUMENTS, /* told in the report alone: BLAST itself writes such files */
    BM_N_TALLIES
};

enum { BM_TALLY_MESSAGE = 1024 };

struct bm_tally {
    uint64_t n; /* children */
    size_t last;
    char message[BM_TALLY_MESSAGE]; /* of the first one, as it is shown */
};

struct blastmerge_job;

/* Counts the current child, once for each kind. The message names it. */
void bm_tally_add(struct blastmerge_job *job, enum bm_tally_kind kind, const char *format, ...)
    BM_FORMAT(3, 4);

/* All children have been merged. */
void bm_tally_end(struct blastmerge_job *job);

#endif
