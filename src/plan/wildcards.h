/* SPDX-License-Identifier: MIT */
/* plan/wildcards.h - remote items, whose location can mean several objects. */
#ifndef BM_PLAN_WILDCARDS_H
#define BM_PLAN_WILDCARDS_H

#include "plan/plan.h"

/* Adds a child at a remote location, which is copied. Its cloud must be set later. False: no memory is left. Items
 * move. */
bool bm_plan_add_remote(struct bm_plan *plan, const char *location) BM_CHECK_RESULT;

/* Whether the location of an item from `first` on has a wildcard. */
bool bm_plan_has_wildcards(const struct bm_plan *plan, size_t first);

/* Replaces each such item by the objects that match, in the natural order of their names. Items move. If that fails,
 * *subject is the name of the item that the error is about, or NULL; each source is in the plan or closed. */
enum blastmerge_status bm_plan_expand(struct bm_plan *plan, size_t first, struct bm_cloud *cloud,
                                      const char **subject, struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
