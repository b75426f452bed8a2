/* SPDX-License-Identifier: MIT */
/*
 * job - the whole of a merge: the caller's settings, and the rooms that work on it.
 */
#ifndef BM_JOB_H
#define BM_JOB_H

#include "base/cancel.h"
#include "base/temporary.h"
#include "base/workers.h"
#include "child/child.h"
#include "child/member.h"
#include "fetch/fetch.h"
#include "flow/output.h"
#include "flow/script.h"
#include "format/format.h"
#include "job/callbacks.h"
#include "job/children.h"
#include "job/client.h"
#include "job/gather.h"
#include "job/get.h"
#include "job/headers.h"
#include "job/index.h"
#include "job/places.h"
#include "job/queries.h"
#include "job/repeats.h"
#include "job/seams.h"
#include "job/seats.h"
#include "job/sentence.h"
#include "job/side.h"
#include "job/twins.h"
#include "job/unsplit.h"
#include "mark/mark.h"
#include "number/number.h"
#include "plan/plan.h"
#include "report/report.h"
#include "salvage/salvage.h"
#include "splice/splice.h"
#include "store/store.h"

#include <time.h>

enum {
    BM_JOB_FEW_OPEN = 4,    /* children that are open at most if they cannot be read early */
    BM_JOB_SMALL_SEATS = 8, /* which take less memory than one for any child */
    BM_JOB_DEFAULT_THREADS = 8,
    BM_JOB_MAX_THREADS = 64
};

/* Local work takes BM_JOB_LEAST_MEMORY bytes with up to two open children, and BM_JOB_CHILD_MEMORY for each more
 * (docs/merge.md, Memory). */
enum { BM_JOB_TEMPORARY = 1 << 30 }; /* bytes of temporary files by default */
enum { BM_JOB_LEAST_MEMORY = 16 << 20, BM_JOB_CHILD_MEMORY = 6 << 20, BM_JOB_LEAST_OPEN = 2 };

/* The next step of the conductor. */
enum bm_job_phase {
    BM_JOB_PHASE_START,
    BM_JOB_PHASE_LOOK,     /* is_copied: find out which tables the children are */
    BM_JOB_PHASE_SURVEY,   /* salvage: survey the current child */
    BM_JOB_PHASE_HEADER,   /* begin the plan's header */
    BM_JOB_PHASE_CHILD,    /* begin the current child */
    BM_JOB_PHASE_BATCH,    /* get its next batch */
    BM_JOB_PHASE_SCAN,     /* mark and number the current batch */
    BM_JOB_PHASE_WRITE,    /* write what was scanned */
    BM_JOB_PHASE_ROW,      /* the current child has ended: write its row of the report */
    BM_JOB_PHASE_EPILOGUE, /* all children were merged */
    BM_JOB_PHASE_LAST,     /* write the result's last text and its end */
    BM_JOB_PHASE_END,      /* the result is complete */
    BM_JOB_PHASE_FAILED
};

struct bm_check;
struct bm_job_order;
struct bm_job_shards;
struct bm_job_compare;
struct bm_job_slice;
struct bm_salvage_pass;

struct blastmerge_job {
    struct bm_memory memory;
    struct bm_budget decoders; /* what libraries' decoders take, beside that */
    struct blastmerge_options options;
    /* The options' own copies, src/job/options.c: all others read them in the options. */
    char *database; /* NULL: kept */
    char *endpoint;
    char *expect_queries;
    bool is_database_given;
    struct bm_job_places places;
    struct bm_cancel cancel;
    pid_t owner;                     /* the process that made the job or last added to it, before it begins */
    struct blastmerge_error error;   /* its message is the reason alone until the job ends ... */
    struct bm_job_sentence sentence; /* ... and becomes a sentence with this */
    struct blastmerge_report totals;
    struct bm_job_callbacks callbacks;
    bool is_inside; /* a function of the job is running: calls from its callbacks are refused */

    struct bm_plan plan;
    struct bm_job_children children;

    enum blastmerge_format supposed; /* the children are said to be tables: what rows are that are not known
                                        by themselves; else AUTO */
    bool is_copied;          /* tables without comments, whose gzip members become the result as they are
                                (docs/finalize.md); with BM_JOB_PHASE_LOOK, if that is what they are */
    bool is_supposed_narrow; /* they may have one field */
    bool is_check;           /* only the report is written */
    bool is_order_given;     /* the children's names do not matter for it */
    bool is_copy_refused;    /* is_copied: a merge changes something of them, so the copy has been given up */
    struct bm_job_client_hooks hooks; /* a client's; zeroed if there is none */
    const struct bm_job_slice
        *slice; /* the job counts or splices one child of a merge; NULL: it is a whole merge */
    bool has_begun;
    struct bm_job_index *index; /* src/job/index.c; NULL: no index is written */
    struct bm_job_get *get;     /* src/job/get.c; NULL: all queries are merged */

    /* the rooms: from here on all is the current run's, and forgotten before another (src/job/client.c) */
    struct bm_cloud *cloud; /* NULL: nothing is remote */
    bool has_workers;
    struct bm_workers workers;
    struct bm_job_seats seats;     /* of the children that are open */
    size_t n_opened;               /* children that were opened so far */
    struct bm_job_writer *writers; /* src/job/writers.c; NULL: the job's thread writes all children */
    size_t n_joined; /* with writers: children whose text is in the output and that are closed */
    struct bm_temporary_limit temporary; /* for what is kept and written of children before their turn */
    bool can_be_early;      /* children whose turn is to come are read, as far as they can be read again */
    struct bm_mark_kin kin; /* what the children must agree with, so far */
    struct bm_number *number;
    struct bm_job_queries queries;
    struct bm_job_headers headers;
    struct bm_check *check; /* src/job/check.c; NULL: it is no check */
    struct bm_script *script;
    struct bm_splice_sink *sink;     /* NULL until the first child's text is there */
    struct bm_splice_reader *reader; /* the current child's, likewise */
    const char *epilogue; /* the result's last text, once all children were merged; it belongs to number */
    size_t n_epilogue;
    struct bm_output output;
    struct bm_store store;
    struct bm_store report_store;
    struct bm_job_side side;
    struct bm_report report;
    bool has_report;
    size_t n_handed_out;                     /* bytes of the output that next has returned */
    bool is_pulled;                          /* by blastmerge_next() */
    bool is_committed;                       /* next has committed: nothing can fail any more */
    enum blastmerge_status committed_status; /* the status with which next then ends */
    struct bm_salvage_pass *survey;          /* NULL: nothing is salvaged */
    struct bm_job_order *order;              /* NULL: the children are merged in their order */
    struct bm_job_shards *shards;            /* NULL: the children are of a split of the queries */
    unsigned n_passes;                       /* in which each child is read ... */
    uint64_t n_surveyed_bytes;               /* ... and what was read in those before this one */

    /* the conductor's place */
    enum bm_job_phase phase;
    size_t child;      /* the current one */
    bool is_at_header; /* the plan's is read, in the place of a child */
    const struct bm_batch *batch;
    struct bm_view view; /* of the current child: what was scanned last */
    uint64_t document;   /* where in the child's text the current document begins */
    bool is_last_batch;  /* the current batch is its child's last */
    struct bm_gathered gathered[BM_N_GATHERED];
    struct bm_job_twins twins;
    struct bm_job_repeats repeats;
    struct bm_job_seams seams;
    struct bm_job_doubts doubts;
    struct bm_job_compare *compare; /* NULL: no children are compared that were counted elsewhere */
    uint32_t text_crc32;            /* of the current child's text so far, in a slice */
    uint64_t n_before_slice;        /* bytes of the output before the slice's fragment */
    struct timespec began;
};

/* Begins: checks what can be checked beforehand and opens the rooms. */
enum blastmerge_status bm_job_begin(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Opens the place of the output, or the caller's writer, if the job has either. is_json: it is a file of its own, and no
 * result. */
enum blastmerge_status bm_job_open_output(struct blastmerge_job *job, bool is_json) BM_CHECK_RESULT;

/* Puts the result's gzip header into the output, if it has one. */
void bm_job_begin_result(struct blastmerge_job *job);

/* Goes on until the output is worth emptying or complete (then phase is BM_JOB_PHASE_END). */
enum blastmerge_status bm_job_conduct(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Closes the rooms and joins the threads; the totals and the error stay. */
void bm_job_end(struct blastmerge_job *job);

/* Writes the current child's counts so far into its row. */
void bm_job_count_child(struct blastmerge_job *job);

/* Opens numbering for the job's result. */
void bm_job_open_number(const struct blastmerge_job *job, struct bm_number *number);

/* Ends the job with the reason in its error. */
enum blastmerge_status bm_job_fail(struct blastmerge_job *job);

/* Adds a child that counts to the totals. */
void bm_job_add_to_totals(struct blastmerge_job *job, const struct bm_job_row *child);

/* Whether the text of a result is written. */
bool bm_job_writes_text(const struct blastmerge_job *job);

/* There is no document: the result is an empty table, if the format is known to be one; else the job has ended. */
enum blastmerge_status bm_job_begin_empty_table(struct blastmerge_job *job);

/* BLASTMERGE_OK if the job has not begun, has no error and is not inside a call. */
enum blastmerge_status bm_job_check_new(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Closes the rooms, and composes the error's message. Returns the job's final status. */
enum blastmerge_status bm_job_finish(struct blastmerge_job *job, enum blastmerge_status status);

/* The current child. */
struct bm_child *bm_job_child(struct blastmerge_job *job);

/* The memory behind the output's data that is free when a step begins. */
struct bm_child_buffer bm_job_free_output(const struct blastmerge_job *job);

/* The next batch of the current child, as bm_child_take() has it (with the job's error). */
const struct bm_batch *bm_job_take(struct blastmerge_job *job, bool *is_last);

/* Ends the job, whose error is the current child's. */
enum blastmerge_status bm_job_fail_child(struct blastmerge_job *job);

/* For libraries' decoders: see struct bm_budget. */
bool bm_job_make_room(void *job);

/* Adds a child; its name is copied, its location is not. */
enum blastmerge_status bm_job_add_child(struct blastmerge_job *job,
                                        struct bm_fetch_source source) BM_CHECK_RESULT;

/* The items of the plan have moved: so have the sources of the children that are open. */
void bm_job_move_sources(struct blastmerge_job *job);

/* Ends the job if the current child's reader, which was closed, has failed to close. */
enum blastmerge_status bm_job_check_reader(struct blastmerge_job *job) BM_CHECK_RESULT;

/* Writes the names of two children for one message, so that they can be told apart. */
enum { BM_JOB_SHOWN_NAME = 320 };
void bm_job_show_names(const struct blastmerge_job *job, size_t child, size_t other,
                       char shown[2][BM_JOB_SHOWN_NAME]);

#endif
