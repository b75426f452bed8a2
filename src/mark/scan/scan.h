/* SPDX-License-Identifier: MIT */
/*
 * mark/scan/scan.h - what every scanner stands on: what is known of a text whatever its format, the list of
 * marks, fields, the digest of queries, and how a scan fails.
 *
 *   marks.h    marks, as data
 *   scan.c     adding marks, fields and digests; failing
 *   digest.c   which queries a document holds
 *   window.h   the fast paths' windows, which XML and JSON have in common
 *
 * A scanner (xml/, json/, table/) has a struct of its own, which begins with struct bm_mark. It uses this
 * folder and no other scanner. The door (mark.c) holds any one of them, and chooses which.
 */
#ifndef BM_MARK_SCAN_H
#define BM_MARK_SCAN_H

#include "mark/scan/digest.h"
#include "mark/scan/marks.h"

#define BM_MARK_NOWHERE UINT64_MAX /* an offset that is none */

enum {
    BM_MARK_ROOM = 16, /* entries that one byte can need at most, amply */
    BM_MARK_SAMPLE =
        4096,  /* bytes of a text's beginning that are held at most until it is clear what it is */
    BM_BOM = 3 /* bytes of UTF-8's byte order mark */
};

/* Content that is told by one mark when it has ended, or is cut. */
struct bm_mark_content {
    bool is_held;
    uint8_t kind; /* enum bm_mark_kind */
    uint64_t at;
};

struct bm_mark;

/* What a scanner is to the door. The struct is the scanner's own, of which struct bm_mark is the beginning. */
struct bm_mark_scanner {
    /* It was chosen, and all of its own is zero; NULL: that will do. */
    void (*begin)(struct bm_mark *mark);
    /* Takes text as long as bm_mark_can_step(), and returns how many bytes; mark->position goes along. */
    size_t (*step)(struct bm_mark *mark, const uint8_t *text, size_t n_text);
    /* The text is at its end, which is not its beginning. False where it failed. */
    bool (*finish)(struct bm_mark *mark);
    uint64_t (*safe)(const struct bm_mark *mark);
    bool has_rows; /* which count as hits, since there is nothing else */
};

/* Says what a text that cannot be merged looks like, or else the hint, and how it begins. Returns false. */
typedef bool bm_mark_look(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                          const char *hint);

struct bm_mark {
    /* What bm_mark_reset() leaves. */
    enum blastmerge_invalid_utf8 invalid_utf8;
    enum blastmerge_forbidden_characters forbidden;
    struct bm_mark_kin kin;          /* what the children must be like */
    enum blastmerge_format supposed; /* of rows that are not known by themselves; AUTO: there are none */
    bool is_narrow;                  /* such rows may have one field */
    enum blastmerge_header header;   /* what becomes of rows of column names */
    bool tells_queries;
    const char *way;    /* of bm_mark_ways[]: the instructions that the fast paths take */
    bm_mark_look *look; /* for a scanner whose text turns out to be something else */

    /* And what it forgets, from here on. */
    const struct bm_mark_scanner *scanner; /* NULL: it is not known yet which */
    bool has_failed;                       /* every later step returns `failure` */
    struct blastmerge_error failure;

    /* The text's beginning, held until it shows what it is, and then given to the scanner. */
    uint16_t n_sample;
    uint16_t n_replayed;
    char sample[BM_MARK_SAMPLE];

    /* What the beginning of a table says of its rows. */
    struct {
        bool begin_with_names; /* the first one is a row of column names */
        bool name_queries;     /* the first column holds the queries' names */
    } rows;

    bool is_finished; /* the text is at its end, and all marks were told */

    /* Of the step under way. */
    struct bm_mark_list *list;
    bool field_is_ready; /* the step ends: a BM_MARK_FIELD was added */

    uint64_t position; /* bytes taken */
    struct bm_mark_counts counts;
    struct bm_mark_field field;
    struct bm_mark_digest digest; /* of the document's queries */
};

/* The ways there are, best first; the last one is "bytes", a judge alone. */
extern const char *const bm_mark_ways[];

/* Whether this machine has the way. */
bool bm_mark_has_way(const char *way);

bool bm_mark_can_step(const struct bm_mark *mark);

struct bm_mark_entry *bm_mark_add(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t offset);

/* Fails at this offset. Returns false. */
bool bm_mark_fail(struct bm_mark *mark, uint64_t at, const char *format, ...) BM_FORMAT(3, 4);

/* A field: begun with its name, then its value's bytes, in pieces; ended, it is marked at `after`, and the
 * step ends. */
void bm_mark_field_begin(struct bm_mark *mark, const char *name, size_t n_name);
void bm_mark_field_add(struct bm_mark *mark, const char *value, size_t n_value);
void bm_mark_field_end(struct bm_mark *mark, uint64_t after);

/* A document begins, and ends: with its digest. */
void bm_mark_begin_digest(struct bm_mark *mark);
struct bm_mark_entry *bm_mark_add_document_end(struct bm_mark *mark, uint64_t offset);

/* The current document, found at `at`, is of this format: false if it should be of another. */
bool bm_mark_settle(struct bm_mark *mark, enum blastmerge_format format, uint64_t at);

/* "BLAST XML (-outfmt 5)" and so on. */
const char *bm_mark_format_title(enum blastmerge_format format);

/* Whether the text that is held begins with a byte order mark (UTF-8's), of BM_BOM bytes. */
bool bm_mark_begins_with_bom(const struct bm_mark *mark);

static inline bool bm_mark_is_space(uint32_t c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

#endif
