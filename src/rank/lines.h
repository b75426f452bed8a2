/* SPDX-License-Identifier: MIT */
/*
 * rank/lines - a shard's text, line by line, in bounded memory.
 *
 * BLAST+ lays out each of its formats in lines, so that a merge of shards need not parse elements. A line of
 * up to BM_RANK_PIECE bytes comes whole; a longer one, say an alignment of megabytes, comes in pieces. The
 * child's scanner checks all of the text besides: gzip members, well-formedness, the format.
 *
 * Threads: one thread calls; workers inflate and scan ahead of it.
 */
#ifndef BM_RANK_LINES_H
#define BM_RANK_LINES_H

#include "child/child.h"

enum {
    BM_RANK_PIECE = 16384 /* bytes; less than a batch's history, so that a line's start is still there */
};

struct bm_rank_line {
    const char *text; /* valid until the next line is taken */
    size_t n_bytes;   /* with the line feed; 0: the text has ended */
    bool is_start;    /* the line begins here */
    bool is_end;      /* and ends here */
};

struct bm_rank_lines {
    struct bm_child child;
    struct bm_fetch_source *source; /* borrowed */
    struct bm_rank_line line;       /* the current line or piece */
    uint64_t at;                    /* bytes of the child's text before what comes next */
    size_t n_searched;              /* bytes from `at` on that hold no line feed */
    struct bm_view view;            /* of the last scan: what the child has held so far */
    bool is_open;
    bool is_gzip;
    bool has_batch;
    bool is_last_batch;
    bool is_inside_line; /* the current piece does not end its line */
};

enum blastmerge_status bm_rank_lines_create(struct bm_rank_lines *lines,
                                            const struct bm_child_settings *settings,
                                            struct bm_workers *workers,
                                            struct bm_memory *memory) BM_CHECK_RESULT;

/* Begins with a shard. The source is borrowed. */
void bm_rank_lines_open(struct bm_rank_lines *lines, struct bm_fetch_source *source,
                        struct bm_cancel *cancel);

/* Goes on to the next line or piece. kin: what the shard must be like, known once its first text is there.
 * The error is the child's, without its name. */
enum blastmerge_status bm_rank_lines_next(struct bm_rank_lines *lines, const struct bm_mark_kin *kin,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* Ends it, wherever it was, and frees all. Fine on one that is zeroed. */
void bm_rank_lines_close(struct bm_rank_lines *lines);
void bm_rank_lines_destroy(struct bm_rank_lines *lines, struct bm_memory *memory);

/* Whether the text has ended. */
static inline bool bm_rank_lines_is_at_end(const struct bm_rank_lines *lines) {
    return lines->line.n_bytes == 0;
}

#endif
