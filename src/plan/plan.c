/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <string.h>

void bm_plan_open(struct bm_plan *plan, struct bm_memory *memory) {
    *plan = (struct bm_plan){.memory = memory};
}

void bm_plan_close(struct bm_plan *plan) {
    plan->n_items = 0; /* the caller's allocator may ask for one */
    bm_release(plan->memory, plan->items);
    bm_pool_close(&plan->pool, plan->memory);
}

/* --- items --------------------------------------------------------------------------------------- */

bool bm_plan_keep(struct bm_plan *plan, const struct bm_fetch_source *source) {
    if (plan->n_items == plan->n_allocated) {
        size_t n_wanted = plan->n_allocated + plan->n_allocated / 8 + 16;
        struct bm_plan_item *items = bm_reallocate(plan->memory, plan->items, n_wanted * sizeof *items);
        if (items == NULL) return false;
        plan->items = items;
        plan->n_allocated = n_wanted;
    }
    plan->items[plan->n_items++] = (struct bm_plan_item){.source = *source};
    return true;
}

/* A name that cannot be seen as it is: messages have it in quotes. */
static bool quote_name(struct bm_plan *plan, struct bm_fetch_source *source) {
    size_t n = strlen(source->location);
    char *quoted = bm_pool_allocate(&plan->pool, plan->memory, n + 3, false);
    if (quoted == NULL) return false;
    quoted[0] = '\'';
    memcpy(quoted + 1, source->location, n);
    memcpy(quoted + 1 + n, "'", 2);
    source->shown = quoted;
    return true;
}

bool bm_plan_add(struct bm_plan *plan, struct bm_fetch_source source) {
    bool is_shown_whole = strcmp(source.shown, source.location) == 0; /* then one string does for both */
    source.location = bm_pool_copy(&plan->pool, plan->memory, source.location);
    if (source.location == NULL) return false;
    source.shown = is_shown_whole ? source.location : bm_pool_copy(&plan->pool, plan->memory, source.shown);
    if (source.shown == NULL) return false;
    if (!bm_fetch_source_is_remote(&source) && bm_needs_quotes(source.location) && !quote_name(plan, &source))
        return false;
    return bm_plan_keep(plan, &source);
}

/* --- a header ------------------------------------------------------------------------------------ */

void bm_plan_set_header(struct bm_plan *plan, size_t item, const struct bm_fetch_source *source,
                        const struct bm_plan_text *text, uint64_t from, uint64_t to) {
    struct bm_plan_header *header = &plan->header;
    *header = (struct bm_plan_header){.is_due = true, .item = item, .source = *source};
    header->holes[0] = (struct bm_plan_hole){.to = from, .place = BM_MARK_AT_DOCUMENT};
    header->holes[1] = (struct bm_plan_hole){.from = to, .to = UINT64_MAX};
    if (text != NULL) header->text = *text;
    header->text.end = to;
    header->text.is_proven = false;
    header->text.n_holes = 2;
    header->text.holes = header->holes;
}
