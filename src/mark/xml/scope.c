/* SPDX-License-Identifier: MIT */
/*
 * Attributes of a start tag that apply to everything inside the element: namespaces (xmlns, xmlns:PREFIX),
 * and the attributes that XML itself passes on (xml:lang, xml:space, xml:base). A merge takes Iterations out
 * of their root and BlastOutput_iterations, so such attributes of these two elements are reported, as fields.
 */
#include "mark/xml/xml.h"

#include <string.h>

static bool begins(const struct bm_mark_xml *xml, const char *prefix) {
    size_t n = strlen(prefix);
    return xml->n_name > n && memcmp(xml->name, prefix, n) == 0;
}

static bool is_handed_down(const struct bm_mark_xml *xml) {
    return bm_mark_xml_name_is(xml, "xmlns") || begins(xml, "xmlns:") ||
           bm_mark_xml_name_is(xml, "xml:lang") || bm_mark_xml_name_is(xml, "xml:space") ||
           bm_mark_xml_name_is(xml, "xml:base");
}

void bm_mark_xml_scope_begin(struct bm_mark_xml *xml) {
    if (xml->element != BM_ELEMENT_ROOT && xml->element != BM_ELEMENT_ITERATIONS) return;
    if (!is_handed_down(xml)) return;
    bm_mark_field_begin(&xml->mark, xml->name, xml->n_name);
    xml->mark.field.is_scope = true;
    xml->scope_is_open = xml->is_watching = true;
}

void bm_mark_xml_scope_add(struct bm_mark_xml *xml, uint8_t byte) {
    const char c = (char)byte;
    if (byte != xml->quote) bm_mark_field_add(&xml->mark, &c, 1);
}

void bm_mark_xml_scope_end(struct bm_mark_xml *xml, uint64_t after) {
    if (!xml->scope_is_open) return;
    xml->scope_is_open = xml->is_watching = false;
    bm_mark_field_end(&xml->mark, after);
}
