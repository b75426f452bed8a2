/* SPDX-License-Identifier: MIT */
/*
 * mark/xml/walk.h - XML's fast path, which scans the inside of Iterations, where nearly all text is.
 *
 * This file is a template. Each walk_*.c defines three small functions in its instruction set, and includes
 * this file once:
 *
 *     find_specials(p, &high)   of 64 bytes: a bit for each that is '<', '>', '&' or an illegal control
 *                               character (or tab or return, if that is easier); and in `high` one for each
 *                               beyond ASCII
 *     name_length(p)            the number of ASCII name characters at p, at most 32; reads 32 bytes
 *     same(a, b, n)             whether n <= 32 bytes are equal; reads 32 bytes of both
 *
 * One of them defines WRITE_POSITIONS, too, where it has a better way than write_positions().
 *
 * The walk detects no errors, and implements little of XML. It skips bytes that it can prove the judge would
 * accept, and leaves the judge's state as the judge would. It stops before anything else; the judge then
 * scans bytes until the walk can continue. So every way gives the same marks, verdicts and offsets.
 *
 * The walk makes two passes over a window of 4 KiB. The first pass lists the positions of the special bytes
 * (for bytes beyond ASCII, the beginning of each run), almost without branches and carried state. The second
 * pass goes along that list. Plain text has no special bytes, so the list is the skeleton of the markup:
 * '<' '>' '<' '>'. To check that a leaf's tags match, the walk compares them with each other in the text.
 * Only elements with children use the stack of open elements. The list stays valid while the judge scans, so
 * odd documents cost a little, but never a rescan.
 *
 * The walk reads up to SLACK bytes beyond a window's end, so the judge scans the last bytes of each chunk.
 */
#include "mark/scan/run.h"
#include "mark/xml/xml.h"

#include <string.h>

enum {
    BLOCK = 64,
    SLACK = 40,       /* bytes that may be read after a special byte */
    NEAR_END = 512,   /* bytes; if the walk stops so near a window's end, the next window repeats them */
    MAX_SHORT = 32,   /* names shorter than this are compared at once */
    MAX_BLANKS = 256, /* white space between Iterations that is searched for a newline */
    MAX_DIGITS = 18   /* of a number that certainly fits 64 bits */
};

enum stop {
    STOP_NOT,   /* continue */
    STOP_SHORT, /* the current text cannot be proven: too few bytes are in view, or it is the judge's */
    STOP_END,   /* the window's end is reached */
    STOP_CHANGE /* an Iteration has begun or ended */
};

/* Positions count from the window's beginning. */
struct walk {
    struct bm_mark_xml *xml;
    const uint8_t *text; /* the window's */
    const uint16_t
        *special; /* the next special byte's position; the last one is followed by the window's size */
    size_t size;
    size_t position; /* everything before it has been scanned */
    size_t n_before; /* bytes of the chunk before the window */
    uint64_t offset; /* of the window's beginning */
    uint64_t n_hits;
    uint64_t n_hsps;
    unsigned depth;
};

#ifndef WRITE_POSITIONS
#define WRITE_POSITIONS write_positions
#endif

/* --- the first pass -------------------------------------------------------------------------- */

WALK_TARGET static void list_specials(struct bm_mark_xml *xml, const uint8_t *text) {
    uint16_t *out = xml->window.specials;
    uint64_t carry = 0;
    for (size_t begin = 0; begin < xml->window.size; begin += BLOCK) {
        uint64_t high;
        uint64_t bits = find_specials(text + begin, &high);
        bits |= high & ~(high << 1 | carry);
        carry = high >> 63;
        out = WRITE_POSITIONS(out, bits, begin);
    }
    for (size_t i = 0; i < BM_MARK_SENTINELS; i++) out[i] = (uint16_t)xml->window.size;
    xml->window.n_passed = 0;
}

INLINE bool has_room(const struct walk *walk) {
    return walk->xml->mark.list->n_entries + BM_MARK_ROOM <= BM_MARK_LIST;
}

/* --- names and attributes -------------------------------------------------------------------- */

static inline bool begins_name(uint8_t byte) {
    return byte < 128 && (bm_mark_xml_class[byte] & BM_CLASS_NAME_START) != 0;
}

/* Returns whether the name of n bytes at p is this one. */
#define NAME_IS(p, n, name) ((n) == sizeof(name) - 1 && memcmp(p, name, sizeof(name) - 1) == 0)

INLINE void count_element(struct walk *walk, const uint8_t *name, size_t n_name) {
    if (n_name != 3 || name[0] != 'H') return;
    walk->n_hits += name[1] == 'i' && name[2] == 't';
    walk->n_hsps += name[1] == 's' && name[2] == 'p';
}

INLINE void hand_on_counts(struct walk *walk) {
    walk->xml->mark.counts.n_hits += walk->n_hits;
    walk->xml->mark.counts.n_hsps += walk->n_hsps;
    walk->n_hits = walk->n_hsps = 0;
}

INLINE void push(struct walk *walk, const uint8_t *name, size_t n_name) {
    struct bm_mark_xml_name *open = &walk->xml->open_elements[walk->depth++];
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
    while ((bm_mark_xml_class[text[n]] & BM_CLASS_NAME) != 0) n++;
    return n;
}

/* Returns whether the n-th name equals an earlier one. */
static bool has_twin(const uint8_t *const *names, const size_t *lengths, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (lengths[i] == lengths[n] && memcmp(names[i], names[n], lengths[n]) == 0) return true;
    }
    return false;
}

/* Skips '=' and a value in quotes; returns the position after it, 0 if it is not that simple. */
static size_t take_value(const uint8_t *text, size_t position, size_t end) {
    size_t at = skip_space(text, position);
    if (text[at] != '=') return 0;
    at = skip_space(text, at + 1);
    if (text[at] != '"' && text[at] != '\'') return 0;
    const uint8_t *close = memchr(text + at + 1, text[at], end - at - 1);
    return close == NULL ? 0 : (size_t)(close - text) + 1;
}

/*
 * Skips the attributes of a tag, from the end of its name up to the '>' at `end`; between are only plain
 * ASCII bytes. Returns the position of the '/' of an empty-element tag, `end` if there is none, 0 if it is
 * not that simple.
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
    const struct bm_mark_xml_name *open = &walk->xml->open_elements[walk->depth - 1];
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
    struct bm_mark_xml_name *open = &walk->xml->open_elements[walk->depth++];
    memcpy(open->bytes, name, n_name);
    open->n_bytes = (uint16_t)n_name;
}

/* --- what describes an Iteration's query ----------------------------------------------------- */

/* The tags of an element that holds only text. same() reads 32 bytes of each. */
struct leaf {
    uint8_t start[MAX_SHORT];
    uint8_t end[MAX_SHORT];
    uint8_t n_name;
};

#define LEAF(name)                                                                                           \
    { "<" name ">", "</" name ">", sizeof(name) - 1 }

/* In BLAST's order. */
static const struct leaves {
    struct leaf id, title, length, message;
} xml_leaves = {LEAF("Iteration_query-ID"), LEAF("Iteration_query-def"), LEAF("Iteration_query-len"),
                LEAF("Iteration_message")},
  xml2_leaves = {LEAF("query-id"), LEAF("query-title"), LEAF("query-len"), LEAF("message")};

static const struct leaves *leaves_of(const struct bm_mark_xml *xml) {
    return xml->mark.kin.format == BLASTMERGE_FORMAT_XML2 ? &xml2_leaves : &xml_leaves;
}

/* Returns whether anything of the current query matters. */
INLINE bool has_parts(const struct bm_mark_xml *xml) {
    return xml->mark.tells_queries || xml->mark.digest.is_wanted;
}

/* Returns whether a name that begins so, at this depth, may be one of these. In XML2 the beginning decides;
 * in BLAST XML all of them are at one depth. */
INLINE bool may_be_leaf(const struct bm_mark_xml *xml, unsigned depth, uint8_t first) {
    if ((bm_mark_xml_class[first] & BM_CLASS_QUERY) == 0 || (first == 'm' && !xml->mark.tells_queries))
        return false;
    return depth == BM_DEPTH_ITERATION || xml->mark.kin.format == BLASTMERGE_FORMAT_XML2;
}

static bool is_named(const struct leaf *leaf, const uint8_t *name, size_t n_name) {
    return n_name == leaf->n_name && memcmp(name, leaf->start + 1, n_name) == 0;
}

/* Returns whether the name, at its place, is one of these. */
static bool is_leaf_of_query(const struct bm_mark_xml *xml, unsigned depth, const uint8_t *name,
                             size_t n_name) {
    const struct leaves *leaves = leaves_of(xml);
    if (leaves == &xml_leaves && depth != BM_DEPTH_ITERATION) return false;
    return is_named(&leaves->id, name, n_name) || is_named(&leaves->title, name, n_name) ||
           is_named(&leaves->length, name, n_name) || is_named(&leaves->message, name, n_name);
}

/* Returns the end of one of the five references that begins here; 0: none does. */
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

#define ODD_LEAF SIZE_MAX /* a number of leaves: the next one is the judge's */

/* The place of a leaf's content; end 0: there is no such leaf. */
struct content {
    size_t begin;
    size_t end;
};

/* Returns the content of the leaf that begins at special[0], if it is only plain ASCII; else sets *is_odd. In
 * a title the five references count as they are written. *special and *position move past the leaf. */
INLINE struct content find_leaf(const uint8_t *text, size_t size, const uint16_t **special,
                                const struct leaf *leaf, bool is_title, size_t *position, bool *is_odd) {
    const struct content none = {0, 0};
    const uint16_t *next = *special;
    if (!same(text + next[0], leaf->start, leaf->n_name + strlen("<>"))) return none;
    *is_odd = true;
    size_t begin = next[0] + leaf->n_name + strlen("<>");
    next += 2;
    if (is_title)
        while (next[0] < size && take_reference(text, next[0]) > 0) next++;
    size_t end = next[0];
    if (!same(text + end, leaf->end, leaf->n_name + strlen("</>"))) return none;
    if (!is_title && end - begin > BM_MARK_MAX_CONTENT) return none;
    *special = next + 2;
    *position = end + leaf->n_name + strlen("</>");
    *is_odd = false;
    return (struct content){begin, end};
}

static void take_part(struct bm_mark_digest *digest, enum bm_mark_digest_part part, const uint8_t *text,
                      struct content content) {
    bm_mark_digest_take(&digest->query, part, text + content.begin, content.end - content.begin);
}

/*
 * Scans the leaves that describe the current query and follow one another, as BLAST writes them, from
 * special[0] on. Returns the number of their special bytes; 0 if there is no leaf, ODD_LEAF if the first is
 * not plain. *position moves past them. What this needs of the walk is passed by value, so that the walk
 * stays in registers.
 */
OUTLINE size_t take_leaves(struct bm_mark_xml *xml, const uint8_t *text, const uint16_t *special, size_t size,
                           uint64_t offset, size_t *position) {
    const struct leaves *leaves = leaves_of(xml);
    struct bm_mark_digest *digest = &xml->mark.digest;
    const uint16_t *next = special;
    bool is_odd = false;
    if (xml->mark.list->n_entries + BM_MARK_ROOM > BM_MARK_LIST) return ODD_LEAF;
    struct content id = find_leaf(text, size, &next, &leaves->id, false, position, &is_odd);
    struct content title = find_leaf(text, size, &next, &leaves->title, true, position, &is_odd);
    struct content length = find_leaf(text, size, &next, &leaves->length, false, position, &is_odd);
    if (next > special) xml->names_are_due = false;
    if (digest->is_wanted) {
        if (title.end > 0) take_part(digest, BM_DIGEST_TITLE, text, title);
        if (id.end > 0 && digest->query.title == 0) take_part(digest, BM_DIGEST_ID, text, id);
        if (length.end > 0) {
            take_part(digest, BM_DIGEST_LENGTH, text, length);
            digest->is_wanted = false; /* BLAST writes it last */
        }
    }
    if (xml->mark.tells_queries && !xml->names_are_due) {
        if (id.end > 0) bm_mark_add(&xml->mark, BM_MARK_QUERY_ID, offset + id.begin)->end = offset + id.end;
        struct content message = find_leaf(text, size, &next, &leaves->message, false, position, &is_odd);
        if (message.end > 0)
            bm_mark_add(&xml->mark, BM_MARK_MESSAGE, offset + message.begin)->end = offset + message.end;
    }
    return next == special && is_odd ? ODD_LEAF : (size_t)(next - special);
}

INLINE size_t walk_leaves(struct walk *walk) {
    size_t position = walk->position;
    size_t n = take_leaves(walk->xml, walk->text, walk->special, walk->size, walk->offset, &position);
    if (n != ODD_LEAF) walk->special += n;
    walk->position = position;
    return n;
}

/* A start tag that is more than a short name. */
WALK_TARGET static struct walk take_long_start_tag(struct walk walk, size_t less, size_t greater) {
    const uint8_t *name = walk.text + less + 1;
    size_t n_name = measure_name(name);
    size_t end = n_name > BM_MARK_MAX_NAME ? 0 : take_attributes(walk.text, less + 1 + n_name, greater);
    if (end == 0) return walk;
    if (walk.depth == BM_DEPTH_ITERATION && is_number(name, n_name)) return walk;
    if (has_parts(walk.xml) &&
        (walk.xml->names_are_due || is_leaf_of_query(walk.xml, walk.depth, name, n_name)))
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
    if (walk->text[greater] != '>' || !begins_name(*name) || walk->depth == BM_MARK_MAX_DEPTH)
        return STOP_SHORT;
    if (n_name != greater - less - 1 || n_name >= MAX_SHORT) {
        *walk = take_long_start_tag(*walk, less, greater);
        return walk->position > less ? STOP_NOT : STOP_SHORT;
    }
    if (walk->depth == BM_DEPTH_ITERATION || (bm_mark_xml_class[*name] & BM_CLASS_QUERY) != 0) {
        if (walk->depth == BM_DEPTH_ITERATION && is_number(name, n_name)) return STOP_SHORT;
        if (has_parts(walk->xml)) {
            size_t n = may_be_leaf(walk->xml, walk->depth, *name) ? walk_leaves(walk) : 0;
            if (n > 0) return n == ODD_LEAF ? STOP_SHORT : STOP_NOT;
            if (walk->depth == BM_DEPTH_ITERATION && walk->xml->names_are_due) return STOP_SHORT;
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
    if (walk->xml->encoding != BM_ENCODING_UTF8) return STOP_SHORT;
    walk->position = bm_run_end(walk->text, begin, walk->size);
    if (walk->position < walk->size && walk->text[walk->position] >= 0x80) return STOP_SHORT;
    walk->special++;
    return STOP_NOT;
}

/* Special bytes in text that are not markup. */
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

/* Returns the bytes of an Iteration's start tag; 0 if there is none. */
INLINE size_t measure_iteration(const struct walk *walk, size_t less) {
    const uint8_t *tag = walk->text + less;
    if (bm_unlikely(walk->xml->mark.kin.format == BLASTMERGE_FORMAT_XML2)) {
        return TEXT_IS(tag, "<BlastOutput2>") ? strlen("<BlastOutput2>") : 0;
    }
    return TEXT_IS(tag, "<Iteration>") ? strlen("<Iteration>") : 0;
}

/* White space and "<Iteration>". */
INLINE enum stop take_iteration(struct walk *walk) {
    struct bm_mark_xml *xml = walk->xml;
    size_t less = walk->special[0];
    if (less - walk->position > MAX_BLANKS || !has_room(walk)) return STOP_SHORT;
    size_t n_tag = measure_iteration(walk, less);
    if (n_tag == 0) return STOP_SHORT;
    for (size_t i = walk->position; i < less; i++) {
        if (!bm_mark_is_space(walk->text[i])) return STOP_SHORT;
        if (walk->text[i] == '\n' || walk->text[i] == '\r') xml->newline_seen = true;
    }
    push(walk, walk->text + less + 1, n_tag - strlen("<>"));
    walk->position = less + n_tag;
    bm_mark_xml_begin_iteration(xml, walk->offset + less);
    pass_specials(walk);
    return STOP_NOT;
}

/* White space and "<Iteration_iter-num>1</Iteration_iter-num>". */
INLINE enum stop mark_number(struct walk *walk) {
    struct bm_mark_xml *xml = walk->xml;
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
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_NUMBER, walk->offset + begin);
    entry->end = walk->offset + end;
    entry->flags = BM_MARK_DIGITS;
    entry->value = value;
    xml->first_seen = true;
    xml->blank = BM_MARK_NOWHERE;
    walk->position = end + strlen("</Iteration_iter-num>");
    pass_specials(walk);
    (void)walk_leaves(walk);
    return STOP_NOT;
}

/* The blanks after an Iteration's number, which matter if its query's names are missing. */
INLINE enum stop take_blanks(struct walk *walk) {
    size_t end = walk->special[0] < walk->size ? walk->special[0] : walk->size;
    for (; walk->position < end; walk->position++)
        bm_mark_xml_follow_blanks(walk->xml, walk->text[walk->position], walk->offset + walk->position);
    return end == walk->size ? STOP_END : walk->text[end] == '<' ? STOP_NOT : STOP_SHORT;
}

/* "</Iteration>", which has been compared. */
INLINE enum stop leave_iteration(struct walk *walk) {
    if (!has_room(walk) || walk->xml->names_are_due) return STOP_SHORT;
    walk->position = walk->special[1] + 1u;
    walk->special += 2;
    walk->depth--;
    hand_on_counts(walk);
    bm_mark_xml_end_iteration(walk->xml, walk->offset + walk->position);
    return STOP_NOT;
}

/* --- windows --------------------------------------------------------------------------------- */

INLINE bool is_inside(const struct walk *walk) {
    return walk->depth > BM_DEPTH_HEADER && walk->xml->first_seen;
}

/* In the middle of a run: only its beginning is in the list. */
INLINE enum stop finish_run(struct walk *walk) {
    if (!is_inside(walk) || walk->xml->encoding != BM_ENCODING_UTF8) return STOP_SHORT;
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
        if (stop == STOP_NOT && !here.xml->first_seen) stop = mark_number(&here);
        if (stop == STOP_NOT && here.xml->names_are_due) stop = take_blanks(&here);
        if (stop == STOP_NOT) stop = walk_inside(&here);
        if (stop == STOP_CHANGE) stop = leave_iteration(&here);
    }
    *walk = here;
    return stop;
}

/* Makes a window at the chunk's position `used`, if there is enough text for one. */
WALK_TARGET static bool open_window(struct bm_mark_xml *xml, const uint8_t *text, size_t n_text,
                                    size_t used) {
    size_t n_left = n_text - used;
    if (n_left < SLACK + BLOCK) return false;
    size_t size = (n_left - SLACK) & ~(size_t)(BLOCK - 1);
    xml->window.begin = used;
    xml->window.size = size < BM_MARK_WINDOW ? size : BM_MARK_WINDOW;
    list_specials(xml, text + used);
    return true;
}

/* Leaves the judge's state as the judge would. ']' before the position are text, taken by the judge or by the
 * walk. */
static void leave_window(struct bm_mark_xml *xml, const struct walk *walk, size_t used) {
    size_t to = walk->position;
    size_t from = used - walk->n_before;
    size_t n_brackets = 0;
    while (to - n_brackets > from && walk->text[to - n_brackets - 1] == ']') n_brackets++;
    if (to - n_brackets == from) n_brackets += xml->n_brackets;
    xml->n_brackets = n_brackets < 2 ? (uint8_t)n_brackets : 2;
    xml->window.n_passed = (uint16_t)(walk->special - xml->window.specials);
    xml->mark.position = walk->offset + to;
    xml->depth = (uint16_t)walk->depth;
    xml->mark.counts.n_hits += walk->n_hits;
    xml->mark.counts.n_hsps += walk->n_hsps;
}

/* Scans what it can from the chunk's position `used` on, and returns the position that it reached. */
WALK_TARGET static size_t walk_text(struct bm_mark_xml *xml, const uint8_t *text, size_t n_text,
                                    size_t used) {
    for (;;) {
        if (used >= xml->window.begin + xml->window.size && !open_window(xml, text, n_text, used)) {
            xml->window.walk_from = n_text;
            return used;
        }
        struct walk walk = {
            .xml = xml,
            .text = text + xml->window.begin,
            .special = xml->window.specials + xml->window.n_passed,
            .size = xml->window.size,
            .position = used - xml->window.begin,
            .n_before = xml->window.begin,
            .offset = xml->mark.position - (used - xml->window.begin),
            .depth = xml->depth,
        };
        enum stop stop = walk_window(&walk);
        bool is_near_end = walk.special[2] >= walk.size || walk.special[0] + (size_t)NEAR_END > walk.size;
        size_t ahead = is_inside(&walk) ? walk.position : walk.special[0];
        leave_window(xml, &walk, used);
        used = xml->window.begin + walk.position;
        if (stop == STOP_SHORT && (walk.position == 0 || !is_near_end)) {
            xml->window.walk_from = xml->window.begin + (ahead < walk.position ? walk.position : ahead) + 1;
            return used;
        }
        xml->window.size = 0;
    }
}
