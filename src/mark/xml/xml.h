/* SPDX-License-Identifier: MIT */
/*
 * mark/xml/xml.h - declarations that the files of XML's scanner share. The essay is in xml.c.
 *
 *   xml.c          the scanner: step, finish, safe
 *   bytes.c        bytes -> characters: UTF-8, other encodings, bytes that are not UTF-8
 *   judge.c        characters -> well-formedness: text, tags, references, comments
 *   prolog.c       the text outside the root: documents' borders, XML declaration, DOCTYPE
 *   declaration.c  the XML declaration's own syntax
 *   place.c        elements -> marks: the meaning of a tag at its place
 *   content.c      the text between tags that a merge needs
 *   scope.c        namespaces and the like that apply to what is copied
 *   name_characters.c  characters of names; names in messages
 *   encoding.c     names and tables of encodings
 *   walk*          the fast path, which scans plain text in place of the judge
 */
#ifndef BM_MARK_XML_H
#define BM_MARK_XML_H

#include "base/utf8.h"
#include "mark/scan/scan.h"
#include "mark/scan/window.h"

/* Stands for a byte that is not UTF-8 and is accepted: no character, no blank, no part of a name. */
#define BM_MARK_BAD_BYTE 0x110000u

enum {
    BM_MARK_MAX_ATTRIBUTE_BYTES = 4096, /* names of one tag's attributes together */
    BM_MARK_MAX_REFERENCE = 40,         /* bytes of an entity's name that a message shows */
    BM_MARK_MAX_SAMPLE = 512,           /* bytes of a text that is not XML that are examined */
    BM_MARK_SHOWN_NAME = 68             /* most bytes that a name takes in a message, with its NUL */
};

/* The judge's place in the syntax. TEXT is between markup, inside and outside the root. */
enum bm_mark_xml_state {
    BM_STATE_START, /* before a text's first byte */
    BM_STATE_BOM_2,
    BM_STATE_BOM_3,
    BM_STATE_SAMPLE, /* of a text that is not XML, for the message */
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
    BM_STATE_PI_TARGET_END, /* after a '?' directly after the target */
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
    BM_N_STATES
};

enum bm_mark_xml_phase { BM_PHASE_PROLOG, BM_PHASE_ROOT, BM_PHASE_EPILOG };

enum bm_mark_xml_encoding {
    BM_ENCODING_UTF8,
    BM_ENCODING_ASCII,
    BM_ENCODING_LATIN1,
    BM_ENCODING_LATIN9,
    BM_ENCODING_CP1252,
    BM_ENCODING_OTHER
};

/* The meaning of an element to a merge, by its name and place. */
enum bm_mark_xml_element {
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

/* Depths of the elements that are recognised by place. XML2's root, BlastXML2, corresponds to
 * BlastOutput_iterations. So it counts as that deep, as if there were another element around it. */
enum { BM_DEPTH_HEADER = 2, BM_DEPTH_ITERATION = 3, BM_DEPTH_NUMBER = 4 };

struct bm_mark_xml_name {
    uint16_t n_bytes;
    char bytes[BM_MARK_MAX_NAME];
};

struct bm_mark_xml {
    struct bm_mark mark;
    struct bm_utf8 utf8; /* an incomplete character */

    /* The judge. */
    uint8_t state; /* enum bm_mark_xml_state */
    uint8_t phase; /* enum bm_mark_xml_phase */
    uint8_t encoding;
    uint8_t reference_return; /* the state after a reference */
    uint8_t quote;
    uint8_t n_brackets;    /* ']' directly before, at most 2 counted */
    uint8_t n_keyword;     /* characters of a keyword that matched */
    uint32_t reference;    /* a character reference's value */
    uint64_t less;         /* offset of the last '<' that began markup */
    uint64_t reference_at; /* offset of the '&' */
    uint64_t attribute_at;
    uint16_t n_name;
    uint16_t n_attributes;
    uint16_t n_attribute_bytes;
    uint16_t depth;
    char name[BM_MARK_MAX_NAME];                       /* of the current tag, attribute or target */
    uint16_t attribute_ends[BM_MARK_MAX_ATTRIBUTES];   /* where each ends */
    uint32_t attribute_hashes[BM_MARK_MAX_ATTRIBUTES]; /* so that few are compared */

    /* Outside the root. */
    bool has_bom;
    bool has_doctype;
    bool is_public;           /* the DOCTYPE's keyword was PUBLIC */
    bool declaration_is_open; /* it is not known yet whether there is an XML declaration */
    uint64_t declaration_at;  /* where it stands, if there is one */
    uint16_t n_declaration;   /* bytes of `declaration` */

    /* Places. */
    uint8_t element;      /* enum bm_mark_xml_element, of the current start tag */
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
    bool first_seen;                /* the Iteration's first element began */
    bool names_are_due;             /* the query's names must follow the number, or they are missing */
    bool extra_is_ending;           /* white space after a NUMBER_EXTRA */
    bool body_is_open;              /* BM_MARK_BODY has not been added yet */
    bool newline_seen;              /* since the last Iteration, or the body's beginning */
    bool newline_before;            /* newline_seen, as it was at `less` */
    bool blank_on_new_line;         /* `blank` follows a newline */
    bool field_is_open;             /* `field` collects a value ... */
    uint64_t field_to;              /* ... up to here */
    bool scope_is_open;             /* `field` collects an attribute's value */
    struct bm_mark_content content; /* a query's id or message that has no mark yet */
    uint64_t blank; /* where the run of blanks before the position begins, or BM_MARK_NOWHERE */
    uint64_t body;
    uint64_t number; /* where its content begins */
    uint64_t number_value;
    uint64_t n_number; /* bytes of content so far */
    uint64_t megablast;
    uint64_t part; /* where the content of the digest's part begins */

    /* The walk, walk.h. */
    struct bm_mark_window window;

    /* What follows is not cleared: counts say how much of it holds. BLAST's documents use the beginning, so most of its
     * pages are never resident. */
    char declaration[BM_MARK_MAX_DECLARATION];
    struct bm_mark_xml_name open_elements[BM_MARK_MAX_DEPTH]; /* [0] is the root */
    char attribute_bytes[BM_MARK_MAX_ATTRIBUTE_BYTES];        /* names, one after the other */
};

/* --- name_characters.c */

enum {
    BM_CLASS_NAME_START = 1,
    BM_CLASS_NAME = 2,
    BM_CLASS_SPACE = 4,
    BM_CLASS_PLAIN = 8, /* begins or ends nothing: neither markup nor a quote, nor what ends in '>' */
    BM_CLASS_QUERY = 16 /* begins the name of an element that describes a query */
};
extern const uint8_t bm_mark_xml_class[128];
bool bm_mark_xml_is_name_start_beyond_ascii(uint32_t c);
bool bm_mark_xml_is_name_beyond_ascii(uint32_t c);

static inline bool bm_mark_xml_is_name_start(uint32_t c) {
    return c < 128 ? (bm_mark_xml_class[c] & BM_CLASS_NAME_START) != 0
                   : bm_mark_xml_is_name_start_beyond_ascii(c);
}

static inline bool bm_mark_xml_is_name(uint32_t c) {
    return c < 128 ? (bm_mark_xml_class[c] & BM_CLASS_NAME) != 0 : bm_mark_xml_is_name_beyond_ascii(c);
}

/* Copies a name, which has only name characters, for a message, and cuts it if it is too long. Returns
 * shown. */
const char *bm_mark_xml_show(const char *name, size_t n_name, char shown[BM_MARK_SHOWN_NAME]);

/* Returns whether the current name is this one. */
bool bm_mark_xml_name_is(const struct bm_mark_xml *xml, const char *name);

/* --- encoding.c */

enum bm_mark_xml_encoding bm_mark_xml_find_encoding(const char *name, size_t n_name);

/* Returns the character that a byte >= 0x80 stands for; 0: none. */
uint32_t bm_mark_xml_decode(enum bm_mark_xml_encoding encoding, uint8_t byte);
const char *bm_mark_xml_encoding_name(enum bm_mark_xml_encoding encoding);

/* --- bytes.c */

/* Returns whether a byte that is no character may be here: in text, attributes' values, comments, CDATA and
 * instructions. */
bool bm_mark_xml_may_hold_bad(const struct bm_mark_xml *xml);

/* Scans the next byte, or several plain ones, and returns their number; 0 if it failed. */
size_t bm_mark_xml_take(struct bm_mark *mark, const uint8_t *text, size_t n_text);

/* --- judge.c. These and all below return false if they failed, with xml->mark.failure filled. */

bool bm_mark_xml_take_character(struct bm_mark_xml *xml, uint32_t c, uint64_t at);
bool bm_mark_xml_name_begin(struct bm_mark_xml *xml, uint32_t c, uint64_t at);
bool bm_mark_xml_name_add(struct bm_mark_xml *xml, uint32_t c, uint64_t at);

/* Fails at the end of the text; the message says in what the document is cut short. Returns false. */
bool bm_mark_xml_fail_end(struct bm_mark_xml *xml);

/* --- prolog.c */

bool bm_mark_xml_in_start(struct bm_mark_xml *xml, uint8_t byte); /* START, BOM_2, BOM_3, SAMPLE: bytes */
bool bm_mark_xml_fail_sample(struct bm_mark_xml *xml);
bool bm_mark_xml_outside_text(struct bm_mark_xml *xml, uint32_t c, uint64_t at);
void bm_mark_xml_begin_document(struct bm_mark_xml *xml, uint64_t at);
void bm_mark_xml_no_declaration(struct bm_mark_xml *xml); /* if that is not known yet */
void bm_mark_xml_end_document(struct bm_mark_xml *xml, uint64_t at);
bool bm_mark_xml_in_declaration(struct bm_mark_xml *xml, uint32_t c, uint64_t at);
bool bm_mark_xml_in_doctype(struct bm_mark_xml *xml, uint32_t c, uint64_t at); /* all DOCTYPE states */

/* --- declaration.c */

bool bm_mark_xml_read_declaration(struct bm_mark_xml *xml);

/* --- place.c */

bool bm_mark_xml_start_named(struct bm_mark_xml *xml); /* the tag's name is complete */
bool bm_mark_xml_start_done(struct bm_mark_xml *xml, uint64_t after, bool is_empty); /* `after` its '>' */
void bm_mark_xml_end_begun(struct bm_mark_xml *xml); /* at the '/' after the '<' */
bool bm_mark_xml_end_done(struct bm_mark_xml *xml, uint64_t after);
void bm_mark_xml_begin_iteration(struct bm_mark_xml *xml, uint64_t less);
void bm_mark_xml_end_iteration(struct bm_mark_xml *xml, uint64_t after);

/* Called when a tag's name has a character to be converted, so that it is none of the known names. */
void bm_mark_xml_decide_early(struct bm_mark_xml *xml);

/* --- content.c */

void bm_mark_xml_inner_markup(struct bm_mark_xml *xml); /* a comment, CDATA or PI began */
void bm_mark_xml_place_text(struct bm_mark_xml *xml, uint32_t c,
                            uint64_t at); /* a character of text in the root */
void bm_mark_xml_follow_blanks(struct bm_mark_xml *xml, uint32_t c,
                               uint64_t at);                         /* likewise, only for blanks */
bool bm_mark_xml_place_bytes(struct bm_mark_xml *xml, uint8_t byte); /* a byte, if is_watching */

/* Marks the text from `at` to `end`, which becomes the character. */
bool bm_mark_xml_add_character(struct bm_mark_xml *xml, uint64_t at, uint64_t end, uint32_t value);

/* Called when content begins at `after`, and when it ends. A number that is too long, or holds markup,
 * becomes a long one. */
void bm_mark_xml_begin_field(struct bm_mark_xml *xml);
void bm_mark_xml_end_field(struct bm_mark_xml *xml, uint64_t after);
void bm_mark_xml_begin_number(struct bm_mark_xml *xml, uint64_t after);
void bm_mark_xml_begin_long_number(struct bm_mark_xml *xml);
void bm_mark_xml_end_number(struct bm_mark_xml *xml); /* at the '<' of its end tag */
void bm_mark_xml_begin_content(struct bm_mark_xml *xml, enum bm_mark_kind kind, uint64_t after);
void bm_mark_xml_end_content(struct bm_mark_xml *xml, uint64_t end, enum bm_mark_flag flags);
void bm_mark_xml_cut_content(struct bm_mark_xml *xml, uint64_t end);
void bm_mark_xml_begin_part(struct bm_mark_xml *xml, enum bm_mark_digest_part part, uint64_t after);
void bm_mark_xml_end_part(struct bm_mark_xml *xml);
void bm_mark_xml_cut_part(struct bm_mark_xml *xml);

/* From now on, bytes of content are read if any of these has begun. */
void bm_mark_xml_watch(struct bm_mark_xml *xml);

/* --- scope.c: at an attribute's quotes, and each byte between them */

void bm_mark_xml_scope_begin(struct bm_mark_xml *xml);
void bm_mark_xml_scope_add(struct bm_mark_xml *xml, uint8_t byte);
void bm_mark_xml_scope_end(struct bm_mark_xml *xml, uint64_t after);

/* --- xml.c */

extern const struct bm_mark_scanner bm_mark_xml;

/* --- walk_*.c */

bm_mark_walk bm_mark_xml_walk_avx512;
bm_mark_walk bm_mark_xml_walk_avx2;
bm_mark_walk bm_mark_xml_walk_sse2;
bm_mark_walk bm_mark_xml_walk_neon;
bm_mark_walk bm_mark_xml_walk_portable;

#endif
