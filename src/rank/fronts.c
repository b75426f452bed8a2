/* SPDX-License-Identifier: MIT */
/* The text before a query's hits. It must be equal in all shards, except the database's name. */
#include "rank/internal.h"

#include <string.h>

static bool is_database(const struct bm_rank *rank, const char *line, size_t n_bytes) {
    static const char comment[] = "# Database: ";
    if (rank->form != NULL) return bm_rank_form_line(rank->form, line, n_bytes).kind == BM_RANK_DATABASE;
    return n_bytes >= sizeof comment - 1 && memcmp(line, comment, sizeof comment - 1) == 0;
}

static bool is_of_query(const char *line) {
    return strstr(line, "query") != NULL || strstr(line, "<Iteration") != NULL ||
           strstr(line, "# Query") != NULL;
}

/* Writes a line without its indentation and its end. */
static void trim(char *trimmed, size_t size, const char *line, size_t n_bytes) {
    size_t n_blanks = 0;
    if (n_bytes > 0 && line[n_bytes - 1] == '\n') n_bytes--;
    while (n_blanks < n_bytes && line[n_blanks] == ' ') n_blanks++;
    size_t n = n_bytes - n_blanks < size - 1 ? n_bytes - n_blanks : size - 1;
    if (n > 0) memcpy(trimmed, line + n_blanks, n);
    trimmed[n] = '\0';
}

/* Two lines that should be the same. */
static enum blastmerge_status fail_difference(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                              bool are_databases, const char *line, size_t n_bytes,
                                              const char *first_line, size_t n_first) {
    enum { MOST = 300, SHOWN = 160 };
    char text[2][MOST], shown[2][SHOWN];
    trim(text[0], MOST, line, n_bytes);
    trim(text[1], MOST, first_line, n_first);
    for (int i = 0; i < 2; i++) bm_show_difference(shown[i], SHOWN, text[i], text[1 - i]);
    const char *reason =
        are_databases
            ? "each shard's own database has another name: --db NAME says what the whole database is called"
        : is_of_query(text[0]) || is_of_query(text[1]) ? "these shards did not search the same queries"
                                                       : "these are not shards of one search";
    return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH, "it has %s where %.200s has %s: %s", shown[0],
                        bm_rank_shard_name(&rank->shards[0]), shown[1], reason);
}

enum blastmerge_status bm_rank_front_compare(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                             const char *line, size_t n_bytes) {
    const char *first = rank->first_front.data + rank->n_compared;
    size_t n_left = rank->first_front.n_bytes - rank->n_compared;
    const char *feed = n_left > 0 ? memchr(first, '\n', n_left) : NULL;
    size_t n_first = feed != NULL ? (size_t)(feed + 1 - first) : n_left;
    rank->n_compared += n_first;
    if (n_first == n_bytes && (n_bytes == 0 || memcmp(line, first, n_bytes) == 0)) return BLASTMERGE_OK;
    bool are_databases = is_database(rank, line, n_bytes) && is_database(rank, first, n_first);
    if (are_databases && rank->options.database != NULL) return BLASTMERGE_OK;
    return fail_difference(rank, shard, are_databases, line, n_bytes, first, n_first);
}

enum blastmerge_status bm_rank_front_end(struct bm_rank *rank, const struct bm_rank_shard *shard) {
    const struct bm_rank_shard *first = &rank->shards[0];
    bool has_ended = shard->opening == BM_RANK_OTHER;
    if (shard == first) return BLASTMERGE_OK;
    if (has_ended != (first->opening == BM_RANK_OTHER))
        return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                            "it holds %s queries than %.300s: these shards did not search the same queries",
                            has_ended ? "fewer" : "more", bm_rank_shard_name(first));
    return rank->n_compared < rank->first_front.n_bytes ? bm_rank_front_compare(rank, shard, "", 0)
                                                        : BLASTMERGE_OK;
}
