/* SPDX-License-Identifier: MIT */
/*
 * number/header.h - whether documents belong together: compares the program, version, database and parameters of
 * each with the first one's.
 */
#ifndef BM_NUMBER_HEADER_H
#define BM_NUMBER_HEADER_H

#include "mark/mark.h"
#include "number/scope.h"

enum {
    BM_NUMBER_HEADER_FIELDS =
        40, /* program, version, database and parameters that are compared; NCBI's DTD has 14 */
    BM_NUMBER_HEADER_NAME = 64, /* bytes of a name and of a value that are kept for messages, with the NUL */
    BM_NUMBER_HEADER_VALUE = BM_MARK_MAX_VALUE + 1,
    BM_NUMBER_HEADER_SHOWN = 128 /* bytes of a value as a message shows it */
};

struct bm_number_header_field {
    char name[BM_NUMBER_HEADER_NAME];
    char value[BM_NUMBER_HEADER_VALUE];
    uint64_t hash; /* of the whole name and value */
};

struct bm_number_header {
    struct bm_number_header_field fields[BM_NUMBER_HEADER_FIELDS];
    size_t n_fields;
    struct bm_number_scope scope;
};

/* Empties it for the next document. */
void bm_number_header_begin(struct bm_number_header *header);

/* Adds the field if it is compared, or belongs to the scope. */
void bm_number_header_take(struct bm_number_header *header, const struct bm_mark_field *field);

/* Copies the fields that a document may lack, and that the first one lacks, from this one to the first. */
void bm_number_header_complete(struct bm_number_header *first, const struct bm_number_header *header);

struct bm_number_header_difference {
    const char *name;
    bool is_plural;          /* the name: a table's fields, its columns */
    const char *value;       /* NULL: this document has no such field */
    const char *first_value; /* NULL: the first one has none */
    bool is_program;         /* an error, by default */
    bool is_database;
    bool is_version;
    bool may_be_row; /* it is a row of column names, and may have been mistaken for one */
};

/* The next difference from *position (0 at the beginning) on; false if there is none. */
bool bm_number_header_compare(const struct bm_number_header *first, const struct bm_number_header *header,
                              size_t *position, struct bm_number_header_difference *difference);

/* Writes one of two different values for a message, as bm_show_difference() does, or "absent". */
void bm_number_header_show(const char *value, const char *other, char shown[BM_NUMBER_HEADER_SHOWN]);

#endif
