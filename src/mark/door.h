/* SPDX-License-Identifier: MIT */
/*
 * mark/door.h - the scanners' door: one place for any of them, and how it is found which.
 *
 *   mark.c      open, step, finish, safe
 *   format.c    which format a text is of, and which scanner takes it
 *   look.c      what cannot be merged: what it looks like, for messages
 *   columns.c   rows of column names
 *   resume.c    leaving a text and going on elsewhere in it
 */
#ifndef BM_MARK_DOOR_H
#define BM_MARK_DOOR_H

#include "mark/json/json.h"
#include "mark/mark.h"
#include "mark/scan/scan.h"
#include "mark/table/table.h"
#include "mark/xml/xml.h"

/* What bm_mark_open() allocates. */
union bm_mark_any {
    struct bm_mark mark;
    struct bm_mark_xml xml;
    struct bm_mark_json json;
    struct bm_mark_table table;
};

/* --- mark.c */

void bm_mark_take_scanner(struct bm_mark *mark, const struct bm_mark_scanner *scanner);

/* Sets the way the scanners take; false if this machine has it not. For tests; bm_mark_open() takes the best. */
bool bm_mark_use(struct bm_mark *mark, const char *way) BM_CHECK_RESULT;

/* --- format.c */

/* Chooses the scanner by what the text begins with, unless the format is given. Returns how many bytes it
 * took into the sample, which the scanner takes first. */
size_t bm_mark_choose(struct bm_mark *mark, const uint8_t *text, size_t n_text);

/* The same where the text has ended. */
void bm_mark_choose_at_end(struct bm_mark *mark);

/* Whether the line of n bytes begins with BLAST's own columns: two names and ten numbers. In a csv not both
 * names are numbers, and there are no tabs. */
bool bm_mark_has_plain_columns(const char *line, size_t n_line, char separator);

/* --- look.c */

/* This cannot be merged; the message says what it looks like, or else has the hint, and shows how it begins.
 */
bool bm_mark_look_fail(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                       const char *hint);

/* Whether the text looks like something else than a table's rows. */
bool bm_mark_look_is_known(const char *sample, size_t n_sample);

/* The same so surely that it is none even if someone says so. */
bool bm_mark_look_is_foreign(const char *sample, size_t n_sample, char separator);

/* --- columns.c */

bool bm_mark_is_number(const char *field, size_t n_field);

#endif
