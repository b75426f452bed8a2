/* SPDX-License-Identifier: MIT */
/*
 * number/internal.h - between this room's files: number.c has the body of a document and its numbers, frame.c what is
 * around the body, names.c what queries are called.
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

/* Inserts text of the moment. */
static inline void bm_number_insert_copy(struct bm_script *script, uint64_t offset, const char *text,
                                         size_t n_text) {
    bm_script_go(script, offset);
    bm_script_insert_copy(script, text, n_text);
}

/* Where one such stretch follows another, they are one. */
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

/* Numbers that come from the children are added: where the sum is too large nothing of it is right. */
static inline void bm_number_exceed(struct bm_number *number, const char *what, uint64_t offset) {
    if (number->now.excess.what == NULL) number->now.excess = (struct bm_number_excess){what, offset};
}

/* Decimal digits of a number: their count. */
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

/* The first document's text behind its Iterations begins at the offset, with so many bytes of indentation. */
void bm_number_begin_epilogue(struct bm_number *number, uint64_t offset, size_t n_indentation);

/* Adds to it what is not in the child's text. */
void bm_number_append_epilogue(struct bm_number *number, const char *text, size_t n_text);

/* Keeps its text up to `to`, which lies in the batch or the history before it. Nothing while there is no epilogue. */
void bm_number_capture(struct bm_number *number, const struct bm_batch *batch, uint64_t to);

void bm_number_take_megablast(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch);

/* --- names.c -------------------------------------------------------------------------------------- */

/* A line break and an indentation, of which as much is used as a mark counts. */
extern const char bm_number_new_line[66];

/* The names that only the document's header has become elements of the Iteration. */
void bm_number_insert_names(struct bm_number *number, const struct bm_mark_entry *mark,
                            struct bm_script *script);

void bm_number_take_query_id(struct bm_number *number, const struct bm_mark_entry *mark,
                             const struct bm_batch *batch, struct bm_script *script);
void bm_number_take_query_row(struct bm_number *number, const struct bm_mark_entry *mark,
                              const struct bm_batch *batch, struct bm_script *script);
void bm_number_take_message(struct bm_number *number, const struct bm_mark_entry *mark,
                            const struct bm_batch *batch, struct bm_script *script);

#endif
