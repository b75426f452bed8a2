/* SPDX-License-Identifier: MIT */
/*
 * slice - what a merge that is spread over several runs needs of a job: a child that is counted on its own, a child that is
 * spliced from the tally of what comes before it, and the comparison of children that were counted elsewhere. The room
 * parts is the only client.
 *
 * One child, counted or spliced (blastmerge.h has added it and set the output):
 *
 *     bm_job_slice_run(job, &slice);
 *
 * Work on files of other kinds (tallies, parts), which are the job's children:
 *
 *     status = bm_job_slice_begin(job, "a part");        checks the places, and opens the connection
 *     source = bm_job_slice_source(job, i);              is read with the room fetch
 *     status = bm_job_slice_open_output(job, false);
 *     status = bm_job_slice_write(job, data, n_bytes);
 *     status = bm_job_slice_commit(job);
 *     return bm_job_slice_end(job, status);              in any case, once bm_job_slice_begin() was called
 *
 * This header shows nothing of the job's inside: it includes only base, which scripts/check-rooms checks. All functions
 * are to be called on the job's thread.
 */
#ifndef BM_JOB_SLICE_H
#define BM_JOB_SLICE_H

#include "base/base.h"

struct bm_cancel;
struct bm_cloud;
struct bm_fetch_source;
struct bm_mark_counts;
struct bm_mark_kin;
struct bm_number_header;
struct bm_output;
struct bm_store;
struct bm_tally;

/* A document, as it is compared with others (twins.h). */
struct bm_job_document {
    uint64_t queries; /* the digest of its queries */
    uint32_t text;    /* of its text: CRC-32 and length */
    bool has_hits;
    bool is_weak; /* equal queries prove little: see BM_MARK_WEAK */
};

/* What an unsplit run might have written otherwise, in one child. */
struct bm_job_slice_doubts {
    uint64_t n_gaps;
    uint64_t n_returns;
    uint64_t n_unnumbered;
    uint64_t n_odd_ids;
    uint64_t n_odd_messages;
    uint64_t n_excess;
    uint64_t n_bare;
};

/* What salvage left out. */
struct bm_job_losses {
    uint64_t n_children; /* that are damaged */
    uint64_t n_stretches;
    uint64_t n_superseded;
    uint64_t n_unchecked; /* Iterations that were taken without proof */
};

/* The queries of one search: how many, and a hash of their titles and lengths; and the names of the first and the last. */
enum { BM_JOB_SPAN_NAME = 256 };
struct bm_job_span {
    uint64_t n;
    uint64_t hash;
    char first[BM_JOB_SPAN_NAME];
    char last[BM_JOB_SPAN_NAME];
};

/* A child that was counted. Pointers are borrowed until the call returns. */
struct bm_job_counted {
    const char *location;         /* of a batch of shards: the first one's */
    uint64_t n_shards;            /* of the batch; 0: it is a child of its own */
    uint64_t n_bytes;             /* of the child, as it is stored; of a batch: of its text */
    uint64_t n_text;              /* of its text ... */
    uint32_t crc32;               /* ... whose CRC-32 this is */
    const struct bm_tally *tally; /* counted from nothing; or from what comes before */
    const struct bm_mark_kin *kin;
    const struct bm_mark_counts *counts;
    const struct bm_number_header *header; /* of its first document; NULL: it has none */
    struct bm_job_slice_doubts doubts;
    struct bm_job_losses losses;
    const struct bm_job_document *documents; /* those that are compared with others */
    size_t n_documents;
    const struct bm_job_span *queries; /* that it was compared with; NULL: none were given */
    uint64_t n_warnings;
};

/* The text of a fragment. */
struct bm_job_fragment {
    uint64_t n_bytes; /* compressed */
    uint64_t n_text;
    uint32_t crc32;
    const char
        *epilogue; /* the result's last text, if the child has the result's first document; else NULL */
    size_t n_epilogue;
};

/* One child of a merge, or one batch of shards. Functions return BLASTMERGE_OK, or fill the error, which is the child's. */
struct bm_job_slice {
    void *context;
    /* What comes before the child. NULL: it is counted on its own, and no text is written; the rest is NULL, too. */
    const struct bm_tally *before;
    const struct bm_tally *total;                           /* of the whole result */
    const struct bm_mark_kin *kin;                          /* what the children before have settled */
    void (*begin)(void *context, struct bm_output *output); /* writes what comes before the fragment */
    void (*end)(void *context, const struct bm_job_fragment *fragment,
                struct bm_output *output); /* and after it */

    /* The child has ended, and was checked. Counting writes its line here. */
    enum blastmerge_status (*child)(void *context, const struct bm_job_counted *counted,
                                    struct blastmerge_error *error);
};

/* What the client uses of the job. */
struct bm_job_slice_view {
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct blastmerge_error *error;
    const struct blastmerge_options *options; /* settled */
    struct blastmerge_report *totals;
    const char *output;       /* the location; NULL: a writer, or none */
    const char *shown_output; /* the same, without what may be secret */
    bool is_database_given;
    bool has_shards;
    size_t n_children; /* that were added; if they are shards, their batches */
};
struct bm_job_slice_view bm_job_slice_view(struct blastmerge_job *job);

/* BLASTMERGE_OK if the job is new: not begun, not failed, not inside a call; and has no shards, unless it may. */
enum blastmerge_status bm_job_slice_check(struct blastmerge_job *job, bool may_have_shards) BM_CHECK_RESULT;

/* BLASTMERGE_OK if nothing but the output is to be written. */
enum blastmerge_status bm_job_slice_check_places(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Composes the message of the job's error about a file that is no child: "LOCATION: reason". */
void bm_job_slice_complete(struct blastmerge_job *job, const char *location);

/* Replaces the options that decide the result's bytes by these, and settles them. Those of the caller's machine stay:
 * force, threads, memory, endpoint, functions; and the order of the children that were given. */
enum blastmerge_status bm_job_slice_adopt(struct blastmerge_job *job,
                                          const struct blastmerge_options *options) BM_CHECK_RESULT;

/* Whether all children can be read twice: files and remote objects. */
bool bm_job_slice_can_read_again(const struct blastmerge_job *job);

/* Lets the output replace what is there. */
void bm_job_slice_force(struct blastmerge_job *job);

/* Runs the job's one child, or batch, to the output that was set. */
enum blastmerge_status bm_job_slice_run(struct blastmerge_job *job,
                                        const struct bm_job_slice *slice) BM_CHECK_RESULT;

/* --- work on other files -------------------------------------------------------------------------- */

/* what: the word for the files in messages, such as "a part". */
enum blastmerge_status bm_job_slice_begin(struct blastmerge_job *job, const char *what) BM_CHECK_RESULT;
size_t bm_job_slice_n_sources(const struct blastmerge_job *job);
struct bm_fetch_source *bm_job_slice_source(struct blastmerge_job *job, size_t i);

/* The job's error is about this source. Returns its status. */
enum blastmerge_status bm_job_slice_fail(struct blastmerge_job *job, size_t i);

/* The connection; NULL: nothing is remote. */
struct bm_cloud *bm_job_slice_cloud(struct blastmerge_job *job);

/* Begins to look at remote sources from this one on, several at a time. */
void bm_job_slice_look_ahead(struct blastmerge_job *job, size_t i);

/* The error is no end: the job has none any more. */
void bm_job_slice_forgive(struct blastmerge_job *job);

/* is_json: it is a file of its own, and no result. */
enum blastmerge_status bm_job_slice_open_output(struct blastmerge_job *job, bool is_json) BM_CHECK_RESULT;
enum blastmerge_status bm_job_slice_write(struct blastmerge_job *job, const void *data,
                                          size_t n_bytes) BM_CHECK_RESULT;
struct bm_store *bm_job_slice_store(struct blastmerge_job *job);

/* The job's output, for the frame of a result: its counts of text become the report's. Flushing writes its bytes. */
struct bm_output *bm_job_slice_output(struct blastmerge_job *job);
enum blastmerge_status bm_job_slice_flush(struct blastmerge_job *job) BM_CHECK_RESULT;
void bm_job_slice_count_output(struct blastmerge_job *job, uint64_t n_bytes);

/* The result is there already, and this is its text: nothing is to be committed. */
enum blastmerge_status bm_job_slice_settle(struct blastmerge_job *job,
                                           const struct bm_output *sums) BM_CHECK_RESULT;

/* What salvage left out of the result, which has n_iterations: a job that goes well ends with BLASTMERGE_SALVAGED then. */
void bm_job_slice_set_losses(struct blastmerge_job *job, const struct bm_job_losses *losses,
                             uint64_t n_children, uint64_t n_iterations);

enum blastmerge_status bm_job_slice_commit(struct blastmerge_job *job) BM_CHECK_RESULT;
enum blastmerge_status bm_job_slice_end(struct blastmerge_job *job, enum blastmerge_status status);

/* --- comparing children that were counted elsewhere ------------------------------------------------ */

/* Between bm_job_slice_begin() and _end(): n children, in the result's order, take the place of the job's sources until
 * bm_job_slice_compare_close(). Each has only a location. Faults are reported as those of a check: to options.on_fault, and
 * the first one is returned at the end. */
enum blastmerge_status bm_job_slice_compare_begin(struct blastmerge_job *job, const char *const *locations,
                                                  size_t n) BM_CHECK_RESULT;
enum blastmerge_status bm_job_slice_compare(struct blastmerge_job *job, size_t i,
                                            const struct bm_job_counted *counted) BM_CHECK_RESULT;
/* What the children so far have settled, for those after them. */
const struct bm_mark_kin *bm_job_slice_kin(const struct blastmerge_job *job);

/* total: of all of them. *epilogue: the result's text if no child has a document, else NULL; valid until
 * bm_job_slice_end(). */
enum blastmerge_status bm_job_slice_compare_end(struct blastmerge_job *job, const struct bm_tally *total,
                                                const char **epilogue, size_t *n_epilogue) BM_CHECK_RESULT;
void bm_job_slice_compare_close(struct blastmerge_job *job);

#endif
