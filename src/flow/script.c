/* SPDX-License-Identifier: MIT */
#include "flow/script.h"

#include <assert.h>
#include <string.h>

void bm_script_start(struct bm_script *script, uint16_t child) {
    script->n_entries = script->position = script->n_text = 0;
    script->n_removed = 0;
    script->is_taking = false;
    bm_script_turn(script, child, 0);
}

void bm_script_compact(struct bm_script *script) {
    size_t n_text = 0;
    size_t n_entries = script->n_entries - script->position;
    memmove(script->entries, script->entries + script->position, n_entries * sizeof script->entries[0]);
    script->n_removed += script->position;
    script->n_entries = n_entries;
    script->position = 0;
    for (size_t i = 0; i < n_entries;
         i++) { /* in ascending order, so that nothing is overwritten too early */
        struct bm_script_entry *entry = &script->entries[i];
        uintptr_t place = (uintptr_t)entry->text;
        if (place < (uintptr_t)script->text || place >= (uintptr_t)(script->text + BM_SCRIPT_TEXT)) continue;
        memmove(script->text + n_text, entry->text, entry->n_text);
        entry->text = script->text + n_text;
        n_text += entry->n_text;
    }
    script->n_text = n_text;
}

void bm_script_turn(struct bm_script *script, uint16_t child, uint64_t offset) {
    script->child = child;
    script->offset = offset;
}

static struct bm_script_entry *add(struct bm_script *script, enum bm_script_kind kind) {
    bm_require(script->n_entries < BM_SCRIPT_ENTRIES);
    struct bm_script_entry *entry = &script->entries[script->n_entries++];
    *entry =
        (struct bm_script_entry){.offset = script->offset, .kind = (uint16_t)kind, .child = script->child};
    return entry;
}

/* Lets the last entry reach further if it says the same and has not been taken; else adds one. */
static void reach(struct bm_script *script, enum bm_script_kind kind, uint64_t offset) {
    script->offset = offset;
    if (script->n_entries > script->position) {
        struct bm_script_entry *last = &script->entries[script->n_entries - 1];
        if (last->kind == kind && last->child == script->child) {
            last->offset = offset;
            return;
        }
    }
    add(script, kind);
}

void bm_script_take(struct bm_script *script, uint64_t offset) {
    assert(offset >= script->offset);
    if (offset > script->offset) reach(script, BM_SCRIPT_TAKE, offset);
}

void bm_script_skip(struct bm_script *script, uint64_t offset) {
    assert(offset >= script->offset);
    if (offset > script->offset) reach(script, BM_SCRIPT_SKIP, offset);
}

void bm_script_go(struct bm_script *script, uint64_t offset) {
    assert(offset >= script->offset);
    if (offset > script->offset) reach(script, script->is_taking ? BM_SCRIPT_TAKE : BM_SCRIPT_SKIP, offset);
}

void bm_script_catch_up(struct bm_script *script, uint64_t offset) {
    if (offset > script->offset) bm_script_go(script, offset);
}

void bm_script_stop(struct bm_script *script) {
    script->is_taking = false;
    reach(script, BM_SCRIPT_SKIP, script->offset);
}

void bm_script_resume(struct bm_script *script) {
    script->is_taking = true;
}

void bm_script_insert(struct bm_script *script, const char *text, size_t n_text) {
    if (n_text == 0) return;
    struct bm_script_entry *entry = add(script, BM_SCRIPT_INSERT);
    entry->text = text;
    entry->n_text = (uint32_t)n_text;
}

void bm_script_insert_copy(struct bm_script *script, const char *text, size_t n_text) {
    bm_require(n_text <= BM_SCRIPT_TEXT - script->n_text);
    char *copy = script->text + script->n_text;
    memcpy(copy, text, n_text);
    script->n_text += n_text;
    bm_script_insert(script, copy, n_text);
}

void bm_script_begin(struct bm_script *script) {
    add(script, BM_SCRIPT_BEGIN);
    script->is_taking = true;
}

void bm_script_end(struct bm_script *script) {
    add(script, BM_SCRIPT_END);
    script->is_taking = false;
}
