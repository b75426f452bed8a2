/* SPDX-License-Identifier: MIT */
/*
 * cloud - requests to the servers of remote children and results: HTTP by libcurl, signed, and repeated if a
 * fault may be temporary.
 *
 * All requests of a job run together, on the job's own thread: a wait for one drives all. A request belongs to
 * its caller and must stay at its address until it has ended or bm_cloud_request_stop() was called. The memory
 * of a request is bounded by its owner's sink; the room's own share is a few KiB for each.
 */
#ifndef BM_CLOUD_H
#define BM_CLOUD_H

#include "base/cancel.h"
#include "cloud/location.h"

struct bm_cloud;
struct bm_cloud_copy;

enum {
    BM_REQUEST_HEADERS = 1024,
    BM_REQUEST_QUERY = 3072,
    BM_REQUEST_TAG = 160,    /* bytes of an ETag */
    BM_REQUEST_ERROR = 2048, /* bytes of a refusal that are read */
    BM_REQUEST_CODE = 64,
    BM_REQUEST_FAULT = 160,
    BM_REQUEST_TIME = 64 /* bytes of a Last-Modified */
};

/* The number of failures that a stream of requests may still have. Each repeated request takes one, each
 * success gives one back. */
struct bm_cloud_budget {
    unsigned n_left;
};

/* What a sink did with the bytes that it was given. It takes all of them or none. Only BM_KEPT counts, and
 * only in one place, bm_cloud_answer_body(). */
enum bm_cloud_keep {
    BM_KEPT,
    BM_KEEP_LATER, /* there is no space: the same bytes come again after bm_cloud_request_resume() */
    BM_KEEP_NEVER  /* they are refused: bm_cloud_request_fault() has the reason, and the try ends */
};

/* The kind of fault in an answer, and its consequence. */
enum bm_cloud_fault {
    BM_FAULT_NONE,
    BM_FAULT_PASSING, /* another try may succeed */
    BM_FAULT_FINAL,   /* another try would give the same answer */
    BM_FAULT_CHANGED  /* the answer is of another object than what was read before */
};

enum bm_cloud_request_state { BM_REQUEST_IDLE, BM_REQUEST_WAITING, BM_REQUEST_RUNNING, BM_REQUEST_ENDED };

struct bm_cloud_request {
    /* The request: filled by the owner. Strings and bodies are borrowed until it has ended. */
    const char *method;
    const struct bm_cloud_location *location;
    const char *path; /* NULL: the location's */
    char query[BM_REQUEST_QUERY];
    char headers[BM_REQUEST_HEADERS]; /* lines of "Name: value\n" */
    const void *body;
    size_t n_body;
    const uint8_t *body_sha256;       /* or NULL */
    const struct bm_cloud_copy *copy; /* what the server is to copy, or NULL */
    const char *url;                  /* of a credentials' server: no location, nothing is signed */
    bool is_ranged;                   /* for bytes first to last */
    uint64_t first;
    uint64_t last;
    bool is_cut;         /* a part of it did not fit */
    bool is_child;       /* it is for a child's data, which have no limit */
    bool is_small;       /* a small buffer is enough for its answer */
    const char *tag;     /* the ETag that the answer must have, or NULL */
    bool can_be_whole;   /* a 200 to a ranged request is no fault: the owner checks http_status */
    bool is_whole_final; /* a 200 to a ranged request would come again: the server has sent no range yet */
    bool cannot_repeat;  /* a fault after the first byte is final */
    bool needs_tag;      /* an answer without an ETag is a fault */
    const char *element; /* that the answer must hold, else it is a fault; or NULL */
    bool follows;        /* redirections, without credentials */
    bool ignores_cancel; /* but waits for a next try no longer than timeout_ms */
    long expected_http;  /* another 2xx is a fault; 0: any */
    unsigned n_tries;    /* 0: as in the cloud's settings */
    long timeout_ms;     /* for all of a try; 0: only stalls end it */
    struct bm_cloud_budget *budget;
    /* Checks the headers of each try that are good, before the first byte; a difference is a fault. NULL: no
     * more checks. */
    void (*look)(struct bm_cloud_request *request);
    /* The sink of the answer's bytes; NULL: `answer`. For a ranged request, there are never more bytes than
     * requested. */
    enum bm_cloud_keep (*keep)(struct bm_cloud_request *request, const uint8_t *data, size_t n_bytes);
    void *owner;
    char *answer;
    size_t answer_size;

    /* The answer. */
    enum bm_cloud_request_state state;
    enum blastmerge_status status; /* once it has ended; `error` has the reason */
    struct blastmerge_error *error;
    long http_status;
    size_t n_answer;
    uint64_t n_kept;     /* bytes that the sink kept, over all tries */
    bool is_answer_good; /* the headers of this try were checked and are right: bytes go to the sink */
    char etag[BM_REQUEST_TAG];
    char modified[BM_REQUEST_TIME]; /* Last-Modified */
    bool has_length;
    uint64_t length; /* Content-Length */
    bool has_range;  /* Content-Range */
    uint64_t range_first;
    uint64_t range_last;
    bool has_total;
    uint64_t total;
    char code[BM_REQUEST_CODE];   /* the provider's code for a refusal */
    char upload[BM_REQUEST_CODE]; /* the metadata that names the upload that made the object */
    char region[BM_REQUEST_CODE]; /* a bucket's region, if it is another one */

    /* The room's own. */
    struct bm_cloud *cloud;
    struct bm_cloud_request *next;
    void *easy;
    void *list;
    unsigned n_failed;
    int64_t due_ms;
    int64_t retry_after_ms; /* -1: not given */
    int64_t date;           /* the server's clock */
    uint64_t n_skip;        /* bytes of this try that the sink had before */
    uint64_t n_of_try;      /* bytes of this try's body */
    uint64_t n_of_headers;  /* bytes of this try's headers, with those of redirections */
    bool is_head_whole;     /* the blank line after the headers has arrived */
    bool is_enough;         /* a refusal is longer than its limit: its status counts */
    int64_t answer_due_ms;  /* when the answer must have arrived; 0: not all was sent yet */
    bool is_paused;
    bool was_skewed;    /* the clock was already set */
    bool was_renewed;   /* the credential was already renewed */
    const char *oddity; /* an invalid part of the headers, or NULL */
    enum bm_cloud_fault fault;
    char fault_text[BM_REQUEST_FAULT]; /* "the server ..." */
    char refusal[BM_REQUEST_ERROR];
    size_t n_refusal;
    char curl_error[256];
};

/* Which locations are remote. */
struct bm_cloud_use {
    size_t n_lanes; /* children that are open at a time; 0: none is remote */
    bool is_output_remote;
    bool is_report_remote;
    bool has_lists; /* some children have wildcards */
};

/* The division of the memory: see bm_cloud_make_plan(). */
struct bm_cloud_plan {
    struct bm_cloud_use use;
    size_t window;  /* bytes of a range that is read; each child that is open has up to BM_CLOUD_WINDOWS */
    size_t first;   /* bytes of a first range that is requested before a child is opened */
    size_t n_first; /* how many of these there can be at a time */
    size_t part;    /* bytes of a part of the result */
    size_t report_part; /* bytes of a part of the report */
    size_t list;        /* bytes that are kept of lists: names, and a child's record with each */
    size_t least_copy;  /* bytes that a store is told to copy at least; fewer are read and written */
    unsigned n_parts;   /* of the result in memory: one is filled, the others are being sent */
};

enum {
    BM_CLOUD_WINDOWS = 4,
    BM_CLOUD_REPORT_PARTS = 2,
    BM_CLOUD_MOST_FIRST = 64,    /* more connections than that are a burden for servers */
    BM_CLOUD_CONNECTION = 131072 /* bytes of memory for a connection with TLS and its buffers */
};

/*
 * Divides a limit for the memory of the whole process; 0: 64 MiB. 28 MiB go to the merge itself and to libcurl with TLS.
 * A quarter of the rest is for lists, if there are any. Of what remains, the result's parts have two thirds, if
 * there are any, and reading has the remainder: windows of the children that are open, and first windows with a
 * connection for each. BLASTMERGE_NO_MEMORY: the limit is too small, and the record names the needed value.
 */
enum blastmerge_status bm_cloud_make_plan(uint64_t memory_limit, struct bm_cloud_use use,
                                          struct bm_cloud_plan *plan,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* The limit in MiB that gives the result parts of at least `part` bytes; 0: no store accepts such parts. */
uint64_t bm_cloud_limit_for(const struct bm_cloud_plan *plan, uint64_t part);

/* The limit in MiB that leaves n_bytes for lists. */
uint64_t bm_cloud_limit_for_list(const struct bm_cloud_plan *plan, uint64_t n_bytes);

struct bm_cloud_settings {
    const char *endpoint; /* or NULL */
    struct bm_cloud_plan plan;
    struct bm_memory *memory;
    struct bm_cancel *cancel;
};

enum blastmerge_status bm_cloud_open(struct bm_cloud **cloud, const struct bm_cloud_settings *settings,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;
/* `cloud` may be NULL. No request may be running. */
void bm_cloud_close(struct bm_cloud *cloud);

enum blastmerge_status bm_cloud_parse(struct bm_cloud *cloud, struct bm_cloud_location *location,
                                      const char *string, struct blastmerge_error *error) BM_CHECK_RESULT;
struct bm_memory *bm_cloud_memory(struct bm_cloud *cloud);
const struct bm_cloud_plan *bm_cloud_plan(const struct bm_cloud *cloud);

/* Memory for BM_CLOUD_WINDOWS windows of the plan's size, or NULL. Returned memory is kept for the next child:
 * pages that were touched before cost nothing, fresh ones a tenth of a merge's time. */
uint8_t *bm_cloud_take_windows(struct bm_cloud *cloud) BM_CHECK_RESULT;
void bm_cloud_give_windows(struct bm_cloud *cloud, uint8_t *windows);

/* Memory for a first window, or NULL: as many as the plan has are taken, or there is no memory. */
uint8_t *bm_cloud_take_first(struct bm_cloud *cloud) BM_CHECK_RESULT;
void bm_cloud_give_first(struct bm_cloud *cloud, uint8_t *first);

/* A budget by the settings. */
struct bm_cloud_budget bm_cloud_budget(const struct bm_cloud *cloud);

/* Clears a request and sets only these fields. */
void bm_cloud_request_open(struct bm_cloud_request *request, struct bm_cloud *cloud, const char *method,
                           const struct bm_cloud_location *location, struct bm_cloud_budget *budget);
void bm_cloud_request_header(struct bm_cloud_request *request, const char *name, const char *value);

/* Adds what a request has that reads an object of its provider. */
void bm_cloud_request_read(struct bm_cloud_request *request);

/* Adds a parameter to the query; the value is encoded. */
void bm_cloud_request_parameter(struct bm_cloud_request *request, const char *name, const char *value);

/* Starts a request. It makes progress whenever the cloud is driven. */
void bm_cloud_request_start(struct bm_cloud_request *request, struct blastmerge_error *error);

/* Drives all requests without waiting. */
void bm_cloud_drive(struct bm_cloud *cloud);

/* Drives all requests until there is an event. BLASTMERGE_CANCELLED, or OK. */
enum blastmerge_status bm_cloud_wait(struct bm_cloud *cloud, struct blastmerge_error *error) BM_CHECK_RESULT;

/* Starts a request and waits for its end. Returns the request's status; the caller may decide that http_status
 * is not a failure. */
enum blastmerge_status bm_cloud_request_run(struct bm_cloud_request *request,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

/* Waits until a request has ended. */
enum blastmerge_status bm_cloud_request_finish(struct bm_cloud_request *request) BM_CHECK_RESULT;

/* Records a fault of the current answer: "the server ..." in plain words. The first fault counts. */
void bm_cloud_request_fault(struct bm_cloud_request *request, enum bm_cloud_fault fault, const char *format,
                            ...) BM_FORMAT(3, 4);

/* To be called when the request's sink has space again. */
void bm_cloud_request_resume(struct bm_cloud_request *request);

/* Stops a request in any state, even one that was never started. */
void bm_cloud_request_stop(struct bm_cloud_request *request);

/* What a list says of an object. */
struct bm_cloud_listed {
    const char *location; /* in the form of the one with the wildcard */
    uint64_t n_bytes;     /* UINT64_MAX: not given */
    const char *etag;     /* as in the header of an answer; "": not given */
};

typedef enum blastmerge_status (*bm_cloud_found)(void *context, const struct bm_cloud_listed *listed,
                                                 struct blastmerge_error *error);

/* Calls `found` for each object that matches the location's wildcard, in the store's order. What `found` keeps is in
 * the cloud's memory, and limited by the plan. */
enum blastmerge_status bm_cloud_list(struct bm_cloud *cloud, const char *string, bm_cloud_found found,
                                     void *context, struct blastmerge_error *error) BM_CHECK_RESULT;

/* --- the room's own ------------------------------------------------------------------------------ */

struct bm_cloud_credential;
struct bm_cloud_credential *bm_cloud_credentials(struct bm_cloud *cloud, size_t *n_credentials);
/* Counts bytes that are kept of lists; false: more than the plan allows. */
bool bm_cloud_count_listed(struct bm_cloud *cloud, size_t n_bytes);
void bm_cloud_tell(struct bm_cloud *cloud);         /* something arrived that a wait may be for */
int64_t bm_cloud_now(const struct bm_cloud *cloud); /* seconds since 1970, by the servers' clock */

#endif
