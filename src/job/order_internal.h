/* SPDX-License-Identifier: MIT */
/* job/order_internal.h - what order.c, order_plan.c and order_text.c share. */
#ifndef BM_JOB_ORDER_INTERNAL_H
#define BM_JOB_ORDER_INTERNAL_H

#include "job/job.h"
#include "job/order.h"

enum {
    BM_JOB_ORDER_FRAME = 65536, /* bytes of a document's text before its first Iteration, or after its last */
    BM_JOB_ORDER_STREAMS =
        3, /* children that are read at the same time; with more, they are unpacked first */
    BM_JOB_ORDER_ROOM = 700000, /* bytes for reading one of them */
    BM_JOB_ORDER_FIELD = 1100   /* bytes of an element that names a query */
};

/* Where a query's Iteration lies. */
struct bm_job_order_record {
    uint64_t begin;
    uint64_t end;
    uint32_t child;
    uint8_t is_taken; /* else it has none */
    uint8_t is_own;   /* BLAST made its id up */
    uint8_t unused[2];
};

/* A file of records, read and written through one block. */
struct bm_job_order_records {
    int file;
    uint64_t block; /* the one that is here; UINT64_MAX: none */
    bool is_changed;
    struct bm_job_order_record records[128];
};

/* NULL: it cannot be read or written. The number is a query's, from 1. */
struct bm_job_order_record *bm_job_order_record_at(struct bm_job_order_records *records, uint64_t number,
                                                   struct blastmerge_error *error);

/* Writes what is only here; false: that fails. */
bool bm_job_order_records_flush(struct bm_job_order_records *records, struct blastmerge_error *error);

/* A document's text before or after its Iterations. */
struct bm_job_order_frame {
    size_t n;
    char text[BM_JOB_ORDER_FRAME];
};

struct bm_job_order_item {
    uint64_t n_text;
    uint64_t last;    /* the number of its last query */
    uint64_t n_runs;  /* of queries in a row that it has the Iterations of */
    uint64_t spool;   /* where its text is in the spool */
    uint32_t crc32;   /* of its text */
    bool is_in_order; /* each Iteration is of a later query than the one before */
    bool is_spooled;  /* its text is in the spool */
    bool is_begun;    /* order_plan.c: it was read */
};

/* A child that is read from front to back. */
struct bm_job_order_stream {
    bool is_created;
    bool is_open;
    bool is_last; /* the batch is the last one */
    size_t child;
    uint64_t used; /* when it was used last */
    uint64_t n_text;
    uint32_t crc32; /* of the text up to the batch's end */
    const struct bm_batch *batch;
    struct bm_child open;
};

/* An item of the second pass that is put together. */
struct bm_job_order_piece {
    struct bm_job_order *order;
    uint64_t from; /* numbers of queries */
    uint64_t to;
    void *reader; /* order_text.c: where it is read */
};

struct bm_job_order {
    struct blastmerge_job *job;
    bool is_second;
    uint64_t n_queries; /* up to the last one that has an Iteration */
    uint64_t n_taken;
    uint64_t n_own;
    uint64_t n_alike;      /* Iterations that could be of several queries ... */
    char first_alike[400]; /* ... and the first one of them */
    struct bm_job_order_records records;
    struct bm_job_order_item *children; /* one for each item of the job's own plan */
    struct bm_mark_kin kin;             /* as it was before the first child */

    /* the first pass */
    struct {
        struct bm_queries_taken heads[BM_MARK_LIST + 1]; /* Iterations that have begun and not ended */
        size_t n_heads;
    } open;
    bool is_in_header;                 /* the text before a document's first Iteration is kept ... */
    bool is_in_footer;                 /* ... or that after the last one of the first query's document */
    bool is_of_first;                  /* the first query's Iteration was taken in the current document */
    bool has_iteration;                /* the current document has one */
    bool has_count;                    /* the first query's document counts its queries at the end */
    bool is_named_anew;                /* the header must name the first query */
    uint64_t kept_to;                  /* text offset up to which it is kept */
    uint32_t crc32;                    /* of the current child's text, up to ... */
    uint64_t n_text;                   /* ... this offset */
    struct bm_job_order_frame current; /* the current document's header */
    struct bm_job_order_frame header;  /* the first query's document's */
    struct bm_job_order_frame footer;
    char fields[3][BM_JOB_ORDER_FIELD]; /* what the header calls the first query */

    /* the second pass */
    struct bm_plan plan; /* the job's own, in exchange for the one here */
    struct bm_job_row *rows;
    size_t n_rows;
    bool is_exchanged;
    struct bm_job_order_piece *pieces;
    size_t n_pieces;
    struct bm_plan_text *texts; /* of the children that are merged whole */
    struct bm_job_order_stream streams[BM_JOB_ORDER_STREAMS];
    uint64_t clock;
    int spool;
    size_t child;                     /* that is read */
    struct bm_job_order_records seen; /* for number: which ids are BLAST's */
};

/* order_text.c: the source of a piece. */
struct bm_fetch_source bm_job_order_source(struct bm_job_order_piece *piece);
enum blastmerge_status bm_job_order_spool(struct bm_job_order *order, size_t child,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_job_order_streams_open(struct bm_job_order *order) BM_CHECK_RESULT;
/* Reads the rest of all that are open, and compares each child with what it was in the first pass. */
enum blastmerge_status bm_job_order_streams_prove(struct bm_job_order *order,
                                                  struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_job_order_streams_close(struct bm_job_order *order);

#endif
