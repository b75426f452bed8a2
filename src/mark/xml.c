/* SPDX-License-Identifier: MIT */
/*
 * XML's scanner, and how it works.
 *
 * One judge. bytes.c makes characters of bytes, judge.c gives each character to the function of the state
 * that the scanner is in, and that function says what the next state is, or what is wrong. There is nothing
 * else that says what is well-formed, and where an error is. The judge sees one byte at a time and keeps
 * whatever it needs of those before: names on a stack of fixed size, the attributes' names of one tag, a few
 * offsets. So a text can be split anywhere, memory is constant, and nothing is ever read twice.
 *
 * Places. place.c knows BlastOutput, BlastOutput_iterations, Iteration, its number, and the few other
 * elements that a merge must find. It is told when a start tag's name is complete, when a tag ends, and what
 * stands between, and adds the marks. Some are known only later than their offset: whether the '<' at hand
 * begins an Iteration shows at the end of its name. Until then bm_mark_safe() stays at that offset. It is
 * computed from the state when it is asked for (below), so that no path can forget to release it. Inside of
 * Hits no mark can come late, and nothing is held.
 *
 * The walk. Nearly all text lies inside of Iterations and is of one kind: tags that are only a name, and
 * plain text. walk.h goes over that by leaps, in whatever instructions the machine has, and hands everything
 * else to the judge: references to characters, comments, whatever is damaged. It never finds an error; it
 * only stops. So what a build with AVX2 says of a text is what the judge alone says, which the tests hold it
 * to.
 *
 * Linear work. No byte is looked at more than a fixed number of times: the walk lists a window's special
 * bytes once (and again at most where a window ends in the middle of a tag), tags are compared with
 * the one open element that they could end, and a tag's attributes, of which there are at most 64, with each
 * other. A number that does not fit, a name that is too long, elements nested too deep end the scan
 * or are marked as such, rather than being collected.
 */
#include "mark/internal.h"

#include <string.h>

/* --- ways ------------------------------------------------------------------------------------ */

static bm_mark_walk *find_walk(const char *way) {
#if defined(__x86_64__)
    if (strcmp(way, "AVX2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt")) {
        return bm_mark_walk_avx2;
    }
    if (strcmp(way, "SSE2") == 0) return bm_mark_walk_sse2;
#elif defined(__aarch64__)
    if (strcmp(way, "NEON") == 0) return bm_mark_walk_neon;
#endif
    return strcmp(way, "portable") == 0 ? bm_mark_walk_portable : NULL;
}

const char *const bm_mark_ways[] = {"AVX2", "SSE2", "NEON", "portable", "bytes", NULL};

const char *bm_mark_implementation(void) {
    const char *const *way = bm_mark_ways;
    while (find_walk(*way) == NULL) way++; /* "portable" is everywhere */
    return *way;
}

bool bm_mark_use(struct bm_mark *mark, const char *way) {
    mark->walk = find_walk(way);
    mark->json_walk = mark->walk == NULL ? NULL : bm_mark_json_find_walk(way);
    return mark->walk != NULL || strcmp(way, "bytes") == 0;
}

/* --- the scanner ------------------------------------------------------------------------------ */

/* The walk is for text between Iterations and inside of them, where nothing hangs over. */
static bool can_walk(const struct bm_mark *mark, size_t position) {
    return mark->state == BM_STATE_TEXT && mark->in_iterations && mark->walk != NULL &&
           position >= mark->walk_from && (mark->in_iteration || mark->depth == BM_DEPTH_HEADER) &&
           !mark->header_is_open && mark->n_pending == 0 && !mark->body_is_open && !mark->in_number &&
           !mark->in_extra && !mark->extra_is_ending && !mark->content_is_held &&
           mark->digest.part == BM_DIGEST_NOTHING;
}

static size_t step(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t used = 0;
    mark->walk_from = 0;
    mark->window = mark->window_size = 0;
    while (used < n_text && bm_mark_can_step(mark)) {
        if (can_walk(mark, used)) {
            used = mark->walk(mark, text, n_text, used);
        } else {
            used += bm_mark_take(mark, text + used, n_text - used);
        }
    }
    return used;
}

static bool finish(struct bm_mark *mark) {
    if (mark->state == BM_STATE_SAMPLE) return bm_mark_fail_sample(mark);
    if (mark->phase != BM_PHASE_EPILOG || mark->state != BM_STATE_TEXT) return bm_mark_fail_end(mark);
    bm_mark_end_document(mark, mark->position);
    return true;
}

static void lower(uint64_t *safe, bool is_held, uint64_t offset) {
    if (is_held && offset < *safe) *safe = offset;
}

/* Blanks that may be the indentation of BlastOutput_iterations' end tag. */
static bool blanks_are_held(const struct bm_mark *mark) {
    if (!mark->in_iterations || mark->depth != BM_DEPTH_HEADER || mark->blank == BM_MARK_NOWHERE)
        return false;
    if (mark->state == BM_STATE_TEXT) return mark->position - mark->blank <= BM_MARK_MAX_INDENTATION;
    return mark->state == BM_STATE_LESS && mark->less - mark->blank <= BM_MARK_MAX_INDENTATION;
}

/* A reference that may yet turn out to be to a character that is replaced. */
static bool reference_is_held(const struct bm_mark *mark) {
    return mark->forbidden == BLASTMERGE_FORBIDDEN_REPLACE && mark->state >= BM_STATE_REFERENCE &&
           mark->state <= BM_STATE_REFERENCE_HEX_FIRST && mark->state != BM_STATE_REFERENCE_NAME &&
           mark->position - mark->reference_at <= BM_MARK_MAX_FORBIDDEN;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    uint64_t safe = mark->position - mark->n_pending;
    lower(&safe, reference_is_held(mark), mark->reference_at);
    lower(&safe, mark->declaration_is_open, mark->declaration_at);
    lower(&safe, mark->tag_is_open, mark->less);
    lower(&safe, mark->state == BM_STATE_TAG_EMPTY && mark->depth < BM_DEPTH_NUMBER, mark->position - 1);
    lower(&safe, mark->state == BM_STATE_BOM_2 || mark->state == BM_STATE_BOM_3, mark->less);
    lower(&safe, mark->number_is_held, mark->number);
    lower(&safe, mark->content_is_held, mark->content);
    lower(&safe, mark->body_is_open, mark->body);
    lower(&safe, mark->in_megablast, mark->megablast);
    lower(&safe, blanks_are_held(mark), mark->blank);
    return safe;
}

const struct bm_mark_scanner bm_mark_xml = {step, finish, safe_offset};
