/* SPDX-License-Identifier: MIT */
/*
 * index/internal.h - what the files that build an index share.
 *
 *   build.c    marks -> rows
 *   rows.c     tables without comments: rows of one query -> its row of the index
 *   restarts.c traces -> restart points
 */
#ifndef BM_INDEX_INTERNAL_H
#define BM_INDEX_INTERNAL_H

#include "format/format.h"
#include "index/build.h"
#include "index/head.h"
#include "index/write.h"

#ifdef BLASTMERGE_SQLITE

#include <libdeflate.h>

enum {
    BM_INDEX_MOST_FRAME = 1 << 20, /* bytes of the text before, between and behind Iterations, each */
    BM_INDEX_VALUE = 256           /* bytes of the program's name and version that are kept */
};

/* What the text is that comes next. */
enum bm_index_zone {
    BM_INDEX_OUTSIDE,   /* of no document */
    BM_INDEX_HEADER,    /* before the document's first Iteration */
    BM_INDEX_ITERATION, /* an Iteration, or the rows of tables without comments */
    BM_INDEX_ARCHIVE,   /* an archive: its queries have one text */
    BM_INDEX_GAP,       /* behind an Iteration */
    BM_INDEX_SKIPPED,   /* tables without comments: lines of no query ... */
    BM_INDEX_NAMES      /* ... and the row of column names at their top, which is the header */
};

/* Text that is kept. */
struct bm_index_buffer {
    char *text;
    size_t n_text;
    size_t size;
};

struct bm_index_build {
    struct bm_memory *memory;
    struct bm_index_settings settings;
    struct bm_index_write write;
    enum blastmerge_format format;
    char program[BM_INDEX_VALUE];
    char version[BM_INDEX_VALUE];

    enum bm_index_zone zone;
    uint64_t at; /* text before it has been taken */
    uint64_t n_text;
    uint32_t crc32; /* of the batches so far */
    uint64_t n_documents;
    uint64_t n_hits;        /* the scanner's counts at the last Iteration's end ... */
    uint64_t n_hsps;        /* ... in tables without comments, the rows */
    bool has_rows;          /* a table without comments */
    uint64_t n_hits_before; /* of the children before the current one; they have scanners of their own */
    uint64_t n_hsps_before;

    struct bm_index_buffer header;  /* of the current document */
    struct bm_index_buffer gap;     /* the text since the last Iteration */
    struct bm_index_buffer kept[3]; /* header, joint and footer of the first document that has an Iteration */
    bool has_joint;
    bool is_frame_open;      /* the current document is that one */
    bool is_frame_known;     /* it has ended */
    bool is_converted;       /* the current document's text is not UTF-8 ... */
    bool is_frame_converted; /* ... and that of the frame's */

    /* the current Iteration, or query of a table */
    bool is_in_iteration;
    struct bm_index_row row;
    bool wants_evalue;
    size_t n_head;
    char head[BM_INDEX_HEAD];
    struct bm_index_head parsed;

    /* the current archive */
    uint64_t archive;       /* its beginning */
    uint64_t n_before;      /* Iterations before it */
    uint32_t archive_crc32; /* of its text so far */

    /* tables without comments: the current line, as long as its query is not known */
    bool is_line_known;
    bool is_narrow; /* lines of one field */
    bool has_line;  /* a line has ended */
    size_t n_pending;
    char pending[BM_INDEX_NAME + 1];
    size_t n_query;
    char query[BM_INDEX_NAME + 1]; /* the current query's name */

    /* restart points */
    struct libdeflate_compressor *compressor;
    void *window;
    size_t window_size;
    bool has_restart;
    uint64_t last_restart; /* the text before it */
    uint64_t member_text;  /* the text before the current gzip member */
};

/* Text that comes next. */
struct bm_index_piece {
    const char *text;
    size_t n_text;
    size_t n_before;              /* bytes right before it in memory that came before it, too */
    const struct bm_batch *batch; /* which has it, and knows sums of it; NULL: it is of no child */
    uint64_t from;                /* the piece's offset in the child's text */
};

enum blastmerge_status bm_index_take_text(struct bm_index_build *build, const struct bm_index_piece *piece,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* What a mark says of the text that comes before it, and is taken next: an Iteration without HSPs has no E-value, so none is
 * looked for. */
void bm_index_expect(struct bm_index_build *build, const struct bm_mark_entry *mark);

/* Takes a mark, whose place is that of the text that comes next. */
enum blastmerge_status bm_index_take_mark(struct bm_index_build *build, const struct bm_mark_entry *mark,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether lines of no query begin with the mark; and ends them. */
bool bm_index_is_skip(const struct bm_index_build *build, const struct bm_mark_entry *mark);
void bm_index_end_skip(struct bm_index_build *build);

/* Takes rows of a table without comments. */
enum blastmerge_status bm_index_rows_take(struct bm_index_build *build, const char *text, size_t n_text,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
/* The rows are at their end. */
enum blastmerge_status bm_index_rows_end(struct bm_index_build *build,
                                         struct blastmerge_error *error) BM_CHECK_RESULT;

/* Begins the next Iteration, which begins at the offset; adds text to it; and ends it. */
void bm_index_begin_iteration(struct bm_index_build *build, uint64_t offset);
void bm_index_add_text(struct bm_index_build *build, const char *text, size_t n_text);
enum blastmerge_status bm_index_end_iteration(struct bm_index_build *build,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* Writes restart points for the batch. */
enum blastmerge_status bm_index_restarts_open(struct bm_index_build *build,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_index_restarts_take(struct bm_index_build *build, const struct bm_batch *batch,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_index_restarts_close(struct bm_index_build *build);

/* Whether a place behind so much text is far enough from the last restart point; and makes it one. window: the text before
 * it, 32 KiB at most; it may be empty. */
bool bm_index_restart_is_due(const struct bm_index_build *build, uint64_t text);
enum blastmerge_status bm_index_restart_add(struct bm_index_build *build, uint64_t text, uint64_t bit,
                                            const void *window, size_t n_window,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

#endif

#endif
