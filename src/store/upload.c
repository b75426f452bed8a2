/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "base/descriptor.h"
#include "cloud/text.h"
#include "store/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- what is there already ----------------------------------------------------------------------- */

enum bm_store_presence bm_store_upload_look(struct bm_store_upload *upload, struct blastmerge_error *error) {
    struct bm_cloud_budget budget = bm_cloud_budget(upload->cloud);
    struct bm_cloud_request *request = bm_allocate(upload->memory, sizeof *request);
    enum bm_store_presence presence = BM_PRESENCE_UNKNOWN;
    if (request == NULL) {
        bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        return presence;
    }
    bm_cloud_request_open(request, upload->cloud, "HEAD", &upload->location, &budget);
    request->needs_tag = true;
    enum blastmerge_status status = bm_cloud_request_run(request, error);
    if (status == BLASTMERGE_OK) {
        presence = strcmp(request->upload, upload->id) == 0 ? BM_PRESENCE_OURS : BM_PRESENCE_OTHER;
    } else if (request->http_status == 404) {
        presence = BM_PRESENCE_NONE;
        *error = (struct blastmerge_error){0}; /* that is no failure */
    }
    bm_release(upload->memory, request);
    return presence;
}

/* --- parts --------------------------------------------------------------------------------------- */

static struct bm_store_part *part_at(struct bm_store_upload *upload, uint64_t number) {
    return &upload->parts[number % upload->n_parts];
}

/* Waits for a part that was sent, and frees its place. */
static enum blastmerge_status finish_part(struct bm_store_upload *upload, struct bm_store_part *part,
                                          struct blastmerge_error *error) {
    if (!part->is_sent) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_cloud_request_finish(&part->request);
    if (status != BLASTMERGE_OK) {
        *error = part->error;
        if (error->status == BLASTMERGE_NOT_FOUND && upload->n_acknowledged > 0)
            bm_fail_anew(error, BLASTMERGE_EXISTS,
                         "another writer committed first, or the upload was aborted");
        return error->status;
    }
    part->is_sent = false;
    upload->n_acknowledged++;
    return upload->kind->take == NULL ? BLASTMERGE_OK : upload->kind->take(upload, part, error);
}

/* Bytes that fit into as many parts as there may be. */
static uint64_t most_bytes(const struct bm_store_upload *upload) {
    return upload->kind->max_parts * (uint64_t)upload->part_size;
}

/* There are more bytes than that: about so many. */
static enum blastmerge_status fail_too_many(const struct bm_store_upload *upload, uint64_t n_bytes,
                                            struct blastmerge_error *error) {
    uint64_t n_parts = upload->kind->max_parts;
    bm_require(n_parts > 0);
    uint64_t part = n_bytes / n_parts + n_bytes / n_parts / 64 + 1;
    uint64_t limit = bm_cloud_limit_for(bm_cloud_plan(upload->cloud), part);
    if (limit == 0)
        return bm_fail(error, BLASTMERGE_NO_SPACE,
                       "the result is longer than this store accepts in %llu parts",
                       (unsigned long long)n_parts);
    return bm_fail(error, BLASTMERGE_NO_MEMORY,
                   "the result is longer than the %llu GiB that %llu parts of %llu MiB hold, and more parts "
                   "are not possible: --memory %llu makes longer ones",
                   (unsigned long long)(most_bytes(upload) >> 30), (unsigned long long)n_parts,
                   (unsigned long long)(upload->part_size >> 20), (unsigned long long)limit);
}

enum blastmerge_status bm_store_upload_send(struct bm_store_upload *upload, struct blastmerge_error *error) {
    struct bm_store_part *part = upload->filling;
    if (part->number >= upload->kind->max_parts) /* the remaining length is unknown: assume twice as much */
        return fail_too_many(upload, 2 * most_bytes(upload), error);
    if (part->number == 0) {
        enum blastmerge_status status = upload->kind->begin(upload, error);
        if (status != BLASTMERGE_OK) return status;
    }
    enum blastmerge_status status = upload->kind->send_part(upload, part, error);
    if (status != BLASTMERGE_OK) return status;
    upload->is_staged = true;
    upload->filling = NULL;
    part->is_sent = true;
    bm_cloud_request_start(&part->request, &part->error);
    bm_cloud_drive(upload->cloud);
    return BLASTMERGE_OK;
}

static enum blastmerge_status begin_part(struct bm_store_upload *upload, struct blastmerge_error *error) {
    struct bm_store_part *part = part_at(upload, upload->n_begun);
    enum blastmerge_status status = finish_part(upload, part, error);
    if (status != BLASTMERGE_OK) return status;
    if (part->data == NULL) part->data = bm_allocate(upload->memory, upload->part_size);
    if (part->data == NULL)
        return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory for a part of the result");
    part->number = upload->n_begun++;
    part->n_data = 0;
    upload->filling = part;
    return BLASTMERGE_OK;
}

/* --- the store ----------------------------------------------------------------------------------- */

enum blastmerge_status bm_store_upload_fail(const struct bm_store *store, struct blastmerge_error *error) {
    return bm_fail_anew(error, error->status, "%.500s: %.500s", store->target, error->message);
}

static enum blastmerge_status remote_write(struct bm_store *store, const uint8_t *data, size_t n_bytes,
                                           struct blastmerge_error *error) {
    struct bm_store_upload *upload = store->upload;
    if (upload->n_least > most_bytes(upload)) {
        (void)fail_too_many(upload, upload->n_likely, error);
        return bm_store_upload_fail(store, error);
    }
    while (n_bytes > 0) {
        struct bm_store_part *part = upload->filling;
        if (part == NULL || part->n_data == upload->part_size) {
            enum blastmerge_status status =
                part == NULL ? BLASTMERGE_OK : bm_store_upload_send(upload, error);
            if (status == BLASTMERGE_OK) status = begin_part(upload, error);
            if (status != BLASTMERGE_OK) return bm_store_upload_fail(store, error);
            continue;
        }
        size_t n_room = upload->part_size - part->n_data;
        size_t n = n_bytes < n_room ? n_bytes : n_room;
        memcpy(part->data + part->n_data, data, n);
        part->n_data += n;
        data += n;
        n_bytes -= n;
    }
    return BLASTMERGE_OK;
}

/* All parts are acknowledged; unless there is but one, which waits for the commit. */
static enum blastmerge_status remote_prepare(struct bm_store *store, struct blastmerge_error *error) {
    struct bm_store_upload *upload = store->upload;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (upload->n_begun == 0) status = begin_part(upload, error); /* a result of nothing */
    if (status == BLASTMERGE_OK && upload->n_begun > 1 && upload->filling != NULL)
        status = bm_store_upload_send(upload, error);
    for (size_t i = 0; i < upload->n_parts && status == BLASTMERGE_OK; i++)
        status = finish_part(upload, part_at(upload, upload->n_begun + i), error);
    return status == BLASTMERGE_OK ? bm_store_finish_copies(store, error)
                                   : bm_store_upload_fail(store, error);
}

static void close_upload(struct bm_store *store) {
    struct bm_store_upload *upload = store->upload;
    struct bm_memory *memory = upload->memory;
    for (size_t i = 0; i < upload->n_parts; i++) {
        bm_cloud_request_stop(&upload->parts[i].request);
        bm_release(memory, upload->parts[i].data);
    }
    bm_store_copy_close(upload);
    bm_release(memory, upload->parts);
    bm_release(memory, upload->tags);
    bm_release(memory, upload->list);
    bm_release(memory, upload);
    store->upload = NULL;
}

/* Gives up what was staged; where that fails, the store says what is left. */
static void remote_discard(struct bm_store *store) {
    struct bm_store_upload *upload = store->upload;
    struct blastmerge_error error;
    for (size_t i = 0; i < upload->n_parts; i++) bm_cloud_request_stop(&upload->parts[i].request);
    bm_store_copy_close(upload);
    if (upload->is_staged && !upload->kind->abort(upload, &error)) {
        snprintf(store->left_over, sizeof store->left_over, "%.300s: %.700s", store->target, error.message);
    }
    close_upload(store);
}

/* The commit was refused, or its answer was lost: the object in the store decides. */
static enum blastmerge_status resolve(struct bm_store_upload *upload, const struct bm_cloud_request *request,
                                      struct blastmerge_error *error) {
    struct blastmerge_error refusal = *error;
    if (refusal.status == BLASTMERGE_CANCELLED) return refusal.status;
    bool is_exists = request->http_status == 409 || request->http_status == 412;
    bool is_gone = upload->n_begun > 1 &&
                   (request->http_status == 404 || strcmp(request->code, "InvalidBlockList") == 0);
    bool is_lost = refusal.status == BLASTMERGE_IO || is_exists || is_gone;
    if (!is_lost) return refusal.status;
    enum bm_store_presence presence = bm_store_upload_look(upload, error);
    if (presence == BM_PRESENCE_OURS) {
        *error = (struct blastmerge_error){0};
        return BLASTMERGE_OK;
    }
    *error = refusal;
    if (is_exists && presence == BM_PRESENCE_NONE)
        bm_fail_anew(error, BLASTMERGE_IO,
                     "the server refused it as existing (HTTP %ld), but it does not exist: try again",
                     request->http_status);
    else if (is_exists)
        bm_fail_anew(error, BLASTMERGE_EXISTS, "appeared during the run; --force replaces it");
    else if (is_gone)
        bm_fail_anew(error, BLASTMERGE_EXISTS,
                     "another writer committed first: the parts that were staged here are gone");
    else if (presence == BM_PRESENCE_UNKNOWN)
        bm_fail_anew(error, refusal.status, "%.300s; it may have been written nevertheless", refusal.message);
    return error->status;
}

static enum blastmerge_status run_commit(struct bm_store_upload *upload, struct blastmerge_error *error) {
    struct bm_cloud_request *request = bm_allocate(upload->memory, sizeof *request);
    enum blastmerge_status status = BLASTMERGE_OK;
    if (request == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (upload->n_begun == 1) {
        bm_cloud_request_open(request, upload->cloud, "PUT", &upload->location, &upload->budget);
        upload->kind->put(upload, part_at(upload, 0), request);
    } else {
        status = upload->kind->commit(upload, request, error);
    }
    if (status == BLASTMERGE_OK) {
        status = bm_cloud_request_run(request, error);
        if (status != BLASTMERGE_OK) status = resolve(upload, request, error);
    }
    if (status == BLASTMERGE_OK) upload->is_staged = false;
    bm_release(upload->memory, request);
    return status;
}

static enum blastmerge_status remote_commit(struct bm_store *store, struct blastmerge_error *error) {
    enum blastmerge_status status = run_commit(store->upload, error);
    if (status == BLASTMERGE_OK) {
        close_upload(store);
        return status;
    }
    (void)bm_store_upload_fail(store, error);
    remote_discard(store);
    return status;
}

static const struct bm_store_back_end remote_back_end = {
    .write = remote_write, .prepare = remote_prepare, .reveal = remote_commit, .discard = remote_discard};

void bm_store_expect(struct bm_store *store, uint64_t n_least, uint64_t n_likely) {
    if (store->back_end != &remote_back_end) return;
    store->upload->n_least = n_least;
    store->upload->n_likely = n_likely;
}

/* --- opening ------------------------------------------------------------------------------------- */

enum blastmerge_status bm_store_upload_list(struct bm_store_upload *upload, size_t n_bytes,
                                            struct blastmerge_error *error) {
    for (size_t i = 1; i < upload->n_parts; i++) { /* all is acknowledged: their memory is the list's */
        bm_release(upload->memory, upload->parts[i].data);
        upload->parts[i].data = NULL;
    }
    upload->list = bm_allocate(upload->memory, n_bytes);
    upload->list_size = n_bytes;
    return upload->list == NULL ? bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory for the list of parts")
                                : BLASTMERGE_OK;
}

static enum blastmerge_status make_id(struct bm_store_upload *upload, struct blastmerge_error *error) {
    uint8_t bytes[BM_UPLOAD_ID / 2];
    int file = bm_open("/dev/urandom", O_RDONLY, 0);
    if (file < 0) return bm_fail_system(error, errno, "cannot open /dev/urandom");
    bool is_full = read(file, bytes, sizeof bytes) == (ssize_t)sizeof bytes;
    close(file);
    if (!is_full) return bm_fail(error, BLASTMERGE_IO, "cannot read /dev/urandom");
    struct bm_cloud_text text = bm_cloud_text_in(upload->id, sizeof upload->id);
    bm_cloud_text_hex(&text, bytes, sizeof bytes);
    return BLASTMERGE_OK;
}

static enum blastmerge_status choose_kind(struct bm_store_upload *upload, struct blastmerge_error *error) {
    const struct bm_cloud_provider_row *row = bm_cloud_provider_of(upload->location.provider);
    if (row->is_web) return bm_fail(error, BLASTMERGE_USAGE, "a result cannot be written to a web server");
    upload->kind = row->v4.algorithm != NULL ? &bm_store_upload_s3 : &bm_store_upload_azure;
    return BLASTMERGE_OK;
}

/* Before hours of work: is the place free, and can it be reached? Who may write need not be allowed to look.
 */
static enum blastmerge_status check_place(struct bm_store_upload *upload, struct blastmerge_error *error) {
    enum bm_store_presence presence = bm_store_upload_look(upload, error);
    if (presence == BM_PRESENCE_NONE || (presence != BM_PRESENCE_UNKNOWN && upload->is_force))
        return BLASTMERGE_OK;
    if (presence != BM_PRESENCE_UNKNOWN)
        return bm_fail(error, BLASTMERGE_EXISTS, "already exists; --force replaces it");
    if (error->status == BLASTMERGE_DENIED && error->http_status == 403)
        *error = (struct blastmerge_error){0}; /* that is no failure */
    return error->status;
}

static enum blastmerge_status open_upload(struct bm_store_upload *upload,
                                          const struct bm_store_remote *remote, bool is_small,
                                          struct blastmerge_error *error) {
    const struct bm_cloud_plan *plan = bm_cloud_plan(remote->cloud);
    upload->content_type = remote->media_type;
    upload->part_size = is_small ? plan->report_part : plan->part;
    upload->n_parts = is_small ? BM_CLOUD_REPORT_PARTS : plan->n_parts;
    upload->budget = bm_cloud_budget(remote->cloud);
    enum blastmerge_status status = bm_cloud_parse(remote->cloud, &upload->location, remote->location, error);
    if (status == BLASTMERGE_OK) status = choose_kind(upload, error);
    if (status == BLASTMERGE_OK) status = make_id(upload, error);
    if (status == BLASTMERGE_OK) status = check_place(upload, error);
    if (status != BLASTMERGE_OK) return status;
    upload->piece = upload->kind->max_copy;
    if (remote->n_expected > most_bytes(upload)) return fail_too_many(upload, remote->n_expected, error);
    upload->parts = bm_allocate(upload->memory, upload->n_parts * sizeof *upload->parts);
    return upload->parts == NULL ? bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory") : BLASTMERGE_OK;
}

enum blastmerge_status bm_store_open_remote(struct bm_store *store, const struct bm_store_remote *remote,
                                            bool is_force, bool is_small, struct blastmerge_error *error) {
    memset(store, 0, sizeof *store);
    if (!bm_cloud_copy_text(store->target, sizeof store->target, remote->name))
        return bm_fail(error, BLASTMERGE_USAGE, "the output's location is too long");
    store->upload = bm_allocate(bm_cloud_memory(remote->cloud), sizeof *store->upload);
    if (store->upload == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    store->upload->cloud = remote->cloud;
    store->upload->memory = bm_cloud_memory(remote->cloud);
    store->upload->is_force = is_force;
    enum blastmerge_status status = open_upload(store->upload, remote, is_small, error);
    if (status == BLASTMERGE_OK) {
        store->back_end = &remote_back_end;
        return status;
    }
    (void)bm_store_upload_fail(store, error);
    bm_release(store->upload->memory, store->upload->parts);
    bm_release(store->upload->memory, store->upload);
    store->upload = NULL;
    return status;
}

#endif
