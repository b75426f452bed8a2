/* SPDX-License-Identifier: MIT */
/*
 * fetch - a child's location -> its bytes, unchanged.
 *
 * A source describes the location; a fetch reads it once, from front to back. A back end is a table of functions,
 * so other kinds of location (HTTP, object stores) are other tables.
 *
 * Threads: one at a time fills a fetch, and may read it again on any other. The job's thread does all else, and fills all
 * fetches but those of children that are kept before their turn, which workers fill (child/lane.h).
 */
#ifndef BM_FETCH_H
#define BM_FETCH_H

#include "base/callback.h"
#include "base/cancel.h"

struct bm_cloud;
struct bm_fetch;
struct bm_fetch_look;
struct bm_fetch_http;
struct bm_fetch_source;

struct bm_fetch_back_end {
    /* Finds out what is possible without reading: n_bytes, whether it can be read ahead of its turn, identity. */
    enum blastmerge_status (*look)(struct bm_fetch_source *source, struct blastmerge_error *error);
    enum blastmerge_status (*open)(struct bm_fetch *fetch, struct blastmerge_error *error);
    /* Up to `capacity` bytes to `data`; *n_read 0 at the end only. */
    enum blastmerge_status (*read)(struct bm_fetch *fetch, uint8_t *data, size_t capacity, size_t *n_read,
                                   struct blastmerge_error *error);
    void (*close)(struct bm_fetch *fetch);
    /* Begins a look, so that many can be looked up at the same time; NULL: a look takes no time. */
    void (*begin_look)(struct bm_fetch_source *source);
    /* Begins to read before `open`, which then goes on with that; false: not now. NULL: reading begins with
     * `open`. */
    bool (*begin)(struct bm_fetch_source *source);
    /* Reads n_bytes from `offset` on once more, on any thread, while the fetch is open; NULL: not possible. */
    enum blastmerge_status (*read_again)(const struct bm_fetch *fetch, uint64_t offset, uint8_t *data,
                                         size_t n_bytes, struct blastmerge_error *error);
    /* Whether n_bytes (or what comes before the end, or a failure) can be read without waiting; NULL: always.
     */
    bool (*is_ready)(struct bm_fetch *fetch, size_t n_bytes);
};

/* A child from the caller's reader. */
struct bm_fetch_reader {
    struct blastmerge_reader functions;
    int *ticket;           /* of its calls, or NULL */
    bool has_failed;       /* next did */
    bool has_close_failed; /* close returned close_result */
    int close_result;
};

/* The location of a child. Made by bm_fetch_source_...(), whose caller owns the strings and the memory. */
struct bm_fetch_source {
    const struct bm_fetch_back_end *back_end;
    /* As given: a path, a remote location including what must not be shown, or the name of memory or a reader.
     * Never NULL. */
    const char *location;
    /* The name in messages: "standard input" for "-", a remote location without secrets, a name in quotes if it
     * needs them. Never NULL. */
    const char *shown;
    struct bm_cloud *cloud;      /* remote: the job's, once it has begun */
    struct bm_fetch_look *look;  /* remote: a look that has begun */
    struct bm_fetch_http *ahead; /* remote: its first bytes, which were requested before it is opened */
    union {
        const uint8_t *memory;          /* children in memory */
        struct bm_fetch_reader *reader; /* children from the caller's reader; NULL for all others but these */
        void *other;                    /* the source of another room's back end */
    } from;
    uint64_t n_bytes; /* known by look, by a list or by the first answer; or UINT64_MAX */
    uint64_t version; /* remote: a hash of the values that distinguish versions, or 0: not known yet */
    uint64_t device;  /* files: identity, to find whether two are the same */
    uint64_t inode;
    bool has_identity;
    bool can_read_ahead;  /* reading it early does not block */
    bool must_be_regular; /* files: anything else in its place is an error, and is never waited for */
    bool is_open_reader;  /* the caller's reader is not closed yet */
    bool must_wait;       /* remote: its server sends it whole, which cannot be begun before it is opened */
};

struct bm_fetch_source bm_fetch_source_path(const char *path);
/* shown: the location without secrets. Its cloud must be set before the first look. */
struct bm_fetch_source bm_fetch_source_remote(const char *shown, const char *location);
struct bm_fetch_source bm_fetch_source_memory(const char *name, const void *data, size_t n_bytes);
/* reader is borrowed for the source's life. */
struct bm_fetch_source bm_fetch_source_reader(const char *name, struct bm_fetch_reader *reader);

/* The reader whose close has failed, with the value that it returned; else NULL. */
const struct bm_fetch_reader *bm_fetch_source_close_failure(const struct bm_fetch_source *source);

/* Whether it is a reader of which a function has failed. */
bool bm_fetch_source_has_failed(const struct bm_fetch_source *source);

/* Calls the reader's close, unless that was done; stops a look, and what was begun. */
void bm_fetch_source_close(struct bm_fetch_source *source);

struct bm_fetch {
    struct bm_fetch_source *source;
    const struct bm_fetch_back_end *back_end; /* the source's, for threads that read while the source moves */
    struct bm_cancel *cancel;
    bool is_open;
    uint64_t n_read;             /* bytes so far, including those that are left out */
    const struct bm_span *spans; /* NULL: all bytes are wanted */
    size_t n_spans;
    size_t span; /* the current one */
    int file;    /* files */
    bool is_regular;
    uint64_t size_at_open; /* regular files: to detect a change */
    int64_t time_at_open[2];
    const uint8_t *memory; /* memory: all of it, n_memory bytes */
    uint64_t n_memory;
    const uint8_t *chunk; /* memory and readers: the rest of the current bytes */
    size_t n_chunk;
    bool has_ended;
    struct bm_fetch_http *remote; /* remote ones */
};

/* Whether it is remote. */
bool bm_fetch_source_is_remote(const struct bm_fetch_source *source);

/* Whether its location is a path or a remote one, and not a mere name. */
bool bm_fetch_source_has_location(const struct bm_fetch_source *source);

/* The child's name: its location; for a remote one only what is shown of it, because the rest may be secret. */
const char *bm_fetch_source_name(const struct bm_fetch_source *source);

/*
 * Requests a source's first bytes before its turn, so that many small ones arrive at the same time, each with one
 * request. bm_fetch_open() goes on with them; bm_fetch_source_close() gives them up. False: there is no memory for
 * more at a time. To be called again and again until it is opened: the answer's length and version become the
 * source's. What fails is reported by the fetch that goes on with it. Has no effect on a source that is read at once.
 */
bool bm_fetch_source_begin(struct bm_fetch_source *source);

/* What a list says of a remote source: its first answer must agree. n_bytes: UINT64_MAX if it is not known. */
void bm_fetch_source_expect(struct bm_fetch_source *source, uint64_t n_bytes, const char *etag);

/* Whether an answer with these headers is of the version that the source is known to have. */
bool bm_fetch_source_is_version(const struct bm_fetch_source *source, const char *etag, const char *modified);

/* Begins a look, if that takes time; bm_fetch_source_look() must follow. */
void bm_fetch_source_begin_look(struct bm_fetch_source *source);
enum blastmerge_status bm_fetch_source_look(struct bm_fetch_source *source,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_fetch_open(struct bm_fetch *fetch, struct bm_fetch_source *source,
                                     struct bm_cancel *cancel,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Limits the fetch to these bytes, in ascending order: the others are read and dropped. The spans are borrowed.
 * NULL: all bytes. To be called before the first fill. */
void bm_fetch_limit(struct bm_fetch *fetch, const struct bm_span *spans, size_t n_spans);

/* Fills `data` as far as the source goes: fewer than `capacity` bytes only at the source's end. */
enum blastmerge_status bm_fetch_fill(struct bm_fetch *fetch, uint8_t *data, size_t capacity, size_t *n_read,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether bytes that were read can be read again: those of regular files and of memory. */
bool bm_fetch_can_read_again(const struct bm_fetch *fetch);

/* Reads n_bytes from `offset` on again; `data` has space for them. BLASTMERGE_CHANGED: they are not there any more. May
 * be called on any thread, and while the fetch is filled. */
enum blastmerge_status bm_fetch_read_again(const struct bm_fetch *fetch, uint64_t offset, uint8_t *data,
                                           size_t n_bytes, struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether filling n_bytes will not block. */
bool bm_fetch_is_ready(struct bm_fetch *fetch, size_t n_bytes);

/* Has no effect on one that is not open. */
void bm_fetch_close(struct bm_fetch *fetch);

extern const struct bm_fetch_back_end bm_fetch_file;
extern const struct bm_fetch_back_end bm_fetch_remote;

/* Stops a look that has begun; and a first request. */
void bm_fetch_remote_forget(struct bm_fetch_source *source);
void bm_fetch_remote_give_up(struct bm_fetch_source *source);

#endif
