/* SPDX-License-Identifier: MIT */
#include "number/header.h"

#include <string.h>

/* What is compared beside the parameters: XML's names, and those of the other formats. */
static const struct compared {
    const char *name;
    bool is_program; /* or what makes two documents as different as that */
    bool is_database;
    bool is_version;
    bool is_plural;
    bool is_row;   /* of a table without comments */
    bool may_lack; /* a document may have none, and be like the others for all that */
} compared[] = {
    {.name = "BlastOutput_program", .is_program = true},
    {.name = "BlastOutput_version", .is_version = true},
    {.name = "BlastOutput_db", .is_database = true},
    {.name = "program", .is_program = true},
    {.name = "version", .is_version = true},
    {.name = "db", .is_database = true},
    {.name = "columns", .is_plural = true, .is_program = true},
    {.name = "header row", .is_program = true, .is_row = true},
    {.name = "fields", .is_plural = true, .is_program = true, .may_lack = true},
};

static struct compared find_compared(const char *name) {
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++) {
        if (strcmp(compared[i].name, name) == 0) return compared[i];
    }
    return (struct compared){.name = NULL};
}

void bm_number_header_begin(struct bm_number_header *header) {
    header->n_fields = 0;
    bm_number_scope_begin(&header->scope);
}

static bool is_compared(const struct bm_mark_field *field) {
    return field->is_parameter || find_compared(field->name).name != NULL;
}

static const struct bm_number_header_field *find(const struct bm_number_header *header, const char *name) {
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

void bm_number_header_take(struct bm_number_header *header, const struct bm_mark_field *field) {
    if (field->is_scope) bm_number_scope_take(&header->scope, field);
    if (field->is_scope || !is_compared(field) || header->n_fields == BM_NUMBER_HEADER_FIELDS) return;
    struct bm_number_header_field *kept = &header->fields[header->n_fields];
    copy_cut(kept->name, sizeof kept->name, field->name);
    copy_cut(kept->value, sizeof kept->value, field->value);
    kept->hash = field->hash;
    if (find(header, kept->name) == NULL) header->n_fields++; /* only the first one of a name counts */
}

static bool differ(const char *name, const struct bm_number_header_field *one,
                   const struct bm_number_header_field *other) {
    if (one == NULL || other == NULL) return !find_compared(name).may_lack;
    return one->hash != other->hash;
}

void bm_number_header_complete(struct bm_number_header *first, const struct bm_number_header *header) {
    for (size_t i = 0; i < header->n_fields && first->n_fields < BM_NUMBER_HEADER_FIELDS; i++) {
        const struct bm_number_header_field *field = &header->fields[i];
        if (!find_compared(field->name).may_lack || find(first, field->name) != NULL) continue;
        first->fields[first->n_fields++] = *field;
    }
}

bool bm_number_header_compare(const struct bm_number_header *first, const struct bm_number_header *header,
                              size_t *position, struct bm_number_header_difference *difference) {
    while (*position < first->n_fields + header->n_fields) {
        size_t i = (*position)++;
        bool is_in_first = i < first->n_fields;
        const struct bm_number_header_field *field =
            is_in_first ? &first->fields[i] : &header->fields[i - first->n_fields];
        const struct bm_number_header_field *theirs = is_in_first ? field : find(first, field->name);
        const struct bm_number_header_field *ours = is_in_first ? find(header, field->name) : field;
        if (!is_in_first && theirs != NULL) continue; /* was compared from the other side */
        if (!differ(field->name, ours, theirs)) continue;
        *difference = (struct bm_number_header_difference){
            .name = field->name,
            .is_plural = find_compared(field->name).is_plural,
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

void bm_number_header_show(const char *value, const char *other, char shown[BM_NUMBER_HEADER_SHOWN]) {
    if (value == NULL)
        memcpy(shown, "absent", sizeof "absent");
    else
        bm_show_difference(shown, BM_NUMBER_HEADER_SHOWN, value, other);
}
