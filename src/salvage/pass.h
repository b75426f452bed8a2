/* SPDX-License-Identifier: MIT */
/*
 * salvage/pass - the pass over all children before a merge: each one is read and surveyed, and the findings are the plan
 * by which it is merged.
 *
 * If a gzip member has a fault, the pass searches for the next one and continues there. So it finds the bytes of the child
 * that are worth reading, and which of their text is to be merged. It uses children, and does not depend on a job.
 *
 *     do {
 *         batch = bm_child_take(child, &is_last, &error);
 *         status = bm_salvage_pass_take(pass, number, source, child, batch, is_last, &is_done, &error);
 *     } while (status == BLASTMERGE_OK && !is_done);
 */
#ifndef BM_SALVAGE_PASS_H
#define BM_SALVAGE_PASS_H

#include "child/child.h"
#include "child/member.h"
#include "salvage/header.h"
#include "salvage/salvage.h"

struct bm_salvage_pass;

struct bm_salvage_pass_settings {
    const struct blastmerge_options *options; /* borrowed, like all of these */
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct bm_child_buffer buffer; /* for the pass alone during bm_salvage_pass_take() */
    size_t n_children;
};

enum blastmerge_status bm_salvage_pass_open(struct bm_salvage_pass **pass,
                                            const struct bm_salvage_pass_settings *settings) BM_CHECK_RESULT;
/* pass may be NULL. Frees the findings, too. */
void bm_salvage_pass_close(struct bm_salvage_pass *pass);

/*
 * Takes the result of bm_child_take() for the child of this number: a batch, which is given back, or NULL for the error.
 * The child, which was opened from the source, may be closed and opened again, to be read from another place. *is_done: its
 * findings are complete, and it is closed. Not OK: the error is the child's.
 */
enum blastmerge_status bm_salvage_pass_take(struct bm_salvage_pass *pass, size_t number,
                                            struct bm_fetch_source *source, struct bm_child *child,
                                            const struct bm_batch *batch, bool is_last, bool *is_done,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* The findings about a child that is done. */
const struct bm_salvage_findings *bm_salvage_pass_findings(const struct bm_salvage_pass *pass, size_t number);

/* When all are done: the children's format; AUTO if none shows one. */
enum blastmerge_format bm_salvage_pass_format(const struct bm_salvage_pass *pass);

/* When all are done: whether the first text to be merged has no header before it. */
bool bm_salvage_pass_lacks_header(const struct bm_salvage_pass *pass);

/* The first child that has a whole header; n_children if none has. */
size_t bm_salvage_pass_find_header(const struct bm_salvage_pass *pass);

/* The header that is made if no child's is whole. */
struct bm_salvage_made {
    const struct bm_salvage_header *header;
    size_t child;       /* the child whose header is the source ... */
    const char *reason; /* ... and the fault in it */
};
struct bm_salvage_made bm_salvage_pass_made(const struct bm_salvage_pass *pass);

#endif
