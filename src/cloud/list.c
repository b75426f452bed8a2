/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "cloud/text.h"
#include "cloud/xml.h"

#include <string.h>

/* A page is at most so many names, and they fit with all that is said of them. */
#define PAGE_NAMES "500"
enum { PAGE_BYTES = 2 << 20, MARKER = 2048, LOCATION = 8192 };

struct listing {
    struct bm_cloud *cloud;
    const char *string; /* the location with the wildcard */
    struct bm_location location;
    struct bm_request request;
    struct bm_budget budget;
    enum blastmerge_status (*found)(void *context, const char *location, struct blastmerge_error *error);
    void *context;
    char prefix[BM_LOCATION_KEY];
    char marker[MARKER]; /* where the next page begins, or "" */
    char *page;
};

/* A star stands for anything but a slash. */
static bool matches(const char *pattern, const char *name) {
    const char *star = NULL;
    const char *behind = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = pattern++;
            behind = name;
        } else if (*pattern == *name) {
            if (*name == '\0') return true;
            pattern++;
            name++;
        } else if (star != NULL && *behind != '\0' && *behind != '/') {
            name = ++behind;
            pattern = star + 1;
        } else {
            return false;
        }
    }
}

/* The location of an object beside the one with the wildcard. */
static void make_location(const struct listing *listing, const char *key, struct bm_text *text) {
    const struct bm_location *location = &listing->location;
    if (strncmp(listing->string, "http", 4) == 0) {
        bm_text_format(text, "%s%s/", location->origin, location->container_path);
        bm_text_encode(text, key, strlen(key), true);
        bm_text_format(text, "%s%s", location->query[0] != '\0' ? "?" : "", location->query);
    } else if (location->provider == BM_PROVIDER_AZURE) {
        bm_text_format(text, "az://%s/%s/%s", location->account, location->container, key);
    } else {
        bm_text_format(text, "%.5s%s/%s", listing->string, location->container, key);
    }
}

static enum blastmerge_status take_name(struct listing *listing, const char *key,
                                        struct blastmerge_error *error) {
    char location[LOCATION];
    struct bm_text text = bm_text_in(location, sizeof location);
    if (!matches(listing->location.key, key)) return BLASTMERGE_OK;
    make_location(listing, key, &text);
    if (text.is_cut) return bm_fail(error, BLASTMERGE_USAGE, "has an object whose name is too long");
    return listing->found(listing->context, location, error);
}

static enum blastmerge_status take_page(struct listing *listing, struct blastmerge_error *error) {
    bool is_azure = listing->location.provider == BM_PROVIDER_AZURE;
    const char *entry = is_azure ? "Blob" : "Contents";
    const char *name = is_azure ? "Name" : "Key";
    const char *next = is_azure ? "NextMarker" : "NextContinuationToken";
    struct bm_xml xml = bm_xml_open(listing->page, listing->request.n_answer);
    bool is_within = false;
    listing->marker[0] = '\0';
    while (bm_xml_next(&xml) != BM_XML_NOTHING) {
        char key[BM_LOCATION_KEY * 2];
        struct bm_text text = bm_text_in(key, sizeof key);
        if (bm_xml_is(&xml, BM_XML_START, entry) || bm_xml_is(&xml, BM_XML_END, entry)) {
            is_within = xml.kind == BM_XML_START;
        } else if (is_within && bm_xml_is(&xml, BM_XML_START, name)) {
            bm_xml_text(&xml, &text);
            enum blastmerge_status status = take_name(listing, key, error);
            if (status != BLASTMERGE_OK) return status;
        } else if (!is_within && bm_xml_is(&xml, BM_XML_START, next)) {
            struct bm_text marker = bm_text_in(listing->marker, sizeof listing->marker);
            bm_xml_text(&xml, &marker);
            if (marker.is_cut)
                return bm_fail(error, BLASTMERGE_IO, "the list's next page has a name that is too long");
        }
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status ask_page(struct listing *listing, struct blastmerge_error *error) {
    struct bm_request *request = &listing->request;
    bool is_azure = listing->location.provider == BM_PROVIDER_AZURE;
    bm_request_open(request, listing->cloud, "GET", &listing->location, &listing->budget);
    request->path = listing->location.container_path[0] == '\0' ? "/" : listing->location.container_path;
    if (is_azure) bm_request_parameter(request, "comp", "list");
    if (!is_azure && listing->marker[0] != '\0')
        bm_request_parameter(request, "continuation-token", listing->marker);
    bm_request_parameter(request, "delimiter", "/");
    if (!is_azure) bm_request_parameter(request, "list-type", "2");
    if (is_azure && listing->marker[0] != '\0') bm_request_parameter(request, "marker", listing->marker);
    bm_request_parameter(request, is_azure ? "maxresults" : "max-keys", PAGE_NAMES);
    bm_request_parameter(request, "prefix", listing->prefix);
    if (is_azure) bm_request_parameter(request, "restype", "container");
    request->answer = listing->page;
    request->answer_size = PAGE_BYTES;
    request->element = is_azure ? "EnumerationResults" : "ListBucketResult";
    return bm_request_run(request, error);
}

static enum blastmerge_status list_pages(struct listing *listing, struct blastmerge_error *error) {
    char before[MARKER];
    do {
        memcpy(before, listing->marker, sizeof before);
        enum blastmerge_status status = ask_page(listing, error);
        if (status == BLASTMERGE_OK) status = take_page(listing, error);
        if (status != BLASTMERGE_OK) return status;
        if (listing->marker[0] != '\0' && strcmp(before, listing->marker) == 0)
            return bm_fail(error, BLASTMERGE_IO, "the server lists the same page again and again");
    } while (listing->marker[0] != '\0');
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_cloud_list(struct bm_cloud *cloud, const char *string,
                                     enum blastmerge_status (*found)(void *context, const char *location,
                                                                     struct blastmerge_error *error),
                                     void *context, struct blastmerge_error *error) {
    struct bm_memory *memory = bm_cloud_memory(cloud);
    struct listing *listing = bm_allocate(memory, sizeof *listing);
    if (listing == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    listing->cloud = cloud;
    listing->string = string;
    listing->found = found;
    listing->context = context;
    listing->budget = bm_cloud_budget(cloud);
    enum blastmerge_status status = bm_cloud_parse(cloud, &listing->location, string, error);
    if (status == BLASTMERGE_OK && listing->location.provider == BM_PROVIDER_HTTP)
        status =
            bm_fail(error, BLASTMERGE_USAGE, "a web server cannot be asked what it has: name the children");
    if (status == BLASTMERGE_OK) listing->page = bm_allocate(memory, PAGE_BYTES);
    if (status == BLASTMERGE_OK && listing->page == NULL)
        status = bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (status == BLASTMERGE_OK) {
        bm_copy_bytes(listing->prefix, sizeof listing->prefix, listing->location.key,
                      strcspn(listing->location.key, "*"));
        status = list_pages(listing, error);
    }
    bm_release(memory, listing->page);
    bm_release(memory, listing);
    return status;
}

#endif
