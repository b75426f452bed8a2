/* SPDX-License-Identifier: MIT */
/* rank/text - text that grows, within a budget that all texts of a merge share. */
#ifndef BM_RANK_TEXT_H
#define BM_RANK_TEXT_H

#include "base/base.h"

struct bm_rank_budget {
    struct bm_memory *memory;
    size_t n_left; /* bytes that all texts together may still take */
};

struct bm_rank_text {
    char *data;
    size_t n_bytes;
    size_t n_allocated;
};

/* Appends bytes. Returns false if the budget is used up, or there is no memory. */
bool bm_rank_text_add(struct bm_rank_text *text, struct bm_rank_budget *budget, const void *data,
                      size_t n_bytes) BM_CHECK_RESULT;
void bm_rank_text_free(struct bm_rank_text *text, struct bm_rank_budget *budget);

#endif
