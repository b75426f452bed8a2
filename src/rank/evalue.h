/* SPDX-License-Identifier: MIT */
/*
 * rank/evalue - E-values as BLAST computes them, from scores and lengths.
 *
 * BLAST ranks hits by E-values of 53 bits and prints six digits of them. Where two print alike, what follows
 * computes them again (docs/shards.md).
 */
#ifndef BM_RANK_EVALUE_H
#define BM_RANK_EVALUE_H

#include "base/base.h"

/* Below it BLAST takes all E-values for equal, and prints 0. */
#define BM_RANK_LEAST_EVALUE 1e-180

/* What E-values of a search of protein with protein depend on, besides a hit's own score and length. */
struct bm_rank_statistics {
    double lambda;
    double k;
    uint64_t n_residues; /* of the whole database */
    uint64_t n_query;    /* residues of the query */
};

/* A scoring system of known finite-size parameters. */
struct bm_rank_gumbel;

/* That of a matrix and its gap costs; NULL: not known here. */
const struct bm_rank_gumbel *bm_rank_gumbel_of(const char *matrix, uint64_t gap_open, uint64_t gap_extend);

/* The E-value of a raw score, which may be a fraction, with a subject of n_subject residues: the finite-size
 * formula of BLAST+ (Park, Sheetlin, Ma, Madden, Spouge 2012). */
double bm_rank_finite_evalue(const struct bm_rank_gumbel *gumbel, const struct bm_rank_statistics *statistics,
                             double score, uint64_t n_subject);

/*
 * The E-value that was printed as `printed`, to its last bit as far as order goes. Composition-based
 * statistics score in 1/32 steps, and BLAST prints the rounded score: the step next to it for which the
 * formula prints the same six digits. False: there is none, so the search was another one.
 */
bool bm_rank_rebuild_evalue(const struct bm_rank_gumbel *gumbel, const struct bm_rank_statistics *statistics,
                            uint64_t score, uint64_t n_subject, double printed,
                            double *evalue) BM_CHECK_RESULT;

/* By how much BLAST shortens query and subjects, for a query of m and a database of N sequences of n letters in all. */
uint64_t bm_rank_length_adjustment(double k, double alpha_by_lambda, double beta, double m, double n,
                                   double N);

/* Reads "3e-05", "0.155265", "1.2" and the like, whatever the locale is. False: it is no such number. */
bool bm_rank_parse_evalue(const char *text, size_t n_bytes, double *value) BM_CHECK_RESULT;

/* Reads digits and nothing else. */
bool bm_rank_parse_number(const char *text, size_t n_bytes, uint64_t *value) BM_CHECK_RESULT;

#endif
