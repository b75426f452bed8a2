/* SPDX-License-Identifier: MIT */
/*
 * page - what was merged, as one HTML page that needs nothing else (docs/page.md). It is written at the end, from what
 * the job has counted.
 */
#ifndef BM_REPORT_PAGE_H
#define BM_REPORT_PAGE_H

#include "base/base.h"

/* Texts that the page shows, such as warnings: as many as there is room for. */
struct bm_report_texts {
    uint64_t n; /* all of them */
    size_t n_bytes;
    char *bytes; /* those that are kept, each with its NUL */
};

/* Keeps a text. Without memory, or room, it is only counted. */
void bm_report_texts_add(struct bm_report_texts *texts, struct bm_memory *memory, const char *text);
void bm_report_texts_close(struct bm_report_texts *texts, struct bm_memory *memory);

/* Children and queries are counted by a number that they have, in classes: 0, 1, 2 to 3, 4 to 7 and so on; the last one has
 * no end. */
enum { BM_REPORT_CLASSES = 12 };

struct bm_report_page {
    const char *command; /* "merge", "check", "shards" */
    const struct blastmerge_report *totals;
    const struct blastmerge_error
        *fault;         /* the error that the run ends with, unless its status is BLASTMERGE_OK */
    const char *output; /* the result's location as it may be shown; NULL: none */
    const struct bm_report_texts *warnings;
    const struct bm_report_texts
        *header;      /* the first header's fields, each a name and a value as in the text */
    bool has_queries; /* the queries were compared with those that were expected */
    const struct bm_report_texts
        *missing;            /* of these, the ones without an Iteration, a text for each row of them */
    const uint64_t *by_hits; /* BM_REPORT_CLASSES numbers of queries; all 0: the format does not tell */
    uint64_t n_children;
    void *context;                                                                 /* of these functions */
    bool (*child)(void *context, uint64_t number, struct blastmerge_child *child); /* false: there is none */
    enum blastmerge_status (*write)(void *context, const void *data, size_t n_bytes,
                                    struct blastmerge_error *error);
};

/* Writes the page. memory: for 32 KiB while it works. */
enum blastmerge_status bm_report_page_write(const struct bm_report_page *page, struct bm_memory *memory,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
