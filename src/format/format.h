/* SPDX-License-Identifier: MIT */
/*
 * format/format.h - what the rooms ask about a format, as plain data. format.c has a row for each format, and says at its
 * first row what each field is.
 */
#ifndef BM_FORMAT_ROWS_H
#define BM_FORMAT_ROWS_H

#include "base/base.h"

/* How a format writes strings. */
enum bm_format_syntax {
    BM_SYNTAX_PLAIN, /* nothing is escaped */
    BM_SYNTAX_XML, /* &amp; and the like; bytes beyond ASCII are UTF-8, or UTF-8 that was turned to ISO-8859-1 */
    BM_SYNTAX_JSON /* \" and the like; all other bytes are literal */
};

struct bm_format_query {
    const char *number, *id, *title, *length;
    char end;
    const char *before_hits, *no_title;
};

struct bm_format {
    const char *name, *title;
    char expected[56];
    const char *ending, *media_type;
    int outfmt;

    enum bm_format_syntax syntax;
    char separator;
    const char *separators;
    bool has_separators_in_fields;
    bool has_comments, has_hits, has_header, has_archives, can_be_salvaged;

    char joint[4], joint_open[4], joint_ordered[4], joint_indexed[4];
    char end_tag[28], epilogue[48];
    bool has_count;

    struct bm_format_query query;
    const char *hits, *evalue;
    const char *program, *psiblast;

    struct {
        const char *name;
        int outfmt;
        const char *supported_outfmt, *precision_level, *assembly, *kind;
    } service;
};

/* By the number of enum blastmerge_format. */
extern const struct bm_format bm_formats[];

/* Whether the format, which may be any number, has a row. */
bool bm_format_is_known(enum blastmerge_format format);

/* The last format. */
enum blastmerge_format bm_format_last(void);

/* The row of a format that has one. */
static inline const struct bm_format *bm_format_of(enum blastmerge_format format) {
    return &bm_formats[format];
}

/* Whether it is a format of rows. */
static inline bool bm_format_is_table(enum blastmerge_format format) {
    return bm_format_of(format)->separator != '\0';
}

/* Whether it is a format of rows without comments: only their first column tells where a query's begin. */
static inline bool bm_format_is_bare_table(enum blastmerge_format format) {
    return bm_format_is_table(format) && !bm_format_of(format)->has_comments;
}

/* The bare table behind this one, from AUTO on; AUTO: there is none. */
enum blastmerge_format bm_format_next_bare_table(enum blastmerge_format format);

/* Returns false, and AUTO, if no format has this name. */
bool bm_format_find(const char *name, enum blastmerge_format *format);

#endif
