/* SPDX-License-Identifier: MIT */
/*
 * What holds inside of an element because it was said at its start tag: namespaces (xmlns, xmlns:PREFIX), and
 * the attributes that XML itself hands down (xml:lang, xml:space, xml:base). A merge takes Iterations out of
 * their root and BlastOutput_iterations, so those of these two are told, as fields.
 */
#include "mark/internal.h"

#include <string.h>

static bool begins(const struct bm_mark *mark, const char *prefix) {
    size_t n = strlen(prefix);
    return mark->n_name > n && memcmp(mark->name, prefix, n) == 0;
}

static bool is_handed_down(const struct bm_mark *mark) {
    return bm_mark_name_is(mark, "xmlns") || begins(mark, "xmlns:") || bm_mark_name_is(mark, "xml:lang") ||
           bm_mark_name_is(mark, "xml:space") || bm_mark_name_is(mark, "xml:base");
}

void bm_mark_scope_begin(struct bm_mark *mark) {
    if (mark->element != BM_ELEMENT_ROOT && mark->element != BM_ELEMENT_ITERATIONS) return;
    if (!is_handed_down(mark)) return;
    bm_mark_field_begin(mark, mark->name, mark->n_name);
    mark->field.is_scope = true;
    mark->scope_is_open = mark->is_watching = true;
}

void bm_mark_scope_add(struct bm_mark *mark, uint8_t byte) {
    const char c = (char)byte;
    if (byte != mark->quote) bm_mark_field_add(mark, &c, 1);
}

void bm_mark_scope_end(struct bm_mark *mark, uint64_t after) {
    if (!mark->scope_is_open) return;
    mark->scope_is_open = mark->is_watching = false;
    bm_mark_field_end(mark, after);
}
