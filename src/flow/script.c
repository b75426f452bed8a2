/* SPDX-License-Identifier: MIT */
#include "flow/script.h"

#include <string.h>

void bm_script_compact(struct bm_script *edits) {
    size_t n_text = 0;
    size_t n_edits = edits->n_edits - edits->position;
    memmove(edits->edits, edits->edits + edits->position, n_edits * sizeof edits->edits[0]);
    edits->n_edits = n_edits;
    edits->position = 0;
    for (size_t i = 0; i < n_edits; i++) { /* in ascending order, so that nothing is overwritten too early */
        struct bm_edit *edit = &edits->edits[i];
        uintptr_t place = (uintptr_t)edit->insert;
        if (place < (uintptr_t)edits->text || place >= (uintptr_t)(edits->text + BM_SCRIPT_TEXT)) continue;
        memmove(edits->text + n_text, edit->insert, edit->n_insert);
        edit->insert = edits->text + n_text;
        n_text += edit->n_insert;
    }
    edits->n_text = n_text;
}
