/* SPDX-License-Identifier: MIT */
/*
 * JSON's scanner, and how it works.
 *
 * It is made like that of XML (xml/xml.c), with a judge and a walk.
 *
 * One judge. judge.c gives each byte to the function of the state that the scanner is in, and that
 * function says what the next state is, or what is wrong. place.c is told when an object or array opens
 * or closes and when a string, number or word does, knows by the names on the way what it is to BLAST, and
 * adds the marks. Nearly all of them are known at their own offset, so that nothing is held.
 *
 * Memory is a byte for each open object or array, and the current name. Nothing else of what was
 * read is kept: so names are not compared with each other (RFC 8259 only says that they should be unique),
 * but for the three that a merge goes by.
 *
 * The walk. walk.h goes over what lies in the reports: it lists, 64 bytes at a time, where tokens begin
 * and what is odd in strings, and hops along the list. It never finds an error; it only stops, and the judge
 * takes over. So every way says the same of a text, which the tests hold it to.
 */
#include "mark/json/json.h"

#include <string.h>

/* --- ways ------------------------------------------------------------------------------------ */

static bm_mark_walk *find_walk(const char *way) {
#if defined(__x86_64__)
    if (strcmp(way, "AVX2") == 0) return bm_mark_json_walk_avx2;
    if (strcmp(way, "SSE2") == 0) return bm_mark_json_walk_sse2;
#elif defined(__aarch64__)
    if (strcmp(way, "NEON") == 0) return bm_mark_json_walk_neon;
#endif
    return strcmp(way, "portable") == 0 ? bm_mark_json_walk_portable : NULL;
}

/* --- the scanner ----------------------------------------------------------------------------- */

static void begin(struct bm_mark *mark) {
    ((struct bm_mark_json *)mark)->window.walk = find_walk(mark->way);
}

/* The walk is for the reports behind the header of the first. */
static bool can_walk(const struct bm_mark *mark) {
    const struct bm_mark_json *json = (const struct bm_mark_json *)mark;
    return bm_mark_json_is_walkable((enum bm_mark_json_state)json->state) && json->depth > 1 &&
           json->places[1] == BM_PLACE_ITEMS && !json->header_is_open && !json->content.is_held &&
           mark->digest.part == BM_DIGEST_NOTHING && json->utf8.n == 0;
}

static size_t step(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    struct bm_mark_json *json = (struct bm_mark_json *)mark;
    return bm_mark_step_by(mark, &json->window, text, n_text, can_walk, bm_mark_json_take);
}

static bool finish(struct bm_mark *mark) {
    struct bm_mark_json *json = (struct bm_mark_json *)mark;
    if (json->state != BM_JSON_OUTSIDE || json->mark.counts.n_documents == 0)
        return bm_mark_json_fail_end(json);
    bm_mark_json_end_document(json, json->mark.position);
    return true;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    const struct bm_mark_json *json = (const struct bm_mark_json *)mark;
    bool is_in_bom = json->state == BM_JSON_BOM_2 || json->state == BM_JSON_BOM_3;
    if (json->content.is_held) return json->content.at;
    return is_in_bom ? json->bom_at : json->mark.position - json->utf8.n;
}

const struct bm_mark_scanner bm_mark_json = {
    .begin = begin, .step = step, .finish = finish, .safe = safe_offset};
