/* SPDX-License-Identifier: MIT */
#include "rank/text.h"

#include <string.h>

bool bm_rank_text_add(struct bm_rank_text *text, struct bm_rank_budget *budget, const void *data,
                      size_t n_bytes) {
    enum { LEAST = 512 /* as most heads of hits take */ };
    if (n_bytes > text->n_allocated - text->n_bytes) {
        size_t n_wanted = text->n_bytes + n_bytes;
        if (n_wanted < 2 * text->n_allocated) n_wanted = 2 * text->n_allocated;
        if (n_wanted < LEAST) n_wanted = LEAST;
        size_t n_more = n_wanted - text->n_allocated;
        if (n_more > budget->n_left) return false;
        char *grown = bm_reallocate(budget->memory, text->data, n_wanted);
        if (grown == NULL) return false;
        budget->n_left -= n_more;
        text->data = grown;
        text->n_allocated = n_wanted;
    }
    if (n_bytes > 0) memcpy(text->data + text->n_bytes, data, n_bytes);
    text->n_bytes += n_bytes;
    return true;
}

void bm_rank_text_free(struct bm_rank_text *text, struct bm_rank_budget *budget) {
    bm_release(budget->memory, text->data);
    budget->n_left += text->n_allocated;
    *text = (struct bm_rank_text){0};
}
