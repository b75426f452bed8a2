/* SPDX-License-Identifier: MIT */
/*
 * Parts of a result that its store copies from other objects, several at a time.
 *
 * Whether a store can do that is known when it has answered the first request. So this is waited for: if it is refused, the
 * caller writes the bytes. A later refusal is an error.
 */
#include "store/store.h"

#ifdef BLASTMERGE_CLOUD
#include "store/upload.h"

#include <string.h>

/* Bytes. A longer span is copied in several pieces at the same time, unless the result might have too many parts then. */
#define SHORT_PIECE ((uint64_t)256 << 20)

/* Whether the store can be told to copy the span; the source is parsed. */
static bool can_copy(const struct bm_store_upload *upload, const struct bm_store_span *span,
                     struct bm_cloud_location *source) {
    struct blastmerge_error ignored;
    if (upload->cannot_copy || upload->kind->send_copy == NULL || upload->n_begun == 0) return false;
    if (span->etag[0] != '"') return false; /* a weak one does not prove that bytes are equal */
    return bm_cloud_parse(upload->cloud, source, span->location, &ignored) == BLASTMERGE_OK &&
           bm_cloud_copy_is_possible(source, &upload->location);
}

/* A part that must not be short is filled up first. */
uint64_t bm_store_lead(const struct bm_store *store, const struct bm_store_span *span) {
    const struct bm_store_upload *upload = store->upload;
    struct bm_cloud_location source;
    if (upload == NULL || !can_copy(upload, span, &source)) return span->n_bytes;
    const struct bm_store_part *part = upload->filling;
    uint64_t least = bm_cloud_plan(upload->cloud)->least_copy;
    uint64_t n_lead =
        part != NULL && upload->kind->has_least_part && part->n_data < least ? least - part->n_data : 0;
    return span->n_bytes < n_lead + least ? span->n_bytes : n_lead;
}

/* --- one copy ------------------------------------------------------------------------------------ */

static enum blastmerge_status finish(struct bm_store_upload *upload, struct bm_store_copied *copied,
                                     struct blastmerge_error *error) {
    if (!copied->is_sent) return BLASTMERGE_OK;
    enum blastmerge_status status = bm_cloud_request_finish(&copied->request);
    copied->is_sent = false;
    if (status == BLASTMERGE_OK && upload->kind->take_copy != NULL)
        status = upload->kind->take_copy(upload, copied, &copied->error);
    if (status == BLASTMERGE_OK) {
        upload->n_acknowledged++;
        return status;
    }
    *error = copied->error;
    return bm_fail_anew(error, status, "cannot copy %.300s: %.400s", copied->name, copied->error.message);
}

static enum blastmerge_status start(struct bm_store_upload *upload, struct bm_store_copied *copied,
                                    const struct bm_store_span *span, const struct bm_cloud_location *source,
                                    struct blastmerge_error *error) {
    if (upload->n_begun >= upload->kind->max_parts)
        return bm_fail(
            error, BLASTMERGE_NO_SPACE,
            "the result would have more than the %llu parts that this store accepts: join to a file, and "
            "upload that",
            (unsigned long long)upload->kind->max_parts);
    copied->source = *source;
    copied->copy = (struct bm_cloud_copy){.location = &copied->source,
                                          .etag = span->etag,
                                          .first = span->offset,
                                          .last = span->offset + span->n_bytes - 1};
    copied->name = span->name;
    copied->number = upload->n_begun++;
    copied->error = (struct blastmerge_error){0};
    upload->kind->send_copy(upload, copied);
    copied->is_sent = true;
    upload->n_copies++;
    bm_cloud_request_start(&copied->request, &copied->error);
    bm_cloud_drive(upload->cloud);
    return BLASTMERGE_OK;
}

/* Whether the store refuses to copy at all, or to copy from there. */
static bool is_refusal(const struct bm_store_copied *copied) {
    const struct bm_cloud_request *request = &copied->request;
    bool is_answer =
        (request->http_status >= 400 && request->http_status < 500) || request->http_status == 501;
    return is_answer && request->status != BLASTMERGE_CHANGED && strcmp(request->code, "NoSuchUpload") != 0;
}

/* --- a span -------------------------------------------------------------------------------------- */

/* In front of each span there may be a part that is written. */
void bm_store_expect_copies(struct bm_store *store, uint64_t n_spans, uint64_t n_bytes) {
    struct bm_store_upload *upload = store->upload;
    if (upload == NULL) return;
    bool is_few = 2 * n_spans + n_bytes / SHORT_PIECE <= upload->kind->max_parts;
    upload->piece = is_few ? SHORT_PIECE : upload->kind->max_copy;
}

static enum blastmerge_status copy_piece(struct bm_store_upload *upload, const struct bm_store_span *piece,
                                         const struct bm_cloud_location *source, bool *is_done,
                                         struct blastmerge_error *error) {
    struct bm_store_copied *copied = &upload->copies[upload->n_copies % BM_UPLOAD_COPIES];
    bool is_first = upload->n_copies == 0;
    enum blastmerge_status status = finish(upload, copied, error);
    if (status == BLASTMERGE_OK) status = start(upload, copied, piece, source, error);
    if (status != BLASTMERGE_OK || !is_first) return status;
    status = finish(upload, copied, error);
    if (status == BLASTMERGE_OK || !is_refusal(copied)) return status;
    *error = (struct blastmerge_error){0};
    upload->cannot_copy = true;
    upload->n_begun--; /* the part's number is free again */
    *is_done = false;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_store_copy(struct bm_store *store, const struct bm_store_span *span, bool *is_done,
                                     struct blastmerge_error *error) {
    struct bm_store_upload *upload = store->upload;
    struct bm_cloud_location source;
    enum blastmerge_status status = BLASTMERGE_OK;
    uint64_t n_done = 0;
    *is_done = false;
    if (upload == NULL || !can_copy(upload, span, &source)) return status;
    if (upload->copies == NULL)
        upload->copies = bm_allocate(upload->memory, BM_UPLOAD_COPIES * sizeof *upload->copies);
    if (upload->copies == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (upload->filling != NULL) status = bm_store_upload_send(upload, error);
    *is_done = true;
    for (uint64_t n_left = (span->n_bytes + upload->piece - 1) / upload->piece;
         status == BLASTMERGE_OK && *is_done && n_left > 0; n_left--) {
        struct bm_store_span piece = *span;
        piece.offset += n_done;
        piece.n_bytes = (span->n_bytes - n_done) / n_left; /* all about as long */
        status = copy_piece(upload, &piece, &source, is_done, error);
        n_done += piece.n_bytes;
    }
    return status == BLASTMERGE_OK ? status : bm_store_upload_fail(store, error);
}

enum blastmerge_status bm_store_finish_copies(struct bm_store *store, struct blastmerge_error *error) {
    struct bm_store_upload *upload = store->upload;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (upload == NULL || upload->copies == NULL) return status;
    for (size_t i = 0; i < BM_UPLOAD_COPIES && status == BLASTMERGE_OK; i++)
        status = finish(upload, &upload->copies[(upload->n_copies + i) % BM_UPLOAD_COPIES], error);
    return status == BLASTMERGE_OK ? status : bm_store_upload_fail(store, error);
}

void bm_store_copy_close(struct bm_store_upload *upload) {
    for (size_t i = 0; i < BM_UPLOAD_COPIES && upload->copies != NULL; i++)
        bm_cloud_request_stop(&upload->copies[i].request);
    bm_release(upload->memory, upload->copies);
    upload->copies = NULL;
}

#else

void bm_store_expect_copies(struct bm_store *store, uint64_t n_spans, uint64_t n_bytes) {
    (void)store;
    (void)n_spans;
    (void)n_bytes;
}

uint64_t bm_store_lead(const struct bm_store *store, const struct bm_store_span *span) {
    (void)store;
    return span->n_bytes;
}

enum blastmerge_status bm_store_copy(struct bm_store *store, const struct bm_store_span *span, bool *is_done,
                                     struct blastmerge_error *error) {
    (void)store;
    (void)span;
    (void)error;
    *is_done = false;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_store_finish_copies(struct bm_store *store, struct blastmerge_error *error) {
    (void)store;
    (void)error;
    return BLASTMERGE_OK;
}

#endif
