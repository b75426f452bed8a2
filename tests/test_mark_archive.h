/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the archives' scanner and its fuzz target share: a maker of odd, well-formed archives.
 */
#ifndef TEST_MARK_ARCHIVE_H
#define TEST_MARK_ARCHIVE_H

#include "slow_asn1.h"
#include "test_mark.h"

static inline struct trace scan_archive(const struct bytes *text, struct split split, const char *way) {
    return scan_as(BLASTMERGE_FORMAT_ARCHIVE, text, split, way, BLASTMERGE_INVALID_UTF8_ERROR);
}

/* Whether the text is archives, as far as ASN.1 goes. */
static inline bool is_asn1(const struct bytes *text) {
    return slow_asn1_is_archives(text->data, text->n_data);
}

/* Whether an error is about what BLAST's archives hold, not about ASN.1. */
static inline bool is_about_archives(const char *message) {
    static const char *const words[] = {"was expected before here", "none of a search", "there is a second",
                                        "ends without"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(message, words[i]) != NULL) return true;
    return false;
}

/* --- a maker ------------------------------------------------------------------------------------- */

static inline void make_gap(struct bytes *text, struct chance *chance) {
    static const char *const gaps[] = {" ", "\n", "\n            ", "\r\n\t", "                      "};
    add_text(text, PICK(chance, gaps));
    if (below(chance, 300) == 0) add_repeated(text, " \n", below(chance, 3000));
}

static inline void make_quoted(struct bytes *text, struct chance *chance) {
    static const char *const pieces[] = {"MKVLAAGIVGLK",
                                         "\"\"",
                                         "\n",
                                         "}",
                                         "{",
                                         ",",
                                         "Query_7",
                                         " ",
                                         "\xc3\xa9",
                                         "\xff",
                                         "\t",
                                         "\r\n",
                                         "'",
                                         "::=",
                                         "Blast4-archive ::= {"};
    add_text(text, "\"");
    for (size_t n = below(chance, 6); n > 0; n--) add_text(text, PICK(chance, pieces));
    if (below(chance, 60) == 0) add_repeated(text, "ARNDC\"\"", below(chance, 300));
    add_text(text, "\"");
}

static inline void make_asn1(struct bytes *text, struct chance *chance, unsigned depth);

static inline void make_block(struct bytes *text, struct chance *chance, unsigned depth) {
    add_text(text, "{");
    for (size_t n = below(chance, depth > 4 ? 1 : 4); n > 0; n--) {
        make_gap(text, chance);
        make_asn1(text, chance, depth + 1);
        if (n > 1) add_text(text, ",");
    }
    make_gap(text, chance);
    add_text(text, "}");
}

static inline void make_asn1(struct bytes *text, struct chance *chance, unsigned depth) {
    static const char *const names[] = {"id ",    "local str ", "x ",   "segs denseg ", "value ", "a-b-c1\n",
                                        "score ", "loc ",       "ids ", "int ",         "title "};
    static const char *const values[] = {"0",    "-0",  "12",      "-345",    "TRUE",    "FALSE",
                                         "NULL", "''H", "'01\n'B", "'0AF9'H", "unknown", "plus"};
    for (size_t n = below(chance, 3); n > 0; n--) add_text(text, PICK(chance, names));
    size_t kind = below(chance, 4);
    if (kind == 0)
        make_quoted(text, chance);
    else if (kind == 1)
        make_block(text, chance, depth);
    else
        add_text(text, PICK(chance, values));
}

static inline void make_id(struct bytes *text, struct chance *chance) {
    static const char *const ids[] = {"local str \"Query_1\"",
                                      "local str \"Query_2\"",
                                      "local str \"Query_\n3\"",
                                      "local str \"x\"",
                                      "local id 4",
                                      "general { db \"BL_ORD_ID\", tag id 8 }",
                                      "gi 7",
                                      "local str \"Query_12345678901234567890\""};
    add_text(text, PICK(chance, ids));
}

static inline void make_query(struct bytes *text, struct chance *chance) {
    add_text(text, "seq { id { ");
    make_id(text, chance);
    add_text(text, "}, ");
    if (below(chance, 2) == 0) {
        add_text(text, "descr { title ");
        make_quoted(text, chance);
        add_text(text, " } , ");
    }
    add_text(text, "inst { repr raw, mol aa, length 110, seq-data ncbieaa ");
    make_quoted(text, chance);
    add_text(text, " } }");
}

static inline void make_option(struct bytes *text, struct chance *chance) {
    static const char mask[] =
        "query-mask { locations { packed-int { { from 1, to 2, id local str \"Query_1\" } } }, "
        "frame notset }";
    static const char *const values[] = {"integer 1",
                                         "boolean TRUE",
                                         "cutoff e-value { 1, 10, -3 }",
                                         "strand-type both-strands",
                                         "big-integer 123456789012",
                                         "seq-id-list { gi 7, local str \"\"\"\" }",
                                         mask};
    add_text(text,
             below(chance, 8) == 0 ? "{ name \"EffectiveSearchSpace\", value " : "{ name \"Option\", value ");
    add_text(text, PICK(chance, values));
    add_text(text, below(chance, 8) == 0 ? ", more 1 }" : " }");
}

static inline void make_list(struct bytes *text, struct chance *chance, size_t n_most,
                             void (*make)(struct bytes *text, struct chance *chance)) {
    add_text(text, "{");
    for (size_t n = below(chance, n_most); n > 0; n--) {
        make_gap(text, chance);
        make(text, chance);
        if (n > 1) add_text(text, ",");
    }
    make_gap(text, chance);
    add_text(text, "}");
}

static inline void make_location(struct bytes *text, struct chance *chance) {
    static const char *const strands[] = {"plus", "minus", "unknown"};
    if (below(chance, 4) == 0) {
        add_text(text, "empty ");
        make_id(text, chance);
        return;
    }
    add_text(text, "int { from 0, to 9, strand ");
    add_text(text, PICK(chance, strands));
    add_text(text, ", id ");
    make_id(text, chance);
    add_text(text, " }");
}

static inline void make_segment(struct bytes *text, struct chance *chance) {
    add_text(text, "{ dim 2, ids ");
    make_list(text, chance, 4, make_id);
    add_text(text, ", loc ");
    make_list(text, chance, 4, make_location);
    if (below(chance, 2) == 0) add_text(text, ", scores { { id str \"score\", value int 3 } }");
    add_text(text, " }");
}

static inline void make_alignment(struct bytes *text, struct chance *chance) {
    add_text(text, "{ type partial, score { { id str \"e_value\", value real { 0, 10, 0 } } }, segs ");
    if (below(chance, 2) == 0) {
        add_text(text, "denseg ");
        make_segment(text, chance);
    } else {
        add_text(text, "std ");
        make_list(text, chance, 3, make_segment);
    }
    add_text(text, " }");
}

static inline void make_archive(struct bytes *text, struct chance *chance) {
    add_text(text, "Blast4-archive ::=");
    make_gap(text, chance);
    add_text(text,
             "{ request { ident \"2.12.0+\", body queue-search { program \"blastp\", service \"plain\", ");
    switch (below(chance, 3)) {
    case 0:
        add_text(text, "queries bioseq-set { seq-set ");
        make_list(text, chance, 5, make_query);
        add_text(text, " }");
        break;
    case 1:
        add_text(text, "queries pssm { pssm { isProtein TRUE, query ");
        make_query(text, chance);
        add_text(text, ", finalData ");
        make_block(text, chance, 0);
        add_text(text, " } }");
        break;
    default:
        add_text(text, "queries seq-loc-list ");
        make_list(text, chance, 4, make_location);
    }
    add_text(text, ", subject database \"a \"\"b\"\"\", algorithm-options ");
    make_list(text, chance, 6, make_option);
    add_text(text, " } }, results { alignments ");
    make_list(text, chance, 6, make_alignment);
    add_text(text,
             ", masks { { locations { packed-int { { from 1, to 2, id local str \"Query_2\" } } }, frame "
             "notset } }, search-stats ");
    make_block(text, chance, 0);
    add_text(text, below(chance, 4) == 0 ? " }, messages { } }" : " } }");
    if (below(chance, 3) > 0) add_text(text, "\n");
}

#endif
