/* SPDX-License-Identifier: MIT */
/* mark/table/table.h - the scanner of -outfmt 6, 7 and 10; the essay is in table.c. */
#ifndef BM_TABLE_H
#define BM_TABLE_H

#include "mark/scan/scan.h"

enum {
    BM_TABLE_KEPT = 4096,          /* bytes of a comment line that are kept */
    BM_TABLE_HELD = 64,            /* bytes of a comment line that show its kind */
    BM_TABLE_COLUMNS = 12,         /* BLAST's own: those of -outfmt 6 without a list of columns */
    BM_TABLE_TAIL = 64,            /* bytes of a row that are kept for its end */
    BM_TABLE_STEM = 6,             /* "Query_" */
    BM_TABLE_NAME = 24,            /* most bytes of BLAST's own name for a query: 18 digits */
    BM_TABLE_SEEN = 512,           /* names of queries that are kept, twice */
    BM_TABLE_DIFFERS = UINT16_MAX, /* a value of n_alike */
    BM_TABLE_OTHER = 255           /* in place of the length of such a name: it is another one */
};

/* The scanner's place in a table. */
enum bm_table_state {
    BM_TABLE_LINE,   /* at the beginning of a line */
    BM_TABLE_ROW,    /* in a line of fields */
    BM_TABLE_RETURN, /* after a carriage return that begins a line */
    BM_TABLE_BLANK,  /* after an empty line: "Search has CONVERGED!" may follow */
    BM_TABLE_COMMENT /* in a line that begins with '#' */
};

/* The forms of tables with comments, by program. */
enum bm_table_form {
    BM_FORM_NONE,
    BM_FORM_PLUS,   /* BLAST+, -outfmt 7: "# BLASTP 2.12.0+"; its last line shows that it is whole */
    BM_FORM_LEGACY, /* blastall -m 9: "# BLASTP 2.2.26 [Sep-21-2011]"; it has neither a count of hits nor a
                       last line */
    BM_FORM_WEB     /* the hit table of NCBI's web pages: "# blastp"; it has no last line */
};

/* Lines of -outfmt 7 that begin with "# ". */
enum bm_table_comment {
    BM_COMMENT_NONE, /* not known yet */
    BM_COMMENT_PROGRAM,
    BM_COMMENT_ITERATION, /* PSI-BLAST's rounds */
    BM_COMMENT_QUERY,
    BM_COMMENT_DATABASE,
    BM_COMMENT_FIELDS,
    BM_COMMENT_HITS,
    BM_COMMENT_PROCESSED,
    BM_COMMENT_OTHER
};

/* A mark that the next step must add, because a field has ended this one. */
enum bm_table_due { BM_DUE_NOTHING, BM_DUE_VERSION, BM_DUE_NAMES, BM_DUE_HEADER };

/* The state of a row's first field, if that is a query's name. */
enum bm_table_naming {
    BM_NAMING_NOT, /* it is not needed, or has been processed */
    BM_NAMING_COLLECTS,
    BM_NAMING_KNOWN /* it is complete, and is processed when the row ends */
};

struct bm_mark_table {
    struct bm_mark mark;
    uint8_t state;   /* enum bm_table_state */
    uint8_t comment; /* enum bm_table_comment */
    uint8_t due;     /* enum bm_table_due */
    bool in_document;
    bool in_query;
    bool has_ended;   /* a document has; the next one has not begun */
    bool has_program; /* the document's marks have these */
    bool has_database;
    bool has_header;
    bool has_hits;     /* "# N hits found" of the current query was */
    bool is_counted;   /* n_queries has it: its title was read, or it is a later round of PSI-BLAST */
    bool may_be_own;   /* it has no title, or BLAST's own name as one; then its rows may have that name */
    uint8_t n_name;    /* bytes of the current field that may be such a name, or BM_TABLE_OTHER */
    bool after_return; /* the byte before was a carriage return */
    bool in_names;     /* the current row is the row of column names */
    bool is_first;     /* the document is the first of all without comments */
    bool is_open;      /* the text ends without a line feed */
    bool is_ended;     /* and its last line was processed */
    uint8_t form;      /* enum bm_table_form, of the document */
    uint16_t n_alike;  /* bytes of the current row that agree with the first child's row of names;
                          UINT16_MAX: it differs */
    uint64_t line;     /* where the current line begins */
    uint64_t blank;    /* BLANK: where the empty line before it begins */
    uint64_t n_fields; /* of the current row, ended ones */
    uint64_t n_least;  /* fields that a row has; 0: not known */
    uint64_t n_most;
    uint64_t columns;   /* those that may have names of queries: bit i stands for column i */
    uint64_t n_blocks;  /* of the document; each has a line "# BLASTP VERSION" */
    uint64_t n_queries; /* of the document */
    uint64_t n_hits;    /* rows that "# N hits found" announces ... */
    uint64_t n_left;    /* ... of these, rows that have not come; BLAST may leave some out */
    uint64_t n_first;   /* fields of the document's first row */
    uint16_t names_at;  /* where its row of column names begins, in the sample ... */
    uint16_t n_names;   /* ... and its bytes, without its end */
    uint8_t n_tail;
    char tail[BM_TABLE_TAIL]; /* the last bytes that were scanned */
    uint8_t naming;           /* enum bm_table_naming: the row's first field, its query's name ... */
    uint64_t n_row;           /* ... and its bytes so far ... */
    uint8_t row[BM_DIGEST_CONTENT];
    uint64_t n_last; /* ... and those of the row before ... */
    uint8_t last[BM_DIGEST_CONTENT];
    uint64_t n_runs;   /* ... and how often it differed from the previous row's */
    bool in_first_row; /* the current row is a query's first one; it counts when it has ended */
    struct {
        uint64_t n_before; /* rows */
        uint64_t name;     /* its query's, as a hash */
        uint64_t at;
    } first_row;
    uint64_t n_again;                /* consecutive queries, up to the last one, that had rows before ... */
    uint64_t again;                  /* ... and where their rows begin */
    uint32_t seen[BM_TABLE_SEEN][2]; /* for each hash, the first name and the latest one; 0: none */
    uint16_t n_kept;
    char kept[BM_TABLE_KEPT]; /* the current comment line */
};

static inline bool bm_mark_table_has_comments(const struct bm_mark_table *table) {
    return bm_format_of(table->mark.kin.format)->has_comments;
}

static inline char bm_mark_table_separator(const struct bm_mark_table *table) {
    return bm_format_of(table->mark.kin.format)->separator;
}

/* --- table.c */

extern const struct bm_mark_scanner bm_mark_table;

void bm_mark_table_begin(struct bm_mark_table *table, uint64_t at);
void bm_mark_table_header(struct bm_mark_table *table, uint64_t at); /* unless it was marked */
void bm_mark_table_field(struct bm_mark_table *table, const char *name, const char *value, size_t n_value);
bool bm_mark_table_fail_zero(struct bm_mark_table *table);
void bm_mark_table_end_line(struct bm_mark_table *table); /* how it ends is kept; not of empty lines */

/* Adds the mark that the last step could not add. */
void bm_mark_table_take_due(struct bm_mark_table *table);

/* Marks the document's row of column names, which is in the sample. */
void bm_mark_table_tell_names(struct bm_mark_table *table);

/* Begins a document without comments, at its first row or PSI-BLAST's message. Empty lines do not begin
 * one. */
void bm_mark_table_begin_bare(struct bm_mark_table *table, uint64_t at);

/* Marks lines that do not belong in the result. */
void bm_mark_table_skip(struct bm_mark_table *table, uint64_t from, uint64_t to, unsigned flags);

/* --- rows.c */

bool bm_mark_table_begin_row(struct bm_mark_table *table, uint64_t at);
/* Scans bytes of a row, and of the rows after it. */
void bm_mark_table_take_row(struct bm_mark_table *table, const uint8_t *text, size_t n_text);
bool bm_mark_table_end_row(struct bm_mark_table *table); /* called when its end was scanned */

/* Returns whether rows name their queries. */
bool bm_mark_table_names_queries(const struct bm_mark_table *table);

/* Reports that queries are repeated. */
void bm_mark_table_tell_again(struct bm_mark_table *table);

/* Returns whether the current field, so far, may be a name that BLAST gave; processes its next byte, or its
 * end. */
bool bm_mark_table_is_in_name(const struct bm_mark_table *table);
void bm_mark_table_follow_name(struct bm_mark_table *table, uint8_t byte, bool is_end);

/* Adds a byte to a field of which n_name bytes, so far, are "Query_7" or the beginning of it. Returns the new
 * number; BM_TABLE_OTHER: the field is something else. */
uint8_t bm_mark_table_follow(uint8_t n_name, uint8_t byte);

/* --- comments.c: comment lines of -outfmt 7 */

/* Returns the form of the table that this comment line begins. `comment` has the text after the '#', up to
 * the line's end or so far. */
enum bm_table_form bm_mark_table_find_form(const char *comment, size_t n_comment);

void bm_mark_table_comment(struct bm_mark_table *table, const uint8_t *text,
                           size_t n_text); /* after the '#' */
void bm_mark_table_version(struct bm_mark_table *table);
bool bm_mark_table_fail_end(struct bm_mark_table *table);

/* Called at the end of the text, in a document. It fails if the document must have an end of its own. */
bool bm_mark_table_end(struct bm_mark_table *table);

/* Called if the text ends in a comment line without a line feed. The line counts if its content shows that it
 * is whole. */
bool bm_mark_table_end_comment(struct bm_mark_table *table);

#endif
