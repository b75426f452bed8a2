/* SPDX-License-Identifier: MIT */
/*
 * twins - documents that hold the same queries: a run that is there twice, or searches of several parts of a
 * database. In the result of a merge, each of these queries would be there twice, which is rarely intended.
 *
 * 16 bytes of each document are kept, up to BM_TWINS_MOST documents, and an index of at most the same size. A
 * later document is compared only with the one before it.
 */
#ifndef BM_TWINS_H
#define BM_TWINS_H

#include "job/slice.h"
#include "mark/mark.h"

enum { BM_TWINS_MOST = 65536, BM_TWINS_CHUNK = 4096 };

struct bm_job_twin {
    uint64_t digest; /* of its queries */
    uint32_t text;   /* of its text: CRC-32 and length */
    uint32_t child;  /* its number; the top bits: it has a Hit; see BM_MARK_WEAK */
};

struct bm_job_twins {
    /* the current document */
    bool is_open;
    bool is_told;        /* it holds the queries of another one */
    uint64_t begin;      /* its beginning */
    uint64_t summed;     /* the offset up to which its CRC-32 is known */
    uint64_t n_of_child; /* documents of the child so far */
    uint32_t crc32;

    /* at the beginning of the current child */
    size_t n_before;
    struct bm_job_twin last_before;
    bool was_beyond;

    size_t n; /* documents that are kept */
    struct bm_job_twin *chunks[BM_TWINS_MOST / BM_TWINS_CHUNK];
    uint32_t *slots; /* numbers of the kept documents, from 1 on, by their hash */
    size_t n_slots;  /* a power of two */
    uint64_t key;    /* of the hash: digests cannot be made to collide */
    struct bm_job_twin last;
    bool is_beyond; /* there were more */
};

struct blastmerge_job;

/* To be called when a child begins. */
void bm_job_twins_begin_child(struct blastmerge_job *job);

/* To be called when the child has a fault: no other one is compared with it. */
void bm_job_twins_leave_child(struct blastmerge_job *job);

/* To be called when a document begins, or has ended, in the current batch. */
void bm_job_twins_begin_document(struct blastmerge_job *job, const struct bm_mark_entry *mark);
enum blastmerge_status bm_job_twins_end_document(struct blastmerge_job *job,
                                                 const struct bm_mark_entry *mark) BM_CHECK_RESULT;

/* Compares a document of the current child, which was read elsewhere, with those before it. */
enum blastmerge_status bm_job_twins_compare(struct blastmerge_job *job,
                                            const struct bm_job_document *document) BM_CHECK_RESULT;

/* The i-th document that is kept; false: there are not so many. */
bool bm_job_twins_get(const struct bm_job_twins *twins, size_t i, struct bm_job_document *document);

/* To be called when the current child has ended: checks whether it is a table in which a run is repeated. */
enum blastmerge_status bm_job_twins_end_child(struct blastmerge_job *job) BM_CHECK_RESULT;

/* To be called at the end of the current batch. */
void bm_job_twins_end_batch(struct blastmerge_job *job);

/* To be called when all children have been merged. */
void bm_job_twins_end(struct blastmerge_job *job);

void bm_job_twins_close(struct bm_job_twins *twins, struct bm_memory *memory);

#endif
