/* SPDX-License-Identifier: MIT */
/*
 * A field is an element without elements whose name is one of BLAST's, BlastOutput_... or Parameters_..., with
 * its end tag. The scanner decides whether its content is well-formed: each field is tried in a document of its
 * own. The text between fields does not count.
 */
#include "salvage/header.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char plain_declaration[] = "<?xml version=\"1.0\"?>";
static const char doctype[] = "<!DOCTYPE BlastOutput PUBLIC \"-//NCBI//NCBI BlastOutput/EN\" "
                              "\"http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd\">";
static const char iterations[] = "<BlastOutput_iterations>";

enum { LONGEST_NAME = 64, LONGEST_DECLARATION = 200 };

/* A stretch of the beginning. */
struct piece {
    const char *text;
    size_t n_text;
    size_t n_name; /* of a field: "<NAME>" begins it */
};

static bool begins_with(const char *text, size_t n_text, const char *beginning) {
    size_t n = strlen(beginning);
    return n_text >= n && memcmp(text, beginning, n) == 0;
}

/* --- judging --------------------------------------------------------------------------------------- */

static bool scan(struct bm_mark *mark, const char *text, size_t n_text) {
    struct bm_mark_list marks;
    struct blastmerge_error error;
    while (n_text > 0) {
        size_t n_used = 0;
        marks.n_entries = 0;
        if (bm_mark_step(mark, (const uint8_t *)text, n_text, &n_used, &marks, &error) != BLASTMERGE_OK)
            return false;
        text += n_used;
        n_text -= n_used;
    }
    return true;
}

/* Whether a document with this declaration and this field is right. */
static bool is_whole(struct bm_mark *mark, const struct piece *declaration, const struct piece *field) {
    static const char begin[] = "<BlastOutput>", end[] = "<BlastOutput_iterations/></BlastOutput>";
    struct bm_mark_list marks = {.n_entries = 0};
    struct blastmerge_error error;
    bm_mark_reset(mark);
    return scan(mark, declaration->text, declaration->n_text) && scan(mark, begin, sizeof begin - 1) &&
           scan(mark, field->text, field->n_text) && scan(mark, end, sizeof end - 1) &&
           bm_mark_finish(mark, &marks, &error) == BLASTMERGE_OK;
}

/* --- finding --------------------------------------------------------------------------------------- */

static struct piece find_declaration(const char *text, size_t n_text) {
    const struct piece plain = {plain_declaration, sizeof plain_declaration - 1, 0};
    const size_t n_bom = bm_measure_bom(text, n_text);
    text += n_bom;
    n_text -= n_bom;
    if (!begins_with(text, n_text, "<?xml ")) return plain;
    if (n_text > LONGEST_DECLARATION) n_text = LONGEST_DECLARATION;
    const char *end = memchr(text, '>', n_text);
    if (end == NULL || end[-1] != '?') return plain;
    return (struct piece){text, (size_t)(end - text) + 1, 0};
}

static size_t measure_name(const char *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && ((text[n] | 0x20) >= 'a' && (text[n] | 0x20) <= 'z')) n++;
    if (n == n_text || text[n] != '_') return 0;
    do n++;
    while (n < n_text && (((text[n] | 0x20) >= 'a' && (text[n] | 0x20) <= 'z') || text[n] == '-'));
    return n;
}

/* The field that begins at the '<', if one does. */
static bool find_field(const char *less, size_t n_text, struct piece *field) {
    bool is_known =
        begins_with(less + 1, n_text - 1, "BlastOutput_") || begins_with(less + 1, n_text - 1, "Parameters_");
    size_t n_name = is_known ? measure_name(less + 1, n_text - 1) : 0;
    size_t n_tag = n_name + 2;
    if (n_name == 0 || n_name > LONGEST_NAME || n_tag > n_text || less[n_name + 1] != '>') return false;
    const char *end = memchr(less + n_tag, '<', n_text - n_tag);
    if (end == NULL) return false;
    size_t n_rest = n_text - (size_t)(end - less);
    if (n_rest < n_tag + 1 || end[1] != '/' || memcmp(end + 2, less + 1, n_name + 1) != 0) return false;
    *field = (struct piece){less, (size_t)(end - less) + n_tag + 1, n_name};
    return n_name != strlen("BlastOutput_mbstat") || memcmp(less + 1, "BlastOutput_mbstat", n_name) != 0;
}

static bool has_field(const struct piece *fields, size_t n_fields, const struct piece *field) {
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i].n_name == field->n_name && memcmp(fields[i].text, field->text, field->n_name + 1) == 0)
            return true;
    return false;
}

/* Where the header ends at the latest. */
static size_t find_end(const char *text, size_t n_text) {
    static const char *const ends[] = {"<BlastOutput_iterations", "<Iteration>"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const char *found = memmem(text, n_text, ends[i], strlen(ends[i]));
        if (found != NULL) n_text = (size_t)(found - text);
    }
    return n_text;
}

/* --- making ---------------------------------------------------------------------------------------- */

static void add(struct bm_salvage_header *header, const char *text, size_t n_text) {
    assert(n_text <= sizeof header->text - header->n_text);
    memcpy(header->text + header->n_text, text, n_text);
    header->n_text += n_text;
}

static void add_line(struct bm_salvage_header *header, const char *indentation, const char *text,
                     size_t n_text) {
    add(header, indentation, strlen(indentation));
    add(header, text, n_text);
    add(header, "\n", 1);
}

static void add_string(struct bm_salvage_header *header, const char *text) {
    add_line(header, "", text, strlen(text));
}

static bool is_parameter(const struct piece *field) {
    return begins_with(field->text, field->n_text, "<Parameters_");
}

static void add_fields(struct bm_salvage_header *header, const struct piece *fields, size_t n_fields) {
    bool has_parameters = false;
    for (size_t i = 0; i < n_fields; i++) {
        if (is_parameter(&fields[i]))
            has_parameters = true;
        else
            add_line(header, "  ", fields[i].text, fields[i].n_text);
    }
    if (!has_parameters) return;
    add_string(header, "  <BlastOutput_param>\n    <Parameters>");
    for (size_t i = 0; i < n_fields; i++)
        if (is_parameter(&fields[i])) add_line(header, "      ", fields[i].text, fields[i].n_text);
    add_string(header, "    </Parameters>\n  </BlastOutput_param>");
}

void bm_salvage_make_header(struct bm_salvage_header *header, const char *beginning, size_t n_beginning,
                            struct bm_mark *mark) {
    struct piece fields[BM_SALVAGE_FIELDS];
    const struct piece none = {"", 0, 0};
    size_t n_text = find_end(beginning, n_beginning);
    struct piece declaration = find_declaration(beginning, n_text);
    if (!is_whole(mark, &declaration, &none))
        declaration = (struct piece){plain_declaration, sizeof plain_declaration - 1, 0};
    header->n_fields = header->n_text = 0;
    size_t at = 0;
    while (at < n_text && header->n_fields < BM_SALVAGE_FIELDS) {
        struct piece field;
        const char *less = memchr(beginning + at, '<', n_text - at);
        if (less == NULL) break;
        at = (size_t)(less - beginning) + 1;
        if (!find_field(less, n_text - (at - 1), &field)) continue;
        at += field.n_text - 1;
        if (has_field(fields, header->n_fields, &field) || !is_whole(mark, &declaration, &field)) continue;
        fields[header->n_fields++] = field;
    }
    add_line(header, "", declaration.text, declaration.n_text);
    add_string(header, doctype);
    add_string(header, "<BlastOutput>");
    add_fields(header, fields, header->n_fields);
    add(header, iterations, sizeof iterations - 1);
}
