/* SPDX-License-Identifier: MIT */
/*
 * mark - text -> marks: where a child's documents have what a merge needs, and whether they are
 * well-formed at all.
 *
 * Strict, incremental scanners, one for each kind of format. They take text in any split, keep a constant
 * amount of state, and do linear work without recursion; entities are never expanded, nothing is ever
 * fetched. They tell everything in marks, in ascending order of offset, and count Iterations, Hits
 * and Hsps. Offsets are bytes of the child's text from its start. A child may hold several documents.
 *
 * What is recognised, by place, in BLAST XML (-outfmt 5): the root BlastOutput; its child
 * BlastOutput_iterations (one in each document); its children Iteration; in these Iteration_iter-num. Hit and
 * Hsp are counted by name inside an Iteration. The other formats have the same marks, less those that nothing
 * in them corresponds to: an Iteration is what there is for one query, "BlastOutput_iterations" what holds
 * all of these (docs/formats.md).
 */
#ifndef BM_MARK_H
#define BM_MARK_H

#include "mark/scan/marks.h"

/* Whether the field says that all Iterations of the document are of one query, as PSI-BLAST's are. */
bool bm_mark_is_of_psi(const struct bm_mark_field *field);

struct bm_mark;

enum blastmerge_status bm_mark_open(struct bm_mark **mark, struct bm_memory *memory,
                                    enum blastmerge_invalid_utf8 invalid_utf8) BM_CHECK_RESULT;
void bm_mark_close(struct bm_mark *mark, struct bm_memory *memory);

/* The format that the children must have, before the first step; AUTO (the default): as the first child. */
void bm_mark_expect(struct bm_mark *mark, enum blastmerge_format format);

/* The children are said to be tables of any columns: rows that are not known by themselves are taken for this
 * format (CSV, or else TABULAR), if the first one has several fields (or is_narrow) and looks like nothing
 * else. AUTO: they are not. */
void bm_mark_suppose(struct bm_mark *mark, enum blastmerge_format format, bool is_narrow);

/* What becomes of characters that XML forbids; without this call they are an error. */
void bm_mark_forbid(struct bm_mark *mark, enum blastmerge_forbidden_characters forbidden);

/* What becomes of rows of column names in tables without comments; ONCE is the default. */
void bm_mark_set_header(struct bm_mark *mark, enum blastmerge_header header);

/* From now on QUERY_ID and MESSAGE are told, which costs a little. */
void bm_mark_tell_queries(struct bm_mark *mark);

/* What is known of the children after this one; and what is known of this one, from those before it. */
struct bm_mark_kin bm_mark_kin(const struct bm_mark *mark);
void bm_mark_follow(struct bm_mark *mark, const struct bm_mark_kin *kin);

/* Forgets everything but these settings: the next step begins another child. */
void bm_mark_reset(struct bm_mark *mark);

/* The format that was expected, or found; AUTO while it is not known. */
enum blastmerge_format bm_mark_format(const struct bm_mark *mark);

/* "BLAST XML (-outfmt 5)" and so on. */
const char *bm_mark_format_title(enum blastmerge_format format);

/* Whether it is a table without comments: -outfmt 6 and 10. */
bool bm_mark_is_bare_table(enum blastmerge_format format);

/*
 * Scans text. Takes as many of the n_text bytes as it can, *n_used of them, and appends to the
 * list, which the caller empties before each step; it stops early only where the list is full or after a
 * BM_MARK_FIELD. A step that takes no bytes of those there are adds a mark, or fails. BLASTMERGE_DATA: not
 * well-formed, or not BLAST's; BLASTMERGE_MISMATCH: of another format than the children before. error has the
 * offset and says what was expected; *n_used and the list are right up to there.
 */
enum blastmerge_status bm_mark_step(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t *n_used,
                                    struct bm_mark_list *list,
                                    struct blastmerge_error *error) BM_CHECK_RESULT;

/* Says that the text is at its end: BLASTMERGE_DATA if a document is not. Adds the last marks. Must be called
 * again, with an empty list, until bm_mark_is_finished() or an error: fields come one at a time, as in a
 * step. */
enum blastmerge_status bm_mark_finish(struct bm_mark *mark, struct bm_mark_list *list,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

bool bm_mark_is_finished(const struct bm_mark *mark);

/* No later mark can have an offset below this one: edits up to here are known. */
uint64_t bm_mark_safe(const struct bm_mark *mark);

const struct bm_mark_counts *bm_mark_counts(const struct bm_mark *mark);

/* The field of the last BM_MARK_FIELD; valid until the next step. */
const struct bm_mark_field *bm_mark_field(const struct bm_mark *mark);

/* --- text with holes: what salvaging leaves of a damaged child (resume.c) ------------------------- */

/* Ends the current document where the scanner stands, which must be right behind BlastOutput_iterations'
 * start tag or an Iteration in it: adds BM_MARK_ITERATIONS_END and BM_MARK_DOCUMENT_END, both BM_MARK_LEFT.
 * In front of a child's first byte: does nothing. bm_mark_enter() follows, or nothing of this child. */
void bm_mark_leave(struct bm_mark *mark, struct bm_mark_list *list);

enum bm_mark_place {
    BM_MARK_AT_ITERATION, /* at an Iteration's '<', in a document whose header is not to be seen */
    BM_MARK_AT_DOCUMENT,  /* at a document's '<' */
    BM_MARK_AT_SAME       /* at an Iteration's '<', in the document that was left */
};

/* Goes on at the offset. At an Iteration adds BM_MARK_DOCUMENT (BM_MARK_LEFT: of the document that was left)
 * and BM_MARK_BODY; the document has the encoding that bm_mark_body_encoding() gave, and does not count as
 * another one. */
void bm_mark_enter(struct bm_mark *mark, struct bm_mark_list *list, uint64_t offset, enum bm_mark_place place,
                   unsigned encoding);

/* XML: whether the scanner has stopped behind the root of a document, where another one may follow, also after an
 * error. */
bool bm_mark_has_ended(const struct bm_mark *mark);

/* Whether the scanner has stopped before the root of a document, also after an error. */
bool bm_mark_is_in_prolog(const struct bm_mark *mark);

/* The encoding of an Iteration that may follow, also after an error: the document's, if it is in its body. */
unsigned bm_mark_body_encoding(const struct bm_mark *mark);

/* Makes `to` go on from where `from` is. */
void bm_mark_copy(struct bm_mark *to, const struct bm_mark *from);

/* "AVX2", "SSE2", "NEON" or "portable": the way that is taken on this machine. */
const char *bm_mark_implementation(void);

#endif
