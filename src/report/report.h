/* SPDX-License-Identifier: MIT */
/*
 * report - what was merged, as JSON (docs/report.md), written child by child during the merge: the report, or what MultiQC
 * reads.
 */
#ifndef BM_REPORT_H
#define BM_REPORT_H

#include "queries/queries.h"
#include "salvage/salvage.h"

typedef struct json_t bm_report_json;

struct bm_report {
    enum blastmerge_status (*write)(void *context, const void *data, size_t n_bytes,
                                    struct blastmerge_error *error);
    void *context;
    bm_report_json *header;         /* of the current child: its first document's fields */
    bm_report_json *child_warnings; /* of the current child */
    bm_report_json *warnings;       /* of the whole merge */
    bm_report_json *lost;           /* of the current child; NULL: nothing */
    bm_report_json *superseded;     /* likewise */
    bm_report_json *made_header;    /* the source of the result's header, or NULL */
    uint64_t n_unchecked;           /* of the current child */
    bm_report_json *missing;        /* queries without an Iteration; null: none were expected */
    bm_report_json *unknown;        /* queries that may have one; likewise */
    bm_report_json *shards;         /* what a merge of shards found; NULL: it was none */
    bool has_failed;                /* out of memory while an entry was added */
    bool is_for_multiqc;
    const char *command;
    uint64_t n_children;
};

/* Writes the beginning, by `write`, which all later text goes to as well. location: of the report, as it may be shown. */
enum blastmerge_status bm_report_open(struct bm_report *report, const char *location,
                                      enum blastmerge_status (*write)(void *context, const void *data,
                                                                      size_t n_bytes,
                                                                      struct blastmerge_error *error),
                                      void *context, const struct blastmerge_options *options, bool is_check,
                                      struct blastmerge_error *error) BM_CHECK_RESULT;

/* Adds a header field of the current child. */
void bm_report_field(struct bm_report *report, const struct bm_mark_field *field);

/* Adds a warning, of the current child or of the whole merge. */
void bm_report_warning(struct bm_report *report, bool is_of_child, const char *message);

/* Adds a stretch of the current child that was lost. */
void bm_report_hole(struct bm_report *report, const struct bm_salvage_hole *hole);

/* Sets the child whose header was the source of the result's; and the number of the current child's
 * Iterations that are not proven. */
void bm_report_made_header(struct bm_report *report, const char *child, size_t n_fields, const char *reason);
void bm_report_unchecked(struct bm_report *report, uint64_t n_iterations);

/* Adds queries in a row without an Iteration, or perhaps without one; and the most of such rows. */
enum { BM_REPORT_MOST_MISSING = 1024 };
void bm_report_missing(struct bm_report *report, const struct bm_queries_gap *gap);

/* Keeps what a merge of shards found. */
void bm_report_shards(struct bm_report *report, const struct blastmerge_shards_report *counts);

/* Writes the row of the current child, and begins the next. */
enum blastmerge_status bm_report_child(struct bm_report *report, const struct blastmerge_child *child,
                                       struct blastmerge_error *error) BM_CHECK_RESULT;

/* Writes the end. output: the result's location, or NULL. fault: the error that the run ends with, unless its
 * status is BLASTMERGE_OK. */
enum blastmerge_status bm_report_end(struct bm_report *report, const struct blastmerge_report *totals,
                                     const char *output, const struct blastmerge_error *fault,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Copies a text, with the predefined entity references of XML resolved; what is too long is cut. Returns its length. */
size_t bm_report_resolve(char *resolved, size_t size, const char *text);

/* Frees all entries. `report` may be zeroed. */
void bm_report_close(struct bm_report *report);

#endif
