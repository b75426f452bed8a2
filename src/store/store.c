/* SPDX-License-Identifier: MIT */
#include "store/store.h"
#include "base/callback.h"

#include <string.h>

/* --- the caller's writer ------------------------------------------------------------------------- */

static enum blastmerge_status writer_write(struct bm_store *store, const uint8_t *data, size_t n_bytes,
                                           struct blastmerge_error *error) {
    int issued = bm_callback_begin(store->ticket);
    int result = store->writer.write(store->writer.context, data, n_bytes);
    if (!bm_cancel_check_process(store->cancel)) return bm_cancel_fail_foreign(error);
    return bm_callback_is_ok(issued, result) ? BLASTMERGE_OK
                                             : bm_fail_callback(error, result, "the output's writer failed");
}

static enum blastmerge_status writer_prepare(struct bm_store *store, struct blastmerge_error *error) {
    (void)store;
    (void)error;
    return BLASTMERGE_OK;
}

static enum blastmerge_status writer_commit(struct bm_store *store, struct blastmerge_error *error) {
    if (store->writer.commit == NULL) return BLASTMERGE_OK;
    int issued = bm_callback_begin(store->ticket);
    int result = store->writer.commit(store->writer.context);
    if (!bm_cancel_check_process(store->cancel)) return bm_cancel_fail_foreign(error);
    return bm_callback_is_ok(issued, result)
               ? BLASTMERGE_OK
               : bm_fail_callback(error, result, "the output's writer failed to commit");
}

static void writer_discard(struct bm_store *store) {
    if (store->writer.discard != NULL) store->writer.discard(store->writer.context);
}

static const struct bm_store_back_end writer_back_end = {
    .write = writer_write, .prepare = writer_prepare, .reveal = writer_commit, .discard = writer_discard};

void bm_store_open_writer(struct bm_store *store, const struct blastmerge_writer *writer, int *ticket,
                          struct bm_cancel *cancel) {
    memset(store, 0, sizeof *store);
    store->cancel = cancel;
    store->writer = *writer;
    store->ticket = ticket;
    store->is_stream = true;
    store->back_end = &writer_back_end;
}

/* --- the store ----------------------------------------------------------------------------------- */

enum blastmerge_status bm_store_write(struct bm_store *store, const void *data, size_t n_bytes,
                                      struct blastmerge_error *error) {
    if (store->cancel != NULL && store->cancel->has_forked_in) return bm_cancel_fail_foreign(error);
    return n_bytes == 0 ? BLASTMERGE_OK : store->back_end->write(store, data, n_bytes, error);
}

enum blastmerge_status bm_store_prepare(struct bm_store *store, struct blastmerge_error *error) {
    return store->back_end->prepare(store, error);
}

enum blastmerge_status bm_store_reveal(struct bm_store *store, struct blastmerge_error *error) {
    const struct bm_store_back_end *back_end = store->back_end;
    store->back_end = NULL;
    enum blastmerge_status status = back_end->reveal(store, error);
    store->revealed = status == BLASTMERGE_OK ? back_end : NULL;
    return status;
}

void bm_store_finish(struct bm_store *store) {
    const struct bm_store_back_end *back_end = store->revealed;
    store->revealed = NULL;
    if (back_end != NULL && back_end->finish != NULL) back_end->finish(store);
}

bool bm_store_take_back(struct bm_store *store) {
    const struct bm_store_back_end *back_end = store->revealed;
    store->revealed = NULL;
    return back_end != NULL && back_end->take_back != NULL && back_end->take_back(store);
}

enum blastmerge_status bm_store_commit(struct bm_store *store, struct blastmerge_error *error) {
    enum blastmerge_status status = bm_store_reveal(store, error);
    if (status == BLASTMERGE_OK) bm_store_finish(store);
    return status;
}

void bm_store_discard(struct bm_store *store) {
    const struct bm_store_back_end *back_end = store->back_end;
    store->back_end = NULL;
    if (store->cancel != NULL && bm_cancel_is_foreign(store->cancel))
        return; /* the other process goes on with it */
    if (back_end != NULL) back_end->discard(store);
    bm_store_finish(store);
}
