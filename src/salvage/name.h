/* SPDX-License-Identifier: MIT */
/* salvage/name.h - whose an Iteration is, by its first bytes. */
#ifndef BM_SALVAGE_NAME_H
#define BM_SALVAGE_NAME_H

#include "salvage/salvage.h"

enum { BM_SALVAGE_HEAD = 1024 /* bytes of an Iteration in which its query is looked for */ };

/* The beginning of the current Iteration, kept as its text passes. */
struct bm_salvage_head {
    bool is_open;
    uint64_t offset; /* of the Iteration's '<' */
    size_t n;
    char text[BM_SALVAGE_HEAD];
};

/* Another Iteration begins. */
void bm_salvage_head_begin(struct bm_salvage_head *head, uint64_t offset);

/* Bytes of it that are still wanted of the text up to an offset, which begin at *from. */
size_t bm_salvage_head_wants(const struct bm_salvage_head *head, uint64_t to, uint64_t *from);
void bm_salvage_head_take(struct bm_salvage_head *head, const uint8_t *text, size_t n_text);

/* Nothing counts from the offset on. */
void bm_salvage_head_cut(struct bm_salvage_head *head, uint64_t offset);

/* Whether the Iteration says which query it is of; old BLAST XML has that in the document's header alone. If it says
 * nothing, its Hits may have begun, before which that would stand. */
bool bm_salvage_head_has_query(const struct bm_salvage_head *head);
bool bm_salvage_head_has_hits(const struct bm_salvage_head *head);

/* The name: the first word of the definition line; of a query without one its id. "" if neither is there as a
 * whole. */
void bm_salvage_head_name(const struct bm_salvage_head *head, char name[BM_SALVAGE_NAME]);

/* Tells Iterations apart: a hash of what stands before their Hits, as far as it was kept. *is_named: the
 * query has a name. */
uint64_t bm_salvage_head_hash(const struct bm_salvage_head *head, bool *is_named);

/* Likewise of a document's header, whose fields are given one after another: takes one into the name, which is "" before
 * the first. True: it is a definition line that is a name. */
bool bm_salvage_field_name(const struct bm_mark_field *field, char name[BM_SALVAGE_NAME]);

#endif
