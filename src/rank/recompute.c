/* SPDX-License-Identifier: MIT */
/*
 * Computes again what depends on the statistics of the whole, for shards that were searched without them.
 *
 * Lengths and spaces come from BLAST's own length adjustment. An E-value is computed again only if the model
 * reproduces the printed one, for a search of the whole (with -dbsize) or of the shard's part. So each value
 * that changes has first proven the model. All other E-values stay, and are counted. HSPs beyond the
 * threshold are left out.
 */
#include "rank/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scoring systems, and what their length adjustment depends on. */
static const struct {
    double lambda, k, alpha, beta;
} systems[] = {
    {1.28, 0.46, 1.5, -2},    /* megablast: 1, -2 */
    {0.625, 0.41, 0.8, -2},   /* blastn, dc-megablast: 2, -3, 5, 2 */
    {0.267, 0.041, 1.9, -30}, /* BLOSUM62, 11, 1 */
};
enum { N_NUCLEOTIDE_SYSTEMS = 2 }; /* the first ones */

bool bm_rank_are_default_bits(double bits) {
    const double ln_2 = 0.69314718, largest = 99.9, rounding = 0.051;
    bool are_default = bits > largest;
    for (size_t i = 0; i < N_NUCLEOTIDE_SYSTEMS && !are_default; i++) {
        double log_k = log(systems[i].k);
        double score = round((bits * ln_2 + log_k) / systems[i].lambda);
        double exact = (systems[i].lambda * score - log_k) / ln_2;
        are_default = fabs(exact - bits) < rounding;
    }
    return are_default;
}

/* A search space: of the query with n_sequences of n_residues. */
struct space {
    uint64_t adjustment;
    double size;
};

static struct space space_of(const struct bm_rank *rank, uint64_t n_sequences, uint64_t n_residues) {
    bool is_query_translated = bm_rank_is_program(rank, "blastx") || bm_rank_is_program(rank, "tblastx");
    bool is_subject_translated = bm_rank_is_program(rank, "tblastn") || bm_rank_is_program(rank, "tblastx");
    double m = (double)(is_query_translated ? rank->n_query / 3 : rank->n_query);
    double n = (double)(is_subject_translated ? n_residues / 3 : n_residues);
    struct space space = {0, 0};
    space.adjustment = bm_rank_length_adjustment(rank->statistics.k, rank->alpha / rank->statistics.lambda,
                                                 rank->beta, m, n, (double)n_sequences);
    space.size = (m - (double)space.adjustment) * (n - (double)n_sequences * (double)space.adjustment);
    return space;
}

static struct space space_of_whole(const struct bm_rank *rank) {
    return space_of(rank, rank->n_sequences, rank->statistics.n_residues);
}

enum blastmerge_status bm_rank_begin_recompute(struct bm_rank *rank) {
    const struct bm_rank_statistics *statistics = &rank->statistics;
    if (rank->form == NULL)
        return bm_fail(
            rank->error, BLASTMERGE_USAGE,
            "tables do not have the statistics that E-values are computed again from: --recompute is for "
            "-outfmt 5, 16 and 15");
    for (size_t i = 0; i < rank->n_shards; i++)
        if (rank->shards[i].n_sequences == 0 || rank->shards[i].n_residues == 0 || !rank->has_statistics)
            return bm_rank_fail(
                rank, &rank->shards[i], BLASTMERGE_USAGE,
                "has no statistics that can be read beforehand, which --recompute needs: give files");
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (systems[i].lambda != statistics->lambda || systems[i].k != statistics->k) continue;
        rank->alpha = systems[i].alpha;
        rank->beta = systems[i].beta;
        return BLASTMERGE_OK;
    }
    return bm_rank_fail(
        rank, &rank->shards[0], BLASTMERGE_USAGE,
        "its scoring system (lambda %g, K %g) is none that --recompute knows: search with the "
        "statistics of the whole database (blastmerge shards --alias-parts)",
        statistics->lambda, statistics->k);
}

/* --- E-values -------------------------------------------------------------------------------------- */

static bool are_near(double value, double printed) {
    double unit = pow(10.0, floor(log10(printed)) - 5.0);
    return fabs(value - printed) <= 0.501 * unit;
}

/* blastn: the score alone decides, perhaps without its lowest bit. */
static bool compute_by_score(const struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t score,
                             double printed, double *evalue) {
    const struct bm_rank_statistics *statistics = &rank->statistics;
    const double whole = space_of_whole(rank).size;
    const double spaces[] = {whole, space_of(rank, shard->n_sequences, shard->n_residues).size,
                             space_of(rank, shard->n_sequences, statistics->n_residues).size};
    for (size_t i = 0; i < 2 * sizeof spaces / sizeof spaces[0]; i++) {
        double used = (double)(i % 2 == 0 ? score : score & ~UINT64_C(1));
        double share = exp(log(statistics->k) - statistics->lambda * used);
        *evalue = whole * share;
        if (printed == 0 || are_near(spaces[i / 2] * share, printed)) return true;
    }
    return false;
}

/* blastp: the lengths, too. */
static bool compute_by_length(const struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t score,
                              uint64_t length, double printed, double *evalue) {
    struct bm_rank_statistics statistics = rank->statistics;
    const double whole = (double)statistics.n_residues;
    *evalue = 0;
    if (rank->gumbel == NULL) return false;
    if (printed == 0) return true;
    statistics.n_query = rank->n_query;
    if (bm_rank_rebuild_evalue(rank->gumbel, &statistics, score, length, printed, evalue)) return true;
    statistics.n_residues = shard->n_residues;
    if (!bm_rank_rebuild_evalue(rank->gumbel, &statistics, score, length, printed, evalue)) return false;
    *evalue *= whole / (double)shard->n_residues;
    return true;
}

/* The E-value in a search of the whole; false: it is not known, and *evalue is as printed. */
static bool compute(const struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t score,
                    uint64_t length, double printed, double *evalue) {
    bool is_known = bm_rank_is_program(rank, "blastn") ? compute_by_score(rank, shard, score, printed, evalue)
                    : bm_rank_is_program(rank, "blastp")
                        ? compute_by_length(rank, shard, score, length, printed, evalue)
                        : false;
    if (!is_known) *evalue = printed;
    if (*evalue < BM_RANK_LEAST_EVALUE) *evalue = 0;
    return is_known;
}

static bool is_beyond(const struct bm_rank *rank, double evalue) {
    double threshold = rank->options.evalue > 0 ? rank->options.evalue : rank->threshold;
    return threshold > 0 && evalue > threshold;
}

enum blastmerge_status bm_rank_put_evalue(struct bm_rank *rank, double evalue) {
    char text[BM_PRINTED_NUMBER];
    size_t n = bm_print_number(text, evalue);
    return bm_rank_put(rank, text, n);
}

/* --- heads ------------------------------------------------------------------------------------------- */

enum blastmerge_status bm_rank_recompute_head(struct bm_rank *rank, struct bm_rank_shard *shard,
                                              bool *is_left_out) {
    struct bm_rank_head *head = &shard->head;
    double evalue = 0;
    head->is_recomputed = compute(rank, shard, head->score, head->length, head->printed, &evalue);
    head->printed = head->evalue = evalue;
    head->has_tried = true;
    head->is_rebuilt = head->is_recomputed;
    *is_left_out = is_beyond(rank, evalue);
    if (!*is_left_out) {
        rank->counts.n_not_rebuilt += !head->is_recomputed;
        return BLASTMERGE_OK;
    }
    head->is_there = false;
    rank->counts.n_rebuilt_out++;
    for (;;) { /* a later HSP is no better */
        struct bm_rank_part part;
        enum blastmerge_status status = bm_rank_next_part(rank, shard, &part);
        if (status != BLASTMERGE_OK) return status;
        if (part.n_bytes == 0) return bm_rank_fail_layout(rank, shard, "it ends inside a hit");
        rank->counts.n_rebuilt_out += part.value.kind == BM_RANK_HSP;
        if (part.value.kind == BM_RANK_HIT_END) return bm_rank_next(rank, shard);
    }
}

/* --- HSPs behind the first --------------------------------------------------------------------------- */

/* Ends the line of the HSP before: in JSON whether another follows decides how. */
static enum blastmerge_status close_hsp(struct bm_rank *rank, bool is_last) {
    bool is_due = rank->is_hsp_close_due;
    rank->is_hsp_close_due = false;
    return is_due ? bm_rank_put(rank, is_last ? "\n" : ",\n", is_last ? 1 : 2) : BLASTMERGE_OK;
}

/* What is read of an HSP: its text up to its E-value, and what stands where in it. */
struct hsp {
    struct bm_rank_value number, evalue;
    uint64_t score;
    double printed;
};

/* Reads an HSP from its first line, the current one, to its E-value, into rank->hsp. */
static enum blastmerge_status read_hsp(struct bm_rank *rank, struct bm_rank_shard *shard, struct hsp *hsp) {
    struct bm_rank_part part = bm_rank_part(rank, shard);
    enum blastmerge_status status = BLASTMERGE_OK;
    *hsp = (struct hsp){0};
    rank->hsp.n_bytes = 0;
    while (status == BLASTMERGE_OK) {
        struct bm_rank_value value = part.value;
        const char *text = part.text + value.at;
        bool is_fine = part.n_bytes > 0 && value.kind != BM_RANK_HSP_END && value.kind != BM_RANK_HIT_END;
        if (value.kind == BM_RANK_HSP_SCORE) is_fine = bm_rank_parse_number(text, value.n_bytes, &hsp->score);
        if (value.kind == BM_RANK_HSP_EVALUE)
            is_fine = bm_rank_parse_evalue(text, value.n_bytes, &hsp->printed);
        if (!is_fine)
            return bm_rank_fail_layout(rank, shard, "an HSP's score or E-value is missing or no number");
        value.at += rank->hsp.n_bytes;
        if (value.kind == BM_RANK_HSP_NUMBER) hsp->number = value;
        if (value.kind == BM_RANK_HSP_EVALUE) hsp->evalue = value;
        if (!bm_rank_text_add(&rank->hsp, &rank->budget, part.text, part.n_bytes))
            return bm_rank_fail_room(rank, shard, "an HSP");
        if (value.kind == BM_RANK_HSP_EVALUE) break;
        status = bm_rank_next_part(rank, shard, &part);
    }
    return status;
}

static enum blastmerge_status put_stretch(struct bm_rank *rank, size_t from, size_t to) {
    return bm_rank_put(rank, rank->hsp.data + from, to - from);
}

/* Writes an HSP up to its E-value, or notes that it is to be left out. */
static enum blastmerge_status take_hsp(struct bm_rank *rank, struct bm_rank_shard *shard) {
    struct hsp hsp;
    double evalue = 0;
    enum blastmerge_status status = read_hsp(rank, shard, &hsp);
    if (status != BLASTMERGE_OK) return status;
    if (hsp.printed < BM_RANK_LEAST_EVALUE) hsp.printed = 0;
    bool is_known = compute(rank, shard, hsp.score, rank->last.length, hsp.printed, &evalue);
    if (is_beyond(rank, evalue)) {
        rank->counts.n_rebuilt_out++;
        rank->is_hsp_left_out = true;
        return BLASTMERGE_OK;
    }
    size_t number_end = hsp.number.at + hsp.number.n_bytes;
    size_t evalue_end = hsp.evalue.at + hsp.evalue.n_bytes;
    status = close_hsp(rank, false);
    if (status == BLASTMERGE_OK) status = put_stretch(rank, 0, hsp.number.at);
    if (status == BLASTMERGE_OK && hsp.number.n_bytes > 0) status = bm_rank_put_number(rank, ++rank->n_hsps);
    if (status == BLASTMERGE_OK) status = put_stretch(rank, number_end, hsp.evalue.at);
    if (status == BLASTMERGE_OK)
        status = is_known ? bm_rank_put_evalue(rank, evalue) : put_stretch(rank, hsp.evalue.at, evalue_end);
    return status == BLASTMERGE_OK ? put_stretch(rank, evalue_end, rank->hsp.n_bytes) : status;
}

enum blastmerge_status bm_rank_recompute_line(struct bm_rank *rank, struct bm_rank_shard *shard) {
    struct bm_rank_part part = bm_rank_part(rank, shard);
    if (rank->is_hsp_left_out) {
        rank->is_hsp_left_out = part.value.kind != BM_RANK_HSP_END;
        return BLASTMERGE_OK;
    }
    if (part.value.kind == BM_RANK_HSP) return take_hsp(rank, shard);
    size_t n = part.n_bytes;
    if (part.value.kind == BM_RANK_HSP_END && rank->form->has_commas) {
        while (n > 0 && (part.text[n - 1] == '\n' || part.text[n - 1] == ',')) n--;
        rank->is_hsp_close_due = true;
        return bm_rank_put(rank, part.text, n);
    }
    enum blastmerge_status status = close_hsp(rank, true);
    return status == BLASTMERGE_OK ? bm_rank_put(rank, part.text, n) : status;
}

/* --- tails --------------------------------------------------------------------------------------------- */

/* The adjustment that gives the search space, if there is one: what -searchsp has set stays as it is. */
static bool solve(const struct bm_rank *rank, double space, uint64_t *adjustment) {
    enum { MOST = 100000 }; /* an adjustment grows with the logarithm of the search space */
    double m = (double)rank->n_query;
    for (uint64_t i = 0; i <= rank->n_query && i <= MOST; i++) {
        *adjustment = i;
        double n = (double)rank->statistics.n_residues - (double)rank->n_sequences * (double)i;
        if ((m - (double)i) * n == space) return true;
    }
    return false;
}

void bm_rank_recompute_tail(struct bm_rank *rank, uint64_t *adjustment, uint64_t *space) {
    struct bm_rank_tail *tail = &rank->tail;
    struct space whole = space_of_whole(rank);
    uint64_t given = 0;
    *adjustment = whole.adjustment;
    *space = (uint64_t)whole.size;
    if (!tail->are_spaces_equal ||
        !bm_rank_parse_number(tail->search_space.text, tail->search_space.n_bytes, &given))
        return;
    bool is_own = false;
    for (size_t i = 0; i < rank->n_shards; i++) {
        const struct bm_rank_shard *shard = &rank->shards[i];
        is_own = is_own || (double)given == space_of(rank, shard->n_sequences, shard->n_residues).size;
    }
    if (is_own || given == 0) {
        if (given == 0) *adjustment = *space = 0; /* a query that cannot be searched */
        return;
    }
    uint64_t solved = 0;
    if (!solve(rank, (double)given, &solved)) return;
    *adjustment = solved;
    *space = given;
}
