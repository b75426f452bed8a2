/* SPDX-License-Identifier: MIT */
#include "rank/evalue.h"

#include <math.h>
#include <string.h>

/* --- the finite-size formula --------------------------------------------------------------------- */

struct bm_rank_gumbel {
    const char *matrix;
    uint64_t gap_open, gap_extend; /* 0, 0: without gaps */
    double lambda, a, alpha, sigma;
};

/* As BLAST+ has them. The first row of a matrix is the one without gaps. */
static const struct bm_rank_gumbel table[] = {
    {"BLOSUM62", 0, 0, 0.3176, 0.7916, 4.964660, 4.964660},
    {"BLOSUM62", 11, 2, 0.297, 1.1, 12.673800, 12.757600},
    {"BLOSUM62", 10, 2, 0.291, 1.3, 16.474000, 16.602600},
    {"BLOSUM62", 9, 2, 0.279, 1.5, 22.751900, 22.950000},
    {"BLOSUM62", 8, 2, 0.264, 1.8, 35.483800, 35.821300},
    {"BLOSUM62", 7, 2, 0.239, 2.5, 61.238300, 61.886000},
    {"BLOSUM62", 6, 2, 0.201, 3.3, 140.417000, 141.882000},
    {"BLOSUM62", 13, 1, 0.292, 1.2, 19.506300, 19.893100},
    {"BLOSUM62", 12, 1, 0.283, 1.5, 27.856200, 28.469900},
    {"BLOSUM62", 11, 1, 0.267, 1.9, 42.602800, 43.636200},
    {"BLOSUM62", 10, 1, 0.243, 2.5, 83.178700, 85.065600},
    {"BLOSUM62", 9, 1, 0.206, 4.0, 210.333000, 214.842000},
};

const struct bm_rank_gumbel *bm_rank_gumbel_of(const char *matrix, uint64_t gap_open, uint64_t gap_extend) {
    if (gap_open == 0) return NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].matrix, matrix) == 0 && table[i].gap_open == gap_open &&
            table[i].gap_extend == gap_extend)
            return &table[i];
    return NULL;
}

static const struct bm_rank_gumbel *ungapped_of(const struct bm_rank_gumbel *gumbel) {
    while (gumbel->gap_open != 0) gumbel--;
    return gumbel;
}

/* Of one of the two sequences: how likely it is long enough for the score, and its effective length. */
struct side {
    double chance;
    double length;
};

static struct side side_of(double n, double score, double lambda, double a, double b, double alpha,
                           double beta) {
    static const double inverse_root_of_two_pi = 0.39894228040143267793994605993438;
    double mean = n - (a * score + b);
    double variance = fmax(2.0 * alpha / lambda, alpha * score + beta);
    double deviation = sqrt(variance);
    double z = mean / deviation;
    double chance = erfc(-z / sqrt(2.0)) / 2.0;
    return (struct side){chance, mean * chance + deviation * inverse_root_of_two_pi * exp(-0.5 * z * z)};
}

double bm_rank_finite_evalue(const struct bm_rank_gumbel *gumbel, const struct bm_rank_statistics *statistics,
                             double score, uint64_t n_subject) {
    const struct bm_rank_gumbel *ungapped = ungapped_of(gumbel);
    double lambda = statistics->lambda;
    double scale = lambda / gumbel->lambda;
    double gap = 2.0 * (double)(gumbel->gap_open + gumbel->gap_extend);
    double a = gumbel->a * scale;
    double b = gap * (ungapped->a - gumbel->a);
    double alpha = gumbel->alpha * scale;
    double beta = gap * (ungapped->alpha - gumbel->alpha);
    double sigma = gumbel->sigma * scale;
    double tau = gap * (ungapped->alpha - gumbel->sigma);
    struct side query = side_of((double)statistics->n_query, score, lambda, a, b, alpha, beta);
    struct side subject = side_of((double)n_subject, score, lambda, a, b, alpha, beta);
    double covariance = fmax(2.0 * sigma / lambda, sigma * score + tau);
    double area = query.length * subject.length + covariance * query.chance * subject.chance;
    double share = (double)statistics->n_residues / (double)n_subject;
    return area * statistics->k * exp(-lambda * score) * share;
}

/* Whether the value prints as the six digits `printed`. */
static bool prints_as(double value, double printed) {
    double unit = pow(10.0, floor(log10(printed)) - 5.0);
    return fabs(value - printed) <= 0.501 * unit;
}

bool bm_rank_rebuild_evalue(const struct bm_rank_gumbel *gumbel, const struct bm_rank_statistics *statistics,
                            uint64_t score, uint64_t n_subject, double printed, double *evalue) {
    enum { STEPS = 32, MOST_STEPS = 48 };
    if (n_subject == 0 || !(printed >= BM_RANK_LEAST_EVALUE)) return false;
    for (int i = 0; i <= 2 * MOST_STEPS; i++) {
        int step = i % 2 == 0 ? i / 2 : -(i / 2 + 1);
        double value =
            bm_rank_finite_evalue(gumbel, statistics, (double)score + (double)step / STEPS, n_subject);
        if (!prints_as(value, printed)) continue;
        *evalue = value;
        return true;
    }
    return false;
}

/* --- the length adjustment ----------------------------------------------------------------------- */

/*
 * The largest whole number l for which l <= alpha / lambda * ln(K * (m - l) * (n - N * l)) + beta, by the iteration that
 * BLAST itself makes: where that does not converge within 20 steps, its lower bound counts, so the steps must be the same.
 */
uint64_t bm_rank_length_adjustment(double k, double alpha_by_lambda, double beta, double m, double n,
                                   double N) {
    enum { STEPS = 20 };
    double log_k = log(k);
    double middle = m * N + n;
    double c = n * m - fmax(m, n) / k;
    if (c < 0) return 0;
    double most = 2.0 * c / (middle + sqrt(middle * middle - 4.0 * N * c));
    double least = 0;
    double next = 0;
    bool has_converged = false;
    for (int i = 1; i <= STEPS; i++) {
        double length = next;
        double bound = alpha_by_lambda * (log_k + log((m - length) * (n - N * length))) + beta;
        if (bound >= length) {
            least = length;
            if (bound - least <= 1.0) {
                has_converged = true;
                break;
            }
            if (least == most) break;
        } else {
            most = length;
        }
        next = least <= bound && bound <= most ? bound : i == 1 ? most : (least + most) / 2.0;
    }
    double above = ceil(least);
    if (has_converged && above <= most &&
        alpha_by_lambda * (log_k + log((m - above) * (n - N * above))) + beta >= above)
        return (uint64_t)above;
    return (uint64_t)least;
}

/* --- numbers ------------------------------------------------------------------------------------- */

bool bm_rank_parse_number(const char *text, size_t n_bytes, uint64_t *value) {
    uint64_t number = 0;
    if (n_bytes == 0) return false;
    for (size_t i = 0; i < n_bytes; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        if (__builtin_mul_overflow(number, 10, &number)) return false;
        if (__builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number)) return false;
    }
    *value = number;
    return true;
}

/* The digits before an exponent, with at most one point. Digits beyond the 18th count for their places alone. */
static bool parse_mantissa(const char *text, size_t n_bytes, uint64_t *mantissa, int *exponent) {
    bool has_point = false;
    bool has_digit = false;
    *mantissa = 0;
    *exponent = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        if (text[i] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') return false;
        has_digit = true;
        bool is_kept = *mantissa < UINT64_C(100000000000000000);
        if (is_kept) *mantissa = *mantissa * 10 + (uint64_t)(text[i] - '0');
        if (is_kept == has_point) *exponent += is_kept ? -1 : 1;
    }
    return has_digit;
}

bool bm_rank_parse_evalue(const char *text, size_t n_bytes, double *value) {
    enum { MOST = 40 };
    uint64_t mantissa = 0;
    uint64_t power = 0;
    int exponent = 0;
    if (n_bytes > MOST) return false;
    const char *e = memchr(text, 'e', n_bytes);
    size_t n_mantissa = e != NULL ? (size_t)(e - text) : n_bytes;
    if (!parse_mantissa(text, n_mantissa, &mantissa, &exponent)) return false;
    if (e != NULL) {
        size_t n_left = n_bytes - n_mantissa - 1;
        bool is_negative = n_left > 0 && e[1] == '-';
        bool has_sign = is_negative || (n_left > 0 && e[1] == '+');
        if (!bm_rank_parse_number(e + 1 + has_sign, n_left - has_sign, &power) || power > 400) return false;
        exponent += is_negative ? -(int)power : (int)power;
    }
    /* Powers up to 22 are exact, and so is a division by one, to the last bit: 0.625 is 625 / 1000. */
    *value = mantissa == 0  ? 0
             : exponent < 0 ? (double)mantissa / pow(10.0, -exponent)
                            : (double)mantissa * pow(10.0, exponent);
    return true;
}
