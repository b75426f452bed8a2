/* SPDX-License-Identifier: MIT */
/* The text around the Iterations. The result has one prologue and one epilogue: the first document's. */
#include "number/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char plain_declaration[] = "<?xml version=\"1.0\"?>";

/* --- the prologue -------------------------------------------------------------------------------- */

void bm_number_take_declaration(struct bm_number *number, const struct bm_mark_entry *mark,
                                struct bm_script *script) {
    if (!number->now.is_first) return;
    bm_number_begin_fragment(number, script, mark->offset);
    if ((mark->flags & BM_MARK_CONVERTED) == 0) return;
    bm_number_insert(script, mark->offset, plain_declaration, sizeof plain_declaration - 1);
    bm_number_drop(script, mark->offset, mark->end);
}

void bm_number_take_no_declaration(struct bm_number *number, const struct bm_mark_entry *mark,
                                   struct bm_script *script) {
    if (!number->now.is_first) return;
    bm_number_begin_fragment(number, script, mark->offset);
    bm_number_insert(script, mark->offset, plain_declaration, sizeof plain_declaration - 1);
    bm_number_insert(script, mark->offset, "\n", 1);
}

void bm_number_take_database(struct bm_number *number, const struct bm_mark_entry *mark,
                             struct bm_script *script) {
    static const char end_tag[] = "</BlastOutput_db>";
    if (!number->now.is_first || number->keeps_database) return;
    if ((mark->flags & BM_MARK_EMPTY_TAG) != 0) {
        bm_number_insert(script, mark->offset, ">", 1);
        bm_number_insert(script, mark->offset, number->database, number->n_database);
        bm_number_insert(script, mark->offset, end_tag, sizeof end_tag - 1);
        bm_number_drop(script, mark->offset, mark->offset + 2);
        return;
    }
    bm_number_insert(script, mark->offset, number->database, number->n_database);
    bm_number_begin_drop(number, script, mark->offset);
}

void bm_number_take_database_end(struct bm_number *number, const struct bm_mark_entry *mark,
                                 struct bm_script *script) {
    if (number->now.is_dropping) bm_number_end_drop(number, script, mark->offset);
}

/* --- the epilogue: it is kept for the end -------------------------------------------------------- */

void bm_number_begin_epilogue(struct bm_number *number, uint64_t offset, size_t n_indentation) {
    number->now.is_capturing = true;
    number->now.captured_to = offset;
    number->now.end_tag_at = number->now.n_epilogue + n_indentation;
}

void bm_number_append_epilogue(struct bm_number *number, const char *text, size_t n_text) {
    if (n_text > BM_NUMBER_MAX_EPILOGUE - number->now.n_epilogue) {
        number->now.is_too_long = true;
        return;
    }
    memcpy(number->epilogue + number->now.n_epilogue, text, n_text);
    number->now.n_epilogue += n_text;
}

/* Takes the text up to `to`, which lies in the batch or the history before it. */
void bm_number_capture(struct bm_number *number, const struct bm_batch *batch, uint64_t to) {
    if (!number->now.is_capturing || to <= number->now.captured_to) return;
    if (!number->now.is_too_long) {
        const uint64_t n = to - number->now.captured_to;
        const uint8_t *text = bm_batch_at(batch, number->now.captured_to, n);
        bm_number_append_epilogue(number, (const char *)text, (size_t)n);
    }
    number->now.captured_to = to;
}

/* A BlastOutput_mbstat after the Iterations: where it lies in the epilogue, if it is whole in there. In the
 * epilogue it may be longer than in the text, by characters that were converted: so look for its tag. */
void bm_number_take_megablast(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch) {
    static const char tag[] = "<BlastOutput_mbstat";
    const size_t n_tag = sizeof tag - 1;
    uint64_t n_bytes = mark->end - mark->offset;
    if (!number->now.is_capturing || number->now.n_megablast > 0) return;
    bm_number_capture(number, batch, mark->end);
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
    if (number->now.format->has_count && total->n_counted == total->n_documents)
        print_count(number, total->n_queries);
    if (number->now.is_too_long || number->now.is_cut) {
        *n_bytes = strlen(number->now.format->epilogue);
        return number->now.format->epilogue;
    }
    if (number->now.n_megablast > 0 && total->n_documents > 1) {
        remove_megablast(number);
        *dropped_megablast = true;
    }
    *n_bytes = number->now.n_epilogue;
    return number->epilogue;
}
