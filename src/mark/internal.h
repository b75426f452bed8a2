/* SPDX-License-Identifier: MIT */
/*
 * mark/internal.h - what the files of the room share.
 *
 *   mark.c         the room's door: open, step, finish, safe
 *   format.c       which format a text is of, and which scanner takes it
 *   look.c         what cannot be merged: what it looks like, for messages
 *   columns.c      rows of column names
 *   digest.c       which queries a document holds
 *   table.c        the scanner of -outfmt 6, 7 and 10; comments.c: the comment lines of 7
 *   xml.c          the scanner of -outfmt 5 and 16; the essay is there. Its files:
 *   bytes.c        bytes -> characters: UTF-8, other encodings, bytes that are not UTF-8
 *   judge.c        characters -> well-formedness: text, tags, references, comments
 *   prolog.c       what stands outside of the root: documents' borders, XML declaration, DOCTYPE
 *   declaration.c  the XML declaration's own syntax
 *   place.c        elements -> marks: what a tag means where it stands
 *   scope.c        namespaces and the like that hold for what is copied
 *   names.c        characters of names; names in messages
 *   walk*          the fast path, which goes over what the judge would take
 *   json*          the scanner of -outfmt 15; the essay is in json.c
 *   run.h          what the walks of all formats share
 *   encoding.c     names and tables of encodings
 *   resume.c       leaving a text and going on elsewhere in it
 */
#ifndef BM_MARK_INTERNAL_H
#define BM_MARK_INTERNAL_H

#include "mark/digest.h"
#include "mark/json.h"
#include "mark/mark.h"
#include "mark/table.h"

#define BM_MARK_NOWHERE UINT64_MAX /* an offset that is none */

/* Stands for a byte that is not UTF-8 and is let through: no character, no blank, no part of a name. */
#define BM_MARK_BAD_BYTE 0x110000u

enum {
    BM_MARK_MAX_ATTRIBUTE_BYTES = 4096, /* names of one tag's attributes together */
    BM_MARK_ROOM = 16,                  /* entries that one byte can need at most, amply */
    BM_MARK_MAX_REFERENCE = 40,         /* bytes of an entity's name that a message shows */
    BM_MARK_MAX_SAMPLE = 512,           /* bytes of something that is not XML that are looked at */
    BM_MARK_WINDOW = 4096,              /* bytes, of which the walk lists the special ones */
    BM_MARK_SENTINELS = 8,
    BM_MARK_SHOWN_NAME = 68 /* bytes that a name takes in a message at most, with its NUL */
};

/* Where the judge is. TEXT is between markup, inside and outside of the root. */
enum bm_mark_state {
    BM_STATE_START, /* before a text's first byte */
    BM_STATE_BOM_2,
    BM_STATE_BOM_3,
    BM_STATE_SAMPLE, /* of what is not XML, for the message */
    BM_STATE_TEXT,
    BM_STATE_LESS,
    BM_STATE_START_NAME,
    BM_STATE_TAG_NEXT,  /* after an attribute's value */
    BM_STATE_TAG_SPACE, /* after white space in a start tag */
    BM_STATE_TAG_EMPTY, /* after the '/' of an empty-element tag */
    BM_STATE_ATTRIBUTE_NAME,
    BM_STATE_ATTRIBUTE_EQUALS,
    BM_STATE_ATTRIBUTE_QUOTE,
    BM_STATE_ATTRIBUTE_VALUE,
    BM_STATE_END_FIRST,
    BM_STATE_END_NAME,
    BM_STATE_END_SPACE,
    BM_STATE_REFERENCE,
    BM_STATE_REFERENCE_NAME,
    BM_STATE_REFERENCE_NUMBER,
    BM_STATE_REFERENCE_DECIMAL,
    BM_STATE_REFERENCE_HEX,
    BM_STATE_REFERENCE_HEX_FIRST,
    BM_STATE_BANG,
    BM_STATE_COMMENT_OPEN,
    BM_STATE_COMMENT,
    BM_STATE_COMMENT_DASH,
    BM_STATE_COMMENT_CLOSE,
    BM_STATE_CDATA_OPEN,
    BM_STATE_CDATA,
    BM_STATE_CDATA_BRACKET,
    BM_STATE_CDATA_CLOSE,
    BM_STATE_PI_FIRST,
    BM_STATE_PI_TARGET,
    BM_STATE_PI_TARGET_END, /* after a '?' right behind the target */
    BM_STATE_PI,
    BM_STATE_PI_CLOSE,
    BM_STATE_DECLARATION,
    BM_STATE_DOCTYPE_OPEN,
    BM_STATE_DOCTYPE_SPACE,
    BM_STATE_DOCTYPE_BEFORE_NAME,
    BM_STATE_DOCTYPE_NAME,
    BM_STATE_DOCTYPE_AFTER_NAME,
    BM_STATE_DOCTYPE_KEYWORD,
    BM_STATE_DOCTYPE_KEYWORD_SPACE,
    BM_STATE_DOCTYPE_BEFORE_ID,
    BM_STATE_DOCTYPE_PUBLIC,
    BM_STATE_DOCTYPE_PUBLIC_SPACE,
    BM_STATE_DOCTYPE_SYSTEM,
    BM_STATE_DOCTYPE_END,
    BM_STATE_FAILED,
    BM_N_STATES
};

enum bm_mark_phase { BM_PHASE_PROLOG, BM_PHASE_ROOT, BM_PHASE_EPILOG };

enum bm_mark_encoding {
    BM_ENCODING_UTF8,
    BM_ENCODING_ASCII,
    BM_ENCODING_LATIN1,
    BM_ENCODING_LATIN9,
    BM_ENCODING_CP1252,
    BM_ENCODING_OTHER
};

/* What an element is to a merge, by its name and place. */
enum bm_mark_element {
    BM_ELEMENT_OTHER,
    BM_ELEMENT_ROOT,
    BM_ELEMENT_DATABASE,
    BM_ELEMENT_PARAMETERS,
    BM_ELEMENT_MEGABLAST,
    BM_ELEMENT_ITERATIONS,
    BM_ELEMENT_RESULTS, /* XML2: they end the header */
    BM_ELEMENT_ITERATION,
    BM_ELEMENT_NUMBER,
    BM_ELEMENT_NUMBER_EXTRA,
    BM_ELEMENT_QUERY_ID,
    BM_ELEMENT_QUERY_TITLE,
    BM_ELEMENT_QUERY_LENGTH,
    BM_ELEMENT_MESSAGE,
    BM_ELEMENT_HIT,
    BM_ELEMENT_HSP
};

/* Depths of the elements that are known by place. XML2's root, BlastXML2, is what BlastOutput_iterations is,
 * and counts as that deep: as if there were another element around it. */
enum { BM_DEPTH_HEADER = 2, BM_DEPTH_ITERATION = 3, BM_DEPTH_NUMBER = 4 };

struct bm_mark_name {
    uint16_t n_bytes;
    char bytes[BM_MARK_MAX_NAME];
};

/* Takes text from the position `used` on, without the judge, and returns how far it came. */
typedef size_t bm_mark_walk(struct bm_mark *mark, const uint8_t *text, size_t n_text, size_t used);

/* What a kind of format is to the door. */
struct bm_mark_scanner {
    /* Takes text as long as bm_mark_can_step(), and returns how many bytes; mark->position goes along. */
    size_t (*step)(struct bm_mark *mark, const uint8_t *text, size_t n_text);
    /* The text is at its end, which is not its beginning. False where it failed. */
    bool (*finish)(struct bm_mark *mark);
    uint64_t (*safe)(const struct bm_mark *mark);
};

/* First what all scanners share, then XML's own, and JSON's. */
struct bm_mark {
    enum blastmerge_invalid_utf8 invalid_utf8;
    enum blastmerge_forbidden_characters forbidden;
    struct bm_mark_kin kin;          /* what the children must be like */
    enum blastmerge_format supposed; /* of rows that are not known by themselves; AUTO: there are none */
    bool is_narrow;                  /* such rows may have one field */
    enum blastmerge_header header;   /* what becomes of rows of column names */
    bool tells_queries;
    const struct bm_mark_scanner *scanner; /* NULL: it is not known yet which */

    /* The text's beginning, held until it shows what it is, and then given to the scanner. */
    uint16_t n_sample;
    uint16_t n_replayed;
    char sample[BM_TABLE_SAMPLE];

    bool is_finished; /* the text is at its end, and all marks were told */

    /* Of the step under way. */
    struct bm_mark_list *list;
    bool field_is_ready; /* the step ends: a BM_MARK_FIELD was added */

    uint64_t position; /* bytes taken */
    struct bm_mark_counts counts;
    struct bm_mark_field field;
    struct bm_mark_digest digest;    /* of the document's queries */
    struct blastmerge_error failure; /* in BM_STATE_FAILED: what every later step returns */

    /* Bytes of a character that is not complete. */
    uint8_t pending[4];
    uint8_t n_pending;
    uint8_t n_missing;
    uint8_t continuation_low; /* the next byte's range */
    uint8_t continuation_high;
    uint32_t code_point;

    /* The judge. */
    uint8_t state; /* enum bm_mark_state */
    uint8_t phase; /* enum bm_mark_phase */
    uint8_t encoding;
    uint8_t reference_return; /* the state after a reference */
    uint8_t quote;
    uint8_t n_brackets;    /* ']' right before, at most 2 counted */
    uint8_t n_keyword;     /* characters of a keyword that matched */
    uint32_t reference;    /* a character reference's value */
    uint64_t less;         /* offset of the last '<' that began markup */
    uint64_t reference_at; /* offset of the '&' */
    uint64_t attribute_at;
    uint16_t n_name;
    uint16_t n_attributes;
    uint16_t n_attribute_bytes;
    uint16_t depth;
    char name[BM_MARK_MAX_NAME];                          /* of the tag, attribute or target at hand */
    char attribute_bytes[BM_MARK_MAX_ATTRIBUTE_BYTES];    /* names, one behind the other */
    uint16_t attribute_ends[BM_MARK_MAX_ATTRIBUTES];      /* where each ends */
    uint32_t attribute_hashes[BM_MARK_MAX_ATTRIBUTES];    /* so that few are compared */
    struct bm_mark_name open_elements[BM_MARK_MAX_DEPTH]; /* [0] is the root */

    /* Outside of the root. */
    bool has_bom;
    bool has_doctype;
    bool is_public;           /* the DOCTYPE's keyword was PUBLIC */
    bool declaration_is_open; /* it is not known yet whether there is an XML declaration */
    uint64_t declaration_at;  /* where it stands, if there is one */
    uint16_t n_declaration;   /* bytes of `declaration` */
    char declaration[BM_MARK_MAX_DECLARATION];

    /* Places. */
    uint8_t element;      /* enum bm_mark_element, of the start tag at hand */
    bool tag_is_open;     /* a mark with the offset `less` may still come */
    bool is_watching;     /* content bytes matter: a field or a number is open */
    bool iterations_seen; /* the document's BlastOutput_iterations began */
    bool database_seen;
    bool in_iterations;
    bool in_iteration;
    bool in_database;
    bool in_parameters;
    bool in_megablast;
    bool header_is_open; /* XML2: the first report's results have not begun */
    bool in_number;      /* the first element of the Iteration */
    bool in_extra;
    bool number_is_held; /* the number's mark has not been added yet */
    bool number_is_digits;
    bool first_seen;        /* the Iteration's first element began */
    bool names_are_due;     /* behind its number its query's names must come, or they are missing */
    bool extra_is_ending;   /* white space after a NUMBER_EXTRA */
    bool body_is_open;      /* BM_MARK_BODY has not been added yet */
    bool newline_seen;      /* since the last Iteration, or the body's beginning */
    bool newline_before;    /* the same at `less` */
    bool blank_on_new_line; /* `blank` follows a newline */
    bool field_is_open;     /* `field` collects a value ... */
    uint64_t field_to;      /* ... up to here */
    bool scope_is_open;     /* `field` collects an attribute's value */
    bool content_is_held;   /* a query's id or message has begun, and its mark has not been added yet */
    uint8_t content_kind;   /* enum bm_mark_kind */
    uint64_t blank;         /* where the run of blanks before the position begins, or BM_MARK_NOWHERE */
    uint64_t body;
    uint64_t number; /* where its content begins */
    uint64_t number_value;
    uint64_t n_number; /* bytes of content so far */
    uint64_t megablast;
    uint64_t content;
    uint64_t part; /* where the content of the digest's part begins */

    struct bm_table table; /* the tables' own */

    /* The walk, walk.h. Positions count from the begin of the step's text. */
    bm_mark_walk *walk;      /* NULL: the judge takes all bytes */
    bm_mark_walk *json_walk; /* the same for JSON */
    size_t walk_from;        /* it is not tried before this position */
    size_t window;           /* where the window begins */
    size_t window_size;
    uint16_t n_passed; /* of `specials` */
    uint16_t specials[BM_MARK_WINDOW + 8 + BM_MARK_SENTINELS];

    struct bm_mark_json json;
};

/* --- names.c */

enum {
    BM_CLASS_NAME_START = 1,
    BM_CLASS_NAME = 2,
    BM_CLASS_SPACE = 4,
    BM_CLASS_PLAIN = 8, /* begins or ends nothing: neither markup nor a quote, nor what ends in '>' */
    BM_CLASS_QUERY = 16 /* begins a name of what tells of a query */
};
extern const uint8_t bm_mark_class[128];
bool bm_mark_is_name_start_beyond_ascii(uint32_t c);
bool bm_mark_is_name_beyond_ascii(uint32_t c);

static inline bool bm_mark_is_name_start(uint32_t c) {
    return c < 128 ? (bm_mark_class[c] & BM_CLASS_NAME_START) != 0 : bm_mark_is_name_start_beyond_ascii(c);
}

static inline bool bm_mark_is_name(uint32_t c) {
    return c < 128 ? (bm_mark_class[c] & BM_CLASS_NAME) != 0 : bm_mark_is_name_beyond_ascii(c);
}

static inline bool bm_mark_is_space(uint32_t c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Copies a name, which has name characters only, for a message; it is cut if need be. Returns shown. */
const char *bm_mark_show(const char *name, size_t n_name, char shown[BM_MARK_SHOWN_NAME]);

/* Is the current name this one? */
bool bm_mark_name_is(const struct bm_mark *mark, const char *name);

/* --- encoding.c */

enum bm_mark_encoding bm_mark_find_encoding(const char *name, size_t n_name);

/* The character that a byte >= 0x80 stands for; 0: none. */
uint32_t bm_mark_decode(enum bm_mark_encoding encoding, uint8_t byte);
const char *bm_mark_encoding_name(enum bm_mark_encoding encoding);

/* --- bytes.c */

/* Whether what is no character can stand here: in text, attributes' values, comments, CDATA, instructions. */
bool bm_mark_may_hold_bad(const struct bm_mark *mark);

/* Takes the next byte, or several that are plain, and returns how many; 0 where it failed. */
size_t bm_mark_take(struct bm_mark *mark, const uint8_t *text, size_t n_text);

/* --- judge.c. These and all below return false where they failed, with mark->failure filled. */

bool bm_mark_take_character(struct bm_mark *mark, uint32_t c, uint64_t at);
bool bm_mark_name_begin(struct bm_mark *mark, uint32_t c, uint64_t at);
bool bm_mark_name_add(struct bm_mark *mark, uint32_t c, uint64_t at);

/* What the document would be cut short in, for a message. */
bool bm_mark_fail_end(struct bm_mark *mark);

/* --- prolog.c */

bool bm_mark_in_start(struct bm_mark *mark, uint8_t byte); /* START, BOM_2, BOM_3, SAMPLE: bytes */
bool bm_mark_fail_sample(struct bm_mark *mark);
bool bm_mark_outside_text(struct bm_mark *mark, uint32_t c, uint64_t at);
void bm_mark_begin_document(struct bm_mark *mark, uint64_t at);
void bm_mark_no_declaration(struct bm_mark *mark); /* if that is not known yet */
void bm_mark_end_document(struct bm_mark *mark, uint64_t at);
bool bm_mark_in_declaration(struct bm_mark *mark, uint32_t c, uint64_t at);
bool bm_mark_in_doctype(struct bm_mark *mark, uint32_t c, uint64_t at); /* all DOCTYPE states */

/* --- declaration.c */

bool bm_mark_read_declaration(struct bm_mark *mark);

/* --- place.c */

bool bm_mark_start_named(struct bm_mark *mark);                               /* the tag's name is complete */
bool bm_mark_start_done(struct bm_mark *mark, uint64_t after, bool is_empty); /* `after` its '>' */
void bm_mark_end_begun(struct bm_mark *mark);                                 /* at the '/' behind the '<' */
bool bm_mark_end_done(struct bm_mark *mark, uint64_t after);
void bm_mark_inner_markup(struct bm_mark *mark);                        /* a comment, CDATA or PI began */
void bm_mark_place_text(struct bm_mark *mark, uint32_t c, uint64_t at); /* a character of text in the root */
void bm_mark_follow_blanks(struct bm_mark *mark, uint32_t c, uint64_t at); /* the same, for blanks alone */
bool bm_mark_place_bytes(struct bm_mark *mark, uint8_t byte);              /* a byte, where is_watching */

/* The text from `at` to `end` becomes the character. */
bool bm_mark_add_character(struct bm_mark *mark, uint64_t at, uint64_t end, uint32_t value);

void bm_mark_begin_iteration(struct bm_mark *mark, uint64_t less);
void bm_mark_end_iteration(struct bm_mark *mark, uint64_t after);

/* --- scope.c: at an attribute's quotes, and each byte between them */

void bm_mark_scope_begin(struct bm_mark *mark);
void bm_mark_scope_add(struct bm_mark *mark, uint8_t byte);
void bm_mark_scope_end(struct bm_mark *mark, uint64_t after);

/* --- format.c */

/* Chooses the scanner by what the text begins with, unless the format is given. Returns how many bytes it
 * took into the sample, which the scanner takes first. */
size_t bm_mark_choose(struct bm_mark *mark, const uint8_t *text, size_t n_text);

/* The same where the text has ended. */
void bm_mark_choose_at_end(struct bm_mark *mark);

/* Whether the line of n bytes begins with BLAST's own columns: two names and ten numbers. In a csv not both
 * names are numbers, and there are no tabs. */
bool bm_mark_has_plain_columns(const char *line, size_t n_line, char separator);

/* Whether the text that is held begins with a byte order mark (UTF-8's), of BM_BOM bytes. */
enum { BM_BOM = 3 };
bool bm_mark_begins_with_bom(const struct bm_mark *mark);

/* The current document, found at `at`, is of this format: false if it should be of another. */
bool bm_mark_settle(struct bm_mark *mark, enum blastmerge_format format, uint64_t at);

/* --- look.c */

/* This cannot be merged; the message says what it looks like, or else has the hint, and shows how it begins.
 */
bool bm_mark_look_fail(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                       const char *hint);

/* Whether the text looks like something else than a table's rows. */
bool bm_mark_look_is_known(const char *sample, size_t n_sample);

/* The same so surely that it is none even if someone says so. */
bool bm_mark_look_is_foreign(const char *sample, size_t n_sample, char separator);

/* --- columns.c */

bool bm_mark_is_number(const char *field, size_t n_field);

/* --- table.c */

extern const struct bm_mark_scanner bm_mark_table;

void bm_mark_table_begin(struct bm_mark *mark, uint64_t at);
void bm_mark_table_header(struct bm_mark *mark, uint64_t at); /* unless it was told */
void bm_mark_table_field(struct bm_mark *mark, const char *name, const char *value, size_t n_value);
bool bm_mark_table_fail_zero(struct bm_mark *mark);
void bm_mark_table_end_line(struct bm_mark *mark); /* how it ends is kept; not of empty lines */

/* How many bytes are "Query_7", or begin so, where n_name were and another one follows; BM_TABLE_OTHER: not
 * so. */
uint8_t bm_mark_table_follow(uint8_t n_name, uint8_t byte);

/* --- comments.c: comment lines of -outfmt 7 */

/* Which kind of table a comment line begins, given from behind its '#' on, up to its end or so far. */
enum bm_table_form bm_mark_find_form(const char *comment, size_t n_comment);

void bm_mark_table_comment(struct bm_mark *mark, const uint8_t *text, size_t n_text); /* behind the '#' */
void bm_mark_table_version(struct bm_mark *mark);
bool bm_mark_table_fail_end(struct bm_mark *mark);

/* The text is at its end, in a document: which has none of its own, or else fails. */
bool bm_mark_table_end(struct bm_mark *mark);

/* The text ends in a comment line without a line feed, which is taken if it is whole by what it says. */
bool bm_mark_table_end_comment(struct bm_mark *mark);

/* --- xml.c */

extern const struct bm_mark_scanner bm_mark_xml;

/* --- walk_*.c */

bm_mark_walk bm_mark_walk_avx2;
bm_mark_walk bm_mark_walk_sse2;
bm_mark_walk bm_mark_walk_neon;
bm_mark_walk bm_mark_walk_portable;

/* --- json.c, json_walk_*.c */

extern const struct bm_mark_scanner bm_mark_json;

/* NULL if this build has it not. */
bm_mark_walk *bm_mark_json_find_walk(const char *way);

bm_mark_walk bm_mark_json_walk_avx2;
bm_mark_walk bm_mark_json_walk_sse2;
bm_mark_walk bm_mark_json_walk_neon;
bm_mark_walk bm_mark_json_walk_portable;

/* --- mark.c */

/* The ways there are, best first; the last one is "bytes", the judge alone. Sets the way a scanner takes;
 * false if this machine has it not. For tests; bm_mark_open() takes the best. */
extern const char *const bm_mark_ways[];
bool bm_mark_use(struct bm_mark *mark, const char *way) BM_CHECK_RESULT;

bool bm_mark_can_step(const struct bm_mark *mark);

/* A field: begun with its name, then its value's bytes, in pieces; ended, it is marked at `after`, and the
 * step ends. */
void bm_mark_field_begin(struct bm_mark *mark, const char *name, size_t n_name);
void bm_mark_field_add(struct bm_mark *mark, const char *value, size_t n_value);
void bm_mark_field_end(struct bm_mark *mark, uint64_t after);

/* A document begins, and ends: with its digest. */
void bm_mark_begin_digest(struct bm_mark *mark);
struct bm_mark_entry *bm_mark_add_document_end(struct bm_mark *mark, uint64_t offset);

struct bm_mark_entry *bm_mark_add(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t offset);
bool bm_mark_fail(struct bm_mark *mark, uint64_t at, const char *format, ...) BM_FORMAT(3, 4);

#endif
