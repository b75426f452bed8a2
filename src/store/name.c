/* SPDX-License-Identifier: MIT */
/* The form and media type of an output, by the ending of its name. */
#include "cloud/location.h"
#include "format/format.h"
#include "store/store.h"

#include <string.h>
#include <strings.h>

struct ending {
    const char *ending;
    enum blastmerge_form form;
    const char *media_type;
};

/* Besides those of the formats. */
static const struct ending endings[] = {
    {"tab", BLASTMERGE_FORM_PLAIN, "text/tab-separated-values"},
    {"bgz", BLASTMERGE_FORM_BGZF, "application/gzip"},
    {"zst", BLASTMERGE_FORM_OTHER, "application/gzip"},
    {"xz", BLASTMERGE_FORM_OTHER, "application/gzip"},
    {"bz2", BLASTMERGE_FORM_OTHER, "application/gzip"},
    {"lz4", BLASTMERGE_FORM_OTHER, "application/gzip"},
};

static bool is_ending(const char *text, size_t n_text, const char *ending) {
    return ending != NULL && strlen(ending) == n_text && strncasecmp(text, ending, n_text) == 0;
}

/* That of any other name is of gzip, and NULL. A hidden file is not its own ending: ".xml" has none. */
static struct ending find_ending(const char *location) {
    enum bm_cloud_scheme scheme = bm_cloud_location_scheme(location);
    bool is_url = scheme == BM_SCHEME_HTTP || scheme == BM_SCHEME_HTTPS;
    size_t n = is_url ? strcspn(location, "?#") : strlen(location);
    size_t dot = n;
    while (dot > 0 && location[dot - 1] != '.' && location[dot - 1] != '/') dot--;
    const char *text = location + dot;
    bool has_ending = dot >= 2 && text[-1] == '.' && text[-2] != '/';
    for (int i = 0; has_ending && i <= (int)bm_format_last(); i++)
        if (is_ending(text, n - dot, bm_formats[i].ending))
            return (struct ending){bm_formats[i].ending, BLASTMERGE_FORM_PLAIN, bm_formats[i].media_type};
    for (size_t i = 0; has_ending && i < sizeof endings / sizeof *endings; i++)
        if (is_ending(text, n - dot, endings[i].ending)) return endings[i];
    return (struct ending){NULL, BLASTMERGE_FORM_GZIP, NULL};
}

enum blastmerge_form bm_store_form_of_name(const char *location) {
    return find_ending(location).form;
}

const char *bm_store_media_type(const char *location, enum blastmerge_form form) {
    const struct ending ending = find_ending(location);
    if (form != BLASTMERGE_FORM_PLAIN) return "application/gzip";
    return ending.form != form ? "application/octet-stream" : ending.media_type;
}
