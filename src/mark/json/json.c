/* SPDX-License-Identifier: MIT */
/*
 * How JSON's scanner works.
 *
 * Like the scanner of XML (xml/xml.c), it has a judge and a walk.
 *
 * One judge. judge.c passes each byte to the function of the scanner's current state. That function sets the
 * next state, or reports an error. It calls place.c when an object, array, string, number or word begins or
 * ends. place.c derives its meaning to BLAST from the names on the path to it, and adds the marks. Nearly all
 * marks are known at their own offset, so nothing is held back.
 *
 * Memory is one byte for each open object or array, and the current name. Nothing else of the text is kept.
 * So names are not compared with each other (RFC 8259 only says that they should be unique), except the three
 * that a merge depends on.
 *
 * The walk. walk.h scans the inside of the reports. It lists, 64 bytes at a time, where tokens begin and what
 * is odd in strings, and goes from one listed place to the next. It never finds an error; it only stops, and
 * the judge continues. So every way gives the same result for a text, which the tests check.
 */
#include "mark/json/json.h"

#include <string.h>

/* --- ways ------------------------------------------------------------------------------------ */

static bm_mark_walk *find_walk(const char *way) {
#if defined(__x86_64__)
    if (strcmp(way, "AVX-512") == 0 || strcmp(way, "AVX2") == 0) return bm_mark_json_walk_avx2;
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

static bool begins(const uint8_t *text, size_t n_text, bool is_begin_of_line, bool is_fault) {
    (void)is_fault;
    (void)is_begin_of_line;
    size_t n = 1;
    if (n_text == 0 || text[0] != '{') return false;
    while (n < n_text && n < 16 && (text[n] == ' ' || text[n] == '\t' || text[n] == '\r' || text[n] == '\n'))
        n++;
    return bm_mark_begins_with(text + n, n_text - n, "\"BlastOutput2\"");
}

const struct bm_mark_scanner bm_mark_json = {.begin = begin,
                                             .step = step,
                                             .finish = finish,
                                             .safe = safe_offset,
                                             .begins = begins,
                                             .n_cleared = sizeof(struct bm_mark_json)};
