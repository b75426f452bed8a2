/* SPDX-License-Identifier: MIT */
/*
 * rank/form - classifies the lines of BLAST XML (-outfmt 5, 16) and BLAST JSON (-outfmt 15), as BLAST+ lays
 * them out.
 */
#ifndef BM_RANK_FORM_H
#define BM_RANK_FORM_H

#include "base/base.h"

enum bm_rank_kind {
    BM_RANK_OTHER,
    BM_RANK_DATABASE,
    BM_RANK_PROGRAM,
    BM_RANK_MATRIX,
    BM_RANK_EXPECT,
    BM_RANK_GAP_OPEN,
    BM_RANK_GAP_EXTEND,
    BM_RANK_QUERY_ID,
    BM_RANK_QUERY_LENGTH,
    BM_RANK_HITS,       /* a query's list of hits begins */
    BM_RANK_HITS_EMPTY, /* it begins and ends */
    BM_RANK_HITS_END,
    BM_RANK_STATISTICS, /* begin; if BLAST left out the list of hits, they stand in its place */
    BM_RANK_HIT,
    BM_RANK_HIT_END,
    BM_RANK_HIT_NUMBER,
    BM_RANK_HIT_ID,
    BM_RANK_HIT_ACCESSION,
    BM_RANK_HIT_LENGTH,
    BM_RANK_HSP,
    BM_RANK_HSP_END,
    BM_RANK_HSP_NUMBER,
    BM_RANK_HSP_SCORE,
    BM_RANK_HSP_EVALUE, /* the last line of a Hit's head, unless strands count */
    BM_RANK_HSP_STRAND, /* of the subject */
    BM_RANK_N_SEQUENCES,
    BM_RANK_N_RESIDUES,
    BM_RANK_HSP_LENGTH, /* the effective length's adjustment */
    BM_RANK_SEARCH_SPACE,
    BM_RANK_KAPPA,
    BM_RANK_LAMBDA,
    BM_RANK_END /* of a query's text */
};

/* A line that begins with `start` and ends with `end` or other_end. Its value lies between them. */
struct bm_rank_row {
    enum bm_rank_kind kind;
    const char *start;
    size_t n_start;
    const char *end;
    size_t n_end;
    const char *other_end; /* or NULL */
    bool has_value;
};

struct bm_rank_form {
    enum blastmerge_format format;
    const struct bm_rank_row *rows;     /* of all lines but those of a Hit; the last one has no start */
    const struct bm_rank_row *hit_rows; /* from BM_RANK_HIT to BM_RANK_HSP_STRAND, likewise */
    const char *hit_end;                /* how a Hit's last line begins ... */
    size_t n_hit_end;                   /* ... its bytes ... */
    size_t n_blanks;                    /* ... and of these, blanks; lines inside of a Hit have more */
    bool has_commas;                    /* a Hit's last line ends with one, except the last Hit's */
};

/* A line, and where its value is. */
struct bm_rank_value {
    enum bm_rank_kind kind;
    size_t at;
    size_t n_bytes;
};

/* Returns the form of a format; NULL: the format has no Hits, or is not known. */
const struct bm_rank_form *bm_rank_form_of(enum blastmerge_format format);

/* Classifies a line. n_bytes includes the line feed, if the line has one. */
struct bm_rank_value bm_rank_form_line(const struct bm_rank_form *form, const char *text, size_t n_bytes);

/* Likewise, for a line inside of a Hit: what belongs to no Hit is OTHER. */
struct bm_rank_value bm_rank_form_hit_line(const struct bm_rank_form *form, const char *text, size_t n_bytes);

/* Returns whether the line is a Hit's last line. */
bool bm_rank_form_is_hit_end(const struct bm_rank_form *form, const char *text, size_t n_bytes);

#endif
