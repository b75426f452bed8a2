/* SPDX-License-Identifier: MIT */
/*
 * How XML's scanner works.
 *
 * One judge. bytes.c decodes bytes to characters. judge.c passes each character to the function of the
 * scanner's current state. That function sets the next state, or reports an error. Nothing else decides what
 * is well-formed, and where an error is. The judge reads one byte at a time, and keeps what it needs of the
 * earlier ones: names on a stack of fixed size, the attributes' names of one tag, a few offsets. So a text
 * can be split anywhere, memory is constant, and nothing is ever read twice.
 *
 * Places. place.c recognises BlastOutput, BlastOutput_iterations, Iteration, its number, and the few other
 * elements that a merge must find. It is called when a start tag's name is complete, when a tag ends, and for
 * the text between tags, and adds the marks. Some marks are known only after their offset: only the end of
 * the name shows whether a '<' begins an Iteration. Until then, bm_mark_safe() stays at that offset. It is
 * computed from the state at each call (below), so no path can forget to release it. Inside Hits no mark can
 * come late, and nothing is held back.
 *
 * The walk. Nearly all text is inside Iterations and of one kind: tags that are only a name, and plain text.
 * walk.h scans that in large steps, with the instructions that the machine has. It leaves everything else to
 * the judge: references to characters, comments, damage. The walk never finds an error; it only stops. So a
 * build with AVX2 gives the same result for a text as the judge alone, which the tests check.
 *
 * Linear work. No byte is read more than a fixed number of times. The walk lists a window's special bytes
 * once, and once more only if a window ends in the middle of a tag. Tags are compared with the one open
 * element that they could end, and a tag's attributes, at most 64, with each other. A number that does not
 * fit, a name that is too long, or elements nested too deeply end the scan or are marked as such; they are
 * not collected.
 */
#include "mark/xml/xml.h"

#include <string.h>

/* --- ways ------------------------------------------------------------------------------------ */

static bm_mark_walk *find_walk(const char *way) {
#if defined(__x86_64__)
    if (strcmp(way, "AVX-512") == 0) return bm_mark_xml_walk_avx512;
    if (strcmp(way, "AVX2") == 0) return bm_mark_xml_walk_avx2;
    if (strcmp(way, "SSE2") == 0) return bm_mark_xml_walk_sse2;
#elif defined(__aarch64__)
    if (strcmp(way, "NEON") == 0) return bm_mark_xml_walk_neon;
#endif
    return strcmp(way, "portable") == 0 ? bm_mark_xml_walk_portable : NULL;
}

/* --- the scanner ------------------------------------------------------------------------------ */

static void begin(struct bm_mark *mark) {
    struct bm_mark_xml *xml = (struct bm_mark_xml *)mark;
    xml->window.walk = find_walk(mark->way);
    xml->blank = BM_MARK_NOWHERE;
}

/* The walk is for text between Iterations and inside of them, where nothing hangs over. */
static bool can_walk(const struct bm_mark *mark) {
    const struct bm_mark_xml *xml = (const struct bm_mark_xml *)mark;
    return xml->state == BM_STATE_TEXT && xml->in_iterations &&
           (xml->in_iteration || xml->depth == BM_DEPTH_HEADER) && !xml->header_is_open && xml->utf8.n == 0 &&
           !xml->body_is_open && !xml->in_number && !xml->in_extra && !xml->extra_is_ending &&
           !xml->content.is_held && mark->digest.part == BM_DIGEST_NOTHING;
}

static size_t step(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    struct bm_mark_xml *xml = (struct bm_mark_xml *)mark;
    return bm_mark_step_by(mark, &xml->window, text, n_text, can_walk, bm_mark_xml_take);
}

static bool finish(struct bm_mark *mark) {
    struct bm_mark_xml *xml = (struct bm_mark_xml *)mark;
    if (xml->state == BM_STATE_SAMPLE) return bm_mark_xml_fail_sample(xml);
    if (xml->phase != BM_PHASE_EPILOG || xml->state != BM_STATE_TEXT) return bm_mark_xml_fail_end(xml);
    bm_mark_xml_end_document(xml, xml->mark.position);
    return true;
}

static void lower(uint64_t *safe, bool is_held, uint64_t offset) {
    if (is_held && offset < *safe) *safe = offset;
}

/* Blanks that may be the indentation of BlastOutput_iterations' end tag. */
static bool blanks_are_held(const struct bm_mark_xml *xml) {
    if (!xml->in_iterations || xml->depth != BM_DEPTH_HEADER || xml->blank == BM_MARK_NOWHERE) return false;
    if (xml->state == BM_STATE_TEXT) return xml->mark.position - xml->blank <= BM_MARK_MAX_INDENTATION;
    return xml->state == BM_STATE_LESS && xml->less - xml->blank <= BM_MARK_MAX_INDENTATION;
}

/* A reference that may yet turn out to be to a character that is replaced. */
static bool reference_is_held(const struct bm_mark_xml *xml) {
    return xml->mark.forbidden == BLASTMERGE_FORBIDDEN_REPLACE && xml->state >= BM_STATE_REFERENCE &&
           xml->state <= BM_STATE_REFERENCE_HEX_FIRST && xml->state != BM_STATE_REFERENCE_NAME &&
           xml->mark.position - xml->reference_at <= BM_MARK_MAX_FORBIDDEN;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    const struct bm_mark_xml *xml = (const struct bm_mark_xml *)mark;
    uint64_t safe = xml->mark.position - xml->utf8.n;
    lower(&safe, reference_is_held(xml), xml->reference_at);
    lower(&safe, xml->declaration_is_open, xml->declaration_at);
    lower(&safe, xml->tag_is_open, xml->less);
    lower(&safe, xml->state == BM_STATE_TAG_EMPTY && xml->depth < BM_DEPTH_NUMBER, xml->mark.position - 1);
    lower(&safe, xml->state == BM_STATE_BOM_2 || xml->state == BM_STATE_BOM_3, xml->less);
    lower(&safe, xml->number_is_held, xml->number);
    lower(&safe, xml->content.is_held, xml->content.at);
    lower(&safe, xml->body_is_open, xml->body);
    lower(&safe, xml->in_megablast, xml->megablast);
    lower(&safe, blanks_are_held(xml), xml->blank);
    return safe;
}

/* Without a declaration it begins like something in every document, so that it must be what was stumbled over. */
static bool begins(const uint8_t *text, size_t n_text, bool is_begin_of_line, bool is_fault) {
    (void)is_begin_of_line;
    static const char *const beginnings[] = {"<?xml ", "<!DOCTYPE BlastOutput", "<BlastOutput>",
                                             "<BlastXML2"};
    const size_t n = is_fault ? sizeof beginnings / sizeof beginnings[0] : 1;
    for (size_t i = 0; i < n; i++)
        if (bm_mark_begins_with(text, n_text, beginnings[i])) return true;
    return false;
}

const struct bm_mark_scanner bm_mark_xml = {.begin = begin,
                                            .step = step,
                                            .finish = finish,
                                            .safe = safe_offset,
                                            .begins = begins,
                                            .n_cleared = offsetof(struct bm_mark_xml, declaration)};
