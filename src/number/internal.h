/* SPDX-License-Identifier: MIT */
/*
 * number/internal.h - shared by this room's files: number.c has the body of a document and its numbers, frame.c the
 * text around the body, names.c the names of queries.
 */
#ifndef BM_NUMBER_INTERNAL_H
#define BM_NUMBER_INTERNAL_H

#include "number/number.h"

/* --- the script ---------------------------------------------------------------------------------- */

/* Inserts text that lives as long as the job. */
static inline void bm_number_insert(struct bm_script *script, uint64_t offset, const char *text,
                                    size_t n_text) {
    bm_script_go(script, offset);
    bm_script_insert(script, text, n_text);
}

/* Inserts temporary text. */
static inline void bm_number_insert_copy(struct bm_script *script, uint64_t offset, const char *text,
                                         size_t n_text) {
    bm_script_go(script, offset);
    bm_script_insert_copy(script, text, n_text);
}

/* Drops a stretch. Stretches that follow each other become one. */
static inline void bm_number_drop(struct bm_script *script, uint64_t offset, uint64_t end) {
    if (offset == end) return;
    bm_script_go(script, offset);
    bm_script_stop(script);
    bm_script_go(script, end);
    bm_script_resume(script);
}

static inline void bm_number_begin_fragment(struct bm_number *number, struct bm_script *script,
                                            uint64_t offset) {
    bm_script_go(script, offset);
    bm_script_begin(script);
    number->now.is_in_fragment = true;
    number->now.is_dropping = false;
}

static inline void bm_number_end_fragment(struct bm_number *number, struct bm_script *script,
                                          uint64_t offset) {
    if (!number->now.is_in_fragment) return;
    bm_script_go(script, offset);
    bm_script_end(script);
    number->now.is_in_fragment = false;
    number->now.is_dropping = false;
}

static inline void bm_number_begin_drop(struct bm_number *number, struct bm_script *script, uint64_t offset) {
    bm_script_go(script, offset);
    bm_script_stop(script);
    number->now.is_dropping = true;
}

static inline void bm_number_end_drop(struct bm_number *number, struct bm_script *script, uint64_t offset) {
    bm_script_go(script, offset);
    bm_script_resume(script);
    number->now.is_dropping = false;
}

/* Records that a sum of the children's numbers is too large; then no number is right. */
static inline void bm_number_exceed(struct bm_number *number, const char *what, uint64_t offset) {
    if (number->now.excess.what == NULL) number->now.excess = (struct bm_number_excess){what, offset};
}

/* Writes the decimal digits of a number; returns their count. */
static inline size_t bm_number_print(char digits[20], uint64_t value) {
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++) digits[i] = reversed[n - 1 - i];
    return n;
}

/* --- frame.c -------------------------------------------------------------------------------------- */

void bm_number_take_declaration(struct bm_number *number, const struct bm_mark_entry *mark,
                                struct bm_script *script);
void bm_number_take_no_declaration(struct bm_number *number, const struct bm_mark_entry *mark,
                                   struct bm_script *script);
void bm_number_take_database(struct bm_number *number, const struct bm_mark_entry *mark,
                             struct bm_script *script);
void bm_number_take_database_end(struct bm_number *number, const struct bm_mark_entry *mark,
                                 struct bm_script *script);

/* Begins the epilogue: the first document's text after its Iterations, at the offset, with its indentation.
 * */
void bm_number_begin_epilogue(struct bm_number *number, uint64_t offset, size_t n_indentation);

/* Adds text to the epilogue that is not in the child's text. */
void bm_number_append_epilogue(struct bm_number *number, const char *text, size_t n_text);

/* Keeps the epilogue's text up to `to`, in the batch or the history before it. Without an epilogue, does
 * nothing. */
void bm_number_capture(struct bm_number *number, const struct bm_batch *batch, uint64_t to);

void bm_number_take_megablast(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch);

/* --- names.c -------------------------------------------------------------------------------------- */

/* A line break and an indentation, used up to the length in a mark. */
extern const char bm_number_new_line[66];

/* Inserts the names that only the document's header has as elements of the Iteration. */
void bm_number_insert_names(struct bm_number *number, const struct bm_mark_entry *mark,
                            struct bm_script *script);

void bm_number_take_query_id(struct bm_number *number, const struct bm_mark_entry *mark,
                             const struct bm_batch *batch, struct bm_script *script);
void bm_number_take_query_row(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch, struct bm_script *script);
void bm_number_take_message(struct bm_number *number, const struct bm_mark_entry *mark,
                            const struct bm_batch *batch, struct bm_script *script);

#endif
