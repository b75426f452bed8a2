/* SPDX-License-Identifier: MIT */
/*
 * Two documents are doubled if the digests of their queries agree and not all of these are nameless: children of
 * queries that have neither name nor hits may rightly have the same text. Equal text is the same run twice;
 * different text is another search with the same queries, of another part of the database.
 *
 * A document's CRC-32 is combined from those of its batches, which inflate computes anyway. Only in batches in which a
 * document begins or ends, it is computed once more.
 */
#include "job/twins.h"
#include "plan/order.h"

#include "job/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In the number of a kept document's child. */
#define HAS_HITS 0x80000000u
#define IS_WEAK  0x40000000u
#define FLAGS    (HAS_HITS | IS_WEAK)

/* --- the text's CRC-32 ----------------------------------------------------------------------------- */

static void sum_bytes(struct bm_job_twins *twins, const struct bm_batch *batch, uint64_t to) {
    twins->summed = bm_batch_sum(batch, &twins->crc32, twins->summed, to);
    bm_require(twins->summed == to);
}

static void sum_up_to(struct bm_job_twins *twins, const struct bm_batch *batch, uint64_t to) {
    uint64_t end = bm_batch_end(batch);
    if (to <= twins->summed) return;
    if (twins->summed < batch->text_offset)
        sum_bytes(twins, batch, to < batch->text_offset ? to : batch->text_offset);
    if (twins->summed == batch->text_offset && to == end) {
        twins->crc32 = bm_crc32_follow(twins->crc32, batch->crc_before, batch->crc_after, batch->n_text);
        twins->summed = to;
    }
    if (twins->summed < to) sum_bytes(twins, batch, to);
}

void bm_job_twins_begin_child(struct blastmerge_job *job) {
    struct bm_job_twins *twins = &job->twins;
    twins->is_open = false;
    twins->n_of_child = 0;
    twins->n_before = twins->n;
    twins->last_before = twins->last;
    twins->was_beyond = twins->is_beyond;
}

void bm_job_twins_begin_document(struct blastmerge_job *job, const struct bm_mark_entry *mark) {
    struct bm_job_twins *twins = &job->twins;
    twins->is_open = true;
    twins->begin = twins->summed = mark->offset;
    twins->crc32 = 0;
    if ((mark->flags & BM_MARK_LEFT) == 0) twins->n_of_child++;
}

/* A mark that is still to come may end the document before the batch's end. */
void bm_job_twins_end_batch(struct blastmerge_job *job) {
    const struct bm_batch *batch = job->batch;
    uint64_t end = bm_batch_end(batch);
    if (job->twins.is_open) sum_up_to(&job->twins, batch, job->view.safe < end ? job->view.safe : end);
}

/* --- what is kept ---------------------------------------------------------------------------------- */

static struct bm_job_twin *twin_at(const struct bm_job_twins *twins, size_t i) {
    return &twins->chunks[i / BM_TWINS_CHUNK][i % BM_TWINS_CHUNK];
}

/* Where in the index the digest is, or would be. The digests are the children's, and what an odd random factor
 * makes of their top bits is not. */
static size_t find_slot(const struct bm_job_twins *twins, uint64_t digest) {
    size_t slot = (size_t)((digest * twins->key) >> 32) & (twins->n_slots - 1);
    while (twins->slots[slot] != 0 && twin_at(twins, twins->slots[slot] - 1)->digest != digest)
        slot = (slot + 1) & (twins->n_slots - 1);
    return slot;
}

static enum blastmerge_status grow_index(struct bm_job_twins *twins, struct bm_memory *memory) {
    size_t n_slots = twins->n_slots == 0 ? 1024 : 2 * twins->n_slots;
    bm_release(memory, twins->slots); /* it is made anew, so that there is never more than one */
    twins->slots = bm_allocate(memory, n_slots * sizeof *twins->slots);
    twins->n_slots = n_slots;
    if (twins->slots == NULL) return BLASTMERGE_NO_MEMORY;
    for (size_t i = 0; i < twins->n; i++)
        twins->slots[find_slot(twins, twin_at(twins, i)->digest)] = (uint32_t)i + 1;
    return BLASTMERGE_OK;
}

static void choose_key(struct bm_job_twins *twins) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t key = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)twins ^ (uint64_t)getpid() << 40;
    for (int i = 0; i < 4; i++) key = (key ^ key >> 31) * UINT64_C(0x9fb21c651e98df25);
    twins->key = key | 1;
}

static enum blastmerge_status keep(struct bm_job_twins *twins, const struct bm_job_twin *twin,
                                   struct bm_memory *memory) {
    size_t chunk = twins->n / BM_TWINS_CHUNK;
    if (twins->key == 0) choose_key(twins);
    if (2 * (twins->n + 1) > twins->n_slots && grow_index(twins, memory) != BLASTMERGE_OK)
        return BLASTMERGE_NO_MEMORY;
    if (twins->chunks[chunk] == NULL)
        twins->chunks[chunk] = bm_allocate(memory, BM_TWINS_CHUNK * sizeof *twins->chunks[chunk]);
    if (twins->chunks[chunk] == NULL) return BLASTMERGE_NO_MEMORY;
    twins->chunks[chunk][twins->n % BM_TWINS_CHUNK] = *twin;
    twins->slots[find_slot(twins, twin->digest)] = (uint32_t)++twins->n;
    return BLASTMERGE_OK;
}

/* The one of the same queries that came first, or NULL; then the document is kept. */
static enum blastmerge_status find_twin(struct bm_job_twins *twins, const struct bm_job_twin *twin,
                                        struct bm_memory *memory, struct bm_job_twin **found) {
    *found = NULL;
    if (twins->n > 0) {
        uint32_t number = twins->slots[find_slot(twins, twin->digest)];
        if (number != 0) *found = twin_at(twins, number - 1);
    }
    if (*found != NULL) return BLASTMERGE_OK;
    if (twins->n < BM_TWINS_MOST) return keep(twins, twin, memory);
    if (twins->is_beyond && twins->last.digest == twin->digest) {
        *found = &twins->last;
        return BLASTMERGE_OK;
    }
    twins->is_beyond = true;
    twins->last = *twin;
    return BLASTMERGE_OK;
}

/* The last ones first: so what is left in the index is as it was before they came. */
void bm_job_twins_leave_child(struct blastmerge_job *job) {
    struct bm_job_twins *twins = &job->twins;
    twins->is_open = false;
    while (twins->n > twins->n_before) {
        twins->n--;
        twins->slots[find_slot(twins, twin_at(twins, twins->n)->digest)] = 0;
    }
    twins->last = twins->last_before;
    twins->is_beyond = twins->was_beyond;
}

void bm_job_twins_close(struct bm_job_twins *twins, struct bm_memory *memory) {
    for (size_t i = 0; i < sizeof twins->chunks / sizeof twins->chunks[0]; i++)
        bm_release(memory, twins->chunks[i]);
    bm_release(memory, twins->slots);
    *twins = (struct bm_job_twins){0};
}

/* What is left of a damaged child may lack anything. */
static bool is_damaged(const struct bm_plan_item *item) {
    return item->text != NULL && item->text->n_holes > 0;
}

/* Whether it is one file that was given twice, which has been said. */
static bool is_same_file(const struct blastmerge_job *job, size_t child) {
    return child != job->child && bm_plan_is_same_file(&job->plan, child, job->child);
}

/* --- what is said ---------------------------------------------------------------------------------- */

static enum blastmerge_status tell(struct blastmerge_job *job, const struct bm_job_twin *first,
                                   bool is_same_text, bool is_error) {
    char which[48] = "it";
    char message[600], other[220];
    size_t child = first->child & ~FLAGS;
    if (job->twins.n_of_child > 1)
        snprintf(which, sizeof which, "its document %" PRIu64, job->twins.n_of_child);
    const char *shown = child == job->child ? "an earlier one" : job->plan.items[child].source.shown;
    snprintf(other, sizeof other, "%.*s", bm_show_length(shown, 200), shown);
    if (is_same_text)
        snprintf(message, sizeof message,
                 "%s holds the queries of %s again, and the same text: this is the same run twice, and each "
                 "of its queries is in the result twice",
                 which, other);
    else
        snprintf(
            message, sizeof message,
            "%s holds the queries of %s once more, with other results, as searches of database shards "
            "do, which blastmerge shards merges: they are put one behind the other, and each query is in the "
            "result twice",
            which, other);
    if (!is_error) {
        bm_job_gather_add(job, is_same_text ? BM_GATHER_TWICE : BM_GATHER_SHARDS, NULL, "%s", message);
        return BLASTMERGE_OK;
    }
    bm_fail(&job->error, BLASTMERGE_MISMATCH, "%s; --sort none confirms it", message);
    return bm_job_fail_child(job);
}

static enum blastmerge_status end_document(struct blastmerge_job *job, const struct bm_mark_entry *mark) {
    struct bm_job_twins *twins = &job->twins;
    bool was_open = twins->is_open;
    twins->is_open = false;
    if (!was_open || (mark->flags & BM_MARK_DIGEST) == 0 || (mark->flags & BM_MARK_LEFT) != 0)
        return BLASTMERGE_OK;
    bool is_unknown = (mark->flags & BM_MARK_UNKNOWN) != 0;
    if (!is_unknown && (mark->flags & BM_MARK_NAMED) == 0) return BLASTMERGE_OK;
    if (is_unknown && (mark->flags & BM_MARK_HITS) == 0) return BLASTMERGE_OK; /* it holds no query */
    if (bm_job_queries_are_given(&job->queries))
        return BLASTMERGE_OK; /* the queries that were expected say what is right */
    if (is_damaged(&job->plan.items[job->child])) return BLASTMERGE_OK;
    sum_up_to(twins, job->batch, mark->offset);
    uint64_t n_text = mark->offset - twins->begin;
    const struct bm_job_document document = {
        .queries = is_unknown ? n_text << 32 ^ twins->crc32 : mark->value,
        .text = twins->crc32 ^ (uint32_t)n_text * 0x9e3779b1u ^ (uint32_t)(n_text >> 32),
        .has_hits = (mark->flags & BM_MARK_HITS) != 0,
        .is_weak = (mark->flags & BM_MARK_WEAK) != 0};
    return bm_job_twins_compare(job, &document);
}

enum blastmerge_status bm_job_twins_compare(struct blastmerge_job *job,
                                            const struct bm_job_document *document) {
    struct bm_job_twin *first = NULL;
    const struct bm_job_twin twin = {.digest = document->queries,
                                     .text = document->text,
                                     .child = (uint32_t)(job->child & ~(size_t)FLAGS) |
                                              (document->has_hits ? HAS_HITS : 0) |
                                              (document->is_weak ? IS_WEAK : 0)};
    if (find_twin(&job->twins, &twin, &job->memory, &first) != BLASTMERGE_OK) {
        bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
        return bm_job_fail(job);
    }
    job->twins.is_told = first != NULL;
    if (first == NULL || is_same_file(job, first->child & ~FLAGS)) return BLASTMERGE_OK;
    bool is_same_text = first->text == twin.text;
    bool is_sure = is_same_text || !document->is_weak;
    bool one_has_hits = ((first->child | twin.child) & HAS_HITS) != 0;
    bool is_error = is_sure && one_has_hits && bm_job_is_order_strict(job);
    if (!is_error) first->child |= twin.child & HAS_HITS; /* else the child is not merged */
    return tell(job, first, is_same_text, is_error);
}

bool bm_job_twins_get(const struct bm_job_twins *twins, size_t i, struct bm_job_document *document) {
    if (i >= twins->n) return false;
    const struct bm_job_twin *twin = twin_at(twins, i);
    *document = (struct bm_job_document){.queries = twin->digest,
                                         .text = twin->text,
                                         .has_hits = (twin->child & HAS_HITS) != 0,
                                         .is_weak = (twin->child & IS_WEAK) != 0};
    return true;
}

enum blastmerge_status bm_job_twins_end_document(struct blastmerge_job *job,
                                                 const struct bm_mark_entry *mark) {
    job->twins.is_told = false;
    enum blastmerge_status status = end_document(job, mark);
    bm_job_repeats_end_document(job, job->twins.is_told || status != BLASTMERGE_OK ||
                                         (mark->flags & BM_MARK_LEFT) != 0);
    return status;
}

enum blastmerge_status bm_job_twins_end_child(struct blastmerge_job *job) {
    static const char message[] =
        "rows of queries come once more behind others, as if the search had been begun again or appended to "
        "another: these queries are in the result twice; keep one run, or do the search again";
    const struct bm_mark_counts *counts = &job->view.counts;
    if (counts->n_again == 0 || bm_job_queries_are_given(&job->queries)) return BLASTMERGE_OK;
    if (!bm_job_is_order_strict(job)) {
        bm_job_gather_add(job, BM_GATHER_AGAIN, NULL, "%s (at byte %" PRIu64 " of its text)", message,
                          counts->again);
        return BLASTMERGE_OK;
    }
    bm_fail_at(&job->error, BLASTMERGE_MISMATCH, counts->again, "%s; --sort none confirms it", message);
    return bm_job_fail_child(job);
}

void bm_job_twins_end(struct blastmerge_job *job) {
    if (job->twins.is_beyond)
        bm_job_note(job,
                    "whether a document holds the queries of another one was looked for among the first %d "
                    "documents, and between each later one and the one before it",
                    BM_TWINS_MOST);
}
