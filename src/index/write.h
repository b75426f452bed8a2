/* SPDX-License-Identifier: MIT */
/*
 * index/write.h - rows -> an index's file.
 */
#ifndef BM_INDEX_WRITE_H
#define BM_INDEX_WRITE_H

#include "index/database.h"

#ifdef BLASTMERGE_SQLITE

/* A text, borrowed; NULL: there is none. */
struct bm_index_text {
    const char *text;
    size_t n_text;
};

/* An Iteration; in tables without comments, the rows of one query. */
struct bm_index_row {
    uint64_t number;         /* from 1 */
    struct bm_index_text id; /* NULL: the format has none; "": this Iteration has none */
    struct bm_index_text name;
    struct bm_index_text accession;
    struct bm_index_text definition;
    bool has_length;
    bool has_hits; /* tables have none, but rows, which count as Hsps */
    bool has_evalue;
    uint64_t length;
    uint64_t n_hits;
    uint64_t n_hsps;
    double evalue;   /* of its first Hsp, which is the best one */
    uint64_t offset; /* of its text ... */
    uint64_t size;   /* ... and the bytes of it */
    uint32_t crc32;
};

/* A place in the compressed bytes from which on text can be had. */
struct bm_index_restart {
    uint64_t text;      /* bytes of text before it */
    uint64_t bit;       /* bits before it: the header of a deflate block is there */
    const void *window; /* the text before it, as a raw deflate stream; NULL: none is needed */
    size_t n_window;
};

struct bm_index_frame {
    struct bm_index_text header; /* the text before the first Iteration */
    struct bm_index_text joint;  /* between two of them */
    struct bm_index_text footer; /* behind the last one */
};

/* What is said of the whole file. */
struct bm_index_about {
    uint64_t size;
    uint8_t tail[BM_INDEX_TAIL]; /* its last bytes */
    size_t n_tail;
    uint64_t text_size;
    uint32_t crc32; /* of its text */
    enum blastmerge_format format;
    const char *program; /* NULL: not known */
    const char *version;
    uint64_t n_documents;
    uint64_t n_iterations;
    uint64_t n_hits;
    uint64_t n_hsps;
};

struct bm_index_write {
    struct bm_index_database database;
    sqlite3_stmt *iteration;
    sqlite3_stmt *names;
    sqlite3_stmt *archive;
    sqlite3_stmt *restart;
};

/* Begins an index in an empty file, which is open for reading and writing, and borrowed. */
enum blastmerge_status bm_index_write_open(struct bm_index_write *write, int file, const char *beside,
                                           struct bm_cancel *cancel,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

enum blastmerge_status bm_index_write_row(struct bm_index_write *write, const struct bm_index_row *row,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
/* Completes the rows with these numbers, whose queries have one text: its offset, size, CRC-32 and Hsps. */
enum blastmerge_status bm_index_write_archive(struct bm_index_write *write, uint64_t first, uint64_t last,
                                              const struct bm_index_row *archive,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_index_write_restart(struct bm_index_write *write,
                                              const struct bm_index_restart *restart,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* Completes the index. */
enum blastmerge_status bm_index_write_end(struct bm_index_write *write, const struct bm_index_frame *frame,
                                          const struct bm_index_about *about,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* Has no effect on one that is not open. */
void bm_index_write_close(struct bm_index_write *write);

#endif

#endif
