/* SPDX-License-Identifier: MIT */
/*
 * Children in object stores and on web servers.
 *
 * A child is read in ranges, a few at a time, each into its own window; the windows are a ring. A range that was
 * cut is requested again from the cut.
 *
 * The first range can be requested before the child's turn (bm_fetch_source_begin()), into a smaller window. So a
 * small child takes one request, and many are in flight.
 *
 * All bytes that are read are of one version. The first answer defines it: its length, its ETag, the time of its
 * last change. What a list or a look said before must agree. Later requests are conditional on a strong ETag (or,
 * without one, on the time), and each answer is compared, whether the server respects the condition or not. A
 * strong ETag alone decides. Otherwise ETag and time must both be unchanged, and a value that was there must not be
 * missing.
 *
 * A server without support for ranges answers the first with the whole child. Then it is a stream: one window is
 * a ring of bytes, and the transfer pauses while that is full. After a fault the whole is requested again, and
 * the bytes that came before are skipped, provided the answer has the same ETag. If nothing distinguishes one
 * version from another, there is no second try once bytes have arrived.
 *
 * The file is long because windows, requests and what becomes of an answer are states of one reader.
 */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"
#include "cloud/text.h"
#include "fetch/fetch.h"

#include <assert.h>
#include <string.h>

enum { MIN_WINDOW = 65536 };

struct window {
    struct bm_cloud_request request;
    struct blastmerge_error error;
    uint8_t *data;
    size_t size; /* bytes that data holds */
    size_t n_wanted;
    struct bm_fetch_http *remote;
};

struct bm_fetch_http {
    struct bm_fetch *fetch; /* whose source may move while children are added; NULL: not opened yet */
    struct bm_cloud_location location;
    struct bm_cloud *cloud;
    struct bm_cloud_budget budget;
    size_t window_size;
    size_t n_windows;
    size_t n_begun; /* windows that were asked for; counts run on, the ring's indices are their remainders */
    size_t n_done;  /* windows that were read */
    uint64_t position; /* bytes that were read; of the current window, or of the stream */
    uint64_t n_asked;  /* where the next window begins */
    bool is_total_known;
    uint64_t total;
    uint64_t version; /* the source's */
    bool has_version; /* the first answer came, and with it what follows */
    bool is_stream;
    char etag[BM_REQUEST_TAG];
    char modified[BM_REQUEST_TIME];
    bool is_time_strong; /* a change after the first answer would show in it */
    uint8_t *data;       /* of all windows, once it is opened */
    uint8_t *first;      /* of the first window, if that was requested before; until it was read */
    struct window windows[BM_CLOUD_WINDOWS];
};

static bool is_strong(const char *etag) {
    size_t n = strlen(etag);
    return n >= 2 && etag[0] == '"' && etag[n - 1] == '"'; /* RFC 9110, 8.8.3 */
}

/* Whether a later change cannot leave one version's validators with another. */
static bool has_validator(const struct bm_fetch_http *remote) {
    return is_strong(remote->etag) || remote->is_time_strong;
}

static uint64_t add_to_hash(uint64_t hash, const char *string) {
    do hash = (hash ^ (uint8_t)*string) * 0x100000001b3U;
    while (*string++ != '\0');
    return hash;
}

/* Eight bytes of each child instead of two strings. Never 0. */
static uint64_t hash_version(const char *etag, const char *modified) {
    uint64_t hash = add_to_hash(0xcbf29ce484222325U, etag);
    if (!is_strong(etag)) hash = add_to_hash(hash, modified);
    return hash == 0 ? 1 : hash;
}

static uint64_t version_of(const struct bm_cloud_request *request) {
    return hash_version(request->etag, request->modified);
}

void bm_fetch_source_expect(struct bm_fetch_source *source, uint64_t n_bytes, const char *etag) {
    source->n_bytes = n_bytes;
    if (is_strong(etag)) source->version = hash_version(etag, "");
}

bool bm_fetch_source_is_version(const struct bm_fetch_source *source, const char *etag,
                                const char *modified) {
    return hash_version(etag, modified) == source->version;
}

/* --- looking ------------------------------------------------------------------------------------- */

struct bm_fetch_look {
    struct bm_cloud_location location;
    struct bm_cloud_request request;
    struct bm_cloud_budget budget;
    struct blastmerge_error error;
    enum blastmerge_status status;
};

static enum bm_cloud_keep keep_nothing(struct bm_cloud_request *request, const uint8_t *data,
                                       size_t n_bytes) {
    (void)data;
    (void)n_bytes;
    return request->http_status == 206 ? BM_KEPT : BM_KEEP_LATER; /* all of it is not wanted: pause */
}

/* Object stores get a HEAD; on web servers many URLs accept only GET. */
static void start_look(struct bm_fetch_look *look, struct bm_cloud *cloud) {
    struct bm_cloud_request *request = &look->request;
    bool is_web = bm_cloud_provider_of(look->location.provider)->is_web;
    look->budget = bm_cloud_budget(cloud);
    bm_cloud_request_open(request, cloud, is_web ? "GET" : "HEAD", &look->location, &look->budget);
    request->keep = keep_nothing;
    request->is_ranged = is_web;
    request->can_be_whole = is_web;
    request->needs_tag = !is_web;
    bm_cloud_request_read(request);
    bm_cloud_request_start(request, &look->error);
}

static void begin_look(struct bm_fetch_source *source) {
    assert(source->look == NULL);
    struct bm_fetch_look *look = bm_allocate(bm_cloud_memory(source->cloud), sizeof *look);
    source->look = look;
    if (look == NULL) return;
    look->status = bm_cloud_parse(source->cloud, &look->location, source->location, &look->error);
    if (look->status == BLASTMERGE_OK) start_look(look, source->cloud);
}

void bm_fetch_remote_forget(struct bm_fetch_source *source) {
    struct bm_memory *memory = bm_cloud_memory(source->cloud);
    if (source->look->status == BLASTMERGE_OK) bm_cloud_request_stop(&source->look->request);
    bm_release(memory, source->look);
    source->look = NULL;
}

/* Waits until the answer's head is there. */
static enum blastmerge_status finish_look(struct bm_fetch_look *look, struct bm_cloud *cloud) {
    struct bm_cloud_request *request = &look->request;
    while (request->state != BM_REQUEST_ENDED && !request->is_paused) {
        if (bm_cloud_wait(cloud, &look->error) != BLASTMERGE_OK) return look->error.status;
    }
    if (request->is_paused) {
        bm_cloud_request_stop(request);
        return BLASTMERGE_OK;
    }
    if (request->http_status == 416 && request->has_total && request->total == 0) return BLASTMERGE_OK;
    return request->status;
}

static enum blastmerge_status look_remote(struct bm_fetch_source *source, struct blastmerge_error *error) {
    if (source->look == NULL) begin_look(source);
    struct bm_fetch_look *look = source->look;
    if (look == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    enum blastmerge_status status = look->status;
    if (status == BLASTMERGE_OK) status = finish_look(look, source->cloud);
    if (status != BLASTMERGE_OK) *error = look->error;
    if (status == BLASTMERGE_OK) {
        const struct bm_cloud_request *request = &look->request;
        if (request->has_total) {
            source->n_bytes = request->total;
        } else if (request->http_status == 200 && request->has_length) {
            source->n_bytes = request->length;
        }
        if (request->is_answer_good) source->version = version_of(request);
    }
    bm_fetch_remote_forget(source);
    return status;
}

/* --- windows ------------------------------------------------------------------------------------- */

static struct window *window_at(struct bm_fetch_http *remote, size_t count) {
    return &remote->windows[count % remote->n_windows];
}

/* What was read was kept before, and what was kept and not read is in the ring: neither difference wraps. */
static size_t room_of_stream(const struct bm_fetch_http *remote) {
    uint64_t n_unread = remote->windows[0].request.n_kept - remote->position;
    bm_require(n_unread <= remote->windows[0].size);
    return remote->windows[0].size - (size_t)n_unread;
}

/* A stream's bytes: all or, if there is no room for all, none yet. */
static enum bm_cloud_keep keep_in_stream(struct bm_fetch_http *remote, const struct bm_cloud_request *request,
                                         const uint8_t *data, size_t n_bytes) {
    if (n_bytes > room_of_stream(remote)) return BM_KEEP_LATER;
    const struct window *ring = &remote->windows[0];
    size_t at = (size_t)(request->n_kept % ring->size);
    size_t n_first = ring->size - at < n_bytes ? ring->size - at : n_bytes;
    memcpy(ring->data + at, data, n_first);
    memcpy(ring->data, data + n_first, n_bytes - n_first);
    return BM_KEPT;
}

static void set_changed(struct bm_cloud_request *request, const char *how) {
    bm_cloud_request_fault(request, BM_FAULT_CHANGED, "%s", how);
}

/* Makes the request conditional on the known version. */
static void ask_for_version(struct bm_fetch_http *remote, struct bm_cloud_request *request) {
    if (is_strong(remote->etag)) {
        request->tag = remote->etag;
        bm_cloud_request_header(request, "If-Match", remote->etag);
    } else if (remote->modified[0] != '\0') {
        bm_cloud_request_header(request, "If-Unmodified-Since", remote->modified);
    }
}

/* Times are in seconds. An object that changed in the second of the answer may change again in that second,
 * without a change of its time. */
static bool is_time_strong(const struct bm_cloud_request *request) {
    int64_t changed = bm_cloud_parse_time(request->modified);
    return request->modified[0] != '\0' && (request->date < 0 || changed < request->date);
}

/* The child's length by an answer. */
static bool find_total(const struct bm_cloud_request *request, uint64_t *total) {
    bool is_whole = request->http_status == 200;
    *total = is_whole ? request->length : request->total;
    return is_whole ? request->has_length : request->has_total;
}

/* Whether the answer is of the object that was listed or looked at. */
static bool is_as_found(const struct bm_fetch_http *remote, struct bm_cloud_request *request) {
    uint64_t total = 0;
    if (remote->version != 0 && remote->version != version_of(request))
        set_changed(request, "its ETag or the time of its last change differs");
    if (find_total(request, &total) && remote->total != UINT64_MAX && remote->total != total)
        set_changed(request, "its length differs");
    return request->fault == BM_FAULT_NONE;
}

/* What the first answer has defined is the source's. */
static void tell_source(const struct bm_fetch_http *remote, struct bm_fetch_source *source) {
    if (!remote->has_version) return;
    source->version = remote->version;
    if (remote->is_total_known) source->n_bytes = remote->total;
}

/* The first answer's head says what the child is. */
static void take_version(struct bm_fetch_http *remote, struct bm_cloud_request *request) {
    uint64_t total = 0;
    if (!is_as_found(remote, request)) return;
    remote->version = version_of(request);
    remote->has_version = true;
    memcpy(remote->etag, request->etag, sizeof remote->etag);
    memcpy(remote->modified, request->modified, sizeof remote->modified);
    remote->is_time_strong = is_time_strong(request);
    remote->is_stream = request->http_status == 200;
    remote->is_total_known = find_total(request, &total);
    if (remote->is_total_known) remote->total = total;
    ask_for_version(remote, request); /* for a repeated request */
    request->is_ranged = !remote->is_stream;
    request->can_be_whole = false; /* not in another try */
    request->cannot_repeat = !has_validator(remote);
    if (remote->fetch != NULL) tell_source(remote, remote->fetch->source);
}

/* A strong ETag was compared with the request's tag before. */
static void check_version(struct bm_fetch_http *remote, struct bm_cloud_request *request) {
    uint64_t total = 0;
    bool has_total = find_total(request, &total);
    bool is_certain = is_strong(remote->etag);
    if (!is_certain && strcmp(request->etag, remote->etag) != 0)
        set_changed(request, request->etag[0] == '\0' ? "its ETag is missing" : "its ETag differs");
    if (!is_certain && strcmp(request->modified, remote->modified) != 0)
        set_changed(request, request->modified[0] == '\0' ? "the time of its last change is missing"
                                                          : "the time of its last change differs");
    if (!is_certain && remote->is_total_known && !has_total) set_changed(request, "its length is missing");
    if (has_total && remote->total != UINT64_MAX && total != remote->total)
        set_changed(request, "its length differs");
    if (has_total && remote->is_stream) {
        remote->total = total;
        remote->is_total_known = true;
    }
}

static void look_at_answer(struct bm_cloud_request *request) {
    struct bm_fetch_http *remote = ((struct window *)request->owner)->remote;
    if (remote->has_version) {
        check_version(remote, request);
    } else {
        take_version(remote, request);
    }
}

static enum bm_cloud_keep keep_in_window(struct bm_cloud_request *request, const uint8_t *data,
                                         size_t n_bytes) {
    struct window *window = request->owner;
    if (window->remote->is_stream) return keep_in_stream(window->remote, request, data, n_bytes);
    if (request->n_kept > window->n_wanted || n_bytes > window->n_wanted - (size_t)request->n_kept) {
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent more bytes than requested");
        return BM_KEEP_NEVER;
    }
    memcpy(window->data + request->n_kept, data, n_bytes);
    return BM_KEPT;
}

/* Asks for the next window's bytes. */
static void begin_window(struct bm_fetch_http *remote) {
    struct window *window = window_at(remote, remote->n_begun++);
    struct bm_cloud_request *request = &window->request;
    bm_cloud_request_open(request, remote->cloud, "GET", &remote->location, &remote->budget);
    window->n_wanted = window->size;
    if (remote->total != UINT64_MAX && remote->total - remote->n_asked < window->n_wanted)
        window->n_wanted = (size_t)(remote->total - remote->n_asked);
    request->look = look_at_answer;
    request->keep = keep_in_window;
    request->owner = window;
    request->is_child = true;
    request->is_small = remote->fetch == NULL;
    request->is_ranged = true;
    request->first = remote->n_asked;
    request->last = remote->n_asked + window->n_wanted - 1;
    request->can_be_whole = bm_cloud_provider_of(remote->location.provider)->is_web && !remote->has_version;
    request->needs_tag = !bm_cloud_provider_of(remote->location.provider)->is_web;
    bm_cloud_request_read(request);
    ask_for_version(remote, request);
    remote->n_asked += window->n_wanted;
    bm_cloud_request_start(request, &window->error);
}

/* Ranges cannot be used if the total length or the version is not known. Then the whole is requested, once,
 * before any of the first range was read. */
static void begin_stream(struct bm_fetch_http *remote) {
    struct window *window = &remote->windows[0];
    bm_require(remote->n_done == 0 && remote->position == 0);
    bm_cloud_request_stop(&window->request);
    remote->is_stream = true;
    remote->n_begun = 0;
    remote->n_asked = 0;
    begin_window(remote);
    window->request.is_ranged = false;
    window->request.cannot_repeat = !has_validator(remote);
}

static bool needs_stream(const struct bm_fetch_http *remote) {
    return remote->has_version && !remote->is_stream && remote->n_begun == 1 && remote->n_done == 0 &&
           (!remote->is_total_known ||
            (!has_validator(remote) && remote->total > remote->windows[0].n_wanted));
}

/* Begins as many windows as there is room for. Until the first answer's head is there, that is one. */
static void begin_windows(struct bm_fetch_http *remote) {
    if (needs_stream(remote)) begin_stream(remote);
    while (remote->n_begun - remote->n_done < remote->n_windows && !remote->is_stream) {
        if (remote->n_begun > 0 && !remote->has_version) return;
        if (remote->n_asked >= remote->total) return;
        begin_window(remote);
    }
}

/* --- reading ------------------------------------------------------------------------------------- */

/* A child that is not requested yet, with memory for no window. */
static enum blastmerge_status make_remote(const struct bm_fetch_source *source, struct bm_fetch_http **made,
                                          struct blastmerge_error *error) {
    struct bm_memory *memory = bm_cloud_memory(source->cloud);
    struct bm_fetch_http *remote = bm_allocate(memory, sizeof *remote);
    *made = NULL;
    if (remote == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    remote->cloud = source->cloud;
    remote->budget = bm_cloud_budget(source->cloud);
    remote->total = source->n_bytes;
    remote->version = source->version;
    remote->n_windows = 1;
    for (size_t i = 0; i < BM_CLOUD_WINDOWS; i++) remote->windows[i].remote = remote;
    enum blastmerge_status status = bm_cloud_parse(source->cloud, &remote->location, source->location, error);
    if (status == BLASTMERGE_OK)
        *made = remote;
    else
        bm_release(memory, remote);
    return status;
}

static void release_remote(struct bm_fetch_http *remote) {
    for (size_t i = 0; i < BM_CLOUD_WINDOWS; i++) bm_cloud_request_stop(&remote->windows[i].request);
    bm_cloud_give_first(remote->cloud, remote->first);
    bm_cloud_give_windows(remote->cloud, remote->data);
    bm_release(bm_cloud_memory(remote->cloud), remote);
}

/* Requests the first window. A failure leaves nothing: it is found again when the child is opened. */
static bool request_first(struct bm_fetch_source *source) {
    struct bm_fetch_http *remote = NULL;
    struct blastmerge_error ignored;
    if (source->n_bytes == 0) return true; /* there is nothing to request */
    uint8_t *first = bm_cloud_take_first(source->cloud);
    if (first == NULL) return false;
    if (make_remote(source, &remote, &ignored) != BLASTMERGE_OK) {
        bm_cloud_give_first(source->cloud, first);
        source->must_wait = true;
        return true;
    }
    remote->first = remote->windows[0].data = first;
    remote->windows[0].size = bm_cloud_plan(source->cloud)->first;
    source->ahead = remote;
    begin_window(remote);
    return true;
}

/* A whole child that does not fit is given up: a paused transfer would keep its server waiting until the child's turn
 * comes. */
static bool begin_remote(struct bm_fetch_source *source) {
    if (source->ahead == NULL && !source->must_wait) return request_first(source);
    if (source->ahead == NULL) return true;
    tell_source(source->ahead, source);
    if (source->ahead->windows[0].request.is_paused) {
        source->must_wait = true;
        bm_fetch_remote_give_up(source);
    }
    return true;
}

void bm_fetch_remote_give_up(struct bm_fetch_source *source) {
    release_remote(source->ahead);
    source->ahead = NULL;
}

/* The windows, of which the first may have been requested. */
static enum blastmerge_status make_windows(struct bm_fetch_http *remote) {
    size_t window_size = bm_cloud_plan(remote->cloud)->window; /* more than that there is no memory for */
    size_t least = window_size < MIN_WINDOW ? window_size : MIN_WINDOW;
    if (remote->total < window_size) window_size = remote->total < least ? least : (size_t)remote->total;
    remote->data = bm_cloud_take_windows(remote->cloud);
    if (remote->data == NULL) return BLASTMERGE_NO_MEMORY;
    for (size_t i = remote->first == NULL ? 0 : 1; i < BM_CLOUD_WINDOWS; i++) {
        remote->windows[i].data = remote->data + i * window_size;
        remote->windows[i].size = window_size;
    }
    remote->n_windows = remote->total <= remote->windows[0].size ? 1 : BM_CLOUD_WINDOWS;
    remote->window_size = window_size;
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_remote(struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct bm_fetch_source *source = fetch->source;
    struct bm_fetch_http *remote = source->ahead;
    enum blastmerge_status status = BLASTMERGE_OK;
    source->ahead = NULL;
    if (remote == NULL) status = make_remote(source, &remote, error);
    if (status != BLASTMERGE_OK) return status;
    if (make_windows(remote) != BLASTMERGE_OK) {
        release_remote(remote);
        return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    }
    remote->fetch = fetch;
    fetch->remote = remote;
    tell_source(remote, source);
    begin_windows(remote);
    return BLASTMERGE_OK;
}

/* Bytes of the current window, or of the stream, that came and were not read. */
static size_t available(struct bm_fetch_http *remote) {
    if (remote->n_done == remote->n_begun) return 0;
    const struct bm_cloud_request *request = &window_at(remote, remote->n_done)->request;
    return (size_t)(request->n_kept - remote->position); /* what was read was kept before */
}

static void copy_out(struct bm_fetch_http *remote, uint8_t *data, size_t n_bytes) {
    struct window *window = window_at(remote, remote->n_done);
    size_t at = (size_t)(remote->position % window->size);
    size_t n_first = window->size - at < n_bytes ? window->size - at : n_bytes;
    memcpy(data, window->data + at, n_first);
    if (n_first < n_bytes) memcpy(data + n_first, window->data, n_bytes - n_first);
    remote->position += n_bytes;
    if (remote->is_stream) bm_cloud_request_resume(&window->request);
}

/* The current window has ended and was read: on to the next. */
static void end_window(struct bm_fetch_http *remote) {
    const struct bm_cloud_request *request = &window_at(remote, remote->n_done)->request;
    if (remote->is_stream || (request->has_total && request->total <= request->first + request->n_kept)) {
        remote->total = remote->is_stream ? request->n_kept : request->total;
        remote->n_asked = remote->total;
    }
    remote->n_done++;
    remote->position = 0;
    if (remote->first == NULL) return;
    bm_cloud_give_first(remote->cloud, remote->first);
    remote->first = NULL;
    remote->windows[0].data = remote->data;
    remote->windows[0].size = remote->window_size;
}

/* The server refused the first range, and nothing else is known of the child: a look confirms that it is empty. */
static enum blastmerge_status look_again(struct bm_fetch_http *remote, struct blastmerge_error *error) {
    const struct bm_cloud_request *request = &window_at(remote, remote->n_done)->request;
    struct bm_fetch_source *source = remote->fetch->source;
    if (request->http_status != 416 || request->first != 0 || request->n_kept > 0 || remote->version != 0 ||
        remote->total != UINT64_MAX)
        return BLASTMERGE_OK;
    enum blastmerge_status status = look_remote(source, error);
    remote->version = source->version;
    remote->total = source->n_bytes;
    return status;
}

/* An empty object is refused as a range that does not exist. An object is not empty if a server stated that it
 * has bytes, if some have arrived, or if the look found it. */
static bool is_empty(const struct bm_fetch_http *remote, const struct bm_cloud_request *request) {
    bool could_be_had = remote->total == UINT64_MAX && remote->version != 0;
    bool had_bytes =
        request->n_kept > 0 || could_be_had || (remote->total != 0 && remote->total != UINT64_MAX);
    return request->http_status == 416 && request->first == 0 && !had_bytes &&
           (request->has_total ? request->total == 0 : remote->total == 0);
}

static enum blastmerge_status check_window(struct bm_fetch_http *remote, bool *has_ended,
                                           struct blastmerge_error *error) {
    struct window *window = window_at(remote, remote->n_done);
    struct bm_cloud_request *request = &window->request;
    *has_ended = request->state == BM_REQUEST_ENDED;
    if (!*has_ended) return BLASTMERGE_OK;
    if (request->status == BLASTMERGE_OK) {
        bool is_length_right =
            !remote->is_stream || remote->total == UINT64_MAX || request->n_kept == remote->total;
        return is_length_right
                   ? BLASTMERGE_OK
                   : bm_fail(error, BLASTMERGE_CHANGED, "changed while it was read: its length differs");
    }
    enum blastmerge_status status = look_again(remote, error);
    if (status != BLASTMERGE_OK) return status;
    if (is_empty(remote, request)) {
        remote->total = 0;
        remote->n_begun = remote->n_done = 0;
        return BLASTMERGE_OK;
    }
    *error = window->error;
    if (request->http_status == 416)
        return bm_fail_anew(error, BLASTMERGE_CHANGED, "changed while it was read: it became shorter");
    return error->status;
}

static enum blastmerge_status read_remote(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                          size_t *n_read, struct blastmerge_error *error) {
    struct bm_fetch_http *remote = fetch->remote;
    *n_read = 0;
    for (;;) {
        begin_windows(remote);
        size_t n = available(remote);
        if (n > 0) {
            *n_read = n < capacity ? n : capacity;
            copy_out(remote, data, *n_read);
            return BLASTMERGE_OK;
        }
        if (remote->n_done == remote->n_begun) return BLASTMERGE_OK; /* the end */
        bool has_ended = false;
        enum blastmerge_status status = check_window(remote, &has_ended, error);
        if (status != BLASTMERGE_OK) return status;
        if (has_ended && remote->n_begun > remote->n_done) {
            end_window(remote);
        } else if (!has_ended) {
            status = bm_cloud_wait(remote->cloud, error);
            if (status != BLASTMERGE_OK) return status;
        }
    }
}

static bool is_ready(struct bm_fetch *fetch, size_t n_bytes) {
    struct bm_fetch_http *remote = fetch->remote;
    size_t n = 0;
    begin_windows(remote);
    for (size_t i = remote->n_done; i < remote->n_begun; i++) {
        const struct bm_cloud_request *request = &window_at(remote, i)->request;
        n += (size_t)(request->n_kept - (i == remote->n_done ? remote->position : 0));
        if (n >= n_bytes) return true;
        if (request->state != BM_REQUEST_ENDED) return false;
        if (request->status != BLASTMERGE_OK) return true;
    }
    return remote->n_asked >= remote->total || remote->n_begun == 0;
}

static void close_remote(struct bm_fetch *fetch) {
    release_remote(fetch->remote);
    fetch->remote = NULL;
}

const struct bm_fetch_back_end bm_fetch_remote = {
    .look = look_remote,
    .open = open_remote,
    .read = read_remote,
    .close = close_remote,
    .begin_look = begin_look,
    .begin = begin_remote,
    .is_ready = is_ready,
};

#endif
