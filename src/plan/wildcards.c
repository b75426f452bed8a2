/* SPDX-License-Identifier: MIT */
#include "plan/wildcards.h"
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "cloud/location.h"
#include "plan/order.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 1200 }; /* bytes of a location in a message; a longer one is cut */

bool bm_plan_add_remote(struct bm_plan *plan, const char *location) {
    char shown[SHOWN];
    bm_cloud_location_show(location, shown, sizeof shown);
    return bm_plan_add(plan, bm_fetch_source_remote(shown, location));
}

static bool is_wild(const struct bm_fetch_source *source) {
    return bm_fetch_source_is_remote(source) && bm_cloud_location_has_wildcard(source->location);
}

bool bm_plan_has_wildcards(const struct bm_plan *plan, size_t first) {
    for (size_t i = first; i < plan->n_items; i++)
        if (is_wild(&plan->items[i].source)) return true;
    return false;
}

static enum blastmerge_status fail_memory(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
}

struct finding {
    struct bm_plan *found;
    struct bm_cloud *cloud;
};

static enum blastmerge_status add_found(void *context, const struct bm_cloud_listed *listed,
                                        struct blastmerge_error *error) {
    const struct finding *finding = context;
    struct bm_plan *found = finding->found;
    if (!bm_plan_add_remote(found, listed->location)) return fail_memory(error);
    struct bm_fetch_source *source = &found->items[found->n_items - 1].source;
    source->cloud = finding->cloud;
    bm_fetch_source_expect(source, listed->n_bytes, listed->etag);
    return BLASTMERGE_OK;
}

/* Names are what is shown of locations, and may be cut or have something left out: other objects may share
 * one. */
static int compare_found(const void *a, const void *b) {
    const struct bm_fetch_source *one = &((const struct bm_plan_item *)a)->source;
    const struct bm_fetch_source *other = &((const struct bm_plan_item *)b)->source;
    int order = bm_plan_order_compare(bm_fetch_source_name(one), bm_fetch_source_name(other));
    return order != 0 ? order : strcmp(one->location, other->location);
}

/* Adds what one item stands for. */
static enum blastmerge_status find(struct bm_plan *found, const struct bm_fetch_source *source,
                                   struct bm_cloud *cloud, struct blastmerge_error *error) {
    struct finding finding = {found, cloud};
    size_t first = found->n_items;
    enum blastmerge_status status = bm_cloud_list(cloud, source->location, add_found, &finding, error);
    if (status != BLASTMERGE_OK) return status;
    if (found->n_items == first) return bm_fail(error, BLASTMERGE_NOT_FOUND, "there is no such object");
    qsort(found->items + first, found->n_items - first, sizeof *found->items, compare_found);
    for (size_t i = first + 1; i < found->n_items; i++) { /* no store has two objects of one name */
        const struct bm_fetch_source *twin = &found->items[i].source;
        if (strcmp(found->items[i - 1].source.location, twin->location) == 0)
            return bm_fail(error, BLASTMERGE_IO, "the server lists %.500s twice", twin->shown);
    }
    return BLASTMERGE_OK;
}

/* Objects are listed into a plan of their own: while that takes its time, items must not move, which open children read. */
enum blastmerge_status bm_plan_expand(struct bm_plan *plan, size_t first, struct bm_cloud *cloud,
                                      const char **subject, struct blastmerge_error *error) {
    struct bm_plan found = {.memory = plan->memory, .pool = plan->pool};
    enum blastmerge_status status = BLASTMERGE_OK;
    *subject = NULL;
    for (size_t i = first; i < plan->n_items; i++) {
        struct bm_fetch_source *source = &plan->items[i].source;
        if (status == BLASTMERGE_OK && !is_wild(source)) {
            if (bm_plan_keep(&found, source)) continue;
            status = fail_memory(error);
        } else if (status == BLASTMERGE_OK) {
            status = find(&found, source, cloud, error);
            if (status != BLASTMERGE_OK) *subject = source->shown;
        }
        bm_fetch_source_close(source);
    }
    plan->pool = found.pool;
    plan->n_items = first;
    for (size_t i = 0; i < found.n_items; i++) {
        struct bm_fetch_source *source = &found.items[i].source;
        if (bm_plan_keep(plan, source)) continue;
        if (status == BLASTMERGE_OK) status = fail_memory(error);
        bm_fetch_source_close(source);
    }
    bm_release(plan->memory, found.items);
    return status;
}

#endif
