/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

void bm_plan_header_set(struct bm_plan_header *header, size_t child, const struct bm_fetch_source *source,
                        const struct bm_plan_text *text, uint64_t from, uint64_t to) {
    *header = (struct bm_plan_header){.is_due = true, .child = child, .source = *source};
    header->holes[0] = (struct bm_plan_hole){.to = from, .place = BM_MARK_AT_DOCUMENT};
    header->holes[1] = (struct bm_plan_hole){.from = to, .to = UINT64_MAX};
    if (text != NULL) header->text = *text;
    header->text.end = to;
    header->text.is_proven = false;
    header->text.n_holes = 2;
    header->text.holes = header->holes;
}
