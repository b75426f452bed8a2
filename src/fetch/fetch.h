/* SPDX-License-Identifier: MIT */
/*
 * fetch - where a child lies -> its bytes as they are.
 *
 * A source says where; a fetch reads it once, front to back. A back end is a table of functions, so that
 * further places (HTTP, object stores) are further tables. Called on the job's own thread only.
 */
#ifndef BM_FETCH_H
#define BM_FETCH_H

#include "base/callback.h"
#include "base/cancel.h"

struct bm_cloud;
struct bm_fetch;
struct bm_look;
struct bm_remote;
struct bm_fetch_source;

struct bm_fetch_back_end {
    /* What is known without reading: n_bytes, whether it can be read ahead of its turn, identity. */
    enum blastmerge_status (*look)(struct bm_fetch_source *source, struct blastmerge_error *error);
    enum blastmerge_status (*open)(struct bm_fetch *fetch, struct blastmerge_error *error);
    /* Up to `capacity` bytes to `data`; *n_read 0 at the end only. */
    enum blastmerge_status (*read)(struct bm_fetch *fetch, uint8_t *data, size_t capacity, size_t *n_read,
                                   struct blastmerge_error *error);
    void (*close)(struct bm_fetch *fetch);
    /* Begins to look, so that many can be looked at at a time; NULL: looking takes no time. */
    void (*begin_look)(struct bm_fetch_source *source);
    /* Whether n_bytes (or what comes before the end, or a failure) can be read without waiting; NULL: always.
     */
    bool (*is_ready)(struct bm_fetch *fetch, size_t n_bytes);
};

/* A child from the caller's reader. */
struct bm_reader {
    struct blastmerge_reader functions;
    int *ticket;           /* of its calls, or NULL */
    bool has_failed;       /* next did */
    bool has_close_failed; /* close returned close_result */
    int close_result;
};

/* Where a child lies. Made by bm_fetch_source_...(); strings and memory belong to the caller of that. */
struct bm_fetch_source {
    const struct bm_fetch_back_end *back_end;
    /* What it was made of: a path, a remote location with whatever must not be shown, or the name of what is
     * neither: memory, a reader. Never NULL. */
    const char *location;
    /* The same in messages: "standard input" for "-", a remote location without secrets, a name in quotes where
     * they are needed. Never NULL. */
    const char *shown;
    struct bm_cloud *cloud; /* remote: the job's, once it has begun */
    struct bm_look *look;   /* remote: a look that has begun */
    union {
        const uint8_t *memory;    /* children in memory */
        struct bm_reader *reader; /* children from the caller's reader; NULL for all others but these */
        void *other;              /* what the back end of another room reads from */
    } from;
    uint64_t n_bytes; /* known by look, or UINT64_MAX */
    uint64_t version; /* remote: a hash of what tells versions apart, or 0: not known yet */
    uint64_t device;  /* files: identity, for telling whether two are the same */
    uint64_t inode;
    bool has_identity;
    bool can_read_ahead;  /* reading it early keeps nobody waiting */
    bool must_be_regular; /* files: anything else in its place is an error, and is never waited for */
    bool is_open_reader;  /* the caller's reader waits for its close */
};

struct bm_fetch_source bm_fetch_source_path(const char *path);
/* shown: the location without secrets. Its cloud is to be set before it is looked at. */
struct bm_fetch_source bm_fetch_source_remote(const char *shown, const char *location);
struct bm_fetch_source bm_fetch_source_memory(const char *name, const void *data, size_t n_bytes);
/* reader is borrowed for the source's life. */
struct bm_fetch_source bm_fetch_source_reader(const char *name, struct bm_reader *reader);

/* What its reader's close returned, if that was a failure; else NULL. */
const struct bm_reader *bm_fetch_source_close_failure(const struct bm_fetch_source *source);

/* Whether it is a reader of which a function has failed. */
bool bm_fetch_source_has_failed(const struct bm_fetch_source *source);

/* Calls the reader's close, if it was not yet; breaks off a look. */
void bm_fetch_source_close(struct bm_fetch_source *source);

struct bm_fetch {
    struct bm_fetch_source *source;
    struct bm_cancel *cancel;
    bool is_open;
    uint64_t n_read;             /* bytes so far, with those that are left out */
    const struct bm_span *spans; /* NULL: all bytes are wanted */
    size_t n_spans;
    size_t span; /* the current one */
    int file;    /* files */
    bool is_regular;
    uint64_t size_at_open; /* regular files: to see whether they change */
    int64_t time_at_open[2];
    const uint8_t *chunk; /* memory and readers: what is left of the current bytes */
    size_t n_chunk;
    bool has_ended;
    struct bm_remote *remote; /* remote ones */
};

/* Whether it is remote. */
bool bm_fetch_source_is_remote(const struct bm_fetch_source *source);

/* Whether its location is a path or a remote one, and not the name of something else. */
bool bm_fetch_source_has_location(const struct bm_fetch_source *source);

/* The child's name: its location; of a remote one what is shown of it, since the rest may be secret. */
const char *bm_fetch_source_name(const struct bm_fetch_source *source);

/* Begins to look at it, where that takes time; bm_fetch_source_look() is due. */
void bm_fetch_source_begin_look(struct bm_fetch_source *source);
enum blastmerge_status bm_fetch_source_look(struct bm_fetch_source *source,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
enum blastmerge_status bm_fetch_open(struct bm_fetch *fetch, struct bm_fetch_source *source,
                                     struct bm_cancel *cancel,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Only these bytes are wanted of it, in ascending order: the others are read and forgotten. The spans are borrowed.
 * NULL: all. Before the first fill. */
void bm_fetch_limit(struct bm_fetch *fetch, const struct bm_span *spans, size_t n_spans);

/* Fills `data` as far as the source goes: fewer than `capacity` bytes only at the source's end. */
enum blastmerge_status bm_fetch_fill(struct bm_fetch *fetch, uint8_t *data, size_t capacity, size_t *n_read,
                                     struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether filling n_bytes will not wait for anybody. */
bool bm_fetch_is_ready(struct bm_fetch *fetch, size_t n_bytes);

/* Fine on one that is not open. */
void bm_fetch_close(struct bm_fetch *fetch);

extern const struct bm_fetch_back_end bm_fetch_file;
extern const struct bm_fetch_back_end bm_fetch_remote;

/* Breaks off a look that has begun. */
void bm_fetch_remote_forget(struct bm_fetch_source *source);

#endif
