/* SPDX-License-Identifier: MIT */
/*
 * store/upload.h - the upload of a result to an object store, in parts; what Azure and S3 have in common.
 *
 * Parts are filled one after another. A full part is sent while the next is filled, and its memory is free
 * again once it was acknowledged. A result that fits into one part is sent as one conditional request at the
 * commit. Otherwise the parts are staged, invisible, and the commit makes an object of them. A part can also be a stretch
 * of another object, which the store copies (store/copy.c): a part in this machine's memory ends where it begins.
 */
#ifndef BM_STORE_UPLOAD_H
#define BM_STORE_UPLOAD_H

#include "cloud/cloud.h"
#include "cloud/copy.h"
#include "store/store.h"

enum {
    BM_UPLOAD_PARTS = 3,     /* in memory at most */
    BM_UPLOAD_COPIES = 16,   /* in flight at most */
    BM_UPLOAD_ANSWER = 4096, /* bytes of the answer to a copy */
    BM_UPLOAD_ID = 32,       /* letters that make this upload unique */
    BM_UPLOAD_SESSION = 1024
};

struct bm_store_part {
    struct bm_cloud_request request;
    struct blastmerge_error error;
    uint8_t *data;
    size_t n_data;
    uint64_t number; /* from 0 */
    bool is_sent;
};

/* A part that the store copies. */
struct bm_store_copied {
    struct bm_cloud_request request;
    struct blastmerge_error error;
    struct bm_cloud_copy copy;
    struct bm_cloud_location source;
    const char *name;
    char answer[BM_UPLOAD_ANSWER];
    uint64_t number;
    bool is_sent;
};

struct bm_store_upload;

/* The functions that differ between providers. */
struct bm_store_upload_kind {
    uint64_t max_parts;
    bool has_least_part; /* a part that is not the last one must not be short */
    uint64_t max_copy;   /* bytes of a part that is copied */
    /* Called before the first part is sent. */
    enum blastmerge_status (*begin)(struct bm_store_upload *upload, struct blastmerge_error *error);
    /* Fills the request that sends a part. */
    enum blastmerge_status (*send_part)(struct bm_store_upload *upload, struct bm_store_part *part,
                                        struct blastmerge_error *error);
    /* Called when a part was acknowledged. */
    enum blastmerge_status (*take)(struct bm_store_upload *upload, struct bm_store_part *part,
                                   struct blastmerge_error *error);
    /* The same two for a part that the store copies. */
    void (*send_copy)(struct bm_store_upload *upload, struct bm_store_copied *copied);
    enum blastmerge_status (*take_copy)(struct bm_store_upload *upload, struct bm_store_copied *copied,
                                        struct blastmerge_error *error);
    /* Fills the request that makes an object of the parts (into `list`), or of the only part. */
    enum blastmerge_status (*commit)(struct bm_store_upload *upload, struct bm_cloud_request *request,
                                     struct blastmerge_error *error);
    void (*put)(struct bm_store_upload *upload, struct bm_store_part *part, struct bm_cloud_request *request);
    /* Gives up the staged parts; false if something may be left. */
    bool (*abort)(struct bm_store_upload *upload, struct blastmerge_error *error);
};

struct bm_store_upload {
    const struct bm_store_upload_kind *kind;
    struct bm_cloud *cloud;
    struct bm_memory *memory;
    struct bm_cloud_location location;
    struct bm_cloud_budget budget;
    bool is_force;
    bool is_staged; /* a part was staged: there is something to abort */
    const char *content_type;
    size_t part_size;
    size_t n_parts;   /* in the ring */
    uint64_t n_begun; /* parts that were begun */
    uint64_t n_acknowledged;
    struct bm_store_part *parts;    /* n_parts */
    struct bm_store_part *filling;  /* the part that is being filled, or NULL */
    struct bm_store_copied *copies; /* BM_UPLOAD_COPIES, once there is one; else NULL */
    uint64_t n_copies;              /* that were begun */
    bool cannot_copy;               /* the store has refused to */
    uint64_t piece;                 /* bytes of a copy at most */
    char id[BM_UPLOAD_ID + 1];
    char session[BM_UPLOAD_SESSION]; /* S3's name for the upload */
    char *tags;                      /* S3: BM_REQUEST_TAG bytes... of each part: see s3.c */
    size_t n_tags_allocated;
    char *list; /* the body of the commit's request */
    size_t list_size;
    uint64_t n_least;  /* bytes that the result has at least ... */
    uint64_t n_likely; /* ... and probably; 0: not known */
};

/* Whether the object in the store is this upload's or another writer's: by HEAD, and its metadata. */
enum bm_store_presence { BM_PRESENCE_NONE, BM_PRESENCE_OURS, BM_PRESENCE_OTHER, BM_PRESENCE_UNKNOWN };
enum bm_store_presence bm_store_upload_look(struct bm_store_upload *upload, struct blastmerge_error *error);

/* Adds the place to the error's message. */
enum blastmerge_status bm_store_upload_fail(const struct bm_store *store, struct blastmerge_error *error);

/* Ends the part that is being filled, and sends it. */
enum blastmerge_status bm_store_upload_send(struct bm_store_upload *upload, struct blastmerge_error *error);

/* Stops the copies, and frees their memory. */
void bm_store_copy_close(struct bm_store_upload *upload);

/* Allocates the body of the commit's request. */
enum blastmerge_status bm_store_upload_list(struct bm_store_upload *upload, size_t n_bytes,
                                            struct blastmerge_error *error);

extern const struct bm_store_upload_kind bm_store_upload_azure;
extern const struct bm_store_upload_kind bm_store_upload_s3; /* and Google's */

#endif
