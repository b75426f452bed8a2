/* SPDX-License-Identifier: MIT */
/* queries/file.h - reads the queries in a file, one after another. */
#ifndef BM_QUERIES_FILE_H
#define BM_QUERIES_FILE_H

#include "base/cancel.h"

enum { BM_QUERIES_TITLE = 4096 /* bytes of a title that count */ };

/* How lines end, determined while reading, as BLAST does: docs/queries.md. */
enum bm_queries_line_end { BM_LINE_UNKNOWN, BM_LINE_LF, BM_LINE_CRLF, BM_LINE_CR, BM_LINE_MIXED };

struct bm_queries_file {
    const char *what; /* it is, in messages: "the file of queries" */
    int file;         /* regular */
    bool is_fasta;    /* else a list of names, one a line */
    bool is_at_title; /* FASTA: the next byte is a title line's '>' */
    enum bm_queries_line_end line_end;
    int dropped;        /* a byte to skip at its next occurrence; -1: none */
    const char *beside; /* where temporary files may be, as for bm_open_temporary(); borrowed */
    uint64_t n_bytes;   /* of the file, when it was opened */
    uint64_t n_mark;    /* bytes of a byte order mark */
    uint64_t offset;    /* bytes of the file before the buffer's end */
    size_t position;    /* in the buffer */
    size_t n_buffer;
    uint64_t number; /* of the current query, from 1 */
    bool is_bare;    /* FASTA: residues without a title line; lists: the title is a name */
    bool is_cut;     /* there is more of the title than `title` holds */
    size_t n_title;
    char title[BM_QUERIES_TITLE + 1]; /* the line after '>'; lists: the line */
    bool has_length;                  /* FASTA */
    uint64_t n_residues;              /* that BLAST counts, if the query is a protein ... */
    uint64_t n_bases;                 /* ... or nucleotides */
    uint8_t buffer[65536];
};

/* *queries must be zeroed, except for `beside`. what: what the file is, in messages, such as "the file of queries"; it must
 * outlive the reader. Copies a pipe, "-" and a gzip file into a temporary file without a name. One that cannot be opened need
 * not be closed. */
enum blastmerge_status bm_queries_file_open(struct bm_queries_file *queries, const char *what,
                                            const char *path, struct bm_cancel *cancel,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_queries_file_close(struct bm_queries_file *queries);

/* Makes *queries another reader of the same file, at its beginning; it is not to be closed. */
void bm_queries_file_share(struct bm_queries_file *queries, const struct bm_queries_file *with);

/* Returns to the beginning, to read the file as FASTA or as a list. */
void bm_queries_file_rewind(struct bm_queries_file *queries, bool is_fasta);

/* The next query; *has_query is false at the end. */
enum blastmerge_status bm_queries_file_next(struct bm_queries_file *queries, bool *has_query,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* The place where a query begins, to return there. */
struct bm_queries_file_place {
    uint64_t offset;
    uint64_t number;
    enum bm_queries_line_end line_end;
    int dropped;
    bool is_at_title;
};
/* The place after the current query. */
struct bm_queries_file_place bm_queries_file_place(const struct bm_queries_file *queries);
void bm_queries_file_go(struct bm_queries_file *queries, const struct bm_queries_file_place *place);

/* queries/spool.c: opens a file that can be read repeatedly: the one at `path`, or a copy without a name of the
 * content of a pipe, "-" or a gzip file. */
enum blastmerge_status bm_queries_file_spool(int *file, const char *what, const char *path,
                                             const char *beside, struct bm_cancel *cancel,
                                             struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
