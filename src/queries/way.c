/* SPDX-License-Identifier: MIT */
#include "queries/way.h"

#include <string.h>

/* -outfmt 10 does not quote its fields: of "a,b" the first one is "a". */
static bool is_cut_before(char separator, const struct bm_queries_word *name,
                          const struct bm_queries_word *token) {
    return name->n < token->n && token->bytes[name->n] == separator &&
           memcmp(name->bytes, token->bytes, name->n) == 0;
}

enum bm_queries_way bm_queries_find_way(const struct bm_queries_names *names,
                                        const struct bm_queries_iteration *iteration, bool is_blast_plus) {
    bool is_generated = bm_queries_word_is_generated(&iteration->id);
    bool has_title = names->title.n > 0;
    if (iteration->id.n > 0 && bm_queries_word_is_id_of(&iteration->id, &names->token))
        return BM_QUERIES_BY_ID;
    if (iteration->is_row && is_cut_before(iteration->separator, &iteration->id, &names->token))
        return BM_QUERIES_BY_TITLE;
    if (has_title && (is_generated || !is_blast_plus) && iteration->title.n > 0 &&
        (bm_queries_word_is_same(&names->title, &iteration->title) ||
         bm_queries_word_is_same(&names->plain, &iteration->title) ||
         bm_queries_word_is_same(&names->token, &iteration->title)))
        return BM_QUERIES_BY_TITLE;
    if (!is_generated) return BM_QUERIES_BY_NOTHING;
    if (names->has_range && names->rest.n > 0 &&
        (bm_queries_word_is_same(&names->rest, &iteration->title) ||
         bm_queries_word_is_same(&names->rest, &iteration->rest) ||
         bm_queries_word_is_same(&names->plain_rest, &iteration->rest)))
        return BM_QUERIES_BY_RANGE;
    bool has_name = names->has_range ? names->rest.n > 0 && !iteration->is_row : has_title;
    return iteration->is_nameless && !has_name ? BM_QUERIES_BY_LENGTH : BM_QUERIES_BY_NOTHING;
}
