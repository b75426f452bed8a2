/* SPDX-License-Identifier: MIT */
/* base/entity.h - references in XML: the five entities that it has without a declaration, and characters by number. */
#ifndef BM_ENTITY_H
#define BM_ENTITY_H

#include "base/base.h"

/* The character of the entity "amp", "lt", "gt", "quot" or "apos"; '\0' if the name is none of these. */
char bm_entity_find(const char *name, size_t n_name);

/* The entity's reference if the character must be written so in text: "&amp;", "&lt;", "&gt;". Else NULL. */
const char *bm_entity_of(char character);

/* The character that "#38" or "#x26" stands for, the text between '&' and ';'; 0 if it is neither, or beyond U+10FFFF. */
uint32_t bm_entity_number(const char *text, size_t n_text);

#endif
