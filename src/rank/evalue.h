/* SPDX-License-Identifier: MIT */
/*
 * rank/evalue - computes E-values from scores and lengths, as BLAST does.
 *
 * BLAST ranks hits by E-values of 53 bits, and prints six digits of them. If two E-values print alike, the
 * functions below compute them again (docs/shards.md).
 */
#ifndef BM_RANK_EVALUE_H
#define BM_RANK_EVALUE_H

#include "base/base.h"

/* BLAST prints all E-values below this one as 0, and ranks them as equal. */
#define BM_RANK_LEAST_EVALUE 1e-180

/* The values that an E-value of a protein-protein search depends on, besides the hit's score and length. */
struct bm_rank_statistics {
    double lambda;
    double k;
    uint64_t n_residues; /* of the whole database */
    uint64_t n_query;    /* residues of the query */
};

/* A scoring system with known finite-size parameters. */
struct bm_rank_gumbel;

/* Returns the scoring system of a matrix and its gap costs; NULL: not known here. */
const struct bm_rank_gumbel *bm_rank_gumbel_of(const char *matrix, uint64_t gap_open, uint64_t gap_extend);

/* Returns the E-value of a raw score, which may be a fraction, with a subject of n_subject residues, by the
 * finite-size formula of BLAST+ (Park, Sheetlin, Ma, Madden, Spouge 2012). */
double bm_rank_finite_evalue(const struct bm_rank_gumbel *gumbel, const struct bm_rank_statistics *statistics,
                             double score, uint64_t n_subject);

/*
 * Computes the E-value that was printed as `printed`, exactly enough to rank by. Composition-based statistics
 * score in steps of 1/32, and BLAST prints the rounded score. So this takes the step nearest to the printed
 * score for which the formula prints the same six digits. Returns false if there is none, because the search
 * was a different one.
 */
bool bm_rank_rebuild_evalue(const struct bm_rank_gumbel *gumbel, const struct bm_rank_statistics *statistics,
                            uint64_t score, uint64_t n_subject, double printed,
                            double *evalue) BM_CHECK_RESULT;

/* Returns the number of letters by which BLAST shortens the query and each subject. m: letters of the query;
 * n: letters of the database; N: its sequences. */
uint64_t bm_rank_length_adjustment(double k, double alpha_by_lambda, double beta, double m, double n,
                                   double N);

/* Parses "3e-05", "0.155265", "1.2" and the like, independently of the locale. Returns false for anything
 * else. */
bool bm_rank_parse_evalue(const char *text, size_t n_bytes, double *value) BM_CHECK_RESULT;

/* Parses digits; returns false if there is anything else. */
bool bm_rank_parse_number(const char *text, size_t n_bytes, uint64_t *value) BM_CHECK_RESULT;

#endif
