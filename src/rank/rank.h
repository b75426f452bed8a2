/* SPDX-License-Identifier: MIT */
/*
 * rank - the results of one search, each of a part of the database, become the result of the whole: hits are
 * ranked across them, query by query, in one pass and bounded memory (docs/shards.md).
 *
 * All shards are open at once and are read in lockstep. Of each the head of its next hit is held, up to the
 * first E-value, which is all that a hit is ranked by; the best one's text is passed on. What comes out is
 * text, which a merge of one child takes from there: so numbering, compressing, checking, and storing are the
 * ordinary merge's.
 *
 * Threads: one thread calls; workers inflate and scan ahead of it.
 */
#ifndef BM_RANK_H
#define BM_RANK_H

#include "rank/evalue.h"
#include "rank/form.h"
#include "rank/lines.h"
#include "rank/order.h"
#include "rank/text.h"

enum bm_rank_layout {
    BM_RANK_SLICES,     /* each shard holds the sequences that follow those of the one before */
    BM_RANK_WINDOWS,    /* the same, of one database, which each search has seen as a whole */
    BM_RANK_ROUND_ROBIN /* sequence i is in shard i mod K */
};

struct bm_rank_options {
    enum bm_rank_layout layout;
    uint64_t n_targets;                /* hits of a query at most, as -max_target_seqs; 0: 500 */
    const char *database;              /* the result's; NULL: as the shards have it */
    const uint64_t *sizes;             /* sequences in each shard; NULL: as the shards say */
    const struct bm_rank_order *order; /* of subjects; NULL: none */
    /* Of tables without comments: gives the names of all queries in their order; *order stays NULL where that is not
     * known. Or NULL. */
    enum blastmerge_status (*load_queries)(void *context, const struct bm_rank_order **order,
                                           struct blastmerge_error *error);
    void *load_context;
    bool allows_empty;       /* a shard of no bytes is a table without rows */
    const char *columns;     /* of tables, as -outfmt has them, "std score"; NULL: std */
    uint64_t n_drop_columns; /* of these the last ones, which the result does not have */
    bool is_recomputed;      /* statistics and E-values are computed for the whole */
    double evalue;           /* its threshold; 0: as the header says */
    const char *evalue_text; /* the same as the result's header has it, or NULL */
};

/* What the merge found, summed over all batches. */
struct bm_rank_counts {
    uint64_t n_queries;
    uint64_t n_hits;         /* written */
    uint64_t n_cut;          /* queries that had more hits than were wanted */
    uint64_t n_tied_cuts;    /* of these, where the first hit left out is equal to the last one written */
    uint64_t n_undecided;    /* places where the order of two hits cannot be told from what is printed */
    uint64_t n_strands;      /* of these, where that depends on the strand alone */
    uint64_t n_twins;        /* hits of one accession in two shards */
    uint64_t n_unordered;    /* hits whose accessions are not in the order list */
    uint64_t n_not_rebuilt;  /* hits whose E-values could not be computed again, where that was wanted */
    uint64_t n_rebuilt_out;  /* HSPs that the threshold left out */
    uint64_t n_query_orders; /* tables: places where no shard tells which query comes first */
};

/* A few bytes of text. */
enum { BM_RANK_SHORT = 64 };
struct bm_rank_word {
    char text[BM_RANK_SHORT];
    size_t n_bytes;
};

/* The head of a shard's next hit, and what it is ranked by. */
struct bm_rank_head {
    struct bm_rank_text text; /* as it is written, but for its number */
    size_t number_at, n_number;
    size_t evalue_at, n_evalue;
    bool is_recomputed; /* the E-value is another one than the text's */
    bool is_there;
    bool has_tried;  /* to compute the E-value again */
    bool is_rebuilt; /* evalue is exact */
    double printed;
    double evalue;
    uint64_t score;
    uint64_t length;
    uint64_t ordinal;    /* in the whole database; UINT64_MAX: not known */
    uint64_t id;         /* a hash of the accession */
    bool has_ordinal_id; /* the accession is BLAST's own count */
    double bits;         /* tables without raw scores; else 0 */
    uint64_t query;      /* tables: a hash of its name */
    int8_t strand;       /* blastn: 1, -1; 0: it does not count */
};

struct bm_rank_shard {
    struct bm_rank_lines lines;
    struct bm_fetch_source source;
    uint64_t n_sequences; /* 0: not known */
    uint64_t n_residues;
    uint64_t first; /* ordinal of its first sequence */
    struct bm_rank_head head;
    double last_printed; /* of its hit before: a list ascends */
    uint64_t n_hits;     /* of the current query */
    bool has_hits;
    bool is_empty;                    /* it holds not a byte of text */
    bool is_begun;                    /* its current line was not looked at yet */
    bool is_waiting;                  /* tables without comments: its head is of a query that comes later */
    uint64_t n_rows_left;             /* tables with comments: of the current query */
    enum bm_rank_kind opening;        /* the line that opened its hits, or stands in their place ... */
    struct bm_rank_word opening_line; /* ... and its text */
};

struct bm_rank;

/* Shards in database order. The sources are copied; what they point to is borrowed. n_bytes: for the shards'
 * lanes, in all; n_text: for heads and the like. */
enum blastmerge_status bm_rank_open(struct bm_rank **rank, const struct bm_rank_options *options,
                                    const struct bm_child_settings *settings,
                                    const struct bm_fetch_source *sources, size_t n_shards, size_t n_bytes,
                                    size_t n_text, struct bm_workers *workers, struct bm_cancel *cancel,
                                    struct bm_memory *memory) BM_CHECK_RESULT;
void bm_rank_close(struct bm_rank *rank);

/*
 * Reads the first query of each shard that can be read twice: which format they have, how much the parts of
 * the database hold. kin: what they must be like. *format: AUTO if it is not known yet.
 */
enum blastmerge_status bm_rank_survey(struct bm_rank *rank, const struct bm_mark_kin *kin,
                                      enum blastmerge_format *format,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

/* Up to `capacity` bytes of the merged text; *n_read 0 at its end. An error names the shard. */
enum blastmerge_status bm_rank_read(struct bm_rank *rank, uint8_t *data, size_t capacity, size_t *n_read,
                                    struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether all of the merged text was handed out. */
bool bm_rank_is_done(const struct bm_rank *rank);

const struct bm_rank_counts *bm_rank_counts(const struct bm_rank *rank);

/* What shard i has held so far. */
const struct bm_rank_shard *bm_rank_shard(const struct bm_rank *rank, size_t i);

#endif
