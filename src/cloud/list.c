/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/ceilings.h"
#include "cloud/cloud.h"
#include "cloud/text.h"
#include "cloud/xml.h"

#include <inttypes.h>
#include <string.h>

/* A page is at most so many names, and they fit with all that is said of them. */
enum { MARKER = 2048, LOCATION = 8192 };

/* What the page says of an object, element by element. */
struct entry {
    bool has_name;
    struct bm_cloud_text name;
    char name_data[BM_LOCATION_KEY * 2];
    char etag[BM_REQUEST_TAG];
    uint64_t n_bytes;
};

struct listing {
    struct bm_cloud *cloud;
    const char *string; /* the location with the wildcard */
    struct bm_cloud_location location;
    struct bm_cloud_request request;
    struct bm_cloud_budget budget;
    bm_cloud_found found;
    void *context;
    char prefix[BM_LOCATION_KEY];
    char marker[MARKER]; /* where the next page begins, or "" */
    char *page;
    bool is_truncated; /* the page says that there are more */
    size_t n_entries;  /* of the page */
    size_t n_empty;    /* pages without any, one after the other */
    uint64_t *seen;    /* a hash of where each page began */
    size_t n_seen;
    size_t n_bytes;                  /* of the memory, at the last check */
    struct bm_cloud_location object; /* the last one's */
    struct entry entry;              /* the current one */
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
static void make_location(const struct listing *listing, const char *key, struct bm_cloud_text *text) {
    const struct bm_cloud_location *location = &listing->location;
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(location->provider);
    enum bm_cloud_scheme scheme = bm_cloud_location_scheme(listing->string);
    if (scheme == BM_SCHEME_HTTP || scheme == BM_SCHEME_HTTPS) {
        bm_cloud_text_format(text, "%s%s/", location->origin, location->container_path);
        bm_cloud_text_encode(text, key, strlen(key), true);
        bm_cloud_text_format(text, "%s%s", location->query[0] != '\0' ? "?" : "", location->query);
    } else if (provider->n_names == 2) {
        bm_cloud_text_format(text, "%s%s/%s/%s", provider->prefix, location->account, location->container,
                             key);
    } else {
        bm_cloud_text_format(text, "%.*s%s/%s", (int)strlen(provider->prefix), listing->string,
                             location->container, key);
    }
}

/* What is kept of names grows with the list: not beyond what the plan has for that. */
static enum blastmerge_status check_memory(struct listing *listing, struct blastmerge_error *error) {
    const struct bm_cloud_plan *plan = bm_cloud_plan(listing->cloud);
    size_t n_bytes = bm_cloud_memory(listing->cloud)->n_bytes;
    size_t n_more = n_bytes > listing->n_bytes ? n_bytes - listing->n_bytes : 0;
    listing->n_bytes = n_bytes;
    if (bm_cloud_count_listed(listing->cloud, n_more)) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_IO,
                   "the list has more names than fit into the %zu MiB for them: --memory %" PRIu64
                   " makes space for twice as many",
                   plan->list >> 20, bm_cloud_limit_for_list(plan, 2 * (uint64_t)plan->list));
}

static void begin_entry(struct entry *entry) {
    entry->has_name = false;
    entry->name = bm_cloud_text_in(entry->name_data, sizeof entry->name_data);
    entry->etag[0] = '\0';
    entry->n_bytes = UINT64_MAX;
}

/* A name is not the caller's: whatever is wrong with it, the server said it. */
static enum blastmerge_status end_entry(struct listing *listing, struct blastmerge_error *error) {
    struct entry *entry = &listing->entry;
    char location[LOCATION];
    struct bm_cloud_text text = bm_cloud_text_in(location, sizeof location);
    if (!entry->has_name) return BLASTMERGE_OK;
    entry->has_name = false;
    if (entry->name.is_cut || strlen(entry->name.data) != entry->name.n)
        return bm_fail(error, BLASTMERGE_IO, "the server lists a name that is too long or invalid");
    if (!matches(listing->location.key, entry->name.data)) return BLASTMERGE_OK;
    make_location(listing, entry->name.data, &text);
    if (text.is_cut) return bm_fail(error, BLASTMERGE_IO, "the server lists a name that is too long");
    if (bm_cloud_parse(listing->cloud, &listing->object, location, error) != BLASTMERGE_OK)
        return bm_fail_anew(error, BLASTMERGE_IO, "the server lists a name that cannot be requested: %.400s",
                            error->message);
    const struct bm_cloud_listed listed = {location, entry->n_bytes, entry->etag};
    enum blastmerge_status status = listing->found(listing->context, &listed, error);
    return status == BLASTMERGE_OK ? check_memory(listing, error) : status;
}

/* Azure's lists have ETags without the quotes that its answers have. */
static void take_etag(struct bm_cloud_xml *xml, struct entry *entry) {
    char value[BM_REQUEST_TAG];
    struct bm_cloud_text text = bm_cloud_text_in(value, sizeof value);
    struct bm_cloud_text etag = bm_cloud_text_in(entry->etag, sizeof entry->etag);
    bm_cloud_xml_text(xml, &text);
    const char *quote = value[0] == '"' || strncmp(value, "W/", 2) == 0 ? "" : "\"";
    if (text.is_cut || text.n == 0) return;
    bm_cloud_text_format(&etag, "%s%s%s", quote, value, quote);
    if (etag.is_cut) entry->etag[0] = '\0';
}

static void take_length(struct bm_cloud_xml *xml, struct entry *entry) {
    char value[24];
    struct bm_cloud_text text = bm_cloud_text_in(value, sizeof value);
    bm_cloud_xml_text(xml, &text);
    if (text.is_cut || !bm_cloud_parse_count(value, text.n, &entry->n_bytes)) entry->n_bytes = UINT64_MAX;
}

/* Whether the page says that it is the last one: any other word may mean that it is not. */
static bool is_false(struct bm_cloud_xml *xml) {
    char value[8];
    struct bm_cloud_text text = bm_cloud_text_in(value, sizeof value);
    bm_cloud_xml_text(xml, &text);
    return strcmp(value, "false") == 0;
}

static enum blastmerge_status take_page(struct listing *listing, struct blastmerge_error *error) {
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(listing->location.provider);
    const char *entry = provider->list->entry;
    struct bm_cloud_xml xml = bm_cloud_xml_open(listing->page, listing->request.n_answer);
    bool is_within = false;
    enum blastmerge_status status = BLASTMERGE_OK;
    /* Stores write no comments and no CDATA, and a name within would be lost. */
    if (memmem(listing->page, listing->request.n_answer, "<!", 2) != NULL)
        return bm_fail(error, BLASTMERGE_IO,
                       "the server's list has comments, CDATA or a DOCTYPE, which no store writes");
    listing->marker[0] = '\0';
    listing->is_truncated = false;
    listing->n_entries = 0;
    begin_entry(&listing->entry);
    while (status == BLASTMERGE_OK && bm_cloud_xml_next(&xml) != BM_XML_NOTHING) {
        if (bm_cloud_xml_is(&xml, BM_XML_START, entry) || bm_cloud_xml_is(&xml, BM_XML_END, entry)) {
            status = end_entry(listing, error);
            begin_entry(&listing->entry);
            is_within = xml.kind == BM_XML_START;
            listing->n_entries += is_within;
        } else if (bm_cloud_xml_is(&xml, BM_XML_START, provider->list->folder)) {
            listing->n_entries++;
        } else if (is_within && bm_cloud_xml_is(&xml, BM_XML_START, provider->list->name)) {
            status = end_entry(listing, error); /* none has two */
            begin_entry(&listing->entry);
            bm_cloud_xml_text(&xml, &listing->entry.name);
            listing->entry.has_name = true;
        } else if (is_within && bm_cloud_xml_is(&xml, BM_XML_START, provider->list->etag)) {
            take_etag(&xml, &listing->entry);
        } else if (is_within && bm_cloud_xml_is(&xml, BM_XML_START, provider->list->length)) {
            take_length(&xml, &listing->entry);
        } else if (!is_within && bm_cloud_xml_is(&xml, BM_XML_START, "IsTruncated")) {
            listing->is_truncated = !is_false(&xml);
        } else if (!is_within && bm_cloud_xml_is(&xml, BM_XML_START, provider->list->next)) {
            struct bm_cloud_text marker = bm_cloud_text_in(listing->marker, sizeof listing->marker);
            bm_cloud_xml_text(&xml, &marker);
            if (marker.is_cut || strlen(listing->marker) != marker.n)
                return bm_fail(error, BLASTMERGE_IO,
                               "the name of the list's next page is too long or invalid");
        }
    }
    return status == BLASTMERGE_OK ? end_entry(listing, error) : status;
}

static enum blastmerge_status ask_page(struct listing *listing, struct blastmerge_error *error) {
    struct bm_cloud_request *request = &listing->request;
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(listing->location.provider);
    bm_cloud_request_open(request, listing->cloud, "GET", &listing->location, &listing->budget);
    request->path = listing->location.container_path[0] == '\0' ? "/" : listing->location.container_path;
    for (const struct bm_cloud_parameter *parameter = provider->list->parameters; parameter->name != NULL;
         parameter++) {
        const char *value = parameter->value;
        if (parameter->kind == BM_CLOUD_PREFIX) value = listing->prefix;
        if (parameter->kind == BM_CLOUD_MARKER) value = listing->marker;
        if (parameter->kind == BM_CLOUD_MARKER && value[0] == '\0') continue;
        bm_cloud_request_parameter(request, parameter->name, value);
    }
    request->answer = listing->page;
    request->answer_size = BM_CEILING_PAGE;
    request->element = provider->list->root;
    if (request->is_cut) return bm_fail(error, BLASTMERGE_IO, "the name of the list's next page is too long");
    return bm_cloud_request_run(request, error);
}

/* Eight bytes of where a page begins. */
static uint64_t hash_of(const char *string) {
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *string != '\0'; string++) hash = (hash ^ (uint8_t)*string) * 0x100000001b3U;
    return hash;
}

/* A list comes to its end, or it is none. Pages without a name are fine (Azure has them), but not for ever.
 */
static enum blastmerge_status check_progress(struct listing *listing, struct blastmerge_error *error) {
    uint64_t hash = hash_of(listing->marker);
    for (size_t i = 0; i < listing->n_seen; i++) {
        if (listing->seen[i] == hash)
            return bm_fail(error, BLASTMERGE_IO,
                           "the server's list does not end: it continues with an earlier page");
    }
    listing->n_empty = listing->n_entries == 0 ? listing->n_empty + 1 : 0;
    if (listing->n_empty == BM_CEILING_EMPTY_PAGES)
        return bm_fail(error, BLASTMERGE_IO,
                       "the server's list does not end: it has %d pages in a row without a name",
                       BM_CEILING_EMPTY_PAGES);
    if (listing->n_seen == BM_CEILING_PAGES)
        return bm_fail(error, BLASTMERGE_IO,
                       "the list has more than %d pages: a longer prefix before the * makes it shorter",
                       BM_CEILING_PAGES);
    listing->seen[listing->n_seen++] = hash;
    return BLASTMERGE_OK;
}

static enum blastmerge_status list_pages(struct listing *listing, struct blastmerge_error *error) {
    do {
        enum blastmerge_status status = ask_page(listing, error);
        if (status == BLASTMERGE_OK) status = take_page(listing, error);
        if (status == BLASTMERGE_OK && listing->marker[0] != '\0') status = check_progress(listing, error);
        if (status != BLASTMERGE_OK) return status;
        if (listing->is_truncated && listing->marker[0] == '\0')
            return bm_fail(error, BLASTMERGE_IO, "the server's list is not complete, and names no next page");
    } while (listing->marker[0] != '\0');
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_cloud_list(struct bm_cloud *cloud, const char *string, bm_cloud_found found,
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
    if (status == BLASTMERGE_OK && bm_cloud_provider_of(listing->location.provider)->is_web)
        status = bm_fail(error, BLASTMERGE_USAGE, "a web server cannot list its files: name the children");
    if (status == BLASTMERGE_OK) {
        listing->page = bm_allocate(memory, BM_CEILING_PAGE);
        listing->seen = bm_allocate(memory, BM_CEILING_PAGES * sizeof *listing->seen);
    }
    listing->n_bytes = memory->n_bytes;
    if (status == BLASTMERGE_OK && (listing->page == NULL || listing->seen == NULL))
        status = bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (status == BLASTMERGE_OK) {
        bm_cloud_copy_bytes(listing->prefix, sizeof listing->prefix, listing->location.key,
                            strcspn(listing->location.key, "*"));
        status = list_pages(listing, error);
    }
    bm_release(memory, listing->page);
    bm_release(memory, listing->seen);
    bm_release(memory, listing);
    return status;
}

#endif
