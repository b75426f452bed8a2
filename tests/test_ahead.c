/* SPDX-License-Identifier: MIT */
/* child/ahead: the marks, fields, counts and errors are those of one scan from front to back, whatever part
 * of the batches was marked ahead; where only counts are wanted, counts and errors are. Without threads: what a worker may do is drawn by lot, between the steps
 * of the job's thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child/ahead.h"
#include "test_mark.h"

enum { N_DOCUMENTS = 1000, MAX_BATCHES = 40 };

struct child {
    struct bytes text;
    struct bm_batch batches[MAX_BATCHES];
    size_t n_batches;
};

static void make_child(struct child *child, struct chance *chance) {
    memset(child, 0, sizeof *child);
    for (size_t n = 1 + below(chance, 3); n > 0; n--) make_document(&child->text, chance, below(chance, 200));
    if (below(chance, 3) == 0 && child->text.n_data > 0)
        child->text.data[below(chance, child->text.n_data)] = (uint8_t)next_chance(chance);
    size_t largest = 1 + child->text.n_data / (1 + below(chance, MAX_BATCHES / 2));
    for (size_t at = 0; at < child->text.n_data && child->n_batches < MAX_BATCHES; child->n_batches++) {
        size_t size = child->n_batches + 1 == MAX_BATCHES ? SIZE_MAX : 1 + below(chance, largest);
        if (size > child->text.n_data - at) size = child->text.n_data - at;
        child->batches[child->n_batches].text_offset = at;
        child->batches[child->n_batches].text = child->text.data + at;
        child->batches[child->n_batches].n_text = size;
        at += size;
    }
}

/* What a worker may do now, or not: mark some of the batches behind `number`. */
static uint64_t go_ahead(struct bm_child_ahead *ahead, const struct child *child, size_t number,
                         struct chance *chance) {
    uint64_t n_gone = 0;
    size_t n_filled = number + below(chance, BM_CHILD_AHEAD_BATCHES);
    if (n_filled > child->n_batches) n_filled = child->n_batches;
    bm_workers_lock(ahead->workers);
    while (ahead->n_done < n_filled && bm_child_ahead_can_go(ahead, number) && below(chance, 4) != 0) {
        bm_child_ahead_go(ahead, &child->batches[ahead->n_done]);
        n_gone++;
    }
    bm_workers_unlock(ahead->workers);
    return n_gone;
}

/* Scans a batch, the worker in between. */
static uint64_t scan_batch(struct bm_child_ahead *ahead, struct trace *trace, const struct child *child,
                           size_t number, struct chance *chance) {
    const struct bm_batch *batch = &child->batches[number];
    uint64_t n_gone = 0;
    for (size_t n_scanned = 0; n_scanned < batch->n_text && trace->status == BLASTMERGE_OK;) {
        n_gone += go_ahead(ahead, child, number, chance);
        const struct bm_piece *piece = bm_child_ahead_next(ahead, number, batch, n_scanned, batch->n_text);
        assert_true(piece->end > n_scanned || piece->marks.n_entries > 0 || piece->status != BLASTMERGE_OK);
        trace->n_used += piece->end - n_scanned;
        n_scanned = piece->end;
        trace->status = piece->status;
        trace->counts = piece->counts;
        if (piece->status != BLASTMERGE_OK) trace->error = piece->error;
        assert_true(piece->safe <= trace->n_used);
        if (below(chance, 2) == 0) n_gone += go_ahead(ahead, child, number, chance);
        add_marks(trace, ahead->mark, &piece->marks, 0);
    }
    return n_gone;
}

static struct trace scan_child(const struct child *child, enum bm_child_ahead_way way, struct chance *chance,
                               uint64_t *n_gone) {
    struct trace trace;
    struct bm_memory memory;
    struct bm_workers workers;
    struct bm_mark *mark = NULL;
    static struct bm_child_ahead ahead;
    memset(&trace, 0, sizeof trace);
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_workers_open(&workers, 0, &memory), BLASTMERGE_OK);
    assert_int_equal(bm_mark_open(&mark, &memory, BLASTMERGE_INVALID_UTF8_KEEP), BLASTMERGE_OK);
    assert_int_equal(bm_child_ahead_open(&ahead, &workers, mark, way, NULL, &memory), BLASTMERGE_OK);
    for (size_t i = 0; i < child->n_batches && trace.status == BLASTMERGE_OK; i++)
        *n_gone += scan_batch(&ahead, &trace, child, i, chance);
    if (trace.status == BLASTMERGE_OK) scan_end(mark, &trace, 0);
    if (trace.status == BLASTMERGE_OK) trace.counts = *bm_mark_counts(mark);
    bm_child_ahead_close(&ahead, &memory);
    bm_mark_close(mark, &memory);
    bm_workers_close(&workers, &memory);
    assert_int_equal(memory.n_bytes, 0);
    return trace;
}

/* Of what was scanned for its counts, a trace has no marks. */
static void leave_out_marks(struct trace *trace) {
    trace->marks.n_data = trace->fields.n_data = 0;
}

static void check_way(enum bm_child_ahead_way way) {
    struct chance chance = {20261123};
    uint64_t n_gone = 0;
    unsigned n_whole = 0;
    for (unsigned i = 0; i < N_DOCUMENTS; i++) {
        struct child child;
        make_child(&child, &chance);
        struct trace expected = scan(&child.text, whole, "portable", BLASTMERGE_INVALID_UTF8_KEEP);
        struct trace trace = scan_child(&child, way, &chance, &n_gone);
        if (way == BM_CHILD_AHEAD_COUNTS) {
            leave_out_marks(&expected);
            leave_out_marks(&trace);
        }
        if (!same_traces(&expected, &trace)) print_error("document %u\n", i);
        assert_true(same_traces(&expected, &trace));
        if (trace.status == BLASTMERGE_OK) n_whole++;
        free_trace(&expected);
        free_trace(&trace);
        free_bytes(&child.text);
    }
    assert_in_range(n_whole, N_DOCUMENTS / 10, N_DOCUMENTS - N_DOCUMENTS / 10); /* whole ones and others */
    assert_true(n_gone > N_DOCUMENTS);
}

static void test_marks(void **state) {
    (void)state;
    check_way(BM_CHILD_AHEAD_MARKS);
}

static void test_counts(void **state) {
    (void)state;
    check_way(BM_CHILD_AHEAD_COUNTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_marks), cmocka_unit_test(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
