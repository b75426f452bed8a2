/* SPDX-License-Identifier: MIT */
#include "number/header.h"

#include <stdio.h>
#include <string.h>

/* What is compared beside the parameters: XML's names, and those of the other formats. */
static const struct compared {
    const char *name;
    bool is_program; /* or what makes two documents as different as that */
    bool is_database;
    bool is_version;
    bool is_row;   /* of a table without comments */
    bool may_lack; /* a document may have none, and be like the others for all that */
} compared[] = {
    {.name = "BlastOutput_program", .is_program = true},
    {.name = "BlastOutput_version", .is_version = true},
    {.name = "BlastOutput_db", .is_database = true},
    {.name = "program", .is_program = true},
    {.name = "version", .is_version = true},
    {.name = "db", .is_database = true},
    {.name = "columns", .is_program = true},
    {.name = "header row", .is_program = true, .is_row = true},
    {.name = "fields", .is_program = true, .may_lack = true},
};

static struct compared find_compared(const char *name) {
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++) {
        if (strcmp(compared[i].name, name) == 0) return compared[i];
    }
    return (struct compared){.name = NULL};
}

void bm_header_begin(struct bm_header *header) {
    header->n_fields = 0;
    bm_scope_begin(&header->scope);
}

static bool is_compared(const struct bm_mark_field *field) {
    return field->is_parameter || find_compared(field->name).name != NULL;
}

static const struct bm_header_field *find(const struct bm_header *header, const char *name) {
    for (size_t i = 0; i < header->n_fields; i++) {
        if (strcmp(header->fields[i].name, name) == 0) return &header->fields[i];
    }
    return NULL;
}

/* Copies a string; what does not fit is cut. */
static void copy_cut(char *copy, size_t size, const char *text) {
    size_t n = strlen(text);
    if (n >= size) n = size - 1;
    memcpy(copy, text, n);
    copy[n] = '\0';
}

void bm_header_take(struct bm_header *header, const struct bm_mark_field *field) {
    if (field->is_scope) bm_scope_take(&header->scope, field);
    if (field->is_scope || !is_compared(field) || header->n_fields == BM_HEADER_FIELDS) return;
    struct bm_header_field *kept = &header->fields[header->n_fields];
    copy_cut(kept->name, sizeof kept->name, field->name);
    copy_cut(kept->value, sizeof kept->value, field->value);
    kept->hash = field->hash;
    if (find(header, kept->name) == NULL) header->n_fields++; /* only the first one of a name counts */
}

static bool differ(const char *name, const struct bm_header_field *one, const struct bm_header_field *other) {
    if (one == NULL || other == NULL) return !find_compared(name).may_lack;
    return one->hash != other->hash;
}

void bm_header_complete(struct bm_header *first, const struct bm_header *header) {
    for (size_t i = 0; i < header->n_fields && first->n_fields < BM_HEADER_FIELDS; i++) {
        const struct bm_header_field *field = &header->fields[i];
        if (!find_compared(field->name).may_lack || find(first, field->name) != NULL) continue;
        first->fields[first->n_fields++] = *field;
    }
}

bool bm_header_compare(const struct bm_header *first, const struct bm_header *header, size_t *position,
                       struct bm_header_difference *difference) {
    while (*position < first->n_fields + header->n_fields) {
        size_t i = (*position)++;
        bool is_in_first = i < first->n_fields;
        const struct bm_header_field *field =
            is_in_first ? &first->fields[i] : &header->fields[i - first->n_fields];
        const struct bm_header_field *theirs = is_in_first ? field : find(first, field->name);
        const struct bm_header_field *ours = is_in_first ? find(header, field->name) : field;
        if (!is_in_first && theirs != NULL) continue; /* was compared from the other side */
        if (!differ(field->name, ours, theirs)) continue;
        *difference = (struct bm_header_difference){
            .name = field->name,
            .value = ours == NULL ? NULL : ours->value,
            .first_value = theirs == NULL ? NULL : theirs->value,
            .is_program = find_compared(field->name).is_program,
            .is_database = find_compared(field->name).is_database,
            .is_version = find_compared(field->name).is_version,
            .may_be_row = find_compared(field->name).is_row,
        };
        return true;
    }
    return false;
}

/* --- values in messages ---------------------------------------------------------------------------- */

enum { MOST_SHOWN = 88, MOST_ALIKE = 60, BEFORE = 16, LONGEST_ESCAPE = 10 };

static size_t find_difference(const char *one, const char *other) {
    size_t n = 0;
    while (one[n] != '\0' && one[n] == other[n]) n++;
    while (n > 0 && ((uint8_t)one[n] & 0xc0) == 0x80) n--; /* a character's begin */
    return n;
}

/* The character of UTF-8 that begins here and its length; 1 and the byte where none does. */
static size_t read_character(const char *text, uint32_t *character) {
    const uint8_t *p = (const uint8_t *)text;
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    *character = n < 2 ? *p : *p & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            n = 0;
        else
            *character = *character << 6 | (p[i] & 0x3f);
    }
    if (n == 0) *character = *p;
    return n == 0 ? 1 : n;
}

static size_t print_character(char *shown, const char *text, size_t n_text, bool escapes_all) {
    uint32_t character;
    (void)read_character(text, &character);
    bool is_alone = n_text == 1;
    if (is_alone && (uint8_t)*text >= ' ' && (uint8_t)*text < 0x7f) {
        *shown = *text;
        return 1;
    }
    if (*text == '\t') {
        memcpy(shown, "\\t", 2);
        return 2;
    }
    if (is_alone) return (size_t)snprintf(shown, LONGEST_ESCAPE + 1, "\\x%02x", (uint8_t)*text);
    if (escapes_all) return (size_t)snprintf(shown, LONGEST_ESCAPE + 1, "\\u{%04x}", (unsigned)character);
    memcpy(shown, text, n_text);
    return n_text;
}

/* Whether a reader could take the value for the other one, or not see all of it, without quotes. */
static bool needs_quotes(const char *value) {
    size_t n = strlen(value);
    if (n == 0 || value[0] == ' ' || value[n - 1] == ' ' || strstr(value, "  ") != NULL) return true;
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)value[i] < ' ' || (uint8_t)value[i] == 0x7f) return true;
    return false;
}

void bm_header_show(const char *value, const char *other, char shown[BM_HEADER_SHOWN]) {
    if (value == NULL) {
        memcpy(shown, "absent", sizeof "absent");
        return;
    }
    bool is_compared_with = other != NULL;
    size_t at = is_compared_with ? find_difference(value, other) : 0;
    bool is_alike = is_compared_with && value[at] == '\0' && other[at] == '\0'; /* as far as they were kept */
    bool escapes_all = is_compared_with && ((uint8_t)value[at] >= 0x80 || (uint8_t)other[at] >= 0x80);
    bool has_quotes = needs_quotes(value) || (is_compared_with && needs_quotes(other)) || escapes_all;
    size_t from = at <= MOST_ALIKE ? 0 : at - BEFORE;
    while (from > 0 && ((uint8_t)value[from] & 0xc0) == 0x80) from--;
    size_t n =
        (size_t)snprintf(shown, BM_HEADER_SHOWN, "%s%s", has_quotes ? "\"" : "", from > 0 ? "..." : "");
    while (value[from] != '\0' && n < MOST_SHOWN) {
        uint32_t character;
        size_t n_text = read_character(value + from, &character);
        n += print_character(shown + n, value + from, n_text, escapes_all);
        from += n_text;
    }
    snprintf(shown + n, BM_HEADER_SHOWN - n, "%s%s%s", value[from] != '\0' ? "..." : "",
             has_quotes ? "\"" : "", is_alike ? " (and differs further on)" : "");
}
