/* SPDX-License-Identifier: MIT */
/*
 * mark/walk.h - the fast path: over the inside of Iterations, where nearly all text lies.
 *
 * This file is a template. Each walk_*.c gives it, in its instruction set, three small functions, and
 * includes it once:
 *
 *     find_specials(p, &high)   of 64 bytes: a bit for each that is '<', '>', '&' or an illegal control
 *                               character (or tab or return, if that is easier); and in `high` one for each
 *                               beyond ASCII
 *     name_length(p)            how many ASCII name characters lie at p, 32 at most; reads 32 bytes
 *     same(a, b, n)             whether n <= 32 bytes are equal; reads 32 bytes of both
 *
 * The walk knows nothing of errors and little of XML. It goes over bytes of which it can prove that the
 * judge would take them, keeps the judge's state as the judge would leave it, and stops before anything
 * else; the judge then takes bytes until the walk can go on. So every way gives the same marks, verdicts
 * and offsets.
 *
 * It takes two passes over a window of 4 KiB. The first writes down where the special bytes are (of bytes
 * beyond ASCII, where each run begins), with neither branches nor carried state to speak of. The second hops
 * along that list: in plain text nothing is special, so that the list is the skeleton of the markup:
 * '<' '>' '<' '>'. That a leaf's tags match is seen by comparing them with each other where they lie;
 * only elements with children go through the stack of open elements. The list outlives the judge's
 * turns, so that odd documents cost a little and never a rescan.
 *
 * A text is read up to SLACK bytes beyond a window's end, so the last bytes of each chunk are the judge's.
 */
#include "mark/internal.h"
#include "mark/run.h"

#include <string.h>

enum {
    BLOCK = 64,
    SLACK = 40,       /* what may be read behind a special byte */
    MAX_SHORT = 32,   /* names shorter than this are compared at once */
    MAX_BLANKS = 256, /* white space between Iterations that is looked through for a newline */
    MAX_DIGITS = 18   /* of a number that fits 64 bits for sure */
};

enum stop {
    STOP_NOT,   /* go on */
    STOP_SHORT, /* what is at hand cannot be proven: by too short a view, or at all */
    STOP_END,   /* the window's end is reached */
    STOP_CHANGE /* an Iteration has begun or ended */
};

/* Positions count from the window's begin. */
struct walk {
    struct bm_mark *mark;
    const uint8_t *text; /* the window's */
    const uint16_t
        *special; /* the next special byte's position; behind the last one stands the window's size */
    size_t size;
    size_t position; /* all before is taken */
    size_t n_before; /* bytes of the chunk before the window */
    uint64_t offset; /* of the window's begin */
    uint64_t n_hits;
    uint64_t n_hsps;
    unsigned depth;
};

/* --- the first pass -------------------------------------------------------------------------- */

WALK_TARGET static void list_specials(struct bm_mark *mark, const uint8_t *text) {
    uint16_t *out = mark->specials;
    uint64_t carry = 0;
    for (size_t begin = 0; begin < mark->window_size; begin += BLOCK) {
        uint64_t high;
        uint64_t bits = find_specials(text + begin, &high);
        bits |= high & ~(high << 1 | carry);
        carry = high >> 63;
        out = write_positions(out, bits, begin);
    }
    for (size_t i = 0; i < BM_MARK_SENTINELS; i++) out[i] = (uint16_t)mark->window_size;
    mark->n_passed = 0;
}

INLINE bool has_room(const struct walk *walk) {
    return walk->mark->list->n_entries + BM_MARK_ROOM <= BM_MARK_LIST;
}

/* --- names and attributes -------------------------------------------------------------------- */

static inline bool begins_name(uint8_t byte) {
    return byte < 128 && (bm_mark_class[byte] & BM_CLASS_NAME_START) != 0;
}

/* Is the name of n bytes at p this one? */
#define NAME_IS(p, n, name) ((n) == sizeof(name) - 1 && memcmp(p, name, sizeof(name) - 1) == 0)

INLINE void count_element(struct walk *walk, const uint8_t *name, size_t n_name) {
    if (n_name != 3 || name[0] != 'H') return;
    walk->n_hits += name[1] == 'i' && name[2] == 't';
    walk->n_hsps += name[1] == 's' && name[2] == 'p';
}

INLINE void push(struct walk *walk, const uint8_t *name, size_t n_name) {
    struct bm_mark_name *open = &walk->mark->open_elements[walk->depth++];
    memcpy(open->bytes, name, MAX_SHORT); /* and some bytes that do not count */
    open->n_bytes = (uint16_t)n_name;
}

static size_t skip_space(const uint8_t *text, size_t position) {
    while (bm_mark_is_space(text[position])) position++;
    return position;
}

/* A name's length; the bytes there and up to some that is none are ASCII. */
static size_t measure_name(const uint8_t *text) {
    size_t n = 0;
    while ((bm_mark_class[text[n]] & BM_CLASS_NAME) != 0) n++;
    return n;
}

/* Whether the n-th name is one of those before. */
static bool has_twin(const uint8_t *const *names, const size_t *lengths, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (lengths[i] == lengths[n] && memcmp(names[i], names[n], lengths[n]) == 0) return true;
    }
    return false;
}

/* '=' and a value in quotes; the position behind it, 0 if it is not that simple. */
static size_t take_value(const uint8_t *text, size_t position, size_t end) {
    size_t at = skip_space(text, position);
    if (text[at] != '=') return 0;
    at = skip_space(text, at + 1);
    if (text[at] != '"' && text[at] != '\'') return 0;
    const uint8_t *close = memchr(text + at + 1, text[at], end - at - 1);
    return close == NULL ? 0 : (size_t)(close - text) + 1;
}

/*
 * The attributes of a tag from behind its name up to the '>' at `end`; between are only plain ASCII bytes.
 * The position of the '/' of an empty-element tag, `end` if there is none, 0 if it is not that simple.
 */
static size_t take_attributes(const uint8_t *text, size_t position, size_t end) {
    const uint8_t *names[BM_MARK_MAX_ATTRIBUTES];
    size_t lengths[BM_MARK_MAX_ATTRIBUTES];
    for (size_t n = 0;; n++) {
        size_t begin = skip_space(text, position);
        if (begin == end || (text[begin] == '/' && begin + 1 == end)) return begin;
        if (n == BM_MARK_MAX_ATTRIBUTES || begin == position || !begins_name(text[begin])) return 0;
        names[n] = text + begin;
        lengths[n] = measure_name(text + begin);
        if (lengths[n] >= MAX_SHORT || has_twin(names, lengths, n)) return 0;
        position = take_value(text, begin + lengths[n], end);
        if (position == 0) return 0;
    }
}

/* --- the second pass: inside of an Iteration, behind its number ------------------------------ */

INLINE enum stop take_end_tag(struct walk *walk, size_t less) {
    const struct bm_mark_name *open = &walk->mark->open_elements[walk->depth - 1];
    const uint8_t *name = walk->text + less + 2;
    size_t n_name = open->n_bytes;
    size_t greater = less + 2 + n_name;
    if (walk->special[1] != greater || walk->text[greater] != '>') return STOP_SHORT;
    if (!same(name, (const uint8_t *)open->bytes, n_name < MAX_SHORT ? n_name : MAX_SHORT)) return STOP_SHORT;
    if (n_name > MAX_SHORT && memcmp(name, open->bytes, n_name) != 0) return STOP_SHORT;
    if (walk->depth == BM_DEPTH_ITERATION) return STOP_CHANGE;
    walk->depth--;
    walk->special += 2;
    walk->position = greater + 1;
    return STOP_NOT;
}

static bool is_number(const uint8_t *name, size_t n_name) {
    return NAME_IS(name, n_name, "Iteration_iter-num");
}

static void push_long(struct walk *walk, const uint8_t *name, size_t n_name) {
    struct bm_mark_name *open = &walk->mark->open_elements[walk->depth++];
    memcpy(open->bytes, name, n_name);
    open->n_bytes = (uint16_t)n_name;
}

/* Whether anything of the current query matters. */
INLINE bool has_parts(const struct bm_mark *mark) {
    return mark->tells_queries || mark->digest.is_wanted;
}

/* In BLAST XML parts lie at one depth, which most elements are below. */
INLINE bool may_be_part(const struct walk *walk) {
    bool is_deep = walk->depth != BM_DEPTH_ITERATION;
    if (is_deep && walk->mark->kin.format != BLASTMERGE_FORMAT_XML2) return false;
    return has_parts(walk->mark);
}

/* Is it one whose content matters? *part: to the digest. */
static bool is_query(const struct walk *walk, const uint8_t *name, size_t n_name,
                     enum bm_mark_digest_part *part) {
    bool is_xml2 = walk->mark->kin.format == BLASTMERGE_FORMAT_XML2;
    *part = BM_DIGEST_NOTHING;
    if (!is_xml2 && walk->depth != BM_DEPTH_ITERATION) return false;
    if (is_xml2 ? NAME_IS(name, n_name, "query-id") : NAME_IS(name, n_name, "Iteration_query-ID"))
        *part = BM_DIGEST_ID;
    else if (is_xml2 ? NAME_IS(name, n_name, "query-title") : NAME_IS(name, n_name, "Iteration_query-def"))
        *part = BM_DIGEST_TITLE;
    else if (is_xml2 ? NAME_IS(name, n_name, "query-len") : NAME_IS(name, n_name, "Iteration_query-len"))
        *part = BM_DIGEST_LENGTH;
    else
        return walk->mark->tells_queries &&
               (is_xml2 ? NAME_IS(name, n_name, "message") : NAME_IS(name, n_name, "Iteration_message"));
    return walk->mark->digest.is_wanted || (*part == BM_DIGEST_ID && walk->mark->tells_queries);
}

/* Where one of the five references ends that begins here; 0: none does. */
static size_t take_reference(const uint8_t *text, size_t position) {
    static const struct {
        char name[6];
        size_t n_name;
    } references[] = {{"gt;", 3}, {"lt;", 3}, {"amp;", 4}, {"quot;", 5}, {"apos;", 5}};
    if (text[position] != '&') return 0;
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        if (memcmp(text + position + 1, references[i].name, references[i].n_name) == 0) {
            return position + 1 + references[i].n_name;
        }
    }
    return 0;
}

/* A part of a query, or its message, if it is a leaf of plain ASCII. */
WALK_TARGET static struct walk take_query(struct walk walk, size_t less, size_t n_name,
                                          enum bm_mark_digest_part part) {
    struct bm_mark *mark = walk.mark;
    struct bm_mark_digest *digest = &mark->digest;
    size_t begin = less + n_name + 2;
    size_t n_before = 2;         /* specials in front of the end tag */
    if (part == BM_DIGEST_TITLE) /* of which references count as they stand */
        while (walk.special[n_before] < walk.size && take_reference(walk.text, walk.special[n_before]) > 0)
            n_before++;
    size_t end = walk.special[n_before];
    const uint8_t *end_tag = walk.text + end;
    bool is_leaf =
        end_tag[0] == '<' && end_tag[1] == '/' && same(walk.text + less + 1, end_tag + 2, n_name + 1);
    size_t n = end - begin;
    if (!is_leaf || (n > BM_MARK_MAX_CONTENT && part != BM_DIGEST_TITLE) || !has_room(&walk)) return walk;
    if (part != BM_DIGEST_NOTHING && digest->is_wanted)
        bm_mark_digest_take(&digest->query, part, walk.text + begin, n);
    if (part == BM_DIGEST_LENGTH) digest->is_wanted = false;
    if (part != BM_DIGEST_NOTHING) mark->names_are_due = false;
    if (mark->tells_queries && (part == BM_DIGEST_ID || part == BM_DIGEST_NOTHING)) {
        enum bm_mark_kind kind = part == BM_DIGEST_ID ? BM_MARK_QUERY_ID : BM_MARK_MESSAGE;
        bm_mark_add(mark, kind, walk.offset + begin)->end = walk.offset + end;
    }
    walk.special += n_before + 2;
    walk.position = end + 3 + n_name;
    return walk;
}

/* A start tag that is more than a short name. */
WALK_TARGET static struct walk take_long_start_tag(struct walk walk, size_t less, size_t greater) {
    enum bm_mark_digest_part part;
    const uint8_t *name = walk.text + less + 1;
    size_t n_name = measure_name(name);
    size_t end = n_name > BM_MARK_MAX_NAME ? 0 : take_attributes(walk.text, less + 1 + n_name, greater);
    if (end == 0) return walk;
    if (walk.depth == BM_DEPTH_ITERATION && is_number(name, n_name)) return walk;
    if (has_parts(walk.mark) && (walk.mark->names_are_due || is_query(&walk, name, n_name, &part)))
        return walk;
    count_element(&walk, name, n_name);
    if (end == greater) push_long(&walk, name, n_name);
    walk.special += 2;
    walk.position = greater + 1;
    return walk;
}

INLINE enum stop take_start_tag(struct walk *walk, size_t less) {
    const uint8_t *name = walk->text + less + 1;
    size_t greater = walk->special[1];
    size_t n_name = name_length(name);
    enum bm_mark_digest_part part;
    if (walk->text[greater] != '>' || !begins_name(*name) || walk->depth == BM_MARK_MAX_DEPTH)
        return STOP_SHORT;
    if (n_name != greater - less - 1 || n_name >= MAX_SHORT) {
        *walk = take_long_start_tag(*walk, less, greater);
        return walk->position > less ? STOP_NOT : STOP_SHORT;
    }
    if (walk->depth == BM_DEPTH_ITERATION && is_number(name, n_name)) return STOP_SHORT;
    if (bm_unlikely(may_be_part(walk))) {
        bool is_part = is_query(walk, name, n_name, &part);
        if (walk->mark->names_are_due && part == BM_DIGEST_NOTHING) return STOP_SHORT;
        if (is_part) {
            *walk = take_query(*walk, less, n_name, part);
            return walk->position > less ? STOP_NOT : STOP_SHORT;
        }
    }
    count_element(walk, name, n_name);
    size_t next = walk->special[2];
    const uint8_t *end = walk->text + next;
    if (end[0] == '<' && end[1] == '/' && same(name, end + 2, n_name + 1)) { /* a leaf, with both its '>' */
        walk->special += 4;
        walk->position = next + 3 + n_name;
        return STOP_NOT;
    }
    push(walk, name, n_name);
    walk->special += 2;
    walk->position = greater + 1;
    return STOP_NOT;
}

INLINE enum stop take_beyond_ascii(struct walk *walk, size_t begin) {
    if (walk->mark->encoding != BM_ENCODING_UTF8) return STOP_SHORT;
    walk->position = bm_run_end(walk->text, begin, walk->size);
    if (walk->position < walk->size && walk->text[walk->position] >= 0x80) return STOP_SHORT;
    walk->special++;
    return STOP_NOT;
}

/* What is special in text, but not markup. */
INLINE enum stop take_in_text(struct walk *walk, size_t at) {
    const uint8_t *p = walk->text + at;
    if (*p == '>') { /* not as the end of "]]>" */
        if (walk->n_before + at < 2 || (p[-1] == ']' && p[-2] == ']')) return STOP_SHORT;
        walk->position = at + 1;
    } else if (*p == '&') {
        size_t end = take_reference(walk->text, at);
        if (end == 0) return STOP_SHORT;
        walk->position = end;
    } else if (*p == '\t' || *p == '\r') { /* which some ways list */
        walk->position = at + 1;
    } else {
        return *p < 0x80 ? STOP_SHORT : take_beyond_ascii(walk, at);
    }
    walk->special++;
    return STOP_NOT;
}

INLINE enum stop walk_inside(struct walk *walk) {
    for (;;) {
        size_t at = walk->special[0];
        enum stop stop;
        if (at >= walk->size) {
            if (walk->position < walk->size) walk->position = walk->size;
            return STOP_END;
        }
        if (walk->text[at] != '<') {
            stop = take_in_text(walk, at);
        } else if (walk->text[at + 1] == '/') {
            stop = take_end_tag(walk, at);
        } else {
            stop = take_start_tag(walk, at);
        }
        if (bm_unlikely(stop != STOP_NOT)) {
            if (walk->position < at) walk->position = at;
            return stop;
        }
    }
}

/* --- the second pass: an Iteration's borders and number -------------------------------------- */

#define TEXT_IS(text, literal)                                                                               \
    same(text, (const uint8_t *)(literal "                                "), sizeof(literal) - 1)

INLINE void pass_specials(struct walk *walk) {
    while (*walk->special < walk->position && *walk->special < walk->size) walk->special++;
}

/* The bytes of an Iteration's start tag; 0 if there is none. */
INLINE size_t measure_iteration(const struct walk *walk, size_t less) {
    const uint8_t *tag = walk->text + less;
    if (bm_unlikely(walk->mark->kin.format == BLASTMERGE_FORMAT_XML2)) {
        return TEXT_IS(tag, "<BlastOutput2>") ? strlen("<BlastOutput2>") : 0;
    }
    return TEXT_IS(tag, "<Iteration>") ? strlen("<Iteration>") : 0;
}

/* White space and "<Iteration>". */
INLINE enum stop take_iteration(struct walk *walk) {
    struct bm_mark *mark = walk->mark;
    size_t less = walk->special[0];
    if (less - walk->position > MAX_BLANKS || !has_room(walk)) return STOP_SHORT;
    size_t n_tag = measure_iteration(walk, less);
    if (n_tag == 0) return STOP_SHORT;
    for (size_t i = walk->position; i < less; i++) {
        if (!bm_mark_is_space(walk->text[i])) return STOP_SHORT;
        if (walk->text[i] == '\n' || walk->text[i] == '\r') mark->newline_seen = true;
    }
    push(walk, walk->text + less + 1, n_tag - strlen("<>"));
    walk->position = less + n_tag;
    bm_mark_begin_iteration(mark, walk->offset + less);
    pass_specials(walk);
    return STOP_NOT;
}

/* White space and "<Iteration_iter-num>1</Iteration_iter-num>". */
INLINE enum stop take_number(struct walk *walk) {
    struct bm_mark *mark = walk->mark;
    size_t less = walk->special[0];
    size_t begin = less + strlen("<Iteration_iter-num>");
    size_t end = begin;
    uint64_t value = 0;
    if (less + BLOCK > walk->size || walk->text[walk->position] >= 0x80 || !has_room(walk)) return STOP_SHORT;
    if (!TEXT_IS(walk->text + less, "<Iteration_iter-num>")) return STOP_SHORT;
    for (; walk->text[end] >= '0' && walk->text[end] <= '9' && end < begin + MAX_DIGITS; end++) {
        value = value * 10 + (uint64_t)(walk->text[end] - '0');
    }
    if (end == begin || !TEXT_IS(walk->text + end, "</Iteration_iter-num>")) return STOP_SHORT;
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_NUMBER, walk->offset + begin);
    entry->end = walk->offset + end;
    entry->flags = BM_MARK_DIGITS;
    entry->value = value;
    mark->first_seen = true;
    mark->blank = BM_MARK_NOWHERE;
    walk->position = end + strlen("</Iteration_iter-num>");
    pass_specials(walk);
    return STOP_NOT;
}

/* The blanks behind an Iteration's number, which matter if its query's names are missing. */
INLINE enum stop take_blanks(struct walk *walk) {
    size_t end = walk->special[0] < walk->size ? walk->special[0] : walk->size;
    for (; walk->position < end; walk->position++)
        bm_mark_follow_blanks(walk->mark, walk->text[walk->position], walk->offset + walk->position);
    return end == walk->size ? STOP_END : walk->text[end] == '<' ? STOP_NOT : STOP_SHORT;
}

/* "</Iteration>", which has been looked at. */
INLINE enum stop leave_iteration(struct walk *walk) {
    if (!has_room(walk) || walk->mark->names_are_due) return STOP_SHORT;
    walk->position = walk->special[1] + 1u;
    walk->special += 2;
    walk->depth--;
    bm_mark_end_iteration(walk->mark, walk->offset + walk->position);
    return STOP_NOT;
}

/* --- windows --------------------------------------------------------------------------------- */

INLINE bool is_inside(const struct walk *walk) {
    return walk->depth > BM_DEPTH_HEADER && walk->mark->first_seen;
}

/* In the middle of a run, whose begin alone is in the list. */
INLINE enum stop finish_run(struct walk *walk) {
    if (!is_inside(walk) || walk->mark->encoding != BM_ENCODING_UTF8) return STOP_SHORT;
    walk->position = bm_run_end(walk->text, walk->position, walk->size);
    return walk->text[walk->position] >= 0x80 ? STOP_SHORT : STOP_NOT;
}

WALK_TARGET static enum stop walk_window(struct walk *walk) {
    struct walk here = *walk; /* in registers */
    enum stop stop = STOP_NOT;
    pass_specials(&here);
    if (here.text[here.position] >= 0x80 && here.special[0] != here.position) stop = finish_run(&here);
    while (stop == STOP_NOT) {
        if (here.depth == BM_DEPTH_HEADER) stop = take_iteration(&here);
        if (stop == STOP_NOT && !here.mark->first_seen) stop = take_number(&here);
        if (stop == STOP_NOT && here.mark->names_are_due) stop = take_blanks(&here);
        if (stop == STOP_NOT) stop = walk_inside(&here);
        if (stop == STOP_CHANGE) stop = leave_iteration(&here);
    }
    *walk = here;
    return stop;
}

/* A window at the chunk's position `used`, if there is enough text for one. */
WALK_TARGET static bool open_window(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    size_t n_left = n_text - used;
    if (n_left < SLACK + BLOCK) return false;
    size_t size = (n_left - SLACK) & ~(size_t)(BLOCK - 1);
    mark->window = used;
    mark->window_size = size < BM_MARK_WINDOW ? size : BM_MARK_WINDOW;
    list_specials(mark, text + used);
    return true;
}

/* Leaves the judge's state as the judge would. ']' before the position are text, taken by the judge or by the walk. */
static void leave_window(struct bm_mark *mark, const struct walk *walk, size_t used) {
    size_t to = walk->position;
    size_t from = used - walk->n_before;
    size_t n_brackets = 0;
    while (to - n_brackets > from && walk->text[to - n_brackets - 1] == ']') n_brackets++;
    if (to - n_brackets == from) n_brackets += mark->n_brackets;
    mark->n_brackets = n_brackets < 2 ? (uint8_t)n_brackets : 2;
    mark->n_passed = (uint16_t)(walk->special - mark->specials);
    mark->position = walk->offset + to;
    mark->depth = (uint16_t)walk->depth;
    mark->counts.n_hits += walk->n_hits;
    mark->counts.n_hsps += walk->n_hsps;
}

/* Takes what it can from the chunk's position `used` on, and returns how far it came. */
WALK_TARGET static size_t walk_text(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used) {
    for (;;) {
        if (used >= mark->window + mark->window_size && !open_window(mark, text, n_text, used)) {
            mark->walk_from = n_text;
            return used;
        }
        struct walk walk = {
            .mark = mark,
            .text = text + mark->window,
            .special = mark->specials + mark->n_passed,
            .size = mark->window_size,
            .position = used - mark->window,
            .n_before = mark->window,
            .offset = mark->position - (used - mark->window),
            .depth = mark->depth,
        };
        enum stop stop = walk_window(&walk);
        bool is_near_end = walk.special[2] >= walk.size || walk.special[0] + (size_t)BLOCK > walk.size;
        size_t ahead = is_inside(&walk) ? walk.position : walk.special[0];
        leave_window(mark, &walk, used);
        used = mark->window + walk.position;
        if (stop == STOP_SHORT && (walk.position == 0 || !is_near_end)) {
            mark->walk_from = mark->window + (ahead < walk.position ? walk.position : ahead) + 1;
            return used;
        }
        mark->window_size = 0;
    }
}
