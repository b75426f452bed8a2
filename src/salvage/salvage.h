/* SPDX-License-Identifier: MIT */
/*
 * salvage - a damaged child's text -> what of it is whole: a plan by which it is merged (docs/salvage.md).
 *
 * A survey takes a child's batches as inflate hands them on, and is told where gzip members were at fault.
 * Its text is that of the members that are taken, one behind the other; where one was left out is a seam.
 * It scans like the merge does; at a fault it goes back to the last whole Iteration, and on to the next place
 * that is certain; what lies between is a hole. Memory: fixed. Time: linear, save that the number of attempts
 * to go on is bounded.
 */
#ifndef BM_SALVAGE_H
#define BM_SALVAGE_H

#include "flow/batch.h"
#include "plan/plan.h"

enum {
    BM_SALVAGE_HOLES = 64,       /* in a child; what follows is lost */
    BM_SALVAGE_ATTEMPTS = 10000, /* to go on that failed, likewise */
    BM_SALVAGE_REASON = 240,     /* bytes, cut */
    BM_SALVAGE_NAME = 64,        /* of a query, with its NUL; a longer one ends in "..." */
    BM_SALVAGE_NAMES = 4         /* that are kept of those in a hole */
};

/* What is known of a search that a child holds: from a document's begin up to where a document of the same header
 * begins, since then the search was begun again. */
struct bm_salvage_run {
    bool has_header;
    bool is_named;   /* a query of it has a name, or nothing is known of its queries */
    bool is_unsure;  /* of an Iteration it is not known which query it is of */
    uint64_t header; /* a hash of the first document's header */
    uint64_t n;      /* whole Iterations */
    uint64_t hash;   /* of whose Iterations these are, in their order */
};

/* What becomes of the text before a document that follows a hole. */
enum bm_salvage_sequel {
    BM_SEQUEL_NONE,     /* there is nothing to be said: no document follows */
    BM_SEQUEL_OTHER,    /* the document has another header */
    BM_SEQUEL_QUERIES,  /* the search was begun again, but with other queries than those before ... */
    BM_SEQUEL_NAMELESS, /* ... or with such as cannot be told from each other */
    BM_SEQUEL_AGAIN     /* it was begun again */
};

/* Text that is not merged: what is lost, then what is superseded, each of which there may be none of. */
struct bm_salvage_hole {
    uint64_t from;            /* text offset: right behind a tag, or 0 */
    uint64_t to;              /* where merging goes on; UINT64_MAX: nowhere */
    enum bm_mark_place place; /* what stands there */
    unsigned encoding;        /* for bm_mark_enter() */
    struct bm_span bytes;     /* compressed bytes that were left out; none where both ends are the same */
    uint64_t n_iterations;    /* that are merged before it */
    uint64_t number_before;   /* of the last of them in its document, 0: none */
    uint64_t number_after;    /* of the first behind it, 0: none */
    /* Queries, as the text has them, "" where they have no name. */
    char query_before[BM_SALVAGE_NAME]; /* of the last Iteration that is merged before it */
    char query_after[BM_SALVAGE_NAME];  /* of the first behind it */
    char queries[BM_SALVAGE_NAMES]
                [BM_SALVAGE_NAME]; /* whose lost Iterations begin so that they can be read */
    uint64_t n_queries;            /* of such, kept or not */
    char reason[BM_SALVAGE_REASON];
    bool is_lost;                  /* text is, from `from` up to ... */
    uint64_t lost_to;              /* ... this offset */
    enum bm_salvage_sequel sequel; /* of what is lost */
    uint64_t n_superseded;    /* runs: the whole of them is there once more, in the run that is merged ... */
    uint64_t superseded_from; /* ... from this offset up to `to` ... */
    uint64_t n_superseded_iterations;
    uint64_t superseded_by;         /* ... which begins here */
    struct bm_salvage_run unproven; /* in the bytes that were left out, if its n or has_header is set */
};

enum { BM_SALVAGE_RUNS = 64 /* in a child; what follows counts to the last one */ };

/* What a survey has found out about a child. */
struct bm_salvage_findings {
    struct bm_plan_text text; /* what of it is merged */
    uint64_t n_iterations;    /* that are merged */
    uint64_t n_unchecked;   /* of them in a gzip member that is cut short, so that its CRC-32 is not there */
    uint64_t prologue_from; /* the first whole one: from the document's begin ... */
    uint64_t prologue_to;   /* ... up to behind BlastOutput_iterations' start tag; 0: there is none */
    const struct bm_salvage_hole
        *holes; /* as many as the text has, and the same, with what is to be said of them */
};

struct bm_salvage_survey;

enum blastmerge_status bm_salvage_survey_open(struct bm_salvage_survey **survey, struct bm_memory *memory,
                                              const struct blastmerge_options *options) BM_CHECK_RESULT;
void bm_salvage_survey_close(struct bm_salvage_survey *survey, struct bm_memory *memory);

/* Begins with a child. is_careful: an Iteration inside of another one is a fault; else it is only remembered.
 * is_comparing: runs are compared, as bm_salvage_survey_wants_comparison() has asked for. */
void bm_salvage_survey_begin(struct bm_salvage_survey *survey, bool is_careful, bool is_comparing);

/* A damaged child has been surveyed, and the search in it seems to have been begun again: whether the runs are to be
 * compared, for which the child must be surveyed once more, with the same settings. */
bool bm_salvage_survey_wants_comparison(struct bm_salvage_survey *survey);

/* Takes a batch. base: text of the child before its first batch. */
void bm_salvage_survey_text(struct bm_salvage_survey *survey, const struct bm_batch *batch, uint64_t base);

/* The current gzip member is at fault: nothing counts of it, whose text begins at the offset. These bytes are
 * left out. The next batches' base is `text`. */
void bm_salvage_survey_lose_member(struct bm_salvage_survey *survey, uint64_t text,
                                   const struct bm_span *bytes, const char *reason);

/* The current gzip member, whose text begins at the offset, is cut short, and with it the child. False: it is
 * at fault in itself, too, and bm_salvage_survey_lose_member() is due. */
bool bm_salvage_survey_cut(struct bm_salvage_survey *survey, uint64_t text,
                           const char *reason) BM_CHECK_RESULT;

/* The child has come to its end: the document must have, too. */
void bm_salvage_survey_end(struct bm_salvage_survey *survey);

/* The child holds nothing, which it should not. */
void bm_salvage_survey_lose_all(struct bm_salvage_survey *survey, const char *reason);

/* Whether an "<Iteration>" was seen that the scanner did not take for one. */
bool bm_salvage_survey_saw_nesting(const struct bm_salvage_survey *survey);

/* Makes a plain header of what is whole of the child's first header: salvage/header.h. The survey has ended. */
struct bm_salvage_header;
void bm_salvage_survey_make_header(struct bm_salvage_survey *survey, struct bm_salvage_header *header);

/* What was found out, in one piece of memory, without the text's n_bytes; NULL: no memory is left. spans: the bytes that
 * are worth reading; none: all of them. */
struct bm_salvage_findings *bm_salvage_survey_find(struct bm_salvage_survey *survey,
                                                   const struct bm_span *spans, size_t n_spans,
                                                   struct bm_memory *memory) BM_CHECK_RESULT;

#endif
