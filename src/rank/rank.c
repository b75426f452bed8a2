/* SPDX-License-Identifier: MIT */
/* What merges of reports and of tables share: their lines, which hit comes first, what is counted, and a merge's life. It is
 * long because all of it works on the one struct that internal.h declares. */
#include "rank/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_HEAD = 4096 /* bytes of a head that are held in memory, whatever their number is */ };

/* --- failing ------------------------------------------------------------------------------------- */

const char *bm_rank_shard_name(const struct bm_rank_shard *shard) {
    return shard->source.shown;
}

/* Adds to an error which shard it is of, and where in it. */
static void blame(struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t offset) {
    const uint64_t n_begun = rank->counts.n_queries;
    rank->error->child = (uint64_t)(shard - rank->shards);
    rank->error->text_offset = offset;
    rank->error->n_iterations = rank->phase == BM_RANK_PHASE_FRONT || n_begun == 0 ? n_begun : n_begun - 1;
}

enum blastmerge_status bm_rank_fail(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                    enum blastmerge_status status, const char *format, ...) {
    char reason[sizeof rank->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    bm_fail(rank->error, status, "%s", reason);
    blame(rank, shard, shard->lines.at == 0 ? BLASTMERGE_NO_OFFSET : shard->lines.at);
    return status;
}

enum blastmerge_status bm_rank_fail_layout(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                           const char *what) {
    return bm_rank_fail(rank, shard, BLASTMERGE_DATA, "is not laid out as BLAST+ writes it: %s", what);
}

enum blastmerge_status bm_rank_fail_room(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                         const char *what) {
    return bm_rank_fail(rank, shard, BLASTMERGE_NO_MEMORY,
                        "%s takes more memory than there is left for such: --memory N gives it more", what);
}

enum blastmerge_status bm_rank_fail_spool(struct bm_rank *rank, const struct bm_rank_shard *shard) {
    if (rank->spool.failure == 0) return bm_fail(rank->error, BLASTMERGE_NO_MEMORY, "out of memory");
    bm_fail_system(rank->error, rank->spool.failure,
                   "text that is too long to be held in memory needs a temporary file, which failed: TMPDIR "
                   "names a folder for it");
    blame(rank, shard, shard->lines.at);
    return rank->error->status;
}

/* The error is the child's, with its own place. */
static enum blastmerge_status fail_child(struct bm_rank *rank, const struct bm_rank_shard *shard) {
    blame(rank, shard, rank->error->text_offset);
    return rank->error->status;
}

/* --- lines --------------------------------------------------------------------------------------- */

/* A table without rows has no text; no bytes at all are what a failed search leaves. */
static enum blastmerge_status check_empty(struct bm_rank *rank, const struct bm_rank_shard *shard) {
    bool is_report = bm_rank_form_of(rank->kin.format) != NULL;
    if (!is_report && (shard->lines.is_compressed || rank->options.allows_empty)) return BLASTMERGE_OK;
    return bm_rank_fail(rank, shard, BLASTMERGE_DATA, "holds nothing, which is what a failed search leaves%s",
                        is_report ? "" : "; --allow-empty takes it for a table without rows");
}

static enum blastmerge_status fail_columns(struct bm_rank *rank, const char *option, const char *of_which) {
    return bm_fail(rank->error, BLASTMERGE_USAGE,
                   "%s is for tables %s, and these shards are none: leave it out", option, of_which);
}

/* Whether the shard was read as a table because of --columns, and its first byte is that of another format. */
static bool has_other_format(const struct bm_rank *rank, const struct bm_rank_shard *shard) {
    const struct bm_batch *batch = shard->lines.has_batch ? shard->lines.child.batch : NULL;
    return rank->options.columns != NULL && batch != NULL && batch->n_text > 0 &&
           memchr("<{#", batch->text[0], 3) != NULL;
}

/* Options of tables are not ignored where there is no table. */
static enum blastmerge_status check_columns(struct bm_rank *rank) {
    bool is_bare = bm_format_is_bare_table(rank->format) || rank->format == BLASTMERGE_FORMAT_AUTO;
    if (rank->options.columns != NULL && !is_bare)
        return fail_columns(rank, "--columns", "without comments (-outfmt 6 and 10)");
    if (rank->options.n_drop_columns > 0 && rank->form != NULL)
        return fail_columns(rank, "--drop-columns", "(-outfmt 7, 6 and 10)");
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_rank_next(struct bm_rank *rank, struct bm_rank_shard *shard) {
    bool is_first = shard->lines.at == 0;
    if (bm_rank_lines_next(&shard->lines, &rank->kin, rank->error) != BLASTMERGE_OK)
        return is_first && has_other_format(rank, shard)
                   ? fail_columns(rank, "--columns", "without comments (-outfmt 6 and 10)")
                   : fail_child(rank, shard);
    if (shard->lines.line.has_return)
        return bm_rank_fail(
            rank, shard, BLASTMERGE_DATA,
            "its lines end in CR LF, and BLAST ends them in LF: give the shards as BLAST wrote "
            "them, or take the CRs out (zcat SHARD | tr -d '\\r')");
    if (!is_first) return BLASTMERGE_OK;
    shard->is_empty = bm_rank_lines_is_at_end(&shard->lines);
    if (shard->is_empty && check_empty(rank, shard) != BLASTMERGE_OK) return rank->error->status;
    if (!shard->is_empty && rank->kin.format == BLASTMERGE_FORMAT_AUTO)
        rank->kin = bm_mark_kin(shard->lines.child.mark);
    bm_rank_lines_let_ahead(&shard->lines);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_rank_whole_line(struct bm_rank *rank, struct bm_rank_shard *shard,
                                          const char **text, size_t *n_bytes) {
    const struct bm_rank_line *line = &shard->lines.line;
    *text = line->text;
    *n_bytes = line->n_bytes;
    if (line->is_end || bm_rank_lines_is_at_end(&shard->lines)) return BLASTMERGE_OK;
    rank->line.n_bytes = 0;
    for (;;) {
        if (!bm_rank_text_add(&rank->line, &rank->budget, line->text, line->n_bytes))
            return bm_rank_fail_room(rank, shard, "a line");
        if (line->is_end) break;
        enum blastmerge_status status = bm_rank_next(rank, shard);
        if (status != BLASTMERGE_OK) return status;
    }
    *text = rank->line.data;
    *n_bytes = rank->line.n_bytes;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_rank_read_line(struct bm_rank *rank, struct bm_rank_shard *shard, const char **text,
                                         size_t *n_bytes) {
    enum blastmerge_status status = shard->is_begun ? BLASTMERGE_OK : bm_rank_next(rank, shard);
    shard->is_begun = false;
    return status == BLASTMERGE_OK ? bm_rank_whole_line(rank, shard, text, n_bytes) : status;
}

static struct bm_rank_part part_of(const struct bm_rank *rank, const struct bm_rank_shard *shard,
                                   struct bm_rank_value (*classify)(const struct bm_rank_form *, const char *,
                                                                    size_t)) {
    const struct bm_rank_line *line = &shard->lines.line;
    struct bm_rank_part part = {line->text, line->n_bytes, {BM_RANK_OTHER, 0, 0}};
    if (line->is_start && line->is_end) part.value = classify(rank->form, line->text, line->n_bytes);
    return part;
}

struct bm_rank_part bm_rank_part(const struct bm_rank *rank, const struct bm_rank_shard *shard) {
    return part_of(rank, shard, bm_rank_form_line);
}

enum blastmerge_status bm_rank_next_part(struct bm_rank *rank, struct bm_rank_shard *shard,
                                         struct bm_rank_part *part) {
    enum blastmerge_status status = bm_rank_next(rank, shard);
    if (status == BLASTMERGE_OK) *part = part_of(rank, shard, bm_rank_form_hit_line);
    return status;
}

static enum blastmerge_status add_out(struct bm_rank *rank, const void *text, size_t n_bytes) {
    if (bm_rank_text_add(&rank->out, &rank->budget, text, n_bytes)) return BLASTMERGE_OK;
    return bm_fail(rank->error, BLASTMERGE_NO_MEMORY,
                   "the merged text takes more memory than there is left for it: --memory N gives it more");
}

enum blastmerge_status bm_rank_put(struct bm_rank *rank, const void *text, size_t n_bytes) {
    struct bm_rank_watch *watch = rank->options.watch;
    if (watch != NULL && n_bytes > 0) watch->put(watch, n_bytes);
    return add_out(rank, text, n_bytes);
}

enum blastmerge_status bm_rank_put_own(struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t at,
                                       const void *text, size_t n_bytes) {
    struct bm_rank_watch *watch = rank->options.watch;
    if (watch != NULL && n_bytes > 0) watch->put_own(watch, shard->lines.number, at, n_bytes);
    return add_out(rank, text, n_bytes);
}

enum blastmerge_status bm_rank_put_long(struct bm_rank *rank, struct bm_rank_shard *shard,
                                        struct bm_rank_long *text, uint64_t from, size_t n_bytes) {
    char bytes[4096];
    for (size_t n = 0; n_bytes > 0; from += n, n_bytes -= n) {
        n = n_bytes < sizeof bytes ? n_bytes : sizeof bytes;
        if (!bm_rank_long_read(text, &rank->spool, from, bytes, n)) return bm_rank_fail_spool(rank, shard);
        enum blastmerge_status status = bm_rank_put(rank, bytes, n);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

/* Puts a stretch of a head that lies in no number that is not the shard's own, or in such a one. */
static enum blastmerge_status put_stretch(struct bm_rank *rank, struct bm_rank_shard *shard, uint64_t from,
                                          uint64_t own, bool is_own, size_t n_bytes) {
    char bytes[4096];
    for (size_t n = 0; n_bytes > 0; from += n, own += n, n_bytes -= n) {
        n = n_bytes < sizeof bytes ? n_bytes : sizeof bytes;
        if (!bm_rank_long_read(&shard->head.text, &rank->spool, from, bytes, n))
            return bm_rank_fail_spool(rank, shard);
        enum blastmerge_status status =
            is_own ? bm_rank_put_own(rank, shard, own, bytes, n) : bm_rank_put(rank, bytes, n);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_rank_put_head(struct bm_rank *rank, struct bm_rank_shard *shard, uint64_t from,
                                        size_t n_bytes) {
    const struct bm_rank_edit *edits = shard->head.edits;
    const size_t n_edits = shard->head.n_edits, n_known = n_edits < BM_RANK_EDITS ? n_edits : BM_RANK_EDITS;
    const uint64_t to = from + n_bytes;
    uint64_t own =
        shard->head.begin; /* of the head's text, less what the numbers before have made it longer */
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = 0; i < n_known; i++) {
        uint64_t begin = edits[i].at, end = begin + edits[i].n_bytes;
        if (from < begin && from < to) {
            uint64_t n = (begin < to ? begin : to) - from;
            status = put_stretch(rank, shard, from, own + from, true, (size_t)n);
            from += n;
        }
        if (status == BLASTMERGE_OK && from >= begin && from < end && from < to) {
            uint64_t n = (end < to ? end : to) - from;
            status = put_stretch(rank, shard, from, 0, false, (size_t)n);
            from += n;
        }
        if (status != BLASTMERGE_OK) return status;
        own += edits[i].n_own - edits[i].n_bytes;
    }
    return put_stretch(rank, shard, from, own + from, n_edits == n_known, (size_t)(to - from));
}

size_t bm_rank_write_number(char digits[BM_RANK_DIGITS], uint64_t number) {
    size_t n = 1;
    for (uint64_t rest = number / 10; rest > 0; rest /= 10) n++;
    for (size_t i = n; i > 0; i--, number /= 10) digits[i - 1] = (char)('0' + number % 10);
    return n;
}

enum blastmerge_status bm_rank_put_number(struct bm_rank *rank, uint64_t number) {
    char digits[BM_RANK_DIGITS];
    return bm_rank_put(rank, digits, bm_rank_write_number(digits, number));
}

/* --- which hit comes first ----------------------------------------------------------------------- */

enum blastmerge_status bm_rank_find_place(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                          struct bm_rank_order *order, uint64_t hash, uint64_t *place) {
    *place = UINT64_MAX;
    if (order == NULL || bm_rank_order_find(order, hash, place)) return BLASTMERGE_OK;
    bm_fail_system(rank->error, order->system_error, "the temporary file of a list of names cannot be read");
    blame(rank, shard, BLASTMERGE_NO_OFFSET);
    return rank->error->status;
}

enum blastmerge_status bm_rank_ordinal(struct bm_rank *rank, const struct bm_rank_shard *shard, uint64_t n,
                                       uint64_t *ordinal) {
    size_t place = (size_t)(shard - rank->shards);
    *ordinal = n;
    if (shard->n_sequences > 0 && n >= shard->n_sequences)
        return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                            "it has a hit on sequence %" PRIu64 " of %" PRIu64
                            ", counted from 0: its search has seen another part of the database%s",
                            n, shard->n_sequences,
                            rank->options.sizes != NULL ? ": do the numbers of --sizes fit?"
                            : rank->options.layout != BM_RANK_WINDOWS
                                ? ": are these windows on one database? --window says so"
                                : "");
    switch (rank->options.layout) {
    case BM_RANK_WINDOWS:
        return BLASTMERGE_OK;
    case BM_RANK_ROUND_ROBIN:
        if (!__builtin_mul_overflow(n, rank->n_shards, ordinal) && bm_add(ordinal, place))
            return BLASTMERGE_OK;
        break;
    case BM_RANK_SLICES:
        if (shard->first == UINT64_MAX)
            return bm_rank_fail(
                rank, shard, BLASTMERGE_USAGE,
                "its subjects are counted from the start of its part of the database, and how "
                "many the parts before hold is not known, since they can be read only once: "
                "--sizes N,N,... gives their numbers of sequences");
        if (bm_add(ordinal, shard->first)) return BLASTMERGE_OK;
        break;
    }
    return bm_rank_fail(rank, shard, BLASTMERGE_DATA, "the number of a subject, %" PRIu64 ", is too large",
                        n);
}

/* Computes the E-value to its last bit, where that is possible, once. */
static void rebuild(struct bm_rank *rank, struct bm_rank_head *head) {
    if (head->has_tried || rank->gumbel == NULL || !rank->has_statistics) return;
    struct bm_rank_statistics statistics = rank->statistics;
    statistics.n_query = rank->n_query;
    head->has_tried = true;
    head->is_rebuilt = bm_rank_rebuild_evalue(rank->gumbel, &statistics, head->score, head->length,
                                              head->printed, &head->evalue);
}

bool bm_rank_is_program(const struct bm_rank *rank, const char *name) {
    return rank->program.n_bytes == strlen(name) && memcmp(rank->program.text, name, strlen(name)) == 0;
}

int bm_rank_compare(struct bm_rank *rank, struct bm_rank_head *one, struct bm_rank_head *other) {
    if (one->printed != other->printed) return one->printed < other->printed ? -1 : 1;
    rebuild(rank, one);
    rebuild(rank, other);
    if (one->is_rebuilt && other->is_rebuilt && one->evalue != other->evalue)
        return one->evalue < other->evalue ? -1 : 1;
    if (one->strand * other->strand == -1) {
        int8_t first = bm_rank_first_strand(rank);
        if (first != 0) return one->strand == first ? -1 : 1;
    }
    if (one->score != other->score) return one->score > other->score ? -1 : 1;
    if (one->bits != other->bits) return one->bits > other->bits ? -1 : 1;
    bool has_lengths = one->printed > 0 && one->length != other->length && bm_rank_is_program(rank, "blastp");
    if (has_lengths) /* E-values grow with these */
        return one->length < other->length ? -1 : 1;
    return 0;
}

/* Whether the shards' own order says nothing about the database's. */
static bool is_scattered(const struct bm_rank *rank) {
    return rank->options.layout == BM_RANK_ROUND_ROBIN || rank->options.order != NULL;
}

/* Whether the first shard's hit ranks before the other's. Of equal hits the later subject comes first. */
static bool is_before(struct bm_rank *rank, size_t shard, size_t other_shard) {
    struct bm_rank_head *one = &rank->shards[shard].head;
    struct bm_rank_head *other = &rank->shards[other_shard].head;
    if (!one->is_there || !other->is_there) return one->is_there;
    int order = bm_rank_compare(rank, one, other);
    if (order != 0) return order < 0;
    bool is_known = one->ordinal != UINT64_MAX && other->ordinal != UINT64_MAX;
    return is_known ? one->ordinal > other->ordinal : shard > other_shard;
}

/*
 * The shards play a knock-out: the inner nodes of a tree, whose leaves are the shards, hold the losers, and tree[0] the
 * winner. When the winner's hit has been written, its next one plays against the losers on its way up. So a hit of K
 * shards costs log K comparisons.
 *
 * Sends a shard up from its leaf. A node without a loser is one that the other side has not reached yet.
 */
static void play(struct bm_rank *rank, size_t shard) {
    size_t *tree = rank->tree;
    const size_t none = rank->n_shards;
    for (size_t node = (shard + rank->n_shards) / 2; node > 0; node /= 2) {
        size_t loser = tree[node];
        if (loser != none && !is_before(rank, loser, shard)) continue;
        tree[node] = shard;
        shard = loser;
        if (loser == none) return;
    }
    tree[0] = shard;
}

size_t bm_rank_best(struct bm_rank *rank) {
    if (rank->has_tree) {
        play(rank, rank->tree[0]);
    } else {
        for (size_t i = 0; i < rank->n_shards; i++) rank->tree[i] = rank->n_shards;
        for (size_t i = 0; i < rank->n_shards; i++) play(rank, i);
        rank->has_tree = true;
    }
    size_t best = rank->tree[0];
    return rank->shards[best].head.is_there ? best : rank->n_shards;
}

/* Whether the order of two hits of different shards cannot be told from what was printed. */
static bool is_undecided(struct bm_rank *rank, const struct bm_rank_head *one,
                         const struct bm_rank_head *other) {
    if (one->printed != other->printed) return false;
    bool is_exact = (one->is_rebuilt && other->is_rebuilt) || (one->printed == 0 && !rank->lacks_scores) ||
                    bm_rank_is_program(rank, "blastn");
    bool differ = one->score != other->score || one->bits != other->bits || one->length != other->length;
    if (!is_exact && (differ || rank->lacks_columns)) return true;
    if (one->score != other->score || one->evalue != other->evalue) return false;
    if (one->strand * other->strand == -1 && !rank->are_strands_mixed) {
        bool is_known = bm_rank_first_strand(rank) != 0;
        rank->counts.n_strands += !is_known;
        return !is_known;
    }
    return is_scattered(rank) && (one->ordinal == UINT64_MAX || other->ordinal == UINT64_MAX);
}

void bm_rank_count_cut(struct bm_rank *rank, size_t shard) {
    struct bm_rank_head *head = &rank->shards[shard].head;
    rank->counts.n_cut++;
    if (bm_rank_compare(rank, &rank->last, head) == 0) rank->counts.n_tied_cuts++;
    if (rank->last_shard != shard && is_undecided(rank, &rank->last, head)) rank->counts.n_undecided++;
}

void bm_rank_count_order(struct bm_rank *rank, size_t shard) {
    const struct bm_rank_head *head = &rank->shards[shard].head;
    if (rank->n_written == 0) rank->n_equal = 0;
    if (rank->n_written > 0 && rank->last_shard != shard) {
        rank->n_equal += bm_rank_compare(rank, &rank->last, &rank->shards[shard].head) == 0;
        if (is_undecided(rank, &rank->last, head)) rank->counts.n_undecided++;
        if (head->id != 0 && rank->last.id == head->id && !head->has_ordinal_id) rank->counts.n_twins++;
    }
    rank->last = *head;
    rank->last.text = (struct bm_rank_long){0};
    rank->last.row = (struct bm_rank_text){0};
    rank->last_shard = shard;
}

/* --- a merge's life ------------------------------------------------------------------------------ */

static void set_firsts(struct bm_rank *rank) {
    uint64_t first = 0;
    bool is_known = true;
    for (size_t i = 0; i < rank->n_shards; i++) {
        struct bm_rank_shard *shard = &rank->shards[i];
        if (rank->options.sizes != NULL) shard->n_sequences = rank->options.sizes[i];
        shard->first = is_known ? first : UINT64_MAX;
        is_known = is_known && (shard->n_sequences > 0 || rank->options.sizes != NULL) &&
                   bm_add(&first, shard->n_sequences);
    }
}

enum blastmerge_status bm_rank_open(struct bm_rank **rank, const struct bm_rank_options *options,
                                    const struct bm_child_settings *settings,
                                    const struct bm_fetch_source *sources, size_t n_shards, size_t n_bytes,
                                    size_t n_heads, size_t n_text, struct bm_workers *workers,
                                    struct bm_cancel *cancel, struct bm_memory *memory) {
    struct bm_child_settings own = *settings;
    struct bm_rank *opened = bm_allocate(memory, sizeof *opened);
    *rank = opened;
    if (opened == NULL) return BLASTMERGE_NO_MEMORY;
    opened->memory = memory;
    opened->cancel = cancel;
    opened->options = *options;
    if (opened->options.n_targets == 0) opened->options.n_targets = BM_RANK_DEFAULT_TARGETS;
    opened->budget = (struct bm_rank_budget){memory, n_text};
    bm_rank_spool_open(&opened->spool, memory, n_heads, opened->options.beside);
    opened->n_most_head = n_heads / n_shards > LEAST_HEAD ? n_heads / n_shards : LEAST_HEAD;
    opened->shards = bm_allocate(memory, n_shards * sizeof *opened->shards);
    if (opened->shards == NULL) return BLASTMERGE_NO_MEMORY;
    opened->piece = bm_allocate(memory, sizeof *opened->piece);
    opened->tree = bm_allocate(memory, n_shards * sizeof *opened->tree);
    if (opened->piece == NULL || opened->tree == NULL) return BLASTMERGE_NO_MEMORY;
    own.piece = opened->piece;
    own.is_without_marks = true;
    own.room = bm_child_lane_room_within(n_bytes / n_shards);
    for (size_t i = 0; i < n_shards; i++) {
        struct bm_rank_shard *shard = &opened->shards[i];
        opened->n_shards = i + 1;
        shard->source = sources[i];
        if (bm_rank_lines_create(&shard->lines, &own, workers, memory) != BLASTMERGE_OK)
            return BLASTMERGE_NO_MEMORY;
        shard->lines.watch = opened->options.watch;
        shard->lines.number = i;
    }
    return BLASTMERGE_OK;
}

void bm_rank_close(struct bm_rank *rank) {
    if (rank == NULL) return;
    struct bm_rank_budget *budget = &rank->budget;
    for (size_t i = 0; i < rank->n_shards; i++) {
        bm_rank_lines_destroy(&rank->shards[i].lines, rank->memory);
        bm_fetch_source_close(&rank->shards[i].source);
        bm_rank_long_free(&rank->shards[i].head.text, &rank->spool);
        bm_rank_text_free(&rank->shards[i].head.row, budget);
    }
    bm_rank_close_tables(rank);
    bm_rank_spool_close(&rank->spool);
    bm_rank_text_free(&rank->out, budget);
    bm_rank_text_free(&rank->line, budget);
    bm_rank_text_free(&rank->first_front, budget);
    bm_rank_text_free(&rank->front, budget);
    bm_rank_text_free(&rank->tail.text, budget);
    bm_rank_text_free(&rank->hsp, budget);
    bm_release(rank->memory, rank->strands);
    bm_release(rank->memory, rank->piece);
    bm_release(rank->memory, rank->tree);
    bm_release(rank->memory, rank->shards);
    bm_release(rank->memory, rank);
}

bool bm_rank_is_done(const struct bm_rank *rank) {
    return rank->phase == BM_RANK_PHASE_DONE && rank->n_handed_out == rank->out.n_bytes;
}

void bm_rank_count_hit(struct bm_rank_shard *shard) {
    shard->n_hits++;
    if (shard->n_hits < shard->n_most_hits) return;
    shard->n_with_most = shard->n_hits == shard->n_most_hits ? shard->n_with_most + 1 : 1;
    shard->n_most_hits = shard->n_hits;
}

void bm_rank_count_written(struct bm_rank *rank) {
    rank->n_written++;
    rank->counts.n_hits++;
    if (rank->n_written > rank->n_most_written) rank->n_most_written = rank->n_written;
}

/* No result says how many hits a search was limited to. Where the longest lists of all shards are equally long, and not of one
 * query alone, it was most likely to that; more hits than it of a query are too many for the whole, then. */
static uint64_t find_limit(const struct bm_rank *rank) {
    enum { ENOUGH = 10 };
    const uint64_t n_limit = rank->shards[0].n_most_hits;
    for (size_t i = 0; i < rank->n_shards; i++) {
        const struct bm_rank_shard *shard = &rank->shards[i];
        bool is_limited =
            shard->n_most_hits == n_limit && shard->n_with_most > 1 && n_limit * shard->n_with_most >= ENOUGH;
        if (!is_limited) return 0;
    }
    return n_limit < rank->n_most_written ? n_limit : 0;
}

enum blastmerge_format bm_rank_format(const struct bm_rank *rank) {
    return rank->format;
}

const struct bm_rank_counts *bm_rank_counts(struct bm_rank *rank) {
    bool has_parts = rank->n_shards > 1 && rank->options.layout != BM_RANK_WINDOWS;
    bm_rank_tables_settle(rank);
    rank->counts.n_limit = find_limit(rank);
    rank->counts.is_linked_by_parts = has_parts && bm_rank_is_program(rank, "tblastx");
    return &rank->counts;
}

const struct bm_rank_shard *bm_rank_shard(const struct bm_rank *rank, size_t i) {
    return &rank->shards[i];
}

/* --- the survey ---------------------------------------------------------------------------------- */

static enum blastmerge_status survey_shard(struct bm_rank *rank, struct bm_rank_shard *shard) {
    bm_rank_lines_open(&shard->lines, &shard->source, rank->cancel);
    enum blastmerge_status status = bm_rank_next(rank, shard);
    if (status == BLASTMERGE_OK && !shard->is_empty) {
        rank->format = rank->kin.format;
        rank->form = bm_rank_form_of(rank->format);
        status = check_columns(rank);
    }
    if (status == BLASTMERGE_OK && !shard->is_empty)
        status = rank->form != NULL ? bm_rank_survey_report(rank, shard) : bm_rank_survey_table(rank, shard);
    bm_rank_lines_close(&shard->lines);
    shard->head.is_there = false;
    return status;
}

/* What all of the shards' parts together hold. */
static void sum_residues(struct bm_rank *rank) {
    uint64_t total = 0;
    for (size_t i = 0; i < rank->n_shards; i++) {
        uint64_t n = rank->shards[i].n_residues;
        rank->n_sequences += rank->shards[i].n_sequences; /* of 32 bits each in BLAST's databases */
        if (n == 0 || !bm_add(&total, n)) rank->has_statistics = false;
    }
    bool is_window = rank->options.layout == BM_RANK_WINDOWS;
    rank->statistics.n_residues = is_window ? rank->shards[0].n_residues : total;
}

enum blastmerge_status bm_rank_survey(struct bm_rank *rank, const struct bm_mark_kin *kin,
                                      enum blastmerge_format *format, struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    rank->error = error;
    rank->kin = *kin;
    for (size_t i = 0; i < rank->n_shards && status == BLASTMERGE_OK; i++)
        if (rank->shards[i].source.can_read_ahead) status = survey_shard(rank, &rank->shards[i]);
    if (status == BLASTMERGE_OK && rank->tables != NULL) status = bm_rank_end_survey_tables(rank);
    if (status != BLASTMERGE_OK) return status;
    sum_residues(rank);
    set_firsts(rank);
    if (rank->options.is_recomputed) status = bm_rank_begin_recompute(rank);
    if (status != BLASTMERGE_OK) return status;
    *format = rank->format;
    for (size_t i = 0; i < rank->n_shards; i++)
        bm_rank_lines_open(&rank->shards[i].lines, &rank->shards[i].source, rank->cancel);
    return BLASTMERGE_OK;
}

/* --- reading ------------------------------------------------------------------------------------- */

/* The first line of the first shard that has one tells the format. */
static enum blastmerge_status find_format(struct bm_rank *rank) {
    for (size_t i = 0; i < rank->n_shards && rank->format == BLASTMERGE_FORMAT_AUTO; i++) {
        enum blastmerge_status status = bm_rank_next(rank, &rank->shards[i]);
        if (status != BLASTMERGE_OK) return status;
        rank->format = rank->kin.format;
        rank->shards[i].is_begun = true;
    }
    rank->form = bm_rank_form_of(rank->format);
    if (rank->format == BLASTMERGE_FORMAT_AUTO) rank->phase = BM_RANK_PHASE_DONE; /* all are empty */
    if (check_columns(rank) != BLASTMERGE_OK) return rank->error->status;
    if (rank->form != NULL || rank->format == BLASTMERGE_FORMAT_AUTO || rank->tables != NULL)
        return BLASTMERGE_OK;
    enum blastmerge_status status = bm_rank_open_tables(rank);
    return status == BLASTMERGE_OK ? bm_rank_end_survey_tables(rank) : status;
}

static enum blastmerge_status step(struct bm_rank *rank) {
    if (bm_cancel_is_set(rank->cancel)) return bm_fail(rank->error, BLASTMERGE_CANCELLED, "cancelled");
    if (rank->form != NULL) return bm_rank_step_report(rank);
    return rank->tables != NULL ? bm_rank_step_table(rank) : find_format(rank);
}

enum blastmerge_status bm_rank_read(struct bm_rank *rank, uint8_t *data, size_t capacity, size_t *n_read,
                                    struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    *n_read = 0;
    rank->error = error;
    if (rank->n_handed_out == rank->out.n_bytes) {
        rank->n_handed_out = rank->out.n_bytes = 0;
        while (rank->out.n_bytes < capacity && rank->phase != BM_RANK_PHASE_DONE && status == BLASTMERGE_OK)
            status = step(rank);
    }
    if (status != BLASTMERGE_OK) return status;
    size_t n = rank->out.n_bytes - rank->n_handed_out;
    *n_read = n < capacity ? n : capacity;
    if (*n_read > 0) memcpy(data, rank->out.data + rank->n_handed_out, *n_read);
    rank->n_handed_out += *n_read;
    return BLASTMERGE_OK;
}
