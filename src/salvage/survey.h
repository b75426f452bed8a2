/* SPDX-License-Identifier: MIT */
/* salvage/survey.h - the state of a survey: survey.c fills it, settle.c decides which runs count. */
#ifndef BM_SALVAGE_SURVEY_H
#define BM_SALVAGE_SURVEY_H

#include "salvage/header.h"
#include "salvage/name.h"

#define BM_SURVEY_NOWHERE UINT64_MAX

enum {
    BM_SURVEY_SEEN =
        4096 /* archives of a run that are told apart; after more of them none behind a fault counts */
};

/* A run, and its beginning. */
struct bm_salvage_survey_run {
    struct bm_salvage_run is;
    uint64_t begin;    /* text offset of its first document; 0 for the child's first run */
    uint64_t from;     /* the last place before it that is certain */
    uint32_t crc32;    /* of the text up to there */
    uint64_t n_before; /* Iterations before it */
    size_t n_holes;    /* before it; the next one is its own */
    char query_before[BM_SALVAGE_NAME];
    char first_query[BM_SALVAGE_NAME];
};

/* A document by its header. In old BLAST XML, only the header names the query. */
struct bm_salvage_survey_document {
    bool is_known; /* its header is whole */
    bool is_named; /* among its fields is a query's name */
    bool
        is_psi; /* all of its Iterations are of one query; otherwise the header's query is that of the first */
    uint64_t header;                  /* a hash of the fields so far */
    uint64_t query;                   /* likewise of those that name the query; 0: there are none */
    char query_name[BM_SALVAGE_NAME]; /* as from bm_salvage_head_name() */
    uint64_t n_iterations;            /* that have begun */
};

/* The current archive, as far as it was scanned. */
struct bm_salvage_survey_archive {
    bool is_round;                                 /* of PSI-BLAST, after the first one */
    bool is_named;                                 /* one of its queries has a name */
    uint64_t n;                                    /* whole queries */
    uint64_t hash;                                 /* of these ... */
    uint64_t first;                                /* ... and of the first one alone */
    char names[BM_SALVAGE_NAMES][BM_SALVAGE_NAME]; /* of the first ones; "": it has none ... */
    char last_name[BM_SALVAGE_NAME];               /* ... and of the last one */
};

/* The state that a faulty member undoes. */
struct bm_salvage_survey_state {
    uint64_t position; /* the text before it was scanned */
    uint64_t last;
    uint64_t summed; /* text that the CRC-32 covers; never beyond the position */
    uint32_t crc32;
    uint32_t crc32_last; /* of the text up to `last` */
    uint64_t n_faults;
    uint64_t n_failed; /* attempts to resume */

    bool is_over;        /* nothing more is taken */
    bool is_in_hole;     /* the last hole has no end yet ... */
    bool is_searching;   /* ... and its possible end is searched for, from `search` on ... */
    bool wants_document; /* ... which must be a document, because Iterations begin to repeat */
    uint64_t search;
    uint64_t begin; /* ... or, if not searching, may be this */
    enum bm_mark_place place;
    unsigned encoding;

    uint64_t
        body_end; /* the end of the end tag of the current document's Iterations; BM_SURVEY_NOWHERE: not yet */
    uint64_t document; /* its beginning */
    uint64_t number;   /* of the current Iteration, 0: none */
    uint64_t last_number;
    uint64_t n_iterations;
    uint64_t prologue_from;
    uint64_t prologue_to;
    struct bm_salvage_head head; /* open: of the current Iteration, which has not ended */
    char last_query[BM_SALVAGE_NAME];
    struct bm_salvage_survey_document is; /* the current document */
    struct bm_salvage_survey_archive archive;
    size_t n_seen;          /* archives of the current run */
    size_t n_beginning;     /* bytes of the child's text that were kept */
    bool beginning_is_over; /* members were left out */
    size_t n_runs;
    struct bm_salvage_survey_run runs[BM_SALVAGE_RUNS];
    bool wants_query_after; /* the last hole has an end, but no Iteration after it so far */
    size_t n_holes;         /* the last two members, for copy_state() */
    struct bm_salvage_hole holes[BM_SALVAGE_HOLES];
};

struct bm_salvage_survey {
    bool has_archives; /* the format */
    bool is_careful;
    bool saw_nesting;
    struct bm_salvage_survey_state now;
    struct bm_salvage_survey_state kept; /* at the beginning of the current gzip member */
    struct bm_mark *mark;
    struct bm_mark *kept_mark;
    uint64_t n_unchecked;
    struct bm_mark_list marks;
    uint64_t seen[BM_SURVEY_SEEN];        /* hashes of the first archives of the current run */
    char beginning[BM_SALVAGE_BEGINNING]; /* of the child's text */

    /* to compare runs: from the one that counts, the hash of as many Iterations as another one has, from its
     * beginning or, for a run without a header, from where the other's first Iteration stands ... */
    bool is_comparing;
    size_t counting;
    size_t n_lengths;
    struct bm_salvage_run others[BM_SALVAGE_RUNS + BM_SALVAGE_HOLES];
    uint64_t taken[BM_SALVAGE_RUNS + BM_SALVAGE_HOLES];
    uint64_t hashes[BM_SALVAGE_RUNS + BM_SALVAGE_HOLES];
    char names[BM_SALVAGE_RUNS + BM_SALVAGE_HOLES]
              [BM_SALVAGE_NAME]; /* ... and the query of the next Iteration */

    /* the current batch */
    const struct bm_batch *batch;
    uint64_t text_offset; /* of it, in the survey's text */
};

/* Returns the text at an offset, in the current batch or the history before it. */
static inline const uint8_t *bm_salvage_survey_at(const struct bm_salvage_survey *survey, uint64_t offset) {
    bm_require(offset + survey->batch->n_history >= survey->text_offset);
    return survey->batch->text + (int64_t)(offset - survey->text_offset);
}

/* Whether the header of the current document names the query of the current Iteration. */
static inline bool bm_salvage_survey_is_of_header(const struct bm_salvage_survey_state *now) {
    return now->is.is_known && (now->is.n_iterations == 1 || now->is.is_psi);
}

/* --- run.c --------------------------------------------------------------------------------------- */

/* Adds a value to a hash. */
uint64_t bm_salvage_mix(uint64_t hash, uint64_t value);

/* Takes a field of a document's header. */
void bm_salvage_run_take_field(struct bm_salvage_survey *survey);

/* A document's header, which ends at the offset, is whole: another run begins if it is that of the current run. The
 * hole before it, if there is one, has been closed. */
void bm_salvage_run_begin(struct bm_salvage_survey *survey, bool follows_hole, uint64_t end);

/* An Iteration follows a hole in which a document ends, or a header is lost: a run without a header begins, to which the hole
 * belongs. */
void bm_salvage_run_begin_bare(struct bm_salvage_survey_state *now);

/* Whether the current archive, which is whole, is the first one of the current run again. */
bool bm_salvage_run_is_begun_again(const struct bm_salvage_survey_state *now);

/* An archive, which ends at the offset, is whole: then another run begins. */
void bm_salvage_run_begin_archive(struct bm_salvage_survey *survey, bool follows_hole, uint64_t end);

/* Counts a whole Iteration, whose head is still there; its query is the last one. */
void bm_salvage_run_count(struct bm_salvage_survey *survey);

/* Counts the current archive, which is whole. */
void bm_salvage_run_count_archive(struct bm_salvage_survey *survey);

/* --- nested.c ------------------------------------------------------------------------------------ */

/* Where in text up to `end`, which was scanned from the position on, an Iteration or a document first begins inside of an
 * Iteration. */
uint64_t bm_salvage_nested_find(const struct bm_salvage_survey *survey, uint64_t end);

/* --- archives.c ---------------------------------------------------------------------------------- */

/* Takes a mark of an archive but its end. */
void bm_salvage_archive_take_mark(struct bm_salvage_survey *survey, const struct bm_mark_entry *mark);

/* Whether it is certain that the current archive, which is whole, was not there before. */
bool bm_salvage_archive_is_new(const struct bm_salvage_survey *survey);

/* Counts it. follows_hole: the hole before it has been closed. `end`: of its text. */
void bm_salvage_archive_count(struct bm_salvage_survey *survey, bool follows_hole, uint64_t end);

/* --- survey.c ------------------------------------------------------------------------------------ */

/* Keeps what belongs to the beginning of the current query, up to the offset. */
void bm_salvage_survey_fill_head(struct bm_salvage_survey *survey, uint64_t to);

/* --- settle.c ------------------------------------------------------------------------------------ */

/* Leaves out runs whose content is in another run: changes holes and counts of the survey's state. *end: where merging
 * ends, and *crc32 that of the text up to there, if that has changed. */
void bm_salvage_survey_settle(struct bm_salvage_survey *survey, uint64_t *end, uint32_t *crc32);

#endif
