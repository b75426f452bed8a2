/* SPDX-License-Identifier: MIT */
/* The options that decide what a child comes to, and so must be the same in all steps. The words are the command line's. */
#include "parts/parts.h"

#define INVALID   "error|latin1|keep"
#define FORBIDDEN "error|replace|keep"
#define QUERY_IDS "auto|keep|renumber"
#define HEADERS   "once|keep|none"

json_t *bm_parts_options_write(const struct blastmerge_options *options) {
    return json_pack("{s:b, s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "as_unsplit", options->as_unsplit != 0,
                     "format", json_string(blastmerge_format_name(options->format)), "header",
                     bm_parts_json_word(HEADERS, options->header), "allow_empty", options->allow_empty != 0,
                     "salvage", options->salvage != 0, "invalid_utf8",
                     bm_parts_json_word(INVALID, options->invalid_utf8), "forbidden_characters",
                     bm_parts_json_word(FORBIDDEN, options->forbidden_characters), "query_ids",
                     bm_parts_json_word(QUERY_IDS, options->query_ids));
}

bool bm_parts_options_read(const json_t *object, struct blastmerge_options *options) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    options->as_unsplit = bm_parts_json_take_flag(&members, "as_unsplit");
    options->format = bm_parts_json_take_format(&members, "format");
    options->header = bm_parts_json_take_word(&members, "header", HEADERS);
    options->allow_empty = bm_parts_json_take_flag(&members, "allow_empty");
    options->salvage = bm_parts_json_take_flag(&members, "salvage");
    options->invalid_utf8 = bm_parts_json_take_word(&members, "invalid_utf8", INVALID);
    options->forbidden_characters = bm_parts_json_take_word(&members, "forbidden_characters", FORBIDDEN);
    options->query_ids = bm_parts_json_take_word(&members, "query_ids", QUERY_IDS);
    return bm_parts_json_end(&members);
}

const char *bm_parts_options_differ(const json_t *tallies, const json_t *given, const json_t *defaults) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, name, value) {
        bool is_given = !json_equal(value, json_object_get(defaults, name));
        if (is_given && !json_equal(value, json_object_get(tallies, name))) return name;
    }
    return NULL;
}
