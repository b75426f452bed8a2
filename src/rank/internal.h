/* SPDX-License-Identifier: MIT */
/* rank/internal - declarations that the files of this room share. */
#ifndef BM_RANK_INTERNAL_H
#define BM_RANK_INTERNAL_H

#include "format/format.h"
#include "rank/rank.h"

enum { BM_RANK_DEFAULT_TARGETS = 500, BM_RANK_DIGITS = 20 /* of a 64-bit number */ };

/* Why a list may be in another order, other than that someone has changed it. */
#define BM_RANK_QCOV                                                                                         \
    "; BLAST writes such a list with -qcov_hsp_perc, which it applies after it has ranked: those searches "  \
    "cannot be "                                                                                             \
    "merged exactly, so search without it, and filter the merged result"

enum bm_rank_phase {
    BM_RANK_PHASE_FRONT, /* the text before a query's hits */
    BM_RANK_PHASE_HITS,  /* the next step chooses the best hit */
    BM_RANK_PHASE_HEAD,  /* the text of its head */
    BM_RANK_PHASE_BODY,  /* the rest of that hit */
    BM_RANK_PHASE_TAIL,  /* the text after a query's hits */
    BM_RANK_PHASE_ROWS,  /* tables: the rows that were held until their number was known */
    BM_RANK_PHASE_DONE
};

/* Where a value is in the tail's text. */
struct bm_rank_place {
    size_t at, n_bytes;
};

/* The text after a query's hits. */
struct bm_rank_tail {
    struct bm_rank_text text; /* the frame's */
    struct bm_rank_place sequences, residues, hsp_length_place, search_space_place, kappa_place;
    uint64_t total_sequences;
    uint64_t total_residues;
    struct bm_rank_word hsp_length, search_space, kappa, lambda; /* the first shard's */
    bool are_spaces_equal;
    bool are_kappas_equal;
};

struct bm_rank {
    struct bm_rank_options options;
    struct bm_rank_shard *shards;
    size_t n_shards;
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct blastmerge_error *error; /* of the current call */
    struct bm_rank_budget budget;
    struct bm_rank_spool spool;
    size_t n_most_head;     /* bytes of a head that are held in memory */
    size_t *tree;           /* the knock-out of bm_rank_best() */
    bool has_tree;          /* of the current query */
    struct bm_piece *piece; /* of all shards: the counts are all that is kept of a view */
    struct bm_mark_kin kin; /* what the next shard must agree with */
    enum blastmerge_format format;
    const struct bm_rank_form *form;
    struct bm_rank_counts counts;

    enum bm_rank_phase phase;
    struct bm_rank_text out;  /* merged text ... */
    size_t n_handed_out;      /* ... of which the caller has so many bytes */
    struct bm_rank_text line; /* a line that came in pieces */

    /* reports: src/rank/reports.c */
    struct bm_rank_text first_front; /* the first shard's; the others are compared with it */
    struct bm_rank_text front;       /* as it is written */
    size_t n_compared;
    size_t frame;            /* the shard whose frame is written: the first one with hits, else the first */
    size_t current;          /* the shard whose hit is being written ... */
    uint64_t n_head_written; /* ... and how much of its head */
    uint64_t n_written;      /* hits of the current query */
    uint64_t n_most_written; /* of a query so far */
    bool is_close_due;       /* JSON: the last hit's line lacks its end ... */
    uint64_t close_at;       /* ... which is a comma and a line feed here in the shard's text; 0: it is not */
    struct bm_rank_head last; /* the hit written last, without its text */
    size_t last_shard;
    struct bm_rank_tail tail;
    struct bm_rank_word program, matrix;
    struct bm_rank_word query_id; /* of the previous query */
    uint64_t gap_open, gap_extend;
    uint64_t n_query; /* residues of the current query */
    const struct bm_rank_gumbel *gumbel;
    struct bm_rank_statistics statistics;
    bool has_statistics;

    /* blastn that computes lambda for each query, separately for each strand. */
    bool is_by_strand;
    int8_t *strands;  /* for each query, the strand that ranks first among equal hits; 0: not known */
    size_t n_strands; /* queries */
    size_t n_strands_allocated;
    uint64_t n_equal; /* of the current query: places where two shards' hits are equal */

    /* recomputing: src/rank/recompute.c */
    double alpha, beta;
    double threshold;     /* of E-values, from the header; 0: not known */
    uint64_t n_sequences; /* in the whole database */
    uint64_t n_hsps;      /* written HSPs of the current hit */
    struct bm_rank_text hsp;
    bool is_hsp_close_due;
    bool is_hsp_left_out;

    struct bm_rank_tables *tables; /* src/rank/tables.c */
    bool lacks_columns;            /* a table without raw scores or subjects' lengths */
    bool lacks_scores;             /* a table without raw scores */
    /* Tables: the current query's equal hits are in an order that no strand decides. */
    bool are_strands_mixed;
};

/* --- rank.c -------------------------------------------------------------------------------------- */

/* Fails with a message that begins with the shard's name. */
enum blastmerge_status bm_rank_fail(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                    enum blastmerge_status status, const char *format, ...) BM_FORMAT(4, 5);

/* Fails because the budget is used up. what: the text that does not fit. */
enum blastmerge_status bm_rank_fail_room(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                         const char *what);

/* Fails because the spool has failed. */
enum blastmerge_status bm_rank_fail_spool(struct bm_rank *rank, const struct bm_rank_shard *shard);

/* Fails because a shard is not laid out as BLAST writes it. */
enum blastmerge_status bm_rank_fail_layout(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                           const char *what);

/* Goes to the shard's next line or piece. */
enum blastmerge_status bm_rank_next(struct bm_rank *rank, struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* Returns the whole current line. It is valid until the next line of any shard is read. */
enum blastmerge_status bm_rank_whole_line(struct bm_rank *rank, struct bm_rank_shard *shard,
                                          const char **text, size_t *n_bytes) BM_CHECK_RESULT;

/* Returns the next whole line, or the current one if it has not been processed yet. Valid as above. */
enum blastmerge_status bm_rank_read_line(struct bm_rank *rank, struct bm_rank_shard *shard, const char **text,
                                         size_t *n_bytes) BM_CHECK_RESULT;

/* A report's line, or a piece of a long one, and what it is. A line that comes in pieces is OTHER. */
struct bm_rank_part {
    const char *text; /* valid until the next line of any shard is read */
    size_t n_bytes;   /* 0: the text has ended */
    struct bm_rank_value value;
};

/* The current one, and the next one inside of a hit. */
struct bm_rank_part bm_rank_part(const struct bm_rank *rank, const struct bm_rank_shard *shard);
enum blastmerge_status bm_rank_next_part(struct bm_rank *rank, struct bm_rank_shard *shard,
                                         struct bm_rank_part *part) BM_CHECK_RESULT;

enum blastmerge_status bm_rank_put(struct bm_rank *rank, const void *text, size_t n_bytes) BM_CHECK_RESULT;
/* Likewise, of the shard's own text, unchanged, from an offset in it. */
enum blastmerge_status bm_rank_put_own(struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t at,
                                       const void *text, size_t n_bytes) BM_CHECK_RESULT;
/* Writes a stretch of a long text. */
enum blastmerge_status bm_rank_put_long(struct bm_rank *rank, struct bm_rank_shard *shard,
                                        struct bm_rank_long *text, uint64_t from,
                                        size_t n_bytes) BM_CHECK_RESULT;
/* Writes a stretch of the shard's head. */
enum blastmerge_status bm_rank_put_head(struct bm_rank *rank, struct bm_rank_shard *shard, uint64_t from,
                                        size_t n_bytes) BM_CHECK_RESULT;
/* Writes a number in decimal; a merge writes several for each hit. Returns its digits. */
size_t bm_rank_write_number(char digits[BM_RANK_DIGITS], uint64_t number);
enum blastmerge_status bm_rank_put_number(struct bm_rank *rank, uint64_t number) BM_CHECK_RESULT;

const char *bm_rank_shard_name(const struct bm_rank_shard *shard);

/* Whether that is the program that searched, in small letters. */
bool bm_rank_is_program(const struct bm_rank *rank, const char *name);

/* Compares two hits. Below 0: the first one ranks first; 0: only their places in the database differ. */
int bm_rank_compare(struct bm_rank *rank, struct bm_rank_head *one, struct bm_rank_head *other);

/* Returns the shard that has the best hit; n_shards: no hit is left. Between two calls for a query, only the head of the
 * shard that was returned may change. */
size_t bm_rank_best(struct bm_rank *rank);

/* Counts a hit of the shard's current query. */
void bm_rank_count_hit(struct bm_rank_shard *shard);

/* Counts a hit that is written. */
void bm_rank_count_written(struct bm_rank *rank);

/* Counts the doubts about the order of the last written hit and the shard's current one, and keeps the
 * current one as the last. */
void bm_rank_count_order(struct bm_rank *rank, size_t shard);

/* Counts a query that is cut, and the doubts about the cut. shard: it has the best hit that is left out. */
void bm_rank_count_cut(struct bm_rank *rank, size_t shard);

/* Finds a name's place in a list; UINT64_MAX: it is not there, or there is no list. */
enum blastmerge_status bm_rank_find_place(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                          struct bm_rank_order *order, uint64_t hash,
                                          uint64_t *place) BM_CHECK_RESULT;

/* For subjects that BLAST numbers: the number in the whole database of sequence n of the shard. */
enum blastmerge_status bm_rank_ordinal(struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t n,
                                       uint64_t *ordinal) BM_CHECK_RESULT;

/* --- strands.c ----------------------------------------------------------------------------------- */

/* Returns whether equal hits of one strand rank before those of the other: in blastn, if lambda has as many
 * digits as a computed one. n_lambda: characters of the printed lambda. */
bool bm_rank_is_by_strand(const struct bm_rank *rank, size_t n_lambda);

/* Parses a line's strand. */
int8_t bm_rank_strand_of(const char *text, size_t n_bytes);

/* Reads a whole shard, from its current first line, and finds out for each query which strand ranks first. */
enum blastmerge_status bm_rank_learn_strands(struct bm_rank *rank,
                                             struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* Returns the strand that ranks first for the current query; 0: not known. */
int8_t bm_rank_first_strand(const struct bm_rank *rank);

/* --- recompute.c --------------------------------------------------------------------------------- */

/* Whether these bits can be a raw score's by lambda and K of megablast, or of blastn and dc-megablast, with their default
 * scores. Then lambda comes from a table, and is the same for both strands. Bits have one decimal, larger ones none. */
bool bm_rank_are_default_bits(double bits);

/* Called after the survey of all shards. Fails if something that recomputing needs is missing. */
enum blastmerge_status bm_rank_begin_recompute(struct bm_rank *rank) BM_CHECK_RESULT;

/* Computes the E-value of the shard's head again. If it is beyond the threshold, skips the hit; the current
 * line is then the one after it. */
enum blastmerge_status bm_rank_recompute_head(struct bm_rank *rank, struct bm_rank_shard *shard,
                                              bool *is_left_out) BM_CHECK_RESULT;

/* Writes an E-value as BLAST prints it, whatever the locale is. */
enum blastmerge_status bm_rank_put_evalue(struct bm_rank *rank, double evalue) BM_CHECK_RESULT;

/* Writes the current line of a hit's body. At an HSP's first line, reads on to its E-value, and writes all of
 * that or leaves the HSP out. */
enum blastmerge_status bm_rank_recompute_line(struct bm_rank *rank,
                                              struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* Computes the whole's hsp-len and eff-space for the current query. Its tails must have been read. */
void bm_rank_recompute_tail(struct bm_rank *rank, uint64_t *adjustment, uint64_t *space);

/* --- fronts.c ------------------------------------------------------------------------------------ */

/* Compares a line of a shard's front with the next one of the first shard's. */
enum blastmerge_status bm_rank_front_compare(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                             const char *line, size_t n_bytes) BM_CHECK_RESULT;

/* Called when a shard has been read up to a query's hits, or to its end. Fails if the first shard has more
 * front, or if only one of the two has ended. */
enum blastmerge_status bm_rank_front_end(struct bm_rank *rank,
                                         const struct bm_rank_shard *shard) BM_CHECK_RESULT;

/* --- reports.c, tables.c ------------------------------------------------------------------------- */

enum blastmerge_status bm_rank_step_report(struct bm_rank *rank) BM_CHECK_RESULT;
enum blastmerge_status bm_rank_survey_report(struct bm_rank *rank,
                                             struct bm_rank_shard *shard) BM_CHECK_RESULT;

enum blastmerge_status bm_rank_open_tables(struct bm_rank *rank) BM_CHECK_RESULT;
void bm_rank_close_tables(struct bm_rank *rank);
enum blastmerge_status bm_rank_step_table(struct bm_rank *rank) BM_CHECK_RESULT;
/* Reads a whole shard without comments, whose rows are the only source for the order of its queries. */
enum blastmerge_status bm_rank_survey_table(struct bm_rank *rank,
                                            struct bm_rank_shard *shard) BM_CHECK_RESULT;
/* All was read: places that only a strand might have decided are undecided if the search was one in which it may. */
void bm_rank_tables_settle(struct bm_rank *rank);
/* Called when every shard that can be read twice has been surveyed. */
enum blastmerge_status bm_rank_end_survey_tables(struct bm_rank *rank) BM_CHECK_RESULT;

#endif
