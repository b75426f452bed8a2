/* SPDX-License-Identifier: MIT */
#include "base/entity.h"
#include "number/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NONE UINT64_MAX

enum { LONGEST_BARE = 16384 }; /* bytes of an Iteration to search; a longer one has hits */

static const char number_start_tag[] = "<Iteration_iter-num>";
static const char number_end_tag[] = "</Iteration_iter-num>";

_Static_assert((int)BM_SCRIPT_ENTRIES >=
                   BM_MARK_LIST * BM_NUMBER_ROOM + 3 * BM_NUMBER_MAX_PENDING + BM_NUMBER_ROOM,
               "a list of marks always fits, and the characters of a body that comes to count");

/* --- settings ------------------------------------------------------------------------------------ */

static size_t escape(char *escaped, const char *text) {
    size_t n = 0;
    for (; *text != '\0'; text++) {
        const char *entity = bm_entity_of(*text);
        if (entity == NULL) {
            escaped[n++] = *text;
        } else {
            memcpy(escaped + n, entity, strlen(entity));
            n += strlen(entity);
        }
    }
    return n;
}

/* The bytes of the character that begins here; 0 if it is none, or none of XML's. */
static size_t character_bytes(const char *text) {
    uint32_t character = 0;
    size_t n = bm_utf8_read(text, BM_UTF8_MOST, &character);
    bool is_control = character < 0x20 && character != '\t' && character != '\n' && character != '\r';
    return is_control || character == 0xfffe || character == 0xffff ? 0 : n;
}

bool bm_number_is_text(const char *text) {
    while (*text != '\0') {
        size_t n = character_bytes(text);
        if (n == 0) return false;
        text += n;
    }
    return true;
}

void bm_number_open(struct bm_number *number, const char *database, enum blastmerge_query_ids query_ids,
                    bool keeps_gaps) {
    memset(number, 0, sizeof *number);
    bm_number_query_ids_open(&number->now.ids, query_ids);
    number->keeps_gaps = keeps_gaps;
    number->now.pending_body = NONE;
    number->keeps_database = database == NULL;
    if (database == NULL) return;
    bm_require(strlen(database) <= BM_NUMBER_MAX_DATABASE);
    number->n_database = escape(number->database, database);
}

void bm_number_set_order(struct bm_number *number, bool counts_all,
                         bool (*is_own)(void *context, uint64_t place), void *context) {
    number->is_ordered = true;
    number->counts_all = counts_all;
    number->is_own = is_own;
    number->context = context;
}

void bm_number_keep(struct bm_number *number) {
    number->keeps_all = true;
}

void bm_number_begin(struct bm_number *number, const struct bm_tally *before) {
    number->now.n_documents = before->n_documents;
    number->now.has_prologue = before->n_documents > 0;
    number->now.n_iterations = before->n_iterations;
    number->now.number_before = before->last_numbers;
    number->now.ids.shift = before->generated_ids;
    number->now.ids.n_before = before->positions;
    number->now.ids.counts_all = before->has_unnamed;
    number->now.n_counted = before->n_counted;
    number->now.n_queries = before->n_queries;
    number->now.line = before->line;
}

void bm_number_count(struct bm_number *number) {
    number->now.has_prologue = true;
}

struct bm_tally bm_number_tally(struct bm_number *number) {
    struct bm_tally tally = {.n_documents = number->now.n_documents,
                             .n_iterations = number->now.n_iterations,
                             .last_numbers = number->now.number_before,
                             .generated_ids = number->now.ids.shift,
                             .positions = number->now.ids.n_before,
                             .n_counted = number->now.n_counted,
                             .n_queries = number->now.n_queries,
                             .has_unnamed = number->now.ids.counts_all,
                             .line = number->now.line};
    /* The last document has ended, which the next one's beginning would notice. */
    if ((number->keeps_gaps && !bm_add(&tally.last_numbers, number->now.own_number)) ||
        !bm_add(&tally.generated_ids, number->now.ids.largest) ||
        !bm_add(&tally.positions, number->now.ids.position))
        bm_number_exceed(number, "the numbers of the Iterations before", 0);
    return tally;
}

/* --- documents ----------------------------------------------------------------------------------- */

/* Another run of BLAST, which numbers its Iterations and queries from 1. */
static void begin_run(struct bm_number *number, const struct bm_mark_entry *mark) {
    if (number->keeps_gaps && !bm_add(&number->now.number_before, number->now.own_number))
        bm_number_exceed(number, "the numbers of the Iterations before", mark->offset);
    number->now.own_number = 0;
    number->now.has_own_number = false;
    bm_number_query_ids_begin(&number->now.ids);
}

/* Nothing of a body that had no Iteration counts. */
static void forget_body(struct bm_number *number) {
    number->now.n_pending = 0;
    number->now.pending_body = NONE;
}

static void take_document(struct bm_number *number, const struct bm_mark_entry *mark,
                          struct bm_script *script) {
    number->now.n_documents++;
    number->now.is_first = !number->now.has_prologue;
    number->now.has_prologue = true;
    number->now.has_iteration = false;
    number->now.is_in_fragment = false;
    number->now.is_dropping = false;
    forget_body(number);
    number->now.old_query = 0;
    if ((mark->flags & BM_MARK_LEFT) == 0) {
        number->now.n_own_iterations = 0;
        number->now.has_names = number->now.is_psi = false;
        begin_run(number, mark);
    }
    if ((mark->flags & BM_MARK_CUT) != 0) bm_number_query_ids_skip(&number->now.ids);
    if (number->now.is_first && (mark->flags & BM_MARK_BARE) != 0)
        bm_number_begin_fragment(number, script, mark->offset);
}

/* --- the body ------------------------------------------------------------------------------------ */

static void take_iterations(struct bm_number *number, const struct bm_mark_entry *mark,
                            struct bm_script *script) {
    number->now.format = bm_format_of((enum blastmerge_format)mark->value);
    if (!number->now.is_first || (mark->flags & BM_MARK_EMPTY_TAG) == 0) return;
    /* <BlastOutput_iterations/> is opened: other documents' Iterations may come in. */
    bm_number_drop(script, mark->offset, mark->offset + 1);
    bm_number_insert(script, mark->offset + 2, "\n", 1);
    bm_number_end_fragment(number, script, mark->offset + 2);
    bm_number_append_epilogue(number, number->now.format->end_tag, strlen(number->now.format->end_tag));
    bm_number_begin_epilogue(number, mark->offset + 2, 0);
}

static void take_body(struct bm_number *number, const struct bm_mark_entry *mark) {
    if (!number->now.is_first) number->now.pending_body = mark->offset;
}

static void replace_character(struct bm_script *script, const struct bm_number_character *character) {
    bm_number_insert_copy(script, character->offset, character->utf8, character->n_utf8);
    bm_number_drop(script, character->offset, character->end);
}

/* The body counts: its fragment begins, and what its text has had so far comes about. */
static void begin_body(struct bm_number *number, struct bm_script *script) {
    if (number->now.pending_body == NONE) return;
    bm_number_begin_fragment(number, script, number->now.pending_body);
    for (size_t i = 0; i < number->now.n_pending; i++) replace_character(script, &number->pending[i]);
    forget_body(number);
}

static void take_iteration(struct bm_number *number, const struct bm_mark_entry *mark,
                           struct bm_script *script) {
    begin_body(number, script);
    if (!number->now.has_iteration && number->now.n_iterations > 0) {
        bool is_open = number->now.line == BM_TALLY_LINE_OPEN && (mark->flags & BM_MARK_NEWLINE) == 0;
        const char *joint = is_open ? number->now.format->joint_open : number->now.format->joint;
        bm_number_insert(script, mark->offset, joint, strlen(joint));
    }
    if ((mark->flags & BM_MARK_RUN) != 0) bm_number_query_ids_return(&number->now.ids);
    number->now.new_query = 0;
    number->now.iteration = mark->offset;
    number->now.has_iteration = true;
    number->now.n_own_iterations++;
    number->now.line = BM_TALLY_LINE_OPEN;
    number->now.n_iterations++;
}

/* BLAST says less of queries of which none in its batch could be searched. */
static void take_iteration_end(struct bm_number *number, const struct bm_mark_entry *mark,
                               const struct bm_batch *batch) {
    uint64_t n_bytes = mark->offset - number->now.iteration;
    if (!number->keeps_gaps || number->now.format->hits == NULL || n_bytes > LONGEST_BARE) return;
    const char *hits = number->now.format->hits;
    const uint8_t *text = bm_batch_at(batch, number->now.iteration, n_bytes);
    number->now.n_bare_iterations += memmem(text, (size_t)n_bytes, hits, strlen(hits)) == NULL;
}

static void take_iterations_end(struct bm_number *number, const struct bm_mark_entry *mark,
                                struct bm_script *script) {
    if (number->now.pending_body != NONE &&
        mark->offset - number->now.pending_body > BM_NUMBER_MAX_BODY_HOLD) {
        begin_body(number, script);
    }
    forget_body(number);
    if (number->now.is_in_fragment && (mark->flags & BM_MARK_LEFT) != 0) { /* right behind a tag */
        bm_number_insert(script, mark->offset, "\n", 1);
        number->now.line = BM_TALLY_LINE_ENDED;
    }
    if (number->now.is_in_fragment && (mark->flags & BM_MARK_OPEN) != 0) {
        bool has_return = (mark->flags & BM_MARK_RETURN) != 0;
        bm_number_insert(script, mark->offset, has_return ? "\r\n" : "\n", has_return ? 2 : 1);
    }
    if (number->now.is_in_fragment && (mark->flags & BM_MARK_NEWLINE) != 0)
        number->now.line = BM_TALLY_LINE_ENDED;
    bm_number_end_fragment(number, script, mark->offset);
    if (number->now.format->has_count) {
        if ((mark->flags & BM_MARK_DIGITS) != 0) { /* as many as there are parts in the text */
            number->now.n_counted++;
            number->now.n_queries += mark->value;
        }
        return;
    }
    if (number->now.is_first)
        bm_number_begin_epilogue(number, mark->offset, (size_t)(mark->end - mark->offset));
}

/* --- numbers ------------------------------------------------------------------------------------- */

/* Adds to a number of the result. */
static void add_number(struct bm_number *number, uint64_t *sum, uint64_t value, uint64_t offset) {
    if (!bm_add(sum, value)) bm_number_exceed(number, "the Iteration's number", offset);
}

/* The Iteration's number, as far as its document has one. Where a document's numbers go back, as if another
 * run began there, they are counted on. */
static void find_number(struct bm_number *number, const struct bm_mark_entry *mark) {
    bool is_known = (mark->flags & BM_MARK_DIGITS) != 0 && mark->value > 0; /* BLAST counts from 1 */
    bool is_return = is_known && number->now.has_own_number && mark->value <= number->now.own_number;
    uint64_t own = number->now.own_number;
    if (!bm_add(&own, 1) && !is_known && number->keeps_gaps)
        bm_number_exceed(number, "the Iteration's number", mark->offset);
    number->now.n_unnumbered += !is_known;
    if (number->is_ordered) {
        number->now.number = number->now.n_iterations;
        return;
    }
    number->now.n_returns += is_return;
    if (is_return) bm_number_query_ids_return(&number->now.ids);
    number->now.n_gaps += is_known && !is_return && mark->value != own;
    if (is_return && number->keeps_gaps)
        add_number(number, &number->now.number_before, number->now.own_number, mark->offset);
    number->now.own_number = is_known ? mark->value : own;
    number->now.has_own_number = true;
    number->now.number = number->now.n_iterations;
    if (!number->keeps_gaps) return;
    number->now.number = number->now.own_number;
    add_number(number, &number->now.number, number->now.number_before, mark->offset);
}

/* Replaces the old digits by the new ones; those that agree from the left stay. */
static void write_number(struct bm_number *number, const struct bm_mark_entry *mark,
                         struct bm_script *script) {
    char new_digits[20];
    find_number(number, mark);
    size_t n_new = bm_number_print(new_digits, number->now.number);
    size_t n_same = 0;
    if ((mark->flags & BM_MARK_DIGITS) != 0) {
        char old_digits[20];
        size_t n_old = bm_number_print(old_digits, mark->value);
        if (n_old == mark->end - mark->offset) { /* else it has leading zeros */
            while (n_same < n_old && n_same < n_new && old_digits[n_same] == new_digits[n_same]) n_same++;
        }
    }
    if ((mark->flags & BM_MARK_EMPTY_TAG) != 0) bm_number_insert(script, mark->offset, ">", 1);
    if (n_same < n_new)
        bm_number_insert_copy(script, mark->offset + n_same, new_digits + n_same, n_new - n_same);
    if ((mark->flags & BM_MARK_EMPTY_TAG) != 0) {
        bm_number_insert(script, mark->offset, number_end_tag, sizeof number_end_tag - 1);
    }
    bm_number_drop(script, mark->offset + n_same, mark->end);
}

static void take_long_number(struct bm_number *number, const struct bm_mark_entry *mark,
                             struct bm_script *script) {
    char digits[20];
    find_number(number, mark);
    bm_number_insert_copy(script, mark->offset, digits, bm_number_print(digits, number->now.number));
    bm_number_begin_drop(number, script, mark->offset);
}

/* --- numbers that are missing ---------------------------------------------------------------------- */

/* Inserts a whole number element where there is none. */
static void take_missing_number(struct bm_number *number, const struct bm_mark_entry *mark,
                                struct bm_script *script) {
    static const char iteration_end_tag[] = "</Iteration>";
    bool is_empty_tag = (mark->flags & BM_MARK_EMPTY_TAG) != 0;
    char text[160];
    size_t n = 0;
    find_number(number, mark);
    if (is_empty_tag) text[n++] = '>';
    memcpy(text + n, number_start_tag, sizeof number_start_tag - 1);
    n += sizeof number_start_tag - 1;
    n += bm_number_print(text + n, number->now.number);
    memcpy(text + n, number_end_tag, sizeof number_end_tag - 1);
    n += sizeof number_end_tag - 1;
    if (!is_empty_tag && (mark->flags & BM_MARK_NEWLINE) != 0) {
        memcpy(text + n, bm_number_new_line, mark->value + 1);
        n += mark->value + 1;
    }
    bm_number_insert_copy(script, mark->offset, text, n);
    if (!is_empty_tag) return;
    bm_number_insert_names(number, mark, script);
    bm_number_insert(script, mark->offset, iteration_end_tag, sizeof iteration_end_tag - 1);
    bm_number_drop(script, mark->offset, mark->end);
}

/* --- characters of other encodings --------------------------------------------------------------- */

/* A piece of the text becomes a character. */
static void take_character(struct bm_number *number, const struct bm_mark_entry *mark,
                           const struct bm_batch *batch, struct bm_script *script) {
    struct bm_number_character character = {.offset = mark->offset, .end = mark->end};
    character.n_utf8 = (uint8_t)bm_utf8_write(character.utf8, (uint32_t)mark->value);
    if (number->now.is_capturing) {
        bm_number_capture(number, batch, mark->offset);
        bm_number_append_epilogue(number, character.utf8, character.n_utf8);
        number->now.captured_to = mark->end;
    } else if (number->now.pending_body != NONE) {
        number->pending[number->now.n_pending++] = character;
        if (number->now.n_pending == BM_NUMBER_MAX_PENDING) begin_body(number, script);
    } else if (number->now.is_in_fragment && !number->now.is_dropping) {
        replace_character(script, &character);
    }
}

/* --- all marks ----------------------------------------------------------------------------------- */

static void take_document_end(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch) {
    if ((mark->flags & BM_MARK_LEFT) != 0)
        number->now.is_cut = number->now.is_cut || number->now.is_capturing;
    else
        bm_number_capture(number, batch, mark->offset);
    number->now.is_capturing = false;
}

/* A mark of a document's own. */
static void take_document_mark(struct bm_number *number, const struct bm_mark_entry *mark,
                               const struct bm_batch *batch, struct bm_script *script) {
    switch (mark->kind) {
    case BM_MARK_DOCUMENT:
        take_document(number, mark, script);
        break;
    case BM_MARK_DECLARATION:
        bm_number_take_declaration(number, mark, script);
        break;
    case BM_MARK_NO_DECLARATION:
        bm_number_take_no_declaration(number, mark, script);
        break;
    case BM_MARK_DATABASE:
        bm_number_take_database(number, mark, script);
        break;
    case BM_MARK_DATABASE_END:
        bm_number_take_database_end(number, mark, script);
        break;
    case BM_MARK_ITERATIONS:
        take_iterations(number, mark, script);
        break;
    case BM_MARK_BODY:
        take_body(number, mark);
        break;
    case BM_MARK_ITERATIONS_END:
        take_iterations_end(number, mark, script);
        break;
    case BM_MARK_SKIP:
        if (number->now.is_in_fragment && !(number->now.is_first && (mark->flags & BM_MARK_NAMES) != 0))
            bm_number_drop(script, mark->offset, mark->end);
        break;
    case BM_MARK_ARCHIVE:
        number->now.first_query = number->now.last_query = 0;
        break;
    case BM_MARK_MEGABLAST:
        bm_number_take_megablast(number, mark, batch);
        break;
    case BM_MARK_DOCUMENT_END:
        take_document_end(number, mark, batch);
        break;
    default:
        break;
    }
}

/* Marks that change what an Iteration says of itself. */
static bool is_change(uint32_t kind) {
    switch (kind) {
    case BM_MARK_NUMBER:
    case BM_MARK_NUMBER_LONG:
    case BM_MARK_NUMBER_LONG_END:
    case BM_MARK_NUMBER_MISSING:
    case BM_MARK_NUMBER_EXTRA:
    case BM_MARK_NUMBER_EXTRA_END:
    case BM_MARK_QUERY_ID:
    case BM_MARK_QUERY_MISSING:
    case BM_MARK_QUERY_ROW:
    case BM_MARK_MESSAGE:
        return true;
    default:
        return false;
    }
}

static void take_mark(struct bm_number *number, const struct bm_mark_entry *mark,
                      const struct bm_batch *batch, struct bm_script *script) {
    if (number->keeps_all && is_change(mark->kind)) return;
    switch (mark->kind) {
    case BM_MARK_ITERATION:
        take_iteration(number, mark, script);
        break;
    case BM_MARK_NUMBER:
        write_number(number, mark, script);
        break;
    case BM_MARK_NUMBER_LONG:
        take_long_number(number, mark, script);
        break;
    case BM_MARK_NUMBER_MISSING:
        take_missing_number(number, mark, script);
        break;
    case BM_MARK_NUMBER_EXTRA:
        bm_number_begin_drop(number, script, mark->offset);
        break;
    case BM_MARK_NUMBER_LONG_END:
    case BM_MARK_NUMBER_EXTRA_END:
        bm_number_end_drop(number, script, mark->offset);
        break;
    case BM_MARK_QUERY_ID:
        bm_number_take_query_id(number, mark, batch, script);
        break;
    case BM_MARK_QUERY_MISSING:
        bm_number_insert_names(number, mark, script);
        break;
    case BM_MARK_QUERY_ROW:
        bm_number_take_query_row(number, mark, batch, script);
        break;
    case BM_MARK_MESSAGE:
        bm_number_take_message(number, mark, batch, script);
        break;
    case BM_MARK_CHARACTER:
        take_character(number, mark, batch, script);
        break;
    case BM_MARK_ITERATION_END:
        take_iteration_end(number, mark, batch);
        break;
    default:
        take_document_mark(number, mark, batch, script);
    }
}

void bm_number_take(struct bm_number *number, const struct bm_mark_list *marks, const struct bm_batch *batch,
                    uint64_t safe, struct bm_script *script) {
    for (size_t i = 0; i < marks->n_entries; i++) {
        take_mark(number, &marks->entries[i], batch, script);
        if (number->now.ids.is_beyond)
            bm_number_exceed(number, "the number of the query's id", marks->entries[i].offset);
    }
    bm_number_capture(number, batch, safe);
}

void bm_number_resume(struct bm_number *number, const struct bm_number_state *before) {
    number->now = *before;
}

uint64_t bm_number_safe(struct bm_number *number, uint64_t mark_safe, struct bm_script *script) {
    if (number->now.pending_body == NONE) return mark_safe;
    if (mark_safe <= number->now.pending_body + BM_NUMBER_MAX_BODY_HOLD) {
        return mark_safe < number->now.pending_body ? mark_safe : number->now.pending_body;
    }
    begin_body(number, script);
    return mark_safe;
}
