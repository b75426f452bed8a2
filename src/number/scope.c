/* SPDX-License-Identifier: MIT */
#include "number/scope.h"

#include <string.h>

void bm_number_scope_begin(struct bm_number_scope *scope) {
    scope->n = 0;
    scope->is_beyond = false;
}

static size_t find_place(const struct bm_number_scope *scope, const char *name) {
    size_t i = 0;
    while (i < scope->n && strcmp(scope->entries[i].name, name) != 0) i++;
    return i;
}

/* NULL: it is not there, or empty. */
static const struct bm_number_scope_entry *find(const struct bm_number_scope *scope, const char *name) {
    size_t i = find_place(scope, name);
    return i < scope->n && scope->entries[i].value[0] != '\0' ? &scope->entries[i] : NULL;
}

void bm_number_scope_take(struct bm_number_scope *scope, const struct bm_mark_field *field) {
    size_t i = find_place(scope, field->name);
    size_t n_value = field->n_value < BM_SCOPE_VALUE - 1 ? field->n_value : BM_SCOPE_VALUE - 1;
    if (i == BM_SCOPE_MOST) {
        scope->is_beyond = true;
        return;
    }
    if (i == scope->n) scope->n++;
    struct bm_number_scope_entry *entry = &scope->entries[i];
    memcpy(entry->name, field->name, strlen(field->name) + 1);
    memcpy(entry->value, field->value, n_value);
    entry->value[n_value] = '\0';
    entry->hash = field->hash;
}

static bool is_prefix(const char *name) {
    return strncmp(name, "xmlns:", strlen("xmlns:")) == 0;
}

/* Whether what one of the two has is otherwise in the other. */
static bool differ(const struct bm_number_scope *one, const struct bm_number_scope *other, bool one_is_first,
                   struct bm_number_scope_difference *difference) {
    for (size_t i = 0; i < one->n; i++) {
        const char *name = one->entries[i].name;
        const struct bm_number_scope_entry *ours = find(one, name);
        const struct bm_number_scope_entry *theirs = find(other, name);
        if (ours == NULL || (theirs != NULL && theirs->hash == ours->hash)) continue;
        if (one_is_first && (theirs != NULL || is_prefix(name))) continue; /* compared before, or harmless */
        const char *value = theirs == NULL ? NULL : theirs->value;
        *difference = (struct bm_number_scope_difference){name, one_is_first ? value : ours->value,
                                                          one_is_first ? ours->value : value};
        return true;
    }
    return false;
}

bool bm_number_scope_differ(const struct bm_number_scope *first, const struct bm_number_scope *scope,
                            struct bm_number_scope_difference *difference) {
    return differ(scope, first, false, difference) || differ(first, scope, true, difference);
}
