/* SPDX-License-Identifier: MIT */
#include "rank/lines.h"

#include <string.h>

_Static_assert((int)BM_RANK_PIECE <= BM_WINDOW / 2,
               "a line that is not whole yet lies in the next batch's history");

enum blastmerge_status bm_rank_lines_create(struct bm_rank_lines *lines,
                                            const struct bm_child_settings *settings,
                                            struct bm_workers *workers, struct bm_memory *memory) {
    memset(lines, 0, sizeof *lines);
    return bm_child_create(&lines->child, settings, workers, memory);
}

void bm_rank_lines_open(struct bm_rank_lines *lines, struct bm_fetch_source *source,
                        struct bm_cancel *cancel) {
    lines->source = source;
    lines->line = (struct bm_rank_line){0};
    lines->view = (struct bm_view){0};
    lines->at = 0;
    lines->n_searched = 0;
    lines->has_batch = lines->is_last_batch = lines->is_inside_line = false;
    lines->is_open = true;
    bm_child_open(&lines->child, source, cancel);
}

void bm_rank_lines_let_ahead(struct bm_rank_lines *lines) {
    bm_child_lane_let_mark(&lines->child.lane, &lines->child.ahead);
}

void bm_rank_lines_close(struct bm_rank_lines *lines) {
    if (!lines->is_open) return;
    lines->is_open = false;
    bm_child_close(&lines->child);
}

void bm_rank_lines_destroy(struct bm_rank_lines *lines, struct bm_memory *memory) {
    bm_rank_lines_close(lines);
    bm_child_destroy(&lines->child, memory);
}

/* Checks the current batch and, after the last one, the data that follows it. */
static enum blastmerge_status scan(struct bm_rank_lines *lines, struct blastmerge_error *error) {
    struct bm_child *child = &lines->child;
    enum blastmerge_status status = BLASTMERGE_OK;
    lines->view.is_end_of_batch = child->batch->n_text == 0;
    while (status == BLASTMERGE_OK && !lines->view.is_end_of_batch)
        status = bm_child_scan(child, SIZE_MAX, &lines->view, error);
    bool is_due = lines->is_last_batch && bm_batch_end(child->batch) > 0;
    while (status == BLASTMERGE_OK && is_due && !bm_mark_is_finished(child->mark))
        status = bm_child_finish(child, &lines->view, error);
    return status;
}

static enum blastmerge_status take_batch(struct bm_rank_lines *lines, const struct bm_mark_kin *kin,
                                         struct blastmerge_error *error) {
    struct bm_child *child = &lines->child;
    if (lines->has_batch) bm_child_give(child);
    lines->has_batch = false;
    if (bm_child_take(child, &lines->is_last_batch, error) == NULL) return error->status;
    lines->has_batch = true;
    if (lines->watch != NULL) lines->watch->take(lines->watch, lines->number, child->batch);
    lines->is_compressed = child->batch->is_compressed;
    if (bm_child_is_at_first_batch(child)) bm_child_admit(child, kin, false);
    bm_child_fill(child);
    return scan(lines, error);
}

enum blastmerge_status bm_rank_lines_next(struct bm_rank_lines *lines, const struct bm_mark_kin *kin,
                                          struct blastmerge_error *error) {
    for (;;) {
        if (lines->has_batch) {
            const struct bm_batch *batch = lines->child.batch;
            size_t n = (size_t)(bm_batch_end(batch) - lines->at);
            const char *text = (const char *)bm_batch_at(batch, lines->at, n);
            const char *feed = memchr(text + lines->n_searched, '\n', n - lines->n_searched);
            bool is_end = feed != NULL || lines->is_last_batch;
            if (is_end || n >= BM_RANK_PIECE) {
                if (feed != NULL) n = (size_t)(feed + 1 - text);
                bool has_return = feed != NULL && lines->at + n >= 2 && feed[-1] == '\r';
                size_t n_mark = lines->at == 0 ? bm_measure_bom(text, n) : 0;
                lines->line = (struct bm_rank_line){text + n_mark, n - n_mark, !lines->is_inside_line, is_end,
                                                    has_return};
                lines->is_inside_line = !is_end;
                lines->at += n;
                lines->n_searched = 0;
                return BLASTMERGE_OK;
            }
            lines->n_searched = n;
        }
        enum blastmerge_status status = take_batch(lines, kin, error);
        if (status != BLASTMERGE_OK) return status;
    }
}

void bm_rank_lines_join(struct bm_rank_lines *lines, size_t n_blanks) {
    const struct bm_batch *batch = lines->child.batch;
    const uint64_t n = bm_batch_end(batch) - lines->at;
    const char *const from = (const char *)bm_batch_at(batch, lines->at, n), *const end = from + n;
    const char *line = from;
    while (lines->line.is_end && (size_t)(end - line) > n_blanks && line[n_blanks] == ' ') {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (feed == NULL || (size_t)(feed - line) <= n_blanks) break;
        line = feed + 1;
    }
    lines->line.n_bytes += (size_t)(line - from);
    lines->at += (uint64_t)(line - from);
}
