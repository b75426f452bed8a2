/* SPDX-License-Identifier: MIT */
/*
 * salvage - a damaged child's text -> its whole parts: a plan by which it is merged (docs/salvage.md).
 *
 * A survey takes a child's batches from inflate, and the places of faulty gzip members. Its text is that of the
 * members that are taken, one after another; the place of one that was left out is a seam. It scans as the merge
 * does. At a fault it returns to the last whole Iteration, and continues at the next place that is certain; the
 * text in between is a hole. Memory: fixed. Time: linear, because the number of attempts to resume is bounded.
 */
#ifndef BM_SALVAGE_H
#define BM_SALVAGE_H

#include "flow/batch.h"
#include "plan/plan.h"

enum {
    BM_SALVAGE_HOLES = 64,       /* in a child; what follows is lost */
    BM_SALVAGE_ATTEMPTS = 10000, /* failed attempts to resume, likewise */
    BM_SALVAGE_REASON = 240,     /* bytes, cut */
    BM_SALVAGE_NAME = 64,        /* of a query, with its NUL; a longer one ends in "..." */
    BM_SALVAGE_NAMES = 4         /* names that are kept of a hole */
};

/* A run of a search in a child: from a document's beginning up to the next document with the same header, where the
 * search was begun again. Of archives each is such a document, and its header includes its first query. Iterations without a header, before the first document or after the end of one, are a run
 * of their own: they may be a piece of another one. */
struct bm_salvage_run {
    bool has_header;
    bool is_named;         /* one of its queries has a name, or its queries are unknown */
    bool is_unsure;        /* the query of an Iteration is unknown */
    uint64_t header;       /* a hash of the first document's header */
    uint64_t n_iterations; /* whole ones */
    uint64_t n;     /* that are compared: whole Iterations or, if the format has them, whole archives */
    uint64_t hash;  /* of the queries of these, in their order ... */
    uint64_t first; /* ... and of the first one alone */
};

/* How the document after a hole relates to the text before it. */
enum bm_salvage_sequel {
    BM_SEQUEL_NONE,     /* no document follows */
    BM_SEQUEL_OTHER,    /* the document has another header */
    BM_SEQUEL_QUERIES,  /* the search was begun again, but with other queries than those before ... */
    BM_SEQUEL_NAMELESS, /* ... or with queries that cannot be distinguished */
    BM_SEQUEL_AGAIN     /* it was begun again */
};

/* Text that is not merged: a lost part, then a superseded part; either may be absent. */
struct bm_salvage_hole {
    uint64_t from;            /* text offset: directly after a tag, or 0 */
    uint64_t to;              /* where merging continues; UINT64_MAX: nowhere */
    enum bm_mark_place place; /* the kind of text there */
    unsigned encoding;        /* for bm_mark_enter() */
    struct bm_span bytes;     /* compressed bytes that were left out; none if both ends are equal */
    uint64_t n_iterations;    /* that are merged before it */
    uint64_t number_before;   /* of the last of them in its document, 0: none */
    uint64_t number_after;    /* of the first after it, 0: none */
    /* Queries, as in the text; "" if they have no name. */
    char query_before[BM_SALVAGE_NAME];              /* of the last Iteration that is merged before it */
    char query_after[BM_SALVAGE_NAME];               /* of the first after it */
    char queries[BM_SALVAGE_NAMES][BM_SALVAGE_NAME]; /* of lost Iterations whose beginning can be read */
    uint64_t n_queries;                              /* the number of such queries, kept or not */
    char reason[BM_SALVAGE_REASON];
    bool is_lost;                  /* text is lost, from `from` up to ... */
    uint64_t lost_to;              /* ... this offset */
    enum bm_salvage_sequel sequel; /* of the lost text */
    uint64_t n_superseded;         /* runs whose whole content is in the run that is merged, too ... */
    uint64_t superseded_from;      /* ... from this offset up to `to` ... */
    uint64_t n_superseded_iterations;
    uint64_t superseded_by;         /* ... where that run begins */
    struct bm_salvage_run unproven; /* in the bytes that were left out, if its n or has_header is set */
};

enum { BM_SALVAGE_RUNS = 64 /* in a child; what follows counts to the last one */ };

/* The findings of a survey about a child. */
struct bm_salvage_findings {
    struct bm_plan_text text; /* the text that is merged */
    uint64_t n_iterations;    /* that are merged */
    uint64_t n_unchecked;     /* of them in a gzip member that is cut short, without its CRC-32 */
    uint64_t prologue_from;   /* the first whole one: from the document's beginning ... */
    uint64_t prologue_to;     /* ... up to the end of BlastOutput_iterations' start tag; 0: there is none */
    const struct bm_salvage_hole *holes; /* the holes of the text, with the data for their warnings */
};

struct bm_salvage_survey;

/* For BLAST XML, unless options.format is another one. */
enum blastmerge_status bm_salvage_survey_open(struct bm_salvage_survey **survey, struct bm_memory *memory,
                                              const struct blastmerge_options *options) BM_CHECK_RESULT;
void bm_salvage_survey_close(struct bm_salvage_survey *survey, struct bm_memory *memory);

/* Sets the format of all children, BLAST XML or archives; bm_salvage_survey_begin() follows. */
void bm_salvage_survey_expect(struct bm_salvage_survey *survey, enum blastmerge_format format,
                              bool is_inferred);

/* Begins a child. is_careful: an Iteration inside another one is a fault; otherwise it is only recorded.
 * is_comparing: runs are compared, after bm_salvage_survey_wants_comparison() has requested it. */
void bm_salvage_survey_begin(struct bm_salvage_survey *survey, bool is_careful, bool is_comparing);

/* Whether the runs of a damaged child, in which the search seems to have been begun again, need to be compared. For that
 * the child must be surveyed once more, with the same settings. */
bool bm_salvage_survey_wants_comparison(struct bm_salvage_survey *survey);

/* Takes a batch. base: text of the child before its first batch. */
void bm_salvage_survey_text(struct bm_salvage_survey *survey, const struct bm_batch *batch, uint64_t base);

/* To be called when the current gzip member, whose text begins at the offset, has a fault: nothing of it counts. These
 * bytes are left out. The base of the next batches is `text`. */
void bm_salvage_survey_lose_member(struct bm_salvage_survey *survey, uint64_t text,
                                   const struct bm_span *bytes, const char *reason);

/* To be called when the current gzip member, whose text begins at the offset, is cut short, and with it the child. False:
 * it also has a fault before, and bm_salvage_survey_lose_member() must be called. */
bool bm_salvage_survey_cut(struct bm_salvage_survey *survey, uint64_t text,
                           const char *reason) BM_CHECK_RESULT;

/* Ends the child; the document must have ended, too. */
void bm_salvage_survey_end(struct bm_salvage_survey *survey);

/* To be called for a child that is empty, which is a fault. */
void bm_salvage_survey_lose_all(struct bm_salvage_survey *survey, const char *reason);

/* Whether there was an "<Iteration>" that the scanner did not accept as one. */
bool bm_salvage_survey_saw_nesting(const struct bm_salvage_survey *survey);

/* Makes a plain header from the whole fields of the child's first header: salvage/header.h. The survey has ended. */
struct bm_salvage_header;
void bm_salvage_survey_make_header(struct bm_salvage_survey *survey, struct bm_salvage_header *header);

/* The findings, in one piece of memory, without the text's n_bytes; NULL: no memory is left. spans: the bytes that are
 * worth reading; none: all of them. */
struct bm_salvage_findings *bm_salvage_survey_find(struct bm_salvage_survey *survey,
                                                   const struct bm_span *spans, size_t n_spans,
                                                   struct bm_memory *memory) BM_CHECK_RESULT;

#endif
