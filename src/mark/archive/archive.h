/* SPDX-License-Identifier: MIT */
/*
 * mark/archive/archive.h - declarations that the files of the scanner of BLAST archives share. The essay is in
 * archive.c.
 *
 *   archive.c   the scanner: step, finish, safe
 *   judge.c     bytes -> tokens, and whether they follow each other rightly
 *   place.c     elements -> marks: what a value means where it stands
 */
#ifndef BM_MARK_ARCHIVE_H
#define BM_MARK_ARCHIVE_H

#include "mark/scan/scan.h"

enum {
    BM_ARCHIVE_MAX_DEPTH = 64, /* blocks open at once */
    BM_ARCHIVE_MAX_WORDS = 64, /* bytes of an element's words that are kept; no known ones are longer */
    BM_ARCHIVE_MAX_VALUE = 16, /* bytes of the longest word that is a value, NOT-A-NUMBER, and more */
    BM_ARCHIVE_MAX_ID = 28     /* bytes of a generated id: Query_N, amply */
};

/* The judge's place in the syntax. */
enum bm_mark_archive_state {
    BM_ARCHIVE_OUTSIDE, /* before an archive or after one */
    BM_ARCHIVE_NAME,    /* in "Blast4-archive" */
    BM_ARCHIVE_NAMED,   /* after it */
    BM_ARCHIVE_ASSIGN,  /* in "::=" */
    BM_ARCHIVE_ROOT,    /* after it */
    BM_ARCHIVE_FIRST,   /* after a block's '{' */
    BM_ARCHIVE_ELEMENT, /* after a ',' */
    BM_ARCHIVE_WORDS,   /* after a word of an element */
    BM_ARCHIVE_NEXT,    /* after an element's value */
    BM_ARCHIVE_WORD,
    BM_ARCHIVE_HYPHEN, /* in a word, after a '-' */
    BM_ARCHIVE_VALUE,  /* in a word that is a value: TRUE */
    BM_ARCHIVE_MINUS,
    BM_ARCHIVE_ZERO, /* a number's first digit, which is 0 */
    BM_ARCHIVE_NUMBER,
    BM_ARCHIVE_STRING,
    BM_ARCHIVE_QUOTE, /* in a string, after a quote: its end, or the first of two that stand for one */
    BM_ARCHIVE_BITS,  /* in '...' */
    BM_ARCHIVE_BITS_END
};

/* The meaning of an open block to a merge, by the words on the path to it. */
enum bm_mark_archive_place {
    BM_IN_PLAIN, /* one that means nothing, nor does anything in it */
    BM_IN_ROOT,
    BM_IN_REQUEST,
    BM_IN_RESULTS,
    BM_IN_MESSAGES,
    BM_IN_SEARCH,
    BM_IN_QUERY_SET,
    BM_IN_QUERIES,
    BM_IN_QUERY_LOCATIONS, /* queries that are named, not given */
    BM_IN_QUERY_LOCATION,
    BM_IN_QUERY_PSSM, /* the query of a later round, with its matrix ... */
    BM_IN_PSSM,       /* ... */
    BM_IN_QUERY,
    BM_IN_QUERY_IDS,
    BM_IN_QUERY_DESCRIPTION,
    BM_IN_QUERY_INSTANCE,
    BM_IN_SUBJECTS,
    BM_IN_OPTIONS,
    BM_IN_OPTION,
    BM_IN_ALIGNMENTS,
    BM_IN_ALIGNMENT,
    BM_IN_SCORES,
    BM_IN_SEGMENTS,
    BM_IN_SEGMENT,
    BM_IN_SEGMENT_IDS, /* the first one is the query's ... */
    BM_IN_SEGMENT_LOCATIONS,
    BM_IN_MASKS,
    BM_IN_MASK,
    BM_IN_LOCATIONS, /* of queries */
    BM_IN_INTERVALS,
    BM_IN_LOCATION,
    BM_IN_RESULT_PSSM, /* one that is a result */
    BM_IN_RESULT_MATRIX,
    BM_IN_RESULT_QUERY,
    BM_IN_RESULT_QUERY_IDS
};

/* What the current value is read for. */
enum bm_mark_archive_use {
    BM_USE_NOTHING,
    BM_USE_FIELD,
    BM_USE_OPTION_NAME,
    BM_USE_PART, /* of the query's digest, or its id, or both */
    BM_USE_ROW   /* a query's id elsewhere */
};

struct bm_mark_archive {
    struct bm_mark mark;
    struct bm_mark_content content; /* a query's id that has no mark yet */

    uint8_t state; /* enum bm_mark_archive_state */
    uint8_t depth;
    uint8_t places[BM_ARCHIVE_MAX_DEPTH]; /* enum bm_mark_archive_place of what is open; [0] is the root */
    uint8_t n_elements[BM_ARCHIVE_MAX_DEPTH]; /* that have begun in it; 2: or more */
    uint64_t seen; /* the places that can be once in the open block, and were: 1 << place */

    uint8_t n_words;                  /* BM_ARCHIVE_MAX_WORDS + 1: they are longer */
    char words[BM_ARCHIVE_MAX_WORDS]; /* of the current element, with a blank between two */
    uint8_t n_value;
    char value[BM_ARCHIVE_MAX_VALUE];
    uint8_t n_matched; /* bytes of the archive's name, or of "::=" */
    uint64_t token_at;

    uint8_t use;         /* enum bm_mark_archive_use */
    uint8_t field_depth; /* where the field's value is a block: the blocks around it; 0: it is none */
    bool field_is_open;
    bool is_cut; /* the string that is read has a line break or a quote in it */
    bool document_is_open;
    bool line_is_open; /* no line feed has come since the last archive's end */
    bool is_round;     /* the request is of a later round of PSI-BLAST */
    bool has_program;
    uint64_t n_queries; /* of the current archive */
    size_t n_option;
    char option[BM_MARK_MAX_NAME];
    uint8_t n_id;
    char id[BM_ARCHIVE_MAX_ID];
};

/* --- judge.c */

/* Scans some of the next bytes, and returns their number. It can be 0 if that ended a token. */
size_t bm_mark_archive_take(struct bm_mark_archive *archive, const uint8_t *text, size_t n_text);

/* Fails at the end of the text; the message says in what the archive is cut short. Returns false. */
bool bm_mark_archive_fail_end(struct bm_mark_archive *archive);

/* --- place.c. These return false if they failed. */

/* Called at the text's first byte, or behind a hole with the flags of its mark; and when an archive's name begins at
 * the offset. */
bool bm_mark_archive_begin_document(struct bm_mark_archive *archive, uint32_t flags);
void bm_mark_archive_begin(struct bm_mark_archive *archive, uint64_t at);

/* Called when an element begins: at its first token; and when it has ended before the offset. */
void bm_mark_archive_begin_element(struct bm_mark_archive *archive, uint64_t at);
void bm_mark_archive_end_element(struct bm_mark_archive *archive, uint64_t after);

/* Called when an element of nothing but words has ended before the offset. */
bool bm_mark_archive_end_words(struct bm_mark_archive *archive, uint64_t after);

/* Called at a block's '{' and '}'. */
bool bm_mark_archive_open(struct bm_mark_archive *archive, uint64_t at);
bool bm_mark_archive_close(struct bm_mark_archive *archive, uint64_t at);

/* Called when an element's value that is no block begins at the offset, for its content in pieces, and when it
 * has ended before the offset. */
bool bm_mark_archive_begin_value(struct bm_mark_archive *archive, uint8_t first, uint64_t at);
void bm_mark_archive_add(struct bm_mark_archive *archive, const uint8_t *bytes, size_t n_bytes);
void bm_mark_archive_end_value(struct bm_mark_archive *archive, uint64_t after);

/* A comma between two elements. */
void bm_mark_archive_separate(struct bm_mark_archive *archive);

/* Cuts an id that a mark will report: only the text before the offset is in the mark. */
void bm_mark_archive_cut_content(struct bm_mark_archive *archive, uint64_t end);

/* --- archive.c */

extern const struct bm_mark_scanner bm_mark_archive;

#endif
