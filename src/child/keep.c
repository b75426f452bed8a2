/* SPDX-License-Identifier: MIT */
#include "child/keep.h"

#include <string.h>

enum {
    LEAST_GAP = 4096, /* bytes that are worth a gap */
    MOST_GAPS = 16,   /* of a batch */
    LARGE = 32 /* a child may need the file if its compressed bytes take more than this part of the memory */
};

/* --- memory ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_child_keep_open(struct bm_child_keep *keep, size_t n_memory,
                                          struct bm_temporary_limit *limit, struct bm_memory *memory) {
    memset(keep, 0, sizeof *keep);
    bm_temporary_init(&keep->file, limit);
    keep->memory = bm_allocate(memory, n_memory);
    keep->n_memory = n_memory;
    keep->scratch = bm_allocate(memory, sizeof *keep->scratch);
    if (keep->memory == NULL || keep->scratch == NULL) return BLASTMERGE_NO_MEMORY;
    return bm_mark_open(&keep->before, memory, BLASTMERGE_INVALID_UTF8_ERROR);
}

void bm_child_keep_close(struct bm_child_keep *keep, struct bm_memory *memory) {
    bm_temporary_close(&keep->file);
    if (keep->before != NULL) bm_mark_close(keep->before, memory);
    bm_release(memory, keep->scratch);
    bm_release(memory, keep->memory);
    memset(keep, 0, sizeof *keep);
}

void bm_child_keep_begin(struct bm_child_keep *keep, uint64_t n_bytes) {
    keep->n_file = 0;
    keep->n_used = 0;
    keep->near_end = 0;
    keep->is_dense = false;
    keep->has_stored = false;
    keep->first = keep->last = NULL;
    if (n_bytes > keep->n_memory / LARGE) bm_temporary_open(&keep->file);
}

/* Memory for n_bytes, or NULL. */
static void *take_memory(struct bm_child_keep *keep, size_t n_bytes) {
    const size_t alignment = sizeof(uint64_t);
    n_bytes = (n_bytes + alignment - 1) / alignment * alignment;
    if (n_bytes > keep->n_memory - keep->n_used) return NULL;
    void *memory = keep->memory + keep->n_used;
    keep->n_used += n_bytes;
    return memory;
}

static const void *copy(struct bm_child_keep *keep, const void *data, size_t n_bytes) {
    void *kept = take_memory(keep, n_bytes);
    if (kept != NULL && n_bytes > 0) memcpy(kept, data, n_bytes);
    return kept;
}

/* --- bytes ----------------------------------------------------------------------------------------- */

struct part {
    uint8_t *bytes;
    size_t n;
};

struct body {
    size_t n_parts;
    size_t n_bytes;
    struct part parts[MOST_GAPS + 2];
};

static void add_part(struct body *body, void *bytes, size_t n) {
    body->parts[body->n_parts++] = (struct part){bytes, n};
    body->n_bytes += n;
}

static bool write_bytes(struct bm_child_keep *keep, const struct body *body,
                        struct bm_child_kept_bytes *kept) {
    uint64_t at = keep->n_file;
    for (size_t i = 0; i < body->n_parts; at += body->parts[i++].n)
        if (!bm_temporary_write(&keep->file, body->parts[i].bytes, body->parts[i].n, at)) return false;
    *kept = (struct bm_child_kept_bytes){NULL, keep->n_file};
    keep->n_file = at;
    return true;
}

static bool copy_bytes(struct bm_child_keep *keep, const struct body *body,
                       struct bm_child_kept_bytes *kept) {
    uint8_t *at = take_memory(keep, body->n_bytes);
    kept->data = at;
    for (size_t i = 0; i < body->n_parts && at != NULL; at += body->parts[i++].n)
        if (body->parts[i].n > 0) memcpy(at, body->parts[i].bytes, body->parts[i].n);
    return at != NULL;
}

/*
 * The first half of memory is for any of it, the second one for what cannot be in the file. Where Iterations are small, all
 * text is near a mark: to write it to a file and to read it takes a third of the time of splicing it, which one worker
 * cannot win back, but several can.
 */
static bool keep_bytes(struct bm_child_keep *keep, const struct body *body,
                       struct bm_child_kept_bytes *kept) {
    bool is_half_empty = keep->n_used + body->n_bytes <= keep->n_memory / 2;
    bool may_file = keep->files_dense || !keep->is_dense;
    if (!is_half_empty && may_file && write_bytes(keep, body, kept)) return true;
    return copy_bytes(keep, body, kept);
}

/* Fills the body's parts. */
static enum blastmerge_status restore_bytes(const struct bm_child_keep *keep,
                                            const struct bm_child_kept_bytes *kept, const struct body *body,
                                            struct blastmerge_error *error) {
    size_t at = 0;
    for (size_t i = 0; i < body->n_parts; at += body->parts[i++].n) {
        const struct part *part = &body->parts[i];
        if (kept->data != NULL) {
            if (part->n > 0) memcpy(part->bytes, kept->data + at, part->n);
            continue;
        }
        if (bm_temporary_read(&keep->file, part->bytes, part->n, kept->at + at, error) != BLASTMERGE_OK)
            return error->status;
    }
    return BLASTMERGE_OK;
}

/* --- gaps ------------------------------------------------------------------------------------------ */

struct gaps {
    const struct bm_batch *batch;
    uint64_t near_end; /* text before it, in the batch, is kept or in a gap */
    size_t n;
    struct bm_batch_gap gaps[MOST_GAPS];
};

/* Text from `from` on is near something: what comes before, if it is much, becomes a gap. */
static void add_gap(struct gaps *gaps, uint64_t from) {
    if (from > bm_batch_end(gaps->batch)) from = bm_batch_end(gaps->batch);
    if (from < gaps->near_end + LEAST_GAP || gaps->n == MOST_GAPS) return;
    gaps->gaps[gaps->n++] = (struct bm_batch_gap){.from = gaps->near_end, .to = from};
    gaps->near_end = from;
}

static uint64_t before(uint64_t offset) {
    return offset > BM_BATCH_BEFORE ? offset - BM_BATCH_BEFORE : 0;
}

/* The marks that the last step of the scanner has made. */
static void find_gaps(struct gaps *gaps, const struct bm_mark_list *marks, uint64_t *near_end) {
    for (size_t i = 0; i < marks->n_entries; i++) {
        const struct bm_mark_entry *mark = &marks->entries[i];
        uint64_t end = bm_mark_text_end(mark) + BM_BATCH_BEHIND;
        add_gap(gaps, before(mark->offset));
        if (end > gaps->near_end) gaps->near_end = end;
        if (end > *near_end) *near_end = end;
    }
}

/* The CRC-32 of all but the last gap is computed; the last one's follows from the batch's. */
static void sum_gaps(struct gaps *gaps) {
    const struct bm_batch *batch = gaps->batch;
    for (size_t i = 0; i < gaps->n; i++) {
        struct bm_batch_gap *gap = &gaps->gaps[i];
        size_t n = (size_t)(gap->to - gap->from);
        if (i + 1 < gaps->n) {
            gap->crc_after = bm_crc32(0, bm_batch_at(batch, gap->from, n), n);
            continue;
        }
        struct bm_batch known = *batch;
        uint32_t crc = batch->crc_before;
        known.gaps = gaps->gaps;
        known.n_gaps = i;
        (void)bm_batch_sum(&known, &crc, batch->text_offset, gap->from);
        gap->crc_before = crc;
        n = (size_t)(bm_batch_end(batch) - gap->to);
        gap->crc_after = bm_crc32_undo(batch->crc_after, bm_batch_at(batch, gap->to, n), n);
    }
}

/* --- marks ----------------------------------------------------------------------------------------- */

static struct bm_child_kept_piece *keep_piece(struct bm_child_keep *keep, const struct bm_mark *mark) {
    struct bm_piece *piece = keep->scratch;
    const size_t n = piece->marks.n_entries;
    bool has_field = n > 0 && piece->marks.entries[n - 1].kind == BM_MARK_FIELD;
    struct body body = {.n_parts = 0};
    struct bm_child_kept_piece *kept = take_memory(keep, sizeof *kept);
    const struct bm_mark_field *field = has_field ? copy(keep, bm_mark_field(mark), sizeof *field) : NULL;
    if (kept == NULL || (has_field && field == NULL)) return NULL;
    *kept = (struct bm_child_kept_piece){
        .end = piece->end, .safe = piece->safe, .counts = piece->counts, .field = field, .n_marks = n};
    add_part(&body, piece->marks.entries, n * sizeof *piece->marks.entries);
    return keep_bytes(keep, &body, &kept->marks) ? kept : NULL;
}

/* Marks all of the batch. False: it has a fault, or there is too little memory. */
static bool keep_marks(struct bm_child_keep *keep, struct bm_mark *mark, const struct bm_batch *batch,
                       struct bm_child_kept *kept, struct gaps *gaps) {
    struct bm_child_kept_piece **next = &kept->pieces;
    size_t n_scanned = 0;
    gaps->near_end = keep->near_end > batch->text_offset ? keep->near_end : batch->text_offset;
    do {
        bm_child_ahead_scan(mark, keep->scratch, batch, n_scanned, batch->n_text);
        if (keep->scratch->status != BLASTMERGE_OK) return false;
        find_gaps(gaps, &keep->scratch->marks, &keep->near_end);
        *next = keep_piece(keep, mark);
        if (*next == NULL) return false;
        n_scanned = (*next)->end;
        next = &(*next)->next;
    } while (n_scanned < batch->n_text);
    add_gap(gaps, before(keep->scratch->safe));
    return true;
}

enum blastmerge_status bm_child_keep_restore_marks(const struct bm_child_keep *keep,
                                                   const struct bm_child_kept_piece *piece,
                                                   struct bm_mark_list *marks,
                                                   struct blastmerge_error *error) {
    struct body body = {.n_parts = 0};
    marks->n_entries = piece->n_marks;
    add_part(&body, marks->entries, piece->n_marks * sizeof *marks->entries);
    return restore_bytes(keep, &piece->marks, &body, error);
}

/* --- the trace ------------------------------------------------------------------------------------- */

/* The bytes of stored blocks pass as text, so that there are no gaps where there are such blocks. */
static bool find_stored(struct bm_child_keep *keep, const struct bm_batch *batch) {
    bool is_found = keep->has_stored;
    for (size_t i = 0; i < batch->n_trace; i++) {
        if (batch->trace[i].kind != BM_TRACE_BLOCK) continue;
        uint64_t bit = batch->trace[i].bit - (batch->first_bit & ~(uint64_t)7);
        unsigned type = (unsigned)(bm_load64(batch->bits + (bit >> 3)) >> ((bit & 7) + 1)) & 3;
        keep->has_stored = type == 0;
        is_found = is_found || keep->has_stored;
    }
    return is_found;
}

/* --- a batch --------------------------------------------------------------------------------------- */

/* Where the trace and the text outside of the gaps lie in the batch. */
static struct body find_body(const struct bm_batch *batch, const struct bm_batch_gap *gaps, size_t n_gaps) {
    struct body body = {.n_parts = 0};
    uint64_t at = batch->text_offset;
    add_part(&body, batch->trace, batch->n_trace * sizeof *batch->trace);
    for (size_t i = 0; i <= n_gaps; i++) {
        uint64_t to = i < n_gaps ? gaps[i].from : bm_batch_end(batch);
        add_part(&body, batch->text + (at - batch->text_offset), (size_t)(to - at));
        if (i < n_gaps) at = gaps[i].to;
    }
    return body;
}

static bool keep_all(struct bm_child_keep *keep, struct bm_mark *mark, const struct bm_batch *batch,
                     struct bm_child_kept *kept) {
    struct gaps gaps = {.batch = batch};
    if (kept == NULL || !batch->has_trace) return false;
    *kept = (struct bm_child_kept){.n_text = batch->n_text,
                                   .crc_before = batch->crc_before,
                                   .crc_after = batch->crc_after,
                                   .first_bit = batch->first_bit,
                                   .end_bit = batch->end_bit,
                                   .n_bits_bytes = batch->n_bits_bytes,
                                   .bits_crc = bm_crc32(0, batch->bits, batch->n_bits_bytes),
                                   .n_trace = batch->n_trace};
    if (!keep_marks(keep, mark, batch, kept, &gaps)) return false;
    bool is_read = keep->needs_rows && bm_format_is_bare_table(bm_mark_format(mark));
    if (find_stored(keep, batch) || is_read) gaps.n = 0;
    sum_gaps(&gaps);
    kept->n_gaps = gaps.n;
    kept->gaps = copy(keep, gaps.gaps, gaps.n * sizeof *gaps.gaps);
    if (kept->gaps == NULL) return false;
    const struct body body = find_body(batch, kept->gaps, kept->n_gaps);
    keep->is_dense = body.n_bytes - body.parts[0].n > batch->n_text / 2;
    return keep_bytes(keep, &body, &kept->body);
}

bool bm_child_keep_batch(struct bm_child_keep *keep, struct bm_mark *mark, const struct bm_batch *batch) {
    const size_t n_used = keep->n_used;
    bm_mark_copy(keep->before, mark);
    struct bm_child_kept *kept = take_memory(keep, sizeof *kept);
    if (!keep_all(keep, mark, batch, kept)) {
        bm_mark_copy(mark, keep->before);
        keep->n_used = n_used;
        return false;
    }
    if (keep->last == NULL)
        keep->first = kept;
    else
        keep->last->next = kept;
    keep->last = kept;
    return true;
}

/* --- once more ------------------------------------------------------------------------------------- */

enum blastmerge_status bm_child_keep_restore(const struct bm_child_keep *keep,
                                             const struct bm_child_kept *kept, bool is_first, bool has_bits,
                                             const struct bm_fetch *fetch, struct bm_batch *batch,
                                             struct blastmerge_error *error) {
    bm_batch_begin(batch, is_first ? NULL : batch);
    bm_require(kept->n_text <= batch->size.text && kept->n_bits_bytes <= batch->size.bits &&
               kept->n_trace <= batch->size.trace);
    batch->n_text = kept->n_text;
    batch->crc_before = kept->crc_before;
    batch->crc_after = kept->crc_after;
    batch->has_trace = true;
    batch->first_bit = kept->first_bit;
    batch->end_bit = kept->end_bit;
    batch->n_bits_bytes = kept->n_bits_bytes;
    batch->n_trace = kept->n_trace;
    batch->gaps = kept->gaps;
    batch->n_gaps = kept->n_gaps;
    const struct body body = find_body(batch, kept->gaps, kept->n_gaps);
    enum blastmerge_status status = restore_bytes(keep, &kept->body, &body, error);
    if (status != BLASTMERGE_OK || !has_bits) return status;
    status = bm_fetch_read_again(fetch, kept->first_bit >> 3, batch->bits, kept->n_bits_bytes, error);
    if (status != BLASTMERGE_OK) return status;
    if (bm_crc32(0, batch->bits, kept->n_bits_bytes) == kept->bits_crc) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED, "changed between the first and the second pass");
}
