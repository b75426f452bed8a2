/* SPDX-License-Identifier: MIT */
/*
 * mark - text -> marks: finds the places in a child's documents that a merge needs, and checks that the
 * documents are well-formed.
 *
 * There is one strict, incremental scanner for each kind of format. It accepts text in pieces of any size,
 * keeps a constant amount of state, and does linear work without recursion. Entities are never expanded;
 * nothing is ever fetched. A scanner reports everything in marks, in ascending order of offset, and counts
 * Iterations, Hits and Hsps. Offsets are bytes from the start of the child's text. A child may hold several
 * documents.
 *
 * In BLAST XML (-outfmt 5), elements are recognised by their places: the root BlastOutput; its child
 * BlastOutput_iterations (one in each document); that element's children Iteration; Iteration_iter-num in
 * these. Hit and Hsp are counted by name inside an Iteration. The other formats have the same marks, except
 * those that nothing corresponds to. There, an Iteration is the text of one query, and
 * "BlastOutput_iterations" is what holds all of these (docs/formats.md).
 */
#ifndef BM_MARK_H
#define BM_MARK_H

#include "mark/scan/marks.h"

/* Returns whether the field shows that all Iterations of the document are of one query, as PSI-BLAST's
 * are. */
bool bm_mark_is_of_psi(const struct bm_mark_field *field);

struct bm_mark;

enum blastmerge_status bm_mark_open(struct bm_mark **mark, struct bm_memory *memory,
                                    enum blastmerge_invalid_utf8 invalid_utf8) BM_CHECK_RESULT;
void bm_mark_close(struct bm_mark *mark, struct bm_memory *memory);

/* Whether a document of the format begins with this text, as far as that shows: for a message about a fault near it.
 * is_fault: the fault is right there. */
bool bm_mark_begins_document(enum blastmerge_format format, const uint8_t *text, size_t n_text,
                             bool is_begin_of_line, bool is_fault);

/* Declares that the children are tables of any columns. Rows that show no format themselves are then read as
 * this format (CSV, otherwise TABULAR), if the first row has several fields (or is_narrow) and looks like
 * nothing else. AUTO: the children are not declared to be tables. */
void bm_mark_suppose(struct bm_mark *mark, enum blastmerge_format format, bool is_narrow);

/* Sets the treatment of characters that XML forbids; without this call they are an error. */
void bm_mark_forbid(struct bm_mark *mark, enum blastmerge_forbidden_characters forbidden);

/* Sets the treatment of rows of column names in tables without comments; the default is ONCE. */
void bm_mark_set_header(struct bm_mark *mark, enum blastmerge_header header);

/* From now on QUERY_ID, MESSAGE and QUERY_MISSING are marked, which costs a little time. */
void bm_mark_tell_queries(struct bm_mark *mark);

/* Get and set what the children must agree with: bm_mark_kin() after one child, bm_mark_follow() before the
 * next. Without it the first child settles its format. */
struct bm_mark_kin bm_mark_kin(const struct bm_mark *mark);
void bm_mark_follow(struct bm_mark *mark, const struct bm_mark_kin *kin);
bool bm_mark_is_same_kin(const struct bm_mark_kin *one, const struct bm_mark_kin *other);

/* Resets everything except these settings. The next step begins another child. */
void bm_mark_reset(struct bm_mark *mark);

/* Returns the format that was expected or found; AUTO while it is not known. */
enum blastmerge_format bm_mark_format(const struct bm_mark *mark);

/*
 * Scans text. It uses *n_used of the n_text bytes, as many as possible, and appends marks to the list, which
 * the caller empties before each step. It stops early only if the list is full, or after a BM_MARK_FIELD. If
 * there is text and a step uses none of it, it adds a mark or fails. BLASTMERGE_DATA: the text is not
 * well-formed, or not BLAST's. BLASTMERGE_MISMATCH: its format differs from the earlier children's. The error
 * has the offset and the expectation; *n_used and the list are right up to there.
 */
enum blastmerge_status bm_mark_step(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t *n_used,
                                    struct bm_mark_list *list,
                                    struct blastmerge_error *error) BM_CHECK_RESULT;

/* Ends the text, and adds the last marks. BLASTMERGE_DATA: a document is incomplete. As fields come one at a
 * time, the caller repeats this call, with an empty list, until bm_mark_is_finished() or an error. */
enum blastmerge_status bm_mark_finish(struct bm_mark *mark, struct bm_mark_list *list,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

bool bm_mark_is_finished(const struct bm_mark *mark);

/* Returns the offset below which no later mark can be: all edits up to here are known. */
uint64_t bm_mark_safe(const struct bm_mark *mark);

const struct bm_mark_counts *bm_mark_counts(const struct bm_mark *mark);

/* Returns the field of the last BM_MARK_FIELD; valid until the next step. */
const struct bm_mark_field *bm_mark_field(const struct bm_mark *mark);

/* --- text with holes: what salvaging leaves of a damaged child (resume.c) ------------------------- */

/* At a hole's start, ends the current document: adds BM_MARK_ITERATIONS_END and BM_MARK_DOCUMENT_END, both
 * BM_MARK_LEFT. The scanner's position must be directly after BlastOutput_iterations' start tag or after an
 * Iteration in it, or directly after an archive. Before a child's first byte this does nothing. Either
 * bm_mark_enter() follows, or nothing more of this child. */
void bm_mark_leave(struct bm_mark *mark, struct bm_mark_list *list);

enum bm_mark_place {
    BM_MARK_AT_ITERATION, /* at an Iteration's '<', in a document whose header is lost */
    BM_MARK_AT_DOCUMENT,  /* at a document's '<' */
    BM_MARK_AT_SAME,      /* at an Iteration's '<', in the document that was left */
    BM_MARK_AT_ARCHIVE    /* at an archive's name: in the document that was left, if there was one */
};

/* At a hole's end, continues at the offset. At an Iteration or an archive, adds BM_MARK_DOCUMENT (with BM_MARK_LEFT
 * if it is the document that was left) and BM_MARK_BODY; at an archive also BM_MARK_ITERATIONS between them. That
 * document has the encoding that bm_mark_body_encoding() returned, and is not counted as another one. */
void bm_mark_enter(struct bm_mark *mark, struct bm_mark_list *list, uint64_t offset, enum bm_mark_place place,
                   unsigned encoding);

/* XML: returns whether the scanner has stopped after a document's root, where another document may follow.
 * Also valid after an error. */
bool bm_mark_has_ended(const struct bm_mark *mark);

/* XML: returns whether the scanner has stopped before a document's root. Also valid after an error. */
bool bm_mark_is_in_prolog(const struct bm_mark *mark);

/* Returns the encoding of an Iteration that may follow: the document's, if the scanner is in its body. Also
 * valid after an error. */
unsigned bm_mark_body_encoding(const struct bm_mark *mark);

/* Copies the state of `from`, so that `to` continues from the same place. */
void bm_mark_copy(struct bm_mark *to, const struct bm_mark *from);

/* Returns the instruction set of the fast path on this machine: "AVX-512", "AVX2", "SSE2", "NEON" or "portable". */
const char *bm_mark_implementation(void);

#endif
