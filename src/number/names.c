/* SPDX-License-Identifier: MIT */
/*
 * The names of queries. Ids that BLAST assigned continue, and the messages that begin with them follow (query.c has the
 * rules). Names that are only in a document's header go into its Iteration, because the result has one header for all.
 */
#include "number/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char bm_number_new_line[66] = "\n                                                                ";

/* --- a query that only the header names ------------------------------------------------------------ */

/* Old BLAST XML has one query in each document, and names it in the header alone, which is one for all in the
 * result. */
static const struct {
    const char *field;
    const char *start_tag;
    const char *end_tag;
} name_elements[BM_NUMBER_NAMES] = {
    {"BlastOutput_query-ID", "<Iteration_query-ID>", "</Iteration_query-ID>"},
    {"BlastOutput_query-def", "<Iteration_query-def>", "</Iteration_query-def>"},
    {"BlastOutput_query-len", "<Iteration_query-len>", "</Iteration_query-len>"},
};

static void keep_name(struct bm_number *number, size_t which, const struct bm_mark_field *field) {
    if (!number->now.has_names) {
        number->now.has_names = true;
        number->now.which_names ^= 1;
        memset(number->names[number->now.which_names].n_elements, 0,
               sizeof number->names[number->now.which_names].n_elements);
        number->names[number->now.which_names].is_cut = false;
    }
    struct bm_number_names *names = &number->names[number->now.which_names];
    if (names->n_elements[which] > 0) return;
    if (field->is_cut) {
        names->is_cut = true;
        return;
    }
    int n = snprintf(names->elements[which], sizeof names->elements[which], "%s%.*s%s",
                     name_elements[which].start_tag, (int)field->n_value, field->value,
                     name_elements[which].end_tag);
    names->n_elements[which] = (size_t)n;
}

void bm_number_take_field(struct bm_number *number, const struct bm_mark_field *field) {
    if (field->is_scope || field->is_parameter) return;
    number->now.is_psi = number->now.is_psi || bm_mark_is_of_psi(field);
    for (size_t i = 0; i < BM_NUMBER_NAMES; i++)
        if (strcmp(field->name, name_elements[i].field) == 0) keep_name(number, i, field);
}

/* Inserts the element of the query's id if that has become another one. */
static bool insert_new_id(struct bm_number *number, const struct bm_number_names *names, uint64_t offset,
                          struct bm_script *script) {
    const size_t n_start = strlen(name_elements[0].start_tag), n_end = strlen(name_elements[0].end_tag);
    const char *id = names->elements[0] + n_start;
    const size_t n_id = names->n_elements[0] - n_start - n_end;
    char text[128];
    number->now.old_query = number->now.new_query = 0;
    if (number->now.ids.policy == BLASTMERGE_QUERY_IDS_KEEP ||
        !bm_number_query_ids_take(&number->now.ids, id, n_id, number->now.own_number, &number->now.old_query,
                                  &number->now.new_query))
        return false;
    if (number->now.new_query == number->now.old_query) {
        number->now.new_query = 0;
        return false;
    }
    number->now.n_changed_ids++;
    number->now.n_guessed_ids++;
    int n = snprintf(text, sizeof text, "%sQuery_%" PRIu64 "%s", name_elements[0].start_tag,
                     number->now.new_query, name_elements[0].end_tag);
    bm_number_insert_copy(script, offset, text, (size_t)n);
    return true;
}

/* The header's query is that of the first Iteration; PSI-BLAST has several for one query. */
void bm_number_insert_names(struct bm_number *number, const struct bm_mark_entry *mark,
                            struct bm_script *script) {
    const struct bm_number_names *names = &number->names[number->now.which_names];
    bool is_of_query = number->now.n_own_iterations == 1 || number->now.is_psi;
    if (!number->now.has_names || !is_of_query) return;
    number->now.n_lost_names += names->is_cut && number->now.n_documents > 1;
    for (size_t i = 0; i < BM_NUMBER_NAMES; i++) {
        if (names->n_elements[i] == 0) continue;
        if (i > 0 || !insert_new_id(number, names, mark->offset, script))
            bm_number_insert(script, mark->offset, names->elements[i], names->n_elements[i]);
        if ((mark->flags & BM_MARK_NEWLINE) != 0)
            bm_number_insert(script, mark->offset, bm_number_new_line, (size_t)mark->value + 1);
    }
}

/* --- queries ------------------------------------------------------------------------------------- */

/* What the mark says lies from its offset to its end; in the batch, or in the history before it. */
static const char *content_of(const struct bm_mark_entry *mark, const struct bm_batch *batch) {
    return (const char *)bm_batch_at(batch, mark->offset, mark->end - mark->offset);
}

/* Replaces text by other text; what agrees from the left stays. */
static void replace(struct bm_script *script, uint64_t offset, const char *old_text, size_t n_old,
                    const char *new_text, size_t n_new) {
    size_t n_same = 0;
    while (n_same < n_old && n_same < n_new && old_text[n_same] == new_text[n_same]) n_same++;
    if (n_same == n_old && n_same == n_new) return;
    bm_number_insert_copy(script, offset + n_same, new_text + n_same, n_new - n_same);
    bm_number_drop(script, offset + n_same, offset + n_old);
}

/* Replaces an id by the query's new one. */
static void replace_id(const struct bm_number *number, const struct bm_mark_entry *mark,
                       const struct bm_batch *batch, struct bm_script *script) {
    static const char stem[] = "Query_";
    char new_id[sizeof stem + 20];
    memcpy(new_id, stem, sizeof stem - 1);
    size_t n_new = sizeof stem - 1 + bm_number_print(new_id + sizeof stem - 1, number->now.new_query);
    replace(script, mark->offset, content_of(mark, batch), (size_t)(mark->end - mark->offset), new_id, n_new);
}

/* The query's place is known: bm_number_set_order(). A query without a name in a table has no id here, and its rows have
 * the one of its own run, whatever that is. */
static void take_ordered_id(struct bm_number *number, const struct bm_mark_entry *mark, const char *id,
                            size_t n_id, struct bm_script *script) {
    struct bm_number_query_ids *ids = &number->now.ids;
    bool is_unnamed = (mark->flags & BM_MARK_BARE) != 0;
    uint64_t old_query = bm_number_query_number(id, n_id);
    number->now.old_query = number->now.new_query = 0;
    if (!is_unnamed && (old_query == 0 || !number->is_own(number->context, number->now.n_iterations))) {
        ids->n_named++;
        return;
    }
    ids->n_generated++;
    if (ids->policy == BLASTMERGE_QUERY_IDS_KEEP) return;
    uint64_t new_query = number->counts_all || is_unnamed ? number->now.n_iterations : ids->n_generated;
    if (new_query == old_query) return;
    number->now.n_changed_ids++;
    number->now.old_query = old_query;
    number->now.new_query = new_query;
    if (is_unnamed) return;
    char new_id[32];
    int n = snprintf(new_id, sizeof new_id, "Query_%" PRIu64, new_query);
    replace(script, mark->offset, id, n_id, new_id, (size_t)n);
}

void bm_number_take_query_id(struct bm_number *number, const struct bm_mark_entry *mark,
                             const struct bm_batch *batch, struct bm_script *script) {
    bool is_unnamed = (mark->flags & BM_MARK_BARE) != 0;
    /* If it is cut it is no such id. */
    size_t n_id = (mark->flags & BM_MARK_CUT) != 0 ? 0 : (size_t)(mark->end - mark->offset);
    if (number->is_ordered) {
        take_ordered_id(number, mark, content_of(mark, batch), n_id, script);
        return;
    }
    number->now.old_query = number->now.new_query = 0;
    bm_number_query_ids_count(&number->now.ids, mark->value);
    if (is_unnamed) {
        bm_number_query_ids_take_unnamed(&number->now.ids, &number->now.old_query, &number->now.new_query);
    } else if (!bm_number_query_ids_take(&number->now.ids, content_of(mark, batch), n_id,
                                         number->now.own_number, &number->now.old_query,
                                         &number->now.new_query)) {
        return;
    }
    if (number->now.first_query == 0) number->now.first_query = number->now.old_query;
    number->now.last_query = number->now.old_query;
    if (number->now.new_query == number->now.old_query) {
        number->now.new_query = 0;
        return;
    }
    number->now.n_changed_ids++;
    if (is_unnamed) return; /* its rows have the id, its title has not */
    number->now.n_guessed_ids++;
    replace_id(number, mark, batch, script);
}

/* A table without comments does not say how many queries came before. */
static void take_unknown_id(struct bm_number *number, uint64_t query) {
    if (query != number->now.old_query) number->now.ids.n_odd++;
    number->now.old_query = query;
}

/* An archive's alignments name its queries by their ids. */
static void take_reference(struct bm_number *number, const struct bm_mark_entry *mark,
                           const struct bm_batch *batch, struct bm_script *script, uint64_t query) {
    const struct bm_number_state *now = &number->now;
    if (query < now->first_query || query > now->last_query) return;
    number->now.new_query = query;
    if (!bm_add(&number->now.new_query, now->ids.shift)) {
        number->now.ids.is_beyond = true;
        return;
    }
    if (number->now.new_query != query) replace_id(number, mark, batch, script);
}

/* The id in a row of its query, which is in the other ones, too. */
void bm_number_take_query_row(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch, struct bm_script *script) {
    uint64_t query = bm_number_query_number(content_of(mark, batch), (size_t)(mark->end - mark->offset));
    if (number->now.format->has_archives) {
        take_reference(number, mark, batch, script, query);
    } else if (!number->now.format->has_count) {
        take_unknown_id(number, query);
    } else if (number->now.old_query != 0 && query != number->now.old_query) {
        number->now.ids.n_odd++;
        number->now.old_query = number->now.new_query = 0;
    } else if (number->now.new_query != 0) {
        replace_id(number, mark, batch, script);
    }
}

void bm_number_take_message(struct bm_number *number, const struct bm_mark_entry *mark,
                            const struct bm_batch *batch, struct bm_script *script) {
    struct bm_number_query_message renamed;
    const char *message = content_of(mark, batch);
    if (number->now.new_query == 0) return;
    enum bm_number_query_prefix prefix =
        bm_number_query_rename(message, (size_t)(mark->end - mark->offset), number->now.format->syntax,
                               number->now.old_query, number->now.new_query, &renamed);
    number->now.new_query = 0;
    if (prefix == BM_QUERY_ODD) number->now.n_odd_messages++;
    if (prefix == BM_QUERY_LOST) number->now.n_excess_iterations++;
    if (prefix == BM_QUERY_RESTORED || prefix == BM_QUERY_LOST) {
        replace(script, mark->offset, message, renamed.n_old, renamed.text, renamed.n_new);
    }
}
