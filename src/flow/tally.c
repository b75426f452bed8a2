/* SPDX-License-Identifier: MIT */
#include "flow/tally.h"

bool bm_tally_add(struct bm_tally *tally, const struct bm_tally *next) {
    if (next->line != BM_TALLY_NO_LINE) tally->line = next->line;
    tally->has_unnamed = tally->has_unnamed || next->has_unnamed;
    return bm_add(&tally->n_documents, next->n_documents) &&
           bm_add(&tally->n_iterations, next->n_iterations) &&
           bm_add(&tally->last_numbers, next->last_numbers) &&
           bm_add(&tally->generated_ids, next->generated_ids) && bm_add(&tally->positions, next->positions) &&
           bm_add(&tally->n_counted, next->n_counted) && bm_add(&tally->n_queries, next->n_queries);
}
