/* SPDX-License-Identifier: MIT */
/*
 * JSON's scanner, and how it works.
 *
 * It is made like that of XML (xml.c), with a judge and a walk.
 *
 * One judge. json_judge.c gives each byte to the function of the state that the scanner is in, and that
 * function says what the next state is, or what is wrong. json_place.c is told when an object or array opens
 * or closes and when a string, number or word does, knows by the names on the way what it is to BLAST, and
 * adds the marks. Nearly all of them are known at their own offset, so that nothing is held.
 *
 * Memory is a byte for each open object or array, and the current name. Nothing else of what was
 * read is kept: so names are not compared with each other (RFC 8259 only says that they should be unique),
 * but for the three that a merge goes by.
 *
 * The walk. json_walk.h goes over what lies in the reports: it lists, 64 bytes at a time, where tokens begin
 * and what is odd in strings, and hops along the list. It never finds an error; it only stops, and the judge
 * takes over. So every way says the same of a text, which the tests hold it to.
 */
#include "mark/internal.h"

#include <string.h>

/* --- ways ------------------------------------------------------------------------------------ */

bm_mark_walk *bm_mark_json_find_walk(const char *way) {
#if defined(__x86_64__)
    if (strcmp(way, "AVX2") == 0) return bm_mark_json_walk_avx2;
    if (strcmp(way, "SSE2") == 0) return bm_mark_json_walk_sse2;
#elif defined(__aarch64__)
    if (strcmp(way, "NEON") == 0) return bm_mark_json_walk_neon;
#endif
    return strcmp(way, "portable") == 0 ? bm_mark_json_walk_portable : NULL;
}

/* --- the scanner ----------------------------------------------------------------------------- */

/* The walk is for the reports behind the header of the first. */
static bool can_walk(const struct bm_mark *mark, size_t position) {
    const struct bm_mark_json *json = &mark->json;
    return mark->json_walk != NULL && bm_mark_json_is_walkable((enum bm_mark_json_state)json->state) &&
           position >= mark->walk_from && json->depth > 1 && json->places[1] == BM_PLACE_ITEMS &&
           !json->header_is_open && !mark->content_is_held && mark->digest.part == BM_DIGEST_NOTHING &&
           mark->n_pending == 0;
}

static size_t step(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t used = 0;
    mark->walk_from = 0;
    mark->window = mark->window_size = 0;
    while (used < n_text && bm_mark_can_step(mark)) {
        if (can_walk(mark, used)) {
            used = mark->json_walk(mark, text, n_text, used);
        } else {
            used += bm_mark_json_take(mark, text + used, n_text - used);
        }
    }
    return used;
}

static bool finish(struct bm_mark *mark) {
    if (mark->json.state != BM_JSON_OUTSIDE || mark->counts.n_documents == 0)
        return bm_mark_json_fail_end(mark);
    bm_mark_json_end_document(mark, mark->position);
    return true;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    bool is_in_bom = mark->json.state == BM_JSON_BOM_2 || mark->json.state == BM_JSON_BOM_3;
    if (mark->content_is_held) return mark->content;
    return is_in_bom ? mark->json.bom_at : mark->position - mark->n_pending;
}

const struct bm_mark_scanner bm_mark_json = {step, finish, safe_offset};
