/* SPDX-License-Identifier: MIT */
/*
 * Results in S3, and in Google Cloud Storage through its copy of S3's multipart interface.
 *
 * Parts belong to an upload that has to be begun, and then completed or aborted. Completing it is conditional on
 * the object not existing, unless it may be replaced. Not every server with S3's protocol supports this condition
 * at the end of an upload of several parts (Google's and older Ceph do not). So there is also a check just before,
 * which leaves a gap of one request's time there.
 *
 * Parts that S3 copies are requests of their own (UploadPartCopy). Google's servers have no such request: they compose whole
 * objects only.
 */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/library.h"
#include "cloud/text.h"
#include "cloud/xml.h"
#include "store/upload.h"

#include <stdio.h>
#include <string.h>

enum {
    TAG = 72,         /* bytes of a part's ETag with its quotes and NUL */
    LIST_ENTRY = 160, /* and of its line in the list */
    LIST_FRAME = 200,
    ANSWER = 4096,
    ABORT_TRIES = 3,
    ABORT_TIMEOUT_MS = 10000
};

static const struct bm_cloud_provider_row *provider_of(const struct bm_store_upload *upload) {
    return bm_cloud_provider_of(upload->location.provider);
}

static void add_condition(const struct bm_store_upload *upload, struct bm_cloud_request *request) {
    if (!upload->is_force)
        bm_cloud_request_header(request, provider_of(upload)->if_absent, provider_of(upload)->absent);
}

static void add_object_headers(const struct bm_store_upload *upload, struct bm_cloud_request *request) {
    bm_cloud_request_header(request, "Content-Type", upload->content_type);
    bm_cloud_request_header(request, provider_of(upload)->metadata, upload->id);
}

/* Signed requests have the SHA-256 of what they send, which the server checks; MD5 is for those that are not.
 */
static void add_body(struct bm_cloud_request *request, const void *data, size_t n_bytes) {
    uint8_t digest[BM_CLOUD_MD5];
    char value[2 * BM_CLOUD_MD5];
    struct bm_cloud_text text = bm_cloud_text_in(value, sizeof value);
    bm_cloud_md5(data, n_bytes, digest);
    bm_cloud_text_base64(&text, digest, sizeof digest);
    bm_cloud_request_header(request, "Content-MD5", value);
    request->body = data;
    request->n_body = n_bytes;
}

/* --- the upload ---------------------------------------------------------------------------------- */

static enum blastmerge_status begin(struct bm_store_upload *upload, struct blastmerge_error *error) {
    struct bm_cloud_request *request = bm_allocate(upload->memory, sizeof *request);
    char answer[ANSWER];
    if (request == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    bm_cloud_request_open(request, upload->cloud, "POST", &upload->location, &upload->budget);
    bm_cloud_request_parameter(request, "uploads", "");
    add_object_headers(upload, request);
    request->answer = answer;
    request->answer_size = sizeof answer;
    request->element = "UploadId";
    enum blastmerge_status status = bm_cloud_request_run(request, error);
    if (status == BLASTMERGE_OK &&
        (!bm_cloud_xml_find(answer, request->n_answer, "UploadId", upload->session, sizeof upload->session) ||
         upload->session[0] == '\0'))
        status = bm_fail(error, BLASTMERGE_IO, "the server began an upload without returning its id");
    bm_release(upload->memory, request);
    upload->is_staged = status == BLASTMERGE_OK;
    return status;
}

static enum blastmerge_status grow_tags(struct bm_store_upload *upload, uint64_t number,
                                        struct blastmerge_error *error) {
    if (number < upload->n_tags_allocated) return BLASTMERGE_OK;
    size_t n_wanted = upload->n_tags_allocated * 2 + 64;
    char *tags = bm_allocate(upload->memory, n_wanted * TAG);
    if (tags == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (upload->n_tags_allocated > 0) memcpy(tags, upload->tags, upload->n_tags_allocated * TAG);
    bm_release(upload->memory, upload->tags);
    upload->tags = tags;
    upload->n_tags_allocated = n_wanted;
    return BLASTMERGE_OK;
}

static void begin_part(struct bm_store_upload *upload, struct bm_cloud_request *request, uint64_t count) {
    char number[32];
    snprintf(number, sizeof number, "%llu", (unsigned long long)count + 1);
    bm_cloud_request_open(request, upload->cloud, "PUT", &upload->location, &upload->budget);
    bm_cloud_request_parameter(request, "partNumber", number);
    bm_cloud_request_parameter(request, "uploadId", upload->session);
}

static enum blastmerge_status send_part(struct bm_store_upload *upload, struct bm_store_part *part,
                                        struct blastmerge_error *error) {
    struct bm_cloud_request *request = &part->request;
    begin_part(upload, request, part->number);
    add_body(request, part->data, part->n_data);
    request->needs_tag = true;
    return grow_tags(upload, part->number, error);
}

static enum blastmerge_status keep_tag(struct bm_store_upload *upload, uint64_t number, const char *etag,
                                       struct blastmerge_error *error) {
    if (bm_cloud_copy_text(upload->tags + number * TAG, TAG, etag)) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_IO, "the server returned an ETag that is too long for a part");
}

static enum blastmerge_status take(struct bm_store_upload *upload, struct bm_store_part *part,
                                   struct blastmerge_error *error) {
    return keep_tag(upload, part->number, part->request.etag, error);
}

static void send_copy(struct bm_store_upload *upload, struct bm_store_copied *copied) {
    struct bm_cloud_request *request = &copied->request;
    begin_part(upload, request, copied->number);
    request->copy = &copied->copy;
    request->answer = copied->answer;
    request->answer_size = sizeof copied->answer;
    request->element = "CopyPartResult";
}

static enum blastmerge_status take_copy(struct bm_store_upload *upload, struct bm_store_copied *copied,
                                        struct blastmerge_error *error) {
    char etag[TAG];
    enum blastmerge_status status = grow_tags(upload, copied->number, error);
    if (status != BLASTMERGE_OK) return status;
    if (!bm_cloud_xml_find(copied->answer, copied->request.n_answer, "ETag", etag, sizeof etag) ||
        etag[0] == '\0')
        return bm_fail(error, BLASTMERGE_IO, "the server copied a part without returning its ETag");
    return keep_tag(upload, copied->number, etag, error);
}

static enum blastmerge_status make_list(struct bm_store_upload *upload, struct bm_cloud_text *text,
                                        struct blastmerge_error *error) {
    enum blastmerge_status status =
        bm_store_upload_list(upload, (size_t)upload->n_begun * LIST_ENTRY + LIST_FRAME, error);
    if (status != BLASTMERGE_OK) return status;
    *text = bm_cloud_text_in(upload->list, upload->list_size);
    bm_cloud_text_add(text, "<CompleteMultipartUpload>");
    for (uint64_t i = 0; i < upload->n_begun; i++) {
        bm_cloud_text_format(text, "<Part><PartNumber>%llu</PartNumber><ETag>%s</ETag></Part>",
                             (unsigned long long)i + 1, upload->tags + i * TAG);
    }
    bm_cloud_text_add(text, "</CompleteMultipartUpload>");
    return text->is_cut ? bm_fail(error, BLASTMERGE_INTERNAL, "the list of parts does not fit")
                        : BLASTMERGE_OK;
}

static enum blastmerge_status commit(struct bm_store_upload *upload, struct bm_cloud_request *request,
                                     struct blastmerge_error *error) {
    struct bm_cloud_text text = {0};
    struct blastmerge_error unseen; /* a look that fails is no failure: the commit has its own condition */
    if (!upload->is_force && bm_store_upload_look(upload, &unseen) == BM_PRESENCE_OTHER)
        return bm_fail(error, BLASTMERGE_EXISTS, "appeared during the run; --force replaces it");
    enum blastmerge_status status = make_list(upload, &text, error);
    if (status != BLASTMERGE_OK) return status;
    bm_cloud_request_open(request, upload->cloud, "POST", &upload->location, &upload->budget);
    bm_cloud_request_parameter(request, "uploadId", upload->session);
    bm_cloud_request_header(request, "Content-Type", "application/xml");
    if (provider_of(upload)->has_conditional_end) add_condition(upload, request);
    add_body(request, text.data, text.n);
    request->answer = (char *)upload->parts[0].data; /* its bytes are acknowledged */
    request->answer_size = upload->part_size;
    request->element = "CompleteMultipartUploadResult";
    return BLASTMERGE_OK;
}

static void put(struct bm_store_upload *upload, struct bm_store_part *part,
                struct bm_cloud_request *request) {
    add_object_headers(upload, request);
    add_condition(upload, request);
    add_body(request, part->data, part->n_data);
    request->needs_tag = true;
}

/* Also after a cancel, which is what it is for; but not for long. */
static bool abort_upload(struct bm_store_upload *upload, struct blastmerge_error *error) {
    struct bm_cloud_request *request = bm_allocate(upload->memory, sizeof *request);
    char reason[200];
    if (request == NULL) {
        bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory for aborting the upload %.200s", upload->session);
        return false;
    }
    bm_cloud_request_open(request, upload->cloud, "DELETE", &upload->location, NULL);
    bm_cloud_request_parameter(request, "uploadId", upload->session);
    request->ignores_cancel = true;
    request->n_tries = ABORT_TRIES;
    request->timeout_ms = ABORT_TIMEOUT_MS;
    enum blastmerge_status status = bm_cloud_request_run(request, error);
    bool is_gone = status == BLASTMERGE_OK || request->http_status == 404;
    bm_release(upload->memory, request);
    if (is_gone) return true;
    snprintf(reason, sizeof reason, "%.190s", error->message);
    bm_fail(error, BLASTMERGE_IO,
            "could not abort the upload %.200s (%s): its parts are not visible, but are kept until it is "
            "aborted (aws s3api abort-multipart-upload)",
            upload->session, reason);
    return false;
}

const struct bm_store_upload_kind bm_store_upload_s3 = {
    .max_parts = 10000,
    .has_least_part = true,
    .max_copy = (uint64_t)5 << 30,
    .begin = begin,
    .send_part = send_part,
    .take = take,
    .send_copy = send_copy,
    .take_copy = take_copy,
    .commit = commit,
    .put = put,
    .abort = abort_upload,
};

#endif
