/* SPDX-License-Identifier: MIT */
/*
 * cloud/xml.h - reads the small XML answers of object stores: only elements and text. Only the five predefined
 * entities and character references are expanded; anything unusual is skipped.
 */
#ifndef BM_CLOUD_XML_H
#define BM_CLOUD_XML_H

#include "cloud/text.h"

enum bm_cloud_xml_kind { BM_XML_START, BM_XML_END, BM_XML_TEXT, BM_XML_NOTHING };

struct bm_cloud_xml {
    const char *data;
    size_t n_data;
    size_t position;
    enum bm_cloud_xml_kind kind;
    const char *token; /* the element's name without a prefix, or the unchanged text */
    size_t n_token;
    bool is_empty; /* a start tag was <a/>: its end is next */
};

struct bm_cloud_xml bm_cloud_xml_open(const char *data, size_t n_data);

/* Goes to the next token; BM_XML_NOTHING at the end. */
enum bm_cloud_xml_kind bm_cloud_xml_next(struct bm_cloud_xml *xml);

bool bm_cloud_xml_is(const struct bm_cloud_xml *xml, enum bm_cloud_xml_kind kind, const char *name);

/* After a start tag: the element's text, up to the next tag. */
void bm_cloud_xml_text(struct bm_cloud_xml *xml, struct bm_cloud_text *text);

/* Finds the text of the first element of the name; false if there is none. */
bool bm_cloud_xml_find(const char *data, size_t n_data, const char *name, char *value, size_t size);

#endif
