/* SPDX-License-Identifier: MIT */
/*
 * Results in Azure Blob Storage: blocks are staged under ids of this upload, and a list of them makes the blob.
 * Unless the blob may be replaced, the request is conditional: the blob must not exist. Staged blocks cannot be given up. They are
 * invisible, and Azure drops them a week later, or when another writer makes a blob of that name.
 */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/library.h"
#include "cloud/text.h"
#include "store/upload.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK_ID = 80, LIST_ENTRY = 100, LIST_FRAME = 100 };

/* Ids of a blob must be equally long: the upload's, and the number. */
static void block_id(const struct bm_store_upload *upload, uint64_t number, char *id, size_t size) {
    char plain[BLOCK_ID];
    int n = snprintf(plain, sizeof plain, "%s-%08llu", upload->id, (unsigned long long)number);
    struct bm_cloud_text text = bm_cloud_text_in(id, size);
    bm_cloud_text_base64(&text, (const uint8_t *)plain, (size_t)n);
}

static void add_md5(struct bm_cloud_request *request, const void *data, size_t n_bytes) {
    uint8_t digest[BM_CLOUD_MD5];
    char value[2 * BM_CLOUD_MD5];
    struct bm_cloud_text text = bm_cloud_text_in(value, sizeof value);
    bm_cloud_md5(data, n_bytes, digest);
    bm_cloud_text_base64(&text, digest, sizeof digest);
    bm_cloud_request_header(request, "Content-MD5", value);
}

static enum blastmerge_status begin(struct bm_store_upload *upload, struct blastmerge_error *error) {
    (void)upload;
    (void)error;
    return BLASTMERGE_OK;
}

static enum blastmerge_status send_part(struct bm_store_upload *upload, struct bm_store_part *part,
                                        struct blastmerge_error *error) {
    struct bm_cloud_request *request = &part->request;
    char id[2 * BLOCK_ID];
    (void)error;
    block_id(upload, part->number, id, sizeof id);
    bm_cloud_request_open(request, upload->cloud, "PUT", &upload->location, &upload->budget);
    bm_cloud_request_parameter(request, "blockid", id);
    bm_cloud_request_parameter(request, "comp", "block");
    add_md5(request, part->data, part->n_data);
    request->body = part->data;
    request->n_body = part->n_data;
    request->expected_http = 201;
    return BLASTMERGE_OK;
}

static void send_copy(struct bm_store_upload *upload, struct bm_store_copied *copied) {
    struct bm_cloud_request *request = &copied->request;
    char id[2 * BLOCK_ID];
    block_id(upload, copied->number, id, sizeof id);
    bm_cloud_request_open(request, upload->cloud, "PUT", &upload->location, &upload->budget);
    bm_cloud_request_parameter(request, "blockid", id);
    bm_cloud_request_parameter(request, "comp", "block");
    request->copy = &copied->copy;
    request->expected_http = 201;
}

/* What a blob gets, however it is made. */
static void add_blob_headers(struct bm_store_upload *upload, struct bm_cloud_request *request) {
    const struct bm_cloud_provider_row *provider = bm_cloud_provider_of(upload->location.provider);
    bm_cloud_request_header(request, "x-ms-blob-content-type", upload->content_type);
    bm_cloud_request_header(request, provider->metadata, upload->id);
    if (!upload->is_force) bm_cloud_request_header(request, provider->if_absent, provider->absent);
    request->expected_http = 201;
}

static enum blastmerge_status commit(struct bm_store_upload *upload, struct bm_cloud_request *request,
                                     struct blastmerge_error *error) {
    enum blastmerge_status status =
        bm_store_upload_list(upload, (size_t)upload->n_begun * LIST_ENTRY + LIST_FRAME, error);
    if (status != BLASTMERGE_OK) return status;
    struct bm_cloud_text text = bm_cloud_text_in(upload->list, upload->list_size);
    bm_cloud_text_add(&text, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (uint64_t i = 0; i < upload->n_begun; i++) {
        char id[2 * BLOCK_ID];
        block_id(upload, i, id, sizeof id);
        bm_cloud_text_format(&text, "<Latest>%s</Latest>", id);
    }
    bm_cloud_text_add(&text, "</BlockList>");
    if (text.is_cut) return bm_fail(error, BLASTMERGE_INTERNAL, "the list of blocks does not fit");
    bm_cloud_request_open(request, upload->cloud, "PUT", &upload->location, &upload->budget);
    bm_cloud_request_parameter(request, "comp", "blocklist");
    bm_cloud_request_header(request, "Content-Type", "application/xml");
    add_md5(request, text.data, text.n);
    add_blob_headers(upload, request);
    request->body = text.data;
    request->n_body = text.n;
    return BLASTMERGE_OK;
}

static void put(struct bm_store_upload *upload, struct bm_store_part *part,
                struct bm_cloud_request *request) {
    bm_cloud_request_header(request, "x-ms-blob-type", "BlockBlob");
    add_md5(request, part->data, part->n_data);
    add_blob_headers(upload, request);
    request->body = part->data;
    request->n_body = part->n_data;
}

static bool abort_upload(struct bm_store_upload *upload, struct blastmerge_error *error) {
    (void)upload;
    bm_fail(error, BLASTMERGE_IO,
            "staged blocks cannot be removed; they are invisible, and Azure drops them within a week");
    return false;
}

const struct bm_store_upload_kind bm_store_upload_azure = {
    .max_parts = 50000,
    .max_copy = (uint64_t)4000 << 20,
    .begin = begin,
    .send_part = send_part,
    .send_copy = send_copy,
    .commit = commit,
    .put = put,
    .abort = abort_upload,
};

#endif
