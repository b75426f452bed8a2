/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the JSON scanner and its fuzz target share: a maker of odd, well-formed documents.
 */
#ifndef TEST_MARK_JSON_H
#define TEST_MARK_JSON_H

#include "test_mark.h"

static inline struct trace scan_json(const struct bytes *text, struct split split, const char *way,
                                     enum blastmerge_invalid_utf8 invalid_utf8) {
    return scan_as(BLASTMERGE_FORMAT_JSON, text, split, way, invalid_utf8);
}

static inline void make_blanks(struct bytes *text, struct chance *chance) {
    static const char *const blanks[] = {
        "", "", " ", "\n", "\n            ", "\r\n\t", "                      "};
    add_text(text, PICK(chance, blanks));
    if (below(chance, 300) == 0) add_repeated(text, " \n", below(chance, 3000));
}

static inline void make_token(struct bytes *text, struct chance *chance, const char *token) {
    make_blanks(text, chance);
    add_text(text, token);
    make_blanks(text, chance);
}

static inline void make_string(struct bytes *text, struct chance *chance) {
    static const char *const pieces[] = {
        "MKVLAAGIVGLK--AEELLKTG",
        "+ +  ++",
        " ",
        "[Homo sapiens], {x}: y",
        "\\\"",
        "\\\\",
        "\\\\\\\"",
        "\\n\\t\\r\\b\\f\\/",
        "\\u0041\\u00e9\\uFFFF\\uabCD",
        "\\ud83e\\uddec",
        "\\uDBFF\\uDFFF\\uD7FF\\uE000",
        "Sch\303\244ffer",
        "\316\261\316\262\316\263\316\264",
        "\346\274\242\345\255\227",
        "\360\237\247\254",
        "\357\277\277\357\273\277",
        "\177",
        "'/*//",
    };
    add_text(text, "\"");
    for (size_t n = below(chance, 4); n > 0; n--) add_text(text, PICK(chance, pieces));
    if (below(chance, 100) == 0) add_text(text, "\\u0000");
    if (below(chance, 40) == 0) add_repeated(text, PICK(chance, pieces), below(chance, 400));
    add_text(text, "\"");
}

static inline void make_scalar(struct bytes *text, struct chance *chance) {
    static const char *const scalars[] = {
        "0",        "1",
        "57",       "-1",
        "-0",       "27.335",
        "0.0507",   "1e-05",
        "1.5E+10",  "-0.0e0",
        "10",       "123456789012345",
        "true",     "false",
        "null",     "1234567890123456",
        "0.1",      "9e9",
        "12345678", "123456789012345678901234567890",
        "1e0001",   "0.123456789012345678",
    };
    if (below(chance, 3) == 0) {
        make_string(text, chance);
    } else {
        add_text(text, PICK(chance, scalars));
    }
}

/* Values in each other, up to eight deep. `close` is what ends each that is open. */
static inline void make_value(struct bytes *text, struct chance *chance) {
    char close[8];
    size_t depth = 0;
    size_t n_left = below(chance, 12) == 0 ? 40 : 3;
    do {
        if (depth < sizeof close && n_left > 0 && below(chance, 3) == 0) {
            close[depth] = below(chance, 2) == 0 ? ']' : '}';
            make_token(text, chance, close[depth++] == ']' ? "[" : "{");
        } else {
            if (depth > 0 && close[depth - 1] == '}') {
                make_string(text, chance);
                make_token(text, chance, ":");
            }
            make_scalar(text, chance);
            while (depth > 0 && (n_left == 0 || below(chance, 3) == 0)) {
                make_token(text, chance, close[--depth] == ']' ? "]" : "}");
            }
            if (depth > 0) make_token(text, chance, ",");
        }
        n_left -= n_left > 0;
        if (depth > 0 && close[depth - 1] == '}' && below(chance, 4) == 0) {
            make_string(text, chance);
            make_token(text, chance, ": 1,");
        }
        if (depth > 0 && close[depth - 1] == '}' && text->data[text->n_data - 1] != ',') {
            make_string(text, chance);
            make_token(text, chance, ":");
            make_scalar(text, chance);
            make_token(text, chance, ",");
        }
    } while (depth > 0);
}

static inline void make_members(struct bytes *text, struct chance *chance, size_t n, const char *const *names,
                                size_t n_names) {
    for (; n > 0; n--) {
        if (below(chance, 3) > 0) {
            add_text(text, "\"");
            add_text(text, names[below(chance, n_names)]);
            add_text(text, "\"");
        } else {
            make_string(text, chance);
        }
        make_token(text, chance, ":");
        make_scalar(text, chance);
        make_token(text, chance, ",");
    }
}

static inline void make_hits(struct bytes *text, struct chance *chance) {
    make_token(text, chance, "\"hits\": [");
    for (size_t n = below(chance, 4); n > 0; n--) {
        add_text(text, "{\"num\": 1, \"description\": [{\"id\": \"gnl|1\"}], \"hsps\": [");
        for (size_t n_hsps = below(chance, 3); n_hsps > 0; n_hsps--) {
            add_text(text, "{\"num\": 1,\n \"bit_score\": 27.335,\n  \"evalue\": 1.5e-05, \"qseq\": ");
            make_string(text, chance);
            add_text(text, n_hsps > 1 ? "}," : "}");
        }
        add_text(text, "]");
        make_blanks(text, chance);
        add_text(text, n > 1 ? "}," : "}");
    }
    make_token(text, chance, "]");
}

static inline void make_search(struct bytes *text, struct chance *chance) {
    static const char *const names[] = {"query_id", "message", "query_title", "hits", "x"};
    make_token(text, chance, "{");
    make_members(text, chance, below(chance, 5), names, sizeof names / sizeof names[0]);
    if (below(chance, 2) == 0) {
        make_hits(text, chance);
        add_text(text, ",");
    }
    add_text(text, "\"stat\":");
    if (below(chance, 2) == 0) {
        make_scalar(text, chance);
    } else {
        add_text(text, "{\"db_num\": 3000}");
    }
    make_token(text, chance, "}");
}

static inline void make_report(struct bytes *text, struct chance *chance) {
    static const char *const headers[] = {"program", "version", "reference", "db", "params"};
    static const char *const results[] = {
        "{\"search\":", "{\"iterations\": [{\"iter_num\": 1, \"search\":", "{\"bl2seq\": [", "{\"x\":"};
    static const char *const ends[] = {"}", "}]}", "]}", "}"};
    size_t kind = below(chance, 4);
    make_token(text, chance, "{");
    add_text(text, "\"report\": {");
    make_members(text, chance, below(chance, 4), headers, sizeof headers / sizeof headers[0]);
    if (below(chance, 2) == 0) add_text(text, "\"search_target\": {\"db\": \"nr\\n\"},");
    if (below(chance, 2) == 0) add_text(text, "\"params\": {\"expect\":10 , \"filter\": \"F\", \"cbs\": 2},");
    add_text(text, "\"results\":");
    add_text(text, results[kind]);
    make_search(text, chance);
    add_text(text, ends[kind]);
    if (below(chance, 8) == 0) add_text(text, ", \"more\": [[{}], {}, []]");
    add_text(text, "}");
    make_blanks(text, chance);
    if (below(chance, 8) == 0) add_text(text, ", \"more\": 1 ");
    make_token(text, chance, "}");
}

/* A document that is well-formed and BLAST's. */
static inline void make_json(struct bytes *text, struct chance *chance, size_t n_reports) {
    make_token(text, chance, "{");
    if (below(chance, 10) == 0) add_text(text, "\"x\": [1, {\"BlastOutput2\": 1}],");
    add_text(text, "\"BlastOutput2\":");
    make_token(text, chance, "[");
    for (; n_reports > 0; n_reports--) {
        make_report(text, chance);
        if (n_reports > 1) make_token(text, chance, ",");
    }
    make_token(text, chance, "]");
    if (below(chance, 10) == 0) add_text(text, ",\"y\": \"z\"");
    make_token(text, chance, "}");
}

#endif
