/* SPDX-License-Identifier: MIT */
/*
 * All requests of a job, on one thread.
 *
 * A request waits until it is due, runs, and ends or waits again. Each try is signed again, because signatures
 * contain the time, and requests what is still missing: a range that was cut continues from the cut.
 * The file is long because a request's states and what leads from one to the next stand together.
 */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "base/descriptor.h"
#include "cloud/answer.h"
#include "cloud/ceilings.h"
#include "cloud/clock.h"
#include "cloud/cloud.h"
#include "cloud/copy.h"
#include "cloud/credential.h"
#include "cloud/library.h"
#include "cloud/retry.h"
#include "cloud/sign.h"
#include "cloud/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
    N_IDLE = 24, /* handles that are kept for the next request, besides those of first windows */
    MOST_IDLE = N_IDLE + BM_CLOUD_MOST_FIRST,
    N_SPARE = 4,       /* children's windows that are kept for the next child */
    N_CREDENTIALS = 8, /* places whose credentials are kept */
    DEFAULT_TRIES = 8,
    DEFAULT_DELAY_MS = 500,
    DEFAULT_STALL_SECONDS = 60,
    CONNECT_TIMEOUT_MS = 20000,
    MAX_POLL_MS = 1000,
    RECEIVE_BUFFER = 131072,
    SMALL_BUFFER = 32768
};

struct bm_cloud {
    const struct bm_cloud_library *library;
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    char *endpoint; /* or NULL */
    struct bm_cloud_plan plan;
    CURLM *multi;
    struct bm_cloud_request *requests; /* waiting or running */
    CURL *idle[MOST_IDLE];
    size_t n_idle;
    size_t n_kept_idle; /* how many are kept, and connections with them */
    uint8_t *spare[N_SPARE];
    size_t n_spare;
    uint8_t *spare_first[BM_CLOUD_MOST_FIRST];
    size_t n_spare_first;
    size_t n_first;    /* that are in use */
    uint64_t n_listed; /* bytes that are kept of lists */
    unsigned n_tries;
    int64_t delay_ms;
    long stall_seconds;
    int64_t skew; /* the servers' clock less ours, in seconds */
    uint64_t random;
    uint64_t n_told;                         /* how often something has happened */
    struct bm_cloud_credential *credentials; /* N_CREDENTIALS */
    bool is_finding; /* a credential: only requests for it are begun during that time */
};

void bm_cloud_tell(struct bm_cloud *cloud) {
    cloud->n_told++;
}

int64_t bm_cloud_now(const struct bm_cloud *cloud) {
    return bm_cloud_clock_seconds() + cloud->skew;
}

struct bm_memory *bm_cloud_memory(struct bm_cloud *cloud) {
    return cloud->memory;
}

const struct bm_cloud_plan *bm_cloud_plan(const struct bm_cloud *cloud) {
    return &cloud->plan;
}

struct bm_cloud_credential *bm_cloud_credentials(struct bm_cloud *cloud, size_t *n_credentials) {
    *n_credentials = N_CREDENTIALS;
    return cloud->credentials;
}

bool bm_cloud_count_listed(struct bm_cloud *cloud, size_t n_bytes) {
    cloud->n_listed += n_bytes;
    return cloud->n_listed <= cloud->plan.list;
}

struct bm_cloud_budget bm_cloud_budget(const struct bm_cloud *cloud) {
    return (struct bm_cloud_budget){cloud->n_tries};
}

/* --- the room ------------------------------------------------------------------------------------ */

/* A number from the environment: how patient to be is a matter of the place that the program runs in. */
static int64_t setting(const char *name, int64_t value, int64_t most) {
    const char *text = bm_cloud_environment(name);
    uint64_t number = 0;
    if (text == NULL || !bm_cloud_parse_count(text, strlen(text), &number)) return value;
    return number > (uint64_t)most ? most : (int64_t)number;
}

enum blastmerge_status bm_cloud_open(struct bm_cloud **cloud, const struct bm_cloud_settings *settings,
                                     struct blastmerge_error *error) {
    const struct bm_cloud_library *library = bm_cloud_library(error);
    struct bm_standard standard;
    struct timespec now;
    *cloud = NULL;
    if (library == NULL) return error->status;
    struct bm_cloud *made = bm_allocate(settings->memory, sizeof *made);
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->library = library;
    made->memory = settings->memory;
    made->cancel = settings->cancel;
    made->plan = settings->plan;
    bm_require(made->plan.n_first <= BM_CLOUD_MOST_FIRST);
    made->n_kept_idle = N_IDLE + made->plan.n_first;
    made->n_tries = (unsigned)setting("BLASTMERGE_RETRIES", DEFAULT_TRIES, 1000);
    made->delay_ms = setting("BLASTMERGE_RETRY_DELAY_MS", DEFAULT_DELAY_MS, 60000);
    made->stall_seconds = (long)setting("BLASTMERGE_STALL_SECONDS", DEFAULT_STALL_SECONDS, 86400);
    clock_gettime(CLOCK_REALTIME, &now);
    made->random = ((uint64_t)now.tv_nsec << 32) ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 16;
    bm_standard_hold(&standard); /* curl opens a pipe or the like of its own */
    made->multi = library->multi_init();
    bm_standard_release(&standard);
    made->credentials = bm_allocate(settings->memory, N_CREDENTIALS * sizeof *made->credentials);
    if (settings->endpoint != NULL) made->endpoint = bm_copy_string(settings->memory, settings->endpoint);
    *cloud = made;
    if (made->multi != NULL && made->credentials != NULL &&
        (settings->endpoint == NULL || made->endpoint != NULL)) {
        library->multi_setopt(made->multi, CURLMOPT_MAXCONNECTS, (long)made->n_kept_idle);
        return BLASTMERGE_OK;
    }
    bm_cloud_close(made);
    *cloud = NULL;
    return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
}

void bm_cloud_close(struct bm_cloud *cloud) {
    if (cloud == NULL || bm_cancel_is_foreign(cloud->cancel)) return;
    assert(cloud->requests == NULL);
    for (size_t i = 0; i < cloud->n_idle; i++) cloud->library->easy_cleanup(cloud->idle[i]);
    for (size_t i = 0; i < cloud->n_spare; i++) bm_release(cloud->memory, cloud->spare[i]);
    for (size_t i = 0; i < cloud->n_spare_first; i++) bm_release(cloud->memory, cloud->spare_first[i]);
    if (cloud->multi != NULL) cloud->library->multi_cleanup(cloud->multi);
    if (cloud->credentials != NULL)
        explicit_bzero(cloud->credentials, N_CREDENTIALS * sizeof *cloud->credentials);
    bm_release(cloud->memory, cloud->credentials);
    bm_release(cloud->memory, cloud->endpoint);
    bm_release(cloud->memory, cloud);
}

uint8_t *bm_cloud_take_windows(struct bm_cloud *cloud) {
    if (cloud->n_spare > 0) return cloud->spare[--cloud->n_spare];
    return bm_allocate(cloud->memory, BM_CLOUD_WINDOWS * cloud->plan.window);
}

void bm_cloud_give_windows(struct bm_cloud *cloud, uint8_t *windows) {
    if (windows != NULL && cloud->n_spare < N_SPARE) {
        cloud->spare[cloud->n_spare++] = windows;
    } else {
        bm_release(cloud->memory, windows);
    }
}

uint8_t *bm_cloud_take_first(struct bm_cloud *cloud) {
    if (cloud->n_first == cloud->plan.n_first) return NULL;
    uint8_t *first = cloud->n_spare_first > 0 ? cloud->spare_first[--cloud->n_spare_first]
                                              : bm_allocate(cloud->memory, cloud->plan.first);
    if (first != NULL) cloud->n_first++;
    return first;
}

void bm_cloud_give_first(struct bm_cloud *cloud, uint8_t *first) {
    if (first == NULL) return;
    cloud->n_first--;
    cloud->spare_first[cloud->n_spare_first++] = first;
}

enum blastmerge_status bm_cloud_parse(struct bm_cloud *cloud, struct bm_cloud_location *location,
                                      const char *string, struct blastmerge_error *error) {
    return bm_cloud_location_parse(location, string, cloud->endpoint, error);
}

static uint64_t random_bits(struct bm_cloud *cloud) {
    cloud->random += 0x9e3779b97f4a7c15U;
    uint64_t bits = cloud->random;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
    return bits ^ bits >> 31;
}

/* --- a try --------------------------------------------------------------------------------------- */

static CURL *take_handle(struct bm_cloud *cloud) {
    if (cloud->n_idle == 0) return cloud->library->easy_init();
    CURL *easy = cloud->idle[--cloud->n_idle];
    cloud->library->easy_reset(easy);
    return easy;
}

static void give_handle(struct bm_cloud *cloud, struct bm_cloud_request *request) {
    const struct bm_cloud_library *library = cloud->library;
    if (request->easy == NULL) return;
    library->multi_remove_handle(cloud->multi, request->easy);
    library->slist_free_all(request->list);
    if (cloud->n_idle < cloud->n_kept_idle) {
        cloud->idle[cloud->n_idle++] = request->easy;
    } else {
        library->easy_cleanup(request->easy);
    }
    request->easy = NULL;
    request->list = NULL;
}

/* Lines of "Name: value\n" become curl's list. */
static bool list_headers(struct bm_cloud *cloud, struct bm_cloud_request *request, const char *headers) {
    char line[BM_SIGN_HEADERS];
    static const char *const unwanted[] = {"Expect:", "Accept:", "Content-Type:"};
    struct curl_slist *list = NULL;
    size_t n_value = 0;
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
        bool is_given = i == 2 && bm_cloud_find_header(headers, "Content-Type", &n_value) != NULL;
        struct curl_slist *longer = is_given ? list : cloud->library->slist_append(list, unwanted[i]);
        if (longer == NULL && !is_given) return false;
        list = longer;
    }
    for (; *headers != '\0'; headers += *headers == '\n') {
        size_t n_line = strcspn(headers, "\n");
        bm_cloud_copy_bytes(line, sizeof line, headers, n_line);
        struct curl_slist *longer = cloud->library->slist_append(list, line);
        request->list = list = longer != NULL ? longer : list;
        if (longer == NULL) return false;
        headers += n_line;
    }
    request->list = list;
    return true;
}

/* No secret travels in the open, except within this machine. */
static enum blastmerge_status check_origin(const struct bm_cloud_location *location,
                                           const struct bm_cloud_credential *credential,
                                           struct blastmerge_error *error) {
    bool is_secret =
        credential->kind != BM_CREDENTIAL_NONE ||
        (bm_cloud_provider_of(location->provider)->has_secret_query && location->query[0] != '\0');
    if (!is_secret || location->is_safe) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_DENIED,
                   "credentials are not sent over http://, where anyone can read them: use https://");
}

static enum blastmerge_status find(struct bm_cloud *cloud, const struct bm_cloud_location *location,
                                   bool is_renewed, const struct bm_cloud_credential **credential,
                                   struct blastmerge_error *error) {
    struct blastmerge_error before = *error;
    cloud->is_finding = true;
    enum blastmerge_status status = bm_cloud_credential_find(cloud, location, is_renewed, credential, error);
    cloud->is_finding = false;
    if (status == BLASTMERGE_OK) *error = before; /* servers that are not there are no failure */
    return status;
}

/* The request's own headers: those that do not depend on its credential. */
static enum blastmerge_status make_lines(struct bm_cloud *cloud, struct bm_cloud_request *request,
                                         struct bm_cloud_text *lines) {
    const struct bm_cloud_credential *credential = NULL;
    bm_cloud_text_add(lines, request->headers);
    if (request->is_ranged) {
        bm_cloud_text_format(lines, "Range: bytes=%" PRIu64 "-%" PRIu64 "\n",
                             request->first + request->n_kept, request->last);
    }
    if (request->copy == NULL) return BLASTMERGE_OK;
    const struct bm_cloud_location *source = request->copy->location;
    enum blastmerge_status status = find(cloud, source, false, &credential, request->error);
    if (status == BLASTMERGE_OK) status = check_origin(source, credential, request->error);
    if (status == BLASTMERGE_OK)
        bm_cloud_copy_add_headers(request->copy, credential, bm_cloud_now(cloud), lines);
    return status;
}

/* The credential's place in the URL, or in the headers. */
static enum blastmerge_status make_signed(struct bm_cloud *cloud, struct bm_cloud_request *request,
                                          const struct bm_cloud_credential *credential,
                                          const struct bm_cloud_text *lines, char *url, size_t n_url,
                                          char *headers) {
    const struct bm_cloud_location *location = request->location;
    const char *path = request->path != NULL ? request->path : location->path;
    struct bm_cloud_sign sign = {request->method,
                                 location,
                                 path,
                                 request->query,
                                 lines->data,
                                 request->body,
                                 request->n_body,
                                 request->body_sha256,
                                 credential,
                                 bm_cloud_now(cloud)};
    struct bm_cloud_text text = bm_cloud_text_in(url, n_url);
    const char *sas = credential->kind == BM_CREDENTIAL_SAS ? credential->secret : location->query;
    bm_cloud_text_format(&text, "%s%s", location->origin, path);
    if (request->query[0] != '\0' || sas[0] != '\0') bm_cloud_text_add(&text, "?");
    bm_cloud_text_add(&text, request->query);
    if (request->query[0] != '\0' && sas[0] != '\0') bm_cloud_text_add(&text, "&");
    bm_cloud_text_add(&text, sas);
    if (text.is_cut || lines->is_cut || request->is_cut || !bm_cloud_sign(&sign, headers))
        return bm_fail(request->error, BLASTMERGE_USAGE,
                       "its URL, a header or its credential is too long or has control characters");
    return BLASTMERGE_OK;
}

static enum blastmerge_status address(struct bm_cloud *cloud, struct bm_cloud_request *request, char *url,
                                      size_t n_url, char *headers) {
    const struct bm_cloud_credential *credential = NULL;
    if (request->url != NULL) {
        bm_cloud_copy_text(url, n_url, request->url);
        bm_cloud_copy_text(headers, BM_SIGN_HEADERS, request->headers);
        return BLASTMERGE_OK;
    }
    char own[BM_SIGN_HEADERS];
    struct bm_cloud_text lines = bm_cloud_text_in(own, sizeof own);
    enum blastmerge_status status =
        make_lines(cloud, request, &lines); /* before, since it finds a credential */
    if (status == BLASTMERGE_OK) status = find(cloud, request->location, false, &credential, request->error);
    if (status == BLASTMERGE_OK) status = check_origin(request->location, credential, request->error);
    return status == BLASTMERGE_OK ? make_signed(cloud, request, credential, &lines, url, n_url, headers)
                                   : status;
}

/* HTTP alone, and no way from https:// back to http://. */
static void allow_protocols(const struct bm_cloud_library *l, CURL *easy,
                            const struct bm_cloud_request *request, bool is_https) {
#if LIBCURL_VERSION_NUM >= 0x075500
    l->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    l->easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
#else
    const long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    l->easy_setopt(easy, CURLOPT_PROTOCOLS, both);
    l->easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, is_https ? (long)CURLPROTO_HTTPS : both);
#endif
    l->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->follows ? 1L : 0L);
    l->easy_setopt(easy, CURLOPT_MAXREDIRS, (long)BM_CEILING_REDIRECTIONS);
}

/* The time for an answer begins when all is sent. */
static void start_clock(struct bm_cloud_request *request) {
    int64_t ceiling_ms = (int64_t)request->cloud->stall_seconds * 1000 * BM_CEILING_STALLS;
    if (request->answer_due_ms == 0) request->answer_due_ms = bm_cloud_clock_ms() + ceiling_ms;
}

/* libcurl says how far a transfer is. The bodies of redirections are counted nowhere else. */
static int look_at_progress(void *context, curl_off_t n_to_come, curl_off_t n_came, curl_off_t n_to_send,
                            curl_off_t n_sent) {
    struct bm_cloud_request *request = context;
    (void)n_to_come;
    (void)n_to_send;
    if (request->http_status != 0 || (uint64_t)n_sent >= request->n_body) start_clock(request);
    if (request->http_status < 300 || request->http_status >= 400 || n_came <= BM_CEILING_BODY) return 0;
    bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent more than %d KiB with a redirection",
                           BM_CEILING_BODY >> 10);
    return 1;
}

/* Sockets, too, take no standard stream's place. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    int file = bm_open_socket(address->family, address->socktype, address->protocol);
    return file < 0 ? CURL_SOCKET_BAD : file;
}

#ifdef BLASTMERGE_FIND_CERTIFICATES
/* A libcurl that is part of a released program was configured on another system than it runs on. NULL: none of the usual places. */
static const char *find_certificates(void) {
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Gentoo */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL, Rocky */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",                  /* Alpine */
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0) return places[i];
    return NULL;
}
#endif

static void set_options(struct bm_cloud *cloud, struct bm_cloud_request *request, const char *url) {
    const struct bm_cloud_library *l = cloud->library;
    CURL *easy = request->easy;
    l->easy_setopt(easy, CURLOPT_URL, url);
    l->easy_setopt(easy, CURLOPT_PRIVATE, request);
    l->easy_setopt(easy, CURLOPT_HTTPHEADER, request->list);
    l->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (strcmp(request->method, "HEAD") == 0) l->easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0) {
        l->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->n_body);
        l->easy_setopt(easy, CURLOPT_POSTFIELDS, request->n_body == 0 ? "" : request->body);
    }
    l->easy_setopt(easy, CURLOPT_HEADERFUNCTION, bm_cloud_answer_header);
    l->easy_setopt(easy, CURLOPT_HEADERDATA, request);
    l->easy_setopt(easy, CURLOPT_WRITEFUNCTION, bm_cloud_answer_body);
    l->easy_setopt(easy, CURLOPT_WRITEDATA, request);
    l->easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    l->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_at_progress);
    l->easy_setopt(easy, CURLOPT_XFERINFODATA, request);
    l->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    l->easy_setopt(easy, CURLOPT_ERRORBUFFER, request->curl_error);
    l->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    l->easy_setopt(easy, CURLOPT_BUFFERSIZE, request->is_small ? (long)SMALL_BUFFER : (long)RECEIVE_BUFFER);
    l->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    allow_protocols(l, easy, request, bm_cloud_location_scheme(url) == BM_SCHEME_HTTPS);
    l->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    l->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    l->easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    l->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   request->timeout_ms > 0 ? request->timeout_ms : (long)CONNECT_TIMEOUT_MS);
    l->easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    l->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    /* A store that copies may send nothing until it has. */
    l->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                   request->copy != NULL ? cloud->stall_seconds * BM_CEILING_STALLS : cloud->stall_seconds);
    l->easy_setopt(easy, CURLOPT_USERAGENT, "blastmerge/" BLASTMERGE_VERSION);
    if (request->url != NULL || request->location->is_loopback) l->easy_setopt(easy, CURLOPT_NOPROXY, "*");
    const char *bundle = bm_cloud_environment("AWS_CA_BUNDLE");
    if (bundle == NULL) bundle = bm_cloud_environment("CURL_CA_BUNDLE");
    if (bundle == NULL) bundle = bm_cloud_environment("SSL_CERT_FILE");
#ifdef BLASTMERGE_FIND_CERTIFICATES
    if (bundle == NULL) bundle = find_certificates();
#endif
    if (bundle != NULL) l->easy_setopt(easy, CURLOPT_CAINFO, bundle);
}

static void end_request(struct bm_cloud_request *request, enum blastmerge_status status) {
    struct bm_cloud *cloud = request->cloud;
    struct bm_cloud_request **link = &cloud->requests;
    give_handle(cloud, request);
    while (*link != NULL && *link != request) link = &(*link)->next;
    if (*link == request) *link = request->next;
    request->next = NULL;
    bm_cloud_tell(cloud);
    request->status = status;
    request->state = BM_REQUEST_ENDED;
}

static void begin_try(struct bm_cloud_request *request) {
    struct bm_cloud *cloud = request->cloud;
    char url[BM_LOCATION_ORIGIN + BM_LOCATION_PATH + BM_REQUEST_QUERY + BM_CREDENTIAL_SECRET];
    char headers[BM_SIGN_HEADERS];
    request->state = BM_REQUEST_RUNNING;
    bm_cloud_answer_forget(request);
    request->curl_error[0] = '\0';
    request->is_paused = false;
    request->n_skip = request->n_of_headers = 0;
    request->answer_due_ms = 0;
    if (request->n_body == 0) start_clock(request);
    if (request->keep == NULL) request->n_answer = 0, request->n_kept = 0;
    if (request->answer != NULL) request->answer[0] = '\0'; /* one without a body is an empty string */
    enum blastmerge_status status = address(cloud, request, url, sizeof url, headers);
    if (status == BLASTMERGE_OK) {
        request->easy = take_handle(cloud);
        if (request->easy != NULL && list_headers(cloud, request, headers)) {
            set_options(cloud, request, url);
            if (cloud->library->multi_add_handle(cloud->multi, request->easy) == CURLM_OK) return;
        }
        status = bm_fail(request->error, BLASTMERGE_NO_MEMORY, "out of memory for a request");
    }
    end_request(request, status);
}

/* --- the end of a try ---------------------------------------------------------------------------- */

static bool may_try_again(struct bm_cloud *cloud, const struct bm_cloud_request *request) {
    unsigned n_tries = request->n_tries != 0 ? request->n_tries : cloud->n_tries + 1;
    if (request->cannot_repeat && request->n_kept > 0) return false;
    if (request->ignores_cancel && request->retry_after_ms > request->timeout_ms) return false;
    return request->n_failed < n_tries && (request->budget == NULL || request->budget->n_left > 0);
}

static void try_later(struct bm_cloud *cloud, struct bm_cloud_request *request) {
    int64_t delay = bm_cloud_retry_delay(request->n_failed, cloud->delay_ms, random_bits(cloud));
    if (request->retry_after_ms >= 0) delay = request->retry_after_ms;
    if (request->budget != NULL) request->budget->n_left--;
    request->due_ms = bm_cloud_clock_ms() + delay;
    request->state = BM_REQUEST_WAITING;
}

/* Fetches the credential anew, once; false if that leads nowhere. */
static bool renew(struct bm_cloud_request *request) {
    const struct bm_cloud_credential *credential = NULL;
    struct blastmerge_error ignored = {0};
    if (request->was_renewed || request->url != NULL ||
        bm_cloud_provider_of(request->location->provider)->is_web)
        return false;
    request->was_renewed = true;
    return find(request->cloud, request->location, true, &credential, &ignored) == BLASTMERGE_OK;
}

/* libcurl has no memory for a line of headers that is longer than it takes, and says so as if there were none
 * at all. */
static bool is_line_too_long(struct bm_cloud *cloud, struct bm_cloud_request *request, CURLcode code) {
    curl_off_t microseconds = 0; /* until the first byte came */
    if (code != CURLE_OUT_OF_MEMORY) return false;
    if (request->n_of_headers > 0) return true;
    cloud->library->easy_getinfo(request->easy, CURLINFO_STARTTRANSFER_TIME_T, &microseconds);
    return microseconds > 0;
}

/* A refusal is one by its status, however its body ends. */
static bool is_refused(const struct bm_cloud_request *request) {
    return request->is_enough || (request->is_head_whole && request->http_status >= 400);
}

static void end_try(struct bm_cloud *cloud, struct bm_cloud_request *request, CURLcode code) {
    enum bm_cloud_verdict verdict = BM_VERDICT_FINAL;
    bool is_success = request->http_status >= 200 && request->http_status < 300;
    if (is_refused(request)) code = CURLE_OK;
    if (is_line_too_long(cloud, request, code))
        bm_cloud_request_fault(request, BM_FAULT_FINAL, "sent a header that is longer than libcurl accepts");
    if (code == CURLE_OK && is_success && !request->is_head_whole) /* libcurl takes that for an empty body */
        bm_cloud_request_fault(request, BM_FAULT_PASSING, "closed the connection within its headers");
    if (code == CURLE_OK && is_success && !request->is_answer_good) (void)bm_cloud_answer_check(request);
    verdict = bm_cloud_retry_judge(request, code);
    if (verdict == BM_VERDICT_DONE) {
        unsigned most = cloud->n_tries;
        if (request->budget != NULL && request->budget->n_left < most) request->budget->n_left++;
        end_request(request, BLASTMERGE_OK);
        return;
    }
    request->n_failed++;
    give_handle(cloud, request);
    if (verdict == BM_VERDICT_SKEWED && !request->was_skewed && request->date >= 0) {
        request->was_skewed = true;
        cloud->skew = request->date - bm_cloud_clock_seconds();
        request->due_ms = 0;
        request->state = BM_REQUEST_WAITING;
    } else if (verdict == BM_VERDICT_EXPIRED && renew(request)) {
        request->due_ms = 0;
        request->state = BM_REQUEST_WAITING;
    } else if (verdict == BM_VERDICT_AGAIN && may_try_again(cloud, request)) {
        try_later(cloud, request);
    } else {
        bm_cloud_retry_explain(request, code, cloud->library->easy_strerror(code));
        end_request(request, request->status);
    }
}

/* --- driving ------------------------------------------------------------------------------------- */

/* Whether the request waits for its time only, and not for the credential that is just being found. */
static bool may_begin(const struct bm_cloud *cloud, const struct bm_cloud_request *request) {
    return request->state == BM_REQUEST_WAITING && (!cloud->is_finding || request->url != NULL);
}

/* A try that begins may need a credential, and finding that drives other requests: so each time the list is
 * looked at from its beginning. */
static void start_due(struct bm_cloud *cloud) {
    int64_t now = bm_cloud_clock_ms();
    struct bm_cloud_request *request = cloud->requests;
    while (request != NULL) {
        if (may_begin(cloud, request) && request->due_ms <= now) {
            begin_try(request);
            request = cloud->requests;
        } else {
            request = request->next;
        }
    }
}

static void take_messages(struct bm_cloud *cloud) {
    int n_left = 0;
    for (;;) {
        CURLMsg *message = cloud->library->multi_info_read(cloud->multi, &n_left);
        if (message == NULL) break;
        if (message->msg != CURLMSG_DONE) continue;
        char *request = NULL;
        CURLcode code = message->data.result;
        cloud->library->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        if (request != NULL) end_try(cloud, (struct bm_cloud_request *)(void *)request, code);
    }
}

/* A child's data may take their time, all else may not. */
static bool is_overdue(const struct bm_cloud_request *request, int64_t now) {
    bool is_data = request->is_child && request->is_answer_good;
    return request->state == BM_REQUEST_RUNNING && !is_data && !request->is_paused &&
           request->answer_due_ms != 0 && now >= request->answer_due_ms;
}

static void end_overdue(struct bm_cloud *cloud) {
    int64_t now = bm_cloud_clock_ms();
    struct bm_cloud_request *request = cloud->requests;
    while (request != NULL) {
        if (is_overdue(request, now)) {
            if (!is_refused(request))
                bm_cloud_request_fault(request, BM_FAULT_PASSING, "took longer than %ld s for an answer",
                                       cloud->stall_seconds * BM_CEILING_STALLS);
            end_try(cloud, request, CURLE_OPERATION_TIMEDOUT);
            request = cloud->requests; /* that may have driven others */
        } else {
            request = request->next;
        }
    }
}

void bm_cloud_drive(struct bm_cloud *cloud) {
    int n_running = 0;
    if (cloud->requests == NULL) return;
    start_due(cloud);
    cloud->library->multi_perform(cloud->multi, &n_running);
    take_messages(cloud);
    end_overdue(cloud);
}

static int poll_time(const struct bm_cloud *cloud) {
    int64_t soonest = MAX_POLL_MS;
    int64_t now = bm_cloud_clock_ms();
    for (const struct bm_cloud_request *request = cloud->requests; request != NULL; request = request->next) {
        if (may_begin(cloud, request) && request->due_ms - now < soonest) soonest = request->due_ms - now;
    }
    return soonest < 0 ? 0 : (int)soonest;
}

/* Waits for news, without regard to a cancel if it is to be ignored. */
static void wait_for_news(struct bm_cloud *cloud, bool ignores_cancel) {
    struct curl_waitfd cancel = {.fd = cloud->cancel->pipe[0], .events = CURL_WAIT_POLLIN};
    int n_ready = 0;
    cloud->library->multi_poll(cloud->multi, ignores_cancel ? NULL : &cancel, ignores_cancel ? 0 : 1,
                               poll_time(cloud), &n_ready);
}

enum blastmerge_status bm_cloud_wait(struct bm_cloud *cloud, struct blastmerge_error *error) {
    uint64_t n_before = cloud->n_told;
    bm_cloud_drive(cloud);
    if (bm_cancel_is_set(cloud->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    if (cloud->n_told != n_before) return BLASTMERGE_OK; /* it may have been the last that was under way */
    wait_for_news(cloud, false);
    bm_cloud_drive(cloud);
    return BLASTMERGE_OK;
}

/* --- requests ------------------------------------------------------------------------------------ */

void bm_cloud_request_open(struct bm_cloud_request *request, struct bm_cloud *cloud, const char *method,
                           const struct bm_cloud_location *location, struct bm_cloud_budget *budget) {
    memset(request, 0, sizeof *request);
    request->cloud = cloud;
    request->method = method;
    request->location = location;
    request->budget = budget;
}

void bm_cloud_request_header(struct bm_cloud_request *request, const char *name, const char *value) {
    struct bm_cloud_text text = {request->headers, sizeof request->headers, strlen(request->headers), false};
    bm_cloud_text_header(&text, name, "", value);
    request->is_cut = request->is_cut || text.is_cut;
}

void bm_cloud_request_read(struct bm_cloud_request *request) {
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(request->location->provider);
    request->follows = provider->is_web;
    if (provider->accept_encoding != NULL)
        bm_cloud_request_header(request, "Accept-Encoding", provider->accept_encoding);
}

void bm_cloud_request_parameter(struct bm_cloud_request *request, const char *name, const char *value) {
    struct bm_cloud_text text = {request->query, sizeof request->query, strlen(request->query), false};
    if (text.n > 0) bm_cloud_text_add(&text, "&");
    bm_cloud_text_format(&text, "%s=", name);
    bm_cloud_text_encode(&text, value, strlen(value), false);
    request->is_cut = request->is_cut || text.is_cut;
}

void bm_cloud_request_start(struct bm_cloud_request *request, struct blastmerge_error *error) {
    assert(request->state == BM_REQUEST_IDLE || request->state == BM_REQUEST_ENDED);
    request->error = error;
    request->status = BLASTMERGE_OK;
    request->n_failed = 0;
    request->n_kept = 0;
    request->was_skewed = request->was_renewed = false;
    request->due_ms = 0;
    request->state = BM_REQUEST_WAITING;
    struct bm_cloud_request **link = &request->cloud->requests; /* at the end: first come, first served */
    while (*link != NULL) link = &(*link)->next;
    request->next = NULL;
    *link = request;
}

enum blastmerge_status bm_cloud_request_finish(struct bm_cloud_request *request) {
    struct bm_cloud *cloud = request->cloud;
    for (;;) {
        bm_cloud_drive(cloud);
        if (request->state == BM_REQUEST_ENDED) return request->status;
        if (!request->ignores_cancel && bm_cancel_is_set(cloud->cancel)) {
            bm_cloud_request_stop(request);
            return request->status = bm_fail(request->error, BLASTMERGE_CANCELLED, "cancelled");
        }
        wait_for_news(cloud, request->ignores_cancel);
    }
}

enum blastmerge_status bm_cloud_request_run(struct bm_cloud_request *request,
                                            struct blastmerge_error *error) {
    bm_cloud_request_start(request, error);
    return bm_cloud_request_finish(request);
}

void bm_cloud_request_resume(struct bm_cloud_request *request) {
    if (request->state != BM_REQUEST_RUNNING || !request->is_paused) return;
    request->is_paused = false;
    request->cloud->library->easy_pause(request->easy, CURLPAUSE_CONT);
}

void bm_cloud_request_stop(struct bm_cloud_request *request) {
    if (request->state == BM_REQUEST_WAITING || request->state == BM_REQUEST_RUNNING)
        end_request(request, BLASTMERGE_CANCELLED);
}

#endif
