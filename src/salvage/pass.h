/* SPDX-License-Identifier: MIT */
/*
 * salvage/pass - the pass over all children that comes before a merge: each one is read and surveyed, and what is found
 * out is the plan by which it is merged.
 *
 * Where a gzip member is at fault, the pass looks for the next one and goes on there. So it comes to know which bytes of
 * the child are worth reading, and which of their text is to be merged. It uses children, and knows no job.
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
    const struct blastmerge_options *options; /* borrowed, as all of these */
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct bm_child_buffer buffer; /* nobody else's while the pass takes something */
    size_t n_children;
};

enum blastmerge_status bm_salvage_pass_open(struct bm_salvage_pass **pass,
                                            const struct bm_salvage_pass_settings *settings) BM_CHECK_RESULT;
/* Fine on NULL. What was found out goes with it. */
void bm_salvage_pass_close(struct bm_salvage_pass *pass);

/*
 * Takes what bm_child_take() has returned of the child of this number: a batch, which is given back, or NULL for the error.
 * The child, which was opened from the source, may be closed and opened anew, to be read again from another place. *is_done:
 * all is known of it, and it is closed. Not OK: the error is the child's.
 */
enum blastmerge_status bm_salvage_pass_take(struct bm_salvage_pass *pass, size_t number,
                                            struct bm_fetch_source *source, struct bm_child *child,
                                            const struct bm_batch *batch, bool is_last, bool *is_done,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* What was found out about a child that is done. */
const struct bm_salvage_findings *bm_salvage_pass_findings(const struct bm_salvage_pass *pass, size_t number);

/* All are done: whether the first thing to be merged has no header before it. */
bool bm_salvage_pass_lacks_header(const struct bm_salvage_pass *pass);

/* The first child that has a whole header; n_children if none has. */
size_t bm_salvage_pass_find_header(const struct bm_salvage_pass *pass);

/* The header that is made where no child's is whole. */
struct bm_salvage_made {
    const struct bm_salvage_header *header;
    size_t child;       /* of whose it is made ... */
    const char *reason; /* ... and what is wrong with that */
};
struct bm_salvage_made bm_salvage_pass_made(const struct bm_salvage_pass *pass);

#endif
