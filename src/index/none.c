/* SPDX-License-Identifier: MIT */
/* A build without SQLite: nothing can be opened, so nothing else is called. */
#include "index/build.h"
#include "index/document.h"
#include "index/result.h"

#ifndef BLASTMERGE_SQLITE

static enum blastmerge_status refuse(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_USAGE, "this blastmerge has no indexes: it was built without SQLite");
}

enum blastmerge_status bm_index_build_open(struct bm_index_build **build,
                                           const struct bm_index_settings *settings, struct bm_memory *memory,
                                           int file, struct bm_cancel *cancel,
                                           struct blastmerge_error *error) {
    (void)settings;
    (void)memory;
    (void)file;
    (void)cancel;
    *build = NULL;
    return refuse(error);
}

void bm_index_build_close(struct bm_index_build *build) {
    (void)build;
}

enum blastmerge_status bm_index_build_batch(struct bm_index_build *build, const struct bm_batch *batch,
                                            struct blastmerge_error *error) {
    (void)build;
    (void)batch;
    return refuse(error);
}

enum blastmerge_status bm_index_build_marks(struct bm_index_build *build, const struct bm_batch *batch,
                                            const struct bm_mark_list *marks, uint64_t safe,
                                            struct blastmerge_error *error) {
    (void)build;
    (void)batch;
    (void)marks;
    (void)safe;
    return refuse(error);
}

void bm_index_build_field(struct bm_index_build *build, const struct bm_mark_field *field) {
    (void)build;
    (void)field;
}

enum blastmerge_status bm_index_build_end(struct bm_index_build *build, struct bm_index_bytes *bytes,
                                          struct blastmerge_error *error) {
    (void)build;
    (void)bytes;
    return refuse(error);
}

enum blastmerge_status bm_index_result_open(struct bm_index_result **result, struct bm_index_build *build,
                                            const uint64_t *n_before, struct bm_memory *memory,
                                            struct blastmerge_error *error) {
    (void)build;
    (void)n_before;
    (void)memory;
    *result = NULL;
    return refuse(error);
}

void bm_index_result_close(struct bm_index_result *result) {
    (void)result;
}

struct bm_output_watch *bm_index_result_watch(struct bm_index_result *result) {
    (void)result;
    return NULL;
}

void bm_index_result_begin_child(struct bm_index_result *result) {
    (void)result;
}

enum blastmerge_status bm_index_result_take(struct bm_index_result *result, const struct bm_script *script,
                                            const struct bm_batch *batch, const struct bm_mark_list *marks,
                                            struct blastmerge_error *error) {
    (void)result;
    (void)script;
    (void)batch;
    (void)marks;
    return refuse(error);
}

enum blastmerge_status bm_index_result_catch_up(struct bm_index_result *result,
                                                const struct bm_script *script, const struct bm_batch *batch,
                                                struct blastmerge_error *error) {
    (void)result;
    (void)script;
    (void)batch;
    return refuse(error);
}

enum blastmerge_status bm_index_result_end(struct bm_index_result *result, const char *text, size_t n_text,
                                           struct blastmerge_error *error) {
    (void)result;
    (void)text;
    (void)n_text;
    return refuse(error);
}

enum blastmerge_status bm_index_result_finish(struct bm_index_result *result, enum blastmerge_format format,
                                              uint32_t crc32, uint64_t n_text,
                                              struct blastmerge_error *error) {
    (void)result;
    (void)format;
    (void)crc32;
    (void)n_text;
    return refuse(error);
}

enum blastmerge_status bm_index_read_open(struct bm_index_read **read, struct bm_memory *memory,
                                          struct bm_index_bytes *index, struct bm_index_bytes *result,
                                          struct bm_cancel *cancel, struct blastmerge_error *error) {
    (void)memory;
    (void)index;
    (void)result;
    (void)cancel;
    *read = NULL;
    return refuse(error);
}

void bm_index_read_close(struct bm_index_read *read) {
    (void)read;
}

enum blastmerge_format bm_index_read_format(const struct bm_index_read *read) {
    (void)read;
    return BLASTMERGE_FORMAT_AUTO;
}

uint64_t bm_index_read_n_iterations(const struct bm_index_read *read) {
    (void)read;
    return 0;
}

enum blastmerge_status bm_index_read_want(struct bm_index_read *read, const char *query, uint64_t *n_found,
                                          struct blastmerge_error *error) {
    (void)read;
    (void)query;
    *n_found = 0;
    return refuse(error);
}

enum blastmerge_status bm_index_read_want_numbers(struct bm_index_read *read, uint64_t first, uint64_t last,
                                                  struct blastmerge_error *error) {
    (void)read;
    (void)first;
    (void)last;
    return refuse(error);
}

void bm_index_read_want_all(struct bm_index_read *read) {
    (void)read;
}

enum blastmerge_status bm_index_read_nearest(struct bm_index_read *read, const char *query,
                                             char nearest[BM_INDEX_NAME + 1],
                                             struct blastmerge_error *error) {
    (void)read;
    (void)query;
    nearest[0] = '\0';
    return refuse(error);
}

enum blastmerge_status bm_index_read_next(struct bm_index_read *read, struct bm_index_found *found,
                                          bool *is_end, struct blastmerge_error *error) {
    (void)read;
    (void)found;
    *is_end = true;
    return refuse(error);
}

enum blastmerge_status bm_index_document_open(struct bm_index_document **document, struct bm_memory *memory,
                                              struct bm_index_bytes *result, struct bm_index_read *read,
                                              bool renumber, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) {
    (void)memory;
    (void)result;
    (void)read;
    (void)renumber;
    (void)cancel;
    *document = NULL;
    return refuse(error);
}

void bm_index_document_close(struct bm_index_document *document) {
    (void)document;
}

struct bm_fetch_source bm_index_document_source(struct bm_index_document *document, const char *name) {
    (void)document;
    return bm_fetch_source_memory(name, NULL, 0);
}

#endif
