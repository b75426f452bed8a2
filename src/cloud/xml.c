/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "base/entity.h"
#include "base/utf8.h"
#include "cloud/xml.h"

#include <string.h>

enum {
    MAX_REFERENCE = 10
}; /* bytes, with & and ;. To look further would be quadratic where there are many & */

struct bm_cloud_xml bm_cloud_xml_open(const char *data, size_t n_data) {
    return (struct bm_cloud_xml){.data = data, .n_data = n_data, .kind = BM_XML_NOTHING};
}

static enum bm_cloud_xml_kind take_text(struct bm_cloud_xml *xml) {
    const char *start = xml->data + xml->position;
    const char *end = memchr(start, '<', xml->n_data - xml->position);
    xml->token = start;
    xml->n_token = end == NULL ? xml->n_data - xml->position : (size_t)(end - start);
    xml->position += xml->n_token;
    return xml->kind = BM_XML_TEXT;
}

/* The name in a tag's text: up to a blank, behind a prefix. */
static void take_name(struct bm_cloud_xml *xml, const char *start, const char *end) {
    const char *name = start;
    while (name < end && strchr(" \t\r\n/", *name) == NULL) {
        if (*name++ == ':') start = name;
    }
    xml->token = start;
    xml->n_token = (size_t)(name - start);
}

enum bm_cloud_xml_kind bm_cloud_xml_next(struct bm_cloud_xml *xml) {
    if (xml->is_empty) {
        xml->is_empty = false;
        return xml->kind = BM_XML_END;
    }
    while (xml->position < xml->n_data) {
        const char *start = xml->data + xml->position;
        if (*start != '<') return take_text(xml);
        const char *end = memchr(start, '>', xml->n_data - xml->position);
        if (end == NULL) break;
        xml->position = (size_t)(end - xml->data) + 1;
        if (start[1] == '?' || start[1] == '!') continue;
        bool is_end = start[1] == '/';
        xml->is_empty = !is_end && end[-1] == '/';
        take_name(xml, start + 1 + is_end, end);
        return xml->kind = is_end ? BM_XML_END : BM_XML_START;
    }
    xml->position = xml->n_data;
    return xml->kind = BM_XML_NOTHING;
}

bool bm_cloud_xml_is(const struct bm_cloud_xml *xml, enum bm_cloud_xml_kind kind, const char *name) {
    return xml->kind == kind && xml->n_token == strlen(name) && memcmp(xml->token, name, xml->n_token) == 0;
}

static void add_utf8(struct bm_cloud_text *text, uint32_t c) {
    char bytes[BM_UTF8_MOST];
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        text->is_cut = true; /* it is no character: what is without it is another text */
        return;
    }
    bm_cloud_text_add_bytes(text, bytes, bm_utf8_write(bytes, c));
}

/* Adds what a reference of n bytes, without & and ;, stands for. False if it is none that is known. */
static bool add_reference(struct bm_cloud_text *text, const char *name, size_t n) {
    char entity = bm_entity_find(name, n);
    if (entity != '\0') {
        bm_cloud_text_add_bytes(text, &entity, 1);
        return true;
    }
    if (n < 2 || name[0] != '#') return false;
    bool is_hex = name[1] == 'x';
    uint32_t value = 0;
    for (size_t i = is_hex ? 2 : 1; i < n; i++) {
        const char *digits = "0123456789abcdef";
        char c = bm_cloud_lower(name[i]);
        const char *place = memchr(digits, c, is_hex ? 16 : 10);
        if (place == NULL) return false;
        value = value * (is_hex ? 16 : 10) + (uint32_t)(place - digits);
    }
    add_utf8(text, value);
    return true;
}

void bm_cloud_xml_text(struct bm_cloud_xml *xml, struct bm_cloud_text *text) {
    if (xml->is_empty || xml->position >= xml->n_data || xml->data[xml->position] == '<') return;
    (void)take_text(xml);
    for (size_t i = 0; i < xml->n_token; i++) {
        const char *at = xml->token + i;
        size_t n_near = xml->n_token - i < MAX_REFERENCE ? xml->n_token - i : MAX_REFERENCE;
        const char *end = *at == '&' ? memchr(at, ';', n_near) : NULL;
        if (end != NULL && add_reference(text, at + 1, (size_t)(end - at) - 1)) {
            i += (size_t)(end - at);
        } else {
            bm_cloud_text_add_bytes(text, at, 1);
        }
    }
}

bool bm_cloud_xml_find(const char *data, size_t n_data, const char *name, char *value, size_t size) {
    struct bm_cloud_xml xml = bm_cloud_xml_open(data, n_data);
    struct bm_cloud_text text = bm_cloud_text_in(value, size);
    while (bm_cloud_xml_next(&xml) != BM_XML_NOTHING) {
        if (!bm_cloud_xml_is(&xml, BM_XML_START, name)) continue;
        bm_cloud_xml_text(&xml, &text);
        return true;
    }
    return false;
}

#endif
