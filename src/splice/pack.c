/* SPDX-License-Identifier: MIT */
/*
 * Pack: one stream of edited text, cut into blocks that are compressed in parallel.
 *
 * Blocks are in a ring: the one at `next` is being filled, those before it are with the workers, the one at
 * `oldest` is written first. When the ring is full, or at a fragment's end, pack waits for the oldest. Each
 * block holds its own dictionary, a copy of the 32 KiB of the fragment before it. For BGZF, a block holds two
 * members; the last block may hold fewer or a shorter one.
 */
#include "splice/pack.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

enum {
    BLOCK_TEXT = 131072,             /* as pigz has it */
    BLOCK_BYTES = BLOCK_TEXT + 4096, /* more than deflateBound() and a flush */
    MAX_BLOCKS = 5,                  /* in the ring: bounds the memory */
    MEMBER_TEXT = 65280,             /* of BGZF, as bgzip has it: if it cannot be compressed, it still fits */
    MEMBER_BYTES = 65536,            /* as 16 bits say it */
    MEMBER_HEADER = 18,
    MEMBER_TRAILER = 8,
    N_MEMBERS = BLOCK_TEXT / MEMBER_TEXT /* in a block */
};

_Static_assert((int)BLOCK_BYTES <= (int)BM_OUTPUT_LEAST, "a block fits into an output that is empty");
_Static_assert(N_MEMBERS *MEMBER_BYTES <= BLOCK_BYTES, "a block's members always fit");

struct block {
    struct bm_task task;
    z_stream stream;
    enum blastmerge_form form;
    bool has_failed;
    size_t n_dictionary;
    size_t n_text;
    size_t n_data;
    uint8_t dictionary[BM_WINDOW];
    uint8_t text[BLOCK_TEXT];
    uint8_t data[BLOCK_BYTES];
};

struct bm_splice_pack {
    struct bm_workers *workers;
    enum blastmerge_form form;
    bool is_filling;   /* the block at `next` has been begun */
    bool has_text;     /* the fragment has had text before the block at `next` */
    size_t n_inserted; /* of the current insertion: bytes that were taken already */
    unsigned n_blocks; /* in the ring; 0: plain text */
    unsigned oldest;   /* counts blocks from the start; the ring's index is the remainder */
    unsigned next;
    struct block *blocks[MAX_BLOCKS];
};

/* --- compressing a block, on whatever thread ----------------------------------------------------- */

static bool compress_fragment(struct block *block) {
    z_stream *stream = &block->stream;
    if (deflateReset(stream) != Z_OK) return false;
    if (block->n_dictionary > 0 &&
        deflateSetDictionary(stream, block->dictionary, (uInt)block->n_dictionary) != Z_OK) {
        return false;
    }
    stream->next_in = block->text;
    stream->avail_in = (uInt)block->n_text;
    stream->next_out = block->data;
    stream->avail_out = sizeof block->data;
    if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in != 0 || stream->avail_out == 0)
        return false;
    block->n_data = sizeof block->data - stream->avail_out;
    return true;
}

/* The deflate data of a member; 0: zlib failed. Not every zlib compresses what cannot be compressed into as
 * little as there is room for: then it is a stored block (RFC 1951, 3.2.4). */
static size_t deflate_member(z_stream *stream, uint8_t *text, size_t n_text, uint8_t *data) {
    const size_t n_room = MEMBER_BYTES - MEMBER_HEADER - MEMBER_TRAILER;
    if (deflateReset(stream) != Z_OK) return 0;
    stream->next_in = text;
    stream->avail_in = (uInt)n_text;
    stream->next_out = data;
    stream->avail_out = (uInt)n_room;
    int result = deflate(stream, Z_FINISH);
    if (result == Z_STREAM_END) return n_room - stream->avail_out;
    if (result != Z_OK && result != Z_BUF_ERROR) return 0;
    const uint8_t header[5] = {1, (uint8_t)n_text, (uint8_t)(n_text >> 8), (uint8_t)~n_text,
                               (uint8_t)(~n_text >> 8)};
    memcpy(data, header, sizeof header);
    memcpy(data + sizeof header, text, n_text);
    return sizeof header + n_text;
}

/* Each member's header has the subfield BC: the member's length less 1. */
static bool compress_members(struct block *block) {
    static const uint8_t header[MEMBER_HEADER] = {0x1f, 0x8b, 8, 4,   0,   0, 0, 0, 0,
                                                  255,  6,    0, 'B', 'C', 2, 0, 0, 0};
    block->n_data = 0;
    for (size_t at = 0; at < block->n_text; at += MEMBER_TEXT) {
        uint8_t *text = block->text + at;
        uint8_t *member = block->data + block->n_data;
        size_t n_text = block->n_text - at < MEMBER_TEXT ? block->n_text - at : MEMBER_TEXT;
        size_t n_data = deflate_member(&block->stream, text, n_text, member + MEMBER_HEADER);
        if (n_data == 0) return false;
        size_t n_member = MEMBER_HEADER + n_data + MEMBER_TRAILER;
        memcpy(member, header, sizeof header);
        member[16] = (uint8_t)(n_member - 1);
        member[17] = (uint8_t)((n_member - 1) >> 8);
        bm_store32(member + MEMBER_HEADER + n_data, bm_crc32(0, text, n_text));
        bm_store32(member + MEMBER_HEADER + n_data + 4, (uint32_t)n_text);
        block->n_data += n_member;
    }
    return true;
}

static void compress_block(void *argument) {
    struct block *block = argument;
    bool is_done = block->form == BLASTMERGE_FORM_BGZF ? compress_members(block) : compress_fragment(block);
    block->has_failed = !is_done;
}

/* --- the ring ------------------------------------------------------------------------------------ */

static void *zlib_allocate(void *memory, uInt n_items, uInt n_bytes) {
    return bm_allocate(memory, (size_t)n_items * n_bytes);
}

static void zlib_release(void *memory, void *pointer) {
    bm_release(memory, pointer);
}

static struct block *open_block(enum blastmerge_form form, int level, struct bm_memory *memory) {
    struct block *block = bm_allocate(memory, sizeof *block);
    if (block == NULL) return NULL;
    block->task = (struct bm_task){.run = compress_block, .argument = block};
    block->form = form;
    block->stream.zalloc = zlib_allocate;
    block->stream.zfree = zlib_release;
    block->stream.opaque = memory;
    if (deflateInit2(&block->stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        bm_release(memory, block);
        return NULL;
    }
    return block;
}

enum blastmerge_status bm_splice_pack_open(struct bm_splice_pack **pack, enum blastmerge_form form, int level,
                                           struct bm_workers *workers, struct bm_memory *memory) {
    struct bm_splice_pack *opened = bm_allocate(memory, sizeof *opened);
    *pack = opened;
    if (opened == NULL) return BLASTMERGE_NO_MEMORY;
    opened->workers = workers;
    opened->form = form;
    if (form == BLASTMERGE_FORM_PLAIN) return BLASTMERGE_OK;
    unsigned n_wanted = workers->n_threads == 0 ? 1 : workers->n_threads + 2;
    if (n_wanted > MAX_BLOCKS) n_wanted = MAX_BLOCKS;
    while (opened->n_blocks < n_wanted) {
        struct block *block = open_block(form, level, memory);
        if (block == NULL) return BLASTMERGE_NO_MEMORY;
        opened->blocks[opened->n_blocks++] = block;
    }
    return BLASTMERGE_OK;
}

/* Takes the block's task back from the workers; if one has begun it, waits for its end. */
static void take_back(struct bm_workers *workers, struct block *block) {
    bm_workers_lock(workers);
    if (bm_workers_take(workers, &block->task)) bm_workers_ended(workers, &block->task);
    while (block->task.state != BM_TASK_IDLE) bm_workers_wait(workers);
    bm_workers_unlock(workers);
}

void bm_splice_pack_close(struct bm_splice_pack *pack, struct bm_memory *memory) {
    if (pack == NULL) return;
    for (unsigned i = 0; i < pack->n_blocks; i++) {
        take_back(pack->workers, pack->blocks[i]);
        (void)deflateEnd(&pack->blocks[i]->stream);
        bm_release(memory, pack->blocks[i]);
    }
    bm_release(memory, pack);
}

static struct block *block_at(const struct bm_splice_pack *pack, unsigned count) {
    return pack->blocks[count % pack->n_blocks];
}

/* Compresses the oldest block that no worker has begun. False if there is none. With the lock held. */
static bool help(struct bm_splice_pack *pack) {
    for (unsigned i = pack->oldest; i != pack->next; i++) {
        struct block *block = block_at(pack, i);
        if (!bm_workers_take(pack->workers, &block->task)) continue;
        bm_workers_unlock(pack->workers);
        compress_block(block);
        bm_workers_lock(pack->workers);
        bm_workers_ended(pack->workers, &block->task);
        return true;
    }
    return false;
}

/* Sees to it that the block gets compressed, by this thread where no other is at it. */
static void await(struct bm_splice_pack *pack, const struct block *block) {
    bm_workers_lock(pack->workers);
    while (block->task.state != BM_TASK_IDLE) {
        if (!help(pack)) bm_workers_wait(pack->workers);
    }
    bm_workers_unlock(pack->workers);
}

/* Writes the oldest block out. */
static enum bm_step write_oldest(struct bm_splice_pack *pack, struct bm_output *output) {
    struct block *block = block_at(pack, pack->oldest);
    if (bm_output_room(output) < sizeof block->data) return BM_STEP_FULL;
    await(pack, block);
    if (block->has_failed) return BM_STEP_FAILED;
    bm_output_put(output, block->data, block->n_data);
    pack->oldest++;
    return BM_STEP_DONE;
}

/* Gives the block that is being filled to the workers. */
static void submit_block(struct bm_splice_pack *pack) {
    bm_workers_lock(pack->workers);
    bm_workers_submit(pack->workers, &block_at(pack, pack->next)->task);
    bm_workers_unlock(pack->workers);
    pack->next++;
    pack->is_filling = false;
}

/* Begins a block where none is being filled; its dictionary is the end of the block before it in the
 * fragment. */
static enum bm_step begin_block(struct bm_splice_pack *pack, struct bm_output *output) {
    if (pack->next - pack->oldest == pack->n_blocks) {
        enum bm_step result = write_oldest(pack, output);
        if (result != BM_STEP_DONE) return result;
    }
    struct block *block = block_at(pack, pack->next);
    size_t n_dictionary = 0;
    if (pack->has_text && pack->form != BLASTMERGE_FORM_BGZF) {
        const struct block *before = block_at(pack, pack->next - 1);
        n_dictionary = before->n_text < BM_WINDOW ? before->n_text : BM_WINDOW;
        memcpy(block->dictionary, before->text + before->n_text - n_dictionary, n_dictionary);
    }
    block->n_dictionary = n_dictionary;
    block->n_text = 0;
    pack->is_filling = true;
    pack->has_text = true;
    return BM_STEP_DONE;
}

/* --- taking the script's text -------------------------------------------------------------------- */

static enum bm_step append_plain(const uint8_t *text, size_t n_text, size_t *n_taken,
                                 struct bm_output *output) {
    size_t n_room = bm_output_room(output);
    size_t n = n_text < n_room ? n_text : n_room;
    bm_output_put(output, text, n);
    *n_taken = n;
    return n == n_text ? BM_STEP_DONE : BM_STEP_FULL;
}

/* Adds text to the block that is being filled, as far as it goes. */
static enum bm_step append_block(struct bm_splice_pack *pack, const uint8_t *text, size_t n_text,
                                 size_t *n_taken, struct bm_output *output) {
    *n_taken = 0;
    if (!pack->is_filling) {
        enum bm_step result = begin_block(pack, output);
        if (result != BM_STEP_DONE) return result;
    }
    struct block *block = block_at(pack, pack->next);
    size_t n_most = pack->form == BLASTMERGE_FORM_BGZF ? N_MEMBERS * MEMBER_TEXT : BLOCK_TEXT;
    size_t n = n_most - block->n_text < n_text ? n_most - block->n_text : n_text;
    memcpy(block->text + block->n_text, text, n);
    block->n_text += n;
    *n_taken = n;
    if (block->n_text == n_most) submit_block(pack);
    return BM_STEP_DONE;
}

/* Adds text of the result; *n_taken says how far it went. */
static enum bm_step append(struct bm_splice_pack *pack, const uint8_t *text, size_t n_text, size_t *n_taken,
                           struct bm_output *output) {
    enum bm_step result = BM_STEP_DONE;
    *n_taken = 0;
    while (*n_taken < n_text && result == BM_STEP_DONE) {
        size_t n = 0;
        const uint8_t *rest = text + *n_taken;
        result = pack->form == BLASTMERGE_FORM_PLAIN
                     ? append_plain(rest, n_text - *n_taken, &n, output)
                     : append_block(pack, rest, n_text - *n_taken, &n, output);
        output->crc32 = bm_crc32(output->crc32, rest, n);
        output->n_text += n;
        *n_taken += n;
    }
    return result;
}

/* All blocks are written out. */
static enum bm_step flush(struct bm_splice_pack *pack, struct bm_output *output) {
    if (pack->is_filling) submit_block(pack);
    while (pack->oldest != pack->next) {
        enum bm_step result = write_oldest(pack, output);
        if (result != BM_STEP_DONE) return result;
    }
    return BM_STEP_DONE;
}

static enum bm_step insert(struct bm_splice_pack *pack, const char *text, size_t n_text,
                           struct bm_output *output) {
    size_t n_taken = 0;
    enum bm_step step =
        append(pack, (const uint8_t *)text + pack->n_inserted, n_text - pack->n_inserted, &n_taken, output);
    pack->n_inserted = step == BM_STEP_DONE ? 0 : pack->n_inserted + n_taken;
    return step;
}

/* Takes the reader's text up to the limit. What an earlier batch held lies in the history: little more than
 * what is looked at before the script goes there. Where the reader has bits, they are passed over. */
static enum bm_step take(struct bm_splice_pack *pack, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    uint64_t from = reader->packed > reader->text ? reader->packed : reader->text;
    size_t n_taken = 0;
    if (from < task->limit) {
        const uint8_t *text = bm_batch_at(reader->batch, from);
        enum bm_step step = append(pack, text, (size_t)(task->limit - from), &n_taken, task->output);
        reader->packed = from + n_taken;
        if (step != BM_STEP_DONE) return step;
    }
    bm_splice_reader_skip(reader, task->limit, task->is_hard);
    return BM_STEP_DONE;
}

void bm_splice_pack_begin(struct bm_splice_pack *pack) {
    pack->has_text = false;
}

enum bm_step bm_splice_pack_step(struct bm_splice_pack *pack, struct bm_splice_task *task, bool *has_ended) {
    struct bm_script *script = task->script;
    for (; script->position < script->n_entries && !*has_ended; script->position++) {
        const struct bm_script_entry *entry = &script->entries[script->position];
        enum bm_step step = BM_STEP_DONE;
        switch (entry->kind) {
        case BM_SCRIPT_TAKE:
            if (bm_splice_task_reach(task)) step = take(pack, task);
            if (step == BM_STEP_DONE && task->reader->text < entry->offset) return BM_STEP_DONE;
            break;
        case BM_SCRIPT_SKIP:
            if (!bm_splice_task_skip(task)) return BM_STEP_DONE;
            break;
        case BM_SCRIPT_INSERT:
            step = insert(pack, entry->text, entry->n_text, task->output);
            break;
        case BM_SCRIPT_END:
            if (pack->form != BLASTMERGE_FORM_BGZF) step = flush(pack, task->output);
            *has_ended = step == BM_STEP_DONE;
            break;
        default: /* a fragment begins in none */
            bm_require(entry->kind != BM_SCRIPT_BEGIN);
        }
        if (step != BM_STEP_DONE) return step;
    }
    return BM_STEP_DONE;
}

enum bm_step bm_splice_pack_end(struct bm_splice_pack *pack, const char *text, size_t n_text,
                                struct bm_output *output) {
    size_t n_taken = 0;
    enum bm_step step =
        append(pack, (const uint8_t *)text + pack->n_inserted, n_text - pack->n_inserted, &n_taken, output);
    pack->n_inserted += n_taken; /* it stays so: flushing may take several calls */
    return step == BM_STEP_DONE ? flush(pack, output) : step;
}
