/* SPDX-License-Identifier: MIT */
#include "splice/copy.h"

#include <assert.h>
#include <string.h>

enum { GZIP_HEADER = 10, STORED_HEADER = 5, GZIP_TRAILER = 8, MOST_ADDED = 16 };

_Static_assert((int)BM_BATCH_BITS + GZIP_TRAILER + GZIP_HEADER + STORED_HEADER + MOST_ADDED + GZIP_TRAILER <=
                   (int)BM_OUTPUT_ROOM,
               "a batch always fits, and a member behind it");

void bm_splice_copy_reset(struct bm_splice_copy *copy) {
    copy->position = 0;
    copy->member_end = UINT64_MAX;
    copy->is_final_block = false;
    copy->has_insertion = false;
}

/* Copies the batch's bytes up to `end`, an offset in the child. */
static void copy_to(struct bm_splice_copy *copy, const struct bm_batch *batch, uint64_t end,
                    struct bm_output *output) {
    bm_require(copy->position >= batch->first_bit / 8);
    uint64_t from = copy->position - batch->first_bit / 8;
    size_t n_bytes = (size_t)(end - copy->position);
    bm_output_put(output, batch->bits + from, n_bytes);
    output->n_copied += (uint64_t)n_bytes << 3;
    copy->position = end;
}

/* Copies up to `end`; of what lies behind a member's end zero bytes are left out. */
static void copy_members(struct bm_splice_copy *copy, const struct bm_batch *batch, uint64_t end,
                         struct bm_output *output) {
    while (copy->position < end) {
        if (copy->position < copy->member_end)
            copy_to(copy, batch, copy->member_end < end ? copy->member_end : end, output);
        else if (batch->bits[copy->position - batch->first_bit / 8] == 0)
            copy->position++;
        else
            copy->member_end = UINT64_MAX; /* another member begins */
    }
}

static void copy_batch(struct bm_splice_copy *copy, const struct bm_batch *batch, struct bm_output *output) {
    uint64_t first = batch->first_bit / 8;
    assert(batch->has_trace);
    for (size_t i = 0; i < batch->n_trace; i++) {
        const struct bm_trace *trace = &batch->trace[i];
        if (trace->kind == BM_TRACE_BLOCK)
            copy->is_final_block = batch->bits[trace->bit / 8 - first] >> trace->bit % 8 & 1;
        if (trace->kind != BM_TRACE_END || !copy->is_final_block) continue;
        /* A member before this one, and the padding after it, are done with before this one's end is noted.
         */
        copy_members(copy, batch, (trace->bit + 7) / 8, output);
        copy->member_end = (trace->bit + trace->n_bits + 7) / 8 + GZIP_TRAILER;
    }
    copy_members(copy, batch, (batch->end_bit + 7) / 8, output);
    output->crc32 = bm_crc32(output->crc32, batch->text, batch->n_text);
    output->n_text += batch->n_text;
}

/* Adds a gzip member that holds a few bytes of text. */
static void add_member(struct bm_output *output, const char *text, size_t n_text) {
    uint8_t member[GZIP_HEADER + STORED_HEADER + MOST_ADDED + GZIP_TRAILER] = {
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1, (uint8_t)n_text, 0, (uint8_t)~n_text, 255};
    const size_t n_header = GZIP_HEADER + STORED_HEADER;
    size_t n_member = n_header + n_text + GZIP_TRAILER;
    bm_require(n_text <= MOST_ADDED);
    memcpy(member + n_header, text, n_text);
    bm_store32(member + n_header + n_text, bm_crc32(0, text, n_text));
    bm_store32(member + n_header + n_text + 4, (uint32_t)n_text);
    bm_output_put(output, member, n_member);
    output->crc32 = bm_crc32(output->crc32, text, n_text);
    output->n_text += n_text;
}

/* Whether the text is to stay as it is. *insertion: what goes behind it, or NULL. */
static bool take_script(struct bm_splice_copy *copy, struct bm_script *script,
                        const struct bm_script_entry **insertion) {
    bool is_same = true;
    *insertion = NULL;
    for (; script->position < script->n_entries; script->position++) {
        const struct bm_script_entry *entry = &script->entries[script->position];
        bool is_insertion = entry->kind == BM_SCRIPT_INSERT;
        if (is_insertion) *insertion = entry;
        if (entry->kind == BM_SCRIPT_SKIP) is_same = false;
        if (copy->has_insertion && (is_insertion || entry->kind == BM_SCRIPT_TAKE)) is_same = false;
        copy->has_insertion = copy->has_insertion || is_insertion;
    }
    return is_same;
}

bool bm_splice_copy_step(struct bm_splice_copy *copy, const struct bm_batch *batch, bool is_last,
                         struct bm_script *script, struct bm_output *output, bool *has_members) {
    const struct bm_script_entry *insertion = NULL;
    const size_t n_data = output->n_data;
    if (!take_script(copy, script, &insertion)) return false;
    if (is_last) copy_batch(copy, batch, output);
    *has_members = *has_members || output->n_data > n_data;
    if (insertion != NULL) add_member(output, insertion->text, insertion->n_text);
    return true;
}
