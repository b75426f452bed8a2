/* SPDX-License-Identifier: MIT */
/*
 * mark/json/json.h - declarations that the files of the JSON scanner share. The essay is in json.c.
 *
 *   json.c    the scanner: step, finish, safe
 *   judge.c   bytes -> well-formedness: tokens, strings, numbers
 *   place.c   objects and arrays -> marks: what a value means where it stands
 *   walk*     the fast path, which scans plain text in place of the judge
 */
#ifndef BM_MARK_JSON_H
#define BM_MARK_JSON_H

#include "base/utf8.h"
#include "mark/scan/scan.h"
#include "mark/scan/window.h"

#include <string.h>

enum {
    BM_JSON_MAX_DEPTH = 64, /* objects and arrays open at once */
    BM_JSON_MAX_NAME = 256  /* bytes of a member's name that are kept; no known name is longer */
};

/* The judge's place in the syntax. */
enum bm_mark_json_state {
    BM_JSON_OUTSIDE, /* before a document or after one */
    BM_JSON_BOM_2,
    BM_JSON_BOM_3,
    BM_JSON_ROOT, /* after a byte order mark */
    BM_JSON_FIRST_NAME,
    BM_JSON_NAME,
    BM_JSON_COLON,
    BM_JSON_FIRST_VALUE, /* or the end of an array without any */
    BM_JSON_VALUE,
    BM_JSON_NEXT, /* after a value */
    BM_JSON_STRING,
    BM_JSON_ESCAPE,
    BM_JSON_HEX,
    BM_JSON_LOW_ESCAPE, /* after a high surrogate: its low one's '\' ... */
    BM_JSON_LOW_U,      /* ... and 'u' */
    BM_JSON_WORD,       /* true, false, null */
    BM_JSON_MINUS,
    BM_JSON_ZERO, /* an integer part that is 0 */
    BM_JSON_INTEGER,
    BM_JSON_POINT,
    BM_JSON_FRACTION,
    BM_JSON_E,
    BM_JSON_SIGN,
    BM_JSON_EXPONENT,
    BM_JSON_N_STATES
};

/* The meaning of an open object or array to a merge, by the names on the path to it. */
enum bm_mark_json_place {
    BM_PLACE_OBJECT, /* one that means nothing */
    BM_PLACE_ROOT,
    BM_PLACE_ITEM, /* of BlastOutput2: a merge's Iteration */
    BM_PLACE_REPORT,
    BM_PLACE_TARGET,
    BM_PLACE_PARAMETERS,
    BM_PLACE_RESULTS,
    BM_PLACE_ROUND, /* of PSI-BLAST */
    BM_PLACE_SEARCH,
    BM_PLACE_HIT,
    BM_PLACE_HSP,
    BM_PLACE_ARRAY, /* arrays from here on; this one means nothing */
    BM_PLACE_ITEMS, /* BlastOutput2 itself */
    BM_PLACE_ROUNDS,
    BM_PLACE_SEARCHES, /* against subjects, one for each */
    BM_PLACE_HITS,
    BM_PLACE_HSPS,
    BM_N_PLACES
};

struct bm_mark_json {
    struct bm_mark mark;
    struct bm_utf8 utf8;            /* an incomplete character */
    struct bm_mark_content content; /* a query's id or message that has no mark yet */

    uint8_t state; /* enum bm_mark_json_state */
    uint8_t depth;
    uint8_t places[BM_JSON_MAX_DEPTH]; /* enum bm_mark_json_place of what is open; [0] is the root */

    bool in_name; /* the current string is a member's name */
    bool is_low;  /* the current escape is to be a low surrogate */
    uint8_t n_hex;
    uint32_t code_unit;
    uint64_t escape_at;
    const char *word; /* the current one, ... */
    uint8_t n_word;   /* ... how much of it was there, ... */
    uint64_t word_at; /* ... and where it began */
    uint64_t bom_at;

    bool document_is_open;
    bool items_seen;
    bool report_seen; /* in the current item */
    bool results_seen;
    bool header_is_told;
    bool header_is_open; /* the first report's fields are told */
    bool field_is_open;

    size_t n_name; /* BM_JSON_MAX_NAME + 1: it is longer */
    char name[BM_JSON_MAX_NAME];

    struct bm_mark_window window;
};

/* Returns whether the walk can continue in this state: between tokens, or in a string. */
static inline bool bm_mark_json_is_walkable(enum bm_mark_json_state state) {
    return state >= BM_JSON_FIRST_NAME && state <= BM_JSON_STRING;
}

static inline bool bm_mark_json_is_array(enum bm_mark_json_place place) {
    return place >= BM_PLACE_ARRAY;
}

/* --- judge.c */

/* Scans the next byte, or several plain ones, and returns their number; 0 if it failed. */
size_t bm_mark_json_take(struct bm_mark *mark, const uint8_t *text, size_t n_text);

/* Fails at the end of the text; the message says in what the document is cut short. Returns false. */
bool bm_mark_json_fail_end(struct bm_mark_json *json);

/* For each byte, whether it ends a number or a word: white space, and punctuation between tokens. */
extern const bool bm_mark_json_ends_word[256];

/* --- place.c. These return false if they failed. */

void bm_mark_json_name_begin(struct bm_mark_json *json);
void bm_mark_json_name_add(struct bm_mark_json *json, const uint8_t *bytes, size_t n_bytes);

/* Called when the next document's '{', or a byte order mark before it, is at this offset. */
void bm_mark_json_end_document(struct bm_mark_json *json, uint64_t at);

bool bm_mark_json_open(struct bm_mark_json *json, const uint8_t *name, size_t n_name, bool is_array,
                       uint64_t at);
bool bm_mark_json_close(struct bm_mark_json *json, bool is_array, uint64_t at);

/* Called when a string, number or word begins, with its first byte at the offset, or has ended before the
 * offset. */
bool bm_mark_json_begin_scalar(struct bm_mark_json *json, uint8_t first, uint64_t at);
void bm_mark_json_end_scalar(struct bm_mark_json *json, uint64_t after);

/* Returns what the value of this name describes of a search's query. */
static inline enum bm_mark_digest_part bm_mark_json_find_part(const uint8_t *name, size_t n_name) {
    switch (n_name) {
    case sizeof "message" - 1:
        return memcmp(name, "message", n_name) == 0 ? BM_DIGEST_MESSAGE : BM_DIGEST_NOTHING;
    case sizeof "query_id" - 1:
        return memcmp(name, "query_id", n_name) == 0 ? BM_DIGEST_ID : BM_DIGEST_NOTHING;
    case sizeof "query_len" - 1:
        return memcmp(name, "query_len", n_name) == 0 ? BM_DIGEST_LENGTH : BM_DIGEST_NOTHING;
    case sizeof "query_title" - 1:
        return memcmp(name, "query_title", n_name) == 0 ? BM_DIGEST_TITLE : BM_DIGEST_NOTHING;
    default:
        return BM_DIGEST_NOTHING;
    }
}

/* Cuts a string that a mark will report: only the text before the offset is in the mark. */
void bm_mark_json_cut_content(struct bm_mark_json *json, uint64_t end);

/* --- json.c */

extern const struct bm_mark_scanner bm_mark_json;

/* --- walk_*.c */

bm_mark_walk bm_mark_json_walk_avx2;
bm_mark_walk bm_mark_json_walk_sse2;
bm_mark_walk bm_mark_json_walk_neon;
bm_mark_walk bm_mark_json_walk_portable;

#endif
