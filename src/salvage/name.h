/* SPDX-License-Identifier: MIT */
/* salvage/name.h - finds the query of an Iteration in its first bytes. */
#ifndef BM_SALVAGE_NAME_H
#define BM_SALVAGE_NAME_H

#include "salvage/salvage.h"

enum { BM_SALVAGE_HEAD = 1024 /* bytes of an Iteration in which its query is searched for */ };

/* The beginning of the current Iteration, kept as its text passes. */
struct bm_salvage_head {
    bool is_open;
    bool is_of_archive; /* it is a query of an archive */
    uint64_t offset;    /* of the Iteration's '<', or the query's first byte */
    size_t n;
    char text[BM_SALVAGE_HEAD];
};

/* Begins another Iteration. */
void bm_salvage_head_begin(struct bm_salvage_head *head, uint64_t offset, bool is_of_archive);

/* The number of its bytes that are still needed from the text up to an offset; they begin at *from. */
size_t bm_salvage_head_wants(const struct bm_salvage_head *head, uint64_t to, uint64_t *from);
void bm_salvage_head_take(struct bm_salvage_head *head, const uint8_t *text, size_t n_text);

/* Removes the bytes from the offset on. */
void bm_salvage_head_cut(struct bm_salvage_head *head, uint64_t offset);

/* Whether the Iteration names its query; in old BLAST XML only the document's header does. And whether its Hits have
 * begun, before which the query would be named. */
bool bm_salvage_head_has_query(const struct bm_salvage_head *head);
bool bm_salvage_head_has_hits(const struct bm_salvage_head *head);

/* The name: the first word of the definition line, or the id of a query without one. "" if neither is there
 * completely. */
void bm_salvage_head_name(const struct bm_salvage_head *head, char name[BM_SALVAGE_NAME]);

/* A hash to distinguish Iterations: of the text before their Hits, as far as it was kept. *is_named: the query has a
 * name. */
uint64_t bm_salvage_head_hash(const struct bm_salvage_head *head, bool *is_named);

/* Likewise for a document's header, whose fields are given one after another: adds a field to the name, which is ""
 * before the first. True: it is a definition line that is a name. */
bool bm_salvage_field_name(const struct bm_mark_field *field, char name[BM_SALVAGE_NAME]);

#endif
