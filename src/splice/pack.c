/* SPDX-License-Identifier: MIT */
/*
 * Pack: one stream of edited text, cut into blocks that are compressed in parallel.
 *
 * Blocks are in a ring: the one at `next` is being filled, those before it are with the workers, the one at
 * `oldest` is written first. When the ring is full, or at a fragment's end, pack waits for the oldest. Each
 * block holds a copy of the 32 KiB of the fragment before it, which its matches may copy from (join.h), but at level 1. For
 * BGZF, a block holds four members; the last block may hold fewer or a shorter one.
 *
 * libdeflate's memory does not belong to a block but to a compressor. Any thread that compresses takes an idle one; there
 * are as many as threads.
 */
#include "splice/pack.h"

#include "splice/join.h"

#include <assert.h>
#include <libdeflate.h>
#include <string.h>

enum {
    BLOCK_TEXT = 262144, /* so long that compressing the 32 KiB before it again takes little */
    BLOCK_BYTES = BLOCK_TEXT + BM_SPLICE_JOIN_MORE,
    MAX_BLOCKS = 18,      /* in the ring: bounds the memory */
    MEMBER_TEXT = 65280,  /* of BGZF, as bgzip has it: if it cannot be compressed, it still fits */
    MEMBER_BYTES = 65536, /* as 16 bits say it */
    MEMBER_HEADER = 18,
    MEMBER_TRAILER = 8,
    N_MEMBERS = BLOCK_TEXT / MEMBER_TEXT /* in a block */
};

_Static_assert((int)N_MEMBERS *(int)MEMBER_BYTES <= (int)BLOCK_BYTES, "a block's members always fit");

struct compressor {
    struct compressor *next; /* under the workers' lock: the list of idle ones */
    struct libdeflate_compressor *libdeflate;
    struct bm_splice_join join;
    uint8_t data[BLOCK_TEXT + BM_SPLICE_JOIN_SLACK];
};

struct block {
    struct bm_task task;
    struct bm_splice_pack *pack;
    uint64_t at; /* bytes of the result's text before it */
    size_t n_dictionary;
    size_t n_text;
    size_t n_data;
    uint8_t text[BM_WINDOW + BLOCK_TEXT]; /* from BM_WINDOW on; before that the dictionary */
    uint8_t data[BLOCK_BYTES + BM_SPLICE_JOIN_SLACK];
};

struct bm_splice_pack {
    struct bm_workers *workers;
    enum blastmerge_form form;
    bool has_dictionaries; /* a block's matches may copy from the one before it */
    bool is_filling;       /* the block at `next` has been begun */
    bool has_text;         /* the fragment has had text before the block at `next` */
    size_t n_inserted;     /* of the current insertion: bytes that were taken already */
    size_t n_written;      /* of the oldest block */
    unsigned n_blocks;     /* in the ring; 0: plain text */
    unsigned oldest;       /* counts blocks from the start; the ring's index is the remainder */
    unsigned next;
    struct block *blocks[MAX_BLOCKS];
    struct compressor *idle; /* under the workers' lock; all of them, if nothing is being compressed */
};

static uint8_t *text_of(struct block *block) {
    return block->text + BM_WINDOW;
}

/* --- compressing a block, on whatever thread ----------------------------------------------------- */

/* Text that deflate would make longer becomes stored blocks. */
static void compress_fragment(struct block *block, struct compressor *compressor) {
    const uint8_t *text = text_of(block) - block->n_dictionary;
    const size_t n_text = block->n_dictionary + block->n_text;
    size_t n_data =
        libdeflate_deflate_compress(compressor->libdeflate, text, n_text, compressor->data, BLOCK_TEXT);
    block->n_data = n_data == 0 ? bm_splice_join_stored(text_of(block), block->n_text, block->data)
                                : bm_splice_join(&compressor->join, compressor->data, n_data, text, n_text,
                                                 block->n_dictionary, block->data);
    bm_require(block->n_data <= BLOCK_BYTES);
}

/* The deflate data of a member. What cannot be compressed into as little as there is room for becomes a stored block
 * (RFC 1951, 3.2.4). */
static size_t deflate_member(struct libdeflate_compressor *libdeflate, const uint8_t *text, size_t n_text,
                             uint8_t *data) {
    const size_t n_room = MEMBER_BYTES - MEMBER_HEADER - MEMBER_TRAILER;
    size_t n_data = libdeflate_deflate_compress(libdeflate, text, n_text, data, n_room);
    if (n_data > 0) return n_data;
    const uint8_t header[5] = {1, (uint8_t)n_text, (uint8_t)(n_text >> 8), (uint8_t)~n_text,
                               (uint8_t)(~n_text >> 8)};
    memcpy(data, header, sizeof header);
    memcpy(data + sizeof header, text, n_text);
    return sizeof header + n_text;
}

/* Each member's header has the subfield BC: the member's length less 1. */
static void compress_members(struct block *block, const struct compressor *compressor) {
    static const uint8_t header[MEMBER_HEADER] = {0x1f, 0x8b, 8, 4,   0,   0, 0, 0, 0,
                                                  255,  6,    0, 'B', 'C', 2, 0, 0, 0};
    block->n_data = 0;
    for (size_t at = 0; at < block->n_text; at += MEMBER_TEXT) {
        const uint8_t *text = text_of(block) + at;
        uint8_t *member = block->data + block->n_data;
        size_t n_text = block->n_text - at < MEMBER_TEXT ? block->n_text - at : MEMBER_TEXT;
        size_t n_data = deflate_member(compressor->libdeflate, text, n_text, member + MEMBER_HEADER);
        size_t n_member = MEMBER_HEADER + n_data + MEMBER_TRAILER;
        memcpy(member, header, sizeof header);
        member[16] = (uint8_t)(n_member - 1);
        member[17] = (uint8_t)((n_member - 1) >> 8);
        bm_store32(member + MEMBER_HEADER + n_data, bm_crc32(0, text, n_text));
        bm_store32(member + MEMBER_HEADER + n_data + 4, (uint32_t)n_text);
        block->n_data += n_member;
    }
}

static struct compressor *take_compressor(struct bm_splice_pack *pack) {
    bm_workers_lock(pack->workers);
    struct compressor *compressor = pack->idle;
    bm_require(compressor != NULL); /* there is one for each thread */
    pack->idle = compressor->next;
    bm_workers_unlock(pack->workers);
    return compressor;
}

static void give_compressor(struct bm_splice_pack *pack, struct compressor *compressor) {
    bm_workers_lock(pack->workers);
    compressor->next = pack->idle;
    pack->idle = compressor;
    bm_workers_unlock(pack->workers);
}

static void compress_block(void *argument) {
    struct block *block = argument;
    struct compressor *compressor = take_compressor(block->pack);
    if (block->pack->form == BLASTMERGE_FORM_BGZF)
        compress_members(block, compressor);
    else
        compress_fragment(block, compressor);
    give_compressor(block->pack, compressor);
}

/* --- the ring ------------------------------------------------------------------------------------ */

static bool add_block(struct bm_splice_pack *pack, struct bm_memory *memory) {
    struct block *block = bm_allocate(memory, sizeof *block);
    if (block == NULL) return false;
    block->task = (struct bm_task){.run = compress_block, .argument = block};
    block->pack = pack;
    pack->blocks[pack->n_blocks++] = block;
    return true;
}

static bool add_compressor(struct bm_splice_pack *pack, int level, struct bm_memory *memory) {
    struct compressor *compressor = bm_allocate(memory, sizeof *compressor);
    if (compressor == NULL) return false;
    compressor->next = pack->idle;
    pack->idle = compressor;
    compressor->libdeflate = libdeflate_alloc_compressor(level);
    return compressor->libdeflate != NULL;
}

enum blastmerge_status bm_splice_pack_open(struct bm_splice_pack **pack, enum blastmerge_form form, int level,
                                           struct bm_workers *workers, struct bm_memory *memory) {
    struct bm_splice_pack *opened = bm_allocate(memory, sizeof *opened);
    *pack = opened;
    if (opened == NULL) return BLASTMERGE_NO_MEMORY;
    opened->workers = workers;
    opened->form = form;
    if (form == BLASTMERGE_FORM_PLAIN) return BLASTMERGE_OK;
    /* Compressing 32 KiB twice takes an eighth more time, and saves 1.4 % of the bytes at level 1. */
    opened->has_dictionaries = form == BLASTMERGE_FORM_GZIP && level > 1;
    unsigned n_wanted = workers->n_threads == 0 ? 1 : workers->n_threads + 2;
    if (n_wanted > MAX_BLOCKS) n_wanted = MAX_BLOCKS;
    while (opened->n_blocks < n_wanted) {
        if (!add_block(opened, memory)) return BLASTMERGE_NO_MEMORY;
    }
    for (unsigned i = 0; i <= workers->n_threads && i < n_wanted; i++) {
        if (!add_compressor(opened, level, memory)) return BLASTMERGE_NO_MEMORY;
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
    for (unsigned i = 0; i < pack->n_blocks; i++) take_back(pack->workers, pack->blocks[i]);
    for (unsigned i = 0; i < pack->n_blocks; i++) bm_release(memory, pack->blocks[i]);
    while (pack->idle != NULL) {
        struct compressor *compressor = pack->idle;
        pack->idle = compressor->next;
        libdeflate_free_compressor(compressor->libdeflate);
        bm_release(memory, compressor);
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

/* The block's bytes come next: each of them, or each member, begins with a header. */
static void add_starts(const struct bm_splice_pack *pack, struct block *block,
                       const struct bm_output *output) {
    size_t at = 0;
    if (output->watch == NULL) return;
    if (pack->form == BLASTMERGE_FORM_GZIP) {
        bm_output_add_start(output, (struct bm_output_start){.bit = (uint64_t)output->n_data << 3,
                                                             .text = block->at,
                                                             .window = text_of(block) - block->n_dictionary,
                                                             .n_window = block->n_dictionary});
        return;
    }
    for (size_t n_text = 0; n_text < block->n_text; n_text += MEMBER_TEXT) {
        const uint8_t *member = block->data + at;
        uint64_t n_bytes = output->n_data + at + MEMBER_HEADER;
        bm_output_add_start(output, (struct bm_output_start){
                                        .bit = n_bytes << 3, .text = block->at + n_text, .window = member});
        at += (size_t)(member[16] | member[17] << 8) + 1;
    }
}

/* Writes the oldest block out. */
static enum bm_step write_oldest(struct bm_splice_pack *pack, struct bm_output *output) {
    struct block *block = block_at(pack, pack->oldest);
    if (bm_output_room(output) == 0) return BM_STEP_FULL;
    await(pack, block);
    if (pack->n_written == 0) add_starts(pack, block, output);
    size_t n = block->n_data - pack->n_written, n_room = bm_output_room(output);
    if (n > n_room) n = n_room;
    bm_output_put(output, block->data + pack->n_written, n);
    pack->n_written += n;
    if (pack->n_written < block->n_data) return BM_STEP_FULL;
    pack->n_written = 0;
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
    if (pack->has_text && pack->has_dictionaries) {
        struct block *before = block_at(pack, pack->next - 1);
        n_dictionary = before->n_text < BM_WINDOW ? before->n_text : BM_WINDOW;
        memcpy(text_of(block) - n_dictionary, text_of(before) + before->n_text - n_dictionary, n_dictionary);
    }
    block->at = output->n_text;
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
    memcpy(text_of(block) + block->n_text, text, n);
    block->n_text += n;
    *n_taken = n;
    if (block->n_text == n_most) submit_block(pack);
    return BM_STEP_DONE;
}

/* Adds text of the result, but not to the CRC-32; *n_taken says how far it went. */
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

/* Adds text that is in no batch; pack->n_inserted bytes of it were added by earlier calls. */
static enum bm_step append_own(struct bm_splice_pack *pack, const char *text, size_t n_text,
                               struct bm_output *output) {
    const uint8_t *rest = (const uint8_t *)text + pack->n_inserted;
    size_t n_taken = 0;
    enum bm_step step = append(pack, rest, n_text - pack->n_inserted, &n_taken, output);
    output->crc32 = bm_crc32(output->crc32, rest, n_taken);
    pack->n_inserted += n_taken;
    return step;
}

static enum bm_step insert(struct bm_splice_pack *pack, const char *text, size_t n_text,
                           struct bm_output *output) {
    enum bm_step step = append_own(pack, text, n_text, output);
    if (step == BM_STEP_DONE) pack->n_inserted = 0;
    return step;
}

/* Takes the reader's text up to the limit. What an earlier batch held lies in the history: little more than
 * what is looked at before the script goes there. Where the reader has bits, they are passed over. */
static enum bm_step take(struct bm_splice_pack *pack, struct bm_splice_task *task) {
    struct bm_splice_reader *reader = task->reader;
    uint64_t from = reader->packed > reader->text ? reader->packed : reader->text;
    size_t n_taken = 0;
    if (from < task->limit) {
        const uint8_t *text = bm_batch_at(reader->batch, from, task->limit - from);
        enum bm_step step = append(pack, text, (size_t)(task->limit - from), &n_taken, task->output);
        reader->packed = from + n_taken;
        bm_require(bm_batch_sum(reader->batch, &task->output->crc32, from, reader->packed) == reader->packed);
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
    enum bm_step step = append_own(pack, text, n_text, output); /* again, if flushing takes several calls */
    return step == BM_STEP_DONE ? flush(pack, output) : step;
}
