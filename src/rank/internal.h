/* SPDX-License-Identifier: MIT */
/* rank/internal - what the files of this room share. */
#ifndef BM_RANK_INTERNAL_H
#define BM_RANK_INTERNAL_H

#include "rank/rank.h"

enum { BM_RANK_DEFAULT_TARGETS = 500 };

enum bm_rank_phase {
    BM_RANK_PHASE_FRONT, /* what stands before a query's hits */
    BM_RANK_PHASE_HITS,  /* the best of the hits that are there is due */
    BM_RANK_PHASE_BODY,  /* the rest of it */
    BM_RANK_PHASE_TAIL,  /* what stands behind a query's hits */
    BM_RANK_PHASE_DONE
};

/* What stands behind a query's hits. */
struct bm_rank_tail {
    struct bm_rank_text text; /* the frame's */
    size_t sequences_at, n_sequences;
    size_t residues_at, n_residues;
    uint64_t total_sequences;
    uint64_t total_residues;
    size_t hsp_length_at, n_hsp_length;
    size_t search_space_at, n_search_space;
    struct bm_rank_word hsp_length, search_space, kappa, lambda; /* the first shard's */
    bool are_spaces_equal;
};

struct bm_rank {
    struct bm_rank_options options;
    struct bm_rank_shard *shards;
    size_t n_shards;
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct blastmerge_error *error; /* of the call that is under way */
    struct bm_rank_budget budget;
    struct bm_mark_kin kin; /* what the next shard must be like */
    enum blastmerge_format format;
    const struct bm_rank_form *form;
    struct bm_rank_counts counts;

    enum bm_rank_phase phase;
    struct bm_rank_text out;  /* merged text that is to be handed out ... */
    size_t n_handed_out;      /* ... and how much of it was */
    struct bm_rank_text line; /* a line that came in pieces */

    /* reports: src/rank/reports.c */
    struct bm_rank_text first_front; /* the first shard's, with which the others are compared */
    struct bm_rank_text front;       /* as it is written */
    size_t n_compared;
    size_t frame;             /* the shard whose frame is written: the first with hits, or the first */
    size_t current;           /* the shard whose hit is being written */
    uint64_t n_written;       /* hits of the current query */
    bool is_close_due;        /* JSON: the last hit's line lacks its end */
    struct bm_rank_head last; /* the hit written last, without its text */
    size_t last_shard;
    struct bm_rank_tail tail;
    struct bm_rank_word program, matrix;
    struct bm_rank_word query_id; /* of the query before */
    uint64_t gap_open, gap_extend;
    uint64_t n_query; /* residues of the current query */
    const struct bm_rank_gumbel *gumbel;
    struct bm_rank_statistics statistics;
    bool has_statistics;

    /* blastn whose lambda is computed for each query: both strands have their own. */
    bool is_by_strand;
    int8_t *strands;  /* of each query that strand whose hits come first among equals; 0: not known */
    size_t n_strands; /* queries */
    size_t n_strands_allocated;

    /* recomputing: src/rank/recompute.c */
    double alpha, beta;
    double threshold;     /* of E-values, as the header has it; 0: not known */
    uint64_t n_sequences; /* in the whole database */
    uint64_t n_hsps;      /* of the current hit, that were written */
    struct bm_rank_text hsp;
    bool is_hsp_close_due;
    bool is_hsp_left_out;

    struct bm_rank_tables *tables; /* src/rank/tables.c */
    bool lacks_columns;            /* a table without raw scores or subjects' lengths */
};

/* --- rank.c -------------------------------------------------------------------------------------- */

/* Fails with a message about a shard, which it names. */
enum blastmerge_status bm_rank_fail(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                    enum blastmerge_status status, const char *format, ...) BM_FORMAT(4, 5);

/* Fails since the budget is used up; what: for which text. */
enum blastmerge_status bm_rank_fail_room(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                         const char *what);

/* Fails since a shard is not as BLAST writes it. */
enum blastmerge_status bm_rank_fail_layout(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                           const char *what);

/* The shard's next line or piece. */
enum blastmerge_status bm_rank_next(struct bm_rank *rank, struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* The current line as a whole; valid until the next one is taken, of whichever shard. */
enum blastmerge_status bm_rank_whole_line(struct bm_rank *rank, struct bm_rank_shard *shard,
                                          const char **text, size_t *n_bytes) BM_CHECK_RESULT;

enum blastmerge_status bm_rank_put(struct bm_rank *rank, const void *text, size_t n_bytes) BM_CHECK_RESULT;
enum blastmerge_status bm_rank_put_number(struct bm_rank *rank, uint64_t number) BM_CHECK_RESULT;

const char *bm_rank_shard_name(const struct bm_rank_shard *shard);

/* Which of two hits ranks first: below 0, the first one; 0: they are equal but for their places. */
int bm_rank_compare(struct bm_rank *rank, struct bm_rank_head *one, struct bm_rank_head *other);

/* The shard whose hit is the best; n_shards: no hit is left. */
size_t bm_rank_best(struct bm_rank *rank);

/* Counts what cannot be told about the order of the hit written last and this one, and remembers this one. */
void bm_rank_count_order(struct bm_rank *rank, size_t shard);

/* The name, as it is to be written, of sequence n of the shard, where BLAST counted it. */
enum blastmerge_status bm_rank_ordinal(struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t n,
                                       uint64_t *ordinal) BM_CHECK_RESULT;

/* --- strands.c ----------------------------------------------------------------------------------- */

/* Whether equal hits of one strand come before those of the other: blastn, and a lambda of so many digits. */
bool bm_rank_is_by_strand(const struct bm_rank *rank, size_t n_lambda);

/* Reads the strand of a line. */
int8_t bm_rank_strand_of(const char *text, size_t n_bytes);

/* Reads all of a shard from its first line on, the current one, and learns which strand comes first. */
enum blastmerge_status bm_rank_learn_strands(struct bm_rank *rank,
                                             struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* Of the current query the strand that comes first; 0: not known. */
int8_t bm_rank_first_strand(const struct bm_rank *rank);

/* --- recompute.c --------------------------------------------------------------------------------- */

/* All shards were surveyed: whether what is needed is there. */
enum blastmerge_status bm_rank_begin_recompute(struct bm_rank *rank) BM_CHECK_RESULT;

/* Computes the E-value of the shard's head again. If that is beyond the threshold, passes over the hit; the line behind
 * it is the current one then. */
enum blastmerge_status bm_rank_recompute_head(struct bm_rank *rank, struct bm_rank_shard *shard,
                                              bool *is_left_out) BM_CHECK_RESULT;

/* Writes a head's text from an offset on. */
enum blastmerge_status bm_rank_put_recomputed(struct bm_rank *rank, const struct bm_rank_head *head,
                                              size_t from) BM_CHECK_RESULT;

/* Writes the current line of a hit's body, or more than that. */
enum blastmerge_status bm_rank_recompute_line(struct bm_rank *rank,
                                              struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* The whole's hsp-len and eff-space for the current query, whose tails were read. */
void bm_rank_recompute_tail(struct bm_rank *rank, uint64_t *adjustment, uint64_t *space);

/* --- fronts.c ------------------------------------------------------------------------------------ */

/* Compares a line of a shard's front with the next one of the first shard's. */
enum blastmerge_status bm_rank_front_compare(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                             const char *line, size_t n_bytes) BM_CHECK_RESULT;

/* A shard was read up to a query's hits, or to its end: so was the first one. */
enum blastmerge_status bm_rank_front_end(struct bm_rank *rank,
                                         const struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* --- reports.c, tables.c ------------------------------------------------------------------------- */

enum blastmerge_status bm_rank_step_report(struct bm_rank *rank) BM_CHECK_RESULT;
enum blastmerge_status bm_rank_survey_report(struct bm_rank *rank,
                                             struct bm_rank_shard *shard) BM_CHECK_RESULT;

enum blastmerge_status bm_rank_open_tables(struct bm_rank *rank) BM_CHECK_RESULT;
void bm_rank_close_tables(struct bm_rank *rank);
enum blastmerge_status bm_rank_step_table(struct bm_rank *rank) BM_CHECK_RESULT;
/* Reads all of a shard whose rows alone tell the order of its queries. */
enum blastmerge_status bm_rank_survey_table(struct bm_rank *rank,
                                            struct bm_rank_shard *shard) BM_CHECK_RESULT;
/* All shards that can be read twice were. */
enum blastmerge_status bm_rank_end_survey_tables(struct bm_rank *rank) BM_CHECK_RESULT;

#endif
