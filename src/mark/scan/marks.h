/* SPDX-License-Identifier: MIT */
/* mark/scan/marks.h - marks, and the other plain data that scanners hand to the rooms after them. */
#ifndef BM_MARK_MARKS_H
#define BM_MARK_MARKS_H

#include "base/base.h"
#include "format/format.h"

/* Ceilings (docs/limits.md). A document beyond one of them is refused. */
enum {
    BM_MARK_MAX_NAME = 256,         /* bytes in the name of an element, attribute or PI target */
    BM_MARK_MAX_DEPTH = 64,         /* elements open at once */
    BM_MARK_MAX_ATTRIBUTES = 64,    /* attributes of one tag; their names together at most 4096 bytes */
    BM_MARK_MAX_INDENTATION = 4096, /* blanks that count as indentation or as the rest of a line */
    BM_MARK_MAX_NUMBER = 24,        /* bytes of an Iteration_iter-num that are parsed */
    BM_MARK_MAX_DECLARATION = 1024, /* bytes in an XML declaration */
    BM_MARK_MAX_VALUE = 1024,       /* bytes of a header field's value that are kept; the hash covers all */
    BM_MARK_MAX_NAMES = 2048,       /* bytes of a row of column names; a longer row is none */
    BM_MARK_MAX_CONTENT = 512,      /* bytes of a query's id and message that are reported */
    BM_MARK_MAX_FORBIDDEN = 64,     /* bytes of a reference to a character that XML forbids */
    BM_MARK_MAX_HOLD = 8192         /* bm_mark_safe() is never further behind than this */
};

enum bm_mark_kind {
    BM_MARK_DOCUMENT,       /* a document begins at offset (its BOM, '<', or white space before that; a
                               later document begins at its BOM or '<', and white space before that belongs to
                               the earlier one). BM_MARK_BARE: it is not XML, and neither BOM nor DECLARATION
                               nor NO_DECLARATION follows */
    BM_MARK_BOM,            /* [offset, end) is a byte order mark */
    BM_MARK_DECLARATION,    /* [offset, end) is the XML declaration; BM_MARK_CONVERTED if its encoding is not
                               UTF-8 (bytes of that encoding follow as BM_MARK_CHARACTER) */
    BM_MARK_NO_DECLARATION, /* the document has none; offset is where it would stand */
    BM_MARK_FIELD,          /* a header element without child elements was closed before offset (see
                               bm_mark_field()); or an attribute of the root or of BlastOutput_iterations that
                               applies to everything inside (is_scope). The step ends with this mark, so that
                               the caller can read the field */
    BM_MARK_DATABASE,       /* BlastOutput_db's content begins at offset; BM_MARK_EMPTY_TAG: it is an
                               empty-element tag, whose "/>" is at offset (2 bytes) */
    BM_MARK_DATABASE_END,   /* the '<' of its end tag is at offset; none with BM_MARK_EMPTY_TAG */
    BM_MARK_ITERATIONS,     /* BlastOutput_iterations is open: offset is after its '>'; `value` is the format.
                               BM_MARK_EMPTY_TAG: its "/>" is at offset, and neither BODY nor ITERATIONS_END
                               follows */
    BM_MARK_HEADER,         /* the header is complete. Not in BLASTMERGE_FORMAT_XML, where it is complete at
                               ITERATIONS */
    BM_MARK_BODY,           /* the body begins at offset: after the rest of the tag's line if that is blank
                               (space, tab, CR, then LF, at most BM_MARK_MAX_INDENTATION bytes), else after
                               the tag */
    BM_MARK_ITERATION,      /* an Iteration's '<' is at offset; BM_MARK_NEWLINE: a newline lies between it and
                               the Iteration before it in this document (or the body's beginning) */
    BM_MARK_NUMBER,      /* [offset, end) is the content of the Iteration's number, which is the Iteration's
                            first element; `value` if it is plain digits (BM_MARK_DIGITS);
                            BM_MARK_EMPTY_TAG: an empty-element tag, [offset, end) is its "/>" */
    BM_MARK_NUMBER_LONG, /* a number whose content is longer than BM_MARK_MAX_NUMBER or holds markup: it
                            begins at offset ... */
    BM_MARK_NUMBER_LONG_END, /* ... and ends at offset, the '<' of its end tag */
    BM_MARK_NUMBER_MISSING,  /* the Iteration's first element, whose '<' is at offset, is not its number (or
                                there is no element, and the '<' is that of its end tag). BM_MARK_NEWLINE:
                                only `value` blanks (at most 64 are counted) stand between a newline and the
                                '<'. BM_MARK_EMPTY_TAG: the Iteration is an empty-element tag, and
                                [offset, end) is its "/>" */
    BM_MARK_NUMBER_EXTRA, /* a later Iteration_iter-num of the same Iteration begins at offset, its '<' ... */
    BM_MARK_NUMBER_EXTRA_END, /* ... and has ended, with the white space after it, before offset */
    BM_MARK_QUERY_ID, /* [offset, end) is the content of a query's id. BM_MARK_CUT: only its beginning, as it
                         is longer than BM_MARK_MAX_CONTENT, or holds markup or a character to be converted.
                         This mark and the next two come only after bm_mark_tell_queries(). Tables: the
                         query's title, and `value` is its number in the document, from 1; BM_MARK_BARE: it
                         has none */
    BM_MARK_MESSAGE,  /* likewise, BLAST's message about the query */
    BM_MARK_QUERY_MISSING, /* the Iteration does not name its query, but the document's header does: the
                              element after its number, whose '<' is at offset, or its end tag, is none of
                              Iteration_query-ID, -def and -len. Flags and `value` as in NUMBER_MISSING; an
                              Iteration that is an empty-element tag has only that mark */
    BM_MARK_QUERY_ROW,     /* archives: [offset, end) is such an id "Query_N" of a query elsewhere than in
                               the request's queries. Tables: [offset, end) is a row's field that holds "Query_N", BLAST's name for a
                          query without one. -outfmt 7: in the columns of queries' names, if the query may be
                          one of these; else in the first column */
    BM_MARK_ITERATION_END, /* the Iteration ended before offset. `value` is a hash of its query's name and length, or 0.
                                `end` counts the child's Hits (above) and Hsps (in tables, its rows) up to there,
                                each modulo 2^32 */
    BM_MARK_ITERATIONS_END, /* the '<' of BlastOutput_iterations' end tag is at `end`, after indentation from
                               offset on (spaces and tabs, at most BM_MARK_MAX_INDENTATION bytes; more is no
                               indentation). BM_MARK_NEWLINE: a newline lies between the last Iteration (or
                               the body's beginning) and offset */
    BM_MARK_MEGABLAST,      /* [offset, end) is a BlastOutput_mbstat, a child of the root; one that is longer
                               than BM_MARK_MAX_HOLD is refused */
    BM_MARK_SKIP,      /* tables: [offset, end) are whole lines that do not belong in the result: empty ones,
                          and rows of column names that the result already has or must not have */
    BM_MARK_CHARACTER, /* [offset, end) is to be replaced by the character `value` in UTF-8 */
    BM_MARK_DOCUMENT_END, /* the document ended before offset: at the next document or at the text's end.
                            BM_MARK_DIGEST: `value` is the digest of its queries (digest.h), and the flags
                            after that one describe them */
    BM_MARK_ARCHIVE,      /* archives: one begins at offset, and another header ... */
    BM_MARK_ARCHIVE_END /* ... and ended before offset. So its queries are whole, too. `value` counts the child's
                             alignments up to there */
};

enum bm_mark_flag {
    BM_MARK_EMPTY_TAG = 1,
    BM_MARK_NEWLINE = 2,
    BM_MARK_DIGITS = 4,
    BM_MARK_CONVERTED = 8,
    BM_MARK_BARE = 16,
    BM_MARK_CUT = 32,     /* DOCUMENT in archives: text before it is left out, see bm_mark_enter() */
    BM_MARK_LEFT = 64,    /* ITERATIONS_END and DOCUMENT_END: the text has no such end, see bm_mark_leave().
                           DOCUMENT: it is the one that was left */
    BM_MARK_OPEN = 128,   /* ITERATIONS_END in tables: the last line before it lacks its end, which is a line
                           feed ... */
    BM_MARK_RETURN = 256, /* ... after a carriage return */
    BM_MARK_DIGEST = 512,
    BM_MARK_HITS = 1024,    /* a query has a Hit, or a row */
    BM_MARK_NAMED = 2048,   /* a query has a name */
    BM_MARK_WEAK = 4096,    /* tables without comments: all rows are of one query */
    BM_MARK_UNKNOWN = 8192, /* tables without comments: the column of the queries' names is not known */
    BM_MARK_RUN = 32768,    /* ITERATION in archives: the first of a request, with which another run of BLAST
                               may begin: it is no later round of PSI-BLAST */
    BM_MARK_NAMES = 16384   /* SKIP: the row of column names at the document's beginning, which stays if the
                               document is the first of all */
};

struct bm_mark_entry {
    uint64_t offset;
    uint64_t end;
    uint64_t value;
    uint32_t kind;  /* enum bm_mark_kind */
    uint32_t flags; /* enum bm_mark_flag */
};

/* Where the text of a mark ends. */
static inline uint64_t bm_mark_text_end(const struct bm_mark_entry *mark) {
    bool is_text = mark->end > mark->offset && mark->kind != BM_MARK_ITERATION_END;
    return is_text ? mark->end : mark->offset;
}

enum { BM_MARK_LIST = 256 };
struct bm_mark_list {
    struct bm_mark_entry entries[BM_MARK_LIST];
    size_t n_entries;
};

/* How lines of tables end. */
enum { BM_MARK_LF = 1, BM_MARK_CRLF = 2 };

/* Queries are counted by their hits, in classes: none, 1, 2 to 3, 4 to 7 and so on; the last class has no end. */
enum { BM_MARK_CLASSES = 12 };

struct bm_mark_counts {
    uint64_t n_documents;  /* begun */
    uint64_t n_iterations; /* whole ones */
    uint64_t n_hits;
    uint64_t n_hsps;
    uint64_t n_invalid_bytes;          /* bytes that were not UTF-8, kept or converted */
    uint64_t n_forbidden;              /* characters that XML forbids, kept or replaced ... */
    uint64_t first_forbidden;          /* ... and the offset of the first one */
    unsigned line_ends;                /* tables: BM_MARK_LF and BM_MARK_CRLF, if the text has such ends */
    uint64_t n_again;                  /* tables without comments: how often queries are repeated ... */
    uint64_t again;                    /* ... and the offset of the first repetition */
    uint64_t by_hits[BM_MARK_CLASSES]; /* queries whose hits are known, each class; rows are a table's hits */
    uint64_t n_hits_of_these;          /* where the next of them begins: hits before it */
};

/* A header element. The header is the document's text before BlastOutput_iterations. */
struct bm_mark_field {
    char name[BM_MARK_MAX_NAME + 1];
    char value[BM_MARK_MAX_VALUE + 1]; /* as in the text, cut at BM_MARK_MAX_VALUE bytes */
    size_t n_value;                    /* bytes kept in value */
    bool is_cut;                       /* the value is longer than that */
    uint64_t hash;                     /* of name, a NUL and the whole value; FNV-1a, 64 bits */
    bool is_parameter;                 /* it lies inside BlastOutput_param */
    bool is_scope;                     /* it is a namespace or the like (scope.c); `value` has no quotes */
};

/* Returns whether BLAST gives such an id to a query without a name: Query_7, or lcl|Query_7. */
bool bm_mark_is_generated(const char *id, size_t n_id);

/* Returns whether BLAST writes this title for a query without one: nothing, "No definition line" and the
 * like. */
bool bm_mark_is_unnamed(const char *title, size_t n_title);

/* What children must agree with: the caller's settings, or the first child. */
struct bm_mark_kin {
    enum blastmerge_format format; /* AUTO: not known yet */
    bool is_given;       /* it is settled: each child is read as that, whatever its first bytes are */
    bool is_inferred;    /* ... from an earlier child; else the caller has set it */
    bool rows_are_plain; /* it was recognised by rows of BLAST's own columns */
    bool has_table;      /* a table was begun: the next one is not the first */
    uint8_t form;        /* of tables with comments: enum bm_table_form */
    uint64_t n_columns;  /* of the first row; 0: there was none */
    uint16_t n_names;    /* bytes of the first child's row of column names, without its end; 0: none */
    char names[BM_MARK_MAX_NAMES];
};

#endif
