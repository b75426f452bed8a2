/* SPDX-License-Identifier: MIT */
/*
 * rank/lines - reads a shard's text line by line, in bounded memory.
 *
 * BLAST+ lays out each of its formats in lines, so a merge of shards need not parse elements. A byte order mark in
 * front of the text is left out. A line of up to
 * BM_RANK_PIECE bytes comes whole. A longer one, such as an alignment of megabytes, comes in pieces. In
 * addition, the child's scanner checks all of the text: gzip members, well-formedness, format.
 *
 * Threads: one thread calls; workers inflate and scan ahead of it.
 */
#ifndef BM_RANK_LINES_H
#define BM_RANK_LINES_H

#include "child/child.h"

enum {
    BM_RANK_PIECE = 16384 /* bytes; less than a batch's history, which keeps the line's start */
};

struct bm_rank_line {
    const char *text; /* valid until the next line is read */
    size_t n_bytes;   /* with the line feed; 0: the text has ended */
    bool is_start;    /* the line begins here */
    bool is_end;      /* and ends here ... */
    bool has_return;  /* ... with CR LF */
};

/* Is told of what the shards hold and of what becomes of it, for a caller that copies their compressed bits. */
struct bm_rank_watch {
    /* The shard's next batch, before any line that ends in it; it is valid until the call for the one after it. */
    void (*take)(struct bm_rank_watch *watch, size_t shard, const struct bm_batch *batch);
    /* Merged text: bytes of the shard's own text, unchanged, from the offset `at` in it ... */
    void (*put_own)(struct bm_rank_watch *watch, size_t shard, uint64_t at, size_t n_bytes);
    /* ... and other bytes. */
    void (*put)(struct bm_rank_watch *watch, size_t n_bytes);
};

struct bm_rank_lines {
    struct bm_child child;
    struct bm_rank_watch *watch;    /* borrowed; NULL: there is none */
    size_t number;                  /* of the shard, for the watch */
    struct bm_fetch_source *source; /* borrowed */
    struct bm_rank_line line;       /* the current line or piece */
    uint64_t at;                    /* offset of the next line or piece in the child's text */
    size_t n_searched;              /* bytes from `at` on that hold no line feed */
    struct bm_view view;            /* of the last scan: the child's contents so far */
    bool is_open;
    bool is_compressed;
    bool has_batch;
    bool is_last_batch;
    bool is_inside_line; /* the current piece does not end its line */
};

enum blastmerge_status bm_rank_lines_create(struct bm_rank_lines *lines,
                                            const struct bm_child_settings *settings,
                                            struct bm_workers *workers,
                                            struct bm_memory *memory) BM_CHECK_RESULT;

/* Begins a shard. The source is borrowed. */
void bm_rank_lines_open(struct bm_rank_lines *lines, struct bm_fetch_source *source,
                        struct bm_cancel *cancel);

/* Goes to the next line or piece. kin: what the shard must agree with; it is read when the shard's first text
 * has arrived. The error is the child's, without its name. */
enum blastmerge_status bm_rank_lines_next(struct bm_rank_lines *lines, const struct bm_mark_kin *kin,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* Makes the current line, if it ends here, longer by the whole lines after it that are in memory and are indented by more
 * than n_blanks blanks. */
void bm_rank_lines_join(struct bm_rank_lines *lines, size_t n_blanks);

/* Allows workers to scan the shard ahead. Until then, the scanner belongs to the calling thread. */
void bm_rank_lines_let_ahead(struct bm_rank_lines *lines);

/* Ends the current shard, at any line; destroy also frees everything. Both accept a zeroed struct. */
void bm_rank_lines_close(struct bm_rank_lines *lines);
void bm_rank_lines_destroy(struct bm_rank_lines *lines, struct bm_memory *memory);

/* Returns whether the text has ended. */
static inline bool bm_rank_lines_is_at_end(const struct bm_rank_lines *lines) {
    return lines->line.n_bytes == 0;
}

#endif
