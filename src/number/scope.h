/* SPDX-License-Identifier: MIT */
/*
 * number/scope.h - attributes of a document's root and BlastOutput_iterations that apply to the Iterations
 * in them: namespaces and the like. In the result, the Iterations are inside the first document's elements.
 */
#ifndef BM_SCOPE_H
#define BM_SCOPE_H

#include "mark/mark.h"

enum {
    BM_SCOPE_MOST = 32,  /* such attributes of a document */
    BM_SCOPE_VALUE = 128 /* bytes of a value that are kept for messages, with the NUL */
};

struct bm_number_scope_entry {
    char name[BM_MARK_MAX_NAME + 1];
    char value[BM_SCOPE_VALUE]; /* "": as if it were absent */
    uint64_t hash;              /* of the name and the whole value */
};

struct bm_number_scope {
    size_t n;
    bool is_beyond; /* there were more */
    struct bm_number_scope_entry entries[BM_SCOPE_MOST];
};

/* Empties it for the next document. */
void bm_number_scope_begin(struct bm_number_scope *scope);

/* Adds such an attribute; one of the inner element replaces that of the outer one. */
void bm_number_scope_take(struct bm_number_scope *scope, const struct bm_mark_field *field);

struct bm_number_scope_difference {
    const char *name;
    const char *value;       /* NULL: this document has none */
    const char *first_value; /* NULL: the first one has none */
};

/* Whether the document's Iterations would mean something else inside the first one's elements. Prefixes that
 * only the first one declares do no harm. */
bool bm_number_scope_differ(const struct bm_number_scope *first, const struct bm_number_scope *scope,
                            struct bm_number_scope_difference *difference);

#endif
