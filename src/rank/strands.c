/* SPDX-License-Identifier: MIT */
/*
 * Finds out which strand's hits rank first. If no table has lambda and K (-ungapped, -task blastn-short),
 * blastn computes them for each query, separately for each strand. The two values differ in digits that are
 * not printed. So equal hits of one strand rank before those of the other, and which strand that is depends
 * on the query.
 *
 * The shards' own lists show it. Equal hits of one strand are in descending database order. If a hit is
 * followed by an equal one of the other strand that comes later in the database, the first hit's strand ranks
 * first. This takes a first pass over the shards, and one byte for each query.
 */
#include "rank/internal.h"

#include <string.h>

enum { DIGITS = 8 /* of a lambda from a table, at most */ };

bool bm_rank_is_by_strand(const struct bm_rank *rank, size_t n_lambda) {
    return n_lambda > DIGITS && rank->program.n_bytes == 6 && memcmp(rank->program.text, "blastn", 6) == 0;
}

int8_t bm_rank_strand_of(const char *text, size_t n_bytes) {
    bool is_minus = n_bytes > 0 && (text[0] == '-' || text[0] == 'M');
    return is_minus ? -1 : 1;
}

int8_t bm_rank_first_strand(const struct bm_rank *rank) {
    uint64_t query = rank->counts.n_queries - 1;
    return query < rank->n_strands ? rank->strands[query] : 0;
}

/* A hit, as far as it is read. */
struct hit {
    double printed;
    uint64_t score;
    uint64_t ordinal;
    int8_t strand;
    bool has_ordinal;
};

static enum blastmerge_status add_query(struct bm_rank *rank, struct bm_rank_shard *shard, size_t query) {
    if (query < rank->n_strands) return BLASTMERGE_OK;
    if (query == rank->n_strands_allocated) {
        size_t n_wanted = 2 * query + 1024;
        size_t n_more = n_wanted - rank->n_strands_allocated;
        int8_t *strands = NULL;
        if (n_more <= rank->budget.n_left) strands = bm_reallocate(rank->memory, rank->strands, n_wanted);
        if (strands == NULL) return bm_rank_fail_room(rank, shard, "the list of queries");
        rank->budget.n_left -= n_more;
        rank->strands = strands;
        rank->n_strands_allocated = n_wanted;
    }
    rank->strands[rank->n_strands++] = 0;
    return BLASTMERGE_OK;
}

/* What two hits of a list that follow one another tell. */
static void compare(struct bm_rank *rank, size_t query, const struct hit *before, const struct hit *hit) {
    bool are_equal = before->printed == hit->printed && before->score == hit->score;
    if (!are_equal || before->strand * hit->strand != -1) return;
    if (before->has_ordinal && hit->has_ordinal && before->ordinal < hit->ordinal)
        rank->strands[query] = before->strand;
}

static void take_id(struct hit *hit, const char *text, size_t n_bytes) {
    static const char own[] = "gnl|BL_ORD_ID|";
    const size_t n_own = sizeof own - 1;
    if (n_bytes <= n_own || memcmp(text, own, n_own) != 0) return;
    hit->has_ordinal = bm_rank_parse_number(text + n_own, n_bytes - n_own, &hit->ordinal);
}

/* Takes a line of a hit. True if that completes it. */
static bool take_line(struct hit *hit, const char *text, struct bm_rank_value value) {
    switch (value.kind) {
    case BM_RANK_HIT_ID:
        take_id(hit, text, value.n_bytes);
        return false;
    case BM_RANK_HSP_SCORE:
        if (hit->strand == 0 && !bm_rank_parse_number(text, value.n_bytes, &hit->score)) hit->score = 0;
        return false;
    case BM_RANK_HSP_EVALUE:
        if (hit->strand == 0 && !bm_rank_parse_evalue(text, value.n_bytes, &hit->printed)) hit->printed = -1;
        return false;
    case BM_RANK_HSP_STRAND:
        if (hit->strand != 0) return false; /* a later HSP's */
        hit->strand = bm_rank_strand_of(text, value.n_bytes);
        return true;
    default:
        return false;
    }
}

enum blastmerge_status bm_rank_learn_strands(struct bm_rank *rank, struct bm_rank_shard *shard) {
    struct hit before = {0};
    struct hit hit = {0};
    size_t query = 0;
    for (;;) {
        const struct bm_rank_line *line = &shard->lines.line;
        if (bm_rank_lines_is_at_end(&shard->lines)) return BLASTMERGE_OK;
        struct bm_rank_value value = {0};
        enum blastmerge_status status = BLASTMERGE_OK;
        if (line->is_start && line->is_end) value = bm_rank_form_line(rank->form, line->text, line->n_bytes);
        if (value.kind == BM_RANK_HIT) {
            if (hit.strand != 0) before = hit;
            hit = (struct hit){0};
        }
        if (value.kind == BM_RANK_END) { /* of a query, with a list of hits or without */
            before = hit = (struct hit){0};
            status = add_query(rank, shard, query++);
        }
        if (value.kind == BM_RANK_HITS) status = add_query(rank, shard, query);
        if (take_line(&hit, line->text + value.at, value) && query < rank->n_strands)
            compare(rank, query, &before, &hit);
        if (status == BLASTMERGE_OK) status = bm_rank_next(rank, shard);
        if (status != BLASTMERGE_OK) return status;
    }
}
