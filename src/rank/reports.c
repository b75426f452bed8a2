/* SPDX-License-Identifier: MIT */
/*
 * Merges reports: -outfmt 5, 16 and 15. For each query, a report has a description (the front), then hits,
 * then statistics (the tail).
 *
 * The fronts of all shards must be equal, except the database's name. This shows that the shards searched the
 * same queries with the same parameters. Each step writes the hit of the shard that has the best one.
 * Statistics follow the hits, so they have been read when they are needed. A front or tail around hits may
 * differ from one without hits. So both come from a shard that has hits, if there is one.
 *
 * The file is long because front, hits and tail are phases of one machine, which share what a shard has read.
 */
#include "base/entity.h"
#include "rank/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STEP = 65536 /* bytes that are passed on in one step, or little more */ };

static struct bm_rank_value classify(const struct bm_rank *rank, const char *text, size_t n_bytes) {
    return bm_rank_form_line(rank->form, text, n_bytes);
}

static void set_word(struct bm_rank_word *word, const char *text, size_t n_bytes) {
    word->n_bytes = n_bytes < sizeof word->text ? n_bytes : sizeof word->text;
    if (n_bytes > 0) memcpy(word->text, text, word->n_bytes);
}

/* --- fronts -------------------------------------------------------------------------------------- */

/* Adds text as the format has it between its quotes or tags. */
static bool add_escaped(struct bm_rank *rank, const char *text) {
    bool is_json = bm_format_of(rank->format)->syntax == BM_SYNTAX_JSON;
    for (; *text != '\0'; text++) {
        const char *escaped = is_json         ? (*text == '"'    ? "\\\""
                                                 : *text == '\\' ? "\\\\"
                                                                 : NULL)
                              : *text == '"'  ? "&quot;"
                              : *text == '\'' ? "&apos;"
                                              : bm_entity_of(*text);
        size_t n_bytes = escaped != NULL ? strlen(escaped) : 1;
        if (!bm_rank_text_add(&rank->front, &rank->budget, escaped != NULL ? escaped : text, n_bytes))
            return false;
    }
    return true;
}

/* Adds a line of a front; with another value, if there is one. */
static bool add_front(struct bm_rank *rank, const char *line, size_t n_bytes, struct bm_rank_value value,
                      const char *other) {
    struct bm_rank_text *front = &rank->front;
    struct bm_rank_budget *budget = &rank->budget;
    size_t end = value.at + value.n_bytes;
    if (other == NULL) return bm_rank_text_add(front, budget, line, n_bytes);
    return bm_rank_text_add(front, budget, line, value.at) && add_escaped(rank, other) &&
           bm_rank_text_add(front, budget, line + end, n_bytes - end);
}

static enum blastmerge_status take_query_id(struct bm_rank *rank, const char *text, size_t n_bytes) {
    bool is_again = rank->query_id.n_bytes == n_bytes && n_bytes < BM_RANK_SHORT &&
                    memcmp(rank->query_id.text, text, n_bytes) == 0;
    set_word(&rank->query_id, text, n_bytes);
    bool has_rounds = bm_rank_is_program(rank, "psiblast") || bm_rank_is_program(rank, "deltablast");
    if (!is_again || !has_rounds) return BLASTMERGE_OK;
    return bm_rank_fail(
        rank, &rank->shards[0], BLASTMERGE_MISMATCH,
        "is of PSI-BLAST with several rounds: each shard has made a profile of its own, so that "
        "no merge is what a search of the whole database finds; merge searches with "
        "-num_iterations 1");
}

/* A line of the first shard's front. */
static enum blastmerge_status take_front(struct bm_rank *rank, const char *line, size_t n_bytes) {
    struct bm_rank_value value = classify(rank, line, n_bytes);
    const char *text = line + value.at;
    uint64_t *number = value.kind == BM_RANK_QUERY_LENGTH ? &rank->n_query
                       : value.kind == BM_RANK_GAP_OPEN   ? &rank->gap_open
                       : value.kind == BM_RANK_GAP_EXTEND ? &rank->gap_extend
                                                          : NULL;
    if (number != NULL && !bm_rank_parse_number(text, value.n_bytes, number)) *number = 0;
    if (value.kind == BM_RANK_EXPECT && !bm_rank_parse_evalue(text, value.n_bytes, &rank->threshold))
        rank->threshold = 0;
    if (value.kind == BM_RANK_PROGRAM) set_word(&rank->program, text, value.n_bytes);
    if (value.kind == BM_RANK_MATRIX) set_word(&rank->matrix, text, value.n_bytes);
    if (value.kind == BM_RANK_QUERY_ID && take_query_id(rank, text, value.n_bytes) != BLASTMERGE_OK)
        return rank->error->status;
    const char *other = value.kind == BM_RANK_DATABASE ? rank->options.database
                        : value.kind == BM_RANK_EXPECT ? rank->options.evalue_text
                                                       : NULL;
    if (bm_rank_text_add(&rank->first_front, &rank->budget, line, n_bytes) &&
        add_front(rank, line, n_bytes, value, other))
        return BLASTMERGE_OK;
    return bm_rank_fail_room(rank, &rank->shards[0], "what stands before its hits");
}

static bool opens_hits(enum bm_rank_kind kind) {
    return kind == BM_RANK_HITS || kind == BM_RANK_HITS_EMPTY || kind == BM_RANK_STATISTICS;
}

/* Reads a shard up to a query's hits, or to its end. */
static enum blastmerge_status read_front(struct bm_rank *rank, struct bm_rank_shard *shard) {
    enum blastmerge_status status = BLASTMERGE_OK;
    rank->n_compared = 0;
    shard->opening = BM_RANK_OTHER;
    for (;;) {
        const char *line = NULL;
        size_t n_bytes = 0;
        status = bm_rank_read_line(rank, shard, &line, &n_bytes);
        if (status != BLASTMERGE_OK || n_bytes == 0) break;
        enum bm_rank_kind kind = classify(rank, line, n_bytes).kind;
        if (opens_hits(kind)) {
            shard->opening = kind;
            set_word(&shard->opening_line, line, n_bytes);
            break;
        }
        if (kind >= BM_RANK_HIT_NUMBER)
            return bm_rank_fail_layout(rank, shard, "a list of hits does not begin with a line of its own");
        status = shard == rank->shards ? take_front(rank, line, n_bytes)
                                       : bm_rank_front_compare(rank, shard, line, n_bytes);
        if (status != BLASTMERGE_OK) break;
    }
    return status == BLASTMERGE_OK ? bm_rank_front_end(rank, shard) : status;
}

/* --- heads --------------------------------------------------------------------------------------- */

/* Adds text to a head. */
static enum blastmerge_status add_head(struct bm_rank *rank, struct bm_rank_shard *shard, const char *text,
                                       size_t n_bytes) {
    if (bm_rank_long_add(&shard->head.text, &rank->spool, rank->n_most_head, text, n_bytes))
        return BLASTMERGE_OK;
    return bm_rank_fail_spool(rank, shard);
}

/* The id or accession of a subject: BLAST's own count of it goes on over the shards. */
static enum blastmerge_status take_subject(struct bm_rank *rank, struct bm_rank_shard *shard,
                                           const char *line, size_t n_bytes, struct bm_rank_value value) {
    static const char own[] = "gnl|BL_ORD_ID|";
    const size_t n_own = sizeof own - 1;
    struct bm_rank_head *head = &shard->head;
    const char *text = line + value.at;
    uint64_t n = 0;
    size_t at = value.at;
    if (value.kind == BM_RANK_HIT_ID) {
        head->has_ordinal_id = value.n_bytes > n_own && memcmp(text, own, n_own) == 0;
        at += head->has_ordinal_id ? n_own : 0;
    } else if (!head->has_ordinal_id && head->id == 0) {
        head->id = bm_rank_hash(text, value.n_bytes);
        enum blastmerge_status found = bm_rank_find_place(
            rank, shard, rank->options.order, bm_rank_subject_hash(text, value.n_bytes), &head->ordinal);
        if (found != BLASTMERGE_OK) return found;
    }
    size_t n_digits = value.n_bytes - (at - value.at);
    if (!head->has_ordinal_id || !bm_rank_parse_number(line + at, n_digits, &n))
        return add_head(rank, shard, line, n_bytes);
    char digits[BM_RANK_DIGITS];
    enum blastmerge_status status = bm_rank_ordinal(rank, shard, n, &head->ordinal);
    const size_t n_new = bm_rank_write_number(digits, head->ordinal);
    if (status == BLASTMERGE_OK) status = add_head(rank, shard, line, at);
    if (head->ordinal != n || n_new != n_digits) {
        if (head->n_edits < BM_RANK_EDITS)
            head->edits[head->n_edits] =
                (struct bm_rank_edit){.at = head->text.n_bytes, .n_bytes = n_new, .n_own = n_digits};
        head->n_edits++;
    }
    if (status == BLASTMERGE_OK) status = add_head(rank, shard, digits, n_new);
    at += n_digits;
    return status == BLASTMERGE_OK ? add_head(rank, shard, line + at, n_bytes - at) : status;
}

/* A line of a hit's head, or a piece of one. */
static enum blastmerge_status take_head(struct bm_rank *rank, struct bm_rank_shard *shard,
                                        const struct bm_rank_part *part) {
    struct bm_rank_head *head = &shard->head;
    struct bm_rank_value value = part->value;
    const char *text = part->text + value.at;
    bool is_fine = true;
    switch (value.kind) {
    case BM_RANK_HIT_ID:
    case BM_RANK_HIT_ACCESSION:
        return take_subject(rank, shard, part->text, part->n_bytes, value);
    case BM_RANK_HIT_NUMBER:
        head->number_at = head->text.n_bytes + value.at;
        head->n_number = value.n_bytes;
        if (!bm_rank_parse_number(text, value.n_bytes, &head->number)) head->number = 0;
        break;
    case BM_RANK_HIT_LENGTH:
        is_fine = head->has_length = bm_rank_parse_number(text, value.n_bytes, &head->length);
        break;
    case BM_RANK_HSP_SCORE:
        is_fine = head->has_score = bm_rank_parse_number(text, value.n_bytes, &head->score);
        break;
    case BM_RANK_HSP_EVALUE:
        is_fine =
            bm_rank_parse_evalue(text, value.n_bytes, &head->printed) && head->has_score && head->has_length;
        head->evalue_at = head->text.n_bytes + value.at;
        head->n_evalue = value.n_bytes;
        if (head->printed < BM_RANK_LEAST_EVALUE) head->printed = 0;
        break;
    case BM_RANK_HSP_STRAND:
        head->strand = bm_rank_strand_of(text, value.n_bytes);
        break;
    case BM_RANK_HIT_END:
        is_fine = false;
        break;
    default:
        break;
    }
    if (!is_fine)
        return bm_rank_fail_layout(rank, shard, "a hit's length, score or E-value is missing or no number");
    return add_head(rank, shard, part->text, part->n_bytes);
}

static void begin_head(struct bm_rank *rank, struct bm_rank_head *head) {
    bm_rank_long_clear(&head->text, &rank->spool);
    struct bm_rank_long text = head->text;
    *head = (struct bm_rank_head){.text = text, .ordinal = UINT64_MAX};
}

/* Where the shard's current line begins in its text. */
static uint64_t line_begin(const struct bm_rank_shard *shard) {
    return shard->lines.at - shard->lines.line.n_bytes;
}

/* What holds for the hits of one list. */
static enum blastmerge_status check_list(struct bm_rank *rank, struct bm_rank_shard *shard) {
    struct bm_rank_head *head = &shard->head;
    bm_rank_count_hit(shard);
    shard->n_all_hits++;
    if (head->number_at == 0 || head->number_at > BM_RANK_PIECE)
        return bm_rank_fail_layout(rank, shard, "a hit does not begin with its number");
    if (shard->n_hits > 1 && head->printed < shard->last_printed)
        return bm_rank_fail(rank, shard, BLASTMERGE_DATA,
                            "its hits are not in the order in which BLAST ranks: the E-value of a hit is "
                            "less than that of the hit "
                            "before" BM_RANK_QCOV);
    shard->last_printed = head->printed;
    if (shard->n_hits > rank->options.n_targets)
        return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                            "it holds more than %" PRIu64
                            " hits for one query: --max-target-seqs N takes the "
                            "number that the searches had (500 where they had none)",
                            rank->options.n_targets);
    return BLASTMERGE_OK;
}

/* Reads the head of the hit that the current line begins. No hit is there if the list ends instead. */
static enum blastmerge_status read_next_head(struct bm_rank *rank, struct bm_rank_shard *shard) {
    enum bm_rank_kind last = rank->is_by_strand ? BM_RANK_HSP_STRAND : BM_RANK_HSP_EVALUE;
    struct bm_rank_part part = bm_rank_part(rank, shard);
    begin_head(rank, &shard->head);
    shard->head.begin = line_begin(shard);
    if (part.value.kind == BM_RANK_HITS_END) return BLASTMERGE_OK;
    if (part.value.kind != BM_RANK_HIT)
        return bm_rank_fail_layout(rank, shard, "a hit does not begin with a line of its own");
    enum blastmerge_status status = take_head(rank, shard, &part);
    while (status == BLASTMERGE_OK && part.value.kind != last) {
        status = bm_rank_next_part(rank, shard, &part);
        if (status == BLASTMERGE_OK && part.n_bytes == 0)
            return bm_rank_fail_layout(rank, shard, "it ends inside a hit");
        if (status == BLASTMERGE_OK) status = take_head(rank, shard, &part);
    }
    if (status != BLASTMERGE_OK) return status;
    shard->head.is_there = true;
    return check_list(rank, shard);
}

/* Reads the head of the next hit that is not left out. */
static enum blastmerge_status read_head(struct bm_rank *rank, struct bm_rank_shard *shard) {
    enum blastmerge_status status = BLASTMERGE_OK;
    bool is_left_out = false;
    do {
        is_left_out = false;
        status = read_next_head(rank, shard);
        if (status == BLASTMERGE_OK && shard->head.is_there && rank->options.is_recomputed)
            status = bm_rank_recompute_head(rank, shard, &is_left_out);
    } while (status == BLASTMERGE_OK && is_left_out);
    return status;
}

/* Reads the shard's first hit of a query, if it has any. What follows the hits is the current line then. */
static enum blastmerge_status begin_hits(struct bm_rank *rank, struct bm_rank_shard *shard) {
    shard->n_hits = 0;
    shard->head.is_there = false;
    if (shard->opening == BM_RANK_STATISTICS) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_rank_next(rank, shard);
    if (status != BLASTMERGE_OK || shard->opening == BM_RANK_HITS_EMPTY) return status;
    return read_head(rank, shard);
}

/* --- a query -------------------------------------------------------------------------------------- */

/* All shards have ended. Lines are told by their layout, and the scanner reads elements: that both have met
 * the same shows that no hit or query passed as something else. */
static enum blastmerge_status check_counts(struct bm_rank *rank) {
    for (size_t i = 0; i < rank->n_shards; i++) {
        const struct bm_rank_shard *shard = &rank->shards[i];
        const struct bm_mark_counts *counts = &shard->lines.view.counts;
        if (counts->n_iterations == rank->counts.n_queries && counts->n_hits == shard->n_all_hits) continue;
        return bm_rank_fail(rank, shard, BLASTMERGE_DATA,
                            "is not laid out as BLAST+ writes it: it holds %" PRIu64 " queries and %" PRIu64
                            " hits, of which %" PRIu64 " and %" PRIu64
                            " are told by their lines; have its line ends or blanks been changed?",
                            counts->n_iterations, counts->n_hits, rank->counts.n_queries, shard->n_all_hits);
    }
    return BLASTMERGE_OK;
}

/* All shards are read up to their hits, of which there is the first. */
static enum blastmerge_status begin_query(struct bm_rank *rank) {
    rank->first_front.n_bytes = rank->front.n_bytes = 0;
    rank->frame = rank->n_shards;
    rank->n_written = 0;
    rank->has_tree = false;
    for (size_t i = 0; i < rank->n_shards; i++) {
        enum blastmerge_status status = read_front(rank, &rank->shards[i]);
        if (status != BLASTMERGE_OK) return status;
    }
    if (rank->gumbel == NULL &&
        (bm_rank_is_program(rank, "blastp") || bm_rank_is_program(rank, "psiblast"))) {
        rank->matrix.text[rank->matrix.n_bytes < BM_RANK_SHORT ? rank->matrix.n_bytes : BM_RANK_SHORT - 1] =
            '\0';
        rank->gumbel = bm_rank_gumbel_of(rank->matrix.text, rank->gap_open, rank->gap_extend);
    }
    enum blastmerge_status status = bm_rank_put(rank, rank->front.data, rank->front.n_bytes);
    if (status != BLASTMERGE_OK) return status;
    if (rank->shards[0].opening == BM_RANK_OTHER) {
        rank->phase = BM_RANK_PHASE_DONE;
        return check_counts(rank);
    }
    for (size_t i = 0; i < rank->n_shards; i++) {
        status = begin_hits(rank, &rank->shards[i]);
        if (status != BLASTMERGE_OK) return status;
        if (rank->shards[i].head.is_there && rank->frame == rank->n_shards) rank->frame = i;
    }
    if (rank->frame == rank->n_shards) rank->frame = 0;
    rank->phase = BM_RANK_PHASE_HITS;
    rank->counts.n_queries++;
    const struct bm_rank_shard *frame = &rank->shards[rank->frame];
    if (frame->opening == BM_RANK_STATISTICS) return BLASTMERGE_OK;
    return bm_rank_put(rank, frame->opening_line.text, frame->opening_line.n_bytes);
}

/* Whether the line has as few blanks as a hit's last line, so that it must be looked at. */
static bool is_shallow(const struct bm_rank *rank, const struct bm_rank_line *line) {
    size_t n_blanks = rank->form->n_blanks;
    return line->is_start && (line->n_bytes <= n_blanks || line->text[n_blanks] != ' ');
}

/* Passes over the hits that are not wanted; they are checked like all others. */
static enum blastmerge_status cut_hits(struct bm_rank *rank, size_t best) {
    bm_rank_count_cut(rank, best);
    for (size_t i = 0; i < rank->n_shards; i++) {
        struct bm_rank_shard *shard = &rank->shards[i];
        while (shard->head.is_there) {
            const struct bm_rank_line *line = &shard->lines.line;
            enum blastmerge_status status = bm_rank_next(rank, shard);
            if (status == BLASTMERGE_OK && is_shallow(rank, line) &&
                bm_rank_form_is_hit_end(rank->form, line->text, line->n_bytes)) {
                status = bm_rank_next(rank, shard);
                if (status == BLASTMERGE_OK) status = read_head(rank, shard);
            }
            if (status != BLASTMERGE_OK) return status;
            if (bm_rank_lines_is_at_end(&shard->lines))
                return bm_rank_fail_layout(rank, shard, "it ends inside a hit");
            if (!is_shallow(rank, line)) bm_rank_lines_join(&shard->lines, rank->form->n_blanks);
        }
    }
    return BLASTMERGE_OK;
}

/* The number of the hit that is written: the shard's own, if that is the same. */
static enum blastmerge_status put_hit_number(struct bm_rank *rank, struct bm_rank_shard *shard) {
    const struct bm_rank_head *head = &shard->head;
    char digits[BM_RANK_DIGITS];
    const size_t n = bm_rank_write_number(digits, rank->n_written);
    if (head->number == rank->n_written && head->n_number == n)
        return bm_rank_put_head(rank, shard, head->number_at, n);
    return bm_rank_put(rank, digits, n);
}

/* Begins to write the best hit: up to its number. */
static enum blastmerge_status begin_hit(struct bm_rank *rank, size_t best) {
    struct bm_rank_shard *shard = &rank->shards[best];
    struct bm_rank_head *head = &shard->head;
    bm_rank_count_order(rank, best);
    if (rank->options.order != NULL && head->ordinal == UINT64_MAX) rank->counts.n_unordered++;
    if (rank->options.order != NULL && head->has_ordinal_id) rank->counts.n_numbered++;
    bm_rank_count_written(rank);
    enum blastmerge_status status = BLASTMERGE_OK;
    if (rank->is_close_due && rank->close_at > 0)
        status = bm_rank_put_own(rank, &rank->shards[rank->current], rank->close_at, ",\n", 2);
    else if (rank->is_close_due)
        status = bm_rank_put(rank, ",\n", 2);
    rank->is_close_due = false;
    if (status == BLASTMERGE_OK) status = bm_rank_put_head(rank, shard, 0, head->number_at);
    if (status == BLASTMERGE_OK) status = put_hit_number(rank, shard);
    rank->current = best;
    rank->n_head_written = head->number_at + head->n_number;
    rank->n_hsps = 1;
    rank->is_hsp_close_due = false;
    rank->phase = BM_RANK_PHASE_HEAD;
    return status;
}

/* Writes the rest of a head, which may be megabytes. */
static enum blastmerge_status write_head(struct bm_rank *rank) {
    struct bm_rank_shard *shard = &rank->shards[rank->current];
    struct bm_rank_head *head = &shard->head;
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && rank->out.n_bytes < STEP && rank->n_head_written < head->text.n_bytes) {
        bool is_to_come = head->is_recomputed && rank->n_head_written <= head->evalue_at;
        if (is_to_come && rank->n_head_written == head->evalue_at) {
            status = bm_rank_put_evalue(rank, head->evalue);
            rank->n_head_written += head->n_evalue;
            continue;
        }
        uint64_t n = (is_to_come ? head->evalue_at : head->text.n_bytes) - rank->n_head_written;
        if (n > STEP) n = STEP;
        status = bm_rank_put_head(rank, shard, rank->n_head_written, (size_t)n);
        rank->n_head_written += n;
    }
    if (rank->n_head_written == head->text.n_bytes) rank->phase = BM_RANK_PHASE_BODY;
    return status;
}

static enum blastmerge_status write_hit(struct bm_rank *rank) {
    size_t best = bm_rank_best(rank);
    if (best < rank->n_shards && rank->n_written < rank->options.n_targets) return begin_hit(rank, best);
    rank->phase = BM_RANK_PHASE_TAIL;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (rank->is_close_due) status = bm_rank_put(rank, "\n", 1);
    rank->is_close_due = false;
    return status == BLASTMERGE_OK && best < rank->n_shards ? cut_hits(rank, best) : status;
}

/* Writes a hit's last line; of JSON without its end, which depends on whether another hit follows. */
static enum blastmerge_status end_hit(struct bm_rank *rank, const struct bm_rank_shard *shard) {
    const struct bm_rank_line *line = &shard->lines.line;
    const uint64_t begin = line_begin(shard);
    size_t n = line->n_bytes;
    rank->is_close_due = rank->form->has_commas;
    while (rank->form->has_commas && (line->text[n - 1] == '\n' || line->text[n - 1] == ',')) n--;
    bool has_comma = line->n_bytes == n + 2 && memcmp(line->text + n, ",\n", 2) == 0;
    rank->close_at = has_comma ? begin + n : 0;
    return bm_rank_put_own(rank, shard, begin, line->text, n);
}

/* Whether the line is none of a hit's. */
static bool is_outer(const struct bm_rank *rank, const struct bm_rank_line *line) {
    enum bm_rank_kind kind = classify(rank, line->text, line->n_bytes).kind;
    return kind == BM_RANK_HIT || kind == BM_RANK_HITS_END;
}

/* Passes on what follows the head of the current hit. */
static enum blastmerge_status write_body(struct bm_rank *rank) {
    struct bm_rank_shard *shard = &rank->shards[rank->current];
    const struct bm_rank_line *line = &shard->lines.line;
    while (rank->out.n_bytes < STEP) {
        enum blastmerge_status status = bm_rank_next(rank, shard);
        if (status != BLASTMERGE_OK) return status;
        if (bm_rank_lines_is_at_end(&shard->lines))
            return bm_rank_fail_layout(rank, shard, "it ends inside a hit");
        bool is_looked_at = is_shallow(rank, line);
        if (is_looked_at && bm_rank_form_is_hit_end(rank->form, line->text, line->n_bytes)) {
            rank->phase = BM_RANK_PHASE_HITS;
            status = end_hit(rank, shard);
            if (status == BLASTMERGE_OK) status = bm_rank_next(rank, shard);
            return status == BLASTMERGE_OK ? read_head(rank, shard) : status;
        }
        if (is_looked_at && is_outer(rank, line))
            return bm_rank_fail_layout(rank, shard, "a hit does not end with a line of its own");
        if (!is_looked_at && !rank->options.is_recomputed)
            bm_rank_lines_join(&shard->lines, rank->form->n_blanks);
        status = rank->options.is_recomputed
                     ? bm_rank_recompute_line(rank, shard)
                     : bm_rank_put_own(rank, shard, line_begin(shard), line->text, line->n_bytes);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

/* --- tails ---------------------------------------------------------------------------------------- */

static bool are_equal(const struct bm_rank_word *one, const struct bm_rank_word *other) {
    return one->n_bytes == other->n_bytes && memcmp(one->text, other->text, one->n_bytes) == 0;
}

/* A search of a database of profiles: K of its first query is that of the profile that it traced last, and whether that
 * is one with a hit is not printed. */
static bool is_of_profiles(const struct bm_rank *rank) {
    return bm_rank_is_program(rank, "rpsblast") || bm_rank_is_program(rank, "rpstblastn");
}

/* A number of the statistics that all shards must have alike. */
static enum blastmerge_status compare_word(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                           struct bm_rank_word *first, const char *what, const char *text,
                                           size_t n_bytes) {
    struct bm_rank_word word = {.n_bytes = 0};
    set_word(&word, text, n_bytes);
    if (shard == rank->shards) *first = word;
    if (are_equal(&word, first)) return BLASTMERGE_OK;
    if (first == &rank->tail.kappa && is_of_profiles(rank)) {
        rank->tail.are_kappas_equal = false;
        return BLASTMERGE_OK;
    }
    if (rank->options.is_recomputed &&
        (first == &rank->tail.hsp_length || first == &rank->tail.search_space)) {
        if (first == &rank->tail.search_space) rank->tail.are_spaces_equal = false;
        return BLASTMERGE_OK;
    }
    return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                        "its %s for query %" PRIu64
                        " is %.*s, where that of %.200s is %.*s: the shards were not "
                        "searched with the statistics of the whole database, so that their E-values are not "
                        "the whole's; search each behind an alias that has them, which "
                        "blastmerge shards --alias-parts writes",
                        what, rank->counts.n_queries, (int)word.n_bytes, word.text,
                        bm_rank_shard_name(&rank->shards[0]), (int)first->n_bytes, first->text);
}

/* The size of a shard's part of the database, which must stay what it was. */
static enum blastmerge_status take_size(struct bm_rank *rank, const struct bm_rank_shard *shard,
                                        uint64_t known, uint64_t *total, const char *text, size_t n_bytes) {
    uint64_t n = 0;
    bool is_window = rank->options.layout == BM_RANK_WINDOWS;
    if (!bm_rank_parse_number(text, n_bytes, &n))
        return bm_rank_fail_layout(rank, shard, "the database's size is no number");
    if (known != 0 && n != known)
        return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                            "the size of its part of the database is %" PRIu64 " for query %" PRIu64
                            ", and %" PRIu64 " elsewhere%s",
                            n, rank->counts.n_queries, known,
                            rank->options.sizes != NULL ? ": do the numbers of --sizes fit?" : "");
    if (!is_window) {
        if (bm_add(total, n)) return BLASTMERGE_OK;
        return bm_rank_fail(rank, shard, BLASTMERGE_DATA,
                            "the size of its part of the database is too large");
    }
    if (shard == rank->shards) *total = n;
    if (n == *total) return BLASTMERGE_OK;
    return bm_rank_fail(rank, shard, BLASTMERGE_MISMATCH,
                        "the size of its database is %" PRIu64 ", where that of %.200s is %" PRIu64
                        ": these are not windows on one database, so --window is wrong",
                        n, bm_rank_shard_name(&rank->shards[0]), *total);
}

static struct bm_rank_place *place_of(struct bm_rank_tail *tail, enum bm_rank_kind kind) {
    return kind == BM_RANK_N_SEQUENCES    ? &tail->sequences
           : kind == BM_RANK_N_RESIDUES   ? &tail->residues
           : kind == BM_RANK_HSP_LENGTH   ? &tail->hsp_length_place
           : kind == BM_RANK_SEARCH_SPACE ? &tail->search_space_place
           : kind == BM_RANK_KAPPA        ? &tail->kappa_place
                                          : NULL;
}

/* A line of a shard's tail. */
static enum blastmerge_status take_tail(struct bm_rank *rank, struct bm_rank_shard *shard, const char *line,
                                        size_t n_bytes, struct bm_rank_value value) {
    struct bm_rank_tail *tail = &rank->tail;
    const char *text = line + value.at;
    bool is_frame = shard == &rank->shards[rank->frame];
    enum blastmerge_status status = BLASTMERGE_OK;
    struct bm_rank_place *place = is_frame ? place_of(tail, value.kind) : NULL;
    if (place != NULL) *place = (struct bm_rank_place){tail->text.n_bytes + value.at, value.n_bytes};
    if (is_frame && !bm_rank_text_add(&tail->text, &rank->budget, line, n_bytes))
        return bm_rank_fail_room(rank, shard, "what stands behind its hits");
    if (value.kind == BM_RANK_N_SEQUENCES)
        status = take_size(rank, shard, shard->n_sequences, &tail->total_sequences, text, value.n_bytes);
    if (value.kind == BM_RANK_N_RESIDUES)
        status = take_size(rank, shard, shard->n_residues, &tail->total_residues, text, value.n_bytes);
    if (value.kind == BM_RANK_HSP_LENGTH)
        status = compare_word(rank, shard, &tail->hsp_length, "hsp-len", text, value.n_bytes);
    if (value.kind == BM_RANK_SEARCH_SPACE)
        status = compare_word(rank, shard, &tail->search_space, "eff-space", text, value.n_bytes);
    if (value.kind == BM_RANK_KAPPA)
        status = compare_word(rank, shard, &tail->kappa, "kappa", text, value.n_bytes);
    if (value.kind == BM_RANK_LAMBDA && shard == rank->shards && !rank->is_by_strand &&
        bm_rank_is_by_strand(rank, value.n_bytes)) { /* no first pass has told of that: pipes */
        rank->counts.n_undecided += rank->n_equal;
        rank->counts.n_strands += rank->n_equal;
    }
    if (value.kind == BM_RANK_LAMBDA)
        status = compare_word(rank, shard, &tail->lambda, "lambda", text, value.n_bytes);
    return status;
}

/* Reads a shard's tail, whose first line is the current one. */
static enum blastmerge_status read_tail(struct bm_rank *rank, struct bm_rank_shard *shard) {
    for (;;) {
        const char *line = NULL;
        size_t n_bytes = 0;
        enum blastmerge_status status = bm_rank_whole_line(rank, shard, &line, &n_bytes);
        if (status != BLASTMERGE_OK) return status;
        if (n_bytes == 0) return bm_rank_fail_layout(rank, shard, "it ends inside a query's statistics");
        struct bm_rank_value value = classify(rank, line, n_bytes);
        status = take_tail(rank, shard, line, n_bytes, value);
        if (status != BLASTMERGE_OK || value.kind == BM_RANK_END) return status;
        status = bm_rank_next(rank, shard);
        if (status != BLASTMERGE_OK) return status;
    }
}

/* The search space that BLAST computes for a database of that size. */
static bool is_search_space(const struct bm_rank *rank, uint64_t n_sequences, uint64_t n_residues,
                            uint64_t adjustment, uint64_t space) {
    bool is_translated_query = bm_rank_is_program(rank, "blastx") || bm_rank_is_program(rank, "tblastx");
    bool is_translated_subject = bm_rank_is_program(rank, "tblastn") || bm_rank_is_program(rank, "tblastx");
    uint64_t m = is_translated_query ? rank->n_query / 3 : rank->n_query;
    uint64_t n = is_translated_subject ? n_residues / 3 : n_residues;
    uint64_t taken = 0;
    if (m <= adjustment || __builtin_mul_overflow(n_sequences, adjustment, &taken) || n <= taken)
        return false;
    return !__builtin_mul_overflow(m - adjustment, n - taken, &n) && n == space;
}

/* Shards can agree on statistics that are wrong. */
static enum blastmerge_status check_space(struct bm_rank *rank) {
    static const char *const programs[] = {"blastp",  "blastn",   "blastx",   "tblastn",
                                           "tblastx", "psiblast", "rpsblast", "deltablast"};
    const struct bm_rank_tail *tail = &rank->tail;
    uint64_t adjustment = 0;
    uint64_t space = 0;
    bool is_known = false;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        is_known = is_known || bm_rank_is_program(rank, programs[i]);
    if (!is_known || !bm_rank_parse_number(tail->hsp_length.text, tail->hsp_length.n_bytes, &adjustment) ||
        !bm_rank_parse_number(tail->search_space.text, tail->search_space.n_bytes, &space) || space == 0)
        return BLASTMERGE_OK;
    if (is_search_space(rank, tail->total_sequences, tail->total_residues, adjustment, space))
        return BLASTMERGE_OK;
    const struct bm_rank_shard *first = &rank->shards[0];
    bool is_whole = rank->options.layout != BM_RANK_WINDOWS && rank->n_shards > 1 &&
                    is_search_space(rank, tail->total_sequences / rank->n_shards,
                                    tail->total_residues / rank->n_shards, adjustment, space);
    return bm_rank_fail(
        rank, first, BLASTMERGE_MISMATCH,
        "its eff-space for query %" PRIu64 " is %" PRIu64 ", which is not that of a database of %" PRIu64
        " sequences and %" PRIu64 " letters, as all shards together have: %s",
        rank->counts.n_queries, space, tail->total_sequences, tail->total_residues,
        is_whole ? "are these windows on one database (FIRST_OID, LAST_OID)? --window says so"
                 : "a shard is missing, or they were not searched with the statistics of the "
                   "whole database (blastmerge shards --alias-parts writes aliases for that)");
}

/* Writes the frame's tail from *at to the place, and the number in its stead. */
static enum blastmerge_status put_number_at(struct bm_rank *rank, size_t *at, struct bm_rank_place place,
                                            uint64_t number) {
    if (place.at < *at)
        return bm_rank_fail_layout(rank, &rank->shards[rank->frame],
                                   "a query's statistics are in another order");
    enum blastmerge_status status = bm_rank_put(rank, rank->tail.text.data + *at, place.at - *at);
    *at = place.at + place.n_bytes;
    return status == BLASTMERGE_OK ? bm_rank_put_number(rank, number) : status;
}

/* Writes the frame's tail, with the numbers of the whole. */
static enum blastmerge_status write_tail(struct bm_rank *rank) {
    const struct bm_rank_tail *tail = &rank->tail;
    const struct bm_rank_place kappa = tail->kappa_place;
    size_t at = 0;
    enum blastmerge_status status = put_number_at(rank, &at, tail->sequences, tail->total_sequences);
    if (status == BLASTMERGE_OK) status = put_number_at(rank, &at, tail->residues, tail->total_residues);
    if (rank->options.is_recomputed && tail->hsp_length_place.n_bytes > 0 &&
        tail->search_space_place.n_bytes > 0) {
        uint64_t adjustment = 0;
        uint64_t space = 0;
        bm_rank_recompute_tail(rank, &adjustment, &space);
        if (status == BLASTMERGE_OK) status = put_number_at(rank, &at, tail->hsp_length_place, adjustment);
        if (status == BLASTMERGE_OK) status = put_number_at(rank, &at, tail->search_space_place, space);
    }
    if (status == BLASTMERGE_OK && is_of_profiles(rank) && kappa.at >= at) {
        status = bm_rank_put(rank, tail->text.data + at, kappa.at - at);
        at = kappa.at + kappa.n_bytes;
        if (status == BLASTMERGE_OK) status = bm_rank_put(rank, tail->kappa.text, tail->kappa.n_bytes);
    }
    return status == BLASTMERGE_OK ? bm_rank_put(rank, tail->text.data + at, tail->text.n_bytes - at)
                                   : status;
}

static enum blastmerge_status end_query(struct bm_rank *rank) {
    struct bm_rank_tail *tail = &rank->tail;
    *tail = (struct bm_rank_tail){.text = tail->text, .are_spaces_equal = true, .are_kappas_equal = true};
    tail->text.n_bytes = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = 0; i < rank->n_shards && status == BLASTMERGE_OK; i++)
        status = read_tail(rank, &rank->shards[i]);
    if (!tail->are_kappas_equal) rank->counts.n_kappas++;
    if (status == BLASTMERGE_OK && !rank->options.is_recomputed) status = check_space(rank);
    if (status != BLASTMERGE_OK) return status;
    rank->phase = BM_RANK_PHASE_FRONT;
    if (tail->sequences.n_bytes == 0 || tail->residues.n_bytes == 0)
        return bm_rank_fail_layout(rank, &rank->shards[rank->frame], "a query has no statistics");
    return write_tail(rank);
}

enum blastmerge_status bm_rank_step_report(struct bm_rank *rank) {
    switch (rank->phase) {
    case BM_RANK_PHASE_FRONT:
        return begin_query(rank);
    case BM_RANK_PHASE_HITS:
        return write_hit(rank);
    case BM_RANK_PHASE_HEAD:
        return write_head(rank);
    case BM_RANK_PHASE_BODY:
        return write_body(rank);
    case BM_RANK_PHASE_TAIL:
        return end_query(rank);
    case BM_RANK_PHASE_ROWS: /* of tables */
    case BM_RANK_PHASE_DONE:
        break;
    }
    return BLASTMERGE_OK;
}

/* --- the survey ----------------------------------------------------------------------------------- */

/* Reads up to the first query's statistics: the size of the shard's part of the database; and lambda and K,
 * which all queries of a search of proteins have alike. */
enum blastmerge_status bm_rank_survey_report(struct bm_rank *rank, struct bm_rank_shard *shard) {
    bool has_k = false;
    bool has_lambda = false;
    for (;;) {
        const struct bm_rank_line *line = &shard->lines.line;
        if (bm_rank_lines_is_at_end(&shard->lines)) return BLASTMERGE_OK;
        struct bm_rank_value value = {0};
        if (line->is_start && line->is_end) value = classify(rank, line->text, line->n_bytes);
        const char *text = line->text + value.at;
        uint64_t *number = value.kind == BM_RANK_N_SEQUENCES  ? &shard->n_sequences
                           : value.kind == BM_RANK_N_RESIDUES ? &shard->n_residues
                                                              : NULL;
        if (number != NULL && !bm_rank_parse_number(text, value.n_bytes, number)) *number = 0;
        if (value.kind == BM_RANK_PROGRAM) set_word(&rank->program, text, value.n_bytes);
        if (value.kind == BM_RANK_LAMBDA && bm_rank_is_by_strand(rank, value.n_bytes)) {
            rank->is_by_strand = true;
            bm_rank_lines_close(&shard->lines);
            bm_rank_lines_open(&shard->lines, &shard->source, rank->cancel);
            enum blastmerge_status status = bm_rank_next(rank, shard);
            return status == BLASTMERGE_OK ? bm_rank_learn_strands(rank, shard) : status;
        }
        if (value.kind == BM_RANK_KAPPA)
            has_k = bm_rank_parse_evalue(text, value.n_bytes, &rank->statistics.k);
        if (value.kind == BM_RANK_LAMBDA)
            has_lambda = bm_rank_parse_evalue(text, value.n_bytes, &rank->statistics.lambda);
        if (has_k && has_lambda) {
            rank->has_statistics = true;
            return BLASTMERGE_OK;
        }
        enum blastmerge_status status = bm_rank_next(rank, shard);
        if (status != BLASTMERGE_OK) return status;
    }
}
