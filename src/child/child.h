/* SPDX-License-Identifier: MIT */
/*
 * child - one child in flight: its bytes are fetched, inflated and marked, in bounded memory.
 *
 * A child has a source, a lane (pages of compressed bytes, batches of text), a scanner of its own, and its
 * own error. It does not depend on a job: any number of children can be open at once.
 *
 *     bm_child_open(child, source, cancel);                 reading and inflating begin
 *     bm_child_admit(child, &kin, true);                    scanning may begin, ahead, too
 *     do {
 *         batch = bm_child_take(child, &is_last, &error);   NULL: it failed
 *         while (bm_child_scan(child, SIZE_MAX, &view, &error) == BLASTMERGE_OK && !view.is_end_of_batch)
 *             ...                                           view.marks are those of the text that was scanned
 *         bm_child_give(child);
 *     } while (!is_last);
 *     do                                                    the last marks
 *         bm_child_finish(child, &view, &error);
 *     while (!bm_mark_is_finished(child->mark));
 *     bm_child_close(child);
 *
 * Of a child that is opened with a bm_plan_text, the bytes and the text that are left out are passed over: the document in
 * front of a hole ends there, in a view of its own, and another one begins behind it.
 *
 * Two positions move through the child: up to where it was taken and scanned, and up to where it was given back.
 * The ring of batches is between them, so it bounds how far a caller can read ahead of what it has given back.
 *
 * Threads: one thread calls; workers inflate and scan ahead of it.
 */
#ifndef BM_CHILD_H
#define BM_CHILD_H

#include "child/ahead.h"
#include "child/lane.h"
#include "plan/plan.h"

struct bm_child_settings {
    enum blastmerge_invalid_utf8 invalid_utf8;
    enum blastmerge_forbidden_characters forbidden_characters;
    enum blastmerge_header header;
    enum blastmerge_format supposed; /* see bm_mark_suppose() */
    bool is_supposed_narrow;
    bool tells_queries;     /* see bm_mark_tell_queries() */
    bool is_without_result; /* only marks are wanted */
    bool is_without_marks;  /* only text and counts are */
    bool needs_rows;        /* the text of each row of a table without comments is wanted, too */
    struct bm_child_lane_room room;
    struct bm_budget *budget; /* for libraries' decoders: see bm_child_lane_set_budget() */
    /* Where the caller's thread marks: borrowed, for children whose views are done with before another one is scanned.
     * NULL: each child has one of its own, of 9 KB. */
    struct bm_piece *piece;
};

/* The marks of a stretch of a batch. */
struct bm_view {
    const struct bm_batch *batch;
    size_t end;                        /* bytes of its text that were scanned so far */
    const struct bm_mark_list *marks;  /* valid until the next scan */
    const struct bm_mark_field *field; /* of the last mark, if that is BM_MARK_FIELD */
    uint64_t safe;                /* no later mark has an offset below this one; UINT64_MAX: there is none */
    struct bm_mark_counts counts; /* of the child so far */
    bool is_end_of_batch;
};

struct bm_child {
    struct bm_child_lane lane;
    struct bm_mark *mark;
    struct bm_child_ahead ahead;
    uint64_t n_least_early;                  /* compressed bytes of one that is worth reading early */
    bool is_early;                           /* what is marked before its turn is kept ... */
    struct bm_mark_kin early_kin;            /* ... as a child that agrees with this */
    bool is_kept;                            /* all of it was, which is known from its turn on */
    const struct bm_child_kept_piece *piece; /* the next one of the last batch, if that was kept */
    const struct bm_batch *batch;            /* the last one that was taken */
    size_t n_scanned;                        /* bytes of its text */

    const struct bm_plan_text *text; /* NULL: all is merged */
    size_t hole;                     /* the next, or the current one */
    bool is_in_hole;
    uint64_t n_summed; /* text that was taken, up to where merging ends ... */
    uint32_t crc32;    /* ... and its checksum */
};

enum blastmerge_status bm_child_create(struct bm_child *child, const struct bm_child_settings *settings,
                                       struct bm_workers *workers, struct bm_memory *memory) BM_CHECK_RESULT;

/* `child` may be zeroed. */
void bm_child_destroy(struct bm_child *child, struct bm_memory *memory);

/* Begins to read and inflate. A failure to open the source is reported by bm_child_take(). The source is
 * borrowed, and may be moved with bm_child_move(). */
void bm_child_open(struct bm_child *child, struct bm_fetch_source *source, struct bm_cancel *cancel);
/* Likewise of a child of which not all is merged; NULL: all is. The text is borrowed until the child is closed. */
void bm_child_open_text(struct bm_child *child, struct bm_fetch_source *source,
                        const struct bm_plan_text *text, struct bm_cancel *cancel);
void bm_child_move(struct bm_child *child, struct bm_fetch_source *source);

/* Reads as much as there is space for and as can be read without waiting. */
void bm_child_fill(struct bm_child *child);

/*
 * Allows workers to inflate and mark the child before its turn, as far as memory goes (keep.h), if its source can be read
 * again. kin: what the child will probably have to agree with. When its turn comes, bm_child_turn() must be called with
 * what that really is, before the first batch is taken; if it is something else, the child is read anew. Both have no
 * effect on a child that cannot be read so early, or, the former, on one that already is.
 * bm_child_help_early(): the child's turn has come, but it is still being read: does a piece of other work that no thread
 * has begun. False: there is none, or all of the child was read: bm_child_turn() may be called.
 */
void bm_child_read_early(struct bm_child *child, const struct bm_mark_kin *kin);
bool bm_child_help_early(struct bm_child *child);
void bm_child_turn(struct bm_child *child, const struct bm_mark_kin *kin);

/* What the children after this one must probably agree with. False: that is not known yet. */
bool bm_child_kin(struct bm_child *child, struct bm_mark_kin *kin);

/* Another child needs memory: ends this one and begins it anew, unless it was taken or is no file. No page is read
 * before bm_child_fill() or bm_child_take(). */
void bm_child_give_way(struct bm_child *child);

/* Allows scanning. kin: the format that the child must have. can_be_ahead: workers may scan, too, unless text is left
 * out. */
void bm_child_admit(struct bm_child *child, const struct bm_mark_kin *kin, bool can_be_ahead);

/* Ends it, at any point. Has no effect on one that is not open. */
void bm_child_close(struct bm_child *child);

/*
 * Returns the next batch, which stays valid until it is given back. *is_last: it is the child's last, and this
 * must not be called again. NULL: the child failed; the text before a failure comes first, in a batch that is
 * not the last. There must be space in the ring: fewer than the lane's n_ahead batches are taken and not given back.
 */
const struct bm_batch *bm_child_take(struct bm_child *child, bool *is_last, struct blastmerge_error *error);

/* Whether the last batch that was taken is the child's first. A child's first batches may hold no text: a long
 * gzip header, empty members and zeros between them fill a batch, too. */
bool bm_child_is_at_first_batch(const struct bm_child *child);

/* Gives back the oldest batch that was taken. */
void bm_child_give(struct bm_child *child);

/* Scans more of the last batch, up to `end` of its text at most, or crosses the border of a hole. A failure is the
 * child's, and ends it. */
enum blastmerge_status bm_child_scan(struct bm_child *child, size_t end, struct bm_view *view,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Returns the marks of the end, when all of the last batch was scanned. To be called again until
 * bm_mark_is_finished(). */
enum blastmerge_status bm_child_finish(struct bm_child *child, struct bm_view *view,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether the last batch ends in a hole, so that bm_child_finish() must not be called. */
bool bm_child_is_in_hole(const struct bm_child *child);

/* Whether nothing is merged of what follows: the last batch is the child's last, whatever bm_child_take() has said. */
bool bm_child_is_over(const struct bm_child *child);

/* The child has ended: BLASTMERGE_CHANGED if its text is not the one that the plan was made for. */
enum blastmerge_status bm_child_prove(const struct bm_child *child,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
