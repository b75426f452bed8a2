/* SPDX-License-Identifier: MIT */
/*
 * mark/scan/scan.h - the base of every scanner: state that does not depend on the format, the list of marks,
 * fields, the digest of queries, and failing.
 *
 *   marks.h    marks, as data
 *   scan.c     adding marks, fields and digests; failing
 *   digest.c   a document's queries, as a hash
 *   window.h   the windows of the fast paths of XML and JSON
 *
 * A scanner (xml/, json/, table/) has its own struct, which begins with struct bm_mark. It uses this folder
 * and no other scanner. The door (mark.c) holds one scanner, and chooses which.
 */
#ifndef BM_MARK_SCAN_H
#define BM_MARK_SCAN_H

#include "mark/scan/digest.h"
#include "mark/scan/marks.h"

#include <string.h>

#define BM_MARK_NOWHERE UINT64_MAX /* no offset */

enum {
    BM_MARK_ROOM = 16,    /* entries that one byte can need at most, amply */
    BM_MARK_SAMPLE = 4096 /* most bytes of a text's beginning that are held until its format is clear */
};

/* Content that one mark reports when it has ended or is cut. */
struct bm_mark_content {
    bool is_held;
    uint8_t kind; /* enum bm_mark_kind */
    uint64_t at;
};

struct bm_mark;

/* The interface of a scanner. `mark` is the beginning of the scanner's own struct. */
struct bm_mark_scanner {
    /* Called when it was chosen; its own part of the struct is zero. NULL: nothing to do. */
    void (*begin)(struct bm_mark *mark);
    /* Scans text while bm_mark_can_step(), and returns the number of bytes used; it advances mark->position.
     * */
    size_t (*step)(struct bm_mark *mark, const uint8_t *text, size_t n_text);
    /* Called at the end of a text that is not empty. Returns false if it failed. */
    bool (*finish)(struct bm_mark *mark);
    uint64_t (*safe)(const struct bm_mark *mark);
    /* Whether a document begins with this text, for a message about a fault near it: is_fault: right there. NULL: that does
     * not show. */
    bool (*begins)(const uint8_t *text, size_t n_text, bool is_begin_of_line, bool is_fault);
    size_t
        n_cleared; /* bytes of its struct that are cleared when it is chosen; pages behind that may never be touched */
    bool has_rows; /* the format has no hits, so its rows are counted as hits */
};

/* Fails with a message about a text that cannot be merged: what it looks like, or the hint, and how it
 * begins. Returns false. */
typedef bool bm_mark_look(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                          const char *hint);

struct bm_mark {
    /* bm_mark_reset() keeps these. */
    enum blastmerge_invalid_utf8 invalid_utf8;
    enum blastmerge_forbidden_characters forbidden;
    struct bm_mark_kin kin;          /* what the children must agree with */
    enum blastmerge_format supposed; /* of rows that show no format themselves; AUTO: none */
    bool is_narrow;                  /* such rows may have one field */
    enum blastmerge_header header;   /* the treatment of rows of column names */
    bool tells_queries;
    const char *way;    /* of bm_mark_ways[]: the instructions that the fast paths use */
    bm_mark_look *look; /* for a scanner whose text turns out to be something else */

    /* bm_mark_reset() clears everything from here on. */
    const struct bm_mark_scanner *scanner; /* NULL: not chosen yet */
    bool has_failed;                       /* every later step returns `failure` */
    struct blastmerge_error failure;

    /* The text's beginning, held until it shows its format, and then scanned. */
    uint16_t n_sample;
    uint16_t n_replayed;
    char sample[BM_MARK_SAMPLE];

    /* What the beginning of a table shows about its rows. */
    struct {
        bool begin_with_names; /* the first one is a row of column names */
        bool name_queries;     /* the first column holds the queries' names */
    } rows;

    bool is_finished; /* the text is at its end, and all marks were added */

    /* Of the current step. */
    struct bm_mark_list *list;
    bool field_is_ready; /* the step ends: a BM_MARK_FIELD was added */

    uint64_t position; /* bytes scanned */
    struct bm_mark_counts counts;
    struct bm_mark_field field;
    struct bm_mark_digest digest; /* of the document's queries */
};

/* The names of all ways, best first. The last one is "bytes": the judge alone, without a fast path. */
extern const char *const bm_mark_ways[];

/* Returns whether this machine has the way. */
bool bm_mark_has_way(const char *way);

bool bm_mark_can_step(const struct bm_mark *mark);

struct bm_mark_entry *bm_mark_add(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t offset);

/* Fails at this offset. Returns false. */
bool bm_mark_fail(struct bm_mark *mark, uint64_t at, const char *format, ...) BM_FORMAT(3, 4);

/* A byte in a message: "'x'", "a blank" and so on. Returns shown. */
enum { BM_MARK_SHOWN_BYTE = 24 };
const char *bm_mark_show_byte(uint8_t byte, char shown[BM_MARK_SHOWN_BYTE]);

/* A field begins with its name; its value's bytes are added in pieces. When it ends, it is marked at `after`,
 * and the step ends. */
void bm_mark_field_begin(struct bm_mark *mark, const char *name, size_t n_name);
void bm_mark_field_add(struct bm_mark *mark, const char *value, size_t n_value);
void bm_mark_field_end(struct bm_mark *mark, uint64_t after);

/* Adds the mark of an Iteration that has ended, and counts it. `has_length`: its format has the query's length, so that
 * a hash of both identifies the query. */
void bm_mark_add_iteration_end(struct bm_mark *mark, uint64_t offset, bool has_length);

/* Hits so far. Rows count as hits where there is nothing else. */
uint64_t bm_mark_n_hits(const struct bm_mark *mark);

/* Counts a query that has ended by its hits. n_hits: the hits, or rows, of all queries so far. */
void bm_mark_count_query(struct bm_mark *mark, uint64_t n_hits);

/* Called when a document begins, and when it ends. The latter adds a mark with its digest. */
void bm_mark_begin_digest(struct bm_mark *mark);
struct bm_mark_entry *bm_mark_add_document_end(struct bm_mark *mark, uint64_t offset);

/* Called when the format of the current document, found at `at`, is clear. Returns false if it must be
 * another. */
bool bm_mark_settle(struct bm_mark *mark, enum blastmerge_format format, uint64_t at);

/* Returns whether the held text begins with UTF-8's byte order mark, of BM_BOM bytes. */
bool bm_mark_begins_with_bom(const struct bm_mark *mark);

static inline bool bm_mark_begins_with(const uint8_t *text, size_t n_text, const char *beginning) {
    size_t n = strlen(beginning);
    return n_text >= n && memcmp(text, beginning, n) == 0;
}

static inline bool bm_mark_is_space(uint32_t c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

#endif
