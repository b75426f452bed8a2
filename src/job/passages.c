/* SPDX-License-Identifier: MIT */
#include "job/passages.h"

#include "splice/walk.h"

#include <string.h>

enum {
    LEAST = 8192, /* bytes of one shard's own text on end, after which a passage may begin */
    WORTH =
        32768, /* a passage of fewer bytes is compressed again: what follows its beginning costs more ... */
    WORTH_OPEN = 16384, /* ... likewise as long as it may become longer */
    EDIT = 64,          /* bytes of other text, and of left-out text, inside of one */
    COPIES = 768 << 10, /* bytes for copies of batches ... */
    MOST_COPIES = 64,   /* ... and their number */
    MOST_PASSAGES = 32, /* that wait to be written */
    STRETCHES = 1024,   /* of their text */
    MERGED = 0,         /* numbers of the script's readers */
    OWN = 1,
    ROOM = 8 /* entries of a script that a step of it takes at most */
};

/* A stretch of a passage without an edit. */
struct stretch {
    uint64_t from, to; /* in the merged text */
    uint64_t at;       /* where it begins in the shard's */
};

struct passage {
    bool is_open; /* it may yet become longer */
    size_t n_stretches, n_copies;
    struct bm_splice_inside inside; /* where the first copy begins */
};

/* A shard's current batch. */
struct current {
    const struct bm_batch *batch; /* NULL: it has no bits */
    struct bm_splice_inside begin, end;
};

struct bm_job_passages {
    struct bm_rank_watch watch;
    struct blastmerge_job *job;
    struct current *shards;
    size_t n_shards;
    size_t n_most_copies;

    /* what rank has told */
    uint64_t n_merged;    /* bytes of the merged text so far */
    size_t shard;         /* whose text came last ... */
    uint64_t begin;       /* ... and from where in the merged text on; UINT64_MAX: none has come */
    uint64_t merged, own; /* where it ended in the merged text, and in the shard's */
    bool is_live;         /* it is the last passage's */
    struct passage passages[MOST_PASSAGES];
    struct stretch stretches[STRETCHES];
    struct bm_batch copies[MOST_COPIES];
    uint64_t first_passage, n_passages; /* counted on and on: the rings' indices are the remainders */
    uint64_t first_stretch, n_stretches;
    uint64_t first_copy, n_copies;

    /* what has been written */
    uint64_t place; /* in the merged text, up to which it is in the script */
    bool is_in_fragment;
    bool is_inside;      /* of the first passage */
    bool is_giving_last; /* the first copy is given for the last time */
    bool is_leaving;     /* the first passage ends with the script's last entry */
    bool is_entering;    /* it begins after it */
    struct bm_splice_reader *reader;
    struct bm_script script;
};

static struct passage *passage_at(struct bm_job_passages *passages, uint64_t number) {
    return &passages->passages[number % MOST_PASSAGES];
}

static struct stretch *stretch_at(struct bm_job_passages *passages, uint64_t number) {
    return &passages->stretches[number % STRETCHES];
}

static struct bm_batch *copy_at(struct bm_job_passages *passages, uint64_t number) {
    return &passages->copies[number % passages->n_most_copies];
}

/* --- what rank tells ----------------------------------------------------------------------------- */

static struct passage *last_passage(struct bm_job_passages *passages) {
    return passage_at(passages, passages->n_passages - 1);
}

static void end_passage(struct bm_job_passages *passages) {
    if (passages->is_live) last_passage(passages)->is_open = false;
    passages->is_live = false;
}

/* Copies a batch, without the text before it, which a reader of whole batches does not need. */
static bool copy_batch(struct bm_job_passages *passages, const struct bm_batch *batch) {
    struct bm_batch *copy = copy_at(passages, passages->n_copies);
    if (passages->n_copies - passages->first_copy == passages->n_most_copies) return false;
    if (copy->buffer == NULL &&
        bm_batch_open_sized(copy, &batch->size, &passages->job->memory) != BLASTMERGE_OK)
        return false;
    struct bm_batch made = *batch;
    made.buffer = copy->buffer;
    made.text = copy->text;
    made.bits = copy->bits;
    made.trace = copy->trace;
    made.n_history = 0;
    *copy = made;
    memcpy(copy->text, batch->text, batch->n_text);
    memcpy(copy->bits, batch->bits, batch->n_bits_bytes);
    memcpy(copy->trace, batch->trace, batch->n_trace * sizeof *batch->trace);
    passages->n_copies++;
    last_passage(passages)->n_copies++;
    return true;
}

static bool add_stretch(struct bm_job_passages *passages, uint64_t from, uint64_t at, size_t n_bytes) {
    if (passages->n_stretches - passages->first_stretch == STRETCHES) return false;
    *stretch_at(passages, passages->n_stretches++) = (struct stretch){from, from + n_bytes, at};
    last_passage(passages)->n_stretches++;
    return true;
}

/* Begins a passage with text that has come last, if all of it that is there lies in the shard's current batch. */
static void begin_passage(struct bm_job_passages *passages, uint64_t from, uint64_t at, size_t n_bytes) {
    const struct current *current = &passages->shards[passages->shard];
    if (current->batch == NULL || at < current->batch->text_offset) return;
    if (passages->n_passages - passages->first_passage == MOST_PASSAGES) return;
    struct passage *passage = passage_at(passages, passages->n_passages++);
    *passage = (struct passage){.is_open = true, .inside = current->begin};
    if (copy_batch(passages, current->batch) && add_stretch(passages, from, at, n_bytes)) {
        passages->is_live = true;
        return;
    }
    passages->n_copies -= passage->n_copies;
    passages->n_passages--;
}

static struct bm_job_passages *passages_of(struct bm_rank_watch *watch) {
    return (struct bm_job_passages *)(void *)watch; /* its first member */
}

static void take(struct bm_rank_watch *watch, size_t shard, const struct bm_batch *batch) {
    struct bm_job_passages *passages = passages_of(watch);
    struct current *current = &passages->shards[shard];
    const bool is_live = passages->is_live && passages->shard == shard;
    current->begin = current->end;
    current->batch = batch->has_trace ? batch : NULL;
    if (batch->has_trace) bm_splice_follow(&current->end, batch);
    if (batch->first_bit == 0) current->begin = (struct bm_splice_inside){0};
    if (is_live && (!batch->has_trace || !copy_batch(passages, batch))) end_passage(passages);
}

static void put_own(struct bm_rank_watch *watch, size_t shard, uint64_t at, size_t n_bytes) {
    struct bm_job_passages *passages = passages_of(watch);
    const uint64_t from = passages->n_merged;
    bool goes_on = passages->begin != UINT64_MAX && passages->shard == shard && at >= passages->own &&
                   at - passages->own <= EDIT && from - passages->merged <= EDIT;
    bool is_joined = goes_on && at == passages->own && from == passages->merged;
    passages->n_merged += n_bytes;
    if (!goes_on) {
        end_passage(passages);
        passages->shard = shard;
        passages->begin = from;
    }
    passages->merged = passages->n_merged;
    passages->own = at + n_bytes;
    if (passages->is_live && is_joined)
        stretch_at(passages, passages->n_stretches - 1)->to = passages->merged;
    else if (passages->is_live && !add_stretch(passages, from, at, n_bytes))
        end_passage(passages);
    else if (!passages->is_live && passages->merged - passages->begin >= LEAST)
        begin_passage(passages, from, at, n_bytes);
}

static void put(struct bm_rank_watch *watch, size_t n_bytes) {
    struct bm_job_passages *passages = passages_of(watch);
    passages->n_merged += n_bytes;
    if (passages->n_merged - passages->merged > EDIT) end_passage(passages);
}

/* --- a job's passages ---------------------------------------------------------------------------- */

/* The pages of a batch that holds no text before its own, which are all that becomes resident. */
static size_t copied_bytes(const struct bm_batch_size *size) {
    return bm_batch_bytes(size) - BM_WINDOW;
}

enum blastmerge_status bm_job_passages_open(struct bm_job_passages **passages, struct blastmerge_job *job,
                                            size_t n_shards, const struct bm_batch_size *size) {
    struct bm_job_passages *opened = bm_allocate(&job->memory, sizeof *opened);
    *passages = opened;
    if (opened == NULL) return BLASTMERGE_NO_MEMORY;
    opened->watch = (struct bm_rank_watch){take, put_own, put};
    opened->job = job;
    opened->n_shards = n_shards;
    size_t n_copies = COPIES / copied_bytes(size);
    opened->n_most_copies = n_copies < MOST_COPIES ? n_copies : MOST_COPIES;
    opened->shards = bm_allocate(&job->memory, n_shards * sizeof *opened->shards);
    if (opened->shards == NULL) return BLASTMERGE_NO_MEMORY;
    return bm_splice_reader_open(&opened->reader, &job->memory);
}

void bm_job_passages_close(struct bm_job_passages *passages) {
    if (passages == NULL) return;
    struct bm_memory *memory = &passages->job->memory;
    for (size_t i = 0; i < MOST_COPIES; i++) bm_batch_close(&passages->copies[i], memory);
    bm_splice_reader_close(passages->reader);
    bm_release(memory, passages->shards);
    bm_release(memory, passages);
}

struct bm_rank_watch *bm_job_passages_begin(struct bm_job_passages *passages) {
    memset(passages->shards, 0, passages->n_shards * sizeof *passages->shards);
    bm_require(passages->script.position == passages->script.n_entries && !passages->is_inside);
    passages->n_merged = passages->merged = passages->own = passages->place = 0;
    passages->begin = UINT64_MAX;
    passages->is_live = false;
    passages->first_passage = passages->n_passages;
    passages->first_stretch = passages->n_stretches;
    passages->first_copy = passages->n_copies;
    bm_script_start(&passages->script, MERGED);
    return &passages->watch;
}

/* --- the script ---------------------------------------------------------------------------------- */

static struct passage *first_passage(struct bm_job_passages *passages) {
    return passage_at(passages, passages->first_passage);
}

static void drop_stretch(struct bm_job_passages *passages) {
    passages->first_stretch++;
    first_passage(passages)->n_stretches--;
}

static void drop_copy(struct bm_job_passages *passages) {
    passages->first_copy++;
    first_passage(passages)->n_copies--;
}

static void drop_passage(struct bm_job_passages *passages) {
    struct passage *passage = first_passage(passages);
    if (passage->is_open) end_passage(passages);
    passages->first_stretch += passage->n_stretches;
    passages->first_copy += passage->n_copies;
    passages->first_passage++;
}

/* Drops stretches that end at the place or before, but the last one of a passage that may become longer. */
static void drop_passed(struct bm_job_passages *passages) {
    const struct passage *passage = first_passage(passages);
    const size_t n_least = passage->is_open || passages->is_inside;
    while (passage->n_stretches > n_least &&
           stretch_at(passages, passages->first_stretch)->to <= passages->place)
        drop_stretch(passages);
}

/* Where in the merged text the next passage begins that is worth it; drops those that are not. */
static uint64_t next_begin(struct bm_job_passages *passages) {
    while (passages->first_passage < passages->n_passages) {
        drop_passed(passages);
        const struct passage *passage = first_passage(passages);
        const uint64_t begin = stretch_at(passages, passages->first_stretch)->from;
        const uint64_t end =
            passage->n_stretches == 0
                ? 0
                : stretch_at(passages, passages->first_stretch + passage->n_stretches - 1)->to;
        const uint64_t from = begin > passages->place ? begin : passages->place;
        if (end >= from + (passage->is_open ? WORTH_OPEN : WORTH)) return begin;
        if (passage->is_open) break; /* what is to come of it is not known */
        drop_passage(passages);
    }
    return UINT64_MAX;
}

/* The merged text is what the shard has there, by construction; but no merge may write anything else. */
static void check_copies(struct bm_job_passages *passages, uint64_t own, size_t n_bytes) {
    const struct bm_batch *merged = passages->job->batch;
    const uint64_t end = own + n_bytes;
    uint64_t at = own;
    for (uint64_t i = passages->first_copy; i < passages->n_copies && at < end; i++) {
        const struct bm_batch *copy = copy_at(passages, i);
        if (bm_batch_end(copy) <= at) continue;
        const uint64_t to = bm_batch_end(copy) < end ? bm_batch_end(copy) : end;
        const uint8_t *text = bm_batch_at(merged, passages->place + (at - own), to - at);
        bm_require(memcmp(text, bm_batch_at(copy, at, to - at), (size_t)(to - at)) == 0);
        at = to;
    }
    bm_require(at == end);
}

/* The script goes on inside of the first passage, up to `to` at most, or to where that ends. */
static void go_inside(struct bm_job_passages *passages, uint64_t to, bool is_taken) {
    struct bm_script *script = &passages->script;
    drop_passed(passages);
    const struct passage *passage = first_passage(passages);
    const struct stretch *stretch = stretch_at(passages, passages->first_stretch);
    const uint64_t place = passages->place;
    if (place < stretch->from) { /* an edit in front of it */
        if (to > stretch->from) to = stretch->from;
        if (is_taken)
            bm_script_insert(script, (const char *)bm_batch_at(passages->job->batch, place, to - place),
                             (size_t)(to - place));
        passages->place = to;
    } else if (place < stretch->to) {
        const uint64_t own = stretch->at + (place - stretch->from);
        if (to > stretch->to) to = stretch->to;
        const size_t n_bytes = (size_t)(to - place);
        bm_script_skip(script, own);
        if (is_taken) {
            check_copies(passages, own, n_bytes);
            bm_script_take(script, own + n_bytes);
        } else {
            bm_script_skip(script, own + n_bytes);
        }
        passages->place = to;
    } else if (passage->is_open) { /* what may become an edit */
        if (is_taken)
            bm_script_insert(script, (const char *)bm_batch_at(passages->job->batch, place, to - place),
                             (size_t)(to - place));
        passages->place = to;
    } else {
        bm_script_end(script);
        passages->is_leaving = true;
    }
}

/* The script goes on outside of passages, up to `to` at most, or to where one begins. */
static void go_outside(struct bm_job_passages *passages, uint64_t to, bool is_taken) {
    struct bm_script *script = &passages->script;
    const uint64_t begin = is_taken ? next_begin(passages) : UINT64_MAX;
    if (begin <= passages->place) {
        bm_script_end(script);
        passages->is_entering = true;
        return;
    }
    if (to > begin) to = begin;
    if (is_taken)
        bm_script_take(script, to);
    else
        bm_script_skip(script, to);
    passages->place = to;
}

/* Adds as much of the job's script as there is room for, or up to a passage's border. */
static void translate(struct bm_job_passages *passages) {
    struct bm_script *from = passages->job->script, *script = &passages->script;
    while (from->position < from->n_entries && script->n_entries + ROOM <= BM_SCRIPT_ENTRIES &&
           !passages->is_leaving && !passages->is_entering) {
        const struct bm_script_entry *entry = &from->entries[from->position];
        const bool is_taken = entry->kind == BM_SCRIPT_TAKE;
        switch (entry->kind) {
        case BM_SCRIPT_TAKE:
        case BM_SCRIPT_SKIP:
            if (entry->offset > passages->place) {
                if (passages->is_inside)
                    go_inside(passages, entry->offset, is_taken);
                else
                    go_outside(passages, entry->offset, is_taken);
            }
            if (entry->offset > passages->place) continue;
            break;
        case BM_SCRIPT_INSERT:
            bm_script_insert(script, entry->text, entry->n_text);
            break;
        case BM_SCRIPT_BEGIN:
            bm_require(!passages->is_inside);
            bm_script_begin(script);
            passages->is_in_fragment = true;
            break;
        default:
            bm_require(entry->kind == BM_SCRIPT_END);
            bm_script_end(script);
            passages->is_leaving = passages->is_inside;
            passages->is_in_fragment = false;
            break;
        }
        from->position++;
    }
}

/* All up to here is written: the merged text goes on. */
static void leave(struct bm_job_passages *passages) {
    struct bm_script *script = &passages->script;
    passages->is_leaving = passages->is_inside = false;
    drop_passage(passages);
    bm_script_turn(script, MERGED, 0);
    bm_script_skip(script, passages->place);
    if (passages->is_in_fragment) bm_script_begin(script);
}

/* Likewise: the shard's text goes on. */
static void enter(struct bm_job_passages *passages) {
    struct bm_script *script = &passages->script;
    const struct bm_batch *copy = copy_at(passages, passages->first_copy);
    const struct stretch *stretch = stretch_at(passages, passages->first_stretch);
    passages->is_entering = false;
    passages->is_inside =
        bm_splice_begin_inside(passages->job->sink, passages->reader, &first_passage(passages)->inside,
                               copy->text_offset) == BLASTMERGE_OK;
    if (passages->is_inside) {
        bm_script_turn(script, OWN, copy->text_offset);
        bm_script_skip(script, stretch->at + (passages->place - stretch->from));
    } else { /* there is no memory for it */
        drop_passage(passages);
    }
    bm_script_begin(script);
}

/* --- writing ------------------------------------------------------------------------------------- */

/* Whether the first copy is used up, and the next one needed. */
static bool is_copy_passed(struct bm_job_passages *passages) {
    const struct bm_script *script = &passages->script;
    if (script->position == script->n_entries) return false;
    const struct bm_script_entry *entry = &script->entries[script->position];
    return entry->child == OWN && (entry->kind == BM_SCRIPT_TAKE || entry->kind == BM_SCRIPT_SKIP) &&
           entry->offset > bm_batch_end(copy_at(passages, passages->first_copy));
}

/* Has the entries written. */
static enum bm_step write_entries(struct bm_job_passages *passages) {
    struct blastmerge_job *job = passages->job;
    struct bm_splice_reader *const readers[] = {[MERGED] = job->reader, [OWN] = passages->reader};
    for (;;) {
        bm_splice_give(job->reader, job->batch, true);
        if (passages->is_inside)
            bm_splice_give(passages->reader, copy_at(passages, passages->first_copy),
                           passages->is_giving_last);
        enum bm_step step = bm_splice_step(job->sink, readers, 2, &passages->script, &job->output);
        if (step != BM_STEP_DONE) return step;
        if (passages->is_giving_last) {
            drop_copy(passages);
            passages->is_giving_last = false;
        } else if (is_copy_passed(passages)) {
            passages->is_giving_last = true;
        } else {
            return BM_STEP_DONE;
        }
    }
}

enum bm_step bm_job_passages_write(struct bm_job_passages *passages) {
    struct bm_script *script = &passages->script;
    const struct bm_script *from = passages->job->script;
    for (;;) {
        enum bm_step written = write_entries(passages);
        if (written != BM_STEP_DONE) return written;
        bm_script_compact(script);
        const size_t n_most = passages->is_leaving || passages->is_entering ? 0 : 1;
        bm_require(script->n_entries <= n_most); /* what is left may yet reach further */
        if (passages->is_leaving)
            leave(passages);
        else if (passages->is_entering)
            enter(passages);
        else if (from->position == from->n_entries)
            return BM_STEP_DONE;
        translate(passages);
    }
}
