/* SPDX-License-Identifier: MIT */
#include "splice/state.h"

#include <assert.h>

/*
 * A run is a stretch of the result for which no token is left over: inserted text, and what remains of
 * matches whose source is gone. The match before it often goes on into it (numbers that count up
 * begin with the same digits), and the match behind it often begins in it: both only become longer. What is
 * left in the middle is looked up.
 */

enum { LITERALS_BEFORE = 3 };

/*
 * Text near edits comes in small pieces, but stands in the window in one: from there it goes into the CRC, a
 * lot at once. What has not been seen is summed up where it stands in the child.
 */
void bm_splice_sum(struct bm_splice *splice, const struct bm_batch *batch) {
    uint64_t seen = splice->place - (splice->is_kept ? splice->text - splice->seen : 0);
    if (splice->summed < seen) {
        splice->crc32 = bm_crc32(splice->crc32, bm_splice_window_at(&splice->window, splice->summed),
                                 (size_t)(seen - splice->summed));
        splice->summed = seen;
    }
    if (splice->summed < splice->place) {
        uint64_t n_bytes = splice->place - splice->summed;
        splice->crc32 = bm_crc32(splice->crc32, bm_batch_at(batch, splice->text - n_bytes), (size_t)n_bytes);
        splice->summed = splice->place;
    }
}

void bm_splice_sum_many(struct bm_splice *splice, const struct bm_batch *batch) {
    if (splice->place - splice->summed > BM_WINDOW) bm_splice_sum(splice, batch);
}

void bm_splice_see(struct bm_splice *splice, const struct bm_batch *batch) {
    if (!splice->is_kept || splice->seen == splice->text) return;
    bm_splice_sum_many(splice, batch);
    if (splice->text - splice->seen > BM_WINDOW) {
        splice->seen = splice->text - BM_WINDOW;
        bm_splice_window_begin(&splice->window, splice->place - BM_WINDOW);
    }
    bm_splice_window_add(&splice->window, bm_batch_at(batch, splice->seen),
                         (size_t)(splice->text - splice->seen));
    splice->seen = splice->text;
    assert(bm_splice_window_end(&splice->window) == splice->place);
}

void bm_splice_run_begin(struct bm_splice *splice, const struct bm_batch *batch) {
    struct bm_splice_recode *recode = &splice->recode;
    if (splice->is_run) return;
    bm_splice_see(splice, batch);
    splice->is_run = true;
    splice->run_begin = splice->place;
    for (int i = 0; i < LITERALS_BEFORE && recode->n_tokens > 0; i++) { /* they may be part of a match now */
        if (!bm_splice_token_is_literal(recode->tokens[recode->n_tokens - 1])) break;
        recode->n_tokens--;
        splice->run_begin--;
    }
}

void bm_splice_run_touch(struct bm_splice *splice, const struct bm_batch *batch) {
    splice->run_touched = splice->place;
    if (splice->place - splice->run_begin >= BM_SPLICE_RUN) bm_splice_run_end(splice, batch, NULL);
}

/* Lets the match before the run go on into it. Returns where the rest begins. */
static uint64_t extend_last(struct bm_splice *splice, uint64_t begin, uint64_t end) {
    struct bm_splice_recode *recode = &splice->recode;
    if (recode->n_tokens == 0) return begin;
    uint32_t *last = &recode->tokens[recode->n_tokens - 1];
    if (bm_splice_token_is_literal(*last)) return begin;
    size_t room = BM_MAX_MATCH - bm_splice_token_length(*last);
    unsigned n = bm_splice_window_agree(&splice->window, begin, bm_splice_token_distance(*last),
                                        room < end - begin ? room : (size_t)(end - begin));
    *last += n;
    return begin + n;
}

/* Lets the match behind the run begin in it. Returns where the rest ends. */
static uint64_t extend_next(struct bm_splice *splice, uint64_t begin, uint64_t end, uint32_t *next) {
    if (next == NULL) return end;
    size_t room = BM_MAX_MATCH - bm_splice_token_length(*next);
    unsigned n = bm_splice_window_agree_before(&splice->window, end, bm_splice_token_distance(*next),
                                               room < end - begin ? room : (size_t)(end - begin));
    *next += n;
    return end - n;
}

void bm_splice_run_end(struct bm_splice *splice, const struct bm_batch *batch, uint32_t *next) {
    struct bm_splice_window *window = &splice->window;
    uint64_t begin = splice->run_begin, end = splice->place;
    if (!splice->is_run) return;
    splice->is_run = false;
    bm_splice_see(splice, batch);
    begin = extend_last(splice, begin, end);
    end = extend_next(splice, begin, end, next);
    bm_splice_window_learn(window, splice->run_begin, begin);
    while (begin < end) {
        struct bm_splice_match match = bm_splice_window_find(window, begin, (size_t)(end - begin));
        unsigned length = match.length != 0 ? match.length : 1;
        uint32_t token = match.length != 0 ? bm_splice_token_match(match.length, match.distance)
                                           : *bm_splice_window_at(window, begin);
        bm_splice_recode_add(&splice->recode, token, begin);
        bm_splice_window_learn(window, begin, begin + length);
        begin += length;
    }
    bm_splice_window_learn(window, end, splice->place);
}
