/* SPDX-License-Identifier: MIT */
#include "number/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NONE UINT64_MAX

static const char plain_declaration[] = "<?xml version=\"1.0\"?>";
static const char number_start_tag[] = "<Iteration_iter-num>";
static const char number_end_tag[] = "</Iteration_iter-num>";

/* --- the script ---------------------------------------------------------------------------------- */

/* Inserts text that lives as long as the job. */
static void insert(struct bm_script *script, uint64_t offset, const char *text, size_t n_text) {
    bm_script_go(script, offset);
    bm_script_insert(script, text, n_text);
}

/* Inserts text of the moment. */
static void insert_copy(struct bm_script *script, uint64_t offset, const char *text, size_t n_text) {
    bm_script_go(script, offset);
    bm_script_insert_copy(script, text, n_text);
}

/* Where one such stretch follows another, they are one. */
static void drop(struct bm_script *script, uint64_t offset, uint64_t end) {
    if (offset == end) return;
    bm_script_go(script, offset);
    bm_script_stop(script);
    bm_script_go(script, end);
    bm_script_resume(script);
}

static void begin_fragment(struct bm_number *number, struct bm_script *script, uint64_t offset) {
    bm_script_go(script, offset);
    bm_script_begin(script);
    number->now.is_in_fragment = true;
    number->now.is_dropping = false;
}

static void end_fragment(struct bm_number *number, struct bm_script *script, uint64_t offset) {
    if (!number->now.is_in_fragment) return;
    bm_script_go(script, offset);
    bm_script_end(script);
    number->now.is_in_fragment = false;
    number->now.is_dropping = false;
}

static void begin_drop(struct bm_number *number, struct bm_script *script, uint64_t offset) {
    bm_script_go(script, offset);
    bm_script_stop(script);
    number->now.is_dropping = true;
}

static void end_drop(struct bm_number *number, struct bm_script *script, uint64_t offset) {
    bm_script_go(script, offset);
    bm_script_resume(script);
    number->now.is_dropping = false;
}

_Static_assert((int)BM_SCRIPT_ENTRIES >=
                   BM_MARK_LIST * BM_NUMBER_ROOM + 3 * BM_NUMBER_MAX_PENDING + BM_NUMBER_ROOM,
               "a list of marks always fits, and the characters of a body that comes to count");

/* Numbers that come from the children are added: where the sum is too large nothing of it is right. */
static void exceed(struct bm_number *number, const char *what, uint64_t offset) {
    if (number->now.excess.what == NULL) number->now.excess = (struct bm_number_excess){what, offset};
}

/* --- settings ------------------------------------------------------------------------------------ */

static size_t escape(char *escaped, const char *text) {
    size_t n = 0;
    for (; *text != '\0'; text++) {
        const char *entity = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
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
static size_t character_bytes(const unsigned char *p) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = *p < 0x80 ? 1 : *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf8 ? 4 : 0;
    uint32_t character = n == 1 ? *p : *p & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0; /* at the end of the string, too */
        character = character << 6 | (p[i] & 0x3f);
    }
    bool is_control = character < 0x20 && character != '\t' && character != '\n' && character != '\r';
    bool is_surrogate = character >= 0xd800 && character < 0xe000;
    bool is_beyond = character == 0xfffe || character == 0xffff || character > 0x10ffff;
    return character < least[n] || is_control || is_surrogate || is_beyond ? 0 : n;
}

bool bm_number_is_text(const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        size_t n = character_bytes(p);
        if (n == 0) return false;
        p += n;
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
        exceed(number, "the numbers of the Iterations before", 0);
    return tally;
}

/* --- the prologue: only the first document's is kept --------------------------------------------- */

/* Another run of BLAST, which numbers its Iterations and queries from 1. */
static void begin_run(struct bm_number *number, const struct bm_mark_entry *mark) {
    if (number->keeps_gaps && !bm_add(&number->now.number_before, number->now.own_number))
        exceed(number, "the numbers of the Iterations before", mark->offset);
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
    if (number->now.is_first && (mark->flags & BM_MARK_BARE) != 0)
        begin_fragment(number, script, mark->offset);
}

static void take_declaration(struct bm_number *number, const struct bm_mark_entry *mark,
                             struct bm_script *script) {
    if (!number->now.is_first) return;
    begin_fragment(number, script, mark->offset);
    if ((mark->flags & BM_MARK_CONVERTED) == 0) return;
    insert(script, mark->offset, plain_declaration, sizeof plain_declaration - 1);
    drop(script, mark->offset, mark->end);
}

static void take_no_declaration(struct bm_number *number, const struct bm_mark_entry *mark,
                                struct bm_script *script) {
    if (!number->now.is_first) return;
    begin_fragment(number, script, mark->offset);
    insert(script, mark->offset, plain_declaration, sizeof plain_declaration - 1);
    insert(script, mark->offset, "\n", 1);
}

static void take_database(struct bm_number *number, const struct bm_mark_entry *mark,
                          struct bm_script *script) {
    static const char end_tag[] = "</BlastOutput_db>";
    if (!number->now.is_first || number->keeps_database) return;
    if ((mark->flags & BM_MARK_EMPTY_TAG) != 0) {
        insert(script, mark->offset, ">", 1);
        insert(script, mark->offset, number->database, number->n_database);
        insert(script, mark->offset, end_tag, sizeof end_tag - 1);
        drop(script, mark->offset, mark->offset + 2);
        return;
    }
    insert(script, mark->offset, number->database, number->n_database);
    begin_drop(number, script, mark->offset);
}

static void take_database_end(struct bm_number *number, const struct bm_mark_entry *mark,
                              struct bm_script *script) {
    if (number->now.is_dropping) end_drop(number, script, mark->offset);
}

/* --- the epilogue: the first document's is kept for the end -------------------------------------- */

static void begin_epilogue(struct bm_number *number, uint64_t offset, size_t n_indentation) {
    number->now.is_capturing = true;
    number->now.captured_to = offset;
    number->now.end_tag_at = number->now.n_epilogue + n_indentation;
}

static void append_epilogue(struct bm_number *number, const char *text, size_t n_text) {
    if (n_text > BM_NUMBER_MAX_EPILOGUE - number->now.n_epilogue) {
        number->now.is_too_long = true;
        return;
    }
    memcpy(number->epilogue + number->now.n_epilogue, text, n_text);
    number->now.n_epilogue += n_text;
}

/* Takes the text up to `to`, which lies in the batch or the history before it. */
static void capture(struct bm_number *number, const struct bm_batch *batch, uint64_t to) {
    if (!number->now.is_capturing || to <= number->now.captured_to) return;
    if (!number->now.is_too_long) {
        const uint8_t *text = bm_batch_at(batch, number->now.captured_to);
        append_epilogue(number, (const char *)text, (size_t)(to - number->now.captured_to));
    }
    number->now.captured_to = to;
}

/* A BlastOutput_mbstat after the Iterations: where it lies in the epilogue, if it is whole in there. In the
 * epilogue it may be longer than in the text, by characters that were converted: so look for its tag. */
static void take_megablast(struct bm_number *number, const struct bm_mark_entry *mark,
                           const struct bm_batch *batch) {
    static const char tag[] = "<BlastOutput_mbstat";
    const size_t n_tag = sizeof tag - 1;
    uint64_t n_bytes = mark->end - mark->offset;
    if (!number->now.is_capturing || number->now.n_megablast > 0) return;
    capture(number, batch, mark->end);
    if (number->now.is_too_long || n_bytes > number->now.n_epilogue) return;
    size_t at = number->now.n_epilogue - (size_t)n_bytes;
    while (at > 0 && strncmp(number->epilogue + at, tag, n_tag) != 0) at--;
    number->now.megablast_at = at;
    number->now.n_megablast = number->now.n_epilogue - at;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the element out of the epilogue, with its indentation and the line break before that. */
static void remove_megablast(struct bm_number *number) {
    size_t from = number->now.megablast_at;
    size_t to = from + number->now.n_megablast;
    while (from > number->now.end_tag_at && is_blank(number->epilogue[from - 1])) from--;
    if (from > number->now.end_tag_at && number->epilogue[from - 1] == '\n') from--;
    if (from > number->now.end_tag_at && number->epilogue[from - 1] == '\r') from--;
    memmove(number->epilogue + from, number->epilogue + to, number->now.n_epilogue - to);
    number->now.n_epilogue -= to - from;
    number->now.n_megablast = 0;
}

static void print_count(struct bm_number *number, uint64_t n_queries) {
    int n_bytes = snprintf(number->epilogue, sizeof number->epilogue,
                           "# BLAST processed %" PRIu64 " queries\n", n_queries);
    number->now.n_epilogue = (size_t)n_bytes;
}

const char *bm_number_epilogue(struct bm_number *number, const struct bm_tally *total, size_t *n_bytes,
                               bool *dropped_megablast) {
    *dropped_megablast = false;
    if (number->now.style->has_count && total->n_counted == total->n_documents)
        print_count(number, total->n_queries);
    if (number->now.is_too_long || number->now.is_cut) {
        *n_bytes = strlen(number->now.style->epilogue);
        return number->now.style->epilogue;
    }
    if (number->now.n_megablast > 0 && total->n_documents > 1) {
        remove_megablast(number);
        *dropped_megablast = true;
    }
    *n_bytes = number->now.n_epilogue;
    return number->epilogue;
}

/* --- the body ------------------------------------------------------------------------------------ */

static void take_iterations(struct bm_number *number, const struct bm_mark_entry *mark,
                            struct bm_script *script) {
    number->now.style = bm_number_style_of((enum blastmerge_format)mark->value);
    if (!number->now.is_first || (mark->flags & BM_MARK_EMPTY_TAG) == 0) return;
    /* <BlastOutput_iterations/> is opened: other documents' Iterations may come in. */
    drop(script, mark->offset, mark->offset + 1);
    insert(script, mark->offset + 2, "\n", 1);
    end_fragment(number, script, mark->offset + 2);
    append_epilogue(number, number->now.style->end_tag, strlen(number->now.style->end_tag));
    begin_epilogue(number, mark->offset + 2, 0);
}

static void take_body(struct bm_number *number, const struct bm_mark_entry *mark) {
    if (!number->now.is_first) number->now.pending_body = mark->offset;
}

static void replace_character(struct bm_script *script, const struct bm_number_character *character) {
    insert_copy(script, character->offset, character->utf8, character->n_utf8);
    drop(script, character->offset, character->end);
}

/* The body counts: its fragment begins, and what its text has had so far comes about. */
static void begin_body(struct bm_number *number, struct bm_script *script) {
    if (number->now.pending_body == NONE) return;
    begin_fragment(number, script, number->now.pending_body);
    for (size_t i = 0; i < number->now.n_pending; i++) replace_character(script, &number->pending[i]);
    forget_body(number);
}

static void take_iteration(struct bm_number *number, const struct bm_mark_entry *mark,
                           struct bm_script *script) {
    begin_body(number, script);
    if (!number->now.has_iteration && number->now.n_iterations > 0) {
        bool is_open = number->now.line == BM_TALLY_LINE_OPEN && (mark->flags & BM_MARK_NEWLINE) == 0;
        const char *joint = is_open ? number->now.style->joint_open : number->now.style->joint;
        insert(script, mark->offset, joint, strlen(joint));
    }
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
    if (!number->keeps_gaps || number->now.style->hits == NULL || n_bytes > BM_STYLE_BARE) return;
    const uint8_t *text = bm_batch_at(batch, number->now.iteration);
    number->now.n_bare_iterations += bm_number_style_is_bare(number->now.style, text, (size_t)n_bytes);
}

static void take_iterations_end(struct bm_number *number, const struct bm_mark_entry *mark,
                                struct bm_script *script) {
    if (number->now.pending_body != NONE &&
        mark->offset - number->now.pending_body > BM_NUMBER_MAX_BODY_HOLD) {
        begin_body(number, script);
    }
    forget_body(number);
    if (number->now.is_in_fragment && (mark->flags & BM_MARK_LEFT) != 0) { /* right behind a tag */
        insert(script, mark->offset, "\n", 1);
        number->now.line = BM_TALLY_LINE_ENDED;
    }
    if (number->now.is_in_fragment && (mark->flags & BM_MARK_OPEN) != 0) {
        bool has_return = (mark->flags & BM_MARK_RETURN) != 0;
        insert(script, mark->offset, has_return ? "\r\n" : "\n", has_return ? 2 : 1);
    }
    if (number->now.is_in_fragment && (mark->flags & BM_MARK_NEWLINE) != 0)
        number->now.line = BM_TALLY_LINE_ENDED;
    end_fragment(number, script, mark->offset);
    if (number->now.style->has_count) {
        if ((mark->flags & BM_MARK_DIGITS) != 0) { /* as many as there are parts in the text */
            number->now.n_counted++;
            number->now.n_queries += mark->value;
        }
        return;
    }
    if (number->now.is_first) begin_epilogue(number, mark->offset, (size_t)(mark->end - mark->offset));
}

/* --- numbers ------------------------------------------------------------------------------------- */

/* Decimal digits of a number: their count. */
static size_t print_number(char digits[20], uint64_t value) {
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++) digits[i] = reversed[n - 1 - i];
    return n;
}

/* Adds to a number of the result. */
static void add_number(struct bm_number *number, uint64_t *sum, uint64_t value, uint64_t offset) {
    if (!bm_add(sum, value)) exceed(number, "the Iteration's number", offset);
}

/* The Iteration's number, as far as its document has one. Where a document's numbers go back, as if another
 * run began there, they are counted on. */
static void find_number(struct bm_number *number, const struct bm_mark_entry *mark) {
    bool is_known = (mark->flags & BM_MARK_DIGITS) != 0 && mark->value > 0; /* BLAST counts from 1 */
    bool is_return = is_known && number->now.has_own_number && mark->value <= number->now.own_number;
    uint64_t own = number->now.own_number;
    if (!bm_add(&own, 1) && !is_known && number->keeps_gaps)
        exceed(number, "the Iteration's number", mark->offset);
    number->now.n_unnumbered += !is_known;
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
static void take_number(struct bm_number *number, const struct bm_mark_entry *mark,
                        struct bm_script *script) {
    char new_digits[20];
    find_number(number, mark);
    size_t n_new = print_number(new_digits, number->now.number);
    size_t n_same = 0;
    if ((mark->flags & BM_MARK_DIGITS) != 0) {
        char old_digits[20];
        size_t n_old = print_number(old_digits, mark->value);
        if (n_old == mark->end - mark->offset) { /* else it has leading zeros */
            while (n_same < n_old && n_same < n_new && old_digits[n_same] == new_digits[n_same]) n_same++;
        }
    }
    if ((mark->flags & BM_MARK_EMPTY_TAG) != 0) insert(script, mark->offset, ">", 1);
    if (n_same < n_new) insert_copy(script, mark->offset + n_same, new_digits + n_same, n_new - n_same);
    if ((mark->flags & BM_MARK_EMPTY_TAG) != 0) {
        insert(script, mark->offset, number_end_tag, sizeof number_end_tag - 1);
    }
    drop(script, mark->offset + n_same, mark->end);
}

static void take_long_number(struct bm_number *number, const struct bm_mark_entry *mark,
                             struct bm_script *script) {
    char digits[20];
    find_number(number, mark);
    insert_copy(script, mark->offset, digits, print_number(digits, number->now.number));
    begin_drop(number, script, mark->offset);
}

/* A line break and an indentation. */
static const char new_line[66] = "\n                                                                ";

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
    insert_copy(script, offset, text, (size_t)n);
    return true;
}

/* The header's query is that of the first Iteration; PSI-BLAST has several for one query. */
static void insert_names(struct bm_number *number, const struct bm_mark_entry *mark,
                         struct bm_script *script) {
    const struct bm_number_names *names = &number->names[number->now.which_names];
    bool is_of_query = number->now.n_own_iterations == 1 || number->now.is_psi;
    if (!number->now.has_names || !is_of_query) return;
    number->now.n_lost_names += names->is_cut && number->now.n_documents > 1;
    for (size_t i = 0; i < BM_NUMBER_NAMES; i++) {
        if (names->n_elements[i] == 0) continue;
        if (i > 0 || !insert_new_id(number, names, mark->offset, script))
            insert(script, mark->offset, names->elements[i], names->n_elements[i]);
        if ((mark->flags & BM_MARK_NEWLINE) != 0)
            insert(script, mark->offset, new_line, (size_t)mark->value + 1);
    }
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
    n += print_number(text + n, number->now.number);
    memcpy(text + n, number_end_tag, sizeof number_end_tag - 1);
    n += sizeof number_end_tag - 1;
    if (!is_empty_tag && (mark->flags & BM_MARK_NEWLINE) != 0) {
        memcpy(text + n, new_line, mark->value + 1);
        n += mark->value + 1;
    }
    insert_copy(script, mark->offset, text, n);
    if (!is_empty_tag) return;
    insert_names(number, mark, script);
    insert(script, mark->offset, iteration_end_tag, sizeof iteration_end_tag - 1);
    drop(script, mark->offset, mark->end);
}

/* --- queries ------------------------------------------------------------------------------------- */

/* What the mark says lies from its offset to its end; in the batch, or in the history before it. */
static const char *content_of(const struct bm_mark_entry *mark, const struct bm_batch *batch) {
    return (const char *)bm_batch_at(batch, mark->offset);
}

/* Replaces text by other text; what agrees from the left stays. */
static void replace(struct bm_script *script, uint64_t offset, const char *old_text, size_t n_old,
                    const char *new_text, size_t n_new) {
    size_t n_same = 0;
    while (n_same < n_old && n_same < n_new && old_text[n_same] == new_text[n_same]) n_same++;
    insert_copy(script, offset + n_same, new_text + n_same, n_new - n_same);
    drop(script, offset + n_same, offset + n_old);
}

/* Replaces an id by the query's new one. */
static void replace_id(const struct bm_number *number, const struct bm_mark_entry *mark,
                       const struct bm_batch *batch, struct bm_script *script) {
    static const char stem[] = "Query_";
    char new_id[sizeof stem + 20];
    memcpy(new_id, stem, sizeof stem - 1);
    size_t n_new = sizeof stem - 1 + print_number(new_id + sizeof stem - 1, number->now.new_query);
    replace(script, mark->offset, content_of(mark, batch), (size_t)(mark->end - mark->offset), new_id, n_new);
}

static void take_query_id(struct bm_number *number, const struct bm_mark_entry *mark,
                          const struct bm_batch *batch, struct bm_script *script) {
    bool is_unnamed = (mark->flags & BM_MARK_BARE) != 0;
    /* If it is cut it is no such id. */
    size_t n_id = (mark->flags & BM_MARK_CUT) != 0 ? 0 : (size_t)(mark->end - mark->offset);
    number->now.old_query = number->now.new_query = 0;
    bm_number_query_ids_count(&number->now.ids, mark->value);
    if (is_unnamed) {
        bm_number_query_ids_take_unnamed(&number->now.ids, &number->now.old_query, &number->now.new_query);
    } else if (!bm_number_query_ids_take(&number->now.ids, content_of(mark, batch), n_id,
                                         number->now.own_number, &number->now.old_query,
                                         &number->now.new_query)) {
        return;
    }
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

/* The id in a row of its query, which is in the other ones, too. */
static void take_query_row(struct bm_number *number, const struct bm_mark_entry *mark,
                           const struct bm_batch *batch, struct bm_script *script) {
    uint64_t query = bm_number_query_number(content_of(mark, batch), (size_t)(mark->end - mark->offset));
    if (!number->now.style->has_count) {
        take_unknown_id(number, query);
    } else if (number->now.old_query != 0 && query != number->now.old_query) {
        number->now.ids.n_odd++;
        number->now.old_query = number->now.new_query = 0;
    } else if (number->now.new_query != 0) {
        replace_id(number, mark, batch, script);
    }
}

static void take_message(struct bm_number *number, const struct bm_mark_entry *mark,
                         const struct bm_batch *batch, struct bm_script *script) {
    struct bm_number_query_message renamed;
    const char *message = content_of(mark, batch);
    if (number->now.new_query == 0) return;
    enum bm_number_query_prefix prefix =
        bm_number_query_rename(message, (size_t)(mark->end - mark->offset), number->now.style->form,
                               number->now.old_query, number->now.new_query, &renamed);
    number->now.new_query = 0;
    if (prefix == BM_QUERY_ODD) number->now.n_odd_messages++;
    if (prefix == BM_QUERY_LOST) number->now.n_excess_iterations++;
    if (prefix == BM_QUERY_RESTORED || prefix == BM_QUERY_LOST) {
        replace(script, mark->offset, message, renamed.n_old, renamed.text, renamed.n_new);
    }
}

/* --- characters of other encodings --------------------------------------------------------------- */

/* A piece of the text becomes a character above U+007F (and, as all 8-bit encodings have it, below U+10000).
 */
static size_t encode_utf8(char utf8[3], unsigned character) {
    size_t n = 0;
    if (character >= 0x800) {
        utf8[n++] = (char)(0xe0 | character >> 12);
        utf8[n++] = (char)(0x80 | (character >> 6 & 0x3f));
    } else {
        utf8[n++] = (char)(0xc0 | character >> 6);
    }
    utf8[n++] = (char)(0x80 | (character & 0x3f));
    return n;
}

static void take_character(struct bm_number *number, const struct bm_mark_entry *mark,
                           const struct bm_batch *batch, struct bm_script *script) {
    struct bm_number_character character = {.offset = mark->offset, .end = mark->end};
    character.n_utf8 = (uint8_t)encode_utf8(character.utf8, (unsigned)mark->value);
    if (number->now.is_capturing) {
        capture(number, batch, mark->offset);
        append_epilogue(number, character.utf8, character.n_utf8);
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
        capture(number, batch, mark->offset);
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
        take_declaration(number, mark, script);
        break;
    case BM_MARK_NO_DECLARATION:
        take_no_declaration(number, mark, script);
        break;
    case BM_MARK_DATABASE:
        take_database(number, mark, script);
        break;
    case BM_MARK_DATABASE_END:
        take_database_end(number, mark, script);
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
            drop(script, mark->offset, mark->end);
        break;
    case BM_MARK_MEGABLAST:
        take_megablast(number, mark, batch);
        break;
    case BM_MARK_DOCUMENT_END:
        take_document_end(number, mark, batch);
        break;
    default:
        break;
    }
}

static void take_mark(struct bm_number *number, const struct bm_mark_entry *mark,
                      const struct bm_batch *batch, struct bm_script *script) {
    switch (mark->kind) {
    case BM_MARK_ITERATION:
        take_iteration(number, mark, script);
        break;
    case BM_MARK_NUMBER:
        take_number(number, mark, script);
        break;
    case BM_MARK_NUMBER_LONG:
        take_long_number(number, mark, script);
        break;
    case BM_MARK_NUMBER_MISSING:
        take_missing_number(number, mark, script);
        break;
    case BM_MARK_NUMBER_EXTRA:
        begin_drop(number, script, mark->offset);
        break;
    case BM_MARK_NUMBER_LONG_END:
    case BM_MARK_NUMBER_EXTRA_END:
        end_drop(number, script, mark->offset);
        break;
    case BM_MARK_QUERY_ID:
        take_query_id(number, mark, batch, script);
        break;
    case BM_MARK_QUERY_MISSING:
        insert_names(number, mark, script);
        break;
    case BM_MARK_QUERY_ROW:
        take_query_row(number, mark, batch, script);
        break;
    case BM_MARK_MESSAGE:
        take_message(number, mark, batch, script);
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
            exceed(number, "the number of the query's id", marks->entries[i].offset);
    }
    capture(number, batch, safe);
}

void bm_number_take_back(struct bm_number *number, const struct bm_number_state *before) {
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
