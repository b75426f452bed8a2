/* SPDX-License-Identifier: MIT */
/*
 * mark/json/walk.h - JSON's fast path, which scans the inside of reports.
 *
 * This file is a template, like walk.h. Each json_walk_*.c gives it two small functions in its instruction
 * set, and includes it once:
 *
 *     classify(p)        of 64 bytes, masks of what each is (struct classes)
 *     count_digits(p)    the number of digits at p, at most 16; reads 16 bytes
 *
 * The walk makes two passes over a window of 4 KiB. The first pass computes a mask of the insides of strings:
 * each bit of the unescaped quotes, xored with all bits before it. It lists the quotes. Outside strings, it
 * lists the brackets, commas and colons, and the first byte of each number or word. In strings, it lists what
 * needs a check: backslashes, control characters, and the first byte of each run beyond ASCII. So the list
 * has the document's tokens. Everything else is white space, the inside of a string, or the rest of a number.
 *
 * The second pass goes from token to token. It accepts what the judge would accept, calls what the judge
 * would call (place.c), and stops before anything else. If a whole member is plain, as nearly all are, it is
 * scanned at once. The list stays right after text that the judge has scanned: it would be wrong only after
 * an error, which ends the scan.
 *
 * The walk reads up to SLACK bytes beyond a window's end, so the judge scans the last bytes of each chunk.
 */
#include "mark/json/json.h"
#include "mark/scan/run.h"

#include <string.h>

enum {
    BLOCK = 64,
    SLACK = 72,     /* bytes that may be read after a listed byte: the longest number that is accepted */
    MAX_DIGITS = 16 /* of a number's part; count_digits() counts no further */
};

enum stop {
    STOP_NOT,   /* continue */
    STOP_SHORT, /* the current text cannot be proven, or is the judge's */
    STOP_END    /* the window's end is reached */
};

/* A bit for each byte. */
struct classes {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t brackets; /* and commas and colons */
    uint64_t others;   /* all except quotes, brackets and white space */
    uint64_t controls; /* below 0x20 */
    uint64_t high;     /* beyond ASCII */
};

static struct classes classify(const uint8_t *p);
static size_t count_digits(const uint8_t *p);

/* Positions count from the window's beginning. */
struct walk {
    struct bm_mark_json *json;
    const uint8_t *text;     /* the window's */
    const uint16_t *special; /* the next listed position; the last one is followed by the window's size */
    size_t size;
    size_t position; /* when the walk stops, everything before it has been scanned */
    uint64_t offset; /* of the window's beginning */
    enum bm_mark_json_state state;
    const uint8_t *name; /* of the current member: where it begins, or what of it is not in json->name yet */
    size_t n_name;       /* its length, from its end on */
};

/* --- the first pass -------------------------------------------------------------------------- */

/* The bytes that backslashes escape. *carry: the last block's last byte escapes the first here. */
static uint64_t find_escaped(uint64_t backslashes, uint64_t *carry) {
    uint64_t escaped = *carry;
    uint64_t left = backslashes & ~escaped;
    *carry = 0;
    while (left != 0) {
        uint64_t first = left & (0 - left); /* which is not escaped itself */
        *carry = first >> 63;
        escaped |= first << 1;
        left &= ~(first | first << 1);
    }
    return escaped;
}

/* Each bit becomes the parity of itself and all below. */
INLINE uint64_t find_parity(uint64_t bits) {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

/* What the last block leaves for the next: each is 0 or 1, but inside, which is 0 or all bits. */
struct carry {
    uint64_t escaped;
    uint64_t inside;
    uint64_t other;
    uint64_t high;
};

INLINE uint64_t find_specials(const struct classes *classes, struct carry *carry) {
    uint64_t escaped = 0;
    if (bm_unlikely((classes->backslashes | carry->escaped) != 0))
        escaped = find_escaped(classes->backslashes, &carry->escaped);
    uint64_t quotes = classes->quotes & ~escaped;
    uint64_t inside = find_parity(quotes) ^ carry->inside; /* with the opening quotes, without the closing */
    uint64_t others = classes->others & ~inside;
    uint64_t high = classes->high & inside;
    uint64_t odd = (classes->controls | (classes->backslashes & ~escaped)) & inside;
    uint64_t specials = (classes->brackets & ~inside) | quotes | odd;
    specials |= others & ~(others << 1 | carry->other);
    specials |= high & ~(high << 1 | carry->high);
    carry->inside = 0 - (inside >> 63);
    carry->other = others >> 63;
    carry->high = high >> 63;
    return specials;
}

WALK_TARGET static void list_specials(struct bm_mark_json *json, const uint8_t *text) {
    uint16_t *out = json->window.specials;
    struct carry carry = {.inside = json->state == BM_JSON_STRING ? ~(uint64_t)0 : 0};
    for (size_t begin = 0; begin < json->window.size; begin += BLOCK) {
        struct classes classes = classify(text + begin);
        out = write_positions(out, find_specials(&classes, &carry), begin);
    }
    for (size_t i = 0; i < BM_MARK_SENTINELS; i++) out[i] = (uint16_t)json->window.size;
    json->window.n_passed = 0;
}

/* --- numbers and words ----------------------------------------------------------------------- */

/* Returns the number of digits at p, if there are some, but not too many; else 0. */
INLINE size_t take_digits(const uint8_t *p) {
    size_t n = count_digits(p);
    return n < MAX_DIGITS ? n : 0;
}

/* Returns the end of the number at the position, if a byte that ends it follows; 0 if there is none or it is
 * long. */
INLINE size_t skip_number(const uint8_t *text, size_t at) {
    const uint8_t *p = text + at;
    p += *p == '-';
    size_t n = take_digits(p);
    if (n == 0 || (n > 1 && *p == '0')) return 0;
    p += n;
    if (*p == '.') {
        n = take_digits(p + 1);
        if (n == 0) return 0;
        p += n + 1;
    }
    if ((*p | 0x20) == 'e') {
        p++;
        p += *p == '+' || *p == '-';
        n = take_digits(p);
        if (n == 0) return 0;
        p += n;
    }
    return bm_mark_json_ends_word[*p] ? (size_t)(p - text) : 0;
}

static size_t take_word(const uint8_t *text, size_t at) {
    const uint8_t *p = text + at;
    size_t n = memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0 ? 4
               : memcmp(p, "false", 5) == 0                           ? 5
                                                                      : 0;
    return n > 0 && bm_mark_json_ends_word[p[n]] ? at + n : 0;
}

/* --- strings --------------------------------------------------------------------------------- */

static size_t measure_hex(const uint8_t *p) {
    size_t n = 0;
    while (n < 4 && ((p[n] >= '0' && p[n] <= '9') || ((p[n] | 0x20) >= 'a' && (p[n] | 0x20) <= 'f'))) n++;
    return n;
}

/* Returns the length of the escape at p; 0 if it is none, or a surrogate, which is the judge's. */
static size_t measure_escape(const uint8_t *p) {
    if (p[1] != 'u') return p[1] != 0 && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
    bool is_surrogate = (p[2] | 0x20) == 'd' && p[3] >= '8';
    return measure_hex(p + 2) == 4 && !is_surrogate ? 6 : 0;
}

/* The inside of a string, up to its quote, at which it stops. */
WALK_TARGET static enum stop take_inside(struct walk *walk) {
    for (;; walk->special++) {
        size_t at = *walk->special;
        if (at >= walk->size) return STOP_END;
        const uint8_t *p = walk->text + at;
        if (*p == '"') return STOP_NOT;
        if (*p == '\\') {
            size_t n = measure_escape(p);
            if (n == 0) return STOP_SHORT;
            walk->position = at + n;
        } else {
            if (*p < 0x80) return STOP_SHORT;
            walk->position = bm_run_end(walk->text, at, walk->size);
            if (walk->position < walk->size && walk->text[walk->position] >= 0x80) return STOP_SHORT;
        }
    }
}

/* The current name is complete, or cut by the window's end at this position. */
static void keep_name(struct walk *walk, size_t end) {
    struct bm_mark_json *json = walk->json;
    bm_mark_json_name_add(json, walk->name, (size_t)(walk->text + end - walk->name));
    walk->name = (const uint8_t *)json->name;
    walk->n_name = json->n_name;
}

INLINE enum stop take_string(struct walk *walk) {
    if (walk->text[*walk->special] != '"' || *walk->special >= walk->size) {
        enum stop stop = take_inside(walk);
        if (stop != STOP_NOT) return stop;
    }
    size_t quote = *walk->special++;
    if (!walk->json->in_name) {
        walk->state = BM_JSON_NEXT;
        return STOP_NOT;
    }
    if (walk->json->n_name > 0) {
        keep_name(walk, quote);
    } else {
        walk->n_name = (size_t)(walk->text + quote - walk->name);
    }
    walk->state = BM_JSON_COLON;
    return STOP_NOT;
}

/* --- tokens ---------------------------------------------------------------------------------- */

INLINE enum bm_mark_json_place place_of(const struct walk *walk) {
    return (enum bm_mark_json_place)walk->json->places[walk->json->depth - 1];
}

/* Marks come where reports begin and end. */
static bool may_mark(const struct walk *walk) {
    return walk->json->mark.list->n_entries + BM_MARK_ROOM <= BM_MARK_LIST;
}

/* Ends the walk after the '{' of the report whose header is to be marked. */
WALK_TARGET static enum stop take_open(struct walk *walk, bool is_array, size_t at) {
    struct bm_mark_json *json = walk->json;
    if (!may_mark(walk)) return STOP_SHORT;
    if (!bm_mark_json_open(walk->json, walk->name, walk->n_name, is_array, walk->offset + at))
        return STOP_SHORT;
    walk->state = (enum bm_mark_json_state)json->state;
    walk->special++;
    return json->header_is_open ? STOP_SHORT : STOP_NOT;
}

/* The array of the reports itself is closed by the judge. */
WALK_TARGET static enum stop take_close(struct walk *walk, bool is_array, size_t at) {
    struct bm_mark_json *json = walk->json;
    if (!may_mark(walk) || place_of(walk) == BM_PLACE_ITEMS) return STOP_SHORT;
    if (!bm_mark_json_close(walk->json, is_array, walk->offset + at)) return STOP_SHORT;
    walk->state = (enum bm_mark_json_state)json->state;
    walk->special++;
    return STOP_NOT;
}

INLINE enum stop take_name(struct walk *walk, size_t at) {
    if (walk->text[at] != '"') {
        if (walk->text[at] != '}' || walk->state == BM_JSON_NAME) return STOP_SHORT;
        return take_close(walk, false, at);
    }
    walk->special++;
    walk->name = walk->text + at + 1;
    walk->json->in_name = true;
    walk->json->n_name = 0;
    walk->state = BM_JSON_STRING;
    return STOP_NOT;
}

INLINE enum stop take_colon(struct walk *walk, size_t at) {
    if (walk->text[at] != ':') return STOP_SHORT;
    walk->special++;
    walk->state = BM_JSON_VALUE;
    return STOP_NOT;
}

/* Returns the listed place of the quote that ends a string, searching from the first place after its opening
 * quote. NULL: the string is the judge's; the window's end: the string continues there. */
static const uint16_t *find_quote(const uint8_t *text, const uint16_t *special, size_t size) {
    for (; *special < size && text[*special] != '"'; special++) {
        const uint8_t *p = text + *special;
        if (*p == '\\' ? measure_escape(p) == 0 : *p < 0x80) return NULL;
        if (*p < 0x80) continue;
        size_t end = bm_run_end(text, *special, size);
        if (end < size && text[end] >= 0x80) return NULL;
    }
    return special;
}

/* Processes a value that describes the current query. Returns false, and does nothing, if the judge must cut
 * it. */
OUTLINE bool take_part(struct bm_mark_json *json, enum bm_mark_digest_part part, const uint8_t *value,
                       size_t n_value, uint64_t offset, bool is_string) {
    struct bm_mark_digest *digest = &json->mark.digest;
    if (json->mark.tells_queries && is_string && (part == BM_DIGEST_ID || part == BM_DIGEST_MESSAGE)) {
        enum bm_mark_kind kind = part == BM_DIGEST_ID ? BM_MARK_QUERY_ID : BM_MARK_MESSAGE;
        if (n_value > BM_MARK_MAX_CONTENT || json->mark.list->n_entries + BM_MARK_ROOM > BM_MARK_LIST)
            return false;
        bm_mark_add(&json->mark, kind, offset)->end = offset + n_value;
    }
    if (digest->is_wanted) bm_mark_digest_take(&digest->query, part, value, n_value);
    if (part == BM_DIGEST_LENGTH) digest->is_wanted = false; /* BLAST writes it last */
    return true;
}

/* Processes the string that begins at special[0], the value of the member `name`, if it describes the current
 * query. Returns the listed place of its closing quote; special: it describes nothing; the window's end: it
 * continues there; NULL: it is the judge's. What this needs of the walk is passed by value, so that the walk
 * stays in registers. */
OUTLINE const uint16_t *take_query(struct bm_mark_json *json, const uint8_t *name, size_t n_name,
                                   const uint8_t *text, const uint16_t *special, size_t size,
                                   uint64_t offset) {
    size_t begin = special[0] + 1u;
    enum bm_mark_digest_part part = bm_mark_json_find_part(name, n_name);
    if (part == BM_DIGEST_NOTHING) return special;
    const uint16_t *quote = find_quote(text, special + 1, size);
    if (quote == NULL || *quote >= size) return quote;
    return take_part(json, part, text + begin, *quote - begin, offset + begin, true) ? quote : NULL;
}

/* Returns whether members here may describe the current query in a way that matters. */
INLINE bool has_parts(const struct walk *walk) {
    if (bm_likely(place_of(walk) != BM_PLACE_SEARCH)) return false;
    return walk->json->mark.tells_queries || walk->json->mark.digest.is_wanted;
}

/* A string's opening quote. */
INLINE enum stop take_quote(struct walk *walk, size_t at) {
    if (has_parts(walk) && walk->state == BM_JSON_VALUE) {
        const uint16_t *quote = take_query(walk->json, walk->name, walk->n_name, walk->text, walk->special,
                                           walk->size, walk->offset);
        if (quote == NULL) return STOP_SHORT;
        if (*quote >= walk->size) return at > 0 ? STOP_END : STOP_SHORT;
        if (quote > walk->special) {
            walk->special = quote + 1;
            walk->state = BM_JSON_NEXT;
            return STOP_NOT;
        }
    }
    walk->json->in_name = false;
    walk->state = BM_JSON_STRING;
    walk->special++;
    return STOP_NOT;
}

INLINE enum stop take_value(struct walk *walk, size_t at) {
    uint8_t first = walk->text[at];
    if (first == '{' || first == '[') return take_open(walk, first == '[', at);
    if (first == ']' && walk->state == BM_JSON_FIRST_VALUE) return take_close(walk, true, at);
    if (place_of(walk) == BM_PLACE_ITEMS) return STOP_SHORT;
    if (first == '"') return take_quote(walk, at);
    size_t end = first < 'a' ? skip_number(walk->text, at) : take_word(walk->text, at);
    if (end == 0) return STOP_SHORT;
    if (has_parts(walk) && walk->state == BM_JSON_VALUE)
        (void)take_part(walk->json, bm_mark_json_find_part(walk->name, walk->n_name), walk->text + at,
                        end - at, walk->offset + at, false);
    walk->position = end;
    walk->state = BM_JSON_NEXT;
    walk->special++;
    return STOP_NOT;
}

INLINE enum stop take_next(struct walk *walk, size_t at) {
    uint8_t byte = walk->text[at];
    if (byte == '}' || byte == ']') return take_close(walk, byte == ']', at);
    if (byte != ',') return STOP_SHORT;
    walk->state = bm_mark_json_is_array(place_of(walk)) ? BM_JSON_VALUE : BM_JSON_NAME;
    walk->special++;
    return STOP_NOT;
}

/* Returns the number of tokens of a member without anything odd, with its comma, if it is a number or a
 * string; else 0. */
INLINE size_t measure_member(const uint8_t *text, const uint16_t *special) {
    if (text[special[0]] != '"' || text[special[1]] != '"' || text[special[2]] != ':') return 0;
    size_t at = special[3];
    if (text[at] == '"') return text[special[4]] == '"' && text[special[5]] == ',' ? 6 : 0;
    return text[special[4]] == ',' && text[at] < 'a' && skip_number(text, at) > 0 ? 5 : 0;
}

enum { AHEAD = 5 }; /* places that measure_member() reads; the list has more sentinels than that */

/* Scans all such members of a search that are here. Returns the place after them. */
OUTLINE const uint16_t *take_members_of_search(struct bm_mark_json *json, const uint8_t *text,
                                               const uint16_t *special, size_t size, uint64_t offset) {
    while (special[AHEAD] < size) {
        size_t n = measure_member(text, special);
        size_t n_name = special[1] - special[0] - 1u;
        if (n == 0) break;
        enum bm_mark_digest_part part = bm_mark_json_find_part(text + special[0] + 1, n_name);
        if (part != BM_DIGEST_NOTHING) {
            bool is_string = text[special[3]] == '"';
            size_t begin = special[3] + (size_t)is_string;
            size_t end = is_string ? special[4] : skip_number(text, begin);
            if (!take_part(json, part, text + begin, end - begin, offset + begin, is_string)) break;
        }
        special += n;
    }
    return special;
}

/* Scans all such members that are here. Returns true if there was one. */
INLINE bool take_members(struct walk *walk) {
    const uint8_t *text = walk->text;
    const uint16_t *special = walk->special;
    size_t size = walk->size;
    bool is_search = has_parts(walk);
    if (is_search) special = take_members_of_search(walk->json, text, special, size, walk->offset);
    while (!is_search && special[AHEAD] < size) {
        size_t n = measure_member(text, special);
        if (n == 0) break;
        special += n;
    }
    if (special == walk->special) return false;
    walk->special = special;
    walk->state = BM_JSON_NAME;
    return true;
}

INLINE enum stop take_token(struct walk *walk) {
    size_t at = *walk->special;
    if (walk->state == BM_JSON_STRING) return take_string(walk);
    if (at >= walk->size) return STOP_END;
    switch (walk->state) {
    case BM_JSON_NAME:
    case BM_JSON_FIRST_NAME:
        return take_members(walk) ? STOP_NOT : take_name(walk, at);
    case BM_JSON_COLON:
        return take_colon(walk, at);
    case BM_JSON_NEXT:
        return take_next(walk, at);
    default:
        return take_value(walk, at);
    }
}

/* --- windows --------------------------------------------------------------------------------- */

/* In the middle of a run, of which only the beginning is in the list, skips the rest of it. Returns false if
 * it is odd. */
static bool finish_run(struct walk *walk) {
    if (walk->text[walk->position] < 0x80 || *walk->special == walk->position) return true;
    walk->position = bm_run_end(walk->text, walk->position, walk->size);
    return walk->position >= walk->size || walk->text[walk->position] < 0x80;
}

WALK_TARGET static enum stop walk_window(struct walk *walk) {
    struct walk here = *walk; /* in registers */
    enum stop stop = STOP_NOT;
    while (*here.special < here.position && *here.special < here.size) here.special++;
    if (!finish_run(&here)) {
        walk->position = here.position;
        return STOP_SHORT;
    }
    while (stop == STOP_NOT) stop = take_token(&here);
    size_t reached = *here.special < here.size ? *here.special : here.size;
    if (here.position < reached) here.position = reached;
    *walk = here;
    return stop;
}

/* Makes a window at the chunk's position `used`, if there is enough text for one. */
WALK_TARGET static bool open_window(struct bm_mark_json *json, const uint8_t *text, size_t n_text,
                                    size_t used) {
    size_t n_left = n_text - used;
    if (n_left < SLACK + BLOCK) return false;
    size_t size = (n_left - SLACK) & ~(size_t)(BLOCK - 1);
    json->window.begin = used;
    json->window.size = size < BM_MARK_WINDOW ? size : BM_MARK_WINDOW;
    list_specials(json, text + used);
    return true;
}

/* Leaves the judge's state as the judge would. */
static void leave_window(struct bm_mark_json *json, struct walk *walk) {
    if (walk->state == BM_JSON_STRING && json->in_name) {
        keep_name(walk, walk->position);
    } else if (walk->name != (const uint8_t *)json->name &&
               (walk->state == BM_JSON_COLON || walk->state == BM_JSON_VALUE)) {
        keep_name(walk, (size_t)(walk->name - walk->text) + walk->n_name);
    }
    json->state = (uint8_t)walk->state;
    json->window.n_passed = (uint16_t)(walk->special - json->window.specials);
    json->mark.position = walk->offset + walk->position;
}

/* Scans what it can from the chunk's position `used` on, and returns the position that it reached. */
WALK_TARGET static size_t walk_text(struct bm_mark_json *json, const uint8_t *text, size_t n_text,
                                    size_t used) {
    for (;;) {
        if (used >= json->window.begin + json->window.size && !open_window(json, text, n_text, used)) {
            json->window.walk_from = n_text;
            return used;
        }
        struct walk walk = {
            .json = json,
            .text = text + json->window.begin,
            .special = json->window.specials + json->window.n_passed,
            .size = json->window.size,
            .position = used - json->window.begin,
            .offset = json->mark.position - (used - json->window.begin),
            .state = (enum bm_mark_json_state)json->state,
            .name = (const uint8_t *)json->name,
            .n_name = json->n_name,
        };
        if (walk.state == BM_JSON_STRING) walk.name = walk.text + walk.position;
        enum stop stop = walk_window(&walk);
        leave_window(json, &walk);
        used = json->window.begin + walk.position;
        if (stop == STOP_SHORT) {
            json->window.walk_from = used + 1;
            return used;
        }
        json->window.size = 0;
    }
}
