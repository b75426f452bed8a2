/* SPDX-License-Identifier: MIT */
/*
 * mark/door.h - the door holds any one of the scanners, and finds out which one a text needs.
 *
 *   mark.c      open, step, finish, safe
 *   format.c    finds a text's format, and its scanner
 *   look.c      describes texts that cannot be merged, for messages
 *   columns.c   recognises rows of column names
 *   resume.c    leaves a text, and continues elsewhere in it
 */
#ifndef BM_MARK_DOOR_H
#define BM_MARK_DOOR_H

#include "mark/mark.h"
#include "mark/scan/scan.h"

/* --- mark.c */

void bm_mark_take_scanner(struct bm_mark *mark, const struct bm_mark_scanner *scanner);

/* Sets the way (the instructions of the fast path); returns false if this machine lacks it. For tests;
 * bm_mark_open() sets the best one. */
bool bm_mark_use(struct bm_mark *mark, const char *way) BM_CHECK_RESULT;

/* --- format.c */

/* Bytes of the largest scanner. */
extern const size_t bm_mark_size;

/* Chooses the scanner by the text's first bytes, unless the format is given. Returns the number of bytes that
 * it moved into the sample, which the scanner reads first. */
size_t bm_mark_choose(struct bm_mark *mark, const uint8_t *text, size_t n_text);

/* Likewise, at the end of the text. */
void bm_mark_choose_at_end(struct bm_mark *mark);

/* The bare table whose twelve columns this line has, as BLAST writes them without being asked; AUTO: it has none's. */
enum blastmerge_format bm_mark_find_plain_table(const char *line, size_t n_line);

/* The first bare table whose separator the line has, or AUTO. */
enum blastmerge_format bm_mark_find_separated(const char *line, size_t n_line);

/* --- look.c */

/* Fails because this cannot be merged. The message says what it looks like, or gives the hint, and shows how
 * it begins. Returns false. */
bool bm_mark_look_fail(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                       const char *hint);

/* Returns whether the text looks like something other than a table's rows. */
bool bm_mark_look_is_known(const char *sample, size_t n_sample);

/* Likewise, but so certainly that the text is no table even if the caller declares it one. */
bool bm_mark_look_is_foreign(const char *sample, size_t n_sample, char separator);

/* Whether the text begins as a compressed file does: outside of gzip it would be decompressed, whatever its columns are. */
bool bm_mark_look_is_compressed(const char *sample, size_t n_sample);

/* --- columns.c */

bool bm_mark_is_number(const char *field, size_t n_field);

#endif
