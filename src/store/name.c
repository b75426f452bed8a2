/* SPDX-License-Identifier: MIT */
/* The form and media type of an output, by the ending of its name. */
#include "cloud/location.h"
#include "store/store.h"

#include <string.h>
#include <strings.h>

static const struct ending {
    const char *ending;
    enum blastmerge_form form;
    const char *media_type;
} endings[] = {
    {"xml", BLASTMERGE_FORM_PLAIN, "application/xml"},
    {"json", BLASTMERGE_FORM_PLAIN, "application/json"},
    {"tsv", BLASTMERGE_FORM_PLAIN, "text/tab-separated-values"},
    {"tab", BLASTMERGE_FORM_PLAIN, "text/tab-separated-values"},
    {"csv", BLASTMERGE_FORM_PLAIN, "text/csv"},
    {"txt", BLASTMERGE_FORM_PLAIN, "text/plain"},
    {"asn", BLASTMERGE_FORM_PLAIN, "text/plain"},
    {"bgz", BLASTMERGE_FORM_BGZF, "application/gzip"},
    {"zst", BLASTMERGE_FORM_OTHER, "application/gzip"},
    {"xz", BLASTMERGE_FORM_OTHER, "application/gzip"},
    {"bz2", BLASTMERGE_FORM_OTHER, "application/gzip"},
    {"lz4", BLASTMERGE_FORM_OTHER, "application/gzip"},
};

/* NULL: any other. A hidden file is not its own ending: ".xml" has none. */
static const struct ending *find_ending(const char *location) {
    enum bm_cloud_scheme scheme = bm_cloud_location_scheme(location);
    bool is_url = scheme == BM_SCHEME_HTTP || scheme == BM_SCHEME_HTTPS;
    size_t n = is_url ? strcspn(location, "?#") : strlen(location);
    size_t dot = n;
    while (dot > 0 && location[dot - 1] != '.' && location[dot - 1] != '/') dot--;
    if (dot < 2 || location[dot - 1] != '.' || location[dot - 2] == '/') return NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (strlen(endings[i].ending) == n - dot &&
            strncasecmp(location + dot, endings[i].ending, n - dot) == 0)
            return &endings[i];
    }
    return NULL;
}

enum blastmerge_form bm_store_form_of_name(const char *location) {
    const struct ending *ending = find_ending(location);
    return ending == NULL ? BLASTMERGE_FORM_GZIP : ending->form;
}

const char *bm_store_media_type(const char *location, enum blastmerge_form form) {
    const struct ending *ending = find_ending(location);
    if (form != BLASTMERGE_FORM_PLAIN) return "application/gzip";
    return ending == NULL || ending->form != form ? "application/octet-stream" : ending->media_type;
}
