/* SPDX-License-Identifier: MIT */
/*
 * rank - merges the results of one search against the parts of a database into the result for the whole. It
 * ranks hits across the shards, query by query, in one pass and in bounded memory (docs/shards.md).
 *
 * All shards are open at once and are read in lockstep. For each shard, the head of its next hit is held: the
 * text up to the first E-value, which is all that the rank depends on. The text of the best hit is written
 * next. The output is text, which an ordinary merge reads as its child. So that merge numbers, compresses,
 * checks and stores it.
 *
 * Threads: one thread calls; workers inflate and scan ahead of it.
 */
#ifndef BM_RANK_H
#define BM_RANK_H

#include "rank/evalue.h"
#include "rank/form.h"
#include "rank/lines.h"
#include "rank/order.h"
#include "rank/spool.h"

enum bm_rank_layout {
    BM_RANK_SLICES,     /* each shard's sequences follow those of the shard before it */
    BM_RANK_WINDOWS,    /* likewise, but each search read its slice as a window on the whole database */
    BM_RANK_ROUND_ROBIN /* sequence i is in shard i mod K */
};

/* A query in a list of them. */
struct bm_rank_query {
    uint64_t number;       /* from 1; 0: there is none of that name */
    bool is_one_of_many;   /* there are others of that name */
    bool is_by_place;      /* the name is BLAST's, made of the query's place in its search ... */
    uint64_t other_number; /* ... which may as well be this, later one; 0: there is no doubt */
};

struct bm_rank_options {
    enum bm_rank_layout layout;
    uint64_t n_targets;          /* most hits of a query, as -max_target_seqs; 0: 500 */
    const char *database;        /* its name in the result; NULL: the shards' own */
    const uint64_t *sizes;       /* sequences in each shard; NULL: as the shards state them */
    struct bm_rank_order *order; /* of subjects; NULL: none */
    /* Tables without comments: finds the query that rows of this name are of. NULL: the order of the queries is
     * not known. */
    enum blastmerge_status (*find_query)(void *context, const char *name, size_t n_name, char separator,
                                         struct bm_rank_query *query, struct blastmerge_error *error);
    void *find_context;
    bool has_batches_before;     /* BLAST has counted their queries separately */
    bool allows_empty;           /* a shard of no bytes is a table without rows */
    const char *columns;         /* of tables, as -outfmt has them, such as "std score"; NULL: std */
    uint64_t n_list_bytes;       /* memory that a list of queries may take */
    uint64_t n_drop_columns;     /* how many of the last columns the result leaves out */
    bool is_recomputed;          /* statistics and E-values are computed for the whole */
    double evalue;               /* its threshold; 0: the header's */
    const char *beside;          /* where temporary files may be, as for bm_open_temporary(); borrowed */
    const char *evalue_text;     /* that threshold as the result's header has it, or NULL */
    struct bm_rank_watch *watch; /* of reports; NULL: there is none */
};

/* Counts of the merge, summed over all batches. */
struct bm_rank_counts {
    uint64_t n_queries;
    uint64_t n_hits;        /* written */
    uint64_t n_cut;         /* queries with more hits than n_targets */
    uint64_t n_tied_cuts;   /* of these, queries whose first omitted hit equals the last written one */
    uint64_t n_undecided;   /* places where the printed values do not decide the order of two hits */
    uint64_t n_strands;     /* of these, places where only the strand decides */
    uint64_t n_twins;       /* hits of one accession in two shards */
    uint64_t n_unordered;   /* hits whose accessions are not in the order list */
    uint64_t n_numbered;    /* hits of subjects that BLAST has numbered, for which that list is not used */
    uint64_t n_not_rebuilt; /* hits whose E-values had to be computed again and could not be */
    uint64_t n_rebuilt_out; /* HSPs that the threshold excluded */
    uint64_t n_kappas;      /* rpsblast: queries whose kappa the shards do not tell */
    uint64_t n_found; /* tables of PSI-BLAST: queries whose number of hits found may be less in the whole */
    uint64_t
        n_limit; /* hits of a query that the searches seem to have been limited to, below n_targets; 0: none */
    bool is_linked_by_parts; /* tblastx: BLAST may print other HSPs for a part than for the whole */
    uint64_t n_query_orders; /* tables: places where no shard decides which query comes first */
};

/* A few bytes of text. */
enum { BM_RANK_SHORT = 64 };
struct bm_rank_word {
    char text[BM_RANK_SHORT];
    size_t n_bytes;
};

/* A number in a head that is not the shard's own: where it is in the text, and how many bytes it and the own one take. */
enum { BM_RANK_EDITS = 2 }; /* Hit_id and Hit_accession, or those of an XML2 hit's first sequence */
struct bm_rank_edit {
    uint64_t at;
    size_t n_bytes, n_own;
};

/* The head of a shard's next hit, and the values that it is ranked by. */
struct bm_rank_head {
    struct bm_rank_long text;                 /* reports: as it is written, except its number */
    uint64_t begin;                           /* where it begins in the shard's text */
    struct bm_rank_edit edits[BM_RANK_EDITS]; /* of the text: BLAST's numbers of the subject */
    size_t n_edits;          /* if there are more, the text behind these counts as no one's own */
    uint64_t number;         /* the shard's own */
    struct bm_rank_text row; /* tables: the hit's first row, or the current one */
    size_t number_at, n_number;
    size_t evalue_at, n_evalue;
    bool is_recomputed;         /* the E-value differs from the text's */
    bool has_length, has_score; /* reports: these lines were met */
    bool is_there;
    bool has_tried;  /* computing the E-value again was tried */
    bool is_rebuilt; /* evalue is exact */
    double printed;
    double evalue;
    uint64_t score;
    uint64_t length;
    uint64_t ordinal;         /* in the whole database; UINT64_MAX: not known */
    uint64_t id;              /* a hash of the accession */
    bool has_ordinal_id;      /* the accession is a number that BLAST assigned */
    double bits;              /* tables without raw scores; else 0 */
    uint64_t query;           /* tables: a hash of its name ... */
    size_t query_at, n_query; /* ... where that is in the row ... */
    uint64_t
        query_number; /* ... and the number of the query by a list of them; 0: not looked up yet; or ... */
    uint64_t other_number; /* ... this one, if it is not 0 */
    int8_t strand;         /* blastn: 1, -1; 0: it does not count, or is not known */
};

/* Tables: of equal hits that follow one another in a list, the last one. */
struct bm_rank_equals {
    double bits;
    uint64_t score;
    int8_t strand;
    bool has_changed; /* the strand, since the first of them */
};

struct bm_rank_shard {
    struct bm_rank_lines lines;
    struct bm_fetch_source source;
    uint64_t n_sequences; /* 0: not known */
    uint64_t n_residues;
    uint64_t first; /* ordinal of its first sequence */
    struct bm_rank_head head;
    double last_printed; /* of its previous hit; E-values of a list ascend */
    struct bm_rank_equals equals;
    uint64_t n_most_hits; /* of a query so far ... */
    uint64_t n_with_most; /* ... and how many queries have so many */
    uint64_t n_hits;      /* of the current query ... */
    uint64_t n_all_hits;  /* ... and of all queries */
    bool has_hits;
    bool is_empty;                    /* its text has no byte */
    bool is_begun;                    /* its current line has not been processed yet */
    bool is_waiting;                  /* tables without comments: its head belongs to a later query */
    uint64_t n_rows_left;             /* tables with comments: of the current query */
    enum bm_rank_kind opening;        /* the line that opened its hits, or stands in their place ... */
    struct bm_rank_word opening_line; /* ... and its text */
};

struct bm_rank;

/* The shards are in database order. The sources are copied; what they point to is borrowed. n_bytes: memory
 * of all the shards' lanes together; n_heads: of heads, beyond which a temporary file holds them; n_text: of fronts,
 * tails and rows, together. */
enum blastmerge_status bm_rank_open(struct bm_rank **rank, const struct bm_rank_options *options,
                                    const struct bm_child_settings *settings,
                                    const struct bm_fetch_source *sources, size_t n_shards, size_t n_bytes,
                                    size_t n_heads, size_t n_text, struct bm_workers *workers,
                                    struct bm_cancel *cancel, struct bm_memory *memory) BM_CHECK_RESULT;
void bm_rank_close(struct bm_rank *rank);

/*
 * Reads the first query of each shard that can be read twice, for the format and the sizes of the database's
 * parts. kin: what the shards must agree with. *format: AUTO if it is not known yet.
 */
enum blastmerge_status bm_rank_survey(struct bm_rank *rank, const struct bm_mark_kin *kin,
                                      enum blastmerge_format *format,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

/* Reads up to `capacity` bytes of the merged text; *n_read is 0 at its end. An error names the shard. */
enum blastmerge_status bm_rank_read(struct bm_rank *rank, uint8_t *data, size_t capacity, size_t *n_read,
                                    struct blastmerge_error *error) BM_CHECK_RESULT;

/* Returns whether all of the merged text has been read. */
bool bm_rank_is_done(const struct bm_rank *rank);

/* Returns the shards' format; AUTO: it is not known yet. */
enum blastmerge_format bm_rank_format(const struct bm_rank *rank);

const struct bm_rank_counts *bm_rank_counts(struct bm_rank *rank);

/* Returns shard i, with its counts so far. */
const struct bm_rank_shard *bm_rank_shard(const struct bm_rank *rank, size_t i);

#endif
